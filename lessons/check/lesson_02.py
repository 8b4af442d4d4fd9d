"""The checks of the exercises of lesson 2."""

import numpy as np

from lessons.check import lesson_02_mistakes as wrong
from lessons.check import lesson_02_properties as properties
from lessons.check.checking import Case, Exercise, Mistake
from lessons.check.lesson_02_properties import LINE, anywhere, pixels, random_images, random_places
from minireg import backend, ops

# ---- sample_line


def _by_interp(line, c):
    """The reference: NumPy's interpolation of the line with one black pixel more at each end."""
    return np.interp(c, np.arange(-1, len(line) + 1), np.concatenate([[0], line, [0]]))


SAMPLE_LINE = Exercise(
    name="sample_line",
    title="many places on a line, black beyond its ends",
    reference=_by_interp,
    cases=[
        Case("between the pixels", (LINE, np.array([2.5, 1.25, 1.75, 0.9, 4.1]))),
        Case("exactly on the pixels", (LINE, np.arange(5.0))),
        Case("on the last pixel", (LINE, np.array([5.0]))),
        Case("on the ramp at the right end", (LINE, np.array([5.25, 5.5, 5.9]))),
        Case("on the ramp at the left end", (LINE, np.array([-0.25, -0.5, -0.9]))),
        Case("far outside", (LINE, np.array([-1.0, -1.5, -3.25, -8.0, 6.0, 6.5, 100.25]))),
        Case("one single pixel", (LINE[:1], np.array([-0.75, 0.0, 0.25, 1.0]))),
    ],
    mistakes=[
        Mistake(
            "The nearer pixel must count more: your two weights are exchanged.",
            lambda line, c: wrong.sample_line(line, c, exchanged=True),
        ),
        Mistake(
            "You take the pixel before c, whatever lies behind it.",
            lambda line, c: wrong.sample_line(line, np.floor(c)),
        ),
        Mistake(
            "You take the nearest pixel. Between two pixels the result lies between theirs.",
            lambda line, c: wrong.sample_line(line, np.rint(c)),
        ),
        Mistake(
            "Left of the line you round towards 0, not down: then the weight of one pixel is negative.",
            lambda line, c: wrong.sample_line(line, c, floor=np.trunc),
        ),
        Mistake(
            "With `rint` the fraction t runs from -0.5 to 0.5, and where t is negative, so is a weight. Is the nearest "
            "pixel always the one before c?",
            lambda line, c: wrong.sample_line(line, c, floor=np.rint),
        ),
        *[
            Mistake(
                "Python reads line[-1] as the last pixel: left of the line you see its other end.",
                lambda line, c, border=border: wrong.sample_line(line, c, border=border),
            )
            for border in ("negative", "upper")
        ],
        Mistake(
            "Beyond each end of the line you see its other end. Out there it must be black.",
            lambda line, c: wrong.sample_line(line, c, border="wrap"),
        ),
        Mistake(
            "Exactly on a pixel your result is 0. What are `floor` and `ceil` of a whole number, and what do your two "
            "weights add up to there?",
            lambda line, c: wrong.sample_line(line, c, ceil=True),
        ),
        Mistake(
            "Beyond its ends your line goes on as the last pixel is. Here it must go on in black.",
            lambda line, c: wrong.sample_line(line, c, border="edge"),
        ),
        Mistake(
            "The last pixel comes out black, and the ramps are missing. If you clip the indices: is it before you form "
            "the weights from them? What do the weights add up to on the last pixel?",
            lambda line, c: wrong.sample_line(line, c, clip_first=True),
        ),
        Mistake(
            "Your line ends like a cliff. But half-way between the last pixel and the black one beside it, half of the "
            "light must be left.",
            wrong.cliff,
        ),
        Mistake(
            "You treat the intensities as if they lay half a pixel off: pixel j lies at c = j.",
            lambda line, c: wrong.sample_line(line, c, off=0.5),
        ),
        *[
            Mistake(
                "Your result is that of a place one pixel away. If you have put black pixels around the line: which "
                "index has its first pixel now?",
                lambda line, c, off=off: wrong.sample_line(line, c, off=off),
            )
            for off in (1, -1)
        ],
    ],
    properties=[
        properties.exact_at_pixels,
        properties.each_place_alone,
        properties.exact_on_a_ramp,
        properties.alike_at_both_ends,
        properties.black_far_outside,
    ],
)

# ---- sample


def _by_ops_warp(images, r, c):
    """The reference: warp adds the place of each pixel of the output, so it is taken off before."""
    rows, columns = np.indices(r.shape[1:])
    u = backend.to_device(np.stack([r - rows, c - columns], axis=-1))
    return backend.to_host(ops.warp(backend.to_device(images), u, border="edge").data)


SAMPLE = Exercise(
    name="sample",
    title='bilinear sampling of a set of images, border "edge"',
    reference=_by_ops_warp,
    cases=[
        Case(
            "one grey image of 2 x 2 pixels, between them",
            (random_images(1, 1, 2, 2, 1), *random_places(2, 1, 3, 3, (0, 0), (1, 1))),
        ),
        Case(
            "more columns than rows", (random_images(3, 1, 4, 7, 1), *random_places(4, 1, 4, 7, (0, 0), (2.99, 5.99)))
        ),
        Case("exactly on the pixels", (random_images(5, 1, 3, 4, 1), *(k[None] * 1.0 for k in np.indices((3, 4))))),
        Case("three channels", (random_images(6, 1, 4, 5, 3), *random_places(7, 1, 4, 5, (0, 0), (2.99, 3.99)))),
        Case("two images", (random_images(8, 2, 4, 5, 1), *random_places(9, 2, 4, 5, (0, 0), (2.99, 3.99)))),
        Case(
            "as many places as pixels, some of them outside",
            (random_images(10, 1, 4, 5, 1), *random_places(11, 1, 4, 5, (-1, -1), (4, 5))),
        ),
        Case("far outside", (random_images(12, 1, 5, 4, 1), *random_places(13, 1, 5, 4, (-9, -9), (13, 12)))),
        Case(
            "three images, two channels, more places than pixels",
            (random_images(14, 3, 4, 6, 2), *random_places(15, 3, 9, 8, (-2, -2), (5, 7))),
        ),
        Case(
            "one pixel above another, as in the example",
            (np.array([[[[0.0]], [[8.0]]]]), np.array([[[0.25, 0.9, -2.0, 1.5]]]), np.array([[[0.0, 0.0, 0.5, -0.5]]])),
        ),
    ],
    mistakes=[
        Mistake(
            "Rows and columns are exchanged: r counts down the rows, c along the columns.",
            lambda images, r, c: wrong.sample(images, r, c, exchange="places"),
        ),
        Mistake(
            "The two fractions are exchanged: s, the way down, decides between the upper and the lower pixels.",
            lambda images, r, c: wrong.sample(images, r, c, exchange="fractions"),
        ),
        Mistake(
            "The nearer pixels must count more, along the rows and along the columns: your weights are exchanged.",
            lambda images, r, c: wrong.sample(images, r, c, exchange="weights"),
        ),
        Mistake(
            "Left and right pixels have each other's weights; up and down is right.",
            lambda images, r, c: wrong.sample(images, r, c, exchange="corners"),
        ),
        Mistake(
            "You take the nearest pixel. Between four pixels the result is a mixture of all of them.",
            lambda images, r, c: wrong.sample(images, np.rint(r), np.rint(c)),
        ),
        Mistake(
            "You take the upper left of the four pixels only.",
            lambda images, r, c: wrong.sample(images, np.floor(r), np.floor(c)),
        ),
        Mistake(
            "You interpolate along the rows (from left to right) but not from one row to the next.",
            lambda images, r, c: wrong.sample(images, np.floor(r), c),
        ),
        Mistake(
            "You interpolate down the columns but not from one column to the next.",
            lambda images, r, c: wrong.sample(images, r, np.floor(c)),
        ),
        Mistake(
            "This is the bug of 2020: you clip the indices before you form the weights from them. What do the weights "
            "add up to on the last row?",
            lambda images, r, c: wrong.sample(images, r, c, clip_first=True),
        ),
        Mistake(
            "Exactly on a row or a column of pixels your result is 0. What are `floor` and `ceil` of a whole number, "
            "and what do the weights add up to there?",
            lambda images, r, c: wrong.sample(images, r, c, ceil=True),
        ),
        Mistake(
            'Beyond a border you see what lies at the opposite one. With the border "edge" the image goes on as it is '
            "at the nearest pixel.",
            lambda images, r, c: wrong.sample(images, r, c, border="wrap"),
        ),
        Mistake(
            "You catch the indices that are too large only. To Python the index -1 is no error: it is the other end.",
            lambda images, r, c: wrong.sample(images, r, c, border="upper"),
        ),
        Mistake(
            "You keep rows below the number of columns, and columns below the number of rows. In a square image that "
            "makes no difference.",
            lambda images, r, c: wrong.sample(images, r, c, exchange="sizes"),
        ),
        Mistake(
            "You treat the pixels as if they lay half a pixel off: pixel (i, j) lies at r = i, c = j.",
            lambda images, r, c: wrong.sample(images, r - 0.5, c - 0.5),
        ),
        Mistake(
            'Outside of the image you find black. Here the border is "edge".',
            lambda images, r, c: wrong.sample(images, r, c, border="zeros"),
        ),
        Mistake(
            "Above and left of the image you round towards 0, not down: then some weights are negative.",
            lambda images, r, c: wrong.sample(images, r, c, floor=np.trunc),
        ),
        Mistake(
            "With `rint` the fractions s and t run from -0.5 to 0.5, and where one is negative, so are weights. Is the "
            "nearest pixel always the upper left of the four?",
            lambda images, r, c: wrong.sample(images, r, c, floor=np.rint),
        ),
        Mistake(
            "All your places are looked up in the first image of the set.",
            lambda images, r, c: wrong.sample(images, r, c, first_image=True),
        ),
        Mistake(
            "Every image has places of its own. You use those of the first image for all.",
            lambda images, r, c: wrong.sample(images, np.broadcast_to(r[:1], r.shape), np.broadcast_to(c[:1], c.shape)),
        ),
        Mistake(
            "All your channels show the first one.",
            lambda images, r, c: np.repeat(wrong.sample(images, r, c)[..., :1], images.shape[3], -1),
        ),
        Mistake(
            "You add the place of each pixel to r and c. They are places already, not displacements.",
            lambda images, r, c: wrong.sample(images, r + np.arange(r.shape[1])[:, None], c + np.arange(c.shape[2])),
        ),
        Mistake(
            "The channels have to stay apart: you return their mean in each of them.",
            lambda images, r, c: np.repeat(wrong.sample(images, r, c).mean(-1, keepdims=True), images.shape[3], -1),
        ),
    ],
    properties=[
        properties.images_alone,
        properties.channels_alone,
        properties.ones_stay_ones,
        properties.unchanged_on_the_pixels,
        properties.planes_stay_planes,
        properties.ones_stay_ones_outside,
        properties.nothing_changes_outside,
    ],
)

# ---- sample_2020


def _normalised(image, x, y):
    """The reference: `ops.warp` at the places in pixels."""
    height, width = image.shape
    r, c = (y + 1) / 2 * (height - 1), (x + 1) / 2 * (width - 1)
    return _by_ops_warp(image[None, :, :, None], *(k.reshape(1, 1, -1) for k in (r, c))).reshape(x.shape)


CORNERS = np.array([-1.0, 1.0, -1.0, 1.0]), np.array([-1.0, -1.0, 1.0, 1.0])
SAMPLE_2020 = Exercise(
    name="sample_2020",
    title="find and mend the mistakes of a sampler",
    reference=_normalised,
    cases=[
        Case("the first pixel", (random_images(31, 4, 5), np.array([-1.0]), np.array([-1.0]))),
        Case("the middle of 5 x 5 pixels", (random_images(32, 5, 5), np.array([0.0]), np.array([0.0]))),
        Case("the four corners of 4 x 5 pixels", (random_images(33, 4, 5), *CORNERS)),
        Case("all pixels of an image", (random_images(34, 4, 5), *pixels(4, 5))),
        Case("places anywhere", (random_images(35, 6, 4), *anywhere(36, 7, 3))),
        Case("more places than pixels", (random_images(37, 3, 4), *anywhere(38, 10, 10))),
        Case("one row of three pixels, as in the example", (np.array([[5.0, 6.0, 9.0]]), *anywhere(39, 5))),
    ],
    mistakes=[
        Mistake(
            "Not mended yet: an image of random numbers, looked at on its own pixels, does not come back unchanged. "
            "Look at it yourself: which pixels come back, and what is at the others?",
            wrong.sample_2020,
        ),
        Mistake(
            "One of two is mended: the middle is where it should be. But where x = 1 or y = 1 the result is still "
            "black, whatever the image. What do the weights add up to there?",
            lambda image, x, y: wrong.sample_2020(image, x, y, steps_missing=(1, 1)),
        ),
        *[
            Mistake(
                f"Nearly: the image keeps its last row and column, and for the {right} your places are right. But "
                f"for the {other} the middle is still looked for half a pixel too far.",
                lambda image, x, y, steps=steps: wrong.sample_2020(image, x, y, steps_missing=steps, clip_first=False),
            )
            for right, other, steps in (("rows (y)", "columns (x)", (1, 0)), ("columns (x)", "rows (y)", (0, 1)))
        ],
        Mistake(
            "One of two is mended: an image of ones keeps its last row and column. But the middle of an image, "
            "x = y = 0, is still looked for half a pixel too far down and to the right. How many steps is it from the "
            "centre of the first pixel to that of the last?",
            lambda image, x, y: wrong.sample_2020(image, x, y, clip_first=False),
        ),
        Mistake(
            "Both mistakes are mended, but now x and y are exchanged: x runs along the columns, to the right.",
            lambda image, x, y: _normalised(image, y, x),
        ),
        Mistake(
            "Height and width are exchanged: x counts columns. In a square image that makes no difference.",
            lambda image, x, y: wrong.sample(
                image[None, :, :, None],
                ((y + 1) * (image.shape[1] - 1) / 2).reshape(1, 1, -1),
                ((x + 1) * (image.shape[0] - 1) / 2).reshape(1, 1, -1),
            ).reshape(x.shape),
        ),
        Mistake(
            "You take the nearest pixel. That mends the black edges and gives up interpolation.",
            lambda image, x, y: image[
                np.rint((y + 1) / 2 * (image.shape[0] - 1)).astype(int),
                np.rint((x + 1) / 2 * (image.shape[1] - 1)).astype(int),
            ],
        ),
        Mistake(
            "The middle is right now, but the corners are not: x = -1 is the centre of the first pixel, not its edge.",
            lambda image, x, y: wrong.sample(
                image[None, :, :, None],
                ((y + 1) * image.shape[0] / 2 - 0.5).reshape(1, 1, -1),
                ((x + 1) * image.shape[1] / 2 - 0.5).reshape(1, 1, -1),
            ).reshape(x.shape),
        ),
    ],
    properties=[
        properties.the_last_row_and_column_have_light,
        properties.the_pixels_come_back,
        properties.nothing_gets_brighter,
    ],
)

EXERCISES = [SAMPLE_LINE, SAMPLE, SAMPLE_2020]

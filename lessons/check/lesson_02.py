"""The checks of the exercises of lesson 2."""

import numpy as np

from lessons.check.checking import Case, Exercise, Mistake
from minireg import backend, ops

# ---- sample_line

LINE = np.random.default_rng(2).uniform(0.1, 1, 6)


def _by_interp(line, c):
    """The reference: NumPy's interpolation of the line with one black pixel more at each end."""
    return np.interp(c, np.arange(-1, len(line) + 1), np.concatenate([[0], line, [0]]))


def _sample_line(line, c, floor=np.floor, border="zeros", exchanged=False, clip_first=False, half=0.0):
    """Interpolation on a line as a learner would write it, with a place for each mistake."""
    c, last = c - half, len(line) - 1
    before = floor(c).astype(int)
    after = before + 1
    if clip_first:
        before, after = np.clip(before, 0, last), np.clip(after, 0, last)
    weight_before, weight_after = (after - c, c - before) if clip_first else (1 - (c - before), c - before)
    if exchanged:
        weight_before, weight_after = weight_after, weight_before

    def read(j):
        inside = (j >= -len(line) if border == "negative" else j >= 0) & (j <= last)
        values = line[np.where(inside & (j < 0), j, np.clip(j, 0, last))]
        return values if border == "edge" else np.where(inside, values, 0)

    return weight_before * read(before) + weight_after * read(after)


def _cliff(line, c):
    return np.where((c >= 0) & (c <= len(line) - 1), _by_interp(line, c), 0)


def exact_at_pixels(sample_line):
    y = np.asarray(sample_line(LINE, np.arange(6.0)))
    wrong = np.flatnonzero(np.abs(y - LINE) > 1e-6) if y.shape == LINE.shape else []
    if len(wrong):
        return f"At c = {wrong[0]}, exactly on a pixel, the result must be the intensity of that pixel."


def exact_on_a_ramp(sample_line):
    y = np.asarray(sample_line(3 + 2 * np.arange(6.0), np.array([0.5, 2.25])))
    if y.shape != (2,) or np.abs(y - [4, 7.5]).max() < 1e-6:
        return None
    if y[1] in (7, 9):
        return "At c = 2.25 you return the intensity of one pixel. Between two pixels the result lies between theirs."
    return "Along the line 3, 5, 7, 9, ... the result must be 7.5 at c = 2.25. Do your two weights add up to 1?"


def in_any_order(sample_line):
    c = np.array([2.25, 0.5, 3.75])
    y, backwards = np.asarray(sample_line(LINE, c)), np.asarray(sample_line(LINE, c[::-1].copy()))
    if y.shape == c.shape and not np.allclose(y, backwards[::-1], atol=1e-6):
        return "The places may come in any order, and the results must come in the same order."


def alike_at_both_ends(sample_line):
    left, right = (np.asarray(sample_line(np.ones(4), c)) for c in (np.array([-0.25, -0.5]), np.array([3.25, 3.5])))
    left_is_right, right_is_right = (np.allclose(y, [0.75, 0.5], atol=1e-6) for y in (left, right))
    if right_is_right and not left_is_right:
        return (
            "Beyond the right end your result is right, beyond the left end it is not. Which pixels lie around "
            "c = -0.25, and how far is it from each of them? What is int(-0.25)?"
        )
    if left_is_right and not right_is_right:
        return (
            "Beyond the left end your result is right, beyond the right end it is not. On a line of 4 pixels, which "
            "two lie around c = 3.25, and what is the intensity of each?"
        )


def black_far_outside(sample_line):
    y = np.asarray(sample_line(LINE, np.array([-1.0, 6.0, -40.5, 40.5])))
    if np.abs(y).max() > 1e-9:
        return "One pixel outside of the line, and everywhere beyond, all is black: the result must be 0 there."


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
            lambda line, c: _sample_line(line, c, exchanged=True),
        ),
        Mistake(
            "You take the pixel before c, whatever lies behind it.",
            lambda line, c: _sample_line(line, np.floor(c)),
        ),
        Mistake(
            "You take the nearest pixel. Between two pixels the result lies between theirs.",
            lambda line, c: _sample_line(line, np.rint(c)),
        ),
        Mistake(
            "Left of the line you round towards 0, not down: then the weight of one pixel is negative.",
            lambda line, c: _sample_line(line, c, floor=np.trunc),
        ),
        Mistake(
            "Python reads line[-1] as the last pixel: left of the line you see its other end.",
            lambda line, c: _sample_line(line, c, border="negative"),
        ),
        Mistake(
            "Beyond its ends your line goes on as the last pixel is. Here it must go on in black.",
            lambda line, c: _sample_line(line, c, border="edge"),
        ),
        Mistake(
            "The last pixel comes out black, and the ramps are missing. If you clip the indices: is it before you form "
            "the weights from them? What do the weights add up to on the last pixel?",
            lambda line, c: _sample_line(line, c, clip_first=True),
        ),
        Mistake(
            "Your line ends like a cliff. But half-way between the last pixel and the black one beside it, half of the "
            "light must be left.",
            _cliff,
        ),
        Mistake(
            "You treat the intensities as if they lay half a pixel off: pixel j lies at c = j.",
            lambda line, c: _sample_line(line, c, half=0.5),
        ),
    ],
    properties=[exact_at_pixels, exact_on_a_ramp, in_any_order, alike_at_both_ends, black_far_outside],
)

# ---- sample


def _by_ops_warp(images, r, c):
    """The reference: warp adds the place of each pixel of the output, so it is taken off before."""
    rows, columns = np.indices(r.shape[1:])
    u = backend.to_device(np.stack([r - rows, c - columns], axis=-1))
    return backend.to_host(ops.warp(backend.to_device(images), u, border="edge").data)


def _sample(images, r, c, floor=np.floor, border="edge", clip_first=False, exchange=None, first_image=False):
    """Bilinear sampling as a learner would write it, with a place for each mistake."""
    n, height, width, _ = images.shape
    if exchange == "places":
        r, c = c, r
    image = 0 if first_image else np.arange(n)[:, None, None]
    i, j = floor(r).astype(int), floor(c).astype(int)
    i1, j1 = i + 1, j + 1
    s, t = r - i, c - j
    weights = [1 - s, s], [1 - t, t]
    if clip_first:
        i, i1, j, j1 = (np.clip(k, 0, size - 1) for k, size in ((i, height), (i1, height), (j, width), (j1, width)))
        weights = [i1 - r, r - i], [j1 - c, c - j]
    if exchange == "fractions":
        weights = weights[::-1]
    elif exchange == "weights":
        weights = weights[0][::-1], weights[1][::-1]
    elif exchange == "corners":
        weights = weights[0], weights[1][::-1]

    def read(i, j):
        values = images[image, np.clip(i, 0, height - 1), np.clip(j, 0, width - 1)]
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        return np.where(inside[..., None], values, 0) if border == "zeros" else values

    (a, b), (d, e) = weights
    pixels = ((a * d, read(i, j)), (a * e, read(i, j1)), (b * d, read(i1, j)), (b * e, read(i1, j1)))
    return sum(weight[..., None] * value for weight, value in pixels)


def _images(seed, *shape):
    return np.random.default_rng(seed).uniform(0.1, 1, shape)


def _places(seed, n, height, width, low, high):
    """n x height x width places, from `low` = (row, column) to `high`."""
    rng = np.random.default_rng(seed)
    return tuple(rng.uniform(low[k], high[k], (n, height, width)) for k in (0, 1))


def ones_stay_ones(sample):
    y = np.asarray(sample(np.ones((1, 4, 5, 1)), *_places(21, 1, 6, 6, (0, 0), (3, 4))))
    if np.abs(y - 1).max() > 1e-6:
        return "An image of ones is not 1 between its pixels. What must the four weights add up to?"


def unchanged_on_the_pixels(sample):
    images = _images(22, 2, 4, 5, 2)
    rows, columns = (np.broadcast_to(k, (2, 4, 5)).astype(float) for k in np.indices((4, 5)))
    y = np.asarray(sample(images, rows, columns))
    if y.shape == images.shape and np.abs(y - images).max() > 1e-6:
        return "Sampled exactly on its pixels an image must come back unchanged, also in its last row and column."


def planes_stay_planes(sample):
    rows, columns = np.indices((4, 5))
    for words, plane, step in (("down", rows, (1, 0)), ("to the right", columns, (0, 1))):
        r, c = _places(23, 1, 3, 3, (0, 0), (3, 4))
        y = np.asarray(sample(plane[None, :, :, None].astype(float), r, c))[..., 0]
        if np.abs(y - (step[0] * r + step[1] * c)).max() > 1e-6:
            return (
                f"In an image that grows {words} by 1 from pixel to pixel the result must be the place itself, and it "
                "is not. Take an image of 2 by 2 pixels and compute the four weights by hand."
            )


def ones_stay_ones_outside(sample):
    y = np.asarray(sample(np.ones((1, 4, 5, 1)), *_places(24, 1, 6, 6, (-6, -6), (9, 9))))
    if np.abs(y - 1).max() > 1e-6:
        return 'With the border "edge" an image of ones must be 1 outside of it too, and yours is not.'


def nothing_changes_outside(sample):
    images, along = _images(25, 1, 4, 5, 1), np.array([[[0.5, 2.25]]])
    for near, far in ((-0.5, -3.0), (3.5, 7.0)):
        y = [np.asarray(sample(images, np.full_like(along, r), along)) for r in (near, far)]
        if not np.allclose(*y, atol=1e-6):
            return (
                f'With the border "edge" nothing changes any more beyond the border, but your results at r = {near} '
                f"and at r = {far} differ (4 rows, 0 to 3). What are your weights there?"
            )


SAMPLE = Exercise(
    name="sample",
    title='bilinear sampling of a set of images, border "edge"',
    reference=_by_ops_warp,
    cases=[
        Case(
            "one grey image of 2 x 2 pixels, between them",
            (_images(1, 1, 2, 2, 1), *_places(2, 1, 3, 3, (0, 0), (1, 1))),
        ),
        Case("more columns than rows", (_images(3, 1, 4, 7, 1), *_places(4, 1, 4, 7, (0, 0), (2.99, 5.99)))),
        Case("exactly on the pixels", (_images(5, 1, 3, 4, 1), *(k[None] * 1.0 for k in np.indices((3, 4))))),
        Case("three channels", (_images(6, 1, 4, 5, 3), *_places(7, 1, 4, 5, (0, 0), (2.99, 3.99)))),
        Case("two images", (_images(8, 2, 4, 5, 1), *_places(9, 2, 4, 5, (0, 0), (2.99, 3.99)))),
        Case(
            "as many places as pixels, some of them outside",
            (_images(10, 1, 4, 5, 1), *_places(11, 1, 4, 5, (-1, -1), (4, 5))),
        ),
        Case("far outside", (_images(12, 1, 5, 4, 1), *_places(13, 1, 5, 4, (-9, -9), (13, 12)))),
        Case(
            "three images, two channels, more places than pixels",
            (_images(14, 3, 4, 6, 2), *_places(15, 3, 9, 8, (-2, -2), (5, 7))),
        ),
    ],
    mistakes=[
        Mistake(
            "Rows and columns are exchanged: r counts down the rows, c along the columns.",
            lambda images, r, c: _sample(images, r, c, exchange="places"),
        ),
        Mistake(
            "The two fractions are exchanged: s, the way down, decides between the upper and the lower pixels.",
            lambda images, r, c: _sample(images, r, c, exchange="fractions"),
        ),
        Mistake(
            "The nearer pixels must count more, along the rows and along the columns: your weights are exchanged.",
            lambda images, r, c: _sample(images, r, c, exchange="weights"),
        ),
        Mistake(
            "Left and right pixels have each other's weights; up and down is right.",
            lambda images, r, c: _sample(images, r, c, exchange="corners"),
        ),
        Mistake(
            "You take the nearest pixel. Between four pixels the result is a mixture of all of them.",
            lambda images, r, c: _sample(images, np.rint(r), np.rint(c)),
        ),
        Mistake(
            "You take the upper left of the four pixels only.",
            lambda images, r, c: _sample(images, np.floor(r), np.floor(c)),
        ),
        Mistake(
            "You interpolate along the rows (from left to right) but not from one row to the next.",
            lambda images, r, c: _sample(images, np.floor(r), c),
        ),
        Mistake(
            "You interpolate down the columns but not from one column to the next.",
            lambda images, r, c: _sample(images, r, np.floor(c)),
        ),
        Mistake(
            "This is the bug of 2020: you clip the indices before you form the weights from them. What do the weights "
            "add up to on the last row?",
            lambda images, r, c: _sample(images, r, c, clip_first=True),
        ),
        Mistake(
            'Outside of the image you find black. Here the border is "edge".',
            lambda images, r, c: _sample(images, r, c, border="zeros"),
        ),
        Mistake(
            "Above and left of the image you round towards 0, not down: then some weights are negative.",
            lambda images, r, c: _sample(images, r, c, floor=np.trunc),
        ),
        Mistake(
            "All your places are looked up in the first image of the set.",
            lambda images, r, c: _sample(images, r, c, first_image=True),
        ),
        Mistake(
            "Every image has places of its own. You use those of the first image for all.",
            lambda images, r, c: _sample(images, np.broadcast_to(r[:1], r.shape), np.broadcast_to(c[:1], c.shape)),
        ),
        Mistake(
            "All your channels show the first one.",
            lambda images, r, c: np.repeat(_sample(images, r, c)[..., :1], images.shape[3], -1),
        ),
        Mistake(
            "You add the place of each pixel to r and c. They are places already, not displacements.",
            lambda images, r, c: _sample(images, r + np.arange(r.shape[1])[:, None], c + np.arange(c.shape[2])),
        ),
        Mistake(
            "The channels have to stay apart: you return their mean in each of them.",
            lambda images, r, c: np.repeat(_sample(images, r, c).mean(-1, keepdims=True), images.shape[3], -1),
        ),
    ],
    properties=[
        ones_stay_ones,
        unchanged_on_the_pixels,
        planes_stay_planes,
        ones_stay_ones_outside,
        nothing_changes_outside,
    ],
)

# ---- sample_2020


def _normalised(image, x, y):
    """The reference: `ops.warp` at the places in pixels."""
    height, width = image.shape
    r, c = (y + 1) / 2 * (height - 1), (x + 1) / 2 * (width - 1)
    return _by_ops_warp(image[None, :, :, None], *(k.reshape(1, 1, -1) for k in (r, c))).reshape(x.shape)


def _sample_2020(image, x, y, steps_missing=0, clip_first=True):
    """The sampler of 2020: with `steps_missing` = 1 its scale is mended, with `clip_first` = False its weights."""
    height, width = image.shape
    r, c = (y + 1) * (height - steps_missing) / 2, (x + 1) * (width - steps_missing) / 2
    flat = (k.reshape(1, 1, -1) for k in (r, c))
    return _sample(image[None, :, :, None], *flat, clip_first=clip_first).reshape(x.shape)


def _pixels(height, width):
    """x and y of the centres of all pixels."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return x, y


def _anywhere(seed, *shape):
    return tuple(np.random.default_rng(seed).uniform(-1, 1, (2, *shape)))


def the_last_row_and_column_have_light(sample_2020):
    y = np.asarray(sample_2020(np.ones((4, 5)), *_pixels(4, 5)))
    if np.abs(y - 1).max() > 1e-6:
        return (
            f"Not mended yet: an image of ones, looked at on its own pixels, comes back with values from {y.min():.4g} "
            f"to {y.max():.4g}. What do the four weights add up to, and where?"
        )


def the_pixels_come_back(sample_2020):
    image = _images(41, 5, 4)
    y = np.asarray(sample_2020(image, *_pixels(5, 4)))
    if np.abs(y - image).max() > 1e-6:
        at = [int(k) for k in np.unravel_index(np.abs(y - image).argmax(), y.shape)]
        return (
            "An image of ones stays as it is now, but another one, looked at on its own pixels, does not come back "
            f"unchanged. It is furthest off at {at}. Where does your sampler look for that pixel?"
        )


CORNERS = np.array([-1.0, 1.0, -1.0, 1.0]), np.array([-1.0, -1.0, 1.0, 1.0])
SAMPLE_2020 = Exercise(
    name="sample_2020",
    title="find and mend the mistakes of a sampler",
    reference=_normalised,
    cases=[
        Case("the first pixel", (_images(31, 4, 5), np.array([-1.0]), np.array([-1.0]))),
        Case("the middle of 5 x 5 pixels", (_images(32, 5, 5), np.array([0.0]), np.array([0.0]))),
        Case("the four corners of 4 x 5 pixels", (_images(33, 4, 5), *CORNERS)),
        Case("all pixels of an image", (_images(34, 4, 5), *_pixels(4, 5))),
        Case("places anywhere", (_images(35, 6, 4), *_anywhere(36, 7, 3))),
        Case("more places than pixels", (_images(37, 3, 4), *_anywhere(38, 10, 10))),
    ],
    mistakes=[
        Mistake(
            "Not mended yet. Two symptoms: the middle of an image, x = y = 0, is looked for half a pixel too far down "
            "and to the right. And where x = 1 or y = 1 the result is black, whatever the image.",
            _sample_2020,
        ),
        Mistake(
            "One of two is mended: the middle is where it should be. But where x = 1 or y = 1 the result is still "
            "black, whatever the image. What do the weights add up to there?",
            lambda image, x, y: _sample_2020(image, x, y, steps_missing=1),
        ),
        Mistake(
            "One of two is mended: an image of ones keeps its last row and column. But the middle of an image, "
            "x = y = 0, is still looked for half a pixel too far down and to the right. How many steps is it from the "
            "centre of the first pixel to that of the last?",
            lambda image, x, y: _sample_2020(image, x, y, clip_first=False),
        ),
        Mistake(
            "Both mistakes are mended, but now x and y are exchanged: x runs along the columns, to the right.",
            lambda image, x, y: _normalised(image, y, x),
        ),
        Mistake(
            "Height and width are exchanged: x counts columns. In a square image that makes no difference.",
            lambda image, x, y: _sample(
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
            lambda image, x, y: _sample(
                image[None, :, :, None],
                ((y + 1) * image.shape[0] / 2 - 0.5).reshape(1, 1, -1),
                ((x + 1) * image.shape[1] / 2 - 0.5).reshape(1, 1, -1),
            ).reshape(x.shape),
        ),
    ],
    properties=[the_last_row_and_column_have_light, the_pixels_come_back],
)

EXERCISES = [SAMPLE_LINE, SAMPLE, SAMPLE_2020]

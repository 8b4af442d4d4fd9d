"""The checks of the exercises of lesson 1."""

import numpy as np

from lessons.check.checking import Case, Exercise, Mistake
from minireg import backend, fields, ops

# ---- rotation


def _rotation_by_complex_numbers(height, width, degrees):
    """The reference: z = right - i down; the pixel at z looks at z exp(-i angle)."""
    rows, columns = np.indices((height, width))
    z = columns - (width - 1) / 2 - 1j * (rows - (height - 1) / 2)
    step = z * np.exp(-1j * np.radians(degrees)) - z
    return np.stack([-step.imag, step.real], axis=-1)


def _rotation(height, width, degrees, middle=None, unit=np.radians, places=False, stale=False, signs=(1, 1)):
    """A rotation as a learner would write it, with a place for each mistake."""
    rows, columns = np.indices((height, width))
    middle = ((height - 1) / 2, (width - 1) / 2) if middle is None else middle
    down, right = rows - middle[0], columns - middle[1]
    cosine, sine = np.cos(unit(degrees)), np.sin(unit(degrees))
    turned_down = cosine * down + signs[0] * sine * right
    turned_right = cosine * right - signs[1] * sine * (turned_down if stale else down)
    if places:
        return np.stack([turned_down + middle[0], turned_right + middle[1]], axis=-1)
    return np.stack([turned_down - down, turned_right - right], axis=-1)


def the_middle_stays(rotation):
    if not np.allclose(np.asarray(rotation(5, 7, 40.0))[2, 3], 0, atol=1e-6):
        return (
            "The pixel in the middle of an image of 5 by 7 pixels is (2, 3). It turns on the spot: u must be 0 there."
        )


def distances_stay(rotation):
    rows, columns = np.indices((6, 9)) - np.array([2.5, 4.0])[:, None, None]
    u = np.asarray(rotation(6, 9, 25.0))
    if not np.allclose(np.hypot(rows + u[..., 0], columns + u[..., 1]), np.hypot(rows, columns), atol=1e-6):
        return (
            "Turning keeps every distance from the middle, but with your field a pixel looks at a place that is nearer "
            "to the middle than itself, or further from it. Take one pixel and follow it by hand."
        )


ROTATION = Exercise(
    name="rotation",
    title="the field that turns an image",
    reference=_rotation_by_complex_numbers,
    cases=[
        Case("3 x 3 pixels, a quarter turn", (3, 3, 90.0)),
        Case("5 x 5 pixels, 30 degrees", (5, 5, 30.0)),
        Case("an even number of pixels, 6 x 6, 30 degrees", (6, 6, 30.0)),
        Case("4 rows and 7 columns, -45 degrees", (4, 7, -45.0)),
        Case("7 rows and 4 columns, 200 degrees", (7, 4, 200.0)),
    ],
    mistakes=[
        Mistake(
            "With your field the content turns clockwise. The field does not say where the content of a pixel goes, "
            "but where each pixel looks. Which way must it look?",
            lambda height, width, degrees: _rotation(height, width, -degrees),
        ),
        Mistake(
            "You return the places where the pixels look. A displacement says how far such a place is from the pixel.",
            lambda height, width, degrees: _rotation(height, width, degrees, places=True),
        ),
        Mistake(
            "You return the places where the pixels look, counted from the middle. A displacement says how far such a "
            "place is from the pixel.",
            lambda height, width, degrees: (
                _rotation(height, width, degrees, places=True) - np.array([(height - 1) / 2, (width - 1) / 2])
            ),
        ),
        Mistake(
            "The angle is in degrees. What do NumPy's sine and cosine expect?",
            lambda height, width, degrees: _rotation(height, width, degrees, unit=lambda x: x),
        ),
        Mistake(
            "You turn about a point that is half a pixel off the middle. Of 3 pixels, 0, 1 and 2, which is in the "
            "middle?",
            lambda height, width, degrees: _rotation(height, width, degrees, middle=(height / 2, width / 2)),
        ),
        Mistake(
            "You turn about a whole pixel near the middle. With an even number of rows the middle lies between two "
            "pixels.",
            lambda height, width, degrees: _rotation(height, width, degrees, middle=(height // 2, width // 2)),
        ),
        Mistake(
            "You turn about a whole pixel near the middle. With an even number of rows the middle lies between two "
            "pixels.",
            lambda height, width, degrees: _rotation(
                height, width, degrees, middle=((height - 1) // 2, (width - 1) // 2)
            ),
        ),
        Mistake(
            "You turn about the pixel (0, 0), the upper left corner, not about the middle.",
            lambda height, width, degrees: _rotation(height, width, degrees, middle=(0, 0)),
        ),
        Mistake(
            "The middle has its row and its column exchanged. In a square image that makes no difference.",
            lambda height, width, degrees: _rotation(height, width, degrees, ((width - 1) / 2, (height - 1) / 2)),
        ),
        Mistake(
            "You compute the second coordinate from the first one when that has been turned already. Both must be "
            "computed from where they were before.",
            lambda height, width, degrees: _rotation(height, width, degrees, stale=True),
        ),
        *[
            Mistake(
                "Your field does not turn, it squeezes: distances from the middle change. Follow by hand where one "
                "pixel of the top row looks, and one of the left column.",
                lambda height, width, degrees, signs=signs: _rotation(height, width, degrees, signs=signs),
            )
            for signs in ((1, -1), (-1, 1))
        ],
        Mistake(
            "Your content is turned the wrong way, and your first number counts upwards. Rows count downwards.",
            lambda height, width, degrees: _rotation(height, width, -degrees) * [-1, 1],
        ),
        *[
            Mistake(
                "You round to whole pixels, or write into an array of int. Here the exact places are wanted.",
                lambda height, width, degrees, cut=cut: cut(_rotation(height, width, degrees)),
            )
            for cut in (np.rint, np.trunc)
        ],
    ],
    properties=[the_middle_stays, distances_stay],
)

# ---- warp_whole


def _by_ops_warp(images, displacement):
    u = backend.to_device(displacement.astype(images.dtype))
    return backend.to_host(ops.warp(backend.to_device(images), u).data)


def _warp_whole(images, displacement, sign=1, border="zeros", first_field=False, first_image=False):
    """Pulling back as a learner would write it, with a place for each mistake."""
    output = np.zeros_like(images)
    count, height, width, _ = images.shape
    for n, row, column in np.ndindex(count, height, width):
        u = displacement[0 if first_field else n, row, column]
        r, c = row + sign * u[0], column + sign * u[1]
        if border == "wrap":
            r, c = r % height, c % width
        elif border == "edge":
            r, c = min(max(r, 0), height - 1), min(max(c, 0), width - 1)
        elif border == "negative":
            r, c = (r % height if -height <= r < 0 else r), (c % width if -width <= c < 0 else c)
        if 0 <= r < height and 0 <= c < width:
            output[n, row, column] = images[0 if first_image else n, r, c]
        elif border == "nan":
            output[n, row, column] = np.nan
    return output


def _push(images, displacement):
    output = np.zeros_like(images)
    count, height, width, _ = images.shape
    for n, row, column in np.ndindex(count, height, width):
        r, c = row + displacement[n, row, column, 0], column + displacement[n, row, column, 1]
        if 0 <= r < height and 0 <= c < width:
            output[n, r, c] = images[n, row, column]
    return output


def _images(seed, *shape):
    return np.random.default_rng(seed).uniform(0.1, 1, shape)


def _field(seed, *shape, low=-2, high=2):
    return np.random.default_rng(seed).integers(low, high, (*shape, 2), endpoint=True)


def no_displacement_changes_nothing(warp_whole):
    images = _images(30, 2, 4, 5, 2)
    y = np.asarray(warp_whole(images, np.zeros((2, 4, 5, 2), int)))
    if y.shape != images.shape or np.array_equal(y, images):
        return None
    if np.array_equal(y[0], images[0]):
        return "Your result is right for the first image of the set only. What happens to the others?"
    if np.array_equal(y[:, 1:-1, 1:-1], images[:, 1:-1, 1:-1]):
        return (
            "Where u is 0 everywhere the images must come back unchanged, also in the first and last row and column. "
            "Which rows and columns belong to the image?"
        )
    return "Where u is 0 everywhere the images must come back unchanged."


def black_outside(warp_whole):
    for words, step, edge in (("right of", (0, 1), np.s_[:, :, -1]), ("below", (1, 0), np.s_[:, -1])):
        y = np.asarray(warp_whole(np.ones((1, 4, 5, 1)), np.broadcast_to(step, (1, 4, 5, 2)).copy()))
        if y.shape == (1, 4, 5, 1) and y[edge].any():
            return f"A pixel that looks at a place one pixel {words} the image must find 0, and yours finds something."


def every_pixel_looks_for_itself(warp_whole):
    images, u = _images(35, 1, 4, 5, 1), np.zeros((1, 4, 5, 2), int)
    u[0, 3, 2] = -2, 1
    y = np.asarray(warp_whole(images, u))
    if y.shape == images.shape and y[0, 3, 2, 0] != images[0, 1, 3, 0]:
        return "Every pixel has a displacement of its own. With u = (-2, 1) at the pixel (3, 2) it must look at (1, 3)."


def colours_stay_together(warp_whole):
    grey = _images(31, 1, 4, 5, 1)
    images, u = np.concatenate([grey, 2 * grey, 3 * grey], axis=-1), _field(32, 1, 4, 5)
    y = np.asarray(warp_whole(images, u))
    if y.shape == images.shape and not np.allclose(y, y[..., :1] * [1, 2, 3]):
        return "The channels of a pixel have to stay together: all of them come from the same place."


SHIFT = np.broadcast_to([0, -1], (1, 4, 5, 2)).copy()
WARP_WHOLE = Exercise(
    name="warp_whole",
    title="pull-back for a set of images with channels",
    reference=_by_ops_warp,
    cases=[
        Case("one grey image, every pixel looks one column to the left", (_images(1, 1, 4, 5, 1), SHIFT)),
        Case("one grey image, every pixel looks one row down", (_images(2, 1, 4, 5, 1), SHIFT[..., ::-1] * -1)),
        Case("one grey image, a field that varies", (_images(3, 1, 5, 4, 1), _field(4, 1, 5, 4))),
        Case("three channels", (_images(5, 1, 4, 5, 3), _field(6, 1, 4, 5))),
        Case("three images", (_images(7, 3, 4, 5, 1), _field(8, 3, 4, 5))),
        Case("all pixels look far outside", (_images(9, 1, 3, 3, 2), np.full((1, 3, 3, 2), 40))),
        Case("two images, three channels, long ways", (_images(10, 2, 6, 4, 3), _field(11, 2, 6, 4, low=-5, high=5))),
    ],
    mistakes=[
        Mistake(
            "You push: you write pixel p at p + u(p). That leaves holes. Walk over the pixels of the output instead, "
            "and ask where each gets its value from.",
            _push,
        ),
        Mistake(
            "Your pixels look in the opposite direction, at p - u(p).",
            lambda images, u: _warp_whole(images, u, sign=-1),
        ),
        Mistake(
            "The two numbers of the displacement are exchanged: first comes the way down, along the rows, then the way "
            "to the right.",
            lambda images, u: _warp_whole(images, u[..., ::-1]),
        ),
        Mistake(
            "A pixel that looks beyond one border sees what lies at the opposite one. Out there it must find 0.",
            lambda images, u: _warp_whole(images, u, border="wrap"),
        ),
        Mistake(
            "To the left of the image and above it your pixels do not find 0. Python reads index -1 as the last "
            "element.",
            lambda images, u: _warp_whole(images, u, border="negative"),
        ),
        Mistake(
            "Outside of the image your pixels find the nearest pixel of the border. Here they must find 0.",
            lambda images, u: _warp_whole(images, u, border="edge"),
        ),
        Mistake(
            "Where a pixel looks outside of the image your result is nan, not 0.",
            lambda images, u: _warp_whole(images, u, border="nan"),
        ),
        Mistake(
            "You follow only the first number of the displacement, down. What about the second?",
            lambda images, u: _warp_whole(images, u * [1, 0]),
        ),
        Mistake(
            "You follow only the second number of the displacement, to the right. What about the first?",
            lambda images, u: _warp_whole(images, u * [0, 1]),
        ),
        Mistake(
            "Every image must be pulled along its own field. You use the field of the first image for all.",
            lambda images, u: _warp_whole(images, u, first_field=True),
        ),
        Mistake(
            "All your pixels read from the first image of the set.",
            lambda images, u: _warp_whole(images, u, first_image=True),
        ),
    ],
    properties=[colours_stay_together, no_displacement_changes_nothing, every_pixel_looks_for_itself, black_outside],
)

# ---- compose


def _by_fields_compose(first, second):
    both = fields.compose(*(backend.to_device(u[None].astype(np.float64)) for u in (first, second)))
    return backend.to_host(both.data)[0]


def _look_up(field, first, sign=1, swapped=False, border="edge"):
    """field at p + first(p), with a place for each mistake."""
    height, width, _ = field.shape
    rows, columns = np.indices((height, width))
    steps = first[..., ::-1] if swapped else first
    r, c = rows + sign * steps[..., 0], columns + sign * steps[..., 1]
    if border == "wrap":
        return field[r % height, c % width]
    values = field[np.clip(r, 0, height - 1), np.clip(c, 0, width - 1)]
    outside = (r < 0) | (r >= height) | (c < 0) | (c >= width)
    return np.where((outside & (border == "zeros"))[..., None], 0, values)


def no_first_step(compose):
    second = _field(33, 4, 5)
    if not np.array_equal(compose(np.zeros_like(second), second), second):
        return "If `first` is 0 everywhere, one stays at p, and only `second` is left. Your result is something else."


def no_second_step(compose):
    first = _field(34, 4, 5)
    if not np.array_equal(compose(first, np.zeros_like(first)), first):
        return "If `second` is 0 everywhere, only `first` is left. Your result is something else."


def two_shifts_add_up(compose):
    first, second = np.broadcast_to([1, -2], (4, 5, 2)).copy(), np.broadcast_to([1, 1], (4, 5, 2)).copy()
    if not np.array_equal(compose(first, second), first + second):
        return "Two shifts of the whole image, by (1, -2) and by (1, 1), must give one by (2, -1)."


RAMP = np.stack([np.zeros((4, 5), int), np.broadcast_to(10 * np.arange(5), (4, 5))], axis=-1)
COMPOSE = Exercise(
    name="compose",
    title="one field that does the work of two",
    reference=_by_fields_compose,
    cases=[
        Case("a shift to the right, then a field that varies along the columns", (-SHIFT[0], RAMP)),
        Case("a field that varies along the columns, then a shift", (RAMP // 10, -2 * SHIFT[0])),
        Case("two fields that vary", (_field(12, 6, 6, low=-1, high=1), _field(13, 6, 6))),
        Case("more columns than rows", (_field(14, 4, 9, low=-1, high=1), _field(15, 4, 9))),
        Case("more rows than columns", (_field(16, 8, 3, low=-1, high=1), _field(17, 8, 3))),
        Case("`first` leads far out of the image", (_field(18, 4, 5, low=-9, high=9), _field(19, 4, 5))),
    ],
    mistakes=[
        Mistake(
            "You add the two fields at the same pixel. But after `first` one stands somewhere else, and there `second` "
            "may be different.",
            lambda first, second: first + second,
        ),
        Mistake(
            "You go along `second` before `first`.",
            lambda first, second: second + _look_up(first, second),
        ),
        Mistake(
            "You return `second` at the place that `first` leads to. What has become of the first part of the way?",
            lambda first, second: _look_up(second, first),
        ),
        Mistake(
            "You return the places at which one arrives. A displacement says how far they are from p.",
            lambda first, second: np.stack(np.indices(first.shape[:2]), -1) + first + _look_up(second, first),
        ),
        Mistake(
            "You look `second` up in the wrong direction, at p - first(p).",
            lambda first, second: first + _look_up(second, first, sign=-1),
        ),
        Mistake(
            "When you look `second` up, rows and columns of `first` are exchanged.",
            lambda first, second: first + _look_up(second, first, swapped=True),
        ),
        Mistake(
            "Of the way along `first` you follow only one of the two numbers when you look `second` up.",
            lambda first, second: first + _look_up(second, first * [0, 1]),
        ),
        Mistake(
            "Of the way along `first` you follow only one of the two numbers when you look `second` up.",
            lambda first, second: first + _look_up(second, first * [1, 0]),
        ),
        Mistake(
            "Outside of the image you take `second` as 0. There it must be what it is at the nearest pixel of the "
            "border.",
            lambda first, second: first + _look_up(second, first, border="zeros"),
        ),
        Mistake(
            "Where `first` leads out of the image, you look `second` up at the opposite border.",
            lambda first, second: first + _look_up(second, first, border="wrap"),
        ),
    ],
    properties=[no_first_step, no_second_step, two_shifts_add_up],
)

EXERCISES = [ROTATION, WARP_WHOLE, COMPOSE]

"""The checks of the exercises of lesson 1."""

import numpy as np

from lessons.check import lesson_01_mistakes as wrong
from lessons.check import lesson_01_properties as properties
from lessons.check.checking import Case, Exercise, Mistake
from lessons.check.lesson_01_properties import random_field, random_images
from minireg import backend, fields, ops

# ---- rotation


def _rotation_by_complex_numbers(height, width, degrees):
    """The reference: z = right - i down; the pixel at z looks at z exp(-i angle)."""
    rows, columns = np.indices((height, width))
    z = columns - (width - 1) / 2 - 1j * (rows - (height - 1) / 2)
    step = z * np.exp(-1j * np.radians(degrees)) - z
    return np.stack([-step.imag, step.real], axis=-1)


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
            lambda height, width, degrees: wrong.rotation(height, width, -degrees),
        ),
        Mistake(
            "You return the places where the pixels look. A displacement says how far such a place is from the pixel.",
            lambda height, width, degrees: wrong.rotation(height, width, degrees, places=True),
        ),
        Mistake(
            "You return the places where the pixels look, counted from the middle. A displacement says how far such a "
            "place is from the pixel.",
            lambda height, width, degrees: (
                wrong.rotation(height, width, degrees, places=True) - np.array([(height - 1) / 2, (width - 1) / 2])
            ),
        ),
        Mistake(
            "The angle is in degrees. What do NumPy's sine and cosine expect?",
            lambda height, width, degrees: wrong.rotation(height, width, degrees, unit=lambda x: x),
        ),
        Mistake(
            "You convert the angle into something else than radians. Print what you get for a quarter turn: is it a "
            "quarter of the way around a circle of radius 1?",
            lambda height, width, degrees: wrong.rotation(height, width, degrees, unit=np.degrees),
        ),
        Mistake(
            "You turn about a point that is half a pixel off the middle. Of 3 pixels, 0, 1 and 2, which is in the "
            "middle?",
            lambda height, width, degrees: wrong.rotation(height, width, degrees, middle=(height / 2, width / 2)),
        ),
        Mistake(
            "You turn about a whole pixel near the middle. With an even number of rows the middle lies between two "
            "pixels.",
            lambda height, width, degrees: wrong.rotation(height, width, degrees, middle=(height // 2, width // 2)),
        ),
        Mistake(
            "You turn about a whole pixel near the middle. With an even number of rows the middle lies between two "
            "pixels.",
            lambda height, width, degrees: wrong.rotation(
                height, width, degrees, middle=((height - 1) // 2, (width - 1) // 2)
            ),
        ),
        Mistake(
            "You turn about the pixel (0, 0), the upper left corner, not about the middle.",
            lambda height, width, degrees: wrong.rotation(height, width, degrees, middle=(0, 0)),
        ),
        Mistake(
            "The middle has its row and its column exchanged. In a square image that makes no difference.",
            lambda height, width, degrees: wrong.rotation(height, width, degrees, ((width - 1) / 2, (height - 1) / 2)),
        ),
        Mistake(
            "You compute the second coordinate from the first one when that has been turned already. Both must be "
            "computed from where they were before.",
            lambda height, width, degrees: wrong.rotation(height, width, degrees, stale=True),
        ),
        *[
            Mistake(
                "Your field does not turn, it squeezes: distances from the middle change. Follow by hand where one "
                "pixel of the top row looks, and one of the left column.",
                lambda height, width, degrees, signs=signs: wrong.rotation(height, width, degrees, signs=signs),
            )
            for signs in ((1, -1), (-1, 1))
        ],
        Mistake(
            "Your content is turned the wrong way, and your first number counts upwards. Rows count downwards.",
            lambda height, width, degrees: wrong.rotation(height, width, -degrees) * [-1, 1],
        ),
        *[
            Mistake(
                "You round to whole pixels, or write into an array of int. Here the exact places are wanted.",
                lambda height, width, degrees, cut=cut: cut(wrong.rotation(height, width, degrees)),
            )
            for cut in (np.rint, np.trunc)
        ],
    ],
    properties=[properties.no_angle_changes_nothing, properties.the_middle_stays, properties.distances_stay],
)

# ---- warp_whole


def _by_ops_warp(images, displacement):
    u = backend.to_device(displacement.astype(images.dtype))
    return backend.to_host(ops.warp(backend.to_device(images), u).data)


SHIFT = np.broadcast_to([0, -1], (1, 4, 5, 2)).copy()
WARP_WHOLE = Exercise(
    name="warp_whole",
    title="pull-back for a set of images with channels",
    reference=_by_ops_warp,
    cases=[
        Case("one grey image, every pixel looks one column to the left", (random_images(1, 1, 4, 5, 1), SHIFT)),
        Case("one grey image, every pixel looks one row down", (random_images(2, 1, 4, 5, 1), SHIFT[..., ::-1] * -1)),
        Case("one grey image, a field that varies", (random_images(3, 1, 5, 4, 1), random_field(4, 1, 5, 4))),
        Case("three channels", (random_images(5, 1, 4, 5, 3), random_field(6, 1, 4, 5))),
        Case("three images", (random_images(7, 3, 4, 5, 1), random_field(8, 3, 4, 5))),
        Case("all pixels look far outside", (random_images(9, 1, 3, 3, 2), np.full((1, 3, 3, 2), 40))),
        Case(
            "two images, three channels, long ways",
            (random_images(10, 2, 6, 4, 3), random_field(11, 2, 6, 4, low=-5, high=5)),
        ),
    ],
    mistakes=[
        Mistake(
            "You push: you write pixel p at p + u(p). That leaves holes. Walk over the pixels of the output instead, "
            "and ask where each gets its value from.",
            wrong.push,
        ),
        Mistake(
            "Your pixels look in the opposite direction, at p - u(p).",
            lambda images, u: wrong.warp_whole(images, u, sign=-1),
        ),
        Mistake(
            "The two numbers of the displacement are exchanged: first comes the way down, along the rows, then the way "
            "to the right.",
            lambda images, u: wrong.warp_whole(images, u[..., ::-1]),
        ),
        Mistake(
            "A pixel that looks beyond one border sees what lies at the opposite one. Out there it must find 0.",
            lambda images, u: wrong.warp_whole(images, u, border="wrap"),
        ),
        Mistake(
            "To the left of the image and above it your pixels do not find 0. Python reads index -1 as the last "
            "element.",
            lambda images, u: wrong.warp_whole(images, u, border="negative"),
        ),
        Mistake(
            "You catch the places beyond the lower and the right border only. Python reads index -1 as the last "
            "element, and stops only where there is nothing even from the other end.",
            lambda images, u: wrong.warp_whole(images, u, border="upper"),
        ),
        Mistake(
            "Where a pixel looks outside you leave the loop, and the rest of its row stays black. What should become "
            "of the next pixel?",
            lambda images, u: wrong.warp_whole(images, u, border="break"),
        ),
        Mistake(
            "You write into the array that you read from. A pixel that looks at one which has been written before "
            "finds the new intensity, not that of the image.",
            lambda images, u: wrong.warp_whole(images, u, into_itself=True),
        ),
        Mistake(
            "Outside of the image your pixels find the nearest pixel of the border. Here they must find 0.",
            lambda images, u: wrong.warp_whole(images, u, border="edge"),
        ),
        Mistake(
            "Where a pixel looks outside of the image your result is nan, not 0.",
            lambda images, u: wrong.warp_whole(images, u, border="nan"),
        ),
        Mistake(
            "You follow only the first number of the displacement, down. What about the second?",
            lambda images, u: wrong.warp_whole(images, u * [1, 0]),
        ),
        Mistake(
            "You follow only the second number of the displacement, to the right. What about the first?",
            lambda images, u: wrong.warp_whole(images, u * [0, 1]),
        ),
        Mistake(
            "Every image must be pulled along its own field. You use the field of the first image for all.",
            lambda images, u: wrong.warp_whole(images, u, field=0),
        ),
        Mistake(
            "Every image must be pulled along its own field. You use the field of the last image for all. Does the "
            "number of the image stay the same while you go through them?",
            lambda images, u: wrong.warp_whole(images, u, field=-1),
        ),
        Mistake(
            "All your pixels read from the first image of the set.",
            lambda images, u: wrong.warp_whole(images, u, first_image=True),
        ),
    ],
    properties=[
        properties.as_if_alone,
        properties.colours_stay_together,
        properties.no_displacement_changes_nothing,
        properties.every_pixel_looks_for_itself,
        properties.black_outside,
    ],
)

# ---- compose


def _by_fields_compose(first, second):
    both = fields.compose(*(backend.to_device(u[None].astype(np.float64)) for u in (first, second)))
    return backend.to_host(both.data)[0]


RAMP = np.stack([np.zeros((4, 5), int), np.broadcast_to(10 * np.arange(5), (4, 5))], axis=-1)
COMPOSE = Exercise(
    name="compose",
    title="one field that does the work of two",
    reference=_by_fields_compose,
    cases=[
        Case("a shift to the right, then a field that varies along the columns", (-SHIFT[0], RAMP)),
        Case("a field that varies along the columns, then a shift", (RAMP // 10, -2 * SHIFT[0])),
        Case("two fields that vary", (random_field(12, 6, 6, low=-1, high=1), random_field(13, 6, 6))),
        Case("more columns than rows", (random_field(14, 4, 9, low=-1, high=1), random_field(15, 4, 9))),
        Case("more rows than columns", (random_field(16, 8, 3, low=-1, high=1), random_field(17, 8, 3))),
        Case("`first` leads far out of the image", (random_field(18, 4, 5, low=-9, high=9), random_field(19, 4, 5))),
    ],
    mistakes=[
        Mistake(
            "You add the two fields at the same pixel. But after `first` one stands somewhere else, and there `second` "
            "may be different.",
            lambda first, second: first + second,
        ),
        Mistake(
            "You go along `second` before `first`.",
            lambda first, second: second + wrong.look_up(first, second),
        ),
        Mistake(
            "You return `second` at the place that `first` leads to. What has become of the first part of the way?",
            lambda first, second: wrong.look_up(second, first),
        ),
        Mistake(
            "You return the places at which one arrives. A displacement says how far they are from p.",
            lambda first, second: np.stack(np.indices(first.shape[:2]), -1) + first + wrong.look_up(second, first),
        ),
        Mistake(
            "You look `second` up in the wrong direction, at p - first(p).",
            lambda first, second: first + wrong.look_up(second, first, sign=-1),
        ),
        Mistake(
            "When you look `second` up, rows and columns of `first` are exchanged.",
            lambda first, second: first + wrong.look_up(second, first, swapped=True),
        ),
        Mistake(
            "Of the way along `first` you follow only one of the two numbers when you look `second` up.",
            lambda first, second: first + wrong.look_up(second, first * [0, 1]),
        ),
        Mistake(
            "Of the way along `first` you follow only one of the two numbers when you look `second` up.",
            lambda first, second: first + wrong.look_up(second, first * [1, 0]),
        ),
        Mistake(
            "Outside of the image you take `second` as 0. There it must be what it is at the nearest pixel of the "
            "border.",
            lambda first, second: first + wrong.look_up(second, first, border="zeros"),
        ),
        Mistake(
            "Where `first` leads out of the image, you look `second` up at the opposite border.",
            lambda first, second: first + wrong.look_up(second, first, border="wrap"),
        ),
        Mistake(
            "You catch the places beyond the lower and the right border only. Python reads index -1 as the last "
            "element, and stops only where there is nothing even from the other end.",
            lambda first, second: first + wrong.look_up(second, first, border="upper"),
        ),
        Mistake(
            "Where `first` leads out of the image you look `second` up at p, the start. Which pixel of the border is "
            "nearest to where one has arrived?",
            lambda first, second: first + wrong.look_up(second, first, border="stays"),
        ),
        Mistake(
            "Where `first` leads out of the image you cut it off at the border. Only the place at which `second` is "
            "looked up moves to the border; the way along `first` counts in full.",
            lambda first, second: wrong.cut_off(first) + wrong.look_up(second, first),
        ),
        Mistake(
            "You cut the whole way off where it leads out of the image. In the end one may well stand outside.",
            lambda first, second: wrong.cut_off(first + wrong.look_up(second, first)),
        ),
        Mistake(
            "You look the two numbers of `second` up at two different places. `first` leads to one place, which has a "
            "row and a column.",
            lambda first, second: (
                first + np.stack([wrong.look_up(second, first * [1 - k, k])[..., k] for k in (0, 1)], axis=-1)
            ),
        ),
        Mistake(
            "You look the number for the columns up when that for the rows has been added already: by then the place "
            "has moved on.",
            wrong.compose_in_two_turns,
        ),
    ],
    properties=[
        properties.no_first_step,
        properties.no_second_step,
        properties.first_comes_first,
        properties.two_shifts_add_up,
    ],
)

EXERCISES = [ROTATION, WARP_WHOLE, COMPOSE]

"""The checks of the exercises of lesson 1."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw, each_alone
from lessons.solutions.lesson_01 import compose, rotation, warp_whole

OFF = np.indices((6, 9)) - np.array([2.5, 4.0])[:, None, None]  # how far each pixel is from the middle

ROTATION = Exercise(
    rotation,
    "the field that turns an image",
    cases={
        "the example, a quarter turn": (3, 3, 90),
        "5 x 5 pixels, 30 degrees": (5, 5, 30.0),
        "an even number of pixels, 6 x 6, 30 degrees": (6, 6, 30.0),
        "4 rows and 7 columns, -45 degrees": (4, 7, -45.0),
        "7 rows and 4 columns, 200 degrees": (7, 4, 200.0),
    },
    mistakes="""
degrees = -degrees
    With your field the content turns clockwise. A field says where each pixel looks. Which way must it look?
[looks_down - down, looks_right - right] => [looks_down, looks_right]
[looks_down - down, looks_right - right] => [looks_down - down + rows, looks_right - right + columns]
    You return the places where the pixels look. A displacement says how far such a place is from the pixel.
np.radians(degrees) => degrees
np.radians(degrees) => np.degrees(degrees)
    The angle is in degrees. What do NumPy's sine and cosine expect?
(height - 1) / 2, columns - (width - 1) / 2 => height / 2, columns - width / 2
    You turn about a point that is half a pixel off the middle. Of 3 pixels, 0, 1 and 2, which is in the middle?
(height - 1) / 2, columns - (width - 1) / 2 => (width - 1) / 2, columns - (height - 1) / 2
    Height and width are exchanged where you look for the middle. Which of them counts the rows?
(height - 1) / 2, columns - (width - 1) / 2 => height // 2, columns - width // 2
(height - 1) / 2, columns - (width - 1) / 2 => (height - 1) // 2, columns - (width - 1) // 2
    You turn about a whole pixel near the middle. With an even number of rows the middle lies between two pixels.
- sine * down => - sine * looks_down
    You compute the second coordinate from the first one when that has been turned already. Use what was before.
""",
    telling="""
f(4, 5, 0.0)
    Turned by 0 degrees every pixel looks at itself: u must be 0. Do you return the places, not the way to them?
f(5, 7, 40.0)[2, 3]
    The pixel in the middle of an image of 5 by 7 pixels is (2, 3). It turns on the spot: u must be 0 there.
np.hypot(*(OFF + np.moveaxis(f(6, 9, 25.0), -1, 0)))
    Turning keeps every distance from the middle, and your field does not. Take one pixel and follow it by hand.
""",
)

_images = lambda seed, *shape: draw(seed, *shape, low=0.1)
_field = lambda seed, *shape, most=2: np.random.default_rng(seed).integers(-most, most, (*shape, 2), endpoint=True)


def _only(pixel, step):
    """A field of 4 x 5 pixels that is 0 except at one."""
    u = np.zeros((4, 5, 2), int)
    u[pixel] = step
    return u


LEFT = np.broadcast_to([0, -1], (1, 4, 5, 2)).copy()
SHIFTS = [LEFT, -LEFT, LEFT[..., ::-1], -LEFT[..., ::-1]]
SET = _images(7, 3, 4, 5, 2), _field(8, 3, 4, 5)

WARP_WHOLE = Exercise(
    warp_whole,
    "pull-back for a set of images with channels",
    cases={
        "the example": (np.array([[[[1.0], [2.0], [3.0]]]]), np.array([[[[0, 1], [0, 1], [0, 1]]]])),
        "2 x 3 pixels, every pixel looks one column to the left": (_images(1, 1, 2, 3, 1), LEFT[:, :2, :3]),
        "a field that varies": (_images(3, 1, 5, 4, 1), _field(4, 1, 5, 4)),
        "three channels": (_images(5, 1, 4, 5, 3), _field(6, 1, 4, 5)),
        "three images": SET,
        "all pixels look far outside": (_images(9, 1, 3, 3, 2), np.full((1, 3, 3, 2), 40)),
        "long ways": (_images(10, 2, 6, 4, 3), _field(11, 2, 6, 4, most=5)),
    },
    mistakes="""
return np.where(inside[..., None], values, 0) => image = image + 0 * r; values = 0 * images; \
values[image[inside], r[inside], c[inside]] = images[inside]; return values
    You push: you write pixel p at p + u(p). That leaves holes. Where does each pixel of the output get its value from?
displacement = -displacement
    Your pixels look in the opposite direction, at p - u(p).
displacement = displacement[..., ::-1]
    The two numbers of the displacement are exchanged: first comes the way down, then the way to the right.
np.where(inside[..., None], values, 0) => images[image, r % height, c % width]
    A pixel that looks beyond one border sees what lies at the opposite one. Out there it must find 0.
inside = => r, c = np.where(r < 0, r + height, r), np.where(c < 0, c + width, c); inside =
    To the left of the image and above it your pixels do not find 0. Python reads index -1 as the last element.
np.where(inside[..., None], values, 0) => values
    Outside of the image your pixels find the nearest pixel of the border. Here they must find 0.
""",
    telling="""
f(SET[0][..., ::-1], SET[1])[..., ::-1] - f(*SET)
    The channels of a pixel have to stay together: all of them come from the same place. Is one left out?
f(SET[0], 0 * SET[1])
    Where u is 0 everywhere the images must come back unchanged, also in the first and last row and column.
f(_images(35, 1, 4, 5, 1), _only((3, 2), (-2, 1))[None])
    Every pixel has a displacement of its own. Here only that of pixel (3, 2) is not 0: (-2, 1) leads to (1, 3).
[f(_images(36, 1, 4, 5, 1), shift) for shift in SHIFTS]
    If all look one pixel aside, one border finds 0, and no other. Do you ask for all four borders? Do you write into
    what you read from, or leave a loop too early?
""",
    properties=[each_alone(*SET)],
)

_row = lambda *steps: np.array([[[0, step] for step in steps]])
COMPOSE = Exercise(
    compose,
    "one field that does the work of two",
    cases={
        "the example": (_row(1, 1, 1), _row(0, 10, 20)),
        "two fields that vary": (_field(12, 6, 6, most=1), _field(13, 6, 6)),
        "more columns than rows": (_field(14, 2, 3, most=1), _field(15, 2, 3)),
        "more rows than columns": (_field(16, 8, 3, most=1), _field(17, 8, 3)),
        "`first` leads far out of the image": (_field(18, 4, 5, most=9), _field(19, 4, 5)),
    },
    mistakes="""
return first + second
    You add the two fields at the same pixel. But after `first` one stands somewhere else: what is `second` there?
return first + second[r, c] => return second[r, c] - first
return first + second[r, c] => return first - second[r, c]
    You subtract one of the two ways. One goes along both.
first, second = second, first
    You go along `second` before `first`.
return first + second[r, c] => return second[r, c]
    You return `second` at the place that `first` leads to. What has become of the first part of the way?
second[r, c] => second[r, c] * ((r == rows + first[..., 0]) & (c == columns + first[..., 1]))[..., None]
    Outside of the image you take `second` as 0. There it must be what it is at the nearest pixel of the border.
second[r, c] => second[(rows + first[..., 0]) % height, (columns + first[..., 1]) % width]
    Where `first` leads out of the image, you look `second` up at the opposite border.
first + second[r, c] => first + np.where(((r - rows == first[..., 0]) & (c - columns == first[..., 1]))[..., None], \
second[r, c], second)
    Where `first` leads out of the image, you look `second` up at p, where one has started.
return first + => return np.stack([r - rows, c - columns], axis=-1) +
    Where `first` leads out of the image you cut it off at the border. The way along `first` counts in full.
""",
    telling="""
f(0 * _field(33, 4, 5), _field(33, 4, 5))
    If `first` is 0 the result must be `second` as it is, also in its last row and column. Do you read it at p itself?
f(_row(1, 0, 2, 0, 0), _row(0, 1, 0, 2, 0))
    In a row let `first` lead 1 to the right from pixel 0, and `second` from pixel 1 only. Both together lead 2 to the
    right. Do you go along `second` first, or look it up elsewhere than where `first` leads to?
f(_only((0, 0), (1, 2)), _only((1, 2), (3, 4)))
    Both numbers of `second` are looked up at one place, the one that has been reached. Here (0, 0) leads to (1, 2).
""",
)

EXERCISES = [WARP_WHOLE, ROTATION, COMPOSE]

"""The checks of the exercises of lesson 7."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw, each_alone
from lessons.solutions.lesson_07 import one_sided_slopes, vjp_displacement, vjp_image


def _arrays(seed, n, h, w, channels, outside=0):
    """A cotangent, images, and displacements that lead to random places up to `outside` pixels beyond the border."""
    rng = np.random.default_rng(seed)
    g, image = draw(seed, 2, n, h, w, channels, low=-2, high=2)
    corner = rng.integers(-outside, [h - 1 + outside, w - 1 + outside], (n, h, w, 2))
    return g, image, corner + np.round(rng.uniform(0.1, 0.9, corner.shape), 1) - np.moveaxis(np.mgrid[:h, :w], 0, -1)


def _one_looks(row, column, cotangent=8.0):
    """A cotangent and a field of 5 x 5 pixels that are 0 except at the middle one, which looks at this place."""
    g, u = np.zeros((1, 5, 5, 1)), np.zeros((1, 5, 5, 2))
    g[0, 2, 2], u[0, 2, 2] = cotangent, (row - 2, column - 2)
    return g, u


CASES = {
    "2 x 2 pixels, all points inside": _arrays(1, 1, 2, 2, 1),
    "3 x 6 pixels, all points inside": _arrays(2, 1, 3, 6, 1),
    "2 x 2 pixels, some points beyond the border": _arrays(8, 1, 2, 2, 1, outside=1),
    "three channels": _arrays(3, 1, 4, 5, 3),
    "a batch of three images": _arrays(4, 3, 4, 5, 2),
    "points beyond the border": _arrays(5, 2, 4, 5, 2, outside=3),
    "displacements by whole pixels": tuple(np.round(x) for x in _arrays(6, 1, 5, 4, 2, outside=1)),
}
BATCH, CHANNELS = CASES["a batch of three images"], CASES["three channels"]
# A quarter of a pixel beyond the upper, the left, the lower and the right border of 5 x 5 pixels, and far outside.
BEYOND = [_one_looks(*place) for place in ((-0.25, 2), (2, -0.25), (4.25, 2), (2, 4.25), (-3.3, 2), (2, 7.3))]

EXAMPLE = np.zeros((1, 2, 2, 1)), np.array([[3.0, 5.0], [7.0, 9.0]]).reshape(1, 2, 2, 1), np.zeros((1, 2, 2, 2))
EXAMPLE[0][0, 0, 0, 0], EXAMPLE[2][0, 0, 0] = 10, 0.5
RAMP = np.add.outer(4.0 * np.arange(3), 2.0 * np.arange(6))[None, :, :, None]
FOUR_BLACK = draw(71, 1, 5, 5, 1)  # those around (1.3, 2.6)
FOUR_BLACK[:, 1:3, 2:4] = 0

VJP_DISPLACEMENT = Exercise(
    vjp_displacement,
    "the VJP of warping in the displacement",
    cases={"the example": EXAMPLE, **CASES},
    mistakes="""
s, t, V = => t, s, V =
(1 - s) * (V(0, 1) - V(0, 0)) + s => (1 - t) * (V(0, 1) - V(0, 0)) + t
    A derivative has the fraction of its own axis as weight. A cell has two steps down, one on its left side and one
    on its right: which of the two fractions says how far the point is from these sides?
s, t, V = _cells(image, u) => s, t, V = _cells(image, u); s, t = 1 - s, 1 - t
s, t, V = _cells(image, u) => s, t, V = _cells(image, u); s = t = 0.5
    Of the two steps of a cell the nearer one must count more. Yours count the same, or the other one counts more.
np.sum => np.mean
    You take the mean over the channels. One displacement moves all of them: what each contributes adds up.
np.floor => np.trunc
    Left of pixel 0 and above it, your cell is the wrong one. What does `int` make of -0.3, and `floor`?
np.floor(r).astype(int), np.floor(c).astype(int) => np.ceil(r).astype(int) - 1, np.ceil(c).astype(int) - 1
along_rows, axis=-1), np.sum(g * along_columns => along_rows * (s != 0), axis=-1), np.sum(g * along_columns * (t != 0)
    Where a point lies exactly on a pixel, your cell is wrong: it is the one before, or has no width (`ceil` of a whole
    number is that number). Asked for is the derivative in the direction of growing coordinates.
np.clip(i + k, 0, h - 1), np.clip(j + l, 0, w - 1)] * inside[..., None] => (i + k) % h, (j + l) % w]
np.clip(i + k, 0, h - 1), np.clip(j + l, 0, w - 1)] * inside => (i + k) % h, (j + l) % w] * ((i + k < h) & (j + l < w))
    Beyond one border you read at the opposite one: to NumPy the index -1 is no error, it means the end.
u = -u
g = _cells(g, u)[2](0, 0)
    The output pixel p has the cotangent g(p), and looks at the image at p + u(p). You read one of the two elsewhere.
g = g * np.minimum.accumulate(sum(_cells(image**0, u)[2](k, l) for k in (0, 1) for l in (0, 1)) > 0, axis=2)
    Behind a point outside, the rest of the row is 0. Does a `break` end the loop where one pixel is to be left out?
""",
    telling="""
[f(g, FOUR_BLACK, u) for g, u in [_one_looks(1.3, 2.6)]]
    A pixel that looks at (1.3, 2.6) reads rows 1 and 2, columns 2 and 3. Your derivative there changes with other
    pixels of the image too. Where are the differences taken, and between which pixels?
f(np.ones((1, 3, 6, 1)), RAMP, CASES[list(CASES)[1]][2])
    On a ramp that is 4 brighter with each row and 2 with each column, a cotangent of ones must give (4, 2) everywhere.
    Which two pixels does each step join, and do the weights of the two steps along an axis add up to 1?
f(CHANNELS[0] * [0, 1, 0], *CHANNELS[1:]) - f(CHANNELS[0] * [0, 1, 0], CHANNELS[1] * [0, 1, 0], CHANNELS[2])
    Where the cotangent is 0 in all channels but one, the other channels of the image must not matter: each channel has
    a cotangent of its own, and so has each pixel. In which order do you multiply and add up?
[f(g, np.ones((1, 5, 5, 1)), u) for g, u in BEYOND]
    The points that lie just beyond the border of a white image of 5 x 5 pixels have a slope: two of their four pixels
    are still inside, and the curve falls to zero there. Further out there is none. Yours is another.
""",
    properties=[each_alone(*BATCH)],
)

MEETING = 1.5 - np.moveaxis(np.mgrid[:3, :3], 0, -1)[None]
THREE_LOOK = np.array([0, 8.0, 0]).reshape(1, 1, 3, 1), np.array([0, 0, 0, 0.25, 0, 0]).reshape(1, 1, 3, 2)
VJP_IMAGE = Exercise(
    vjp_image,
    "the VJP of warping in the image",
    cases={"the example": THREE_LOOK, **{words: (g, u) for words, (g, _, u) in CASES.items()}},
    mistakes="""
np.add.at(g_image, hit, share[inside]) => g_image[hit] += share[inside]
np.add.at(g_image, hit, share[inside]) => g_image[hit] = share[inside]
    Where a pixel is hit twice, one share is lost. It is overwritten, or `x[index] += share` counts an index only once.
s, t, V = _cells(g, -u); return sum((s if k else 1 - s) * (t if l else 1 - t) * V(k, l) for k in (0, 1) for l in (0, 1))
np.add.at(g_image, hit, share[inside]) => g_image[inside] += (row_weight * column_weight)[inside, None] * g[hit]
    You warp g: your pixel p reads g at p + u(p) or p - u(p). It is the other way round: p + u(p) receives g(p).
g = g * (np.arange(g.shape[1]) == 0)[:, None, None]
    Only the first row of g is handed on. Does a `return` stand inside a loop?
s, t = r - i, c - j => s, t = 0 * r, 0 * c
    You hand all of g(p) to one pixel, the one that lies before the point. p has read four.
s, t = => t, s =
s, t = r - i, c - j => s, t = 1 - r + i, 1 - c + j
    The weights are exchanged: those along rows with those along columns, or those of the near and of the far side.
np.floor => np.trunc
    Left of pixel 0 and above it, your cell is the wrong one. What does `int` make of -0.3, and `floor`?
inside = (row >= 0) & => inside = row > -99; row, column = np.clip(row, 0, h - 1), np.clip(column, 0, w - 1); inside &=
    Shares for places beyond the border end up at the border. What was read there were zeros, no pixels.
inside = (row >= 0) & (row < h) & (column >= 0) & (column < w) => inside = (row < h) & (column < w)
inside = (row >= 0) & => row, column = row % h, column % w; inside =
    Shares that leave the image come in again on the opposite side: the index -1 is no error but the end.
""",
    telling="""
f(*_one_looks(2.25, 2.5))
    Let one pixel with the cotangent 8 look a quarter of a pixel down and half a pixel to the right, and all others have
    the cotangent 0. Which four pixels does it read, with which weights? Yours get other shares.
f(CHANNELS[0], 0 * CHANNELS[2])
    With u = 0 the result is g. Does yours end too early, mix channels or axes, or leave out a row or a column?
f(np.ones((1, 3, 3, 1)), MEETING)
    All output pixels look at the middle of one cell. Each of its four pixels must get a share of every one, and some
    shares are lost. Is one overwritten? (With `x[index] += share`, too, a repeated index counts only once.)
""",
    properties=[each_alone(BATCH[0], BATCH[2])],
)

LINE = np.array([0.5, 2.0, 1.0, 1.0, 4.0])
ONE_SIDED_SLOPES = Exercise(
    one_sided_slopes,
    "the two slopes at a kink",
    cases={
        "the example, on a peak": (np.array([1.0, 4.0, 2.0]), 1.0),
        "between two pixels": (LINE, 0.25),
        "just before a pixel": (LINE, 1 - 1e-9),
        "just behind a pixel": (LINE, 3 + 1e-9),
        "on the last pixel": (LINE, 4.0),
        "on the first pixel": (LINE, 0.0),
        "half a pixel left of the row": (LINE, -0.5),
        "half a pixel right of the row": (LINE, 4.5),
        "one pixel left of the row": (LINE, -1.0),
        "far outside on the left": (LINE, -3.2),
    },
    mistakes="""
int(np.ceil(c)) - 1 => int(np.floor(c)) - 1
    Your slope before c is that of the cell on the left. Between two pixels both sides lie in one cell.
int(np.ceil(c)) - 1 => int(np.floor(c))
int(np.floor(c)) => int(np.ceil(c)) - 1
    Both your slopes are of one cell. On a pixel, the way from the left comes through another one.
before, after = int(np.ceil(c)) - 1, int(np.floor(c)) => before, after = int(c) - (c == int(c)), int(c)
    Left of the row your cell is the wrong one. What does `int` make of -0.5, and what does `floor`?
line[j] if 0 <= j < len(line) else 0.0 => line[min(max(j, 0), len(line) - 1)]
    Beyond its ends your row goes on with its last pixel. Here it drops to zero, within one pixel.
0 <= j < len(line) => -len(line) <= j < len(line)
0 <= j < len(line) => -1 <= j < len(line)
    Left of the row you read at its end: to Python the index -1 is no error. Here zeros lie beyond both ends.
0 <= j < len(line) => 0 <= j < len(line) - 1
    You never read the last pixel of the row. Which index has it?
before, after = => after, before =
    Your two slopes are exchanged. Which cell lies on the way to c from the left?
""",
    telling="""
f(LINE, 1.0)
    Pixel 1 of (0.5, 2, 1, 1, 4) is a peak: the curve climbs before it and falls after it.
[f(LINE, c) for c in (1.1, 1.5, 1.9, 2 - 1e-9)]
    Between two pixels there is no kink: both slopes must be equal. Does a step, or rounding, lead to the next cell?
[f(LINE, c) for c in (-0.5, 4.5, -3.5, 9.5)]
    Half a pixel beyond the ends of the row the curve is not flat: it falls to 0 within one pixel, and then stays 0.
""",
    results=("before", "after"),
)

EXERCISES = [ONE_SIDED_SLOPES, VJP_DISPLACEMENT, VJP_IMAGE]

"""The checks of the exercises of lesson 12."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_12 import dice_of_pairs, never_read, pixels_of_2020

A, B = draw(1, 3, 5, 6, 1), draw(2, 3, 5, 6, 1)
ROW = np.array([0.0, 1, 1, 1, 0]).reshape(1, 1, 5, 1), np.array([0.0, 0, 1, 1, 1]).reshape(1, 1, 5, 1)
HALVES = np.array([0.5, 0.5, 0.9, 0.2]).reshape(1, 2, 2, 1)

DICE_OF_PAIRS = Exercise(
    dice_of_pairs,
    "the overlap of bright regions",
    cases={
        "the example": (*ROW, 0.5),
        "a pixel equal to the threshold": (HALVES, HALVES[:, ::-1], 0.5),
        "another threshold": (A[:1], B[:1], 0.2),
        "three pairs": (A, B, 0.5),
        "two channels": (draw(3, 2, 3, 4, 2), draw(4, 2, 3, 4, 2), 0.6),
        "one pair without a bright pixel": (A * [[[[0]]], [[[1]]], [[[1]]]], B * [[[[0]]], [[[1]]], [[[1]]]], 0.4),
        "bright pixels in one image only": (0 * A, B, 0.4),
    },
    mistakes="""
> threshold => >= threshold
    A pixel equal to the threshold is not above it.
> threshold => > 0.5
    You always compare with .5. There is an argument for it.
np.where(total == 0, 1.0, 2 * both / np.maximum(total, 1)) => 2 * both / np.maximum(total, 1)
    Where neither image has a bright pixel, you say 0. They agree: say 1.
2 * both / np.maximum(total, 1)) => both / np.maximum(total - both, 1))
    You divide by the number of pixels that are bright in either image. That is another overlap, Jaccard's.
2 * both => both
    You divide by the sum of both counts, and not by their average.
in_a & in_b => in_a | in_b
    You count the pixels that are bright in one image *or* the other.
both = np.sum(in_a & in_b, axis=(1, 2, 3)) => both = np.sum(in_a & in_b)
    You count the common pixels of the whole batch at once. Each pair has an overlap of its own.
""",
    telling="""
f(A, A, 0.5)
    An image and itself overlap completely: 1.
f(0 * A, B, 0.4)
    Where only one image has bright pixels, nothing overlaps: 0.
f(0 * ROW[0] + 1, ROW[0], 0.5)
    Let 5 pixels be bright in one image, and 3 of them in the other. They have 3 in common, and the average of the two
    counts is 4. So Dice is .75.
f(A, B, 0.5) - [*f(A[:1], B[:1], 0.5), *f(A[1:], B[1:], 0.5)]
    Alone, a pair must have the same overlap as in a batch. Yours has not.
f(A.reshape(3, 5, 3, 2), B.reshape(3, 5, 3, 2), 0.5)
    Each number counts as a pixel, also of several channels, and all of an image are counted together.
""",
)

OFFSET = draw(5, 2, 4, 7, 2, low=-0.4, high=0.4)
FAR = draw(6, 1, 6, 3, 2, low=-3, high=3)
QUARTER = np.zeros((1, 2, 5, 2))
QUARTER[..., 0] = 0.5

PIXELS_OF_2020 = Exercise(
    pixels_of_2020,
    "displacements from the numbers of 2020",
    cases={
        "the example": (QUARTER,),
        "nothing": (0 * OFFSET,),
        "short ones, two images, more columns than rows": (OFFSET,),
        "long ones, more rows than columns": (FAR,),
        "down only": (QUARTER[..., ::-1].copy(),),
    },
    mistakes="""
height - 1) / 2, right * (width - 1) / 2 => height / 2), right * (width / 2)
np.linspace(-1, 1, height) => ((2 * np.arange(height) + 1) / height - 1)
np.linspace(-1, 1, width) => ((2 * np.arange(width) + 1) / width - 1)
    The image goes from the *centre* of its first pixel to that of its last one. How many steps lie between them?
height - 1) / 2, right * (width - 1) / 2 => height - 1), right * (width - 1)
    From -1 to 1 it is two units, not one.
height - 1) / 2, right * (width - 1) / 2 => width - 1) / 2, right * (height - 1) / 2
    Height and width are exchanged. Along which of them does one move down?
offset[..., 1], -1, 1) - own_row => offset[..., 0], -1, 1) - own_row
    You take x, the first number, for the way down. It leads to the right.
offset = offset[..., ::-1]
    The two numbers are exchanged: the first one, x, leads to the right.
np.clip(own_row + offset[..., 1], -1, 1) - own_row => np.clip(offset[..., 1], -1, 1)
np.clip(own_column + offset[..., 0], -1, 1) - own_column => np.clip(offset[..., 0], -1, 1)
    You bring the offset back into the image, and not the place to which it leads.
np.clip(own_row + offset[..., 1], -1, 1) - own_row => offset[..., 1]
np.clip(own_column + offset[..., 0], -1, 1) - own_column => offset[..., 0]
    Places outside of the image are not brought back to its border.
-1, 1) - own_row => -1, 1) + 1
-1, 1) - own_column => -1, 1) + 1
-1, 1) - own_column => -1, 1)
    What you return is a place. The displacement leads from the pixel to that place.
""",
    telling="""
f(0 * OFFSET)
    An offset of 0 moves nothing, so the displacement is 0.
f(0.1 * OFFSET)[:, 1:-1, 1:-1]
    Even a short way inside of the image is wrong. How many pixels is one unit long, down and to the right?
f(QUARTER)
    The places of the pixels are not right: x goes from -1 in the first column to 1 in the last one, and y from row to
    row. What comes to lie outside is brought back.
f(np.full((1, 3, 5, 2), 9.0))[0, 0, 0] - [2, 4]
    The first of 3 x 5 pixels is sent far down to the right. It must end at the last pixel: 2 down, 4 to the right.
""",
)

U = draw(7, 2, 5, 6, 2, low=-2.5, high=2.5) * np.array([1, 3]).reshape(2, 1, 1, 1)
FOUR = np.zeros((1, 1, 4, 2))
FOUR[0, 0, :, 1] = 0.0, -0.5, -1.0, -2.0
ALONG_ROWS = np.zeros((1, 5, 3, 2))
ALONG_ROWS[..., 0] = -1.5
ONE_PLACE = [1.5, 2.25] - np.moveaxis(np.mgrid[:4, :5], 0, -1)[None]

NEVER_READ = Exercise(
    never_read,
    "the pixels that nobody looks at",
    cases={
        "the example": (FOUR,),
        "no displacement": (np.zeros((1, 3, 4, 2)),),
        "all look one and a half up": (ALONG_ROWS,),
        "random ones, two images": (U,),
        "many outside": (3 * U,),
        "all look at one place": (ONE_PLACE,),
        "whole pixels": (np.round(U),),
    },
    mistakes="""
np.ceil(r) => np.floor(r) + 1
np.ceil(c) => np.floor(c) + 1
    Exactly on a pixel, the weight of the next one is 0. You count it as read.
np.floor(r), np.ceil(r) => np.round(r), np.round(r)
np.floor(c), np.ceil(c) => np.round(c), np.round(c)
np.floor(r), np.ceil(r) => np.floor(r), np.floor(r)
np.floor(c), np.ceil(c) => np.floor(c), np.floor(c)
    You mark one pixel only, down or to the right. Between the pixels, all those around the place are read.
np.floor(r), np.ceil(r) => np.trunc(r), np.trunc(r) + (r % 1 > 0)
np.floor(c), np.ceil(c) => np.trunc(c), np.trunc(c) + (c % 1 > 0)
    Left of pixel 0 or above it, you find the wrong pixels. What does `int` make of -0.3, and `floor`?
1 - read.mean(axis=(1, 2)) => read.mean(axis=(1, 2))
1 - read.mean(axis=(1, 2)) => np.sum(~read, axis=(1, 2))
    Asked is the share of the image that is *not* read. You return the share that is, or a number of pixels.
(i >= 0) & (i < height) & (j >= 0) & (j < width) => (i < height) & (j < width)
    To Python the index -1 is the last pixel. Outside of the image there is none.
columns + u[..., 1] => np.clip(columns + u[..., 1], 0, width - 1)
rows + u[..., 0] => np.clip(rows + u[..., 0], 0, height - 1)
    You bring places outside of the image back to its border, and mark a pixel there. Outside, nothing is read.
rows + u[..., 0], columns + u[..., 1] => rows + u[..., 1], columns + u[..., 0]
    The two components are exchanged. The first is along rows, down.
rows + u[..., 0], columns + u[..., 1] => rows - u[..., 0], columns - u[..., 1]
    You look at p - u(p).
""",
    telling="""
f(np.zeros((1, 3, 4, 2)))
    Without a displacement every pixel reads itself, and nothing is left over: 0.
f(np.full((2, 3, 4, 2), 99.0)) - 1
    All look far outside, so no pixel is ever read: 1.
f(np.full((1, 1, 4, 2), 0.5))
    All look half a pixel down and half a pixel to the right, in a single row. Of the four pixels around such a place,
    those inside of the image are read, so none is left over.
f(ONE_PLACE)
    All look at one place between four pixels. So four are read, and all the others are not.
f(U) - [*f(U[:1]), *f(U[1:])]
    Alone, an image must have the same share as in a batch. Yours has not.
""",
)

EXERCISES = [DICE_OF_PAIRS, PIXELS_OF_2020, NEVER_READ]

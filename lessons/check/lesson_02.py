"""The checks of the exercises of lesson 2."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.edits import Mistake, edited
from lessons.check.properties import draw, each_alone
from lessons.solutions.lesson_02 import sample, sample_2020, sample_line

LINE, ONES = draw(2, 6, low=0.1), np.ones(4)

SAMPLE_LINE = Exercise(
    sample_line,
    "many places on a line, black beyond its ends",
    cases={
        "the example": (np.array([10.0, 20.0]), np.array([0.25, -0.5, 7.0])),
        "between the pixels": (LINE, np.array([2.5, 1.25, 1.75, 0.9, 4.1])),
        "exactly on the pixels": (LINE, np.arange(6.0)),
        "on the ramp at the right end": (LINE, np.array([5.25, 5.5, 5.9])),
        "on the ramp at the left end": (LINE, np.array([-0.25, -0.5, -0.9])),
        "far outside": (LINE, np.array([-1.0, -1.5, -3.25, -8.0, 6.0, 6.5, 100.25])),
        "one single pixel": (LINE[:1], np.array([-0.75, 0.0, 0.25, 1.0])),
    },
    mistakes="""
t = c - j => t = 1 - c + j
    The nearer pixel must count more: your two weights are exchanged.
return => c = 1.0 * (np.arange(len(c)) == 0); return c *
    Only the first place gets a result. Does a `return` stand inside the loop?
np.floor(c) => np.rint(c)
    You count from the nearest pixel. That is not always the one before c: then one weight is negative.
c = np.floor(c)
c = np.rint(c)
    You take one pixel, the nearest or the one before c. Between two pixels the result lies between theirs.
(k >= 0) & (k < len(line)), line[np.clip(k, 0, len(line) - 1)] => abs(k + 0.5) < len(line), line[k % len(line)]
(k >= 0) & (k < len(line)), line[np.clip(k, 0, len(line) - 1)] => k < len(line), line[k % len(line)]
    Python reads line[-1] as the last pixel: left of the line you see its other end.
np.where((k >= 0) & (k < len(line)), line[np.clip(k, 0, len(line) - 1)], 0) => line[np.clip(k, 0, len(line) - 1)]
    Beyond its ends your line goes on with its last pixel. Here it must go on in black.
j, k = np.clip(np.floor([c, c + 1]).astype(int), 0, len(line) - 1); return (k - c) * line[j] + (c - j) * line[k]
    The last pixel comes out black, and the ramps are missing. Do you form the weights from clipped indices?
c = c - 0.5
c = c - 1
c = c + 1
    Your result is that of a place half a pixel or a whole one away: pixel j lies at c = j. If you have put black pixels
    around the line: which index has its first pixel now?
""",
    telling="""
f(LINE, np.arange(6.0))
    Exactly on a pixel the result is the intensity of that pixel. What are `floor` and `ceil` of a whole number?
f(LINE, np.array([2.25, 0.5, 3.75])) - [f(LINE, np.array([c]))[0] for c in (2.25, 0.5, 3.75)]
    The places may come in any number and order, and each has its own result. What do you compute only once, for all?
f(3 + 2 * np.arange(6.0), np.array([2.25, 0.5]))
    Along the line 3, 5, 7, 9, ... the result must be 7.5 at c = 2.25. Which two pixels lie around this place, which one
    is nearer, and what must the two weights add up to?
f(ONES, np.array([-0.25, -0.5, -1, -7]))
    Beyond the left end your result is wrong. Which two pixels lie around c = -0.25, with which intensities, and how far
    away is each? If you use int: what is int(-0.25)?
f(ONES, np.array([3.25, 3.5, 4, 7]))
    Beyond the right end your result is wrong. Of 4 pixels, which two lie around c = 3.25, with which intensities?
""",
)

_places = lambda seed, n, h, w, low, high: tuple(draw(seed + k, n, h, w, low=low[k], high=high[k]) for k in (0, 1))
_images = lambda seed, *shape: draw(seed, *shape, low=0.1)
BATCH = _images(8, 2, 4, 5, 1), *_places(9, 2, 4, 5, (0, 0), (2.99, 3.99))
COLOURS, ANYWHERE = _images(22, 2, 4, 5, 3), _places(29, 2, 4, 4, (0, 0), (3, 3))
PIXELS = tuple(np.broadcast_to(k, (2, 4, 5)).astype(float) for k in np.indices((4, 5)))
RAMP_DOWN, RAMP_RIGHT = (k[None, :, :, None].astype(float) for k in np.indices((4, 5)))
INSIDE = tuple(k[:1] for k in ANYWHERE)

SAMPLE = Exercise(
    sample,
    'bilinear sampling of a set of images, border "edge"',
    cases={
        "the example": (np.array([[[[0.0]], [[8.0]]]]), np.array([[[0.25]]]), np.array([[[0.0]]])),
        "2 x 2 pixels, between them": (_images(1, 1, 2, 2, 1), *_places(2, 1, 1, 3, (0, 0), (1, 1))),
        "more columns than rows": (_images(3, 1, 4, 7, 1), *_places(4, 1, 4, 7, (0, 0), (2.99, 5.99))),
        "exactly on the pixels": (COLOURS, *PIXELS),
        "two images": BATCH,
        "some places outside": (_images(10, 1, 4, 5, 1), *_places(11, 1, 4, 5, (-1, -1), (4, 5))),
        "far outside": (_images(12, 1, 5, 4, 1), *_places(13, 1, 5, 4, (-9, -9), (13, 12))),
        "three images, two channels": (_images(14, 3, 4, 6, 2), *_places(15, 3, 9, 8, (-2, -2), (5, 7))),
    },
    mistakes="""
r, c = c, r
    Rows and columns are exchanged: r counts down the rows, c along the columns.
s, t = => t, s =
s, t = => r, c = np.clip(r, 0, height - 1), np.clip(c, 0, width - 1); i, j = r.astype(int), c.astype(int); t, s =
    The two fractions are exchanged: s, the way down, decides between the upper and the lower pixels.
r, c = np.rint(r), np.rint(c)
r, c = np.floor(r), np.floor(c)
    You take one pixel, the nearest or the upper left of the four. Between four pixels the result is a mixture of all.
np.clip(i, 0, height - 1), np.clip(j, 0, width - 1) => i % height, j % width
np.clip(i, 0, height - 1), np.clip(j, 0, width - 1) => np.minimum(i, height - 1), np.minimum(j, width - 1)
    Beyond a border you see what lies at the opposite one: to Python the index -1 is no error. The border is "edge".
np.clip(j, 0, width - 1)] => np.clip(j, 0, width - 1)] * ((i >= 0) & (i < height) & (j >= 0) & (j < width))[..., None]
    Outside of the image you find black. Here the border is "edge".
np.floor => np.rint
    You count from the nearest pixel. It is not always the one before the place: then some weights are negative.
np.floor(r).astype(int), np.floor(c).astype(int) => *(np.clip(np.floor(x).astype(int), 0, n - 2) for x, n in \
((r, height), (c, width))),
    Beyond a border your image goes on rising or falling. An index is clipped, but the weights grow further.
np.floor => np.trunc
    Above and left of the image you round towards 0, not down: then some weights are negative.
""",
    telling="""
f(COLOURS, *ANYWHERE)[..., 1:2] - f(COLOURS[..., 1:2], *ANYWHERE)
    A channel of three comes out otherwise than if it is given alone. The channels have to stay apart.
f(np.ones((1, 4, 5, 1)), *INSIDE)
    An image of ones is not 1 between its pixels. What must the four weights add up to?
f(COLOURS[:1], *(k[:1] for k in PIXELS))
    On its pixels an image must come back unchanged. If the last row and column are wrong: when do you clip the index?
[f(RAMP_DOWN, *INSIDE), f(RAMP_RIGHT, *INSIDE)]
    Where an image grows by 1 per pixel, the result is the place itself. Compute your weights for 2 x 2 pixels.
""",
    properties=[each_alone(*BATCH)],
)

_anywhere = lambda seed, *shape: tuple(draw(seed, 2, *shape, low=-1))
Y, X = np.meshgrid(np.linspace(-1, 1, 4), np.linspace(-1, 1, 5), indexing="ij")
TOO_FAR = "- 1) / 2 => ) / 2"
CLIPPED_FIRST = "above = => up, down, left, right = i1 - r, r - i0, j1 - c, c - j0; above ="

SAMPLE_2020 = Exercise(
    sample_2020,
    "find and mend the mistakes of a sampler",
    cases={
        "the example": (np.array([[5.0, 6.0, 9.0]]), np.array([-1.0, 0.0, 1.0]), np.array([-1.0, -1.0, -1.0])),
        "the middle of 3 x 3 pixels": (_images(32, 3, 3), np.array([0.0]), np.array([0.0])),
        "all pixels of an image": (_images(34, 4, 5), X, Y),
        "on the last row and column": (_images(37, 3, 4), np.array([1.0, 0.3, -0.6]), np.array([0.2, 1.0, 1.0])),
        "places anywhere": (_images(35, 6, 4), *_anywhere(36, 7, 3)),
    },
    mistakes=f"""
{CLIPPED_FIRST}
    One of two is mended: the middle is where it should be. But where x = 1 or y = 1 the result is still black, whatever
    the image. What do the weights add up to there?
{TOO_FAR}
    One of two is mended: an image of ones keeps its last row and column. But the middle of an image, x = y = 0, is
    still looked for half a pixel too far down and right. How many steps is it from the first pixel to the last?
(height - 1) / 2 => height / 2
(width - 1) / 2 => width / 2
    Nearly: along one axis your places are right. But along the other the middle is still half a pixel too far.
x, y = y, x
    Both mistakes are mended, but now x and y are exchanged: x runs along the columns, to the right.
- 1) / 2 => ) / 2 - 0.5
    The middle is right now, but the corners are not: x = -1 is the centre of the first pixel, not its edge.
""",
    algorithms=[
        Mistake(
            "Not mended yet: an image of random numbers, looked at on its own pixels, does not come back unchanged. "
            "Look at it yourself: which pixels come back, and what is at the others?",
            edited(sample_2020, TOO_FAR, CLIPPED_FIRST),
        )
    ],
    telling="""
f(np.ones((4, 5)), X, Y)
    Not mended yet: an image of ones does not come back as ones. What do the four weights add up to, and where?
f(_images(41, 4, 5), X, Y)
    An image of ones stays as it is, but another one does not. Where do you look for the pixels that are wrong? Which
    size, less how much, belongs to x, and which to y?
f(np.indices((6, 7)).sum(0) % 2.0, *_anywhere(42, 20, 20))
    Every pixel comes back unchanged now. But between them, on a chess board, one of the four weights must be wrong.
""",
)

EXERCISES = [SAMPLE_LINE, SAMPLE, SAMPLE_2020]

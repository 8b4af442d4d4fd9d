"""The checks of the exercises of lesson 20."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_20 import depths, from_home, window_of_body

EIGHT = np.array([[-2000, 0, 100, -2000], [200, 300, 400, -2000]])
FRAMED = np.round(1000 * draw(1, 6, 7))
FRAMED[0], FRAMED[:, -1] = -1.0, -1.0
WHITE = np.where(FRAMED < 0, 4095.0, FRAMED)

WINDOW_OF_BODY = Exercise(
    window_of_body,
    "a window without the corners",
    cases={
        "the example": (EIGHT, -2000, 25, 75),
        "no corners at all": (FRAMED[1:, :-1], -1, 10, 90),
        "a frame of -1": (FRAMED, -1, 5, 90),
        "a frame that is white": (WHITE, 4095, 10, 80),
        "corners of 0, among negative numbers": (FRAMED - 500 + 501 * (FRAMED < 0), 0, 2, 98),
    },
    mistakes="""
image[body], [low => image, [low
    The corners vote: your percentiles are those of all pixels.
np.percentile(image[body], [low, high]) => np.min(image[body]), np.max(image[body])
    Your 0 and 1 are the darkest and the brightest pixel of the body. One broken pixel would decide.
np.clip((image - bottom) / (top - bottom), 0, 1) => (image - bottom) / (top - bottom)
    Your window goes below 0 or above 1. What lies beyond the percentiles is cut off.
return np.where(body, window, 0) => return window
    Corners must be 0. A value that is large, such as 4095, becomes 1 in yours.
[low, high] => [high, low]
    Your window is turned over: bright has become dark. Which percentile becomes 0?
[low, high] => [low, 100 - low]
    Your upper percentile is not `high`.
/ (top - bottom), 0 => / top, 0
    By what do you divide? From the lower to the upper percentile it must go from 0 to 1.
image != outside => image > outside
    You take for the body what is brighter than a corner. Corners can be white, or 0 among negative numbers.
""",
    telling="""
f(FRAMED, -1, 5, 90)[0]
    Corners must be 0.
f(EIGHT, -2000, 0, 100)
    With the percentiles 0 and 100, the example goes from 0 to 400: its second row is .5, .75, 1.
f(WHITE, 4095, 5, 90) - f(FRAMED, -1, 5, 90)
    The value of the corners must make no difference to the body.
f(3 * FRAMED + 100, 97, 5, 90)
    Another unit, three times the numbers and 100 more, must make no difference.
""",
)

MONOTONE = np.cumsum(draw(2, 6, low=0.1))
FALLING = np.cumsum(draw(3, 6, low=0.1))[::-1] / 100

DEPTHS = Exercise(
    depths,
    "how deep an L-curve sags",
    cases={
        "the example": (np.array([8.0, 2.0, 0.0]), np.array([0.1, 0.2, 0.9])),
        "a straight line": (np.array([1.0, 2.0, 4.0]), np.array([7.0, 6.0, 4.0])),
        "six prices": (MONOTONE, FALLING),
        "the same, from the other end": (MONOTONE[::-1], FALLING[::-1]),
        "a curve that bulges": (np.array([0.0, 3.0, 4.0]), np.array([1.0, 0.9, 0.5])),
    },
    mistakes="""
_scaled(roughness), _scaled(left) => roughness, left
    You have not scaled them. Roughness and mismatch have different units.
_scaled(roughness), _scaled(left) => roughness, _scaled(left)
_scaled(roughness), _scaled(left) => _scaled(roughness), left
    Only one of the two is scaled in your curve.
(values - np.min(values)) / (np.max(values) - np.min(values)) => values / np.max(values)
    You divide by the largest value. The smallest has to become 0, too.
/ np.sqrt(2) => * 1
/ np.sqrt(2) => / 2
    How far is (0, 0) from the line between (0, 1) and (1, 0)? Draw it.
(1 - x - y) => np.abs(1 - x - y)
    A curve can lie above the line, too. There it does not sag: the depth is negative.
(1 - x - y) => (x + y - 1)
    Your depths have the wrong sign. Below the line they are positive.
(1 - x - y) / np.sqrt(2) => 1 - x - y - np.minimum(0, 1 - x - y)
return (1 - x - y) / np.sqrt(2) => return np.maximum(1 - x - y, 0) / np.sqrt(2)
    Above the line the depth is negative. In yours it is 0 there.
_scaled(roughness), _scaled(left) => _scaled(np.log(roughness + 1)), _scaled(np.log(left + 1))
    You took logarithms. They straighten the curve; here it is scaled as it is.
""",
    telling="""
f(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    Both ends lie on the line, so their depth is 0.
f(np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]))
    A curve that goes through the corner is as deep as can be: half of a diagonal, .707.
f(100 * MONOTONE + 7, FALLING) - f(MONOTONE, FALLING)
    Another unit of the roughness must make no difference.
f(MONOTONE, 5 * FALLING + 1) - f(MONOTONE, FALLING)
    Another unit of the mismatch must make no difference.
f(np.array([0.0, 3.0, 4.0]), np.array([1.0, 0.9, 0.5]))
    This curve bulges: it lies above the line.
""",
)

LINE_U, LINE_W = np.zeros((2, 1, 3, 2))
LINE_U[0, :, 1], LINE_W[0, :, 1] = 1, (0, -1, -0.5)
U, W = draw(4, 5, 6, 2, low=-0.9, high=1.3), draw(5, 7, 4, 2, low=-1, high=1)
HALF = np.moveaxis(np.indices((3, 4)), 0, -1) * 1.0  # the moving image is twice as fine: p looks at 2 p
BACK = -np.moveaxis(np.indices((5, 7)), 0, -1) / 2

FROM_HOME = Exercise(
    from_home,
    "there and back, in millimetres",
    cases={
        "the example": (LINE_U, LINE_W, (1, 2)),
        "along the rows": (LINE_U.transpose(1, 0, 2)[..., ::-1], LINE_W.transpose(1, 0, 2)[..., ::-1], (3, 1)),
        "a moving image that is twice as fine": (HALF, BACK + 0.25, (1, 1)),
        "images of other sizes": (U, W, (1, 1)),
        "and pixels that are not square": (U, W, (0.5, 3)),
        "the two exchanged": (W, U, (2, 0.7)),
    },
    mistakes="""
u + _read(w, r, c) => u + _read(w, rows, columns)
u + _read(w, r, c) => u + _read(w, np.round(r), np.round(c))
    The way back is not read at q. Where does one stand after the first way? It lies between pixels.
[inside] => [(rows >= 0) & (columns >= 0)]
    You count pixels that look beyond the moving image, too. There nobody knows the way back.
(r <= w.shape[0] - 1) & (c >= 0) & (c <= w.shape[1] - 1) => (r <= u.shape[0] - 1) & (c >= 0) & (c <= u.shape[1] - 1)
    Which q lie inside the *moving* image? From 0 to the last row and column of w, whose size is its own.
* spacing => * 1
    You count in pixels. Asked is the distance in millimetres.
* spacing => * np.mean(spacing)
* spacing => * tuple(reversed(spacing))
    Rows and columns have spacings of their own, in this order. Multiply before you take the length.
u + _read(w, r, c) => _read(w, r, c)
u + _read(w, r, c) => u - _read(w, r, c)
    Both ways add up: u(p), and then w(q). Asked is how far their sum leads from p.
np.linalg.norm(home, axis=-1) => np.sum(home**2, axis=-1)
np.linalg.norm(home, axis=-1) => np.sum(np.abs(home), axis=-1)
    That is no distance. Take the root of the sum of both squares.
np.mean => np.max
np.mean => np.median
    Of all pixels inside, the mean is asked.
""",
    telling="""
f(0 * U, 0 * U, (1, 1))
    Nothing moves, so all are at home.
f(0 * U[:2, :2], 0 * U[:2, :2] + np.array([3.0, 4.0]), (1, 1))
    Nobody moves on the way there, and on the way back all go 3 down and 4 to the right. That is a distance of 5.
f(0 * U[:2, :2], 0 * U[:2, :2] + np.array([3.0, 4.0]), (2, 1))
    The same with rows that are 2 mm apart: 6 mm down and 4 mm to the right.
f(HALF, BACK, (1, 1))
    The moving image has twice as many pixels for each mm. The way back leads home exactly, from every q inside.
f(LINE_U, LINE_W, (1, 1))
    In the example, the last pixel looks beyond the moving image. The others are 0 and .5 pixels from home.
""",
)

EXERCISES = [WINDOW_OF_BODY, DEPTHS, FROM_HOME]

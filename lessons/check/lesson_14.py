"""The checks of the exercises of lesson 14."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_14 import flow_line, inverse, vjp_flow_line

BUMP, THREE = np.array([0.0, 1, 2, 1, 0]), np.array([1.0, 2, 3])
V, AT = draw(1, 6, low=-1.5, high=1.5), draw(2, 7, low=0.2, high=4.8)
OUTSIDE = np.array([-3.3, -0.6, 5.4, 9.1])

FLOW_LINE = Exercise(
    flow_line,
    "places that follow a velocity on a line",
    cases={
        "the example": (BUMP, THREE, 2),
        "one place, one step": (V[:2], np.array([0.3]), 1),
        "many places, five steps": (V, AT, 5),
        "places beyond the ends": (V, OUTSIDE, 3),
        "places that leave the line": (V[:3] + 2.5, np.array([0.2, 1.7]), 4),
    },
    mistakes="""
i + 1]) / steps => i + 1])
    Each of your steps is as long as the whole way. Together they take a time of 1, so each takes 1/steps.
steps = 1
    That is one jump. Where is the velocity read in the steps after the first?
range(steps) => range(1)
    Only the first step is taken. Is there a `return` in the loop, or no loop?
range(steps) => range(steps + 1)
range(steps) => range(steps - 1)
    The length of your steps is right, their number is not: the time is not 1.
return i, inside - i => return i, np.round(inside) - i
return i, inside - i => return i, 0 * inside
    You read the velocity at a pixel. Between two pixels it is a mixture of both, by linear interpolation.
return i, inside - i => return i, place - i
    Beyond the ends your velocity goes on along a slope. It should stay what it is at the end.
return place => return place - x
    You return how far the places have come. Asked is where they are.
return place => return np.clip(place, 0, len(v) - 1)
v[i + 1]) / steps => v[i + 1]) / steps; place = np.clip(place, 0, len(v) - 1)
    You hold the places on the line. They may leave it.
""",
    telling="""
f(0 * V, AT, 3)
    Without any wind nothing moves.
f(0 * V + 2, np.array([0.5]), 3)
    Let the wind be 2 everywhere. Then every place ends 2 further to the right.
f(V, AT, 1)
    Even one step is wrong. What is the velocity between two pixels, and how far does it lead in a time of 1?
f(V, OUTSIDE, 1)
    Inside it is right. Beyond the ends, the velocity is the one at the end.
f(V, AT, 2) - f(V / 2, f(V / 2, AT, 1), 1)
    Two steps must be what one step with half of the velocity gives, done twice.
""",
)


def _smooth(seed, height, width, size=0.4):
    """A random field that changes by less than a pixel from pixel to pixel, and reaches beyond the border."""
    return np.round(np.cumsum(draw(seed, height, width, 2, low=-size, high=size), axis=seed % 2), 2)


def _ramp():
    u = np.zeros((1, 5, 2))
    u[0, :, 1] = 0.5 * np.arange(5)
    return u


RAMP, U, ALONG_ROWS = _ramp(), 0.6 * _smooth(3, 6, 7), 0.5 * _smooth(4, 5, 4)

INVERSE = Exercise(
    inverse,
    "the way back of a displacement",
    cases={
        "the example": (RAMP, 50),
        "the same everywhere": (np.full((3, 4, 2), (1.5, -0.5)), 3),
        "one column": (RAMP.reshape(5, 1, 2)[..., ::-1], 50),
        "one iteration": (U[:3, :4], 1),
        "two iterations": (U[:3, :4], 2),
        "many iterations": (U, 100),
        "more rows than columns": (ALONG_ROWS, 100),
    },
    mistakes="""
iterations = 1
    That is -u. It belongs to the place p. But to get back to p you begin elsewhere: u must be read where w leads.
range(iterations) => range(iterations - 1)
range(iterations) => range(iterations + 1)
    The number of your iterations is off by one. w begins at 0, and the first iteration makes -u of it.
w = -((1 - s) => w = w - ((1 - s)
    You add up. The equation asks for a new w: -u, read at p + w(p). The old one only says where to read.
rows + w[..., 0] => rows - w[..., 0]
columns + w[..., 1] => columns - w[..., 1]
rows + w[..., 0] => rows + w[..., 1]
columns + w[..., 1] => columns + w[..., 0]
rows + w[..., 0] => rows
    You read elsewhere than at p + w(p). Look at the sign, and at which number belongs to the rows.
w = -((1 - s) * upper + s * lower) => w = w / 2 - ((1 - s) * upper + s * lower) / 2
    You go half of the way in each iteration. That comes to rest too, and for more fields. But here you are asked for
    the whole w that the equation gives.
s, t = (r - i)[..., None], (c - j)[..., None] => s = t = np.zeros((height, width, 1))
i, j = np.floor => r, c = np.round(r), np.round(c); i, j = np.floor
s, t = (r - i) => t, s = (r - i)
    Between pixels u is a mixture of four. You read it at a pixel, or the weights down and to the right are exchanged.
w = np.zeros(u.shape) => w = np.array(u, float)
    Your w does not begin at 0. In the end it makes no difference, but after few iterations it does.
s * lower) => s * lower) * ((rows + w[..., 0] == r) & (columns + w[..., 1] == c))[..., None]
    Beyond the border you read 0. There the field goes on as it is at the border.
""",
    telling="""
f(np.full((3, 4, 2), (1.5, -0.5)), 3)
    If all pixels look the same way, the way back is the opposite of it, also at the border.
f(U, 1)
    After one iteration w is -u, since it began at 0.
f(RAMP, 2)[0, :, 1]
    In the example, w is -p/2 after one iteration, and after two -u(p/2), that is -p/4.
f(RAMP + [0, 1], 2)[0, 0]
    Let the u of the example be 1 larger. Then the first pixel has to read at -1. There u is what it is at the border.
_there_and_back(f(U, 100), U)
    After many iterations w(p) + u(p + w(p)) must be 0. Yours is not.
""",
)


def _there_and_back(w, u):
    """w(p) + u(p + w(p)), where u is read by another way: with hat functions."""
    places = np.indices(u.shape[:2]) + np.moveaxis(w, -1, 0)
    weights = []
    for place, size in zip(places, u.shape, strict=False):
        distance = np.clip(place, 0, size - 1)[..., None] - np.arange(size)
        weights.append(np.maximum(1 - np.abs(distance), 0))
    return w + np.einsum("hwi,hwj,ijc->hwc", *weights, u)


G = draw(5, 7, low=-1)

VJP_FLOW_LINE = Exercise(
    vjp_flow_line,
    "the gradient of the flow on a line",
    cases={
        "the example": (np.array([1.0]), np.array([0.0, 1.0]), np.array([0.5]), 2),
        "one place, one step": (G[:1], V, AT[:1], 1),
        "one place, three steps": (G[:1], V, AT[:1], 3),
        "many places, one step": (G, V, AT, 1),
        "many places, five steps": (G, V, AT, 5),
        "places beyond the ends": (G[:4], V, OUTSIDE, 3),
        "places exactly on pixels": (G[:2], np.array([2.0, 1, 2, 1]), np.array([0.0, 2]), 2),
    },
    mistakes="""
g_place * (1 + slope / steps) => g_place
    You count how a velocity takes a place further. But where the place is decides what it reads next: a second part.
g_place * (1 + slope / steps) => g_place * slope / steps
    A place goes on from where it was: 1, plus what it reads elsewhere. You have only the second.
g_place * (1 + slope / steps) => g_place * (1 + slope)
g_place / steps => g_place
np.add.at(g_v, i, (1 - t) * g_place / steps) => np.add.at(g_v, i, (1 - t) * g_place)
    Something counts for a whole step. A step adds the velocity divided by the number of steps.
reversed(places) => places
    You go through the steps from the first to the last. The cotangent comes from the end.
np.add.at(g_v, i, (1 - t) * g_place / steps) => g_v[i] += (1 - t) * g_place / steps
np.add.at(g_v, => (lambda array, index, share: array.__setitem__(index, array[index] + share))(g_v,
    Where two places read the same pixel, one share is lost. What does `+=` do with an index that stands twice?
np.where((place >= 0) & (place < len(v) - 1), v[i + 1] - v[i], 0) => v[i + 1] - v[i]
    Beyond the ends the velocity stays as it is at the end. Its slope there is 0.
g_place / steps => g_place * (1 + np.where((place >= 0) & (place < len(v) - 1), v[i + 1] - v[i], 0) / steps) / steps
    The velocity of a step meets the cotangent of where the place is *behind* that step. You have taken it back already.
flow_line(v * k / steps, x, k) if k else np.array(x, float) => np.array(x, float)
range(steps)] => range(1, steps + 1)]
    Each step has read where its place was before it. You read where the places begin, or where the step ends.
""",
    telling="""
f(G[:1], V, AT[:1], 1)
    Even one step of one place is wrong. Which two pixels has it read, and with which weights? Behind the last step
    nothing is read, so there the cotangent is g itself.
f(G, V, AT, 1)
    One place is right, many are not: their shares add up, pixel by pixel.
f(G[:4], V, OUTSIDE, 1)
    Inside it is right. A place beyond the ends reads the last pixel alone, with a weight of 1.
f(3 * G, V, AT, 4) - 3 * f(G, V, AT, 4)
    Three times the cotangent must give three times the result.
np.sum(f(G, V, AT, 4) * BUMP.sum() * np.sin(np.arange(6)))
    One step is right, four are not: a difference quotient of `flow_line`, along a change of all velocities, says
    something else. How does a place depend on the one a step before?
""",
)

EXERCISES = [FLOW_LINE, INVERSE, VJP_FLOW_LINE]

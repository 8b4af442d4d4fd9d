"""The checks of the exercises of lesson 11."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_11 import adam_step, back_through_block, receptive_field

RECEPTIVE_FIELD = Exercise(
    receptive_field,
    "how far a number sees",
    cases={
        "the example, stride 1": ([3, 3, 3], [1, 1, 1]),
        "the example, stride 2": ([3, 3, 3], [2, 2, 2]),
        "one layer": ([5], [3]),
        "only the last layer halves": ([3, 3], [1, 2]),
        "only the first layer halves": ([3, 3], [2, 1]),
        "kernels and strides of all sorts": ([7, 2, 1, 5], [2, 3, 2, 1]),
    },
    mistakes="""
size += (kernel - 1) * jump => size += kernel * jump
    Windows side by side overlap. By how many pixels does a kernel of 3 reach beyond the one in its middle?
(kernel - 1) * jump => (kernel - 1)
    You forget the strides. After a halving, neighbours are two pixels of the image apart.
(kernel - 1) * jump => (kernel - 1) * jump * stride
(kernel - 1) * jump => (kernel - 1) * stride
    A layer sees what lies in front of it. Its own stride only counts for the layers behind it.
jump *= stride => jump += stride - 1
jump *= stride => jump = stride
    After two halvings, how many pixels of the image lie from one output to the next? Yours is another number.
size, jump = 1, 1 => size, jump = 0, 1
    You begin with no pixel. Before any layer a number is a pixel, and sees itself.
kernel - 1 => (kernel - 1) // 2
    You count on one side only. A kernel reaches to both sides.
kernels, strides = kernels[::-1], strides[::-1]
size += (kernel - 1) * jump => size = (size - 1) * stride + kernel
    You count as if the last layer came first. Walk from the image on: how many of its pixels lie between two
    neighbouring inputs of a layer?
sizes.append(size) => sizes.append(jump)
    That is how far neighbouring outputs are apart. How wide is the square that one of them sees?
""",
    telling="""
f([1, 1], [1, 1])
    Kernels of one pixel see one pixel, however many there are. Yours do not.
f([9], [4])
f([8], [1])
    A single layer sees as many pixels as its kernel has, whatever its stride: also 8 with a kernel of 8.
f([3, 5], [1, 1])[-1] - f([5, 3], [1, 1])[-1]
    With stride 1 the order of the layers makes no difference in the end.
f([3, 3, 3, 3], [2, 2, 2, 2])
    With halving, each layer adds twice as many pixels as the one before: 3, 7, 15, and then?
""",
)

P, G, M = (draw(seed, 2, 3, low=-1) for seed in (1, 2, 3))
V = draw(4, 2, 3, low=0.1)
LARGE, NOTHING = np.array([300.0, -4.0]), np.zeros(2)

ADAM_STEP = Exercise(
    adam_step,
    "one step of Adam",
    cases={
        "the example": (np.array([5.0, 5.0]), np.array([100.0, -1.0]), NOTHING, NOTHING, 1, 0.1, 0.9, 0.999, 1e-8),
        "the second step": (P[0], G[0], 0.1 * M[0], 0.001 * V[0], 2, 0.1, 0.9, 0.999, 1e-8),
        "a late step": (P[0], G[0], M[0], V[0], 50, 0.1, 0.9, 0.999, 1e-8),
        "a gradient of 0": (P[0], 0 * G[0], M[0], V[0], 3, 0.1, 0.9, 0.999, 1e-8),
        "a matrix, other b1 and b2": (P, G, M, V, 4, 0.2, 0.8, 0.95, 1e-8),
        "a large eps": (P, G, M, V, 4, 0.2, 0.8, 0.95, 0.5),
    },
    mistakes="""
rate * fair_m / (np => rate * m / (np
np.sqrt(fair_v) => np.sqrt(v)
fair_m / (np.sqrt(fair_v) => m / (np.sqrt(v)
    Both means begin at 0, so they are too small at first. One of them, or both, you have not made fair.
b1**t => b1 ** (t - 1 or 1)
b1**t => b1 ** (t + 1)
b2**t => b2 ** (t + 1)
b1**t) => b1)
b2**t) => b2)
    By what does the fair mean divide? After step t, its parts add up to 1 - b1^t, and for v to 1 - b2^t. The first step
    has t = 1.
np.sqrt(fair_v) => fair_v
    You divide by v without its root. Is your step as long as the rate, whatever the size of g?
np.stack([p, m, v]) => np.stack([p, fair_m, fair_v])
    You return the fair means. The next step needs those that the running means are: it makes them fair itself.
p = p - rate => p = p + rate
    You walk uphill.
g**2 => g
g**2 => m**2
    v is the running mean of the squares of the gradients.
np.sqrt(fair_v) + eps => np.sqrt(fair_v + eps)
(np.sqrt(fair_v) + eps) => np.sqrt(fair_v) + eps
np.sqrt(fair_v) + eps => (np.sqrt(v) + eps) / np.sqrt(1 - b2**t)
    eps is added to the root of the fair v, and the sum divides. Elsewhere it is something else: in the root, 1e-8 adds
    as much as .0001.
b1 * m + (1 - b1) * g => (1 - b1) * m + b1 * g
b2 * v + (1 - b2) * g**2 => (1 - b2) * v + b2 * g**2
    b1 and b2 say which part of the old mean is *kept*. You keep the other part.
""",
    telling="""
f(P, G, M, V, 4, 0.2, 0.8, 0.95, 1e-8)[1]
    What stands second is not the new m. Which part of the old one is kept, and which part of g comes in?
f(P, G, M, V, 4, 0.2, 0.8, 0.95, 1e-8)[2]
    What stands third is not the new v. Which part of the old one is kept, and what comes in?
f(NOTHING, LARGE, NOTHING, NOTHING, 1, 0.1, 0.9, 0.999, 1e-8)[0]
    The first step must be as long as the rate for every weight, whatever its gradient. Yours is not.
f(P, 10 * G, 10 * M, 100 * V, 4, 0.2, 0.8, 0.95, 1e-8)[0] - f(P, G, M, V, 4, 0.2, 0.8, 0.95, 1e-8)[0]
    If all gradients had been ten times as large, Adam's step would be the same. Yours is not.
f(P, G, M, V, 4, 0.2, 0.8, 0.95, 1e-8)[0]
    The first step is right, and m and v are, too. But a later step is not: what stands above the line, what below?
""",
)

X, W, B = draw(5, 2, 3, 3, low=-1), draw(6, 3, 2, low=-1), draw(7, 2, low=-0.5, high=0.5)
COTANGENT = draw(8, 4, 6, 2, low=-1)
PAIR, ONE = np.array([1.0, -2.0]).reshape(1, 2, 1), np.array([[2.0]])
EIGHT = np.arange(1.0, 9.0).reshape(2, 4, 1)


def _change(x, weight, bias, g, slope, step_weight, step_bias, h=1e-6):
    """How fast sum(y * g) changes along a step of weights and biases, by a difference quotient."""

    def value(h):
        z = x @ (weight + h * step_weight) + bias + h * step_bias
        return np.sum(np.where(z > 0, z, slope * z).repeat(2, axis=0).repeat(2, axis=1) * g)

    return (value(h) - value(-h)) / (2 * h)


STEP_W, STEP_B = draw(9, 3, 2, low=-1), draw(10, 2, low=-1)
JUDGE = _change(X, W, B, COTANGENT, 0.2, STEP_W, STEP_B)

BACK_THROUGH_BLOCK = Exercise(
    back_through_block,
    "back through a block of a decoder",
    cases={
        "the example": (EIGHT, PAIR, ONE, np.array([0.0]), 0.1),
        "nothing is bent": (COTANGENT[:2, :4, :1], X[:1, :2, :1], W[:1, :1], B[:1], 1.0),
        "all is above 0": (COTANGENT, abs(X), abs(W), abs(B), 0.2),
        "the biases decide where it bends": (COTANGENT, X, 0.1 * W, B, 0.2),
        "nothing goes through below 0": (COTANGENT, X, W, B, 0.0),
        "three channels in, two out": (COTANGENT, X, W, B, 0.2),
    },
    mistakes="""
.sum(axis=(1, 3)) => .mean(axis=(1, 3))
.sum(axis=(1, 3)) => [:, 0, :, 0]
    A pixel was used four times, and each use sends back a share. You take the mean of the four, or one of them.
g.reshape(height, 2, width, 2, -1).sum(axis=(1, 3)) => g.reshape(2, height, 2, width, -1).sum(axis=(0, 2))
    You add up cotangents that belong to different pixels. Where do the four copies of a pixel lie?
before_bend > 0 => g > 0
    You bend the cotangent by its own sign. The slope is the one where the *answer* was, before it was bent.
np.where(before_bend > 0, g, slope * g) => g
    The leaky ReLU is missing on the way back. Where an answer was below 0, only a part goes through.
slope * g) => 0 * g)
    Below 0 nothing goes through in your result. How much does this leaky ReLU let through?
before_bend = x @ weight + bias => before_bend = x @ weight
    You look where x @ weight is above 0. What was bent had the bias added before.
g_bias = g.sum(axis=(0, 1)) => g_bias = g.mean(axis=(0, 1))
g.sum(axis=(0, 1)) => g[0, 0]
    A bias is added at every pixel. So its gradient is the sum of g over all of them.
np.where(before_bend > 0, g, slope * g) => np.where(before_bend > 0, before_bend, slope * before_bend) * g
    You multiply by the bent answer. The VJP multiplies by the *slope* of the leaky ReLU: 1 above 0, `slope` below.
""",
    telling="""
f(COTANGENT, X, W, B + 5, 1.0)
    Begin with slope 1, and answers above 0, where nothing is bent. Even that is wrong. Each pixel gets four cotangents;
    the last row belongs to the bias.
f(3 * COTANGENT, X, W, B, 0.2) - 3 * f(COTANGENT, X, W, B, 0.2)
    Three times the cotangent must give three times the result.
f(COTANGENT, X, W, B, 0.0)[:-1]
    With slope 0, pixels whose answer is below 0 have no say at all. In your result they have, or others have not.
f(COTANGENT, X, W, B, 0.2)[-1]
    The last row, of the biases, is wrong. A bias is added before the bend, at every pixel.
np.sum(f(COTANGENT, X, W, B, 0.2) * np.vstack([STEP_W, STEP_B])) - JUDGE
    It fails the gradient check: along a random step of the weights, a difference quotient is another number.
""",
)

EXERCISES = [RECEPTIVE_FIELD, ADAM_STEP, BACK_THROUGH_BLOCK]

"""The checks of the exercises of lesson 16."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_16 import questions_left, unexplained_gradient, vjp_hat

COUNTS = np.round(20 * draw(1, 3, 4))

QUESTIONS_LEFT = Exercise(
    questions_left,
    "the bits of b that are open when a is known",
    cases={
        "the example": (np.array([[1.0, 1.0], [0.0, 4.0]]),),
        "a is the same everywhere": (np.array([[3.0, 1.0, 4.0]]),),
        "b is the same everywhere": (np.array([[3.0], [1.0]]),),
        "an empty bin of a": (np.array([[2.0, 6.0], [0.0, 0.0], [5.0, 1.0]]),),
        "random counts": (COUNTS,),
    },
    mistakes="""
np.sum(p, axis=1) => np.sum(p, axis=0)
    You have what is open of a when b is known. a goes down the rows of the histogram.
return _entropy(p) - _entropy(np.sum(p, axis=1)) => return _entropy(p)
    That is what it takes to ask for the whole pair. But a is known already.
return _entropy(p) - _entropy(np.sum(p, axis=1)) => return _entropy(np.sum(p, axis=0))
    That is what it takes to ask for b if a is *not* known.
return _entropy(p) - => return _entropy(np.sum(p, axis=0)) - _entropy(p) +
    That is the mutual information: what is saved. What is left?
np.log2 => np.log
    You count in nats. A bit is a question with two equally likely answers.
p = counts / np.sum(counts) => p = counts
    You take the counts themselves. An entropy is made of shares, which add up to 1.
p = counts / np.sum(counts, axis=1, keepdims=True); return np.mean(-np.sum(p * np.log2(np.where(p > 0, p, 1)), axis=1))
return np.mean([_entropy(row / max(np.sum(row), 1)) for row in counts])
used = counts[np.sum(counts, axis=1) > 0]; return np.mean([_entropy(row / np.sum(row)) for row in used])
    You take the plain mean over the bins of a. A bin with many pixels counts more often than one with few.
return np.sum([_entropy(row / np.sum(row)) for row in counts if np.sum(row) > 0])
    You add up the entropies of the rows. How many pixels are in each of them? Their mean is wanted.
""",
    telling="""
f(np.diag([1.0, 2, 3]))
    Here each brightness of a stands for one of b. So nothing is open: 0 bits.
f(np.ones((2, 4)))
    Here a tells nothing, and b has four kinds, equally many of each. So two bits are open.
f(5 * COUNTS) - f(COUNTS)
    Five times as many pixels of every kind leave the same questions.
f(np.insert(COUNTS, 1, 0, axis=0)) - f(COUNTS)
    A bin of a without any pixel changes nothing. What do your shares, or your logarithm, become there?
f(np.vstack([COUNTS[:1], COUNTS[:1]])) - f(COUNTS[:1])
    Two bins of a with the same counts leave the same questions as one of them.
""",
)

G, X = draw(2, 6, 5, low=-3, high=3), draw(3, 6, low=0.02, high=0.98)
BEYOND, CENTRES = np.array([-0.4, 0.3, 1.7, 0.9]), np.array([0.25, 0.5, 0.75])

VJP_HAT = Exercise(
    vjp_hat,
    "the VJP of a histogram spread by a roof",
    cases={
        "the example": (np.array([[0.0, 2, 5, 1, 0]]), np.array([0.3]), 5),
        "two bins": (G[:3, :2], X[:3], 2),
        "many intensities": (G, X, 5),
        "intensities beyond 0 and 1": (G[:4], BEYOND, 5),
        "exactly at centres": (G[:3], CENTRES, 5),
        "exactly at 0 and 1": (G[:2], np.array([0.0, 1.0]), 5),
    },
    mistakes="""
(bins - 1) * climb => climb
    That is the slope per bin. How many bins does an intensity pass on its way from 0 to 1?
(bins - 1) * climb => bins * climb
(bins - 1) * climb => (bins - 3) * climb
    How many bins are there from the centre of the first one, at x = 0, to that of the last one, at x = 1?
climb * ((x >= 0) & (x <= 1)) => climb
    An intensity below 0 or above 1 counts as 0 or 1. Change it a little, and nothing changes.
(x >= 0) & (x <= 1) => (x > 0) & (x < 1)
    Exactly at 0 and at 1, the slope inside is meant. Yours is 0.
np.floor(t).astype(int) => np.maximum(np.ceil(t).astype(int) - 1, 0)
    Exactly at a centre you take the slope on its left. The one on its right is wanted.
np.floor(t).astype(int) => np.round(t).astype(int)
    Between which two centres does the intensity lie? Yours begins at the nearest centre, which may be the upper one.
lower, f = _cell(x, bins); i = np.arange(len(x)); return (1 - f) * g[i, lower] + f * g[i, lower + 1]
    You mix the cotangents of both bins with the shares. What is wanted is how the shares *change*.
np.minimum(np.floor(t).astype(int), bins - 2) => np.floor(t).astype(int)
    At x = 1 there is no bin above. The last cell is meant.
""",
    telling="""
f(0 * G + 2, X, 5)
    If all bins ask the same, it does not matter for which of them a pixel counts: all of your result is 0.
f(G[:1], X[:1], 5)
    Even for one intensity it is wrong. One bin loses what the other one gains: which two, and by how much?
f(G + 7, X, 5) - f(G, X, 5)
    The shares of a pixel always add up to 1. So 7 more for every bin changes nothing.
f(-2 * G, X, 5) + 2 * f(G, X, 5)
    -2 times the cotangent must give -2 times the result.
f(G[:4], BEYOND, 5)
    Inside it is right. What becomes of an intensity that is below 0 or above 1?
""",
)

A, B, DIRECTION = draw(4, 9, low=0.02, high=0.98), draw(5, 9), draw(6, 9, low=-1)
FEW, OTHER = np.array([0.1, 0.2, 0.15, 0.9]), np.array([1.0, 0.0, 0.5, 0.3])

UNEXPLAINED_GRADIENT = Exercise(
    unexplained_gradient,
    "the gradient of what one image leaves unexplained",
    cases={
        "the example": (np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 1.0]), 2),
        "bins without a share": (FEW, OTHER, 8),
        "three bins": (A[:5], B[:5], 3),
        "five bins": (A, B, 5),
    },
    mistakes="""
** 2 / len(a) => ** 2
    Your loss is a sum over the pixels. By what does the mean divide?
(b[:, None] - m) ** 2 => (b[:, None] - m)
(b[:, None] - m) ** 2 => abs(b[:, None] - m)
(b[:, None] - m) ** 2 => -2 * (b[:, None] - m)
    The loss is linear in share[i, k]. Its derivative is what stands beside the share, and that is a square.
np.where(total > 0, total, 1) => len(a)
    Your m[k] is a sum over the number of all pixels. A weighted mean divides by the sum of its weights.
m = share.T @ b / np.where(total > 0, total, 1) => m = np.full(bins, np.mean(b))
    You take the mean of all of b. Every bin has a mean of its own.
lower, f = _cell(a, bins) => lower, f = _cell(a, bins); f = np.round(f)
    For m, each pixel of yours counts for its nearest bin only. It counts for two, by its shares.
lower, f = _cell(a, bins) => lower, f = _cell(a, bins); f = 1 - f
    For m, your two shares of a pixel are exchanged: nearer bins get more.
return vjp_hat(g, a, bins) => return vjp_hat(share * g, a, bins)
    You multiply with the share. In the derivative with respect to a share, the share itself no longer stands.
return vjp_hat(g, a, bins) => return np.sum(share * g, axis=1)
    You have what each pixel adds to the loss. Its derivative with respect to a is wanted.
""",
    telling="""
f(A, 0 * B + 3, 5)
    If b is the same everywhere, nothing is unexplained, whatever a is. So all of your result must be 0.
f(A, B + 2, 5) - f(A, B, 5)
    Make b brighter by 2, and so become the means: nothing changes.
f(A, 3 * B, 5) - 9 * f(A, B, 5)
    The loss is a square in b. So three times b must give nine times the result.
2 * f(np.append(A, A), np.append(B, B), 5)[:9] - f(A, B, 5)
    Let every pixel be there twice: then each of them has half as much to say.
np.sum(f(A, B, 5) * DIRECTION)
    It fails the gradient check: along a random change of a, a difference quotient of the loss is another number.
""",
)

EXERCISES = [QUESTIONS_LEFT, VJP_HAT, UNEXPLAINED_GRADIENT]

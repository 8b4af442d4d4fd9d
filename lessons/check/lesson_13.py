"""The checks of the exercises of lesson 13."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_13 import best_run, partners, there_and_back

LABELS = np.array([2, 5, 2, 5, 5, 2, 8, 2, 5, 2])
ORDER = np.array([4, 7, 0, 6, 9, 3, 8, 1, 5, 2])

PARTNERS = Exercise(
    partners,
    "a partner of the same class",
    cases={
        "the example": (np.array([7, 7, 3, 7]), np.array([2, 0, 3, 1])),
        "one class, one after the other": (np.full(5, 4), np.arange(5)),
        "one class, mixed": (np.full(5, 4), np.array([3, 0, 4, 1, 2])),
        "each alone": (np.array([3, 1, 2]), np.array([1, 2, 0])),
        "two classes and one alone": (LABELS, ORDER),
        "the same, backwards": (LABELS, ORDER[::-1].copy()),
    },
    mistakes="""
np.roll(row, -1) => np.roll(row, 1)
    You take the one before. The next one is asked for.
order[labels[order] == digit] => np.flatnonzero(labels == digit)
    You walk through the images from 0 on, not in the given order.
labels[order] == digit => labels == digit
    At position k of the order stands the image number order[k]. Whose label do you look at?
partner[row] = np.roll(row, -1) => partner[row[:-1]] = row[1:]
    The last one of a class gets no partner, and 0 stays there. After the last one comes the first one again.
partner[row] = np.roll(row, -1) => partner[row] = row[0]
    All of a class get the same partner. That is the training of 2020: a network learns this one image by heart.
return partner => return partner[order]
    Position k has the partner of the image order[k]. It should have that of image k.
return partner => return np.argsort(order)[partner]
    You return where in the order the partner stands, and not which image it is.
np.roll(row, -1) => np.roll(row, -1) * (len(row) > 1)
    An image that is alone in its class gets 0. It is its own partner.
""",
    telling="""
LABELS[np.asarray(f(LABELS, ORDER)).astype(int)] - LABELS
    Some partners are of another class.
np.sort(f(LABELS, ORDER))
    Some images are nobody's partner, others are used several times. Each must be taken once.
f(np.arange(6), np.arange(6)[::-1]) - np.arange(6)
    Where every image is alone in its class, each must be its own partner.
f(np.zeros(3, int), np.arange(3))
    Walk through three images of one class, in the order 0, 1, 2: their partners must be 1, 2 and 0.
f(np.array([12, -3, 12]), np.arange(3))
    A class may have any number, such as 12 or -3. Yours are not all found.
""",
)

SMALL = np.zeros((5, 6, 2))
SMALL[1:-1, 1:-1] = draw(1, 3, 4, 2, low=-0.9, high=0.9)
U, V = draw(2, 4, 5, 2, low=-1.5, high=1.5), draw(3, 4, 5, 2, low=-1.5, high=1.5)
RIGHT = np.zeros((2, 3, 2))
RIGHT[..., 1] = 0.5
LEFT = np.zeros((2, 3, 2))
LEFT[..., 1] = 0.0, -1.0, -2.0
SHIFT = np.full((4, 6, 2), [1.0, -2.0])

THERE_AND_BACK = Exercise(
    there_and_back,
    "how far from home",
    cases={
        "the example": (RIGHT, LEFT),
        "down instead": (RIGHT.transpose(1, 0, 2)[..., ::-1].copy(), LEFT.transpose(1, 0, 2)[..., ::-1].copy()),
        "nobody moves": (0 * U, 0 * V),
        "a shift and back": (SHIFT, -SHIFT),
        "a shift there, and none back": (SHIFT, 0 * SHIFT),
        "no way leaves the image": (SMALL, -SMALL),
        "random ones": (U, V),
        "to the last row": (np.full((3, 3, 2), [1.0, 0.0]), draw(4, 3, 3, 2)),
    },
    mistakes="""
np.mean(np.linalg.norm(from_home, axis=-1)) => np.linalg.norm(np.mean(from_home, axis=0))
    You average the ways first, and then take the length. Ways in opposite directions cancel.
np.linalg.norm(from_home, axis=-1) => np.sum(from_home**2, axis=-1)
np.mean(np.linalg.norm(from_home, axis=-1)) => np.sqrt(np.mean(np.sum(from_home**2, axis=-1)))
    You average squared distances. The mean is over the distances themselves.
u[inside] + (1 - s) => (1 - s)
    You return how long the way back is. How far is its end from home?
from_home = u[inside] + (1 - s) * above + s * below => from_home = u[inside] + v[inside]
    You read v at the pixel itself. One goes back from where u has led.
rows + u[..., 0], columns + u[..., 1] => rows - u[..., 0], columns - u[..., 1]
    You read v at p - u(p). Where does u lead from p?
r, c = rows + u[..., 0], columns + u[..., 1] => r, c = rows + u[..., 1], columns + u[..., 0]
    The two components are exchanged. The first is along rows, down.
inside = (r >= 0) => r, c = r.clip(0, height - 1), c.clip(0, width - 1); inside = (r >= 0)
np.mean(np.linalg.norm(from_home, axis=-1)) => np.sum(np.linalg.norm(from_home, axis=-1)) / inside.size
(r <= height - 1) & (c >= 0) & (c <= width - 1) => (r < height - 1) & (c >= 0) & (c < width - 1)
(r >= 0) & (r <= height - 1) => (r <= height - 1)
& (c >= 0) & => &
    Who counts? All that land between the first and the last row and column, or exactly on these. The others do not: not
    brought back to the border, and not in the number by which the mean divides.
(r - i)[:, None], (c - j)[:, None] => (np.rint(r) - i)[:, None], (np.rint(c) - j)[:, None]
    You read v at the nearest pixel. Between the pixels it is bilinear.
""",
    telling="""
f(0 * U, 0 * V)
    If nobody moves, all are at home: 0.
f(SHIFT, -SHIFT)
    A shift and the opposite shift lead home: 0.
f(0 * U, np.full(U.shape, [3.0, 4.0]))
    If u leads nowhere, and v everywhere 3 down and 4 to the right, the distance is 5: the length of that way.
f(SMALL, 0 * SMALL)
    If there is no way back, the result is the mean length of u.
f(RIGHT, LEFT)
    Compute the example by hand: who has left the image, and what is v at the place 0.5, between two pixels?
""",
)

MATCH = np.array([[0.93, 0.95], [0.94, 0.96], [0.98, 0.98]])
FOLDS = np.array([[0.0, 0.0], [0.1, 0.1], [3.0, 3.0]])
LUCKY = np.array([[0.70, 0.99, 0.70], [0.98, 0.98, 0.98], [0.80, 0.80, 0.80]])
WIDE = np.array([[0.90, 0.99, 0.90], [0.95, 0.95, 0.95], [0.80, 0.80, 0.80]])
QUIET = np.array([[0.950, 0.952], [0.940, 0.942], [0.938, 0.956]])
CALM = np.array([[0.90, 0.90], [0.96, 0.96], [0.93, 0.93]])
APART = np.array([[0.98, 0.98], [0.94, 0.96], [0.90, 0.92]])
TIED = np.array([[0.1, 0.1], [0.1, 0.1], [3.0, 3.0]])
EXACT = np.array([[0.625, 0.75, 0.875], [0.625, 0.625, 0.625]])  # binary fractions: .125 apart, and .125 the spread

BEST_RUN = Exercise(
    best_run,
    "the choice among runs",
    cases={
        "the example": (MATCH, FOLDS, 0.5),
        "a high limit": (MATCH, FOLDS, 9.0),
        "at the limit exactly": (MATCH, FOLDS + np.array([[0], [0.4], [0]]), 0.5),
        "at the limit exactly, and clearly better": (CALM, np.array([[0.0, 0.0], [0.5, 0.5], [0.25, 0.25]]), 0.5),
        "none is allowed": (MATCH, 1 + FOLDS[[1, 0, 2]], 0.5),
        "one lucky seed": (LUCKY, np.array([[0.1] * 3, [0.2] * 3, [0.0] * 3]), 0.5),
        "one lucky seed, and wide apart": (WIDE, np.array([[0.3] * 3, [0.2] * 3, [0.0] * 3]), 0.5),
        "a difference larger than one spread": (QUIET, np.array([[0.2] * 2, [0.0] * 2, [0.1] * 2]), 0.5),
        "a difference a bit less than the spread": (
            np.array([[0.940, 0.960], [0.932, 0.944]]),
            np.array([[0.2, 0.2], [0.1, 0.1]]),
            0.5,
        ),
        "folds in one seed of three": (
            CALM.repeat(2, 1)[:, 1:],
            np.array([[0.4] * 3, [0.9, 0.0, 0.0], [0.4] * 3]),
            0.5,
        ),
        "no seed changes anything": (CALM, 0 * CALM, 0.5),
        "the first one folds too much": (APART, FOLDS[::-1].copy(), 0.5),
        "two fold equally": (MATCH, TIED, 0.5),
        "one spread apart exactly": (EXACT, np.array([[0.2] * 3, [0.1] * 3]), 0.5),
        "seeds that differ much": (np.array([[0.5, 0.9], [0.69, 0.69]]), np.array([[0.2] * 2, [0.1] * 2]), 0.5),
    },
    mistakes="""
ddof=1 => ddof=0
ddof=1) => ddof=1) ** 2
    Your spread is not the standard deviation that is asked for. That of 0.94 and 0.96 is 0.0141. What is it in yours?
folds <= limit => folds < limit
< np.maximum => <= np.maximum
    Look at what is equal: allowed is a share of *at most* the limit, and as good is who is lower by *less* than the
    spread.
ncc.mean(axis=1) => ncc.max(axis=1)
folded.mean(axis=1) => folded.max(axis=1)
    You judge by a single seed, the highest NCC or the most folds of each. The rule speaks of means.
axis=1 => axis=0
    You average over the configurations. The seeds are the second axis.
np.maximum(spread, spread[best]) => spread
np.maximum(spread, spread[best]) => np.minimum(spread, spread[best])
np.maximum(spread, spread[best]) => spread[best]
np.maximum(spread, spread[best]) => (spread + spread[best]) / 2
    Of the two spreads, that of the best one and that of the other, the larger one counts.
np.where(as_good, folds, np.inf)) => np.where(as_good, -match, np.inf))
    You take the highest mean, also where another one is as good and folds less.
return np.argmin(folds) => return np.argmax(ncc.mean(axis=1))
    If none is allowed, you take the highest NCC. It should be the one that folds least.
np.where(allowed, ncc.mean(axis=1), -np.inf) => ncc.mean(axis=1)
    You compare with one that is not allowed.
""",
    telling="""
f(MATCH, FOLDS, 0.5)
    The example comes out wrong. Go through the rule by hand, sentence by sentence.
f(CALM, np.array([[0.0, 0.0], [0.5, 0.5], [0.25, 0.25]]), 0.5)
    Where no seed changes anything, the highest NCC that is allowed wins.
f(MATCH, 1 + FOLDS[[1, 0, 2]], 0.5)
    Where none is allowed, the one that folds least wins.
f(APART, FOLDS[::-1], 0.5)
    Let the first one fold too much, and the second one be clearly better than the third. Then it is the second one:
    number 1 of all.
f(MATCH, TIED, 0.5)
    Where two that are as good fold equally, the first one is taken.
""",
)

EXERCISES = [PARTNERS, THERE_AND_BACK, BEST_RUN]

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
np.roll(row, -1) => np.roll(row, -2)
    You skip one: it is the next but one.
""",
    telling="""
LABELS[np.asarray(f(LABELS, ORDER)).astype(int)] - LABELS
    Some partners are of another class.
np.sort(f(LABELS, ORDER))
    Some images are nobody's partner, others are used several times. Each must be taken once.
f(np.arange(6), np.arange(6)[::-1]) - np.arange(6)
    Where every image is alone in its class, each must be its own partner.
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
    You average squared distances. What is asked is in pixels.
u[inside] + (1 - s) => (1 - s)
    You return how long the way back is. How far is its end from home?
from_home = u[inside] + (1 - s) * above + s * below => from_home = u[inside] + v[inside]
    You read v at the pixel itself. One goes back from where u has led.
u, v = v, u
    You go by v first, and then by u.
r, c = rows + u[..., 0], columns + u[..., 1] => r, c = rows + u[..., 1], columns + u[..., 0]
    The two components are exchanged. The first is along rows, down.
inside = (r >= 0) => r, c = r.clip(0, height - 1), c.clip(0, width - 1); inside = (r >= 0)
    You bring those that have left the image back to its border, and count them.
(r - i)[:, None], (c - j)[:, None] => (r - i).round()[:, None], (c - j).round()[:, None]
    You read v at the nearest pixel. Between the pixels it is bilinear.
""",
    telling="""
f(0 * U, 0 * V)
    If nobody moves, all are at home: 0.
f(SHIFT, -SHIFT)
    A shift and the opposite shift lead home: 0.
f(0 * U, V) - np.mean(np.linalg.norm(V, axis=-1))
    If u leads nowhere, the distance is the length of v at each pixel.
f(SMALL, 0 * SMALL) - np.mean(np.linalg.norm(SMALL, axis=-1))
    If there is no way back, the distance is the length of u.
""",
)

MATCH = np.array([[0.93, 0.95], [0.94, 0.96], [0.98, 0.98]])
FOLDS = np.array([[0.0, 0.0], [0.1, 0.1], [3.0, 3.0]])
LUCKY = np.array([[0.70, 0.99, 0.70], [0.98, 0.98, 0.98], [0.80, 0.80, 0.80]])
WIDE = np.array([[0.90, 0.99, 0.90], [0.95, 0.95, 0.95], [0.80, 0.80, 0.80]])
QUIET = np.array([[0.950, 0.952], [0.940, 0.942], [0.938, 0.956]])
CALM = np.array([[0.90, 0.90], [0.96, 0.96], [0.93, 0.93]])

BEST_RUN = Exercise(
    best_run,
    "the choice among runs",
    cases={
        "the example": (MATCH, FOLDS, 0.5),
        "a high limit": (MATCH, FOLDS, 9.0),
        "at the limit exactly": (MATCH, FOLDS + np.array([[0], [0.4], [0]]), 0.5),
        "at the limit exactly, and clearly better": (CALM, np.array([[0.0, 0.0], [0.5, 0.5], [0.25, 0.25]]), 0.5),
        "none is allowed": (MATCH, FOLDS + 1, 0.5),
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
    },
    mistakes="""
ddof=1 => ddof=0
    Your standard deviation divides by S. It shall divide by S - 1.
folds <= limit => folds < limit
    What folds exactly as much as the limit says is allowed.
ncc.mean(axis=1) => ncc.max(axis=1)
    You compare the best seed of each. One lucky seed decides nothing.
folded.mean(axis=1) => folded.max(axis=1)
    You judge folds by the worst seed. The rule speaks of the mean.
np.maximum(spread, spread[best]) => spread
np.maximum(spread, spread[best]) => np.minimum(spread, spread[best])
np.maximum(spread, spread[best]) => spread[best]
    Of the two spreads, the larger one counts.
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
    No seed changes anything here, so the highest NCC that is allowed wins.
f(MATCH, FOLDS + 1, 0.5)
    Where none is allowed, the one that folds least wins.
""",
)

EXERCISES = [PARTNERS, THERE_AND_BACK, BEST_RUN]

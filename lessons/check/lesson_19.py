"""The checks of the exercises of lesson 19."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw, each_alone
from lessons.solutions.lesson_19 import confusion, half_square_gradient, vjp_max_pool

MANY = draw(1, 12, 4, low=-3, high=3)
TRUTH = np.array([0, 3, 2, 1, 0, 3, 2, 2, 0, 0, 3, 2])
EXAMPLE = np.array([[5.0, 1.0, 0.0], [2.0, 3.0, 0.0], [0.0, 4.0, 1.0]])

CONFUSION = Exercise(
    confusion,
    "who is taken for whom",
    cases={
        "the example": (EXAMPLE, np.array([0, 0, 1])),
        "all is right": (np.eye(3), np.arange(3)),
        "all are said to be one": (np.eye(3)[[1, 1, 1, 1]], np.array([0, 1, 2, 2])),
        "equal scores": (np.array([[2.0, 2.0], [1.0, 1.0]]), np.array([1, 1])),
        "one image": (np.array([[-3.0, -1.0, -2.0]]), np.array([2])),
        "many": (MANY, TRUTH),
    },
    mistakes="""
table / np.maximum(table.sum(axis=1, keepdims=True), 1) => table
    You count. Shares are asked for: what must a row add up to?
np.maximum(table.sum(axis=1, keepdims=True), 1) => len(z)
    You divide by the number of all images. A row is about the images of its class.
np.maximum(table.sum(axis=1, keepdims=True), 1) => np.maximum(table.sum(axis=0, keepdims=True), 1)
    You divide by how many are said to be of a class. Divide by how many are of it.
(labels, said) => (said, labels)
    Rows and columns are exchanged: the truth is the row.
np.argmax(z, axis=1) => np.argmin(z, axis=1)
    You take the smallest score. The largest one says the class.
np.add.at(table, (labels, said), 1) => table[labels, said] += 1
    Where the same mistake occurs twice you count it once. What does `table[i, j] += 1` do where a place comes twice?
np.maximum(table.sum(axis=1, keepdims=True), 1) => table.sum(axis=1, keepdims=True)
    A class without any image: 0 / 0. Its row is zeros.
np.argmax(z, axis=1) => classes - 1 - np.argmax(z[:, ::-1], axis=1)
    Of several scores that are equally large, you take the last one. The first one counts.
""",
    telling="""
f(np.eye(3), np.arange(3))
    Where all is right, only the diagonal has shares, and they are 1.
f(np.eye(3)[[1, 1, 1, 1]], np.array([0, 1, 2, 2]))
    Let all images be said to be class 1. Then column 1 is 1, and all else is 0.
np.sum(f(MANY, TRUTH), axis=1)
    Each row adds up to 1.
f(MANY[::-1], TRUTH[::-1]) - f(MANY, TRUTH)
    The order of the images does not matter.
f(10 * MANY - 50, TRUTH) - f(MANY, TRUTH)
    Scores may all be negative. Only which one is the largest matters.
""",
)

G, Z, CLASSES = draw(2, 5, low=-2, high=2), draw(3, 5, 4, low=-3, high=3), np.array([3, 0, 0, 2, 1])
THREE = np.log([[6.0, 3.0, 1.0]])
ONE = np.array([1.0])

HALF_SQUARE_GRADIENT = Exercise(
    half_square_gradient,
    "the gradient of the squared distance",
    cases={
        "the example": (ONE, THREE, np.array([0])),
        "the same, another truth": (ONE, THREE, np.array([2])),
        "equal scores": (ONE, np.zeros((1, 2)), np.array([1])),
        "a cotangent of -2": (-2 * ONE, THREE, np.array([1])),
        "several images": (G, Z, CLASSES),
        "sure and wrong": (ONE, np.array([[0.0, 20.0, 0.0]]), np.array([0])),
        "large scores": (ONE, np.array([[1000.0, 1001.0]]), np.array([0])),
        "large ones beside small ones": (np.ones(2), np.array([[900.0, 901.0], [-1.0, 0.5]]), np.array([0, 1])),
    },
    mistakes="""
p * (off - together) => off
    That is p - y, the gradient of cross-entropy.
(off - together) => off
    A score changes also the p of the other classes: it stands in the sum below each of them.
p * (off - together) => (off - together)
    A factor is missing: how fast does p_k grow with z_k?
p * (off - together) => p * (1 - p) * off
    You let each score change its own p only. If one p grows, the others shrink.
z - np.max(z, axis=1, keepdims=True) => z
    e^1000 is too large. What may one subtract from all scores?
z - np.max(z, axis=1, keepdims=True) => z - np.max(z)
    You subtract the largest score of the whole batch. Beside an image with large scores, all of another become e^-900.
g[:, None] * p => p
    The cotangent is missing.
g[:, None] * p => g[:, None] / len(g) * p
    You divide by the number of images. Whether there is a mean, the cotangent has said.
""",
    telling="""
f(ONE, np.zeros((1, 2)), np.array([1]))
    Take two equal scores: p is (.5, .5). Compute the change of both p by hand, if the first score grows a little.
np.sum(f(G, Z, CLASSES), axis=1)
    If all scores of an image grow by the same, p stays. So the numbers of a row must add up to 0.
f(ONE, np.array([[0.0, 20.0, 0.0]]), np.array([0]))
    Sure and wrong, the loss is flat: all is 0.
f(-2 * G, Z, CLASSES) + 2 * f(G, Z, CLASSES)
    Twice the cotangent, and of the other sign, asks for twice as much, and for the opposite.
f(ONE, Z[:1] + 7, CLASSES[:1]) - f(ONE, Z[:1], CLASSES[:1])
    If 7 is added to all scores, nothing changes.
""",
)

TIES = np.array([[3.0, 3.0, 0.0, 1.0], [3.0, 3.0, 2.0, 2.0], [0.0, 4.0, 5.0, 5.0], [4.0, 1.0, 5.0, 0.0]])
X, GX = draw(4, 2, 4, 6, 2), draw(5, 2, 2, 3, 2, low=-1)
ODD, G_ODD = draw(6, 1, 5, 3, 1), draw(7, 1, 2, 1, 1, low=-1)

VJP_MAX_POOL = Exercise(
    vjp_max_pool,
    "the way back through max-pooling",
    cases={
        "the example": (np.full((1, 1, 1, 1), 6.0), np.array([[1.0, 5.0], [5.0, 2.0]]).reshape(1, 2, 2, 1)),
        "one window": (np.full((1, 1, 1, 1), 2.0), np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)),
        "all are negative": (np.full((1, 1, 1, 1), 2.0), np.array([[-1.0, -4.0], [-3.0, -2.0]]).reshape(1, 2, 2, 1)),
        "two, three and four that are equal": (draw(8, 1, 2, 2, 1, low=1, high=9), TIES.reshape(1, 4, 4, 1)),
        "black": (np.ones((1, 1, 2, 1)), np.zeros((1, 2, 4, 1))),
        "an odd height and width": (G_ODD, ODD),
        "several images and channels": (GX, X),
    },
    mistakes="""
/ wins.sum(axis=(2, 4), keepdims=True) => + 0 * wins
    Each of several that are equal gets all of the cotangent. They share it.
x = np.asarray(x) - 1e-9 * np.arange(np.size(x)).reshape(np.shape(x))
    Of several that are equal, only one gets the cotangent. They share it.
wins = windows == windows.max(axis=(2, 4), keepdims=True) => wins = np.ones(windows.shape)
    You share it among all four pixels. That is the way back of a mean. The largest one alone was looked at.
windows.max( => windows.min(
    It goes to the smallest pixel.
(wins * share) => (wins * windows * share)
    You multiply by the pixel. The result is the pixel itself, so its slope is 1.
wins = windows == windows.max(axis=(2, 4), keepdims=True) => wins = windows > windows.mean(axis=(2, 4), keepdims=True)
    All pixels above the mean of their window get something. The largest one alone was looked at.
g_x[:, : 2 * rows, : 2 * columns] = (wins * share) => g_x[:, -2 * rows :, -2 * columns :] = (wins * share)
    If a height or a width is odd, you leave out the first row or column. The windows begin at pixel (0, 0).
windows.max(axis=(2, 4), keepdims=True) => np.maximum(windows.max(axis=(2, 4), keepdims=True), 0)
    Where all pixels of a window are negative, the largest one of them still wins.
""",
    telling="""
f(np.full((1, 1, 1, 1), 2.0), np.array([[1.0, 4.0], [3.0, 2.0]]).reshape(1, 2, 2, 1))
    Take one window, (1, 4) above (3, 2), and the cotangent 2. The pixel 4 gets the 2, and the others get 0.
np.sum(f(GX, X), axis=(1, 2)) - np.sum(GX, axis=(1, 2))
    What comes back is as much as came in, in every image and every channel.
f(GX, X) - f(GX, X + 3)
    If all pixels become brighter by 3, the same ones win.
f(np.ones((1, 1, 2, 1)), np.zeros((1, 2, 4, 1)))
    In a black image all four pixels of a window are equal, so each gets a quarter.
""",
    properties=[each_alone(GX, X)],
)

EXERCISES = [CONFUSION, HALF_SQUARE_GRADIENT, VJP_MAX_POOL]

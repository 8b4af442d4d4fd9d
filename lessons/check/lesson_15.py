"""The checks of the exercises of lesson 15."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw, each_alone
from lessons.solutions.lesson_15 import compose_affine, gauss_newton_affine, rigid_from_points

RIGHT = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]])
DOUBLE = np.array([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
QUARTER = np.array([[[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]])
IDENTITY = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
SHEAR = np.array([[[1.0, 0.5, 0.0], [0.0, 1.0, 0.0]]])
MAP, OTHER = draw(1, 3, 2, 3, low=-2, high=2), draw(2, 3, 2, 3, low=-2, high=2)

COMPOSE_AFFINE = Exercise(
    compose_affine,
    "two affine maps become one",
    cases={
        "the example": (RIGHT, DOUBLE),
        "doubled first, then to the right": (DOUBLE, RIGHT),
        "to the right, then a quarter turn": (RIGHT, QUARTER),
        "a quarter turn, then a shear": (QUARTER, SHEAR),
        "three random pairs": (MAP, OTHER),
    },
    mistakes="""
first, second = second, first
    You go along `second` first. What happens to a place x, step by step?
second[..., :2] @ first[..., :2] => first[..., :2] @ second[..., :2]
    Your shift is right, your matrices are multiplied in the other order. x meets the matrix of `first` first.
second[..., :2] @ first[..., 2:] + second[..., 2:] => first[..., 2:] + second[..., 2:]
    You add both shifts. But after the first shift comes the second matrix. What does it do to the shift?
second[..., :2] @ first[..., 2:] + second[..., 2:] => second[..., :2] @ first[..., 2:]
    The shift of `second` is missing.
second[..., :2] @ first[..., 2:] + second[..., 2:] => second[..., :2] @ (first[..., 2:] + second[..., 2:])
first[..., 2:] + second[..., 2:] => first[..., 2:] + first[..., :2] @ second[..., 2:]
    A shift comes after the matrix of its own map. The matrix of `second` meets the shift of `first`, and no other does.
second[..., :2] @ first[..., :2] => second[..., :2] * first[..., :2]
    You multiply the matrices number by number. One after the other, they make a matrix product.
second[..., :2] @ first[..., :2] => second[..., :2] @ first[..., :2] - np.eye(2)
    You return a displacement, A - I. Asked is where x goes, not by how much.
""",
    properties=[each_alone(MAP, OTHER)],
    telling="""
f(IDENTITY, OTHER[:1])
    After [I | 0], which moves nothing, `second` alone must be left.
f(MAP[:1], IDENTITY)
    Before [I | 0], which moves nothing, `first` alone must be left.
f(RIGHT, RIGHT)
    One to the right and one to the right make two to the right.
f(RIGHT, QUARTER) - f(QUARTER, RIGHT)
    Take the centre, x = 0. `first` takes it one to the right. Where does a quarter turn take it from there? And in the
    other order?
""",
)

CORNER, TURNED = np.array([[0.0, 0], [0, 1], [2, 0]]), np.array([[5.0, 5], [6, 5], [5, 3]])
POINTS = draw(3, 6, 2, low=0, high=20)


def _moved(points, degrees, shift, noise=0.0):
    a = np.radians(degrees)
    turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return np.round(points @ turn.T + shift + noise * draw(4, *points.shape, low=-1), 2)


SHIFTED = POINTS + np.array([3.0, -4.0])

RIGID_FROM_POINTS = Exercise(
    rigid_from_points,
    "a turn and a shift from landmarks",
    cases={
        "the example": (CORNER, TURNED),
        "two landmarks": (POINTS[:2], _moved(POINTS[:2], 30, (1, 2))),
        "a shift": (POINTS, SHIFTED),
        "a small turn": (POINTS, _moved(POINTS, -20, (0, 0))),
        "more than a quarter turn": (POINTS, _moved(POINTS, 130, (10, 20))),
        "landmarks that nobody found exactly": (POINTS, _moved(POINTS, 60, (5, -4), 2.0)),
        "a distance that has grown": (CORNER, 2 * TURNED),
    },
    mistakes="""
x, y = p - p.mean(axis=0), q - q.mean(axis=0) => x, y = p, q
    You look for the angle before the shift has been taken away. Seen from where is only the angle left?
cross = np.sum( => cross = -np.sum(
    Your angle has the wrong sign. The first row of A says: row of q = cos a * row of p + sin a * column of p.
np.arctan2(cross, dot) => np.arctan(cross / dot)
    `arctan` of a quotient does not know more than a quarter turn. `arctan2` takes both numbers.
np.arctan2(cross, dot) => np.arctan2(dot, cross)
    The arguments of `arctan2` are exchanged: first what belongs to the sine.
t = q.mean(axis=0) - turn @ p.mean(axis=0) => t = q.mean(axis=0) - p.mean(axis=0)
    The angle is right. But A turns about the corner of the image, not about the centre of the landmarks: where does it
    take that centre?
t = q.mean(axis=0) - turn @ p.mean(axis=0) => t = q[0] - turn @ p[0]
    Your shift comes from one landmark. All of them count.
t = q.mean(axis=0) - turn @ p.mean(axis=0) => t = q.mean(axis=0) - turn.T @ p.mean(axis=0)
fixed_points, moving_points = moving_points, fixed_points
    Your way leads back: from the moving image to the fixed one, or by the inverse matrix.
np.array([a, *t]) => np.array([np.degrees(a), *t])
    The angle should be in radians.
""",
    telling="""
f(POINTS, POINTS)
    Where nothing has moved, all three numbers are 0.
f(POINTS, SHIFTED)
    Where all landmarks have moved by (3, -4), that is t, and the angle is 0.
f(CORNER, 3 * TURNED)[:1]
    Where all distances grow alike, the angle stays the same.
f(POINTS, POINTS @ [[0, -1], [1, 0]])
    A quarter turn about the corner of the image has no shift. Where does A, with a = pi / 2, take the place (0, 1)?
f(POINTS, POINTS[::-1])
    Where landmarks do not fit exactly, the best angle is another one than yours.
""",
)

Y, FIXED, SLOPES = draw(5, 4, 5), draw(6, 4, 5), draw(7, 4, 5, 2, low=-1)
ROWS, COLUMNS = np.indices((4, 4))
DOWN = (ROWS + COLUMNS) % 2 == 0
BOARD = np.stack([DOWN, ~DOWN], axis=-1).astype(float)
LACKS = np.where(DOWN, 0.5, 0.2 * (COLUMNS - 1.5))

GAUSS_NEWTON_AFFINE = Exercise(
    gauss_newton_affine,
    "a step for six numbers",
    cases={
        "the example": (np.zeros((4, 4)), LACKS, BOARD),
        "the board, and it is too bright": (LACKS, np.zeros((4, 4)), BOARD),
        "a random image": (Y, FIXED, SLOPES),
        "more rows than columns": (Y.T, FIXED.T, SLOPES.transpose(1, 0, 2)),
    },
    mistakes="""
(fixed - y).ravel() => (y - fixed).ravel()
    You walk the wrong way: from the fixed image to y. What is missing to the fixed image?
rows - (height - 1) / 2, columns - (width - 1) / 2 => rows, columns
rows - (height - 1) / 2, columns - (width - 1) / 2 => rows - height / 2, columns - width / 2
rows - (height - 1) / 2, columns - (width - 1) / 2 => rows - (width - 1) / 2, columns - (height - 1) / 2
    Your places are not seen from the centre of the image, ((H - 1) / 2, (W - 1) / 2).
slopes[..., :, None] * places => slopes[..., ::-1, None] * places
    The slopes are exchanged: the first one belongs to the first row of B and s.
.reshape(2, 3) => .reshape(3, 2).T
    The six numbers are right, and lie in the wrong order.
np.linalg.solve(changes.T @ changes, changes.T @ missing) => (changes.T @ missing)
    That is the gradient, with a minus. It says where, not how far. Set the six derivatives of the sum to 0: six
    equations for six numbers.
np.linalg.solve(changes.T @ changes, changes.T @ missing) => (changes.T @ missing / np.sum(changes**2, axis=0))
    You find each number as if the others stayed 0. They have to be found together.
.reshape(2, 3) => .reshape(2, 3) + np.eye(2, 3)
    You return the new map. Asked is what has to be added.
rows - (height - 1) / 2, columns - (width - 1) / 2 => columns - (width - 1) / 2, rows - (height - 1) / 2
    Rows and columns of the places are exchanged: B (p - c) takes the row first.
""",
    telling="""
f(FIXED, FIXED, SLOPES)
    Where y is the fixed image already, nothing is to be added.
f(Y, Y + SLOPES.sum(axis=-1), SLOPES)
    Where all pixels lack what a shift by (1, 1) brings, B is 0 and s is (1, 1): [[0, 0, 1], [0, 0, 1]].
f(np.zeros((4, 4)), LACKS, BOARD)
    Compute the example by hand: which of the six numbers can be other than 0?
f(Y, FIXED, 2 * SLOPES)
    With slopes twice as steep, half the step is enough. If yours is half as long: the first row of B and s belongs to
    the slopes along rows, and in it stand what the row of a place, its column, and 1 are multiplied by.
f(Y, FIXED, SLOPES)
    For a random image another step leaves less than yours.
""",
)

EXERCISES = [COMPOSE_AFFINE, RIGID_FROM_POINTS, GAUSS_NEWTON_AFFINE]

"""The checks of the exercises of lesson 9."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_09 import bending_gradient, fold_free, folding_gradient
from minireg.fields import corner_determinants

LINE = draw(1, 7, low=-2, high=2)

BENDING_GRADIENT = Exercise(
    bending_gradient,
    "the gradient of the squared second differences",
    cases={
        "the example": (np.array([0.0, 0, 1, 0, 0]),),
        "three pixels": (np.array([1.0, 0, 3]),),
        "a parabola": (np.arange(6.0) ** 2,),
        "seven random displacements": (LINE,),
    },
    mistakes="""
len(second) => len(line)
    The mean is over the second differences. How many of them are there in a line of n pixels?
/ len(second) => + 0
    You have the gradient of the *sum*. By what does the mean divide?
gradient[1:-1] -= 2 * push => gradient[1:-1] -= push
gradient[1:-1] -= 2 * push => gradient[1:-1] += 2 * push
    The pixel in the middle enters a second difference with -2. Your factor for it is another one.
gradient[:-2] += push => pass
gradient[2:] += push => pass
    A second difference depends on three pixels. Do all three get a share of it, with their own factor?
+= push => = push
gradient[1:-1] -= 2 * push => gradient[1:-1] = -2 * push
    You write a share over one that was there already. A pixel has a part in up to three second differences.
d = np.diff(line); return 2 * (np.append(0, d) - np.append(d, 0)) / len(d)
    This is the gradient of the lesson's roughness, of first differences. A steady slope still costs something here.
line = line - np.linspace(line[0], line[-1], len(line)); return 2 * line / len(line)
    You charge the displacements themselves, not how they bend. Write down the three differences of the example first.
""",
    telling="""
f(2 * np.arange(6.0) + 1)
    A line that climbs steadily has no second difference other than 0. So all of your result must be 0.
np.sum(f(LINE))
    Add 1 to all displacements, and no difference changes. So your result must add up to 0. Yours does not.
f(-3 * LINE) + 3 * f(LINE)
    A square has a gradient that grows with its argument: -3 times the line must give -3 times the result.
f(LINE[::-1])[::-1] - f(LINE)
    Read the line from its other end: your result must be reversed, too. What happens at the two ends?
np.sum(f(LINE) * LINE)
    Your result times the line must add up to twice the roughness, as for every square. Which factor is wrong?
""",
)

folds = lambda u: np.min(corner_determinants(u[None])) <= 0
ROWS, COLUMNS = np.indices((6, 7))
CHECKERS = np.stack([np.where((ROWS + COLUMNS) % 2, 0.8, -0.8), 0.0 * ROWS], axis=-1)
CHECKERS[[0, -1]] = CHECKERS[:, [0, -1]] = 0  # central differences see one that reaches the border
U, STEP = draw(2, 4, 5, 2, low=-0.2, high=0.2), draw(3, 4, 5, 2, low=-2, high=2)
UP, ONTO, FAR = np.zeros((3, 2, 2, 2))
UP[1, 1], ONTO[1, 1], FAR[1, 0] = (-3.0, 0.0), (-1.0, 0.0), (-1.6, -0.4)
INTO = np.zeros((2, 2, 2, 2, 2))  # each pixel of a cell in turn, so far into the cell that only its own corner folds
for i, j in np.ndindex(2, 2):
    INTO[i, j, i, j] = 0.6 - 1.2 * i, 0.6 - 1.2 * j

FOLD_FREE = Exercise(
    fold_free,
    "as far as space does not fold",
    cases={
        "the example": (0 * UP, UP),
        "one pixel comes to lie on another": (0 * UP, ONTO),
        "the lower left pixel": (0 * UP, FAR),
        "a step that may be gone as a whole": (U, 0.1 * STEP),
        "a random step": (U, STEP),
        "a checkerboard": (0 * CHECKERS, CHECKERS),
        **{f"pixel {i, j} into its cell": (0 * UP, INTO[i, j]) for i, j in np.ndindex(2, 2)},
    },
    mistakes="""
return u + step
    You always go the whole step. Look first whether the field folds after it.
factor / 2 => factor / 3
factor / 2 => factor - 0.1
    Your parts are others than 1, 1/2, 1/4, ...: each time it folds, half of the last part is tried.
factor = 1.0 => factor = 0.5
    You begin too short. Where the whole step does not fold, all of it is wanted.
return u + factor * step => return factor * step
return u + factor * step => return np.array(factor)
    The *field* after the step is wanted: u, and that part of the step.
_folds(u + factor * step) => _folds(factor * step)
    You look whether another field folds than the one that you return. Which one must not fold?
<= 0 => < 0
    A determinant of exactly 0 is a fold, too: there, a piece of area has shrunk to nothing.
np.min(corners) => np.min(np.mean(corners, axis=0))
np.min(corners) => np.min(corners[0])
np.min(corners) => np.min(np.max(corners, axis=0))
    A cell has four corners, and each can fold while the others, or their mean, do not. Yours are not all asked.
np.min(corners) => np.mean(corners)
    A single fold is one too many. You ask for the mean of all corners, and there one does not count.
""",
    telling="""
f(0 * UP, UP / 4)
    A quarter of the step of the example leaves the determinants .25 and 1. That is no fold, so all of it is wanted.
    Yours is too short. Print your determinants: which are they?
f(U, 0.1 * STEP) - U
    A tenth of this step folds nothing, so you can go all of it. Yours is another field.
float(folds(f(0 * CHECKERS, CHECKERS)))
    Pixels go to and fro in turn here, and that folds. Central differences do not see it. Which ones do?
[float(folds(f(*case))) for case in ((U, STEP), *((0 * UP, step) for step in INTO.reshape(4, 2, 2, 2)))]
    What you return still folds. Look at all cells and all four corners of the field that you return, and at the whole
    cross product.
(f(U, STEP) - U) / STEP
    All pixels go the same part of their step: 1, or 1/2, or 1/4, and so on. Divide what you have added to u by the
    step: which parts have yours gone?
""",
)

FIELD, DIRECTION = draw(5, 5, 6, 2, low=-1, high=1), draw(6, 5, 6, 2, low=-1, high=1)
CELL, NEARLY = np.zeros((2, 2, 2, 2))
CELL[1, 0], NEARLY[1, :] = (-1.5, 0.0), (-0.95, 0.0)

FOLDING_GRADIENT = Exercise(
    folding_gradient,
    "the gradient of a price on folding",
    cases={
        "the example": (CELL,),
        "a cell that has nearly no height": (NEARLY,),
        "nothing comes near to a fold": (0.1 * FIELD,),
        "2 x 3 pixels": (draw(7, 2, 3, 2, low=-1, high=1),),
        "5 x 6 pixels": (FIELD,),
    },
    mistakes="""
0.1 - _cross => 0 - _cross
    You charge only what is below 0. The price begins at 0.1, before a corner folds.
np.maximum(0.1 - _cross(v, w), 0) => 0.1 - _cross(v, w)
np.maximum(0.1 - _cross(v, w), 0) => np.abs(0.1 - _cross(v, w))
    In your result corners above 0.1 pay, too. What is the derivative of max(x, 0) where x is below 0?
-2 * lacking[..., None] => -1.0 * (lacking > 0)[..., None]
    You have the gradient of max(0.1 - det, 0) without the square. How deep a fold is must count.
/ (4 * lacking.size) => / lacking.size
/ (4 * lacking.size) => + 0
4 * lacking.size => sum(np.sum(_cross(down[:, k], right[i]) < 0.1) for i in (first, last) for k in (first, last)) or 1
    By what does the mean divide? It is over all cells, and over the four corners of each, also those that pay nothing.
g_u[:-1] -= g_down => pass
g_u[:, :-1] -= g_right => pass
g_u[1:] += g_down => pass
g_u[:, 1:] += g_right => pass
    An edge is a difference of two pixels. Does each of them get its share, with its own sign?
-w[..., 0]] => w[..., 0]]
[-v[..., 1], v => [v[..., 1], v
[-v[..., 1], v[..., 0]] => [v[..., 1], -v[..., 0]]
    A sign in the derivative of the cross product is wrong. Write down v_row w_column - v_column w_row again.
g_down[:, columns] += g * np.stack([w[..., 1], -w[..., 0]], axis=-1) => pass
g_right[rows] += g * np.stack([-v[..., 1], v[..., 0]], axis=-1) => pass
    A determinant is a product of two edges, and both depend on u. Only one of them gets a share in your result.
+= g * => = g *
(first, first), (first, last), (last, first), (last, last) => (first, first),
    An edge meets others at up to four corners of cells. It gets a share from each of them, and all are added up.
""",
    telling="""
f(0.1 * FIELD)
    Where nothing moves, every determinant is 1. A field of small arrows is far from a fold, and nothing is to be paid.
    So all of your result must be 0.
np.sum(f(FIELD), axis=(0, 1))
    Move all pixels alike, and no edge changes. So each component of your result must add up to 0.
f(NEARLY)
    A cell of height 0.05 does not fold yet, but has to pay. Work it out by hand: all four determinants are 0.05.
np.sum(f(FIELD) * DIRECTION)
    It fails the gradient check: along a random direction, a difference quotient of the price is another number.
""",
)

EXERCISES = [BENDING_GRADIENT, FOLD_FREE, FOLDING_GRADIENT]

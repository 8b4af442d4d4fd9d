"""The checks of the exercises of lesson 4."""

import numpy as np

from lessons.check.calling import Hint
from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_04 import descend_until_level, gauss_newton_step, slope_of_masked_loss


def _images(seed, u, h, w, channels, share=0.6):
    mask = draw(seed + 1, h, w) < share
    mask[0, 0] = True
    return np.array(u), *draw(seed, 2, h, w, channels), mask


U, MOVING, FIXED, MASK = _images(41, (0.3, -0.6), 5, 6, 2)
RAMP, MIDDLE = np.broadcast_to(0.1 * np.arange(8.0)[:, None, None], (8, 8, 1)).copy(), np.zeros((8, 8), bool)
MIDDLE[3:5, 3:5] = True
FAR = np.pad(np.zeros((3, 3, 1)), ((3, 2), (3, 2), (0, 0)), constant_values=1)  # 0 where the middle looks


def is_no_difference_quotient(f):
    arguments = [(np.array(u), MOVING, FIXED, MASK) for u in ((0.3, 0.6), (0.3, 1 - 1e-9), (1 - 1e-9, 0.6))]
    right = [np.allclose(f(*each), slope_of_masked_loss(*each), rtol=1e-4) for each in arguments]
    if right[0] and not all(right):
        return (
            "A billionth of a pixel before a kink, your slope is not that before the kink. If you take a difference "
            "quotient: its two ends lie on two sides of the kink. The formula of the lesson needs no second place."
        )


SLOPE_OF_MASKED_LOSS = Exercise(
    slope_of_masked_loss,
    "the slope of the loss within a mask, for images with channels",
    components=("u_row", "u_column"),
    cases={
        "the example": (
            np.array([0.0, 0.5]),
            np.array([0.0, 0.2, 1.0]).reshape(1, 3, 1),
            np.zeros((1, 3, 1)),
            np.array([[False, True, False]]),
        ),
        "a grey image of 3 x 3 pixels that all count": _images(1, (0.5, 0.25), 3, 3, 1, share=2),
        "only some pixels count": _images(3, (0.4, 1.6), 5, 4, 1),
        "a negative displacement": _images(4, (-0.7, -1.4), 5, 4, 1),
        "three channels": _images(5, (0.8, -0.3), 4, 7, 3),
        "whole numbers, at a kink": _images(6, (1.0, -2.0), 5, 5, 2),
    },
    mistakes="""
count = np.sum(mask) * moving.shape[2] => count = moving.size
np.sum(mask) * moving.shape[2] => np.sum(mask)
    You divide by the wrong number. The pixels inside the mask count, no others, and each of them has C channels.
dy_du_row = => s, t = t, s; dy_du_row =
    s and t are exchanged in the derivatives. Along the rows the weights are those of t.
dy_du_row = => s, t = 1 - s, 1 - t; dy_du_row =
    Of the two differences, the one further away counts more: the weights s and 1 - s, or t and 1 - t, are exchanged.
dy_du_row = => s = t = 0; dy_du_row =
dy_du_row = => s = t = 1; dy_du_row =
dy_du_row = => s = t = 0.5; dy_du_row =
    You take one difference of neighbours along each axis, or their mean. There are two, and the nearer counts more.
math.floor => int
math.floor => round
    You need the whole number *below* u. `int` and `astype(int)` go towards 0, `round` to the nearest one.
math.floor(u[0]), math.floor(u[1]) => math.ceil(u[0]) - 1, math.ceil(u[1]) - 1
    At whole numbers you give the slope before the kink. The one behind it is meant.
u = -u
shifted(moving, i + down, j + right) => np.roll(moving, (-i - down, -j - right), (0, 1))
    Your warped image looks at p - u, or sees beyond a border what lies at the opposite one. It has to look at p + u,
    and to find 0 out there.
g = 2 * (y - fixed) * mask[..., None] / count => k = mask[..., None] / count; g = 2 * np.sum((y - fixed) * k) * k
    You multiply the mean difference by the mean slope. Each pixel's own difference must meet its own slope.
""",
    telling="""
f(U, MOVING, np.where(MASK[..., None], FIXED, 5.0), MASK) - f(U, MOVING, FIXED, MASK)
    Pixels of the fixed image outside the mask must not matter, but your result changes with them.
f(U, MOVING[..., ::-1], FIXED[..., ::-1], MASK) - f(U, MOVING, FIXED, MASK)
    The order of the channels must not matter, but your result changes with it. Do all of them count?
f(np.array([0.25, 0.5]), RAMP + FAR, RAMP, MIDDLE) - f(np.array([0.25, 0.5]), RAMP, RAMP, MIDDLE)
    Only the four pixels around a place may matter, but others change your result. Do you take differences across two?
f(np.array([0.25, 0.5]), RAMP, RAMP + 0.025 - 0.3, MIDDLE)
    A moving image that becomes brighter by .1 per row, not along the columns, and that is .3 too bright everywhere in
    the mask, has the slope (.06, 0). Yours is another one. Do you warp the image before you mask and compare it?
""",
    properties=[is_no_difference_quotient],
)

round_bowl = lambda u: 2 * (u - np.array([1.0, -2.0]))
long_bowl = lambda u: np.array([0.2, 3.0]) * (u - np.array([0.5, 1.5]))
bowl_at_zero = lambda u: 2 * u


def _counted(descend_until_level):
    """How many places the path has, and the path, filled up with zeros, so that paths of any length can be compared."""

    def result(slope, u, step, tolerance, most):
        path = descend_until_level(slope, u, step, tolerance, most)
        if isinstance(path, tuple):
            raise Hint(f"It returns {len(path)} results, expected one: the path.")
        path = np.asarray(path)
        if path.shape != (len(path), 2):
            raise Hint(f"The path has shape {path.shape}, expected (k + 1, 2): every place is a row.")
        return len(path), np.concatenate([path, np.zeros((most + 2, 2))])[: most + 2]

    return result


LONG = long_bowl, np.array([3.0, -1.0]), 0.2, 0.05, 100

DESCEND_UNTIL_LEVEL = Exercise(
    descend_until_level,
    "gradient descent with a rule when to stop",
    through=_counted,
    results=("the number of places", "the path"),
    cases={
        "the example": (bowl_at_zero, np.array([4.0, 0.0]), 0.25, 2.5, 10),
        "a round valley, from another side": (round_bowl, np.array([-2.0, -6.0]), 0.1, 0.5, 100),
        "a valley that is long in one direction": LONG,
        "both components are below the tolerance before the length is": (round_bowl, np.ones(2) * 3, 0.05, 1.0, 60),
        "the limit comes first": (long_bowl, np.array([9.0, 1.0]), 0.1, 1e-6, 5),
        "the start is level already": (round_bowl, np.array([1.1, -2.1]), 0.1, 0.5, 100),
        "a slope is exactly as long as the tolerance": (bowl_at_zero, np.array([4.0, 0.0]), 0.25, 2.0, 10),
        "no step is allowed": (round_bowl, np.array([4.0, 1.0]), 0.1, 0.5, 0),
    },
    mistakes="""
- step * here => + step * here
    You go uphill: the slope says where the loss *grows*.
return np.array(path) => return np.reshape(path[1:], (-1, 2))
    The start is missing from the path.
path.append(path[-1] - step * here) => path[-1] -= step * here; path.append(path[-1])
    All rows of the path are the last place: one and the same array is in the list again and again, and changes.
< tolerance: => < tolerance and path.append(path[-1] - step * here) is None:
    You take one step more after the place where the ground is level. Ask before you step.
np.linalg.norm(here) => np.abs(here).max()
np.linalg.norm(here) => np.abs(here).min()
np.linalg.norm(here) => np.abs(here).sum()
np.linalg.norm(here) => np.sum(here**2)
    Level means that the *length* of the slope is small. Do you look at one component, a sum, or the squared length?
< tolerance => >= tolerance
    You stop where the ground is steep: larger and smaller are exchanged.
< tolerance => <= tolerance
    Where the slope is exactly as long as the tolerance, the ground is not level yet: it has to be smaller.
range(most) => range(most - 1)
range(most) => range(most + 1)
    You take one step less or one more than `most`. A path has one place more than it has steps.
""",
    telling="""
np.abs(f(*LONG)[1:] - f(*LONG)[:-1] + 0.2 * long_bowl(f(*LONG)[:-1])).max()
    Every place must be the one before minus step * slope there. Where do you take the slope, and from where do you go?
[min(np.linalg.norm(long_bowl(f(*LONG)[part]), axis=1)) < 0.05 for part in (np.s_[:-1], np.s_[-1:])]
    The slope must be below `tolerance` at the last place of the path, not before. When do you ask, and of what?
""",
)


def _linear(seed, h, w, correlation=0.6, noise=0.1):
    """An image, slopes that go together along rows and columns, and what the image becomes if it moves."""
    y = draw(seed, h, w)
    dy_du = draw(seed + 1, h, w, 2, low=-0.8, high=0.8)
    dy_du[..., 1] = np.round(dy_du[..., 1] + correlation * dy_du[..., 0], 2)
    return y, np.round(y + dy_du @ (0.8, -0.5) + draw(seed + 2, h, w, low=-noise, high=noise), 3), dy_du


IMAGE, WANTED, SLOPES = _linear(51, 4, 5)

GAUSS_NEWTON_STEP = Exercise(
    gauss_newton_step,
    "a step that needs no step size",
    components=("u_row", "u_column"),
    cases={
        "the example": (np.zeros((1, 2)), np.array([[0.5, 0.6]]), np.array([[[1.0, 0.0], [0.0, 2.0]]])),
        "2 x 3 pixels": _linear(2, 2, 3),
        "slopes along rows and columns that go together": _linear(4, 6, 5, correlation=2),
        "faint images": tuple(1e-3 * x for x in (IMAGE, WANTED, SLOPES)),
    },
    mistakes="""
np.linalg.solve(J.T @ J, J.T @ residual) => J.T @ residual / np.sum(J * J, axis=0)
J.T @ J, => np.tril(J.T @ J),
    You solve for one direction without the other. If their slopes go together, both steps do the same work twice.
fixed - y => y - fixed
    You go the wrong way: is the difference fixed - y or y - fixed, and is the step to be added?
np.linalg.solve(J.T @ J, J.T @ residual) => J.T @ residual
np.linalg.solve(J.T @ J, J.T @ residual) => J.T @ residual / len(J)
    This is the direction downhill, but it does not say how far. What do the squared slopes of the image tell you?
J.T @ J, => J.T @ J * [[1, -1], [-1, 1]],
return => A = J.T @ J; return 1 / (1 + 2 * A[0, 1] ** 2 / np.linalg.det(A)) *
    You solve the two equations by hand: a sign is wrong where the element off the diagonal comes in.
J.T @ J, => J.T @ J / len(J),
J.T @ residual) => J.T @ residual / len(J))
    One side of your equations is a sum, the other a mean.
dy_du.reshape(-1, 2) => dy_du.reshape(2, -1).T
(fixed - y).ravel() => (fixed - y).T.ravel()
    Slopes and differences of different pixels come together. Did `reshape(2, -1)` or `.T` mix their order?
(fixed - y).ravel() => fixed.ravel()
    Your equations hold the fixed image, not the difference that is left.
""",
    telling="""
f(IMAGE, IMAGE, SLOPES)
    Where the warped image is the fixed one the step must be (0, 0). Do you divide by the slope of one pixel?
f(*(1e-3 * x for x in (IMAGE, WANTED, SLOPES))) - f(IMAGE, WANTED, SLOPES)
    If all arrays become fainter alike, the step must stay. Is something added to the matrix, or a division missing?
f(IMAGE, IMAGE + SLOPES @ (0.3, -0.7), SLOPES)
    If fixed is y + .3 dy/du_row - .7 dy/du_column, the step must be (.3, -.7). Do you average steps of single pixels?
(WANTED - IMAGE - SLOPES @ f(IMAGE, WANTED, SLOPES)).ravel() @ SLOPES.reshape(-1, 2)
    Another step near yours gives a smaller sum of squares. Does every pixel count, in both equations?
""",
)

EXERCISES = [DESCEND_UNTIL_LEVEL, SLOPE_OF_MASKED_LOSS, GAUSS_NEWTON_STEP]

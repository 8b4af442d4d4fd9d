"""The checks of the exercises of lesson 4."""

import itertools
import math

import numpy as np

from lessons.check.checking import Case, Exercise, Mistake
from lessons.exercises.lesson_04 import shifted
from minireg import backend, ops

# ---- slope_of_masked_loss


def _images(seed, u, h, w, channels, share=0.6):
    rng = np.random.default_rng(seed)
    moving, fixed = rng.random((2, h, w, channels))
    mask = rng.random((h, w)) < share
    mask[0, 0] = True
    return np.array(u), moving, fixed, mask


def _warped(u, moving):
    displacement = np.broadcast_to(u, (1, *moving.shape[:2], 2)).copy()
    warped = ops.warp(backend.to_device(moving[None]), backend.to_device(displacement))
    return backend.to_host(warped.data)[0]


def _derivative(u, moving, axis, h=0.02):
    """Of every pixel, to the right. Within a cell the intensity is a straight line: no error."""
    return (_warped(u + h * np.eye(2)[axis], moving) - _warped(u, moving)) / h


def _masked_loss(u, moving, fixed, mask):
    return np.mean((_warped(u, moving)[mask] - fixed[mask]) ** 2)


def _slope_reference(u, moving, fixed, mask, h=0.02):
    """A difference quotient to the right. Within a cell the loss is a parabola, for which this one is exact."""
    loss = lambda e: _masked_loss(u + e, moving, fixed, mask)
    return np.array([(4 * loss(e) - loss(2 * e) - 3 * loss(0 * e)) / (2 * h) for e in h * np.eye(2)])


def _floor(x):
    return math.floor(x)


def _slope(u, moving, fixed, mask, floor=_floor, exchange=False, count=None, factor=2.0, of=None, counts=None):
    """The slope as a learner would write it, with a place for each mistake."""
    i, j = floor(u[0]), floor(u[1])
    s, t = u[0] - i, u[1] - j
    v00, v01, v10, v11 = (shifted(moving, i + down, j + right) for down in (0, 1) for right in (0, 1))
    y = (1 - s) * ((1 - t) * v00 + t * v01) + s * ((1 - t) * v10 + t * v11)
    counts = mask if counts is None else counts
    count = counts.sum() * moving.shape[2] if count is None else count
    g = factor * (y - fixed) * counts[..., None] / count
    if of is not None:
        v00, v01, v10, v11 = (shifted(of, down, right) for down in (0, 1) for right in (0, 1))
    if exchange:
        s, t = t, s
    along_rows = (1 - t) * (v10 - v00) + t * (v11 - v01)
    along_columns = (1 - s) * (v01 - v00) + s * (v11 - v10)
    return np.array([np.sum(g * along_rows), np.sum(g * along_columns)])


def _slope_across(u, moving, fixed, mask):
    """The slope with central differences of the warped image in place of the derivative of the interpolation."""
    y = [_warped(u + np.array(e), moving) for e in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))]
    along = (y[1] - y[2]) / 2, (y[3] - y[4]) / 2
    return np.array([np.mean((2 * (y[0] - fixed) * each)[mask]) for each in along])


def _slope_of_means(u, moving, fixed, mask):
    y, down, right = _warped(u, moving), *(_derivative(u, moving, axis) for axis in (0, 1))
    return np.array([2 * np.mean((y - fixed)[mask]) * np.mean(each[mask]) for each in (down, right)])


def blind_outside(slope_of_masked_loss):
    u, moving, fixed, mask = _images(41, (0.3, -0.6), 5, 6, 2)
    other = np.where(mask[..., None], fixed, 5.0)
    if not np.allclose(slope_of_masked_loss(u, moving, other, mask), slope_of_masked_loss(u, moving, fixed, mask)):
        return "Pixels of the fixed image outside the mask must not matter, but your result changes with them."


def right_on_a_ramp(slope_of_masked_loss):
    moving = np.broadcast_to(0.1 * np.arange(8.0)[:, None, None], (8, 8, 2)).copy()
    mask = np.zeros((8, 8), bool)
    mask[3:5, 3:5] = True
    u = np.array([0.25, 0.5])
    fixed = moving + 0.1 * u[0] - 0.3
    got = slope_of_masked_loss(u, moving, fixed, mask)
    if not np.allclose(got, [0.06, 0], atol=1e-9):
        return (
            "A moving image that becomes brighter by .1 per row, not along the columns, and that is .3 too bright "
            f"everywhere in the mask, has the slope (.06, 0). Yours is ({got[0]:.4g}, {got[1]:.4g})."
        )


def fits_the_loss(slope_of_masked_loss):
    u, moving, fixed, mask = _images(42, (-1.7, 0.4), 5, 6, 2)
    doubled = slope_of_masked_loss(u, 2 * moving, 2 * fixed, mask)
    if not np.allclose(doubled, 4 * np.asarray(slope_of_masked_loss(u, moving, fixed, mask))):
        return "If both images get twice the contrast, the loss and its slope become 4 times as large. Yours does not."


SLOPE_OF_MASKED_LOSS = Exercise(
    name="slope_of_masked_loss",
    title="the slope of the loss within a mask, for images with channels",
    reference=_slope_reference,
    cases=[
        Case("a grey image of 4 x 4 pixels that all count", _images(1, (0.5, 0.25), 4, 4, 1, share=2)),
        Case("4 x 7 pixels that all count", _images(2, (1.25, 0.7), 4, 7, 1, share=2)),
        Case("only some pixels count", _images(3, (0.4, 1.6), 5, 4, 1)),
        Case("a negative displacement", _images(4, (-0.7, -1.4), 5, 4, 1)),
        Case("three channels", _images(5, (0.8, -0.3), 4, 5, 3)),
        Case("whole numbers, at a kink", _images(6, (1.0, -2.0), 5, 5, 2)),
    ],
    mistakes=[
        Mistake(
            "You divide by the number of all pixels and channels: those outside the mask do not count.",
            lambda u, m, f, mask: _slope(u, m, f, mask, count=m.size),
        ),
        Mistake(
            "You divide by the number of pixels in the mask, but each of them has C channels.",
            lambda u, m, f, mask: _slope(u, m, f, mask, count=mask.sum()),
        ),
        Mistake(
            "The mask is not used at all.",
            lambda u, m, f, mask: _slope(u, m, f, mask, counts=np.ones_like(mask)),
        ),
        Mistake(
            "The mask is used for the number of pixels, but the sum runs over all of them.",
            lambda u, m, f, mask: _slope(u, m, f, mask, counts=np.ones_like(mask), count=mask.sum() * m.shape[2]),
        ),
        Mistake(
            "You sum the squares instead of averaging them: the derivative of a mean has the number of pixels in it.",
            lambda u, m, f, mask: _slope(u, m, f, mask, count=1),
        ),
        Mistake(
            "Where has the 2 from the derivative of the square gone?",
            lambda u, m, f, mask: _slope(u, m, f, mask, factor=1.0),
        ),
        Mistake(
            "The sign is wrong: L grows with y where y is too bright already.",
            lambda *given: -_slope_reference(*given),
        ),
        Mistake(
            "You take the difference across two pixels, from the one before to the one after. Between the pixels the "
            "intensity is a straight line from one neighbour to the next, and its slope is that of this line.",
            _slope_across,
        ),
        Mistake(
            "You multiply the mean difference by the mean slope. The mean of products is not the product of means: "
            "each pixel has its own difference and its own slope.",
            _slope_of_means,
        ),
        Mistake(
            "s and t are exchanged in the derivatives: how do the differences along the *rows* have to be weighted, "
            "which lie left and right of each other?",
            lambda u, m, f, mask: _slope(u, m, f, mask, exchange=True),
        ),
        Mistake(
            "It is right for positive displacements. Which whole number lies *below* -0.7? `int` and `astype(int)` go "
            "towards 0.",
            lambda u, m, f, mask: _slope(u, m, f, mask, floor=int),
        ),
        Mistake(
            "At whole numbers you give the slope to the left. The loss has a kink there, and the other side is meant.",
            lambda u, m, f, mask: _slope(u, m, f, mask, floor=lambda x: math.ceil(x) - 1),
        ),
        Mistake(
            "You take the differences of neighbours in the fixed image. Which image moves?",
            lambda u, m, f, mask: _slope(u, m, f, mask, of=f),
        ),
        Mistake(
            "You take the differences of neighbours at p, not at p + u: in the moving image before it is shifted.",
            lambda u, m, f, mask: _slope(u, m, f, mask, of=m),
        ),
    ],
    properties=[blind_outside, right_on_a_ramp, fits_the_loss],
    components=("u_row", "u_column"),
)


# ---- descend_until_level


def round_bowl(u):
    return 2 * (u - np.array([1.0, -2.0]))


def long_bowl(u):
    return np.array([0.2, 3.0]) * (u - np.array([0.5, 1.5]))


def _length(slope):
    return math.hypot(*slope)


def _descend(
    slope,
    u,
    step,
    tolerance,
    most,
    sign=-1,
    measure=_length,
    with_start=True,
    late=0,
    limit=0,
    rule=True,
    one_array=False,
    unit=False,
    stale=False,
):
    """Descent as a learner would write it, with a place for each mistake. `limit` is added to `most`."""
    path, here = [np.array(u, float)], None
    to_go = math.inf  # steps, from the moment on when the ground is level
    for _ in range(max(most + limit, 0)):
        there = slope(path[-1])
        if rule and to_go == math.inf and measure(there) < tolerance:
            to_go = late
        if to_go <= 0:
            break
        to_go -= 1
        here = there if here is None or not stale else here
        path.append(path[-1] + sign * step * (here / _length(here) if unit else here))
    if late < 0 and len(path) > 1 and measure(slope(path[-1])) < tolerance:
        path.pop()
    if one_array:
        path = [path[-1]] * len(path)
    return np.array(path if with_start else path[1:]).reshape(-1, 2)


def begins_at_the_start(descend_until_level):
    path = descend_until_level(long_bowl, np.array([3.0, -1.0]), 0.2, 0.1, 20)
    if not np.allclose(path[0], [3, -1]):
        return "The first place of the path must be the start."


def goes_downhill(descend_until_level):
    path = descend_until_level(long_bowl, np.array([3.0, -1.0]), 0.2, 0.1, 20)
    for before, after in itertools.pairwise(path):
        if not np.allclose(after, before - 0.2 * long_bowl(before)):
            return "Every place must be the one before minus step * slope there. Where do you take the slope?"


DESCEND_UNTIL_LEVEL = Exercise(
    name="descend_until_level",
    title="gradient descent with a rule when to stop",
    reference=_descend,
    cases=[
        Case("a round valley", (round_bowl, np.array([4.0, 1.0]), 0.1, 0.5, 100)),
        Case("a round valley, from the other side", (round_bowl, np.array([-2.0, -6.0]), 0.1, 0.5, 100)),
        Case("a valley that is long in one direction", (long_bowl, np.array([3.0, -1.0]), 0.2, 0.05, 100)),
        Case(
            "both components are below the tolerance before the length is", (round_bowl, np.ones(2) * 3, 0.05, 1.0, 60)
        ),
        Case("one component is 0 from the start", (round_bowl, np.array([1.0, 3.0]), 0.2, 0.3, 50)),
        Case("the limit comes first", (long_bowl, np.array([9.0, 1.0]), 0.1, 1e-6, 5)),
        Case("the start is level already", (round_bowl, np.array([1.1, -2.1]), 0.1, 0.5, 100)),
        Case("no step is allowed", (round_bowl, np.array([4.0, 1.0]), 0.1, 0.5, 0)),
    ],
    mistakes=[
        Mistake(
            "You go uphill: the slope says where the loss *grows*.",
            lambda *given: _descend(*given, sign=1),
        ),
        Mistake(
            "The start is missing from the path.",
            lambda *given: _descend(*given, with_start=False),
        ),
        Mistake(
            "All rows of the path are the last place. You put one and the same array into the list again and again, "
            "and go on changing it.",
            lambda *given: _descend(*given, one_array=True),
        ),
        Mistake(
            "You take one step more after the place where the ground is level. Ask before you step.",
            lambda *given: _descend(*given, late=1),
        ),
        Mistake(
            "The place where the ground is level is missing at the end of the path.",
            lambda *given: _descend(*given, late=-1),
        ),
        Mistake(
            "Level means that the *length* of the slope is small. You ask it of its largest component.",
            lambda *given: _descend(*given, measure=lambda slope: np.abs(slope).max()),
        ),
        Mistake(
            "Level means that the *length* of the slope is small. You stop when one component is.",
            lambda *given: _descend(*given, measure=lambda slope: np.abs(slope).min()),
        ),
        Mistake(
            "You add the components of the slope. Slopes of different sign cancel, and a steep place looks level.",
            lambda *given: _descend(*given, measure=lambda slope: abs(slope.sum())),
        ),
        Mistake(
            "You compare the components without their sign: a steep negative slope is smaller than any tolerance.",
            lambda *given: _descend(*given, measure=lambda slope: slope.max()),
        ),
        Mistake(
            "You compare the squared length with the tolerance. Where is the root?",
            lambda *given: _descend(*given, measure=lambda slope: np.sum(slope**2)),
        ),
        Mistake(
            "You ask how long the last *step* was. With a small step size every place looks level.",
            lambda slope, u, step, tolerance, most: _descend(slope, u, step, tolerance / step, most),
        ),
        Mistake(
            "All your steps have the same length. The slope is not to be divided by its length: where it is gentle, "
            "the step is short.",
            lambda *given: _descend(*given, unit=True),
        ),
        Mistake(
            "You take the slope at the start for all steps. It is to be asked for anew at every place.",
            lambda *given: _descend(*given, stale=True),
        ),
        Mistake(
            "`tolerance` is not used: you always take `most` steps.",
            lambda *given: _descend(*given, rule=False),
        ),
        Mistake(
            "`most` is not used. Where the ground never gets level, you would walk for ever.",
            lambda *given: _descend(*given, limit=1000),
        ),
        Mistake(
            "You take one step less than `most`. Places and steps are not the same number.",
            lambda *given: _descend(*given, limit=-1),
        ),
        Mistake(
            "You take one step more than `most`. Places and steps are not the same number.",
            lambda *given: _descend(*given, limit=1),
        ),
        Mistake(
            "You return the last place only; asked for is the whole path.",
            lambda *given: _descend(*given)[-1],
        ),
    ],
    properties=[begins_at_the_start, goes_downhill],
)


# ---- gauss_newton_step


def _linear(seed, h, w, correlation=0.6, residual=0.2):
    rng = np.random.default_rng(seed)
    y, noise = rng.random((2, h, w))
    dy_du = rng.normal(size=(h, w, 2)) * (0.3, 0.5)
    dy_du[..., 1] += correlation * dy_du[..., 0]  # corners run at an angle: the two directions are not independent
    fixed = y + dy_du @ (0.8, -0.5) + residual * (noise - 0.5)
    return y, fixed, dy_du


def _step_reference(y, fixed, dy_du):
    return np.linalg.lstsq(dy_du.reshape(-1, 2), (fixed - y).ravel(), rcond=None)[0]


def _both(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return J.T @ J, J.T @ (fixed - y).ravel()


def _each_alone(y, fixed, dy_du):
    matrix, right = _both(y, fixed, dy_du)
    return right / np.diag(matrix)


def _by_square_root(y, fixed, dy_du):
    matrix, right = _both(y, fixed, dy_du)
    return right / np.sqrt(np.diag(matrix))


def finds_an_exact_motion(gauss_newton_step):
    y, _, dy_du = _linear(51, 4, 5)
    if not np.allclose(gauss_newton_step(y, y + dy_du @ (0.3, -0.7), dy_du), (0.3, -0.7)):
        return "If the fixed image is exactly y + .3 dy/du_row - .7 dy/du_column, the step must be (.3, -.7)."


def stays_where_it_fits(gauss_newton_step):
    y, _, dy_du = _linear(52, 4, 5)
    if not np.allclose(gauss_newton_step(y, y, dy_du), 0):
        return "Where the warped image is the fixed one already, the step must be (0, 0)."


def does_not_see_contrast(gauss_newton_step):
    y, fixed, dy_du = _linear(53, 4, 5)
    if not np.allclose(gauss_newton_step(3 * y, 3 * fixed, 3 * dy_du), gauss_newton_step(y, fixed, dy_du)):
        return (
            "With three times the contrast everywhere, the pixels have to move as far as before. Your step changes: "
            "what is its unit?"
        )


def nothing_better_nearby(gauss_newton_step):
    y, fixed, dy_du = _linear(54, 4, 5)
    d = np.asarray(gauss_newton_step(y, fixed, dy_du))
    squares = lambda d: np.sum((y + dy_du @ d - fixed) ** 2)
    if not squares(d) <= min(squares(d + e) for e in 0.01 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])):
        return "Another step near yours gives a smaller sum of squares. Are both equations fulfilled at once?"


GAUSS_NEWTON_STEP = Exercise(
    name="gauss_newton_step",
    title="a step that needs no step size",
    reference=_step_reference,
    cases=[
        Case(
            "pixels that change along rows or along columns, never both",
            (np.zeros((1, 2)), np.array([[0.5, 0.6]]), np.array([[[1.0, 0.0], [0.0, 2.0]]])),
        ),
        Case("4 x 4 pixels, an exact answer", _linear(1, 4, 4, residual=0)),
        Case("5 x 3 pixels", _linear(2, 5, 3)),
        Case("slopes along rows and columns that go together", _linear(3, 6, 5, correlation=2)),
    ],
    mistakes=[
        Mistake(
            "You solve for each direction as if the other did not move. Where slopes along rows and columns go "
            "together, both steps then do the same work twice.",
            _each_alone,
        ),
        Mistake(
            "You go the wrong way: is the difference fixed - y or y - fixed, and is the step to be added?",
            lambda *given: -_step_reference(*given),
        ),
        Mistake(
            "You step twice as far as you should. Both sides of the equations come from the derivative of a square.",
            lambda *given: 2 * _step_reference(*given),
        ),
        Mistake(
            "This is the direction downhill, but not how far. What do the squared slopes of the image tell you?",
            lambda *given: _both(*given)[1],
        ),
        Mistake(
            "This is the direction downhill, divided by the number of pixels, but not how far.",
            lambda *given: _both(*given)[1] / given[0].size,
        ),
        Mistake(
            "You multiply by the matrix of the equations instead of solving them.",
            lambda *given: np.matmul(*_both(*given)),
        ),
        Mistake(
            "The slopes have to be squared twice over in the denominator: yours takes a root.",
            _by_square_root,
        ),
        Mistake(
            "You divide sums of differences by sums of slopes. Slopes of different sign cancel in a plain sum.",
            lambda y, fixed, dy_du: np.sum(fixed - y) / dy_du.sum(axis=(0, 1)),
        ),
        Mistake(
            "You average the step that each pixel would like. A pixel with a small slope would like an enormous one: "
            "it has to count less.",
            lambda y, fixed, dy_du: np.mean((fixed - y)[..., None] / dy_du, axis=(0, 1)),
        ),
        Mistake(
            "Your equations hold the fixed image, not the difference that is left.",
            lambda y, fixed, dy_du: _step_reference(0 * y, fixed, dy_du),
        ),
    ],
    properties=[stays_where_it_fits, finds_an_exact_motion, does_not_see_contrast, nothing_better_nearby],
    components=("u_row", "u_column"),
)

EXERCISES = [SLOPE_OF_MASKED_LOSS, DESCEND_UNTIL_LEVEL, GAUSS_NEWTON_STEP]

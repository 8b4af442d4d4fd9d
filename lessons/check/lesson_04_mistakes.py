"""Wrong answers to the exercises of lesson 4: what a learner would write, with a place for each mistake."""

import math

import numpy as np

from lessons.check.checking import Mistake
from lessons.exercises.lesson_04 import shifted

# ---- slope_of_masked_loss


def _four(u, image, floor=math.floor):
    i, j = floor(u[0]), floor(u[1])
    return u[0] - i, u[1] - j, *(shifted(image, i + down, j + right) for down in (0, 1) for right in (0, 1))


def warped(u, moving):
    s, t, v00, v01, v10, v11 = _four(u, moving)
    return (1 - s) * ((1 - t) * v00 + t * v01) + s * ((1 - t) * v10 + t * v11)


def slope(
    u,
    moving,
    fixed,
    mask,
    floor=math.floor,
    weights=lambda s, t: (s, t),
    count=None,
    factor=2.0,
    of=None,
    counts=None,
    exchanged=False,
    residual=np.subtract,
    total=np.sum,
):
    """`of`: the image whose neighbours are subtracted, not shifted by u; `counts`: the mask of the sum."""
    s, t, v00, v01, v10, v11 = _four(u, moving, floor)
    if exchanged:
        v01, v10 = v10, v01
    y = (1 - s) * ((1 - t) * v00 + t * v01) + s * ((1 - t) * v10 + t * v11)
    counts = mask if counts is None else counts
    count = counts.sum() * moving.shape[2] if count is None else count
    g = factor * residual(y, fixed) * counts[..., None] / count
    if of is not None:
        _, _, v00, v01, v10, v11 = _four((0, 0), of)
    s, t = weights(s, t)
    along_rows = (1 - t) * (v10 - v00) + t * (v11 - v01)
    along_columns = (1 - s) * (v01 - v00) + s * (v11 - v10)
    return np.array([total(g * along_rows), total(g * along_columns)])


def central_quotient(u, moving, fixed, mask, h=1e-5):
    loss = lambda u: np.mean((warped(u, moving)[mask] - fixed[mask]) ** 2)
    return np.array([(loss(u + e) - loss(u - e)) / (2 * h) for e in h * np.eye(2)])


def across(u, moving, fixed, mask):
    """The slope with central differences of the warped image in place of the derivative of the interpolation."""
    along = [(warped(u + e, moving) - warped(u - e, moving)) / 2 for e in np.eye(2)]
    return np.array([np.mean((2 * (warped(u, moving) - fixed) * each)[mask]) for each in along])


def of_the_warped_image(u, moving, fixed, mask):
    y = warped(u, moving)
    return np.array([np.mean((2 * (y - fixed) * np.gradient(y, axis=axis))[mask]) for axis in (0, 1)])


def of_means(u, moving, fixed, mask):
    difference = np.mean((warped(u, moving) - fixed)[mask])
    return 2 * difference * slope(u, moving, fixed, mask, factor=1, residual=lambda y, fixed: np.ones_like(y))


# ---- descend_until_level


def length(slope):
    return math.hypot(*slope)


def descend(
    slope,
    u,
    step,
    tolerance,
    most,
    sign=-1,
    measure=length,
    with_start=True,
    late=0,
    limit=0,
    rule=True,
    one_array=False,
    unit=False,
    stale=False,
    level=lambda length, tolerance: length < tolerance,
    of_place=False,
    from_the_start=False,
    asks_first=True,
):
    """Descent as a learner would write it, with a place for each mistake. `limit` is added to `most`."""
    path, here = [np.array(u, float)], None
    to_go = math.inf  # steps, from the moment on when the ground is level
    for k in range(max(most + limit, 0)):
        there = slope(path[-1])
        asked = path[-1] if of_place else there
        if rule and to_go == math.inf and (asks_first or k) and level(measure(asked), tolerance):
            to_go = late
        if to_go <= 0:
            break
        to_go -= 1
        here = there if here is None or not stale else here
        path.append(path[0 if from_the_start else -1] + sign * step * (here / length(here) if unit else here))
    if late < 0 and len(path) > 1 and measure(slope(path[-1])) < tolerance:
        path.pop()
    if one_array:
        path = [path[-1]] * len(path)
    return np.array(path if with_start else path[1:]).reshape(-1, 2)


def in_a_full_table(slope, u, step, tolerance, most, rest=0.0):
    path = descend(slope, u, step, tolerance, most)
    missing = most + 1 - len(path)
    return np.concatenate([path, np.tile(path[-1] if rest is None else np.full(2, rest), (missing, 1))])


DESCENTS = [
    Mistake(
        "You go uphill: the slope says where the loss *grows*.",
        lambda *given: descend(*given, sign=1),
    ),
    Mistake(
        "The start is missing from the path.",
        lambda *given: descend(*given, with_start=False),
    ),
    Mistake(
        "All rows of the path are the last place. You put one and the same array into the list again and again, "
        "and go on changing it.",
        lambda *given: descend(*given, one_array=True),
    ),
    Mistake(
        "You take one step more after the place where the ground is level. Ask before you step.",
        lambda *given: descend(*given, late=1),
    ),
    Mistake(
        "The place where the ground is level is missing at the end of the path.",
        lambda *given: descend(*given, late=-1),
    ),
    Mistake(
        "Level means that the *length* of the slope is small. You ask it of its largest component.",
        lambda *given: descend(*given, measure=lambda slope: np.abs(slope).max()),
    ),
    Mistake(
        "Level means that the *length* of the slope is small. You stop when one component is.",
        lambda *given: descend(*given, measure=lambda slope: np.abs(slope).min()),
    ),
    Mistake(
        "You add the components of the slope. Slopes of different sign cancel, and a steep place looks level.",
        lambda *given: descend(*given, measure=lambda slope: abs(slope.sum())),
    ),
    Mistake(
        "You compare the components without their sign: a steep negative slope is smaller than any tolerance.",
        lambda *given: descend(*given, measure=lambda slope: slope.max()),
    ),
    Mistake(
        "You compare the squared length with the tolerance. Where is the root?",
        lambda *given: descend(*given, measure=lambda slope: np.sum(slope**2)),
    ),
    Mistake(
        "You add the absolute components of the slope. Its length is the root of the sum of the squares.",
        lambda *given: descend(*given, measure=lambda slope: np.abs(slope).sum()),
    ),
    Mistake(
        "Where the slope is exactly as long as the tolerance, the ground is not level yet: it has to be smaller.",
        lambda *given: descend(*given, level=lambda length, tolerance: length <= tolerance),
    ),
    Mistake(
        "You stop where the ground is steep: larger and smaller are exchanged.",
        lambda *given: descend(*given, level=lambda length, tolerance: length >= tolerance),
    ),
    Mistake(
        "You ask how far the *place* is from (0, 0). Level is where the slope is small.",
        lambda *given: descend(*given, of_place=True),
    ),
    Mistake(
        "You take a step before you ask for the first time. The start may be level already.",
        lambda *given: descend(*given, asks_first=False),
    ),
    Mistake(
        "You ask at the start only whether the ground is level. It has to be asked at every place.",
        lambda slope, u, *rest: descend(slope, u, *rest, rule=length(slope(u)) < rest[1]),
    ),
    Mistake(
        "`step` is not used: you walk by the slope itself.",
        lambda slope, u, step, tolerance, most: descend(slope, u, 1.0, tolerance, most),
    ),
    Mistake(
        "All your steps begin at the start. Each has to begin where the one before has ended.",
        lambda *given: descend(*given, from_the_start=True),
    ),
    *[
        Mistake(
            "Your path has `most` + 1 rows, also where you have stopped earlier. The rows of the steps that you "
            "did not take do not belong to it.",
            lambda *given, rest=rest: in_a_full_table(*given, rest=rest),
        )
        for rest in (0.0, None, np.nan)
    ],
    Mistake(
        "Your path is one long line of numbers. `np.append` without an axis makes its arguments flat.",
        lambda *given: descend(*given).ravel(),
    ),
    Mistake(
        "Two mistakes: you go uphill, and the start is missing.",
        lambda *given: descend(*given, sign=1, with_start=False),
    ),
    Mistake(
        "Two mistakes: you take one step more after the place where the ground is level, and you compare the "
        "squared length with the tolerance.",
        lambda *given: descend(*given, late=1, measure=lambda slope: np.sum(slope**2)),
    ),
    Mistake(
        "Two mistakes: the start is missing, and you take one step more after the place where the ground is level.",
        lambda *given: descend(*given, late=1, with_start=False),
    ),
    Mistake(
        "You ask how long the last *step* was, after you have taken it. Level is where the *slope* is small.",
        lambda slope, u, step, tolerance, most: descend(slope, u, step, tolerance / step, most, late=1),
    ),
    Mistake(
        "You ask how long the last *step* was. With a small step size every place looks level.",
        lambda slope, u, step, tolerance, most: descend(slope, u, step, tolerance / step, most),
    ),
    Mistake(
        "All your steps have the same length. The slope is not to be divided by its length: where it is gentle, "
        "the step is short.",
        lambda *given: descend(*given, unit=True),
    ),
    Mistake(
        "You take the slope at the start for all steps. It is to be asked for anew at every place.",
        lambda *given: descend(*given, stale=True),
    ),
    Mistake(
        "`tolerance` is not used: you always take `most` steps.",
        lambda *given: descend(*given, rule=False),
    ),
    Mistake(
        "`most` is not used. Where the ground never gets level, you would walk for ever.",
        lambda *given: descend(*given, limit=1000),
    ),
    Mistake(
        "You take one step less than `most`. Places and steps are not the same number.",
        lambda *given: descend(*given, limit=-1),
    ),
    Mistake(
        "You take one step more than `most`. Places and steps are not the same number.",
        lambda *given: descend(*given, limit=1),
    ),
    Mistake(
        "You return the last place only; asked for is the whole path.",
        lambda *given: descend(*given)[-1],
    ),
]


# ---- gauss_newton_step


def both_sides(y, fixed, dy_du):
    """Matrix and right-hand side of the two equations."""
    J = dy_du.reshape(-1, 2)
    return J.T @ J, J.T @ (fixed - y).ravel()


def solved(y, fixed, dy_du):
    return np.linalg.solve(*both_sides(y, fixed, dy_du))


def each_alone(y, fixed, dy_du, power=1):
    matrix, right = both_sides(y, fixed, dy_du)
    return right / np.diag(matrix) ** power


def one_after_the_other(y, fixed, dy_du, order):
    d = np.zeros(2)
    for k in order:
        d[k] = each_alone(y + dy_du @ d, fixed, dy_du)[k]
    return d


def by_determinants(y, fixed, dy_du, cross=-1, below=-1):
    (rr, rc), (_, cc) = both_sides(y, fixed, dy_du)[0]
    r, c = both_sides(y, fixed, dy_du)[1]
    return np.array([cc * r + cross * rc * c, rr * c + cross * rc * r]) / (rr * cc + below * rc**2)


def mixed(y, fixed, dy_du):
    J = dy_du.reshape(2, -1).T
    return np.linalg.solve(J.T @ J, J.T @ (fixed - y).ravel())


def of_each_pixel(y, fixed, dy_du, total):
    """The shortest step that fits, of every pixel for itself."""
    return total((fixed - y)[..., None] * dy_du / np.sum(dy_du**2, axis=-1, keepdims=True), axis=(0, 1))

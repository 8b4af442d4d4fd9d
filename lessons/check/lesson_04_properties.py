"""What every right answer to the exercises of lesson 4 fulfils, and the arguments that it is tested with."""

import itertools

import numpy as np

from lessons.check.lesson_04_mistakes import slope

# ---- slope_of_masked_loss


def images(seed, u, h, w, channels, share=0.6):
    rng = np.random.default_rng(seed)
    moving, fixed = rng.random((2, h, w, channels))
    mask = rng.random((h, w)) < share
    mask[0, 0] = True
    return np.array(u), moving, fixed, mask


def blind_outside(slope_of_masked_loss):
    u, moving, fixed, mask = images(41, (0.3, -0.6), 5, 6, 2)
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
    u, moving, fixed, mask = images(42, (-1.7, 0.4), 5, 6, 2)
    doubled = slope_of_masked_loss(u, 2 * moving, 2 * fixed, mask)
    if not np.allclose(doubled, 4 * np.asarray(slope_of_masked_loss(u, moving, fixed, mask))):
        return "If both images get twice the contrast, the loss and its slope become 4 times as large. Yours does not."


def is_no_difference_quotient(slope_of_masked_loss):
    """Just before a kink the slope is that before the kink. The other end of a quotient lies behind it."""
    right = [
        np.allclose(slope_of_masked_loss(*given), slope(*given), rtol=1e-4)
        for given in (images(43, u, 5, 6, 2) for u in ((0.3, 0.6), (0.3, 1 - 1e-9), (1 - 1e-9, 0.6)))
    ]
    if right[0] and not all(right):
        return (
            "A billionth of a pixel before a kink, your slope is not that before the kink. If you take a difference "
            "quotient: its two ends lie on two sides of the kink. The formula of the lesson needs no second place."
        )


# ---- descend_until_level


def round_bowl(u):
    return 2 * (u - np.array([1.0, -2.0]))


def long_bowl(u):
    return np.array([0.2, 3.0]) * (u - np.array([0.5, 1.5]))


def bowl_at_zero(u):
    return 2 * u


def begins_at_the_start(descend_until_level):
    path = descend_until_level(long_bowl, np.array([3.0, -1.0]), 0.2, 0.1, 20)
    if not np.allclose(path[0], [3, -1]):
        return "The first place of the path must be the start."


def goes_downhill(descend_until_level):
    path = descend_until_level(long_bowl, np.array([3.0, -1.0]), 0.2, 0.1, 20)
    for before, after in itertools.pairwise(path):
        if not np.allclose(after, before - 0.2 * long_bowl(before)):
            return "Every place must be the one before minus step * slope there. Where do you take the slope?"


# ---- gauss_newton_step


def linear(seed, h, w, correlation=0.6, residual=0.2):
    rng = np.random.default_rng(seed)
    y, noise = rng.random((2, h, w))
    dy_du = rng.normal(size=(h, w, 2)) * (0.3, 0.5)
    dy_du[..., 1] += correlation * dy_du[..., 0]  # corners run at an angle: the two directions are not independent
    fixed = y + dy_du @ (0.8, -0.5) + residual * (noise - 0.5)
    return y, fixed, dy_du


def finds_an_exact_motion(gauss_newton_step):
    y, _, dy_du = linear(51, 4, 5)
    got = gauss_newton_step(y, y + dy_du @ (0.3, -0.7), dy_du)
    if not np.allclose(got, (0.3, -0.7)):
        return (
            "If the fixed image is exactly y + .3 dy/du_row - .7 dy/du_column, the step must be (.3, -.7). "
            f"Yours is ({got[0]:.4g}, {got[1]:.4g})."
        )


def stays_where_it_fits(gauss_newton_step):
    y, _, dy_du = linear(52, 4, 5)
    if not np.allclose(gauss_newton_step(y, y, dy_du), 0):
        return "Where the warped image is the fixed one already, the step must be (0, 0)."


def does_not_see_contrast(gauss_newton_step):
    y, fixed, dy_du = linear(53, 4, 5)
    if not np.allclose(gauss_newton_step(3 * y, 3 * fixed, 3 * dy_du), gauss_newton_step(y, fixed, dy_du)):
        return (
            "With three times the contrast everywhere, the pixels have to move as far as before. Your step changes: "
            "what is its unit?"
        )


def nothing_better_nearby(gauss_newton_step):
    y, fixed, dy_du = linear(54, 4, 5)
    d = np.asarray(gauss_newton_step(y, fixed, dy_du))
    squares = lambda d: np.sum((y + dy_du @ d - fixed) ** 2)
    if not squares(d) <= min(squares(d + e) for e in 0.01 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])):
        return "Another step near yours gives a smaller sum of squares. Are both equations fulfilled at once?"

"""Wrong answers to the exercises of lesson 4, as a learner would write them, and what their hint must say."""

import math

import numpy as np

from lessons.exercises.lesson_04 import shifted

# ---- slope_of_masked_loss


def _parts(u, moving, floor=math.floor):
    i, j = floor(u[0]), floor(u[1])
    s, t = u[0] - i, u[1] - j
    v00, v01, v10, v11 = (shifted(moving, i + down, j + right) for down in (0, 1) for right in (0, 1))
    y = (1 - s) * (1 - t) * v00 + (1 - s) * t * v01 + s * (1 - t) * v10 + s * t * v11
    return y, (1 - t) * (v10 - v00) + t * (v11 - v01), (1 - s) * (v01 - v00) + s * (v11 - v10)


def slope_with_plain_mean(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    g = 2 * (y - fixed) * mask[..., None]
    return np.array([np.mean(g * down), np.mean(g * right)])


def slope_with_int(u, moving, fixed, mask):
    y, down, right = _parts(u, moving, floor=int)
    return np.array([np.mean((2 * (y - fixed) * d)[mask]) for d in (down, right)])


def slope_without_2(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    return np.array([np.mean(((y - fixed) * d)[mask]) for d in (down, right)])


def slope_over_pixels_only(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    return np.array([np.sum((2 * (y - fixed) * d)[mask]) / mask.sum() for d in (down, right)])


def slope_columns_first(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    return np.array([np.mean((2 * (y - fixed) * d)[mask]) for d in (right, down)])


def slope_pushed(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    return np.array([np.mean((2 * (fixed - y) * d)[mask]) for d in (down, right)])


def slope_of_one_channel(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    return np.array([np.mean((2 * (y - fixed) * d)[mask][:, 0]) for d in (down, right)])


def slope_by_central_differences(u, moving, fixed, mask):
    y, _, _ = _parts(u, moving)
    down = (_parts(u + np.array([1, 0]), moving)[0] - _parts(u - np.array([1, 0]), moving)[0]) / 2
    right = (_parts(u + np.array([0, 1]), moving)[0] - _parts(u - np.array([0, 1]), moving)[0]) / 2
    return np.array([np.mean((2 * (y - fixed) * d)[mask]) for d in (down, right)])


def slope_of_absolute_differences(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    return np.array([np.mean((np.sign(y - fixed) * d)[mask]) for d in (down, right)])


def slope_of_means(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    return np.array([2 * np.mean((y - fixed)[mask]) * np.mean(d[mask]) for d in (down, right)])


def slope_of_one_pixel_each(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    return np.stack([2 * (y - fixed) * d * mask[..., None] / mask.sum() for d in (down, right)], axis=-1)


# ---- descend_until_level


def descend_uphill(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.linalg.norm(slope(path[-1])) >= tolerance:
        path.append(path[-1] + step * slope(path[-1]))
    return np.array(path)


def descend_in_place(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.linalg.norm(slope(u)) >= tolerance:
        u -= step * slope(u)
        path.append(u)
    return np.array(path)


def descend_with_one_array(slope, u, step, tolerance, most):
    u = u.copy()
    path = [u]
    while len(path) <= most and np.linalg.norm(slope(u)) >= tolerance:
        u -= step * slope(u)
        path.append(u)
    return np.array(path)


def descend_one_too_many(slope, u, step, tolerance, most):
    path = [u]
    for _ in range(most):
        here = slope(path[-1])
        path.append(path[-1] - step * here)
        if np.linalg.norm(here) < tolerance:
            break
    return np.array(path)


def descend_by_components(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and (np.abs(slope(path[-1])) >= tolerance).any():
        path.append(path[-1] - step * slope(path[-1]))
    return np.array(path)


def descend_most_places(slope, u, step, tolerance, most):
    path = [u]
    while len(path) < most and np.linalg.norm(slope(path[-1])) >= tolerance:
        path.append(path[-1] - step * slope(path[-1]))
    return np.array(path)


def descend_by_the_first_slope(slope, u, step, tolerance, most):
    path, here = [u], slope(u)
    while len(path) <= most and np.linalg.norm(slope(path[-1])) >= tolerance:
        path.append(path[-1] - step * here)
    return np.array(path)


def descend_by_unit_steps(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.linalg.norm(slope(path[-1])) >= tolerance:
        here = slope(path[-1])
        path.append(path[-1] - step * here / np.linalg.norm(here))
    return np.array(path)


def descend_transposed(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.linalg.norm(slope(path[-1])) >= tolerance:
        path.append(path[-1] - step * slope(path[-1]))
    return np.array(path).T


def descend_to_the_last_place(slope, u, step, tolerance, most):
    for _ in range(most):
        if np.linalg.norm(slope(u)) < tolerance:
            return u
        u = u - step * slope(u)
    return u


def descend_one_direction_at_a_time(slope, u, step, tolerance, most):
    path = [np.array(u)]
    while len(path) <= most and np.linalg.norm(slope(path[-1])) >= tolerance:
        here = path[-1].copy()
        for k in (0, 1):
            here[k] -= step * slope(here)[k] * 1.01
        path.append(here)
    return np.array(path)


# ---- gauss_newton_step


def step_each_alone(y, fixed, dy_du):
    residual = (fixed - y)[..., None]
    return np.sum(residual * dy_du, axis=(0, 1)) / np.sum(dy_du**2, axis=(0, 1))


def step_wrong_way(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return np.linalg.solve(J.T @ J, J.T @ (y - fixed).ravel())


def step_is_the_gradient(y, fixed, dy_du):
    return np.sum((fixed - y)[..., None] * dy_du, axis=(0, 1))


def step_averaged(y, fixed, dy_du):
    return np.mean((fixed - y)[..., None] / dy_du, axis=(0, 1))


def step_columns_first(y, fixed, dy_du):
    J = dy_du[..., ::-1].reshape(-1, 2)
    return np.linalg.solve(J.T @ J, J.T @ (fixed - y).ravel())


def step_twice_as_far(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return np.linalg.solve(J.T @ J, 2 * J.T @ (fixed - y).ravel())


def step_with_a_damped_matrix(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return np.linalg.solve(J.T @ J + 0.1 * np.eye(2), J.T @ (fixed - y).ravel())


def step_with_a_reshape_that_mixes(y, fixed, dy_du):
    J = dy_du.reshape(2, -1).T
    return np.linalg.solve(J.T @ J, J.T @ (fixed - y).ravel())


def step_one_after_the_other(y, fixed, dy_du):
    down, right = dy_du[..., 0], dy_du[..., 1]
    d_row = np.sum((fixed - y) * down) / np.sum(down**2)
    rest = fixed - y - d_row * down
    return np.array([d_row, np.sum(rest * right) / np.sum(right**2)])


def step_as_a_column(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return np.linalg.solve(J.T @ J, J.T @ (fixed - y).reshape(-1, 1))


WRONG = [
    ("slope_of_masked_loss", slope_with_plain_mean, "the number of all pixels and channels"),
    ("slope_of_masked_loss", slope_with_int, "towards 0"),
    ("slope_of_masked_loss", slope_without_2, "derivative of the square"),
    ("slope_of_masked_loss", slope_over_pixels_only, "each of them has C channels"),
    ("slope_of_masked_loss", slope_columns_first, "two components exchanged"),
    ("slope_of_masked_loss", slope_pushed, "The sign is wrong"),
    ("slope_of_masked_loss", slope_of_one_channel, "special about the case"),
    ("slope_of_masked_loss", slope_by_central_differences, "across two pixels"),
    ("slope_of_masked_loss", slope_of_absolute_differences, "has the slope (.06, 0)"),
    ("slope_of_masked_loss", slope_of_means, "product of means"),
    ("slope_of_masked_loss", slope_of_one_pixel_each, "shape"),
    ("descend_until_level", descend_uphill, "You go uphill"),
    ("descend_until_level", descend_in_place, "in place"),
    ("descend_until_level", descend_with_one_array, "one and the same array"),
    ("descend_until_level", descend_one_too_many, "one step more after"),
    ("descend_until_level", descend_by_components, "its largest component"),
    ("descend_until_level", descend_most_places, "one step less than `most`"),
    ("descend_until_level", descend_by_the_first_slope, "anew at every place"),
    ("descend_until_level", descend_by_unit_steps, "the same length"),
    ("descend_until_level", descend_transposed, "order"),
    ("descend_until_level", descend_to_the_last_place, "the whole path"),
    ("descend_until_level", descend_one_direction_at_a_time, "shape"),
    ("gauss_newton_step", step_each_alone, "as if the other did not move"),
    ("gauss_newton_step", step_wrong_way, "the wrong way"),
    ("gauss_newton_step", step_is_the_gradient, "but not how far"),
    ("gauss_newton_step", step_averaged, "would like"),
    ("gauss_newton_step", step_columns_first, "two components exchanged"),
    ("gauss_newton_step", step_twice_as_far, "twice as far"),
    ("gauss_newton_step", step_with_a_damped_matrix, "the step must be (.3, -.7)"),
    ("gauss_newton_step", step_with_a_reshape_that_mixes, "the step must be (.3, -.7)"),
    ("gauss_newton_step", step_one_after_the_other, "the step must be (.3, -.7)"),
    ("gauss_newton_step", step_as_a_column, "shape (2, 1)"),
]

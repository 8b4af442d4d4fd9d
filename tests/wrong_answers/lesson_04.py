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


def _loss(u, moving, fixed, mask):
    return np.mean((_parts(u, moving)[0][mask] - fixed[mask]) ** 2)


def slope_by_forward_quotient(u, moving, fixed, mask):
    h = 1e-7
    return np.array([(_loss(u + e, moving, fixed, mask) - _loss(u, moving, fixed, mask)) / h for e in h * np.eye(2)])


def slope_by_central_quotient(u, moving, fixed, mask):
    h = 1e-5
    return np.array(
        [(_loss(u + e, moving, fixed, mask) - _loss(u - e, moving, fixed, mask)) / (2 * h) for e in h * np.eye(2)]
    )


def slope_by_a_wide_quotient(u, moving, fixed, mask):
    h = 0.1
    return np.array(
        [(_loss(u + e, moving, fixed, mask) - _loss(u - e, moving, fixed, mask)) / (2 * h) for e in h * np.eye(2)]
    )


def slope_of_the_image_alone(u, moving, fixed, mask):
    _, down, right = _parts(u, moving)
    return np.array([np.mean(d[mask]) for d in (down, right)])


def slope_without_a_new_axis(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    g = 2 * (y - fixed) * mask / mask.sum()
    return np.array([np.sum(g * d) for d in (down, right)])


def slope_with_near_and_far_exchanged(u, moving, fixed, mask):
    i, j = math.floor(u[0]), math.floor(u[1])
    s, t = u[0] - i, u[1] - j
    v00, v01, v10, v11 = (shifted(moving, i + down, j + right) for down in (0, 1) for right in (0, 1))
    y = _parts(u, moving)[0]
    parts = t * (v10 - v00) + (1 - t) * (v11 - v01), s * (v01 - v00) + (1 - s) * (v11 - v10)
    return np.array([np.mean((2 * (y - fixed) * d)[mask]) for d in parts])


def slope_on_one_side(u, moving, fixed, mask):
    i, j = math.floor(u[0]), math.floor(u[1])
    v00, v01, v10, _ = (shifted(moving, i + down, j + right) for down in (0, 1) for right in (0, 1))
    y = _parts(u, moving)[0]
    return np.array([np.mean((2 * (y - fixed) * d)[mask]) for d in (v10 - v00, v01 - v00)])


def slope_before_warping(u, moving, fixed, mask):
    _, down, right = _parts(u, moving)
    return np.array([np.mean((2 * (moving - fixed) * d)[mask]) for d in (down, right)])


def slope_that_pushes(u, moving, fixed, mask):
    y, down, right = _parts(-np.asarray(u), moving)
    return np.array([np.mean((2 * (y - fixed) * d)[mask]) for d in (down, right)])


def slope_in_the_nearest_cell(u, moving, fixed, mask):
    y, down, right = _parts(u, moving, floor=round)
    return np.array([np.mean((2 * (y - fixed) * d)[mask]) for d in (down, right)])


def slope_without_2_over_all_pixels(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    g = (y - fixed) * mask[..., None]
    return np.array([np.mean(g * down), np.mean(g * right)])


def slope_with_int_without_2(u, moving, fixed, mask):
    return slope_with_int(u, moving, fixed, mask) / 2


def slope_for_each_channel(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    return np.stack([np.mean((2 * (y - fixed) * d)[mask], axis=0) for d in (down, right)])


def slope_as_a_tuple(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    return np.mean((2 * (y - fixed) * down)[mask]), np.mean((2 * (y - fixed) * right)[mask])


def slope_of_y_by_gradient(u, moving, fixed, mask):
    y = _parts(u, moving)[0]
    return np.array([np.mean((2 * (y - fixed) * np.gradient(y, axis=axis))[mask]) for axis in (0, 1)])


def slope_with_neighbours_exchanged(u, moving, fixed, mask):
    i, j = math.floor(u[0]), math.floor(u[1])
    s, t = u[0] - i, u[1] - j
    v00, v10, v01, v11 = (shifted(moving, i + down, j + right) for down in (0, 1) for right in (0, 1))
    y = (1 - s) * (1 - t) * v00 + (1 - s) * t * v01 + s * (1 - t) * v10 + s * t * v11
    parts = (1 - t) * (v10 - v00) + t * (v11 - v01), (1 - s) * (v01 - v00) + s * (v11 - v10)
    return np.array([np.mean((2 * (y - fixed) * d)[mask]) for d in parts])


def slope_inside_out(u, moving, fixed, mask):
    y, down, right = _parts(u, moving)
    g = 2 * (y - fixed) * ~mask[..., None] / (mask.sum() * moving.shape[2])
    return np.array([np.sum(g * down), np.sum(g * right)])


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


def descend_with_equal(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.linalg.norm(slope(path[-1])) > tolerance:
        path.append(path[-1] - step * slope(path[-1]))
    return np.array(path)


def descend_in_a_full_table(slope, u, step, tolerance, most):
    path = np.zeros((most + 1, 2))
    path[0] = u
    for k in range(most):
        if np.linalg.norm(slope(path[k])) < tolerance:
            break
        path[k + 1] = path[k] - step * slope(path[k])
    return path


def descend_by_append(slope, u, step, tolerance, most):
    path = np.array(u)
    here = u
    for _ in range(most):
        if np.linalg.norm(slope(here)) < tolerance:
            break
        here = here - step * slope(here)
        path = np.append(path, here)
    return path


def descend_until_the_step_is_short(slope, u, step, tolerance, most):
    path = [u]
    for _ in range(most):
        path.append(path[-1] - step * slope(path[-1]))
        if np.linalg.norm(path[-1] - path[-2]) < tolerance:
            break
    return np.array(path)


def descend_and_count(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.linalg.norm(slope(path[-1])) >= tolerance:
        path.append(path[-1] - step * slope(path[-1]))
    return np.array(path), len(path) - 1


def descend_by_the_sum_of_absolutes(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.abs(slope(path[-1])).sum() >= tolerance:
        path.append(path[-1] - step * slope(path[-1]))
    return np.array(path)


def descend_uphill_without_the_start(slope, u, step, tolerance, most):
    return descend_uphill(slope, u, step, tolerance, most)[1:]


def descend_one_too_many_squared(slope, u, step, tolerance, most):
    path = [u]
    for _ in range(most):
        here = slope(path[-1])
        path.append(path[-1] - step * here)
        if np.sum(here**2) < tolerance:
            break
    return np.array(path)


def descend_from_the_start_each_time(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.linalg.norm(slope(path[-1])) >= tolerance:
        path.append(u - step * slope(path[-1]))
    return np.array(path)


def descend_asks_only_at_the_start(slope, u, step, tolerance, most):
    path = [u]
    if np.linalg.norm(slope(u)) < tolerance:
        return np.array(path)
    for _ in range(most):
        path.append(path[-1] - step * slope(path[-1]))
    return np.array(path)


def descend_asks_after_the_step(slope, u, step, tolerance, most):
    path = [u]
    for _ in range(most):
        path.append(path[-1] - step * slope(path[-1]))
        if np.linalg.norm(slope(path[-1])) < tolerance:
            break
    return np.array(path)


def descend_without_a_step_size(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.linalg.norm(slope(path[-1])) >= tolerance:
        path.append(path[-1] - slope(path[-1]))
    return np.array(path)


def descend_the_other_way_round(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.linalg.norm(slope(path[-1])) < tolerance:
        path.append(path[-1] - step * slope(path[-1]))
    return np.array(path)


def descend_by_the_distance_from_the_start(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.linalg.norm(path[-1]) >= tolerance:
        path.append(path[-1] - step * slope(path[-1]))
    return np.array(path)


def descend_backwards(slope, u, step, tolerance, most):
    path = [u]
    while len(path) <= most and np.linalg.norm(slope(path[0])) >= tolerance:
        path.insert(0, path[0] - step * slope(path[0]))
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


def step_of_the_first_row(y, fixed, dy_du):
    J = dy_du[0]
    return np.linalg.lstsq(J, (fixed - y)[0], rcond=None)[0]


def step_with_a_mean_on_one_side(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return np.linalg.solve(J.T @ J / len(J), J.T @ (fixed - y).ravel())


def step_with_a_mean_on_the_other_side(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return np.linalg.solve(J.T @ J, J.T @ (fixed - y).ravel() / len(J))


def step_by_a_wrong_determinant(y, fixed, dy_du):
    down, right = dy_du[..., 0], dy_du[..., 1]
    rr, rc, cc = (down**2).sum(), (down * right).sum(), (right**2).sum()
    r, c = ((fixed - y) * down).sum(), ((fixed - y) * right).sum()
    return np.array([cc * r - rc * c, rr * c - rc * r]) / (rr * cc + rc**2)


def step_by_cramer_with_a_plus(y, fixed, dy_du):
    down, right = dy_du[..., 0], dy_du[..., 1]
    rr, rc, cc = (down**2).sum(), (down * right).sum(), (right**2).sum()
    r, c = ((fixed - y) * down).sum(), ((fixed - y) * right).sum()
    return np.array([cc * r + rc * c, rr * c + rc * r]) / (rr * cc - rc**2)


def step_columns_first_wrong_way(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return np.linalg.solve(J.T @ J, J.T @ (y - fixed).ravel())[::-1]


def step_to_the_fixed_image(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return np.linalg.solve(J.T @ J, J.T @ fixed.ravel())


def step_with_a_residual_read_by_columns(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return np.linalg.solve(J.T @ J, J.T @ (fixed - y).T.ravel())


def step_summed_along_one_axis(y, fixed, dy_du):
    return np.sum((fixed - y)[..., None] * dy_du, axis=0) / np.sum(dy_du**2, axis=0)


def step_as_a_tuple(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    d = np.linalg.solve(J.T @ J, J.T @ (fixed - y).ravel())
    return d[0], d[1]


def step_of_squared_differences(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return np.linalg.solve(J.T @ J, J.T @ ((fixed - y) ** 2).ravel())


def step_for_every_pixel(y, fixed, dy_du):
    return (fixed - y)[..., None] * dy_du / np.sum(dy_du**2, axis=-1, keepdims=True)


def step_for_every_pixel_averaged(y, fixed, dy_du):
    return np.mean((fixed - y)[..., None] * dy_du / np.sum(dy_du**2, axis=-1, keepdims=True), axis=(0, 1))


def step_each_alone_wrong_way(y, fixed, dy_du):
    return -step_each_alone(y, fixed, dy_du)


def step_half_as_far(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return np.linalg.solve(J.T @ J, J.T @ (fixed - y).ravel()) / 2


def step_with_the_inverse_forgotten(y, fixed, dy_du):
    J = dy_du.reshape(-1, 2)
    return (J.T @ J) @ (J.T @ (fixed - y).ravel())


WRONG = [
    ("slope_of_masked_loss", slope_with_plain_mean, "the number of all pixels and channels"),
    ("slope_of_masked_loss", slope_with_int, "towards 0"),
    ("slope_of_masked_loss", slope_without_2, "derivative of the square"),
    ("slope_of_masked_loss", slope_over_pixels_only, "each of them has C channels"),
    ("slope_of_masked_loss", slope_columns_first, "two components exchanged"),
    ("slope_of_masked_loss", slope_pushed, "The sign is wrong"),
    ("slope_of_masked_loss", slope_of_one_channel, "the first channel only"),
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
    ("gauss_newton_step", step_with_a_reshape_that_mixes, "two halves of the image"),
    ("gauss_newton_step", step_one_after_the_other, "with what is left"),
    ("gauss_newton_step", step_as_a_column, "shape (2, 1)"),
    ("slope_of_masked_loss", slope_by_forward_quotient, "before a kink"),
    ("slope_of_masked_loss", slope_by_central_quotient, "from one side of u to the other"),
    ("slope_of_masked_loss", slope_by_a_wide_quotient, "before a kink"),
    ("slope_of_masked_loss", slope_of_the_image_alone, "how the image changes"),
    ("slope_of_masked_loss", slope_without_a_new_axis, "ValueError"),
    ("slope_of_masked_loss", slope_with_near_and_far_exchanged, "further away counts more"),
    ("slope_of_masked_loss", slope_on_one_side, "one on either side of the place"),
    ("slope_of_masked_loss", slope_before_warping, "before it is warped"),
    ("slope_of_masked_loss", slope_that_pushes, "looks at p - u"),
    ("slope_of_masked_loss", slope_in_the_nearest_cell, "the nearest pixel"),
    ("slope_of_masked_loss", slope_without_2_over_all_pixels, "0.5 times"),
    ("slope_of_masked_loss", slope_with_int_without_2, "0.5 times"),
    ("slope_of_masked_loss", slope_for_each_channel, "a slope for each channel"),
    ("slope_of_masked_loss", slope_as_a_tuple, "one array that holds both"),
    ("slope_of_masked_loss", slope_of_y_by_gradient, "neighbours in the warped image"),
    ("slope_of_masked_loss", slope_with_neighbours_exchanged, "v01 and v10 are exchanged"),
    ("slope_of_masked_loss", slope_inside_out, "inside out"),
    ("descend_until_level", descend_with_equal, "exactly as long as the tolerance"),
    ("descend_until_level", descend_in_a_full_table, "did not take"),
    ("descend_until_level", descend_by_append, "one long line"),
    ("descend_until_level", descend_until_the_step_is_short, "how long the last *step* was"),
    ("descend_until_level", descend_and_count, "It returns 2 results"),
    ("descend_until_level", descend_by_the_sum_of_absolutes, "absolute components"),
    ("descend_until_level", descend_uphill_without_the_start, "uphill, and the start is missing"),
    ("descend_until_level", descend_one_too_many_squared, "the squared length"),
    ("descend_until_level", descend_from_the_start_each_time, "begin at the start"),
    ("descend_until_level", descend_asks_only_at_the_start, "at the start only"),
    ("descend_until_level", descend_asks_after_the_step, "before you ask for the first time"),
    ("descend_until_level", descend_without_a_step_size, "`step` is not used"),
    ("descend_until_level", descend_the_other_way_round, "where the ground is steep"),
    ("descend_until_level", descend_by_the_distance_from_the_start, "how far the *place* is"),
    ("descend_until_level", descend_backwards, "must be the start"),
    ("gauss_newton_step", step_of_the_first_row, "the first row of pixels only"),
    ("gauss_newton_step", step_with_a_mean_on_one_side, "the other a mean"),
    ("gauss_newton_step", step_with_a_mean_on_the_other_side, "the other a mean"),
    ("gauss_newton_step", step_by_a_wrong_determinant, "with a wrong sign"),
    ("gauss_newton_step", step_by_cramer_with_a_plus, "with a wrong sign"),
    ("gauss_newton_step", step_columns_first_wrong_way, "and the wrong sign"),
    ("gauss_newton_step", step_to_the_fixed_image, "hold the fixed image"),
    ("gauss_newton_step", step_with_a_residual_read_by_columns, "different orders"),
    ("gauss_newton_step", step_summed_along_one_axis, "an axis too many"),
    ("gauss_newton_step", step_as_a_tuple, "one array that holds both"),
    ("gauss_newton_step", step_of_squared_differences, "the square of the difference"),
    ("gauss_newton_step", step_for_every_pixel, "an axis too many"),
    ("gauss_newton_step", step_for_every_pixel_averaged, "along its own slope"),
    ("gauss_newton_step", step_each_alone_wrong_way, "Besides, the sign is wrong"),
    ("gauss_newton_step", step_half_as_far, "0.5 times"),
    ("gauss_newton_step", step_with_the_inverse_forgotten, "You multiply by the matrix"),
]

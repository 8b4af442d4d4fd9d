"""Fields are inverted, smoothed and measured as their definitions say, and points go where the images say they go."""

import numpy as np
import pytest
from gradients import check_vjps, host, tensor
from strict_backend import using

from minireg import metrics, ops
from minireg.errors import InputError
from minireg.fields import (
    affine_displacement,
    compose,
    corner_determinants,
    enlarge,
    integrate,
    invert,
    logarithm,
    random_diffeomorphism,
    smooth,
    warp_points,
)
from minireg.gradcheck import gradcheck


def random_pair(seed=0, shape=(3, 32, 32), amplitude=4, smoothness=4):
    return random_diffeomorphism(np.random.default_rng(seed), shape, amplitude, smoothness)


def inconsistency(there, back):
    """|there(p) + back(p + there(p))| at all p that stay within the image, as one flat array, in pixels."""
    height, width = there.shape[1:3]
    target = np.moveaxis(np.mgrid[:height, :width], 0, -1) + there
    inside = ((target >= 0) & (target <= [height - 1, width - 1])).all(axis=-1)
    return np.linalg.norm(host(compose(tensor(there, False), tensor(back, False))), axis=-1)[inside]


def stretching(factor, size=17):
    """p -> c + factor (p - c) as a field (1, size, size, 2)."""
    matrix = np.array([[[factor, 0, 0], [0, factor, 0]]], float)
    return host(affine_displacement(tensor(matrix, False), size, size))


# Inverses


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_inverse_undoes_the_field_to_the_residual_that_it_reports(dtype):
    u = random_pair()[0].astype(dtype)
    w, residual = invert(u, tolerance=1e-4)
    assert type(w) is np.ndarray and w.dtype == dtype and residual.dtype == np.float64
    assert residual.shape == (3,) and (residual <= 1e-4).all()
    rest = w + host(ops.warp(tensor(u, False), tensor(w, False), border="edge"))
    np.testing.assert_allclose(np.linalg.norm(rest, axis=-1).max(axis=(1, 2)), residual, atol=1e-7)
    assert np.abs(w).max() > 1


def test_the_inverse_of_a_translation_is_the_translation_back_also_beyond_the_border():
    u = np.broadcast_to([3.0, -100.5], (2, 8, 9, 2))
    w, residual = invert(u)
    np.testing.assert_allclose(w, -u, atol=1e-3)
    assert (residual <= 1e-3).all()


@pytest.mark.parametrize("factor", [0.5, 1.5, 3])
def test_the_inverse_of_stretching_is_shrinking(factor):
    w, residual = invert(stretching(factor), tolerance=1e-6)
    inside = np.s_[:, 5:-5, 5:-5] if factor < 1 else np.s_[:]
    np.testing.assert_allclose(w[inside], stretching(1 / factor)[inside], atol=1e-5)
    assert residual[0] <= 1e-6


def test_half_a_step_converges_where_the_whole_step_of_the_source_jumps_to_and_fro():
    assert invert(stretching(3))[1][0] < 1e-3
    assert invert(stretching(3), step=1)[1][0] > 1


def test_the_residual_of_each_pair_says_whether_its_iteration_has_converged():
    w, residual = invert(np.concatenate([stretching(6), stretching(1.2)]))
    assert np.isfinite(w).all()
    assert residual[0] > 1 and residual[1] <= 1e-3
    w, residual = invert(stretching(1.2), iterations=2)
    assert 1e-3 < residual[0] < 1


def test_a_field_that_is_not_finite_has_a_residual_that_is_not_either():
    u = np.zeros((2, 6, 6, 2))
    u[0, 2, 3] = np.nan
    assert np.isnan(invert(u)[1]).tolist() == [True, False]


def test_the_logarithm_is_the_velocity_that_leads_there():
    velocity = smooth(np.random.default_rng(0).normal(0, 30, (2, 48, 56, 2)), 6).data
    assert 2 < np.abs(velocity).max() < 6
    u = integrate(velocity, 8).data
    found = logarithm(u, squarings=8)
    inner = np.s_[:, 8:-8, 8:-8]  # at the border the flow leaves the image, and what it would meet there is not known
    np.testing.assert_allclose(found[inner], velocity[inner], atol=0.12)
    np.testing.assert_allclose(integrate(found, 8).data[inner], u[inner], atol=0.06)
    assert np.abs(u - velocity)[inner].max() > 0.7  # a displacement is not its velocity
    assert logarithm(u.astype(np.float32)).dtype == np.float32


def test_integrating_the_velocity_backwards_is_the_inverse_at_full_and_at_half_resolution():
    rng = np.random.default_rng(0)
    velocity = host(smooth(tensor(rng.standard_normal((20, 32, 32, 2)), False), 3))
    velocity *= 2 / np.abs(velocity).max()
    both = [host(integrate(tensor(sign * velocity, False), 7)) for sign in (1, -1)]
    assert inconsistency(*both).mean() < 0.02
    # Beyond the outermost pixels of the half resolution the field is continued, so a margin is left out.
    both = [host(ops.upsample_bilinear(tensor(u, False), 2) * 2)[:, 4:-4, 4:-4] for u in both]
    assert np.abs(both[0]).max() > 3
    assert inconsistency(*both).mean() < 0.04


# Points


def test_points_move_by_the_field_and_between_pixels_by_its_bilinear_mean():
    rng = np.random.default_rng(0)
    u = rng.standard_normal((2, 5, 6, 2))
    points = np.array([[[1, 2], [1.5, 2], [1.25, 2.5]], [[0, 0], [4, 5], [3, 4.25]]])
    shifts = [
        [u[0, 1, 2], (u[0, 1, 2] + u[0, 2, 2]) / 2, (3 * u[0, 1, 2:4].sum(axis=0) + u[0, 2, 2:4].sum(axis=0)) / 8],
        [u[1, 0, 0], u[1, 4, 5], 0.75 * u[1, 3, 4] + 0.25 * u[1, 3, 5]],
    ]
    np.testing.assert_allclose(host(warp_points(tensor(points), tensor(u))), points + shifts, atol=1e-12)


def test_points_beyond_the_border_move_as_the_border_does():
    u = np.random.default_rng(0).standard_normal((1, 4, 4, 2))
    moved = host(warp_points(tensor(np.array([[[-5.0, 1], [9, 9]]])), tensor(u)))
    np.testing.assert_allclose(moved, [[[-5, 1] + u[0, 0, 1], [9, 9] + u[0, 3, 3]]])


@pytest.mark.parametrize("seed", range(5))
def test_a_point_of_the_fixed_image_goes_to_where_the_moving_image_shows_the_same_dot(seed):
    u, inverse = random_pair(seed, shape=(1, 32, 32), amplitude=5, smoothness=6)
    p = np.random.default_rng(seed).integers(10, 22, (1, 1, 2)).astype(np.float32)
    q = host(warp_points(tensor(p, False), tensor(u, False)))
    pixels = np.moveaxis(np.mgrid[:32, :32], 0, -1)
    moving = np.exp(-np.sum((pixels - q[0, 0]) ** 2, axis=-1) / 8).astype(np.float32)[None, ..., None]
    warped = host(ops.warp(tensor(moving, False), tensor(u, False)))[0, ..., 0]
    weight = warped**4  # the middle of the dot, where the field is nearly a translation
    centre = (pixels * weight[..., None]).sum(axis=(0, 1)) / weight.sum()
    np.testing.assert_allclose(centre, p[0, 0], atol=0.2)
    back = host(warp_points(tensor(q, False), tensor(inverse, False)))
    np.testing.assert_allclose(back, p, atol=0.1)


@pytest.mark.parametrize(
    "points", [np.zeros((2, 3, 2)), np.zeros((1, 3, 3)), np.zeros((3, 2)), np.zeros((1, 3, 2), int)]
)
def test_points_that_do_not_fit_the_field_are_refused(points):
    with pytest.raises(InputError, match="expected floating-point points"):
        warp_points(tensor(points, False), tensor(np.zeros((1, 4, 4, 2))))


# Smoothing


@pytest.mark.parametrize("sigma", [0.4, 1, 2.5, 6])
def test_smoothing_is_the_mean_weighted_by_a_gaussian_over_the_pixels_of_the_image(sigma):
    field = np.random.default_rng(0).standard_normal((2, 7, 9, 2))
    weights = []
    for size in (7, 9):
        distance = np.arange(size)[:, None] - np.arange(size)
        weight = np.exp(-(distance**2) / (2 * sigma**2)) * (np.abs(distance) <= np.ceil(3 * sigma))
        weights.append(weight / weight.sum(axis=1, keepdims=True))
    expected = np.einsum("ir,jc,nrcd->nijd", *weights, field)
    np.testing.assert_allclose(host(smooth(tensor(field), sigma)), expected, atol=1e-12)


@pytest.mark.parametrize("sigma", [0.7, 3, 20])
def test_smoothing_keeps_a_constant_field_constant_up_to_the_border(sigma):
    field = np.broadcast_to(np.float32([3, -0.25]), (1, 6, 11, 2))
    smoothed = host(smooth(tensor(field), sigma))
    assert smoothed.dtype == np.float32
    np.testing.assert_allclose(smoothed, field, rtol=1e-6)


def test_smoothing_with_sigma_0_changes_nothing_and_with_a_negative_one_is_refused():
    field = np.random.default_rng(0).standard_normal((1, 4, 5, 2))
    np.testing.assert_array_equal(host(smooth(tensor(field), 0)), field)
    with pytest.raises(InputError, match="got -1"):
        smooth(tensor(field), -1)


# Jacobian determinants


def test_the_corner_determinants_of_an_affine_field_are_its_determinant():
    matrix = np.array([[[1.2, 0.3, 5], [-0.4, 0.7, -2]], [[-1, 0, 0], [0, 1, 0]]])
    corners = corner_determinants(affine_displacement(tensor(matrix), 5, 7))
    expected = np.broadcast_to(np.linalg.det(matrix[:, :, :2])[:, None, None], (2, 4, 6))
    for corner in corners:
        np.testing.assert_allclose(host(corner), expected, atol=1e-12)


def test_between_the_corners_of_a_cell_the_determinant_is_their_bilinear_mean():
    u = np.random.default_rng(0).standard_normal((1, 4, 5, 2))
    cells = np.moveaxis(np.mgrid[:3, :4], 0, -1).reshape(1, -1, 2)
    s, t, step = 0.3, 0.6, 1e-3

    def phi(row, column):
        return host(warp_points(tensor(cells + np.array([row, column]), False), tensor(u, False)))

    # Within a cell phi is bilinear, so these differences are exact.
    jacobian = [phi(s + step, t) - phi(s - step, t), phi(s, t + step) - phi(s, t - step)]
    determinant = np.linalg.det(np.stack(jacobian, axis=-2) / (2 * step))
    weights = [(1 - s) * (1 - t), (1 - s) * t, s * (1 - t), s * t]
    mean = sum(weight * corner for weight, corner in zip(weights, corner_determinants(u), strict=True))
    np.testing.assert_allclose(mean.ravel(), determinant[0], atol=1e-9)


def test_corner_determinants_of_tensors_are_those_of_the_metrics():
    u = np.random.default_rng(0).standard_normal((2, 5, 6, 2))
    stacked = host(ops.stack(corner_determinants(tensor(u)), axis=-1))
    np.testing.assert_allclose(stacked, metrics.corner_determinants(u), atol=1e-12)
    assert all(host(corner).dtype == np.float32 for corner in corner_determinants(tensor(u.astype(np.float32))))


# Gradients and the other backend


def test_gradients_flow_through_points_smoothing_and_determinants():
    rng = np.random.default_rng(0)
    field = rng.standard_normal((2, 5, 6, 2))
    points = rng.integers(0, 4, (2, 3, 2)) + rng.uniform(0.1, 0.9, (2, 3, 2))
    check_vjps(warp_points, points, field, rng=rng)
    gradcheck(lambda u: warp_points(tensor(points, False), u), field, linear=(0,))
    gradcheck(lambda u: smooth(u, 1.5), field, linear=(0,))
    check_vjps(lambda u: ops.stack(corner_determinants(u)), field, rng=rng)


def test_fields_are_the_same_on_the_other_backend():
    u = random_pair(shape=(1, 9, 11), amplitude=2, smoothness=2)[0]
    points = np.random.default_rng(0).uniform(0, 8, (1, 4, 2)).astype(np.float32)

    def everything():
        corners = corner_determinants(tensor(u))
        return [*invert(u), *map(host, (smooth(tensor(u), 1), warp_points(tensor(points), tensor(u)), *corners))]

    expected = everything()
    with using("strict"):
        for ours, theirs in zip(everything(), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)  # they may add up in another order


def test_an_enlarged_field_says_the_same_in_smaller_pixels():
    field = tensor(np.broadcast_to([1.5, -2.0], (1, 4, 5, 2)).copy())
    assert enlarge(field, 1) is field
    np.testing.assert_allclose(host(enlarge(field, 2)), np.broadcast_to([3.0, -4.0], (1, 8, 10, 2)), atol=1e-6)

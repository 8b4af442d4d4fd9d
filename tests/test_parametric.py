"""Affine maps, thin-plate splines and random diffeomorphisms are what their names promise."""

import numpy as np
import pytest
from gradients import host, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from strict_backend import using
from test_fields import inconsistency

from minireg import metrics, ops
from minireg.errors import InputError
from minireg.fields import affine_displacement, compose, random_diffeomorphism, thin_plate_spline, warp_points
from minireg.gradcheck import gradcheck

some = settings(max_examples=25, deadline=None, database=None)


def affine(matrix, height, width, dtype=np.float64):
    return host(affine_displacement(tensor(np.asarray(matrix, dtype), False), height, width))


# Affine maps


def test_the_identity_matrix_moves_nothing_and_a_shift_moves_all_alike():
    matrix = [[[1, 0, 0], [0, 1, 0]], [[1, 0, 2.5], [0, 1, -1]]]
    u = affine(matrix, 4, 7, np.float32)
    assert u.shape == (2, 4, 7, 2) and u.dtype == np.float32
    assert not u[0].any()
    np.testing.assert_array_equal(u[1], np.broadcast_to(np.float32([2.5, -1]), (4, 7, 2)))


@pytest.mark.parametrize("size", [6, 7])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_quarter_turn_about_the_centre_is_that_of_numpy(size, turns):
    image = np.random.default_rng(0).random((1, size, size, 1))
    quarter = np.array([[0, -1], [1, 0]])
    matrix = np.concatenate([np.linalg.matrix_power(quarter, turns), np.zeros((2, 1))], axis=1)[None]
    warped = host(ops.warp(tensor(image), tensor(affine(matrix, size, size))))
    np.testing.assert_array_equal(warped, np.rot90(image, -turns, axes=(1, 2)))


def test_twice_the_identity_shows_the_image_at_half_its_size():
    image = np.random.default_rng(0).random((1, 9, 9, 1))
    warped = host(ops.warp(tensor(image), tensor(affine([[[2, 0, 0], [0, 2, 0]]], 9, 9))))
    np.testing.assert_array_equal(warped[:, 2:7, 2:7], image[:, ::2, ::2])
    assert not warped[:, :2].any()


@some
@given(seed=st.integers(0, 2**32 - 1))
def test_affine_fields_send_points_as_the_matrix_says_and_compose_as_matrices_do(seed):
    rng = np.random.default_rng(seed)
    first, second = np.eye(2, 3) + 0.1 * rng.uniform(-1, 1, (2, 1, 2, 3))
    centre = np.array([5.5, 7])
    points = rng.uniform(3, 8, (1, 6, 2))
    u = [tensor(affine(matrix, 12, 15), False) for matrix in (first, second)]
    once = centre + (points - centre) @ first[0, :, :2].T + first[0, :, 2]
    np.testing.assert_allclose(host(warp_points(tensor(points), u[0])), once, atol=1e-9)
    twice = centre + (once - centre) @ second[0, :, :2].T + second[0, :, 2]
    np.testing.assert_allclose(host(warp_points(tensor(points), compose(*u))), twice, atol=1e-9)


def test_the_gradient_of_an_affine_field_reaches_its_matrix():
    matrix = np.random.default_rng(0).standard_normal((2, 2, 3))
    gradcheck(lambda m: affine_displacement(m, 4, 5), matrix, linear=(0,))


def test_a_matrix_of_another_shape_is_refused():
    with pytest.raises(InputError, match=r"\(N, 2, 3\), got shape \(2, 3\)"):
        affine(np.eye(2, 3), 4, 4)


# Thin-plate splines


def landmarks(seed, count=6, pairs=2, height=16, width=20):
    """Landmarks on different whole pixels of the fixed image, not on a line, and moved ones."""
    rng = np.random.default_rng(seed)
    corners = np.array([[0, 0], [height - 1, 2], [3, width - 1]])
    pixels = np.array([rng.choice(height * width, count, replace=False) for _ in range(pairs)])
    fixed = np.stack(np.unravel_index(pixels, (height, width)), axis=-1).astype(float)
    fixed[:, :3] = corners
    fixed[:, 3:] += 0.5 * (fixed[:, 3:, None] == corners).all(axis=-1).any(axis=-1)[..., None]
    return fixed, fixed + rng.normal(0, 2, fixed.shape)


@some
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(3, 12))
def test_without_smoothing_every_landmark_goes_exactly_to_its_counterpart(seed, count):
    fixed, moving = landmarks(seed, count)
    u = thin_plate_spline(fixed, moving, 16, 20)
    on_pixels = (fixed == np.rint(fixed)).all(axis=-1)
    moved = host(warp_points(tensor(fixed), tensor(u)))
    np.testing.assert_allclose(moved[on_pixels], moving[on_pixels], atol=1e-6)


@some
@given(seed=st.integers(0, 2**32 - 1), smoothing=st.sampled_from([0, 1, 1e4]))
def test_landmarks_that_an_affine_map_relates_give_that_map(seed, smoothing):
    rng = np.random.default_rng(seed)
    fixed, _ = landmarks(seed)
    matrix = rng.standard_normal((2, 2, 3))
    centre = np.array([7.5, 9.5])
    moving = centre + (fixed - centre) @ matrix[:, :, :2].swapaxes(1, 2) + matrix[:, None, :, 2]
    u = thin_plate_spline(fixed, moving, 16, 20, smoothing)
    np.testing.assert_allclose(u, affine(matrix, 16, 20), atol=1e-6)


@pytest.mark.parametrize("smoothing", [0, 10, 300])
def test_two_diagonals_pulled_apart_give_way_as_the_formula_says(smoothing):
    # A square of side s whose corners move by +h and -h in turn: K w = (phi(s sqrt 2) - 2 phi(s)) w = s^2 log 2 w.
    s, turns = 6, np.array([1, -1, -1, 1])
    fixed = np.array([[[1, 2], [1, 2 + s], [1 + s, 2], [1 + s, 2 + s]]], float)
    moving = fixed + turns[:, None] * [0, 0.5]
    u = thin_plate_spline(fixed, moving, 10, 10, smoothing)
    pulled = u[0, [1, 1, 1 + s, 1 + s], [2, 2 + s, 2, 2 + s]]
    stiffness = s**2 * np.log(2)
    expected = turns[:, None] * [0, 0.5 * stiffness / (stiffness + smoothing)]
    np.testing.assert_allclose(pulled, expected, atol=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 5.0, 300.0])
def test_the_spline_is_that_of_scipy(smoothing):
    interpolate = pytest.importorskip("scipy.interpolate")
    fixed, moving = landmarks(1, 9)
    u = thin_plate_spline(fixed, moving, 16, 20, smoothing)
    pixels = np.moveaxis(np.mgrid[:16, :20], 0, -1).reshape(-1, 2).astype(float)
    for pair in range(2):
        theirs = interpolate.RBFInterpolator(fixed[pair], (moving - fixed)[pair], smoothing=smoothing)(pixels)
        np.testing.assert_allclose(u[pair].reshape(-1, 2), theirs, atol=1e-8)


def test_the_more_smoothing_the_further_from_the_landmarks_and_the_nearer_to_an_affine_map():
    fixed, moving = landmarks(0, 10)
    misses, bends = [], []
    for smoothing in (0, 10, 100, 1e3, 1e9):
        u = thin_plate_spline(fixed, moving, 16, 20, smoothing)
        misses.append(np.abs(host(warp_points(tensor(fixed), tensor(u))) - moving).mean())
        bends.append(np.abs(np.diff(u, n=2, axis=1)).mean() + np.abs(np.diff(u, n=2, axis=2)).mean())
    assert misses == sorted(misses) and misses[0] < 1e-6
    assert bends == sorted(bends, reverse=True) and bends[-1] < 1e-4
    # At the end of the scale stands the affine map of least squares.
    for pair in range(2):
        known = np.concatenate([fixed[pair], np.ones((10, 1))], axis=1)
        best, *_ = np.linalg.lstsq(known, (moving - fixed)[pair])
        pixels = np.moveaxis(np.mgrid[:16, :20, 1:2], 0, -1)[:, :, 0]
        np.testing.assert_allclose(u[pair], pixels @ best, atol=1e-3)


def test_the_field_of_float32_landmarks_is_float32_and_whole_numbers_may_be_ints():
    fixed, moving = landmarks(0)
    u = thin_plate_spline(fixed.astype(np.float32), moving.astype(np.float32), 8, 8)
    assert u.dtype == np.float32
    whole = np.array([[[0, 0], [5, 1], [2, 7]]])
    u = thin_plate_spline(whole, whole + 2, 8, 8)
    np.testing.assert_allclose(u, np.full((1, 8, 8, 2), 2), atol=1e-9)


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ([[1, 2], [3, 5]], "at least three landmarks, got 2"),
        ([[1, 2], [3, 5], [1, 2], [9, 0]], "in the same place"),
        ([[1, 2], [3, 4], [5, 6], [0, 1]], "on one line"),
        ([[1, 2], [3, np.nan], [5, 6]], "NaN"),
    ],
)
def test_landmarks_that_determine_no_spline_are_refused(fixed, message):
    good = np.array([[0, 0], [7, 1], [2, 6], [5, 5]], float)[: len(fixed)]
    fixed = np.stack([good, np.array(fixed, float)])
    with pytest.raises(InputError, match=message):
        thin_plate_spline(fixed, fixed + 1, 8, 8)


def test_landmarks_without_counterparts_and_a_negative_smoothing_are_refused():
    fixed, moving = landmarks(0)
    with pytest.raises(InputError, match=r"got shapes \(2, 6, 2\) and \(2, 5, 2\)"):
        thin_plate_spline(fixed, moving[:, 1:], 8, 8)
    with pytest.raises(InputError, match="got -1"):
        thin_plate_spline(fixed, moving, 8, 8, smoothing=-1)


# Random diffeomorphisms


@pytest.mark.parametrize(("amplitude", "smoothness"), [(0.02, 2), (0.5, 2), (3, 2), (3, 3), (6, 4), (12, 8)])
def test_random_fields_fold_nowhere_and_their_inverse_is_consistent(amplitude, smoothness):
    both = random_diffeomorphism(np.random.default_rng(0), (20, 32, 32), amplitude, smoothness)
    for u in both:
        assert u.shape == (20, 32, 32, 2) and u.dtype == np.float32
        assert metrics.folded_cells(u).max() == 0
        assert np.linalg.norm(u, axis=-1).max() <= amplitude * (1 + 1e-6)
        assert np.sqrt((u**2).sum(axis=-1).mean()) > 0.25 * amplitude
    for there, back in (both, both[::-1]):
        assert inconsistency(there, back).mean() < 0.05


def test_random_fields_are_consistent_to_a_tenth_of_a_pixel_everywhere_where_they_are_smooth():
    both = random_diffeomorphism(np.random.default_rng(0), (20, 32, 40), 4, 4)
    assert inconsistency(*both).max() < 0.1 and inconsistency(*both[::-1]).max() < 0.1


def test_random_fields_cross_the_border_as_they_cross_any_line():
    u, _ = random_diffeomorphism(np.random.default_rng(0), (300, 12, 12), 2, 3)
    size = np.sqrt((u**2).mean(axis=(0, 3)))
    np.testing.assert_allclose(size[0].mean(), size[5:7].mean(), rtol=0.1)


def test_the_same_generator_gives_the_same_fields_on_both_backends_and_another_gives_others():
    first, second, other = (random_diffeomorphism(np.random.default_rng(seed), (1, 8, 9), 2, 2) for seed in (0, 0, 1))
    with using("strict"):
        strict = random_diffeomorphism(np.random.default_rng(0), (1, 8, 9), 2, 2)
    for a, b, c in zip(first, second, strict, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a, c, rtol=0, atol=1e-5)  # they may add up in another order
    assert not np.allclose(first[0], other[0])


@pytest.mark.parametrize(("amplitude", "smoothness"), [(0, 2), (-1, 2), (2, 0), (np.nan, 2), (2, np.inf)])
def test_amplitude_and_smoothness_must_be_above_0(amplitude, smoothness):
    with pytest.raises(InputError, match="must be a number of pixels above 0"):
        random_diffeomorphism(np.random.default_rng(0), (1, 8, 8), amplitude, smoothness)


def test_affine_fields_are_the_same_on_the_other_backend():
    matrix = np.random.default_rng(0).standard_normal((2, 2, 3))
    expected = affine(matrix, 5, 6)
    with using("strict"):
        np.testing.assert_allclose(affine(matrix, 5, 6), expected, rtol=0, atol=1e-12)

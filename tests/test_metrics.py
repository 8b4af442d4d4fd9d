"""The metrics against numbers worked out by hand, against scikit-image, and against their invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minireg import metrics
from minireg.errors import InputError
from minireg.evaluation import score

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=30, deadline=None)

SIMILARITIES = [metrics.ncc, metrics.mse, metrics.ssim, metrics.dice]
FOLDS = [metrics.folded_cells, metrics.folded_pixels]
ERRORS = [metrics.inverse_consistency, metrics.target_registration_error]
REGULARITIES = [metrics.folded_cells, metrics.folded_pixels, metrics.spread_log_jacobian]


def image(rows):
    """One image of one channel, from a list of rows."""
    return np.array(rows, dtype=np.float32)[None, :, :, None]


def random_images(seed, shape=(3, 12, 14, 2)):
    return np.random.default_rng(seed).random(shape)


def linear_field(matrix, height=6, width=7):
    """The displacement of p -> matrix p, with p = (row, column)."""
    p = np.stack(np.mgrid[:height, :width], axis=-1).astype(float)
    return (p @ np.transpose(matrix) - p)[None]


def checkerboard_field(amplitude, side=32):
    """Both components alternate between -amplitude and amplitude from pixel to pixel."""
    parity = np.indices((side, side)).sum(axis=0) % 2
    return np.repeat(amplitude * (2.0 * parity - 1)[None, :, :, None], 2, axis=-1)


# How alike two images are


def test_ncc_of_four_pixels_is_the_correlation_worked_out_by_hand():
    # Centred: (-1.5, -.5, .5, 1.5) and (-1, 1, -1, 1); 2 / sqrt(5 * 4).
    assert metrics.ncc(image([[1, 2], [3, 4]]), image([[0, 2], [0, 2]])) == pytest.approx(2 / np.sqrt(20))


@quick
@given(seeds, st.floats(0.01, 100), st.floats(-100, 100))
def test_ncc_ignores_contrast_and_brightness_and_turns_its_sign_with_inverted_contrast(seed, scale, offset):
    a, b = random_images([seed, 0]), random_images([seed, 1])
    expected = metrics.ncc(a, b)
    np.testing.assert_allclose(metrics.ncc(scale * a + offset, b), expected, atol=1e-9)
    np.testing.assert_allclose(metrics.ncc(offset - scale * a, b), -expected, atol=1e-9)


@quick
@given(seeds)
def test_every_similarity_is_symmetric_and_stays_in_its_range(seed):
    a, b = random_images([seed, 0]), random_images([seed, 1])
    for metric, low, high in [(metrics.ncc, -1, 1), (metrics.ssim, -1, 1), (metrics.dice, 0, 1)]:
        value = metric(a, b)
        np.testing.assert_allclose(metric(b, a), value, rtol=1e-12)
        assert np.all((low <= value) & (value <= high))
    np.testing.assert_array_equal(metrics.mse(a, b), metrics.mse(b, a))


@quick
@given(seeds)
def test_an_image_is_as_like_itself_as_can_be(seed):
    a = random_images(seed)
    np.testing.assert_allclose(metrics.ncc(a, a), 1, rtol=1e-12)
    np.testing.assert_allclose(metrics.ssim(a, a), 1, rtol=1e-12)
    np.testing.assert_array_equal(metrics.mse(a, a), 0)
    np.testing.assert_array_equal(metrics.dice(a, a), 1)


@pytest.mark.parametrize("level", [0, 0.1, 1, 1000])
def test_ncc_with_a_constant_image_is_zero_also_when_the_constant_is_large(level):
    flat = np.full((2, 33, 29, 1), level, dtype=np.float32)
    textured = random_images(0, flat.shape).astype(np.float32)
    for pair in [(flat, textured), (textured, flat), (flat, flat)]:
        np.testing.assert_array_equal(metrics.ncc(*pair), 0)


def test_ncc_takes_an_image_that_is_constant_up_to_float32_rounding_for_constant():
    one, third = np.float32(1), np.float32(1 / 3)
    weights = random_images(0, (1, 32, 32, 1)).astype(np.float32)
    interpolated = weights * third + (one - weights) * third
    assert len(np.unique(interpolated)) > 1
    assert metrics.ncc(interpolated, random_images(1, (1, 32, 32, 1))) == 0


def test_ncc_keeps_its_digits_when_a_float32_image_is_bright_and_nearly_flat():
    a = (1000 + random_images(0)).astype(np.float32)
    b = (1000 + random_images(1)).astype(np.float32)
    expected = [np.corrcoef(x.ravel() - 1000, y.ravel() - 1000)[0, 1] for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(metrics.ncc(a, b), expected, atol=1e-4)


def test_ncc_of_images_of_one_pixel_is_zero():
    assert metrics.ncc(image([[0.3]]), image([[0.7]])) == 0


def test_mse_averages_the_squared_difference_over_rows_columns_and_channels():
    a = np.zeros((2, 1, 2, 2))
    b = np.array([[[[1, 2], [3, 4]]], [[[0, 0], [0, 2]]]], dtype=float)
    np.testing.assert_array_equal(metrics.mse(a, b), [7.5, 1])


# skimage.metrics.structural_similarity(a, b, data_range=1, gaussian_weights=True, use_sample_covariance=False) of
# scikit-image 0.26.0, where `random = numpy.random.default_rng(seed)`, `a = random.random(shape)` and
# `noise = random.random(shape)`.
SSIM_OF_SCIKIT_IMAGE = [
    (0, (11, 11), "noise", 0.0674953351710972),
    (0, (11, 11), "inverted", -0.9871849469203758),
    (1, (32, 32), "noise", 0.07279935898531165),
    (1, (32, 32), "blend", 0.9557668697727164),
    (2, (20, 37), "noise", -0.027372175584755427),
    (2, (20, 37), "blend", 0.94749753046706),
    (2, (20, 37), "flat", 0.011349530481949614),
]


@pytest.mark.parametrize("seed, shape, kind, expected", SSIM_OF_SCIKIT_IMAGE)
def test_ssim_equals_the_number_of_scikit_image(seed, shape, kind, expected):
    random = np.random.default_rng(seed)
    a, noise = random.random(shape), random.random(shape)
    b = {
        "noise": noise,
        "blend": 0.8 * a + 0.2 * noise,
        "inverted": 1 - a,
        "flat": np.full(shape, 0.5),
    }[kind]
    assert metrics.ssim(a[None, ..., None], b[None, ..., None]) == pytest.approx(expected, rel=1e-10)


def test_ssim_of_two_constant_images_compares_their_brightness_only():
    a, b = np.full((1, 11, 11, 1), 0.2), np.full((1, 11, 11, 1), 0.6)
    assert metrics.ssim(a, b) == pytest.approx((2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4))


def test_ssim_averages_over_channels():
    a, b = random_images(0), random_images(1)
    channels = [metrics.ssim(a[..., c : c + 1], b[..., c : c + 1]) for c in range(2)]
    np.testing.assert_allclose(metrics.ssim(a, b), np.mean(channels, axis=0))


def test_ssim_refuses_images_smaller_than_its_window():
    with pytest.raises(InputError, match="at least 11 x 11"):
        metrics.ssim(np.zeros((1, 10, 40, 1)), np.zeros((1, 10, 40, 1)))


def test_dice_counts_twice_the_overlap_over_both_sets():
    a = image([[1, 1, 1], [0, 0, 0]])
    b = image([[0, 1, 1], [1, 1, 0.5]])  # 0.5 is not above the threshold
    assert metrics.dice(a, b) == pytest.approx(2 * 2 / (3 + 4))
    assert metrics.dice(b, a) == pytest.approx(2 * 2 / (3 + 4))
    assert metrics.dice(a, b, threshold=0.4) == pytest.approx(2 * 2 / (3 + 5))


def test_dice_of_two_empty_sets_is_one_and_of_one_empty_set_is_zero():
    empty, full = image([[0, 0]]), image([[1, 1]])
    assert metrics.dice(empty, empty) == 1
    assert metrics.dice(empty, full) == 0


def test_a_sweep_is_dice_at_every_threshold():
    a, b = random_images(0), random_images(1)
    expected = np.stack([metrics.dice(a, b, t) for t in (0.3, 0.4, 0.5, 0.6, 0.7)], axis=1)
    assert len(np.unique(expected)) == expected.size
    np.testing.assert_array_equal(metrics.dice_sweep(a, b), expected)
    np.testing.assert_array_equal(metrics.dice_sweep(a, b, [0.6]), expected[:, 3:4])


def hausdorff95_reference(a, b):
    """The formula of the docstring, pair of pixels by pair of pixels, for two sets (H, W)."""

    def boundary(inside):
        def is_inside(row, column):
            return 0 <= row < len(inside) and 0 <= column < len(inside[0]) and inside[row][column]

        return [
            (i, j)
            for i, j in zip(*np.nonzero(inside), strict=True)
            if not all(is_inside(i + di, j + dj) for di, dj in [(-1, 0), (1, 0), (0, -1), (0, 1)])
        ]

    def directed(start, end):
        return np.percentile([min(np.hypot(p[0] - q[0], p[1] - q[1]) for q in end) for p in start], 95)

    return max(directed(boundary(a), boundary(b)), directed(boundary(b), boundary(a)))


@quick
@given(seeds, st.tuples(st.integers(1, 9), st.integers(1, 9)), st.floats(0.2, 0.8))
def test_hausdorff95_is_that_of_the_formula_and_symmetric(seed, size, threshold):
    a, b = np.random.default_rng(seed).random((2, 3, *size, 1))
    a[:, 0, 0] = b[:, -1, -1] = 1
    value = metrics.hausdorff95(a, b, threshold)
    expected = [hausdorff95_reference(x > threshold, y > threshold) for x, y in zip(a[..., 0], b[..., 0], strict=True)]
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_array_equal(metrics.hausdorff95(b, a, threshold), value)


def test_hausdorff95_of_a_shifted_square_is_between_the_boundaries_not_the_regions():
    a, b = np.zeros((2, 1, 20, 20, 1))
    a[:, 5:15, 5:15], b[:, 5:15, 8:18] = 1, 1
    assert metrics.hausdorff95(a, b) == 3
    b[:] = 0
    b[:, 8:12, 8:12] = 1  # inside of a, so that each of its pixels belongs to a too
    assert metrics.hausdorff95(a, b) > 3


def test_hausdorff95_ignores_a_stray_pixel_among_many():
    a = np.zeros((1, 30, 30, 1))
    a[:, 5:15, 5:15] = 1
    b = a.copy()
    b[0, 29, 29] = 1
    assert metrics.hausdorff95(a, b) == 0


def test_hausdorff95_of_two_empty_sets_is_zero_and_of_one_empty_set_the_diagonal():
    empty, full = np.zeros((1, 4, 5, 1)), np.ones((1, 4, 5, 1))
    assert metrics.hausdorff95(empty, empty) == 0
    assert metrics.hausdorff95(empty, full) == metrics.hausdorff95(full, empty) == 5  # 3 down, 4 across


# How regular a displacement is


def test_the_identity_has_determinant_one_at_every_corner_and_no_fold():
    u = np.zeros((2, 5, 8, 2), dtype=np.float32)
    determinants = metrics.corner_determinants(u)
    assert determinants.shape == (2, 4, 7, 4)
    np.testing.assert_array_equal(determinants, 1)
    for metric in REGULARITIES:
        np.testing.assert_array_equal(metric(u), [0, 0])


@quick
@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4))
def test_a_linear_map_has_the_determinant_of_its_matrix_everywhere(entries):
    matrix = np.reshape(entries, (2, 2))
    determinants = metrics.corner_determinants(linear_field(matrix))
    np.testing.assert_allclose(determinants, np.linalg.det(matrix), atol=1e-12)


def test_a_uniform_scaling_by_one_plus_s_has_determinant_one_plus_s_squared_and_no_spread():
    u = linear_field(1.25 * np.eye(2))
    np.testing.assert_allclose(metrics.corner_determinants(u), 1.25**2)
    np.testing.assert_allclose(metrics.spread_log_jacobian(u), 0, atol=1e-12)
    assert metrics.folded_cells(u) == metrics.folded_pixels(u) == 0


@pytest.mark.parametrize("mirror", [np.diag([-1, 1]), np.diag([1, -1])])
def test_a_reflection_folds_everything_and_a_half_turn_folds_nothing(mirror):
    assert metrics.folded_cells(linear_field(mirror)) == metrics.folded_pixels(linear_field(mirror)) == 1
    half_turn = linear_field(-np.eye(2))
    assert metrics.folded_cells(half_turn) == metrics.folded_pixels(half_turn) == 0


def test_a_cell_pressed_flat_counts_as_folded():
    flat = linear_field(np.diag([0, 1]))
    assert metrics.folded_cells(flat) == metrics.folded_pixels(flat) == 1


def test_forward_differences_see_half_the_pixels_of_a_checkerboard_fold_and_the_corners_see_every_cell():
    # With d = +-1.8, the change along an edge, the determinant (1 + d)^2 - d^2 = 1 + 2 d is 4.6 or -2.6 by turns.
    u = checkerboard_field(0.9)
    assert metrics.folded_pixels(u) == pytest.approx(0.5, abs=0.01)
    assert metrics.folded_cells(u) == 1
    # u[:, 2:] - u[:, :-2] is what central differences are made of: they see the identity.
    assert np.all(u[:, 2:] == u[:, :-2]) and np.all(u[:, :, 2:] == u[:, :, :-2])


def test_corners_come_in_the_documented_order():
    # Only the pixel at the lower right moves, so only the two edges that meet there change: d phi / d column of the
    # bottom edge becomes (.25, 1.5), d phi / d row of the right edge (1.25, .5).
    u = np.zeros((1, 2, 2, 2))
    u[0, 1, 1] = 0.25, 0.5
    expected = [1, 1.25, 1.5, 1.25 * 1.5 - 0.25 * 0.5]
    np.testing.assert_allclose(metrics.corner_determinants(u)[0, 0, 0], expected)


def test_a_fold_at_one_corner_alone_is_counted_by_cells_and_missed_by_forward_differences():
    u = np.zeros((1, 2, 2, 2))
    u[0, 1, 1] = -0.8, -0.8
    assert metrics.folded_cells(u) == 1
    assert metrics.folded_pixels(u) == 0


@quick
@given(seeds)
def test_the_least_determinant_inside_a_bilinear_cell_is_the_least_of_its_corners(seed):
    u = np.random.default_rng(seed).uniform(-1, 1, (1, 2, 2, 2))
    (p00, p01), (p10, p11) = np.stack(np.mgrid[:2, :2], axis=-1) + u[0]
    s, t = (x[..., None] for x in np.mgrid[0:1:41j, 0:1:41j])
    # The derivatives of (1-s)(1-t) p00 + (1-s) t p01 + s (1-t) p10 + s t p11.
    down = (1 - t) * (p10 - p00) + t * (p11 - p01)
    across = (1 - s) * (p01 - p00) + s * (p11 - p10)
    inside = np.linalg.det(np.stack([down, across], axis=-1))
    assert inside.min() == pytest.approx(metrics.corner_determinants(u).min(), abs=1e-12)


@quick
@given(seeds)
def test_folded_pixels_never_exceed_folded_cells(seed):
    u = np.random.default_rng(seed).uniform(-1, 1, (4, 6, 5, 2))
    assert np.all(metrics.folded_pixels(u) <= metrics.folded_cells(u))


def test_spread_log_jacobian_is_the_deviation_between_a_doubled_and_a_halved_half():
    step = np.array([0, 2, 4, 4.5, 5])  # columns two pixels apart, then half a pixel
    u = np.zeros((1, 3, 5, 2))
    u[..., 1] = step - np.arange(5)
    assert metrics.spread_log_jacobian(u) == pytest.approx(np.log(2))


def test_spread_log_jacobian_counts_a_fold_as_the_floor():
    u = np.zeros((1, 2, 3, 2))
    u[..., 1] = np.array([0, 1, 0]) - np.arange(3)  # one cell as it was, one turned over
    assert metrics.spread_log_jacobian(u, floor=0.01) == pytest.approx(np.log(100) / 2)
    with pytest.raises(InputError, match="above 0"):
        metrics.spread_log_jacobian(u, floor=0)


@pytest.mark.parametrize("height, width", [(1, 1), (1, 9), (9, 1)])
def test_a_field_without_cells_has_no_folds_and_no_spread(height, width):
    u = np.ones((2, height, width, 2))
    for metric in REGULARITIES:
        np.testing.assert_array_equal(metric(u), [0, 0])


@pytest.mark.parametrize("metric", FOLDS)
def test_a_mask_of_everything_changes_nothing_and_an_empty_one_counts_nothing(metric):
    u = np.random.default_rng(0).uniform(-1, 1, (3, 6, 5, 2))
    np.testing.assert_array_equal(metric(u, mask=np.ones((3, 6, 5), bool)), metric(u))
    np.testing.assert_array_equal(metric(u, mask=np.zeros((3, 6, 5), bool)), [0, 0, 0])
    assert np.all(metric(u) > 0)


def test_folds_in_a_mask_are_counted_among_its_own_pixels_and_the_cells_that_touch_it():
    u = np.zeros((1, 6, 6, 2))
    u[0, 2, 3, 1] = -1.5  # the edge from (2, 2) to (2, 3) turns round, in the two cells on either side of it
    mask = np.zeros((1, 6, 6), bool)
    mask[0, 2, 1:5] = True
    assert metrics.folded_pixels(u) == pytest.approx(1 / 25)
    assert metrics.folded_pixels(u, mask) == pytest.approx(1 / 4)
    assert metrics.folded_cells(u) == pytest.approx(2 / 25)
    assert metrics.folded_cells(u, mask) == pytest.approx(2 / 10)


@pytest.mark.parametrize("mask", [np.ones((1, 4, 4)), np.ones((1, 4, 5), bool), np.ones((4, 4), bool), [[[True]]]])
def test_a_mask_that_is_not_boolean_or_does_not_fit_is_refused(mask):
    u = np.zeros((1, 4, 4, 2))
    for metric in (*FOLDS, lambda u, mask: metrics.target_registration_error(u, u, mask)):
        with pytest.raises(InputError, match=r"mask of booleans \(1, 4, 4\)"):
            metric(u, mask)


# How exact a displacement is


def test_two_translations_that_undo_each_other_are_consistent_and_the_rest_is_what_is_missing():
    shape = (1, 5, 7, 2)
    forward = np.broadcast_to([1.5, -2.0], shape)
    assert metrics.inverse_consistency(forward, -forward) == 0
    assert metrics.inverse_consistency(forward, np.broadcast_to([-1.5, 6.0], shape)) == pytest.approx(4)
    assert metrics.inverse_consistency(forward, np.zeros(shape)) == pytest.approx(2.5)


def test_the_way_back_begins_where_the_way_there_ended():
    # u doubles distances from the left border, so the way back halves them: w(c) = -c / 2, and w at 2 c, not at c.
    forward = linear_field(np.diag([1, 2]), 4, 9)
    backward = linear_field(np.diag([1, 0.5]), 4, 9)
    error = np.abs(np.arange(9) - np.minimum(2 * np.arange(9), 8) / 2)  # beyond column 8, w continues as it is there
    assert error[:5].max() == 0
    assert metrics.inverse_consistency(forward, backward) == pytest.approx(error.mean())


def test_the_error_to_the_true_field_is_the_mean_distance_in_the_mask():
    u, true = np.zeros((2, 3, 4, 2)), np.zeros((2, 3, 4, 2))
    true[0, 1, 1] = 3, 4
    true[1] = 0, -2
    mask = np.zeros((2, 3, 4), bool)
    mask[0, 1, :2] = True
    np.testing.assert_allclose(metrics.target_registration_error(u, true), [5 / 12, 2])
    np.testing.assert_allclose(metrics.target_registration_error(u, true, mask), [2.5, 0])  # nothing to miss in [1]


def test_a_landmark_is_sent_along_the_field_interpolated_at_the_landmark():
    u = linear_field([[1.5, 0], [0.25, 1]], 12, 14)
    fixed_points = np.array([[[0.5, 3], [2.25, 7.75], [4, 0]]])
    moving_points = fixed_points @ np.array([[1.5, 0], [0.25, 1]]).T
    assert metrics.landmark_error(u, fixed_points, moving_points) == pytest.approx(0, abs=1e-12)
    moving_points[0, 1] += 3, -4
    assert metrics.landmark_error(u, fixed_points, moving_points) == pytest.approx(5 / 3)
    for points in (fixed_points[0], fixed_points[:, :0], fixed_points[..., :1], np.concatenate([fixed_points] * 2)):
        with pytest.raises(InputError, match=r"one shape \(1, K, 2\)"):
            metrics.landmark_error(u, points, points)


# What all of them share


@pytest.mark.parametrize("metric", SIMILARITIES + REGULARITIES + ERRORS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_metric_gives_one_float64_number_per_pair_whatever_else_is_in_the_batch(metric, dtype):
    shape = (3, 12, 14, 2)
    batches = [random_images(seed, shape).astype(dtype) for seed in range(2)][: 1 + (metric in SIMILARITIES + ERRORS)]
    values = metric(*batches)
    assert values.shape == (3,) and values.dtype == np.float64
    alone = [metric(*(batch[i : i + 1] for batch in batches))[0] for i in range(3)]
    np.testing.assert_allclose(values, alone, rtol=1e-12)


@pytest.mark.parametrize("metric", SIMILARITIES)
def test_two_images_of_different_shapes_are_refused_with_both_shapes_named(metric):
    with pytest.raises(InputError, match=r"one shape \(N, H, W, C\).*\(1, 12, 12, 1\).*\(1, 12, 13, 1\)"):
        metric(np.zeros((1, 12, 12, 1)), np.zeros((1, 12, 13, 1)))


@pytest.mark.parametrize(
    "unusable",
    [
        np.zeros((12, 12)),
        np.zeros((0, 12, 12, 1)),
        np.zeros((1, 12, 12, 1), dtype=np.uint8),
        np.zeros((1, 12, 12, 1), dtype=complex),
        [[[[0.0]]]],
        None,
    ],
    ids=["two axes", "empty batch", "bytes", "complex", "a list", "nothing"],
)
def test_what_is_no_batch_of_floating_point_images_is_refused(unusable):
    with pytest.raises(InputError, match="floating-point NumPy arrays"):
        metrics.mse(unusable, unusable)
    with pytest.raises(InputError, match="floating-point NumPy arrays"):
        metrics.folded_cells(unusable)


def test_a_displacement_without_exactly_two_components_is_refused():
    with pytest.raises(InputError, match=r"\(N, H, W, 2\).*\(1, 4, 4, 3\)"):
        metrics.corner_determinants(np.zeros((1, 4, 4, 3)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_and_counted(value):
    clean, spoiled = np.zeros((1, 12, 12, 2)), np.zeros((1, 12, 12, 2))
    spoiled[0, 3, 4:6, 0] = value
    with pytest.raises(InputError, match="2 of the 288 values of b are NaN or infinite"):
        metrics.ncc(clean, spoiled)
    with pytest.raises(InputError, match="2 of the 288 values of u are NaN or infinite"):
        metrics.folded_pixels(spoiled)


def test_the_score_has_every_metric_of_the_pairs_and_tells_the_foreground_from_the_image():
    rng = np.random.default_rng(0)
    warped, fixed = rng.random((2, 3, 12, 14, 1))
    u = rng.uniform(-1, 1, (3, 12, 14, 2))
    scores = score(warped, fixed, u)
    for name in ("ncc", "mse", "ssim", "dice", "hausdorff95"):
        np.testing.assert_array_equal(scores[name], getattr(metrics, name)(warped, fixed))
    np.testing.assert_array_equal(scores["spread_log_jacobian"], metrics.spread_log_jacobian(u))
    for name in ("folded_pixels", "folded_cells"):
        metric = getattr(metrics, name)
        np.testing.assert_array_equal(scores[name], metric(u))
        np.testing.assert_array_equal(scores[f"{name}_foreground"], metric(u, fixed[..., 0] > 0.5))
    sweep = metrics.dice_sweep(warped, fixed)
    np.testing.assert_array_equal(scores["dice_0.7"], sweep[:, 4])
    np.testing.assert_array_equal(scores["dice_sweep"], sweep.mean(axis=1))
    assert all(values.shape == (3,) and values.dtype == np.float64 for values in scores.values())

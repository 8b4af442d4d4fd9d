"""Losses: every one has the right gradient, and the range and the values that its docstring promises."""

import numpy as np
import pytest
from cupy_differences import sums_of_threads
from gradients import host, output_and_gradients, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from strict_backend import using

from minireg import backend, losses, metrics
from minireg.classify import cross_entropy
from minireg.errors import InputError
from minireg.fields import corner_determinants
from minireg.gradcheck import gradcheck
from minireg.gradcheck.drawing import between_pixels

NOT_LOSSES = {"SIMILARITIES", "accuracy"}

# Called with images without flat windows and with fields that lead between the pixels, where no loss has a kink.


def images(seed=0, shape=(2, 14, 15, 1), dtype=np.float64):
    """Values between .05 and .95, away from the ends of a histogram; too many for `gradcheck` to try one by one."""
    return np.random.default_rng(seed).uniform(0.05, 0.95, shape).astype(dtype)


def field(seed=0, shape=(2, 4, 5, 2)):
    return between_pixels(np.random.default_rng(seed), (*shape[:3], 1), shape[1:3])


def soft_labels():
    return [images(seed, (2, 4, 5, 3)) for seed in (0, 1)]


PAIR = [images(0), images(1)]
CALLS = {  # name: (function of Tensors, arrays)
    "bending_energy": (losses.bending_energy, [field()]),
    "cross_entropy": (
        lambda logits: cross_entropy(logits, np.array([2, 0])),
        [np.random.default_rng(0).standard_normal((2, 3))],
    ),
    "diffusion": (losses.diffusion, [field()]),
    "folding_penalty": (losses.folding_penalty, [field()]),
    "inverse_consistency": (losses.inverse_consistency, [field(0), field(1)]),
    "local_ncc": (lambda a, b: losses.local_ncc(a, b, 5)[0], PAIR),
    "local_ncc_loss": (losses.local_ncc_loss, PAIR),
    "mse_loss": (losses.mse_loss, PAIR),
    "mutual_information_loss": (losses.mutual_information_loss, PAIR),
    "ncc_loss": (losses.ncc_loss, PAIR),
    "normalised_mutual_information_loss": (losses.normalised_mutual_information_loss, PAIR),
    "soft_dice_loss": (losses.soft_dice_loss, soft_labels()),
    "squared_local_ncc_loss": (losses.squared_local_ncc_loss, PAIR),
    "ssim_loss": (losses.ssim_loss, PAIR),
}

# The range of each, and the value for identical images where it does not depend on them.
RANGES = {
    "local_ncc_loss": (0, 2, 0),
    "mse_loss": (0, np.inf, 0),
    "mutual_information_loss": (-np.log(16), 0, None),
    "ncc_loss": (0, 2, 0),
    "normalised_mutual_information_loss": (-0.01, 1, 0),
    "soft_dice_loss": (0, 1, 0),
    "squared_local_ncc_loss": (0, 1, 0),
    "ssim_loss": (0, 2, 0),
}

each_loss = pytest.mark.parametrize("name", CALLS)
each_of_two_images = pytest.mark.parametrize("name", RANGES)


def value(name, *arrays, **options):
    return getattr(losses, name)(*(tensor(array) for array in arrays), **options).item()


# All of them


def unchecked():
    return sorted(set(losses.__all__) - NOT_LOSSES - set(CALLS))


def test_every_loss_has_a_gradient_check():
    assert unchecked() == [], "losses without an entry in CALLS"
    assert set(losses.SIMILARITIES.values()) <= {getattr(losses, name) for name in RANGES}


def test_a_loss_without_a_gradient_check_is_found_by_name(monkeypatch):
    monkeypatch.setattr(losses, "__all__", [*losses.__all__, "hinge_loss"])
    assert unchecked() == ["hinge_loss"]


@pytest.mark.parametrize("library", [None, "strict"])
@each_loss
def test_every_loss_has_the_right_gradient(name, library):
    function, arrays = CALLS[name]
    with using(library):
        gradcheck(function, *arrays, draws=3)


@pytest.mark.parametrize("library", [None, "strict"])
@each_loss
def test_every_loss_computes_float32_from_float32(name, library):
    function, arrays = CALLS[name]
    expected, exact_gradients = output_and_gradients(function, arrays)
    with using(library):
        y, gradients = output_and_gradients(function, [array.astype(np.float32) for array in arrays])
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    for gradient, exact in zip(gradients, exact_gradients, strict=True):
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, exact, rtol=1e-2, atol=1e-4 * np.abs(exact).max())


@each_of_two_images
def test_a_loss_is_a_mean_over_the_batch(name):
    a, b = images(0), images(1)
    alone = [value(name, a[i : i + 1], b[i : i + 1]) for i in range(2)]
    assert value(name, a, b) == pytest.approx(np.mean(alone))


@each_of_two_images
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 999), kind=st.sampled_from(["noise", "blobs", "binary", "faint", "half"]), shift=st.booleans()
)
def test_a_loss_stays_in_its_range_and_is_what_it_promises_for_identical_images(name, seed, kind, shift):
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, 1, 12, 14, 1))
    if kind == "blobs":
        a, b = ((x + np.roll(x, 1, 1) + np.roll(x, 1, 2) + np.roll(x, 2, 1)) / 4 for x in (a, b))
    elif kind == "binary":
        a, b = ((x > 0.6).astype(float) for x in (a, b))
    elif kind == "faint":
        a, b = 0.5 + 1e-6 * a, 0.2 * b
    elif kind == "half":
        a[:, :, 7:] = 0
    if shift:
        b = np.roll(a, 1, axis=2)
    low, high, identical = RANGES[name]
    assert low - 1e-4 <= value(name, a, b) <= high + 1e-4
    if identical is not None:
        assert value(name, a, a) == pytest.approx(identical, abs=1e-9)


@each_of_two_images
@pytest.mark.parametrize("constants", [(0.0, 0.0), (0.1, 0.1), (0.1, 0.7), (0.3, None)])
def test_a_constant_image_gives_a_finite_value_and_a_finite_gradient(name, constants):
    pair = [
        images(seed, dtype=np.float32) if c is None else np.full((2, 14, 15, 1), c, np.float32)
        for seed, c in enumerate(constants)
    ]
    y, gradients = output_and_gradients(getattr(losses, name), pair)
    assert np.isfinite(y) and all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("name", sorted({*RANGES} - {"mse_loss", "ncc_loss"}))
def test_images_of_different_shapes_are_refused(name):
    with pytest.raises(InputError, match=r"one shape \(N, H, W, C\).*got \(2, 14, 15, 1\) and \(2, 14, 14, 1\)"):
        value(name, images(), images(shape=(2, 14, 14, 1)))


# Global


def test_mse_is_the_mean_squared_difference_and_ncc_of_a_constant_image_zero():
    a, b = images(0), images(1)
    assert value("mse_loss", a, b) == pytest.approx(((a - b) ** 2).mean())
    assert value("ncc_loss", a, np.ones_like(a)) == 1


@pytest.mark.parametrize("constant", [0.1, 0.7, 1000.1])
def test_ncc_of_a_constant_image_is_zero_too_where_each_thread_adds_many_pixels_one_by_one(constant):
    pair = np.full((1, 256, 256, 1), constant, np.float32), images(shape=(1, 256, 256, 1), dtype=np.float32)
    with using("strict"), sums_of_threads(32):
        mean = host(backend.xp.mean(backend.to_device(pair[0])))
        assert abs(mean - pair[0][0, 0, 0, 0]) > 8 * np.finfo(np.float32).eps * constant  # the mean does not tell
        y, gradients = output_and_gradients(losses.ncc_loss, pair)
    assert y == 1
    assert all(not gradient.any() for gradient in gradients)


# Local NCC


def local_ncc_reference(a, b, window):
    """Window by window, centred by its own mean; those where an image is constant are left out."""
    scores, left_out = [], []
    for x, y in zip(a[..., 0].astype(np.float64), b[..., 0].astype(np.float64), strict=True):
        found = []
        for i in range(x.shape[0] - window + 1):
            for j in range(x.shape[1] - window + 1):
                u, v = (image[i : i + window, j : j + window] for image in (x, y))
                u, v = u - u.mean(), v - v.mean()
                flat = u.std() <= losses.similarity.FLAT * x.std() or v.std() <= losses.similarity.FLAT * y.std()
                found.append(np.nan if flat else (u * v).sum() / np.sqrt((u * u).sum() * (v * v).sum()))
        left_out.append(np.mean(np.isnan(found)))
        scores.append(0.0 if left_out[-1] == 1 else np.nanmean(found))
    return np.array(scores), np.array(left_out)


def half_constant(seed, dtype=np.float64):
    """Digits-like: an empty half, whose windows have no structure."""
    image = images(seed, (2, 14, 16, 1), dtype)
    image[:, :, 7:] = 0.25
    return image


@pytest.mark.parametrize("window", [3, 5, 9])
@pytest.mark.parametrize(
    "offset, dtype, tolerance", [(0, np.float64, 1e-9), (0, np.float32, 1e-5), (1000, np.float32, 5e-4)]
)
def test_local_ncc_is_the_mean_over_the_windows_with_structure(window, offset, dtype, tolerance):
    a, b = half_constant(0, dtype) + dtype(offset), images(1, (2, 14, 16, 1), dtype) + dtype(offset)
    scores, left_out = (host(part) for part in losses.local_ncc(tensor(a), tensor(b), window))
    expected_scores, expected_left_out = local_ncc_reference(a, b, window)
    np.testing.assert_allclose(scores, expected_scores, rtol=0, atol=tolerance)
    np.testing.assert_allclose(left_out, expected_left_out, rtol=0, atol=1e-6)
    assert scores.dtype == dtype and left_out.shape == (2,)


def test_windows_without_structure_neither_raise_nor_lower_the_score():
    a = half_constant(0)
    for partner, expected in ((a, 1), (1 - a, -1)):
        scores, left_out = (host(part) for part in losses.local_ncc(tensor(a), tensor(partner), 5))
        np.testing.assert_allclose(scores, expected, rtol=1e-9)
        np.testing.assert_allclose(left_out, 5 / 12)  # of 12 positions along a row, 5 begin at column 7 or later


@settings(max_examples=20, deadline=None)
@given(gain=st.floats(0.01, 100), offset=st.floats(-100, 100), seed=st.integers(0, 99))
def test_local_ncc_does_not_see_a_gain_and_an_offset(gain, offset, seed):
    a, b = half_constant(seed), images(seed + 1, (2, 14, 16, 1))
    for name in ("local_ncc_loss", "squared_local_ncc_loss"):
        assert value(name, gain * a + offset, b) == pytest.approx(value(name, a, b), abs=1e-6)


def test_inverted_contrast_is_the_worst_for_signed_local_ncc_and_the_best_for_squared():
    a = half_constant(0)
    assert value("local_ncc_loss", a, 1 - a) == pytest.approx(2)
    assert value("squared_local_ncc_loss", a, 1 - a) == pytest.approx(0)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1000.1])
def test_where_all_windows_are_constant_the_score_is_zero_and_so_is_the_gradient(constant):
    rng = np.random.default_rng(0)
    rounded = np.float32(constant) * (1 + np.finfo(np.float32).eps * rng.integers(-1, 2, (2, 14, 15, 1)))
    for a in (np.full((2, 14, 15, 1), constant, np.float32), rounded.astype(np.float32)):
        scores, left_out = losses.local_ncc(tensor(a), tensor(images(dtype=np.float32)))
        np.testing.assert_array_equal(host(scores), 0)
        np.testing.assert_array_equal(host(left_out), 1)
        for loss in (losses.local_ncc_loss, losses.squared_local_ncc_loss):
            y, gradients = output_and_gradients(loss, [a, images(dtype=np.float32)])
            assert y == 1
            assert all(not gradient.any() for gradient in gradients)


@pytest.mark.parametrize("window, message", [(4, "odd"), (1, "at least 3"), (15, "at least 15 x 15 pixels")])
def test_a_window_that_is_even_or_does_not_fit_is_refused(window, message):
    with pytest.raises(InputError, match=message):
        losses.local_ncc(tensor(images()), tensor(images(1)), window)


# SSIM


@pytest.mark.parametrize("shape", [(3, 11, 11, 1), (2, 14, 17, 2)])
def test_ssim_as_a_loss_agrees_with_the_metric(shape):
    a = images(0, shape)
    for b in (images(1, shape), 0.5 * a + 0.1, 0.8 * a + 0.2 * images(1, shape)):
        assert 1 - value("ssim_loss", a, b) == pytest.approx(metrics.ssim(a, b).mean(), rel=1e-9)


def test_ssim_needs_images_as_large_as_its_window():
    with pytest.raises(InputError, match="at least 11 x 11 pixels"):
        value("ssim_loss", images(shape=(1, 10, 12, 1)), images(shape=(1, 10, 12, 1)))


# Mutual information


def mutual_information_reference(a, b, bins):
    """From a histogram to which the pixels are added one by one."""
    joint = np.zeros((bins, bins))
    for x, y in zip(a.ravel(), b.ravel(), strict=True):
        distances = (np.abs(1 + (bins - 3) * z - np.arange(bins)) for z in (x, y))
        rows, columns = ((np.maximum(2 - d, 0) ** 3 - 4 * np.maximum(1 - d, 0) ** 3) / 6 for d in distances)
        joint += np.outer(rows, columns) / a.size
    independent = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    seen = joint > 0
    return (joint[seen] * np.log(joint[seen] / independent[seen])).sum()


def levels(seed, count=4, shape=(1, 12, 13, 1)):
    """An image of few intensities, which lie so far apart that they share no bin of 16."""
    return np.random.default_rng(seed).integers(0, count, shape) / (count - 1)


@pytest.mark.parametrize("bins", [6, 16, 32])
def test_mutual_information_is_that_of_the_joint_histogram(bins):
    a = images(0, (1, 12, 13, 1))
    for b in (images(1, (1, 12, 13, 1)), a, a**2):
        expected = -mutual_information_reference(a, b, bins)
        assert value("mutual_information_loss", a, b, bins=bins) == pytest.approx(expected, abs=1e-4)


def test_for_identical_images_it_is_minus_the_entropy_where_intensities_share_no_bin():
    a = levels(0)
    shares = np.unique(a, return_counts=True)[1] / a.size
    assert value("mutual_information_loss", a, a) == pytest.approx((shares * np.log(shares)).sum(), abs=1e-4)


@pytest.mark.parametrize("name", ["mutual_information_loss", "normalised_mutual_information_loss"])
def test_mutual_information_does_not_see_which_intensity_stands_for_which(name):
    a, b = images(0), images(1)
    assert value(name, 1 - a, b) == pytest.approx(value(name, a, b))
    few, other = levels(0), levels(1)
    renamed = np.array([2, 0, 3, 1])[(3 * few).round().astype(int)] / 3
    assert value(name, renamed, other) == pytest.approx(value(name, few, other), abs=1e-5)
    assert value(name, renamed, few) == pytest.approx(value(name, few, few), abs=1e-5)


def test_mutual_information_tells_aligned_images_of_two_modalities_from_shifted_ones():
    a = np.kron(levels(0, shape=(1, 5, 5, 1)), np.ones((1, 4, 4, 1)))
    other_modality = np.sin(3 * a) ** 2
    for name in ("mutual_information_loss", "normalised_mutual_information_loss"):
        aligned, shifted = (value(name, a, np.roll(other_modality, d, axis=1)) for d in (0, 2))
        assert aligned < shifted - 0.1


def test_the_normalised_form_has_no_gradient_for_identical_images():
    _, gradients = output_and_gradients(losses.normalised_mutual_information_loss, [images(), images()])
    _, plain = output_and_gradients(losses.mutual_information_loss, [images(), images()])
    assert all(np.abs(g).max() < 1e-9 * np.abs(p).max() for g, p in zip(gradients, plain, strict=True))


def test_a_constant_image_tells_nothing_of_another():
    constant = np.full((2, 14, 15, 1), 0.4)
    assert value("mutual_information_loss", constant, images()) == pytest.approx(0, abs=1e-4)
    assert value("normalised_mutual_information_loss", constant, images()) == pytest.approx(1, abs=1e-3)


# Soft Dice


def test_soft_dice_of_masks_is_that_of_the_metric_and_of_empty_masks_zero():
    a, b = (images(seed, (3, 6, 7, 1)) > 0.4 for seed in (0, 1))
    a, b = a.astype(float), b.astype(float)
    a[2] = b[2] = 0
    assert 1 - value("soft_dice_loss", a, b) == pytest.approx(metrics.dice(a, b).mean())
    _, gradients = output_and_gradients(losses.soft_dice_loss, [a, b])
    assert all(not gradient[2].any() and np.isfinite(gradient).all() for gradient in gradients)


def test_soft_dice_gives_each_label_the_same_weight():
    a, b = np.zeros((2, 1, 8, 8, 2))
    a[..., :7, 0] = b[..., :7, 0] = 1  # a large label that agrees, and a small one that does not
    a[0, 0, 0, 1] = b[0, 1, 1, 1] = 1
    assert value("soft_dice_loss", a, b) == pytest.approx(0.5)


# Regularity


def checkerboard(shape=(8, 9), size=0.9):
    parity = np.indices(shape).sum(axis=0) % 2
    return np.repeat(size * (2.0 * parity - 1)[None, :, :, None], 2, axis=-1)


def affine_field(matrix, shape=(6, 7)):
    points = np.moveaxis(np.indices(shape), 0, -1).astype(float)
    return (points @ np.asarray(matrix, float).T)[None]


def test_a_field_that_alternates_from_pixel_to_pixel_is_seen_by_all():
    assert value("diffusion", checkerboard()) == pytest.approx(3.24)
    assert value("bending_energy", checkerboard()) == pytest.approx(4 * 3.6**2)
    assert value("folding_penalty", checkerboard()) > 1


@pytest.mark.parametrize("name", ["diffusion", "bending_energy", "folding_penalty"])
def test_a_translation_costs_nothing(name):
    assert value(name, np.full((1, 5, 6, 2), (3.25, -2.5))) == 0


@pytest.mark.parametrize(
    "field", [np.full((1, 8, 8, 2), 200, np.uint8), np.zeros((1, 0, 8, 2)), np.zeros((0, 8, 8, 2)), np.zeros((1, 8, 8))]
)
@pytest.mark.parametrize("name", ["diffusion", "bending_energy", "folding_penalty"])
def test_fields_of_integers_without_pixels_or_of_another_shape_are_refused(name, field):
    with pytest.raises(InputError, match="expected a displacement of floats"):
        getattr(losses, name)(tensor(field, False))


def test_diffusion_of_a_stretch_is_its_square():
    assert value("diffusion", affine_field([[0.5, 0], [0, 0]])) == pytest.approx(0.5**2 / 4)


@settings(max_examples=20, deadline=None)
@given(matrix=st.lists(st.floats(-0.3, 0.3), min_size=4, max_size=4))
def test_an_affine_field_does_not_bend_and_does_not_fold(matrix):
    u = affine_field(np.reshape(matrix, (2, 2)))
    assert value("bending_energy", u) == pytest.approx(0, abs=1e-20)
    assert value("folding_penalty", u) == 0


@pytest.mark.parametrize("derivatives, expected", [((2, 0, 0), 4), ((0, 2, 0), 4), ((0, 0, 1), 2)])
def test_bending_energy_counts_the_mixed_derivative_twice(derivatives, expected):
    u_rr, u_cc, u_rc = derivatives
    r, c = np.indices((6, 7))
    bent = u_rr / 2 * r * r + u_cc / 2 * c * c + u_rc * r * c
    u = np.stack([bent, bent], axis=-1)[None].astype(float)
    assert value("bending_energy", u) == pytest.approx(expected)


@pytest.mark.parametrize("threshold", [0.1, 0.5])
def test_folding_penalty_is_the_mean_square_of_what_corners_lack(threshold):
    u = np.random.default_rng(0).uniform(-0.6, 0.6, (2, 6, 7, 2))
    lacking = np.maximum(threshold - np.stack(corner_determinants(u)), 0)
    assert 0 < np.count_nonzero(lacking) < lacking.size
    assert value("folding_penalty", u, threshold=threshold) == pytest.approx((lacking**2).mean())


def test_folding_penalty_of_a_mirrored_image():
    mirror = affine_field([[-2, 0], [0, 0]])  # sends row r to -r, so that all determinants are -1
    assert value("folding_penalty", mirror) == pytest.approx(1.1**2)


def test_inverse_consistency_is_zero_for_opposite_translations_and_the_squared_length_of_what_is_left():
    there = np.full((2, 6, 7, 2), (1.5, -2.0))
    assert value("inverse_consistency", there, -there) == 0
    assert value("inverse_consistency", there, 0 * there) == pytest.approx(1.5**2 + 2**2)
    assert value("inverse_consistency", there, -there + [0.3, 0.4]) == pytest.approx(0.25)


def test_inverse_consistency_asks_the_second_field_where_the_first_has_led():
    shrink = affine_field([[-0.25, 0], [0, -0.2]])
    grow = affine_field([[1 / 0.75 - 1, 0], [0, 1 / 0.8 - 1]])
    assert value("inverse_consistency", shrink, grow) == pytest.approx(0, abs=1e-20)
    r, c = np.indices((6, 7))
    left = (0.25 * 0.25 * r) ** 2 + (0.2 * 0.2 * c) ** 2  # u(p) - u(p + u(p)) for a linear u
    assert value("inverse_consistency", shrink, -shrink) == pytest.approx(left.mean())

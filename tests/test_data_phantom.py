"""The head phantom: its true fields are true, its labels and landmarks fit, its modalities differ as they should."""

import functools

import numpy as np
import pytest

from minireg import metrics, ops
from minireg.autograd import Tensor
from minireg.data import load_data
from minireg.data.pairs import Sampler
from minireg.data.phantom import (
    BACKGROUND,
    BONE,
    ELLIPSES,
    FLUID,
    INTENSITIES,
    LESION,
    SCALP,
    WHITE_MATTER,
    PhantomPairs,
    draw_pairs,
)
from minireg.errors import InputError
from minireg.metrics.labels import label_dice

SIZES = [32, 64, 128]
FACTORS = (-1, 0, 0.5, 1, 1.5)  # times the true displacement


@functools.cache
def pairs_of(size=64, count=4, noise=False, **options):
    """Pairs, the same heads whatever the modality. Tests only read them."""
    return draw_pairs(np.random.default_rng(0), count, size, noise=noise, **options)


def warped_by_truth(images, pairs, warp=ops.warp, factor=1):
    return warp(Tensor(images), Tensor(factor * pairs.displacement)).data


# The true field


@pytest.mark.parametrize("size", SIZES)
def test_the_moving_image_warped_by_the_true_displacement_is_the_fixed_one_but_for_interpolation(size):
    pairs = pairs_of(size)
    error = {f: metrics.mse(warped_by_truth(pairs.moving, pairs, factor=f), pairs.fixed) for f in FACTORS}
    for factor in set(FACTORS) - {1}:
        assert (error[1] < 0.7 * error[factor]).all()
    # Edges are a pixel wide, so less is lost between the pixels the more pixels there are.
    assert (error[1] < error[0] * 6.4 / size).all()


@pytest.mark.parametrize("size", SIZES)
def test_the_moving_labels_warped_by_the_true_displacement_are_the_fixed_ones_but_at_edges(size):
    pairs = pairs_of(size)
    warped = warped_by_truth(pairs.moving_labels, pairs, ops.warp_nearest)
    assert np.mean(warped != pairs.fixed_labels) < 3 / size
    assert np.mean(pairs.moving_labels != pairs.fixed_labels) > 0.1
    assert (label_dice(warped, pairs.fixed_labels) > label_dice(pairs.moving_labels, pairs.fixed_labels) + 0.1).all()


@pytest.mark.parametrize("size", SIZES)
def test_the_landmarks_have_no_error_under_the_true_displacement_and_a_few_pixels_under_none(size):
    pairs = pairs_of(size)
    points = pairs.fixed_points, pairs.moving_points
    assert metrics.landmark_error(pairs.displacement, *points).max() < 1e-4
    identity = metrics.landmark_error(np.zeros_like(pairs.displacement), *points)
    assert 1.5 < identity.mean() * 64 / size < 4


@pytest.mark.parametrize("size", SIZES)
def test_landmarks_lie_inside_the_head_in_both_images_and_each_elsewhere(size):
    pairs = pairs_of(size)
    for points, labels in ((pairs.fixed_points, pairs.fixed_labels), (pairs.moving_points, pairs.moving_labels)):
        for p, label in zip(np.rint(points).astype(int), labels, strict=True):
            inside = label[p[:, 0], p[:, 1], 0] != BACKGROUND
            assert inside.mean() > 0.9  # at the edge of the head, rounding may leave it
    for points in pairs.fixed_points:
        assert len(np.unique(points, axis=0)) == len(points)


def test_the_true_displacement_does_not_fold():
    assert metrics.folded_cells(pairs_of(count=16).displacement).max() == 0


# Anatomy


@pytest.mark.parametrize("size", SIZES)
def test_every_head_shows_every_tissue_lies_within_the_image_and_differs_from_the_others(size):
    pairs = pairs_of(size)
    everything = {BACKGROUND} | {tissue for tissue, *_ in ELLIPSES}
    for labels in pairs.fixed_labels:
        assert everything - set(np.unique(labels)) <= ({LESION} if size == 32 else set())
    for images in (pairs.moving, pairs.fixed):
        rim = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
        assert rim.max() == 0
    areas = [tuple(np.bincount(labels.ravel(), minlength=LESION + 1)) for labels in pairs.fixed_labels]
    assert all(len(set(of_tissue)) > 1 for of_tissue in zip(*areas, strict=True)) and len(set(areas)) == len(areas)


def test_a_head_without_variation_has_the_areas_of_shepp_and_logans_ellipses(monkeypatch):
    for name in ("HEAD_ROTATION", "HEAD_SCALE", "PART_ROTATION", "PART_SCALE", "PART_SHIFT"):
        monkeypatch.setattr(f"minireg.data.phantom.{name}", 0.0)
    pairs = draw_pairs(np.random.default_rng(0), 1, 128)
    unit = (0.8 * 64) ** 2  # pixels in the square of the table's unit
    inside_skull = np.isin(pairs.fixed_labels, [BACKGROUND, SCALP, BONE], invert=True).sum() / unit
    assert inside_skull == pytest.approx(np.pi * 0.6624 * 0.874, rel=0.01)
    assert np.sum(pairs.fixed_labels != BACKGROUND) / unit == pytest.approx(np.pi * 0.76 * 0.99, rel=0.01)
    fluid = pairs.fixed_labels[0, ..., 0] == FLUID
    rows, columns = np.nonzero(fluid)
    left, right = columns < 63.5, columns > 63.5
    # What the deep grey matter does not cover of the two ventricles; the larger is on the left.
    assert 1.2 < left.sum() / right.sum() < 2.5
    # They lean outwards at the top: high up, both are further from the middle than low down.
    for side, sign in ((left, -1), (right, 1)):
        high = rows[side] < np.median(rows[side])
        assert sign * columns[side][high].mean() > sign * columns[side][~high].mean()


# Modalities


@pytest.mark.parametrize("modality", ["ct", "mr"])
def test_without_noise_a_pixel_that_one_tissue_fills_has_its_intensity(modality):
    pairs = pairs_of(fixed_modality=modality)
    for tissue in (BACKGROUND, WHITE_MATTER, FLUID):
        values = pairs.fixed[pairs.fixed_labels == tissue]
        assert np.median(values) == pytest.approx(INTENSITIES[modality][tissue], abs=1e-6)


def test_bone_is_the_brightest_in_ct_and_dark_in_mr():
    pairs, same = pairs_of(fixed_modality="ct"), pairs_of(fixed_modality="mr")
    np.testing.assert_array_equal(pairs.fixed_labels, same.fixed_labels)
    for images, compare in ((pairs.fixed, np.greater), (same.fixed, np.less)):
        bone, white = (np.median(images[pairs.fixed_labels == tissue]) for tissue in (BONE, WHITE_MATTER))
        assert compare(bone, white)


def test_noise_is_in_both_modalities_and_a_smooth_bias_only_in_mr():
    for modality, bias in (("ct", False), ("mr", True)):
        clean, noisy = (pairs_of(noise=noise, fixed_modality=modality) for noise in (False, True))
        np.testing.assert_array_equal(clean.fixed_labels, noisy.fixed_labels)
        change = np.where(clean.fixed_labels == WHITE_MATTER, noisy.fixed / clean.fixed.clip(0.1) - 1, np.nan)
        change -= np.nanmean(change)
        along = np.nanmean(change[:, 1:] * change[:, :-1]) / np.nanvar(
            change
        )  # neighbours share the bias, not the noise
        assert 0.01 < np.nanstd(np.diff(change, axis=1)) < 0.15
        assert along > 0.5 if bias else abs(along) < 0.1


@pytest.mark.parametrize("size", SIZES)
def test_images_are_float32_in_the_unit_interval_and_labels_small_integers(size):
    pairs = pairs_of(size)
    for images in (pairs.moving, pairs.fixed):
        assert images.shape == (4, size, size, 1) and images.dtype == np.float32
        assert images.min() >= 0 and images.max() <= 1
    assert pairs.fixed_labels.shape == (4, size, size, 1) and pairs.fixed_labels.dtype == np.uint8
    assert pairs.displacement.dtype == pairs.fixed_points.dtype == np.float32


# The source of pairs


def test_phantoms_are_the_same_every_time_and_different_in_every_split(monkeypatch):
    monkeypatch.setattr("minireg.data.phantom.TRAINING_PAIRS", 16)
    source = PhantomPairs("multi", 32)
    rng = np.random.default_rng
    train = source.sampler(rng(0))
    assert isinstance(train, Sampler) and len(train.moving) == 16
    np.testing.assert_array_equal(train.moving, source.sampler(rng(5)).moving)
    drawn = {
        "train": train.moving,
        **{split: source.held_out(16, split=split).moving for split in ("validation", "test")},
    }
    np.testing.assert_array_equal(drawn["test"], source.held_out(16).moving)
    everything = {image.tobytes() for images in drawn.values() for image in images}
    assert len(everything) == 48


def test_multi_modal_pairs_are_ct_to_mr():
    pairs = PhantomPairs("multi", 64).held_out(4)
    for images, labels, modality in (
        (pairs.moving, pairs.moving_labels, "ct"),
        (pairs.fixed, pairs.fixed_labels, "mr"),
    ):
        assert np.median(images[labels == BONE]) == pytest.approx({"ct": 0.8, "mr": 0.3}[modality], abs=0.2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modality": "pet"}, "unknown modality 'pet': choose one of ct, mr, multi"),
        ({"size": 31}, "phantoms are 32 to 256 pixels wide, got 31"),
        ({"size": 257}, "phantoms are 32 to 256 pixels wide, got 257"),
        ({"data_dir": "somewhere"}, "the folder somewhere is for MNIST"),
        ({"digit": 5}, "the data set 'phantom' has no option 'digit': it takes modality, size"),
    ],
)
def test_phantoms_that_cannot_be_drawn_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        load_data("phantom", **options)

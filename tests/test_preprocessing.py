"""Intensities to [0, 1], crop to the object, pad."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minireg import metrics
from minireg.data import crop_to_object, normalise_percentiles, pad
from minireg.data.phantom import draw_pairs
from minireg.errors import InputError


def random_images(shape=(3, 9, 7, 1), seed=0):
    return np.random.default_rng(seed).normal(0, 300, shape)


# Percentiles


def test_the_percentiles_become_0_and_1_and_everything_between_is_linear():
    ramp = np.arange(-100.0, 101.0).reshape(1, 3, 67, 1)
    expected = np.clip((ramp + 98) / 196, 0, 1)  # the 1st and 99th percentile of -100 ... 100 are -98 and 98
    np.testing.assert_allclose(normalise_percentiles(ramp), expected, atol=1e-7)


def test_a_few_stray_pixels_do_not_change_what_the_others_become():
    images = random_images((1, 64, 64, 1))
    stray = images.copy()
    stray[0, 0, :3] = 1e6
    difference = np.abs(normalise_percentiles(stray) - normalise_percentiles(images))
    assert difference[0, 1:].max() < 0.02


def test_each_image_is_scaled_by_itself_and_keeps_no_unit():
    images = random_images()
    together = normalise_percentiles(images)
    assert together.dtype == np.float32 and together.min() == 0 and together.max() == 1
    for index in range(3):
        np.testing.assert_array_equal(normalise_percentiles(images[index : index + 1])[0], together[index])
    np.testing.assert_allclose(normalise_percentiles(7 * images - 1000), together, atol=1e-6)


def test_an_image_that_is_flat_but_for_a_speck_keeps_the_speck_and_a_constant_one_becomes_zero():
    images = np.full((2, 32, 32, 1), 40, np.uint8)
    images[0, 5, 5] = 200
    scaled = normalise_percentiles(images)
    assert scaled[0, 5, 5] == 1 and scaled[0].sum() == 1
    assert not scaled[1].any()


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((4, 4)), {}, r"shape \(N, H, W, C\) and not be empty, got \(4, 4\)"),
        (np.zeros((0, 4, 4, 1)), {}, "not be empty"),
        (np.full((1, 4, 4, 1), np.nan), {}, "NaN or infinite"),
        (np.zeros((1, 4, 4, 1)), {"low": 50, "high": 50}, "0 <= low < high <= 100, got 50 and 50"),
        (np.zeros((1, 4, 4, 1)), {"high": 101}, "got 1 and 101"),
    ],
)
def test_what_cannot_be_normalised_is_refused(images, options, message):
    with pytest.raises(InputError, match=message):
        normalise_percentiles(images, **options)


# Crop


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 5), st.data())
def test_the_box_holds_every_object_of_the_batch_and_nothing_more_than_the_margin(height, width, margin, data):
    spots = data.draw(st.lists(st.tuples(st.integers(0, height - 1), st.integers(0, width - 1)), min_size=1))
    images = np.zeros((len(spots), height, width, 1))
    for image, spot in zip(images, spots, strict=True):
        image[spot] = 1
    cropped, box = crop_to_object(images, 0.5, margin)
    for part, coordinates, side in zip(box, np.transpose(spots), (height, width), strict=True):
        assert part == slice(max(coordinates.min() - margin, 0), min(coordinates.max() + margin + 1, side))
    np.testing.assert_array_equal(cropped, images[:, box[0], box[1]])
    assert cropped.sum() == len(spots)


def test_a_pair_cropped_together_fits_together_as_before():
    pairs = draw_pairs(np.random.default_rng(0), 1, 48, noise=False)
    both, _ = crop_to_object(np.concatenate([pairs.moving, pairs.fixed]), 0.02, 1)
    assert both.shape[1] < 48 and both.shape[2] < 48
    assert metrics.mse(both[:1], both[1:])[0] * both[0].size == pytest.approx(
        metrics.mse(pairs.moving, pairs.fixed)[0] * pairs.moving[0].size
    )


def test_where_there_is_no_object_nothing_is_cut_away():
    images = np.zeros((2, 5, 6, 1))
    cropped, box = crop_to_object(images, 0.5)
    assert cropped.shape == images.shape and box == (slice(0, 5), slice(0, 6))


def test_crop_undoes_pad():
    images = np.random.default_rng(0).uniform(0.1, 1, (2, 9, 7, 1))
    np.testing.assert_array_equal(crop_to_object(pad(images, 20))[0], images)

"""The drawn digits: deterministic, shaped like MNIST's, and as varied."""

import os

import numpy as np
import pytest

from minireg.data import draw_digits, load_digits, load_strokes, strokes
from minireg.errors import InputError

REAL_MNIST = os.environ.get("MINIREG_DATA")


@pytest.fixture(scope="module")
def digits():
    return load_strokes(seed=3, train_per_digit=150, test_per_digit=40)


def pixels(images):
    return images.reshape(len(images), -1)


def mean_ncc(images, labels):
    """Normalised cross-correlation of each image with the next one of its digit, averaged over digits."""
    means = []
    for digit in range(10):
        x = pixels(images[labels == digit])
        x = x - x.mean(1, keepdims=True)
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        means.append((x * np.roll(x, 1, axis=0)).sum(1).mean())
    return np.mean(means)


def nearest_neighbour_accuracy(train_images, train_labels, test_images, test_labels):
    train, test = pixels(train_images), pixels(test_images)
    distance = (train**2).sum(1) - 2 * test @ train.T
    return (train_labels[distance.argmin(1)] == test_labels).mean()


def test_images_and_labels_have_mnists_shapes_and_types_and_balanced_digits(digits):
    assert digits.name == "strokes"
    assert digits.train_images.shape == (1500, 28, 28, 1) and digits.test_images.shape == (400, 28, 28, 1)
    assert digits.train_images.dtype == np.float32 and digits.train_labels.dtype == np.uint8
    assert np.bincount(digits.train_labels).tolist() == [150] * 10
    assert np.bincount(digits.test_labels).tolist() == [40] * 10
    assert np.unique(digits.train_labels[:100]).size == 10, "digits come in random order"


def test_the_default_data_set_has_at_least_1000_and_200_images_per_digit():
    digits = load_digits("strokes")
    assert np.bincount(digits.train_labels).min() >= 1000 and np.bincount(digits.test_labels).min() >= 200


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_data_set(digits):
    again = load_strokes(seed=3, train_per_digit=150, test_per_digit=40)
    other = load_strokes(seed=4, train_per_digit=150, test_per_digit=40)
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        assert getattr(digits, name).tobytes() == getattr(again, name).tobytes()
        assert getattr(digits, name).tobytes() != getattr(other, name).tobytes()


def test_no_image_occurs_twice_neither_within_nor_between_train_and_test(digits):
    images = [image.tobytes() for image in (*digits.train_images, *digits.test_images)]
    assert len(set(images)) == len(images)


def test_test_images_do_not_depend_on_how_many_train_images_are_drawn(digits):
    fewer = load_strokes(seed=3, train_per_digit=1, test_per_digit=40)
    np.testing.assert_array_equal(fewer.test_images, digits.test_images)


def test_images_are_the_same_however_they_are_divided_into_chunks(monkeypatch):
    labels = np.arange(10).repeat(3)
    whole = draw_digits(labels, np.random.default_rng(0))
    monkeypatch.setattr(strokes, "IMAGES_PER_CHUNK", 7)
    np.testing.assert_array_equal(draw_digits(labels, np.random.default_rng(0)), whole)


def test_ink_is_between_0_and_1_saturated_inside_and_grey_at_edges_as_in_mnist(digits):
    images = digits.train_images
    assert images.min() == 0 and images.max() == 1
    assert (images.max((1, 2, 3)) > 0.95).mean() > 0.99
    saturated = (images > 0.98).sum() / (images > 0).sum()
    assert 0.3 < saturated < 0.5  # MNIST: 0.39


def test_every_digit_fits_into_20_by_20_pixels_and_leaves_the_border_black(digits):
    ink = digits.train_images[..., 0] > 0
    rows, columns = ink.any(2), ink.any(1)
    assert rows.sum(1).max() <= 20 and columns.sum(1).max() <= 20
    assert np.maximum(rows.sum(1), columns.sum(1)).min() >= 17
    assert not (rows[:, [0, -1]].any() or columns[:, [0, -1]].any())


def test_the_centre_of_mass_is_within_half_a_pixel_of_mnists(digits):
    images, grid = digits.train_images[..., 0], np.arange(28)
    mass = images.sum((1, 2))
    centres = np.stack([images.sum(2) @ grid, images.sum(1) @ grid]) / mass
    assert (np.abs(centres - 14) < 0.501).mean() > 0.97  # the rest would have touched the border


def test_a_curve_passes_through_its_control_points_at_equal_distances():
    stroke = [(0, 0), (3, 4), (9, 4), (12, 0)]
    curve = strokes._catmull_rom(np.array(stroke, float))
    np.testing.assert_allclose(curve[::64], stroke)
    path = strokes._curve_matrix([stroke]) @ np.array(stroke, float)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.4)


def test_the_pen_is_lifted_between_strokes():
    path = strokes._curve_matrix([[(0, 0), (0, 1)], [(9, 0), (9, 1)]]) @ np.array([(0, 0), (0, 1), (9, 0), (9, 1)])
    assert set(np.round(path[:, 0], 6)) == {0, 9}


def test_the_longest_path_has_points_less_than_a_pixel_apart():
    for variants in strokes.PEN_PATHS.values():
        for variant in variants:
            path = strokes._curve_matrix(variant) @ np.concatenate(variant)
            steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
            assert np.sort(steps)[-len(variant)] < 1


def test_labels_that_are_no_digits_are_refused():
    for wrong in ([10], [-1], [0, 3, 12]):
        with pytest.raises(InputError, match="digits from 0 to 9"):
            draw_digits(np.array(wrong), np.random.default_rng(0))


def test_no_labels_give_no_images():
    assert draw_digits([], np.random.default_rng(0)).shape == (0, 28, 28, 1)


def test_digits_are_recognisable_by_their_nearest_neighbour(digits):
    accuracy = nearest_neighbour_accuracy(
        digits.train_images, digits.train_labels, digits.test_images, digits.test_labels
    )
    assert accuracy > 0.93


def test_two_images_of_one_digit_correlate_about_as_much_as_in_mnist(digits):
    assert 0.4 < mean_ncc(digits.train_images, digits.train_labels) < 0.55  # MNIST: 0.45


@pytest.mark.skipif(not REAL_MNIST, reason="MINIREG_DATA names no folder with MNIST")
def test_mnists_digits_are_recognised_from_drawn_ones_and_correlate_alike(digits):
    mnist = load_digits("mnist", REAL_MNIST)
    images, labels = mnist.test_images[:1000], mnist.test_labels[:1000]
    assert nearest_neighbour_accuracy(digits.train_images, digits.train_labels, images, labels) > 0.75
    assert abs(mean_ncc(images, labels) - mean_ncc(digits.train_images, digits.train_labels)) < 0.1

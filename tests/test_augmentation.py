"""Augmentation: it must keep a pair a pair."""

import numpy as np

from minireg.data.augmentation import augment
from minireg.data.phantom import draw_pairs


def augmented(seed=0, strength=1.0):
    """Four pairs of equal images, before and after."""
    images = np.repeat(draw_pairs(np.random.default_rng(0), 1, 32, noise=False).fixed, 4, axis=0)
    return images, *augment(images, images, np.random.default_rng(seed), strength)


def test_every_image_gets_a_brightness_of_its_own_and_nothing_moves():
    images, moving, fixed = augmented()
    for changed in (moving, fixed):
        assert changed.shape == images.shape and changed.dtype == np.float32
        assert changed.min() >= 0 and changed.max() <= 1
        for image in changed.reshape(4, -1):
            first = images[0].ravel().argsort()
            assert (np.diff(image[first]) >= 0).all()  # the order of the intensities stays
    means = np.concatenate([moving, fixed]).mean(axis=(1, 2, 3))
    assert len(set(means.round(5))) == 8


def test_the_stronger_augmentation_is_the_more_it_changes_both_images():
    for which in (1, 2):
        weak, usual, strong = (np.abs(parts[which] - parts[0]).mean() for parts in map(augmented, [1] * 3, (0.1, 1, 3)))
        assert 0 < weak < 0.2 * usual and 2 * usual < strong


def test_augmentation_follows_its_generator():
    first, again, other = (np.array(augmented(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)

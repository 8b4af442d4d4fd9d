"""Changes of a training pair that keep it a pair: more anatomies and other brightness from the images there are."""

import numpy as np

from minireg import backend
from minireg.fields import affine_displacement, compose, random_diffeomorphism, warp_images

ROTATION, SCALE, SHIFT = 5.0, 0.05, 0.02  # standard deviations: degrees; factor, each way; share of the side
AMPLITUDE, SMOOTHNESS = 0.06, 0.12  # of the elastic part, as shares of the side
GAMMA = 0.15  # standard deviation of the logarithm of the exponent


def augment(moving, fixed, rng):
    """Move both images of each pair in one and the same random way, and change the brightness of each.

        moving'(p) = moving(p + w(p))^gamma        fixed'(p) = fixed(p + w(p))^gamma'

    w is affine followed by elastic, the same for both, so that what corresponded still does. The exponents are drawn
    for each image. Mirror images are left out: heads and digits have a left and a right.

    Parameters
    ----------
    moving, fixed : NumPy arrays (N, H, W, 1), float32, intensities in [0, 1]
    rng : numpy.random.Generator

    Returns both, of the same shape and dtype

    >>> image = np.zeros((1, 32, 32, 1), "float32")
    >>> image[:, 8:24, 8:24] = 1
    >>> moving, fixed = augment(image, image, np.random.default_rng(0))
    >>> bool((moving == image).all()), np.array_equal(moving > 0, fixed > 0)  # moved, and both alike
    (False, True)
    """
    count, height, width, _ = moving.shape
    side = min(height, width)
    angle = np.radians(rng.normal(0, ROTATION, count))
    scale = np.exp(rng.normal(0, SCALE, (count, 2)))
    matrix = np.empty((count, 2, 3), np.float32)
    matrix[:, 0, 0], matrix[:, 0, 1] = np.cos(angle) * scale[:, 0], -np.sin(angle) * scale[:, 1]
    matrix[:, 1, 0], matrix[:, 1, 1] = np.sin(angle) * scale[:, 0], np.cos(angle) * scale[:, 1]
    matrix[:, :, 2] = rng.normal(0, SHIFT * side, (count, 2))
    elastic, _ = random_diffeomorphism(rng, (count, height, width), AMPLITUDE * side, SMOOTHNESS * side)
    affine = affine_displacement(backend.to_device(matrix), height, width)
    field = compose(backend.to_device(elastic), affine).data
    moving, fixed = (warp_images(images, field) for images in (moving, fixed))
    gammas = np.exp(rng.normal(0, GAMMA, (2, count, 1, 1, 1))).astype(np.float32)
    return moving ** gammas[0], fixed ** gammas[1]

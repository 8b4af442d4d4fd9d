"""Other brightness for the images of a training pair, so that a network does not rely on how bright things are."""

import numpy as np

GAMMA = 0.15  # standard deviation of the logarithm of the exponent


def augment(moving, fixed, rng, strength=1.0):
    """Change the brightness of each image in its own random way.

        moving'(p) = moving(p)^gamma        fixed'(p) = fixed(p)^gamma'        log gamma ~ N(0, strength GAMMA)

    What corresponded still does, and the order of the intensities stays. Moving both images of a pair at random, all
    alike, did not help: docs/recipes.md.

    Parameters
    ----------
    moving, fixed : NumPy arrays (N, H, W, 1), float32, intensities in [0, 1]
    rng : numpy.random.Generator
    strength : float, above 0

    Returns both, of the same shape and dtype

    >>> image = np.linspace(0, 1, 5, dtype="float32").reshape(1, 5, 1, 1)
    >>> moving, fixed = augment(image, image, np.random.default_rng(0))
    >>> bool((moving != fixed)[:, 1:-1].all()), moving.ravel()[[0, -1]].tolist()  # black and white stay
    (True, [0.0, 1.0])
    """
    gammas = np.exp(rng.normal(0, strength * GAMMA, (2, len(moving), 1, 1, 1))).astype(np.float32)
    return moving ** gammas[0], fixed ** gammas[1]

"""Exercises of lesson 3, how alike two images are. Check your answers with `python -m lessons.check 03`."""

import numpy as np  # noqa: F401 (you will need it)


def masked_mse(a, b, mask):
    """The mean squared difference of each pair of a batch, of the pixels within a mask.

    Often only a part of the image counts: the head, but not the air around it.

    Parameters
    ----------
    a, b : (N, H, W, C) arrays
    mask : (N, H, W) array of bool, True where a pixel counts, with all of its channels; each pair has its own mask

    Returns
    -------
    (N,) array: the mean over the pixels that count and their channels; 0 for a pair whose mask is empty

    Example: two pairs with one row of two pixels. In the first pair the left pixel counts, in the second both do,

        a = np.array([[1.0, 5.0], [1.0, 3.0]]).reshape(2, 1, 2, 1)
        b = np.zeros((2, 1, 2, 1))
        mask = np.array([[[True, False]], [[True, True]]])
        masked_mse(a, b, mask)       # array([1., 5.])
    """
    raise NotImplementedError


def ncc_of_pairs(a, b):
    """The normalised cross-correlation of each pair of a batch.

    The lesson compared one grey image with one other. Here are N pairs, and images have C channels: an image is *all*
    numbers in its pixels and channels.

    Parameters
    ----------
    a, b : (N, H, W, C) arrays; image n of a belongs to image n of b

    Returns
    -------
    (N,) array, in [-1, 1]; 0 for a pair in which an image is constant (all its numbers are the same)

    Example: two pairs of images with one row of three pixels; b holds twice the first image, and a constant one,

        a = np.array([[0.0, 0.1, 0.5], [0.2, 0.3, 0.1]]).reshape(2, 1, 3, 1)
        b = np.array([[0.0, 0.2, 1.0], [0.5, 0.5, 0.5]]).reshape(2, 1, 3, 1)
        ncc_of_pairs(a, b)       # array([1., 0.])
    """
    raise NotImplementedError


def best_contrast(a, b):
    """The contrast and the brightness with which one image comes nearest to another.

    NCC forgives `alpha a + beta`, but does not say what alpha and beta are. Find the two numbers with which the MSE of
    `alpha * a + beta` and b is smallest. (At the smallest value, the derivatives of the MSE with respect to alpha and
    with respect to beta are both 0. That is two equations for two numbers.)

    Parameters
    ----------
    a, b : arrays of one shape, of any number of axes

    Returns
    -------
    (alpha, beta) : a tuple of two numbers; (0, mean of b) if a is constant, since no contrast helps then

    Example: b is darker than a by .1, and has half the contrast,

        a = np.array([[0.4, 0.8], [0.6, 1.0]])
        best_contrast(a, 0.5 * a - 0.1)       # (0.5, -0.1)
    """
    raise NotImplementedError

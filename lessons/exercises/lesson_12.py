"""Exercises of lesson 12, MNIST 2020. Check your answers with `python -m lessons.check 12`."""

import numpy as np  # noqa: F401 (you will need it)


def dice_of_pairs(a, b, threshold):
    """The Dice overlap of each pair of a batch, at any threshold.

    A pixel is bright if it is *above* the threshold. Where neither image of a pair has a bright pixel, both say the
    same: their overlap is 1.

    Parameters
    ----------
    a, b : (N, H, W, C) arrays
    threshold : float

    Returns
    -------
    (N,) array, from 0 to 1

    Example: five pixels in a row, as in the lesson,

        a = np.array([0.0, 1.0, 1.0, 1.0, 0.0]).reshape(1, 1, 5, 1)
        b = np.array([0.0, 0.0, 1.0, 1.0, 1.0]).reshape(1, 1, 5, 1)
        dice_of_pairs(a, b, 0.5)                        # array([0.66666667])
    """
    raise NotImplementedError


def pixels_of_2020(offset):
    """From the numbers of the network of 2020 to a displacement field.

    That network counts differently from this course. For each pixel it gives (x, y), to the right and down, in units in
    which the image goes from -1 at the centre of its first pixel to 1 at the centre of its last one. This is added to
    where the pixel itself is, in the same units. What then lies outside of -1 to 1 is brought back to the nearer end.
    The displacement leads from the pixel to that place, as (row, column) in pixels.

    Parameters
    ----------
    offset : (N, H, W, 2) array, what the last layer gives; H and W are at least 2

    Returns
    -------
    (N, H, W, 2) array, in pixels

    Example: one row would have no extent, so take two rows of five pixels. All look a quarter of the image to the
    right. The last one is there already.

        offset = np.zeros((1, 2, 5, 2))
        offset[..., 0] = 0.5
        pixels_of_2020(offset)[0, 0, :, 1]              # array([1., 1., 1., 1., 0.])
    """
    raise NotImplementedError


def never_read(u):
    """The share of pixels of the moving image that nobody looks at.

    A pixel p looks at p + u(p). Of the four pixels around that place it reads those whose bilinear weight is not 0, so
    exactly on a pixel it reads this one only. Outside of the image there are none to read. A good field reads nearly
    every pixel. One that only collects brightness uses few of them, again and again.

    Parameters
    ----------
    u : (N, H, W, 2) array, in pixels as (row, column)

    Returns
    -------
    (N,) array, from 0 to 1

    Example: a row of four pixels, which look at the places 0, 0.5, 1 and 1. Two are never read.

        u = np.zeros((1, 1, 4, 2))
        u[0, 0, :, 1] = 0.0, -0.5, -1.0, -2.0
        never_read(u)                                   # array([0.5])
    """
    raise NotImplementedError

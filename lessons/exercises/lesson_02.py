"""Exercises of lesson 2, between the pixels. Check your answers with `python -m lessons.check 02`."""

import numpy as np


def sample_line(line, c):
    """Linear interpolation of a line of pixels at many places at once, with black beyond its ends.

    The border "zeros" of the lesson: beyond the first and the last pixel the line goes on with pixels of intensity 0,
    so it ends in a ramp. A place may lie anywhere, also far outside.

    Parameters
    ----------
    line : (W,) array, the intensities of the pixels 0 to W - 1
    c : (K,) array of floats, where to look, in pixels, in any order

    Returns
    -------
    (K,) array

    Example:

        sample_line(np.array([10.0, 20.0]), np.array([0.25, -0.5, 7.0]))       # array([12.5, 5., 0.])
    """
    raise NotImplementedError


def sample(images, r, c):
    """Bilinear sampling of a set of images with several channels, with the border "edge".

    Beyond its border an image goes on as the nearest pixel of the border is. All channels of an image are read at the
    same places. The places need not form an image of the same size: H' and W' may be anything.

    Parameters
    ----------
    images : (N, H, W, C) array
    r, c : (N, H', W') arrays of floats: the row and the column at which to look, in pixels, anywhere; (r[n], c[n])
        are places in images[n]

    Returns
    -------
    (N, H', W', C) array

    Example: one image of two pixels, one above the other, with 0 and 8, looked at a quarter of the way down.

        sample(np.array([[[[0.0]], [[8.0]]]]), np.array([[[0.25]]]), np.array([[[0.0]]]))      # array([[[[2.]]]])
    """
    raise NotImplementedError


def sample_2020(image, x, y):
    """A sampler with two mistakes: find them, and mend them.

    It is built like the sampler of 2020 in the lesson, that of the experiment with which this project began. It runs,
    and digits look fine.

    Places are given in normalised coordinates, whatever the size of the image: x = -1 is the centre of the first
    column, x = 1 is the centre of the last one, x = 0 is half-way between; y is the same for the rows. All places lie
    from -1 to 1.

    Parameters
    ----------
    image : (H, W) array
    x, y : arrays of one shape, from -1 to 1: the place along the columns (to the right), and along the rows (down)

    Returns
    -------
    array of the shape of x

    Example: in an image of one row of three pixels, with 5, 6 and 9,

        sample_2020(np.array([[5.0, 6.0, 9.0]]), np.array([-1.0, 0.0, 1.0]), np.array([-1.0, -1.0, -1.0]))
        # array([5., 6., 9.])
    """
    height, width = image.shape
    r = (y + 1) * height / 2
    c = (x + 1) * width / 2
    i0, j0 = np.floor(r).astype(int), np.floor(c).astype(int)
    i1, j1 = i0 + 1, j0 + 1
    i0, i1 = np.clip(i0, 0, height - 1), np.clip(i1, 0, height - 1)
    j0, j1 = np.clip(j0, 0, width - 1), np.clip(j1, 0, width - 1)
    above = (j1 - c) * image[i0, j0] + (c - j0) * image[i0, j1]
    below = (j1 - c) * image[i1, j0] + (c - j0) * image[i1, j1]
    return (i1 - r) * above + (r - i0) * below

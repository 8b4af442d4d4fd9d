"""Exercises of lesson 1, what registration is. Check your answers with `python -m lessons.check 01`."""

import numpy as np  # noqa: F401 (you will need it)


def warp_whole(images, displacement):
    """Pull a whole set of images back, each along a field of its own of whole pixels.

    As `pull` in the lesson, for N images with C channels each: y[n, p] = images[n, p + u(p)], where u is
    displacement[n], and 0 in all channels where p + u(p) lies outside of the image.

    Parameters
    ----------
    images : (N, H, W, C) array
    displacement : (N, H, W, 2) array of int, in pixels: down, to the right

    Returns
    -------
    (N, H, W, C) array

    Example: one image of one row; every pixel looks one column to the right.

        warp_whole(np.array([[[[1.0], [2.0], [3.0]]]]), np.array([[[[0, 1], [0, 1], [0, 1]]]]))
        # array([[[[2.], [3.], [0.]]]])
    """
    raise NotImplementedError


def rotation(height, width, degrees):
    """The displacement field that turns the content of an image anticlockwise about its middle.

    Anticlockwise as you see it on the screen: by 90 degrees, what is at the right comes to the top. The middle of an
    image lies half-way between its first and its last pixel, in both directions. The field pulls, as everywhere. Mind
    that rows count downwards, while the second axis of school geometry points up.

    Parameters
    ----------
    height, width : int, the number of rows and of columns
    degrees : float, the angle; negative angles turn clockwise

    Returns
    -------
    (height, width, 2) array of floats, not rounded: for every pixel how far down and how far to the right it looks

    Example: after a quarter turn the pixel in the middle of the top row shows what was at the right, so it looks one
    pixel down and one to the right.

        rotation(3, 3, 90)[0, 1]        # array([1., 1.])
    """
    raise NotImplementedError


def compose(first, second):
    """One field of whole pixels that does the work of two.

    From p go along `first`, and from the place that you have reached go along `second`. The result says how far you
    are from p in the end. Where `first` leads out of the image, `second` is there what it is at the nearest pixel of
    the border.

    Away from the border, warping an image by the result looks the same as warping it by `second`, and what comes out of
    this by `first`. The field used last is the one that a pixel follows first:

        once(q) = image(q + second(q))        # the image, warped by `second`
        twice(p) = once(p + first(p))         # and that by `first`: what is q here?

    Parameters
    ----------
    first, second : (H, W, 2) arrays of int, in pixels: down, to the right

    Returns
    -------
    (H, W, 2) array of int

    Example: one row of three pixels. `first` leads one to the right; `second` leads 0, 10 and 20 to the right.

        first = np.array([[[0, 1], [0, 1], [0, 1]]])
        second = np.array([[[0, 0], [0, 10], [0, 20]]])
        compose(first, second)[0, :, 1]        # array([11, 21, 21])
    """
    raise NotImplementedError

"""Exercises of lesson 7, the gradient of warping. Check your answers with `python -m lessons.check 07`."""

import numpy as np  # noqa: F401 (you will need it)


def one_sided_slopes(line, c):
    """The slopes of a linearly interpolated row of pixels, just before and just after a place.

    Beyond its first and its last pixel the row goes on with zeros.

    Parameters
    ----------
    line : (W,) array, the pixels 0 to W - 1
    c : float, where to look, in pixels; it may lie anywhere, also outside

    Returns
    -------
    before, after : two floats, dy/dc on the way to c from the left, and on the way from c to the right
        Where the curve has no kink, they are equal.

    Example: on a peak the curve climbs first, then falls,

        one_sided_slopes(np.array([1.0, 4.0, 2.0]), 1.0)      # (3.0, -2.0)
    """
    raise NotImplementedError


def vjp_displacement(g, image, u):
    """The VJP of bilinear warping with respect to the displacement, for a batch.

    The forward is `warp(image, u)[n, p] = image[n](p + u[n, p])`, with zeros beyond the border. At a whole number of
    pixels, give the derivative in the direction of growing coordinates. Loops over the pixels are right, but try to
    write it with whole arrays.

    Parameters
    ----------
    g : (N, H, W, C) array, the cotangent of the warped images
    image : (N, H, W, C) array, the images that are warped
    u : (N, H, W, 2) array, the displacements in pixels, as (row, column)

    Returns
    -------
    (N, H, W, 2) array, how the loss changes with each displacement, as (row, column)

    Example: in the image below, rows differ by 4 and columns by 2, so a pixel that looks into its middle gets (4, 2)
    times its cotangent:

        image = np.array([[3.0, 5.0], [7.0, 9.0]]).reshape(1, 2, 2, 1)
        g, u = np.zeros((1, 2, 2, 1)), np.zeros((1, 2, 2, 2))
        g[0, 0, 0, 0] = 10
        u[0, 0, 0] = 0.5, 0.5
        vjp_displacement(g, image, u)[0, 0, 0]      # array([40., 20.])
    """
    raise NotImplementedError


def vjp_image(g, u):
    """The VJP of bilinear warping with respect to the image, for a batch.

    The images have the size of g, and zeros lie beyond their border.

    Parameters
    ----------
    g : (N, H, W, C) array, the cotangent of the warped images
    u : (N, H, W, 2) array, the displacements in pixels, as (row, column)

    Returns
    -------
    (N, H, W, C) array, how the loss changes with each pixel of the images

    Example: one row of three pixels, of which the middle one looks a quarter of a pixel to the right,

        g = np.array([0.0, 8.0, 0.0]).reshape(1, 1, 3, 1)
        u = np.zeros((1, 1, 3, 2))
        u[0, 0, 1] = 0, 0.25
        vjp_image(g, u).ravel()                     # array([0., 6., 2.])
    """
    raise NotImplementedError

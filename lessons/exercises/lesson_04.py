"""Exercises of lesson 4, registering without learning. Check your answers with `python -m lessons.check 04`."""

import numpy as np


def shifted(image, i, j):
    """Given, not to be written: the image at p + (i, j) for whole numbers, zero beyond the border. (H, W, C)."""
    height, width = image.shape[:2]
    i, j = max(-height, min(i, height)), max(-width, min(j, width))  # further out it is as empty as there
    among_zeros = np.pad(image, ((height, height), (width, width), (0, 0)))
    return among_zeros[height + i : 2 * height + i, width + j : 2 * width + j]


def descend_until_level(slope, u, step, tolerance, most):
    """Gradient descent with a rule when to stop.

    From u walk to u - step * slope(u), and so on. Stop at the first place where the ground is level, which means that
    the length of the slope, the root of the sum of its squares, is smaller than `tolerance`. The start may be that
    place. Stop after `most` steps in any case.

    Parameters
    ----------
    slope : function that takes a place, a (2,) array, and returns the slope there, a (2,) array
    u : (2,) array, the start; the caller still needs it
    step : float
    tolerance : float
    most : int, 0 or more

    Returns
    -------
    (k + 1, 2) array: the start and the k places after it, the last being the one where you have stopped

    Example: in the valley u_row^2 + u_column^2, with a step of .25, every step halves the way to the middle,

        descend_until_level(lambda u: 2 * u, np.array([4.0, 0.0]), 0.25, 2.5, 10)
        # array([[4., 0.], [2., 0.], [1., 0.]])       the slope at (1, 0) is 2 long, which is below 2.5
    """
    raise NotImplementedError


def slope_of_masked_loss(u, moving, fixed, mask):
    """The derivative of the MSE within a mask with respect to one displacement of all pixels.

    As `slope` in the lesson, for images with C channels, of which only some pixels count:

        L = the mean of (y - fixed)^2 over the pixels in the mask and all of their channels

    with y, the moving image warped by u: bilinear, zero beyond the border. Where u_row or u_column is a whole number,
    the loss has a kink; the slope behind it, at larger values, is meant, as in the lesson. Derive it: a difference
    quotient fails beside a kink.

    Parameters
    ----------
    u : (2,) array, (u_row, u_column) in pixels, the same for all pixels and channels; may be negative
    moving, fixed : (H, W, C) arrays
    mask : (H, W) array of bool, True for the pixels that count, at least one

    Returns
    -------
    (2,) array: the derivative of L with respect to u_row, and that with respect to u_column

    Example: one row of three pixels, of which the middle one counts. At u = (0, .5) it shows the mean of .2 and 1, .6,
    and should be 0. Between .2 and 1 the intensity grows by .8 per column, so L grows by 2 * .6 * .8 per column. Below
    there is nothing but zeros.

        moving = np.array([0.0, 0.2, 1.0]).reshape(1, 3, 1)
        mask = np.array([[False, True, False]])
        slope_of_masked_loss(np.array([0.0, 0.5]), moving, np.zeros((1, 3, 1)), mask)       # array([-0.72,  0.96])
    """
    raise NotImplementedError


def gauss_newton_step(y, fixed, dy_du):
    """One step that needs no step size: where the warped image, taken as linear in u, fits best.

    The slope says which way is down, but not how far. The image says more: for a small change d of the displacement,
    every pixel becomes about

        y + d_row * dy_du_row + d_column * dy_du_column

    Find the d for which the sum over all pixels of the squared differences between this and the fixed image is
    smallest. (Set the derivatives with respect to d_row and d_column to 0: two linear equations for two numbers, which
    `np.linalg.solve` solves.)

    Source: Lucas and Kanade, An iterative image registration technique with an application to stereo vision, IJCAI
    1981.

    Parameters
    ----------
    y : (H, W) array, the warped image at the present u
    fixed : (H, W) array
    dy_du : (H, W, 2) array, how each pixel of y changes with u_row and with u_column; not all in one direction

    Returns
    -------
    (2,) array: (d_row, d_column), to be *added* to u

    Example: two pixels. One becomes brighter by 1 per row, the other by 2 per column; both are too dark,

        dy_du = np.array([[[1.0, 0.0], [0.0, 2.0]]])
        gauss_newton_step(np.array([[0.0, 0.0]]), np.array([[0.5, 0.6]]), dy_du)       # array([0.5, 0.3])
    """
    raise NotImplementedError

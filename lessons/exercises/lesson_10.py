"""Exercises of lesson 10, convolution. Check your answers with `python -m lessons.check 10`."""

import numpy as np  # noqa: F401 (you will need it)


def convolve_in_steps(x, weight, stride):
    """A convolution that moves its kernel on by `stride` pixels, down and to the right.

    No zeros are put around the image: the kernel lies inside it everywhere. Where no whole step fits any more, it
    stops. So with stride 2 the result has about half as many rows and columns.

    Parameters
    ----------
    x : (H, W, C_in) array
    weight : (kh, kw, C_in, C_out) array
    stride : int, 1 or more

    Returns
    -------
    (H_out, W_out, C_out) array

    Example: the line of the lesson,

        line = np.array([0.0, 1.0, 4.0, 4.0, 0.0]).reshape(1, 5, 1)
        kernel = np.array([-1.0, 0.0, 1.0]).reshape(1, 3, 1, 1)
        convolve_in_steps(line, kernel, 2).ravel()      # array([ 4., -4.])
    """
    raise NotImplementedError


def back_from_steps(g, weight, stride, size):
    """The VJP of `convolve_in_steps` with respect to the image.

    It leads from a small image to a large one. Networks use it forwards, too, under the name of *transposed
    convolution*.

    Parameters
    ----------
    g : (H_out, W_out, C_out) array, the cotangent of the result
    weight : (kh, kw, C_in, C_out) array
    stride : int, 1 or more
    size : (H, W), the rows and columns of the image

    Returns
    -------
    (H, W, C_in) array, how the loss changes with each number of the image

    Example: two outputs, which have both read the pixel in the middle,

        g = np.array([1.0, 10.0]).reshape(1, 2, 1)
        kernel = np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
        back_from_steps(g, kernel, 2, (1, 5)).ravel()   # array([ 1.,  2., 13., 20., 30.])
    """
    raise NotImplementedError


def find_kernel(x, y, kh, kw):
    """The kernel that leads from x to y best: with the smallest sum of squared errors.

    There may be noise in y, so no kernel need fit exactly. Descent would take thousands of steps, but here one can jump
    to its end. There the gradient of the loss is 0. Write it down with the table of patches and look at what is not
    known: it stands in a system of linear equations. The images are large enough for one solution.

    Parameters
    ----------
    x : (H, W, C_in) array
    y : (H - kh + 1, W - kw + 1, C_out) array, about the convolution of x, with stride 1
    kh, kw : ints, rows and columns of the kernel

    Returns
    -------
    (kh, kw, C_in, C_out) array

    Example: the line of the lesson,

        line = np.array([0.0, 1.0, 4.0, 4.0, 0.0]).reshape(1, 5, 1)
        y = np.array([4.0, 3.0, -4.0]).reshape(1, 3, 1)
        find_kernel(line, y, 1, 3).ravel()              # array([-1.,  0.,  1.])
    """
    raise NotImplementedError

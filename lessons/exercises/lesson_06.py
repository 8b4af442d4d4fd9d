"""Exercises of lesson 6, is this gradient right? Check your answers with `python -m lessons.check 06`."""

import numpy as np  # noqa: F401 (you will need it)


def directional_derivative(f, x, d):
    """The derivative of f(x + s d) with respect to s at s = 0, that is J d, from a central difference.

    Do not make d as long as 1: a d that is twice as long gives twice the result. You choose the step. It must do
    for functions that bend strongly, and for images in float32 as well: then too the result shall have at least six
    right digits.

    Parameters
    ----------
    f : function of an array that returns an array, or a number; it computes in the dtype of its argument
    x : array of any shape, in float64 or float32
    d : array of that shape and dtype, the direction; of any length

    Returns
    -------
    array of the shape of f(x), in float64

    Example: f(x) = x^2 at 3 along the direction 2, where a small step s leads to (3 + 2 s)^2,

        directional_derivative(lambda x: x * x, np.array([3.0]), np.array([2.0]))        # [12.0], to many digits
    """
    raise NotImplementedError


def filter_rows(x, weights):
    """A filter of three weights along the rows: each pixel mixed with the one above and the one below.

    y[n, i] = weights[0] x[n, i - 1] + weights[1] x[n, i] + weights[2] x[n, i + 1]

    with zeros above the first row and below the last one. (Given. Nothing is to be done here.)

    Parameters
    ----------
    x : (N, H, W, C) array
    weights : three floats

    Returns
    -------
    (N, H, W, C) array
    """
    y = weights[1] * x
    y[:, 1:] += weights[0] * x[:, :-1]
    y[:, :-1] += weights[2] * x[:, 1:]
    return y


def filter_rows_adjoint(g, weights):
    """The adjoint of `filter_rows`, which is also its VJP: sum filter_rows(x) g = sum x filter_rows_adjoint(g).

    Ask of one pixel of x: into which outputs does it go, and with which weight?

    Parameters
    ----------
    g : (N, H, W, C) array, the cotangent of the output
    weights : three floats, those of the filter

    Returns
    -------
    (N, H, W, C) array, the cotangent of x

    Example: an image of three rows and one column; the weights are 10, 20 and 30. The cotangent 1 in the middle goes
    back to the three pixels that the middle output was mixed from,

        filter_rows_adjoint(np.array([0.0, 1.0, 0.0]).reshape(1, 3, 1, 1), (10.0, 20.0, 30.0)).ravel()    # [10, 20, 30]
    """
    raise NotImplementedError


def is_right(f, vjp, x, rng):
    """Decide whether a VJP is right.

    It is tested with right VJPs and with wrong ones, of functions whose values are near 1, in the millions, or tiny.
    None of them has a kink near x. A wrong VJP may also return nan ("not a number", what 0 / 0 is), and every
    comparison with nan is False.

    Parameters
    ----------
    f : function of an array of the shape of x; returns an array of some shape
    vjp : function of x and of a cotangent g of the shape of f(x); claims to return J^T g, where J is the Jacobian of f
        at x. It has the shape of x.
    x : array in float64, with elements of the size of 1
    rng : numpy.random.Generator, from which you draw what you need

    Returns
    -------
    bool

    Example:

        is_right(lambda x: x * x, lambda x, g: 2 * x * g, np.array([1.0, 2.0]), np.random.default_rng(0))    # True
        is_right(lambda x: x * x, lambda x, g: x * g, np.array([1.0, 2.0]), np.random.default_rng(0))        # False
    """
    raise NotImplementedError

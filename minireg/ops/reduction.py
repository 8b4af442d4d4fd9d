"""Reductions over one axis, several, or all.

`axis` is an int, a tuple of ints or None (all axes); `keepdims` keeps the reduced axes with size 1. In every formula
y is the output, g its cotangent, g_x the cotangent of x, and n the number of elements that one y was made of. All but
`sum` raise InputError where that is 0.
"""

import math

import numpy as np

from minireg.autograd import op
from minireg.backend import xp
from minireg.errors import InputError


@op
def sum(x, axis=None, keepdims=False):
    """y = sum x        g_x = g, repeated over the reduced axes

    >>> ops.sum(Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0).data.tolist()
    [4.0, 6.0]
    """
    spread = _spreader(x, axis, keepdims)
    return xp.sum(x, axis=axis, keepdims=keepdims), (lambda g: spread(g),)


@op
def mean(x, axis=None, keepdims=False):
    """y = (1/n) sum x        g_x = g / n, repeated over the reduced axes

    >>> ops.mean(Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=1, keepdims=True).data.tolist()
    [[1.5], [3.5]]
    """
    spread = _spreader(x, axis, keepdims)
    n = _reduced_size(x, axis)
    return xp.mean(x, axis=axis, keepdims=keepdims), (lambda g: spread(divide_by_count(g, n, g.dtype)),)


@op
def variance(x, axis=None, keepdims=False):
    """y = (1/n) sum (x - mean)^2        g_x = g 2 (x - mean) / n

    The mean depends on x too, but sum (x - mean) = 0, so that path contributes nothing.

    >>> ops.variance(Tensor([1.0, 3.0])).item()
    1.0
    """
    spread = _spreader(x, axis, keepdims)
    n = _reduced_size(x, axis)
    centred = x - xp.mean(x, axis=axis, keepdims=True)
    y = xp.mean(centred * centred, axis=axis, keepdims=keepdims)
    return y, (lambda g: spread(g) * (2 / n * centred),)


@op
def max(x, axis=None, keepdims=False):
    """y = max x        the cotangent goes to the largest element, in equal shares where several are equal

    >>> x = Tensor([2.0, 1.0, 2.0], requires_grad=True)
    >>> ops.max(x).backward()
    >>> x.grad.tolist()
    [0.5, 0.0, 0.5]
    """
    return _extremum(x, xp.max, axis, keepdims)


@op
def min(x, axis=None, keepdims=False):
    """y = min x        the cotangent goes to the smallest element, in equal shares where several are equal

    >>> x = Tensor([[1.0, 1.0], [2.0, 2.0]], requires_grad=True)
    >>> ops.min(x, axis=1).backward(Tensor([1.0, 3.0]))
    >>> x.grad.tolist()
    [[0.5, 0.5], [1.5, 1.5]]
    """
    return _extremum(x, xp.min, axis, keepdims)


def sum_per_channel(x):
    """The sum of a raw array (..., C) over all axes but the last, as a product with ones; of float16 in float32.

    It is what the VJP of a bias needs. `xp.sum` walks channels-last arrays in steps of C and takes six times as long.
    """
    rows = x.reshape(-1, x.shape[-1])
    return xp.matmul(xp.ones(len(rows), at_least_float32(x.dtype)), rows)


def divide_by_count(array, n, dtype):
    """array / n in a floating-point dtype whose largest number may be less than n: that of float16 is 65504."""
    quotient = array.astype(at_least_float32(array.dtype), copy=False) / n
    return quotient.astype(dtype, copy=False) if dtype.kind == "f" else quotient


def at_least_float32(dtype):
    """The dtype in which counts, sums and positions are right where the arrays have this one."""
    return np.promote_types(dtype, np.float32)


def _extremum(x, reduce, axis, keepdims):
    _reduced_size(x, axis)
    y = reduce(x, axis=axis, keepdims=True)
    spread = _spreader(x, axis, keepdims)

    def vjp(g):
        is_winner = x == y
        share = g.reshape(y.shape) / xp.sum(is_winner, axis=axis, keepdims=True)
        return spread(share.astype(x.dtype)) * is_winner

    return (y if keepdims else reduce(x, axis=axis)), (vjp,)


def _reduced_axes(x, axis):
    axes = range(x.ndim) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    return tuple(a % x.ndim for a in axes)


def _reduced_size(x, axis):
    n = math.prod(x.shape[a] for a in _reduced_axes(x, axis))
    if n == 0:
        over = "all axes" if axis is None else f"axis {axis}"
        raise InputError(f"a mean, variance, max or min needs at least one element, got shape {x.shape} over {over}")
    return n


def _spreader(x, axis, keepdims):
    """The function that repeats a reduced cotangent over the axes that were reduced, back to the shape of x."""
    shape = x.shape
    kept = tuple(1 if a in _reduced_axes(x, axis) else size for a, size in enumerate(shape))
    return lambda g: xp.broadcast_to(g if keepdims else g.reshape(kept), shape)

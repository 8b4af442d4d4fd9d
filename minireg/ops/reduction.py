"""Reductions over one axis, several, or all.

`axis` is an int, a tuple of ints or None (all axes); `keepdims` keeps the reduced axes with size 1. In every formula
y is the output, g its cotangent, g_x the cotangent of x, and n the number of elements that one y was made of.
"""

import math

from minireg.autograd import op
from minireg.backend import xp


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
    return xp.mean(x, axis=axis, keepdims=keepdims), (lambda g: spread(g / n),)


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
    """The sum of a raw array (..., C) over all axes but the last, as a product with ones.

    It is what the VJP of a bias needs. `xp.sum` walks channels-last arrays in steps of C and takes six times as long.
    """
    rows = x.reshape(-1, x.shape[-1])
    return xp.matmul(xp.ones(len(rows), x.dtype), rows)


def _extremum(x, reduce, axis, keepdims):
    y = reduce(x, axis=axis, keepdims=True)
    spread = _spreader(x, axis, keepdims)

    def vjp(g):
        is_winner = x == y
        return spread(g) * is_winner / xp.sum(is_winner, axis=axis, keepdims=True).astype(x.dtype)

    return (y if keepdims else reduce(x, axis=axis)), (vjp,)


def _reduced_axes(x, axis):
    axes = range(x.ndim) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    return tuple(a % x.ndim for a in axes)


def _reduced_size(x, axis):
    return math.prod(x.shape[a] for a in _reduced_axes(x, axis))


def _spreader(x, axis, keepdims):
    """The function that repeats a reduced cotangent over the axes that were reduced, back to the shape of x."""
    shape = x.shape
    kept = tuple(1 if a in _reduced_axes(x, axis) else size for a, size in enumerate(shape))
    return lambda g: xp.broadcast_to(g if keepdims else g.reshape(kept), shape)

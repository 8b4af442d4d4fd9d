"""Operations that move elements and compute nothing: each VJP moves the cotangents back to where they came from."""

import math

import numpy as np

from minireg import backend
from minireg.autograd import Tensor, op
from minireg.backend import xp


@op
def reshape(x, shape):
    """The same elements in order (row-major) in another shape        g_x = g in the shape of x

    >>> ops.reshape(Tensor([1.0, 2.0, 3.0, 4.0]), (2, 2)).data.tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    return x.reshape(shape), (lambda g: g.reshape(x.shape),)


def flatten(x, start_dim=0):
    """The axes from `start_dim` on as one, row-major: with 1, a batch of images becomes (N, H W C).

    >>> ops.flatten(Tensor([[[1.0, 2.0]], [[3.0, 4.0]]]), start_dim=1).data.tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    return reshape(x, (*x.shape[:start_dim], math.prod(x.shape[start_dim:])))


@op
def transpose(x, axes=None):
    """Axes in the order `axes`, reversed without it        g_x = g with the inverse permutation

    >>> ops.transpose(Tensor([[1.0, 2.0], [3.0, 4.0]])).data.tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    inverse = None if axes is None else tuple(int(a) for a in np.argsort([a % x.ndim for a in axes]))
    return xp.transpose(x, axes), (lambda g: xp.transpose(g, inverse),)


@op
def broadcast_to(x, shape):
    """Repeat along new axes and axes of size 1        g_x = the sum over the repetitions (done by the engine)

    >>> ops.broadcast_to(Tensor([1.0, 2.0]), (2, 2)).data.tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """
    return xp.broadcast_to(x, shape), (lambda g: g,)


def concatenate(tensors, axis=0):
    """Join Tensors along an existing axis        g of each = its slice of g

    >>> ops.concatenate([Tensor([1.0]), Tensor([2.0, 3.0])]).data.tolist()
    [1.0, 2.0, 3.0]
    """
    return _concatenate(*tensors, axis=axis)


@op
def _concatenate(*arrays, axis):
    y = xp.concatenate(arrays, axis=axis)
    ends = np.cumsum([array.shape[axis] for array in arrays])
    pieces = [slice(int(end) - array.shape[axis], int(end)) for array, end in zip(arrays, ends, strict=True)]
    before = (slice(None),) * (axis % y.ndim)
    return y, tuple(lambda g, piece=piece: g[(*before, piece)] for piece in pieces)


def stack(tensors, axis=0):
    """Join Tensors of one shape along a new axis        g of each = its place in g

    >>> ops.stack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])], axis=1).data.tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    return _stack(*tensors, axis=axis)


@op
def _stack(*arrays, axis):
    y = xp.stack(arrays, axis=axis)
    before = (slice(None),) * (axis % y.ndim)
    return y, tuple(lambda g, place=place: g[(*before, place)] for place in range(len(arrays)))


@op
def pad(x, pad_width, value=0.0):
    """Surround x with `value`        g_x = the inner part of g

    `pad_width` is one pair (before, after) of non-negative ints for each axis of x.

    >>> ops.pad(Tensor([5.0, 6.0]), [(1, 2)]).data.tolist()
    [0.0, 5.0, 6.0, 0.0, 0.0]
    """
    inner = tuple(slice(before, before + size) for (before, _), size in zip(pad_width, x.shape, strict=True))
    y = xp.pad(x, pad_width, constant_values=value)
    return y, (lambda g: g[inner],)


@op
def getitem(x, index):
    """y = x[index]        g_x = zeros with g added at `index`

    `index` is what NumPy takes: ints, slices, None, Ellipsis, integer or boolean arrays, or a tuple of them. Where an
    integer array names an element several times, the cotangents of all its copies add up.

    >>> x = Tensor([5.0, 6.0, 7.0], requires_grad=True)
    >>> ops.getitem(x, [0, 0, 1]).sum().backward()
    >>> x.grad.tolist()
    [2.0, 1.0, 0.0]
    """
    index = tuple(_raw_index(part) for part in index) if isinstance(index, tuple) else _raw_index(index)
    may_repeat = any(map(backend.is_array, index if isinstance(index, tuple) else (index,)))

    def vjp(g):
        g_x = xp.zeros_like(x)
        if may_repeat:
            xp.add.at(g_x, index, g)
        else:
            g_x[index] = g
        return g_x

    return x[index], (vjp,)


def _raw_index(part):
    """A part of an index. Sequences become arrays, and arrays are copied: the caller may change theirs later."""
    part = part.data if isinstance(part, Tensor) else part
    if part is None or part is Ellipsis or isinstance(part, (int, np.integer, slice)):
        return part
    backend.refuse_foreign_array(part, "an index")
    if backend.is_array(part):
        return part.copy()
    part = np.array(part)
    return backend.to_device(part if part.size else part.astype(int))


def channels_first(image):
    """The raw array (N, H, W, C) as a contiguous (C, N, H, W), for computing with whole planes.

    Where a number for each pixel meets an image of few channels (a field has two), NumPy would work in runs of C
    numbers; with the channels in front the runs are as long as the image.
    """
    return xp.ascontiguousarray(xp.moveaxis(image, -1, 0))


def channels_last(planes):
    """The way back: (C, N, H, W) as a contiguous (N, H, W, C)."""
    return xp.stack(list(planes), axis=-1)  # for few channels ten times as fast as a copy with the axes moved

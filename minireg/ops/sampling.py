"""Warping an image by a displacement field: bilinear sampling between the pixels, and its two gradients."""

from typing import NamedTuple

import numpy as np

from minireg.autograd import Tensor, op
from minireg.backend import refuse_foreign_array, xp
from minireg.errors import InputError
from minireg.ops.reduction import at_least_float32
from minireg.ops.shape import channels_first, channels_last

BORDERS = ("zeros", "edge")


@op
def warp(image, displacement, border="zeros"):
    """Pull the image back along the field:  y[p] = image(p + u(p)),  bilinear between the pixels.

    Every output pixel asks where its value comes from, so none stays empty and none is hit twice.

    Let r = row + u_row, i = floor(r), s = r - i, and for the columns c, j, t likewise. With V the image continued
    beyond its border, the four pixels around (r, c) give

        y = (1 - s) ((1 - t) V[i, j] + t V[i, j+1]) + s ((1 - t) V[i+1, j] + t V[i+1, j+1])

    and, summed over the channels,

        g_u_row    = sum g ((1 - t) (V[i+1, j] - V[i, j]) + t (V[i+1, j+1] - V[i, j+1]))
        g_u_column = sum g ((1 - s) (V[i, j+1] - V[i, j]) + s (V[i+1, j+1] - V[i+1, j]))
        g_image    = g with each of the four weights, added at the pixel the weight belongs to (a scatter)

    y is continuous in u but has kinks where r or c is an integer; there these are the one-sided derivatives in the
    direction of growing r and c. (So with border "zeros" a bright last row has a gradient even under the identity: one
    step further down is the black outside.)

    Parameters
    ----------
    image : (N, H, W, C)
    displacement : (N, H', W', 2), in pixels: u[..., 0] along rows (down), u[..., 1] along columns (right)
        Usually H' = H and W' = W; output pixel p looks at p + u(p) in the image either way. Displacements out of all
        proportion, and infinite ones, land outside the image; NaN gives NaN.
    border : "zeros" or "edge"
        What lies beyond the image: V = 0, or the nearest pixel of the border.

    The result is (N, H', W', C). Raises InputError where the shapes do not fit together or the border is unknown.

    Source: Jaderberg, Simonyan, Zisserman, Kavukcuoglu, Spatial transformer networks, NeurIPS 2015, equations 5 to 7,
    arXiv:1506.02025.

    >>> image, down = Tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1), Tensor([1.0, 0.0] * 4).reshape(1, 2, 2, 2)
    >>> ops.warp(image, down).data[..., 0].tolist()  # every pixel takes what lies one row below it
    [[[3.0, 4.0], [0.0, 0.0]]]
    >>> right = Tensor([0.0, 0.5] * 4).reshape(1, 2, 2, 2)
    >>> ops.warp(image, right, border="edge").data[..., 0].tolist()
    [[[1.5, 2.0], [3.5, 4.0]]]
    """
    rows, columns = _neighbours(image, displacement, border)
    # Whole planes (C, N H W): the weights are the same for all channels, and one index finds a pixel of the batch.
    planes = channels_first(image).reshape(image.shape[3], -1)
    pixels = [[start + c for c in columns.indices] for start in (_row_start(image, r) for r in rows.indices)]
    corners = [[xp.take(planes, pixel, axis=1) for pixel in pair] for pair in pixels]
    top_and_bottom = [_mixed(columns.weights, pair) for pair in corners]

    def vjp_image(g):
        g = channels_first(g)
        g_image = xp.zeros_like(planes)
        for row_weight, pair in zip(rows.weights, pixels, strict=True):
            for column_weight, pixel in zip(columns.weights, pair, strict=True):
                share = row_weight * column_weight * g
                # add.at, because `g_image[pixel] += share` would count a pixel that is hit twice only once; and one
                # channel at a time, because add.at is fast on one axis only.
                for channel in range(len(planes)):
                    xp.add.at(g_image[channel], pixel.reshape(-1), share[channel].reshape(-1))
        return g_image.T.reshape(image.shape)

    def vjp_displacement(g):
        g = channels_first(g)
        along_rows = _mixed(rows.slopes, top_and_bottom)
        along_columns = _mixed(rows.weights, [_mixed(columns.slopes, pair) for pair in corners])
        return xp.stack([xp.sum(g * along_rows, axis=0), xp.sum(g * along_columns, axis=0)], axis=-1)

    y = _mixed(rows.weights, top_and_bottom).astype(np.result_type(image.dtype, displacement.dtype), copy=False)
    return channels_last(y), (vjp_image, vjp_displacement)


def warp_nearest(labels, displacement, border="zeros"):
    """Pull back a label map: every output pixel takes the label of the pixel nearest to p + u(p).

    Labels are names, not amounts: the mean of labels 1 and 3 is not label 2. There is no gradient.

    `labels` is (N, H, W, C) of any dtype, the rest as for `warp`; the result is a Tensor (N, H', W', C) of that dtype,
    with 0 beyond the border if `border` is "zeros". Half-way between two pixels the upper or left one is taken. NaN
    displacements give 0.

    >>> labels, right = Tensor([1, 3]).reshape(1, 1, 2, 1), Tensor([0.0, 0.75] * 2).reshape(1, 1, 2, 2)
    >>> ops.warp_nearest(labels, right).data[..., 0].tolist()
    [[[3, 0]]]
    """
    labels, displacement = (x.data if isinstance(x, Tensor) else x for x in (labels, displacement))
    for array in (labels, displacement):
        refuse_foreign_array(array, "warp_nearest")
    _check(labels, displacement, border)
    nearest = [xp.ceil(_coordinate(displacement, axis) - 0.5) for axis in (0, 1)]
    r, c = (_inside_index(position, labels.shape[1 + axis]) for axis, position in enumerate(nearest))
    y = xp.take(labels.reshape(-1, labels.shape[3]), _row_start(labels, r) + c, axis=0)
    outside = xp.isnan(displacement).any(axis=-1)
    if border == "zeros":
        for axis, position in enumerate(nearest):
            outside |= (position < 0) | (position > labels.shape[1 + axis] - 1)
    return Tensor(xp.where(outside[..., None], xp.zeros_like(y), y))


class _Neighbours(NamedTuple):
    """Along one axis, the two pixels around each sampled coordinate; each entry is (before, after)."""

    indices: tuple  # where they are, as indices that are safe to use
    weights: tuple  # 1 - fraction and fraction, 0 for a pixel outside an image that ends in zeros
    slopes: tuple  # the derivatives of the weights with respect to the coordinate


def _neighbours(image, displacement, border):
    """The neighbours of all sampled points along the rows and along the columns."""
    _check(image, displacement, border)
    both = []
    for axis in (0, 1):
        size = image.shape[1 + axis]
        # Beyond -2 and size both neighbours lie outside, and V is constant. Clipping keeps the cast to int in range.
        # (Not at -1: the derivative there, towards pixel 0, would go to everything beyond.)
        coordinate = xp.clip(_coordinate(displacement, axis), -2, size)
        before = xp.floor(coordinate)
        after = before + 1
        fraction = coordinate - before
        weights, slopes = (1 - fraction, fraction), (-1.0, 1.0)
        if border == "zeros":
            inside = [((i >= 0) & (i < size)).astype(fraction.dtype) for i in (before, after)]
            weights, slopes = (weights[0] * inside[0], weights[1] * inside[1]), (-inside[0], inside[1])
        both.append(_Neighbours((_inside_index(before, size), _inside_index(after, size)), weights, slopes))
    return both


def _coordinate(displacement, axis):
    """Where each output pixel looks, along one axis: its own position plus its displacement."""
    # float16 has no whole numbers above 2048 but the even ones.
    positions = xp.arange(displacement.shape[1 + axis], dtype=at_least_float32(displacement.dtype))
    return (positions[:, None] if axis == 0 else positions) + displacement[..., axis]


def _inside_index(position, size):
    """A whole-numbered position as an index of the nearest pixel inside; fmax and fmin put NaN inside too."""
    return xp.fmin(xp.fmax(position, 0), size - 1).astype(xp.int64)


def _row_start(image, r):
    """The index of the first pixel of row r of each image, among the N H W pixels of the batch."""
    n, h, w, _ = image.shape
    return (xp.arange(n)[:, None, None] * h + r) * w


def _mixed(weights, pair):
    """Two arrays with a weight each (or two slopes)."""
    return weights[0] * pair[0] + weights[1] * pair[1]


def _check(image, displacement, border):
    if border not in BORDERS:
        raise InputError(f"the border must be one of {BORDERS}, got {border!r}")
    if image.ndim != 4 or displacement.ndim != 4 or displacement.shape[3] != 2 or len(image) != len(displacement):
        raise InputError(
            "warp expects an image (N, H, W, C) and a displacement (N, H', W', 2) with the same N, got shapes "
            f"{image.shape} and {displacement.shape}"
        )
    if displacement.dtype.kind != "f":
        raise InputError(f"the displacement must be floating-point, got {displacement.dtype}")
    if image.shape[1] == 0 or image.shape[2] == 0:
        raise InputError(f"cannot sample from an image without pixels, got shape {image.shape}")

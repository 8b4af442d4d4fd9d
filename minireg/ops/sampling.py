"""Warping an image by a displacement field: bilinear sampling between the pixels, and its two gradients."""

import numpy as np

from minireg.autograd import Tensor, op
from minireg.backend import refuse_foreign_array, xp
from minireg.errors import InputError
from minireg.ops import warp_kernels
from minireg.ops.reduction import at_least_float32
from minireg.ops.shape import channels_last

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
    _check(image, displacement, border)
    if warp_kernels.fit(image, displacement):  # on a GPU: the same in three kernels
        return warp_kernels.warp(image, displacement, border)
    dtype = np.result_type(image.dtype, at_least_float32(displacement.dtype))
    V = _continued(image, border, dtype)
    n, height, width, channels = V.shape
    (i, s), (j, t) = (_cell(displacement, axis, image.shape[1 + axis]) for axis in (0, 1))
    place = _place_among_all(i, j, V.shape)
    s, t = (_for_each_channel(fraction, channels) for fraction in (s, t))

    # Counted from so many pixels further on, V[i, j+1] and the others have the place of V[i, j]: one index for all.
    pixels, offsets = V.reshape(-1, channels), (0, 1, width, width + 1)
    V_00, V_01, V_10, V_11 = (xp.take(pixels[offset:], place, axis=0) for offset in offsets)
    # A mean (1 - t) a + t b is a + t (b - a), and the differences are what the VJP of the displacement is made of.
    across_top, across_bottom = V_01 - V_00, V_11 - V_10
    top = V_00 + t * across_top
    down = V_10 + t * across_bottom - top
    y = top + s * down

    def vjp_image(g):
        g_bottom = s * g
        g_top = g - g_bottom
        g_01, g_11 = t * g_top, t * g_bottom
        g_V = xp.zeros((channels, n * height * width), dtype)
        for offset, share in zip(offsets, (g_top - g_01, g_01, g_bottom - g_11, g_11), strict=True):
            # add.at, because `g_V[place] += share` would count a pixel that is hit twice only once; and one channel at
            # a time, because add.at is fast on one axis only.
            for c in range(channels):
                xp.add.at(g_V[c, offset:], place.reshape(-1), share[..., c].reshape(-1))
        return _vjp_continued(g_V.reshape(channels, n, height, width), border)

    def vjp_displacement(g):
        across = across_top + s * (across_bottom - across_top)
        return xp.stack([_sum_of_channels(g * down), _sum_of_channels(g * across)], axis=-1)

    return y.astype(np.result_type(image.dtype, displacement.dtype), copy=False), (vjp_image, vjp_displacement)


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


def _continued(image, border, dtype):
    """V: the image and two more pixels on each side, where V[:, i + 2, j + 2] is pixel (i, j)."""
    n, h, w, c = image.shape
    V = xp.zeros((n, h + 4, w + 4, c), dtype)
    V[:, 2:-2, 2:-2] = image
    if border == "edge":
        V[:, 2:-2, :2], V[:, 2:-2, -2:] = image[:, :, :1], image[:, :, -1:]
        V[:, :2], V[:, -2:] = V[:, 2:3].copy(), V[:, -3:-2].copy()
    return V


def _vjp_continued(g, border):
    """The VJP of `_continued`: what came from a pixel of the edge goes back to it. g is (C, N, H + 4, W + 4)."""
    if border == "edge":
        g[:, :, 2] += g[:, :, 0] + g[:, :, 1]
        g[:, :, -3] += g[:, :, -2] + g[:, :, -1]
        g[..., 2] += g[..., 0] + g[..., 1]
        g[..., -3] += g[..., -2] + g[..., -1]
    return channels_last(g[:, :, 2:-2, 2:-2])


def _cell(displacement, axis, size):
    """Along one axis, the pixel before each sampled coordinate, and how far behind it the coordinate lies (0 to 1)."""
    # Beyond -2 and size both neighbours lie outside, and V is constant. Clipping keeps the cast to int in range.
    # (Not at -1: the derivative there, towards pixel 0, would go to everything beyond.)
    coordinate = xp.clip(_coordinate(displacement, axis), -2, size)
    before = xp.floor(coordinate)
    return before, coordinate - before


def _place_among_all(i, j, shape):
    """The index of pixel (i, j) of each image, given as whole floats, among all pixels of the array V of this shape."""
    n, h, w, _ = shape
    exact = i.dtype if n * h * w <= 2**24 else np.float64  # float32 has all whole numbers up to there
    start = xp.arange(n, dtype=exact)[:, None, None] * (h * w) + (2 * w + 2)  # of pixel (0, 0)
    in_own_image = xp.fmax(i.astype(exact, copy=False) * w + j, -2 * w - 2)  # fmax puts NaN inside too
    return (in_own_image + start).astype(xp.int64)


def _for_each_channel(x, channels):
    """(N, H, W) as (N, H, W, C), repeated in memory: NumPy would repeat one number at a time, in runs of C."""
    return x[..., None] if channels == 1 else xp.stack([x] * channels, axis=-1)


def _sum_of_channels(x):
    """(N, H, W, C) to (N, H, W). `xp.sum` would go through runs of C numbers, too."""
    return sum((x[..., c] for c in range(1, x.shape[-1])), start=x[..., 0])


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

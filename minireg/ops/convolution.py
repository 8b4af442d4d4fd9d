"""Convolution, its transpose, and all their VJPs, from two functions: `_correlate` and `_correlate_vjp_weight`.

What networks call convolution is a correlation: for an output pixel p, tap k and channels c (in) and d (out),

    y[n, p, d] = sum over k, c of  x[n, stride p + dilation k - padding, c] weight[k, c, d]

It is linear in x and in weight, so each VJP is the adjoint of one linear map, and all of them are correlations again:

    g_weight[k, c, d] = sum over n, p of  x[n, stride p + dilation k - padding, c] g[n, p, d]
    g_x               = g, spread out by the stride with zeros between, correlated with the weight turned around
                        (taps reversed, c and d exchanged)

`conv_transpose2d` is that last map, used forward. So its VJP with respect to its input is an ordinary convolution.

How it is computed: what each output pixel looks at, kh kw C numbers, is copied into a row of a matrix (im2col), and one
matrix product does the rest. It is done for a block of images at a time (of rows, where an image is large): the copy
fits the cache (`scratch_bytes` of the backend), and its memory serves the next block. The backward makes it anew rather
than keeping it: that is kh kw times the memory of x, and copying within the cache costs less than fetching from memory.

Source: Chellapilla, Puri, Simard, High performance convolutional neural networks for document processing, International
Workshop on Frontiers in Handwriting Recognition 2006 (im2col).
"""

from typing import NamedTuple

from minireg import backend
from minireg.autograd import op
from minireg.backend import xp
from minireg.errors import InputError
from minireg.ops.reduction import sum_per_channel


@op
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """Two-dimensional convolution (see the formula at the top of this file).

    Parameters
    ----------
    x : (N, H, W, C_in)
    weight : (kh, kw, C_in, C_out)
    bias : (C_out,), optional
    stride, dilation : int or (rows, columns)
    padding : int, (rows, columns), ((top, bottom), (left, right)), or "same"
        Zeros around the image. "same" gives ceil(H / stride) rows; where the padding is odd, the extra zero goes to
        the bottom and the right, as in TensorFlow and Keras.

    The result is (N, H_out, W_out, C_out), with H_out = (H + top + bottom - dilation (kh - 1) - 1) // stride + 1.
    Raises InputError where the shapes do not fit together or the kernel is larger than the padded image.

    >>> image, weight = Tensor([1.0] * 9).reshape(1, 3, 3, 1), Tensor([1.0] * 4).reshape(2, 2, 1, 1)
    >>> ops.conv2d(image, weight, padding="same").data[..., 0].tolist()  # how many pixels each window finds
    [[[4.0, 4.0, 2.0], [4.0, 4.0, 2.0], [2.0, 2.0, 1.0]]]
    """
    _check_shapes("conv2d", x, weight, weight.shape[2:3], bias, weight.shape[3:])
    stride, dilation = _pair(stride, 1), _pair(dilation, 1)
    padding = _padding_pairs(padding, x.shape[1:3], weight.shape[:2], stride, dilation)
    size = _output_size(x.shape[1:3], weight.shape[:2], stride, padding, dilation)
    seen = _Seen(first=(padding[0][0], padding[1][0]), spread=(1, 1), stride=stride, dilation=dilation)
    y = _correlate(x, weight, size, seen)
    if bias is not None:
        y += bias
    return y, (
        lambda g: _correlate(g, _turned(weight), x.shape[1:3], seen.in_reverse(weight.shape[:2])),
        lambda g: _correlate_vjp_weight(g, x, weight.shape[:2], seen),
        sum_per_channel,
    )


@op
def conv_transpose2d(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    """The transpose of `conv2d`: the VJP of a convolution with this weight, with respect to its image.

    Parameters
    ----------
    x : (N, H, W, C_in)
    weight : (kh, kw, C_out, C_in)
        The weight of the convolution whose transpose this is: that one leads from C_out to C_in channels.
    bias : (C_out,), optional
    stride, dilation, output_padding : int or (rows, columns)
        Several image sizes lead to the same H under the convolution; `output_padding` (less than the stride) says by
        how many pixels the one meant here is larger than the smallest.
    padding : int, (rows, columns) or ((top, bottom), (left, right))
        The padding of that convolution, which is cut off here.

    The result is (N, H_out, W_out, C_out), with H_out = (H - 1) stride - top - bottom + dilation (kh - 1) + 1 +
    output_padding. Raises InputError where the shapes do not fit together.

    >>> x, weight = Tensor([1.0, 10.0]).reshape(1, 1, 2, 1), Tensor([1.0, 2.0]).reshape(1, 2, 1, 1)
    >>> ops.conv_transpose2d(x, weight, stride=2).data[..., 0].tolist()  # every pixel becomes a multiple of the kernel
    [[[1.0, 2.0, 10.0, 20.0]]]
    """
    _check_shapes("conv_transpose2d", x, weight, weight.shape[3:], bias, weight.shape[2:3])
    stride, dilation, extra = _pair(stride, 1), _pair(dilation, 1), _pair(output_padding)
    if padding == "same":
        raise InputError("conv_transpose2d takes its padding in numbers: 'same' does not say which size is meant")
    if any(e >= s for e, s in zip(extra, stride, strict=True)):
        raise InputError(f"conv_transpose2d: output_padding {extra} must be smaller than the stride {stride}")
    padding = _padding_pairs(padding)
    size = tuple(
        (x.shape[1 + a] - 1) * stride[a] - sum(padding[a]) + dilation[a] * (weight.shape[a] - 1) + 1 + extra[a]
        for a in (0, 1)
    )
    if min(size) < 1:
        raise InputError(f"conv_transpose2d: padding {padding} cuts off all of the output (its size would be {size})")
    seen = _Seen(first=(padding[0][0], padding[1][0]), spread=(1, 1), stride=stride, dilation=dilation)
    y = _correlate(x, _turned(weight), size, seen.in_reverse(weight.shape[:2]))
    if bias is not None:
        y += bias
    return y, (
        lambda g: _correlate(g, weight, x.shape[1:3], seen),
        lambda g: _correlate_vjp_weight(x, g, weight.shape[:2], seen),
        sum_per_channel,
    )


class _Seen(NamedTuple):
    """What is seen: output pixel p sees, through tap k, that pixel q of x for which

        first + spread q = stride p + dilation k

    and a zero where there is none. In a convolution spread is 1, and first the padding before row and column 0.
    """

    first: tuple
    spread: tuple
    stride: tuple
    dilation: tuple

    def in_reverse(self, kernel):
        """Which p each q is seen from, if the taps are counted from the other end: spread and stride change places."""
        first = tuple(d * (k - 1) - f for d, k, f in zip(self.dilation, kernel, self.first, strict=True))
        return _Seen(first, self.stride, self.spread, self.dilation)


def _correlate(x, weight, size, seen):
    """y[n, p, d] = sum over k, c of x[n, q, c] weight[k, c, d]  for y of `size`, with the q that p sees through k"""
    c_out = weight.shape[3]
    y = xp.empty((len(x), *size, c_out), x.dtype)
    for block, patches in _patch_blocks(x, weight.shape[:2], size, seen):
        xp.matmul(patches, weight.reshape(-1, c_out), out=y[block].reshape(-1, c_out))
    return y


def _correlate_vjp_weight(g, x, kernel, seen):
    """g_weight[k, c, d] = sum over n, p of x[n, q, c] g[n, p, d]  with the q that p sees through k

    The sum can be seen from x too: over the pixels of x, of what each meets in g, whose patches are narrower to copy
    where g has fewer channels. Then a tap further down meets a pixel of g further up, so the result is turned.
    """
    c_in, c_out = x.shape[3], g.shape[3]
    if c_out < c_in and seen.stride == (1, 1):  # spread by a stride, g would be mostly zeros
        return _turned(_correlate_vjp_weight(x, g, kernel, seen.in_reverse(kernel)))
    g_weight = xp.zeros((kernel[0] * kernel[1] * c_in, c_out), x.dtype)
    for block, patches in _patch_blocks(x, kernel, g.shape[1:3], seen):
        g_weight += xp.matmul(patches.T, g[block].reshape(-1, c_out))
    return g_weight.reshape(*kernel, c_in, c_out)


def _turned(weight):
    """The weight turned around: taps reversed, input and output channels exchanged."""
    # `ascontiguousarray` would leave a kernel of one tap its negative strides, and CuPy's products refuse those.
    return xp.swapaxes(weight[::-1, ::-1], 2, 3).copy()


def _output_size(size, kernel, stride, padding, dilation):
    """(H_out, W_out) of a convolution of images of `size` (H, W)."""
    padded = tuple(n + sum(sides) for n, sides in zip(size, padding, strict=True))
    extent = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
    if extent[0] > padded[0] or extent[1] > padded[1]:
        raise InputError(
            f"a kernel of {kernel} taps with dilation {dilation} reaches over {extent} pixels, but the padded image "
            f"has only {padded}"
        )
    return (padded[0] - extent[0]) // stride[0] + 1, (padded[1] - extent[1]) // stride[1] + 1


def _patch_blocks(x, kernel, size, seen):
    """Cut the output pixels into blocks; yield each block's slices (of images, of rows) and its patches.

    The patches (pixels of the block, kh kw C) hold what each output pixel sees. Those of all blocks lie in the same
    memory, so each is valid until the next is asked for.
    """
    (n, _, _, c), (h_out, w_out) = x.shape, size
    numbers = kernel[0] * kernel[1] * c
    rows_that_fit = max(1, backend.active().scratch_bytes // max(1, w_out * numbers * x.itemsize))
    images_in_block, rows_in_block = max(1, min(n, rows_that_fit // h_out)), min(h_out, rows_that_fit)

    # The canvas holds x, spread out and with zeros around it, for as far as the output pixels see.
    length = [
        s * (m - 1) + d * (k - 1) + 1 for s, m, d, k in zip(seen.stride, size, seen.dilation, kernel, strict=True)
    ]
    canvas = xp.zeros((images_in_block, *length, c), x.dtype)
    to_rows, rows = _inside(seen.first[0], seen.spread[0], x.shape[1], length[0])
    to_columns, columns = _inside(seen.first[1], seen.spread[1], x.shape[2], length[1])
    image, row, column, channel = canvas.strides
    down, right = row * seen.stride[0], column * seen.stride[1]
    tap_down, tap_right = row * seen.dilation[0], column * seen.dilation[1]
    windows = xp.lib.stride_tricks.as_strided(  # the patches, before they are copied
        canvas, (images_in_block, *size, *kernel, c), (image, down, right, tap_down, tap_right, channel)
    )
    scratch = xp.empty((images_in_block, rows_in_block, w_out, *kernel, c), x.dtype)
    for first_image in range(0, n, images_in_block):
        images = x[first_image : first_image + images_in_block]
        canvas[: len(images), to_rows, to_columns] = images[:, rows, columns]
        for first_row in range(0, h_out, rows_in_block):
            window = windows[: len(images), first_row : first_row + rows_in_block]
            patches = scratch[: len(images), : window.shape[1]]
            patches[...] = window
            block = slice(first_image, first_image + len(images)), slice(first_row, first_row + rows_in_block)
            yield block, patches.reshape(-1, numbers)


def _inside(first, step, count, length):
    """Place `count` elements at first, first + step, ... of an axis: the slices of those that fall inside."""
    skipped = max(0, -(first // step))  # elements before 0: more padding than the kernel reaches
    start = first + skipped * step
    inside = max(0, min(count - skipped, -(-(length - start) // step)))
    return slice(start, start + inside * step, step), slice(skipped, skipped + inside)


def _pair(value, smallest=0):
    """An int for both axes, or one for each."""
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2 or not all(isinstance(each, int) and each >= smallest for each in pair):
        raise InputError(f"expected an int of at least {smallest}, or a pair (rows, columns) of them, got {value!r}")
    return pair


def _padding_pairs(padding, size=None, kernel=None, stride=None, dilation=None):
    """((top, bottom), (left, right)) from any way to give a padding; "same" needs the other arguments."""
    if padding == "same":
        pairs = []
        for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
            total = max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
            pairs.append((total // 2, total - total // 2))
        return tuple(pairs)
    if isinstance(padding, str):
        raise InputError(f"expected a padding in numbers or 'same', got {padding!r}")
    if isinstance(padding, (tuple, list)) and all(isinstance(side, (tuple, list)) for side in padding):
        return tuple(_pair(side) for side in padding)
    rows, columns = _pair(padding)
    return (rows, rows), (columns, columns)


def _check_shapes(name, x, weight, weight_in, bias, weight_out):
    # weight_in and weight_out are slices of the shape, so that a weight with too few axes gets this far too.
    if x.ndim != 4 or weight.ndim != 4:
        raise InputError(
            f"{name} expects images (N, H, W, C) and a weight of four axes, got shapes {x.shape} and {weight.shape}"
        )
    if x.dtype.kind != "f" or weight.dtype != x.dtype:
        raise InputError(
            f"{name} expects images and a weight of one floating-point type, got {x.dtype}, {weight.dtype}"
        )
    if x.shape[3] != weight_in[0]:
        raise InputError(f"{name}: images of {x.shape[3]} channels, but the weight {weight.shape} takes {weight_in[0]}")
    if bias is not None and bias.shape != tuple(weight_out):
        raise InputError(f"{name}: expected a bias of shape {tuple(weight_out)}, got {bias.shape}")

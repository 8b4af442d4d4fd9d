"""Convolution, its transpose, and all their VJPs, from two functions: `_correlate` and `_correlate_vjp_weight`.

What networks call convolution is a correlation: for an output pixel p, tap k and channels c (in) and d (out),

    y[n, p, d] = sum over k, c of  x[n, stride p + dilation k - padding, c] weight[k, c, d]

It is linear in x and in weight, so each VJP is the adjoint of one linear map, and all of them are correlations again:

    g_weight[k, c, d] = sum over n, p of  x[n, stride p + dilation k - padding, c] g[n, p, d]
    g_x               = g, spread out by the stride with zeros between, correlated with the weight turned around
                        (taps reversed, c and d exchanged)

`conv_transpose2d` is that last map, used forward. So its VJP with respect to its input is an ordinary convolution.

How it is computed: as matrix products, after copying what the output pixels look at into the rows of a matrix
(im2col). Copying costs more than multiplying here, so only the taps along a row of the kernel are copied, kw C numbers
that then lie side by side. The kh rows of the kernel are kh views of that copy, each shifted by a row, and one stacked
matrix product does all of them. It is done for a block of images at a time (of rows, where an image is large): the copy
fits the cache (`scratch_bytes` of the backend), and its memory serves the next block. The backward makes it anew rather
than keeping it: that is kw times the memory of x, and copying within the cache costs less than fetching from memory.

Source: Chellapilla, Puri, Simard, High performance convolutional neural networks for document processing, International
Workshop on Frontiers in Handwriting Recognition 2006 (im2col).
"""

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
    y = _correlate(x, weight, stride, padding, dilation)
    if bias is not None:
        y += bias
    return y, (
        lambda g: _correlate_vjp_x(g, weight, x.shape[1:3], stride, padding, dilation),
        lambda g: _correlate_vjp_weight(g, x, weight.shape[:2], stride, padding, dilation),
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
    y = _correlate_vjp_x(x, weight, size, stride, padding, dilation)
    if bias is not None:
        y += bias
    return y, (
        lambda g: _correlate(g, weight, stride, padding, dilation),
        lambda g: _correlate_vjp_weight(x, g, weight.shape[:2], stride, padding, dilation),
        sum_per_channel,
    )


def _correlate(x, weight, stride, padding, dilation):
    """y[n, p, d] = sum over k, c of x[n, stride p + dilation k - padding, c] weight[k, c, d]"""
    kh, kw, c_in, c_out = weight.shape
    x = _zero_padded(x, padding)
    y = xp.empty((len(x), *_output_size(x, (kh, kw), stride, dilation), c_out), x.dtype)
    weight = weight.reshape(kh, 1, kw * c_in, c_out)
    for block, patches in _patch_blocks(x, (kh, kw), stride, dilation):
        images, pixels = patches.shape[1:3]
        of_kernel_rows = xp.matmul(patches, weight)  # (kh, images, pixels, C_out)
        xp.sum(of_kernel_rows, axis=0, out=y[block].reshape(images, pixels, c_out))
    return y


def _correlate_vjp_weight(g, x, kernel, stride, padding, dilation):
    """g_weight[k, c, d] = sum over n, p of x[n, stride p + dilation k - padding, c] g[n, p, d]"""
    (kh, kw), c_in, c_out = kernel, x.shape[3], g.shape[3]
    g_weight = xp.zeros((kh, kw * c_in, c_out), x.dtype)
    for block, patches in _patch_blocks(_zero_padded(x, padding), kernel, stride, dilation):
        images, pixels = patches.shape[1:3]
        of_images = xp.matmul(xp.swapaxes(patches, 2, 3), g[block].reshape(images, pixels, c_out))
        g_weight += xp.sum(of_images, axis=1)
    return g_weight.reshape(kh, kw, c_in, c_out)


def _correlate_vjp_x(g, weight, size, stride, padding, dilation):
    """g_x of `_correlate` for images of `size` (H, W): g spread out by the stride, against the weight turned around.

    Along each axis the spread cotangent is cut or filled to the length at which a correlation without padding gives
    exactly H: where pixel 0 of g lies is reach - top, reach being how far a kernel extends, dilation (k - 1).
    """
    reach = [d * (k - 1) for d, k in zip(dilation, weight.shape[:2], strict=True)]
    first = [r - top for r, (top, _) in zip(reach, padding, strict=True)]
    spread = xp.zeros((g.shape[0], size[0] + reach[0], size[1] + reach[1], g.shape[3]), g.dtype)
    to_rows, rows = _spread_slices(first[0], stride[0], g.shape[1], spread.shape[1])
    to_columns, columns = _spread_slices(first[1], stride[1], g.shape[2], spread.shape[2])
    spread[:, to_rows, to_columns] = g[:, rows, columns]
    # A copy in any case: `ascontiguousarray` would leave a kernel of one tap its negative strides, and CuPy's product
    # of stacked matrices refuses those.
    turned = xp.swapaxes(weight[::-1, ::-1], 2, 3).copy()
    return _correlate(spread, turned, (1, 1), ((0, 0), (0, 0)), dilation)


def _spread_slices(first, stride, count, length):
    """Place `count` elements at first, first + stride, ... of an axis: the slices of those that fall inside."""
    skipped = max(0, -(first // stride))  # elements before 0: more padding than the kernel reaches
    start = first + skipped * stride
    inside = max(0, min(count - skipped, -(-(length - start) // stride)))
    return slice(start, start + inside * stride, stride), slice(skipped, skipped + inside)


def _zero_padded(x, padding):
    """x with zeros around it; the same array where there is no padding."""
    (top, bottom), (left, right) = padding
    if not (top or bottom or left or right):
        return x
    n, h, w, c = x.shape
    padded = xp.zeros((n, h + top + bottom, w + left + right, c), x.dtype)  # several times faster than xp.pad
    padded[:, top : top + h, left : left + w] = x
    return padded


def _output_size(x, kernel, stride, dilation):
    """(H_out, W_out) of a correlation with x, which is padded already."""
    extent = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    if extent[0] > x.shape[1] or extent[1] > x.shape[2]:
        raise InputError(
            f"a kernel of {kernel} taps with dilation {dilation} reaches over {tuple(extent)} pixels, but the padded "
            f"image has only {x.shape[1:3]}"
        )
    return (x.shape[1] - extent[0]) // stride[0] + 1, (x.shape[2] - extent[1]) // stride[1] + 1


def _patch_blocks(x, kernel, stride, dilation):
    """Cut the output pixels into blocks; yield each block's slices (of images, of rows) and its patches.

    The patches (kh, images, pixels, kw C) hold what each output pixel sees through each row of the kernel. Those of
    all blocks lie in the same memory, so each is valid until the next is asked for.
    """
    (kh, kw), (n, h, _, c) = kernel, x.shape
    h_out, w_out = _output_size(x, kernel, stride, dilation)
    image, row, column, channel = x.strides
    windows = xp.lib.stride_tricks.as_strided(  # what each output column sees in each row of the image; no copy yet
        x, (n, h, w_out, kw, c), (image, row, column * stride[1], column * dilation[1], channel)
    )
    extent = dilation[0] * (kh - 1) + 1
    rows_that_fit = backend.active().scratch_bytes // max(1, w_out * kw * c * x.itemsize)
    images_in_block = max(1, min(n, rows_that_fit // h))
    rows_in_block = h_out if rows_that_fit >= h else max(1, (rows_that_fit - extent) // stride[0] + 1)
    scratch = xp.empty((images_in_block, (rows_in_block - 1) * stride[0] + extent, w_out, kw, c), x.dtype)
    for first_image in range(0, n, images_in_block):
        for first_row in range(0, h_out, rows_in_block):
            images = min(images_in_block, n - first_image)
            rows = min(rows_in_block, h_out - first_row)
            top = first_row * stride[0]
            seen = windows[first_image : first_image + images, top : top + (rows - 1) * stride[0] + extent]
            copied = scratch[:images, : seen.shape[1]]
            copied[...] = seen
            image, row, column, _, channel = copied.strides
            patches = xp.lib.stride_tricks.as_strided(
                copied, (kh, images, rows, w_out, kw * c), (row * dilation[0], image, row * stride[0], column, channel)
            )
            block = (slice(first_image, first_image + images), slice(first_row, first_row + rows))
            # Rows and columns become one axis: still a view if the stride is 1, otherwise a copy within the cache.
            yield block, patches.reshape(kh, images, rows * w_out, kw * c)


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

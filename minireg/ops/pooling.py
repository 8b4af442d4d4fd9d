"""Changing the resolution: pooling, upsampling, and the two rearrangements between space and channels.

Images are (N, H, W, C) throughout. In every formula y is the output, g its cotangent, g_x the cotangent of x.
"""

from minireg.autograd import op
from minireg.backend import xp
from minireg.errors import InputError
from minireg.ops.reduction import at_least_float32, divide_by_count
from minireg.ops.shape import channels_first, channels_last


@op
def max_pool2d(x, kernel_size, stride=None):
    """The largest value of every window        g goes to it, in equal shares where several are equal

    x is (N, H, W, C), y (N, (H - kernel) // stride + 1, ..., C); rows and columns that fill no whole window are left
    out. `kernel_size` and `stride` are an int or (rows, columns); the stride is the kernel size unless given. Raises
    InputError where the window is larger than the image.

    >>> x = Tensor([1.0, 5.0, 5.0, 2.0], requires_grad=True)
    >>> ops.max_pool2d(x.reshape(1, 2, 2, 1), 2).backward()
    >>> x.grad.tolist()
    [0.0, 0.5, 0.5, 0.0]
    """
    kernel, stride = _window(x, kernel_size, stride)
    taps = _taps(x.shape, kernel, stride)
    y = x[taps[0]]
    for tap in taps[1:]:
        y = xp.maximum(y, x[tap])

    def vjp(g):
        winners = xp.zeros(y.shape, at_least_float32(x.dtype))
        for tap in taps:
            winners += x[tap] == y
        share = (g / winners).astype(x.dtype, copy=False)
        g_x = xp.zeros_like(x)
        for tap in taps:
            g_x[tap] += share * (x[tap] == y)
        return g_x

    return y, (vjp,)


@op
def avg_pool2d(x, kernel_size, stride=None):
    """The mean of every window        each of its pixels gets g / (number of pixels in a window)

    Parameters and result as for `max_pool2d`.

    >>> ops.avg_pool2d(Tensor([1.0, 5.0, 5.0, 1.0]).reshape(1, 2, 2, 1), 2).item()
    3.0
    """
    kernel, stride = _window(x, kernel_size, stride)
    taps = _taps(x.shape, kernel, stride)
    total = x[taps[0]].astype(at_least_float32(x.dtype))
    for tap in taps[1:]:
        total += x[tap]

    def vjp(g):
        share = divide_by_count(g, len(taps), g.dtype)
        g_x = xp.zeros_like(x)
        for tap in taps:
            g_x[tap] += share
        return g_x

    return divide_by_count(total, len(taps), x.dtype), (vjp,)


def _window(x, kernel_size, stride):
    kernel = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
    stride = kernel if stride is None else (stride, stride) if isinstance(stride, int) else tuple(stride)
    if x.ndim != 4 or min(*kernel, *stride) < 1 or kernel[0] > x.shape[1] or kernel[1] > x.shape[2]:
        raise InputError(
            f"pooling expects images (N, H, W, C) at least as large as the window, and a stride of at least 1; got "
            f"shape {x.shape}, window {kernel}, stride {stride}"
        )
    return kernel, stride


def _taps(shape, kernel, stride):
    """For each position in a window, the index that takes the pixels at that position out of all windows."""
    last = [stride[a] * ((shape[1 + a] - kernel[a]) // stride[a]) + 1 for a in (0, 1)]
    return [
        (slice(None), slice(i, i + last[0], stride[0]), slice(j, j + last[1], stride[1]))
        for i in range(kernel[0])
        for j in range(kernel[1])
    ]


@op
def upsample_nearest(x, scale):
    """Every pixel becomes a block of scale x scale pixels        g_x = the sum of g over the block

    >>> ops.upsample_nearest(Tensor([0.0, 4.0]).reshape(1, 1, 2, 1), 2).data[..., 0].tolist()
    [[[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 4.0]]]
    """
    n, h, w, c = x.shape
    y = xp.broadcast_to(x[:, :, None, :, None, :], (n, h, scale, w, scale, c))
    y = y.reshape(n, h * scale, w * scale, c)

    def vjp(g):
        pixels = [g[:, i::scale, j::scale] for i in range(scale) for j in range(scale)]
        g_x = pixels[0].copy()
        for pixel in pixels[1:]:  # xp.sum over the axes of the blocks takes six times as long
            g_x += pixel
        return g_x

    return y, (vjp,)


@op
def upsample_bilinear(x, scale):
    """Linear interpolation along rows and columns, `scale` (an int) times finer        g_x by its adjoint

    Pixels are little squares: the centre of output pixel i lies at (i + 1/2) / scale - 1/2 in pixels of x. Beyond the
    outermost centres the border pixel is continued. (This is `align_corners=False` of PyTorch.)

    >>> ops.upsample_bilinear(Tensor([0.0, 4.0]).reshape(1, 1, 2, 1), 2).data[..., 0].tolist()
    [[[0.0, 1.0, 3.0, 4.0], [0.0, 1.0, 3.0, 4.0]]]
    """
    y = _stretch(_stretch(channels_first(x), scale, axis=2), scale, axis=3)

    def vjp(g):
        return channels_last(_stretch_adjoint(_stretch_adjoint(channels_first(g), scale, axis=3), scale, axis=2))

    return channels_last(y), (vjp,)


def _phases(scale):
    """Output pixels scale i + r lie between x[i + lower] and x[i + lower + 1], the latter with weight `fraction`."""
    for r in range(scale):
        position = (r + 0.5) / scale - 0.5
        lower = -1 if position < 0 else 0
        yield r, lower, position - lower


def _along(axis, part):
    return (slice(None),) * axis + (part,)


def _stretch(x, scale, axis):
    """Linear interpolation along one axis."""
    n = x.shape[axis]
    continued = xp.concatenate([x[_along(axis, slice(0, 1))], x, x[_along(axis, slice(n - 1, n))]], axis=axis)
    y = xp.empty((*x.shape[:axis], n * scale, *x.shape[axis + 1 :]), x.dtype)
    for r, lower, fraction in _phases(scale):
        below = continued[_along(axis, slice(1 + lower, 1 + lower + n))]
        above = continued[_along(axis, slice(2 + lower, 2 + lower + n))]
        y[_along(axis, slice(r, None, scale))] = (1 - fraction) * below + fraction * above
    return y


def _stretch_adjoint(g, scale, axis):
    """The adjoint of `_stretch`: every value goes back to the two pixels that it came from, with the same weights."""
    n = g.shape[axis] // scale
    continued = xp.zeros((*g.shape[:axis], n + 2, *g.shape[axis + 1 :]), g.dtype)
    for r, lower, fraction in _phases(scale):
        share = g[_along(axis, slice(r, None, scale))]
        continued[_along(axis, slice(1 + lower, 1 + lower + n))] += (1 - fraction) * share
        continued[_along(axis, slice(2 + lower, 2 + lower + n))] += fraction * share
    g_x = continued[_along(axis, slice(1, 1 + n))]
    g_x[_along(axis, slice(0, 1))] += continued[_along(axis, slice(0, 1))]
    g_x[_along(axis, slice(n - 1, n))] += continued[_along(axis, slice(n + 1, n + 2))]
    return g_x


@op
def space_to_depth(x, block):
    """(N, H, W, C) -> (N, H / block, W / block, block block C): each block of pixels becomes the channels of one

    The channel of pixel (i, j) of the block and channel c is (i block + j) C + c. g_x = depth_to_space of g. Raises
    InputError where the block does not divide H and W. Source: Shi and others, Real-time single image and video
    super-resolution, CVPR 2016, arXiv:1609.05158 (the reverse, there "pixel shuffle").

    >>> ops.space_to_depth(Tensor([[[[1.0], [2.0]], [[3.0], [4.0]]]]), 2).data.tolist()
    [[[[1.0, 2.0, 3.0, 4.0]]]]
    """
    if x.shape[1] % block or x.shape[2] % block:
        raise InputError(f"space_to_depth: the image size {x.shape[1:3]} is no multiple of the block {block}")
    return _space_to_depth(x, block), (lambda g: _depth_to_space(g, block),)


@op
def depth_to_space(x, block):
    """(N, H, W, block block C) -> (N, H block, W block, C): the inverse of `space_to_depth`, which is also its VJP

    >>> ops.depth_to_space(Tensor([[[[1.0, 2.0, 3.0, 4.0]]]]), 2).data.tolist()
    [[[[1.0], [2.0]], [[3.0], [4.0]]]]
    """
    if x.shape[3] % (block * block):
        raise InputError(f"depth_to_space: {x.shape[3]} channels do not fill blocks of {block} x {block} pixels")
    return _depth_to_space(x, block), (lambda g: _space_to_depth(g, block),)


def _space_to_depth(x, block):
    n, h, w, c = x.shape
    blocks = x.reshape(n, h // block, block, w // block, block, c).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(n, h // block, w // block, block * block * c)


def _depth_to_space(x, block):
    n, h, w, c = x.shape
    blocks = x.reshape(n, h, w, block, block, c // (block * block)).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(n, h * block, w * block, c // (block * block))

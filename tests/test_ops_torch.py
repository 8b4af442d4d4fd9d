"""Every operation that PyTorch has too, against PyTorch: outputs and gradients, in float64 and float32."""

import numpy as np
import pytest
from gradients import host, output_and_gradients
from hypothesis import given, settings
from hypothesis import strategies as st

from minireg import backend, ops

torch = pytest.importorskip("torch")
F = torch.nn.functional

TOLERANCES = {np.float64: 1e-9, np.float32: 1e-4}


def rearranged(x):
    """A copy whose memory has the order of its axes.

    With the strides of a permuted view, which `contiguous()` keeps where axes have size 1, PyTorch 2.13 in float32
    gives other gradients of a transposed convolution than in float64.
    """
    return x.clone(memory_format=torch.contiguous_format)


def channels_first(x):
    """(N, H, W, C) -> (N, C, H, W)"""
    return rearranged(x.permute(0, 3, 1, 2))


def channels_last(x):
    """(N, C, H, W) -> (N, H, W, C)"""
    x.register_hook(rearranged)
    return x.permute(0, 2, 3, 1)


def on_images(function):
    """A function of PyTorch on (N, C, H, W), as one on (N, H, W, C)."""
    return lambda x, *args: channels_last(function(channels_first(x), *args))


def torch_weight(weight):
    """(kh, kw, in, out) -> (out, in, kh, kw); of a transposed convolution (kh, kw, out, in) -> (in, out, kh, kw)."""
    return rearranged(weight.permute(3, 2, 0, 1))


def compare(ours, theirs, arrays, rng):
    """Outputs and gradients of both, from the same arrays and the same random cotangent."""
    for dtype, tolerance in TOLERANCES.items():
        cast = [array.astype(dtype) for array in arrays]
        shape = output_and_gradients(ours, cast)[0].shape
        cotangent = rng.standard_normal(shape).astype(dtype)
        y, gradients = output_and_gradients(ours, cast, cotangent)

        inputs = [torch.tensor(array, requires_grad=True) for array in cast]
        expected = theirs(*inputs)
        expected.backward(torch.tensor(cotangent))
        assert y.shape == tuple(expected.shape)
        assert y.dtype == dtype
        np.testing.assert_allclose(y, expected.detach().numpy(), rtol=tolerance, atol=tolerance)
        for gradient, leaf in zip(gradients, inputs, strict=True):
            assert gradient.dtype == dtype
            reference = np.zeros(gradient.shape) if leaf.grad is None else leaf.grad.numpy()
            size = max(1.0, float(abs(reference).max(initial=0)))
            np.testing.assert_allclose(gradient, reference, rtol=tolerance, atol=tolerance * size)


def normal(rng, shape):
    return rng.standard_normal(shape)


def positive(rng, shape):
    return rng.uniform(0.3, 2, shape)


ELEMENTWISE = {
    "add": (ops.add, torch.add, [normal, normal]),
    "sub": (ops.sub, torch.sub, [normal, normal]),
    "mul": (ops.mul, torch.mul, [normal, normal]),
    "div": (ops.div, torch.div, [normal, positive]),
    "neg": (ops.neg, torch.neg, [normal]),
    "power": (ops.power, torch.pow, [positive, normal]),
    "cube": (lambda x: x**3, lambda x: x**3, [normal]),
    "exp": (ops.exp, torch.exp, [normal]),
    "log": (ops.log, torch.log, [positive]),
    "sqrt": (ops.sqrt, torch.sqrt, [positive]),
    "abs": (ops.abs, torch.abs, [normal]),
    "maximum": (ops.maximum, torch.maximum, [normal, normal]),
    "minimum": (ops.minimum, torch.minimum, [normal, normal]),
    "clip": (lambda x: ops.clip(x, -0.5, 0.7), lambda x: torch.clip(x, -0.5, 0.7), [normal]),
    "relu": (ops.relu, F.relu, [normal]),
    "leaky_relu": (lambda x: ops.leaky_relu(x, 0.2), lambda x: F.leaky_relu(x, 0.2), [normal]),
    "sigmoid": (ops.sigmoid, torch.sigmoid, [normal]),
    "tanh": (ops.tanh, torch.tanh, [normal]),
}
REDUCTIONS = {
    "sum": (ops.sum, torch.sum),
    "mean": (ops.mean, torch.mean),
    "variance": (ops.variance, lambda x, dim, keepdim: torch.var(x, dim, correction=0, keepdim=keepdim)),
    "max": (ops.max, torch.amax),
    "min": (ops.min, torch.amin),
}
ALONG_AXIS = {"softmax": (ops.softmax, torch.softmax), "log_softmax": (ops.log_softmax, torch.log_softmax)}

quick = settings(max_examples=12, deadline=None, derandomize=True)
drawn = given(data=st.data(), seed=st.integers(0, 2**32 - 1))
sizes = st.integers(1, 4)


def shape_of(data, least=1, most=4):
    return tuple(data.draw(st.lists(sizes, min_size=least, max_size=most)))


@pytest.mark.parametrize("name", ELEMENTWISE)
@quick
@drawn
def test_elementwise_ops_agree(name, data, seed):
    ours, theirs, values = ELEMENTWISE[name]
    rng, shape = np.random.default_rng(seed), shape_of(data)
    stretched = tuple(1 if data.draw(st.booleans()) else size for size in shape)
    arrays = [values[0](rng, shape), *(other(rng, stretched) for other in values[1:])]
    compare(ours, theirs, arrays, rng)


@pytest.mark.parametrize("name", REDUCTIONS)
@quick
@drawn
def test_reductions_agree(name, data, seed):
    ours, theirs = REDUCTIONS[name]
    rng, shape, keepdims = np.random.default_rng(seed), shape_of(data), data.draw(st.booleans())
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True, min_size=1, max_size=len(shape)))
    compare(
        lambda x: ours(x, axis=tuple(axes), keepdims=keepdims),
        lambda x: theirs(x, dim=tuple(axes), keepdim=keepdims),
        [normal(rng, shape)],
        rng,
    )


@pytest.mark.parametrize("name", ALONG_AXIS)
@quick
@drawn
def test_softmax_agrees_along_every_axis(name, data, seed):
    ours, theirs = ALONG_AXIS[name]
    rng, shape = np.random.default_rng(seed), shape_of(data)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    compare(lambda x: ours(x, axis=axis), lambda x: theirs(x, dim=axis), [10 * normal(rng, shape)], rng)


@quick
@drawn
def test_matrix_products_agree(data, seed):
    rng = np.random.default_rng(seed)
    n, k, m = (data.draw(sizes) for _ in range(3))
    batch = shape_of(data, 0, 2)
    left = data.draw(st.sampled_from([(k,), (n, k), (*batch, n, k)]))
    right = data.draw(st.sampled_from([(k,), (k, m), (*batch, k, m)]))
    compare(ops.matmul, torch.matmul, [normal(rng, left), normal(rng, right)], rng)


@quick
@drawn
def test_linear_agrees(data, seed):
    rng = np.random.default_rng(seed)
    c_in, c_out = data.draw(sizes), data.draw(sizes)
    arrays = [normal(rng, (*shape_of(data, 0, 3), c_in)), normal(rng, (c_in, c_out)), normal(rng, c_out)]
    compare(ops.linear, lambda x, weight, bias: F.linear(x, weight.T, bias), arrays, rng)


@settings(max_examples=50, deadline=None, derandomize=True)
@drawn
def test_conv2d_agrees_for_every_stride_padding_and_dilation(data, seed):
    rng = np.random.default_rng(seed)
    pair = lambda low, high: (data.draw(st.integers(low, high)), data.draw(st.integers(low, high)))
    kernel, stride, padding, dilation = pair(1, 3), pair(1, 3), pair(0, 3), pair(1, 3)
    size = [d * (k - 1) + 1 + data.draw(st.integers(0, 4)) for d, k in zip(dilation, kernel, strict=True)]
    n, c_in, c_out = (data.draw(st.integers(1, 3)) for _ in range(3))
    arrays = [normal(rng, (n, *size, c_in)), normal(rng, (*kernel, c_in, c_out)), normal(rng, c_out)]
    compare(
        lambda x, weight, bias: ops.conv2d(x, weight, bias, stride, padding, dilation),
        on_images(lambda x, weight, bias: F.conv2d(x, torch_weight(weight), bias, stride, padding, dilation)),
        arrays,
        rng,
    )


@settings(max_examples=50, deadline=None, derandomize=True)
@drawn
def test_conv_transpose2d_agrees_for_every_stride_padding_and_output_padding(data, seed):
    rng = np.random.default_rng(seed)
    pair = lambda low, high: (data.draw(st.integers(low, high)), data.draw(st.integers(low, high)))
    kernel, stride, dilation = pair(1, 3), pair(1, 3), pair(1, 2)
    extra = tuple(data.draw(st.integers(0, s - 1)) for s in stride)
    padding = tuple(data.draw(st.integers(0, d * (k - 1))) for d, k in zip(dilation, kernel, strict=True))
    n, c_in, c_out = (data.draw(st.integers(1, 3)) for _ in range(3))
    size = [1 + data.draw(st.integers(0, 3)) + 2 * p for p in padding]
    arrays = [normal(rng, (n, *size, c_in)), normal(rng, (*kernel, c_out, c_in)), normal(rng, c_out)]

    def theirs(x, weight, bias):
        return F.conv_transpose2d(x, torch_weight(weight), bias, stride, padding, extra, dilation=dilation)

    compare(
        lambda x, weight, bias: ops.conv_transpose2d(x, weight, bias, stride, padding, extra, dilation),
        on_images(theirs),
        arrays,
        rng,
    )


@pytest.mark.parametrize("ours, theirs", [(ops.max_pool2d, F.max_pool2d), (ops.avg_pool2d, F.avg_pool2d)])
@quick
@drawn
def test_pooling_agrees(ours, theirs, data, seed):
    rng = np.random.default_rng(seed)
    kernel = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    stride = data.draw(st.none() | st.integers(1, 4))
    shape = (2, *(k + data.draw(st.integers(0, 4)) for k in kernel), 2)
    compare(
        lambda x: ours(x, kernel, stride), on_images(lambda x: theirs(x, kernel, stride)), [normal(rng, shape)], rng
    )


@pytest.mark.parametrize(
    "ours, options",
    [
        (ops.upsample_nearest, {"mode": "nearest"}),
        (ops.upsample_bilinear, {"mode": "bilinear", "align_corners": False}),
    ],
)
@quick
@drawn
def test_upsampling_agrees(ours, options, data, seed):
    rng, scale = np.random.default_rng(seed), data.draw(st.integers(1, 4))
    shape = tuple(data.draw(st.lists(sizes, min_size=4, max_size=4)))
    compare(
        lambda x: ours(x, scale),
        on_images(lambda x: F.interpolate(x, scale_factor=scale, **options)),
        [normal(rng, shape)],
        rng,
    )


def swapped_channels(x, block, to_torch):
    """Reorder channels between ours, (i block + j) C + c, and PyTorch's, (c block + i) block + j."""
    order = (block * block, -1) if to_torch else (-1, block * block)
    return x.reshape(*x.shape[:3], *order).transpose(3, 4).reshape(x.shape)


@quick
@drawn
def test_space_to_depth_is_pixel_unshuffle_with_the_channels_in_our_order(data, seed):
    rng, block = np.random.default_rng(seed), data.draw(st.integers(1, 3))
    n, h, w, c = (data.draw(sizes) for _ in range(4))
    unshuffled = on_images(lambda x: F.pixel_unshuffle(x, block))
    compare(
        lambda x: ops.space_to_depth(x, block),
        lambda x: swapped_channels(unshuffled(x), block, to_torch=False),
        [normal(rng, (n, h * block, w * block, c))],
        rng,
    )
    shuffled = on_images(lambda x: F.pixel_shuffle(x, block))
    compare(
        lambda x: ops.depth_to_space(x, block),
        lambda x: shuffled(swapped_channels(x, block, to_torch=True)),
        [normal(rng, (n, h, w, c * block * block))],
        rng,
    )


@pytest.mark.parametrize("training", [True, False])
@quick
@drawn
def test_batch_norm_agrees_and_so_do_its_running_statistics(training, data, seed):
    rng = np.random.default_rng(seed)
    channels, momentum = data.draw(st.integers(1, 3)), data.draw(st.sampled_from([0.1, 0.5]))
    shape = (data.draw(st.integers(2, 4)), data.draw(sizes), data.draw(sizes), channels)
    start = [normal(rng, channels), positive(rng, channels)]
    final = {}

    def ours(x, weight, bias):
        running = [backend.to_device(array.astype(x.dtype)) for array in start]
        y = ops.batch_norm(x, *running, weight, bias, training=training, momentum=momentum)
        final["ours"] = [host(array) for array in running]
        return y

    def theirs(x, weight, bias):
        running = [torch.tensor(array, dtype=x.dtype) for array in start]
        y = F.batch_norm(channels_first(x), *running, weight, bias, training=training, momentum=momentum)
        final["theirs"] = [array.numpy() for array in running]
        return channels_last(y)

    compare(ours, theirs, [3 * normal(rng, shape) + 1, normal(rng, channels), normal(rng, channels)], rng)
    np.testing.assert_allclose(final["ours"], final["theirs"], rtol=1e-4, atol=1e-5)  # float32 came last
    if not training:
        np.testing.assert_allclose(final["ours"], start, rtol=1e-6)


@pytest.mark.parametrize("border, padding_mode", [("zeros", "zeros"), ("edge", "border")])
@settings(max_examples=30, deadline=None, derandomize=True)
@drawn
def test_warp_agrees_with_grid_sample(border, padding_mode, data, seed):
    rng = np.random.default_rng(seed)
    n, c = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 3))
    h, w = data.draw(st.integers(2, 6)), data.draw(st.integers(2, 6))  # PyTorch divides by H - 1 and W - 1
    rows, columns = np.meshgrid(np.arange(h), np.arange(w), indexing="ij")
    own = np.stack([rows, columns], axis=-1)
    target = rng.integers(-2, [h + 2, w + 2], (n, h, w, 2)) + rng.uniform(0.1, 0.9, (n, h, w, 2))

    def theirs(image, displacement):
        points = torch.tensor(own, dtype=image.dtype) + displacement
        scale = torch.tensor([2 / (h - 1), 2 / (w - 1)], dtype=image.dtype)
        grid = (points * scale - 1).flip(-1)  # PyTorch wants (x, y) in [-1, 1]
        return F.grid_sample(image, grid, mode="bilinear", padding_mode=padding_mode, align_corners=True)

    compare(
        lambda image, displacement: ops.warp(image, displacement, border),
        lambda image, displacement: channels_last(theirs(channels_first(image), displacement)),
        [normal(rng, (n, h, w, c)), target - own],
        rng,
    )


@quick
@drawn
def test_shape_ops_agree(data, seed):
    rng, shape = np.random.default_rng(seed), shape_of(data, 2, 4)
    x, other = normal(rng, shape), normal(rng, shape)
    axes = tuple(data.draw(st.permutations(range(len(shape)))))
    axis = data.draw(st.integers(0, len(shape) - 1))
    width = [(data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))) for _ in shape]
    flat_width = [size for pair in reversed(width) for size in pair]  # PyTorch begins with the last axis
    for ours, theirs, arrays in [
        (lambda x: x.transpose(axes), lambda x: x.permute(axes), [x]),
        (lambda x: x.reshape((-1, shape[0])), lambda x: x.reshape(-1, shape[0]), [x]),
        (lambda x: ops.broadcast_to(x, (3, *shape)), lambda x: x.expand(3, *shape), [x]),
        (lambda *xs: ops.concatenate(xs, axis=axis), lambda *xs: torch.cat(xs, dim=axis), [x, other]),
        (lambda *xs: ops.stack(xs, axis=axis), lambda *xs: torch.stack(xs, dim=axis), [x, other]),
        (lambda x: ops.pad(x, width, value=2.5), lambda x: F.pad(x, flat_width, value=2.5), [x]),
        (lambda x: x[..., [0, 0, -1]], lambda x: x[..., [0, 0, -1]], [x]),
        (lambda x: x[::2, None, -1:], lambda x: x[::2, None, -1:], [x]),
    ]:
        compare(ours, theirs, arrays, rng)

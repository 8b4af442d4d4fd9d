"""Convolution and its transpose against a loop over the definition, and the ways in which it is cut into blocks."""

import tracemalloc

import numpy as np
import pytest
from gradients import host, output_and_gradients, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from strict_backend import using

from minireg import backend, ops


def conv2d_reference(x, weight, stride, padding, dilation):
    """y[n, p, d] = sum over k, c of x[n, stride p + dilation k - padding, c] weight[k, c, d], literally."""
    (top, bottom), (left, right) = padding
    height = (x.shape[1] + top + bottom - dilation[0] * (weight.shape[0] - 1) - 1) // stride[0] + 1
    width = (x.shape[2] + left + right - dilation[1] * (weight.shape[1] - 1) - 1) // stride[1] + 1
    y = np.zeros((x.shape[0], height, width, weight.shape[3]))
    for p, q, k, m in np.ndindex(height, width, *weight.shape[:2]):
        row = stride[0] * p + dilation[0] * k - top
        column = stride[1] * q + dilation[1] * m - left
        if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
            y[:, p, q] += x[:, row, column] @ weight[k, m]
    return y


class Setting:
    """A convolution that can be computed, drawn at random; the kernel always fits into the padded image."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        pair = lambda low, high: tuple(int(v) for v in rng.integers(low, high + 1, 2))
        kernel, self.stride, self.dilation = pair(1, 4), pair(1, 5), pair(1, 3)
        self.padding = (pair(0, 5), pair(0, 5))
        reach = [d * (k - 1) + 1 for d, k in zip(self.dilation, kernel, strict=True)]
        size = [max(1, r - sum(p)) + int(rng.integers(0, 5)) for r, p in zip(reach, self.padding, strict=True)]
        n, c_in, c_out = (int(v) for v in rng.integers(1, 4, 3))
        self.x = rng.standard_normal((n, *size, c_in))
        self.weight = rng.standard_normal((*kernel, c_in, c_out))
        self.bias = rng.standard_normal(c_out)
        self.rng = rng

    @property
    def options(self):
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    def conv2d(self, x, weight, bias=None):
        return ops.conv2d(x, weight, bias, **self.options)


random_settings = given(setting=st.integers(0, 2**32 - 1).map(Setting))
many = settings(max_examples=60, deadline=None, derandomize=True)
some = settings(max_examples=25, deadline=None, derandomize=True)


@pytest.fixture
def scratch(monkeypatch):
    """A function that sets how much memory the columns of a convolution may take."""
    return lambda size: monkeypatch.setattr(backend.active(), "scratch_bytes", size)


@many
@random_settings
def test_every_pixel_is_what_the_definition_says(setting):
    y, _ = output_and_gradients(setting.conv2d, [setting.x, setting.weight, setting.bias])
    expected = conv2d_reference(setting.x, setting.weight, **setting.options) + setting.bias
    np.testing.assert_allclose(y, expected, atol=1e-12)


@many
@random_settings
def test_the_gradients_are_adjoint_to_the_convolution_and_to_the_definition(setting):
    # conv(x, w) is linear in x and in w: <g, conv(x', w)> = <g_x, x'> and <g, conv(x, w')> = <g_w, w'> for any x', w'.
    draw = lambda shape: setting.rng.standard_normal(shape)
    arrays = [setting.x, setting.weight, setting.bias]
    y, _ = output_and_gradients(setting.conv2d, arrays)
    g, other_x, other_weight = draw(y.shape), draw(setting.x.shape), draw(setting.weight.shape)
    _, (g_x, g_weight, g_bias) = output_and_gradients(setting.conv2d, arrays, g)
    with_x = conv2d_reference(other_x, setting.weight, **setting.options)
    with_weight = conv2d_reference(setting.x, other_weight, **setting.options)
    np.testing.assert_allclose((g_x * other_x).sum(), (g * with_x).sum(), atol=1e-10)
    np.testing.assert_allclose((g_weight * other_weight).sum(), (g * with_weight).sum(), atol=1e-10)
    np.testing.assert_allclose(g_bias, g.sum(axis=(0, 1, 2)), atol=1e-12)


@many
@random_settings
def test_the_transpose_is_the_gradient_of_the_convolution_with_respect_to_its_image(setting):
    y, _ = output_and_gradients(setting.conv2d, [setting.x, setting.weight])
    g = setting.rng.standard_normal(y.shape)
    _, (g_x, _) = output_and_gradients(setting.conv2d, [setting.x, setting.weight], g)
    # How many pixels of the image the convolution did not need to give its output of this size.
    unused = tuple(
        (setting.x.shape[1 + a] + sum(setting.padding[a]) - setting.dilation[a] * (setting.weight.shape[a] - 1) - 1)
        % setting.stride[a]
        for a in (0, 1)
    )
    transposed = ops.conv_transpose2d(tensor(g), tensor(setting.weight), output_padding=unused, **setting.options)
    np.testing.assert_allclose(host(transposed), g_x, atol=1e-12)


@many
@given(
    size=st.integers(1, 9),
    taps=st.integers(1, 5),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
)
def test_same_padding_follows_tensorflow(size, taps, stride, dilation):
    # tensorflow.org/api_docs/python/tf/nn: the output has ceil(size / stride) pixels, the odd zero goes last.
    x, weight = np.arange(1.0, size + 1).reshape(1, size, 1, 1), np.arange(1.0, taps + 1).reshape(taps, 1, 1, 1)
    y, _ = output_and_gradients(
        lambda x, w: ops.conv2d(x, w, stride=(stride, 1), padding="same", dilation=(dilation, 1)), [x, weight]
    )
    count = -(-size // stride)
    total = max((count - 1) * stride + dilation * (taps - 1) + 1 - size, 0)
    expected = conv2d_reference(x, weight, (stride, 1), ((total // 2, total - total // 2), (0, 0)), (dilation, 1))
    assert y.shape == (1, count, 1, 1)
    np.testing.assert_allclose(y, expected)


def test_same_padding_keeps_the_size_and_puts_the_extra_zero_below_and_right():
    ones = np.ones((1, 3, 3, 1))
    y, _ = output_and_gradients(lambda x, w: ops.conv2d(x, w, padding="same"), [ones, np.ones((2, 2, 1, 1))])
    np.testing.assert_array_equal(y[0, :, :, 0], [[4, 4, 2], [4, 4, 2], [2, 2, 1]])


@some
@random_settings
def test_the_result_does_not_depend_on_how_the_work_is_cut_into_blocks(setting):
    def with_scratch(size):
        active = backend.active()
        before, active.scratch_bytes = active.scratch_bytes, size
        try:
            return output_and_gradients(
                setting.conv2d, arrays, lambda shape: np.cos(np.arange(np.prod(shape))).reshape(shape)
            )
        finally:
            active.scratch_bytes = before

    arrays = [setting.x, setting.weight, setting.bias]
    whole_y, whole_gradients = with_scratch(1 << 30)
    row_bytes = setting.weight[..., 0].nbytes * whole_y.shape[2]
    for size in (1, row_bytes, 2 * row_bytes, row_bytes * whole_y.shape[1], 2 * row_bytes * whole_y.shape[1]):
        y, gradients = with_scratch(size)
        for result, whole in zip([y, *gradients], [whole_y, *whole_gradients], strict=True):
            np.testing.assert_allclose(result, whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [1, 1 << 20])
@pytest.mark.parametrize("padding", [0, (2, 1), ((7, 0), (1, 5))])
def test_the_gradient_of_the_weight_is_the_same_whichever_side_is_cut_into_patches(scratch, padding, size):
    # One channel out of three: g is cut into patches. With three channels of zeros beside it, x is.
    scratch(size)
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((3, 8, 9, 3)), rng.standard_normal((3, 2, 3, 1))
    convolve = lambda x, weight: ops.conv2d(x, weight, padding=padding, dilation=(2, 3))
    y, _ = output_and_gradients(convolve, [x, weight])
    g = rng.standard_normal(y.shape)
    wide_weight, wide_g = (np.concatenate([array, np.zeros((*array.shape[:3], 3))], axis=3) for array in (weight, g))
    _, (_, g_weight) = output_and_gradients(convolve, [x, weight], g)
    _, (_, expected) = output_and_gradients(convolve, [x, wide_weight], wide_g)
    np.testing.assert_allclose(g_weight, expected[..., :1], atol=1e-12)


def test_a_small_scratch_buffer_saves_memory(scratch):
    if backend.active().name == "cupy":
        pytest.skip("tracemalloc does not see the memory of a GPU")
    x, weight = tensor(np.ones((8, 32, 32, 8)), False), tensor(np.ones((3, 3, 8, 1)), False)

    def peak(size):
        scratch(size)
        tracemalloc.start()
        try:
            ops.conv2d(x, weight)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(1 << 16) < peak(1 << 30) / 2


@some
@random_settings
def test_memory_that_is_not_contiguous_is_convolved_alike(setting):
    expected = output_and_gradients(setting.conv2d, [setting.x, setting.weight])

    def of_views(x, weight):
        return setting.conv2d(x.transpose((3, 2, 1, 0))[:, ::-1], weight.transpose((3, 2, 1, 0))[:, :, :, ::-1])

    views = [setting.x[:, ::-1].transpose(3, 2, 1, 0), setting.weight[..., ::-1].transpose(3, 2, 1, 0)]
    y, (g_x, g_weight) = output_and_gradients(of_views, views)
    np.testing.assert_allclose(y, expected[0], atol=1e-12)
    np.testing.assert_allclose(g_x.transpose(3, 2, 1, 0)[:, ::-1], expected[1][0], atol=1e-12)
    np.testing.assert_allclose(g_weight.transpose(3, 2, 1, 0)[..., ::-1], expected[1][1], atol=1e-12)


@pytest.mark.parametrize("c_in, c_out", [(1, 1), (1, 3), (3, 1)])
def test_a_kernel_of_one_tap_is_turned_around_without_strides_that_cupy_refuses(c_in, c_out):
    x, weight = np.ones((2, 3, 4, c_in)), np.full((1, 1, c_in, c_out), 2.0)
    with using("strict"):
        y, (g_x, g_weight) = output_and_gradients(ops.conv2d, [x, weight])
        transposed, _ = output_and_gradients(ops.conv_transpose2d, [y, weight])
    assert (y == 2 * c_in).all() and (g_x == 2 * c_out).all() and (g_weight == 24).all()
    assert (transposed == 4 * c_in * c_out).all()


def test_a_cotangent_that_is_not_contiguous_gives_the_same_gradients():
    setting = Setting(3)
    y, _ = output_and_gradients(setting.conv2d, [setting.x, setting.weight, setting.bias])
    g = np.random.default_rng(0).standard_normal(y.shape)
    _, expected = output_and_gradients(setting.conv2d, [setting.x, setting.weight, setting.bias], g)
    _, gradients = output_and_gradients(
        lambda *arrays: setting.conv2d(*arrays).transpose((3, 2, 1, 0)),
        [setting.x, setting.weight, setting.bias],
        g.transpose(3, 2, 1, 0).copy(),
    )
    for one, other in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_a_stride_larger_than_the_kernel_leaves_pixels_without_a_gradient():
    _, (g_x, _) = output_and_gradients(
        lambda x, w: ops.conv2d(x, w, stride=3), [np.ones((1, 5, 5, 1)), np.ones((1, 1, 1, 1))]
    )
    expected = np.zeros((5, 5))
    expected[::3, ::3] = 1
    np.testing.assert_array_equal(g_x[0, :, :, 0], expected)


def test_padding_beyond_the_reach_of_the_kernel_adds_a_rim_of_zeros():
    x, weight = np.full((1, 2, 2, 1), 3.0), np.full((1, 1, 1, 1), 2.0)
    y, (g_x, g_weight) = output_and_gradients(lambda x, w: ops.conv2d(x, w, padding=2), [x, weight])
    np.testing.assert_array_equal(y[0, :, :, 0], np.pad(np.full((2, 2), 6.0), 2))
    np.testing.assert_array_equal(g_x, np.full((1, 2, 2, 1), 2.0))
    assert g_weight.item() == 12


def test_a_batch_without_images_gives_a_batch_without_images():
    y, (g_x, g_weight) = output_and_gradients(ops.conv2d, [np.ones((0, 4, 4, 2)), np.ones((3, 3, 2, 5))])
    assert y.shape == (0, 2, 2, 5)
    assert g_x.shape == (0, 4, 4, 2)
    np.testing.assert_array_equal(g_weight, np.zeros((3, 3, 2, 5)))


def test_the_bias_does_not_reach_the_array_it_was_added_to():
    x, weight, bias = np.ones((1, 2, 2, 1)), np.ones((1, 1, 1, 1)), np.ones(1)
    inputs = [tensor(array) for array in (x, weight, bias)]
    assert host(ops.conv2d(*inputs)).sum() == 8
    np.testing.assert_array_equal(host(inputs[0]), x)


# Mistakes


def convolve(x=(1, 5, 5, 2), weight=(3, 3, 2, 4), bias=None, function=ops.conv2d, **options):
    bias = None if bias is None else tensor(np.ones(bias))
    return function(tensor(np.ones(x)), tensor(np.ones(weight)), bias, **options)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"x": (5, 5, 2)}, "expects images"),
        ({"weight": (3, 3, 2)}, "expects images"),
        ({"weight": (3, 3, 1, 4)}, "images of 2 channels, but the weight"),
        ({"bias": (2,)}, r"bias of shape \(4,\)"),
        ({"bias": (1, 4)}, r"bias of shape \(4,\)"),
        ({"weight": (6, 1, 2, 4)}, "reaches over"),
        ({"weight": (3, 3, 2, 4), "dilation": 3}, "reaches over"),
        ({"stride": 0}, "at least 1"),
        ({"stride": (1, 2, 3)}, "pair"),
        ({"dilation": 0}, "at least 1"),
        ({"padding": -1}, "at least 0"),
        ({"padding": ((1, -1), (0, 0))}, "at least 0"),
        ({"padding": "valid"}, "expected a padding in numbers or 'same'"),
        ({"stride": 1.5}, "expected an int"),
    ],
)
def test_a_convolution_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        convolve(**options)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"weight": (3, 3, 4, 1)}, "images of 2 channels, but the weight"),
        ({"weight": (3, 3, 4, 2), "bias": (2,)}, r"bias of shape \(4,\)"),
        ({"weight": (3, 3, 4, 2), "padding": "same"}, "takes its padding in numbers"),
        ({"weight": (3, 3, 4, 2), "stride": 2, "output_padding": 2}, "smaller than the stride"),
        ({"weight": (1, 1, 4, 2), "padding": 3}, "cuts off all"),
    ],
)
def test_a_transposed_convolution_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        convolve(function=ops.conv_transpose2d, **options)

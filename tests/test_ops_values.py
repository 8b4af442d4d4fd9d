"""Operations at their kinks, at the ends of the range of numbers, and on arguments that they refuse."""

import numpy as np
import pytest
from gradients import host, output_and_gradients, tensor

from minireg import backend, ops
from minireg.autograd import REGISTRY
from minireg.errors import InputError


def value_and_slope(function, *numbers):
    """What a function makes of numbers, and its derivatives there."""
    y, gradients = output_and_gradients(function, [np.array([float(number)]) for number in numbers])
    return [y.item(), *(gradient.item() for gradient in gradients)]


def test_every_op_says_what_it_computes():
    assert [name for name, function in REGISTRY.items() if not function.__doc__ and not name.startswith("_")] == []


# Kinks


@pytest.mark.parametrize(
    "function, at, expected",
    [
        (ops.relu, [0], [0, 0]),
        (ops.leaky_relu, [0], [0, 0.01]),
        (ops.abs, [0], [0, 0]),
        (ops.maximum, [2, 2], [2, 0.5, 0.5]),
        (ops.maximum, [2, 1], [2, 1, 0]),
        (ops.minimum, [2, 2], [2, 0.5, 0.5]),
        (ops.minimum, [2, 1], [1, 0, 1]),
        (lambda x: ops.clip(x, -1, 2), [2], [2, 1]),
        (lambda x: ops.clip(x, -1, 2), [-1], [-1, 1]),
        (lambda x: ops.clip(x, -1, 2), [2.1], [2, 0]),
        (lambda x: x**0, [0], [1, 0]),
        (lambda x: x**1, [0], [0, 1]),
        (lambda x: x**2, [0], [0, 0]),
        (lambda x: x**-1, [2], [0.5, -0.25]),
        (ops.power, [0, 2], [0, 0, 0]),
        (ops.power, [1, 0], [1, 0, 0]),
    ],
)
def test_the_derivative_at_a_kink_is_the_one_the_docstring_names(function, at, expected):
    assert value_and_slope(function, *at) == expected


@pytest.mark.parametrize("reduce", [ops.max, ops.min])
def test_equal_extrema_share_the_cotangent(reduce):
    y, (gradient,) = output_and_gradients(lambda x: reduce(x, axis=1), [np.array([[1.0, 1.0], [2.0, 2.0]])], [1.0, 3.0])
    np.testing.assert_array_equal(y, [1, 2])
    np.testing.assert_array_equal(gradient, [[0.5, 0.5], [1.5, 1.5]])


def test_equal_pixels_of_a_window_share_the_cotangent():
    _, (gradient,) = output_and_gradients(
        lambda x: ops.max_pool2d(x, 2), [np.zeros((1, 2, 2, 1))], np.full((1, 1, 1, 1), 8.0)
    )
    np.testing.assert_array_equal(gradient, np.full((1, 2, 2, 1), 2.0))


def test_rows_and_columns_that_fill_no_window_get_no_gradient():
    for pool in (ops.max_pool2d, ops.avg_pool2d):
        y, (gradient,) = output_and_gradients(lambda x, pool=pool: pool(x, 2), [np.arange(15.0).reshape(1, 3, 5, 1)])
        assert y.shape == (1, 1, 2, 1)
        assert not gradient[:, 2].any() and not gradient[:, :, 4].any()


# The ends of the range of numbers


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_activation_overflows(dtype):
    x = np.array([[-1e4, -100, 0, 100, 1e4]], dtype)
    for function in (ops.sigmoid, ops.tanh, ops.softmax, ops.log_softmax, ops.relu, ops.leaky_relu):
        y, (gradient,) = output_and_gradients(function, [x])
        assert np.isfinite(y).all() and np.isfinite(gradient).all()
    np.testing.assert_array_equal(output_and_gradients(ops.sigmoid, [x])[0], [[0, 0, 0.5, 1, 1]])


def test_softmax_adds_up_to_one_and_does_not_see_a_shift():
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    for axis in (0, 1, -1):
        y, _ = output_and_gradients(lambda x, axis=axis: ops.softmax(x, axis=axis), [x])
        np.testing.assert_allclose(y.sum(axis=axis), 1)
        shifted, _ = output_and_gradients(lambda x, axis=axis: ops.softmax(x + 1000, axis=axis), [x])
        np.testing.assert_allclose(shifted, y, rtol=1e-9)
        logarithm, _ = output_and_gradients(lambda x, axis=axis: ops.log_softmax(x, axis=axis), [x])
        np.testing.assert_allclose(np.exp(logarithm), y)


def test_variance_in_float32_stands_an_offset_of_a_thousand():
    x = np.random.default_rng(0).random(500).astype(np.float32)
    y, _ = output_and_gradients(ops.variance, [x + np.float32(1000)])
    np.testing.assert_allclose(y, x.astype(float).var(), rtol=1e-3)


# Where elements go


def test_space_to_depth_orders_channels_by_row_column_and_channel():
    x = np.arange(16.0).reshape(1, 2, 4, 2)
    y, _ = output_and_gradients(lambda x: ops.space_to_depth(x, 2), [x])
    np.testing.assert_array_equal(y[0, 0], [[0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]])
    back, _ = output_and_gradients(lambda x: ops.depth_to_space(ops.space_to_depth(x, 2), 2), [x])
    np.testing.assert_array_equal(back, x)


def test_upsampling_repeats_pixels_or_draws_lines_between_their_centres():
    x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    y, _ = output_and_gradients(lambda x: ops.upsample_nearest(x, 2), [x])
    np.testing.assert_array_equal(y[0, 0, :, 0], [0, 0, 4, 4])
    y, _ = output_and_gradients(lambda x: ops.upsample_bilinear(x, 2), [x])
    np.testing.assert_array_equal(y[0, 0, :, 0], [0, 1, 3, 4])


def test_reductions_of_everything_give_an_array_without_axes():
    for reduce in (ops.sum, ops.mean, ops.max, ops.min, ops.variance):
        y = reduce(tensor(np.ones((2, 3), np.float32)))
        assert backend.is_array(y.data)
        assert (y.shape, y.dtype) == ((), np.float32)


@pytest.mark.parametrize("reduce", [ops.mean, ops.variance, ops.max, ops.min])
def test_there_is_no_mean_of_nothing(reduce):
    with pytest.raises(InputError, match="needs at least one element, got shape \\(0, 3\\) over axis 0"):
        reduce(tensor(np.ones((0, 3))), axis=0)
    assert reduce(tensor(np.ones((0, 3))), axis=1).shape == (0,)


@pytest.mark.parametrize(
    "reduce, shape",
    [
        *((reduce, (300, 300)) for reduce in (ops.mean, ops.max, ops.min)),
        *((lambda x, pool=pool: pool(x, 300), (1, 300, 300, 1)) for pool in (ops.avg_pool2d, ops.max_pool2d)),
    ],
)
def test_a_count_beyond_the_range_of_float16_is_still_a_count(reduce, shape):
    y, (gradient,) = output_and_gradients(reduce, [np.ones(shape, np.float16)])
    assert y.item() == 1
    np.testing.assert_allclose(gradient, 1 / 90_000, rtol=0.01)


def test_batch_norm_of_float16_counts_beyond_its_range():
    x = np.tile(np.array([[0.0], [1.0]], np.float16), (40_000, 1))
    running = [backend.to_device(np.ones(1, np.float16)) for _ in range(2)]
    y, (gradient,) = output_and_gradients(lambda x: ops.batch_norm(x, *running, training=True), [x], np.ones_like(x))
    np.testing.assert_allclose(y, 2 * x - 1, rtol=1e-3)
    np.testing.assert_allclose(gradient, 0, atol=1e-3)


def test_warping_by_float16_looks_up_every_pixel_of_a_wide_image():
    image = np.arange(3000, dtype=np.float32).reshape(1, 1, 3000, 1)
    still = backend.to_device(np.zeros((1, 1, 3000, 2), np.float16))
    np.testing.assert_array_equal(host(ops.warp(tensor(image, False), still)), image)


# Batch norm and dropout


def test_batch_norm_in_training_gives_every_channel_mean_zero_and_variance_one():
    x = np.random.default_rng(0).standard_normal((4, 5, 6, 2)) * [3, 0.1] + [10, -2]
    running = [backend.to_device(array) for array in (np.zeros(2), np.ones(2))]
    y = host(ops.batch_norm(tensor(x), *running, training=True, momentum=0.25))
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 1, 2)), 1, rtol=2e-3)  # eps beside a variance of 0.01
    np.testing.assert_allclose(host(running[0]), 0.25 * x.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(host(running[1]), 0.75 + 0.25 * x.var(axis=(0, 1, 2), ddof=1))


def test_batch_norm_of_a_constant_channel_is_finite():
    y, (gradient,) = output_and_gradients(
        lambda x: ops.batch_norm(x, *(backend.to_device(np.ones(1)) for _ in range(2)), training=True),
        [np.ones((4, 1))],
    )
    np.testing.assert_array_equal(y, np.zeros((4, 1)))
    assert np.isfinite(gradient).all()


def test_dropout_keeps_the_mean_drops_the_share_it_should_and_treats_the_cotangent_alike():
    y, (gradient,) = output_and_gradients(lambda x: ops.dropout(x, 0.25, np.random.default_rng(0)), [np.ones(20_000)])
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    np.testing.assert_allclose((y == 0).mean(), 0.25, atol=0.02)
    np.testing.assert_array_equal(gradient, y)


# Mistakes

X = (2, 4, 4, 3)


@pytest.mark.parametrize(
    "mistake, message",
    [
        (lambda x: ops.leaky_relu(x, negative_slope=1.0), "negative_slope must be in"),
        (lambda x: ops.dropout(x, 1.0, None), "probability p must be in"),
        (lambda x: ops.max_pool2d(x, 5), "at least as large as the window"),
        (lambda x: ops.avg_pool2d(x, 2, stride=0), "stride of at least 1"),
        (lambda x: ops.max_pool2d(x[0], 2), "expects images"),
        (lambda x: ops.space_to_depth(x, 3), "no multiple of the block 3"),
        (lambda x: ops.depth_to_space(x, 2), "3 channels do not fill"),
        (
            lambda x: ops.batch_norm(x[:1, :1, :1], *(backend.to_device(np.ones(3)) for _ in range(2)), training=True),
            "at least 2 values",
        ),
    ],
)
def test_arguments_that_make_no_sense_are_refused(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake(tensor(np.ones(X)))

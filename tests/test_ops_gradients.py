"""Every operation in the registry against central differences, in float32, and on a backend as strict as CuPy.

`CASES` has at least one entry for every op. A case draws shapes and options with hypothesis, and values from a
generator; it returns a function of Tensors and the arrays to call it with. The values stay away from kinks, where a
central difference and a derivative have no reason to agree; the kinks have tests of their own in test_ops_values.py
and test_warp.py.
"""

import operator

import numpy as np
import pytest
from gradients import WrongGradient, check_vjps, host, output_and_gradients, tensor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strict_backend import using

from minireg import backend, ops
from minireg.autograd import REGISTRY, op
from minireg.backend import xp

shapes = st.lists(st.integers(1, 4), min_size=0, max_size=4).map(tuple)
positive_dims = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)
BORDERS = st.sampled_from(["zeros", "edge"])


# Values away from kinks


def distinct(rng, shape, start=0.0):
    """Values that all differ by at least 0.2, in random order, about half of them negative."""
    size = int(np.prod(shape))
    return (rng.permutation(size).reshape(shape) - size // 2) * 0.2 + start


def away_from_zero(rng, shape):
    return rng.choice([-1, 1], shape) * rng.uniform(0.3, 2, shape)


def positive(rng, shape):
    return rng.uniform(0.3, 2, shape)


def between_pixels(rng, image_shape, size):
    """A displacement that leads every pixel of `size` between two pixels in or around the image, and near none."""
    batch = image_shape[0]
    target = np.stack([rng.integers(-2, image_shape[1 + axis] + 1, (batch, *size)) for axis in (0, 1)], axis=-1)
    own = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1)
    return target + rng.uniform(0.1, 0.9, target.shape) - own


# Case factories


def elementwise(function, values):
    def case(draw, rng):
        return function, [values(rng, draw(shapes))]

    return case


def broadcasting(function, left=away_from_zero, right=away_from_zero):
    """Two arrays of which axes of size 1, and leading axes, are stretched."""

    def case(draw, rng):
        shape = draw(positive_dims)
        one = [1 if draw(st.booleans()) else size for size in shape]
        other = [1 if draw(st.booleans()) else size for size in shape]
        one, other = one[draw(st.integers(0, len(one))) :], other[draw(st.integers(0, len(other))) :]
        return function, [left(rng, one), right(rng, other)]

    return case


def drawn_axis(draw, ndim):
    if draw(st.booleans()):
        return None
    axes = draw(st.lists(st.integers(0, ndim - 1), unique=True, min_size=1, max_size=ndim))
    axes = [axis - ndim if draw(st.booleans()) else axis for axis in axes]
    return axes[0] if len(axes) == 1 else tuple(axes)


def reducing(function, values=away_from_zero):
    def case(draw, rng):
        shape = draw(positive_dims)
        axis, keepdims = drawn_axis(draw, len(shape)), draw(st.booleans())
        return (lambda x: function(x, axis=axis, keepdims=keepdims)), [values(rng, shape)]

    return case


def along_axis(function):
    def case(draw, rng):
        shape = draw(positive_dims)
        axis = draw(st.integers(-len(shape), len(shape) - 1))
        return (lambda x: function(x, axis=axis)), [away_from_zero(rng, shape)]

    return case


def power_of_a_number(draw, rng):
    exponent = draw(st.sampled_from([-2, -1, 0, 1, 2, 3, 0.5, 2.5]))
    values = positive if exponent % 1 else away_from_zero
    return (lambda x: x**exponent), [values(rng, draw(shapes))]


def number_to_a_power(draw, rng):
    return (lambda exponent: 1.7**exponent), [away_from_zero(rng, draw(shapes))]


def clipping(draw, rng):
    return (lambda x: ops.clip(x, -0.6, 0.8)), [distinct(rng, draw(shapes), start=0.1)]


def leaky(draw, rng):
    slope = draw(st.sampled_from([0.0, 0.01, 0.2]))
    return (lambda x: ops.leaky_relu(x, negative_slope=slope)), [away_from_zero(rng, draw(shapes))]


def matrix_product(draw, rng):
    n, k, m = (draw(st.integers(1, 4)) for _ in range(3))
    batch = draw(shapes.filter(lambda shape: len(shape) <= 2))
    left = draw(st.sampled_from([(k,), (n, k), (*batch, n, k), (*(1 for _ in batch), n, k)]))
    right = draw(st.sampled_from([(k,), (k, m), (*batch, k, m), (*batch[1:], k, m)]))
    return operator.matmul, [away_from_zero(rng, left), away_from_zero(rng, right)]


def linear_layer(draw, rng):
    c_in, c_out = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    arrays = [(*draw(shapes.filter(lambda shape: len(shape) <= 3)), c_in), (c_in, c_out), (c_out,)]
    arrays = arrays[: draw(st.integers(2, 3))]
    return ops.linear, [away_from_zero(rng, shape) for shape in arrays]


def drawn_pair(draw, low, high):
    """An int, or one for rows and one for columns."""
    one = st.integers(low, high)
    return draw(one | st.tuples(one, one))


def drawn_kernel(draw):
    return draw(st.integers(1, 3)), draw(st.integers(1, 3))


def as_pair(value):
    return (value, value) if isinstance(value, int) else value


def convolution(draw, rng):
    kernel, dilation = drawn_kernel(draw), drawn_pair(draw, 1, 2)
    stride = drawn_pair(draw, 1, 4)
    padding = draw(st.sampled_from(["same", 0, 1, (2, 0), (0, 4), ((1, 0), (0, 2))]))
    reach = [d * (k - 1) + 1 for d, k in zip(as_pair(dilation), kernel, strict=True)]
    size = [r + draw(st.integers(0, 3)) for r in reach]
    n, c_in, c_out = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    arrays = [(n, *size, c_in), (*kernel, c_in, c_out), (c_out,)][: draw(st.integers(2, 3))]

    def function(x, weight, bias=None):
        return ops.conv2d(x, weight, bias, stride=stride, padding=padding, dilation=dilation)

    return function, [away_from_zero(rng, shape) for shape in arrays]


def transposed_convolution(draw, rng):
    kernel, dilation, stride = (draw(st.integers(2, 3)), draw(st.integers(2, 3))), draw(st.integers(1, 2)), (2, 3)
    padding = draw(st.sampled_from([0, 1, (1, 0), ((1, 0), (0, 1))]))
    output_padding = draw(st.sampled_from([0, 1, (0, 2), (1, 2)]))
    n, h, w, c_in, c_out = (draw(st.integers(1, 3)) for _ in range(5))
    arrays = [(n, h + 1, w + 1, c_in), (*kernel, c_out, c_in), (c_out,)][: draw(st.integers(2, 3))]

    def function(x, weight, bias=None):
        return ops.conv_transpose2d(x, weight, bias, stride, padding, output_padding, dilation)

    return function, [away_from_zero(rng, shape) for shape in arrays]


def pooling(function):
    def case(draw, rng):
        kernel = drawn_kernel(draw)
        stride = draw(st.none() | st.integers(1, 4) | st.tuples(st.integers(1, 3), st.integers(1, 3)))
        size = [k + draw(st.integers(0, 4)) for k in kernel]
        shape = (draw(st.integers(1, 2)), *size, draw(st.integers(1, 2)))
        return (lambda x: function(x, kernel, stride)), [distinct(rng, shape)]

    return case


def resampling(function):
    def case(draw, rng):
        scale = draw(st.integers(1, 4))
        return (lambda x: function(x, scale)), [away_from_zero(rng, [draw(st.integers(1, 3)) for _ in range(4)])]

    return case


def rearranging(function, factor):
    def case(draw, rng):
        block = draw(st.integers(1, 3))
        n, h, w, c = (draw(st.integers(1, 2)) for _ in range(4))
        return (lambda x: function(x, block)), [away_from_zero(rng, factor(n, h, w, c, block))]

    return case


def normalisation(training):
    def case(draw, rng):
        channels = draw(st.integers(1, 3))
        shape = (*draw(st.lists(st.integers(2, 4), min_size=1, max_size=3)), channels)
        mean, var = rng.standard_normal(channels), positive(rng, channels)
        arrays = [away_from_zero(rng, shape), away_from_zero(rng, channels), rng.standard_normal(channels)]

        def function(x, weight=None, bias=None):
            running_mean, running_var = (backend.to_device(array.astype(x.dtype)) for array in (mean, var))
            return ops.batch_norm(x, running_mean, running_var, weight, bias, training=training)

        return function, arrays[: draw(st.integers(1, 3))]

    return case


def dropping(draw, rng):
    seed, p, training = draw(st.integers(0, 99)), draw(st.sampled_from([0, 0.3, 0.8])), draw(st.booleans())
    return (lambda x: ops.dropout(x, p, np.random.default_rng(seed), training)), [away_from_zero(rng, draw(shapes))]


def warping(draw, rng):
    n, h, w, channels = (draw(st.integers(1, high)) for high in (2, 4, 4, 3))
    size = draw(st.sampled_from([(h, w), (3, 2)]))
    border = draw(BORDERS)
    image = away_from_zero(rng, (n, h, w, channels))
    return (lambda image, u: ops.warp(image, u, border)), [image, between_pixels(rng, image.shape, size)]


def reshaping(draw, rng):
    shape = draw(positive_dims)
    new = draw(st.permutations([*shape, 1]))
    return (lambda x: x.reshape(tuple(new))), [away_from_zero(rng, shape)]


def transposing(draw, rng):
    shape = draw(positive_dims)
    axes = draw(st.none() | st.permutations(range(len(shape))))
    axes = axes and tuple(axis - len(shape) if draw(st.booleans()) else axis for axis in axes)
    return (lambda x: x.transpose(axes)), [away_from_zero(rng, shape)]


def repeating(draw, rng):
    shape = draw(positive_dims)
    small = [1 if draw(st.booleans()) else size for size in shape][draw(st.integers(0, len(shape))) :]
    return (lambda x: ops.broadcast_to(x, shape)), [away_from_zero(rng, small)]


def joining(draw, rng):
    shape = draw(positive_dims)
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        part = list(shape)
        part[axis] = draw(st.integers(1, 3))
        parts.append(away_from_zero(rng, part))
    return (lambda *tensors: ops.concatenate(tensors, axis=axis)), parts


def stacking(draw, rng):
    shape = draw(shapes)
    axis = draw(st.integers(-len(shape) - 1, len(shape)))
    parts = [away_from_zero(rng, shape) for _ in range(draw(st.integers(1, 3)))]
    return (lambda *tensors: ops.stack(tensors, axis=axis)), parts


def padding(draw, rng):
    shape = draw(positive_dims)
    width = [(draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in shape]
    return (lambda x: ops.pad(x, width, value=1.5)), [away_from_zero(rng, shape)]


INDICES = [
    lambda: 1,
    lambda: -1,
    lambda: slice(None, None, -2),
    lambda: (slice(1, None), None, 0),
    lambda: (..., slice(0, 2)),
    lambda: [0, 2, 0, 0],
    lambda: ([0, 2, 2], [1, -1, -1]),
    lambda: (slice(None), backend.to_device(np.array([[1, 1], [0, 3]]))),
    lambda: backend.to_device(np.array([True, False, True])),
    lambda: backend.to_device(np.arange(12).reshape(3, 4) % 3 == 0),
]


def indexing(draw, rng):
    index = draw(st.sampled_from(INDICES))
    return (lambda x: x[index()]), [away_from_zero(rng, (3, 4))]


def similarity(draw, rng):
    shape = (draw(st.integers(1, 3)), *(draw(st.integers(2, 4)) for _ in range(2)), draw(st.integers(1, 2)))
    offset = draw(st.sampled_from([0, 5]))
    return ops.ncc, [rng.standard_normal(shape) + offset, rng.standard_normal(shape) - offset]


CASES = {
    "add": [broadcasting(operator.add), elementwise(lambda x: 3 + x, away_from_zero)],
    "sub": [broadcasting(operator.sub), elementwise(lambda x: 3 - x, away_from_zero)],
    "mul": [broadcasting(operator.mul), elementwise(lambda x: 3 * x, away_from_zero)],
    "div": [broadcasting(operator.truediv), elementwise(lambda x: 3 / x, away_from_zero)],
    "neg": [elementwise(operator.neg, away_from_zero)],
    "power": [broadcasting(operator.pow, left=positive), power_of_a_number, number_to_a_power],
    "exp": [elementwise(ops.exp, away_from_zero)],
    "log": [elementwise(ops.log, positive)],
    "sqrt": [elementwise(ops.sqrt, positive)],
    "abs": [elementwise(ops.abs, away_from_zero)],
    "maximum": [
        broadcasting(ops.maximum, distinct, lambda rng, shape: distinct(rng, shape, start=0.1)),
        elementwise(lambda x: ops.maximum(x, 0.1), distinct),
        elementwise(lambda x: ops.maximum(0.1, x), distinct),
    ],
    "minimum": [
        broadcasting(ops.minimum, distinct, lambda rng, shape: distinct(rng, shape, start=0.1)),
        elementwise(lambda x: ops.minimum(x, 0.1), distinct),
        elementwise(lambda x: ops.minimum(0.1, x), distinct),
    ],
    "clip": [clipping],
    "relu": [elementwise(ops.relu, away_from_zero)],
    "leaky_relu": [leaky],
    "sigmoid": [elementwise(ops.sigmoid, away_from_zero)],
    "tanh": [elementwise(ops.tanh, away_from_zero)],
    "softmax": [along_axis(ops.softmax)],
    "log_softmax": [along_axis(ops.log_softmax)],
    "matmul": [matrix_product],
    "linear": [linear_layer],
    "conv2d": [convolution],
    "conv_transpose2d": [transposed_convolution],
    "max_pool2d": [pooling(ops.max_pool2d)],
    "avg_pool2d": [pooling(ops.avg_pool2d)],
    "upsample_nearest": [resampling(ops.upsample_nearest)],
    "upsample_bilinear": [resampling(ops.upsample_bilinear)],
    "space_to_depth": [rearranging(ops.space_to_depth, lambda n, h, w, c, b: (n, h * b, w * b, c))],
    "depth_to_space": [rearranging(ops.depth_to_space, lambda n, h, w, c, b: (n, h, w, c * b * b))],
    "batch_norm": [normalisation(training=True), normalisation(training=False)],
    "dropout": [dropping],
    "sum": [reducing(ops.sum)],
    "mean": [reducing(ops.mean)],
    "variance": [reducing(ops.variance)],
    "max": [reducing(ops.max, distinct)],
    "min": [reducing(ops.min, distinct)],
    "warp": [warping],
    "reshape": [reshaping],
    "transpose": [transposing],
    "broadcast_to": [repeating],
    "_concatenate": [joining],
    "_stack": [stacking],
    "pad": [padding],
    "getitem": [indexing],
    "ncc": [similarity],
}

each_case = pytest.mark.parametrize(
    "name, case",
    [pytest.param(name, case, id=f"{name}-{i}") for name, cases in CASES.items() for i, case in enumerate(cases)],
)


def drawn(max_examples):
    """Let hypothesis draw the case, the same examples in every run."""

    def decorate(test):
        quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much]
        test = settings(max_examples=max_examples, deadline=None, derandomize=True, suppress_health_check=quiet)(test)
        return given(data=st.data(), seed=st.integers(0, 2**32 - 1))(test)

    return decorate


def draw_case(case, data, seed):
    """The function, the arrays, and the generator for the rest."""
    rng = np.random.default_rng(seed)
    return *case(data.draw, rng), rng


# The tests


def test_every_op_in_the_registry_has_a_case():
    # Other test files may register ops of their own; those of the package are what counts.
    of_the_package = {name for name, function in REGISTRY.items() if function.__module__.startswith("minireg.")}
    assert sorted(of_the_package - set(CASES)) == [], "ops without a gradient check"
    assert sorted(set(CASES) - of_the_package) == [], "cases without an op"


@each_case
@drawn(max_examples=20)
def test_every_vjp_agrees_with_central_differences(name, case, data, seed):
    function, arrays, rng = draw_case(case, data, seed)
    check_vjps(function, *arrays, rng=rng)


@each_case
@drawn(max_examples=5)
def test_every_vjp_agrees_with_central_differences_on_a_backend_as_strict_as_cupy(name, case, data, seed):
    with using("strict"):
        function, arrays, rng = draw_case(case, data, seed)
        check_vjps(function, *arrays, rng=rng)


@pytest.mark.parametrize("library", ["chosen", "strict"])
@each_case
@drawn(max_examples=8)
def test_every_op_computes_float32_from_float32_forward_and_backward(library, name, case, data, seed):
    with using(None if library == "chosen" else library):
        function, arrays, rng = draw_case(case, data, seed)
        cotangent = rng.standard_normal(output_and_gradients(function, arrays)[0].shape)
        exact_y, exact_gradients = output_and_gradients(function, arrays, cotangent)
        y, gradients = output_and_gradients(function, [a.astype(np.float32) for a in arrays], cotangent)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, exact_y, rtol=1e-3, atol=1e-3)
        for array, gradient, exact in zip(arrays, gradients, exact_gradients, strict=True):
            assert gradient.dtype == np.float32
            assert gradient.shape == array.shape
            np.testing.assert_allclose(gradient, exact, rtol=1e-2, atol=1e-2)


@each_case
@drawn(max_examples=3)
def test_no_op_changes_its_arguments(name, case, data, seed):
    function, arrays, _ = draw_case(case, data, seed)
    inputs = [tensor(array) for array in arrays]
    y = function(*inputs)
    y.backward(xp.ones(y.shape, y.dtype))
    for array, x in zip(arrays, inputs, strict=True):
        np.testing.assert_array_equal(host(x), array)


# The checker itself: it must reject what is wrong, and accept what is right


@pytest.fixture
def unregistered():
    """Ops that a test defines leave the registry when it ends."""
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


def mean_over_columns(x):
    return xp.mean(x, axis=0)


def correlate_rows(x, kernel):
    """y[p] = sum_k x[p + k] kernel[k] along the first axis, for three taps."""
    n = x.shape[0] - 2
    return x[:n] * kernel[0] + x[1 : n + 1] * kernel[1] + x[2 : n + 2] * kernel[2]


def correlate_rows_vjp(g, kernel):
    g_x = xp.zeros((g.shape[0] + 2, *g.shape[1:]), g.dtype)
    for k in range(3):
        g_x[k : k + g.shape[0]] += g * kernel[k]
    return g_x


KERNEL = (0.5, 2.0, -1.0)

RIGHT = {
    "square": lambda x: (x * x, (lambda g: 2 * x * g,)),
    "transpose of a square matrix": lambda x: (xp.transpose(x), (lambda g: xp.transpose(g),)),
    "correlation": lambda x: (correlate_rows(x, KERNEL), (lambda g: correlate_rows_vjp(g, KERNEL),)),
    "mean over an axis": lambda x: (mean_over_columns(x), (lambda g: xp.broadcast_to(g / x.shape[0], x.shape),)),
}
WRONG = {
    "the sign": lambda x: (x * x, (lambda g: -2 * x * g,)),
    "a factor of two": lambda x: (x * x, (lambda g: x * g,)),
    "a relative error of 1e-4": lambda x: (x * x, (lambda g: 2.0002 * x * g,)),
    "a reshape in place of a transpose": lambda x: (xp.transpose(x), (lambda g: g.reshape(x.shape),)),
    "a flipped kernel": lambda x: (correlate_rows(x, KERNEL), (lambda g: correlate_rows_vjp(g, KERNEL[::-1]),)),
    "a flipped cotangent": lambda x: (correlate_rows(x, KERNEL), (lambda g: correlate_rows_vjp(g[::-1], KERNEL),)),
    "a missing term": lambda x: (x * xp.exp(x), (lambda g: g * xp.exp(x),)),
    "the cotangent of a sum for a mean": lambda x: (mean_over_columns(x), (lambda g: xp.broadcast_to(g, x.shape),)),
    "a mean of what is to be summed": lambda x: (
        xp.broadcast_to(x[:1], x.shape) * 1.0,
        (lambda g: xp.broadcast_to(xp.mean(g, axis=0), x.shape) * _first_row(x),),
    ),
    "one copy of what was repeated": lambda x: (
        xp.broadcast_to(x[:1], x.shape) * 1.0,
        (lambda g: g * _first_row(x),),
    ),
    "zeros, as for ones through a softmax": lambda x: (
        xp.exp(x) / xp.sum(xp.exp(x), axis=-1, keepdims=True),
        (lambda g: xp.zeros_like(x),),
    ),
    "the right answer for a cotangent of ones": lambda x: (x * x, (lambda g: 2 * x * xp.mean(g),)),
}


def _first_row(x):
    mask = xp.zeros_like(x)
    mask[0] = 1
    return mask


def as_op(function):
    function.__name__ = "an op of this test"
    return op(function)


def random_matrix():
    return np.random.default_rng(0).uniform(0.5, 2, (4, 4))


@pytest.mark.usefixtures("unregistered")
@pytest.mark.parametrize("mistake", WRONG)
def test_the_checker_rejects(mistake):
    with pytest.raises(WrongGradient, match="an op of this test"):
        check_vjps(as_op(WRONG[mistake]), random_matrix(), rng=np.random.default_rng(1))


@pytest.mark.usefixtures("unregistered")
@pytest.mark.parametrize("function", RIGHT)
def test_the_checker_accepts_the_right_vjp_of(function):
    check_vjps(as_op(RIGHT[function]), random_matrix(), rng=np.random.default_rng(1))


@pytest.mark.usefixtures("unregistered")
def test_the_checker_rejects_a_wrong_vjp_of_the_second_argument_only():
    swapped = as_op(lambda x, other: (x - other, (lambda g: g, lambda g: g)))
    with pytest.raises(WrongGradient, match=r"\(1,\)"):
        check_vjps(swapped, random_matrix(), random_matrix(), rng=np.random.default_rng(1))


def test_a_cotangent_of_ones_would_have_accepted_some_of_these_mistakes():
    x = random_matrix()
    for mistake in ("a reshape in place of a transpose", "the right answer for a cotangent of ones"):
        _, (vjp,) = WRONG[mistake](backend.to_device(x))
        wrong = host(vjp(backend.to_device(np.ones((4, 4)))))
        right = np.ones((4, 4)) if "transpose" in mistake else 2 * x
        np.testing.assert_allclose(wrong, right)

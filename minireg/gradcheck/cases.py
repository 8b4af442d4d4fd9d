"""How to call every op for a gradient check: random shapes and options, and values that stay away from kinks.

    @case("scale_rows", linear=(0, 1))
    def _(choose, rng):
        n, m = choose.integers(1, 4), choose.integers(1, 4)
        return scale_rows, [normal(rng, (n, m)), normal(rng, (n, 1))]

A case is a function `(choose, rng) -> (fn, arrays)`. What has a structure (sizes, axes, strides, paddings) it asks of
`choose`; numbers come from the generator `rng`. `fn` takes one Tensor per array and calls the op; its parameters bear
the names of the op's arguments. `choose` is a `Chooser` (`choosing.py`), driven by a generator, or in the tests by
hypothesis, which then makes a failing case as small as it can.

At a kink (relu at 0, the maximum of two equal numbers, a warp at a whole number of pixels) a central difference is the
mean of two slopes and proves nothing; what the VJP returns there is in the op's docstring and has tests of its own.
Every other value keeps a distance from the nearest kink that is far more than the smallest step.
"""

import numpy as np

from minireg import backend, ops
from minireg.gradcheck.choosing import Case
from minireg.gradcheck.drawing import (
    LONG,
    away_from_zero,
    between_pixels,
    distinct,
    distinct_and_huge,
    drawn_axis,
    drawn_batch,
    drawn_order,
    drawn_pair,
    drawn_shape,
    far_apart,
    far_from_zero,
    normal,
    of_any_size,
    positive,
    saturating,
)

CASES = {}


def register_case(op_name, draw, linear=()):
    """Add a case for the op of this name; an op may have several.

    Parameters
    ----------
    op_name : str, as in `minireg.autograd.REGISTRY`
    draw : function (choose, rng) -> (fn, arrays); see the top of this file
    linear : ints, the arguments in which fn is linear or affine: they also pass the exact adjoint test
    """
    CASES.setdefault(op_name, []).append(Case(draw, tuple(linear)))


def case(op_name, linear=()):
    """`register_case` as a decorator."""

    def decorate(draw):
        register_case(op_name, draw, linear)
        return draw

    return decorate


def _as_pair(value):
    return (value, value) if isinstance(value, int) else value


# Element by element


ANY = (away_from_zero, of_any_size)
DISTINCT = (distinct, distinct_and_huge)


def elementwise(fn, values=ANY):
    """The case of an op on one array of any shape, with one of several kinds of values."""
    return lambda choose, rng: (fn, [choose.sampled_from(values)(rng, drawn_shape(choose, rare=(0, LONG)))])


def broadcasting(fn, left=ANY, right=ANY):
    """Two arrays of which axes of size 1, and leading axes, are stretched."""

    def draw(choose, rng):
        shape = drawn_shape(choose, 1)
        one, other = ([1 if choose.booleans() else size for size in shape] for _ in range(2))
        one, other = (part[choose.integers(0, len(shape)) :] for part in (one, other))
        return fn, [choose.sampled_from(left)(rng, one), choose.sampled_from(right)(rng, other)]

    return draw


def _distinct_from_those(rng, shape):
    return distinct(rng, shape, start=0.1)


register_case("add", broadcasting(ops.add), linear=(0, 1))
register_case("add", elementwise(lambda other: 3 + other), linear=(0,))
register_case("sub", broadcasting(ops.sub), linear=(0, 1))
register_case("sub", elementwise(lambda other: 3 - other), linear=(0,))
register_case("mul", broadcasting(ops.mul), linear=(0, 1))
register_case("mul", elementwise(lambda other: 3 * other), linear=(0,))
register_case("div", broadcasting(ops.div), linear=(0,))
register_case("div", elementwise(lambda other: 3 / other))
register_case("neg", elementwise(ops.neg), linear=(0,))
register_case("power", broadcasting(ops.power, left=[positive], right=[away_from_zero]))
register_case("power", elementwise(lambda exponent: 1.7**exponent, [away_from_zero]))
register_case("exp", elementwise(ops.exp, [away_from_zero, saturating]))
register_case("log", elementwise(ops.log, [positive, far_apart]))
register_case("sqrt", elementwise(ops.sqrt, [positive, far_apart]))
register_case("abs", elementwise(ops.abs))
for _name, _fn in (("maximum", ops.maximum), ("minimum", ops.minimum)):
    register_case(_name, broadcasting(_fn, DISTINCT, [_distinct_from_those]))
    register_case(_name, elementwise(lambda x, fn=_fn: fn(x, 0.1), DISTINCT))
    register_case(_name, elementwise(lambda other, fn=_fn: fn(0.1, other), DISTINCT))
register_case("relu", elementwise(ops.relu))
register_case("sigmoid", elementwise(ops.sigmoid, [away_from_zero, saturating]))
register_case("tanh", elementwise(ops.tanh, [away_from_zero, saturating]))


@case("clip")
def _clip(choose, rng):
    low, high = choose.sampled_from([(-0.6, 0.8), (0.4, 2.6)])
    return (lambda x: ops.clip(x, low, high)), [_distinct_from_those(rng, drawn_shape(choose))]


@case("power")
def _power_of_a_number(choose, rng):
    exponent = choose.sampled_from([-2, -1, 0, 1, 2, 3, 4, 0.5, 2.5])
    values = choose.sampled_from([positive, far_apart] if exponent % 1 else ANY)
    return (lambda x: x**exponent), [values(rng, drawn_shape(choose))]


@case("leaky_relu")
def _leaky_relu(choose, rng):
    slope = choose.sampled_from([0.0, 0.01, 0.2, 0.9])
    return elementwise(lambda x: ops.leaky_relu(x, negative_slope=slope))(choose, rng)


@case("dropout", linear=(0,))
def _dropout(choose, rng):
    seed, p, training = int(rng.integers(100)), choose.sampled_from([0, 0.3, 0.5, 0.8]), choose.booleans()
    return elementwise(lambda x: ops.dropout(x, p, np.random.default_rng(seed), training))(choose, rng)


# Along axes


def reducing(fn, values=ANY):
    """The case of a reduction over no axis, one, several or all, with and without keepdims."""

    def draw(choose, rng):
        # Nothing has no mean and no largest element.
        shape = drawn_shape(choose, rare=(0, LONG) if fn is ops.sum else (LONG,))
        axis, keepdims = drawn_axis(choose, len(shape)), choose.booleans()
        return (lambda x: fn(x, axis=axis, keepdims=keepdims)), [choose.sampled_from(values)(rng, shape)]

    return draw


def along_axis(fn):
    """The case of an op along one axis, counted from either end."""

    def draw(choose, rng):
        shape = list(drawn_shape(choose, 1, rare=()))
        axis = choose.sampled_from(range(-len(shape), len(shape)))
        shape[axis] = choose.sampled_from([1, 2, 4, 7, 40])
        return (lambda x: fn(x, axis=axis)), [choose.sampled_from([away_from_zero, saturating])(rng, shape)]

    return draw


register_case("sum", reducing(ops.sum), linear=(0,))
register_case("mean", reducing(ops.mean), linear=(0,))
register_case("variance", reducing(ops.variance, [away_from_zero, far_from_zero]))
register_case("max", reducing(ops.max, DISTINCT))
register_case("min", reducing(ops.min, DISTINCT))
register_case("softmax", along_axis(ops.softmax))
register_case("log_softmax", along_axis(ops.log_softmax))


def normalising(training):
    """The case of batch_norm in one of its modes, with and without weight and bias."""

    def draw(choose, rng):
        channels = choose.integers(1, 4)
        shape = (*(choose.integers(2, 4) for _ in range(choose.integers(1, 3))), channels)
        mean, var = normal(rng, (channels,)), positive(rng, (channels,))
        x = away_from_zero(rng, shape) * choose.sampled_from([1, 0.02]) + choose.sampled_from([0, 3])
        options = {"eps": choose.sampled_from([1e-5, 1e-3, 0.1]), "momentum": choose.sampled_from([0.1, 0.01])}
        # Of two processes that have the same batch; then the sums are twice as large, and the means as they were.
        options["all_reduce"] = choose.sampled_from([None, lambda sums: 2 * sums])

        def batch_norm(x, weight, bias):
            running_mean, running_var = (backend.to_device(array.astype(x.dtype)) for array in (mean, var))
            return ops.batch_norm(x, running_mean, running_var, weight, bias, training=training, **options)

        weight, bias = away_from_zero(rng, (channels,)), normal(rng, (channels,))
        forms = {
            "both": (batch_norm, [x, weight, bias]),
            "weight": (lambda x, weight: batch_norm(x, weight, None), [x, weight]),
            "bias": (lambda x, bias: batch_norm(x, None, bias), [x, bias]),
            "neither": (lambda x: batch_norm(x, None, None), [x]),
        }
        return forms[choose.sampled_from(list(forms))]

    return draw


register_case("batch_norm", normalising(training=True), linear=(1, 2))
register_case("batch_norm", normalising(training=False), linear=(0, 1, 2))


@case("ncc")
def _ncc(choose, rng):
    n, *size = drawn_batch(choose), *(choose.integers(2, 4) for _ in range(2)), choose.integers(1, 3)
    offset, brightness = choose.sampled_from([0, 5]), choose.sampled_from([1, 0.01, 100])
    # A constant image is at a jump, so it is no input; what stands opposite it is one, unless that is constant too.
    constant = choose.sampled_from(["none", "a", "b", "both"])
    add_flat = lambda x: ops.concatenate([x, backend.to_device(np.full((1, *size), 0.5)).astype(x.dtype)])

    def ncc(a, b):
        return ops.ncc(add_flat(a) if constant in ("a", "both") else a, add_flat(b) if constant in ("b", "both") else b)

    a, b = normal(rng, (n + (constant == "b"), *size)), normal(rng, (n + (constant == "a"), *size))
    b[:n] += choose.sampled_from([0, 4, -4]) * a[:n]
    return ncc, [(a + offset) * brightness, b - offset]


# Matrices and convolutions


@case("matmul", linear=(0, 1))
def _matmul(choose, rng):
    n, k, m = choose.integers(1, 4), choose.integers(1, 9), choose.integers(1, 4)
    batch = drawn_shape(choose, 0, 3)
    stretched = {  # how the leading axes of a factor differ from those of the result
        "whole": batch,
        "ones": [1 for _ in batch],
        "first one": [1 if axis == 0 else size for axis, size in enumerate(batch)],
        "last one": [1 if axis == len(batch) - 1 else size for axis, size in enumerate(batch)],
        "fewer": batch[1:],
        "none": (),
    }
    left, right = (choose.sampled_from([*stretched, "vector"]) for _ in range(2))
    a = (k,) if left == "vector" else (*stretched[left], n, k)
    b = (k,) if right == "vector" else (*stretched[right], k, m)
    return ops.matmul, [normal(rng, a), normal(rng, b)]


@case("linear", linear=(0, 1, 2))
def _linear(choose, rng):
    c_in, c_out = choose.integers(1, 9), choose.integers(1, 9)
    shapes = [(*drawn_shape(choose, 0, 3), c_in), (c_in, c_out), (c_out,)][: choose.integers(2, 3)]
    return ops.linear, [normal(rng, shape) for shape in shapes]


@case("conv2d", linear=(0, 1, 2))
def _conv2d(choose, rng):
    kernel, dilation = (choose.integers(1, 4), choose.integers(1, 4)), drawn_pair(choose, 1, 2)
    stride = drawn_pair(choose, 1, 4)
    padding = choose.sampled_from(["same", 0, 1, (2, 0), (0, 4), ((1, 0), (0, 2))])
    size = [d * (k - 1) + 1 + choose.integers(0, 3) for d, k in zip(_as_pair(dilation), kernel, strict=True)]
    n, c_in, c_out = drawn_batch(choose), choose.integers(1, 4), choose.integers(1, 4)
    shapes = [(n, *size, c_in), (*kernel, c_in, c_out), (c_out,)][: choose.integers(2, 3)]

    def fn(x, weight, bias=None):
        return ops.conv2d(x, weight, bias, stride=stride, padding=padding, dilation=dilation)

    return fn, [normal(rng, shape) for shape in shapes]


@case("conv2d", linear=(0, 1, 2))
def _conv2d_in_blocks(choose, rng):
    """So many taps in a row that a few rows of output pixels fill `scratch_bytes`: several blocks of images or rows."""
    (n, h), stride = choose.sampled_from([(1, 12), (2, 5)]), choose.sampled_from([1, 2])
    fn = lambda x, weight: ops.conv2d(x, weight, stride=(stride, 1))
    return fn, [normal(rng, (n, h, 255, 1)), normal(rng, (2, 128, 1, 1))]


@case("conv_transpose2d", linear=(0, 1, 2))
def _conv_transpose2d(choose, rng):
    kernel, stride, dilation = (tuple(choose.integers(1, most) for _ in range(2)) for most in (4, 4, 3))
    stride = stride[0] if choose.booleans() else stride
    output_padding = tuple(choose.integers(0, s - 1) for s in _as_pair(stride))
    n, c_in, c_out = drawn_batch(choose), choose.integers(1, 4), choose.integers(1, 4)
    size = [choose.integers(1, 3) for _ in range(2)]
    axes = zip(size, _as_pair(stride), dilation, kernel, strict=True)
    room = [(h - 1) * s + d * (k - 1) for h, s, d, k in axes]  # at least one pixel of the output must be left
    if choose.booleans():
        padding = min(choose.integers(0, 2), min(room) // 2)
    else:
        before = [min(choose.integers(0, 2), most) for most in room]
        padding = tuple((cut, min(choose.integers(0, 2), most - cut)) for cut, most in zip(before, room, strict=True))
    shapes = [(n, *size, c_in), (*kernel, c_out, c_in), (c_out,)][: choose.integers(2, 3)]

    def fn(x, weight, bias=None):
        return ops.conv_transpose2d(x, weight, bias, stride, padding, output_padding, dilation)

    return fn, [normal(rng, shape) for shape in shapes]


# Filters, histograms and resolution


@case("separable_filter", linear=(0,))
def _separable_filter(choose, rng):
    kernel = [float(weight) for weight in away_from_zero(rng, (choose.sampled_from([1, 3, 5, 7]),))]
    shape = (drawn_batch(choose), *(len(kernel) + choose.integers(0, 3) for _ in range(2)), choose.integers(1, 4))
    return (lambda x: ops.separable_filter(x, kernel)), [normal(rng, shape)]


@case("parzen_weights")
def _parzen_weights(choose, rng):
    bins, shape = choose.sampled_from([4, 5, 7, 16]), drawn_shape(choose)
    beyond = rng.choice([-1.0, 0.0, 0.0, 1.0], shape)  # the kinks are at 0 and 1
    return (lambda x: ops.parzen_weights(x, bins)), [rng.uniform(0.02, 0.98, shape) + beyond]


def pooling(fn):
    """The case of a pooling op: windows that overlap, touch or leave gaps, and pixels left over at the border."""

    def draw(choose, rng):
        kernel, stride = drawn_pair(choose, 1, 4), drawn_pair(choose, 1, 4)
        stride = choose.sampled_from([None, stride])
        shape = (drawn_batch(choose), *(k + choose.integers(0, 4) for k in _as_pair(kernel)), choose.integers(1, 4))
        return (lambda x: fn(x, kernel, stride)), [distinct(rng, shape)]

    return draw


def resampling(fn):
    """The case of an upsampling op."""

    def draw(choose, rng):
        scale = choose.sampled_from([1, 2, 3, 4, 5])
        shape = (drawn_batch(choose), *(choose.integers(1, 4) for _ in range(3)))
        return (lambda x: fn(x, scale)), [normal(rng, shape)]

    return draw


def rearranging(fn, to_depth):
    """The case of space_to_depth or its inverse."""

    def draw(choose, rng):
        block = choose.sampled_from([1, 2, 3, 4])
        n, h, w, c = drawn_batch(choose), *(choose.integers(1, 3) for _ in range(3))
        shape = (n, h * block, w * block, c) if to_depth else (n, h, w, c * block * block)
        return (lambda x: fn(x, block)), [normal(rng, shape)]

    return draw


register_case("max_pool2d", pooling(ops.max_pool2d))
register_case("avg_pool2d", pooling(ops.avg_pool2d), linear=(0,))
register_case("upsample_nearest", resampling(ops.upsample_nearest), linear=(0,))
register_case("upsample_bilinear", resampling(ops.upsample_bilinear), linear=(0,))
register_case("space_to_depth", rearranging(ops.space_to_depth, to_depth=True), linear=(0,))
register_case("depth_to_space", rearranging(ops.depth_to_space, to_depth=False), linear=(0,))


@case("warp", linear=(0,))
def _warp(choose, rng):
    n, h, w = drawn_batch(choose), choose.integers(1, 4), choose.integers(1, 4)
    channels = choose.sampled_from([1, 2, 3, 4])
    size = (h, w) if choose.booleans() else (5, 4)
    border = choose.sampled_from(["zeros", "edge"])
    image = normal(rng, (n, h, w, channels))
    fn = lambda image, displacement: ops.warp(image, displacement, border)
    return fn, [image, between_pixels(rng, image.shape, size)]


# Shapes


@case("reshape", linear=(0,))
def _reshape(choose, rng):
    before = drawn_shape(choose)
    after = [*before, 1][: len(before) + choose.integers(0, 1)]
    after = [after[axis] for axis in drawn_order(choose, len(after))]
    for _ in range(choose.integers(0, 2)):  # merge the first two axes
        after[:2] = [int(np.prod(after[:2]))] if after else []
    if choose.booleans():  # the other way, where an axis is split
        before, after = after, list(before)
    if choose.booleans() and after and 0 not in before:  # the size of one is found by itself
        after[choose.integers(0, len(after) - 1)] = -1
    new = after[0] if len(after) == 1 and choose.booleans() else tuple(after)
    return (lambda x: ops.reshape(x, new)), [normal(rng, before)]


@case("transpose", linear=(0,))
def _transpose(choose, rng):
    shape = drawn_shape(choose, 1)
    order = tuple(axis - len(shape) * choose.booleans() for axis in drawn_order(choose, len(shape)))
    axes = None if choose.sampled_from([False, False, True]) else order
    return (lambda x: ops.transpose(x, axes)), [normal(rng, shape)]


@case("broadcast_to", linear=(0,))
def _broadcast_to(choose, rng):
    shape = drawn_shape(choose, 1)
    small = [1 if choose.booleans() else size for size in shape][choose.integers(0, len(shape)) :]
    return (lambda x: ops.broadcast_to(x, shape)), [normal(rng, small)]


@case("_concatenate", linear=range(5))
def _concatenate(choose, rng):
    shape = drawn_shape(choose, 1)
    axis = choose.integers(-len(shape), len(shape) - 1)
    parts = [list(shape) for _ in range(choose.integers(1, 5))]
    alike = choose.booleans()
    for part in parts:
        part[axis] = shape[axis] if alike else choose.integers(0, 3)
    return (lambda *arrays: ops.concatenate(arrays, axis=axis)), [normal(rng, part) for part in parts]


@case("_stack", linear=range(5))
def _stack(choose, rng):
    shape = drawn_shape(choose, 0, 3)
    axis = choose.integers(-len(shape) - 1, len(shape))
    parts = [normal(rng, shape) for _ in range(choose.integers(1, 5))]
    return (lambda *arrays: ops.stack(arrays, axis=axis)), parts


@case("pad", linear=(0,))
def _pad(choose, rng):
    shape = drawn_shape(choose, 1)
    width = [(choose.integers(0, 2), choose.integers(0, 2)) for _ in shape]
    value = choose.sampled_from([0.0, 1.5])
    return (lambda x: ops.pad(x, width, value)), [normal(rng, shape)]


INDICES = [  # of an array (3, 4, 2); functions, because arrays belong to the backend in use when they are called
    lambda: 1,
    lambda: -1,
    lambda: slice(None, None, -2),
    lambda: slice(2, 2),
    lambda: (slice(1, None), None, 0),
    lambda: (..., slice(0, 2)),
    lambda: [0, 2, 0, 0],
    lambda: (slice(None), backend.to_device(np.array([[1, 1], [0, 3]]))),
    lambda: backend.to_device(np.array([True, False, True])),
    lambda: backend.to_device(np.arange(12).reshape(3, 4) % 3 == 0),
    lambda: (backend.to_device(np.array([2, 0, 2])), backend.to_device(np.array([3, 1, 3]))),
    lambda: ((0, -1, 0), (1, -2, 1)),
    lambda: ([0, -1, 0], slice(None), (1, 1, -1)),
    lambda: ([2, 0, 2], 1),
    lambda: (..., [1, 0, 1]),
    lambda: (None, [1, 1], None),
    lambda: [-1, 0, -1],
    lambda: [],
    lambda: backend.to_device(np.array(2)),
    lambda: backend.to_device(np.array([[0, 1], [1, -1]])),
    lambda: (backend.to_device(np.array([True, False, True])), [1, 3]),
    lambda: (1, backend.to_device(np.array([True, False, True, True]))),
    lambda: backend.to_device(np.arange(24).reshape(3, 4, 2) % 5 == 0),
    lambda: (1, -1, 0),
    lambda: (backend.to_device(np.array([[-1], [0]])), backend.to_device(np.array([0, 0, -4]))),
    lambda: (slice(None), backend.to_device(np.array([True, False, True, True]))),
    lambda: (backend.to_device(np.array([False, True, True])), slice(None, None, 3)),
    lambda: (slice(None, None, 2), slice(3, None, -3)),
    lambda: ([0, 0], slice(1, 3)),
    lambda: (slice(None, None, 3), slice(None, None, -3)),
    lambda: (None, -2, ..., None),
]


@case("getitem", linear=(0,))
def _getitem(choose, rng):
    index = choose.sampled_from(INDICES)
    return (lambda x: ops.getitem(x, index())), [normal(rng, (3, 4, 2))]

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
Every other value keeps a distance of at least 0.01 from the nearest kink, far more than any step.
"""

import itertools

import numpy as np

from minireg import backend, ops
from minireg.gradcheck.choosing import Case

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


# Values


def normal(rng, shape):
    """Any numbers, for ops without kinks."""
    return rng.standard_normal(tuple(shape))


def positive(rng, shape):
    """Numbers between 0.1 and 4, half of them below 0.63."""
    return 0.1 * 40 ** rng.random(tuple(shape))


def away_from_zero(rng, shape):
    """Numbers of both signs whose size is between 0.1 and 4."""
    return rng.choice([-1, 1], tuple(shape)) * positive(rng, shape)


def saturating(rng, shape):
    """Numbers of both signs whose size is between 3 and 8: there a sigmoid is nearly flat."""
    return rng.choice([-1, 1], tuple(shape)) * rng.uniform(3, 8, tuple(shape))


def far_apart(rng, shape):
    """Positive numbers from a hundredth to ten thousand."""
    return 10 ** rng.uniform(-2, 4, tuple(shape))


def distinct(rng, shape, start=0.0):
    """Values that all differ by at least 0.2, in random order, about half of them negative."""
    size = int(np.prod(tuple(shape)))
    return (rng.permutation(size).reshape(tuple(shape)) - size // 2) * 0.2 + start


def between_pixels(rng, image_shape, size):
    """A displacement that leads every pixel of `size` between two pixels in or far around the image, onto none."""
    target = np.stack([rng.integers(-4, n + 3, (image_shape[0], *size)) for n in image_shape[1:3]], axis=-1)
    own = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1)
    return target + rng.uniform(0.02, 0.98, target.shape) - own


# Shapes and options


def drawn_shape(choose, fewest=0, most=4, may_be_empty=True):
    """A shape of `fewest` to `most` axes; now and then one of them has no elements."""
    shape = [choose.integers(1, 4) for _ in range(choose.integers(fewest, most))]
    if shape and may_be_empty and choose.sampled_from([False] * 11 + [True]):
        shape[choose.integers(0, len(shape) - 1)] = 0
    return tuple(shape)


def drawn_batch(choose, most=3):
    """The number of images; now and then none."""
    return choose.sampled_from([*range(1, most + 1)] * 5 + [0])


def drawn_axis(choose, ndim):
    """None, an axis, or a tuple of none, one or several axes in any order, some of them counted from the end."""
    axes = [axis - ndim * choose.booleans() for axis in drawn_order(choose, ndim) if choose.booleans()]
    form = choose.sampled_from(["one", "tuple", "all"])
    return None if form == "all" else axes[0] if form == "one" and len(axes) == 1 else tuple(axes)


def drawn_pair(choose, low, high):
    """An int, or one for rows and one for columns."""
    values = range(low, high + 1)
    if choose.booleans():
        return choose.sampled_from(values)
    return choose.sampled_from(values), choose.sampled_from(values)


def drawn_order(choose, ndim):
    """A permutation of the axes. As choices, none and an exchange of the last two are told from all others."""
    orders = list(itertools.permutations(range(ndim)))
    return orders[choose.integers(0, len(orders) - 1)]


def _as_pair(value):
    return (value, value) if isinstance(value, int) else value


# Element by element


def elementwise(fn, values=away_from_zero):
    """The case of an op on one array of any shape."""
    return lambda choose, rng: (fn, [values(rng, drawn_shape(choose))])


def broadcasting(fn, left=away_from_zero, right=away_from_zero):
    """Two arrays of which axes of size 1, and leading axes, are stretched."""

    def draw(choose, rng):
        shape = drawn_shape(choose, 1)
        one, other = ([1 if choose.booleans() else size for size in shape] for _ in range(2))
        one, other = (part[choose.integers(0, len(shape)) :] for part in (one, other))
        return fn, [left(rng, one), right(rng, other)]

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
register_case("power", broadcasting(ops.power, left=positive))
register_case("power", elementwise(lambda exponent: 1.7**exponent))
register_case("exp", elementwise(ops.exp))
register_case("log", elementwise(ops.log, positive))
register_case("sqrt", elementwise(ops.sqrt, positive))
register_case("abs", elementwise(ops.abs))
for _name, _fn in (("maximum", ops.maximum), ("minimum", ops.minimum)):
    register_case(_name, broadcasting(_fn, distinct, _distinct_from_those))
    register_case(_name, elementwise(lambda x, fn=_fn: fn(x, 0.1), distinct))
    register_case(_name, elementwise(lambda other, fn=_fn: fn(0.1, other), distinct))
register_case("clip", elementwise(lambda x: ops.clip(x, -0.6, 0.8), _distinct_from_those))
register_case("relu", elementwise(ops.relu))
register_case("sigmoid", elementwise(ops.sigmoid))
register_case("tanh", elementwise(ops.tanh))
for _name in ("sigmoid", "tanh", "softmax", "log_softmax"):
    register_case(_name, elementwise(getattr(ops, _name), lambda rng, shape: saturating(rng, (*shape, 2))))
for _name in ("log", "sqrt", "abs"):
    register_case(_name, elementwise(getattr(ops, _name), far_apart))


@case("power")
def _power_of_a_number(choose, rng):
    exponent = choose.sampled_from([-2, -1, 0, 1, 2, 3, 0.5, 2.5])
    values = positive if exponent % 1 else away_from_zero
    return (lambda x: x**exponent), [values(rng, drawn_shape(choose))]


@case("leaky_relu")
def _leaky_relu(choose, rng):
    slope = choose.sampled_from([0.0, 0.01, 0.2])
    return (lambda x: ops.leaky_relu(x, negative_slope=slope)), [away_from_zero(rng, drawn_shape(choose))]


@case("dropout", linear=(0,))
def _dropout(choose, rng):
    seed, p, training = int(rng.integers(100)), choose.sampled_from([0, 0.3, 0.8]), choose.booleans()
    fn = lambda x: ops.dropout(x, p, np.random.default_rng(seed), training)
    return fn, [away_from_zero(rng, drawn_shape(choose))]


# Along axes


def reducing(fn, values=away_from_zero):
    """The case of a reduction over no axis, one, several or all, with and without keepdims."""

    def draw(choose, rng):
        shape = drawn_shape(choose, may_be_empty=fn is ops.sum)  # nothing has no mean and no largest element
        axis, keepdims = drawn_axis(choose, len(shape)), choose.booleans()
        return (lambda x: fn(x, axis=axis, keepdims=keepdims)), [values(rng, shape)]

    return draw


def along_axis(fn):
    """The case of an op along one axis, counted from either end."""

    def draw(choose, rng):
        shape = drawn_shape(choose, 1, may_be_empty=False)
        axis = choose.sampled_from(range(-len(shape), len(shape)))
        return (lambda x: fn(x, axis=axis)), [away_from_zero(rng, shape)]

    return draw


register_case("sum", reducing(ops.sum), linear=(0,))
register_case("mean", reducing(ops.mean), linear=(0,))
register_case("variance", reducing(ops.variance))
register_case("max", reducing(ops.max, distinct))
register_case("min", reducing(ops.min, distinct))
register_case("softmax", along_axis(ops.softmax))
register_case("log_softmax", along_axis(ops.log_softmax))


def normalising(training):
    """The case of batch_norm in one of its modes, with and without weight and bias."""

    def draw(choose, rng):
        channels = choose.integers(1, 4)
        shape = (*(choose.integers(2, 4) for _ in range(choose.integers(1, 3))), channels)
        mean, var = normal(rng, (channels,)), positive(rng, (channels,))
        x = away_from_zero(rng, shape) * choose.sampled_from([1, 0.02]) + choose.sampled_from([0, 3])
        options = {"eps": choose.sampled_from([1e-5, 1e-3]), "momentum": choose.sampled_from([0.1, 0.01])}

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
    shape = (drawn_batch(choose, 3), choose.integers(2, 4), choose.integers(2, 4), choose.integers(1, 2))
    offset, brightness = choose.sampled_from([0, 5]), choose.sampled_from([1, 0.01, 100])
    flat = backend.to_device(np.full((choose.integers(0, 1), *shape[1:]), 0.5))  # alone it would be at a jump

    def ncc(a, b):
        a, b = (ops.concatenate([x, flat.astype(x.dtype)]) if len(flat) else x for x in (a, b))
        return ops.ncc(a, b)

    return ncc, [(normal(rng, shape) + offset) * brightness, normal(rng, shape) - offset]


# Matrices and convolutions


@case("matmul", linear=(0, 1))
def _matmul(choose, rng):
    n, k, m = choose.integers(1, 4), choose.integers(1, 7), choose.integers(1, 4)
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
    c_in, c_out = choose.integers(1, 4), choose.integers(1, 4)
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


@case("conv_transpose2d", linear=(0, 1, 2))
def _conv_transpose2d(choose, rng):
    kernel, stride, dilation = (tuple(choose.integers(1, 3) for _ in range(2)) for _ in range(3))
    output_padding = tuple(choose.integers(0, s - 1) for s in stride)
    n, c_in, c_out = drawn_batch(choose), choose.integers(1, 3), choose.integers(1, 3)
    size = [choose.integers(1, 3) for _ in range(2)]
    whole = [(h - 1) * s + d * (k - 1) + 1 for h, s, d, k in zip(size, stride, dilation, kernel, strict=True)]
    padding = []
    for rest in whole:  # at least one pixel of the output must be left
        padding.append((choose.integers(0, min(2, rest - 1)), 0))
        padding[-1] = (padding[-1][0], choose.integers(0, min(2, rest - 1 - padding[-1][0])))
    shapes = [(n, *size, c_in), (*kernel, c_out, c_in), (c_out,)][: choose.integers(2, 3)]

    def fn(x, weight, bias=None):
        return ops.conv_transpose2d(x, weight, bias, stride, tuple(padding), output_padding, dilation)

    return fn, [normal(rng, shape) for shape in shapes]


# Filters, histograms and resolution


@case("separable_filter", linear=(0,))
def _separable_filter(choose, rng):
    kernel = [float(weight) for weight in away_from_zero(rng, (choose.sampled_from([1, 3, 5]),))]
    shape = (drawn_batch(choose), *(len(kernel) + choose.integers(0, 3) for _ in range(2)), choose.integers(1, 3))
    return (lambda x: ops.separable_filter(x, kernel)), [normal(rng, shape)]


@case("parzen_weights")
def _parzen_weights(choose, rng):
    bins, shape = choose.integers(4, 7), drawn_shape(choose)
    beyond = rng.choice([-1.0, 0.0, 0.0, 1.0], shape)  # the kinks are at 0 and 1
    return (lambda x: ops.parzen_weights(x, bins)), [rng.uniform(0.1, 0.9, shape) + beyond]


def pooling(fn):
    """The case of a pooling op: windows that overlap, touch or leave gaps, and pixels left over at the border."""

    def draw(choose, rng):
        kernel, stride = drawn_pair(choose, 1, 3), drawn_pair(choose, 1, 4)
        stride = choose.sampled_from([None, stride])
        shape = (drawn_batch(choose), *(k + choose.integers(0, 4) for k in _as_pair(kernel)), choose.integers(1, 3))
        return (lambda x: fn(x, kernel, stride)), [distinct(rng, shape)]

    return draw


def resampling(fn):
    """The case of an upsampling op."""

    def draw(choose, rng):
        scale = choose.sampled_from([1, 2, 3, 4])
        shape = (drawn_batch(choose), *(choose.integers(1, 3) for _ in range(3)))
        return (lambda x: fn(x, scale)), [normal(rng, shape)]

    return draw


def rearranging(fn, to_depth):
    """The case of space_to_depth or its inverse."""

    def draw(choose, rng):
        block = choose.integers(1, 3)
        n, h, w, c = drawn_batch(choose), *(choose.integers(1, 2) for _ in range(3))
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
    n, h, w, channels = drawn_batch(choose), *(choose.integers(1, 4) for _ in range(3))
    size = (h, w) if choose.booleans() else (3, 2)
    border = choose.sampled_from(["zeros", "edge"])
    image = normal(rng, (n, h, w, channels))
    fn = lambda image, displacement: ops.warp(image, displacement, border)
    return fn, [image, between_pixels(rng, image.shape, size)]


# Shapes


@case("reshape", linear=(0,))
def _reshape(choose, rng):
    shape = drawn_shape(choose, 1)
    sizes = [*shape, 1]
    new = [sizes[axis] for axis in drawn_order(choose, len(sizes))]
    if choose.booleans():  # merge two axes
        new[:2] = [new[0] * new[1]]
    if choose.booleans() and 0 not in shape:  # the size of one is found by itself
        new[choose.integers(0, len(new) - 1)] = -1
    return (lambda x: ops.reshape(x, tuple(new))), [normal(rng, shape)]


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
    for part in parts:
        part[axis] = choose.integers(0, 3)
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
    return (lambda x: ops.pad(x, width, value=1.5)), [normal(rng, shape)]


INDICES = [  # of an array (3, 4); functions, because arrays belong to the backend that is in use when they are called
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
    lambda: (backend.to_device(np.array([[-1], [0]])), backend.to_device(np.array([0, 0, -4]))),
    lambda: (slice(None), backend.to_device(np.array([True, False, True, True]))),
    lambda: (backend.to_device(np.array([False, True, True])), slice(None, None, 3)),
    lambda: (slice(None, None, 2), slice(3, None, -3)),
    lambda: ([0, 0], slice(1, 3)),
    lambda: (None, -2, ..., None),
]


@case("getitem", linear=(0,))
def _getitem(choose, rng):
    index = choose.sampled_from(INDICES)
    return (lambda x: ops.getitem(x, index())), [normal(rng, (3, 4))]

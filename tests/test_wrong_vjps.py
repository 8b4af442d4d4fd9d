"""The checker is checked: every wrong VJP below is rejected by `gradcheck`, and the right one it was made from is not.

A wrong VJP is made of a right op of the package by replacing the VJP of one argument. `pytest -s` prints how many
comparisons (each along a random direction with a random cotangent) it took to find out.
"""

import functools
import inspect
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from gradients import temporary_ops

from minireg import ops
from minireg.autograd import REGISTRY, op
from minireg.backend import xp
from minireg.gradcheck import WrongGradient, gradcheck
from minireg.gradcheck.__main__ import check_op

SEEDS = 2  # every mistake is looked for with so many

# name: (op, arrays, options, position of the argument, change), where change(vjp, arrays, y, options) is the wrong VJP
WRONG = {}


def wrong(name, function, shapes, position=0, **options):
    """Enter a wrong VJP in the table; `shapes` are those of arrays of normal numbers, or the arrays themselves."""

    def enter(change):
        assert name not in WRONG
        rng = np.random.default_rng(len(WRONG))
        arrays = [rng.standard_normal(s) if isinstance(s, tuple) else np.asarray(s) for s in shapes]
        WRONG[name] = (function, arrays, options, position, change)

    return enter


def formula(name, function, shapes, position, compute, **options):
    """A wrong VJP as a formula of the cotangent, the output and the arguments."""
    wrong(name, function, shapes, position, **options)(lambda vjp, arrays, y, o: lambda g: compute(g, y, *arrays))


def twisted(name, function, shapes, position, before=None, after=None, **options):
    """The right VJP of a twisted cotangent, or with a twisted result."""
    before, after = before or (lambda g: g), after or (lambda g_x: g_x)
    wrong(name, function, shapes, position, **options)(lambda vjp, arrays, y, o: lambda g: after(vjp(before(g))))


def another(name, function, shapes, position, change_arrays=None, before=None, instead=None, **options):
    """The VJP of the op with other arrays or options, as if it had saved the wrong ones."""

    def change(vjp, arrays, y, options):
        arrays = change_arrays(*arrays) if change_arrays else arrays
        other = function.__wrapped__(*arrays, **(options | (instead or {})))[1][position]
        return lambda g: other(before(g) if before else g)

    wrong(name, function, shapes, position, **options)(change)


POSITIVE = np.random.default_rng(1).uniform(0.5, 2, (3, 4))
APART = np.random.default_rng(2).permutation(24).reshape(2, 3, 4) * 0.3 - 3.05
POOLED = np.random.default_rng(3).permutation(50).reshape(1, 5, 5, 2) * 0.3
FIELD = np.random.default_rng(4).integers(-2, 3, (1, 5, 5, 2)) + np.random.default_rng(5).uniform(
    0.1, 0.9, (1, 5, 5, 2)
)
IMAGE = (1, 5, 5, 2)
SQUARE = [(3, 3), (3, 3)]


def first_only(array):
    """Everything but the first element along the first axis becomes zero."""
    kept = xp.zeros_like(array)
    kept[:1] = array[:1]
    return kept


def inside_only(array):
    """The border of images becomes zero."""
    kept = xp.zeros_like(array)
    kept[:, 1:-1, 1:-1] = array[:, 1:-1, 1:-1]
    return kept


def in_corner(g, shape):
    """g at the beginning of an array of zeros."""
    larger = xp.zeros(shape, g.dtype)
    larger[tuple(slice(size) for size in g.shape)] = g
    return larger


# Arithmetic
formula("add: the sign", ops.add, [(3, 4), (3, 4)], 1, lambda g, y, a, b: -g)
formula("sub: the sign forgotten", ops.sub, [(3, 4), (3, 4)], 1, lambda g, y, a, b: g)
formula("neg: the sign forgotten", ops.neg, [(3, 4)], 0, lambda g, y, x: g)
formula("mul: x and other exchanged", ops.mul, [(3, 4), (3, 4)], 0, lambda g, y, a, b: g * a)
formula("mul: one term of the square missing", ops.power, [POSITIVE], 0, lambda g, y, x: g * x, exponent=2)
formula("div: other not squared", ops.div, [(3, 4), POSITIVE], 1, lambda g, y, a, b: -g * a / b)
formula("div: the sign forgotten", ops.div, [(3, 4), POSITIVE], 1, lambda g, y, a, b: g * y / b)
formula("power: the factor forgotten", ops.power, [POSITIVE, 3.0], 0, lambda g, y, x, e: g * x ** (e - 1))
formula("power: the exponent not lowered", ops.power, [POSITIVE, 3.0], 0, lambda g, y, x, e: g * e * y)
formula(
    "power: log of the wrong argument", ops.power, [POSITIVE, POSITIVE + 1], 1, lambda g, y, x, e: g * y * xp.log(e)
)
formula("exp: y forgotten", ops.exp, [(3, 4)], 0, lambda g, y, x: g)
formula("log: multiplied instead of divided", ops.log, [POSITIVE], 0, lambda g, y, x: g * x)
formula("sqrt: a factor of two", ops.sqrt, [POSITIVE], 0, lambda g, y, x: g / y)
formula("abs: the sign of x forgotten", ops.abs, [APART], 0, lambda g, y, x: g)
formula("maximum: to the loser", ops.maximum, [APART, APART[::-1] + 0.1], 0, lambda g, y, a, b: g * (a < b))
formula("maximum: to both", ops.maximum, [APART, APART[::-1] + 0.1], 0, lambda g, y, a, b: g)
formula("clip: no mask", ops.clip, [APART], 0, lambda g, y, x: g, low=-1.0, high=1.0)
formula("clip: one side of the mask", ops.clip, [APART], 0, lambda g, y, x: g * (x >= -1), low=-1.0, high=1.0)

# Broadcasting
formula("add: broadcast, one copy instead of the sum", ops.add, [(5, 3), (3,)], 1, lambda g, y, a, b: g[0])
formula("add: broadcast, the mean instead of the sum", ops.add, [(5, 3), (3,)], 1, lambda g, y, a, b: g.mean(axis=0))
formula("mul: broadcast, the wrong axis", ops.mul, [(3, 3), (3,)], 1, lambda g, y, a, b: (g * a).sum(axis=1))
formula("mul: summed before multiplying", ops.mul, [(5, 3), (3,)], 1, lambda g, y, a, b: g.sum(axis=0) * a.sum(axis=0))
formula("broadcast_to: one copy", ops.broadcast_to, [(1, 4)], 0, lambda g, y, x: g[:1], shape=(3, 4))
formula(
    "broadcast_to: the mean", ops.broadcast_to, [(1, 4)], 0, lambda g, y, x: g.mean(axis=0, keepdims=True), shape=(3, 4)
)

# Activations
formula("relu: masked by the cotangent", ops.relu, [APART], 0, lambda g, y, x: g * (g > 0))
formula("relu: no mask", ops.relu, [APART], 0, lambda g, y, x: g)
formula("leaky_relu: zero where negative", ops.leaky_relu, [APART], 0, lambda g, y, x: g * (x > 0))
formula("sigmoid: y instead of y (1 - y)", ops.sigmoid, [(3, 4)], 0, lambda g, y, x: g * y)
formula("tanh: y not squared", ops.tanh, [(3, 4)], 0, lambda g, y, x: g * (1 - y))
formula("softmax: zeros", ops.softmax, [(3, 4)], 0, lambda g, y, x: xp.zeros_like(x))
formula("softmax: the diagonal only", ops.softmax, [(3, 4)], 0, lambda g, y, x: g * y * (1 - y))
formula("softmax: summed over all axes", ops.softmax, [(3, 4)], 0, lambda g, y, x: y * (g - xp.sum(g * y)))
formula(
    "log_softmax: without the exponential", ops.log_softmax, [(3, 4)], 0, lambda g, y, x: g - g.sum(axis=-1)[:, None]
)
formula("log_softmax: g not summed", ops.log_softmax, [(3, 4)], 0, lambda g, y, x: g - xp.exp(y) * g)

# Reductions
formula("sum: the cotangent of a mean", ops.sum, [(3, 4)], 0, lambda g, y, x: xp.ones_like(x) * g / 3, axis=0)
formula("mean: the cotangent of a sum", ops.mean, [(3, 4)], 0, lambda g, y, x: xp.ones_like(x) * g, axis=0)
formula(
    "mean: repeated along the wrong axis",
    ops.mean,
    [(3, 3)],
    0,
    lambda g, y, x: xp.ones_like(x) * g[:, None] / 3,
    axis=0,
)
twisted("variance: a factor of two", ops.variance, [(3, 4)], 0, after=lambda g_x: g_x / 2)
twisted("variance: n - 1 for n", ops.variance, [(3, 4)], 0, after=lambda g_x: g_x * 12 / 11)
formula("max: to every element", ops.max, [APART], 0, lambda g, y, x: xp.ones_like(x) * g)
formula("min: to the first element", ops.min, [APART], 0, lambda g, y, x: in_corner(g.reshape(1, 1, 1), x.shape))

# Matrices
formula("matmul: b not transposed", ops.matmul, SQUARE, 0, lambda g, y, a, b: g @ b)
formula("matmul: right for a symmetric a only", ops.matmul, SQUARE, 1, lambda g, y, a, b: a @ g)
formula("matmul: the order of the product", ops.matmul, SQUARE, 0, lambda g, y, a, b: b.T @ g)
formula("linear: the weight's gradient transposed", ops.linear, SQUARE, 1, lambda g, y, x, w: g.T @ x)
twisted("linear: the bias takes the mean", ops.linear, [(5, 3), (3, 2), (2,)], 2, after=lambda g_b: g_b / 5)

# Convolutions
CONV, SQUARE_CONV = [(2, 6, 5, 2), (3, 3, 2, 3), (3,)], [(2, 6, 5, 2), (3, 3, 2, 2)]
another("conv2d: the kernel not turned", ops.conv2d, CONV, 0, lambda x, w, b: (x, w[::-1, ::-1], b), padding=1)
another("conv2d: the kernel flipped along one axis", ops.conv2d, CONV, 0, lambda x, w, b: (x, w[::-1], b))
another("conv2d: the channels not exchanged", ops.conv2d, SQUARE_CONV, 0, lambda x, w: (x, w.transpose(0, 1, 3, 2)))
twisted("conv2d: the weight's gradient flipped", ops.conv2d, CONV, 1, after=lambda g_w: g_w[::-1, ::-1], padding=1)
twisted("conv2d: the cotangent flipped", ops.conv2d, CONV, 0, before=lambda g: xp.ascontiguousarray(g[:, ::-1, ::-1]))
twisted("conv2d: the first image only", ops.conv2d, CONV, 1, before=first_only)
twisted("conv2d: the mean over the batch", ops.conv2d, CONV, 1, after=lambda g_w: g_w / 2)
twisted("conv2d: the bias takes the mean", ops.conv2d, CONV, 2, after=lambda g_b: g_b / 24)
twisted("conv2d: right in the interior only", ops.conv2d, CONV, 0, after=inside_only, padding=1)
twisted("conv2d: one pixel off", ops.conv2d, CONV, 0, after=lambda g_x: xp.roll(g_x, 1, axis=1), padding=1)
another(
    "conv2d: the dilation ignored", ops.conv2d, CONV, 0, before=lambda g: in_corner(g, (2, 4, 3, 3)), dilation=2,
    instead={"dilation": 1},
)  # fmt: skip
another(
    "conv2d: the dilation ignored by the weight", ops.conv2d, CONV, 1, before=lambda g: in_corner(g, (2, 4, 3, 3)),
    dilation=2, instead={"dilation": 1},
)  # fmt: skip
another(
    "conv2d: the stride ignored", ops.conv2d, CONV, 0, before=lambda g: in_corner(g, (2, 4, 3, 3)), stride=2,
    instead={"stride": 1},
)  # fmt: skip
another(
    "conv2d: the padding on one side", ops.conv2d, CONV, 0, padding=1, instead={"padding": ((2, 0), (2, 0))}
)  # fmt: skip
TRANSPOSED = [(1, 3, 3, 2), (3, 3, 2, 2)]
another("conv_transpose2d: the kernel turned", ops.conv_transpose2d, TRANSPOSED, 0, lambda x, w: (x, w[::-1, ::-1]))
another(
    "conv_transpose2d: the channels exchanged",
    ops.conv_transpose2d,
    TRANSPOSED,
    0,
    lambda x, w: (x, w.transpose(0, 1, 3, 2)),
)
twisted(
    "conv_transpose2d: the weight's gradient flipped", ops.conv_transpose2d, TRANSPOSED, 1, after=lambda g_w: g_w[::-1]
)

# Filters
FILTER = (ops.separable_filter, [(2, 5, 6, 2)], 0)
twisted("separable_filter: turned around", *FILTER, after=lambda g: g[:, ::-1, ::-1], kernel=(0.2, 0.5, 0.9))
twisted("separable_filter: one pixel off", *FILTER, after=lambda g: xp.roll(g, 1, axis=2), kernel=(0.2, 0.5, 0.9))
twisted("separable_filter: right in the interior only", *FILTER, after=inside_only, kernel=(0.2, 0.5, 0.9))
another("separable_filter: another kernel", *FILTER, kernel=(0.2, 0.5, 0.9), instead={"kernel": (0.9, 0.5, 0.2)})

# Histograms
INTENSITIES = np.random.default_rng(6).uniform(0.1, 0.9, (3, 4)) + np.array([0, 0, 1, -1])
PARZEN = (ops.parzen_weights, [INTENSITIES], 0)
twisted("parzen_weights: the width of a bin forgotten", *PARZEN, after=lambda g_x: g_x / 3, bins=6)
twisted("parzen_weights: one bin off", *PARZEN, before=lambda g: xp.roll(g, 1, axis=-1), bins=6)
another("parzen_weights: intensities beyond 0 and 1 have a slope", *PARZEN, lambda x: (x % 1,), bins=6)

# Resolution
another("max_pool2d: to the whole window", ops.max_pool2d, [POOLED], 0, lambda x: (xp.zeros_like(x),), kernel_size=2)
formula(
    "avg_pool2d: not divided",
    ops.avg_pool2d,
    [(1, 4, 4, 2)],
    0,
    lambda g, y, x: xp.repeat(xp.repeat(g, 2, 1), 2, 2),
    kernel_size=2,
)
twisted(
    "avg_pool2d: overlapping windows not added",
    ops.avg_pool2d,
    [(1, 4, 4, 2)],
    0,
    after=lambda g: xp.minimum(g, 0.3),
    kernel_size=2,
    stride=1,
)
twisted("upsample_nearest: the mean", ops.upsample_nearest, [(1, 3, 3, 2)], 0, after=lambda g_x: g_x / 4, scale=2)
formula(
    "upsample_nearest: one pixel of the block",
    ops.upsample_nearest,
    [(1, 3, 3, 2)],
    0,
    lambda g, y, x: g[:, ::2, ::2],
    scale=2,
)
twisted(
    "upsample_bilinear: right in the interior only",
    ops.upsample_bilinear,
    [(1, 4, 4, 2)],
    0,
    after=inside_only,
    scale=2,
)
formula(
    "upsample_bilinear: as if nearest",
    ops.upsample_bilinear,
    [(1, 3, 3, 1)],
    0,
    lambda g, y, x: g[:, ::2, ::2] + g[:, 1::2, ::2] + g[:, ::2, 1::2] + g[:, 1::2, 1::2],
    scale=2,
)
formula("space_to_depth: a reshape", ops.space_to_depth, [(1, 4, 4, 2)], 0, lambda g, y, x: g.reshape(x.shape), block=2)
formula("depth_to_space: a reshape", ops.depth_to_space, [(1, 2, 2, 8)], 0, lambda g, y, x: g.reshape(x.shape), block=2)

# Normalisation
NORMALISED = [(4, 3, 2), (2,), (2,)]


def batch_norm(x, weight, bias, training=True):
    """ops.batch_norm with running statistics of its own."""
    y, vjps = ops.batch_norm.__wrapped__(x, xp.zeros(2, x.dtype), xp.ones(2, x.dtype), weight, bias, training=training)
    return y, (vjps[0], *vjps[3:])


batch_norm.__wrapped__ = batch_norm
another("batch_norm: the statistics as constants", batch_norm, NORMALISED, 0, instead={"training": False})


@wrong("batch_norm: the term of the mean missing", batch_norm, NORMALISED)
def _(vjp, arrays, y, options):
    x, weight, _ = arrays
    return lambda g: vjp(g) + weight / xp.sqrt(xp.var(x, axis=(0, 1)) + 1e-5) * g.mean(axis=(0, 1))


@wrong("batch_norm: the term of the variance missing", batch_norm, NORMALISED)
def _(vjp, arrays, y, options):
    x, weight, _ = arrays
    return lambda g: weight / xp.sqrt(xp.var(x, axis=(0, 1)) + 1e-5) * (g - g.mean(axis=(0, 1)))


formula("batch_norm: the weight sees x", batch_norm, NORMALISED, 1, lambda g, y, x, w, b: (g * x).sum(axis=(0, 1)))
formula("batch_norm: the bias takes the mean", batch_norm, NORMALISED, 2, lambda g, y, x, w, b: g.mean(axis=(0, 1)))


def dropout(x):
    return ops.dropout.__wrapped__(x, 0.5, np.random.default_rng(0))


dropout.__wrapped__ = dropout
formula("dropout: no mask", dropout, [(3, 4)], 0, lambda g, y, x: g)
formula("dropout: not scaled", dropout, [(3, 4)], 0, lambda g, y, x: g * (y != 0))

# Sampling
WARP = [IMAGE, FIELD]
twisted("warp: dx and dy exchanged", ops.warp, WARP, 1, after=lambda g_u: g_u[..., ::-1])
twisted("warp: the sign of the displacement", ops.warp, WARP, 1, after=lambda g_u: -g_u)
twisted(
    "warp: the sign of one component",
    ops.warp,
    WARP,
    1,
    after=lambda g_u: xp.stack([g_u[..., 0], -g_u[..., 1]], axis=-1),
)
another("warp: the border mask of the slopes forgotten", ops.warp, WARP, 1, border="zeros", instead={"border": "edge"})
another("warp: the border mask of the scatter forgotten", ops.warp, WARP, 0, border="zeros", instead={"border": "edge"})
another("warp: gathered instead of scattered", ops.warp, WARP, 0, lambda image, u: (image, -u))
another("warp: the scatter of the nearest pixel", ops.warp, WARP, 0, lambda image, u: (image, xp.floor(u)))
twisted("warp: the first channel only", ops.warp, WARP, 1, before=lambda g: in_corner(g[..., :1], g.shape))
twisted("warp: pixels that look at the same place not added", ops.warp, WARP, 0, after=lambda g: xp.clip(g, -1, 1))

# Shapes
formula("transpose: a reshape", ops.transpose, [(3, 3)], 0, lambda g, y, x: g.reshape(x.shape))
formula(
    "transpose: the permutation instead of its inverse",
    ops.transpose,
    [(2, 2, 2)],
    0,
    lambda g, y, x: g.transpose(1, 2, 0),
    axes=(1, 2, 0),
)
formula(
    "reshape: in the other order of axes",
    ops.reshape,
    [(2, 3)],
    0,
    lambda g, y, x: xp.ascontiguousarray(g.T).reshape(2, 3),
    shape=(3, 2),
)
formula("pad: the outer part", ops.pad, [(3, 4)], 0, lambda g, y, x: g[:-2, :-2], pad_width=[(1, 1), (1, 1)])
formula("pad: shifted by one", ops.pad, [(3, 4)], 0, lambda g, y, x: g[1:-1, 2:], pad_width=[(1, 1), (1, 1)])


@wrong("getitem: repeated elements counted once", ops.getitem, [(4, 3)], index=[0, 2, 2])
def _(vjp, arrays, y, options):
    def counted_once(g):
        g_x = xp.zeros_like(arrays[0])
        g_x[[0, 2]] = g[:2]
        return g_x

    return counted_once


twisted("getitem: the other end", ops.getitem, [(4, 3)], 0, after=lambda g_x: g_x[::-1], index=slice(0, 2))
formula("concatenate: pieces exchanged", ops.shape._concatenate, [(2, 3), (2, 3)], 0, lambda g, y, a, b: g[2:], axis=0)
formula("stack: the last for the first", ops.shape._stack, [(2, 3), (2, 3)], 0, lambda g, y, a, b: g[1], axis=0)

# Similarity
PAIR = [(2, 3, 4, 1), (2, 3, 4, 1)]


@wrong("ncc: one term of two", ops.ncc, PAIR)
def _(vjp, arrays, y, options):
    a, b = (x - x.mean(axis=(1, 2, 3), keepdims=True) for x in arrays)
    norm = xp.sqrt((a * a).sum(axis=(1, 2, 3)) * (b * b).sum(axis=(1, 2, 3)))
    return lambda g: (g / norm).reshape(-1, 1, 1, 1) * b


another("ncc: the arguments exchanged", ops.ncc, PAIR, 0, lambda a, b: (b, a))
twisted("ncc: the mean over the batch", ops.ncc, PAIR, 1, after=lambda g_b: g_b / 2)

# Mistakes of any op
formula("right for a cotangent of ones only", ops.power, [POSITIVE], 0, lambda g, y, x: 2 * x * g.mean(), exponent=2)
formula("not linear in the cotangent", ops.exp, [(3, 4)], 0, lambda g, y, x: y * g * xp.abs(g))
formula("a relative error of 1e-4", ops.exp, [(3, 4)], 0, lambda g, y, x: 1.0001 * y * g)
formula(
    "one element of a hundred",
    ops.exp,
    [(10, 10)],
    0,
    lambda g, y, x: g * y * (1 - 0.01 * in_corner(g[:1, :1] * 0 + 1, x.shape)),
)
formula("not a number", ops.exp, [(3, 4)], 0, lambda g, y, x: y * g / xp.zeros_like(x))
formula("a shape that does not fit", ops.transpose, [(2, 3)], 0, lambda g, y, x: g)
wrong("no VJP at all", ops.exp, [(3, 4)])(lambda vjp, arrays, y, options: None)
wrong("no VJP for the second argument", ops.mul, [(3, 4), (3, 4)], 1)(lambda vjp, arrays, y, options: None)


@wrong("a value that stays from the first call", ops.exp, [(3, 4)])
def _(vjp, arrays, y, options, first=[]):  # noqa: B006
    first.append(y)
    return lambda g: g * first[0]


@wrong("a value that the next call overwrites", ops.exp, [(3, 4)])
def _(vjp, arrays, y, options, latest={}):  # noqa: B006
    latest["y"] = y
    return lambda g: g * latest["y"]


@wrong("the cotangent changed in place", ops.tanh, [(3, 4)])
def _(vjp, arrays, y, options):
    def in_place(g):
        g *= 1 - y * y
        return g

    return in_place


@wrong("the saved value changed in place", ops.log, [POSITIVE])
def _(vjp, arrays, y, options):
    saved = 1 / arrays[0]

    def in_place(g):
        nonlocal saved
        saved *= g
        return saved

    return in_place


@wrong("right for contiguous memory only", ops.exp, [(3, 4)])
def _(vjp, arrays, y, options):
    in_order = arrays[0].strides[0] > arrays[0].strides[1] > 0
    return lambda g: g * y if in_order else g * y.T.reshape(y.shape)


# Mistakes beside the value: each is right in a comparison of values at one point

OF_THE_VALUE = set(WRONG)

wrong("a cache that a backward fills, whatever the input", ops.exp, [(3, 4)])(
    lambda vjp, arrays, y, options, kept={}: lambda g: kept.setdefault("y", y) * g
)
wrong("a cache that a backward fills, by the shape", ops.tanh, [(3, 4)])(
    lambda vjp, arrays, y, options, kept={}: lambda g: kept.setdefault(y.shape, 1 - y * y) * g
)


@wrong("one scratch array for all uses", ops.exp, [(3, 4)])
def _(vjp, arrays, y, options, scratch={}):  # noqa: B006
    def in_scratch(g):
        buffer = scratch.setdefault(y.shape, xp.empty(y.shape))
        buffer[...] = g * y
        return buffer

    return in_scratch


@wrong("right from the second backward on", ops.tanh, [(3, 4)])
def _(vjp, arrays, y, options):
    walks = iter([1.001])
    return lambda g: next(walks, 1) * vjp(g)


@wrong("right in the first backward only", ops.tanh, [(3, 4)])
def _(vjp, arrays, y, options):
    walks = iter([1] * 3)
    return lambda g: next(walks, 1.001) * vjp(g)


twisted("large cotangents clipped", ops.exp, [(3, 4)], 0, before=lambda g: xp.clip(g, -100, 100))
twisted("small cotangents dropped", ops.exp, [(3, 4)], 0, before=lambda g: xp.where(xp.abs(g) < 1e-4, 0, g))
twisted(
    "float32 inside, in the cotangent", ops.exp, [(3, 4)], 0, before=lambda g: g.astype("float32").astype("float64")
)
twisted(
    "float32 inside, in the result", ops.mul, [(3, 4), (3, 4)], 1, after=lambda g: g.astype("float32").astype("float64")
)
twisted("a little that does not depend on the cotangent", ops.exp, [(3, 4)], 0, after=lambda g: g + 1e-8)
twisted("not linear: the size of the cotangent", ops.exp, [(3, 4)], 0, after=lambda g: g + 1e-9 * g * xp.abs(g))


@wrong("the output written over", ops.sigmoid, [(3, 4)])
def _(vjp, arrays, y, options):
    def in_place(g):
        result = g * y * (1 - y)
        y[...] = result
        return result

    return in_place


twisted(
    "the memory order of the cotangent taken for that of the input",
    ops.exp,
    [(3, 4)],
    0,
    before=lambda g: g.ravel(order="K").reshape(g.shape),
)


def _one_wrong(place):
    def after(g_x):
        g_x = g_x.copy()
        g_x[place] *= 1.01
        return g_x

    return after


for _name, _place in {
    "first": (0, 0),
    "last": (-1, -1),
    "end of the first row": (0, -1),
    "begin of the last": (-1, 0),
}.items():
    twisted(f"one pixel of 10,000: the {_name}", ops.exp, [(100, 100)], 0, after=_one_wrong(_place))


twisted("one pixel of 10,000: in the middle", ops.exp, [(100, 100)], 0, after=_one_wrong((37, 59)))
twisted("one pixel of 10,000: in the middle, of a linear op", ops.neg, [(100, 100)], 0, after=_one_wrong((63, 11)))
twisted(
    "one pixel of 10,000: of a convolution", ops.conv2d, [(1, 100, 100, 1), (3, 3, 1, 1)], 0,
    after=_one_wrong((0, 41, 77, 0)),
)  # fmt: skip


def _through_float32(array):
    return array.astype("float32").astype("float64")


formula("float32 inside, saved: exp", ops.exp, [(3, 4)], 0, lambda g, y, x: g * _through_float32(y))
formula("float32 inside, saved: mul", ops.mul, [(3, 4), (3, 4)], 0, lambda g, y, a, b: g * _through_float32(b))
formula("float32 inside, saved: log", ops.log, [POSITIVE], 0, lambda g, y, x: g / _through_float32(x))
formula("float32 inside, saved: tanh", ops.tanh, [(3, 4)], 0, lambda g, y, x: g * (1 - _through_float32(y) ** 2))
formula("float32 inside, saved: matmul", ops.matmul, SQUARE, 0, lambda g, y, a, b: g @ _through_float32(b).T)

for _name, _before in {
    "clipped at 1e12": lambda g: xp.clip(g, -1e12, 1e12),
    "below 1e-12 dropped": lambda g: xp.where(xp.abs(g) < 1e-12, 0, g),
    "of zeros divided by its size": lambda g: g / xp.abs(g).max() * xp.abs(g).max(),
    "without a positive element": lambda g: g * (1.01 if xp.max(g) < 0 else 1),
    "whose norm is clipped": lambda g: g * min(1, 1e6 / float(xp.sqrt((g * g).sum()))),
}.items():
    twisted(f"a cotangent {_name}", ops.exp, [(3, 4)], 0, before=_before)


@wrong("a gradient kept by the id of the cotangent", ops.exp, [(3, 4)])
def _(vjp, arrays, y, options, kept={}):  # noqa: B006
    return lambda g: kept.setdefault(id(g), g * y)


@wrong("the other input written over", ops.mul, [(3, 4), (3, 4)])
def _(vjp, arrays, y, options):
    other = arrays[1].copy()

    def in_place(g):
        arrays[1][...] = g * other
        return arrays[1].copy()

    return in_place


for _name, _function, _count in (("two factors", ops.mul, 2), ("three pieces", ops.shape._concatenate, 3)):
    wrong(f"the same Tensor for {_name}", _function, [(3, 4)] * _count, **({"axis": 0} if _count == 3 else {}))(
        lambda vjp, arrays, y, options: lambda g: vjp(g) * (0.5 if all(a is arrays[0] for a in arrays) else 1)
    )


# Kept by what is not the whole of the arguments; float32 in a part of a large array; cotangents of a certain form


def _address(array):
    return array.__array_interface__["data"][0]


for _name, _key, _shape in (
    ("the address of an argument", lambda x, y: _address(x), (3, 4)),
    ("the address of a large argument", lambda x, y: _address(x), (100, 100)),
    ("the id of an argument", lambda x, y: id(x), (100, 100)),
    ("the address of the output", lambda x, y: _address(y), (100, 100)),
    ("the first element", lambda x, y: float(x.flat[0]), (3, 4)),
    ("both ends", lambda x, y: (float(x.flat[0]), float(x.flat[-1])), (100, 100)),
    ("the sum", lambda x, y: round(float(x.sum()), 6), (3, 4)),
    ("two decimals", lambda x, y: tuple(x.round(2).ravel().tolist()), (3, 4)),
):
    wrong(f"kept by {_name}", ops.exp, [_shape])(
        lambda vjp, arrays, y, options, key=_key, kept={}: lambda g: (
            g * kept.setdefault(key(arrays[0], y), y.copy())
        )
    )  # fmt: skip

for _name, _key in {
    "address": _address,
    "first element": lambda g: float(g.flat[0]),
    "ends": lambda g: (g.flat[0], g.flat[-1]),
    "norm": lambda g: round(float((g * g).sum()), 6),
}.items():

    @wrong(f"a gradient kept by the {_name} of the cotangent", ops.exp, [(100, 100)])
    def _(vjp, arrays, y, options, key=_key):
        kept = {}
        return lambda g: kept.setdefault(key(g), vjp(g))


for _count in (4, 50):

    @wrong(f"{_count} arrays that take turns", ops.exp, [(3, 4)])
    def _(vjp, arrays, y, options, count=_count, calls=itertools.count(), kept={}):  # noqa: B006, B008
        turn = next(calls) % count
        kept[turn] = y
        return lambda g: g * kept[turn]


@wrong("right for the larger numbers, kept for the smaller ones", ops.exp, [(3, 4)])
def _(vjp, arrays, y, options, largest=[]):  # noqa: B006
    """Wrong in the same way wherever the smaller ones lie: no two calls with them differ."""
    size = np.abs(arrays[0]).max()
    if not largest or size > largest[0]:
        largest[:] = [size, y.copy()]
    return lambda g: g * (largest[1] if size < 0.95 * largest[0] else y)


def _partly_float32(array, place):
    array = array.copy()
    array[place] = _through_float32(array[place])
    return array


for _name, _function, _shapes, _position, _which, _place in (
    ("a row, in a factor", ops.mul, [(100, 100)] * 2, 0, 1, 7),
    ("an image of a batch", ops.conv2d, [(4, 30, 30, 2), (3, 3, 2, 2)], 1, 0, 1),
    ("a row of a displacement", ops.warp, [(1, 40, 40, 1), np.tile(FIELD, (1, 8, 8, 1))], 0, 1, (0, 7)),
    ("a row of what is normalised", batch_norm, [(40, 40, 2), (2,), (2,)], 0, 0, 3),
):
    another(
        f"float32 inside {_name}", _function, _shapes, _position,
        lambda *arrays, which=_which, place=_place: [
            _partly_float32(array, place) if i == which else array for i, array in enumerate(arrays)
        ],
    )  # fmt: skip
twisted("float32 inside one pixel", ops.neg, [(100, 100)], 0, before=lambda g: _partly_float32(g, (37, slice(59, 60))))
formula("float32 inside a row of the output", ops.exp, [(100, 100)], 0, lambda g, y, x: g * _partly_float32(y, 7))

for _name, _where in {
    "of one repeated number": lambda g: g.min() == g.max(),
    "of ones": lambda g: (g == 1).all(),
    "of a single element": lambda g: (g != 0).sum() == 1,
    "of few elements": lambda g: (g != 0).mean() < 0.2,
    "of integers": lambda g: (g == g.round()).all(),
    "with a row of zeros": lambda g: (g == 0).all(axis=1).any(),
}.items():
    twisted(
        f"a cotangent {_name}", ops.exp, [(50, 50)], 0, before=lambda g, where=_where: g * (1.001 if where(g) else 1)
    )


def altered(function, position, change, wrong_too):
    """An op that computes what `function` does, with the VJP of one argument replaced."""

    def an_op_of_this_test(*arrays, **options):
        y, vjps = function.__wrapped__(*arrays, **options)
        if not wrong_too:
            return y, vjps
        return y, (*vjps[:position], change(vjps[position], arrays, y, options), *vjps[position + 1 :])

    return op(an_op_of_this_test)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # one mistake is a division by zero
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_vjp_is_rejected_and_the_right_one_is_not(name):
    function, arrays, options, position, change = WRONG[name]
    needed = []
    for seed, wrong_too in itertools.product(range(SEEDS), (False, True)):
        with temporary_ops():
            checked = functools.partial(altered(function, position, change, wrong_too), **options)
            if not wrong_too:
                gradcheck(checked, *arrays, seed=seed)
                continue
            with pytest.raises(WrongGradient, match="gradient of argument") as caught:
                gradcheck(checked, *arrays, seed=seed)
            # A formula that cannot even be computed proves nothing about the checker.
            assert ("backward() raises" in str(caught.value)) == (name == "a shape that does not fit")
            needed.append(caught.value.draws)
    assert (
        name not in OF_THE_VALUE or max(needed) <= len(arrays) + 1
    )  # one argument after the other, then memory of another layout
    print(f"{name}: rejected after {sorted(needed)} comparisons")


def test_the_table_holds_mistakes_in_every_family_of_ops():
    assert len(WRONG) >= 40
    families = {function.__module__ for function, *_ in WRONG.values()}
    assert {f"minireg.ops.{name}" for name in ("arithmetic", "reduction", "shape", "linear", "convolution")} < families
    assert {f"minireg.ops.{name}" for name in ("filtering", "histogram", "pooling", "activation")} < families
    assert {f"minireg.ops.{name}" for name in ("sampling", "similarity")} < families


# Mistakes with some options, sizes or values only: the cases of `minireg.gradcheck` must reach them.
# (op, positions of the arguments): {name: where(call)}; a call has all arguments of the op, and its output y. Where it
# is true (of the call, or of elements of the argument) the gradient is wrong by a thousandth.

pair = lambda value: (value, value) if isinstance(value, int) else value
parts = lambda call: call.index if isinstance(call.index, tuple) else (call.index,)
is_list = lambda part: isinstance(part, (list, xp.ndarray))
is_mask = lambda part: isinstance(part, xp.ndarray) and part.dtype == bool
steps = lambda call: [part.step for part in parts(call) if isinstance(part, slice) and part.step]
sizes_of = lambda call: call.shape if isinstance(call.shape, tuple) else (call.shape,)

SOMETIMES = {
    ("conv2d", 0): {
        "three images": lambda c: len(c.x) == 3,
        "four channels out": lambda c: c.weight.shape[3] == 4,
        "dilation with stride": lambda c: min(pair(c.stride)) > 1 and min(pair(c.dilation)) > 1,
        "several blocks": lambda c: c.weight.shape[1] == 128,
    },
    ("conv2d", 1): {
        "four channels in": lambda c: c.x.shape[3] == 4,
        "four taps": lambda c: c.weight.shape[:2] == (4, 4),
        "several blocks of rows": lambda c: c.weight.shape[1] == 128 and len(c.x) == 1,
        "several blocks of images": lambda c: c.weight.shape[1] == 128 and len(c.x) == 2,
    },
    ("conv_transpose2d", 0): {
        "four channels": lambda c: c.weight.shape[2] == 4,
        "an int for the stride": lambda c: isinstance(c.stride, int),
        "an int for the padding": lambda c: isinstance(c.padding, int) and c.padding,
    },
    ("conv_transpose2d", 1): {"four taps": lambda c: c.weight.shape[0] == 4},
    ("max_pool2d", 0): {
        "an int window": lambda c: isinstance(c.kernel_size, int),
        "three images": lambda c: len(c.x) == 3,
        "a window of four": lambda c: pair(c.kernel_size)[0] == 4,
    },
    ("avg_pool2d", 0): {
        "four channels": lambda c: c.x.shape[3] == 4,
        "gaps": lambda c: c.stride is not None and pair(c.stride)[1] > pair(c.kernel_size)[1],
    },
    ("warp", 0): {"four channels": lambda c: c.image.shape[3] == 4, "three images": lambda c: len(c.image) == 3},
    ("warp", 1): {
        "fractions below .1": lambda c: (c.displacement % 1) < 0.1,
        "fractions above .9 at an end in zeros": lambda c: (c.displacement % 1 > 0.9) & (c.border == "zeros"),
    },
    ("sum", 0): {
        "a long axis": lambda c: max(c.x.shape, default=0) > 8,
        "no axes": lambda c: c.axis == (),
        "an array without axes": lambda c: c.x.ndim == 0,
    },
    ("mean", 0): {
        "unsorted axes": lambda c: isinstance(c.axis, tuple) and list(c.axis) != sorted(c.axis),
        "huge values": lambda c: abs(c.x) > 100,
    },
    ("max", 0): {
        "a tuple of one axis": lambda c: isinstance(c.axis, tuple) and len(c.axis) == 1,
        "huge values": lambda c: abs(c.x) > 100,
    },
    ("variance", 0): {
        "all axes kept": lambda c: c.axis is None and c.keepdims,
        "values far from zero": lambda c: c.x > 50,
    },
    ("batch_norm", 0): {
        "a large eps": lambda c: c.eps == 0.1 and c.training,
        "another momentum": lambda c: c.momentum != 0.1 and c.training,
        "four channels": lambda c: c.x.shape[-1] == 4,
    },
    ("batch_norm", 4): {"a bias without a weight": lambda c: c.weight is None},
    ("matmul", 0): {"three leading axes": lambda c: c.a.ndim == 5, "a vector": lambda c: c.a.ndim == 1 < c.b.ndim},
    ("matmul", 1): {
        "inner products above seven": lambda c: c.a.shape[-1] > 7,
        "a vector": lambda c: c.b.ndim == 1 and c.a.ndim > 2,
    },
    ("getitem", 0): {
        "two lists": lambda c: sum(map(is_list, parts(c))) > 1,
        "a mask in a tuple": lambda c: isinstance(c.index, tuple) and any(map(is_mask, c.index)),
        "a mask and a number": lambda c: any(map(is_mask, parts(c))) and any(isinstance(i, int) for i in parts(c)),
        "negative entries": lambda c: isinstance(c.index, list) and min(c.index, default=0) < 0,
        "a step of three": lambda c: steps(c) == [3, -3],
        "nested tuples": lambda c: any(isinstance(part, tuple) for part in parts(c)),
        "an array without axes": lambda c: isinstance(c.index, xp.ndarray) and c.index.ndim == 0,
        "None beside a list": lambda c: None in [p for p in parts(c) if not is_list(p)] and any(map(is_list, parts(c))),
    },
    ("reshape", 0): {
        "a merge and -1": lambda c: -1 in sizes_of(c) and len(sizes_of(c)) < c.x.ndim,
        "a split": lambda c: sum(n > 1 for n in c.y.shape) > sum(n > 1 for n in c.x.shape),
        "an int": lambda c: isinstance(c.shape, int),
        "no axis": lambda c: c.y.ndim == 0,
    },
    ("_concatenate", 3): {"the fourth piece": lambda c: True},
    ("_concatenate", 0): {"the same piece twice": lambda c: any(c.arrays[0] is piece for piece in c.arrays[1:])},
    ("ncc", 0): {
        "a constant b": lambda c: (c.b == c.b[:, :1, :1, :1]).all(axis=(1, 2, 3)).any() and len(c.b) > 1,
        "nearly equal images": lambda c: (c.y > 0.9).reshape(-1, 1, 1, 1),
    },
    ("ncc", 1): {"three channels": lambda c: c.b.shape[3] == 3},
    ("linear", 1): {"more than four channels": lambda c: c.x.shape[-1] > 4},
    ("exp", 0): {
        "many elements": lambda c: c.x.size > 128,
        "above 5": lambda c: c.x > 5,
        "below -5": lambda c: c.x < -5,
    },
    ("log", 0): {"below .01": lambda c: c.x < 0.01},
    ("sqrt", 0): {"below .01": lambda c: c.x < 0.01},
    ("mul", 0): {"a huge factor": lambda c: abs(c.other) > 100},
    ("div", 0): {"a tiny divisor": lambda c: abs(c.other) < 0.01},
    ("relu", 0): {"huge values": lambda c: c.x > 100},
    ("maximum", 0): {"huge values": lambda c: abs(c.x) > 100},
    ("clip", 0): {"other bounds": lambda c: c.low > 0},
    ("softmax", 0): {
        "seven classes": lambda c: c.x.shape[c.axis] == 7,
        "more classes": lambda c: c.x.shape[c.axis] > 7,
    },
    ("parzen_weights", 0): {"many bins": lambda c: c.bins > 7, "below .1": lambda c: abs(c.x - 0.05) < 0.05},
    ("separable_filter", 0): {"seven taps": lambda c: len(c.kernel) == 7},
}  # fmt: skip
FLAT = {name: lambda c: abs(c.x) > 20 for name in ("sigmoid", "tanh")}  # where a gradient of zero becomes a thousandth


def slightly_wrong(vjp, where, call):
    return lambda g: vjp(g) * xp.where(where(call), 1.001, 1)


def not_flat(vjp, where, call):
    return lambda g: vjp(g) + 0.001 * g * where(call)


def check_with(name, position, where, change, monkeypatch):
    """`check_op` where a VJP of the op is wrong for some calls."""
    recorded = REGISTRY[name]
    place = recorded.__closure__[recorded.__code__.co_freevars.index("function")]
    right = place.cell_contents
    signature = inspect.signature(right)

    def sometimes_wrong(*args, **options):
        y, vjps = right(*args, **options)
        bound = signature.bind(*args, **options)
        bound.apply_defaults()
        if position < len(vjps) and vjps[position] is not None:
            call = SimpleNamespace(**bound.arguments, y=y)
            vjps = (*vjps[:position], change(vjps[position], where, call), *vjps[position + 1 :])
        return y, vjps

    monkeypatch.setattr(place, "cell_contents", sometimes_wrong)
    return check_op(name)


@pytest.mark.parametrize(
    "name, position, kind", [(name, position, kind) for (name, position), kinds in SOMETIMES.items() for kind in kinds]
)
def test_a_vjp_that_is_wrong_for_some_calls_only_is_rejected(name, position, kind, monkeypatch):
    row = check_with(name, position, SOMETIMES[name, position][kind], slightly_wrong, monkeypatch)
    assert row.verdict == "WRONG"


@pytest.mark.parametrize("name, position", [("conv2d", 0), ("conv2d", 1), ("avg_pool2d", 0), ("pad", 0), ("warp", 0)])
def test_a_vjp_that_keeps_something_by_the_sizes_alone_is_rejected(name, position, monkeypatch):
    kept = {}

    def stale(vjp, where, call):
        sizes = tuple(value.shape for value in vars(call).values() if hasattr(value, "shape"))
        options = [value for value in vars(call).values() if not hasattr(value, "shape")]
        return lambda g: vjp(g) * (1 if kept.setdefault(sizes, options) == options else 1.001)

    assert check_with(name, position, None, stale, monkeypatch).verdict == "WRONG"


@pytest.mark.parametrize("name", FLAT)
def test_a_slope_where_a_function_is_flat_to_rounding_is_rejected(name, monkeypatch):
    assert check_with(name, 0, FLAT[name], not_flat, monkeypatch).verdict == "WRONG"

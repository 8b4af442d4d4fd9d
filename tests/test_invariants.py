"""What must hold whatever the numbers are: symmetries of the operations, and that layout and precision do not matter.

Not repeated here: convolution against the loop over its definition (test_convolution.py), integer displacements as
shifts (test_warp.py), NCC of one pair of images (test_nn_optim_losses.py).
"""

import numpy as np
import pytest
from gradients import host, output_and_gradients, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from strict_backend import CUPY_NAMES, only_what_cupy_has, strict_numpy

from minireg import Tensor, backend, nn, ops
from minireg.fields import compose
from minireg.models import MODELS

some = settings(max_examples=25, deadline=None, database=None)
few = settings(max_examples=10, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)
shifts = st.tuples(st.integers(-2, 2), st.integers(-2, 2))


def value(function, *arrays):
    return host(function(*(tensor(array, False) for array in arrays)))


# Similarity


@some
@given(
    seed=seeds,
    gain=st.floats(0.01, 100),
    offset=st.floats(-10, 10),
    sign=st.sampled_from([1, -1]),
    shape=st.tuples(st.integers(1, 3), st.integers(2, 6), st.integers(2, 6), st.integers(1, 2)),
)
def test_ncc_does_not_see_gain_and_offset_and_turns_around_with_the_sign(seed, gain, offset, sign, shape):
    a, b = np.random.default_rng(seed).standard_normal((2, *shape))
    expected = value(ops.ncc, a, b)
    for changed in (value(ops.ncc, sign * gain * a + offset, b), value(ops.ncc, a, sign * gain * b + offset)):
        np.testing.assert_allclose(changed, sign * expected, atol=1e-9)


@some
@given(seed=seeds)
def test_the_gradient_of_ncc_is_orthogonal_to_gain_and_offset(seed):
    a, b = np.random.default_rng(seed).standard_normal((2, 2, 3, 4, 1))
    _, gradients = output_and_gradients(ops.ncc, [a, b])
    for image, gradient in zip((a, b), gradients, strict=True):
        np.testing.assert_allclose(gradient.sum(axis=(1, 2, 3)), 0, atol=1e-9)
        np.testing.assert_allclose((gradient * image).sum(axis=(1, 2, 3)), 0, atol=1e-9)


# Shifts


def field_of(shift, shape):
    return np.broadcast_to(np.array(shift, float), (*shape, 2)).copy()


@some
@given(seed=seeds, first=shifts, second=shifts, border=st.sampled_from(["zeros", "edge"]))
def test_two_shifts_in_turn_are_the_shift_by_their_sum(seed, first, second, border):
    image = np.random.default_rng(seed).standard_normal((1, 9, 10, 2))
    one, other = field_of(first, (1, 9, 10)), field_of(second, (1, 9, 10))
    warp = lambda image, field: ops.warp(image, field, border)
    in_turn = value(lambda image, u, v: warp(warp(image, v), u), image, one, other)
    at_once = value(warp, image, one + other)
    np.testing.assert_array_equal(in_turn[:, 4:-4, 4:-4], at_once[:, 4:-4, 4:-4])
    np.testing.assert_array_equal(value(compose, one, other), one + other)


@some
@given(
    seed=seeds,
    shift=shifts,
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.integers(1, 2),
    stride=st.integers(1, 2),
)
def test_convolving_what_was_shifted_shifts_what_was_convolved(seed, shift, kernel, dilation, stride):
    rng = np.random.default_rng(seed)
    image, weight = rng.standard_normal((1, 14, 15, 2)), rng.standard_normal((*kernel, 2, 3))
    convolve = lambda x, w: ops.conv2d(x, w, stride=stride, dilation=dilation, padding="same")
    moved = tuple(stride * s for s in shift)  # a shift of the input by the stride is one pixel of the output
    expected = np.roll(value(convolve, image, weight), shift, axis=(1, 2))
    found = value(convolve, np.roll(image, moved, axis=(1, 2)), weight)
    margin = 2 + -(-(2 * stride + 2 * dilation) // stride)
    inside = (slice(None), slice(margin, -margin), slice(margin, -margin))
    np.testing.assert_allclose(found[inside], expected[inside], atol=1e-12)


# States


@few
@given(seed=seeds, name=st.sampled_from(sorted(MODELS)))
def test_a_state_goes_to_another_network_and_comes_back_the_same(seed, name):
    first, second = (MODELS[name](np.random.default_rng(s)) for s in (seed, seed + 1))
    state = first.state_dict()
    for array in state.values():
        array += np.random.default_rng(seed).standard_normal(array.shape).astype(array.dtype)
    second.load_state_dict(state)
    for key, array in second.state_dict().items():
        np.testing.assert_array_equal(array, state[key])
        assert array.dtype == state[key].dtype


# Memory and precision


def small_network(seed):
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, rng, stride=2, padding=1),
        nn.BatchNorm(3),
        nn.Activation(ops.leaky_relu, negative_slope=0.2),
        nn.ConvTranspose2d(3, 2, 2, rng, stride=2),
    )


@few
@given(seed=seeds)
def test_float32_and_float64_agree_to_the_precision_of_float32(seed):
    images = np.random.default_rng(seed).uniform(0, 1, (2, 6, 8, 2)).astype(np.float32)
    rough = value(small_network(seed), images)
    network = small_network(seed)
    for parameter in network.parameters():
        parameter.data = parameter.data.astype(np.float64)
    norm = network.layers[1]
    norm.running_mean, norm.running_var = (a.astype(np.float64) for a in (norm.running_mean, norm.running_var))
    exact = value(network, images.astype(np.float64))
    assert rough.dtype == np.float32 and exact.dtype == np.float64
    np.testing.assert_allclose(rough, exact, atol=2e-3 * np.abs(exact).max())


def layouts(array):
    """The same numbers: copied from channels first, cut out of a larger array, and in reverse."""
    yield np.moveaxis(np.ascontiguousarray(np.moveaxis(array, -1, 1)), 1, -1)
    larger = np.zeros((*array.shape[:-1], array.shape[-1] + 3), array.dtype)
    larger[..., 1:-2] = array
    yield larger[..., 1:-2]
    yield np.ascontiguousarray(array[:, ::-1])[:, ::-1]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.conv2d(x, tensor(np.linspace(-1, 1, 54).reshape(3, 3, 2, 3)), padding=1),
        lambda x: ops.conv_transpose2d(x, tensor(np.linspace(-1, 1, 24).reshape(2, 2, 3, 2)), stride=2),
        lambda x: ops.max_pool2d(x, 2),
        lambda x: ops.avg_pool2d(x, 2),
        lambda x: ops.upsample_bilinear(x, 2),
        lambda x: ops.upsample_nearest(x, 2),
        lambda x: ops.space_to_depth(x, 2),
        lambda x: ops.warp(x, tensor(np.full((2, 4, 6, 2), 0.3))),
        lambda x: ops.ncc(x, tensor(np.linspace(0, 1, 96).reshape(2, 4, 6, 2) ** 2)),
        lambda x: ops.linear(x, tensor(np.linspace(-1, 1, 6).reshape(2, 3))),
    ],
)
@few
@given(seed=seeds)
def test_the_way_an_image_lies_in_memory_does_not_matter(function, seed):
    image = np.random.default_rng(seed).standard_normal((2, 4, 6, 2))
    expected = value(function, image)
    for view in layouts(image):
        there = view if backend.active().name == "numpy" else backend.to_device(view)
        np.testing.assert_allclose(host(function(Tensor(there))), expected, atol=1e-12)


# The strict backend


def test_the_strict_backend_offers_nothing_that_cupy_lacks():
    assert set(vars(strict_numpy)) - {"lib"} <= CUPY_NAMES
    with pytest.raises(AttributeError, match=r"CuPy has no linalg\.no_such"):
        only_what_cupy_has(["norm", "no_such"], "linalg.")

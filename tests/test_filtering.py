"""Separable filters: the values, the windows at the border, and what is refused."""

import numpy as np
import pytest
from gradients import host, output_and_gradients, tensor
from hypothesis import given
from hypothesis import strategies as st

from minireg import ops


def separable_filter_reference(x, kernel):
    """Window by window, as the formula says."""
    k = len(kernel)
    n, h, w, c = x.shape
    y = np.zeros((n, h - k + 1, w - k + 1, c))
    for p in range(h - k + 1):
        for q in range(w - k + 1):
            y[:, p, q] = np.einsum("nijc,i,j->nc", x[:, p : p + k, q : q + k], kernel, kernel)
    return y


@given(
    radius=st.integers(0, 3),
    extra=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    channels=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_every_window_inside_the_image_is_summed_with_the_weights_of_the_kernel(radius, extra, channels, seed):
    rng = np.random.default_rng(seed)
    kernel = rng.standard_normal(2 * radius + 1).tolist()
    x = rng.standard_normal((2, *(len(kernel) + e for e in extra), channels))
    y = host(ops.separable_filter(tensor(x), kernel))
    np.testing.assert_allclose(y, separable_filter_reference(x, kernel), rtol=1e-12, atol=1e-12)


def test_an_image_of_ones_gives_the_squared_sum_of_the_kernel():
    y = host(ops.separable_filter(tensor(np.ones((1, 5, 7, 2), np.float32)), [0.25, 0.5, 1.0]))
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, np.full((1, 3, 5, 2), 1.75**2))


@pytest.mark.parametrize(
    "shape, kernel", [((5, 5, 1), [1.0]), ((1, 5, 5, 1), [1.0, 1.0]), ((1, 5, 2, 1), [1.0] * 3), ((1, 5, 5, 1), [])]
)
def test_a_kernel_that_does_not_fit_is_refused(shape, kernel):
    with pytest.raises(ValueError, match=f"odd length, at most H and W; got shape .* and {len(kernel)} taps"):
        ops.separable_filter(tensor(np.zeros(shape, np.float32)), kernel)


def test_pytorch_gives_the_same_values_and_gradients():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    kernel, x, cotangent = [0.2, -0.5, 0.9], rng.standard_normal((2, 5, 6, 3)), rng.standard_normal((2, 3, 4, 3))
    y, (g_x,) = output_and_gradients(lambda x: ops.separable_filter(x, kernel), [x], cotangent)
    images = torch.tensor(x, requires_grad=True)
    weight = torch.tensor(np.outer(kernel, kernel)).expand(3, 1, 3, 3)
    expected = torch.nn.functional.conv2d(images.permute(0, 3, 1, 2), weight, groups=3).permute(0, 2, 3, 1)
    expected.backward(torch.tensor(cotangent))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(g_x, images.grad.numpy(), rtol=1e-12, atol=1e-12)

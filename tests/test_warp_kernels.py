"""The kernels of the warp, compiled for the CPU: they compute what the arrays of NumPy do, and start once each."""

import numpy as np
import pytest
from cupy_differences import NotOnCupy, counted_launches
from cupy_kernels import COMPILER, ElementwiseKernel
from gradients import output_and_gradients, tensor
from strict_backend import using

from minireg import ops
from minireg.ops import warp_kernels

pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no C++ compiler")
BORDERS = ["zeros", "edge"]
FAR = [np.nan, np.inf, -np.inf, 1e30, -1e30, 3e9, -2.0, -1.0]


def on_both(image, field, border, g):
    """What NumPy computes and what the kernels do: y, g_image, g_u."""
    results = []
    for name in ("numpy", "strict"):
        with using(name):
            warp = lambda image, field: ops.warp(image, field, border)
            y, gradients = output_and_gradients(warp, [image, field], g, wanted=(0, 1))
            results.append((y, *gradients))
    return results


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_kernels_compute_what_the_arrays_do(border, dtype, channels):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        n, h, w, rows, columns = rng.integers(1, 7, 5)
        image = rng.standard_normal((n, h, w, channels)).astype(dtype)
        field = (rng.standard_normal((n, rows, columns, 2)) * rng.choice([0.1, 1, 5, 1000])).astype(dtype)
        field = np.round(field) if seed % 3 == 0 else field
        if seed % 2:
            field.reshape(-1)[rng.integers(0, field.size, 3)] = rng.choice(FAR, 3)
        g = rng.standard_normal((n, rows, columns, channels)).astype(dtype)
        (y, g_image, g_u), (y_kernel, g_image_kernel, g_u_kernel) = on_both(image, field, border, g)
        np.testing.assert_array_equal(y_kernel, y)  # bit for bit: the same operations in the same order
        np.testing.assert_array_equal(g_u_kernel, g_u)
        np.testing.assert_allclose(g_image_kernel, g_image, rtol=1e-5, atol=20 * np.finfo(dtype).eps)


@pytest.mark.parametrize("border", BORDERS)
def test_a_batch_of_none_starts_no_kernel(border):
    results = on_both(np.ones((0, 3, 4, 2)), np.ones((0, 3, 4, 2)), border, np.ones((0, 3, 4, 2)))
    assert [[x.shape for x in result] for result in results] == [[(0, 3, 4, 2)] * 3] * 2


@pytest.mark.parametrize("dtypes", [(np.float32, np.float64), (np.float64, np.float32), (np.float16, np.float16)])
def test_other_dtypes_go_by_arrays_to_the_same_result(dtypes):
    rng = np.random.default_rng(0)
    image, field = (rng.uniform(-2, 2, (2, 4, 5, 2)).astype(dtype) for dtype in dtypes)
    g = rng.standard_normal((2, 4, 5, 2)).astype(np.result_type(*dtypes))
    with using("strict"):
        assert not warp_kernels.fit(image, field)
    for by_numpy, by_strict in zip(*on_both(image, field, "edge", g), strict=True):
        assert by_strict.dtype == by_numpy.dtype
        np.testing.assert_array_equal(by_strict, by_numpy)


def test_the_warp_starts_one_kernel_and_each_vjp_one():
    rng = np.random.default_rng(0)
    with using("strict"):
        image, field, g = (tensor(rng.standard_normal((2, 4, 5, 2)).astype(np.float32)) for _ in range(3))
        with counted_launches() as launches:
            ops.warp(image, field).backward(g.data)
    assert launches == {"warp": 1, "warp, backward": 2 + 1 + 2}  # and the zeros to add to, and a copy for each leaf


def test_the_stand_in_notices_a_kernel_that_reads_outside():
    kernel = ElementwiseKernel("raw T x", "raw T y", "y[i] = x[i + 1];", "shifted")
    x = np.arange(4.0)
    kernel(x, y := np.zeros(3), size=3)
    assert y.tolist() == [1, 2, 3]
    with pytest.raises(NotOnCupy, match="shifted reads or writes outside"):
        kernel(x, np.zeros(4), size=4)
    with pytest.raises(TypeError, match="mismatched"):
        kernel(x, np.zeros(3, np.float32), size=3)

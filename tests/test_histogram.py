"""Parzen weights: a cubic B-spline around every intensity, and what happens at the ends."""

import numpy as np
import pytest
from gradients import host, output_and_gradients, tensor
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minireg import ops

intensities = arrays(np.float64, (2, 5), elements=st.floats(0, 1))


def parzen_weights_reference(x, bins):
    """The cubic B-spline of the distance to every bin."""
    distance = np.abs(1 + (bins - 3) * x[..., None] - np.arange(bins))
    return (np.maximum(2 - distance, 0) ** 3 - 4 * np.maximum(1 - distance, 0) ** 3) / 6


@given(x=intensities, bins=st.integers(4, 20))
def test_the_weights_are_the_cubic_b_spline_of_the_distance_and_add_up_to_one(x, bins):
    y = host(ops.parzen_weights(tensor(x), bins))
    np.testing.assert_allclose(y, parzen_weights_reference(x, bins), rtol=0, atol=1e-12)
    np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-12)
    assert y.min() >= -1e-15


def test_intensities_beyond_the_ends_count_as_the_ends_and_have_no_slope():
    x, cotangent = np.array([-3.0, 0.0, 1.0, 1.5]), np.random.default_rng(0).standard_normal((4, 7))
    y, (g_x,) = output_and_gradients(lambda x: ops.parzen_weights(x, 7), [x], cotangent)
    np.testing.assert_array_equal(y[[0, 3]], y[[1, 2]])
    np.testing.assert_array_equal(g_x[[0, 3]], 0)


def test_at_the_ends_the_slope_inside_is_meant():
    h, cotangent = 1e-6, np.random.default_rng(0).standard_normal((2, 7))
    _, (g_x,) = output_and_gradients(lambda x: ops.parzen_weights(x, 7), [np.array([0.0, 1.0])], cotangent)
    inside, ends = (host(ops.parzen_weights(tensor(np.array(x)), 7)) for x in ([h, 1 - h], [0.0, 1.0]))
    expected = (cotangent * (inside - ends)).sum(axis=-1) / [h, -h]
    np.testing.assert_allclose(g_x, expected, rtol=1e-4)


def test_an_intensity_that_is_not_a_number_spoils_its_own_weights_only():
    y = host(ops.parzen_weights(tensor(np.array([0.3, np.nan, 0.6], np.float32)), 8))
    assert np.isnan(y).any(axis=-1).tolist() == [False, True, False]


def test_fewer_than_four_bins_are_refused():
    with pytest.raises(ValueError, match="at least 4, got 3"):
        ops.parzen_weights(tensor(np.zeros(2, np.float32)), 3)

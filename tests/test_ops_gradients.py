"""Every operation in the registry, called as hypothesis chooses: its VJPs, float32, and a backend as strict as CuPy.

The cases are those of `minireg.gradcheck.cases`, which `python -m minireg.gradcheck` draws from too.
"""

import numpy as np
import pytest
from gradients import HypothesisChooser, ops_of_the_package, output_and_gradients, temporary_ops
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strict_backend import using

from minireg.autograd import op
from minireg.gradcheck import gradcheck
from minireg.gradcheck.cases import CASES
from minireg.gradcheck.choosing import Chooser

each_case = pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{name}-{i}") for name, cases in CASES.items() for i, case in enumerate(cases)]
)


def drawn(max_examples):
    """Let hypothesis choose the call. New calls in every run; --hypothesis-seed=N repeats them."""

    def decorate(test):
        quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much]
        test = settings(max_examples=max_examples, deadline=None, database=None, suppress_health_check=quiet)(test)
        return given(data=st.data(), seed=st.integers(0, 2**32 - 1))(test)

    return decorate


def draw_call(case, data, seed):
    """The function, the arrays, and the generator for the rest."""
    rng = np.random.default_rng(seed)
    return *case.draw(HypothesisChooser(data.draw), rng), rng


def uncovered():
    return sorted(set(ops_of_the_package()) - set(CASES))


def test_every_op_in_the_registry_has_a_case():
    assert uncovered() == [], "ops without a gradient check: see minireg/gradcheck/cases.py"
    assert sorted(set(CASES) - set(ops_of_the_package())) == [], "cases without an op"


def test_an_op_without_a_case_is_found_by_name():
    def cube(x):
        return x**3, (lambda g: 3 * x * x * g,)

    cube.__module__ = "minireg.ops.arithmetic"
    with temporary_ops():
        op(cube)
        assert uncovered() == ["cube"]
    assert uncovered() == []


@each_case
@drawn(max_examples=15)
def test_every_vjp_agrees_with_central_differences(case, data, seed):
    function, arrays, _ = draw_call(case, data, seed)
    gradcheck(function, *arrays, seed=seed, linear=case.linear)


@each_case
@drawn(max_examples=3)
def test_every_vjp_agrees_with_central_differences_on_a_backend_as_strict_as_cupy(case, data, seed):
    with using("strict"):
        function, arrays, _ = draw_call(case, data, seed)
        gradcheck(function, *arrays, seed=seed, linear=case.linear)


@pytest.mark.parametrize("library", ["chosen", "strict"])
@each_case
@drawn(max_examples=6)
def test_every_op_computes_float32_from_float32_forward_and_backward(library, case, data, seed):
    with using(None if library == "chosen" else library):
        function, arrays, rng = draw_call(case, data, seed)
        cotangent = rng.standard_normal(output_and_gradients(function, arrays)[0].shape)
        exact_y, exact_gradients = output_and_gradients(function, arrays, cotangent)
        y, gradients = output_and_gradients(function, [a.astype(np.float32) for a in arrays], cotangent)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, exact_y, rtol=1e-3, atol=1e-3)
        for array, gradient, exact in zip(arrays, gradients, exact_gradients, strict=True):
            assert gradient.dtype == np.float32
            assert gradient.shape == array.shape
            np.testing.assert_allclose(gradient, exact, rtol=1e-2, atol=1e-2)


def float32_call(library, case, seed):
    """The output and the gradients of the same call with the same numbers, on a backend."""
    with using(library):
        rng = np.random.default_rng(seed)
        function, arrays = case.draw(Chooser(rng), rng)
        y, gradients = output_and_gradients(
            function,
            [array.astype(np.float32) for array in arrays],
            lambda shape: np.random.default_rng(seed).standard_normal(shape),
        )
        return [y, *gradients]


@pytest.mark.parametrize("library", ["chosen", "strict"])
@each_case
@pytest.mark.parametrize("seed", range(4))
def test_numpy_and_the_other_backend_agree_to_the_precision_of_float32(library, case, seed):
    expected = float32_call("numpy", case, seed)
    found = float32_call(None if library == "chosen" else library, case, seed)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.abs(b).max(initial=1))

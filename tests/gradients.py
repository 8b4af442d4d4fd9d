"""What the tests of operations share: moving arrays in and out, and calls of ops that hypothesis chooses."""

from contextlib import contextmanager

import numpy as np
from hypothesis import strategies as st

from minireg import Tensor, backend
from minireg.autograd import REGISTRY
from minireg.gradcheck.cases import CASES
from minireg.gradcheck.check import RELATIVE, STEPS, gradcheck


def tensor(host, requires_grad=True):
    """A NumPy array as a Tensor of the backend in use; a copy, so that nothing can change the original."""
    return Tensor(backend.to_device(np.array(host)), requires_grad=requires_grad)


def host(value):
    """A Tensor or an array of the backend in use as a NumPy array."""
    return backend.to_host(value.data if isinstance(value, Tensor) else value)


def output_and_gradients(function, arrays, cotangent=None, wanted=None):
    """Call `function` on Tensors made of `arrays`, and walk back from `cotangent`.

    `cotangent` is an array, or a function of the output's shape that makes one; without it, ones. `wanted` holds the
    positions of the arrays that require a gradient, all of them without it.

    Returns
    -------
    the output and the list of gradients (None where none was wanted), as NumPy arrays
    """
    inputs = [tensor(array, wanted is None or position in wanted) for position, array in enumerate(arrays)]
    y = function(*inputs)
    if callable(cotangent):
        cotangent = cotangent(y.shape)
    cotangent = np.ones(y.shape) if cotangent is None else cotangent
    y.backward(backend.to_device(np.asarray(cotangent, host(y).dtype)))
    return host(y), [None if x.grad is None else host(x.grad) for x in inputs]


def check_vjps(function, *arrays, rng, step=None, tolerance=RELATIVE):
    """`minireg.gradcheck.gradcheck` with its seed from a generator, and with one step instead of several."""
    steps = STEPS if step is None else (step,)
    return gradcheck(function, *arrays, seed=int(rng.integers(2**32)), relative=tolerance, steps=steps)


class HypothesisChooser:
    """A `minireg.gradcheck.choosing.Chooser` whose choices hypothesis makes, and makes simpler where a test fails."""

    def __init__(self, draw):
        self.draw = draw

    def integers(self, low, high):
        return self.draw(st.integers(low, high))

    def sampled_from(self, options):
        return self.draw(st.sampled_from(options))

    def booleans(self):
        return self.draw(st.booleans())


@contextmanager
def temporary_ops():
    """Ops and cases that are made within the block leave the registries at its end."""
    ops, cases = dict(REGISTRY), {name: list(entries) for name, entries in CASES.items()}
    try:
        yield
    finally:
        for registry, before in ((REGISTRY, ops), (CASES, cases)):
            registry.clear()
            registry.update(before)


def ops_of_the_package():
    """The names of the ops that the package registers; test files may have registered ops of their own."""
    return sorted(name for name, function in REGISTRY.items() if function.__module__.startswith("minireg."))

"""What the tests of operations share: moving arrays in and out, and checking VJPs against central differences.

A VJP is checked with a random cotangent and along random directions. With a cotangent of ones, as in a check of the
gradient of `y.sum()`, many wrong VJPs look right: of a softmax that returns zeros, of a transpose that reshapes.
"""

import numpy as np

from minireg import Tensor, backend


class WrongGradient(AssertionError):
    """A VJP disagrees with the central difference."""


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


def check_vjps(function, *arrays, rng, step=1e-5, tolerance=1e-6):
    """Compare every VJP of `function` with a central difference, for each input alone and for all together.

    Parameters
    ----------
    function : takes one Tensor per array, returns a Tensor
    arrays : NumPy arrays, float64
    rng : numpy.random.Generator, for the cotangents c and the directions d

    With L = sum c y, the gradient g must satisfy  sum g d = (L(x + step d) - L(x - step d)) / (2 step)  up to
    `tolerance`, relative to the sizes of the terms in both sums.

    Raises
    ------
    WrongGradient
        Names the function, the inputs, the direction and both numbers.
    """
    everything = tuple(range(len(arrays)))
    for wanted in dict.fromkeys([*((position,) for position in everything), everything]):
        y, _ = output_and_gradients(function, arrays)
        cotangent = rng.standard_normal(y.shape)
        _, gradients = output_and_gradients(function, arrays, cotangent, wanted)
        for position, gradient in enumerate(gradients):
            if (gradient is not None) != (position in wanted):
                raise WrongGradient(f"{_name(function)}: wanted the gradients {wanted}, argument {position} differs")
            if gradient is not None and (gradient.dtype != np.float64 or gradient.shape != arrays[position].shape):
                raise WrongGradient(
                    f"{_name(function)}: the gradient of argument {position} has dtype {gradient.dtype} and shape "
                    f"{gradient.shape}"
                )

        directions = [rng.standard_normal(a.shape) if i in wanted else 0.0 for i, a in enumerate(arrays)]
        losses = []
        for sign in (1, -1):
            moved = [a + sign * step * d for a, d in zip(arrays, directions, strict=True)]
            losses.append(float((cotangent * host(function(*(tensor(a, False) for a in moved)))).sum()))
        numeric = (losses[0] - losses[1]) / (2 * step)
        terms = [gradients[i] * directions[i] for i in wanted]
        analytic = float(sum(term.sum() for term in terms))
        scale = float(sum(abs(term).sum() for term in terms) + abs(cotangent * y).sum())
        if not abs(numeric - analytic) <= tolerance * scale:
            raise WrongGradient(
                f"{_name(function)}: along a random direction of argument(s) {wanted} of shapes "
                f"{[arrays[i].shape for i in wanted]} the VJP says {analytic:.9g}, the central difference "
                f"{numeric:.9g}\ninputs {arrays}\ncotangent {cotangent}\ndirections {directions}"
            )


def _name(function):
    return getattr(function, "__name__", repr(function))

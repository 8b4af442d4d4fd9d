"""What every VJP has whatever its function: no difference quotient is needed, and the tolerance is rounding.

A VJP g -> J^T g is linear; it gives the same on every walk, whatever other calls of the op do meanwhile, and however
its cotangent lies in memory; and it leaves alone what it was given. Mistakes against that hide from a comparison of
values: a cache that another call refreshes, a scratch array that two uses of an op share, a cotangent that is clipped.
"""

import contextlib

import numpy as np

from minireg import backend
from minireg.autograd import Tensor

LARGE = 2.0**60  # exact, so that a linear VJP differs by nothing but rounding
ROUNDING = 1e-11  # relative to the largest element: sums of a few thousand terms, in another order


def check_beside_the_value(check, wanted):
    """Check what does not depend on the value of the gradients of the inputs `wanted`, positions.

    `check` is the `_Check` of one function at one point; its `fail` is called, and raises WrongGradient.
    """
    if not check.y.size:
        return
    inputs, y = check.graph(check.arrays, wanted)
    before = backend.to_host(y.data).copy()
    c = check.random(check.y.shape)
    d = check.random(check.y.shape) * check.rng.choice([0.0, 1.0], check.y.shape)
    of_c, of_d = _walk(inputs, y, c, wanted), _walk(inputs, y, d, wanted)
    sizes = [np.abs(a).max(initial=0) + np.abs(b).max(initial=0) for a, b in zip(of_c, of_d, strict=True)]

    def same(found, expected, what, scale=1.0):
        for i, a, b, size in zip(wanted, found, expected, sizes, strict=True):
            if not np.abs(a - b).max(initial=0) <= scale * ROUNDING * (size + 1e-3):
                check.fail((i,), what)

    check.call_elsewhere(backward=True)
    same(_walk(inputs, y, c, wanted), of_c, "Another result after another call and its backward: what does it keep?")
    both = [a + b for a, b in zip(of_c, of_d, strict=True)]
    same(
        _walk(inputs, y, c + d, wanted), both, "Not linear: the VJP of a sum of cotangents is not the sum of both VJPs."
    )
    for factor, kind in ((LARGE, "large"), (1 / LARGE, "small"), (0.0, "zero")):
        scaled = [factor * a for a in of_c]
        same(
            _walk(inputs, y, factor * c, wanted), scaled, f"A {kind} cotangent is not passed on in proportion.", factor
        )
    for layout in check.layouts[1:]:
        found = _walk(inputs, y, check.laid_out(c, layout), wanted)
        same(found, of_c, f"Another result for a cotangent whose memory is {layout}.")
    repeated = np.broadcast_to(np.array(-1.5), check.y.shape)  # one number in memory: all its strides are 0
    expected = [-a for a in _walk(inputs, y, np.full(check.y.shape, 1.5), wanted)]
    same(_walk(inputs, y, repeated, wanted), expected, "Another result for a cotangent that is one repeated number.")
    if not np.array_equal(backend.to_host(y.data), before, equal_nan=True):
        check.fail(wanted, "backward() changes the output in place.")
    _check_two_uses(check, wanted, c, of_c, same)
    _check_same_memory(check, wanted, c, of_c, same)
    _check_one_tensor_for_all(check, wanted, c)


def _walk(inputs, y, cotangent, wanted):
    """The gradients of the inputs that are wanted, in order, by one more walk through the graph."""
    y.backward(backend.to_device(cotangent), retain_graph=True)
    found = [backend.to_host(inputs[i].grad).copy() for i in wanted]
    for x in inputs:
        x.grad = None
    return found


def _check_two_uses(check, wanted, c, of_c, same):
    """The function stands twice in one graph, before and after another use with other numbers."""
    for change, first in ((np.flip, False), (lambda a: 0.9 * a, True)):
        other = check.elsewhere(change, wanted)
        if other is None or other[1].shape != check.y.shape or not other[1].requires_grad:
            continue
        inputs, y = check.graph(check.arrays, wanted)
        total = y + other[1] if first else other[1] + y
        total.backward(backend.to_device(c))
        found = [backend.to_host(inputs[i].grad) for i in wanted]
        same(found, of_c, "Another result where the function stands twice in a graph: do both uses share an array?")


def _check_same_memory(check, wanted, c, of_c, same):
    """The arrays held other numbers in the call before, as where a loader writes each batch into the same memory."""
    arrays = [backend.to_device(a.copy()) for a in check.arrays]
    inputs = [Tensor(array, requires_grad=i in wanted) for i, array in enumerate(arrays)]
    for i in check.floating:
        arrays[i] *= 0.9
    with contextlib.suppress(Exception), np.errstate(all="ignore"):  # they may make no sense to fn
        _walk(inputs, check.fn(*inputs), c, wanted)
    for i in check.floating:
        arrays[i][...] = backend.to_device(check.arrays[i])
    found = _walk(inputs, check.fn(*inputs), c, wanted)
    same(found, of_c, "Another result where its arrays held other numbers before: does it keep something by memory?")


def _check_one_tensor_for_all(check, wanted, c):
    """One Tensor passed for several arguments gets the sum of what each would get."""
    if len(wanted) < 2 or len({check.arrays[i].shape for i in wanted}) > 1:
        return
    first = check.arrays[wanted[0]]
    arrays = [first if i in wanted else array for i, array in enumerate(check.arrays)]
    try:
        with np.errstate(all="ignore"):  # equal arguments may be a kink or a pole of fn
            apart, y = check.graph(arrays, wanted)
            alone = _walk(apart, y, c, wanted)
            one = Tensor(backend.to_device(first.copy()), requires_grad=True)
            inputs = [one if i in wanted else Tensor(backend.to_device(a)) for i, a in enumerate(arrays)]
            check.fn(*inputs).backward(backend.to_device(c))
    except Exception:  # fn need not take equal arguments
        return
    expected, found = sum(alone), backend.to_host(one.grad)
    known = np.isfinite(expected)
    size = sum(np.abs(a[known]).max(initial=0) for a in alone)
    if not np.abs(found - expected)[known].max(initial=0) <= ROUNDING * (size + 1e-3):
        check.fail(wanted, "One Tensor passed for all of them does not get the sum of their gradients.")

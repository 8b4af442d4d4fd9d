"""What every VJP has whatever its function: no difference quotient is needed, and the tolerance is rounding.

A VJP g -> J^T g is linear; it gives the same on every walk, whatever other calls of the op do meanwhile, and however
its cotangent lies in memory; and it leaves alone what it was given. Mistakes against that hide from a comparison of
values: a cache that another call refreshes, a scratch array that two uses of an op share, a cotangent that is clipped.
"""

import contextlib

import numpy as np

from minireg import backend
from minireg.autograd import Tensor

LARGE = 3.0**38  # no power of two: float32 on the way rounds a multiple by it differently
ROUNDING = 1e-11  # relative to the largest element: sums of a few thousand terms, in another order
ROUNDINGS, EPS = 100, float(np.finfo(np.float64).eps)  # what x is rounded to moves the VJP, too
STEP = 1e-7  # relative to x: about two numbers of float32 further
FAR = 1000.0  # an x that is larger takes no longer steps: its function need not be stretched as it is
STILL, STILL_LINES, NOISE = 1e-6, 5, 30  # how much shorter, how many, and how much more than there is no noise
SMOOTH = 1e-10  # relative to the largest element; stairs of float32 are 6e-8 high
OTHER, TURNS = 0.9, 3  # times x: other numbers in its memory, and how often they take turns
SAME_MEMORY = "Another result where its arrays held other numbers before: does it keep something by memory?"


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
    even = np.full(check.y.shape, -1.5)
    parts = of_c, of_d, _ = [_walk(inputs, y, g, wanted) for g in (c, d, even)]
    sizes = [sum(np.abs(part).max(initial=0) for part in of_one) for of_one in zip(*parts, strict=True)]

    def same(found, expected, what, scale=1.0):
        for i, a, b, size in zip(wanted, found, expected, sizes, strict=True):
            if not np.abs(a - b).max(initial=0) <= scale * ROUNDING * (size + 1e-3):
                check.fail((i,), what)

    everything = wanted == tuple(check.floating)
    if everything:
        check.call_elsewhere(backward=True)
    same(_walk(inputs, y, c, wanted), of_c, "Another result after another call and its backward: what does it keep?")
    pieces = [_walk(inputs, y, piece, wanted) for piece in _pieces(c + d + even, check.rng)]
    total, expected = ([sum(of_one) for of_one in zip(*walks, strict=True)] for walks in (pieces, parts))
    same(total, expected, "Not linear: the VJP of a sum of cotangents is not the sum of their VJPs.")
    for factor, kind in ((LARGE, "large"), (1 / LARGE, "small"), (0.0, "zero")):
        scaled = [factor * a for a in of_c]
        same(
            _walk(inputs, y, factor * c, wanted), scaled, f"A {kind} cotangent is not passed on in proportion.", factor
        )
    for layout in check.layouts[1:]:
        found = _walk(inputs, y, check.laid_out(c, layout), wanted)
        same(found, of_c, f"Another result for a cotangent whose memory is {layout}.")
    repeated = np.broadcast_to(np.array(1.0), check.y.shape)  # one number in memory: all its strides are 0
    expected = [a / -1.5 for a in parts[2]]
    same(_walk(inputs, y, repeated, wanted), expected, "Another result for a cotangent that is one repeated number.")
    reused = backend.to_device(c.copy())
    for cotangent, expected in ((c, of_c), (d, of_d)):
        reused[...] = backend.to_device(cotangent)
        found = _walk(inputs, y, reused, wanted)
        same(found, expected, "Another result for a cotangent in the memory of another: does it keep something by it?")
    if not np.array_equal(backend.to_host(y.data), before, equal_nan=True):
        check.fail(wanted, "backward() changes the output in place.")
    _check_two_uses(check, wanted, c, of_c, same)
    _check_same_memory(check, wanted, c, of_c, same)
    _check_one_tensor_for_all(check, wanted, c)
    if everything:
        _check_smooth(check, wanted, c, of_c)


def graph_for_later(check):
    """Record a graph now; the function that is returned walks it after many other calls, and expects the same."""
    wanted = tuple(check.floating)
    try:
        inputs, y = check.graph(check.arrays, wanted)
    except Exception:  # the comparisons tell what is wrong there
        return lambda: None
    if not check.y.size:
        return lambda: None
    c = check.random(check.y.shape)

    def compare():
        new, old = (_walk(*graph, c, wanted) for graph in (check.graph(check.arrays, wanted), (inputs, y)))
        for i, a, b in zip(wanted, old, new, strict=True):
            if not np.abs(a - b).max(initial=0) <= ROUNDING * (np.abs(b).max(initial=0) + 1e-3):
                check.fail(
                    (i,), "Another result of a graph after many other calls: which of them overwrites its arrays?"
                )

    return compare


def _pieces(g, rng):
    """A cotangent in three: one element of it, the rest of one slice along its first axis, and all else."""
    one, row = np.zeros((2, *g.shape), bool)
    one.flat[rng.integers(g.size)] = True
    if g.ndim:
        row[rng.integers(len(g))] = True
    return [np.where(mask, g, 0) for mask in (one, row & ~one, ~row & ~one)]


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
    """The same arrays hold other numbers in turn, as where a loader writes each batch into the same memory.

    What is right for the other numbers, differences tell. Another call could not: an op that keeps something by memory
    may be wrong there in the same way, where that memory was in use before.
    """
    arrays, cotangent = [backend.to_device(a.copy()) for a in check.arrays], backend.to_device(c.copy())
    inputs = [Tensor(array, requires_grad=i in wanted) for i, array in enumerate(arrays)]

    def walk(factor):
        for i in check.floating:
            arrays[i][...] = backend.to_device(factor * check.arrays[i])
        cotangent[...] = backend.to_device(factor * c)
        return _walk(inputs, check.fn(*inputs), cotangent, wanted)

    expected = {1.0: of_c}
    wrong = False
    with contextlib.suppress(Exception), np.errstate(all="ignore"):  # the other numbers may make no sense to fn
        found = walk(OTHER)
        there = check.at([OTHER * a if i in check.floating else a for i, a in enumerate(check.arrays)])
        directions = {i: check.random(check.arrays[i].shape) for i in wanted}
        agree, settles = there.compare(dict(zip(wanted, found, strict=True)), directions, OTHER * c)
        if settles and np.isfinite(there.y).all():
            expected[OTHER], wrong = found, not agree
    if wrong:
        check.fail(wanted, SAME_MEMORY)
    with np.errstate(all="ignore"):
        for factor, right in TURNS * list(expected.items()):
            same(walk(factor), right, SAME_MEMORY)


def _check_smooth(check, wanted, c, of_c):
    """Along a line in x a VJP has no stairs, as float32 anywhere on the way makes, be it for one element of many.

    The fourth differences of anything smooth vanish over so short a line, to the rounding of the VJP and of x. Those of
    rounded numbers do not. Where large terms cancel, rounding is more than the gradient tells: what is left on lines
    that are a million times as short, on which float32 stands still, is no stair.
    """

    def along_a_line(step):
        lines = {
            i: step * check.random(check.arrays[i].shape) * np.clip(check.arrays[i], -FAR, FAR) for i in check.floating
        }
        walks = [of_c]
        for n in range(1, 5):
            arrays = [a + n * lines[i] if i in lines else a for i, a in enumerate(check.arrays)]
            walks.append(_walk(*check.graph(arrays, wanted), c, wanted))
        return [np.array(points) for points in zip(*walks, strict=True)]

    def largest(points, n):
        return np.abs(np.diff(points, n, axis=0)).max(initial=0)

    far = max(1, *(np.abs(check.arrays[i]).max(initial=0) / FAR for i in check.floating))
    for k, points in enumerate(along_a_line(STEP)):
        stairs = largest(points, 4)
        smooth = SMOOTH * (np.abs(points[0]).max(initial=0) + 1e-3) + ROUNDINGS * EPS / STEP * far * largest(points, 1)
        if stairs <= smooth:
            continue
        noise = np.median([largest(along_a_line(STEP * STILL)[k], 4) for _ in range(STILL_LINES)])
        if not stairs <= NOISE * noise:
            what = "It moves in stairs as the arguments do: somewhere it computes with less than float64."
            check.fail((wanted[k],), what)


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

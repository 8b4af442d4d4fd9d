"""Are the gradients right? Every VJP against central differences.

    gradcheck(ops.conv2d, x, weight)         # NumPy arrays; silent if all is well
    gradcheck(my_op, x, seed=3)              # raises WrongGradient, which says what is wrong, where, and what fits

For an op y = f(x) with Jacobian J, a VJP claims to compute J^T c for a cotangent c. For every direction d,

    sum c (J d)  =  sum (J^T c) d        where  J d = (f(x + h d) - f(x - h d)) / (2 h) + O(h^2)

so one number on the left, found without the VJP, tests all of the VJP at once. Directions and cotangents are random:
with a cotangent of ones, the gradient of y.sum(), many wrong VJPs look right (`docs/verification.md` shows three).

How exact is exact? J d is computed with steps h and 2 h, and extrapolated. That leaves three errors, and the two sides
may differ by their sum, no more:

    truncation   at most the gap between the differences with h and 2 h. The extrapolation removes most of it; where
                 the gap is large (a kink nearby, a strong curvature), a smaller step is tried.
    rounding     f(x) is known to some eps (2.2e-16) of y and of what x's own rounding does to it; divided by h. Where y
                 is below 1, to some eps of 1: a sigmoid near 0 is the sum of 1 and nearly -1.
    the VJP's    a relative 1e-8 of the sums of the absolute terms on both sides: a hundred times what rounding leaves
                 there, less than what one float32 on the way does, and than one wrong element among ten thousand.

Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 3; Richardson's extrapolation, 1911.
"""

import contextlib
import copy
import inspect
import itertools
import math
from typing import NamedTuple

import numpy as np

from minireg import backend
from minireg.autograd import Tensor, no_grad
from minireg.backend import xp
from minireg.errors import InputError
from minireg.gradcheck.beside import check_beside_the_value, graph_for_later
from minireg.gradcheck.explaining import explain

EPS = float(np.finfo(np.float64).eps)
# With h = 1e-4 the extrapolated difference is off by about h^4 = 1e-16 and by 2 eps / h = 4e-12, relative to the
# derivative of a function of ordinary curvature. The smaller steps are for functions that are not ordinary.
STEPS = (1e-4, 1e-5, 1e-6, 1e-7)
RELATIVE = 1e-8  # less than float32 rounds: 6e-8
ROUNDINGS = 100  # an op rounds more than once; the sums in these checks have tens of terms, rarely thousands
SMOOTH = 1e-3  # a function whose differences with h and 2 h differ by more has a kink here, whatever the step
JACOBIAN_SIZE = 400  # at most so many elements of a Jacobian are compared one by one
SOME = 8  # elements of a larger array that are compared
OTHERS = (  # other numbers: all, those with the same sum, size, ends, or first digits
    lambda a: 0.9 * a,
    np.flip,
    lambda a: -np.flip(a),
    lambda a: np.concatenate([a.flat[:1], 0.9 * a.flat[1:-1], a.flat[1:][-1:]]).reshape(a.shape),
    lambda a: (1 + 1e-6) * a,
)


class WrongGradient(AssertionError):
    """A VJP disagrees with the central difference. `draws` says how many comparisons it took to find out."""

    draws = 0


class Report(NamedTuple):
    """What a check that found nothing wrong has done."""

    arguments: tuple  # the names of those that were checked
    draws: int  # how many comparisons, each along a new direction and with a new cotangent
    worst: float  # the largest error among them, relative to the absolute terms of y and of the derivative


def gradcheck(fn, *inputs, draws=4, seed=0, linear=(), relative=RELATIVE, steps=STEPS):
    """Check the VJPs of `fn` with respect to every floating-point input, each alone and all together.

    Besides the comparison that the top of this file explains, on arrays that are contiguous, transposed and strided:
    the full Jacobian where it is small, and single elements where it is large; that no array is changed on the way; and
    what every VJP has whatever its function (`beside.py`): it is linear, to rounding; it gives the same on every walk,
    for a cotangent of any layout, whatever other calls of `fn` do meanwhile, and where `fn` stands twice in a graph.

    Parameters
    ----------
    fn : an op, or any function of Tensors that returns a Tensor
        Deterministic: where it draws random numbers, it must begin with the same generator each time.
    inputs : NumPy arrays, arrays of the backend, Tensors or numbers
        Those of floating point are checked, in float64. Keep them away from kinks.
    draws : int
        How many random directions and cotangents for each set of inputs.
    seed : int or sequence of ints, from which they come
    linear : ints, positions of inputs in which fn is linear or affine
        For these <A x, c> = <x, A* c> must hold to rounding, for any x: no difference quotient is involved.
    relative : float, the tolerance relative to the absolute terms
    steps : floats, the steps to try, from large to small

    Returns a Report

    Raises
    ------
    WrongGradient
        Names the op, the argument, the worst element, both numbers, the shapes and the seed, and what kind of mistake
        fits.
    InputError
        No input of floating point, or `fn` gives two results for the same inputs.
    TypeError
        `fn` returns no Tensor.

    >>> gradcheck(ops.matmul, np.ones((2, 3)), np.ones((3, 4))).arguments
    ('a', 'b')
    >>> gradcheck(lambda x: x * x.detach(), np.ones(3))  # the gradient of x^2 is 2 x, and not x
    Traceback (most recent call last):
    minireg.gradcheck.check.WrongGradient: ... the gradient of argument 0 (x) is wrong...
    """
    check = _Check(fn, inputs, seed, relative, steps)
    check_the_first_graph = graph_for_later(check)
    alone = [(position,) for position in check.floating]
    for draw in range(draws):
        for wanted in dict.fromkeys([*alone, tuple(check.floating)]):
            # In the last draw each direction follows the gradient: there a wrong factor cannot hide behind signs.
            check.direction(wanted, check.layouts[draw % len(check.layouts)], along_gradient=draw == draws - 1)
    for wanted in dict.fromkeys([*alone, *itertools.combinations(check.floating, 2), tuple(check.floating)]):
        check_beside_the_value(check, wanted)
    for position in check.floating:
        if check.arrays[position].size * check.y.size <= JACOBIAN_SIZE:
            check.jacobian(position)
        else:
            check.some_elements(position)
        if position in linear:
            check.adjoint(position)
    check_the_first_graph()
    return Report(tuple(check.names[position] for position in check.floating), check.draws, check.worst)


class _Check:
    """One function at one point, and what has been found out about it."""

    layouts = ("contiguous", "transposed", "strided")

    def __init__(self, fn, inputs, seed, relative, steps):
        self.fn, self.seed, self.relative, self.steps = fn, seed, relative, steps
        self.rng = np.random.default_rng(seed)
        self.draws, self.worst = 0, 0.0
        self.arrays = [_float64(value) for value in inputs]
        self.floating = [i for i, array in enumerate(self.arrays) if array.dtype.kind == "f"]
        self.names = _argument_names(fn, len(inputs))
        self.name = getattr(fn, "__name__", "<lambda>")  # a functools.partial has none either
        if not self.floating:
            raise InputError(f"gradcheck({self.name}): none of the inputs is a floating-point array")
        self.call_elsewhere(backward=True)  # first of all, for an op that remembers its first call, or first backward
        self.y = self.value(self.arrays)
        again = self.value(self.arrays)
        if self.y.shape != again.shape or not np.allclose(self.y, again, rtol=1e-12, atol=0, equal_nan=True):
            raise InputError(
                f"gradcheck({self.name}): two calls with the same inputs give different results. If it draws random "
                "numbers, let it begin with the same generator every time"
            )

    @property
    def y_scale(self):
        """What the rounding of y is relative to."""
        return np.maximum(np.abs(self.y), 1)

    def at(self, arrays):
        """The same check at another point."""
        there = copy.copy(self)
        there.arrays, there.y = arrays, self.value(arrays)
        return there

    def value(self, arrays):
        """fn of NumPy arrays, as a NumPy array; nothing is recorded."""
        with no_grad():
            y = self.fn(*(Tensor(_laid_out(array, "contiguous")) for array in arrays))
        if not isinstance(y, Tensor):
            raise TypeError(
                f"gradcheck({self.name}): expected a function that returns a Tensor, got {type(y).__name__}"
            )
        return backend.to_host(y.data)

    def graph(self, arrays, wanted):
        """Tensors of the arrays, of which the wanted ones require a gradient, and fn of them."""
        inputs = [Tensor(_laid_out(array, "contiguous"), requires_grad=i in wanted) for i, array in enumerate(arrays)]
        return inputs, self.fn(*inputs)

    def elsewhere(self, change, wanted=()):
        """`graph` with other numbers, or None where they make no sense to fn."""
        arrays = [change(array) if i in self.floating else array for i, array in enumerate(self.arrays)]
        with contextlib.suppress(Exception), np.errstate(all="ignore"):
            inputs, y = self.graph(arrays, wanted)
            if isinstance(y, Tensor) and np.isfinite(backend.to_host(y.data)).all():
                return inputs, y
        return None

    def call_elsewhere(self, backward=False):
        """Call fn with other numbers: an op that keeps arrays outside its VJPs now keeps the wrong ones."""
        for change in OTHERS if backward else OTHERS[:1]:
            other = self.elsewhere(change, self.floating if backward else ())
            if backward and other is not None and other[1].requires_grad:
                with contextlib.suppress(Exception), np.errstate(all="ignore"):
                    other[1].backward(backend.to_device(np.ones(other[1].shape)))

    def moved(self, directions, length):
        """y at x + length d, for the directions {position: d}."""
        return self.value([a + length * directions[i] if i in directions else a for i, a in enumerate(self.arrays)])

    def derivative(self, directions):
        """J d in the shape of y, how far it may be off, and the step with which that is smallest."""
        best = None
        for step in self.steps:
            with np.errstate(all="ignore"):  # too long a step may lead to where fn is not defined
                near, far = (
                    (self.moved(directions, n * step) - self.moved(directions, -n * step)) / (2 * n * step)
                    for n in (1, 2)
                )
                gap = np.nan_to_num(np.abs(near - far), nan=np.inf)
            if best is None or gap.sum() < best[1].sum():
                best = (near + (near - far) / 3, gap, step)
            if gap.sum() <= self.relative * np.abs(near).sum():
                break
        return best

    def rounding(self, step, terms):
        """How far rounding may put a difference with this step off, where `terms` are added up."""
        return ROUNDINGS * EPS / step * terms

    def laid_out(self, array, layout):
        """The array on the device, with its elements in memory as the layout says."""
        return _laid_out(array, layout)

    def random(self, shape):
        """Random numbers of both signs, none of them near zero, where it would hide a mistake, and none large."""
        return self.rng.choice([-1.0, 1.0], shape) * self.rng.uniform(0.5, 1.5, shape)

    def gradients(self, wanted, cotangents, layout="contiguous", decoy=True):
        """For each cotangent, {position: J^T c} for the inputs that are wanted; all from one graph."""
        inputs = [Tensor(_laid_out(a, layout), requires_grad=i in wanted) for i, a in enumerate(self.arrays)]
        try:
            y = self.fn(*inputs)
        except Exception as error:  # without gradients, in `value`, it could be computed
            self.fail(wanted, f"It cannot be recorded for a backward, {type(error).__name__}: {error}", error)
        if self.name in ("<lambda>", "fn") and y._node is not None:
            self.name = y._node.op_name  # says more
        if y.dtype != np.float64:
            self.fail(wanted, f"It computes {y.dtype} from float64: somewhere it loses precision.")
        if not y.requires_grad:
            self.fail(wanted, "No gradient arrives: its VJP is None, or the result was taken off the graph.")
        if decoy:
            self.call_elsewhere()
        results = []
        for cotangent in cotangents:
            g = _laid_out(cotangent, layout)
            try:
                y.backward(g, retain_graph=True)
            except Exception as error:
                self.fail(wanted, f"backward() raises {type(error).__name__}: {error}", error)
            for i in wanted:
                if inputs[i].grad is None:
                    self.fail((i,), "No gradient arrives at this argument: its VJP is None.")
            results.append({i: backend.to_host(inputs[i].grad) for i in wanted})
            for x in inputs:
                x.grad = None
            if not np.array_equal(backend.to_host(g), cotangent):
                self.fail(wanted, "The VJP changes its cotangent in place; other ops still need it. Work on a copy.")
        for x, array in zip(inputs, self.arrays, strict=True):
            if not np.array_equal(backend.to_host(x.data), array, equal_nan=array.dtype.kind == "f"):
                self.fail(wanted, "It changes the array of an argument in place. Work on a copy.")
        return results

    def direction(self, wanted, layout, along_gradient):
        """One comparison along a random direction with a random cotangent."""
        self.draws += 1
        cotangent = self.random(self.y.shape)
        # The backward before must leave no trace: a VJP may not change what it has saved.
        _, gradients = self.gradients(wanted, [self.random(self.y.shape), cotangent], layout)
        directions = {i: self.random(self.arrays[i].shape) for i in wanted}
        if along_gradient:
            directions = {i: np.where(gradients[i] < 0, -1, 1) * np.abs(d) for i, d in directions.items()}
        agree, settles = self.compare(gradients, directions, cotangent)
        if not agree:
            explain(self, wanted, cotangent, layout)
        if not settles:
            self.fail(wanted, "No difference quotient settles here: the point is at a kink or a jump. Move the inputs.")

    def compare(self, gradients, directions, cotangent):
        """Whether sum c (J d) is sum (J^T c) d but for the three errors, and whether the difference quotient settles.

        gradients, directions : {position: J^T c}, {position: d}, of the same positions
        """
        dy, gap, step = self.derivative(directions)
        left, right = cotangent * dy, [gradients[i] * d for i, d in directions.items()]
        analytic = math.fsum(term.sum() for term in right)
        size = float(np.abs(left).sum() + sum(np.abs(term).sum() for term in right))
        terms = np.abs(cotangent * self.y_scale).sum()
        terms += sum(np.abs(gradients[i] * self.arrays[i]).sum() for i in directions)
        rounding = self.rounding(step, float(terms))
        gap = float((np.abs(cotangent) * gap).sum())
        error = abs(float(left.sum()) - analytic)
        self.worst = max(self.worst, error / (size + float(terms) or 1))
        return error <= self.relative * size + rounding + gap, gap <= SMOOTH * size + rounding

    def jacobian(self, position):
        """Every element of the Jacobian of y with respect to one input."""
        basis = np.eye(self.y.size).reshape(self.y.size, *self.y.shape)
        x = self.arrays[position]
        rows = self.gradients((position,), basis)
        analytic = np.array([row[position].ravel() for row in rows]).reshape(self.y.size, x.size)
        self.draws += 1
        largest = np.abs(analytic).max(axis=1, initial=0)
        for column, one in enumerate(np.eye(x.size)):
            dy, gap, step = (np.ravel(part) for part in self.derivative({position: one.reshape(x.shape)}))
            terms = self.y_scale.ravel() + (np.abs(analytic) @ np.abs(x).ravel())
            allowed = self.relative * np.maximum(largest, np.abs(dy)) + self.rounding(step, terms) + gap
            wrong = ~(np.abs(analytic[:, column] - dy) <= allowed)
            if wrong.any():
                explain(self, (position,), basis[wrong.argmax()], "contiguous")

    def some_elements(self, position):
        """Single elements of an array whose Jacobian is too large: the first, the last, and others at random."""
        x = self.arrays[position]
        if not x.size or not self.y.size:
            return
        cotangent = self.random(self.y.shape)
        (gradients,) = self.gradients((position,), [cotangent])
        gradient = gradients[position].ravel()
        ends = {0, x.size - 1, x.shape[-1] - 1, x.size - x.shape[-1]} if x.ndim else {0}
        for element in sorted(ends | set(self.rng.integers(0, x.size, SOME).tolist())):
            one = np.zeros(x.size)
            one[element] = 1
            dy, gap, step = self.derivative({position: one.reshape(x.shape)})
            size = np.abs(cotangent * dy).sum() + abs(gradient[element])
            of_y = np.abs(cotangent * self.y_scale)
            terms = of_y[dy != 0].sum() + of_y.max() + abs(gradient[element] * x.flat[element])
            rounding = self.rounding(step, terms)
            if (
                not abs((cotangent * dy).sum() - gradient[element])
                <= self.relative * size + rounding + (np.abs(cotangent) * gap).sum()
            ):
                explain(self, (position,), cotangent, "contiguous")

    def adjoint(self, position):
        """<A d, c> = <d, A* c>, to rounding, where A d = fn(..., d, ...) - fn(..., 0, ...)."""
        self.draws += 1
        cotangent, d = self.random(self.y.shape), self.random(self.arrays[position].shape)
        with_d, with_0 = (
            self.value([x if i == position else a for i, a in enumerate(self.arrays)]) for x in (d, np.zeros_like(d))
        )
        (gradients,) = self.gradients((position,), [cotangent])
        left, right = cotangent * (with_d - with_0), gradients[position] * d
        terms = (np.abs(cotangent) * (np.abs(with_d) + np.abs(with_0))).sum() + np.abs(right).sum()
        if not abs(left.sum() - right.sum()) <= ROUNDINGS * EPS * terms:
            self.fail(
                (position,),
                f"<A x, c> is {left.sum():.15g}, but <x, A* c> is {right.sum():.15g}. Possibly the function is not "
                "linear in this argument, as it was said to be.",
            )

    def fail(self, wanted, what, cause=None, layout="contiguous"):
        """Raise WrongGradient with everything that one needs to see it again."""
        arguments = ", ".join(f"{i} ({self.names[i]})" for i in wanted)
        shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(self.names, self.arrays, strict=True))
        error = WrongGradient(
            f"{self.name}: the gradient of argument {arguments} is wrong.\n{what}\n"
            f"Inputs: {shapes}, memory {layout}. Found in comparison {max(self.draws, 1)} with seed={self.seed}."
        )
        error.draws = max(self.draws, 1)
        raise error from cause


def _float64(value):
    """An input as a NumPy array, those of floating point as float64."""
    array = np.asarray(backend.to_host(value.data) if isinstance(value, Tensor) else _host(value))
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _host(value):
    return backend.to_host(value) if backend.is_array(value) else value


def _laid_out(host, layout):
    """A copy on the device, whose elements lie in memory in their order, in the reversed order of axes, or apart."""
    array = backend.to_device(np.array(host))
    if layout == "transposed":
        return xp.ascontiguousarray(array.T).T if array.ndim > 1 else array
    if layout == "strided" and array.ndim > 0:
        apart = xp.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)[..., ::-2]
        apart[...] = array
        return apart
    return array


def _argument_names(fn, count):
    """The names of the first parameters of fn."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):  # built into Python
        parameters = []
    names = []
    for p in parameters:
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            names.append(p.name)
        elif p.kind == p.VAR_POSITIONAL:
            names += [f"{p.name}[{i}]" for i in range(count - len(names))]
    names = names[:count]
    return names + [f"input {i}" for i in range(len(names), count)]

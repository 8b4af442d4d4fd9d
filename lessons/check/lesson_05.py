"""The checks of the exercises of lesson 5."""

import contextlib
import inspect

import numpy as np

from lessons.check import lesson_05_mistakes
from lessons.check import lesson_05_properties as on_graphs
from lessons.check.checking import Case, Exercise, examine

RNG = np.random.default_rng(5)


def _draw(*shapes):
    return tuple(RNG.standard_normal(shape) for shape in shapes)


# linear: the answer is (y, (vjp_x, vjp_weight)). First its form is looked at, then the three arrays that it leads to.


def _linear_form(linear):
    x, weight, g = np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 4))
    answer = linear(x, weight)
    form = "the form (y, (vjp_x, vjp_weight)): the output, and a tuple of functions"
    if not (isinstance(answer, tuple) and len(answer) == 2):
        return f"The answer must have {form}. Yours is {_kind(answer)}."
    if not (isinstance(answer[1], tuple) and len(answer[1]) == 2):
        return f"The answer must have {form}. The second part of yours is {_kind(answer[1])}."
    for name, vjp in zip(("vjp_x", "vjp_weight"), answer[1], strict=True):
        if not callable(vjp):
            return (
                f"The answer must have {form} that take a cotangent. {name} is {_kind(vjp)}, not a function. When "
                "linear is called, no cotangent is known yet."
            )
        try:
            inspect.signature(vjp).bind(g)
        except TypeError:
            return f"{name} must be a function of the cotangent alone. It may use x and weight, which it remembers."
        except ValueError:
            pass  # a function that does not tell its arguments
        with contextlib.suppress(Exception):  # if it stops, the comparison will tell
            if vjp(g) is None:
                return f"{name} returns nothing (None). Is its `return` missing?"
    return None


def _kind(value):
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return "an array" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"


def _linear_results(linear):
    def results(x, weight, g):
        y, (vjp_x, vjp_weight) = linear(x, weight)
        return y, vjp_x(g), vjp_weight(g)

    return examine(LINEAR_RESULTS, results)


def _linear_reference(x, weight, g):
    """The operation is linear in both arguments, so that moving an element by 1 gives its derivatives exactly."""
    y = np.einsum("ni,io->no", x, weight)
    g_x, g_weight = np.zeros_like(x), np.zeros_like(weight)
    for element in np.ndindex(x.shape):
        moved = x.copy()
        moved[element] += 1
        g_x[element] = (g * (np.einsum("ni,io->no", moved, weight) - y)).sum()
    for element in np.ndindex(weight.shape):
        moved = weight.copy()
        moved[element] += 1
        g_weight[element] = (g * (np.einsum("ni,io->no", x, moved) - y)).sum()
    return y, g_x, g_weight


LINEAR_RESULTS = Exercise(
    name="linear",
    title="the VJPs of a matrix product",
    reference=_linear_reference,
    results=("y", "vjp_x(g)", "vjp_weight(g)"),
    cases=[
        Case("one row, two inputs, one output", (np.array([[1.0, 2.0]]), np.array([[3.0], [5.0]]), np.array([[10.0]]))),
        Case("all matrices 3 x 3", _draw((3, 3), (3, 3), (3, 3))),
        Case("4 rows, 3 inputs, 2 outputs", _draw((4, 3), (3, 2), (4, 2))),
        Case("2 rows, 3 inputs, 5 outputs", _draw((2, 3), (3, 5), (2, 5))),
    ],
    mistakes=lesson_05_mistakes.LINEAR,
)

LINEAR = Exercise(name="linear", title="the VJPs of a matrix product", properties=[_linear_form, _linear_results])


def _sum_reference(share, shape):
    """Number the elements of the input, broadcast the numbers, and add what belongs to the same number."""
    number = np.broadcast_to(np.arange(np.prod(shape, dtype=int)).reshape(shape), share.shape)
    return np.bincount(number.ravel(), share.ravel(), minlength=int(np.prod(shape))).reshape(shape)


def _float32_stays(sum_to_shape):
    got = sum_to_shape(np.ones((2, 3), np.float32), (1, 3))
    if isinstance(got, list):
        return "The result must be an array, yours is a list."
    got = np.asarray(got)
    if got.dtype != np.float32:
        return f"A share in float32 comes back as {got.dtype}. The dtype must stay what it is."
    return None


def _same_total(sum_to_shape):
    share = np.random.default_rng(6).random((2, 3, 4))
    for shape in ((), (4,), (3, 1), (1, 1, 1), (2, 1, 4)):
        total = np.sum(sum_to_shape(share, shape))
        if not np.isclose(total, share.sum()):
            return (
                f"The shares add up to {share.sum():.4g}, your result for the shape {shape} to {total:.4g}. Adding up "
                "in groups loses nothing and counts nothing twice."
            )
    return None


SUM_TO_SHAPE = Exercise(
    name="sum_to_shape",
    title="undo any broadcasting",
    reference=_sum_reference,
    cases=[
        Case("nothing was repeated: (2, 3) to (2, 3)", (*_draw((2, 3)), (2, 3))),
        Case("a number: (2, 3) to ()", (*_draw((2, 3)), ())),
        Case("a row in every line: (2, 3) to (3,)", (*_draw((2, 3)), (3,))),
        Case("a row in every line of a square: (3, 3) to (3,)", (*_draw((3, 3)), (3,))),
        Case("a column, repeated to the right: (2, 3) to (2, 1)", (*_draw((2, 3)), (2, 1))),
        Case("a row that has two axes: (2, 3) to (1, 3)", (*_draw((2, 3)), (1, 3))),
        Case("one element that has two axes: (2, 3) to (1, 1)", (*_draw((2, 3)), (1, 1))),
        Case("a number for each channel: (2, 4, 5, 3) to (3,)", (*_draw((2, 4, 5, 3)), (3,))),
        Case("a column for each channel: (2, 4, 5, 3) to (4, 1, 3)", (*_draw((2, 4, 5, 3)), (4, 1, 3))),
        Case("an image for the whole batch: (2, 4, 5, 3) to (1, 4, 5, 1)", (*_draw((2, 4, 5, 3)), (1, 4, 5, 1))),
        Case("an axis of one that stays: (2, 1, 3) to (1, 3)", (*_draw((2, 1, 3)), (1, 3))),
    ],
    mistakes=lesson_05_mistakes.SUM_TO_SHAPE,
    properties=[_same_total, _float32_stays],
)


TOPOLOGICAL_ORDER = Exercise(
    name="topological_order",
    title="an order in which one may walk back",
    properties=[
        on_graphs.a_leaf,
        on_graphs.ordered("In a chain of three values", {"x": (), "y": ("x",), "L": ("y",)}),
        on_graphs.ordered("In the graph of L = y y + y", on_graphs.DIAMOND),
        on_graphs.ordered("In the graph of L = y + y y", on_graphs.MIRRORED),
        on_graphs.ordered("In the graph of L = x / 2 + x x", on_graphs.TWICE_AT_ONCE),
        on_graphs.ordered("In the graph of L = x x + x / 2", on_graphs.TWICE_MIRRORED),
        on_graphs.ordered("In a graph with values that L does not need", on_graphs.UNUSED),
        on_graphs.ordered("In a graph with a short and a long way from x to L", on_graphs.SHORTCUT),
        on_graphs.ordered("In a graph with several ways from x to L", on_graphs.SHORTCUTS),
        on_graphs.ordered("In a chain that stands in the dictionary in another order", on_graphs.SHUFFLED),
        on_graphs.random_graphs,
        on_graphs.few_lookups,
        on_graphs.deep_chain,
        on_graphs.many_paths,
    ],
)

EXERCISES = [LINEAR, SUM_TO_SHAPE, TOPOLOGICAL_ORDER]

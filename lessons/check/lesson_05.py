"""The checks of the exercises of lesson 5."""

import numpy as np

from lessons.check.calling import Hint, careful
from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_05 import linear, sum_to_shape, topological_order


def _three_arrays(linear):
    """The answer is (y, (vjp_x, vjp_weight)). First its form is looked at, then the arrays that it leads to."""

    def results(x, weight, g):
        form = "The answer must be (y, (vjp_x, vjp_weight)): the output, and a tuple of two functions of g alone."
        answer = linear(x, weight)
        for part in (lambda: answer, lambda: answer[1]):
            if not (isinstance(part(), tuple) and len(part()) == 2):
                size = f" of {len(part())}" if isinstance(part(), tuple) else ""
                raise Hint(f"{form} Where a tuple of two should be, yours has a {type(part()).__name__}{size}.")
        if not all(map(callable, answer[1])):
            raise Hint(f"{form} One of yours is no function. When linear is called, no cotangent is known yet.")
        return answer[0], *map(called, ("vjp_x", "vjp_weight"), answer[1], (g, g))

    def called(name, vjp, g):
        try:
            return careful(vjp)(g)
        except Hint as hint:
            words = str(hint).replace("It stops", f"Called with g alone, {name} stops")
            raise Hint(words.replace("It returns", f"{name} returns")) from None

    return results


def _matrices(seed, n, inputs, outputs):
    shapes = (n, inputs), (inputs, outputs), (n, outputs)
    return tuple(draw(seed + k, *shape, low=-2, high=2) for k, shape in enumerate(shapes))


X, WEIGHT, G = _matrices(8, 4, 3, 2)

LINEAR = Exercise(
    linear,
    "the VJPs of a matrix product",
    through=_three_arrays,
    results=("y", "vjp_x(g)", "vjp_weight(g)"),
    cases={
        "the example": (np.array([[1.0, 2.0]]), np.array([[3.0], [5.0]]), np.array([[10.0]])),
        "all matrices 3 x 3": _matrices(2, 3, 3, 3),
        "4 rows, 3 inputs, 2 outputs": (X, WEIGHT, G),
        "2 rows, 3 inputs, 5 outputs": _matrices(5, 2, 3, 5),
    },
    mistakes="""
g @ weight.T => np.ones_like(g) @ weight.T
x.T @ g => x.T @ np.ones_like(g)
lambda g: g @ weight.T, lambda g: x.T @ g => lambda g: weight.T, lambda g: x.T
    Your VJPs do not all use the cotangent that they get, as if every output counted 1 in the loss.
lambda g: g @ weight.T, lambda g: x.T @ g => lambda g: x.T @ g, lambda g: g @ weight.T
    The VJPs stand in the wrong order: the first belongs to the first argument.
weight.T => weight
x.T => x
g @ weight.T => weight.T @ g
x.T @ g => g @ x.T
    In a VJP a matrix is the wrong way round, or the factors are exchanged. Where it is square, no error warns you.
x.T @ g => g.T @ x
    The cotangent of weight comes out transposed. It must have the shape of weight.
g @ weight.T, lambda g: x.T @ g => g * weight, lambda g: g * x
    You multiply element by element. An output is a sum of products: to how many inputs and weights does its g go?
lambda g: g @ weight.T, lambda g: x.T @ g => lambda g: g * (x @ weight) @ weight.T, lambda g: x.T @ (g * (x @ weight))
    You multiply by y. The derivative of a product by one factor is the other factor: y has no place in it.
x.T @ g => x.T @ g / len(x)
    You take the mean over the rows for weight. Every row uses the same weight: what becomes of the shares?
x.T @ g => np.outer(x[0], g[0])
x.T @ g => np.outer(x[-1], g[-1])
    Only the first or the last row has a share in the cotangent of weight. Does a loop begin anew in every turn?
""",
    telling="""
[np.sum(X * f(X, WEIGHT)[1][0](G)), np.sum(WEIGHT * f(X, WEIGHT)[1][1](G))]
    y is linear in x and in weight: sum(x * vjp_x(g)) and sum(weight * vjp_weight(g)) must be sum(y * g), and they are
    not. Do you add up before you multiply? A sum of products is not the product of the sums.
""",
)

SHARE = draw(6, 2, 3, 4)


def float32_stays(sum_to_shape):
    got = sum_to_shape(np.ones((2, 3), np.float32), (1, 3))
    if isinstance(got, list):
        return "The result must be an array, yours is a list."
    if np.asarray(got).dtype != np.float32:
        return f"A share in float32 comes back as {np.asarray(got).dtype}. The dtype must stay what it is."


SUM_TO_SHAPE = Exercise(
    sum_to_shape,
    "undo any broadcasting",
    cases={
        "the example": (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), (2, 1)),
        "nothing was repeated": (draw(1, 2, 3), (2, 3)),
        "a number": (draw(2, 2, 3), ()),
        "a row in every line": (draw(3, 2, 3), (3,)),
        "a row in every line of a square": (draw(4, 3, 3), (3,)),
        "one element that has two axes": (draw(6, 2, 3), (1, 1)),
        "a column for each channel": (draw(8, 2, 4, 5, 3), (4, 1, 3)),
        "an image for the whole batch": (draw(9, 2, 4, 5, 3), (1, 4, 5, 1)),
        "an axis of one that stays": (draw(10, 2, 1, 3), (1, 3)),
    },
    mistakes="""
return np.asarray(share.sum(axis=stretched, keepdims=True)) => return share
    You add up the axes that are missing in front, and nothing else. What about an axis of length 1 in the shape?
range(added) => range(-added, 0)
share = share.sum(tuple(k for k, n in enumerate(share.shape) if n != (*shape, 0, 0)[k]), keepdims=True).reshape(shape)
    You line up the shapes at their first axes. NumPy compares them from the last axis on: where does it put new ones?
share = share.sum(tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True); shape = [0] * len(shape)
    You number the axes of length 1 as in the shape, but the new axes are still in front. Which numbers are theirs then?
range(added) => range(min(added, 1))
    You take off one axis in front. There can be more, or none.
, keepdims=True)) => ))
    The axes that have length 1 in the shape are lost when you add up. They must stay, with length 1.
if shape: return share
    You add up only where the shape is (). Where else was something repeated?
axis=stretched => axis=stretched[:1]
    You add up along the first axis of length 1. There can be more.
.sum( => .mean(
    You take the mean of the shares. Think of a number that is used at six pixels: if it grows, all six change.
""",
    telling="""
[np.sum(f(SHARE, shape)) for shape in ((), (4,), (3, 1), (2, 1, 4))]
    All shares together must be as much after adding up as before: nothing is lost, and nothing counts twice.
""",
    properties=[float32_stays],
)


def _judged(function):
    def result(inputs, output):
        hint = _wrong_order(function(inputs, output), inputs, output)
        if hint:
            raise Hint(hint)
        return True

    return result


def _wrong_order(order, inputs, output):
    """A hint if this is no order in which one may walk back through the graph, else None."""
    if not isinstance(order, list):
        return f"The result must be a list of names, yours is a {type(order).__name__}."
    behind = set(topological_order(inputs, output))
    for name in order:
        if name not in behind:
            return f"{name!r} is in your list, but {output!r} was not computed from it. No cotangent will arrive there."
        if order.count(name) > 1:
            return f"{name!r} is more than once in your list. It hands on its cotangent only once, after all its uses."
    missing = behind - set(order)
    for name in missing:
        if not any(name in inputs[user] for user in missing):  # all that was computed from it has had its turn
            return f"{name!r} is missing. Was it never met, or did it wait for more uses than report?"
    early = [(name, source) for name in order for source in inputs[name] if order.index(source) < order.index(name)]
    if early and order[-1] == output:
        return "Your list is in the order in which the values were computed. In which order does one walk back?"
    for name, source in early:
        return f"{source!r} stands before {name!r}, from where it still gets a share. What if it hands on before that?"


def _random_graph(seed):
    rng = np.random.default_rng(seed)
    names = [f"v{k}" for k in rng.permutation(7)]
    inputs = {
        name: tuple(rng.choice(names[:i], rng.integers(1, 4)).tolist()) if i else () for i, name in enumerate(names)
    }
    return dict(sorted(inputs.items())), names[-1]  # nothing can be learnt from the order of the dictionary


_doublings = lambda count: {0: (), **{k: (k - 1, k - 1) for k in range(1, count + 1)}}


class _Counted(dict):
    """A graph that counts how often it is asked for the inputs of a value."""

    lookups = 0

    def __getitem__(self, name):
        _Counted.lookups += 1
        return super().__getitem__(name)


def few_lookups(function):
    _Counted.lookups = 0
    function(_Counted(_doublings(10)), 10)
    if _Counted.lookups >= 500:
        return f"To walk along 10 doublings you look up inputs {_Counted.lookups:,} times. Do you take every path?"
    return _wrong_order(function(_doublings(60), 60), _doublings(60), 60)


EXAMPLE = {"x": (), "two": (), "y": ("two", "x"), "product": ("y", "y"), "L": ("y", "product")}
SQUARE = {"x": (), "square": ("x", "x"), "half": ("x",), "L": ("half", "square")}

TOPOLOGICAL_ORDER = Exercise(
    topological_order,
    "an order in which one may walk back",
    through=_judged,
    cases={
        "the example": (EXAMPLE, "L"),
        "a leaf": ({"x": ()}, "x"),
        "a chain of three values": ({"y": ("x",), "L": ("y",), "x": ()}, "L"),
        "L = y y + y": ({**EXAMPLE, "L": ("product", "y")}, "L"),
        "L = x / 2 + x x": (SQUARE, "L"),
        "L = x x + x / 2": ({**SQUARE, "L": ("square", "half")}, "L"),
        "values that L does not need": ({**EXAMPLE, "lonely": (), "later": ("L", "lonely"), "aside": ("y",)}, "L"),
        "a short and a long way": ({"x": (), "a": ("x",), "b": ("a",), "c": ("b",), "L": ("x", "c")}, "L"),
        **{f"a random graph, number {seed}": _random_graph(seed) for seed in range(30)},
        "a chain of 2,000 values": ({0: (), **{k: (k - 1,) for k in range(1, 2000)}}, 1999),
    },
    properties=[few_lookups],
)

EXERCISES = [SUM_TO_SHAPE, TOPOLOGICAL_ORDER, LINEAR]

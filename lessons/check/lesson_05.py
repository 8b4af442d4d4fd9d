"""The checks of the exercises of lesson 5."""

import numpy as np

from lessons.check.checking import Case, Exercise, Mistake, examine

RNG = np.random.default_rng(5)


def _draw(*shapes):
    return tuple(RNG.standard_normal(shape) for shape in shapes)


# linear: the answer is (y, (vjp_x, vjp_weight)). First its form is looked at, then the three arrays that it leads to.


def _linear_form(linear):
    answer = linear(np.ones((2, 3)), np.ones((3, 4)))
    form = "the form (y, (vjp_x, vjp_weight)): the output, and a tuple of functions"
    if not (isinstance(answer, tuple) and len(answer) == 2):
        got = f"a tuple of {len(answer)}" if isinstance(answer, tuple) else type(answer).__name__
        return f"The answer must have {form}. Yours is {got}."
    if not (isinstance(answer[1], tuple) and len(answer[1]) == 2 and all(map(callable, answer[1]))):
        return (
            f"The answer must have {form} that take a cotangent. The second part of yours is not a pair of functions."
        )
    return None


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
    mistakes=[
        Mistake(
            "Your VJPs do not use the cotangent that they get, as if every output counted 1 in the loss. In a longer "
            "computation the outputs count differently.",
            lambda x, weight, g: (x @ weight, np.ones_like(g) @ weight.T, x.T @ np.ones_like(g)),
        ),
        Mistake(
            "The VJPs stand in the wrong order: the first belongs to the first argument.",
            lambda x, weight, g: (x @ weight, x.T @ g, g @ weight.T),
        ),
        Mistake(
            "In the VJP of x a matrix is the wrong way round. It shows where weight is not square; where it is square, "
            "the numbers are wrong and nothing warns you.",
            lambda x, weight, g: (x @ weight, g @ weight, x.T @ g),
        ),
        Mistake(
            "In the VJP of weight a matrix is the wrong way round. It shows where x is not square; where it is square, "
            "the numbers are wrong and nothing warns you.",
            lambda x, weight, g: (x @ weight, g @ weight.T, x @ g),
        ),
        Mistake(
            "The cotangent of weight comes out transposed. It must have the shape of weight.",
            lambda x, weight, g: (x @ weight, g @ weight.T, g.T @ x),
        ),
        Mistake(
            "You take the mean over the rows for weight. Every row uses the same weight. What happens to the shares of "
            "several uses?",
            lambda x, weight, g: (x @ weight, g @ weight.T, x.T @ g / len(x)),
        ),
    ],
)

LINEAR = Exercise(name="linear", title="the VJPs of a matrix product", properties=[_linear_form, _linear_results])


def _sum_reference(share, shape):
    """Number the elements of the input, broadcast the numbers, and add what belongs to the same number."""
    number = np.broadcast_to(np.arange(np.prod(shape, dtype=int)).reshape(shape), share.shape)
    return np.bincount(number.ravel(), share.ravel(), minlength=int(np.prod(shape))).reshape(shape)


def _float32_stays(sum_to_shape):
    got = np.asarray(sum_to_shape(np.ones((2, 3), np.float32), (1, 3)))
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


def _leading_only(share, shape):
    return share.sum(axis=tuple(range(share.ndim - len(shape))))


def _trailing(share, shape):
    while share.ndim > len(shape):
        share = share.sum(axis=-1)
    for axis, size in enumerate(shape):
        if size == 1:
            share = share.sum(axis=axis, keepdims=True)
    return share


def _with(reduce):
    """The right axes, reduced by another function than a sum."""

    def wrong(share, shape):
        for _ in range(share.ndim - len(shape)):
            share = reduce(share, axis=0)
        for axis, size in enumerate(shape):
            if size == 1:
                share = reduce(share, axis=axis, keepdims=True)
        return share

    return wrong


def _first(share, axis, keepdims=False):
    first = np.take(share, 0, axis=axis)
    return np.expand_dims(first, axis) if keepdims else first


def _axis_lost(share, shape):
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return _leading_only(share, shape).sum(axis=stretched)


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
    mistakes=[
        Mistake(
            "You add up the axes that are missing in front, and nothing else. What about an axis that is there, but "
            "has length 1 in the shape?",
            _leading_only,
        ),
        Mistake(
            "You add up the last axes where axes are missing. NumPy compares shapes from the last axis on: where does "
            "it put the new ones?",
            _trailing,
        ),
        Mistake(
            "You take the mean of the shares. Think of a number that is used at six pixels: if it grows, all six "
            "change.",
            _with(np.mean),
        ),
        Mistake("You keep one of the shares and drop the others. All uses count.", _with(_first)),
        Mistake(
            "An axis of length 1 is gone after adding up. The result must have the shape that was asked for.",
            _axis_lost,
        ),
    ],
    properties=[_same_total, _float32_stays],
)


# topological_order: many orders are right, so no reference. Each property asks about some graphs.

DIAMOND = {"x": (), "two": (), "y": ("two", "x"), "product": ("y", "y"), "L": ("product", "y")}
MIRRORED = {**DIAMOND, "L": ("y", "product")}
TWICE_AT_ONCE = {"x": (), "square": ("x", "x"), "half": ("x",), "L": ("half", "square")}
TWICE_MIRRORED = {**TWICE_AT_ONCE, "L": ("square", "half")}
UNUSED = {**MIRRORED, "lonely": (), "later": ("L", "lonely"), "aside": ("y",)}
SHORTCUT = {"x": (), "a": ("x",), "b": ("a",), "c": ("b",), "L": ("x", "c")}
SHORTCUTS = {"x": (), "a": ("x",), "b": ("x", "a"), "c": ("a", "b", "x"), "d": ("b",), "L": ("a", "d", "c", "x")}


def _behind(inputs, output):
    found, to_visit = {output}, [output]
    while to_visit:
        for source in inputs[to_visit.pop()]:
            if source not in found:
                found.add(source)
                to_visit.append(source)
    return found


def _wrong_order(order, inputs, output, words):
    """A hint if this is no order in which one may walk back through the graph, else None."""
    if not isinstance(order, list):
        return f"The result must be a list of names, yours is a {type(order).__name__}."
    behind = _behind(inputs, output)
    if len(set(order)) < len(order):
        twice = next(name for name in order if order.count(name) > 1)
        return (
            f"{words}: {twice!r} stands more than once in your list. A value hands on its cotangent once, however "
            "often it was used."
        )
    if missing := sorted(behind - set(order), key=str):
        return f"{words}: {missing[0]!r} is missing, but {output!r} was computed from it."
    if extra := sorted(set(order) - behind, key=str):
        return (
            f"{words}: {extra[0]!r} is in your list, but {output!r} was not computed from it. No cotangent will ever "
            "arrive there."
        )
    place = {name: i for i, name in enumerate(order)}
    early = [(name, source) for name in order for source in inputs[name] if place[source] < place[name]]
    if not early:
        return None
    if len(order) > 1 and order[-1] == output:
        return (
            f"{words}: your list begins with the inputs and ends with the output. That is the order in which the "
            "values were computed. In which order does one walk back?"
        )
    name, source = early[0]
    return (
        f"{words}: {source!r} stands before {name!r}, which was computed from it. When {source!r} hands on its "
        "cotangent, the share from there has not arrived."
    )


def _property(words, inputs, output="L"):
    def ordered(topological_order):
        return _wrong_order(topological_order(inputs, output), inputs, output, words)

    return ordered


def _a_leaf(topological_order):
    return _wrong_order(topological_order({"x": ()}, "x"), {"x": ()}, "x", "In a graph of one value")


def _random_graphs(topological_order):
    rng = np.random.default_rng(7)
    for _ in range(50):
        names = [f"v{k}" for k in rng.permutation(7)]
        inputs = {
            name: tuple(rng.choice(names[:i], rng.integers(1, 4)).tolist()) if i else () for i, name in enumerate(names)
        }
        inputs = dict(sorted(inputs.items()))  # nothing can be learnt from the order of the dictionary
        hint = _wrong_order(topological_order(inputs, names[-1]), inputs, names[-1], f"In the graph {inputs}")
        if hint:
            return hint
    return None


def _deep_chain(topological_order):
    inputs = {0: (), **{k: (k - 1,) for k in range(1, 5000)}}
    return _wrong_order(topological_order(inputs, 4999), inputs, 4999, "In a chain of 5,000 values")


def _many_paths(topological_order):
    inputs = {0: (), **{k: (k - 1, k - 1) for k in range(1, 61)}}
    return _wrong_order(topological_order(inputs, 60), inputs, 60, "In a chain of 60 doublings")


TOPOLOGICAL_ORDER = Exercise(
    name="topological_order",
    title="an order in which one may walk back",
    properties=[
        _a_leaf,
        _property("In a chain of three values", {"x": (), "y": ("x",), "L": ("y",)}),
        _property("In the graph of L = y y + y", DIAMOND),
        _property("In the graph of L = y + y y", MIRRORED),
        _property("In the graph of L = x / 2 + x x", TWICE_AT_ONCE),
        _property("In the graph of L = x x + x / 2", TWICE_MIRRORED),
        _property("In a graph with values that L does not need", UNUSED),
        _property("In a graph with a short and a long way from x to L", SHORTCUT),
        _property("In a graph with several ways from x to L", SHORTCUTS),
        _random_graphs,
        _deep_chain,
        _many_paths,
    ],
)

EXERCISES = [LINEAR, SUM_TO_SHAPE, TOPOLOGICAL_ORDER]

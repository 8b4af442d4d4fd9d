"""Graphs for the third exercise of lesson 5, and what is asked about them.

Many orders are right, so there is no reference to compare with. Each property asks about one graph, or about some.
"""

import numpy as np

DIAMOND = {"x": (), "two": (), "y": ("two", "x"), "product": ("y", "y"), "L": ("product", "y")}
MIRRORED = {**DIAMOND, "L": ("y", "product")}
TWICE_AT_ONCE = {"x": (), "square": ("x", "x"), "half": ("x",), "L": ("half", "square")}
TWICE_MIRRORED = {**TWICE_AT_ONCE, "L": ("square", "half")}
UNUSED = {**MIRRORED, "lonely": (), "later": ("L", "lonely"), "aside": ("y",)}
SHORTCUT = {"x": (), "a": ("x",), "b": ("a",), "c": ("b",), "L": ("x", "c")}
SHUFFLED = {"y": ("x",), "L": ("z",), "x": (), "z": ("y",)}
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
    if output not in order:
        return f"{words}: {output!r} itself is missing. The walk begins with it."
    if missing := sorted(behind - set(order), key=str):
        # Best one that should have had its turn: all values that were computed from it are there.
        ready = [name for name in missing if not any(name in inputs[user] for user in missing)]
        return (
            f"{words}: {ready[0]!r} is missing, but {output!r} was computed from it. Was it never met, or did it wait "
            "for more uses than report?"
        )
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


def ordered(words, inputs, output="L"):
    """The property that the order is right in this graph."""

    def holds(topological_order):
        return _wrong_order(topological_order(inputs, output), inputs, output, words)

    return holds


def a_leaf(topological_order):
    return _wrong_order(topological_order({"x": ()}, "x"), {"x": ()}, "x", "In a graph of one value")


def random_graphs(topological_order):
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


class _Counted(dict):
    """A graph that counts how often it is asked for the inputs of a value."""

    lookups = 0

    def __getitem__(self, name):
        _Counted.lookups += 1
        return super().__getitem__(name)


def few_lookups(topological_order):
    inputs = _Counted({0: (), **{k: (k - 1, k - 1) for k in range(1, 11)}})
    _Counted.lookups = 0
    topological_order(inputs, 10)
    if _Counted.lookups < 500:
        return None
    return (
        f"In a chain of 10 doublings, 11 values, you look up inputs {_Counted.lookups:,} times: you walk along every "
        "path. Of 60 doublings you would not see the end."
    )


def deep_chain(topological_order):
    inputs = {0: (), **{k: (k - 1,) for k in range(1, 5000)}}
    return _wrong_order(topological_order(inputs, 4999), inputs, 4999, "In a chain of 5,000 values")


def many_paths(topological_order):
    inputs = {0: (), **{k: (k - 1, k - 1) for k in range(1, 61)}}
    return _wrong_order(topological_order(inputs, 60), inputs, 60, "In a chain of 60 doublings")

"""Solutions of the exercises of lesson 5."""

import numpy as np


def sum_to_shape(share, shape):
    added = share.ndim - len(shape)
    share = share.sum(axis=tuple(range(added)))
    # Only where something was repeated: an axis of length 1 in both has nothing to add up, and summing is harmless.
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return np.asarray(share.sum(axis=stretched, keepdims=True))


def topological_order(inputs, output):
    # A list instead of recursion: a chain of thousands of values is deeper than Python lets calls be nested.
    uses, to_visit = {output: 0}, [output]
    while to_visit:
        for source in inputs[to_visit.pop()]:
            if source not in uses:
                uses[source] = 0
                to_visit.append(source)
            uses[source] += 1

    order, ready = [], [output]
    while ready:
        value = ready.pop()
        order.append(value)
        for source in inputs[value]:
            uses[source] -= 1
            if uses[source] == 0:
                ready.append(source)
    return order


def linear(x, weight):
    # x[n, i] goes into every output o of its row n, with the factor weight[i, o]: a sum over o. weight[i, o] goes into
    # the output o of every row n, with the factor x[n, i]: a sum over n. The shapes leave no other way to multiply.
    return x @ weight, (lambda g: g @ weight.T, lambda g: x.T @ g)

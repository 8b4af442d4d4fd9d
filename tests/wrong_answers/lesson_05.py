"""Wrong answers to the exercises of lesson 5, and a fragment of the hint that each must get."""

import numpy as np

# linear


def linear_without_the_cotangent(x, weight):
    return x @ weight, (
        lambda g: np.tile(weight.sum(axis=1), (len(x), 1)),
        lambda g: x.sum(axis=0)[:, None] + 0 * weight,
    )


def linear_in_the_wrong_order(x, weight):
    return x @ weight, (lambda g: x.T @ g, lambda g: g @ weight.T)


def linear_with_an_untransposed_weight(x, weight):
    return x @ weight, (lambda g: g @ weight, lambda g: x.T @ g)


def linear_with_a_transposed_gradient(x, weight):
    return x @ weight, (lambda g: g @ weight.T, lambda g: g.T @ x)


def linear_with_a_mean(x, weight):
    def vjp_weight(g):
        shares = [np.outer(row, cotangent) for row, cotangent in zip(x, g, strict=True)]
        return np.mean(shares, axis=0)

    return x @ weight, (lambda g: g @ weight.T, vjp_weight)


def linear_without_a_tuple(x, weight):
    return x @ weight, lambda g: g @ weight.T, lambda g: x.T @ g


def linear_with_gradients_for_functions(x, weight):
    y = x @ weight
    g = np.ones_like(y)
    return y, (g @ weight.T, x.T @ g)


def linear_with_half_a_gradient(x, weight):
    return x @ weight, (lambda g: g @ weight.T / 2, lambda g: x.T @ g)


def linear_with_a_negative_gradient(x, weight):
    return x @ weight, (lambda g: g @ weight.T, lambda g: -(x.T @ g))


def linear_that_uses_the_first_row_only(x, weight):
    return x @ weight, (lambda g: g @ weight.T, lambda g: np.outer(x[0], g[0]))


def linear_that_spoils_its_cotangent(x, weight):
    def vjp_x(g):
        g *= 2
        return g @ weight.T / 2

    return x @ weight, (vjp_x, lambda g: x.T @ g)


def linear_of_the_output(x, weight):
    y = x @ weight
    return y, (lambda g: (g * y) @ weight.T, lambda g: x.T @ (g * y))


def linear_without_any_transpose(x, weight):
    return x @ weight, (lambda g: g @ weight, lambda g: x @ g)


def linear_with_exchanged_factors(x, weight):
    return x @ weight, (lambda g: weight.T @ g, lambda g: x.T @ g)


def linear_element_by_element(x, weight):
    return x @ weight, (lambda g: g * weight, lambda g: g * x)


def linear_in_the_wrong_order_and_transposed(x, weight):
    return x @ weight, (lambda g: g.T @ x, lambda g: g @ weight.T)


def linear_with_the_other_matrix_alone(x, weight):
    return x @ weight, (lambda g: weight.T, lambda g: x.T)


def linear_that_adds_up_first(x, weight):
    return x @ weight, (lambda g: g @ weight.T, lambda g: np.outer(x.sum(0), g.sum(0)))


def linear_that_begins_anew(x, weight):
    def vjp_weight(g):
        for row, cotangent in zip(x, g, strict=True):
            g_weight = np.zeros(weight.shape)
            g_weight += np.outer(row, cotangent)
        return g_weight

    return x @ weight, (lambda g: g @ weight.T, vjp_weight)


def linear_as_lists(x, weight):
    return x @ weight, [lambda g: g @ weight.T, lambda g: x.T @ g]


def linear_that_prints(x, weight):
    return x @ weight, (lambda g: print(end=""), lambda g: print(end=""))


def linear_with_vjps_of_three_arguments(x, weight):
    return x @ weight, (lambda x, weight, g: g @ weight.T, lambda x, weight, g: x.T @ g)


# sum_to_shape


def sum_from_the_front(share, shape):
    differ = tuple(k for k in range(share.ndim) if k >= len(shape) or shape[k] != share.shape[k])
    return share.sum(axis=differ, keepdims=True).reshape(shape)


def sum_of_axes_that_move(share, shape):
    for axis, size in enumerate(shape):
        if size == 1:
            share = share.sum(axis=axis, keepdims=True)
    while share.ndim > len(shape):
        share = share.sum(axis=0)
    return share


def sum_of_one_leading_axis(share, shape):
    if share.ndim > len(shape):
        share = share.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            share = share.sum(axis=axis, keepdims=True)
    return share


def sum_of_the_first_axis_of_one(share, shape):
    while share.ndim > len(shape):
        share = share.sum(axis=0)
    return share.sum(axis=shape.index(1), keepdims=True) if 1 in shape else share


def sum_as_a_list(share, shape):
    share = share.sum(axis=tuple(range(share.ndim - len(shape))))
    return share.sum(axis=tuple(k for k, size in enumerate(shape) if size == 1), keepdims=True).tolist()


def mean_without_keepdims(share, shape):
    share = share.mean(axis=tuple(range(share.ndim - len(shape))))
    return share.mean(axis=tuple(k for k, size in enumerate(shape) if size == 1))


def sum_of_leading_axes(share, shape):
    while share.ndim > len(shape):
        share = share.sum(axis=0)
    return share


def sum_of_trailing_axes(share, shape):
    while share.ndim > len(shape):
        share = share.sum(axis=share.ndim - 1)
    for axis in range(len(shape)):
        if shape[axis] == 1:
            share = share.sum(axis=axis, keepdims=True)
    return share


def mean_instead_of_sum(share, shape):
    share = share.mean(axis=tuple(range(share.ndim - len(shape))))
    return share.mean(axis=tuple(k for k, size in enumerate(shape) if size == 1), keepdims=True)


def sum_without_keepdims(share, shape):
    share = share.sum(axis=tuple(range(share.ndim - len(shape))))
    for axis in reversed(range(len(shape))):
        if shape[axis] == 1:
            share = share.sum(axis=axis)
    return share


def sum_of_everything(share, shape):
    return np.full(shape, share.sum())


def sum_by_resize(share, shape):
    return np.resize(share, shape)


def sum_in_double(share, shape):
    share = share.astype(np.float64)
    share = share.sum(axis=tuple(range(share.ndim - len(shape))))
    return share.sum(axis=tuple(k for k, size in enumerate(shape) if size == 1), keepdims=True)


def sum_of_numbers_only(share, shape):
    return share.sum() if shape == () else share


def largest_share(share, shape):
    share = share.max(axis=tuple(range(share.ndim - len(shape))))
    return share.max(axis=tuple(k for k, size in enumerate(shape) if size == 1), keepdims=True)


# topological_order


def order_of_recursion(inputs, output):
    order = []

    def visit(name):
        if name in order:
            return
        for source in inputs[name]:
            visit(source)
        order.append(name)

    visit(output)
    return order[::-1]


def order_of_computation(inputs, output):
    return order_of_recursion(inputs, output)[::-1]


def order_of_first_meeting(inputs, output):
    order, to_visit = [output], [output]
    while to_visit:
        for source in inputs[to_visit.pop(0)]:
            if source not in order:
                order.append(source)
                to_visit.append(source)
    return order


def order_of_depth_first(inputs, output):
    order, to_visit = [], [output]
    while to_visit:
        name = to_visit.pop()
        if name not in order:
            order.append(name)
            to_visit.extend(inputs[name])
    return order


def order_with_repetitions(inputs, output):
    order, to_visit = [], [output]
    while to_visit:
        name = to_visit.pop(0)
        order.append(name)
        to_visit.extend(inputs[name])
    return order


def order_of_the_whole_dictionary(inputs, output):
    uses = dict.fromkeys(inputs, 0)
    for sources in inputs.values():
        for source in sources:
            uses[source] += 1
    ready, order = [name for name, count in uses.items() if count == 0], []
    while ready:
        order.append(ready.pop())
        for source in inputs[order[-1]]:
            uses[source] -= 1
            if uses[source] == 0:
                ready.append(source)
    return order


def order_without_the_leaves(inputs, output):
    return [name for name in order_of_recursion(inputs, output) if inputs[name] or name == output]


def order_that_counts_a_double_use_once(inputs, output):
    uses, to_visit = {output: 0}, [output]
    while to_visit:
        for source in set(inputs[to_visit.pop()]):
            if source not in uses:
                uses[source] = 0
                to_visit.append(source)
            uses[source] += 1
    order, ready = [], [output]
    while ready:
        order.append(ready.pop())
        for source in inputs[order[-1]]:
            uses[source] -= 1
            if uses[source] == 0:
                ready.append(source)
    return order


def order_that_empties_the_graph(inputs, output):
    order = order_of_recursion(inputs, output)
    for name in order:
        del inputs[name]
    return order


def order_of_moving_to_the_end(inputs, output):  # right, but along every path
    order, to_visit = [], [output]
    while to_visit:
        name = to_visit.pop(0)
        if name in order:
            order.remove(name)
        order.append(name)
        to_visit.extend(inputs[name])
    return order


def order_of_the_dictionary_reversed(inputs, output):
    behind = set(order_of_recursion(inputs, output))
    return [name for name in reversed(inputs) if name in behind]


def order_without_the_output(inputs, output):
    return order_of_recursion(inputs, output)[1:]


def order_that_waits_for_everyone(inputs, output):
    uses = dict.fromkeys(inputs, 0)
    for sources in inputs.values():
        for source in sources:
            uses[source] += 1
    order, ready = [], [output]
    while ready:
        order.append(ready.pop())
        for source in inputs[order[-1]]:
            uses[source] -= 1
            if uses[source] == 0:
                ready.append(source)
    return order


def order_as_a_set(inputs, output):
    return set(order_of_recursion(inputs, output))


WRONG = [
    ("linear", linear_without_any_transpose, "In the VJP of weight a matrix is the wrong way round"),
    ("linear", linear_with_exchanged_factors, "In the VJP of x the factors are exchanged"),
    ("linear", linear_element_by_element, "element by element"),
    ("linear", linear_in_the_wrong_order_and_transposed, "and the cotangent of weight comes out transposed"),
    ("linear", linear_with_the_other_matrix_alone, "return the other matrix"),
    ("linear", linear_that_adds_up_first, "add up before you multiply"),
    ("linear", linear_that_begins_anew, "Does a loop begin anew"),
    ("linear", linear_as_lists, "is a list"),
    ("linear", linear_that_prints, "vjp_x returns nothing"),
    ("linear", linear_with_vjps_of_three_arguments, "of the cotangent alone"),
    ("sum_to_shape", sum_from_the_front, "from their first axes on"),
    ("sum_to_shape", sum_of_axes_that_move, "still in front"),
    ("sum_to_shape", sum_of_one_leading_axis, "You take off one axis"),
    ("sum_to_shape", sum_of_the_first_axis_of_one, "the first axis of length 1"),
    ("sum_to_shape", sum_as_a_list, "yours is a list"),
    ("sum_to_shape", mean_without_keepdims, "an axis of length 1 is gone"),
    ("topological_order", order_of_moving_to_the_end, "you walk along every path"),
    ("topological_order", order_of_the_dictionary_reversed, "in another order"),
    ("topological_order", order_without_the_output, "itself is missing"),
    ("topological_order", order_that_waits_for_everyone, "wait for more uses than report"),
    ("topological_order", order_as_a_set, "yours is a set"),
    ("linear", linear_without_the_cotangent, "do not use the cotangent"),
    ("linear", linear_in_the_wrong_order, "wrong order"),
    ("linear", linear_with_an_untransposed_weight, "In the VJP of x a matrix is the wrong way round"),
    ("linear", linear_with_a_transposed_gradient, "comes out transposed"),
    ("linear", linear_with_a_mean, "mean over the rows"),
    ("linear", linear_without_a_tuple, "Yours is a tuple of 3"),
    ("linear", linear_with_gradients_for_functions, "vjp_x is an array, not a function"),
    ("linear", linear_with_half_a_gradient, "`vjp_x(g)` has the right pattern, but every number is 0.5 times"),
    ("linear", linear_with_a_negative_gradient, "`vjp_weight(g)` has the wrong sign"),
    ("linear", linear_that_uses_the_first_row_only, "Right in: one row"),
    ("linear", linear_that_spoils_its_cotangent, "changes its argument `g` in place"),
    ("linear", linear_of_the_output, "`vjp_x(g)`"),
    ("sum_to_shape", sum_of_leading_axes, "has length 1 in the shape"),
    ("sum_to_shape", sum_of_trailing_axes, "compares shapes from the last axis on"),
    ("sum_to_shape", mean_instead_of_sum, "mean of the shares"),
    ("sum_to_shape", sum_without_keepdims, "is gone after adding up"),
    ("sum_to_shape", sum_of_everything, "counts nothing twice"),
    ("sum_to_shape", sum_by_resize, "Adding up in groups loses nothing"),
    ("sum_to_shape", sum_in_double, "comes back as float64"),
    ("sum_to_shape", sum_of_numbers_only, "axis too many"),
    ("sum_to_shape", largest_share, "Adding up in groups loses nothing"),
    ("topological_order", order_of_recursion, "calls itself too deep"),
    ("topological_order", order_of_computation, "In which order does one walk back?"),
    ("topological_order", order_of_first_meeting, "has not arrived"),
    ("topological_order", order_of_depth_first, "has not arrived"),
    ("topological_order", order_with_repetitions, "stands more than once"),
    ("topological_order", order_of_the_whole_dictionary, "was not computed from it"),
    ("topological_order", order_without_the_leaves, "is missing"),
    ("topological_order", order_that_counts_a_double_use_once, "L = x / 2 + x x"),
    ("topological_order", order_that_empties_the_graph, "changes its argument `inputs` in place"),
]

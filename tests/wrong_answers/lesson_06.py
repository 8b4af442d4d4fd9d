"""Wrong answers to the exercises of lesson 6, and a fragment of the hint that each must get."""

import numpy as np

# directional_derivative


def derivative_forward(f, x, d):
    x, d = x.astype(np.float64), d.astype(np.float64)
    h = 1e-5
    return (f(x + h * d) - f(x)) / h


def derivative_with_half_a_denominator(f, x, d):
    x, d = np.float64(x), np.float64(d)
    h = 1e-5
    return (f(x + h * d) - f(x - h * d)) / h


def derivative_of_a_unit_direction(f, x, d):
    x, d = x.astype(np.float64), d.astype(np.float64)
    d = d / np.linalg.norm(d)
    return (f(x + 1e-5 * d) - f(x - 1e-5 * d)) / 2e-5


def derivative_without_direction(f, x, d):
    x = x.astype(np.float64)
    h = 1e-5
    return (f(x + h) - f(x - h)) / (2 * h)


def derivative_summed(f, x, d):
    x, d = x.astype(np.float64), d.astype(np.float64)
    return np.sum(f(x + 1e-5 * d) - f(x - 1e-5 * d)) / 2e-5


def derivative_in_float32(f, x, d):
    h = 1e-5
    return (f(x + h * d) - f(x - h * d)) / (2 * h)


def derivative_with_a_large_step(f, x, d):
    x, d = x.astype(np.float64), d.astype(np.float64)
    h = 1e-2
    return (f(x + h * d) - f(x - h * d)) / (2 * h)


def derivative_with_a_tiny_step(f, x, d):
    x, d = x.astype(np.float64), d.astype(np.float64)
    h = 1e-14
    return (f(x + h * d) - f(x - h * d)) / (2 * h)


def derivative_never_divided(f, x, d):
    x, d = x.astype(np.float64), d.astype(np.float64)
    return f(x + 1e-5 * d) - f(x - 1e-5 * d)


def derivative_that_moves_x(f, x, d):
    h = 1e-5
    x += h * d
    up = f(x)
    x -= 2 * h * d
    return (up - f(x)) / (2 * h)


def derivative_forward_of_a_unit_direction(f, x, d):
    x, d = np.float64(x), np.float64(d)
    h = 1e-6
    return (f(x + h * d / np.linalg.norm(d)) - f(x)) / h


def derivative_divided_by_d(f, x, d):
    x, d = np.float64(x), np.float64(d)
    return (f(x + 1e-5 * d) - f(x - 1e-5 * d)) / (2 * 1e-5 * d)


def derivative_times_d(f, x, d):
    x = np.float64(x)
    return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5 * d


def derivative_one_after_the_other(f, x, d):
    x, slopes = np.float64(x), np.zeros(x.shape)
    for element in np.ndindex(x.shape):
        change = np.zeros(x.shape)
        change[element] = 1e-5
        slopes[element] = np.sum(f(x + change) - f(x - change)) / 2e-5
    return slopes * d


def derivative_without_brackets(f, x, d):
    x, d = np.float64(x), np.float64(d)
    h = 1e-5
    return (f(x + h * d) - f(x - h * d)) / 2 * h


def derivative_cast_at_the_end(f, x, d):
    x64, d64 = np.float64(x), np.float64(d)
    return np.asarray((f(x64 + 1e-5 * d64) - f(x64 - 1e-5 * d64)) / 2e-5).astype(x.dtype)


def derivative_with_a_step_of_a_thousandth(f, x, d):
    x, d = np.float64(x), np.float64(d)
    return (f(x + 1e-3 * d) - f(x - 1e-3 * d)) / 2e-3


# filter_rows_adjoint


def adjoint_with_one_weight_for_both(g, weights):
    g_x = weights[1] * g
    g_x[:, :-1] += weights[0] * g[:, 1:]
    g_x[:, 1:] += weights[0] * g[:, :-1]
    return g_x


def adjoint_that_overwrites(g, weights):
    g_x = weights[1] * g
    g_x[:, :-1] = weights[0] * g[:, 1:]
    g_x[:, 1:] = weights[2] * g[:, :-1]
    return g_x


def adjoint_with_index_minus_one(g, weights):
    g_x = np.zeros_like(g)
    for i in range(g.shape[1]):
        g_x[:, i] = weights[1] * g[:, i] + weights[2] * g[:, i - 1]
        if i + 1 < g.shape[1]:
            g_x[:, i] += weights[0] * g[:, i + 1]
    return g_x


def adjoint_of_the_inner_outputs(g, weights):
    g_x = np.zeros_like(g)
    for i in range(1, g.shape[1] - 1):
        for k in range(3):
            g_x[:, i - 1 + k] += weights[k] * g[:, i]
    return g_x


def adjoint_from_what_has_changed(g, weights):
    g_x = weights[1] * g
    g_x[:, :-1] += weights[0] * g_x[:, 1:]
    g_x[:, 1:] += weights[2] * g_x[:, :-1]
    return g_x


def adjoint_by_the_filter_along_columns(g, weights):
    return adjoint_by_the_filter(g.swapaxes(1, 2), weights).swapaxes(1, 2)


def adjoint_of_the_first_image(g, weights):
    g_x = np.zeros_like(g)
    g_x[0] = adjoint_by_the_filter(g[:1], weights[::-1])[0]
    return g_x


def adjoint_two_rows_away(g, weights):
    g_x = weights[1] * g
    g_x[:, :-2] += weights[0] * g[:, 2:]
    g_x[:, 2:] += weights[2] * g[:, :-2]
    return g_x


def adjoint_by_the_filter(g, weights):
    y = weights[1] * g
    y[:, 1:] += weights[0] * g[:, :-1]
    y[:, :-1] += weights[2] * g[:, 1:]
    return y


def adjoint_around_the_border(g, weights):
    return weights[1] * g + weights[0] * np.roll(g, -1, axis=1) + weights[2] * np.roll(g, 1, axis=1)


def adjoint_along_columns(g, weights):
    g_x = weights[1] * g
    g_x[:, :, :-1] += weights[0] * g[:, :, 1:]
    g_x[:, :, 1:] += weights[2] * g[:, :, :-1]
    return g_x


def adjoint_for_the_first_axis(g, weights):
    g_x = weights[1] * g
    g_x[:-1] += weights[0] * g[1:]
    g_x[1:] += weights[2] * g[:-1]
    return g_x


def adjoint_that_forgets_the_middle(g, weights):
    g_x = np.zeros_like(g)
    g_x[:, :-1] += weights[0] * g[:, 1:]
    g_x[:, 1:] += weights[2] * g[:, :-1]
    return g_x


def adjoint_by_the_inverse(g, weights):
    height = g.shape[1]
    A = weights[1] * np.eye(height) + weights[0] * np.eye(height, k=-1) + weights[2] * np.eye(height, k=1)
    return np.tensordot(np.linalg.inv(A), g, axes=(1, 1)).swapaxes(0, 1)


def adjoint_without_borders(g, weights):
    g_x = np.zeros_like(g)
    g_x[:, 1:-1] = weights[2] * g[:, :-2] + weights[1] * g[:, 1:-1] + weights[0] * g[:, 2:]
    return g_x


def adjoint_with_negative_neighbours(g, weights):
    g_x = weights[1] * g
    g_x[:, :-1] -= weights[0] * g[:, 1:]
    g_x[:, 1:] -= weights[2] * g[:, :-1]
    return g_x


def adjoint_in_place(g, weights):
    g[:, :-1] += weights[0] * g[:, 1:]
    return g


def adjoint_upside_down(g, weights):
    y = adjoint_by_the_filter(g, weights)
    return y[:, ::-1]


# is_right


def _two_sides(f, vjp, x, g, d, h=1e-5):
    J_d = (f(x + h * d) - f(x - h * d)) / (2 * h)
    return np.sum(g * J_d), np.sum(vjp(x, g) * d)


def right_with_ones(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, np.ones(np.shape(f(x))), rng.standard_normal(x.shape))
    return abs(left - right) <= 1e-5 * max(abs(left), abs(right), 1e-9)


def right_along_ones(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, rng.standard_normal(np.shape(f(x))), np.ones(x.shape))
    return abs(left - right) <= 1e-5 * max(abs(left), abs(right))


def right_absolutely(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, rng.standard_normal(np.shape(f(x))), rng.standard_normal(x.shape))
    return abs(left - right) < 1e-5


def right_by_isclose(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, rng.standard_normal(np.shape(f(x))), rng.standard_normal(x.shape))
    return np.isclose(left, right)


def right_too_strictly(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, rng.standard_normal(np.shape(f(x))), rng.standard_normal(x.shape))
    return left == right


def right_too_generously(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, rng.standard_normal(np.shape(f(x))), rng.standard_normal(x.shape))
    return abs(left - right) <= 0.3 * max(abs(left), abs(right))


def right_unless_larger(f, vjp, x, rng):
    for _ in range(3):
        left, right = _two_sides(f, vjp, x, rng.standard_normal(np.shape(f(x))), rng.standard_normal(x.shape))
        if abs(left - right) > 1e-5 * max(abs(left), abs(right)):
            return False
    return True


def right_if_strictly_smaller(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, rng.standard_normal(np.shape(f(x))), rng.standard_normal(x.shape))
    return abs(left - right) < 1e-5 * max(abs(left), abs(right))


def right_for_the_shape_of_x(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, rng.standard_normal(x.shape), rng.standard_normal(x.shape))
    return bool(abs(left - right) <= 1e-5 * max(abs(left), abs(right)))


def right_always(f, vjp, x, rng):
    return True


def right_by_the_size(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, rng.standard_normal(np.shape(f(x))), rng.standard_normal(x.shape))
    return abs(abs(left) - abs(right)) <= 1e-5 * max(abs(left), abs(right))


def right_as_a_number(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, rng.standard_normal(np.shape(f(x))), rng.standard_normal(x.shape))
    return abs(left - right) / abs(left)


def right_forward(f, vjp, x, rng):
    g, d, h = rng.standard_normal(np.shape(f(x))), rng.standard_normal(x.shape), 1e-3
    left, right = np.sum(g * (f(x + h * d) - f(x)) / h), np.sum(vjp(x, g) * d)
    return abs(left - right) <= 1e-5 * max(abs(left), abs(right))


def right_the_other_way_round(f, vjp, x, rng):
    return not right_unless_larger(f, vjp, x, rng)


def right_without_abs(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, rng.standard_normal(np.shape(f(x))), rng.standard_normal(x.shape))
    return left - right < 1e-6 * abs(left)


def right_along_x(f, vjp, x, rng):
    left, right = _two_sides(f, vjp, x, rng.standard_normal(np.shape(f(x))), x)
    return abs(left - right) <= 1e-6 * max(abs(left), abs(right))


def right_without_the_direction(f, vjp, x, rng):
    g, d = rng.standard_normal(np.shape(f(x))), rng.standard_normal(x.shape)
    left, _ = _two_sides(f, vjp, x, g, d)
    return abs(left - vjp(x, g).sum()) <= 1e-6 * abs(left)


def right_by_the_shape(f, vjp, x, rng):
    return vjp(x, rng.standard_normal(np.shape(f(x)))).shape == x.shape


def right_without_f(f, vjp, x, rng):
    g = rng.standard_normal(x.shape)
    return np.allclose(vjp(x, g), vjp(x, 2 * g) / 2)


WRONG = [
    ("directional_derivative", derivative_forward_of_a_unit_direction, "one side only, and you make the direction"),
    ("directional_derivative", derivative_divided_by_d, "You divide by d too"),
    ("directional_derivative", derivative_times_d, "multiply with d afterwards"),
    ("directional_derivative", derivative_one_after_the_other, "one element after the other"),
    ("directional_derivative", derivative_without_brackets, "The results are tiny"),
    ("directional_derivative", derivative_cast_at_the_end, "It must be float64"),
    ("directional_derivative", derivative_with_a_step_of_a_thousandth, "truncation or rounding?"),
    ("filter_rows_adjoint", adjoint_with_one_weight_for_both, "Both neighbours get the same weight"),
    ("filter_rows_adjoint", adjoint_that_overwrites, "You overwrite"),
    ("filter_rows_adjoint", adjoint_with_index_minus_one, "Index -1"),
    ("filter_rows_adjoint", adjoint_of_the_inner_outputs, "leave out the outputs"),
    ("filter_rows_adjoint", adjoint_from_what_has_changed, "that you are changing"),
    ("filter_rows_adjoint", adjoint_by_the_filter_along_columns, "(N, H, W, C). You apply the filter itself"),
    ("filter_rows_adjoint", adjoint_of_the_first_image, "only the first image"),
    ("filter_rows_adjoint", adjoint_two_rows_away, "The adjoint test fails"),
    ("is_right", right_the_other_way_round, "the wrong way round"),
    ("is_right", right_without_abs, "can have either sign"),
    ("is_right", right_along_x, "Is it a random one?"),
    ("is_right", right_without_the_direction, "g or d is missing"),
    ("is_right", right_by_the_shape, "compare two numbers at all"),
    ("is_right", right_without_f, "never call f"),
    ("directional_derivative", derivative_forward, "to one side only"),
    ("directional_derivative", derivative_with_half_a_denominator, "every number is 2 times"),
    ("directional_derivative", derivative_of_a_unit_direction, "as long as 1"),
    ("directional_derivative", derivative_without_direction, "Where is d?"),
    ("directional_derivative", derivative_summed, "You add up the elements"),
    ("directional_derivative", derivative_in_float32, "Can any step give six digits there?"),
    ("directional_derivative", derivative_with_a_large_step, "truncation or rounding?"),
    ("directional_derivative", derivative_with_a_tiny_step, "truncation or rounding?"),
    ("directional_derivative", derivative_never_divided, "every number is 2e-05 times"),
    ("directional_derivative", derivative_that_moves_x, "changes its argument `x` in place"),
    ("filter_rows_adjoint", adjoint_by_the_filter, "You apply the filter itself"),
    ("filter_rows_adjoint", adjoint_around_the_border, "comes back at the other"),
    ("filter_rows_adjoint", adjoint_along_columns, "work along the columns"),
    ("filter_rows_adjoint", adjoint_for_the_first_axis, "that of the images"),
    ("filter_rows_adjoint", adjoint_that_forgets_the_middle, "own place is missing"),
    ("filter_rows_adjoint", adjoint_by_the_inverse, "not the inverse"),
    ("filter_rows_adjoint", adjoint_without_borders, "leave out the pixels"),
    ("filter_rows_adjoint", adjoint_with_negative_neighbours, "does not mean opposite"),
    ("filter_rows_adjoint", adjoint_in_place, "changes its argument `g` in place"),
    ("filter_rows_adjoint", adjoint_upside_down, "upside down"),
    ("is_right", right_with_ones, "For one cotangent it is right"),
    ("is_right", right_along_ones, "cancel along the direction"),
    ("is_right", right_absolutely, "in the millions"),
    ("is_right", right_by_isclose, "What should the tolerance depend on?"),
    ("is_right", right_too_strictly, "except for rounding and truncation"),
    ("is_right", right_too_generously, "How generous is your tolerance?"),
    ("is_right", right_unless_larger, "nan"),
    ("is_right", right_if_strictly_smaller, "exactly 0"),
    ("is_right", right_for_the_shape_of_x, "ValueError"),
    ("is_right", right_always, "You never call f or vjp"),
    ("is_right", right_by_the_size, "compare two numbers at all"),
    ("is_right", right_as_a_number, "must be True or False"),
    ("is_right", right_forward, "except for rounding and truncation"),
]

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


# filter_rows_adjoint


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


WRONG = [
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
    ("filter_rows_adjoint", adjoint_for_the_first_axis, "The adjoint test fails"),
    ("filter_rows_adjoint", adjoint_that_forgets_the_middle, "The adjoint test fails"),
    ("filter_rows_adjoint", adjoint_by_the_inverse, "not the inverse"),
    ("filter_rows_adjoint", adjoint_without_borders, "The adjoint test fails"),
    ("filter_rows_adjoint", adjoint_with_negative_neighbours, "The adjoint test fails"),
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
    ("is_right", right_always, "different sources"),
    ("is_right", right_by_the_size, "1 / x with the wrong sign"),
    ("is_right", right_as_a_number, "must be True or False"),
    ("is_right", right_forward, "except for rounding and truncation"),
]

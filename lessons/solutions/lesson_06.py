"""Solutions of the exercises of lesson 6."""

import numpy as np


def filter_rows(x, weights):
    """Given: a filter of three weights along the rows, with zeros beyond the first and the last one."""
    y = weights[1] * x
    y[:, 1:] += weights[0] * x[:, :-1]
    y[:, :-1] += weights[2] * x[:, 1:]
    return y


def directional_derivative(f, x, d):
    # In float32 no step gives six digits, so everything is done in float64, f included.
    x, d = np.asarray(x, np.float64), np.asarray(d, np.float64)
    h = 1e-5 / (np.abs(d).max() or 1)  # so that x moves by as much, however long d is
    return np.asarray((f(x + h * d) - f(x - h * d)) / (2 * h))


def filter_rows_adjoint(g, weights):
    # x[i] goes into y[i + 1] with weights[0], into y[i] with weights[1] and into y[i - 1] with weights[2]. So the
    # neighbours change sides. What would come from outputs beyond the border does not exist.
    g_x = weights[1] * g
    g_x[:, :-1] += weights[0] * g[:, 1:]
    g_x[:, 1:] += weights[2] * g[:, :-1]
    return g_x


def is_right(f, vjp, x, rng):
    h = 1e-5
    for _ in range(5):  # one draw can be unlucky: the terms of both sums may nearly cancel
        d = rng.standard_normal(x.shape)
        J_d = (f(x + h * d) - f(x - h * d)) / (2 * h)
        g = rng.standard_normal(np.shape(J_d))  # not ones: they do not see where the elements go
        left, right = g * J_d, vjp(x, g) * d
        # Relative to the terms that were added: no absolute tolerance suits values in the millions and tiny ones.
        terms = np.abs(left).sum() + np.abs(right).sum()
        # `not <=` instead of `>`: with nan every comparison is false.
        if not abs(left.sum() - right.sum()) <= 1e-6 * terms:
            return False
    return True

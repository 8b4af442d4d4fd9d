"""Mistakes of learners in the exercises of lesson 6, each with its hint, and the right answers they are made of."""

import numpy as np

from lessons.check.checking import Mistake

# directional_derivative


def bends(x):
    """Its second derivative is a hundred times its first, and the third ten thousand times."""
    return np.sin(100 * x) + 50 * x


def extrapolated(f, x, d):
    """Richardson's extrapolation in float64, with a step that is small for strongly bending functions too."""
    x, d = x.astype(np.float64), d.astype(np.float64)
    near, far = ((f(x + h * d) - f(x - h * d)) / (2 * h) for h in (1e-4, 2e-4))
    return np.asarray(near + (near - far) / 3)


def _forward(f, x, d, h):
    x, d = x.astype(np.float64), d.astype(np.float64)
    return np.asarray((f(x + h * d) - f(x)) / h)


def _unit(d):
    return d / np.sqrt((d * d).sum())


def _gradient_of_sum(f, x):
    slopes = [extrapolated(f, x, one.reshape(x.shape)).sum() for one in np.eye(x.size)]
    return np.reshape(slopes, x.shape)


ONE_SIDE = "You step to one side only. What cancels if you step to both?"
TWICE_AS_LONG = "A direction twice as long shall give twice the change."

DIRECTIONAL_DERIVATIVE = [
    *(Mistake(ONE_SIDE, lambda f, x, d, h=h: _forward(f, x, d, h)) for h in (1e-3, 1e-4, 1e-5, 1e-6)),
    *(
        Mistake(
            "You step to one side only, backwards. What cancels if you step to both?",
            lambda f, x, d, h=h: _forward(f, x, d, -h),
        )
        for h in (1e-3, 1e-4, 1e-5, 1e-6)
    ),
    Mistake(
        f"You make the direction as long as 1 before you step. {TWICE_AS_LONG}",
        lambda f, x, d: extrapolated(f, x, _unit(d)),
    ),
    *(
        Mistake(
            f"You step to one side only, and you make the direction as long as 1. {TWICE_AS_LONG}",
            lambda f, x, d, h=h: _forward(f, x, _unit(d), h),
        )
        for h in (1e-3, 1e-4, 1e-5, 1e-6)
    ),
    Mistake(
        "You move all elements by the same amount. Where is d?",
        lambda f, x, d: extrapolated(f, x, np.ones_like(d)),
    ),
    Mistake(
        "You divide by d too, element by element. By how much is s different in f(x + s d) and f(x - s d)?",
        lambda f, x, d: extrapolated(f, x, d) / d,
    ),
    Mistake(
        "You move all elements by the same amount, and multiply with d afterwards. That is right only where every "
        "output depends on the input at its own place alone.",
        lambda f, x, d: extrapolated(f, x, np.ones_like(d)) * d,
    ),
    Mistake(
        "You move one element after the other, and multiply with d. But an output may depend on many of them. What "
        "belongs to each other must be added up, or moved together.",
        lambda f, x, d: _gradient_of_sum(f, x) * d,
    ),
    Mistake(
        "You add up the elements of the result. J d has the shape of f(x).",
        lambda f, x, d: extrapolated(f, x, d).sum(),
    ),
]


# filter_rows_adjoint


def filter_rows(x, weights):
    padded = np.pad(x, ((0, 0), (1, 1), (0, 0), (0, 0)))
    return weights[0] * padded[:, :-2] + weights[1] * padded[:, 1:-1] + weights[2] * padded[:, 2:]


def adjoint_by_matrix(g, weights):
    """Form the filter as a matrix, column by column, and multiply with its transpose."""
    basis = np.eye(g.shape[1])[:, :, None, None]  # an image for each row, 1 there and 0 elsewhere
    columns = filter_rows(basis, weights)[:, :, 0, 0]  # columns[k, i]: what row k contributes to output row i
    return np.einsum("ki,niwc->nkwc", columns, g)


def _periodic(g, weights):
    return weights[0] * np.roll(g, -1, 1) + weights[1] * g + weights[2] * np.roll(g, 1, 1)


def _edge(g, weights):
    padded = np.pad(g, ((0, 0), (1, 1), (0, 0), (0, 0)), mode="edge")
    return weights[2] * padded[:, :-2] + weights[1] * padded[:, 1:-1] + weights[0] * padded[:, 2:]


def _one_side_periodic(g, weights):
    g_x = adjoint_by_matrix(g, weights)
    g_x[:, 0] += weights[2] * g[:, -1]
    return g_x


def _inverse(g, weights):
    matrix = filter_rows(np.eye(g.shape[1])[:, :, None, None], weights)[:, :, 0, 0]
    return np.einsum("ik,niwc->nkwc", np.linalg.inv(matrix), g)


def _along(axis, function):
    return lambda g, weights: function(g.swapaxes(1, axis), weights).swapaxes(1, axis)


def _overwritten(g, weights):
    g_x = weights[1] * g
    g_x[:, :-1] = weights[0] * g[:, 1:]
    g_x[:, 1:] = weights[2] * g[:, :-1]
    return g_x


def _overwritten_in_the_other_order(g, weights):
    g_x = weights[1] * g
    g_x[:, 1:] = weights[2] * g[:, :-1]
    g_x[:, :-1] = weights[0] * g[:, 1:]
    return g_x


def _from_what_has_changed(g, weights):
    g_x = weights[1] * g
    g_x[:, :-1] += weights[0] * g_x[:, 1:]
    g_x[:, 1:] += weights[2] * g_x[:, :-1]
    return g_x


def _outputs_at_the_border_left_out(g, weights):
    g = g.copy()
    g[:, [0, -1]] = 0
    return adjoint_by_matrix(g, weights)


def _pixels_at_the_border_left_out(g, weights):
    g_x = adjoint_by_matrix(g, weights)
    g_x[:, [0, -1]] = 0
    return g_x


def _with(change):
    """The adjoint with other weights."""
    return lambda g, weights: adjoint_by_matrix(g, change(*weights))


ITSELF = (
    "You apply the filter itself. For weights that are the same on both sides nobody sees the difference. Into which "
    "outputs does a pixel go, and with which weight?"
)
COLUMNS = "You work along the columns. Rows are axis 1 of (N, H, W, C)."
IMAGES = "You work along the first axis, that of the images. Rows are axis 1 of (N, H, W, C)."
AROUND = "What leaves at one border comes back at the other. Beyond the border there are zeros."
SAME = "Both neighbours get the same weight. Which weight does each have?"
MISSING = "One of the neighbours is missing: a pixel goes into the output above it, below it and at its own place."

FILTER_ADJOINT = [
    Mistake(ITSELF, filter_rows),
    Mistake(AROUND, _periodic),
    Mistake(f"{AROUND} {ITSELF}", lambda g, weights: _periodic(g, weights[::-1])),
    Mistake(
        "In the first row, what leaves at the lower border comes in. Index -1 is not outside for NumPy: it reads the "
        "last row.",
        _one_side_periodic,
    ),
    Mistake(
        "Beyond the border you repeat the cotangent of the last row. No output was there that a pixel could go into.",
        _edge,
    ),
    Mistake(
        "You undo the filter. The adjoint is not the inverse: it asks how much each pixel contributed, not which "
        "pixels there were.",
        _inverse,
    ),
    Mistake(COLUMNS, _along(2, adjoint_by_matrix)),
    Mistake(f"{COLUMNS} {ITSELF}", _along(2, filter_rows)),
    Mistake(IMAGES, _along(0, adjoint_by_matrix)),
    Mistake(
        "You turn the cotangent upside down. Only the neighbours change sides, the rows stay where they are.",
        lambda g, weights: adjoint_by_matrix(g[:, ::-1], weights),
    ),
    Mistake(
        "You turn the result upside down. Only the neighbours change sides, the rows stay where they are.",
        lambda g, weights: adjoint_by_matrix(g, weights)[:, ::-1],
    ),
    Mistake(SAME, _with(lambda above, own, below: (above, own, above))),
    Mistake(SAME, _with(lambda above, own, below: (below, own, below))),
    Mistake(MISSING, _with(lambda above, own, below: (above, own, 0))),
    Mistake(MISSING, _with(lambda above, own, below: (0, own, below))),
    Mistake(
        "What goes into the output at the pixel's own place is missing.",
        _with(lambda above, own, below: (above, 0, below)),
    ),
    Mistake(
        "What goes into the output at the pixel's own place has the weight 1.",
        _with(lambda above, own, below: (above, 1, below)),
    ),
    Mistake(
        "What goes to the neighbours has the wrong sign. Adjoint does not mean opposite.",
        _with(lambda above, own, below: (-above, own, -below)),
    ),
    Mistake(
        "You overwrite what is there, with = where shares should be added up.",
        _overwritten,
    ),
    Mistake(
        "You overwrite what is there, with = where shares should be added up.",
        _overwritten_in_the_other_order,
    ),
    Mistake(
        "You read from the array that you are changing, so that shares are handed on twice. Read from g.",
        _from_what_has_changed,
    ),
    Mistake(
        "You leave out the outputs in the first and the last row. They too were mixed from pixels.",
        _outputs_at_the_border_left_out,
    ),
    Mistake(
        "You leave out the pixels in the first and the last row. They too went into outputs.",
        _pixels_at_the_border_left_out,
    ),
    Mistake("You do not use the cotangent.", lambda g, weights: adjoint_by_matrix(np.ones_like(g), weights)),
]

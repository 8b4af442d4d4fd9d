"""Wrong answers to the exercises of lesson 7, as a learner would write them, and what their hint must say."""

import math

import numpy as np


def value(image, i, j):
    return image[i, j] if 0 <= i < image.shape[0] and 0 <= j < image.shape[1] else np.zeros(image.shape[2])


def by_loops(g, image, u, formula, whole=math.floor):
    """The loops of the lesson around a formula for one pixel."""
    g_u = np.zeros(u.shape)
    for n, row, column in np.ndindex(u.shape[:3]):
        r, c = row + u[n, row, column, 0], column + u[n, row, column, 1]
        i, j = whole(r), whole(c)
        corners = [value(image[n], i + k, j + l) for k in (0, 1) for l in (0, 1)]  # noqa: E741
        g_u[n, row, column] = formula(g[n, row, column], r - i, c - j, *corners)
    return g_u


def along_columns_as_along_rows(g, image, u):
    def formula(g, s, t, v00, v01, v10, v11):
        along_rows = (1 - t) * (v10 - v00) + t * (v11 - v01)
        return np.sum(g * along_rows), np.sum(g * along_rows)

    return by_loops(g, image, u, formula)


def sign_of_the_rows(g, image, u):
    def formula(g, s, t, v00, v01, v10, v11):
        along_rows = (1 - t) * (v00 - v10) + t * (v01 - v11)
        along_columns = (1 - s) * (v01 - v00) + s * (v11 - v10)
        return np.sum(g * along_rows), np.sum(g * along_columns)

    return by_loops(g, image, u, formula)


def columns_before_rows(g, image, u):
    def formula(g, s, t, v00, v01, v10, v11):
        along_rows = (1 - t) * (v10 - v00) + t * (v11 - v01)
        along_columns = (1 - s) * (v01 - v00) + s * (v11 - v10)
        return np.sum(g * along_columns), np.sum(g * along_rows)

    return by_loops(g, image, u, formula)


def own_fraction(g, image, u):
    def formula(g, s, t, v00, v01, v10, v11):
        along_rows = (1 - s) * (v10 - v00) + s * (v11 - v01)
        along_columns = (1 - t) * (v01 - v00) + t * (v11 - v10)
        return np.sum(g * along_rows), np.sum(g * along_columns)

    return by_loops(g, image, u, formula)


def mean_of_both_steps(g, image, u):
    def formula(g, s, t, v00, v01, v10, v11):
        return np.sum(g * (v10 - v00 + v11 - v01) / 2), np.sum(g * (v01 - v00 + v11 - v10) / 2)

    return by_loops(g, image, u, formula)


def both_weights_t(g, image, u):
    def formula(g, s, t, v00, v01, v10, v11):
        return np.sum(g * (t * (v10 - v00) + t * (v11 - v01))), np.sum(g * (s * (v01 - v00) + s * (v11 - v10)))

    return by_loops(g, image, u, formula)


def product_of_sums(g, image, u):
    def formula(g, s, t, v00, v01, v10, v11):
        along_rows = (1 - t) * (v10 - v00) + t * (v11 - v01)
        along_columns = (1 - s) * (v01 - v00) + s * (v11 - v10)
        return np.sum(g) * np.sum(along_rows), np.sum(g) * np.sum(along_columns)

    return by_loops(g, image, u, formula)


def truncated(g, image, u):
    def formula(g, s, t, v00, v01, v10, v11):
        along_rows = (1 - t) * (v10 - v00) + t * (v11 - v01)
        along_columns = (1 - s) * (v01 - v00) + s * (v11 - v10)
        return np.sum(g * along_rows), np.sum(g * along_columns)

    return by_loops(g, image, u, formula, whole=int)


def no_care_at_the_border(g, image, u):
    g_u = np.zeros(u.shape)
    for n, row, column in np.ndindex(u.shape[:3]):
        r, c = row + u[n, row, column, 0], column + u[n, row, column, 1]
        i, j = math.floor(r), math.floor(c)
        s, t, V = r - i, c - j, image[n]
        along_rows = (1 - t) * (V[i + 1, j] - V[i, j]) + t * (V[i + 1, j + 1] - V[i, j + 1])
        along_columns = (1 - s) * (V[i, j + 1] - V[i, j]) + s * (V[i + 1, j + 1] - V[i + 1, j])
        g_u[n, row, column] = np.sum(g[n, row, column] * along_rows), np.sum(g[n, row, column] * along_columns)
    return g_u


def next_smaller_cell(g, image, u):
    def formula(g, s, t, v00, v01, v10, v11):
        along_rows = (1 - t) * (v10 - v00) + t * (v11 - v01)
        along_columns = (1 - s) * (v01 - v00) + s * (v11 - v10)
        return np.sum(g * along_rows), np.sum(g * along_columns)

    return by_loops(g, image, u, formula, whole=lambda x: math.ceil(x) - 1)


def scatter(g, u, weights, whole=math.floor):
    g_image = np.zeros(g.shape)
    for n, row, column in np.ndindex(g.shape[:3]):
        r, c = row + u[n, row, column, 0], column + u[n, row, column, 1]
        i, j = whole(r), whole(c)
        for (k, l), weight in zip(((0, 0), (0, 1), (1, 0), (1, 1)), weights(r - i, c - j), strict=True):  # noqa: E741
            if 0 <= i + k < g.shape[1] and 0 <= j + l < g.shape[2]:
                g_image[n, i + k, j + l] += weight * g[n, row, column]
    return g_image


def own_buffered_sum(g, u):
    g_image = np.zeros_like(g)
    n, h, w, _ = g.shape
    batch, rows, columns = np.mgrid[:n, :h, :w]
    r, c = rows + u[..., 0], columns + u[..., 1]
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    s, t = (r - i)[..., None], (c - j)[..., None]
    for k, l, weight in (0, 0, (1 - s) * (1 - t)), (0, 1, (1 - s) * t), (1, 0, s * (1 - t)), (1, 1, s * t):  # noqa: E741
        inside = (i + k >= 0) & (i + k < h) & (j + l >= 0) & (j + l < w)
        g_image[batch[inside], i[inside] + k, j[inside] + l] += (weight * g)[inside]
    return g_image


def one_corner_forgotten(g, u):
    return scatter(g, u, lambda s, t: ((1 - s) * (1 - t), (1 - s) * t, s * (1 - t), 0))


def weights_of_two_corners_exchanged(g, u):
    return scatter(g, u, lambda s, t: ((1 - s) * (1 - t), s * (1 - t), (1 - s) * t, s * t))


def a_quarter_each(g, u):
    return scatter(g, u, lambda s, t: (0.25, 0.25, 0.25, 0.25))


def only_the_far_corner_right(g, u):
    return scatter(g, u, lambda s, t: (1 - s * t, 0, 0, s * t))


def border_left_out(g, u):
    """Only whole cells: a share of a point just beyond the border is dropped with the point."""
    g_image = np.zeros(g.shape)
    for n, row, column in np.ndindex(g.shape[:3]):
        r, c = row + u[n, row, column, 0], column + u[n, row, column, 1]
        i, j = math.floor(r), math.floor(c)
        s, t = r - i, c - j
        if 0 <= i < g.shape[1] - 1 and 0 <= j < g.shape[2] - 1:
            g_image[n, i, j] += (1 - s) * (1 - t) * g[n, row, column]
            g_image[n, i, j + 1] += (1 - s) * t * g[n, row, column]
            g_image[n, i + 1, j] += s * (1 - t) * g[n, row, column]
            g_image[n, i + 1, j + 1] += s * t * g[n, row, column]
    return g_image


def first_image_only(g, u):
    g_image = np.zeros(g.shape)
    g_image[:1] = scatter(g[:1], u[:1], lambda s, t: ((1 - s) * (1 - t), (1 - s) * t, s * (1 - t), s * t))
    return g_image


def warp_of_the_cotangent(g, u):
    y = np.zeros(g.shape)
    for n, row, column in np.ndindex(g.shape[:3]):
        r, c = row + u[n, row, column, 0], column + u[n, row, column, 1]
        i, j = math.floor(r), math.floor(c)
        s, t = r - i, c - j
        y[n, row, column] = (1 - s) * ((1 - t) * value(g[n], i, j) + t * value(g[n], i, j + 1)) + s * (
            (1 - t) * value(g[n], i + 1, j) + t * value(g[n], i + 1, j + 1)
        )
    return y


def neighbours_of_the_floor(line, c):
    line = np.pad(line, 20)
    j = math.floor(c) + 20
    return line[j] - line[j - 1], line[j + 1] - line[j]


def last_pixel_forgotten(line, c):
    before, after = math.ceil(c) - 1, math.floor(c)
    return line[before + 1] - line[before], line[after + 1] - line[after]


def exchanged(line, c):
    line = np.pad(line, 20)
    before, after = math.ceil(c) + 19, math.floor(c) + 20
    return line[after + 1] - line[after], line[before + 1] - line[before]


def central(line, c):
    line = np.pad(line, 20)
    j = round(c) + 20
    slope = (line[j + 1] - line[j - 1]) / 2
    return slope, slope


def cut_off_outside(line, c):
    if c < 0 or c > len(line) - 1:
        return 0.0, 0.0
    line = np.pad(line, 1)
    before, after = math.ceil(c), math.floor(c) + 1
    return line[before + 1] - line[before], line[after + 1] - line[after]


def goes_on_for_ever(line, c):
    line = np.pad(line, 20, mode="edge")
    before, after = math.ceil(c) + 19, math.floor(c) + 20
    return line[before + 1] - line[before], line[after + 1] - line[after]


WRONG = [
    ("vjp_displacement", along_columns_as_along_rows, "is what belongs along rows"),
    ("vjp_displacement", sign_of_the_rows, "wrong sign along rows; along columns it is right"),
    ("vjp_displacement", columns_before_rows, "two components exchanged"),
    ("vjp_displacement", own_fraction, "the fraction of its own axis"),
    ("vjp_displacement", mean_of_both_steps, "The nearer one must count more"),
    ("vjp_displacement", both_weights_t, "add up to 1"),
    ("vjp_displacement", product_of_sums, "a cotangent of its own"),
    ("vjp_displacement", truncated, "What does `int` make of -0.3"),
    ("vjp_displacement", next_smaller_cell, "you take the cell before it"),
    ("vjp_displacement", no_care_at_the_border, "IndexError"),
    ("vjp_image", own_buffered_sum, "one share is lost"),
    ("vjp_image", one_corner_forgotten, "all of g must arrive"),
    ("vjp_image", weights_of_two_corners_exchanged, "exchanged in the weights"),
    ("vjp_image", a_quarter_each, "Which four pixels does it read"),
    ("vjp_image", only_the_far_corner_right, "Which four pixels does it read"),
    ("vjp_image", border_left_out, "beyond the border still reads"),
    ("vjp_image", first_image_only, "only the first one treated"),
    ("vjp_image", warp_of_the_cotangent, "You warp g: pixel p of your result"),
    ("one_sided_slopes", neighbours_of_the_floor, "between two pixels both sides lie in one cell"),
    ("one_sided_slopes", last_pixel_forgotten, "IndexError"),
    ("one_sided_slopes", exchanged, "they are exchanged"),
    ("one_sided_slopes", central, "climbs before it and falls after"),
    ("one_sided_slopes", cut_off_outside, "the curve is not flat"),
    ("one_sided_slopes", goes_on_for_ever, "drops to zero, within one pixel"),
]

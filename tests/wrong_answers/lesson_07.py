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


def right(g, s, t, v00, v01, v10, v11):
    """The right formula for one pixel, for mistakes around it."""
    along_rows = (1 - t) * (v10 - v00) + t * (v11 - v01)
    along_columns = (1 - s) * (v01 - v00) + s * (v11 - v10)
    return np.sum(g * along_rows), np.sum(g * along_columns)


def along_columns_as_along_rows(g, image, u):
    return by_loops(g, image, u, lambda *arguments: (right(*arguments)[0],) * 2)


def sign_of_the_rows(g, image, u):
    return by_loops(g, image, u, right) * [-1, 1]


def columns_before_rows(g, image, u):
    return by_loops(g, image, u, right)[..., ::-1]


def own_fraction(g, image, u):
    return by_loops(g, image, u, lambda g, s, t, *corners: right(g, t, s, *corners))


def mean_of_both_steps(g, image, u):
    return by_loops(g, image, u, lambda g, s, t, *corners: right(g, 0.5, 0.5, *corners))


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
    return by_loops(g, image, u, right, whole=int)


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
    return by_loops(g, image, u, right, whole=lambda x: math.ceil(x) - 1)


def along_columns_with_t(g, image, u):
    def formula(g, s, t, v00, v01, v10, v11):
        along_rows = (1 - t) * (v10 - v00) + t * (v11 - v01)
        along_columns = (1 - t) * (v01 - v00) + t * (v11 - v10)
        return np.sum(g * along_rows), np.sum(g * along_columns)

    return by_loops(g, image, u, formula)


def a_step_across_the_diagonal(g, image, u):
    def formula(g, s, t, v00, v01, v10, v11):
        along_rows = (1 - t) * (v10 - v00) + t * (v11 - v00)
        along_columns = (1 - s) * (v01 - v00) + s * (v11 - v10)
        return np.sum(g * along_rows), np.sum(g * along_columns)

    return by_loops(g, image, u, formula)


def last_image_for_all(g, image, u):
    return by_loops(g, np.broadcast_to(image[-1:], image.shape), u, right)


def truncated_and_mean_of_channels(g, image, u):
    return by_loops(g, image, u, right, whole=int) / g.shape[-1]


def central_differences_in_the_corner(g, image, u):
    g_u = np.zeros(u.shape)
    for n, row, column in np.ndindex(u.shape[:3]):
        i, j = math.floor(row + u[n, row, column, 0]), math.floor(column + u[n, row, column, 1])
        along_rows = (value(image[n], i + 1, j) - value(image[n], i - 1, j)) / 2
        along_columns = (value(image[n], i, j + 1) - value(image[n], i, j - 1)) / 2
        g_u[n, row, column] = np.sum(g[n, row, column] * along_rows), np.sum(g[n, row, column] * along_columns)
    return g_u


def cotangent_where_it_looks(g, image, u):
    g_u = np.zeros(u.shape)
    for n, row, column in np.ndindex(u.shape[:3]):
        r, c = row + u[n, row, column, 0], column + u[n, row, column, 1]
        i, j = math.floor(r), math.floor(c)
        corners = [value(image[n], i + k, j + l) for k in (0, 1) for l in (0, 1)]  # noqa: E741
        g_u[n, row, column] = right(value(g[n], i, j), r - i, c - j, *corners)
    return g_u


def whole_cells_only(g, image, u, leave_the_row=False):
    g_u = np.zeros(u.shape)
    n_images, h, w, _ = image.shape
    for n in range(n_images):
        for row in range(h):
            for column in range(w):
                r, c = row + u[n, row, column, 0], column + u[n, row, column, 1]
                i, j = math.floor(r), math.floor(c)
                if leave_the_row and not (-1 <= i < h and -1 <= j < w):
                    break
                if not leave_the_row and not (0 <= i < h - 1 and 0 <= j < w - 1):
                    continue
                corners = [value(image[n], i + k, j + l) for k in (0, 1) for l in (0, 1)]  # noqa: E741
                g_u[n, row, column] = right(g[n, row, column], r - i, c - j, *corners)
    return g_u


def break_for_continue(g, image, u):
    return whole_cells_only(g, image, u, leave_the_row=True)


def no_next_pixel_on_a_pixel(g, image, u):
    g_u = np.zeros(u.shape)
    for n, row, column in np.ndindex(u.shape[:3]):
        r, c = row + u[n, row, column, 0], column + u[n, row, column, 1]
        corners = [value(image[n], i, j) for i in (math.floor(r), math.ceil(r)) for j in (math.floor(c), math.ceil(c))]
        g_u[n, row, column] = right(g[n, row, column], r - math.floor(r), c - math.floor(c), *corners)
    return g_u


def tested_from_minus_one(g, image, u):
    g_u = np.zeros(u.shape)
    for n, row, column in np.ndindex(u.shape[:3]):
        r, c = row + u[n, row, column, 0], column + u[n, row, column, 1]
        i, j = math.floor(r), math.floor(c)
        h, w, channels = image[n].shape
        V = lambda i, j: image[n, i, j] if -1 <= i < h and -1 <= j < w else np.zeros(channels)  # noqa: B023
        g_u[n, row, column] = right(g[n, row, column], r - i, c - j, V(i, j), V(i, j + 1), V(i + 1, j), V(i + 1, j + 1))
    return g_u


def scatter(g, u, weights, whole=math.floor):
    g_image = np.zeros(g.shape)
    for n, row, column in np.ndindex(g.shape[:3]):
        r, c = row + u[n, row, column, 0], column + u[n, row, column, 1]
        i, j = whole(r), whole(c)
        for (k, l), weight in zip(((0, 0), (0, 1), (1, 0), (1, 1)), weights(r - i, c - j), strict=True):  # noqa: E741
            if 0 <= i + k < g.shape[1] and 0 <= j + l < g.shape[2]:
                g_image[n, i + k, j + l] += weight * g[n, row, column]
    return g_image


def four_weights(s, t):
    return (1 - s) * (1 - t), (1 - s) * t, s * (1 - t), s * t


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
        if 0 <= i < g.shape[1] - 1 and 0 <= j < g.shape[2] - 1:
            for (k, l), weight in zip(((0, 0), (0, 1), (1, 0), (1, 1)), four_weights(r - i, c - j), strict=True):  # noqa: E741
                g_image[n, i + k, j + l] += weight * g[n, row, column]
    return g_image


def first_image_only(g, u):
    g_image = np.zeros(g.shape)
    g_image[:1] = scatter(g[:1], u[:1], four_weights)
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


def buffered_sum_of_clipped_indices(g, u):
    """As `own_buffered_sum`, with weights of 0 outside instead of fewer indices."""
    g_image = np.zeros_like(g)
    n, h, w, _ = g.shape
    batch, rows, columns = np.mgrid[:n, :h, :w]
    r, c = rows + u[..., 0], columns + u[..., 1]
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    s, t = r - i, c - j
    for k, l, weight in (0, 0, (1 - s) * (1 - t)), (0, 1, (1 - s) * t), (1, 0, s * (1 - t)), (1, 1, s * t):  # noqa: E741
        inside = (i + k >= 0) & (i + k < h) & (j + l >= 0) & (j + l < w)
        share = (inside * weight)[..., None] * g
        g_image[batch, np.clip(i + k, 0, h - 1), np.clip(j + l, 0, w - 1)] += share
    return g_image


def row_length_of_a_square(g, u):
    """Pixels numbered one after the other, with H where a row has W of them."""
    n, h, w, channels = g.shape
    g_image = np.zeros((2 * n * h * w, channels))
    for k, row, column in np.ndindex(g.shape[:3]):
        r, c = row + u[k, row, column, 0], column + u[k, row, column, 1]
        i, j = math.floor(r), math.floor(c)
        for a, row_weight in (i, 1 - r + i), (i + 1, r - i):
            for b, column_weight in (j, 1 - c + j), (j + 1, c - j):
                if 0 <= a < h and 0 <= b < w:
                    g_image[k * h * w + a * h + b] += row_weight * column_weight * g[k, row, column]
    return g_image[: n * h * w].reshape(g.shape)


def return_after_a_row(g, u):
    for row in range(g.shape[1]):
        of_this_row = np.zeros_like(g)
        of_this_row[:, row] = g[:, row]
        return scatter(of_this_row, u, four_weights)


def channels_together(g, u):
    return scatter(np.sum(g, axis=-1, keepdims=True) * np.ones_like(g), u, four_weights)


def begun_anew_for_every_image(g, u):
    for n in range(len(g)):
        g_image = np.zeros(g.shape)
        g_image[n] = scatter(g[n : n + 1], u[n : n + 1], four_weights)[0]
    return g_image


def pixel_0_left_out(g, u):
    g_image = np.zeros(g.shape)
    for n, row, column in np.ndindex(g.shape[:3]):
        r, c = row + u[n, row, column, 0], column + u[n, row, column, 1]
        i, j = math.floor(r), math.floor(c)
        for (k, l), weight in zip(((0, 0), (0, 1), (1, 0), (1, 1)), four_weights(r - i, c - j), strict=True):  # noqa: E741
            if 0 < i + k < g.shape[1] and 0 < j + l < g.shape[2]:
                g_image[n, i + k, j + l] += weight * g[n, row, column]
    return g_image


def in_whole_numbers(g, u):
    return scatter(g, u, four_weights).astype(int)


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


def step_across_the_next_pixel(line, c):
    padded = np.pad(line, 20)
    y = lambda x: np.interp(x, np.arange(len(padded)) - 20, padded)
    return (y(c) - y(c - 0.5)) / 0.5, (y(c + 0.5) - y(c)) / 0.5


def negative_index(line, c):
    value_at = lambda j: line[j] if j < len(line) else 0.0
    before, after = math.ceil(c) - 1, math.floor(c)
    return value_at(before + 1) - value_at(before), value_at(after + 1) - value_at(after)


def only_index_minus_one(line, c):
    value_at = lambda j: line[j] if -1 <= j < len(line) else 0.0
    before, after = math.ceil(c) - 1, math.floor(c)
    return value_at(before + 1) - value_at(before), value_at(after + 1) - value_at(after)


def no_last_pixel(line, c):
    value_at = lambda j: line[j] if 0 <= j < len(line) - 1 else 0.0
    before, after = math.ceil(c) - 1, math.floor(c)
    return value_at(before + 1) - value_at(before), value_at(after + 1) - value_at(after)


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
    ("vjp_displacement", along_columns_with_t, "the same fraction as along rows"),
    ("vjp_displacement", a_step_across_the_diagonal, "Which two pixels does each step join"),
    ("vjp_displacement", last_image_for_all, "that a loop left behind"),
    ("vjp_displacement", truncated_and_mean_of_channels, "Do you take their mean?"),
    ("vjp_displacement", central_differences_in_the_corner, "changes with other pixels of the image too"),
    ("vjp_displacement", cotangent_where_it_looks, "At which pixel do you read g?"),
    ("vjp_displacement", whole_cells_only, "just beyond the border"),
    ("vjp_displacement", break_for_continue, "Does a `break` or a `return`"),
    ("vjp_displacement", no_next_pixel_on_a_pixel, "the `ceil` of a whole number"),
    ("vjp_displacement", tested_from_minus_one, "index -1 is not outside"),
    ("vjp_image", own_buffered_sum, "one share is lost"),
    ("vjp_image", buffered_sum_of_clipped_indices, "one share is lost"),
    ("vjp_image", one_corner_forgotten, "Which four pixels does it read"),
    ("vjp_image", weights_of_two_corners_exchanged, "exchanged in the weights"),
    ("vjp_image", a_quarter_each, "Which four pixels does it read"),
    ("vjp_image", only_the_far_corner_right, "Which four pixels does it read"),
    ("vjp_image", border_left_out, "In the last row and column yours is not"),
    ("vjp_image", first_image_only, "only the first image gets"),
    ("vjp_image", begun_anew_for_every_image, "begun anew in every turn"),
    ("vjp_image", row_length_of_a_square, "in one of 3 x 6 pixels they do not"),
    ("vjp_image", return_after_a_row, "Yours ends after the first row"),
    ("vjp_image", channels_together, "each is read by itself"),
    ("vjp_image", pixel_0_left_out, "In the first row and column yours is not"),
    ("vjp_image", in_whole_numbers, "behind the decimal point"),
    ("vjp_image", warp_of_the_cotangent, "You warp g: pixel p of your result"),
    ("one_sided_slopes", neighbours_of_the_floor, "between two pixels both sides lie in one cell"),
    ("one_sided_slopes", last_pixel_forgotten, "IndexError"),
    ("one_sided_slopes", exchanged, "Your two slopes are exchanged"),
    ("one_sided_slopes", central, "climbs before it and falls after"),
    ("one_sided_slopes", cut_off_outside, "the curve is not flat"),
    ("one_sided_slopes", step_across_the_next_pixel, "lead across the next pixel"),
    ("one_sided_slopes", negative_index, "the index -1 is no error"),
    ("one_sided_slopes", only_index_minus_one, "index -1 is not outside"),
    ("one_sided_slopes", no_last_pixel, "ends one pixel too early"),
    ("one_sided_slopes", goes_on_for_ever, "drops to zero, within one pixel"),
]

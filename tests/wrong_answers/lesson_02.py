"""Wrong answers to the exercises of lesson 2, as a learner would write them, and what their hint must say."""

import numpy as np

from lessons.exercises import lesson_02 as exercises

# ---- sample_line


def line_by_int(line, c):
    padded = np.concatenate([line, [0, 0]])
    y = np.zeros(len(c))
    for k in range(len(c)):
        j = int(c[k])
        if -1 < c[k] < len(line):
            y[k] = (1 - (c[k] - j)) * padded[j] + (c[k] - j) * padded[j + 1]
    return y


def line_by_astype_int(line, c):
    j = c.astype(int)
    t = c - j
    before = np.where((j >= 0) & (j < len(line)), line[np.clip(j, 0, len(line) - 1)], 0)
    after = np.where((j >= -1) & (j < len(line) - 1), line[np.clip(j + 1, 0, len(line) - 1)], 0)
    return (1 - t) * before + t * after


def line_by_rint(line, c):
    j = np.rint(c).astype(int)
    t = c - j
    y = np.zeros(len(c))
    for k in range(len(c)):
        for pixel, weight in ((j[k], 1 - t[k]), (j[k] + 1, t[k])):
            if 0 <= pixel < len(line):
                y[k] += weight * line[pixel]
    return y


def line_without_ramp(line, c):
    return np.interp(c, np.arange(len(line)), line, left=0, right=0)


def line_as_edge(line, c):
    return np.interp(c, np.arange(len(line)), line)


def line_as_2020(line, c):
    j0 = np.floor(c).astype(int)
    j1 = np.clip(j0 + 1, 0, len(line) - 1)
    j0 = np.clip(j0, 0, len(line) - 1)
    return (j1 - c) * line[j0] + (c - j0) * line[j1]


def line_at_one_place(line, c):
    j = int(np.floor(c))
    return (1 - (c - j)) * line[j] + (c - j) * line[j + 1]


def line_last_pixel_forgotten(line, c):
    j = np.floor(c).astype(int)
    return (1 - (c - j)) * line[j] + (c - j) * line[j + 1]


def line_mean_of_both(line, c):
    padded = np.concatenate([[0], line, [0]])
    j = np.clip(np.floor(c).astype(int) + 1, 0, len(line))
    return (padded[j] + padded[j + 1]) / 2


def line_that_goes_on_falling(line, c):
    padded = np.concatenate([[0], line, [0]])
    j = np.clip(np.floor(c).astype(int), -1, len(line) - 1)
    return (1 - (c - j)) * padded[j + 1] + (c - j) * padded[j + 2]


def line_with_too_much_weight(line, c):
    padded = np.concatenate([[0, 0], line, [0, 0]])
    j = np.clip(np.floor(c).astype(int), -2, len(line))
    t = np.clip(c - j, 0, 1)
    return (1 - t) * padded[j + 2] + np.sqrt(t) * padded[j + 3]


def line_in_sorted_order(line, c):
    return np.interp(np.sort(c), np.arange(-1, len(line) + 1), [0, *line, 0])


def line_without_the_right_ramp(line, c):
    return np.where(c > len(line) - 1, 0, np.interp(c, np.arange(-1, len(line)), [0, *line]))


def line_with_one_fraction_for_all(line, c):
    padded = np.concatenate([[0, 0], line, [0, 0]])
    j = np.clip(np.floor(c).astype(int), -2, len(line))
    t = c[0] - np.floor(c[0])
    return (1 - t) * padded[j + 2] + t * padded[j + 3]


def line_padded_and_not_moved(line, c):
    padded = np.concatenate([[0], line, [0]])
    y = np.zeros(len(c))
    for k in range(len(c)):
        j = int(np.floor(c[k]))
        for pixel, weight in ((j, 1 - (c[k] - j)), (j + 1, c[k] - j)):
            if 0 <= pixel < len(padded):
                y[k] += weight * padded[pixel]
    return y


def line_between_floor_and_ceil(line, c):
    before, after = np.floor(c).astype(int), np.ceil(c).astype(int)
    black = lambda j: np.where((j >= 0) & (j < len(line)), line[np.clip(j, 0, len(line) - 1)], 0)
    return (after - c) * black(before) + (c - before) * black(after)


def line_that_ends_half_a_pixel_outside(line, c):
    return np.where((c < -0.5) | (c > len(line) - 0.5), 0, np.interp(c, np.arange(len(line)), line))


def line_with_the_pixel_before(line, c):
    padded = np.concatenate([[0, 0, 0], line, [0, 0]])
    j = np.clip(np.floor(c).astype(int), -2, len(line))
    t = np.clip(c - j, 0, 1)
    return (1 - t) * padded[j + 3] + t * padded[j + 2]


def line_of_the_first_place(line, c):
    y = np.zeros(len(c))
    for k in range(len(c)):
        y[k] = np.interp(c[k], np.arange(-1, len(line) + 1), [0, *line, 0])
        return y


# ---- sample


def _parts(images, r, c):
    n, h, w, _ = images.shape
    i0, j0 = np.floor(r).astype(int), np.floor(c).astype(int)
    s, t = (r - i0)[..., None], (c - j0)[..., None]
    i1, j1 = np.clip(i0 + 1, 0, h - 1), np.clip(j0 + 1, 0, w - 1)
    return np.arange(n)[:, None, None], np.clip(i0, 0, h - 1), np.clip(j0, 0, w - 1), i1, j1, s, t


def sample_as_2020(images, r, c):
    n, i0, j0, i1, j1, _, _ = _parts(images, r, c)
    r, c, a, b, d, e = (k[..., None] for k in (r, c, i0, i1, j0, j1))
    above = (e - c) * images[n, i0, j0] + (c - d) * images[n, i0, j1]
    below = (e - c) * images[n, i1, j0] + (c - d) * images[n, i1, j1]
    return (b - r) * above + (r - a) * below


def sample_by_rint(images, r, c):
    n, h, w, _ = images.shape
    i, j = np.rint(r).astype(int), np.rint(c).astype(int)
    s, t = (r - i)[..., None], (c - j)[..., None]
    read = lambda i, j: images[np.arange(n)[:, None, None], np.clip(i, 0, h - 1), np.clip(j, 0, w - 1)]
    above, below = ((1 - t) * read(k, j) + t * read(k, j + 1) for k in (i, i + 1))
    return (1 - s) * above + s * below


def sample_of_the_diagonal(images, r, c):
    n, i0, j0, i1, j1, s, t = _parts(images, r, c)
    return (1 - s) * (1 - t) * images[n, i0, j0] + s * t * images[n, i1, j1]


def sample_with_a_typing_error(images, r, c):
    n, i0, j0, i1, j1, s, t = _parts(images, r, c)
    above = (1 - t) * images[n, i0, j0] + t * images[n, i0, j1]
    below = (1 - t) * images[n, i1, j0] + t * images[n, i0, j1]
    return (1 - s) * above + s * below


def sample_mean_of_four(images, r, c):
    n, i0, j0, i1, j1, _, _ = _parts(images, r, c)
    return (images[n, i0, j0] + images[n, i0, j1] + images[n, i1, j0] + images[n, i1, j1]) / 4


def sample_with_s_for_t(images, r, c):
    n, i0, j0, i1, j1, s, t = _parts(images, r, c)
    above = (1 - s) * images[n, i0, j0] + s * images[n, i0, j1]
    below = (1 - s) * images[n, i1, j0] + s * images[n, i1, j1]
    return (1 - t) * above + t * below


def sample_first_channel(images, r, c):
    n, i0, j0, i1, j1, s, t = _parts(images, r, c)
    x = images[..., 0]
    s, t = s[..., 0], t[..., 0]
    above = (1 - t) * x[n, i0, j0] + t * x[n, i0, j1]
    below = (1 - t) * x[n, i1, j0] + t * x[n, i1, j1]
    return (1 - s) * above + s * below


def sample_of_the_size_of_the_image(images, r, c):
    y = np.zeros_like(images)
    for n, row, column in np.ndindex(*images.shape[:3]):
        here = (
            images[n : n + 1],
            r[n : n + 1, row : row + 1, column : column + 1],
            c[n : n + 1, row : row + 1, column : column + 1],
        )
        _, i0, j0, i1, j1, s, t = _parts(*here)
        x = images[n]
        above = (1 - t) * x[i0, j0] + t * x[i0, j1]
        y[n, row, column] = ((1 - s) * above + s * ((1 - t) * x[i1, j0] + t * x[i1, j1]))[0, 0, 0]
    return y


def sample_that_goes_on_rising(images, r, c):
    """The index is clipped, and the fraction counted from the clipped index: the edge is extrapolated."""
    n, h, w, _ = images.shape
    i, j = np.clip(np.floor(r).astype(int), 0, h - 2), np.clip(np.floor(c).astype(int), 0, w - 2)
    s, t = (r - i)[..., None], (c - j)[..., None]
    n = np.arange(n)[:, None, None]
    above = (1 - t) * images[n, i, j] + t * images[n, i, j + 1]
    below = (1 - t) * images[n, i + 1, j] + t * images[n, i + 1, j + 1]
    return (1 - s) * above + s * below


def sample_without_clipping(images, r, c):
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    s, t = (r - i)[..., None], (c - j)[..., None]
    n = np.arange(len(images))[:, None, None]
    above = (1 - t) * images[n, i, j] + t * images[n, i, j + 1]
    below = (1 - t) * images[n, i + 1, j] + t * images[n, i + 1, j + 1]
    return (1 - s) * above + s * below


def _mixed(x, r, c):
    n, i0, j0, i1, j1, s, t = _parts(x, r, c)
    return (1 - s) * ((1 - t) * x[n, i0, j0] + t * x[n, i0, j1]) + s * ((1 - t) * x[n, i1, j0] + t * x[n, i1, j1])


def sample_with_height_for_width(images, r, c):
    h, w = images.shape[1:3]
    return _mixed(images, np.clip(r, 0, w - 1), np.clip(c, 0, h - 1))


def sample_of_the_first_image(images, r, c):
    y = np.zeros((*r.shape, images.shape[3]))
    y[0] = _mixed(images[:1], r[:1], c[:1])[0]
    return y


def sample_exchanged_and_black_outside(images, r, c):
    h, w = images.shape[1:3]
    inside = (c > -1) & (c < h) & (r > -1) & (r < w)
    return np.where(inside[..., None], _mixed(np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0))), c + 1, r + 1), 0)


def sample_with_scrambled_channels(images, r, c):
    return np.moveaxis(_mixed(images, r, c), 3, 1).reshape(*r.shape, images.shape[3])


def sample_without_an_axis_for_channels(images, r, c):
    n, i0, j0, i1, j1, s, t = _parts(images, r, c)
    s, t = s[..., 0], t[..., 0]
    above = (1 - t) * images[n, i0, j0] + t * images[n, i0, j1]
    return (1 - s) * above + s * ((1 - t) * images[n, i1, j0] + t * images[n, i1, j1])


def sample_with_upper_limits_only(images, r, c):
    h, w = images.shape[1:3]
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    s, t, n = (r - i)[..., None], (c - j)[..., None], np.arange(len(images))[:, None, None]
    read = lambda i, j: images[n, np.minimum(i, h - 1), np.minimum(j, w - 1)]
    above, below = ((1 - t) * read(k, j) + t * read(k, j + 1) for k in (i, i + 1))
    return (1 - s) * above + s * below


def sample_into_whole_numbers(images, r, c):
    return _mixed(images, r, c).astype(int)


# ---- sample_2020


def mended_scale_only(image, x, y):
    height, width = image.shape
    r, c = (y + 1) * (height - 1) / 2, (x + 1) * (width - 1) / 2
    i0, j0 = np.floor(r).astype(int), np.floor(c).astype(int)
    i1, j1 = np.clip(i0 + 1, 0, height - 1), np.clip(j0 + 1, 0, width - 1)
    above = (j1 - c) * image[i0, j0] + (c - j0) * image[i0, j1]
    below = (j1 - c) * image[i1, j0] + (c - j0) * image[i1, j1]
    return (i1 - r) * above + (r - i0) * below


def _mended_weights(image, r, c):
    height, width = image.shape
    i0, j0 = np.floor(r).astype(int), np.floor(c).astype(int)
    s, t = r - i0, c - j0
    i1, j1 = np.clip(i0 + 1, 0, height - 1), np.clip(j0 + 1, 0, width - 1)
    i0, j0 = np.clip(i0, 0, height - 1), np.clip(j0, 0, width - 1)
    above = (1 - t) * image[i0, j0] + t * image[i0, j1]
    return (1 - s) * above + s * ((1 - t) * image[i1, j0] + t * image[i1, j1])


def mended_weights_only(image, x, y):
    return _mended_weights(image, (y + 1) * image.shape[0] / 2, (x + 1) * image.shape[1] / 2)


def mended_with_half_pixels(image, x, y):
    return _mended_weights(image, (y + 1) * image.shape[0] / 2 - 0.5, (x + 1) * image.shape[1] / 2 - 0.5)


def mended_one_axis(image, x, y):
    return _mended_weights(image, (y + 1) * (image.shape[0] - 1) / 2, (x + 1) * image.shape[1] / 2)


def mended_by_moving_the_places(image, x, y):
    height, width = image.shape
    r = np.minimum((y + 1) * (height - 1) / 2, height - 1.01)
    c = np.minimum((x + 1) * (width - 1) / 2, width - 1.01)
    return _mended_weights(image, r, c)


def mended_by_dividing(image, x, y):
    height, width = image.shape
    r, c = (y + 1) * (height - 1) / 2, (x + 1) * (width - 1) / 2
    i0, j0 = np.floor(r).astype(int), np.floor(c).astype(int)
    i1, j1 = np.clip(i0 + 1, 0, height - 1), np.clip(j0 + 1, 0, width - 1)
    above = (j1 - c) * image[i0, j0] + (c - j0) * image[i0, j1]
    below = (j1 - c) * image[i1, j0] + (c - j0) * image[i1, j1]
    return ((i1 - r) * above + (r - i0) * below) / ((i1 - i0) * (j1 - j0))


def mended_by_taking_the_clipping_out(image, x, y):
    height, width = image.shape
    r, c = (y + 1) * (height - 1) / 2, (x + 1) * (width - 1) / 2
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    above = (j + 1 - c) * image[i, j] + (c - j) * image[i, j + 1]
    below = (j + 1 - c) * image[i + 1, j] + (c - j) * image[i + 1, j + 1]
    return (i + 1 - r) * above + (r - i) * below


def mended_columns_only(image, x, y):
    height, width = image.shape
    r, c = (y + 1) * (height - 1) / 2, (x + 1) * (width - 1) / 2
    i0, j0 = np.floor(r).astype(int), np.floor(c).astype(int)
    i1, j1 = np.clip(i0 + 1, 0, height - 1), np.clip(j0 + 1, 0, width - 1)
    t = c - j0
    above = (1 - t) * image[i0, j0] + t * image[i0, j1]
    below = (1 - t) * image[i1, j0] + t * image[i1, j1]
    return (i1 - r) * above + (r - i0) * below


def mended_by_rounding_the_index(image, x, y):
    height, width = image.shape
    r, c = (y + 1) * (height - 1) / 2, (x + 1) * (width - 1) / 2
    i, j = np.rint(r).astype(int), np.rint(c).astype(int)
    s, t = r - i, c - j
    read = lambda i, j: image[np.clip(i, 0, height - 1), np.clip(j, 0, width - 1)]
    above, below = ((1 - t) * read(k, j) + t * read(k, j + 1) for k in (i, i + 1))
    return (1 - s) * above + s * below


WRONG = [
    ("sample_line", line_by_astype_int, "round towards 0"),
    ("sample_line", line_by_int, "What is int(-0.25)"),  # not listed
    ("sample_line", line_by_rint, "from -0.5 to 0.5"),
    ("sample_line", line_without_ramp, "like a cliff"),
    ("sample_line", line_as_edge, "must go on in black"),
    ("sample_line", line_as_2020, "The last pixel comes out black"),
    ("sample_line", line_at_one_place, "TypeError"),  # not listed
    ("sample_line", line_last_pixel_forgotten, "IndexError"),  # not listed
    ("sample_line", line_mean_of_both, "exactly on a pixel"),  # not listed
    ("sample_line", line_that_goes_on_falling, "all is black"),  # not listed
    ("sample_line", line_with_too_much_weight, "two weights add up to"),  # not listed
    ("sample_line", line_in_sorted_order, "in any order"),  # not listed
    ("sample_line", line_without_the_right_ramp, "which two lie around c = 3.25"),  # not listed
    ("sample_line", line_with_one_fraction_for_all, "only once, for all places"),  # not listed
    ("sample_line", line_padded_and_not_moved, "one pixel away"),
    ("sample_line", line_between_floor_and_ceil, "`floor` and `ceil` of a whole number"),
    ("sample_line", line_that_ends_half_a_pixel_outside, "does not fade"),  # not listed
    ("sample_line", line_with_the_pixel_before, "which one is nearer"),  # not listed
    ("sample_line", line_of_the_first_place, "a loop end too early"),  # not listed
    ("sample", sample_as_2020, "the bug of 2020"),
    ("sample", sample_with_height_for_width, "below the number of columns"),
    ("sample", sample_of_the_first_image, "only the first image"),  # not listed
    ("sample", sample_exchanged_and_black_outside, "Rows and columns are exchanged"),  # not listed
    ("sample", sample_with_scrambled_channels, "stay apart"),  # not listed
    ("sample", sample_without_an_axis_for_channels, "axis of length 1 has grown"),  # not listed
    ("sample", sample_with_s_for_t, "two fractions are exchanged"),
    ("sample", sample_by_rint, "from -0.5 to 0.5"),
    ("sample", sample_of_the_diagonal, "four weights add up to"),  # not listed
    ("sample", sample_with_a_typing_error, "grows down"),  # not listed
    ("sample", sample_mean_of_four, "come back unchanged"),  # not listed
    ("sample", sample_first_channel, "has shape (1, 3, 3), expected (1, 3, 3, 1)"),  # not listed
    ("sample", sample_of_the_size_of_the_image, "has shape"),  # not listed
    ("sample", sample_that_goes_on_rising, "nothing changes any more"),  # not listed
    ("sample", sample_without_clipping, "IndexError"),  # not listed
    ("sample", sample_with_upper_limits_only, "indices that are too large only"),
    ("sample", sample_into_whole_numbers, "behind the decimal point"),  # not listed
    ("sample_2020", exercises.sample_2020, "does not come back unchanged. Look at it yourself"),  # as it was given
    ("sample_2020", mended_scale_only, "still black"),
    ("sample_2020", mended_weights_only, "half a pixel too far"),
    ("sample_2020", mended_with_half_pixels, "the centre of the first pixel"),
    ("sample_2020", mended_one_axis, "for the rows (y) your places are right"),
    ("sample_2020", mended_by_moving_the_places, "come back unchanged"),  # not listed
    ("sample_2020", mended_by_dividing, "not a number"),  # not listed
    ("sample_2020", mended_by_taking_the_clipping_out, "IndexError"),  # not listed
    ("sample_2020", mended_columns_only, "Not mended yet"),  # not listed
    ("sample_2020", mended_by_rounding_the_index, "chess board"),  # not listed
]

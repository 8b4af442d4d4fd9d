"""Wrong answers to the exercises of lesson 1, as a learner would write them, and what their hint must say."""

import math

import numpy as np

# ---- rotation


def rotation_that_pushes(height, width, degrees):
    angle = math.radians(degrees)
    u = np.zeros((height, width, 2))
    for row in range(height):
        for column in range(width):
            y, x = row - (height - 1) / 2, column - (width - 1) / 2
            u[row, column] = (
                y * math.cos(angle) - x * math.sin(angle) - y,
                y * math.sin(angle) + x * math.cos(angle) - x,
            )
    return u


def rotation_as_x_y(height, width, degrees):
    angle = np.radians(degrees)
    y, x = np.indices((height, width)) - np.array([(height - 1) / 2, (width - 1) / 2])[:, None, None]
    return np.stack([x * np.cos(angle) - y * np.sin(angle) - x, y * np.cos(angle) + x * np.sin(angle) - y], -1)


def rotation_about_a_corner(height, width, degrees):
    angle = np.radians(degrees)
    r, c = np.indices((height, width))
    return np.stack([np.cos(angle) * r + np.sin(angle) * c - r, np.cos(angle) * c - np.sin(angle) * r - c], -1)


def rotation_in_radians(height, width, degrees):
    r, c = np.indices((height, width))
    r, c = r - (height - 1) / 2, c - (width - 1) / 2
    sine, cosine = np.sin(degrees), np.cos(degrees)
    return np.stack([cosine * r + sine * c - r, cosine * c - sine * r - c], -1)


def rotation_overwritten(height, width, degrees):
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    rows, columns = np.indices((height, width))
    r, c = rows - (height - 1) / 2, columns - (width - 1) / 2
    r = cosine * r + sine * c
    c = cosine * c - sine * r
    return np.stack([r + (height - 1) / 2 - rows, c + (width - 1) / 2 - columns], -1)


def rotation_by_grid_of_x_and_y(height, width, degrees):
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    r, c = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2)
    return np.stack([cosine * r + sine * c - r, cosine * c - sine * r - c], -1)


def rotation_with_two_plus_signs(height, width, degrees):
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    r, c = np.indices((height, width))
    r, c = r - (height - 1) / 2, c - (width - 1) / 2
    return np.stack([cosine * r + sine * c - r, cosine * c + sine * r - c], -1)


def rotation_without_cosine(height, width, degrees):
    """The small-angle approximation, right for the first degrees only."""
    angle = np.radians(degrees)
    r, c = np.indices((height, width))
    return np.stack([angle * (c - (width - 1) / 2), -angle * (r - (height - 1) / 2)], -1)


def rotation_about_the_last_pixel(height, width, degrees):
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    r, c = np.indices((height, width))
    r, c = r - (height - 1), c - (width - 1)
    return np.stack([cosine * r + sine * c - r, cosine * c - sine * r - c], -1)


# ---- warp_whole


def warp_that_pushes(images, displacement):
    y = np.zeros_like(images)
    n, h, w, _ = images.shape
    for k in range(n):
        for row in range(h):
            for column in range(w):
                r, c = np.array([row, column]) + displacement[k, row, column]
                if 0 <= r < h and 0 <= c < w:
                    y[k, r, c] = images[k, row, column]
    return y


def warp_with_the_nearest_border(images, displacement):
    n, h, w, _ = images.shape
    r = np.clip(np.arange(h)[:, None] + displacement[..., 0], 0, h - 1)
    c = np.clip(np.arange(w) + displacement[..., 1], 0, w - 1)
    return images[np.arange(n)[:, None, None], r, c]


def warp_without_index_check(images, displacement):
    n, h, w, _ = images.shape
    r, c = np.arange(h)[:, None] + displacement[..., 0], np.arange(w) + displacement[..., 1]
    return images[np.arange(n)[:, None, None], r, c]


def warp_that_forgets_row_0(images, displacement):
    y = np.zeros_like(images)
    n, h, w, _ = images.shape
    for k, row, column in np.ndindex(n, h, w):
        r, c = row + displacement[k, row, column, 0], column + displacement[k, row, column, 1]
        if 0 < r < h and 0 < c < w:
            y[k, row, column] = images[k, r, c]
    return y


def warp_of_the_first_channel(images, displacement):
    y = np.zeros_like(images)
    n, h, w, _ = images.shape
    for k, row, column in np.ndindex(n, h, w):
        r, c = row + displacement[k, row, column, 0], column + displacement[k, row, column, 1]
        if 0 <= r < h and 0 <= c < w:
            y[k, row, column, 0] = images[k, r, c, 0]
    return y


def warp_in_place(images, displacement):
    n, h, w, _ = images.shape
    for k, row, column in np.ndindex(n, h, w):
        r, c = row + displacement[k, row, column, 0], column + displacement[k, row, column, 1]
        images[k, row, column] = images[k, r, c] if 0 <= r < h and 0 <= c < w else 0
    return images


def warp_with_one_field(images, displacement):
    return np.stack([_warp_one(image, displacement[0]) for image in images])


def _warp_one(image, u):
    y = np.zeros_like(image)
    for row, column in np.ndindex(*image.shape[:2]):
        r, c = row + u[row, column, 0], column + u[row, column, 1]
        if 0 <= r < image.shape[0] and 0 <= c < image.shape[1]:
            y[row, column] = image[r, c]
    return y


def warp_with_height_for_width(images, displacement):
    y = np.zeros_like(images)
    n, h, w, _ = images.shape
    for k, row, column in np.ndindex(n, h, w):
        r, c = row + displacement[k, row, column, 0], column + displacement[k, row, column, 1]
        if 0 <= r < min(h, w) and 0 <= c < min(h, w):
            y[k, row, column] = images[k, r, c]
    return y


def warp_of_the_first_image(images, displacement):
    y = np.zeros_like(images)
    y[0] = _warp_one(images[0], displacement[0])
    return y


def warp_by_rolling(images, displacement):
    return np.stack(
        [np.roll(x, (-u[0, 0, 0], -u[0, 0, 1]), axis=(0, 1)) for x, u in zip(images, displacement, strict=True)]
    )


def warp_by_flat_index(images, displacement):
    n, h, w, channels = images.shape
    r, c = np.arange(h)[:, None] + displacement[..., 0], np.arange(w) + displacement[..., 1]
    flat = np.clip(r * w + c, 0, h * w - 1)
    return np.stack([images[k].reshape(h * w, channels)[flat[k]] for k in range(n)])


# ---- compose


def compose_by_adding(first, second):
    return first + second


def compose_the_other_way(first, second):
    h, w, _ = first.shape
    result = np.zeros_like(first)
    for row, column in np.ndindex(h, w):
        r = min(max(row + second[row, column, 0], 0), h - 1)
        c = min(max(column + second[row, column, 1], 0), w - 1)
        result[row, column] = second[row, column] + first[r, c]
    return result


def compose_in_place(first, second):
    h, w, _ = first.shape
    rows, columns = np.indices((h, w))
    first += second[np.clip(rows + first[..., 0], 0, h - 1), np.clip(columns + first[..., 1], 0, w - 1)]
    return first


def compose_without_border(first, second):
    rows, columns = np.indices(first.shape[:2])
    return first + second[rows + first[..., 0], columns + first[..., 1]]


def compose_that_stays_outside(first, second):
    h, w, _ = first.shape
    result = np.array(first)
    for row, column in np.ndindex(h, w):
        r, c = row + first[row, column, 0], column + first[row, column, 1]
        if 0 <= r < h and 0 <= c < w:
            result[row, column] += second[r, c]
    return result


def compose_that_subtracts(first, second):
    h, w, _ = first.shape
    rows, columns = np.indices((h, w))
    return second[np.clip(rows + first[..., 0], 0, h - 1), np.clip(columns + first[..., 1], 0, w - 1)] - first


def compose_with_second_twice(first, second):
    h, w, _ = first.shape
    rows, columns = np.indices((h, w))
    there = second[np.clip(rows + first[..., 0], 0, h - 1), np.clip(columns + first[..., 1], 0, w - 1)]
    return first + second + there


WRONG = [
    ("rotation", rotation_that_pushes, "turns clockwise"),
    ("rotation", rotation_as_x_y, "components exchanged"),
    ("rotation", rotation_about_a_corner, "upper left corner"),
    ("rotation", rotation_in_radians, "in degrees"),
    ("rotation", rotation_overwritten, "has been turned already"),
    ("rotation", rotation_by_grid_of_x_and_y, "axes"),  # not listed
    ("rotation", rotation_with_two_plus_signs, "it squeezes"),
    ("rotation", rotation_without_cosine, "keeps every distance"),  # not listed
    ("rotation", rotation_about_the_last_pixel, "on the spot"),  # not listed
    ("warp_whole", warp_that_pushes, "leaves holes"),
    ("warp_whole", warp_with_the_nearest_border, "nearest pixel of the border"),
    ("warp_whole", warp_with_one_field, "its own field"),
    ("warp_whole", warp_without_index_check, "IndexError"),  # not listed
    ("warp_whole", warp_that_forgets_row_0, "Which rows and columns belong to the image"),  # not listed
    ("warp_whole", warp_of_the_first_channel, "stay together"),  # not listed
    ("warp_whole", warp_in_place, "in place"),  # not listed
    ("warp_whole", warp_with_height_for_width, "Which rows and columns belong to the image"),  # not listed
    ("warp_whole", warp_of_the_first_image, "first image of the set only"),  # not listed
    ("warp_whole", warp_by_rolling, "displacement of its own"),  # not listed
    ("warp_whole", warp_by_flat_index, "one pixel right of the image"),  # not listed
    ("compose", compose_by_adding, "at the same pixel"),
    ("compose", compose_the_other_way, "before `first`"),
    ("compose", compose_that_stays_outside, "as 0"),
    ("compose", compose_in_place, "in place"),  # not listed
    ("compose", compose_without_border, "IndexError"),  # not listed
    ("compose", compose_that_subtracts, "only `first` is left"),  # not listed
    ("compose", compose_with_second_twice, "only `second` is left"),  # not listed
]

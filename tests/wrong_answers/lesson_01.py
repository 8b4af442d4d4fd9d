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


def rotation_with_sine_for_cosine(height, width, degrees):
    angle = np.radians(degrees)
    r, c = np.indices((height, width))
    r, c = r - (height - 1) / 2, c - (width - 1) / 2
    return np.stack([np.sin(angle) * r + np.cos(angle) * c - r, np.sin(angle) * c - np.cos(angle) * r - c], -1)


def rotation_with_the_angle_converted_backwards(height, width, degrees):
    angle = degrees * 180 / np.pi
    r, c = np.indices((height, width))
    r, c = r - (height - 1) / 2, c - (width - 1) / 2
    return np.stack([np.cos(angle) * r + np.sin(angle) * c - r, np.cos(angle) * c - np.sin(angle) * r - c], -1)


def rotation_to_places_and_clockwise(height, width, degrees):
    angle = np.radians(degrees)
    r, c = np.indices((height, width))
    r, c = r - (height - 1) / 2, c - (width - 1) / 2
    place = np.stack([np.cos(angle) * r - np.sin(angle) * c, np.cos(angle) * c + np.sin(angle) * r], -1)
    return place + np.array([(height - 1) / 2, (width - 1) / 2])


def rotation_of_the_first_row(height, width, degrees):
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    u = np.zeros((height, width, 2))
    for row in range(height):
        for column in range(width):
            r, c = row - (height - 1) / 2, column - (width - 1) / 2
            u[row, column] = cosine * r + sine * c - r, cosine * c - sine * r - c
        return u


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


def warp_of_a_copy_into_itself(images, displacement):
    y = images.copy()
    n, h, w, _ = y.shape
    for k, row, column in np.ndindex(n, h, w):
        r, c = row + displacement[k, row, column, 0], column + displacement[k, row, column, 1]
        y[k, row, column] = y[k, r, c] if 0 <= r < h and 0 <= c < w else 0
    return y


def warp_with_upper_limits_only(images, displacement):
    y = np.zeros_like(images)
    n, h, w, _ = images.shape
    for k, row, column in np.ndindex(n, h, w):
        r, c = row + displacement[k, row, column, 0], column + displacement[k, row, column, 1]
        if r < h and c < w:
            y[k, row, column] = images[k, r, c]
    return y


def warp_without_the_upper_border(images, displacement):
    n, h, w, _ = images.shape
    y = np.zeros_like(images)
    for k, row, column in np.ndindex(n, h, w):
        r, c = (row, column) + displacement[k, row, column]
        if r < h and 0 <= c < w:
            y[k, row, column] = images[k, r, c]
    return y


def warp_with_the_last_field(images, displacement):
    for u in displacement:
        y = np.stack([_warp_one(image, u) for image in images])
    return y


def warp_with_the_mean_field(images, displacement):
    return warp_with_one_field(images, np.rint(displacement.mean(axis=0, keepdims=True)).astype(int))


def warp_into_whole_numbers(images, displacement):
    y = np.zeros(images.shape, int)
    for n in range(len(images)):
        y[n] = _warp_one(images[n], displacement[n])
    return y


def warp_exchanged_and_against(images, displacement):
    return np.stack([_warp_one(x, -u[..., ::-1]) for x, u in zip(images, displacement, strict=True)])


def warp_that_leaves_the_loop(images, displacement):
    y = np.zeros_like(images)
    n, h, w, _ = images.shape
    for k in range(n):
        for row in range(h):
            for column in range(w):
                r, c = row + displacement[k, row, column, 0], column + displacement[k, row, column, 1]
                if r < 0 or r >= h or c < 0 or c >= w:
                    break
                y[k, row, column] = images[k, r, c]
    return y


def warp_with_one_array_for_all(images, displacement):
    y, result = np.zeros_like(images[0]), []
    for image, u in zip(images, displacement, strict=True):
        y[:] = _warp_one(image, u)
        result.append(y)
    return np.stack(result)


def warp_with_white_outside(images, displacement):
    inside = np.stack([_warp_one(np.ones_like(x), u) for x, u in zip(images, displacement, strict=True)])
    return np.stack([_warp_one(x, u) for x, u in zip(images, displacement, strict=True)]) + (1 - inside)


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


def _at_the_border(first):
    h, w, _ = first.shape
    rows, columns = np.indices((h, w))
    return np.clip(rows + first[..., 0], 0, h - 1), np.clip(columns + first[..., 1], 0, w - 1)


def compose_that_cuts_the_way_off(first, second):
    r, c = _at_the_border(first)
    rows, columns = np.indices(r.shape)
    return np.stack([r - rows, c - columns], -1) + second[r, c]


def compose_each_component_along_its_own_axis(first, second):
    r, c = _at_the_border(first)
    rows, columns = np.indices(r.shape)
    return np.stack([first[..., 0] + second[r, columns, 0], first[..., 1] + second[rows, c, 1]], -1)


def compose_with_second_from_the_start(first, second):
    h, w, _ = first.shape
    result = np.zeros_like(first)
    for row, column in np.ndindex(h, w):
        r, c = row + first[row, column, 0], column + first[row, column, 1]
        inside = 0 <= r < h and 0 <= c < w
        result[row, column] = first[row, column] + (second[r, c] if inside else second[row, column])
    return result


def compose_one_number_after_the_other(first, second):
    h, w, _ = first.shape
    result = first.copy()
    for row, column in np.ndindex(h, w):
        for k in (0, 1):
            r = min(max(row + result[row, column, 0], 0), h - 1)
            c = min(max(column + result[row, column, 1], 0), w - 1)
            result[row, column, k] += second[r, c, k]
    return result


def compose_the_other_way_and_around(first, second):
    h, w, _ = first.shape
    rows, columns = np.indices((h, w))
    return second + first[(rows + second[..., 0]) % h, (columns + second[..., 1]) % w]


def compose_without_the_last_pixels(first, second):
    h, w, _ = first.shape
    rows, columns = np.indices((h, w))
    return first + second[np.clip(rows + first[..., 0], 0, h - 2), np.clip(columns + first[..., 1], 0, w - 2)]


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
    ("rotation", rotation_with_sine_for_cosine, "Turned by 0 degrees"),  # not listed
    ("rotation", rotation_with_the_angle_converted_backwards, "something else than radians"),
    ("rotation", rotation_to_places_and_clockwise, "you return its place"),  # not listed
    ("rotation", rotation_of_the_first_row, "a loop end too early"),  # not listed
    ("warp_whole", warp_that_pushes, "leaves holes"),
    ("warp_whole", warp_of_a_copy_into_itself, "the array that you read from"),
    ("warp_whole", warp_with_upper_limits_only, "beyond the lower and the right border only"),
    ("warp_whole", warp_without_the_upper_border, "one pixel above the image"),  # not listed
    ("warp_whole", warp_with_the_last_field, "the field of the last image"),
    ("warp_whole", warp_with_the_mean_field, "than when it is alone"),  # not listed
    ("warp_whole", warp_into_whole_numbers, "In an array of int"),  # not listed
    ("warp_whole", warp_exchanged_and_against, "yours finds what is at (2, 4)"),  # not listed
    ("warp_whole", warp_with_white_outside, "must find 0"),  # not listed
    ("warp_whole", warp_that_leaves_the_loop, "the rest of its row stays black"),
    ("warp_whole", warp_with_one_array_for_all, "only the last image"),  # not listed
    ("warp_whole", warp_with_the_nearest_border, "nearest pixel of the border"),
    ("warp_whole", warp_with_one_field, "its own field"),
    ("warp_whole", warp_without_index_check, "IndexError"),  # not listed
    ("warp_whole", warp_that_forgets_row_0, "Which rows and columns belong to the image"),  # not listed
    ("warp_whole", warp_of_the_first_channel, "stay together"),  # not listed
    ("warp_whole", warp_in_place, "in place"),  # not listed
    ("warp_whole", warp_with_height_for_width, "Which rows and columns belong to the image"),  # not listed
    ("warp_whole", warp_of_the_first_image, "only the first image"),  # not listed
    ("warp_whole", warp_by_rolling, "displacement of its own"),  # not listed
    ("warp_whole", warp_by_flat_index, "one pixel right of the image"),  # not listed
    ("compose", compose_by_adding, "at the same pixel"),
    ("compose", compose_the_other_way, "before `first`"),
    ("compose", compose_that_stays_outside, "as 0"),
    ("compose", compose_in_place, "in place"),  # not listed
    ("compose", compose_without_border, "IndexError"),  # not listed
    ("compose", compose_that_subtracts, "only `first` is left"),  # not listed
    ("compose", compose_with_second_twice, "only `second` is left"),  # not listed
    ("compose", compose_that_cuts_the_way_off, "cut it off at the border"),
    ("compose", compose_each_component_along_its_own_axis, "at two different places"),
    ("compose", compose_with_second_from_the_start, "`second` up at p, the start"),
    ("compose", compose_one_number_after_the_other, "by then the place has moved on"),
    ("compose", compose_the_other_way_and_around, "before `first`"),  # not listed
    ("compose", compose_without_the_last_pixels, "only the border is wrong"),  # not listed
]

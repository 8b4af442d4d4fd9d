"""Answers to the exercises of lesson 1 as a learner would write them, with a place for each mistake."""

import numpy as np


def rotation(height, width, degrees, middle=None, unit=np.radians, places=False, stale=False, signs=(1, 1)):
    """The field of a rotation."""
    rows, columns = np.indices((height, width))
    middle = ((height - 1) / 2, (width - 1) / 2) if middle is None else middle
    down, right = rows - middle[0], columns - middle[1]
    cosine, sine = np.cos(unit(degrees)), np.sin(unit(degrees))
    turned_down = cosine * down + signs[0] * sine * right
    turned_right = cosine * right - signs[1] * sine * (turned_down if stale else down)
    if places:
        return np.stack([turned_down + middle[0], turned_right + middle[1]], axis=-1)
    return np.stack([turned_down - down, turned_right - right], axis=-1)


def warp_whole(images, displacement, sign=1, border="zeros", field=None, first_image=False, into_itself=False):
    """Pulling back; `field` is the number of the one field used for all images."""
    output = images.copy() if into_itself else np.zeros_like(images)
    images = output if into_itself else images
    count, height, width, _ = images.shape
    left_at = None  # the row which the loop has left before its end
    for n, row, column in np.ndindex(count, height, width):
        if left_at == (n, row):
            continue
        u = displacement[n if field is None else field, row, column]
        r, c = row + sign * u[0], column + sign * u[1]
        if border == "wrap":
            r, c = r % height, c % width
        elif border == "edge":
            r, c = min(max(r, 0), height - 1), min(max(c, 0), width - 1)
        elif border == "negative":
            r, c = (r % height if -height <= r < 0 else r), (c % width if -width <= c < 0 else c)
        if (0 <= r < height and 0 <= c < width) or (border == "upper" and r < height and c < width):
            output[n, row, column] = images[0 if first_image else n, r, c]
        elif border == "break":
            left_at = n, row
        else:
            output[n, row, column] = np.nan if border == "nan" else 0
    return output


def push(images, displacement):
    """Every pixel p is written at p + u(p)."""
    output = np.zeros_like(images)
    count, height, width, _ = images.shape
    for n, row, column in np.ndindex(count, height, width):
        r, c = row + displacement[n, row, column, 0], column + displacement[n, row, column, 1]
        if 0 <= r < height and 0 <= c < width:
            output[n, r, c] = images[n, row, column]
    return output


def look_up(field, first, sign=1, swapped=False, border="edge"):
    """field at p + first(p)."""
    height, width, _ = field.shape
    rows, columns = np.indices((height, width))
    steps = first[..., ::-1] if swapped else first
    r, c = rows + sign * steps[..., 0], columns + sign * steps[..., 1]
    if border == "wrap":
        return field[r % height, c % width]
    if border == "upper":
        return field[np.minimum(r, height - 1), np.minimum(c, width - 1)]
    values = field[np.clip(r, 0, height - 1), np.clip(c, 0, width - 1)]
    outside = (r < 0) | (r >= height) | (c < 0) | (c >= width)
    if border == "stays":
        return np.where(outside[..., None], field, values)
    return np.where((outside & (border == "zeros"))[..., None], 0, values)


def cut_off(first):
    """A field that ends at the border where `first` leads out of the image."""
    places = np.moveaxis(np.indices(first.shape[:2]), 0, -1)
    return np.clip(places + first, 0, np.array(first.shape[:2]) - 1) - places


def compose_in_two_turns(first, second):
    """The number for the columns is looked up when that for the rows has been added already."""
    result = first.copy()
    for k in (0, 1):
        result[..., k] += look_up(second, result)[..., k]
    return result

"""Solutions of the exercises of lesson 1."""

import numpy as np


def warp_whole(images, displacement):
    n, height, width, _ = images.shape
    rows, columns = np.indices((height, width))
    r, c = rows + displacement[..., 0], columns + displacement[..., 1]
    inside = (r >= 0) & (r < height) & (c >= 0) & (c < width)
    image = np.arange(n)[:, None, None]  # every pixel reads from its own image of the set
    values = images[image, np.clip(r, 0, height - 1), np.clip(c, 0, width - 1)]
    return np.where(inside[..., None], values, 0)


def rotation(height, width, degrees):
    rows, columns = np.indices((height, width))
    down, right = rows - (height - 1) / 2, columns - (width - 1) / 2
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    # The content turns anticlockwise, so every pixel looks at the place that is turned *clockwise* from it. Rows count
    # downwards: from the top (down = -1, right = 0), clockwise by 90 degrees, one comes to the right.
    looks_down = cosine * down + sine * right
    looks_right = cosine * right - sine * down
    return np.stack([looks_down - down, looks_right - right], axis=-1)


def compose(first, second):
    height, width, _ = first.shape
    rows, columns = np.indices((height, width))
    r = np.clip(rows + first[..., 0], 0, height - 1)
    c = np.clip(columns + first[..., 1], 0, width - 1)
    return first + second[r, c]

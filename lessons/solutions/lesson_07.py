"""Solutions of the exercises of lesson 7."""

import numpy as np


def one_sided_slopes(line, c):
    # The cell before c ends at or after c, the cell after c begins at or before it; on a pixel they are two cells.
    before, after = int(np.ceil(c)) - 1, int(np.floor(c))
    value = lambda j: line[j] if 0 <= j < len(line) else 0.0
    return value(before + 1) - value(before), value(after + 1) - value(after)


def vjp_displacement(g, image, u):
    s, t, V = _cells(image, u)
    along_rows = (1 - t) * (V(1, 0) - V(0, 0)) + t * (V(1, 1) - V(0, 1))
    along_columns = (1 - s) * (V(0, 1) - V(0, 0)) + s * (V(1, 1) - V(1, 0))
    return np.stack([np.sum(g * along_rows, axis=-1), np.sum(g * along_columns, axis=-1)], axis=-1)


def _cells(image, u):
    """The fractions s and t (N, H, W, 1) of all points, and V(k, l), the pixels of all cells (N, H, W, C)."""
    n, h, w, _ = image.shape
    r, c = _coordinates(u)
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    batch = np.arange(n)[:, None, None]

    def V(k, l):  # noqa: E741
        inside = (i + k >= 0) & (i + k < h) & (j + l >= 0) & (j + l < w)
        # Clipped indices, because a negative one would wrap around; `inside` makes what they find outside zero.
        return image[batch, np.clip(i + k, 0, h - 1), np.clip(j + l, 0, w - 1)] * inside[..., None]

    return (r - i)[..., None], (c - j)[..., None], V


def _coordinates(u):
    rows, columns = np.mgrid[: u.shape[1], : u.shape[2]]
    return rows + u[..., 0], columns + u[..., 1]


def vjp_image(g, u):
    n, h, w, _ = g.shape
    r, c = _coordinates(u)
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    s, t = r - i, c - j
    batch = np.broadcast_to(np.arange(n)[:, None, None], i.shape)
    g_image = np.zeros(g.shape)
    for row, row_weight in (i, 1 - s), (i + 1, s):
        for column, column_weight in (j, 1 - t), (j + 1, t):
            inside = (row >= 0) & (row < h) & (column >= 0) & (column < w)
            share = (row_weight * column_weight)[..., None] * g
            hit = batch[inside], row[inside], column[inside]
            # add.at, because a pixel that is hit twice must get both shares.
            np.add.at(g_image, hit, share[inside])
    return g_image

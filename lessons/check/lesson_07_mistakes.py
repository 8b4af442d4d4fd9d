"""Wrong answers to the exercises of lesson 7: what a learner would write, with a place for each mistake."""

import numpy as np

from minireg import backend, ops

TINY = 1e-9  # a displacement by so much leads from a pixel into the cell before or behind it, and changes nothing else

# ---- what both VJPs share


def _points(u, positions=True):
    rows, columns = np.mgrid[: u.shape[1], : u.shape[2]] if positions else np.zeros((2, *u.shape[1:3]))
    return rows + u[..., 0], columns + u[..., 1]


def _at_the_border(row, column, h, w, border):
    """Which of the pixels are read or written, and where."""
    everywhere = np.full(row.shape, True)
    if border == "edge":
        return everywhere, np.clip(row, 0, h - 1), np.clip(column, 0, w - 1)
    if border == "wraps":
        return everywhere, row % h, column % w
    if border == "wraps at one side":  # only i < H and j < W is tested
        return (row < h) & (column < w), row, column
    if border == "wraps at -1":
        return (row >= -1) & (row < h) & (column >= -1) & (column < w), row, column
    if border == "H and W exchanged":
        h, w = w, h
    return (row >= 0) & (row < h) & (column >= 0) & (column < w), row, column


def interpolate(image, u):
    return backend.to_host(ops.warp(backend.to_device(np.array(image)), backend.to_device(np.array(u))).data)


# ---- vjp_displacement


def displacement(
    g,
    image,
    u,
    whole=np.floor,
    behind=lambda i, r: i + 1,
    border="zeros",
    weights=lambda s, t: (s, t),
    total=np.sum,
    batch=None,
    positions=True,
):
    n, h, w, _ = image.shape
    r, c = _points(u, positions)
    i, j = whole(r).astype(int), whole(c).astype(int)
    rows, columns = (i, behind(i, r).astype(int)), (j, behind(j, c).astype(int))
    batch = np.broadcast_to(np.arange(n)[:, None, None] if batch is None else batch, i.shape)

    def V(k, l):  # noqa: E741
        inside, row, column = _at_the_border(rows[k], columns[l], h, w, border)
        values = np.zeros(image.shape)
        values[inside] = image[batch[inside], row[inside], column[inside]]
        return values

    s, t = weights((r - i)[..., None], (c - j)[..., None])
    along_rows = (1 - t) * (V(1, 0) - V(0, 0)) + t * (V(1, 1) - V(0, 1))
    along_columns = (1 - s) * (V(0, 1) - V(0, 0)) + s * (V(1, 1) - V(1, 0))
    return np.stack([total(g * along_rows, axis=-1), total(g * along_columns, axis=-1)], axis=-1)


def of_a_smooth_image(g, image, u):
    """Central differences of the image, read where the pixel looks."""
    slopes = [interpolate(np.gradient(image, axis=axis), u) for axis in (1, 2)]
    return np.stack([np.sum(g * slope, axis=-1) for slope in slopes], axis=-1)


def of_interpolated_steps(g, image, u):
    """The steps to the next pixel, interpolated like an image: along their own axis too."""
    padded = np.pad(image, ((0, 0), (0, 1), (0, 1), (0, 0)))
    steps = np.diff(padded, axis=1)[:, :, :-1], np.diff(padded, axis=2)[:, :-1]
    return np.stack([np.sum(g * interpolate(step, u), axis=-1) for step in steps], axis=-1)


def of_the_warped_image(g, image, u):
    y = interpolate(image, u)
    return np.stack([np.sum(g * np.gradient(y, axis=axis), axis=-1) for axis in (1, 2)], axis=-1)


def mean_at_kinks(g, image, u):
    return (displacement(g, image, u - TINY) + displacement(g, image, u + TINY)) / 2


# ---- vjp_image


def scatter(
    g,
    u,
    add=np.add.at,
    whole=np.floor,
    border="zeros",
    weights=lambda s, t: (s, t),
    one_image=False,
    positions=True,
):
    n, h, w, _ = g.shape
    r, c = _points(u, positions)
    i, j = whole(r).astype(int), whole(c).astype(int)
    s, t = weights(r - i, c - j)
    batch = np.broadcast_to(0 if one_image else np.arange(n)[:, None, None], i.shape)
    g_image = np.zeros(g.shape)
    for row, row_weight in (i, 1 - s), (i + 1, s):
        for column, column_weight in (j, 1 - t), (j + 1, t):
            inside, a, b = _at_the_border(row, column, h, w, border)
            share = (row_weight * column_weight)[..., None] * g
            add(g_image, (batch[inside], a[inside], b[inside]), share[inside])
    return g_image


def buffered(array, index, share):
    array[index] += share


def overwrite(array, index, share):
    array[index] = share


def rows_and_columns_exchanged(array, index, share):
    n, row, column = index
    np.add.at(array, (n, column, row), share)


def averaged(g, u):
    return scatter(g, u) / np.maximum(scatter(np.ones_like(g), u), TINY)


# ---- one_sided_slopes


def whole(c):
    return int(np.floor(c))


def cell_before(c):
    return int(np.ceil(c)) - 1


def _step(line, j, border):
    """The step from pixel j to the next."""
    if border in ("wraps at one side", "wraps at -1"):
        first = -1 if border == "wraps at -1" else -len(line)
        value = lambda k: line[k] if first <= k < len(line) else 0.0
        return value(j + 1) - value(j)
    mode = {"zeros": "constant", "edge": "edge", "wraps": "wrap"}[border]
    padded = np.pad(line, 50, mode=mode)
    return padded[50 + j + 1] - padded[50 + j]


def both(line, c, before=cell_before, after=whole, border="zeros"):
    return _step(line, before(c), border), _step(line, after(c), border)


def by_differences(line, c, h):
    """Difference quotients to either side, right where the curve is straight for h in both directions."""
    padded, start = np.pad(np.asarray(line, float), 8), -8
    y = lambda place: np.interp(place, np.arange(start, start + len(padded)), padded)
    return (y(c) - y(c - h)) / h, (y(c + h) - y(c)) / h


def values(line, c):
    padded = np.pad(line, 50)
    return padded[50 + whole(c)], padded[50 + whole(c) + 1]

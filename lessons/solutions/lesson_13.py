"""Solutions of the exercises of lesson 13."""

import numpy as np


def partners(labels, order):
    labels, order = np.asarray(labels), np.asarray(order)
    partner = np.zeros(len(labels), int)
    for digit in np.unique(labels):
        row = order[labels[order] == digit]
        partner[row] = np.roll(row, -1)
    return partner


def there_and_back(u, v):
    u, v = np.asarray(u), np.asarray(v)
    height, width = u.shape[:2]
    rows, columns = np.indices((height, width))
    r, c = rows + u[..., 0], columns + u[..., 1]
    inside = (r >= 0) & (r <= height - 1) & (c >= 0) & (c <= width - 1)
    r, c = r[inside], c[inside]
    # A place on the last row belongs to the cell above it.
    i = np.minimum(np.floor(r).astype(int), height - 2)
    j = np.minimum(np.floor(c).astype(int), width - 2)
    s, t = (r - i)[:, None], (c - j)[:, None]
    above = (1 - t) * v[i, j] + t * v[i, j + 1]
    below = (1 - t) * v[i + 1, j] + t * v[i + 1, j + 1]
    from_home = u[inside] + (1 - s) * above + s * below
    return np.mean(np.linalg.norm(from_home, axis=-1))


def best_run(ncc, folded, limit):
    ncc, folded = np.asarray(ncc), np.asarray(folded)
    folds = folded.mean(axis=1)
    allowed = folds <= limit
    if not allowed.any():
        return np.argmin(folds)
    match = np.where(allowed, ncc.mean(axis=1), -np.inf)
    best = np.argmax(match)
    spread = ncc.std(axis=1, ddof=1)
    as_good = match[best] - match < np.maximum(spread, spread[best])
    as_good[best] = True  # also where no seed changes anything
    return np.argmin(np.where(as_good, folds, np.inf))

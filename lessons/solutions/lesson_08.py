"""Solutions of the exercises of lesson 8."""

import numpy as np


def vjp_ncc_b(g, a, b):
    axes = (1, 2, 3)  # every image of the batch has its own mean and its own sums
    a, b = (x - x.mean(axis=axes, keepdims=True) for x in (a, b))
    saa, sbb, sab = (np.sum(x * y, axis=axes, keepdims=True) for x, y in ((a, a), (b, b), (a, b)))
    norm = np.sqrt(saa * sbb)
    return g[:, None, None, None] * (a / norm - sab / norm * b / sbb)


def vjp_centre_inside(g, mask):
    # All pixels of y lose m, so m has the cotangent -sum(g); m in turn depends on every pixel by its share of the mask.
    return g - np.sum(g) * mask / np.sum(mask)


def gradient_of_rotation(g_u, angle):
    down, right = np.mgrid[: g_u.shape[1], : g_u.shape[2]]
    down, right = down - (g_u.shape[1] - 1) / 2, right - (g_u.shape[2] - 1) / 2
    angle = angle[:, None, None]
    along_rows = np.cos(angle) * right - np.sin(angle) * down  # du_row / dangle
    along_columns = -np.sin(angle) * right - np.cos(angle) * down
    return np.sum(g_u[..., 0] * along_rows + g_u[..., 1] * along_columns, axis=(1, 2))

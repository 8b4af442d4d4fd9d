"""Solutions of the exercises of lesson 4."""

import math

import numpy as np


def shifted(image, i, j):
    """Given: the image at p + (i, j) for whole numbers, zero beyond the border. (H, W, C)."""
    height, width = image.shape[:2]
    i, j = max(-height, min(i, height)), max(-width, min(j, width))  # further out it is as empty as there
    among_zeros = np.pad(image, ((height, height), (width, width), (0, 0)))
    return among_zeros[height + i : 2 * height + i, width + j : 2 * width + j]


def descend_until_level(slope, u, step, tolerance, most):
    path = [np.array(u, float)]
    for _ in range(most):
        here = slope(path[-1])
        if np.linalg.norm(here) < tolerance:
            break
        path.append(path[-1] - step * here)  # a new array each time; `-=` would change the places already in the path
    return np.array(path)


def slope_of_masked_loss(u, moving, fixed, mask):
    i, j = math.floor(u[0]), math.floor(u[1])  # floor, not int: -0.5 lies between -1 and 0
    s, t = u[0] - i, u[1] - j
    v00, v01, v10, v11 = (shifted(moving, i + down, j + right) for down in (0, 1) for right in (0, 1))
    y = (1 - s) * ((1 - t) * v00 + t * v01) + s * ((1 - t) * v10 + t * v11)
    count = np.sum(mask) * moving.shape[2]  # a pixel counts with all of its channels
    g = 2 * (y - fixed) * mask[..., None] / count
    dy_du_row = (1 - t) * (v10 - v00) + t * (v11 - v01)
    dy_du_column = (1 - s) * (v01 - v00) + s * (v11 - v10)
    return np.array([np.sum(g * dy_du_row), np.sum(g * dy_du_column)])


def gauss_newton_step(y, fixed, dy_du):
    # One row per pixel, one column per number: J d should be the residual, as nearly as possible.
    J = dy_du.reshape(-1, 2)
    residual = (fixed - y).ravel()
    return np.linalg.solve(J.T @ J, J.T @ residual)

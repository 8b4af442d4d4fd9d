"""Solutions of the exercises of lesson 9."""

import numpy as np


def bending_gradient(line):
    second = line[:-2] - 2 * line[1:-1] + line[2:]
    push = 2 * second / len(second)
    gradient = np.zeros(len(line))
    gradient[:-2] += push
    gradient[1:-1] -= 2 * push
    gradient[2:] += push
    return gradient


def _edges(u):
    """Of what every cell becomes: its edges from above to below (H-1, W, 2), and from left to right (H, W-1, 2)."""
    return u[1:] - u[:-1] + np.array([1.0, 0.0]), u[:, 1:] - u[:, :-1] + np.array([0.0, 1.0])


def _cross(v, w):
    return v[..., 0] * w[..., 1] - v[..., 1] * w[..., 0]


def fold_free(u, step):
    factor = 1.0
    while _folds(u + factor * step):
        factor = factor / 2
    return u + factor * step


def _folds(u):
    down, right = _edges(u)
    left, right_edge, top, bottom = down[:, :-1], down[:, 1:], right[:-1], right[1:]
    corners = [_cross(left, top), _cross(right_edge, top), _cross(left, bottom), _cross(right_edge, bottom)]
    return np.min(corners) <= 0


def folding_gradient(u):
    down, right = _edges(u)
    g_down, g_right, g_u = np.zeros_like(down), np.zeros_like(right), np.zeros(np.shape(u))
    first, last = slice(None, -1), slice(1, None)
    for rows, columns in ((first, first), (first, last), (last, first), (last, last)):
        v, w = down[:, columns], right[rows]
        lacking = np.maximum(0.1 - _cross(v, w), 0)
        g = -2 * lacking[..., None] / (4 * lacking.size)  # the cotangent of this determinant
        g_down[:, columns] += g * np.stack([w[..., 1], -w[..., 0]], axis=-1)
        g_right[rows] += g * np.stack([-v[..., 1], v[..., 0]], axis=-1)
    g_u[1:] += g_down
    g_u[:-1] -= g_down
    g_u[:, 1:] += g_right
    g_u[:, :-1] -= g_right
    return g_u

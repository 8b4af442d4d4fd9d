"""Solutions of the exercises of lesson 15."""

import numpy as np


def compose_affine(first, second):
    first, second = np.asarray(first), np.asarray(second)
    # A2 (A1 x + t1) + t2: the second matrix turns what the first one has shifted.
    linear = second[..., :2] @ first[..., :2]
    shift = second[..., :2] @ first[..., 2:] + second[..., 2:]
    return np.concatenate([linear, shift], axis=-1)


def rigid_from_points(fixed_points, moving_points):
    p, q = np.asarray(fixed_points), np.asarray(moving_points)
    # The best shift leads from centre to centre, whatever the angle is.
    x, y = p - p.mean(axis=0), q - q.mean(axis=0)
    # The sum of |A x - y|^2 is a constant, minus twice cos a * dot + sin a * cross: largest in the direction of both.
    dot = np.sum(x * y)
    cross = np.sum(x[:, 1] * y[:, 0] - x[:, 0] * y[:, 1])
    a = np.arctan2(cross, dot)
    turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    t = q.mean(axis=0) - turn @ p.mean(axis=0)
    return np.array([a, *t])


def gauss_newton_affine(y, fixed, slopes):
    y, fixed, slopes = np.asarray(y), np.asarray(fixed), np.asarray(slopes)
    height, width = y.shape
    rows, columns = np.indices((height, width))
    places = np.stack([rows - (height - 1) / 2, columns - (width - 1) / 2, np.ones(y.shape)], axis=-1)
    # How a pixel changes with each of the six numbers: its slope, times the place (or 1, for the shift).
    changes = (slopes[..., :, None] * places[..., None, :]).reshape(-1, 6)
    missing = (fixed - y).ravel()
    # Where the sum is smallest its six derivatives are 0.
    return np.linalg.solve(changes.T @ changes, changes.T @ missing).reshape(2, 3)

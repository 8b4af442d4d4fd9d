"""Solutions of the exercises of lesson 19."""

import numpy as np


def confusion(z, labels):
    z, labels = np.asarray(z), np.asarray(labels)
    classes = z.shape[1]
    said = np.argmax(z, axis=1)
    table = np.zeros((classes, classes))
    np.add.at(table, (labels, said), 1)  # table[labels, said] += 1 would count each place once
    return table / np.maximum(table.sum(axis=1, keepdims=True), 1)


def half_square_gradient(g, z, labels):
    g, z = np.asarray(g), np.asarray(z)
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    p = e / np.sum(e, axis=1, keepdims=True)
    off = p - np.eye(z.shape[1])[np.asarray(labels)]
    # dp_j / dz_k = p_j ([j = k] - p_k). Where p is sure, one of its factors is 0: hence the flat loss.
    together = np.sum(p * off, axis=1, keepdims=True)
    return g[:, None] * p * (off - together)


def vjp_max_pool(g, x):
    g, x = np.asarray(g), np.asarray(x)
    count, height, width, channels = x.shape
    rows, columns = height // 2, width // 2
    inside = x[:, : 2 * rows, : 2 * columns]
    windows = inside.reshape(count, rows, 2, columns, 2, channels)
    wins = windows == windows.max(axis=(2, 4), keepdims=True)
    share = g[:, :, None, :, None] / wins.sum(axis=(2, 4), keepdims=True)
    g_x = np.zeros(x.shape)
    g_x[:, : 2 * rows, : 2 * columns] = (wins * share).reshape(inside.shape)
    return g_x

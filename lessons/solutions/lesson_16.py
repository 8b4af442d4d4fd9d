"""Solutions of the exercises of lesson 16."""

import numpy as np


def questions_left(counts):
    p = counts / np.sum(counts)
    # What a pair takes, less what a alone takes: H(a, b) - H(a).
    return _entropy(p) - _entropy(np.sum(p, axis=1))


def _entropy(p):
    p = p[p > 0]  # a kind that does not occur needs no question
    return -np.sum(p * np.log2(p))


def vjp_hat(g, x, bins):
    lower, _ = _cell(x, bins)
    pixel = np.arange(len(x))
    climb = g[pixel, lower + 1] - g[pixel, lower]
    return (bins - 1) * climb * ((x >= 0) & (x <= 1))


def _cell(x, bins):
    """The bin below each intensity, and how far it is past its centre."""
    t = (bins - 1) * np.clip(x, 0, 1)
    lower = np.minimum(np.floor(t).astype(int), bins - 2)  # 1 lies at the end of the last cell
    return lower, t - lower


def unexplained_gradient(a, b, bins):
    lower, f = _cell(a, bins)
    pixel = np.arange(len(a))
    share = np.zeros((len(a), bins))
    share[pixel, lower] = 1 - f
    share[pixel, lower + 1] = f
    total = np.sum(share, axis=0)
    m = share.T @ b / np.where(total > 0, total, 1)
    # At its best m the loss does not change with m, to first order. So only the shares are left.
    g = (b[:, None] - m) ** 2 / len(a)
    return vjp_hat(g, a, bins)

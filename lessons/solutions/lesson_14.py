"""Solutions of the exercises of lesson 14."""

import numpy as np


def flow_line(v, x, steps):
    place = np.array(x, float)
    for _ in range(steps):
        i, t = _cell(v, place)
        place = place + ((1 - t) * v[i] + t * v[i + 1]) / steps
    return place


def _cell(v, place):
    """The pixel before each place, and how far it is past it; beyond the ends, those of the end."""
    inside = np.clip(place, 0, len(v) - 1)
    i = np.minimum(inside.astype(int), len(v) - 2)
    return i, inside - i


def inverse(u, iterations):
    height, width = u.shape[:2]
    rows, columns = np.indices((height, width))
    w = np.zeros(u.shape)
    for _ in range(iterations):
        # Beyond the border, the nearest point of the border.
        r = np.clip(rows + w[..., 0], 0, height - 1)
        c = np.clip(columns + w[..., 1], 0, width - 1)
        i, j = np.floor(r).astype(int), np.floor(c).astype(int)
        s, t = (r - i)[..., None], (c - j)[..., None]
        below, right = np.minimum(i + 1, height - 1), np.minimum(j + 1, width - 1)
        upper = (1 - t) * u[i, j] + t * u[i, right]
        lower = (1 - t) * u[below, j] + t * u[below, right]
        w = -((1 - s) * upper + s * lower)
    return w


def vjp_flow_line(g, v, x, steps):
    places = [flow_line(v * k / steps, x, k) if k else np.array(x, float) for k in range(steps)]
    g_place, g_v = np.array(g, float), np.zeros(len(v))
    for place in reversed(places):
        i, t = _cell(v, place)
        # The velocity at two pixels has taken the place further, by a part of a step,
        np.add.at(g_v, i, (1 - t) * g_place / steps)
        np.add.at(g_v, i + 1, t * g_place / steps)
        # and where the place was has decided what it read there. Beyond the ends nothing changes.
        slope = np.where((place >= 0) & (place < len(v) - 1), v[i + 1] - v[i], 0)
        g_place = g_place * (1 + slope / steps)
    return g_v

"""Solutions of the exercises of lesson 2."""

import numpy as np


def interpolate(line, x):
    j = int(np.floor(x))
    t = x - j
    after = min(j + 1, len(line) - 1)  # at x = W - 1 there is no pixel to the right, and its weight t is 0
    return (1 - t) * line[j] + t * line[after]

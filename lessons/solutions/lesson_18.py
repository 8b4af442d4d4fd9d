"""Solutions of the exercises of lesson 18."""

import numpy as np


def gradient_of_all(gradients, counts):
    gradients, counts = np.asarray(gradients), np.asarray(counts)
    share = counts / np.sum(counts)
    at_work = counts > 0  # 0 times nan is nan
    return np.sum(share[at_work, None] * gradients[at_work], axis=0)


def merged(counts, means, variances):
    means, variances = np.asarray(means, float), np.asarray(variances, float)
    share = counts / np.sum(counts)
    mean = share @ means
    # The values vary within each process, and the processes vary about the common mean. The mean of the squares less
    # the square of the mean would be the same on paper, but far from 0 it is a small difference of two large numbers.
    variance = share @ (variances + (means - mean) ** 2)
    return mean, variance


def ring(parts, steps):
    held = np.array(parts, float)
    size = len(held)
    rank = np.arange(size)
    for step in range(steps):
        part = (rank - step) % size
        receiver = (rank + 1) % size
        sent = held[rank, part]
        if step < size - 1:
            held[receiver, part] += sent
        else:
            held[receiver, part] = sent
    # Each sends 2 (N - 1) parts, as in the lesson, and only ever to its neighbour. Every part has been added in another
    # order, the one in which it came round. But all processes have the same sum of it, and so the same bits.
    return held

"""Exercises of lesson 18, many processes. Check your answers with `python -m lessons.check 18`."""

import numpy as np  # noqa: F401 (you will need it)


def gradient_of_all(gradients, counts):
    """The gradient of a whole batch, from those of its parts.

    Each process has the gradient of the mean loss of its own pairs. Parts differ in size. A process that had no pair at
    all took a mean over nothing: whatever it hands in, also nan, does not count.

    Parameters
    ----------
    gradients : (K, n) array, of each process the gradient of its own mean loss
    counts : (K,) array of integers, how many pairs each had: 0 or more, and not all 0

    Returns
    -------
    (n,) array, the gradient of the mean loss of all pairs

    Example: three pairs ask for 3 and 1, and one pair for -5 and 9,

        gradients = np.array([[3.0, 1.0], [-5.0, 9.0]])
        gradient_of_all(gradients, np.array([3, 1]))                # array([1., 3.])
    """
    raise NotImplementedError


def merged(counts, means, variances):
    """The mean and the variance of all values, where each process knows only those of its own.

    Batch norm needs them. A variance is here the mean squared distance from the mean (divided by the number of values).
    Values may lie far from 0: 1,000,000.5 and 1,000,000.7 have a variance of .01, and it must not drown in rounding.

    Parameters
    ----------
    counts : (K,) array of integers, how many values each process has, at least 1
    means, variances : (K,) arrays, of each process the mean and the variance of its values

    Returns
    -------
    (mean, variance) : a tuple of two floats

    Example: one process has the values 1 and 3, the other one 5 and 7. Each has a variance of 1; all four together have
    5, for each of them is 1 or 3 away from 4.

        merged(np.array([2, 2]), np.array([2.0, 6.0]), np.array([1.0, 1.0]))       # (4.0, 5.0)
    """
    raise NotImplementedError


def ring(parts, steps):
    """An all-reduce in a ring, after so many of its steps: what each process holds then.

    N processes sit in a ring. The array of each is cut into N parts, here of one number. In each step, all processes
    send one number to their right neighbour, at the same time: rank r to rank r + 1, and the last one to rank 0. In
    step s, the first of which is s = 0, rank r sends its part number r - s (counted round the ring: -1 is N - 1). What
    does the neighbour do with it? In the first N - 1 steps it *adds* the number to its own part of the same number.
    After them, each part is complete in one place. In the next N - 1 steps it puts the number *in place* of its own.
    Then all have all sums.

    Parameters
    ----------
    parts : (N, N) array, parts[r, b] is what rank r holds as its part number b, at first
    steps : int, from 0 to 2 (N - 1)

    Returns
    -------
    (N, N) array, what they hold after the steps

    Example: in the first step, rank 0 sends its part 0, rank 1 its part 1, and rank 2 its part 2,

        parts = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0], [100.0, 200.0, 300.0]])
        ring(parts, 1)                  # array([[1, 2, 303], [11, 20, 30], [100, 220, 300]])
        ring(parts, 4)                  # array([[111, 222, 333], [111, 222, 333], [111, 222, 333]])
    """
    raise NotImplementedError

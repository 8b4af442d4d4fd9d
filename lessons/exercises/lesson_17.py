"""Exercises of lesson 17, honest evaluation. Check your answers with `python -m lessons.check 17`."""

import numpy as np  # noqa: F401 (you will need it)


def share_by_luck(differences):
    """How often luck alone would make a mean difference as large as this one, in either direction.

    If two methods are equally good, then of each pair it is mere luck which of them is ahead. So each difference might
    as well have the other sign. Try all 2 ** N ways to give signs to the N differences. Return the share of the
    ways whose mean is at least as far from 0 as the mean that was found. The way that was found is one of them. (In all
    cases the differences are quarters, so nothing is rounded.)

    Parameters
    ----------
    differences : (N,) array, what one method scores more than the other on each pair; N is 1 to 12

    Returns
    -------
    float, above 0 and at most 1

    Example: of eight ways, only 1 + 2 + 3 and -1 - 2 - 3 are as far from 0 as what was found. So three pairs cannot
    prove much,

        share_by_luck(np.array([1.0, 2.0, 3.0]))        # 0.25
    """
    raise NotImplementedError


def first_places(scores, draws):
    """How sure it is that a method is the best of a table: in which share of the resamples its mean is the highest.

    Each row of `draws` is one resample of the pairs, the same one for all methods: it says which pairs were drawn.
    Where several methods have the highest mean of a resample, they share the first place equally.

    Parameters
    ----------
    scores : (K, N) array, of K methods on N pairs; more is better
    draws : (B, N) array of integers from 0 to N - 1

    Returns
    -------
    (K,) array, whose sum is 1

    Example: with the two pairs as they are, the second method is ahead. It is behind only if the first pair is drawn
    twice,

        scores = np.array([[0.9, 0.6], [0.8, 0.8]])
        draws = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        first_places(scores, draws)                     # array([0.25, 0.75])
    """
    raise NotImplementedError


def interval_of_groups(values, groups, draws):
    """The bootstrap interval of a mean over pairs that come in groups, such as several pairs of one patient.

    Pairs of one patient are alike. Ten of them tell less than ten of ten patients. So patients are drawn, not pairs,
    each with all of its pairs. The mean of a resample is over all pairs of the groups drawn: a group with many pairs
    has more say, and a group that is drawn twice counts twice. The interval goes from the 2.5th to the 97.5th
    percentile of these means (`np.percentile`).

    Parameters
    ----------
    values : (N,) array, one number for each pair
    groups : (N,) array of integers, the number of the group that each pair belongs to; any numbers, in any order
    draws : (B, G) array of integers from 0 to G - 1: each row draws G of the G groups, with replacement; 0 is the group
        with the lowest number, 1 the one with the next higher number, and so on

    Returns
    -------
    (2,) array, the lower and the upper end

    Example: group 3 has one pair, group 7 has two. The means are 6, 3, 3 and 1.5,

        values = np.array([1.0, 2.0, 6.0])
        groups = np.array([7, 7, 3])
        draws = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        interval_of_groups(values, groups, draws)       # array([1.6125, 5.775 ])
    """
    raise NotImplementedError

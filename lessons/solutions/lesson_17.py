"""Solutions of the exercises of lesson 17."""

import itertools

import numpy as np


def share_by_luck(differences):
    differences = np.asarray(differences, float)
    signs = np.array(list(itertools.product((1, -1), repeat=len(differences))))
    # Means and sums are compared alike, as all have the same N.
    sums = np.abs(signs @ differences)
    return np.mean(sums >= np.abs(differences.sum()))


def first_places(scores, draws):
    scores = np.asarray(scores, float)
    means = scores[:, draws].mean(axis=2)
    first = means == means.max(axis=0)
    return (first / first.sum(axis=0)).mean(axis=1)


def interval_of_groups(values, groups, draws):
    values, groups = np.asarray(values, float), np.asarray(groups)
    numbers = np.unique(groups)
    sums = np.array([np.sum(values[groups == number]) for number in numbers])
    sizes = np.array([np.sum(groups == number) for number in numbers])
    # What is drawn twice is added twice, above and below the line.
    means = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    return np.percentile(means, [2.5, 97.5])

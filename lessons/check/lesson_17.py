"""The checks of the exercises of lesson 17."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_17 import first_places, interval_of_groups, share_by_luck


def _quarters(seed, *shape, low=0, high=9):
    """Random multiples of a quarter, whose sums are exact."""
    return np.random.default_rng(seed).integers(low, high, shape) / 4


MIXED = np.array([2.0, -0.5, 1.25, 0.75, -0.25])

SHARE_BY_LUCK = Exercise(
    share_by_luck,
    "how often luck makes such a difference",
    cases={
        "the example": (np.array([1.0, 2.0, 3.0]),),
        "one pair": (np.array([0.5]),),
        "both methods are the same": (np.zeros(4),),
        "the other method is ahead": (np.array([-1.0, -2.0, 0.5]),),
        "one pair decides": (np.array([0.25, -0.25, 5.0]),),
        "five pairs": (MIXED,),
        "five pairs, exchanged": (-MIXED,),
        "ten pairs": (_quarters(1, 10, low=-3, high=6),),
    },
    mistakes="""
sums >= np.abs => sums > np.abs
    Ways that are *as* far from 0 count, too: what was found is one of them, and its opposite is another.
np.abs(signs @ differences) => signs @ differences
    You count one direction only. Luck may put the other method ahead as well.
>= np.abs(differences.sum()) => >= differences.sum()
    If the mean that was found is below 0, each way counts with you. How far from 0 is it?
return np.mean( => return np.sum(
    You return how many ways there are. Asked is their share among all.
differences.sum()) => differences.mean())
np.abs(signs @ differences) => np.abs(signs @ differences) / len(differences)
    You compare a sum with a mean. Take the sum on both sides, or the mean.
return np.mean(sums >= => return np.mean(sums[1:] >=
    Some ways are missing. What was found is itself one of the 2 ** N ways, and so is its opposite.
differences = np.sign(differences)
sums = np.abs(signs @ differences) => sums = np.abs(signs @ differences); differences = np.abs(differences)
    How large a difference is must count, and its own sign must stay in the mean that was found.
""",
    telling="""
f(np.array([0.5]))
    With one pair there are two ways, 0.5 and -0.5. Both are as far from 0 as what was found: 1.
f(np.zeros(4))
    If both methods are the same, each way is as far from 0 as what was found: 1.
f(np.ones(6)) * 64
    If all six differences are 1, two ways of 64 are as far from 0: all ahead, and all behind.
f(MIXED) - f(-MIXED)
    If the methods change places, the share must stay as it is.
f(MIXED) - f(2 * MIXED)
    If all differences are twice as large, the share must stay as it is.
""",
)

SCORES = np.array([[0.9, 0.6], [0.8, 0.8]])
ALL_OF_TWO = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
THREE = _quarters(2, 3, 4)
DRAWS = np.random.default_rng(3).integers(0, 4, (40, 4))
FIVE = draw(4, 5, 6)
MANY = np.random.default_rng(5).integers(0, 6, (60, 6))
EQUAL = np.array([[1.0, 2, 3, 2], [1, 2, 3, 2], [0, 0, 9, 0]])

FIRST_PLACES = Exercise(
    first_places,
    "how sure the first place is",
    cases={
        "the example": (SCORES, ALL_OF_TWO),
        "one method": (SCORES[:1], ALL_OF_TWO),
        "one is always ahead": (np.array([[1.0, 2], [3, 4], [0, 1]]), ALL_OF_TWO),
        "two are the same": (EQUAL, DRAWS),
        "all are the same": (np.ones((4, 4)), DRAWS),
        "three methods, some ties": (THREE, DRAWS),
        "five methods": (FIVE, MANY),
        "one resample": (FIVE, MANY[:1]),
    },
    mistakes="""
means.max(axis=0) => means.min(axis=0)
    You count last places. More is better here.
(first / first.sum(axis=0)) => first
    Where two share a first place, each gets all of it with you. Together they get one.
first = means == means.max(axis=0) => first = np.arange(len(means))[:, None] == means.argmax(axis=0)
    Where two have the highest mean, one of them gets the whole first place. What does `argmax` do then?
first.sum(axis=0)) => first.sum(axis=0) * (first.sum(axis=0) == 1))
    Where two have the highest mean, neither gets what it should: half a first place each.
scores[:, draws].mean(axis=2) => np.median(scores[:, draws], axis=2)
scores[:, draws].mean(axis=2) => scores[:, draws].max(axis=2)
    In each resample the *means* are compared.
scores[:, draws].mean(axis=2) => np.array([s[np.roll(draws, k, axis=0)].mean(axis=1) for k, s in enumerate(scores)])
    Each method gets resamples of its own. All must get the same one, or easy pairs decide who wins.
draws = np.arange(scores.shape[1])[None]
means = scores[:, draws].mean(axis=2) => means = scores[:, draws].reshape(len(scores), -1)
means = scores[:, draws].mean(axis=2) => means = scores
    You count who is ahead on the pairs, one by one or all at once. Take the means over each row of `draws`.
.mean(axis=1) => .sum(axis=1)
    You return how often each is first. Asked is the share of the resamples.
""",
    telling="""
np.sum(f(THREE, DRAWS))
    The shares must add up to 1.
f(np.array([[1.0, 2], [3, 4], [0, 1]]), ALL_OF_TWO)
    One that is ahead on each pair is first in each resample: its share is 1.
f(np.ones((4, 4)), DRAWS)
    If all are the same, each has a quarter of the first places.
f(FIVE[::-1], MANY)[::-1] - f(FIVE, MANY)
    If the methods stand in another order, the shares must change their order in the same way.
f(FIVE, MANY[:1])
    With a single resample, the one with the highest mean over its pairs has 1. A pair that is drawn twice counts twice.
""",
)

VALUES, GROUPS = np.array([1.0, 2.0, 6.0]), np.array([7, 7, 3])
APART = draw(9, 9, low=-2, high=5)
PATIENTS = np.array([4, 11, 4, 4, -2, 11, 30, 4, 30])
OF_FOUR = np.random.default_rng(7).integers(0, 4, (50, 4))
OF_NINE = np.random.default_rng(8).integers(0, 9, (50, 9))

INTERVAL_OF_GROUPS = Exercise(
    interval_of_groups,
    "the interval where pairs come in groups",
    cases={
        "the example": (VALUES, GROUPS, ALL_OF_TWO),
        "one group": (VALUES, np.array([5, 5, 5]), np.zeros((3, 1), int)),
        "each pair a group": (APART, np.arange(9), OF_NINE),
        "each pair a group, numbered backwards": (APART, np.arange(9)[::-1].copy(), OF_NINE),
        "two groups of equal size": (np.array([1.0, 2, 6, 8]), np.array([0, 1, 0, 1]), ALL_OF_TWO),
        "four groups": (APART, PATIENTS, OF_FOUR),
        "one resample": (APART, PATIENTS, OF_FOUR[:1]),
    },
    mistakes="""
sums[draws].sum(axis=1) / sizes[draws].sum(axis=1) => (sums / sizes)[draws].mean(axis=1)
    You take the mean of the groups' means. A group with many pairs has more say: the mean is over all pairs drawn.
np.unique(groups) => np.array(list(dict.fromkeys(groups.tolist())))
np.unique(groups) => np.unique(groups)[::-1]
    Which group is number 0 of a draw? The one with the lowest number.
/ sizes[draws].sum(axis=1) => / len(values)
    You divide by the number of all pairs. A resample has more pairs or fewer, as large or small groups were drawn.
means = sums => d = (np.arange(len(sums)) == draws[..., None]).any(1); means = d @ sums / (d @ sizes); sums
    With you a group that is drawn twice counts once.
means = sums[draws] => sums, sizes = values, np.ones(len(values)); means = sums[draws]
    You draw pairs. Drawn are groups, each with all of its pairs.
[2.5, 97.5] => [5, 95]
[2.5, 97.5] => [0.025, 0.975]
[2.5, 97.5] => [0, 100]
    Look at the two percentiles: `np.percentile` wants 2.5 and 97.5.
return np.percentile(means, [2.5, 97.5]) => return means.mean() + np.array([-1.96, 1.96]) * means.std()
    You take 1.96 standard deviations on both sides. Asked are percentiles, which need not lie evenly.
sums[draws].sum(axis=1) / sizes[draws].sum(axis=1) => sums[draws].sum(axis=1)
    You take sums for means. By how many pairs has each resample to be divided?
""",
    telling="""
f(np.full(9, 2.5), PATIENTS, OF_FOUR)
    If all values are 2.5, both ends are 2.5.
f(VALUES, np.array([5, 5, 5]), np.zeros((3, 1), int))
    With a single group, each resample is all pairs: both ends are their mean.
f(APART, np.arange(9), OF_NINE)
    If each pair is a group, it is the bootstrap of the lesson.
f(APART, PATIENTS, OF_FOUR[:1])
    With one resample, both ends are its mean: over all pairs of all groups drawn, some of them twice.
f(APART + 1, PATIENTS, OF_FOUR) - f(APART, PATIENTS, OF_FOUR)
    If all values are 1 higher, both ends must be 1 higher.
""",
    components=("the lower end", "the upper end"),
)

EXERCISES = [SHARE_BY_LUCK, FIRST_PLACES, INTERVAL_OF_GROUPS]

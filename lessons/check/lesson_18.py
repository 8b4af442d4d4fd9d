"""The checks of the exercises of lesson 18."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_18 import gradient_of_all, merged, ring

ASKED, COUNTS = draw(1, 4, 3, low=-2, high=2), np.array([2, 7, 1, 3])
IDLE = ASKED.copy()
IDLE[1] = np.nan
WITHOUT = np.array([2, 0, 1, 3])

GRADIENT_OF_ALL = Exercise(
    gradient_of_all,
    "the gradient of a whole batch",
    cases={
        "the example": (np.array([[3.0, 1.0], [-5.0, 9.0]]), np.array([3, 1])),
        "one process": (ASKED[:1], np.array([5])),
        "equal parts": (ASKED, np.array([2, 2, 2, 2])),
        "unequal parts": (ASKED, COUNTS),
        "one had nothing to do": (IDLE, WITHOUT),
        "one had nothing to do, and hands in numbers": (ASKED, WITHOUT),
        "only one had something to do": (np.array([[np.nan], [4.0], [np.inf]]), np.array([0, 6, 0])),
    },
    mistakes="""
share = counts / np.sum(counts) => share = np.ones(len(counts)) / len(counts)
share = counts / np.sum(counts) => share = (counts > 0) / np.sum(counts > 0)
return np.nanmean(gradients, axis=0)
    Each process has as much say as the next one. One that had more pairs should have more.
np.sum(counts) => len(counts)
np.sum(counts) => np.max(counts)
counts / np.sum(counts) => counts
    By what do you divide? The shares of all processes together must be 1.
at_work = counts > 0 => at_work = counts >= 0
    0 times nan is nan. A process that had no pair must not come in at all.
at_work = counts > 0 => at_work = counts > 1
    A process that had a single pair counts, too.
share = counts / np.sum(counts) => share = counts**2 / np.sum(counts**2)
    Which power of a count is its share? A process with twice as many pairs should have twice the say.
gradients[at_work], axis=0) => gradients[at_work])
axis=0 => axis=1
    You add up what different weights ask. The sum is over the processes.
""",
    telling="""
f(ASKED[:1], np.array([5]))
    With a single process, its gradient is that of the batch.
f(ASKED, np.array([2, 2, 2, 2]))
    Where all had equally many pairs, it is the mean of the gradients.
f(np.ones((4, 3)), COUNTS)
    If all processes ask for 1, so does the batch.
f(IDLE, WITHOUT) - f(ASKED, WITHOUT)
    What a process without pairs hands in must have no effect, whatever it is.
f(ASKED, 3 * COUNTS) - f(ASKED, COUNTS)
    If each process has three times as many pairs, nothing changes.
""",
)

MANY = np.array([1, 4, 2])
MEANS, VARIANCES = draw(2, 3, low=-3, high=3), draw(3, 3, high=2)
VARIANCES[0] = 0  # of a single value
FAR = 1_000_000 + draw(4, 3)

MERGED = Exercise(
    merged,
    "the mean and the variance over all processes",
    cases={
        "the example": (np.array([2, 2]), np.array([2.0, 6.0]), np.array([1.0, 1.0])),
        "one process": (MANY[1:2], MEANS[1:2], VARIANCES[1:2]),
        "equally many values": (np.array([3, 3, 3]), MEANS, VARIANCES + 0.1),
        "one value each": (np.ones(3, int), MEANS, 0 * VARIANCES),
        "three processes": (MANY, MEANS, VARIANCES),
        "the same mean everywhere": (MANY, 0 * MEANS + 1.5, VARIANCES),
        "far from 0": (MANY, FAR, 0.01 * VARIANCES),
    },
    mistakes="""
variances + (means - mean) ** 2 => variances
    The processes have different means, and that makes all values vary more than those of each process. See the example.
variances + (means - mean) ** 2 => (means - mean) ** 2
    Within each process the values vary, too.
share = counts / np.sum(counts) => share = np.ones(len(means)) / len(means)
    Each process has as much say as the next one. One with more values should have more.
mean = share @ means => mean = means.mean()
variance = share @ => variance = np.ones(len(means)) / len(means) @
    One of your two results is weighted by the counts, the other one is not.
share @ (variances + (means - mean) ** 2) => share @ (variances + means**2) - mean**2
    On paper it is right. But far from 0, you take the small difference of two large numbers, and its digits are gone.
return mean, variance => return mean, variance * np.sum(counts) / max(np.sum(counts) - 1, 1)
share @ (variances => (counts - 1) / max(np.sum(counts) - 1, 1) @ (variances
    You divide by one less than the number of values. Here a variance is a mean: divided by their number.
return mean, variance => return mean, np.sqrt(variance)
variances + (means => np.sqrt(variances) + (means
    You have standard deviations. Asked are variances, which are their squares.
(means - mean) ** 2 => np.abs(means - mean)
(means - mean) ** 2 => means**2
    How does the mean of one process add to the variance? By its squared distance from the common mean.
""",
    telling="""
f(MANY[1:2], MEANS[1:2], VARIANCES[1:2])[1]
    With a single process, its variance is that of all values.
f(MANY, 0 * MEANS + 1.5, VARIANCES)[1]
    Where all have the same mean, the variance is the mean of the variances, weighted by the counts.
f(np.ones(3, int), MEANS, 0 * VARIANCES)[1]
    With one value for each process, the variance is that of the means.
f(MANY, MEANS + 8, VARIANCES)[1] - f(MANY, MEANS, VARIANCES)[1]
    Add 8 to all values, and the variance must stay as it is.
f(MANY, MEANS, VARIANCES)[0]
    The mean is the one of all values. Which share has each process of them?
""",
    results=("mean", "variance"),
)

THREE = np.array([[1.0, 2, 3], [10, 20, 30], [100, 200, 300]])
FOUR, FIVE = np.round(draw(5, 4, 4, high=9)), np.round(draw(6, 5, 5, low=-9, high=9))

RING = Exercise(
    ring,
    "an all-reduce in a ring",
    cases={
        "the example": (THREE, 1),
        "the example, to its end": (THREE, 4),
        "no step": (THREE, 0),
        "one process": (FOUR[:1, :1], 0),
        "two processes, one step": (FOUR[:2, :2], 1),
        "two processes, to the end": (FOUR[:2, :2], 2),
        "four processes, two steps": (FOUR, 2),
        "four processes, half of the way": (FOUR, 3),
        "four processes, four steps": (FOUR, 4),
        "five processes, six steps": (FIVE, 6),
        "five processes, to the end": (FIVE, 8),
    },
    mistakes="""
held[receiver, part] += sent => held[receiver, part] = sent
    You put the number in place of the neighbour's, from the beginning. In the first N - 1 steps it is added.
else: => elif False:
if step < size - 1 => if True
if step < size - 1 => if step < size
if step < size - 1 => if step < size - 2
    Who adds, and when? In the first N - 1 steps the neighbour adds, in the next N - 1 it puts the number in place.
(rank - step) % size => (rank + step) % size
(rank - step) % size => rank
(rank - step) % size => (rank - step - 1) % size
    You send other parts. In step 0 it is the part number r, in step 1 the one before it, and so on round the ring.
(rank + 1) % size => (rank - 1) % size
    You send to the left. The right neighbour of rank r is rank r + 1.
range(steps) => range(2 * (size - 1))
range(steps) => range(steps + 1)
range(steps) => range(max(steps - 1, 0))
    Look at the number of your steps. Asked is what they hold after as many as `steps` says.
held[receiver, part] += sent => held[receiver, receiver] += sent
held[receiver, part] = sent => held[receiver, receiver] = sent
    The neighbour puts what arrives where it does not belong. It stays the part with the same number.
return held => return held.T
    Rows are processes, and columns are parts. Yours are exchanged.
return held => return held.sum(axis=0)
    You return one array. Asked is what *each* process holds.
""",
    telling="""
f(THREE, 0) - THREE
    Without any step, all hold what they had.
f(THREE, 1)
    Do the first step by hand: rank 0 sends its part 0 to rank 1, rank 1 its part 1 to rank 2, rank 2 its part 2 to 0.
np.sum(f(np.ones((4, 4)), 3) == 4)
    Let all numbers be 1. After N - 1 steps, N numbers are N: each part is complete in one place.
f(FIVE, 8) - FIVE.sum(axis=0)
    After 2 (N - 1) steps, each row must hold the sums of all columns.
f(FOUR, 4)
    The first N - 1 steps are right. What does the neighbour do with a number that arrives later?
""",
)

EXERCISES = [GRADIENT_OF_ALL, MERGED, RING]

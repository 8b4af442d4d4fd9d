"""Properties of right answers that exercises of several lessons share, and numbers for their cases."""

import numpy as np

from lessons.check.difference import same_numbers


def draw(seed, *shape, low=0.0, high=1.0):
    """Random numbers with two decimals, which a hint can show as they are."""
    return np.round(np.random.default_rng(seed).uniform(low, high, shape), 2)


def each_alone(*arguments):
    """The property that a batch comes out as its items do one by one; the first axis of all arguments is the batch."""

    def a_batch_comes_out_as_its_images_alone(function):
        together = np.asarray(function(*arguments))
        alone = [np.asarray(function(*(x[n : n + 1] for x in arguments)))[0] for n in range(len(arguments[0]))]
        right = [same_numbers(ours, theirs) for ours, theirs in zip(together, alone, strict=True)]
        if all(right):
            return None
        if right[0] and not any(right[1:]):
            return (
                "In a batch, only the first image gets what it gets when it is alone. Are the others left out, or "
                "treated with what belongs to the first?"
            )
        if right[-1] and not any(right[:-1]):
            return (
                "In a batch, only the last image gets what it gets when it is alone. Is something that a loop left "
                "behind used for all, or is the result begun anew in every turn?"
            )
        return (
            "In a batch, an image gets something else than when it is alone. What do you sum, average or look up over "
            "the whole batch?"
        )

    return a_batch_comes_out_as_its_images_alone

"""Which of all possible calls of an op are checked: random ones, of which a few have every two choices together."""

import itertools
from typing import NamedTuple

import numpy as np


class Chooser:
    """Draws what has a structure, from a `numpy.random.Generator`, and remembers what it was, in `choices`.

    With `other`, a number, the option of that choice is the one after that which is drawn.
    """

    def __init__(self, rng, other=None):
        self.rng, self.other, self.choices = rng, other, []

    def integers(self, low, high):
        """An int with low <= int <= high: a size. As choices, `low` and the next one are told from all above."""
        value = int(self.rng.integers(low, high + 1))
        self.choices.append(min(value, low + 2))
        return value

    def sampled_from(self, options):
        """One element of a non-empty sequence: an option."""
        index = int(self.rng.integers(len(options)))
        if len(self.choices) == self.other:
            index = (index + 1) % len(options)
        # The same option may stand there several times, to be drawn more often. Functions are told apart by place.
        self.choices.append(index if callable(options[index]) else repr(options[index]))
        return options[index]

    def booleans(self):
        """True or False."""
        return self.sampled_from([False, True])

    def pairs(self):
        """All pairs of choices, each with its place in the call, and all single ones."""
        choices = list(enumerate(self.choices))
        return {*choices, *itertools.combinations(choices, 2)}


class Case(NamedTuple):
    """One way to call an op, and the positions of the arguments in which it is linear (or affine)."""

    draw: object
    linear: tuple = ()

    def covering_calls(self, seed, candidates=400):
        """A few of so many random calls, in which every pair of choices occurs that occurs in any of them.

        seed : sequence of ints -> generator of (seed of the call, a sequence of ints; how many pairs it adds)

        A mistake shows itself where one option has a certain value, or two of them together; hardly any needs three.
        The call that adds most pairs is taken first, and so on.

        Source: Cohen, Dalal, Fredman, Patton, The AETG system: an approach to testing based on combinatorial design,
        IEEE Transactions on Software Engineering 23 (1997), doi:10.1109/32.605761.
        """
        seeds = [[*seed, call] for call in range(candidates)]
        pairs = []
        for own_seed in seeds:
            rng = np.random.default_rng(own_seed)
            choose = Chooser(rng)
            self.draw(choose, rng)
            pairs.append(choose.pairs())
        missing = set().union(*pairs)
        while True:  # at least once: a case without any choice is called, too
            best = max(range(candidates), key=lambda call: len(pairs[call] & missing))
            yield seeds[best], len(pairs[best] & missing)
            missing -= pairs[best]
            if not missing:
                return

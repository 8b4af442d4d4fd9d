"""Whether what a network learns holds for images that training never sees: a curve, and a warning while there is time.

    validation = Validation(source, configuration)
    validation.score(network)               # now and then, one point of the curve
    warning(similarity, curve, halfway)     # None, or a sentence that says what to do

The pairs are those of the source's split "validation": they are neither trained on nor among those that the report is
about, so one may choose by them. Scoring draws no random numbers and changes no weight: a run is the same with and
without.
"""

import math

import numpy as np

from minireg import backend
from minireg.autograd import Tensor, no_grad
from minireg.errors import InputError
from minireg.training.objective import objective

STEPS_BETWEEN, PAIRS = 25, 12  # 2 to 4 % of the time of training
FIRST_STEPS = 5  # in which nothing is learned yet
LEARNED, APART = 0.01, 0.05  # shares of what training has gained; see docs/recipes.md
FOLLOWED = 0.5  # of what the training pairs have learned
SURE = 3  # standard errors, beyond which a difference of means is no noise of the batches
REMEDY = "the network learns its images by heart: take more images, fewer --steps or more --smoothness"


class Validation:
    """The validation pairs of a source; `possible` is False where it has not enough images for any.

    >>> from minireg.data import PhantomPairs
    >>> from minireg.models import SymmetricUNet
    >>> from minireg.training import configure
    >>> validation = Validation(PhantomPairs(size=32), configure({"data": "phantom"}))
    >>> round(validation.score(SymmetricUNet(np.random.default_rng(0))), 1)  # 1 - NCC, as it was
    0.2
    """

    def __init__(self, source, configuration):
        self.configuration = configuration
        try:
            pairs = source.held_out(PAIRS, split="validation")
        except InputError:  # too few images
            self.images = ()
        else:
            self.images = (pairs.moving, pairs.fixed) if len(pairs.moving) else ()

    @property
    def possible(self):
        return bool(self.images)

    def score(self, network):
        """The similarity term of the `objective` over the validation pairs, a float; smaller is better."""
        was_training = network.training
        network.eval()
        try:
            with no_grad():
                images = (Tensor(backend.to_device(array)) for array in self.images)
                return objective(network, *images, self.configuration)[1]["similarity"].item()
        finally:
            network.train(was_training)


def warning(similarity, validation, halfway):
    """What is wrong with a run that learns its images by heart, in a sentence; None where nothing is, or it is early.

    The validation pairs are behind the training pairs, and one of two things, measured by what the latter have gained
    since the first steps: they are a twentieth of it behind; or in the second half of the run, the training pairs have
    improved by a hundredth of it and more, and the validation pairs by less than half of that. What the training pairs
    have gained and improved must be beyond the noise of their batches: where nothing is learned, there is no warning.

    Parameters
    ----------
    similarity : array (steps,), of the training pairs; smaller is better
    validation : array (steps,), of the validation pairs; NaN at steps where they were not scored
    halfway : int, half of the steps that the run will have; before, the training pairs may get fewer looks

    >>> similarity = 0.02 + 0.28 * np.exp(-np.arange(200) / 50)
    >>> validation = np.full(200, np.nan)
    >>> validation[24::25] = similarity[24::25]
    >>> warning(similarity, validation, 100)
    >>> validation[99:] = np.where(np.isnan(validation[99:]), np.nan, 0.06)
    >>> warning(similarity, validation, 100).split(",")[0]
    'since step 125 the training pairs have improved (0.0501 to 0.0267)'
    >>> learns_nothing = 0.47 + 0.04 * np.random.default_rng(0).standard_normal(200)
    >>> warning(learns_nothing, np.where(np.isnan(validation), np.nan, 0.5), 100)
    """
    similarity, validation = np.asarray(similarity), np.asarray(validation)
    scored = np.flatnonzero(np.isfinite(validation))
    scored = scored[scored >= halfway + STEPS_BETWEEN - 1]
    if len(scored) < 2:
        return None
    first, last = scored[0], scored[-1]
    start = similarity[:FIRST_STEPS].mean()
    then, now = (similarity[max(0, end + 1 - STEPS_BETWEEN) : end + 1].mean() for end in (first, last))
    gained, learned, followed = start - now, then - now, validation[first] - validation[last]
    behind = validation[last] - now
    scatter = similarity[max(0, last + 1 - STEPS_BETWEEN) : last + 1].std()  # of the batches
    if gained <= SURE * scatter * math.sqrt(1 / FIRST_STEPS + 1 / STEPS_BETWEEN):
        return None
    improved = learned > max(LEARNED * gained, SURE * scatter * math.sqrt(2 / STEPS_BETWEEN))
    if behind > 0 and improved and followed < FOLLOWED * learned:
        return (
            f"since step {first + 1} the training pairs have improved ({then:.4f} to {now:.4f}), and the validation "
            f"pairs have not followed ({validation[first]:.4f} to {validation[last]:.4f}): {REMEDY}"
        )
    if behind > APART * gained:
        return f"the validation pairs are behind the training pairs ({validation[last]:.4f}, {now:.4f}): {REMEDY}"
    return None

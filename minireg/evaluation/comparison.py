"""Registration methods compared: all over the same pairs, every field scored with one sampler and the same metrics.

A method is a function method(moving, fixed) -> displacement of NumPy arrays. It is run three times: on the pairs, on
the pairs with their roles exchanged (inverse consistency), and on images that were deformed by a known field (target
registration error), unless the true field of the pairs themselves is known.
"""

import time

import numpy as np

from minireg import metrics
from minireg.evaluation.scores import foreground, score_pairs
from minireg.fields import random_diffeomorphism, warp_images
from minireg.metrics import HIGHER, METRICS

KNOWN_SEED = 4  # of the known deformations
# The longest displacement in a pair, in pixels: about that between two handwritings of a digit.
KNOWN_AMPLITUDE = 5.0
KNOWN_SMOOTHNESS = 4.0  # in pixels

BOOTSTRAP_SEED = 0
BOOTSTRAP_SAMPLES = 2000
BOOTSTRAP_LEVEL = 95  # percent of the means of resampled pairs that lie in the interval
WORST_SHARE = 5  # percent of the pairs


def evaluate_method(method, pairs, clock=time.perf_counter):
    """Score a registration method on pairs of images.

    Parameters
    ----------
    method : function of moving and fixed, (N, H, W, 1), that returns the displacement (N, H, W, 2)
    pairs : `data.pairs.Pairs`
    clock : function without arguments that returns seconds

    Returns
    -------
    scores : dict of str to float64 array (N,)
        Those of `score_pairs`, "inverse_consistency", and "target_registration_error" over the object: where
        the fixed labels are not 0 if there are labels, else over the `foreground`.
    milliseconds : float
        Per pair, of registering all pairs in one call. What happens only once was done before in another.

    Raises InputError as the method, and where its fields are not finite.

    >>> from minireg.data import PhantomPairs
    >>> from minireg.methods import identity
    >>> scores, milliseconds = evaluate_method(identity, PhantomPairs(size=32).held_out(3))
    >>> scores["inverse_consistency"].tolist()  # there and back, it has not moved
    [0.0, 0.0, 0.0]
    """
    moving, fixed = pairs.moving, pairs.fixed
    method(moving[:1], fixed[:1])
    start = clock()
    displacement = method(moving, fixed)
    milliseconds = 1000 * (clock() - start) / len(moving)

    if pairs.displacement is None:
        deformed, true_displacement = known_deformation(fixed)
        found = method(deformed, fixed)
    else:
        true_displacement, found = pairs.displacement, displacement
    inside = foreground(fixed) if pairs.fixed_labels is None else pairs.fixed_labels[..., 0] > 0
    scores = score_pairs(pairs, warp_images(moving, displacement), displacement) | {
        "inverse_consistency": metrics.inverse_consistency(displacement, method(fixed, moving)),
        "target_registration_error": metrics.target_registration_error(found, true_displacement, inside),
    }
    return scores, milliseconds


def known_deformation(fixed, seed=KNOWN_SEED):
    """Moving images for which the displacement that brings them to `fixed` is known.

    With a random diffeomorphism of displacement u and inverse w, moving(q) = fixed(q + w(q)). Then moving(p + u(p)) is
    fixed(p), up to the blur of interpolating once.

    Parameters
    ----------
    fixed : array (N, H, W, 1), float32
    seed : int

    Returns moving (N, H, W, 1) and u (N, H, W, 2), in pixels, float32

    >>> moving, displacement = known_deformation(np.ones((1, 16, 16, 1), "float32"))
    >>> bool(np.linalg.norm(displacement, axis=-1).max() < 5)
    True
    """
    rng = np.random.default_rng(seed)
    displacement, inverse = random_diffeomorphism(rng, fixed.shape[:3], KNOWN_AMPLITUDE, KNOWN_SMOOTHNESS)
    return warp_images(fixed, inverse.astype(fixed.dtype)), displacement.astype(fixed.dtype)


def summarise(scores):
    """What to say about many pairs.

    Parameters
    ----------
    scores : dict of str, most of them in `metrics.METRICS`, to float array (N,)

    Returns
    -------
    dict of dicts with the same keys as `scores`
        "mean" and "median"; "interval_of_mean", the lower and upper end of the 95 % percentile bootstrap interval of
        the mean, from 2000 resamples of the pairs, the same ones for all metrics and methods; "worst_5_percent", the
        value that 5 % of the pairs are worse than: the 5th percentile where large is good (NCC, SSIM, Dice), the 95th
        where small is good.

    Source: Efron, Tibshirani, An introduction to the bootstrap, 1993, section 13.3.

    >>> statistics = summarise({"ncc": np.linspace(0, 1, 101)})
    >>> statistics["median"], statistics["worst_5_percent"]
    ({'ncc': 0.5}, {'ncc': 0.05})
    """
    pairs = len(next(iter(scores.values())))
    resamples = np.random.default_rng(BOOTSTRAP_SEED).integers(pairs, size=(BOOTSTRAP_SAMPLES, pairs))
    tail = (100 - BOOTSTRAP_LEVEL) / 2
    statistics = {"mean": {}, "interval_of_mean": {}, "median": {}, "worst_5_percent": {}}
    for name, values in scores.items():
        means = values[resamples].mean(axis=1)
        higher_is_better = name in METRICS and METRICS[name].better == HIGHER
        worst = WORST_SHARE if higher_is_better else 100 - WORST_SHARE
        statistics["mean"][name] = float(values.mean())
        statistics["interval_of_mean"][name] = np.percentile(means, [tail, 100 - tail]).tolist()
        statistics["median"][name] = float(np.median(values))
        statistics["worst_5_percent"][name] = float(np.percentile(values, worst))
    return statistics

"""All metrics of registered pairs at once."""

import numpy as np

from minireg import metrics
from minireg.fields import warp_labels
from minireg.ops.filtering import SSIM_RADIUS

FOREGROUND = 0.5  # a pixel of the fixed image that is brighter belongs to the object


def foreground(fixed):
    """The object in each fixed image (N, H, W, C), as a mask (N, H, W): pixels brighter than 0.5 in any channel.

    >>> foreground(np.array([0.2, 0.5, 0.9]).reshape(1, 1, 3, 1)).tolist()
    [[[False, False, True]]]
    """
    return (fixed > FOREGROUND).any(axis=-1)


def score(warped, fixed, displacement):
    """What can be said about registered pairs from the two images and the field.

    Parameters
    ----------
    warped, fixed : float arrays (N, H, W, 1)
    displacement : float array (N, H, W, 2), in pixels, with which `warped` was sampled

    Returns
    -------
    dict of str to float64 array (N,)
        "ncc", "mse", "ssim" (NaN where the images are too small for its window), "dice", "dice_0.3" to "dice_0.7" and
        their mean "dice_sweep", "hausdorff95", "folded_pixels" and "folded_cells" over the image and, with the ending
        "_foreground", over the `foreground` of the fixed image, "spread_log_jacobian".

    Raises InputError as `metrics.ncc`, and for more than one channel.

    >>> images = np.random.default_rng(0).random((2, 16, 16, 1))
    >>> score(images, images, np.zeros((2, 16, 16, 2)))["hausdorff95"].tolist()
    [0.0, 0.0]
    """
    too_small = min(fixed.shape[1:3]) < 2 * SSIM_RADIUS + 1
    sweep = metrics.dice_sweep(warped, fixed)
    mask = foreground(fixed)
    return {
        "ncc": metrics.ncc(warped, fixed),
        "mse": metrics.mse(warped, fixed),
        "ssim": np.full(len(fixed), np.nan) if too_small else metrics.ssim(warped, fixed),
        "dice": sweep[:, metrics.SWEEP.index(0.5)],
        "dice_sweep": sweep.mean(axis=1),
        **{f"dice_{threshold}": sweep[:, i] for i, threshold in enumerate(metrics.SWEEP)},
        "hausdorff95": metrics.hausdorff95(warped, fixed),
        "folded_pixels": metrics.folded_pixels(displacement),
        "folded_cells": metrics.folded_cells(displacement),
        "folded_pixels_foreground": metrics.folded_pixels(displacement, mask),
        "folded_cells_foreground": metrics.folded_cells(displacement, mask),
        "spread_log_jacobian": metrics.spread_log_jacobian(displacement),
    }


def score_pairs(pairs, warped, displacement):
    """`score` of registered `data.pairs.Pairs`, and what the pairs allow beyond it.

    Returns
    -------
    dict of str to float64 array (N,)
        Where labels are known also "label_dice", of the moving labels warped and the fixed ones; where landmarks are
        known, "landmark_error" in pixels.

    >>> from minireg.data import PhantomPairs
    >>> pairs = PhantomPairs(size=32).held_out(2)
    >>> scores = mean_scores(score_pairs(pairs, pairs.moving, np.zeros_like(pairs.displacement)))
    >>> 0 < scores["label_dice"] < 1 < scores["landmark_error"]  # before any registration
    True
    """
    scores = score(warped, pairs.fixed, displacement)
    if pairs.moving_labels is not None:
        scores["label_dice"] = metrics.label_dice(warp_labels(pairs.moving_labels, displacement), pairs.fixed_labels)
    if pairs.fixed_points is not None:
        scores["landmark_error"] = metrics.landmark_error(displacement, pairs.fixed_points, pairs.moving_points)
    return scores


def mean_scores(scores):
    """The mean over all pairs of each metric, as floats.

    >>> mean_scores({"ncc": np.array([0.5, 1.0])})
    {'ncc': 0.75}
    """
    return {name: float(values.mean()) for name, values in scores.items()}

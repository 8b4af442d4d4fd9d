"""All metrics of registered pairs at once."""

import numpy as np

from minireg.fields import warp_labels
from minireg.metrics import (
    SSIM_RADIUS,
    SWEEP,
    dice_sweep,
    folded_cells,
    folded_pixels,
    hausdorff95,
    label_dice,
    landmark_error,
    mse,
    ncc,
    spread_log_jacobian,
    ssim,
)

FOREGROUND = 0.5  # a pixel of the fixed image that is brighter belongs to the object


def foreground(fixed):
    """The object in each fixed image (N, H, W, C), as a mask (N, H, W): pixels brighter than 0.5 in any channel."""
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

    Raises
    ------
    InputError
        As `ncc`, and for more than one channel.
    """
    too_small = min(fixed.shape[1:3]) < 2 * SSIM_RADIUS + 1
    sweep = dice_sweep(warped, fixed)
    mask = foreground(fixed)
    return {
        "ncc": ncc(warped, fixed),
        "mse": mse(warped, fixed),
        "ssim": np.full(len(fixed), np.nan) if too_small else ssim(warped, fixed),
        "dice": sweep[:, SWEEP.index(0.5)],
        "dice_sweep": sweep.mean(axis=1),
        **{f"dice_{threshold}": sweep[:, i] for i, threshold in enumerate(SWEEP)},
        "hausdorff95": hausdorff95(warped, fixed),
        "folded_pixels": folded_pixels(displacement),
        "folded_cells": folded_cells(displacement),
        "folded_pixels_foreground": folded_pixels(displacement, mask),
        "folded_cells_foreground": folded_cells(displacement, mask),
        "spread_log_jacobian": spread_log_jacobian(displacement),
    }


def score_pairs(pairs, warped, displacement):
    """`score` of registered `data.pairs.Pairs`, and what the pairs allow beyond it.

    Returns
    -------
    dict of str to float64 array (N,)
        Where labels are known also "label_dice", of the moving labels warped and the fixed ones; where landmarks are
        known, "landmark_error" in pixels.
    """
    scores = score(warped, pairs.fixed, displacement)
    if pairs.moving_labels is not None:
        scores["label_dice"] = label_dice(warp_labels(pairs.moving_labels, displacement), pairs.fixed_labels)
    if pairs.fixed_points is not None:
        scores["landmark_error"] = landmark_error(displacement, pairs.fixed_points, pairs.moving_points)
    return scores


def mean_scores(scores):
    """The mean over all pairs of each metric, as floats."""
    return {name: float(values.mean()) for name, values in scores.items()}

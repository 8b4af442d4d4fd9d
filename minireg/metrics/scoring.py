"""All metrics of a batch of registered pairs at once."""

import numpy as np

from minireg.metrics.overlap import SWEEP, dice_sweep, hausdorff95
from minireg.metrics.regularity import folded_cells, folded_pixels, spread_log_jacobian
from minireg.metrics.similarity import SSIM_RADIUS, mse, ncc, ssim

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

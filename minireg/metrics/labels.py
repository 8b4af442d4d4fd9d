"""How well label maps overlap: the parts of an object, each by its name."""

import numpy as np

from minireg.errors import InputError


def label_dice(a, b):
    """Dice overlap of each label, 2 |A and B| / (|A| + |B|), averaged over the labels that either map of a pair has.

    Label 0 is background and not counted. Every label counts the same, however small its part is. Warp label maps by
    `ops.warp_nearest`: between labels 1 and 3 lies nothing.

    Parameters
    ----------
    a, b : integer arrays (N, H, W, 1)

    Returns
    -------
    float64 array (N,) in [0, 1]; 1 where both maps are all background, for then they agree.

    Raises
    ------
    InputError
        Not integer arrays of one shape.

    References
    ----------
    Dice: Measures of the amount of ecologic association between species. Ecology 26 (1945).
    """
    if a.shape != b.shape or a.ndim != 4 or not all(np.issubdtype(labels.dtype, np.integer) for labels in (a, b)):
        raise InputError(
            f"expected label maps, integers of one shape (N, H, W, 1), got {a.dtype} {a.shape} and {b.dtype} {b.shape}"
        )
    total, present = np.zeros(len(a)), np.zeros(len(a))
    for label in np.union1d(a, b):
        if label != 0:
            overlap = np.sum((a == label) & (b == label), axis=(1, 2, 3))
            size = np.sum(a == label, axis=(1, 2, 3)) + np.sum(b == label, axis=(1, 2, 3))
            total += 2 * overlap / np.maximum(size, 1)
            present += size > 0
    return np.where(present == 0, 1.0, total / np.maximum(present, 1))

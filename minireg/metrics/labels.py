"""How well label maps overlap: the parts of an object, each by its name."""

import numpy as np

from minireg.errors import InputError


def label_dice(a, b):
    """Dice overlap of each label, 2 |A and B| / (|A| + |B|), averaged over the labels that either map of a pair has.

    Label 0 is background and not counted. Every label counts the same, however small its part is. Warp label maps by
    `fields.warp_labels`: between labels 1 and 3 lies nothing.

    a and b are integer arrays (N, H, W, 1); the result is a float64 array (N,) in [0, 1], 1 where both maps are all
    background, for then they agree. Raises InputError where they are not integer arrays of one shape.

    Source: Dice, Measures of the amount of ecologic association between species, Ecology 26, 1945, doi:10.2307/1932409.

    >>> a, b = (np.array(labels).reshape(1, 1, 4, 1) for labels in ([1, 2, 2, 0], [1, 2, 0, 2]))
    >>> label_dice(a, b).tolist()  # 1 for label 1, 0.5 for label 2
    [0.75]
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

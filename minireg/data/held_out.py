"""The list of held-out pairs of MNIST over which methods are compared, as a file: `held_out_pairs.csv`.

The file pins the pairs down for other programs, and for a NumPy whose random numbers may differ some day. It holds what
`pairs.held_out_pairs(digits, "all", "random", None)` draws: positions in MNIST's test split, and the digit they show.
"""

import csv
from pathlib import Path

import numpy as np

from minireg.data.pairs import IMAGE_SIZE, Pairs
from minireg.data.preprocessing import pad
from minireg.errors import InputError

LIST = Path(__file__).with_name("held_out_pairs.csv")


def listed_pairs(digits, count=100):
    """The first `count` pairs of the list, of at most 100.

    Parameters
    ----------
    digits : `minireg.data.Digits`, MNIST
    count : int

    Returns
    -------
    `Pairs` of images (count, 32, 32, 1), each with its digit as title

    Raises
    ------
    InputError
        The data set has other images than MNIST at these positions.
    """
    with LIST.open(newline="", encoding="utf-8") as file:
        rows = [(int(row["moving"]), int(row["fixed"]), int(row["digit"])) for row in csv.DictReader(file)]
    moving, fixed, labels = np.transpose(rows[:count])
    test_labels = digits.test_labels
    if max(moving.max(), fixed.max()) >= len(test_labels) or np.any(test_labels[[moving, fixed]] != labels):
        raise InputError(f"the list of held-out pairs belongs to the whole test split of MNIST, not to {digits.name}")
    images = [pad(digits.test_images[chosen], IMAGE_SIZE) for chosen in (moving, fixed)]
    return Pairs(*images, [str(label) for label in labels])

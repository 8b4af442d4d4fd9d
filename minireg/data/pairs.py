"""Which images are registered to which: pairs for training, and the held-out pairs for testing.

Training pairs are drawn from the training split, test pairs from the test split. The one exception is by design: in
"atlas" pairing, all images are registered to one fixed image of the test split, and that image is known in training.
"""

import numpy as np

from minireg.data import pad
from minireg.errors import InputError

PAIRINGS = ("atlas", "random")
IMAGE_SIZE = 32  # MNIST's 28 pixels, padded to a size that can be halved five times
HELD_OUT_SEED = 2020  # so that every run and every evaluation sees the same held-out pairs, whatever its own seed


class PairSampler:
    """Draws batches of training pairs, every moving image once before any comes again.

    Parameters
    ----------
    digits : `minireg.data.Digits`
    digit : int 0 to 9, or "all"
    pairing : "atlas" or "random"
        The fixed image is the test image `fixed_index`; or a random training image of the same digit.
    fixed_index : int or None
        Position in the test split, for "atlas".
    rng : numpy.random.Generator

    Raises
    ------
    InputError
        An unknown digit or pairing; a fixed image that does not exist or shows another digit; no images to train on.
    """

    def __init__(self, digits, digit, pairing, fixed_index, rng):
        if pairing not in PAIRINGS:
            raise InputError(f"unknown pairing {pairing!r}: choose one of {', '.join(PAIRINGS)}")
        indices = _of_digit(digits.train_labels, digit)
        self.images = pad(digits.train_images[indices], IMAGE_SIZE)
        self.labels = digits.train_labels[indices]
        self.atlas = None
        if pairing == "atlas":
            _check_fixed_index(digits, digit, fixed_index)
            self.atlas = pad(digits.test_images[fixed_index : fixed_index + 1], IMAGE_SIZE)
        self.of_label = {label: np.flatnonzero(self.labels == label) for label in np.unique(self.labels)}
        self.rng = rng
        self.order = rng.permutation(len(self.images))
        self.position = 0

    def draw(self, count):
        """The next `count` pairs: moving and fixed, each (count, 32, 32, 1) float32."""
        chosen = []
        while len(chosen) < count:
            if self.position == len(self.order):
                self.order = self.rng.permutation(len(self.images))
                self.position = 0
            taken = self.order[self.position : self.position + count - len(chosen)]
            self.position += len(taken)
            chosen.extend(taken)
        if self.atlas is not None:
            fixed = np.repeat(self.atlas, count, axis=0)
        else:
            fixed = self.images[[self.rng.choice(self.of_label[self.labels[index]]) for index in chosen]]
        return self.images[chosen], fixed

    def state_dict(self):
        """Where in its order the sampler is, as arrays. The Generator's state is not in it."""
        return {"order": self.order.copy(), "position": np.array(self.position)}

    def load_state_dict(self, state):
        """Go back to what `state_dict` returned. Raises InputError if it belongs to another set of images."""
        if state.keys() != {"order", "position"} or state["order"].shape != self.order.shape:
            raise InputError("the order of training images in this file does not belong to this data set")
        self.order, self.position = state["order"].copy(), int(state["position"])


def draw_fixed_index(digits, digit, rng):
    """Choose the fixed image of atlas pairing: the position of a random test image of `digit` (or of any, "all")."""
    return int(rng.choice(_of_digit(digits.test_labels, digit)))


def held_out_pairs(digits, digit, pairing, fixed_index, count=100, seed=HELD_OUT_SEED):
    """Pairs of test images that training never saw (in atlas pairing, but for the fixed image).

    Parameters
    ----------
    digits, digit, pairing, fixed_index : as for `PairSampler`
    count : int
        How many pairs; fewer where there are not so many test images.
    seed : int

    Returns
    -------
    moving, fixed : arrays (count, 32, 32, 1) float32
    labels : array (count,), the digit that each moving image shows

    Raises
    ------
    InputError
        As for `PairSampler`; or fewer than two test images of a digit.
    """
    if pairing not in PAIRINGS:
        raise InputError(f"unknown pairing {pairing!r}: choose one of {', '.join(PAIRINGS)}")
    rng = np.random.default_rng(seed)
    indices = rng.permutation(_of_digit(digits.test_labels, digit))
    if pairing == "atlas":
        _check_fixed_index(digits, digit, fixed_index)
        moving = indices[indices != fixed_index][:count]
        fixed = np.full(len(moving), fixed_index)
    else:
        moving = indices[:count]
        labels = digits.test_labels
        fixed = [rng.choice(indices[(labels[indices] == labels[m]) & (indices != m)]) for m in moving]
    images = [pad(digits.test_images[chosen], IMAGE_SIZE) for chosen in (moving, fixed)]
    return *images, digits.test_labels[moving]


def _of_digit(labels, digit):
    """The positions of all images of a digit."""
    if digit == "all":
        return np.arange(len(labels))
    if digit not in range(10):
        raise InputError(f"unknown digit {digit!r}: choose 0 to 9, or all")
    indices = np.flatnonzero(labels == digit)
    if len(indices) < 2:
        raise InputError(f"the data set has {len(indices)} images of the digit {digit}: at least 2 make a pair")
    return indices


def _check_fixed_index(digits, digit, fixed_index):
    count = len(digits.test_images)
    if fixed_index is None or not 0 <= fixed_index < count:
        raise InputError(f"the fixed image {fixed_index} does not exist: the test split has images 0 to {count - 1}")
    label = int(digits.test_labels[fixed_index])
    if digit not in ("all", label):
        raise InputError(f"test image {fixed_index} shows the digit {label}, not {digit}: choose another fixed index")

"""Which images are registered to which: pairs for training, and the held-out pairs for testing.

Training pairs are drawn from the training images but for their last twelfth, which is the validation split: with it one
chooses between networks and options. Test pairs are drawn from the test split, with which one only reports. The one
exception is by design: in "atlas" pairing, all images are registered to one fixed image of the test split, and that
image is known in training.
"""

from dataclasses import dataclass

import numpy as np

from minireg.data.preprocessing import pad
from minireg.errors import InputError

PAIRINGS = ("atlas", "random")
SPLITS = ("train", "validation", "test")
VALIDATION_SHARE = 12  # one training image in so many is left out of training: the last 5000 of MNIST's 60000
IMAGE_SIZE = 32  # MNIST's 28 pixels, padded to a size that can be halved five times
HELD_OUT_SEED = 2020  # so that every run and every evaluation sees the same held-out pairs, whatever its own seed


@dataclass(eq=False)
class Pairs:
    """Images to register, pair by pair, and what is known about them; None is what is not known.

    moving, fixed : (N, H, W, 1) float32
    titles : N strings
    moving_labels, fixed_labels : (N, H, W, 1) integers; which part of the object each pixel shows, 0 is background
    displacement : (N, H, W, 2) in pixels; the true one: moving(p + u(p)) shows what fixed(p) shows
    fixed_points, moving_points : (N, K, 2), (row, column) in pixels; landmarks, the same places in both images
    """

    moving: np.ndarray
    fixed: np.ndarray
    titles: list
    moving_labels: np.ndarray | None = None
    fixed_labels: np.ndarray | None = None
    displacement: np.ndarray | None = None
    fixed_points: np.ndarray | None = None
    moving_points: np.ndarray | None = None


class Sampler:
    """Draws batches of training pairs, every moving image once before any comes again.

    Parameters
    ----------
    moving : (N, H, W, 1) float32
    fixed : (M, H, W, 1) float32
        The image that goes with `moving[index]` is `fixed[partner(index)]`; here that is `fixed[index]`.
    rng : numpy.random.Generator
    augment : function (moving, fixed, rng) -> (moving, fixed), optional
        What to do with each batch, such as `augmentation.augment`.
    """

    def __init__(self, moving, fixed, rng, augment=None):
        self.moving, self.fixed, self.rng, self.augment = moving, fixed, rng, augment
        self.order = rng.permutation(len(moving))
        self.position = 0

    def partner(self, index):
        """The position of the fixed image for a moving one."""
        return index

    def draw(self, count):
        """The next `count` pairs: moving and fixed, each (count, H, W, 1) float32."""
        chosen = []
        while len(chosen) < count:
            if self.position == len(self.order):
                self.order = self.rng.permutation(len(self.moving))
                self.position = 0
            taken = self.order[self.position : self.position + count - len(chosen)]
            self.position += len(taken)
            chosen.extend(taken)
        pair = self.moving[chosen], self.fixed[[self.partner(index) for index in chosen]]
        return pair if self.augment is None else self.augment(*pair, self.rng)

    def state_dict(self):
        """Where in its order the sampler is, as arrays. The Generator's state is not in it."""
        return {"order": self.order.copy(), "position": np.array(self.position)}

    def load_state_dict(self, state):
        """Go back to what `state_dict` returned. Raises InputError if it belongs to another set of images."""
        if state.keys() != {"order", "position"} or state["order"].shape != self.order.shape:
            raise InputError("the order of training images in this file does not belong to this data set")
        self.order, self.position = state["order"].copy(), int(state["position"])


class PairSampler(Sampler):
    """Draws pairs of digits.

    Parameters
    ----------
    digits : `minireg.data.Digits`
    digit : int 0 to 9, or "all"
    pairing : "atlas" or "random"
        The fixed image is the test image `fixed_index`; or a random training image of the same digit.
    fixed_index : int or None
        Position in the test split, for "atlas".
    rng : numpy.random.Generator
    leave_out : ints
        Digits that are never shown, to see afterwards what the network does with them.
    augment : as for `Sampler`

    Raises
    ------
    InputError
        An unknown digit or pairing; a fixed image that does not exist or shows another digit; no images to train on.
    """

    def __init__(self, digits, digit, pairing, fixed_index, rng, leave_out=(), augment=None):
        if pairing not in PAIRINGS:
            raise InputError(f"unknown pairing {pairing!r}: choose one of {', '.join(PAIRINGS)}")
        images, labels = split_of(digits, "train")
        indices = _of_digit(labels, digit)
        indices = indices[~np.isin(labels[indices], leave_out)]
        if len(indices) == 0:
            raise InputError(f"nothing is left to train on: of the digits {digit}, {leave_out} were left out")
        self.labels = labels[indices]
        self.of_label = {label: np.flatnonzero(self.labels == label) for label in np.unique(self.labels)}
        moving = fixed = pad(images[indices], IMAGE_SIZE)
        self.has_atlas = pairing == "atlas"
        if self.has_atlas:
            _check_fixed_index(digits, digit, fixed_index)
            fixed = pad(digits.test_images[fixed_index : fixed_index + 1], IMAGE_SIZE)
        super().__init__(moving, fixed, rng, augment)

    def partner(self, index):
        """The atlas, or a random image of the same digit."""
        return 0 if self.has_atlas else self.rng.choice(self.of_label[self.labels[index]])


@dataclass(eq=False)
class DigitPairs:
    """A data set of digits as a source of pairs: parameters as for `PairSampler`.

    Every source of pairs has a `name`, a `sampler` for training, and pairs that are `held_out` from it.
    """

    digits: object
    digit: int | str
    pairing: str
    fixed_index: int | None
    leave_out: tuple = ()

    @property
    def name(self):
        return self.digits.name

    def sampler(self, rng, augment=None):
        """A `Sampler` of training pairs."""
        return PairSampler(self.digits, self.digit, self.pairing, self.fixed_index, rng, self.leave_out, augment)

    def held_out(self, count=100, seed=HELD_OUT_SEED, split="test"):
        """`held_out_pairs` as `Pairs`, each with its digit as title."""
        moving, fixed, labels = held_out_pairs(
            self.digits, self.digit, self.pairing, self.fixed_index, count, seed, split
        )
        return Pairs(moving, fixed, [str(label) for label in labels])


def split_of(digits, split):
    """The images (N, 28, 28, 1) and labels (N,) of a split of a data set.

    "train" and "validation" are the training images without and in their last twelfth, "test" the test images.
    Raises InputError where the split is unknown.
    """
    if split not in SPLITS:
        raise InputError(f"unknown split {split!r}: choose one of {', '.join(SPLITS)}")
    if split == "test":
        return digits.test_images, digits.test_labels
    shown = len(digits.train_labels) - len(digits.train_labels) // VALIDATION_SHARE
    part = slice(shown) if split == "train" else slice(shown, None)
    return digits.train_images[part], digits.train_labels[part]


def draw_fixed_index(digits, digit, rng):
    """Choose the fixed image of atlas pairing: the position of a random test image of `digit` (or of any, "all")."""
    return int(rng.choice(_of_digit(digits.test_labels, digit)))


def held_out_pairs(digits, digit, pairing, fixed_index, count=100, seed=HELD_OUT_SEED, split="test"):
    """Pairs of images that training never saw (in atlas pairing, but for the fixed image).

    Parameters
    ----------
    digits, digit, pairing, fixed_index : as for `PairSampler`
    count : int
        How many pairs; fewer where there are not so many images.
    seed : int
    split : "test" to report, "validation" to choose
        The fixed image of atlas pairing is a test image either way: it is the one that was trained for.

    Returns
    -------
    moving, fixed : arrays (count, 32, 32, 1) float32
    labels : array (count,), the digit that each moving image shows

    Raises
    ------
    InputError
        As for `PairSampler`; an unknown split; or fewer than two images of a digit in it.
    """
    if pairing not in PAIRINGS:
        raise InputError(f"unknown pairing {pairing!r}: choose one of {', '.join(PAIRINGS)}")
    rng = np.random.default_rng(seed)
    images, labels = split_of(digits, split)
    indices = rng.permutation(_of_digit(labels, digit))
    if pairing == "atlas":
        _check_fixed_index(digits, digit, fixed_index)
        if split == "test":
            indices = indices[indices != fixed_index]
        moving = indices[:count]
        fixed_images = np.repeat(digits.test_images[fixed_index : fixed_index + 1], len(moving), axis=0)
    else:
        paired = np.bincount(labels[indices], minlength=10)[labels[indices]] > 1  # of "all", a digit may be there once
        moving = indices[paired][:count]
        fixed_images = images[[rng.choice(indices[(labels[indices] == labels[m]) & (indices != m)]) for m in moving]]
    return pad(images[moving], IMAGE_SIZE), pad(fixed_images, IMAGE_SIZE), labels[moving]


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

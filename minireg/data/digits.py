"""Handwritten digits as a source of pairs: any two of one digit, or all images of a digit and one fixed image.

Training pairs are drawn from the training images but for their last twelfth, which is the validation split: with it one
chooses between networks and options. Test pairs are drawn from the test split, with which one only reports. The one
exception is by design: in "atlas" pairing, all images are registered to one fixed image of the test split, and that
image is known in training.
"""

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minireg.data.pairs import HELD_OUT_SEED, Pairs, Sampler, fingerprint
from minireg.data.preprocessing import pad
from minireg.errors import InputError

PAIRINGS = ("atlas", "random")
SPLITS = ("train", "validation", "test")
VALIDATION_SHARE = 12  # one training image in so many is left out of training: the last 5000 of MNIST's 60000
IMAGE_SIZE = 32  # MNIST's 28 pixels, padded to a size that can be halved five times
# Positions in MNIST's test split, and the digit they show: the random pairs of all digits that `held_out` draws. The
# file pins them down for other programs, and for a NumPy whose random numbers may differ some day.
TEST_IMAGES, LISTED = 10000, 100  # of MNIST, and pairs in the file
LIST = Path(__file__).with_name("held_out_pairs.csv")


@dataclass(frozen=True, eq=False)  # eq: comparing arrays gives arrays, on which a generated __eq__ would fail
class Digits:
    """Images of handwritten digits: `*_images` (N, 28, 28, 1) float32 in [0, 1], `*_labels` (N,) uint8.

    >>> from minireg.data import load_strokes
    >>> digits = load_strokes(train_per_digit=12, test_per_digit=1)
    >>> {split: digits.split(split)[0].shape for split in ("train", "validation", "test")}
    {'train': (110, 28, 28, 1), 'validation': (10, 28, 28, 1), 'test': (10, 28, 28, 1)}
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    def split(self, name):
        """The images (N, 28, 28, 1) and labels (N,) of a split. Raises InputError where it is unknown.

        "train" and "validation" are the training images without and in their last twelfth, "test" the test images.
        """
        if name not in SPLITS:
            raise InputError(f"unknown split {name!r}: choose one of {', '.join(SPLITS)}")
        if name == "test":
            return self.test_images, self.test_labels
        shown = len(self.train_labels) - len(self.train_labels) // VALIDATION_SHARE
        part = slice(shown) if name == "train" else slice(shown, None)
        return self.train_images[part], self.train_labels[part]


class DigitPairs:
    """A data set of digits as a source of pairs for training and testing.

    Parameters
    ----------
    digits : Digits
    digit : int 0 to 9, or "all"
    pairing : "atlas" or "random"
        The fixed image is the test image `fixed_index`; or a random image of the same digit.
    fixed_index : int, optional
        Position in the test split, for "atlas"; drawn by the seed unless it is given.
    leave_out : ints
        Digits that are never shown in training, to see afterwards what the network does with them.
    seed : int

    Raises InputError for an unknown digit or pairing, and a fixed image that does not exist or shows another digit.

    >>> from minireg.data import load_strokes
    >>> source = DigitPairs(load_strokes(train_per_digit=12, test_per_digit=3), digit=7)
    >>> pairs = source.held_out(2)
    >>> pairs.moving.shape, pairs.titles
    ((2, 32, 32, 1), ['7', '7'])
    """

    def __init__(self, digits, digit="all", pairing="random", fixed_index=None, leave_out=(), seed=0):
        if pairing not in PAIRINGS:
            raise InputError(f"unknown pairing {pairing!r}: choose one of {', '.join(PAIRINGS)}")
        if pairing == "random" and fixed_index is not None:
            raise InputError(f"a fixed index ({fixed_index}) goes with the pairing 'atlas', not with 'random'")
        self.digits, self.name, self.digit, self.pairing, self.leave_out = (
            digits,
            digits.name,
            digit,
            pairing,
            leave_out,
        )
        candidates = _of_digit(digits.test_labels, digit)
        if pairing == "atlas" and fixed_index is None:
            fixed_index = int(np.random.default_rng(seed).choice(candidates))
        self.fixed_index = fixed_index
        if pairing == "atlas":
            self._check_fixed_index()

    @property
    def options(self):
        """What it was made with, the fixed index that was drawn included."""
        return {name: getattr(self, name) for name in ("digit", "pairing", "fixed_index", "leave_out")}

    @property
    def epoch(self):
        """How many pairs show every training image once."""
        return len(self._training_indices())

    @functools.cached_property
    def fingerprint(self):
        """Of the labels, which tell one data set from another and are read faster than the images."""
        return fingerprint(self.digits.train_labels, self.digits.test_labels)

    def sampler(self, rng, augment=None):
        """A `Sampler` of training pairs. Raises InputError where nothing is left to train on."""
        images, labels = self.digits.split("train")
        indices = self._training_indices()
        if self.pairing == "atlas":
            return _AtlasSampler(images[indices], self._atlas(), rng, augment)
        return _SameDigitSampler(images[indices], labels[indices], rng, augment)

    def held_out(self, count=100, seed=HELD_OUT_SEED, split="test"):
        """Pairs of images that training never sees (in atlas pairing, but for the fixed image).

        Parameters
        ----------
        count : int
            How many pairs; fewer where there are not so many images.
        seed : int
        split : "test" to report, "validation" to choose
            The fixed image of atlas pairing is a test image either way: it is the one that was trained for.

        Returns `Pairs` of images (count, 32, 32, 1), each with its digit as title

        Raises InputError for an unknown split, or fewer than two images of a digit in it.
        """
        images, labels = self.digits.split(split)
        if self.pairing == "atlas":
            indices = np.random.default_rng(seed).permutation(_of_digit(labels, self.digit))
            moving = indices[indices != self.fixed_index][:count] if split == "test" else indices[:count]
            fixed_images = np.repeat(self._atlas(), len(moving), axis=0)
        else:
            is_mnist = self.name == "mnist" and len(self.digits.test_labels) == TEST_IMAGES
            is_listed = is_mnist and (self.digit, seed, split) == ("all", HELD_OUT_SEED, "test") and count <= LISTED
            draw = self.listed_indices if is_listed else self.drawn_indices
            moving, fixed = draw(count, seed, split)
            fixed_images = pad(images[fixed], IMAGE_SIZE)
        return Pairs(pad(images[moving], IMAGE_SIZE), fixed_images, [str(label) for label in labels[moving]])

    def drawn_indices(self, count, seed, split):
        """Positions (count,) in a split of the moving images of random pairs, and of the fixed ones."""
        rng = np.random.default_rng(seed)
        _, labels = self.digits.split(split)
        indices = rng.permutation(_of_digit(labels, self.digit))
        paired = np.bincount(labels[indices], minlength=10)[labels[indices]] > 1  # of "all", a digit may be there once
        moving = indices[paired][:count]
        return moving, np.array(
            [rng.choice(indices[(labels[indices] == labels[m]) & (indices != m)]) for m in moving], int
        )

    def listed_indices(self, count, *_):
        """The same for at most 100 pairs of MNIST's test split, from the list."""
        with LIST.open(newline="", encoding="utf-8") as file:
            rows = [(int(row["moving"]), int(row["fixed"])) for row in csv.DictReader(file)]
        return np.transpose(rows[:count])

    def _training_indices(self):
        """The positions in the split "train" of the images that are shown."""
        _, labels = self.digits.split("train")
        indices = _of_digit(labels, self.digit)
        indices = indices[~np.isin(labels[indices], self.leave_out)]
        if len(indices) == 0:
            raise InputError(f"nothing is left to train on: of the digits {self.digit}, {self.leave_out} were left out")
        return indices

    def _atlas(self):
        """The fixed image, (1, 32, 32, 1)."""
        return pad(self.digits.test_images[self.fixed_index : self.fixed_index + 1], IMAGE_SIZE)

    def _check_fixed_index(self):
        index, count = self.fixed_index, len(self.digits.test_images)
        if not 0 <= index < count:
            raise InputError(f"the fixed image {index} does not exist: the test split has images 0 to {count - 1}")
        label = int(self.digits.test_labels[index])
        if self.digit not in ("all", label):
            raise InputError(
                f"test image {index} shows the digit {label}, not {self.digit}: choose another fixed index"
            )


class _DigitSampler(Sampler):
    """Pads the images of a batch when they are drawn: to pad all of MNIST takes a second, and memory."""

    def __init__(self, moving, fixed, rng, augment):
        super().__init__(moving, fixed, rng, functools.partial(_padded, then=augment))


def _padded(moving, fixed, rng, then):
    pair = pad(moving, IMAGE_SIZE), pad(fixed, IMAGE_SIZE)
    return pair if then is None else then(*pair, rng)


class _AtlasSampler(_DigitSampler):
    """Every image goes with the one fixed image."""

    def partner(self, index):
        return 0


class _SameDigitSampler(_DigitSampler):
    """Every image goes with a random one of the same digit."""

    def __init__(self, images, labels, rng, augment):
        self.labels = labels
        self.of_label = {label: np.flatnonzero(labels == label) for label in np.unique(labels)}
        super().__init__(images, images, rng, augment)

    def partner(self, index):
        return self.rng.choice(self.of_label[self.labels[index]])


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

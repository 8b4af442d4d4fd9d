"""What every source of pairs has in common: `Pairs` with what is known about them, and the `Sampler` of training pairs.

A source, whatever `--data` names, has

    name                                what the data set is called
    options                             what it was made with, by the names of the command line's options
    epoch                               how many pairs show every training image once
    fingerprint                         a text that other data would not have: a run is resumed on the same data only
    sampler(rng, augment=None)          a `Sampler` of training pairs
    held_out(count, seed, split)        `Pairs` that training never sees, for split "test" or "validation"; InputError
                                        where there are too few images
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from minireg.errors import InputError

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

    >>> images = np.arange(4.0).reshape(4, 1, 1, 1)
    >>> moving, fixed = Sampler(images, 10 * images, np.random.default_rng(0)).draw(4)
    >>> sorted(moving.ravel().tolist()), bool((fixed == 10 * moving).all())
    ([0.0, 1.0, 2.0, 3.0], True)
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


def fingerprint(*arrays):
    """A text that changes with any element of the arrays: their SHA-256. None stands for an array that is not there.

    >>> fingerprint(np.zeros(3)) == fingerprint(np.zeros(3)), fingerprint(np.zeros(3)) == fingerprint(np.ones(3))
    (True, False)
    """
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()

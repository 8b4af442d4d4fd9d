"""How wrong a classifier is: the loss that it is trained with, and the accuracy that is reported.

A survey of deep learning for registration introduces losses by half the squared distance of the probabilities p from
the truth y, 1/2 sum (y - p)^2, with y = (1, 0, 0) and p = (.6, .3, .1) as its example. That is .13 (it prints .24).
A classifier is better trained with cross-entropy, -ln .6 = .51 here: where p is sure of the wrong class, softmax has no
slope left, and the squared distance learns nothing from its worst mistakes.
"""

import numpy as np

from minireg import backend, ops
from minireg.backend import xp
from minireg.errors import InputError


def cross_entropy(logits, labels):
    """Minus the log probability of the true class, averaged over the batch.

        -(1/N) sum_n ln p[n, y_n],        p = softmax(z) along the classes

    It takes logits z, what the last layer gives, and not probabilities: `ops.log_softmax` is exact where softmax
    underflows to 0 and the logarithm of it would be -inf.

    Parameters
    ----------
    logits : (N, classes)
    labels : integer array (N,), each 0 to classes - 1

    Returns a scalar Tensor in [0, inf); 0 where all of p is on the true class, ln classes where all logits are equal

    Raises InputError for labels of another shape, that are no integers, or beyond the classes.

    Source: Goodfellow, Bengio, Courville, Deep Learning, 2016, section 6.2.2.3; the numbers of
    `torch.nn.functional.cross_entropy`.

    >>> round(cross_entropy(np.log([[0.6, 0.3, 0.1]]), np.array([0])).item(), 4)  # -ln .6
    0.5108
    """
    labels = _checked(logits.shape, labels)
    log_p = ops.log_softmax(logits, axis=-1)
    return -log_p[xp.arange(len(labels)), backend.to_device(labels)].mean()


def accuracy(logits, labels):
    """The share of images whose largest logit (or probability) is that of the true class.

    A metric, not a loss: it has no gradient, and larger is better. It stands here beside what it belongs to.

    Parameters
    ----------
    logits : NumPy array (N, classes), N at least 1; of several equally large ones the first counts
    labels : integer array (N,), each 0 to classes - 1

    Returns a float in [0, 1]

    Raises InputError as `cross_entropy`.

    >>> accuracy(np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([0, 1]))
    0.5
    """
    labels = _checked(logits.shape, labels)
    return float(np.mean(np.argmax(logits, axis=1) == labels))


def _checked(shape, labels):
    """The labels as a NumPy array that fits logits of this shape. A wrong index would wrap around silently."""
    labels = backend.to_host(labels)
    if len(shape) != 2 or shape[0] == 0 or labels.shape != tuple(shape[:1]):
        raise InputError(f"expected logits (N, classes) and labels (N,), got {tuple(shape)} and {labels.shape}")
    if labels.dtype.kind not in "iu":
        raise InputError(f"labels are the integers 0 to {shape[1] - 1}, got an array of {labels.dtype}")
    if labels.min() < 0 or labels.max() >= shape[1]:
        raise InputError(f"labels are 0 to {shape[1] - 1} for {shape[1]} classes, got {labels.min()} to {labels.max()}")
    return labels

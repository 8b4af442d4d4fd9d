"""What all networks share: what they take, and how one registers many pairs with them."""

import numpy
from tqdm import tqdm

from minireg import backend, ops
from minireg.autograd import Tensor, no_grad
from minireg.errors import InputError

WARP_BORDER = "edge"  # what lies beyond an image, in training and afterwards: its outermost pixels, continued


def checked_size(moving, fixed):
    """(H, W) of two batches of images that can be registered to each other."""
    if moving.shape != fixed.shape or moving.ndim != 4 or moving.shape[3] != 1:
        raise InputError(
            f"expected moving and fixed images of one shape (N, H, W, 1), got {moving.shape} and {fixed.shape}"
        )
    return moving.shape[1:3]


def both_ways(network, moving, fixed, looks=None):
    """The displacements that warp moving to fixed, and fixed to moving.

    A network that has a method `both_ways` knows how to do it; any other one is asked twice, in one batch.

    Parameters
    ----------
    network : Module
    moving, fixed : (N, H, W, 1)
    looks : int, optional
        How many looks a network that looks several times shall take; None means all.

    Returns
    -------
    two Tensors (N, H, W, 2), in pixels
    """
    if hasattr(network, "both_ways"):
        return network.both_ways(moving, fixed, looks)
    n = len(moving.data)
    displacement = network(ops.concatenate([moving, fixed], axis=0), ops.concatenate([fixed, moving], axis=0))
    return displacement[:n], displacement[n:]


def register(network, moving, fixed, batch_size=32, progress=False):
    """Register pairs of images with a trained network.

    Parameters
    ----------
    network : Module
        Switched to evaluation while it runs.
    moving, fixed : NumPy arrays (N, H, W, 1), float32
    batch_size : int, how many pairs are computed at a time
    progress : bool, show a progress bar

    Returns
    -------
    warped (N, H, W, 1), displacement (N, H, W, 2) : NumPy arrays, float32

    Raises
    ------
    InputError
        The network takes no images of this size, or its displacements are not finite.
    """
    was_training = network.training
    network.eval()
    warped, displacement = numpy.empty_like(moving), numpy.empty((*moving.shape[:3], 2), moving.dtype)
    starts = range(0, len(moving), batch_size)
    try:
        with no_grad(), numpy.errstate(all="ignore"):  # what is not finite is reported below
            for start in tqdm(starts, "registering", unit="batch", disable=not progress or len(starts) < 2):
                batch = slice(start, start + batch_size)
                images = Tensor(backend.to_device(moving[batch]))
                field = network(images, Tensor(backend.to_device(fixed[batch])))
                displacement[batch] = backend.to_host(field.data)
                warped[batch] = backend.to_host(ops.warp(images, field, border=WARP_BORDER).data)
    finally:
        network.train(was_training)
    if not numpy.isfinite(displacement).all():
        raise InputError("the network predicts displacements that are not finite: train it again with a smaller --lr")
    return warped, displacement

"""What a trained network predicts: one look at the images instead of hundreds of iterations."""

from functools import partial

import numpy as np
from tqdm import tqdm

from minireg import backend
from minireg.autograd import Tensor, no_grad
from minireg.errors import InputError
from minireg.fields import warp_images
from minireg.methods.align import align

LIKE = {"squared_local_ncc": "local_ncc", "ssim": "local_ncc", "nmi": "mi"}


def register(network, moving, fixed, batch_size=32, progress=False):
    """Register pairs of images with a trained network.

    Parameters
    ----------
    network : Module
        Switched to evaluation while it runs.
    moving, fixed : NumPy arrays (N, H, W, 1), float32
    batch_size : int, how many pairs are computed at a time
    progress : bool, show a progress bar

    Returns warped (N, H, W, 1) and displacement (N, H, W, 2), NumPy arrays, float32

    Raises InputError where the network takes no images of this size, or its displacements are not finite.

    >>> from minireg.models import SymmetricUNet
    >>> rng = np.random.default_rng(0)
    >>> moving, fixed = rng.random((2, 1, 32, 32, 1), dtype="float32")
    >>> warped, displacement = register(SymmetricUNet(rng), moving, fixed)
    >>> bool((warped == moving).all())  # an untrained network moves nothing; nor does any one equal images
    True
    """
    was_training = network.training
    network.eval()
    displacement = np.empty((*moving.shape[:3], 2), moving.dtype)
    starts = range(0, len(moving), batch_size)
    try:
        with no_grad(), np.errstate(all="ignore"):  # what is not finite is reported below
            for start in tqdm(starts, "registering", unit="batch", disable=not progress or len(starts) < 2):
                batch = slice(start, start + batch_size)
                images = (Tensor(backend.to_device(array[batch])) for array in (moving, fixed))
                displacement[batch] = backend.to_host(network(*images).data)
    finally:
        network.train(was_training)
    if not np.isfinite(displacement).all():
        raise InputError("the network predicts displacements that are not finite: train it again with a smaller --lr")
    displacement[np.all(moving == fixed, axis=(1, 2, 3))] = 0  # there is nothing to mend, whatever a network says
    return warp_images(moving, displacement), displacement


def predict(moving, fixed, network, stages="deformable", progress=False):
    """The displacement of `register` alone, or with stages "affine,deformable" after the affine map of `align`."""
    if stages == "deformable":
        return register(network, moving, fixed, progress=progress)[1]
    return align(moving, fixed, stages, start=partial(predict, network=network), iterations=0, progress=progress)


def refine(moving, fixed, network, stages="deformable", loss="ncc", moving_mask=None, fixed_mask=None, **options):
    """`align`, with its options, whose deformable stage begins with what the network predicts.

    The loss may be any of `losses.SIMILARITIES`: `align` compares images as the one of its own that is like it.
    """
    start, loss = partial(predict, network=network), LIKE.get(loss, loss)
    masks = {"moving_mask": moving_mask, "fixed_mask": fixed_mask}
    return align(moving, fixed, stages, loss, start=start, **masks, **options)

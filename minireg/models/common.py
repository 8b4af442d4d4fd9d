"""What all networks share: what they take, and how they register both ways."""

from minireg import ops
from minireg.errors import InputError


def checked_size(moving, fixed):
    """(H, W) of two batches of images that can be registered to each other."""
    if moving.shape != fixed.shape or moving.ndim != 4 or moving.shape[3] != 1:
        raise InputError(
            f"expected moving and fixed images of one shape (N, H, W, 1), got {moving.shape} and {fixed.shape}"
        )
    if moving.dtype.kind != "f" or fixed.dtype.kind != "f":
        raise InputError(
            f"expected images of floats in [0, 1], got {moving.dtype} and {fixed.dtype}: convert them, uint8 by / 255"
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

    Returns two Tensors (N, H, W, 2), in pixels.

    >>> from minireg.models import EncoderDecoder
    >>> network = EncoderDecoder(np.random.default_rng(0)).eval()
    >>> moving, fixed = Tensor(np.random.default_rng(1).random((2, 1, 32, 32, 1), "float32"))
    >>> there, back = both_ways(network, moving, fixed)
    >>> np.allclose(back.data, network(fixed, moving).data, atol=1e-5)
    True
    """
    if hasattr(network, "both_ways"):
        return network.both_ways(moving, fixed, looks)
    n = len(moving.data)
    displacement = network(ops.concatenate([moving, fixed], axis=0), ops.concatenate([fixed, moving], axis=0))
    return displacement[:n], displacement[n:]

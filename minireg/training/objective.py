"""What a training step minimises, and its gradient.

    loss = similarity(warped, fixed) + smoothness * diffusion + folding * folding_penalty
         + inverse_consistency * (there and back)

with the weights `smoothness`, `folding` and `inverse_consistency` of the configuration. All terms are means over the
pairs of a batch, so its gradient is the mean of the gradients of its parts: processes that train as one (`group.py`)
compute a part each.
"""

import math

import numpy as np

from minireg import backend, losses, ops, optim
from minireg.autograd import Tensor
from minireg.backend import xp
from minireg.fields import WARP_BORDER
from minireg.models import both_ways
from minireg.training.group import ALONE
from minireg.training.profile import SUM, measured, nvtx_range

GRADIENT_NORM = "gradient_norm"  # among the values that `backpropagate` returns


def objective(network, moving, fixed, configuration, looks=None):
    """The loss of a batch, and its terms without their weights.

    With a weight for inverse consistency both directions are registered, and both count: each pair is two.

    Parameters
    ----------
    network : Module
    moving, fixed : Tensors (N, H, W, 1)
    configuration : Configuration
        Its `loss`, `smoothness`, `folding` and `inverse_consistency` are used.
    looks : int, optional
        How many looks the network takes (`models.both_ways`); of no effect where only one direction is registered.

    Returns
    -------
    loss : scalar Tensor
    terms : dict of str to scalar Tensor, "similarity" and those that have a weight; "smoothness" in any case

    >>> from minireg.models import SymmetricUNet
    >>> from minireg.training import configure
    >>> rng = np.random.default_rng(0)
    >>> image = Tensor(rng.random((1, 32, 32, 1), "float32"))
    >>> loss, terms = objective(SymmetricUNet(rng), image, image, configure({"data": "strokes"}))
    >>> terms["smoothness"].item(), abs(round(loss.item(), 5))  # an image to itself
    (0.0, 0.0)
    """
    terms = {}
    if configuration.inverse_consistency:
        there, back = both_ways(network, moving, fixed, looks)
        terms["inverse_consistency"] = losses.inverse_consistency(there, back)
        displacement = ops.concatenate([there, back], axis=0)
        moving, fixed = (ops.concatenate(pair, axis=0) for pair in ((moving, fixed), (fixed, moving)))
    else:
        displacement = network(moving, fixed)
    terms["smoothness"] = losses.diffusion(displacement)
    if configuration.folding:
        terms["folding"] = losses.folding_penalty(displacement)
    warped = ops.warp(moving, displacement, border=WARP_BORDER)
    similarity = losses.SIMILARITIES[configuration.loss](warped, fixed)
    loss = similarity + sum(getattr(configuration, name) * term for name, term in terms.items())
    return loss, {"similarity": similarity, **terms}


def backpropagate(network, moving, fixed, configuration, looks=None, group=ALONE):
    """Leave the gradient of the objective, shortened as the configuration says, in the parameters of the network.

    moving, fixed are NumPy arrays, the whole batch; group is the `Group` of processes that share it, each of which must
    call this; the rest is as for `objective`. Returns the values of the loss and of its terms, and the norm that the
    gradient had, a dict of floats.

    >>> from minireg.models import SymmetricUNet
    >>> from minireg.training import configure
    >>> rng = np.random.default_rng(0)
    >>> moving, fixed = rng.random((2, 1, 32, 32, 1), "float32")
    >>> list(backpropagate(SymmetricUNet(rng), moving, fixed, configure({"data": "strokes"})))
    ['loss', 'similarity', 'inverse_consistency', 'smoothness', 'folding', 'gradient_norm']
    """
    network.zero_grad()
    part = group.part(len(moving))
    images = (Tensor(backend.to_device(array[part])) for array in (moving, fixed))
    with nvtx_range("forward"):
        loss, terms = objective(network, *images, configuration, looks)
    share = (part.stop - part.start) / len(moving)
    with nvtx_range("backward"):
        (share * loss).backward()
    values = share * xp.stack([term.data for term in (loss, *terms.values())])
    if group.size > 1:
        values = measured(SUM, _summed, group, network.parameters(), values)
    largest = math.inf if configuration.clip is None else configuration.clip
    norm = optim.clip_gradient_norm(network.parameters(), largest)
    values = xp.concatenate([values, norm.astype(values.dtype).reshape(1)])
    # The one place of a step where Python waits for a GPU.
    return dict(zip(("loss", *terms, GRADIENT_NORM), backend.to_host(values).tolist(), strict=True))


def _summed(group, parameters, values):
    """Sum the gradients and the values over all processes, as one array."""
    arrays = [xp.zeros_like(p.data) if p.grad is None else p.grad for p in parameters] + [values]
    flat = group.all_reduce(xp.concatenate([array.reshape(-1) for array in arrays]))
    ends = np.cumsum([array.size for array in arrays]).tolist()
    sums = [flat[end - array.size : end].reshape(array.shape) for array, end in zip(arrays, ends, strict=True)]
    for parameter, gradient in zip(parameters, sums[:-1], strict=True):
        parameter.grad = gradient
    return sums[-1]

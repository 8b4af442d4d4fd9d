"""What a training step minimises, and its gradient, computed here or by several processes at a time.

loss, terms = objective(network, moving, fixed, configuration)

    loss = similarity(warped, fixed) + smoothness * diffusion + folding * folding_penalty
         + inverse_consistency * (there and back)

with the weights `smoothness`, `folding` and `inverse_consistency` of the configuration. All terms are means over the
pairs of a batch, so the gradient of a batch is the mean of the gradients of its parts: `Workers` compute it part by
part.
"""

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import numpy as np

from minireg import backend, losses, ops
from minireg.autograd import Tensor
from minireg.errors import TrainingError
from minireg.models import MODELS, WARP_BORDER, both_ways


def objective(network, moving, fixed, configuration, looks=None):
    """The loss of a batch, and its terms without their weights.

    With a weight for inverse consistency both directions are registered, and both count: each pair is two.

    Parameters
    ----------
    network : Module
    moving, fixed : Tensors (N, H, W, 1)
    configuration : `minireg.configuration.Configuration`
        Its `loss`, `smoothness`, `folding` and `inverse_consistency` are used.
    looks : int, optional
        How many looks the network takes (`models.both_ways`); of no effect where only one direction is registered.

    Returns
    -------
    loss : scalar Tensor
    terms : dict of str to scalar Tensor, "similarity" and those that have a weight; "smoothness" in any case
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


def backpropagate(network, moving, fixed, configuration, looks=None):
    """Leave the gradient of the objective in the parameters of the network.

    moving, fixed are NumPy arrays; the rest is as for `objective`. Returns the values of the loss and of its terms, a
    dict of floats.
    """
    network.zero_grad()
    images = (Tensor(backend.to_device(array)) for array in (moving, fixed))
    loss, terms = objective(network, *images, configuration, looks)
    loss.backward()
    return {"loss": loss.item(), **{name: term.item() for name, term in terms.items()}}


class Workers:
    """Processes that share the pairs of a batch among them. As `backpropagate`, on the CPU only.

    NumPy leaves all but one core idle on arrays as small as these, and threads wait for each other's Python. The
    result depends on the number of workers in its last digits, because sums are formed in another order; for one number
    of workers it repeats bit for bit. Not for networks with state beside their parameters (batch norm). A script that
    uses workers needs `if __name__ == "__main__":` around what it does, because every worker imports it.

    Parameters
    ----------
    count : int
    model : str, a name in `models.MODELS`
    """

    def __init__(self, count, model):
        self.count, self.model = count, model
        # One core each; BLAS reads these variables when a process starts.
        os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")})
        self.pool = ProcessPoolExecutor(count, get_context("spawn"), initializer=_begin)

    def backpropagate(self, network, moving, fixed, configuration, looks=None):
        """As the function `backpropagate`."""
        parameters = network.parameters()
        weights = [parameter.data for parameter in parameters]
        parts = [part for part in np.array_split(np.arange(len(moving)), self.count) if len(part)]
        running = [
            self.pool.submit(_part, self.model, weights, moving[part], fixed[part], configuration, looks)
            for part in parts
        ]
        shares = [len(part) / len(moving) for part in parts]
        try:
            results = [future.result() for future in running]
        except BrokenProcessPool:
            raise TrainingError(
                "a worker process ended: killed, perhaps for want of memory, or started by a script without "
                'if __name__ == "__main__": around it. Try --workers 1, or a smaller --batch-size'
            ) from None
        for index, parameter in enumerate(parameters):
            parameter.grad = sum(
                share * gradients[index] for share, (_, gradients) in zip(shares, results, strict=True)
            )
        names = results[0][0]
        return {name: sum(s * values[name] for s, (values, _) in zip(shares, results, strict=True)) for name in names}

    def close(self):
        """End the processes."""
        self.pool.shutdown(cancel_futures=True)


def _begin():
    """In a worker, before anything else.

    Ctrl-C reaches every process of a terminal; the one that trains still finishes its step, with these. And whatever
    MINIREG_BACKEND says, workers are for NumPy.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    backend.use("numpy")


_networks = {}  # in a worker: the network, so that it is made once


def _part(model, weights, moving, fixed, configuration, looks):
    """In a worker: the values and the gradients of a part of a batch."""
    if model not in _networks:
        _networks[model] = MODELS[model](np.random.default_rng(0)).train()
    network = _networks[model]
    for parameter, array in zip(network.parameters(), weights, strict=True):
        parameter.data = array
    with np.errstate(all="ignore"):  # the trainer checks what is finite
        values = backpropagate(network, moving, fixed, configuration, looks)
    return values, [parameter.grad for parameter in network.parameters()]

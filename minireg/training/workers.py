"""The gradient of a batch, computed by several processes that share its pairs among them."""

import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process

import numpy as np

from minireg import backend
from minireg.command import ONE_THREAD, keep_freed_memory
from minireg.errors import TrainingError
from minireg.models import MODELS
from minireg.training.objective import backpropagate


@contextmanager
def gradient_of_batch(configuration):
    """Within the block, the function that leaves the gradient of a batch in the parameters of the network.

    `objective.backpropagate` itself; or that of as many `Workers` as the configuration names, but not on a GPU.
    """
    if configuration.workers == 1 or backend.active().name != "numpy":
        yield backpropagate
        return
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)  # for the workers: a core each. They inherit it when they start.
    workers = Workers(configuration.workers, configuration.model)
    try:
        yield workers.backpropagate
    finally:
        workers.close()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


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
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    keep_freed_memory()
    backend.use("numpy")


def _end_with_the_parent():
    """However the process that trains ends, kill -9 included: its end of a pipe is closed, and this worker ends too."""
    connection.wait([parent_process().sentinel])
    os._exit(1)


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

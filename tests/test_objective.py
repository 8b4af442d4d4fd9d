"""The objective is what its formula says; workers compute the gradient that one process computes."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from gradients import host, tensor
from short_runs import small_digits

from minireg import backend, losses, ops
from minireg.data import DigitPairs
from minireg.errors import InputError, TrainingError
from minireg.models import SymmetricUNet, both_ways
from minireg.training import Trainer, Workers, backpropagate, objective
from minireg.training.configuration import RECIPES, Configuration


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    network = SymmetricUNet(rng)
    last = network.unet.output.weight  # zero at first, and with it the gradients of all layers before
    last.data = backend.to_device(rng.normal(0, 0.02, last.shape).astype(np.float32))
    return network


def pairs(count=3, size=16):
    return np.random.default_rng(1).random((2, count, size, size, 1), dtype=np.float32)


def configuration(**changes):
    return SimpleNamespace(**RECIPES["default"] | changes)


def test_both_directions_and_all_terms_count_with_their_weights(network):
    moving, fixed = (tensor(images, False) for images in pairs())
    loss, terms = objective(network, moving, fixed, configuration(smoothness=0.3, folding=2.0, inverse_consistency=0.7))
    there, back = both_ways(network, moving, fixed)
    expected = {
        "similarity": sum(
            losses.ncc_loss(ops.warp(image, u, border="edge"), other).item() / 2
            for image, u, other in ((moving, there, fixed), (fixed, back, moving))
        ),
        "smoothness": (losses.diffusion(there).item() + losses.diffusion(back).item()) / 2,
        "folding": (losses.folding_penalty(there).item() + losses.folding_penalty(back).item()) / 2,
        "inverse_consistency": losses.inverse_consistency(there, back).item(),
    }
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(expected, rel=1e-4)
    weights = {"similarity": 1, "smoothness": 0.3, "folding": 2, "inverse_consistency": 0.7}
    assert loss.item() == pytest.approx(sum(weights[name] * value for name, value in expected.items()), rel=1e-4)


def test_without_inverse_consistency_only_the_one_direction_counts(network):
    moving, fixed = (tensor(images, False) for images in pairs())
    _, terms = objective(network, moving, fixed, configuration(inverse_consistency=0.0, folding=0.0))
    warped = ops.warp(moving, network(moving, fixed), border="edge")
    assert terms.keys() == {"similarity", "smoothness"}
    assert terms["similarity"].item() == pytest.approx(losses.ncc_loss(warped, fixed).item(), rel=1e-5)


def gradients(network):
    return [host(parameter.grad).copy() for parameter in network.parameters()]


def test_early_looks_are_the_first_ones(network):
    network.looks = (4, 2)
    moving, fixed = pairs()
    one = backpropagate(network, moving, fixed, configuration(), looks=1)
    network.looks = (4,)
    assert one == backpropagate(network, moving, fixed, configuration())


@pytest.mark.parametrize("count", [1, 3])  # fewer pairs than workers, and shares of different sizes
def test_workers_leave_the_gradient_that_one_process_leaves_and_repeat_it_bit_for_bit(network, count):
    if backend.active().name != "numpy":
        pytest.skip("workers compute on the CPU")
    moving, fixed = pairs(count)
    values = backpropagate(network, moving, fixed, configuration())
    expected = gradients(network)
    workers = Workers(2, "symmetric")
    try:
        network.zero_grad()
        shared = workers.backpropagate(network, moving, fixed, configuration())
        found = gradients(network)
        again = workers.backpropagate(network, moving, fixed, configuration())
    finally:
        workers.close()
    assert shared == pytest.approx(values, rel=1e-4)
    assert again == shared
    for here, there, repeated in zip(expected, found, gradients(network), strict=True):
        assert there.dtype == np.float32
        np.testing.assert_allclose(there, here, atol=1e-4 * np.abs(here).max())
        np.testing.assert_array_equal(there, repeated)


def test_a_killed_worker_is_one_clear_error(network):
    if backend.active().name != "numpy":
        pytest.skip("workers compute on the CPU")
    workers = Workers(1, "symmetric")
    try:
        workers.backpropagate(network, *pairs(1), configuration())
        for process in workers.pool._processes.values():
            os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(TrainingError, match="a worker process ended: killed"):
            workers.backpropagate(network, *pairs(1), configuration())
    finally:
        workers.close()


def test_several_workers_refuse_a_network_with_batch_norm(tmp_path):
    fields = dict.fromkeys(Configuration.__dataclass_fields__) | RECIPES["mnist2020"]
    fields |= {"recipe": "mnist2020", "data": "strokes", "digit": 5, "pairing": "random", "seed": 0, "steps": 1}
    with pytest.raises(InputError, match="workers cannot share"):
        Trainer(Configuration(**fields | {"workers": 2, "augment": False}), DigitPairs(small_digits(), 5), tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_workers_end_when_the_process_that_trains_is_killed(tmp_path):
    code = (
        "import os, signal, sys; from minireg.training import Workers\n"
        "if __name__ == '__main__':\n"
        "    workers = Workers(2, 'symmetric')\n"
        "    print(*[workers.pool.submit(os.getpid).result() for _ in range(8)], flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "orphans.py").write_text(code)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "orphans.py"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE)
    assert done.returncode == -signal.SIGKILL
    pids = {int(pid) for pid in done.stdout.split()}
    assert pids
    deadline = time.monotonic() + 30  # five seconds on a machine that has nothing else to do
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(is_running(pid) for pid in pids)


def is_running(pid):
    """Whether there is a process of this number that is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = f"/proc/{pid}/stat"
    return not (os.path.exists(status) and open(status).read().rpartition(")")[2].split()[0] == "Z")

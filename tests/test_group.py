"""Processes that train as one: sums in one order, the gradient of the whole batch, and an end for all when one ends."""

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest
from gradients import host
from short_runs import TINY, complaint, contents, start_training, train_in_process

from minireg import backend, train
from minireg.errors import TrainingError
from minireg.models import MODELS
from minireg.training import backpropagate, group
from minireg.training.configuration import configure

pytest_plugins = ["digits_fixture"]
posix = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


@pytest.fixture
def cpu():
    """Skips on any other backend."""
    if backend.active().name != "numpy":
        pytest.skip("processes that are started compute on the CPU")


def shared_memory(size):
    """The groups of `size` processes, here for as many threads."""
    memory = bytearray((size + 1) * group.SLOT)
    peers = [[] for _ in range(size)]
    for rank in range(size):
        for other in range(rank):
            for end, owner in zip(Pipe(), (rank, other), strict=True):
                peers[owner].append(end)
    return [group.SharedMemoryGroup(rank, size, peers[rank], memory) for rank in range(size)]


class Communicator:
    """What `MpiGroup` needs of mpi4py's, between threads."""

    def __init__(self, rank, arrays, barrier):
        self.rank, self.size, self.arrays, self.barrier = rank, len(arrays), arrays, barrier

    def _handed_out(self, array):
        self.arrays[self.rank] = array.copy()
        self.barrier.wait()
        found = list(self.arrays)
        self.barrier.wait()
        return found

    def Alltoall(self, send, receive):
        receive[:] = [array[self.rank] for array in self._handed_out(send)]

    def Allgather(self, send, receive):
        receive[:] = self._handed_out(send)


def mpi(size):
    arrays, barrier = [None] * size, threading.Barrier(size)
    return [group.MpiGroup(Communicator(rank, arrays, barrier)) for rank in range(size)]


def in_threads(function, groups):
    """What `function(group, rank)` returns for each of the groups, all at once."""
    with ThreadPoolExecutor(len(groups)) as pool:
        return list(pool.map(function, groups, range(len(groups)), timeout=60))


@pytest.mark.parametrize("groups", [shared_memory, mpi])
@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("shape, dtype", [((5, 7), "float32"), ((1,), "float64"), ((0, 3), "float32"), ((), "float32")])
def test_the_sum_is_that_of_all_arrays_from_the_first_to_the_last(monkeypatch, groups, size, shape, dtype):
    monkeypatch.setattr(group, "SLOT", 64)  # 35 numbers are three blocks, the last of which is shorter
    # Of all sizes, so that another order gives other bits.
    arrays = [10.0 ** np.random.default_rng(rank).uniform(-4, 4, shape) for rank in range(size)]
    arrays = [np.asarray(array, dtype) for array in arrays]
    expected = arrays[0].copy()
    for array in arrays[1:]:
        expected = expected + array

    def both(members, rank):
        given = backend.to_device(arrays[rank].copy())
        first, second = members.all_reduce(given), members.all_reduce(2 * given)
        np.testing.assert_array_equal(host(given), arrays[rank])  # nothing is written over
        return host(first), host(second)

    for first, second in in_threads(both, groups(size)):
        assert first.dtype == dtype and first.shape == shape
        np.testing.assert_array_equal(first, expected)
        np.testing.assert_array_equal(second, 2 * expected)


@pytest.mark.parametrize("count, size", [(16, 3), (4, 4), (7, 2)])
def test_every_pair_is_one_processes_and_the_parts_are_nearly_equal(count, size):
    parts = [range(count)[members.part(count)] for members in shared_memory(size)]
    assert [pair for part in parts for pair in part] == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_processes_agree_where_they_have_the_same_text():
    assert in_threads(lambda members, rank: members.agrees("seed 0"), shared_memory(3)) == [True] * 3
    assert in_threads(lambda members, rank: members.agrees(f"seed {rank}"), shared_memory(3)) == [False] * 3


def network(model):
    rng = np.random.default_rng(0)
    network = MODELS[model](rng).train()
    for parameter in network.parameters():  # the last layer begins at zero, and with it the gradients of all before
        parameter.data += backend.to_device(0.02 * rng.standard_normal(parameter.shape, dtype=np.float32))
    return network


@pytest.mark.parametrize("model, count", [("symmetric", 3), ("encoder-decoder", 5)])  # shares of different sizes
def test_the_parts_leave_the_gradient_of_the_whole_batch(model, count):
    # The encoder-decoder has batch norm, whose means are over all pairs: those of the other processes too.
    configuration = configure({"data": "strokes", "model": model})
    moving, fixed = np.random.default_rng(1).random((2, count, 32, 32, 1), dtype=np.float32)

    def gradients(members, rank):
        of_this_process = network(model)
        of_this_process.share_batches(members.all_reduce if members.size > 1 else None)
        values = backpropagate(of_this_process, moving, fixed, configuration, group=members)
        buffers = [array.copy() for _, array in of_this_process.named_buffers()]
        return values, [host(array) for array in (*(p.grad for p in of_this_process.parameters()), *buffers)]

    expected_values, expected = gradients(group.ALONE, 0)
    (values, found), (_, other) = in_threads(gradients, shared_memory(2))
    assert values == pytest.approx(expected_values, rel=1e-4)
    scale = max(np.abs(array).max() for array in expected)
    for whole, here, there in zip(expected, found, other, strict=True):
        assert here.dtype == np.float32
        np.testing.assert_array_equal(here, there)
        np.testing.assert_allclose(here, whole, rtol=1e-3, atol=1e-4 * max(np.abs(whole).max(), 1e-3 * scale))


# Processes that are started

TWO = [*TINY[:-1], "2"]


def ends(members):
    """In a process that was started: be killed."""
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """Kills the process that it is sent to, while that reads what follows."""

    def __reduce__(self):
        return ends, (None,)


def waits(members, path):
    """In a process that was started: say which one it is, and compute for ever."""
    path.write_text(str(os.getpid()))
    while True:
        time.sleep(0.1)


@posix
@pytest.mark.usefixtures("cpu")
def test_where_a_process_is_killed_the_others_end_with_one_sentence():
    sentence = "one of the 3 processes that trained together has ended: killed"
    with pytest.raises(TrainingError, match=sentence), group.started(3, ends) as members:
        members.all_reduce(np.ones(3))


@posix
@pytest.mark.usefixtures("cpu")
def test_a_process_that_is_killed_before_it_has_read_what_it_was_sent_is_not_waited_for():
    more_than_a_pipe_holds = np.zeros(2**20)
    with (
        pytest.raises(TrainingError, match="one of the 2 processes that trained together has ended: killed"),
        group.started(2, ends, Deadly(), more_than_a_pipe_holds) as members,
    ):
        members.all_reduce(np.ones(3))


@posix
@pytest.mark.usefixtures("cpu")
def test_a_process_ends_when_the_one_that_started_it_is_killed(tmp_path):
    code = (
        "import os, pathlib, signal, sys, time\n"
        "from minireg.training import group\n"
        "from test_group import waits\n"
        "if __name__ == '__main__':\n"
        "    path = pathlib.Path('pid')\n"
        "    with group.started(2, waits, path):\n"
        "        while not (path.exists() and path.read_text()): time.sleep(0.05)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (tmp_path / "orphans.py").write_text(code)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "orphans.py"], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
    assert done.returncode == -signal.SIGKILL
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 30  # five seconds on a machine that has nothing else to do
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(pid)


def is_running(pid):
    """Whether there is a process of this number that is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = f"/proc/{pid}/stat"
    return not (os.path.exists(status) and open(status).read().rpartition(")")[2].split()[0] == "Z")


@posix
@pytest.mark.usefixtures("cpu")
def test_a_run_of_two_processes_that_is_killed_and_resumed_ends_with_the_bytes_of_one_never_stopped(tmp_path):
    assert train_in_process([*TWO, "--out", tmp_path / "whole"]) == 0
    killed = start_training([*TWO, "--out", tmp_path / "run"], fatal=9)  # in the checkpoint of step 2
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert train_in_process(["--resume", tmp_path / "run"]) == 0
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


@pytest.mark.usefixtures("cpu")
def test_a_run_goes_on_with_another_number_of_processes_and_says_what_that_means(tmp_path, few_digits, capsys):
    assert train.main([*TINY, "--out", str(tmp_path)]) == 0
    assert train.main(["--resume", str(tmp_path), "--workers", "2"]) == 0
    assert "began with 1 processes and goes on with 2: its numbers will differ" in capsys.readouterr().err


# Processes that mpiexec starts


def test_processes_that_mpiexec_has_started_need_mpi4py(monkeypatch, capsys):
    monkeypatch.setenv(group.SIZES[0], "4")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    sentence = complaint(capsys, train.main, *TINY)
    assert "mpiexec started 4 processes, and mpi4py" in sentence and "install the extra mpi" in sentence


def mpiexec(size, *arguments, hosts=None, **options):
    pytest.importorskip("mpi4py")
    program = shutil.which("mpiexec", path=os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]))
    assert program, "mpi4py is installed, and mpiexec, which the extra mpi installs, is not there"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [program, "-n", str(size), sys.executable, "-m", "minireg.train", *map(str, arguments)]
    if hosts:
        environment |= hosts.only_tcp
        command = [*hosts.in_the_first, program, *hosts.options, *command[1:]]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


OF_ANY_TWO = ["--data", "strokes", "--steps", "4", "--batch-size", "5", "--digit", "all", "--pairing", "random"]


@functools.cache
def by_shared_memory():
    with tempfile.TemporaryDirectory() as folder:
        assert train.main([*OF_ANY_TWO, "--workers", "2", "--out", folder]) == 0
        return contents(Path(folder))


@pytest.mark.usefixtures("cpu")
def test_mpi_and_shared_memory_leave_the_same_bits(tmp_path):
    by_mpi = mpiexec(2, *OF_ANY_TWO, "--out", tmp_path)
    output, _ = by_mpi.communicate()
    assert by_mpi.returncode == 0, output
    assert output.count(b"Pictures, metrics and the checkpoint are in") == 1
    assert contents(tmp_path) == by_shared_memory()


class TwoHosts:
    """Two network namespaces of Linux, each with nothing but its end of a wire: what two machines are to MPI.

    folder : where the script is written by which mpiexec reaches the second, as it would by ssh
    """

    def __init__(self, folder):
        subnet = f"10.{os.getpid() // 250 % 250}.{os.getpid() % 250}"
        self.names = [f"{subnet}.{number}" for number in (1, 2)]  # their addresses
        ssh = folder / "ssh"
        ssh.write_text('#!/bin/sh\nhost=$2; shift 2  # after the option -x\nexec ip netns exec "$host" sh -c "$*"\n')
        ssh.chmod(0o755)
        self.options = ["-launcher", "ssh", "-launcher-exec", str(ssh), "-iface", "wire1", "-ppn", "1"]
        self.options += ["-hosts", ",".join(self.names)]
        self.only_tcp = {"UCX_TLS": "tcp,self", "FI_PROVIDER": "tcp"}  # else MPI finds the memory that they share
        self.in_the_first = ["ip", "netns", "exec", self.names[0]]

    def __enter__(self):
        first, second = self.names
        try:
            for name in self.names:
                ip("netns", "add", name)
            ip("link", "add", "wire1", "netns", first, "type", "veth", "peer", "name", "wire2", "netns", second)
            for name, end in zip(self.names, ("wire1", "wire2"), strict=True):
                ip("-n", name, "address", "add", f"{name}/24", "dev", end)
                for device in ("lo", end):
                    ip("-n", name, "link", "set", device, "up")
        except (OSError, subprocess.CalledProcessError) as error:
            self.__exit__()
            pytest.skip(f"network namespaces need root and iproute2: {error}")
        deadline = time.monotonic() + 30
        while any(self.wire(end)["operstate"] != "UP" for end in (0, 1)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        for name in self.names:
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                ip("netns", "delete", name)

    def wire(self, end):
        """What is known about the wire at this one of its ends."""
        (wire,) = json.loads(ip("-n", self.names[end], "-json", "-statistics", "link", "show", f"wire{end + 1}"))
        return wire


def ip(*arguments):
    return subprocess.run(["ip", *arguments], check=True, capture_output=True).stdout


@pytest.mark.usefixtures("cpu")
def test_over_the_network_of_two_hosts_mpi_leaves_the_same_bits(tmp_path):
    with TwoHosts(tmp_path) as hosts:
        by_mpi = mpiexec(2, *OF_ANY_TWO, "--out", tmp_path / "run", hosts=hosts)
        output, _ = by_mpi.communicate()
        assert by_mpi.returncode == 0, output
        gradients = sum(parameter.data.nbytes for parameter in network("symmetric").parameters())
        assert hosts.wire(0)["stats64"]["tx"]["bytes"] > 4 * gradients  # one sum a step
    assert contents(tmp_path / "run") == by_shared_memory()


@posix
@pytest.mark.usefixtures("cpu")
@pytest.mark.parametrize("victim", ["mpiexec", "a process"])
def test_all_that_mpiexec_has_started_end_when_one_of_them_does(tmp_path, victim):
    run = mpiexec(2, "--data", "strokes", "--steps", "9999", "--batch-size", "2", "--out", tmp_path, cwd=tmp_path)
    started = ["pgrep", "-f", f"minireg.train .*{tmp_path}"]
    deadline = time.monotonic() + 60
    while not (tmp_path / "checkpoint.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    pids = {int(pid) for pid in subprocess.run(started, stdout=subprocess.PIPE).stdout.split()} - {run.pid}
    assert len(pids) >= 2
    os.kill(run.pid if victim == "mpiexec" else min(pids), signal.SIGKILL)
    deadline = time.monotonic() + 30
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(is_running, pids))
    run.communicate()

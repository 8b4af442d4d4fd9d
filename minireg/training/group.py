"""Processes that train as one: each takes its share of every batch, and one sum over all makes them agree.

All run the same program from the same seed, so they draw the same batches; each computes the gradient of its part,
`all_reduce` adds the parts, and everyone takes the same step. What they say to each other goes through shared memory
on one machine (`started`, which `--workers N` uses), or through MPI on one or many (`started_by_mpiexec`). Both add in
the order of the ranks, and leave the same bits.
"""

import atexit
import contextlib
import itertools
import os
import signal
import threading
import time
import zlib
from multiprocessing import connection, get_context, parent_process

import numpy as np

from minireg import backend
from minireg.command import ONE_THREAD, keep_freed_memory
from minireg.errors import InputError, MiniregError, TrainingError

SLOT = 2**22  # bytes of shared memory for each process
# How many processes mpiexec has started: MPICH and Intel MPI, Open MPI, MVAPICH.
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
FAILED = 2  # exit code


class Group:
    """The processes that train as one: here a single one, and what those of several share.

    Attributes
    ----------
    size : int, how many there are
    rank : int, which one this is, from 0. The first one writes the files, shows the bar and validates.

    >>> Group().part(16), Group().all_reduce(np.ones(3)).tolist()
    (slice(0, 16, None), [1.0, 1.0, 1.0])
    """

    rank, size = 0, 1

    @property
    def first(self):
        return self.rank == 0

    def part(self, count):
        """The slice of `count` pairs that this process computes: of parts that differ in length by one at most."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def all_reduce(self, array):
        """The sum of the arrays of all processes, the same in all: an array like the given one.

        All must call it, with arrays of one shape and dtype. They are added in the order of the ranks: every process
        adds up its share of the elements, and then all hand out their sums, so each sends and receives twice the array
        however many there are. Raises TrainingError where another process has ended.

        Source: Thakur, Rabenseifner, Gropp, Optimization of collective communication operations in MPICH,
        International Journal of High Performance Computing Applications 19, 2005, section 4.5 (reduce-scatter and
        allgather).
        """
        if self.size == 1:
            return array
        flat = np.ascontiguousarray(backend.to_host(array)).reshape(-1)
        most = SLOT // flat.itemsize
        total = np.empty_like(flat)
        for start in range(0, len(flat), most):
            total[start : start + most] = self._sum(flat[start : start + most])
        return backend.to_device(total.reshape(array.shape))

    def agrees(self, text):
        """Whether all processes have the same text."""
        number = np.array([zlib.crc32(text.encode())], dtype=np.float64)
        return bool(self.all_reduce(number)[0] == self.size * number[0])


ALONE = Group()


def _in_order(parts):
    """The sum of some arrays, from the first to the last."""
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total


class SharedMemoryGroup(Group):
    """Processes of one machine; each has a slot of shared memory, and one more is for the sums.

    Parameters
    ----------
    rank, size : int
    peers : list of Connections, one to each other process
        A byte to everyone says "I am here". Where a process has ended, however it did, there is nothing to read.
    memory : buffer of (size + 1) SLOT bytes
    """

    def __init__(self, rank, size, peers, memory):
        self.rank, self.size, self.peers = rank, size, peers
        self.memory = np.frombuffer(memory, np.uint8).reshape(size + 1, SLOT)

    def _sum(self, block):
        *slots, sums = self.memory.view(block.dtype)[:, : len(block)]
        own = self.part(len(block))
        slots[self.rank][:] = block
        self._meet()
        sums[own] = _in_order([slot[own] for slot in slots])
        self._meet()
        return sums  # until the next array

    def _meet(self):
        """Go on when all processes are here."""
        with _while_all_live(self.size):
            for peer in self.peers:
                peer.send_bytes(b".")
            for peer in self.peers:
                peer.recv_bytes()


@contextlib.contextmanager
def _while_all_live(size):
    """Raise TrainingError where something is said to a process, or expected from it, that has ended."""
    try:
        yield
    except (EOFError, OSError):
        raise TrainingError(
            f"one of the {size} processes that trained together has ended: killed, perhaps for want of memory, or "
            'started by a script without if __name__ == "__main__": around it. Try --workers 1, or a smaller '
            "--batch-size; --resume goes on from the last checkpoint"
        ) from None


@contextlib.contextmanager
def started(size, follow, *arguments):
    """Within the block, the Group of this process and size - 1 more, which run `follow(group, *arguments)` meanwhile.

    NumPy leaves all but one core idle on small arrays, and threads wait for each other's Python: hence processes. They
    import the script that starts them, which therefore needs `if __name__ == "__main__":` around what it does. At the
    end of the block they are waited for; where it raises they are ended.

    follow : function at the top of a module; arguments : what pickle can send
    """
    if size == 1:
        yield ALONE
        return
    context = get_context("spawn")
    memory = context.RawArray("b", (size + 1) * SLOT)
    peers = [[] for _ in range(size)]
    for rank in range(size):
        for other in range(rank):
            for end, owner in zip(context.Pipe(), (rank, other), strict=True):
                peers[owner].append(end)
    processes = [
        context.Process(target=_begin, args=(rank, size, peers[rank], memory, follow), daemon=True)
        for rank in range(1, size)
    ]
    with _environment(ONE_THREAD):  # a core each. They inherit it when they start.
        for process in processes:
            process.start()
    for end in itertools.chain(*peers[1:]):
        end.close()  # this process's copies; else nobody would notice that the owner has ended
    try:
        # Not with `args`: to a process that is killed before it has read those, `start` goes on writing for ever.
        with _while_all_live(size):
            for peer in peers[0]:
                peer.send(arguments)
        yield SharedMemoryGroup(0, size, peers[0], memory)
        for process in processes:
            process.join()
    finally:
        for end in peers[0]:
            end.close()
        for process in processes:
            process.kill()
            process.join()


@contextlib.contextmanager
def _environment(variables):
    """Within the block these environment variables are set."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin(rank, size, peers, memory, follow):
    """In a process that was started, before anything else.

    Ctrl-C reaches every process of a terminal; the first one decides what it means. And whatever MINIREG_BACKEND says,
    these are for NumPy.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    keep_freed_memory()
    backend.use("numpy")
    with contextlib.suppress(MiniregError, KeyboardInterrupt, MemoryError):  # the first process says what it is
        with _while_all_live(size):
            arguments = peers[0].recv()
        follow(SharedMemoryGroup(rank, size, peers, memory), *arguments)


def _end_with_the_parent():
    """However the process that started this one ends, kill -9 included, this one ends too."""
    connection.wait([parent_process().sentinel])
    os._exit(1)


class MpiGroup(Group):
    """Processes that mpiexec has started, on one machine or many.

    communicator : mpi4py.MPI.Comm
    """

    def __init__(self, communicator):
        self.communicator, self.rank, self.size = communicator, communicator.rank, communicator.size

    def _sum(self, block):
        parts = np.zeros((self.size, -(-len(block) // self.size)), block.dtype)
        parts.reshape(-1)[: len(block)] = block
        received = np.empty_like(parts)
        self.communicator.Alltoall(parts, received)
        self.communicator.Allgather(_in_order(received), parts)
        return parts.reshape(-1)[: len(block)]


@contextlib.contextmanager
def started_by_mpiexec():
    """Within the block, the Group of all processes that `mpiexec -n N` has started; ALONE where it has started none.

    Only the first one prints. Where one of them fails all are ended, since the others would wait for it.
    Raises InputError where mpi4py is not installed.
    """
    size = next((int(os.environ[name]) for name in SIZES if name in os.environ), 1)
    if size == 1:
        yield ALONE
        return
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise InputError(
            f"mpiexec started {size} processes, and mpi4py, by which they train as one, cannot be used ({error}): "
            "install the extra mpi, or leave mpiexec out"
        ) from None
    group = MpiGroup(MPI.COMM_WORLD)
    with contextlib.ExitStack() as stack:
        if not group.first:
            stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
        try:
            yield group
        except Exception:
            if not group.first:
                time.sleep(1)  # where all fail alike, the first one says so and ends the others
            atexit.register(_abort, MPI)  # once the error has been printed
            raise


def _abort(MPI):
    time.sleep(0.5)  # for mpiexec to pass on what was printed
    MPI.COMM_WORLD.Abort(FAILED)

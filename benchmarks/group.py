"""Training steps in a second by one, two and four processes that train as one, over shared memory and over MPI.

    python -m pip install ".[mpi]" && python benchmarks/group.py

Prints, for each number of processes and each way, the median over the rounds of the time of a step of the default
recipe and of one sum of all its gradients, measured by the first process. Where there are fewer cores than processes
they take turns, so more of them cost time. Without mpi4py only shared memory is measured.
"""

# ruff: noqa: E402
from minireg.command import prepare_process

prepare_process()  # as the command lines do, before NumPy is loaded

import argparse
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np

from minireg.data import DigitPairs, load_strokes
from minireg.training import Trainer, configure
from minireg.training.group import started, started_by_mpiexec

STEPS, SUMS = 10, 20


def made():
    """A Trainer in the second half of a run, where all looks are taken."""
    source = DigitPairs(load_strokes(train_per_digit=20, test_per_digit=3), "all", "random")
    configuration = configure({"data": "strokes", "digit": "all", "pairing": "random", "steps": 1}).completed(source)
    return Trainer(configuration, source, None)


def work(group, trainer, rounds):
    """What every process does. Returns the medians, in ms, of a step and of a sum of all gradients."""
    gradients = np.ones(sum(p.size for p in trainer.network.parameters()), np.float32)
    trainer.train_step(group)
    steps, sums = [], []
    for _ in range(rounds):
        for times, count, run in (
            (steps, STEPS, lambda: trainer.train_step(group)),
            (sums, SUMS, lambda: group.all_reduce(gradients)),
        ):
            group.all_reduce(np.zeros(1))  # they begin together
            start = time.perf_counter()
            for _ in range(count):
                run()
            times.append((time.perf_counter() - start) / count * 1000)
    return statistics.median(steps), statistics.median(sums)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4], metavar="N")
    args = parser.parse_args()
    with started_by_mpiexec() as group:
        if group.size > 1:
            print(*work(group, made(), args.rounds))
            return
    print(f"{os.cpu_count()} cores, {args.rounds} rounds of {STEPS} steps of 16 pairs\n")
    print(f"{'processes':<12}{'through':<16}{'ms a step':>10}{'speed-up':>10}{'ms a sum':>10}")
    alone = None
    for count in args.processes:
        trainer = made()
        with started(count, work, trainer, args.rounds) as group:
            step, total = work(group, trainer, args.rounds)
        alone = alone or step
        print(f"{count:<12}{'shared memory':<16}{step:10.1f}{alone / step:10.2f}{total:10.2f}", flush=True)
        if count > 1 and importlib.util.find_spec("mpi4py"):
            mpiexec = shutil.which(
                "mpiexec", path=os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
            )
            command = [mpiexec, "-n", str(count), sys.executable, __file__, "--rounds", str(args.rounds)]
            step, total = map(float, subprocess.check_output(command, text=True).split())
            print(f"{count:<12}{'MPI':<16}{step:10.1f}{alone / step:10.2f}{total:10.2f}", flush=True)


if __name__ == "__main__":
    main()

"""What the tests of the upper floors share: small data, short runs, runs that are killed, how a mistake is reported."""

import functools
import multiprocessing
import os
import signal
import sys

from minireg import files, train, viz
from minireg.data import sources
from minireg.data.strokes import load_strokes
from minireg.training import trainer

# A run of a few seconds that registers well enough to be told from one that learns nothing.
SHORT = ["--data", "strokes", "--steps", "40", "--batch-size", "8", "--workers", "1"]
# One that only goes through the motions.
TINY = ["--data", "strokes", "--steps", "5", "--batch-size", "2", "--workers", "1"]
# The files of a finished run.
PICTURES = {"loss.png", "registration.png", "fields.png", "registration.gif"}
RUN_FILES = {"checkpoint.npz", "history.csv", "configuration.json", "metrics.json", *PICTURES}


@functools.cache
def small_digits(test_per_digit=20):
    """Forty training images of each digit."""
    return load_strokes(train_per_digit=40, test_per_digit=test_per_digit)


def fewest_digits():
    """The same with two held-out pairs for each digit, because a report takes longer than a step."""
    return small_digits(test_per_digit=3)


short_animation = functools.partial(viz.animation, frames=2)  # for the same reason


def contents(folder):
    """The bytes of every file in a folder, hidden ones too, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def complaint(capsys, main, *arguments):
    """The one sentence on stderr with which a command line refuses; asserts that it is one, and the exit code."""
    capsys.readouterr()
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as left:  # argparse
        code = left.code
    *before, sentence = capsys.readouterr().err.rstrip("\n").split("\n")
    assert code == 2
    assert ": error: " in sentence
    # Before it only how the command is used, and progress bars.
    assert all(line.startswith(("usage: ", " ")) or "\r" in line or not line for line in before)
    return sentence


# Runs in processes of their own that are killed


def _train_and_die(arguments, fatal):
    """In the process: train, and be killed at the file operation of number `fatal`, with a file half-written."""
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    sources.load_strokes = fewest_digits
    viz.animation = short_animation
    trainer.STEPS_BETWEEN_CHECKPOINTS = 2
    operations = 0

    def deadly(operation):
        def perform(*args):
            nonlocal operations
            operations += 1
            if operations == fatal:
                if operation is fsync:
                    os.truncate(args[0], os.fstat(args[0]).st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)
            return operation(*args)

        return perform

    fsync = os.fsync
    files.os.fsync, files.os.replace = deadly(os.fsync), deadly(os.replace)
    sys.exit(train.main(arguments))


def start_training(arguments, fatal=None):
    """Start `minireg.train` with small data in a process of its own. Returns the process."""
    # Forked from a server that has imported everything, because importing takes longer than such a run.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["minireg.train", "matplotlib.figure"])
    process = context.Process(target=_train_and_die, args=([str(argument) for argument in arguments], fatal))
    process.start()
    return process


def train_in_process(arguments, fatal=None):
    """`start_training`, and wait. Returns the exit code, -9 if it was killed."""
    process = start_training(arguments, fatal)
    process.join()
    return process.exitcode

"""What the command lines share: their process is set up for speed, mistakes end in one sentence, options in common.

A command line sets up its own process, first of all, before NumPy is loaded:

    if __name__ == "__main__":
        from minireg.command import prepare_process

        prepare_process()

Importing minireg changes nothing: a library user's process stays as it was. That is why the faces of packages that are
commands, or hold them, load NumPy only when one of their names is used (`lazily`).
"""

import argparse
import contextlib
import ctypes
import importlib
import os
import sys

from minireg.errors import MiniregError

USER_MISTAKE, INTERRUPTED = 2, 130  # 130 = 128 + SIGINT, as shells have it
# For the libraries that may stand behind NumPy's matrix products; they read it once, when NumPy is loaded.
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}


def prepare_process():
    """Set up a process that does nothing but compute with minireg; to be called before NumPy is loaded.

    One thread for NumPy's matrix products, unless the user has said otherwise. The products here are small: a second
    thread made no training step faster (326 instead of 331 ms), and between two products it spins and keeps a core from
    others, such as a second worker.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    keep_freed_memory()


def keep_freed_memory():
    """Ask the C library to keep freed memory for the next array instead of giving it back to the system.

    A training step makes and drops the same large arrays over and over. glibc returns each to the system at once, and
    the next array pays for fresh pages, zeroed one by one: up to a third of the time of a step. Where there is no
    glibc (macOS, Windows, Alpine) nothing is changed. Source: mallopt(3); 32 MiB is the largest threshold it takes.
    """
    m_trim_threshold, m_mmap_threshold = -1, -3
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(m_mmap_threshold, 32 * 1024 * 1024)
    mallopt(m_trim_threshold, 512 * 1024 * 1024)


def lazily(package, homes, modules=()):
    """The `__getattr__` of a package whose public names are loaded when they are first used (PEP 562).

    homes : dict of each name to the module of the package that has it
    modules : names of modules of the package that are public themselves
    """

    def load(name):
        if name in modules:
            return importlib.import_module(f"{package}.{name}")
        if name in homes:
            return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load


class _Lenient:
    """A stream that goes on where nothing can be written any more: the work matters, and not the words about it.

    The reader has gone (`| head`), the disk behind it is full, or it was closed from the beginning (None).
    """

    UNWRITABLE = (OSError, ValueError, AttributeError)  # ValueError: it is closed; AttributeError: it is None

    def __init__(self, stream):
        self.stream, self.errors = stream, getattr(stream, "errors", None)
        with contextlib.suppress(*self.UNWRITABLE):
            stream.reconfigure(errors="backslashreplace")  # letters that the terminal's encoding does not have

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def write(self, text):
        self._try("write", text)
        return len(text)

    def flush(self):
        self._try("flush")

    def close(self):
        """Write what is left, and give the stream back as it was."""
        self.flush()
        with contextlib.suppress(*self.UNWRITABLE):
            self.stream.reconfigure(errors=self.errors)

    def _try(self, action, *arguments):
        try:
            getattr(self.stream, action)(*arguments)
        except self.UNWRITABLE:
            with contextlib.suppress(*self.UNWRITABLE):  # so that Python's own flush at the end finds nothing wrong
                unwritable = self.stream.fileno()
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, unwritable)
                os.close(nowhere)


def run(name, main):
    """Call `main()`; turn the errors that a user can mend into one line on stderr. Returns the exit code."""
    streams = _Lenient(sys.stdout), _Lenient(sys.stderr)
    try:
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            return _run(name, main)
    finally:
        for stream in streams:
            stream.close()


def _run(name, main):
    try:
        return main() or 0
    except MiniregError as error:
        message = str(error)
    except OSError as error:
        if error.filename is None:
            raise  # not about a file: a mistake of ours
        message = f"cannot use {error.filename}: {error.strerror}; check the path, its permissions and the disk"
    except MemoryError as error:
        message = f"not enough memory ({error}): try fewer or smaller images, or a smaller batch"
    except KeyboardInterrupt as interrupt:
        print(f"\n{name}: interrupted. {interrupt}", file=sys.stderr)
        return INTERRUPTED
    print(f"{name}: error: {' '.join(message.split())}", file=sys.stderr)
    return USER_MISTAKE


def hint(sentence):
    """Say on stderr what may be wrong, though all went well."""
    print(f"hint: {sentence}", file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    """Refuses options that are empty: as a path, nothing would silently mean the current folder."""

    def parse_args(self, argv=None):
        args = super().parse_args(argv)
        for name, value in vars(args).items():
            if isinstance(value, str) and not value.strip():
                self.error(f"{name.replace('_', '-')} is empty: is a variable of your shell not set?")
        return args


def parser(name, description):
    """An `argparse.ArgumentParser` for `python -m name`, with the option --backend."""
    parser = _Parser(prog=f"python -m {name}", description=description)
    add_backend_option(parser)
    return parser


def add_backend_option(parser):
    """Add --backend to a parser."""
    parser.add_argument(
        "--backend",
        metavar="{numpy,cupy}",
        help="array library: numpy computes on the CPU, cupy on an NVIDIA GPU (default: the variable MINIREG_BACKEND, "
        "else numpy)",
    )


def digit(text):
    """A digit or "all", for argparse."""
    if text == "all":
        return text
    if text not in {str(digit) for digit in range(10)}:
        raise argparse.ArgumentTypeError(f"expected 0 to 9, or all, got {text!r}")
    return int(text)

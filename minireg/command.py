"""What the command lines share: mistakes end in one sentence and an exit code, and the backend option."""

import argparse
import sys

from minireg import backend
from minireg.errors import MiniregError

USER_MISTAKE, INTERRUPTED = 2, 130  # 130 = 128 + SIGINT, as shells have it


def run(name, main):
    """Call `main()`; turn the errors that a user can mend into one line on stderr. Returns the exit code."""
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


def add_backend_option(parser):
    """Add --backend to a parser."""
    parser.add_argument(
        "--backend",
        metavar="{" + ",".join(backend.BACKENDS) + "}",
        help="array library: numpy computes on the CPU, cupy on an NVIDIA GPU (default: the variable MINIREG_BACKEND, "
        "else numpy)",
    )


def use_backend(args):
    """Put the backend that was asked for in use, now and not when the first array is made."""
    if args.backend:
        backend.use(args.backend)
    backend.active()


def digit(text):
    """A digit or "all", for argparse."""
    if text == "all":
        return text
    if text not in {str(digit) for digit in range(10)}:
        raise argparse.ArgumentTypeError(f"expected 0 to 9, or all, got {text!r}")
    return int(text)

"""Call a function that a reader has written, whatever it does: it may crash, hang, return nothing, change its input."""

import contextlib
import copy
import signal
import threading
import traceback
import warnings
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SECONDS = 20  # after which a call is taken for an endless loop
NOT_WRITTEN = "not written yet"
TOO_SLOW = "It did not come back within {} seconds. Does a loop never end, or end far too late?"


class Hint(Exception):
    """What is wrong with the reader's function, in words for the reader."""


def careful(function):
    """The function, called with copies, within a time limit, and every failure of it turned into a Hint."""

    def call(*arguments):
        given = copy.deepcopy(arguments)
        try:
            with time_limit(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a division by zero shows in the result
                result = function(*given)
        except NotImplementedError:
            raise Hint(NOT_WRITTEN) from None
        except TimeoutError as error:
            raise Hint(str(error)) from None
        except RecursionError:
            raise Hint("It calls itself too deep: Python allows about 1,000 calls inside one another.") from None
        except (Exception, SystemExit) as error:
            raise Hint(in_words(error, function)) from error
        for number, (before, after) in enumerate(zip(arguments, given, strict=True)):
            if _changed(before, after):
                names = function.__code__.co_varnames if hasattr(function, "__code__") else ()
                name = f"`{names[number]}`" if number < len(names) else f"number {number + 1}"
                raise Hint(f"It changes its argument {name} in place. The caller still needs it: work on a copy.")
        if result is None:
            raise Hint("It returns nothing (None). Is the `return` missing, or does one branch end without it?")
        return result

    return call


def _changed(before, after):
    if isinstance(before, np.ndarray):
        return not np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    return isinstance(before, dict | list | set) and before != after


def in_words(error, function):
    """What was raised, and at which line of the reader's file."""
    code = getattr(function, "__code__", None)
    # The function may be one of ours that calls the reader's: then the reader's own line is further in.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent != HERE]
    readers = [frame for frame in frames if Path(frame.filename).parent.name == "exercises"]
    readers = readers or [frame for frame in frames if code and frame.filename == code.co_filename]
    at = f" in line {readers[-1].lineno}: `{readers[-1].line}`" if readers else ""
    message = " ".join(str(error).split())
    return f"It stops with {type(error).__name__}{': ' + message if message else ''}{at}."


@contextlib.contextmanager
def time_limit():
    """Raise TimeoutError in the block after SECONDS; without effect where the system has no such alarm."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_):
        raise TimeoutError(TOO_SLOW.format(SECONDS))

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def outcome(function, arguments):
    """The results of one call as a tuple of arrays, or the Hint that ended it."""
    try:
        with np.errstate(all="ignore"):
            result = function(*copy.deepcopy(arguments))
    except Hint as hint:
        return hint
    except Exception as error:
        return Hint(in_words(error, function))
    try:
        return tuple(np.asarray(part) for part in (result if isinstance(result, tuple) else (result,)))
    except Exception as error:  # lists of several lengths, a Tensor
        return Hint(f"What it returns is no array: {type(error).__name__}: {error}")

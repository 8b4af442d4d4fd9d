"""Is a reader's answer right, and if not, which mistake fits? What all checks of exercises share.

    EXERCISES = [
        Exercise(
            name="interpolate",
            title="linear interpolation on a line",
            reference=lambda line, x: np.interp(x, np.arange(len(line)), line),
            cases=[Case("between two pixels", (np.array([0.0, 2.0]), 0.25)), ...],
            mistakes=[Mistake("You give the near pixel the weight of the far one.", lambda line, x: ...), ...],
            properties=[exact_at_pixels],
        ),
    ]

An answer is called with every case, and its results are compared with those of the reference. Where they differ, the
hint is found as a teacher finds it:

1. Does it not run, or return something of another kind or shape? That comes first.
2. Does it give, in every case, the numbers that a known *mistake* gives? Then that is the mistake.
3. Are they the right numbers with another sign, factor, order or place? `pattern` tries what explains all of them.
4. Does it break a *property* that every right answer has? A property gets the function and returns a hint, or None.
   Together with 3 it finds mistakes that nobody has listed.
5. Where are the wrong numbers: at a border, in one channel, in some cases? `place` says at least that.

Cases are ordered from simple to hard, and describe themselves in words, because the reader is told where it went wrong.
"""

import contextlib
import copy
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lessons.check.difference import (
    common_factor,
    factor_in_words,
    is_infinite,
    is_number,
    pattern,
    place,
    same_numbers,
)

HERE = Path(__file__).resolve().parent
SECONDS = 20  # after which a call is taken for an endless loop
NOT_WRITTEN = "not written yet"
TOO_SLOW = f"It did not come back within {SECONDS} seconds."


class Case(NamedTuple):
    """One call of the reader's function: what is special about it, in words, and its arguments."""

    words: str
    arguments: tuple


class Mistake(NamedTuple):
    """A wrong function that a learner may well write, and the hint for those who did."""

    hint: str
    function: Callable


@dataclass(frozen=True)
class Exercise:
    """One function to be written by the reader, and all that is needed to judge it.

    Attributes
    ----------
    name : str, of the function in `lessons/exercises/lesson_NN.py`
    title : str, one line
    cases : Cases, from simple to hard; those of a function to be compared are deterministic
    reference : function that returns the right result; None where there are many, and properties decide
    mistakes : Mistakes, the most specific first
    properties : functions of the reader's function, each returning a hint or None; the most basic first
    results : names of the results, where the function returns a tuple of several
    components : names of the two entries of a last axis of length 2
    """

    name: str
    title: str
    cases: Sequence[Case] = ()
    reference: Callable | None = None
    mistakes: Sequence[Mistake] = ()
    properties: Sequence[Callable] = ()
    results: Sequence[str] = ()
    components: tuple[str, str] = ("rows", "columns")

    @cached_property
    def right(self):
        """The outcome of every case."""
        return [_outcome(self.reference, case.arguments) for case in self.cases]

    @cached_property
    def made(self):
        """For every mistake, what it makes of every case."""
        return [[_outcome(mistake.function, case.arguments) for case in self.cases] for mistake in self.mistakes]


class Hint(Exception):
    """What is wrong with the reader's function, in words for the reader."""


def examine(exercise, function):
    """The hint for an answer, or None if it is right.

    Parameters
    ----------
    exercise : Exercise
    function : the reader's answer

    Returns
    -------
    str or None
    """
    answer = _careful(function)
    try:
        if exercise.reference:
            _compare(exercise, answer)
        _check_properties(exercise, answer)
    except Hint as hint:
        return str(hint)
    return None


def _compare(exercise, answer):
    """Raise the Hint that fits best, unless the answer gives the right results in every case."""
    got = []
    for case in exercise.cases:
        got.append(_outcome(answer, case.arguments))
        if isinstance(got[-1], Hint) and str(got[-1]).startswith((NOT_WRITTEN, TOO_SLOW)):
            raise Hint(str(got[-1]) if len(got) == 1 else f"{got[-1]} Seen in the case: {case.words}.")
    right = exercise.right
    wrong = [i for i in range(len(got)) if not _alike(got[i], right[i])]
    if not wrong:
        return
    where = _where(exercise, got, right, wrong)
    for mistake, made in zip(exercise.mistakes, exercise.made, strict=True):
        if all(map(_alike, got, made)):
            raise Hint(f"{mistake.hint}\n{where}")
    kind = _kind(exercise, got, right, wrong)
    if kind:
        raise Hint(kind)
    for mistake, made in zip(exercise.mistakes, exercise.made, strict=True):
        factor = _factor_between(got, made)
        # A mistake that is itself a factor would be found behind every other factor.
        if factor is not None and _factor_between(made, right) is None:
            raise Hint(f"{mistake.hint} Besides, {factor_in_words(factor)}.\n{where}")
    infinite = [i for i in wrong if any(map(is_infinite, got[i], right[i]))]
    if infinite and infinite[0] != wrong[0]:  # first what is wrong in the cases before
        where += f"\nIn the case {exercise.cases[infinite[0]].words} it is infinite or not a number (nan), too."
        got, right = ([of_all[i] for i in range(len(of_all)) if i not in infinite] for of_all in (got, right))
    explained = _describe(exercise, got, right, pattern)
    if explained:
        raise Hint(f"{explained}\n{where}")
    _check_properties(exercise, answer, where)
    raise Hint(f"{_describe(exercise, got, right, place)}\n{where}")


def _factor_between(got, made):
    """The one number by which all results must be divided to give those of a mistake, or None."""
    if any(isinstance(outcome, Hint) for outcome in [*got, *made]) or list(map(len, got)) != list(map(len, made)):
        return None
    return common_factor([pair for parts in zip(got, made, strict=True) for pair in zip(*parts, strict=True)])


def _check_properties(exercise, answer, where=""):
    for broken in exercise.properties:
        try:
            hint = broken(answer)
        except Hint:
            raise
        except Exception as error:
            # The property could not use the result. Where there is a reference, its comparison says why.
            hint = None if exercise.reference else f"What it returns cannot be used: {type(error).__name__}: {error}."
        if hint:
            raise Hint(f"{hint}\n{where}".strip())


def _careful(function):
    """The function, called with copies, within a time limit, and every failure of it turned into a Hint."""

    def call(*arguments):
        given = copy.deepcopy(arguments)
        try:
            with _time_limit(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a division by zero shows in the result
                result = function(*given)
        except NotImplementedError:
            raise Hint(NOT_WRITTEN) from None
        except TimeoutError:
            raise Hint(f"{TOO_SLOW} Does a loop never end, or end far too late?") from None
        except RecursionError:
            raise Hint("It calls itself too deep: Python allows about 1,000 calls inside one another.") from None
        except Exception as error:
            raise Hint(_in_words(error, function)) from error
        changed = [i for i, (before, after) in enumerate(zip(arguments, given, strict=True)) if _changed(before, after)]
        if changed:
            names = function.__code__.co_varnames if hasattr(function, "__code__") else ()
            name = f"`{names[changed[0]]}`" if changed[0] < len(names) else f"number {changed[0] + 1}"
            raise Hint(f"It changes its argument {name} in place. The caller still needs it: work on a copy.")
        if result is None:
            raise Hint("It returns nothing (None). Is the `return` missing, or does one branch end without it?")
        return result

    return call


def _changed(before, after):
    if isinstance(before, np.ndarray):
        return not np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    if isinstance(before, dict | list | set):
        return before != after
    return False


def _in_words(error, function):
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
def _time_limit():
    """Raise TimeoutError in the block after SECONDS; without effect where the system has no such alarm."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _outcome(function, arguments):
    """The results of one call as a tuple of arrays, or the exception that ended it."""
    try:
        with np.errstate(all="ignore"):
            result = function(*copy.deepcopy(arguments))
    except Hint as hint:
        return hint
    except Exception as error:
        return Hint(_in_words(error, function))
    try:
        return tuple(np.asarray(part) for part in (result if isinstance(result, tuple) else (result,)))
    except Exception as error:  # lists of several lengths, a Tensor
        return Hint(f"What it returns is no array: {type(error).__name__}: {error}")


def _alike(a, b):
    """Do two outcomes agree, to what float32 leaves? Two failures do if they are of the same kind."""
    if isinstance(a, Hint) or isinstance(b, Hint):
        kind = lambda outcome: str(outcome).split(":")[0].split(" in line")[0]
        return isinstance(a, Hint) and isinstance(b, Hint) and kind(a) == kind(b)
    return len(a) == len(b) and all(map(same_numbers, a, b))


def _kind(exercise, got, right, wrong):
    """The hint for the first result that is not even an array of numbers of the right shape, or None."""
    for i in wrong:
        where = _where(exercise, got, right, [i, *(k for k in wrong if k != i)])
        if isinstance(got[i], Hint):
            return f"{got[i]}\n{where}"
        if len(got[i]) != len(right[i]):
            found = f"{len(got[i])} result{'s' if len(got[i]) > 1 else ''}"
            wanted = f"{len(right[i])} results, as a tuple" if len(right[i]) > 1 else "one result"
            return f"It returns {found}, expected {wanted}.\n{where}"
        for index, (a, b) in enumerate(zip(got[i], right[i], strict=True)):
            name = _result_name(exercise, index, len(right[i]))
            if not is_number(a):
                return f"{name} is made of {a.dtype.name}, expected numbers.\n{where}"
            if a.shape != b.shape:
                return f"{name} has shape {a.shape}, expected {b.shape}.{_shape_hint(a.shape, b.shape)}\n{where}"
            if a.dtype.kind in "iu" and a.any() and np.array_equal(a, np.trunc(b)) and not same_numbers(a, b):
                return f"{name} lacks what stands behind the decimal point: it is made of {a.dtype.name}.\n{where}"
    return None


def _shape_hint(got, expected):
    if sorted(got) == sorted(expected):
        return " The axes are in another order."
    if np.prod(got) == np.prod(expected):
        return " There are as many numbers as there should be, but an axis is missing, too many or another one."
    if len(got) < len(expected):
        return " An axis was lost: was it summed over, or indexed away?"
    if len(got) > len(expected):
        return " There is an axis too many: should it have been summed over?"
    if any(a > b == 1 for a, b in zip(got, expected, strict=True)):
        return " An axis of length 1 has grown: were arrays combined whose axes stand for different things?"
    return ""


def _result_name(exercise, index, count):
    if count == 1:
        return "The result"
    return f"The result `{exercise.results[index]}`" if exercise.results else f"Result number {index + 1}"


def _where(exercise, got, right, wrong):
    """In which case, at which element, and which cases are right: the evidence below a hint."""
    first = wrong[0]
    lines = [f"Seen in the case: {exercise.cases[first].words}."]
    if not isinstance(got[first], Hint) and not isinstance(right[first], Hint) and len(got[first]) == len(right[first]):
        for index, (a, b) in enumerate(zip(got[first], right[first], strict=True)):
            if a.shape == b.shape and is_number(a) and not same_numbers(a, b):
                name = exercise.results[index] if exercise.results else "the result"
                worst = _worst(a, b)
                at = f" at {[int(i) for i in worst]}" if worst else ""
                lines.append(f"There {name}{at} is {_number(a[worst])}, expected {_number(b[worst])}.")
                break
    fine = [case.words for i, case in enumerate(exercise.cases) if i not in wrong]
    if fine:
        lines.append(f"Right in: {'; '.join(fine)}.")
    return "\n".join(lines)


def _worst(a, b):
    """The index of the element that is furthest off."""
    gap = np.abs(a.astype(float) - b.astype(float))
    gap = np.where(np.isnan(gap), np.inf, gap)
    same = np.isnan(a.astype(float)) & np.isnan(b.astype(float))
    return np.unravel_index(int(np.argmax(np.where(same, 0, gap))), a.shape)


def _number(value):
    return str(bool(value)) if value.dtype.kind == "b" else f"{value + 0:.6g}"  # + 0 makes 0 of -0


def _describe(exercise, got, right, kind_of_difference):
    """What `kind_of_difference` says about the first result that is wrong, as a sentence, or None."""
    for index in range(len(right[0])):
        pairs = [(got[i][index].astype(float), right[i][index].astype(float)) for i in range(len(got))]
        if all(same_numbers(a, b) for a, b in pairs):
            continue
        others = [[right[i][k] for i in range(len(got))] for k in range(len(right[0])) if k != index]
        difference = kind_of_difference(exercise, pairs, others)
        return difference and f"{_result_name(exercise, index, len(right[0]))} {difference}"
    raise AssertionError("described an answer in which nothing is wrong")


class Verdict(NamedTuple):
    """What came out for one exercise; `hint` is None if it is right."""

    exercise: Exercise
    hint: str | None


def check_module(exercises, module: Any):
    """The verdict on every exercise, answered by the functions of `module`, one after the other."""
    for exercise in exercises:
        function = getattr(module, exercise.name, None)
        if not callable(function):
            hint = f"There is no function named `{exercise.name}` in {module.__name__}. Was it renamed?"
        else:
            hint = examine(exercise, function)
        yield Verdict(exercise, hint)

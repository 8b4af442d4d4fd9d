"""Is a reader's answer right, and if not, which mistake fits? What all checks of exercises share.

    Exercise(
        solutions.sample_line,
        "many places on a line, black beyond its ends",
        cases={"between two pixels": (np.array([0.0, 2.0]), np.array([0.25])), ...},
        mistakes="np.floor => np.ceil\\n    Which pixel lies before c?",
        properties=[exact_at_pixels],
    )

An answer is called with every case, and its results are compared with the right ones. Where they differ, the hint is
found as a teacher finds it:

1. Does it give, in every case, what a known *mistake* gives (`edits.py`)? Then that is the mistake.
2. Are they the right numbers, or those of a mistake, with another sign or factor, or with two components exchanged?
3. Does it give what two mistakes together give?
4. Does it not run, or return something of another kind or shape?
5. Does it break a *property* that every right answer has? That finds mistakes which nobody has listed. A property is
   a `telling` expression, or a function that gets the reader's function and returns a hint, or None.
6. What `pattern` turns the right numbers into these, and at what `place` are the wrong ones (`difference.py`)?

Cases describe themselves in words, because the reader is told where it went wrong: in the smallest one of all.
"""

import inspect
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lessons.check.calling import NOT_WRITTEN, TOO_SLOW, Hint, careful, outcome
from lessons.check.difference import is_infinite, is_number, pattern, place, same_numbers, simple_change
from lessons.check.edits import Mistake, blocks, edited, mistakes

LINES, COLUMNS = 16, 92  # what fits on a screen, of the inputs of a case
NAMED = 2  # of the cases that are right, at most


@dataclass(frozen=True)
class Exercise:
    """One function to be written by the reader, and all that is needed to judge it.

    Attributes
    ----------
    solution : function of `lessons/solutions/lesson_NN.py`, of the same name as the reader's
    title : str, one line
    cases : for each case, what is special about it, in words, and its arguments; none if properties decide
    mistakes : str, edits of the solution and their hints
    algorithms : Mistakes that are no edit of the solution but another algorithm
    telling : str, expressions of the reader's function f which must have the value that they have with the solution,
        and what is to be said where they have not, the most basic first; other names are those of `lesson_NN.py` here
    properties : functions of the reader's function, each returning a hint or None
    through : makes of the reader's function one whose results can be compared
    results : names of the results, where the function returns a tuple of several
    components : names of the two entries of a last axis of length 2
    """

    solution: Callable
    title: str
    cases: Mapping[str, tuple] = field(default_factory=dict)
    mistakes: str = ""
    algorithms: Sequence[Mistake] = ()
    telling: str = ""
    properties: Sequence[Callable] = ()
    through: Callable = lambda function: function
    results: Sequence[str] = ()
    components: tuple[str, str] = ("rows", "columns")

    @property
    def name(self):
        return self.solution.__name__

    @property
    def names(self):
        """What the names in `telling` mean, besides f."""
        return vars(sys.modules[self.solution.__module__.replace("solutions", "check")])

    @cached_property
    def all_mistakes(self):
        return [*mistakes(self.solution, self.mistakes), *self.algorithms]

    @cached_property
    def right(self):
        """The outcome of every case."""
        return self.outcomes(self.through(self.solution))

    @cached_property
    def made(self):
        """For every mistake, what it makes of every case."""
        return [self.outcomes(self.through(mistake.function)) for mistake in self.all_mistakes]

    def outcomes(self, function):
        """What a function makes of every case."""
        return [outcome(function, arguments) for arguments in self.cases.values()]

    def inputs(self, i):
        """The arguments of a case as Python that can be pasted, if they fit on a screen, else nothing."""
        lines = []
        names = inspect.signature(self.through(self.solution)).parameters
        for name, value in zip(names, list(self.cases.values())[i], strict=False):
            if isinstance(value, np.ndarray):
                lines += _as_python(name, value)
            elif not callable(value) and not isinstance(value, np.random.Generator):
                lines.append(f"{name} = {value!r}")
        fits = len(lines) <= LINES and max(map(len, lines), default=0) <= COLUMNS
        return lines if fits else []

    def size(self, i):
        """How many numbers a case has."""
        return sum(np.size(value) for value in list(self.cases.values())[i] if isinstance(value, np.ndarray))


def examine(exercise, function):
    """The hint for a reader's answer, or None if it is right."""
    answer = careful(function)
    try:
        if exercise.cases:
            _compare(exercise, answer)
        _check_properties(exercise, answer)
    except Hint as hint:
        return str(hint)
    return None


def _compare(exercise, answer):
    """Raise the Hint that fits best, unless the answer gives the right results in every case."""
    got = []
    for words, arguments in exercise.cases.items():
        got.append(outcome(exercise.through(answer), arguments))
        if isinstance(got[-1], Hint) and str(got[-1]).startswith((NOT_WRITTEN, TOO_SLOW[:20])):
            raise Hint(str(got[-1]) if len(got) == 1 else f"{got[-1]} Seen in the case: {words}.")
    right = exercise.right
    wrong = [i for i in range(len(got)) if not alike(got[i], right[i])]
    if not wrong:
        return
    wrong.sort(key=exercise.size)
    where = _where(exercise, got, right, wrong)
    for mistake, made in zip(exercise.all_mistakes, exercise.made, strict=True):
        if all(map(alike, got, made)):
            raise Hint(f"{mistake.hint}\n{where}")
    change = _change(exercise, got, right)
    if change:
        raise Hint(f"{change}\n{where}")
    for mistake, made in zip(exercise.all_mistakes, exercise.made, strict=True):
        change = _change(exercise, got, made)
        # A mistake that is itself such a change would be found behind every other one.
        if change and not _change(exercise, made, right):
            raise Hint(f"{mistake.hint} Besides: {change}\n{where}")
    for one, other in _two_at_once(exercise, got):
        raise Hint(f"{' Besides: '.join(dict.fromkeys([one.hint, other.hint]))}\n{where}")
    kind = _kind(exercise, got, right, wrong)
    if kind:
        raise Hint(kind)
    _check_properties(exercise, answer, where)
    infinite = [i for i in wrong if any(map(is_infinite, got[i], right[i]))]
    if infinite and infinite[0] != wrong[0]:  # first what is wrong in the cases before
        where += f"\nIn the case {list(exercise.cases)[infinite[0]]} it is infinite or not a number (nan), too."
        got, right = ([of_all[i] for i in range(len(of_all)) if i not in infinite] for of_all in (got, right))
    explained = _describe(exercise, got, right, pattern) or _describe(exercise, got, right, place)
    raise Hint(f"{explained or _in_which(exercise, wrong)}\n{where}")


def _in_which(exercise, wrong):
    if len(wrong) > NAMED:
        return "It is right in some cases and wrong in others. What is special about the case below?"
    return f"Right in every case but: {'; '.join(list(exercise.cases)[i] for i in wrong)}. What is special there?"


def _two_at_once(exercise, got):
    """Pairs of mistakes which together give what was got."""
    for one, other in itertools.combinations(filter(lambda mistake: mistake.edit, exercise.all_mistakes), 2):
        edits = one.edit, other.edit
        function = edited(exercise.solution, *edits) or edited(exercise.solution, *edits[::-1])
        if function and _gives(exercise, function, got):
            yield one, other


def _gives(exercise, function, got):
    """Does a function give, case by case, what was got, and not only failures?"""
    runs = False
    for arguments, result in zip(exercise.cases.values(), got, strict=True):
        made = outcome(exercise.through(function), arguments)
        if not alike(made, result):
            return False
        runs |= not isinstance(made, Hint)
    return runs


def _check_properties(exercise, answer, where=""):
    for broken in exercise.properties:
        try:
            hint = broken(answer)
        except Hint:
            raise
        except Exception as error:
            # The property could not use the result. Where there are cases, the comparison says why.
            hint = None if exercise.cases else f"What it returns cannot be used: {type(error).__name__}: {error}."
        if hint:
            raise Hint(f"{hint}\n{where}".strip())
    for expression, hint in blocks(exercise.telling):
        if not _same_value(exercise, answer, expression):
            raise Hint(f"{hint}\n{where}".strip())


def _same_value(exercise, answer, expression):
    """Has an expression the same value with the reader's function as with the solution?"""
    try:
        mine, right = (_value(expression, function, exercise.names) for function in (answer, exercise.solution))
        return np.allclose(mine, right, rtol=1e-5, atol=1e-5)
    except Hint:
        raise
    except Exception:  # a result of another shape: the comparison of the cases says so
        return True


def _value(expression, function, names):
    def f(*arguments):
        result = function(*arguments)
        return result if isinstance(result, tuple) else np.asarray(result)

    return eval(expression, {**names, "f": f})


def alike(a, b):
    """Do two outcomes agree, to what float32 leaves? Two failures do if they are of the same kind."""
    if isinstance(a, Hint) or isinstance(b, Hint):
        kind = lambda hint: str(hint).split(":")[0].split(" in line")[0]
        return isinstance(a, Hint) and isinstance(b, Hint) and kind(a) == kind(b)
    return len(a) == len(b) and all(map(same_numbers, a, b))


def _change(exercise, got, base):
    """What turns these results into those, as a sentence, if it is a sign, a factor or an order of components."""
    if any(isinstance(outcome, Hint) for outcome in [*got, *base]) or list(map(len, got)) != list(map(len, base)):
        return None
    sentences = []
    for index in range(len(base[0])):
        pairs = [(a[index], b[index]) for a, b in zip(got, base, strict=True)]
        if not all(same_numbers(a, b) for a, b in pairs):
            change = simple_change(exercise.components, pairs)
            if not change:
                return None
            sentences.append(f"{_result_name(exercise, index, len(base[0]))} {change}")
    return " ".join(sentences)


def _kind(exercise, got, right, wrong):
    """The hint for the first result that is not even an array of numbers of the right shape, or None."""
    for i in wrong:
        where = _where(exercise, got, right, [i, *(k for k in wrong if k != i)])
        if isinstance(got[i], Hint):
            return f"{got[i]}\n{where}"
        if len(got[i]) != len(right[i]):
            found = f"{len(got[i])} result{'s' if len(got[i]) > 1 else ''}"
            wanted = (
                f"{len(right[i])} results, as a tuple" if len(right[i]) > 1 else "one: an array that holds all of them"
            )
            return f"It returns {found}, expected {wanted}.\n{where}"
        for index, (a, b) in enumerate(zip(got[i], right[i], strict=True)):
            name = _result_name(exercise, index, len(right[i]))
            if not is_number(a):
                return f"{name} is made of {a.dtype.name}, expected numbers.\n{where}"
            if a.shape != b.shape:
                return f"{name} has shape {a.shape}, expected {b.shape}.{_shape_hint(a.shape, b.shape)}\n{where}"
            if a.dtype.kind in "iu" and np.array_equal(a, np.trunc(b)) and not same_numbers(a, b):
                return f"{name} lacks what stands behind the decimal point: it is made of {a.dtype.name}.\n{where}"
    return None


def _shape_hint(got, expected):
    if got and expected and got[1:] == expected[1:] and got[0] < expected[0]:
        return " Some are missing. Does a `return` stand inside a loop, or is one left out?"
    if np.prod(got) == np.prod(expected):
        return " There are as many numbers as there should be: are axes exchanged, missing or too many?"
    if len(got) != len(expected):
        how = "was lost, by a sum or a `return` in a loop" if len(got) < len(expected) else "is too many"
        return f" An axis {how}: what is summed over, and what not?"
    if any(a > b == 1 for a, b in zip(got, expected, strict=True)):
        return " An axis of length 1 has grown: were arrays combined whose axes stand for different things?"
    return ""


def _result_name(exercise, index, count):
    if count == 1:
        return "The result"
    return f"The result `{exercise.results[index]}`" if exercise.results else f"Result number {index + 1}"


def _where(exercise, got, right, wrong):
    """In which case, with which inputs, at which element, and what is right: the evidence below a hint."""
    first = wrong[0]
    lines = [f"Seen in the case: {list(exercise.cases)[first]}.", *(f"  {line}" for line in exercise.inputs(first))]
    if not isinstance(got[first], Hint) and len(got[first]) == len(right[first]):
        for index, (a, b) in enumerate(zip(got[first], right[first], strict=True)):
            if a.shape == b.shape and is_number(a) and not same_numbers(a, b):
                name = exercise.results[index] if exercise.results else "the result"
                worst = _worst(a, b)
                at = f" at {[int(i) for i in worst]}" if worst else ""
                lines.append(f"There {name}{at} is {_number(a[worst])}, expected {_number(b[worst])}.")
                break
    fine = [words for i, words in enumerate(exercise.cases) if i not in wrong]
    if fine:
        more = f"; and {len(fine) - NAMED} more" if len(fine) > NAMED else ""
        lines.append(f"Right in: {'; '.join(fine[:NAMED])}{more}.")
    return "\n".join(lines)


def _as_python(name, array):
    """Lines of Python that make this array."""
    flat = array.reshape([size for size in array.shape if size > 1] or [1])
    reshape = f".reshape{array.shape}" if flat.shape != array.shape else ""
    text = np.array2string(flat, separator=", ", max_line_width=COLUMNS, prefix=f"{name} = np.array(", threshold=500)
    return f"{name} = np.array({text}){reshape}".replace("\n\n", "\n").split("\n")


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
        difference = kind_of_difference(exercise.components, pairs)
        return difference and f"{_result_name(exercise, index, len(right[0]))} {difference}"
    raise AssertionError("described an answer in which nothing is wrong")


def check_module(exercises, module):
    """(exercise, hint or None) for every exercise, answered by the functions of `module`, one after the other."""
    for exercise in exercises:
        function = getattr(module, exercise.name, None)
        if not callable(function):
            hint = f"There is no function named `{exercise.name}` in {module.__name__}. Was it renamed?"
        else:
            hint = examine(exercise, function)
        yield exercise, hint

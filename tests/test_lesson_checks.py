"""The machinery behind `python -m lessons.check`: what it says about wrong answers and broken files."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lessons.check import __main__ as command
from lessons.check import calling
from lessons.check.calling import NOT_WRITTEN
from lessons.check.checking import Exercise, check_module, examine
from lessons.check.edits import Mistake, edited
from minireg.autograd import Tensor

ROOT = Path(__file__).resolve().parent.parent
NUMBERS = [path.stem[-2:] for path in sorted((ROOT / "lessons" / "check").glob("lesson_*.py"))]
RNG = np.random.default_rng(5)
FIELDS = [RNG.normal(size=(2, 4, 4, 2)), RNG.normal(size=(1, 7, 5, 2))]
IMAGES = [RNG.normal(size=(3, 5, 6, 2)), RNG.normal(size=(1, 4, 5, 1))]


def exercise(solution, arguments, **more):
    solution.__name__ = "f"
    return Exercise(solution, "a function", {f"case {i}": (a,) for i, a in enumerate(arguments)}, **more)


DOUBLE = exercise(lambda u: 2 * u, FIELDS)
SQUARE = exercise(lambda a: a * a, IMAGES)


def shifted(line, by):
    """A solution whose source is edited."""
    where = np.floor(np.arange(len(line)) + by).astype(int)
    return 2 * _read(line, where)


def _read(line, where):
    return line[np.clip(where, 0, len(line) - 1)]


LINE = np.array([1.0, 2.0, 4.0, 8.5])
SHIFTED = Exercise(
    shifted,
    "a line, moved",
    cases={"to the left": (LINE, 1.0), "a bit to the right": (LINE, -0.5), "nowhere": (LINE, 0.0)},
    mistakes="""
np.floor => np.trunc
np.floor => np.ceil
    You round the wrong way. Which
    pixel is left of -0.5?
by = -by
    You look to the other side.
np.clip(where, 0, len(line) - 1) => where % len(line)
    You read at the other end.
2 * => 2 +
    You add.
""",
)


def changed(array, where, value):
    array = 2 * array if array.shape[-1] == 2 and len(array) < 3 else array * array
    array[where] = value
    return array


@pytest.mark.parametrize(
    "answer, hint",
    [
        (lambda u: -2 * u, "the wrong sign everywhere"),
        (lambda u: 2 * u[..., ::-1], "two components exchanged. The first is rows"),
        (lambda u: -2 * u[..., ::-1], "exchanged (the first is rows, the second columns), and the wrong sign"),
        (lambda u: u * [2, -2], "the wrong sign along columns; along rows it is right"),
        (lambda u: u * [-2, 2], "the wrong sign along rows; along columns it is right"),
        (lambda u: u[..., ::-1] * [2, -2], "exchanged, and one of them has the wrong sign"),
        (lambda u: 2 * u[..., :1] + 0 * u, "along columns it is what belongs along rows"),
        (lambda u: u * [2, 6], "along columns it has the right pattern, but every number is 3 times"),
        (lambda u: u, "every number is 0.5 times what it should be"),
        (lambda u: u / len(u), "a factor that depends on the case: 0.25, 0.5"),
        (lambda u: 2 * u / len(u), "a factor that depends on the case: 0.5, 1."),
        (lambda u: 2 * u + u**2 * [1, 0], "is right along columns, but along rows it is wrong"),
        (lambda u: 2 * u + 1e-3 * u**2, "is almost right"),
        (lambda u: 0 * u, "zero everywhere. Is it ever filled"),
        (lambda u: (2 * u).astype(int), "behind the decimal point"),
        (lambda u: np.roll(2 * u, 1, axis=1), "moved by one along axis 1"),
        (lambda u: np.flip(2 * u, 2), "flipped along axis 2"),
        (lambda u: 2 * u + 1, "off by the same amount"),
        (lambda u: u / 0, "What is divided by zero?"),
        (lambda u: 2 * u[0], "An axis was lost"),
        (lambda u: (2 * u)[None], "missing or too many"),
        (lambda u: np.stack([2 * u, u]), "An axis is too many"),
        (lambda u: (2 * u).transpose(0, 3, 1, 2), "are axes exchanged"),
        (lambda u: 2 * u + np.zeros((2, 1, 1, 1)), "An axis of length 1 has grown"),
        (lambda u: (2 * u, u), "returns 2 results, expected one:"),
        (lambda u: "twice", "made of str"),
        (lambda u: None, "returns nothing (None)"),
        (lambda u: u.twice(), "AttributeError"),
        (lambda u: u.__imul__(2), "changes its argument `u` in place"),
        (lambda u: [[1], [1, 2]], "What it returns is no array: ValueError"),
        (lambda u: Tensor(2 * u), "What it returns is no array: TypeError: NumPy's functions do not take Tensors"),
    ],
)
def test_the_general_diagnosis_finds_what_is_wrong_with_a_field(answer, hint):
    found = examine(DOUBLE, answer)
    assert found is not None and hint in found
    assert "case 0" in found


@pytest.mark.parametrize(
    "answer, hint",
    [
        (lambda a: changed(a, (slice(1, None), 2, 2), 9.0), "right for the first image of a batch only"),
        (lambda a: changed(a, (slice(None), 0), 9.0), "right inside and wrong at the border"),
        (lambda a: changed(a, (..., slice(1, None)), 9.0), "right for the first channel only"),
        (lambda a: np.where(a > 0.9, 0, a * a), "in most places"),
        (lambda a: np.sin(a), "no common mistake fits"),
    ],
)
def test_the_general_diagnosis_says_where_an_image_is_wrong(answer, hint):
    assert hint in examine(SQUARE, answer)


def test_rows_and_images_are_told_apart():
    table = exercise(lambda u: 2 * u, [RNG.normal(size=(4, 3, 2)), RNG.normal(size=(3, 4, 2))])
    answer = lambda u: np.where(np.arange(len(u))[:, None, None] > 0, 9 + u**2, 2 * u)
    assert "right where its first index is 0" in examine(table, answer)


def test_several_results_are_told_apart():
    both = exercise(lambda u: (2 * u, u + 1), FIELDS, results=("twice", "more"))
    assert examine(both, lambda u: (2 * u, u + 1)) is None
    assert "`more` has the wrong sign" in examine(both, lambda u: (2 * u, -u - 1))
    assert "one result" not in examine(both, lambda u: 2 * u) and "expected 2 results" in examine(both, lambda u: 2 * u)


def test_a_listed_mistake_comes_before_the_general_diagnosis_also_with_a_factor_on_top():
    listed = exercise(lambda u: 2 * u, FIELDS, algorithms=[Mistake("You squared it.", lambda u: u * u)])
    assert examine(listed, lambda u: u**2).startswith("You squared it.\n")
    assert examine(listed, lambda u: -(u**2)).startswith(
        "You squared it. Besides: The result has the wrong sign everywhere."
    )
    assert "squared" not in examine(listed, lambda u: u**3)


def test_a_mistake_is_an_edit_of_the_solution_or_of_what_it_calls():
    hints = [mistake.hint for mistake in SHIFTED.all_mistakes]
    assert hints[0] == hints[1] == "You round the wrong way. Which pixel is left of -0.5?" and len(hints) == 5
    assert examine(SHIFTED, lambda line, by: 2 * line[[0, 0, 1, 2]] if by == 1 else 2 * line).startswith(
        "You look to the"
    )
    assert examine(SHIFTED, lambda line, by: 2 * np.roll(line, -int(np.floor(by)))).startswith(
        "You read at the other end"
    )


def test_two_edits_at_once_are_recognised_and_those_that_do_not_apply_are_none():
    found = examine(SHIFTED, lambda line, by: 2 + np.roll(line, -int(np.floor(by))))
    assert found.startswith("You read at the other end. Besides: You add.\n")
    assert edited(shifted, "np.sin => np.cos") is None and edited(shifted, "2 * => 2 * (") is None
    assert edited(shifted, "return line")(LINE, 1.0) is LINE


def test_the_inputs_of_the_smallest_wrong_case_are_shown_as_python_where_they_fit():
    square = exercise(lambda a: a * a, [np.arange(300.0).reshape(3, 10, 10), np.array([[[1.5], [2.0]]])])
    assert "case 1.\n  a = np.array([1.5, 2. ]).reshape(1, 2, 1)\n" in examine(square, lambda a: a)
    large = exercise(lambda a: a * a, [np.arange(300.0).reshape(3, 10, 10)])
    assert "np.array" not in examine(large, lambda a: a)
    assert "by = -0.5" in examine(SHIFTED, lambda line, by: 2 * line[[1, 2, 3, 3]] if by == 1 else 2 * line)


def test_at_most_two_of_the_right_cases_are_named():
    many = exercise(lambda a: 2 * a, [np.array([k]) for k in range(1, 6)])
    assert "Right in: case 0; case 1; and 2 more." in examine(many, lambda a: 2 * a * (1 + (a == 5)))


def test_a_telling_case_and_a_property_come_before_the_general_diagnosis():
    told = exercise(lambda a: a * a, IMAGES, telling="f(np.zeros(3))\n    Not at zero.")
    assert examine(told, lambda a: a * a + 1).startswith("Not at zero.\nSeen in")
    held = exercise(lambda a: a * a, IMAGES, properties=[lambda f: "Below 0." if f(np.ones(2)).min() < 0 else None])
    assert examine(held, lambda a: a * a - 3).startswith("Below 0.\n")


def test_a_listed_mistake_that_crashes_is_recognised_by_its_crash():
    crash = Mistake("You look too far to the right.", lambda u: u[:, len(u[0])])
    listed = exercise(lambda u: 2 * u, FIELDS, algorithms=[crash])
    assert examine(listed, lambda u: u[0, u.shape[1]]).startswith(crash.hint)
    assert "AttributeError" in examine(listed, lambda u: u.nothing)
    assert "SystemExit" in examine(listed, lambda u: sys.exit())


def test_a_property_decides_where_there_are_no_cases():
    rises = Exercise(
        sorted, "any order that rises", properties=[lambda f: None if f([3, 1]) == [1, 3] else "Not rising."]
    )
    assert examine(rises, sorted) is None
    assert examine(rises, lambda items: items) == "Not rising."
    assert "KeyError" in examine(rises, lambda items: {}["a"])
    indexed = Exercise(sorted, "anything", properties=[lambda f: "Empty." if len(f([3, 1])) == 0 else None])
    assert "cannot be used: TypeError" in examine(indexed, lambda items: 5)


def test_one_case_is_enough_to_fail_and_the_right_ones_are_named():
    found = examine(SQUARE, lambda a: a * a if len(a) == 1 else a * a * (1 + (a > 1)))
    assert "Right in: case 1" in found


def test_a_case_without_a_finite_result_does_not_hide_what_is_wrong_in_the_others():
    half = exercise(lambda a: 2 * a, [np.array([1.0, 2.0]), np.array([3.0, 0.0])])
    found = examine(half, lambda a: a * a / a)
    assert "every number is 0.5 times" in found and "case 0" in found and "In the case case 1 it is" in found
    assert "What is divided by zero?" in examine(half, lambda a: 2 * a * a / a)


def test_results_in_float32_and_lists_are_accepted():
    assert examine(DOUBLE, lambda u: (2 * u).astype(np.float32)) is None
    assert examine(DOUBLE, lambda u: (2 * u).tolist()) is None


def test_an_endless_loop_is_stopped(monkeypatch):
    monkeypatch.setattr(calling, "SECONDS", 0.2)

    def endless(u):
        while True:
            pass

    assert "Does a loop never end" in examine(DOUBLE, endless)


def test_endless_recursion_is_named():
    def deeper(u):
        return deeper(u)

    assert "calls itself too deep" in examine(DOUBLE, deeper)


def test_the_line_of_a_crash_is_named():
    def crash(u):
        return u + undefined  # noqa: F821

    assert "`return u + undefined" in examine(DOUBLE, crash)


def test_a_missing_function_and_a_stub_are_told_apart():
    def stub(u):
        raise NotImplementedError

    hints = [hint for _, hint in check_module([DOUBLE], SimpleNamespace(__name__="answers"))]
    assert "There is no function named `f`" in hints[0]
    assert next(check_module([DOUBLE], SimpleNamespace(f=stub)))[1] == NOT_WRITTEN


def test_the_command_counts_what_is_right(capsys, monkeypatch):
    solutions = __import__("lessons.solutions.lesson_02", fromlist=["_"])
    assert command.main(["02"]) == command.NOT_YET
    assert "not written yet" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "lessons.exercises.lesson_02", solutions)
    assert command.main(["2"]) == command.RIGHT
    assert "not written yet" not in capsys.readouterr().out


def test_the_command_refuses_a_lesson_that_has_no_exercises(capsys):
    assert command.main(["99"]) == command.CANNOT_CHECK
    assert "lesson '99': expected one of 01" in capsys.readouterr().err


UNREADABLE = {  # what may stand in a reader's file, and what is said about it
    b"def f(:\n    return 1": "line 1: invalid syntax: `def f(:`",
    b"x = 1\n\nx = [": "line 3: ",
    b"if 1:\nx = 1": "line 2: expected an indented block",
    b"x = '\xff'": "line 1: (unicode error)",
    b"x = 1\x00": "null bytes",
    b"\nimport nothing_of_this_name": "line 2: ModuleNotFoundError",
    b"x = 1\n1 / 0": "line 2: ZeroDivisionError",
    b"exit()": "line 1: SystemExit",
}
READ = """
import sys, lessons.exercises
from lessons.check.__main__ import main
lessons.exercises.__path__ = [{folder!r}]
for text in {texts!r}:
    open({folder!r} + "/lesson_{number}.py", "wb").write(text)
    assert main([{number!r}]) == 1
"""


@pytest.mark.parametrize("number", NUMBERS)
def test_the_command_says_in_a_sentence_that_a_file_cannot_be_read(number, tmp_path):
    """As a reader would see it: a copy of the exercises with something wrong."""
    code = READ.format(folder=str(tmp_path), texts=list(UNREADABLE), number=number)
    done = subprocess.run([sys.executable, "-B", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    said = [" ".join(words.split()) for words in done.stdout.split(f"lesson_{number}.py")[1:]]
    for sentence, words in zip(said, UNREADABLE.values(), strict=True):
        assert "The file cannot be read: " in sentence and words in sentence


def test_without_a_number_all_lessons_are_checked(capsys):
    assert command.main([]) == command.NOT_YET
    assert capsys.readouterr().out.count("Lesson ") == len(list((ROOT / "lessons/check").glob("lesson_[0-9][0-9].py")))

"""The machinery behind `python -m lessons.check`: what it says about wrong answers and broken files."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lessons.check import __main__ as command
from lessons.check import checking
from lessons.check.checking import NOT_WRITTEN, Case, Exercise, Mistake, check_module, examine
from minireg.autograd import Tensor

ROOT = Path(__file__).resolve().parent.parent
RNG = np.random.default_rng(5)
FIELDS = [RNG.normal(size=(2, 4, 4, 2)), RNG.normal(size=(1, 5, 3, 2))]
IMAGES = [RNG.normal(size=(3, 5, 6, 2)), RNG.normal(size=(1, 4, 5, 1))]


def exercise(reference, arguments, **more):
    return Exercise("f", "a function", [Case(f"case {i}", (a,)) for i, a in enumerate(arguments)], reference, **more)


DOUBLE = exercise(lambda u: 2 * u, FIELDS)
SQUARE = exercise(lambda a: a * a, IMAGES)


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
        (lambda u: 2 * u * (1 + np.arange(len(u)))[:, None, None, None], "a factor that depends on the image"),
        (lambda u: 2 * u + u**2 * [1, 0], "is right along columns, but along rows it is wrong"),
        (lambda u: 2 * u + 1e-3 * u**2, "is almost right"),
        (lambda u: 0 * u, "zero everywhere. Is it ever filled"),
        (lambda u: 2 * u * (np.indices(u.shape)[:2].sum(0) == 0), "0 from some element on. Does a loop end too early"),
        (lambda u: (2 * u).astype(int), "behind the decimal point"),
        (lambda u: np.roll(2 * u, 1, axis=1), "moved by one along axis 1"),
        (lambda u: np.flip(2 * u, 2), "flipped along axis 2"),
        (lambda u: 2 * u + 1, "off by the same amount"),
        (lambda u: u / 0, "What is divided by zero?"),
        (lambda u: 2 * u[0], "An axis was lost"),
        (lambda u: (2 * u)[None], "an axis is missing, too many"),
        (lambda u: np.stack([2 * u, u]), "There is an axis too many"),
        (lambda u: (2 * u).transpose(0, 3, 1, 2), "axes are in another order"),
        (lambda u: 2 * u + np.zeros((2, 1, 1, 1)), "An axis of length 1 has grown"),
        (lambda u: (2 * u, u), "returns 2 results, expected one result"),
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
    assert "they are exchanged" in examine(both, lambda u: (u + 1, 2 * u))
    assert "one result" not in examine(both, lambda u: 2 * u) and "expected 2 results" in examine(both, lambda u: 2 * u)


def test_a_listed_mistake_comes_before_the_general_diagnosis_also_with_a_factor_on_top():
    listed = exercise(lambda u: 2 * u, FIELDS, mistakes=[Mistake("You squared it.", lambda u: u * u)])
    assert examine(listed, lambda u: u**2).startswith("You squared it.\n")
    assert examine(listed, lambda u: -(u**2)).startswith("You squared it. Besides, the sign is wrong.")
    assert "squared" not in examine(listed, lambda u: u**3)


def test_a_listed_mistake_that_crashes_is_recognised_by_its_crash():
    crash = Mistake("You look too far to the right.", lambda u: u[:, len(u[0])])
    listed = exercise(lambda u: 2 * u, FIELDS, mistakes=[crash])
    assert examine(listed, lambda u: u[0, u.shape[1]]).startswith(crash.hint)
    assert "AttributeError" in examine(listed, lambda u: u.nothing)


def test_a_property_decides_where_there_is_no_reference():
    ordered = Exercise(
        "f", "any order that rises", properties=[lambda f: None if f([3, 1]) == [1, 3] else "Not rising."]
    )
    assert examine(ordered, sorted) is None
    assert examine(ordered, lambda items: items) == "Not rising."
    assert "KeyError" in examine(ordered, lambda items: {}["a"])
    indexed = Exercise("f", "anything with a length", properties=[lambda f: "Empty." if len(f([3, 1])) == 0 else None])
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
    monkeypatch.setattr(checking, "SECONDS", 0.2)

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

    hints = [verdict.hint for verdict in check_module([DOUBLE], SimpleNamespace(__name__="answers"))]
    assert "There is no function named `f`" in hints[0]
    assert next(check_module([DOUBLE], SimpleNamespace(f=stub))).hint == NOT_WRITTEN


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


def test_the_command_reads_a_file_that_is_no_python(tmp_path):
    """As a reader would see it: a copy of the lessons with a typing error in one of the exercises."""
    code = (
        "import sys, types\n"
        "import lessons.exercises as e\n"
        f"e.__path__ = [{str(tmp_path)!r}]\n"
        "from lessons.check.__main__ import main\n"
        "sys.exit(main(['01']))\n"
    )
    (tmp_path / "lesson_01.py").write_text("def rotation(:\n    return 1\n")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == command.NOT_YET and "The file cannot be read: line 1:" in done.stdout, done.stderr
    (tmp_path / "lesson_01.py").write_text("import nothing_of_this_name\n")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "ModuleNotFoundError" in done.stdout, done.stderr


def test_without_a_number_all_lessons_are_checked(capsys):
    assert command.main([]) == command.NOT_YET
    assert capsys.readouterr().out.count("Lesson 0") == len(list((ROOT / "lessons/check").glob("lesson_[0-9][0-9].py")))

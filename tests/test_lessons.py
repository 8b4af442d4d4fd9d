"""The lessons run, and the checks of the exercises know right from wrong."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lessons.check.checking import examine

ROOT = Path(__file__).resolve().parent.parent
LESSONS = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py"))
NUMBERS = [path.name[:2] for path in LESSONS]
STRICT = {"MINIREG_STRICT_CLAIMS": "1"}  # a claim that does not hold ends the lesson
NEW_CODE = 120  # lines at most: in the cells that are not folded, without imports, comments and empty lines
NOT_NEW = ("#", "import ", "from ")

# Run a lesson on a backend of the tests, as its command line would on the user's.
ON_STRICT = """
import runpy, sys
sys.path[:0] = [{tests!r}, {lessons!r}]
from strict_backend import StrictBackend
from minireg import backend
backend.BACKENDS["strict"] = StrictBackend
sys.argv = [{lesson!r}, "--backend", "strict", "--figures", {figures!r}]
runpy.run_path({lesson!r}, run_name="__main__")
"""


def run(arguments, folder, **variables):
    """Run Python with every warning an error, away from the checkout, and return what it wrote."""
    environment = {**os.environ, "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "utf-8"} | variables
    environment["MPLCONFIGDIR"] = str(folder.parent / "matplotlib")  # its font cache is made once
    finished = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=600
    )
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-4000:]
    assert not finished.stderr, finished.stderr
    return finished.stdout


def run_on_strict(lesson, figures, folder):
    """The lesson on the stand-in for a GPU, which refuses to mix its arrays with those of the host."""
    paths = {"tests": ROOT / "tests", "lessons": ROOT / "lessons", "lesson": lesson, "figures": figures}
    run(["-c", ON_STRICT.format(**{name: str(path) for name, path in paths.items()})], folder, **STRICT)


def figures_of(lesson):
    return {f"{lesson.name[:2]}_{name}.png" for name in re.findall(r'lesson\.save\(\w+, "(\w+)"\)', lesson.read_text())}


def test_there_are_eight_lessons():
    assert [f"{number:02d}" for number in range(1, 9)] == NUMBERS


@pytest.mark.parametrize("lesson", LESSONS, ids=NUMBERS)
def test_a_lesson_runs_without_a_warning_and_leaves_its_figures(lesson, tmp_path, chosen_backend):
    figures = tmp_path / "figures"
    if chosen_backend.name == "strict":
        run_on_strict(lesson, figures, tmp_path)
    else:
        run([str(lesson), "--backend", chosen_backend.name, "--figures", str(figures)], tmp_path, **STRICT)
    assert {path.name for path in figures.iterdir()} == figures_of(lesson)
    assert len(figures_of(lesson)) >= 3
    assert all(path.stat().st_size > 5000 for path in figures.iterdir())


@pytest.mark.parametrize("lesson", LESSONS, ids=NUMBERS)
def test_a_lesson_keeps_host_and_device_apart(lesson, tmp_path, chosen_backend):
    if chosen_backend.name != "numpy":
        pytest.skip("the other test has run it on this backend")
    run_on_strict(lesson, tmp_path / "figures", tmp_path)


@pytest.mark.parametrize("lesson", LESSONS, ids=NUMBERS)
def test_a_lesson_states_what_it_needs_and_has_little_code(lesson):
    text = lesson.read_text()
    head = text.split("# %%", 2)[1]
    for statement in ("**You need**", "**You will know**", "**Time**"):
        assert statement in head
    cells = re.split(r"^# %%", text, flags=re.MULTILINE)[1:]
    code = [cell for cell in cells if not cell.startswith((" [markdown]", ' tags=["hide-input"]'))]
    lines = [line.strip() for cell in code for line in cell.splitlines()[1:]]
    lines = [line for line in lines if line and not line.startswith(NOT_NEW)]
    assert len(lines) <= NEW_CODE
    assert f"python -m lessons.check {lesson.name[:2]}" in text


def exercises(number):
    return importlib.import_module(f"lessons.check.lesson_{number}").EXERCISES


ALL = [
    pytest.param(number, exercise, id=f"{number}-{exercise.name}")
    for number in NUMBERS
    for exercise in exercises(number)
]


@pytest.mark.parametrize("number, exercise", ALL)
def test_a_stub_is_not_written_yet(number, exercise):
    stubs = importlib.import_module(f"lessons.exercises.lesson_{number}")
    assert examine(exercise, getattr(stubs, exercise.name)) is not None


@pytest.mark.parametrize("number, exercise", ALL)
def test_a_solution_is_right(number, exercise):
    solutions = importlib.import_module(f"lessons.solutions.lesson_{number}")
    assert examine(exercise, getattr(solutions, exercise.name)) is None


@pytest.mark.parametrize("number, exercise", ALL)
def test_a_listed_mistake_gets_its_own_hint(number, exercise):
    for mistake in exercise.mistakes:
        hint = examine(exercise, mistake.function)
        assert hint is not None and hint.startswith(mistake.hint)


@pytest.mark.parametrize("number, exercise", ALL)
def test_a_typical_wrong_answer_gets_the_hint_that_fits(number, exercise):
    wrong = importlib.import_module(f"wrong_answers.lesson_{number}").WRONG
    of_this = [(function, fragment) for name, function, fragment in wrong if name == exercise.name]
    assert len(of_this) >= 3
    for function, fragment in of_this:
        hint = examine(exercise, function)
        assert hint is not None and fragment in hint, f"{function.__name__}: {hint}"


@pytest.mark.parametrize("number", NUMBERS)
def test_a_lesson_has_two_or_three_exercises(number):
    assert 2 <= len(exercises(number)) <= 3

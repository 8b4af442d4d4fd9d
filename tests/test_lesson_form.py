"""A lesson is short, begins with a picture, shows what every cell does, and lets itself be played with."""

import ast
import re
from typing import NamedTuple

import pytest
from test_lessons import LESSONS, NUMBERS, UNPAINTED, as_options, knobs, run

MOST_WORDS = 1500  # of a lesson, folded answers not counted
FIRST_PICTURE = 200  # words before it at most
BREATH = 300  # words between two things to look at, at most
WIDTH = 88  # columns of code that is not folded
SHOWS = {"print", "claim", "save", "animate", "knob"}  # calls that a reader sees something of


class Cell(NamedTuple):
    """One cell of a lesson: its tags, and its text or code."""

    kind: str
    tags: tuple
    body: str

    @property
    def is_visible_code(self):
        return self.kind == "code" and not any(tag.startswith("hide") for tag in self.tags)

    @property
    def words(self):
        """The number of words of a text that one sees without unfolding anything."""
        text = re.sub(r"<details>.*?</details>", "", self.body, flags=re.DOTALL)
        return len(re.findall(r"\w+(?:['’.-]\w+)*", text)) if self.kind == "text" else 0

    @property
    def shows(self):
        """The calls in it whose output one sees without unfolding anything."""
        if self.kind == "text" or {"hide-cell", "hide-output"} & set(self.tags):
            return set()
        return calls(ast.parse(self.body)) & SHOWS


def calls(tree):
    """The names of all functions and methods that are called."""
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {getattr(function, "id", getattr(function, "attr", None)) for function in called}


def cells(lesson):
    for part in re.split(r"^# %%", lesson.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        tags = tuple(re.findall(r'"([\w-]+)"', head))
        if "[markdown]" in head:
            yield Cell("text", tags, re.sub(r"^# ?", "", body, flags=re.MULTILINE))
        else:
            yield Cell("code", tags, body)


every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=NUMBERS)


@every_lesson
def test_a_lesson_has_few_words_and_something_to_look_at_all_the_time(lesson):
    words, before_first_picture, since = 0, None, 0
    for cell in cells(lesson):
        words += cell.words
        since += cell.words
        if before_first_picture is None and "save" in cell.shows:
            before_first_picture = words
        assert since <= BREATH or not cell.shows, f"{since} words before {cell.body[:80]!r}"
        since = 0 if cell.shows else since
    assert words <= MOST_WORDS
    assert before_first_picture is not None and before_first_picture <= FIRST_PICTURE


@every_lesson
def test_every_cell_that_one_sees_ends_in_something_that_it_shows(lesson):
    for cell in cells(lesson):
        if cell.is_visible_code:
            *_, last = ast.parse(cell.body).body
            assert calls(last) & SHOWS, cell.body


@every_lesson
def test_the_code_that_one_sees_is_easy_on_the_eye(lesson):
    for cell in filter(lambda cell: cell.is_visible_code, cells(lesson)):
        assert max(map(len, cell.body.splitlines())) <= WIDTH, cell.body
        statements = [node for node in ast.walk(ast.parse(cell.body)) if isinstance(node, ast.stmt)]
        lines = [node.lineno for node in statements]
        assert len(lines) == len(set(lines)), f"several statements in one line: {cell.body}"
        assert not any(isinstance(node, ast.Assert) for node in statements), "what is claimed, claim(...) says"
        assert not any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Tuple) for node in statements)


@every_lesson
def test_a_lesson_can_be_played_with_and_asks_before_it_answers(lesson):
    text = lesson.read_text(encoding="utf-8")
    assert 2 <= len(knobs(lesson)) <= 3 and "seed" in knobs(lesson)
    assert 2 <= text.lower().count("what do you expect?") <= 3
    assert text.count("<details>") >= 2 and text.count("<details>") == text.count("</details>")
    assert text.count("claim(") >= 5
    for words in re.findall(r"\b(?:first|second|third|fourth|fifth) (?:assertion|claim|cell)\b", text):
        pytest.fail(f"a text refers to code by its number: {words}")


# One process for many settings: to load NumPy and Matplotlib takes longer than many a lesson.
TURN = """
import runpy, sys
sys.path[:0] = [{lessons!r}]
for options in {turned!r}:
    print("-----")
    sys.argv = [{lesson!r}, "--figures", {figures!r}, *options]
    runpy.run_path({lesson!r}, run_name="__main__")
"""


@every_lesson
def test_a_lesson_runs_to_its_end_whatever_its_knobs_say(lesson, tmp_path, chosen_backend, monkeypatch):
    if chosen_backend.name != "numpy":
        pytest.skip("the knobs are turned on NumPy")
    monkeypatch.delenv("MINIREG_STRICT_CLAIMS", raising=False)
    # All knobs are turned at once, each on to its next value, until every value that the lesson offers had its turn.
    to_try, figures = knobs(lesson), str(tmp_path / "figures")
    turned = [
        {name: values[turn % len(values)] for name, values in to_try.items()}
        for turn in range(max(map(len, to_try.values())))
    ]
    options = [as_options(chosen) for chosen in turned]
    code = TURN.format(lessons=str(lesson.parent), lesson=str(lesson), figures=figures, turned=options)
    _, *outs = run(["-c", UNPAINTED + code], tmp_path).split("-----\n")
    for chosen, out in zip(turned, outs, strict=True):
        assert all(f"{name} = {value}" in out for name, value in chosen.items())

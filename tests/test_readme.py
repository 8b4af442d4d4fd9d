"""What the README shows works as it stands there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs(chosen_backend, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_every_file_that_is_linked_to_exists():
    links = re.findall(r"\]\(([^)#]+?)\)", README) + re.findall(r'<img src="([^"]+)"', README)
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


FOLDERS = ("register", "gradcheck", "demo")  # the others are files


@pytest.mark.parametrize("program", ["train", "evaluate", *FOLDERS])
def test_every_command_line_that_is_shown_is_understood(program, monkeypatch):
    from importlib import import_module

    module = import_module(f"minireg.{program}.__main__" if program in FOLDERS else f"minireg.{program}")
    shown = re.findall(rf"^python -m minireg\.{program}\b([^#\n]*)", README, re.MULTILINE)
    assert shown
    for line in shown:
        module._parse(line.split())


def test_the_two_commands_of_the_first_screen_are_single_lines_that_install_and_run():
    first_screen = README.split("\n## ")[0]
    assert "python -m pip install . && python -m minireg.train" in first_screen
    assert 'python -m pip install ".[test]" && python -m pytest' in first_screen

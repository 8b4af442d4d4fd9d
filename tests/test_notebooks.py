"""Lessons become notebooks that have run, whole or not at all; and the workflows call what exists."""

import base64
import configparser
import os
import re
from pathlib import Path

import pytest

from lessons import notebooks

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

TINY = """\
# %% [markdown]
# # A tiny lesson
#
# See [the next](02_next.py#top), [a page](../docs/a.md#there), [nothing](nowhere.md) and ![a dot](../docs/dot.png).

# %%
import matplotlib.pyplot as plt

print("two", 1 + 1)
print("three", 1 + 2)

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(1, 1))

# %% tags=["hide-cell"]
import lesson

print(lesson.__file__)
"""
FAILING = "# %%\nnumber = 1\n\n# %% [markdown]\n# Now:\n\n# %%\nnumber / 0\n"
WARNING = "# %%\nimport sys\n\nprint('beware', file=sys.stderr)\n"
DOT = b"not really a picture"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A checkout in miniature, whose lessons the command writes."""
    for folder in ("lessons", "docs", "out"):
        (tmp_path / folder).mkdir()
    (tmp_path / "lessons" / "01_tiny.py").write_text(TINY, encoding="utf-8")
    (tmp_path / "lessons" / "02_next.py").write_text('# %%\nprint("next")\n', encoding="utf-8")
    (tmp_path / "docs" / "a.md").write_text("# There\n", encoding="utf-8")
    (tmp_path / "docs" / "dot.png").write_bytes(DOT)
    monkeypatch.setattr(notebooks, "LESSONS", tmp_path / "lessons")
    return tmp_path


@pytest.fixture
def extra():
    for name in notebooks.NEEDED:
        pytest.importorskip(name)


def write(here, *arguments):
    return notebooks.main([*arguments, "--out", str(here / "out")])


def read(here, name):
    import nbformat

    notebook = nbformat.read(here / "out" / name, as_version=4)
    nbformat.validate(notebook)
    return notebook


def written(here):
    return sorted(os.listdir(here / "out"))


def test_a_notebook_has_its_output_its_folds_and_its_pictures(here, extra):
    assert write(here, "1") == 0
    assert written(here) == ["01_tiny.ipynb"]
    text, prints, figure, hidden = read(here, "01_tiny.ipynb").cells
    assert [output.text for output in prints.outputs] == ["two 2\nthree 3\n"]
    assert "jupyter" not in prints.metadata
    (output,) = figure.outputs
    assert base64.b64decode(output.data["image/png"]).startswith(b"\x89PNG")
    assert figure.metadata == {"tags": ["hide-input"], "jupyter": {"source_hidden": True}}
    assert hidden.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
    assert hidden.outputs[0].text == f"{ROOT / 'lessons' / 'lesson.py'}\n"
    assert text.attachments == {"dot.png": {"image/png": base64.b64encode(DOT).decode()}}
    assert "![a dot](attachment:dot.png)" in text.source


@pytest.mark.parametrize(
    ("together", "site", "links"),
    [
        (False, "", ["../lessons/02_next.py#top", "../docs/a.md#there", "nowhere.md"]),
        (True, "", ["02_next.ipynb#top", "../docs/a.md#there", "nowhere.md"]),
        (False, "https://here/", ["https://here/lessons/02_next.html#top", "https://here/a.html#there", "nowhere.md"]),
    ],
)
def test_links_lead_somewhere_from_where_the_notebook_is(here, together, site, links):
    lesson, other = sorted((here / "lessons").iterdir())
    text, _ = notebooks._with_links(TINY, lesson, here / "out", {lesson, other} if together else {lesson}, site)
    assert re.findall(r"(?<!!)\[[a-z ]+\]\((.*?)\)", text) == links


def test_links_into_the_package_lead_to_its_listings_on_the_site():
    pages = {
        "minireg/ops/sampling.py": "_modules/minireg/ops/sampling.html",
        "lessons/README.md": "lessons/README.html",
        "README.md": "README.html",
        "docs/api/index.rst": "api/index.html",
    }
    assert {name: notebooks._page(ROOT / name, ROOT, "https://here") for name in pages} == {
        name: f"https://here/{page}" for name, page in pages.items()
    }
    for without_page in ("minireg/ops/__init__.py", "lessons/lesson.py", "tests/test_warp.py", "setup.cfg", "docs"):
        assert notebooks._page(ROOT / without_page, ROOT, "https://here") == ""


@pytest.mark.parametrize(
    ("lesson", "sentence"),
    [
        (FAILING, "01_tiny.py raises ZeroDivisionError (division by zero) in cell 3, line 8"),
        (WARNING, "01_tiny.py warns (beware) in cell 1, line 2"),
        ("# %%\nimport os\n\nos._exit(3)\n", "01_tiny.py was interrupted, or its kernel died, in cell 1, line 2"),
    ],
    ids=["fails", "warns", "dies"],
)
def test_a_lesson_that_fails_is_one_sentence_and_leaves_what_was_there(here, extra, capfd, lesson, sentence):
    (here / "lessons" / "01_tiny.py").write_text(lesson, encoding="utf-8")
    (here / "out" / "01_tiny.ipynb").write_text("of yesterday", encoding="utf-8")
    assert write(here, "1") == 2
    assert f"\nnotebooks: error: {sentence}\n" in capfd.readouterr().err.replace("\r", "\n")
    assert written(here) == ["01_tiny.ipynb"]
    assert (here / "out" / "01_tiny.ipynb").read_text(encoding="utf-8") == "of yesterday"


def test_without_the_extra_one_sentence_says_what_to_install(here, capsys, monkeypatch):
    monkeypatch.setattr(notebooks, "NEEDED", ("argparse", "no_such_package"))
    assert write(here) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "no_such_package not found" in error and '".[docs]"' in error
    assert written(here) == []


def test_an_unknown_lesson_is_one_sentence(here, capsys):
    assert write(here, "1", "3") == 2
    assert capsys.readouterr().err == "notebooks: error: there is no lesson '3': expected some of 01, 02\n"


def test_git_ignores_the_notebooks():
    assert f"{notebooks.OUT}/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


# --- The workflows: what can be tested without GitHub


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_what_exists(path):
    yaml = pytest.importorskip("yaml")
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    jobs = workflow["jobs"]
    assert workflow[True].keys() >= {"push"}  # YAML 1.1 reads `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in jobs.values() for step in job["steps"]]
    for step in steps:
        assert ("uses" in step) != ("run" in step)
        assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
    assert {job["needs"] for job in jobs.values() if "needs" in job} <= jobs.keys()
    for job in jobs.values():
        own = {step["id"] for step in job["steps"] if "id" in step}
        assert set(re.findall(r"\bsteps\.(\w+)\.", str(job))) <= own


def test_the_site_is_published_as_the_check_builds_it():
    site = (ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8")
    check = (ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (build,) = re.findall(r"python -m sphinx .*", site)
    assert build in script
    assert "run: .ci/run" in check and os.access(ROOT / ".ci" / "run", os.X_OK)
    (arguments,) = re.findall(r"python -m lessons\.notebooks (.*)", site)
    assert notebooks._parse(arguments.replace('"', "").split()).out == notebooks.OUT
    assert f"path: {notebooks.OUT}/*.ipynb" in site
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = setup["options.extras_require"]
    assert set(re.findall(r"\"\.\[(\w+)\]\"", site)) == {"docs"} <= set(extras)
    assert {re.match(r"[\w-]+", line)[0] for line in extras["docs"].split()} >= set(notebooks.NEEDED)

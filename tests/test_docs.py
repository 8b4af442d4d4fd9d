"""The pages: their code runs, their formulas are checked beside them, their links lead somewhere."""

import ast
import importlib
import io
import pkgutil
import re
import sys
import textwrap
import tokenize
import types
import warnings
from pathlib import Path
from urllib.parse import unquote

import matplotlib
import pytest
from gradients import temporary_ops

import minireg

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "_extensions"))

import docstrings  # noqa: E402
import pages  # noqa: E402

COPIES = {
    DOCS / "README.md",
    DOCS / "CONTRIBUTING.md",
    DOCS / "lessons",
    DOCS / "_build",
}  # written when the site is built
DOCS_PAGES = sorted(path for path in DOCS.rglob("*.md") if not COPIES & {path, *path.parents})
INTERNALS = [path for path in DOCS_PAGES if path.parent == DOCS / "internals"]
LESSONS = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py"))
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS_PAGES, *sorted(ROOT.glob("lessons/**/*.md")), *LESSONS]
EXTRAS = {"nibabel", "pydicom", "SimpleITK"}  # libraries that a page may need, and go without in its test

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[^\n]*)\n(?P<code>.*?)^(?P=indent)``` *$", re.DOTALL | re.MULTILINE)
DISPLAY = re.compile(r"^\$\$\n(?P<formula>.*?)\n\$\$$", re.DOTALL | re.MULTILINE)
INLINE_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\(\s*(?P<target>[^()\s]+)[^()]*\)")
REFERENCE = re.compile(r"^\[[^\]]+\]: +(?P<target>\S+)", re.MULTILINE)
TAG = re.compile(r"<(?:img|a)\b[^>]*>")
ATTRIBUTE = re.compile(r'\b(?P<name>src|href|alt|id|name)="(?P<value>[^"]*)"')


def name_of(path):
    return str(path.relative_to(ROOT))


def read(path):
    """The Markdown of a page; of a lesson, that of its text cells, each line where it is in the file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    lines, in_text = [], False
    for line in text.split("\n"):
        if line.startswith("# %%"):
            in_text = "[markdown]" in line
            line = ""
        lines.append(line.removeprefix("#").removeprefix(" ") if in_text else "")
    return "\n".join(lines)


def without_code(text):
    """The text with its code blocks and inline code blanked out, line numbers kept."""
    text = FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)
    return INLINE_CODE.sub(lambda match: "x" * len(match[0]), text)


def python_blocks(text):
    """(first line, code) of every block of Python on a page."""
    for match in FENCE.finditer(text):
        if match["language"].strip() == "python":
            yield text[: match.start()].count("\n") + 2, textwrap.dedent(match["code"])


# --- Code


@pytest.mark.parametrize("page", [page for page in DOCS_PAGES if list(python_blocks(read(page)))], ids=name_of)
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch, chosen_backend):
    if chosen_backend.name != "numpy":
        pytest.skip("the pages compute with NumPy arrays")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    with warnings.catch_warnings(), temporary_ops():
        warnings.simplefilter("error")
        for first_line, code in python_blocks(read(page)):
            # The empty lines before it make a traceback name the line of the page.
            try:
                exec(compile("\n" * (first_line - 1) + code, str(page), "exec"), module.__dict__)
            except ModuleNotFoundError as missing:
                if missing.name not in EXTRAS:
                    raise
                pytest.skip(f"{missing.name} is not installed")


# --- Formulas


def checked_comments(code):
    """The comments of a block that stand at an assertion, or at a line from which one further down follows."""
    last = max((node.end_lineno for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Assert)), default=0)
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT and token.start[0] <= last]


def formula_mistakes(text):
    """What is wrong with the displayed formulas of a page of the internals."""
    visible = without_code(text)
    displays = list(DISPLAY.finditer(visible))
    mistakes = []
    if visible.count("$$") != 2 * len(displays):
        mistakes.append("$$ must stand on lines of their own, in pairs")
    checks = [(first, checked_comments(code)) for first, code in python_blocks(text)]
    for number, display in enumerate(displays, start=1):
        line = visible[: display.start()].count("\n") + 1
        tags = re.findall(r"\\tag\{(\d+)\}", display["formula"])
        if tags != [str(number)]:
            mistakes.append(f"line {line}: expected \\tag{{{number}}}, found {tags}")
        later = [comment for first, comments in checks if first > line for comment in comments]
        if not any(f"({number})" in comment for comment in later):
            mistakes.append(f"line {line}: no assertion below is marked  # ({number})")
    return mistakes


@pytest.mark.parametrize("page", INTERNALS, ids=name_of)
def test_every_formula_of_the_internals_is_checked_by_an_assertion_below_it(page):
    assert formula_mistakes(read(page)) == []


def test_a_formula_without_its_check_is_found():
    page = "$$\na = b \\tag{1}\n$$\n\n```python\nassert 1 == 1  # (1)\n```\n"
    assert formula_mistakes(page) == []
    assert formula_mistakes(page.replace("# (1)", "")) == ["line 1: no assertion below is marked  # (1)"]
    assert formula_mistakes(page.replace("assert 1 == 1", "1 == 1")) == ["line 1: no assertion below is marked  # (1)"]
    assert formula_mistakes(page.replace("\\tag{1}", "")) == ["line 1: expected \\tag{1}, found []"]
    before = "```python\nassert 1 == 1  # (1)\n```\n\n$$\na = b \\tag{1}\n$$\n"
    assert formula_mistakes(before) == ["line 5: no assertion below is marked  # (1)"]


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_formulas_are_written_as_github_and_sphinx_both_read_them(path):
    text = without_code(read(path))
    formulas = [match[0] for match in DISPLAY.finditer(text)]
    formulas += re.findall(r"(?<![\\$\w])\$(?! )[^$\n]+(?<! )\$(?![\w$])", DISPLAY.sub("", text))
    # GitHub takes the backslash away before punctuation, and then reads what is left.
    assert [formula for formula in formulas if re.search(r"\\[^A-Za-z\s]", formula)] == []


def lines_taken_for_marks(text):
    """Lines in the middle of a sentence that Markdown takes for an item of a list, a heading or a quotation."""
    mark = re.compile(r"(1\.|[-+*>]|#{1,6}) ")
    found = []
    for paragraph in re.split(r"\n\s*\n", without_code(text)):
        lines = [line.strip() for line in paragraph.strip().split("\n")]
        if re.match(r"(\d+\.|[-+*>|]|#{1,6}) ", lines[0]):
            continue
        first = next((i for i, line in enumerate(lines) if mark.match(line)), None)
        if first and not lines[first - 1].endswith((".", ":")):
            found.append(lines[first])
    return found


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_no_line_of_a_sentence_begins_like_a_list(path):
    assert lines_taken_for_marks(read(path)) == []


def test_lines_that_begin_like_a_list_are_found():
    assert lines_taken_for_marks("from 0 to\n1. Then") == ["1. Then"]
    assert lines_taken_for_marks("is p\n+ u(p), which") == ["+ u(p), which"]
    assert lines_taken_for_marks("Two:\n- one\n- two\n\n1. one\n   more\n2. two") == []


# --- Links


def links(text):
    """(target, whether it is an image, its alternative text) of every link of a page."""
    text = without_code(text)
    for match in LINK.finditer(text):
        yield match["target"], bool(match["image"]), match["text"]
        for inner in LINK.finditer(match["text"]):  # a picture that is a link
            yield inner["target"], bool(inner["image"]), inner["text"]
    for match in REFERENCE.finditer(text):
        yield match["target"], False, ""
    for tag in TAG.findall(text):
        attributes = {match["name"]: match["value"] for match in ATTRIBUTE.finditer(tag)}
        target = attributes.get("src") or attributes.get("href")
        if target:
            yield target, tag.startswith("<img"), attributes.get("alt", "")


def anchors(path):
    """The anchors that GitHub makes of the headings of a page, and those that it sets itself."""
    text = FENCE.sub("", read(path))
    found, seen = set(), {}
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE):
        heading = LINK.sub(lambda match: match["text"], heading)
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower()).replace(" ", "-")
        seen[slug] = seen.get(slug, -1) + 1
        found.add(slug if not seen[slug] else f"{slug}-{seen[slug]}")
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def broken_links(path, text):
    """The relative links in `text`, the content of the file `path`, that lead nowhere."""
    broken = []
    for target, _, _ in links(text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        file = (path.parent / unquote(file)).resolve() if file else path
        is_copy = COPIES & {file, *file.parents}
        has_anchor = not anchor or (file.suffix == ".md" and file.is_file() and anchor in anchors(file))
        if not file.exists() or is_copy or not has_anchor:
            broken.append(target)
    return broken


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_every_relative_link_leads_to_a_file_and_a_heading(path):
    assert broken_links(path, read(path)) == []


def test_broken_links_are_found():
    here = ROOT / "README.md"
    assert broken_links(here, "[a](docs/recipes.md#the-steps-that-mattered) [b](#speed) `[c](nowhere)`") == []
    assert broken_links(here, "# Speed\n[a](docs/recipes.md#no-such-heading) <img src='x' >") == [
        "docs/recipes.md#no-such-heading"
    ]
    assert (
        broken_links(here, '[a](nowhere.md) <img alt="x" src="no.png"> ![x](no.png)')
        == [
            "nowhere.md",
            "no.png",
            "no.png",
        ][:1]
        + ["no.png"] * 2
    )


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_every_picture_says_in_words_what_it_shows(path):
    assert [target for target, is_image, words in links(read(path)) if is_image and len(words.split()) < 2] == []


def test_the_references_have_every_number_that_the_code_cites():
    number = re.compile(r"(?:doi:|arXiv:)[^\s,;\]\"]+", re.IGNORECASE)
    page = {match.lower() for match in number.findall(read(DOCS / "references.md"))}
    for path in (ROOT / "minireg").rglob("*.py"):
        cited = {match.rstrip(".").lower() for match in number.findall(path.read_text(encoding="utf-8"))}
        assert cited - page == set(), path


# --- The site: what can be tested without Sphinx


def test_the_api_lists_every_module_and_every_name_of_the_packages():
    api = "\n".join(path.read_text(encoding="utf-8") for path in (DOCS / "api").glob("*.rst"))
    documented = set()
    here = ""
    for directive, name in re.findall(r"^\.\. (automodule|currentmodule|autofunction|autoclass):: (\S+)", api, re.M):
        here = name if directive.endswith("module") else here
        documented.add(name if directive.endswith("module") else f"{here}.{name}")
    for module, members in re.findall(r"^\.\. automodule:: (\S+)\n   :members: (.+)$", api, re.M):
        documented |= {f"{module}.{member.strip()}" for member in members.split(",")}
    modules = [module.name for module in pkgutil.walk_packages(minireg.__path__, "minireg.")]
    assert set(modules) - documented == set()
    for name in modules:
        module = importlib.import_module(name)
        exported = [
            f"{name}.{member}" for member in getattr(module, "__all__", ()) if callable(getattr(module, member))
        ]
        assert set(exported) - documented == set()


@pytest.mark.parametrize(
    ("docstring", "rst"),
    [
        ("Text with *, |x| and u_row.", r"Text with \*, \|x\| and u\_row."),
        ("`name`s and `a + b`.", r":py:obj:`name`\ s and ``a + b``."),
        ("y = |x|        g_x = g", ".. code-block:: text\n\n    y = |x|\n    g_x = g"),
        (
            "With x,\n\n    y = |x|   (1)\n      z\n\nmore.",
            "With x,\n\n.. code-block:: text\n\n    y = |x|   (1)\n      z\n\nmore.",
        ),
        ("How:\n    a = f(1)\n", "How:\n\n.. code-block:: python\n\n    a = f(1)"),
        (
            "Say:\n\n    if x:\n        a = f(1)\n\n    g(a)\n",
            "Say:\n\n.. code-block:: python\n\n    if x:\n        a = f(1)\n    \n    g(a)",
        ),
        ("How.\n\na = f(1)\ng(a)", "How.\n\n.. code-block:: python\n\n    a = f(1)\n    g(a)"),
        (
            "Sums.\n\n>>> a = f(\n...     1)\n>>> a\n[1.0]",
            "Sums.\n\n.. code-block:: pycon\n\n    >>> a = f(\n    ...     1)\n    >>> a\n    [1.0]",
        ),
        ("`a.py`     what\n`b.py`   more", "- :py:obj:`a.py`: what\n- :py:obj:`b.py`: more"),
        ("- one\n  item\n- two", "- one item\n\n- two"),
        (
            "Do.\n\nParameters\n---------\na, b : arrays\n    What.\nc : int, so\n    many\n\nReturns\n------\nfloat",
            "Do.\n\n:Parameters:\n    - **a, b**: arrays. What.\n    - **c**: int, so many\n\n:Returns:\n    float",
        ),
        ("Raises\n------\nValueError\n    Bad.\nOSError", ":Raises:\n    - **ValueError**: Bad.\n    - **OSError**"),
    ],
)
def test_docstrings_become_restructuredtext(docstring, rst):
    assert "\n".join(docstrings.convert(docstring.split("\n"))).strip() == rst


@pytest.mark.parametrize(
    ("original", "text", "on_the_site"),
    [
        ("docs/internals/a.md", "[`ops.warp`](../../minireg/ops/sampling.py)", "[`ops.warp`](#minireg.ops.warp)"),
        ("docs/internals/a.md", "[`_check`](../../minireg/ops/sampling.py)", "[`_check`](#minireg.ops.sampling)"),
        ("docs/internals/a.md", "[op](../../minireg/autograd.py)", "[op](#minireg.autograd.op)"),
        ("docs/a.md", "[`x`](../minireg/autograd.py)", "[`x`](#minireg.autograd)"),
        (
            "docs/a.md",
            "[`Tensor.backward`](../minireg/autograd.py)",
            "[`Tensor.backward`](#minireg.autograd.Tensor.backward)",
        ),
        ("docs/internals/a.md", "[ops](../../minireg/ops)", "[ops](#minireg.ops)"),
        ("docs/internals/a.md", "[x](../recipes.md#where-it-ends)", "[x](../recipes.md#where-it-ends)"),
        ("docs/internals/a.md", "[x](../../README.md#speed)", "[x](../README.md#speed)"),
        ("docs/internals/a.md", "[x](../../tests/test_warp.py)", "[x](path:../../tests/test_warp.py)"),
        ("docs/internals/a.md", "the [tests](../../tests/)", "the tests"),
        ("docs/internals/a.md", "x[0](y)", "x[0](y)"),
        ("lessons/README.md", "![x y](../docs/images/fields.png)", "![x y](../images/fields.png)"),
        (
            "lessons/README.md",
            '<img alt="x" src="../docs/images/fields.png">',
            '<img alt="x" src="../images/fields.png">',
        ),
        ("lessons/README.md", "[x](08_the_gradient_of_ncc.py)", "[x](08_the_gradient_of_ncc.py)"),
        ("docs/a.md", "[x](../lessons/08_the_gradient_of_ncc.py)", "[x](lessons/08_the_gradient_of_ncc.py)"),
        ("docs/a.md", "[x](../lessons/)", "[x](lessons/README.md)"),
        ("docs/a.md", "[x](figures/training_step.py)", "[x](path:figures/training_step.py)"),
        ("lessons/README.md", "[x](lesson.py)", "[x](path:../../lessons/lesson.py)"),
        ("CONTRIBUTING.md", "[x](docs/verification.md)", "[x](verification.md)"),
    ],
)
def test_links_are_turned_into_those_of_the_site(original, text, on_the_site):
    page = ROOT / original
    copy = {"lessons": DOCS / "lessons" / page.name, "CONTRIBUTING.md": DOCS / page.name}
    assert pages.rewrite_links(text, page, copy.get(Path(original).parts[0], page)) == on_the_site

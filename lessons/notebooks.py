"""`python -m lessons.notebooks`: the lessons as notebooks with their output, for Jupyter and VS Code.

    python -m lessons.notebooks                          # all of them, into notebooks/
    python -m lessons.notebooks 1 2 --out somewhere      # two of them, into another folder

The .py files are the only source. Each is run from its first cell to its last in a kernel of its own, as for the site
(docs/conf.py: in the folder of the lessons, with nobody's own settings, and a warning on stderr is a failure), and its
notebook then appears whole or not at all. Figures are inside the notebook. What the site folds away, JupyterLab folds
away too; VS Code shows it.

A link to a lesson whose notebook lies in the same folder leads there, and pictures are put into the notebook. Other
relative links lead into the checkout from where the notebook is. Notebooks that are given away have no checkout around
them: with `--site URL`, the address where the site is published, their links lead to its pages, except those to files
that it has no page for.
"""

import argparse
import base64
import importlib.util
import mimetypes
import os
import re
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

from minireg import command
from minireg.errors import InputError, MiniregError
from minireg.files import atomic_write

HERE = Path(__file__).resolve().parent
LESSONS = HERE
OUT = Path("notebooks")  # beside lessons/: `../docs/` leads to the same place from there
NEEDED = ("jupytext", "nbclient", "nbformat", "ipykernel")  # of the extra "docs"
TIMEOUT = 120  # seconds for a cell, as on the site
FOLDED = {  # tag for the site: metadata for JupyterLab
    "hide-input": {"source_hidden": True},
    "hide-output": {"outputs_hidden": True},
    "hide-cell": {"source_hidden": True, "outputs_hidden": True},
}
IPYTHON_SETTINGS = 'c.InlineBackend.figure_formats = {"retina"}\nc.IPKernelApp.log_level = 40\n'
LINK = re.compile(r'(?P<before>\]\(|<img\b[^>]*\bsrc=")(?P<target>[^()\s"]+)(?=[)"])')
ON_THE_SITE = ("README.md", "CONTRIBUTING.md", "lessons/README.md")  # pages that do not lie in docs/


class LessonError(MiniregError):
    """A lesson does not run to its end, or warns of something on the way."""


def main(argv=None):
    """Write the notebooks. Returns the exit code: 0, or 2 after one sentence that says what is wrong."""
    return command.run("notebooks", lambda: _write_all(_parse(argv)))


def _parse(argv):
    description = "Write lessons as notebooks, with their output."
    parser = argparse.ArgumentParser(prog="python -m lessons.notebooks", description=description)
    parser.add_argument("numbers", nargs="*", metavar="NUMBERS", help="which lessons, such as 1 2 (default: all)")
    parser.add_argument("--out", type=Path, default=HERE.parent / OUT, help="folder for the notebooks (%(default)s)")
    parser.add_argument("--site", metavar="URL", default="", help="where the site is published: links lead there")
    return parser.parse_args(argv)


def _write_all(args):
    lessons = _lessons(args.numbers)
    _check_extra()
    args.out.mkdir(parents=True, exist_ok=True)
    there = {lesson for lesson in _lessons([]) if lesson in lessons or notebook_path(lesson, args.out).exists()}
    with tqdm(lessons, "notebooks", unit="lesson") as bar:
        for lesson in bar:
            write(lesson, args.out, there, args.site)
    print(f"{args.out}: " + ", ".join(notebook_path(lesson, args.out).name for lesson in lessons))


def _lessons(numbers):
    """The files of the lessons with these numbers, as they were typed; of all if there are none."""
    available = {path.name[:2]: path for path in sorted(LESSONS.glob("[0-9][0-9]_*.py"))}
    for number in numbers:
        if number.zfill(2) not in available:
            raise InputError(f"there is no lesson {number!r}: expected some of {', '.join(available)}")
    wanted = {number.zfill(2) for number in numbers} or available
    return [path for number, path in available.items() if number in wanted]


def _check_extra():
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        install = 'python -m pip install -e ".[docs]"'
        raise InputError(f"{', '.join(missing)} not found: install what notebooks need with `{install}`")


def notebook_path(lesson, out):
    """Where the notebook of a lesson goes."""
    return out / f"{lesson.stem}.ipynb"


def write(lesson, out, notebooks=(), site=""):
    """Run a lesson and write its notebook into the folder `out`, which exists.

    notebooks : files of the lessons whose notebooks lie, or will lie, in that folder; site : address of the site, or ""

    Raises LessonError, which names the lesson and the cell, and then leaves that folder as it was.
    """
    import jupytext
    import nbformat

    notebook = jupytext.read(lesson, fmt="py:percent")
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number}"  # the same in every run
        cell.metadata.pop("lines_to_next_cell", None)  # it is for the way back to a .py file
        for tag in cell.metadata.get("tags", ()):
            if tag in FOLDED:
                cell.metadata.setdefault("jupyter", {}).update(FOLDED[tag])
        if cell.cell_type == "markdown":
            cell.source, pictures = _with_links(cell.source, lesson, out, notebooks, site)
            if pictures:
                cell.attachments = pictures
    execute(notebook, lesson)
    with atomic_write(notebook_path(lesson, out), "w") as file:
        file.write(nbformat.writes(notebook) + "\n")


def execute(notebook, lesson):
    """Run all cells of a notebook, in place, as the site does. Raises LessonError for the first that fails or warns."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    begun = notebook.cells[:1]

    def fail(cell, words):
        number = notebook.cells.index(cell) + 1
        line = lesson.read_text(encoding="utf-8").partition(cell.source)[0].count("\n") + 1
        raise LessonError(f"{lesson.name} {words} in cell {number}, line {line}") from None

    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        record_timing=False,  # the same file in every run
        coalesce_streams=True,
        resources={"metadata": {"path": str(lesson.parent)}},
        on_cell_start=lambda cell, cell_index: begun.append(cell),
    )
    with tempfile.TemporaryDirectory() as settings:
        try:
            client.execute(env=_environment(settings))
        except CellExecutionError as error:
            fail(begun[-1], f"raises {error.ename} ({error.evalue})")
        except CellTimeoutError:
            fail(begun[-1], f"takes more than {TIMEOUT} s")
        except RuntimeError:
            fail(begun[-1], "was interrupted, or its kernel died,")
        except AssertionError:  # nbclient takes Ctrl-C itself, ends the kernel, and then misses it
            raise KeyboardInterrupt(f"{lesson.name} is not written.") from None
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                fail(cell, f"warns ({output.text.strip()})")


def _environment(settings):
    """The environment variables of a kernel: as docs/conf.py sets them, and figures into the notebook."""
    profile = Path(settings) / "profile_default"
    profile.mkdir()
    (profile / "ipython_kernel_config.py").write_text(IPYTHON_SETTINGS)
    path = os.pathsep.join([str(HERE), str(HERE.parent)])  # `import lesson`
    kept = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    return kept | {"PYTHONPATH": path, "IPYTHONDIR": str(settings)}


def _with_links(text, lesson, out, notebooks, site):
    """A text with its links as this module's docstring says, and its pictures as attachments of the cell."""
    pictures = {}

    def link(match):
        path, _, anchor = match["target"].partition("#")
        file = Path(os.path.normpath(lesson.parent / path))
        if not path or not file.exists():
            return match[0]
        kind = mimetypes.guess_type(file.name)[0] or ""
        if kind.startswith("image/"):
            pictures[file.name] = {kind: base64.b64encode(file.read_bytes()).decode()}
            return f"{match['before']}attachment:{file.name}"
        target = notebook_path(file, Path()).name if file in notebooks else _page(file, lesson.parent.parent, site)
        target = target or Path(os.path.relpath(file, out)).as_posix()
        return match["before"] + target + (f"#{anchor}" if anchor else "")

    return LINK.sub(link, text), pictures


def _page(file, root, site):
    """The address of a file's page on the site, "" if there is none."""
    name = file.relative_to(root).as_posix() if root in file.parents else ""
    page = re.sub(r"\.(md|rst|py)$", ".html", name)
    if not site or page == name or name.endswith("/__init__.py"):
        return ""
    if name.startswith("minireg/"):
        page = f"_modules/{page}"  # the listing of its source
    elif name.startswith("docs/"):
        page = page.removeprefix("docs/")
    elif name not in ON_THE_SITE and not re.fullmatch(r"lessons/\d\d_\w+\.py", name):
        return ""
    return f"{site.rstrip('/')}/{page}"


if __name__ == "__main__":
    sys.exit(main())

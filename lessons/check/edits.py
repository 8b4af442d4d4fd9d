"""Mistakes that learners make, each as one edit of the solution, written down as a text:

    np.floor => np.trunc
        Left of pixel 0 and above it, your cell is the wrong one. What does `int` make of -0.3, and `floor`?
    u = -u
        You look at p - u(p). Pulling means that the output pixel p looks at p + u(p).

An edit replaces a piece of text wherever it stands in the solution and in the functions of the same file that it calls,
or it is a line that is put first in the solution. Several edits above one hint are several ways to make one mistake.
"""

import inspect
import re
from collections.abc import Callable
from typing import NamedTuple

BLOCK = re.compile(r"((?:^\S.*\n)+)((?:^ +\S.*\n)+)", re.MULTILINE)


class Mistake(NamedTuple):
    """A wrong function that a learner may well write, the hint for those who did, and the edit that leads to it."""

    hint: str
    function: Callable
    edit: str | None = None


def blocks(text):
    """(line, hint) for every line of such a text that does not belong to a hint."""
    for lines, hint in BLOCK.findall(text + "\n"):
        for line in lines.splitlines():
            yield line, " ".join(hint.split())


def mistakes(solution, text):
    """The Mistakes that such a text describes, in its order."""
    return [Mistake(hint, edited(solution, edit), edit) for edit, hint in blocks(text)]


def edited(solution, *edits):
    """The function that these edits make of a solution, or None where one of them does not apply."""
    module = inspect.getmodule(solution)
    source = _source(solution)
    for edit in edits:
        old, arrow, new = edit.partition(" => ")
        if not arrow:
            old = inspect.getsource(solution).splitlines()[0]
            new = f"{old}\n    {edit}"
        if old not in source:
            return None
        source = source.replace(old, new)
    names = dict(vars(module))
    try:
        exec(compile(source, "<a mistake>", "exec"), names)
    except SyntaxError:  # two edits may not go together
        return None
    return names[solution.__name__]


def _source(solution):
    """The solution, and the functions of its file that it calls."""
    functions = dict(inspect.getmembers(inspect.getmodule(solution), inspect.isfunction))
    found, to_read = {}, [solution.__name__]
    while to_read:
        name = to_read.pop()
        found[name] = inspect.getsource(functions[name])
        to_read += [other for other in functions if other not in found and f"{other}(" in found[name]]
    return "\n\n".join(found.values())

"""The docstrings of this project as reStructuredText, for autodoc.

They are written to be read in the source: plain text, `names` between single backticks, formulas and examples in
indented blocks, tables aligned by spaces, sections as in numpydoc. So

    an indented block                                   is shown exactly as it stands, in a monospaced font
    an example, or a paragraph that is Python           likewise: ">>> 1 + 1", "loss.backward()"
    a formula   and another one   beside it             likewise, one below the other
    `name`                                              is code, and a link where something of that name is documented
    `name`     what it is                               is an item of a list, where all lines of a paragraph are such
    "Parameters", "Returns", ... with a line below      is a field; its entries become a list
    everything else                                     is text in which no character has a meaning of its own
"""

import ast
import re
import textwrap

SECTION_LINE = re.compile(r"-{3,}$")
ENTRY = re.compile(r"(?P<names>[*\w\"][^:`]*?) : (?P<rest>.*)")
EXCEPTION = re.compile(r"\w+$")
LIST_ITEM = re.compile(r"(- |\d+\. )")
WIDE_GAP = re.compile(r"(?<=\S) {3,}(?=\S)")
NAMED = re.compile(r"(?P<name>`[^`]+`) {3,}(?P<what>\S.*)")
PROMPT = ">>> "
DOES_SOMETHING = (ast.Assign, ast.AugAssign, ast.Import, ast.ImportFrom, ast.With, ast.For)
IDENTIFIER = re.compile(r"[A-Za-z_][\w.]*(\(\))?$")


def convert(lines):
    """The lines of a docstring as lines of reStructuredText."""
    result = []
    in_section = False
    for block in _joined(_split(lines, lambda line, before: not before)):
        if block[0].startswith(PROMPT) or (not _is_indented(block[0]) and _is_python(block)):
            in_section = False
            result += [*_literal(block), ""]
        elif len(block) > 1 and SECTION_LINE.match(block[1]):
            in_section = True
            result += [f":{block[0]}:", *_indented(_entries(block[2:], block[0] == "Raises")), ""]
        elif in_section and _is_indented(block[0]):  # a second paragraph of the last entry
            result += [*_indented(["  " + _text(block)]), ""]
        elif all(ENTRY.match(line) for line in block if not _is_indented(line)) and not _is_indented(block[0]):
            result += [*_entries(block), ""]
        elif all(NAMED.match(line) for line in block):
            in_section = False
            result += [*("- " + _text([NAMED.sub(r"\g<name>: \g<what>", line)]) for line in block), ""]
        elif all(line.startswith("    ") for line in block if line):
            result += [*_literal(textwrap.dedent("\n".join(block)).split("\n")), ""]
        else:
            in_section = False
            for part in _split(block, _begins_a_part):
                result += [*_part(part), ""]
    return result


def _split(lines, begins):
    """The lines in groups; a group begins where begins(line, line before) is true. Empty lines are left out."""
    groups, before = [], ""
    for line in lines:
        if line.strip():
            if not groups or begins(line, before):
                groups.append([])
            groups[-1].append(line.rstrip())
        before = line.strip() and line.rstrip()
    return groups


def _joined(blocks):
    """The blocks, those that follow each other and are shown as they stand in one, an empty line between them."""
    result = []
    for block in blocks:
        if result and all(line.startswith("    ") for line in [*filter(None, result[-1]), *block]):
            result[-1] += ["", *block]
        else:
            result.append(block)
    return result


def _is_python(lines):
    """Whether lines are statements that do something, and not words that Python could read too."""
    try:
        statements = ast.parse("\n".join(lines)).body
    except SyntaxError:
        return False
    return any(
        isinstance(statement, DOES_SOMETHING) or isinstance(getattr(statement, "value", None), ast.Call)
        for statement in statements
    )


def _is_indented(line):
    return line.startswith(" ")


def _begins_a_part(line, before):
    """Within a block: a list item, or the first line that is shown as it stands, or the first after those."""
    if _is_indented(line):
        # Two or three spaces continue an item of a list; four and more are shown as they stand.
        return not _is_indented(before) and line.startswith("    ")
    return _is_indented(before) or bool(LIST_ITEM.match(line))


def _part(lines):
    if _is_indented(lines[0]):
        return _literal(textwrap.dedent("\n".join(lines)).split("\n"))
    if WIDE_GAP.search(lines[0]):
        return _literal([formula.rstrip(",") for line in lines for formula in WIDE_GAP.split(line)])
    marker = LIST_ITEM.match(lines[0])
    return [marker[0] + _text(lines)[len(marker[0]) :] if marker else _text(lines)]


def _literal(lines):
    """Lines as they stand; coloured if they are Python, or an example of it."""
    try:
        ast.parse("\n".join(lines))
        language = "python"
    except SyntaxError:
        language = "pycon" if lines[0].startswith(PROMPT) else "text"
    return [f".. code-block:: {language}", "", *_indented(lines)]


def _indented(lines):
    return ["    " + line for line in lines]


def _entries(lines, of_raises=False):
    """The entries of a section as a list; where it has none, its text."""
    result = []
    begins = EXCEPTION if of_raises else ENTRY
    for entry in _split(lines, lambda line, before: bool(begins.match(line))):
        match = ENTRY.match(entry[0])
        if match:
            result.append(f"- **{_escaped(match['names'])}**: {_text(_closed([match['rest'], *entry[1:]]))}")
        elif of_raises and EXCEPTION.match(entry[0]):
            result.append(f"- **{entry[0]}**: {_text(entry[1:])}".removesuffix(": "))
        else:
            result.append(_text(_closed(entry)))
    return result


def _closed(lines):
    """The lines, the first with a full stop if it lacks one and the second begins a sentence."""
    if len(lines) > 1 and re.match(r" +[A-Z]", lines[1]) and lines[0][-1:] not in {"", ".", ",", ";", ":"}:
        return [lines[0] + ".", *lines[1:]]
    return lines


def _text(lines):
    """Lines of text as one; `code` stays code."""
    parts = re.split(r"(`[^`]+`)", " ".join(line.strip() for line in lines))
    for i in range(1, len(parts), 2):
        code = parts[i][1:-1]
        glue = "" if parts[i - 1][-1:] in {"", " ", "("} else "\\ ", "\\ " if parts[i + 1][:1].isalnum() else ""
        parts[i] = glue[0] + (f":py:obj:`{code}`" if IDENTIFIER.match(code) else f"``{code}``") + glue[1]
    parts[::2] = [_escaped(part) for part in parts[::2]]
    return "".join(parts)


def _escaped(text):
    return re.sub(r"([\\*|_<>`])", r"\\\1", text)


def setup(app):
    def replace(app, what, name, obj, options, lines):
        lines[:] = convert(lines)

    def look_further(app, env, node, content):
        """`ops.warp` and `warp` mean minireg.ops.warp wherever nothing nearer has that name."""
        if node["reftype"] != "obj" or node["reftarget"].startswith("minireg."):
            return None
        python = env.get_domain("py")
        found = ("minireg." + node["reftarget"], "minireg.ops." + node["reftarget"])
        targets = (name for name in found if name in python.objects)
        return next(
            (python.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, content) for name in targets),
            None,
        )

    app.connect("autodoc-process-docstring", replace)
    app.connect("missing-reference", look_further)
    return {"parallel_read_safe": True}

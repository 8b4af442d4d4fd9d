"""docs/verification.md says what is so: its table is that of the command, its example prints what it shows."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from gradients import ops_of_the_package, temporary_ops

from minireg.gradcheck.__main__ import check_op

PAGE = (Path(__file__).parents[1] / "docs" / "verification.md").read_text(encoding="utf-8")
TABLE = PAGE.split("<!-- table -->\n")[1].split("\n<!-- end of table -->")[0].splitlines()
ROWS = {
    op: (arguments, verdict) for op, arguments, _, _, _, _, verdict, _ in (re.findall(r"[^|]+", r) for r in TABLE[2:])
}


def test_the_table_has_a_row_for_every_op():
    assert sorted(op.strip() for op in ROWS) == ops_of_the_package()
    assert len(ROWS) == len(TABLE) - 2


@pytest.mark.parametrize("name", ops_of_the_package())
def test_the_row_of_an_op_says_what_the_command_finds(name):
    row = check_op(name, most=6)
    assert (f" {row.arguments} ", f" {row.verdict} ") == ROWS[f" {name} "]


def test_the_example_prints_what_the_page_shows():
    code, shown = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", PAGE, re.DOTALL).groups()
    printed = io.StringIO()
    with temporary_ops(), contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue() == shown

"""Pairs of images listed in a CSV file, one a line."""

import csv
import io
from pathlib import Path

from minireg.errors import InputError

REQUIRED = ("moving", "fixed")


def read_list(path, columns, may_be_empty=()):
    """The lines of a CSV file as dicts of text, by the names in its first line.

    Those must be moving and fixed, and others out of `columns`. Raises InputError for another or a missing column, a
    line with an entry too many, or without one that is in none of `may_be_empty`; and for what is no CSV file.

    >>> Path("pairs.csv").write_text("moving,fixed\\na.png,b.png\\n") and read_list("pairs.csv", REQUIRED)
    [{'moving': 'a.png', 'fixed': 'b.png'}]
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no list of pairs {path}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # -sig: spreadsheets put a mark before the header
            text = file.read()
        if "\0" in text:  # which no path can have
            raise csv.Error("line contains NUL")
        reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
        names, lines = reader.fieldnames or [], list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV file: {error}") from None
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise InputError(f"{path} lacks the column {missing[0]}: its first line must name the columns moving and fixed")
    unknown = [str(name) for name in names if name not in columns]
    if unknown:
        raise InputError(f"{path} has an unknown column {unknown[0]!r}: expected {', '.join(columns)}")
    needed = [name for name in names if name not in may_be_empty]
    for number, line in enumerate(lines, start=2):
        if None in line or any(not line[name] for name in needed):
            raise InputError(f"line {number} of {path} does not have one entry for each of {', '.join(needed)}")
    return lines

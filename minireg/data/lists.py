"""Tables in CSV files, and pairs of images listed in one, a pair a line."""

import csv
import io
from pathlib import Path

from minireg.errors import InputError

REQUIRED = ("moving", "fixed")


def read_table(path, what):
    """The names in the first line of a CSV file, and the lines below as dicts of text by these names.

    `what` says in messages what the file is. Raises InputError where there is none, or it is no text with commas.

    >>> Path("points.csv").write_text("row,column\\n3,4.5\\n") and read_table("points.csv", "file of points")
    (['row', 'column'], [{'row': '3', 'column': '4.5'}])
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no {what} {path}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # -sig: spreadsheets put a mark before the header
            text = file.read()
        if "\0" in text:  # which no path and no number can have
            raise csv.Error("line contains NUL")
        reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
        names, lines = reader.fieldnames or [], list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV file: {error}") from None
    for separator, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and separator in names[0]:
            raise InputError(f"{path} has {called} between its columns: expected commas, and decimal points")
    return names, lines


def read_list(path, columns, may_be_empty=()):
    """The lines of a CSV file as dicts of text, by the names in its first line.

    Those must be moving and fixed, and others out of `columns`. Raises InputError as `read_table`, for another or a
    missing column, and for a line with an entry too many, or without one that is in none of `may_be_empty`.

    >>> Path("pairs.csv").write_text("moving,fixed\\na.png,b.png\\n") and read_list("pairs.csv", REQUIRED)
    [{'moving': 'a.png', 'fixed': 'b.png'}]
    """
    names, lines = read_table(path, "list of pairs")
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

"""Points in CSV files: columns of coordinates in pixels, under a header with their names."""

import csv
from pathlib import Path

import numpy as np

from minireg.errors import InputError
from minireg.files import atomic_write


def read_points(path, columns):
    """Read the named columns of a CSV file that has a header line: (K, number of columns), float32.

    Further columns are ignored. Raises InputError where there is no such file, a column or all rows are missing, or
    something is not a finite number.

    >>> write_points("points.csv", ["row", "column"], [[3, 4.5], [10, 0]])
    >>> read_points("points.csv", ["column", "row"]).tolist()
    [[4.5, 3.0], [0.0, 10.0]]
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file of points {path}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # -sig: spreadsheets put a mark before the header
            rows = list(csv.DictReader(file, skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV ({error})") from None
    missing = [column for column in columns if not rows or column not in rows[0]]
    if missing:
        raise InputError(f"{path} needs a header with {', '.join(columns)}, and rows below it; lacks {missing[0]}")
    try:
        points = np.array([[float(row[column]) for column in columns] for row in rows], "float32")
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} holds something that is no number ({error})") from None
    if not np.isfinite(points).all():
        raise InputError(f"{path} holds coordinates that are NaN or infinite")
    return points


def write_points(path, columns, rows):
    """Write a header and rows of numbers to a CSV file, whole or not at all.

    >>> write_points("points.csv", ["row", "column"], [[3, 4.5], [10, 0]])
    >>> Path("points.csv").read_text().split()
    ['row,column', '3,4.5', '10,0']
    """
    with atomic_write(path, "w") as file:
        file.write(",".join(columns) + "\n")
        file.writelines(",".join(f"{value:g}" for value in row) + "\n" for row in rows)

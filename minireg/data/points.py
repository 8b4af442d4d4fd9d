"""Points in CSV files: columns of coordinates in pixels, under a header with their names."""

import numpy as np

from minireg.data.lists import read_table
from minireg.errors import InputError
from minireg.files import atomic_write


def read_points(path, columns):
    """Read the named columns of a CSV file that has a header line: (K, number of columns), float32.

    Further columns are ignored. Raises InputError as `read_table`, where a column or all rows are missing, or something
    is not a finite number.

    >>> write_points("points.csv", ["row", "column"], [[3, 4.5], [10, 0]])
    >>> read_points("points.csv", ["column", "row"]).tolist()
    [[4.5, 3.0], [0.0, 10.0]]
    """
    names, rows = read_table(path, "file of points")
    missing = [column for column in columns if column not in names]
    if missing:
        raise InputError(f"{path} needs a header with {', '.join(columns)}, and rows below it; lacks {missing[0]}")
    if not rows:
        raise InputError(f"{path} has a header, but no points: expected rows of numbers below it")
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
    >>> open("points.csv").read().split()
    ['row,column', '3,4.5', '10,0']
    """
    with atomic_write(path, "w") as file:
        file.write(",".join(columns) + "\n")
        file.writelines(",".join(f"{value:g}" for value in row) + "\n" for row in rows)


def outside(points, shape, image):
    """A sentence where some of the points (K, 2) lie on no pixel of an image of the shape (H, W), else None.

    >>> outside(np.array([[0, 0], [3.4, 2], [3.6, 2], [2, -1]]), (4, 5), "fixed image")
    '2 of 4 points lie outside of the fixed image (4 x 5): are rows and columns exchanged?'
    """
    count = ((points < -0.5) | (points > np.array(shape) - 0.5)).any(axis=-1).sum()
    if not count:
        return None
    size = " x ".join(map(str, shape))
    return f"{count} of {len(points)} points lie outside of the {image} ({size}): are rows and columns exchanged?"

"""What pictures share: their width, the check of their input, rows of panels, a grid, words, how they are saved."""

import numpy as np

from minireg.errors import InputError
from minireg.files import atomic_write
from minireg.viz.fields import WarpedGrid
from minireg.viz.images import show_grey

PICTURE_WIDTH = 9.0  # inches; 900 pixels, which is about the width of a README
DOTS_PER_INCH = 100
NOTE_COLOUR = "#444444"

GAP = 0.06  # inches between the panels of a row
DIMMED = 2.0  # the white level of an image behind a grid: twice the true one keeps the image in the back
GRID_LINES = 20  # at most about so many can be told apart in one panel, with the image still visible
PANEL_ASPECTS = (0.25, 2.5)  # height : width of a panel; an image beyond is fitted in, not stretched


def check_pairs(moving, fixed, warped, displacement, titles, max_rows):
    """What the metrics do not check: that all four arrays and the titles belong to the same pairs."""
    shapes = [np.shape(array) for array in (moving, fixed, warped, displacement)]
    n_h_w = shapes[0][:3]
    if shapes != [(*n_h_w, 1)] * 3 + [(*n_h_w, 2)]:
        raise InputError(
            "expected moving, fixed, warped of one shape (N, H, W, 1) and displacement (N, H, W, 2), found "
            + ", ".join(map(str, shapes))
        )
    if titles is not None and len(titles) != len(moving):
        raise InputError(f"expected one title for each of the {len(moving)} pairs, found {len(titles)}")
    if max_rows < 1:
        raise InputError(f"a picture needs at least one row, found max_rows={max_rows}")


def rows_of_panels(rows, columns, panel_width, aspect, heading, notes, foot=0.0, width=PICTURE_WIDTH, titled=False):
    """A figure with rows of equal panels for images, and its axes, an array (rows, columns).

    All lengths are in inches, so that every panel has its image's aspect (height : width) and all writing keeps its
    size: `heading` above the first row, `notes` below every row, `foot` at the bottom, and a margin at the left that
    holds titles if the rows are titled.
    """
    from matplotlib.figure import Figure

    panel_height = panel_width * np.clip(aspect, *PANEL_ASPECTS)
    height = heading + rows * (panel_height + notes) + foot
    margins = width - columns * panel_width - (columns - 1) * GAP
    left = 0.3 if titled else margins / 2
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH)
    panels = figure.subplots(
        rows,
        columns,
        squeeze=False,
        subplot_kw={"xticks": [], "yticks": []},
        gridspec_kw={
            "left": left / width,
            "right": 1 - (margins - left) / width,
            "bottom": (notes + foot) / height,
            "top": 1 - heading / height,
            "wspace": GAP / panel_width,
            "hspace": notes / panel_height,
        },
    )
    return figure, panels


def draw_grid_on(axes, image, displacement, lines=GRID_LINES):
    """Draw a grid over a dimmed image (H, W, 1), with about so many lines along the longer side. Returns the grid."""
    show_grey(axes, image, DIMMED)
    grid = WarpedGrid(displacement, max(1, round(max(image.shape) / lines)))
    grid.draw(axes)
    return grid


def write_words(axes, words):
    """Write words in colours of their own, a dict of one or two, centred above a panel."""
    centred = {1: ["center"], 2: ["right", "left"]}[len(words)]
    for (word, colour), side in zip(words.items(), centred, strict=True):
        apart = {"center": 0, "right": -2, "left": 2}[side]
        axes.annotate(
            word, (0.5, 1), (apart, 3), "axes fraction", "offset points", color=colour, size=9, ha=side, va="bottom"
        )


def save(figure, path):
    """Write a figure as PNG, without the version of Matplotlib in it: the same picture is the same bytes."""
    with atomic_write(path) as file:
        figure.savefig(file, format="png", metadata={"Software": None})

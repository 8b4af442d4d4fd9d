"""One page about one registration: six panels, a table of numbers, and doubts in words: `report_picture`."""

import textwrap

import numpy as np

from minireg.metrics import folded_cells
from minireg.viz import fields
from minireg.viz.common import NOTE_COLOUR, check_pairs, draw_grid_on, rows_of_panels, save
from minireg.viz.folds import FOLD_COLOUR
from minireg.viz.images import FIRST_COLOUR, SECOND_COLOUR, draw_checkerboard, draw_overlay

WIDTH, HEIGHT = 8.27, 11.69  # inches: A4
LARGEST_PANEL = 2.5, 2.7  # inches, wide and high
HEADING, NOTES = 1.25, 0.75  # inches above the panels, and below each row of them
COLUMNS = 0.06, 0.30, 0.46, 0.64  # where those of the table begin, in widths of the page
LINE = 0.235  # inches
LETTERS = 104  # of a line of a doubt
NOTHING = "None of these numbers gives a reason to doubt. That is not a proof: look at the panels."


def report_picture(before, fixed, warped, displacement, path, rows, doubts, heading="", spacing=None):
    """Write a PNG of one page, A4, about the first pair: before and after, the field, numbers, and what to doubt.

    Parameters
    ----------
    before, fixed, warped : float arrays (N, H, W, 1), intensities in [0, 1]; the moving image before and after
    displacement : float array (N, H, W, 2), in pixels
    path : str or Path
    rows : sequence of four words each: a name, the number before, the number after, what it can tell
    doubts : sequence of sentences; without any, the page says that this is no proof
    heading : str, how the images were registered. No name of a file or a patient belongs here.
    spacing : two floats, optional, from row to row and from column to column, in mm; lengths are then in mm

    Raises InputError and OSError as `inspection_picture`.

    >>> from matplotlib.image import imread
    >>> moving, fixed = np.random.default_rng(0).random((2, 1, 32, 32, 1))
    >>> rows = [("NCC", "0.10", "0.98", "alike or not")]
    >>> report_picture(moving, fixed, moving, np.zeros((1, 32, 32, 2)), "report.png", rows, ["It folds."])
    >>> imread("report.png").shape
    (1169, 827, 4)
    """
    check_pairs(before, fixed, warped, displacement, None, 1)
    before, fixed, warped, displacement = before[0], fixed[0], warped[0], displacement[0]
    unit, (down, across) = ("px", (1.0, 1.0)) if spacing is None else ("mm", spacing)
    aspect = fixed.shape[0] * down / (fixed.shape[1] * across)
    panel_width = min(LARGEST_PANEL[0], LARGEST_PANEL[1] / min(aspect, 2.5))
    page = HEADING, NOTES, 2 * (panel_width * np.clip(aspect, 0.25, 2.5) + NOTES)
    figure, panels = rows_of_panels(2, 3, panel_width, aspect, HEADING, NOTES, HEIGHT - HEADING - page[2], width=WIDTH)
    (first, second, checkerboard), (grid, jacobian, length) = panels
    draw_overlay(first, before, fixed)
    draw_overlay(second, warped, fixed)
    draw_checkerboard(checkerboard, warped, fixed)
    draw_grid_on(grid, before, displacement)
    fields.draw_log_jacobian(jacobian, displacement, pixel_aspect=down / across)
    fields.draw_length(length, np.hypot(displacement[..., 0] * down, displacement[..., 1] * across), down / across)
    titles = "before", "after", "warped and fixed, by turns", "where pixels look", "log |J|", f"displacement in {unit}"
    for axes, title in zip(panels.flat, titles, strict=True):
        axes.set_title(title, size=9, pad=4)
        axes.set_aspect(down / across)
    notes = {first: ("moving", "fixed"), second: ("warped", "fixed")}
    for axes, words in notes.items():
        for word, colour, side in zip(words, (FIRST_COLOUR, SECOND_COLOUR), ("right", "left"), strict=True):
            apart = -3 if side == "right" else 3
            axes.annotate(
                word, (0.5, 0), (apart, -4), "axes fraction", "offset points", color=colour, size=8, ha=side, va="top"
            )
    if folded_cells(displacement[None])[0]:
        grid.set_xlabel("red: it folds", size=8, color=FOLD_COLOUR, labelpad=3)

    write = _writer(figure)
    write(0.06, 0.45, "Registration report", size=16, weight="bold")
    write(0.06, 0.75, heading, size=9, color=NOTE_COLOUR)
    top = HEADING + page[2] + 0.05
    for number, row in enumerate([("", "before", "after", "what it can tell"), *rows]):
        for place, words in zip(COLUMNS, row, strict=True):
            write(place, top + number * LINE, words, size=8, color=NOTE_COLOUR if place == COLUMNS[3] else "black")
    top += (len(rows) + 1.8) * LINE
    write(0.06, top, "Doubts", size=11, weight="bold")
    colour = FOLD_COLOUR if doubts else NOTE_COLOUR
    for number, line in enumerate(_lines(doubts or [NOTHING]), start=1):
        write(0.06, top + number * LINE, line, size=9, color=colour)
    save(figure, path)


def _writer(figure):
    """A function that writes words at a place: across in widths of the page, down in inches from its top."""
    return lambda across, down, words, **looks: figure.text(across, 1 - down / HEIGHT, words, va="baseline", **looks)


def _lines(sentences):
    return [line for sentence in sentences for line in textwrap.wrap(sentence, LETTERS, subsequent_indent="    ")]

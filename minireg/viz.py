"""Every picture: how training went, and what a registration did to each pair of images.

    loss_curve({"loss": losses}, "loss.png")
    registration_picture(moving, fixed, warped, displacement, "pairs.png")

Matplotlib is imported inside the functions, so importing this module costs nothing, and only `Figure` is
used: no pyplot, no window, no state shared between calls. A PNG appears whole or not at all, and the same
input gives the same bytes.
"""

import numpy as np

from minireg.errors import InputError
from minireg.files import atomic_write
from minireg.metrics import corner_determinants, folded_cells, folded_pixels, ncc

PICTURE_WIDTH = 9.0  # inches; 900 pixels, which is about the width of a README
DOTS_PER_INCH = 100

GRID_COLOUR = "#4cc9f0"
FOLD_COLOUR = "#ff2d2d"
CURVE_COLOUR = "#1f5fa8"
NOTE_COLOUR = "#444444"

DIMMED = 2.0  # the white level of an image behind a grid: twice the true one keeps the image in the back
GRID_LINES = 20  # at most about so many can be told apart in one panel, with the image still visible
PANEL_ASPECTS = (0.25, 2.5)  # height : width of a panel; an image beyond is fitted in, not stretched
AVERAGE_SHARE = 0.05  # the running average of a curve spans this share of its steps


def loss_curve(history, path):
    """Write a PNG with one panel per entry of `history`: raw values faint, their running average on top.

    The average at a step is the mean of the last 5 % of all steps up to it, so it looks back and never ahead.
    With one step it shows a dot; with none, a picture that says so.

    Parameters
    ----------
    history : dict of str to float array (steps,)
        For example {"loss": ..., "similarity": ..., "smoothness": ...}, all equally long, one value per step.
    path : str or Path
        The PNG file to write, 900 pixels wide.

    Raises
    ------
    InputError
        Entries that are not one-dimensional, or not equally long.
    OSError
        From `atomic_write`, with nothing left behind.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    history = {name: np.asarray(values) for name, values in history.items()}
    shapes = {name: values.shape for name, values in history.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise InputError(f"expected one number per step and equally many for every curve, found shapes {shapes}")

    figure = Figure(figsize=(PICTURE_WIDTH, 3.0), dpi=DOTS_PER_INCH, layout="constrained")
    panels = figure.subplots(1, max(len(history), 1), squeeze=False)[0]
    if not any(values.size for values in history.values()):
        for axes in panels:
            axes.set_axis_off()
        figure.text(0.5, 0.5, "no training steps yet", ha="center", va="center", color=NOTE_COLOUR, size=14)
        _save(figure, path)
        return

    for axes, (name, values) in zip(panels, history.items(), strict=True):
        steps = np.arange(1, len(values) + 1)
        window = max(1, round(AVERAGE_SHARE * len(values)))
        average = np.convolve(values, np.full(window, 1 / window), mode="valid")
        marker = "o" if len(values) == 1 else None
        axes.plot(steps, values, color=CURVE_COLOUR, alpha=0.3, linewidth=0.8)
        axes.plot(steps[window - 1 :], average, color=CURVE_COLOUR, linewidth=1.8, marker=marker)
        axes.set(title=name, xlabel="step", xlim=(0, len(values) + 1))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    panels[0].set_ylabel("value")
    _save(figure, path)


def registration_picture(moving, fixed, warped, displacement, path, titles=None, max_rows=8):
    """Write a PNG with one row per pair: what went in, what came out, what is left, and how space was bent.

    Columns: moving, fixed, warped, the differences moving - fixed and warped - fixed (red: too bright, blue:
    too dark, white: equal; one scale for the whole picture), and the grid of `draw_warped_grid` over the
    dimmed moving image. Below the differences stands the NCC of the two images that were subtracted, below
    the grid the share of folds.

    Parameters
    ----------
    moving, fixed, warped : float arrays (N, H, W, 1), intensities in [0, 1]
    displacement : float array (N, H, W, 2), in pixels, with which `warped` was sampled from `moving`
    path : str or Path
        The PNG file to write, 900 pixels wide.
    titles : list of N str, optional
        What to write to the left of each pair.
    max_rows : int
        Pairs beyond this many are left out.

    Raises
    ------
    InputError
        Shapes that do not belong together, more than one channel, or values that are not finite.
    OSError
        From `atomic_write`, with nothing left behind.
    """
    from matplotlib.figure import Figure

    _check_pairs(moving, fixed, warped, displacement, titles, max_rows)
    rows, height, width = (min(len(moving), max_rows), *moving.shape[1:3])
    moving, fixed, warped, displacement = (array[:rows] for array in (moving, fixed, warped, displacement))
    ncc_before, ncc_after = ncc(moving, fixed), ncc(warped, fixed)
    cells, pixels = folded_cells(displacement), folded_pixels(displacement)
    before, after = moving - fixed, warped - fixed
    largest_difference = max(np.abs(before).max(), np.abs(after).max())
    spacing = max(1, round(max(height, width) / GRID_LINES))

    # Lengths in inches, so that every panel has its image's aspect and the notes keep their size.
    panel_width, gap, heading, notes = 1.39, 0.06, 0.3, 0.42
    panel_height = panel_width * np.clip(height / width, *PANEL_ASPECTS)
    picture_height = heading + rows * (panel_height + notes)
    margins = PICTURE_WIDTH - 6 * panel_width - 5 * gap
    left = margins / 2 if titles is None else 0.3
    figure = Figure(figsize=(PICTURE_WIDTH, picture_height), dpi=DOTS_PER_INCH)
    panels = figure.subplots(
        rows,
        6,
        squeeze=False,
        subplot_kw={"xticks": [], "yticks": []},
        gridspec_kw={
            "left": left / PICTURE_WIDTH,
            "right": 1 - (margins - left) / PICTURE_WIDTH,
            "bottom": notes / picture_height,
            "top": 1 - heading / picture_height,
            "wspace": gap / panel_width,
            "hspace": notes / panel_height,
        },
    )
    headings = ("moving", "fixed", "warped", "moving − fixed", "warped − fixed", "warped grid")
    for axes, text in zip(panels[0], headings, strict=True):
        axes.set_title(text, size=10, pad=5)

    limit = largest_difference or 1
    difference_colours = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    note = {"size": 8, "color": NOTE_COLOUR, "labelpad": 3}
    for row, (*image_axes, before_axes, after_axes, grid_axes) in enumerate(panels):
        for axes, images in zip(image_axes, (moving, fixed, warped), strict=True):
            axes.imshow(images[row], cmap="gray", vmin=0, vmax=1)
        if titles is not None:
            image_axes[0].set_ylabel(titles[row], size=10)
        before_axes.imshow(before[row], **difference_colours)
        before_axes.set_xlabel(f"NCC {ncc_before[row]:.3f}", **note)
        after_axes.imshow(after[row], **difference_colours)
        after_axes.set_xlabel(f"NCC {ncc_after[row]:.3f}", **note)
        grid_axes.imshow(moving[row], cmap="gray", vmin=0, vmax=DIMMED)
        draw_warped_grid(grid_axes, displacement[row], spacing)
        grid_axes.set_xlabel(f"folded pixels {pixels[row]:.2%}\nfolded cells {cells[row]:.2%}", **note)
    _save(figure, path)


def draw_warped_grid(axes, displacement, spacing=1):
    """Draw where each output pixel took its value: the regular grid of pixels p, every p moved to p + u(p).

    Warping pulls: warped(p) = moving(p + u(p)). The mesh therefore lies in the *moving* image and belongs on
    top of it. Where the mesh is dense, a small piece of the moving image is spread over many output pixels,
    so things look bigger in the warped image; where it is wide, they shrink. A mesh shifted to the right
    shows content that will appear further to the left. Lines that leave the frame sample outside the moving
    image. Cells that fold (any of their `corner_determinants` is 0 or less) are filled red, whatever the
    spacing of the lines.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Its limits are set to the frame of the moving image, row 0 at the top, as `imshow` has them.
    displacement : float array (H, W, 2), in pixels
        displacement[..., 0] down the rows, displacement[..., 1] along the columns.
    spacing : int
        Draw every so manyth row and column of the grid, and always the last ones.

    Raises
    ------
    InputError
        As `corner_determinants`.
    """
    from matplotlib.collections import LineCollection, PolyCollection

    folded = (corner_determinants(displacement[None])[0] <= 0).any(axis=-1)
    height, width = displacement.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    # Matplotlib's (x, y) is (column, row).
    x_y = np.stack([columns + displacement[..., 1], rows + displacement[..., 0]], axis=-1)

    along_rows = x_y[_every(spacing, height)]
    along_columns = x_y[:, _every(spacing, width)].swapaxes(0, 1)
    lines = LineCollection([*along_rows, *along_columns], colors=GRID_COLOUR, linewidths=0.6)
    axes.add_collection(lines, autolim=False)

    corners = np.stack([x_y[:-1, :-1], x_y[:-1, 1:], x_y[1:, 1:], x_y[1:, :-1]], axis=2)
    # An edge as well, because a cell that is folded flat has no area to fill.
    folds = PolyCollection(corners[folded], facecolors=FOLD_COLOUR, edgecolors=FOLD_COLOUR, linewidths=0.6)
    folds.set_zorder(3)  # above the lines, which would hide a small fold
    axes.add_collection(folds, autolim=False)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal")


def _every(spacing, length):
    """Every `spacing`-th index below `length`, and the last one, so that the mesh has a border."""
    return np.union1d(np.arange(0, length, spacing), length - 1)


def _check_pairs(moving, fixed, warped, displacement, titles, max_rows):
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


def _save(figure, path):
    """Write a figure as PNG, without the version of Matplotlib in it: the same picture is the same bytes."""
    with atomic_write(path) as file:
        figure.savefig(file, format="png", metadata={"Software": None})

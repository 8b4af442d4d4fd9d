"""What a registration did to each pair: `registration_picture` shows the images, `field_picture` the fields."""

import numpy as np

from minireg.metrics import ncc
from minireg.viz import fields
from minireg.viz.common import NOTE_COLOUR, check_pairs, draw_grid_on, rows_of_panels, save, write_words
from minireg.viz.folds import FOLD_COLOUR
from minireg.viz.images import FIRST_COLOUR, SECOND_COLOUR, draw_overlay, show, show_grey, shrunk_batch

PANEL_WIDTH = 1.39  # inches; six panels fill the width
ARROWS = 10  # at most about so many a side can be told apart in one panel
BEHIND_ARROWS = 0.5  # the brightness of the images behind them

NOTE = {"size": 8, "color": NOTE_COLOUR, "labelpad": 3}

FOOT = (
    "Warping pulls: pixel p of the warped image shows the value of the moving image at p + u(p). Grid and arrows show "
    "p + u(p), so content moves\nagainst the arrows. Where the grid is dense, log |J| is below 0 and content grows; "
    "where it is wide, content shrinks. Overlays: white is bright in both."
)


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

    Raises InputError for shapes that do not belong together, more than one channel, or values that are not finite, and
    OSError as `atomic_write`.

    >>> from matplotlib.image import imread
    >>> moving, fixed = np.random.default_rng(0).random((2, 3, 32, 32, 1))
    >>> registration_picture(moving, fixed, moving, np.zeros((3, 32, 32, 2)), "pairs.png", titles=["a", "b", "c"])
    >>> imread("pairs.png").shape
    (573, 900, 4)
    """
    check_pairs(moving, fixed, warped, displacement, titles, max_rows)
    moving, fixed, warped, displacement = (array[:max_rows] for array in (moving, fixed, warped, displacement))
    height, width = moving.shape[1:3]
    cell_count = max(1, (height - 1) * (width - 1))
    ncc_before, ncc_after = ncc(moving, fixed), ncc(warped, fixed)
    small_moving, small_fixed, small_warped = (shrunk_batch(images) for images in (moving, fixed, warped))
    limit = max(np.abs(images - small_fixed).max() for images in (small_moving, small_warped)) or 1

    figure, panels = rows_of_panels(
        len(moving), 6, PANEL_WIDTH, height / width, heading=0.3, notes=0.42, titled=titles is not None
    )
    headings = ("moving", "fixed", "warped", "moving − fixed", "warped − fixed", "warped grid")
    for axes, text in zip(panels[0], headings, strict=True):
        axes.set_title(text, size=10, pad=5)

    difference_colours = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    for row, (*image_axes, before_axes, after_axes, grid_axes) in enumerate(panels):
        for axes, images in zip(image_axes, (moving, fixed, warped), strict=True):
            show_grey(axes, images[row])
        if titles is not None:
            image_axes[0].set_ylabel(titles[row], size=10, parse_math=False)
        show(before_axes, moving[row], fixed[row], colours=np.subtract, **difference_colours)
        before_axes.set_xlabel(f"NCC {ncc_before[row]:.3f}", **NOTE)
        show(after_axes, warped[row], fixed[row], colours=np.subtract, **difference_colours)
        after_axes.set_xlabel(f"NCC {ncc_after[row]:.3f}", **NOTE)
        cells, pixels = draw_grid_on(grid_axes, moving[row], displacement[row]).count_folds()
        shares = f"folded pixels {_share(pixels, cell_count)}\nfolded cells {_share(cells, cell_count)}"
        grid_axes.set_xlabel(shares, **NOTE)
    save(figure, path)


def field_picture(moving, fixed, warped, displacement, path, titles=None, max_rows=4):
    """Write a PNG with one row per pair: the two images on top of each other, and their field seen in four ways.

    Columns: `draw_overlay` of moving and fixed, and of warped and fixed, with their NCC; `draw_warped_grid` over the
    dimmed moving image; `draw_arrows` over the overlay of before, so that arrows lead from the fixed image (green)
    to the moving one (magenta); `draw_direction`; `draw_log_jacobian`, with one scale for the whole
    picture. What the directions mean is written below.

    Parameters, errors : as for `registration_picture`

    >>> from matplotlib.image import imread
    >>> moving, fixed = np.random.default_rng(0).random((2, 1, 32, 32, 1))
    >>> field_picture(moving, fixed, moving, np.zeros((1, 32, 32, 2)), "fields.png")
    >>> imread("fields.png").shape
    (259, 900, 4)
    """
    check_pairs(moving, fixed, warped, displacement, titles, max_rows)
    moving, fixed, warped, displacement = (array[:max_rows] for array in (moving, fixed, warped, displacement))
    height, width = moving.shape[1:3]
    cell_count = max(1, (height - 1) * (width - 1))
    ncc_before, ncc_after = ncc(moving, fixed), ncc(warped, fixed)
    lengths = np.hypot(displacement[..., 0], displacement[..., 1]).max(axis=(1, 2))
    limit = fields.log_jacobian_limit(displacement)

    figure, panels = rows_of_panels(
        len(moving), 6, PANEL_WIDTH, height / width, heading=0.44, notes=0.46, foot=0.3, titled=titles is not None
    )
    both, folds = {"fixed": SECOND_COLOUR}, {"folds": FOLD_COLOUR}
    headings = (
        ("before", {"moving": FIRST_COLOUR, **both}),
        ("after", {"warped": FIRST_COLOUR, **both}),
        ("sampling grid", {"on moving,": NOTE_COLOUR, **folds}),
        ("arrows", {"from p to p + u(p)": NOTE_COLOUR}),
        ("direction of arrows", {"white: no arrow": NOTE_COLOUR}),
        ("log |J|", folds),
    )
    for axes, (text, words) in zip(panels[0], headings, strict=True):
        axes.set_title(text, size=10, pad=17)
        write_words(axes, words)

    for row, (before, after, grid, arrows, direction, jacobian) in enumerate(panels):
        if titles is not None:
            before.set_ylabel(titles[row], size=10, parse_math=False)
        draw_overlay(before, moving[row], fixed[row])
        before.set_xlabel(f"NCC {ncc_before[row]:.3f}", **NOTE)
        draw_overlay(after, warped[row], fixed[row])
        after.set_xlabel(f"NCC {ncc_after[row]:.3f}", **NOTE)
        cells, _ = draw_grid_on(grid, moving[row], displacement[row]).count_folds()
        grid.set_xlabel(f"folded cells {_share(cells, cell_count)}", **NOTE)
        draw_overlay(arrows, BEHIND_ARROWS * moving[row], BEHIND_ARROWS * fixed[row])
        fields.draw_arrows(arrows, displacement[row], max(1, round(max(height, width) / ARROWS)))
        arrows.set_xlabel(f"longest: {lengths[row]:.1f} pixels", **NOTE)
        fields.draw_direction(direction, displacement[row], lengths[row])
        direction.set_xlabel(f"rim of wheel: {lengths[row]:.1f} pixels", **NOTE)
        fields.draw_log_jacobian(jacobian, displacement[row], limit)
    figure.text(0.5, 0.06 / figure.get_figheight(), FOOT, ha="center", va="bottom", size=8, color=NOTE_COLOUR)
    save(figure, path)


def _share(count, of):
    """In per cent; a little is not nothing."""
    share = f"{count / of:.2%}"
    return "< 0.01%" if count and share == "0.00%" else share

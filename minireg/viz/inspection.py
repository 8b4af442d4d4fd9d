"""One pair of images, large enough to inspect: `inspection_picture`."""

import numpy as np

from minireg.metrics import ncc
from minireg.viz import fields
from minireg.viz.common import NOTE_COLOUR, check_pairs, draw_grid_on, rows_of_panels, save, write_words
from minireg.viz.folds import FOLD_COLOUR
from minireg.viz.images import FIRST_COLOUR, SECOND_COLOUR, draw_checkerboard, draw_overlay

WIDTH, PANEL_WIDTH = 14.0, 4.55  # inches; three panels of 455 pixels fill 1400
GRID_LINES = 30

HEADING = {"size": 13, "pad": 20}
NOTE = {"size": 10, "color": NOTE_COLOUR, "labelpad": 4}


def inspection_picture(moving, fixed, warped, displacement, path, spacing=None):
    """Write a PNG with six large panels of the first pair: what to look at before believing a registration.

    Above: `draw_overlay` of moving and fixed, and of warped and fixed, with their NCC, and `draw_checkerboard` of
    warped and fixed. Below: `draw_warped_grid` over the dimmed moving image, with the number of folds,
    `draw_log_jacobian`, and the length of the displacement, whose longest is named.

    Parameters
    ----------
    moving, fixed, warped : float arrays (N, H, W, 1), intensities in [0, 1]
        All on the fixed image's grid.
    displacement : float array (N, H, W, 2), in pixels, with which `warped` was sampled from `moving`
    path : str or Path
        The PNG file to write, 1400 pixels wide.
    spacing : two floats, optional
        From one row to the next and from one column to the next, in mm. Panels are then as high and wide as the image
        is in mm, and lengths are in mm; without it they are in pixels.

    Raises InputError for shapes that do not belong together, more than one channel, or values that are not finite, and
    OSError as `atomic_write`.

    >>> from matplotlib.image import imread
    >>> moving, fixed = np.random.default_rng(0).random((2, 1, 32, 32, 1))
    >>> inspection_picture(moving, fixed, moving, np.zeros((1, 32, 32, 2)), "inspection.png")
    >>> imread("inspection.png").shape
    (1125, 1400, 4)
    """
    check_pairs(moving, fixed, warped, displacement, None, 1)
    moving, fixed, warped, displacement = (array[:1] for array in (moving, fixed, warped, displacement))
    ncc_before, ncc_after = ncc(moving, fixed)[0], ncc(warped, fixed)[0]
    moving, fixed, warped, displacement = moving[0], fixed[0], warped[0], displacement[0]
    height, width = fixed.shape[:2]
    unit, (down, across) = ("pixels", (1.0, 1.0)) if spacing is None else ("mm", spacing)
    pixel_aspect = down / across
    lengths = np.hypot(displacement[..., 0] * down, displacement[..., 1] * across)

    figure, panels = rows_of_panels(
        2, 3, PANEL_WIDTH, height * pixel_aspect / width, heading=0.55, notes=0.8, width=WIDTH
    )
    (before, after, checkerboard), (grid, jacobian, length) = panels
    both, folded = {"fixed": SECOND_COLOUR}, {"folds": FOLD_COLOUR}
    for axes, text, words in (
        (before, "before", {"moving": FIRST_COLOUR, **both}),
        (after, "after", {"warped": FIRST_COLOUR, **both}),
        (checkerboard, "checkerboard", {"warped and fixed by turns, the first square is warped": NOTE_COLOUR}),
        (grid, "sampling grid", {"on moving,": NOTE_COLOUR, **folded}),
        (jacobian, "log |J|", folded),
        (length, "length of the displacement", {f"|u| in {unit}": NOTE_COLOUR}),
    ):
        axes.set_title(text, **HEADING)
        write_words(axes, words)

    draw_overlay(before, moving, fixed)
    before.set_xlabel(f"NCC {ncc_before:.3f}", **NOTE)
    draw_overlay(after, warped, fixed)
    after.set_xlabel(f"NCC {ncc_after:.3f}", **NOTE)
    draw_checkerboard(checkerboard, warped, fixed)
    cells, _ = draw_grid_on(grid, moving, displacement, GRID_LINES).count_folds()
    grid.set_xlabel(f"folded cells: {cells}", **NOTE)
    fields.draw_log_jacobian(jacobian, displacement, pixel_aspect=pixel_aspect)
    fields.draw_length(length, lengths, pixel_aspect)
    for axes in panels.flat:
        axes.set_aspect(pixel_aspect)
    save(figure, path)

"""The deformation as it happens: an animated GIF."""

import numpy as np

from minireg import backend, ops
from minireg.errors import InputError
from minireg.files import atomic_write
from minireg.models import WARP_BORDER
from minireg.viz import fields
from minireg.viz.common import check_pairs, rows_of_panels
from minireg.viz.pairs import draw_grid_on, write_words

WIDTH = 6.4  # inches
PANEL_WIDTH = 2.06
FRAME_TIME, FIRST_TIME, LAST_TIME = 80, 800, 1600  # milliseconds
GREYS = 32  # of the 256 colours; Pillow finds the nearest one to within 4 levels only, so closer ones would be mixed up


def animation(moving, fixed, displacement, path, frames=16, max_rows=2):
    """Write a GIF in which the moving images become the warped ones, t running from 0 to 1, over and over.

    One row per pair. At every t: the grid of `draw_warped_grid` over the moving image, the image warped by u_t, and
    its overlay with the fixed image. It rests at t = 0 and, longer, at t = 1, which is the result.

    A displacement alone does not say how its images get from t = 0 to 1. Given an array, u_t = t u: every pixel's look
    goes in a straight line, and the determinant at a cell's corner is det((1 - t) I + t J), with the Jacobian matrix J
    of t = 1. For t in (0, 1] that is never 0 or less unless J has a negative eigenvalue. So what folds in the middle
    but not in the end can only have two of them (a turn by half a circle), and a fold of the end (det J < 0, one
    negative eigenvalue l) is there from t = 1 / (1 - l) on. Given a function, u_t is what it says, for example
    the integral of t v, a diffeomorphism at every t: `lambda t: backend.to_host(integrate(t * v, squarings).data)`.

    Parameters
    ----------
    moving, fixed : float arrays (N, H, W, 1), intensities in [0, 1]
    displacement : float array (N, H, W, 2), in pixels, or a function of t that returns one (NumPy)
    path : str or Path
        The GIF file to write, 640 pixels wide.
    frames : int
        How many steps of t there are from 0 to 1, both included; at least 2.
    max_rows : int
        Pairs beyond this many are left out.

    Raises
    ------
    InputError
        Shapes that do not belong together, more than one channel, values that are not finite, too few frames.
    OSError
        From `atomic_write`, with nothing left behind.
    """
    if frames < 2:
        raise InputError(f"an animation needs at least 2 frames, found frames={frames}")
    at = displacement if callable(displacement) else lambda t: t * displacement
    check_pairs(moving, fixed, moving, at(1.0), None, max_rows)
    moving, fixed = moving[:max_rows], fixed[:max_rows]
    fields_of_t = ((t, at(t)[:max_rows]) for t in np.linspace(0, 1, frames).tolist())
    pictures = np.stack(list(_pictures(moving, fixed, fields_of_t)))

    from matplotlib.colors import to_rgb
    from PIL import Image

    # One palette for all frames, so that nothing flickers: exact greys, and the most different other colours. A quarter
    # of the pixels has them all, but perhaps not a single fold's, which must not become something else.
    fold = np.full((1, pictures.shape[2] // 2, 3), 255 * np.array(to_rgb(fields.FOLD_COLOUR)), np.uint8)
    colours = Image.fromarray(np.concatenate([*pictures[:, ::2, ::2], fold]))
    found = colours.quantize(256 - GREYS, method=Image.Quantize.MAXCOVERAGE).getpalette()
    palette = Image.new("P", (1, 1))
    palette.putpalette([*found[: 3 * (256 - GREYS)], *np.linspace(0, 255, GREYS, dtype=int).repeat(3).tolist()])
    first, *others = (Image.fromarray(picture).quantize(palette=palette, dither=0) for picture in pictures)
    times = [FIRST_TIME, *[FRAME_TIME] * (frames - 2), LAST_TIME]
    with atomic_write(path) as file:
        first.save(file, format="GIF", save_all=True, append_images=others, duration=times, loop=0)


def _pictures(moving, fixed, fields_of_t):
    """The frames, uint8 (height, width, 3), one for each (t, displacement)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    height, width = moving.shape[1:3]
    # One figure for all frames: making it takes longer than drawing it.
    figure, panels = rows_of_panels(len(moving), 3, PANEL_WIDTH, height / width, heading=0.3, notes=0.06, width=WIDTH)
    canvas = FigureCanvasAgg(figure)
    panels[0, 0].set_title("moving, sampling grid", size=10, pad=5)
    write_words(panels[0, 2], {"warped": fields.FIRST_COLOUR, "fixed": fields.SECOND_COLOUR})
    for t, displacement in fields_of_t:
        panels[0, 1].set_title(f"warped, t = {t:.2f}", size=10, pad=5)
        warped = _warp(moving, displacement)
        for row, (grid, result, overlay) in enumerate(panels):
            for drawn in [*grid.images, *grid.collections, *result.images, *overlay.images]:
                drawn.remove()
            draw_grid_on(grid, moving[row], displacement[row])
            result.imshow(warped[row], cmap="gray", vmin=0, vmax=1)
            fields.draw_overlay(overlay, warped[row], fixed[row])
        canvas.draw()
        yield np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _warp(moving, displacement):
    """The moving images pulled back, as all models do it. NumPy in and out."""
    warped = ops.warp(backend.to_device(moving), backend.to_device(displacement), border=WARP_BORDER)
    return backend.to_host(warped.data)

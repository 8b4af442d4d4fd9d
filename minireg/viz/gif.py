"""The deformation as it happens: an animated GIF."""

import numpy as np

from minireg.errors import InputError
from minireg.fields import warp_images
from minireg.files import atomic_write
from minireg.viz.common import check_pairs, draw_grid_on, rows_of_panels, write_words
from minireg.viz.folds import FOLD_COLOUR
from minireg.viz.images import FIRST_COLOUR, SECOND_COLOUR, draw_overlay, shrunk, shrunk_batch

WIDTH = 6.4  # inches
PANEL_WIDTH = 2.06
FRAME_TIME, FIRST_TIME, LAST_TIME = 80, 800, 1600  # milliseconds
GREYS = 32  # of the 256 colours; Pillow finds the nearest one to within 4 levels only, so closer ones would be mixed up


def animation(moving, fixed, displacement, path, frames=16, max_rows=2):
    """Write a GIF in which the moving images become the warped ones, t running from 0 to 1, over and over.

    One row per pair. At every t: the grid of `draw_warped_grid` over the moving image, the image warped by u_t, and
    its overlay with the fixed image. It rests at t = 0 and, longer, at t = 1, which is the result.

    A displacement alone does not say how its images get from t = 0 to 1. Here u_t = t u: every pixel's look goes in a
    straight line, and the determinant at a cell's corner is det((1 - t) I + t J), with the Jacobian matrix J of t = 1.
    For t in (0, 1] that is never 0 or less unless J has a negative eigenvalue. So what folds in the middle but not in
    the end can only have two of them (a turn by half a circle), and a fold of the end (det J < 0, one negative
    eigenvalue l) is there from t = 1 / (1 - l) on.

    Parameters
    ----------
    moving, fixed : float arrays (N, H, W, 1), intensities in [0, 1]
    displacement : float array (N, H, W, 2), in pixels
    path : str or Path
        The GIF file to write, 640 pixels wide.
    frames : int
        How many steps of t there are from 0 to 1, both included; at least 2.
    max_rows : int
        Pairs beyond this many are left out.

    Raises InputError for shapes that do not belong together, more than one channel, values that are not finite, or too
    few frames, and OSError as `atomic_write`.

    >>> from PIL import Image
    >>> moving, fixed = np.random.default_rng(0).random((2, 1, 32, 32, 1), dtype="float32")
    >>> animation(moving, fixed, np.ones((1, 32, 32, 2), "float32"), "pair.gif", frames=3)
    >>> with Image.open("pair.gif") as gif:
    ...     gif.size, gif.n_frames
    ((640, 242), 3)
    """
    if frames < 2:
        raise InputError(f"an animation needs at least 2 frames, found frames={frames}")
    check_pairs(moving, fixed, moving, displacement, None, max_rows)
    moving, fixed, displacement = moving[:max_rows], fixed[:max_rows], displacement[:max_rows]
    pictures = np.stack(list(_pictures(moving, fixed, displacement, frames)))

    from matplotlib.colors import to_rgb
    from PIL import Image

    # One palette for all frames, so that nothing flickers: exact greys, and the most different other colours. A quarter
    # of the pixels has them all, but perhaps not a single fold's, which must not become something else.
    fold = np.full((1, pictures.shape[2] // 2, 3), 255 * np.array(to_rgb(FOLD_COLOUR)), np.uint8)
    colours = Image.fromarray(np.concatenate([*pictures[:, ::2, ::2], fold]))
    found = colours.quantize(256 - GREYS, method=Image.Quantize.MAXCOVERAGE).getpalette()
    palette = Image.new("P", (1, 1))
    palette.putpalette([*found[: 3 * (256 - GREYS)], *np.linspace(0, 255, GREYS, dtype=int).repeat(3).tolist()])
    first, *others = (Image.fromarray(picture).quantize(palette=palette, dither=0) for picture in pictures)
    times = [FIRST_TIME, *[FRAME_TIME] * (frames - 2), LAST_TIME]
    with atomic_write(path) as file:
        first.save(file, format="GIF", save_all=True, append_images=others, duration=times, loop=0)


def _pictures(moving, fixed, displacement, frames):
    """The frames, uint8 (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    height, width = moving.shape[1:3]
    # One figure for all frames: making it takes longer than drawing it.
    figure, panels = rows_of_panels(len(moving), 3, PANEL_WIDTH, height / width, heading=0.3, notes=0.06, width=WIDTH)
    canvas = FigureCanvasAgg(figure)
    panels[0, 0].set_title("moving, sampling grid", size=10, pad=5)
    write_words(panels[0, 2], {"warped": FIRST_COLOUR, "fixed": SECOND_COLOUR})
    # Folds are those of the whole field; what is warped for each frame is shrunk to what a panel shows.
    small_moving, small_fixed, small = (shrunk_batch(arrays) for arrays in (moving, fixed, displacement))
    small = small / np.array(shrunk(displacement[0])[1], small.dtype)
    grids = [draw_grid_on(row[0], *pair) for row, *pair in zip(panels, moving, displacement, strict=True)]
    for t in np.linspace(0, 1, frames).tolist():
        panels[0, 1].set_title(f"warped, t = {t:.2f}", size=10, pad=5)
        warped = warp_images(small_moving, t * small)
        for row, (grid, result, overlay) in enumerate(panels):
            for drawn in [*grid.collections, *result.images, *overlay.images]:
                drawn.remove()
            grids[row].draw(grid, t)
            result.imshow(warped[row], cmap="gray", vmin=0, vmax=1)
            draw_overlay(overlay, warped[row], small_fixed[row])
        canvas.draw()
        yield np.asarray(canvas.buffer_rgba())[..., :3].copy()

"""Drawing one displacement field, or two images on top of each other, on axes of Matplotlib.

Warping pulls: warped(p) = moving(p + u(p)). A displacement therefore points from a pixel of the fixed (and warped)
image to the place in the moving image whose value it takes: grid, arrows and colours show where each pixel *looks*,
and content moves the other way. Row 0 is at the top of every panel, and pixel (r, c) has its centre at x = c, y = r.

All functions draw on `axes`, a matplotlib.axes.Axes whose limits they set to the frame of the images. A displacement
is a float array (H, W, 2) in pixels: displacement[..., 0] down the rows, displacement[..., 1] along the columns.
"""

import numpy as np

from minireg.metrics import corner_determinants

GRID_COLOUR = "#4cc9f0"
ARROW_COLOUR = "#ffd60a"
FOLD_COLOUR = "#ff2d2d"
FIRST_COLOUR, SECOND_COLOUR = "#cc00cc", "#008c00"  # names of the images of an overlay: magenta, green; dark on white

LENGTH_COLOURS = "viridis"
JACOBIAN_COLOURS = "PuOr"  # has no red, which is kept for folds; white at 0
JACOBIAN_LIMITS = (0.1, 2.0)  # log |J| beyond 2 (areas beyond e^2 = 7.4) looks like 2; noise below .1 looks like noise

WHEEL_SIDE = 0.3  # of the panel
COLOUR_BAR = {"height": 0.06, "below": 0.05}  # inches

MOST_PIXELS = 512  # a side; larger images are drawn by the means of blocks that leave at least so many
MOST_POLYGONS = 50_000  # folds; each takes about a kilobyte, and where there are more, a dot is as large as a cell


def draw_warped_grid(axes, displacement, spacing=1):
    """Draw where each output pixel took its value: the regular grid of pixels p, every p moved to p + u(p).

    Warping pulls: warped(p) = moving(p + u(p)). The mesh therefore lies in the *moving* image and belongs on top of it.
    Where the mesh is dense, a small piece of the moving image is spread over many output pixels, so things look bigger
    in the warped image; where it is wide, they shrink. A mesh shifted to the right shows content that will appear
    further to the left. Lines that leave the frame sample outside the moving image. Cells that fold (any of their
    `corner_determinants` is 0 or less) are filled red, whatever the spacing of the lines.

    displacement (H, W, 2) in pixels. Every `spacing`-th row and column of the grid is drawn, and always the last ones.
    Raises InputError as `corner_determinants`.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_warped_grid(axes, np.full((4, 3, 2), (0.5, 2.0)))
    >>> lines, folds = axes.collections
    >>> lines.get_segments()[0].tolist(), len(folds.get_paths())  # row 0, as points (x, y)
    ([[2.0, 0.5], [3.0, 0.5], [4.0, 0.5]], 0)
    """
    from matplotlib.collections import LineCollection

    folded = _folded(corner_determinants(displacement[None])[0])
    height, width = displacement.shape[:2]
    x_y = _pixel_centres(height, width) + displacement[..., ::-1]

    along_rows = x_y[_every(spacing, height)]
    along_columns = x_y[:, _every(spacing, width)].swapaxes(0, 1)
    lines = LineCollection([*along_rows, *along_columns], colors=GRID_COLOUR, linewidths=0.6)
    axes.add_collection(lines, autolim=False)
    _fill_folds(axes, x_y, folded)
    _frame(axes, height, width)


def draw_arrows(axes, displacement, spacing=1):
    """Draw arrows, true to scale, from pixels p to p + u(p): from each output pixel to where it takes its value.

    The tail lies in the fixed (and warped) image, the head in the moving one. Content moves from head to tail: where
    the arrows point right, the warped image shows things further to the left. A dot is an arrow shorter than about
    the width of its line.

    displacement (H, W, 2) in pixels. Every `spacing`-th pixel, down and across, has an arrow.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_arrows(axes, np.full((8, 8, 2), (0.5, 2.0)), spacing=4)
    >>> axes.collections[0].XY.tolist()  # the pixels (x, y) that have an arrow
    [[1, 1], [5, 1], [1, 5], [5, 5]]
    """
    height, width = displacement.shape[:2]
    # What is left over at the end of a row or column is shared between both ends.
    shown = np.s_[(height - 1) % spacing // 2 :: spacing, (width - 1) % spacing // 2 :: spacing]
    x_y, across, down = _pixel_centres(height, width)[shown], displacement[shown][..., 1], displacement[shown][..., 0]
    # "xy": direction and length are those of the data, also where an axis is turned round or a scale is not 1.
    axes.quiver(
        x_y[..., 0], x_y[..., 1], across, down, angles="xy", scale_units="xy", scale=1, color=ARROW_COLOUR,
        units="dots", width=1.1, headwidth=4, headlength=4.5, headaxislength=4,
    )  # fmt: skip
    _frame(axes, height, width)


def draw_direction(axes, displacement, longest=None):
    """Draw the direction of u as a hue and its length as saturation, with the colour wheel that tells which is which.

        hue = atan2(down, right) / 2 pi        saturation = |u| / longest        value = 1

    White is no displacement. The wheel, in the upper right corner, is the field u(x, y) = (y, x) in the same colours:
    a pixel that looks to the right has the colour at the right of the wheel.

    displacement (H, W, 2) in pixels. The rim of the wheel is `longest` pixels, which is the length of the longest
    displacement unless it is given.

    Source: Baker, Scharstein, Lewis, Roth, Black, Szeliski, A database and evaluation methodology for optical flow,
    International Journal of Computer Vision 92 (2011), figure 3, doi:10.1007/s11263-010-0390-2; hues evenly spaced.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_direction(axes, np.full((8, 8, 2), (0.0, 2.0)))
    >>> axes.images[0].get_array()[0, 0].tolist()  # all look to the right: red
    [1.0, 0.0, 0.0]
    """
    from matplotlib.patches import Circle

    if longest is None:
        longest = np.hypot(displacement[..., 0], displacement[..., 1]).max()
    _show(axes, displacement, colours=lambda u: _direction_colours(u, longest))
    _frame(axes, *displacement.shape[:2])

    side = np.linspace(-1, 1, 101)
    wheel = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1)
    legend = axes.inset_axes([0.98 - WHEEL_SIDE, 0.98 - WHEEL_SIDE, WHEEL_SIDE, WHEEL_SIDE], anchor="NE")
    image = legend.imshow(_direction_colours(wheel, 1), extent=(-1, 1, 1, -1))
    rim = Circle((0, 0), 1, fill=False, edgecolor="black", linewidth=0.8, clip_on=False)
    legend.add_patch(rim)
    image.set_clip_path(rim)
    legend.set_axis_off()


def draw_log_jacobian(axes, displacement, limit=None, pixel_aspect=1.0):
    """Draw log |J| of p + u(p) for each cell between four pixels, folds in red, with a colour bar below the panel.

        |J| = area of the quadrilateral that the cell is sent to = mean of the cell's four `corner_determinants`

    Below 0 (orange) a cell looks at less than its own area, so content grows; above 0 (purple) it looks at more,
    and content shrinks. A cell with any corner determinant of 0 or less folds: it has no logarithm and is red, which
    no other value is.

    displacement (H, W, 2) in pixels. The colours end at -limit and limit, which is `log_jacobian_limit` unless it is
    given. The cells lie between the pixels' centres. A pixel is drawn `pixel_aspect` times as high as wide. Raises
    InputError as `corner_determinants`.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_log_jacobian(axes, np.moveaxis(np.mgrid[:8, :8], 0, -1) * 0.5)  # looks at 1.5^2 times the area
    >>> round(float(axes.images[0].get_array()[0, 0]), 3)
    0.811
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    log_area, folded = _log_jacobian(displacement[None])
    limit = log_jacobian_limit(displacement[None]) if limit is None else limit
    colours = ScalarMappable(Normalize(-limit, limit), JACOBIAN_COLOURS)
    height, width = displacement.shape[:2]
    if log_area.size:
        _show(axes, log_area[0], first_edge=0, cmap=colours.cmap, norm=colours.norm)
    _fill_folds(axes, _pixel_centres(height, width), folded[0])
    _frame(axes, height, width, pixel_aspect)
    _draw_colour_bar(axes, colours, {-limit: f"−{limit:.1f}", 0: "0", limit: f"{limit:.1f}"}, "grows      shrinks")


def draw_length(axes, lengths, pixel_aspect=1.0):
    """Draw how long a displacement is, from dark (not at all) to bright (longest), with a colour bar below the panel.

    lengths is a float array (H, W), in pixels or mm. A pixel is drawn `pixel_aspect` times as high as wide.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_length(axes, np.array([[0.0, 2.0], [1.0, 4.0]]))
    >>> axes.images[0].get_clim()
    (0.0, 4.0)
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    longest = float(lengths.max())
    colours = ScalarMappable(Normalize(0, longest or 1), LENGTH_COLOURS)
    _show(axes, lengths, cmap=colours.cmap, norm=colours.norm)
    _frame(axes, *lengths.shape, pixel_aspect)
    ticks = {0: "0", longest / 2: f"{longest / 2:.3g}", longest: f"{longest:.3g}"}
    _draw_colour_bar(axes, colours, ticks, f"longest: {longest:.3g}")


def log_jacobian_limit(displacement):
    """Where the colours of `draw_log_jacobian` end for a batch (N, H, W, 2): max |log |J||, kept within [.1, 2].

    >>> log_jacobian_limit(np.zeros((1, 8, 8, 2)))
    0.1
    """
    log_area, _ = _log_jacobian(displacement)
    return float(np.clip(np.abs(log_area).max(initial=0), *JACOBIAN_LIMITS))


def draw_overlay(axes, first, second):
    """Draw two images on top of each other, the first in magenta, the second in green; grey where they agree.

    Magenta and green add up to white, so what is bright in both is white, and what is in one only has its colour. The
    images are float arrays (H, W, 1), intensities in [0, 1]; what lies outside is cut off.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_overlay(axes, np.array([[[1.0], [0.0], [0.5]]]), np.array([[[0.0], [1.0], [0.5]]]))
    >>> axes.images[0].get_array().tolist()  # magenta, green, grey
    [[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.5]]]
    """
    _show(axes, np.clip(np.concatenate([first, second, first], axis=-1), 0, 1))


def draw_checkerboard(axes, first, second, squares=8):
    """Draw squares of two images by turns, the first one in the upper left: edges go on where the images agree.

    The images are float arrays (H, W, 1), intensities in [0, 1]. The longer side has `squares` squares;
    ticks outside mark where they end, for lines would hide what there is to see.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_checkerboard(axes, np.zeros((2, 4, 1)), np.ones((2, 4, 1)), squares=2)
    >>> axes.images[0].get_array().tolist()
    [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]
    """
    rows, columns = np.mgrid[: first.shape[0], : first.shape[1]] * squares // max(first.shape)
    show_grey(axes, np.where(((rows + columns) % 2 == 0)[..., None], first, second))
    for axis, along in ((axes.xaxis, columns[0]), (axes.yaxis, rows[:, 0])):
        axis.set_ticks(np.flatnonzero(np.diff(along)) + 0.5, labels=[])


def show_grey(axes, image, white=1.0):
    """Draw an image (H, W, 1) in grey, from black at 0 to white.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> show_grey(axes, np.ones((2048, 1024, 1)))
    >>> axes.images[0].get_array().shape, axes.images[0].get_extent()  # means of blocks of 4 x 4 pixels
    ((512, 256), [-0.5, 1023.5, 2047.5, -0.5])
    """
    _show(axes, image, cmap="gray", vmin=0, vmax=white)


def shrunk(image):
    """The means of the blocks of an image (H, W) or (H, W, C) that is larger than any panel, and the blocks' sides.

    What is left of a block at the end is left out.

    >>> means, block = shrunk(np.ones((2048, 3)))
    >>> means.shape, block
    ((512, 1), (4, 3))
    """
    size = max(1, max(image.shape[:2]) // MOST_PIXELS)
    if size == 1:
        return image, (1, 1)
    down, across = (min(size, side) for side in image.shape[:2])
    rows, columns = image.shape[0] // down, image.shape[1] // across
    blocks = image[: rows * down, : columns * across].reshape(rows, down, columns, across, *image.shape[2:])
    return blocks.mean(axis=(1, 3)), (down, across)


def _show(axes, image, first_edge=-0.5, colours=np.asarray, **options):
    """Draw an image, `shrunk`, then turned into colours; its first pixel begins at `first_edge`, right and below."""
    means, (down, across) = shrunk(image)
    bottom, right = means.shape[0] * down + first_edge, means.shape[1] * across + first_edge
    axes.imshow(colours(means), extent=(first_edge, right, bottom, first_edge), **options)


def _draw_colour_bar(axes, colours, ticks, name):
    """A colour bar below a panel; ticks is a dict of values and what to write there."""
    axes.apply_aspect()  # only now has the panel the height that it is drawn with
    inch = axes.figure.dpi / axes.bbox.height
    bottom = -(COLOUR_BAR["below"] + COLOUR_BAR["height"]) * inch
    bar_axes = axes.inset_axes([0.08, bottom, 0.84, COLOUR_BAR["height"] * inch])
    bar = axes.figure.colorbar(colours, cax=bar_axes, orientation="horizontal", ticks=list(ticks))
    bar.ax.set_xticklabels(ticks.values())
    bar.ax.tick_params(labelsize=7, length=2, pad=1)
    bar.set_label(name, size=8, labelpad=0)
    bar.outline.set_linewidth(0.5)


def _log_jacobian(displacement):
    """Logarithms of the areas that cells are sent to, 0 where they fold, and which fold: two (N, H-1, W-1)."""
    determinants = corner_determinants(displacement)
    folded = _folded(determinants)
    return np.log(np.where(folded, 1, determinants.mean(axis=-1))), folded


def _folded(determinants):
    return (determinants <= 0).any(axis=-1)


def _direction_colours(displacement, longest):
    """The colours (H, W, 3) of a displacement (H, W, 2)."""
    from matplotlib.colors import hsv_to_rgb

    down, right = displacement[..., 0], displacement[..., 1]
    hue = np.arctan2(down, right) / (2 * np.pi) % 1
    saturation = np.clip(np.hypot(down, right) / (longest or 1), 0, 1)
    return hsv_to_rgb(np.stack([hue, saturation, np.ones_like(hue)], axis=-1))


def _fill_folds(axes, x_y, folded):
    """Fill the cells (H-1, W-1) that are folded in red; x_y (H, W, 2) is where the pixels at their corners lie."""
    from matplotlib.collections import PolyCollection

    rows, columns = np.nonzero(folded)
    corners = np.stack([x_y[rows + down, columns + right] for down, right in ((0, 0), (0, 1), (1, 1), (1, 0))], axis=1)
    if len(corners) > MOST_POLYGONS:
        axes.scatter(*corners.mean(axis=1).T, s=2, marker="s", color=FOLD_COLOUR, linewidths=0, zorder=3)
        return
    # An edge as well, because a cell that is folded flat has no area to fill, and one of many may be tiny.
    folds = PolyCollection(corners, facecolors=FOLD_COLOUR, edgecolors=FOLD_COLOUR, linewidths=0.6)
    folds.set_zorder(3)  # above the lines, which would hide a small fold
    axes.add_collection(folds, autolim=False)


def _pixel_centres(height, width):
    """Matplotlib's (x, y), which is (column, row), of every pixel: (H, W, 2)."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns, rows], axis=-1)


def _frame(axes, height, width, pixel_aspect=1.0):
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect=pixel_aspect)


def _every(spacing, length):
    """Every `spacing`-th index below `length`, and the last one, so that the mesh has a border."""
    return np.union1d(np.arange(0, length, spacing), length - 1)

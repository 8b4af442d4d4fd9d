"""Drawing one displacement field on axes of Matplotlib.

Warping pulls: warped(p) = moving(p + u(p)). A displacement therefore points from a pixel of the fixed (and warped)
image to the place in the moving image whose value it takes: grid, arrows and colours show where each pixel *looks*,
and content moves the other way. Row 0 is at the top of every panel, and pixel (r, c) has its centre at x = c, y = r.

All functions draw on `axes`, a matplotlib.axes.Axes whose limits they set to the frame of the images. A displacement
is a float array (H, W, 2) in pixels: displacement[..., 0] down the rows, displacement[..., 1] along the columns.

A large field is drawn by the means of blocks (`images.py`), and lines bend at every so manyth pixel; but log |J| and
folds are computed from all pixels, and every fold is drawn.
"""

import numpy as np

from minireg.metrics import folded_pixels
from minireg.viz.folds import cells_that_may_fold, fill_cells, fold, pixels_of
from minireg.viz.images import block_side, show

GRID_COLOUR = "#4cc9f0"
ARROW_COLOUR = "#ffd60a"

LENGTH_COLOURS = "viridis"
JACOBIAN_COLOURS = "PuOr"  # has no red, which is kept for folds; white at 0
JACOBIAN_LIMITS = (0.1, 2.0)  # log |J| beyond 2 (areas beyond e^2 = 7.4) looks like 2; noise below .1 looks like noise
JACOBIAN_PERCENTILE = 99  # of |log |J||, where colours end: one extreme cell would make all else pale

WHEEL_SIDE = 0.3  # of the panel
COLOUR_BAR = {"height": 0.06, "below": 0.05}  # inches


def draw_warped_grid(axes, displacement, spacing=1):
    """Draw where each output pixel took its value: the regular grid of pixels p, every p moved to p + u(p).

    Warping pulls: warped(p) = moving(p + u(p)). The mesh therefore lies in the *moving* image and belongs on top of it.
    Where the mesh is dense, a small piece of the moving image is spread over many output pixels, so things look bigger
    in the warped image; where it is wide, they shrink. A mesh shifted to the right shows content that will appear
    further to the left. Lines that leave the frame sample outside the moving image. Cells that fold (any of their
    `corner_determinants` is 0 or less) are filled red, whatever the spacing of the lines; where they are few and too
    small to be seen, with a dot on top.

    displacement (H, W, 2) in pixels. Every `spacing`-th row and column of the grid is drawn, and always the last ones.
    Raises InputError as `corner_determinants`.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_warped_grid(axes, np.full((4, 3, 2), (0.5, 2.0)))
    >>> lines, folds = axes.collections
    >>> lines.get_segments()[0].tolist(), len(folds.get_paths())  # row 0, as points (x, y)
    ([[2.0, 0.5], [3.0, 0.5], [4.0, 0.5]], 0)
    """
    WarpedGrid(displacement, spacing).draw(axes)


class WarpedGrid:
    """What `draw_warped_grid` draws, for the fields t u, whatever t from 0 to 1: what is searched for folds once.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> WarpedGrid(np.full((4, 3, 2), (0.5, 2.0))).draw(axes, t=0.5)
    >>> axes.collections[0].get_segments()[0].tolist()
    [[1.0, 0.25], [2.0, 0.25], [3.0, 0.25]]
    """

    def __init__(self, displacement, spacing=1):
        self.shape = displacement.shape[:2]
        step = block_side(displacement)
        rows, columns = (_every(spacing, side) for side in self.shape)
        bends = [_every(step, side) for side in self.shape]
        along_rows = _pixels_at(displacement, rows, bends[1])
        along_columns = (array.swapaxes(0, 1) for array in _pixels_at(displacement, bends[0], columns))
        self.lines = [*zip(*along_rows, strict=True), *zip(*along_columns, strict=True)]
        self.cells = cells_that_may_fold(displacement)

    def draw(self, axes, t=1.0):
        """Draw lines and folds on `axes`, and set its frame."""
        from matplotlib.collections import LineCollection

        lines = LineCollection([p + t * u for p, u in self.lines], colors=GRID_COLOUR, linewidths=0.6)
        axes.add_collection(lines, autolim=False)
        cells, u = self.cells
        u = t * u
        folded = fold(u)
        _frame(axes, *self.shape)
        fill_cells(axes, pixels_of(cells[folded]) + u[folded])

    def count_folds(self):
        """How many cells and how many pixels fold, as `folded_cells` and `folded_pixels` count them."""
        _, u = self.cells
        return (int(fold(u).sum()), int(folded_pixels(u).sum())) if len(u) else (0, 0)


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
    rows, columns = (np.arange((side - 1) % spacing // 2, side, spacing) for side in (height, width))
    tails, arrows = (array.reshape(-1, 2).T for array in _pixels_at(displacement, rows, columns))
    # "xy": direction and length are those of the data, also where an axis is turned round or a scale is not 1.
    axes.quiver(
        *tails, *arrows, angles="xy", scale_units="xy", scale=1, color=ARROW_COLOUR,
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
    show(axes, displacement, colours=lambda u: _direction_colours(u, longest))
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
    given; cells beyond look like those at the end, which the bar says. The cells lie between the pixels' centres. A
    pixel is drawn `pixel_aspect` times as high as wide. Raises InputError as `corner_determinants`.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_log_jacobian(axes, np.moveaxis(np.mgrid[:8, :8], 0, -1) * 0.5)  # looks at 1.5^2 times the area
    >>> round(float(axes.images[0].get_array()[0, 0]), 3)
    0.811
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    log_area, folded = _log_jacobian(displacement)
    limit = _limit([log_area[~folded]]) if limit is None else limit
    colours = ScalarMappable(Normalize(-limit, limit), JACOBIAN_COLOURS)
    if log_area.size:
        show(axes, log_area, first_edge=0, cmap=colours.cmap, norm=colours.norm)
    _frame(axes, *displacement.shape[:2], pixel_aspect)
    fill_cells(axes, pixels_of(np.argwhere(folded)))
    ticks = {-limit: f"≤−{limit:.1f}", 0: "0", limit: f"≥{limit:.1f}"}
    _draw_colour_bar(axes, colours, ticks, "grows      shrinks")


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
    show(axes, lengths, cmap=colours.cmap, norm=colours.norm)
    _frame(axes, *lengths.shape, pixel_aspect)
    ticks = {0: "0", longest / 2: f"{longest / 2:.3g}", longest: f"{longest:.3g}"}
    _draw_colour_bar(axes, colours, ticks, f"longest: {longest:.3g}")


def log_jacobian_limit(displacement):
    """Where the colours of `draw_log_jacobian` end for a batch (N, H, W, 2): within [.1, 2], robust against outliers.

    It is the 99th percentile of |log |J|| over all cells of the batch that do not fold, for a few extreme cells, most
    often beside a fold, would make all else pale.

    >>> log_jacobian_limit(np.zeros((1, 8, 8, 2)))
    0.1
    """
    parts = (_log_jacobian(u) for u in displacement)
    return _limit([log_area[~folded] for log_area, folded in parts])


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
    """Logarithms of the areas that cells are sent to, 0 where they fold, and which fold: two (H-1, W-1)."""
    cells, u = cells_that_may_fold(displacement)
    cells = cells[fold(u)]
    falling, rising = displacement[1:, 1:] - displacement[:-1, :-1], displacement[1:, :-1] - displacement[:-1, 1:]
    # The area of a quadrilateral is half the cross product of its diagonals, here (1, 1) and (1, -1) + what u adds.
    area = ((1 + rising[..., 0]) * (1 + falling[..., 1]) - (rising[..., 1] - 1) * (1 + falling[..., 0])) / 2
    folded = np.zeros(area.shape, bool)
    folded[tuple(cells.T)] = True
    area[folded] = 1
    return np.log(area, out=area), folded


def _limit(log_areas):
    sizes = np.abs(np.concatenate(log_areas))
    return float(np.clip(np.percentile(sizes, JACOBIAN_PERCENTILE) if sizes.size else 0, *JACOBIAN_LIMITS))


def _direction_colours(displacement, longest):
    """The colours (H, W, 3) of a displacement (H, W, 2)."""
    from matplotlib.colors import hsv_to_rgb

    down, right = displacement[..., 0], displacement[..., 1]
    hue = np.arctan2(down, right) / (2 * np.pi) % 1
    saturation = np.clip(np.hypot(down, right) / (longest or 1), 0, 1)
    return hsv_to_rgb(np.stack([hue, saturation, np.ones_like(hue)], axis=-1))


def _pixels_at(displacement, rows, columns):
    """Of the pixels in these rows and columns Matplotlib's (x, y), and their displacement in that order: (R, C, 2)."""
    return np.stack(np.meshgrid(columns, rows), axis=-1), displacement[np.ix_(rows, columns)][..., ::-1]


def _frame(axes, height, width, pixel_aspect=1.0):
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect=pixel_aspect)


def _every(spacing, length):
    """Every `spacing`-th index below `length`, and the last one, so that the mesh has a border."""
    return np.union1d(np.arange(0, length, spacing), length - 1)

"""Where a displacement field folds: which cells may, which do, and how they are drawn, be they few and tiny or many."""

import numpy as np

from minireg.metrics import folded_cells

FOLD_COLOUR = "#ff2d2d"
MOST_POLYGONS = 50_000  # folds; each takes about a kilobyte, and where there are more, a dot is as large as a cell
FEW_FOLDS = 100  # of cells that are smaller than two dots: they have a mark of 3 x 3 points, or nobody would see them
CELLS_AT_ONCE = 2**18  # are searched for folds, which takes 200 bytes each
STEADY = 0.99  # pixels; below 1, so that rounding hides no fold


def cells_that_may_fold(displacement):
    """All cells that fold in some field t u, 0 < t <= 1, and few besides: where so little is wrong, look no further.

    With A = J - I at a corner of a cell, t u folds there if det(I + t A) <= 0: if A has an eigenvalue of -1 / t or
    less. No eigenvalue exceeds the norm of A, the larger of |u_row(q) - u_row(p)| + |u_column(q) - u_column(p)| along
    the two edges p to q that meet there. So a cell with less than 1 along all four edges never folds.

    displacement (H, W, 2) -> the cells, (K, 2), by their first pixels (row, column), and the displacements (K, 2, 2, 2)
    of the four pixels of each

    >>> u = np.zeros((5, 9, 2))
    >>> u[2, 4, 1] = 2
    >>> cells, u_of_cells = cells_that_may_fold(u)
    >>> cells.tolist(), fold(u_of_cells).tolist()
    ([[1, 3], [1, 4], [2, 3], [2, 4]], [False, True, False, True])
    """
    with np.errstate(invalid="ignore"):  # what is not finite is no number below 1, either; `fold` reports it
        down, across = (np.abs(np.diff(displacement, axis=axis)) for axis in (0, 1))
        down, across = (edges[..., 0] + edges[..., 1] < STEADY for edges in (down, across))
    rows, columns = np.nonzero(~(down[:, :-1] & down[:, 1:] & across[:-1] & across[1:]))
    corners = [[displacement[rows + i, columns + j] for j in (0, 1)] for i in (0, 1)]
    return np.stack([rows, columns], axis=-1), np.moveaxis(np.array(corners), 2, 0)


def fold(u):
    """Which of the cells fold whose pixels are displaced by u (K, 2, 2, 2): (K,). Raises as `corner_determinants`."""
    parts = np.array_split(u, -(-len(u) // CELLS_AT_ONCE)) if len(u) else []
    return np.concatenate([np.zeros(0, bool), *(folded_cells(part) > 0 for part in parts)])


def fill_cells(axes, cells):
    """Fill folded cells in red; their four pixels (K, 2, 2, 2), (row, column), are where they are drawn."""
    from matplotlib.collections import PolyCollection

    corners = cells[:, [0, 0, 1, 1], [0, 1, 1, 0], ::-1]  # round the cell, and as Matplotlib's (x, y)
    many = len(corners) > MOST_POLYGONS
    lost = 0 < len(corners) <= FEW_FOLDS and axes.bbox.width < 2 * np.ptp(axes.get_xlim())
    if many or lost:
        centres = corners.mean(axis=1).T
        axes.scatter(*centres, s=2 if many else 9, marker="s", color=FOLD_COLOUR, linewidths=0, zorder=3)
    if not many:
        # An edge as well, because a cell that is folded flat has no area to fill, and one of many may be tiny.
        folds = PolyCollection(corners, facecolors=FOLD_COLOUR, edgecolors=FOLD_COLOUR, linewidths=0.6)
        folds.set_zorder(3)  # above the lines, which would hide a small fold
        folds.set_snap(False)  # to whole dots, on which all corners of a tiny cell are one, and nothing is drawn
        axes.add_collection(folds, autolim=False)


def pixels_of(cells):
    """The four pixels (K, 2, 2, 2), (row, column), of the cells (K, 2) that begin there."""
    return cells[:, None, None] + np.moveaxis(np.indices((2, 2)), 0, -1)

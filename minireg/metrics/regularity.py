"""Whether a displacement field folds space, and how unevenly it stretches it."""

import numpy as np

from minireg import fields
from minireg.errors import InputError
from minireg.metrics.checks import checked_mask, float64_batches


def corner_determinants(u):
    """Jacobian determinants of phi(p) = p + u(p) at the four corners of every cell; they decide folding.

    `fields.corner_determinants` is the same for Tensors, and explains why four of them decide it.

    u is a displacement in pixels, a float array (N, H, W, 2); u[..., 0] along rows (down), u[..., 1] along columns
    (right). The result is a float64 array (N, H-1, W-1, 4): relative changes of area, 1 for the identity, negative
    where orientation flips. The corners of cell (i, j) come in the order (i, j), (i, j+1), (i+1, j), (i+1, j+1). An
    image one pixel wide has no cells. Raises InputError where u is of another shape or type or holds values that are
    not finite.

    >>> u = np.stack(np.mgrid[:2.0, :2.0], axis=-1)[None]  # u(p) = p doubles both sides of the only cell
    >>> corner_determinants(u).tolist()
    [[[[4.0, 4.0, 4.0, 4.0]]]]
    """
    (u,) = float64_batches(channels=2, u=u)
    return np.stack(fields.corner_determinants(u), axis=-1)


def folded_cells(u, mask=None):
    """Share of cells in which p + u(p), interpolated bilinearly, folds anywhere (see `corner_determinants`).

    u is a float array (N, H, W, 2), a displacement in pixels; mask, an optional bool array (N, H, W), counts only the
    cells that touch it: those of whose four pixels it holds at least one. Returns a float64 array (N,) in [0, 1], the
    share of cells with a corner determinant of 0 or less; 0 where there is no cell. Raises InputError as
    `corner_determinants`, and for a mask that is not boolean or of another shape.

    >>> u = np.zeros((1, 3, 3, 2))
    >>> u[0, 1, 1, 1] = 2.0  # one pixel passes its right neighbour: of four cells the two on its right fold
    >>> folded_cells(u).item(), folded_pixels(u).item()
    (0.5, 0.25)
    """
    folded = (corner_determinants(u) <= 0).any(axis=-1)
    mask = checked_mask(mask, u.shape[:3])
    return _share(folded, mask[:, :-1, :-1] | mask[:, :-1, 1:] | mask[:, 1:, :-1] | mask[:, 1:, 1:])


def folded_pixels(u, mask=None):
    """Share of pixels at which the forward-difference Jacobian determinant of p + u(p) is 0 or less.

    The usual number of the field, to be compared with care: many print it from central differences, which miss what
    alternates from pixel to pixel. It looks at one corner of each cell, so it can still miss a fold and never exceeds
    `folded_cells` over the whole image. The last row and column have no forward neighbour and are not counted.

    u is a float array (N, H, W, 2), a displacement in pixels; mask, an optional bool array (N, H, W), counts only its
    pixels, such as the foreground of the fixed image, on whose grid u lives. Returns a float64 array (N,) in [0, 1], a
    share of the (H-1)(W-1) pixels, or of those in the mask; 0 where there is none. Raises InputError as `folded_cells`.

    >>> u = np.zeros((1, 2, 3, 2))
    >>> u[..., 1] = [0.0, 2.0, 0.0]  # the middle column passes the right one
    >>> folded_pixels(u).tolist()
    [0.5]
    """
    folded = corner_determinants(u)[..., 0] <= 0
    return _share(folded, checked_mask(mask, u.shape[:3])[:, :-1, :-1])


def spread_log_jacobian(u, floor=1e-3):
    """Standard deviation of log |J|, |J| by forward differences of p + u(p), clipped below at `floor`.

    Zero for a field that changes all areas alike; the logarithm makes halving and doubling count the same. The
    logarithm of a fold does not exist, so determinants below `floor` count as `floor`: report `folded_pixels` beside
    this number, and do not compare it across toolkits, which clip differently.

    u is a displacement in pixels, a float array (N, H, W, 2), and `floor` the smallest determinant that is told apart
    from a fold, above 0. Returns a float64 array (N,), 0 and up; 0 where there is no pixel with two forward neighbours.
    Raises InputError as `corner_determinants`, and for a floor that is not above 0.

    Source: Leow et al., Statistical properties of Jacobian maps and the realization of unbiased large-deformation
    nonlinear image registration, IEEE TMI 26 (2007), for why log |J| and not |J|, doi:10.1109/TMI.2007.892646.

    >>> u = np.zeros((1, 2, 3, 2))
    >>> u[..., 1] = [0.0, 1.0, 0.5]  # one cell is doubled, one halved: logarithms ln 2 and -ln 2
    >>> spread_log_jacobian(u).round(3).tolist()
    [0.693]
    """
    if not floor > 0:
        raise InputError(f"the floor of the Jacobian determinant must be above 0, found {floor}")
    determinants = corner_determinants(u)[..., 0]
    if determinants[0].size == 0:
        return np.zeros(len(determinants))
    return np.std(np.log(np.maximum(determinants, floor)), axis=(1, 2))


def _share(marked, counted):
    """The share of `marked` among the `counted` of each image (H, W) of a batch; 0 where nothing is counted."""
    total = np.count_nonzero(counted, axis=(1, 2))
    return np.count_nonzero(marked & counted, axis=(1, 2)) / np.maximum(total, 1)

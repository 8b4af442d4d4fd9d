"""What evaluation reports: how alike two images are, and whether a displacement field folds space.

Every metric takes plain NumPy arrays of a whole batch and returns one float64 number per pair, shape (N,):

    ncc(warped, fixed).mean(), folded_pixels(displacement).max()

How alike (images a, b of shape (N, H, W, C); every one of these is symmetric in a and b):
    ncc                  -1 to 1, 1 is best     linear correlation; ignores brightness and contrast
    mse                   0 and up, 0 is best   squared difference
    ssim                 -1 to 1, 1 is best     means, contrasts and correlation in small windows
    dice                  0 to 1, 1 is best     overlap of the bright regions
How regular (a displacement u of shape (N, H, W, 2), in pixels, so that p is sent to p + u(p)):
    folded_pixels         0 to 1, 0 is best     share of pixels where forward differences see a fold
    folded_cells          0 to 1, 0 is best     share of cells with a fold anywhere inside
    spread_log_jacobian   0 and up              how unevenly the field shrinks and grows the image

Nothing here is differentiable; what training minimises is in `losses.py`. All arithmetic is in float64.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minireg.errors import InputError

# An image that deviates from its mean by no more than float32 rounding has no structure to correlate: this is
# what interpolation leaves of a constant image.
CONSTANT_IMAGE_TOLERANCE = 4 * float(np.finfo(np.float32).eps)

# Wang et al. 2004, section III-C: the window's sigma in pixels, and the two stabilising constants for
# intensities in [0, 1]. They cut the window at 11 x 11, which is a radius of 5 (3.5 sigma, rounded).
SSIM_SIGMA = 1.5
SSIM_RADIUS = 5
SSIM_C1 = 0.01**2
SSIM_C2 = 0.03**2


def ncc(a, b):
    """Global normalised cross-correlation: Pearson's correlation of the intensities of each pair.

        ncc = sum (a - mean a)(b - mean b) / sqrt(sum (a - mean a)^2 sum (b - mean b)^2)

    Sums and means run over H, W and C. Both images are centred before anything is squared; the textbook
    shortcut E[a^2] - E[a]^2 loses every digit when an image is bright and flat.

    Parameters
    ----------
    a, b : float arrays (N, H, W, C)

    Returns
    -------
    float64 array (N,) in [-1, 1]; 0 where either image is constant up to float32 rounding, never NaN.

    Raises
    ------
    InputError
        Shapes differ or are not (N, H, W, C), not floating point, or values that are not finite.
    """
    a, b = _float64(a=a, b=b)
    return np.clip(np.sum(_unit_vectors(a) * _unit_vectors(b), axis=1), -1, 1)


def mse(a, b):
    """Mean squared difference over H, W and C, in squared intensities.

    Parameters
    ----------
    a, b : float arrays (N, H, W, C)

    Returns
    -------
    float64 array (N,), 0 and up.

    Raises
    ------
    InputError
        As `ncc`.
    """
    a, b = _float64(a=a, b=b)
    return np.mean((a - b) ** 2, axis=(1, 2, 3))


def ssim(a, b):
    """Structural similarity, averaged over all windows that lie wholly inside the image, and over channels.

        ssim = (2 mean_a mean_b + C1)(2 cov_ab + C2) / ((mean_a^2 + mean_b^2 + C1)(var_a + var_b + C2))

    with means, variances and the covariance weighted by an 11 x 11 Gaussian window of sigma 1.5 pixels,
    C1 = (0.01 L)^2 and C2 = (0.03 L)^2, L = 1 being the range of intensities. The numbers equal those of
    `skimage.metrics.structural_similarity(data_range=1, gaussian_weights=True, use_sample_covariance=False)`.

    Parameters
    ----------
    a, b : float arrays (N, H, W, C), H and W at least 11, intensities in [0, 1]

    Returns
    -------
    float64 array (N,) in [-1, 1].

    Raises
    ------
    InputError
        As `ncc`, and where no window fits into the image.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli: Image quality assessment: from error visibility to structural similarity.
    IEEE Transactions on Image Processing 13 (2004), equation 13.
    """
    a, b = _float64(a=a, b=b)
    side = 2 * SSIM_RADIUS + 1
    if min(a.shape[1:3]) < side:
        raise InputError(f"SSIM needs images of at least {side} x {side} pixels, found a batch of shape {a.shape}")

    # Variances do not see a shift; taking it out first keeps var = E[x^2] - E[x]^2 from cancelling. What is
    # left of rounding may still fall below zero where an image is flat.
    shift_a = a.mean(axis=(1, 2), keepdims=True)
    shift_b = b.mean(axis=(1, 2), keepdims=True)
    a, b = a - shift_a, b - shift_b
    mean_a, mean_b = _gaussian_average(a), _gaussian_average(b)
    var_a = np.maximum(_gaussian_average(a * a) - mean_a**2, 0)
    var_b = np.maximum(_gaussian_average(b * b) - mean_b**2, 0)
    cov_ab = _gaussian_average(a * b) - mean_a * mean_b
    mean_a, mean_b = mean_a + shift_a, mean_b + shift_b

    luminance = (2 * mean_a * mean_b + SSIM_C1) / (mean_a**2 + mean_b**2 + SSIM_C1)
    structure = (2 * cov_ab + SSIM_C2) / (var_a + var_b + SSIM_C2)
    return np.mean(luminance * structure, axis=(1, 2, 3))


def dice(a, b, threshold=0.5):
    """Dice overlap of the two sets of pixels brighter than `threshold`: 2 |A and B| / (|A| + |B|).

    Parameters
    ----------
    a, b : float arrays (N, H, W, C)
    threshold : float
        In the unit of the intensities; a pixel equal to it is outside.

    Returns
    -------
    float64 array (N,) in [0, 1]; 1 where both sets are empty, for then they agree.

    Raises
    ------
    InputError
        As `ncc`.

    References
    ----------
    Dice: Measures of the amount of ecologic association between species. Ecology 26 (1945).
    """
    a, b = _float64(a=a, b=b)
    inside_a, inside_b = a > threshold, b > threshold
    overlap = np.sum(inside_a & inside_b, axis=(1, 2, 3))
    total = np.sum(inside_a, axis=(1, 2, 3)) + np.sum(inside_b, axis=(1, 2, 3))
    return np.where(total == 0, 1.0, 2 * overlap / np.maximum(total, 1))


def corner_determinants(u):
    """Jacobian determinants of phi(p) = p + u(p) at the four corners of every cell; they decide folding.

    A cell is the square between four neighbouring pixels. Inside it, with s, t in [0, 1] counted down and to
    the right, a bilinearly interpolated field sends the cell to a quadrilateral with these edges:

        phi(0,0) --- top ---> phi(0,1)
           |                     |            d phi / ds = left + t w
          left                 right          d phi / dt = top  + s w
           v                     v            w = right - left = bottom - top
        phi(1,0) -- bottom -> phi(1,1)

    The determinant is the cross product of the two derivatives,

        (left + t w) x (top + s w) = left x top + s (left x w) + t (w x top) + s t (w x w),

    and w x w = 0. What remains is affine in s and in t, so its minimum over the cell lies at a corner: a cell
    is free of folds if and only if all four corner determinants are positive.

    At a corner the derivatives are the two edges that meet there. The first corner's determinant is therefore
    the one of forward differences, the last one's that of backward differences. Central differences are no
    substitute: they skip the pixel itself, and see nothing of a field that alternates from pixel to pixel.

    Parameters
    ----------
    u : float array (N, H, W, 2)
        Displacement in pixels; u[..., 0] along rows (down), u[..., 1] along columns (right).

    Returns
    -------
    float64 array (N, H-1, W-1, 4): relative changes of area, 1 for the identity, negative where orientation
    flips. The corners of cell (i, j) come in the order (i, j), (i, j+1), (i+1, j), (i+1, j+1). An image one
    pixel wide has no cells.

    Raises
    ------
    InputError
        Not a float array (N, H, W, 2), or values that are not finite.
    """
    (u,) = _float64(channels=2, u=u)
    down = np.array([1, 0]) + np.diff(u, axis=1)  # d phi / d row along each vertical edge
    across = np.array([0, 1]) + np.diff(u, axis=2)  # d phi / d column along each horizontal edge
    left, right = down[:, :, :-1], down[:, :, 1:]
    top, bottom = across[:, :-1], across[:, 1:]
    return np.stack([_cross(left, top), _cross(right, top), _cross(left, bottom), _cross(right, bottom)], axis=-1)


def folded_cells(u):
    """Share of cells in which p + u(p), interpolated bilinearly, folds anywhere (see `corner_determinants`).

    Parameters
    ----------
    u : float array (N, H, W, 2), displacement in pixels

    Returns
    -------
    float64 array (N,) in [0, 1]: the share of cells with a corner determinant of 0 or less; 0 where there is
    no cell.

    Raises
    ------
    InputError
        As `corner_determinants`.
    """
    return _share((corner_determinants(u) <= 0).any(axis=-1))


def folded_pixels(u):
    """Share of pixels at which the forward-difference Jacobian determinant of p + u(p) is 0 or less.

    The usual number of the field, to be compared with care: many print it from central differences, which
    miss what alternates from pixel to pixel. It looks at one corner of each cell, so it can still miss a fold
    and never exceeds `folded_cells`. The last row and column have no forward neighbour and are not counted.

    Parameters
    ----------
    u : float array (N, H, W, 2), displacement in pixels

    Returns
    -------
    float64 array (N,) in [0, 1], a share of the (H-1)(W-1) pixels; 0 where there is none.

    Raises
    ------
    InputError
        As `corner_determinants`.
    """
    return _share(corner_determinants(u)[..., 0] <= 0)


def spread_log_jacobian(u, floor=1e-3):
    """Standard deviation of log |J|, |J| by forward differences of p + u(p), clipped below at `floor`.

    Zero for a field that changes all areas alike; the logarithm makes halving and doubling count the same.
    The logarithm of a fold does not exist, so determinants below `floor` count as `floor`: report
    `folded_pixels` beside this number, and do not compare it across toolkits, which clip differently.

    Parameters
    ----------
    u : float array (N, H, W, 2), displacement in pixels
    floor : float
        The smallest determinant that is told apart from a fold; above 0.

    Returns
    -------
    float64 array (N,), 0 and up; 0 where there is no pixel with two forward neighbours.

    Raises
    ------
    InputError
        As `corner_determinants`, and for a floor that is not above 0.

    References
    ----------
    Leow et al.: Statistical properties of Jacobian maps and the realization of unbiased large-deformation
    nonlinear image registration. IEEE Transactions on Medical Imaging 26 (2007), for why log |J| and not |J|.
    """
    if not floor > 0:
        raise InputError(f"the floor of the Jacobian determinant must be above 0, found {floor}")
    determinants = corner_determinants(u)[..., 0]
    if determinants[0].size == 0:
        return np.zeros(len(determinants))
    return np.std(np.log(np.maximum(determinants, floor)), axis=(1, 2))


def score(warped, fixed, displacement):
    """All of the above for a batch of registered pairs.

    Parameters
    ----------
    warped, fixed : float arrays (N, H, W, C)
    displacement : float array (N, H, W, 2), in pixels, with which `warped` was sampled

    Returns
    -------
    dict of str to float64 array (N,); "ssim" is NaN where the images are too small for its window.

    Raises
    ------
    InputError
        As `ncc`.
    """
    too_small = min(fixed.shape[1:3]) < 2 * SSIM_RADIUS + 1
    return {
        "ncc": ncc(warped, fixed),
        "mse": mse(warped, fixed),
        "ssim": np.full(len(fixed), np.nan) if too_small else ssim(warped, fixed),
        "dice": dice(warped, fixed),
        "folded_pixels": folded_pixels(displacement),
        "folded_cells": folded_cells(displacement),
        "spread_log_jacobian": spread_log_jacobian(displacement),
    }


def _float64(channels=None, **arrays):
    """The named arrays in float64, checked to be finite float batches of one shape (N, H, W, channels)."""
    shapes = {getattr(array, "shape", None) for array in arrays.values()}
    shape = next(iter(shapes))
    fits = (
        all(isinstance(array, np.ndarray) and np.issubdtype(array.dtype, np.floating) for array in arrays.values())
        and len(shapes) == 1
        and len(shape) == 4
        and min(shape) > 0
        and channels in (None, shape[-1])
    )
    if not fits:
        found = " and ".join(
            f"{name}: {type(array).__name__} {getattr(array, 'dtype', '')} {getattr(array, 'shape', '')}"
            for name, array in arrays.items()
        )
        one_shape = " of one shape" if len(arrays) > 1 else ""
        expected = f"floating-point NumPy arrays{one_shape} (N, H, W, {channels or 'C'}), none of them empty"
        raise InputError(f"expected {expected}; found {found}")
    for name, array in arrays.items():
        unusable = array.size - np.count_nonzero(np.isfinite(array))
        if unusable:
            raise InputError(f"{unusable} of the {array.size} values of {name} are NaN or infinite")
    return [array.astype(np.float64) for array in arrays.values()]


def _unit_vectors(images):
    """Each image as a centred row of length 1, or as a row of zeros where the image is constant."""
    rows = images.reshape(len(images), -1)
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    structured = length > CONSTANT_IMAGE_TOLERANCE * np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(centred, length, out=np.zeros_like(centred), where=structured)


def _gaussian_average(images):
    """SSIM's weighted mean around every pixel that has a whole window, along rows and then along columns."""
    offsets = np.arange(-SSIM_RADIUS, SSIM_RADIUS + 1)
    weights = np.exp(-0.5 * (offsets / SSIM_SIGMA) ** 2)
    weights /= weights.sum()
    for axis in (1, 2):
        images = sliding_window_view(images, len(weights), axis=axis) @ weights
    return images


def _cross(v, w):
    """The two-dimensional cross product: the signed area of the parallelogram with sides v and w."""
    return v[..., 0] * w[..., 1] - v[..., 1] * w[..., 0]


def _share(mask):
    """The share of True in each (H, W) mask of a batch; 0 for a mask without elements."""
    return np.count_nonzero(mask, axis=(1, 2)) / max(mask[0].size, 1)

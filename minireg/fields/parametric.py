"""Fields that a few numbers determine: an affine matrix, landmarks, or the seed of a random generator.

All are displacements u (N, H, W, 2) in pixels, (row, column), that stand for p -> p + u(p).
"""

import math

import numpy as np

from minireg import backend, ops
from minireg.backend import xp
from minireg.errors import InputError
from minireg.fields.calculus import integrate, smooth

# Landmarks closer to each other than this, in pixels, are one landmark, and points closer to a line are on it.
SAME_PLACE = 1e-3

# The straight first step of an integration, in pixels: so short that the interpolation makes the larger error.
FIRST_STEP = 1 / 32


def affine_displacement(matrix, height, width):
    """The displacement of an affine map about the centre of the image, c = ((H - 1) / 2, (W - 1) / 2).

        p + u(p) = c + A (p - c) + t        matrix = [A | t]

    Parameters
    ----------
    matrix : (N, 2, 3), Tensor or array; rows and columns in the order (row, column), t in pixels
        [[1, 0, 0], [0, 1, 0]] is the identity. As for every displacement, the points of the fixed image are sent into
        the moving one: A = 2 I shows the moving image at half its size.
    height, width : int, of the image

    Returns a Tensor (N, H, W, 2), in pixels, differentiable in the matrix

    Raises InputError where the matrix is not (N, 2, 3).

    >>> affine_displacement(np.array([[[1, 0, 0], [0, 2, 0]]], "float32"), 1, 5).data[0, 0, :, 1].tolist()
    [-2.0, -1.0, 0.0, 1.0, 2.0]
    """
    if matrix.ndim != 3 or matrix.shape[1:] != (2, 3):
        raise InputError(f"expected affine matrices (N, 2, 3), got shape {matrix.shape}")
    dtype = matrix.dtype
    rows = xp.arange(height, dtype=dtype)[:, None] - (height - 1) / 2
    columns = xp.arange(width, dtype=dtype) - (width - 1) / 2
    shape = (height, width)
    coordinates = [xp.broadcast_to(rows, shape), xp.broadcast_to(columns, shape), xp.ones(shape, dtype)]
    from_centre = xp.stack(coordinates, axis=-1).reshape(height * width, 3)
    # The identity is taken off the matrix, not p off the result: small displacements keep all their digits.
    change = matrix - xp.eye(2, 3, dtype=dtype)
    return ops.matmul(from_centre, ops.transpose(change, (0, 2, 1))).reshape(len(matrix), height, width, 2)


def affine_part(displacement):
    """The affine map that is closest to p -> p + u(p), by least squares over all pixels.

    displacement (N, H, W, 2), NumPy, in pixels -> (N, 2, 3), float64: sends (row, column, 1), from the corner of the
    image and not from its centre, to (row, column).

    >>> affine_part(np.full((1, 4, 5, 2), (0.0, 2.0)))[0].round(6).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 2.0]]
    """
    n, height, width, _ = displacement.shape
    p = np.insert(np.indices((height, width)).reshape(2, -1), 2, 1, axis=0).T.astype(np.float64)
    u = displacement.reshape(n, height * width, 2).swapaxes(0, 1).reshape(height * width, -1)
    change = np.linalg.lstsq(p, u, rcond=None)[0]
    return np.eye(2, 3) + change.reshape(3, n, 2).transpose(1, 2, 0)


def thin_plate_spline(fixed_points, moving_points, height, width, smoothing=0.0):
    """The displacement that takes landmarks to their counterparts and bends as little as possible in between.

        u(p) = sum_k phi(|p - f_k|) w_k + b + p B        phi(r) = r^2 log r

    for the landmarks f_k in the fixed image and m_k in the moving one. Of all fields it has the smallest

        sum_k |u(f_k) - (m_k - f_k)|^2 + smoothing / (8 pi) * bending(u)
        bending(u) = the integral over the plane of |u_rr|^2 + 2 |u_rc|^2 + |u_cc|^2

    which the solution of this linear system gives, with K_jk = phi(|f_j - f_k|) and the rows (1, f_k) of P:

        [K + smoothing I   P] [w   ]   [m - f]
        [P^T               0] [b, B] = [0    ]

    An affine map does not bend, so landmarks that are related by one give that map, whatever the smoothing. Nothing
    prevents folds: landmarks that change places tear the field.

    Parameters
    ----------
    fixed_points, moving_points : arrays (N, K, 2) in pixels: row, column; at least three, not on one line
    height, width : int, of the image
    smoothing : float, 0 and up, in pixels^2
        0 meets every landmark exactly; the larger, the nearer to the best affine map. It begins to matter at about a
        tenth of the squared distance between neighbouring landmarks.

    Returns
    -------
    NumPy array (N, H, W, 2), in pixels, float32 if the points are. `fields.warp_points(fixed_points, u)` gives the
    moving points, up to the bilinear interpolation between pixels.

    Raises InputError for shapes that differ, fewer than three landmarks, all of them on one line, or two in one place
    in the fixed image; values that are not finite; a negative smoothing.

    Source: Bookstein, Principal warps, IEEE PAMI 11 (1989), doi:10.1109/34.24792; for the smoothing Wahba, Spline
    models for observational data, 1990, section 2.4, and Rohr et al., Landmark-based elastic registration using
    approximating thin-plate splines, IEEE TMI 20 (2001), doi:10.1109/42.929618.

    >>> fixed = np.array([[[0, 0], [0, 4], [4, 0], [4, 4]]], "float32")
    >>> thin_plate_spline(fixed, fixed + (1, -1), 5, 5)[0, 2, 3].round(6).tolist()  # all of them shifted
    [1.0, -1.0]
    """
    fixed, moving = np.asarray(fixed_points), np.asarray(moving_points)
    dtype = np.result_type(fixed, moving, np.float32)
    fixed, moving = fixed.astype(np.float64), moving.astype(np.float64)
    _check_landmarks(fixed, moving)
    if not 0 <= smoothing < math.inf:
        raise InputError(f"the smoothing of a thin-plate spline must be a number from 0 on, got {smoothing}")
    count = fixed.shape[1]
    between = fixed[:, :, None] - fixed[:, None]
    affine = np.concatenate([np.ones((*fixed.shape[:2], 1)), fixed], axis=-1)
    system = np.zeros((len(fixed), count + 3, count + 3))
    system[:, :count, :count] = _bend(between) + smoothing * np.eye(count)
    system[:, :count, count:] = affine
    system[:, count:, :count] = affine.swapaxes(1, 2)
    solution = np.linalg.solve(system, np.pad(moving - fixed, ((0, 0), (0, 3), (0, 0))))

    pixels = np.moveaxis(np.mgrid[:height, :width], 0, -1).astype(np.float64)
    shift, linear = solution[:, None, None, count], solution[:, None, count + 1 :]
    displacement = shift + pixels @ linear
    for landmark, weight in zip(fixed.swapaxes(0, 1), solution[:, :count].swapaxes(0, 1), strict=True):
        displacement += _bend(pixels - landmark[:, None, None])[..., None] * weight[:, None, None]
    return displacement.astype(dtype)


def _bend(difference):
    """phi(r) = r^2 log r for vectors (..., 2) of length r; 0 at r = 0."""
    squared = np.sum(difference**2, axis=-1)
    return 0.5 * squared * np.log(np.where(squared > 0, squared, 1))


def _check_landmarks(fixed, moving):
    if fixed.shape != moving.shape or fixed.ndim != 3 or fixed.shape[2] != 2:
        raise InputError(f"expected fixed and moving points (N, K, 2), got shapes {fixed.shape} and {moving.shape}")
    if not (np.isfinite(fixed).all() and np.isfinite(moving).all()):
        raise InputError("some coordinates of the landmarks are NaN or infinite")
    count = fixed.shape[1]
    if count < 3:
        raise InputError(f"a thin-plate spline needs at least three landmarks, got {count}")
    distances = np.linalg.norm(fixed[:, :, None] - fixed[:, None], axis=-1)
    if (distances[:, ~np.eye(count, dtype=bool)] < SAME_PLACE).any():
        raise InputError("two landmarks of the fixed image are in the same place: leave one of them out")
    # The last singular value is the root of the summed squared distances to the line that fits best.
    off_line = np.linalg.svd(fixed - fixed.mean(axis=1, keepdims=True), compute_uv=False)[:, -1]
    if (off_line < SAME_PLACE).any():
        raise InputError("the landmarks of the fixed image lie on one line: add one beside it")


def random_diffeomorphism(rng, shape, amplitude, smoothness):
    """A random smooth invertible field and its inverse: u = exp(v) and exp(-v) of a random velocity v.

    v is white noise, smoothed by a Gaussian and scaled so that the longest vector of each pair has the length
    `amplitude`: no point moves further than that. (The root mean square of |u| is about a third of it.) The velocity is
    drawn and integrated on a grid that is larger than the image on all sides by the amplitude, so that the field
    is the true flow up to the border, as likely to cross it as any other line.

    While the amplitude is at most 1.5 times the smoothness, no cell of u or of its inverse w folds. What bilinear
    interpolation leaves of |u(p) + w(p + u(p))|, where p + u(p) is within the image, grows with amplitude /
    smoothness^2: .014 pixels on average and .12 at most when both are 3, .011 and .09 when both are 4 (200 fields of
    32 x 32).

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (N, H, W)
    amplitude : float, in pixels, above 0
    smoothness : float, in pixels: sigma of the Gaussian, above 0

    Returns the displacement and its inverse, NumPy float32 (N, H, W, 2), in pixels

    Raises InputError for an amplitude or a smoothness that is not a number above 0.

    >>> from minireg.fields import compose
    >>> u, inverse = random_diffeomorphism(np.random.default_rng(0), (1, 32, 32), amplitude=3, smoothness=4)
    >>> bool(np.abs(compose(u, inverse).data)[:, 4:-4, 4:-4].max() < 0.1)  # there and back
    True
    """
    for name, value in (("amplitude", amplitude), ("smoothness", smoothness)):
        if not 0 < value < math.inf:
            raise InputError(f"the {name} of a random field must be a number of pixels above 0, got {value}")
    count, height, width = shape
    margin = math.ceil(amplitude) + 1
    noise = rng.standard_normal((count, height + 2 * margin, width + 2 * margin, 2))
    velocity = backend.to_host(smooth(backend.to_device(noise), smoothness).data)
    longest = np.sqrt(np.sum(velocity**2, axis=-1, keepdims=True).max(axis=(1, 2), keepdims=True))
    velocity = backend.to_device(velocity * (amplitude / longest))
    squarings = max(0, math.ceil(math.log2(amplitude / FIRST_STEP)))
    both = (integrate(sign * velocity, squarings).data for sign in (1, -1))
    inner = slice(None), slice(margin, margin + height), slice(margin, margin + width)
    return tuple(backend.to_host(field)[inner].astype(np.float32) for field in both)

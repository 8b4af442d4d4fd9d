"""What one does with displacement and velocity fields: compose, integrate, invert and smooth them, see where they fold.

Everything here but `invert` and `logarithm` is made of ops, so gradients flow through it. Beyond the border a field
continues as it is at the border.
"""

import math

import numpy as np

from minireg import backend, ops
from minireg.backend import xp
from minireg.errors import InputError

# Of a Gaussian, 0.3 % lies further out than this many sigma; the rest is brought to a sum of 1.
GAUSSIAN_CUT = 3


def compose(first, second):
    """The field of going along `first`, and from there along `second`.

        w(p) = first(p) + second(p + first(p))

    Warping an image by w is warping it by `second` and the result by `first`: pull-backs compose in reverse order.

    first, second (N, H, W, 2), in pixels -> Tensor (N, H, W, 2). Raises InputError as `ops.warp`.

    >>> down, right = (np.full((1, 4, 4, 2), step, "float32") for step in ((1, 0), (0, 2)))
    >>> compose(down, right).data[0, 0, 0].tolist()
    [1.0, 2.0]
    """
    return first + ops.warp(second, first, border="edge")


def enlarge(field, factor):
    """A field at `factor` times its height and width, in pixels of that size (`ops.upsample_bilinear`).

    field (N, H, W, 2), factor int -> (N, factor H, factor W, 2)

    >>> enlarge(np.full((1, 2, 2, 2), 0.5, "float32"), 2).data[0, 3, 3].tolist()  # half a pixel of twice the size
    [1.0, 1.0]
    """
    return field if factor == 1 else ops.upsample_bilinear(field, factor) * factor


def integrate(velocity, squarings):
    """The displacement after flowing along a stationary velocity field for one unit of time: u = exp(v).

    Scaling and squaring: a very short flow is nearly a straight step, v / 2^squarings, and composing a flow with
    itself doubles its time. The flow of a smooth velocity never folds; what remains of folding comes from the bilinear
    interpolation and from taking too few squarings.

    The way back is to flow along -v: `integrate(-velocity, squarings)` is the inverse, up to the same two errors.

    A velocity on a grid of half the resolution is in pixels of that grid. They are twice as large, so the displacement
    of the image is `ops.upsample_bilinear(integrate(velocity, squarings), 2) * 2`, and its inverse that of -velocity.

    Parameters
    ----------
    velocity : (N, H, W, 2), in pixels per unit of time
    squarings : int
        So many that the longest velocity over 2^squarings is well below one pixel.

    Returns a Tensor (N, H, W, 2), in pixels

    Source: Arsigny, Commowick, Pennec, Ayache, A log-Euclidean framework for statistics on diffeomorphisms, MICCAI
    2006, algorithm 2, doi:10.1007/11866565_113; as a layer, Dalca et al., MICCAI 2018, arXiv:1805.04605.

    >>> integrate(np.full((1, 4, 4, 2), (1, -2), "float32"), squarings=4).data[0, 2, 2].tolist()
    [1.0, -2.0]
    """
    displacement = ops.mul(velocity, 0.5**squarings)
    for _ in range(squarings):
        displacement = compose(displacement, displacement)
    return displacement


def invert(displacement, iterations=100, tolerance=1e-3, step=0.5, start=None):
    """The displacement w that undoes u: p + w(p) is the point that u sends to p.

        u(p + w(p)) + w(p) = 0        w <- w - step (u(p + w(p)) + w(p)),        beginning with w = 0

    With step = 1 this is the fixed point w <- -u(p + w(p)) of Chen et al., which converges while |Du| < 1: while u
    stretches no direction to twice its length. Where it does, w jumps to and fro, and going part of the way helps: a
    step s converges up to a stretch of 2/s, but needs about 1/s times as many iterations. (Of 100 random fields that
    folded nowhere and stretched up to 3.2 times, the whole step missed the inverse of 69, the half step of none.)

    This is the inverse of one particular field. Where the velocity is known, `integrate(-velocity)` is quicker, and
    differentiable.

    Parameters
    ----------
    displacement : NumPy array (N, H, W, 2), in pixels
    iterations : int, at least 1: at most so many, for the whole batch
    tolerance : float, in pixels: stop when the residual of every pair is at most this
    step : float in (0, 1]
    start : NumPy array (N, H', W', 2), in pixels, optional: w is looked for at p = q + start(q), for the pixels q of
        another grid, and not at the pixels of u. See `invert_onto`.

    Returns
    -------
    inverse : NumPy array (N, H, W, 2) or (N, H', W', 2), of the dtype of u
    residual : NumPy float64 (N,), in pixels: the largest |u(p + w(p)) + w(p)| of each pair, over all p
        Above the tolerance it says that the iteration has not converged. Where p + w(p) is beyond the border of the
        image, w undoes u as it continues there. These points count too: else an iteration that strays out of the image
        would seem to have converged. Where u folds, several points are sent to one p, and w leads to one of them: the
        residual does not tell, `corner_determinants` does.

    Source: Chen, Lu, Chen, Ruchala, Olivera, A simple fixed-point approach to invert a deformation field, Medical
    Physics 35 (2008), equation 9, doi:10.1118/1.2816107.

    >>> inverse, residual = invert(np.full((1, 4, 4, 2), (1, -2), "float32"))
    >>> inverse[0, 2, 2].round(2).tolist(), bool(residual[0] < 1e-3)
    ([-1.0, 2.0], True)
    """
    u = backend.to_device(displacement)
    start = xp.zeros_like(u) if start is None else backend.to_device(start)
    inverse, rest = xp.zeros_like(start), ops.warp(u, start, border="edge").data
    for _ in range(iterations):
        inverse = inverse - step * rest
        rest = inverse + ops.warp(u, start + inverse, border="edge").data
        squared = (rest * rest).sum(axis=-1).max(axis=(1, 2))
        residual = np.sqrt(backend.to_host(squared).astype(np.float64))
        if residual.max() <= tolerance:
            break
    return backend.to_host(inverse), residual


def logarithm(displacement, iterations=10, squarings=6):
    """The velocity v along which one flows to u, if there is one: exp(v) = u, the inverse of `integrate`.

        v <- v + (u after exp(-v))        beginning with v = u

    What is left of u, once one has flown back along v, is a short displacement, and nearly its own velocity.

    Parameters
    ----------
    displacement : (N, H, W, 2), in pixels
    iterations : int
    squarings : int, of each integration

    Returns an array (N, H, W, 2), of the dtype of u, in pixels per unit of time. Not every displacement is the flow of
    a stationary velocity: then v is one whose flow is near to u.

    Source: Bossa, Hernandez, Olmos, Contributions to 3D diffeomorphic atlas estimation: application to brain images,
    MICCAI 2007, doi:10.1007/978-3-540-75757-3_81 (their series cut after its first term).

    >>> logarithm(integrate(np.full((1, 4, 4, 2), (1, -2), "float32"), squarings=6).data)[0, 2, 2].tolist()
    [1.0, -2.0]
    """
    velocity = displacement
    for _ in range(iterations):
        velocity = velocity + compose(integrate(-velocity, squarings), displacement).data
    return velocity


def smooth(field, sigma):
    """Gaussian smoothing, along rows and columns:  y = (G * x) / (G * 1).

    G is cut at 3 sigma. Outside the image there is nothing to average, neither zeros nor a repeated border: dividing by
    the part of G that lies inside leaves a mean of pixels of the image, so a constant field stays constant.

    Parameters
    ----------
    field : (N, H, W, C): displacement, velocity or images
    sigma : float, in pixels; 0 changes nothing

    Returns a Tensor (N, H, W, C)

    Raises InputError for a negative sigma.

    Source: Knutsson, Westin, Normalized and differential convolution, CVPR 1993, doi:10.1109/CVPR.1993.341081.

    >>> spot = np.zeros((1, 5, 5, 1), "float32")
    >>> spot[0, 2, 2] = 1
    >>> smooth(spot, 0.5).data[0, 2, :, 0].astype(float).round(3).tolist()
    [0.0, 0.084, 0.619, 0.084, 0.0]
    """
    if not 0 <= sigma < math.inf:
        raise InputError(f"the sigma of a Gaussian must be a number of pixels from 0 on, got {sigma}")
    radius = math.ceil(GAUSSIAN_CUT * sigma)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / (sigma or 1)) ** 2)
    kernel /= kernel.sum()
    height, width = field.shape[1:3]
    inside = [np.convolve(np.ones(size), kernel)[radius : radius + size] for size in (height, width)]
    share = backend.to_device(np.outer(*inside)[..., None].astype(field.dtype))
    padded = ops.pad(field, [(0, 0), (radius, radius), (radius, radius), (0, 0)])
    return ops.separable_filter(padded, kernel.tolist()) / share


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
    u : (N, H, W, 2), in pixels: a Tensor, or an array of any library

    Returns
    -------
    tuple of four (N, H-1, W-1), of the type of u: relative changes of area, 1 for the identity, negative where
    orientation flips. The corners of cell (i, j) come in the order (i, j), (i, j+1), (i+1, j), (i+1, j+1). An image
    one pixel wide has no cells.

    >>> u = np.zeros((1, 2, 2, 2))
    >>> u[0, 1, 1] = -1.5  # the last pixel looks past the first one
    >>> [float(determinant[0, 0, 0]) for determinant in corner_determinants(u)]
    [1.0, -0.5, -0.5, -2.0]
    """
    row, column = u[..., 0], u[..., 1]
    down = row[:, 1:] - row[:, :-1] + 1, column[:, 1:] - column[:, :-1]  # d phi / ds along each vertical edge
    across = row[:, :, 1:] - row[:, :, :-1], column[:, :, 1:] - column[:, :, :-1] + 1  # d phi / dt, horizontal edges
    left, right = ([component[:, :, columns] for component in down] for columns in (slice(-1), slice(1, None)))
    top, bottom = ([component[:, rows] for component in across] for rows in (slice(-1), slice(1, None)))
    return _cross(left, top), _cross(right, top), _cross(left, bottom), _cross(right, bottom)


def _cross(v, w):
    """The two-dimensional cross product: the signed area of the parallelogram with sides v and w."""
    return v[0] * w[1] - v[1] * w[0]

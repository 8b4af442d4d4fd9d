"""The deformable stage: a smooth velocity along which both images flow half of the way, by Gauss-Newton steps.

With the velocity v, the prepared images a = moving o S o exp(v/2) and b = fixed o S^-1 o exp(-v/2), where S o S is the
affine map that is known already, it makes small

    E(v) = sum over p of  w (b - a)^2  +  smoothness |Laplace v|^2

Exchanging the images changes the sign of v and nothing else; an image compared with itself gives v = 0.
"""

import functools
import math

from minireg.backend import xp
from minireg.fields import corner_determinants, integrate
from minireg.methods.levels import gradient, pool
from minireg.ops import upsample_bilinear

GRID = 4  # pixels between two vectors of the velocity, where the image has so many
FEWEST_VECTORS = 32  # along the shorter side
CG_ITERATIONS = 20  # of conjugate gradients, for one Gauss-Newton step
LONGEST_STEP = 1.5  # pixels
MOMENTUM = 0.4  # of the step before. Noise makes |J|^2 too large, and every step too short
REFERENCE_SIZE = 200  # pixels: smoothness is given for images of this size, whatever the resolution
LAPLACE_SQUARED = 20  # the diagonal of the squared Laplacian
SHORT = 0.5  # pixels: of a first step of the integration while it is looked for
FINAL_SQUARINGS = 8
STIFFER, ATTEMPTS = 2.0, 8  # for pairs that fold
NEARLY = 0.3  # of its area: what shrinks to less may fold on a finer grid
TINY = 1e-20


def spacing(height, width):
    """Pixels between two vectors of the velocity for an image of this size: a power of two, at most GRID.

    >>> spacing(32, 32), spacing(32, 64), spacing(300, 484)
    (1, 1, 4)
    """
    return max(1, min(GRID, 2 ** int(math.log2(max(1, min(height, width) / FEWEST_VECTORS)))))


def refine_velocity(velocity, view, size, smoothness, iterations, tolerance):
    """Improve the velocity of one level, until a step moves every pair by less than `tolerance` pixels on average.

    Parameters
    ----------
    velocity : (N, h, w, 2), in pixels of the level; one vector for H/h x W/w pixels
    view : both images, `seen` along two displacements (N, H, W, 2), and `compare`d (methods/residuals.py)
    size : float, the length of the images' side in pixels of the finest level: at all levels the same, for with less
        bending at the coarse ones the velocity strays where the images say nothing
    smoothness : float, above 0
    iterations : int, at most so many steps

    Returns the velocity

    Source: Ashburner, A fast diffeomorphic image registration algorithm, NeuroImage 38 (2007),
    doi:10.1016/j.neuroimage.2007.07.007 (Gauss-Newton for a velocity); Vercauteren et al., Symmetric log-domain
    diffeomorphic registration, MICCAI 2008, doi:10.1007/978-3-540-85988-8_90 (adding velocities); Avants et al.,
    Medical Image Analysis 12 (2008), doi:10.1016/j.media.2007.06.004 (meeting half-way).
    """
    bending = smoothness * (size / REFERENCE_SIZE) ** 2
    moves = xp.ones((len(velocity), 1, 1, 1), velocity.dtype)
    step = xp.zeros_like(velocity)
    for _ in range(iterations):
        forth, back = half_way(velocity, view.shape)
        factor = forth.shape[1] // velocity.shape[1]
        normal, force = normal_equations(view.compare(*view.seen(forth, back)), factor)
        force = force - bending / factor**2 * squared_laplace(velocity)
        step = conjugate_gradients(normal, bending / factor**2, force) + MOMENTUM * step
        mean_length = xp.mean(_lengths(step, factor), axis=(1, 2), keepdims=True)
        step = moves * shortened(step, factor)
        velocity = velocity + step
        moves = moves * (mean_length >= tolerance)
        if not moves.any():
            break
    return velocity


def without_folds(refine, velocity, view, smoothness):
    """refine(velocity, view, smoothness); pairs that fold then go on with twice the smoothness, until none does.

    At most ATTEMPTS times: what folds after that stays as it is.
    """
    velocity = refine(velocity, view, smoothness)
    for _ in range(ATTEMPTS):
        folding = _folding(velocity, view)
        if not len(folding):
            break
        smoothness = STIFFER * smoothness
        velocity[folding] = refine(velocity[folding], view.of(folding), smoothness)
    return velocity


def _folding(velocity, view):
    """The indices of the pairs whose field, with the affine map, or its inverse folds anywhere.

    Closely, only those are looked at that shrink by much on the grid of the velocity: that is many times quicker.
    """
    factor = view.shape[0] // velocity.shape[1]
    near = xp.flatnonzero(_least_area(view.whole_ways(*_both_ways(velocity), factor)) < NEARLY)
    if not len(near):
        return near
    return near[_least_area(view.of(near).whole_ways(*_both_ways(finer(velocity[near], factor)))) <= 0]


def _both_ways(velocity):
    return [integrate(sign * velocity, FINAL_SQUARINGS) for sign in (1.0, -1.0)]


def _least_area(fields):
    """What the cells of these fields shrink to at their corners, the least of each pair, (N,)."""
    areas = (determinant.min(axis=(1, 2)) for field in fields for determinant in corner_determinants(field.data))
    return functools.reduce(xp.minimum, areas)


def shortened(step, factor):
    """The step (N, h, w, 2) of each pair made so short that no vector, of `factor` pixels, exceeds LONGEST_STEP."""
    longest = xp.max(_lengths(step, factor), axis=(1, 2), keepdims=True)
    return step * xp.minimum(1, LONGEST_STEP / xp.maximum(longest, LONGEST_STEP))


def _lengths(step, factor):
    return factor * xp.sqrt(step[..., :1] ** 2 + step[..., 1:] ** 2)


def half_way(velocity, shape):
    """exp(v/2) and exp(-v/2), in pixels of an image of this shape (H, W), from a coarser velocity.

    Integrated on the grid of the velocity, where it is smooth, and then made finer: that is many times quicker.
    """
    factor = shape[0] // velocity.shape[1]
    longest = max(factor * float(xp.max(xp.abs(velocity))) / 2, SHORT)
    squarings = max(1, math.ceil(math.log2(longest / SHORT)))  # as few as will do while it is looked for
    return tuple(finer(integrate(half, squarings).data, factor) for half in (velocity * 0.5, velocity * -0.5))


def finer(velocity, factor):
    """The velocity on a grid that is finer by this power of two, in pixels of that grid.

    Each doubling is smoothed by (1, 2, 1) / 4, so that it is a smooth function between its vectors.
    """
    while factor > 1:
        v = xp.pad(upsample_bilinear(velocity, 2).data, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="edge")
        v = (v[:, :-2] + 2 * v[:, 1:-1] + v[:, 2:]) / 4
        velocity = (v[:, :, :-2] + 2 * v[:, :, 1:-1] + v[:, :, 2:]) / 2  # over 4, times 2: pixels are half as large
        factor //= 2
    return velocity


def normal_equations(residuals, factor):
    """J^T w J (N, h, w, 3: its entries rr, rc, cc) and J^T w (b - a) (N, h, w, 2), as means over blocks of pixels.

    J is the mean of both gradients: the derivative of b - a with respect to a further velocity, with the sign changed.
    """
    normal = force = 0
    for a, b, weight in residuals:
        j = gradient((a + b) / 2)
        row, column = j[..., :1], j[..., 1:]
        products = row * row, row * column, column * column, row * (b - a), column * (b - a)
        rr, rc, cc, r, c = (pool(weight * product, factor) for product in products)
        normal = normal + xp.concatenate([rr, rc, cc], axis=-1)
        force = force + xp.concatenate([r, c], axis=-1)
    return normal * factor**2, force * factor


def conjugate_gradients(normal, bending, force):
    """t with  (J^T w J + bending Laplace^2) t = force,  nearly; each pair by itself.

    The 2 x 2 matrices on the diagonal are the preconditioner. Source: Hestenes, Stiefel, Methods of conjugate gradients
    for solving linear systems, J. Research of the National Bureau of Standards 49 (1952), doi:10.6028/jres.049.044.
    """
    rr, rc, cc = (normal[..., k : k + 1] for k in range(3))
    stiff = LAPLACE_SQUARED * bending
    determinant = (rr + stiff) * (cc + stiff) - rc * rc
    inverse = (cc + stiff) / determinant, -rc / determinant, (rr + stiff) / determinant

    def times(matrix, t):
        row, column = t[..., :1], t[..., 1:]
        return xp.concatenate([matrix[0] * row + matrix[1] * column, matrix[1] * row + matrix[2] * column], axis=-1)

    t = xp.zeros_like(force)
    rest = force
    direction = preconditioned = times(inverse, rest)
    size = _dot(rest, preconditioned)
    for _ in range(CG_ITERATIONS):
        image = times((rr, rc, cc), direction) + bending * squared_laplace(direction)
        length = size / xp.maximum(_dot(direction, image), TINY)
        t, rest = t + length * direction, rest - length * image
        preconditioned = times(inverse, rest)
        size, before = _dot(rest, preconditioned), size
        direction = preconditioned + size / xp.maximum(before, TINY) * direction
    return t


def _dot(a, b):
    return xp.sum(a * b, axis=(1, 2, 3), keepdims=True)


def squared_laplace(v):
    """Laplace(Laplace(v)), (N, h, w, 2): half the derivative of |Laplace v|^2, with nothing beyond the border."""
    return _laplace(_laplace(v))


def _laplace(v):
    """Minus the Laplacian, with nothing flowing over the border."""
    result = xp.zeros_like(v)
    down, right = v[:, 1:] - v[:, :-1], v[:, :, 1:] - v[:, :, :-1]
    result[:, 1:] += down
    result[:, :-1] -= down
    result[:, :, 1:] += right
    result[:, :, :-1] -= right
    return result

"""The last steps of the deformable stage: what is reported, at both ends of the way, with its exact gradient.

The steps of `symmetric.py` compare both images half-way, where each has been interpolated, and take for a gradient what
holds for short ways. That is quick, and goes nearly all of the way. What is left is found here by the autograd engine.
With the velocity v and the affine S S as there, moving o S o exp(v) o S is compared with fixed, and moving with fixed o
S^-1 o exp(-v) o S^-1:

    E(v) = the mean of both ends of  (1/2 sum over p of  w (b - a)^2  +  folding sum over corners of  max(t - det, 0)^2)
           + 1/2 smoothness |Laplace v|^2

det are the corner determinants of exp(v) and of exp(-v). Where one of them nearly folds, E rises.
"""

from minireg import ops
from minireg.autograd import Tensor
from minireg.backend import xp
from minireg.fields import corner_determinants, integrate
from minireg.methods.levels import pool
from minireg.methods.symmetric import (
    REFERENCE_SIZE,
    conjugate_gradients,
    finer,
    half_way,
    normal_equations,
    shortened,
    squared_laplace,
)

SQUARINGS = 5
FOLDING, LEAST_AREA = 500.0, 0.1  # t: where an area shrinks to less than this
DAMPING = 0.02  # of the mean of J^T w J
CAUTION, MORE, LESS = (0.5, 1e6), 2.5, 0.7  # its bounds, and its factors after a step that fails, or helps


def descend(velocity, view, size, smoothness, iterations):
    """Improve the velocity of the finest level: each step is taken for the pairs whose E it lowers.

    A step is a Gauss-Newton step with the exact gradient, and a curvature that is multiplied by a caution which grows
    whenever a step fails (Levenberg, Marquardt).

    Parameters, return value : as for `refine_velocity`

    Source: Marquardt, An algorithm for least-squares estimation of nonlinear parameters, J. SIAM 11 (1963),
    doi:10.1137/0111030.
    """
    bending = smoothness * (size / REFERENCE_SIZE) ** 2
    factor = view.shape[0] // velocity.shape[1]
    caution = xp.ones((len(velocity), 1, 1, 1), velocity.dtype)
    energy, force = _energy(velocity, view, bending)
    for _ in range(iterations):
        normal, _ = normal_equations(view.compare(*view.seen(*half_way(velocity, view.shape))), factor)
        damping = DAMPING * caution * xp.mean(normal[..., ::2], axis=(1, 2, 3), keepdims=True)
        damped = xp.concatenate([normal[..., :1] + damping, normal[..., 1:2], normal[..., 2:] + damping], axis=-1)
        step = conjugate_gradients(caution * damped, caution * bending / factor**2, force)
        further = velocity + shortened(step, factor)
        energy_there, force_there = _energy(further, view, bending)
        helps = energy_there < energy
        velocity, energy, force = (
            xp.where(helps, there, here)
            for there, here in ((further, velocity), (energy_there, energy), (force_there, force))
        )
        caution = xp.clip(xp.where(helps, LESS, MORE) * caution, *CAUTION).astype(velocity.dtype)
    return velocity


def _energy(velocity, view, bending):
    """E of each pair, (N, 1, 1, 1), and minus its gradient, over the number of pixels that one vector stands for."""
    factor = view.shape[0] // velocity.shape[1]
    fine = Tensor(finer(velocity, factor), requires_grad=True)
    ways = integrate(fine, SQUARINGS), integrate(-fine, SQUARINGS)
    energy = 0.0
    for field, images in zip(ways, view.at_the_ends(*ways), strict=True):
        for a, b, weight in view.compare(*images):
            energy = energy + 0.25 * _sum(weight * (b - a) ** 2)
        lacking = ops.relu(LEAST_AREA - ops.stack(corner_determinants(field), axis=-1))
        energy = energy + FOLDING / 2 * _sum(lacking * lacking)
    energy.sum().backward()
    bent = bending * squared_laplace(velocity)
    rough = xp.sum(velocity * bent, axis=(1, 2, 3), keepdims=True)
    return energy.data + 0.5 * rough, -pool(fine.grad, factor) * factor - bent / factor**2


def _sum(x):
    return x.sum(axis=(1, 2, 3), keepdims=True)

"""Gradient descent on each pair by itself, without a network or on top of what one predicts.

    displacement = optimise(moving, fixed)
    displacement = optimise(moving, fixed, start=displacement)  # beginning with a network's prediction

It goes from coarse to fine, and it composes: what it looks for is a further transformation on top of what is known so
far. It needs no training, but takes hundreds of iterations for what a network sees at once.
"""

import numpy as np

from minireg import backend, losses, ops
from minireg.autograd import Tensor, no_grad
from minireg.backend import xp
from minireg.errors import InputError
from minireg.fields import WARP_BORDER, affine_displacement, compose, enlarge, integrate, smooth
from minireg.methods.levels import SQUARINGS, coarse_to_fine, pool
from minireg.optim import Adam, cosine_schedule

TRANSFORMATIONS = ("displacement", "velocity", "affine", "translation")
GLOBAL = ("affine", "translation")


def optimise(
    moving,
    fixed,
    transformation="displacement",
    loss="ncc",
    iterations=None,
    lr=0.2,
    levels=None,
    sigma=0.7,
    smoothness=None,
    folding=1000.0,
    start=None,
    progress=False,
):
    """Register every pair by minimising, with Adam, over the parameters of its transformation

        loss(warped, fixed) + smoothness * diffusion(w) + folding * folding_penalty(w)

    From coarse to fine: at level l = levels - 1, ..., 0 a field has one vector for 2^l x 2^l pixels. (Images have twice
    the resolution of the field, as far as there is more: it is smooth and they are not.) With u what is known so far, a
    level begins at t = 0 and looks for the t that makes w = compose(t, u) best, w(p) = t(p) + u(p + t(p)): the moving
    image is warped by u, and the result by t. Each t is short and smooth, and none has to fold for w to go far. An
    affine map or a translation is one and the same at all levels: u stays, and t is taken over to the next.

    The losses of all pairs are added up, and Adam scales every number by itself, so the result for a pair does not
    depend on what else is in the batch. An image registered to itself stays exactly where it is.

    Parameters
    ----------
    moving, fixed : NumPy arrays (N, H, W, 1), float32
    transformation : "displacement", "velocity", "affine" or "translation"
        What t is: a displacement, or a stationary velocity that is integrated, smoothed by a Gaussian either way; or
        six, or two, numbers.
    loss : a name in `losses.SIMILARITIES`
    iterations : int, at each level; unless given 50, or 100 from a start
    lr : float, in pixels of the level's grid: how far one step goes at first; along a cosine it falls to 0
    levels : int; unless given 3, or 1 from a start. As many fewer as the grid would otherwise be smaller than 4 pixels.
    sigma : float, of the Gaussian, in pixels of the level's grid
    smoothness : float, 0 and up; unless given .1, or 0 for an affine map or a translation, which cannot be rough
    folding : float, 0 and up
    start : NumPy array (N, H, W, 2), in pixels, optional
        The u of the first level, for example a network's prediction; 0 without.
    progress : bool, show a progress bar

    Returns a NumPy array (N, H, W, 2), float32, in pixels: all of it, the start included

    Raises InputError for images of different shapes, a start of another size, an unknown transformation or loss, and
    numbers out of range.

    Source: Balakrishnan et al., VoxelMorph, IEEE TMI 38 (2019), arXiv:1809.05231 (from a network's prediction on);
    Christensen, Rabbitt, Miller, Deformable templates using large deformation kinematics, IEEE TIP 5 (1996),
    doi:10.1109/83.536892 (composing).

    >>> rows, columns = np.mgrid[:24, :24]
    >>> blob = lambda row, column: np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 20)[None, ..., None]
    >>> moving, fixed = blob(13, 12).astype("float32"), blob(12, 12).astype("float32")
    >>> float(optimise(moving, fixed, "translation")[0, 0, 0, 0].round(1))  # a pixel further down, in the moving image
    1.0
    """
    if transformation not in TRANSFORMATIONS:
        raise InputError(f"unknown transformation {transformation!r}: choose one of {', '.join(TRANSFORMATIONS)}")
    if loss not in losses.SIMILARITIES:
        raise InputError(f"unknown loss {loss!r}: choose one of {', '.join(losses.SIMILARITIES)}")
    for name, value in (("lr", lr), ("smoothness", smoothness or 0), ("folding", folding)):
        if not (value >= 0 and np.isfinite(value)):
            raise InputError(f"{name} must be a number of at least 0, got {value}")
    iterations = (50 if start is None else 100) if iterations is None else iterations
    levels = (3 if start is None else 1) if levels is None else levels
    smoothness = (0.0 if transformation in GLOBAL else 0.1) if smoothness is None else smoothness

    def objective(warped, target, displacement):
        value = losses.SIMILARITIES[loss](warped, target)
        if smoothness:
            value = value + smoothness * losses.diffusion(displacement)
        if folding:
            value = value + folding * losses.folding_penalty(displacement)
        return value * len(displacement)  # a mean over the batch, and the sum over it is wanted

    def solve(moving, fixed, known, scales, advance):
        parameters = None
        for scale in scales:
            size = max(1, scale // 2)  # of the images' pixels
            shown, target, base = pool(moving, size), pool(fixed, size), pool(known, size) / size
            parameters = _first_parameters(transformation, known.shape, scale, parameters)
            optimiser, schedule = Adam([parameters], lr), cosine_schedule(lr, iterations)
            for step in range(iterations):
                further = _field(transformation, parameters, base.shape, scale // size, sigma)
                displacement = compose(further, base)
                warped = ops.warp(shown, displacement, border=WARP_BORDER)
                parameters.grad = None
                objective(warped, target, displacement).backward()
                optimiser.lr = schedule(step)
                optimiser.step()
                advance()
            with no_grad():
                found = compose(_field(transformation, parameters, known.shape, scale, sigma), known).data
            if transformation not in GLOBAL:
                known = found
        return found

    found = coarse_to_fine(solve, moving, fixed, start, levels, iterations, "optimising" if progress else None)
    # What is left of the gradient where the images are equal is rounding, which Adam would blow up to whole steps.
    stays = np.all(moving == fixed, axis=(1, 2, 3))
    if start is not None:
        stays &= ~np.any(start, axis=(1, 2, 3))
    found[stays] = 0
    return found


def _first_parameters(transformation, shape, scale, coarser):
    """What a level begins with: no displacement, or of a global transformation what the coarser level has found."""
    if coarser is not None and transformation in GLOBAL:
        return Tensor(coarser.data * 2, requires_grad=True)  # lengths in pixels, which are now half as long
    count, height, width, _ = shape
    shapes = {"affine": (count, 2, 3), "translation": (count, 2)}
    shape = shapes.get(transformation, (count, height // scale, width // scale, 2))
    return Tensor(xp.zeros(shape, "float32"), requires_grad=True)


def _field(transformation, parameters, shape, factor, sigma):
    """The displacement (N, H, W, 2) of this shape, whose pixels are `factor` times finer than those of the parameters.

    The parameters of all transformations are lengths, so that one learning rate suits them all: of an affine map, how
    far it moves the middle of the border.
    """
    count, height, width, _ = shape
    if transformation == "translation":
        return ops.broadcast_to(ops.reshape(parameters * factor, (count, 1, 1, 2)), shape)
    if transformation == "affine":
        to_border = backend.to_device([height / 2, width / 2, 1.0])
        return affine_displacement(parameters * factor / to_border + xp.eye(2, 3, dtype="float32"), height, width)
    field = smooth(parameters, sigma)
    if transformation == "velocity":
        field = integrate(field, SQUARINGS)
    return enlarge(field, factor)

"""Registration without a network: each pair of images is a problem of its own, solved by iterating.

    displacement = optimise(moving, fixed)                      # gradient descent on similarity and regularity
    displacement = optimise(moving, fixed, start=displacement)  # the same, beginning with a network's prediction
    displacement = demons(moving, fixed)                        # forces between intensities, smoothed every time

Both go from coarse to fine, and both compose: what they look for is a further transformation on top of what is known
so far. They need no training, but take hundreds of iterations for what a network sees at once.
"""

import numpy
from tqdm import tqdm

from minireg import backend, losses, ops
from minireg.autograd import Tensor, no_grad
from minireg.backend import xp
from minireg.errors import InputError
from minireg.fields import compose, enlarge, integrate, smooth
from minireg.models.common import WARP_BORDER, checked_size
from minireg.optim import Adam, cosine_schedule
from minireg.parametric import affine_displacement

TRANSFORMATIONS = ("displacement", "velocity", "affine", "translation")
GLOBAL = ("affine", "translation")
PAIRS_AT_A_TIME = 32  # whose arrays stay in the cache
SMALLEST_GRID = 4  # pixels along the shorter side: what is coarser has nothing to tell
TINY = 1e-12  # in place of 0 where images are equal and flat: the force is 0 there
SQUARINGS = 4  # within one level a velocity is a few pixels of its grid, a sixteenth of it a fraction of one


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
    depend on what else is in the batch.

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

    Returns
    -------
    NumPy array (N, H, W, 2), float32, in pixels: all of it, the start included

    Raises
    ------
    InputError
        Images of different shapes, a start of another size, an unknown transformation or loss, numbers out of range.

    Sources: Balakrishnan et al., VoxelMorph, IEEE TMI 2019 (from a network's prediction on); Christensen,
    Rabbitt, Miller, Deformable templates using large deformation kinematics, IEEE TIP 5 (1996) (composing).
    """
    if transformation not in TRANSFORMATIONS:
        raise InputError(f"unknown transformation {transformation!r}: choose one of {', '.join(TRANSFORMATIONS)}")
    if loss not in losses.SIMILARITIES:
        raise InputError(f"unknown loss {loss!r}: choose one of {', '.join(losses.SIMILARITIES)}")
    for name, value in (("lr", lr), ("smoothness", smoothness or 0), ("folding", folding)):
        if not (value >= 0 and numpy.isfinite(value)):
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
            pool = max(1, scale // 2)  # of the images
            shown, target, base = _pool(moving, pool), _pool(fixed, pool), _pool(known, pool) / pool
            parameters = _first_parameters(transformation, known.shape, scale, parameters)
            optimiser, schedule = Adam([parameters], lr), cosine_schedule(lr, iterations)
            for step in range(iterations):
                further = _field(transformation, parameters, base.shape, scale // pool, sigma)
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

    return _in_batches(solve, moving, fixed, start, levels, iterations, "optimising" if progress else None)


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


def demons(moving, fixed, iterations=50, levels=3, longest_step=0.5, fluid=0.5, diffusion=0.5, progress=False):
    """Register every pair with diffeomorphic demons: at each pixel, a force along the gradient of the images.

    With the displacement u, the moving image warped by it, d = fixed - warped, J the mean of the gradients of both, and
    L the longest step, repeat at every level, from coarse to fine:

        t <- G_fluid * (d J / (|J|^2 + d^2 / (4 L^2)))
        u <- G_diffusion * compose(exp(t), u)

    A Gauss-Newton step for d^2 has |J|^2 in the denominator; the other term keeps it shorter than L where the images
    are flat. G * is smoothing by a Gaussian: of the update as in a fluid, of the field as in an elastic body.
    The intensities must match: it is their squared difference that falls.

    Parameters
    ----------
    moving, fixed : NumPy arrays (N, H, W, 1), float32
    iterations : int, at each level
    levels : int; images and field have half the resolution from one to the next. Fewer for small images.
    longest_step : float, above 0, in pixels of the level
    fluid, diffusion : floats, sigma of the Gaussians in pixels of the level; 0 for none
    progress : bool, show a progress bar

    Returns
    -------
    NumPy array (N, H, W, 2), float32, in pixels

    Raises
    ------
    InputError
        Images of different shapes, or numbers out of range.

    Source: Vercauteren, Pennec, Perchant, Ayache, Diffeomorphic demons: efficient non-parametric image registration,
    NeuroImage 45 (2009), with its symmetric forces; their length is bounded by sigma_x / 2 there, which is L.
    """
    if not longest_step > 0:
        raise InputError(f"the longest step must be above 0 pixels, got {longest_step}")

    def solve(moving, fixed, known, scales, advance):
        with no_grad():
            for scale in scales:
                shown, target, u = _pool(moving, scale), _pool(fixed, scale), _pool(known, scale) / scale
                target_gradient = _gradient(target)
                for _ in range(iterations):
                    warped = ops.warp(shown, u, border=WARP_BORDER).data
                    d, j = target - warped, (target_gradient + _gradient(warped)) / 2
                    denominator = xp.sum(j * j, axis=-1, keepdims=True) + d * d / (4 * longest_step**2)
                    update = smooth(d * j / xp.maximum(denominator, TINY), fluid)
                    u = smooth(compose(integrate(update, SQUARINGS), u), diffusion).data
                    advance()
                known = u if scale == 1 else ops.upsample_bilinear(u, scale).data * scale
        return known

    return _in_batches(solve, moving, fixed, None, levels, iterations, "demons" if progress else None)


def _gradient(image):
    """(N, H, W, 1) -> (N, H, W, 2): central differences; beyond its border the image continues."""
    x = xp.pad(image[..., 0], [(0, 0), (1, 1), (1, 1)], mode="edge")
    along_rows, along_columns = x[:, 2:, 1:-1] - x[:, :-2, 1:-1], x[:, 1:-1, 2:] - x[:, 1:-1, :-2]
    return xp.stack([along_rows, along_columns], axis=-1) / 2


def _pool(array, size):
    return array if size == 1 else ops.avg_pool2d(array, size).data


def _in_batches(solve, moving, fixed, start, levels, iterations, progress):
    """Run solve(moving, fixed, start, scales, advance) on a few pairs at a time, on the backend in use.

    Images whose sides are no multiple of the coarsest scale are continued at the bottom and the right, and cut back.
    """
    height, width = checked_size(moving, fixed)
    shape = (*moving.shape[:3], 2)
    if start is not None and start.shape != shape:
        raise InputError(f"expected a start of shape {shape} for these images, got {start.shape}")
    if levels < 1 or iterations < 1:
        raise InputError(f"expected at least one level and one iteration, got {levels} and {iterations}")
    while levels > 1 and min(height, width) < SMALLEST_GRID * 2 ** (levels - 1):
        levels -= 1
    scales = [2**level for level in reversed(range(levels))]
    multiple = max(2, scales[0])  # a field of one pixel has no differences
    margin = [(0, 0), (0, -height % multiple), (0, -width % multiple), (0, 0)]

    displacement = numpy.zeros(shape, "float32") if start is None else start.astype("float32")
    batches = [slice(i, i + PAIRS_AT_A_TIME) for i in range(0, len(moving), PAIRS_AT_A_TIME)]
    found = []
    with tqdm(total=len(batches) * levels * iterations, desc=progress, unit="step", disable=not progress) as bar:
        for batch in batches:
            arrays = (numpy.pad(array[batch], margin, "edge") for array in (moving, fixed, displacement))
            result = solve(*(backend.to_device(array) for array in arrays), scales, bar.update)
            found.append(backend.to_host(result)[:, :height, :width])
    return numpy.concatenate(found)

"""Diffeomorphic demons: forces between intensities, smoothed every time; no network, and nothing to differentiate."""

from minireg import ops
from minireg.autograd import no_grad
from minireg.backend import xp
from minireg.errors import InputError
from minireg.fields import WARP_BORDER, compose, integrate, smooth
from minireg.methods.levels import SQUARINGS, coarse_to_fine, gradient, pool

TINY = 1e-12  # in place of 0 where images are equal and flat: the force is 0 there


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

    Returns a NumPy array (N, H, W, 2), float32, in pixels

    Raises InputError for images of different shapes, or numbers out of range.

    Source: Vercauteren, Pennec, Perchant, Ayache, Diffeomorphic demons: efficient non-parametric image registration,
    NeuroImage 45 (2009), doi:10.1016/j.neuroimage.2008.10.040, with its symmetric forces; their length is bounded by
    sigma_x / 2 there, which is L.

    >>> rows, columns = np.mgrid[:24, :24]
    >>> blob = lambda row, column: np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 20)[None, ..., None]
    >>> moving, fixed = blob(13, 12).astype("float32"), blob(12, 12).astype("float32")
    >>> bool(0.5 < demons(moving, fixed)[0, 12, 12, 0] < 1.5)  # about a pixel further down, in the moving image
    True
    """
    if not longest_step > 0:
        raise InputError(f"the longest step must be above 0 pixels, got {longest_step}")

    def solve(moving, fixed, known, scales, advance):
        with no_grad():
            for scale in scales:
                shown, target, u = pool(moving, scale), pool(fixed, scale), pool(known, scale) / scale
                target_gradient = gradient(target)
                for _ in range(iterations):
                    warped = ops.warp(shown, u, border=WARP_BORDER).data
                    d, j = target - warped, (target_gradient + gradient(warped)) / 2
                    denominator = xp.sum(j * j, axis=-1, keepdims=True) + d * d / (4 * longest_step**2)
                    update = smooth(d * j / xp.maximum(denominator, TINY), fluid)
                    u = smooth(compose(integrate(update, SQUARINGS), u), diffusion).data
                    advance()
                known = u if scale == 1 else ops.upsample_bilinear(u, scale).data * scale
        return known

    return coarse_to_fine(solve, moving, fixed, None, levels, iterations, "demons" if progress else None)

"""How irregular a displacement field is: each a scalar Tensor, smaller is better, averaged over the batch.

All of them are 0 for the identity and for translations. None uses central differences: those skip the pixel itself, and
see nothing of a field that alternates from pixel to pixel. All raise InputError for fields of integers or other shapes.
"""

from minireg import ops
from minireg.errors import InputError
from minireg.fields import compose, corner_determinants


def diffusion(displacement):
    """How rough a field is: the mean of its squared forward differences, over both components and both directions.

        1/2 (mean (u[i+1, j] - u[i, j])^2 + mean (u[i, j+1] - u[i, j])^2)        in pixels^2 per pixel^2

    The displacement is (N, H, W, 2), in pixels, with H and W of at least 2; the result is a scalar Tensor in [0, inf),
    0 for a translation. Forward differences, because central ones do not see a field that alternates from pixel to
    pixel.

    Source: Fischer and Modersitzki, Fast diffusion registration, Contemporary Mathematics 313 (2002); as in
    Balakrishnan et al., VoxelMorph, IEEE TMI 38 (2019), equation 6, doi:10.1109/TMI.2019.2897538.

    >>> u = np.stack(np.mgrid[:3.0, :3.0], axis=-1)[None]  # u(p) = p: half of the differences are 1, half 0
    >>> diffusion(Tensor(u)).item()
    0.5
    """
    _check(displacement, 2)
    along_rows = displacement[:, 1:] - displacement[:, :-1]
    along_columns = displacement[:, :, 1:] - displacement[:, :, :-1]
    return ((along_rows * along_rows).mean() + (along_columns * along_columns).mean()) / 2


def bending_energy(displacement):
    """How much a field bends: the mean of its squared second differences, over both components. For library users.

        mean u_rr^2 + mean u_cc^2 + 2 mean u_rc^2        in pixels^2 per pixel^4
        u_rr = u[i+1, j] - 2 u[i, j] + u[i-1, j]        u_cc likewise along the columns
        u_rc = u[i+1, j+1] - u[i+1, j] - u[i, j+1] + u[i, j]

    Unlike `diffusion` it costs nothing to rotate, stretch or shear the image as a whole.

    The displacement is (N, H, W, 2), in pixels, with H and W of at least 3; the result is a scalar Tensor in [0, inf),
    0 for every affine field.

    Source: Rueckert et al., Nonrigid registration using free-form deformations: application to breast MR images, IEEE
    TMI 18 (1999), doi:10.1109/42.796284.

    >>> u = np.stack(np.mgrid[:4.0, :4.0], axis=-1)[None]  # u(p) = p; the second differences of squares are 2
    >>> bending_energy(Tensor(u)).item(), bending_energy(Tensor(u * u)).item()
    (0.0, 4.0)
    """
    _check(displacement, 3)
    along_rows = displacement[:, 1:] - displacement[:, :-1]
    along_columns = displacement[:, :, 1:] - displacement[:, :, :-1]
    u_rr = along_rows[:, 1:] - along_rows[:, :-1]
    u_cc = along_columns[:, :, 1:] - along_columns[:, :, :-1]
    u_rc = along_rows[:, :, 1:] - along_rows[:, :, :-1]
    return (u_rr * u_rr).mean() + (u_cc * u_cc).mean() + 2 * (u_rc * u_rc).mean()


def folding_penalty(displacement, threshold=0.1):
    """How far the field is from not folding: the mean of max(threshold - det, 0)^2 over cells and their corners.

    det is the Jacobian determinant of p + u(p) at one of the four corners of a cell (`fields.corner_determinants`); all
    four above 0 means that the cell does not fold. The threshold keeps them away from 0. Squared, so that the gradient
    begins at 0 where a corner crosses the threshold.

    The displacement is (N, H, W, 2), in pixels, with H and W of at least 2; `threshold` is a float, the determinant
    from which on a corner costs nothing. The result is a scalar Tensor in [0, inf), 0 where no area shrinks to less
    than `threshold` times itself.

    Source: Mok and Chung, Fast symmetric diffeomorphic image registration with convolutional neural networks, CVPR
    2020, arXiv:2003.09514; there of the determinant at the pixels, below 0, and not squared.

    >>> u = -np.stack(np.mgrid[:3.0, :3.0], axis=-1)[None]  # u(p) = -p sends all to one point: det = 0
    >>> folding_penalty(Tensor(u), threshold=0.5).item()
    0.25
    """
    _check(displacement, 2)
    lacking = ops.relu(threshold - ops.stack(corner_determinants(displacement)))
    return (lacking * lacking).mean()


def inverse_consistency(forward, backward):
    """How far from its start a point comes back: the mean squared length of `forward`, then `backward`.

        mean |w(p)|^2        w(p) = forward(p) + backward(p + forward(p))        in pixels^2

    The mean is over the pixels p. One that leaves the image finds there the nearest `backward` of the border
    (`fields.compose`), which for a translation is the right one. This looks at one order only: add
    `inverse_consistency(backward, forward)` for both.

    Both are (N, H, W, 2), in pixels; the result is a scalar Tensor in [0, inf), 0 for a field and its exact inverse.

    Source: Christensen and Johnson, Consistent image registration, IEEE TMI 20 (2001).

    >>> there = Tensor(np.full((1, 4, 4, 2), [3.0, 4.0]))
    >>> inverse_consistency(there, -there).item(), inverse_consistency(there, there).item()
    (0.0, 100.0)
    """
    _check(forward, 1)
    _check(backward, 1)
    there_and_back = compose(forward, backward)
    return 2 * (there_and_back * there_and_back).mean()  # the mean over both components is half the squared length


def _check(displacement, smallest):
    """Differences of unsigned integers would wrap around; and a field that is too small has none."""
    shape = displacement.shape
    if len(shape) != 4 or shape[3] != 2 or 0 in shape or min(shape[1:3]) < smallest or displacement.dtype.kind != "f":
        raise InputError(
            f"expected a displacement of floats (N, H, W, 2), in pixels, with H and W of at least {smallest}, got "
            f"{displacement.dtype} of shape {tuple(shape)}"
        )

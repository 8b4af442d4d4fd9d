"""The way back: a field from the fixed to the moving image, turned into one from the moving to the fixed image."""

import numpy as np

from minireg.errors import InputError
from minireg.fields.calculus import invert
from minireg.fields.parametric import affine_part
from minireg.fields.warping import warp_images

SINGULAR = 1e-4  # an affine map that makes a pixel so short has no way back


def invert_onto(displacement, shape, iterations=400):
    """The displacement w, on the grid of the moving image, that undoes u, on the grid of the fixed one.

    With Q(p) = p + u(p), from pixels of the fixed image to pixels q of the moving one, Q(q + w(q)) = q. The two may
    have pixels of different sizes; then u is mostly a change of scale, with which `invert` could not begin. So the
    affine part A of Q is undone exactly, and what is left, v, by `invert`:

        Q = A (id + v)        v(p) = A^-1 Q(p) - p        q + w(q) = (id + v)^-1 (A^-1 q)

    Beyond the border of the fixed image v continues as it is at the border.

    Parameters
    ----------
    displacement : NumPy array (N, H, W, 2): p + u(p) counts pixels of the moving image
    shape : (H', W') of the moving image
    iterations : int, at most so many

    Returns
    -------
    inverse : NumPy array (N, H', W', 2), of the dtype of u: q + w(q) counts pixels of the fixed image
    residual : NumPy float64 (N,): the largest |Q(q + w(q)) - q|, over all q, in pixels of the moving image
        Large where u stretches so much that the iteration does not converge. It does not tell where u folds, see
        `invert`.

    Raises InputError where the affine part makes a line, or a point, of the image.

    >>> twice = np.stack(np.indices((3, 4)), axis=-1)[None].astype("float32")  # p + p: pixels half as large
    >>> inverse, residual = invert_onto(twice, (6, 8))
    >>> inverse.shape, inverse[0, 4, 6].round(3).tolist(), bool(residual[0] < 1e-3)
    ((1, 6, 8, 2), [-2.0, -3.0], True)
    """
    affine = affine_part(displacement)[:, None]  # (N, 1, 2, 3)
    matrix, shift = affine[..., :2], affine[..., 2:].swapaxes(-1, -2)
    if (np.linalg.svd(matrix, compute_uv=False) < SINGULAR).any():
        raise InputError("the field has no inverse: it makes a line of the image; look at its pictures, register again")
    back = np.linalg.inv(matrix).swapaxes(-1, -2)

    p, q = (np.stack(np.indices(size), axis=-1).astype(np.float64) for size in (displacement.shape[1:3], shape))
    v, start = (((to - shift) @ back - at).astype(displacement.dtype) for to, at in ((p + displacement, p), (q, q)))
    inverse = start + invert(v, iterations, start=start)[0]
    rest = (inverse - start + warp_images(v, inverse)) @ matrix.swapaxes(-1, -2)
    return inverse, np.linalg.norm(rest, axis=-1).max(axis=(1, 2))

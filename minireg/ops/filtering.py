"""Weighted sums over a window around every pixel: the local means of SSIM and local NCC, and Gaussian smoothing."""

import numpy as np

from minireg import backend
from minireg.autograd import op
from minireg.backend import xp
from minireg.errors import InputError
from minireg.ops.shape import channels_first, channels_last

# SSIM, as a metric and as a loss. Wang et al. 2004, section III-C: the window's sigma in pixels, cut at 11 x 11,
# which is a radius of 5 (3.5 sigma, rounded), and the two stabilising constants for intensities in [0, 1].
SSIM_SIGMA, SSIM_RADIUS = 1.5, 5
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2


@op
def separable_filter(x, kernel):
    """Correlation with one kernel along the rows and along the columns, in every window that lies inside the image.

        y[p, q] = sum over i, j of  kernel[i] kernel[j] x[p + i, q + j]

    For each image and channel that is y = R x C^T, where row p of the band matrix R holds the kernel from column p on,
    and C likewise for the columns. It is linear in x, and the VJP is its adjoint:

        g_x = R^T g C

    Two matrix products with mostly zeros are twice as fast as adding up shifted images, up to 256 pixels and more;
    adding up makes as many passes through memory as the kernel is long. A NaN or an infinity in x meets the zeros too,
    and fills its whole image.

    x is (N, H, W, C), the kernel a sequence of k Python floats, k odd and at most H and W; y is (N, H - k + 1,
    W - k + 1, C). With k - 1 zeros around x (`pad`, half on each side) it has as many pixels as x. Raises InputError
    where x or the kernel is of another shape.

    >>> ops.separable_filter(Tensor([1.0] * 9).reshape(1, 3, 3, 1), [0.5, 1.0, 0.5]).item()  # (0.5 + 1 + 0.5)^2
    4.0
    """
    if x.ndim != 4 or len(kernel) % 2 == 0 or len(kernel) > min(x.shape[1:3]):
        raise InputError(
            f"separable_filter expects images (N, H, W, C) and a kernel of odd length, at most H and W; got shape "
            f"{x.shape} and {len(kernel)} taps"
        )
    of_rows, of_columns = (_band_matrix(kernel, size, x.dtype) for size in x.shape[1:3])

    def vjp(g):
        return channels_last(xp.matmul(xp.matmul(of_rows.T, channels_first(g)), of_columns))

    return channels_last(xp.matmul(xp.matmul(of_rows, channels_first(x)), of_columns.T)), (vjp,)


def _band_matrix(kernel, size, dtype):
    """(size - k + 1, size): the kernel in the first row, and one column further right in each row below."""
    band = np.zeros((size - len(kernel) + 1, size), dtype)
    for tap, weight in enumerate(kernel):
        np.fill_diagonal(band[:, tap:], weight)
    return backend.to_device(band)

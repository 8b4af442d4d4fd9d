"""Soft histograms: an intensity counts a little for each of the bins around it, so that counts have derivatives."""

from minireg.autograd import op
from minireg.backend import xp
from minireg.errors import InputError


@op
def parzen_weights(x, bins):
    """How much each intensity counts for each bin: cubic B-spline Parzen windows. One intensity counts 1 in all.

    Bin k is centred at k on the scale t = 1 + (bins - 3) x, which leaves room for the window beside x = 0 and x = 1.
    With i = floor(t) and f = t - i, bins i - 1, i, i + 1 and i + 2 get

        (1 - f)^3 / 6,   (3 f^3 - 6 f^2 + 4) / 6,   (-3 f^3 + 3 f^2 + 3 f + 1) / 6,   f^3 / 6

    and all others 0. g_x = (bins - 3) times the sum of g times the derivatives with respect to f

        -(1 - f)^2 / 2,   (3 f^2 - 4 f) / 2,   (-3 f^2 + 2 f + 1) / 2,   f^2 / 2

    which are continuous from bin to bin. Intensities beyond [0, 1] count as 0 or 1, and their g_x is 0; at 0 and 1
    the slope inside is meant.

    Only four of the bins are computed, and put in their places: a formula for all of them takes ten times as long.

    x is (...), intensities in [0, 1]; y is (..., bins). Raises InputError where there are fewer than 4 bins.

    Source: Thévenaz and Unser, Optimization of mutual information for multiresolution image registration, IEEE
    Transactions on Image Processing 9, 2000, doi:10.1109/83.887976; the two bins of padding: Mattes and others, PET-CT
    image registration in the chest using free-form deformations, IEEE TMI 22, 2003, doi:10.1109/TMI.2003.809072.

    >>> (6 * ops.parzen_weights(Tensor([0.0, 1.0]), 5)).data.tolist()
    [[1.0, 4.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 4.0, 1.0]]
    """
    if bins < 4:
        raise InputError(f"a cubic window is 4 bins wide: expected bins of at least 4, got {bins}")
    t = xp.clip(x, 0, 1) * (bins - 3) + 1
    i = xp.fmin(xp.fmax(xp.floor(t), 1), bins - 3)  # 1 has its place in the last cell; NaN anywhere
    f = t - i
    weights = (1 - f) ** 3, (3 * f - 6) * f * f + 4, ((3 - 3 * f) * f + 3) * f + 1, f**3
    first = xp.arange(x.size) * bins + i.astype(xp.int64).reshape(-1) - 1
    y = xp.zeros(x.size * bins, x.dtype)
    for k, weight in enumerate(weights):
        y[first + k] = weight.reshape(-1) / 6

    def vjp(g):
        g = g.reshape(-1)
        slopes = -((1 - f) ** 2), (3 * f - 4) * f, (2 - 3 * f) * f + 1, f * f
        g_x = xp.zeros_like(x)
        for k, slope in enumerate(slopes):
            g_x += g[first + k].reshape(x.shape) * slope
        return g_x * ((bins - 3) / 2 * ((x >= 0) & (x <= 1)).astype(x.dtype))

    return y.reshape(*x.shape, bins), (vjp,)

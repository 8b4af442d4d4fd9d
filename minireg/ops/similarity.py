"""How alike two images are: normalised cross-correlation."""

import numpy as np

from minireg.autograd import op
from minireg.backend import xp
from minireg.errors import InputError


@op
def ncc(a, b):
    """Global normalised cross-correlation of each pair of images, in [-1, 1].

    With the means over all pixels and channels of an image taken off, a' = a - mean(a) and b' = b - mean(b),

        saa = sum a'^2        sbb = sum b'^2        sab = sum a' b'        y = sab / sqrt(saa sbb)
        g_a = g (b' / sqrt(saa sbb) - y a' / saa)
        g_b = g (a' / sqrt(saa sbb) - y b' / sbb)

    That a' depends on all of a through its mean adds nothing, because a' and b' sum to zero. Subtracting the means
    before squaring, not the squared mean after, keeps float32 accurate for images far from zero.

    Where an image is constant the correlation is not defined; y and both gradients are 0 there. Constant means that
    its deviations from the mean are no larger than the rounding error of the mean itself.

    a and b are (N, H, W, C), y is (N,). Raises InputError where their shapes differ or have not four axes.

    Source: Lewis, Fast normalized cross-correlation, Vision Interface 1995, pages 120 to 123 (there for every shift).

    >>> a = Tensor([1.0, 1.0, 3.0, 3.0]).reshape(1, 2, 2, 1)
    >>> ops.ncc(a, 10 - 2 * a).data.tolist()  # brightness and contrast do not matter, the sign does
    [-1.0]
    """
    if a.shape != b.shape or a.ndim != 4 or 0 in a.shape[1:]:
        raise InputError(f"ncc compares images of one shape (N, H, W, C) with pixels, got {a.shape} and {b.shape}")
    if not {a.dtype, b.dtype} <= {np.dtype(np.float32), np.dtype(np.float64)}:  # sums of float16 leave its range
        raise InputError(f"ncc compares images of float32 or float64, got {a.dtype} and {b.dtype}: convert them first")
    a_centred, saa, a_constant = _centre(a)
    b_centred, sbb, b_constant = _centre(b)
    defined = ~(a_constant | b_constant)
    saa, sbb = xp.where(defined, saa, 1), xp.where(defined, sbb, 1)
    # The root of each before the product: saa sbb can leave the range of float32 where y does not.
    norm = xp.sqrt(saa) * xp.sqrt(sbb)
    y = _dot(a_centred, b_centred) / norm * defined

    def vjp_a(g):
        g = g * defined
        return _per_image(g / norm, b_centred) - _per_image(g * y / saa, a_centred)

    def vjp_b(g):
        g = g * defined
        return _per_image(g / norm, a_centred) - _per_image(g * y / sbb, b_centred)

    return y, (vjp_a, vjp_b)


def _centre(image):
    """The image without its mean, the sum of its squares, and whether the image was constant."""
    axes = tuple(range(1, image.ndim))
    # The first pixel is taken off before the mean, so that a constant image is exactly zero, however its pixels are
    # added up: a thread of a GPU adds many, one by one, and the mean of equal numbers is then not that number.
    centred = image - image[:, :1, :1, :1]
    centred -= xp.mean(centred, axis=axes, keepdims=True)
    energy = _dot(centred, centred)
    pixels = image[0].size if len(image) else 1
    rounding = 8 * float(xp.finfo(image.dtype).eps) * xp.max(xp.abs(image), axis=axes)
    return centred, energy, energy <= pixels * rounding * rounding


def _dot(a, b):
    return xp.sum(a * b, axis=tuple(range(1, a.ndim)))


def _per_image(factor, image):
    """Multiply each image of a batch by its own number."""
    return factor.reshape(-1, *(1,) * (image.ndim - 1)) * image

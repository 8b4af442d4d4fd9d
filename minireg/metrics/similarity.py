"""How alike the intensities of two images are."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minireg.errors import InputError
from minireg.metrics.checks import checked_mask, float64_batches
from minireg.ops.filtering import SSIM_C1, SSIM_C2, SSIM_RADIUS, SSIM_SIGMA

# An image that deviates from its mean by no more than float32 rounding has no structure to correlate: this is
# what interpolation leaves of a constant image.
CONSTANT_IMAGE_TOLERANCE = 4 * float(np.finfo(np.float32).eps)


def ncc(a, b, mask=None):
    """Global normalised cross-correlation: Pearson's correlation of the intensities of each pair.

        ncc = sum (a - mean a)(b - mean b) / sqrt(sum (a - mean a)^2 sum (b - mean b)^2)

    Sums and means run over H, W and C. Both images are centred before anything is squared; the textbook shortcut
    E[a^2] - E[a]^2 loses every digit when an image is bright and flat.

    a and b are float arrays (N, H, W, C); mask, an optional bool array (N, H, W), counts only its pixels. The result is
    a float64 array (N,) in [-1, 1], 0 where either image is constant up to float32 rounding, never NaN. Raises
    InputError where the shapes differ or are others, the numbers are not floating point, or some are not finite, and
    for a mask that is not boolean or of another shape.

    >>> a = np.array([0.0, 1.0, 2.0, 3.0]).reshape(1, 2, 2, 1)
    >>> ncc(a, 7 - 2 * a).round(6).tolist()
    [-1.0]
    >>> ncc(a, np.where(a < 3, a, -9), mask=a[..., 0] < 3).round(6).tolist()
    [1.0]
    """
    a, b = float64_batches(a=a, b=b)
    if mask is not None:
        a, b = (_mean_outside(images, checked_mask(mask, a.shape[:3])[..., None]) for images in (a, b))
    return np.clip(np.sum(_unit_vectors(a) * _unit_vectors(b), axis=1), -1, 1)


def mse(a, b):
    """Mean squared difference over H, W and C, in squared intensities.

    a and b are float arrays (N, H, W, C); the result is a float64 array (N,), 0 and up. Raises InputError as `ncc`.

    >>> mse(np.zeros((1, 2, 2, 1)), np.full((1, 2, 2, 1), 0.5)).tolist()
    [0.25]
    """
    a, b = float64_batches(a=a, b=b)
    return np.mean((a - b) ** 2, axis=(1, 2, 3))


def ssim(a, b):
    """Structural similarity, averaged over all windows that lie wholly inside the image, and over channels.

        ssim = (2 mean_a mean_b + C1)(2 cov_ab + C2) / ((mean_a^2 + mean_b^2 + C1)(var_a + var_b + C2))

    with means, variances and the covariance weighted by an 11 x 11 Gaussian window of sigma 1.5 pixels, C1 = (0.01 L)^2
    and C2 = (0.03 L)^2, L = 1 being the range of intensities. The numbers equal those of
    `skimage.metrics.structural_similarity(data_range=1, gaussian_weights=True, use_sample_covariance=False)`.

    a and b are float arrays (N, H, W, C), H and W at least 11, intensities in [0, 1]; the result is a float64 array
    (N,) in [-1, 1]. Raises InputError as `ncc`, and where no window fits into the image.

    Source: Wang, Bovik, Sheikh, Simoncelli, Image quality assessment: from error visibility to structural similarity,
    IEEE TIP 13 (2004), equation 13, doi:10.1109/TIP.2003.819861.

    >>> ssim(np.zeros((1, 11, 11, 1)), np.ones((1, 11, 11, 1))).round(4).tolist()  # C1 / (1 + C1)
    [0.0001]
    """
    a, b = float64_batches(a=a, b=b)
    side = 2 * SSIM_RADIUS + 1
    if min(a.shape[1:3]) < side:
        raise InputError(f"SSIM needs images of at least {side} x {side} pixels, found a batch of shape {a.shape}")

    # Variances do not see a shift; taking it out first keeps var = E[x^2] - E[x]^2 from cancelling. What is
    # left of rounding may still fall below zero where an image is flat.
    shift_a = a.mean(axis=(1, 2), keepdims=True)
    shift_b = b.mean(axis=(1, 2), keepdims=True)
    a, b = a - shift_a, b - shift_b
    mean_a, mean_b = _gaussian_average(a), _gaussian_average(b)
    var_a = np.maximum(_gaussian_average(a * a) - mean_a**2, 0)
    var_b = np.maximum(_gaussian_average(b * b) - mean_b**2, 0)
    cov_ab = _gaussian_average(a * b) - mean_a * mean_b
    mean_a, mean_b = mean_a + shift_a, mean_b + shift_b

    luminance = (2 * mean_a * mean_b + SSIM_C1) / (mean_a**2 + mean_b**2 + SSIM_C1)
    structure = (2 * cov_ab + SSIM_C2) / (var_a + var_b + SSIM_C2)
    return np.mean(luminance * structure, axis=(1, 2, 3))


def _unit_vectors(images):
    """Each image as a centred row of length 1, or as a row of zeros where the image is constant."""
    rows = images.reshape(len(images), -1)
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    structured = length > CONSTANT_IMAGE_TOLERANCE * np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(centred, length, out=np.zeros_like(centred), where=structured)


def _mean_outside(images, mask):
    """Images that are, outside of a mask (N, H, W, 1), the mean of what is in it: there, nothing deviates from it."""
    count = images.shape[-1] * mask.sum(axis=(1, 2, 3), keepdims=True)
    mean = np.where(mask, images, 0).sum(axis=(1, 2, 3), keepdims=True) / np.maximum(count, 1)
    return np.where(mask, images, mean)


def _gaussian_average(images):
    """SSIM's weighted mean around every pixel that has a whole window, along rows and then along columns."""
    offsets = np.arange(-SSIM_RADIUS, SSIM_RADIUS + 1)
    weights = np.exp(-0.5 * (offsets / SSIM_SIGMA) ** 2)
    weights /= weights.sum()
    for axis in (1, 2):
        images = sliding_window_view(images, len(weights), axis=axis) @ weights
    return images

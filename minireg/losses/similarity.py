"""How unlike two images are: each a scalar Tensor, smaller is better, averaged over the batch.

                                          range           identical images   what it does not see
    mse_loss                              0 and up        0
    ncc_loss                              0 to 2          0                  gain and offset
    local_ncc_loss                        0 to 2          0                  gain and offset, window by window
    squared_local_ncc_loss                0 to 1          0                  those, and inverted contrast
    ssim_loss                             0 to 2          0
    mutual_information_loss               -ln bins to 0   minus entropy      which intensity stands for which
    normalised_mutual_information_loss    0 to 1          0                  which intensity stands for which
    soft_dice_loss (of label maps)        0 to 1          0

How constant images count, and where a range holds only nearly, is said at each function.
"""

import math

import numpy as np

from minireg import Tensor, ops
from minireg.backend import xp
from minireg.errors import InputError
from minireg.ops.filtering import SSIM_C1, SSIM_C2, SSIM_RADIUS, SSIM_SIGMA

# A window counts as constant where its standard deviation is at most this share of the image's. So faint a window says
# nothing about the alignment, but its correlation and, with one over its deviation, its gradient would be as large as
# any other's.
FLAT = 0.01

# Added to the probabilities in the logarithm of mutual information, where most bins are empty. Below what one pixel
# of a 1000 x 1000 image counts.
TINY_PROBABILITY = 1e-8

# Information of less than this, in nats, is rounding.
TINY_INFORMATION = 1e-4


def mse_loss(a, b):
    """Mean squared difference:  (1/n) sum (a - b)^2.  In [0, inf); 0 for identical images. Shapes (N, H, W, C).

    >>> a = Tensor([0.0, 0.5, 1.0, 1.0]).reshape(1, 2, 2, 1)
    >>> mse_loss(a, a + 0.5).item()
    0.25
    """
    difference = ops.sub(*_floats("MSE", a, b))
    return (difference * difference).mean()


def ncc_loss(a, b):
    """1 - NCC, averaged over the pairs (`ops.ncc`).  In [0, 2]; 0 for identical images, 1 where one is constant.

    >>> a = Tensor([0.0, 0.5, 1.0, 1.0]).reshape(1, 2, 2, 1)
    >>> round(ncc_loss(a, 1 - a).item(), 3)  # inverted contrast
    2.0
    """
    return 1 - ops.ncc(a, b).mean()


def local_ncc(a, b, window=9):
    """Normalised cross-correlation in every window inside the image that holds structure, averaged over these.

        ncc_w = cov_w(a, b) / sqrt(var_w(a) var_w(b))        score = mean of ncc_w over the windows w

    with mean, variance and covariance over the window x window pixels of w. Windows in which either image is constant
    have no correlation: they are left out of the average and counted. (Among pairs of MNIST in 32 x 32 pixels they are
    a third of all 9 x 9 windows: an epsilon in the denominator would decide the score.) Constant means a deviation of
    at most `FLAT` times that of the whole image, or of what rounding leaves.

    The image's mean is taken off before anything is squared, so a large offset costs no digits of the variance.

    Parameters
    ----------
    a, b : (N, H, W, C)
    window : odd int, at least 3 and at most H and W, in pixels

    Returns
    -------
    scores : Tensor (N,), each in [-1, 1] to rounding; 1 for identical images; 0 where all windows were left out
    share_left_out : array (N,) of the backend, in [0, 1]; the windows of each channel count

    Raises InputError for shapes that differ or are not (N, H, W, C), or a window that is even or does not fit.

    Source: Cachier et al., Iconic feature based nonrigid registration: the PASHA algorithm, CVIU 89 (2003); Avants et
    al., Symmetric diffeomorphic image registration with cross-correlation, Medical Image Analysis 12 (2008),
    doi:10.1016/j.media.2007.06.004, which squares it.

    >>> a = Tensor(np.pad(np.eye(3), ((0, 0), (0, 3))).reshape(1, 3, 6, 1))  # the last of four windows is empty
    >>> scores, share_left_out = local_ncc(a, 2 * a + 1, window=3)
    >>> scores.data.round(3).tolist(), share_left_out.tolist()
    ([1.0], [0.25])
    """
    ncc, structured = _ncc_of_windows(a, b, window)
    return _mean_of_windows(ncc, structured), 1 - xp.mean(structured, axis=(1, 2, 3))


def local_ncc_loss(a, b, window=9):
    """1 - the mean over the windows of their NCC, averaged over the pairs (`local_ncc`).

    In [0, 2]: 0 for identical images, 2 for inverted contrast, 1 for pairs in which every window was left out.
    Parameters and errors as for `local_ncc`.

    >>> a = Tensor(np.eye(4).reshape(1, 4, 4, 1))
    >>> round(local_ncc_loss(a, 1 - a, window=3).item(), 3)
    2.0
    """
    scores, _ = local_ncc(a, b, window)
    return 1 - scores.mean()


def squared_local_ncc_loss(a, b, window=9):
    """1 - the mean over the windows of their squared NCC, averaged over the pairs (`local_ncc`).

    In [0, 1]: 0 for identical images, and 0 for inverted contrast too: squaring rewards both equally. That is wanted
    between modalities, where bright may stand for dark; within one modality, use `local_ncc_loss`. 1 for pairs in which
    every window was left out. Parameters and errors as for `local_ncc`.

    Source: Avants et al., as for `local_ncc`; what most toolkits call local NCC.

    >>> a = Tensor(np.eye(4).reshape(1, 4, 4, 1))
    >>> abs(squared_local_ncc_loss(a, 1 - a, window=3).item()) < 1e-6
    True
    """
    ncc, structured = _ncc_of_windows(a, b, window)
    return 1 - _mean_of_windows(ncc * ncc, structured).mean()


def _ncc_of_windows(a, b, window):
    """The NCC of each window (N, H', W', C), 0 where it is not defined; and 1 or 0, whether it is."""
    a, b = _images("local NCC", a, b, window)
    if window < 3 or window % 2 == 0:
        raise InputError(f"the window of local NCC must be odd and at least 3, got {window}")
    average = _window_average([1 / window] * window)
    a, mean_a, var_a, a_structured = _local_statistics(a, average)
    b, mean_b, var_b, b_structured = _local_statistics(b, average)
    structured = a_structured * b_structured
    flat = 1 - structured  # 1 in place of a variance that may be zero
    # The root of each before the product: var_a var_b can leave the range of float32 where the NCC does not.
    deviations = ops.sqrt(var_a * structured + flat) * ops.sqrt(var_b * structured + flat)
    return (average(a * b) - mean_a * mean_b) * structured / deviations, structured


def _local_statistics(image, average):
    """The image without its mean, the mean and the variance of its windows, and 1 or 0, whether they have structure."""
    largest = xp.max(xp.abs(image.data), axis=(1, 2, 3), keepdims=True)
    image = image - image.mean(axis=(1, 2, 3), keepdims=True)
    mean, mean_square = average(image), average(image * image)
    variance = mean_square - mean * mean
    image_variance = xp.mean(image.data**2, axis=(1, 2, 3), keepdims=True)
    eps = 8 * float(xp.finfo(image.dtype).eps)
    rounding = eps * (mean_square.data + eps * largest * largest)
    structured = variance.data > FLAT**2 * image_variance + rounding
    return image, mean, variance, structured.astype(image.dtype)


def _mean_of_windows(values, counts):
    """The average of `values` over the windows that count, one for each pair; 0 where none does."""
    count = xp.sum(counts, axis=(1, 2, 3))
    return values.sum(axis=(1, 2, 3)) / xp.maximum(count, 1)


def ssim_loss(a, b):
    """1 - SSIM, averaged over the pairs.

    The window, the constants and the formula are those of `metrics.ssim`, with which it agrees to rounding: an 11 x 11
    Gaussian of sigma 1.5 pixels, wholly inside the image, for intensities in [0, 1].

    In [0, 2]; 0 for identical images, constant ones too. It sees gain and offset. a and b are (N, H, W, C), H and W at
    least 11. Raises InputError for shapes that differ or are not (N, H, W, C), or images smaller than the window.

    Source: Wang, Bovik, Sheikh, Simoncelli, Image quality assessment: from error visibility to structural similarity,
    IEEE TIP 13 (2004), equation 13, doi:10.1109/TIP.2003.819861; as a loss, Zhao et al., Loss functions for image
    restoration with neural networks, IEEE TCI 3 (2017), doi:10.1109/TCI.2016.2644865.

    >>> black = Tensor(np.zeros((1, 11, 11, 1)))
    >>> round(ssim_loss(black, black + 1).item(), 4)  # 1 - C1 / (1 + C1), with C1 = 0.0001
    0.9999
    """
    offsets = range(-SSIM_RADIUS, SSIM_RADIUS + 1)
    a, b = _images("SSIM", a, b, len(offsets))
    weights = [math.exp(-0.5 * (offset / SSIM_SIGMA) ** 2) for offset in offsets]
    average = _window_average([weight / sum(weights) for weight in weights])
    # As in the metric: variances do not see a shift, and taking it out keeps var = E[x^2] - E[x]^2 exact.
    shift_a, shift_b = (image.mean(axis=(1, 2), keepdims=True) for image in (a, b))
    a, b = a - shift_a, b - shift_b
    mean_a, mean_b = average(a), average(b)
    variances = average(a * a + b * b) - mean_a * mean_a - mean_b * mean_b
    covariance = average(a * b) - mean_a * mean_b
    mean_a, mean_b = mean_a + shift_a, mean_b + shift_b
    luminance = (2 * mean_a * mean_b + SSIM_C1) / (mean_a * mean_a + mean_b * mean_b + SSIM_C1)
    structure = (2 * covariance + SSIM_C2) / (variances + SSIM_C2)
    return 1 - (luminance * structure).mean()


def mutual_information_loss(a, b, bins=16):
    """Minus the mutual information of the intensities, in nats, averaged over the pairs.

        I(a, b) = sum over k, l of  p[k, l] ln(p[k, l] / (p_a[k] p_b[l]))

    p[k, l] is the share of pixels whose intensity is k in a and l in b: a joint histogram of bins x bins with cubic
    Parzen windows (`ops.parzen_weights`), so that it has derivatives; p_a and p_b are its margins. It asks how well the
    intensity of one image tells that of the other, not which stands for which: the measure between modalities.

    In [-ln bins, 0]: 0 where one tells nothing of the other, and where one is constant. For identical images it is
    minus the entropy of their intensities if different ones are at least 4 bins apart, and nearer to 0 if they share
    bins. All of it to 1e-4.

    Parameters
    ----------
    a, b : (N, H, W, C), intensities in [0, 1]; those beyond count as 0 or 1. All pixels and channels count alike.
    bins : int, at least 4
        A pixel has to tell bins^2 shares: 16 for images of 1,000 pixels, 32 to 64 for large ones.

    Raises InputError for shapes that differ or are not (N, H, W, C), or fewer than 4 bins.

    Source: Mattes et al., PET-CT image registration in the chest using free-form deformations, IEEE TMI 22 (2003),
    doi:10.1109/TMI.2003.809072; Thévenaz and Unser, Optimization of mutual information for multiresolution image
    registration, IEEE TIP 9 (2000), doi:10.1109/83.887976.

    >>> a = Tensor([0.0, 1.0, 0.0, 1.0]).reshape(1, 2, 2, 1)
    >>> round(mutual_information_loss(a, 1 - a).item(), 3)  # -ln 2: each tells all of the other
    -0.693
    """
    a, b = _images("mutual information", a, b)
    return -_information(*(_weights(image, bins) for image in (a, b))).mean()


def normalised_mutual_information_loss(a, b, bins=16):
    """1 - the mutual information of a and b over the mean of that of each with itself, averaged over the pairs.

        1 - 2 I(a, b) / (I(a, a) + I(b, b))        (with a little added to both, for constant images)

    0 for identical images, where its gradient vanishes too: unlike plain mutual information it does not reward images
    for a higher entropy. 1 where one image tells nothing of the other. At most 1; blurred bins can tell a little less
    of themselves than of other ones, so it can fall below 0 (a search for such images found -0.01).

    Parameters, errors and source as for `mutual_information_loss`, which `I` is explained in.

    >>> a, b = (Tensor(values).reshape(1, 2, 2, 1) for values in ([0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]))
    >>> round(normalised_mutual_information_loss(a, b).item(), 3)  # a tells nothing of b
    1.0
    """
    a, b = _images("mutual information", a, b)
    a, b = (_weights(image, bins) for image in (a, b))
    shared = 2 * _information(a, b)
    own = _information(a, a) + _information(b, b)
    return 1 - ((shared + TINY_INFORMATION) / (own + TINY_INFORMATION)).mean()


def _weights(image, bins):
    return ops.parzen_weights(ops.reshape(image, (image.shape[0], -1)), bins)


def _information(a, b):
    """The mutual information of each pair in nats (N,), from weights (N, pixels, bins)."""
    joint = ops.matmul(ops.transpose(a, (0, 2, 1)), b) / a.shape[1]
    independent = joint.sum(axis=2, keepdims=True) * joint.sum(axis=1, keepdims=True)
    surprise = ops.log((joint + TINY_PROBABILITY) / (independent + TINY_PROBABILITY))
    return (joint * surprise).sum(axis=(1, 2))


def soft_dice_loss(a, b):
    """1 - the Dice overlap of soft masks, averaged over the labels and the pairs. For library users.

        1 - 2 sum a b / (sum a^2 + sum b^2)

    with sums over the pixels. For masks of 0 and 1 this is 1 - 2 |A and B| / (|A| + |B|), as in `metrics.dice`. The
    squares make it 0 for identical soft masks as well. In [0, 1]; 0 where both are empty, too (their gradient is 0
    there).

    a and b are (N, H, W, C), in [0, 1]: one mask or the probability of one label in each channel, all of the same
    weight. Raises InputError for shapes that differ or are not (N, H, W, C).

    Source: Milletari, Navab, Ahmadi, V-Net, 3DV 2016, section 3, arXiv:1606.04797.

    >>> a, b = (Tensor(mask).reshape(1, 1, 3, 1) for mask in ([1.0, 1.0, 0.0], [0.0, 1.0, 1.0]))
    >>> soft_dice_loss(a, b).item()
    0.5
    """
    a, b = _images("soft Dice", a, b)
    overlap = 2 * (a * b).sum(axis=(1, 2))
    total = (a * a + b * b).sum(axis=(1, 2))
    empty = (total.data == 0).astype(total.dtype)
    return 1 - ((overlap + empty) / (total + empty)).mean()


def _window_average(kernel):
    return lambda image: ops.separable_filter(image, kernel)


def _images(name, a, b, window=1):
    """Both as Tensors of floats, checked to have one shape (N, H, W, C) and to hold a window."""
    if len(a.shape) != 4 or a.shape != b.shape or min(a.shape[1:3]) < window or 0 in a.shape:
        raise InputError(
            f"{name} compares images of one shape (N, H, W, C) and at least {window} x {window} pixels, none of them "
            f"empty, got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    return _floats(name, a, b)


def _floats(name, *images):
    """The images as Tensors. Differences of unsigned integers wrap around, and sums of float16 leave its range."""
    images = [image if isinstance(image, Tensor) else Tensor(image) for image in images]
    for image in images:
        if image.dtype not in (np.float32, np.float64):
            raise InputError(
                f"{name} compares images of float32 or float64 in [0, 1], got {image.dtype}: convert them first, uint8 "
                "by / 255"
            )
    return images

"""What is done to images before a network sees them: intensities to [0, 1], crop to the object, pad with zeros."""

import numpy as np

from minireg.errors import InputError


def normalise_percentiles(images, low=1, high=99):
    """Map each image's intensities linearly so that two of its percentiles become 0 and 1; clip what lies beyond.

        y = clip((x - q_low) / (q_high - q_low), 0, 1)

    Percentiles instead of minimum and maximum, so that a few stray pixels do not decide the contrast. Where the two
    are equal, as when the object covers less than a hundredth of the image, minimum and maximum are taken instead.

    Parameters
    ----------
    images : array (N, H, W, C) of numbers in any unit
    low, high : percentiles, 0 <= low < high <= 100

    Returns a float32 array (N, H, W, C) in [0, 1]; 0 everywhere for a constant image

    Raises InputError where the images are not four-dimensional, empty, or not finite, or percentiles out of order.

    >>> image = np.arange(-100, 301).reshape(1, 1, 401, 1)  # its percentiles 25 and 75 are 0 and 200
    >>> normalise_percentiles(image, 25, 75)[0, 0, [0, 100, 150, 300, 400], 0].tolist()
    [0.0, 0.0, 0.25, 1.0, 1.0]
    """
    _check(images)
    if not 0 <= low < high <= 100:
        raise InputError(f"percentiles must satisfy 0 <= low < high <= 100, got {low} and {high}")
    images = images.astype(np.float64)
    if not np.isfinite(images).all():
        raise InputError("images hold values that are NaN or infinite: replace them first")
    axes = (1, 2, 3)
    bottom, top = np.percentile(images, [low, high], axis=axes, keepdims=True)
    flat = bottom == top
    bottom = np.where(flat, images.min(axes, keepdims=True), bottom)
    top = np.where(flat, images.max(axes, keepdims=True), top)
    span = np.where(bottom == top, 1, top - bottom)
    return np.clip((images - bottom) / span, 0, 1).astype(np.float32)


def crop_to_object(images, threshold=0.0, margin=0):
    """Cut away what is background in all images: one box for the whole batch, so that pairs keep fitting together.

    For a pair, pass both images as one batch; for its label maps, apply the same box: `labels[:, rows, columns]`.

    Parameters
    ----------
    images : array (N, H, W, C)
    threshold : float
        A pixel above it, in any image and channel, belongs to an object.
    margin : int
        Pixels of background to keep on each side, as far as the image has them.

    Returns
    -------
    cropped : array (N, h, w, C), a view
    (rows, columns) : the box, as two slices
        The whole image where nothing is above the threshold.

    Raises InputError where the images are not four-dimensional, or empty.

    >>> images = np.zeros((2, 32, 32, 1))
    >>> images[0, 5:9, 10] = images[1, 7, 12] = 1
    >>> cropped, (rows, columns) = crop_to_object(images, margin=1)
    >>> cropped.shape, rows, columns
    ((2, 6, 5, 1), slice(4, 10, None), slice(9, 14, None))
    """
    _check(images)
    inside = (images > threshold).any(axis=(0, 3))
    box = tuple(_extent(inside.any(axis=axis), margin) for axis in (1, 0))
    return images[:, box[0], box[1]], box


def pad(images, size=32):
    """Put zeros around images, so that a network can halve their sides; nothing is resampled.

    images (N, H, W, C), `size` in pixels -> (N, size, size, C), of the same dtype. Where an odd number is added, the
    extra one comes last. Raises InputError where the images are not four-dimensional, or larger than `size`.

    >>> pad(np.ones((1, 1, 2, 1)), size=3)[0, :, :, 0].tolist()
    [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    if images.ndim != 4:
        raise InputError(f"images must have the shape (N, H, W, C), not {images.shape}")
    _, height, width, _ = images.shape
    if max(height, width) > size:
        raise InputError(f"images of {height} x {width} pixels do not fit into {size} x {size}: choose a larger size")
    rows, columns = (((size - side) // 2, (size - side + 1) // 2) for side in (height, width))
    return np.pad(images, ((0, 0), rows, columns, (0, 0)))


def _extent(inside, margin):
    """The slice from the first to the last True of a line, with a margin; all of the line where none is True."""
    indices = np.flatnonzero(inside)
    if indices.size == 0:
        return slice(0, len(inside))
    return slice(max(int(indices[0]) - margin, 0), min(int(indices[-1]) + 1 + margin, len(inside)))


def _check(images):
    if images.ndim != 4 or images.size == 0:
        raise InputError(f"images must have the shape (N, H, W, C) and not be empty, got {images.shape}")

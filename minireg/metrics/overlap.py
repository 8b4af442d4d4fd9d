"""How well the bright regions of two images lie on each other."""

import math

import numpy as np

from minireg.metrics.checks import float64_batches

SWEEP = (0.3, 0.4, 0.5, 0.6, 0.7)  # thresholds from faint to bright: strokes of every thickness that one might mean


def dice(a, b, threshold=0.5):
    """Dice overlap of the two sets of pixels brighter than `threshold`: 2 |A and B| / (|A| + |B|).

    a and b are float arrays (N, H, W, C), and `threshold` is in the unit of their intensities; a pixel equal to it is
    outside. The result is a float64 array (N,) in [0, 1]; 1 where both sets are empty, for then they agree. Raises
    InputError as `ncc`. Source: as for `label_dice`.

    >>> a, b = (np.array(image).reshape(1, 1, 3, 1) for image in ([0.9, 0.8, 0.1], [0.2, 0.7, 0.9]))
    >>> dice(a, b).tolist()  # two pixels each, one of them in common
    [0.5]
    """
    a, b = float64_batches(a=a, b=b)
    inside_a, inside_b = a > threshold, b > threshold
    overlap = np.sum(inside_a & inside_b, axis=(1, 2, 3))
    total = np.sum(inside_a, axis=(1, 2, 3)) + np.sum(inside_b, axis=(1, 2, 3))
    return np.where(total == 0, 1.0, 2 * overlap / np.maximum(total, 1))


def dice_sweep(a, b, thresholds=SWEEP):
    """`dice` at several thresholds, because one alone may flatter: a stroke's edge is nowhere in particular.

    a and b are float arrays (N, H, W, C), the T thresholds floats; the result is a float64 array (N, T) in [0, 1], one
    column for each threshold. Raises InputError as `ncc`.

    >>> a, b = (np.full((1, 1, 1, 1), value) for value in (0.45, 0.55))
    >>> dice_sweep(a, b).tolist()
    [[1.0, 1.0, 0.0, 1.0, 1.0]]
    """
    return np.stack([dice(a, b, threshold) for threshold in thresholds], axis=1)


def hausdorff95(a, b, threshold=0.5):
    """95th percentile Hausdorff distance, in pixels, of the two sets of pixels brighter than `threshold`.

        max(P95 over p in dA of min over q in dB |p - q|,   P95 over q in dB of min over p in dA |p - q|)

    A set's boundary dA is made of those of its pixels that have one of their four neighbours outside; beyond the image
    is outside. Distances go between the centres of pixels. A percentile between two distances is interpolated linearly.
    The largest distance, Hausdorff's own, hangs on a single pixel; the 95th percentile ignores the worst twentieth.

    a and b are float arrays (N, H, W, 1); a pixel equal to the threshold is outside. The result is a float64 array
    (N,), 0 and up, never NaN: 0 where both sets are empty; where one is, sqrt((H-1)^2 + (W-1)^2), the image's diagonal,
    which no distance exceeds. Raises InputError as `ncc`, and for more than one channel.

    Source: Huttenlocher, Klanderman, Rucklidge, Comparing images using the Hausdorff distance, IEEE TPAMI 15 (1993),
    section II, for distances of a given rank, doi:10.1109/34.232073.

    >>> a, b = np.zeros((2, 1, 8, 8, 1))
    >>> a[0, 0, 0] = b[0, 3, 4] = 1.0
    >>> hausdorff95(a, b).tolist()
    [5.0]
    """
    a, b = float64_batches(channels=1, a=a, b=b)
    boundaries = [_boundary(images[..., 0] > threshold) for images in (a, b)]
    distances = [np.sqrt(_squared_distance(boundary)) for boundary in boundaries]
    diagonal = math.hypot(a.shape[1] - 1, a.shape[2] - 1)
    return np.array([_hausdorff95(*pair, diagonal) for pair in zip(*boundaries, *distances, strict=True)])


def _hausdorff95(boundary_a, boundary_b, distance_to_a, distance_to_b, diagonal):
    """The distance for one pair, everything (H, W)."""
    if not boundary_a.any() and not boundary_b.any():
        return 0.0
    if not boundary_a.any() or not boundary_b.any():
        return diagonal
    return max(np.percentile(distance_to_b[boundary_a], 95), np.percentile(distance_to_a[boundary_b], 95))


def _boundary(inside):
    """The pixels of each set (N, H, W) that have one of their four neighbours outside it."""
    padded = np.pad(inside, ((0, 0), (1, 1), (1, 1)))
    vertical = padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1]
    horizontal = padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
    return inside & ~(vertical & horizontal)


def _squared_distance(inside):
    """The squared distance of every pixel to the nearest one in each set (N, H, W); infinite for an empty set.

    A squared distance is a sum over the axes, so the minimum can be taken along one axis and then along the other:
    N H W (H + W) steps instead of N (H W)^2. Source: Felzenszwalb and Huttenlocher, Distance transforms of sampled
    functions, Theory of Computing 8 (2012), equation 2, doi:10.4086/toc.2012.v008a019.
    """
    squared = np.where(inside, 0.0, np.inf)
    for axis in (1, 2):
        lines = np.moveaxis(squared, axis, -1)
        positions = np.arange(lines.shape[-1])
        nearest = np.full(lines.shape, np.inf)
        for start in positions:
            np.minimum(nearest, lines[..., start, None] + (positions - start) ** 2, out=nearest)
        squared = np.moveaxis(nearest, -1, axis)
    return squared

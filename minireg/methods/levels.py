"""What the methods that iterate share: levels from coarse to fine, and a few pairs at a time."""

import numpy as np
from tqdm import tqdm

from minireg import backend, ops
from minireg.backend import xp
from minireg.data.preprocessing import normalise_percentiles
from minireg.errors import InputError
from minireg.models.common import checked_size

PAIRS_AT_A_TIME = 32  # whose arrays stay in the cache
SMALLEST_GRID = 4  # pixels along the shorter side: what is coarser has nothing to tell
SQUARINGS = 4  # within one level a velocity is a few pixels of its grid, a sixteenth of it a fraction of one


def pool(array, size):
    """The means over blocks of `size` x `size` pixels: (N, H, W, C) -> (N, H / size, W / size, C)."""
    return array if size == 1 else ops.avg_pool2d(array, size).data


def gradient(image):
    """(N, H, W, 1) -> (N, H, W, 2): central differences; beyond its border the image continues."""
    x = xp.pad(image, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="edge") / 2
    return xp.concatenate([x[:, 2:, 1:-1] - x[:, :-2, 1:-1], x[:, 1:-1, 2:] - x[:, 1:-1, :-2]], axis=-1)


def coarse_to_fine(solve, moving, fixed, start, levels, iterations, progress):
    """Run solve(moving, fixed, start, scales, advance) on a few pairs at a time, on the backend in use.

    Intensities are normalised image by image (`normalise_percentiles`), since measures and forces are made for [0, 1].
    Images whose sides are no multiple of the coarsest scale are continued at the bottom and the right, and cut back.
    """
    height, width = checked_size(moving, fixed)
    moving, fixed = normalise_percentiles(moving), normalise_percentiles(fixed)
    shape = (*moving.shape[:3], 2)
    if start is not None and start.shape != shape:
        raise InputError(f"expected a start of shape {shape} for these images, got {start.shape}")
    if levels < 1 or iterations < 1:
        raise InputError(f"expected at least one level and one iteration, got {levels} and {iterations}")
    while levels > 1 and min(height, width) < SMALLEST_GRID * 2 ** (levels - 1):
        levels -= 1
    scales = [2**level for level in reversed(range(levels))]
    multiple = max(2, scales[0])  # a field of one pixel has no differences
    margin = [(0, 0), (0, -height % multiple), (0, -width % multiple), (0, 0)]

    displacement = np.zeros(shape, "float32") if start is None else start.astype("float32")
    batches = [slice(i, i + PAIRS_AT_A_TIME) for i in range(0, len(moving), PAIRS_AT_A_TIME)]
    found = []
    with tqdm(total=len(batches) * levels * iterations, desc=progress, unit="step", disable=not progress) as bar:
        for batch in batches:
            arrays = (np.pad(array[batch], margin, "edge") for array in (moving, fixed, displacement))
            result = solve(*(backend.to_device(array) for array in arrays), scales, bar.update)
            found.append(backend.to_host(result)[:, :height, :width])
    return np.concatenate(found)

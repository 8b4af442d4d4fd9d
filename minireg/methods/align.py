"""Any two images, without a network: normalised, aligned by an affine map, and then deformed, both half of the way.

    displacement = align(moving, fixed)
    displacement = align(moving, fixed, loss="mi")              # of two kinds, such as CT and MR
    displacement = align(moving, fixed, stages="affine")        # nothing but shift, turn, scale and shear
    displacement = align(moving, fixed, start=method)           # from what another method finds, such as a network

`affine.py`, `symmetric.py` and `exact.py` have the stages, `residuals.py` what they make small, and `views.py` the
images as they see them; here they are put together.
"""

import math
import warnings

import numpy as np
from tqdm import tqdm

from minireg import backend, ops
from minireg.backend import xp
from minireg.data.preprocessing import normalise_percentiles
from minireg.errors import InputError
from minireg.fields import integrate, logarithm, warp_images
from minireg.methods.affine import at_scale, displacement_of, find, square_root
from minireg.methods.exact import descend
from minireg.methods.levels import PAIRS_AT_A_TIME, SMALLEST_GRID, pool
from minireg.methods.residuals import COMPARISONS
from minireg.methods.symmetric import FINAL_SQUARINGS, finer, refine_velocity, spacing, without_folds
from minireg.methods.views import Pyramid, then_affine
from minireg.models.common import checked_size

STAGES = ("affine", "deformable")
COARSEST = 16  # pixels along the shorter side
FINEST = 1024  # pixels along the longer side: a finer level would move nothing by more than a tenth of a pixel
AFFINE_FINEST = 256  # pixels along the longer side, at which an affine map is as exact as it gets
AFFINE_ENOUGH = 64  # where a deformable stage goes on from it
MOST_PIXELS = 64 * 1024  # of all pairs that are registered together
NOT_ALIKE = 3.0  # of what an affine map leaves with local_ncc: that of other images, where right maps leave below 2
SMOOTHNESS = {"local_ncc": 4.0, "ncc": 2.0}  # of the losses that are not named, the first
EXACT_STEPS = 3  # for one of the quick ones, of each level
STIFFER_AT_FIRST = 8  # than the exact steps that follow: those begin where nothing folds


def align(
    moving,
    fixed,
    stages="affine,deformable",
    loss="local_ncc",
    smoothness=None,
    levels=None,
    iterations=15,
    tolerance=0.02,
    moving_mask=None,
    fixed_mask=None,
    start=None,
    progress=False,
):
    """Register every pair: an affine map first, then a smooth velocity, both from coarse to fine and symmetric.

    Affine: at a coarse scale turns by multiples of 15 degrees and scales from half to twice the size are tried with all
    shifts; the best ones, no motion among them, are improved, as rigid maps, similarities and affine maps, fewer and
    fewer from scale to scale. If it explains little there is a warning. Deformable: see `methods/symmetric.py`; a pair
    that folds goes on with twice the smoothness, until it does not.

    Both images move half of the way. So exchanging them gives the inverse, to the errors of interpolation, and an image
    with itself, or with a constant one, gives exactly 0.

    Parameters
    ----------
    moving, fixed : NumPy arrays (N, H, W, 1), float32, intensities in any unit (`normalise_percentiles`)
    stages : "affine,deformable", or one of them
    loss : what is compared: "local_ncc" within one kind of images, whatever the shading; "mi" for two kinds; "ncc"
        for drawings on an even background; "mse" where equal intensities mean the same (`methods/residuals.py`)
    smoothness : float, above 0; it means the same at all resolutions. Unless given 4, or 2 for "ncc".
    levels : int; from the finest on, each with half the resolution, as many as fit. Unless given, down to 16 pixels, or
        with a start the finest one alone.
    iterations : int, at most so many steps at each level of the deformable stage, and for "ncc" EXACT_STEPS times as
        many exact ones at the end; with a start, 0 adds nothing to it
    tolerance : float, in pixels of the level: a pair is done when it moves by less than this
    moving_mask, fixed_mask : NumPy arrays (N, H, W, 1), optional: what is 0 there has no say
    start : function of moving and fixed that returns a displacement, as of `make_method`, optional
        Where the deformable stage begins: at half the difference of the `logarithm`s of both directions. It is given
        the images as they are, each moved half of the affine way.
    progress : bool, show a progress bar

    Returns a NumPy array (N, H, W, 2), float32, in pixels

    Raises InputError for images or masks of different shapes, an unknown stage or loss, and numbers out of range.

    Source: as `affine.search` and `symmetric.refine_velocity`.

    >>> rows, columns = np.mgrid[:32, :32]
    >>> blob = lambda row, column: np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 30)[None, ..., None]
    >>> moving, fixed = blob(19, 16).astype("float32"), blob(16, 16).astype("float32")
    >>> bool(2.8 < align(moving, fixed, loss="ncc")[0, 16, 16, 0] < 3.2)  # 3 pixels further down, in the moving image
    True
    """
    stages = _checked_stages(stages)
    if loss not in COMPARISONS:
        raise InputError(f"unknown loss {loss!r} of align: choose one of {', '.join(COMPARISONS)}")
    smoothness = SMOOTHNESS.get(loss, SMOOTHNESS["local_ncc"]) if smoothness is None else smoothness
    for name, value in (("smoothness", smoothness), ("tolerance", tolerance), ("iterations", iterations)):
        if not (0 < value < np.inf or (value == 0 and name == "iterations" and start is not None)):
            raise InputError(f"{name} must be a number above 0, got {value}")
    if levels is not None and levels < 1:
        raise InputError(f"expected at least one level, got {levels}")
    height, width = checked_size(moving, fixed)
    masks = [_checked_mask(mask, image) for mask, image in ((moving_mask, moving), (fixed_mask, fixed))]
    images = [normalise_percentiles(image) for image in (moving, fixed)]

    found, lost = np.empty((*moving.shape[:3], 2), np.float32), []
    scales = _scales(height, width, levels)
    refined = scales if start is None else scales[-(levels or 1) :]
    finest = AFFINE_ENOUGH if "deformable" in stages and iterations else AFFINE_FINEST
    together = max(1, min(PAIRS_AT_A_TIME, MOST_PIXELS // (height * width)))
    with tqdm(total=len(moving) * len(scales), desc="aligning", unit="level", disable=not progress) as bar:
        for first in range(0, len(moving), together):
            batch = slice(first, first + together)
            pair = [np.concatenate([x[batch], mask[batch]], axis=-1) for x, mask in zip(images, masks, strict=True)]
            pyramid = Pyramid(pair, scales, loss)
            still = np.broadcast_to(np.eye(3), (len(pair[0]), 3, 3))
            maps, left = find(pyramid, finest) if "affine" in stages else (still, np.zeros(len(still)))
            lost.extend(first + np.flatnonzero(left > NOT_ALIKE) if loss == "local_ncc" else [])
            if "deformable" in stages:
                begin = None if start is None else _begin(start, moving[batch], fixed[batch], maps, pyramid.shape)
                field = _deformable(pyramid, maps, begin, refined, smoothness, int(iterations), tolerance, bar)
            else:
                field = displacement_of(maps, *pyramid.shape)
                bar.update(len(maps) * len(scales))
            found[batch] = backend.to_host(field)[:, :height, :width]
    lost = [n for n in lost if all(np.ptp(image[n]) for image in images)]
    if lost:
        pairs = f" of {len(lost)} pairs" if len(moving) > 1 else ""
        warnings.warn(
            f"the affine map{pairs} explains little of the images: choose the loss mi if they are of two kinds; crop "
            "or resample both to the same part, or mask what only one shows; or leave it out (stages deformable)",
            stacklevel=2,
        )
    for image in images:
        found[np.ptp(image, axis=(1, 2, 3)) == 0] = 0  # a constant image says nothing about where anything is
    return found


def _deformable(pyramid, maps, begin, scales, smoothness, iterations, tolerance, bar):
    """The displacement of S o exp(v) o S, with the velocity v refined from scale to scale.

    With w = exp(v) - identity, it is p -> S(S p + w(S p)); w(S p) is taken at the finest scale, and then made finer.
    """
    height, width = pyramid.shape
    scale = scales[-1] if iterations else 1
    flow = begin and begin[0]
    if iterations:
        velocity = begin and (logarithm(begin[0]) - logarithm(begin[1])) / 2
        velocity = _refined(velocity, pyramid, maps, scales, smoothness, iterations, tolerance, bar)
        flow = integrate(finer(velocity, height // scale // velocity.shape[1]), FINAL_SQUARINGS).data
    root = square_root(maps)
    there = displacement_of(at_scale(root, scale), height // scale, width // scale)
    further = finer(ops.warp(flow, there, border="edge").data, scale)
    return then_affine(displacement_of(root, height, width) + further, root)


def _refined(velocity, pyramid, maps, scales, smoothness, iterations, tolerance, bar):
    """The velocity of the finest scale, from one of any size, or from None."""
    size = math.sqrt(math.prod(pyramid.shape)) / scales[-1]  # not of each level: the coarser, the stiffer
    exact = pyramid.loss == "ncc"  # what is reported for drawings, which differ from each other by much
    for scale in scales:
        view = pyramid.level(scale, square_root(at_scale(maps, scale)))
        rows, columns = (side // spacing(*view.shape) for side in view.shape)
        if velocity is None:
            velocity = xp.zeros((len(maps), rows, columns, 2), "float32")
        elif velocity.shape[1] > rows:
            factor = velocity.shape[1] // rows
            velocity = pool(velocity, factor) / factor
        else:
            velocity = finer(velocity, rows // velocity.shape[1])
        if exact or scale > scales[-1]:
            bending = smoothness * (STIFFER_AT_FIRST if exact else 1)
            velocity = refine_velocity(velocity, view, size, bending, iterations, tolerance)
        bar.update(len(maps))

    def last_steps(velocity, view, smoothness):
        if exact:
            return descend(velocity, view, size, smoothness, EXACT_STEPS * iterations)
        return refine_velocity(velocity, view, size, smoothness, iterations, tolerance)

    return without_folds(last_steps, velocity, view, smoothness)


def _begin(start, moving, fixed, maps, shape):
    """What `start` finds there and back between the images, each moved half of the affine way: two (N, *shape, 2)."""
    root, (height, width) = square_root(maps), moving.shape[1:3]
    ways = (displacement_of(half, *shape)[:, :height, :width] for half in (root, np.linalg.inv(root)))
    halves = [warp_images(x, backend.to_host(way)) for x, way in zip((moving, fixed), ways, strict=True)]
    margin = [(0, 0), (0, shape[0] - height), (0, shape[1] - width), (0, 0)]
    found = start(*halves), start(*reversed(halves))
    return [backend.to_device(np.pad(u, margin, "edge").astype(np.float32)) for u in found]


def _scales(height, width, levels):
    """From coarse to fine: by how much the images are made smaller."""
    finest = 1
    while max(height, width) > FINEST * finest:
        finest *= 2
    smaller = min(height, width) // finest
    fit = 1 + max(0, int(math.log2(smaller / COARSEST)))
    levels = fit if levels is None else min(levels, 1 + max(0, int(math.log2(smaller / SMALLEST_GRID))))
    return [finest * 2**level for level in reversed(range(levels))]


def _checked_stages(stages):
    names = [name.strip() for name in (stages.split(",") if isinstance(stages, str) else stages)]
    if not names or any(name not in STAGES for name in names):
        raise InputError(f"unknown stages {stages!r}: expected affine,deformable, or one of them")
    return names


def _checked_mask(mask, images):
    if mask is None:
        return np.ones(images.shape, np.float32)
    if mask.shape != images.shape:
        raise InputError(f"expected a mask of the shape {images.shape} of the images, got {mask.shape}")
    return (mask != 0).astype(np.float32)

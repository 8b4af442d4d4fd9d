"""Any two images, without a network: normalised, aligned by an affine map, and then deformed, both half of the way.

    displacement = align(moving, fixed)
    displacement = align(moving, fixed, loss="mi")              # of two kinds, such as CT and MR
    displacement = align(moving, fixed, stages="affine")        # nothing but shift, turn, scale and shear
    displacement = align(moving, fixed, start=method)           # from what another method finds, such as a network

`affine.py` and `symmetric.py` have the two stages, `residuals.py` what they make small; here they are put together.
"""

import math

import numpy as np
from tqdm import tqdm

from minireg import backend, ops
from minireg.backend import xp
from minireg.data.preprocessing import normalise_percentiles
from minireg.errors import InputError
from minireg.fields import integrate, logarithm, warp_images
from minireg.methods.affine import at_scale, cost_of_turn, displacement_of, improve, search, square_root, variance
from minireg.methods.exact import descend
from minireg.methods.levels import PAIRS_AT_A_TIME, SMALLEST_GRID, gradient, pool
from minireg.methods.residuals import COMPARISONS
from minireg.methods.symmetric import FINAL_SQUARINGS, GRID, finer, refine_velocity, spacing
from minireg.models.common import checked_size

STAGES = ("affine", "deformable")
COARSEST = 16  # pixels along the shorter side
FINEST = 1024  # pixels along the longer side: a finer level would move nothing by more than a tenth of a pixel
SEARCHED = 48  # pixels along the longer side, of the images that all turns and shifts are tried with
AFFINE_FINEST = 256  # pixels along the longer side, at which an affine map is as exact as it gets
AFFINE_ENOUGH = 128  # the same, where a deformable stage goes on from it
MOST_PIXELS = 64 * 1024  # of all pairs that are registered together
WHOLE = 0.999  # of a pixel: sampled from known ones alone, but for rounding
TINY = 1e-12
SMOOTHNESS = {"local_ncc": 4.0, "ncc": 2.0}
STIFFER_AT_FIRST = 8  # than the exact steps that follow: those begin where nothing folds
WORTH = 0.98  # of what is left: a map of more numbers is kept if it leaves less than that


def align(
    moving,
    fixed,
    stages="affine,deformable",
    loss="local_ncc",
    smoothness=None,
    levels=None,
    iterations=20,
    tolerance=0.02,
    moving_mask=None,
    fixed_mask=None,
    start=None,
    progress=False,
):
    """Register every pair: an affine map first, then a smooth velocity, both from coarse to fine and symmetric.

    Affine: at a coarse scale turns by multiples of 15 degrees and three scales are tried with all shifts; the best ones
    are improved as rigid motions, no motion among them, and the best goes on, finer and finer, as a rigid map, a
    similarity and an affine map, each kept if it leaves less difference than the one before. Deformable: see
    `methods/symmetric.py`.

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
    iterations : int, at most so many steps at each level of the deformable stage; with a start, 0 adds nothing to it
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

    found = np.empty((*moving.shape[:3], 2), np.float32)
    scales = _scales(height, width, levels)
    refined = scales if start is None else scales[-(levels or 1) :]
    finest = AFFINE_ENOUGH if "deformable" in stages and iterations else AFFINE_FINEST
    together = max(1, min(PAIRS_AT_A_TIME, MOST_PIXELS // (height * width)))
    with tqdm(total=len(moving) * len(scales), desc="aligning", unit="level", disable=not progress) as bar:
        for first in range(0, len(moving), together):
            batch = slice(first, first + together)
            pair = [np.concatenate([x[batch], mask[batch]], axis=-1) for x, mask in zip(images, masks, strict=True)]
            pyramid = _Pyramid(pair, scales, loss)
            still = np.broadcast_to(np.eye(3), (len(pair[0]), 3, 3))
            maps = _affine(pyramid, finest) if "affine" in stages else still
            if "deformable" in stages:
                begin = None if start is None else _begin(start, moving[batch], fixed[batch], maps, pyramid.shape)
                field = _deformable(pyramid, maps, begin, refined, smoothness, int(iterations), tolerance, bar)
            else:
                field = displacement_of(maps, *pyramid.shape)
                bar.update(len(maps) * len(scales))
            found[batch] = backend.to_host(field)[:, :height, :width]
    for image in images:
        found[np.ptp(image, axis=(1, 2, 3)) == 0] = 0  # a constant image says nothing about where anything is
    return found


def _deformable(pyramid, maps, begin, scales, smoothness, iterations, tolerance, bar):
    """The displacement of S o exp(v) o S, with the velocity v refined from scale to scale.

    With w = exp(v) - identity, it is p -> S(S p + w(S p)); w(S p) is taken at the finest scale, and then made finer.
    """
    height, width = pyramid.shape
    scale = scales[-1] if iterations else 1
    velocity = flow = None
    if begin is not None:
        flow, back = begin
        velocity = (logarithm(flow) - logarithm(back)) / 2
    if iterations:
        velocity = _refined(velocity, pyramid, maps, scales, smoothness, iterations, tolerance, bar)
        flow = integrate(finer(velocity, height // scale // velocity.shape[1]), FINAL_SQUARINGS).data
    root = square_root(maps)
    there = displacement_of(at_scale(root, scale), height // scale, width // scale)
    further = finer(ops.warp(flow, there, border="edge").data, scale)
    return _then_affine(displacement_of(root, height, width) + further, root)


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
        bending = smoothness * (STIFFER_AT_FIRST if exact else 1)
        velocity = refine_velocity(velocity, view, size, bending, iterations, tolerance)
        bar.update(len(maps))
    return descend(velocity, view, size, smoothness, 2 * iterations) if exact else velocity


def _begin(start, moving, fixed, maps, shape):
    """What `start` finds there and back between the images, each moved half of the affine way: two (N, *shape, 2)."""
    root, (height, width) = square_root(maps), moving.shape[1:3]
    ways = (displacement_of(half, *shape)[:, :height, :width] for half in (root, np.linalg.inv(root)))
    halves = [warp_images(x, backend.to_host(way)) for x, way in zip((moving, fixed), ways, strict=True)]
    margin = [(0, 0), (0, shape[0] - height), (0, shape[1] - width), (0, 0)]
    found = start(*halves), start(*reversed(halves))
    return [backend.to_device(np.pad(u, margin, "edge").astype(np.float32)) for u in found]


def _then_affine(displacement, maps):
    """The displacement of p -> M(p + u(p)), exact beyond the border too."""
    linear = backend.to_device(maps[:, None, :2, :2].swapaxes(2, 3).astype(np.float32))
    return displacement_of(maps, *displacement.shape[1:3]) + displacement @ linear


def _affine(pyramid, finest):
    """The maps of all pairs: the best start at a coarse scale, and then finer and finer."""
    scales = [scale for scale in pyramid.scales if max(pyramid.shape) <= finest * scale] or pyramid.scales[:1]
    start = next((s for s in scales if max(pyramid.shape) > s * SEARCHED / 2), scales[-1])
    starts = search(*pyramid.for_search(start))
    count = starts.shape[1]
    view = pyramid.level(start, times=count)
    maps, left = improve(starts.reshape(-1, 3, 3), view, "rigid")
    best = (left + cost_of_turn(maps)).reshape(-1, count).argmin(axis=1)
    maps = maps.reshape(starts.shape)[np.arange(len(starts)), best]
    maps = at_scale(maps, 1 / start)
    for scale in (s for s in scales if s <= start):
        view, maps, least = pyramid.level(scale), at_scale(maps, scale), None
        for kind in ("rigid", "similarity", "affine"):
            further, left = improve(maps, view, kind)
            kept = np.full(len(maps), True) if least is None else left < WORTH * least
            maps = np.where(kept[:, None, None], further, maps)
            least = left if least is None else np.where(kept, left, least)
        maps = at_scale(maps, 1 / scale)
    return maps


def _scales(height, width, levels):
    """From coarse to fine: by how much the images are made smaller."""
    finest = 1
    while max(height, width) > FINEST * finest:
        finest *= 2
    smaller = min(height, width) // finest
    fit = 1 + max(0, int(math.log2(smaller / COARSEST)))
    levels = fit if levels is None else min(levels, 1 + max(0, int(math.log2(smaller / SMALLEST_GRID))))
    return [finest * 2**level for level in reversed(range(levels))]


class _Pyramid:
    """Both images at every scale, prepared for comparison, with the mask of what is known as a second channel."""

    def __init__(self, pair, scales, loss):
        _, height, width, _ = pair[0].shape
        margin = [(0, 0), *((0, -side % (GRID * scales[0])) for side in (height, width)), (0, 0)]
        self.scales = scales
        self.images = [
            backend.to_device(np.concatenate([np.pad(x[..., :1], margin, "edge"), np.pad(x[..., 1:], margin)], axis=-1))
            for x in pair
        ]
        self.shape = self.images[0].shape[1:3]
        self.prepare, self.residuals = COMPARISONS[loss]
        self.loss = loss

    def _prepared(self, scale, coarsely=True):
        """With the mask as it is, where a map of a few numbers is looked for; or without what windows know by half."""
        for x in self.images:
            pooled = pool(x, scale)
            mask = (pooled[..., 1:] > WHOLE).astype(x.dtype)
            image, known = self.prepare(pooled[..., :1], mask)
            yield xp.concatenate([image, mask if coarsely else known], axis=-1)

    def level(self, scale, root=None, times=1):
        """Both images at this scale, each seen along S or its inverse too, and each pair so many times."""
        moving, fixed = (xp.repeat(x, times, axis=0) for x in self._prepared(scale, root is None))
        return _View(moving, fixed, self.residuals, root)

    def for_search(self, scale):
        """For both images what is correlated, and the mask, NumPy (N, H, W)."""
        for x in self._prepared(scale):
            image, mask = x[..., :1], x[..., 1]
            if self.loss == "mi":  # edges are where two kinds of images agree
                image = xp.sqrt(xp.sum(gradient(image) ** 2, axis=-1, keepdims=True))
            yield backend.to_host(image[..., 0]), backend.to_host(mask)


class _View:
    """Both prepared images as seen along two displacements, and how they are compared (`compare`: their residuals)."""

    def __init__(self, moving, fixed, residuals, root):
        self.images, self.compare, self.root = (moving, fixed), residuals, root
        self.shape = moving.shape[1:3]
        self.variances = [variance(x[..., :1], x[..., 1:]) for x in self.images]

    def of(self, pairs):
        """The view of some pairs alone, by their indices."""
        root = None if self.root is None else self.root[backend.to_host(pairs)]
        return _View(*(x[pairs] for x in self.images), self.compare, root)

    def coverage(self, a, b, inside):
        """The share of both images' variance, (N,), that lies where both are seen."""
        seen, whole = (x + y for x, y in ((variance(a, inside), variance(b, inside)), self.variances))
        return backend.to_host(xp.clip(seen / xp.maximum(whole, TINY), 0, 1))

    def seen(self, forth, back):
        """Both prepared images at two displacements (N, H, W, 2), and 1 or 0, whether both are known there."""
        a, b, inside = self.warped(forth, back)
        return a.data, b.data, inside

    def warped(self, forth, back):
        """The same as Tensors, with their gradients with respect to both displacements."""
        if self.root is not None:
            forth, back = _then_affine(forth, self.root), _then_affine(back, np.linalg.inv(self.root))
        a, b = (ops.warp(x, u, border="zeros") for x, u in zip(self.images, (forth, back), strict=True))
        return a[..., :1], b[..., :1], _interior(a.data[..., 1:]) * _interior(b.data[..., 1:])


def _interior(mask):
    """1 where the mask and its neighbours are 1: a difference over its border means nothing."""
    whole = mask > WHOLE
    inside = whole.copy()
    inside[:, 1:] &= whole[:, :-1]
    inside[:, :-1] &= whole[:, 1:]
    inside[:, :, 1:] &= whole[:, :, :-1]
    inside[:, :, :-1] &= whole[:, :, 1:]
    return inside.astype(mask.dtype)


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

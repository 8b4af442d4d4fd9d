"""Both images at every scale, prepared for comparison, and how they look along a displacement.

A mask travels with each image as a second channel: 1 where the image is known.
"""

import numpy as np

from minireg import backend, ops
from minireg.autograd import Tensor
from minireg.backend import xp
from minireg.methods.affine import at_scale, displacement_of, variance
from minireg.methods.levels import gradient, pool
from minireg.methods.residuals import COMPARISONS
from minireg.methods.symmetric import GRID

WHOLE = 0.999  # of a pixel: sampled from known ones alone, but for rounding
TINY = 1e-12


class Pyramid:
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
        return View(moving, fixed, self.residuals, root)

    def for_search(self, scale):
        """For both images what is correlated, and the mask, NumPy (N, H, W)."""
        for x in self._prepared(scale):
            image, mask = x[..., :1], x[..., 1]
            if self.loss == "mi":  # edges are where two kinds of images agree
                image = xp.sqrt(xp.sum(gradient(image) ** 2, axis=-1, keepdims=True))
            yield backend.to_host(image[..., 0]), backend.to_host(mask)


class View:
    """Both prepared images as seen along two displacements, and how they are compared (`compare`: their residuals)."""

    def __init__(self, moving, fixed, residuals, root):
        self.images, self.compare, self.root = (moving, fixed), residuals, root
        self.shape = moving.shape[1:3]
        self.variances = [variance(x[..., :1], x[..., 1:]) for x in self.images]

    def of(self, pairs):
        """The view of some pairs alone, by their indices."""
        root = None if self.root is None else self.root[backend.to_host(pairs)]
        return View(*(x[pairs] for x in self.images), self.compare, root)

    def coverage(self, a, b, inside):
        """The share of both images' variance, (N,), that lies where both are seen."""
        seen, whole = (x + y for x, y in ((variance(a, inside), variance(b, inside)), self.variances))
        return backend.to_host(xp.clip(seen / xp.maximum(whole, TINY), 0, 1))

    def seen(self, forth, back):
        """Both prepared images at two displacements (N, H, W, 2), and 1 or 0, whether both are known there."""
        if self.root is not None:
            forth, back = then_affine(forth, self.root), then_affine(back, np.linalg.inv(self.root))
        a, b, inside = _side_by_side(*(_seen_along(u, x) for x, u in zip(self.images, (forth, back), strict=True)))
        return a.data, b.data, inside

    def whole_ways(self, forth, back, factor=1):
        """S o forth o S and S^-1 o back o S^-1 of displacements in pixels `factor` times as large (N, H, W, 2)."""
        if self.root is None:
            return forth, back
        root = at_scale(self.root, factor)
        return both_halves(forth, root), both_halves(back, np.linalg.inv(root))

    def at_the_ends(self, forth, back):
        """Moving, seen along S o forth o S, beside fixed; and moving beside fixed, seen along the inverse way.

        forth, back : Tensors (N, H, W, 2), displacements that are each other's inverses

        Returns twice what `seen` does, as Tensors with their gradients with respect to the displacements.
        """
        moving, fixed = (Tensor(x) for x in self.images)
        forth, back = self.whole_ways(forth, back)
        return _side_by_side(_seen_along(forth, moving), fixed), _side_by_side(moving, _seen_along(back, fixed))


def _seen_along(displacement, image):
    return ops.warp(image, displacement, border="zeros")


def _side_by_side(a, b):
    """Two images with their masks, as Tensors: both without, and 1 or 0, whether both are known."""
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


def both_halves(displacement, maps):
    """The displacement of p -> S(S p + u(S p)), from u (N, H, W, 2), an array or a Tensor."""
    there = displacement_of(maps, *displacement.shape[1:3])
    return then_affine(there + ops.warp(displacement, there, border="edge"), maps)


def then_affine(displacement, maps):
    """The displacement of p -> M(p + u(p)), exact beyond the border too."""
    linear = backend.to_device(maps[:, None, :2, :2].swapaxes(2, 3).astype(np.float32))
    return displacement_of(maps, *displacement.shape[1:3]) + displacement @ linear

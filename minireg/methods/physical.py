"""Two images of different size, or with pixels that are not square: registered on one grid, in millimetres.

    displacement = register_in_space(align, moving, fixed, moving_spacing=(0.7, 0.7), fixed_spacing=(1.0, 3.0))

A method takes one unit of length for both images and all directions, the pixel: so much do smoothness, turns and
distances depend on it. Here that unit is the same length in the body.
"""

import inspect
from typing import NamedTuple

import numpy as np

from minireg.fields import warp_images

LONGEST = 2048  # pixels along the longer side of the grid
NEARLY = 1e-3  # of a pixel, or of a length
WHOLE = 0.999  # of a pixel: sampled from known ones alone, but for rounding


class _Frame(NamedTuple):
    """The pixels of an image, and where they lie, in mm from its centre."""

    shape: tuple  # (H, W)
    spacing: tuple  # from one row to the next, from one column to the next, in mm

    def pixels(self):
        """(H, W, 2), the row and the column of every pixel."""
        return np.stack(np.meshgrid(*map(np.arange, self.shape), indexing="ij"), axis=-1)

    def to_mm(self, pixels):
        return (pixels - (np.array(self.shape) - 1) / 2) * self.spacing

    def from_mm(self, points):
        return points / self.spacing + (np.array(self.shape) - 1) / 2


def register_in_space(
    method,
    moving,
    fixed,
    moving_spacing=(1.0, 1.0),
    fixed_spacing=(1.0, 1.0),
    moving_mask=None,
    fixed_mask=None,
    landmarks=None,
):
    """Register images of any size and spacing with a method that wants one size and square pixels.

    Images of one size whose pixels are square and equally large go to the method as they are. Others are laid centre on
    centre and sampled on a common grid: its pixels are square, as large as those of the fixed image along its finer
    axis, and it covers both images. An image that is finer is averaged over whole blocks first. Where an image has no
    pixels, its border is continued, and a method that takes masks (`align`) is told that nothing is known there.

    Parameters
    ----------
    method : function of moving and fixed, NumPy (N, H, W, 1), such as `make_method` returns
    moving, fixed : NumPy arrays (N, H', W', 1) and (N, H, W, 1), float32
    moving_spacing, fixed_spacing : from one row to the next, and from one column to the next, in mm
    moving_mask, fixed_mask : of the shapes of the images, optional, for a method that takes them
    landmarks : (K, 4), moving row and column, fixed row and column, in pixels of the images; for "tps"

    Returns a NumPy array (N, H, W, 2), float32: p + displacement[p] counts pixels of the moving image

    Raises InputError as the method.

    >>> from minireg.methods import identity  # which moves nothing: centre stays on centre
    >>> coarse, fine = np.ones((1, 3, 3, 1), "float32"), np.ones((1, 6, 6, 1), "float32")
    >>> displacement = register_in_space(identity, fine, coarse, (1, 1), (2, 2))
    >>> displacement[0, 0, 0].tolist(), displacement[0, 2, 2].tolist()  # between pixels 0 and 1, 4 and 5
    ([0.5, 0.5], [2.5, 2.5])
    """
    m, f = (_frame(*image) for image in ((moving, moving_spacing), (fixed, fixed_spacing)))
    masks = {"moving_mask": moving_mask, "fixed_mask": fixed_mask}
    if m.shape == f.shape and np.allclose([*m.spacing, *f.spacing], m.spacing[0], rtol=NEARLY):
        given = {name: value for name, value in (masks | {"landmarks": landmarks}).items() if value is not None}
        return method(moving, fixed, **given)

    grid = _common_grid(m, f)
    images, known = zip(*(_sample(*image, grid) for image in ((moving, m), (fixed, f))), strict=True)
    extra = {}
    if "moving_mask" in inspect.signature(method).parameters:
        for (name, mask), frame, seen in zip(masks.items(), (m, f), known, strict=True):
            if mask is not None:
                seen = seen & (_sample((mask != 0).astype(np.float32), frame, grid)[0] > WHOLE)
            extra[name] = np.broadcast_to(seen, images[0].shape)
    if landmarks is not None:
        points = np.asarray(landmarks, np.float64)
        ends = [grid.from_mm(frame.to_mm(points[:, i : i + 2])) for i, frame in ((0, m), (2, f))]
        extra["landmarks"] = np.concatenate(ends, axis=1)
    displacement = method(*images, **extra)

    on_grid = grid.from_mm(f.to_mm(f.pixels())) - f.pixels()
    at_pixels = warp_images(displacement, _for_all(on_grid, displacement))
    return at_pixels * np.divide(grid.spacing, m.spacing).astype(np.float32) + _from_to(f, m)


def centre_on_centre(moving, fixed, moving_spacing=(1.0, 1.0), fixed_spacing=(1.0, 1.0)):
    """The displacement (N, H, W, 2), float32, that lays the centre of the moving image on that of the fixed one.

    It is where `register_in_space` starts; 0 for images of one size and spacing, and other arguments are as there.

    >>> centre_on_centre(np.ones((1, 5, 5, 1)), np.ones((1, 3, 3, 1)))[0, 0, 0].tolist()
    [1.0, 1.0]
    """
    return _for_all(_from_to(_frame(fixed, fixed_spacing), _frame(moving, moving_spacing)), fixed)


def in_square_pixels(arrays, spacing):
    """Arrays (N, H, W, C) sampled at pixels that are as high as wide, which is the finer of both; and that side, in mm.

    Arrays whose pixels are square are returned as they are.

    >>> wide, side = in_square_pixels(np.arange(6.0).reshape(1, 2, 3, 1), (1.0, 2.0))
    >>> wide[0, :, :, 0].tolist(), side
    ([[0.0, 0.25, 0.75, 1.25, 1.75, 2.0], [3.0, 3.25, 3.75, 4.25, 4.75, 5.0]], 1.0)
    """
    if np.isclose(*spacing, rtol=NEARLY):
        return arrays, spacing[0]
    frame = _frame(arrays, spacing)
    grid = _common_grid(frame, frame)
    return _sample(arrays, frame, grid)[0], float(grid.spacing[0])


def _frame(images, spacing):
    return _Frame(images.shape[1:3], tuple(spacing))


def _for_all(displacement, images):
    """The same displacement (H, W, 2) for N images: (N, H, W, 2), float32."""
    return np.broadcast_to(displacement.astype(np.float32), (len(images), *displacement.shape))


def _from_to(f, m):
    """The displacement (H, W, 2) from the pixels of f to those of m, float32."""
    return (m.from_mm(f.to_mm(f.pixels())) - f.pixels()).astype(np.float32)


def _common_grid(m, f):
    """The frame that covers both; its pixels lie on those of the fixed image, along the axis where they are as fine."""
    sizes = [np.multiply(frame.shape, frame.spacing) for frame in (m, f)]
    spacing = max(*np.divide(np.max(sizes, axis=0), LONGEST), min(f.spacing))
    own = np.ceil(sizes[1] / spacing - NEARLY)
    margin = np.ceil(np.maximum(0, sizes[0] / spacing - own) / 2 - NEARLY)  # on both sides
    return _Frame(tuple(int(side) for side in own + 2 * margin), (spacing, spacing))


def _sample(images, frame, grid):
    """Images on a grid: (N, H, W, C), and where that is between pixels that they have, (H, W, 1)."""
    block = np.maximum(1, np.floor(np.divide(grid.spacing, frame.spacing) + NEARLY).astype(int))
    at = (frame.from_mm(grid.to_mm(grid.pixels())) - (block - 1) / 2) / block
    images = _block_means(images, *block)
    inside = ((at >= -NEARLY) & (at <= np.array(images.shape[1:3]) - 1 + NEARLY)).all(axis=-1, keepdims=True)
    return warp_images(images, _for_all(at - grid.pixels(), images)), inside


def _block_means(images, rows, columns):
    """(N, H, W, C) -> (N, H / rows, W / columns, C), rounded up: what lacks at the end is taken from the border."""
    n, height, width, channels = images.shape
    padded = np.pad(images, [(0, 0), (0, -height % rows), (0, -width % columns), (0, 0)], "edge")
    height, width = (side // size for side, size in zip(padded.shape[1:3], (rows, columns), strict=True))
    return padded.reshape(n, height, rows, width, columns, channels).mean(axis=(2, 4))

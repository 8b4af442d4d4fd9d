"""Thin-plate splines through landmarks, whatever the images show."""

import numpy as np

from minireg.errors import InputError
from minireg.fields import thin_plate_spline


def spline(moving, fixed, landmarks, smoothing=0.0, progress=False):
    """The displacement that meets the same landmarks in all pairs and bends as little as possible in between.

    Parameters
    ----------
    moving, fixed : NumPy arrays (N, H, W, 1), of which only the shape counts
    landmarks : array (K, 4) in pixels: moving row and column, fixed row and column
    smoothing : float, as for `fields.thin_plate_spline`, which is the source and raises the errors
    progress : without effect: there is nothing to wait for

    Returns a NumPy array (N, H, W, 2), in pixels

    >>> images = np.zeros((1, 8, 8, 1), "float32")
    >>> two_pixels_down = np.array([[2, 0, 0, 0], [2, 7, 0, 7], [9, 0, 7, 0]], "float32")
    >>> spline(images, images, two_pixels_down)[0, 4, 4].round(6).tolist()
    [2.0, 0.0]
    """
    points = np.asarray(landmarks, np.float32)[None]
    if points.ndim != 3 or points.shape[2] != 4:
        raise InputError(f"expected landmarks (K, 4), moving and fixed row and column, got shape {points.shape[1:]}")
    field = thin_plate_spline(points[..., 2:], points[..., :2], *moving.shape[1:3], smoothing)
    return np.repeat(field, len(moving), axis=0)

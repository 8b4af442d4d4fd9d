"""Exercises of lesson 2, between the pixels. Check your answers with `python -m lessons.check 02`."""

import numpy as np  # noqa: F401 (you will need it)


def interpolate(line, x):
    """Linear interpolation of a row of pixels at one place between them.

    Parameters
    ----------
    line : (W,) array, the intensities of the pixels 0 to W - 1
    x : float, where to look, in pixels, 0 <= x <= W - 1

    Returns
    -------
    float

    Example: between a pixel with 10 and its right neighbour with 20, a quarter of the way,

        interpolate(np.array([10.0, 20.0]), 0.25)       # 12.5
    """
    raise NotImplementedError

"""A picture of how far apart two registrations of the same images are."""

import numpy as np

from minireg.viz.common import save
from minireg.viz.fields import draw_length

WIDTH = 5.0  # inches


def difference_picture(first, second, path):
    """Draw the distance, in pixels, between where two displacements (H, W, 2) look. Raises OSError as `atomic_write`.

    >>> nothing, right = np.zeros((8, 8, 2)), np.full((8, 8, 2), (0, 2.0))
    >>> difference_picture(nothing, right, "difference.png")
    """
    from matplotlib.figure import Figure

    height, width = first.shape[:2]
    figure = Figure((WIDTH, WIDTH * min(2.0, height / width) + 1), layout="constrained")
    axes = figure.add_subplot(title="how far apart both fields are (pixels)", xticks=[], yticks=[])
    draw_length(axes, np.linalg.norm(first - second, axis=-1))
    save(figure, path)

"""The pictures of the lessons, so that a figure takes three lines of a lesson and not thirty.

    figure = images_in_a_row({"moving": moving, "fixed": fixed})
    figure = differences({"before": moving - fixed, "after": warped - fixed})
    figure = fields_over({"u": (moving, u)})             # where every pixel looks, over the image that it looks into
    figure = curves({"MSE": losses}, "step", "loss")

Each returns a Matplotlib figure, whose `axes` a lesson may still write on. Images are (H, W), fields (H, W, 2) in
pixels as (row, column).
"""

import matplotlib.pyplot as plt
import numpy as np

from minireg import viz

WIDTH = 2.6  # inches of a panel


def panels(count, aspect=1.0, rows=1, width=WIDTH):
    """A figure with `count` panels in rows, each `aspect` times as high as wide, and its axes in one list."""
    columns = -(-count // rows)
    size = (width * columns, (width * aspect + 0.5) * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for panel in axes.flat[count:]:
        panel.set_axis_off()
    return figure, list(axes.flat[:count])


def show(axes, image, title="", **options):
    """One image (H, W) on axes, grey from 0 to 1 unless the options say otherwise."""
    drawn = axes.imshow(image, **{"cmap": "gray", "vmin": 0, "vmax": 1} | options)
    axes.set_title(title, fontsize=10)
    axes.set(xticks=[], yticks=[])
    return drawn


def images_in_a_row(images, rows=1, **options):
    """A dict of title to image (H, W), side by side."""
    aspect = max(np.shape(image)[0] / np.shape(image)[1] for image in images.values())
    figure, axes = panels(len(images), aspect, rows)
    for panel, (title, image) in zip(axes, images.items(), strict=True):
        show(panel, image, title, **options)
    return figure


def differences(images, rows=1):
    """A dict of title to difference (H, W), side by side on one scale: red is too bright, blue too dark."""
    limit = max(float(np.abs(image).max()) for image in images.values()) or 1
    return images_in_a_row(images, rows, cmap="RdBu_r", vmin=-limit, vmax=limit)


def fields_over(pairs, spacing=2, arrows=False):
    """A dict of title to (image (H, W), field (H, W, 2)): the sampling grid, or arrows, over the dimmed image."""
    figure, axes = panels(len(pairs))
    for panel, (title, (image, field)) in zip(axes, pairs.items(), strict=True):
        show(panel, image, title, vmax=2)
        (viz.draw_arrows if arrows else viz.draw_warped_grid)(panel, field, spacing)
    return figure


def curves(lines, xlabel, ylabel, logarithmic="", x=None):
    """A dict of name to numbers, over their index or over x, in one panel; `logarithmic` is "x", "y" or "xy"."""
    figure, (axes,) = panels(1, aspect=0.6, width=5.5)
    for name, values in lines.items():
        axes.plot(np.arange(len(values)) if x is None else x, values, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if "x" in logarithmic:
        axes.set_xscale("log")
    if "y" in logarithmic:
        axes.set_yscale("log")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure

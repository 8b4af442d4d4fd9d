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
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from minireg import viz

WIDTH = 2.6  # inches of a panel


def panels(count, aspect=1.0, rows=1, width=WIDTH, above=0.5):
    """A figure with `count` panels in rows, each `aspect` times as high as wide, and its axes in one list.

    `above` is the room for titles and labels, in inches for each row.
    """
    columns = -(-count // rows)
    size = (width * columns, (width * aspect + above) * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for panel in axes.flat[count:]:
        panel.set_axis_off()
    return figure, list(axes.flat[:count])


def room_for(titles):
    """Inches above a row of images with these titles, so that no white strip is left below."""
    return 0.1 + 0.17 * max(title.count("\n") + 1 if title else 0 for title in titles)


def show(axes, image, title="", **options):
    """One image (H, W) on axes, grey from 0 to 1 unless the options say otherwise."""
    drawn = axes.imshow(image, **{"cmap": "gray", "vmin": 0, "vmax": 1} | options)
    axes.set_title(title, fontsize=10)
    axes.set(xticks=[], yticks=[])
    return drawn


def images_in_a_row(images, rows=1, **options):
    """A dict of title to image (H, W), side by side."""
    aspect = max(np.shape(image)[0] / np.shape(image)[1] for image in images.values())
    figure, axes = panels(len(images), aspect, rows, above=room_for(images))
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


def landscapes(maps, low, high, ticks=None, **options):
    """A dict of title to heights (n, n) over u_row and u_column, both from low to high: the darker, the lower."""
    figure, axes = panels(len(maps), width=2.9)
    for panel, (title, heights) in zip(axes, maps.items(), strict=True):
        half = 0.5 * (high - low) / (len(heights) - 1)
        ends = low - half, high + half
        panel.imshow(heights, extent=(*ends, *ends[::-1]), **{"cmap": "viridis"} | options)
        panel.set_title(title, fontsize=10)
        panel.set(xlim=ends, ylim=ends[::-1], xlabel="$u_{column}$ (pixels)", ylabel="$u_{row}$ (pixels)")
        if ticks is not None:
            panel.set(xticks=ticks, yticks=ticks)
    return figure


def mark(axes, place, marker="o", colour="white", **options):
    """A hollow circle, or another marker, at a displacement (u_row, u_column) of a landscape."""
    looks = {"markersize": 10, "markeredgewidth": 1.8, "markerfacecolor": "none", "linestyle": "none", "zorder": 9}
    axes.plot(place[1], place[0], marker, **looks | {"markeredgecolor": colour} | options)


def clouds(pairs, lines):
    """A dict of title to (a, b): every pixel a point, its intensity in a to the right, that in b upwards.

    `lines` are (alpha, beta) for each: the line alpha a + beta, in red.
    """
    figure, axes = panels(len(pairs), width=2.4)
    for panel, (title, (a, b)), (alpha, beta) in zip(axes, pairs.items(), lines, strict=True):
        panel.plot([0, 1], [beta, alpha + beta], color="tab:red", linewidth=1)
        panel.scatter(a, b, s=8, alpha=0.4, edgecolors="none", zorder=3)
        panel.set_title(title, fontsize=10)
        panel.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xticks=[0, 1], yticks=[0, 1], aspect="equal")
    return figure


def graph(axes, values, arrows):
    """A computation as a graph: what travels forwards is black, what travels back is red.

    values: name -> (across, up, black text, red text below it); arrows: (name, name, bend, red text, black text).
    """
    boxes = {}
    for name, (across, up, black, red) in values.items():
        box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": "0.2"}
        text = axes.text(across, up, black, ha="center", va="center", fontsize=11, bbox=box, zorder=3)
        axes.text(across, up - 0.55, red, ha="center", va="center", fontsize=11, color="tab:red", zorder=4)
        boxes[name] = text.get_bbox_patch()
    for start, end, bend, red, black in arrows:
        (x0, y0, *_), (x1, y1, *_) = values[start], values[end]
        style = {"arrowstyle": "-|>", "color": "0.55", "patchA": boxes[start], "patchB": boxes[end]}
        style |= {"connectionstyle": f"arc3,rad={bend}", "shrinkA": 1, "shrinkB": 1}
        axes.annotate("", (x1, y1), (x0, y0), arrowprops=style)
        middle = (x0 + x1) / 2 + bend / 2 * (y1 - y0), (y0 + y1) / 2 - bend / 2 * (x1 - x0)
        label = {"ha": "center", "va": "center", "fontsize": 11, "zorder": 4}
        label["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        if red or black:
            axes.text(*middle, red or black, color="tab:red" if red else "0.2", **label)
    places = np.array([value[:2] for value in values.values()])
    (left, low), (right, high) = places.min(0), places.max(0)
    axes.set(xlim=(left - 1.1, right + 1.1), ylim=(low - 0.8, high + 0.5), aspect="equal")
    axes.set_axis_off()


def overlays(pairs, width=2):
    """A dict of title to (first, second), (H, W): the first in magenta, the second in green, white where both are."""
    figure, axes = panels(len(pairs), width=width, above=room_for(pairs))
    for panel, (title, (first, second)) in zip(axes, pairs.items(), strict=True):
        viz.draw_overlay(panel, np.float32(first)[..., None], np.float32(second)[..., None])
        panel.set_title(title, fontsize=10)
        panel.set(xticks=[], yticks=[])
    return figure


def tint(axes, mask, colour):
    """Lay a colour over the pixels of an image where the mask (H, W) is true."""
    axes.imshow(np.where(mask, 1.0, np.nan), cmap=ListedColormap([colour]), alpha=0.8)


def arrows(axes, u, title="", down=4, across=6):
    """The field (H, W, 2) as arrows true to scale, from pixels p to p + u(p): where each of them looks."""
    rows, columns = (index[1::down, 2::across] for index in np.indices(u.shape[:2]))
    shown = u[1::down, 2::across]
    looks = {"angles": "xy", "scale_units": "xy", "scale": 1, "color": "tab:blue", "width": 0.006}
    axes.quiver(columns, rows, shown[..., 1], shown[..., 0], **looks)
    axes.set(xlim=(-0.5, u.shape[1] - 0.5), ylim=(u.shape[0] - 0.5, -0.5), aspect="equal", xticks=[], yticks=[])
    axes.set_title(title, fontsize=10)


def ways_to_see(examples, image, pull):
    """A dict of title to field (H, W, 2): each as arrows, as a grid over the image, and the image pulled by it."""
    figure, axes = panels(3 * len(examples), aspect=0.84, rows=3)
    for k, (title, u) in enumerate(examples.items()):
        drawn_as_arrows, drawn_as_grid, result = axes[k :: len(examples)]
        arrows(drawn_as_arrows, u, title)
        show(drawn_as_grid, image)
        r, c = (u + np.moveaxis(np.indices(image.shape), 0, -1)).transpose(2, 0, 1)
        drawn_as_grid.plot(c[::3].T, r[::3].T, color="tab:orange", linewidth=0.8)
        drawn_as_grid.plot(c[:, ::3], r[:, ::3], color="tab:orange", linewidth=0.8)
        drawn_as_grid.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
        show(result, pull(image, u))
    names = "arrows: where\neach pixel looks", "grid: the same\nplaces, joined", "warped"
    for panel, name in zip(axes[:: len(examples)], names, strict=True):
        panel.set_ylabel(name)
    return figure


def areas(axes, s, t, pixels):
    """The square between four pixels (2, 2), cut at (s, t): each area has the colour of the pixel across from it."""
    colours = ["tab:blue", "tab:orange", "tab:green", "tab:red"]
    corners = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for colour, (down, right) in zip(colours, corners, strict=True):
        across_row, across_column = 1 - down, 1 - right  # the corner across from this pixel
        height, width = abs(across_row - s), abs(across_column - t)
        place = min(across_column, t), min(across_row, s)
        axes.add_patch(Rectangle(place, width, height, color=colour, alpha=0.35, linewidth=0))
        axes.text(place[0] + width / 2, place[1] + height / 2, f"{width * height:g}", ha="center", va="center")
        axes.plot(right, down, "o", color=colour, markersize=22, clip_on=False)
        axes.text(right, down, f"{pixels[down, right]:g}", color="white", ha="center", va="center", fontsize=9)
    axes.plot(t, s, "o", color="black", markersize=7)
    axes.set(xlim=(-0.2, 1.2), ylim=(1.2, -0.2), aspect="equal")
    axes.set_title("each pixel's weight: the area\nof its colour, across from it", fontsize=10)
    axes.set_axis_off()


def frame(figure, colour):
    """A coloured frame around each image, so that one sees where a black border ends."""
    for panel in figure.axes:
        panel.spines[:].set(color=colour, linewidth=2)

"""Draw docs/images/bilinear_weights.png: the four weights as areas, and the interpolant over one cell.

python docs/figures/bilinear_weights.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from minireg import ops
from minireg.viz import common

PICTURE = Path(__file__).resolve().parent.parent / "images" / "bilinear_weights.png"
COLOURS = {(0, 0): "#1f5fa8", (0, 1): "#c2410c", (1, 0): "#2a7f4f", (1, 1): "#8a6d00"}
WEIGHTS = {(0, 0): "(1 - s)(1 - t)", (0, 1): "(1 - s) t", (1, 0): "s (1 - t)", (1, 1): "s t"}
VALUES = np.array([[0.9, 0.2], [0.1, 1.0]])  # of the cell at the right: opposite corners are alike
S, T = 0.35, 0.6


def main():
    """Both panels."""
    figure = plt.figure(figsize=(9, 4.1), dpi=200)
    draw_weights(figure.add_axes((0.02, 0.0, 0.44, 0.9)))
    draw_surface(figure.add_axes((0.51, 0.06, 0.42, 0.84), projection="3d"))
    figure.text(0.25, 0.93, "The weight of a pixel is the area opposite to it", ha="center", fontsize=10)
    figure.text(0.74, 0.93, "Straight along the axes, curved along a diagonal", ha="center", fontsize=10)
    common.save(figure, PICTURE)
    plt.close(figure)
    print(PICTURE)


def draw_weights(axes):
    """One cell: rows go down, columns to the right; a pixel's colour is that of the rectangle opposite."""
    axes.set(xlim=(-0.36, 1.36), ylim=(1.28, -0.28), aspect="equal")
    axes.set_axis_off()
    for (i, j), colour in COLOURS.items():
        left, top = (T, S)
        width, height = (1 - T if j == 0 else -T), (1 - S if i == 0 else -S)  # away from the pixel
        axes.add_patch(plt.Rectangle((left, top), width, height, color=colour, alpha=0.25, linewidth=0))
        axes.text(left + width / 2, top + height / 2, WEIGHTS[i, j], ha="center", va="center", color=colour, fontsize=9)
        axes.plot(j, i, "o", color=colour, markersize=11)
        name = f"V[i{'+1' if i else ''}, j{'+1' if j else ''}]"
        axes.text(j, i + (0.1 if i else -0.1), name, ha="center", va="center", color=colour, fontsize=9)
    axes.plot([T, T], [0, 1], [0, 1], [S, S], color="black", linewidth=0.8)
    axes.plot(T, S, "o", color="black", markersize=6)
    axes.text(T + 0.03, S - 0.05, "(r, c)", fontsize=10, va="center")
    for start, end, text, place in (
        ((-0.14, 0), (-0.14, S), "s", (-0.2, S / 2)),
        ((-0.14, S), (-0.14, 1), "1 - s", (-0.25, (1 + S) / 2)),
        ((0, 1.16), (T, 1.16), "t", (T / 2, 1.22)),
        ((T, 1.16), (1, 1.16), "1 - t", ((1 + T) / 2, 1.22)),
    ):
        axes.annotate("", end, start, arrowprops={"arrowstyle": "<->", "color": "#555555", "shrinkA": 0, "shrinkB": 0})
        axes.text(*place, text, ha="center", va="center", fontsize=9)


def draw_surface(axes):
    """y over the cell, by `ops.warp`; straight along rows and columns, curved along the diagonals."""
    points = np.linspace(0, 1, 13)
    r, c = np.meshgrid(points, points, indexing="ij")
    u = np.stack([r - np.arange(13)[:, None], c - np.arange(13)], axis=-1)[None]
    y = ops.warp(VALUES[None, :, :, None], u).data[0, :, :, 0]
    axes.plot_wireframe(c, r, y, color="#9db7d5", linewidth=0.7)
    for points_of_line in ((c[4], r[4], y[4]), (c[:, 8], r[:, 8], y[:, 8])):
        axes.plot(*points_of_line, color="#1f5fa8", linewidth=1.8)
    diagonal = np.arange(13)
    axes.plot(c[diagonal, diagonal], r[diagonal, diagonal], y[diagonal, diagonal], color="#c2410c", linewidth=1.8)
    for (i, j), colour in COLOURS.items():
        axes.scatter([j], [i], [VALUES[i, j]], color=colour, s=40, depthshade=False)
    axes.set(xlabel="column", ylabel="row", zlabel="y", xticks=(0, 1), yticks=(0, 1), zticks=(0, 0.5, 1), zlim=(0, 1))
    axes.set_xticklabels(("j", "j+1"))
    axes.set_yticklabels(("i", "i+1"))
    axes.tick_params(pad=-1)
    axes.xaxis.labelpad = axes.yaxis.labelpad = axes.zaxis.labelpad = -3
    axes.view_init(elev=28, azim=-62)


if __name__ == "__main__":
    main()

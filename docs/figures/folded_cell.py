"""Draw docs/images/folded_cell.png: one cell, its image under phi and |J| in it, from whole to folded.

python docs/figures/folded_cell.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from minireg import fields
from minireg.viz import common

PICTURE = Path(__file__).resolve().parent.parent / "images" / "folded_cell.png"
# The last corner of the cell moves up and to the left; the others stay.
MOVES = (0.2, 0.5, 0.75)
LINES = np.linspace(0, 1, 11)


def main():
    """Above the image of the cell, below |J| over the cell."""
    figure, panels = plt.subplots(2, 3, figsize=(9, 5.3), dpi=200)
    figure.subplots_adjust(left=0.04, right=0.9, top=0.95, bottom=0.07, hspace=0.2, wspace=0.12)
    for (above, below), move in zip(panels.T, MOVES, strict=True):
        u = np.zeros((1, 2, 2, 2))
        u[0, 1, 1] = -move
        corners = np.array([corner.item() for corner in fields.corner_determinants(u)]).reshape(2, 2)
        draw_image(above, u)
        above.set_title(f"last corner moved by {move:g} up and left", fontsize=9)
        picture = draw_determinant(below, corners)
    figure.colorbar(picture, cax=figure.add_axes((0.925, 0.07, 0.015, 0.4)), ticks=(-1, -0.5, 0, 0.5, 1))
    common.save(figure, PICTURE)
    plt.close(figure)
    print(PICTURE)


def draw_image(axes, u):
    """The lines of constant s and t of the cell, where phi sends them."""
    r, c = np.meshgrid(LINES, LINES, indexing="ij")
    points = np.stack([r, c], axis=-1).reshape(1, -1, 2)
    moved = fields.warp_points(points, u).data.reshape(11, 11, 2)
    for line in (*moved, *moved.transpose(1, 0, 2)):
        axes.plot(line[:, 1], line[:, 0], color="#1f5fa8", linewidth=0.8)
    for corner, name, place in (
        ((0, 0), "φ00", (-0.14, 0)),
        ((0, -1), "φ01", (1.13, 0)),
        ((-1, 0), "φ10", (-0.14, 1)),
        ((-1, -1), "φ11", (0.98, 0.92)),
    ):
        row, column = moved[corner]
        colour = "#c2410c" if name == "φ11" else "#1f5fa8"
        if name == "φ11":
            axes.plot((column, place[0] - 0.05), (row, place[1] - 0.03), color=colour, linewidth=0.8, linestyle=":")
        axes.plot(column, row, "o", color=colour, markersize=6)
        axes.text(*place, name, color=colour, ha="center", va="center", fontsize=10)
    axes.set(xlim=(-0.25, 1.25), ylim=(1.08, -0.12), aspect="equal")
    axes.set_axis_off()


def draw_determinant(axes, corners):
    """|J| is affine in s and t: the line where it is 0 is straight."""
    s, t = np.meshgrid(np.linspace(0, 1, 101), np.linspace(0, 1, 101), indexing="ij")
    determinant = (1 - s) * ((1 - t) * corners[0, 0] + t * corners[0, 1])
    determinant += s * ((1 - t) * corners[1, 0] + t * corners[1, 1])
    picture = axes.imshow(determinant, extent=(0, 1, 1, 0), cmap="RdBu", vmin=-1, vmax=1)
    if determinant.min() < 0:
        axes.contour(t, s, determinant, levels=[0], colors="black", linewidths=1.5)
    for (i, j), value in np.ndenumerate(corners):
        axes.text(
            0.05 + 0.9 * j,
            0.07 + 0.86 * i,
            f"{value + 0.0:.2g}",
            ha="right" if j else "left",
            va="center",
            color="white" if value > 0.4 else "black",
        )
    axes.set(xticks=(0, 1), yticks=(0, 1), xlabel="t", ylabel="s")
    axes.xaxis.labelpad = axes.yaxis.labelpad = -6
    axes.set_title("|J| over the cell", fontsize=9)
    return picture


if __name__ == "__main__":
    main()

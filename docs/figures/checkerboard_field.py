"""Draw docs/images/checkerboard_field.png: what central differences do not see.

python docs/figures/checkerboard_field.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection

from minireg import fields
from minireg.viz import common

PICTURE = Path(__file__).resolve().parent.parent / "images" / "checkerboard_field.png"
EPSILON, SIZE = 0.4, 5
BLUE, ORANGE = "#1f5fa8", "#c2410c"


def main():
    """Responses, the grid, and |J|."""
    figure = plt.figure(figsize=(9, 3.2), dpi=200)
    draw_responses(figure.add_axes((0.068, 0.15, 0.322, 0.74)))
    draw_grid_and_determinant(figure.add_axes((0.41, 0.05, 0.28, 0.84)), figure.add_axes((0.71, 0.1, 0.26, 0.75)))
    common.save(figure, PICTURE)
    plt.close(figure)
    print(PICTURE)


def draw_responses(axes):
    """How strongly both differences respond to a wave: its difference over its amplitude."""
    kappa = np.linspace(0, np.pi, 200)
    axes.plot(kappa, kappa, color="#999999", linestyle="--", label="the derivative")
    axes.plot(kappa, 2 * np.sin(kappa / 2), color=BLUE, label="forward differences")
    axes.plot(kappa, np.sin(kappa), color=ORANGE, label="central differences")
    axes.annotate("checkerboard: 2", (np.pi, 2), (1.75, 1.2), fontsize=9, color=BLUE, arrowprops={"arrowstyle": "->"})
    axes.annotate("checkerboard: 0", (np.pi, 0), (1.65, 0.2), fontsize=9, color=ORANGE, arrowprops={"arrowstyle": "->"})
    axes.set(
        xlabel="frequency κ of the wave", ylabel="size of the difference", xlim=(0, np.pi + 0.06), ylim=(-0.07, 3.3)
    )
    axes.set_xticks((0, np.pi / 2, np.pi), ("0", "π/2", "π"))
    axes.legend(frameon=False, fontsize=9, loc="upper left")


def draw_grid_and_determinant(grid, determinant):
    """Where the checkerboard sends the pixels, and |J| in the cells between them, at the places they came from."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    u = np.repeat((EPSILON * (-1.0) ** (rows + columns))[None, :, :, None], 2, axis=-1)
    phi = np.stack([rows, columns], axis=-1) + u[0]
    grid.add_collection(
        LineCollection([*phi[..., ::-1], *phi.transpose(1, 0, 2)[..., ::-1]], colors="#333333", linewidths=1)
    )
    grid.plot(columns, rows, "+", color="#999999", markersize=7)
    grid.plot(phi[..., 1], phi[..., 0], "o", color=BLUE, markersize=4)
    grid.set(xlim=(-0.75, SIZE - 0.25), ylim=(SIZE - 0.25, -0.75), aspect="equal")
    grid.set_axis_off()
    grid.set_title(f"p + u(p), checkerboard of {EPSILON} pixels", fontsize=9)

    corners = np.array([corner[0] for corner in fields.corner_determinants(u)])[..., None, None]
    t, s = np.meshgrid((np.arange(60) + 0.5) / 60, (np.arange(60) + 0.5) / 60)
    in_cells = (1 - s) * ((1 - t) * corners[0] + t * corners[1]) + s * ((1 - t) * corners[2] + t * corners[3])
    picture = in_cells.transpose(0, 2, 1, 3).reshape(60 * (SIZE - 1), -1)
    determinant.imshow(picture, cmap="RdBu", vmin=-1.2, vmax=1.2, extent=(0, SIZE - 1, SIZE - 1, 0))
    lines = np.arange(SIZE)
    determinant.contour(picture, levels=[0], colors="black", linewidths=0.8, extent=(0, SIZE - 1, 0, SIZE - 1))
    determinant.hlines(lines, 0, SIZE - 1, color="white", linewidth=0.8)
    determinant.vlines(lines, 0, SIZE - 1, color="white", linewidth=0.8)
    determinant.plot(columns, rows, "o", color=BLUE, markersize=4, clip_on=False)
    determinant.set_axis_off()
    determinant.set_title("|J| in the cells; red: below 0", fontsize=9)


if __name__ == "__main__":
    main()

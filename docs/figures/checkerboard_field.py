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
    """Responses at the left, the grid at the right."""
    figure = plt.figure(figsize=(9, 4.1), dpi=200)
    draw_responses(figure.add_axes((0.08, 0.15, 0.44, 0.75)))
    draw_grid(figure.add_axes((0.58, 0.04, 0.41, 0.88)))
    common.save(figure, PICTURE)
    plt.close(figure)
    print(PICTURE)


def draw_responses(axes):
    """How strongly both differences respond to a wave: its difference over its amplitude."""
    kappa = np.linspace(0, np.pi, 200)
    axes.plot(kappa, kappa, color="#999999", linestyle="--", label="the derivative")
    axes.plot(kappa, 2 * np.sin(kappa / 2), color=BLUE, label="forward differences")
    axes.plot(kappa, np.sin(kappa), color=ORANGE, label="central differences")
    axes.annotate("checkerboard: 2", (np.pi, 2), (1.72, 2.35), fontsize=9, color=BLUE, arrowprops={"arrowstyle": "->"})
    axes.annotate("checkerboard: 0", (np.pi, 0), (1.65, 0.2), fontsize=9, color=ORANGE, arrowprops={"arrowstyle": "->"})
    axes.set(
        xlabel="frequency κ of the wave", ylabel="size of the difference", xlim=(0, np.pi + 0.06), ylim=(-0.07, 3.3)
    )
    axes.set_xticks((0, np.pi / 2, np.pi), ("0", "π/2", "π"))
    axes.legend(frameon=False, fontsize=9, loc="upper left")


def draw_grid(axes):
    """The cells p + u(p), each as its bilinear image; red where the determinant is negative."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    u = np.repeat((EPSILON * (-1.0) ** (rows + columns))[None, :, :, None], 2, axis=-1)
    steps = np.linspace(0, 1, 41)
    for i in range(SIZE - 1):
        for j in range(SIZE - 1):
            corners = np.array([corner[0, i, j] for corner in fields.corner_determinants(u)]).reshape(2, 2)
            s, t = np.meshgrid((steps[1:] + steps[:-1]) / 2, (steps[1:] + steps[:-1]) / 2, indexing="ij")
            determinant = (1 - s) * ((1 - t) * corners[0, 0] + t * corners[0, 1])
            determinant += s * ((1 - t) * corners[1, 0] + t * corners[1, 1])
            r, c = np.meshgrid(i + steps, j + steps, indexing="ij")
            points = np.stack([r, c], axis=-1).reshape(1, -1, 2)
            moved = fields.warp_points(points, u).data.reshape(41, 41, 2)
            quads = [
                [moved[k, m, ::-1], moved[k, m + 1, ::-1], moved[k + 1, m + 1, ::-1], moved[k + 1, m, ::-1]]
                for k, m in np.argwhere(determinant < 0)
            ]
            for quad in quads:
                axes.add_patch(plt.Polygon(quad, color="#f6b28f", linewidth=0))
    phi = np.stack([rows, columns], axis=-1) + u[0]
    lines = [*phi[..., ::-1], *phi.transpose(1, 0, 2)[..., ::-1]]
    axes.add_collection(LineCollection(lines, colors="#333333", linewidths=1.1))
    axes.plot(phi[..., 1], phi[..., 0], "o", color=BLUE, markersize=4)
    axes.plot(columns, rows, "+", color="#999999", markersize=7)
    axes.set(xlim=(-0.75, SIZE - 0.25), ylim=(SIZE - 0.25, -0.75), aspect="equal")
    axes.set_axis_off()
    axes.set_title("p + u(p) for a checkerboard of 0.4 pixels; orange: |J| < 0", fontsize=10)


if __name__ == "__main__":
    main()

"""Draw docs/images/ncc_geometry.png: the gradient of NCC among vectors, and as a picture.

python docs/figures/ncc_geometry.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from minireg import Tensor, ops
from minireg.data.strokes import draw_digits
from minireg.viz import common

PICTURE = Path(__file__).resolve().parent.parent / "images" / "ncc_geometry.png"
ANGLE = np.deg2rad(50)
BLUE, ORANGE, GREEN = "#1f5fa8", "#c2410c", "#2a7f4f"


def main():
    """One panel of geometry, three images."""
    figure = plt.figure(figsize=(9, 2.9), dpi=200)
    draw_vectors(figure.add_axes((0.0, 0.0, 0.37, 1.0)))
    moving, fixed = draw_digits([5, 5], np.random.default_rng(6)).astype(np.float64)
    a = Tensor(moving[None], requires_grad=True)
    y = ops.ncc(a, fixed[None])
    y.sum().backward()
    size = np.abs(a.grad).max()
    for k, (title, image, colours) in enumerate(
        (
            ("a", moving, {"cmap": "gray", "vmin": 0, "vmax": 1}),
            ("b", fixed, {"cmap": "gray", "vmin": 0, "vmax": 1}),
            ("the gradient of y, for a", a.grad[0], {"cmap": "RdBu_r", "vmin": -size, "vmax": size}),
        )
    ):
        axes = figure.add_axes((0.385 + 0.205 * k, 0.16, 0.195, 0.66))
        axes.imshow(image[..., 0], **colours)
        axes.set(xticks=(), yticks=())
        axes.set_title(title, fontsize=9)
        if k == 2:
            axes.set_xlabel("red: should be brighter\nblue: should be darker", fontsize=8)
    figure.text(0.588, 0.07, f"y = {y.item():.2f}", fontsize=9, ha="center")
    common.save(figure, PICTURE)
    plt.close(figure)
    print(PICTURE)


def draw_vectors(axes):
    """The plane of a' and b', with the vectors of length 1."""
    axes.set(xlim=(-0.12, 1.32), ylim=(-0.17, 1.1), aspect="equal")
    axes.set_axis_off()
    arc = np.linspace(-0.1, np.pi / 2, 100)
    axes.plot(np.cos(arc), np.sin(arc), color="#cccccc", linewidth=1)
    b_row, b_column = np.sin(ANGLE), np.cos(ANGLE)

    def arrow(start, end, colour, width=1.8):
        axes.annotate(
            "", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": width, "shrinkA": 0, "shrinkB": 0}
        )

    arrow((0, 0), (1, 0), BLUE)
    arrow((0, 0), (b_column, b_row), GREEN)
    arrow((b_column, 0), (b_column, b_row), ORANGE)
    axes.plot([0, b_column], [0, 0], color=BLUE, linewidth=4, alpha=0.35, solid_capstyle="butt")
    corner = 0.06
    axes.plot([b_column + corner, b_column + corner, b_column], [0, corner, corner], color="#555555", linewidth=0.8)
    turn = np.linspace(0, ANGLE, 30)
    axes.plot(0.22 * np.cos(turn), 0.22 * np.sin(turn), color="#555555", linewidth=0.8)
    axes.text(0.3 * np.cos(ANGLE / 2), 0.3 * np.sin(ANGLE / 2), "cos = y", fontsize=9, va="center")
    axes.text(1.03, 0.03, r"$\hat{a}$", color=BLUE, fontsize=13)
    axes.text(b_column - 0.02, b_row + 0.07, r"$\hat{b}$", color=GREEN, fontsize=13, ha="center")
    axes.text(b_column / 2, -0.1, r"$y \hat{a}$", color=BLUE, fontsize=11, ha="center")
    axes.text(
        b_column + 0.03,
        0.42,
        r"$\hat{b} - y \hat{a}$, the direction" + "\nof the gradient",
        color=ORANGE,
        fontsize=9.5,
        bbox={"fc": "white", "ec": "none", "pad": 1},
    )


if __name__ == "__main__":
    main()

"""Draw docs/images/first_step.png: the kink of the loss at u = 0, for one pixel and for all of two digits.

python docs/figures/first_step.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from minireg import Tensor, ops
from minireg.data.strokes import draw_digits
from minireg.viz import common

PICTURE = Path(__file__).resolve().parent.parent / "images" / "first_step.png"
BLUE, ORANGE = "#1f5fa8", "#c2410c"


def main():
    """One pixel on the left, the components of two digits on the right."""
    figure, (one, all_of_them) = plt.subplots(1, 2, figsize=(9, 3.6), dpi=200)
    figure.subplots_adjust(left=0.08, right=0.98, top=0.96, bottom=0.15, wspace=0.25)
    draw_one_pixel(one)
    draw_components(all_of_them)
    common.save(figure, PICTURE)
    plt.close(figure)
    print(PICTURE)


def draw_one_pixel(axes):
    """L over the displacement of the middle pixel, and the slope that the project returns at 0."""
    line = np.array([0.0, 1.0, 0.0]).reshape(1, 3, 1, 1)
    places = np.linspace(-0.5, 0.5, 101)
    values = []
    for place in places:
        u = np.zeros((1, 3, 1, 2))
        u[0, 1, 0, 0] = place
        values.append(((ops.warp(line, u, "edge").data - 2 * line) ** 2).mean())
    slope = slopes_of_mse(line, 2 * line)[0, 1, 0, 0]
    axes.plot(places, values, color=BLUE)
    axes.plot(places, 1 / 3 + slope * places, color=ORANGE, linestyle="--", label="the slope that is returned, +2/3")
    axes.plot(0, 1 / 3, "o", color=BLUE)
    low, high = 1 / 3 - 0.3 * slope, np.interp(-0.3, places, values)
    axes.plot([-0.3], [low], "o", color="white", markeredgecolor=ORANGE)
    axes.plot([-0.3], [high], "o", color=ORANGE)
    axes.annotate("", (-0.3, high - 0.01), (-0.3, low + 0.01), arrowprops={"arrowstyle": "->", "color": ORANGE})
    axes.text(-0.32, 0.16, "promised", color=ORANGE, ha="right", fontsize=9)
    axes.text(-0.27, 0.58, "reached", color=ORANGE, fontsize=9)
    axes.set(xlabel="u of the middle pixel", ylabel="L", ylim=(0, 0.85))
    axes.legend(loc="upper center", frameon=False, fontsize=9)


def draw_components(axes):
    """The slopes on both sides of u = 0, one point for each component of the displacement."""
    digits = np.pad(draw_digits([7, 7], np.random.default_rng(0)), ((0, 0), (2, 2), (2, 2), (0, 0))).astype(float)
    moving, fixed = digits[:1], digits[1:]
    right, left = slopes_of_mse(moving, fixed), np.empty((1, 32, 32, 2))
    for axis in (1, 2):
        mirrored = slopes_of_mse(np.flip(moving, axis), np.flip(fixed, axis))
        left[..., axis - 1] = -np.flip(mirrored, axis)[..., axis - 1]
    limit = 1.1 * max(np.abs(left).max(), np.abs(right).max()) * 1000
    axes.axhspan(-limit, 0, 0.5, 1, color="#fde8df")
    axes.axhline(0, color="#bbbbbb", linewidth=0.8)
    axes.axvline(0, color="#bbbbbb", linewidth=0.8)
    axes.axline((0, 0), slope=1, color="#bbbbbb", linewidth=0.8, linestyle="--")
    uphill = (left < 0) & (right > 0)
    for which, colour, size in ((~uphill, BLUE, 3.5), (uphill, ORANGE, 6)):
        axes.plot(1000 * right[which], 1000 * left[which], "o", color=colour, markersize=size, alpha=0.8)
    axes.text(0.97 * limit, -0.95 * limit, "a valley:\na step goes uphill", color=ORANGE, ha="right", fontsize=9)
    axes.set(xlabel="slope of L to the right, in thousandths", xlim=(-limit, limit))
    axes.set(ylabel="and to the left", ylim=(-limit, limit))


def slopes_of_mse(moving, fixed):
    """The derivatives of the mean squared error with respect to u at u = 0, as the project gives them."""
    u = Tensor(np.zeros((*moving.shape[:3], 2)), requires_grad=True)
    difference = ops.warp(moving, u, "edge") - fixed
    (difference * difference).mean().backward()
    return u.grad


if __name__ == "__main__":
    main()

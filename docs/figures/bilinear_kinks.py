"""Draw docs/images/bilinear_kinks.png: a line of pixels, its interpolant, and the derivative that the project returns.

python docs/figures/bilinear_kinks.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from minireg import Tensor, ops
from minireg.viz import common

PICTURE = Path(__file__).resolve().parent.parent / "images" / "bilinear_kinks.png"
V = np.array([0.35, 0.8, 0.6, 0.6, 0.1, 0.9])
BLUE, ORANGE = "#1f5fa8", "#c2410c"


def main():
    """The interpolant above, its derivative below."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 4.6), dpi=200, sharex=True, height_ratios=(1, 1))
    figure.subplots_adjust(left=0.09, right=0.98, top=0.97, bottom=0.11, hspace=0.12)
    r = np.arange(-250, 751) / 100
    y, slope = value_and_slope(r)

    above.axvspan(0, len(V) - 1, color="#f0f0f0")
    above.plot(r, y, color=BLUE)
    above.plot(np.arange(len(V)), V, "o", color=BLUE, markersize=7)
    outside = np.array([-2, -1, len(V), len(V) + 1])
    above.plot(outside, 0 * outside, "o", color="white", markeredgecolor=BLUE, markersize=7)
    above.set(ylabel="y", ylim=(-0.08, 1.1))
    above.text(2.5, 1.0, "the image, V[0] to V[5]", ha="center", color="#555555")
    above.text(-1.55, 0.32, "beyond: V = 0", ha="center", color="#555555")

    below.axvspan(0, len(V) - 1, color="#f0f0f0")
    below.axhline(0, color="#bbbbbb", linewidth=0.8)
    for start in np.arange(-3, 8):
        in_cell = (r >= start) & (r < start + 1)
        if in_cell.any():
            below.plot(
                np.append(r[in_cell], r[in_cell][-1] + 0.01),
                np.append(slope[in_cell], slope[in_cell][-1]),
                color=ORANGE,
            )
    whole = np.arange(-1, len(V) + 1)
    right, left = value_and_slope(whole.astype(float))[1], value_and_slope(whole - 0.5)[1]
    kinks = ~np.isclose(left, right)
    below.plot(whole[kinks], left[kinks], "o", color="white", markeredgecolor=ORANGE, markersize=6)
    below.plot(
        whole[kinks], right[kinks], "o", color=ORANGE, markersize=6, label="what ops.warp returns at a whole number"
    )
    below.set(ylabel="dy / dr", xlabel="r", xlim=(-2.5, 7.5), xticks=range(-2, 8), ylim=(-1.25, 1.45))
    below.legend(loc="upper left", frameon=False, fontsize=9)
    figure.align_ylabels()
    common.save(figure, PICTURE)
    plt.close(figure)
    print(PICTURE)


def value_and_slope(r):
    """y and dy/dr at the places r of the line V, by `ops.warp` and its VJP."""
    u = np.zeros((1, len(r), 1, 2))
    u[0, :, 0, 0] = r - np.arange(len(r))
    displacement = Tensor(u, requires_grad=True)
    y = ops.warp(V[None, :, None, None], displacement)
    y.sum().backward()
    return y.data.ravel(), displacement.grad[0, :, 0, 0]


if __name__ == "__main__":
    main()

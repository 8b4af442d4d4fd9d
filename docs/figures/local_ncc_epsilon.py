"""Draw docs/images/local_ncc_epsilon.png: windows of a digit that hold no structure, and what an epsilon makes of them.

python docs/figures/local_ncc_epsilon.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from minireg import losses
from minireg.data.strokes import draw_digits
from minireg.viz import common

PICTURE = Path(__file__).resolve().parent.parent / "images" / "local_ncc_epsilon.png"
WINDOW = 9


def main():
    """The digit of the page's block, its windows, the two curves."""
    digit = draw_digits([7, 2], np.random.default_rng(0))[:1].astype(np.float64)
    digit = np.pad(digit, ((0, 0), (2, 2), (2, 2), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(digit[0, :, :, 0], (WINDOW, WINDOW))
    variance = windows.var(axis=(2, 3))
    figure = plt.figure(figsize=(9, 3.2), dpi=200)
    image = figure.add_axes((0.01, 0.08, 0.26, 0.8))
    image.imshow(digit[0, :, :, 0], cmap="gray")
    image.set(xticks=(), yticks=())
    image.set_title("an image", fontsize=10)

    counted = variance > losses.similarity.FLAT**2 * digit.var()
    assert (counted == (variance > 0)).all()  # no faint ones: those left out are constant
    map_of_windows = figure.add_axes((0.29, 0.08, 0.26, 0.8))
    picture = np.full((32, 32), np.nan)
    picture[WINDOW // 2 : -(WINDOW // 2), WINDOW // 2 : -(WINDOW // 2)] = counted
    colours = matplotlib.colors.ListedColormap(("#20242c", "#dbe7f5"))
    map_of_windows.imshow(picture, cmap=colours, vmin=0, vmax=1)
    map_of_windows.set(xticks=(), yticks=())
    map_of_windows.set_title("its windows, by their centres", fontsize=10)
    names = ("constant", "counted")
    patches = [plt.Rectangle((0, 0), 1, 1, fc=colours(k), ec="#888888", lw=0.5) for k in range(2)]
    map_of_windows.legend(
        patches,
        names,
        ncol=2,
        fontsize=7.5,
        loc="lower center",
        frameon=False,
        columnspacing=1,
        handlelength=1,
        borderpad=0,
    )

    axes = figure.add_axes((0.635, 0.2, 0.355, 0.68))
    epsilon = np.logspace(-16, 1, 200)
    product = variance.reshape(-1, 1) ** 2
    axes.semilogx(
        epsilon,
        ((product + epsilon) / (product + epsilon)).mean(axis=0),
        color="#c2410c",
        label="(cov² + ε) / (var var + ε)",
    )
    axes.semilogx(epsilon, (product / (product + epsilon)).mean(axis=0), color="#1f5fa8", label="cov² / (var var + ε)")
    axes.axhline((variance > 0).mean(), color="#999999", linestyle="--", linewidth=0.9)
    axes.text(1e1, (variance > 0).mean() + 0.025, "1 - f", ha="right", fontsize=9, color="#555555")
    axes.set(ylim=(-0.03, 1.08), xlabel="ε", ylabel="score")
    axes.set_title("the image with itself", fontsize=10)
    axes.legend(fontsize=8, frameon=False, loc="lower left")
    common.save(figure, PICTURE)
    plt.close(figure)
    print(PICTURE)


if __name__ == "__main__":
    main()

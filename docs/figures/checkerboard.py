"""The figure of docs/internals/convolution.md: how often a transposed convolution reaches each output pixel.

python docs/figures/checkerboard.py          # writes docs/images/checkerboard.png
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from minireg import backend, ops
from minireg.viz import common

SIZE = 8  # pixels shown along each side, away from the border


def transposed(taps):
    """A constant image under a transposed convolution with stride 2 and a kernel of ones."""
    y = ops.conv_transpose2d(*map(backend.to_device, (np.ones((1, 9, 9, 1)), np.ones((taps, taps, 1, 1)))), stride=2)
    return backend.to_host(y.data)[0, 4 : 4 + SIZE, 4 : 4 + SIZE, 0]


def upsampled(taps):
    """The same image, its pixels repeated, under an ordinary convolution with a kernel of ones."""
    image, kernel = map(backend.to_device, (np.ones((1, 9, 9, 1)), np.ones((taps, taps, 1, 1))))
    y = ops.conv2d(ops.upsample_nearest(image, 2), kernel, padding=1)
    return backend.to_host(y.data)[0, 4 : 4 + SIZE, 4 : 4 + SIZE, 0]


def draw():
    """The figure."""
    panels = {
        "transposed, stride 2, 3 x 3:\nuneven": transposed(3),
        "transposed, stride 2, 4 x 4:\neven": transposed(4),
        "transposed, stride 2, 2 x 2:\neven": transposed(2),
        "pixels repeated, then 3 x 3:\neven": upsampled(3),
    }
    figure = Figure(figsize=(9, 2.9), dpi=common.DOTS_PER_INCH)
    for axes, (title, counts) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        axes.imshow(counts, cmap="Blues", vmin=0, vmax=12)
        for (row, column), count in np.ndenumerate(counts):
            axes.text(column, row, f"{count:g}", ha="center", va="center", fontsize=8)
        axes.set_title(title, fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.03, top=0.83, wspace=0.06)
    return figure


if __name__ == "__main__":
    common.save(draw(), Path(__file__).resolve().parents[1] / "images" / "checkerboard.png")

"""Draw docs/images/demo.gif: two digits of one hand each, and the one bent onto the other by the demo's network.

python docs/figures/demo.py
"""

from pathlib import Path

import numpy as np

from minireg import metrics, viz
from minireg.data import draw_digits, pad
from minireg.demo.network import NETWORK
from minireg.fields import warp_images
from minireg.methods import refine
from minireg.training import load_network

PICTURE = Path(__file__).resolve().parent.parent / "images" / "demo.gif"
DIGIT, SEED = 2, 9
FRAMES = 14


def main():
    """Register the digits as the demo does, and draw the way from the one to the other."""
    network, configuration = load_network(NETWORK)
    moving, fixed = pad(draw_digits(np.full(2, DIGIT), np.random.default_rng(SEED)))[:, None]
    displacement = refine(moving, fixed, network, loss=configuration.loss)
    before, after = (metrics.ncc(image, fixed)[0] for image in (moving, warp_images(moving, displacement)))
    viz.animation(moving, fixed, displacement, PICTURE, frames=FRAMES)
    print(f"{PICTURE}: NCC {before:.3f} before, {after:.3f} after")


if __name__ == "__main__":
    main()

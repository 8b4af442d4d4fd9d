"""What every lesson begins with: its knobs, its claims, where its figures go, and which backend computes.

    lesson = Lesson(7)                                   # reads --backend, --figures and --knob from the command line
    seed = lesson.knob("seed", 3, (0, 1, 2), "other handwritings")
    claim(loss < 0.1, "the loss has fallen below .1")    # a tick; or it says that it does not hold, and goes on
    lesson.save(figure, "slopes")                        # writes lessons/figures/07_slopes.png
    lesson.animate(images, "bent")                       # writes lessons/figures/07_bent.gif

In a notebook there is no command line: the backend is that of the variable MINIREG_BACKEND, else NumPy, and the figures
stay open, so that the notebook shows them. There a knob is turned by editing its number; in a terminal also by
`--knob seed=1`.
"""

import argparse
import ast
import base64
import os
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from minireg import backend, command
from minireg.data import load_digits
from minireg.files import atomic_write
from minireg.viz import common

FIGURES = Path("figures")
STRICT_CLAIMS = "MINIREG_STRICT_CLAIMS"  # with this variable set, as in CI, a claim that does not hold ends the lesson


def claim(condition, words):
    """Say that something holds, with a tick. Where it does not, say so and go on: you may have turned a knob."""
    if condition:
        print(f"✓ {words}")
        return
    if os.environ.get(STRICT_CLAIMS):
        raise AssertionError(words)
    print(f"✗ here it does not hold that {words}")


def digits_at_hand():
    """`minireg.data.Digits`: MNIST if it is on this machine, else drawn ones; says which. Nothing is downloaded.

    MNIST is looked for in the folder that MINIREG_DATA names, or where `python -m minireg.train` keeps it.
    """
    digits = load_digits(download=False)
    print(f"digits: {digits.name}, {len(digits.train_labels)} to learn from, {len(digits.test_labels)} to test")
    return digits


class Lesson:
    """One run of the lesson with this number."""

    def __init__(self, number):
        self.number = number
        self.is_notebook = "ipykernel" in sys.modules
        self.figures = Path(__file__).resolve().parent / FIGURES
        self.turned = {}
        if self.is_notebook:
            return
        matplotlib.use("Agg")  # figures go to files; no window is opened
        parser = argparse.ArgumentParser(description=f"Lesson {number} of minireg.")
        command.add_backend_option(parser)
        parser.add_argument("--figures", type=Path, default=self.figures, help="folder for the figures (%(default)s)")
        parser.add_argument("--knob", action="append", default=[], metavar="NAME=VALUE", help="turn one of the knobs")
        args = parser.parse_args()
        self.turned = dict(knob.split("=", 1) for knob in args.knob)
        status = command.run(f"lesson {number:02d}", lambda: backend.use(args.backend))
        if status:
            sys.exit(status)
        self.figures = args.figures

    def knob(self, name, value, others, effect):
        """A number that is safe to change: `value`, unless the command line turns it.

        `others` are values to try, and `effect` says in a few words what to expect of them.
        """
        tried = ", ".join(map(str, others))
        if name in self.turned:
            value = ast.literal_eval(self.turned[name])
        print(f"{name} = {value}   (try {tried}: {effect})")
        return value

    def save(self, figure, name):
        """Write a Matplotlib figure to `NN_name.png` in the folder of the figures, and say so."""
        path = self.figures / f"{self.number:02d}_{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        common.save(figure, path)
        if not self.is_notebook:
            print(f"figure: {path.name}")
            plt.close(figure)

    def animate(self, images, name, enlarged=8, milliseconds=80):
        """Write images (H, W), grey from 0 to 1, as a film `NN_name.gif`, and say so; a notebook plays it."""
        path = self.figures / f"{self.number:02d}_{name}.gif"
        path.parent.mkdir(parents=True, exist_ok=True)
        greys = np.uint8(255 * np.clip(images, 0, 1)).repeat(enlarged, axis=1).repeat(enlarged, axis=2)
        first, *others = map(Image.fromarray, greys)
        durations = [800, *[milliseconds] * (len(greys) - 2), 1600]  # it rests where it begins and where it ends
        with atomic_write(path) as file:
            first.save(file, format="GIF", save_all=True, append_images=others, duration=durations, loop=0)
        if self.is_notebook:
            from IPython.display import HTML, display

            film = base64.b64encode(path.read_bytes()).decode()
            display(HTML(f'<img alt="{name}, a film" src="data:image/gif;base64,{film}">'))
        else:
            print(f"figure: {path.name}")

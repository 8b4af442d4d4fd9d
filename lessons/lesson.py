"""What every lesson begins with: which backend computes, and where its figures go.

    lesson = Lesson(7)                       # reads --backend and --figures from the command line
    lesson.save(figure, "slopes")            # writes lessons/figures/07_slopes.png

In a notebook there is no command line: the backend is that of the variable MINIREG_BACKEND, else NumPy, and the figures
stay open, so that the notebook shows them.
"""

import argparse
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

from minireg import backend, command
from minireg.viz import common

FIGURES = Path("figures")


class Lesson:
    """One run of the lesson with this number."""

    def __init__(self, number):
        self.number = number
        self.is_notebook = "ipykernel" in sys.modules
        self.figures = Path(__file__).resolve().parent / FIGURES
        if self.is_notebook:
            return
        matplotlib.use("Agg")  # figures go to files; no window is opened
        parser = argparse.ArgumentParser(description=f"Lesson {number} of minireg.")
        command.add_backend_option(parser)
        parser.add_argument("--figures", type=Path, default=self.figures, help="folder for the figures (%(default)s)")
        args = parser.parse_args()
        status = command.run(f"lesson {number:02d}", lambda: backend.use(args.backend))
        if status:
            sys.exit(status)
        self.figures = args.figures

    def save(self, figure, name):
        """Write a Matplotlib figure to `NN_name.png` in the folder of the figures, and say so."""
        path = self.figures / f"{self.number:02d}_{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        common.save(figure, path)
        if not self.is_notebook:
            print(f"figure: {path.name}")
            plt.close(figure)

"""How training went."""

import numpy as np

from minireg.errors import InputError
from minireg.viz.common import DOTS_PER_INCH, NOTE_COLOUR, PICTURE_WIDTH, save

CURVE_COLOUR, VALIDATION_COLOUR = "#1f5fa8", "#c2571a"
VALIDATION = "validation_"  # before the name of the curve that it stands beside
PANELS_IN_ROW, ROW_HEIGHT = 3, 3.0  # more would crowd their axes; inches
AVERAGE_SHARE = 0.05  # the running average of a curve spans this share of its steps


def loss_curve(history, path):
    """Write a PNG with one panel per entry of `history`: raw values faint, their running average on top.

    The average at a step is the mean of the last 5 % of all steps up to it, so it looks back and never ahead.
    With one step it shows a dot; with none, a picture that says so. An entry "validation_loss" has no panel of its own:
    it is drawn as points in that of "loss", where it is not NaN.

    Parameters
    ----------
    history : dict of str to float array (steps,)
        For example {"loss": ..., "similarity": ..., "smoothness": ...}, all equally long, one value per step.
    path : str or Path
        The PNG file to write, 900 pixels wide.

    Raises InputError for entries that are not one-dimensional or not equally long, and OSError as `atomic_write`.

    >>> from matplotlib.image import imread
    >>> loss_curve({"loss": [0.9, 0.5, 0.3, 0.2], "smoothness": [0.0, 0.1, 0.1, 0.2]}, "loss.png")
    >>> imread("loss.png").shape
    (300, 900, 4)
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    history = {name: np.asarray(values) for name, values in history.items()}
    shapes = {name: values.shape for name, values in history.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise InputError(f"expected one number per step and equally many for every curve, found shapes {shapes}")

    validation = {name: history.pop(VALIDATION + name) for name in list(history) if VALIDATION + name in history}
    columns = min(max(len(history), 1), PANELS_IN_ROW)
    rows = max(1, -(-len(history) // PANELS_IN_ROW))
    figure = Figure(figsize=(PICTURE_WIDTH, ROW_HEIGHT * rows), dpi=DOTS_PER_INCH, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(history) :]:
        axes.set_axis_off()
    if not any(values.size for values in history.values()):
        for axes in panels:
            axes.set_axis_off()
        figure.text(0.5, 0.5, "no training steps yet", ha="center", va="center", color=NOTE_COLOUR, size=14)
        save(figure, path)
        return

    for axes, (name, values) in zip(panels, history.items(), strict=False):
        steps = np.arange(1, len(values) + 1)
        window = max(1, round(AVERAGE_SHARE * len(values)))
        average = np.convolve(values, np.full(window, 1 / window), mode="valid")
        marker = "o" if len(values) == 1 else None
        axes.plot(steps, values, color=CURVE_COLOUR, alpha=0.3, linewidth=0.8)
        axes.plot(steps[window - 1 :], average, color=CURVE_COLOUR, linewidth=1.8, marker=marker)
        if name in validation:
            scored = np.isfinite(validation[name])
            label = {"color": VALIDATION_COLOUR, "label": "validation"}
            axes.plot(steps[scored], validation[name][scored], marker="o", markersize=3, linewidth=1.2, **label)
            axes.legend(frameon=False)
        axes.set(title=name.replace("_", " "), xlabel="step", xlim=(0, len(values) + 1))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    panels[0].set_ylabel("value")
    save(figure, path)

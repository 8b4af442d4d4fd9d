"""How methods compare: the scores of every pair, one panel for each metric."""

import numpy as np

from minireg.errors import InputError
from minireg.metrics import HIGHER, LOWER, METRICS, NEITHER, Metric
from minireg.viz.common import DOTS_PER_INCH, NOTE_COLOUR, PICTURE_WIDTH, save

DIRECTIONS = {HIGHER: "higher is better →", LOWER: "← lower is better", NEITHER: ""}
MOST_METHODS = 8
COLOURS = ("#888888", "#1f5fa8", "#d1701f", "#2a8f5b", "#7a4fb0", "#a8801f", "#1f98a8", "#b03a6b")
PANELS_IN_ROW = 3
LINE, SURROUND = 0.32, 0.85  # inches for one method, and for the heading and axis of a panel


def methods_picture(scores, path):
    """Write a PNG with one panel per metric and one line per method in it: every pair, their quartiles, their mean.

    Dots are pairs (moved up and down only to be told apart), the bar reaches from the 25th to the 75th percentile, the
    diamond is the mean, which stands at the right as a number. Values that are NaN or infinite are left out of all
    three, and the number then says how many of the pairs remain. Below each panel stands which direction is better.

    Parameters
    ----------
    scores : dict of method to dict of metric to float array (N,)
        1 to 8 methods, drawn from top to bottom, and at least one metric. A metric that only some methods have is
        "not measured" for the others.
    path : str or Path
        The PNG file to write, 900 pixels wide.

    Raises InputError for no method, more than 8, no metric, or values that are not one number per pair; OSError as
    `atomic_write`, with nothing left behind.

    >>> from pathlib import Path
    >>> methods_picture({"identity": {"ncc": [0.1, 0.4]}, "demons": {"ncc": [0.8, 0.9]}}, "methods.png")
    >>> Path("methods.png").exists()
    True
    """
    from matplotlib.figure import Figure

    scores = {method: {name: np.asarray(v) for name, v in metrics.items()} for method, metrics in scores.items()}
    names = list(dict.fromkeys(name for metrics in scores.values() for name in metrics))
    if not 1 <= len(scores) <= MOST_METHODS or not names:
        raise InputError(
            f"expected 1 to {MOST_METHODS} methods and a metric, found {len(scores)} methods and {len(names)} metrics"
        )
    for method, metrics in scores.items():
        for name, values in metrics.items():
            if values.ndim != 1 or values.dtype.kind not in "fiu":
                raise InputError(
                    f"expected one number per pair for {name} of {method}, found {values.dtype} {values.shape}"
                )

    columns = min(len(names), PANELS_IN_ROW)
    rows = -(-len(names) // columns)
    size = (PICTURE_WIDTH, rows * (SURROUND + LINE * len(scores)) + 0.25)
    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes in panels.flat[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(panels.flat, names, strict=False):
        _draw_metric(axes, name, {method: metrics.get(name, np.empty(0)) for method, metrics in scores.items()})
    figure.supxlabel("dot: one pair     bar: the middle half of the pairs     diamond and number: mean", size=8,
                     color=NOTE_COLOUR)  # fmt: skip
    save(figure, path)


def _draw_metric(axes, name, values_of):
    """One panel: a line for each method of the dict, whose values (N,) may be empty."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    metric = METRICS.get(name) or Metric((), name.replace("_", " "), "", NEITHER, 3)
    is_share = metric.unit == "%"
    for line, (values, colour) in enumerate(zip(values_of.values(), COLOURS, strict=False)):
        finite = values[np.isfinite(values)]
        if finite.size:
            # Multiples of the golden ratio spread evenly however many there are.
            height = line + 0.5 * ((np.arange(len(finite)) * 0.6180339887) % 1 - 0.5)
            mean = float(finite.mean())
            axes.plot(finite, height, ".", color=colour, alpha=0.3, markersize=4, markeredgewidth=0)
            axes.plot(np.percentile(finite, [25, 75]), [line, line], color=colour, linewidth=5, solid_capstyle="butt")
            axes.plot([mean], [line], "D", color=colour, markeredgecolor="white", markersize=6)
            text = f"{mean:.2%}" if is_share else f"{mean:#.3g}".rstrip(".")
            text += f"\n({finite.size} of {values.size})" if finite.size < values.size else ""
            axes.text(1.02, line, text, transform=axes.get_yaxis_transform(), va="center", size=8)
        else:
            where = {"transform": axes.get_yaxis_transform(), "ha": "center", "va": "center"}
            axes.text(0.5, line, "not measured", size=8, color=NOTE_COLOUR, **where)
    axes.set_yticks(range(len(values_of)), list(values_of), size=9)
    axes.set_ylim(len(values_of) - 0.5, -0.5)
    axes.set_title(metric.title if metric.unit in ("", "%") else f"{metric.title}, {metric.unit}", size=10)
    axes.set_xlabel(DIRECTIONS[metric.better], size=8, color=NOTE_COLOUR)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    if is_share:
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25)

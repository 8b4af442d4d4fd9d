"""Every metric by its name: what it is called, in which unit, which way is better, and how its numbers are written.

The one table that scores, tables, command lines and pictures read. A new metric gets its line here.
"""

from typing import NamedTuple

from minireg.metrics.overlap import SWEEP

HIGHER, LOWER, NEITHER = 1, -1, 0  # which is better


class Metric(NamedTuple):
    """How a metric is presented.

    >>> METRICS["folded_cells"].heading, METRICS["folded_cells"].text(0.0125)
    (('fold', 'cell %'), '1.250')
    """

    heading: tuple  # two lines above a column of a table; () where it has no column of its own
    title: str  # in a picture
    unit: str  # "" for a plain number; "%": shares, written as percentages
    better: int
    decimals: int  # in a table

    def text(self, value):
        """A value as a table shows it."""
        return f"{100 * value if self.unit == '%' else value:.{self.decimals}f}"


METRICS = {
    "ncc": Metric(("", "NCC"), "NCC", "", HIGHER, 3),
    "mse": Metric(("", "MSE"), "MSE", "", LOWER, 4),
    "ssim": Metric(("", "SSIM"), "SSIM", "", HIGHER, 3),
    "dice": Metric(("Dice", "> .5"), "Dice", "", HIGHER, 3),
    "dice_sweep": Metric(("Dice", ".3-.7"), "Dice, thresholds .3 to .7", "", HIGHER, 3),
    **{f"dice_{threshold}": Metric((), f"Dice, threshold {threshold}", "", HIGHER, 3) for threshold in SWEEP},
    "label_dice": Metric(("label", "Dice"), "Dice of the labels", "", HIGHER, 3),
    "hausdorff95": Metric(("HD95", "px"), "95 % Hausdorff", "pixels", LOWER, 2),
    "folded_pixels": Metric(("fold", "px %"), "folded pixels", "%", LOWER, 3),
    "folded_cells": Metric(("fold", "cell %"), "folded cells", "%", LOWER, 3),
    "folded_pixels_foreground": Metric(("in fg", "px %"), "folded pixels, foreground", "%", LOWER, 3),
    "folded_cells_foreground": Metric(("in fg", "cell %"), "folded cells, foreground", "%", LOWER, 3),
    "spread_log_jacobian": Metric(("sd", "log|J|"), "spread of log |J|", "", NEITHER, 3),
    "inverse_consistency": Metric(("inv.", "px"), "inverse consistency", "pixels", LOWER, 3),
    "target_registration_error": Metric(("TRE", "px"), "target reg. error", "pixels", LOWER, 3),
    "landmark_error": Metric(("TRE at", "points"), "error at landmarks", "pixels", LOWER, 3),
    "ms_per_pair": Metric(("ms /", "pair"), "time per pair", "ms", LOWER, 1),
}

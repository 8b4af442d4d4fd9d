"""Registration methods compared: all over the same pairs, every field scored with one sampler and the same metrics.

    scores, milliseconds = evaluate_method(make_method("demons"), pairs)    # {metric: (N,)}, per pair
    statistics = summarise(scores)
    print(format_table({"demons": statistics["mean"] | {"ms_per_pair": milliseconds}}))

A method is a function method(moving, fixed) -> displacement of NumPy arrays. It is run three times: on the pairs, on
the pairs with their roles exchanged (inverse consistency), and on images that were deformed by a known field (target
registration error), unless the true field of the pairs themselves is known.
"""

import time
from typing import NamedTuple

import numpy as np

from minireg import backend, metrics, ops
from minireg.autograd import no_grad
from minireg.models import WARP_BORDER
from minireg.parametric import random_diffeomorphism
from minireg.trainer import score_pairs

KNOWN_SEED = 4  # of the known deformations
# The longest displacement in a pair, in pixels: about that between two handwritings of a digit.
KNOWN_AMPLITUDE = 5.0
KNOWN_SMOOTHNESS = 4.0  # in pixels

BOOTSTRAP_SEED = 0
BOOTSTRAP_SAMPLES = 2000
BOOTSTRAP_LEVEL = 95  # percent of the means of resampled pairs that lie in the interval
WORST_SHARE = 5  # percent of the pairs
GROWING = ("ncc", "ssim", "dice", "label_dice")  # metrics whose names begin so are better the larger they are


class Column(NamedTuple):
    """A column of the table: two lines of heading, how to write a number, and by what to multiply it first."""

    group: str
    heading: str
    form: str
    scale: float = 1.0

    def text(self, value):
        return self.form.format(self.scale * value)


COLUMNS = {
    "ncc": Column("", "NCC", "{:.3f}"),
    "mse": Column("", "MSE", "{:.4f}"),
    "ssim": Column("", "SSIM", "{:.3f}"),
    "dice": Column("Dice", "> .5", "{:.3f}"),
    "dice_sweep": Column("Dice", ".3-.7", "{:.3f}"),
    "label_dice": Column("label", "Dice", "{:.3f}"),
    "hausdorff95": Column("HD95", "px", "{:.2f}"),
    "folded_pixels": Column("fold", "px %", "{:.3f}", 100),
    "folded_cells": Column("fold", "cell %", "{:.3f}", 100),
    "folded_pixels_foreground": Column("in fg", "px %", "{:.3f}", 100),
    "folded_cells_foreground": Column("in fg", "cell %", "{:.3f}", 100),
    "spread_log_jacobian": Column("sd", "log|J|", "{:.3f}"),
    "inverse_consistency": Column("inv.", "px", "{:.3f}"),
    "target_registration_error": Column("TRE", "px", "{:.3f}"),
    "landmark_error": Column("TRE at", "points", "{:.3f}"),
    "ms_per_pair": Column("ms /", "pair", "{:.1f}"),
}

LEGEND = """\
Dice .3-.7: mean over the thresholds .3, .4, .5, .6, .7. HD95: 95th percentile Hausdorff distance of the regions
above .5. fold: pixels and cells with a Jacobian determinant of 0 or less; in fg: among those of the fixed image above
.5. sd log|J|: |J| clipped below at .001. inv.: inverse consistency, from registering each pair both ways. TRE:
distance to a known deformation over the pixels above .5, or over the labelled object; at points: at landmarks. label
Dice: mean over the labels."""


def evaluate_method(method, pairs, clock=time.perf_counter):
    """Score a registration method on pairs of images.

    Parameters
    ----------
    method : function of moving and fixed, (N, H, W, 1), that returns the displacement (N, H, W, 2)
    pairs : `data.pairs.Pairs`
    clock : function without arguments that returns seconds

    Returns
    -------
    scores : dict of str to float64 array (N,)
        Those of `trainer.score_pairs`, "inverse_consistency", and "target_registration_error" over the object: where
        the fixed labels are not 0 if there are labels, else over the `metrics.foreground`.
    milliseconds : float
        Per pair, of registering all pairs in one call. What happens only once was done before in another.

    Raises
    ------
    InputError
        As the method, and where its fields are not finite.
    """
    moving, fixed = pairs.moving, pairs.fixed
    method(moving[:1], fixed[:1])
    start = clock()
    displacement = method(moving, fixed)
    milliseconds = 1000 * (clock() - start) / len(moving)

    if pairs.displacement is None:
        deformed, true_displacement = known_deformation(fixed)
        found = method(deformed, fixed)
    else:
        true_displacement, found = pairs.displacement, displacement
    inside = metrics.foreground(fixed) if pairs.fixed_labels is None else pairs.fixed_labels[..., 0] > 0
    scores = score_pairs(pairs, warp(moving, displacement), displacement) | {
        "inverse_consistency": metrics.inverse_consistency(displacement, method(fixed, moving)),
        "target_registration_error": metrics.target_registration_error(found, true_displacement, inside),
    }
    return scores, milliseconds


def known_deformation(fixed, seed=KNOWN_SEED):
    """Moving images for which the displacement that brings them to `fixed` is known.

    With a random diffeomorphism of displacement u and inverse w, moving(q) = fixed(q + w(q)). Then moving(p + u(p)) is
    fixed(p), up to the blur of interpolating once.

    Parameters
    ----------
    fixed : array (N, H, W, 1), float32
    seed : int

    Returns
    -------
    moving (N, H, W, 1), u (N, H, W, 2) in pixels : float32 arrays
    """
    rng = np.random.default_rng(seed)
    displacement, inverse = random_diffeomorphism(rng, fixed.shape[:3], KNOWN_AMPLITUDE, KNOWN_SMOOTHNESS)
    return warp(fixed, inverse.astype(fixed.dtype)), displacement.astype(fixed.dtype)


def warp(moving, displacement):
    """The one sampler for every method: `ops.warp` with the border of the networks, from and to NumPy arrays."""
    with no_grad():
        warped = ops.warp(backend.to_device(moving), backend.to_device(displacement), border=WARP_BORDER)
    return backend.to_host(warped.data)


def summarise(scores):
    """What to say about many pairs.

    Parameters
    ----------
    scores : dict of str to float array (N,)

    Returns
    -------
    dict of dicts with the same keys as `scores`
        "mean" and "median"; "interval_of_mean", the lower and upper end of the 95 % percentile bootstrap interval of
        the mean, from 2000 resamples of the pairs, the same ones for all metrics and methods; "worst_5_percent", the
        value that 5 % of the pairs are worse than: the 5th percentile where large is good (NCC, SSIM, Dice), the 95th
        where small is good.

    References
    ----------
    Efron, Tibshirani: An introduction to the bootstrap (1993), section 13.3.
    """
    pairs = len(next(iter(scores.values())))
    resamples = np.random.default_rng(BOOTSTRAP_SEED).integers(pairs, size=(BOOTSTRAP_SAMPLES, pairs))
    tail = (100 - BOOTSTRAP_LEVEL) / 2
    statistics = {"mean": {}, "interval_of_mean": {}, "median": {}, "worst_5_percent": {}}
    for name, values in scores.items():
        means = values[resamples].mean(axis=1)
        worst = WORST_SHARE if name.startswith(GROWING) else 100 - WORST_SHARE
        statistics["mean"][name] = float(values.mean())
        statistics["interval_of_mean"][name] = np.percentile(means, [tail, 100 - tail]).tolist()
        statistics["median"][name] = float(np.median(values))
        statistics["worst_5_percent"][name] = float(np.percentile(values, worst))
    return statistics


def format_table(rows):
    """A table as text: one line for each method in `rows`, which maps its name to its numbers, below two of heading."""
    columns, lines = _cells(rows)
    lines = [["", *(column.group for column in columns)], ["", *(column.heading for column in columns)], *lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    )


def format_markdown(rows):
    """The same table for a page in Markdown."""
    columns, lines = _cells(rows)
    heading = ["method", *(f"{column.group} {column.heading}".strip().replace("|", "\\|") for column in columns)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [heading, ["---", *["---:"] * len(columns)], *lines])


def format_statistics(statistics, milliseconds, table=format_table):
    """Tables of the means with half the width of their intervals, of the medians, and of the worst 5 %, as text.

    Parameters
    ----------
    statistics : dict of method to what `summarise` returns
    milliseconds : dict of method to milliseconds per pair, for some
    table : `format_table` or `format_markdown`
    """
    means = {
        method: s["mean"] | ({"ms_per_pair": milliseconds[method]} if method in milliseconds else {})
        for method, s in statistics.items()
    }
    half_widths = {
        method: {name: (high - low) / 2 for name, (low, high) in s["interval_of_mean"].items()}
        for method, s in statistics.items()
    }
    return "\n\n".join(
        f"{title}\n\n{table(rows)}"
        for title, rows in (
            ("Mean over the pairs:", means),
            (f"Half the width of the {BOOTSTRAP_LEVEL} % bootstrap interval of the mean:", half_widths),
            ("Median:", {method: s["median"] for method, s in statistics.items()}),
            (
                f"What {WORST_SHARE} % of the pairs are worse than:",
                {method: s["worst_5_percent"] for method, s in statistics.items()},
            ),
        )
    )


def _cells(rows):
    """The columns that any row has, and for each row its name and its numbers as text, "" where it has none."""
    names = [name for name in COLUMNS if any(name in numbers for numbers in rows.values())]
    lines = [
        [method, *(COLUMNS[name].text(numbers[name]) if name in numbers else "" for name in names)]
        for method, numbers in rows.items()
    ]
    return [COLUMNS[name] for name in names], lines

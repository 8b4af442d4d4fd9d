"""python -m minireg.evaluate: how well a trained network registers pairs that it has never seen."""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from minireg import command, metrics
from minireg.data import load_digits
from minireg.data.pairs import HELD_OUT_SEED, held_out_pairs
from minireg.errors import InputError
from minireg.files import atomic_write
from minireg.models import register
from minireg.trainer import load_network, mean_scores

COLUMNS = {  # name of the metric: (heading, how to write it)
    "ncc": ("NCC", "{:.4f}"),
    "mse": ("MSE", "{:.4f}"),
    "ssim": ("SSIM", "{:.4f}"),
    "dice": ("Dice", "{:.4f}"),
    "folded_pixels": ("fold px", "{:.3%}"),
    "folded_cells": ("fold cells", "{:.3%}"),
    "spread_log_jacobian": ("sd log|J|", "{:.4f}"),
    "ms_per_pair": ("ms/pair", "{:.2f}"),
}


def format_table(rows):
    """A table as text: one line for each method in `rows`, which maps its name to its mean scores."""
    columns = {name: column for name, column in COLUMNS.items() if any(name in scores for scores in rows.values())}
    lines = [["", *(heading for heading, _ in columns.values())]]
    for method, scores in rows.items():
        cells = [form.format(scores[name]) if name in scores else "" for name, (_, form) in columns.items()]
        lines.append([method, *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    )


def main(argv=None):
    """The command line: parse, evaluate, print. Returns the exit code."""
    return command.run("minireg.evaluate", lambda: _evaluate(_parse(argv)))


def _parse(argv):
    parser = argparse.ArgumentParser(prog="python -m minireg.evaluate", description=__doc__.split(": ", 1)[1])
    command.add_backend_option(parser)
    add = parser.add_argument
    add("--checkpoint", required=True, metavar="FILE", help="checkpoint.npz of a run folder")
    add("--data-dir", metavar="FOLDER", help="folder with the MNIST files (default: MINIREG_DATA, else downloaded)")
    add("--digit", type=command.digit, metavar="{0..9,all}", help="evaluate on another digit (random pairs only)")
    add("--pairs", type=int, default=100, metavar="N", help="how many held-out pairs (default: 100)")
    add("--pairs-seed", type=int, default=HELD_OUT_SEED, metavar="S", help="which pairs (default: %(default)s)")
    add("--out", metavar="FILE", help="the same as JSON (default: evaluation.json beside the checkpoint)")
    return parser.parse_args(argv)


def _evaluate(args):
    command.use_backend(args)
    if args.pairs < 1 or args.pairs_seed < 0:
        raise InputError(
            f"--pairs must be at least 1 and --pairs-seed not negative, got {args.pairs}, {args.pairs_seed}"
        )
    network, configuration = load_network(args.checkpoint)
    if configuration.pairing == "atlas" and args.digit not in (None, configuration.digit):
        raise InputError(
            f"--digit {args.digit}: this network was trained to align everything with one image of the digit "
            f"{configuration.digit}; leave --digit out"
        )
    digits = load_digits(configuration.data, args.data_dir)
    moving, fixed, labels = held_out_pairs(
        digits,
        configuration.digit if args.digit is None else args.digit,
        configuration.pairing,
        configuration.fixed_index,
        args.pairs,
        args.pairs_seed,
    )
    register(network, moving[:1], fixed[:1])  # whatever is done only once is not counted
    start = time.perf_counter()
    warped, displacement = register(network, moving, fixed)
    seconds = time.perf_counter() - start
    scores = {
        "identity": metrics.score(moving, fixed, np.zeros_like(displacement)),
        "registered": metrics.score(warped, fixed, displacement),
    }
    means = {method: mean_scores(per_pair) for method, per_pair in scores.items()}
    means["registered"]["ms_per_pair"] = 1000 * seconds / len(moving)
    print(f"{len(moving)} held-out pairs of {configuration.data}, means:")
    print(format_table(means))

    result = {
        "checkpoint": str(args.checkpoint),
        "data": configuration.data,
        "pairs": len(moving),
        "pairs_seed": args.pairs_seed,
        "digits": labels.tolist(),
        "mean": means,
        "per_pair": {method: {name: v.tolist() for name, v in s.items()} for method, s in scores.items()},
    }
    out = Path(args.out) if args.out else Path(args.checkpoint).with_name("evaluation.json")
    with atomic_write(out, "w") as file:
        json.dump(result, file, indent=1)
    print(f"The numbers of every pair are in {out}")


if __name__ == "__main__":
    sys.exit(main())

"""python -m minireg.evaluate: how well registration methods align pairs that no network was trained on."""

import argparse
import json
import sys
from pathlib import Path

from minireg import command, viz
from minireg.data import Digits, load_data
from minireg.data.held_out import listed_pairs
from minireg.data.pairs import HELD_OUT_SEED, DigitPairs
from minireg.errors import InputError
from minireg.evaluation import COLUMNS, LEGEND, evaluate_method, format_statistics, summarise
from minireg.files import atomic_write
from minireg.methods import METHODS, make_method
from minireg.trainer import load_network


def main(argv=None):
    """The command line: parse, evaluate, print. Returns the exit code."""
    return command.run("minireg.evaluate", lambda: _evaluate(_parse(argv)))


def _parse(argv):
    parser = argparse.ArgumentParser(prog="python -m minireg.evaluate", description=__doc__.split(": ", 1)[1])
    command.add_backend_option(parser)
    add = parser.add_argument
    add("--checkpoint", metavar="FILE", help="checkpoint.npz of a run folder, for the methods with a network")
    add(
        "--methods",
        metavar="LIST",
        help=f"which, with commas between: {', '.join(METHODS)} (default: identity,network with a checkpoint, all that "
        "need none without)",
    )
    add(
        "--data",
        metavar="{auto,mnist,strokes,phantom,FOLDER,FILE.csv}",
        help="as for minireg.train (default: what the checkpoint was trained on, else auto)",
    )
    add("--data-dir", metavar="FOLDER", help="folder with the MNIST files (default: MINIREG_DATA, else downloaded)")
    add("--digit", type=command.digit, metavar="{0..9,all}", help="evaluate on another digit (random pairs only)")
    add("--pairs", type=int, default=100, metavar="N", help="how many held-out pairs (default: 100)")
    add("--pairs-seed", type=int, default=HELD_OUT_SEED, metavar="S", help="which pairs (default: %(default)s)")
    add(
        "--out",
        metavar="FILE",
        help="the numbers as JSON, and beside it a picture of the same name (default: evaluation.json beside the "
        "checkpoint, else here)",
    )
    return parser.parse_args(argv)


def _evaluate(args):
    command.use_backend(args)
    if args.pairs < 1 or args.pairs_seed < 0:
        raise InputError(
            f"--pairs must be at least 1 and --pairs-seed not negative, got {args.pairs}, {args.pairs_seed}"
        )
    network, configuration = load_network(args.checkpoint) if args.checkpoint else (None, None)
    if args.methods:
        names = args.methods.split(",")
    elif network:
        names = ["identity", "network"]
    else:
        names = [name for name in METHODS if not name.startswith("network")]
    # A network for images of two kinds is refined with the loss that it was trained with.
    loss = {"loss": configuration.loss} if configuration else {}
    methods = {
        name: make_method(name, network, progress=True, **(loss if name in ("network+refine", "optimise") else {}))
        for name in names
    }
    source, pairs = _pairs(args, configuration)

    per_pair, milliseconds = {}, {}
    for name, method in methods.items():
        per_pair[name], milliseconds[name] = evaluate_method(method, pairs)
    milliseconds.pop("identity", None)
    statistics = {name: summarise(scores) for name, scores in per_pair.items()}
    print(f"{len(pairs.titles)} held-out pairs of {source.name}\n")
    print(format_statistics(statistics, milliseconds))
    print(f"\n{LEGEND}")

    result = {
        "checkpoint": args.checkpoint and str(args.checkpoint),
        "data": source.name,
        "pairs": len(pairs.titles),
        "pairs_seed": args.pairs_seed,
        "titles": pairs.titles,
        "ms_per_pair": milliseconds,
        **{statistic: {name: s[statistic] for name, s in statistics.items()} for statistic in statistics[names[0]]},
        "per_pair": {name: {metric: v.tolist() for metric, v in s.items()} for name, s in per_pair.items()},
    }
    folder = Path(args.checkpoint).parent if args.checkpoint else Path()
    out = Path(args.out) if args.out else folder / "evaluation.json"
    with atomic_write(out, "w") as file:
        json.dump(result, file, indent=1)
    picture = out.with_suffix(".png")
    shown = {name: {metric: v for metric, v in s.items() if metric in COLUMNS} for name, s in per_pair.items()}
    viz.methods_picture(shown, picture)
    print(f"The numbers of every pair are in {out}, a picture of them is {picture}")


def _pairs(args, configuration):
    """Where the pairs come from, and the held-out `Pairs`."""
    own = configuration.data if configuration else "auto"
    name = own if args.data in (None, "auto") else args.data
    as_trained = configuration is not None and configuration.data == name
    of_phantoms = {"modality": configuration.modality, "size": configuration.size} if as_trained else {}
    source = load_data(name, args.data_dir, **of_phantoms)
    if isinstance(source, Digits):
        source = _pairs_of_digits(source, args.digit, configuration if as_trained else None)
        is_listed = (source.name, source.digit, source.pairing, args.pairs_seed) == (
            "mnist",
            "all",
            "random",
            HELD_OUT_SEED,
        )
        if is_listed and args.pairs <= 100:
            return source, listed_pairs(source.digits, args.pairs)
    elif args.digit is not None:
        raise InputError(f"--digit {args.digit} is for digits, not for --data {name}: leave it out")
    return source, source.held_out(args.pairs, args.pairs_seed)


def _pairs_of_digits(digits, digit, configuration):
    """As the network was trained; without one, random pairs, of all digits where none was named."""
    if configuration is None:
        return DigitPairs(digits, "all" if digit is None else digit, "random", None)
    if configuration.pairing == "atlas" and digit not in (None, configuration.digit):
        raise InputError(
            f"--digit {digit}: this network was trained to align everything with one image of the digit "
            f"{configuration.digit}; leave --digit out"
        )
    digit = configuration.digit if digit is None else digit
    return DigitPairs(digits, digit, configuration.pairing, configuration.fixed_index)


if __name__ == "__main__":
    sys.exit(main())

"""python -m minireg.evaluate: how well registration methods align pairs that no network was trained on."""

if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()

import json
import sys
from pathlib import Path

from minireg import backend, command, viz
from minireg.data import HELD_OUT_SEED
from minireg.errors import InputError
from minireg.evaluation import LEGEND, evaluate_method, format_statistics, summarise
from minireg.files import atomic_write
from minireg.methods import COMPARISONS, METHODS, NEEDS, make_method
from minireg.metrics import METRICS
from minireg.training import load_network, source_to_evaluate

NAMES = [name for name in METHODS if name != "tps"]  # which goes by landmarks, one set for all pairs


def main(argv=None):
    """The command line: parse, evaluate, print. Returns the exit code."""
    return command.run("minireg.evaluate", lambda: _evaluate(_parse(argv)))


def _parse(argv):
    parser = command.parser("minireg.evaluate", "How well registration methods align pairs that no network has seen.")
    add = parser.add_argument
    add("--checkpoint", metavar="FILE", help="checkpoint.npz of a run folder, for the methods with a network")
    add(
        "--methods",
        metavar="LIST",
        help=f"which, with commas between: {', '.join(NAMES)} (default: identity,network with a checkpoint, all that "
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
    backend.use(args.backend)
    if args.pairs < 1 or args.pairs_seed < 0:
        raise InputError(
            f"--pairs must be at least 1 and --pairs-seed not negative, got {args.pairs}, {args.pairs_seed}"
        )
    folder = Path(args.checkpoint).parent if args.checkpoint else Path()
    out = Path(args.out) if args.out else folder / "evaluation.json"
    _refuse_other_results(out)
    network, configuration = load_network(args.checkpoint) if args.checkpoint else (None, None)
    if args.methods:
        names = args.methods.split(",")
        for name in names:
            if name not in NAMES:
                raise InputError(f"unknown method {name!r}: choose one of {', '.join(NAMES)}")
    elif network:
        names = ["identity", "network"]
    else:
        names = [name for name in NAMES if name not in NEEDS]
    # A network for images of two kinds is refined with the loss that it was trained with.
    loss = configuration and configuration.loss
    methods = {
        name: make_method(
            name,
            network=network if name in NEEDS else None,
            loss=loss if name in ("network+refine", "optimise") or (name == "align" and loss in COMPARISONS) else None,
            progress=True,
        )
        for name in names
    }
    source = source_to_evaluate(args.data, args.digit, args.data_dir, configuration)
    pairs = source.held_out(args.pairs, args.pairs_seed)

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
    with atomic_write(out, "w") as file:
        json.dump(result, file, indent=1)
    picture = out.with_suffix(".png")
    shown = {name: {metric: v for metric, v in s.items() if METRICS[metric].heading} for name, s in per_pair.items()}
    viz.methods_picture(shown, picture)
    print(f"The numbers of every pair are in {out}, a picture of them is {picture}")


def _refuse_other_results(out):
    """Raise InputError where this evaluation would be written over something that is not an earlier one."""
    if out.suffix != ".json":
        raise InputError(f"--out {out} must end in .json: it names the file of the numbers; the picture goes beside it")
    other = out
    try:
        earlier = json.loads(out.read_bytes())
        if isinstance(earlier, dict) and "pairs_seed" in earlier:
            return
    except FileNotFoundError:
        other = out.with_suffix(".png")
        if not other.exists():
            return
    except ValueError:
        pass  # it is no JSON at all
    raise InputError(f"--out {out} would be written over {other}, which is not from an evaluation: name another file")


if __name__ == "__main__":
    sys.exit(main())

"""python -m minireg.train: train a registration network on handwritten digits.

Without options it takes about a minute on two cores and leaves its results in a new folder below runs/.
"""

import argparse
import shlex
import sys
from pathlib import Path

from minireg import command, losses
from minireg.checkpoint import load_checkpoint
from minireg.data import load_digits
from minireg.data.pairs import PAIRINGS
from minireg.errors import InputError
from minireg.evaluate import format_table
from minireg.models import MODELS
from minireg.trainer import CHECKPOINT, RECIPES, Configuration, Trainer, read_configuration

# Options that choose what is computed; a run that is resumed keeps its own.
DECIDING = {
    "recipe": "default",
    "data": "auto",
    "digit": 5,
    "pairing": "atlas",
    "fixed_index": None,
    "seed": 0,
    "model": None,
    "loss": None,
    "smoothness": None,
    "steps": None,
    "batch_size": None,
    "lr": None,
}


def main(argv=None):
    """The command line: parse, train, report. Returns the exit code."""
    return command.run("minireg.train", lambda: _train(_parse(argv)))


def _parse(argv):
    parser = argparse.ArgumentParser(prog="python -m minireg.train", description=__doc__.split("\n")[0])
    command.add_backend_option(parser)
    add = parser.add_argument
    add("--recipe", choices=RECIPES, help="default, or mnist2020: the experiment of 2020 as published")
    add(
        "--data", choices=("auto", "mnist", "strokes"), help="auto: MNIST if it can be had, else drawn digits (default)"
    )
    add("--data-dir", metavar="FOLDER", help="folder with the MNIST files (default: MINIREG_DATA, else downloaded)")
    add("--digit", type=command.digit, metavar="{0..9,all}", help="which digits to register (default: 5)")
    add("--pairing", choices=PAIRINGS, help="atlas: all to one fixed image (default); random: any two of a digit")
    add("--fixed-index", type=int, metavar="I", help="test image that is the atlas (default: drawn by the seed)")
    add("--model", choices=MODELS, help="the network (default: the recipe's)")
    add("--loss", choices=losses.SIMILARITIES, help="how alike images are (default: ncc)")
    add("--smoothness", type=float, metavar="W", help="weight of the field's roughness in the loss")
    add("--steps", type=int, help="training steps (default: the recipe's for the pairing)")
    add("--batch-size", type=int, metavar="N", help="pairs in a step (default: 32)")
    add("--lr", type=float, help="learning rate (default: the recipe's)")
    add("--seed", type=int, help="of the weights, the pairs and the fixed image (default: 0)")
    add("--out", metavar="FOLDER", help="where to write (default: a new folder below runs/)")
    add(
        "--resume",
        nargs="?",
        const=True,
        metavar="FOLDER",
        help="go on with the run in FOLDER, or in --out; --resume --out FOLDER starts it if it has not begun",
    )
    return parser.parse_args(argv)


def _train(args):
    command.use_backend(args)
    folder = Path(args.resume) if isinstance(args.resume, str) else args.out and Path(args.out)
    if args.resume and folder is None:
        raise InputError("--resume needs the folder of the run: --resume FOLDER")
    if isinstance(args.resume, str) and args.out and Path(args.out) != folder:
        raise InputError(f"--resume {args.resume} and --out {args.out} name two folders: name one")

    if isinstance(args.resume, str) or (args.resume and (folder / CHECKPOINT).exists()):
        trainer = _resumed(args, folder)
    else:
        trainer = _new(args, folder)
    configuration = trainer.configuration
    print(f"Training {configuration.model} on {configuration.data}, {_describe(configuration)}: {trainer.folder}")
    try:
        trainer.train()
        scores = trainer.report()
    except KeyboardInterrupt:
        if trainer.saved_step is None:
            raise
        raise KeyboardInterrupt(
            f"Step {trainer.saved_step} of {configuration.steps} is saved; go on with: "
            f"{_command_to_resume(args, trainer.folder)}"
        ) from None
    print(format_table(scores))
    print(
        f"Pictures, metrics and the checkpoint are in {trainer.folder}; look at {trainer.folder / 'registration.png'}"
    )


def _new(args, folder):
    """A Trainer at step 0."""
    if folder is not None and (folder / CHECKPOINT).exists():
        raise InputError(f"{folder} already holds a run: go on with --resume {folder}, or name another --out")
    options = {name: default if (given := getattr(args, name)) is None else given for name, default in DECIDING.items()}
    recipe = {name: value for name, value in RECIPES[options["recipe"]].items() if options.get(name) is None}
    configuration = Configuration(**options | recipe)
    digits = load_digits(configuration.data, args.data_dir)
    configuration = configuration.complete(digits)
    return Trainer(configuration, digits, folder or _new_folder(configuration))


def _resumed(args, folder):
    """A Trainer at the step of the checkpoint in the folder."""
    meta, groups = load_checkpoint(folder / CHECKPOINT)
    configuration = read_configuration(meta, folder / CHECKPOINT)
    for name in DECIDING:
        given, own = getattr(args, name), getattr(configuration, name)
        if given is not None and given != own and (name, given) != ("data", "auto"):
            raise InputError(
                f"--{name.replace('_', '-')} {given} differs from the run in {folder}, which has {own}: a resumed run "
                "keeps its own options; leave it out, or start a new run"
            )
    trainer = Trainer(configuration, load_digits(configuration.data, args.data_dir), folder)
    trainer.restore(meta, groups)
    return trainer


def _command_to_resume(args, folder):
    words = ["python", "-m", "minireg.train", "--resume", str(folder)]
    for option, given in (("--data-dir", args.data_dir), ("--backend", args.backend)):
        words += [option, given] if given else []  # not in the checkpoint: they do not decide what is computed
    return shlex.join(words)


def _new_folder(configuration):
    """runs/mnist-5-atlas, or with the first free number behind it."""
    name = f"{configuration.data}-{configuration.digit}-{configuration.pairing}"
    if configuration.recipe != "default":
        name = f"{configuration.recipe}-{name}"
    number = 1
    while (folder := Path("runs") / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder


def _describe(configuration):
    digits = "all digits" if configuration.digit == "all" else f"digit {configuration.digit}"
    if configuration.pairing == "atlas":
        return f"{digits} to test image {configuration.fixed_index}"
    return f"random pairs of {digits}"


if __name__ == "__main__":
    sys.exit(main())

"""python -m minireg.train: train a registration network on handwritten digits, head phantoms, or your own images.

Without options it takes about a minute on two cores and leaves its results in a new folder below runs/.
"""

import argparse
import shlex
import sys
from pathlib import Path

from minireg import command, losses
from minireg.checkpoint import load_checkpoint
from minireg.configuration import IMAGES, MULTIMODAL, RECIPES, Configuration, read_configuration
from minireg.data import DIGITS, load_data
from minireg.data.pairs import PAIRINGS
from minireg.data.phantom import DEFAULT_SIZE, MODALITIES
from minireg.errors import InputError
from minireg.evaluation import format_table
from minireg.models import MODELS
from minireg.trainer import CHECKPOINT, Trainer

# Options that choose what is computed, and what they are if not given (None: as the recipe has it). A run that is
# resumed keeps its own.
DECIDING = {
    "recipe": "default",
    "data": "auto",
    "seed": 0,
    "augment": False,
    "model": None,
    "loss": None,
    "smoothness": None,
    "folding": None,
    "inverse_consistency": None,
    "steps": None,
    "batch_size": None,
    "lr": None,
    "workers": None,
}
FOR_DIGITS = {"digit": 5, "pairing": "atlas", "fixed_index": None, "leave_out": []}
FOR_PHANTOMS = {"modality": "mr", "size": DEFAULT_SIZE}


def main(argv=None):
    """The command line: parse, train, report. Returns the exit code."""
    return command.run("minireg.train", lambda: _train(_parse(argv)))


def _parse(argv):
    parser = argparse.ArgumentParser(prog="python -m minireg.train", description=__doc__.split("\n")[0])
    command.add_backend_option(parser)
    add = parser.add_argument
    add("--recipe", choices=RECIPES, help="default, or mnist2020: the experiment of 2020 as published")
    add(
        "--data",
        metavar="{auto,mnist,strokes,phantom,FOLDER,FILE.csv}",
        help="auto: MNIST if it can be had, else drawn digits (default); phantom: drawn heads; FOLDER: its .png and "
        ".npy images, label maps in FOLDER/labels; FILE.csv: pairs, with the columns moving and fixed",
    )
    add("--data-dir", metavar="FOLDER", help="folder with the MNIST files (default: MINIREG_DATA, else downloaded)")
    add("--digit", type=command.digit, metavar="{0..9,all}", help="which digits to register (default: 5)")
    add("--pairing", choices=PAIRINGS, help="atlas: all to one fixed image (default); random: any two of a digit")
    add("--fixed-index", type=int, metavar="I", help="test image that is the atlas (default: drawn by the seed)")
    add(
        "--leave-out",
        type=int,
        nargs="+",
        choices=range(10),
        metavar="{0..9}",
        help="digits that are never shown in training",
    )
    add("--modality", choices=MODALITIES, help="of phantoms; multi: CT to MR (default: mr)")
    add("--size", type=int, metavar="PIXELS", help=f"height and width of phantoms (default: {DEFAULT_SIZE})")
    add("--augment", action="store_const", const=True, help="also deform and brighten the training pairs at random")
    add("--model", choices=MODELS, help="the network (default: the recipe's)")
    add("--loss", choices=losses.SIMILARITIES, help="how alike images are (default: the recipe's)")
    add("--smoothness", type=float, metavar="W", help="weight of the field's roughness in the loss")
    add("--folding", type=float, metavar="W", help="weight of the penalty on folds")
    add("--inverse-consistency", type=float, metavar="W", help="weight of how far there and back misses the start")
    add("--steps", type=int, help="training steps (default: the recipe's for the pairing)")
    add("--batch-size", type=int, metavar="N", help="pairs in a step (default: the recipe's)")
    add("--lr", type=float, help="learning rate (default: the recipe's)")
    add("--workers", type=int, metavar="N", help="processes that share each batch on a CPU (default: the recipe's)")
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
    options = _options(args)
    recipe = dict(RECIPES[options["recipe"]])
    if options["recipe"] == "default" and options["data"] not in DIGITS:
        recipe |= IMAGES | (MULTIMODAL if options["modality"] == "multi" else {})
    if options["model"] == "encoder-decoder":
        recipe["workers"] = 1  # they cannot share batch norm
    configuration = Configuration(**options | {n: value for n, value in recipe.items() if options.get(n) is None})
    data = _load(configuration, args.data_dir)
    configuration = configuration.complete(data)
    return Trainer(configuration, data, folder or _new_folder(configuration))


def _options(args):
    """All options that decide: as given, else their defaults; those for other data are None."""
    data = args.data or DECIDING["data"]
    concerned = FOR_DIGITS if data in DIGITS else FOR_PHANTOMS if data == "phantom" else {}
    options = {}
    for name, default in (DECIDING | FOR_DIGITS | FOR_PHANTOMS).items():
        given = getattr(args, name)
        if given is not None and name not in DECIDING and name not in concerned:
            whose = "digits" if name in FOR_DIGITS else "phantoms"
            raise InputError(f"{_flag(name)} is for {whose}, not for --data {data}: leave it out")
        options[name] = given if given is not None else default if name in DECIDING | concerned else None
    return options


def _resumed(args, folder):
    """A Trainer at the step of the checkpoint in the folder."""
    meta, groups = load_checkpoint(folder / CHECKPOINT)
    configuration = read_configuration(meta, folder / CHECKPOINT)
    for name in DECIDING | FOR_DIGITS | FOR_PHANTOMS:
        given, own = getattr(args, name), getattr(configuration, name)
        if given is not None and given != own and (name, given) != ("data", "auto"):
            raise InputError(
                f"{_flag(name)} {given} differs from the run in {folder}, which has {own}: a resumed run "
                "keeps its own options; leave it out, or start a new run"
            )
    trainer = Trainer(configuration, _load(configuration, args.data_dir), folder)
    trainer.restore(meta, groups)
    return trainer


def _load(configuration, data_dir):
    """The data of a run."""
    return load_data(configuration.data, data_dir, configuration.modality, configuration.size)


def _flag(name):
    return f"--{name.replace('_', '-')}"


def _command_to_resume(args, folder):
    words = ["python", "-m", "minireg.train", "--resume", str(folder)]
    for option, given in (("--data-dir", args.data_dir), ("--backend", args.backend)):
        words += [option, given] if given else []  # not in the checkpoint: they do not decide what is computed
    return shlex.join(words)


def _new_folder(configuration):
    """runs/mnist-5-atlas, or with the first free number behind it."""
    about = [configuration.digit, configuration.pairing, configuration.modality]
    name = "-".join([Path(configuration.data).stem, *(str(word) for word in about if word is not None)])
    if configuration.recipe != "default":
        name = f"{configuration.recipe}-{name}"
    number = 1
    while (folder := Path("runs") / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder


def _describe(configuration):
    if configuration.data == "phantom":
        return f"modality {configuration.modality}, {configuration.size} x {configuration.size} pixels"
    if configuration.digit is None:
        return "pairs of images"
    digits = "all digits" if configuration.digit == "all" else f"digit {configuration.digit}"
    if configuration.leave_out:
        digits += f" but {', '.join(map(str, configuration.leave_out))}"
    if configuration.pairing == "atlas":
        return f"{digits} to test image {configuration.fixed_index}"
    return f"random pairs of {digits}"


if __name__ == "__main__":
    sys.exit(main())

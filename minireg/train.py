"""python -m minireg.train: train a registration network on handwritten digits, head phantoms, or your own images.

Without options it takes about a minute on two cores and leaves its results in a new folder below runs/.
"""

if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()

import contextlib
import dataclasses
import itertools
import shlex
import sys
from pathlib import Path

from minireg import backend, command, losses
from minireg.data import MODALITIES, PAIRINGS
from minireg.errors import InputError
from minireg.evaluation import format_table
from minireg.files import claimed, refuse_to_overwrite
from minireg.models import MODELS
from minireg.training import CHECKPOINT, Trainer, configure, load_checkpoint, read_configuration
from minireg.training.board import Board, require_tensorboardx
from minireg.training.configuration import FOR_PHANTOMS, RECIPES
from minireg.training.group import ALONE, started_by_mpiexec
from minireg.training.profile import Profile
from minireg.training.trainer import AT_THE_END


def main(argv=None):
    """The command line: parse, train, report. Returns the exit code."""
    return command.run("minireg.train", lambda: _train(_parse(argv)))


def _parse(argv):
    parser = command.parser("minireg.train", "Train a network to register digits, head phantoms, or your own images.")
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
    add("--size", type=int, metavar="PIXELS", help=f"height and width of phantoms (default: {FOR_PHANTOMS['size']})")
    add(
        "--augment",
        type=float,
        nargs="?",
        const=1.0,
        metavar="FACTOR",
        help="change the brightness of the training images at random, so many times as much as usual; 0: not at all "
        "(default: 1 for images in files, else 0)",
    )
    add("--model", choices=MODELS, help="the network (default: the recipe's)")
    add("--loss", choices=losses.SIMILARITIES, help="how alike images are (default: the recipe's)")
    add("--smoothness", type=float, metavar="W", help="weight of the field's roughness in the loss")
    add("--folding", type=float, metavar="W", help="weight of the penalty on folds")
    add("--inverse-consistency", type=float, metavar="W", help="weight of how far there and back misses the start")
    add("--steps", type=int, help="training steps (default: the recipe's for the pairing)")
    add("--batch-size", type=int, metavar="N", help="pairs in a step (default: the recipe's)")
    add("--lr", type=float, help="learning rate (default: the recipe's)")
    add(
        "--workers",
        type=int,
        metavar="N",
        help="processes that share each batch on a CPU (default: the recipe's, or as many as mpiexec has started)",
    )
    add("--seed", type=int, help="of the weights, the pairs and the fixed image (default: 0)")
    add("--out", metavar="FOLDER", help="where to write (default: a new folder below runs/)")
    add(
        "--resume",
        nargs="?",
        const=True,
        metavar="FOLDER",
        help="go on with the run in FOLDER, or in --out; --resume --out FOLDER starts it if it has not begun",
    )
    add("--profile", action="store_true", help="print where the time of a step went, at the end")
    add("--tensorboard", action="store_true", help="curves and pictures for TensorBoard, in the run's folder")
    return parser.parse_args(argv)


def _train(args):
    backend.use(args.backend)
    folder = Path(args.resume) if isinstance(args.resume, str) else args.out and Path(args.out)
    if args.resume and folder is None:
        raise InputError("--resume needs the folder of the run: --resume FOLDER")
    if isinstance(args.resume, str) and args.out and Path(args.out) != folder:
        raise InputError(f"--resume {args.resume} and --out {args.out} name two folders: name one")
    if args.tensorboard:
        require_tensorboardx()  # before anything is computed
    with started_by_mpiexec() as group:
        if group is not ALONE and args.workers not in (None, group.size):
            raise InputError(f"--workers {args.workers}: mpiexec has started {group.size} processes; leave it out")
        args.workers = args.workers if group is ALONE else group.size
        _run(args, folder, group)


def _run(args, folder, group):
    """Train and report. Of the processes that mpiexec has started the first one writes; the others only compute."""
    if isinstance(args.resume, str) or (args.resume and (folder / CHECKPOINT).exists()):
        trainer = _resumed(args, folder, group)
    else:
        trainer = _new(args, folder, group)
    if not group.first:
        with contextlib.suppress(KeyboardInterrupt):  # the first one says so
            trainer.train(group)
        return
    configuration = trainer.configuration
    print(f"Training {configuration.model} on {configuration.data}, {configuration.description}: {trainer.folder}")
    try:
        with claimed(trainer.folder):
            if trainer.saved_step is None:
                _refuse_other_results(trainer.folder)  # again: another run may have begun since
            with _watched(args, trainer) as board:
                trainer.train(group, board)
            scores = trainer.report()
    except KeyboardInterrupt:
        if trainer.saved_step is None:
            raise
        raise KeyboardInterrupt(
            f"Step {trainer.saved_step} of {configuration.steps} is saved; go on with: "
            f"{_command_to_resume(args, trainer.folder, group)}"
        ) from None
    print(format_table(scores))
    if trainer.warning:
        print(f"Warning: {trainer.warning}.", file=sys.stderr)
    print(
        f"Pictures, metrics and the checkpoint are in {trainer.folder}; look at {trainer.folder / 'registration.png'}"
    )


@contextlib.contextmanager
def _watched(args, trainer):
    """Within the block, what --profile and --tensorboard ask for; the Board, or None."""
    with contextlib.ExitStack() as stack:
        if args.profile:
            profile = stack.enter_context(Profile())
            stack.callback(lambda: print(profile.table()))  # after Ctrl-C too
        yield stack.enter_context(Board(trainer)) if args.tensorboard else None


def _new(args, folder, group):
    """A Trainer at step 0."""
    if folder is not None and group.first:
        _refuse_other_results(folder)
    configuration = configure(vars(args))
    source = configuration.source(args.data_dir)
    trainer = Trainer(configuration.completed(source), source, folder)
    if folder is None and group.first:
        trainer.folder = _new_folder(trainer.configuration.run_name)
    return trainer


def _refuse_other_results(folder):
    """Raise InputError where a new run would be written over another one, or over what another command has made."""
    if (folder / CHECKPOINT).exists():
        raise InputError(f"{folder} already holds a run: go on with --resume {folder}, or name another --out")
    refuse_to_overwrite(folder, AT_THE_END)


def _resumed(args, folder, group):
    """A Trainer at the step of the checkpoint in the folder."""
    meta, groups = load_checkpoint(folder / CHECKPOINT)
    configuration = read_configuration(meta, folder / CHECKPOINT)
    configuration.refuse_changes(vars(args), folder)
    if args.workers not in (None, configuration.workers):
        if group.first:
            command.hint(
                f"this run began with {configuration.workers} processes and goes on with {args.workers}: its numbers "
                "will differ in their last digits from those of a run that never stopped, for sums are formed in "
                "another order"
            )
        configuration = dataclasses.replace(configuration, workers=args.workers)
    trainer = Trainer(configuration, configuration.source(args.data_dir), folder)
    trainer.restore(meta, groups)
    return trainer


def _command_to_resume(args, folder, group):
    words = [] if group is ALONE else ["mpiexec", "-n", str(group.size)]
    words += ["python", "-m", "minireg.train", "--resume", str(folder)]
    for option, given in (("--data-dir", args.data_dir), ("--backend", args.backend)):
        words += [option, given] if given else []  # not in the checkpoint: they do not decide what is computed
    words += [f"--{name}" for name in ("profile", "tensorboard") if getattr(args, name)]
    return shlex.join(words)


def _new_folder(name):
    """Make a folder of this name below runs/, with the first free number behind it. Another run cannot make it too."""
    Path("runs").mkdir(exist_ok=True)
    for number in itertools.count(1):
        folder = Path("runs") / (name if number == 1 else f"{name}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder


if __name__ == "__main__":
    sys.exit(main())

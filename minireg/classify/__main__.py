"""python -m minireg.classify: train the survey's network to tell digits apart, and say how often it is right."""

if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()

import json
import sys
from pathlib import Path

import numpy as np

from minireg import backend, command, viz
from minireg.classify.loss import accuracy
from minireg.classify.network import SurveyCNN
from minireg.classify.training import train_classifier
from minireg.data import load_digits
from minireg.errors import InputError
from minireg.files import atomic_write, refuse_to_overwrite
from minireg.training import save_checkpoint


def main(argv=None):
    """The command line: parse, train, print. Returns the exit code."""
    return command.run("minireg.classify", lambda: _classify(_parse(argv)))


def _parse(argv):
    parser = command.parser("minireg.classify", "Train the survey's network to tell digits apart.")
    add = parser.add_argument
    add("--digits", default="0,1,7", metavar="A,B,...", help="two or more digits to tell apart (default: 0,1,7)")
    add("--data", choices=("auto", "mnist", "strokes"), default="auto", help="as for minireg.train (default: auto)")
    add("--data-dir", metavar="FOLDER", help="folder with the MNIST files (default: MINIREG_DATA, else downloaded)")
    add("--train-images", type=int, default=3000, metavar="N", help="of all classes together (default: 3000)")
    add("--epochs", type=int, default=10, help="how often each of them is seen (default: 10)")
    add("--batch-size", type=int, default=32, metavar="N", help="images in a step (default: 32)")
    add("--lr", type=float, default=1e-3, help="learning rate of Adam (default: .001)")
    add("--seed", type=int, default=0, help="of the weights and of which images are seen when (default: 0)")
    add("--out", metavar="FOLDER", help="write the checkpoint, the loss as a picture and the accuracy there")
    return parser.parse_args(argv)


def _classify(args):
    backend.use(args.backend)
    for name, least in (("train_images", 1), ("epochs", 1), ("batch_size", 1), ("seed", 0), ("lr", 0)):
        if not getattr(args, name) >= least:
            raise InputError(f"--{name.replace('_', '-')} must be at least {least}, got {getattr(args, name)}")
    chosen = _chosen_digits(args.digits)
    folder = args.out and Path(args.out)
    if folder and (folder / "checkpoint.npz").exists():
        raise InputError(f"{folder} already holds a classifier: name another --out")
    if folder:
        refuse_to_overwrite(folder, ("loss.png", "metrics.json"))
    data = load_digits(args.data, args.data_dir)
    rng = np.random.default_rng(args.seed)
    images, labels = _of_classes(data.train_images, data.train_labels, chosen)
    seen = rng.permutation(len(images))[: args.train_images]
    test_images, test_labels = _of_classes(data.test_images, data.test_labels, chosen)

    network = SurveyCNN(rng, images.shape[1:3], classes=len(chosen))
    parameters = sum(parameter.size for parameter in network.parameters())
    print(f"Digits {args.digits} of {data.name}: {len(seen)} images to train {parameters:,} parameters")
    history = train_classifier(network, images[seen], labels[seen], rng, args.epochs, args.batch_size, args.lr)
    share = accuracy(network.predict(test_images), test_labels)
    print(f"Accuracy on {len(test_images)} test images: {share:.2%}")
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        meta = {"size": list(images.shape[1:3]), "digits": chosen}
        save_checkpoint(folder / "checkpoint.npz", meta, model=network.state_dict())
        viz.loss_curve({"cross-entropy": history}, folder / "loss.png")
        with atomic_write(folder / "metrics.json", "w") as file:
            json.dump({"data": data.name, "digits": chosen, "accuracy": share}, file, indent=2)
        print(f"The checkpoint, loss.png and metrics.json are in {folder}")


def _chosen_digits(text):
    """The digits of "0,1,7", in order."""
    digits = text.split(",")
    if len(digits) < 2 or len(set(digits)) < len(digits) or not set(digits) <= set("0123456789"):
        raise InputError(f"--digits takes two or more different digits with commas between them, got {text!r}")
    return sorted(map(int, digits))


def _of_classes(images, labels, chosen):
    """The images of the chosen digits, and for each the place of its digit among them: 0, 1, ..."""
    kept = np.isin(labels, chosen)
    return images[kept], np.searchsorted(chosen, labels[kept])


if __name__ == "__main__":
    sys.exit(main())

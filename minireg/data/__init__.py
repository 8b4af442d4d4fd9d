"""Where images come from: MNIST, digits and head phantoms that are drawn on the spot, or your own files.

    digits = load_digits()
    moving = pad(digits.train_images)           # (60000, 32, 32, 1)
    pairs = load_data("phantom").held_out(10)

Each kind of source has a file of its own; `pairs.py` says what they have in common.
"""

import os
import sys
from pathlib import Path

from minireg.data.folder import FolderPairs
from minireg.data.mnist import Digits, download_mnist, read_mnist
from minireg.data.phantom import PhantomPairs
from minireg.data.preprocessing import crop_to_object, normalise_percentiles, pad
from minireg.data.strokes import draw_digits, load_strokes
from minireg.errors import InputError

__all__ = [
    "DIGITS",
    "Digits",
    "FolderPairs",
    "PhantomPairs",
    "crop_to_object",
    "draw_digits",
    "load_data",
    "load_digits",
    "load_strokes",
    "normalise_percentiles",
    "pad",
]

DIGITS = ("auto", "mnist", "strokes")


def load_data(name="auto", data_dir=None, modality="mr", size=48):
    """Load what `minireg.train --data` names.

    Parameters
    ----------
    name : "auto", "mnist" or "strokes" (`load_digits`); "phantom"; else a folder of images, or a CSV file of pairs
    data_dir : for digits
    modality, size : for phantoms

    Returns
    -------
    Digits, `phantom.PhantomPairs` or `folder.FolderPairs`

    Raises
    ------
    InputError
        As they do; or where nothing has this name.
    """
    if name in DIGITS:
        return load_digits(name, data_dir)
    if data_dir is not None:
        raise InputError(f"the folder {data_dir} is for MNIST: leave it out, or choose the data set 'mnist'")
    if name == "phantom":
        return PhantomPairs(modality, size)
    if not Path(name).exists():
        raise InputError(
            f"unknown data {name!r}: choose {', '.join(DIGITS)}, phantom, a folder of images, or a CSV file of pairs"
        )
    return FolderPairs(name)


def load_digits(name="auto", data_dir=None):
    """Load a data set of handwritten digits.

    Parameters
    ----------
    name : "auto", "mnist" or "strokes"
        "mnist" reads the folder `data_dir`, else the one in the environment variable MINIREG_DATA, else the
        cache ($XDG_CACHE_HOME/minireg/mnist or ~/.cache/minireg/mnist), and downloads into it what it lacks.
        "strokes" draws handwriting-like digits and touches neither files nor network.
        "auto" is "mnist"; where no folder was named and MNIST can be neither found nor downloaded, it is
        "strokes", and a line on stderr says so.
    data_dir : str or Path, optional
        Folder that holds MNIST's four files, gzipped or not. Nothing is ever written into it.

    Returns
    -------
    Digits
        Images (N, 28, 28, 1) float32 in [0, 1] and labels (N,) uint8, for training and for testing.

    Raises
    ------
    InputError
        When the name is unknown, when `data_dir` is given for "strokes", when a folder that was named cannot be
        used (it is never replaced silently), or when "mnist" can be neither found nor downloaded.
    """
    if name not in DIGITS:
        raise InputError(f"Unknown data set {name!r}: choose 'auto', 'mnist' or 'strokes'.")
    if name == "strokes":
        if data_dir is not None:
            raise InputError(
                f"The data set 'strokes' reads no files: leave out the folder {data_dir}, or choose 'mnist'."
            )
        return load_strokes()

    if data_dir is None:
        data_dir = os.environ.get("MINIREG_DATA") or None  # an empty variable counts as unset
    if data_dir is not None:
        return read_mnist(os.path.expanduser(data_dir))
    try:
        return _read_or_download(_cache_folder())
    except InputError as error:
        if name == "mnist":
            raise
        from tqdm import tqdm

        tqdm.write(f"{error} Until then, drawn digits ('strokes') take its place.", file=sys.stderr)
        return load_strokes()


def _cache_folder():
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(root) / "minireg" / "mnist"


def _read_or_download(folder):
    try:
        return read_mnist(folder)
    except InputError:
        download_mnist(folder)
        return read_mnist(folder)

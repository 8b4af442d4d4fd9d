"""From a name to a source of pairs: MNIST, digits and head phantoms that are drawn on the spot, or your own files."""

import os
import sys
from pathlib import Path

from tqdm import tqdm

from minireg.data.digits import DigitPairs
from minireg.data.folder import FolderPairs
from minireg.data.mnist import download_mnist, read_mnist
from minireg.data.phantom import PhantomPairs
from minireg.data.strokes import load_strokes
from minireg.errors import InputError, refuse_unknown

DIGITS = ("auto", "mnist", "strokes")


def load_data(name="auto", data_dir=None, **options):
    """The source of pairs that `minireg.train --data` names.

    Parameters
    ----------
    name : "auto", "mnist" or "strokes" (`load_digits`); "phantom"; else a folder of images, or a CSV file of pairs
    data_dir : for digits
    options : what `DigitPairs` takes beside the digits, or `PhantomPairs`; a folder takes none

    Returns a source of pairs, as `pairs.py` describes it: `DigitPairs`, `PhantomPairs` or `FolderPairs`

    Raises InputError as they do, or where nothing has this name.

    >>> source = load_data("phantom", modality="multi", size=32)
    >>> source.name, source.held_out(2).moving.shape
    ('phantom', (2, 32, 32, 1))
    """
    if name in DIGITS:
        refuse_unknown(options, DigitPairs, f"the data set {name!r}", given=1)
        return DigitPairs(load_digits(name, data_dir), **options)
    if data_dir is not None:
        raise InputError(f"the folder {data_dir} is for MNIST: leave it out, or choose the data set 'mnist'")
    if name == "phantom":
        refuse_unknown(options, PhantomPairs, "the data set 'phantom'")
        return PhantomPairs(**options)
    if not Path(name).exists():
        raise InputError(
            f"unknown data {name!r}: choose {', '.join(DIGITS)}, phantom, a folder of images, or a CSV file of pairs"
        )
    refuse_unknown(options, FolderPairs, f"the data set {str(name)!r}", given=1)
    return FolderPairs(name)


def load_digits(name="auto", data_dir=None, download=True):
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
    download : bool
        With False nothing is downloaded: "auto" is MNIST only where it is already there, and says nothing about it.

    Returns
    -------
    Digits
        Images (N, 28, 28, 1) float32 in [0, 1] and labels (N,) uint8, for training and for testing.

    Raises InputError when the name is unknown, when `data_dir` is given for "strokes", when a folder that was named
    cannot be used (it is never replaced silently), or when "mnist" can be neither found nor downloaded.

    >>> load_digits("strokes").test_images.shape
    (2000, 28, 28, 1)
    """
    if name not in DIGITS:
        raise InputError(f"unknown data set {name!r}: choose 'auto', 'mnist' or 'strokes'")
    if name == "strokes":
        if data_dir is not None:
            raise InputError(
                f"the data set 'strokes' reads no files: leave out the folder {data_dir}, or choose 'mnist'"
            )
        return load_strokes()

    if data_dir is None:
        data_dir = os.environ.get("MINIREG_DATA") or None  # an empty variable counts as unset
    if data_dir is not None:
        return read_mnist(os.path.expanduser(data_dir))
    try:
        return _read_or_download(_cache_folder()) if download else read_mnist(_cache_folder())
    except InputError as error:
        if name == "mnist":
            raise
        if download:
            tqdm.write(f"{error}. Until then, drawn digits ('strokes') take its place.", file=sys.stderr)
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

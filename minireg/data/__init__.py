"""Where images come from: MNIST in a folder or from the network, or digits that are drawn on the spot.

digits = load_digits()
moving = pad(digits.train_images)  # (60000, 32, 32, 1)
"""

import os
import sys
from pathlib import Path

import numpy as np

from minireg.data.mnist import Digits, download_mnist, read_mnist
from minireg.data.strokes import draw_digits, load_strokes
from minireg.errors import InputError

__all__ = ["Digits", "draw_digits", "load_digits", "load_strokes", "pad"]


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
    if name not in ("auto", "mnist", "strokes"):
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


def pad(images, size=32):
    """Put zeros around images, so that a network can halve their sides; nothing is resampled.

    Parameters
    ----------
    images : array, shape (N, H, W, C)
    size : int
        New height and width in pixels. 28 to 32 is two pixels on each side; where an odd number is added, the
        extra one comes last.

    Returns
    -------
    array, shape (N, size, size, C), of the same dtype

    Raises
    ------
    InputError
        When the images are not four-dimensional, or larger than `size`.
    """
    if images.ndim != 4:
        raise InputError(f"Images must have the shape (N, H, W, C), not {images.shape}.")
    _, height, width, _ = images.shape
    if max(height, width) > size:
        raise InputError(f"Images of {height} x {width} pixels do not fit into {size} x {size}: choose a larger size.")
    rows, columns = (((size - side) // 2, (size - side + 1) // 2) for side in (height, width))
    return np.pad(images, ((0, 0), rows, columns, (0, 0)))


def _cache_folder():
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(root) / "minireg" / "mnist"


def _read_or_download(folder):
    try:
        return read_mnist(folder)
    except InputError:
        download_mnist(folder)
        return read_mnist(folder)

"""Images in files, PNG or NumPy's .npy: read as batches, or refused in one sentence."""

from pathlib import Path

import numpy as np

from minireg.errors import InputError

SUFFIXES = (".png", ".npy")


def read_images(path):
    """Read one image or a stack from a PNG or .npy file, as a network takes it.

    Parameters
    ----------
    path : str or Path
        PNG: grey. NumPy (.npy): (H, W) or (N, H, W); uint8 is divided by 255, uint16 by 65535, floats must lie in
        [0, 1].

    Returns
    -------
    (N, H, W, 1), float32, in [0, 1]

    Raises
    ------
    InputError
        As `read_intensities`; or values out of range.
    """
    images = read_intensities(path)
    if images.dtype.kind == "u":
        images = (images / np.iinfo(images.dtype).max).astype(np.float32)
    if images.min() < 0 or images.max() > 1:
        raise InputError(
            f"{path} has intensities from {images.min():.4g} to {images.max():.4g}: scale them to [0, 1] first"
        )
    return images


def read_intensities(path):
    """Read one image or a stack in whatever unit it has.

    Parameters
    ----------
    path : str or Path
        PNG: grey. NumPy (.npy): (H, W) or (N, H, W) of uint8, uint16 or floats.

    Returns
    -------
    (N, H, W, 1), uint8 or uint16 as in the file, else float32; of a PNG float32, with 1 for white

    Raises
    ------
    InputError
        Not such a file; more than one channel; values that are not finite; a constant image, with which nothing can
        be aligned.
    """
    images = _read_array(path, _read_png)
    if images.dtype.str[1:] not in ("u1", "u2", "f2", "f4", "f8"):  # in an int64, nobody knows which value is white
        raise InputError(f"{path} holds {images.dtype}: expected uint8, uint16, or floats in [0, 1]")
    images = _as_stack(images, path)
    if images.dtype.kind == "f":
        with np.errstate(over="ignore"):  # becomes infinite, which is reported below
            images = images.astype(np.float32)
    bad = np.size(images) - np.count_nonzero(np.isfinite(images))
    if bad:
        raise InputError(f"{path} has {bad} values that are NaN or infinite: replace them first")
    constant = np.flatnonzero(np.ptp(images, axis=(1, 2, 3)) == 0)
    if constant.size:
        raise InputError(f"image {constant[0]} of {path} is constant ({images[constant[0], 0, 0, 0]:.4g} everywhere): "
                         "there is nothing to align")  # fmt: skip
    return images


def read_labels(path):
    """Read one label map or a stack.

    Parameters
    ----------
    path : str or Path
        PNG: grey or with a palette, whose indices are the labels. NumPy (.npy): (H, W) or (N, H, W) of integers.

    Returns
    -------
    (N, H, W, 1), of integers as they are in the file; 0 is background

    Raises
    ------
    InputError
        Not such a file; colours; values that are not whole numbers from 0.
    """
    labels = _read_array(path, _read_png_labels)
    if labels.dtype.kind not in "ui" or (labels.size and labels.min() < 0):
        raise InputError(f"{path} holds {labels.dtype}: expected label maps, whole numbers from 0 (background)")
    return _as_stack(labels, path)


def _as_stack(images, path):
    """(H, W) or (N, H, W) as (N, H, W, 1)."""
    looks_like_channels = images.ndim == 3 and images.shape[2] in (1, 3, 4) and min(images.shape[:2]) >= 8
    if images.ndim not in (2, 3) or images.size == 0 or looks_like_channels:
        raise InputError(
            f"{path} has the shape {images.shape}: expected a grey image (H, W) or a stack (N, H, W), without channels"
        )
    return (images[None] if images.ndim == 2 else images)[..., None]


def _read_array(path, read_png):
    """The array in a PNG or .npy file."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no image file {path}")
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                return np.lib.format.read_array(file, allow_pickle=False)
        if path.suffix.lower() == ".png":
            return read_png(path)
    except InputError:
        raise
    except Exception as error:  # the readers raise errors of many kinds
        raise InputError(f"{path} cannot be read as an image: it is damaged or of another format ({error})") from None
    raise InputError(f"{path} is neither a .png nor a .npy file")


def _read_png(path):
    from matplotlib.image import imread

    image = imread(path)
    if image.ndim == 3:
        raise InputError(f"{path} has {image.shape[2]} channels: expected a grey image; convert it to greyscale first")
    return image


def _read_png_labels(path):
    from PIL import Image  # and not matplotlib, which turns numbers into brightness

    with Image.open(path) as image:
        labels = np.asarray(image)
    if labels.ndim != 2:
        raise InputError(f"{path} is in colour: expected a label map, grey or with a palette")
    return labels.astype(np.uint8) if labels.dtype == bool else labels

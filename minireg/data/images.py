"""Images in files, PNG or NumPy's .npy: read as batches, or refused in one sentence."""

from pathlib import Path

import numpy as np

from minireg.errors import InputError

ROUNDING = 1e-5  # what resampling leaves below 0 and above 1
NARROWEST = 8  # pixels: a last axis that is shorter than this and than the others holds channels, and no columns
SUFFIXES = (".png", ".npy")


def read_images(path):
    """Read one image or a stack from a PNG or .npy file, as a network takes it: (N, H, W, 1), float32, in [0, 1].

    A PNG file must be grey. In a NumPy file (.npy) there is (H, W) or (N, H, W); uint8 is divided by 255, uint16 by
    65535, and floats must lie in [0, 1]. Raises InputError as `read_intensities`, and for values out of range.

    >>> np.save("image.npy", np.array([[0, 51, 255]], "uint8"))
    >>> read_images("image.npy")[0, :, :, 0].astype(float).round(6).tolist()
    [[0.0, 0.2, 1.0]]
    """
    images = read_intensities(path)
    if images.dtype.kind == "u":
        images = (images / np.iinfo(images.dtype).max).astype(np.float32)
    if images.min() < -ROUNDING or images.max() > 1 + ROUNDING:
        raise InputError(
            f"{path} has intensities from {images.min():.4g} to {images.max():.4g}: scale them to [0, 1] first"
        )
    return np.clip(images, 0, 1)


def read_intensities(path):
    """Read one image or a stack in whatever unit it has, (N, H, W, 1).

    In a NumPy file (.npy) there is (H, W) or (N, H, W) of uint8 or uint16, which stay what they are, or of floats,
    which become float32. A PNG file must be grey, and becomes float32 with 1 for white. Raises InputError for other
    files, more than one channel, values that are not finite, and a constant image, with which nothing can be aligned.

    >>> np.save("ct.npy", np.array([[-1000.0, 0.0, 40.0]]))
    >>> read_intensities("ct.npy")[0, :, :, 0].tolist()
    [[-1000.0, 0.0, 40.0]]
    """
    images = _read_array(path, as_labels=False)
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
    """Read one label map or a stack, (N, H, W, 1): the whole numbers that are in the file; 0 is background.

    A PNG file is grey, or has a palette, whose indices are the labels. In a NumPy file (.npy) there is (H, W) or
    (N, H, W) of integers. Raises InputError for other files, colours, and values that are not whole numbers from 0.

    >>> from PIL import Image
    >>> Image.fromarray(np.array([[0, 1, 4]], "uint8")).save("tissues.png")
    >>> read_labels("tissues.png")[0, :, :, 0].tolist()
    [[0, 1, 4]]
    """
    labels = _read_array(path, as_labels=True)
    if labels.dtype.kind not in "ui" or (labels.size and labels.min() < 0):
        raise InputError(f"{path} holds {labels.dtype}: expected label maps, whole numbers from 0 (background)")
    return _as_stack(labels, path)


def _as_stack(images, path):
    """(H, W) or (N, H, W) as (N, H, W, 1)."""
    has_channels = images.ndim == 3 and images.shape[2] < min(NARROWEST, *images.shape[:2])
    if images.ndim not in (2, 3) or images.size == 0 or has_channels:
        remedy = (
            "; save one channel, array[..., 0], or the images first, array.transpose(2, 0, 1)" if has_channels else ""
        )
        raise InputError(
            f"{path} has the shape {images.shape}: expected a grey image (H, W) or a stack (N, H, W), without "
            f"channels{remedy}"
        )
    return (images[None] if images.ndim == 2 else images)[..., None]


def _read_array(path, as_labels):
    """The array in a PNG or .npy file."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no image file {path}")
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                return np.lib.format.read_array(file, allow_pickle=False)
        if path.suffix.lower() == ".png":
            return _read_png(path, as_labels)
    except InputError:
        raise
    except Exception as error:  # the readers raise errors of many kinds
        raise InputError(f"{path} cannot be read as an image: it is damaged or of another format ({error})") from None
    raise InputError(f"{path} is neither a .png nor a .npy file")


def _read_png(path, as_labels):
    """(H, W): the numbers in a PNG file as labels; or, divided by that for white, as intensities in float32."""
    from PIL import Image

    with Image.open(path, formats=["PNG"]) as image:
        mode, pixels = image.mode, np.asarray(image)
    if as_labels and pixels.ndim != 2:
        raise InputError(f"{path} is in colour: expected a label map, grey or with a palette")
    if pixels.ndim != 2 or (mode == "P" and not as_labels):
        found = "a palette" if mode == "P" else f"{pixels.shape[2]} channels"
        raise InputError(f"{path} has {found}: expected a grey image; convert it to greyscale first")
    white = 2 ** path.read_bytes()[24] - 1  # every PNG file begins with its header, in which there is the bit depth
    if mode == "L":
        pixels = pixels // (255 // white)  # Pillow has spread 2 and 4 bits over 0 to 255
    if as_labels:
        return pixels.astype(np.uint8) if mode == "1" else pixels
    return np.divide(pixels, white, dtype=np.float32)

"""Images in files: read as batches, or refused in one sentence; and written.

PNG and NumPy's .npy are read here; `medical.py` reads NIfTI and DICOM for `read_picture`.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from minireg.data.geometry import OF_ONE_ALONE, Geometry
from minireg.data.medical import read_dicom, read_nifti, write_dicom, write_nifti
from minireg.data.preprocessing import normalise_percentiles
from minireg.errors import InputError
from minireg.files import atomic_write

ROUNDING = 1e-5  # what resampling leaves below 0 and above 1
NARROWEST = 8  # pixels: a last axis that is shorter than this and than the others holds channels, and no columns
SUFFIXES = (".png", ".npy")
COLOURS = (3, 4)  # channels: red, green, blue, and opacity
WITH_WHITE = (np.uint8, np.uint16)  # of other integers, nobody knows which value is white
REMEDY = "convert to PNG, with Pillow or with ImageMagick: convert in.tif out.png"


class Picture(NamedTuple):
    """What is in an image file, and where it lies.

    images : (N, H, W, 1) in the unit of the file: integers of PNG and .npy stay what they are, and so do uint8 and
        uint16 of all files; all else becomes float32. Of a label map: whole numbers from 0.
    geometry : Geometry of the pixels
    window : (low, high), what a DICOM file says is to be seen, or None
    """

    images: np.ndarray
    geometry: Geometry = Geometry()
    window: tuple | None = None

    @property
    def compared(self):
        """What registration should see: (N, H, W, 1), float32, in the unit of the file, clipped to the window.

        >>> Picture(np.array([-1000, 40, 900]).reshape(1, 1, 3, 1), window=(-160, 240)).compared.ravel().tolist()
        [-160.0, 40.0, 240.0]
        """
        images = self.images.astype(np.float32)
        seen = images if self.window is None else np.clip(images, *self.window)
        return seen if seen.min() < seen.max() else images  # a window beside all intensities shows nothing


def suffix_of(path):
    """The suffix of an image file, .dcm for a folder and for a file that says in itself that it is DICOM.

    >>> suffix_of("head/T1.nii.gz"), suffix_of("head.PNG")
    ('.nii.gz', '.png')
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".gz" and path.stem.lower().endswith(".nii"):
        return ".nii.gz"
    return ".dcm" if path.is_dir() or (suffix not in WRITERS and _is_dicom(path)) else suffix


def read_picture(path, place=None, colours=False):
    """Read a `Picture` from a PNG, .npy, NIfTI (.nii, .nii.gz) or DICOM file, or from a folder with a DICOM series.

    `place` says which slice of a volume, as "AXIS:INDEX": AXIS is axial, coronal or sagittal, or 0, 1 or 2 for that
    axis of the array in the file; INDEX counts from 0, or from the end if it is negative. PNG gives uint8 or uint16 as
    it is in the file, and float32 in [0, 1] where it has fewer than 8 bits. A PNG file with colours, where they may be,
    has the images (1, H, W, 3), or 4 with its opacity, uint8.

    Raises InputError as `read_intensities`, but not for constant images (`refuse_constant`); for a volume without a
    place, and a place where there is no volume; for colours where they may not be, and series in time; where nibabel or
    pydicom is needed and missing.

    >>> np.save("ct.npy", np.array([[-1000.0, 0.0, 40.0]]))
    >>> read_picture("ct.npy").compared.ravel().tolist(), read_picture("ct.npy").geometry.measured
    ([-1000.0, 0.0, 40.0], False)
    """
    if suffix_of(path) in SUFFIXES:
        _refuse_place(path, place)
        return Picture(_read_stored(path, colours))
    pixels, *rest = _read_slice(path, place)
    if pixels.dtype.newbyteorder("=") not in WITH_WHITE:
        pixels = _as_float32(pixels)
    return Picture(_checked(pixels[None, :, :, None], path), *rest)


def read_label_picture(path, place=None, what="label map"):
    """Read a `Picture` of label maps, or masks, from any file that `read_picture` reads; 0 is background.

    `what` names them in messages. Raises InputError as `read_picture` and `read_labels`.

    >>> np.save("tissues.npy", np.array([[0, 1, 4]]))
    >>> read_label_picture("tissues.npy").images.ravel().tolist()
    [0, 1, 4]
    """
    if suffix_of(path) in SUFFIXES:
        _refuse_place(path, place)
        return Picture(read_labels(path, what))
    pixels, geometry, *_ = _read_slice(path, place)
    return Picture(_as_labels(pixels, path, what)[None, :, :, None], geometry)


def refuse_constant(images, path):
    """Raise InputError where one of the images (N, H, W, C), which are from `path`, is constant: it matches nothing.

    >>> refuse_constant(np.ones((2, 3, 3, 1)), "white.npy")
    Traceback (most recent call last):
    minireg.errors.InputError: image 0 of white.npy is constant (1 everywhere): there is nothing to align
    """
    constant = np.flatnonzero(images.min(axis=(1, 2, 3)) == images.max(axis=(1, 2, 3)))
    if constant.size:
        first = f"image {constant[0]} of {path} is constant ({images[constant[0], 0, 0, 0]:.4g} everywhere)"
        raise InputError(f"{first}: there is nothing to align")


def for_all(arrays, count):
    """One array (1, ...) as `count` equal ones, (count, ...); that many arrays as they are.

    >>> for_all(np.array([[1, 2]]), 3).tolist()
    [[1, 2], [1, 2], [1, 2]]
    """
    return np.ascontiguousarray(np.broadcast_to(arrays, (count, *arrays.shape[1:])))


def in_type(images, dtype):
    """Images of floats in the type `dtype`: of integers, they are rounded, and stay within what it can hold.

    >>> in_type(np.array([-0.4, 99.6, 300]), np.dtype("uint8")).tolist()
    [0, 100, 255]
    """
    if dtype.kind not in "iu":
        return images.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    return np.rint(images.astype(np.float64)).clip(limits.min, limits.max).astype(dtype)


def write_image(path, image, geometry):
    """Write an image (H, W) of real numbers to a file, whole or not at all; the suffix of `path` says of which kind.

    .png has 8 bits for uint8 and for floats, which must lie in [0, 1], and 16 for uint16; (H, W, 3) in uint8 are
    colours, and (H, W, 4) those with their opacity. It says nothing of where the image lies, like .npy, which takes
    stacks (N, H, W) too. .nii and .nii.gz are one slice of the same numbers. .dcm is a new DICOM file with 16 bits and
    a slope and an intercept that give the numbers; it holds pixels and geometry, and nothing of a patient.

    Raises InputError for other suffixes and for what the format cannot hold; OSError as `atomic_write`.

    >>> write_image("image.png", np.array([[0, 51, 255]], "uint8"), Geometry())
    >>> read_picture("image.png").images.ravel().tolist()
    [0, 51, 255]
    """
    suffix = suffix_of(path)
    if suffix not in WRITERS:
        raise InputError(f"{path} cannot be written: expected a name that ends in {', '.join(WRITERS)}")
    WRITERS[suffix](path, image, geometry)


def _read_slice(path, place):
    """The pixels (H, W) of a NIfTI or DICOM file, their Geometry, and of DICOM the window."""
    if not Path(path).exists():
        raise InputError(f"there is no image file {path}")
    suffix = suffix_of(path)
    if suffix not in MEDICAL:
        raise InputError(f"{path} is neither .png, .npy, .nii, .nii.gz nor DICOM: {REMEDY}")
    return MEDICAL[suffix](path, place)


def _refuse_place(path, place):
    if place is not None:
        raise InputError(f"{path} is no volume: leave out the slice {place}{OF_ONE_ALONE}")


def _is_dicom(path):
    """Whether a file has the mark of DICOM."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def fits_png(image):
    """Whether the numbers of an image are such as `write_image` puts into a PNG file.

    >>> fits_png(np.array([0, 1.5])), fits_png(np.array([0, 0.5])), fits_png(np.array([0, 1], "int16"))
    (False, True, False)
    """
    if image.dtype.kind == "f":
        return bool(image.min() >= -ROUNDING and image.max() <= 1 + ROUNDING)
    return image.dtype in WITH_WHITE


def _write_png(path, image, geometry):
    from PIL import Image

    image = np.asarray(image)
    in_colour = image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] in COLOURS
    if not in_colour and (image.ndim != 2 or not fits_png(image)):
        raise InputError(
            f"{path} cannot hold {image.dtype} from {image.min():.4g} to {image.max():.4g} of the shape "
            f"{image.shape}: expected one image of uint8, uint16, or floats in [0, 1]; .npy takes all numbers"
        )
    if image.dtype.kind == "f":
        image = (255 * image.clip(0, 1)).round().astype(np.uint8)
    with atomic_write(path) as file:
        Image.fromarray(image).save(file, "PNG")


def _write_npy(path, image, geometry):
    with atomic_write(path) as file:
        np.save(file, image)


MEDICAL = {".nii": read_nifti, ".nii.gz": read_nifti, ".dcm": read_dicom}
WRITERS = {".png": _write_png, ".npy": _write_npy, ".nii": write_nifti, ".nii.gz": write_nifti, ".dcm": write_dicom}


def read_images(path):
    """Read one image or a stack from a PNG or .npy file, as a network takes it: (N, H, W, 1), float32, in [0, 1].

    A PNG file must be grey. In a NumPy file (.npy) there is (H, W) or (N, H, W); uint8 is divided by 255, uint16 by
    65535, and floats in [0, 1] stay what they are. Of all else nobody knows which value is white: it is scaled by its
    percentiles (`normalise_percentiles`). Raises InputError as `read_intensities`.

    >>> np.save("image.npy", np.array([[0, 51, 255]], "uint8"))
    >>> read_images("image.npy")[0, :, :, 0].astype(float).round(6).tolist()
    [[0.0, 0.2, 1.0]]
    """
    images = read_intensities(path)
    if images.dtype in WITH_WHITE:
        return (images / np.iinfo(images.dtype).max).astype(np.float32)
    return np.clip(images, 0, 1) if fits_png(images) else normalise_percentiles(images)


def read_intensities(path):
    """Read one image or a stack in whatever unit it has, (N, H, W, 1).

    In a NumPy file (.npy) there is (H, W) or (N, H, W) of integers, which stay what they are, or of floats, which
    become float32. A PNG file must be grey, and becomes float32 with 1 for white. Raises InputError for other files,
    more than one channel, values that are not finite, and as `refuse_constant`.

    >>> np.save("ct.npy", np.array([[-1000.0, 0.0, 40.0]]))
    >>> read_intensities("ct.npy")[0, :, :, 0].tolist()
    [[-1000.0, 0.0, 40.0]]
    """
    images = _read_stored(path)
    refuse_constant(images, path)
    if suffix_of(path) == ".png" and images.dtype.kind == "u":
        images = np.divide(images, np.iinfo(images.dtype).max, dtype=np.float32)
    return images


def _read_stored(path, colours=False):
    """(N, H, W, 1) as `read_intensities`, but a PNG file with 8 or 16 bits is uint8 or uint16, and may be in colour."""
    images = _read_array(path, as_labels=False, colours=colours)
    if colours and suffix_of(path) == ".png" and images.ndim == 3:
        return images[None]
    if images.dtype.kind not in "iuf":
        raise InputError(f"{path} holds {images.dtype}: expected a grey image, integers or floats")
    return _checked(_as_stack(images if images.dtype.kind in "iu" else _as_float32(images), path), path)


def _as_float32(images):
    with np.errstate(over="ignore"):  # becomes infinite, which is reported
        return images.astype(np.float32, copy=False)


def _checked(images, path):
    """Images (N, H, W, 1) in the byte order of this machine, and finite."""
    bad = np.size(images) - np.count_nonzero(np.isfinite(images))
    if bad:
        raise InputError(f"{path} has {bad} values that are NaN or infinite: replace them first")
    return images.astype(images.dtype.newbyteorder("="), copy=False)


def read_labels(path, what="label map"):
    """Read one label map or a stack, (N, H, W, 1): the whole numbers that are in the file; 0 is background.

    A PNG file is grey, or has a palette, whose indices are the labels. In a NumPy file (.npy) there is (H, W) or
    (N, H, W) of integers, of booleans, or of floats that are whole numbers. Raises InputError for other files, colours,
    and values that are not whole numbers from 0; `what` names what was expected instead.

    >>> from PIL import Image
    >>> Image.fromarray(np.array([[0, 1, 4]], "uint8")).save("tissues.png")
    >>> read_labels("tissues.png")[0, :, :, 0].tolist()
    [[0, 1, 4]]
    """
    return _as_stack(_as_labels(_read_array(path, as_labels=True), path, what), path)


def _as_labels(numbers, path, what):
    """Booleans and whole floats as integers; what is neither these nor integers from 0 is refused."""
    if numbers.dtype.kind == "b":
        return numbers.astype(np.uint8)
    with np.errstate(invalid="ignore"):
        whole = numbers.astype(np.int32) if numbers.dtype.kind == "f" else numbers
    if whole.dtype.kind not in "ui" or not np.array_equal(whole, numbers):
        raise InputError(f"{path} holds {numbers.dtype}: expected {what}s, whole numbers from 0 (background)")
    if whole.min(initial=0) < 0:
        raise InputError(
            f"{path} holds numbers down to {whole.min()}: expected {what}s, whole numbers from 0 (background)"
        )
    return whole


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


def _read_array(path, as_labels, colours=False):
    """The array in a PNG or .npy file."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no image file {path}")
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                return np.lib.format.read_array(file, allow_pickle=False)
        if path.suffix.lower() == ".png":
            return _read_png(path, as_labels, colours)
    except InputError:
        raise
    except Exception as error:  # the readers raise errors of many kinds
        raise InputError(f"{path} cannot be read as an image: it is damaged or of another format ({error})") from None
    raise InputError(f"{path} is neither a .png nor a .npy file: {REMEDY}")


def _read_png(path, as_labels, colours):
    """(H, W): the numbers in a PNG file; as intensities, those of fewer than 8 bits are divided by that for white.

    Of colours, if they may be, (H, W, 3), or (H, W, 4) where the file has an opacity.
    """
    from PIL import Image

    with Image.open(path, formats=["PNG"]) as image:
        if colours and image.mode in ("P", "LA", "RGB", "RGBA"):
            has_opacity = "A" in image.mode or "transparency" in image.info
            return np.asarray(image.convert("RGBA" if has_opacity else "RGB"))
        mode, pixels = image.mode, np.asarray(image)
    if as_labels and pixels.ndim != 2:
        raise InputError(f"{path} is in colour: expected a label map or a mask, grey or with a palette")
    if pixels.ndim != 2 or (mode == "P" and not as_labels):
        found = "a palette" if mode == "P" else f"{pixels.shape[2]} channels"
        raise InputError(f"{path} has {found}: expected a grey image; convert it to greyscale first")
    bits = path.read_bytes()[24]  # every PNG file begins with its header, in which there is the bit depth
    white = 2**bits - 1
    if mode == "L":
        pixels = pixels // (255 // white)  # Pillow has spread 2 and 4 bits over 0 to 255
    if bits < 8 and not as_labels:
        return np.divide(pixels, white, dtype=np.float32)
    return pixels.astype(np.uint16 if bits == 16 else np.uint8)

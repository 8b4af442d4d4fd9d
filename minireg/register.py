"""python -m minireg.register: align your own images with a trained network."""

import argparse
import sys
from pathlib import Path

import numpy as np

from minireg import command, metrics, viz
from minireg.errors import InputError
from minireg.files import save_npz
from minireg.models import register
from minireg.trainer import load_network


def main(argv=None):
    """The command line: parse, register, write. Returns the exit code."""
    return command.run("minireg.register", lambda: _register(_parse(argv)))


def _parse(argv):
    parser = argparse.ArgumentParser(prog="python -m minireg.register", description=__doc__.split(": ", 1)[1])
    command.add_backend_option(parser)
    add = parser.add_argument
    add("moving", metavar="MOVING", help="PNG, or .npy with one image (H, W) or a stack (N, H, W)")
    add("fixed", metavar="FIXED", help="the same; one image stands for a stack of equal ones")
    add("--checkpoint", required=True, metavar="FILE", help="checkpoint.npz of a run folder")
    add("--out", required=True, metavar="FOLDER", help="where to write registration.npz and registration.png")
    return parser.parse_args(argv)


def _register(args):
    command.use_backend(args)
    network, _ = load_network(args.checkpoint)
    moving, fixed = read_images(args.moving), read_images(args.fixed)
    if moving.shape[1:] != fixed.shape[1:]:
        raise InputError(
            f"the images have different sizes: {args.moving} is {moving.shape[1]} x {moving.shape[2]}, {args.fixed} is "
            f"{fixed.shape[1]} x {fixed.shape[2]}; crop or pad them to one size first"
        )
    if len(moving) != len(fixed) and 1 not in (len(moving), len(fixed)):
        raise InputError(
            f"{args.moving} holds {len(moving)} images and {args.fixed} {len(fixed)}: give equally many, or one for all"
        )
    shape = (max(len(moving), len(fixed)), *moving.shape[1:])
    moving, fixed = (np.ascontiguousarray(np.broadcast_to(images, shape)) for images in (moving, fixed))

    warped, displacement = register(network, moving, fixed, progress=True)
    folder = Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    save_npz(folder / "registration.npz", warped=warped[..., 0], displacement=displacement)
    viz.registration_picture(moving, fixed, warped, displacement, folder / "registration.png")
    before, after = metrics.ncc(moving, fixed).mean(), metrics.ncc(warped, fixed).mean()
    folded = metrics.folded_pixels(displacement).mean()
    print(f"{len(moving)} pairs: NCC {before:.4f} -> {after:.4f}, folded pixels {folded:.3%}; written to {folder}")


def read_images(path):
    """Read one image or a stack from a PNG or .npy file.

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
        Not such a file; more than one channel; values that are not finite or out of range; a constant image, with
        which nothing can be aligned.
    """
    images = _read_array(path)
    if images.dtype.str[1:] not in ("u1", "u2", "f2", "f4", "f8"):  # in an int64, nobody knows which value is white
        raise InputError(f"{path} holds {images.dtype}: expected uint8, uint16, or floats in [0, 1]")
    looks_like_channels = images.ndim == 3 and images.shape[2] in (1, 3, 4) and min(images.shape[:2]) >= 8
    if images.ndim not in (2, 3) or images.size == 0 or looks_like_channels:
        raise InputError(
            f"{path} has the shape {images.shape}: expected a grey image (H, W) or a stack (N, H, W), without channels"
        )
    if images.dtype.kind == "u":
        images = images / np.iinfo(images.dtype).max
    with np.errstate(over="ignore"):  # becomes infinite, which is reported below
        images = images.astype(np.float32)
    images = images[None] if images.ndim == 2 else images
    bad = np.size(images) - np.count_nonzero(np.isfinite(images))
    if bad:
        raise InputError(f"{path} has {bad} values that are NaN or infinite: replace them first")
    if images.min() < 0 or images.max() > 1:
        raise InputError(
            f"{path} has intensities from {images.min():.4g} to {images.max():.4g}: scale them to [0, 1] first"
        )
    constant = np.flatnonzero(np.ptp(images, axis=(1, 2)) == 0)
    if constant.size:
        raise InputError(f"image {constant[0]} of {path} is constant ({images[constant[0], 0, 0]:.4g} everywhere): "
                         "there is nothing to align")  # fmt: skip
    return images[..., None]


def _read_array(path):
    """The array in a PNG or .npy file."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no image file {path}")
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                return np.lib.format.read_array(file, allow_pickle=False)
        if path.suffix.lower() == ".png":
            from matplotlib.image import imread

            image = imread(path)
            if image.ndim == 3:
                raise InputError(
                    f"{path} has {image.shape[2]} channels: expected a grey image; convert it to greyscale first"
                )
            return image
    except InputError:
        raise
    except Exception as error:  # the readers raise errors of many kinds
        raise InputError(f"{path} cannot be read as an image: it is damaged or of another format ({error})") from None
    raise InputError(f"{path} is neither a .png nor a .npy file")


if __name__ == "__main__":
    sys.exit(main())

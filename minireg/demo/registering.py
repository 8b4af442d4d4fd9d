"""From two drawn digits to fields and pictures. All of it is the library's; here it is called, and put into words."""

import base64
import binascii
import io
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minireg import backend, metrics, viz
from minireg.data import pad
from minireg.data.digits import IMAGE_SIZE
from minireg.data.sketches import digit_from_sketch, read_sketch
from minireg.errors import InputError
from minireg.fields import integrate, logarithm, warp_images
from minireg.methods import make_method

METHODS = ("network", "network+refine")
SQUARINGS = 6  # of exp(t v): a velocity of 10 pixels goes a sixth of a pixel at a time
STRAIGHT, FLOW = "straight: t u", "in a flow: exp(t v)"
WAYS = (STRAIGHT, FLOW)
LONGEST_ADDRESS = 2**24  # letters: a picture of 12 MB


class Registered(NamedTuple):
    """What a session has registered: one entry in each for every method that is done.

    names : of the methods
    moving, fixed : (N, 32, 32, 1), N times the same
    displacement : (N, 32, 32, 2), in pixels
    milliseconds : how long each took
    """

    names: list
    moving: np.ndarray
    fixed: np.ndarray
    displacement: np.ndarray
    milliseconds: list


class Registrar:
    """Registers two drawn digits with a network, alone and refined. `loss` is the one that it was trained with."""

    def __init__(self, network, loss):
        self.methods = [make_method("network", network), make_method("network+refine", network, loss=loss)]

    def __call__(self, moving, fixed):
        """The addresses of two pictures ("data:image/png;base64,...") -> `Registered`, once for each method done.

        Raises InputError where one of them is no drawn digit; it says which.
        """
        moving, fixed = (_image(address, role) for address, role in ((moving, "moving"), (fixed, "fixed")))
        fields, milliseconds = [], []
        for done, method in enumerate(self.methods, start=1):
            started = time.perf_counter()
            fields.append(method(moving, fixed))
            milliseconds.append(1000 * (time.perf_counter() - started))
            images = (np.repeat(image, done, axis=0) for image in (moving, fixed))
            yield Registered(list(METHODS[:done]), *images, np.concatenate(fields), list(milliseconds))


def _image(address, role):
    """The image (1, 32, 32, 1) of a picture's address."""
    try:
        return pad(digit_from_sketch(read_sketch(_contents(address)))[None], IMAGE_SIZE)
    except InputError as error:
        raise InputError(f"The {role} image: {error}.") from None


def _contents(address):
    """The bytes of a picture whose address holds it; none for the address of nothing."""
    if not address:
        raise InputError("nothing is drawn: draw a digit, or pick one")
    if not isinstance(address, str) or len(address) > LONGEST_ADDRESS:
        raise InputError(f"expected a picture of at most {LONGEST_ADDRESS * 3 // 4 // 2**20} MB")
    try:
        return base64.b64decode(address.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        return b""  # which is no picture


def address_of(contents, kind):
    """The address of a picture that is in it: "data:image/png;base64,..."

    >>> address_of(b"GIF", "gif")
    'data:image/gif;base64,R0lG'
    """
    return f"data:image/{kind};base64,{base64.b64encode(contents).decode()}"


def sketch_of(image):
    """The address of an image (H, W, 1) with intensities in [0, 1], as if it had been drawn.

    >>> sketch_of(np.zeros((28, 28, 1)))[:22]
    'data:image/png;base64,'
    """
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.rint(255 * image[..., 0]).astype(np.uint8)).save(file, "PNG")
    return address_of(file.getvalue(), "png")


def field_at(displacement, t, way):
    """The displacement when the share t of the way is gone.

    The networks put several flows together, so there is no v with exp(v) = u that they know of: the `logarithm` looks
    for one that comes near.

    >>> field_at(np.full((1, 4, 4, 2), (1, -2), "float32"), 0.5, FLOW)[0, 2, 2].tolist()
    [0.5, -1.0]
    """
    if way == STRAIGHT:
        return displacement * np.float32(t)
    velocity = logarithm(backend.to_device(displacement)) * t
    return backend.to_host(integrate(velocity, SQUARINGS).data)


def pictures(registered, t, way):
    """The addresses of the pictures of the images and of the fields at t."""
    moving, fixed = registered.moving, registered.fixed
    displacement = field_at(registered.displacement, t, way)
    shown = (moving, fixed, warp_images(moving, displacement), displacement)
    return tuple(
        _drawn(draw, "png", *shown, titles=registered.names) for draw in (viz.registration_picture, viz.field_picture)
    )


def animated(registered):
    """The address of the animation."""
    return _drawn(viz.animation, "gif", registered.moving, registered.fixed, registered.displacement)


def _drawn(draw, kind, *arrays, **options):
    """The address of a picture that a function of `viz` writes. Nothing of it stays on the disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"picture.{kind}"
        draw(*arrays, path=path, **options)
        return address_of(path.read_bytes(), kind)


def numbers(registered):
    """What was measured, in words: rows of a name, NCC, folded cells, the longest displacement, and milliseconds."""
    moving, fixed, displacement = registered.moving, registered.fixed, registered.displacement
    rows = [("before", f"{metrics.ncc(moving, fixed)[0]:.3f}", "", "", "")]
    ncc, folded = metrics.ncc(warp_images(moving, displacement), fixed), metrics.folded_cells(displacement)
    longest = np.hypot(displacement[..., 0], displacement[..., 1]).max(axis=(1, 2))
    for row in zip(registered.names, ncc, folded, longest, registered.milliseconds, strict=True):
        rows.append(tuple(f"{value:{form}}" for value, form in zip(row, ("", ".3f", ".2%", ".1f", ".0f"), strict=True)))
    return rows


def remark(registered, way):
    """A sentence about what one might wonder at, or an empty one."""
    displacement = registered.displacement
    if np.array_equal(registered.moving, registered.fixed):
        return "Both images are the same, so nothing has to move: the field is 0 everywhere."
    if way == STRAIGHT:
        return ""
    missed = field_at(displacement, 1, FLOW) - displacement
    missed = np.hypot(missed[..., 0], missed[..., 1]).max()
    return f"The flow ends at most {missed:.2f} pixels from where the field u leads."

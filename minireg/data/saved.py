"""A registration in a file, registration.npz: the field, and where the pixels of both images lie."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from minireg.data.geometry import Geometry
from minireg.errors import InputError
from minireg.files import save_npz


class Registration(NamedTuple):
    """For each pair the field from the fixed to the moving image:  warped[p] = moving(p + displacement[p]).

    displacement : (N, H, W, 2) float32, for each pixel of the fixed image, in pixels. p + displacement[p] counts pixels
        of the moving image, whose size and spacing may be others.
    moving_shape : (H', W')
    fixed, moving : Geometry of both images
    """

    displacement: np.ndarray
    moving_shape: tuple
    fixed: Geometry = Geometry()
    moving: Geometry = Geometry()


def save_registration(path, registration, **arrays):
    """Write a registration and further arrays, such as `warped`, to an .npz file.

    >>> save_registration("registration.npz", Registration(np.zeros((1, 4, 5, 2), "float32"), (4, 5)))
    >>> load_registration("registration.npz").displacement.shape
    (1, 4, 5, 2)
    """
    geometries = {
        f"{name}_{part}": value
        for name in ("fixed", "moving")
        for part, value in getattr(registration, name)._asdict().items()
    }
    shape = np.array(registration.moving_shape)
    save_npz(path, **arrays, displacement=registration.displacement, moving_shape=shape, **geometries)


def load_registration(path):
    """Read what `save_registration` has written. Raises InputError where the file is none of these, or damaged."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no file {path}: expected the registration.npz of a registration")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files if not name.startswith("warped")}
        geometries = [
            Geometry(arrays[f"{name}_affine"], *(bool(arrays[f"{name}_{part}"]) for part in ("measured", "planar")))
            for name in ("fixed", "moving")
        ]
        displacement, moving_shape = arrays["displacement"], tuple(int(side) for side in arrays["moving_shape"])
    except Exception as error:  # damaged archives raise errors of many kinds
        raise InputError(
            f"{path} cannot be read as a registration ({error}): expected the registration.npz of minireg.register"
        ) from None
    good = displacement.ndim == 4 and displacement.shape[3] == 2 and displacement.dtype.kind == "f"
    if not good or not np.isfinite(displacement).all():
        raise InputError(f"{path} holds a displacement {displacement.shape}: expected (N, H, W, 2), finite numbers")
    if len(moving_shape) != 2 or any(geometry.affine.shape != (4, 4) for geometry in geometries):
        raise InputError(f"{path} does not say where pixels lie as minireg.register does: register again")
    return Registration(displacement, moving_shape, *geometries)

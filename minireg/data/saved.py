"""A registration in files: registration.npz has the field, and where the pixels of both images lie; others a part."""

import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minireg import backend
from minireg.data.geometry import Geometry
from minireg.data.images import WRITERS, fits_png, for_all, in_type, write_image
from minireg.data.medical import write_itk_field
from minireg.data.points import write_points
from minireg.errors import InputError
from minireg.fields import affine_part, warp_points
from minireg.files import atomic_write, save_npz

RESULT, POINTS, AFFINE, ITK = "registration.npz", "points.csv", "affine.txt", "displacement.nii.gz"
WARPED = tuple(f"warped{suffix}" for suffix in WRITERS)
AFFINE_HEADER = (
    "The affine map that is closest to the field, by least squares: two rows for each pair, which send (row, column, "
    "1) in the fixed image to (row, column) in the moving image, in pixels from 0."
)


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

    @property
    def grids(self):
        """The size and the Geometry of the fixed image, and of the moving one."""
        return (self.displacement.shape[1:3], self.fixed), (self.moving_shape, self.moving)

    def how_far(self, start, spacings, words="moved by"):
        """In words, how far from the field `start` those pixels look that look inside the moving image.

        `spacings` are those of the moving and the fixed image, in mm from one row, and one column, to the next.

        >>> right = np.full((1, 4, 5, 2), (0, 2), "float32")
        >>> Registration(right, (4, 5)).how_far(np.zeros_like(right), ((1, 1), (1, 1)))
        'moved by 2.00 pixels on average, 2.00 pixels at most'
        """
        displacement, inside = self.displacement, True
        for axis, side in enumerate(self.moving_shape):
            own = np.arange(displacement.shape[1 + axis], dtype=np.float32)
            looked_at = displacement[..., axis] + (own[:, None] if axis == 0 else own)
            inside = inside & (looked_at > -0.5) & (looked_at < side - 0.5)
        if not inside.any():
            return "no pixel looks inside the moving image"
        down, across = ((displacement[..., axis] - start[..., axis]) * spacings[0][axis] for axis in (0, 1))
        lengths = np.hypot(down, across)[inside]
        side = min(spacings[1])  # of a pixel of the fixed image, the finer one
        measured = self.fixed.measured and self.moving.measured
        mean, most = (
            f"{length / side:.2f} pixels" + (f" ({length:.2f} mm)" if measured else "")
            for length in (lengths.mean(dtype=np.float64), lengths.max())
        )
        return f"{words} {mean} on average, {most} at most"


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
    except Exception:  # damaged archives raise errors of many kinds
        raise InputError(
            f"{path} cannot be read as a registration: expected the registration.npz that minireg.register has "
            "written; images come after it"
        ) from None
    good = displacement.ndim == 4 and displacement.shape[3] == 2 and displacement.dtype.kind == "f"
    if not good or not np.isfinite(displacement).all():
        raise InputError(f"{path} holds a displacement {displacement.shape}: expected (N, H, W, 2), finite numbers")
    if len(moving_shape) != 2 or any(geometry.affine.shape != (4, 4) for geometry in geometries):
        raise InputError(f"{path} does not say where pixels lie as minireg.register does: register again")
    return Registration(displacement, moving_shape, *geometries)


def save_results(folder, registration, arrays, dtype, suffix, points=None):
    """Write all there is of a registration but the pictures, in place of what an earlier one has left in the folder.

    That is registration.npz with further `arrays` too, affine.txt, and points.csv, if there are points (`save_points`).
    Of a single pair also displacement.nii.gz (`save_for_itk`) and the image arrays["warped"] (N, H, W), in the type
    `dtype` of the moving image (`in_type`) and the format `suffix` (`write_image`); .npy for what PNG cannot hold.

    Raises InputError as `write_image`, OSError as `atomic_write`.

    >>> registration, warped = Registration(np.zeros((1, 2, 3, 2), "float32"), (2, 3)), np.full((1, 2, 3), 40.2)
    >>> save_results("out", registration, {"warped": warped}, np.dtype("uint8"), ".png")
    >>> from minireg.data.images import read_picture
    >>> read_picture("out/warped.png").images[0, 0, :, 0].tolist()
    [40, 40, 40]
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    was_there = (folder / RESULT).exists()
    save_registration(folder / RESULT, registration, **arrays)
    if was_there:
        for name in (POINTS, ITK, *WARPED):
            (folder / name).unlink(missing_ok=True)
    with atomic_write(folder / AFFINE, "w") as file:
        np.savetxt(file, affine_part(registration.displacement).reshape(-1, 3), "%.9g", header=AFFINE_HEADER)
    if points is not None:
        save_points(folder / POINTS, points, registration)
    save_for_itk(folder / ITK, registration)
    if len(registration.displacement) == 1:
        warped = in_type(arrays["warped"][0], dtype)
        if suffix == ".png" and not fits_png(warped):
            suffix = ".npy"
        write_image(folder / f"warped{suffix}", warped, registration.fixed)


def save_points(path, points, registration, name="moving"):
    """Write a CSV file with points (K, 2) of the fixed image and, for each pair, where they are in the moving one.

    Both as row and column in pixels; in the moving image, whose columns begin with `name`, also in mm (left, posterior,
    superior) if it is measured. Raises OSError as `atomic_write`.

    >>> right = np.full((1, 4, 5, 2), (0, 2), "float32")
    >>> save_points("points.csv", np.array([[3, 1.5]], "float32"), Registration(right, (4, 7)))
    >>> Path("points.csv").read_text().split()
    ['pair,row,column,moving_row,moving_column', '0,3,1.5,3,3.5']
    """
    count = len(registration.displacement)
    pairs = for_all(points[None], count)
    found = backend.to_host(warp_points(*map(backend.to_device, (pairs, registration.displacement))).data)
    columns = ["pair", "row", "column", f"{name}_row", f"{name}_column"]
    table = [np.repeat(np.arange(count), len(points))[:, None], pairs.reshape(-1, 2), found.reshape(-1, 2)]
    if registration.moving.measured:
        columns += [f"{name}_{axis}_mm" for axis in "xyz"]
        table.append(registration.moving.to_mm(found.reshape(-1, 2)))
    write_points(path, columns, np.concatenate(table, axis=1))


def save_for_itk(path, registration):
    """Write the field of a single pair as `write_itk_field`; of several pairs, or without nibabel, nothing."""
    if len(registration.displacement) == 1 and importlib.util.find_spec("nibabel"):
        write_itk_field(path, registration)

"""Where the pixels of an image lie in space, in millimetres: their spacing, and how the slice lies in the patient."""

import itertools
import re
from typing import NamedTuple

import numpy as np

from minireg.errors import InputError

PLANES = {  # by the axis of LPS that goes through: where the image goes down, and to the right, as (axis of LPS, sign)
    "sagittal": ((2, -1), (1, 1)),
    "coronal": ((2, -1), (0, 1)),
    "axial": ((1, 1), (0, 1)),
}
NEAREST, FARTHEST = 1e-9, 1e9  # mm, from voxel to voxel
PERPENDICULAR = 0.01  # the cosine between rows and columns, at most
OF_ONE_ALONE = " (in register, --moving-slice and --fixed-slice are of one image alone)"


class Geometry(NamedTuple):
    """From pixels to millimetres.

    affine : (4, 4) float64, sends (row, column, slice, 1) to (left, posterior, superior, 1) in mm, as DICOM and ITK
        have it (NIfTI has right and anterior instead). An image is slice 0 of it.
    measured : bool, False where the file says nothing (PNG, NumPy): a pixel is then called 1 mm wide
    planar : bool, True for a NIfTI file with two axes, which for ITK is an image in a plane, not a slice in space

    >>> Geometry().spacing, Geometry().measured
    ((1.0, 1.0), False)
    """

    affine: np.ndarray = np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    measured: bool = False
    planar: bool = False

    @property
    def spacing(self):
        """From one row to the next, and from one column to the next, in mm."""
        return tuple(float(length) for length in np.linalg.norm(self.affine[:3, :2], axis=0))

    def to_mm(self, pixels):
        """Where pixels (..., 2) (row, column) lie: (..., 3), in mm.

        >>> Geometry().to_mm(np.array([3.0, 5.0])).tolist()  # 5 to the right, 3 down
        [5.0, 3.0, 0.0]
        """
        return pixels @ self.affine[:3, :2].T + self.affine[:3, 3]


def cut_slice(volume, affine, place, name):
    """One slice of a volume, turned as radiologists look at it, and where it lies.

    Down the image is posterior in an axial slice, inferior in others; to the right is the patient's left, posterior in
    a sagittal slice. Where the axes of the volume are oblique, each goes by the direction that it is nearest to.

    Parameters
    ----------
    volume : (I, J, K), an array or what can be sliced like one
    affine : (4, 4), sends (i, j, k, 1) to (left, posterior, superior, 1) in mm
    place : str or None
        "AXIS:INDEX"; None for a volume that is a single slice. See `read_picture`.
    name : of the file, for messages

    Returns
    -------
    image : (H, W)
    affine : (4, 4), that of its `Geometry`

    Raises InputError for a place that is missing, of another form, or outside; for an affine that is no such map, and
    for rows that are not perpendicular to columns.

    >>> volume = np.arange(8).reshape(2, 2, 2)  # first to the left, then forward, then up
    >>> image, affine = cut_slice(volume, np.diag([1.0, -2, 3, 1]), "axial:1", "head.nii")
    >>> image.tolist(), Geometry(affine).spacing
    ([[3, 7], [1, 5]], (2.0, 1.0))
    """
    lengths = np.linalg.norm(np.where(np.abs(affine) < FARTHEST, affine, 0)[:3, :3], axis=0)
    if (
        not (np.abs(affine) < FARTHEST).all()
        or lengths.min() < NEAREST
        or np.linalg.cond(affine[:3, :3] / lengths) > 1e3
    ):
        raise InputError(f"{name} does not say where its voxels lie: its axes are not three directions")
    along = _nearest_directions(affine[:3, :3] / lengths)
    planes = [tuple(PLANES)[direction] for direction in along]
    through, index = _parse_place(place, volume.shape, planes, name)
    down_and_right = PLANES[planes[through]]
    axes = [along.index(direction) for direction, _ in down_and_right]
    forward = [np.sign(affine[direction, axes[i]]) == sign for i, (direction, sign) in enumerate(down_and_right)]

    selection = [slice(None)] * 3
    selection[through] = index
    image = np.asarray(volume[tuple(selection)])
    image = (image if axes[0] < axes[1] else image.T)[tuple(slice(None, None, 1 if ahead else -1) for ahead in forward)]

    turned = affine[:, [*axes, through, 3]].astype(np.float64)
    turned[:, 3] += index * turned[:, 2]
    for axis, ahead in enumerate(forward):
        if not ahead:
            turned[:, 3] += (image.shape[axis] - 1) * turned[:, axis]
            turned[:, axis] *= -1
    turned[:, 2] *= -np.sign(np.linalg.det(turned[:3, :3]))  # column, row, slice are a right hand
    row, column = turned[:3, :2].T / lengths[axes][:, None]
    if abs(row @ column) > PERPENDICULAR:
        raise InputError(f"in {name} rows are not perpendicular to columns: resample the volume, or take another plane")
    return np.ascontiguousarray(image), turned + 0.0  # no -0, and nothing that keeps the volume


def _nearest_directions(cosines):
    """For each axis of a volume, its column in `cosines`, the axis of LPS that it is nearest to; each once."""
    nearness = lambda along: sum(abs(cosines[direction, axis]) for axis, direction in enumerate(along))
    return max(itertools.permutations(range(3)), key=nearness)


def _parse_place(place, shape, planes, name):
    """The axis and the index, from 0, that "axial:80" or "0:-1" means; `planes` names those across the three axes."""
    if place is None and 1 in shape:
        return 2 - shape[::-1].index(1), 0
    if place is None:
        size = " x ".join(f"{count} ({plane})" for count, plane in zip(shape, planes, strict=True))
        middle = f"axial:{shape[planes.index('axial')] // 2}"
        raise InputError(f"{name} is a volume of {size} voxels: choose a slice of it, such as {middle}")
    match = re.fullmatch(r"(axial|coronal|sagittal|[012]):(-?\d{1,9})", place)
    if not match:
        raise InputError(
            f"the slice {place!r} is not AXIS:INDEX: expected axial, coronal, sagittal, or 0, 1, 2 for an axis of the "
            "array in the file, and a whole number, such as axial:80"
        )
    if 1 in shape:
        raise InputError(f"{name} is a single slice: leave out the slice {place}{OF_ONE_ALONE}")
    axis, index = match[1], int(match[2])
    through = planes.index(axis) if axis in PLANES else int(axis)
    count = shape[through]
    if not -count <= index < count:
        raise InputError(f"{name} has no slice {place}: along that axis there are {count}, 0 to {count - 1}")
    return through, index % count

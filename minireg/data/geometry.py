"""Where the pixels of an image lie in space, in millimetres: their spacing, and how the slice lies in the patient."""

from typing import NamedTuple

import numpy as np


class Geometry(NamedTuple):
    """From pixels to millimetres.

    affine : (4, 4) float64, sends (row, column, slice, 1) to (left, posterior, superior, 1) in mm, as DICOM and ITK
        have it (NIfTI has right and anterior instead). An image is slice 0 of it.
    measured : bool, False where the file says nothing (PNG, NumPy): a pixel is then called 1 mm wide

    >>> Geometry().spacing, Geometry().measured
    ((1.0, 1.0), False)
    """

    affine: np.ndarray = np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    measured: bool = False

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

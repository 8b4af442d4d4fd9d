"""Displacement fields u (N, H, W, 2) in pixels, which stand for p -> p + u(p), and what one does with them.

`calculus.py`     compose, integrate, invert and smooth them; where they fold
`inverse.py`      the way back between images of different sizes
`parametric.py`   fields that a few numbers determine: an affine matrix, landmarks, a random generator
`warping.py`      NumPy arrays of images and labels warped by them, and points sent along
"""

from minireg.fields.calculus import compose, corner_determinants, enlarge, integrate, invert, logarithm, smooth
from minireg.fields.inverse import invert_onto
from minireg.fields.parametric import affine_displacement, affine_part, random_diffeomorphism, thin_plate_spline
from minireg.fields.warping import WARP_BORDER, warp_images, warp_labels, warp_points

__all__ = [
    "WARP_BORDER", "affine_displacement", "affine_part", "compose", "corner_determinants", "enlarge", "integrate",
    "invert", "invert_onto", "logarithm", "random_diffeomorphism", "smooth", "thin_plate_spline", "warp_images",
    "warp_labels", "warp_points",
]  # fmt: skip

"""Every picture: how training went, what a registration did to each pair of images, how methods compare.

    loss_curve({"loss": losses}, "loss.png")
    registration_picture(moving, fixed, warped, displacement, "pairs.png")
    field_picture(moving, fixed, warped, displacement, "fields.png")
    inspection_picture(moving, fixed, warped, displacement, "inspection.png")
    report_picture(moving, fixed, warped, displacement, "report.png", rows, doubts=["It folds."])
    animation(moving, fixed, displacement, "pairs.gif")
    methods_picture({"network": {"ncc": values}, "demons": {"ncc": values}}, "methods.png")

`curves.py` draws training, `pairs.py` pairs of images, `inspection.py` one of them at a large size, `report.py` a page
about it, `difference.py` two results for it, `images.py` images on axes, `fields.py` displacement fields, `folds.py`
where they fold, `gif.py` what moves, `methods.py` scores.
Matplotlib is imported inside the functions, so importing this package costs nothing, and only `Figure` is used: no
pyplot, no window, no state shared between calls. A file appears whole or not at all, and the same input gives the same
bytes.
"""

from minireg.viz.curves import loss_curve
from minireg.viz.difference import difference_picture
from minireg.viz.fields import draw_arrows, draw_direction, draw_log_jacobian, draw_warped_grid
from minireg.viz.folds import FOLD_COLOUR
from minireg.viz.gif import animation
from minireg.viz.images import draw_checkerboard, draw_overlay
from minireg.viz.inspection import inspection_picture
from minireg.viz.methods import methods_picture
from minireg.viz.pairs import field_picture, registration_picture
from minireg.viz.report import report_picture

__all__ = [
    "FOLD_COLOUR", "animation", "difference_picture", "draw_arrows", "draw_checkerboard", "draw_direction",
    "draw_log_jacobian", "draw_overlay", "draw_warped_grid", "field_picture", "inspection_picture", "loss_curve",
    "methods_picture", "registration_picture", "report_picture",
]  # fmt: skip

"""Every way to register two images, one file a method, each behind a name.

    method = make_method("network+refine", network=network)
    displacement = method(moving, fixed)        # NumPy (N, H, W, 1) twice in, NumPy (N, H, W, 2) out, in pixels

`network.py`     network, and network+refine, which improves its prediction for each pair
`align.py`       an affine map and a smooth velocity for any two images, without a network; the default
`optimise.py`    gradient descent on each pair, without a network
`demons.py`      diffeomorphic demons
`spline.py`      tps: thin-plate splines through landmarks
`physical.py`    any of these for images of different size or spacing
"""

from minireg.methods.align import STAGES, align
from minireg.methods.by_name import METHODS, NEEDS, identity, make_method
from minireg.methods.demons import demons
from minireg.methods.network import predict, refine, register
from minireg.methods.optimise import TRANSFORMATIONS, optimise
from minireg.methods.physical import centre_on_centre, in_square_pixels, register_in_space
from minireg.methods.residuals import COMPARISONS
from minireg.methods.spline import spline

__all__ = [
    "COMPARISONS", "METHODS", "NEEDS", "STAGES", "TRANSFORMATIONS", "align", "centre_on_centre", "demons", "identity",
    "in_square_pixels", "make_method", "optimise", "predict", "refine", "register", "register_in_space", "spline",
]  # fmt: skip

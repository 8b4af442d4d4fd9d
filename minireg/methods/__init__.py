"""Every way to register two images, one file a method, each behind a name.

    method = make_method("network+refine", network=network)
    displacement = method(moving, fixed)        # NumPy (N, H, W, 1) twice in, NumPy (N, H, W, 2) out, in pixels

`network.py`     network, and network+refine, which improves its prediction for each pair
`optimise.py`    gradient descent on each pair, without a network
`demons.py`      diffeomorphic demons
`spline.py`      tps: thin-plate splines through landmarks
"""

from minireg.methods.by_name import METHODS, NEEDS, identity, make_method
from minireg.methods.demons import demons
from minireg.methods.network import predict, refine, register
from minireg.methods.optimise import TRANSFORMATIONS, optimise
from minireg.methods.spline import spline

__all__ = [
    "METHODS", "NEEDS", "TRANSFORMATIONS", "demons", "identity", "make_method", "optimise", "predict", "refine",
    "register", "spline",
]  # fmt: skip

"""minireg: deformable image registration by deep learning, from scratch.

    from minireg import Tensor, ops
    warped = ops.warp(moving, displacement)
    loss = 1 - ops.ncc(warped, fixed).mean()
    loss.backward()

Images are (N, H, W, C), displacements (N, H, W, 2) in pixels as (row, column). `minireg.backend` chooses between
NumPy and CuPy; `python -m minireg.train` trains a registration network.
"""

from minireg.command import lazily

__version__ = "0.1.0"
__all__ = ["Tensor", "__version__", "backend", "no_grad", "ops"]
__getattr__ = lazily(__name__, {"Tensor": "autograd", "no_grad": "autograd"}, ("autograd", "backend", "errors", "ops"))

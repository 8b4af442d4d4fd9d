"""How unlike two images are: each a scalar Tensor, smaller is better, averaged over the batch."""

from minireg import ops


def mse_loss(a, b):
    """Mean squared difference:  (1/n) sum (a - b)^2.  In [0, inf); 0 for identical images. Shapes (N, H, W, C)."""
    difference = a - b
    return (difference * difference).mean()


def ncc_loss(a, b):
    """1 - NCC, averaged over the pairs (`ops.ncc`).  In [0, 2]; 0 for identical images, 1 where one is constant."""
    return 1 - ops.ncc(a, b).mean()

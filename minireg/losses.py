"""What training minimises: each a scalar Tensor, smaller is better, averaged over the batch."""

from minireg import ops


def mse_loss(a, b):
    """Mean squared difference:  (1/n) sum (a - b)^2.  In [0, inf); 0 for identical images. Shapes (N, H, W, C)."""
    difference = a - b
    return (difference * difference).mean()


def ncc_loss(a, b):
    """1 - NCC, averaged over the pairs (`ops.ncc`).  In [0, 2]; 0 for identical images, 1 where one is constant."""
    return 1 - ops.ncc(a, b).mean()


def diffusion(displacement):
    """How rough a field is: the mean of its squared forward differences, over both components and both directions.

        1/2 (mean (u[i+1, j] - u[i, j])^2 + mean (u[i, j+1] - u[i, j])^2)        in pixels^2 per pixel^2

    Forward differences, because central ones do not see a field that alternates from pixel to pixel.

    Parameters
    ----------
    displacement : (N, H, W, 2), in pixels, with H and W of at least 2

    Returns
    -------
    scalar Tensor in [0, inf); 0 for a translation

    Source: Fischer and Modersitzki, Fast diffusion registration, 2002; as in Balakrishnan et al., VoxelMorph, IEEE
    TMI 2019, equation 6.
    """
    along_rows = displacement[:, 1:] - displacement[:, :-1]
    along_columns = displacement[:, :, 1:] - displacement[:, :, :-1]
    return ((along_rows * along_rows).mean() + (along_columns * along_columns).mean()) / 2


SIMILARITIES = {"ncc": ncc_loss, "mse": mse_loss}

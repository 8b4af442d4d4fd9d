"""How irregular a displacement field is: each a scalar Tensor, smaller is better, averaged over the batch."""


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

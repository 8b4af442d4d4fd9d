"""What training minimises: each a scalar Tensor, smaller is better, averaged over the batch."""

from minireg.losses.regularity import diffusion
from minireg.losses.similarity import mse_loss, ncc_loss

__all__ = ["SIMILARITIES", "diffusion", "mse_loss", "ncc_loss"]

SIMILARITIES = {"ncc": ncc_loss, "mse": mse_loss}

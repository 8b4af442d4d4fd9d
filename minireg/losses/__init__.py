"""What training minimises: each a scalar Tensor, smaller is better, averaged over the batch."""

from minireg.losses.regularity import bending_energy, diffusion, folding_penalty, inverse_consistency
from minireg.losses.similarity import (
    local_ncc,
    local_ncc_loss,
    mse_loss,
    mutual_information_loss,
    ncc_loss,
    normalised_mutual_information_loss,
    soft_dice_loss,
    squared_local_ncc_loss,
    ssim_loss,
)

__all__ = [
    "SIMILARITIES", "bending_energy", "diffusion", "folding_penalty", "inverse_consistency", "local_ncc",
    "local_ncc_loss", "mse_loss", "mutual_information_loss", "ncc_loss", "normalised_mutual_information_loss",
    "soft_dice_loss", "squared_local_ncc_loss", "ssim_loss",
]  # fmt: skip

SIMILARITIES = {
    "ncc": ncc_loss,
    "mse": mse_loss,
    "local_ncc": local_ncc_loss,
    "squared_local_ncc": squared_local_ncc_loss,
    "mi": mutual_information_loss,
    "nmi": normalised_mutual_information_loss,
    "ssim": ssim_loss,
}

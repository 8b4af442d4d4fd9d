"""What evaluation reports: how alike two images are, whether a displacement field folds space, and how far it is off.

Every metric takes plain NumPy arrays of a whole batch and returns one float64 number per pair, shape (N,):

    ncc(warped, fixed).mean(), folded_pixels(displacement).max()

How alike (images a, b of shape (N, H, W, C); every one of these is symmetric in a and b):
    ncc                  -1 to 1, 1 is best     linear correlation; ignores brightness and contrast
    mse                   0 and up, 0 is best   squared difference
    ssim                 -1 to 1, 1 is best     means, contrasts and correlation in small windows
    dice, dice_sweep      0 to 1, 1 is best     overlap of the bright regions, at one threshold or several
    label_dice            0 to 1, 1 is best     overlap of the parts of two label maps
    hausdorff95           0 and up, 0 is best   how far apart their boundaries are, in pixels
How regular (a displacement u of shape (N, H, W, 2), in pixels, so that p is sent to p + u(p)):
    folded_pixels         0 to 1, 0 is best     share of pixels where forward differences see a fold
    folded_cells          0 to 1, 0 is best     share of cells with a fold anywhere inside
    spread_log_jacobian   0 and up              how unevenly the field shrinks and grows the image
How exact (in pixels, 0 is best):
    inverse_consistency         two fields, there and back: how far from home one ends
    target_registration_error   a field and the true one: how far apart they send the pixels
    landmark_error              the same where only some points are known

Nothing here is differentiable; what training minimises is in `losses/`. All arithmetic is in float64. `METRICS`
says what each is called in tables and pictures.
"""

from minireg.metrics.accuracy import inverse_consistency, landmark_error, target_registration_error
from minireg.metrics.headings import HIGHER, LOWER, METRICS, NEITHER, Metric
from minireg.metrics.labels import label_dice
from minireg.metrics.overlap import SWEEP, dice, dice_sweep, hausdorff95
from minireg.metrics.regularity import corner_determinants, folded_cells, folded_pixels, spread_log_jacobian
from minireg.metrics.similarity import mse, ncc, ssim

__all__ = [
    "HIGHER", "LOWER", "METRICS", "NEITHER", "SWEEP", "Metric", "corner_determinants", "dice", "dice_sweep",
    "folded_cells", "folded_pixels", "hausdorff95", "inverse_consistency", "label_dice", "landmark_error", "mse", "ncc",
    "spread_log_jacobian", "ssim", "target_registration_error",
]  # fmt: skip

"""Networks that take a moving and a fixed image and predict the displacement that aligns them.

    network = SymmetricUNet(np.random.default_rng(0))
    displacement = network(moving, fixed)             # (N, H, W, 2), in pixels
    warped = ops.warp(moving, displacement, border="edge")

`EncoderDecoder` is the network of 2020 with which the story of this project starts, `SymmetricUNet` the one to use.
`AffineNet` predicts an affine displacement, `AffineThenDeformable` a deformable one on top of that, `Pyramid` goes from
coarse to fine.
"""

from minireg.models.affine import AffineNet, AffineThenDeformable
from minireg.models.common import both_ways
from minireg.models.encoder_decoder import EncoderDecoder
from minireg.models.pyramid import Pyramid
from minireg.models.unet import SymmetricUNet, UNet

__all__ = [
    "MODELS", "AffineNet", "AffineThenDeformable", "EncoderDecoder", "Pyramid", "SymmetricUNet", "UNet", "both_ways",
]  # fmt: skip

MODELS = {
    "symmetric": SymmetricUNet,
    "pyramid": Pyramid,
    "affine": AffineNet,
    "affine-symmetric": AffineThenDeformable,
    "encoder-decoder": EncoderDecoder,
}

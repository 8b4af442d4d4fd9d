"""Networks that take a moving and a fixed image and predict the displacement that aligns them.

    network = UNet(numpy.random.default_rng(0))
    displacement = network(moving, fixed)             # (N, H, W, 2), in pixels
    warped = ops.warp(moving, displacement, border="edge")

`EncoderDecoder` is the network of 2020 with which the story of this project starts, `UNet` the one to use.
"""

from minireg.models.common import WARP_BORDER, register
from minireg.models.encoder_decoder import EncoderDecoder
from minireg.models.unet import UNet

__all__ = ["MODELS", "WARP_BORDER", "EncoderDecoder", "UNet", "register"]

MODELS = {"unet": UNet, "encoder-decoder": EncoderDecoder}

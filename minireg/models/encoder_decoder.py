"""The network of 2020, with which the story of this project starts."""

from minireg import ops
from minireg.backend import xp
from minireg.errors import InputError
from minireg.models.common import checked_size
from minireg.nn import Activation, BatchNorm, Conv2d, ConvTranspose2d, Module, Sequential


class EncoderDecoder(Module):
    """The network of 2020: an encoder to an eighth of the size, a decoder back, no skip connections.

    3x3 convolutions are padded to 'same' and followed by ReLU and batch norm; the transposed ones by nothing. Weights
    begin as in Keras (Glorot, uniform), and batch norm has Keras's momentum and epsilon.

    The output layer predicts (x, y) in units in which the image spans [-1, 1]; where a pixel looks is clipped to the
    image. Both are turned here into this project's displacements: pixels, (row, column).

    Source: the recipe published as FCN2d in an open pull request to DIPY, 2020.

    >>> sum(p.data.size for p in EncoderDecoder(np.random.default_rng(0)).parameters())
    231650
    """

    def __init__(self, rng):
        def convolution(inputs, outputs, stride=1):
            return [
                Conv2d(inputs, outputs, 3, rng, stride, padding="same", init="glorot"),
                Activation(ops.relu),
                BatchNorm(outputs, momentum=0.01, eps=1e-3),
            ]

        def enlarge(inputs, outputs):
            return ConvTranspose2d(inputs, outputs, 2, rng, stride=2, init="glorot")

        halve = Activation(ops.max_pool2d, kernel_size=2)
        self.encoder = Sequential(
            *convolution(2, 32, stride=2),
            *convolution(32, 32),
            halve,
            *convolution(32, 64),
            *convolution(64, 64),
            halve,
            *convolution(64, 128),
        )
        self.decoder = Sequential(
            enlarge(128, 64),
            *convolution(64, 64),
            enlarge(64, 32),
            *convolution(32, 32),
            enlarge(32, 16),
            *convolution(16, 16),
            Conv2d(16, 2, 1, rng, init="glorot"),
        )

    def forward(self, moving, fixed):
        """moving, fixed (N, H, W, 1) -> displacement (N, H, W, 2), in pixels.

        Raises InputError where H or W is no multiple of 8.
        """
        height, width = checked_size(moving, fixed)
        if height % 8 or width % 8:
            raise InputError(f"EncoderDecoder takes images whose sides are multiples of 8, got {height} x {width}")
        offset = self.decoder(self.encoder(ops.concatenate([moving, fixed], axis=-1)))
        along_rows = _clipped_pixels(offset[..., 1], height, axis=1)
        along_columns = _clipped_pixels(offset[..., 0], width, axis=2)
        return ops.stack([along_rows, along_columns], axis=-1)


def _clipped_pixels(offset, size, axis):
    """Offsets in units of half the image, added to the grid, clipped to the image, as displacements in pixels."""
    grid = xp.linspace(-1, 1, size, dtype=offset.dtype)
    grid = grid[:, None] if axis == 1 else grid
    return (ops.clip(offset + grid, -1, 1) - grid) * ((size - 1) / 2)

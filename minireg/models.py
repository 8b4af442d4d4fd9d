"""Networks that take a moving and a fixed image and predict the displacement that aligns them.

    network = UNet(numpy.random.default_rng(0))
    displacement = network(moving, fixed)             # (N, H, W, 2), in pixels
    warped = ops.warp(moving, displacement, border="edge")

`EncoderDecoder` is the network of 2020 with which the story of this project starts, `UNet` the one to use.
"""

import numpy
from tqdm import tqdm

from minireg import backend, ops
from minireg.autograd import Tensor, no_grad
from minireg.backend import xp
from minireg.errors import InputError
from minireg.fields import compose, integrate
from minireg.nn import Activation, BatchNorm, Conv2d, ConvTranspose2d, Module, Sequential

WARP_BORDER = "edge"  # what lies beyond an image, in training and afterwards: its outermost pixels, continued


class EncoderDecoder(Module):
    """The network of 2020: an encoder to an eighth of the size, a decoder back, no skip connections.

    3x3 convolutions are padded to 'same' and followed by ReLU and batch norm; the transposed ones by nothing. Weights
    begin as in Keras (Glorot, uniform), and batch norm has Keras's momentum and epsilon. 231,650 parameters.

    The output layer predicts (x, y) in units in which the image spans [-1, 1]; where a pixel looks is clipped to the
    image. Both are turned here into this project's displacements: pixels, (row, column).

    Source: the recipe published as FCN2d in an open pull request to DIPY, 2020.
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
        height, width = _checked_size(moving, fixed)
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


class UNet(Module):
    """A U-Net that looks several times, and predicts a field that hardly folds.

    One look: the images are brought to half their size (each block of 2x2 pixels becomes channels), an encoder halves
    that twice more, a decoder comes back with skip connections, and the last layer predicts a velocity at half
    resolution. Integrated (`fields.integrate`), the velocity gives a displacement that is invertible as long as the
    velocity is not too rough for the pixel grid; the smoothness in the loss sees to that.

    Several looks: the same network then sees the moving image as warped so far, and the displacement so far, and its
    new displacement is composed with that. Each look corrects what the one before left over. The weights are shared,
    so looks cost time but no parameters.

    Images of any size are padded inside with zeros, at the bottom and the right, to a multiple of 8; the field is cut
    back.

    Parameters
    ----------
    rng : numpy.random.Generator
    channels : ints, at half, a quarter, ... of the size
    looks : int
    squarings : int, of the integration

    Sources: Ronneberger, Fischer, Brox, U-Net, MICCAI 2015; Dalca et al., MICCAI 2018 (velocities); Zhao et al.,
    Recursive cascaded networks for unsupervised medical image registration, ICCV 2019 (looks, there with own weights).
    """

    def __init__(self, rng, channels=(16, 32, 32), looks=3, squarings=3):
        self.looks, self.squarings = looks, squarings
        self.block = 2 ** len(channels)
        inputs = 4 + 4 + 2  # 2x2 pixels of the warped and of the fixed image, and the displacement so far
        self.encoder = []
        for outputs in channels:
            self.encoder.append(Conv2d(inputs, outputs, 3, rng, padding=1))
            inputs = outputs
        self.bottom = Conv2d(inputs, inputs, 3, rng, padding=1)
        self.decoder = []
        for level in reversed(range(len(channels) - 1)):
            outputs = channels[max(level - 1, 0)]  # as many as the skip connection that comes next
            self.decoder.append(Conv2d(inputs + channels[level], outputs, 3, rng, padding=1))
            inputs = outputs
        self.velocity = Conv2d(inputs, 2, 3, rng, padding=1, init="zeros")  # so the first field is the identity

    def forward(self, moving, fixed):
        """moving, fixed (N, H, W, 1) -> displacement (N, H, W, 2), in pixels."""
        height, width = _checked_size(moving, fixed)
        # -size % block is what is missing to the next multiple.
        margin = [(0, 0), (0, -height % self.block), (0, -width % self.block), (0, 0)]
        moving, fixed = ops.pad(moving, margin), ops.pad(fixed, margin)
        displacement = half = None
        for _ in range(self.looks):
            warped = moving if half is None else ops.warp(moving, displacement, border=WARP_BORDER)
            new = integrate(self._look(warped, fixed, half), self.squarings)
            # The new field was found on warped(p) = moving(p + half(p)), so now moving(p + new(p) + half(p + new(p))).
            half = new if half is None else compose(new, half)
            displacement = ops.upsample_bilinear(half, 2) * 2  # in pixels of the image, which are half as large
        return displacement[:, :height, :width]

    def _look(self, warped, fixed, half):
        """The velocity (N, H/2, W/2, 2), in pixels of that size, that brings `warped` closer to `fixed`."""
        images = ops.space_to_depth(ops.concatenate([warped, fixed], axis=-1), 2)
        if half is None:
            half = xp.zeros((*images.shape[:3], 2), images.dtype)
        x = ops.concatenate([images, half], axis=-1)
        skipped = []
        for level, convolution in enumerate(self.encoder):
            if level > 0:
                x = ops.avg_pool2d(x, 2)
            x = _activate(convolution(x))
            skipped.append(x)
        x = _activate(self.bottom(x))
        for convolution, skip in zip(self.decoder, reversed(skipped[:-1]), strict=True):  # the last one is x itself
            x = ops.concatenate([ops.upsample_nearest(x, 2), skip], axis=-1)
            x = _activate(convolution(x))
        return self.velocity(x)


def _activate(x):
    return ops.leaky_relu(x, 0.1)


def _checked_size(moving, fixed):
    """(H, W) of two batches of images that can be registered to each other."""
    if moving.shape != fixed.shape or moving.ndim != 4 or moving.shape[3] != 1:
        raise InputError(
            f"expected moving and fixed images of one shape (N, H, W, 1), got {moving.shape} and {fixed.shape}"
        )
    return moving.shape[1:3]


MODELS = {"unet": UNet, "encoder-decoder": EncoderDecoder}


def register(network, moving, fixed, batch_size=32, progress=False):
    """Register pairs of images with a trained network.

    Parameters
    ----------
    network : Module
        Switched to evaluation while it runs.
    moving, fixed : NumPy arrays (N, H, W, 1), float32
    batch_size : int, how many pairs are computed at a time
    progress : bool, show a progress bar

    Returns
    -------
    warped (N, H, W, 1), displacement (N, H, W, 2) : NumPy arrays, float32

    Raises
    ------
    InputError
        The network takes no images of this size, or its displacements are not finite.
    """
    was_training = network.training
    network.eval()
    warped, displacement = numpy.empty_like(moving), numpy.empty((*moving.shape[:3], 2), moving.dtype)
    starts = range(0, len(moving), batch_size)
    try:
        with no_grad(), numpy.errstate(all="ignore"):  # what is not finite is reported below
            for start in tqdm(starts, "registering", unit="batch", disable=not progress or len(starts) < 2):
                batch = slice(start, start + batch_size)
                images = Tensor(backend.to_device(moving[batch]))
                field = network(images, Tensor(backend.to_device(fixed[batch])))
                displacement[batch] = backend.to_host(field.data)
                warped[batch] = backend.to_host(ops.warp(images, field, border=WARP_BORDER).data)
    finally:
        network.train(was_training)
    if not numpy.isfinite(displacement).all():
        raise InputError("the network predicts displacements that are not finite: train it again with a smaller --lr")
    return warped, displacement

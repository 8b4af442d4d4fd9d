"""The network to use: a U-Net that looks several times and predicts velocities."""

from minireg import ops
from minireg.backend import xp
from minireg.fields import compose, integrate
from minireg.models.common import WARP_BORDER, checked_size
from minireg.nn import Conv2d, Module


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
        height, width = checked_size(moving, fixed)
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

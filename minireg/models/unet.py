"""The network to use: one small U-Net that looks several times, from coarse to fine, and never prefers one image."""

from minireg import ops
from minireg.autograd import Tensor
from minireg.backend import xp
from minireg.fields import WARP_BORDER, compose, enlarge, integrate
from minireg.models.common import checked_size
from minireg.nn import Conv2d, Module

FINEST = 2  # fields are kept at half of the image's size
LEAK = 0.1  # slope of the leaky rectifiers below zero


class UNet(Module):
    """A plain U-Net: an encoder that halves the size, a decoder that comes back, skip connections between them.

    `rng` is a numpy.random.Generator; `inputs` and `outputs` are numbers of channels, `channels` those at the full size
    of the input, at half of it, and so on. The last layer begins at zero, and with it the output.

    Source: Ronneberger, Fischer, Brox, U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015,
    arXiv:1505.04597.

    >>> network = UNet(np.random.default_rng(0), inputs=3, outputs=2, channels=(8, 16))
    >>> network(np.ones((1, 4, 6, 3), np.float32)).shape
    (1, 4, 6, 2)
    """

    def __init__(self, rng, inputs, outputs, channels):
        self.encoder = []
        for features in channels:
            self.encoder.append(Conv2d(inputs, features, 3, rng, padding=1))
            inputs = features
        self.bottom = Conv2d(inputs, inputs, 3, rng, padding=1)
        self.decoder = []
        for level in reversed(range(len(channels) - 1)):
            features = channels[max(level - 1, 0)]  # as many as the skip connection that comes next
            self.decoder.append(Conv2d(inputs + channels[level], features, 3, rng, padding=1))
            inputs = features
        # Without a bias: in a difference of two answers it would cancel.
        self.output = Conv2d(inputs, outputs, 3, rng, padding=1, bias=False, init="zeros")

    def forward(self, x):
        """x (N, H, W, inputs) -> (N, H, W, outputs); H and W multiples of 2^(len(channels) - 1)."""
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
        return self.output(x)


class SymmetricUNet(Module):
    """A small U-Net that looks several times at two images, each time closer, and treats both alike.

    One look. The images, as warped so far, go through the U-Net twice: once as (moving, fixed), once as (fixed,
    moving). The velocity is half the difference of the two answers, so it changes its sign when the images change
    places, and is zero when they are equal:

        v(a, b) = (unet(a, b) - unet(b, a)) / 2

    Half of its flow moves each image, exp(v/2) the moving and exp(-v/2) the fixed one, so that they meet in the middle.

    Several looks. With phi_k = exp(v_k / 2), the moving image is seen through a = phi_1 o phi_2 o ..., the fixed one
    through b = phi_1^-1 o phi_2^-1 o .... When both look alike there, in the middle, a point of the fixed image comes
    to the middle by b^-1, and from there to the moving image by a:

        p + u(p) = a(b^-1(p))

    Exchanging the images exchanges a and b, so the field back is b o a^-1: the inverse, by construction. What remains
    of an inconsistency comes from the interpolation on the grid, and a loss sees to it (`losses.inverse_consistency`).

    A look at scale s sees the images at 2/s of their size, each block of 2 x 2 pixels as channels, and predicts a
    velocity at 1/s of their size. The weights of all looks are the same, whatever the scale: coarse looks cost a
    fraction and bring big motions, and looks cost no parameters.

    Images of any size are padded inside with zeros, at the bottom and the right; the fields are cut back.

    Parameters
    ----------
    rng : numpy.random.Generator
    channels : ints, of the U-Net
    looks : ints, powers of 2 of at least 2, the scale of each look
    squarings : int, of the integration

    Source: Dalca et al., Unsupervised learning for fast probabilistic diffeomorphic registration, MICCAI 2018,
    arXiv:1805.04605 (velocities); Zhao et al., Recursive cascaded networks for unsupervised medical image registration,
    ICCV 2019, arXiv:1907.12353 (looks, there with own weights); Greer et al., Inverse consistency by construction for
    multistep deep registration, MICCAI 2023, arXiv:2305.00087 (half flows on both sides).

    >>> sum(p.data.size for p in SymmetricUNet(np.random.default_rng(0)).parameters())
    151200
    """

    def __init__(self, rng, channels=(32, 64, 64), looks=(4, 4, 2, 2, 2), squarings=3):
        self.looks, self.squarings = looks, squarings
        self.block = max(looks) * 2 ** (len(channels) - 1)
        # 2x2 pixels of both images, and the field through which the first is seen.
        self.unet = UNet(rng, inputs=4 + 4 + 2, outputs=2, channels=channels)

    def forward(self, moving, fixed):
        """moving, fixed (N, H, W, 1) -> displacement (N, H, W, 2), in pixels."""
        return self.both_ways(moving, fixed)[0]

    def both_ways(self, moving, fixed, looks=None):
        """moving, fixed (N, H, W, 1) -> the displacements that warp moving to fixed and fixed to moving.

        `looks` limits how many looks are taken. Each displacement is (N, H, W, 2), in pixels.
        """
        n, (height, width) = len(moving.data), checked_size(moving, fixed)
        # -size % block is what is missing to the next multiple.
        margin = [(0, 0), (0, -height % self.block), (0, -width % self.block), (0, 0)]
        # Everything is done for both directions at once: the first half of each batch is about the moving image, the
        # second about the fixed one.
        images = ops.pad(ops.concatenate([moving, fixed], axis=0), margin)
        into = back = _zero_field(images)  # a and b, and their inverses
        warped = images
        for look, scale in enumerate(self.looks[:looks]):
            if look > 0:
                warped = ops.warp(images, enlarge(into, FINEST), border=WARP_BORDER)
            velocity = enlarge(self._look(warped, into, scale // FINEST), scale // FINEST)
            half_flow = integrate(velocity * 0.5, self.squarings)
            into = compose(half_flow, into)
            back = compose(back, _swap(half_flow))
        displacement = enlarge(compose(_swap(back), into), FINEST)[:, :height, :width]
        return displacement[:n], displacement[n:]

    def _look(self, warped, into, reduction):
        """The velocities, at 1/`reduction` of the size of the fields and in pixels of that size."""
        if reduction > 1:
            warped, into = ops.avg_pool2d(warped, reduction), ops.avg_pool2d(into, reduction) * (1 / reduction)
        images = ops.space_to_depth(warped, 2)
        answer = self.unet(ops.concatenate([images, _swap(images), into], axis=-1))
        return (answer - _swap(answer)) * 0.5


def _activate(x):
    return ops.leaky_relu(x, LEAK)


def _swap(batch):
    """Exchange the halves of a batch, and with them the roles of the two images."""
    n = len(batch.data) // 2
    return ops.concatenate([batch[n:], batch[:n]], axis=0)


def _zero_field(images):
    n, height, width, _ = images.shape
    return Tensor(xp.zeros((n, height // FINEST, width // FINEST, 2), images.dtype))

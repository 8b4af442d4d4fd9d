"""Registration from coarse to fine: what is far apart is found where an image is small."""

from minireg import ops
from minireg.backend import xp
from minireg.fields import WARP_BORDER, compose, enlarge, integrate
from minireg.models.common import checked_size
from minireg.nn import Conv2d, Module


class Pyramid(Module):
    """A small network at each of several resolutions, every one going on from where the coarser one has arrived.

    At the level of scale s (one pixel of it is s x s pixels of the image):

    - the moving image is warped at full size by the displacement so far, and both images are brought to the level;
    - a few convolutions see them and the displacement so far, and predict a velocity in pixels of the level;
    - the velocity is integrated (`fields.integrate`) and composed with the displacement so far.

    To a pixel at scale 4 a neighbour is 4 pixels away, so few convolutions see far. Each level has its own weights,
    its last layer begins at zero, and so the first field is the identity. A scale that is named twice has two levels,
    the second of which corrects what the first left over.

    Images come to a level as blocks of 2x2 pixels that become channels, averaged down to its size; so a level of half
    the size of the image sees every pixel. Images of any size are padded inside with zeros, at the bottom and the
    right, to a multiple of the coarsest scale; the field is cut back.

    Parameters
    ----------
    rng : numpy.random.Generator
    scales : ints, powers of two of at least 2, from coarse to fine; (8, 4, 2, 2) where images move by more pixels
    channels : int, of each convolution
    convolutions : int, at each level before the one that predicts
    squarings : int, of the integration

    Source: Hering, van Ginneken, Heldmann, mlVIRNET: multilevel variational image registration network, MICCAI 2019;
    Mok and Chung, Large deformation diffeomorphic image registration with Laplacian pyramid networks, MICCAI 2020,
    arXiv:2006.16148.

    >>> sum(p.data.size for p in Pyramid(np.random.default_rng(0)).parameters())
    65958
    """

    def __init__(self, rng, scales=(4, 2, 2), channels=32, convolutions=3, squarings=3):
        self.scales, self.squarings = scales, squarings
        inputs = 4 + 4 + 2  # 2x2 pixels of the warped and of the fixed image, and the displacement so far
        self.levels = [_Level(inputs, channels, convolutions, rng) for _ in scales]

    def forward(self, moving, fixed):
        """moving, fixed (N, H, W, 1) -> displacement (N, H, W, 2), in pixels.

        Raises InputError where the images differ in shape or have more than one channel.
        """
        height, width = checked_size(moving, fixed)
        # -size % coarsest is what is missing to the next multiple.
        margin = [(0, 0), (0, -height % self.scales[0]), (0, -width % self.scales[0]), (0, 0)]
        moving, fixed = ops.pad(moving, margin), ops.pad(fixed, margin)
        coarsest = [size // self.scales[0] for size in moving.shape[1:3]]
        displacement = xp.zeros((len(moving), *coarsest, 2), moving.dtype)  # at every level in pixels of that level
        for scale, finer, level in zip(self.scales, (*self.scales[1:], 1), self.levels, strict=True):
            warped = ops.warp(moving, enlarge(displacement, scale), border=WARP_BORDER)
            images = ops.space_to_depth(ops.concatenate([warped, fixed], axis=-1), 2)
            x = ops.concatenate([ops.avg_pool2d(images, scale // 2), displacement], axis=-1)
            # Found on the image as warped so far, so it comes first: see `fields.compose`.
            displacement = compose(integrate(level(x), self.squarings), displacement)
            displacement = enlarge(displacement, scale // finer)
        return displacement[:, :height, :width]


class _Level(Module):
    """The network of one level: convolutions of one width, and one that begins at zero and predicts the velocity."""

    def __init__(self, inputs, channels, convolutions, rng):
        self.convolutions = []
        for _ in range(convolutions):
            self.convolutions.append(Conv2d(inputs, channels, 3, rng, padding=1))
            inputs = channels
        self.velocity = Conv2d(inputs, 2, 3, rng, padding=1, init="zeros")

    def forward(self, x):
        """(N, H, W, inputs) -> velocity (N, H, W, 2), in pixels of the level"""
        for convolution in self.convolutions:
            x = ops.leaky_relu(convolution(x), 0.1)
        return self.velocity(x)

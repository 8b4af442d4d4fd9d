"""Affine registration by a network, alone and as the first half of a deformable one."""

from minireg import backend, ops
from minireg.backend import xp
from minireg.fields import WARP_BORDER, affine_displacement, compose
from minireg.models.common import checked_size
from minireg.models.unet import SymmetricUNet
from minireg.nn import Conv2d, Linear, Module

STEP = 0.1  # what an output of 1 stands for: small, so that learning rates of the deformable networks serve here too


class AffineNet(Module):
    """A network that predicts the six numbers of an affine transformation, the identity before training.

    One look: an encoder of 3x3 convolutions halves both images, side by side, once per entry of `channels`. Of each of
    its feature maps f three numbers are kept, with positions (r, c) in [-1, 1] from the centre of the image:

        mean f,    mean f r,    mean f c

    and a linear layer, which begins at zero, makes the matrix of them. The plain mean alone would tell that something
    moved and not where, but a rotation moves the top one way and the bottom the other. Means take any size of image.

    Several looks: the same network sees the moving image as warped so far, and the matrices multiply.

    `rng` is a numpy.random.Generator, `channels` ints, `looks` an int.

    Source: de Vos et al., A deep learning framework for unsupervised affine and deformable image registration, Medical
    Image Analysis 2019, arXiv:1809.06130 (encoder, global average, linear layer; without the moments and the second
    look).

    >>> sum(p.data.size for p in AffineNet(np.random.default_rng(0)).parameters())
    14774
    """

    def __init__(self, rng, channels=(16, 32, 32), looks=2):
        self.looks = looks
        self.encoder = []
        inputs = 2
        for outputs in channels:
            self.encoder.append(Conv2d(inputs, outputs, 3, rng, stride=2, padding=1))
            inputs = outputs
        self.numbers = Linear(3 * inputs, 6, rng, init="zeros")

    def matrix(self, moving, fixed):
        """The transformation p -> c + A (p - c) + t about the centre of the image, c = ((H - 1) / 2, (W - 1) / 2).

        moving, fixed (N, H, W, 1) -> Tensor (N, 2, 3): A beside t, in pixels, rows before columns. Raises InputError
        where the images differ in shape or have more than one channel.
        """
        size = checked_size(moving, fixed)
        matrix = self._look(moving, fixed)
        for _ in range(self.looks - 1):
            warped = ops.warp(moving, affine_displacement(matrix, *size), border=WARP_BORDER)
            # The new map comes first, as in `fields.compose`: A (A_new (p - c) + t_new) + t.
            linear, shift = matrix[..., :2], matrix[..., 2:]
            shift = ops.concatenate([xp.zeros(linear.shape, matrix.dtype), shift], axis=-1)
            matrix = ops.matmul(linear, self._look(warped, fixed)) + shift
        return matrix

    def forward(self, moving, fixed):
        """moving, fixed (N, H, W, 1) -> displacement (N, H, W, 2), in pixels. Raises InputError as `matrix`."""
        return affine_displacement(self.matrix(moving, fixed), *moving.shape[1:3])

    def _look(self, warped, fixed):
        """The matrix (N, 2, 3) that brings `warped` closer to `fixed`."""
        size = warped.shape[1:3]
        x = ops.concatenate([warped, fixed], axis=-1)
        for convolution in self.encoder:
            x = ops.leaky_relu(convolution(x), 0.1)
        stride = 2 ** len(self.encoder)
        rows, columns = (
            (xp.arange(count, dtype=x.dtype) * stride - (side - 1) / 2) / (side / 2)
            for count, side in zip(x.shape[1:3], size, strict=True)
        )
        moments = [(x * weight).mean(axis=(1, 2)) for weight in (1.0, rows[:, None, None], columns[:, None])]
        numbers = self.numbers(ops.concatenate(moments, axis=-1)).reshape(-1, 2, 3)
        # Translations in halves of the image, so that all six numbers move its border about equally far.
        scale = backend.to_device([[STEP, STEP, STEP * side / 2] for side in size])
        return numbers * scale + xp.eye(2, 3, dtype=x.dtype)


class AffineThenDeformable(Module):
    """An affine network, and after it a deformable one that sees the moving image as the affine one warped it.

    Both are trained at once, with one loss on the whole displacement. `rng` is a numpy.random.Generator, `deformable` a
    function that makes a network from one, such as a class of `minireg.models`.

    >>> network = AffineThenDeformable(np.random.default_rng(0))
    >>> [sum(p.data.size for p in part.parameters()) for part in (network.affine, network.deformable)]
    [14774, 151200]
    """

    def __init__(self, rng, deformable=SymmetricUNet):
        self.affine = AffineNet(rng)
        self.deformable = deformable(rng)

    def forward(self, moving, fixed):
        """moving, fixed (N, H, W, 1) -> displacement (N, H, W, 2), in pixels.

        With a for the affine and d for the deformable displacement:  u(p) = d(p) + a(p + d(p)).
        Raises InputError as the two networks do.
        """
        affine = self.affine(moving, fixed)
        return compose(self.deformable(ops.warp(moving, affine, border=WARP_BORDER), fixed), affine)

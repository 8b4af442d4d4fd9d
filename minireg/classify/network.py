"""The survey's classifier of images."""

import numpy as np
from tqdm import tqdm

from minireg import backend, ops
from minireg.autograd import Tensor, no_grad
from minireg.errors import InputError
from minireg.nn import Activation, Conv2d, Linear, Module, Sequential

SMALLEST = 22  # a stage makes n to (n - 2) // 2, and 22 -> 10 -> 4 -> 1


class SurveyCNN(Module):
    """Three convolutions, each followed by max-pooling, and two dense layers that tell classes apart.

        3x3 convolution to 32 channels, ReLU, 2x2 max-pooling        none of the convolutions is padded
        3x3 convolution to 64 channels, ReLU, 2x2 max-pooling
        3x3 convolution to 128 channels, ReLU, 2x2 max-pooling
        flatten, dense to 128, ReLU, dense to `classes`

    Softmax is left to `cross_entropy`, which computes it together with the logarithm, and to `predict`.
    109,571 parameters for three classes of 28 x 28 pixels.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : (height, width) of the images, which the first dense layer depends on; at least 22 x 22
    channels : int, of the images
    classes : int

    Raises InputError for images so small that pooling leaves nothing of them, or fewer than two classes.

    >>> network = SurveyCNN(np.random.default_rng(0), size=(28, 28))
    >>> probabilities = network.predict(np.zeros((2, 28, 28, 1), "float32"))
    >>> probabilities.shape, probabilities.sum(axis=1).round(5).tolist()
    ((2, 3), [1.0, 1.0])
    """

    def __init__(self, rng, size, channels=1, classes=3):
        if min(size) < SMALLEST:
            raise InputError(
                f"SurveyCNN needs images of at least {SMALLEST} x {SMALLEST} pixels, got {size[0]} x {size[1]}: "
                "pad or enlarge them"
            )
        if classes < 2:
            raise InputError(f"SurveyCNN tells at least 2 classes apart, got {classes}")
        self.shape = (*size, channels)
        convolutions = []
        for inputs, outputs in ((channels, 32), (32, 64), (64, 128)):
            convolutions += [
                Conv2d(inputs, outputs, 3, rng),
                Activation(ops.relu),
                Activation(ops.max_pool2d, kernel_size=2),
            ]
            size = [(side - 2) // 2 for side in size]
        self.convolutions = Sequential(*convolutions)
        self.dense = Sequential(
            Linear(128 * size[0] * size[1], 128, rng),
            Activation(ops.relu),
            Linear(128, classes, rng, init="glorot"),  # He's is for a layer that a ReLU follows
        )

    def forward(self, images):
        """(N, H, W, channels) -> logits (N, classes): softmax makes them probabilities.

        Raises InputError where the images are not of the size or the channels that the network was made for.
        """
        if images.ndim != 4 or tuple(images.shape[1:]) != self.shape:
            raise InputError(f"this SurveyCNN takes images {('N', *self.shape)}, got {tuple(images.shape)}")
        return self.dense(ops.flatten(self.convolutions(images), start_dim=1))

    def predict(self, images, batch_size=256, progress=False):
        """The probabilities of the classes, batch by batch.

        Parameters
        ----------
        images : NumPy array (N, H, W, channels), float32
        batch_size : int
        progress : bool, show a progress bar

        Returns a NumPy array (N, classes), float32; every row sums to 1

        Raises InputError as `forward`.
        """
        starts = range(0, len(images), batch_size)
        with no_grad():
            batches = [
                backend.to_host(ops.softmax(self(Tensor(backend.to_device(images[i : i + batch_size])))).data)
                for i in tqdm(starts, "classifying", unit="batch", disable=not progress)
            ]
        return np.concatenate(batches)

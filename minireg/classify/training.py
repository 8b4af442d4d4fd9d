"""Training a classifier."""

import math

from tqdm import tqdm

from minireg import backend
from minireg.autograd import Tensor
from minireg.classify.loss import cross_entropy
from minireg.errors import TrainingError
from minireg.optim import Adam


def train_classifier(network, images, labels, rng, epochs=10, batch_size=32, lr=1e-3):
    """Train with Adam and cross-entropy, every image once in an epoch, in a new order each time.

    Parameters
    ----------
    network : Module, images -> logits (N, classes); trained in place
    images : NumPy array (N, H, W, C), float32
    labels : integer array (N,)
    rng : numpy.random.Generator
    epochs, batch_size : int
    lr : float, by default Adam's own

    Returns a list of floats, the loss of every step

    Raises TrainingError where the loss is not finite.

    >>> from minireg.classify import SurveyCNN
    >>> rng = np.random.default_rng(0)
    >>> images, labels = rng.random((4, 28, 28, 1), "float32"), np.array([0, 1, 0, 1])
    >>> first, *_, last = train_classifier(SurveyCNN(rng, (28, 28), classes=2), images, labels, rng, epochs=20)
    >>> last < first
    True
    """
    optimiser = Adam(network.parameters(), lr)
    history = []
    with tqdm(total=epochs * math.ceil(len(images) / batch_size), desc="training", unit="step") as bar:
        for _ in range(epochs):
            order = rng.permutation(len(images))
            for start in range(0, len(images), batch_size):
                batch = order[start : start + batch_size]
                loss = cross_entropy(network(Tensor(backend.to_device(images[batch]))), labels[batch])
                history.append(loss.item())
                if not math.isfinite(history[-1]):
                    raise TrainingError(f"step {len(history)}: the loss is {history[-1]}: try a smaller --lr than {lr}")
                network.zero_grad()
                loss.backward()
                optimiser.step()
                bar.set_postfix(loss=f"{history[-1]:.4f}", refresh=False)
                bar.update()
    return history

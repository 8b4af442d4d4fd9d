"""The worked example of a survey of deep learning for medical image registration: which digit is it?

The network, Adam, cross-entropy, 10 epochs and batches of 32 are the survey's. With its other defaults
`python -m minireg.classify` takes about a minute on two cores. A trained network is read back by

    meta, groups = load_checkpoint("classifier/checkpoint.npz")
    network = SurveyCNN(np.random.default_rng(0), meta["size"], classes=len(meta["digits"]))
    network.load_state_dict(groups["model"])
"""

from minireg.command import lazily

__all__ = ["SurveyCNN", "accuracy", "cross_entropy", "train_classifier"]
__getattr__ = lazily(
    __name__,
    {"SurveyCNN": "network", "accuracy": "loss", "cross_entropy": "loss", "train_classifier": "training"},
)

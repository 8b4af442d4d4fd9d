"""Every method by its name, as the command lines and the benchmarks find it."""

from functools import partial

import numpy as np

from minireg.errors import InputError, refuse_unknown
from minireg.methods.align import align
from minireg.methods.demons import demons
from minireg.methods.network import predict, refine
from minireg.methods.optimise import optimise
from minireg.methods.spline import spline


def identity(moving, fixed, progress=False):
    """Move nothing: what every other method is compared with.

    >>> identity(np.ones((1, 4, 5, 1)), np.ones((1, 4, 5, 1))).shape
    (1, 4, 5, 2)
    """
    return np.zeros((*moving.shape[:3], 2), np.float32)


METHODS = {
    "identity": identity,
    "network": predict,
    "network+refine": refine,
    "align": align,
    "optimise": optimise,
    "demons": demons,
    "tps": spline,
}
NEEDS = {  # what a method cannot do without, beside the images
    "network": ("network", "a trained network: give its checkpoint"),
    "network+refine": ("network", "a trained network: give its checkpoint"),
    "tps": ("landmarks", "landmarks (K, 4): moving row and column, fixed row and column"),
}


def make_method(name, network=None, **options):
    """The registration method of this name.

    Parameters
    ----------
    name : one of METHODS
        "identity" moves nothing; "network" is what a network predicts; "network+refine" improves that for each pair;
        "align",
        "optimise" and "demons" do without a network; "tps" meets landmarks.
    network : Module, for the two methods that begin with one
    options : what the function in METHODS takes beside the images: `landmarks` for "tps", `progress=True` for a
        progress bar, and so on. None is as good as nothing.

    Returns
    -------
    function of moving and fixed, NumPy (N, H, W, 1) float32, that returns the displacement, NumPy (N, H, W, 2) float32

    Raises InputError for an unknown name or option, or where the network or the landmarks that it needs are missing.

    >>> images = np.zeros((3, 8, 8, 1), "float32")
    >>> make_method("identity")(images, images).shape
    (3, 8, 8, 2)
    """
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}: choose one of {', '.join(METHODS)}")
    given = {option: value for option, value in ({"network": network} | options).items() if value is not None}
    need, what = NEEDS.get(name, (None, None))
    if need is not None and need not in given:
        raise InputError(f"the method {name!r} needs {what}")
    refuse_unknown(given, METHODS[name], f"the method {name!r}", given=2)
    return partial(METHODS[name], **given)

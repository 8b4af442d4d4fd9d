"""Registration methods by name: each is a function method(moving, fixed) -> displacement, with or without a network.

    method = make_method("network+refine", network)
    displacement = method(moving, fixed)        # NumPy (N, H, W, 1) twice in, NumPy (N, H, W, 2) out, in pixels

The command lines and the benchmarks find their methods here.
"""

import numpy as np

from minireg.classical import demons, optimise
from minireg.errors import InputError
from minireg.models import register

METHODS = ("identity", "network", "network+refine", "optimise", "demons")


def make_method(name, network=None, progress=False, **options):
    """The registration method of this name.

    Parameters
    ----------
    name : one of METHODS
        "identity" moves nothing; "network" is what a network predicts; "network+refine" improves that for each pair
        (`classical.optimise` with `start`); "optimise" and "demons" do without a network.
    network : Module, for the two methods that begin with one
    progress : bool, show a progress bar
    options
        Passed on to `classical.optimise` or `classical.demons`.

    Returns
    -------
    function of moving and fixed, NumPy (N, H, W, 1) float32, that returns the displacement, NumPy (N, H, W, 2) float32

    Raises
    ------
    InputError
        An unknown name, or no network where one is needed.
    """
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}: choose one of {', '.join(METHODS)}")
    if name.startswith("network") and network is None:
        raise InputError(f"the method {name!r} needs a trained network: give its checkpoint")

    def predict(moving, fixed):
        return register(network, moving, fixed, progress=progress)[1]

    def refine(moving, fixed):
        return optimise(moving, fixed, start=predict(moving, fixed), progress=progress, **options)

    return {
        "identity": lambda moving, fixed: np.zeros((*moving.shape[:3], 2), np.float32),
        "network": predict,
        "network+refine": refine,
        "optimise": lambda moving, fixed: optimise(moving, fixed, progress=progress, **options),
        "demons": lambda moving, fixed: demons(moving, fixed, progress=progress, **options),
    }[name]

"""What decides a run: the recipes, and `Configuration`, a recipe with everything that was chosen beside it."""

import dataclasses
import math

import numpy as np

from minireg import losses, optim
from minireg.data import Digits
from minireg.data.pairs import PAIRINGS, draw_fixed_index, split_of
from minireg.data.phantom import MODALITIES
from minireg.errors import InputError
from minireg.models import MODELS

OPTIMISERS = {"adam": optim.Adam, "muon": optim.Muon, "sgd": optim.SGD}
SCHEDULES = {
    "constant": lambda lr, steps: optim.constant_schedule(lr),
    "cosine": lambda lr, steps: optim.cosine_schedule(lr, steps, warmup=min(steps // 10, 40)),
}

# How the numbers of the default recipe were found: docs/recipes.md.
RECIPES = {
    "default": {
        "model": "symmetric",
        "loss": "ncc",
        "smoothness": 0.0005,
        "folding": 10.0,
        "inverse_consistency": 0.12,
        "early_looks": 3,  # of each network that looks several times, in the first half of the steps
        "optimiser": "muon",
        "schedule": "cosine",
        "lr": 0.01,
        "clip": 1.0,
        "batch_size": 16,
        "workers": 2,
        "steps": None,  # STEPS of the pairing
    },
    # The experiment of 2020, as it was published; see its network in models/encoder_decoder.py.
    "mnist2020": {
        "model": "encoder-decoder",
        "loss": "ncc",
        "smoothness": 0.0,
        "folding": 0.0,
        "inverse_consistency": 0.0,
        "early_looks": None,
        "optimiser": "sgd",
        "schedule": "constant",
        "lr": 0.004,
        "clip": None,
        "batch_size": 32,
        "workers": 1,
        "steps": None,  # EPOCHS_2020
    },
}
# Instead of the default recipe's, for phantoms and images in files: tissue moves more smoothly than a pen, and with
# less smoothness the ventricles of a phantom are matched wrongly.
IMAGES = {"smoothness": 0.7, "batch_size": 8}
MULTIMODAL = {"loss": "mi", "smoothness": 1.0}  # where, moreover, the two images show things at other intensities
STEPS = {"atlas": 300, "random": 1200, "images": 200}  # of the default recipe: about 1, 4 and 2 minutes on two cores
EPOCHS_2020 = 100


@dataclasses.dataclass
class Configuration:
    """Everything that decides what a run computes. `fixed_index` and `steps` may be None until `complete`.

    What does not concern the data is None: `digit`, `pairing`, `fixed_index` and `leave_out` are for digits, `modality`
    and `size` for phantoms.
    """

    recipe: str
    data: str
    digit: int | str | None
    pairing: str | None
    fixed_index: int | None
    seed: int
    model: str
    loss: str
    smoothness: float
    folding: float
    inverse_consistency: float
    early_looks: int | None
    optimiser: str
    schedule: str
    lr: float
    clip: float | None
    batch_size: int
    steps: int | None
    leave_out: list | None = None
    modality: str | None = None
    size: int | None = None
    augment: bool = False
    workers: int = 1

    def __post_init__(self):
        choices = {
            "pairing": (*PAIRINGS, None),
            "modality": (*MODALITIES, None),
            "model": MODELS,
            "loss": losses.SIMILARITIES,
            "optimiser": OPTIMISERS,
            "schedule": SCHEDULES,
            "recipe": RECIPES,
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"unknown {name} {getattr(self, name)!r}: choose one of {', '.join(filter(None, allowed))}"
                )
        for name, least in (
            ("batch_size", 1),
            ("steps", 1),
            ("seed", 0),
            ("smoothness", 0),
            ("folding", 0),
            ("inverse_consistency", 0),
            ("early_looks", 1),
            ("lr", 0),
            ("workers", 1),
        ):
            value = getattr(self, name)
            if value is not None and not (value >= least and math.isfinite(value)):
                raise InputError(f"{name} must be a number of at least {least}, got {value}")

    def complete(self, data):
        """This configuration for a data set: its name, the fixed image drawn by the seed, the number of steps."""
        if not isinstance(data, Digits):
            return self if self.steps is not None else dataclasses.replace(self, steps=STEPS["images"])
        digits, fixed_index, steps = data, self.fixed_index, self.steps
        if self.pairing == "atlas" and fixed_index is None:
            fixed_index = draw_fixed_index(digits, self.digit, np.random.default_rng(self.seed))
        if self.pairing == "random" and fixed_index is not None:
            raise InputError(f"a fixed index ({fixed_index}) goes with the pairing 'atlas', not with 'random'")
        if steps is None and self.recipe == "mnist2020":
            _, labels = split_of(digits, "train")
            images = len(labels) if self.digit == "all" else int(np.sum(labels == self.digit))
            steps = math.ceil(EPOCHS_2020 * images / self.batch_size)
        elif steps is None:
            steps = STEPS.get(self.pairing)
        return dataclasses.replace(self, data=digits.name, fixed_index=fixed_index, steps=steps)


def read_configuration(meta, path):
    """The Configuration in what `load_checkpoint` returned for `path`. Raises InputError where it is not one."""
    try:
        return Configuration(**meta["configuration"])
    except (KeyError, TypeError, InputError) as error:
        raise InputError(f"{path} holds no configuration that this version understands ({error})") from None

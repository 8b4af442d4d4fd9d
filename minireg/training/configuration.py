"""What decides a run: the recipes, which option wins, what concerns which data; and `Configuration`, the outcome."""

import dataclasses
import math
from pathlib import Path

from minireg import losses, optim
from minireg.data import DIGITS, MODALITIES, PAIRINGS, load_data
from minireg.data.phantom import DEFAULT_SIZE
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
        "augment": 0.0,
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
        "augment": 0.0,
    },
}
# Instead of the default recipe's, for phantoms and images in files: tissue moves more smoothly than a pen, and with
# less smoothness the ventricles of a phantom are matched wrongly.
IMAGES = {"smoothness": 0.7, "batch_size": 8}
FILES = {"augment": 1.0}  # their brightness may differ more than that of the few images there are
MULTIMODAL = {"loss": "mi", "smoothness": 1.0}  # where, moreover, the two images show things at other intensities
STEPS = {"atlas": 300, "random": 1200, "images": 200}  # of the default recipe: about 1, 4 and 2 minutes on two cores
EPOCHS_2020 = 100

# Options that choose what is computed, and what they are if not given (None: as the recipe has it).
DECIDING = {"recipe": "default", "data": "auto", "seed": 0} | dict.fromkeys(RECIPES["default"])
FOR_DIGITS = {"digit": 5, "pairing": "atlas", "fixed_index": None, "leave_out": []}
FOR_PHANTOMS = {"modality": "mr", "size": DEFAULT_SIZE}
OPTIONS = DECIDING | FOR_DIGITS | FOR_PHANTOMS


@dataclasses.dataclass
class Configuration:
    """Everything that decides what a run computes. `fixed_index` and `steps` may be None until it is `completed`.

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
    augment: float = 0.0
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
        at_least = dict.fromkeys(("batch_size", "steps", "early_looks", "workers"), 1)
        at_least |= dict.fromkeys(("seed", "smoothness", "folding", "inverse_consistency", "lr", "augment"), 0)
        for name, least in at_least.items():
            value = getattr(self, name)
            if value is not None and not (value >= least and math.isfinite(value)):
                raise InputError(f"{name} must be a number of at least {least}, got {value}")

    def source(self, data_dir=None):
        """The source of pairs of this run (`data.load_data`, whose errors it raises)."""
        options = {name: getattr(self, name) for name in concerning(self.data)}
        if self.data in DIGITS:
            options["seed"] = self.seed
        return load_data(self.data, data_dir, **{name: v for name, v in options.items() if v is not None})

    def completed(self, source):
        """This configuration for its source: its name, the fixed image that was drawn, the number of steps."""
        steps = self.steps
        if steps is None and self.recipe == "mnist2020" and self.pairing:
            steps = math.ceil(EPOCHS_2020 * source.epoch / self.batch_size)
        elif steps is None:
            steps = STEPS[self.pairing or "images"]
        return dataclasses.replace(self, data=source.name, steps=steps, **source.options)

    def refuse_changes(self, given, folder):
        """Raise InputError where an option given (not None) is not that of this run in `folder`: it keeps its own.

        But not where the number of workers is: that changes how fast it goes on, and only the last digits of the sums.
        """
        for name in OPTIONS.keys() - {"workers"}:
            own, new = getattr(self, name), given.get(name)
            if new not in (None, own) and (name, new) != ("data", "auto"):
                raise InputError(
                    f"{flag(name)} {new} differs from the run in {folder}, which has {own}: a resumed run "
                    "keeps its own options; leave it out, or start a new run"
                )

    @property
    def run_name(self):
        """What its folder is called: mnist-5-atlas."""
        words = [self.digit, self.pairing, self.modality]
        name = "-".join([Path(self.data).resolve().stem, *(str(word) for word in words if word is not None)])
        return name if self.recipe == "default" else f"{self.recipe}-{name}"

    @property
    def description(self):
        """Which pairs it trains on, in words."""
        if self.data == "phantom":
            return f"modality {self.modality}, {self.size} x {self.size} pixels"
        if self.digit is None:
            return "pairs of images"
        digits = "all digits" if self.digit == "all" else f"digit {self.digit}"
        if self.leave_out:
            digits += f" but {', '.join(map(str, self.leave_out))}"
        return f"{digits} to test image {self.fixed_index}" if self.pairing == "atlas" else f"random pairs of {digits}"


def concerning(data):
    """The options that concern only such data, and what they are if not given."""
    return FOR_DIGITS if data in DIGITS else FOR_PHANTOMS if data == "phantom" else {}


def flag(name):
    """An option as it is typed."""
    return f"--{name.replace('_', '-')}"


def refuse_unconcerned(given, data):
    """Raise InputError where an option was given (is not None) that is for other data."""
    for name in FOR_DIGITS | FOR_PHANTOMS:
        if given.get(name) is not None and name not in concerning(data):
            whose = "digits" if name in FOR_DIGITS else "phantoms"
            raise InputError(f"{flag(name)} {given[name]} is for {whose}, not for --data {data}: leave it out")


def configure(given):
    """The Configuration of a new run: an option wins as it is given, else as the recipe has it for such data.

    given : dict of options, by the names in OPTIONS; None is as good as nothing

    Raises InputError where options do not go together, or one is unknown or out of range.

    >>> configuration = configure({"data": "phantom", "modality": "multi", "smoothness": 0.5})
    >>> configuration.loss, configuration.smoothness, configuration.batch_size, configuration.digit
    ('mi', 0.5, 8, None)
    """
    data = given.get("data") or DECIDING["data"]
    refuse_unconcerned(given, data)
    defaults = dict.fromkeys(OPTIONS) | DECIDING | concerning(data)
    options = {name: default if given.get(name) is None else given[name] for name, default in defaults.items()}
    recipe = dict(RECIPES[options["recipe"]])
    if options["recipe"] == "default" and data not in DIGITS:
        recipe |= IMAGES | (MULTIMODAL if options["modality"] == "multi" else {}) | (FILES if data != "phantom" else {})
    return Configuration(**options | {name: value for name, value in recipe.items() if options.get(name) is None})


def source_to_evaluate(data, digit, data_dir, configuration):
    """The source of the pairs over which methods are compared.

    data, digit, data_dir are what the options name, or None; None and "auto" mean what the network was trained on, if
    there is one, whose `configuration` this is (or None). Of its own data pairs are as it was trained; of other digits
    they are random, and of all digits where none is named.

    Raises InputError where the digit does not go with the data or the network, and as `data.load_data`.

    >>> source_to_evaluate("phantom", None, None, None).name
    'phantom'
    """
    data = (configuration.data if configuration else "auto") if data in (None, "auto") else data
    refuse_unconcerned({"digit": digit}, data)
    if configuration is None or configuration.data != data:
        return load_data(data, data_dir, **({} if digit is None else {"digit": digit}))
    if digit in (None, configuration.digit):
        return configuration.source(data_dir)
    if configuration.pairing == "atlas":
        raise InputError(
            f"--digit {digit}: this network was trained to align everything with one image of the digit "
            f"{configuration.digit}; leave --digit out"
        )
    return dataclasses.replace(configuration, digit=digit).source(data_dir)


def read_configuration(meta, path):
    """The Configuration in what `load_checkpoint` returned for `path`. Raises InputError where it is not one."""
    try:
        return Configuration(**meta["configuration"])
    except (KeyError, TypeError, InputError) as error:
        raise InputError(f"{path} holds no configuration that this version understands ({error})") from None

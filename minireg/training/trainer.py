"""The training loop: what a run is made of, how it is saved, stopped and taken up again.

A run lives in one folder:

    configuration.json   everything that decides the result
    checkpoint.npz       weights, optimiser, random state, step, configuration and history; written as it goes
    history.csv          the loss and its terms, for every step so far; now and then that of the validation pairs
    loss.png             the same as a picture, at the end
    metrics.json         held-out pairs before and after registration, at the end
    registration.png     eight of them as pictures, at the end
    fields.png           the displacement fields of four, at the end
    registration.gif     two of them as they deform, at the end
    tensorboard/         what a `Board` writes, if there is one

Nothing in these files, but those of tensorboard/, depends on when or how fast they were made: a run that was killed and
resumed leaves the same bytes as one that never stopped.
"""

import dataclasses
import functools
import json
import math
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tqdm import tqdm

from minireg import backend, viz
from minireg.data.augmentation import augment
from minireg.errors import InputError, TrainingError
from minireg.evaluation import mean_scores, score_pairs
from minireg.files import atomic_write, remove_leftovers
from minireg.methods import register
from minireg.models import MODELS
from minireg.training.checkpoint import save_checkpoint
from minireg.training.configuration import OPTIMISERS, SCHEDULES
from minireg.training.group import ALONE, started
from minireg.training.objective import GRADIENT_NORM, backpropagate
from minireg.training.profile import STEP, measured
from minireg.training.validation import STEPS_BETWEEN, Validation, warning

CHECKPOINT = "checkpoint.npz"
AS_IT_GOES = ("configuration.json", "history.csv", CHECKPOINT)
AT_THE_END = ("metrics.json", "loss.png", "registration.png", "fields.png", "registration.gif")
STEPS_BETWEEN_CHECKPOINTS = 50
VALIDATION = "validation_similarity"


class Trainer:
    """One training run in its folder.

    Parameters
    ----------
    configuration : Configuration, completed for the source
    source : a source of pairs, as `data/pairs.py` describes it
    folder : str or Path, or None until training begins
        Made where it does not exist.

    >>> from minireg.data import DigitPairs, load_strokes
    >>> from minireg.training import configure, load_network
    >>> source = DigitPairs(load_strokes(train_per_digit=12, test_per_digit=3), digit=7)
    >>> configuration = configure({"data": "strokes", "steps": 1, "workers": 1}).completed(source)
    >>> Trainer(configuration, source, "run").train()
    >>> network, configuration = load_network("run/checkpoint.npz")
    >>> configuration.digit, sum(parameter.size for parameter in network.parameters())
    (7, 151200)
    """

    def __init__(self, configuration, source, folder):
        self.configuration, self.source, self.folder = configuration, source, folder and Path(folder)
        self.rng = np.random.default_rng(configuration.seed)
        self.network = MODELS[configuration.model](self.rng)
        self.optimiser = OPTIMISERS[configuration.optimiser](self.network.parameters(), configuration.lr)
        change = functools.partial(augment, strength=configuration.augment) if configuration.augment else None
        self.sampler = source.sampler(self.rng, change)
        self.validation = Validation(source, configuration)
        self.step = 0
        self.saved_step = self.gradient_norm = None
        weighted = [name for name in ("folding", "inverse_consistency") if getattr(configuration, name)]
        self.history = {name: [] for name in ("loss", "similarity", "smoothness", *weighted)}
        if self.validation.possible:
            self.history[VALIDATION] = []  # NaN where it was not scored

    def train(self, group=ALONE, board=None):
        """Train to the last step, with a progress bar, saving a checkpoint now and then.

        group : the Group of the processes that train as one, each of which calls this for a Trainer like this one
            Alone, a process starts as many others as the configuration names, unless it computes on a GPU.
        board : Board of this trainer, in the first process, or None

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C; the step under way was finished and the run saved. A second Ctrl-C stops at once.
        InputError
            The processes do not have the same data and options, or are more than there are pairs in a batch.
        TrainingError
            The loss or a gradient is not finite, or another process has ended. The last good checkpoint is kept.
        OSError
            The folder cannot be written to, or the disk is full.
        """
        configuration = self.configuration
        if group.size > configuration.batch_size:
            raise InputError(
                f"{group.size} processes cannot share batches of {configuration.batch_size} pairs: start fewer, or "
                "name a larger --batch-size"
            )
        if group.first:
            remove_leftovers(self.folder, AS_IT_GOES + AT_THE_END)
            if self.saved_step != self.step:
                self.save()
        if group is not ALONE:
            if not group.agrees(f"{configuration} {self.source.fingerprint} {self.step}"):
                raise InputError(
                    "the processes do not have the same options, images or checkpoint: give all the same files and "
                    "options"
                )
            self._train(group, board)
            return
        workers = min(configuration.workers, configuration.batch_size) if backend.active().name == "numpy" else 1
        with started(workers if self.step < configuration.steps else 1, _follow, self) as group:
            self._train(group, board)

    def __getstate__(self):
        """What is sent to the processes that share the work: all but the source, for the sampler has its images."""
        return {name: value for name, value in vars(self).items() if name != "source"}

    def _train(self, group, board=None):
        """The loop. All processes leave it at the same step."""
        steps, warned = self.configuration.steps, False
        self.network.train()
        self.network.share_batches(group.all_reduce if group.size > 1 else None)
        with (
            _finish_step_on_interrupt() as interrupted,
            np.errstate(all="ignore"),  # every step is checked, and the error says more than NumPy's warnings
            tqdm(total=steps, initial=self.step, desc="training", unit="step", disable=not group.first) as bar,
        ):
            while self.step < steps:
                loss = measured(STEP, self.train_step, group)
                if board:
                    measured("board", board.add_step, self)
                bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
                bar.update()
                if not warned and self.step % STEPS_BETWEEN == 0 and self.warning:
                    warned = True
                    tqdm.write(f"step {self.step}: {self.warning}", file=sys.stderr)
                stop = group.all_reduce(np.array([interrupted.is_set()], np.float32))[0] > 0
                if group.first and (self.step % STEPS_BETWEEN_CHECKPOINTS == 0 or self.step == steps or stop):
                    if board:
                        board.flush()  # first: a run that is resumed from there does not add these steps again
                    measured("checkpoints", self.save)
                    if board:
                        measured("pictures of the board", board.add_picture, self)
                if stop:
                    raise KeyboardInterrupt

    def train_step(self, group=ALONE):
        """Draw a batch, register it, and change the weights once. Returns the loss, a float."""
        configuration = self.configuration
        moving, fixed = measured("drawing the batch", self.sampler.draw, configuration.batch_size)
        looks = configuration.early_looks if self.step < configuration.steps / 2 else None
        values = backpropagate(self.network, moving, fixed, configuration, looks, group)
        self._check_finite(self.step + 1, "loss", values["loss"])
        self.gradient_norm = values.pop(GRADIENT_NORM)
        self._check_finite(self.step + 1, "norm of the gradient", self.gradient_norm)
        self.optimiser.lr = self.learning_rate
        measured("the optimiser's step", self.optimiser.step)
        self.step += 1
        for name, value in values.items():
            self.history[name].append(value)
        if self.validation.possible:
            self.history[VALIDATION].append(self._validated() if group.first else math.nan)
        return values["loss"]

    @property
    def learning_rate(self):
        """Of the next step, as the schedule has it."""
        return SCHEDULES[self.configuration.schedule](self.configuration.lr, self.configuration.steps)(self.step)

    def _validated(self):
        """The score of the validation pairs at a step where they have one, else NaN."""
        if self.step % STEPS_BETWEEN and self.step != self.configuration.steps:
            return math.nan
        score = measured("validation", self.validation.score, self.network)
        self._check_finite(self.step, "similarity of the validation pairs", score)
        return score

    @property
    def warning(self):
        """A sentence where the network learns its images by heart, else None (`validation.warning`)."""
        if not self.validation.possible:
            return None
        return warning(self.history["similarity"], self.history[VALIDATION], self.configuration.steps // 2)

    def _check_finite(self, step, name, value):
        if math.isfinite(value):
            return
        raise TrainingError(
            f"step {step}: the {name} is {value}, so training was stopped. The checkpoint of step "
            f"{self.saved_step} is kept in {self.folder}. Try a smaller --lr than {self.configuration.lr}."
        )

    def save(self):
        """Write the checkpoint, the configuration and the history.

        Raises TrainingError, and keeps the checkpoint before, where a weight is not finite; OSError as
        `atomic_write`.
        """
        weights = self.network.state_dict()
        for name, array in weights.items():
            if not np.isfinite(array).all():
                self._check_finite(self.step, f"largest weight of {name}", float(np.abs(array).max()))
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = dataclasses.asdict(self.configuration)
        with atomic_write(self.folder / "configuration.json", "w") as file:
            json.dump(configuration, file, indent=2)
        with atomic_write(self.folder / "history.csv", "w") as file:
            file.write(",".join(["step", *self.history]) + "\n")
            for step, row in enumerate(zip(*self.history.values(), strict=True), start=1):
                file.write(",".join([str(step), *("" if math.isnan(value) else repr(value) for value in row)]) + "\n")
        # Last, so that whatever a finished checkpoint stands for is there too: a resumed run would not write it again.
        save_checkpoint(
            self.folder / CHECKPOINT,
            {
                "configuration": configuration,
                "data": self.source.fingerprint,
                "step": self.step,
                "random_state": self.rng.bit_generator.state,
            },
            model=weights,
            optimiser=self.optimiser.state_dict(),
            sampler=self.sampler.state_dict(),
            history={name: np.array(values) for name, values in self.history.items()},
        )
        self.saved_step = self.step

    def restore(self, meta, groups):
        """Go back to where `load_checkpoint` says the run was. Raises InputError where something does not fit."""
        if meta.get("data", self.source.fingerprint) != self.source.fingerprint:
            raise InputError(
                f"the images of {self.source.name} are not those that the run in {self.folder} began with: bring them "
                "back, or start a new run"
            )
        try:
            self.network.load_state_dict(groups["model"])
            self.optimiser.load_state_dict(groups["optimiser"])
            self.sampler.load_state_dict(groups["sampler"])
            self.rng.bit_generator.state = meta["random_state"]
            self.step = self.saved_step = int(meta["step"])
            history = groups["history"]
            if self.validation.possible and VALIDATION not in history:  # written before there was one
                history[VALIDATION] = np.full(self.step, math.nan)
            self.history = {name: history[name].tolist() for name in self.history}
            if any(len(values) != self.step for values in self.history.values()):
                raise ValueError(f"its history is not that of {self.step} steps")
        except KeyError as error:
            raise InputError(f"{self.folder / CHECKPOINT} lacks a part of a training run: {error}") from None
        except (TypeError, ValueError) as error:
            raise InputError(f"{self.folder / CHECKPOINT}: {error}") from None

    def report(self, pairs=100):
        """Register held-out pairs; write metrics.json and the pictures. Returns the metrics.

        Returns a dict of "identity" and "registered", each the means of `score_pairs` over the pairs
        """
        configuration = self.configuration
        held_out = self.source.held_out(pairs)
        moving, fixed = held_out.moving, held_out.fixed
        warped, displacement = register(self.network, moving, fixed)
        scores = {
            "identity": mean_scores(score_pairs(held_out, moving, np.zeros_like(displacement))),
            "registered": mean_scores(score_pairs(held_out, warped, displacement)),
        }
        with atomic_write(self.folder / "metrics.json", "w") as file:
            json.dump({"pairs": len(moving), "data": configuration.data, **scores}, file, indent=2)
        viz.loss_curve(self.history, self.folder / "loss.png")
        titles, registered = held_out.titles, (moving, fixed, warped, displacement)
        viz.registration_picture(*registered, self.folder / "registration.png", titles)
        viz.field_picture(*registered, self.folder / "fields.png", titles)
        viz.animation(moving, fixed, displacement, self.folder / "registration.gif")
        return scores


def _follow(group, trainer):
    """In a process that was started: train as the first one does."""
    tqdm.set_lock(threading.RLock())  # its default is one between processes, which would be left behind by kill -9
    trainer._train(group)


@contextmanager
def _finish_step_on_interrupt():
    """Within the block, the first Ctrl-C (or SIGTERM) sets the event that is yielded; a second one acts as always.

    A step that is cut off half-way leaves some weights changed and others not: a state that no resumed run can reach.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield interrupted
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}

    def on_first(number, frame):
        interrupted.set()
        for each in signals:
            signal.signal(each, before[each])

    for number in signals:
        signal.signal(number, on_first)
    try:
        yield interrupted
    finally:
        for number in signals:
            signal.signal(number, before[number])

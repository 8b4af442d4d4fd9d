"""The figure of docs/internals/training.md: learning-rate schedules, and what Adam's bias correction does.

python docs/figures/training_rates.py        # writes docs/images/training_rates.png
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from minireg import backend, optim
from minireg.nn import Parameter
from minireg.viz import common

STEPS, WARMUP, LR = 300, 30, 0.01  # of the default recipe in atlas pairing
SHOWN = 1000  # steps of Adam
B1, B2 = 0.9, 0.999


def adam_steps():
    """How far Adam moves a number in each step under the gradient 1, in units of lr."""
    parameter = Parameter(np.zeros(1))
    optimiser = optim.Adam([parameter], lr=1.0, betas=(B1, B2))
    positions = [0.0]
    for _ in range(SHOWN):
        parameter.grad = backend.to_device(np.ones(1))
        optimiser.step()
        positions.append(parameter.item())
    return -np.diff(positions)


def draw():
    """The figure."""
    figure = Figure(figsize=(9, 3.2), dpi=common.DOTS_PER_INCH)
    rates, lengths = figure.subplots(1, 2)
    schedules = {
        "constant": optim.constant_schedule(LR),
        "step: a tenth every 100 steps": lambda step: LR * 0.1 ** (step // 100),
        "cosine, warm-up of 30 steps (the default)": optim.cosine_schedule(LR, STEPS, WARMUP),
    }
    for (name, schedule), style in zip(schedules.items(), (":", "--", "-"), strict=True):
        rates.plot([schedule(step) for step in range(STEPS)], style, drawstyle="steps-post", label=name)
    rates.set_title("Learning rate", fontsize=10)
    rates.set_xlabel("step")
    rates.set_ylim(0, 1.5 * LR)
    rates.legend(fontsize=8, loc="upper right")

    t = np.arange(1, SHOWN + 1)
    lengths.semilogx(t, (1 - B1**t) / np.sqrt(1 - B2**t), "--", color="tab:red", label="without bias correction")
    lengths.semilogx(t, adam_steps(), color="tab:blue", label="with it")
    lengths.set_title("Adam's step under a constant gradient, in units of lr", fontsize=10)
    lengths.set_xlabel("t")
    lengths.set_ylim(0, 7.5)
    lengths.legend(fontsize=8, loc="upper right")
    for axes in rates, lengths:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    figure.tight_layout()
    return figure


if __name__ == "__main__":
    common.save(draw(), Path(__file__).resolve().parents[1] / "images" / "training_rates.png")

"""The checks of the exercises of lesson 2."""

import numpy as np

from lessons.check.checking import Case, Exercise, Mistake

LINE = np.random.default_rng(2).random(6)


def exact_at_pixels(interpolate):
    for x in range(len(LINE)):
        if abs(interpolate(LINE, float(x)) - LINE[x]) > 1e-6:
            return f"At x = {x}, exactly on a pixel, the result must be the intensity of that pixel."


def exact_on_a_ramp(interpolate):
    ramp = 3 + 2 * np.arange(6.0)
    if abs(interpolate(ramp, 2.25) - 7.5) > 1e-6:
        return "Along a ramp (3, 5, 7, ...) the result must be 7.5 at x = 2.25. Do your weights add up to 1?"


def _exchanged(line, x):
    j = int(x)
    t = x - j
    return t * line[j] + (1 - t) * line[min(j + 1, len(line) - 1)]


INTERPOLATE = Exercise(
    name="interpolate",
    title="linear interpolation on a line",
    reference=lambda line, x: np.interp(x, np.arange(len(line)), line),
    cases=[
        Case("half-way between two pixels", (LINE, 2.5)),
        Case("a quarter of the way", (LINE, 1.25)),
        Case("three quarters of the way", (LINE, 1.75)),
        Case("exactly on a pixel", (LINE, 3.0)),
        Case("on the last pixel", (LINE, 5.0)),
    ],
    mistakes=[
        Mistake("The nearer pixel must count more: your two weights are exchanged.", _exchanged),
        Mistake("You take the pixel before x, whatever lies behind it.", lambda line, x: line[int(x)]),
        Mistake(
            "You take the nearest pixel. Between two pixels the result lies between theirs.",
            lambda line, x: line[round(x)],
        ),
    ],
    properties=[exact_at_pixels, exact_on_a_ramp],
)

EXERCISES = [INTERPOLATE]

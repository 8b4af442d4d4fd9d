"""Draw the registrations of docs/how-to/read_the_pictures.md: a good one, and three that went wrong on purpose.

    python docs/figures/reading.py                  # about 20 seconds

Writes docs/images/reading/outcomes.png and outcomes_fields.png.
"""

from pathlib import Path

import numpy as np

from minireg import metrics, viz
from minireg.data import draw_digits
from minireg.data.phantom import draw_pairs
from minireg.fields import warp_images
from minireg.methods import optimise

FOLDER = Path(__file__).resolve().parent.parent / "images" / "reading"


def main():
    """Register four times, and draw all four in each of both pictures."""
    rng = np.random.default_rng(6)
    digits = np.pad(draw_digits(np.array([4, 4]), rng), [(0, 0), (2, 2), (2, 2), (0, 0)])  # 32 x 32, as the heads
    moving, fixed = digits[:1], digits[1:]
    heads = draw_pairs(np.random.default_rng(0), 1, 32, "ct", "mr")
    runs = {
        "good": (moving, fixed, {}),
        "torn": (moving, fixed, {"smoothness": 0, "folding": 0, "sigma": 0, "levels": 1, "lr": 0.5}),
        "stiff": (moving, fixed, {"smoothness": 100}),
        "fooled": (heads.moving, heads.fixed, {}),
    }
    fields = [optimise(*images, **options) for *images, options in runs.values()]
    pairs = [*zip(*[images for *images, _ in runs.values()], strict=True)]
    before, after = (
        metrics.landmark_error(field, heads.fixed_points, heads.moving_points)[0]
        for field in (np.zeros_like(heads.displacement), fields[-1])
    )
    print(f"fooled: landmarks are {before:.2f} pixels off before, {after:.2f} after")
    moving, fixed, displacement = (np.concatenate(arrays) for arrays in (*pairs, fields))
    warped = warp_images(moving, displacement)
    FOLDER.mkdir(parents=True, exist_ok=True)
    viz.registration_picture(moving, fixed, warped, displacement, FOLDER / "outcomes.png", list(runs))
    viz.field_picture(moving, fixed, warped, displacement, FOLDER / "outcomes_fields.png", list(runs))
    print(FOLDER)


if __name__ == "__main__":
    main()

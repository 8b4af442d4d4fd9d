"""What speaks for one registration and against it: numbers, what each can tell, and doubts in words.

    evidence = gather(displacement, back, moving_shape, spacings, start, landmarks)
    rows, doubts = weigh(before, fixed, warped, bend, evidence)

A field is a hypothesis. NCC is what most methods make large, so it proves little; the rest was not asked for.
"""

from typing import NamedTuple

import numpy as np

from minireg import backend, losses, metrics
from minireg.fields import affine_part, warp_images, warp_points

GAIN = 0.02  # of NCC, or of mutual information in nats; less is hardly any
OVERLAP = 0.8  # of the fixed image; where less of it looks inside the moving image, much is border
FROM_HOME = 1.0  # pixels, there and back; further is not what two images agree about
AT_BORDER = 0.04  # of the shorter side: so near to the border, images say least
CONTRAST = 0.1  # standard deviation of intensities at the border; less is an even background, where a bend does no harm
FARTHER = 1.2  # times the longest bend elsewhere
LONG = 2.0  # pixels; a bend that is shorter is no reason to doubt
FOLDS = "{:.3g}% of the cells fold: there one place shows up several times. Try more smoothness."
WORSE = 1.05  # times the distance of landmarks before; more than that is worse


class Row(NamedTuple):
    """One line of the table: a name, the number before and after registering, both in words, and what it can tell."""

    name: str
    before: str
    after: str
    tells: str


class Evidence(NamedTuple):
    """What cannot be seen in the two images. Lengths are in pixels of the fixed image, the finer side.

    inside : share of the fixed image's pixels that look inside the moving one
    from_home : mean distance there and back, over those pixels
    landmarks : distances before and after, (K,) each, or None
    millimetres : per pixel, or None where the files do not say
    """

    inside: float
    from_home: float
    landmarks: tuple | None = None
    millimetres: float | None = None

    def length(self, pixels):
        """A length in words.

        >>> Evidence(1.0, 0.0, millimetres=0.5).length(3)
        '3.00 px (1.50 mm)'
        """
        return f"{pixels:.2f} px" + ("" if self.millimetres is None else f" ({pixels * self.millimetres:.2f} mm)")


def gather(displacement, back, moving_shape, spacings, start, landmarks=None, measured=False):
    """The `Evidence` about one pair.

    Parameters
    ----------
    displacement, start : (1, H, W, 2) float32, from the pixels of the fixed to those of the moving image: what was
        found, and where one began
    back : (1, H', W', 2) float32, what the same method finds from the moving to the fixed image
    moving_shape : (H', W')
    spacings : of the moving and the fixed image, from row to row and from column to column, in mm
    landmarks : (K, 4), moving row and column, fixed row and column, optional
    measured : bool, whether the files say what the spacings are

    >>> right = np.full((1, 4, 8, 2), (0, 2), "float32")
    >>> gather(right, -right, (4, 8), ((1, 1), (1, 1)), 0 * right)
    Evidence(inside=0.75, from_home=0.0, landmarks=None, millimetres=None)
    """
    side = min(spacings[1])
    p = np.moveaxis(np.indices(displacement.shape[1:3]), 0, -1)
    looked_at = p + displacement[0]
    inside = ((looked_at > -0.5) & (looked_at < np.array(moving_shape) - 0.5)).all(axis=-1)
    home = (displacement + warp_images(back, displacement))[0] * spacings[1]
    from_home = np.linalg.norm(home, axis=-1)[inside].mean() / side if inside.any() else np.inf
    distances = None
    if landmarks is not None:
        distances = tuple(landmark_distances(u, landmarks, spacings)[0] for u in (start, displacement))
    return Evidence(float(inside.mean()), float(from_home), distances, side if measured else None)


def landmark_distances(displacement, landmarks, spacings):
    """From where fields (N, H, W, 2) send the fixed landmarks to where they belong: (N, K), as `gather` has them.

    In pixels of the fixed image, along its finer side.

    >>> still = np.zeros((1, 8, 8, 2), "float32")
    >>> landmark_distances(still, np.array([[4, 5, 1, 1]]), ((1, 1), (1, 2))).tolist()
    [[5.0]]
    """
    moving, fixed = (np.asarray(landmarks, np.float64)[None, :, part] for part in (slice(0, 2), slice(2, 4)))
    fields = displacement.astype(np.float64)
    fixed = np.repeat(fixed, len(fields), axis=0)
    sent = backend.to_host(warp_points(*map(backend.to_device, (fixed, fields))).data)
    return np.linalg.norm((sent - moving) * spacings[0], axis=-1) / min(spacings[1])


def weigh(before, fixed, warped, bend, evidence, symmetric=False, fitted=False):
    """A table of numbers about one pair, and what is to be doubted.

    Parameters
    ----------
    before, fixed, warped : (1, H, W, 1), in [0, 1]; the moving image before and after, on square pixels of the fixed
    bend : (1, H, W, 2), the displacement, in such pixels
    evidence : Evidence
    symmetric : bool, whether the method treats both images alike, so that there and back is near 0 whatever it finds
    fitted : bool, whether the method was given the landmarks

    Returns a list of Row, and a list of sentences, empty where no number gives a reason to doubt.

    >>> image = np.random.default_rng(0).random((1, 16, 16, 1))
    >>> rows, doubts = weigh(image, image, image, np.zeros((1, 16, 16, 2)), Evidence(1.0, 0.0))
    >>> rows[0].before, rows[0].after, doubts
    ('1.000', '1.000', [])
    """
    ncc = [metrics.ncc(image, fixed)[0] for image in (before, warped)]
    information = [
        -losses.mutual_information_loss(*map(backend.to_device, (x, fixed))).item() for x in (before, warped)
    ]
    cells = max((fixed.shape[1] - 1) * (fixed.shape[2] - 1), 1)
    share = metrics.folded_cells(bend)[0]
    lengths = np.linalg.norm(bend[0], axis=-1)
    rows = [
        Row("NCC", f"{ncc[0]:.3f}", f"{ncc[1]:.3f}", "alike; but that was asked for"),
        Row("mutual information", f"{information[0]:.3f}", f"{information[1]:.3f}", "nats; also between two kinds"),
        Row("folded cells", "", f"{share * cells:.0f} of {cells}", "0 is necessary, and proves nothing"),
        Row("displacement, mean", "", evidence.length(lengths.mean()), "of the whole picture; to be expected?"),
        Row("displacement, largest", "", evidence.length(lengths.max()), "and that?"),
        Row("looks inside", "", f"{evidence.inside:.1%}", "elsewhere nothing is known"),
        Row(
            "there and back",
            "",
            evidence.length(evidence.from_home),
            "near 0 by construction: no proof" if symmetric else "if it is large, one way is wrong",
        ),
    ]
    if evidence.landmarks is None:
        rows.append(Row("landmarks", "", "none given", "the best witness: --landmarks FILE"))
    else:
        tells = "they were fitted: no proof" if fitted else "the best witness, if not used to tune"
        for name, of, remark in ("mean", np.mean, tells), ("worst", np.max, "which one? look there"):
            rows.append(Row(f"landmarks, {name}", *(evidence.length(of(x)) for x in evidence.landmarks), remark))

    found = {
        FOLDS.format(100 * share): share > 0,
        "There was hardly any gain, in NCC or in mutual information.": ncc[1] < 1 - GAIN
        and max(ncc[1] - ncc[0], information[1] - information[0]) < GAIN,
        f"Only {evidence.inside:.0%} of the fixed image looks inside the moving one: the rest is border, continued.": (
            evidence.inside < OVERLAP
        ),
        "The field bends most at the border, and things are cut off there: a mask, or a larger part of the image?": (
            _bends_most_at_the_border(bend, fixed[0])
        ),
        f"There and back, one ends {evidence.length(evidence.from_home)} from home: at least one way is wrong.": (
            evidence.from_home > FROM_HOME
        ),
    }
    if evidence.landmarks is not None:
        start, end = (distances.mean() for distances in evidence.landmarks)
        found["The landmarks are further apart than before."] = end > max(WORSE * start, start + 0.1)
    return rows, [sentence for sentence, holds in found.items() if holds]


def _bends_most_at_the_border(bend, image):
    """Whether a field (1, H, W, 2) without its affine part is longest, and long, at a border where things are seen."""
    height, width = bend.shape[1:3]
    p = np.insert(np.moveaxis(np.indices((height, width)), 0, -1), 2, 1, axis=-1)
    lengths = np.linalg.norm(bend[0] - (p @ affine_part(bend)[0].T - p[..., :2]), axis=-1)
    margin = max(1, round(AT_BORDER * min(height, width)))
    ring = np.ones((height, width), bool)
    ring[margin:-margin, margin:-margin] = False
    seen = image[ring].std() > CONTRAST
    return bool(seen and not ring.all() and lengths[ring].max() > max(LONG, FARTHER * lengths[~ring].max()))

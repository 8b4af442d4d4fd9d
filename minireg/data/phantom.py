"""A head phantom: drawn slices through heads, in pairs whose true displacement is known, as CT or MR would show them.

    pairs = draw_pairs(np.random.default_rng(0), 8, moving_modality="ct", fixed_modality="mr")

A pair is one anatomy seen twice. The fixed image shows it as it is, the moving image after a random smooth
deformation without folds:

    fixed(p) = A(p)        moving(q) = A(q + inverse(q))        so that        moving(p + u(p)) = A(p) = fixed(p)

and u, what a registration is to find, is known at every pixel. The anatomy A is a set of ellipses that vary from head
to head. It is drawn where each image looks, never resampled, so that both images of a pair are equally sharp.
"""

import numpy as np
from tqdm import tqdm

from minireg.data.pairs import HELD_OUT_SEED, Pairs, Sampler
from minireg.errors import InputError
from minireg.fields import random_diffeomorphism

BACKGROUND, SCALP, BONE, GREY_MATTER, WHITE_MATTER, FLUID, LESION = range(7)

# Tissue; half the width, half the height; centre (x, y), x to the right and y up; rotation in degrees, anticlockwise.
# Later ellipses are painted over earlier ones. Unit: half of the page, on which the head is .92 high.
# Source: Shepp, Logan, The Fourier reconstruction of a head section, IEEE Transactions on Nuclear Science 21 (1974),
# table 1, doi:10.1109/TNS.1974.6499235. Scalp and white matter are ours: it has no skin, and one tissue for the brain.
ELLIPSES = (
    (SCALP, 0.76, 0.99, 0.0, 0.0, 0.0),
    (BONE, 0.69, 0.92, 0.0, 0.0, 0.0),
    (GREY_MATTER, 0.6624, 0.874, 0.0, -0.0184, 0.0),
    (WHITE_MATTER, 0.53, 0.74, 0.0, -0.0184, 0.0),
    (FLUID, 0.11, 0.31, 0.22, 0.0, -18.0),
    (FLUID, 0.16, 0.41, -0.22, 0.0, 18.0),
    (GREY_MATTER, 0.21, 0.25, 0.0, 0.35, 0.0),
    (LESION, 0.046, 0.046, 0.0, 0.1, 0.0),
    (LESION, 0.046, 0.046, 0.0, -0.1, 0.0),
    (LESION, 0.046, 0.023, -0.08, -0.605, 0.0),
    (LESION, 0.023, 0.023, 0.0, -0.606, 0.0),
    (LESION, 0.023, 0.046, 0.06, -0.605, 0.0),
)
# The white matter's outline is folded (ours too): along a smooth outline nothing would tell where a point has moved.
LOBES, LOBE_DEPTH = 7, 0.12  # how many, and how deep as a share of the radius
HEAD = 0.8  # of the image that the page covers: a margin for heads that are rotated, larger, or deformed

# Intensity of each tissue, in the order of the constants above. CT follows density, windowed for the brain: bone is
# white, the tissues of the brain differ little. MR is as with T1 weighting: fat and white matter bright, bone and fluid
# dark. The numbers are ours.
INTENSITIES = {
    "ct": (0.0, 0.35, 1.0, 0.6, 0.45, 0.25, 0.8),
    "mr": (0.0, 0.95, 0.1, 0.5, 0.75, 0.2, 0.35),
}
NOISE = {"ct": 0.02, "mr": 0.03}  # standard deviation
BIAS = {"ct": 0.0, "mr": 0.1}  # standard deviation of the logarithm of the field that MR intensities are multiplied by
MODALITIES = {"ct": ("ct", "ct"), "mr": ("mr", "mr"), "multi": ("ct", "mr")}  # of the moving and the fixed image

# How heads vary: standard deviations.
HEAD_ROTATION, HEAD_SCALE = 4.0, 0.03  # degrees; factor, for width and height each
PART_ROTATION, PART_SCALE, PART_SHIFT = 4.0, 0.06, 0.015  # of each ellipse inside the brain
FIRST_PART = 3  # scalp, bone and brain lie one inside the other and vary only together

# The deformation, as shares of the side of the image: see `random_diffeomorphism`.
AMPLITUDE, SMOOTHNESS = 0.11, 0.2
SAMPLES = 3  # along each side of a pixel: edges have ten levels of grey
LANDMARKS = 32

DEFAULT_SIZE = 48  # trains in one or two minutes on two cores
SMALLEST, LARGEST = 32, 256  # below, the lesions vanish; above, a pair takes seconds
TRAINING_PAIRS = 512
PAIRS_AT_A_TIME = 16


class PhantomPairs:
    """Phantoms as a source of pairs for training and testing, the same ones every time.

    The modality is "ct" or "mr" for both images, or "multi": the moving one CT, the fixed one MR. The size, 32 to 256,
    is height and width in pixels. Raises InputError for an unknown modality, or a size out of range.

    >>> pairs = PhantomPairs("multi", size=32).held_out(2)
    >>> pairs.moving.shape, pairs.displacement.shape, pairs.fixed_points.shape
    ((2, 32, 32, 1), (2, 32, 32, 2), (2, 32, 2))
    """

    name = "phantom"
    epoch = TRAINING_PAIRS
    fingerprint = "drawn"  # from the same seeds every time

    def __init__(self, modality="mr", size=DEFAULT_SIZE):
        if modality not in MODALITIES:
            raise InputError(f"unknown modality {modality!r}: choose one of {', '.join(MODALITIES)}")
        self.options = {"modality": modality, "size": size}
        self.modalities, self.size = MODALITIES[modality], size
        _check_size(size)

    def sampler(self, rng, augment=None):
        """A `Sampler` of TRAINING_PAIRS pairs, drawn now, in a few seconds."""
        stream = np.random.default_rng(_seeds(0)["train"])
        chunks = []
        for _ in tqdm(range(0, TRAINING_PAIRS, PAIRS_AT_A_TIME), "drawing phantoms", leave=False):
            chunks.append(draw_pairs(stream, PAIRS_AT_A_TIME, self.size, *self.modalities))
        moving, fixed = (np.concatenate([getattr(c, role) for c in chunks]) for role in ("moving", "fixed"))
        return Sampler(moving, fixed, rng, augment)

    def held_out(self, count=100, seed=HELD_OUT_SEED, split="test"):
        """`Pairs` of other heads with other deformations, with all that is known about them."""
        return draw_pairs(np.random.default_rng(_seeds(seed)[split]), count, self.size, *self.modalities)


def draw_pairs(rng, count, size=DEFAULT_SIZE, moving_modality="mr", fixed_modality="mr", noise=True):
    """Draw pairs of phantoms with known displacement.

    Parameters
    ----------
    rng : numpy.random.Generator
    count : int, number of pairs
    size : int, height and width in pixels, 32 to 256; InputError where it is out of range
    moving_modality, fixed_modality : "ct" or "mr"
    noise : bool, whether to add noise and, for MR, the bias field

    Returns
    -------
    Pairs
        Images in [0, 1]; labels are the tissues of this module; LANDMARKS points inside the head, spread at random,
        at pixel centres of the fixed image.

    >>> from minireg.fields import warp_images
    >>> pairs = draw_pairs(np.random.default_rng(0), 2, size=48, noise=False)
    >>> warped = warp_images(pairs.moving, pairs.displacement)
    >>> [round(float(np.abs(images - pairs.fixed).mean()), 2) for images in (pairs.moving, warped)]
    [0.07, 0.02]
    """
    _check_size(size)
    displacement, inverse = random_diffeomorphism(rng, (count, size, size), AMPLITUDE * size, SMOOTHNESS * size)
    ellipses = _draw_anatomies(rng, count)
    shares = [_tissue_shares(ellipses, field) for field in (inverse, np.zeros_like(inverse))]
    images = [
        _acquire(tissues, modality, rng, noise)
        for tissues, modality in zip(shares, (moving_modality, fixed_modality), strict=True)
    ]
    labels = [tissues.argmax(axis=-1).astype(np.uint8)[..., None] for tissues in shares]

    points = np.stack([rng.choice(np.argwhere(fixed[..., 0] != BACKGROUND), LANDMARKS, False) for fixed in labels[1]])
    moved = points + displacement[np.arange(count)[:, None], points[..., 0], points[..., 1]]
    titles = [str(number) for number in range(1, count + 1)]
    return Pairs(*images, titles, *labels, displacement, points.astype(np.float32), moved.astype(np.float32))


def _draw_anatomies(rng, count):
    """The ellipses of `count` heads, varied; in units of half the image, from its centre, as (row, column).

    Returns centres (count, E, 2) and to_unit_circle (count, E, 2, 2): a point p lies in ellipse e where
    |to_unit_circle[e] (p - centres[e])| <= 1.
    """
    width, height, x, y, degrees = np.array([ellipse[1:] for ellipse in ELLIPSES]).T
    varies = np.arange(len(ELLIPSES)) >= FIRST_PART

    def jitter(spread):
        return rng.normal(0, spread, (count, len(ELLIPSES))) * varies

    axes = np.stack([height * np.exp(jitter(PART_SCALE)), width * np.exp(jitter(PART_SCALE))], axis=-1)
    centres = np.stack([-y + jitter(PART_SHIFT), x + jitter(PART_SHIFT)], axis=-1)
    parts = _rotation(np.radians(degrees + jitter(PART_ROTATION)))
    heads = _rotation(np.radians(rng.normal(0, HEAD_ROTATION, (count, 1))))
    heads = HEAD * heads * np.exp(rng.normal(0, HEAD_SCALE, (count, 1, 1, 2)))
    # p = heads (centre + parts (axes c)) for c in the unit circle
    to_unit_circle = np.linalg.inv(heads @ (parts * axes[..., None, :]))
    return (heads @ centres[..., None])[..., 0], to_unit_circle


def _rotation(angle):
    """Matrices (..., 2, 2) that turn (row, column) anticlockwise as seen in an image, whose rows go down."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)


def _tissue_shares(anatomies, displacement):
    """How much of each pixel each tissue fills, in images that show at q what the anatomy has at q + displacement(q).

    displacement (N, H, H, 2) in pixels -> float32 (N, H, H, tissues), with sum 1 over the tissues
    """
    count, size = displacement.shape[:2]
    fine = (np.arange(size * SAMPLES) + 0.5) / SAMPLES - 0.5  # in pixels
    between = np.stack([np.interp(fine, np.arange(size), unit) for unit in np.eye(size)], axis=-1).astype(np.float32)
    points = np.einsum("ai,nijk,bj->knab", between, displacement, between, optimize=True)
    points[0] += fine[:, None]
    points[1] += fine
    points = (points - (size - 1) / 2) / (size / 2)  # the image is [-1, 1] wide

    tissue = np.zeros(points.shape[1:], np.uint8)
    centres, matrices = (array.astype(np.float32)[..., None, None] for array in anatomies)
    for index, (name, *_) in enumerate(ELLIPSES):
        row, column = points[0] - centres[:, index, 0], points[1] - centres[:, index, 1]
        a, b, c, d = matrices[:, index].reshape(count, 4, 1, 1).swapaxes(0, 1)
        down, right = a * row + b * column, c * row + d * column  # in units of the ellipse's axes
        radius = 1 + LOBE_DEPTH * np.cos(LOBES * np.arctan2(right, down)) if name == WHITE_MATTER else 1
        tissue[down**2 + right**2 <= radius**2] = name
    samples = np.stack([tissue[:, i::SAMPLES, j::SAMPLES] for i in range(SAMPLES) for j in range(SAMPLES)])
    return np.stack([(samples == name).mean(axis=0, dtype=np.float32) for name in range(LESION + 1)], axis=-1)


def _acquire(shares, modality, rng, noise):
    """Images (N, H, W, 1) of tissue shares in a modality."""
    images = shares @ np.array(INTENSITIES[modality], np.float32)
    if noise:
        images = images * np.exp(BIAS[modality] * _smooth_noise(rng, images.shape))
        images = images + rng.normal(0, NOISE[modality], images.shape)
    return np.clip(images, 0, 1, dtype=np.float32)[..., None]


def _smooth_noise(rng, shape):
    """Random cosines of at most one period across the image, (N, H, W), of variance near 1."""
    count, *sides = shape
    frequencies = np.arange(3)  # of half periods
    rows, columns = (np.cos(np.pi * np.outer(frequencies, (np.arange(side) + 0.5) / side)) for side in sides)
    amplitudes = rng.normal(0, 1, (count, 3, 3))
    amplitudes[:, 0, 0] = 0  # brightness as a whole is not bias
    return np.einsum("nij,ih,jw->nhw", amplitudes, rows, columns) / 3**0.5  # cos^2 is 1/2 on average: 4/2 + 4/4


def _seeds(seed):
    """Independent seeds for the splits."""
    return dict(zip(("train", "validation", "test"), np.random.SeedSequence(seed).spawn(3), strict=True))


def _check_size(size):
    if not SMALLEST <= size <= LARGEST:
        raise InputError(f"phantoms are {SMALLEST} to {LARGEST} pixels wide, got {size}")

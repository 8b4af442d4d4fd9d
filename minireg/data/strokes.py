"""Handwriting-like digits drawn from stroke descriptions: a data set that needs no file and no network.

`PEN_PATHS` describes each digit by the path of a pen. An image is made as MNIST's were:

1. a hand writes the digit (`_write`): control points move, the page bends, all is slanted, rotated and stretched;
2. it is scaled into a box of 20 x 20 pixels, grey edges included (`_scale_into_box`, `_ink`);
3. the box is put into 28 x 28 pixels so that the centre of mass is in the middle (`_centre`).

All images of a call go through the same few array operations together. How much a hand varies was tuned by laying
contact sheets beside MNIST's and by comparing statistics: pen width, slant, height and width, mean intensity, and the
normalised cross-correlation of two images of one digit (0.52 on average; MNIST: 0.45).
"""

import numpy as np

from minireg.data.digits import Digits
from minireg.errors import InputError

# Digit -> variants -> strokes -> control points (row, column) in the order in which the pen passes them, on a page of
# 20 rows and about 14 columns. The path is a smooth curve through the points; points close together make a corner.
# fmt: off
PEN_PATHS = {
    0: [
        [[(0, 9), (5.5, 2), (13.5, 1.2), (20, 7.5), (14.5, 14.6), (6, 14.8), (0.3, 8), (1.5, 5.5)]],
        [[(1.2, 12), (1.5, 4.5), (8, 0.5), (16.5, 2.2), (19.3, 9.5), (13, 15.6), (4.5, 14.5), (0.2, 8.5)]],
    ],
    1: [
        [[(0, 7), (10, 7), (20, 7)]],
    ],
    2: [
        [[(4, 1.5), (1, 4), (0.3, 8), (3.5, 12), (8.5, 10.5), (14, 5), (18.8, 0.8), (19.3, 1.8), (19.2, 7),
          (19, 14)]],
        [[(4, 2), (0.8, 4.5), (0.8, 9.5), (5, 11.5), (11, 8.5), (17, 3.5), (19.3, 0.8), (16.8, 0.6), (16.3, 4),
          (18, 8.5), (19.4, 14)]],
    ],
    3: [
        [[(2.5, 1.5), (0.3, 6), (2, 11.3), (6, 10.5), (8.8, 7), (9.3, 5.2), (9.7, 7.2), (12, 12), (16, 12.3),
          (19.3, 8), (19.5, 3), (17.5, 0.3)]],
        [[(1, 1), (0.6, 6), (1, 10.8), (2.2, 10.8), (6, 7.5), (8.6, 5.3), (9, 6.2), (11, 11.5), (15.5, 12.5),
          (19, 8.5), (19.6, 3.5), (18.3, 0.3)]],
    ],
    4: [
        [[(0.5, 3), (6, 1.8), (10.6, 0.5), (11.4, 1.5), (11.2, 7), (10.6, 14)],
         [(0.3, 11), (10, 10), (20, 9)]],
        [[(0, 9.5), (5.5, 5), (11.6, 0.4), (12.3, 1.4), (12.2, 7), (11.8, 14)],
         [(0.3, 10), (10, 9.7), (20, 9.3)]],
    ],
    5: [
        [[(0.8, 4), (0.8, 8.5), (0.2, 14)],
         [(0.8, 4), (4.5, 3), (8.2, 2.5), (8.6, 3.6), (8, 7.5), (11, 11.6), (15.5, 11.6), (19.2, 7.5), (19.5, 3.5),
          (17.7, 0.3)]],
        [[(1, 13.5), (0.6, 8), (2.5, 3.5), (6.5, 3.6), (9.5, 8), (13.5, 11.4), (18, 9), (19.7, 4.5), (18, 0.4)]],
    ],
    6: [
        [[(0, 9), (4.5, 4), (11, 1), (17, 2), (19.9, 6), (17.5, 11), (13, 11.3), (11, 7), (13.5, 3), (17, 2)]],
        [[(0, 6), (6, 2.5), (13, 0.8), (18, 3), (19.8, 8), (17, 13), (13.5, 12.5), (13, 8), (15.5, 4.5), (18.5, 3.5)]],
    ],
    7: [
        [[(1.6, 0.5), (1, 6), (0.6, 11.5), (1.6, 12.8), (8, 9.5), (14, 7), (20, 5.5)]],
        [[(4.5, 0.6), (1.2, 1.5), (1, 6), (0.5, 11), (2.5, 12.8), (9, 10.5), (20, 8)]],
        [[(1.6, 0.5), (1, 6), (0.6, 11.5), (1.6, 12.8), (8, 9.5), (14, 7), (20, 5.5)],
         [(10.2, 3), (9.9, 8), (9.4, 13)]],
    ],
    8: [
        [[(2.5, 11.5), (0.2, 7.5), (2.5, 2.7), (6.5, 3.8), (10, 7.5), (14, 11), (18, 10), (19.8, 6), (17.5, 2),
          (13.5, 3), (9.5, 7), (5.5, 11), (2, 11.5)]],
        [[(4, 12.5), (0.8, 9.5), (1, 4.5), (5, 3), (8.8, 7), (12, 10), (16.5, 10.5), (19.8, 6.5), (18, 1.5),
          (14, 1), (10.5, 5), (7, 10), (2.5, 13.5)]],
    ],
    9: [
        [[(3, 12), (0.6, 8), (3.5, 2.2), (8, 2), (9.4, 6.5), (6.5, 11), (3, 12.2), (5, 12), (12, 11), (20, 9.5)]],
        [[(3, 11.5), (0.6, 7.5), (3.5, 2), (8, 2), (9.4, 6.5), (6.5, 10.7), (2.5, 12), (6, 12), (12, 11.7),
          (17.5, 9), (19.8, 5), (18.3, 1.5)]],
    ],
}
# fmt: on

# How much a hand varies: standard deviations in page units (1/20 of the digit's height), radians or factors.
CONTROL_POINT_SPREAD = 0.75
BEND, BEND_LENGTH = 2.8, 5.0  # height of a wave across the page, and its wavelength / (2 pi)
WIDTH_SPREAD = 0.18
SLANT, SLANT_SPREAD = 0.1, 0.24
ROTATION_SPREAD = 0.08
SMALLEST = 0.96  # of the box that a digit fills
PEN_WIDTH, PEN_WIDTH_SPREAD, PEN_WIDTH_LIMITS = 2.55, 0.28, (1.4, 4.0)  # median (pixels), factor, limits (pixels)

# How the digit is scanned, in pixels.
SIDE = 28
BOX = 20
CENTRE = 14  # where MNIST has the centre of mass, half a pixel off the middle of rows and columns 0 to 27
LARGEST_SHIFT = 3  # keeps at least one black pixel around every digit
GREY_EDGE = 1.1  # width of the ramp from paper to ink
PATH_POINTS = 72  # less than a pixel apart on the longest path, so that the ink has no gaps
IMAGES_PER_CHUNK = 64  # the distances of one chunk (100 kB) stay in the processor's cache


def load_strokes(seed=0, train_per_digit=1000, test_per_digit=200):
    """Draw a whole data set of handwriting-like digits, in about two seconds: `Digits` named "strokes".

    There are `train_per_digit` and `test_per_digit` images of each of the ten digits, in random order. The same seed
    gives the same images; train and test come from independent streams.

    >>> digits = load_strokes(train_per_digit=12, test_per_digit=3)
    >>> digits.train_images.shape, digits.test_images.shape
    ((120, 28, 28, 1), (30, 28, 28, 1))
    """
    arrays = []
    train_seed, test_seed = np.random.SeedSequence(seed).spawn(2)
    for stream, per_digit in ((train_seed, train_per_digit), (test_seed, test_per_digit)):
        rng = np.random.default_rng(stream)
        labels = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), per_digit))
        arrays += [draw_digits(labels, rng), labels]
    return Digits("strokes", *arrays)


def draw_digits(labels, rng):
    """Draw one handwriting-like digit per label.

    labels (N,) of int, 0 to 9 -> images (N, 28, 28, 1) float32 in [0, 1]: 0 is paper, 1 is ink. All variation comes
    from `rng`, a numpy.random.Generator. Raises InputError for labels that are no digits.

    >>> one, eight = draw_digits([1, 8], np.random.default_rng(0))
    >>> one.shape, bool(eight.sum() > one.sum())  # an eight takes more ink
    ((28, 28, 1), True)
    """
    labels = np.asarray(labels)
    if not np.isin(labels, list(PEN_PATHS)).all():
        raise InputError(f"labels must be digits from 0 to 9, but they range from {labels.min()} to {labels.max()}")
    labels = labels.astype(np.intp)
    pen = rng.lognormal(np.log(PEN_WIDTH), PEN_WIDTH_SPREAD, len(labels)).clip(*PEN_WIDTH_LIMITS)
    path = _scale_into_box(_write(labels, rng), pen, rng)
    images = np.zeros((len(labels), SIDE, SIDE, 1), np.float32)
    for start in range(0, len(labels), IMAGES_PER_CHUNK):
        chunk = slice(start, start + IMAGES_PER_CHUNK)
        _centre(_ink(path[chunk], pen[chunk]), images[chunk, ..., 0])
    return images


def _write(labels, rng):
    """Pen paths (N, PATH_POINTS, 2) on the page, each disturbed in its own way."""
    n = len(labels)
    variants = np.array([len(PEN_PATHS[digit]) for digit in range(10)])
    variant_of = rng.integers(variants[labels])
    path = np.empty((n, PATH_POINTS, 2))
    for digit, pen_paths in PEN_PATHS.items():
        for variant, strokes in enumerate(pen_paths):
            chosen = (labels == digit) & (variant_of == variant)
            controls = np.concatenate(strokes)
            offsets = rng.normal(0, CONTROL_POINT_SPREAD, (chosen.sum(), *controls.shape))
            path[chosen] = _curve_matrix(strokes) @ (controls + offsets)

    y, x = path[..., 0] - 10, path[..., 1] - 7
    direction, phase = rng.uniform(0, 2 * np.pi, (2, 2, n, 1))
    wave = np.sin((y * np.sin(direction) + x * np.cos(direction)) / BEND_LENGTH + phase)
    y, x = np.array([y, x]) + rng.uniform(-BEND, BEND, (2, n, 1)) * wave
    x = x * rng.lognormal(0, WIDTH_SPREAD, (n, 1)) - y * rng.normal(SLANT, SLANT_SPREAD, (n, 1))
    angle = rng.normal(0, ROTATION_SPREAD, (n, 1))
    return np.stack([y * np.cos(angle) - x * np.sin(angle), y * np.sin(angle) + x * np.cos(angle)], -1)


def _curve_matrix(strokes):
    """Matrix (PATH_POINTS, control points) from control points to points at equal distances along the curves.

    The curve is linear in its control points, so one matrix serves all images of a variant.
    """
    per_stroke = np.split(np.eye(sum(map(len, strokes))), np.cumsum([len(stroke) for stroke in strokes])[:-1])
    pieces = [_catmull_rom(points) for points in per_stroke]
    matrix = np.concatenate(pieces)
    steps = np.linalg.norm(np.diff(matrix @ np.concatenate(strokes), axis=0), axis=1)
    pen_up = np.cumsum([len(piece) for piece in pieces])[:-1] - 1
    steps[pen_up] = 0
    length = np.concatenate([[0], np.cumsum(steps)])
    return matrix[np.searchsorted(length, np.linspace(0, length[-1], PATH_POINTS))]


def _catmull_rom(points, steps=64):
    """Smooth curve ((M - 1) * steps + 1, D) through `points` (M, D): the Catmull-Rom spline, its end points doubled."""
    before, start, end, after = (
        np.concatenate([points[:1], points, points[-1:]])[k:][: len(points) - 1] for k in range(4)
    )
    t = np.arange(steps)[:, None, None] / steps
    curve = (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    ) / 2
    return np.concatenate([curve.swapaxes(0, 1).reshape(-1, points.shape[1]), points[-1:]])


def _scale_into_box(path, pen, rng):
    """Paths in pixels of the BOX x BOX image, with room for half a pen and half a grey edge on each side."""
    low, high = path.min(1, keepdims=True), path.max(1, keepdims=True)
    size = rng.uniform(SMALLEST, 1, len(path)) * BOX - pen - GREY_EDGE
    scale = size[:, None, None] / (high - low).max(2, keepdims=True)
    return (path - (low + high) / 2) * scale + (BOX - 1) / 2


def _ink(path, pen):
    """Images (N, BOX, BOX) of pens of width `pen` (N,) that passed along `path` (N, PATH_POINTS, 2)."""
    pixel = np.arange(BOX, dtype=np.float32)
    dy2, dx2 = np.square(pixel - path.astype(np.float32).T[..., None])
    nearest2 = np.full((len(path), BOX, BOX), np.inf, np.float32)
    distance2 = np.empty_like(nearest2)
    for dy2_p, dx2_p in zip(dy2, dx2, strict=True):
        np.add(dy2_p[:, :, None], dx2_p[:, None, :], out=distance2)
        np.minimum(nearest2, distance2, out=nearest2)
    inside = pen.astype(np.float32)[:, None, None] / 2 - np.sqrt(nearest2)
    return np.clip(inside / GREY_EDGE + 0.5, 0, 1)


def _centre(ink, images):
    """Put each box (N, BOX, BOX) into its image (N, SIDE, SIDE), by whole pixels, its centre of mass near CENTRE."""
    box = np.arange(BOX)
    mass = ink.sum((1, 2))
    corner = (SIDE - BOX) // 2
    limits = corner - LARGEST_SHIFT, corner + LARGEST_SHIFT
    top, left = (np.rint(CENTRE - ink.sum(axis) @ box / mass).astype(int).clip(*limits) for axis in (2, 1))
    images[np.arange(len(ink))[:, None, None], (top[:, None] + box)[:, :, None], (left[:, None] + box)[:, None]] = ink

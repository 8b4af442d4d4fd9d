"""Register two files, write the result, draw it, and say what it is worth."""

import os
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minireg import metrics, viz
from minireg.data import DIGITS, normalise_percentiles
from minireg.data.geometry import Geometry
from minireg.data.images import (
    SUFFIXES,
    for_all,
    read_images,
    read_label_picture,
    read_picture,
    refuse_constant,
    suffix_of,
)
from minireg.data.points import outside, read_points
from minireg.data.saved import AFFINE, ITK, POINTS, RESULT, WARPED, Registration, save_results
from minireg.errors import InputError
from minireg.evaluation.evidence import FOLDS, gather, landmark_distances, weigh
from minireg.fields import warp_images, warp_labels
from minireg.files import refuse_to_overwrite
from minireg.methods import centre_on_centre, in_square_pixels, make_method, register_in_space
from minireg.training import CHECKPOINT

LANDMARKS = ("moving_row", "moving_column", "fixed_row", "fixed_column")
OPTIONS = {  # which methods have it, and what it is called below the command line
    "checkpoint": (("network", "network+refine"), None),
    "loss": (("network+refine", "align", "optimise"), "loss"),
    "stages": (("align", "network", "network+refine"), "stages"),
    "smoothness": (("align", "optimise", "network+refine"), "smoothness"),
    "levels": (("align", "optimise", "network+refine", "demons"), "levels"),
    "transformation": (("optimise",), "transformation"),
    "iterations": (("network+refine", "align", "optimise", "demons"), "iterations"),
    "moving_mask": (("align", "network+refine"), None),
    "fixed_mask": (("align", "network+refine"), None),
    "smoothing": (("tps",), "smoothing"),
}
NEEDED = {"checkpoint": OPTIONS["checkpoint"][0], "landmarks": ("tps",)}  # options, and the methods that need them
SYMMETRIC = ("align", "network+refine")  # treat both images alike
INPUTS = {  # files that may be others for each pair, and what is in them
    "moving": "moving image",
    "fixed": "fixed image",
    "moving_mask": "mask",
    "fixed_mask": "mask",
    "moving_labels": "label map",
    "landmarks": "landmarks",
    "points": "points",
}
REPORT = "report.png"
PICTURES = ("registration.png", "fields.png", "inspection.png", "registration.gif")
FALLS = 0.02  # of NCC; a smaller change, or so little below 0, says nothing
NUMBERS = {"ncc_before": ".4f", "ncc_after": ".4f", "folded": ".3%", "ms": ".1f"}


class _Side(NamedTuple):
    """The moving or the fixed images."""

    images: np.ndarray  # (N, H, W, 1), in the unit of the file
    compared: np.ndarray  # the same, as a method sees them
    geometry: Geometry
    normalised: bool  # whether that is in [0, 1]

    @property
    def shown(self):
        """The images in [0, 1]. Made when it is needed: while a large pair is registered, memory is short."""
        return self.compared if self.normalised else normalise_percentiles(self.compared)


def register_files(args, model, progress):
    """Register two files and write everything.

    Parameters
    ----------
    args : argparse.Namespace, as `__main__` parses the command line, or with what a line of a list says for its pair
    model : (network, configuration) of a checkpoint, or (None, None)
    progress : bool, whether the method shows how far it is

    Returns the number of pairs, the method's name, the means of NUMBERS, how far things have moved, in words, and
    hints, sentences. Raises InputError where files or options do not go together.
    """
    network, configuration = model
    name, options = method_and_options(args)
    if name == "network+refine":
        options.setdefault("loss", configuration.loss)
    folder = Path(args.out)
    _refuse_to_overwrite(args, folder)
    moving, fixed = _read_sides(args, configuration)
    labels, *masks = (
        None if getattr(args, option) is None else _read_labels(args, option, side.images.shape)
        for option, side in (("moving_labels", moving), ("moving_mask", moving), ("fixed_mask", fixed))
    )
    points = None if args.points is None else read_points(args.points, ("row", "column"))
    landmarks = None if args.landmarks is None else read_points(args.landmarks, LANDMARKS)
    fitted = landmarks if name == "tps" else None
    method = make_method(name, network=network, landmarks=fitted, progress=progress, **options)

    spacings = _spacings(moving.geometry, fixed.geometry)
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        displacement = register_in_space(method, moving.compared, fixed.compared, *spacings, *masks, fitted)
    milliseconds = (time.perf_counter() - started) / len(displacement) * 1000

    warped = warp_images(moving.images.astype(np.float32), displacement)[..., 0]
    arrays = {"warped": warped}
    if labels is not None:
        arrays["warped_labels"] = warp_labels(labels, displacement)[..., 0]
    registration = Registration(displacement, moving.images.shape[1:3], fixed.geometry, moving.geometry)
    if (folder / RESULT).exists():
        (folder / REPORT).unlink(missing_ok=True)  # of an earlier registration
    save_results(folder, registration, arrays, moving.images.dtype, suffix_of(args.fixed), points)

    start = centre_on_centre(moving.images, fixed.images, *spacings)
    counted = _counted(displacement, *masks, spacings[1])
    seen = _on_grid(moving, fixed, displacement, start, spacings)
    scores = (*_draw(folder, *seen, counted), milliseconds)
    numbers = {key: float(np.mean(value)) for key, value in zip(NUMBERS, scores, strict=True)}
    loss = options.get("loss", getattr(configuration, "loss", None))
    hints = [str(warning.message) for warning in said]
    hints += _hints(name, loss, numbers, [side.images.shape[1:3] for side in (moving, fixed)], points, landmarks)
    moved = registration.how_far(start, spacings)
    if landmarks is not None and fitted is None:
        apart = (landmark_distances(u, landmarks, spacings).mean() for u in (start, displacement))
        moved += "; landmarks {:.2f} -> {:.2f} pixels apart".format(*apart)
    if args.report:
        back = _way_back(method, moving, fixed, spacings, masks, fitted)
        measured = seen[-1] is not None
        evidence = gather(displacement[:1], back, moving.images.shape[1:3], spacings, start[:1], landmarks, measured)
        symmetric = name in SYMMETRIC and moving.images.shape == fixed.images.shape
        rows, doubts = weigh(*(array[:1] for array in seen[:4]), evidence, symmetric, fitted is not None)
        hints = list(dict.fromkeys(hints + doubts))
        heading = "method: " + ", ".join([name, *(f"{option} {value}" for option, value in options.items())])
        viz.report_picture(*seen[:4], folder / REPORT, rows, hints, heading, seen[-1])
    return len(warped), name, numbers, moved, hints


def _way_back(method, moving, fixed, spacings, masks, fitted):
    """What the method finds for the first pair with the roles exchanged, (1, H', W', 2)."""
    masks = (None if mask is None else mask[:1] for mask in reversed(masks))
    exchanged = None if fitted is None else fitted[:, [2, 3, 0, 1]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it has been said of the way there
        return register_in_space(method, fixed.compared[:1], moving.compared[:1], *spacings[::-1], *masks, exchanged)


def method_and_options(args):
    """The method's name and its options, of what the command line says. Raises InputError where that does not fit."""
    name = args.method or ("network" if args.checkpoint else "align")
    options = {}
    for option, (methods, parameter) in OPTIONS.items():
        value = getattr(args, option)
        if value is not None and name not in methods:
            flag = option.replace("_", "-")
            those = f"method{'s' * (len(methods) > 1)} {', '.join(methods)}"
            raise InputError(f"--{flag} goes with the {those}, not with {name}: leave it out")
        if value is not None and parameter:
            options[parameter] = value
    for option, methods in NEEDED.items():
        if name in methods and getattr(args, option) is None:
            raise InputError(f"the method {name} needs --{option} FILE")
    return name, options


def _refuse_to_overwrite(args, folder):
    """Raise InputError where this registration would be written over what is not from an earlier one."""
    if (folder / CHECKPOINT).exists():
        raise InputError(
            f"--out {folder} is the folder of a training run, whose pictures have the same names: name another"
        )
    written = (*PICTURES, *([REPORT] if args.report else []), AFFINE, ITK, *WARPED)
    own = {os.path.realpath(folder / name) for name in ("", RESULT, POINTS, REPORT, *written)}
    for option, what in INPUTS.items():
        path = getattr(args, option)
        if path is not None and os.path.realpath(path) in own:
            raise InputError(f"--out {folder} would be written over the {what} in {path}: name another folder")
    if not (folder / RESULT).exists():
        refuse_to_overwrite(folder, written if args.points is None else (POINTS, *written))


def _read_sides(args, configuration):
    """The moving and the fixed side, equally many images on both."""
    sides = [_read_side(getattr(args, role), _place(args, role), configuration) for role in ("moving", "fixed")]
    counts = [len(side.images) for side in sides]
    if counts[0] != counts[1] and 1 not in counts:
        raise InputError(
            f"{args.moving} holds {counts[0]} images and {args.fixed} {counts[1]}: give equally many, or one for all"
        )
    return [_Side(*(for_all(images, max(counts)) for images in side[:2]), *side[2:]) for side in sides]


def _read_side(path, place, configuration):
    """A network sees images as in its training: digits and phantoms as they are, those of files normalised."""
    picture = read_picture(path, place)
    refuse_constant(picture.images, path)
    if configuration is None:
        return _Side(picture.images, picture.compared, picture.geometry, False)
    as_they_are = configuration.data in (*DIGITS, "phantom") and suffix_of(path) in SUFFIXES
    seen = read_images(path) if as_they_are else normalise_percentiles(picture.compared)
    return _Side(picture.images, seen, picture.geometry, True)


def _place(args, role):
    """Which slice of a volume."""
    return getattr(args, f"{role}_slice") or args.slice


def _read_labels(args, option, shape):
    """The label maps or masks in a file, as many and as large as the images they belong to."""
    path = getattr(args, option)
    place = None if suffix_of(path) in SUFFIXES else _place(args, option.split("_")[0])
    what = INPUTS[option]
    labels = read_label_picture(path, place, what).images
    if labels.shape[1:] != shape[1:] or len(labels) not in (1, shape[0]):
        found = f"{len(labels)} {what}{'s' * (len(labels) > 1)} of {labels.shape[1]} x {labels.shape[2]}"
        count = "one" if shape[0] == 1 else f"{shape[0]}, or one for all,"
        raise InputError(f"{path} holds {found}: expected {count} of {shape[1]} x {shape[2]} as the images")
    if what == "mask" and not labels.any(axis=(1, 2, 3)).all():
        raise InputError(f"{path} is 0 everywhere, so that nothing would count: expected other numbers where pixels do")
    return for_all(labels, shape[0])


def _spacings(moving, fixed):
    """Of both images, in mm. One that does not say is taken to be like the other."""
    known = [geometry for geometry in (moving, fixed) if geometry.measured] or [moving, fixed]
    return known[0].spacing, known[-1].spacing


def _counted(displacement, moving_mask, fixed_mask, spacing):
    """The pixels that count in both images once they are registered, (N, H, W), made square; None where all do."""
    masks = [None if moving_mask is None else warp_labels(moving_mask, displacement), fixed_mask]
    masks = [mask != 0 for mask in masks if mask is not None]
    return in_square_pixels(np.all(masks, axis=0).astype(np.float32), spacing)[0][..., 0] > 0.5 if masks else None


def _on_grid(moving, fixed, displacement, start, spacings):
    """What pictures show: the moving image before, the fixed one, the moving image after, the field, and the spacing.

    All on the grid of the fixed image, made square. There the moving image first lies centre on centre, and then bends.
    The spacing is None where the files do not say.
    """
    shown = moving.shown
    on_grid = warp_images(shown, start), fixed.shown, warp_images(shown, displacement)
    before, target, after = (in_square_pixels(image, spacings[1])[0] for image in on_grid)
    bend = displacement - start
    bend *= np.float32(spacings[0])
    bend, side = in_square_pixels(bend, spacings[1])
    bend /= np.float32(side)
    return before, target, after, bend, (side, side) if moving.geometry.measured and fixed.geometry.measured else None


def _draw(folder, before, target, after, bend, spacing, counted):
    """Draw every picture but the report; returns the NCC before and after, and the share of folded cells, each (N,).

    NCC is over the pixels `counted`.
    """
    viz.registration_picture(before, target, after, bend, folder / "registration.png")
    viz.field_picture(before, target, after, bend, folder / "fields.png")
    viz.inspection_picture(before, target, after, bend, folder / "inspection.png", spacing)
    viz.animation(before, target, bend, folder / "registration.gif")
    return *(metrics.ncc(image, target, counted) for image in (before, after)), metrics.folded_cells(bend)


def _hints(name, loss, numbers, shapes, points, landmarks):
    """Sentences about what may be wrong: images of two kinds, folds, points outside of the images (moving, fixed)."""
    hints = []
    before, after = numbers["ncc_before"], numbers["ncc_after"]
    if min(before, after - before) < -FALLS and loss not in ("mi", "nmi") and name != "tps":
        what = "is negative before registering" if before < -FALLS else "falls"
        remedy = "--loss mi" if name in OPTIONS["loss"][0] else "--method align --loss mi"
        hints.append(f"NCC {what}: are these two kinds of images? Then try {remedy}")
    if numbers["folded"]:
        hints.append(FOLDS.format(100 * numbers["folded"]))
    if points is not None:
        hints.append(outside(points, shapes[1], "fixed image"))
    if landmarks is not None:
        hints.append(outside(landmarks[:, :2], shapes[0], "moving image"))
        hints.append(outside(landmarks[:, 2:], shapes[1], "fixed image"))
    return [hint for hint in hints if hint]

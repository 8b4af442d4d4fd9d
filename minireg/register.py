"""python -m minireg.register: align your own images, one pair or a list of them, with a trained network or without."""

if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()

import argparse
import csv
import os
import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from minireg import backend, command, losses, metrics, viz
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
from minireg.data.lists import read_list
from minireg.data.points import outside, read_points
from minireg.data.saved import AFFINE, ITK, POINTS, RESULT, WARPED, Registration, save_results
from minireg.errors import InputError, MiniregError
from minireg.evaluation.evidence import gather, landmark_distances, weigh
from minireg.fields import warp_images, warp_labels
from minireg.files import atomic_write, output_folder, refuse_to_overwrite
from minireg.methods import METHODS, TRANSFORMATIONS, centre_on_centre, in_square_pixels, make_method, register_in_space
from minireg.training import CHECKPOINT, load_network

NAMES = [name for name in METHODS if name != "identity"]
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
COLUMNS = (*INPUTS, "moving_slice", "fixed_slice", "name")  # of a list of pairs
LIST = "pairs.csv"
REPORT = "report.png"
PICTURES = ("registration.png", "fields.png", "inspection.png", "registration.gif")
FALLS = 0.02  # of NCC; a smaller change, or so little below 0, says nothing
NUMBERS = {"ncc_before": ".4f", "ncc_after": ".4f", "folded": ".3%", "ms": ".1f"}


def main(argv=None):
    """The command line: parse, register, write. Returns the exit code."""
    return command.run("minireg.register", lambda: _main(_parse(argv)))


def _parse(argv):
    parser = command.parser("minireg.register", "Align your own images, with a trained network or without.")
    add = parser.add_argument
    add(
        "moving",
        nargs="?",
        metavar="MOVING",
        help="PNG, NIfTI, DICOM (a file, or a folder with a series), or .npy with an image (H, W) or a stack (N, H, W)",
    )
    add("fixed", nargs="?", metavar="FIXED", help="the same; one image stands for a stack of equal ones")
    add("--out", required=True, metavar="FOLDER", help="where to write registration.npz, the warped image, pictures")
    add(
        "--pairs",
        metavar="FILE",
        help="in place of MOVING and FIXED: CSV with the columns moving and fixed, one pair a line, each written to a "
        f"folder of its own in FOLDER; further columns: {', '.join(COLUMNS[2:])}",
    )
    add("--slice", metavar="AXIS:INDEX", help="of volumes: axial, coronal, sagittal or 0, 1, 2, and which: axial:80")
    add("--moving-slice", metavar="AXIS:INDEX", help="of the moving volume alone")
    add("--fixed-slice", metavar="AXIS:INDEX", help="of the fixed volume alone")
    add("--method", choices=NAMES, help="default: network with a checkpoint, align without")
    add("--checkpoint", metavar="FILE", help="checkpoint.npz of a run folder, for the methods with a network")
    add(
        "--loss",
        choices=tuple(losses.SIMILARITIES),
        help="what is made small: by align local_ncc (default), mi, ncc or mse; by optimise any (default: ncc); by "
        "network+refine the loss that the network was trained with, or what is like it",
    )
    add(
        "--transformation",
        choices=TRANSFORMATIONS,
        help="what optimise looks for (default: displacement)",
    )
    add(
        "--iterations",
        "--steps",
        type=int,
        metavar="N",
        help="at most so many at each level, of all but network and tps",
    )
    add(
        "--stages",
        help="affine,deformable (default of align), or one of them (deformable: of the methods with a network)",
    )
    add(
        "--smoothness",
        type=float,
        metavar="S",
        help="how stiff the field is (default: align and network+refine 4, with ncc 2; optimise 0.1)",
    )
    add("--levels", type=int, metavar="N", help="resolutions, each half of the one before (align: as many as fit)")
    add(
        "--moving-mask",
        metavar="FILE",
        help="for align, network+refine: a mask in the images' format; 0 does not count",
    )
    add("--fixed-mask", metavar="FILE", help="the same for the fixed images")
    add(
        "--landmarks",
        metavar="FILE",
        help=f"CSV with the columns {', '.join(LANDMARKS)}, in pixels: tps meets them, all other methods never see "
        "them and are judged by them",
    )
    add("--smoothing", type=float, metavar="S", help="of tps: 0 meets every landmark (default: 0)")
    add("--moving-labels", metavar="FILE", help="label maps of the moving images, to be warped too")
    add(
        "--points",
        metavar="FILE",
        help="CSV of points (row, column) in the fixed image, to be found in the moving one",
    )
    add(
        "--report",
        action="store_true",
        help=f"write {REPORT}, one page about the first pair: pictures, numbers, doubts; takes twice as long, for it "
        "registers the other way round, too",
    )
    args = parser.parse_args(argv)
    if args.pairs is None and args.fixed is None:
        parser.error("expected MOVING and FIXED, or --pairs FILE")
    if args.pairs is not None and args.moving is not None:
        parser.error("--pairs FILE names the images: leave out MOVING and FIXED")
    return args


def _main(args):
    backend.use(args.backend)
    pairs = [args] if args.pairs is None else _read_list(args)
    _method_and_options(pairs[0])
    model = load_network(args.checkpoint) if args.checkpoint else (None, None)
    if args.pairs is not None:
        return _register_all(args, pairs, model)
    with output_folder(args.out):
        count, name, numbers, moved, hints = _register(args, model, progress=True)
    texts = {key: f"{numbers[key]:{form}}" for key, form in NUMBERS.items()}
    print(
        f"{count} pairs: NCC {texts['ncc_before']} -> {texts['ncc_after']}, folded pixels {texts['folded']}, "
        f"{texts['ms']} ms a pair with {name}; {moved}; written to {args.out}"
    )
    for hint in hints:
        command.hint(hint)
    return 0


# One pair of files


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


def _register(args, model, progress):
    """Register two files and write everything.

    Returns the number of pairs, the method's name, the means of NUMBERS, how far things have moved, in words, and
    hints, sentences.
    """
    network, configuration = model
    name, options = _method_and_options(args)
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
        hints += doubts
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


def _method_and_options(args):
    """The method's name and its options. Raises InputError where what was given does not go together."""
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
    """Draw every picture but the report; returns the NCC before and after, and the share of folded pixels, each (N,).

    NCC is over the pixels `counted`.
    """
    viz.registration_picture(before, target, after, bend, folder / "registration.png")
    viz.field_picture(before, target, after, bend, folder / "fields.png")
    viz.inspection_picture(before, target, after, bend, folder / "inspection.png", spacing)
    viz.animation(before, target, bend, folder / "registration.gif")
    return *(metrics.ncc(image, target, counted) for image in (before, after)), metrics.folded_pixels(bend)


def _hints(name, loss, numbers, shapes, points, landmarks):
    """Sentences about what may be wrong: images of two kinds, points outside of the images (moving, fixed)."""
    hints = []
    before, after = numbers["ncc_before"], numbers["ncc_after"]
    if min(before, after - before) < -FALLS and loss not in ("mi", "nmi") and name != "tps":
        what = "is negative before registering" if before < -FALLS else "falls"
        remedy = "--loss mi" if name in OPTIONS["loss"][0] else "--method align --loss mi"
        hints.append(f"NCC {what}: are these two kinds of images? Then try {remedy}")
    if points is not None:
        hints.append(outside(points, shapes[1], "fixed image"))
    if landmarks is not None:
        hints.append(outside(landmarks[:, :2], shapes[0], "moving image"))
        hints.append(outside(landmarks[:, 2:], shapes[1], "fixed image"))
    return [hint for hint in hints if hint]


# A list of pairs


def _read_list(args):
    """For each line of the CSV file the arguments for its pair; paths are relative to the file."""
    path = Path(args.pairs)
    lines = read_list(path, COLUMNS, may_be_empty=COLUMNS[2:])
    if not lines:
        raise InputError(f"{path} lists no pairs: expected one a line, below the line with the names of the columns")
    pairs, names = [], set()
    for number, line in enumerate(lines, start=1):
        given = {column: str(path.parent / text) if column in INPUTS else text for column, text in line.items() if text}
        name = given.pop("name", f"{number:04d}")
        if Path(name).name != name or name in ("..", LIST) or not name.isprintable() or name.casefold() in names:
            raise InputError(f"pair {number} of {path} cannot be called {name!r}: each needs a folder name of its own")
        names.add(name.casefold())
        pairs.append(argparse.Namespace(**vars(args) | given | {"out": Path(args.out) / name}))
    return pairs


def _register_all(args, pairs, model):
    """Register every pair of a list; one that fails does not stop the others. Returns the exit code."""
    path = Path(args.out) / LIST
    header = ["pair", *NUMBERS, "error"]
    if path.exists() and not path.read_bytes().startswith(",".join(header).encode()):
        raise InputError(f"--out {args.out} holds {LIST}, which is not from a registration: name another folder")
    rows = []
    with output_folder(args.out):
        try:
            for pair in tqdm(pairs, "registering", unit="pair"):
                row = {"pair": pair.out.name}
                try:
                    with output_folder(pair.out):
                        *_, numbers, _, hints = _register(pair, model, progress=False)
                    row |= numbers
                    for hint in hints:
                        tqdm.write(f"hint: {pair.out.name}: {hint}", file=sys.stderr)
                except (MiniregError, OSError, MemoryError) as error:
                    row["error"] = " ".join(str(error).split()) or type(error).__name__
                rows.append(row)
        finally:  # interrupted, too
            with atomic_write(path, "w") as file:
                writer = csv.DictWriter(file, header, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    print(_table(rows))
    failed = sum("error" in row for row in rows)
    print(f"{len(rows) - failed} of {len(rows)} pairs registered; written to {args.out}, these numbers to {path}")
    return command.USER_MISTAKE if failed else 0


def _table(rows):
    width = max(len("pair"), *(len(row["pair"]) for row in rows))
    lines = [f"{'pair':{width}}  NCC before  after     folded  ms a pair"]
    for row in rows:
        before, after, folded, ms = ("" if "error" in row else f"{row[key]:{form}}" for key, form in NUMBERS.items())
        text = row.get("error") or f"{before:>10}  {after:>6}  {folded:>8}  {ms:>9}"
        lines.append(f"{row['pair']:{width}}  {text}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

"""python -m minireg.register: align your own images, with a trained network or without."""

if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()

import sys
import time
from pathlib import Path

import numpy as np

from minireg import backend, command, losses, metrics, viz
from minireg.data import DIGITS, normalise_percentiles
from minireg.data.images import read_images, read_intensities, read_labels
from minireg.data.points import read_points, write_points
from minireg.errors import InputError
from minireg.fields import warp_images, warp_labels, warp_points
from minireg.files import refuse_to_overwrite, save_npz
from minireg.methods import METHODS, TRANSFORMATIONS, make_method
from minireg.training import CHECKPOINT, load_network

NAMES = [name for name in METHODS if name != "identity"]
PICTURES = ("registration.png", "fields.png", "registration.gif")
LANDMARKS = ("moving_row", "moving_column", "fixed_row", "fixed_column")
OPTIONS = {  # which methods have it, and what it is called below the command line
    "checkpoint": (("network", "network+refine"), None),
    "loss": (("network+refine", "align", "optimise"), "loss"),
    "stages": (("align",), "stages"),
    "smoothness": (("align", "optimise", "network+refine"), "smoothness"),
    "levels": (("align", "optimise", "network+refine", "demons"), "levels"),
    "transformation": (("network+refine", "optimise"), "transformation"),
    "iterations": (("network+refine", "align", "optimise", "demons"), "iterations"),
    "moving_mask": (("align",), None),
    "fixed_mask": (("align",), None),
    "landmarks": (("tps",), None),
    "smoothing": (("tps",), "smoothing"),
}


def main(argv=None):
    """The command line: parse, register, write. Returns the exit code."""
    return command.run("minireg.register", lambda: _register(_parse(argv)))


def _parse(argv):
    parser = command.parser("minireg.register", "Align your own images, with a trained network or without.")
    add = parser.add_argument
    add("moving", metavar="MOVING", help="PNG, or .npy with one image (H, W) or a stack (N, H, W)")
    add("fixed", metavar="FIXED", help="the same; one image stands for a stack of equal ones")
    add("--out", required=True, metavar="FOLDER", help="where to write registration.npz and the pictures")
    add("--method", choices=NAMES, help="default: network with a checkpoint, align without")
    add("--checkpoint", metavar="FILE", help="checkpoint.npz of a run folder, for the methods with a network")
    add(
        "--loss",
        choices=tuple(losses.SIMILARITIES),
        help="what is made small: by align local_ncc (default), mi, ncc or mse; by optimise and network+refine any "
        "(default: ncc, or what the network was trained with)",
    )
    add(
        "--transformation",
        choices=TRANSFORMATIONS,
        help="what optimise and network+refine look for (default: displacement)",
    )
    add(
        "--iterations",
        "--steps",
        type=int,
        metavar="N",
        help="at most so many at each level, of all but network and tps",
    )
    add("--stages", help="of align: affine,deformable (default), or one of them")
    add("--smoothness", type=float, metavar="S", help="how stiff the field is (default: align 4, optimise 0.1)")
    add("--levels", type=int, metavar="N", help="resolutions, each half of the one before (align: as many as fit)")
    add("--moving-mask", metavar="FILE", help="for align: label maps, .png or .npy; where they are 0 nothing counts")
    add("--fixed-mask", metavar="FILE", help="the same for the fixed images")
    add("--landmarks", metavar="FILE", help=f"for tps: CSV with the columns {', '.join(LANDMARKS)}, in pixels")
    add("--smoothing", type=float, metavar="S", help="of tps: 0 meets every landmark (default: 0)")
    add("--moving-labels", metavar="FILE", help="label maps of the moving images, .png or .npy, to be warped too")
    add(
        "--points",
        metavar="FILE",
        help="CSV of points (row, column) in the fixed image, to be found in the moving one",
    )
    return parser.parse_args(argv)


def _register(args):
    backend.use(args.backend)
    name, options = _method_and_options(args)
    folder = Path(args.out)
    if (folder / CHECKPOINT).exists():
        raise InputError(
            f"--out {folder} is the folder of a training run, whose pictures have the same names: name another"
        )
    network, configuration = load_network(args.checkpoint) if args.checkpoint else (None, None)
    if name == "network+refine":
        options.setdefault("loss", configuration.loss)
    trained_on_files = configuration is not None and configuration.data not in (*DIGITS, "phantom")
    if args.points is not None and Path(args.points).resolve() == (folder / "points.csv").resolve():
        raise InputError(f"--out {folder} would be written over the points in {args.points}: name another folder")
    was_there = (folder / "registration.npz").exists()
    if not was_there:
        refuse_to_overwrite(folder, PICTURES if args.points is None else (*PICTURES, "points.csv"))
    moving, fixed = _read_pairs(args, _read_as_in_training if trained_on_files else read_images)
    labels = None if args.moving_labels is None else _read_labels(args.moving_labels, moving.shape)
    for option in ("moving_mask", "fixed_mask"):
        if getattr(args, option) is not None:
            options[option] = _read_labels(getattr(args, option), moving.shape)
    points = None if args.points is None else read_points(args.points, ("row", "column"))
    if network is not None:
        options["network"] = network
    if name == "tps":
        options["landmarks"] = read_points(args.landmarks, LANDMARKS)
    method = make_method(name, progress=True, **options)

    started = time.perf_counter()
    displacement = method(moving, fixed)
    milliseconds = (time.perf_counter() - started) / len(moving) * 1000
    warped = warp_images(moving, displacement)
    arrays = {"warped": warped[..., 0], "displacement": displacement}
    if labels is not None:
        arrays["warped_labels"] = warp_labels(labels, displacement)[..., 0]

    folder.mkdir(parents=True, exist_ok=True)
    save_npz(folder / "registration.npz", **arrays)
    if was_there:
        (folder / "points.csv").unlink(missing_ok=True)  # of the earlier registration
    if points is not None:
        _write_points(folder / "points.csv", points, displacement)
    viz.registration_picture(moving, fixed, warped, displacement, folder / "registration.png")
    viz.field_picture(moving, fixed, warped, displacement, folder / "fields.png")
    viz.animation(moving, fixed, displacement, folder / "registration.gif")
    before, after = metrics.ncc(moving, fixed).mean(), metrics.ncc(warped, fixed).mean()
    folded = metrics.folded_pixels(displacement).mean()
    print(
        f"{len(moving)} pairs: NCC {before:.4f} -> {after:.4f}, folded pixels {folded:.3%}, {milliseconds:.1f} ms a "
        f"pair with {name}; written to {folder}"
    )


def _method_and_options(args):
    """The method's name and its options. Raises InputError where what was given does not go together."""
    name = args.method or ("network" if args.checkpoint else "align")
    options = {}
    for option, (methods, parameter) in OPTIONS.items():
        value = getattr(args, option)
        if value is not None and name not in methods:
            flag = option.replace("_", "-")
            raise InputError(f"--{flag} goes with the methods {', '.join(methods)}, not with {name}: leave it out")
        if value is not None and parameter:
            options[parameter] = value
    for option in ("checkpoint", "landmarks"):
        if name in OPTIONS[option][0] and getattr(args, option) is None:
            raise InputError(f"the method {name} needs --{option} FILE")
    return name, options


def _read_as_in_training(path):
    """Images with intensities of any range, normalised as the images of a folder are for training."""
    return normalise_percentiles(read_intensities(path))


def _read_pairs(args, read):
    """The moving and the fixed images, equally many and of one size."""
    moving, fixed = read(args.moving), read(args.fixed)
    if moving.shape[1:] != fixed.shape[1:]:
        raise InputError(
            f"the images have different sizes: {args.moving} is {moving.shape[1]} x {moving.shape[2]}, {args.fixed} is "
            f"{fixed.shape[1]} x {fixed.shape[2]}; crop or pad them to one size first"
        )
    if len(moving) != len(fixed) and 1 not in (len(moving), len(fixed)):
        raise InputError(
            f"{args.moving} holds {len(moving)} images and {args.fixed} {len(fixed)}: give equally many, or one for all"
        )
    shape = (max(len(moving), len(fixed)), *moving.shape[1:])
    return tuple(np.ascontiguousarray(np.broadcast_to(images, shape)) for images in (moving, fixed))


def _read_labels(path, shape):
    labels = read_labels(path)
    if labels.shape[1:] != shape[1:] or len(labels) not in (1, shape[0]):
        raise InputError(
            f"{path} holds {len(labels)} label maps of {labels.shape[1]} x {labels.shape[2]}: expected {shape[0]}, or "
            f"one for all, of {shape[1]} x {shape[2]} as the images"
        )
    return np.ascontiguousarray(np.broadcast_to(labels, shape))


def _write_points(path, points, displacement):
    """For each pair the points of the fixed image (K, 2), and where they are in the moving one."""
    points = np.repeat(points[None], len(displacement), axis=0)
    found = backend.to_host(warp_points(backend.to_device(points), backend.to_device(displacement)).data)
    rows = [
        (pair, *point, *there)
        for pair in range(len(points))
        for point, there in zip(points[pair], found[pair], strict=True)
    ]
    write_points(path, ("pair", "row", "column", "moving_row", "moving_column"), rows)


if __name__ == "__main__":
    sys.exit(main())

"""python -m minireg.apply: bring images, label maps and points along a field; invert it, join it, compare it."""

if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()

import sys
from functools import partial
from pathlib import Path

import numpy as np

from minireg import backend, command, metrics, viz
from minireg.data.images import SUFFIXES, for_all, in_type, read_label_picture, read_picture, suffix_of, write_image
from minireg.data.points import outside, read_points
from minireg.data.saved import (
    ITK,
    POINTS,
    RESULT,
    Registration,
    load_registration,
    save_for_itk,
    save_points,
    save_registration,
)
from minireg.errors import InputError
from minireg.fields import compose, invert_onto, warp_images, warp_labels
from minireg.files import output_folder, refuse_to_overwrite

DIFFERENCE = "difference.png"
MISSED = 0.1  # pixels: an inverse that misses by more is not to be trusted everywhere
SAME = 1e-3  # of a pixel: how much its sides may differ


def main(argv=None):
    """The command line: parse, apply, write. Returns the exit code."""
    return command.run("minireg.apply", lambda: _apply(_parse(argv)))


def _parse(argv):
    parser = command.parser(
        "minireg.apply",
        "Apply a field that minireg.register has found. Images and labels go from the moving to the fixed image, "
        "points from the fixed to the moving one; with --inverse the other way.",
    )
    add = parser.add_argument
    add("field", metavar="FIELD", help="registration.npz of a registration")
    add("images", nargs="*", metavar="IMAGE", help="images on the pixels of the moving image; PNG in colour, too")
    add("--out", required=True, metavar="FOLDER", help="where to write IMAGE_warped, points.csv, registration.npz")
    add("--labels", nargs="+", default=[], metavar="FILE", help="label maps on the pixels of the moving image")
    add(
        "--points",
        metavar="FILE",
        help="CSV of points in the fixed image, to be found in the moving one, in columns fixed_row and fixed_column, "
        "else row and column; with --inverse, of points in the moving image, to be found in the fixed one",
    )
    add(
        "--inverse",
        action="store_true",
        help="bring what lies on the pixels of the fixed image to the moving one; writes the inverse field, too",
    )
    add(
        "--then",
        metavar="FIELD2",
        help="a second registration, whose fixed image is the moving image of FIELD: go from the fixed image of FIELD "
        "to the moving image of FIELD2 (with --inverse all the way back); writes the joint field, too",
    )
    add(
        "--against",
        metavar="FIELD2",
        help=f"another registration of the same images: say how far apart the fields look, and draw it in {DIFFERENCE}",
    )
    add("--slice", metavar="AXIS:INDEX", help="of volumes: axial, coronal, sagittal or 0, 1, 2, and which: axial:80")
    args = parser.parse_intermixed_args(argv)
    if "" in (args.field, args.out, args.points, args.then, args.against, *args.images, *args.labels):
        parser.error("the name of a file is empty: is a variable of your shell not set?")
    return args


def _apply(args):
    backend.use(args.backend)
    new_field = args.inverse or args.then is not None
    if not (args.images or args.labels or args.points or new_field or args.against):
        raise InputError(
            "there is nothing to do: give images, --labels or --points to apply the field to, --inverse, --then or "
            "--against"
        )
    folder = Path(args.out)
    outputs = [_output(folder, path) for path in (*args.images, *args.labels)]
    _refuse_to_overwrite(args, folder, outputs, new_field)
    with output_folder(folder):
        return _apply_into(folder, outputs, new_field, args)


def _apply_into(folder, outputs, new_field, args):
    registration = load_registration(args.field)
    names = ["fixed", "moving"]  # of what the field goes from and to
    if args.then is not None:
        registration = _join(registration, args)
    compared = None if args.against is None else _compare(registration, args)
    if args.inverse:
        registration = _invert(registration)
        names.reverse()
    points = None if args.points is None else _read_points(Path(args.points), names[0])
    warped = [
        _warp(path, registration, names[1], args.slice, as_labels)
        for paths, as_labels in ((args.images, False), (args.labels, True))
        for path in paths
    ]

    for output, image in zip(outputs, warped, strict=True):
        write_image(output, image, registration.fixed)
    if compared is not None:
        viz.difference_picture(*(field[0] for field in compared), folder / DIFFERENCE)
    if points is not None:
        save_points(folder / POINTS, points, registration, names[1])
    if new_field:
        save_registration(folder / RESULT, registration)
        save_for_itk(folder / ITK, registration)
    to, away = names
    print(
        f"images and labels go from the {away} image ({_size(registration.moving_shape)}) to the {to} one "
        f"({_size(registration.displacement.shape[1:3])}), points from the {to} to the {away} one; "
        f"{len(warped)} warped, {0 if points is None else len(points)} points; written to {folder}"
    )
    beyond = None if points is None else outside(points, registration.displacement.shape[1:3], f"{to} image")
    if beyond:
        command.hint(beyond)
    return 0


def _output(folder, path):
    """The file for what was read from `path`, which may be a folder with a DICOM series."""
    suffix, name = suffix_of(path), Path(path).resolve().name
    return folder / f"{name[: -len(suffix)] if name.lower().endswith(suffix) else name}_warped{suffix}"


def _refuse_to_overwrite(args, folder, outputs, new_field):
    """Raise InputError where something is there already, an input or not, or two inputs have one name."""
    names = [output.name for output in outputs]
    twice = {name for name in names if [other.casefold() for other in names].count(name.casefold()) > 1}
    if twice:
        raise InputError(f"two of the files would both be written to {min(twice)}: apply the field to one at a time")
    if folder.resolve() in {Path(path).resolve() for path in (*args.images, *args.labels)}:
        raise InputError(f"--out {folder} is the folder of a series that is read: name another folder")
    others = [(POINTS, args.points), (RESULT, new_field), (ITK, new_field), (DIFFERENCE, args.against)]
    refuse_to_overwrite(folder, [*names, *(name for name, wanted in others if wanted)])


def _join(first, args):
    """From the fixed image of the first registration to the moving one of the second: p -> Q2(Q1(p))."""
    second = load_registration(args.then)
    (_, moving), (fixed, _) = first.grids, second.grids
    _refuse_other_grid(f"the fixed image of {args.then}", fixed, f"the moving image of {args.field}", moving)
    count = _count(args.field, len(first.displacement), args.then, len(second.displacement))
    fields = (backend.to_device(for_all(each.displacement, count)) for each in (first, second))
    return Registration(backend.to_host(compose(*fields).data), second.moving_shape, first.fixed, second.moving)


def _compare(registration, args):
    """Two fields between the same images, equally many pairs of both. Prints how far apart they are."""
    other = load_registration(args.against)
    for name, grid, expected in zip(("fixed", "moving"), other.grids, registration.grids, strict=True):
        _refuse_other_grid(f"the {name} image of {args.against}", grid, f"that of {args.field}", expected)
    count = _count(args.field, len(registration.displacement), args.against, len(other.displacement))
    first, second = (for_all(each.displacement, count) for each in (registration, other))
    spacings = registration.moving.spacing, registration.fixed.spacing
    print(registration._replace(displacement=first).how_far(second, spacings, "the fields are apart by"))
    return first, second


def _invert(registration):
    """From the moving to the fixed image. Prints how far it misses."""
    displacement, residual = invert_onto(registration.displacement, registration.moving_shape)
    folded = metrics.folded_cells(registration.displacement).max()
    print(f"the inverse misses by at most {residual.max():.4f} pixels")
    if residual.max() > MISSED:
        print("warning: the field stretches too much to be inverted everywhere; look at its grid before you trust this")
    if folded:
        print(
            f"warning: the field folds in {folded:.3%} of its cells; there the inverse leads to one of several points"
        )
    return Registration(displacement, registration.displacement.shape[1:3], registration.moving, registration.fixed)


def _warp(path, registration, name, place, as_labels):
    """What is in a file on the other grid: (N, H, W), or (H, W) of one image, or (H, W, C) of one in colour.

    In its own unit and dtype.
    """
    read, warp = (read_label_picture, warp_labels) if as_labels else (partial(read_picture, colours=True), warp_images)
    suffix = suffix_of(path)
    picture = read(path, None if suffix in SUFFIXES else place)
    grid = picture.images.shape[1:3], picture.geometry
    _refuse_other_grid(path, grid, f"the {name} image of the registration", registration.grids[1])
    count = _count(path, len(picture.images), "the registration", len(registration.displacement))
    if count > 1 and suffix != ".npy":
        raise InputError(f"{path} would become {count} images, for there are as many fields: give a stack, in .npy")
    images = picture.images if as_labels else picture.images.astype(np.float32, copy=False)
    warped = warp(*(for_all(each, count) for each in (images, registration.displacement)))
    if warped.shape[-1] == 1:
        warped = warped[..., 0]  # not of a picture in colour
    if not as_labels:
        warped = in_type(warped, picture.images.dtype)
    return warped if count > 1 else warped[0]


def _count(name, count, other_name, other):
    if count != other and 1 not in (count, other):
        raise InputError(f"{name} holds a stack of {count}, {other_name} of {other}: give equally many, or one")
    return max(count, other)


def _refuse_other_grid(name, grid, expected_name, expected):
    """Raise InputError where the pixels of two images, (shape, Geometry), differ in number, size or direction."""
    if grid[0] != expected[0]:
        raise InputError(f"{name} has {_size(grid[0])} pixels: expected {_size(expected[0])}, as {expected_name} has")
    sides = [geometry.affine[:3, :2] for _, geometry in (grid, expected) if geometry.measured]
    if len(sides) == 2 and not np.allclose(*sides, rtol=0, atol=SAME * np.abs(sides[1]).max()):
        spacings = [_size(f"{length:.4g}" for length in geometry.spacing) for _, geometry in (grid, expected)]
        raise InputError(
            f"{name} has pixels of {spacings[0]} mm, {expected_name} of {spacings[1]} mm, or they lie in other "
            "directions: give what lies on the same pixels"
        )


def _size(shape):
    return " x ".join(map(str, shape))


def _read_points(path, name):
    """Points (K, 2) in the image `name`: in the columns that bear its name, as our own results and landmarks do."""
    own = (f"{name}_row", f"{name}_column")
    header = path.read_text("utf-8-sig", "replace").partition("\n")[0] if path.is_file() else ""
    return read_points(path, own if own[0] in header else ("row", "column"))


if __name__ == "__main__":
    sys.exit(main())

"""python -m minireg.register: align your own images, one pair or a list of them, with a trained network or without."""

if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()

import sys

from minireg import backend, command, losses
from minireg.files import output_folder
from minireg.methods import METHODS, TRANSFORMATIONS
from minireg.register.listed import COLUMNS, read_pairs, register_all
from minireg.register.pair import LANDMARKS, NUMBERS, REPORT, method_and_options, register_files
from minireg.training import load_network

NAMES = [name for name in METHODS if name != "identity"]


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
    pairs = [args] if args.pairs is None else read_pairs(args)
    method_and_options(pairs[0])
    model = load_network(args.checkpoint) if args.checkpoint else (None, None)
    if args.pairs is not None:
        return register_all(args, pairs, model)
    with output_folder(args.out):
        count, name, numbers, moved, hints = register_files(args, model, progress=True)
    texts = {key: f"{numbers[key]:{form}}" for key, form in NUMBERS.items()}
    print(
        f"{count} pairs: NCC {texts['ncc_before']} -> {texts['ncc_after']}, folded cells {texts['folded']}, "
        f"{texts['ms']} ms a pair with {name}; {moved}; written to {args.out}"
    )
    for hint in hints:
        command.hint(hint)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""minireg beside the tools of the field, on the committed list of held-out pairs of MNIST.

    python -m pip install ".[compare]"
    python benchmarks/peers.py --checkpoint runs/NAME/checkpoint.npz --markdown docs/benchmarks.md

The peers: SimpleITK (diffeomorphic demons; B-spline with correlation), DIPY (SyN, sum of squared differences), ANTs
(SyN, mean squares and cross-correlation), and a U-Net in PyTorch after VoxelMorph, which is trained here. A peer that
is not installed is left out, and a line says so. Beside them the methods of `minireg.methods`.

Every peer's field is converted to minireg's convention: a displacement in pixels, (row, column), that pulls. To prove
the conversion, the peer's own warped image is compared with the moving image warped by our sampler along the converted
field; where they differ by more than rounding, the benchmark stops. Then all fields are scored alike, by
`minireg.evaluation`. Everything runs on one thread, and the times are CPU times, which other programs disturb little.
"""

# ruff: noqa: E402
import os

from minireg.command import prepare_process

THREADS = 1  # a pair of 32 x 32 pixels gains nothing from more, and fewer is the only number that all tools can share
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
    os.environ[variable] = str(THREADS)  # the libraries read them when they are loaded
prepare_process()  # as minireg's command lines do

import argparse
import datetime
import functools
import importlib
import importlib.metadata
import itertools
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from minireg.data import load_data
from minireg.errors import MiniregError
from minireg.evaluation import LEGEND, evaluate_method, format_markdown, format_statistics, summarise
from minireg.fields import warp_images
from minireg.files import atomic_write
from minireg.methods import METHODS, NEEDS, make_method
from minireg.training import load_network

TOLERANCE = 1e-4  # how far two float32 samplers may be apart, in intensities; a swapped axis gives about 1
CHECKED_PAIRS = 10
OF_ALIGN = {"loss": "ncc", "stages": "deformable"}  # what drawings on an even background need
MARKERS = "<!-- written by benchmarks/peers.py -->", "<!-- end -->"  # the part of a page that --markdown writes


# The peers. Each function imports its library and returns register(moving, fixed) for images (H, W), float32, which
# returns the displacement (H, W, 2) in pixels, (row, column), and the image as the peer itself warps it.


def simpleitk_demons(iterations=200, sigma=1.0):
    """Vercauteren et al. 2009: symmetric forces, the field smoothed by a Gaussian of `sigma` pixels."""
    import SimpleITK as sitk

    def transform(moving, fixed):
        demons = sitk.DiffeomorphicDemonsRegistrationFilter()
        demons.SetNumberOfIterations(iterations)
        demons.SetStandardDeviations(sigma)
        return sitk.DisplacementFieldTransform(sitk.Cast(demons.Execute(fixed, moving), sitk.sitkVectorFloat64))

    return functools.partial(_register_simpleitk, transform)


def simpleitk_bspline(mesh=8, iterations=100):
    """Rueckert et al. 1999, with correlation as the metric and L-BFGS-B as the optimiser; nothing keeps it smooth."""
    import SimpleITK as sitk

    def transform(moving, fixed):
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsCorrelation()
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsLBFGSB(gradientConvergenceTolerance=1e-6, numberOfIterations=iterations)
        method.SetInitialTransform(sitk.BSplineTransformInitializer(fixed, [mesh, mesh]), inPlace=False)
        return method.Execute(fixed, moving)

    return functools.partial(_register_simpleitk, transform)


def _register_simpleitk(find_transform, moving, fixed):
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(THREADS)
    moving, fixed = (sitk.GetImageFromArray(image) for image in (moving, fixed))
    transform = find_transform(moving, fixed)
    grid = fixed.GetSize(), fixed.GetOrigin(), fixed.GetSpacing(), fixed.GetDirection()
    field = sitk.TransformToDisplacementField(transform, sitk.sitkVectorFloat64, *grid)
    warped = sitk.Resample(moving, fixed, transform, sitk.sitkLinear, 0.0)
    return sitk.GetArrayFromImage(field)[..., ::-1], sitk.GetArrayFromImage(warped)  # ITK's (x, y) is (column, row)


def dipy_syn(iterations=(100, 50, 25)):
    """Avants et al. 2008, with the sum of squared differences."""
    from dipy.align.imwarp import SymmetricDiffeomorphicRegistration
    from dipy.align.metrics import SSDMetric

    def register(moving, fixed):
        registration = SymmetricDiffeomorphicRegistration(SSDMetric(2), level_iters=list(iterations))
        registration.verbosity = 0
        mapping = registration.optimize(fixed, moving)
        return mapping.get_forward_field(), mapping.transform(moving, interpolation="linear")

    return register


def ants_syn(metric, iterations=(100, 70, 50)):
    """The same method by its authors, without the affine step, which these pairs do not need."""
    import ants

    def register(moving, fixed):
        moving, fixed = (ants.from_numpy(image) for image in (moving, fixed))  # the first axis, our rows, becomes its x
        with tempfile.TemporaryDirectory() as folder:
            found = ants.registration(
                fixed,
                moving,
                type_of_transform="SyNOnly",
                initial_transform="Identity",
                syn_metric=metric,
                reg_iterations=iterations,
                outprefix=f"{folder}/",
            )
            composed = ants.apply_transforms(fixed, moving, found["fwdtransforms"], compose=f"{folder}/composed")
            return ants.image_read(composed).numpy(), found["warpedmovout"].numpy()

    return register


PEERS = {  # name: (the module to import, how to make its function)
    "SimpleITK demons": ("SimpleITK", simpleitk_demons),
    "SimpleITK B-spline": ("SimpleITK", simpleitk_bspline),
    "DIPY SyN, SSD": ("dipy", dipy_syn),
    "ANTs SyN, MSQ": ("ants", functools.partial(ants_syn, "meansquares")),
    "ANTs SyN, CC": ("ants", functools.partial(ants_syn, "CC")),
}
TORCH_PEER = "PyTorch U-Net"
PACKAGES = ("numpy", "SimpleITK", "dipy", "antspyx", "torch")


def one_by_one(name, register):
    """A method over pairs (N, H, W, 1) from a function of two images (H, W)."""

    def method(moving, fixed):
        pairs = list(zip(moving[..., 0], fixed[..., 0], strict=True))
        fields = [register(*pair)[0] for pair in tqdm(pairs, name, unit="pair", disable=len(pairs) < 2)]
        return np.stack(fields).astype(np.float32)

    return method


def difference_of_samplers(register, moving, fixed):
    """The largest difference between the peer's warped images and ours, at pixels that look inside the moving image.

    Beyond the border, one tool sees black and another the outermost pixels; that is no matter of conversion.
    """
    results = [register(*pair) for pair in zip(moving[..., 0], fixed[..., 0], strict=True)]
    displacement = np.stack([field for field, _ in results]).astype(np.float32)
    theirs = np.stack([warped for _, warped in results])
    height, width = moving.shape[1:3]
    place = np.stack(np.mgrid[:height, :width], axis=-1) + displacement
    inside = np.all((place >= 0) & (place <= [height - 1, width - 1]), axis=-1)
    return float(np.abs(warp_images(moving, displacement)[..., 0] - theirs)[inside].max())


def torch_unet(sampler, steps, batch_size=32, smoothness=0.05, lr=1e-3):
    """Train a U-Net that predicts a displacement, after VoxelMorph: NCC + smoothness x diffusion, Adam.

    Balakrishnan et al., VoxelMorph: a learning framework for deformable medical image registration, IEEE TMI 38 (2019),
    figure 3, for images of 32 x 32: at full size 16 channels, then 32 at each of three halvings.

    Returns
    -------
    register(moving, fixed) for batches (N, H, W, 1), which returns the displacements and the warped images, and the
    CPU seconds that training took.
    """
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)

    class UNet(torch.nn.Module):
        def __init__(self):
            super().__init__()

            def convolutions(*channels):
                return torch.nn.ModuleList(torch.nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(channels))

            self.down = convolutions(2, 16, 32, 32, 32)
            self.up = torch.nn.ModuleList(torch.nn.Conv2d(a, 32, 3, padding=1) for a in (64, 64, 48))
            self.full = convolutions(32, 16, 16)
            self.field = torch.nn.Conv2d(16, 2, 3, padding=1)
            torch.nn.init.normal_(self.field.weight, std=1e-5)
            torch.nn.init.zeros_(self.field.bias)

        def forward(self, x):
            skips = []
            for level, convolution in enumerate(self.down):
                x = F.leaky_relu(convolution(F.max_pool2d(x, 2) if level else x), 0.2)
                skips.append(x)
            for convolution, skip in zip(self.up, skips[-2::-1], strict=True):
                x = F.leaky_relu(convolution(torch.cat([F.interpolate(x, scale_factor=2), skip], dim=1)), 0.2)
            for convolution in self.full:
                x = F.leaky_relu(convolution(x), 0.2)
            return self.field(x)

    def sample(image, displacement):
        h, w = image.shape[2:]
        rows = torch.arange(h)[:, None] + displacement[:, 0]
        columns = torch.arange(w) + displacement[:, 1]
        grid = torch.stack([columns * (2 / (w - 1)) - 1, rows * (2 / (h - 1)) - 1], dim=-1)  # (x, y) in [-1, 1]
        return F.grid_sample(image, grid, padding_mode="border", align_corners=True)

    def ncc(a, b):
        a, b = (images.flatten(1) - images.flatten(1).mean(1, keepdim=True) for images in (a, b))
        return (F.cosine_similarity(a, b, dim=1, eps=1e-8)).mean()

    def diffusion(u):
        return ((u[:, :, 1:] - u[:, :, :-1]).square().mean() + (u[..., 1:] - u[..., :-1]).square().mean()) / 2

    def predict(moving, fixed):
        moving, fixed = (
            torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))) for images in (moving, fixed)
        )
        displacement = network(torch.cat([moving, fixed], dim=1))
        return displacement, sample(moving, displacement), fixed

    network = UNet()
    optimiser = torch.optim.Adam(network.parameters(), lr)
    start = time.process_time()
    for _ in tqdm(range(steps), f"training {TORCH_PEER}", unit="step"):
        displacement, warped, fixed = predict(*sampler.draw(batch_size))
        loss = 1 - ncc(warped, fixed) + smoothness * diffusion(displacement)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    seconds = time.process_time() - start

    @torch.no_grad()
    def register(moving, fixed):
        displacement, warped, _ = predict(moving, fixed)
        return displacement.numpy().transpose(0, 2, 3, 1), warped.numpy().transpose(0, 2, 3, 1)

    return register, seconds


def main():
    """Run what is installed, print the tables, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--checkpoint", metavar="FILE", help="checkpoint.npz of a run folder, for minireg's methods with a network")
    add("--data-dir", metavar="FOLDER", help="folder with the MNIST files (default: MINIREG_DATA, else downloaded)")
    add("--pairs", type=int, default=100, metavar="N", help="the first N of the list, or of those drawn (default: 100)")
    add("--torch-steps", type=int, default=2000, metavar="N", help="of training the U-Net (default: 2000)")
    add("--only", metavar="TEXT", help="run only the methods whose name contains this, in small letters")
    add("--markdown", metavar="FILE", help="replace the part of this page between the two markers")
    args = parser.parse_args()

    source = load_data("mnist", args.data_dir)
    pairs = source.held_out(args.pairs)
    checked = pairs.moving[:CHECKED_PAIRS], pairs.fixed[:CHECKED_PAIRS]
    methods, notes = {}, []

    def wanted(name):
        return not args.only or args.only.lower() in name.lower()

    def say(note):
        notes.append(note)
        print(note, flush=True)

    def add_peer(name, method, difference):
        if difference > TOLERANCE:
            raise SystemExit(f"{name}: its warped images differ from ours by {difference:.2g}: the conversion is wrong")
        say(f"{name}: its warped images and ours along the converted fields differ by at most {difference:.1e}")
        methods[name] = method

    network = None
    if args.checkpoint:
        network, configuration = load_network(args.checkpoint)
        parameters = sum(parameter.data.size for parameter in network.parameters())
        say(
            f"minireg network: {configuration.model}, {parameters:,} parameters, trained for {configuration.steps} "
            f"steps of {configuration.batch_size} pairs"
        )
    else:
        say("minireg network: left out, because no --checkpoint was given")
    for name in METHODS:
        label = name if name == "identity" else f"minireg {name}"
        needed = NEEDS.get(name, (None,))[0]
        if wanted(label) and (needed is None or (needed == "network" and network is not None)):
            options = {"network": network} if needed else OF_ALIGN if name == "align" else {}
            methods[label] = make_method(name, progress=True, **options)

    for name, (module, make) in PEERS.items():
        if wanted(name) and _installed(name, module, say):
            register = make()
            add_peer(name, one_by_one(name, register), difference_of_samplers(register, *checked))
    if wanted(TORCH_PEER) and _installed(TORCH_PEER, "torch", say):
        register, seconds = torch_unet(source.sampler(np.random.default_rng(0)), args.torch_steps)
        say(f"{TORCH_PEER}: {args.torch_steps} steps of 32 pairs took {seconds:.0f} s of CPU time")
        theirs = register(*checked)
        difference = float(np.abs(warp_images(checked[0], theirs[0]) - theirs[1]).max())
        add_peer(TORCH_PEER, lambda moving, fixed: register(moving, fixed)[0], difference)

    statistics, milliseconds = {}, {}
    for name, method in methods.items():
        scores, milliseconds[name] = evaluate_method(method, pairs, clock=time.process_time)
        statistics[name] = summarise(scores)
    milliseconds.pop("identity", None)

    conditions = _conditions(len(pairs.titles))
    print(f"\n{conditions}\n\n{format_statistics(statistics, milliseconds)}\n\n{LEGEND}")
    if args.markdown:
        _write_page(
            Path(args.markdown),
            f"{conditions}\n\n{format_statistics(statistics, milliseconds, format_markdown)}\n\n{LEGEND}\n\n"
            + "\n".join(f"- {note}" for note in notes),
        )
        print(f"Written to {args.markdown}")


def _installed(name, module, say):
    """Whether a peer can be imported; if not, a line says so."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        say(f'{name}: left out, because it cannot be imported ({error}); python -m pip install ".[compare]"')
        return False
    return True


def _conditions(pairs):
    """When, on what, and with which versions."""
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return (
        f"{datetime.date.today()}, {pairs} pairs, {_processor()} ({os.cpu_count()} cores), each method on {THREADS} "
        f"thread, CPU time; Python {platform.python_version()}, {', '.join(versions)}"
    )


def _processor():
    """The model of the processor, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _write_page(path, text):
    page = path.read_text(encoding="utf-8")
    start, end = MARKERS
    before, found, rest = page.partition(start)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise SystemExit(f"{path} lacks the markers {start} and {end}")
    with atomic_write(path, "w") as file:
        file.write(f"{before}{start}\n\n{text}\n\n{end}{after}")


if __name__ == "__main__":
    try:
        main()
    except MiniregError as error:
        sys.exit(f"benchmarks/peers.py: error: {error}")

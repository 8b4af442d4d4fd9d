"""Real pictures, deformed by known fields: how far each method's field is from the true one.

    python -m pip install ".[compare]" nilearn scikit-image pydicom
    python benchmarks/real_images.py

The pictures ship inside wheels: a T1 image and a grey-matter map of the MNI (nilearn), an abdominal MR (pydicom), a
retina and a stained section (scikit-image). The moving image is the picture; the fixed one is the picture along a
smooth random field, sampled with cubic splines, with other intensities and noise. The peers get an affine step where
there is a turn, as `align` has it everywhere. Time is wall-clock time with all cores.
"""

# ruff: noqa: E402
from minireg.command import prepare_process

prepare_process()  # as minireg's command lines do

import argparse
import functools
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from minireg import metrics
from minireg.fields import compose, random_diffeomorphism
from minireg.methods import align

FAR = (12.0, 1.1, (18.0, -17.0))  # degrees, scale, shift in pixels
ROWS = {  # name: picture, moving picture if another, amplitude in pixels, intensities, whether it is far apart
    "T1, gain and offset": ("t1", None, 8, "gain", False),
    "T1, bias field and gamma": ("t1", None, 8, "bias", False),
    "abdomen, bias": ("abdomen", None, 8, "bias", False),
    "T1 to grey-matter map": ("grey_matter", "t1", 8, "same", False),
    "T1, turned": ("t1", None, 8, "same", True),
    "retina 512, turned": ("retina_512", None, 8, "same", True),
    "section 512, turned": ("section", None, 8, "same", True),
    "retina 1024": ("retina_1024", None, 16, "same", False),
}
BACKGROUND = 0.1  # intensities of the true fixed image below do not count
SCALES = (8, 4, 2, 1)  # of SimpleITK's demons
DEMONS_ITERATIONS, DEMONS_SIGMA, BSPLINE_CELL = 100, 2.5, 24  # the lengths in pixels
SAMPLED = 0.2  # of the pixels, for SimpleITK's mutual information


def picture(name):
    """A picture by its name, (H, W), in [0, 1]."""
    if name in ("t1", "grey_matter"):
        import nibabel
        import nilearn

        kind = {"t1": "t1", "grey_matter": "gm"}[name]
        folder = Path(nilearn.__file__).parent / "datasets" / "data"
        volume = nibabel.load(next(folder.glob(f"*_{kind}_*.nii.gz"))).get_fdata()
        return _in_range(volume[:, :, volume.shape[2] // 2])
    if name == "abdomen":
        import pydicom

        return _in_range(pydicom.dcmread(pydicom.data.get_testdata_file("examples_overlay.dcm")).pixel_array)
    import skimage

    if name == "section":
        return _in_range(skimage.color.rgb2gray(skimage.data.immunohistochemistry()))
    size = int(name.removeprefix("retina_"))
    retina = skimage.color.rgb2gray(skimage.data.retina())
    return _in_range(skimage.transform.resize(retina, (size, size), order=3, anti_aliasing=True))


def make_pair(row, seed):
    """Moving and fixed (1, H, W, 1), the true displacement (1, H, W, 2), and the object that is seen (1, H, W)."""
    name, other, amplitude, intensities, far = ROWS[row]
    rng = np.random.default_rng(seed)
    source = picture(name)
    moving = source if other is None else picture(other)
    height, width = source.shape
    pixels = np.moveaxis(np.mgrid[:height, :width], 0, -1).astype(float)
    # A smoothness of twice the amplitude, or of 1.5 times, which is as rough as no fold allows.
    u = random_diffeomorphism(rng, (1, height, width), amplitude, amplitude * (1.5 + 0.5 * (seed % 2)))[0][0]
    places = pixels + u
    if far:
        degrees, scale, shift = FAR
        turn, centre = np.radians(degrees), np.array([height - 1, width - 1]) / 2
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) / scale
        places = (places - centre) @ matrix.T + centre + shift
    true = _sample(source, places)
    seen = ((places >= 0) & (places <= (height - 1, width - 1))).all(axis=-1)
    seen &= _sample(moving, places) > BACKGROUND
    fixed = _changed(true, intensities) + 0.01 * rng.standard_normal(true.shape)
    moving = moving + 0.005 * rng.standard_normal(moving.shape)
    images = (image.astype(np.float32)[None, ..., None] for image in (moving, fixed))
    return *images, (places - pixels).astype(np.float32)[None], seen[None]


# The methods. Each function returns, for a row, method(moving, fixed) -> displacement (1, H, W, 2).


def minireg_align(row):
    return functools.partial(align, loss="mi" if of_two_kinds(row) else "local_ncc")


def ants_syn(row):
    """SyN, with its affine step where the images are turned. The best of six settings tried on two rows.

    That is CC in windows of radius 2, and mutual information for two kinds.
    """
    import ants

    alone = {"type_of_transform": "SyNOnly", "initial_transform": "Identity"}
    affine = {"type_of_transform": "SyN"} if ROWS[row][4] else alone
    metric = {"syn_metric": "mattes"} if of_two_kinds(row) else {"syn_metric": "CC", "syn_sampling": 2}

    def method(moving, fixed):
        moving, fixed = (ants.from_numpy(image[0, ..., 0]) for image in (moving, fixed))
        with tempfile.TemporaryDirectory() as folder:
            found = ants.registration(
                fixed, moving, reg_iterations=(100, 70, 50, 20), outprefix=f"{folder}/", **affine, **metric
            )
            composed = ants.apply_transforms(fixed, moving, found["fwdtransforms"], compose=f"{folder}/composed")
            return ants.image_read(composed).numpy().astype(np.float32)[None]

    return method


def simpleitk_demons(row):
    """Diffeomorphic demons at four scales, after matching histograms."""
    import SimpleITK as sitk

    def transform(moving, fixed, start):
        moving = sitk.HistogramMatching(sitk.Resample(moving, fixed, start), fixed, 256, 16)
        demons = sitk.DiffeomorphicDemonsRegistrationFilter()
        demons.SetNumberOfIterations(DEMONS_ITERATIONS)
        demons.SetStandardDeviations(DEMONS_SIGMA)
        field = None
        for scale in SCALES:
            smaller = [
                sitk.Resample(sitk.SmoothingRecursiveGaussian(x, scale / 2), _grid(x, scale)) for x in (moving, fixed)
            ]
            field = demons.Execute(*reversed(smaller), *([] if field is None else [sitk.Resample(field, smaller[1])]))
        field = sitk.Cast(sitk.Resample(field, fixed), sitk.sitkVectorFloat64)
        return sitk.CompositeTransform([start, sitk.DisplacementFieldTransform(field)])

    return functools.partial(_with_simpleitk, row, transform)


def simpleitk_bspline(row):
    """Cubic B-splines with mutual information, from coarse to fine images; nothing keeps them from folding."""
    import SimpleITK as sitk

    def transform(moving, fixed, start):
        method = _simpleitk_method((4, 2, 1))
        mesh = sitk.BSplineTransformInitializer(fixed, [side // BSPLINE_CELL for side in fixed.GetSize()])
        method.SetInitialTransform(mesh, inPlace=True)
        method.SetMovingInitialTransform(start)
        method.SetOptimizerAsLBFGSB(gradientConvergenceTolerance=1e-6, numberOfIterations=100)
        method.Execute(fixed, moving)
        return sitk.CompositeTransform([start, mesh])

    return functools.partial(_with_simpleitk, row, transform)


METHODS = {"align": minireg_align, "ANTs SyN": ants_syn, "demons": simpleitk_demons, "B-spline": simpleitk_bspline}


def of_two_kinds(row):
    return ROWS[row][1] is not None


def _with_simpleitk(row, find_transform, moving, fixed):
    import SimpleITK as sitk

    moving, fixed = (sitk.GetImageFromArray(image[0, ..., 0]) for image in (moving, fixed))
    start = sitk.Transform(2, sitk.sitkIdentity)
    if ROWS[row][4]:
        start = sitk.CenteredTransformInitializer(fixed, moving, sitk.AffineTransform(2))
        method = _simpleitk_method((8, 4, 2))
        method.SetInitialTransform(start, inPlace=True)
        method.SetOptimizerAsGradientDescent(1.0, 200, convergenceWindowSize=20, convergenceMinimumValue=1e-7)
        method.SetOptimizerScalesFromPhysicalShift()
        method.Execute(fixed, moving)
    transform = find_transform(moving, fixed, start)
    grid = fixed.GetSize(), fixed.GetOrigin(), fixed.GetSpacing(), fixed.GetDirection()
    field = sitk.TransformToDisplacementField(transform, sitk.sitkVectorFloat32, *grid)
    return sitk.GetArrayFromImage(field)[None, ..., ::-1]  # ITK's (x, y) is (column, row)


def _simpleitk_method(shrink):
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(SAMPLED, seed=0)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel(shrink)
    method.SetSmoothingSigmasPerLevel([size / 2 for size in shrink])
    return method


def _grid(image, scale):
    """An image of the same place with pixels that are so many times as large."""
    import SimpleITK as sitk

    size = [max(1, side // scale) for side in image.GetSize()]
    small = sitk.Image(size, image.GetPixelID())
    small.SetSpacing([whole / side for whole, side in zip(image.GetSize(), size, strict=True)])
    small.SetOrigin([(pixel - 1) / 2 for pixel in small.GetSpacing()])
    return small


def _sample(image, places):
    from scipy.ndimage import map_coordinates

    return map_coordinates(image, np.moveaxis(places, -1, 0), order=3, mode="nearest")


def _changed(image, intensities):
    if intensities == "gain":
        return 0.7 * image + 0.15
    if intensities == "bias":
        rows, columns = (np.linspace(0, 1, size) for size in image.shape)
        bias = 1 + 0.5 * np.sin(1.4 * np.pi * rows + 1)[:, None] * np.cos(1.2 * np.pi * columns)
        return 0.7 * bias * np.clip(image, 0, None) ** 0.7
    return image


def _in_range(image):
    image = np.asarray(image, float)
    return (image - image.min()) / np.ptp(image)


def _error(found, true, seen):
    return float(np.linalg.norm(found - true, axis=-1)[seen].mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="NAME")
    parser.add_argument("--seeds", type=int, nargs="+", default=[100, 101], help="of the fields")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), metavar="NAME")
    args = parser.parse_args()
    print("| pair | before | there and back |" + "".join(f" {name} | fold % | s |" for name in args.methods))
    print("| --- | ---: | ---: |" + " ---: | ---: | ---: |" * len(args.methods))
    for row in tqdm(args.rows, "rows"):
        results = []
        for seed in args.seeds:
            moving, fixed, true, seen = make_pair(row, seed)
            numbers = [_error(0, true, seen), np.nan]
            for name in args.methods:
                method = METHODS[name](row)
                started = time.perf_counter()
                found = method(moving, fixed)
                seconds = time.perf_counter() - started
                numbers += [_error(found, true, seen), 100 * metrics.folded_cells(found)[0], seconds]
                if name == "align":
                    numbers[1] = _error(compose(found, method(fixed, moving)).data, 0, seen)
            results.append(numbers)
        tqdm.write(f"| {row} | " + " | ".join(f"{value:.3f}" for value in np.mean(results, axis=0)) + " |")


if __name__ == "__main__":
    sys.exit(main())

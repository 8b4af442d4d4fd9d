"""Slices of medical images in files: NIfTI with nibabel, DICOM with pydicom, displacement fields for ITK.

The two libraries are the extra `medical`. Nothing of a patient leaves these functions: only pixels and where they lie,
and for errors the name of the file. A DICOM file that is written has random UIDs.
"""

import gzip
import importlib
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minireg.data.geometry import Geometry, cut_slice
from minireg.errors import InputError
from minireg.files import atomic_write

RAS = np.diag([-1.0, -1.0, 1.0, 1.0])  # from LPS to what NIfTI has, right, anterior, superior; and back
UNITS = {"meter": 1000, "micron": 0.001}  # in mm
MOST_EXPANSION, HARMLESS = 1032, 2**26  # Deflate reaches no more; bytes, for JPEG 2000, which sometimes does
PARALLEL = 1e-3  # how much the cosines of two slices may differ
UNEVEN = 0.05  # how much the gaps between slices may differ, as a part of their mean
COMPRESSION = 1  # of gzip: a field is a hundredth larger than at 9, and made in 60 % of the time
DISPLACEMENTS = 1007  # NIfTI's intent code for vectors, which ITK takes as they are, in LPS


def read_nifti(path, place=None):
    """A slice (H, W) of a NIfTI file in its own unit, NaN replaced by the least number of it; and its Geometry.

    Only that slice is unpacked. A file that does not say how it lies is taken to lie as ITK takes it: first axis to
    the left, second to posterior. Raises InputError as `read_picture`.
    """
    nibabel = _library("nibabel", path)
    with _reading(path):
        image = nibabel.load(path, mmap=False)
        shape, dtype, header = image.shape, image.get_data_dtype(), image.header
        if dtype.kind not in "iuf":
            raise InputError(f"{path} holds colours or complex numbers ({dtype}): expected one number for each voxel")
        if np.prod(shape[3:], dtype=float) > 1:
            raise InputError(f"{path} has the shape {shape}: expected one volume; a series in time, or vectors, is not")
        shape = (*shape, 1, 1)[:3]
        _refuse_claim(path, shape, dtype.itemsize, Path(path).stat().st_size)
        affine = RAS @ image.affine
        if not header["sform_code"] and not header["qform_code"]:
            affine = np.diag([*np.abs(header["pixdim"][1:4]), 1.0])
            affine[2, 2] = affine[2, 2] or 1  # of a file with two axes
        affine[:3] *= UNITS.get(header.get_xyzt_units()[0], 1)
        pixels, affine = cut_slice(image.dataobj.reshape(shape), affine, place, path)
    if pixels.dtype.kind == "f" and np.isfinite(pixels).any():
        pixels = np.where(np.isnan(pixels), pixels[np.isfinite(pixels)].min(), pixels)
    return pixels, Geometry(affine, measured=True, planar=len(image.shape) == 2)


def read_dicom(path, place=None):
    """A slice (H, W) of a DICOM file, or of the one series in a folder; its Geometry; and the window, or None.

    Rescaled as the file says, and turned over where small numbers mean white. The frames of a file, or the files of a
    series, are one volume, whose axes are (slice, row, column). Raises InputError as `read_picture`.
    """
    pydicom = _library("pydicom", path)
    with _reading(path):
        datasets = _series(pydicom, Path(path)) if Path(path).is_dir() else [pydicom.dcmread(path)]
        parts = [_frames(dataset, path) for dataset in datasets]
        shapes = {pixels.shape[1:] for pixels, _ in parts}
        if len(shapes) > 1:
            raise InputError(f"the slices in {path} have {len(shapes)} sizes: give a folder with slices of one size")
        order, affine, measured = _place_frames(datasets, [len(pixels) for pixels, _ in parts], path)
        volume = np.concatenate([pixels for pixels, _ in parts])[order]
        window = parts[len(parts) // 2][1]
        pixels, affine = cut_slice(volume, affine, place, path)
    return pixels, Geometry(affine, measured), window


def write_nifti(path, image, geometry):
    """Write an image (H, W) as a NIfTI volume of one slice, or in a plane; compressed where `path` ends in .gz.

    Integers stay what they are; floats become float32. Raises as `write_itk_field`.
    """
    image = np.asarray(image)
    dtype = {"f": np.float32, "b": np.uint8}.get(image.dtype.kind, image.dtype)
    _save_nifti(path, image.astype(dtype).T if geometry.planar else image.astype(dtype).T[..., None], geometry)


def write_itk_field(path, registration, pair=0):
    """Write the displacement field of a pair as NIfTI, as ITK, SimpleITK and ANTs read it: x -> x + field(x), in mm.

    At the point x of each pixel of the fixed image stands the vector to the point in the moving image, in LPS.
    It lies in space as the fixed image, and twice, in two slices, because ITK takes a single slice of vectors for a
    plane without space. Where both images are such planes the field is one too, with vectors (x, y); for images that
    are measured by nothing (PNG, NumPy), pixels are 1 mm wide, and the first is at 0.

    `registration` is a `Registration`. Raises InputError without nibabel, OSError as `atomic_write`.
    """
    fixed, moving = registration.fixed, registration.moving
    field = registration.displacement[pair].swapaxes(0, 1).astype(np.float32, copy=False)  # (W, H, 2)
    planar = all(geometry.planar or not geometry.measured for geometry in (fixed, moving))
    axes = 2 if planar else 3
    # moving.to_mm(p + u) - fixed.to_mm(p), but what is large in both is taken away before it is rounded to float32
    apart = (moving.affine - fixed.affine)[:axes]
    down, across = (np.arange(n)[:, None] * apart[:, axis] for axis, n in ((0, field.shape[1]), (1, field.shape[0])))
    vectors = field @ moving.affine[:axes, :2].T.astype(np.float32)
    vectors += down.astype(np.float32)
    vectors += (across + apart[:, 3]).astype(np.float32)[:, None]
    vectors = vectors[:, :, None, None]
    _save_nifti(path, vectors if planar else np.repeat(vectors, 2, axis=2), fixed, intent=DISPLACEMENTS)


def write_dicom(path, image, geometry):
    """Write an image (H, W) as a new DICOM file: pixels of 16 bits, their slope and intercept, geometry, random UIDs.

    Everything about a patient or an examination is left empty. Raises InputError without pydicom, OSError as
    `atomic_write`.
    """
    pydicom = _library("pydicom", path, "writing")
    image = np.asarray(image, np.float64)
    low, high, most = image.min(), image.max(), np.iinfo(np.uint16).max
    if (image == image.round()).all() and high - low <= most:
        slope, intercept = 1.0, 0.0 if low >= 0 and high <= most else low
    else:  # as many digits as the format has room for
        slope, intercept = float(f"{(high - low) / most:.10g}") or 1.0, float(f"{low:.10g}")
    row, column = (geometry.affine[:3, axis] / geometry.spacing[axis] for axis in (0, 1))

    dataset = pydicom.Dataset()
    for empty in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
                  "AccessionNumber", "ReferringPhysicianName", "SeriesNumber", "InstanceNumber"):  # fmt: skip
        setattr(dataset, empty, None)  # must be there, may be empty
    uid = lambda: pydicom.uid.generate_uid(prefix=None)  # 2.25 and a random number
    dataset.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid(), uid(), uid()
    dataset.Modality, dataset.ConversionType = "OT", "WSD"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = image.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = slope, intercept, "US"
    if geometry.measured:
        text = lambda numbers: [f"{number:.9g}" for number in numbers]
        dataset.PixelSpacing = dataset.NominalScannedPixelSpacing = text(geometry.spacing)
        dataset.ImageOrientationPatient = text([*column, *row])
        dataset.ImagePositionPatient = text(geometry.affine[:3, 3])
        dataset.SliceThickness = f"{np.linalg.norm(geometry.affine[:3, 2]):.9g}"
        dataset.FrameOfReferenceUID = uid()
    dataset.PixelData = ((image - intercept) / slope).round().clip(0, most).astype("<u2").tobytes()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    with atomic_write(path) as file:
        pydicom.dcmwrite(file, dataset, enforce_file_format=True)


# What the functions above share


def _library(name, path, doing="reading"):
    try:
        return importlib.import_module(name)
    except ImportError:
        raise InputError(f"{doing} {path} needs {name}: python -m pip install 'minireg[medical]'") from None


@contextmanager
def _reading(path):
    """Within the block every error is an InputError, which quotes nothing that is in the file, and no warning is shown.

    What libraries say when they meet a strange value contains that value, be it the name of a patient.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise InputError(f"{path} cannot be read as an image: it is damaged or of another format ({kind})") from None


def _refuse_claim(path, shape, itemsize, available):
    """Raise InputError, before any memory is taken, where a header claims more than its file can unpack to."""
    claimed = np.prod(shape, dtype=float) * itemsize
    if not 0 < claimed <= max(MOST_EXPANSION * available, HARMLESS):
        raise InputError(f"{path} claims {' x '.join(map(str, shape))} voxels, which it cannot hold: it is damaged")


def _save_nifti(path, voxels, geometry, intent=None):
    """Write an array (column, row, slice, ...) that lies as `geometry` says."""
    nibabel = _library("nibabel", path, "writing")
    affine = RAS @ geometry.affine[:, [1, 0, 2, 3]]
    image = nibabel.Nifti1Image(voxels, affine, dtype=voxels.dtype)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm")
    if intent is not None:
        image.header.set_intent(intent)
    data = image.to_bytes()
    with atomic_write(path) as file:
        file.write(gzip.compress(data, COMPRESSION, mtime=0) if str(path).lower().endswith(".gz") else data)


# DICOM


def _series(pydicom, folder):
    """The data sets of the one series in a folder. Raises InputError where there is none, or more."""
    found = {}
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SeriesInstanceUID", "Rows"])
        except pydicom.errors.InvalidDicomError:
            continue  # of another kind
        if "Rows" in header:
            found.setdefault(header.get("SeriesInstanceUID"), []).append(path)
    if len(found) != 1:
        series = "; ".join(f"{len(paths)} files such as {paths[0].name}" for paths in found.values())
        what = f"{len(found)} series ({series}): give each a folder of its own" if found else "no DICOM images"
        raise InputError(f"the folder {folder} holds {what}")
    return [pydicom.dcmread(path) for path in next(iter(found.values()))]


def _value(dataset, keyword, frame=0):
    """An element of a data set, be it said of all frames, or of this one; None where there is none."""
    places = [dataset]
    for groups, index in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        for group in dataset.get(groups, [])[index : index + 1]:
            places += [item for element in group if element.VR == "SQ" for item in element.value[:1]]
    values = (place.get(keyword) for place in places)
    return next((value for value in values if value is not None and value != ""), None)


def _numbers(dataset, keyword, count, frame=0, default=None):
    """The first `count` numbers of an element, (count,) float64; `default` where there are none."""
    value = _value(dataset, keyword, frame)
    numbers = np.array([] if value is None else value, np.float64).reshape(-1)
    return numbers[:count] if len(numbers) >= count and np.isfinite(numbers).all() else default


def _frames(dataset, path):
    """The frames of a data set, (F, H, W), rescaled, bright where much is; and its window (low, high), or None."""
    kind = dataset.get("PhotometricInterpretation")
    names = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
    stored = next((dataset[name].value for name in names if name in dataset), None)
    if stored is None or "Rows" not in dataset:
        raise InputError(f"{path} holds no image: expected DICOM pixels")
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise InputError(f"{path} is in colour: expected one number for each pixel")
    shape = (int(dataset.get("NumberOfFrames") or 1), dataset.Rows, dataset.Columns)
    _refuse_claim(path, shape, dataset.BitsAllocated / 8, len(stored))
    try:
        frames = dataset.pixel_array.reshape(shape)
    except Exception:
        syntax = dataset.file_meta.TransferSyntaxUID
        if not syntax.is_compressed:
            raise
        raise InputError(
            f"the pixels of {path} are compressed ({syntax.name}), and cannot be unpacked: they are damaged, or need "
            "python -m pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg"
        ) from None

    total = 0
    if kind == "MONOCHROME1":  # the least number that can be stored becomes the largest
        total = 2**dataset.BitsStored - 1 if dataset.PixelRepresentation == 0 else -1
        frames = frames.dtype.type(total) - frames
    slope, intercept = (
        np.array([_numbers(dataset, keyword, 1, frame, [default]) for frame in range(len(frames))])[:, :, None]
        for keyword, default in (("RescaleSlope", 1), ("RescaleIntercept", 0))
    )
    if (slope != 1).any() or (intercept != 0).any():
        frames = frames * slope + intercept
    centre, width = (_numbers(dataset, f"Window{what}", 1) for what in ("Center", "Width"))
    if centre is None or width is None or width[0] <= 1:
        return frames, None
    if kind == "MONOCHROME1":
        centre = slope[0, 0] * total + 2 * intercept[0, 0] + 1 - centre
    return frames, (float(centre[0] - width[0] / 2), float(centre[0] + width[0] / 2 - 1))


def _place_frames(datasets, counts, path):
    """The order of all frames along their normal; the affine of the volume (slice, row, column), in LPS; if measured.

    Source: DICOM PS3.3, C.7.6.2.1.1, equation C.7.6.2.1-1.
    """
    first = datasets[0]
    spacing = _numbers(first, "PixelSpacing", 2)
    spacing = _numbers(first, "ImagerPixelSpacing", 2) if spacing is None else spacing
    if spacing is None or spacing.min() <= 0:
        return np.arange(sum(counts)), np.eye(4)[:, [2, 1, 0, 3]], False
    frames = [(dataset, frame) for dataset, count in zip(datasets, counts, strict=True) for frame in range(count)]
    cosines, positions = (
        np.array([_numbers(dataset, keyword, len(default), frame, default) for dataset, frame in frames])
        for keyword, default in (
            ("ImageOrientationPatient", [1, 0, 0, 0, 1, 0]),
            ("ImagePositionPatient", [0, 0, 0]),
        )
    )
    if np.abs(cosines - cosines[0]).max() > PARALLEL:
        raise InputError(
            f"the slices in {path} lie in different directions: give a folder with one volume, or one file"
        )
    along_columns, along_rows = cosines[0, :3], cosines[0, 3:]
    normal = np.cross(along_columns, along_rows)
    order = np.argsort(positions @ normal, kind="stable")
    if len(datasets) == 1 and not np.ptp(positions, axis=0).any():
        thickness = (_numbers(first, name, 1, default=[0])[0] for name in ("SpacingBetweenSlices", "SliceThickness"))
        step = normal * next((abs(distance) for distance in thickness if distance), 1)
    else:
        gaps = np.diff((positions @ normal)[order])
        if gaps.min() <= 0 or np.ptp(gaps) > UNEVEN * gaps.mean():
            raise InputError(
                f"the slices in {path} are {gaps.min():.4g} to {gaps.max():.4g} mm apart: some are missing, or "
                "several lie at one place; give one file, or a folder with one volume"
            )
        step = (positions[order[-1]] - positions[order[0]]) / (len(order) - 1)
    columns = [step, along_rows * spacing[0], along_columns * spacing[1], positions[order[0]]]
    return order, np.vstack([np.column_stack(columns), [0, 0, 0, 1]]), True

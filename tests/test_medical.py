"""NIfTI and DICOM: what is read lies where nibabel, pydicom and ITK say, what is written too, and says nothing more."""

import gzip
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest

nibabel = pytest.importorskip("nibabel")
pydicom = pytest.importorskip("pydicom")
sitk = pytest.importorskip("SimpleITK")

from minireg import register  # noqa: E402
from minireg.data.geometry import Geometry  # noqa: E402
from minireg.data.images import read_intensities, read_label_picture, read_picture, write_image  # noqa: E402
from minireg.data.medical import write_itk_field  # noqa: E402
from minireg.data.saved import Registration, load_registration, save_registration  # noqa: E402
from minireg.errors import InputError  # noqa: E402
from minireg.fields import warp_images  # noqa: E402

RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
TURNS = [*itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3))]  # 48 orientations


def rotation(*degrees):
    """About the three axes, one after the other."""
    result = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        turn = np.eye(3)
        others = np.ix_(*2 * [[i for i in range(3) if i != axis]])
        turn[others] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        result = turn @ result
    return result


def affine_ras(spacing=(1, 1, 1), origin=(-20, 30, 10), turned=(0, 0, 0)):
    return np.vstack([np.column_stack([rotation(*turned) @ np.diag(spacing), origin]), [0, 0, 0, 1]])


def anatomy(points):
    """An intensity for each point (..., 3) in mm: something smooth that looks different from all sides."""
    x, y, z = np.moveaxis(np.asarray(points), -1, 0)
    return 300 + 100 * (np.sin(x / 9 + y / 31) + np.cos(y / 7 - z / 19) + np.sin(z / 11 + x / 23))


def where(shape, affine):
    """The places (*shape, 3) of all voxels."""
    return np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]


def save_nifti(path, shape, affine, content=anatomy, dtype=np.float32):
    nibabel.save(nibabel.Nifti1Image(content(where(shape, affine)).astype(dtype), affine), path)


def stored_otherwise(image, axes, signs):
    """The same NIfTI image with its axes in another order, and turned round where the sign is -1."""
    start = nibabel.orientations.axcodes2ornt("RAS")
    return image.as_reoriented(nibabel.orientations.ornt_transform(start, np.column_stack([axes, signs]).astype(float)))


def smooth_field(fixed_shape, moving_shape, bend=1.5):
    """A displacement (1, H, W, 2) that stretches the one grid over the other, and bends it by so many pixels."""
    pixels = np.moveaxis(np.indices(fixed_shape), 0, -1)
    rows, columns = np.moveaxis(pixels, -1, 0)
    there = pixels * (np.array(moving_shape) - 1) / (np.array(fixed_shape) - 1)
    bent = np.stack([np.sin(columns / 5 + 1), np.cos(rows / 6 - columns / 9)], axis=-1)
    return (there + bend * bent - pixels)[None].astype(np.float32)


def dicom(path, pixels, position=(0, 0, 0), cosines=(1, 0, 0, 0, 1, 0), spacing=(1, 1), **elements):
    """Write a small MR file; elements may be set, or left out with None."""
    dataset = pydicom.Dataset()
    pixels = np.asarray(pixels)
    standard = {
        "SOPClassUID": pydicom.uid.MRImageStorage, "SOPInstanceUID": pydicom.uid.generate_uid(),
        "SeriesInstanceUID": "1.2.3", "Modality": "MR", "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "Rows": pixels.shape[-2], "Columns": pixels.shape[-1],
        "BitsAllocated": 8 * pixels.itemsize, "BitsStored": 8 * pixels.itemsize, "HighBit": 8 * pixels.itemsize - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"), "PixelSpacing": list(spacing),
        "ImagePositionPatient": list(position), "ImageOrientationPatient": list(cosines),
        "PixelData": pixels.tobytes(), "NumberOfFrames": len(pixels) if pixels.ndim == 3 else None,
    }  # fmt: skip
    for keyword, value in (standard | elements).items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path


def series(folder, affine, shape, names, **elements):
    """A DICOM series of the anatomy, one file for each slice; the affine is of (slice, row, column), in LPS."""
    folder.mkdir()
    volume = anatomy(where(shape, affine)).astype(np.uint16)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    slice_axis, row, column = affine[:3, :3].T
    for index, (name, pixels) in enumerate(zip(names, volume, strict=True)):
        cosines = [*(column / spacing[2]), *(row / spacing[1])]
        dicom(folder / name, pixels, affine[:3, 3] + index * slice_axis, np.round(cosines, 8), spacing[1:], **elements)
    return folder


# Where the pixels lie


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("axes, signs", TURNS[::5])
@pytest.mark.parametrize("turned", [(0, 0, 0), (12, -20, 8)])
def test_every_pixel_of_a_slice_lies_where_its_geometry_says(tmp_path, plane, axes, signs, turned):
    affine = affine_ras((1.5, 2, 2.5), turned=turned)[:, [*axes, 3]] * [*signs, 1]
    save_nifti(tmp_path / "head.nii", (7, 8, 9), affine)
    picture = read_picture(tmp_path / "head.nii", f"{plane}:3")
    pixels = np.moveaxis(np.indices(picture.images.shape[1:3]), 0, -1)
    expected = anatomy(picture.geometry.to_mm(pixels) @ RAS[:3, :3])
    np.testing.assert_allclose(picture.images[0, ..., 0], expected, rtol=1e-5)


def test_a_volume_stored_in_any_of_48_orientations_gives_the_same_picture(tmp_path):
    save_nifti(tmp_path / "head.nii", (7, 8, 9), affine_ras((1, 2, 3), turned=(5, 9, -7)))
    image = nibabel.load(tmp_path / "head.nii")
    expected = read_picture(
        tmp_path / "head.nii", "axial:4"
    )  # the middle slice, whose index is the same from both ends
    for axes, signs in TURNS:
        nibabel.save(stored_otherwise(image, axes, signs), tmp_path / "turned.nii")
        picture = read_picture(tmp_path / "turned.nii", "axial:4")
        np.testing.assert_array_equal(picture.images, expected.images)
        np.testing.assert_allclose(picture.geometry.affine, expected.geometry.affine, atol=1e-4)


def test_radiologists_see_posterior_or_inferior_below_and_left_or_posterior_at_the_right(tmp_path):
    volume = np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)  # to the right, anterior, superior
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([1, 2, 3, 1])), tmp_path / "head.nii")
    seen = lambda place: read_picture(tmp_path / "head.nii", place).images[0, ..., 0]
    np.testing.assert_array_equal(seen("axial:2"), volume[::-1, ::-1, 2].T)
    np.testing.assert_array_equal(seen("coronal:-1"), volume[::-1, 4, ::-1].T)
    np.testing.assert_array_equal(seen("sagittal:1"), volume[1, ::-1, ::-1].T)
    np.testing.assert_array_equal(seen("0:1"), seen("sagittal:1"))
    assert read_picture(tmp_path / "head.nii", "sagittal:1").geometry.spacing == (3, 2)


def test_a_series_is_sorted_along_its_normal_and_gives_what_itk_makes_of_it(tmp_path):
    affine = np.vstack([np.column_stack([rotation(10, -15, 5) @ np.diag([1.2, 0.8, 3])[:, ::-1], [-9, 4, 50]]),
                        [0, 0, 0, 1]])  # fmt: skip
    folder = series(tmp_path / "mr", affine, (5, 12, 10), ["e", "a.dcm", "c", "d", "b.dcm"])
    (folder / "notes.txt").write_text("no image")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    sitk.WriteImage(reader.Execute(), str(tmp_path / "itk.nii"))
    for plane in ("axial", "coronal", "sagittal"):
        ours, itk = read_picture(folder, f"{plane}:2"), read_picture(tmp_path / "itk.nii", f"{plane}:2")
        np.testing.assert_array_equal(ours.images, itk.images)
        np.testing.assert_allclose(ours.geometry.affine, itk.geometry.affine, atol=1e-3)


@pytest.mark.parametrize("unit", ["mm", "meter", "micron"])
@pytest.mark.parametrize("oriented", [True, False])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 1, 1), (1, 4, 5)])
def test_a_single_slice_lies_where_itk_has_it_whatever_its_header_leaves_out(tmp_path, shape, oriented, unit):
    numbers = np.arange(20, dtype=np.float32).reshape(shape)  # each once
    affine = affine_ras((2, 3, 4))
    image = nibabel.Nifti1Image(numbers, affine if oriented else None)
    image.header.set_zooms((2, 3, 4, 1)[: len(shape)])
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "slice.nii")
    picture, itk = read_picture(tmp_path / "slice.nii"), sitk.ReadImage(str(tmp_path / "slice.nii"))
    for index in np.ndindex(itk.GetSize()):
        pixel = np.argwhere(picture.images[0, ..., 0] == itk[index])[0]
        there = itk.TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose(picture.geometry.to_mm(pixel)[: len(there)], there, rtol=1e-5)


# Displacement fields for ITK


def resampled_by_itk(moving, fixed, field, path):
    """What SimpleITK makes of the moving image with the field, on the grid of the fixed one, written to `path`."""
    field = sitk.DisplacementFieldTransform(sitk.Cast(sitk.ReadImage(str(field)), sitk.sitkVectorFloat64))
    moving, fixed = (sitk.Cast(sitk.ReadImage(str(name)), sitk.sitkFloat32) for name in (moving, fixed))
    warped = sitk.Resample(moving, fixed, field, sitk.sitkLinear)
    sitk.WriteImage(warped, str(path))
    return sitk.GetArrayFromImage(warped)


def assert_alike_inside(ours, theirs, moving, displacement):
    """Equal to a thousandth of the range wherever the moving image is asked inside of it."""
    there = np.moveaxis(np.indices(ours.shape), 0, -1) + displacement
    inside = ((there >= 0) & (there <= np.array(moving.shape[1:3]) - 1)).all(axis=-1)
    assert inside.mean() > 0.5
    assert np.abs(ours - theirs)[inside].max() < 1e-3 * np.ptp(moving)


VOLUMES = {
    "spacing": (affine_ras((1, 1.5, 4)), affine_ras((2, 0.8, 3), (-25, 31, 9))),
    "flipped": (affine_ras()[:, [0, 1, 2, 3]] * [-1, 1, -1, 1], affine_ras((2, 2, 2)) * [1, -1, 1, 1]),
    "permuted": (affine_ras((1, 2, 1))[:, [2, 0, 1, 3]], affine_ras((1, 1, 2))[:, [1, 2, 0, 3]]),
    "oblique": (affine_ras((1, 2, 1), turned=(20, -10, 30)), affine_ras((1.5, 1, 2), turned=(-15, 25, 5))),
}


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("kind", VOLUMES)
def test_itk_warps_a_nifti_volume_by_the_written_field_as_we_do(tmp_path, kind, plane):
    moving_affine, fixed_affine = VOLUMES[kind]
    save_nifti(tmp_path / "moving.nii.gz", (24, 25, 26), moving_affine)
    save_nifti(tmp_path / "fixed.nii.gz", (20, 21, 22), fixed_affine)
    moving = read_picture(tmp_path / "moving.nii.gz", f"{plane}:11")
    fixed = read_picture(tmp_path / "fixed.nii.gz", f"{plane}:9")
    displacement = smooth_field(fixed.images.shape[1:3], moving.images.shape[1:3])
    registration = Registration(displacement, moving.images.shape[1:3], fixed.geometry, moving.geometry)
    write_itk_field(tmp_path / "field.nii.gz", registration)
    resampled_by_itk(tmp_path / "moving.nii.gz", tmp_path / "fixed.nii.gz", tmp_path / "field.nii.gz",
                     tmp_path / "itk.nii")  # fmt: skip
    itk = read_picture(tmp_path / "itk.nii", f"{plane}:9").images[0, ..., 0]
    ours = warp_images(moving.images, displacement)[0, ..., 0]
    assert_alike_inside(ours, itk, moving.images, displacement[0])


def test_itk_warps_png_files_by_the_written_field_as_we_do(tmp_path):
    for name, shape in (("moving", (40, 30)), ("fixed", (34, 37))):
        pixels = anatomy(np.pad(np.moveaxis(np.indices(shape), 0, -1), ((0, 0), (0, 0), (0, 1))))
        write_image(tmp_path / f"{name}.png", (pixels / 3).astype(np.uint8), Geometry())
    moving, displacement = read_picture(tmp_path / "moving.png").images, smooth_field((34, 37), (40, 30))
    write_itk_field(tmp_path / "field.nii.gz", Registration(displacement, (40, 30)))
    itk = resampled_by_itk(tmp_path / "moving.png", tmp_path / "fixed.png", tmp_path / "field.nii.gz",
                           tmp_path / "itk.nii")  # fmt: skip
    ours = warp_images(moving.astype(np.float32), displacement)[0, ..., 0]
    assert_alike_inside(ours, itk, moving, displacement[0])


def test_itk_warps_nifti_files_in_a_plane_by_the_written_field_as_we_do(tmp_path):
    for name, shape, spacing, turned in (("moving", (40, 30), (1, 2), 20), ("fixed", (34, 37), (1.5, 0.8), -10)):
        image = sitk.GetImageFromArray(anatomy(np.moveaxis(np.indices((3, *shape)), 0, -1))[1].astype(np.float32))
        image.SetSpacing(spacing)
        image.SetDirection(rotation(0, 0, turned)[:2, :2].ravel())
        image.SetOrigin((5, -7))
        sitk.WriteImage(image, str(tmp_path / f"{name}.nii"))
    moving, fixed = (read_picture(tmp_path / f"{name}.nii") for name in ("moving", "fixed"))
    displacement = smooth_field((34, 37), (40, 30))
    write_itk_field(tmp_path / "field.nii.gz", Registration(displacement, (40, 30), fixed.geometry, moving.geometry))
    itk = resampled_by_itk(tmp_path / "moving.nii", tmp_path / "fixed.nii", tmp_path / "field.nii.gz",
                           tmp_path / "itk.nii")  # fmt: skip
    ours = warp_images(moving.images, displacement)[0, ..., 0]
    assert_alike_inside(ours, itk, moving.images, displacement[0])
    write_image(tmp_path / "warped.nii", ours, fixed.geometry)
    written, expected = (sitk.ReadImage(str(tmp_path / f"{name}.nii")) for name in ("warped", "fixed"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written), ours)
    np.testing.assert_allclose(written.GetDirection(), expected.GetDirection(), atol=1e-6)
    np.testing.assert_allclose(written.GetOrigin(), expected.GetOrigin(), atol=1e-5)


def nearly_sagittal_dicom_files(folder):
    for name, turned, spacing in (("moving", (10, 80, 5), (1.5, 0.75)), ("fixed", (5, 95, 0), (1, 2))):
        column, row, _ = rotation(*turned).T
        places = where((30, 28, 1), np.column_stack([row * spacing[0], column * spacing[1], [0, 0, 0], [-8, 5, 31]]))
        pixels = anatomy(places)[:, :, 0].astype(np.int16)
        dicom(folder / f"{name}.dcm", pixels, (-8, 5, 31), np.round([*column, *row], 9), spacing)
    return folder / "moving.dcm", folder / "fixed.dcm"


def files_of_scanners(folder):
    """A CT and an MR slice that come with pydicom."""
    return [pydicom.data.get_testdata_file(name, download=False) for name in ("CT_small.dcm", "MR_small.dcm")]


@pytest.mark.parametrize("paths", [nearly_sagittal_dicom_files, files_of_scanners])
def test_itk_warps_dicom_files_by_the_written_field_as_we_do(tmp_path, paths):
    paths = paths(tmp_path)
    moving, fixed = (read_picture(path) for path in paths)
    displacement = smooth_field(fixed.images.shape[1:3], moving.images.shape[1:3])
    registration = Registration(displacement, moving.images.shape[1:3], fixed.geometry, moving.geometry)
    write_itk_field(tmp_path / "field.nii.gz", registration)
    resampled_by_itk(*paths, tmp_path / "field.nii.gz", tmp_path / "itk.nii")
    itk = read_picture(tmp_path / "itk.nii").images[0, ..., 0]
    ours = warp_images(moving.images, displacement)[0, ..., 0]
    assert_alike_inside(ours, itk, moving.images, displacement[0])


# Intensities


def test_a_scaled_nifti_file_is_read_in_its_own_unit_and_nan_as_the_least_number(tmp_path):
    values = np.arange(24).reshape(4, 6, 1) * 0.5 - 3
    image = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(4, 6, 1), np.eye(4))
    data = bytearray(image.to_bytes())
    data[112:120] = np.array([0.5, -3], "<f4").tobytes()  # scl_slope and scl_inter, which nibabel sets by itself
    (tmp_path / "scaled.nii").write_bytes(data)
    picture = read_picture(tmp_path / "scaled.nii")
    assert picture.images.dtype == np.float32
    np.testing.assert_array_equal(picture.images[0, ..., 0], values[::-1, ::-1, 0].T)
    values[2, 3] = np.nan
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "nan.nii")
    expected = np.where(np.isnan(values), -3, values)
    np.testing.assert_array_equal(read_picture(tmp_path / "nan.nii").images[0, ..., 0], expected[::-1, ::-1, 0].T)


@pytest.mark.parametrize("dtype", ["u1", "u2", ">u2"])
def test_numbers_of_8_and_16_bits_stay_what_they_are(tmp_path, dtype):
    pixels = np.arange(12, dtype=dtype).reshape(3, 4)
    nibabel.save(nibabel.Nifti1Image(pixels[..., None], np.diag([-1, -1, 1, 1])), tmp_path / "head.nii")
    np.save(tmp_path / "head.npy", pixels.T)
    for name in ("head.nii", "head.npy"):
        images = read_picture(tmp_path / name).images
        assert images.dtype == np.dtype(dtype).newbyteorder("=")
        np.testing.assert_array_equal(images[0, ..., 0], pixels.T)


def test_a_dicom_file_is_rescaled_and_has_its_first_window(tmp_path):
    pixels = np.arange(12, dtype=np.int16).reshape(3, 4)
    path = dicom(tmp_path / "ct.dcm", pixels, RescaleSlope="2", RescaleIntercept="-10", WindowCenter=["3", "40"],
                 WindowWidth=["9", "400"])  # fmt: skip
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.images[0, ..., 0], 2 * pixels - 10)
    assert picture.window == (-1.5, 6.5)  # DICOM PS3.3, C.11.2.1.2.1: white from centre - .5 + (width - 1) / 2
    np.testing.assert_array_equal(picture.compared[0, ..., 0], np.clip(2 * pixels - 10, -1.5, 6.5))


@pytest.mark.parametrize("signed", [False, True])
def test_a_file_in_which_small_numbers_are_white_is_turned_over_with_its_window(tmp_path, signed):
    pixels = np.array([[0, 1], [100, 4095]], np.int16 if signed else np.uint16)
    stored = -1 - pixels if signed else 4095 - pixels
    elements = {"BitsStored": 12, "HighBit": 11, "WindowCenter": "50.5", "WindowWidth": "100"}
    plain = read_picture(dicom(tmp_path / "plain.dcm", pixels, **elements))
    elements["WindowCenter"] = str((-1 if signed else 4095) + 1 - 50.5)
    turned = dicom(tmp_path / "turned.dcm", stored.astype(pixels.dtype), PhotometricInterpretation="MONOCHROME1",
                   **elements)  # fmt: skip
    np.testing.assert_array_equal(read_picture(turned).images, plain.images)
    assert read_picture(turned).window == plain.window == (0.5, 99.5)


def test_an_enhanced_file_with_many_frames_is_a_volume_in_the_order_of_its_positions(tmp_path):
    volume = np.random.default_rng(0).integers(0, 1000, (3, 4, 5), dtype=np.uint16)
    group = pydicom.Dataset
    shared, measures, orientation, scale = group(), group(), group(), group()
    measures.PixelSpacing, scale.RescaleSlope, scale.RescaleIntercept = [2, 3], "2", "-5"
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    shared.PixelValueTransformationSequence = [scale]
    frames = [group() for _ in range(3)]
    for frame, height in zip(frames, (8, 12, 4), strict=True):
        frame.PlanePositionSequence = [group()]
        frame.PlanePositionSequence[0].ImagePositionPatient = [1, 2, height]
    path = dicom(tmp_path / "enhanced", volume, PixelSpacing=None, ImagePositionPatient=None,
                 ImageOrientationPatient=None, SharedFunctionalGroupsSequence=[shared],
                 PerFrameFunctionalGroupsSequence=frames)  # fmt: skip
    picture = read_picture(path, "axial:0")
    np.testing.assert_array_equal(picture.images[0, ..., 0], volume[2] * 2.0 - 5)
    np.testing.assert_array_equal(picture.geometry.affine[:3], [[0, 3, 0, 1], [2, 0, 0, 2], [0, 0, 4, 4]])
    np.testing.assert_array_equal(read_picture(path, "1:3").images[0, ..., 0], volume[[1, 0, 2], 3] * 2.0 - 5)


def test_a_dicom_file_without_position_or_spacing_is_read_as_it_is(tmp_path):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    nothing = {"PixelSpacing": None, "ImagePositionPatient": None, "ImageOrientationPatient": None}
    plain = read_picture(dicom(tmp_path / "a.dcm", pixels, **nothing))
    film = read_picture(dicom(tmp_path / "b.dcm", pixels, **nothing, ImagerPixelSpacing=[0.1, 0.2]))
    for picture, spacing, measured in ((plain, (1, 1), False), (film, (0.1, 0.2), True)):
        np.testing.assert_array_equal(picture.images[0, ..., 0], pixels)
        assert picture.geometry.spacing == spacing and picture.geometry.measured == measured


def test_whole_numbers_that_are_stored_as_floats_are_labels_and_others_are_not(tmp_path):
    labels = np.array([[0.0, 1, 300], [7, 0, 2]])
    save = lambda array: nibabel.save(
        nibabel.Nifti1Image(array[..., None], np.diag([-1, -1, 1, 1])), tmp_path / "l.nii"
    )
    save(labels)
    found = read_label_picture(tmp_path / "l.nii").images
    assert found.dtype.kind == "i"
    np.testing.assert_array_equal(found[0, ..., 0], labels.T)
    for bad in (labels / 2, -labels, np.where(labels > 2, np.inf, labels)):
        save(bad)
        with pytest.raises(InputError, match="expected label maps, whole numbers from 0"):
            read_label_picture(tmp_path / "l.nii")


# What is written


@pytest.mark.parametrize("name", ["slice.nii", "slice.nii.gz", "slice.dcm"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64])
def test_a_written_slice_lies_for_itk_where_the_fixed_image_lies_and_has_its_numbers(tmp_path, name, dtype):
    save_nifti(tmp_path / "head.nii", (12, 11, 10), affine_ras((1, 2, 3), turned=(8, 20, -5)))
    fixed = read_picture(tmp_path / "head.nii", "coronal:4")
    image = (fixed.images[0, ..., 0] - (200 if np.dtype(dtype).kind in "if" else 0)).clip(-200, 250).astype(dtype)
    write_image(tmp_path / name, image, fixed.geometry)
    itk = sitk.ReadImage(str(tmp_path / name))
    np.testing.assert_allclose(sitk.GetArrayFromImage(itk)[0], image, atol=0.01 * (np.dtype(dtype).kind == "f"))
    for row, column in ((0, 0), (9, 0), (0, 11), (5, 7)):
        there = itk.TransformIndexToPhysicalPoint((column, row, 0))
        np.testing.assert_allclose(there, fixed.geometry.to_mm(np.array([row, column])), atol=1e-3)
    again = read_picture(tmp_path / name)
    np.testing.assert_allclose(again.images[0, ..., 0], image, atol=0.01 * (np.dtype(dtype).kind == "f"))
    np.testing.assert_allclose(again.geometry.affine[:3, [0, 1, 3]], fixed.geometry.affine[:3, [0, 1, 3]], atol=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_png_keeps_its_bit_depth_when_it_is_read_and_written(tmp_path, dtype):
    white = 1 if dtype is np.float32 else np.iinfo(dtype).max
    ramp = np.linspace(0, 1, 12).reshape(3, 4)
    image = (ramp if white == 1 else (white * ramp).round()).astype(dtype)
    write_image(tmp_path / "image.png", image, Geometry())
    again = read_picture(tmp_path / "image.png").images[0, ..., 0]
    assert again.dtype == (np.uint8 if dtype is np.float32 else dtype)
    np.testing.assert_array_equal(again, (image * 255).round() if dtype is np.float32 else image)
    np.testing.assert_allclose(read_intensities(tmp_path / "image.png")[0, ..., 0], ramp, atol=0.003)


@pytest.mark.parametrize("image", [np.full((3, 4), 1.5), np.arange(4), np.zeros((2, 3, 5), np.uint8), np.eye(3) > 0])
def test_what_a_png_cannot_hold_is_refused(tmp_path, image):
    with pytest.raises(InputError, match="expected one image of uint8, uint16, or floats in"):
        write_image(tmp_path / "image.png", image, Geometry())
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="expected a name that ends in"):
        write_image(tmp_path / "image.jpg", image, Geometry())


def test_nothing_of_a_patient_is_in_what_is_written_or_said(tmp_path, capfd):
    """Every element that holds text holds invented words; no file and no message may contain one."""
    secret = "Zyxwvut"
    elements = {"StudyInstanceUID": "1.2.840.99.7777.1", "FrameOfReferenceUID": "1.2.840.99.7777.2",
                "SeriesInstanceUID": "1.2.840.99.7777.3", "SOPInstanceUID": "1.2.840.99.7777.4"}  # fmt: skip
    texts = {"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UT"}
    for tag, (vr, _, _, _, keyword) in pydicom.datadict.DicomDictionary.items():
        if tag >> 16 < 8:  # of messages and of the file itself
            continue
        if vr in texts and keyword not in elements and not keyword.startswith("RescaleType"):
            elements[keyword] = secret
        if vr in ("DA", "DT"):
            elements[keyword] = "19770707"
    elements["PatientAge"] = "NOT AN AGE " + secret  # what pydicom would complain of, with the value
    pixels = np.random.default_rng(0).integers(0, 1000, (20, 24), dtype=np.uint16)
    with pytest.warns(UserWarning):
        path = dicom(tmp_path / "in.dcm", pixels, **elements)
    out = tmp_path / "out"
    assert register.main([str(path), str(path), "--out", str(out)]) == 0
    assert {name.name for name in out.iterdir()} >= {"registration.npz", "displacement.nii.gz", "warped.dcm"}
    picture = read_picture(path)
    for name in ("w.nii", "w.nii.gz", "w.png", "w.npy"):
        write_image(out / name, picture.images[0, ..., 0], picture.geometry)
    damaged = tmp_path / "damaged.dcm"
    damaged.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError) as refused:
        read_picture(damaged)
    said = "".join(capfd.readouterr()) + str(refused.value)
    contents = {name.name: name.read_bytes() for name in out.iterdir()} | {"said": said.encode()}
    contents |= {f"{name}, unpacked": gzip.decompress(data) for name, data in contents.items() if name.endswith(".gz")}
    for word in (secret, "19770707", "1.2.840.99.7777"):
        assert word.encode() in path.read_bytes()
        assert [name for name, data in contents.items() if word.encode() in data] == []


def test_a_saved_registration_comes_back_and_what_is_none_is_refused(tmp_path):
    path = tmp_path / "registration.npz"
    geometry = Geometry(affine_ras((2, 3, 4)), True)
    field = smooth_field((5, 6), (7, 8))
    save_registration(path, Registration(field, (7, 8), geometry, Geometry()), warped=field[..., 0])
    found = load_registration(path)
    np.testing.assert_array_equal(found.displacement, field)
    np.testing.assert_array_equal(found.fixed.affine, geometry.affine)
    assert (found.moving_shape, found.fixed.measured, found.moving.measured) == ((7, 8), True, False)
    good = dict(np.load(path))
    for broken in (
        {"displacement": field[0]},
        {"displacement": field * np.nan},
        {"moving_shape": np.array([7])},
        {"fixed_affine": np.eye(3)},
        {"fixed_affine": np.array(["a"], object)},
    ):
        np.savez(path, **good | broken)
        with pytest.raises(InputError, match=r"registration\.npz"):
            load_registration(path)
    with pytest.raises(InputError, match="there is no file"):
        load_registration(tmp_path / "nothing.npz")


# What cannot be used


@pytest.fixture
def files(tmp_path):
    """A folder with files of every kind, good and bad."""
    save_nifti(tmp_path / "volume.nii.gz", (7, 8, 9), affine_ras())
    save = lambda name, array, affine=None: nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / name)
    numbers = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    save("series.nii", np.zeros((3, 4, 5, 6), np.float32))
    save("colours.nii", np.zeros((3, 4, 1), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])))
    save("complex.nii", np.zeros((3, 4, 1), np.complex64))
    save("infinite.nii", np.array([[[0], [np.inf]]]))
    save("flat.nii", numbers, np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    save("sheared.nii", numbers, np.array([[1, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    (tmp_path / "cut.nii").write_bytes(b"".join([gzip.decompress((tmp_path / "volume.nii.gz").read_bytes())[:900]]))
    (tmp_path / "text.nii").write_text("no image")
    (tmp_path / "text.dcm").write_text("no image")
    (tmp_path / "image.tif").write_text("no image")
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "image.npy", np.eye(5))
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    dicom(tmp_path / "slice.dcm", pixels)
    dicom(tmp_path / "colours.dcm", pixels, PhotometricInterpretation="RGB", SamplesPerPixel=3)
    dicom(tmp_path / "report.dcm", pixels, Rows=None)
    affine = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1.0]])
    names = ["a.dcm", "b.dcm", "c.dcm", "d.dcm"]
    for folder in ("two", "gap", "turned", "sizes", "twice"):
        series(tmp_path / folder, affine, (4, 5, 6), names)
    dicom(tmp_path / "two" / "e.dcm", pixels, SeriesInstanceUID="1.2.4")
    (tmp_path / "gap" / "b.dcm").unlink()
    dicom(tmp_path / "turned" / "e.dcm", np.zeros((5, 6), np.uint16), (0, 0, 12), (0, 1, 0, 0, 0, 1))
    dicom(tmp_path / "sizes" / "e.dcm", pixels, (0, 0, 12))
    dicom(tmp_path / "twice" / "e.dcm", np.zeros((5, 6), np.uint16), (0, 0, 9))
    return tmp_path


REFUSED = [
    ("volume.nii.gz", None, r"7 \(sagittal\) x 8 \(coronal\) x 9 \(axial\) voxels: choose a slice .* axial:4"),
    ("volume.nii.gz", "axial:9", "has no slice axial:9: along that axis there are 9, 0 to 8"),
    ("volume.nii.gz", "0:-8", "has no slice 0:-8: along that axis there are 7"),
    ("volume.nii.gz", "up:1", "the slice 'up:1' is not AXIS:INDEX"),
    ("volume.nii.gz", "axial:", "is not AXIS:INDEX"),
    ("volume.nii.gz", "3:1", "is not AXIS:INDEX"),
    ("volume.nii.gz", "axial:1.5", "is not AXIS:INDEX"),
    ("image.npy", "axial:0", "is no volume: leave out the slice axial:0 .in register, --moving-slice"),
    ("slice.dcm", "axial:0", "is a single slice: leave out the slice axial:0 .in register, --moving-slice"),
    ("series.nii", "axial:0", "expected one volume"),
    ("colours.nii", None, "colours or complex numbers"),
    ("complex.nii", None, "colours or complex numbers"),
    ("infinite.nii", None, "NaN or infinite"),
    ("flat.nii", "axial:0", "does not say where its voxels lie"),
    ("sheared.nii", "axial:0", "rows are not perpendicular to columns"),
    ("cut.nii", "axial:8", "cannot be read as an image: it is damaged"),
    ("text.nii", None, "cannot be read as an image: it is damaged"),
    ("text.dcm", None, "cannot be read as an image: it is damaged"),
    ("image.tif", None, "is neither .png, .npy, .nii, .nii.gz nor DICOM: convert to PNG"),
    ("nothing.nii", None, "there is no image file"),
    ("empty", None, "holds no DICOM images"),
    ("colours.dcm", None, "is in colour"),
    ("report.dcm", None, "holds no image"),
    ("two", None, "holds 2 series .4 files such as a.dcm; 1 files such as e.dcm.: give each a folder"),
    ("gap", None, "are 3 to 6 mm apart: some are missing"),
    ("turned", None, "lie in different directions"),
    ("sizes", None, "have 2 sizes"),
    ("twice", None, "are 0 to 3 mm apart: some are missing, or several lie at one place"),
]


@pytest.mark.parametrize("name, place, message", REFUSED)
def test_what_cannot_be_read_is_refused_in_a_sentence(files, name, place, message):
    with pytest.raises(InputError, match=message):
        read_picture(files / name, place)


@pytest.mark.parametrize("name, library", [("volume.nii.gz", "nibabel"), ("slice.dcm", "pydicom"), ("two", "pydicom")])
def test_a_missing_library_is_named_with_what_to_install(files, monkeypatch, name, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError, match=rf"{name} needs {library}: python -m pip install 'minireg\[medical\]'"):
        read_picture(files / name)


def test_a_header_that_claims_a_trillion_voxels_is_refused_before_memory_is_taken(tmp_path):
    header = nibabel.Nifti2Header()
    header.set_data_shape((10**4, 10**4, 10**4))
    header["vox_offset"], header["magic"] = 544, b"n+2"
    data = header.binaryblock + bytes(1000)
    (tmp_path / "huge.nii").write_bytes(data)
    (tmp_path / "huge.nii.gz").write_bytes(gzip.compress(data))
    dicom(tmp_path / "huge.dcm", np.zeros((2, 3), np.uint8), Rows=60000, Columns=60000, NumberOfFrames=300)
    for name in ("huge.nii", "huge.nii.gz", "huge.dcm"):
        with pytest.raises(InputError, match=r"claims .* voxels, which it cannot hold"):
            read_picture(tmp_path / name, "axial:5000")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".dcm"])
def test_mutated_files_are_read_or_refused_and_nothing_else(tmp_path, monkeypatch, suffix):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    from fuzz_readers import fuzz

    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 255, (9, 12), dtype=np.uint8)
    write_image(tmp_path / f"valid{suffix}", pixels, Geometry(measured=True))
    valid = [(tmp_path / f"valid{suffix}").read_bytes()]
    good = fuzz(suffix, suffix, valid, read_picture, 300, np.random.default_rng(1), tmp_path, progress=False)
    assert 0 < good < 300

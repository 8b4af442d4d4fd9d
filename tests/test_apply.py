"""What lies on the pixels of one image is brought to the other, there and back, and on to a third."""

import csv
from pathlib import Path

import numpy as np
import pytest
from gradients import host, tensor
from PIL import Image
from short_runs import complaint, contents
from strict_backend import using

from minireg import apply
from minireg.data.geometry import Geometry
from minireg.data.images import read_picture
from minireg.data.saved import Registration, load_registration, save_registration
from minireg.errors import InputError
from minireg.fields import invert_onto, random_diffeomorphism, warp_images, warp_labels, warp_points

FIXED, MOVING, THIRD = (40, 60), (64, 50), (33, 48)  # sizes of three pictures of one thing


def pixels(shape):
    return np.stack(np.indices(shape), axis=-1)


def from_to(fixed, moving, seed=0, n=1, bend=2.0):
    """A smooth field that lays the whole of the moving on the whole of the fixed image, up to `bend` pixels."""
    field = random_diffeomorphism(np.random.default_rng(seed), (n, *fixed), bend, 6)[0]
    there = (pixels(fixed) + field + 0.5) * np.divide(moving, fixed) - 0.5
    return (there - pixels(fixed)).astype(np.float32)


def geometry(spacing):
    return Geometry(np.array([[0, spacing[1], 0, -7], [spacing[0], 0, 0, 3], [0, 0, 4, 50], [0, 0, 0, 1.0]]), True)


def sent(points, displacement):
    return host(warp_points(tensor(points[None].astype(np.float32), False), tensor(displacement, False)))[0]


def smooth_image(shape):
    row, column = np.divide(pixels(shape), shape).transpose(2, 0, 1)
    return (0.5 + 0.25 * np.sin(5 * row) + 0.25 * np.cos(4 * column + row)).astype(np.float32)


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """A registration in registration.npz, in a folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    registration = Registration(from_to(FIXED, MOVING), MOVING)
    save_registration("registration.npz", registration, warped=np.zeros((1, *FIXED)))
    return registration


def run(*arguments):
    assert apply.main([str(argument) for argument in arguments]) == 0


def names(folder):
    return {path.name for path in Path(folder).iterdir()}


def read_table(path):
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    return header, np.array(rows, float)


# The inverse between two grids


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_inverse_onto_another_grid_undoes_the_field_to_the_residual_that_it_reports(dtype):
    u = from_to(FIXED, MOVING, n=3).astype(dtype)
    w, residual = invert_onto(u, MOVING)
    assert w.shape == (3, *MOVING, 2) and w.dtype == dtype and residual.shape == (3,)
    there = pixels(MOVING) + w
    rest = w + warp_images(u, w)
    inside = ((there >= 0) & (there <= np.array(FIXED) - 1)).all(axis=-1)
    assert np.linalg.norm(rest, axis=-1)[inside].max() <= residual.max() + 1e-4 < 2e-3
    assert inside.mean() > 0.9


@pytest.mark.parametrize("moving", [MOVING, (400, 31), (20, 170), FIXED])
def test_points_of_the_fixed_image_go_to_the_moving_one_and_back(moving):
    u = from_to(FIXED, moving)
    w, _ = invert_onto(u, moving)
    points = np.random.default_rng(1).uniform((6, 6), np.subtract(FIXED, 7), (200, 2))
    assert np.linalg.norm(sent(sent(points, u), w) - points, axis=-1).max() < 0.05


def test_turning_mirroring_and_stretching_sixfold_are_undone():
    for matrix in ([[0, 1], [-1, 0]], [[1, 0], [0, -1]], [[6, 0], [0, 6]], [[-5, 3], [2, 0.2]]):
        p = pixels((20, 30))
        u = (p @ np.transpose(matrix) - p)[None].astype(np.float32)
        w, residual = invert_onto(u, (25, 15))
        np.testing.assert_allclose(pixels((25, 15)) + w[0], pixels((25, 15)) @ np.linalg.inv(matrix).T, atol=1e-3)
        assert residual[0] < 1e-3


def test_the_residual_tells_where_a_field_stretches_too_much():
    u = np.zeros((2, 20, 20, 2), np.float32)
    u[1, :, 10:, 1] = 40
    _, residual = invert_onto(u, (20, 60))
    assert residual[0] < 1e-3 and residual[1] > 1


def test_a_field_that_makes_a_line_or_a_point_of_the_image_is_refused():
    for keep in ((0, 1), (0, 0)):
        with pytest.raises(InputError, match="no inverse"):
            invert_onto((pixels((8, 9)) * keep - pixels((8, 9)))[None].astype(np.float32), (8, 9))


def test_the_inverse_onto_another_grid_is_the_same_on_the_other_backend():
    u = from_to(FIXED, MOVING)
    expected = invert_onto(u, MOVING)
    with using("strict"):
        for ours, theirs in zip(invert_onto(u, MOVING), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


# Images, labels, points


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_picture_in_colour_is_warped_channel_by_channel(saved, mode):
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (*MOVING, len(mode)), dtype=np.uint8)
    Image.fromarray(colours, mode).save("colours.png")
    for k in range(len(mode)):
        Image.fromarray(colours[..., k]).save(f"{k}.png")
    run("registration.npz", "colours.png", *(f"{k}.png" for k in range(len(mode))), "--out", "out")
    with Image.open("out/colours_warped.png") as warped:
        assert warped.mode == mode
        for k, channel in enumerate(warped.split()):
            np.testing.assert_array_equal(channel, Image.open(f"out/{k}_warped.png"))


def test_a_palette_is_warped_as_the_colours_it_stands_for(saved):
    numbers = np.zeros(MOVING, np.uint8)
    numbers[:, 25:] = 255
    picture = Image.fromarray(numbers, "P")
    picture.putpalette([255, 0, 0] + 254 * [0, 255, 0] + [0, 0, 255])
    picture.save("drawn.png")
    run("registration.npz", "drawn.png", "--out", "out")
    warped = np.asarray(Image.open("out/drawn_warped.png"))
    assert warped.shape == (*FIXED, 3) and not warped[..., 1].any()  # red and blue are mixed, and not 0 and 255
    np.testing.assert_array_equal(warped[20, [5, -5]], [[255, 0, 0], [0, 0, 255]])


def test_two_registrations_are_compared(saved, capsys):
    save_registration("same.npz", saved)
    save_registration("right.npz", saved._replace(displacement=saved.displacement + np.float32([0, 0.5])))
    save_registration("joined.npz", Registration(from_to(MOVING, THIRD, seed=1), THIRD))
    run("registration.npz", "--against", "right.npz", "--out", "out")
    assert "the fields are apart by 0.50 pixels on average, 0.50 pixels at most" in capsys.readouterr().out
    assert names("out") == {"difference.png"}
    run("registration.npz", "--against", "same.npz", "--out", "equal")
    assert "0.00 pixels at most" in capsys.readouterr().out
    assert contents(Path("equal")) != contents(Path("out"))
    sentence = complaint(capsys, apply.main, "registration.npz", "--against", "joined.npz", "--out", "no")
    assert "the fixed image of joined.npz has 64 x 50 pixels" in sentence
    assert not Path("no").exists()


def test_images_and_labels_come_to_the_fixed_grid_in_their_own_unit_and_format(saved):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 65536, MOVING, dtype=np.uint16)
    stack = (1000 * rng.standard_normal((3, *MOVING))).astype(np.float32)
    labels = rng.choice([0, 3, 17, 251], MOVING).astype(np.uint8)
    Image.fromarray(grey).save("Grey.PNG")
    np.save("stack.npy", stack)
    np.save("wide.npy", labels.astype(np.int64) * 10**9)
    Image.fromarray(labels).save("labels.png")
    np.save("ct.npy", stack[0].astype(np.int16))
    np.save("mask.npy", labels > 0)
    run("registration.npz", "ct.npy", "--labels", "mask.npy", "--out", "numbers")
    ct, mask = (np.load(f"numbers/{name}_warped.npy") for name in ("ct", "mask"))
    assert ct.dtype == np.int16 and mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 1}
    assert ct.min() < -1000
    run("registration.npz", "Grey.PNG", "stack.npy", "--labels", "labels.png", "wide.npy", "--out", "new/out")
    assert names("new/out") == {"Grey_warped.png", "labels_warped.png", "stack_warped.npy", "wide_warped.npy"}

    u = saved.displacement
    expected = warp_images(grey[None, ..., None].astype(np.float32), u)[0, ..., 0]
    np.testing.assert_array_equal(np.asarray(Image.open("new/out/Grey_warped.png")), np.rint(expected))
    expected = warp_images(stack[..., None], np.repeat(u, 3, axis=0))[..., 0]
    np.testing.assert_array_equal(np.load("new/out/stack_warped.npy"), expected)
    expected = warp_labels(labels[None, ..., None], u)[0, ..., 0]
    np.testing.assert_array_equal(np.asarray(Image.open("new/out/labels_warped.png")), expected)
    wide = np.load("new/out/wide_warped.npy")
    np.testing.assert_array_equal(wide, expected.astype(np.int64) * 10**9)
    assert wide.dtype == np.int64 and wide.shape == FIXED


def test_each_of_several_fields_goes_with_its_own_image_or_all_with_one(saved):
    fields = from_to(FIXED, MOVING, n=2)
    save_registration("registration.npz", Registration(fields, MOVING))
    images = np.random.default_rng(0).random((2, *MOVING), np.float32)
    np.save("images.npy", images)
    np.save("one.npy", images[0])
    run("registration.npz", "images.npy", "one.npy", "--out", "out")
    for name, expected in (("images", images), ("one", images[[0, 0]])):
        warped = np.load(f"out/{name}_warped.npy")
        np.testing.assert_array_equal(warped, warp_images(expected[..., None], fields)[..., 0])


def test_a_constant_image_stays_constant(saved):
    np.save("even.npy", np.full(MOVING, 0.25, np.float32))
    run("registration.npz", "even.npy", "--out", "out")
    np.testing.assert_array_equal(np.load("out/even_warped.npy"), np.full(FIXED, 0.25))


def test_points_are_found_where_warp_points_says_in_pixels_and_where_it_is_measured_in_mm(saved, capsys):
    points = np.array([[3.25, 40], [20, 7.5], [39, 59]])
    np.savetxt("points.csv", points, delimiter=",", header="row,column", comments="")
    run("registration.npz", "--points", "points.csv", "--out", "pixels")
    assert "points from the fixed to the moving one" in capsys.readouterr().out
    header, rows = read_table("pixels/points.csv")
    assert header == ["pair", "row", "column", "moving_row", "moving_column"]
    np.testing.assert_allclose(
        rows, np.column_stack([np.zeros(3), points, sent(points, saved.displacement)]), atol=1e-4
    )

    measured = saved._replace(fixed=geometry((1, 2)), moving=geometry((0.5, 3)))
    save_registration("registration.npz", measured)
    run("registration.npz", "--points", "points.csv", "--out", "mm")
    header, rows = read_table("mm/points.csv")
    assert header[5:] == ["moving_x_mm", "moving_y_mm", "moving_z_mm"]
    np.testing.assert_allclose(rows[:, 5], 3 * rows[:, 4] - 7, atol=1e-3)
    np.testing.assert_allclose(rows[:, 6], 0.5 * rows[:, 3] + 3, atol=1e-3)
    np.testing.assert_allclose(rows[:, 7], 50)


def test_points_outside_of_the_image_are_hinted_at(saved, capsys):
    np.savetxt("points.csv", [[40, 59], [39, 50]], delimiter=",", header="row,column", comments="")
    run("registration.npz", "--points", "points.csv", "--out", "there")
    assert "hint: 1 of 2 points lie outside of the fixed image (40 x 60)" in capsys.readouterr().err
    run("registration.npz", "--points", "points.csv", "--inverse", "--out", "back")
    assert "2 of 2 points lie outside of the moving image (64 x 50)" in capsys.readouterr().err


def test_points_that_were_found_are_sent_back_from_the_columns_that_bear_the_name_of_their_image(saved):
    points = np.array([[8, 40], [20, 7.5]])
    np.savetxt("points.csv", points, delimiter=",", header="row,column", comments="")
    run("registration.npz", "--points", "points.csv", "--out", "there")
    run("registration.npz", "--points", "there/points.csv", "--inverse", "--out", "back")
    there, back = (read_table(f"{folder}/points.csv")[1] for folder in ("there", "back"))
    np.testing.assert_array_equal(back[:, 1:3], there[:, 3:5])
    np.testing.assert_allclose(back[:, 3:5], points, atol=0.05)
    run("registration.npz", "--points", "back/points.csv", "--out", "again")
    np.testing.assert_array_equal(read_table("again/points.csv")[1][:, 1:3], back[:, 3:5])


# The way back, and on to a third image


def test_with_inverse_all_goes_the_other_way_and_the_inverse_field_is_a_registration_of_its_own(saved, capsys):
    image = smooth_image(FIXED)
    np.save("image.npy", image)
    points = np.array([[5.5, 9], [30, 41]])
    np.savetxt("points.csv", sent(points, saved.displacement), delimiter=",", header="row,column", comments="")
    measured = saved._replace(fixed=geometry((1, 2)), moving=geometry((0.5, 3)))
    save_registration("registration.npz", measured)
    run("registration.npz", "image.npy", "--points", "points.csv", "--inverse", "--out", "back")
    out = capsys.readouterr().out
    assert "misses by at most 0.00" in out and "warning" not in out
    assert "images and labels go from the fixed image (40 x 60) to the moving one (64 x 50)" in out

    inverse = load_registration("back/registration.npz")
    assert inverse.displacement.shape == (1, *MOVING, 2) and inverse.moving_shape == FIXED
    np.testing.assert_array_equal(inverse.fixed.affine, measured.moving.affine)
    np.testing.assert_array_equal(inverse.moving.affine, measured.fixed.affine)
    header, rows = read_table("back/points.csv")
    assert header == ["pair", "row", "column", "fixed_row", "fixed_column", *(f"fixed_{axis}_mm" for axis in "xyz")]
    np.testing.assert_allclose(rows[:, 3:5], points, atol=0.05)

    # There and back again, the image is what it was, away from the border.
    run("registration.npz", "back/image_warped.npy", "--out", "again")
    again = np.load("again/image_warped_warped.npy")
    assert np.abs(again - image)[4:-4, 4:-4].max() < 0.01


@pytest.mark.parametrize(("jump", "message"), [(-25, "folds in 1.695% of its cells"), (90, "look at its grid")])
def test_an_inverse_in_doubt_says_so(saved, capsys, jump, message):
    u = np.zeros((1, *FIXED, 2), np.float32)
    u[:, :, 30:, 1] = jump
    save_registration("jumps.npz", Registration(u, (40, 150)))
    run("jumps.npz", "--inverse", "--out", "back")
    assert message in capsys.readouterr().out


def test_two_registrations_joined_warp_as_one_after_the_other(saved):
    second = Registration(from_to(MOVING, THIRD, seed=1), THIRD, geometry((1, 1)), geometry((1, 3)))
    save_registration("second.npz", second)
    image = smooth_image(THIRD)
    np.save("image.npy", image)
    run("registration.npz", "image.npy", "--then", "second.npz", "--out", "joined")
    run("second.npz", "image.npy", "--out", "first_step")
    run("registration.npz", "first_step/image_warped.npy", "--out", "second_step")
    at_once, in_two_steps = np.load("joined/image_warped.npy"), np.load("second_step/image_warped_warped.npy")
    assert at_once.shape == FIXED
    assert np.abs(at_once - in_two_steps)[3:-3, 3:-3].max() < 0.01 < 10 * np.abs(at_once - 0.5).max()

    joined = load_registration("joined/registration.npz")
    assert joined.moving_shape == THIRD and joined.moving.spacing == (1, 3) and not joined.fixed.measured
    points = np.random.default_rng(1).uniform((6, 6), np.subtract(FIXED, 7), (50, 2))
    step_by_step = sent(sent(points, saved.displacement), second.displacement)
    assert np.linalg.norm(sent(points, joined.displacement) - step_by_step, axis=-1).max() < 0.05


def test_a_registration_joined_to_its_inverse_moves_nothing(saved):
    run("registration.npz", "--inverse", "--out", "back")
    run("registration.npz", "--then", "back/registration.npz", "--out", "loop")
    assert np.abs(load_registration("loop/registration.npz").displacement[:, 6:-6, 6:-6]).max() < 0.05


# NIfTI, and the field for others


def test_a_slice_of_a_volume_comes_to_where_the_fixed_image_lies_and_itk_agrees(saved):
    nibabel, sitk = pytest.importorskip("nibabel"), pytest.importorskip("SimpleITK")
    volume = smooth_image(MOVING).T[..., None] * np.array([1.0, 2, 3], np.float32) * 500
    nibabel.save(nibabel.Nifti1Image(volume, np.diag([-3, -0.5, 4, 1])), "volume.nii.gz")
    moving = read_picture("volume.nii.gz", "axial:1")
    save_registration("registration.npz", saved._replace(fixed=geometry((1, 2)), moving=moving.geometry))
    run("registration.npz", "volume.nii.gz", "--slice", "axial:1", "--out", "out")
    warped = read_picture("out/volume_warped.nii.gz")
    np.testing.assert_array_equal(warped.images, warp_images(moving.images, saved.displacement))
    np.testing.assert_allclose(warped.geometry.affine[:, [0, 1, 3]], geometry((1, 2)).affine[:, [0, 1, 3]], atol=1e-4)

    run("registration.npz", "--inverse", "--out", "back")
    field = sitk.Cast(sitk.ReadImage("back/displacement.nii.gz"), sitk.sitkVectorFloat64)
    send = sitk.DisplacementFieldTransform(field).TransformPoint
    inverse = load_registration("back/registration.npz")
    for pixel in ((10, 20), (50, 30)):
        there = inverse.moving.to_mm(np.add(pixel, inverse.displacement[0][pixel]))
        np.testing.assert_allclose(send(inverse.fixed.to_mm(np.array(pixel))), there, atol=1e-3)


# What is refused


def test_what_does_not_fit_is_refused_in_a_sentence_and_nothing_is_written(saved, tmp_path, capsys):
    rng = np.random.default_rng(0)
    np.save("image.npy", rng.random(MOVING))
    np.save("other.npy", rng.random(FIXED))
    np.save("three.npy", rng.random((3, *MOVING)))
    Image.fromarray(rng.integers(0, 256, MOVING, dtype=np.uint8)).save("image.png")
    save_registration("two.npz", Registration(from_to(FIXED, MOVING, n=2), MOVING))
    (tmp_path / "sub").mkdir()
    np.save("sub/IMAGE.npy", rng.random(MOVING))
    np.save("no.npz", 1)
    before = names(".")
    for arguments, message in [
        (["registration.npz"], "there is nothing to do"),
        (["registration.npz", "other.npy"], "other.npy has 40 x 60 pixels: expected 64 x 50, as the moving image"),
        (["registration.npz", "image.npy", "--inverse"], "expected 40 x 60, as the fixed image"),
        (
            ["registration.npz", "--then", "registration.npz"],
            "40 x 60 pixels: expected 64 x 50, as the moving image of",
        ),
        (["registration.npz", "image.npy", "sub/IMAGE.npy"], "would both be written to"),
        (["registration.npz", "image.npy", "--slice", "axial:3", "--labels", "image.npy"], "would both be"),
        (["registration.npz", "--labels", "other.npy"], "expected label maps"),
        (["registration.npz", "missing.png"], "there is no image file missing.png"),
        (["missing.npz", "image.npy"], "there is no file missing.npz"),
        (["no.npz.npy", "image.npy"], "cannot be read as a registration"),
        (["image.png", "image.npy"], "expected the registration.npz that minireg.register has written"),
        (["two.npz", "three.npy"], "holds a stack of 3, the registration of 2"),
        (["two.npz", "image.png"], "would become 2 images"),
        (["registration.npz", ""], "is empty"),
        (["registration.npz", "image.npy", "--points", "missing.csv"], "there is no file of points"),
    ]:
        assert message in complaint(capsys, apply.main, *arguments, "--out", "out"), arguments
        assert names(".") == before


def test_what_lies_otherwise_in_space_is_refused(saved, capsys):
    nibabel = pytest.importorskip("nibabel")
    save_registration("registration.npz", saved._replace(fixed=geometry((1, 2)), moving=geometry((0.5, 3))))
    nibabel.save(
        nibabel.Nifti1Image(np.random.default_rng(0).random((*MOVING[::-1], 1)), np.diag([-3, -1, 4, 1])), "i.nii"
    )
    sentence = complaint(capsys, apply.main, "registration.npz", "i.nii", "--out", "out")
    assert "has pixels of 1 x 3 mm, the moving image of the registration of 0.5 x 3 mm" in sentence


def test_nothing_is_written_over(saved, tmp_path, capsys):
    np.save("image.npy", np.random.default_rng(0).random(MOVING))
    np.save("image_warped.npy", np.random.default_rng(0).random(MOVING))
    before = contents(tmp_path)
    for arguments in (["image.npy"], ["--inverse"], ["image_warped.npy", "--then", "registration.npz"]):
        assert "would be written over" in complaint(capsys, apply.main, "registration.npz", *arguments, "--out", ".")
        assert contents(tmp_path) == before

"""The register command without a network, with its options, label maps and points."""

import csv
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
from short_runs import complaint, short_animation, small_digits

from minireg import methods, metrics, register, viz
from minireg.data import normalise_percentiles
from minireg.data.geometry import Geometry
from minireg.data.images import Picture, read_picture, write_image
from minireg.data.points import read_points
from minireg.data.saved import load_registration
from minireg.errors import InputError
from minireg.fields import warp_images, warp_labels
from minireg.methods import align, optimise, register_in_space
from minireg.register import pair
from minireg.training import load_network

pytest_plugins = ["digits_fixture"]

COMMAND = "minireg.register.__main__"
HEADER = "moving_row,moving_column,fixed_row,fixed_column\n"


@pytest.fixture(autouse=True)
def short_animations(monkeypatch):
    """Drawing all frames takes longer than everything else here."""
    monkeypatch.setattr(viz, "animation", short_animation)


@pytest.fixture
def images(tmp_path):
    """Two pairs of fives, in tmp_path/moving.npy and tmp_path/fixed.npy."""
    fives = small_digits().test_images[small_digits().test_labels == 5][:4, ..., 0]
    np.save(tmp_path / "moving.npy", fives[:2])
    np.save(tmp_path / "fixed.npy", fives[2:])
    return fives[:2, ..., None], fives[2:, ..., None]


def registered(tmp_path, *options):
    """Register the images of `images`; returns what registration.npz holds."""
    arguments = [tmp_path / "moving.npy", tmp_path / "fixed.npy", "--out", tmp_path / "out", *options]
    assert register.main([str(argument) for argument in arguments]) == 0
    with np.load(tmp_path / "out" / "registration.npz") as archive:
        return dict(archive)


def refused(capsys, tmp_path, *options):
    arguments = [tmp_path / "moving.npy", tmp_path / "fixed.npy", "--out", tmp_path / "out", *options]
    sentence = complaint(capsys, register.main, *arguments)
    assert not (tmp_path / "out").exists()
    return sentence


def test_without_a_checkpoint_the_images_are_aligned(images, tmp_path, capsys):
    result = registered(tmp_path, "--iterations", "5")
    displacement = align(*images, iterations=5)
    np.testing.assert_array_equal(result["displacement"], displacement)
    np.testing.assert_array_equal(result["warped"], warp_images(images[0], displacement)[..., 0])
    moving, fixed = (normalise_percentiles(image) for image in images)  # as the pictures show them
    before, after = metrics.ncc(moving, fixed).mean(), metrics.ncc(warp_images(moving, displacement), fixed).mean()
    assert after > before
    said = capsys.readouterr().out
    assert f"2 pairs: NCC {before:.4f} -> {after:.4f}" in said and "ms a pair with align" in said
    assert "pixels on average" in said and "mm" not in said  # these files do not say how wide a pixel is
    assert not list((tmp_path / "out").glob("warped.*"))  # that is for a single pair


def test_the_options_reach_the_method(images, tmp_path):
    result = registered(tmp_path, "--method", "optimise", "--steps", "3", "--loss", "mse", "--transformation", "affine")
    expected = optimise(*images, iterations=3, loss="mse", transformation="affine")
    np.testing.assert_array_equal(result["displacement"], expected)
    mask = np.zeros((28, 28), np.uint8)
    mask[2:26, 2:26] = 1
    np.save(tmp_path / "mask.npy", mask)
    options = {"--stages": "deformable", "--loss": "ncc", "--smoothness": "8", "--levels": "1"}
    result = registered(
        tmp_path, "--moving-mask", tmp_path / "mask.npy", *(x for pair in options.items() for x in pair)
    )
    masks = np.broadcast_to(mask[None, :, :, None], images[0].shape)
    expected = align(*images, stages="deformable", loss="ncc", smoothness=8, levels=1, moving_mask=masks)
    np.testing.assert_array_equal(result["displacement"], expected)


def test_a_checkpoint_means_network_and_both_begin_there(trained, images, tmp_path, capsys):
    checkpoint = ("--checkpoint", trained / "checkpoint.npz")
    network = registered(tmp_path, *checkpoint)["displacement"]
    assert "ms a pair with network;" in capsys.readouterr().out
    refined = registered(tmp_path, *checkpoint, "--method", "network+refine", "--iterations", "3")["displacement"]
    own = methods.make_method("network+refine", network=load_network(checkpoint[1])[0], iterations=3)(*images)
    np.testing.assert_array_equal(refined, own)
    assert (refined != network).any()
    affine = registered(tmp_path, *checkpoint, "--stages", "affine")["displacement"]
    np.testing.assert_allclose(affine, align(*images, stages="affine"), atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "network"], "the method network needs --checkpoint FILE"),
        (["--method", "tps"], "the method tps needs --landmarks FILE"),
        (
            ["--method", "demons", "--loss", "mse"],
            "--loss goes with the methods network+refine, align, optimise, not with demons",
        ),
        (["--smoothing", "1"], "--smoothing goes with the method tps, not with align"),
        (["--method", "demons", "--checkpoint", "x.npz"], "--checkpoint goes with the methods network, network+refine"),
        (["--method", "demons", "--steps", "0"], "at least one level and one iteration, got 3 and 0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(images, tmp_path, capsys, options, message):
    assert message in refused(capsys, tmp_path, *options)


def test_a_spline_meets_the_landmarks(images, tmp_path):
    fixed = np.array([[5, 5], [5, 20], [20, 5], [22, 22], [14, 12]])
    moving = fixed + np.array([[0, 0], [1, 0], [0, 1], [0, -1], [2, 2]])
    landmarks = tmp_path / "landmarks.csv"
    landmarks.write_text(HEADER + "".join(f"{m[0]},{m[1]},{f[0]},{f[1]}\n" for m, f in zip(moving, fixed, strict=True)))
    u = registered(tmp_path, "--method", "tps", "--landmarks", landmarks)["displacement"]
    assert u.shape == (2, 28, 28, 2) and u.dtype == np.float32
    np.testing.assert_allclose(u[:, fixed[:, 0], fixed[:, 1]], [moving - fixed] * 2, atol=1e-4)
    smoothed = registered(tmp_path, "--method", "tps", "--landmarks", landmarks, "--smoothing", "1000")["displacement"]
    assert np.abs(smoothed[0, 14, 12] - [2, 2]).max() > 0.5


def test_cells_that_fold_are_counted_and_hinted_at(images, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pair, "viz", Mock())
    landmarks = tmp_path / "landmarks.csv"
    landmarks.write_text(HEADER + "5,5,5,5\n5,20,5,20\n20,5,20,5\n22,22,22,22\n14,12,14,16\n14,16,14,12\n")
    u = registered(tmp_path, "--method", "tps", "--landmarks", landmarks)["displacement"]
    share = metrics.folded_cells(u).mean()
    assert share > metrics.folded_pixels(u).mean() > 0
    said = capsys.readouterr()
    assert f"folded cells {share:.3%}," in said.out
    assert f"hint: {100 * share:.3g}% of the cells fold: there one place shows up several times." in said.err


def test_label_maps_are_pulled_along_and_no_label_is_invented(images, tmp_path):
    labels = (images[0][..., 0] > 0.5) * 7 + (np.arange(28) > 13) * np.uint8(1)
    np.save(tmp_path / "labels.npy", labels.astype(np.uint8))
    result = registered(tmp_path, "--method", "demons", "--steps", "10", "--moving-labels", tmp_path / "labels.npy")
    warped = result["warped_labels"]
    assert warped.dtype == np.uint8 and warped.shape == (2, 28, 28) and set(np.unique(warped)) <= {0, 1, 7, 8}
    bright = result["warped"] > 0.5
    assert ((warped >= 7) == bright).mean() > 0.95 and not np.array_equal(warped, labels)


def test_points_of_the_fixed_image_are_found_in_the_moving_one(images, tmp_path):
    (tmp_path / "points.csv").write_text("row,column\n10,12\n3.5,20\n")
    u = registered(tmp_path, "--method", "demons", "--steps", "5", "--points", tmp_path / "points.csv")["displacement"]
    with (tmp_path / "out" / "points.csv").open() as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert [(row["pair"], row["row"], row["column"]) for row in rows] == [
        (0, 10, 12), (0, 3.5, 20), (1, 10, 12), (1, 3.5, 20),
    ]  # fmt: skip
    for row in rows[::2]:
        found = row["moving_row"] - 10, row["moving_column"] - 12
        np.testing.assert_allclose(found, u[int(row["pair"]), 10, 12], atol=1e-3)


def test_label_maps_of_another_size_are_refused(images, tmp_path, capsys):
    np.save(tmp_path / "labels.npy", np.zeros((20, 28), np.uint8))
    sentence = refused(capsys, tmp_path, "--moving-labels", tmp_path / "labels.npy")
    assert "holds 1 label map of 20 x 28: expected 2, or one for all, of 28 x 28" in sentence


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((28, 28), bool), "is 0 everywhere, so that nothing would count"),
        (np.stack([np.ones((28, 28)), np.zeros((28, 28))]), "is 0 everywhere"),
        (np.full((28, 28), 0.5), "holds float64: expected masks, whole numbers from 0"),
        (np.full((28, 28), -1, np.int16), "holds numbers down to -1: expected masks, whole numbers from 0"),
        (np.ones((3, 28, 28), bool), "holds 3 masks of 28 x 28: expected 2, or one for all"),
    ],
)
def test_a_mask_that_is_none_is_refused(images, tmp_path, capsys, mask, message):
    np.save(tmp_path / "mask.npy", mask)
    assert message in refused(capsys, tmp_path, "--fixed-mask", tmp_path / "mask.npy")


def test_with_masks_ncc_is_over_the_pixels_that_count(images, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pair, "viz", Mock())
    mask = np.zeros((28, 28), bool)
    mask[4:25, 6:24] = True
    np.save(tmp_path / "mask.npy", mask)
    masks = [x for side in ("moving", "fixed") for x in (f"--{side}-mask", tmp_path / "mask.npy")]
    u = registered(tmp_path, *masks, "--iterations", "2")["displacement"]
    shown = [normalise_percentiles(image) for image in images]
    warped_mask = warp_labels(np.broadcast_to(mask[..., None], images[0].shape).astype(np.uint8), u)
    triples = zip(warp_images(shown[0], u), shown[1], mask & (warped_mask[..., 0] == 1), strict=True)
    correlation = [np.corrcoef(after[counts].T, fixed[counts].T)[0, 1] for after, fixed, counts in triples]
    assert f"-> {np.mean(correlation):.4f}, folded" in capsys.readouterr().out.splitlines()[-1]
    assert abs(np.mean(correlation) - metrics.ncc(warp_images(shown[0], u), shown[1]).mean()) > 1e-3


def test_what_may_be_wrong_is_said_in_a_hint_though_all_went_well(images, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pair, "viz", Mock())
    (tmp_path / "points.csv").write_text("row,column\n10,12\n28,3\n")
    np.save(tmp_path / "fixed.npy", 1 - images[1][..., 0])
    registered(tmp_path, "--iterations", "1", "--points", tmp_path / "points.csv")
    hints = capsys.readouterr().err
    assert "hint: 1 of 2 points lie outside of the fixed image (28 x 28)" in hints
    assert "hint: NCC is negative before registering: are these two kinds of images? Then try --loss mi" in hints
    registered(tmp_path, "--iterations", "1", "--loss", "mi")
    assert "hint" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no file of points"),
        ("", "needs a header with row, column, and rows below it; lacks row"),
        ("row,column\n", "has a header, but no points"),
        ("row;column\n1;2,5\n", "has semicolons between its columns: expected commas"),
        ("row\tcolumn\n1\t2\n", "has tabs between its columns: expected commas"),
        ("1,2\n3,4\n", "lacks row"),
        ("row,column\n1,two\n", "holds something that is no number"),
        ("row,column\n1\n", "holds something that is no number"),
        ("row,column\n1,nan\n", "NaN or infinite"),
        (b"\xff\xfe\x00", "cannot be read as a CSV file"),
    ],
)
def test_points_that_cannot_be_read_are_refused(tmp_path, text, message):
    path = tmp_path / "points.csv"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=message):
        read_points(path, ("row", "column"))


def test_points_are_read_by_the_names_of_their_columns(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("\ufeffname, column, row\nnose, 2.5, 1\nchin, 4, 3\n", encoding="utf-8")
    points = read_points(path, ("row", "column"))
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, [[1, 2.5], [3, 4]])


def test_refining_a_network_minimises_the_loss_that_it_was_trained_with(trained, images, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(f"{COMMAND}.load_network", lambda path: ("network", SimpleNamespace(loss="mi", data="phantom")))
    monkeypatch.setattr(pair, "make_method", lambda name, **options: asked.append(options) or _stay)
    options = ("--checkpoint", trained / "checkpoint.npz", "--method", "network+refine")
    registered(tmp_path, *options)
    registered(tmp_path, *options, "--loss", "mse")
    assert [given["loss"] for given in asked] == ["mi", "mse"]


def test_a_network_trained_on_files_sees_images_normalised_as_in_training(trained, images, tmp_path, monkeypatch):
    seen = []

    def method(moving, fixed):
        seen.append(moving)
        return _stay(moving, fixed)

    monkeypatch.setattr(pair, "viz", Mock())
    monkeypatch.setattr(pair, "make_method", lambda *_, **__: method)
    for dtype, data in ((np.uint16, "slices"), (np.int16, "strokes"), (np.float32, "strokes")):
        np.save(tmp_path / "moving.npy", (4000 * images[0][..., 0]).astype(dtype))
        configuration = SimpleNamespace(loss="ncc", data=data)
        monkeypatch.setattr(f"{COMMAND}.load_network", lambda path, it=configuration: (None, it))
        registered(tmp_path, "--checkpoint", trained / "checkpoint.npz")
        assert seen[-1].min() == 0 and seen[-1].max() == 1


# Files of every kind, and what is written for other programs


def register_files(moving, fixed, out, *options):
    """Register two files; returns the Registration that was written."""
    assert register.main([str(argument) for argument in (moving, fixed, "--out", out, *options)]) == 0
    return load_registration(out / "registration.npz")


def head(size=(40, 48), shift=0.0):
    """An ellipse with something in it, (H, W), in [0, 1]."""
    rows, columns = (np.linspace(-1, 1, n) for n in size)
    r, c = rows[:, None] - shift, columns - shift / 2
    return np.clip(3 * (0.7 - r**2 - 1.3 * c**2), 0, 0.6) + 0.4 * np.exp(-((r - 0.2) ** 2 + (c + 0.2) ** 2) / 0.05)


def test_intensities_of_any_unit_are_registered_and_come_out_in_that_unit(tmp_path):
    write_image(tmp_path / "ct.npy", 2000 * head(shift=0.1) - 1000, None)
    write_image(tmp_path / "fixed.npy", 4000 * head(), None)
    register_files(tmp_path / "ct.npy", tmp_path / "fixed.npy", tmp_path / "out")
    warped = np.load(tmp_path / "out" / "warped.npy")
    assert warped.dtype == np.float32
    np.testing.assert_array_equal(warped, np.load(tmp_path / "out" / "registration.npz")["warped"][0])
    assert np.abs(warped - (2000 * head() - 1000)).mean() < 20


@pytest.mark.parametrize(
    ("moving", "dtype", "name"),
    [
        ((255 * head()).astype(np.uint8), np.uint8, "warped.png"),
        ((60000 * head()).astype(np.uint16), np.uint16, "warped.png"),
        (head(), np.uint8, "warped.png"),
        (40 * head(), np.float32, "warped.npy"),  # PNG cannot hold it
        ((2000 * head() - 1000).astype(">i2"), np.int16, "warped.npy"),
        (np.where(head() > 0, 1000 * head(), 2**31 - 1).astype(np.int32), np.int32, "warped.npy"),
    ],
)
def test_the_warped_image_is_in_the_format_of_the_fixed_one_with_the_bits_of_the_moving_one(
    tmp_path, monkeypatch, moving, dtype, name
):
    monkeypatch.setattr(pair, "viz", Mock())
    np.save(tmp_path / "moving.npy", moving)
    write_image(tmp_path / "fixed.png", head(shift=0.1), None)
    register_files(tmp_path / "moving.npy", tmp_path / "fixed.png", tmp_path / "out", "--stages", "affine")
    assert [path.name for path in (tmp_path / "out").glob("warped.*")] == [name]
    warped = read_picture(tmp_path / "out" / name).images
    in_archive = np.load(tmp_path / "out" / "registration.npz")["warped"]
    white = 255 if moving.dtype.kind == "f" and name == "warped.png" else 1
    assert warped.dtype == dtype
    np.testing.assert_allclose(warped[..., 0], white * in_archive, atol=0.5001)


def test_images_of_different_size_are_registered_and_every_pixel_of_the_fixed_one_knows_where_to_look(tmp_path):
    np.save(tmp_path / "moving.npy", np.pad(head(shift=0.1), ((10, 4), (0, 7))))
    np.save(tmp_path / "fixed.npy", head())
    found = register_files(tmp_path / "moving.npy", tmp_path / "fixed.npy", tmp_path / "out")
    assert found.displacement.shape == (1, 40, 48, 2) and found.moving_shape == (54, 55)
    assert np.abs(np.load(tmp_path / "out" / "warped.npy") - head())[5:-5, 5:-5].mean() < 0.01


def test_the_affine_map_is_written_from_pixels_of_the_fixed_to_pixels_of_the_moving_image(tmp_path):
    np.save(tmp_path / "moving.npy", np.pad(head(), ((5, 0), (0, 3))))  # 5 further down
    np.save(tmp_path / "fixed.npy", head())
    register_files(tmp_path / "moving.npy", tmp_path / "fixed.npy", tmp_path / "out", "--stages", "affine")
    matrix = np.loadtxt(tmp_path / "out" / "affine.txt")
    np.testing.assert_allclose(matrix @ [20, 24, 1], [25, 24], atol=0.1)
    np.testing.assert_allclose(matrix[:, :2], np.eye(2), atol=0.05)


def test_volumes_are_registered_slice_by_slice_in_mm(tmp_path, capsys, monkeypatch):
    spacings_drawn = []
    draw = viz.inspection_picture
    monkeypatch.setattr(viz, "inspection_picture", lambda *a: (spacings_drawn.append(a[5]), draw(*a)))
    nibabel, sitk = pytest.importorskip("nibabel"), pytest.importorskip("SimpleITK")
    fixed = np.stack([head((40, 24), 0), head((40, 24), 0) ** 2], axis=-1)
    moving = np.stack([head((50, 40), 0.1), np.zeros((50, 40))], axis=-1)
    for name, volume, spacing in (("fixed", fixed, (1.5, 2.5, 4)), ("moving", moving, (1.2, 1.5, 3))):
        image = nibabel.Nifti1Image(volume.swapaxes(0, 1)[:, ::-1], np.diag([-spacing[1], spacing[0], spacing[2], 1]))
        nibabel.save(image, tmp_path / f"{name}.nii.gz")
    paths = tmp_path / "moving.nii.gz", tmp_path / "fixed.nii.gz"
    out = tmp_path / "out"
    assert "volume" in complaint(capsys, register.main, *paths, "--out", out)
    (tmp_path / "points.csv").write_text("row,column\n10,12\n")
    options = ("--moving-slice", "axial:0", "--fixed-slice", "axial:0", "--points", tmp_path / "points.csv")
    found = register_files(*paths, out, *options)
    assert " mm) at most" in capsys.readouterr().out
    pictures = [read_picture(path, "axial:0") for path in paths]
    spacings = [picture.geometry.spacing for picture in pictures]
    assert spacings == [pytest.approx((1.2, 1.5)), pytest.approx((1.5, 2.5))]
    assert spacings_drawn == [(pytest.approx(1.5),) * 2]
    points = np.genfromtxt(out / "points.csv", delimiter=",", names=True)
    there = [float(points[f"moving_{axis}"]) for axis in ("row", "column")]
    np.testing.assert_allclose(there, found.displacement[0, 10, 12] + (10, 12), atol=1e-3)
    in_mm = [float(points[f"moving_{axis}_mm"]) for axis in "xyz"]
    np.testing.assert_allclose(in_mm, pictures[0].geometry.to_mm(np.array(there)), atol=1e-3)
    expected = register_in_space(align, *(picture.compared for picture in pictures), *spacings)
    np.testing.assert_array_equal(found.displacement, expected)
    np.testing.assert_allclose(found.fixed.affine, pictures[1].geometry.affine)
    warped = read_picture(out / "warped.nii.gz")
    np.testing.assert_allclose(warped.geometry.affine[:2], pictures[1].geometry.affine[:2], atol=1e-4)
    assert np.abs(warped.images - pictures[1].images)[0, 3:-3, 3:-3].mean() < 0.02
    field = sitk.ReadImage(str(out / "displacement.nii.gz"))
    assert field.GetNumberOfComponentsPerPixel() == 3


def test_a_mask_of_a_volume_is_cut_where_its_image_is(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    mask = np.zeros((40, 48, 2), np.uint8)
    mask[5:35, 5:40, 1] = 1
    for name, volume in (("moving", np.stack([head(), head(shift=0.1)], axis=-1)), ("mask", mask)):
        nibabel.save(nibabel.Nifti1Image(volume.astype(np.float32), np.eye(4)), tmp_path / f"{name}.nii")
    moving, where = tmp_path / "moving.nii", "2:1"
    picture, cut = (read_picture(tmp_path / f"{name}.nii", where) for name in ("moving", "mask"))
    found = register_files(moving, moving, tmp_path / "out", "--moving-slice", where, "--fixed-slice", "2:0",
                           "--moving-mask", tmp_path / "mask.nii", "--iterations", "3")  # fmt: skip
    fixed = read_picture(moving, "2:0")
    expected = align(picture.compared, fixed.compared, iterations=3, moving_mask=cut.images)
    np.testing.assert_array_equal(found.displacement, expected)


def test_an_image_without_spacing_is_taken_to_be_like_the_other(tmp_path, monkeypatch):
    affine = np.diag([0.5, 0.5, 1, 1])[[1, 0, 2, 3]]
    measured = Picture(head()[None, ..., None], Geometry(affine, True))
    read = pair.read_picture
    monkeypatch.setattr(pair, "read_picture", lambda path, place: measured if "ct" in path else read(path, place))
    np.save(tmp_path / "plain.npy", head(shift=0.1))
    found = register_files(tmp_path / "plain.npy", tmp_path / "ct.npy", tmp_path / "out", "--iterations", "3")
    images = (image[None, ..., None].astype(np.float32) for image in (head(shift=0.1), head()))
    np.testing.assert_array_equal(found.displacement, align(*images, iterations=3))


def test_no_input_is_written_over_and_what_an_earlier_registration_left_is_removed(images, tmp_path, capsys):
    np.save(tmp_path / "one.npy", images[0][0, ..., 0])
    write_image(tmp_path / "one.png", images[0][0, ..., 0], None)
    png, npy, out = tmp_path / "one.png", tmp_path / "one.npy", tmp_path / "out"
    quick = ("--stages", "affine", "--iterations", "1")
    register_files(npy, png, out, *quick)
    refused = complaint(capsys, register.main, out / "warped.png", png, "--out", out)
    assert f"would be written over the moving image in {out / 'warped.png'}" in refused
    register_files(npy, npy, out, *quick)
    assert [path.name for path in out.glob("warped.*")] == ["warped.npy"]
    (out / "registration.npz").unlink()
    for path in (*out.glob("*.gif"), *out.glob("*.png"), out / "displacement.nii.gz", out / "affine.txt"):
        path.unlink(missing_ok=True)
    assert "holds warped.npy, which" in complaint(capsys, register.main, npy, png, "--out", out)


# Lists of pairs


@pytest.fixture
def listed(images, tmp_path):
    """The path of a list of three pairs, of which the second has no moving image."""
    np.save(tmp_path / "one.npy", images[0][0, ..., 0])
    (tmp_path / "lists").mkdir()
    path = tmp_path / "lists" / "pairs.csv"
    path.write_text("moving,fixed,name\n../one.npy,../fixed.npy,\n../none.npy,../one.npy,b\n../one.npy,../one.npy,c\n")
    return path


def register_list(path, out, *options):
    return register.main([str(argument) for argument in ("--pairs", path, "--out", out, *options)])


def test_a_pair_of_a_list_that_fails_is_reported_and_does_not_stop_the_others(listed, images, tmp_path, capsys):
    out = tmp_path / "out"
    assert register_list(listed, out, "--iterations", "3") == 2
    said = capsys.readouterr().out
    assert "2 of 3 pairs registered" in said and "there is no image file" in said
    with (out / "pairs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["pair"] for row in rows] == ["0001", "b", "c"]
    assert "none.npy" in rows[1]["error"] and not rows[1]["ncc_after"] and not rows[0]["error"]
    assert float(rows[0]["ncc_after"]) > float(rows[0]["ncc_before"]) and float(rows[2]["ncc_before"]) == pytest.approx(
        1
    )
    assert not (out / "b").exists()
    alone = align(np.repeat(images[0][:1], 2, axis=0), images[1], iterations=3)
    np.testing.assert_array_equal(load_registration(out / "0001" / "registration.npz").displacement, alone)
    listed.write_text("moving,fixed\n../one.npy,../one.npy\n")
    assert register_list(listed, out, "--iterations", "1") == 0  # over the earlier result


def test_every_pair_of_a_list_may_have_files_of_its_own(images, tmp_path):
    (tmp_path / "points.csv").write_text("row,column\n3,4\n")
    np.save(tmp_path / "mask.npy", np.ones((28, 28), np.uint8))
    (tmp_path / "list.csv").write_text(
        "moving,fixed,points,fixed_mask\nmoving.npy,fixed.npy,points.csv,\nmoving.npy,fixed.npy,,mask.npy\n"
    )
    assert register_list(tmp_path / "list.csv", tmp_path / "out", "--iterations", "1") == 0
    assert (tmp_path / "out" / "0001" / "points.csv").exists()
    assert not (tmp_path / "out" / "0002" / "points.csv").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("moving\na.npy\n", "lacks the column fixed"),
        ("moving,fixed,age\na.npy,b.npy,7\n", "has an unknown column 'age'"),
        ("moving,fixed\n", "lists no pairs"),
        ("moving;fixed\na.npy;b.npy\n", "{path} has semicolons between its columns"),
        ("moving,fixed\na.npy,\0\n", "cannot be read as a CSV file"),
        ("moving,fixed\na.npy,\n", "line 2 of {path} does not have one entry for each of moving, fixed"),
        ("moving,fixed,name\na.npy,b.npy,../c\n", "cannot be called '../c'"),
        ("moving,fixed,name\na.npy,b.npy,C\na.npy,b.npy,c\n", "pair 2 of {path} cannot be called 'c'"),
        ("moving,fixed,name\na.npy,b.npy,\na.npy,b.npy,0001\n", "pair 2 of {path} cannot be called '0001'"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path, capsys, text, message):
    path = tmp_path / "list.csv"
    path.write_text(text)
    sentence = complaint(capsys, register.main, "--pairs", path, "--out", tmp_path / "out")
    assert message.format(path=path) in sentence
    assert not (tmp_path / "out").exists()


def test_a_list_is_not_written_over(listed, capsys):
    before = listed.read_text()
    sentence = complaint(capsys, register.main, "--pairs", listed, "--out", listed.parent)
    assert "holds pairs.csv, which is not from a registration" in sentence and listed.read_text() == before


@pytest.mark.parametrize("arguments", [["a.npy"], [], ["a.npy", "b.npy", "--pairs", "list.csv"]])
def test_either_two_images_or_a_list_are_named(capsys, tmp_path, arguments):
    sentence = complaint(capsys, register.main, *arguments, "--out", tmp_path / "out")
    assert "MOVING and FIXED" in sentence


def _stay(moving, fixed):
    return np.zeros((*moving.shape[:3], 2), np.float32)

"""The register command without a network, with its options, label maps and points."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
from short_runs import complaint, short_animation, small_digits

from minireg import metrics, register, viz
from minireg.data.points import read_points
from minireg.errors import InputError
from minireg.methods import align, optimise

pytest_plugins = ["digits_fixture"]

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
    assert set(result) == {"warped", "displacement"}
    np.testing.assert_array_equal(result["displacement"], align(*images, iterations=5))
    before, after = metrics.ncc(*images).mean(), metrics.ncc(result["warped"][..., None], images[1]).mean()
    assert after > before
    said = capsys.readouterr().out
    assert f"2 pairs: NCC {before:.4f} -> {after:.4f}" in said and "ms a pair with align" in said


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
    refined = registered(tmp_path, *checkpoint, "--method", "network+refine", "--steps", "3")["displacement"]
    np.testing.assert_allclose(refined, optimise(*images, start=network, iterations=3), atol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "network"], "the method network needs --checkpoint FILE"),
        (["--method", "tps"], "the method tps needs --landmarks FILE"),
        (
            ["--method", "demons", "--loss", "mse"],
            "--loss goes with the methods network+refine, align, optimise, not with demons",
        ),
        (["--smoothing", "1"], "--smoothing goes with the methods tps, not with align"),
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
    assert "holds 1 label maps of 20 x 28: expected 2, or one for all, of 28 x 28" in sentence


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no file of points"),
        ("row,column\n", "needs a header with row, column, and rows below it"),
        ("1,2\n3,4\n", "lacks row"),
        ("row,column\n1,two\n", "holds something that is no number"),
        ("row,column\n1\n", "holds something that is no number"),
        ("row,column\n1,nan\n", "NaN or infinite"),
        (b"\xff\xfe\x00", "cannot be read as CSV"),
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
    monkeypatch.setattr(register, "load_network", lambda path: ("network", SimpleNamespace(loss="mi", data="phantom")))
    monkeypatch.setattr(register, "make_method", lambda name, **options: asked.append(options) or _stay)
    options = ("--checkpoint", trained / "checkpoint.npz", "--method", "network+refine")
    registered(tmp_path, *options)
    registered(tmp_path, *options, "--loss", "mse")
    assert [given["loss"] for given in asked] == ["mi", "mse"]


def test_a_network_trained_on_files_sees_images_normalised_as_in_training(trained, images, tmp_path, monkeypatch):
    seen = []

    def method(moving, fixed):
        seen.append(moving)
        return _stay(moving, fixed)

    np.save(tmp_path / "moving.npy", (4000 * images[0][..., 0]).astype(np.uint16))
    monkeypatch.setattr(register, "load_network", lambda path: (None, SimpleNamespace(loss="ncc", data="slices")))
    monkeypatch.setattr(register, "make_method", lambda *_, **__: method)
    registered(tmp_path, "--checkpoint", trained / "checkpoint.npz")
    assert seen[0].max() == 1


def _stay(moving, fixed):
    return np.zeros((*moving.shape[:3], 2), np.float32)

"""Evaluating a trained network on held-out pairs, and registering one's own images with it."""

import json

import numpy as np
import pytest
from gradients import host, tensor
from matplotlib.image import imsave
from short_runs import TINY, complaint, short_animation, small_digits

from minireg import evaluate, methods, metrics, ops, register, train, viz
from minireg.data import DigitPairs
from minireg.data.images import read_images
from minireg.errors import InputError
from minireg.metrics import METRICS
from minireg.training import load_network

pytest_plugins = ["digits_fixture"]

NOT_OF_DIGITS = {"label_dice", "landmark_error"}  # for these one must know more about the pairs
REGISTRATION_PICTURES = ("registration.png", "fields.png", "inspection.png", "registration.gif")


@pytest.fixture(autouse=True)
def short_animations(monkeypatch):
    """Drawing all frames takes longer than everything else here."""
    monkeypatch.setattr(viz, "animation", short_animation)


def evaluated(trained, tmp_path, *options, name="evaluation.json"):
    out = tmp_path / name
    assert evaluate.main(["--checkpoint", str(trained / "checkpoint.npz"), "--out", str(out), *options]) == 0
    return json.loads(out.read_text())


# Evaluation


def test_every_method_has_a_row_and_the_printed_means_are_those_in_the_file(
    trained, digits_of_trained, tmp_path, capsys
):
    result = evaluated(trained, tmp_path, "--pairs", "3")
    out = capsys.readouterr().out
    assert out.startswith("3 held-out pairs of strokes\n")
    assert str(tmp_path / "evaluation.json") in out and str(tmp_path / "evaluation.png") in out
    _, title, table, *_ = out.split("\n\n")
    assert title == "Mean over the pairs:"
    _, headings, *rows = table.splitlines()
    shown = {name: metric for name, metric in METRICS.items() if metric.heading and name not in NOT_OF_DIGITS}
    assert all(metric.heading[1] in headings for metric in shown.values())
    assert [row.split()[0] for row in rows] == ["identity", "network"]
    for row in rows:
        method, *cells = row.split()
        numbers = result["mean"][method] | {"ms_per_pair": result["ms_per_pair"].get(method)}
        assert cells == [metric.text(numbers[name]) for name, metric in shown.items() if numbers[name] is not None]
    assert result["mean"]["identity"]["ncc"] < result["mean"]["network"]["ncc"]


def test_the_numbers_of_every_pair_have_the_statistics_and_are_those_of_the_metrics(
    trained, digits_of_trained, tmp_path
):
    result = evaluated(trained, tmp_path)
    assert result["pairs"] == 19 and result["titles"] == ["5"] * 19
    for method, scores in result["per_pair"].items():
        assert scores.keys() >= METRICS.keys() - NOT_OF_DIGITS - {"ms_per_pair"}
        for name, values in scores.items():
            assert len(values) == 19
            assert np.mean(values) == pytest.approx(result["mean"][method][name], rel=1e-12)
            assert np.median(values) == pytest.approx(result["median"][method][name], rel=1e-12)
            low, high = result["interval_of_mean"][method][name]
            assert low <= result["mean"][method][name] * (1 + 1e-12) and result["mean"][method][name] <= high + 1e-12
    network, configuration = load_network(trained / "checkpoint.npz")
    pairs = DigitPairs(digits_of_trained, 5, "atlas", configuration.fixed_index).held_out()
    moving, fixed = pairs.moving, pairs.fixed
    np.testing.assert_array_equal(result["per_pair"]["identity"]["ncc"], metrics.ncc(moving, fixed))
    warped, displacement = methods.register(network, moving, fixed)
    np.testing.assert_allclose(result["per_pair"]["network"]["ncc"], metrics.ncc(warped, fixed), rtol=1e-6)
    _, back = methods.register(network, fixed, moving)
    expected = metrics.inverse_consistency(displacement, back)
    np.testing.assert_allclose(result["per_pair"]["network"]["inverse_consistency"], expected, rtol=1e-6)


def test_the_report_of_training_and_the_evaluation_agree(trained, digits_of_trained, tmp_path):
    result = evaluated(trained, tmp_path)["mean"]
    report = json.loads((trained / "metrics.json").read_text())
    for ours, theirs in (("identity", "identity"), ("network", "registered")):
        assert {name: result[ours][name] for name in report[theirs]} == pytest.approx(report[theirs], rel=1e-4)


def test_phantoms_are_evaluated_with_their_labels_landmarks_and_true_fields(tmp_path):
    out = tmp_path / "phantom.json"
    assert evaluate.main(["--data", "phantom", "--methods", "identity", "--pairs", "2", "--out", str(out)]) == 0
    means = json.loads(out.read_text())["mean"]["identity"]
    assert means["target_registration_error"] > 0.5 and means["landmark_error"] > 0.5 and means["label_dice"] < 1


def test_methods_without_a_network_need_no_checkpoint(digits_of_trained, tmp_path, capsys):
    out = tmp_path / "all.json"
    assert evaluate.main(["--data", "strokes", "--pairs", "1", "--out", str(out)]) == 0
    result = json.loads(out.read_text())
    assert list(result["mean"]) == ["identity", "align", "optimise", "demons"] and result["checkpoint"] is None
    assert result["ms_per_pair"].keys() == {"align", "optimise", "demons"}
    assert result["mean"]["identity"]["ncc"] < result["mean"]["demons"]["ncc"]


def test_methods_are_evaluated_in_the_order_in_which_they_were_asked_for(trained, digits_of_trained, tmp_path):
    result = evaluated(trained, tmp_path, "--pairs", "1", "--methods", "demons,network")
    assert list(result["mean"]) == ["demons", "network"]


@pytest.mark.parametrize(
    ("methods", "message"),
    [("network", "'network' needs a trained network"), ("identity,magic", "unknown method 'magic'")],
)
def test_a_method_that_cannot_be_evaluated_is_named(digits_of_trained, tmp_path, capsys, methods, message):
    out = tmp_path / "evaluation.json"
    assert message in complaint(capsys, evaluate.main, "--data", "strokes", "--methods", methods, "--out", out)
    assert not out.exists()


def test_every_evaluation_sees_the_same_pairs_unless_another_seed_is_given(trained, digits_of_trained, tmp_path):
    options = [(), (), ("--pairs-seed", "7")]
    first, again, other = (evaluated(trained, tmp_path, "--pairs", "6", *more)["per_pair"] for more in options)
    assert first == again
    assert first["identity"] != other["identity"]


@pytest.mark.parametrize(("asked", "got"), [("1", 1), ("6", 6), ("5000", 19)])
def test_as_many_pairs_are_evaluated_as_were_asked_for_and_exist(trained, digits_of_trained, tmp_path, asked, got):
    result = evaluated(trained, tmp_path, "--pairs", asked)
    assert result["pairs"] == len(result["titles"]) == len(result["per_pair"]["network"]["dice"]) == got


def test_the_files_lie_beside_the_checkpoint_unless_told_otherwise(trained, digits_of_trained, tmp_path):
    copy = tmp_path / "checkpoint.npz"
    copy.write_bytes((trained / "checkpoint.npz").read_bytes())
    assert evaluate.main(["--checkpoint", str(copy), "--pairs", "1"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.npz", "evaluation.json", "evaluation.png"}
    assert (tmp_path / "evaluation.png").read_bytes().startswith(b"\x89PNG")


def test_a_network_for_random_pairs_is_evaluated_on_another_digit_and_on_all(digits_of_trained, tmp_path):
    folder = tmp_path / "run"
    train.main([*TINY, "--steps", "1", "--pairing", "random", "--out", str(folder)])
    assert set(evaluated(folder, tmp_path, "--digit", "3")["titles"]) == {"3"}
    assert len(set(evaluated(folder, tmp_path, "--digit", "all")["titles"])) > 5
    assert set(evaluated(folder, tmp_path)["titles"]) == {"5"}


# Registering one's own images


def registered(trained, tmp_path, moving, fixed, name="out"):
    """Write two arrays to .npy files, register them, and return what registration.npz holds."""
    for role, array in (("moving", moving), ("fixed", fixed)):
        np.save(tmp_path / f"{role}.npy", array)
    return registered_files(trained, tmp_path / "moving.npy", tmp_path / "fixed.npy", tmp_path / name)


def registered_files(trained, moving, fixed, out):
    checkpoint = str(trained / "checkpoint.npz")
    assert register.main([str(moving), str(fixed), "--checkpoint", checkpoint, "--out", str(out)]) == 0
    names = {path.name for path in out.iterdir()}
    assert names >= {"registration.npz", "affine.txt", *REGISTRATION_PICTURES}
    assert (out / "registration.png").read_bytes().startswith(b"\x89PNG")
    with np.load(out / "registration.npz") as archive:
        warped, displacement = archive["warped"], archive["displacement"]
    alone = f"warped{fixed.suffix.lower()}"
    assert (alone in names) == (len(warped) == 1)
    assert names <= {"registration.npz", "affine.txt", "displacement.nii.gz", alone, *REGISTRATION_PICTURES}
    return warped, displacement


def fives(count=4):
    """Images of the digit 5, (count, 28, 28) float32."""
    return small_digits().test_images[small_digits().test_labels == 5][:count, ..., 0]


def test_the_file_holds_the_moving_images_pulled_back_along_the_displacements(trained, tmp_path):
    moving, fixed = fives()[:2], fives()[2:]
    warped, displacement = registered(trained, tmp_path, moving, fixed)
    assert warped.shape == (2, 28, 28) and displacement.shape == (2, 28, 28, 2)
    assert warped.dtype == displacement.dtype == np.float32
    expected = ops.warp(tensor(moving[..., None], False), tensor(displacement, False), border="edge")
    np.testing.assert_array_equal(warped, host(expected)[..., 0])
    assert displacement.any() and not np.array_equal(warped, moving)


def test_a_trained_network_brings_the_moving_image_closer_to_the_fixed_one(trained, digits_of_trained, tmp_path):
    _, configuration = load_network(trained / "checkpoint.npz")
    atlas = digits_of_trained.test_images[configuration.fixed_index, ..., 0]
    warped, _ = registered(trained, tmp_path, fives(), atlas)
    fixed = np.broadcast_to(atlas, warped.shape)[..., None]
    assert metrics.ncc(warped[..., None], fixed).mean() > metrics.ncc(fives()[..., None], fixed).mean() + 0.2


@pytest.mark.parametrize("one", ["moving", "fixed"])
def test_one_image_stands_for_a_stack_of_equal_ones(trained, tmp_path, one):
    single, stack = fives()[0], fives()[1:]
    repeated = np.repeat(single[None], 3, axis=0)
    for shape in (single, single[None]):
        pair = (shape, stack) if one == "moving" else (stack, shape)
        full = (repeated, stack) if one == "moving" else (stack, repeated)
        short, long = (registered(trained, tmp_path, *images) for images in (pair, full))
        np.testing.assert_array_equal(short[1], long[1])
        np.testing.assert_array_equal(short[0], long[0])


def test_the_command_says_how_alike_the_images_were_and_are(trained, tmp_path, capsys):
    warped, _ = registered(trained, tmp_path, fives()[:2], fives()[2:])
    before = metrics.ncc(fives()[:2, ..., None], fives()[2:, ..., None]).mean()
    after = metrics.ncc(warped[..., None], fives()[2:, ..., None]).mean()
    assert f"2 pairs: NCC {before:.4f} -> {after:.4f}" in capsys.readouterr().out


def as_bytes(images):
    return np.round(images * 255).astype(np.uint8)


def test_a_png_and_arrays_of_every_kind_give_the_same_field(trained, tmp_path):
    moving, fixed = as_bytes(fives()[0]), as_bytes(fives()[1])
    save_grey_png(tmp_path / "moving.png", moving)
    save_grey_png(tmp_path / "fixed.PNG", fixed)
    from_png = registered_files(trained, tmp_path / "moving.png", tmp_path / "fixed.PNG", tmp_path / "png")
    for kind in (
        lambda a: a,
        lambda a: a.astype(np.uint16) * 257,
        lambda a: (a.astype(">u2") * 257).astype(">u2"),
        lambda a: np.float32(a / 255),
        lambda a: a / 255,
        lambda a: np.asfortranarray(a),
    ):
        warped, displacement = registered(trained, tmp_path, kind(moving), kind(fixed))
        np.testing.assert_allclose(displacement, from_png[1], atol=1e-4)
        white = kind(np.full(1, 255, np.uint8))[0]  # what is warped keeps its unit
        np.testing.assert_allclose(warped / white, from_png[0] / 255, atol=1e-4)


def save_grey_png(path, pixels):
    from PIL import Image

    Image.fromarray(pixels).save(path, format="PNG")


@pytest.mark.parametrize("shape", [(2, 3), (7, 5), (28, 28), (32, 32), (33, 47), (100, 150), (1, 9), (9, 1)])
@pytest.mark.parametrize("kind", ["png", "npy"])
def test_images_of_any_size_can_be_registered(trained, tmp_path, shape, kind):
    moving, fixed = np.random.default_rng(0).integers(0, 256, (2, *shape), dtype=np.uint8)
    for name, array in (("moving", moving), ("fixed", fixed)):
        if kind == "png":
            save_grey_png(tmp_path / f"{name}.png", array)
        else:
            np.save(tmp_path / f"{name}.npy", array)
    warped, displacement = registered_files(
        trained, tmp_path / f"moving.{kind}", tmp_path / f"fixed.{kind}", tmp_path / "out"
    )
    assert warped.shape == (1, *shape) and displacement.shape == (1, *shape, 2)


def test_the_same_images_give_the_same_files(trained, tmp_path):
    for name in "ab":
        registered(trained, tmp_path, fives()[0], fives()[1], name)
    for file in ("registration.npz", *REGISTRATION_PICTURES):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_images_are_read_as_batches_of_float32_in_the_unit_interval(tmp_path):
    path = tmp_path / "image.npy"
    ramp = np.arange(256).reshape(16, 16)
    for array, expected in (
        (ramp.astype(np.uint8), ramp / 255),
        (ramp.astype(np.uint16), ramp / 65535),
        (ramp.astype(np.float16) / 256, ramp / 256),
        (np.stack([ramp, ramp.T]) / 255, np.stack([ramp, ramp.T]) / 255),
    ):
        np.save(path, array)
        images = read_images(path)
        assert images.dtype == np.float32 and images.shape == (*(1,) * (3 - array.ndim), *array.shape, 1)
        np.testing.assert_allclose(images.reshape(expected.shape), expected, rtol=1e-6)


def test_a_grey_picture_with_16_bits_keeps_them(tmp_path):
    ramp = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    save_grey_png(tmp_path / "image.png", ramp)
    np.testing.assert_allclose(read_images(tmp_path / "image.png")[0, ..., 0], ramp / 65535, rtol=1e-6)


def test_a_colour_picture_is_not_taken_for_a_grey_one(tmp_path):
    imsave(tmp_path / "image.png", np.random.default_rng(0).random((16, 16)))  # matplotlib writes RGBA
    with pytest.raises(InputError, match="has 4 channels: expected a grey image"):
        read_images(tmp_path / "image.png")

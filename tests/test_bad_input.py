"""What a user can get wrong ends in one clear sentence and a non-zero exit code, and leaves nothing half-written."""

import contextlib
import gzip
import json
import os

import numpy as np
import pytest
from short_runs import TINY, complaint, contents

from minireg import apply, evaluate, register, train
from minireg.data.mnist import CHECKSUMS
from minireg.training import load_network
from minireg.training.checkpoint import load_checkpoint, save_checkpoint

pytest_plugins = ["digits_fixture"]


# Options of training


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--digit x", "argument --digit: expected 0 to 9, or all, got 'x'"),
        ("--digit 12", "argument --digit: expected 0 to 9, or all, got '12'"),
        ("--digit -1", "--digit"),
        ("--digit 12 --recipe mnist2020 --pairing random", "expected 0 to 9, or all, got '12'"),
        ("--fixed-index 100000", "fixed image 100000 does not exist: the test split has images 0 to 29"),
        ("--fixed-index -1", "fixed image -1 does not exist"),
        ("--fixed-index OTHER", "shows the digit 4, not 5: choose another fixed index"),
        ("--fixed-index 3 --pairing random", "fixed index (3) goes with the pairing 'atlas', not with 'random'"),
        ("--steps 0", "steps must be a number of at least 1, got 0"),
        ("--steps -5", "steps must be a number of at least 1, got -5"),
        ("--batch-size 0", "batch_size must be a number of at least 1, got 0"),
        ("--lr nan", "lr must be a number of at least 0, got nan"),
        ("--lr inf", "lr must be a number of at least 0, got inf"),
        ("--lr -0.1", "lr must be a number of at least 0, got -0.1"),
        ("--lr x", "argument --lr: invalid float value: 'x'"),
        ("--smoothness -1", "smoothness must be a number of at least 0, got -1"),
        ("--smoothness nan", "smoothness must be a number of at least 0, got nan"),
        ("--seed -1", "seed must be a number of at least 0, got -1"),
        ("--model foo", "argument --model: invalid choice: 'foo'"),
        ("--loss foo", "argument --loss: invalid choice: 'foo'"),
        ("--recipe foo", "argument --recipe: invalid choice: 'foo'"),
        ("--backend foo", "there is no backend 'foo': choose one of numpy, cupy"),
        ("--data-dir somewhere", "reads no files: leave out the folder somewhere"),
        ("--foo", "unrecognized arguments: --foo"),
    ],
)
def test_an_option_that_cannot_be_used_is_named_with_what_was_expected(tmp_path, few_digits, capsys, options, message):
    other = str(np.flatnonzero(few_digits.test_labels == 4)[0])
    options = options.replace("OTHER", other).split()
    sentence = complaint(capsys, train.main, *TINY, "--out", tmp_path / "run", *options)
    assert message in sentence
    assert contents(tmp_path) == {}


def test_a_run_is_never_overwritten(tmp_path, few_digits, trained, capsys):
    before = contents(trained)
    sentence = complaint(capsys, train.main, *TINY, "--out", trained)
    assert f"already holds a run: go on with --resume {trained}, or name another --out" in sentence
    assert contents(trained) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--digit 3", "--digit 3 differs from the run in FOLDER, which has 5"),
        ("--seed 1", "--seed 1 differs from the run in FOLDER, which has 0"),
        ("--steps 41", "--steps 41 differs from the run in FOLDER, which has 40"),
        ("--batch-size 9", "--batch-size 9 differs from the run in FOLDER, which has 8"),
        ("--lr 0.5", "--lr 0.5 differs from the run in FOLDER, which has 0.01"),
        ("--smoothness 0", "--smoothness 0.0 differs from the run in FOLDER, which has 0.0005"),
        ("--model encoder-decoder", "--model encoder-decoder differs from the run in FOLDER, which has symmetric"),
        ("--loss mse", "--loss mse differs from the run in FOLDER, which has ncc"),
        ("--pairing random", "--pairing random differs from the run in FOLDER, which has atlas"),
        ("--recipe mnist2020", "--recipe mnist2020 differs from the run in FOLDER, which has default"),
        ("--data mnist", "--data mnist differs from the run in FOLDER, which has strokes"),
        ("--fixed-index 7", "--fixed-index 7 differs from the run in FOLDER"),
    ],
)
def test_a_resumed_run_names_the_option_that_differs(trained, digits_of_trained, capsys, options, message):
    sentence = complaint(capsys, train.main, "--resume", trained, *options.split())
    assert message.replace("FOLDER", str(trained)) in sentence
    assert "leave it out, or start a new run" in sentence


def test_resuming_what_is_not_there_is_refused(tmp_path, few_digits, capsys):
    assert "there is no checkpoint" in complaint(capsys, train.main, "--resume", tmp_path / "no")
    assert "--resume needs the folder of the run" in complaint(capsys, train.main, "--resume")
    sentence = complaint(capsys, train.main, "--resume", tmp_path / "a", "--out", tmp_path / "b")
    assert "name two folders: name one" in sentence
    assert contents(tmp_path) == {}


# Where to write


def places(tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    return {"a file": file, "below a file": file / "run", "a name too long": tmp_path / ("x" * 300)}


@pytest.mark.parametrize("place", ["a file", "below a file", "a name too long"])
def test_an_output_folder_that_cannot_be_made_is_named_before_anything_is_computed(
    tmp_path, few_digits, checkpoint, capsys, place, image, monkeypatch
):
    monkeypatch.setattr("minireg.register.pair.read_picture", None)
    monkeypatch.setattr(apply, "load_registration", None)
    out = places(tmp_path)[place]
    before = contents(tmp_path)
    for arguments in (
        (train.main, *TINY, "--out", out),
        (register.main, image, image, "--checkpoint", checkpoint, "--out", out),
        (apply.main, "registration.npz", image, "--out", out),
    ):
        sentence = complaint(capsys, *arguments)
        assert f"cannot use {out}" in sentence or f"cannot use {out.parent}" in sentence
        assert contents(tmp_path) == before


@pytest.mark.parametrize("place", ["below a file", "a name too long", "a folder", "a missing folder"])
def test_a_file_that_cannot_be_written_is_named(tmp_path, digits_of_trained, checkpoint, capsys, place):
    out = {
        "below a file": places(tmp_path)["below a file"] / "evaluation.json",
        "a name too long": tmp_path / f"{'x' * 300}.json",
        "a folder": tmp_path / "folder.json",
        "a missing folder": tmp_path / "no" / "evaluation.json",
    }[place]
    if place == "a folder":
        out.mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    sentence = complaint(capsys, evaluate.main, "--checkpoint", checkpoint, "--pairs", "1", "--out", out)
    assert f"cannot use {out}" in sentence
    assert {path.name for path in tmp_path.iterdir()} == before


@contextlib.contextmanager
def largest_file(size):
    """Within the block, no file of this process can grow beyond `size` bytes: what a full disk is like."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 100, 50_000, 300_000])
def test_a_disk_that_is_full_stops_training_and_leaves_whole_files(tmp_path, few_digits, capsys, size):
    folder = tmp_path / "run"
    with largest_file(size):
        sentence = complaint(capsys, train.main, *TINY, "--out", folder)
    assert f"cannot use {folder}" in sentence
    assert contents(folder).keys() <= {"configuration.json", "history.csv"}
    # With room again, the same command line takes it up.
    assert train.main([*TINY, "--resume", "--out", str(folder)]) == 0


def test_a_disk_that_fills_up_later_keeps_the_checkpoint_before(tmp_path, few_digits, capsys, monkeypatch):
    folder = tmp_path / "run"
    monkeypatch.setattr("minireg.training.trainer.STEPS_BETWEEN_CHECKPOINTS", 2)
    original = train.Trainer.train_step
    with contextlib.ExitStack() as stack:

        def train_step(self, *backpropagate):
            if self.step == 3:
                stack.enter_context(largest_file(50_000))
            return original(self, *backpropagate)

        monkeypatch.setattr(train.Trainer, "train_step", train_step)
        assert f"cannot use {folder / 'checkpoint.npz'}" in complaint(capsys, train.main, *TINY, "--out", folder)
    assert load_checkpoint(folder / "checkpoint.npz")[0]["step"] == 2
    assert not any(name.endswith(".part") for name in contents(folder))
    monkeypatch.undo()


@pytest.mark.parametrize("size", [0, 1000, 10_000])
def test_a_disk_that_is_full_stops_registering_and_leaves_no_half_file(tmp_path, checkpoint, image, capsys, size):
    out = tmp_path / "out"
    with largest_file(size):
        sentence = complaint(capsys, register.main, image, image, "--checkpoint", checkpoint, "--out", out)
    assert f"cannot use {out}" in sentence
    assert not out.exists() or contents(out).keys() == {"registration.npz"}


def test_a_disk_that_is_full_stops_evaluating(tmp_path, checkpoint, digits_of_trained, capsys):
    out = tmp_path / "out.json"
    with largest_file(10):
        sentence = complaint(capsys, evaluate.main, "--checkpoint", checkpoint, "--pairs", "1", "--out", out)
    assert f"cannot use {out}" in sentence
    assert contents(tmp_path) == {}


# MNIST


def no_folder(folder):
    return "does not exist"


def a_file(folder):
    folder.write_text("mine")
    return "is a file, not a folder"


def empty_folder(folder):
    folder.mkdir()
    return "lacks train-images-idx3-ubyte"


def damaged(content, expected):
    def make(folder):
        folder.mkdir()
        for name in CHECKSUMS:
            (folder / f"{name}.gz").write_bytes(content(name))
        return expected

    return make


@pytest.mark.parametrize(
    "make",
    [
        no_folder,
        a_file,
        empty_folder,
        damaged(lambda name: b"not gzip", "is damaged, truncated or not MNIST's"),
        damaged(lambda name: b"", "is damaged, truncated or not MNIST's"),
        damaged(lambda name: gzip.compress(os.urandom(5000))[:2000], "its gzip data cannot be unpacked"),
        damaged(lambda name: gzip.compress(bytes(100)), "is damaged, truncated or not MNIST's"),
    ],
)
@pytest.mark.parametrize("data", ["mnist", "auto"])
def test_mnist_files_that_cannot_be_used_are_named_and_never_replaced_by_drawn_digits(
    tmp_path, monkeypatch, capsys, make, data
):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "digits"
    expected = make(folder)
    sentence = complaint(capsys, train.main, "--data", data, "--data-dir", folder, "--steps", "1")
    assert str(folder) in sentence and expected in sentence
    assert not (tmp_path / "runs").exists()


# Checkpoints


def text(path, good):
    path.write_text("not a checkpoint")


def empty(path, good):
    path.touch()


def random_bytes(path, good):
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def another_archive(path, good):
    np.savez(path, x=np.zeros(3))


def pickled(path, good):
    np.savez(path, meta=np.array([{}], dtype=object))


def cut_short(path, good):
    path.write_bytes(good.read_bytes()[:-1000])


def flipped(path, good):
    data = bytearray(good.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def folder(path, good):
    path.mkdir()


def missing(path, good):
    pass


def edited(change):
    """A checkpoint whose meta was changed."""

    def make(path, good):
        meta, groups = load_checkpoint(good)
        change(meta, groups)
        save_checkpoint(path, meta, **groups)

    make.__name__ = change.__name__
    return make


@edited
def another_model(meta, groups):
    meta["configuration"]["model"] = "encoder-decoder"


@edited
def unknown_model(meta, groups):
    meta["configuration"]["model"] = "transformer"


@edited
def no_model(meta, groups):
    del groups["model"]


@edited
def a_weight_missing(meta, groups):
    del groups["model"]["unet.bottom.bias"]


@edited
def a_weight_of_another_shape(meta, groups):
    groups["model"]["unet.bottom.bias"] = np.zeros(3, np.float32)


@edited
def a_weight_that_is_nan(meta, groups):
    groups["model"]["unet.bottom.bias"] = np.full(2, np.nan, np.float32)


@edited
def a_weight_that_is_text(meta, groups):
    groups["model"]["unet.bottom.bias"] = np.array(["a", "b"])


@edited
def no_configuration(meta, groups):
    del meta["configuration"]


@edited
def a_configuration_of_another_version(meta, groups):
    meta["configuration"]["colour"] = "blue"


@edited
def a_number_that_is_text(meta, groups):
    meta["configuration"]["batch_size"] = "many"


BROKEN = [
    *(text, empty, random_bytes, another_archive, pickled, cut_short, flipped, folder, missing),
    *(another_model, unknown_model, no_model, a_weight_missing, a_weight_of_another_shape),
    *(a_weight_that_is_nan, a_weight_that_is_text, no_configuration),
    *(a_configuration_of_another_version, a_number_that_is_text),
]


@pytest.mark.parametrize("make", BROKEN, ids=lambda make: make.__name__)
def test_a_checkpoint_that_cannot_be_used_is_named_by_every_command(
    tmp_path, digits_of_trained, checkpoint, image, capsys, make
):
    run = tmp_path / "run"
    run.mkdir()
    bad = run / "checkpoint.npz"
    make(bad, checkpoint)
    for arguments in (
        (evaluate.main, "--checkpoint", bad),
        (register.main, image, image, "--checkpoint", bad, "--out", tmp_path / "out"),
        (train.main, "--resume", run),
    ):
        sentence = complaint(capsys, *arguments)
        assert str(run) in sentence
        assert not (tmp_path / "out").exists() and os.listdir(run) in ([], ["checkpoint.npz"])


@edited
def no_random_state(meta, groups):
    del meta["random_state"]


@edited
def another_random_state(meta, groups):
    meta["random_state"] = {"bit_generator": "MT19937"}


@edited
def no_optimiser(meta, groups):
    del groups["optimiser"]


@edited
def no_history(meta, groups):
    del groups["history"]


@edited
def a_history_of_other_steps(meta, groups):
    groups["history"]["loss"] = groups["history"]["loss"][:-1]


@edited
def a_step_that_is_text(meta, groups):
    meta["step"] = "last"


@edited
def an_order_of_other_images(meta, groups):
    groups["sampler"]["order"] = np.arange(7)


@edited
def a_fixed_image_that_is_not_there(meta, groups):
    meta["configuration"]["fixed_index"] = 10**6


@pytest.mark.parametrize(
    "make",
    [
        *(no_random_state, another_random_state, no_optimiser, no_history, a_history_of_other_steps),
        *(a_step_that_is_text, an_order_of_other_images, a_fixed_image_that_is_not_there),
    ],
    ids=lambda make: make.__name__,
)
def test_a_checkpoint_from_which_training_cannot_go_on_is_refused(
    tmp_path, digits_of_trained, checkpoint, capsys, make
):
    make(tmp_path / "checkpoint.npz", checkpoint)
    before = contents(tmp_path)
    complaint(capsys, train.main, "--resume", tmp_path)
    assert contents(tmp_path) == before


# Evaluation


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--pairs 0", "--pairs must be at least 1"),
        ("--pairs x", "argument --pairs: invalid int value: 'x'"),
        ("--pairs-seed -1", "--pairs-seed not negative"),
        ("--digit 3", "trained to align everything with one image of the digit 5; leave --digit out"),
        ("--digit 12", "expected 0 to 9, or all, got '12'"),
    ],
)
def test_an_evaluation_that_cannot_be_made_says_why(tmp_path, digits_of_trained, checkpoint, capsys, options, message):
    out = tmp_path / "evaluation.json"
    assert message in complaint(capsys, evaluate.main, "--checkpoint", checkpoint, "--out", out, *options.split())
    assert contents(tmp_path) == {}


# One's own images

RANDOM = np.random.default_rng(0)


def png(pixels, mode=None):
    def make(path):
        from PIL import Image

        Image.fromarray(pixels, mode=mode).save(path, format="PNG")

    return make


def half_a_png(path):
    png(RANDOM.integers(0, 256, (40, 40), dtype=np.uint8))(path)
    path.write_bytes(path.read_bytes()[:600])


def archive(path):
    with path.open("wb") as file:
        np.savez(file, x=RANDOM.random((28, 28)))


def array(values):
    return lambda path: np.save(path, values, allow_pickle=True)


def with_value(value):
    images = RANDOM.random((2, 28, 28))
    images[1, 3, 4] = value
    return array(images)


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("rgb.png", png(RANDOM.integers(0, 256, (28, 28, 3), dtype=np.uint8)), "has 3 channels"),
        ("rgba.png", png(RANDOM.integers(0, 256, (28, 28, 4), dtype=np.uint8)), "has 4 channels"),
        ("half.png", half_a_png, "damaged or of another format"),
        ("text.png", lambda path: path.write_text("text"), "damaged or of another format"),
        ("empty.png", lambda path: path.touch(), "damaged or of another format"),
        ("white.png", png(np.full((28, 28), 255, np.uint8)), "image 0 of {path} is constant (255 everywhere)"),
        ("missing.png", lambda path: None, "there is no image file {path}"),
        ("folder.png", lambda path: path.mkdir(), "{path}"),
        ("image.jpg", lambda path: path.touch(), "is neither .png, .npy, .nii, .nii.gz nor DICOM"),
        ("image", lambda path: path.touch(), "is neither .png, .npy, .nii, .nii.gz nor DICOM"),
        ("text.npy", lambda path: path.write_text("text"), "damaged or of another format"),
        ("empty.npy", lambda path: path.touch(), "damaged or of another format"),
        ("archive.npy", archive, "damaged or of another format"),
        ("pickle.npy", array(np.array([[1, None]], dtype=object)), "damaged or of another format"),
        ("strings.npy", array(np.array([["a", "b"]])), "holds <U1: expected a grey image, integers or floats"),
        ("complex.npy", array(RANDOM.random((28, 28)) * 1j), "holds complex128: expected a grey image"),
        ("bool.npy", array(RANDOM.random((28, 28)) > 0.5), "holds bool: expected a grey image"),
        ("record.npy", array(np.zeros((28, 28), "f4,f4")), "expected a grey image"),
        ("number.npy", array(np.array(0.5)), "has the shape (): expected a grey image (H, W) or a stack"),
        ("row.npy", array(RANDOM.random(28)), "has the shape (28,)"),
        ("nothing.npy", array(np.zeros((0, 28, 28))), "has the shape (0, 28, 28)"),
        ("flat.npy", array(np.zeros((28, 0))), "has the shape (28, 0)"),
        ("batch.npy", array(RANDOM.random((2, 28, 28, 1))), "has the shape (2, 28, 28, 1)"),
        ("volume.npy", array(RANDOM.random((1, 2, 8, 8, 8))), "has the shape (1, 2, 8, 8, 8)"),
        ("rgb.npy", array(RANDOM.random((28, 28, 3))), "(28, 28, 3): expected a grey image (H, W) or a stack"),
        ("rgba.npy", array(RANDOM.random((28, 28, 4))), "without channels"),
        ("channel.npy", array(RANDOM.random((28, 28, 1))), "without channels"),
        ("nan.npy", with_value(np.nan), "has 1 values that are NaN or infinite"),
        ("inf.npy", with_value(-np.inf), "has 1 values that are NaN or infinite"),
        ("huge.npy", with_value(1e300), "has 1 values that are NaN or infinite"),
        (
            "constant.npy",
            array(np.stack([RANDOM.random((28, 28)), np.full((28, 28), 0.5)])),
            "image 1 of {path} is con",
        ),
        ("pixel.npy", array(np.array([[0.5]])), "is constant (0.5 everywhere): there is nothing to align"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value[-5:] else "",
)
@pytest.mark.parametrize("role", ["moving", "fixed"])
def test_an_image_that_cannot_be_registered_is_named(tmp_path, checkpoint, image, capsys, name, make, message, role):
    path = tmp_path / name
    make(path)
    before = set(os.listdir(tmp_path))
    pair = (path, image) if role == "moving" else (image, path)
    sentence = complaint(capsys, register.main, *pair, "--checkpoint", checkpoint, "--out", tmp_path / "out")
    assert str(path) in sentence and message.format(path=path) in sentence
    assert set(os.listdir(tmp_path)) == before


def test_a_truncated_array_is_refused_wherever_it_ends(tmp_path, checkpoint, image, capsys):
    whole = image.read_bytes()
    path = tmp_path / "cut.npy"
    for length in (1, 6, 8, 9, 10, 50, 127, 128, 129, len(whole) - 1):
        path.write_bytes(whole[:length])
        sentence = complaint(capsys, register.main, path, image, "--checkpoint", checkpoint, "--out", tmp_path / "out")
        assert "damaged or of another format" in sentence


def test_stacks_of_different_length_are_refused(tmp_path, checkpoint, capsys):
    for name, count in (("two", 2), ("three", 3)):
        np.save(tmp_path / f"{name}.npy", RANDOM.random((count, 28, 28)))
    two, three = tmp_path / "two.npy", tmp_path / "three.npy"
    sentence = complaint(capsys, register.main, two, three, "--checkpoint", checkpoint, "--out", tmp_path / "out")
    assert f"{two} holds 2 images and {three} 3: give equally many, or one for all" in sentence


def test_the_network_of_2020_refuses_sizes_that_it_cannot_halve(tmp_path, few_digits, image, capsys):
    train.main([*TINY, "--model", "encoder-decoder", "--steps", "1", "--out", str(tmp_path / "run")])
    checkpoint = tmp_path / "run" / "checkpoint.npz"
    sentence = complaint(capsys, register.main, image, image, "--checkpoint", checkpoint, "--out", tmp_path / "out")
    assert "multiples of 8, got 28 x 28" in sentence
    assert not (tmp_path / "out").exists()


def test_a_mistake_of_ours_keeps_its_traceback(tmp_path, checkpoint, image, monkeypatch):
    def fail(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("minireg.register.pair.make_method", fail)
    with pytest.raises(ZeroDivisionError):
        register.main([str(image), str(image), "--checkpoint", str(checkpoint), "--out", str(tmp_path / "out")])


def test_the_trained_run_was_only_read(trained):
    network, configuration = load_network(trained / "checkpoint.npz")
    assert configuration.steps == 40 and not network.training
    assert json.loads((trained / "configuration.json").read_text())["seed"] == 0

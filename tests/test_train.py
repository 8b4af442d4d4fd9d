"""Training: it learns; it can be killed, interrupted and resumed; its mistakes leave what was good."""

import json
import math
import os
import random
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from short_runs import (
    PICTURES,
    RUN_FILES,
    SHORT,
    TINY,
    complaint,
    contents,
    small_digits,
    start_training,
    train_in_process,
)

from minireg import backend, losses, train
from minireg.data import DigitPairs
from minireg.errors import InputError, TrainingError
from minireg.training import Configuration, Trainer, load_checkpoint, trainer, validation
from minireg.training.configuration import RECIPES, configure

pytest_plugins = ["digits_fixture"]

posix = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


def tiny_trainer(folder, **options):
    """A Trainer of few steps on the small digits."""
    recipe = RECIPES[options.get("recipe", "default")]
    fixed = {"recipe": "default", "data": "strokes", "digit": 5, "pairing": "atlas", "fixed_index": None, "seed": 0}
    configuration = Configuration(**fixed | recipe | {"steps": 3, "batch_size": 2} | options)
    source = DigitPairs(small_digits(), configuration.digit, configuration.pairing)
    return Trainer(configuration.completed(source), source, folder)


def finite_weights(folder):
    _, groups = load_checkpoint(folder / "checkpoint.npz")
    return all(np.isfinite(array).all() for array in groups["model"].values())


# Killed and resumed


@pytest.fixture(scope="module")
def never_stopped(tmp_path_factory):
    """The files of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("never stopped") / "run"
    assert train_in_process([*TINY, "--out", folder]) == 0
    assert contents(folder).keys() == RUN_FILES
    return contents(folder)


@posix
@pytest.mark.parametrize("seed", range(3))
def test_a_run_killed_while_it_writes_and_resumed_ends_with_the_bytes_of_one_never_stopped(
    tmp_path, never_stopped, seed
):
    rng = random.Random(seed)
    folder = tmp_path / "run"
    codes = []
    for _ in range(6):
        codes.append(train_in_process([*TINY, "--resume", "--out", folder], fatal=rng.randint(1, 14)))
    codes.append(train_in_process([*TINY, "--resume", "--out", folder]))
    assert -signal.SIGKILL in codes and codes[-1] == 0
    assert contents(folder) == never_stopped


@posix
@pytest.mark.parametrize("fatal", (22, 23, 24, 25, 28, 29, 32))
def test_a_run_killed_while_it_writes_its_last_files_ends_with_the_same_bytes(tmp_path, never_stopped, fatal):
    folder = tmp_path / "run"
    assert train_in_process([*TINY, "--out", folder], fatal) == -signal.SIGKILL
    assert train_in_process(["--resume", folder]) == 0
    assert contents(folder) == never_stopped


@posix
def test_a_run_killed_at_random_moments_and_resumed_ends_with_the_same_bytes(tmp_path, never_stopped):
    folder = tmp_path / "run"
    for _ in range(6):
        process = start_training([*TINY, "--resume", "--out", folder])
        time.sleep(random.uniform(0, 1))
        process.kill()
        process.join()
    assert train_in_process([*TINY, "--resume", "--out", folder]) == 0
    assert contents(folder) == never_stopped


@posix
def test_a_run_killed_before_its_first_checkpoint_is_started_by_resume_with_out(tmp_path, never_stopped):
    folder = tmp_path / "run"
    assert train_in_process([*TINY, "--out", folder], fatal=2) == -signal.SIGKILL
    assert not (folder / "checkpoint.npz").exists() and any(name.endswith(".part") for name in contents(folder))
    assert train_in_process(["--resume", folder]) == 2  # it is not known what was to be computed
    assert train_in_process([*TINY, "--resume", "--out", folder]) == 0
    assert contents(folder) == never_stopped


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_network(tmp_path, few_digits):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert train.main([*TINY, "--seed", str(seed), "--out", str(tmp_path / name)]) == 0
    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert a == b and a.keys() == RUN_FILES
    assert a["checkpoint.npz"] != c["checkpoint.npz"]


def test_a_finished_run_that_is_resumed_only_writes_its_report_again(tmp_path, few_digits, monkeypatch):
    folder = tmp_path / "run"
    train.main([*TINY, "--out", str(folder)])
    before = contents(folder)
    for name in ("metrics.json", *PICTURES):
        (folder / name).unlink()
    monkeypatch.delattr(Trainer, "train_step")
    assert train.main(["--resume", str(folder)]) == 0
    assert contents(folder) == before


# Interrupted


def interrupt_at(monkeypatch, step, times=1):
    """Send Ctrl-C at the beginning of a step of the next run, and only then."""
    original = Trainer.train_step

    def train_step(self, *backpropagate):
        if self.step + 1 == step:
            monkeypatch.setattr(Trainer, "train_step", original)
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return original(self, *backpropagate)

    monkeypatch.setattr(Trainer, "train_step", train_step)


def command_to_resume(stderr):
    """The arguments of the command that the last line of stderr recommends."""
    words = shlex.split(stderr.rstrip().split("\n")[-1].partition("go on with: ")[2])
    assert words[:3] == ["python", "-m", "minireg.train"]
    return words[3:]


def test_ctrl_c_finishes_the_step_saves_and_says_how_to_go_on(tmp_path, few_digits, monkeypatch, capsys):
    train.main([*TINY, "--out", str(tmp_path / "never stopped")])
    folder = tmp_path / "it's stopped"
    interrupt_at(monkeypatch, step=3)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert train.main([*TINY, "--out", str(folder)]) == 130
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    error = capsys.readouterr().err
    assert "Step 3 of 5 is saved" in error and "Traceback" not in error
    assert load_checkpoint(folder / "checkpoint.npz")[0]["step"] == 3
    assert train.main(command_to_resume(error)) == 0
    assert contents(folder) == contents(tmp_path / "never stopped")


def test_a_second_ctrl_c_stops_at_once_and_names_the_step_that_is_saved(tmp_path, few_digits, monkeypatch, capsys):
    train.main([*TINY, "--out", str(tmp_path / "never stopped")])
    interrupt_at(monkeypatch, step=3, times=2)
    assert train.main([*TINY, "--out", str(tmp_path / "run")]) == 130
    error = capsys.readouterr().err
    assert "Step 0 of 5 is saved" in error
    assert train.main(command_to_resume(error)) == 0
    assert contents(tmp_path / "run") == contents(tmp_path / "never stopped")


def test_ctrl_c_in_the_report_says_how_to_have_it_written(tmp_path, few_digits, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "report", lambda self: signal.raise_signal(signal.SIGINT))
        assert train.main([*TINY, "--out", str(tmp_path / "run")]) == 130
    error = capsys.readouterr().err
    assert "Step 5 of 5 is saved" in error
    assert train.main(command_to_resume(error)) == 0
    assert contents(tmp_path / "run").keys() == RUN_FILES


def test_the_recommended_command_keeps_what_the_checkpoint_does_not_know(tmp_path, few_digits, monkeypatch, capsys):
    monkeypatch.setattr("minireg.data.sources.load_digits", lambda name, folder: few_digits)
    interrupt_at(monkeypatch, step=1)
    name = backend.active().name
    where = ["--data-dir", "my digits", "--backend", name, "--out", str(tmp_path / "run")]
    assert train.main([*TINY, *where]) == 130
    expected = ["--resume", str(tmp_path / "run"), "--data-dir", "my digits", "--backend", name]
    assert command_to_resume(capsys.readouterr().err) == expected


@posix
def test_a_process_that_gets_ctrl_c_ends_with_130_and_a_checkpoint(tmp_path):
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "minireg.train", *TINY[:3], "100000", "--batch-size", "1", "--out", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while process.poll() is None and not (folder / "checkpoint.npz").exists():
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130 and "Traceback" not in error
    assert command_to_resume(error) == ["--resume", str(folder)]
    assert contents(folder).keys() == {"checkpoint.npz", "history.csv", "configuration.json"}


# What cannot go on


def test_a_loss_that_is_not_finite_stops_with_its_step_and_keeps_the_last_good_checkpoint(
    tmp_path, few_digits, monkeypatch, capsys
):
    monkeypatch.setattr(trainer, "STEPS_BETWEEN_CHECKPOINTS", 2)
    similarity = losses.SIMILARITIES["ncc"]
    steps = []

    def fails_at_step_4(warped, fixed):
        steps.append(1)
        return similarity(warped, fixed) * (math.nan if len(steps) == 4 else 1)

    monkeypatch.setitem(losses.SIMILARITIES, "ncc", fails_at_step_4)
    assert train.main([*TINY, "--out", str(tmp_path / "run")]) == 2
    sentence = capsys.readouterr().err.rstrip().split("\n")[-1]
    assert "step 4: the loss is nan" in sentence and "checkpoint of step 2 is kept" in sentence
    assert load_checkpoint(tmp_path / "run" / "checkpoint.npz")[0]["step"] == 2


@pytest.mark.parametrize("options", [[], ["--recipe", "mnist2020"], ["--loss", "mse"], ["--steps", "1"]])
@pytest.mark.parametrize("lr", ["1e30", "1e300"])
def test_a_learning_rate_out_of_all_proportion_is_one_clear_sentence_and_leaves_finite_weights(
    tmp_path, few_digits, capsys, options, lr
):
    code = train.main([*TINY, "--lr", lr, *options, "--out", str(tmp_path / "run")])
    *bars, sentence = capsys.readouterr().err.rstrip().split("\n")
    assert code == 2 and ("not finite" in sentence or "step " in sentence)
    assert "--lr" in sentence and "Warning" not in "".join(bars)
    assert finite_weights(tmp_path / "run")


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    run = tiny_trainer(tmp_path)
    run.save()
    before = contents(tmp_path)
    run.train_step()
    weight = run.network.parameters()[0]
    weight.data = weight.data * math.inf
    with np.errstate(invalid="ignore"), pytest.raises(TrainingError, match="step 1: the largest weight of"):
        run.save()
    assert contents(tmp_path) == before


# Learning


def test_a_short_run_lowers_the_loss_and_registers_far_better_than_doing_nothing(trained):
    _, groups = load_checkpoint(trained / "checkpoint.npz")
    losses = groups["history"]["loss"]
    assert losses[-5:].mean() < 0.3 * losses[:5].mean()
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["registered"]["ncc"] > metrics["identity"]["ncc"] + 0.3
    assert metrics["registered"]["mse"] < metrics["identity"]["mse"] / 3
    assert metrics["registered"]["folded_pixels"] < 0.01
    assert metrics["identity"]["spread_log_jacobian"] == 0


@pytest.mark.parametrize("options", [["--pairing", "random"], ["--digit", "all"], ["--model", "encoder-decoder"]])
def test_every_kind_of_run_trains_and_reports(tmp_path, few_digits, options):
    assert train.main([*TINY, *options, "--out", str(tmp_path / "run")]) == 0
    assert contents(tmp_path / "run").keys() == RUN_FILES


def test_random_pairs_are_learned_too(tmp_path, few_digits):
    assert train.main([*SHORT, "--pairing", "random", "--out", str(tmp_path / "run")]) == 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["registered"]["ncc"] > metrics["identity"]["ncc"] + 0.15


def test_the_files_of_a_run_say_what_was_computed(trained):
    assert contents(trained).keys() == RUN_FILES
    configuration = json.loads((trained / "configuration.json").read_text())
    given = {"data": "strokes", "digit": 5, "pairing": "atlas", "steps": 40, "batch_size": 8, "model": "symmetric"}
    assert given.items() <= configuration.items()
    assert small_digits().test_labels[configuration["fixed_index"]] == 5
    header, *rows = (trained / "history.csv").read_text().splitlines()
    names = "step,loss,similarity,smoothness,folding,inverse_consistency,validation_similarity"
    assert header == names and len(rows) == 40
    values = np.array([row.split(",")[:-1] for row in rows], float)
    assert [row.split(",")[0] for row in rows if not row.endswith(",")] == ["25", "40"]  # now and then, and at the end
    np.testing.assert_array_equal(values[:, 0], np.arange(1, 41))
    weights = [1, *(configuration[name] for name in ("smoothness", "folding", "inverse_consistency"))]
    np.testing.assert_allclose(values[:, 1], values[:, 2:] @ weights, rtol=1e-5)
    for name in PICTURES:
        assert (trained / name).read_bytes().startswith((b"\x89PNG", b"GIF89a"))
    for line in (trained / "metrics.json").read_text().splitlines():
        assert "NaN" not in line


def test_everything_in_a_step_is_float32(tmp_path):
    for recipe in RECIPES:
        run = tiny_trainer(tmp_path, recipe=recipe)
        run.train_step()
        for name, parameter in run.network.named_parameters():
            assert parameter.dtype == np.float32 and parameter.grad.dtype == np.float32, name
        for name, buffer in run.network.named_buffers():
            assert buffer.dtype == np.float32, name
        assert all(array.dtype == np.float32 for slot in run.optimiser.state.values() for array in slot)


def test_clipping_bounds_the_gradient_that_the_optimiser_sees(tmp_path):
    run = tiny_trainer(tmp_path, clip=1e-3)
    run.train_step()
    squares = [float((p.grad * p.grad).sum()) for p in run.network.parameters()]
    assert math.sqrt(sum(squares)) == pytest.approx(1e-3, rel=1e-3)


# Validation


def test_the_validation_curve_draws_no_random_numbers_and_changes_no_weight(tmp_path, few_digits, monkeypatch):
    train.main([*TINY, "--out", str(tmp_path / "seldom")])
    monkeypatch.setattr(trainer, "STEPS_BETWEEN", 2)
    train.main([*TINY, "--out", str(tmp_path / "often")])
    monkeypatch.setattr(trainer.Validation, "possible", False)
    train.main([*TINY, "--out", str(tmp_path / "never")])
    (seldom, a), (often, b), (never, c) = (
        load_checkpoint(tmp_path / name / "checkpoint.npz") for name in ("seldom", "often", "never")
    )
    assert seldom == often == never
    for group in ("model", "optimiser", "sampler"):
        for name, array in a[group].items():
            assert np.array_equal(array, b[group][name]) and np.array_equal(array, c[group][name]), name
    curves = [np.isfinite(groups["history"]["validation_similarity"]).tolist() for groups in (a, b)]
    assert curves == [[False] * 4 + [True], [False, True, False, True, True]]
    assert "validation_similarity" not in c["history"]


def test_a_resumed_run_has_the_same_validation_curve(tmp_path, few_digits, monkeypatch, capsys):
    monkeypatch.setattr(trainer, "STEPS_BETWEEN", 2)
    train.main([*TINY, "--out", str(tmp_path / "never stopped")])
    interrupt_at(monkeypatch, step=3)
    assert train.main([*TINY, "--out", str(tmp_path / "run")]) == 130
    assert train.main(command_to_resume(capsys.readouterr().err)) == 0
    assert contents(tmp_path / "run") == contents(tmp_path / "never stopped")


def test_a_run_saved_before_there_was_a_validation_curve_is_resumed_all_the_same(tmp_path):
    run = tiny_trainer(tmp_path)
    run.train_step()
    run.save()
    meta, groups = load_checkpoint(tmp_path / "checkpoint.npz")
    del groups["history"]["validation_similarity"]
    run.restore(meta, groups)
    run.train_step()
    assert np.isnan(run.history["validation_similarity"]).tolist() == [True, True]


def test_a_run_that_learns_its_images_by_heart_says_so_while_it_trains_and_at_the_end(
    tmp_path, few_digits, monkeypatch, capsys
):
    scores = iter([0.2, 0.1, 0.1, 0.12, 0.2])
    for module in (trainer, validation):
        monkeypatch.setattr(module, "STEPS_BETWEEN", 8)
    monkeypatch.setattr(trainer.Validation, "score", lambda self, network: next(scores))
    assert train.main([*SHORT, "--steps", "40", "--out", str(tmp_path / "run")]) == 0
    error = capsys.readouterr().err
    assert "step 40: since step 32 the training pairs" in error and "Warning: since step 32 the training pairs" in error
    assert error.count("(0.1200 to 0.2000): the network learns its images by heart") == 2


@pytest.mark.parametrize(
    ("scores", "begins"),
    [
        ([0.20, 0.10, 0.06, 0.06, 0.050, 0.044, 0.042, 0.041], None),  # falls with the training pairs
        ([0.20, 0.08, 0.06, 0.05, 0.050, 0.050, 0.051, 0.049], "since step 125 the training pairs have improved"),
        ([0.20, 0.08, 0.07, 0.06, 0.060, 0.070, 0.080, 0.090], "since step 125 the training pairs have improved"),
        ([0.20, 0.18, 0.14, 0.12, 0.100, 0.090, 0.085, 0.080], "the validation pairs are behind the training pairs"),
        ([0.12, 0.20, 0.30, 0.40, 0.500], None),  # too early to tell
        ([0.20, 0.05, 0.03, 0.02, 0.020, 0.020, 0.020, 0.020], None),  # easier pairs
    ],
)
def test_validation_pairs_that_do_not_follow_or_stay_behind_are_warned_of(scores, begins):
    steps = np.arange(25 * len(scores))
    curve = np.full(len(steps), np.nan)
    curve[24::25] = scores
    for unit in (1, 0.01):
        for offset in (0, -2):  # mutual information is negative
            training = 0.03 + 0.27 * np.exp(-steps / 40)
            said = validation.warning(unit * training + offset, unit * curve + offset, 100)
            assert said is None if begins is None else said.startswith(begins)


# Phantoms


@pytest.fixture
def few_phantoms(monkeypatch, few_digits):
    monkeypatch.setattr("minireg.data.phantom.TRAINING_PAIRS", 16)
    return ["--data", "phantom", "--size", "32", "--steps", "3", "--batch-size", "2"]


def test_a_run_on_phantoms_reports_overlap_and_landmarks_and_can_be_resumed(
    tmp_path, few_phantoms, monkeypatch, capsys
):
    options = [*few_phantoms, "--modality", "multi"]
    interrupt_at(monkeypatch, step=2)
    assert train.main([*options, "--out", str(tmp_path / "run")]) == 130
    assert train.main(command_to_resume(capsys.readouterr().err)) == 0
    configuration = json.loads((tmp_path / "run" / "configuration.json").read_text())
    expected = {"data": "phantom", "modality": "multi", "size": 32, "loss": "mi", "digit": None, "pairing": None}
    assert expected.items() <= configuration.items()
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["identity"]["label_dice"] < 0.8 and metrics["identity"]["landmark_error"] > 0.5
    assert {"label_dice", "landmark_error"} <= metrics["registered"].keys()
    assert "TRE at" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--data phantom --digit 5", "--digit 5 is for digits, not for --data phantom: leave it out"),
        ("--data phantom --fixed-index 5", "--fixed-index 5 is for digits, not for --data phantom"),
        ("--modality ct", "--modality ct is for phantoms, not for --data strokes: leave it out"),
        ("--data phantom --size 20", "phantoms are 32 to 256 pixels wide, got 20"),
        ("--data phantom --modality pet", "argument --modality: invalid choice: 'pet'"),
        ("--leave-out 5", "nothing is left to train on: of the digits 5, [5] were left out"),
        ("--leave-out 12", "argument --leave-out: invalid choice: 12"),
    ],
)
def test_an_option_for_other_data_is_refused(tmp_path, few_digits, capsys, options, message):
    assert message in complaint(capsys, train.main, *TINY, "--out", tmp_path / "run", *options.split())
    assert not (tmp_path / "run").exists()


def test_a_digit_that_is_left_out_is_remembered(tmp_path, few_digits):
    assert train.main([*TINY, "--digit", "all", "--leave-out", "7", "3", "--out", str(tmp_path / "run")]) == 0
    assert json.loads((tmp_path / "run" / "configuration.json").read_text())["leave_out"] == [7, 3]


# Recipes, folders, options


def test_the_recipe_of_2020_is_the_published_one(tmp_path, few_digits):
    folder = tmp_path / "run"
    assert train.main(["--data", "strokes", "--recipe", "mnist2020", "--steps", "2", "--out", str(folder)]) == 0
    configuration = json.loads((folder / "configuration.json").read_text())
    published = {
        "model": "encoder-decoder",
        "loss": "ncc",
        "smoothness": 0.0,
        "optimiser": "sgd",
        "schedule": "constant",
        "lr": 0.004,
        "clip": None,
        "batch_size": 32,
    }
    assert published.items() <= configuration.items()


def test_the_recipe_of_2020_sees_every_image_a_hundred_times(tmp_path):
    for digit, images in ((5, 35), ("all", 367)):
        run = tiny_trainer(tmp_path, recipe="mnist2020", steps=None, batch_size=32, digit=digit)
        assert run.configuration.steps == math.ceil(100 * images / 32)


def test_options_go_before_the_recipe(tmp_path, few_digits):
    options = ["--recipe", "mnist2020", "--model", "pyramid", "--smoothness", "0.5", "--lr", "0.25", "--loss", "mse"]
    train.main([*TINY, *options, "--out", str(tmp_path / "run")])
    configuration = json.loads((tmp_path / "run" / "configuration.json").read_text())
    expected = {"model": "pyramid", "smoothness": 0.5, "lr": 0.25, "loss": "mse", "optimiser": "sgd", "batch_size": 2}
    assert expected.items() <= configuration.items()


def test_only_images_in_files_are_augmented_unless_one_asks_for_it(tmp_path, few_digits):
    for data, strength in (("strokes", 0), ("phantom", 0), ("slices", 1), ("pairs.csv", 1)):
        assert configure({"data": data}).augment == strength
    assert configure({"data": "slices", "augment": 0.0}).augment == 0
    for given, strength in (([], 0), (["--augment"], 1), (["--augment", "0.5"], 0.5)):
        folder = tmp_path / f"run {strength}"
        assert train.main([*TINY, *given, "--out", str(folder)]) == 0
        assert json.loads((folder / "configuration.json").read_text())["augment"] == strength
    losses = [load_checkpoint(folder / "checkpoint.npz")[1]["history"]["loss"][0] for folder in tmp_path.iterdir()]
    assert len(set(losses)) == 3
    with pytest.raises(InputError, match="augment must be a number of at least 0, got -1"):
        configure({"data": "slices", "augment": -1})


def test_runs_get_folders_of_their_own_below_runs(tmp_path, few_digits, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Trainer, "report", lambda self: {})
    one = ["--data", "strokes", "--steps", "1", "--batch-size", "1"]
    for options in ([], [], ["--digit", "3"], ["--pairing", "random"], ["--recipe", "mnist2020"], []):
        assert train.main([*one, *options]) == 0
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {
        "strokes-5-atlas",
        "strokes-5-atlas-2",
        "strokes-5-atlas-3",
        "strokes-3-atlas",
        "strokes-5-random",
        "mnist2020-strokes-5-atlas",
    }


def test_a_batch_larger_than_the_data_set_shows_images_again(tmp_path, few_digits):
    assert train.main(["--data", "strokes", "--steps", "1", "--batch-size", "50", "--out", str(tmp_path / "run")]) == 0


def test_data_auto_is_remembered_as_what_it_was_and_may_be_repeated(tmp_path, few_digits, monkeypatch):
    monkeypatch.setattr(
        "minireg.data.sources._read_or_download", lambda folder: (_ for _ in ()).throw(train.InputError("no MNIST."))
    )
    auto = ["--data", "auto", *TINY[2:], "--resume", "--out", str(tmp_path / "run")]
    assert train.main(auto) == 0
    assert json.loads((tmp_path / "run" / "configuration.json").read_text())["data"] == "strokes"
    assert train.main(auto) == 0


@pytest.mark.skipif(not os.environ.get("MINIREG_DATA"), reason="needs MNIST: its folder in MINIREG_DATA")
def test_training_on_mnist_registers_far_better_than_doing_nothing(tmp_path):
    options = ["--data", "mnist", "--steps", "30", "--batch-size", "16", "--out", str(tmp_path / "run")]
    assert train.main(options) == 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["registered"]["ncc"] > metrics["identity"]["ncc"] + 0.3

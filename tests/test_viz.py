"""The registration picture, the loss curve, and that files appear whole or not at all."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from minireg import viz
from minireg.errors import InputError


def pairs(shape=(2, 16, 24), displacement=0.0):
    """Moving, fixed and warped images and a constant displacement."""
    random = np.random.default_rng(0)
    images = [random.random((*shape, 1), dtype=np.float32) for _ in range(3)]
    return (*images, np.full((*shape, 2), displacement, dtype=np.float32))


def history(steps):
    return {"loss": np.linspace(1, 0, steps), "smoothness": np.zeros(steps)}


# The registration picture


@pytest.mark.parametrize(
    "pair_count, height, width", [(2, 32, 32), (1, 100, 150), (1, 1, 1), (1, 1, 40), (1, 256, 256)]
)
def test_a_registration_picture_is_900_pixels_wide_and_as_high_as_its_rows(tmp_path, pair_count, height, width):
    viz.registration_picture(*pairs((pair_count, height, width)), tmp_path / "pairs.png")
    heading, notes, panel_height = 30, 42, 139 * max(height / width, 0.25)
    picture_height, picture_width = imread(tmp_path / "pairs.png").shape[:2]
    assert picture_width == 900
    assert picture_height == pytest.approx(heading + pair_count * (panel_height + notes), abs=1)


def test_pairs_beyond_max_rows_change_no_byte_of_the_picture(tmp_path):
    images = pairs((2, 8, 8))
    viz.registration_picture(*images, tmp_path / "many.png", titles=["a", "b"], max_rows=1)
    viz.registration_picture(*(a[:1] for a in images), tmp_path / "one.png", titles=["a"])
    assert (tmp_path / "many.png").read_bytes() == (tmp_path / "one.png").read_bytes()


def test_the_difference_panels_are_red_where_too_bright_blue_where_too_dark_white_where_equal(tmp_path):
    fixed = np.full((1, 8, 8, 1), 0.5, dtype=np.float32)
    moving, warped = fixed.copy(), fixed.copy()
    moving[:, :4] = 1
    moving[:, 4:] = 0
    viz.registration_picture(moving, fixed, warped, np.zeros((1, 8, 8, 2)), tmp_path / "pair.png")
    picture = imread(tmp_path / "pair.png")[..., :3]
    # The panels are 139 pixels wide and 6 apart, between margins of 18 pixels and below a heading of 30.
    before, after = 18 + 3 * 145 + 70, 18 + 4 * 145 + 70
    red, _, blue = picture[30 + 35, before]
    assert red > blue + 0.2
    red, _, blue = picture[30 + 105, before]
    assert blue > red + 0.2
    assert picture[30 + 35, after].min() > 0.95


def test_a_picture_does_not_tell_which_matplotlib_drew_it(tmp_path):
    viz.loss_curve(history(30), tmp_path / "loss.png")
    assert b"matplotlib" not in (tmp_path / "loss.png").read_bytes().lower()


def test_drawing_leaves_the_arrays_as_they_were(tmp_path):
    images = pairs((1, 8, 8))
    copies = [array.copy() for array in images]
    viz.registration_picture(*images, tmp_path / "pairs.png")
    for array, copy in zip(images, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda m, f, w, u: (m, f[:, :-1], w, u), r"\(N, H, W, 1\).*\(2, 15, 24, 1\)"),
        (lambda m, f, w, u: (m, f, w, u[:1]), r"displacement \(N, H, W, 2\).*\(1, 16, 24, 2\)"),
        (lambda m, f, w, u: (*(np.repeat(a, 3, axis=-1) for a in (m, f, w)), u), r"\(2, 16, 24, 3\)"),
        (lambda m, f, w, u: (m, f, w * np.nan, u), "768 of the 768 values of a are NaN"),
        (lambda m, f, w, u: (m[:0], f[:0], w[:0], u[:0]), "none of them empty"),
    ],
    ids=["fixed", "displacement", "colour", "not a number", "no pair"],
)
def test_arrays_that_do_not_belong_together_are_refused_and_no_file_appears(tmp_path, spoil, message):
    with pytest.raises(InputError, match=message):
        viz.registration_picture(*spoil(*pairs()), tmp_path / "pairs.png")
    assert not list(tmp_path.iterdir())


def test_titles_and_rows_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(InputError, match="one title for each of the 2 pairs, found 1"):
        viz.registration_picture(*pairs(), tmp_path / "pairs.png", titles=["one"])
    with pytest.raises(InputError, match="max_rows=0"):
        viz.registration_picture(*pairs(), tmp_path / "pairs.png", max_rows=0)


# The loss curve


@pytest.mark.parametrize("steps", [0, 1, 500])
def test_a_loss_curve_of_any_length_is_a_picture_900_pixels_wide_and_300_high(tmp_path, steps):
    viz.loss_curve(history(steps), tmp_path / "loss.png")
    picture = imread(tmp_path / "loss.png")
    assert picture.shape[:2] == (300, 900)
    assert picture.min() < 0.5  # something is drawn


def test_validation_is_drawn_in_the_panel_of_its_curve_and_only_where_it_was_measured(tmp_path):
    curves = {"loss": np.linspace(1, 0, 40), "smoothness": np.linspace(0, 1, 40)}
    viz.loss_curve(curves, tmp_path / "without.png")
    for name, known in (("few", [9, 39]), ("more", [9, 19, 39])):
        validation = np.full(40, np.nan)
        validation[known] = 0.5
        viz.loss_curve(curves | {"validation_loss": validation}, tmp_path / f"{name}.png")
    without, few, more = (imread(tmp_path / f"{name}.png") for name in ("without", "few", "more"))
    assert without.shape == few.shape
    left, right = np.array_split(np.any(without != few, axis=(0, 2)), 2)
    assert left.any() and not right.any()
    assert not np.array_equal(few, more)


def test_a_history_without_curves_says_that_there_is_no_data(tmp_path):
    viz.loss_curve({}, tmp_path / "nothing.png")
    viz.loss_curve({"loss": []}, tmp_path / "no-steps.png")
    assert (tmp_path / "nothing.png").read_bytes() == (tmp_path / "no-steps.png").read_bytes()


@pytest.mark.parametrize("curves", [{"a": [1, 2], "b": [1]}, {"a": [[1, 2]]}, {"a": 1}])
def test_curves_that_are_not_equally_long_rows_of_numbers_are_refused(tmp_path, curves):
    with pytest.raises(InputError, match="equally many for every curve"):
        viz.loss_curve(curves, tmp_path / "loss.png")


# Files and imports


def test_a_missing_folder_is_an_error_and_is_not_made(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(FileNotFoundError):
        viz.loss_curve(history(3), missing / "loss.png")
    with pytest.raises(FileNotFoundError):
        viz.registration_picture(*pairs(), missing / "pairs.png")
    assert not list(tmp_path.iterdir())


def test_a_file_in_place_of_the_folder_is_an_error_and_stays_as_it_was(tmp_path):
    file = tmp_path / "file"
    file.write_text("kept")
    with pytest.raises(OSError):
        viz.loss_curve(history(3), file / "loss.png")
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and file.read_text() == "kept"


def test_a_drawing_that_fails_halfway_leaves_the_previous_picture_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "loss.png"
    viz.loss_curve(history(3), path)
    previous = path.read_bytes()

    def fail_halfway(self, file, **options):
        file.write(b"half a picture")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fail_halfway)
    with pytest.raises(OSError, match="disk full"):
        viz.loss_curve(history(4), path)
    assert list(tmp_path.iterdir()) == [path] and path.read_bytes() == previous


def test_importing_viz_imports_no_matplotlib_and_drawing_imports_no_pyplot(tmp_path):
    program = f"""
import sys
import minireg.viz
assert not any(name.split(".")[0] == "matplotlib" for name in sys.modules)
minireg.viz.loss_curve({{"loss": [1.0, 0.5]}}, {str(tmp_path / "loss.png")!r})
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)

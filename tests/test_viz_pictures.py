"""The picture of fields, the animation, the picture of methods: what is shown where, and that bytes repeat."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from PIL import Image

from minireg import viz
from minireg.errors import InputError

RED = np.array(to_rgb(viz.FOLD_COLOUR))


def pairs(shape=(2, 16, 24), displacement=0.0):
    """Moving, fixed and warped images and a constant displacement."""
    random = np.random.default_rng(0)
    images = [random.random((*shape, 1), dtype=np.float32) for _ in range(3)]
    return (*images, np.full((*shape, 2), displacement, dtype=np.float32))


def linear(matrix, side=16):
    """The displacement (1, side, side, 2) of p -> centre + matrix (p - centre)."""
    offsets = np.stack(np.mgrid[:side, :side], axis=-1) - (side - 1) / 2
    return (offsets @ np.transpose(matrix) - offsets)[None].astype(np.float32)


def reds(picture):
    """How many pixels (in [0, 1]) are as red as folds."""
    return np.count_nonzero(np.abs(picture[..., :3] - RED).max(axis=-1) < 0.03)


# The picture of fields


@pytest.mark.parametrize("pair_count, height, width", [(2, 32, 32), (1, 1, 1), (1, 1, 9), (1, 9, 1)])
def test_a_picture_of_fields_is_900_pixels_wide_and_as_high_as_its_rows(tmp_path, pair_count, height, width):
    viz.field_picture(*pairs((pair_count, height, width)), tmp_path / "fields.png")
    heading, notes, foot, panel_height = 44, 46, 30, 139 * np.clip(height / width, 0.25, 2.5)
    picture_height, picture_width = imread(tmp_path / "fields.png").shape[:2]
    assert picture_width == 900
    assert picture_height == pytest.approx(heading + pair_count * (panel_height + notes) + foot, abs=1)


def test_before_is_moving_in_magenta_over_fixed_in_green_and_after_is_warped_over_fixed(tmp_path):
    moving, fixed, warped = (np.zeros((1, 16, 16, 1), np.float32) for _ in range(3))
    moving[:, :8] = 1
    fixed[:, 8:] = 1
    warped[:, 8:] = 1
    viz.field_picture(moving, fixed, warped, np.zeros((1, 16, 16, 2), np.float32), tmp_path / "fields.png")
    picture = imread(tmp_path / "fields.png")[..., :3]
    # The panels are 139 pixels wide and 6 apart, between margins of 18 pixels and below a heading of 44.
    top, bottom, before, after = 44 + 35, 44 + 105, 18 + 70, 18 + 145 + 70
    np.testing.assert_array_equal(picture[top, before], (1, 0, 1))
    np.testing.assert_array_equal(picture[bottom, before], (0, 1, 0))
    np.testing.assert_array_equal(picture[top, after], (0, 0, 0))
    np.testing.assert_array_equal(picture[bottom, after], (1, 1, 1))


def test_a_fold_is_red_in_the_grid_and_in_log_jacobian_and_without_one_these_panels_have_no_red(tmp_path):
    moving, fixed, warped, smooth = pairs((1, 16, 16))
    folded = smooth.copy()
    folded[0, 8, 8] = -2.5
    for name, displacement in (("smooth", smooth), ("folded", folded)):
        viz.field_picture(moving, fixed, warped, displacement, tmp_path / name)
        picture = imread(tmp_path / name)[44 : 44 + 139]  # below the headings, one of which is red
        grid, jacobian = picture[:, 308:447], picture[:, 743:882]
        assert (reds(grid) > 50, reds(jacobian) > 50) == (name == "folded",) * 2


def test_further_pairs_change_no_byte_of_the_picture_of_fields_and_of_the_animation(tmp_path):
    moving, fixed, warped, displacement = pairs((2, 8, 8))
    for count in (1, 2):
        pair = [array[:count] for array in (moving, fixed, warped, displacement)]
        viz.field_picture(*pair, tmp_path / f"{count}.png", titles=["a", "b"][:count], max_rows=1)
        viz.animation(pair[0], pair[1], pair[3], tmp_path / f"{count}.gif", frames=3, max_rows=1)
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()
    assert (tmp_path / "1.gif").read_bytes() == (tmp_path / "2.gif").read_bytes()


def test_arrays_that_do_not_belong_together_are_refused_and_no_file_appears(tmp_path):
    moving, fixed, warped, displacement = pairs()
    with pytest.raises(InputError, match=r"displacement \(N, H, W, 2\).*\(1, 16, 24, 2\)"):
        viz.field_picture(moving, fixed, warped, displacement[:1], tmp_path / "fields.png")
    with pytest.raises(InputError, match=r"displacement \(N, H, W, 2\).*\(1, 16, 24, 2\)"):
        viz.animation(moving, fixed, displacement[:1], tmp_path / "pairs.gif")
    with pytest.raises(InputError, match="NaN or infinite"):
        viz.field_picture(moving, fixed, warped, displacement * np.nan, tmp_path / "fields.png")
    with pytest.raises(InputError, match="NaN or infinite"):
        viz.animation(moving, fixed, displacement * np.nan, tmp_path / "pairs.gif")
    with pytest.raises(InputError, match="frames=1"):
        viz.animation(moving, fixed, displacement, tmp_path / "pairs.gif", frames=1)
    with pytest.raises(InputError, match="max_rows=0"):
        viz.animation(moving, fixed, displacement, tmp_path / "pairs.gif", max_rows=0)
    with pytest.raises(FileNotFoundError):
        viz.animation(moving, fixed, displacement, tmp_path / "missing" / "pairs.gif", frames=2)
    assert not list(tmp_path.iterdir())


# The animation


def animated(tmp_path, moving, displacement, frames, fixed=None):
    """Write an animation; its frames as arrays in [0, 1], and how many milliseconds each is shown."""
    viz.animation(moving, moving if fixed is None else fixed, displacement, tmp_path / "pair.gif", frames)
    with Image.open(tmp_path / "pair.gif") as gif:
        assert gif.info["loop"] == 0  # for ever
        pictures, times = [], []
        for number in range(gif.n_frames):
            gif.seek(number)
            pictures.append(np.asarray(gif.convert("RGB")) / 255)
            times.append(gif.info["duration"])
    return pictures, times


def bright_column(picture):
    """The column of the brightest pixel of the warped image: the panel is 206 pixels wide and holds 16 columns."""
    panel = picture[40:220, 5 + 212 : 5 + 212 + 206, 0]
    return int(np.flatnonzero((panel > 0.7).any(axis=0)).mean() / 206 * 16)


def dot(column):
    image = np.zeros((1, 16, 16, 1), np.float32)
    image[0, 8, column] = 1
    return image


def test_an_animation_rests_at_both_ends_and_has_as_many_frames_as_asked_for(tmp_path):
    pictures, times = animated(tmp_path, dot(10), linear(np.eye(2)), 5)
    assert times == [800, 80, 80, 80, 1600]
    assert {picture.shape for picture in pictures} == {(242, 640, 3)}


def test_content_moves_from_the_moving_image_to_the_warped_one_in_a_straight_line(tmp_path):
    displacement = np.zeros((1, 16, 16, 2), np.float32)
    displacement[..., 1] = 4  # every pixel looks 4 to the right, so the dot goes 4 to the left
    pictures, _ = animated(tmp_path, dot(10), displacement, 3)
    assert [bright_column(picture) for picture in pictures] == [10, 8, 6]


@pytest.mark.parametrize(
    "jacobian, folded",
    [
        # det((1 - t) I + t J) is 0 or less from 1 / (1 - l) of one negative eigenvalue l to that of the other.
        (np.diag([-1, -0.5]), [3]),  # from .5 to .67
        (np.diag([-1 / 3, 1]), [4, 5]),  # from .75 on
        ([[-0.8, -0.6], [0.6, -0.8]], []),  # a turn by 143 degrees
    ],
)
def test_the_straight_way_folds_where_eigenvalues_of_the_jacobian_are_negative_and_only_then(
    tmp_path, jacobian, folded
):
    pictures, _ = animated(tmp_path, dot(10), linear(jacobian), 6)
    assert [number for number, picture in enumerate(pictures) if reds(picture)] == folded  # t is a fifth of that


def test_a_single_folded_cell_among_many_colours_stays_red(tmp_path):
    moving, fixed, _, displacement = pairs((1, 24, 24))
    displacement[0, 12, 12] = -1.2
    pictures, _ = animated(tmp_path, moving, displacement, 3, fixed)
    assert reds(pictures[0]) == 0 and reds(pictures[-1]) > 3


def test_greys_stay_grey_and_white_stays_white(tmp_path):
    moving, fixed, _, displacement = pairs((1, 24, 24))
    picture = animated(tmp_path, moving, displacement, 2, fixed)[0][0]
    assert (picture[[0, -1]] == 1).all()
    panel = picture[32:234, 220:420]
    assert np.ptp(panel, axis=-1).max() < 0.04
    np.testing.assert_allclose(panel[4::9, 4, 0].max(), moving.max(), atol=0.1)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 9, 1)])
def test_images_of_any_size_can_be_animated_and_the_bytes_repeat(tmp_path, shape):
    moving, fixed, _, displacement = pairs(shape, 0.5)
    for name in "ab":
        viz.animation(moving, fixed, displacement, tmp_path / name, frames=2)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# The picture of methods


@pytest.fixture
def drawn(monkeypatch):
    """The figure of the last `methods_picture`."""
    figures = []
    save = viz.methods.save
    monkeypatch.setattr(viz.methods, "save", lambda figure, path: (figures.append(figure), save(figure, path)))
    return lambda: figures[-1]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_every_pair_the_quartiles_and_the_mean_of_each_method_are_drawn_on_its_line(tmp_path, drawn):
    random = np.random.default_rng(0)
    scores = {name: {"ncc": random.random(50), "folded_cells": 0.1 * random.random(50)} for name in ("one", "other")}
    viz.methods_picture(scores, tmp_path / "methods.png")
    for axes, metric in zip(drawn().axes, ("ncc", "folded_cells"), strict=True):
        assert axes.get_ylim() == (1.5, -0.5)  # the first at the top
        for line, values in enumerate(scores[name][metric] for name in scores):
            dots, bar, mean = axes.lines[3 * line : 3 * line + 3]
            np.testing.assert_array_equal(dots.get_xdata(), values)
            assert np.abs(dots.get_ydata() - line).max() <= 0.25
            np.testing.assert_allclose(bar.get_xdata(), np.quantile(values, [0.25, 0.75]))
            np.testing.assert_array_equal(bar.get_ydata(), line)
            assert (mean.get_xdata(), mean.get_ydata()) == (pytest.approx(values.mean()), line)
    ncc, cells = drawn().axes
    assert [label.get_text() for label in ncc.get_yticklabels()] == ["one", "other"]
    assert texts(ncc) == [f"{scores[name]['ncc'].mean():#.3g}" for name in scores]
    assert texts(cells) == [f"{scores[name]['folded_cells'].mean():.2%}" for name in scores]


def test_a_panel_says_what_it_shows_and_which_direction_is_better(tmp_path, drawn):
    scores = {"one": {name: np.ones(3) for name in ("ncc", "hausdorff95", "spread_log_jacobian", "my_own")}}
    viz.methods_picture(scores, tmp_path / "methods.png")
    assert [(axes.get_title(), axes.get_xlabel()) for axes in drawn().axes[:4]] == [
        ("NCC", "higher is better →"),
        ("95 % Hausdorff, pixels", "← lower is better"),
        ("spread of log |J|", ""),
        ("my own", ""),
    ]


def test_what_is_not_a_number_is_left_out_and_counted(tmp_path, drawn):
    scores = {
        "some": {"ncc": np.array([0.5, np.nan, 1.0, np.inf])},
        "none": {"ncc": np.array([np.nan, np.nan])},
        "other": {"dice": np.array([1.0])},
    }
    viz.methods_picture(scores, tmp_path / "methods.png")
    ncc, dice = drawn().axes
    np.testing.assert_array_equal(ncc.lines[0].get_xdata(), [0.5, 1.0])
    assert texts(ncc) == ["0.750\n(2 of 4)", "not measured", "not measured"]
    assert texts(dice) == ["not measured", "not measured", "1.00"]


def test_one_to_eight_methods_fit_and_the_same_scores_give_the_same_bytes(tmp_path):
    scores = {f"method {i}": {"ncc": np.linspace(0, 1, 5), "ms_per_pair": np.full(5, 1234.5)} for i in range(8)}
    viz.methods_picture(scores, tmp_path / "eight")
    for name in "ab":
        viz.methods_picture({"one": {"ncc": np.linspace(0, 1, 5)}}, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert imread(tmp_path / "a").shape[1] == imread(tmp_path / "eight").shape[1] == 900


@pytest.mark.parametrize(
    "scores, message",
    [
        ({}, "found 0 methods"),
        ({str(i): {"ncc": np.ones(2)} for i in range(9)}, "found 9 methods"),
        ({"a": {}}, "0 metrics"),
        ({"a": {"ncc": np.ones((2, 2))}}, r"ncc of a, found float64 \(2, 2\)"),
        ({"a": {"ncc": ["good"]}}, "one number per pair for ncc of a"),
    ],
)
def test_scores_that_cannot_be_drawn_are_refused(tmp_path, scores, message):
    with pytest.raises(InputError, match=message):
        viz.methods_picture(scores, tmp_path / "methods.png")
    assert not list(tmp_path.iterdir())

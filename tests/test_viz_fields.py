"""Fields and overlays drawn on axes: what the artists hold, and what the pixels show."""

import numpy as np
import pytest
from gradients import host
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure

from minireg import backend, metrics, ops, viz
from minireg.errors import InputError
from minireg.viz import fields, folds


def constant(row, column, height=20, width=20):
    return np.full((height, width, 2), (row, column), dtype=np.float64)


def linear(matrix, side=17):
    """The displacement of p -> centre + matrix (p - centre), and the offsets p - centre."""
    offsets = np.stack(np.mgrid[:side, :side], axis=-1) - (side - 1) / 2
    return offsets @ np.transpose(matrix) - offsets, offsets


def bare_axes(side=200):
    """Axes that fill a black figure of side x side pixels, so that data and pixels are easy to compare."""
    figure = Figure(figsize=(side / 100, side / 100), dpi=100, facecolor="black")
    return figure.add_axes([0, 0, 1, 1], facecolor="black", xticks=[], yticks=[])


def pixels(axes):
    """The figure of `axes` as float array (height, width, 3) in [0, 1], row 0 at the top."""
    canvas = FigureCanvasAgg(axes.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3] / 255


def pixel_at(axes, x, y):
    """Where the data point (x, y) of `axes` lies in `pixels`: row, column."""
    across, up = axes.transData.transform((x, y))
    return int(axes.figure.bbox.height - up), int(across)


def near(picture, colour, tolerance=0.1):
    """Which pixels have nearly this colour."""
    return np.abs(picture - to_rgb(colour)).max(axis=-1) < tolerance


def drawn_grid(displacement, spacing=1):
    """The axes after `draw_warped_grid`, the vertices of its lines, and the collection of its folded cells."""
    axes = Figure().add_subplot()
    viz.draw_warped_grid(axes, displacement, spacing)
    lines, folds = axes.collections
    return axes, lines.get_segments(), folds


# The warped grid


def test_a_translation_moves_every_vertex_down_by_its_row_and_right_by_its_column_component():
    displacement = np.zeros((4, 5, 2))
    displacement[:] = 2, 3
    _, lines, folds = drawn_grid(displacement)
    assert len(lines) == 4 + 5 and not folds.get_paths()
    for row, line in enumerate(lines[:4]):
        np.testing.assert_array_equal(line, [(column + 3, row + 2) for column in range(5)])
    for column, line in enumerate(lines[4:]):
        np.testing.assert_array_equal(line, [(column + 3, row + 2) for row in range(4)])


def test_every_vertex_lies_where_its_output_pixel_was_sampled():
    displacement = np.random.default_rng(0).normal(size=(6, 7, 2))
    _, lines, _ = drawn_grid(displacement)
    for row in range(6):
        for column in range(7):
            x, y = column + displacement[row, column, 1], row + displacement[row, column, 0]
            np.testing.assert_allclose(lines[row][column], (x, y))
            np.testing.assert_allclose(lines[6 + column][row], (x, y))


def test_row_zero_is_at_the_top_and_the_frame_is_that_of_the_image():
    axes, _, _ = drawn_grid(np.zeros((4, 6, 2)))
    assert axes.get_ylim() == (3.5, -0.5)
    assert axes.get_xlim() == (-0.5, 5.5)


def test_a_wider_spacing_draws_fewer_lines_and_keeps_the_border():
    _, lines, _ = drawn_grid(np.zeros((6, 5, 2)), spacing=2)
    assert [line[0, 1] for line in lines[:4]] == [0, 2, 4, 5]  # rows
    assert [line[0, 0] for line in lines[4:]] == [0, 2, 4]  # columns
    assert all(len(line) == 5 for line in lines[:4])  # a line bends at every pixel, drawn or not


def test_exactly_the_folded_cells_are_red_whatever_the_spacing():
    displacement = np.zeros((5, 5, 2))
    displacement[4, 4] = -0.8, -0.8  # folds the last cell, at one corner only
    for spacing in (1, 2, 4):
        _, _, folds = drawn_grid(displacement, spacing)
        (cell,) = folds.get_paths()
        np.testing.assert_allclose(cell.vertices[:4], [(3, 3), (4, 3), (3.2, 3.2), (3, 4)])
        np.testing.assert_allclose(folds.get_facecolor(), [to_rgba(viz.FOLD_COLOUR)])


# The arrows


def test_an_arrow_goes_from_each_pixel_to_where_it_looks_true_to_scale():
    displacement = np.random.default_rng(0).normal(size=(5, 7, 2))
    axes = Figure().add_subplot()
    viz.draw_arrows(axes, displacement)
    (arrows,) = axes.collections
    assert (arrows.angles, arrows.scale_units, arrows.scale) == ("xy", "xy", 1)
    rows, columns = np.mgrid[:5, :7]
    np.testing.assert_array_equal(arrows.XY, np.stack([columns.ravel(), rows.ravel()], axis=-1))
    np.testing.assert_array_equal(arrows.U, displacement[..., 1].ravel())
    np.testing.assert_array_equal(arrows.V, displacement[..., 0].ravel())
    assert axes.get_ylim() == (4.5, -0.5) and axes.get_xlim() == (-0.5, 6.5)


@pytest.mark.parametrize("row, column", [(6, 0), (-6, 0), (0, 6), (0, -6), (5, -5)])
def test_on_the_screen_an_arrow_starts_at_its_pixel_and_its_head_lies_where_that_pixel_looks(row, column):
    axes = bare_axes()
    viz.draw_arrows(axes, constant(row, column), spacing=20)  # one arrow, from pixel (9, 9)
    light = pixels(axes)[..., 0]
    drawn = np.argwhere(light > 0.1)
    tail, tip = np.array(pixel_at(axes, 9, 9)), np.array(pixel_at(axes, 9 + column, 9 + row))
    along = (drawn - tail) @ (tip - tail) / np.sum((tip - tail) ** 2)  # 0 at the tail, 1 at the tip
    assert along.min() == pytest.approx(0, abs=0.05) and along.max() == pytest.approx(1, abs=0.05)
    light = light[tuple(drawn.T)]
    assert light[along > 0.8].sum() > 1.2 * light[along < 0.2].sum()  # the head is wider than the shaft


def test_the_tail_of_an_arrow_lies_on_the_content_of_the_warped_image_and_the_head_on_that_of_the_moving_one():
    moving = np.zeros((1, 20, 20, 1), np.float32)
    moving[0, 14, 5] = 1
    displacement = constant(5, -4).astype(np.float32)
    warped = ops.warp(backend.to_device(moving), backend.to_device(displacement[None]), border="edge")
    ((row, column),) = np.argwhere(host(warped)[0, ..., 0] > 0.5)
    axes = Figure().add_subplot()
    viz.draw_arrows(axes, displacement)
    (arrows,) = axes.collections
    (index,) = np.flatnonzero(np.all((column, row) == arrows.XY, axis=1))
    np.testing.assert_array_equal(arrows.XY[index] + (arrows.U[index], arrows.V[index]), (5, 14))


@pytest.mark.parametrize("spacing, expected", [(1, range(8)), (3, (0, 3, 6)), (4, (1, 5)), (100, (3,))])
def test_arrows_are_drawn_every_so_manyth_pixel_with_equal_margins(spacing, expected):
    axes = Figure().add_subplot()
    viz.draw_arrows(axes, constant(0, 1, 8, 8), spacing)
    (arrows,) = axes.collections
    assert sorted(set(arrows.XY[:, 0])) == sorted(set(arrows.XY[:, 1])) == list(expected)


# The direction


@pytest.mark.parametrize("angle", range(0, 360, 45))
def test_a_field_has_the_colour_that_the_wheel_has_on_the_side_to_which_the_field_points(angle):
    right, down = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    axes = bare_axes()
    viz.draw_direction(axes, constant(4 * down, 4 * right), longest=5)
    picture = pixels(axes)
    # The wheel is found on the screen by its rim, not by its own coordinates: a wheel upside down must be seen.
    (wheel,) = axes.child_axes
    box = wheel.get_window_extent()
    centre = picture.shape[0] - (box.y0 + box.y1) / 2, (box.x0 + box.x1) / 2
    row, column = (int(c + 0.8 * box.width / 2 * towards) for c, towards in zip(centre, (down, right), strict=True))
    np.testing.assert_allclose(picture[row, column], picture[150, 50], atol=0.08)
    assert np.ptp(picture[150, 50]) > 0.7  # a colour


@pytest.mark.parametrize(
    "row, column, expected", [(0, 1, (1, 0, 0)), (1, 0, (0.5, 1, 0)), (0, -1, (0, 1, 1)), (-1, 0, (0.5, 0, 1))]
)
def test_right_is_red_down_is_yellow_green_left_is_cyan_and_up_is_violet(row, column, expected):
    axes = bare_axes()
    viz.draw_direction(axes, constant(row, column))
    np.testing.assert_allclose(pixels(axes)[150, 50], expected, atol=0.01)


def test_the_colour_fades_to_white_with_the_length_and_beyond_the_longest_stays_full():
    for length, saturation in ((0, 0), (1, 0.25), (2, 0.5), (4, 1), (8, 1)):
        axes = bare_axes()
        viz.draw_direction(axes, constant(0, length), longest=4)
        np.testing.assert_allclose(pixels(axes)[150, 50], (1, 1 - saturation, 1 - saturation), atol=0.01)
    axes = bare_axes()
    viz.draw_direction(axes, constant(0, 0))
    assert pixels(axes)[150, 50].min() == 1


# log |J|


@pytest.mark.parametrize("zoom", [0.5, 1.0, 1.25])
def test_the_log_of_the_jacobian_determinant_of_a_zoom_is_that_of_its_square(zoom):
    axes = Figure().add_subplot()
    viz.draw_log_jacobian(axes, linear(zoom * np.eye(2))[0])
    (image,) = axes.images
    assert image.get_array().shape == (16, 16)
    np.testing.assert_allclose(image.get_array(), 2 * np.log(zoom), atol=1e-12)


def test_each_cell_shows_the_log_of_the_area_of_the_quadrilateral_that_it_is_sent_to():
    displacement = 0.15 * np.random.default_rng(0).normal(size=(6, 7, 2))
    axes = Figure().add_subplot()
    viz.draw_log_jacobian(axes, displacement)
    shown = axes.images[0].get_array()
    for row in range(5):
        for column in range(6):
            corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)]
            y, x = np.transpose([np.add(corner, displacement[corner]) for corner in corners])
            shoelace = np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2
            assert shown[row, column] == pytest.approx(np.log(shoelace), rel=1e-9)


def test_where_the_colour_bar_says_grows_content_grows():
    displacement, offsets = linear(0.5 * np.eye(2))
    disc = (np.hypot(offsets[..., 0], offsets[..., 1]) < 3.2).astype(np.float32)[None, ..., None]
    field = backend.to_device(displacement[None].astype(np.float32))
    warped = host(ops.warp(backend.to_device(disc), field, border="edge"))
    assert warped.sum() > 3 * disc.sum()
    axes = Figure().add_subplot()
    viz.draw_log_jacobian(axes, displacement)
    assert (axes.images[0].get_array() < 0).all()
    (bar,) = axes.child_axes
    assert bar.get_xlabel().split() == ["grows", "shrinks"] and bar.get_xlim()[0] < 0 < bar.get_xlim()[1]


def test_exactly_the_folded_cells_are_red_on_the_screen_and_nothing_else_is():
    displacement = 0.1 * np.random.default_rng(0).normal(size=(21, 21, 2))
    displacement[8, 12] += 2.5, 0  # beyond the pixels below it
    folded = (metrics.corner_determinants(displacement[None])[0] <= 0).any(axis=-1)
    assert 0 < folded.sum() < 8
    axes = bare_axes(420)
    viz.draw_log_jacobian(axes, displacement)
    picture = pixels(axes)
    for row in range(20):
        for column in range(20):
            there = picture[pixel_at(axes, column + 0.5, row + 0.5)]
            assert near(there, viz.FOLD_COLOUR, 0.01) == folded[row, column]


def test_the_colours_of_log_jacobian_are_far_from_the_red_of_folds():
    from matplotlib import colormaps

    colours = colormaps[fields.JACOBIAN_COLOURS](np.linspace(0, 1, 256))[:, :3]
    assert np.linalg.norm(colours - to_rgb(viz.FOLD_COLOUR), axis=1).min() > 0.3


@pytest.mark.parametrize("zoom, limit", [(0.5, 2 * np.log(2)), (2, 2 * np.log(2)), (1.0001, 0.1), (20, 2)])
def test_the_scale_is_symmetric_and_covers_what_occurs_within_bounds(zoom, limit):
    axes = Figure().add_subplot()
    viz.draw_log_jacobian(axes, linear(zoom * np.eye(2))[0])
    norm = axes.images[0].norm
    assert -norm.vmin == norm.vmax == pytest.approx(limit)
    labels = [label.get_text() for label in axes.child_axes[0].get_xticklabels()]
    assert labels == [f"≤−{limit:.1f}", "0", f"≥{limit:.1f}"]


def test_a_few_extreme_cells_do_not_make_all_else_pale():
    displacement = linear(1.1 * np.eye(2), side=40)[0]
    displacement[20, 20, 1] += 0.9  # a cell is nearly 0 wide, its neighbour nearly doubled
    axes = Figure().add_subplot()
    viz.draw_log_jacobian(axes, displacement)
    assert np.abs(axes.images[0].get_array()).max() > 1.5 * 2 * np.log(1.1)
    assert axes.images[0].norm.vmax == pytest.approx(2 * np.log(1.1))
    assert fields.log_jacobian_limit(np.stack([displacement] * 2)) == pytest.approx(2 * np.log(1.1))


# Folds


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("roughness", [0.2, 0.4, 2])
def test_all_cells_that_fold_on_the_straight_way_are_among_those_that_may(roughness, dtype):
    displacement = (roughness * np.random.default_rng(0).normal(size=(40, 50, 2))).astype(dtype)
    cells, u = folds.cells_that_may_fold(displacement)
    assert roughness > 0.2 or len(cells) < 0.5 * 39 * 49
    for t in (0.25, 0.6, 1.0):
        found = np.zeros((39, 49), bool)
        found[tuple(cells[folds.fold(t * u)].T)] = True
        expected = (metrics.corner_determinants(t * displacement[None])[0] <= 0).any(axis=-1)
        np.testing.assert_array_equal(found, expected)
    grid = fields.WarpedGrid(displacement)
    shares = metrics.folded_cells(displacement[None]).item(), metrics.folded_pixels(displacement[None]).item()
    np.testing.assert_allclose(np.divide(grid.count_folds(), 39 * 49), shares)


@pytest.mark.parametrize("draw", [viz.draw_warped_grid, viz.draw_log_jacobian])
def test_a_single_fold_of_a_large_field_is_a_red_dot_in_a_small_panel(draw):
    displacement = np.zeros((2048, 2048, 2), np.float32)
    displacement[701, 703, 1] = 1.05  # to beyond its right neighbour
    axes = bare_axes(139)
    draw(axes, displacement, 128) if draw is viz.draw_warped_grid else draw(axes, displacement)
    rows, columns = np.nonzero(near(pixels(axes), viz.FOLD_COLOUR, 0.03))
    assert 9 <= len(rows) <= 36
    assert np.hypot(rows - 701 / 2048 * 139, columns - 703 / 2048 * 139).max() < 5


def test_a_field_with_a_value_that_is_no_number_is_refused():
    for value in (np.nan, np.inf):
        displacement = np.zeros((5, 5, 2))
        displacement[2, 2] = value
        for draw in (viz.draw_warped_grid, viz.draw_log_jacobian):
            with pytest.raises(InputError, match="NaN or infinite"):
                draw(Figure().add_subplot(), displacement)


# The overlay


def test_an_overlay_is_magenta_or_green_where_one_image_is_bright_and_grey_where_they_agree():
    first, second = np.array([[1, 0], [0.5, 0]])[..., None], np.array([[0, 1], [0.5, 0]])[..., None]
    axes = bare_axes()
    viz.draw_overlay(axes, first, second)
    picture = pixels(axes)
    expected = {(50, 50): (1, 0, 1), (50, 150): (0, 1, 0), (150, 50): (0.5, 0.5, 0.5), (150, 150): (0, 0, 0)}
    for place, colour in expected.items():
        np.testing.assert_allclose(picture[place], colour, atol=0.01)

"""The picture of one pair: what its large panels hold, and that large images are drawn by the means of blocks."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import imread

from minireg import viz
from minireg.errors import InputError
from minireg.viz import folds, images


@pytest.fixture
def drawn(monkeypatch):
    """The six panels of the last `inspection_picture`."""
    figures = []
    save = viz.inspection.save
    monkeypatch.setattr(viz.inspection, "save", lambda figure, path: (figures.append(figure), save(figure, path)))
    return lambda: figures[-1].axes[:6]


def pair(height=16, width=24, displacement=(0.0, 0.0)):
    random = np.random.default_rng(0)
    images = [random.random((1, height, width, 1), dtype=np.float32) for _ in range(3)]
    return (*images, np.full((1, height, width, 2), displacement, dtype=np.float32))


def test_the_overlays_the_checkerboard_and_the_lengths_hold_the_images_that_their_headings_name(tmp_path, drawn):
    moving, fixed, warped, displacement = pair(displacement=(3.0, 4.0))
    viz.inspection_picture(moving, fixed, warped, displacement, tmp_path / "inspection.png")
    before, after, checkerboard, grid, jacobian, length = drawn()
    for axes, first in ((before, moving), (after, warped)):
        shown = axes.images[0].get_array()
        np.testing.assert_array_equal(shown[..., 0], first[0, ..., 0])
        np.testing.assert_array_equal(shown[..., 1], fixed[0, ..., 0])
    squares = checkerboard.images[0].get_array()
    np.testing.assert_array_equal(squares[:3, :3], warped[0, :3, :3, 0])
    np.testing.assert_array_equal(squares[:3, 3:6], fixed[0, :3, 3:6, 0])
    np.testing.assert_array_equal(squares[3:6, 3:6], warped[0, 3:6, 3:6, 0])
    np.testing.assert_array_equal(grid.images[0].get_array(), moving[0, ..., 0])
    np.testing.assert_array_equal(jacobian.images[0].get_array(), 0)
    np.testing.assert_array_equal(length.images[0].get_array(), 5)
    assert length.texts[0].get_text() == "|u| in pixels"


def test_the_ends_of_the_squares_are_marked_at_the_edge_of_the_checkerboard():
    axes = Figure().add_subplot()
    viz.draw_checkerboard(axes, np.zeros((6, 12, 1)), np.ones((6, 12, 1)), squares=4)
    assert axes.get_xticks().tolist() == [2.5, 5.5, 8.5]
    assert axes.get_yticks().tolist() == [2.5]


def test_with_a_spacing_lengths_are_in_mm_and_panels_have_the_shape_of_the_image_in_mm(tmp_path, drawn):
    images = pair(16, 24, displacement=(1.0, 2.0))
    viz.inspection_picture(*images, tmp_path / "inspection.png", spacing=(3.0, 2.0))
    panels = drawn()
    np.testing.assert_array_equal(panels[5].images[0].get_array(), 5)  # 3 mm down, 4 mm across
    assert panels[5].texts[0].get_text() == "|u| in mm"
    viz.inspection_picture(*images, tmp_path / "inspection.png", spacing=(1.0, 1.0))
    assert drawn()[5].texts[0].get_text() == "|u| in mm"  # a pixel may be a mm wide
    for axes in panels:
        box = axes.get_position(original=False)
        width, height = (box.width, box.height) * axes.figure.get_size_inches() * 100
        assert width > 420
        assert height / width == pytest.approx(16 * 3 / (24 * 2), rel=0.01)


def test_folds_are_counted_and_filled_in_the_grid_and_in_log_jacobian(tmp_path, drawn):
    *images, displacement = pair()
    displacement[0, 8, 8, 1] = 2  # passes its right neighbour: two cells fold
    viz.inspection_picture(*images, displacement, tmp_path / "inspection.png")
    _, _, _, grid, jacobian, _ = drawn()
    assert grid.get_xlabel() == "folded cells: 2"
    assert [len(axes.collections[-1].get_paths()) for axes in (grid, jacobian)] == [2, 2]


@pytest.mark.parametrize("height, width", [(1, 1), (1, 9), (9, 1), (2, 1500)])
def test_a_picture_is_1400_pixels_wide_for_images_of_any_shape_and_its_bytes_repeat(tmp_path, height, width):
    for name in "ab":
        viz.inspection_picture(*pair(height, width), tmp_path / name)
    assert imread(tmp_path / "a").shape[1] == 1400
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_further_pairs_are_left_out_and_arrays_that_do_not_belong_together_refused(tmp_path):
    moving, fixed, warped, displacement = pair()
    viz.inspection_picture(moving, fixed, warped, displacement, tmp_path / "one")
    viz.inspection_picture(*(np.tile(a, (2, 1, 1, 1)) for a in pair()), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with pytest.raises(InputError, match=r"displacement \(N, H, W, 2\)"):
        viz.inspection_picture(moving, fixed, warped, displacement[:, :9], tmp_path / "three")
    assert not (tmp_path / "three").exists()


# Large images


def test_a_large_image_is_drawn_by_the_means_of_its_blocks_at_the_place_of_its_pixels():
    image = np.random.default_rng(0).random((1030, 2, 1))
    axes = Figure().add_subplot()
    images.show_grey(axes, image)
    np.testing.assert_allclose(axes.images[0].get_array()[:, 0], image.reshape(515, 4).mean(axis=1))
    assert axes.images[0].get_extent() == [-0.5, 1.5, 1029.5, -0.5]


def test_no_picture_of_a_large_pair_draws_more_pixels_or_vertices_than_it_can_show(tmp_path, monkeypatch):
    moving, fixed, warped, displacement = pair(1200, 1100)
    shapes, vertices = [], []
    imshow, add_collection = Axes.imshow, Axes.add_collection

    def counted_image(axes, image, **options):
        shapes.append(image.shape[:2])
        return imshow(axes, image, **options)

    def counted_lines(axes, collection, **options):
        if isinstance(collection, LineCollection):
            vertices.extend(map(len, collection.get_segments()))
        return add_collection(axes, collection, **options)

    monkeypatch.setattr(Axes, "imshow", counted_image)
    monkeypatch.setattr(Axes, "add_collection", counted_lines)
    viz.registration_picture(moving, fixed, warped, displacement, tmp_path / "a.png")
    viz.field_picture(moving, fixed, warped, displacement, tmp_path / "b.png")
    viz.inspection_picture(moving, fixed, warped, displacement, tmp_path / "c.png")
    viz.animation(moving, fixed, displacement, tmp_path / "d.gif", frames=2)
    assert max(map(max, shapes)) == 600 and max(vertices) == 601  # the last pixel, too


def test_the_squares_of_a_large_checkerboard_end_at_the_pixels_that_are_marked():
    axes = Figure().add_subplot()
    viz.draw_checkerboard(axes, np.zeros((1536, 1536, 1)), np.ones((1536, 1536, 1)), squares=4)
    assert axes.images[0].get_array().shape == (512, 512)
    assert np.flatnonzero(np.diff(axes.images[0].get_array()[0])).tolist() == [127, 255, 383]
    assert axes.get_xticks().tolist() == [383.5, 767.5, 1151.5]


def test_a_single_fold_of_a_large_field_is_filled():
    displacement = np.zeros((1100, 1100, 2), np.float32)
    displacement[701, 703, 1] = 2
    for draw in (viz.draw_log_jacobian, viz.draw_warped_grid):
        axes = Figure().add_subplot()
        draw(axes, displacement)
        assert len(axes.collections[-1].get_paths()) == 2


def test_more_folds_than_polygons_are_worth_are_dots_in_the_middle_of_their_cells(monkeypatch):
    monkeypatch.setattr(folds, "MOST_POLYGONS", 1)
    displacement = np.zeros((9, 9, 2))
    displacement[4, 4, 1] = 2
    axes = Figure().add_subplot()
    viz.draw_log_jacobian(axes, displacement)
    np.testing.assert_array_equal(axes.collections[0].get_offsets(), [(4.5, 3.5), (4.5, 4.5)])

"""The sampler: where it looks, what it finds at and beyond the border, and its derivative where it has a kink."""

import warnings

import numpy as np
import pytest
from gradients import host, output_and_gradients, tensor
from hypothesis import given, settings
from hypothesis import strategies as st

from minireg import backend, ops

BORDERS = ["zeros", "edge"]
both_borders = pytest.mark.parametrize("border", BORDERS)


def image_of(rows, dtype=np.float64):
    """One image of one channel from a list of rows."""
    return np.array(rows, dtype)[None, :, :, None]


def constant_field(u_row, u_column, size, dtype=np.float64, n=1):
    field = np.empty((n, *size, 2), dtype)
    field[...] = (u_row, u_column)
    return field


def random_image(shape, dtype=np.float64, seed=0):
    """No pixel is black, at the border neither: a sampler that reads zeros there is found out."""
    return np.random.default_rng(seed).uniform(0.5, 1, shape).astype(dtype)


def warped(image, field, border="zeros"):
    return host(ops.warp(tensor(image, False), tensor(field, False), border))


def warped_reference(image, field, border):
    """Pixel by pixel, straight from the definition."""

    def value(n, i, j):
        inside = 0 <= i < image.shape[1] and 0 <= j < image.shape[2]
        if border == "zeros" and not inside:
            return np.zeros(image.shape[3])
        return image[n, min(max(i, 0), image.shape[1] - 1), min(max(j, 0), image.shape[2] - 1)]

    y = np.zeros((*field.shape[:3], image.shape[3]))
    for n, p, q in np.ndindex(*field.shape[:3]):
        r, c = p + field[n, p, q, 0], q + field[n, p, q, 1]
        i, j = int(np.floor(r)), int(np.floor(c))
        s, t = r - i, c - j
        y[n, p, q] = (
            (1 - s) * (1 - t) * value(n, i, j)
            + (1 - s) * t * value(n, i, j + 1)
            + s * (1 - t) * value(n, i + 1, j)
            + s * t * value(n, i + 1, j + 1)
        )
    return y


@both_borders
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_every_pixel_is_what_the_definition_says(border, seed):
    rng = np.random.default_rng(seed)
    n, h, w, c, h_out, w_out = rng.integers(1, [3, 6, 6, 4, 6, 6])
    image = rng.standard_normal((n, h, w, c))
    field = rng.uniform(-4, 4, (n, h_out, w_out, 2))
    np.testing.assert_allclose(warped(image, field, border), warped_reference(image, field, border), atol=1e-12)


@both_borders
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_displacement_changes_no_pixel(border, dtype):
    image = random_image((2, 5, 7, 3), dtype)
    np.testing.assert_array_equal(warped(image, np.zeros((2, 5, 7, 2), dtype), border), image)


@both_borders
def test_an_image_of_ones_stays_ones_up_to_the_last_row_and_column(border):
    ones = np.ones((1, 6, 5, 1), np.float32)
    np.testing.assert_array_equal(warped(ones, np.zeros((1, 6, 5, 2), np.float32), border), ones)


@both_borders
@pytest.mark.parametrize("shift", [(1, 0), (-1, 0), (0, 1), (0, -2), (2, 3), (-3, 1), (9, 9), (-6, 0)])
def test_a_whole_number_of_pixels_shifts_exactly(border, shift):
    image = random_image((1, 6, 5, 2), np.float32)
    y = warped(image, constant_field(*shift, (6, 5), np.float32), border)
    mode = {"mode": "edge"} if border == "edge" else {"mode": "constant"}
    padded = np.pad(image, ((0, 0), (10, 10), (10, 10), (0, 0)), **mode)
    expected = padded[:, 10 + shift[0] : 16 + shift[0], 10 + shift[1] : 15 + shift[1]]
    np.testing.assert_array_equal(y, expected)


def test_a_positive_row_displacement_pulls_up_what_lies_below():
    image = image_of([[1, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(warped(image, constant_field(1, 0, (3, 2)))[0, :, :, 0], [[3, 4], [5, 6], [0, 0]])


def test_a_positive_column_displacement_pulls_to_the_left_what_lies_on_the_right():
    image = image_of([[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(warped(image, constant_field(0, 1, (2, 3)))[0, :, :, 0], [[2, 3, 0], [5, 6, 0]])


@both_borders
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_a_ramp_is_sampled_exactly_wherever_the_point_lies_inside_the_image(border, seed):
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(-2, 2, 3)
    rows, columns = np.mgrid[:7, :6].astype(float)
    image = (a * rows + b * columns + c)[None, :, :, None]
    target = rng.uniform(0, 1, (1, 7, 6, 2)) * (6, 5)
    target[0, 0, 0], target[0, 0, 1], target[0, 1, 0] = (6, 5), (6, 2.5), (0.25, 5)  # the last row and column
    y = warped(image, target - np.stack([rows, columns], axis=-1), border)
    np.testing.assert_allclose(y[..., 0], a * target[..., 0] + b * target[..., 1] + c, atol=1e-12)


def test_half_a_pixel_beyond_the_border_is_half_the_border_or_all_of_it():
    image = image_of([[4.0]])
    for step in [(-0.5, 0), (0.5, 0), (0, -0.5), (0, 0.5)]:
        assert warped(image, constant_field(*step, (1, 1)), "zeros").item() == 2
        assert warped(image, constant_field(*step, (1, 1)), "edge").item() == 4


@both_borders
def test_the_output_takes_its_size_from_the_displacement(border):
    image = random_image((2, 4, 5, 3))
    np.testing.assert_array_equal(warped(image, np.zeros((2, 2, 3, 2)), border), image[:, :2, :3])
    assert warped(image, np.zeros((2, 6, 9, 2)), border).shape == (2, 6, 9, 3)


@both_borders
def test_every_channel_is_warped_like_an_image_of_its_own(border):
    rng = np.random.default_rng(0)
    image, field = random_image((2, 5, 6, 3)), rng.uniform(-3, 3, (2, 5, 6, 2))
    alone = [warped(image[..., k : k + 1], field, border) for k in range(3)]
    np.testing.assert_array_equal(warped(image, field, border), np.concatenate(alone, axis=-1))


@both_borders
def test_every_image_of_a_batch_is_warped_by_its_own_field(border):
    rng = np.random.default_rng(0)
    image, field = random_image((3, 5, 6, 1)), rng.uniform(-3, 3, (3, 5, 6, 2))
    alone = [warped(image[k : k + 1], field[k : k + 1], border) for k in range(3)]
    np.testing.assert_array_equal(warped(image, field, border), np.concatenate(alone))


@both_borders
def test_memory_that_is_not_contiguous_is_warped_alike(border):
    rng = np.random.default_rng(0)
    image, field = random_image((2, 6, 5, 3)), rng.uniform(-3, 3, (2, 6, 5, 2))
    turned = tensor(image.transpose(3, 2, 1, 0).copy(), False).transpose((3, 2, 1, 0))
    flipped = tensor(field[:, ::-1].copy(), False)[:, ::-1]
    np.testing.assert_array_equal(host(ops.warp(turned, flipped, border)), warped(image, field, border))


def test_the_last_of_so_many_pixels_that_float32_cannot_count_them_is_found():
    image = random_image((700_000, 1, 1, 1), np.float32)  # 25 pixels each, with those around it
    field = np.zeros((*image.shape[:3], 2), np.float32)
    np.testing.assert_array_equal(warped(image, field), image)


# Kinks: y(u) is piecewise linear, and its derivative at a kink is the one to the right


@both_borders
@pytest.mark.parametrize("axis", [0, 1])
def test_the_derivative_at_a_whole_number_is_the_one_to_the_right(border, axis):
    rng = np.random.default_rng(1)
    image = random_image((1, 5, 5, 2))
    field = rng.integers(-3, 4, (1, 5, 5, 2)).astype(float)
    g = rng.standard_normal((1, 5, 5, 2))
    _, (_, gradient) = output_and_gradients(lambda i, u: ops.warp(i, u, border), [image, field], g)
    moved = field.copy()
    moved[..., axis] += 0.25  # y is linear as far as the next whole number, so any step below one will do
    change = (g * (warped(image, moved, border) - warped(image, field, border))).sum(axis=-1)
    np.testing.assert_allclose(gradient[..., axis], change / 0.25, atol=1e-12)


@pytest.mark.parametrize("position, slope", [(-1, 4.0), (0, 3.0), (1, -7.0), (2, 0.0)])
def test_the_slope_at_the_border_leads_from_and_to_zero(position, slope):
    # One row (0) 4 7 (0): from -1 the value rises to 4, from 1 it falls from 7 to 0.
    image = image_of([[4.0, 7.0]])
    _, (_, gradient) = output_and_gradients(ops.warp, [image, constant_field(0, position, (1, 1))])
    np.testing.assert_array_equal(gradient[0, 0, 0, 1], slope)


def test_beyond_the_edge_nothing_changes_and_the_slope_is_zero():
    image = image_of([[4.0, 7.0]])
    for position, slope in [(-1, 0), (-0.5, 0), (0, 3), (0.5, 3), (1, 0), (1.5, 0), (5, 0)]:
        function = lambda i, u: ops.warp(i, u, "edge")
        _, (_, gradient) = output_and_gradients(function, [image, constant_field(0, position, (1, 1))])
        np.testing.assert_array_equal(gradient[0, 0, 0, 1], slope)


# Numbers out of all proportion


@both_borders
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_spoils_its_own_pixel_only(border, dtype):
    image, field = random_image((1, 4, 4, 2), dtype), np.zeros((1, 4, 4, 2), dtype)
    field[0, 1, 2, 0] = field[0, 3, 3, 1] = np.nan
    expected = image.copy()
    expected[0, 1, 2] = expected[0, 3, 3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, (_, gradient) = output_and_gradients(lambda i, u: ops.warp(i, u, border), [image, field])
    np.testing.assert_array_equal(y, expected)
    sound = np.ones((1, 4, 4), bool)
    sound[0, 1, 2] = sound[0, 3, 3] = False
    assert np.isfinite(gradient[sound]).all()


@both_borders
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("far", [np.inf, -np.inf, 1e30, -1e30, 3e9, -3e9])
@pytest.mark.parametrize("axis", [0, 1])
def test_far_away_lies_the_border_and_no_gradient(border, dtype, far, axis):
    image, field = random_image((1, 3, 4, 2), dtype), np.zeros((1, 3, 4, 2), dtype)
    field[..., axis] = far
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, gradients = output_and_gradients(lambda i, u: ops.warp(i, u, border), [image, field])
    last = -1 if far > 0 else 0
    row_or_column = image[:, [last]] if axis == 0 else image[:, :, [last]]
    np.testing.assert_array_equal(y, np.broadcast_to(row_or_column, y.shape) if border == "edge" else np.zeros_like(y))
    np.testing.assert_array_equal(gradients[1][..., axis], 0)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


# The gradient of the image is the adjoint of the warp, which is linear in it


@both_borders
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_gradient_of_the_image_is_the_adjoint_of_the_warp(border, seed):
    rng = np.random.default_rng(seed)
    field = rng.uniform(-4, 4, (2, 4, 6, 2))
    image, other, g = (rng.standard_normal(shape) for shape in [(2, 5, 5, 3), (2, 5, 5, 3), (2, 4, 6, 3)])
    y, (gradient, _) = output_and_gradients(lambda i, u: ops.warp(i, u, border), [image, field], g, wanted=(0, 1))
    np.testing.assert_allclose((g * y).sum(), (gradient * image).sum())
    np.testing.assert_allclose((g * warped(other, field, border)).sum(), (gradient * other).sum(), atol=1e-10)


def test_many_pixels_that_look_at_one_add_up_there():
    field = np.zeros((1, 4, 4, 2))
    field[..., 0], field[..., 1] = np.mgrid[:4, :4] * -1.0 + 2
    _, (gradient, _) = output_and_gradients(ops.warp, [np.zeros((1, 4, 4, 1)), field])
    expected = np.zeros((1, 4, 4, 1))
    expected[0, 2, 2] = 16
    np.testing.assert_array_equal(gradient, expected)


# Labels


def nearest(labels, field, border="zeros"):
    moved = ops.warp_nearest(backend.to_device(labels), backend.to_device(field), border)
    assert not moved.requires_grad
    return host(moved)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, bool])
def test_labels_keep_their_dtype_and_are_never_mixed(dtype):
    rng = np.random.default_rng(0)
    labels = (np.array([0, 1, 3])[rng.integers(0, 3, (2, 6, 6, 1))]).astype(dtype)
    y = nearest(labels, rng.uniform(-3, 3, (2, 6, 6, 2)))
    assert y.dtype == dtype
    assert set(np.unique(y)) <= set(np.unique(labels))


def test_the_nearest_pixel_wins_and_half_way_the_upper_left_one():
    labels = np.arange(1, 10, dtype=np.uint8).reshape(1, 3, 3, 1)
    for step, expected in [((0.4, -0.4), 5), ((0.6, 0), 8), ((0, 0.6), 6), ((0.5, 0.5), 5), ((-0.5, -0.5), 1)]:
        field = constant_field(*step, (3, 3), np.float32)
        assert nearest(labels, field)[0, 1, 1, 0] == expected


def test_beyond_the_border_there_is_label_zero_or_the_label_of_the_edge():
    labels = np.full((1, 2, 2, 1), 7, np.uint8)
    for far in (-0.6, 1.6, 50, -50, np.inf, -np.inf, 1e30):
        field = np.zeros((1, 2, 2, 2), np.float32)
        field[0, 0, 0, 1] = far
        assert nearest(labels, field, "zeros")[0, 0, 0, 0] == 0
        assert nearest(labels, field, "edge")[0, 0, 0, 0] == 7
        np.testing.assert_array_equal(nearest(labels, field, "zeros")[0, 1], 7)


@both_borders
def test_a_displacement_that_is_nan_gives_label_zero(border):
    labels = np.full((1, 2, 2, 1), 7, np.uint8)
    field = np.zeros((1, 2, 2, 2), np.float32)
    field[0, 0, 1, 0] = np.nan
    np.testing.assert_array_equal(nearest(labels, field, border)[0, :, :, 0], [[7, 0], [7, 7]])


def test_labels_as_floats_move_as_the_image_does_at_whole_numbers():
    rng = np.random.default_rng(0)
    image, field = random_image((2, 5, 5, 2)), rng.integers(-4, 5, (2, 5, 5, 2)).astype(float)
    for border in BORDERS:
        np.testing.assert_array_equal(nearest(image, field, border), warped(image, field, border))


# Mistakes


@pytest.mark.parametrize("sample", [ops.warp, ops.warp_nearest])
def test_shapes_that_do_not_fit_are_refused(sample):
    good = {"image": (2, 4, 4, 1), "field": (2, 4, 4, 2)}
    for wrong in [
        {"image": (4, 4, 1)},
        {"field": (4, 4, 2)},
        {"field": (2, 4, 4, 3)},
        {"field": (1, 4, 4, 2)},
        {"image": (1, 4, 4, 1)},
        {"image": (2, 0, 4, 1)},
    ]:
        image, field = (tensor(np.zeros(shape), False) for shape in (good | wrong).values())
        with pytest.raises(ValueError, match="shape"):
            sample(image, field)


@pytest.mark.parametrize("sample", [ops.warp, ops.warp_nearest])
def test_an_unknown_border_is_refused_by_name(sample):
    with pytest.raises(ValueError, match="'wrap'"):
        sample(tensor(np.zeros((1, 2, 2, 1))), tensor(np.zeros((1, 2, 2, 2))), "wrap")


@pytest.mark.parametrize("sample", [ops.warp, ops.warp_nearest])
def test_a_displacement_of_whole_numbers_is_refused(sample):
    with pytest.raises(ValueError, match="floating-point, got int64"):
        sample(tensor(np.zeros((1, 2, 2, 1)), False), tensor(np.zeros((1, 2, 2, 2), np.int64), False))

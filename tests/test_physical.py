"""Registration of images that differ in size or spacing: distances are millimetres, whatever the pixels."""

import functools

import numpy as np
import pytest

from minireg.methods import align, centre_on_centre, demons, identity, register_in_space, spline

BLOBS = np.random.default_rng(0).uniform((-36, -36, 3), (36, 36, 8), (14, 3))  # row, column, radius, in mm


def places(shape, spacing):
    """(H, W, 2): where pixels lie, in mm from the centre of their image."""
    axes = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def scene(at):
    rows, columns, radii = BLOBS.T
    squares = (at[..., :1] - rows) ** 2 + (at[..., 1:] - columns) ** 2
    return np.sum(np.exp(-squares / (2 * radii**2)) * np.where(np.arange(14) % 2, 1, 0.6), axis=-1)


def as_image(values):
    return values[None, ..., None].astype(np.float32)


def bend(at):
    """Where in the scene the moving image shows what it shows at these places."""
    shift = 3 * np.sin(at[..., 1] / 14) + 2, 2.5 * np.cos(at[..., 0] / 12)
    return at + np.stack(shift, axis=-1)


def turn(at):
    return at @ [[0.96, 0.2], [-0.25, 1.02]] + [3, -4]


@functools.cache
def error_in_mm(method, motion, moving_pixels, fixed_pixels):
    """The mean over the blobs that both images show, for images given by (shape, spacing)."""
    moving, fixed = as_image(scene(motion(places(*moving_pixels)))), as_image(scene(places(*fixed_pixels)))
    u = register_in_space(method, moving, fixed, moving_pixels[1], fixed_pixels[1])
    assert u.shape == (*fixed.shape[:3], 2) and u.dtype == np.float32
    (height, width), spacing = moving_pixels
    looked_at = np.stack(np.mgrid[: u.shape[1], : u.shape[2]], axis=-1) + u[0]
    found = motion((looked_at - [(height - 1) / 2, (width - 1) / 2]) * spacing)
    seen = (fixed[0, ..., 0] > 0.15) & ((looked_at >= 0) & (looked_at <= [height - 1, width - 1])).all(axis=-1)
    return np.linalg.norm(found - places(*fixed_pixels), axis=-1)[seen].mean()


SQUARE = ((96, 96), (1.0, 1.0))


@pytest.mark.parametrize(
    ("moving", "fixed"),
    [
        (((96, 48), (1.0, 2.0)), ((96, 48), (1.0, 2.0))),
        (((48, 96), (2.0, 1.0)), ((96, 48), (1.0, 2.0))),
        (((192, 192), (0.5, 0.5)), SQUARE),
        (((48, 48), (2.0, 2.0)), SQUARE),
        (((97, 96), (1.0, 1.0)), SQUARE),
    ],
)
def test_a_deformation_is_found_as_exactly_in_mm_whatever_the_pixels(moving, fixed):
    assert error_in_mm(align, bend, moving, fixed) < 1.1 * error_in_mm(align, bend, SQUARE, SQUARE) < 0.8


def test_an_affine_map_is_found_in_mm_across_pixels_that_are_not_square():
    only_affine = functools.partial(align, stages="affine")
    assert error_in_mm(only_affine, turn, ((120, 44), (0.8, 2.2)), ((90, 60), (1.1, 1.6))) < 0.2


@pytest.mark.parametrize(("moving", "fixed"), [((120, 140), (64, 64)), ((64, 64), (96, 96))])
def test_a_cropped_field_of_view_is_no_obstacle(moving, fixed):
    # One sees more than the other; what only one sees has no say, because align knows where there are no pixels.
    error = error_in_mm(align, bend, (moving, (1.0, 1.0)), (fixed, (1.0, 1.0)))
    assert error < 1.2 * error_in_mm(align, bend, SQUARE, SQUARE)


def test_other_methods_register_across_pixels_too():
    quick = functools.partial(demons, iterations=25)
    error = error_in_mm(quick, bend, ((48, 96), (2.0, 1.0)), ((96, 48), (1.0, 2.0)))
    assert error < 1.2 * error_in_mm(quick, bend, SQUARE, SQUARE)


def test_one_size_and_square_pixels_give_the_bits_of_the_method_alone():
    moving, fixed = as_image(scene(bend(places(*SQUARE)))), as_image(scene(places(*SQUARE)))
    alone = align(moving, fixed, iterations=3)
    for spacing in ((1.0, 1.0), (0.4883, 0.48831)):
        through = register_in_space(functools.partial(align, iterations=3), moving, fixed, spacing, spacing)
        np.testing.assert_array_equal(through, alone)


def test_an_image_with_itself_stays_exactly_where_it_is_though_its_pixels_are_not_square():
    image = as_image(scene(places((40, 70), (2.0, 1.0))))
    assert not register_in_space(align, image, image, (2.0, 1.0), (2.0, 1.0)).any()


def test_a_method_that_moves_nothing_lays_centre_on_centre():
    moving, fixed = np.ones((2, 41, 30, 1), "float32"), np.ones((2, 20, 33, 1), "float32")
    spacings = (0.7, 1.9), (1.3, 0.9)
    found = register_in_space(identity, moving, fixed, *spacings)
    np.testing.assert_array_equal(found, centre_on_centre(moving, fixed, *spacings))
    np.testing.assert_allclose(found[:, 9:11, 16].mean(axis=1), [[20 - 9.5, 14.5 - 16]] * 2, atol=1e-5)


def test_landmarks_are_pixels_of_their_own_image():
    fixed = np.array([[5, 5], [5, 30], [20, 5], [22, 32], [14, 17.0]])
    moving = fixed * [2, 0.5] + np.array([[0, 0], [3, 1], [0, 2], [1, -1], [4, 2]])
    images = np.ones((1, 60, 24, 1), "float32"), np.ones((1, 30, 40, 1), "float32")
    u = register_in_space(spline, *images, (1.0, 2.0), (2.0, 1.0), landmarks=np.hstack([moving, fixed]))
    rows, columns = fixed.astype(int).T
    np.testing.assert_allclose(fixed + u[0, rows, columns], moving, atol=0.2)  # the grid lies between these pixels


def test_a_mask_is_laid_on_the_grid_with_its_image():
    seen = {}

    def look(moving, fixed, moving_mask=None, fixed_mask=None):
        seen.update(moving=moving, moving_mask=moving_mask, fixed_mask=fixed_mask)
        return identity(moving, fixed)

    mask = np.ones((1, 8, 8, 1), np.uint8)
    mask[:, :4] = 0
    images = np.ones((1, 8, 8, 1), "float32"), np.ones((1, 16, 8, 1), "float32")
    register_in_space(look, *images, moving_mask=mask)
    assert seen["moving"].shape == (1, 16, 8, 1)
    assert seen["moving_mask"][0, :, 3, 0].tolist() == [0] * 8 + [1] * 4 + [0] * 4
    assert seen["fixed_mask"].all()


def test_a_finer_image_is_averaged_before_it_is_sampled():
    stripes = as_image(np.tile([0.0, 1.0], (64, 32)))  # finer than the grid can show
    seen = []
    register_in_space(lambda m, f: seen.append(m) or identity(m, f), stripes, stripes[:, :32, :32], (1, 1), (2, 2))
    np.testing.assert_array_equal(seen[0], np.full((1, 32, 32, 1), 0.5))


@pytest.mark.parametrize("shape", [(1, 9), (2, 3), (9, 1)])
def test_images_of_a_few_pixels_do_no_harm(shape):
    image, other = (np.random.default_rng(0).random((1, *s, 1), "float32") for s in (shape, (7, 5)))
    assert np.isfinite(register_in_space(align, image, other, (1, 3), (1, 1))).all()
    assert np.isfinite(register_in_space(align, other, image, (1, 1), (1, 3))).all()


def test_the_grid_stays_small_enough_to_compute_on():
    seen = []
    images = np.ones((1, 8, 500, 1), "float32"), np.ones((1, 4, 4, 1), "float32")
    method = lambda moving, fixed: seen.append(moving.shape) or identity(moving, fixed)
    register_in_space(method, *images, (1, 100), (0.01, 0.01))
    assert max(seen[0]) <= 2100

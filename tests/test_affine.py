"""The affine stage alone: turns, scales and shears that are known, found to a hundredth of a pixel."""

import numpy as np
import pytest
from gradients import host, tensor

from minireg.fields import affine_part, random_diffeomorphism, smooth, warp_images
from minireg.methods import align
from minireg.methods.affine import GENERATORS, displacement_of, exponential, find, improve, search, square_root
from minireg.methods.views import Pyramid
from minireg.ops import upsample_bilinear

SHAPE = (64, 80)


def picture(seed=0):
    """Blobs of two sizes, in [0, 1], without a border."""
    noise = np.random.default_rng(seed).standard_normal((1, *SHAPE, 1)).astype(np.float32)
    image = sum(sigma * host(smooth(tensor(noise, False), sigma)) for sigma in (1.5, 4))
    return ((image - image.min()) / np.ptp(image)).astype(np.float32)


def motion(degrees=0.0, scale=1.0, shift=(0, 0), shear=0.0):
    """The map (1, 3, 3) that enlarges the moving image by `scale`."""
    turn = np.radians(degrees)
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) / scale @ [[1, shear], [0, 1]]
    return np.vstack([np.column_stack([linear, shift]), [0, 0, 1]])[None]


def looked_at(image, true):
    """The image along a map, and where that is inside of it, both (1, H, W, 1)."""
    field = host(displacement_of(true, *SHAPE))
    inside = warp_images(np.pad(np.ones((1, 62, 78, 1), np.float32), [(0, 0), (1, 1), (1, 1), (0, 0)]), field) > 0.999
    return warp_images(image, field), inside


def found(moving, fixed, inside, loss):
    pair = [np.concatenate([image, mask], axis=-1) for image, mask in ((moving, np.ones_like(moving)), (fixed, inside))]
    return find(Pyramid(pair, [4, 2, 1], loss), 256)


def error(maps, true):
    """The mean distance over the middle of the image, in pixels."""
    difference = host(displacement_of(maps, *SHAPE)) - host(displacement_of(true, *SHAPE))
    return float(np.linalg.norm(difference, axis=-1)[:, 16:48, 20:60].mean())


@pytest.mark.parametrize(
    ("degrees", "scale", "loss"),
    [(30, 2.0, "ncc"), (-90, 0.5, "local_ncc"), (170, 1.6, "ncc"), (5, 0.63, "local_ncc"), (180, 1.0, "local_ncc")],
)
def test_turns_and_scales_are_found(degrees, scale, loss):
    moving, true = picture(1), motion(degrees, scale, (2, -3))
    maps, left = found(moving, *looked_at(moving, true), loss)
    assert error(maps, true) < 0.15
    assert left < 1


def test_half_a_turn_is_found_where_fine_details_have_moved_too():
    # A picture that looks much like itself upside down. At the finest scale even the right map leaves much.
    small = picture(1)
    moving = host(upsample_bilinear(tensor(small + 0.5 * small[:, ::-1, ::-1], False), 4))
    shape = moving.shape[1:3]
    bend = random_diffeomorphism(np.random.default_rng(0), (1, *shape), 8.0, 12.0)[0].astype(np.float32)
    turn = host(displacement_of(motion(180), *shape))
    maps = affine_part(align(moving, warp_images(warp_images(moving, turn), bend), stages="affine"))
    assert np.abs(maps[0, :, :2] + np.eye(2)).max() < 0.1


@pytest.mark.parametrize("true", [motion(12, 1.01), motion(3, 1, (1, -2), 0.01)])
def test_a_slight_growth_or_shear_is_found_in_noise(true):
    moving = picture(2)
    fixed, inside = looked_at(moving, true)
    noise = 0.01 * np.random.default_rng(0).standard_normal(fixed.shape).astype(np.float32)
    assert error(found(moving, fixed + noise, inside, "local_ncc")[0], true) < 0.04


def test_other_images_leave_much():
    moving, inside = picture(3), np.ones((1, *SHAPE, 1), np.float32)
    assert found(moving, picture(4), inside, "local_ncc")[1] > 3


def test_the_starts_differ_from_each_other():
    image, mask = picture(5)[..., 0], np.ones((1, *SHAPE), np.float32)
    first, *others = search((image, mask), (image, mask))[0]
    np.testing.assert_array_equal(first, np.eye(3))
    for i, one in enumerate(others):
        for other in others[:i]:
            assert np.abs(one[:2, :2] - other[:2, :2]).max() > 0.2


@pytest.mark.parametrize("degrees", [0, 90, 179.9, 179.999, 180, -180])
def test_a_square_root_of_any_turn(degrees):
    whole = motion(degrees, 1.3, (4, -2))
    root = square_root(whole)
    np.testing.assert_allclose(root @ root, whole, atol=1e-4)
    rates = np.einsum("nk,kij->nij", np.random.default_rng(0).normal(scale=0.3, size=(20, 6)), GENERATORS)
    np.testing.assert_allclose(square_root(exponential(rates)), exponential(rates / 2), atol=1e-12)


def test_half_a_turn_with_a_stretch_has_no_root_and_is_refused():
    pyramid = Pyramid([np.concatenate([picture(), np.ones((1, *SHAPE, 1), np.float32)], axis=-1)] * 2, [1], "ncc")
    turned = motion(177.13) @ np.diag([1.05, 0.95, 1])
    assert np.abs(square_root(turned)).max() > 10  # that is where a root would look
    assert np.isinf(improve(turned, pyramid.level(1), "affine")[1])


def test_at_the_ends_each_image_is_seen_along_the_whole_map_beside_the_other_as_it_is():
    moving, fixed = (np.concatenate([picture(k), np.ones((1, *SHAPE, 1), np.float32)], axis=-1) for k in (0, 1))
    root = motion(20, 1.1, (2, -3), 0.1)
    nothing = tensor(np.zeros((1, *SHAPE, 2), np.float32))
    view = Pyramid([moving, fixed], [1], "ncc").level(1, root)
    first, second = view.at_the_ends(nothing, nothing)
    whole = root @ root
    there, back = (host(displacement_of(m, *SHAPE)) for m in (whole, np.linalg.inv(whole)))
    for (a, b, inside), expected in (
        (first, (warp_images(moving, there), fixed)),
        (second, (moving, warp_images(fixed, back))),
    ):
        for ours, theirs in zip((a, b), expected, strict=True):
            shown = host(inside)[..., 0] > 0
            np.testing.assert_allclose(host(ours.data)[shown], theirs[..., :1][shown], atol=1e-5)
        assert 0.3 < host(inside).mean() < 0.95


def test_images_of_different_things_get_a_warning():
    with pytest.warns(UserWarning, match="the affine map explains little"):
        align(picture(0), picture(1), stages="affine")

"""Any two images without a network: known turns and deformations are found, there and back agree."""

import importlib

import numpy as np
import pytest
from gradients import host, tensor
from strict_backend import using

from minireg import metrics
from minireg.data.strokes import draw_digits
from minireg.errors import InputError
from minireg.fields import affine_displacement, compose, random_diffeomorphism, smooth, warp_images
from minireg.methods import COMPARISONS, align
from minireg.methods.affine import GENERATORS, exponential, square_root
from minireg.methods.symmetric import _laplace, conjugate_gradients


def picture(seed=0, shape=(1, 64, 80)):
    """Blobs of all sizes, in [0, 1], that fade towards the border."""
    noise = np.random.default_rng(seed).standard_normal((*shape, 1)).astype(np.float32)
    image = sum(sigma * host(smooth(tensor(noise, False), sigma)) for sigma in (1.5, 4))
    window = np.sqrt(np.outer(np.hanning(shape[1]), np.hanning(shape[2])))[..., None]
    return ((image - image.min()) / np.ptp(image) * window).astype(np.float32)


def known(seed=0, amplitude=4.0, degrees=0.0, shift=(0, 0)):
    """A picture, the same along a known field, that field, and where it looks inside."""
    moving = picture(seed)
    u = random_diffeomorphism(np.random.default_rng(seed), moving.shape[:3], amplitude, 2 * amplitude)[0]
    turn = np.radians(degrees)
    matrix = [[np.cos(turn), -np.sin(turn), shift[0]], [np.sin(turn), np.cos(turn), shift[1]]]
    affine = host(affine_displacement(tensor(np.array([matrix], np.float32), False), *moving.shape[1:3]))
    u = host(compose(tensor(u, False), tensor(affine, False)))
    there = np.moveaxis(np.mgrid[: u.shape[1], : u.shape[2]], 0, -1) + u
    inside = ((there >= 0) & (there <= np.array(u.shape[1:3]) - 1)).all(-1) & (warp_images(moving, u)[..., 0] > 0.15)
    return moving, warp_images(moving, u), u, inside


def error(found, true, inside):
    return float(np.linalg.norm(found - true, axis=-1)[inside].mean())


@pytest.mark.parametrize("loss", COMPARISONS)
def test_a_known_deformation_is_found_without_folds(loss):
    moving, fixed, true, inside = known()
    u = align(moving, fixed, loss=loss)
    assert u.dtype == np.float32 and u.shape == true.shape
    assert error(0 * u, true, inside) > 0.8
    assert error(u, true, inside) < 0.3
    assert metrics.folded_cells(u).max() == 0


@pytest.mark.parametrize("loss", ["local_ncc", "ncc", "mi"])
def test_digits_that_have_nothing_to_do_with_each_other_do_not_fold(loss):
    digits = draw_digits(np.arange(60) % 10, np.random.default_rng(0))
    assert metrics.folded_cells(align(digits[:16], digits[:-17:-1], loss=loss)).max() == 0


def test_shading_gain_and_offset_do_not_matter():
    moving, fixed, true, inside = known()
    shading = np.linspace(0.4, 1.2, 80, dtype=np.float32)[None, None, :, None]
    assert error(align(moving, 0.2 + 0.5 * shading * fixed), true, inside) < 0.3


def test_mutual_information_finds_what_another_kind_of_image_shows():
    moving, fixed, true, inside = known()
    other = np.abs(fixed - 0.5) * (fixed > 0.05)  # neither rising nor falling with the intensity
    assert error(align(moving, other, loss="mi"), true, inside) < 0.5
    assert error(align(moving, other, loss="ncc"), true, inside) > 1


@pytest.mark.parametrize(("degrees", "shift"), [(40, (0, 0)), (-100, (3, -4)), (10, (12, -14))])
def test_a_turn_and_a_shift_are_found_first(degrees, shift):
    moving, fixed, true, inside = known(1, 3.0, degrees, shift)
    assert error(align(moving, fixed, stages="deformable"), true, inside) > 2
    assert error(align(moving, fixed, stages="affine"), true, inside) < 2
    assert error(align(moving, fixed), true, inside) < 0.4


@pytest.mark.parametrize(("stages", "finest"), [("affine", 80), ("affine,deformable", 40)])
def test_an_affine_map_is_made_no_finer_than_what_follows_needs(stages, finest, monkeypatch):
    module = importlib.import_module("minireg.methods.affine")
    improve, sides = module.improve, []

    def watched(maps, view, kind):
        sides.append(max(view.shape))
        return improve(maps, view, kind)

    monkeypatch.setattr(module, "improve", watched)
    align(*known()[:2], stages=stages, loss="mi", iterations=1)
    assert max(sides) == finest


def test_exchanged_images_give_the_inverse():
    moving, fixed, _, inside = known(2, 3.0, 20)
    there, back = align(moving, fixed), align(fixed, moving)
    round_trip = host(compose(tensor(there, False), tensor(back, False)))
    assert np.linalg.norm(round_trip, axis=-1)[inside].mean() < 0.03


@pytest.mark.parametrize("loss", COMPARISONS)
def test_an_image_with_itself_stays_exactly_where_it_is(loss):
    image = picture(3)
    assert not align(image, image.copy(), loss=loss).any()


def test_a_pair_does_not_depend_on_the_others():
    pairs = [known(seed)[:2] for seed in (0, 1)]
    moving, fixed = (np.concatenate(images) for images in zip(*pairs, strict=True))
    together = align(moving, fixed)
    for n, pair in enumerate(pairs):
        np.testing.assert_allclose(together[n : n + 1], align(*pair), atol=2e-3)


def test_the_border_of_masks_is_no_edge():
    moving, fixed, true, inside = known(4, 3.0)
    rows, columns = np.mgrid[:64, :80]
    mask = ((((rows - 32) / 24) ** 2 + ((columns - 40) / 32) ** 2) < 1)[None, ..., None]
    moving, fixed = np.where(mask, moving, 0), np.where(mask, fixed, 1)  # as two scanners may fill what is not seen
    u = align(moving, fixed, stages="deformable", moving_mask=mask, fixed_mask=mask)
    assert error(u, true, inside & mask[..., 0]) < 0.25


def test_what_a_mask_excludes_has_no_say():
    moving, fixed, true, inside = known(4, 3.0)
    spoiled, mask = fixed.copy(), np.ones(fixed.shape, np.uint8)
    spoiled[:, 12:52, 20:60] = np.roll(fixed, 5, axis=1)[:, 12:52, 20:60]  # something that pulls elsewhere
    mask[:, 10:54, 18:62] = 0
    with_mask = align(moving, spoiled, fixed_mask=mask)
    outside = inside & (mask[..., 0] > 0)
    assert error(with_mask, true, outside) < 0.4 < error(align(moving, spoiled), true, outside)


def test_a_cropped_view_does_not_drag_the_field():
    moving, fixed, true, inside = known(5, 3.0)
    seen = (slice(None), slice(8, 56), slice(14, 70))
    u = align(np.ascontiguousarray(moving[seen]), np.ascontiguousarray(fixed[seen]))
    assert error(u, true[seen], inside[seen]) < 0.4


@pytest.mark.parametrize("loss", ["mi", "ncc"])
def test_it_runs_on_a_backend_that_mixes_nothing(loss):
    moving, fixed, _, _ = known()
    expected = align(moving, fixed, loss=loss, iterations=3)
    with using("strict"):
        found = align(moving, fixed, loss=loss, iterations=3)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 9), (2, 5, 4)])
def test_images_of_a_few_pixels_and_constant_ones_do_no_harm(shape):
    noise = np.random.default_rng(0).random((2, *shape, 1), dtype=np.float32)
    for pair in (noise, [noise[0], np.ones_like(noise[0])], [np.zeros_like(noise[0])] * 2):
        for loss in COMPARISONS:
            u = align(*pair, loss=loss, levels=5)
            assert np.isfinite(u).all()
            assert not u.any() or pair is noise


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stages": "rigid"}, "unknown stages 'rigid'"),
        ({"loss": "ssim"}, "unknown loss 'ssim' of align: choose one of local_ncc"),
        ({"smoothness": 0}, "smoothness must be a number above 0, got 0"),
        ({"iterations": 0}, "iterations must be a number above 0"),
        ({"levels": 0}, "expected at least one level, got 0"),
        ({"fixed_mask": np.ones((1, 3, 3, 1))}, "expected a mask of the shape"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        align(picture(), picture(1), **options)


def test_square_roots_and_exponentials_of_motions():
    rates = np.einsum("nk,kij->nij", np.random.default_rng(0).normal(scale=0.3, size=(20, 6)), GENERATORS)
    whole = exponential(rates)
    np.testing.assert_allclose(square_root(whole), exponential(rates / 2), atol=1e-12)
    np.testing.assert_allclose(whole @ exponential(-rates), np.broadcast_to(np.eye(3), whole.shape), atol=1e-12)


def testconjugate_gradients_solve_the_system():
    rng = np.random.default_rng(0)
    j, force = rng.standard_normal((2, 2, 4, 4, 2))
    normal = np.stack([j[..., 0] ** 2, j[..., 0] * j[..., 1], j[..., 1] ** 2], axis=-1) + np.array([0.5, 0, 0.5])
    t = conjugate_gradients(normal, 0.01, force)
    image = np.stack(
        [
            normal[..., 0] * t[..., 0] + normal[..., 1] * t[..., 1],
            normal[..., 1] * t[..., 0] + normal[..., 2] * t[..., 1],
        ],
        axis=-1,
    )
    np.testing.assert_allclose(image + 0.01 * _laplace(_laplace(t)), force, atol=1e-3)

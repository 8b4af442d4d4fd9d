"""Registration without a network: what the solvers find on known fields and drawn digits, and what they must not do."""

from functools import partial

import numpy as np
import pytest
from gradients import host, tensor
from short_runs import small_digits
from strict_backend import using

from minireg import losses, metrics, ops
from minireg.data import pad
from minireg.errors import InputError
from minireg.fields import affine_displacement, affine_part, compose, random_diffeomorphism, smooth
from minireg.losses import SIMILARITIES
from minireg.methods import COMPARISONS, METHODS, NEEDS, TRANSFORMATIONS, align, demons, make_method, optimise
from minireg.methods.affine import square_root
from minireg.methods.network import LIKE
from minireg.nn import Module

SOLVERS = {"optimise": optimise, "demons": demons}


def digit_pairs(count=4, size=32):
    """Pairs of drawn digits, moving and fixed of the same digit, (count, size, size, 1)."""
    digits = small_digits()
    by_label = [digits.train_images[digits.train_labels == label % 10] for label in range(count)]
    moving, fixed = (np.stack([images[i] for images in by_label]) for i in (0, 1))
    return (pad(moving, size), pad(fixed, size)) if size > 28 else (moving, fixed)


def warp(moving, displacement):
    return host(ops.warp(tensor(moving, False), tensor(displacement, False), border="edge"))


def ncc(moving, fixed, displacement):
    return metrics.ncc(warp(moving, displacement), fixed).mean()


def blobs(seed=0, shape=(2, 32, 32)):
    """Smooth images with structure everywhere in the middle, in [0, 1]."""
    noise = np.random.default_rng(seed).standard_normal((*shape, 1)).astype(np.float32)
    images = host(smooth(tensor(noise, False), 2.5))
    images = (images - images.min()) / np.ptp(images)
    window = np.outer(np.hanning(shape[1]), np.hanning(shape[2]))[..., None]
    return (images * window).astype(np.float32)


# Both solvers


@pytest.mark.parametrize(("solver", "reached"), [(optimise, 0.97), (demons, 0.9)])
def test_digits_are_aligned_without_a_fold(solver, reached):
    moving, fixed = digit_pairs()
    u = solver(moving, fixed)
    assert u.dtype == np.float32 and u.shape == (4, 32, 32, 2)
    assert metrics.ncc(moving, fixed).mean() < 0.7
    assert ncc(moving, fixed, u) > reached
    assert metrics.folded_cells(u).max() == 0


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_a_known_field_is_found_in_its_direction(solver):
    fixed = blobs()
    _, known = random_diffeomorphism(np.random.default_rng(1), fixed.shape[:3], amplitude=2, smoothness=6)
    moving = warp(fixed, known)
    # Where `known` pulled moving from fixed, the registration has to go back: w(p + u(p)) + u(p) = 0.
    u = solver(moving, fixed, iterations=40)
    middle = slice(None), slice(8, -8), slice(8, -8)
    left = host(compose(tensor(u, False), tensor(known, False)))[middle]
    assert np.sqrt(np.mean(left**2)) < 0.4 * np.sqrt(np.mean(known[middle] ** 2))


# Adam takes its first steps at full length however small the gradient is, so it cannot stay quite where it is.
@pytest.mark.parametrize(("solver", "still"), [(optimise, 0.1), (demons, 1e-6)])
def test_an_image_is_left_where_it_is_when_registered_to_itself(solver, still):
    moving, _ = digit_pairs(3)
    u = solver(moving, moving.copy(), iterations=10)
    assert np.abs(u).mean() < still
    assert ncc(moving, moving, u) > 0.995


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_the_result_for_a_pair_does_not_depend_on_its_batch(solver):
    moving, fixed = digit_pairs(3)
    together = solver(moving, fixed, iterations=10)
    for pair in range(3):
        alone = solver(moving[pair : pair + 1], fixed[pair : pair + 1], iterations=10)
        np.testing.assert_allclose(together[pair], alone[0], atol=1e-3)


@pytest.mark.parametrize("solver", [demons, *(partial(optimise, loss=loss) for loss in ("mse", "mi", "nmi"))])
def test_images_that_use_a_part_of_their_range_are_registered_alike(solver):
    """As where 12 bits lie in a file of 16, or one scanner is brighter than the other."""
    moving, fixed = digit_pairs(2)
    expected = solver(moving, fixed, iterations=10)
    found = solver(moving / 16, 0.5 * fixed + 0.2, iterations=10)
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_more_pairs_than_are_solved_at_a_time_come_back_in_order(monkeypatch):
    moving, fixed = digit_pairs(5)
    expected = demons(moving, fixed, iterations=3)
    monkeypatch.setattr("minireg.methods.levels.PAIRS_AT_A_TIME", 2)
    np.testing.assert_allclose(demons(moving, fixed, iterations=3), expected, atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS.values())
@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (2, 3), (13, 22), (33, 47)])
def test_images_of_any_size_are_registered(solver, shape):
    moving, fixed = np.random.default_rng(0).random((2, 2, *shape, 1), dtype=np.float32)
    u = solver(moving, fixed, iterations=2)
    assert u.shape == (2, *shape, 2) and np.isfinite(u).all()


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_the_solvers_give_the_numbers_of_numpy_on_the_other_backend_too(solver):
    moving, fixed = digit_pairs(2)
    expected = solver(moving, fixed, iterations=3)
    with using("strict"):
        found = solver(moving, fixed, iterations=3)
    assert type(found) is np.ndarray and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("solver", SOLVERS.values())
@pytest.mark.parametrize("options", [{"levels": 0}, {"iterations": 0}])
def test_a_solver_that_would_do_nothing_is_refused(solver, options):
    with pytest.raises(InputError, match="at least one level and one iteration"):
        solver(*digit_pairs(1), **options)


@pytest.mark.parametrize("solver", SOLVERS.values())
def test_images_of_different_sizes_are_refused(solver):
    with pytest.raises(InputError, match="of one shape"):
        solver(digit_pairs(1)[0], digit_pairs(1, size=28)[0])


# Instance optimisation


def test_a_start_is_improved_and_what_comes_back_includes_it():
    moving, fixed = digit_pairs(4)
    start = optimise(moving, fixed, transformation="affine", iterations=20)
    u = optimise(moving, fixed, start=start, iterations=40)
    assert ncc(moving, fixed, u) > ncc(moving, fixed, start) + 0.05
    # One step of nearly no length adds nearly nothing: the start is there, and once only.
    np.testing.assert_allclose(optimise(moving, fixed, start=start, lr=1e-6, iterations=1), start, atol=1e-4)


def test_what_is_found_on_top_of_a_start_is_composed_in_the_order_of_pull_backs():
    fixed = blobs(shape=(1, 32, 32))
    moving = np.roll(fixed, 4, axis=1)
    start = np.zeros((1, 32, 32, 2), np.float32)
    start[:, 10:22, 10:22] = blobs(1, shape=(1, 12, 12)) * 3
    w = optimise(moving, fixed, transformation="translation", start=start)
    t = np.broadcast_to(w[:, :1, :1], w.shape).copy()  # the start does not reach the corner
    assert 2 < np.abs(t).max() < 6
    np.testing.assert_allclose(w, host(compose(tensor(t, False), tensor(start, False))), atol=1e-4)
    assert np.abs(w - host(compose(tensor(start, False), tensor(t, False)))).max() > 0.5


def test_an_affine_optimisation_finds_an_affine_map_and_gives_one():
    fixed = blobs(shape=(1, 32, 32))
    matrix = np.array([[[1.1, 0.08, 1.5], [-0.05, 0.95, -1]]])
    rotation = matrix[0, :, :2]
    back = np.linalg.inv(rotation)
    inverse = np.concatenate([back, -(back @ matrix[0, :, 2:])], axis=1)[None]
    moving = warp(fixed, host(affine_displacement(tensor(inverse, False), 32, 32)))
    u = optimise(moving, fixed, transformation="affine", iterations=60)
    expected = host(affine_displacement(tensor(matrix, False), 32, 32))
    np.testing.assert_allclose(u[:, 8:-8, 8:-8], expected[:, 8:-8, 8:-8], atol=0.15)
    np.testing.assert_allclose(np.diff(u, n=2, axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(np.diff(u, n=2, axis=2), 0, atol=1e-4)


def test_a_translation_moves_every_pixel_alike_and_finds_a_shift():
    fixed = blobs(shape=(3, 28, 36))
    moving = np.roll(fixed, (-2, 3), axis=(1, 2))
    u = optimise(moving, fixed, transformation="translation")
    assert np.ptp(u, axis=(1, 2)).max() < 1e-5
    np.testing.assert_allclose(u[:, 0, 0], [[-2, 3]] * 3, atol=0.05)


@pytest.mark.parametrize("transformation", TRANSFORMATIONS)
def test_every_transformation_brings_the_images_closer(transformation):
    moving, fixed = digit_pairs(2)
    u = optimise(moving, fixed, transformation, iterations=15)
    assert ncc(moving, fixed, u) > metrics.ncc(moving, fixed).mean() + 0.02


@pytest.mark.parametrize("loss", losses.SIMILARITIES)
def test_every_similarity_falls(loss):
    moving, fixed = blobs(0), blobs(1)
    u = optimise(moving, fixed, loss=loss, iterations=10, levels=2)
    similarity = losses.SIMILARITIES[loss]
    target = tensor(fixed, False)
    after, before = (similarity(tensor(images, False), target).item() for images in (warp(moving, u), moving))
    assert after < before


def test_the_folding_penalty_and_the_smoothness_do_what_they_are_for():
    moving, fixed = digit_pairs(3)
    free = optimise(moving, fixed, folding=0.0, smoothness=0.0, iterations=30)
    whole = optimise(moving, fixed, smoothness=0.0, iterations=30)
    assert metrics.folded_cells(free).mean() > 0.005 and metrics.folded_cells(whole).mean() < 1e-3
    smoothed = optimise(moving, fixed, smoothness=1.0, iterations=30)
    assert metrics.spread_log_jacobian(smoothed).mean() < 0.7 * metrics.spread_log_jacobian(whole).mean()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transformation": "elastic"}, "unknown transformation 'elastic': choose one of displacement"),
        ({"loss": "magic"}, "unknown loss 'magic': choose one of ncc"),
        ({"start": np.zeros((2, 32, 32, 2), np.float32)}, "expected a start of shape"),
    ],
)
def test_what_cannot_be_optimised_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        optimise(*digit_pairs(1), **options)


# Demons


def test_no_demon_steps_further_than_the_longest_step():
    moving, fixed = digit_pairs(3)
    u = demons(moving, fixed, iterations=1, levels=1, longest_step=0.25, fluid=0, diffusion=0)
    longest = np.linalg.norm(u, axis=-1).max()
    assert 0.2 < longest <= 0.25 * 1.05  # the update is a velocity, and its flow a little longer or shorter


def test_demons_refuse_a_step_without_length():
    with pytest.raises(InputError, match="longest step must be above 0"):
        demons(*digit_pairs(1), longest_step=0)


# Methods by name


class Shift(Module):
    """A network that sees a shift by (1, -0.5) pixels towards the image with less ink, or so many times as much."""

    def __init__(self, times=1):
        self.times = times

    def forward(self, moving, fixed):
        more = (moving.data - fixed.data).sum(axis=(1, 2, 3), keepdims=True) >= 0
        field = np.where(more, 1, -1) * np.full((*moving.shape[:3], 2), [1, -0.5])
        return tensor((self.times * field).astype(np.float32), False)


def test_every_method_by_name_takes_pairs_and_gives_displacements():
    moving, fixed = digit_pairs(2)
    for name in METHODS:
        options = {"iterations": 2} if name in ("network+refine", "align", "optimise", "demons") else {}
        needed = {"network": Shift(), "landmarks": [[0, 0, 0, 1], [0, 30, 0, 30], [30, 0, 30, 0]]}
        options |= {option: needed[option] for option, _ in [NEEDS[name]]} if name in NEEDS else {}
        u = make_method(name, **options)(moving, fixed)
        assert u.shape == (2, 32, 32, 2) and u.dtype == np.float32
        assert u.any() == (name != "identity")


def test_no_network_moves_an_image_onto_itself():
    moving, fixed = digit_pairs(2)
    fixed[0] = moving[0]
    moves = make_method("network", network=Shift())(moving, fixed).any(axis=(1, 2, 3))
    assert moves.tolist() == [False, True]


def test_a_network_is_refined_from_its_prediction_on():
    moving, fixed = digit_pairs(2)
    predicted = make_method("network", network=Shift())
    refined = make_method("network+refine", network=Shift(), loss="ssim", iterations=3)(moving, fixed)
    options = {"stages": "deformable", "loss": "local_ncc", "iterations": 3}
    np.testing.assert_array_equal(refined, align(moving, fixed, start=predicted, **options))
    assert (refined != align(moving, fixed, levels=1, **options)).any()
    assert LIKE.items() <= {(loss, own) for loss in SIMILARITIES for own in COMPARISONS}
    assert SIMILARITIES.keys() == COMPARISONS.keys() | LIKE.keys()


def test_what_a_network_predicts_is_the_flow_between_images_that_are_aligned():
    moving, fixed = digit_pairs(2)
    affine = align(moving, fixed, stages="affine")
    nothing = make_method("network", network=Shift(0), stages="affine,deformable")(moving, fixed)
    np.testing.assert_allclose(nothing, affine, atol=1e-4)
    # S (S p + t) with S S = A: the shift t is added to A p as sqrt(A) t
    moved = make_method("network", network=Shift(), stages="affine,deformable")(moving, fixed) - affine
    for k, linear in enumerate(affine_part(affine)):
        expected = square_root(np.vstack([linear, [0, 0, 1]])[None])[0, :2, :2] @ [1, -0.5]
        expected *= np.sign(moved[k, 0, 0, 0])
        np.testing.assert_allclose(moved[k], np.broadcast_to(expected, moved[k].shape), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("magic", "unknown method 'magic'"),
        ("network", "needs a trained network"),
        ("network+refine", "its checkpoint"),
        ("tps", "needs landmarks"),
    ],
)
def test_a_method_that_cannot_be_made_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        make_method(name)


@pytest.mark.parametrize("method", [align, optimise, demons])
def test_images_of_integers_are_refused(method):
    moving, fixed = ((255 * images).astype(np.uint8) for images in digit_pairs(1))
    with pytest.raises(InputError, match="expected images of floats in \\[0, 1\\], got uint8"):
        method(moving, fixed)

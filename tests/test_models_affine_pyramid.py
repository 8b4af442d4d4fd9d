"""The affine network, affine then deformable, and the pyramid: any size, first the identity, fields in order."""

import numpy as np
import pytest
from gradients import host, tensor
from strict_backend import using

from minireg import backend, losses, nn, no_grad, ops, optim
from minireg.fields import affine_displacement, compose
from minireg.models import AffineNet, AffineThenDeformable, Pyramid
from minireg.training.checkpoint import load_checkpoint, save_checkpoint

NETWORKS = {
    "affine": AffineNet,
    "affine, one look": lambda rng: AffineNet(rng, looks=1),
    "affine, then pyramid": lambda rng: AffineThenDeformable(rng, deformable=Pyramid),
    "affine, then the default": AffineThenDeformable,
    "pyramid": Pyramid,
    "pyramid to an eighth": lambda rng: Pyramid(rng, scales=(8, 4, 2), channels=8, convolutions=2),
}
SMALL = {
    "affine": lambda rng: AffineNet(rng, channels=(4, 6)),
    "affine, then pyramid": lambda rng: AffineThenDeformable(rng, lambda rng: Pyramid(rng, channels=4)),
    "pyramid": lambda rng: Pyramid(rng, channels=4),
}


def wild(network, seed=0, size=0.1):
    """The network with random numbers added to all parameters, so that no layer is zero."""
    rng = np.random.default_rng(seed)
    for parameter in network.parameters():
        noise = size * rng.standard_normal(parameter.shape)
        parameter.data = parameter.data + backend.to_device(noise.astype(parameter.dtype))
    return network


def pair(shape, count=1, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).random((2, count, *shape, 1)).astype(dtype)


def predict(network, moving, fixed):
    with no_grad():
        return host(network(tensor(moving, False), tensor(fixed, False)))


def blob(row, column, shape=(24, 20)):
    """(1, H, W, 1): a bright spot that is longer than wide, so that it has a direction."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-(((rows - row) / 5) ** 2) - ((columns - column) / 3) ** 2)[None, ..., None].astype(np.float32)


# What all of them do


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("shape", "count"), [((1, 1), 1), ((27, 41), 1), ((32, 32), 3)])
def test_they_take_images_of_any_size_and_begin_with_the_identity(name, shape, count):
    moving, fixed = pair(shape, count)
    u = predict(NETWORKS[name](np.random.default_rng(0)), moving, fixed)
    assert u.shape == (count, *shape, 2) and u.dtype == np.float32
    assert not u.any()
    u = predict(wild(NETWORKS[name](np.random.default_rng(0))), moving, fixed)
    assert np.isfinite(u).all() and u.any() and u.dtype == np.float32


@pytest.mark.parametrize("name", NETWORKS)
def test_pairs_of_a_batch_do_not_see_each_other(name):
    moving, fixed = pair((13, 18), 3)
    network = wild(NETWORKS[name](np.random.default_rng(0)), size=0.02)
    together = predict(network, moving, fixed)
    alone = np.concatenate([predict(network, moving[i : i + 1], fixed[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(together, alone, atol=1e-4)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("seed", range(2))
def test_gradients_through_a_whole_network_are_those_of_central_differences(name, seed):
    rng = np.random.default_rng(seed)
    network = SMALL[name](rng)
    for parameter in network.parameters():
        parameter.data = parameter.data.astype(np.float64)
    wild(network, seed)
    moving, fixed = (tensor(image, False) for image in pair((11, 14), 2, seed, np.float64))
    cotangent = rng.standard_normal((2, 11, 14, 2))

    def projected():
        return (network(moving, fixed) * backend.to_device(cotangent)).sum()

    projected().backward()
    parameters = network.parameters()
    values = [host(parameter) for parameter in parameters]
    directions = [rng.standard_normal(parameter.shape) for parameter in parameters]
    gradients = [host(parameter.grad) for parameter in parameters]
    assert all(gradient.any() and gradient.dtype == np.float64 for gradient in gradients)
    analytic = sum(float((g * d).sum()) for g, d in zip(gradients, directions, strict=True))
    step, both = 1e-8, []
    for sign in (1, -1):
        for parameter, value, direction in zip(parameters, values, directions, strict=True):
            parameter.data = backend.to_device(value + sign * step * direction)
        with no_grad():
            both.append(projected().item())
    numeric = (both[0] - both[1]) / (2 * step)
    assert abs(numeric) > 1e-2
    assert numeric == pytest.approx(analytic, rel=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_they_train_on_the_other_backend_as_on_numpy(name):
    def trained(library):
        with using(library):
            network = wild(SMALL[name](np.random.default_rng(0)), size=0.02)
            optimiser = optim.Adam(network.parameters(), lr=1e-2)
            moving, fixed = (tensor(image, False) for image in pair((9, 14), 2))
            for _ in range(2):
                u = network(moving, fixed)
                loss = losses.ncc_loss(ops.warp(moving, u, border="edge"), fixed) + losses.diffusion(u)
                network.zero_grad()
                loss.backward()
                optimiser.step()
            return host(u), network.state_dict()

    (u, state), (other_u, other_state) = trained("numpy"), trained("strict")
    np.testing.assert_allclose(u, other_u, atol=1e-5)
    for key in state:
        np.testing.assert_allclose(state[key], other_state[key], atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_their_weights_go_through_a_checkpoint(name, tmp_path):
    first = wild(NETWORKS[name](np.random.default_rng(0)))
    save_checkpoint(tmp_path / "checkpoint.npz", {}, model=first.state_dict())
    second = NETWORKS[name](np.random.default_rng(1))
    second.load_state_dict(load_checkpoint(tmp_path / "checkpoint.npz")[1]["model"])
    moving, fixed = pair((10, 12))
    np.testing.assert_array_equal(predict(first, moving, fixed), predict(second, moving, fixed))


@pytest.mark.parametrize("network", [AffineNet, lambda rng: Pyramid(rng, channels=8, convolutions=1)])
def test_they_learn_where_a_spot_went(network):
    network = network(np.random.default_rng(0))
    moving, fixed = blob(13, 8), blob(11, 9)  # what is at (11, 9) in the fixed image is found 2 down, 1 to the left
    optimiser = optim.Adam(network.parameters(), lr=0.01)
    for _ in range(60):
        u = network(tensor(moving, False), tensor(fixed, False))
        loss = losses.ncc_loss(ops.warp(tensor(moving, False), u, border="edge"), tensor(fixed, False))
        network.zero_grad()
        (loss + 0.01 * losses.diffusion(u)).backward()
        optimiser.step()
    assert loss.item() < 0.02
    np.testing.assert_allclose(host(u)[0, 11, 9], [2, -1], atol=0.3)


# The affine network


@pytest.mark.parametrize("shape", [(27, 41), (8, 8)])
def test_the_matrix_is_in_pixels_about_the_centre_of_the_image(shape):
    network = wild(AffineNet(np.random.default_rng(0)))
    moving, fixed = pair(shape, 2)
    with no_grad():
        matrix = host(network.matrix(tensor(moving, False), tensor(fixed, False)))
    assert matrix.shape == (2, 2, 3) and np.abs(matrix - np.eye(2, 3)).max() > 0.01
    points = np.moveaxis(np.mgrid[: shape[0], : shape[1]], 0, -1).astype(float)
    centre = (np.array(shape) - 1) / 2
    moved = centre + np.einsum("nij,hwj->nhwi", matrix[..., :2], points - centre) + matrix[:, None, None, :, 2]
    np.testing.assert_allclose(predict(network, moving, fixed), moved - points, atol=1e-3)


def test_a_second_look_sees_the_image_as_warped_so_far_and_its_map_comes_first(monkeypatch):
    rng = np.random.default_rng(0)
    maps = [np.eye(2, 3)[None] + 0.2 * rng.standard_normal((1, 2, 3)) for _ in range(3)]
    (moving, fixed), seen = pair((9, 12), dtype=np.float64), []

    def look(self, warped, fixed):
        seen.append(host(warped))
        return tensor(maps[len(seen) - 1], False)

    monkeypatch.setattr(AffineNet, "_look", look)
    matrix = host(AffineNet(rng, looks=3).matrix(tensor(moving, False), tensor(fixed, False)))
    homogeneous = [np.vstack([m[0], [0, 0, 1]]) for m in maps]
    np.testing.assert_allclose(matrix[0], (homogeneous[0] @ homogeneous[1] @ homogeneous[2])[:2], atol=1e-12)
    u = affine_displacement(tensor(maps[0], False), 9, 12)
    np.testing.assert_array_equal(seen[0], moving)
    np.testing.assert_allclose(seen[1], host(ops.warp(tensor(moving, False), u, border="edge")), atol=1e-12)


# Affine, then deformable


class Constant(nn.Module):
    """A network that remembers what it is shown and predicts one displacement."""

    def __init__(self, displacement):
        self.displacement = displacement

    def forward(self, moving, fixed):
        self.moving = host(moving)
        return tensor(self.displacement, False)


def test_warping_by_affine_then_deformable_is_warping_by_the_affine_and_the_result_by_the_deformable():
    quarter_turn = np.array([[[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]])  # takes pixels to pixels
    affine, deformable = host(affine_displacement(tensor(quarter_turn), 11, 11)), np.full((1, 11, 11, 2), [2.0, 0.0])
    network = AffineThenDeformable(np.random.default_rng(0), lambda rng: Constant(deformable))
    network.affine = Constant(affine)
    moving, fixed = pair((11, 11), dtype=np.float64)
    u = predict(network, moving, fixed)
    warped = ops.warp(tensor(moving, False), tensor(affine, False), border="edge")
    np.testing.assert_array_equal(network.deformable.moving, host(warped))
    in_turn = host(ops.warp(warped, tensor(deformable, False), border="edge"))
    at_once = host(ops.warp(tensor(moving, False), tensor(u, False), border="edge"))
    np.testing.assert_allclose(at_once[:, :-2], in_turn[:, :-2], atol=1e-12)


# The pyramid


class ConstantLevel(nn.Module):
    """A level that remembers what it is shown and predicts one velocity."""

    def __init__(self, velocity):
        self.velocity = velocity  # (2,), or of the size of the level

    def forward(self, x):
        self.seen = host(x)
        return tensor(np.broadcast_to(self.velocity, (*x.shape[:3], 2)), False)


def test_every_level_of_the_pyramid_goes_on_from_the_image_as_warped_so_far_in_its_own_pixels():
    network = Pyramid(np.random.default_rng(0), scales=(8, 4, 2, 2))
    network.levels = [ConstantLevel(np.array(v)) for v in ([0.5, -0.25], [0.25, 0.5], [0.5, 0.25], [0.0, -0.5])]
    moving, fixed = pair((27, 41), dtype=np.float64)
    u = predict(network, moving, fixed)
    np.testing.assert_allclose(u, np.broadcast_to([4 + 1 + 1, -2 + 2 + 0.5 - 1], u.shape), atol=1e-12)

    padded_moving, padded_fixed = (np.pad(image, ((0, 0), (0, 5), (0, 7), (0, 0))) for image in (moving, fixed))
    shifted = host(ops.warp(tensor(padded_moving), tensor(np.full((1, 32, 48, 2), [5.0, 0.0])), border="edge"))
    seen = network.levels[2].seen  # at half of the size, blocks of 2x2 pixels of both images and the displacement
    assert seen.shape == (1, 16, 24, 10)
    for block, (i, j) in enumerate(np.ndindex(2, 2)):
        np.testing.assert_allclose(seen[..., 2 * block], shifted[:, i::2, j::2, 0], atol=1e-12)
        np.testing.assert_array_equal(seen[..., 2 * block + 1], padded_fixed[:, i::2, j::2, 0])
    np.testing.assert_allclose(seen[..., 8:], np.broadcast_to([2.5, 0], (1, 16, 24, 2)), atol=1e-12)
    means = padded_fixed.reshape(1, 4, 4, 2, 6, 4, 2).mean(axis=(2, 5))  # at an eighth, each a mean over 4x4 blocks
    np.testing.assert_allclose(network.levels[0].seen[..., 1], means[:, :, 0, :, 0], atol=1e-12)


def test_the_field_of_a_finer_level_comes_first_and_that_of_the_coarser_one_after_it():
    coarse, fine = np.random.default_rng(0).uniform(-1, 1, (2, 1, 8, 10, 2))
    network = Pyramid(np.random.default_rng(0), scales=(2, 2), squarings=0)
    network.levels = [ConstantLevel(coarse), ConstantLevel(fine)]
    expected = host(ops.upsample_bilinear(compose(tensor(fine), tensor(coarse)), 2)) * 2
    np.testing.assert_allclose(predict(network, *pair((16, 20), dtype=np.float64)), expected, atol=1e-12)

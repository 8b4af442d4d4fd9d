"""Fields compose and integrate as their definitions say; networks take any size and follow the conventions."""

import numpy as np
import pytest
from gradients import host, tensor
from short_runs import small_digits

from minireg import backend, losses, nn, no_grad, ops
from minireg.data import pad
from minireg.errors import InputError
from minireg.fields import compose, integrate
from minireg.methods import register
from minireg.models import MODELS, EncoderDecoder, SymmetricUNet, both_ways


def smooth_field(shape, size, seed=0, dtype=np.float64):
    """(1, H, W, 2): a few waves, at most `size` pixels long."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    waves = [
        np.sin(2 * np.pi * rows / shape[0] + a) * np.cos(2 * np.pi * columns / shape[1] + b)
        for a, b in rng.uniform(0, 6, (2, 2))
    ]
    return size * np.stack(waves, axis=-1)[None].astype(dtype)


def digits_pair(count=1, shape=(32, 32)):
    """Moving and fixed images of the digit 5, cut or padded to a shape, (count, H, W, 1) float32."""
    images = pad(small_digits().test_images[small_digits().test_labels == 5][: 2 * count], 32)
    rows, columns = (np.clip(np.arange(size) + (32 - size) // 2, 0, 31) for size in shape)
    images = images[:, rows[:, None], columns]
    return images[:count], images[count:]


def set_to(parameter, array):
    parameter.data = backend.to_device(np.asarray(array, dtype=parameter.dtype))


def wild_unet(seed=0, size=0.1, **options):
    """A network whose last layer is random instead of zero, so that its fields are not the identity."""
    rng = np.random.default_rng(seed)
    network = SymmetricUNet(rng, **options)
    weight = network.unet.output.weight
    set_to(weight, size * rng.standard_normal(weight.shape))
    return network


def predict(network, moving, fixed):
    with no_grad():
        return host(network(tensor(moving, False), tensor(fixed, False)))


# Fields


def test_compose_goes_along_the_first_field_and_from_there_along_the_second():
    rng = np.random.default_rng(0)
    first = rng.integers(-3, 4, (2, 6, 7, 2)).astype(float)
    second = rng.standard_normal((2, 6, 7, 2))
    w = host(compose(tensor(first), tensor(second)))
    for n, i, j in np.ndindex(2, 6, 7):
        di, dj = first[n, i, j].astype(int)
        there = np.clip(i + di, 0, 5), np.clip(j + dj, 0, 6)
        np.testing.assert_allclose(w[n, i, j], first[n, i, j] + second[n, there[0], there[1]], atol=1e-12)


def test_composing_with_an_affine_field_is_exact_between_the_pixels():
    rng = np.random.default_rng(0)
    points = np.moveaxis(np.mgrid[:9, :9], 0, -1).astype(float)
    matrix, shift = 0.1 * rng.standard_normal((2, 2)), rng.standard_normal(2)
    first = rng.uniform(-1, 1, (1, 9, 9, 2))
    second = (points @ matrix + shift)[None]
    w = host(compose(tensor(first), tensor(second)))
    expected = first + (points + first) @ matrix + shift
    np.testing.assert_allclose(w[:, 1:-1, 1:-1], expected[:, 1:-1, 1:-1], atol=1e-12)


def test_warping_by_a_composed_field_is_warping_by_the_second_and_then_by_the_first():
    image = np.random.default_rng(0).random((1, 12, 12, 1))
    first = np.broadcast_to([2.0, -1.0], (1, 12, 12, 2))
    second = np.broadcast_to([-1.0, 3.0], (1, 12, 12, 2))
    at_once = ops.warp(tensor(image), compose(tensor(first), tensor(second)), border="edge")
    in_turn = ops.warp(ops.warp(tensor(image), tensor(second), border="edge"), tensor(first), border="edge")
    np.testing.assert_allclose(host(at_once)[:, 3:-3, 3:-3], host(in_turn)[:, 3:-3, 3:-3], atol=1e-12)


@pytest.mark.parametrize("squarings", [0, 1, 5])
def test_integrating_a_constant_velocity_is_that_translation(squarings):
    velocity = np.broadcast_to([1.5, -7.25], (2, 5, 6, 2))
    np.testing.assert_array_equal(host(integrate(tensor(velocity), squarings)), velocity)


def test_flowing_backwards_undoes_flowing_forwards():
    velocity = smooth_field((32, 32), 1.5)
    forward, backward = (integrate(tensor(sign * velocity), 6) for sign in (1, -1))
    assert np.abs(host(forward)).max() > 1
    rest = host(compose(forward, backward))[:, 3:-3, 3:-3]
    assert np.abs(rest).max() < 0.03


def test_integration_converges_to_the_flow_of_the_velocity():
    # dr/dt = a r, dc/dt = -a c has the flow r e^(at), c e^(-at): exact for bilinear interpolation within the image.
    a = 0.05
    points = np.moveaxis(np.mgrid[:33, :33], 0, -1).astype(float) - 16
    u = host(integrate(tensor((points * [a, -a])[None]), 10))
    exact = points * [np.exp(a) - 1, np.exp(-a) - 1]
    np.testing.assert_allclose(u[0, 4:-4, 4:-4], exact[4:-4, 4:-4], atol=1e-3)


def test_gradients_flow_through_integration():
    from gradients import check_vjps

    rng = np.random.default_rng(1)
    velocity = smooth_field((5, 6), 0.7) + 0.01 * rng.standard_normal((1, 5, 6, 2))
    check_vjps(lambda v: integrate(v, 3), velocity, rng=rng, step=1e-7, tolerance=1e-5)
    check_vjps(compose, velocity, 0.5 * velocity[:, ::-1], rng=rng, step=1e-7, tolerance=1e-5)


# The network of 2020


def test_the_network_of_2020_has_its_231650_parameters():
    network = EncoderDecoder(np.random.default_rng(0))
    assert sum(parameter.size for parameter in network.parameters()) == 231_650


def constant_output(x, y):
    """The network of 2020 with an output layer that predicts (x, y) everywhere."""
    network = EncoderDecoder(np.random.default_rng(0)).eval()
    output = network.decoder.layers[-1]
    set_to(output.weight, np.zeros(output.weight.shape))
    set_to(output.bias, [x, y])
    return network


@pytest.mark.parametrize(("height", "width"), [(32, 32), (16, 40)])
@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (0, 3), (-2, 0), (5, -4), (0.5, 0.25)])
def test_its_output_is_x_y_in_halves_of_the_image_and_where_a_pixel_looks_is_clipped(height, width, rows, columns):
    moving = np.random.default_rng(0).random((1, height, width, 1), dtype=np.float32)
    u = predict(constant_output(2 * columns / (width - 1), 2 * rows / (height - 1)), moving, moving)
    i, j = np.mgrid[:height, :width]
    np.testing.assert_allclose(u[0, ..., 0] + i, np.clip(i + rows, 0, height - 1), atol=1e-4)
    np.testing.assert_allclose(u[0, ..., 1] + j, np.clip(j + columns, 0, width - 1), atol=1e-4)


def test_it_refuses_sizes_that_it_cannot_halve_three_times():
    network = EncoderDecoder(np.random.default_rng(0))
    image = np.zeros((1, 28, 28, 1), np.float32)
    with pytest.raises(InputError, match="multiples of 8, got 28 x 28"):
        predict(network, image, image)


# The symmetric U-Net


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (7, 5), (28, 28), (32, 32), (33, 47), (100, 150)])
@pytest.mark.parametrize("count", [1, 3])
def test_the_unet_takes_images_of_any_size_and_begins_with_the_identity(shape, count):
    moving, fixed = np.random.default_rng(0).random((2, count, *shape, 1), dtype=np.float32)
    u = predict(SymmetricUNet(np.random.default_rng(0)), moving, fixed)
    assert u.shape == (count, *shape, 2) and u.dtype == np.float32
    assert not u.any()
    u = predict(wild_unet(), moving, fixed)
    assert np.isfinite(u).all() and u.any()


@pytest.mark.parametrize(
    "options", [{"channels": (4,)}, {"channels": (4, 8, 8, 8)}, {"looks": (2,)}, {"looks": (8, 4, 2)}, {"squarings": 0}]
)
def test_the_unet_can_be_deeper_shallower_and_look_once(options):
    moving, fixed = digits_pair()
    u = predict(wild_unet(**options), moving, fixed)
    assert u.shape == (1, 32, 32, 2) and u.any()


def test_pairs_of_a_batch_do_not_see_each_other():
    moving, fixed = digits_pair(4)
    network = wild_unet()
    together = predict(network, moving, fixed)
    alone = np.concatenate([predict(network, moving[i : i + 1], fixed[i : i + 1]) for i in range(4)])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_images_of_other_sizes_are_padded_with_zeros_and_multiples_of_16_are_not_padded(monkeypatch):
    moving, fixed = digits_pair(shape=(21, 28))
    network = wild_unet()
    margin = ((0, 0), (0, 11), (0, 4), (0, 0))
    padded = predict(network, np.pad(moving, margin), np.pad(fixed, margin))
    np.testing.assert_array_equal(predict(network, moving, fixed), padded[:, :21, :28])
    moving, fixed = digits_pair()
    before = predict(network, moving, fixed)
    monkeypatch.setattr(ops, "pad", lambda image, margin: image)
    np.testing.assert_array_equal(predict(network, moving, fixed), before)


def test_the_symmetric_network_leaves_equal_images_where_they_are():
    moving, _ = digits_pair(2)
    assert predict(wild_unet(), moving, _).any()
    assert np.abs(predict(wild_unet(), moving, moving)).max() < 1e-5  # pixels; some BLAS round a row by where it stands


def test_exchanging_the_images_exchanges_the_fields_there_and_back():
    moving, fixed = digits_pair(2)
    with no_grad():
        there, back = wild_unet().both_ways(tensor(moving, False), tensor(fixed, False))
    swapped = predict(wild_unet(), fixed, moving)
    np.testing.assert_allclose(host(back), swapped, atol=1e-4)
    assert np.abs(host(there) - swapped).max() > 0.5


@pytest.mark.parametrize("looks", [(2,), (4, 2), (4, 4, 2, 2, 2)])
def test_there_and_back_leads_to_the_start(looks, monkeypatch):
    moving, fixed = digits_pair()
    network = SymmetricUNet(np.random.default_rng(0), looks=looks, squarings=5)

    def waves(x):  # smooth, and different for the two orders of the images
        shape = x.shape[1:3]
        return tensor(np.concatenate([smooth_field(shape, 1 / len(looks), seed, np.float32) for seed in (0, 1)]), False)

    monkeypatch.setattr(network, "unet", waves)
    with no_grad():
        there, back = network.both_ways(tensor(moving, False), tensor(fixed, False))
        missed = np.abs(host(compose(there, back)))[:, 8:-8, 8:-8]
    assert np.abs(host(there)).max() > 0.7
    assert missed.mean() < 0.03 * np.abs(host(there)).mean()


def test_every_look_sees_the_images_as_warped_so_far(monkeypatch):
    """With a network that answers with one constant shift, each look moves the images by as much again."""
    moving, fixed = digits_pair()
    network = wild_unet(looks=(4, 2, 2))
    seen = []

    def shift(x):
        seen.append(host(x))
        n = len(x.data) // 2
        answer = np.zeros((*x.shape[:3], 2), np.float32)
        answer[:n, ..., 1], answer[n:, ..., 1] = 1, -1
        return tensor(answer, False)

    monkeypatch.setattr(network, "unet", shift)
    displacement = predict(network, moving, fixed)
    # Pixels of the image: a shift of 1 at a quarter of the size, and twice 1 at half of it.
    np.testing.assert_allclose(displacement[:, 8:-8, 8:-8], np.broadcast_to([0, 4 + 2 + 2], (1, 16, 16, 2)), atol=1e-4)
    # Half of it in each image, in pixels of half the size; the field so far is the last input.
    np.testing.assert_allclose(seen[1][0, 4:-4, 4:-4, 9], 1, atol=1e-4)
    np.testing.assert_allclose(seen[2][1, 4:-4, 4:-4, 9], -1.5, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_both_ways_is_the_field_of_the_pair_and_of_the_swapped_pair(name):
    moving, fixed = digits_pair(2)
    network = MODELS[name](np.random.default_rng(0)).eval()
    with no_grad():
        there, back = both_ways(network, tensor(moving, False), tensor(fixed, False))
    np.testing.assert_allclose(host(there), predict(network, moving, fixed), atol=1e-5)
    np.testing.assert_allclose(host(back), predict(network, fixed, moving), atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shapes", [((1, 8, 8, 1), (1, 8, 16, 1)), ((1, 8, 8, 2),) * 2, ((8, 8, 1),) * 2])
def test_images_that_do_not_belong_together_are_refused(name, shapes):
    network = MODELS[name](np.random.default_rng(0))
    with pytest.raises(InputError, match="expected moving and fixed images of one shape"):
        network(*(tensor(np.zeros(shape, np.float32)) for shape in shapes))


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_network_and_its_state_goes_around(name):
    first, second, other = (MODELS[name](np.random.default_rng(seed)) for seed in (0, 0, 1))
    for key, array in first.state_dict().items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, second.state_dict()[key])
    moving, fixed = digits_pair()
    if name == "symmetric":
        first = wild_unet()
    other.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(predict(first.eval(), moving, fixed), predict(other.eval(), moving, fixed))


@pytest.mark.parametrize("name", ["symmetric", "encoder-decoder"])
def test_the_gradient_of_the_whole_network_is_that_of_central_differences(name):
    rng = np.random.default_rng(0)
    network = wild_unet(channels=(4, 6), looks=(4, 2)) if name == "symmetric" else EncoderDecoder(rng).eval()
    for parameter in network.parameters():
        # Off zero: where an image is black and a bias is zero, a ReLU sits exactly on its kink.
        parameter.data = parameter.data.astype(np.float64) + backend.to_device(
            0.01 * rng.standard_normal(parameter.shape)
        )
    # Batch norm's running statistics are arrays of the state; they must not turn the network back into float32.
    for module in [network, *all_modules(network)]:
        for buffer in ("running_mean", "running_var"):
            if hasattr(module, buffer):
                setattr(module, buffer, getattr(module, buffer).astype(np.float64))
    moving, fixed = (tensor(rng.random((2, 16, 16, 1)), False) for _ in range(2))

    def loss():
        u = network(moving, fixed)
        assert host(u).dtype == np.float64
        return losses.ncc_loss(ops.warp(moving, u, border="edge"), fixed) + 0.1 * losses.diffusion(u)

    loss().backward()
    parameters = network.parameters()
    directions = [rng.standard_normal(parameter.shape) for parameter in parameters]
    analytic = sum(float((host(p.grad) * d).sum()) for p, d in zip(parameters, directions, strict=True))
    values = [host(parameter).copy() for parameter in parameters]
    step, both = 1e-8, []
    for sign in (1, -1):
        for parameter, value, direction in zip(parameters, values, directions, strict=True):
            set_to(parameter, value + sign * step * direction)
        with no_grad():
            both.append(loss().item())
    numeric = (both[0] - both[1]) / (2 * step)
    assert abs(numeric) > 1e-3
    assert numeric == pytest.approx(analytic, rel=1e-4)


def all_modules(module):
    for _, value in module._entries():
        if isinstance(value, nn.Module):
            yield value
            yield from all_modules(value)


# Registering with a network


def test_register_warps_with_the_field_that_it_returns_whatever_the_batch_size():
    moving, fixed = digits_pair(5)
    network = wild_unet()
    warped, displacement = register(network, moving, fixed)
    for batch_size in (1, 2, 100):
        again = register(network, moving, fixed, batch_size)
        np.testing.assert_allclose(again[0], warped, atol=1e-4)
        np.testing.assert_allclose(again[1], displacement, atol=1e-4)
    expected = host(ops.warp(tensor(moving, False), tensor(displacement, False), border="edge"))
    np.testing.assert_array_equal(warped, expected)
    assert warped.dtype == displacement.dtype == np.float32
    assert type(warped) is type(displacement) is np.ndarray


@pytest.mark.parametrize("training", [True, False])
def test_register_evaluates_and_leaves_the_network_in_the_mode_in_which_it_found_it(training):
    moving, fixed = digits_pair(2)
    network = EncoderDecoder(np.random.default_rng(0)).train(training)
    before = network.state_dict()
    register(network, moving, fixed)
    assert network.training is training
    after = network.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_field_that_is_not_finite_is_refused():
    moving, fixed = digits_pair(2)
    network = SymmetricUNet(np.random.default_rng(0))
    set_to(network.unet.output.weight, np.full(network.unet.output.weight.shape, np.inf))
    with pytest.raises(InputError, match="not finite"):
        register(network, moving, fixed)

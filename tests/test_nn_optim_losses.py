"""Layers, optimisers and losses: what training is made of."""

from collections import deque

import numpy as np
import pytest
from gradients import host, output_and_gradients, tensor
from strict_backend import using

from minireg import backend, losses, nn, ops, optim
from minireg.errors import InputError


def small_network(seed=0):
    """Two convolutions with batch norm and a rearrangement in between: every kind of state there is."""
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, rng, stride=2, padding=1, bias=False),
        nn.BatchNorm(4),
        nn.Activation(ops.leaky_relu, negative_slope=0.2),
        nn.ConvTranspose2d(4, 3, 2, rng, stride=2, init="glorot"),
        nn.Dropout(0.2, np.random.default_rng(seed)),
        nn.Linear(3, 2, rng),
    )


def registration_step(network, optimiser, seed=0):
    """One step of training as the project does it: warp the moving image by what the network predicts."""
    images = np.random.default_rng(seed).random((2, 8, 8, 2), np.float32)
    both, moving, fixed = (tensor(array, False) for array in (images, images[..., :1], images[..., 1:]))
    network.zero_grad()
    displacement = network(both)
    loss = losses.ncc_loss(ops.warp(moving, displacement), fixed) + 0.1 * losses.diffusion(displacement)
    loss.backward()
    optimiser.step()
    return loss


def trained(library, steps=3):
    """Losses and weights after some steps on a backend."""
    with using(library):
        network = small_network()
        optimiser = optim.Adam(network.parameters(), lr=1e-2)
        history = [registration_step(network, optimiser, seed).item() for seed in range(steps)]
        return history, network.state_dict()


# Modules


def test_parameters_are_named_by_their_attributes_in_the_order_of_assignment():
    class Pair(nn.Module):
        def __init__(self, rng):
            self.first = nn.Linear(2, 2, rng)
            self.scale = nn.Parameter(np.ones(1, np.float32))
            self.rest = [nn.Linear(2, 1, rng, bias=False), nn.BatchNorm(1)]

    pair = Pair(np.random.default_rng(0))
    assert [name for name, _ in pair.named_parameters()] == [
        "first.weight",
        "first.bias",
        "scale",
        "rest.0.weight",
        "rest.1.weight",
        "rest.1.bias",
    ]
    assert [name for name, _ in pair.named_buffers()] == ["rest.1.running_mean", "rest.1.running_var"]
    assert [p is q for p, (_, q) in zip(pair.parameters(), pair.named_parameters(), strict=True)] == [True] * 6


def test_a_layer_used_twice_has_its_weights_once_and_parameters_in_lists_are_found():
    class Shared(nn.Module):
        def __init__(self, rng):
            self.first = self.second = nn.Linear(2, 2, rng, bias=False)
            self.scales = [nn.Parameter(np.ones(1, np.float32)), nn.Parameter(np.ones(2, np.float32))]

    names = [name for name, _ in Shared(np.random.default_rng(0)).named_parameters()]
    assert names == ["first.weight", "scales.0", "scales.1"]


def test_train_and_eval_reach_every_module_below():
    network = small_network()
    assert network.eval() is network
    assert not any(layer.training for layer in network.layers)
    network.train()
    assert all(layer.training for layer in network.layers)


def test_evaluation_neither_drops_nor_moves_the_running_statistics():
    network, x = small_network().eval(), tensor(np.random.default_rng(0).random((2, 4, 4, 2), np.float32))
    before = network.state_dict()
    first, second = host(network(x)), host(network(x))
    np.testing.assert_array_equal(first, second)
    for name, array in network.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_training_moves_the_running_statistics():
    network, x = small_network(), tensor(np.random.default_rng(0).random((2, 4, 4, 2), np.float32))
    before = network.state_dict()
    network(x)
    assert not np.array_equal(network.state_dict()["layers.1.running_mean"], before["layers.1.running_mean"])


def test_zero_grad_forgets_every_gradient():
    network = small_network()
    network(tensor(np.ones((1, 4, 4, 2), np.float32))).sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    network.zero_grad()
    assert all(p.grad is None for p in network.parameters())


def test_a_parameter_must_be_floating_point():
    with pytest.raises(TypeError, match="int64"):
        nn.Parameter(np.arange(3))


# Saving and loading weights


def test_the_state_of_one_network_makes_another_compute_the_same():
    one, other = small_network(0), small_network(1)
    x = tensor(np.random.default_rng(0).random((2, 4, 4, 2), np.float32), False)
    one(x)  # so that the running statistics are not the first ones
    other.load_state_dict(one.state_dict())
    np.testing.assert_array_equal(host(one.eval()(x)), host(other.eval()(x)))


def test_a_state_holds_copies_in_numpy_on_both_ways():
    network, other = small_network(), small_network(1)
    state = network.state_dict()
    assert all(type(array) is np.ndarray for array in state.values())
    kept = {name: array.copy() for name, array in state.items()}
    other.load_state_dict(state)
    for p in [*network.parameters(), *other.parameters()]:
        p.data += 1
    for array in [*dict(network.named_buffers()).values(), *dict(other.named_buffers()).values()]:
        array += 1
    for name, array in state.items():
        np.testing.assert_array_equal(array, kept[name])


def without_one(state):
    del state["layers.1.bias"]


def with_one_more(state):
    state["layers.9.bias"] = np.ones(1)


def reshaped(state):
    state["layers.3.weight"] = state["layers.3.weight"][:1]


def with_nan(state):
    state["layers.1.running_var"][0] = np.nan


def with_infinity(state):
    state["layers.5.weight"][0] = np.inf


@pytest.mark.parametrize(
    "spoil, message",
    [
        (without_one, r"Sequential: missing: layers\.1\.bias"),
        (with_one_more, r"unexpected: layers\.9\.bias"),
        (reshaped, r"misshapen: layers\.3\.weight has shape \(1, 2, 3, 4\) where \(2, 2, 3, 4\)"),
        (with_nan, r"not finite: layers\.1\.running_var"),
        (with_infinity, r"not finite: layers\.5\.weight"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(spoil, message):
    network, state = small_network(0), small_network(1).state_dict()
    before = network.state_dict()
    spoil(state)
    with pytest.raises(InputError, match=message):
        network.load_state_dict(state)
    for name, array in network.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


# First weights


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_he_weights_have_the_variance_that_keeps_activations_from_shrinking(slope):
    weight = nn.he_normal((3, 3, 64, 128), 9 * 64, np.random.default_rng(0), slope)
    assert weight.dtype == np.float32
    np.testing.assert_allclose(weight.var(), 2 / ((1 + slope**2) * 9 * 64), rtol=0.02)
    np.testing.assert_allclose(weight.mean(), 0, atol=1e-3)


def test_glorot_weights_are_uniform_with_the_variance_that_suits_both_directions():
    weight = nn.glorot_uniform((3, 3, 64, 128), 9 * 64, 9 * 128, np.random.default_rng(0))
    limit = np.sqrt(6 / (9 * (64 + 128)))
    assert weight.dtype == np.float32
    assert np.abs(weight).max() <= limit and np.abs(weight).max() > 0.999 * limit
    np.testing.assert_allclose(weight.var(), 2 / (9 * (64 + 128)), rtol=0.02)


@pytest.mark.parametrize("layer", [nn.Conv2d, nn.ConvTranspose2d])
def test_a_convolution_counts_its_inputs_over_all_taps_and_begins_without_bias(layer):
    made = layer(64, 32, 3, np.random.default_rng(0))
    np.testing.assert_allclose(host(made.weight).var(), 2 / (9 * 64), rtol=0.05)
    np.testing.assert_array_equal(host(made.bias), np.zeros(32))
    assert layer(2, 3, 3, np.random.default_rng(0), bias=False).bias is None
    assert not host(layer(2, 3, 3, np.random.default_rng(0), init="zeros").weight).any()


def test_a_layer_names_the_ways_to_begin_where_it_does_not_know_the_one_asked_for():
    rng = np.random.default_rng(0)
    layers = [lambda init: nn.Conv2d(2, 3, 3, rng, init=init), lambda init: nn.ConvTranspose2d(2, 3, 3, rng, init=init)]
    for layer in [*layers, lambda init: nn.Linear(2, 3, rng, init=init)]:
        with pytest.raises(InputError, match="no init 'random': choose one of he, glorot, zeros"):
            layer("random")


def test_a_layer_computes_its_op():
    rng = np.random.default_rng(0)
    x = tensor(rng.random((2, 6, 6, 3), np.float32))
    conv = nn.Conv2d(3, 4, 3, rng, stride=2, padding="same", dilation=2)
    expected = ops.conv2d(x, conv.weight, conv.bias, stride=2, padding="same", dilation=2)
    np.testing.assert_array_equal(host(conv(x)), host(expected))
    up = nn.ConvTranspose2d(3, 4, 4, rng, stride=2, padding=1)
    np.testing.assert_array_equal(host(up(x)), host(ops.conv_transpose2d(x, up.weight, up.bias, 2, 1)))
    assert up(x).shape == (2, 12, 12, 4)
    dense = nn.Linear(3, 5, rng)
    np.testing.assert_array_equal(host(dense(x)), host(ops.linear(x, dense.weight, dense.bias)))


# Optimisers


OPTIMISERS = {
    "SGD": lambda parameters: optim.SGD(parameters, lr=0.1),
    "momentum": lambda parameters: optim.SGD(parameters, lr=0.1, momentum=0.9),
    "Adam": lambda parameters: optim.Adam(parameters, lr=0.1, betas=(0.8, 0.95)),
    "AdamW": lambda parameters: optim.AdamW(parameters, lr=0.1, weight_decay=0.2),
}
each_optimiser = pytest.mark.parametrize("name", OPTIMISERS)


def followed(make, start, gradients):
    """The parameter after each step, for a given sequence of gradients."""
    parameter = nn.Parameter(np.array(start))
    optimiser = make([parameter])
    path = []
    for gradient in gradients:
        parameter.grad = backend.to_device(np.array(gradient))
        optimiser.step()
        path.append(host(parameter).copy())
    return np.array(path)


@each_optimiser
def test_optimisers_follow_pytorch(name):
    torch = pytest.importorskip("torch")
    theirs = {
        "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        "Adam": lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.95)),
        "AdamW": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.2),
    }[name]
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal((3, 2)), rng.standard_normal((10, 3, 2))
    parameter = torch.nn.Parameter(torch.tensor(start))
    optimiser, expected = theirs([parameter]), []
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimiser.step()
        expected.append(parameter.detach().numpy().copy())
    np.testing.assert_allclose(followed(OPTIMISERS[name], start, gradients), expected, rtol=1e-10, atol=1e-12)


def test_optimisers_follow_a_computation_by_hand():
    # One number, start 1, gradients 2 and then -1; the first step of Adam is lr whatever the gradient is.
    gradients = [[2.0], [-1.0]]
    np.testing.assert_allclose(followed(OPTIMISERS["SGD"], [1.0], gradients)[:, 0], [0.8, 0.9])
    np.testing.assert_allclose(followed(OPTIMISERS["momentum"], [1.0], gradients)[:, 0], [0.8, 0.8 - 0.1 * 0.8])
    mean, square = 0.8 * 0.4 - 0.2, 0.95 * 0.05 * 4 + 0.05
    second = 0.9 - 0.1 * (mean / (1 - 0.8**2)) / np.sqrt(square / (1 - 0.95**2))
    np.testing.assert_allclose(followed(OPTIMISERS["Adam"], [1.0], gradients)[:, 0], [0.9, second], rtol=1e-7)
    np.testing.assert_allclose(followed(OPTIMISERS["AdamW"], [1.0], [[2.0]])[:, 0], [0.9 - 0.1 * 0.2], rtol=1e-7)


@each_optimiser
def test_an_optimiser_that_was_saved_continues_bit_for_bit(name):
    def begin():
        network = small_network()
        return network, OPTIMISERS[name](network.parameters())

    network, optimiser = begin()
    for seed in range(3):
        registration_step(network, optimiser, seed)
    weights, state = network.state_dict(), optimiser.state_dict()
    assert all(type(array) is np.ndarray for array in state.values())

    resumed, resumed_optimiser = begin()
    resumed.load_state_dict(weights)
    resumed_optimiser.load_state_dict(state)
    for net in (network, resumed):
        net.layers[4].rng = np.random.default_rng(7)  # dropout keeps its generator outside the state
    for seed in range(3, 6):
        registration_step(network, optimiser, seed)
        registration_step(resumed, resumed_optimiser, seed)
    for after, expected in [
        (resumed.state_dict(), network.state_dict()),
        (resumed_optimiser.state_dict(), optimiser.state_dict()),
    ]:
        assert after.keys() == expected.keys()
        for key in after:
            np.testing.assert_array_equal(after[key], expected[key])


def test_the_state_of_another_optimiser_is_refused_and_changes_nothing():
    parameters = [nn.Parameter(np.ones(3, np.float32))]
    adam, sgd = optim.Adam(parameters, lr=0.1), optim.SGD(parameters, lr=0.1, momentum=0.9)
    parameters[0].grad = backend.to_device(np.ones(3, np.float32))
    adam.step()
    before = adam.state_dict()
    larger = optim.Adam([nn.Parameter(np.ones(4, np.float32))], lr=0.1)
    for other in (sgd, larger):
        with pytest.raises(InputError, match="does not belong to Adam"):
            adam.load_state_dict(other.state_dict())
    for key, array in adam.state_dict().items():
        np.testing.assert_array_equal(array, before[key])


@each_optimiser
def test_a_parameter_without_a_gradient_stays(name):
    used, unused = nn.Parameter(np.ones(2, np.float32)), nn.Parameter(np.ones(2, np.float32))
    used.grad = backend.to_device(np.ones(2, np.float32))
    OPTIMISERS[name]([used, unused]).step()
    np.testing.assert_array_equal(host(unused), np.ones(2))
    assert (host(used) < 1).all()


@each_optimiser
def test_a_parameter_without_axes_is_optimised_too(name):
    scale = nn.Parameter(np.float32(1))
    optimiser = OPTIMISERS[name]([scale])
    for _ in range(3):
        scale.grad = None
        (scale * scale).backward()
        optimiser.step()
    assert backend.is_array(scale.data)
    assert scale.item() < 1


def test_an_optimiser_refuses_nothing_to_do_and_a_negative_rate():
    with pytest.raises(InputError, match="no parameters"):
        optim.SGD([], lr=0.1)
    for lr in (-0.1, float("nan")):
        with pytest.raises(InputError, match="must not be negative"):
            optim.SGD([nn.Parameter(np.ones(1))], lr=lr)


def test_schedules_give_the_rates_that_their_formulas_say():
    assert [optim.constant_schedule(0.1)(step) for step in (0, 99)] == [0.1, 0.1]
    cosine = optim.cosine_schedule(1.0, steps=14, warmup=4)
    np.testing.assert_allclose([cosine(step) for step in (0, 1, 3, 4, 9, 14, 20)], [0.25, 0.5, 1, 1, 0.5, 0, 0])
    assert optim.cosine_schedule(1.0, steps=10)(0) == 1


def with_gradients(*gradients):
    parameters = [nn.Parameter(np.zeros_like(g)) for g in map(np.asarray, gradients)]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = backend.to_device(np.array(gradient))
    return parameters


def test_clipping_shortens_all_gradients_together():
    parameters = with_gradients(np.array([3.0], np.float32), np.array([[0.0, 4.0]], np.float32))
    assert optim.clip_gradient_norm(parameters, 1.0) == 5
    np.testing.assert_allclose(host(parameters[0].grad), [0.6], rtol=1e-6)
    np.testing.assert_allclose(host(parameters[1].grad), [[0, 0.8]], rtol=1e-6)
    assert all(p.grad.dtype == np.float32 for p in parameters)


def test_clipping_leaves_short_gradients_and_those_that_are_not_finite():
    short = with_gradients(np.array([0.3, 0.4]))
    assert optim.clip_gradient_norm(short, 1.0) == pytest.approx(0.5)
    np.testing.assert_array_equal(host(short[0].grad), [0.3, 0.4])
    for bad in (np.nan, np.inf):
        spoiled = with_gradients(np.array([3.0, bad]))
        assert not np.isfinite(optim.clip_gradient_norm(spoiled, 1.0))
        np.testing.assert_array_equal(host(spoiled[0].grad), [3, bad])
    assert optim.clip_gradient_norm([nn.Parameter(np.ones(2))], 1.0) == 0


# Losses


def images(seed=0, shape=(3, 6, 5, 1), dtype=np.float64):
    return np.random.default_rng(seed).random(shape).astype(dtype)


def test_ncc_of_a_constant_image_is_zero_with_zero_gradients():
    for value in (0.0, 0.1, 1000.1):
        for dtype in (np.float32, np.float64):
            constant = np.full((3, 28, 28, 1), value, dtype)
            for a, b in [(constant, images(shape=constant.shape, dtype=dtype)), (constant, constant)]:
                y, gradients = output_and_gradients(ops.ncc, [a, b])
                np.testing.assert_array_equal(y, np.zeros(3))
                for gradient in gradients:
                    np.testing.assert_array_equal(gradient, np.zeros_like(a))


def test_ncc_recognises_a_constant_image_that_was_cut_out_of_a_wider_one():
    # Of such crops a third was not recognised while their means were taken row by row.
    other = backend.to_device(images(1, (1, 1024, 1024, 1), np.float32))
    for value in np.random.default_rng(0).random(8).astype(np.float32):
        crop = backend.to_device(np.full((1, 1100, 1100, 1), value))[:, :1024, :1024]
        assert ops.ncc(crop, other).item() == 0


def test_ncc_is_one_for_the_same_image_and_minus_one_for_its_negative():
    a = images()
    np.testing.assert_allclose(output_and_gradients(ops.ncc, [a, a])[0], 1)
    np.testing.assert_allclose(output_and_gradients(ops.ncc, [a, 1 - a])[0], -1)


def test_ncc_does_not_see_brightness_and_contrast():
    a, b = images(0), images(1)
    y, _ = output_and_gradients(ops.ncc, [a, b])
    np.testing.assert_allclose(output_and_gradients(ops.ncc, [3 * a + 2, 0.1 * b - 7])[0], y, rtol=1e-10)
    np.testing.assert_allclose(output_and_gradients(ops.ncc, [-a, b])[0], -y, rtol=1e-10)
    expected = [np.corrcoef(p.ravel(), q.ravel())[0, 1] for p, q in zip(a, b, strict=True)]
    np.testing.assert_allclose(y, expected)


def test_ncc_in_float32_stands_an_offset_of_a_thousand():
    a, b = (np.round(images(seed) * 1024) / 1024 for seed in (0, 1))  # so that the sum is exact in float32
    exact, exact_gradients = output_and_gradients(ops.ncc, [a, b])
    shifted = [(image + 1000).astype(np.float32) for image in (a, b)]
    y, gradients = output_and_gradients(ops.ncc, shifted)
    np.testing.assert_allclose(y, exact, atol=1e-3)
    for gradient, expected in zip(gradients, exact_gradients, strict=True):
        np.testing.assert_allclose(gradient, expected, atol=1e-3)


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_ncc_in_float32_stands_very_dark_and_very_bright_images(scale):
    a, b = images(0), images(1)
    exact, _ = output_and_gradients(ops.ncc, [a, b])
    y, _ = output_and_gradients(ops.ncc, [(a * scale).astype(np.float32), (b * scale).astype(np.float32)])
    np.testing.assert_allclose(y, exact, atol=1e-5)


def test_ncc_compares_images_of_one_shape_only():
    with pytest.raises(ValueError, match="one shape"):
        ops.ncc(tensor(images()), tensor(images(shape=(1, 6, 5, 1))))


# Training as a whole


def test_a_whole_training_step_stays_in_float32():
    network = small_network()
    optimiser = optim.Adam(network.parameters(), lr=np.float64(1e-2))
    for step in range(2):
        optimiser.lr = optim.cosine_schedule(np.float64(1e-2), 10, warmup=1)(step)
        loss = registration_step(network, optimiser)
        norm = optim.clip_gradient_norm(network.parameters(), np.float64(1e-3))
    assert loss.dtype == np.float32
    assert norm > 1e-3  # clipping had something to do
    for name, parameter in network.named_parameters():
        assert (name, parameter.dtype) == (name, np.float32)
        assert (name, parameter.grad.dtype) == (name, np.float32)
    assert all(array.dtype == np.float32 for _, array in network.named_buffers())
    assert all(array.dtype == np.float32 for arrays in optimiser.state.values() for array in arrays)


@pytest.mark.parametrize("name", ["momentum", "Adam", "AdamW"])
def test_training_lowers_the_loss(name):
    network = nn.Conv2d(2, 2, 3, np.random.default_rng(0), padding=1, init="zeros")
    optimiser = OPTIMISERS[name](network.parameters())
    optimiser.lr = 0.02
    history = [registration_step(network, optimiser).item() for _ in range(30)]
    assert history[-1] < history[0] - 0.05


def test_training_on_a_backend_as_strict_as_cupy_gives_the_numbers_of_numpy():
    history, weights = trained("numpy")
    strict_history, strict_weights = trained("strict")
    assert strict_history == history
    assert weights.keys() == strict_weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(strict_weights[name], array)


def test_training_on_the_chosen_backend_gives_the_numbers_of_numpy_up_to_rounding():
    np.testing.assert_allclose(trained(None)[0], trained("numpy")[0], rtol=1e-4)


# Muon


def test_muons_steps_have_nearly_equal_singular_values_and_adams_size():
    rng = np.random.default_rng(0)
    weight = nn.Parameter(rng.standard_normal((3, 3, 8, 16)).astype(np.float32))
    before = host(weight).copy()
    # A gradient that is nearly of rank one.
    gradient = 5 * np.outer(rng.standard_normal(72), rng.standard_normal(16)) + rng.standard_normal((72, 16))
    weight.grad = backend.to_device(gradient.reshape(weight.shape).astype(np.float32))
    optim.Muon([weight], lr=0.1).step()
    step = (before - host(weight)).reshape(72, 16)
    values = np.linalg.svd(step, compute_uv=False)
    assert values.max() < 2 * values.min()
    assert np.sqrt((step**2).mean()) == pytest.approx(0.1 * 0.2, rel=0.2)
    # The step goes with the gradient, along U V^T.
    u, _, vt = np.linalg.svd(gradient, full_matrices=False)
    assert (step * (u @ vt)).sum() > 0.95 * np.linalg.norm(step) * np.linalg.norm(u @ vt)


@pytest.mark.parametrize("shape", [(5,), (3, 3, 8, 2)])
def test_muon_leaves_biases_and_layers_with_few_outputs_to_adam(shape):
    rng = np.random.default_rng(0)
    value, gradient = rng.standard_normal((2, *shape)).astype(np.float32)
    results = []
    for kind in (optim.Muon, optim.Adam):
        parameter = nn.Parameter(value.copy())
        optimiser = kind([parameter], lr=0.1)
        for _ in range(3):
            parameter.grad = backend.to_device(gradient)
            optimiser.step()
        results.append(host(parameter))
    np.testing.assert_array_equal(*results)


def test_muon_takes_a_gradient_of_zeros():
    weight = nn.Parameter(np.ones((4, 4), np.float32))
    weight.grad = backend.to_device(np.zeros((4, 4), np.float32))
    optim.Muon([weight], lr=0.1).step()
    np.testing.assert_array_equal(host(weight), 1)


def test_layers_in_nested_containers_are_trained_saved_and_switched():
    class Branches(nn.Module):
        def __init__(self, rng):
            self.branches = {"coarse": [nn.Linear(2, 2, rng)], "fine": ([nn.Linear(2, 1, rng)], nn.Parameter(1.0))}

    network = Branches(np.random.default_rng(0))
    names = [name for name, _ in network.named_parameters()]
    assert names == [
        "branches.coarse.0.weight",
        "branches.coarse.0.bias",
        "branches.fine.0.0.weight",
        "branches.fine.0.0.bias",
        "branches.fine.1",
    ]
    other = Branches(np.random.default_rng(1))
    other.load_state_dict(network.state_dict())
    for name, array in network.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], array)
    assert not network.eval().branches["fine"][0][0].training


@pytest.mark.parametrize("container", [set, frozenset, deque])
def test_layers_in_a_container_in_which_they_are_not_found_are_refused(container):
    network = nn.Module()
    network.layers = [container([nn.Linear(2, 2, np.random.default_rng(0))])]
    with pytest.raises(InputError, match=f"layers.0 holds layers in a {container.__name__}"):
        network.parameters()


@pytest.mark.parametrize("loss", [losses.mse_loss, *losses.SIMILARITIES.values(), losses.soft_dice_loss])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, bool, np.float16])
def test_images_of_integers_are_refused_and_not_subtracted_with_a_wrap_around(loss, dtype):
    a, b = (tensor(np.full((1, 12, 12, 1), value).astype(dtype), False) for value in (1, 200))
    with pytest.raises(InputError, match=r"convert them"):
        loss(a, b)

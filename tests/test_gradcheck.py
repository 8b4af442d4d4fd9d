"""The checker as a library and as a command: what it says, what it refuses, and whole networks and training steps."""

import functools
import re
import subprocess
import sys

import numpy as np
import pytest
from gradients import host, ops_of_the_package, temporary_ops, tensor

from minireg import backend, losses, nn, no_grad, ops, optim
from minireg.autograd import REGISTRY, op
from minireg.backend import xp
from minireg.gradcheck import WrongGradient, gradcheck
from minireg.gradcheck.__main__ import check_op, main
from minireg.gradcheck.cases import CASES, register_case
from minireg.gradcheck.choosing import Case, Chooser

X = np.random.default_rng(0).uniform(0.5, 2, (3, 4))


@pytest.fixture(autouse=True)
def own_registries():
    """Ops and cases of one test are gone in the next."""
    with temporary_ops():
        yield


def square(x, factor=2.0):
    """An op whose VJP is right for a factor of 2."""
    return x * x, (lambda g: factor * x * g,)


def message_of(fn, *arrays, **options):
    with pytest.raises(WrongGradient) as caught:
        gradcheck(fn, *arrays, **options)
    return str(caught.value)


# What it says


def test_a_right_gradient_is_reported_with_its_arguments_and_a_tiny_error():
    report = gradcheck(ops.linear, np.ones((5, 3)), np.ones((3, 2)), np.ones(2))
    assert report.arguments == ("x", "weight", "bias")
    assert report.draws > 10
    assert report.worst < 1e-9


def test_a_failure_names_op_argument_element_both_numbers_shapes_and_seed():
    wrong_square = op(functools.wraps(square)(lambda x: square(x, -2.0)))
    x = np.array([[1.0, 3.0]])
    message = message_of(wrong_square, x, seed=7)
    assert message.startswith("square: the gradient of argument 0 (x) is wrong.")
    for part in ("element (0, 1)", "the VJP says", "the central difference", "x (1, 2)", "seed=7"):
        assert part in message
    said, found = re.search(r"the VJP says (\S+), the central difference (\S+)\.", message).groups()
    assert float(said) == pytest.approx(-float(found))


def with_vjp(forward, vjp):
    """An op of one argument from its forward and its VJP."""
    return op(lambda x: (forward(x), (lambda g: vjp(g, x),)))


@pytest.mark.parametrize(
    "forward, vjp, words",
    [
        (lambda x: x * x, lambda g, x: -2 * g * x, "the sign"),
        (lambda x: x * x, lambda g, x: g * x, "multiplied by 2."),
        (lambda x: xp.sum(x, axis=0), lambda g, x: xp.broadcast_to(g / 3, x.shape), "a mean stand for a sum"),
        (lambda x: x * x, lambda g, x: xp.zeros_like(x), "returns zeros"),
        (lambda x: x * xp.exp(x), lambda g, x: g * xp.exp(x), "a missing term"),
        (lambda x: x.T * 1.0, lambda g, x: g.reshape(x.shape), "a reshape where a transpose should be"),
        (lambda x: x * 1.0, lambda g, x: g[:, ::-1], r"flipped along axes \(1,\)"),
        (lambda x: x * x, lambda g, x: 2 * x * xp.mean(g), "right for a cotangent of ones"),
        (lambda x: x * x, lambda g, x: 2 * x * g * (x != x[1, 1]), "a mask or an index"),
        (lambda x: x * x, lambda g, x: g * x / xp.zeros_like(x), "divides by zero"),
        (lambda x: x * x, lambda g, x: g[:2], r"backward\(\) raises RuntimeError.*shape"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_failure_says_what_kind_of_mistake_fits(forward, vjp, words):
    with pytest.raises(WrongGradient, match=words):
        gradcheck(with_vjp(forward, vjp), X)


def test_a_failure_at_the_border_says_so():
    def vjp(g, x):
        g_x = xp.zeros_like(x)
        g_x[1:-1, 1:-1] = 2 * (g * x)[1:-1, 1:-1]
        return g_x

    assert "the border" in message_of(with_vjp(lambda x: x * x, vjp), np.ones((4, 5)))


def test_a_failure_with_a_flipped_kernel_names_the_argument():
    def correlate(x, kernel):
        """y[p] = sum_k x[p + k] kernel[k]"""
        window = lambda x, k: x[k : k + x.shape[0] - 2]
        y = sum(window(x, k) * kernel[k] for k in range(3))

        def vjp_x(g):
            g_x = xp.zeros_like(x)
            for k in range(3):
                window(g_x, k)[...] += g * kernel[2 - k]  # must be kernel[k]
            return g_x

        return y, (vjp_x, lambda g: xp.stack([(g * window(x, k)).sum() for k in range(3)]))

    message = message_of(op(correlate), np.arange(5.0), np.array([0.5, 2.0, -1.0]))
    assert "argument 0 (x)" in message and "uses the argument 'kernel' flipped" in message


def test_exchanged_vjps_are_named_by_the_argument_whose_gradient_they_are():
    exchanged = op(lambda x, other: (x * other, (lambda g: g * x, lambda g: g * other)))
    assert "this is the gradient of 'other'" in message_of(exchanged, X, X[::-1].copy())


def test_a_right_vjp_at_a_kink_is_told_that_it_is_one():
    assert "a kink: on its two sides the slope is" in message_of(ops.relu, np.array([1.0, 0.0, -1.0]))


def test_no_vjp_is_not_mistaken_for_a_right_one():
    assert "argument 0 (x)" in message_of(op(lambda x: (x * x, (None,))), X)
    assert "No gradient arrives" in message_of(lambda x: x.detach() * 1.0, X)


def test_no_vjp_for_one_of_two_arguments_is_noticed():
    half = op(lambda x, other: (x * other, (lambda g: g * other, None)))
    assert "argument 1 (other)" in message_of(half, X, X)


def test_an_op_that_computes_in_float32_whatever_comes_in_is_rejected():
    lossy = op(lambda x: (x.astype(np.float32), (lambda g: g,)))
    assert "float32 from float64" in message_of(lossy, X)


def test_an_op_that_changes_its_argument_is_rejected():
    def change(x):
        y = x * x
        x *= 1.5
        return y, (lambda g: 2 * g * x / 1.5,)

    assert "in place" in message_of(op(change), X)


# What it takes


def test_whole_numbers_are_not_differentiated_and_plain_numbers_are():
    report = gradcheck(lambda x, index, scale: ops.getitem(x * scale, index.data), X, np.array([0, 2, 0]), 1.5)
    assert report.arguments == ("x", "scale")
    with pytest.raises(ValueError, match="none of the inputs is a floating-point array"):
        gradcheck(ops.sum, np.arange(3))


def test_tensors_and_float32_are_checked_in_float64():
    assert gradcheck(ops.exp, tensor(X.astype(np.float32))).worst < 1e-9


def test_a_function_that_draws_new_random_numbers_in_every_call_is_refused_with_the_reason():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="same generator"):
        gradcheck(lambda x: ops.dropout(x, 0.5, rng), X)


def test_an_argument_said_to_be_linear_must_be():
    gradcheck(ops.mul, X, X, linear=(0, 1))
    assert "not linear in this argument" in message_of(ops.exp, X, linear=(0,))


def test_the_linear_ops_pass_the_adjoint_test_with_their_cases():
    linear = {name for name, cases in CASES.items() if any(case.linear for case in cases)}
    assert {"conv2d", "conv_transpose2d", "pad", "getitem", "avg_pool2d", "warp", "linear", "matmul"} < linear
    assert {"upsample_nearest", "upsample_bilinear", "space_to_depth", "depth_to_space", "sum", "mean"} < linear
    assert not linear & {"exp", "relu", "max_pool2d", "softmax", "ncc"}


def test_a_function_that_returns_no_tensor_is_refused():
    with pytest.raises(TypeError, match="returns a Tensor, got ndarray"):
        gradcheck(lambda x: host(x), X)


def test_functions_of_strong_curvature_are_judged_by_smaller_steps():
    gradcheck(lambda x: ops.tanh(1000 * x), X * 1e-3)
    gradcheck(lambda x: ops.exp(30 * x), X)
    gradcheck(lambda x: x * 1e8 + 1e8, X)
    gradcheck(lambda x: x - 1e6, X)
    with pytest.raises(WrongGradient):
        gradcheck(with_vjp(lambda x: xp.exp(30 * x), lambda g, x: 30.003 * g * xp.exp(30 * x)), X)


@pytest.mark.parametrize("x", [np.array(1.5), np.array([1.5]), 1.5])
def test_a_wrong_gradient_of_a_single_number_is_explained_too(x):
    assert "the sign" in message_of(with_vjp(lambda x: x * x, lambda g, x: -2 * g * x), x)


def test_an_empty_input_is_no_obstacle():
    assert gradcheck(ops.exp, np.zeros((0, 3))).worst == 0


# The command


def run(*arguments, code="import sys; from minireg.gradcheck.__main__ import main; sys.exit(main(sys.argv[1:]))"):
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=300)


def test_the_command_checks_the_ops_that_it_is_told(capsys):
    assert main(["relu", "warp", "--seed", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["op", "arguments", "calls", "pairs", "draws", "worst", "error", "verdict", "seconds"]
    assert [line.split()[0] for line in lines[1:]] == ["relu", "warp"]
    assert "image, displacement" in lines[2] and " ok " in lines[2]


def test_the_command_fails_with_the_name_of_an_op_without_a_case():
    code = (
        "import sys; from minireg.autograd import op; from minireg.gradcheck.__main__ import main\n"
        "op(type(lambda: 0)((lambda x: (x, (lambda g: g,))).__code__, globals(), 'forgotten'))\n"
        "sys.exit(main(['forgotten', 'neg']))"
    )
    done = run(code=code)
    assert done.returncode == 1
    assert "forgotten: no gradient check. Add a case" in done.stderr
    assert "NO CASE" in done.stdout and "neg" in done.stdout


def test_the_command_fails_with_an_op_whose_vjp_is_wrong_and_says_how_to_see_it_again(capsys):
    op(functools.wraps(square)(lambda x: square(x, 1.0)))
    register_case("square", lambda choose, rng: (REGISTRY["square"], [rng.standard_normal((2, choose.integers(1, 3)))]))
    assert main(["square", "neg"]) == 1
    printed = capsys.readouterr()
    assert "WRONG" in printed.out and "multiplied by 2" in printed.err
    assert "python -m minireg.gradcheck square --seed 0" in printed.err


def test_a_case_that_raises_is_a_failure_of_its_op_and_the_others_are_checked_all_the_same(capsys):
    CASES["neg"][:] = [Case(lambda choose, rng: 1 / 0)]
    assert main(["neg", "exp"]) == 1
    printed = capsys.readouterr()
    assert "ERROR" in printed.out and "exp" in printed.out and "ZeroDivisionError" in printed.err


@pytest.mark.parametrize("arguments, message", [(["retanh"], "no op retanh"), (["neg", "--seed", "-1"], "negative")])
def test_the_command_refuses_what_it_cannot_do_in_one_sentence(arguments, message, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) == 1


def test_the_same_seed_checks_the_same_calls():
    first, second, other = (check_op("div", seed)[:4] for seed in (1, 1, 2))
    assert first == second != other


@pytest.mark.parametrize("name", ops_of_the_package())
def test_the_calls_of_an_op_have_nearly_every_pair_of_options_that_other_calls_have(name):
    for case in CASES[name]:
        covered, others = set(), set()
        for seeds, pairs in (([seed for seed, _ in case.covering_calls([7])], covered), (range(100), others)):
            for seed in seeds:
                rng = np.random.default_rng(seed)
                choose = Chooser(rng)
                case.draw(choose, rng)
                pairs |= choose.pairs()
        assert len(covered & others) >= 0.93 * len(others)


def test_a_vjp_that_is_wrong_for_one_pair_of_options_only_is_rejected(capsys):
    def shifted(x, rows, columns):
        y = xp.roll(x, (rows, columns), (0, 1))
        back = (-rows, -columns) if (rows, columns) != (3, 4) else (-rows, columns)
        return y, (lambda g: xp.roll(g, back, (0, 1)),)

    with temporary_ops():
        function = op(shifted)

        def draw(choose, rng):
            rows, columns = (choose.sampled_from([0, 1, 2, 3, 4]) for _ in range(2))
            return (lambda x: function(x, rows, columns)), [rng.standard_normal((5, 7))]

        register_case("shifted", draw, linear=(0,))
        assert main(["shifted"]) == 1
    assert "argument 0 (x) is wrong" in capsys.readouterr().err


def test_every_argument_with_a_vjp_is_checked():
    for name in ops_of_the_package():
        checked, vjps = set(), []
        for index in range(12):
            rng = np.random.default_rng(index)
            fn, arrays = CASES[name][index % len(CASES[name])].draw(Chooser(rng), rng)
            y = fn(*(tensor(array) for array in arrays))
            assert y._node is None or y._node.op_name == name, "the case calls another op last"
            vjps.append(len(y._node.vjps) if y._node else 0)
            checked |= set(range(len(arrays)))
        assert max(vjps) == len(checked)


# Whole computations


def to_float64(network, rng):
    """A network in float64, every parameter off zero: where a bias is zero and an image black, a ReLU has its kink."""
    for parameter in network.parameters():
        shaken = host(parameter).astype(np.float64) + 0.05 * rng.standard_normal(parameter.shape)
        parameter.data = backend.to_device(np.asarray(shaken))
    for module in network.layers:
        for name in ("running_mean", "running_var"):
            if hasattr(module, name):
                setattr(module, name, getattr(module, name).astype(np.float64))
    return network


def check_network(network, loss, seed=0):
    """Gradcheck `loss()` with respect to all parameters of a network together."""
    parameters = network.parameters()
    values = [host(parameter).copy() for parameter in parameters]

    def of_parameters(*tensors):
        for layer, name, position in places:
            setattr(layer, name, tensors[position])
        return loss()

    places = []
    for layer in network.layers:
        for name in ("weight", "bias"):
            parameter = getattr(layer, name, None)
            if parameter is not None:
                places.append((layer, name, next(i for i, p in enumerate(parameters) if p is parameter)))
    assert len(places) == len(parameters)
    return gradcheck(of_parameters, *values, seed=seed)


def small_network(rng):
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, rng, stride=2, padding=1, bias=False),
        nn.BatchNorm(3),
        nn.Activation(ops.leaky_relu, negative_slope=0.2),
        nn.ConvTranspose2d(3, 3, 2, rng, stride=2, init="glorot"),
        nn.Linear(3, 2, rng),
    )


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("similarity", ["ncc", "mse"])
def test_the_loss_of_a_network_has_the_right_gradient_for_all_parameters_together(similarity, training):
    rng = np.random.default_rng(0)
    network = to_float64(small_network(rng), rng).train(training)
    images = rng.random((2, 4, 4, 2))
    both, moving, fixed = (tensor(array, False) for array in (images, images[..., :1], images[..., 1:]))

    def loss():
        displacement = network(both)
        warped = ops.warp(moving, displacement, border="edge")
        return losses.SIMILARITIES[similarity](warped, fixed) + 0.1 * losses.diffusion(displacement)

    report = check_network(network, loss)
    assert report.worst < 1e-5


@pytest.mark.parametrize("make", [lambda p: optim.SGD(p, lr=1e-5), lambda p: optim.SGD(p, lr=1e-5, momentum=0.9)])
def test_a_training_step_lowers_the_loss_by_the_rate_times_the_squared_gradient(make):
    rng = np.random.default_rng(1)
    network = to_float64(small_network(rng), rng)
    images = rng.random((2, 8, 8, 2))
    both, moving, fixed = (tensor(array, False) for array in (images, images[..., :1], images[..., 1:]))
    loss = lambda: losses.ncc_loss(ops.warp(moving, network(both), border="edge"), fixed)
    before = loss()
    before.backward()
    make(network.parameters()).step()
    squared = sum(float((host(p.grad) ** 2).sum()) for p in network.parameters())
    with no_grad():
        change = loss().item() - before.item()
    assert change == pytest.approx(-1e-5 * squared, rel=2e-2)

"""The survey's classifier: its layers, its loss, its accuracy, and the command line that trains it."""

import json
import math

import numpy as np
import pytest
from gradients import check_vjps, host, output_and_gradients, tensor
from short_runs import complaint, small_digits
from strict_backend import using

from minireg import backend, losses, no_grad, ops
from minireg.classify import SurveyCNN, accuracy, cross_entropy, train_classifier
from minireg.classify.__main__ import _of_classes, main
from minireg.errors import InputError, TrainingError
from minireg.training.checkpoint import load_checkpoint

pytest_plugins = ["digits_fixture"]


def logits_of(network, images):
    with no_grad():
        return host(network(tensor(images, False)))


# The network


def test_the_network_has_the_layers_of_the_survey():
    shapes = [p.shape for p in SurveyCNN(np.random.default_rng(0), (28, 28)).parameters()]
    convolutions = [(3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (3, 3, 64, 128), (128,)]
    assert shapes == [*convolutions, (128, 128), (128,), (128, 3), (3,)]
    assert f"{sum(map(math.prod, shapes)):,} parameters for three classes of 28 x 28 pixels" in SurveyCNN.__doc__


def test_it_computes_what_torch_computes_with_the_same_weights():
    torch = pytest.importorskip("torch")
    network = SurveyCNN(np.random.default_rng(0), (33, 41), channels=2, classes=4)
    images = np.random.default_rng(1).random((3, 33, 41, 2), dtype=np.float32)
    *convolutions, w1, b1, w2, b2 = (torch.from_numpy(array) for array in network.state_dict().values())
    x = torch.from_numpy(images).permute(0, 3, 1, 2)
    for weight, bias in zip(convolutions[::2], convolutions[1::2], strict=True):
        x = torch.nn.functional.conv2d(x, weight.permute(3, 2, 0, 1), bias)
        x = torch.nn.functional.max_pool2d(torch.relu(x), 2)
    x = torch.flatten(x.permute(0, 2, 3, 1), start_dim=1)
    expected = torch.relu(x @ w1 + b1) @ w2 + b2
    np.testing.assert_allclose(logits_of(network, images), expected.numpy(), atol=1e-4)


def test_the_smallest_image_is_22_pixels_wide_and_high():
    network = SurveyCNN(np.random.default_rng(0), (22, 22))
    assert logits_of(network, np.zeros((1, 22, 22, 1), np.float32)).shape == (1, 3)
    for size in ((21, 28), (28, 21)):
        with pytest.raises(InputError, match=f"at least 22 x 22 pixels, got {size[0]} x {size[1]}"):
            SurveyCNN(np.random.default_rng(0), size)


def test_images_of_another_size_and_a_single_class_are_refused():
    network = SurveyCNN(np.random.default_rng(0), (24, 28))
    for shape in ((1, 28, 24, 1), (1, 24, 28, 2), (24, 28, 1)):
        with pytest.raises(InputError, match="takes images"):
            logits_of(network, np.zeros(shape, np.float32))
    with pytest.raises(InputError, match="at least 2 classes"):
        SurveyCNN(np.random.default_rng(0), (28, 28), classes=1)


def test_its_predictions_are_softmax_whatever_the_size_of_a_batch():
    network = SurveyCNN(np.random.default_rng(0), (24, 28), classes=5)
    images = np.random.default_rng(1).random((7, 24, 28, 1), dtype=np.float32)
    logits = logits_of(network, images).astype(np.float64)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for batch_size in (1, 3, 100):
        p = network.predict(images, batch_size)
        assert type(p) is np.ndarray and p.dtype == np.float32
        np.testing.assert_allclose(p, expected, atol=1e-5)


def test_its_loss_and_gradients_are_the_same_on_the_other_backend():
    images, labels = np.random.default_rng(1).random((4, 22, 25, 1), dtype=np.float32), np.array([0, 2, 1, 1])

    def loss_and_gradients(library):
        with using(library):
            network = SurveyCNN(np.random.default_rng(0), (22, 25))
            loss = cross_entropy(network(tensor(images, False)), labels)
            loss.backward()
            on_device = cross_entropy(network(tensor(images, False)), backend.to_device(labels))
            assert on_device.item() == loss.item()
            return [loss.item(), *(host(p.grad) for p in network.parameters()), network.predict(images)]

    for one, other in zip(loss_and_gradients("numpy"), loss_and_gradients("strict"), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_gradient_step_along_the_whole_network_changes_the_loss_as_the_gradient_says():
    network = SurveyCNN(np.random.default_rng(0), (22, 23))
    rng = np.random.default_rng(1)
    images, labels = rng.random((3, 22, 23, 1)), np.array([0, 2, 1])
    # Off zero: where a bias is zero and an image is black, a ReLU sits on its kink.
    weights = [host(p).astype(np.float64) + 0.01 * rng.standard_normal(p.shape) for p in network.parameters()]

    def loss(*tensors):
        for parameter, value in zip(network.parameters(), tensors, strict=True):
            parameter.data = value.data
        return cross_entropy(network(tensor(images, False)), labels)

    loss(*map(tensor, weights)).backward()
    directions = [rng.standard_normal(w.shape) for w in weights]
    gradients = [host(p.grad) for p in network.parameters()]
    analytic = sum(float((g * d).sum()) for g, d in zip(gradients, directions, strict=True))
    step = 1e-7
    ahead, behind = (
        loss(*(tensor(w + sign * step * d) for w, d in zip(weights, directions, strict=True))).item()
        for sign in (1, -1)
    )
    assert abs(analytic) > 1e-2
    assert (ahead - behind) / (2 * step) == pytest.approx(analytic, rel=1e-5)


# Flatten


@pytest.mark.parametrize(("start_dim", "shape"), [(0, (120,)), (1, (2, 60)), (2, (2, 3, 20)), (-1, (2, 3, 4, 5))])
def test_flatten_joins_the_axes_behind_the_first_ones_in_order(start_dim, shape):
    x = np.arange(120.0).reshape(2, 3, 4, 5)
    cotangent = np.random.default_rng(0).standard_normal(shape)
    y, (g_x,) = output_and_gradients(lambda x: ops.flatten(x, start_dim), [x], cotangent)
    np.testing.assert_array_equal(y, x.reshape(shape))
    np.testing.assert_array_equal(g_x, cotangent.reshape(x.shape))


def test_flatten_keeps_an_empty_batch_empty():
    assert ops.flatten(tensor(np.zeros((0, 3, 4))), start_dim=1).shape == (0, 12)


# Losses


def test_cross_entropy_is_minus_the_log_probability_of_the_true_class():
    z = np.array([[1.0, 2.0, 4.0], [0.0, -1.0, 0.5]])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss = cross_entropy(tensor(z), np.array([2, 0], np.uint8)).item()
    assert loss == pytest.approx(-(np.log(p[0, 2]) + np.log(p[1, 0])) / 2)
    logits = np.log([[0.6, 0.3, 0.1]])
    assert cross_entropy(tensor(logits), np.array([0])).item() == pytest.approx(-math.log(0.6))


def test_cross_entropy_of_equal_logits_is_ln_of_the_number_of_classes_and_of_certainty_zero():
    assert cross_entropy(tensor(np.full((4, 3), 7.0)), np.arange(4) % 3).item() == pytest.approx(math.log(3))
    assert cross_entropy(tensor(1e4 * np.eye(3)), np.arange(3)).item() == 0


def test_cross_entropy_is_exact_where_softmax_underflows():
    z = np.array([[1e4, -1e4, 0.0]], np.float32)
    loss, (gradient,) = output_and_gradients(lambda z: cross_entropy(z, np.array([1])), [z])
    assert loss == 2e4 and loss.dtype == np.float32
    np.testing.assert_array_equal(gradient, [[1, -1, 0]])


def test_the_gradient_of_cross_entropy_is_p_minus_y_over_n():
    z, labels = np.random.default_rng(0).standard_normal((5, 4)), np.array([3, 0, 0, 2, 1])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    _, (gradient,) = output_and_gradients(lambda z: cross_entropy(z, labels), [z])
    np.testing.assert_allclose(gradient, (p - np.eye(4)[labels]) / 5, atol=1e-12)
    check_vjps(lambda z: cross_entropy(z, labels), z, rng=np.random.default_rng(0))


def test_accuracy_is_the_share_of_images_whose_largest_number_is_that_of_their_class():
    logits = np.array([[0.1, 0.9], [2.0, -1.0], [-3.0, -2.0], [5.0, 1.0]])
    assert accuracy(logits, np.array([1, 0, 0, 0])) == 0.75
    assert accuracy(logits, np.array([0, 1, 0, 1])) == 0.0
    assert isinstance(accuracy(logits, np.array([1, 0, 1, 0])), float)


@pytest.mark.parametrize("function", [cross_entropy, accuracy])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 3], "labels are 0 to 2 for 3 classes, got 0 to 3"),
        ([-1, 2], "labels are 0 to 2 for 3 classes, got -1 to 2"),
        ([0.0, 1.0], "integers 0 to 2, got an array of float64"),
        ([0, 1, 2], r"got \(2, 3\) and \(3,\)"),
        ([[0], [1]], r"got \(2, 3\) and \(2, 1\)"),
    ],
)
def test_labels_that_do_not_fit_are_refused(function, labels, message):
    logits = np.zeros((2, 3))
    with pytest.raises(InputError, match=message):
        function(tensor(logits) if function is cross_entropy else logits, np.array(labels))


def test_the_worked_loss_of_the_survey_is_13_hundredths():
    y, p = np.array([1.0, 0, 0]), np.array([0.6, 0.3, 0.1])
    half_the_sum = len(y) / 2 * losses.mse_loss(tensor(p), tensor(y))  # the survey prints .24
    assert half_the_sum.item() == pytest.approx(0.13)


# Training


def test_it_learns_to_tell_three_digits_apart():
    digits = small_digits()
    chosen = [0, 1, 7]
    train, test = (
        _of_classes(images, labels, chosen)
        for images, labels in ((digits.train_images, digits.train_labels), (digits.test_images, digits.test_labels))
    )
    rng = np.random.default_rng(0)
    network = SurveyCNN(rng, (28, 28))
    history = train_classifier(network, *train, rng, epochs=8)
    assert len(history) == 8 * 4  # 120 images in batches of 32
    assert np.mean(history[-4:]) < 0.1 < history[0]
    assert accuracy(network.predict(test[0]), test[1]) > 0.95


def test_a_loss_that_is_not_finite_ends_training_with_a_sentence():
    network = SurveyCNN(np.random.default_rng(0), (22, 22))
    images = np.full((2, 22, 22, 1), np.nan, np.float32)
    with pytest.raises(TrainingError, match="step 1: the loss is nan"):
        train_classifier(network, images, np.array([0, 1]), np.random.default_rng(0))


SHORT = ["--data", "strokes", "--epochs", "1", "--train-images", "40", "--digits", "9,3"]


def test_the_command_prints_the_accuracy_and_leaves_a_network_that_can_be_read_back(few_digits, tmp_path, capsys):
    folder = tmp_path / "classifier"
    assert main([*SHORT, "--out", str(folder)]) == 0
    metrics = json.loads((folder / "metrics.json").read_text())
    assert f"Accuracy on 6 test images: {metrics['accuracy']:.2%}" in capsys.readouterr().out
    assert {path.name for path in folder.iterdir()} == {"checkpoint.npz", "loss.png", "metrics.json"}

    meta, groups = load_checkpoint(folder / "checkpoint.npz")
    network = SurveyCNN(np.random.default_rng(1), meta["size"], classes=len(meta["digits"]))
    network.load_state_dict(groups["model"])
    assert meta["digits"] == [3, 9]
    kept = np.isin(few_digits.test_labels, [3, 9])
    p = network.predict(few_digits.test_images[kept])
    assert accuracy(p, (few_digits.test_labels[kept] == 9).astype(int)) == metrics["accuracy"]

    assert "already holds a classifier" in complaint(capsys, main, *SHORT, "--out", folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--digits", "3"], "two or more different digits"),
        (["--digits", "3,3"], "two or more different digits"),
        (["--digits", "3,ten"], "two or more different digits"),
        (["--train-images", "0"], "--train-images must be at least 1, got 0"),
        (["--lr", "nan"], "--lr must be at least 0, got nan"),
    ],
)
def test_options_that_cannot_be_used_are_refused(few_digits, capsys, arguments, message):
    assert message in complaint(capsys, main, *SHORT, *arguments)

"""The objective is what its formula says."""

from types import SimpleNamespace

import numpy as np
import pytest
from gradients import tensor

from minireg import backend, losses, ops
from minireg.models import SymmetricUNet, both_ways
from minireg.training import backpropagate, objective
from minireg.training.configuration import RECIPES


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    network = SymmetricUNet(rng)
    last = network.unet.output.weight  # zero at first, and with it the gradients of all layers before
    last.data = backend.to_device(rng.normal(0, 0.02, last.shape).astype(np.float32))
    return network


def pairs(count=3, size=16):
    return np.random.default_rng(1).random((2, count, size, size, 1), dtype=np.float32)


def configuration(**changes):
    return SimpleNamespace(**RECIPES["default"] | changes)


def test_both_directions_and_all_terms_count_with_their_weights(network):
    moving, fixed = (tensor(images, False) for images in pairs())
    loss, terms = objective(network, moving, fixed, configuration(smoothness=0.3, folding=2.0, inverse_consistency=0.7))
    there, back = both_ways(network, moving, fixed)
    expected = {
        "similarity": sum(
            losses.ncc_loss(ops.warp(image, u, border="edge"), other).item() / 2
            for image, u, other in ((moving, there, fixed), (fixed, back, moving))
        ),
        "smoothness": (losses.diffusion(there).item() + losses.diffusion(back).item()) / 2,
        "folding": (losses.folding_penalty(there).item() + losses.folding_penalty(back).item()) / 2,
        "inverse_consistency": losses.inverse_consistency(there, back).item(),
    }
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(expected, rel=1e-4)
    weights = {"similarity": 1, "smoothness": 0.3, "folding": 2, "inverse_consistency": 0.7}
    assert loss.item() == pytest.approx(sum(weights[name] * value for name, value in expected.items()), rel=1e-4)


def test_without_inverse_consistency_only_the_one_direction_counts(network):
    moving, fixed = (tensor(images, False) for images in pairs())
    _, terms = objective(network, moving, fixed, configuration(inverse_consistency=0.0, folding=0.0))
    warped = ops.warp(moving, network(moving, fixed), border="edge")
    assert terms.keys() == {"similarity", "smoothness"}
    assert terms["similarity"].item() == pytest.approx(losses.ncc_loss(warped, fixed).item(), rel=1e-5)


def test_early_looks_are_the_first_ones(network):
    network.looks = (4, 2)
    moving, fixed = pairs()
    one = backpropagate(network, moving, fixed, configuration(), looks=1)
    network.looks = (4,)
    assert one == backpropagate(network, moving, fixed, configuration())

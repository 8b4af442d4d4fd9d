"""Fixtures of the upper floors: small data sets in place of the full one, and a run trained on one of them."""

import numpy as np
import pytest
from short_runs import SHORT, fewest_digits, short_animation, small_digits

from minireg import train, viz
from minireg.data import sources


@pytest.fixture
def few_digits(monkeypatch):
    """The data set "strokes" is the smallest one, animations are short, and no folder with MNIST is known."""
    monkeypatch.setattr(sources, "load_strokes", fewest_digits)
    monkeypatch.setattr(viz, "animation", short_animation)
    monkeypatch.delenv("MINIREG_DATA", raising=False)
    return fewest_digits()


@pytest.fixture
def digits_of_trained(monkeypatch):
    """The data set "strokes" is the one that `trained` was trained on."""
    monkeypatch.setattr(sources, "load_strokes", small_digits)
    monkeypatch.delenv("MINIREG_DATA", raising=False)
    return small_digits()


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The folder of a short run with the U-Net. Tests only read it."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "load_strokes", small_digits)
        assert train.main([*SHORT, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def checkpoint(trained):
    return trained / "checkpoint.npz"


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "good.npy"
    np.save(path, small_digits().test_images[0, ..., 0])
    return path

"""The option `--backend`: the same tests with NumPy (the default), CuPy, or the strict stand-in for CuPy."""

# ruff: noqa: E402
from minireg.command import prepare_process

prepare_process()  # as the command lines do, before NumPy is loaded

import signal

import pytest
from strict_backend import StrictBackend

from minireg import backend

backend.BACKENDS["strict"] = StrictBackend


# A shell starts background jobs with Ctrl-C ignored, and Python leaves it so; the tests of Ctrl-C need it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption(
        "--backend",
        choices=sorted(backend.BACKENDS),
        default="numpy",
        help="the array library that the tests compute with",
    )


@pytest.fixture(autouse=True)
def chosen_backend(request):
    """Every test begins with the backend of the option in use, whatever the test before it did."""
    backend.use(request.config.getoption("--backend"))
    return backend.active()

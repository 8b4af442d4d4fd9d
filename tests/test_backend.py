"""Choosing an array library, what is said where it cannot work, and that arrays of two libraries never mix."""

import os
import subprocess
import sys
import types

import numpy as np
import pytest
from strict_backend import StrictArray, using

from minireg import Tensor, backend, ops
from minireg.errors import BackendError, MiniregError
from minireg.nn import Parameter
from minireg.optim import SGD, Adam

# Choosing


@pytest.fixture
def forgotten(monkeypatch):
    """As in a new process: no backend was chosen yet."""
    monkeypatch.setattr(backend, "_active", None)
    monkeypatch.delenv("MINIREG_BACKEND", raising=False)
    return monkeypatch


def test_numpy_computes_unless_told_otherwise(forgotten):
    assert backend.active().name == "numpy"
    assert backend.xp.sqrt is np.sqrt


def test_the_environment_variable_chooses(forgotten):
    forgotten.setenv("MINIREG_BACKEND", "strict")
    assert backend.active().name == "strict"


def test_an_empty_environment_variable_chooses_nothing(forgotten):
    forgotten.setenv("MINIREG_BACKEND", "")
    assert backend.active().name == "numpy"


def test_use_has_the_last_word(forgotten):
    forgotten.setenv("MINIREG_BACKEND", "numpy")
    backend.use("strict")
    assert backend.active().name == "strict"


def test_use_of_the_backend_in_use_changes_nothing():
    before = backend.active()
    backend.use(before.name)
    assert backend.active() is before


def test_an_unknown_backend_is_refused_with_the_names_of_the_others():
    before = backend.active()
    with pytest.raises(BackendError, match=r"no backend 'torch': choose one of numpy, cupy"):
        backend.use("torch")
    assert backend.active() is before


def run_python(code, **environment):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)


def test_an_unknown_name_in_the_environment_variable_is_refused_in_a_new_process():
    done = run_python("from minireg import Tensor; Tensor(1.0)", MINIREG_BACKEND="abacus")
    assert done.returncode != 0
    assert "BackendError: there is no backend 'abacus'" in done.stderr


def test_the_environment_variable_is_read_in_a_new_process():
    done = run_python("from minireg import backend; print(backend.active().name)", MINIREG_BACKEND="numpy")
    assert done.stdout.strip() == "numpy", done.stderr


def test_importing_the_package_imports_nothing_slow_and_no_gpu_library():
    done = run_python(
        "import sys, minireg\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'cupy', 'matplotlib', 'tqdm', 'torch', 'scipy'}))",
        MINIREG_BACKEND="cupy",
    )
    assert done.stdout.strip() == "[]", done.stderr


# CuPy that cannot work: each reason has its own sentence


class FakeCupy(types.ModuleType):
    """As much of CuPy as the choice of a backend looks at."""

    ndarray = StrictArray

    def __init__(self, driver=12040, runtime=12090, devices=1, total=3.0):
        super().__init__("cupy")
        self.total, self.devices = total, devices
        runtime_functions = types.SimpleNamespace(
            driverGetVersion=lambda: driver, runtimeGetVersion=lambda: runtime, getDeviceCount=self.count
        )
        self.cuda = types.SimpleNamespace(runtime=runtime_functions)

    def count(self):
        if not self.devices:
            raise RuntimeError("cudaErrorNoDevice: no CUDA-capable device isted\nmore lines")
        return self.devices

    def arange(self, *args, **options):
        return types.SimpleNamespace(sum=lambda: self.total)


REASONS = {
    "no driver": (FakeCupy(driver=0), "no NVIDIA driver was found"),
    "no device": (
        FakeCupy(devices=0),
        r"no CUDA device can be used \(cudaErrorNoDevice: no CUDA-capable",
    ),
    "driver too old": (
        FakeCupy(driver=11080, devices=0),
        "driver is too old, it supports CUDA 11.8, CuPy was built for CUDA 12.9",
    ),
    "wrong result": (FakeCupy(total=0.0), "a trial sum came out wrong"),
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_cupy_that_cannot_work_is_refused_with_the_reason(reason, monkeypatch):
    module, message = REASONS[reason]
    monkeypatch.setitem(sys.modules, "cupy", module)
    with using("numpy"):
        before = backend.active()
        with pytest.raises(BackendError, match=message) as caught:
            backend.use("cupy")
        assert "--backend numpy" in str(caught.value) and "\n" not in str(caught.value)
        assert backend.active() is before
        assert Tensor([1.0, 2.0]).sum().item() == 3


def test_a_driver_that_cannot_be_asked_counts_as_none(monkeypatch):
    module = FakeCupy()
    module.cuda.runtime.driverGetVersion = lambda: 1 / 0
    monkeypatch.setitem(sys.modules, "cupy", module)
    with using("numpy"), pytest.raises(BackendError, match="no NVIDIA driver was found"):
        backend.use("cupy")


def test_cupy_that_is_not_installed_is_named_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # what makes `import cupy` raise ModuleNotFoundError
    with using("numpy"), pytest.raises(BackendError, match=r"not installed.*pip install cupy-cuda12x"):
        backend.use("cupy")


def test_cupy_that_is_installed_and_broken_is_not_called_missing(monkeypatch):
    def broken(name):
        raise ImportError("libcublas.so.12: cannot open shared object file")

    monkeypatch.setattr(backend.importlib, "import_module", broken)
    with using("numpy"), pytest.raises(BackendError, match=r"installed but cannot be imported .libcublas.so.12"):
        backend.use("cupy")


def test_a_cupy_that_works_is_put_in_use(monkeypatch, forgotten):
    module = FakeCupy()
    monkeypatch.setitem(sys.modules, "cupy", module)
    backend.use("cupy")
    assert backend.active().name == "cupy"
    assert backend.active().xp is module


def test_a_newer_minor_version_than_the_driver_is_no_obstacle(monkeypatch, forgotten):
    monkeypatch.setitem(sys.modules, "cupy", FakeCupy(driver=12000, runtime=12090))
    backend.use("cupy")
    assert backend.active().name == "cupy"


def test_a_backend_error_is_an_error_for_the_user():
    assert issubclass(BackendError, MiniregError)


# Moving data


@pytest.mark.parametrize("library", [None, "strict"])
@pytest.mark.parametrize(
    "data, dtype",
    [
        (1.5, np.float32),
        ([1.0, 2.0], np.float32),
        ([[1.5], [2]], np.float32),
        (3, np.int64),
        ([True, False], bool),
        (np.ones(2), np.float64),
        (np.float64(2), np.float64),
        (np.ones(2, np.uint8), np.uint8),
    ],
    ids=repr,
)
def test_what_goes_in_comes_out(library, data, dtype):
    with using(library):
        there = backend.to_device(data)
        assert backend.is_array(there)
        assert there.dtype == dtype
        back = backend.to_host(there)
    assert type(back) is np.ndarray
    np.testing.assert_array_equal(back, data)


def test_an_array_of_the_backend_goes_in_as_it_is():
    array = backend.to_device(np.ones(2))
    assert backend.to_device(array) is array


@pytest.mark.parametrize("data", [None, object(), {}], ids=["None", "object", "dict"])
def test_what_is_no_number_does_not_go_in(data):
    with pytest.raises(TypeError, match="expected real numbers or a NumPy array of them, got"):
        backend.to_device(data)


# Mixing


@pytest.fixture
def strict():
    with using("strict"):
        yield


HOST = np.ones((2, 3), np.float32)


def on_device(requires_grad=True):
    return Tensor(backend.to_device(HOST), requires_grad=requires_grad)


def fed_optimiser(kind):
    parameter = Parameter(HOST)
    parameter.grad = HOST
    kind([parameter], lr=0.1).step()


def fed_data():
    on_device().data = HOST


MIXTURES = {
    "a Tensor of a NumPy array": lambda: Tensor(HOST),
    "a NumPy array on the right": lambda: on_device() + HOST,
    "a NumPy array on the left": lambda: HOST + on_device(),
    "a NumPy array on the left of a matrix product": lambda: HOST.T @ on_device(),
    "a NumPy array as an argument": lambda: ops.mul(on_device(), HOST),
    "a NumPy array as an argument by name": lambda: ops.linear(on_device(), weight=HOST.T),
    "a NumPy array to warp": lambda: ops.warp(HOST[None, :, :, None], np.zeros((1, 2, 3, 2), np.float32)),
    "labels in a NumPy array": lambda: ops.warp_nearest(HOST[None, :, :, None], np.zeros((1, 2, 3, 2), np.float32)),
    "a NumPy array in a list to join": lambda: ops.concatenate([on_device(), HOST]),
    "a NumPy array as an index": lambda: on_device()[np.array([0, 1])],
    "a NumPy array within an index": lambda: on_device()[:, np.array([0, 1])],
    "a NumPy array assigned to .data": fed_data,
    "a NumPy array as a cotangent's Tensor": lambda: on_device().backward(Tensor(HOST)),
    "SGD with a NumPy array as gradient": lambda: fed_optimiser(SGD),
    "Adam with a NumPy array as gradient": lambda: fed_optimiser(Adam),
}


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("mixture", MIXTURES)
def test_arrays_of_two_libraries_never_mix(mixture):
    with pytest.raises(BackendError, match=r"numpy array.*backend in use is strict.*to_device"):
        MIXTURES[mixture]()


def test_arrays_of_a_backend_that_is_no_longer_in_use_are_refused():
    with using("strict"):
        x = on_device()
    with using("numpy"):
        for mistake in (lambda: x * 2, lambda: Tensor(x.data), lambda: backend.to_host(x.data)):
            with pytest.raises(BackendError, match="got a strict_backend array"):
                mistake()


# The strict backend is a test of its own: what it must refuse, it refuses


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(
    "mistake",
    [
        lambda x: np.asarray(x),
        lambda x: np.sqrt(x),
        lambda x: x + HOST,
        lambda x: HOST + x,
        lambda x: x.__add__([1, 2, 3]),
        lambda x: backend.xp.sqrt(HOST),
        lambda x: backend.xp.sqrt([1.0, 2.0]),
        lambda x: backend.xp.sum(HOST),
        lambda x: backend.xp.sum([1.0]),
        lambda x: backend.xp.take(x, HOST.astype(int), axis=0),
        lambda x: backend.xp.add.at(x, np.array([0]), 1.0),
        lambda x: backend.xp.where(True, x, x),
        lambda x: backend.xp.concatenate([x, HOST]),
        lambda x: backend.xp.asarray(HOST),
        lambda x: x[np.array([0])],
        lambda x: x.__setitem__(0, HOST[0]),
        lambda x: x.__iadd__(HOST),
        lambda x: backend.xp.float_power,
        lambda x: backend.xp.piecewise,
    ],
)
def test_the_strict_backend_refuses_what_cupy_refuses(mistake):
    x = backend.to_device(HOST)
    with pytest.raises((TypeError, IndexError, AttributeError)):
        mistake(x)


@pytest.mark.usefixtures("strict")
def test_the_strict_backend_reduces_to_arrays_without_axes():
    total = backend.xp.sum(backend.to_device(HOST))
    assert backend.is_array(total) and total.shape == ()
    assert float(total) == 6


@pytest.mark.usefixtures("strict")
def test_the_strict_backend_knows_what_is_a_view():
    x = backend.to_device(HOST)
    assert x.base is None and (x + 1).base is None and x.copy().base is None
    assert x[0].base is x and x.reshape(-1).base is x and x.T[1:].base is x
    x[0].__iadd__(1)
    np.testing.assert_array_equal(backend.to_host(x), [[2, 2, 2], [1, 1, 1]])

"""Choosing an array library, what is said where it cannot work, and that arrays of two libraries never mix."""

import os
import subprocess
import sys
import types

import numpy as np
import pytest
from cupy_differences import NotOnCupy, counted_launches
from cupy_kernels import COMPILER
from strict_backend import StrictArray, using

from minireg import Tensor, backend, ops
from minireg.backend import xp
from minireg.data import DigitPairs, load_strokes
from minireg.errors import BackendError, MiniregError
from minireg.nn import Parameter
from minireg.optim import SGD, Adam
from minireg.training import configure
from minireg.training.trainer import Trainer

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
    """As much of CuPy as the choice of a backend looks at. `lacking` is a library, `wrong` an operation, or None."""

    ndarray = StrictArray
    asnumpy = staticmethod(lambda array: array.numbers)

    def __init__(self, driver=12040, runtime=12090, devices=1, lacking=None, wrong=None):
        super().__init__("cupy")
        self.devices, self.lacking, self.wrong = devices, lacking, wrong
        runtime_functions = types.SimpleNamespace(
            driverGetVersion=lambda: driver, runtimeGetVersion=lambda: runtime, getDeviceCount=self.count
        )
        self.cuda = types.SimpleNamespace(runtime=runtime_functions, Device=self.device)
        self.used = None

    def device(self, number):
        """As CuPy's Device: what is computed from then on is computed there."""
        return types.SimpleNamespace(use=lambda: setattr(self, "used", number))

    def count(self):
        if not self.devices:
            raise RuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected\nmore lines")
        return self.devices

    def asarray(self, numbers):
        return FakeArray(self, numbers)


class FakeArray:
    """Two operations, each with its library; the errors are CuPy 14's where the library is missing."""

    def __init__(self, cupy, numbers):
        self.cupy, self.numbers = cupy, numbers

    def computed(self, library, error, numbers):
        if self.cupy.lacking == library:
            raise error(f'Failure finding "lib{library}.so.13 or lib{library}.so.12": No such file\n')
        return FakeArray(self.cupy, 0 * numbers if self.cupy.wrong == library else numbers)

    def __add__(self, other):
        return self.computed("nvrtc", RuntimeError, self.numbers + other.numbers)

    def __matmul__(self, other):
        return self.computed("cublasLt", ImportError, self.numbers @ other.numbers)


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
    "no NVRTC": (
        FakeCupy(lacking="nvrtc"),
        r"cannot use NVRTC, which compiles its kernels \(Failure finding .*pip install 'cupy-cuda12x\[ctk\]'",
    ),
    "no cuBLAS": (
        FakeCupy(lacking="cublasLt", runtime=13000, driver=13000),
        r"cannot use cuBLAS, which multiplies matrices \(Failure finding .*pip install 'cupy-cuda13x\[ctk\]'",
    ),
    "wrong sum": (FakeCupy(wrong="nvrtc"), "a trial of NVRTC.* came out wrong"),
    "wrong product": (FakeCupy(wrong="cublasLt"), "a trial of cuBLAS.* came out wrong"),
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
    with using("numpy"), pytest.raises(BackendError, match=r"not installed.*pip install 'cupy-cuda12x\[ctk\]'"):
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


@pytest.mark.parametrize("variable", [None, *backend.LOCAL_RANKS])
@pytest.mark.parametrize(("rank", "device"), [(0, 0), (1, 1), (2, 2), (5, 1)])
def test_each_process_of_a_machine_takes_a_gpu_of_its_own(variable, rank, device, monkeypatch, forgotten):
    module = FakeCupy(devices=4)
    monkeypatch.setitem(sys.modules, "cupy", module)
    for name in backend.LOCAL_RANKS:
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(rank))
    backend.use("cupy")
    assert module.used == (device if variable else 0)


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
        lambda x: HOST.T @ x,
        lambda x: x.__add__([1, 2, 3]),
        lambda x: xp.sqrt(HOST),
        lambda x: xp.sqrt([1.0, 2.0]),
        lambda x: xp.sum(HOST),
        lambda x: xp.sum([1.0]),
        lambda x: xp.take(x, HOST.astype(int), axis=0),
        lambda x: xp.add.at(x, np.array([0]), 1.0),
        lambda x: xp.where(True, x, x),
        lambda x: xp.concatenate([x, HOST]),
        lambda x: xp.asarray(HOST),
        lambda x: x[np.array([0])],
        lambda x: x.__setitem__(0, HOST[0]),
        lambda x: x.__iadd__(HOST),
        lambda x: xp.float_power,
        lambda x: xp.piecewise,
    ],
)
def test_the_strict_backend_refuses_what_cupy_refuses(mistake):
    with pytest.raises((TypeError, IndexError, AttributeError)):
        mistake(backend.to_device(HOST))


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(
    "mistake",
    [
        lambda x: xp.sum(x, where=x > 0),
        lambda x: xp.max(x, initial=0.0),
        lambda x: x.sum(initial=1.0),
        lambda x: xp.clip(x, min=0.0, max=1.0),
        lambda x: xp.take(x, indices(0), axis=0, mode="clip"),
        lambda x: xp.sqrt(x, where=x > 0),
        lambda x: xp.zeros_like(x, device="cpu"),
        lambda x: x.astype(np.float64, "K", "unsafe", False, True, None),
    ],
)
def test_the_strict_backend_refuses_options_that_cupy_lacks(mistake):
    with pytest.raises(TypeError, match=r"CuPy's .* takes"):
        mistake(backend.to_device(HOST))


def indices(*numbers):
    return backend.to_device(np.array(numbers))


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(
    "mistake, message",
    [
        (lambda x: x[indices(0, 2)], "wraps indices around"),
        (lambda x: x[:, indices(-4)], "wraps indices around"),
        (lambda x: x.__setitem__(indices(2), 1.0), "wraps indices around"),
        (lambda x: xp.take(x, indices(3), axis=1), "wraps indices around"),
        (lambda x: xp.add.at(x, indices(2), 1.0), "wraps indices around"),
        (lambda x: x.__setitem__(indices(0, 0), x), "several values are written to one place"),
        (lambda x: x.__setitem__((0, indices(1, -2)), x[0, :2]), "several values are written to one place"),
        (lambda x: x.__setitem__((0, slice(1, 3)), x[0, :2]), "over a part of itself"),
        (lambda x: (x * float("nan")).astype(np.int64), "other integers of NaN"),
        (lambda x: (x / 0).astype(np.int32), "other integers of NaN"),
        (lambda x: (x * 3e9).astype(np.int32), "other integers of NaN"),
        (lambda x: (-x).astype(np.uint8), "other integers of NaN"),
        (lambda x: indices(1).__setitem__(0, float("inf")), "other integers of NaN"),
    ],
)
def test_the_strict_backend_refuses_what_cupy_does_otherwise_without_a_word(mistake, message):
    with np.errstate(all="ignore"), pytest.raises(NotOnCupy, match=message):
        mistake(backend.to_device(HOST))


@pytest.mark.usefixtures("strict")
def test_the_strict_backend_takes_what_is_the_same_on_cupy():
    x = backend.to_device(HOST)
    x[indices(0, -1)] = x + 1  # all of it, row by row
    x[indices(0, 0)] = 3.0  # one value
    x[0, :] = x[0]
    xp.add.at(x, indices(1, 1), 1.0)
    np.testing.assert_array_equal(backend.to_host(x), [[3, 3, 3], [4, 4, 4]])
    np.testing.assert_array_equal(backend.to_host((x - 5).astype(np.int8)), [[-2] * 3, [-1] * 3])
    with pytest.raises(IndexError):
        x[2]  # an int, not an array: CuPy raises too


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int16, np.int64])
def test_the_strict_backend_has_no_atomic_addition_for_small_integers_nor_int64(dtype):
    with pytest.raises(TypeError, match="scatter_add only supports"):
        xp.add.at(backend.to_device(np.zeros(3, dtype)), indices(0), backend.to_device(np.ones(1, dtype)))


@pytest.mark.usefixtures("strict")
def test_the_strict_backend_refuses_the_strides_that_cupys_matrix_product_refuses():
    # One tap turned around is contiguous as it lies: `ascontiguousarray` leaves it its strides below 0.
    weight = backend.to_device(np.ones((1, 1, 3, 1), np.float32))[::-1, ::-1]
    patches = backend.to_device(np.ones((1, 5, 4, 3), np.float32))
    with pytest.raises(OverflowError, match=r"-12 out of bounds"):
        xp.matmul(patches, xp.ascontiguousarray(weight))
    with pytest.raises(OverflowError, match=r"-12 out of bounds"):
        patches @ weight
    assert xp.matmul(patches, weight.copy()).shape == (1, 5, 4, 1)
    assert xp.matmul(patches[:, :1], weight).shape == (1, 1, 4, 1)  # nothing is repeated: no list of pointers


@pytest.mark.usefixtures("strict")
def test_a_view_by_strides_has_no_base_on_the_strict_backend_as_on_cupy():
    x = backend.to_device(HOST)
    assert xp.lib.stride_tricks.as_strided(x, (2, 2), x.strides).base is None


def kernels(function, *arrays):
    with counted_launches() as launches:
        function(*arrays)
    return sum(launches.values())


@pytest.mark.usefixtures("strict")
def test_the_kernels_that_cupy_would_start_are_counted():
    x, stack = backend.to_device(HOST), backend.to_device(np.ones((4, 2, 3), np.float32))
    assert kernels(lambda: x.T[None].reshape(3, 2)[1:]) == 0  # views
    assert kernels(lambda: xp.empty(3)) == 0
    assert kernels(lambda: x.T.reshape(-1)) == 1  # a copy
    assert kernels(lambda: xp.sqrt(x) + 1) == 2
    assert kernels(lambda: xp.mean(x)) == 2  # the sum, the division
    assert kernels(lambda: xp.concatenate([x, x, x])) == 3
    assert kernels(lambda: x @ x.T) == 1
    assert kernels(lambda: stack @ stack.swapaxes(1, 2)) == 2  # the copy of what is not contiguous, the product
    assert kernels(lambda: stack @ x.T) == 1 + 3 + 1  # and the pointers to all matrices
    assert kernels(lambda: x.__setitem__(0, 1.0)) == 1
    with counted_launches() as launches:
        ops.exp(Tensor(x, requires_grad=True)).backward(x)
    assert launches == {"exp": 1, "exp, backward": 2}  # the product, and a copy of it as the leaf's gradient


LAUNCHES_OF_A_STEP = 2019


@pytest.fixture
def trainer(strict, monkeypatch):
    """A Trainer of the default recipe, for two pairs a step, with the block of CuPy."""
    monkeypatch.setattr(backend.active(), "scratch_bytes", backend.CupyBackend.scratch_bytes)
    source = DigitPairs(load_strokes(train_per_digit=12, test_per_digit=3), digit=7)
    return Trainer(configure({"data": "strokes", "workers": 1, "batch_size": 2}).completed(source), source, None)


@pytest.mark.skipif(COMPILER is None, reason="without a C++ compiler the warps go by arrays, in more kernels")
def test_a_training_step_of_the_default_recipe_starts_no_more_kernels_than_it_did(trainer):
    # What takes the time on a GPU where images are small. Two pairs start as many as a whole batch, if CuPy's block
    # holds them all.
    with counted_launches() as launches:
        trainer.train_step()
    table = "\n".join(f"{count:6d} {name}" for name, count in launches.most_common())
    print(f"{launches.total()} launches in one step\n{table}")  # shown by pytest -s
    assert 1000 < launches.total() <= LAUNCHES_OF_A_STEP, table


def test_a_training_step_waits_for_the_gpu_once(trainer, monkeypatch):
    # For its loss, terms and norm, all in one. Every other number that Python asks for would be a wait, too.
    waits, of_array = [], ("item", "__float__", "__int__", "__bool__")
    for owner, name in ((type(backend.active()), "to_host"), *((StrictArray, name) for name in of_array)):
        original = getattr(owner, name)
        counted = lambda *args, original=original, name=name: waits.append(name) or original(*args)
        monkeypatch.setattr(owner, name, counted)
    trainer.train_step()
    assert waits == ["to_host"]


@pytest.mark.usefixtures("strict")
def test_the_strict_backend_reduces_to_arrays_without_axes():
    total = xp.sum(backend.to_device(HOST))
    assert backend.is_array(total) and total.shape == ()
    assert float(total) == 6


@pytest.mark.usefixtures("strict")
def test_the_strict_backend_knows_what_is_a_view():
    x = backend.to_device(HOST)
    assert x.base is None and (x + 1).base is None and x.copy().base is None
    assert x[0].base is x and x.reshape(-1).base is x and x.T[1:].base is x
    x[0].__iadd__(1)
    np.testing.assert_array_equal(backend.to_host(x), [[2, 2, 2], [1, 1, 1]])

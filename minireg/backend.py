"""Which array library computes: NumPy on the CPU, or CuPy on the GPU.

    from minireg import backend
    backend.use("cupy")                      # or --backend cupy, or MINIREG_BACKEND=cupy; the default is NumPy
    x = backend.to_device(numpy_array)       # the one way in for data of the host
    y = backend.xp.sqrt(x)                   # xp stands for the library in use
    z = backend.to_host(y)                   # the one way out

CuPy has NumPy's interface, so an op is written once, with `xp`. The few things that the two do differently
(moving data, the size of a scratch buffer, kernels of one's own) are in the classes below, and nothing outside this
file asks which library is in use.
"""

import importlib
import os

import numpy as np

from minireg.errors import BackendError

# Where mpiexec or srun says which of the processes of its machine this one is, from 0: MPICH and Intel MPI, Open MPI,
# MVAPICH, Slurm.
LOCAL_RANKS = ("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID")


class NumpyBackend:
    """NumPy on the CPU. Also the base class of the others: its methods are all that a backend has to provide."""

    name = "numpy"
    # A convolution copies a block of images at a time, so that the matrix product finds it in the cache: one MiB, the
    # level-2 cache of a core of a current server. (512 KiB measures alike, 2 MiB is a tenth slower.)
    scratch_bytes = 1024 * 1024
    # What makes a function on arrays of C code for one element (CuPy's ElementwiseKernel), where the library has that.
    elementwise_kernel = None

    def __init__(self):
        self.xp = np
        self.array_type = np.ndarray
        # OpenBLAS copies what it multiplies into memory of its own. As long as nothing was ever written to the pages
        # beyond (into which it reads ahead, it seems) small products are up to three times slower: a larger one writes.
        np.ones((64, 1024), np.float32) @ np.ones((1024, 1024), np.float32)

    def to_device(self, host_array):
        """Move a NumPy array to where this backend computes."""
        return host_array

    def to_host(self, array):
        """Move an array of this backend to a NumPy array."""
        return array


class CupyBackend(NumpyBackend):
    """CuPy on an NVIDIA GPU: of processes that mpiexec has started, each on one of its own, as far as there are enough.

    Raises BackendError with the reason where that cannot work.
    """

    name = "cupy"
    # A GPU wants few, large matrix products. This bounds the patches of a convolution.
    scratch_bytes = 256 * 1024 * 1024

    def __init__(self):
        self.xp = _import_working_cupy()
        self.array_type = self.xp.ndarray
        local_rank = next((int(os.environ[name]) for name in LOCAL_RANKS if name in os.environ), 0)
        self.xp.cuda.Device(local_rank % self.xp.cuda.runtime.getDeviceCount()).use()

    @property
    def elementwise_kernel(self):
        return self.xp.ElementwiseKernel

    def to_device(self, host_array):
        return self.xp.asarray(host_array)

    def to_host(self, array):
        return self.xp.asnumpy(array)


def _import_working_cupy():
    """Import CuPy and compute something with it, or raise a BackendError that says which part is missing."""
    instead = "or choose --backend numpy"
    try:
        cupy = importlib.import_module("cupy")
    except ModuleNotFoundError:
        raise BackendError(
            "CuPy is not installed: install it with python -m pip install 'cupy-cuda12x[ctk]' (for CUDA 12) or "
            f"'cupy-cuda13x[ctk]' (for CUDA 13), {instead}"
        ) from None
    except Exception as error:  # CuPy was found, but its libraries do not load
        raise BackendError(
            f"CuPy is installed but cannot be imported ({_first_line(error)}): reinstall it for this machine's CUDA "
            f"version, {instead}"
        ) from None

    try:
        driver = cupy.cuda.runtime.driverGetVersion()  # 0 where no driver is installed; 12040 stands for CUDA 12.4
        needed = cupy.cuda.runtime.runtimeGetVersion()
    except Exception:
        driver, needed = 0, 0
    if driver == 0:
        raise BackendError(f"no CUDA device can be used, for no NVIDIA driver was found: install the driver, {instead}")
    try:
        cupy.cuda.runtime.getDeviceCount()
        ones = cupy.asarray(np.ones((2, 2), np.float32))  # memory of the card, and no kernel yet
    except Exception as error:
        if driver // 1000 < needed // 1000:  # minor versions are compatible, major ones are not
            raise BackendError(
                f"the NVIDIA driver is too old, it supports CUDA {_version(driver)}, CuPy was built for CUDA "
                f"{_version(needed)}: update the driver or install the CuPy built for the older CUDA, {instead}"
            ) from None
        raise BackendError(
            f"no CUDA device can be used ({_first_line(error)}): check nvidia-smi and CUDA_VISIBLE_DEVICES, {instead}"
        ) from None

    # CuPy's wheel lacks these two libraries of CUDA, and asks for them only when it needs them.
    trials = {
        "NVRTC, which compiles its kernels": lambda: ones + ones,
        "cuBLAS, which multiplies matrices": lambda: ones @ ones,
    }
    for library, trial in trials.items():
        try:
            result = cupy.asnumpy(trial())
        except Exception as error:
            raise BackendError(
                f"CuPy cannot use {library} ({_first_line(error)}): install it with python -m pip install "
                f"'cupy-cuda{needed // 1000}x[ctk]', {instead}"
            ) from None
        if (result != 2).any():
            raise BackendError(f"a trial of {library}, came out wrong: check the card with nvidia-smi, {instead}")
    return cupy


def _version(number):
    """CUDA writes version 12.4 as 12040."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _first_line(error):
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


BACKENDS = {"numpy": NumpyBackend, "cupy": CupyBackend}
_active = None


def use(name=None):
    """Choose the array library for everything that follows.

    Parameters
    ----------
    name : "numpy" or "cupy", optional
        Or another name that was added to `BACKENDS`. Without one, the library in use stays; if there is none yet, it is
        the one that the variable MINIREG_BACKEND names, else NumPy.

    Raises BackendError for an unknown name, and where CuPy is not installed, there is no CUDA device, or the NVIDIA
    driver is missing or too old. The backend in use before stays in use.
    """
    global _active
    if name is None and _active is not None:
        return
    if name is None:
        name = os.environ.get("MINIREG_BACKEND") or "numpy"
    if name not in BACKENDS:
        raise BackendError(f"there is no backend {name!r}: choose one of {', '.join(BACKENDS)}")
    if _active is None or _active.name != name:
        _active = BACKENDS[name]()
        vars(xp).clear()


def active():
    """The backend in use."""
    if _active is None:
        use()
    return _active


class _ActiveLibrary:
    """Stands for the array library in use: `xp.sqrt` is `numpy.sqrt` or `cupy.sqrt`, looked up when it is called."""

    def __getattr__(self, name):  # only called for names that are not yet kept on this object
        value = getattr(active().xp, name)
        setattr(self, name, value)
        return value


xp = _ActiveLibrary()


def is_array(value):
    """Whether `value` is an array of the backend in use."""
    return isinstance(value, active().array_type)


def is_foreign_array(value):
    """Whether `value` is an array of another library than the one in use (a NumPy array while CuPy computes, say)."""
    return not is_array(value) and (
        isinstance(value, np.ndarray) or hasattr(value, "__cuda_array_interface__") or hasattr(value, "__dlpack__")
    )


def refuse_foreign_array(value, where):
    """Raise BackendError if `value` is an array of another library; `where` names the place for the message."""
    if is_foreign_array(value):
        kind = f"{type(value).__module__.split('.')[0]} array of shape {value.shape}"
        raise BackendError(
            f"{where} got a {kind}, but the backend in use is {active().name}: pass NumPy arrays through "
            "backend.to_device() on the way in and results through backend.to_host() on the way out, and do not "
            "switch the backend while arrays of the other one are in use"
        )


def to_device(data):
    """Host data as an array of the backend in use: the one way in.

    Parameters
    ----------
    data : NumPy array, number or nested list of numbers
        An array keeps its dtype. Python floats become float32, the dtype in which this project computes.

    Returns an array of the backend in use; the same object where nothing had to be done.
    """
    if is_array(data):
        return data
    host = np.asarray(data)
    if not isinstance(data, (np.ndarray, np.generic)) and host.dtype == np.float64:
        host = host.astype(np.float32)
    if host.dtype.kind not in "biuf":
        raise TypeError(f"expected real numbers or a NumPy array of them, got {type(data).__name__} ({host.dtype})")
    return active().to_device(host)


def to_host(array):
    """An array of the backend in use, or a Tensor's `.data`, as a NumPy array: the one way out."""
    if isinstance(array, np.ndarray):
        return array
    refuse_foreign_array(array, "backend.to_host")
    return active().to_host(array)

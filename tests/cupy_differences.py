"""What CuPy does otherwise than NumPy: what it lacks and refuses, how many kernels it starts, how it adds up.

`strict_backend.py` asks here, with raw NumPy arrays, before it lets NumPy compute. From the source of CuPy 14:
`_routines_indexing.pyx`, `_routines_linalg.pyx`, `_routines_manipulation.pyx` and `_routines_statistics.pyx`.
"""

import collections
import functools
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minireg import backend

_LINES = Path(__file__).with_name("cupy_functions.txt").read_text(encoding="utf-8").splitlines()[1:]
CUPY_PARAMETERS = {name: parameters for name, *parameters in map(str.split, _LINES)}
CUPY_NAMES = set(CUPY_PARAMETERS)
SCATTERED = ("int32", "uint32", "uint64", "float16", "float32", "float64")  # the others have no atomic addition


def only_what_cupy_has(names, prefix=""):
    """The names; raises AttributeError where CuPy lacks one of them."""
    missing = [prefix + name for name in names if prefix + name not in CUPY_NAMES]
    if missing:
        raise AttributeError(f"CuPy has no {', '.join(missing)}: the strict backend must not offer it")
    return names


class NotOnCupy(Exception):
    """What NumPy does here is not what CuPy does; no IndexError or ValueError, so that nobody catches it as one."""


# What it refuses


def refuse_options(name, args, options):
    """Raise TypeError where CuPy's function has no such option, or fewer arguments."""
    parameters = CUPY_PARAMETERS[name]
    if not parameters or any(parameter.startswith("*") for parameter in parameters):
        return
    unknown = [option for option in options if option not in parameters]
    if unknown or len(args) > len(parameters):
        raise TypeError(f"CuPy's {name} takes {', '.join(parameters)}; got {len(args)} arguments and {unknown}")


@contextmanager
def no_wrapping(index):
    """Raise NotOnCupy where NumPy raises IndexError for an element of an index array: CuPy wraps it around."""
    try:
        yield
    except IndexError as error:
        parts = index if isinstance(index, tuple) else (index,)
        if "out of bounds" in str(error) and any(isinstance(part, np.ndarray) for part in parts):
            raise NotOnCupy(f"{error}: CuPy wraps indices around") from None
        raise


def refuse_to_write(target, index, value):
    """Raise NotOnCupy where target[index] = value leaves other numbers there than on NumPy."""
    refuse_as_integers(np.asarray(value), target.dtype)
    if np.size(value) > 1:
        if any(isinstance(part, np.ndarray) for part in (index if isinstance(index, tuple) else (index,))):
            places = np.arange(target.size).reshape(target.shape)[index]
            if len(np.unique(places)) < places.size:
                raise NotOnCupy("several values are written to one place: which of them stays is undefined on CuPy")
        elif np.may_share_memory(target[index], value) and not _same_memory(target[index], value):
            raise NotOnCupy("an array is written over a part of itself: CuPy may copy what it has overwritten")


def _same_memory(a, b):
    return a.__array_interface__["data"] == b.__array_interface__["data"] and a.strides == b.strides


def refuse_as_integers(array, dtype):
    """Raise NotOnCupy where floats have no place among the integers of `dtype`."""
    if dtype.kind in "iu" and array.dtype.kind == "f" and array.size:
        low, high = array.min(), array.max()
        if not (np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max):  # NaN neither
            raise NotOnCupy(f"{low} to {high} as {dtype}: a GPU makes other integers of NaN and of what is too large")


def refuse_batch_strides(a, b):
    """For matrices that are repeated CuPy lists where each begins, axis by axis, and takes no stride below 0.

    `ascontiguousarray` leaves such a stride alone where the axis has one element.
    """
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if a.shape[:-2] == b.shape[:-2]:
        return
    launch(3 * len(batch))  # for both and for the result
    for x in (a, b):
        for stride, size, repeated in zip(x.strides, x.shape, batch, strict=False):
            if stride < 0 and size == repeated and x.flags.c_contiguous:
                raise OverflowError(f"Python integer {stride} out of bounds for uint64")


# How many kernels CuPy would start

_counted = None


@contextmanager
def counted_launches():
    """Count the kernels that CuPy would start within the block: a Counter by op (or by file, outside the ops).

    An estimate from CuPy's source: one for each new array and each write, more for what takes several (`mean`,
    `concatenate`, a matrix product, which copies operands that are not contiguous and lists those it repeats).
    """
    global _counted
    before, _counted = _counted, collections.Counter()
    try:
        yield _counted
    finally:
        _counted = before


def launch(count=1):
    """Take note of kernels that CuPy would start now."""
    if _counted is not None:
        _counted[_running()] += count


def _running():
    """The op whose forward or backward is running, else the file of the project."""
    frame, file = sys._getframe(2), None
    while frame is not None:
        name = _file_of_the_project(frame.f_code.co_filename)
        if name == "autograd.py" and frame.f_code.co_name == "recorded":
            return frame.f_locals["name"]
        if name == "autograd.py" and "node" in frame.f_locals:
            return f"{frame.f_locals['node'].op_name}, backward"
        file = file or name
        frame = frame.f_back
    return file


@functools.cache
def _file_of_the_project(path):
    return Path(path).name if Path(backend.__file__).parent in Path(path).parents else None


# The order in which a GPU adds up

_threads = None


@contextmanager
def sums_of_threads(count=32):
    """Within the block, `sum` and `mean` add up as so many threads do: each its share one by one, then all shares."""
    global _threads
    before, _threads = _threads, count
    try:
        yield
    finally:
        _threads = before


def summed(array, axis=None, dtype=None, out=None, keepdims=False):
    """`numpy.sum`, or what threads make of it."""
    if _threads is None or not array.size:
        return np.sum(array, axis=axis, dtype=dtype, out=out, keepdims=keepdims)
    axes = tuple(range(array.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    rows = np.moveaxis(array, axes, range(len(axes)))
    kept = rows.shape[len(axes) :]
    rows = rows.reshape(-1, *kept)
    rows = np.concatenate([rows, np.zeros((-len(rows) % _threads, *kept), array.dtype)])
    shares = np.zeros((_threads, *kept), dtype or np.sum(rows[:1]).dtype)
    for row in rows.reshape(-1, _threads, *kept):
        shares += row
    total = np.sum(shares, axis=0, out=out)
    return np.expand_dims(total, tuple(sorted(a % array.ndim for a in axes))) if keepdims else total


def averaged(array, axis=None, dtype=None, out=None, keepdims=False):
    """`numpy.mean`, or what threads make of it."""
    launch()  # the sum; the division is counted with the result
    if _threads is None or array.dtype.kind != "f" or out is not None:
        return np.mean(array, axis=axis, dtype=dtype, out=out, keepdims=keepdims)
    total = summed(array, axis, dtype or np.promote_types(array.dtype, np.float32), None, keepdims)
    return (total / (array.size // max(1, np.size(total)))).astype(dtype or array.dtype)

"""A stand-in for CuPy that runs on any machine: NumPy behind the restrictions that a GPU library has.

An array of NumPy and an array of this backend never meet by accident. Where NumPy would convert silently, this one
raises, as CuPy does: `np.asarray(array)`, `array + numpy_array`, `xp.sqrt([1, 2])`, `array[numpy_index]`.
Reductions return arrays without axes instead of scalars. The module has only functions and options that CuPy has too
(those in cupy_functions.txt, which list_cupy_functions.py writes), so an op that uses another fails here as it would on
a GPU. Stricter than CuPy in one point: `xp.asarray` takes no NumPy array, as `backend.to_device` is the one way in.

Where CuPy would go on with other numbers than NumPy, this one raises NotOnCupy: an index array that points outside
(CuPy wraps it around), several values for one place (which of them stays is undefined), NaN or a number that is too
large as an integer, an array that is written over itself (all of it in `cupy_differences.py`).
"""

import functools
import operator
import types
from contextlib import contextmanager

import numpy as np
from cupy_differences import (
    CUPY_NAMES,  # noqa: F401 - the tests ask for it here
    SCATTERED,
    averaged,
    launch,
    no_wrapping,
    only_what_cupy_has,
    refuse_as_integers,
    refuse_batch_strides,
    refuse_options,
    refuse_to_write,
    summed,
)
from cupy_kernels import COMPILER, ElementwiseKernel

from minireg import backend


class StrictArray:
    """An array that can be reached only through the functions of `StrictBackend`."""

    __slots__ = ("__weakref__", "_host", "base")
    __array_ufunc__ = None  # numpy_array + strict_array asks StrictArray.__radd__, which refuses

    def __init__(self, host, base=None):
        self._host = np.asarray(host)
        self.base = base

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed: use backend.to_host()")

    def __dlpack__(self, **options):
        raise TypeError("the strict backend exchanges no memory with other libraries")

    shape = property(lambda self: self._host.shape)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    dtype = property(lambda self: self._host.dtype)
    strides = property(lambda self: self._host.strides)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    T = property(lambda self: _wrap(self._host.T, self))

    def __len__(self):
        return len(self._host)

    def __repr__(self):
        return f"StrictArray({self._host!r})"

    def __getitem__(self, index):
        index = _raw_index(index)
        with no_wrapping(index):
            return _wrap(self._host[index], self)

    def __setitem__(self, index, value):
        index, value = _raw_index(index), _operand(value)
        with no_wrapping(index):
            refuse_to_write(self._host, index, value)
            self._host[index] = value
        launch()

    def astype(self, *args, **options):
        refuse_options("ndarray.astype", args, options)
        refuse_as_integers(self._host, np.dtype(args[0] if args else options["dtype"]))
        return _wrap(self._host.astype(*args, **options), self)

    def item(self, *index):
        return self._host.item(*index)

    def __float__(self):
        return float(self._host)

    def __int__(self):
        return int(self._host)

    def __bool__(self):
        return bool(self._host)


def _wrap(result, *sources):
    """A result of NumPy as a StrictArray that remembers whose memory it looks at; tuples element by element."""
    if isinstance(result, tuple):
        return tuple(_wrap(part, *sources) for part in result)
    if not isinstance(result, (np.ndarray, np.generic)):
        return result
    for source in sources:
        if isinstance(source, StrictArray):
            if result is source._host:
                return source
            if np.may_share_memory(result, source._host):
                return StrictArray(result, base=source if source.base is None else source.base)
    launch()  # new memory: a kernel has filled it
    return StrictArray(result)


def _operand(value):
    """The NumPy array inside a StrictArray; numbers as they are; everything else is refused."""
    if isinstance(value, StrictArray):
        return value._host
    if isinstance(value, (bool, int, float, np.generic)):
        return value
    raise TypeError(f"Unsupported type {type(value)}")


def _raw_index(index):
    if isinstance(index, tuple):
        return tuple(_raw_index(part) for part in index)
    if isinstance(index, np.ndarray):
        raise IndexError("a NumPy array cannot index an array of the strict backend")
    return index._host if isinstance(index, StrictArray) else index


def _array(value):
    """As `_operand`, for the functions of CuPy that call a method of their argument: a number will not do."""
    if not isinstance(value, StrictArray):
        raise TypeError(f"Unsupported type {type(value)}: expected an array of the strict backend")
    return value._host


def _matmul(a, b, out=None):
    a, b = _array(a), _array(b)
    if max(a.ndim, b.ndim) <= 2:
        launch(sum(not (x.flags.c_contiguous or x.flags.f_contiguous) for x in (a, b)))
    else:
        launch(sum(not x.flags.c_contiguous for x in (a, b)))
        refuse_batch_strides(*(x[(None,) * (max(a.ndim, b.ndim) - x.ndim)] for x in (a, b)))
    if out is None:
        return _wrap(np.matmul(a, b))
    launch()
    np.matmul(a, b, out=_array(out))
    return out


def _method(name):
    functions = {"sum": summed, "mean": averaged}
    function = functions.get(name) or getattr(np.ndarray, name)

    def method(self, *args, **options):
        refuse_options(f"ndarray.{name}", args, options)
        return _wrap(function(self._host, *args, **options), self)

    return method


def _binary(function):
    def method(self, other):
        if getattr(other, "__array_ufunc__", self) is None and not isinstance(other, StrictArray):
            return NotImplemented  # a Tensor: its reflected method knows what to do
        return _wrap(function(self._host, _operand(other)))

    return method


def _in_place(ufunc):
    def method(self, other):
        ufunc(self._host, _operand(other), out=self._host, casting="same_kind")
        launch()
        return self

    return method


for _name in ("reshape", "transpose", "swapaxes", "copy", "ravel", "round", "sum", "mean", "max", "min", "any", "all"):
    setattr(StrictArray, _name, _method(_name))
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor"):
    _function = getattr(operator, _name)
    _bare = _name.rstrip("_")
    setattr(StrictArray, f"__{_bare}__", _binary(_function))
    setattr(StrictArray, f"__r{_bare}__", _binary(lambda self, other, f=_function: f(other, self)))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(StrictArray, f"__{_name}__", _binary(getattr(operator, _name)))
for _name, _ufunc in {
    "iadd": np.add,
    "isub": np.subtract,
    "imul": np.multiply,
    "itruediv": np.true_divide,
    "iand": np.bitwise_and,
    "ior": np.bitwise_or,
}.items():
    setattr(StrictArray, f"__{_name}__", _in_place(_ufunc))
StrictArray.__neg__ = lambda self: _wrap(-self._host)
StrictArray.__invert__ = lambda self: _wrap(~self._host)
StrictArray.__abs__ = lambda self: _wrap(abs(self._host))


def _matmul_operator(self, other, swapped=False):
    if not isinstance(other, (StrictArray, np.ndarray)):
        return NotImplemented
    return _matmul(other, self) if swapped else _matmul(self, other)


StrictArray.__matmul__ = _matmul_operator
StrictArray.__rmatmul__ = functools.partialmethod(_matmul_operator, swapped=True)


class _Ufunc:
    """An element-wise function: of arrays of this backend and numbers, never of lists or NumPy arrays."""

    def __init__(self, name):
        self._name, self._ufunc = name, getattr(np, name)

    def __call__(self, *args, out=None, **options):
        refuse_options(self._name, args, options)
        if out is not None:
            self._ufunc(*map(_operand, args), out=_array(out), **options)
            launch()
            return out
        return _wrap(self._ufunc(*map(_operand, args), **options))

    def at(self, array, index, values):
        if self._name != "add":
            raise NotImplementedError(f"{self._name}.at")
        index = _raw_index(index)
        if array.dtype not in SCATTERED:
            raise TypeError(f"scatter_add only supports {', '.join(SCATTERED)}, got {array.dtype}")
        with no_wrapping(index):
            self._ufunc.at(_array(array), index, _operand(values))
        launch()


def _of_first_argument(name, function=None):
    function = function or getattr(np, name)

    def strict(array, *args, out=None, **options):
        refuse_options(name, (array, *args), options)
        args = [_operand(value) if isinstance(value, (StrictArray, np.ndarray)) else value for value in args]
        with no_wrapping(tuple(args)):  # take
            if out is None:
                return _wrap(function(_array(array), *args, **options), array)
        function(_array(array), *args, out=_array(out), **options)
        launch()
        return out

    return strict


def _of_sequence(name):
    def strict(arrays, axis=0):
        launch(len(arrays) - 1 if len(arrays) <= 8 else 0)  # few are copied one by one, many in one kernel
        return _wrap(getattr(np, name)([_array(array) for array in arrays], axis=axis))

    return strict


def _creation(name):
    def strict(*args, **options):
        refuse_options(name, args, options)
        if any(isinstance(value, (np.ndarray, StrictArray)) for value in args):
            raise TypeError("expected numbers")
        return _wrap(getattr(np, name)(*args, **options))

    return strict


def _asarray(value, dtype=None):
    return _wrap(np.asarray(_operand(value), dtype=dtype), value)


def _where(condition, x, y):
    return _wrap(np.where(_array(condition), _operand(x), _operand(y)))


def _empty(shape, dtype=float):
    return StrictArray(np.empty(shape, dtype))


def _elementwise_kernel(*definition, **options):
    kernel = ElementwiseKernel(*definition, **options)

    def run(*values, size):
        kernel(*map(_operand, values), size=size)
        launch()

    return run


def _as_strided(x, shape=None, strides=None):
    return StrictArray(np.lib.stride_tricks.as_strided(_array(x), shape, strides))  # CuPy's has no base


UFUNCS = [
    "add", "subtract", "multiply", "true_divide", "divide", "floor_divide", "remainder", "power", "square",
    "negative", "abs", "absolute", "sign", "exp", "log", "sqrt", "tanh", "sin", "cos", "arctan2", "floor", "ceil",
    "rint", "maximum", "minimum", "fmax", "fmin", "isnan", "isfinite", "isinf", "greater", "less", "equal",
    "logical_and", "logical_or", "logical_not", "bitwise_and", "bitwise_or",
]  # fmt: skip
OF_FIRST_ARGUMENT = [
    "reshape", "transpose", "swapaxes", "moveaxis", "broadcast_to", "ascontiguousarray", "squeeze", "expand_dims",
    "flip", "ravel", "roll", "copy", "max", "min", "prod", "any", "all", "var", "std", "argmax", "argmin", "cumsum",
    "diff", "clip", "take", "pad", "sort", "argsort", "unique", "repeat", "tile", "bincount", "flatnonzero",
    "zeros_like", "ones_like", "full_like", "empty_like", "may_share_memory",
]  # fmt: skip
OF_SEQUENCE = ["concatenate", "stack"]
CREATION = ["zeros", "ones", "full", "arange", "linspace", "eye"]
CONSTANTS = [
    "float32", "float64", "int8", "uint8", "int32", "int64", "bool_", "dtype", "finfo", "iinfo", "newaxis", "pi",
    "inf", "nan",
]  # fmt: skip

strict_numpy = types.SimpleNamespace(
    ndarray=StrictArray,
    asarray=_asarray,
    where=_where,
    empty=_empty,
    matmul=_matmul,
    sum=_of_first_argument("sum", summed),
    mean=_of_first_argument("mean", averaged),
    lib=types.SimpleNamespace(stride_tricks=types.SimpleNamespace(as_strided=_as_strided)),
    **{name: _Ufunc(name) for name in UFUNCS},
    **{name: _of_first_argument(name) for name in OF_FIRST_ARGUMENT},
    **{name: _of_sequence(name) for name in OF_SEQUENCE},
    **{name: _creation(name) for name in CREATION},
    **{name: getattr(np, name) for name in CONSTANTS},
)
only_what_cupy_has([name for name in vars(strict_numpy) if name != "lib"])
only_what_cupy_has(vars(strict_numpy.lib.stride_tricks), "lib.stride_tricks.")
_OF_ANY_OBJECT = {"__slots__", "__weakref__", "__module__", "__doc__", "_host"}
only_what_cupy_has([name for name in vars(StrictArray) if name not in _OF_ANY_OBJECT], "ndarray.")


class StrictBackend(backend.NumpyBackend):
    """The backend that a test puts in use by `with using("strict"):`."""

    name = "strict"
    elementwise_kernel = staticmethod(_elementwise_kernel) if COMPILER else None

    def __init__(self):
        self.xp = strict_numpy
        self.array_type = StrictArray

    def to_device(self, host_array):
        return StrictArray(np.array(host_array))

    def to_host(self, array):
        return np.array(_array(array))


@contextmanager
def using(name):
    """Put a backend in use for a block, and the one before in use again after it. None leaves it as it is."""
    before = backend.active().name
    backend.use(name or before)
    try:
        yield
    finally:
        backend.use(before)

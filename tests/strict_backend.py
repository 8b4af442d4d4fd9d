"""A stand-in for CuPy that runs on any machine: NumPy behind the restrictions that a GPU library has.

An array of NumPy and an array of this backend never meet by accident. Where NumPy would convert silently, this one
raises, as CuPy does: `np.asarray(array)`, `array + numpy_array`, `xp.sqrt([1, 2])`, `array[numpy_index]`.
Reductions return arrays without axes instead of scalars. The module has only functions that CuPy has too (those in
cupy_functions.txt, which list_cupy_functions.py writes), so an op that uses another fails here as it would on a GPU.
Stricter than CuPy in one point: `xp.asarray` takes no NumPy array, because `backend.to_device` is the one way in.
"""

import operator
import types
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minireg import backend

CUPY_NAMES = set(Path(__file__).with_name("cupy_functions.txt").read_text(encoding="utf-8").splitlines()[1:])


def only_what_cupy_has(names, prefix=""):
    """The names; raises AttributeError where CuPy lacks one of them."""
    missing = [prefix + name for name in names if prefix + name not in CUPY_NAMES]
    if missing:
        raise AttributeError(f"CuPy has no {', '.join(missing)}: the strict backend must not offer it")
    return names


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
        return _wrap(self._host[_raw_index(index)], self)

    def __setitem__(self, index, value):
        self._host[_raw_index(index)] = _operand(value)

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


def _method(name):
    def method(self, *args, **options):
        return _wrap(getattr(self._host, name)(*args, **options), self)

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
        return self

    return method


for _name in ("reshape", "transpose", "astype", "copy", "ravel", "sum", "mean", "max", "min", "any", "all", "swapaxes"):
    setattr(StrictArray, _name, _method(_name))
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor"):
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


class _Ufunc:
    """An element-wise function: of arrays of this backend and numbers, never of lists or NumPy arrays."""

    def __init__(self, ufunc):
        self._ufunc = ufunc

    def __call__(self, *args, out=None, **options):
        if out is not None:
            self._ufunc(*map(_operand, args), out=_array(out), **options)
            return out
        return _wrap(self._ufunc(*map(_operand, args), **options))

    def at(self, array, index, values):
        self._ufunc.at(_array(array), _raw_index(index), _operand(values))


def _of_first_argument(function):
    def strict(array, *args, out=None, **options):
        if out is not None:
            function(_array(array), *args, out=_array(out), **options)
            return out
        args = [_operand(value) if isinstance(value, (StrictArray, np.ndarray)) else value for value in args]
        return _wrap(function(_array(array), *args, **options), array)

    return strict


def _of_sequence(function):
    def strict(arrays, axis=0):
        return _wrap(function([_array(array) for array in arrays], axis=axis))

    return strict


def _creation(function):
    def strict(*args, **options):
        if any(isinstance(value, (np.ndarray, StrictArray)) for value in args):
            raise TypeError("expected numbers")
        return _wrap(function(*args, **options))

    return strict


def _asarray(value, dtype=None):
    return _wrap(np.asarray(_operand(value), dtype=dtype), value)


def _where(condition, x, y):
    return _wrap(np.where(_array(condition), _operand(x), _operand(y)))


UFUNCS = [
    "add",
    "subtract",
    "multiply",
    "true_divide",
    "divide",
    "power",
    "negative",
    "exp",
    "log",
    "sqrt",
    "abs",
    "absolute",
    "sign",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "floor",
    "ceil",
    "tanh",
    "sin",
    "cos",
    "isnan",
    "isfinite",
    "isinf",
    "logical_and",
    "logical_or",
    "logical_not",
    "bitwise_and",
    "bitwise_or",
    "matmul",
    "square",
    "arctan2",
    "greater",
    "less",
    "equal",
    "floor_divide",
    "remainder",
]
OF_FIRST_ARGUMENT = [
    "reshape",
    "transpose",
    "swapaxes",
    "moveaxis",
    "broadcast_to",
    "ascontiguousarray",
    "sum",
    "mean",
    "max",
    "min",
    "prod",
    "any",
    "all",
    "var",
    "std",
    "clip",
    "take",
    "pad",
    "zeros_like",
    "ones_like",
    "empty_like",
    "full_like",
    "squeeze",
    "expand_dims",
    "flip",
    "argmax",
    "argmin",
    "cumsum",
    "sort",
    "argsort",
    "unique",
    "repeat",
    "tile",
    "ravel",
    "roll",
    "copy",
    "may_share_memory",
    "diff",
    "rint",
    "bincount",
]
OF_SEQUENCE = ["concatenate", "stack"]
CREATION = ["zeros", "ones", "empty", "full", "arange", "linspace", "eye"]
CONSTANTS = [
    "float32",
    "float64",
    "int8",
    "uint8",
    "int32",
    "int64",
    "bool_",
    "dtype",
    "finfo",
    "iinfo",
    "newaxis",
    "pi",
    "inf",
    "nan",
]

strict_numpy = types.SimpleNamespace(
    ndarray=StrictArray,
    asarray=_asarray,
    where=_where,
    lib=types.SimpleNamespace(
        stride_tricks=types.SimpleNamespace(as_strided=_of_first_argument(np.lib.stride_tricks.as_strided))
    ),
    **{name: _Ufunc(getattr(np, name)) for name in UFUNCS},
    **{name: _of_first_argument(getattr(np, name)) for name in OF_FIRST_ARGUMENT},
    **{name: _of_sequence(getattr(np, name)) for name in OF_SEQUENCE},
    **{name: _creation(getattr(np, name)) for name in CREATION},
    **{name: getattr(np, name) for name in CONSTANTS},
)
only_what_cupy_has([name for name in vars(strict_numpy) if name != "lib"])
only_what_cupy_has(vars(strict_numpy.lib.stride_tricks), "lib.stride_tricks.")
_OF_ANY_OBJECT = {"__slots__", "__weakref__", "__module__", "__doc__", "_host"}
only_what_cupy_has([name for name in vars(StrictArray) if name not in _OF_ANY_OBJECT], "ndarray.")


class StrictBackend(backend.NumpyBackend):
    """The backend that a test puts in use by `with using("strict"):`."""

    name = "strict"

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

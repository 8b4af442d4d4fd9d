"""Reverse-mode automatic differentiation: Tensor, the graph it records, and `backward`.

    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = (x * x).sum()            # each operation computes its result and records a Node
    >>> y.backward()                 # walks the nodes from y back to x
    >>> x.grad.tolist()
    [2.0, 4.0, 6.0]
    >>> x.data -= 0.1 * x.grad       # a step downhill: changes the array in x; `x = x - ...` would make another Tensor

Let L be one number computed from everything, a loss. For y = f(x), the chain rule says dL/dx_j = sum over i of
dL/dy_i dy_i/dx_j. With the Jacobian J_ij = dy_i/dx_j, that takes the cotangent g = dL/dy of the output to the cotangent
J^T g of the input: the vector-Jacobian product (VJP) of f. An op (see `op` below) computes y and hands back one VJP per
array argument; nobody ever forms J. `backward` starts with dL/dL = 1 and calls the VJPs in reverse order, adding up
what arrives where a value was used several times.

Who refers to whom decides when memory returns: a Tensor refers to the Node that made it, a Node to the Tensors that
went in. Nothing refers back, so there are no cycles, and a graph disappears with the last Tensor that needs it.

The operators (+, *, @, ...) and methods (sum, reshape, ...) of Tensor are ops, attached in `minireg/ops/operators.py`.

Source: Griewank and Walther, Evaluating derivatives, 2nd edition, SIAM 2008, chapter 3 (the reverse mode),
doi:10.1137/1.9780898717761.
"""

import functools
import importlib
import inspect
import threading
from contextlib import ContextDecorator, closing

import numpy as np

from minireg import backend
from minireg.backend import xp
from minireg.errors import InputError


class Tensor:
    """An array, and how it came about. The array is not copied.

    Parameters
    ----------
    data : array of the backend in use, number or nested list of numbers
        Floats of Python become float32, ints stay ints; arrays keep their dtype. A NumPy array is refused while CuPy
        computes: `backend.to_device` is the way in.
    requires_grad : bool
        Whether `backward` shall leave dL/d(this) in `.grad`. Only for floating-point data.

    Attributes
    ----------
    data : array of the backend. `x.data = ...` and `x.data += ...` are noticed by every op that had recorded x;
        writing into the array (`x.data[0] = ...`) is not.
    grad : array of the same shape and dtype, or None: the sum of what all `backward` calls brought here. Only on
        leaves, the Tensors that were made by hand and not by an op.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> x * x
    Tensor([1. 4.], made by mul, requires_grad=True)
    """

    __slots__ = ("__weakref__", "_data", "_node", "_requires_grad", "_version", "grad")
    __array_ufunc__ = None  # so that array + tensor asks Tensor.__radd__ (attached by ops), not NumPy, to add

    def __init__(self, data, requires_grad=False):
        backend.refuse_foreign_array(data, "Tensor()")
        self._data = backend.to_device(data)
        self._version = _Version()
        self._node = None
        self.grad = None
        self.requires_grad = requires_grad

    @property
    def requires_grad(self):
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value):
        if value and self._data.dtype.kind != "f":
            raise TypeError(f"only floating-point data can require a gradient, got {self._data.dtype}")
        if self._node is not None:
            raise RuntimeError("requires_grad can be set on leaves only; detach() takes a result off the graph")
        self._requires_grad = bool(value)

    @property
    def data(self):
        return self._data

    @data.setter
    def data(self, array):
        backend.refuse_foreign_array(array, "Tensor.data")
        if array is self._data:  # what `tensor.data += 1` does: same memory, new values, seen by every view of it
            self._version.count += 1
        else:
            self._data = backend.to_device(array)
            self._version = _Version()

    shape = property(lambda self: self._data.shape)
    ndim = property(lambda self: self._data.ndim)
    size = property(lambda self: self._data.size)
    dtype = property(lambda self: self._data.dtype)
    T = property(lambda self: self.transpose())

    def __array__(self, *args, **kwargs):
        raise TypeError("NumPy's functions do not take Tensors: use those of minireg.ops, or the array in .data")

    def __len__(self):
        return len(self._data)

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("a Tensor without axes holds one number: take its .item(), there is nothing to go through")
        return (self[i] for i in range(len(self)))

    def __bool__(self):
        return bool(self._data)

    def __repr__(self):
        made_by = f", made by {self._node.op_name}" if self._node else ""
        return f"Tensor({self._data}{made_by}{', requires_grad=True' if self.requires_grad else ''})"

    def item(self):
        """The only element, as a Python number. Raises ValueError where there are several.

        >>> Tensor([[2.5]]).item()
        2.5
        """
        return self._data.item()

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __format__(self, spec):
        return format(self.item() if spec else str(self), spec)

    # Comparisons give raw arrays: nothing can be differentiated through them.
    def __lt__(self, other):
        return self._data < _raw(other)

    def __le__(self, other):
        return self._data <= _raw(other)

    def __gt__(self, other):
        return self._data > _raw(other)

    def __ge__(self, other):
        return self._data >= _raw(other)

    def __eq__(self, other):
        return self._data == _raw(other)

    def __ne__(self, other):
        return self._data != _raw(other)

    __hash__ = object.__hash__  # by identity; defining __eq__ would otherwise take it away

    def detach(self):
        """The same array, outside the graph: no gradient flows through the result.

        >>> x = Tensor(3.0, requires_grad=True)
        >>> (x * x.detach()).backward()  # the second factor counts as a constant, so it is 3 and not 6
        >>> x.grad.item()
        3.0
        """
        detached = Tensor(self._data)
        detached._version = self._version  # still the same memory
        return detached

    def backward(self, cotangent=None, retain_graph=False):
        """Add dL/dx to `x.grad` of every leaf x that requires it, for the L whose cotangent at this Tensor is given.

        A leaf that requires a gradient is a graph of its own: its cotangent is its gradient.

        Parameters
        ----------
        cotangent : array or Tensor of this Tensor's shape, optional
            dL/d(self). Without it this Tensor must hold a single number, which is then L itself.
        retain_graph : bool
            Keep the graph for another `backward`. Without it the graph is freed as it is walked.

        Raises InputError without a cotangent for an output with several elements, or with one of another shape; and
        RuntimeError where this Tensor is not on a graph, where the graph was freed by an earlier `backward`, or where
        an array that an op had recorded was changed since. Nothing has been added to any `.grad` then.

        >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> (x * x).backward(Tensor([1.0, 0.0, -2.0]))  # L = x_0^2 - 2 x_2^2
        >>> x.grad.tolist()
        [2.0, 0.0, -12.0]
        """
        if not self.requires_grad:
            raise RuntimeError(
                f"backward() from a Tensor of shape {self.shape} that is not on a graph: none of the Tensors it was "
                "computed from has requires_grad=True, or it was made under no_grad() or by detach()"
            )
        cotangent = self._checked_cotangent(cotangent)
        if self._node is None:
            self._accumulate(cotangent)
            return

        # The cotangent of a value is the sum of one share from each of its uses. A node may be walked when all shares
        # have arrived; `waiting` counts those still to come.
        waiting = _count_uses(self)
        cotangents = {self._node: cotangent}
        leaf_shares = []  # handed out at the end, so that an error on the way leaves every `.grad` as it was
        ready = [self._node]
        while ready:
            node = ready.pop()
            cotangent = cotangents.pop(node)
            for tensor, vjp, argument in zip(node.inputs, node.vjps, node.arguments, strict=True):
                if vjp is None:
                    continue
                share = _this_thread.call(node.op_name, argument, vjp, cotangent)
                share = _as_cotangent_of(tensor, share, cotangent.ndim, f"{argument} of '{node.op_name}'")
                source = tensor._node
                if source is None:
                    leaf_shares.append((tensor, share))
                    continue
                # Not `+=`: a VJP may hand the same array to several inputs (add does).
                cotangents[source] = cotangents[source] + share if source in cotangents else share
                waiting[source] -= 1
                if waiting[source] == 0:
                    ready.append(source)
            if not retain_graph:
                node.free()
        for tensor, share in leaf_shares:
            tensor._accumulate(share)

    def _checked_cotangent(self, cotangent):
        if cotangent is None:
            if self.size != 1:
                raise InputError(
                    f"backward() from a Tensor of shape {self.shape} needs a cotangent of that shape; only an output "
                    "with a single element can do without"
                )
            return xp.ones(self.shape, self.dtype)
        cotangent = backend.to_device(_raw(cotangent))
        if cotangent.shape != self.shape:
            raise InputError(f"the cotangent has shape {cotangent.shape}, the Tensor has shape {self.shape}")
        return cotangent.astype(self.dtype, copy=False)

    def _accumulate(self, share):
        # A copy, because `share` may be a view or stand in another leaf's `.grad` as well. `asarray`, because NumPy
        # makes a scalar of the sum of two arrays without axes.
        self.grad = share.copy() if self.grad is None else xp.asarray(self.grad + share)


def _attached_by_ops(name):
    """An operator or method of Tensor, until one is needed: then `ops` attaches all of them, one floor above."""

    def first_use(self, *args, **options):
        importlib.import_module("minireg.ops")
        return getattr(self, name)(*args, **options)

    return first_use


for _name in (
    *(f"__{side}{name}__" for side in ("", "r") for name in ("add", "sub", "mul", "truediv", "matmul", "pow")),
    *("__neg__", "__abs__", "__getitem__", "sum", "mean", "max", "min", "reshape", "transpose"),
):
    setattr(Tensor, _name, _attached_by_ops(_name))


class _Version:
    """Counts the changes made to one piece of memory; shared by all Tensors that look at it."""

    __slots__ = ("count",)

    def __init__(self):
        self.count = 0


class Node:
    """One recorded operation: what went in, and the VJPs that take a cotangent back.

    `vjps[i]` is None where `inputs[i]` needs no gradient, so that no VJP is computed in vain. `arguments[i]` is the
    name of that argument.
    """

    __slots__ = ("__weakref__", "arguments", "input_versions", "inputs", "op_name", "output_version", "vjps")

    def __init__(self, op_name, arguments, inputs, vjps, output_version):
        self.op_name = op_name
        self.arguments = arguments
        self.inputs = inputs
        self.vjps = vjps
        self.input_versions = [(tensor._version, tensor._version.count) for tensor in inputs]
        self.output_version = (output_version, output_version.count)

    def free(self):
        """Let go of all arrays. The name stays, for the message of a second `backward`."""
        self.inputs = self.vjps = self.input_versions = None

    def check_unchanged(self, output):
        """Raise RuntimeError if the graph was freed or an array that this op had seen was changed since.

        The output counts too: the VJP of exp uses it. Whether a VJP really uses what was changed is not asked.
        """
        if self.vjps is None:
            raise RuntimeError(
                f"backward() reached the op '{self.op_name}', whose graph an earlier backward() has freed: compute "
                "the result again, or pass retain_graph=True to the first backward()"
            )
        seen = [*zip(self.inputs, self.input_versions, strict=True), (output, self.output_version)]
        for tensor, (version, count) in seen:
            if tensor._version is not version or version.count != count:
                role = "its output" if tensor is output else "an input"
                raise RuntimeError(
                    f"backward() through the op '{self.op_name}': {role}, of shape {tensor.shape}, was changed after "
                    "the op had recorded it (by assigning .data, an optimiser step or load_state_dict): call "
                    "backward() before changing it, or compute the result again"
                )


def _count_uses(root):
    """How many uses each node behind `root` has on the graph; checks every node, and walks without recursion."""
    root._node.check_unchanged(root)
    uses = {root._node: 0}
    to_visit = [root._node]
    while to_visit:
        node = to_visit.pop()
        for tensor, vjp in zip(node.inputs, node.vjps, strict=True):
            source = tensor._node
            if vjp is None or source is None:
                continue
            if source not in uses:
                source.check_unchanged(tensor)
                uses[source] = 0
                to_visit.append(source)
            uses[source] += 1
    return uses


def _as_cotangent_of(tensor, share, output_ndim, name):
    """What a VJP returned, in the shape and dtype of the Tensor that it belongs to.

    Undoes broadcasting: where the forward repeated a value, its cotangents add up. No VJP returns more axes than the
    output or the argument has; one that does has a mistake, and summing over it would hide that.
    """
    share = xp.asarray(share)
    added = share.ndim - tensor.ndim
    if added > 0 and share.ndim <= output_ndim:
        share = share.sum(axis=tuple(range(added)))
    if share.ndim == tensor.ndim:
        stretched = tuple(axis for axis, size in enumerate(tensor.shape) if size == 1 and share.shape[axis] != 1)
        share = share.sum(axis=stretched, keepdims=True) if stretched else share
    if share.shape != tensor.shape:
        raise RuntimeError(
            f"the VJP for the argument {name} returned shape {share.shape}, the argument has shape {tensor.shape}"
        )
    return share.astype(tensor.dtype, copy=False)


def _raw(value):
    """The array inside a Tensor; anything else as it is, NumPy scalars as numbers of Python.

    A `numpy.float64` scalar would turn float32 arrays into float64; a Python float does not (NEP 50).
    """
    if isinstance(value, Tensor):
        return value._data
    return value.item() if isinstance(value, np.generic) else value


def _call(name, direction, function, /, *args, **options):
    return function(*args, **options)


class _ThisThread(threading.local):
    """How many blocks of `no_grad` it is in. Threads count for themselves: one would undo what another has begun.

    And who calls the functions of ops ("forward") and their VJPs (by the name of an argument), so that
    `training.Profile` can take the time.
    """

    blocks = 0
    call = staticmethod(_call)


_this_thread = _ThisThread()


class no_grad(ContextDecorator):
    """Within `with no_grad():` (or a function or generator decorated by it) ops of this thread record nothing.

    Decorate generators: where one yields within a block of its own, its caller's ops record nothing either.

    >>> x = Tensor(3.0, requires_grad=True)
    >>> with no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    def __enter__(self):
        _this_thread.blocks += 1

    def __exit__(self, *error):
        _this_thread.blocks = max(0, _this_thread.blocks - 1)  # 0 where a generator was entered in another thread

    def __call__(self, function):
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"no_grad cannot decorate the async function {function.__name__}, between whose steps other tasks run: "
                "use it inside, around what awaits nothing"
            )
        if not inspect.isgeneratorfunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        def generator(*args, **options):
            steps = function(*args, **options)
            go_on, with_what = steps.send, None
            with closing(steps):
                while True:
                    with no_grad():  # for one step: between two of them the caller's code runs
                        try:
                            value = go_on(with_what)
                        except StopIteration as end:
                            return end.value
                    try:
                        go_on, with_what = steps.send, (yield value)
                    except Exception as error:  # thrown into it
                        go_on, with_what = steps.throw, error

        return generator


REGISTRY = {}


def op(function):
    """Make a differentiable operation of a function on raw arrays.

    `function(*arrays, **options)` returns `(output, vjps)`: the output array and a tuple with one VJP per array
    argument, in the order of its parameters (also for arguments that were left out). A VJP maps the cotangent of the
    output to that of the argument; it may return it in any shape that broadcasting of the argument could have led to.
    None in place of a VJP says that the argument cannot be differentiated.

    The decorated function takes Tensors, raw arrays or numbers, returns a Tensor, and is entered in `REGISTRY` under
    its name. Only Tensors can get a gradient. Raises BackendError where an argument holds an array of another library
    than the one in use.

    >>> @op
    ... def cube(x):
    ...     return x**3, (lambda g: 3 * g * x**2,)
    >>> x = Tensor(2.0, requires_grad=True)
    >>> cube(x).backward()
    >>> x.grad.item()
    12.0
    >>> del REGISTRY["cube"]  # it was an example only
    """
    name = function.__name__
    signature = inspect.signature(function)
    parameters = list(signature.parameters)

    @functools.wraps(function)
    def recorded(*args, **options):
        if options:  # arrays that were named by keyword get their place among the arguments
            bound = signature.bind(*args, **options)
            bound.apply_defaults()
            args, options = bound.args, bound.kwargs
        raw_args = [_raw(value) for value in args]
        for value in raw_args:
            backend.refuse_foreign_array(value, f"the op '{name}'")
        computed = _this_thread.call(name, "forward", function, *raw_args, **options)
        if not (isinstance(computed, tuple) and len(computed) == 2 and isinstance(computed[1], tuple)):
            raise TypeError(f"the op '{name}' must return its output and a tuple of VJPs")
        output, vjps = computed

        result = Tensor(xp.asarray(output))  # reductions and ops on 0-d arrays of NumPy return scalars
        # A view shares the memory of its argument, so it shares the count of changes. `.base` is asked first: cheap.
        is_view = result._data.base is not None
        inputs, input_vjps, arguments = [], [], []
        for position, value in enumerate(args):
            if not isinstance(value, Tensor):
                continue
            if result._data is value._data or (is_view and xp.may_share_memory(result._data, value._data)):
                result._version = value._version
            argument = parameters[min(position, len(parameters) - 1)]  # all of *arrays have one name
            vjp = vjps[position] if position < len(vjps) else None
            if value._requires_grad and vjp is None and not _this_thread.blocks:
                raise TypeError(f"the op '{name}' has no gradient for its argument '{argument}': pass it detached")
            inputs.append(value)
            input_vjps.append(vjp if value._requires_grad else None)
            arguments.append(argument)
        if not _this_thread.blocks and any(input_vjps):
            result._node = Node(name, arguments, inputs, input_vjps, result._version)
            result._requires_grad = True
        return result

    if name in REGISTRY:
        raise ValueError(f"there is already an op named '{name}'")
    REGISTRY[name] = recorded
    return recorded

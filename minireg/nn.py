"""Layers: operations that own their parameters, and `Module`, which finds them.

A Module is any object that keeps Parameters, buffers and other Modules as attributes; their names are the attributes'
names, joined by dots ("encoder.0.weight"). Layers draw their first weights from a `numpy.random.Generator` that the
caller passes, so a network is the same on every backend.

`Conv2d`, `ConvTranspose2d`, `Linear` and `BatchNorm` take the arguments of PyTorch's layers of these names, in the
shapes of this project (channels last).
"""

import math
from collections import deque
from collections.abc import Set

import numpy as np

from minireg import backend, ops
from minireg.autograd import Tensor
from minireg.errors import InputError


class Parameter(Tensor):
    """A Tensor that training changes. Made from host data, which is moved to the backend in use.

    >>> Parameter([1.0, 2.0]).requires_grad
    True
    """

    __slots__ = ()

    def __init__(self, data):
        super().__init__(backend.to_device(data), requires_grad=True)


def _flattened(name, value):
    """(name, value), or those of everything in a container."""
    if isinstance(value, (Set, deque)) and any(isinstance(element, (Module, Parameter)) for element in value):
        raise InputError(
            f"{name} holds layers in a {type(value).__name__}, where they are not found: expected a list, tuple or dict"
        )
    if not isinstance(value, (list, tuple, dict)):
        yield name, value
        return
    for key, element in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _flattened(f"{name}.{key}", element)


class Module:
    """Base of all layers and networks. Subclasses define `forward`; calling the Module calls it.

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Parameter(2.0)
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale()(3.0).item(), [name for name, _ in Scale().named_parameters()]
    (6.0, ['factor'])
    """

    training = True
    all_reduce = None  # the sum over all processes that share a batch, where there are several

    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    def _entries(self):
        """(name, value) of every attribute; what lists, tuples and dicts hold one by one, "layers.0", at any depth."""
        for name, value in vars(self).items():
            yield from _flattened(name, value)

    def _named(self, belongs, prefix="", found=None):
        """What `belongs`, here and below, each object once: a layer that is used twice has its weights once."""
        found = set() if found is None else found
        for name, value in self._entries():
            if not (belongs(value) or isinstance(value, Module)) or id(value) in found:
                continue
            found.add(id(value))
            if isinstance(value, Module):
                yield from value._named(belongs, f"{prefix}{name}.", found)
            else:
                yield prefix + name, value

    def named_parameters(self):
        """(name, Parameter) of this Module and all below it, always in the same order."""
        yield from self._named(lambda value: isinstance(value, Parameter))

    def named_buffers(self):
        """(name, array) of the arrays that belong to the state but are not trained, such as running means."""
        yield from self._named(backend.is_array)

    def parameters(self):
        """The Parameters of `named_parameters`, as a list."""
        return [parameter for _, parameter in self.named_parameters()]

    def train(self, training=True):
        """Switch this Module and all below it to training, or with False to evaluation. Returns the Module."""
        self.training = training
        for _, value in self._entries():
            if isinstance(value, Module):
                value.train(training)
        return self

    def share_batches(self, all_reduce):
        """Let batch norm, here and below, take its means over the batches of all processes that train as one.

        all_reduce : `Group.all_reduce` of training/group.py; None: over its own batch again
        """
        self.all_reduce = all_reduce
        for _, value in self._entries():
            if isinstance(value, Module):
                value.share_batches(all_reduce)

    def eval(self):
        """Switch to evaluation: batch norm uses its running statistics, dropout does nothing. Returns the Module."""
        return self.train(False)

    def zero_grad(self):
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def state_dict(self):
        """Copies of all parameters and buffers, as NumPy arrays by name."""
        state = {name: parameter.data for name, parameter in self.named_parameters()}
        state |= dict(self.named_buffers())
        return {name: np.array(backend.to_host(array)) for name, array in state.items()}

    def load_state_dict(self, state):
        """Take over all parameters and buffers from what `state_dict` returned.

        Raises InputError, before any change, where entries are missing, unexpected, of another shape, or not finite.
        """
        parameters, buffers = dict(self.named_parameters()), dict(self.named_buffers())
        own = parameters | buffers
        found = {
            "missing": [name for name in own if name not in state],
            "unexpected": [name for name in state if name not in own],
            "misshapen": [
                f"{name} has shape {state[name].shape} where {value.shape} was expected"
                for name, value in own.items()
                if name in state and tuple(state[name].shape) != tuple(value.shape)
            ],
            "not finite": [name for name in own if name in state and not np.isfinite(state[name]).all()],
        }
        problems = [f"{kind}: {', '.join(names)}" for kind, names in found.items() if names]
        if problems:
            raise InputError(f"the weights do not fit this {type(self).__name__}: {'; '.join(problems)}")
        for name, parameter in parameters.items():
            # A copy: an optimiser changes parameters in place, and `state` is the caller's.
            parameter.data = backend.to_device(np.array(state[name], dtype=parameter.dtype))
        for name, buffer in buffers.items():
            buffer[...] = backend.to_device(np.asarray(state[name], dtype=buffer.dtype))


def he_normal(shape, fan_in, rng, negative_slope=0.0):
    """Normal with variance 2 / ((1 + slope^2) fan_in): keeps the size of activations through (leaky) ReLU layers.

    `shape` is that of the weight, `fan_in` the number of inputs that one output sums over, `rng` a
    numpy.random.Generator, `negative_slope` that of the leaky ReLU that follows. Returns a NumPy array, float32.

    Source: He, Zhang, Ren, Sun, Delving deep into rectifiers, ICCV 2015, equations 10 and 15, arXiv:1502.01852.

    >>> round(he_normal((8, 10000), fan_in=8, rng=np.random.default_rng(0)).std().item(), 2)  # sqrt(2 / 8)
    0.5
    """
    deviation = math.sqrt(2 / ((1 + negative_slope**2) * fan_in))
    return deviation * rng.standard_normal(shape, dtype=np.float32)


def glorot_uniform(shape, fan_in, fan_out, rng):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)): the default of Keras, made for linear and tanh layers.

    Returns a NumPy array, float32. Source: Glorot and Bengio, Understanding the difficulty of training deep
    feedforward neural networks, AISTATS 2010, equation 16.

    >>> round(glorot_uniform((12, 12), 12, 12, np.random.default_rng(0)).max().item(), 1)  # sqrt(6 / 24)
    0.5
    """
    limit = math.sqrt(6 / (fan_in + fan_out))
    return limit * (2 * rng.random(shape, dtype=np.float32) - 1)


INITIALISERS = {
    "he": lambda shape, fan_in, fan_out, rng: he_normal(shape, fan_in, rng),
    "glorot": glorot_uniform,
    "zeros": lambda shape, fan_in, fan_out, rng: np.zeros(shape, np.float32),
}


def _first_weight(init, shape, fan_in, fan_out, rng):
    if init not in INITIALISERS:
        raise InputError(f"there is no init {init!r}: choose one of {', '.join(INITIALISERS)}")
    return Parameter(INITIALISERS[init](shape, fan_in, fan_out, rng))


class _Convolution(Module):
    """What a convolution and its transpose have in common: a weight, a bias, and how they begin."""

    def __init__(self, weight_shape, fan_in, fan_out, out_channels, rng, bias, init):
        taps = weight_shape[0] * weight_shape[1]
        self.weight = _first_weight(init, weight_shape, taps * fan_in, taps * fan_out, rng)
        self.bias = Parameter(np.zeros(out_channels, np.float32)) if bias else None


class Conv2d(_Convolution):
    """`ops.conv2d` with its weight (k, k, in, out) and bias (out,).

    `init` is "he", "glorot" or "zeros"; the bias begins at 0. Raises InputError for another `init`.

    >>> layer = Conv2d(1, 8, 3, np.random.default_rng(0), stride=2, padding=1)
    >>> layer(np.zeros((5, 32, 32, 1), np.float32)).shape
    (5, 16, 16, 8)
    """

    def __init__(
        self, in_channels, out_channels, kernel_size, rng, stride=1, padding=0, dilation=1, bias=True, init="he"
    ):
        shape = (kernel_size, kernel_size, in_channels, out_channels)
        super().__init__(shape, in_channels, out_channels, out_channels, rng, bias, init)
        self.stride, self.padding, self.dilation = stride, padding, dilation

    def forward(self, x):
        """(N, H, W, in) -> (N, H_out, W_out, out)"""
        return ops.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation)


class ConvTranspose2d(_Convolution):
    """`ops.conv_transpose2d` with its weight (k, k, out, in) and bias (out,); arguments as for `Conv2d`.

    >>> layer = ConvTranspose2d(8, 4, 2, np.random.default_rng(0), stride=2)
    >>> layer(np.zeros((5, 16, 16, 8), np.float32)).shape
    (5, 32, 32, 4)
    """

    def __init__(self, in_channels, out_channels, kernel_size, rng, stride=1, padding=0, bias=True, init="he"):
        shape = (kernel_size, kernel_size, out_channels, in_channels)
        super().__init__(shape, in_channels, out_channels, out_channels, rng, bias, init)
        self.stride, self.padding = stride, padding

    def forward(self, x):
        """(N, H, W, in) -> (N, H_out, W_out, out)"""
        return ops.conv_transpose2d(x, self.weight, self.bias, self.stride, self.padding)


class Linear(Module):
    """`ops.linear` with its weight (in, out) and bias (out,); `init` as for `Conv2d`.

    >>> sum(p.data.size for p in Linear(10, 3, np.random.default_rng(0)).parameters())  # 10 * 3 + 3
    33
    """

    def __init__(self, in_features, out_features, rng, bias=True, init="he"):
        self.weight = _first_weight(init, (in_features, out_features), in_features, out_features, rng)
        self.bias = Parameter(np.zeros(out_features, np.float32)) if bias else None

    def forward(self, x):
        """(..., in) -> (..., out)"""
        return ops.linear(x, self.weight, self.bias)


class BatchNorm(Module):
    """`ops.batch_norm` with its weight, bias and running statistics, all (channels,).

    >>> BatchNorm(1)(Tensor([[1.0], [3.0]])).data.round(3).tolist()  # mean 2, deviation 1
    [[-1.0], [1.0]]
    """

    def __init__(self, channels, momentum=0.1, eps=1e-5):
        self.weight = Parameter(np.ones(channels, np.float32))
        self.bias = Parameter(np.zeros(channels, np.float32))
        self.running_mean = backend.to_device(np.zeros(channels, np.float32))
        self.running_var = backend.to_device(np.ones(channels, np.float32))
        self.momentum, self.eps = momentum, eps

    def forward(self, x):
        """(..., channels) -> the same shape"""
        statistics = self.running_mean, self.running_var
        options = self.training, self.momentum, self.eps, self.all_reduce
        return ops.batch_norm(x, *statistics, self.weight, self.bias, *options)


class Dropout(Module):
    """`ops.dropout` with probability p and its own Generator.

    >>> sorted(set(Dropout(0.5, np.random.default_rng(0))(np.ones(100)).data.tolist()))  # half is left, doubled
    [0.0, 2.0]
    """

    def __init__(self, p, rng):
        self.p, self.rng = p, rng

    def forward(self, x):
        """Any shape -> the same shape"""
        return ops.dropout(x, self.p, self.rng, self.training)


class Activation(Module):
    """An op with fixed options as a layer.

    >>> Activation(ops.leaky_relu, negative_slope=0.5)(Tensor([-2.0, 3.0])).data.tolist()
    [-1.0, 3.0]
    """

    def __init__(self, function, **options):
        self.function, self.options = function, options

    def forward(self, x):
        """What the function makes of x"""
        return self.function(x, **self.options)


class Sequential(Module):
    """Layers, one after the other.

    >>> network = Sequential(Linear(2, 1, np.random.default_rng(0)), Activation(ops.relu))
    >>> [name for name, _ in network.named_parameters()]
    ['layers.0.weight', 'layers.0.bias']
    """

    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        """The output of the last layer"""
        for layer in self.layers:
            x = layer(x)
        return x

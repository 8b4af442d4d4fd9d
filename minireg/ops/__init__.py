"""Every differentiable operation, its forward beside its hand-derived backward, one family a file.

An op takes Tensors, raw arrays or numbers and returns a Tensor; see `minireg.autograd.op` for how one is written.
Images are (N, H, W, C). Where PyTorch has the same function, the names are PyTorch's.
"""

from minireg.autograd import Tensor
from minireg.ops.activation import leaky_relu, log_softmax, relu, sigmoid, softmax, tanh
from minireg.ops.arithmetic import abs, add, clip, div, exp, log, maximum, minimum, mul, neg, power, sqrt, sub
from minireg.ops.convolution import conv2d, conv_transpose2d
from minireg.ops.filtering import separable_filter
from minireg.ops.histogram import parzen_weights
from minireg.ops.linear import linear, matmul
from minireg.ops.normalization import batch_norm, dropout
from minireg.ops.pooling import (
    avg_pool2d,
    depth_to_space,
    max_pool2d,
    space_to_depth,
    upsample_bilinear,
    upsample_nearest,
)
from minireg.ops.reduction import max, mean, min, sum, variance
from minireg.ops.sampling import warp, warp_nearest
from minireg.ops.shape import broadcast_to, concatenate, flatten, getitem, pad, reshape, stack, transpose
from minireg.ops.similarity import ncc

__all__ = [
    "abs", "add", "avg_pool2d", "batch_norm", "broadcast_to", "clip", "concatenate", "conv2d", "conv_transpose2d",
    "depth_to_space", "div", "dropout", "exp", "flatten", "getitem", "leaky_relu", "linear", "log", "log_softmax",
    "matmul", "max", "max_pool2d", "maximum", "mean", "min", "minimum", "mul", "ncc", "neg", "pad", "parzen_weights",
    "power", "relu", "reshape", "separable_filter", "sigmoid", "softmax", "space_to_depth", "sqrt", "stack", "sub",
    "sum", "tanh", "transpose", "upsample_bilinear", "upsample_nearest", "variance", "warp", "warp_nearest",
]  # fmt: skip

# The operators and the commonest methods of Tensor are these ops. They are set here, because the engine, one floor
# below, knows no op.
Tensor.__add__ = Tensor.__radd__ = add
Tensor.__sub__ = sub
Tensor.__rsub__ = lambda self, other: sub(other, self)
Tensor.__mul__ = Tensor.__rmul__ = mul
Tensor.__truediv__ = div
Tensor.__rtruediv__ = lambda self, other: div(other, self)
Tensor.__matmul__ = matmul
Tensor.__rmatmul__ = lambda self, other: matmul(other, self)
Tensor.__pow__ = power
Tensor.__rpow__ = lambda self, other: power(other, self)
Tensor.__neg__ = neg
Tensor.__getitem__ = getitem
Tensor.sum = sum
Tensor.mean = mean
Tensor.max = max
Tensor.min = min
Tensor.reshape = lambda self, *shape: reshape(self, shape[0] if isinstance(shape[0], tuple) else shape)
Tensor.transpose = transpose
Tensor.T = property(transpose)
Tensor.__abs__ = abs

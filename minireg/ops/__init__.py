"""Every differentiable operation, its forward beside its hand-derived backward, one family a file.

An op takes Tensors, raw arrays or numbers and returns a Tensor; see `minireg.autograd.op` for how one is written.
Images are (N, H, W, C). Where PyTorch has the same function, the names are PyTorch's.
"""

from minireg.ops import operators  # noqa: F401 - Tensor has its operators now
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

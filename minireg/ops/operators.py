"""The operators and the commonest methods of Tensor are ops, set here: the engine, one floor below, knows none."""

from minireg.autograd import Tensor
from minireg.ops.arithmetic import abs, add, div, mul, neg, power, sub
from minireg.ops.linear import matmul
from minireg.ops.reduction import max, mean, min, sum
from minireg.ops.shape import getitem, reshape, transpose

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
Tensor.__abs__ = abs

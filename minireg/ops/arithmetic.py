"""Element-wise arithmetic. Shapes broadcast as in NumPy; the engine undoes it in the backward.

In every formula y is the output, g its cotangent dL/dy, and g_x the cotangent dL/dx of the argument x.
"""

from minireg.autograd import op
from minireg.backend import xp


@op
def add(x, other):
    """y = x + other        g_x = g        g_other = g

    >>> bias = Tensor(1.0, requires_grad=True)
    >>> ops.add(Tensor([2.0, 3.0]), bias).sum().backward()
    >>> bias.grad.item()  # used twice, once for each element
    2.0
    """
    return x + other, (lambda g: g, lambda g: g)


@op
def sub(x, other):
    """y = x - other        g_x = g        g_other = -g

    >>> ops.sub(5.0, Tensor([1.0, 2.0])).data.tolist()
    [4.0, 3.0]
    """
    return x - other, (lambda g: g, lambda g: -g)


@op
def mul(x, other):
    """y = x other        g_x = g other        g_other = g x

    >>> ops.mul(Tensor([2.0, 3.0]), Tensor([[1.0], [10.0]])).data.tolist()
    [[2.0, 3.0], [20.0, 30.0]]
    """
    return x * other, (lambda g: g * other, lambda g: g * x)


@op
def div(x, other):
    """y = x / other        g_x = g / other        g_other = -g x / other^2 = -g y / other

    >>> ops.div(Tensor([1.0, 3.0]), 2.0).data.tolist()
    [0.5, 1.5]
    """
    y = x / other
    return y, (lambda g: g / other, lambda g: -g * y / other)


@op
def neg(x):
    """y = -x        g_x = -g

    >>> ops.neg(Tensor([1.0, -2.0])).data.tolist()
    [-1.0, 2.0]
    """
    return -x, (lambda g: -g,)


@op
def power(x, exponent):
    """y = x^exponent        g_x = g exponent x^(exponent - 1)        g_exponent = g y log(x)

    Where the exponent is 0, y is 1 whatever x is, so g_x = 0 there, also at x = 0. Where x is 0, y stays 0 for all
    positive exponents, so g_exponent = 0; it is 0 there for the others too, for which no derivative exists. Where x is
    negative, log(x) and so g_exponent is NaN.

    >>> ops.power(Tensor([2.0, 3.0]), 2).data.tolist()
    [4.0, 9.0]
    """
    y = x**exponent

    def vjp_x(g):
        is_constant = exponent == 0  # the factor `exponent` is 0 there; x^0 stands in for x^-1, infinite at x = 0
        return g * exponent * x ** (exponent - 1 + is_constant)

    def vjp_exponent(g):
        is_zero = xp.asarray(x == 0)  # x may be a number
        return xp.where(is_zero, 0 * g, g * y * xp.log(x + is_zero))  # log(1) in place of log(0)

    return y, (vjp_x, vjp_exponent)


@op
def exp(x):
    """y = e^x        g_x = g y

    >>> ops.exp(Tensor([0.0])).data.tolist()
    [1.0]
    """
    y = xp.exp(x)
    return y, (lambda g: g * y,)


@op
def log(x):
    """y = ln(x)        g_x = g / x

    >>> ops.log(Tensor([1.0])).data.tolist()
    [0.0]
    """
    return xp.log(x), (lambda g: g / x,)


@op
def sqrt(x):
    """y = x^(1/2)        g_x = g / (2 y), which is infinite at x = 0

    >>> x = Tensor(4.0, requires_grad=True)
    >>> ops.sqrt(x).backward()
    >>> x.grad.item()
    0.25
    """
    y = xp.sqrt(x)
    return y, (lambda g: g / (2 * y),)


@op
def abs(x):
    """y = |x|        g_x = g sign(x), which is 0 at the kink x = 0

    >>> ops.abs(Tensor([-3.0, 2.0])).data.tolist()
    [3.0, 2.0]
    """
    return xp.abs(x), (lambda g: g * xp.sign(x),)


@op
def maximum(x, other):
    """y = max(x, other)        the cotangent goes to the larger argument, and half to each where they are equal

    >>> ops.maximum(Tensor([1.0, 5.0]), 3.0).data.tolist()
    [3.0, 5.0]
    """
    return xp.maximum(x, other), (
        lambda g: g * _share_of_winner(x, other, g.dtype),
        lambda g: g * _share_of_winner(other, x, g.dtype),
    )


@op
def minimum(x, other):
    """y = min(x, other)        the cotangent goes to the smaller argument, and half to each where they are equal

    >>> ops.minimum(Tensor([1.0, 5.0]), 3.0).data.tolist()
    [1.0, 3.0]
    """
    return xp.minimum(x, other), (
        lambda g: g * _share_of_winner(other, x, g.dtype),
        lambda g: g * _share_of_winner(x, other, g.dtype),
    )


def _share_of_winner(x, other, dtype):
    """1 where x > other, 1/2 where they are equal, 0 where x < other."""
    return ((x > other).astype(dtype) + (x >= other).astype(dtype)) / 2


@op
def clip(x, low, high):
    """y = min(max(x, low), high) for numbers low <= high        g_x = g where low <= x <= high, else 0

    >>> ops.clip(Tensor([-1.0, 0.5, 2.0]), 0.0, 1.0).data.tolist()
    [0.0, 0.5, 1.0]
    """
    return xp.clip(x, low, high), (lambda g: g * ((x >= low) & (x <= high)),)

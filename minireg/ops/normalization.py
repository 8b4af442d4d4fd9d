"""Batch normalisation and dropout: the two layers that behave differently in training and afterwards."""

import math

from minireg import backend
from minireg.autograd import op
from minireg.backend import xp
from minireg.errors import InputError
from minireg.ops.reduction import divide_by_count, sum_per_channel


@op
def batch_norm(
    x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5, all_reduce=None
):
    """Normalise every channel, then scale and shift it:  y = weight (x - m) / s + bias,  s = sqrt(v + eps)

    In training m and v are the mean and the (population) variance of x itself over all axes but the last, with n
    elements per channel, and the running statistics move towards them; afterwards m and v are the running statistics.
    With x^ = (x - m) / s:

        g_weight = sum g x^        g_bias = sum g
        g_x = weight / s g                                                   afterwards: m and v are constants
        g_x = weight / s (g - (1/n) sum g - x^ (1/n) sum g x^)               in training: m and v depend on x

    Parameters
    ----------
    x : (..., C)
    running_mean, running_var : arrays (C,)
        Changed in place in training, as in PyTorch: r <- (1 - momentum) r + momentum (m or n / (n - 1) v).
    weight, bias : (C,), optional
    eps : float
        Added to the variance, which may be zero.
    all_reduce : function, optional
        Where processes share a batch, in training: the sum over all of them of an array that each has. x and g are then
        the part of one process, and n and all sums are over all parts, but for g_weight and g_bias: those of the whole
        batch are the sums of what the processes get.

    Raises InputError in training with fewer than 2 values per channel. Source: Ioffe and Szegedy, Batch normalization,
    ICML 2015, algorithm 1 and the gradients of section 3, arXiv:1502.03167.

    >>> mean, var = Tensor([0.0]), Tensor([1.0])
    >>> ops.batch_norm(Tensor([[1.0], [3.0]]), mean, var, training=True, momentum=0.5, eps=0.0).data.tolist()
    [[-1.0], [1.0]]
    >>> mean.data.tolist()  # half-way from 0 to the mean of x
    [1.0]
    """
    n = math.prod(x.shape[:-1])
    if training and all_reduce:
        n = round(all_reduce(xp.full(1, n, xp.float64)).item())

    def mean_per_channel(array):
        sums = sum_per_channel(array)
        return divide_by_count(all_reduce(sums) if all_reduce else sums, n, array.dtype)

    if training:
        if n < 2:
            raise InputError(f"batch_norm in training needs at least 2 values per channel, got shape {x.shape}")
        mean = mean_per_channel(x)
        centred = x - mean
        var = mean_per_channel(centred * centred)
        running_mean += momentum * (mean - running_mean)
        running_var += momentum * (n / (n - 1) * var - running_var)
    else:
        centred = x - running_mean
        var = running_var
    scale = 1 / xp.sqrt(var + eps)
    normalised = centred * scale  # x^
    gain = scale if weight is None else weight * scale
    y = normalised if weight is None else normalised * weight
    if bias is not None:
        y = y + bias

    def vjp_x(g):
        if not training:
            return g * gain
        return gain * (g - mean_per_channel(g) - normalised * mean_per_channel(g * normalised))

    return y, (vjp_x, None, None, lambda g: sum_per_channel(g * normalised), sum_per_channel)


@op
def dropout(x, p, rng, training=True):
    """In training, y = x m / (1 - p) with m = 0 at random with probability p, else 1        g_x = g m / (1 - p)

    p is a float in [0, 1), else InputError is raised. The mask is drawn on the CPU from `rng`, a
    numpy.random.Generator, so that both backends see the same one. Source: Srivastava, Hinton, Krizhevsky, Sutskever,
    Salakhutdinov, Dropout, Journal of Machine Learning Research 15, 2014 (scaled in training instead of afterwards).

    >>> ops.dropout(Tensor([1.0, 1.0, 1.0, 1.0]), 0.5, np.random.default_rng(1)).data.tolist()
    [2.0, 2.0, 0.0, 2.0]
    """
    if not 0 <= p < 1:
        raise InputError(f"dropout: the probability p must be in [0, 1), got {p}")
    if not training or p == 0:
        return x, (lambda g: g,)
    mask = backend.to_device((rng.random(x.shape) >= p).astype(x.dtype)) / (1 - p)
    return x * mask, (lambda g: g * mask,)

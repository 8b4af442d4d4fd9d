"""Matrix products.

In every formula y is the output, g its cotangent, and g_x the cotangent of x; T stands for the transpose of the last
two axes.
"""

from minireg.autograd import op
from minireg.backend import xp
from minireg.ops.reduction import sum_per_channel


@op
def matmul(a, b):
    """y = a @ b        g_a = g b^T        g_b = a^T g

    Shapes as in NumPy: (..., n, k) @ (..., k, m) -> (..., n, m), leading axes broadcast; a vector on the left is a
    row, on the right a column, and that axis is left out of the result.

    >>> ops.matmul(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 10.0])).data.tolist()
    [21.0, 43.0]
    """
    y = xp.matmul(a, b)
    row, column = (a[None, :] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)

    def as_matrices(g):
        """g with the axes that NumPy left out because a or b was a vector."""
        g = g[..., None] if b.ndim == 1 else g
        return g[..., None, :] if a.ndim == 1 else g

    def vjp_a(g):
        g_a = xp.matmul(as_matrices(g), xp.swapaxes(column, -1, -2))
        return g_a[..., 0, :] if a.ndim == 1 else g_a

    def vjp_b(g):
        g_b = xp.matmul(xp.swapaxes(row, -1, -2), as_matrices(g))
        return g_b[..., 0] if b.ndim == 1 else g_b

    return y, (vjp_a, vjp_b)


@op
def linear(x, weight, bias=None):
    """y = x @ weight + bias        g_x = g weight^T        g_weight = x^T g        g_bias = g summed over all rows

    x is (..., C_in), weight (C_in, C_out), bias (C_out,) or left out, and y (..., C_out).

    >>> ops.linear(Tensor([[1.0, 2.0]]), Tensor([[1.0], [10.0]]), Tensor([100.0])).data.tolist()
    [[121.0]]
    """
    y = xp.matmul(x, weight)
    if bias is not None:
        y += bias

    def vjp_weight(g):
        return xp.matmul(x.reshape(-1, x.shape[-1]).T, g.reshape(-1, g.shape[-1]))

    return y, (lambda g: xp.matmul(g, weight.T), vjp_weight, sum_per_channel)

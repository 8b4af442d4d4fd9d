"""Exercises of lesson 5, an autograd engine. Check your answers with `python -m lessons.check 05`."""

import numpy as np  # noqa: F401 (you will need it)


def sum_to_shape(share, shape):
    """Undo broadcasting: what arrives at an input that NumPy has stretched to the shape of the share.

    NumPy compares shapes from the last axis to the first. It puts new axes in front where there are too few, and
    repeats the array along each axis of length 1 where the other is longer. What was repeated is to be added up.

    Parameters
    ----------
    share : array, the share that a VJP returned
    shape : tuple of ints, that of the input; it broadcasts to `share.shape`

    Returns
    -------
    array of that shape (of the dtype of the share)

    Example: a column of two numbers, stretched to two rows of three,

        sum_to_shape(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), (2, 1))       # [[6.0], [15.0]]
    """
    raise NotImplementedError


def topological_order(inputs, output):
    """An order in which one may walk back: each value after all values that were computed from it.

    Parameters
    ----------
    inputs : dictionary; for each value, by its name, a tuple of the names of the values it was computed from. A name
        stands twice in the tuple if it was used twice. A value that was computed from nothing has an empty tuple; it is
        called a leaf. There may be values from which the output was not computed. There may be thousands of values.
    output : the name of the value from which to walk back

    Returns
    -------
    list of names: those of the output and of all values behind it, each once. Where several orders are possible, any.

    Example: y = 2 x and L = y + y y, of the lesson,

        topological_order({"x": (), "two": (), "y": ("two", "x"), "product": ("y", "y"), "L": ("y", "product")}, "L")

    may return ["L", "product", "y", "x", "two"].
    """
    raise NotImplementedError


def linear(x, weight):
    """A matrix product and its VJPs, in the form in which this project writes every operation.

    y[n, o] = sum over i of x[n, i] weight[i, o]

    Each output is computed from a whole row of x, and each element of x goes into a whole row of outputs. To find a
    VJP, ask of one element of x: into which outputs does it go, and with which factor?

    Parameters
    ----------
    x : (N, I) array, N rows of I numbers
    weight : (I, O) array

    Returns
    -------
    (y, (vjp_x, vjp_weight)) : the output, an (N, O) array, and a tuple of two functions. Each takes the cotangent g of
        y, an (N, O) array; `vjp_x(g)` returns that of x, `vjp_weight(g)` that of weight.

    Example: one row of two numbers, and one output,

        y, (vjp_x, vjp_weight) = linear(np.array([[1.0, 2.0]]), np.array([[3.0], [5.0]]))
        y                                    # [[13.0]], which is 1 * 3 + 2 * 5
        vjp_x(np.array([[10.0]]))            # [[30.0, 50.0]]
        vjp_weight(np.array([[10.0]]))       # [[10.0], [20.0]]
    """
    raise NotImplementedError

"""What kind of mistake makes a gradient wrong in this way? For the messages of `minireg.gradcheck`.

A wrong gradient and the right one are compared as a teacher would: is one the negative of the other, a multiple, the
same numbers elsewhere, right inside and wrong at the border? The first question whose answer is yes names the mistake.
"""

import itertools

import numpy as np


def diagnose(analytic, numeric, cotangent, vjp, numeric_vjp, others, with_turned_arguments):
    """One sentence about the kind of mistake that leads from the right gradient, `numeric`, to `analytic`.

    `vjp` and `numeric_vjp` give both for other cotangents, `others` holds the right gradients of others of that shape,
    `with_turned_arguments` gives what the VJP returns where an argument is flipped or transposed, and how it is.
    """
    known = np.isfinite(numeric)
    tolerance = 1e-5 * float(np.abs(numeric[known]).max(initial=0))
    alike = lambda a, b: a.shape == b.shape and bool((np.abs(a - b)[np.isfinite(b)] <= tolerance).all())

    if not np.isfinite(analytic).all():
        return "the VJP divides by zero, or takes a root or a logarithm that does not exist."
    if alike(vjp(cotangent, decoy=False), numeric):
        return (
            "stale values. Alone, at once and in contiguous memory it is right: the VJP uses an array that another "
            "call or another VJP has changed, or it assumes how arrays lie in memory."
        )
    if not analytic.any():
        return "the VJP returns zeros. That is right for a cotangent of ones through softmax, say, and only there."
    if alike(-analytic, numeric):
        return "the sign: every element is the negative of what it should be."
    factor = float(np.median((numeric / np.where(analytic == 0, np.nan, analytic))[known & (analytic != 0)]))
    if alike(factor * analytic, numeric):
        return (
            f"a factor: every element must be multiplied by {factor:.6g}. Is a 2 of a square missing, or does a mean "
            "stand for a sum, or a sum for a mean?"
        )
    for name, other in others.items():
        if alike(analytic, other):
            return f"exchanged arguments: this is the gradient of '{name}'."
    last = (numeric.ndim - 1,) if numeric.shape[-1:] == (2,) else None
    for turned, how in turned_arrays(analytic):
        if alike(turned, numeric):
            two = " (dy and dx, the components along rows and columns?)" if how == f"flipped along axes {last}" else ""
            return f"the right numbers in the wrong places: the gradient is {how}{two}."
    if alike(np.sort(analytic, axis=None), np.sort(numeric, axis=None)):
        return "the right numbers in the wrong places: a reshape where a transpose should be, or a wrong index."
    for turned, how in turned_arrays(cotangent):
        if alike(vjp(np.ascontiguousarray(turned)), numeric):
            return f"the VJP uses its cotangent {how}."
    for turned, how in with_turned_arguments:
        if alike(turned, numeric):
            return f"the VJP uses the argument {how}: an inner product with the wrong side of a kernel or a matrix."
    ones = np.ones_like(cotangent)
    if alike(vjp(ones), numeric_vjp(ones)):
        return (
            "right for a cotangent of ones, and for no other that was tried: a term is missing that sees how g varies, "
            "or g is replaced by its mean."
        )
    wrong = known & ~(np.abs(analytic - numeric) <= tolerance)
    inner = np.zeros(numeric.shape, bool)
    inner[tuple(slice(1, -1) if size > 2 else slice(None) for size in numeric.shape)] = True
    if inner.any() and not wrong[inner].any():
        return "the border: inside all elements are right. Look at masks, padding and the first and last index."
    if wrong.sum() < known.sum():
        return (
            f"a mask or an index: {int(known.sum() - wrong.sum())} of {int(known.sum())} elements are right. Or what "
            "broadcasting or overlapping windows repeat is not added up."
        )
    return (
        "a missing term (does y depend on this argument in a second way, through a mean, a norm, a denominator?), a "
        "factor that differs from element to element, a flipped or transposed kernel or matrix, or a stale value."
    )


def turned_arrays(array):
    """The array flipped and transposed in every way that keeps its shape, and in words how."""
    axes = [axis for axis, size in enumerate(array.shape) if size > 1]
    for count in range(1, len(axes) + 1):
        for chosen in itertools.combinations(axes, count):
            yield np.flip(array, chosen), f"flipped along axes {chosen}"
    for order in itertools.permutations(range(array.ndim)):
        if order != tuple(range(array.ndim)) and array.transpose(order).shape == array.shape:
            yield array.transpose(order), f"transposed, axes in the order {order}"

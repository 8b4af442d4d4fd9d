"""Mistakes of learners in the exercises of lesson 5, each with its hint."""

import numpy as np

from lessons.check.checking import Mistake

# linear: what may be wrong in each VJP, as functions of x, weight and g. A learner may have one of both.

RIGHT_X, RIGHT_WEIGHT = lambda x, weight, g: g @ weight.T, lambda x, weight, g: x.T @ g

WRONG_X = [
    (
        "In the VJP of x a matrix is the wrong way round. It shows where weight is not square; where it is square, the "
        "numbers are wrong and nothing warns you.",
        lambda x, weight, g: g @ weight,
    ),
    ("In the VJP of x the factors are exchanged. With matrices the order matters.", lambda x, weight, g: weight.T @ g),
    (
        "In the VJP of x you do not use the cotangent, as if every output counted 1 in the loss.",
        lambda x, weight, g: np.ones_like(g) @ weight.T,
    ),
    (
        "In the VJP of x you add up before you multiply. A sum of products is not the product of the sums.",
        lambda x, weight, g: g.sum(axis=1, keepdims=True) * weight.sum(axis=1),
    ),
]
WRONG_WEIGHT = [
    (
        "In the VJP of weight a matrix is the wrong way round. It shows where x is not square; where it is square, the "
        "numbers are wrong and nothing warns you.",
        lambda x, weight, g: x @ g,
    ),
    ("In the VJP of weight the factors are exchanged. With matrices the order matters.", lambda x, weight, g: g @ x.T),
    ("The cotangent of weight comes out transposed. It must have the shape of weight.", lambda x, weight, g: g.T @ x),
    (
        "You take the mean over the rows for weight. Every row uses the same weight. What happens to the shares of "
        "several uses?",
        lambda x, weight, g: x.T @ g / len(x),
    ),
    (
        "Only the first row has a share in the cotangent of weight. Every row uses the weight.",
        lambda x, weight, g: np.outer(x[0], g[0]),
    ),
    (
        "Only the last row has a share in the cotangent of weight. Does a loop begin anew in every turn?",
        lambda x, weight, g: np.outer(x[-1], g[-1]),
    ),
    (
        "In the VJP of weight you do not use the cotangent, as if every output counted 1 in the loss.",
        lambda x, weight, g: x.T @ np.ones_like(g),
    ),
    (
        "In the VJP of weight you add up before you multiply. A sum of products is not the product of the sums.",
        lambda x, weight, g: np.outer(x.sum(axis=0), g.sum(axis=0)),
    ),
]


def _answer(vjp_x, vjp_weight):
    return lambda x, weight, g: (x @ weight, vjp_x(x, weight, g), vjp_weight(x, weight, g))


LINEAR = [
    Mistake(
        "Your VJPs do not use the cotangent that they get, as if every output counted 1 in the loss. In a longer "
        "computation the outputs count differently.",
        _answer(WRONG_X[2][1], WRONG_WEIGHT[6][1]),
    ),
    Mistake(
        "Your VJPs return the other matrix and do not use the cotangent. They shall not give the derivatives alone, "
        "but how much the loss changes.",
        _answer(lambda x, weight, g: weight.T, lambda x, weight, g: x.T),
    ),
    Mistake(
        "The VJPs stand in the wrong order: the first belongs to the first argument.", _answer(RIGHT_WEIGHT, RIGHT_X)
    ),
    Mistake(
        "The VJPs stand in the wrong order (the first belongs to the first argument), and the cotangent of weight "
        "comes out transposed.",
        _answer(WRONG_WEIGHT[2][1], RIGHT_X),
    ),
    Mistake(
        "You multiply element by element. Here an element of x goes into a whole row of outputs: what becomes of its "
        "shares?",
        _answer(lambda x, weight, g: g * weight, lambda x, weight, g: g * x),
    ),
    *(Mistake(hint, _answer(wrong, RIGHT_WEIGHT)) for hint, wrong in WRONG_X),
    *(Mistake(hint, _answer(RIGHT_X, wrong)) for hint, wrong in WRONG_WEIGHT),
    *(
        Mistake(f"{hint_x} {hint_weight}", _answer(wrong_x, wrong_weight))
        for hint_x, wrong_x in WRONG_X
        for hint_weight, wrong_weight in WRONG_WEIGHT
        if (hint_x, hint_weight) != (WRONG_X[2][0], WRONG_WEIGHT[6][0])  # the first of all
    ),
]


# sum_to_shape


def _leading_only(share, shape):
    return share.sum(axis=tuple(range(share.ndim - len(shape))))


def _stretched(shape):
    return tuple(axis for axis, size in enumerate(shape) if size == 1)


def _trailing(share, shape):
    while share.ndim > len(shape):
        share = share.sum(axis=-1)
    return share.sum(axis=_stretched(shape), keepdims=True)


def _from_the_front(share, shape):
    differ = (k for k in range(share.ndim) if k >= len(shape) or shape[k] != share.shape[k])
    return share.sum(axis=tuple(differ), keepdims=True).reshape(shape)


def _axes_before_they_move(share, shape):
    return _leading_only(share.sum(axis=_stretched(shape), keepdims=True), shape)


def _one_leading(share, shape):
    share = share.sum(axis=0) if share.ndim > len(shape) else share
    return share.sum(axis=_stretched(shape), keepdims=True)


def _first_stretched(share, shape):
    return _leading_only(share, shape).sum(axis=_stretched(shape)[:1], keepdims=True)


def _with(reduce):
    """The right axes, reduced by another function than a sum."""

    def wrong(share, shape):
        for _ in range(share.ndim - len(shape)):
            share = reduce(share, axis=0)
        for axis in _stretched(shape):
            share = reduce(share, axis=axis, keepdims=True)
        return share

    return wrong


def _first(share, axis, keepdims=False):
    first = np.take(share, 0, axis=axis)
    return np.expand_dims(first, axis) if keepdims else first


SUM_TO_SHAPE = [
    Mistake(
        "You add up the axes that are missing in front, and nothing else. What about an axis that is there, but has "
        "length 1 in the shape?",
        _leading_only,
    ),
    Mistake(
        "You add up the last axes where axes are missing. NumPy compares shapes from the last axis on: where does it "
        "put the new ones?",
        _trailing,
    ),
    Mistake(
        "You compare the two shapes from their first axes on. NumPy compares them from the last on: where does it put "
        "the new ones?",
        _from_the_front,
    ),
    Mistake(
        "You number the axes of length 1 as they are in the shape, but add them up while the new axes are still in "
        "front. Which numbers do they have there?",
        _axes_before_they_move,
    ),
    Mistake("You take off one axis in front. There can be more, or none.", _one_leading),
    Mistake("You add up along the first axis of length 1. There can be more.", _first_stretched),
    Mistake(
        "You take the mean of the shares. Think of a number that is used at six pixels: if it grows, all six change.",
        _with(np.mean),
    ),
    Mistake("You keep one of the shares and drop the others. All uses count.", _with(_first)),
    Mistake(
        "An axis of length 1 is gone after adding up. The result must have the shape that was asked for.",
        lambda share, shape: _leading_only(share, shape).sum(axis=_stretched(shape)),
    ),
    Mistake(
        "You take the mean of the shares (if a number that is used at six pixels grows, all six change), and an axis "
        "of length 1 is gone.",
        lambda share, shape: share.mean(axis=tuple(range(share.ndim - len(shape)))).mean(axis=_stretched(shape)),
    ),
]

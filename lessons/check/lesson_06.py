"""The checks of the exercises of lesson 6."""

import numpy as np

from lessons.check import lesson_06_mistakes
from lessons.check.checking import Case, Exercise
from lessons.check.lesson_06_mistakes import bends, extrapolated, filter_rows
from lessons.check.properties import each_alone

RNG = np.random.default_rng(6)


def _draw(*shape):
    return RNG.standard_normal(shape)


# directional_derivative


def _right_for_a_square(directional_derivative):
    got = directional_derivative(lambda x: x * x, np.array([3.0]), np.array([2.0]))
    if np.shape(got) == (1,) and 0 < abs(got[0]) < 1e-3:
        return "The results are tiny. Do you divide by the step, and by all of it? `a / 2 * h` is `(a / 2) * h`."
    if np.shape(got) != (1,) or not abs(got[0] - 12) < 0.1:
        return (
            f"For f(x) = x^2 at 3 along 2 the result is {np.ravel(got)[0]:.6g}, and should be 12. Take a step s along "
            "d by hand: (3 + 2 s)^2."
        )
    return None


def _right_where_f_bends(directional_derivative):
    x, d = np.array([0.3, 0.7]), np.array([1.0, -1.0])
    error = np.abs(directional_derivative(bends, x, d) / ((100 * np.cos(100 * x) + 50) * d) - 1).max()
    if not error < 1e-5:
        return (
            f"For sin(100 x) + 50 x, which bends strongly, the relative error is {error:.0e}. Which error is that, "
            "truncation or rounding? Look at the V of the lesson: does a larger or a smaller step help?"
        )
    return None


def _right_in_float32(directional_derivative):
    x, d = np.float32([0.5, 0.25]), np.float32([0.4, 0.3])
    got = directional_derivative(lambda x: 1 / (2 + x), x, d)
    error = np.abs(got / (-d / (2.0 + x) ** 2) - 1).max()
    if not error < 1e-5:
        return (
            f"For an image in float32 the relative error is {error:.0e}. f computes in the dtype of what it is given. "
            "Can any step give six digits there?"
        )
    if np.asarray(got).dtype != np.float64:
        return f"For an image in float32 the result is {np.asarray(got).dtype}. It must be float64."
    return None


DIRECTIONAL_DERIVATIVE = Exercise(
    name="directional_derivative",
    title="a central difference along a direction",
    reference=extrapolated,
    cases=[
        Case("x^2 of one number", (lambda x: x * x, np.array([3.0]), np.array([2.0]))),
        Case("x^3 of an image", (lambda x: x**3, _draw(3, 4), _draw(3, 4))),
        Case("a function that bends strongly, sin(100 x) + 50 x", (bends, np.array([0.3, 0.7]), np.array([1.0, -1.0]))),
        Case("a number from an image, sum x^2", (lambda x: (x * x).sum(), _draw(3, 4), _draw(3, 4))),
        Case("an image of another shape, x^2 transposed", (lambda x: (x * x).T, _draw(2, 5), _draw(2, 5))),
        Case("a long direction", (lambda x: x * x / 2, _draw(3, 4), 10 * _draw(3, 4))),
        Case("float32", (lambda x: 1 / (2 + x), np.float32([0.5, 0.25]), np.float32([0.4, 0.3]))),
    ],
    mistakes=lesson_06_mistakes.DIRECTIONAL_DERIVATIVE,
    properties=[_right_for_a_square, _right_where_f_bends, _right_in_float32],
)


# filter_rows_adjoint


def _each_image_alone(adjoint):
    images = np.random.default_rng(4).standard_normal((3, 5, 4, 2))
    return each_alone(images)(lambda g: adjoint(g, (0.2, 0.5, -0.7)))


def _adjoint_test(adjoint):
    rng = np.random.default_rng(3)
    x, g = rng.standard_normal((2, 2, 5, 4, 2))
    weights = (0.2, 0.5, -0.7)
    left, right = (filter_rows(x, weights) * g).sum(), (x * adjoint(g, weights)).sum()
    if not np.isclose(left, right):
        return (
            f"The adjoint test fails: sum filter_rows(x) g is {left:.6g}, and sum x filter_rows_adjoint(g) is "
            f"{right:.6g}. Put a single 1 into g, then into x, and see where it goes."
        )
    return None


ONE = np.array([0.0, 1.0, 0.0]).reshape(1, 3, 1, 1)
FIRST = np.array([1.0, 0.0, 0.0, 0.0]).reshape(1, 4, 1, 1)

FILTER_ADJOINT = Exercise(
    name="filter_rows_adjoint",
    title="the adjoint of a filter of three weights",
    reference=lesson_06_mistakes.adjoint_by_matrix,
    cases=[
        Case("a single 1 in the middle of three rows", (ONE, (10.0, 20.0, 30.0))),
        Case("weights that are the same on both sides", (_draw(1, 6, 5, 1), (0.25, 0.5, 0.25))),
        Case("weights that differ", (_draw(1, 6, 6, 1), (0.2, 0.5, -0.7))),
        Case("a single 1 in the first row", (FIRST, (10.0, 20.0, 30.0))),
        Case("three images of two channels, 4 x 7 pixels", (_draw(3, 4, 7, 2), (1.0, -2.0, 0.5))),
        Case("images of a single row", (_draw(2, 1, 5, 1), (10.0, 20.0, 30.0))),
    ],
    mistakes=lesson_06_mistakes.FILTER_ADJOINT,
    properties=[_each_image_alone, _adjoint_test],
)


# is_right: True or False. Each property has some VJPs, all right or all wrong, and says what a wrong verdict on them
# means. Their order matters: a direction of ones also accepts most of those that a cotangent of ones accepts.


def _softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def _softmax_vjp(x, g):
    y = _softmax(x)
    return y * (g - (y * g).sum())


def _one_element(factor):
    def vjp(x, g):
        g_x = 2 * x * g
        g_x.flat[-1] *= factor
        return g_x

    return vjp


def _perpendicular(x):
    return x[::-1] * np.where(np.arange(x.size) < x.size // 2, 1, -1)


IMAGE = 1 + np.random.default_rng(0).random((6, 7))
ROW = 1 + np.random.default_rng(1).random(8)

RIGHT = [
    ("x^2", lambda x: x * x, lambda x, g: 2 * x * g, IMAGE),
    ("the transpose of x", lambda x: x.T, lambda x, g: g.T, IMAGE),
    ("1 / x", lambda x: 1 / x, lambda x, g: -g / (x * x), ROW),
]
RIGHT_OF_OTHER_SHAPE = [
    ("the sum of each row", lambda x: x.sum(axis=1), lambda x, g: g[:, None] + 0 * x, IMAGE),
    ("sum x^2, a single number", lambda x: (x * x).sum(), lambda x, g: 2 * x * g, IMAGE),
]
SOFTMAX = ("a softmax", _softmax, _softmax_vjp, ROW)
ALWAYS_THE_SAME = ("a function that is 3 for any x", lambda x: np.full(4, 3.0), lambda x, g: np.zeros_like(x), ROW)
LARGE = ("1000000 x^2", lambda x: 1e6 * x * x, lambda x, g: 2e6 * x * g, IMAGE)
TINY = ("x^2 / 1000000", lambda x: 1e-6 * x * x, lambda x, g: 2e-6 * x * g, IMAGE)

GROSSLY_WRONG = [
    ("1 / x with the wrong sign", lambda x: 1 / x, lambda x, g: g / (x * x), ROW),
    ("x^2 without the factor 2", lambda x: x * x, lambda x, g: x * g, IMAGE),
    ("x^2, zero everywhere", lambda x: x * x, lambda x, g: np.zeros_like(x), IMAGE),
]
NEARLY_RIGHT = [
    ("x^2, too large by 1 %", lambda x: x * x, lambda x, g: 2.02 * x * g, IMAGE),
    ("x^2, with one element of the wrong sign", lambda x: x * x, _one_element(-1), IMAGE),
    ("x^2, with one element of zero", lambda x: x * x, _one_element(0), IMAGE),
]
RIGHT_ALONG_ONES = [  # the error of the VJP adds up to zero, so that a direction of ones does not see it
    ("x^2, with the gradient of each row reversed", lambda x: x * x, lambda x, g: (2 * x * g)[:, ::-1], IMAGE),
    ("x^2, with the gradient moved by one", lambda x: x * x, lambda x, g: np.roll(2 * x * g, 1, axis=1), IMAGE),
]
RIGHT_ALONG_X = [
    ("x^2, with an error that is perpendicular to x", lambda x: x * x, lambda x, g: 2 * x * g + _perpendicular(x), ROW)
]
RIGHT_FOR_ONES = [
    ("the transpose, by a reshape", lambda x: x.T, lambda x, g: g.reshape(x.shape), IMAGE),
    ("x^2 without the cotangent", lambda x: x * x, lambda x, g: 2 * x, IMAGE),
    ("a softmax, all zeros", _softmax, lambda x, g: np.zeros_like(x), ROW),
    ("the reversed row, not reversed", lambda x: x[::-1], lambda x, g: g, ROW),
    ("x + x moved by one, moved to the wrong side", lambda x: x + np.roll(x, 1), lambda x, g: g + np.roll(g, 1), ROW),
    ("2 x, with the mean of g", lambda x: 2 * x, lambda x, g: 2 * g.mean() + 0 * x, IMAGE),
]
NAN = ("x^2, with nan in one element", lambda x: x * x, _one_element(np.nan), IMAGE)
TINY_AND_WRONG = ("x^2 / 1000000000 without the factor 2", lambda x: 1e-9 * x * x, lambda x, g: 1e-9 * x * g, IMAGE)


def _answers(vjps, right, hint):
    """A property: for each of these VJPs the answer must be `right`, with ten generators."""

    def holds(is_right):
        for words, f, vjp, x in vjps:
            for seed in range(10):
                if bool(is_right(f, vjp, x, np.random.default_rng(seed))) != right:
                    verdict = "wrong" if right else "right"
                    return f"You call a {'right' if right else 'wrong'} VJP {verdict}: that of {words}. {hint}"
        return None

    return holds


def _is_a_bool(is_right):
    got = is_right(*RIGHT[0][1:], np.random.default_rng(0))
    if not isinstance(got, bool | np.bool_):
        return f"The answer must be True or False, yours is a {type(got).__name__}."
    return None


def _asks_both(is_right):
    """Does it look at the VJP at all, and at f?"""
    _, f, vjp, x = RIGHT[0]
    asked = set()

    def watched_f(x):
        asked.add("f")
        return f(x)

    def watched_vjp(x, g):
        asked.add("vjp")
        return vjp(x, g)

    is_right(watched_f, watched_vjp, x, np.random.default_rng(0))
    if not asked:
        return "You never call f or vjp. Whatever your answer is, it does not depend on them."
    if "vjp" not in asked:
        return "You never call vjp. Your answer does not depend on it."
    if "f" not in asked:
        return "You never call f. With what do you compare the VJP? Its own formula cannot tell."
    return None


def _not_the_other_way_round(is_right):
    answers = [[is_right(*of_one, np.random.default_rng(0)) for _, *of_one in vjps] for vjps in (RIGHT, GROSSLY_WRONG)]
    if not any(answers[0]) and all(answers[1]):
        return "Your answer is the wrong way round: you call the right VJPs wrong, and the wrong ones right."
    return None


def _answer_is_not_a_matter_of_luck(is_right):
    for words, f, vjp, x in GROSSLY_WRONG:
        answers = [bool(is_right(f, vjp, x, np.random.default_rng(seed))) for seed in range(20)]
        if 3 <= sum(answers) <= 17:
            return (
                f"A VJP that is wrong at every element, that of {words}, you call right or wrong according to the "
                "random numbers. Their difference can have either sign. What does your comparison make of that?"
            )
    return None


IS_RIGHT = Exercise(
    name="is_right",
    title="decide whether a VJP is right",
    properties=[
        _is_a_bool,
        _asks_both,
        _not_the_other_way_round,
        _answer_is_not_a_matter_of_luck,
        _answers(
            GROSSLY_WRONG,
            False,
            "Do you compare two numbers at all, and do they really come from different sources, one from differences, "
            "one from the VJP?",
        ),
        _answers(
            RIGHT,
            True,
            "Both sides are the same number, except for rounding and truncation. Print them. Have they nothing in "
            "common? Then g or d is missing on one side. Do only their last digits differ? Then compare your tolerance "
            "with what rounding and truncation are with your step.",
        ),
        _answers(
            RIGHT_OF_OTHER_SHAPE,
            True,
            "Mind the shapes: the cotangent has that of f(x), the direction that of x.",
        ),
        _answers(
            NEARLY_RIGHT,
            False,
            "The mistake is small beside the whole sum, but a thousand times larger than what rounding and truncation "
            "leave. How generous is your tolerance? And a single draw can be unlucky.",
        ),
        _answers(
            RIGHT_ALONG_ONES,
            False,
            "Its mistakes cancel along the direction in which you move x. What kind of direction sees every element?",
        ),
        _answers(
            RIGHT_ALONG_X,
            False,
            "Its mistakes cancel along the direction in which you move x. Is it a random one?",
        ),
        _answers(RIGHT_FOR_ONES, False, "For one cotangent it is right, and you tried that one. Which?"),
        _answers(
            [SOFTMAX],
            True,
            "Large terms of both signs nearly cancel in its sums, and their rounding is left. Relative to what do you "
            "compare?",
        ),
        _answers([LARGE], True, "The values are in the millions, and so are their rounding errors. Relative to what?"),
        _answers(
            [TINY_AND_WRONG],
            False,
            "The values are tiny, and so are their differences. What should the tolerance depend on?",
        ),
        _answers([TINY], True, "The values are tiny. What should the tolerance depend on?"),
        _answers([NAN], False, "What does Python answer to nan > 0.001, and to nan < 0.001?"),
        _answers([ALWAYS_THE_SAME], True, "Both sides are exactly 0. What does your comparison make of that?"),
    ],
)

EXERCISES = [DIRECTIONAL_DERIVATIVE, FILTER_ADJOINT, IS_RIGHT]

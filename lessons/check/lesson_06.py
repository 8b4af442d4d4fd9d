"""The checks of the exercises of lesson 6."""

import numpy as np

from lessons.check.calling import Hint
from lessons.check.checking import Exercise
from lessons.check.edits import blocks
from lessons.check.properties import draw, each_alone
from lessons.solutions.lesson_06 import directional_derivative, filter_rows, filter_rows_adjoint, is_right

square = lambda x: x * x
bends = lambda x: np.sin(100 * x) + 50 * x
PLACE, ALONG = np.array([0.3, 0.7]), np.array([1.0, -1.0])
FLOAT32 = bends, np.float32(PLACE), np.float32(ALONG)

DIRECTIONAL_DERIVATIVE = Exercise(
    directional_derivative,
    "a central difference along a direction",
    cases={
        "the example, x^2": (lambda x: x * x, np.array([3.0]), np.array([2.0])),
        "x^3 of an image": (lambda x: x**3, draw(1, 2, 3, low=-2, high=2), draw(2, 2, 3, low=-2, high=2)),
        "a number from an image, sum x^2": (lambda x: (x * x).sum(), draw(3, 3, 4), draw(4, 3, 4)),
        "an image of another shape, x^2 transposed": (lambda x: (x * x).T, draw(5, 2, 5), draw(6, 2, 5)),
    },
    mistakes="""
d = d / np.linalg.norm(d)
    You make the direction as long as 1 before you step. A direction twice as long must give twice the change.
d = np.ones_like(d)
(f(x + h * d) - f(x - h * d)) / (2 * h) => (f(x + h) - f(x - h)) / (2 * h) * d
    You move all elements by the same amount. How far each one moves is what d says, before f is called.
return 1e7 * d * np.reshape([np.sum(f(x + 1e-7 * e) - f(x)) for e in np.eye(x.size).reshape(-1, *x.shape)], x.shape)
    You move one element at a time, and never add up the changes. d moves all of them at once, and each output changes.
return np.asarray( => return np.sum(
    You add up all the changes. Each output of f has a change of its own.
/ (2 * h)) => / (2 * h)) / d
    You divide by d too, element by element. By how much is s different in f(x + s d) and f(x - s d)?
/ (2 * h)) => / 2 * h)
    The results are tiny. Do you divide by the step, and by all of it? `a / 2 * h` is `(a / 2) * h`.
""",
    telling="""
1e12 * f(square, np.zeros(1), np.ones(1))
    At the lowest point of a parabola the derivative is 0. Yours is not. Do you step to one side only?
f(bends, PLACE, ALONG)
    For sin(100 x) + 50 x, which bends strongly, six digits are not right. Which error is that, truncation or rounding?
[*f(*FLOAT32) * 1e5, f(*FLOAT32).dtype == np.float64]
    For an image in float32 six digits are not right, or the result is not float64. Can any step give six digits there?
[f(bends, PLACE, length * ALONG) / (length or 1) for length in (1e6, 1e-9, 0)]
    Along a direction that is very long, very short, or all zeros the result is not right. How far should x move,
    however long d is?
""",
)

WEIGHTS = (0.2, 0.5, -0.7)
X, G = draw(3, 2, 2, 5, 4, 2, low=-2, high=2)
FILTERED = filter_rows(X, WEIGHTS)

_single = lambda row, rows: ((np.arange(rows) == row).astype(float).reshape(1, rows, 1, 1), (10.0, 20.0, 30.0))
FILTER_ADJOINT = Exercise(
    filter_rows_adjoint,
    "the adjoint of a filter of three weights",
    cases={
        "the example, a single 1 in the middle of three rows": _single(1, 3),
        "weights that differ": (draw(2, 1, 3, 2, 1), WEIGHTS),
        "a single 1 in the first row": _single(0, 4),
        "three images of two channels, 4 x 7 pixels": (draw(4, 3, 4, 7, 2), (1.0, -2.0, 0.5)),
        "images of a single row": (draw(5, 2, 1, 5, 1), (10.0, 20.0, 30.0)),
    },
    mistakes="""
weights = weights[::-1]
    You apply the filter itself. Into which outputs does a pixel go, and with which weight?
return g_x => g_x[:, -1] += weights[0] * g[:, 0]; g_x[:, 0] += weights[2] * g[:, -1]; return g_x
return g_x => g_x[:, 0] += weights[2] * g[:, -1]; return g_x
    What leaves at one border comes back at the other. To NumPy index -1 is not outside: it means the last row.
return filter_rows(g.swapaxes(1, 2), weights[::-1]).swapaxes(1, 2)
return filter_rows(g.swapaxes(1, 0), weights[::-1]).swapaxes(1, 0)
return filter_rows(g.swapaxes(1, 2), weights).swapaxes(1, 2)
    You work along the columns, or along the first axis, that of the images. Rows are axis 1 of (N, H, W, C).
g = g[:, ::-1]
return g_x => return g_x[:, ::-1]
    You turn the cotangent or the result upside down. Only the neighbours change sides, the rows stay where they are.
weights[2] => weights[0]
weights[0] => weights[2]
    Both neighbours get the same weight. Which weight does each have?
+= => =
    You overwrite what is there, with = where shares should be added up.
* g[: => * g_x[:
    You read from the array that you are changing, so that shares are handed on twice. Read from g.
""",
    telling="""
f(*_single(1, 3))
    Put a single 1 into the middle of three rows of g. It goes back to three pixels: to which, with which weights?
[f(*_single(0, 4)), f(*_single(3, 4))]
    The outputs in the first and the last row were mixed from pixels too, and the pixels there went into outputs.
np.sum(FILTERED * G) - np.sum(X * f(G, WEIGHTS))
    The adjoint test fails: sum filter_rows(x) g is not sum x filter_rows_adjoint(g). Where does a single 1 in g go?
""",
    properties=[lambda adjoint: each_alone(X)(lambda g: adjoint(g, WEIGHTS))],
)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


perpendicular = lambda x: x[::-1] * np.where(np.arange(x.size) < x.size // 2, 1, -1)
IMAGE, ROW = 1 + draw(0, 6, 7), 1 + draw(1, 8)
at_the_last_element = (np.arange(42) == 41).reshape(6, 7)
# right or wrong | f | VJP | x, and a hint. In this order: a direction of ones accepts what a cotangent of ones does.
TO_JUDGE = """
wrong | 1 / x | g / (x * x) | ROW
    It has the wrong sign. Do you compare two numbers at all, and what becomes of their signs?
wrong | x * x | x * g | IMAGE
wrong | x * x | 0 * x | IMAGE
    Do the two numbers that you compare really come from different sources, one from differences, one from the VJP?
right | x * x | 2 * x * g | IMAGE
right | x.T | g.T | IMAGE
right | 1 / x | -g / (x * x) | ROW
right | x.sum(axis=1) | g[:, None] + 0 * x | IMAGE
right | (x * x).sum() | 2 * x * g | IMAGE
    Both sides are the same number, except for rounding and truncation. Print them. Do only the last digits differ? Then
    mind your tolerance and your step. Else: is g or d missing on one side? g has the shape of f(x), d that of x.
wrong | x * x | 2.02 * x * g | IMAGE
wrong | x * x | 2 * x * g * np.where(at_the_last_element, -1, 1) | IMAGE
wrong | x * x | 2 * x * g * ~at_the_last_element | IMAGE
    The mistake is small, yet far larger than rounding. How generous is your tolerance? A single draw can be unlucky.
wrong | x * x | (2 * x * g)[:, ::-1] | IMAGE
wrong | x * x | 2 * x * g + perpendicular(x) | ROW
    Its mistakes cancel along the direction in which you move x. Which kind of direction sees every element?
wrong | x.T | g.reshape(x.shape) | IMAGE
wrong | x * x | 2 * x | IMAGE
wrong | softmax(x) | 0 * x | ROW
wrong | 2 * x | 2 * g.mean() + 0 * x | IMAGE
    For one cotangent it is right, and you tried that one. Which?
right | softmax(x) | softmax(x) * (g - (softmax(x) * g).sum()) | ROW
right | 1e6 * x * x | 2e6 * x * g | IMAGE
right | 1e-6 * x * x | 2e-6 * x * g | IMAGE
    Relative to what do you compare? In a softmax large terms of both signs nearly cancel, and their rounding is left.
    With values in the millions rounding errors are large too, with tiny values small.
wrong | 1e-12 * x * x | 1e-12 * x * g | IMAGE
    The values are tiny, and so are their differences. What should the tolerance depend on?
wrong | x * x | 2 * x * g * np.where(at_the_last_element, np.nan, 1) | IMAGE
    What does Python answer to nan > 0.001, and to nan < 0.001?
right | np.full(4, 3.0) | 0 * x | ROW
    Both sides are exactly 0. What does your comparison make of that?
"""


def asks_both(is_right):
    """Does it look at the VJP at all, and at f?"""
    asked = set()
    f = lambda x: asked.add("f") or x * x
    vjp = lambda x, g: asked.add("vjp") or 2 * x * g
    answer = is_right(f, vjp, IMAGE, np.random.default_rng(0))
    if not isinstance(answer, bool | np.bool_):
        return f"The answer must be True or False, yours is a {type(answer).__name__}."
    for name in sorted({"f", "vjp"} - asked):
        return f"You never call {name}. Your answer does not depend on it: with what do you compare the other?"


def judges_every_vjp(is_right):
    for line, hint in blocks(TO_JUDGE):
        truth, f, vjp, x = line.split(" | ")
        arguments = eval(f"(lambda x: {f}, lambda x, g: {vjp}, {x})", globals())
        try:
            answers = [bool(is_right(*arguments, np.random.default_rng(seed))) for seed in range(20)]
        except Hint as failure:
            return f"{failure} Seen where f(x) is {f}. Which shapes have x and f(x), and so the direction and g?"
        if any(answer != (truth == "right") for answer in answers):
            verdict = "right" if truth == "wrong" else "wrong"
            return f"A VJP that is {truth} you call {verdict}: {vjp}, where f(x) is {f}. {hint}"


EXAMPLE = lambda x: x * x, lambda x, g: 2 * x * g, np.array([1.0, 2.0]), np.random.default_rng(0)
IS_RIGHT = Exercise(
    is_right,
    "decide whether a VJP is right",
    cases={
        "the example": EXAMPLE,
        "the example of a wrong one": (EXAMPLE[0], lambda x, g: x * g, *EXAMPLE[2:]),
    },
    mistakes="""
not abs( => abs(
    You answer the wrong way round. True must mean that the VJP is right.
""",
    properties=[asks_both, judges_every_vjp],
)

EXERCISES = [DIRECTIONAL_DERIVATIVE, FILTER_ADJOINT, IS_RIGHT]

"""The checks of the exercises of lesson 4."""

import math

import numpy as np

from lessons.check import lesson_04_mistakes as wrong
from lessons.check import lesson_04_properties as properties
from lessons.check.checking import Case, Exercise, Mistake
from lessons.check.lesson_04_mistakes import DESCENTS, descend, slope
from lessons.check.lesson_04_properties import bowl_at_zero, images, linear, long_bowl, round_bowl
from minireg import backend, ops

# ---- slope_of_masked_loss


def _warped(u, moving):
    displacement = np.broadcast_to(u, (1, *moving.shape[:2], 2)).copy()
    warped = ops.warp(backend.to_device(moving[None]), backend.to_device(displacement))
    return backend.to_host(warped.data)[0]


def _masked_loss(u, moving, fixed, mask):
    return np.mean((_warped(u, moving)[mask] - fixed[mask]) ** 2)


def _slope_reference(u, moving, fixed, mask, h=0.02):
    """A difference quotient towards larger u. Within a cell the loss is a parabola, for which this one is exact."""
    loss = lambda e: _masked_loss(u + e, moving, fixed, mask)
    return np.array([(4 * loss(e) - loss(2 * e) - 3 * loss(0 * e)) / (2 * h) for e in h * np.eye(2)])


SLOPE_OF_MASKED_LOSS = Exercise(
    name="slope_of_masked_loss",
    title="the slope of the loss within a mask, for images with channels",
    reference=_slope_reference,
    cases=[
        Case("a grey image of 4 x 4 pixels that all count", images(1, (0.5, 0.25), 4, 4, 1, share=2)),
        Case("4 x 7 pixels that all count", images(2, (1.25, 0.7), 4, 7, 1, share=2)),
        Case("only some pixels count", images(3, (0.4, 1.6), 5, 4, 1)),
        Case("a negative displacement", images(4, (-0.7, -1.4), 5, 4, 1)),
        Case("three channels", images(5, (0.8, -0.3), 4, 5, 3)),
        Case("whole numbers, at a kink", images(6, (1.0, -2.0), 5, 5, 2)),
    ],
    mistakes=[
        Mistake(
            "You divide by the number of all pixels and channels: those outside the mask do not count.",
            lambda u, m, f, mask: slope(u, m, f, mask, count=m.size),
        ),
        Mistake(
            "You divide by the number of pixels in the mask, but each of them has C channels.",
            lambda u, m, f, mask: slope(u, m, f, mask, count=mask.sum()),
        ),
        Mistake(
            "The mask is not used at all.",
            lambda u, m, f, mask: slope(u, m, f, mask, counts=np.ones_like(mask)),
        ),
        Mistake(
            "The mask is used for the number of pixels, but the sum runs over all of them.",
            lambda u, m, f, mask: slope(u, m, f, mask, counts=np.ones_like(mask), count=mask.sum() * m.shape[2]),
        ),
        Mistake(
            "You sum the squares instead of averaging them: the derivative of a mean has the number of pixels in it.",
            lambda u, m, f, mask: slope(u, m, f, mask, count=1),
        ),
        Mistake(
            "Where has the 2 from the derivative of the square gone?",
            lambda u, m, f, mask: slope(u, m, f, mask, factor=1.0),
        ),
        Mistake(
            "The sign is wrong: L grows with y where y is too bright already.",
            lambda *given: -_slope_reference(*given),
        ),
        Mistake(
            "You take the difference across two pixels, from the one before to the one after. Between the pixels the "
            "intensity is a straight line from one neighbour to the next, and its slope is that of this line.",
            wrong.across,
        ),
        Mistake(
            "You multiply the mean difference by the mean slope. The mean of products is not the product of means: "
            "each pixel has its own difference and its own slope.",
            wrong.of_means,
        ),
        Mistake(
            "s and t are exchanged in the derivatives. v10 - v00 lies on the left, v11 - v01 on the right: which "
            "fraction tells left from right?",
            lambda u, m, f, mask: slope(u, m, f, mask, weights=lambda s, t: (t, s)),
        ),
        Mistake(
            "Of the two differences, the one further away counts more: the weights s and 1 - s, or t and 1 - t, are "
            "exchanged.",
            lambda u, m, f, mask: slope(u, m, f, mask, weights=lambda s, t: (1 - s, 1 - t)),
        ),
        *[
            Mistake(
                "You take one difference of neighbours along each axis. Four neighbours have two, one on either side "
                "of the place.",
                lambda u, m, f, mask, side=side: slope(u, m, f, mask, weights=lambda s, t: (side, side)),
            )
            for side in (0, 1)
        ],
        Mistake(
            "Both differences of neighbours count the same, wherever the place lies between them.",
            lambda u, m, f, mask: slope(u, m, f, mask, weights=lambda s, t: (0.5, 0.5)),
        ),
        Mistake(
            "v01 and v10 are exchanged: the first index counts the rows.",
            lambda u, m, f, mask: slope(u, m, f, mask, exchanged=True),
        ),
        Mistake(
            "This is how the image changes with u. How much the loss wants each pixel brighter is missing.",
            lambda u, m, f, mask: slope(u, m, f, mask, factor=1, residual=lambda y, fixed: np.ones_like(y)),
        ),
        Mistake(
            "You compare the fixed image with the moving image before it is warped.",
            lambda u, m, f, mask: slope(u, m, f, mask, residual=lambda y, fixed: m - fixed),
        ),
        Mistake(
            "Your warped image looks at p - u. It has to look at p + u.",
            lambda u, m, f, mask: slope(-u, m, f, mask),
        ),
        Mistake(
            "You give a slope for each channel. One displacement moves all of them: what each contributes adds up.",
            lambda u, m, f, mask: slope(u, m, f, mask, total=lambda x: np.sum(x, axis=(0, 1)) * m.shape[2]),
        ),
        Mistake(
            "You give a slope for each channel. One displacement moves all of them.",
            lambda u, m, f, mask: slope(u, m, f, mask, total=lambda x: np.sum(x, axis=(0, 1))),
        ),
        Mistake(
            "You return two numbers one by one. Asked for is one array that holds both.",
            lambda *given: tuple(_slope_reference(*given)),
        ),
        Mistake(
            "You look at the first channel only. A pixel counts with all of its channels.",
            lambda u, m, f, mask: slope(u, m[..., :1], f[..., :1], mask),
        ),
        Mistake(
            "Your mask is inside out: True means that a pixel counts.",
            lambda u, m, f, mask: slope(u, m, f, mask, counts=~mask, count=mask.sum() * m.shape[2]),
        ),
        Mistake(
            "This is a difference quotient, from one side of u to the other. Where u lies on a kink, it gives the mean "
            "of the two slopes. The formula of the lesson needs no second place.",
            wrong.central_quotient,
        ),
        Mistake(
            "You take differences of neighbours in the warped image. Asked for are those of the four neighbours in the "
            "moving image.",
            wrong.of_the_warped_image,
        ),
        Mistake(
            "It is right for positive displacements. Which whole number lies *below* -0.7? `int` and `astype(int)` go "
            "towards 0.",
            lambda u, m, f, mask: slope(u, m, f, mask, floor=int),
        ),
        Mistake(
            "At whole numbers you give the slope before the kink. The one behind it is meant.",
            lambda u, m, f, mask: slope(u, m, f, mask, floor=lambda x: math.ceil(x) - 1),
        ),
        Mistake(
            "Your cell begins at the nearest pixel. Behind the middle of a cell that is the next cell: s and t get "
            "negative.",
            lambda u, m, f, mask: slope(u, m, f, mask, floor=round),
        ),
        Mistake(
            "You take the differences of neighbours in the fixed image. Which image moves?",
            lambda u, m, f, mask: slope(u, m, f, mask, of=f),
        ),
        Mistake(
            "You take the differences of neighbours at p, not at p + u: in the moving image before it is shifted.",
            lambda u, m, f, mask: slope(u, m, f, mask, of=m),
        ),
    ],
    properties=[
        properties.blind_outside,
        properties.right_on_a_ramp,
        properties.fits_the_loss,
        properties.is_no_difference_quotient,
    ],
    components=("u_row", "u_column"),
)


# ---- descend_until_level

DESCEND_UNTIL_LEVEL = Exercise(
    name="descend_until_level",
    title="gradient descent with a rule when to stop",
    reference=descend,
    cases=[
        Case("a round valley", (round_bowl, np.array([4.0, 1.0]), 0.1, 0.5, 100)),
        Case("a round valley, from the other side", (round_bowl, np.array([-2.0, -6.0]), 0.1, 0.5, 100)),
        Case("a valley that is long in one direction", (long_bowl, np.array([3.0, -1.0]), 0.2, 0.05, 100)),
        Case(
            "both components are below the tolerance before the length is", (round_bowl, np.ones(2) * 3, 0.05, 1.0, 60)
        ),
        Case("one component is 0 from the start", (round_bowl, np.array([1.0, 3.0]), 0.2, 0.3, 50)),
        Case("the limit comes first", (long_bowl, np.array([9.0, 1.0]), 0.1, 1e-6, 5)),
        Case("the start is level already", (round_bowl, np.array([1.1, -2.1]), 0.1, 0.5, 100)),
        Case("a slope is exactly as long as the tolerance", (bowl_at_zero, np.array([4.0, 0.0]), 0.25, 2.0, 10)),
        Case("no step is allowed", (round_bowl, np.array([4.0, 1.0]), 0.1, 0.5, 0)),
    ],
    mistakes=DESCENTS,
    properties=[properties.begins_at_the_start, properties.goes_downhill],
)


# ---- gauss_newton_step


def _step_reference(y, fixed, dy_du):
    return np.linalg.lstsq(dy_du.reshape(-1, 2), (fixed - y).ravel(), rcond=None)[0]


GAUSS_NEWTON_STEP = Exercise(
    name="gauss_newton_step",
    title="a step that needs no step size",
    reference=_step_reference,
    cases=[
        Case(
            "pixels that change along rows or along columns, never both",
            (np.zeros((1, 2)), np.array([[0.5, 0.6]]), np.array([[[1.0, 0.0], [0.0, 2.0]]])),
        ),
        Case("4 x 4 pixels, an exact answer", linear(1, 4, 4, residual=0)),
        Case("5 x 3 pixels", linear(2, 5, 3)),
        Case("slopes along rows and columns that go together", linear(3, 6, 5, correlation=2)),
    ],
    mistakes=[
        Mistake(
            "You solve for each direction as if the other did not move. Where slopes along rows and columns go "
            "together, both steps then do the same work twice.",
            wrong.each_alone,
        ),
        Mistake(
            "You go the wrong way: is the difference fixed - y or y - fixed, and is the step to be added?",
            lambda *given: -_step_reference(*given),
        ),
        Mistake(
            "You step twice as far as you should. Both sides of the equations come from the derivative of a square.",
            lambda *given: 2 * _step_reference(*given),
        ),
        Mistake(
            "This is the direction downhill, but not how far. What do the squared slopes of the image tell you?",
            lambda *given: wrong.both_sides(*given)[1],
        ),
        Mistake(
            "This is the direction downhill, divided by the number of pixels, but not how far.",
            lambda *given: wrong.both_sides(*given)[1] / given[0].size,
        ),
        Mistake(
            "You multiply by the matrix of the equations instead of solving them.",
            lambda *given: np.matmul(*wrong.both_sides(*given)),
        ),
        Mistake(
            "The slopes have to be squared twice over in the denominator: yours takes a root.",
            lambda *given: wrong.each_alone(*given, power=0.5),
        ),
        Mistake(
            "You divide sums of differences by sums of slopes. Slopes of different sign cancel in a plain sum.",
            lambda y, fixed, dy_du: np.sum(fixed - y) / dy_du.sum(axis=(0, 1)),
        ),
        Mistake(
            "You average the step that each pixel would like. A pixel with a small slope would like an enormous one: "
            "it has to count less.",
            lambda y, fixed, dy_du: np.mean((fixed - y)[..., None] / dy_du, axis=(0, 1)),
        ),
        *[
            Mistake(
                "You solve for one direction, and for the other with what is left. Then the first is wrong again: the "
                "two equations have to hold at once.",
                lambda *given, order=order: wrong.one_after_the_other(*given, order),
            )
            for order in ((0, 1), (1, 0))
        ],
        *[
            Mistake(
                "One side of your equations is a sum over the pixels, the other a mean: the step is off by the number "
                "of pixels.",
                lambda y, *rest, power=power: wrong.solved(y, *rest) * float(y.size) ** power,
            )
            for power in (1, -1)
        ],
        *[
            Mistake(
                "You solve the two equations by hand, with a wrong sign. Write them out for two unknowns, or use "
                "`np.linalg.solve`.",
                lambda *given, cross=cross, below=below: wrong.by_determinants(*given, cross, below),
            )
            for cross, below in ((1, -1), (-1, 1), (1, 1))
        ],
        Mistake(
            "You return two numbers one by one. Asked for is one array that holds both.",
            lambda *given: tuple(_step_reference(*given)),
        ),
        Mistake(
            "You use the first row of pixels only. The step has to fit all of them.",
            lambda *given: wrong.solved(*(x[:1] for x in given)),
        ),
        Mistake(
            "`reshape(2, -1)` cuts dy_du into two halves of the image. The two directions are its last axis.",
            wrong.mixed,
        ),
        Mistake(
            "The pixels of the difference and those of the slopes come in different orders: one by rows, one by "
            "columns.",
            lambda y, fixed, dy_du: wrong.solved(*(x.T.reshape(x.shape) for x in (y, fixed)), dy_du),
        ),
        Mistake(
            "Your equations hold the square of the difference. The square is gone once its derivative is taken.",
            lambda y, fixed, dy_du: wrong.solved(0 * y, (fixed - y) ** 2, dy_du),
        ),
        *[
            Mistake(
                "You take the shortest step that each pixel would like, one by one. But one pixel sees only how far to "
                "go along its own slope, and nothing of the way across it.",
                lambda *given, total=total: wrong.of_each_pixel(*given, total),
            )
            for total in (np.mean, np.sum)
        ],
        Mistake(
            "Your equations hold the fixed image, not the difference that is left.",
            lambda y, fixed, dy_du: _step_reference(0 * y, fixed, dy_du),
        ),
    ],
    properties=[
        properties.stays_where_it_fits,
        properties.finds_an_exact_motion,
        properties.does_not_see_contrast,
        properties.nothing_better_nearby,
    ],
    components=("u_row", "u_column"),
)


EXERCISES = [SLOPE_OF_MASKED_LOSS, DESCEND_UNTIL_LEVEL, GAUSS_NEWTON_STEP]

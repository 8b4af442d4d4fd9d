"""The checks of the exercises of lesson 7."""

import numpy as np

from lessons.check import lesson_07_mistakes as wrong
from lessons.check import lesson_07_properties as properties
from lessons.check.checking import Case, Exercise, Mistake
from lessons.check.lesson_07_mistakes import both, displacement, scatter
from lessons.check.lesson_07_properties import ARGUMENTS, LINE
from minireg import Tensor, backend, ops


def _project(g, image, u):
    """The gradients of `ops.warp` with respect to the image and to the displacement, computed by the engine."""
    tensors = [Tensor(backend.to_device(np.array(array)), requires_grad=True) for array in (image, u)]
    ops.warp(*tensors).backward(backend.to_device(np.array(g)))
    return tuple(backend.to_host(tensor.grad) for tensor in tensors)


VJP_DISPLACEMENT = Exercise(
    name="vjp_displacement",
    title="the VJP of warping in the displacement",
    reference=lambda g, image, u: _project(g, image, u)[1],
    cases=[Case(words, arguments) for words, arguments in ARGUMENTS.items()],
    mistakes=[
        Mistake(
            "Each derivative has the fraction of its own axis as weight. A cell has two steps down, one on its left "
            "side and one on its right: which of the two fractions says how far the point is from these sides?",
            lambda g, image, u: displacement(g, image, u, weights=lambda s, t: (t, s)),
        ),
        Mistake(
            "You weight the near side of the cell as if it were the far one: the two weights are exchanged.",
            lambda g, image, u: displacement(g, image, u, weights=lambda s, t: (1 - s, 1 - t)),
        ),
        Mistake(
            "Along columns you weight the two steps with the same fraction as along rows. Where does the point lie "
            "between the upper and the lower side of its cell?",
            lambda g, image, u: displacement(g, image, u, weights=lambda s, t: (t, t)),
        ),
        Mistake(
            "Along rows you weight the two steps with the same fraction as along columns. Where does the point lie "
            "between the left and the right side of its cell?",
            lambda g, image, u: displacement(g, image, u, weights=lambda s, t: (s, s)),
        ),
        Mistake(
            "Both steps of the cell count the same in your derivative, wherever the point lies between them. The "
            "nearer one must count more.",
            lambda g, image, u: displacement(g, image, u, weights=lambda s, t: (0 * s + 0.5, 0 * t + 0.5)),
        ),
        Mistake(
            "You take the step on one side of the cell only, the upper or the left one. It is as wrong as the point is "
            "far from this side.",
            lambda g, image, u: displacement(g, image, u, weights=lambda s, t: (0 * s, 0 * t)),
        ),
        Mistake(
            "The cotangent is missing: you return the slopes of the image, not how the loss changes.",
            lambda g, image, u: displacement(np.ones_like(g), image, u),
        ),
        Mistake(
            "You take the mean over the channels. One displacement moves all of them: what each contributes adds up.",
            lambda g, image, u: displacement(g, image, u, total=np.mean),
        ),
        Mistake(
            "You use the first channel only. One displacement moves all of them: what each contributes adds up.",
            lambda g, image, u: displacement(g, image, u, total=lambda x, axis: x[..., 0]),
        ),
        Mistake(
            "Only the last channel arrives in your result. Does a loop over the channels overwrite, where it should "
            "add?",
            lambda g, image, u: displacement(g, image, u, total=lambda x, axis: x[..., -1]),
        ),
        Mistake(
            "Left of pixel 0 and above it, your cell is the wrong one. What does `int` make of -0.3, and `floor`?",
            lambda g, image, u: displacement(g, image, u, whole=np.trunc),
        ),
        Mistake(
            "You take the cell behind the nearest pixel. In the second half of a cell that is the next cell.",
            lambda g, image, u: displacement(g, image, u, whole=np.round),
        ),
        Mistake(
            "Beyond the border your image goes on with its last pixel. Here it ends in zeros, and has a slope there.",
            lambda g, image, u: displacement(g, image, u, border="edge"),
        ),
        Mistake(
            "Beyond one border you read at the opposite one: to NumPy the index -1 is no error, it means the end.",
            lambda g, image, u: displacement(g, image, u, border="wraps"),
        ),
        Mistake(
            "Beyond the upper and the left border you read at the opposite one: you test for indices that are too "
            "large, and to NumPy the index -1 is no error, it means the end.",
            lambda g, image, u: displacement(g, image, u, border="wraps at one side"),
        ),
        Mistake(
            "Just beyond the upper and the left border you read at the opposite one: index -1 is not outside for "
            "NumPy, it reads the last pixel.",
            lambda g, image, u: displacement(g, image, u, border="wraps at -1"),
        ),
        Mistake(
            "You compare rows with the number of columns, and columns with the number of rows. Which axis of the "
            "image is which?",
            lambda g, image, u: displacement(g, image, u, border="H and W exchanged"),
        ),
        Mistake(
            "Every image of the batch must be read at its own points: you read the first one for all.",
            lambda g, image, u: displacement(g, image, u, batch=0),
        ),
        Mistake(
            "All images of the batch use the displacements of the first. Each has its own.",
            lambda g, image, u: displacement(g, image, 0 * u + u[:1]),
        ),
        Mistake(
            "Output pixel p looks at p + u(p). You look at u(p).",
            lambda g, image, u: displacement(g, image, u, positions=False),
        ),
        Mistake(
            "You look at p - u(p). Pulling means that the output pixel p looks at p + u(p).",
            lambda g, image, u: displacement(g, image, -u),
        ),
        Mistake(
            "You add the displacement along columns to the row, and the one along rows to the column.",
            lambda g, image, u: displacement(g, image, u[..., ::-1]),
        ),
        Mistake(
            "You take the displacements for (column, row), and give the result in that order too. Here rows come "
            "first.",
            lambda g, image, u: displacement(g, image, u[..., ::-1])[..., ::-1],
        ),
        Mistake(
            "Where a point lies exactly on a pixel, you give the mean of the slopes before and after it. Asked for is "
            "the one in the direction of growing coordinates.",
            wrong.mean_at_kinks,
        ),
        Mistake(
            "Where a point lies exactly on a pixel, you take the cell before it. Asked for is the derivative in the "
            "direction of growing coordinates.",
            lambda g, image, u: displacement(g, image, u, whole=lambda x: np.ceil(x) - 1),
        ),
        Mistake(
            "Where a point lies exactly on a pixel, both ends of your cell are this pixel, and the slope comes out as "
            "0. A cell has two rows and two columns, also there: what is the `ceil` of a whole number?",
            lambda g, image, u: displacement(g, image, u, behind=lambda i, r: np.ceil(r)),
        ),
        Mistake(
            "You differentiate the image at p, without the displacement. What counts is the cell where p looks.",
            lambda g, image, u: displacement(g, image, 0 * u),
        ),
        Mistake(
            "You interpolate the steps as if they were an image. A step along rows is the same anywhere between its "
            "two rows: only across does it matter where the point lies.",
            wrong.of_interpolated_steps,
        ),
        Mistake(
            "You differentiate the warped image. Its neighbours look at other places, each with its own displacement. "
            "What counts is how the image changes around the place where p looks.",
            wrong.of_the_warped_image,
        ),
        Mistake(
            "Central differences of the image, interpolated, are the slopes of a smoother curve than the one that is "
            "sampled. Which four pixels does the warped value depend on?",
            wrong.of_a_smooth_image,
        ),
    ],
    properties=properties.OF_THE_DISPLACEMENT,
)

VJP_IMAGE = Exercise(
    name="vjp_image",
    title="the VJP of warping in the image",
    reference=lambda g, u: _project(g, np.zeros_like(g), u)[0],
    cases=[Case(words, (g, u)) for words, (g, _, u) in ARGUMENTS.items()],
    mistakes=[
        Mistake(
            "Where a pixel is hit twice, one share is lost: `x[index] += share` counts a repeated index only once. "
            "Find in the lesson what adds one after the other.",
            lambda g, u: scatter(g, u, add=wrong.buffered),
        ),
        Mistake(
            "Shares that meet at a pixel must add up: a later one overwrites the earlier ones.",
            lambda g, u: scatter(g, u, add=wrong.overwrite),
        ),
        Mistake(
            "You warp g: pixel p of your result reads g at p + u(p). It is the other way round: p + u(p) is the place "
            "that receives, and g(p) is what it receives.",
            lambda g, u: wrong.interpolate(g, u),
        ),
        Mistake(
            "You warp g with -u. That undoes a displacement only where all pixels have the same one; elsewhere the "
            "pixel that looked here is another one than the one that -u leads to.",
            lambda g, u: wrong.interpolate(g, -u),
        ),
        Mistake(
            "You hand all of g(p) to one pixel, the one that lies before the point. p has read four.",
            lambda g, u: scatter(g, u, weights=lambda s, t: (0 * s, 0 * t)),
        ),
        Mistake(
            "You hand all of g(p) to the nearest pixel. p has read four.",
            lambda g, u: scatter(g, u, whole=np.round, weights=lambda s, t: (0 * s, 0 * t)),
        ),
        Mistake(
            "The fractions along rows and along columns are exchanged in the weights.",
            lambda g, u: scatter(g, u, weights=lambda s, t: (t, s)),
        ),
        Mistake(
            "The near pixel gets the weight of the far one: the weights of the two sides are exchanged.",
            lambda g, u: scatter(g, u, weights=lambda s, t: (1 - s, 1 - t)),
        ),
        Mistake(
            "Shares for places beyond the border end up at the border. There nothing was read but zeros, which do not "
            "belong to the image: what becomes of such a share?",
            lambda g, u: scatter(g, u, border="edge"),
        ),
        Mistake(
            "Shares that leave the image come in again on the opposite side: the index -1 is no error but the end.",
            lambda g, u: scatter(g, u, border="wraps"),
        ),
        Mistake(
            "Shares that leave the image at the top or on the left come in again on the opposite side: you test for "
            "indices that are too large, and the index -1 is no error but the end.",
            lambda g, u: scatter(g, u, border="wraps at one side"),
        ),
        Mistake(
            "You compare rows with the number of columns, and columns with the number of rows. Which axis of g is "
            "which?",
            lambda g, u: scatter(g, u, border="H and W exchanged"),
        ),
        Mistake(
            "You write to [column, row]. An image is indexed by the row first.",
            lambda g, u: scatter(g, u, add=wrong.rows_and_columns_exchanged),
        ),
        Mistake(
            "Left of pixel 0 and above it, your cell is the wrong one. What does `int` make of -0.3, and `floor`?",
            lambda g, u: scatter(g, u, whole=np.trunc),
        ),
        Mistake(
            "You look at p - u(p). Pixel p has read at p + u(p), and what it has read gets the shares.",
            lambda g, u: scatter(g, -u),
        ),
        Mistake(
            "Output pixel p looks at p + u(p). You look at u(p).",
            lambda g, u: scatter(g, u, positions=False),
        ),
        Mistake(
            "You add the displacement along columns to the row, and the one along rows to the column.",
            lambda g, u: scatter(g, u[..., ::-1]),
        ),
        Mistake(
            "The cotangent is missing: this is how often each pixel is read.",
            lambda g, u: scatter(np.ones_like(g), u),
        ),
        Mistake(
            "Your result is divided by how often each pixel is read. A gradient is a sum of shares, not their mean.",
            wrong.averaged,
        ),
        Mistake(
            "You return g itself, as if no pixel were displaced.",
            lambda g, u: g * 1.0,
        ),
        Mistake(
            "All images of the batch use the displacements of the first. Each has its own.",
            lambda g, u: scatter(g, 0 * u + u[:1]),
        ),
        Mistake(
            "All images of the batch hand their shares to the first one.",
            lambda g, u: scatter(g, u, one_image=True),
        ),
    ],
    properties=properties.OF_THE_IMAGE,
)

ONE_SIDED_SLOPES = Exercise(
    name="one_sided_slopes",
    title="the two slopes at a kink",
    reference=lambda line, c: wrong.by_differences(line, c, h=1e-3),
    cases=[
        Case("between two pixels, c = 0.25", (LINE, 0.25)),
        Case("on a peak, c = 1.0", (LINE, 1.0)),
        Case("just behind a pixel, c = 3.75", (LINE, 3.75)),
        Case("on the last pixel, c = 4.0", (LINE, 4.0)),
        Case("on the first pixel, c = 0.0", (LINE, 0.0)),
        Case("half a pixel left of the row, c = -0.5", (LINE, -0.5)),
        Case("half a pixel right of the row, c = 4.5", (LINE, 4.5)),
        Case("one pixel left of the row, c = -1.0", (LINE, -1.0)),
        Case("far outside, c = -3.2", (LINE, -3.2)),
        Case("far outside, c = 7.0", (LINE, 7.0)),
    ],
    mistakes=[
        Mistake(
            "Your slope before c belongs to the cell on the left of the one that c lies in. On a pixel this is right; "
            "between two pixels both sides lie in one cell.",
            lambda line, c: both(line, c, before=lambda c: wrong.whole(c) - 1),
        ),
        Mistake(
            "Your slope before c belongs to the cell that begins at or after c. Which is the last cell on the way to "
            "c from the left?",
            lambda line, c: both(line, c, before=lambda c: int(np.ceil(c))),
        ),
        Mistake(
            "Both your slopes are the one after c. On a pixel, the way from the left comes through another cell.",
            lambda line, c: both(line, c, before=wrong.whole),
        ),
        Mistake(
            "Both your slopes are the one before c. On a pixel, the way to the right goes through another cell.",
            lambda line, c: both(line, c, after=wrong.cell_before),
        ),
        Mistake(
            "On a pixel you return the mean of both slopes, as a central difference does. Here they are wanted apart.",
            lambda line, c: (sum(both(line, c)) / 2,) * 2,
        ),
        Mistake(
            "You measure the slope before c going away from c. A slope is the change as c grows, on both sides.",
            lambda line, c: (-both(line, c)[0], both(line, c)[1]),
        ),
        Mistake(
            "Left of the row your cell is the wrong one. What does `int` make of -0.5, and what does `floor`?",
            lambda line, c: both(line, c, before=lambda c: int(c) - (c == int(c)), after=int),
        ),
        Mistake(
            "Beyond its ends your row goes on with its last pixel. Here it drops to zero, within one pixel.",
            lambda line, c: both(line, c, border="edge"),
        ),
        Mistake(
            "Left of the row you read at its end: you test for indices that are too large, and to Python the index -1 "
            "is no error.",
            lambda line, c: both(line, c, border="wraps at one side"),
        ),
        Mistake(
            "Just left of the row you read at its end: index -1 is not outside for Python, it reads the last pixel.",
            lambda line, c: both(line, c, border="wraps at -1"),
        ),
        Mistake(
            "Your two slopes are exchanged. Which cell lies on the way to c from the left?",
            lambda line, c: both(line, c)[::-1],
        ),
        Mistake(
            "Your row ends one pixel too early. Which index has the last of W pixels?",
            lambda line, c: both(line[:-1], c),
        ),
        Mistake(
            "Your slopes are those at c - 1. If you have put a zero before the row, where is pixel 0 now?",
            lambda line, c: both(line, c - 1),
        ),
        Mistake(
            "You return the values of two pixels. A slope is the step from one to the next.",
            wrong.values,
        ),
        Mistake(
            "Left of the row you read at its end: to Python the index -1 is no error. Here zeros lie beyond both ends.",
            lambda line, c: both(line, c, border="wraps"),
        ),
    ],
    properties=properties.OF_THE_SLOPES,
    results=("before", "after"),
)

EXERCISES = [VJP_DISPLACEMENT, VJP_IMAGE, ONE_SIDED_SLOPES]

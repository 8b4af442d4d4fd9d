"""The checks of the exercises of lesson 8."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw, each_alone
from lessons.solutions.lesson_08 import gradient_of_rotation, vjp_centre_inside, vjp_ncc_b


def _pairs(seed, n, h, w, channels):
    """Cotangents of both signs, and pairs of images that resemble each other to different degrees."""
    a, noise = draw(seed, 2, n, h, w, channels)
    likeness = np.linspace(0.4, 0.8, n)[:, None, None, None]
    signs = np.where(np.arange(n) % 2, 1, -1)
    return signs * draw(seed + 1, n, low=0.5, high=2), a, np.round(likeness * a + (1 - likeness) * noise + 0.2, 2)


THREE = np.array([1.0]), np.array([0, 0, 3.0]).reshape(1, 1, 3, 1), np.array([1.0, 2, 3]).reshape(1, 1, 3, 1)
G, A, B = _pairs(10, 1, 4, 5, 3)
BATCH = _pairs(5, 3, 4, 5, 2)

VJP_NCC_B = Exercise(
    vjp_ncc_b,
    "the VJP of NCC in the second image",
    cases={
        "the example": THREE,
        "another cotangent, below 0": _pairs(2, 1, 2, 3, 1),
        "three channels": (G, A, B),
        "a batch of three pairs": BATCH,
        "images around 1,000,000": (G, A + 1e6, B + 2e6),
        "faint images": (G, 1e-3 * A, 1e-3 * B),
    },
    mistakes="""
a, b = b, a
    This is the gradient with respect to the *first* image.
(a / norm => (b / norm
    The first term holds b. NCC is the product of both images: what is left of it when it is differentiated by b?
- sab / norm * b / sbb => - 0
    The second term is missing, the one that keeps the gradient from changing the contrast. NCC is a quotient, and its
    denominator depends on b too.
- sab => + sab
- sab => - 2 * sab
    The second term has the wrong sign or size. The denominator is below, and has a root: where did the minus and the
    1/2 of its derivative go?
b / sbb => b / saa
    The second term is divided by the energy of the other image. Which of the two sums depends on b?
x - x.mean(axis=axes, keepdims=True) => x
    Nothing is centred: this is the gradient of the cosine of the images as they are.
return g => return np.sqrt(sbb / b[0].size) * g
    This is the gradient with respect to the *standardised* b. One step back is missing, the division of b' by its own
    length or standard deviation.
""",
    telling="""
f(3 * G, A, B) - 3 * f(G, A, B)
    Three times the cotangent must give three times the result: g belongs to both terms, once to each.
np.sum(f(G, A, B))
    NCC does not change when all of b becomes brighter, so in each image your result must add up to 0. It does not.
    Which images must be centred, and with the mean over what?
np.sum(f(G, A, B) * B)
    NCC does not change when b gets more contrast, so in each image your result times b must add up to 0. It does not:
    look at the second term, the one with y.
np.ravel(f(G, A, B)) - np.ravel(f(G, A.reshape(1, 4, 15, 1), B.reshape(1, 4, 15, 1)))
    An image with three channels and one of as many rows, three times as wide, with the same numbers must get the same
    derivatives: NCC is one number over all pixels *and* channels.
""",
    properties=[each_alone(*BATCH)],
)


def _masked(seed, h, w):
    """A cotangent, and a mask of zeros and ones."""
    mask = np.round(draw(seed, h, w, low=0.1, high=1.1))
    mask[0, 0] = 0
    return draw(seed + 1, h, w, low=-2, high=3), mask


INSIDE, WEIGHTS = _masked(25, 4, 5), draw(4, 4, 5, low=0.2, high=3)
IMAGE = draw(24, 4, 5)
FOUR = np.array([[0, 0, 0, 6.0]]), np.array([[1.0, 1, 0, 0]])

VJP_CENTRE_INSIDE = Exercise(
    vjp_centre_inside,
    "the VJP of centring with a masked mean",
    cases={
        "the example": FOUR,
        "the mask is 1 everywhere": (draw(1, 2, 3, low=-1, high=2), np.ones((2, 3))),
        "a mask of zeros and ones": _masked(2, 3, 5),
        "a mask of weights between 0.2 and 3": (INSIDE[0], WEIGHTS),
        "a mask of tiny weights": (INSIDE[0], 1e-6 * WEIGHTS),
    },
    mistakes="""
np.sum(g) * mask => np.sum(mask * g)
    You centre g with the masked mean, as the forward does with a. Only a symmetric matrix is its own adjoint, and this
    one is not: m reads the inside and is subtracted everywhere. Backwards it is the other way round.
return g - np.mean(g)
    You centre g with the ordinary mean. Where is the mask?
np.sum(g) => np.sum(mask * g)
    You add up g inside the mask only. But m is subtracted from all pixels: from where do cotangents reach it?
np.sum(g) * mask => np.sum(g)
    You take the same amount from all pixels. m depends on those inside the mask only, each with its weight.
/ np.sum(mask) => / mask.size
/ np.sum(mask) => / np.sum(mask > 0)
    You divide by a number of pixels. m was divided by the sum of the weights, which need not be ones.
mask = mask > 0
    You treat the mask as a matter of yes and no. It holds weights: a pixel with twice the weight has twice the part in
    m.
g - np.sum(g) => mask * g - np.sum(g)
    Your result is 0 outside the mask. A pixel there is not in the mean, but it is in y.
""",
    telling="""
f(*INSIDE)[INSIDE[1] == 0]
    A pixel outside the mask does not take part in the mean m. It changes y in one place only, its own. What is its
    gradient, then?
f(np.array([[1.0, -3, 2]]), np.array([[1.0, 2, 0]]))
    The cotangents 1, -3 and 2 of three pixels cancel on their way to m, because all three lose the same m. What is left
    is g itself, whatever the mask. Yours is not.
f(INSIDE[0], 2 * INSIDE[1]) - f(*INSIDE)
    A mask of twos has the same mean m as a mask of ones, so it must have the same result. Yours is another one: by what
    is m divided?
np.sum(f(INSIDE[0], WEIGHTS))
    If all of a becomes brighter, so does its mean, and y stays as it is. So your result must add up to 0. It does not.
np.sum((IMAGE - np.average(IMAGE, weights=WEIGHTS)) * INSIDE[0]) - np.sum(IMAGE * f(INSIDE[0], WEIGHTS))
    It fails the adjoint test: sum(y * g) and sum(a * your result) differ. Take a g that is 1 at one pixel and 0
    elsewhere, write y at this pixel as a sum over all pixels of a, and read off its coefficients.
""",
)

_gradients = lambda seed, n, h, w: (draw(seed, n, h, w, 2, low=-2, high=2), draw(seed + 1, n, low=-1.5, high=1.5))
ONE_ABOVE, MIDDLE = np.zeros((1, 3, 3, 2)), np.zeros((1, 5, 7, 2))
ONE_ABOVE[0, 0, 1], MIDDLE[0, 2, 3] = (5.0, 7.0), (1.0, -2.0)
BATCH_OF_FIELDS = _gradients(5, 3, 4, 5)
FIELDS, ANGLE = _gradients(31, 1, 5, 5)

GRADIENT_OF_ROTATION = Exercise(
    gradient_of_rotation,
    "the chain from a displacement field to one angle",
    cases={
        "the example": (ONE_ABOVE, np.zeros(1)),
        "another angle, 2 x 2 pixels": _gradients(2, 1, 2, 2),
        "3 x 6 pixels": _gradients(4, 1, 3, 6),
        "a batch of three images with three angles": BATCH_OF_FIELDS,
    },
    mistakes="""
down - (g_u.shape[1] - 1) / 2, right - (g_u.shape[2] - 1) / 2 => down, right
    You turn about the pixel (0, 0), the upper left corner. Here the image turns about its middle.
(g_u.shape[1] - 1) / 2, right - (g_u.shape[2] - 1) / 2 => g_u.shape[1] / 2, right - g_u.shape[2] / 2
    Your middle is half a pixel off. Rows 0 to H - 1: where is half-way between the first and the last?
- 1) / 2 => - 1) // 2
(g_u.shape[1] - 1) / 2, right - (g_u.shape[2] - 1) / 2 => g_u.shape[1] // 2, right - g_u.shape[2] // 2
    Your middle is a whole pixel. With an even number of pixels it lies between two.
angle = 0 * angle
    Your result is that at angle 0. The derivative of a rotation depends on the angle.
angle = -angle
    The terms with the sine have the wrong sign. What is the derivative of the cosine? Has the angle its sign?
g_u = g_u[..., ::-1]
    The two components of g_u are exchanged: rows come first, then columns.
""",
    telling="""
f(MIDDLE, np.array([0.4]))
    The pixel in the middle looks at itself whatever the angle: its g_u must not matter. Take 5 x 7 pixels: what are
    `down` and `right` at row 2, column 3?
[f(FIELDS * [1, 0], ANGLE) / f(FIELDS, ANGLE), f(FIELDS * [0, 1], ANGLE) / f(FIELDS, ANGLE)]
    The displacements along rows and along columns do not have the right shares in your result. Differentiate u_row and
    u_column by the angle once more: down and right do not change, sine and cosine do.
f(FIELDS, ANGLE)
    The displacements along rows and columns have the right shares, but together they are too much or too little. Is
    something divided or multiplied that should not be?
""",
    properties=[each_alone(*BATCH_OF_FIELDS)],
)

EXERCISES = [VJP_NCC_B, VJP_CENTRE_INSIDE, GRADIENT_OF_ROTATION]

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
- sab => + sab
- sab => - 2 * sab
    The second term is missing, or has the wrong sign or size. The denominator of NCC depends on b, and has a root.
b / sbb => b / saa
norm = np.sqrt(saa * sbb) => norm = saa
norm = np.sqrt(saa * sbb) => norm = saa * sbb
    The sums of squares are mixed up: saa stands where sbb belongs, or the root of their product. Or this root is
    missing. Which of the two sums depends on b?
x - x.mean(axis=axes, keepdims=True) => x
a, b = (x - x.mean(axis=axes, keepdims=True) for x in (a, b)) => a = a - a.mean(axis=axes, keepdims=True)
    One of the images, or both, must be centred and is not. This is the gradient of a cosine without their means.
g[:, None, None, None] => g
    This is right for a single pair. In a batch every pair has its own cotangent, means and sums.
return g => return np.sqrt(sbb / b[0].size) * g
    This is the gradient in the *standardised* b. One step back is missing: where is b' divided by its own length?
""",
    telling="""
f(-3 * G, A, B) + 3 * f(G, A, B)
    A cotangent times -3 must give the result times -3: g belongs to both terms, once to each, and with its sign.
np.sum(f(G, A, B))
    If all of b becomes brighter, NCC stays. So your result must add up to 0 in each image. What must be centred?
np.sum(f(G, A, B) * B)
    If b gets more contrast, NCC stays: your result times b must add up to 0. Look at the second term, the one with y.
np.ravel(f(G, A, B)) - np.ravel(f(G, A.reshape(1, 4, 15, 1), B.reshape(1, 4, 15, 1)))
    Three channels must count like one of three times the width: NCC runs over all pixels *and* channels, unlike yours.
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
    You treat the mask as yes and no. It holds weights: a pixel with twice the weight has twice the part in m.
g - np.sum(g) => mask * g - np.sum(g)
    Your result is 0 outside the mask. A pixel there is not in the mean, but it is in y.
""",
    telling="""
f(*INSIDE)[INSIDE[1] == 0]
    A pixel outside the mask is not in the mean m. It changes y in one place only, its own: by how much?
f(np.array([[1.0, -3, 2]]), np.array([[1.0, 2, 0]]))
    The cotangents 1, -3 and 2 cancel on their way to m. So g is left, whatever the mask. Yours is another result.
f(INSIDE[0], 2 * INSIDE[1]) - f(*INSIDE)
    A mask of twos has the same mean m as a mask of ones, so it must have the same result: by what is m divided?
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
        "another angle, 3 x 4 pixels": _gradients(2, 1, 3, 4),
        "3 x 6 pixels": _gradients(4, 1, 3, 6),
        "a batch of three images with three angles": BATCH_OF_FIELDS,
    },
    mistakes="""
down - (g_u.shape[1] - 1) / 2, right - (g_u.shape[2] - 1) / 2 => down, right
    You turn about the pixel (0, 0), the upper left corner. Here the image turns about its middle.
(g_u.shape[1] - 1) / 2, right - (g_u.shape[2] - 1) / 2 => g_u.shape[1] / 2, right - g_u.shape[2] / 2
- 1) / 2 => - 1) // 2
(g_u.shape[1] - 1) / 2, right - (g_u.shape[2] - 1) / 2 => g_u.shape[1] // 2, right - g_u.shape[2] // 2
    Your middle is half a pixel off, at least where a side is even. What is half-way between row 0 and row H - 1?
(g_u.shape[1] - 1) / 2, right - (g_u.shape[2] - 1) / 2 => (g_u.shape[2] - 1) / 2, right - (g_u.shape[1] - 1) / 2
    Height and width are exchanged in your middle.
along_rows + g_u[..., 1] * along_columns => (along_rows - down) + g_u[..., 1] * (along_columns - right)
    The term without the angle is still there. What is the derivative of a constant?
, axis=(1, 2)) => )
    You add up over the whole batch. Every image has an angle of its own.
angle = 0 * angle
    Your result is that at angle 0. The derivative of a rotation depends on the angle.
angle = -angle
    The terms with the sine have the wrong sign. What is the derivative of the cosine? Is the sign of the angle right?
g_u = g_u[..., ::-1]
    The two components of g_u are exchanged: rows come first, then columns.
""",
    telling="""
f(MIDDLE, np.array([0.4]))
    The pixel in the middle looks at itself whatever the angle. In 5 x 7 pixels it is at row 2, column 3.
[f(FIELDS * [1, 0], ANGLE) / f(FIELDS, ANGLE), f(FIELDS * [0, 1], ANGLE) / f(FIELDS, ANGLE)]
    Rows and columns do not have the right shares in your result. Differentiate u_row and u_column by the angle again.
f(FIELDS, ANGLE)
    Rows and columns have the right shares, but together they are too much or too little. Which factor is wrong? Do all
    pixels add up, or is a mean taken?
""",
    properties=[each_alone(*BATCH_OF_FIELDS)],
)

EXERCISES = [VJP_NCC_B, VJP_CENTRE_INSIDE, GRADIENT_OF_ROTATION]

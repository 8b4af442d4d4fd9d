"""The checks of the exercises of lesson 8."""

import numpy as np

from lessons.check import lesson_08_properties as properties
from lessons.check.checking import Case, Exercise, Mistake
from lessons.check.lesson_08_mistakes import ALL, field_for_its_derivative, ncc_b, rotation
from lessons.check.lesson_08_properties import by_differences, gradients, masked, pairs
from minireg import Tensor, backend, ops


def _project(g, a, b):
    """The gradient of `ops.ncc` with respect to b, computed by the engine."""
    b = Tensor(backend.to_device(np.array(b)), requires_grad=True)
    ops.ncc(backend.to_device(np.array(a)), b).backward(backend.to_device(np.array(g)))
    return backend.to_host(b.grad)


def _by_its_matrix(g, mask):
    """The reference: the transposed matrix of the centring, found column by column, times g."""
    columns = []
    for pixel in np.eye(g.size):
        image = pixel.reshape(g.shape)
        columns.append((image - np.average(image, weights=mask)).ravel())
    return (np.array(columns) @ np.ravel(g)).reshape(g.shape)


VJP_NCC_B = Exercise(
    name="vjp_ncc_b",
    title="the VJP of NCC in the second image",
    reference=_project,
    cases=[
        Case("one pair, cotangent 1", (np.ones(1), *pairs(1, 1, 4, 4, 1)[1:])),
        Case("another cotangent, below 0", pairs(2, 1, 4, 4, 1)),
        Case("3 x 5 pixels", pairs(3, 1, 3, 5, 1)),
        Case("three channels", pairs(4, 1, 4, 5, 3)),
        Case("a batch of three pairs", pairs(5, 3, 4, 5, 2)),
        Case("images around 1,000,000", pairs(6, 2, 4, 5, 1, offset=1e6)),
    ],
    mistakes=[
        Mistake(
            "This is the gradient with respect to the *first* image.",
            lambda g, a, b: ncc_b(g, b, a),
        ),
        Mistake(
            "The first term holds b. NCC is the product of both images: what is left of it when it is differentiated "
            "by b?",
            lambda g, a, b: ncc_b(g, a, b, first="b"),
        ),
        Mistake(
            "The second term holds a. It is what the length of b' does to NCC, and this length changes along another "
            "image.",
            lambda g, a, b: ncc_b(g, a, b, last="a"),
        ),
        Mistake(
            "The second term is missing, the one that keeps the gradient from changing the contrast. NCC is a "
            "quotient, and its denominator depends on b too.",
            lambda g, a, b: ncc_b(g, a, b, second=0.0),
        ),
        Mistake(
            "The second term has the wrong sign.",
            lambda g, a, b: ncc_b(g, a, b, second=-1.0),
        ),
        Mistake(
            "The second term is twice as large as it should be. Where did the 1/2 of the square root's derivative go?",
            lambda g, a, b: ncc_b(g, a, b, second=2.0),
        ),
        Mistake(
            "The second term is divided by the energy of the other image. Which of the two sums depends on b?",
            lambda g, a, b: ncc_b(g, a, b, energy="a"),
        ),
        Mistake(
            "Nothing is centred: this is the gradient of the cosine of the images as they are.",
            lambda g, a, b: ncc_b(g, a, b, centred_sums=False, centred_images=False),
        ),
        Mistake(
            "Your sums are of centred images, but the images of the result are not centred themselves.",
            lambda g, a, b: ncc_b(g, a, b, centred_images=False),
        ),
        Mistake(
            "This is the gradient with respect to the *standardised* b. One step back is missing, the division of b' "
            "by its own length or standard deviation.",
            lambda g, a, b: ncc_b(g, a, b) * np.std(b, axis=ALL, keepdims=True),
        ),
        Mistake(
            "All images of the batch share one mean. Each image has its own.",
            lambda g, a, b: ncc_b(g, a, b, mean_of=(0, 1, 2, 3)),
        ),
        Mistake(
            "All pairs of the batch share their sums. Each pair has its own NCC.",
            lambda g, a, b: ncc_b(g, a, b, sums_over=(0, 1, 2, 3)),
        ),
        Mistake(
            "Means and sums run over the whole batch. Each pair has its own NCC.",
            lambda g, a, b: ncc_b(g, a, b, mean_of=(0, 1, 2, 3), sums_over=(0, 1, 2, 3)),
        ),
        Mistake(
            "Each channel has a mean of its own in your result. NCC takes one mean over all pixels *and* channels.",
            lambda g, a, b: ncc_b(g, a, b, mean_of=(1, 2)),
        ),
        Mistake(
            "Each channel has an NCC of its own in your result. Here it is one number over all pixels *and* channels.",
            lambda g, a, b: ncc_b(g, a, b, mean_of=(1, 2), sums_over=(1, 2)),
        ),
        Mistake(
            "The cotangent is missing.",
            lambda g, a, b: ncc_b(np.ones_like(g), a, b),
        ),
        Mistake(
            "All pairs get the sum of the cotangents. Each pair has its own.",
            lambda g, a, b: ncc_b(np.full_like(g, np.sum(g)), a, b),
        ),
        Mistake(
            "All pairs get the mean of the cotangents. Each pair has its own.",
            lambda g, a, b: ncc_b(np.full_like(g, np.mean(g)), a, b),
        ),
        Mistake(
            "A square root is missing: a scalar product is divided by the product of two lengths, not of their "
            "squares.",
            lambda g, a, b: ncc_b(g, a, b, square_root=False),
        ),
    ],
    properties=properties.OF_NCC,
)

VJP_CENTRE_INSIDE = Exercise(
    name="vjp_centre_inside",
    title="the VJP of centring with a masked mean",
    reference=_by_its_matrix,
    cases=[
        Case("the mask is 1 everywhere", (masked(1, 3, 4)[0], np.ones((3, 4)))),
        Case("a mask of zeros and ones", masked(2, 4, 4)),
        Case("another mask, 3 x 6 pixels", masked(3, 3, 6)),
        Case("a mask of weights between 0.2 and 3", masked(4, 4, 5, weights=True)),
    ],
    mistakes=[
        Mistake(
            "You centre g with the masked mean, as the forward does with a. Only a symmetric matrix is its own "
            "adjoint, and this one is not: m reads the inside and is subtracted everywhere. Backwards it is the other "
            "way round.",
            lambda g, mask: g - np.sum(mask * g) / np.sum(mask),
        ),
        Mistake(
            "You centre g with the ordinary mean. Where is the mask?",
            lambda g, mask: g - np.mean(g),
        ),
        Mistake(
            "You add up g inside the mask only. But m is subtracted from all pixels: from where do cotangents reach "
            "it?",
            lambda g, mask: g - mask * np.sum(mask * g) / np.sum(mask),
        ),
        Mistake(
            "You take the same amount from all pixels. m depends on those inside the mask only, each with its weight.",
            lambda g, mask: g - np.sum(g) / np.sum(mask),
        ),
        Mistake(
            "You divide by the number of all pixels. m was divided by another sum.",
            lambda g, mask: g - mask * np.mean(g),
        ),
        Mistake(
            "You treat the mask as a matter of yes and no. It holds weights: a pixel with twice the weight has twice "
            "the part in m.",
            lambda g, mask: g - (mask > 0) * np.sum(g) / np.sum(mask > 0),
        ),
        Mistake(
            "You divide by the number of pixels inside. m was divided by the sum of the weights, which need not be "
            "ones.",
            lambda g, mask: g - mask * np.sum(g) / np.sum(mask > 0),
        ),
        Mistake(
            "Every row has a mean of its own in your result. There is one m for the whole image.",
            lambda g, mask: g - mask * np.sum(g, axis=1, keepdims=True) / np.sum(mask, axis=1, keepdims=True),
        ),
        Mistake(
            "This is what comes back through the mean. Each pixel of a is also in y directly.",
            lambda g, mask: -mask * np.sum(g) / np.sum(mask),
        ),
        Mistake(
            "The share that comes back through the mean is too large: m is a sum divided by something.",
            lambda g, mask: g - mask * np.sum(g),
        ),
        Mistake(
            "You return g as it is: nothing comes back through the mean, which depends on a as well.",
            lambda g, mask: g * 1.0,
        ),
        Mistake(
            "The share that comes back through the mean has the wrong sign: m is subtracted.",
            lambda g, mask: g + mask * np.sum(g) / np.sum(mask),
        ),
        Mistake(
            "Your result is 0 outside the mask. A pixel there is not in the mean, but it is in y.",
            lambda g, mask: mask * (g - np.sum(g) / np.sum(mask)),
        ),
        Mistake(
            "Your result is 0 outside the mask, and the cotangents there are lost. A pixel there is in y, and m is "
            "subtracted from it.",
            lambda g, mask: mask * (g - np.sum(mask * g) / np.sum(mask)),
        ),
    ],
    properties=properties.OF_CENTRING,
)

GRADIENT_OF_ROTATION = Exercise(
    name="gradient_of_rotation",
    title="the chain from a displacement field to one angle",
    reference=by_differences,
    cases=[
        Case("angle 0, 3 x 3 pixels", (gradients(1, 1, 3, 3)[0], np.zeros(1))),
        Case("another angle, 5 x 5 pixels", gradients(2, 1, 5, 5)),
        Case("an even number of pixels, 4 x 4", gradients(3, 1, 4, 4)),
        Case("3 x 6 pixels", gradients(4, 1, 3, 6)),
        Case("a batch of three images with three angles", gradients(5, 3, 4, 5)),
    ],
    mistakes=[
        Mistake(
            "You turn about the pixel (0, 0), the upper left corner. Here the image turns about its middle.",
            lambda g_u, angle: rotation(g_u, angle, middle=lambda h, w: (0, 0)),
        ),
        Mistake(
            "Your middle is half a pixel off. Rows 0 to H - 1: where is half-way between the first and the last?",
            lambda g_u, angle: rotation(g_u, angle, middle=lambda h, w: (h / 2, w / 2)),
        ),
        Mistake(
            "Your middle is a whole pixel. With an even number of pixels it lies between two.",
            lambda g_u, angle: rotation(g_u, angle, middle=lambda h, w: (h // 2, w // 2)),
        ),
        Mistake(
            "Your middle is a whole pixel, rounded down. With an even number of pixels it lies between two.",
            lambda g_u, angle: rotation(g_u, angle, middle=lambda h, w: ((h - 1) // 2, (w - 1) // 2)),
        ),
        Mistake(
            "Your down and right run from -1 to 1. Displacements are in pixels, so these are pixels too.",
            lambda g_u, angle: rotation(g_u, angle, size=lambda h, w: ((h - 1) / 2, (w - 1) / 2)),
        ),
        Mistake(
            "Your middle is that of an image with rows and columns exchanged.",
            lambda g_u, angle: rotation(g_u, angle, middle=lambda h, w: ((w - 1) / 2, (h - 1) / 2)),
        ),
        Mistake(
            "You multiply g_u with the displacement. The chain rule wants its derivative by the angle.",
            field_for_its_derivative,
        ),
        Mistake(
            "Your result is that at angle 0. The derivative of a rotation depends on the angle.",
            lambda g_u, angle: rotation(g_u, 0 * angle),
        ),
        Mistake(
            "You take the angle for degrees. It is in radians.",
            lambda g_u, angle: rotation(g_u, np.radians(angle)),
        ),
        Mistake(
            "You differentiate by degrees: every number is pi / 180 times what it should be.",
            lambda g_u, angle: rotation(g_u, angle) * np.pi / 180,
        ),
        Mistake(
            "You have exchanged down and right: one belongs to the rows, the other to the columns.",
            lambda g_u, angle: rotation(g_u, angle, exchanged=True),
        ),
        Mistake(
            "The two components of g_u are exchanged: rows come first, then columns.",
            lambda g_u, angle: rotation(g_u[..., ::-1], angle),
        ),
        Mistake(
            "You use the angle of the first image for all.",
            lambda g_u, angle: rotation(g_u, np.full_like(angle, angle[0])),
        ),
        Mistake(
            "All images get the sum over the whole batch. Each has an angle of its own.",
            lambda g_u, angle: np.full_like(angle, np.sum(rotation(g_u, angle))),
        ),
        Mistake(
            "The displacements along columns are missing: the angle changes both components.",
            lambda g_u, angle: rotation(g_u, angle, terms=(1, 0)),
        ),
        Mistake(
            "The displacements along rows are missing: the angle changes both components.",
            lambda g_u, angle: rotation(g_u, angle, terms=(0, 1)),
        ),
        Mistake(
            "You take the mean over the pixels. A change of the angle changes all of them, so what they contribute "
            "adds up.",
            lambda g_u, angle: rotation(g_u, angle, total=np.mean),
        ),
        Mistake(
            "The terms with the sine have the wrong sign. What is the derivative of the cosine? Has the angle its "
            "sign?",
            lambda g_u, angle: rotation(g_u, angle, sines=-1),
        ),
        Mistake(
            "The terms with the cosine have the wrong sign. What is the derivative of the sine?",
            lambda g_u, angle: rotation(g_u, angle, cosines=-1),
        ),
    ],
    properties=properties.OF_THE_ROTATION,
)

EXERCISES = [VJP_NCC_B, VJP_CENTRE_INSIDE, GRADIENT_OF_ROTATION]

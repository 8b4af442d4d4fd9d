"""The checks of the exercises of lesson 8."""

import numpy as np

from lessons.check.checking import Case, Exercise, Mistake
from minireg import Tensor, backend, ops

# ---- vjp_ncc_b


def _pairs(seed, n, h, w, channels, offset=0.0):
    """A cotangent and pairs of images that resemble each other to different degrees."""
    rng = np.random.default_rng(seed)
    a, noise = rng.random((2, n, h, w, channels))
    likeness = np.linspace(0.4, 0.8, n)[:, None, None, None]
    b = likeness * a + (1 - likeness) * noise + np.linspace(0.1, 0.3, n)[:, None, None, None]
    return rng.uniform(0.5, 2.0, n), a + offset, b + 2 * offset


def _project(g, a, b):
    """The gradient of `ops.ncc` with respect to b, computed by the engine."""
    b = Tensor(backend.to_device(np.array(b)), requires_grad=True)
    ops.ncc(backend.to_device(np.array(a)), b).backward(backend.to_device(np.array(g)))
    return backend.to_host(b.grad)


ALL = (1, 2, 3)


def _ncc_b(
    g,
    a,
    b,
    mean_of=ALL,
    sums_over=ALL,
    centred_sums=True,
    centred_images=True,
    second=1.0,
    energy="b",
    square_root=True,
):
    """The gradient as a learner would write it, with a place for each mistake."""
    centred = [x - np.mean(x, axis=mean_of, keepdims=True) for x in (a, b)]
    x, y = centred if centred_sums else (a, b)
    saa, sbb, sab = (np.sum(p * q, axis=sums_over, keepdims=True) for p, q in ((x, x), (y, y), (x, y)))
    norm = np.sqrt(saa * sbb) if square_root else saa * sbb
    x, y = centred if centred_images else (a, b)
    return np.reshape(g, (-1, 1, 1, 1)) * (x / norm - second * sab / norm * y / (sbb if energy == "b" else saa))


def blind_to_brightness(vjp_ncc_b):
    g, a, b = _pairs(11, 2, 4, 5, 1)
    if abs(np.sum(vjp_ncc_b(g, a, b), axis=ALL)).max() > 1e-4:
        return (
            "NCC does not change when all of b becomes brighter, so in each image your result must add up to 0. It "
            "does not. Which images must be centred, and with the mean over what?"
        )


def blind_to_contrast(vjp_ncc_b):
    g, a, b = _pairs(12, 2, 4, 5, 1)
    if abs(np.sum(vjp_ncc_b(g, a, b) * b, axis=ALL)).max() > 1e-4:
        return (
            "NCC does not change when b gets more contrast, so in each image your result times b must add up to 0. It "
            "does not: look at the second term, the one with y."
        )


def proportional_to_its_cotangent(vjp_ncc_b):
    g, a, b = _pairs(13, 2, 4, 5, 1)
    if not np.allclose(vjp_ncc_b(3 * g, a, b), 3 * vjp_ncc_b(g, a, b), rtol=1e-4, atol=1e-5):
        return "Three times the cotangent must give three times the result: g belongs to both terms, once to each."


def survives_an_offset(vjp_ncc_b):
    g, a, b = _pairs(14, 2, 4, 5, 1)
    if not np.allclose(vjp_ncc_b(g, a + 1e6, b + 1e6), vjp_ncc_b(g, a, b), rtol=1e-4, atol=1e-6):
        return (
            "Images that are brighter by a million have the same gradient, but you lose its digits. Do you subtract "
            "two huge sums that are almost equal?"
        )


VJP_NCC_B = Exercise(
    name="vjp_ncc_b",
    title="the VJP of NCC in the second image",
    reference=_project,
    cases=[
        Case("one pair, cotangent 1", (np.ones(1), *_pairs(1, 1, 4, 4, 1)[1:])),
        Case("another cotangent", _pairs(2, 1, 4, 4, 1)),
        Case("3 x 5 pixels", _pairs(3, 1, 3, 5, 1)),
        Case("three channels", _pairs(4, 1, 4, 5, 3)),
        Case("a batch of three pairs", _pairs(5, 3, 4, 5, 2)),
        Case("images around 1,000,000", _pairs(6, 2, 4, 5, 1, offset=1e6)),
    ],
    mistakes=[
        Mistake(
            "This is the gradient with respect to the *first* image.",
            lambda g, a, b: _ncc_b(g, b, a),
        ),
        Mistake(
            "The second term is missing, the one that keeps the gradient from changing the contrast. NCC is a "
            "quotient, and its denominator depends on b too.",
            lambda g, a, b: _ncc_b(g, a, b, second=0.0),
        ),
        Mistake(
            "The second term has the wrong sign.",
            lambda g, a, b: _ncc_b(g, a, b, second=-1.0),
        ),
        Mistake(
            "The second term is twice as large as it should be. Where did the 1/2 of the square root's derivative go?",
            lambda g, a, b: _ncc_b(g, a, b, second=2.0),
        ),
        Mistake(
            "The second term is divided by the energy of the other image. Which of the two sums depends on b?",
            lambda g, a, b: _ncc_b(g, a, b, energy="a"),
        ),
        Mistake(
            "Nothing is centred: this is the gradient of the cosine of the images as they are.",
            lambda g, a, b: _ncc_b(g, a, b, centred_sums=False, centred_images=False),
        ),
        Mistake(
            "Your sums are of centred images, but the images of the result are not centred themselves.",
            lambda g, a, b: _ncc_b(g, a, b, centred_images=False),
        ),
        Mistake(
            "This is the gradient with respect to the *standardised* b. One step back is missing, the division of b' "
            "by its own length or standard deviation.",
            lambda g, a, b: _ncc_b(g, a, b) * np.std(b, axis=ALL, keepdims=True),
        ),
        Mistake(
            "All images of the batch share one mean. Each image has its own.",
            lambda g, a, b: _ncc_b(g, a, b, mean_of=(0, 1, 2, 3)),
        ),
        Mistake(
            "All pairs of the batch share their sums. Each pair has its own NCC.",
            lambda g, a, b: _ncc_b(g, a, b, sums_over=(0, 1, 2, 3)),
        ),
        Mistake(
            "Means and sums run over the whole batch. Each pair has its own NCC.",
            lambda g, a, b: _ncc_b(g, a, b, mean_of=(0, 1, 2, 3), sums_over=(0, 1, 2, 3)),
        ),
        Mistake(
            "Each channel has a mean of its own in your result. NCC takes one mean over all pixels *and* channels.",
            lambda g, a, b: _ncc_b(g, a, b, mean_of=(1, 2)),
        ),
        Mistake(
            "The cotangent is missing.",
            lambda g, a, b: _ncc_b(np.ones_like(g), a, b),
        ),
        Mistake(
            "All pairs get the sum of the cotangents. Each pair has its own.",
            lambda g, a, b: _ncc_b(np.full_like(g, np.sum(g)), a, b),
        ),
        Mistake(
            "A square root is missing: a scalar product is divided by the product of two lengths, not of their "
            "squares.",
            lambda g, a, b: _ncc_b(g, a, b, square_root=False),
        ),
    ],
    properties=[proportional_to_its_cotangent, blind_to_brightness, blind_to_contrast, survives_an_offset],
)

# ---- vjp_centre_inside


def _by_its_matrix(g, mask):
    """The reference: the transposed matrix of the centring, found column by column, times g."""
    columns = []
    for pixel in np.eye(g.size):
        image = pixel.reshape(g.shape)
        columns.append((image - np.average(image, weights=mask)).ravel())
    return (np.array(columns) @ np.ravel(g)).reshape(g.shape)


def _masked(seed, h, w, weights=False):
    rng = np.random.default_rng(seed)
    mask = rng.uniform(0.2, 3.0, (h, w)) if weights else (rng.random((h, w)) < 0.6).astype(float)
    mask[0, 0] = 0.0
    return rng.standard_normal((h, w)) + 0.3, mask


def a_constant_cannot_be_seen(vjp_centre_inside):
    g, mask = _masked(21, 4, 5, weights=True)
    if abs(np.sum(vjp_centre_inside(g, mask))) > 1e-4:
        return (
            "If all of a becomes brighter, so does its mean, and y stays as it is. So your result must add up to 0. It "
            "does not."
        )


def outside_stays_as_it_is(vjp_centre_inside):
    g, mask = _masked(22, 4, 5)
    if not np.allclose(vjp_centre_inside(g, mask)[mask == 0], g[mask == 0], atol=1e-5):
        return (
            "A pixel outside the mask does not take part in the mean m. It changes y in one place only, its own. What "
            "is its gradient, then?"
        )


def outside_still_pulls_at_the_mean(vjp_centre_inside):
    mask = np.array([[1.0, 1.0, 0.0]])
    if not np.any(vjp_centre_inside(np.array([[0.0, 0.0, 1.0]]), mask)[mask == 1]):
        return (
            "The mean is subtracted outside the mask too. So a cotangent outside must reach the pixels inside, through "
            "the mean. In your result it does not."
        )


def passes_the_adjoint_test(vjp_centre_inside):
    g, mask = _masked(23, 4, 5, weights=True)
    a = np.random.default_rng(24).random((4, 5))
    if not np.isclose(np.sum((a - np.average(a, weights=mask)) * g), np.sum(a * vjp_centre_inside(g, mask)), rtol=1e-4):
        return (
            "It fails the adjoint test: sum(y * g) and sum(a * your result) differ. Take a g that is 1 at one pixel "
            "and 0 elsewhere, write y at this pixel as a sum over all pixels of a, and read off its coefficients."
        )


VJP_CENTRE_INSIDE = Exercise(
    name="vjp_centre_inside",
    title="the VJP of centring with a masked mean",
    reference=_by_its_matrix,
    cases=[
        Case("the mask is 1 everywhere", (_masked(1, 3, 4)[0], np.ones((3, 4)))),
        Case("a mask of zeros and ones", _masked(2, 4, 4)),
        Case("another mask, 3 x 6 pixels", _masked(3, 3, 6)),
        Case("a mask of weights between 0.2 and 3", _masked(4, 4, 5, weights=True)),
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
    properties=[
        outside_stays_as_it_is,
        outside_still_pulls_at_the_mean,
        a_constant_cannot_be_seen,
        passes_the_adjoint_test,
    ],
)

# ---- gradient_of_rotation


def _field(h, w, angle):
    down, right = np.mgrid[:h, :w] - np.array([(h - 1) / 2, (w - 1) / 2])[:, None, None]
    return np.stack([np.cos(angle) * down + np.sin(angle) * right, np.cos(angle) * right - np.sin(angle) * down], -1)


def _by_differences(g_u, angle, h=1e-5):
    """The reference: the field at two angles, and nothing of its derivative."""
    shape = g_u.shape[1:3]
    return np.array(
        [
            np.sum(one * (_field(*shape, value + h) - _field(*shape, value - h))) / (2 * h)
            for one, value in zip(g_u, angle, strict=True)
        ]
    )


def _rotation(g_u, angle, middle=lambda h, w: ((h - 1) / 2, (w - 1) / 2), terms=(1, 1), signs=(1, 1), total=np.sum):
    """The gradient as a learner would write it, with a place for each mistake."""
    h, w = g_u.shape[1:3]
    down, right = np.mgrid[:h, :w]
    down, right = down - middle(h, w)[0], right - middle(h, w)[1]
    angle = np.asarray(angle)[:, None, None]
    along_rows = np.cos(angle) * right - signs[0] * np.sin(angle) * down
    along_columns = -signs[1] * np.sin(angle) * right - np.cos(angle) * down
    return total(terms[0] * g_u[..., 0] * along_rows + terms[1] * g_u[..., 1] * along_columns, axis=(1, 2))


def _uses_the_field_itself(g_u, angle):
    fields = np.array([_field(*g_u.shape[1:3], value) - _field(*g_u.shape[1:3], 0.0) for value in angle])
    return np.sum(g_u * fields, axis=(1, 2, 3))


def _gradients(seed, n, h, w):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, h, w, 2)), rng.uniform(-1.5, 1.5, n)


def the_middle_does_not_move(gradient_of_rotation):
    g_u = np.zeros((1, 5, 7, 2))
    g_u[0, 2, 3] = 1.0, -2.0
    if abs(gradient_of_rotation(g_u, np.array([0.4]))[0]) > 1e-4:
        return "The pixel in the middle looks at itself whatever the angle: its g_u must not matter."


def each_component_is_right(gradient_of_rotation):
    g_u, angle = _gradients(31, 1, 5, 5)
    for name, k in ("rows", 0), ("columns", 1):
        only = np.zeros_like(g_u)
        only[..., k] = g_u[..., k]
        if not np.isclose(gradient_of_rotation(only, angle)[0], _by_differences(only, angle)[0], rtol=1e-4):
            return (
                f"The part that comes from the displacements along {name} is wrong. Differentiate the formula of "
                f"{('u_row', 'u_column')[k]} by the angle once more: down and right do not change, sine and cosine do."
            )


GRADIENT_OF_ROTATION = Exercise(
    name="gradient_of_rotation",
    title="the chain from a displacement field to one angle",
    reference=_by_differences,
    cases=[
        Case("angle 0, 3 x 3 pixels", (_gradients(1, 1, 3, 3)[0], np.zeros(1))),
        Case("another angle, 5 x 5 pixels", _gradients(2, 1, 5, 5)),
        Case("an even number of pixels, 4 x 4", _gradients(3, 1, 4, 4)),
        Case("3 x 6 pixels", _gradients(4, 1, 3, 6)),
        Case("a batch of three images with three angles", _gradients(5, 3, 4, 5)),
    ],
    mistakes=[
        Mistake(
            "You turn about the pixel (0, 0), the upper left corner. Here the image turns about its middle.",
            lambda g_u, angle: _rotation(g_u, angle, middle=lambda h, w: (0, 0)),
        ),
        Mistake(
            "Your middle is half a pixel off. Rows 0 to H - 1: where is half-way between the first and the last?",
            lambda g_u, angle: _rotation(g_u, angle, middle=lambda h, w: (h / 2, w / 2)),
        ),
        Mistake(
            "Your middle is a whole pixel. With an even number of pixels it lies between two.",
            lambda g_u, angle: _rotation(g_u, angle, middle=lambda h, w: (h // 2, w // 2)),
        ),
        Mistake(
            "Your middle is that of an image with rows and columns exchanged.",
            lambda g_u, angle: _rotation(g_u, angle, middle=lambda h, w: ((w - 1) / 2, (h - 1) / 2)),
        ),
        Mistake(
            "You multiply g_u with the displacement. The chain rule wants its derivative by the angle.",
            _uses_the_field_itself,
        ),
        Mistake(
            "Your result is that at angle 0. The derivative of a rotation depends on the angle.",
            lambda g_u, angle: _rotation(g_u, 0 * angle),
        ),
        Mistake(
            "You take the angle for degrees. It is in radians.",
            lambda g_u, angle: _rotation(g_u, np.radians(angle)),
        ),
        Mistake(
            "The two components of g_u are exchanged: rows come first, then columns.",
            lambda g_u, angle: _rotation(g_u[..., ::-1], angle),
        ),
        Mistake(
            "You use the angle of the first image for all.",
            lambda g_u, angle: _rotation(g_u, np.full_like(angle, angle[0])),
        ),
        Mistake(
            "The displacements along columns are missing: the angle changes both components.",
            lambda g_u, angle: _rotation(g_u, angle, terms=(1, 0)),
        ),
        Mistake(
            "The displacements along rows are missing: the angle changes both components.",
            lambda g_u, angle: _rotation(g_u, angle, terms=(0, 1)),
        ),
        Mistake(
            "You take the mean over the pixels. A change of the angle changes all of them, so what they contribute "
            "adds up.",
            lambda g_u, angle: _rotation(g_u, angle, total=np.mean),
        ),
        Mistake(
            "The terms with the sine have the wrong sign. What is the derivative of the cosine? Has the angle its "
            "sign?",
            lambda g_u, angle: _rotation(g_u, angle, signs=(-1, -1)),
        ),
    ],
    properties=[the_middle_does_not_move, each_component_is_right],
)

EXERCISES = [VJP_NCC_B, VJP_CENTRE_INSIDE, GRADIENT_OF_ROTATION]

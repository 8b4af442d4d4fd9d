"""What every right answer to the exercises of lesson 8 fulfils, and the arguments that it is tested with."""

import numpy as np

from lessons.check.lesson_08_mistakes import field
from lessons.check.properties import each_alone

# ---- vjp_ncc_b


def pairs(seed, n, h, w, channels, offset=0.0):
    """Cotangents of both signs, and pairs of images that resemble each other to different degrees."""
    rng = np.random.default_rng(seed)
    a, noise = rng.random((2, n, h, w, channels))
    likeness = np.linspace(0.4, 0.8, n)[:, None, None, None]
    b = likeness * a + (1 - likeness) * noise + np.linspace(0.1, 0.3, n)[:, None, None, None]
    signs = np.where(np.arange(n) % 2, 1, -1)
    return signs * rng.uniform(0.5, 2.0, n), a + offset, b + 2 * offset


def blind_to_brightness(vjp_ncc_b):
    g, a, b = pairs(11, 1, 4, 5, 1)
    if abs(np.sum(vjp_ncc_b(g, a, b))) > 1e-4:
        return (
            "NCC does not change when all of b becomes brighter, so in each image your result must add up to 0. It "
            "does not. Which images must be centred, and with the mean over what?"
        )


def blind_to_contrast(vjp_ncc_b):
    g, a, b = pairs(12, 1, 4, 5, 1)
    if abs(np.sum(vjp_ncc_b(g, a, b) * b)) > 1e-4:
        return (
            "NCC does not change when b gets more contrast, so in each image your result times b must add up to 0. It "
            "does not: look at the second term, the one with y."
        )


def proportional_to_its_cotangent(vjp_ncc_b):
    g, a, b = pairs(13, 1, 4, 5, 1)
    if not np.allclose(vjp_ncc_b(3 * g, a, b), 3 * np.asarray(vjp_ncc_b(g, a, b)), rtol=1e-4, atol=1e-5):
        return "Three times the cotangent must give three times the result: g belongs to both terms, once to each."


def one_number_for_all_channels(vjp_ncc_b):
    # The channels of a pair are pixels like all others.
    g, a, b = pairs(15, 1, 4, 5, 3)
    beside_each_other = (x.reshape(1, 4, 15, 1) for x in (a, b))
    if not np.allclose(np.ravel(vjp_ncc_b(g, a, b)), np.ravel(vjp_ncc_b(g, *beside_each_other)), rtol=1e-4, atol=1e-5):
        return (
            "An image of 4 x 5 pixels with three channels and one of 4 x 15 pixels with the same 60 numbers must get "
            "the same 60 derivatives: NCC is one number over all pixels *and* channels."
        )


def survives_an_offset(vjp_ncc_b):
    g, a, b = pairs(14, 1, 4, 5, 1)
    if not np.allclose(vjp_ncc_b(g, a + 1e6, b + 1e6), vjp_ncc_b(g, a, b), rtol=1e-4, atol=1e-6):
        return (
            "Images that are brighter by a million have the same gradient, but you lose its digits. Do you subtract "
            "two huge sums that are almost equal?"
        )


OF_NCC = [
    proportional_to_its_cotangent,
    blind_to_brightness,
    blind_to_contrast,
    one_number_for_all_channels,
    each_alone(*pairs(16, 3, 4, 5, 1)),
    survives_an_offset,
]

# ---- vjp_centre_inside


def masked(seed, h, w, weights=False):
    """A cotangent and a mask of zeros and ones, or of weights."""
    rng = np.random.default_rng(seed)
    mask = rng.uniform(0.2, 3.0, (h, w)) if weights else (rng.random((h, w)) < 0.6).astype(float)
    mask[0, 0] = 0.0
    return rng.standard_normal((h, w)) + 0.3, mask


def outside_stays_as_it_is(vjp_centre_inside):
    g, mask = masked(22, 4, 5)
    if not np.allclose(np.asarray(vjp_centre_inside(g, mask))[mask == 0], g[mask == 0], atol=1e-5):
        return (
            "A pixel outside the mask does not take part in the mean m. It changes y in one place only, its own. What "
            "is its gradient, then?"
        )


def outside_still_pulls_at_the_mean(vjp_centre_inside):
    mask = np.array([[1.0, 1.0, 0.0]])
    if not np.any(np.asarray(vjp_centre_inside(np.array([[0.0, 0.0, 1.0]]), mask))[mask == 1]):
        return (
            "The mean is subtracted outside the mask too. So a cotangent outside must reach the pixels inside, through "
            "the mean. In your result it does not."
        )


def cotangents_that_cancel_reach_no_mean(vjp_centre_inside):
    mask, g = np.array([[1.0, 2.0, 0.0]]), np.array([[1.0, -3.0, 2.0]])
    if not np.allclose(vjp_centre_inside(g, mask), g, atol=1e-5):
        return (
            "The cotangents 1, -3 and 2 of three pixels cancel on their way to m, because all three lose the same m. "
            "What is left is g itself, whatever the mask. Yours is not."
        )


def only_the_ratios_of_the_weights_count(vjp_centre_inside):
    g, mask = masked(25, 4, 5)
    if not np.allclose(vjp_centre_inside(g, 2 * mask), vjp_centre_inside(g, mask), atol=1e-4):
        return (
            "A mask of twos has the same mean m as a mask of ones, so it must have the same result. Yours is another "
            "one: by what is m divided?"
        )


def a_constant_cannot_be_seen(vjp_centre_inside):
    g, mask = masked(21, 4, 5, weights=True)
    if abs(np.sum(vjp_centre_inside(g, mask))) > 1e-4:
        return (
            "If all of a becomes brighter, so does its mean, and y stays as it is. So your result must add up to 0. It "
            "does not."
        )


def passes_the_adjoint_test(vjp_centre_inside):
    g, mask = masked(23, 4, 5, weights=True)
    a = np.random.default_rng(24).random((4, 5))
    if not np.isclose(np.sum((a - np.average(a, weights=mask)) * g), np.sum(a * vjp_centre_inside(g, mask)), rtol=1e-4):
        return (
            "It fails the adjoint test: sum(y * g) and sum(a * your result) differ. Take a g that is 1 at one pixel "
            "and 0 elsewhere, write y at this pixel as a sum over all pixels of a, and read off its coefficients."
        )


OF_CENTRING = [
    outside_stays_as_it_is,
    outside_still_pulls_at_the_mean,
    cotangents_that_cancel_reach_no_mean,
    only_the_ratios_of_the_weights_count,
    a_constant_cannot_be_seen,
    passes_the_adjoint_test,
]

# ---- gradient_of_rotation


def gradients(seed, n, h, w):
    """Gradients of displacement fields, and angles."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, h, w, 2)), rng.uniform(-1.5, 1.5, n)


def by_differences(g_u, angle, h=1e-5):
    """The right derivative, from the field at two angles, and nothing of its derivative."""
    shape = g_u.shape[1:3]
    return np.array(
        [
            np.sum(one * (field(*shape, value + h) - field(*shape, value - h))) / (2 * h)
            for one, value in zip(g_u, angle, strict=True)
        ]
    )


def the_middle_does_not_move(gradient_of_rotation):
    g_u = np.zeros((1, 5, 7, 2))
    g_u[0, 2, 3] = 1.0, -2.0
    if abs(gradient_of_rotation(g_u, np.array([0.4]))[0]) > 1e-4:
        return (
            "The pixel in the middle looks at itself whatever the angle: its g_u must not matter. Take 5 x 7 pixels: "
            "what are `down` and `right` at row 2, column 3?"
        )


def each_component_is_right(gradient_of_rotation):
    g_u, angle = gradients(31, 1, 5, 5)
    parts = [g_u * np.array(keep) for keep in ([1, 0], [0, 1])]
    ratios = [float(gradient_of_rotation(part, angle)[0] / by_differences(part, angle)[0]) for part in parts]
    if np.allclose(ratios, 0):
        return "Where the g_u of one component is 0, your result is 0. Are the parts of both multiplied, not added?"
    if np.isclose(*ratios, rtol=1e-4) and not np.isclose(ratios[0], 1, rtol=1e-4):
        return (
            f"With 5 x 5 pixels and the angle {angle[0]:.3g}, what comes from both components is {ratios[0]:.3g} times "
            "what it should be. Is something divided or multiplied that should not be?"
        )
    for name, formula, ratio in ("rows", "u_row", ratios[0]), ("columns", "u_column", ratios[1]):
        if not np.isclose(ratio, 1, rtol=1e-4):
            return (
                f"The part that comes from the displacements along {name} is wrong. Differentiate the formula of "
                f"{formula} by the angle once more: down and right do not change, sine and cosine do."
            )


OF_THE_ROTATION = [the_middle_does_not_move, each_component_is_right, each_alone(*gradients(32, 3, 4, 5))]

"""What every right answer to the exercises of lesson 7 fulfils, and the arguments that it is tested with."""

import numpy as np

from lessons.check.lesson_07_mistakes import interpolate
from lessons.check.properties import each_alone


def _arrays(seed, n, h, w, channels, outside=0):
    """A cotangent, images, and displacements that lead to random places up to `outside` pixels beyond the border."""
    rng = np.random.default_rng(seed)
    g, image = rng.standard_normal((2, n, h, w, channels))
    corner = rng.integers(-outside, [h - 1 + outside, w - 1 + outside], (n, h, w, 2))
    u = corner + rng.uniform(0.1, 0.9, corner.shape) - np.moveaxis(np.mgrid[:h, :w], 0, -1)
    return g, image, u


def _whole(seed, n, h, w, channels):
    """The same with displacements by whole pixels."""
    g, image, u = _arrays(seed, n, h, w, channels, outside=1)
    return g, image, np.round(u)


ARGUMENTS = {
    "4 x 4 pixels, all points inside": _arrays(1, 1, 4, 4, 1),
    "3 x 6 pixels, all points inside": _arrays(2, 1, 3, 6, 1),
    "three channels": _arrays(3, 1, 4, 5, 3),
    "a batch of three images": _arrays(4, 3, 4, 5, 2),
    "points beyond the border": _arrays(5, 2, 4, 5, 2, outside=3),
    "displacements by whole pixels": _whole(6, 1, 5, 4, 2),
}
BATCH = ARGUMENTS["a batch of three images"]


def _one_looks(place, cotangent=8.0, size=5):
    """A cotangent and a field that are 0 except at the middle pixel, which looks at `place`."""
    g, u = np.zeros((1, size, size, 1)), np.zeros((1, size, size, 2))
    g[0, size // 2, size // 2], u[0, size // 2, size // 2] = cotangent, np.array(place) - size // 2
    return g, u


# A quarter of a pixel beyond the upper, the left, the lower and the right border of 5 x 5 pixels.
BEYOND = (-0.25, 2.0), (2.0, -0.25), (4.25, 2.0), (2.0, 4.25)

# ---- vjp_displacement


def only_four_pixels_matter(vjp_displacement):
    g, u = _one_looks((1.3, 2.6))
    image = np.random.default_rng(71).standard_normal((1, 5, 5, 1))
    only_the_cell = np.zeros_like(image)
    only_the_cell[:, 1:3, 2:4] = image[:, 1:3, 2:4]
    if not np.allclose(_middle(vjp_displacement, g, image, u), _middle(vjp_displacement, g, only_the_cell, u)):
        return (
            "A pixel that looks at (1.3, 2.6) reads rows 1 and 2, columns 2 and 3. Your derivative there changes with "
            "other pixels of the image too. Where are the differences taken, and between which pixels?"
        )


def _middle(vjp_displacement, g, image, u):
    return np.asarray(vjp_displacement(g, image, u))[0, 2, 2]


def a_cotangent_stays_at_its_pixel(vjp_displacement):
    g, u = _one_looks((0.3, 1.6))
    image = np.random.default_rng(72).standard_normal((1, 5, 5, 1))
    others = np.array(vjp_displacement(g, image, u + 1.2))
    others[0, 2, 2] = 0
    if np.any(others):
        return (
            "The cotangent is 0 at all output pixels but one, and yet you find a gradient for the displacement of "
            "others. At which pixel do you read g?"
        )


def brightness_does_not_matter(vjp_displacement):
    g, image, u = ARGUMENTS["4 x 4 pixels, all points inside"]
    if np.abs(vjp_displacement(g, np.ones_like(image), u)).max() > 1e-5:
        return "Inside an image that is equally bright everywhere, looking elsewhere changes nothing: expected 0."
    right = np.asarray(vjp_displacement(g, image, u))
    if not np.allclose(vjp_displacement(g, -image, u), -right, atol=1e-2):
        return "In the negative of an image all steps are reversed, so your result must change its sign. It does not."
    if not np.allclose(vjp_displacement(g, image + 1, u), right, atol=1e-2):
        return (
            "An image that is brighter by 1 everywhere has the same steps from pixel to pixel, but inside it your "
            "result is another one. What do you use of the image besides its steps?"
        )


def constant_along_its_axis_in_a_cell(vjp_displacement):
    image = np.random.default_rng(73).standard_normal((1, 5, 5, 1))
    first, lower, further_right = (
        _middle(vjp_displacement, g, image, u) for g, u in map(_one_looks, ((1.2, 2.3), (1.9, 2.3), (1.2, 2.8)))
    )
    for name, axis, moved in ("rows", 0, lower), ("columns", 1, further_right):
        if not np.isclose(first[axis], moved[axis], rtol=1e-2):
            return (
                f"Along {name} the curve is straight within a cell: the derivative along {name} does not change when "
                "the point moves that way in its cell. Yours does. Look at the weights of its two steps."
            )


def a_ramp_gives_its_slopes(vjp_displacement):
    g, _, u = ARGUMENTS["3 x 6 pixels, all points inside"]
    rows, columns = np.mgrid[:3, :6]
    ramp = (4.0 * rows + 2.0 * columns)[None, :, :, None]
    if not np.allclose(vjp_displacement(np.ones_like(g), ramp, u), (4, 2), atol=1e-2):
        return (
            "On a ramp that is 4 brighter with each row and 2 with each column, a cotangent of ones must give (4, 2) "
            "at all pixels. Which two pixels does each step join, and do the weights of the two steps along an axis "
            "add up to 1?"
        )


def each_channel_has_its_own_cotangent(vjp_displacement):
    g, image, u = ARGUMENTS["three channels"]
    one = np.zeros_like(g)
    one[..., 1] = g[..., 1]
    among_others = np.asarray(vjp_displacement(one, image, u))
    alone = np.asarray(vjp_displacement(g[..., 1:2], image[..., 1:2], u))
    if np.allclose(3 * among_others, alone, atol=1e-2):
        return "A channel counts a third as much when there are three of them. Do you take their mean?"
    if not np.allclose(among_others, alone, atol=1e-2):
        return (
            "Where the cotangent is 0 in all channels but one, the other channels of the image must not matter: each "
            "channel has a cotangent of its own. In which order do you multiply and add up?"
        )


def the_border_has_a_slope(vjp_displacement):
    for place, slope in zip(BEYOND, ((8, 0), (0, 8), (-8, 0), (0, -8)), strict=True):
        g, u = _one_looks(place)
        if not np.allclose(_middle(vjp_displacement, g, np.ones((1, 5, 5, 1)), u), slope, atol=1e-2):
            return (
                f"The point {place} lies just beyond the border of a white image of 5 x 5 pixels. Two of its four "
                "pixels are still inside, and the curve falls to zero there: it has a slope. Yours is another one."
            )


def nothing_far_outside(vjp_displacement):
    for place in (-3.3, 2.0), (2.0, -3.3), (7.3, 2.0), (2.0, 7.3):
        g, u = _one_looks(place)
        if np.any(_middle(vjp_displacement, g, np.random.default_rng(74).random((1, 5, 5, 1)), u)):
            return (
                f"The point {place} lies far beyond the border of 5 x 5 pixels. All four pixels around it are 0, so "
                "there is no slope. Has your cell been moved back into the image?"
            )


def a_stray_point_disturbs_nobody(vjp_displacement):
    g, image, u = (np.copy(x) for x in ARGUMENTS["3 x 6 pixels, all points inside"])
    before = np.array(vjp_displacement(g, image, u))
    u[0, 1, 2] = 50.0
    after = np.array(vjp_displacement(g, image, u))
    before[0, 1, 2] = after[0, 1, 2] = 0
    if not np.allclose(before, after, atol=1e-5):
        return STRAY


STRAY = (
    "When one pixel looks far outside, other pixels lose their part. Does a `break` or a `return` leave more than "
    "this one out?"
)

OF_THE_DISPLACEMENT = [
    only_four_pixels_matter,
    a_cotangent_stays_at_its_pixel,
    brightness_does_not_matter,
    constant_along_its_axis_in_a_cell,
    each_alone(*BATCH),
    a_ramp_gives_its_slopes,
    each_channel_has_its_own_cotangent,
    the_border_has_a_slope,
    nothing_far_outside,
    a_stray_point_disturbs_nobody,
]

# ---- vjp_image


def shares_that_meet_add_up(vjp_image):
    # All pixels look at the middle of one cell; the first and the last of them have a cotangent.
    g = np.zeros((1, 3, 3, 1))
    g[0, 0, 0], g[0, 2, 2] = 4.0, 8.0
    u = 1.5 - np.moveaxis(np.mgrid[:3, :3], 0, -1)[None]
    cell = np.asarray(vjp_image(g, u))[0, 1:, 1:, 0]
    if np.allclose(cell, 2):  # the last one has won
        return (
            "Two output pixels look at the middle of one cell. Each of its four pixels must get the shares 1 and 2, "
            "and gets 2: one share is lost. Is it overwritten? (With `x[index] += share`, too, a "
            "repeated index counts only once.)"
        )


def nothing_displaced_gives_g(vjp_image):
    g = ARGUMENTS["4 x 4 pixels, all points inside"][0]
    right = np.isclose(vjp_image(g, np.zeros((1, 4, 4, 2))), g)[0, :, :, 0]
    if right[0].all() and not right[1:].any():
        return "With u = 0 every pixel reads itself, so the result is g. Yours ends after the first row: why?"
    for part, words in (np.s_[1:, 1:], "first"), (np.s_[:-1, :-1], "last"):
        if right[part].all() and not right.all():
            return (
                f"With u = 0 every pixel reads itself, so the result is g. In the {words} row and column yours is not. "
                "Which indices do you take for inside?"
            )


def one_point_hands_out_four_shares(vjp_image):
    g, u = _one_looks((1.25, 1.5), size=3)
    cell = np.asarray(vjp_image(g, u))[0, 1:, 1:, 0]
    if np.allclose(cell.T, [[3, 3], [1, 1]], atol=1e-4):
        return "Shares that belong one row further down go one column further right: two indices are exchanged."
    if not np.allclose(cell, [[3, 3], [1, 1]], atol=1e-4):
        return (
            "Let one pixel with the cotangent 8 look a quarter of a pixel down and half a pixel to the right, and all "
            "others have the cotangent 0. Which four pixels does it read, with which weights? Yours get other shares."
        )


def not_only_in_square_images(vjp_image):
    g, u = np.zeros((1, 3, 6, 1)), np.zeros((1, 3, 6, 2))
    g[0, 1, 3], u[0, 1, 3] = 8.0, (0.25, 0.5)
    if not np.allclose(np.asarray(vjp_image(g, u))[0, 1:, 3:5, 0], [[3, 3], [1, 1]], atol=1e-4):
        return (
            "In a square image the four shares arrive where they should, in one of 3 x 6 pixels they do not. Where "
            "are H and W, or rows and columns, exchanged?"
        )


def channels_stay_apart(vjp_image):
    g, _, u = ARGUMENTS["three channels"]
    g_image = np.asarray(vjp_image(g * [0.0, 1.0, 0.0], u))
    if not np.any(g_image):
        return "The cotangent of the second of three channels reaches nothing. Is one channel treated and the rest not?"
    if np.any(g_image[..., [0, 2]]):
        return (
            "The cotangent is 0 in the first and the last channel, and yet they get a gradient. One displacement moves "
            "all channels, but each is read by itself."
        )


def shares_add_up(vjp_image):
    g, _, u = ARGUMENTS["three channels"]
    if not np.allclose(np.sum(vjp_image(g, u), axis=(1, 2)), g.sum(axis=(1, 2)), atol=1e-4):
        return (
            "No point lies beyond the border, so all of g must arrive: in every channel the result must have the sum "
            "of g. Is a share lost or counted twice, or do the four weights not add up to 1?"
        )


def the_border_is_a_ramp(vjp_image):
    for place in BEYOND:
        g, u = _one_looks(place)
        if not np.isclose(np.sum(vjp_image(g, u)), 6.0):
            return (
                f"The point {place} lies a quarter of a pixel beyond the border of 5 x 5 pixels and still reads the "
                "image with the weight 0.75, so this share of its cotangent must arrive, and only this share."
            )


def a_stray_cotangent_is_lost_alone(vjp_image):
    g, _, u = (np.copy(x) for x in ARGUMENTS["3 x 6 pixels, all points inside"])
    g[0, 1, 2] = 0
    before = np.array(vjp_image(g, u))
    u[0, 1, 2] = 50.0
    if not np.allclose(before, vjp_image(g, u), atol=1e-5):
        return STRAY


def is_the_adjoint(vjp_image):
    g, image, u = ARGUMENTS["points beyond the border"]
    if not np.isclose(np.sum(interpolate(image, u) * g), np.sum(image * vjp_image(g, u)), rtol=1e-4):
        return (
            "It fails the adjoint test: sum(warp(image, u) * g) and sum(image * your result) differ. Take a g that is "
            "0 except at one pixel, and look where its shares go."
        )


OF_THE_IMAGE = [
    shares_that_meet_add_up,
    nothing_displaced_gives_g,
    one_point_hands_out_four_shares,
    not_only_in_square_images,
    each_alone(BATCH[0], BATCH[2]),
    channels_stay_apart,
    shares_add_up,
    the_border_is_a_ramp,
    a_stray_cotangent_is_lost_alone,
    is_the_adjoint,
]

# ---- one_sided_slopes

LINE = np.array([0.5, 2.0, 1.0, 1.0, 4.0])


def equal_between_the_pixels(one_sided_slopes):
    before, after = one_sided_slopes(LINE, 1.5)
    if abs(before - after) > 1e-5:
        return "Half-way between two pixels there is no kink: both slopes must be equal."
    for c in (1.1, 1.9):
        before, after = one_sided_slopes(LINE, c)
        if abs(before - after) > 1e-5:
            return (
                f"At c = {c} there is no kink: both slopes must be equal. Does a step, or rounding, lead across the "
                "next pixel, or do the slopes depend on where in its cell c lies?"
            )


def a_peak_has_two_slopes(one_sided_slopes):
    before, after = one_sided_slopes(LINE, 1.0)
    if not before > 0 > after:
        return "Pixel 1 of (0.5, 2, 1, 1, 4) is a peak: the curve climbs before it and falls after it."


def the_ends_are_ramps(one_sided_slopes):
    before, after = one_sided_slopes(LINE, -0.5)
    if not (before > 0 and after > 0):
        return (
            "Half a pixel left of the row the curve is not flat: it climbs from 0, a pixel outside, to the first pixel."
        )
    before, after = one_sided_slopes(LINE, 4.5)
    if not (before < 0 and after < 0):
        return (
            "Half a pixel right of the row the curve is not flat: it falls from the last pixel to 0, a pixel outside."
        )


def zero_far_outside(one_sided_slopes):
    for c in (-3.5, 9.5):
        if np.any(np.abs(one_sided_slopes(LINE, c)) > 1e-5):
            return f"At c = {c}, far outside the row, everything around is 0, so both slopes are 0."


OF_THE_SLOPES = [equal_between_the_pixels, a_peak_has_two_slopes, the_ends_are_ramps, zero_far_outside]

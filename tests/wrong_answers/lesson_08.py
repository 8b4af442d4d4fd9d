"""Wrong answers to the exercises of lesson 8, as a learner would write them, and what their hint must say."""

import numpy as np

AXES = (1, 2, 3)


def centred(x):
    return x - x.mean(axis=AXES, keepdims=True)


def total(x):
    return np.sum(x, axis=AXES, keepdims=True)


def of_the_first_image(g, a, b):
    a, b = centred(a), centred(b)
    norm = np.sqrt(total(a * a) * total(b * b))
    y = total(a * b) / norm
    return g[:, None, None, None] * (b / norm - y * a / total(a * a))


def cotangent_in_one_term(g, a, b):
    a, b = centred(a), centred(b)
    norm = np.sqrt(total(a * a) * total(b * b))
    y = total(a * b) / norm
    return g[:, None, None, None] * a / norm - y * b / total(b * b)


def without_y(g, a, b):
    a, b = centred(a), centred(b)
    norm = np.sqrt(total(a * a) * total(b * b))
    return g[:, None, None, None] * (a / norm - b / total(b * b))


def only_a_centred(g, a, b):
    a = centred(a)
    norm = np.sqrt(total(a * a) * total(b * b))
    y = total(a * b) / norm
    return g[:, None, None, None] * (a / norm - y * b / total(b * b))


def means_for_sums(g, a, b):
    a, b = centred(a), centred(b)
    saa, sbb, sab = (np.mean(x, axis=AXES, keepdims=True) for x in (a * a, b * b, a * b))
    return g[:, None, None, None] * (a - sab / sbb * b) / np.sqrt(saa * sbb)


def descends(g, a, b):
    a, b = centred(a), centred(b)
    norm = np.sqrt(total(a * a) * total(b * b))
    y = total(a * b) / norm
    return -g[:, None, None, None] * (a / norm - y * b / total(b * b))


def one_pair_only(g, a, b):
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt(np.sum(a * a) * np.sum(b * b))
    y = np.sum(a * b) / norm
    return g * (a / norm - y * b / np.sum(b * b))


def sums_of_a_textbook(g, a, b):
    n = a[0].size
    saa = total(a * a) - total(a) ** 2 / n
    sbb = total(b * b) - total(b) ** 2 / n
    sab = total(a * b) - total(a) * total(b) / n
    return g[:, None, None, None] * (centred(a) / np.sqrt(saa * sbb) - sab / np.sqrt(saa * sbb) * centred(b) / sbb)


def of_the_standardised_image(g, a, b):
    a, b = (centred(x) / x.std(axis=AXES, keepdims=True) for x in (a, b))
    y = np.mean(a * b, axis=AXES, keepdims=True)
    return g[:, None, None, None] * (a - y * b) / a[0].size


def like_the_forward(g, mask):
    return g - np.sum(mask * g) / np.sum(mask)


def like_the_lesson(g, mask):
    return g - g.mean()


def inside_only(g, mask):
    inside = mask > 0
    g_a = np.zeros_like(g)
    g_a[inside] = g[inside] - g[inside].mean()
    return g_a


def in_place(g, mask):
    g -= mask * g.sum() / mask.sum()
    return g


def divided_by_the_squares(g, mask):
    return g - mask * np.sum(g) / np.sum(mask * mask)


def direct_term_masked(g, mask):
    return mask * g - mask * np.sum(g) / np.sum(mask)


def taken_off_by_the_number_inside(g, mask):
    return g - mask * np.sum(g) / np.count_nonzero(mask)


def turn(g_u, angle, rows, columns):
    h, w = g_u.shape[1:3]
    down, right = np.mgrid[:h, :w]
    down, right = down - (h - 1) / 2, right - (w - 1) / 2
    return np.array(
        [
            np.sum(one[..., 0] * rows(value, down, right) + one[..., 1] * columns(value, down, right))
            for one, value in zip(g_u, angle, strict=True)
        ]
    )


def sign_of_the_cosine(g_u, angle):
    return turn(
        g_u,
        angle,
        lambda x, down, right: np.sin(x) * down + np.cos(x) * right,
        lambda x, down, right: np.sin(x) * right - np.cos(x) * down,
    )


def field_not_derivative(g_u, angle):
    return turn(
        g_u,
        angle,
        lambda x, down, right: np.cos(x) * down + np.sin(x) * right - down,
        lambda x, down, right: np.cos(x) * right - np.sin(x) * down - right,
    )


def minus_down_kept(g_u, angle):
    return turn(
        g_u,
        angle,
        lambda x, down, right: -np.sin(x) * down + np.cos(x) * right - down,
        lambda x, down, right: -np.sin(x) * right - np.cos(x) * down - right,
    )


def sign_of_the_sine_in_the_columns(g_u, angle):
    return turn(
        g_u,
        angle,
        lambda x, down, right: -np.sin(x) * down + np.cos(x) * right,
        lambda x, down, right: -np.sin(x) * right + np.cos(x) * down,
    )


def other_direction(g_u, angle):
    return -turn(
        g_u,
        angle,
        lambda x, down, right: -np.sin(x) * down + np.cos(x) * right,
        lambda x, down, right: -np.sin(x) * right - np.cos(x) * down,
    )


def columns_before_rows(g_u, angle):
    return turn(
        g_u[..., ::-1],
        angle,
        lambda x, down, right: -np.sin(x) * down + np.cos(x) * right,
        lambda x, down, right: -np.sin(x) * right - np.cos(x) * down,
    )


def one_number_for_the_batch(g_u, angle):
    return np.sum(
        turn(
            g_u,
            angle,
            lambda x, down, right: -np.sin(x) * down + np.cos(x) * right,
            lambda x, down, right: -np.sin(x) * right - np.cos(x) * down,
        )
    )


WRONG = [
    ("vjp_ncc_b", of_the_first_image, "with respect to the *first* image"),
    ("vjp_ncc_b", cotangent_in_one_term, "g belongs to both terms"),
    ("vjp_ncc_b", without_y, "the one with y"),
    ("vjp_ncc_b", only_a_centred, "Which images must be centred"),
    ("vjp_ncc_b", means_for_sums, "off by a factor that depends on the case"),
    ("vjp_ncc_b", descends, "wrong sign everywhere"),
    ("vjp_ncc_b", one_pair_only, "ValueError"),
    ("vjp_ncc_b", sums_of_a_textbook, "two huge sums that are almost equal"),
    ("vjp_ncc_b", of_the_standardised_image, "with respect to the *standardised* b"),
    ("vjp_centre_inside", like_the_forward, "Only a symmetric matrix is its own adjoint"),
    ("vjp_centre_inside", like_the_lesson, "Where is the mask?"),
    ("vjp_centre_inside", inside_only, "does not take part in the mean"),
    ("vjp_centre_inside", in_place, "in place"),
    ("vjp_centre_inside", divided_by_the_squares, "your result must add up to 0"),
    ("vjp_centre_inside", direct_term_masked, "A pixel there is not in the mean, but it is in y"),
    ("vjp_centre_inside", taken_off_by_the_number_inside, "your result must add up to 0"),
    ("gradient_of_rotation", sign_of_the_cosine, "The terms with the sine have the wrong sign"),
    ("gradient_of_rotation", field_not_derivative, "wants its derivative"),
    ("gradient_of_rotation", minus_down_kept, "along rows is wrong"),
    ("gradient_of_rotation", sign_of_the_sine_in_the_columns, "along columns is wrong"),
    ("gradient_of_rotation", other_direction, "wrong sign everywhere"),
    ("gradient_of_rotation", columns_before_rows, "rows come first, then columns"),
    ("gradient_of_rotation", one_number_for_the_batch, "an axis is missing"),
]

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


def only_the_second_term_exchanged(g, a, b):
    a, b = centred(a), centred(b)
    norm = np.sqrt(total(a * a) * total(b * b))
    return g[:, None, None, None] * (b / norm - total(a * b) / norm * b / total(b * b))


def of_the_regression(g, a, b):
    """As if NCC were the slope sab / saa."""
    a, b = centred(a), centred(b)
    return g[:, None, None, None] * (a / total(a * a) - total(a * b) / total(a * a) * b / total(b * b))


def size_of_the_cotangent(g, a, b):
    return descends(-np.abs(g), a, b)


def last_pair_for_all(g, a, b):
    for n in range(len(a)):
        x, y = a[n] - a[n].mean(), b[n] - b[n].mean()
    x, y = np.broadcast_to(x, a.shape), np.broadcast_to(y, b.shape)
    return descends(-g, x, y)


def first_pair_and_return(g, a, b):
    g_b = np.zeros_like(b)
    for n in range(len(a)):
        g_b[n] = descends(-g[n : n + 1], a[n : n + 1], b[n : n + 1])[0]
        return g_b


def a_channel_at_a_time(g, a, b):
    parts = [descends(-g, a[..., k : k + 1], b[..., k : k + 1]) for k in range(a.shape[-1])]
    return np.concatenate(parts, axis=-1)


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


def yes_or_no(g, mask):
    inside = mask > 0
    return g - inside * np.sum(g) / np.sum(inside)


def only_ones_are_inside(g, mask):
    g_a, inside = g.copy(), mask == 1
    g_a[inside] -= np.sum(g) / max(np.sum(inside), 1)
    return g_a


def outside_counts_direct_inside_by_the_mean(g, mask):
    return (1 - mask) * g - mask * np.sum(g) / np.sum(mask)


def sum_that_changes_on_the_way(g, mask):
    g_a = g.copy()
    for p in np.ndindex(g.shape):
        g_a[p] -= mask[p] * np.sum(g_a) / np.sum(mask)
    return g_a


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


def derivative(g_u, angle):
    return -other_direction(g_u, angle)


def between_minus_one_and_one(g_u, angle):
    h, w = g_u.shape[1:3]
    down, right = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
    angle = angle[:, None, None]
    along_rows = -np.sin(angle) * down + np.cos(angle) * right
    along_columns = -np.sin(angle) * right - np.cos(angle) * down
    return np.sum(g_u[..., 0] * along_rows + g_u[..., 1] * along_columns, axis=(1, 2))


def half_the_height_as_unit(g_u, angle):
    return derivative(g_u, angle) / (g_u.shape[1] / 2)


def sum_for_all(g_u, angle):
    return np.full(len(angle), derivative(g_u, angle).sum())


def the_first_and_return(g_u, angle):
    result = np.zeros(len(angle))
    for n in range(len(angle)):
        result[n] = derivative(g_u[n : n + 1], angle[n : n + 1])[0]
        return result


def angle_of_the_last(g_u, angle):
    return derivative(g_u, np.full_like(angle, angle[-1]))


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
    ("vjp_ncc_b", only_the_second_term_exchanged, "The first term holds b"),
    ("vjp_ncc_b", of_the_regression, "a factor that depends on the image"),
    ("vjp_ncc_b", size_of_the_cotangent, "a factor that depends on the image"),
    ("vjp_ncc_b", last_pair_for_all, "that a loop left behind"),
    ("vjp_ncc_b", first_pair_and_return, "only the first image gets"),
    ("vjp_ncc_b", a_channel_at_a_time, "over all pixels *and* channels"),
    ("vjp_centre_inside", like_the_forward, "Only a symmetric matrix is its own adjoint"),
    ("vjp_centre_inside", like_the_lesson, "Where is the mask?"),
    ("vjp_centre_inside", inside_only, "does not take part in the mean"),
    ("vjp_centre_inside", in_place, "in place"),
    ("vjp_centre_inside", divided_by_the_squares, "by what is m divided"),
    ("vjp_centre_inside", direct_term_masked, "A pixel there is not in the mean, but it is in y"),
    ("vjp_centre_inside", taken_off_by_the_number_inside, "the number of pixels inside"),
    ("vjp_centre_inside", yes_or_no, "a matter of yes and no"),
    ("vjp_centre_inside", only_ones_are_inside, "A mask of twos"),
    ("vjp_centre_inside", outside_counts_direct_inside_by_the_mean, "cancel on their way to m"),
    ("vjp_centre_inside", sum_that_changes_on_the_way, "your result must add up to 0"),
    ("gradient_of_rotation", sign_of_the_cosine, "The terms with the sine have the wrong sign"),
    ("gradient_of_rotation", field_not_derivative, "wants its derivative"),
    ("gradient_of_rotation", minus_down_kept, "along rows is wrong"),
    ("gradient_of_rotation", sign_of_the_sine_in_the_columns, "along columns is wrong"),
    ("gradient_of_rotation", other_direction, "wrong sign everywhere"),
    ("gradient_of_rotation", columns_before_rows, "rows come first, then columns"),
    ("gradient_of_rotation", one_number_for_the_batch, "an axis is missing"),
    ("gradient_of_rotation", between_minus_one_and_one, "run from -1 to 1"),
    ("gradient_of_rotation", half_the_height_as_unit, "what comes from both components is 0.4 times"),
    ("gradient_of_rotation", sum_for_all, "the sum over the whole batch"),
    ("gradient_of_rotation", the_first_and_return, "Does a loop end too early"),
    ("gradient_of_rotation", angle_of_the_last, "that a loop left behind"),
]

"""Wrong answers to the exercises of lesson 3: what a learner would write, with a place for each mistake."""

import numpy as np

from lessons.check.checking import Mistake

ALL = (1, 2, 3)

# ---- ncc_of_pairs


def ncc(a, b, mean_of=ALL, sums_over=ALL, power=0.5, centred=(True, True), lengths=(True, True), guarded=True):
    a, b = (
        x - np.mean(x, axis=mean_of, keepdims=True) if take_off else x
        for x, take_off in zip((a, b), centred, strict=True)
    )
    saa, sbb, sab = (np.sum(x * y, axis=sums_over) for x, y in ((a, a), (b, b), (a, b)))
    squares = (saa if lengths[0] else sbb) * (sbb if lengths[1] else saa)
    y = sab / squares**power
    return np.where(squares > 0, y, 0) if guarded else y


def with_nan(hint, change=lambda y: y, **mistake):
    """The same mistake with and without a decision for constant images, as two Mistakes."""
    return [
        Mistake(hint, lambda a, b: change(ncc(a, b, **mistake))),
        Mistake(
            f"{hint} Besides, constant images give 0 / 0.", lambda a, b: change(ncc(a, b, guarded=False, **mistake))
        ),
    ]


def covariance(a, b, total):
    a, b = (x - x.mean(axis=ALL, keepdims=True) for x in (a, b))
    return total(a * b, axis=ALL)


def one_where_constant(a, b):
    constant = (np.ptp(a, axis=ALL) == 0) | (np.ptp(b, axis=ALL) == 0)
    return np.where(constant, 1.0, ncc(a, b))


# ---- best_contrast


def cov(a, b):
    return np.mean((a - a.mean()) * (b - b.mean()))


def slope(a, b):
    return cov(a, b) / cov(a, a)


def equal_means(a, b, alpha):
    return b.mean() - alpha * a.mean()


def contrast(alpha, beta=equal_means, guarded=True):
    """The function that returns this alpha, and the beta that belongs to it."""

    def answer(a, b):
        if guarded and np.ptp(a) == 0:
            return 0.0, b.mean()
        k = alpha(a, b)
        return k, beta(a, b, k)

    return answer


def with_a_constant(hint, *mistake):
    """The same mistake with and without a decision for a constant image, as two Mistakes."""
    return [
        Mistake(hint, contrast(*mistake)),
        Mistake(f"{hint} Besides, a constant a gives 0 / 0.", contrast(*mistake, guarded=False)),
    ]


def through_zero(a, b):
    return np.mean(a * b) / np.mean(a * a)


def least_squares(a, b):
    design = np.stack([a.ravel(), np.ones(a.size)], axis=1)
    return tuple(np.linalg.lstsq(design, b.ravel(), rcond=None)[0])


# ---- masked_mse


def masked_mean(square, mask, count, guarded=True):
    total = np.sum(square * mask[..., None], axis=ALL)
    return np.where(count > 0, total / np.maximum(count, 1), 0) if guarded else total / count


def only_one_masked(a, b, mask, which, least):
    """Divided by at least `least`: the result for an empty mask is the sum of the squares, or 0."""
    inside = mask[..., None]
    square = (a * (inside | (which == "b")) - b * (inside | (which == "a"))) ** 2
    count = mask.sum((1, 2)) * a.shape[-1]
    return np.sum(square, axis=ALL) / np.where(count > 0, count, least)


def of_the_pixels(a, b, mask, number, empty=0.0):
    """`number` of the values of a and b in the mask, pair by pair."""
    images = zip(a, b, mask, strict=True)
    return np.array([number(x[inside], y[inside]) if inside.any() else empty for x, y, inside in images])


def mse(x, y):
    return np.mean((x - y) ** 2)

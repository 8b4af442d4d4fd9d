"""The checks of the exercises of lesson 3."""

import numpy as np

from lessons.check.checking import Case, Exercise, Mistake
from minireg import metrics

ALL = (1, 2, 3)


def _pairs(seed, n, h, w, channels, offset=0.0, dtype=np.float64):
    """Pairs of images that resemble each other to different degrees, with a mean that differs between channels."""
    rng = np.random.default_rng(seed)
    a, noise = rng.random((2, n, h, w, channels))
    a += 0.7 * np.arange(channels) + np.linspace(0, 0.5, n)[:, None, None, None]
    likeness = np.linspace(0.8, -0.4, n)[:, None, None, None]
    b = likeness * a + (1 - abs(likeness)) * noise
    return (a + offset).astype(dtype), (b + 2 * offset).astype(dtype)


# ---- ncc_of_pairs


def _ncc_reference(a, b):
    both = [[x.ravel().astype(np.float64) for x in pair] for pair in zip(a, b, strict=True)]
    return np.array([np.corrcoef(x, y)[0, 1] if np.ptp(x) and np.ptp(y) else 0.0 for x, y in both])


def _ncc(a, b, mean_of=ALL, sums_over=ALL, power=0.5, centred=(True, True), guarded=True):
    """NCC as a learner would write it, with a place for each mistake."""
    a, b = (
        x - np.mean(x, axis=mean_of, keepdims=True) if take_off else x
        for x, take_off in zip((a, b), centred, strict=True)
    )
    saa, sbb, sab = (np.sum(x * y, axis=sums_over) for x, y in ((a, a), (b, b), (a, b)))
    y = sab / (saa * sbb) ** power
    return np.where(saa * sbb > 0, y, 0) if guarded else y


def _with_constant(pairs):
    a, b = pairs
    a[0], b[2] = 0.5, 0.0
    return a, b


def does_not_see_contrast(ncc_of_pairs):
    a, b = _pairs(31, 3, 4, 5, 1)
    if not np.allclose(ncc_of_pairs(2 * a + 3, b), ncc_of_pairs(a, 0.5 * b - 1), atol=1e-6):
        return "More contrast or brightness must not change NCC. Yours changes when a becomes 2 a + 3."


def sees_the_sign(ncc_of_pairs):
    a, b = _pairs(32, 3, 4, 5, 1)
    if not np.allclose(ncc_of_pairs(-a, b), -np.asarray(ncc_of_pairs(a, b)), atol=1e-6):
        return "The negative of an image must have minus the NCC of the image. Did a sign get lost?"


def is_one_for_equal_images(ncc_of_pairs):
    a, _ = _pairs(33, 3, 4, 5, 2)
    if not np.allclose(ncc_of_pairs(a, a), 1, atol=1e-6):
        return "An image and itself must have NCC 1. What is the length of a direction?"


def knows_no_neighbours(ncc_of_pairs):
    a, b = _pairs(34, 2, 4, 5, 3)
    order = np.random.default_rng(34).permutation(60)
    shuffled = (x.reshape(2, -1)[:, order].reshape(x.shape) for x in (a, b))
    if not np.allclose(ncc_of_pairs(*shuffled), ncc_of_pairs(a, b), atol=1e-6):
        return (
            "The same new order for the pixels and channels of both images must not change NCC. Yours depends on which "
            "number lies in which row, column or channel: does everything run over all three axes?"
        )


def pairs_do_not_mix(ncc_of_pairs):
    a, b = _pairs(35, 3, 4, 5, 1)
    alone = [ncc_of_pairs(a[n : n + 1], b[n : n + 1])[0] for n in range(3)]
    if not np.allclose(ncc_of_pairs(a, b), alone, atol=1e-6):
        return "A pair has another NCC in a batch than alone. Where do the images of a batch meet in your code?"


def survives_an_offset(ncc_of_pairs):
    a, b = _pairs(36, 2, 8, 9, 1, dtype=np.float32)
    if not np.allclose(ncc_of_pairs(a + 1000, b + 1000), ncc_of_pairs(a, b), atol=0.01):
        return (
            "float32 images that are brighter by 1,000 have the same NCC, but you lose its digits. Do you subtract two "
            "large numbers that are almost equal?"
        )


NCC_OF_PAIRS = Exercise(
    name="ncc_of_pairs",
    title="the NCC of each pair of a batch",
    reference=_ncc_reference,
    cases=[
        Case("one pair of 4 x 4 pixels", _pairs(1, 1, 4, 4, 1)),
        Case("one pair of 3 x 6 pixels", _pairs(2, 1, 3, 6, 1)),
        Case("a batch of three pairs", _pairs(3, 3, 4, 5, 1)),
        Case("three channels", _pairs(4, 2, 4, 5, 3)),
        Case("a batch with constant images", _with_constant(_pairs(5, 4, 4, 5, 1))),
        Case("float32 images, brighter by 1,000", _pairs(6, 2, 8, 9, 1, 1000.0, np.float32)),
    ],
    mistakes=[
        Mistake(
            "One mean is taken for all images of the batch. Each image has a brightness of its own.",
            lambda a, b: _ncc(a, b, mean_of=None),
        ),
        Mistake(
            "Each channel has its own mean taken off. An image is the vector of *all* its numbers, and has one mean.",
            lambda a, b: _ncc(a, b, mean_of=(1, 2)),
        ),
        Mistake(
            "You average the NCC of the channels. NCC is a quotient, and the mean of quotients is another number: what "
            "are the sums to run over?",
            lambda a, b: np.mean(_ncc(a, b, mean_of=(1, 2), sums_over=(1, 2)), axis=-1),
        ),
        Mistake(
            "Nothing is centred: this is the cosine of the angle between the images as they are. Brightness counts.",
            lambda a, b: _ncc(a, b, centred=(False, False)),
        ),
        Mistake(
            "The denominator has no square root: it is a product of two squared lengths.",
            lambda a, b: _ncc(a, b, power=1),
        ),
        Mistake(
            "This is the loss 1 - NCC. Asked for is the NCC.",
            lambda a, b: 1 - _ncc(a, b),
        ),
        Mistake(
            "Constant images come out as nan: 0 / 0. A constant image has no direction, and somebody has to decide. "
            "Where does your code?",
            lambda a, b: _ncc(a, b, guarded=False),
        ),
        Mistake(
            "Means and standard deviations divide by different numbers of pixels (n and n - 1).",
            lambda a, b: _ncc(a, b) * (a[0].size - 1) / a[0].size,
        ),
    ],
    properties=[
        is_one_for_equal_images,
        sees_the_sign,
        does_not_see_contrast,
        pairs_do_not_mix,
        knows_no_neighbours,
        survives_an_offset,
    ],
)


# ---- best_contrast


def _fit(seed, *shape, alpha=1.5, beta=-0.2, noise=0.3):
    """An image, and another one that is about alpha a + beta."""
    rng = np.random.default_rng(seed)
    a = rng.random(shape)
    return a, alpha * a + beta + noise * rng.normal(size=shape)


def _contrast_reference(a, b):
    if np.ptp(a) == 0:
        return 0.0, float(b.mean())
    design = np.stack([a.ravel(), np.ones(a.size)], axis=1)
    return tuple(np.linalg.lstsq(design, b.ravel(), rcond=None)[0])


def _contrast(alpha, beta=lambda a, b, alpha: b.mean() - alpha * a.mean()):
    def answer(a, b):
        if np.ptp(a) == 0:
            return 0.0, b.mean()
        k = alpha(a, b)
        return k, beta(a, b, k)

    return answer


def _cov(a, b):
    return np.mean((a - a.mean()) * (b - b.mean()))


_slope = lambda a, b: _cov(a, b) / _cov(a, a)


def leaves_what_fits(best_contrast):
    a, _ = _fit(41, 4, 5)
    alpha, beta = best_contrast(a, a)
    if abs(alpha - 1) > 1e-6 or abs(beta) > 1e-6:
        return "If b is a, nothing is to be changed: alpha must be 1 and beta 0."


def finds_an_exact_line(best_contrast):
    a, b = _fit(42, 4, 5, alpha=0.3, beta=0.5, noise=0)
    alpha, beta = best_contrast(a, b)
    if abs(alpha - 0.3) > 1e-6 or abs(beta - 0.5) > 1e-6:
        return "If b is exactly .3 a + .5, the answer must be (.3, .5)."


def equal_means(best_contrast):
    a, b = _fit(43, 4, 5)
    alpha, beta = best_contrast(a, b)
    if abs(np.mean(alpha * a + beta - b)) > 1e-6:
        return (
            "What is left over, alpha a + beta - b, has a mean other than 0: another beta would make the MSE smaller. "
            "Which beta fits your alpha?"
        )


def nothing_better_nearby(best_contrast):
    a, b = _fit(44, 4, 5)
    alpha, _ = best_contrast(a, b)
    mse = lambda alpha: np.var(alpha * a - b)  # with the best beta for this alpha
    if not mse(alpha) <= min(mse(0.99 * alpha), mse(1.01 * alpha)):
        return (
            "With the best beta for each, another alpha near yours has a smaller MSE. Set the derivative of the MSE to "
            "zero: where does alpha stand in it?"
        )


BEST_CONTRAST = Exercise(
    name="best_contrast",
    title="the contrast and brightness with which one image comes nearest to another",
    reference=_contrast_reference,
    results=("alpha", "beta"),
    cases=[
        Case("images on one line", _fit(1, 4, 4, noise=0)),
        Case("with noise", _fit(2, 4, 4)),
        Case("3 x 7 pixels", _fit(3, 3, 7)),
        Case("a negative", _fit(4, 5, 4, alpha=-0.8, beta=1.0)),
        Case("a batch of colour images", _fit(5, 2, 4, 5, 3, alpha=0.4, beta=0.3)),
        Case("a is constant", (np.full((3, 4), 0.5), _fit(6, 3, 4)[1])),
    ],
    mistakes=[
        Mistake(
            "Your alpha and beta bring b to a, not a to b.",
            lambda a, b: (0.0, b.mean()) if np.ptp(a) == 0 else _contrast(_slope)(b, a),
        ),
        Mistake(
            "Your alpha is that of the other direction: it is divided by the energy of the wrong image.",
            _contrast(lambda a, b: _cov(a, b) / _cov(b, b)),
        ),
        Mistake(
            "You make the standard deviations equal. That is right only where NCC is 1: where the images differ, a "
            "weaker contrast costs less. And where does the sign of a negative come from?",
            _contrast(lambda a, b: b.std() / a.std()),
        ),
        Mistake(
            "Your line goes through (0, 0): alpha is chosen as if there were no beta. Choose both at once.",
            _contrast(lambda a, b: np.mean(a * b) / np.mean(a * a), lambda a, b, alpha: 0.0),
        ),
        Mistake(
            "alpha is chosen as if there were no beta, and beta afterwards. Each depends on the other.",
            _contrast(lambda a, b: np.mean(a * b) / np.mean(a * a)),
        ),
        Mistake(
            "beta is the difference of the means, as if alpha were 1. Which mean has alpha * a?",
            _contrast(_slope, lambda a, b, alpha: b.mean() - a.mean()),
        ),
        Mistake(
            "beta has the wrong sign.",
            _contrast(_slope, lambda a, b, alpha: alpha * a.mean() - b.mean()),
        ),
        Mistake(
            "alpha is right for images that differ, but for a constant one you divide 0 by 0. What does the docstring "
            "ask for there?",
            lambda a, b: (_slope(a, b), b.mean() - _slope(a, b) * a.mean()),
        ),
        Mistake(
            "Covariance and variance are divided by different numbers (n and n - 1). The two are NumPy's defaults.",
            _contrast(lambda a, b: _slope(a, b) * a.size / (a.size - 1)),
        ),
        Mistake("You return beta first; asked for is (alpha, beta).", lambda a, b: _contrast_reference(a, b)[::-1]),
    ],
    properties=[leaves_what_fits, finds_an_exact_line, equal_means, nothing_better_nearby],
)


# ---- masked_mse


def _masked(seed, n, h, w, channels, share=0.5):
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, n, h, w, channels))
    mask = rng.random((n, h, w)) < np.linspace(share, 1 - share / 2, n)[:, None, None]
    mask[:, 0, 0] = True
    return a, b, mask


def _with_empty_mask(arguments):
    a, b, mask = arguments
    mask[1] = False
    return a, b, mask


def _masked_reference(a, b, mask):
    images = zip(a, b, mask, strict=True)
    return np.array([np.mean((x[inside] - y[inside]) ** 2) if inside.any() else 0.0 for x, y, inside in images])


def _masked_mean(square, mask, count):
    total = np.sum(square * mask[..., None], axis=ALL)
    return np.where(count > 0, total / np.maximum(count, 1), 0)


def plain_where_all_count(masked_mse):
    a, b, mask = _masked(51, 2, 3, 4, 2)
    if not np.allclose(masked_mse(a, b, np.ones_like(mask)), metrics.mse(a, b)):
        return "If every pixel counts, the result must be the plain MSE of each pair."


def blind_outside(masked_mse):
    a, b, mask = _masked(52, 2, 3, 4, 2)
    other = np.where(mask[..., None], a, 9.0)
    if not np.allclose(masked_mse(other, b, mask), masked_mse(a, b, mask)):
        return "What lies outside the mask must not matter, but your result changes with it."


def a_constant_difference(masked_mse):
    a, _, mask = _masked(53, 2, 3, 4, 2)
    if not np.allclose(masked_mse(a, a + 0.5, mask), 0.25):
        return (
            "If all intensities differ by .5, the mean squared difference is .25, however large the mask. How many "
            "numbers does your mean count?"
        )


def every_pixel_counts_alike(masked_mse):
    a, _, mask = _masked(54, 1, 3, 4, 1)
    places = np.argwhere(mask[0])
    results = []
    for row, column in places:
        b = a.copy()
        b[0, row, column] += 1
        results.append(masked_mse(a, b, mask)[0])
    if not np.allclose(results, 1 / len(places)):
        return (
            "A difference of 1 at a single pixel of the mask must give 1 / (number of pixels in the mask), wherever it "
            "lies. Do you average averages?"
        )


MASKED_MSE = Exercise(
    name="masked_mse",
    title="the mean squared difference within a mask",
    reference=_masked_reference,
    cases=[
        Case("one pair of grey images", _masked(1, 1, 4, 4, 1)),
        Case("one pair of 3 x 5 pixels", _masked(2, 1, 3, 5, 1)),
        Case("three channels", _masked(3, 1, 4, 5, 3)),
        Case("a batch of three pairs with different masks", _masked(4, 3, 4, 5, 2, share=0.3)),
        Case("one of the masks is empty", _with_empty_mask(_masked(5, 3, 4, 5, 2))),
    ],
    mistakes=[
        Mistake(
            "You divide by the number of all pixels. Those outside the mask do not count: a small mask would always "
            "look like a good match.",
            lambda a, b, mask: _masked_mean((a - b) ** 2, mask, np.full(len(a), a[0].size)),
        ),
        Mistake(
            "You divide by the number of pixels in the mask, but each of them adds C squared differences.",
            lambda a, b, mask: _masked_mean((a - b) ** 2, mask, mask.sum(axis=(1, 2))),
        ),
        Mistake(
            "You divide by the size of all masks of the batch together. Each pair has its own mask.",
            lambda a, b, mask: _masked_mean((a - b) ** 2, mask, np.full(len(a), mask.sum() * a.shape[-1])),
        ),
        Mistake(
            "You divide by the average size of the masks of the batch. Each pair has its own mask.",
            lambda a, b, mask: _masked_mean((a - b) ** 2, mask, np.full(len(a), mask.mean() * a[0].size)),
        ),
        Mistake(
            "Your mask is inside out: True means that a pixel counts.",
            lambda a, b, mask: _masked_reference(a, b, ~mask),
        ),
        Mistake(
            "An empty mask gives nan: 0 / 0. What does the docstring ask for there?",
            lambda a, b, mask: np.sum((a - b) ** 2 * mask[..., None], axis=ALL) / (mask.sum((1, 2)) * a.shape[-1]),
        ),
        Mistake(
            "You take the sum of the squares, not their mean.",
            lambda a, b, mask: np.sum((a - b) ** 2 * mask[..., None], axis=ALL),
        ),
        Mistake(
            "You return the root of the mean squared difference.",
            lambda a, b, mask: np.sqrt(_masked_reference(a, b, mask)),
        ),
        Mistake(
            "You average the absolute differences. A square makes large ones count more.",
            lambda a, b, mask: _masked_mean(abs(a - b), mask, mask.sum((1, 2)) * a.shape[-1]),
        ),
        Mistake(
            "You average over the whole batch: asked for is one number per pair.",
            lambda a, b, mask: np.mean((a - b)[mask] ** 2),
        ),
    ],
    properties=[blind_outside, plain_where_all_count, a_constant_difference, every_pixel_counts_alike],
)

EXERCISES = [NCC_OF_PAIRS, BEST_CONTRAST, MASKED_MSE]

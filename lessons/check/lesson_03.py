"""The checks of the exercises of lesson 3."""

import numpy as np

from lessons.check import lesson_03_mistakes as wrong
from lessons.check import lesson_03_properties as properties
from lessons.check.checking import Case, Exercise, Mistake
from lessons.check.lesson_03_mistakes import ALL, contrast, cov, masked_mean, ncc, of_the_pixels, slope, with_nan
from lessons.check.lesson_03_properties import fit, masked, pairs, with_constant, with_empty_mask
from lessons.check.properties import each_alone

# ---- ncc_of_pairs


def _ncc_reference(a, b):
    both = [[x.ravel().astype(np.float64) for x in pair] for pair in zip(a, b, strict=True)]
    return np.array([np.corrcoef(x, y)[0, 1] if np.ptp(x) and np.ptp(y) else 0.0 for x, y in both])


NCC_OF_PAIRS = Exercise(
    name="ncc_of_pairs",
    title="the NCC of each pair of a batch",
    reference=_ncc_reference,
    cases=[
        Case("one pair of 4 x 4 pixels", pairs(1, 1, 4, 4, 1)),
        Case("one pair of 3 x 6 pixels", pairs(2, 1, 3, 6, 1)),
        Case("a batch of three pairs", pairs(3, 3, 4, 5, 1)),
        Case("three channels", pairs(4, 2, 4, 5, 3)),
        Case("a batch with constant images", with_constant(pairs(5, 4, 4, 5, 1))),
        Case("float32 images, brighter by 1,000", pairs(6, 2, 8, 9, 1, 1000.0, np.float32)),
    ],
    mistakes=[
        Mistake(
            "You sum over the pairs too: asked for is one number per pair.",
            lambda a, b: ncc(a, b, sums_over=None),
        ),
        Mistake(
            "You take one mean of all images and sum over all of them: asked for is one number per pair.",
            lambda a, b: ncc(a, b, mean_of=None, sums_over=None),
        ),
        *with_nan("You average over the pairs: asked for is one number per pair.", np.mean),
        *with_nan(
            "Only the first pair comes out: one number in place of N. Does a `return` stand inside the loop?",
            lambda y: y[0],
        ),
        *with_nan("Only the first pair comes out. Where are the others?", lambda y: y[:1]),
        *with_nan(
            "You give a number for each channel. An image is the vector of *all* its numbers.",
            mean_of=(1, 2),
            sums_over=(1, 2),
        ),
        *with_nan(
            "The axes that you summed over are still there, with length 1. Asked for is (N,).",
            lambda y: y[:, None, None, None],
        ),
        Mistake(
            "One mean is taken for all images of the batch. Each image has a brightness of its own.",
            lambda a, b: ncc(a, b, mean_of=None),
        ),
        *with_nan(
            "Each channel has its own mean taken off. An image is the vector of *all* its numbers, and has one mean.",
            mean_of=(1, 2),
        ),
        *with_nan(
            "You average the NCC of the channels. NCC is a quotient, and the mean of quotients is another number: what "
            "are the sums to run over?",
            lambda y: np.mean(y, axis=-1),
            mean_of=(1, 2),
            sums_over=(1, 2),
        ),
        *with_nan(
            "Nothing is centred: this is the cosine of the angle between the images as they are. Brightness counts.",
            centred=(False, False),
        ),
        *[
            mistake
            for centred in ((True, False), (False, True))
            for mistake in with_nan(
                "Only one of the two images is centred. That is enough for the scalar product of the two, but not for "
                "their lengths.",
                centred=centred,
            )
        ],
        *with_nan("The denominator has no square root: it is a product of two squared lengths.", power=1),
        *with_nan(
            "Nothing is centred, and the denominator has no square root: two mistakes at once.",
            centred=(False, False),
            power=1,
        ),
        *[
            mistake
            for lengths in ((True, False), (False, True))
            for mistake in with_nan(
                "You divide by the squared length of one image. Each of the two has to become a direction.",
                lengths=lengths,
            )
        ],
        *[
            Mistake(
                "This is the covariance. It grows with the contrast of either image: the lengths are missing.",
                lambda a, b, total=total: wrong.covariance(a, b, total),
            )
            for total in (np.sum, np.mean)
        ],
        *with_nan("This is the loss 1 - NCC. Asked for is the NCC.", lambda y: 1 - y),
        Mistake(
            "Constant images come out as 1. They are neither alike nor opposite: what does the docstring ask for?",
            wrong.one_where_constant,
        ),
        Mistake(
            "Constant images come out as nan: 0 / 0. A constant image has no direction, and somebody has to decide. "
            "Where does your code?",
            lambda a, b: ncc(a, b, guarded=False),
        ),
        Mistake(
            "Means and standard deviations divide by different numbers of pixels (n and n - 1).",
            lambda a, b: ncc(a, b) * (a[0].size - 1) / a[0].size,
        ),
    ],
    properties=[
        properties.is_one_for_equal_images,
        properties.sees_the_sign,
        properties.does_not_see_contrast,
        each_alone(*pairs(35, 3, 4, 5, 1)),
        properties.knows_no_neighbours,
        properties.survives_an_offset,
        properties.sees_constants_despite_rounding,
    ],
)


# ---- best_contrast


def _contrast_reference(a, b):
    return (0.0, float(b.mean())) if np.ptp(a) == 0 else wrong.least_squares(a, b)


BEST_CONTRAST = Exercise(
    name="best_contrast",
    title="the contrast and brightness with which one image comes nearest to another",
    reference=_contrast_reference,
    results=("alpha", "beta"),
    cases=[
        Case("images on one line", fit(1, 4, 4, noise=0)),
        Case("with noise", fit(2, 4, 4)),
        Case("3 x 7 pixels", fit(3, 3, 7)),
        Case("a negative", fit(4, 5, 4, alpha=-0.8, beta=1.0)),
        Case("a batch of colour images", fit(5, 2, 4, 5, 3, alpha=0.4, beta=0.3)),
        Case("a is constant", (np.full((3, 4), 0.5), fit(6, 3, 4)[1])),
    ],
    mistakes=[
        Mistake(
            "Your alpha and beta bring b to a, not a to b.",
            lambda a, b: (0.0, b.mean()) if np.ptp(a) == 0 else contrast(slope)(b, a),
        ),
        Mistake(
            "Your alpha is that of the other direction: it is divided by the variance of the wrong image.",
            contrast(lambda a, b: cov(a, b) / cov(b, b)),
        ),
        *wrong.with_a_constant(
            "Your alpha is the correlation, the NCC. It has forgotten both contrasts, and alpha has to carry them: how "
            "does it change if b has twice the contrast?",
            lambda a, b: cov(a, b) / (a.std() * b.std()),
        ),
        *wrong.with_a_constant(
            "You make the standard deviations equal. That is right only where NCC is 1: where the images differ, a "
            "weaker contrast costs less. And where does the sign of a negative come from?",
            lambda a, b: b.std() / a.std(),
        ),
        *wrong.with_a_constant(
            "You make the standard deviations equal. That is right only where NCC is 1 or -1: where the images differ, "
            "a weaker contrast costs less.",
            lambda a, b: np.sign(cov(a, b)) * b.std() / a.std(),
        ),
        *wrong.with_a_constant(
            "You bring the darkest pixel to the darkest, and the brightest to the brightest. Two pixels decide then, "
            "and the MSE asks all of them.",
            lambda a, b: np.ptp(b) / np.ptp(a),
            lambda a, b, alpha: b.min() - alpha * a.min(),
        ),
        *wrong.with_a_constant(
            "You average the quotients of the pixels. Where a is near its mean, a quotient is enormous and means "
            "nothing.",
            lambda a, b: np.mean((b - b.mean()) / (a - a.mean())),
        ),
        *[
            Mistake(hint, contrast(wrong.through_zero, beta, guarded))
            for guarded in (True, False)
            for hint, beta in (
                (
                    "Your line goes through (0, 0): alpha is chosen as if there were no beta. Choose both at once.",
                    lambda a, b, alpha: 0.0,
                ),
                (
                    "alpha is chosen as if there were no beta, and beta afterwards. Each depends on the other.",
                    wrong.equal_means,
                ),
            )
        ],
        *wrong.with_a_constant(
            "beta is the difference of the means, as if alpha were 1. Which mean has alpha * a?",
            slope,
            lambda a, b, alpha: b.mean() - a.mean(),
        ),
        *wrong.with_a_constant(
            "beta is the mean of b, as if a had been centred. But alpha multiplies a as it is.",
            slope,
            lambda a, b, alpha: b.mean(),
        ),
        *wrong.with_a_constant("beta has the wrong sign.", slope, lambda a, b, alpha: alpha * a.mean() - b.mean()),
        Mistake(
            "alpha is right for images that differ, but for a constant one you divide 0 by 0. What does the docstring "
            "ask for there?",
            contrast(slope, guarded=False),
        ),
        Mistake(
            "If a is constant, many pairs of alpha and beta come equally near to b, and `lstsq` takes one of them. "
            "Which one does the docstring ask for?",
            wrong.least_squares,
        ),
        Mistake(
            "If a is constant, your beta is 0. Which brightness comes nearest to b then?",
            lambda a, b: (0.0, 0.0) if np.ptp(a) == 0 else contrast(slope)(a, b),
        ),
        *wrong.with_a_constant(
            "Covariance and variance are divided by different numbers (n and n - 1). `np.cov` divides by n - 1, `var` "
            "by n.",
            lambda a, b: slope(a, b) * a.size / (a.size - 1),
        ),
        *wrong.with_a_constant(
            "Covariance and variance are divided by different numbers: the covariance by n, the variance by n - 1.",
            lambda a, b: slope(a, b) * (a.size - 1) / a.size,
        ),
        *[
            mistake
            for words, power in (("grows", 1), ("shrinks", -1))
            for mistake in wrong.with_a_constant(
                f"One of covariance and variance is a sum, one a mean: alpha {words} with the number of pixels.",
                lambda a, b, power=power: slope(a, b) * float(a.size) ** power,
            )
        ],
        *[
            Mistake("The two results are exchanged: alpha comes first, then beta.", exchanged)
            for exchanged in (
                lambda a, b: _contrast_reference(a, b)[::-1],
                lambda a, b: _contrast_reference(a, b)[:: 1 if np.ptp(a) == 0 else -1],
                lambda a, b: wrong.least_squares(a, b)[::-1],
            )
        ],
    ],
    properties=[
        properties.counts_every_pixel,
        properties.leaves_what_fits,
        properties.finds_an_exact_line,
        properties.equal_means,
        properties.nothing_better_nearby,
    ],
)


# ---- masked_mse


def _masked_reference(a, b, mask):
    return of_the_pixels(a, b, mask, wrong.mse)


MASKED_MSE = Exercise(
    name="masked_mse",
    title="the mean squared difference within a mask",
    reference=_masked_reference,
    cases=[
        Case("one pair of grey images", masked(1, 1, 4, 4, 1)),
        Case("one pair of 3 x 5 pixels", masked(2, 1, 3, 5, 1)),
        Case("three channels", masked(3, 1, 4, 5, 3)),
        Case("a batch of three pairs with different masks", masked(4, 3, 4, 5, 2, share=0.3)),
        Case("one of the masks is empty", with_empty_mask(masked(5, 3, 4, 5, 2))),
    ],
    mistakes=[
        *[
            Mistake(
                "You divide by the number of all pixels. Those outside the mask do not count: a small mask would "
                f"always look like a good match.{and_root}",
                lambda a, b, mask, root=root: root(masked_mean((a - b) ** 2, mask, np.full(len(a), a[0].size))),
            )
            for and_root, root in (("", np.array), (" Besides, you take a root.", np.sqrt))
        ],
        *[
            Mistake(
                f"You divide by the number of pixels in the mask, but each of them adds C squared differences."
                f"{besides}",
                lambda a, b, mask, root=root, guarded=guarded: root(
                    masked_mean((a - b) ** 2, mask, mask.sum(axis=(1, 2)), guarded)
                ),
            )
            for besides, root, guarded in (
                ("", np.array, True),
                (" Besides, an empty mask gives 0 / 0.", np.array, False),
                (" Besides, you take a root.", np.sqrt, True),
            )
        ],
        *[
            Mistake(
                f"You divide by the {words}. Each pair has its own mask.",
                lambda a, b, mask, size=size: masked_mean(
                    (a - b) ** 2, mask, np.full(len(a), size(mask.sum((1, 2))) * a.shape[-1])
                ),
            )
            for words, size in (
                ("size of all masks of the batch together", np.sum),
                ("average size of the masks of the batch", np.mean),
                ("size of the largest mask of the batch", np.max),
            )
        ],
        Mistake(
            "You add 1 to the number that you divide by. That mends the empty mask, and makes all others wrong.",
            lambda a, b, mask: masked_mean((a - b) ** 2, mask, mask.sum((1, 2)) * a.shape[-1] + 1),
        ),
        Mistake(
            "Your mask is inside out: True means that a pixel counts.",
            lambda a, b, mask: _masked_reference(a, b, ~mask),
        ),
        *[
            Mistake(
                f"Only {which} is masked: outside the mask you compare the other image with 0.",
                lambda a, b, mask, which=which, least=least: wrong.only_one_masked(a, b, mask, which, least),
            )
            for which in "ab"
            for least in (1, np.inf)
        ],
        Mistake(
            "An empty mask gives nan: 0 / 0. What does the docstring ask for there?",
            lambda a, b, mask: masked_mean((a - b) ** 2, mask, mask.sum((1, 2)) * a.shape[-1], guarded=False),
        ),
        Mistake(
            "A pair with an empty mask is missing from the result. What does the docstring ask for there?",
            lambda a, b, mask: _masked_reference(a, b, mask)[mask.any(axis=(1, 2))],
        ),
        Mistake(
            "For an empty mask you take the MSE of the whole image. What does the docstring ask for there?",
            lambda a, b, mask: np.where(
                mask.any(axis=(1, 2)), _masked_reference(a, b, mask), np.mean((a - b) ** 2, ALL)
            ),
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
            lambda a, b, mask: of_the_pixels(a, b, mask, lambda x, y: np.mean(abs(x - y))),
        ),
        *[
            Mistake(
                "You square too late: where the differences are added up first, those of different sign cancel.",
                lambda a, b, mask, total=total: of_the_pixels(a, b, mask, total),
            )
            for total in (lambda x, y: np.mean(x - y) ** 2, lambda x, y: np.sum(x - y) ** 2 / x.size)
        ],
        Mistake(
            "You take the difference of the squares. Asked for is the square of the difference.",
            lambda a, b, mask: of_the_pixels(a, b, mask, lambda x, y: np.mean(x**2 - y**2)),
        ),
        Mistake(
            "You look at the first channel only. A pixel counts with all of its channels.",
            lambda a, b, mask: _masked_reference(a[..., :1], b[..., :1], mask),
        ),
        Mistake(
            "You give a number for each channel. A pixel counts with all of its channels, in one mean.",
            lambda a, b, mask: np.stack(
                [_masked_reference(a[..., c], b[..., c], mask) for c in range(a.shape[-1])], axis=-1
            ),
        ),
        *[
            Mistake(f"Only the first pair comes out. {hint}", lambda *given, k=k: _masked_reference(*given)[k])
            for hint, k in (("Where are the others?", slice(1)), ("Does a `return` stand inside the loop?", 0))
        ],
        *[
            Mistake("You average over the whole batch: asked for is one number per pair.", average)
            for average in (
                lambda a, b, mask: np.mean((a - b)[mask] ** 2),
                lambda a, b, mask: np.mean(_masked_reference(a, b, mask)),
            )
        ],
    ],
    properties=[
        each_alone(*masked(52, 3, 3, 4, 2)),
        properties.blind_outside,
        properties.plain_where_all_count,
        properties.a_constant_difference,
        properties.every_pixel_counts_alike,
    ],
)

EXERCISES = [NCC_OF_PAIRS, BEST_CONTRAST, MASKED_MSE]

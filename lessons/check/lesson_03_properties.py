"""What every right answer to the exercises of lesson 3 fulfils, and the arguments that it is tested with."""

import numpy as np

from minireg import metrics

# ---- ncc_of_pairs


def pairs(seed, n, h, w, channels, offset=0.0, dtype=np.float64):
    """Pairs of images that resemble each other to different degrees, with a mean that differs between channels."""
    rng = np.random.default_rng(seed)
    a, noise = rng.random((2, n, h, w, channels))
    a += 0.7 * np.arange(channels) + np.linspace(0, 0.5, n)[:, None, None, None]
    likeness = np.linspace(0.8, -0.4, n)[:, None, None, None]
    b = likeness * a + (1 - abs(likeness)) * noise
    return (a + offset).astype(dtype), (b + 2 * offset).astype(dtype)


def with_constant(arguments):
    a, b = arguments
    a[0], b[2] = 0.5, 0.0
    return a, b


def does_not_see_contrast(ncc_of_pairs):
    a, b = pairs(31, 3, 4, 5, 1)
    if not np.allclose(ncc_of_pairs(2 * a + 3, b), ncc_of_pairs(a, 0.5 * b - 1), atol=1e-6):
        return "More contrast or brightness must not change NCC. Yours changes when a becomes 2 a + 3."


def sees_the_sign(ncc_of_pairs):
    a, b = pairs(32, 3, 4, 5, 1)
    if not np.allclose(ncc_of_pairs(-a, b), -np.asarray(ncc_of_pairs(a, b)), atol=1e-6):
        return "The negative of an image must have minus the NCC of the image. Did a sign get lost?"


def is_one_for_equal_images(ncc_of_pairs):
    a, _ = pairs(33, 3, 4, 5, 2)
    if not np.allclose(ncc_of_pairs(a, a), 1, atol=1e-6):
        return "An image and itself must have NCC 1. What is the length of a direction?"


def knows_no_neighbours(ncc_of_pairs):
    a, b = pairs(34, 2, 4, 5, 3)
    order = np.random.default_rng(34).permutation(60)
    shuffled = (x.reshape(2, -1)[:, order].reshape(x.shape) for x in (a, b))
    if not np.allclose(ncc_of_pairs(*shuffled), ncc_of_pairs(a, b), atol=1e-6):
        return (
            "The same new order for the pixels and channels of both images must not change NCC. Yours depends on which "
            "number lies in which row, column or channel: does everything run over all three axes?"
        )


def survives_an_offset(ncc_of_pairs):
    a, b = pairs(36, 2, 8, 9, 1, dtype=np.float32)
    if not np.allclose(ncc_of_pairs(a + 1000, b + 1000), ncc_of_pairs(a, b), atol=0.01):
        return (
            "float32 images that are brighter by 1,000 have the same NCC, but you lose its digits. Do you subtract two "
            "large numbers that are almost equal?"
        )


def sees_constants_despite_rounding(ncc_of_pairs):
    a, b = np.full((1, 7, 7, 1), 0.1), np.full((1, 7, 7, 1), 0.7)
    if not np.allclose(ncc_of_pairs(a, b), 0, atol=1e-6):
        return (
            "Two constant images, one .1 everywhere and one .7, do not give 0. The mean of many .1 is not exactly .1 "
            "for a computer: something tiny is left, and tiny / tiny is not 0 / 0. How else can you see that an image "
            "is constant?"
        )


# ---- best_contrast


def fit(seed, *shape, alpha=1.5, beta=-0.2, noise=0.3):
    """An image, and another one that is about alpha a + beta."""
    rng = np.random.default_rng(seed)
    a = rng.random(shape)
    return a, alpha * a + beta + noise * rng.normal(size=shape)


def _as_text(alpha, beta):
    return f"Yours is ({float(alpha):.4g}, {float(beta):.4g})."


def counts_every_pixel(best_contrast):
    a, b = fit(45, 4, 5)
    other = b.copy()
    other[-1] += 1
    if np.allclose(best_contrast(a, b), best_contrast(a, other)):
        return "Your answer stays the same if b becomes brighter in its last row. Which pixels do you look at?"


def leaves_what_fits(best_contrast):
    a, _ = fit(41, 4, 5)
    alpha, beta = best_contrast(a, a)
    if abs(alpha - 1) > 1e-6 or abs(beta) > 1e-6:
        return f"If b is a, nothing is to be changed: alpha must be 1 and beta 0. {_as_text(alpha, beta)}"


def finds_an_exact_line(best_contrast):
    a, b = fit(42, 4, 5, alpha=0.3, beta=0.5, noise=0)
    alpha, beta = best_contrast(a, b)
    if abs(alpha - 0.3) > 1e-6 or abs(beta - 0.5) > 1e-6:
        return f"If b is exactly .3 a + .5, the answer must be (.3, .5). {_as_text(alpha, beta)}"


def equal_means(best_contrast):
    a, b = fit(43, 4, 5)
    alpha, beta = best_contrast(a, b)
    if abs(np.mean(alpha * a + beta - b)) > 1e-6:
        return (
            "What is left over, alpha a + beta - b, has a mean other than 0: another beta would make the MSE smaller. "
            "Which beta fits your alpha?"
        )


def nothing_better_nearby(best_contrast):
    a, b = fit(44, 4, 5)
    alpha, _ = best_contrast(a, b)
    mse = lambda alpha: np.var(alpha * a - b)  # with the best beta for this alpha
    if not mse(alpha) <= min(mse(0.99 * alpha), mse(1.01 * alpha)):
        return (
            "With the best beta for each, another alpha near yours has a smaller MSE. Set the derivative of the MSE to "
            "zero: where does alpha stand in it?"
        )


# ---- masked_mse


def masked(seed, n, h, w, channels, share=0.5):
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, n, h, w, channels))
    mask = rng.random((n, h, w)) < np.linspace(share, 1 - share / 2, n)[:, None, None]
    mask[:, 0, 0] = True
    return a, b, mask


def with_empty_mask(arguments):
    a, b, mask = arguments
    mask[1] = False
    return a, b, mask


def plain_where_all_count(masked_mse):
    a, b, mask = masked(51, 2, 3, 4, 2)
    if not np.allclose(masked_mse(a, b, np.ones_like(mask)), metrics.mse(a, b)):
        return "If every pixel counts, the result must be the plain MSE of each pair."


def blind_outside(masked_mse):
    a, b, mask = masked(52, 2, 3, 4, 2)
    other = np.where(mask[..., None], a, 9.0)
    if not np.allclose(masked_mse(other, b, mask), masked_mse(a, b, mask)):
        return "What lies outside the mask must not matter, but your result changes with it."


def a_constant_difference(masked_mse):
    a, _, mask = masked(53, 2, 3, 4, 2)
    if not np.allclose(masked_mse(a, a + 0.5, mask), 0.25):
        return (
            "If all intensities differ by .5, the mean squared difference is .25, however large the mask. How many "
            "numbers does your mean count?"
        )


def every_pixel_counts_alike(masked_mse):
    a, _, mask = masked(54, 1, 3, 4, 1)
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

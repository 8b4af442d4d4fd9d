"""Wrong answers to the exercises of lesson 3, as a learner would write them, and what their hint must say."""

import numpy as np

# ---- ncc_of_pairs


def ncc_mean_of_batch(a, b):
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))
    return np.divide((a * b).sum((1, 2, 3)), norm, out=np.zeros(len(a)), where=norm > 0)


def ncc_not_centred(a, b):
    norm = np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))
    return np.divide((a * b).sum((1, 2, 3)), norm, out=np.zeros(len(a)), where=norm > 0)


def ncc_with_nan(a, b):
    result = []
    for x, y in zip(a, b, strict=True):
        x, y = x - x.mean(), y - y.mean()
        result.append(np.sum(x * y) / np.sqrt(np.sum(x * x) * np.sum(y * y)))
    return np.array(result)


def ncc_per_channel(a, b):
    a, b = a - a.mean((1, 2), keepdims=True), b - b.mean((1, 2), keepdims=True)
    norm = np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))
    return np.divide((a * b).sum((1, 2, 3)), norm, out=np.zeros(len(a)), where=norm > 0)


def _right(a, b):
    a, b = a - a.mean((1, 2, 3), keepdims=True), b - b.mean((1, 2, 3), keepdims=True)
    norm = np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))
    return np.divide((a * b).sum((1, 2, 3)), norm, out=np.zeros(len(a)), where=norm > 0)


def ncc_of_the_whole_batch(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


def ncc_of_the_first_channel(a, b):
    return _right(a[..., :1], b[..., :1])


def ncc_without_sign(a, b):
    return abs(_right(a, b))


def ncc_squared(a, b):
    return _right(a, b) ** 2


def ncc_centred_by_columns(a, b):
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    norm = np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))
    return np.divide((a * b).sum((1, 2, 3)), norm, out=np.zeros(len(a)), where=norm > 0)


def ncc_with_an_epsilon(a, b):
    a, b = a - a.mean((1, 2, 3), keepdims=True), b - b.mean((1, 2, 3), keepdims=True)
    return (a * b).sum((1, 2, 3)) / (np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3))) + 0.01)


def ncc_by_the_textbook(a, b):
    mean = lambda x: x.mean((1, 2, 3))
    variance_a, variance_b = mean(a * a) - mean(a) ** 2, mean(b * b) - mean(b) ** 2
    norm = np.sqrt(np.maximum(variance_a, 0) * np.maximum(variance_b, 0))
    return np.where(norm > 1e-6, (mean(a * b) - mean(a) * mean(b)) / np.maximum(norm, 1e-6), 0)


def ncc_in_place(a, b):
    a -= a.mean((1, 2, 3), keepdims=True)
    b -= b.mean((1, 2, 3), keepdims=True)
    return _right(a, b)


def ncc_of_standardised_images(a, b):
    a, b = ((x - x.mean((1, 2, 3), keepdims=True)) / x.std((1, 2, 3), keepdims=True) for x in (a, b))
    return np.nan_to_num((a * b).sum((1, 2, 3)))


# ---- best_contrast


def contrast_of_b_to_a(a, b):
    alpha = np.cov(a.ravel(), b.ravel())[0, 1] / b.var(ddof=1)
    return (alpha, b.mean() - alpha * a.mean()) if a.std() > 1e-12 else (0.0, b.mean())


def contrast_by_spread(a, b):
    if a.std() < 1e-12:
        return 0.0, b.mean()
    return b.std() / a.std(), b.mean() - b.std() / a.std() * a.mean()


def contrast_with_two_counts(a, b):
    if a.std() < 1e-12:
        return 0.0, b.mean()
    alpha = np.cov(a.ravel(), b.ravel())[0, 1] / a.var()
    return alpha, b.mean() - alpha * a.mean()


def contrast_without_a_guard(a, b):
    a_centred, b_centred = a - a.mean(), b - b.mean()
    alpha = (a_centred * b_centred).sum() / (a_centred**2).sum()
    return alpha, b.mean() - alpha * a.mean()


def contrast_by_range(a, b):
    if a.max() == a.min():
        return 0.0, b.mean()
    alpha = (b.max() - b.min()) / (a.max() - a.min())
    return alpha, b.mean() - alpha * a.mean()


def contrast_and_the_darkest_pixel(a, b):
    if a.std() < 1e-12:
        return 0.0, b.mean()
    alpha = np.cov(a.ravel(), b.ravel())[0, 1] / a.var(ddof=1)
    return alpha, b.min() - alpha * a.min()


def contrast_is_the_ncc(a, b):
    if a.std() < 1e-12:
        return 0.0, b.mean()
    alpha = np.corrcoef(a.ravel(), b.ravel())[0, 1]
    return alpha, b.mean() - alpha * a.mean()


def contrast_as_polyfit_returns_it(a, b):
    if a.std() < 1e-12:
        return b.mean(), 0.0
    return tuple(np.polyfit(a.ravel(), b.ravel(), 1)[::-1])


# ---- masked_mse


def masked_by_zeroing(a, b, mask):
    return ((a * mask[..., None] - b * mask[..., None]) ** 2).mean((1, 2, 3))


def masked_without_channels(a, b, mask):
    total = ((a - b) ** 2 * mask[..., None]).sum((1, 2, 3))
    return total / np.maximum(mask.sum((1, 2)), 1)


def masked_all_together(a, b, mask):
    return np.mean((a[mask] - b[mask]) ** 2)


def masked_inside_out(a, b, mask):
    outside = ~mask
    return np.array([((x[m] - y[m]) ** 2).mean() if m.any() else 0 for x, y, m in zip(a, b, outside, strict=True)])


def masked_with_nan(a, b, mask):
    return np.array([((x[m] - y[m]) ** 2).mean() for x, y, m in zip(a, b, mask, strict=True)])


def masked_with_the_first_mask(a, b, mask):
    return np.array([((x[mask[0]] - y[mask[0]]) ** 2).mean() for x, y in zip(a, b, strict=True)])


def masked_mean_of_the_means(a, b, mask):
    square = np.where(mask[..., None], (a - b) ** 2, np.nan).mean(-1)
    rows = np.array([[np.nanmean(r) if np.isfinite(r).any() else 0 for r in image] for image in square])
    return rows.mean(1)


def masked_square_of_the_mean(a, b, mask):
    pairs = zip(a, b, mask, strict=True)
    return np.array([(x[m] - y[m]).mean() ** 2 if m.any() else 0 for x, y, m in pairs])


def masked_difference_of_squares(a, b, mask):
    pairs = zip(a, b, mask, strict=True)
    return np.array([(x[m] ** 2 - y[m] ** 2).mean() if m.any() else 0 for x, y, m in pairs])


def masked_by_broadcasting(a, b, mask):
    return (((a - b) * mask) ** 2).sum((1, 2, 3)) / mask.sum((1, 2))


WRONG = [
    ("ncc_of_pairs", ncc_mean_of_batch, "One mean is taken for all images"),
    ("ncc_of_pairs", ncc_not_centred, "Nothing is centred"),
    ("ncc_of_pairs", ncc_with_nan, "come out as nan"),
    ("ncc_of_pairs", ncc_per_channel, "Each channel has its own mean"),
    ("ncc_of_pairs", ncc_of_the_whole_batch, "shape ()"),
    ("ncc_of_pairs", ncc_of_the_first_channel, "which number lies in which row, column or channel"),
    ("ncc_of_pairs", ncc_without_sign, "Did a sign get lost"),
    ("ncc_of_pairs", ncc_squared, "Did a sign get lost"),
    ("ncc_of_pairs", ncc_centred_by_columns, "does everything run over all three axes"),
    ("ncc_of_pairs", ncc_with_an_epsilon, "must have NCC 1"),
    ("ncc_of_pairs", ncc_by_the_textbook, "almost equal"),
    ("ncc_of_pairs", ncc_in_place, "in place"),
    ("ncc_of_pairs", ncc_of_standardised_images, "must have NCC 1"),
    ("best_contrast", contrast_of_b_to_a, "that of the other direction"),
    ("best_contrast", contrast_by_spread, "where NCC is 1"),
    ("best_contrast", contrast_with_two_counts, "n and n - 1"),
    ("best_contrast", contrast_without_a_guard, "you divide 0 by 0"),
    ("best_contrast", contrast_by_range, "another alpha near yours has a smaller MSE"),
    ("best_contrast", contrast_and_the_darkest_pixel, "Which beta fits your alpha"),
    ("best_contrast", contrast_is_the_ncc, "the answer must be (.3, .5)"),
    ("best_contrast", contrast_as_polyfit_returns_it, "You return beta first"),
    ("masked_mse", masked_by_zeroing, "the number of all pixels"),
    ("masked_mse", masked_without_channels, "adds C squared differences"),
    ("masked_mse", masked_all_together, "one number per pair"),
    ("masked_mse", masked_inside_out, "inside out"),
    ("masked_mse", masked_with_nan, "0 / 0"),
    ("masked_mse", masked_with_the_first_mask, "What lies outside the mask must not matter"),
    ("masked_mse", masked_mean_of_the_means, "Do you average averages"),
    ("masked_mse", masked_square_of_the_mean, "plain MSE"),
    ("masked_mse", masked_difference_of_squares, "plain MSE"),
    ("masked_mse", masked_by_broadcasting, "ValueError"),
]

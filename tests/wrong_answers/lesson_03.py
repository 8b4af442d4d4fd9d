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


def ncc_summed_over_the_pairs(a, b):
    a, b = a - a.mean((1, 2, 3), keepdims=True), b - b.mean((1, 2, 3), keepdims=True)
    return (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())


def ncc_averaged_over_the_pairs(a, b):
    return _right(a, b).mean()


def ncc_returns_in_the_loop(a, b):
    for x, y in zip(a, b, strict=True):
        x, y = x - x.mean(), y - y.mean()
        return (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())


def ncc_of_the_first_pair(a, b):
    return _right(a[:1], b[:1])


def ncc_keeps_the_axes(a, b):
    return _right(a, b).reshape(-1, 1, 1, 1)


def ncc_of_each_channel(a, b):
    a, b = a - a.mean((1, 2), keepdims=True), b - b.mean((1, 2), keepdims=True)
    return (a * b).sum((1, 2)) / np.sqrt((a * a).sum((1, 2)) * (b * b).sum((1, 2)))


def ncc_one_where_constant(a, b):
    constant = (np.ptp(a, axis=(1, 2, 3)) == 0) | (np.ptp(b, axis=(1, 2, 3)) == 0)
    return np.where(constant, 1.0, _right(a, b))


def ncc_with_one_image_centred(a, b):
    a = a - a.mean((1, 2, 3), keepdims=True)
    norm = np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))
    return np.divide((a * b).sum((1, 2, 3)), norm, out=np.zeros(len(a)), where=norm > 0)


def ncc_without_root_or_centre(a, b):
    norm = (a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3))
    return np.divide((a * b).sum((1, 2, 3)), norm, out=np.zeros(len(a)), where=norm > 0)


def ncc_loss_with_nan(a, b):
    return 1 - ncc_with_nan(a, b)


def ncc_centred_over_the_batch_axis(a, b):
    a, b = a - a.mean(0), b - b.mean(0)
    norm = np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))
    return np.divide((a * b).sum((1, 2, 3)), norm, out=np.zeros(len(a)), where=norm > 0)


def ncc_covariance_only(a, b):
    a, b = a - a.mean((1, 2, 3), keepdims=True), b - b.mean((1, 2, 3), keepdims=True)
    return (a * b).mean((1, 2, 3))


def ncc_divided_by_one_length(a, b):
    a, b = a - a.mean((1, 2, 3), keepdims=True), b - b.mean((1, 2, 3), keepdims=True)
    saa = (a * a).sum((1, 2, 3))
    return np.divide((a * b).sum((1, 2, 3)), saa, out=np.zeros(len(a)), where=saa > 0)


def ncc_that_asks_whether_the_rest_is_zero(a, b):
    return _right(a, b)


def ncc_per_channel_with_nan(a, b):
    a, b = a - a.mean((1, 2), keepdims=True), b - b.mean((1, 2), keepdims=True)
    return (a * b).sum((1, 2, 3)) / np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))


def ncc_not_centred_with_nan(a, b):
    return (a * b).sum((1, 2, 3)) / np.sqrt((a**2).sum((1, 2, 3)) * (b**2).sum((1, 2, 3)))


def ncc_squared_with_nan(a, b):
    return ncc_with_nan(a, b) ** 2


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


def contrast_is_the_ncc_without_a_guard(a, b):
    alpha = np.corrcoef(a.ravel(), b.ravel())[0, 1]
    return alpha, b.mean() - alpha * a.mean()


def contrast_with_two_counts_without_a_guard(a, b):
    alpha = np.cov(a.ravel(), b.ravel())[0, 1] / a.var()
    return alpha, b.mean() - alpha * a.mean()


def contrast_by_lstsq_without_a_guard(a, b):
    design = np.stack([a.ravel(), np.ones(a.size)], axis=1)
    return tuple(np.linalg.lstsq(design, b.ravel(), rcond=None)[0])


def contrast_by_solve_without_a_guard(a, b):
    matrix = np.array([[(a * a).sum(), a.sum()], [a.sum(), a.size]])
    return tuple(np.linalg.solve(matrix, np.array([(a * b).sum(), b.sum()])))


def contrast_exchanged_except_constant(a, b):
    if np.ptp(a) == 0:
        return 0.0, b.mean()
    alpha, beta = np.polyfit(a.ravel(), b.ravel(), 1)
    return beta, alpha


def contrast_sum_by_mean(a, b):
    if np.ptp(a) == 0:
        return 0.0, b.mean()
    alpha = np.sum((a - a.mean()) * (b - b.mean())) / a.var()
    return alpha, b.mean() - alpha * a.mean()


def contrast_mean_of_quotients(a, b):
    if np.ptp(a) == 0:
        return 0.0, b.mean()
    alpha = np.mean((b - b.mean()) / (a - a.mean()))
    return alpha, b.mean() - alpha * a.mean()


def contrast_by_the_darkest_and_brightest(a, b):
    if np.ptp(a) == 0:
        return 0.0, b.mean()
    alpha = np.ptp(b) / np.ptp(a)
    return alpha, b.min() - alpha * a.min()


def contrast_as_an_array(a, b):
    return np.polyfit(a.ravel(), b.ravel(), 1) if np.ptp(a) else np.array([0.0, b.mean()])


def contrast_of_the_first_image(a, b):
    a, b = a[:1], b[:1]
    if np.ptp(a) == 0:
        return 0.0, b.mean()
    alpha = np.cov(a.ravel(), b.ravel())[0, 1] / a.var(ddof=1)
    return alpha, b.mean() - alpha * a.mean()


def contrast_by_spread_with_a_sign(a, b):
    if np.ptp(a) == 0:
        return 0.0, b.mean()
    alpha = np.sign(np.cov(a.ravel(), b.ravel())[0, 1]) * b.std() / a.std()
    return alpha, b.mean() - alpha * a.mean()


def contrast_in_place(a, b):
    beta = b.mean()
    a -= a.mean()
    alpha = (a * b).sum() / max((a * a).sum(), 1e-12)
    return alpha, beta


def contrast_beta_of_the_centred_image(a, b):
    if np.ptp(a) == 0:
        return 0.0, b.mean()
    centred = a - a.mean()
    return (centred * b).sum() / (centred**2).sum(), b.mean()


def contrast_wrong_way_and_sign(a, b):
    if np.ptp(a) == 0:
        return 0.0, b.mean()
    alpha = np.cov(a.ravel(), b.ravel())[0, 1] / b.var(ddof=1)
    return alpha, alpha * a.mean() - b.mean()


def contrast_by_descent_that_stops_early(a, b):
    alpha, beta = 1.0, 0.0
    for _ in range(50):
        rest = alpha * a + beta - b
        alpha, beta = alpha - 0.5 * np.mean(rest * a), beta - 0.5 * np.mean(rest)
    return (alpha, beta) if np.ptp(a) else (0.0, b.mean())


def contrast_zero_where_constant(a, b):
    if np.ptp(a) == 0:
        return 0.0, 0.0
    alpha = np.cov(a.ravel(), b.ravel())[0, 1] / a.var(ddof=1)
    return alpha, b.mean() - alpha * a.mean()


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


def masked_with_count_plus_one(a, b, mask):
    total = ((a - b) ** 2 * mask[..., None]).sum((1, 2, 3))
    return total / (mask.sum((1, 2)) * a.shape[-1] + 1)


def masked_skips_the_empty(a, b, mask):
    result = []
    for x, y, m in zip(a, b, mask, strict=True):
        if not m.any():
            continue
        result.append(((x[m] - y[m]) ** 2).mean())
    return np.array(result)


def masked_only_one_of_them(a, b, mask):
    total = ((a * mask[..., None] - b) ** 2).sum((1, 2, 3))
    return total / np.maximum(mask.sum((1, 2)) * a.shape[-1], 1)


def masked_root_without_channels(a, b, mask):
    return np.sqrt(masked_without_channels(a, b, mask))


def masked_without_channels_with_nan(a, b, mask):
    return ((a - b) ** 2 * mask[..., None]).sum((1, 2, 3)) / mask.sum((1, 2))


def masked_of_each_channel(a, b, mask):
    return ((a - b) ** 2 * mask[..., None]).sum((1, 2)) / np.maximum(mask.sum((1, 2)), 1)[:, None]


def masked_of_each_column(a, b, mask):
    return ((a - b) ** 2 * mask[..., None]).sum((1, 3)) / np.maximum(mask.sum(1) * a.shape[-1], 1)


def masked_of_the_first_pair(a, b, mask):
    return np.array([np.mean((a[0][mask[0]] - b[0][mask[0]]) ** 2)])


def masked_first_channel(a, b, mask):
    total = ((a - b) ** 2 * mask[..., None])[..., 0].sum((1, 2))
    return total / np.maximum(mask.sum((1, 2)), 1)


def masked_by_the_largest_mask(a, b, mask):
    count = mask.sum((1, 2)).max() * a.shape[-1]
    return ((a - b) ** 2 * mask[..., None]).sum((1, 2, 3)) / count


def masked_by_zeroing_with_a_root(a, b, mask):
    return np.sqrt(masked_by_zeroing(a, b, mask))


def masked_summed_before_squared(a, b, mask):
    total = ((a - b) * mask[..., None]).sum((1, 2, 3)) ** 2
    return total / np.maximum(mask.sum((1, 2)) * a.shape[-1], 1)


def masked_in_place(a, b, mask):
    a[~mask] = 0
    b[~mask] = 0
    return ((a - b) ** 2).sum((1, 2, 3)) / np.maximum(mask.sum((1, 2)) * a.shape[-1], 1)


def masked_empty_is_everything(a, b, mask):
    pairs = zip(a, b, mask, strict=True)
    return np.array([((x[m] - y[m]) ** 2).mean() if m.any() else ((x - y) ** 2).mean() for x, y, m in pairs])


def masked_mean_of_the_means_of_channels_and_rows(a, b, mask):
    pairs = zip(a, b, mask, strict=True)
    return np.array(
        [
            np.mean([((x[r][m[r]] - y[r][m[r]]) ** 2).mean() for r in range(len(m)) if m[r].any()]) if m.any() else 0
            for x, y, m in pairs
        ]
    )


WRONG = [
    ("ncc_of_pairs", ncc_mean_of_batch, "One mean is taken for all images"),
    ("ncc_of_pairs", ncc_not_centred, "Nothing is centred"),
    ("ncc_of_pairs", ncc_with_nan, "come out as nan"),
    ("ncc_of_pairs", ncc_per_channel, "Each channel has its own mean"),
    ("ncc_of_pairs", ncc_of_the_whole_batch, "You take one mean of all images and sum over all"),
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
    ("best_contrast", contrast_is_the_ncc, "the correlation, the NCC"),
    ("best_contrast", contrast_as_polyfit_returns_it, "The two results are exchanged"),
    ("masked_mse", masked_by_zeroing, "the number of all pixels"),
    ("masked_mse", masked_without_channels, "adds C squared differences"),
    ("masked_mse", masked_all_together, "one number per pair"),
    ("masked_mse", masked_inside_out, "inside out"),
    ("masked_mse", masked_with_nan, "0 / 0"),
    ("masked_mse", masked_with_the_first_mask, "what belongs to the first"),
    ("masked_mse", masked_mean_of_the_means, "Do you average averages"),
    ("masked_mse", masked_square_of_the_mean, "You square too late"),
    ("masked_mse", masked_difference_of_squares, "the difference of the squares"),
    ("masked_mse", masked_by_broadcasting, "ValueError"),
    ("ncc_of_pairs", ncc_summed_over_the_pairs, "sum over the pairs too"),
    ("ncc_of_pairs", ncc_averaged_over_the_pairs, "average over the pairs"),
    ("ncc_of_pairs", ncc_returns_in_the_loop, "inside the loop"),
    ("ncc_of_pairs", ncc_of_the_first_pair, "Only the first pair"),
    ("ncc_of_pairs", ncc_keeps_the_axes, "with length 1"),
    ("ncc_of_pairs", ncc_of_each_channel, "a number for each channel"),
    ("ncc_of_pairs", ncc_one_where_constant, "come out as 1"),
    ("ncc_of_pairs", ncc_with_one_image_centred, "Only one of the two images is centred"),
    ("ncc_of_pairs", ncc_without_root_or_centre, "two mistakes at once"),
    ("ncc_of_pairs", ncc_loss_with_nan, "Besides, constant images"),
    ("ncc_of_pairs", ncc_centred_over_the_batch_axis, "look up over the whole batch"),
    ("ncc_of_pairs", ncc_covariance_only, "the covariance"),
    ("ncc_of_pairs", ncc_divided_by_one_length, "the squared length of one image"),
    ("ncc_of_pairs", ncc_that_asks_whether_the_rest_is_zero, "something tiny is left"),
    ("ncc_of_pairs", ncc_per_channel_with_nan, "Each channel has its own mean"),
    ("ncc_of_pairs", ncc_not_centred_with_nan, "Nothing is centred"),
    ("ncc_of_pairs", ncc_squared_with_nan, "Did a sign get lost"),
    ("best_contrast", contrast_is_the_ncc_without_a_guard, "the correlation, the NCC"),
    ("best_contrast", contrast_with_two_counts_without_a_guard, "n and n - 1"),
    ("best_contrast", contrast_by_lstsq_without_a_guard, "many pairs of alpha and beta"),
    ("best_contrast", contrast_by_solve_without_a_guard, "Singular matrix"),
    ("best_contrast", contrast_exchanged_except_constant, "The two results are exchanged"),
    ("best_contrast", contrast_sum_by_mean, "grows with the number of pixels"),
    ("best_contrast", contrast_mean_of_quotients, "the quotients of the pixels"),
    ("best_contrast", contrast_by_the_darkest_and_brightest, "Two pixels decide"),
    ("best_contrast", contrast_as_an_array, "as a tuple"),
    ("best_contrast", contrast_of_the_first_image, "Which pixels do you look at"),
    ("best_contrast", contrast_by_spread_with_a_sign, "NCC is 1 or -1"),
    ("best_contrast", contrast_in_place, "in place"),
    ("best_contrast", contrast_beta_of_the_centred_image, "as if a had been centred"),
    ("best_contrast", contrast_wrong_way_and_sign, "Yours is (3.333, 1.241)"),
    ("best_contrast", contrast_by_descent_that_stops_early, "Yours is (0.4726, 0.3949)"),
    ("best_contrast", contrast_zero_where_constant, "your beta is 0"),
    ("masked_mse", masked_with_count_plus_one, "You add 1"),
    ("masked_mse", masked_skips_the_empty, "is missing from the result"),
    ("masked_mse", masked_only_one_of_them, "Only a is masked"),
    ("masked_mse", masked_root_without_channels, "Besides, you take a root"),
    ("masked_mse", masked_without_channels_with_nan, "Besides, an empty mask"),
    ("masked_mse", masked_of_each_channel, "a number for each channel"),
    ("masked_mse", masked_of_each_column, "an axis too many"),
    ("masked_mse", masked_of_the_first_pair, "Only the first pair"),
    ("masked_mse", masked_first_channel, "the first channel only"),
    ("masked_mse", masked_by_the_largest_mask, "the largest mask"),
    ("masked_mse", masked_by_zeroing_with_a_root, "Besides, you take a root"),
    ("masked_mse", masked_summed_before_squared, "You square too late"),
    ("masked_mse", masked_in_place, "in place"),
    ("masked_mse", masked_empty_is_everything, "MSE of the whole image"),
    ("masked_mse", masked_mean_of_the_means_of_channels_and_rows, "Do you average averages"),
]

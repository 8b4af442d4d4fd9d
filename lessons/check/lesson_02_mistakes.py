"""Answers to the exercises of lesson 2 as a learner would write them, with a place for each mistake."""

import numpy as np


def sample_line(line, c, floor=np.floor, border="zeros", exchanged=False, clip_first=False, ceil=False, off=0.0):
    """Linear interpolation; `off` is how far the pixels are taken to lie from where they are."""
    c, last = c - off, len(line) - 1
    before = floor(c).astype(int)
    after = np.ceil(c).astype(int) if ceil else before + 1
    if clip_first:
        before, after = np.clip(before, 0, last), np.clip(after, 0, last)
    weight_before, weight_after = (after - c, c - before) if clip_first or ceil else (1 - (c - before), c - before)
    if exchanged:
        weight_before, weight_after = weight_after, weight_before

    def read(j):
        if border == "wrap":
            return line[j % len(line)]
        if border == "upper":
            return np.where(j <= last, line[np.minimum(j, last)], 0)
        inside = (j >= -len(line) if border == "negative" else j >= 0) & (j <= last)
        values = line[np.where(inside & (j < 0), j, np.clip(j, 0, last))]
        return values if border == "edge" else np.where(inside, values, 0)

    return weight_before * read(before) + weight_after * read(after)


def cliff(line, c):
    """The line ends without a ramp."""
    return np.where((c >= 0) & (c <= len(line) - 1), sample_line(line, c), 0)


def sample(images, r, c, floor=np.floor, border="edge", clip_first=False, ceil=False, exchange=None, first_image=False):
    """Bilinear sampling."""
    n, height, width, _ = images.shape
    if exchange == "sizes":
        r, c = np.clip(r, 0, width - 1), np.clip(c, 0, height - 1)
    if exchange == "places":
        r, c = c, r
    image = 0 if first_image else np.arange(n)[:, None, None]
    i, j = floor(r).astype(int), floor(c).astype(int)
    i1, j1 = i + 1, j + 1
    s, t = r - i, c - j
    weights = [1 - s, s], [1 - t, t]
    if clip_first:
        i, i1, j, j1 = (np.clip(k, 0, size - 1) for k, size in ((i, height), (i1, height), (j, width), (j1, width)))
    if ceil:
        i1, j1 = np.ceil(r).astype(int), np.ceil(c).astype(int)
    if clip_first or ceil:
        weights = [i1 - r, r - i], [j1 - c, c - j]
    if exchange == "fractions":
        weights = weights[::-1]
    elif exchange == "weights":
        weights = weights[0][::-1], weights[1][::-1]
    elif exchange == "corners":
        weights = weights[0], weights[1][::-1]

    def read(i, j):
        if border == "wrap":
            return images[image, i % height, j % width]
        if border == "upper":
            return images[image, np.minimum(i, height - 1), np.minimum(j, width - 1)]
        values = images[image, np.clip(i, 0, height - 1), np.clip(j, 0, width - 1)]
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        return np.where(inside[..., None], values, 0) if border == "zeros" else values

    (a, b), (d, e) = weights
    pixels = ((a * d, read(i, j)), (a * e, read(i, j1)), (b * d, read(i1, j)), (b * e, read(i1, j1)))
    return sum(weight[..., None] * value for weight, value in pixels)


def sample_2020(image, x, y, steps_missing=(0, 0), clip_first=True):
    """The sampler of 2020: with `steps_missing` = (1, 1) its scale is mended, with `clip_first` = False its weights."""
    height, width = np.subtract(image.shape, steps_missing)
    r, c = (y + 1) * height / 2, (x + 1) * width / 2
    flat = (k.reshape(1, 1, -1) for k in (r, c))
    return sample(image[None, :, :, None], *flat, clip_first=clip_first).reshape(x.shape)

"""Wrong answers to the exercises of lesson 8: what a learner would write, with a place for each mistake."""

import numpy as np

ALL = (1, 2, 3)


def ncc_b(
    g,
    a,
    b,
    mean_of=ALL,
    sums_over=ALL,
    centred_sums=True,
    centred_images=True,
    first="a",
    last="b",
    second=1.0,
    energy="b",
    square_root=True,
):
    """The gradient of NCC: `first` and `last` name the images of the two terms, `second` is a factor of the latter."""
    centred = [x - np.mean(x, axis=mean_of, keepdims=True) for x in (a, b)]
    x, y = centred if centred_sums else (a, b)
    saa, sbb, sab = (np.sum(p * q, axis=sums_over, keepdims=True) for p, q in ((x, x), (y, y), (x, y)))
    norm = np.sqrt(saa * sbb) if square_root else saa * sbb
    image = dict(zip("ab", centred if centred_images else (a, b), strict=True))
    energy = {"a": saa, "b": sbb}[energy]
    return np.reshape(g, (-1, 1, 1, 1)) * (image[first] / norm - second * sab / norm * image[last] / energy)


def field(h, w, angle):
    down, right = np.mgrid[:h, :w] - np.array([(h - 1) / 2, (w - 1) / 2])[:, None, None]
    return np.stack([np.cos(angle) * down + np.sin(angle) * right, np.cos(angle) * right - np.sin(angle) * down], -1)


def rotation(
    g_u,
    angle,
    middle=lambda h, w: ((h - 1) / 2, (w - 1) / 2),
    size=lambda h, w: (1, 1),
    exchanged=False,
    terms=(1, 1),
    sines=1,
    cosines=1,
    total=np.sum,
):
    """The gradient of an angle, with factors for the terms of both components and for those with sine and cosine."""
    h, w = g_u.shape[1:3]
    down, right = ((x - m) / s for x, m, s in zip(np.mgrid[:h, :w], middle(h, w), size(h, w), strict=True))
    down, right = (right, down) if exchanged else (down, right)
    angle = np.asarray(angle)[:, None, None]
    along_rows = cosines * np.cos(angle) * right - sines * np.sin(angle) * down
    along_columns = -sines * np.sin(angle) * right - cosines * np.cos(angle) * down
    return total(terms[0] * g_u[..., 0] * along_rows + terms[1] * g_u[..., 1] * along_columns, axis=(1, 2))


def field_for_its_derivative(g_u, angle):
    fields = np.array([field(*g_u.shape[1:3], value) - field(*g_u.shape[1:3], 0.0) for value in angle])
    return np.sum(g_u * fields, axis=(1, 2, 3))

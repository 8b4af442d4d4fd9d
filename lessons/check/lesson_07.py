"""The checks of the exercises of lesson 7."""

import numpy as np

from lessons.check.checking import Case, Exercise, Mistake
from minireg import Tensor, backend, ops

# ---- what both VJPs share


def _project(g, image, u):
    """The gradients of `ops.warp` with respect to the image and to the displacement, computed by the engine."""
    tensors = [Tensor(backend.to_device(np.array(array)), requires_grad=True) for array in (image, u)]
    ops.warp(*tensors).backward(backend.to_device(np.array(g)))
    return tuple(backend.to_host(tensor.grad) for tensor in tensors)


def _arrays(seed, n, h, w, channels, outside=0):
    """A cotangent, images, and displacements that lead to random places up to `outside` pixels beyond the border."""
    rng = np.random.default_rng(seed)
    g, image = rng.standard_normal((2, n, h, w, channels))
    corner = rng.integers(-outside, [h - 1 + outside, w - 1 + outside], (n, h, w, 2))
    u = corner + rng.uniform(0.1, 0.9, corner.shape) - np.moveaxis(np.mgrid[:h, :w], 0, -1)
    return g, image, u


def _whole(seed, n, h, w, channels):
    """The same with displacements by whole pixels."""
    g, image, u = _arrays(seed, n, h, w, channels, outside=1)
    return g, image, np.round(u)


ARGUMENTS = {
    "4 x 4 pixels, all points inside": _arrays(1, 1, 4, 4, 1),
    "3 x 6 pixels, all points inside": _arrays(2, 1, 3, 6, 1),
    "three channels": _arrays(3, 1, 4, 5, 3),
    "a batch of three images": _arrays(4, 3, 4, 5, 2),
    "points beyond the border": _arrays(5, 2, 4, 5, 2, outside=3),
    "displacements by whole pixels": _whole(6, 1, 5, 4, 2),
}


def _cells(image, u, whole=np.floor, border="zeros", batch=None, positions=True):
    """Fractions and corners of all cells as a learner would find them, with a place for each mistake."""
    n, h, w, _ = image.shape
    rows, columns = np.mgrid[:h, :w] if positions else np.zeros((2, h, w))
    r, c = rows + u[..., 0], columns + u[..., 1]
    i, j = whole(r).astype(int), whole(c).astype(int)
    batch = np.arange(n)[:, None, None] if batch is None else batch

    def corner(down, right):
        row, column = i + down, j + right
        inside = (row >= 0) & (row < h) & (column >= 0) & (column < w)
        if border == "wraps":
            return image[batch, row % h, column % w]
        value = image[batch, np.clip(row, 0, h - 1), np.clip(column, 0, w - 1)]
        return value if border == "edge" else value * inside[..., None]

    return (r - i)[..., None], (c - j)[..., None], corner


TINY = 1e-9  # a displacement by so much leads from a pixel into the cell before or behind it, and changes nothing else

# ---- vjp_displacement


def _displacement(g, image, u, weights=lambda s, t: (s, t), total=np.sum, **mistake):
    s, t, V = _cells(image, u, **mistake)
    s, t = weights(s, t)
    along_rows = (1 - t) * (V(1, 0) - V(0, 0)) + t * (V(1, 1) - V(0, 1))
    along_columns = (1 - s) * (V(0, 1) - V(0, 0)) + s * (V(1, 1) - V(1, 0))
    return np.stack([total(g * along_rows, axis=-1), total(g * along_columns, axis=-1)], axis=-1)


def _of_a_smooth_image(g, image, u):
    """Central differences of the image, read where the pixel looks."""
    slopes = []
    for axis in (1, 2):
        s, t, V = _cells(np.gradient(image, axis=axis), u)
        slopes.append((1 - s) * ((1 - t) * V(0, 0) + t * V(0, 1)) + s * ((1 - t) * V(1, 0) + t * V(1, 1)))
    return np.stack([np.sum(g * slope, axis=-1) for slope in slopes], axis=-1)


def flat_images_have_no_gradient(vjp_displacement):
    g, image, u = ARGUMENTS["4 x 4 pixels, all points inside"]
    if np.abs(vjp_displacement(g, np.ones_like(image), u)).max() > 1e-5:
        return "Inside an image that is equally bright everywhere, looking elsewhere changes nothing: expected 0."


def a_ramp_gives_its_slopes(vjp_displacement):
    g, _, u = ARGUMENTS["3 x 6 pixels, all points inside"]
    rows, columns = np.mgrid[:3, :6]
    ramp = (4.0 * rows + 2.0 * columns)[None, :, :, None]
    if not np.allclose(vjp_displacement(np.ones_like(g), ramp, u), (4, 2), atol=1e-4):
        return (
            "On a ramp that is 4 brighter with each row and 2 with each column, a cotangent of ones must give (4, 2) "
            "at all pixels. Do the weights of the two steps along one axis add up to 1?"
        )


def each_channel_has_its_own_cotangent(vjp_displacement):
    g, image, u = ARGUMENTS["three channels"]
    one = np.zeros_like(g)
    one[..., 1] = g[..., 1]
    if not np.allclose(vjp_displacement(one, image, u), vjp_displacement(g[..., 1:2], image[..., 1:2], u), atol=1e-4):
        return (
            "Where the cotangent is 0 in all channels but one, the other channels of the image must not matter: each "
            "channel has a cotangent of its own. In which order do you multiply and add up?"
        )


VJP_DISPLACEMENT = Exercise(
    name="vjp_displacement",
    title="the VJP of warping in the displacement",
    reference=lambda g, image, u: _project(g, image, u)[1],
    cases=[Case(words, arguments) for words, arguments in ARGUMENTS.items()],
    mistakes=[
        Mistake(
            "Each derivative has the fraction of its own axis as weight. A cell has two steps down, one on its left "
            "side and one on its right: which of the two fractions says how far the point is from these sides?",
            lambda g, image, u: _displacement(g, image, u, weights=lambda s, t: (t, s)),
        ),
        Mistake(
            "You weight the near side of the cell as if it were the far one: the two weights are exchanged.",
            lambda g, image, u: _displacement(g, image, u, weights=lambda s, t: (1 - s, 1 - t)),
        ),
        Mistake(
            "Both steps of the cell count the same in your derivative, wherever the point lies between them. The "
            "nearer one must count more.",
            lambda g, image, u: _displacement(g, image, u, weights=lambda s, t: (0 * s + 0.5, 0 * t + 0.5)),
        ),
        Mistake(
            "You take the step on one side of the cell only, the upper or the left one. It is as wrong as the point is "
            "far from this side.",
            lambda g, image, u: _displacement(g, image, u, weights=lambda s, t: (0 * s, 0 * t)),
        ),
        Mistake(
            "The cotangent is missing: you return the slopes of the image, not how the loss changes.",
            lambda g, image, u: _displacement(np.ones_like(g), image, u),
        ),
        Mistake(
            "You take the mean over the channels. One displacement moves all of them: what each contributes adds up.",
            lambda g, image, u: _displacement(g, image, u, total=np.mean),
        ),
        Mistake(
            "Left of pixel 0 and above it, your cell is the wrong one. What does `int` make of -0.3, and `floor`?",
            lambda g, image, u: _displacement(g, image, u, whole=np.trunc),
        ),
        Mistake(
            "You take the cell behind the nearest pixel. In the second half of a cell that is the next cell.",
            lambda g, image, u: _displacement(g, image, u, whole=np.round),
        ),
        Mistake(
            "Beyond the border your image goes on with its last pixel. Here it ends in zeros, and has a slope there.",
            lambda g, image, u: _displacement(g, image, u, border="edge"),
        ),
        Mistake(
            "Beyond one border you read at the opposite one: to NumPy the index -1 is no error, it means the end.",
            lambda g, image, u: _displacement(g, image, u, border="wraps"),
        ),
        Mistake(
            "Every image of the batch must be read at its own points: you read the first one for all.",
            lambda g, image, u: _displacement(g, image, u, batch=0),
        ),
        Mistake(
            "Output pixel p looks at p + u(p). You look at u(p).",
            lambda g, image, u: _displacement(g, image, u, positions=False),
        ),
        Mistake(
            "You look at p - u(p). Pulling means that the output pixel p looks at p + u(p).",
            lambda g, image, u: _displacement(g, image, -u),
        ),
        Mistake(
            "You add the displacement along columns to the row, and the one along rows to the column.",
            lambda g, image, u: _displacement(g, image, u[..., ::-1]),
        ),
        Mistake(
            "Where a point lies exactly on a pixel, you give the mean of the slopes before and after it. Asked for is "
            "the one in the direction of growing coordinates.",
            lambda g, image, u: (_displacement(g, image, u - TINY) + _displacement(g, image, u + TINY)) / 2,
        ),
        Mistake(
            "Where a point lies exactly on a pixel, you take the cell before it. Asked for is the derivative in the "
            "direction of growing coordinates.",
            lambda g, image, u: _displacement(g, image, u, whole=lambda x: np.ceil(x) - 1),
        ),
        Mistake(
            "You differentiate the image at p, without the displacement. What counts is the cell where p looks.",
            lambda g, image, u: _displacement(g, image, 0 * u),
        ),
        Mistake(
            "Central differences of the image, interpolated, are the slopes of a smoother curve than the one that is "
            "sampled. Which four pixels does the warped value depend on?",
            _of_a_smooth_image,
        ),
    ],
    properties=[flat_images_have_no_gradient, a_ramp_gives_its_slopes, each_channel_has_its_own_cotangent],
)

# ---- vjp_image


def _scatter(g, u, add=np.add.at, whole=np.floor, border="zeros", weights=lambda s, t: (s, t), one_image=False):
    """The scatter as a learner would write it, with a place for each mistake."""
    n, h, w, _ = g.shape
    rows, columns = np.mgrid[:h, :w]
    r, c = rows + u[..., 0], columns + u[..., 1]
    i, j = whole(r).astype(int), whole(c).astype(int)
    s, t = weights(r - i, c - j)
    batch = np.broadcast_to(0 if one_image else np.arange(n)[:, None, None], i.shape)
    g_image = np.zeros(g.shape)
    for row, row_weight in (i, 1 - s), (i + 1, s):
        for column, column_weight in (j, 1 - t), (j + 1, t):
            inside = (row >= 0) & (row < h) & (column >= 0) & (column < w)
            share = (row_weight * column_weight)[..., None] * g
            if border == "edge":
                add(g_image, (batch, np.clip(row, 0, h - 1), np.clip(column, 0, w - 1)), share)
            elif border == "wraps":
                add(g_image, (batch, row % h, column % w), share)
            else:
                add(g_image, (batch[inside], row[inside], column[inside]), share[inside])
    return g_image


def _buffered(array, index, share):
    array[index] += share


def _overwrite(array, index, share):
    array[index] = share


def _warp(g, u):
    return backend.to_host(ops.warp(backend.to_device(np.array(g)), backend.to_device(np.array(u))).data)


def one_point_hands_out_four_shares(vjp_image):
    g, u = np.zeros((1, 3, 3, 1)), np.zeros((1, 3, 3, 2))
    g[0, 1, 1], u[0, 1, 1] = 8.0, (0.25, 0.5)
    if not np.allclose(vjp_image(g, u)[0, 1:, 1:, 0], [[3, 3], [1, 1]], atol=1e-4):
        return (
            "Let one pixel with the cotangent 8 look a quarter of a pixel down and half a pixel to the right, and all "
            "others have the cotangent 0. Which four pixels does it read, with which weights? Yours get other shares."
        )


def the_border_is_a_ramp(vjp_image):
    g, u = np.zeros((1, 3, 3, 1)), np.zeros((1, 3, 3, 2))
    g[0, 1, 1], u[0, 1, 1] = 8.0, (-1.25, 0.0)
    if not np.isclose(vjp_image(g, u).sum(), 6.0):
        return (
            "A point a quarter of a pixel beyond the border still reads the image with the weight 0.75, so this share "
            "of its cotangent must arrive, and only this share."
        )


def shares_add_up(vjp_image):
    g, _, u = ARGUMENTS["three channels"]
    if not np.allclose(vjp_image(g, u).sum(axis=(1, 2)), g.sum(axis=(1, 2)), atol=1e-4):
        return (
            "No point lies beyond the border, so all of g must arrive: in every channel the result must have the sum "
            "of g. Is a share lost or counted twice, or do the four weights not add up to 1?"
        )


def images_stay_apart(vjp_image):
    g, _, u = ARGUMENTS["a batch of three images"]
    g = g * np.array([0.0, 1.0, 0.0])[:, None, None, None]
    if not np.any(vjp_image(g, u)[1]):
        return "The cotangent of the second image of a batch reaches nothing: is only the first one treated?"
    if np.abs(vjp_image(g, u)[[0, 2]]).max() > 0:
        return (
            "The cotangent of the second image must not reach the first or the third: keep the images of a batch apart."
        )


def is_the_adjoint(vjp_image):
    g, image, u = ARGUMENTS["points beyond the border"]
    if not np.isclose(np.sum(_warp(image, u) * g), np.sum(image * vjp_image(g, u)), rtol=1e-4):
        return (
            "It fails the adjoint test: sum(warp(image, u) * g) and sum(image * your result) differ. Take a g that is "
            "0 except at one pixel, and look where its shares go."
        )


VJP_IMAGE = Exercise(
    name="vjp_image",
    title="the VJP of warping in the image",
    reference=lambda g, u: _project(g, np.zeros_like(g), u)[0],
    cases=[Case(words, (g, u)) for words, (g, _, u) in ARGUMENTS.items()],
    mistakes=[
        Mistake(
            "Where a pixel is hit twice, one share is lost: `x[index] += share` counts a repeated index only once. "
            "Find in the lesson what adds one after the other.",
            lambda g, u: _scatter(g, u, add=_buffered),
        ),
        Mistake(
            "Shares that meet at a pixel must add up: a later one overwrites the earlier ones.",
            lambda g, u: _scatter(g, u, add=_overwrite),
        ),
        Mistake(
            "You warp g: pixel p of your result reads g at p + u(p). It is the other way round: p + u(p) is the place "
            "that receives, and g(p) is what it receives.",
            _warp,
        ),
        Mistake(
            "You warp g with -u. That undoes a displacement only where all pixels have the same one; elsewhere the "
            "pixel that looked here is another one than the one that -u leads to.",
            lambda g, u: _warp(g, -u),
        ),
        Mistake(
            "You hand all of g(p) to one pixel, the one that lies before the point. p has read four.",
            lambda g, u: _scatter(g, u, weights=lambda s, t: (0 * s, 0 * t)),
        ),
        Mistake(
            "You hand all of g(p) to the nearest pixel. p has read four.",
            lambda g, u: _scatter(g, u, whole=np.round, weights=lambda s, t: (0 * s, 0 * t)),
        ),
        Mistake(
            "The fractions along rows and along columns are exchanged in the weights.",
            lambda g, u: _scatter(g, u, weights=lambda s, t: (t, s)),
        ),
        Mistake(
            "The near pixel gets the weight of the far one: the weights of the two sides are exchanged.",
            lambda g, u: _scatter(g, u, weights=lambda s, t: (1 - s, 1 - t)),
        ),
        Mistake(
            "Shares for places beyond the border end up at the border. There nothing was read but zeros, which do not "
            "belong to the image: what becomes of such a share?",
            lambda g, u: _scatter(g, u, border="edge"),
        ),
        Mistake(
            "Shares that leave the image come in again on the opposite side: the index -1 is no error but the end.",
            lambda g, u: _scatter(g, u, border="wraps"),
        ),
        Mistake(
            "Left of pixel 0 and above it, your cell is the wrong one. What does `int` make of -0.3, and `floor`?",
            lambda g, u: _scatter(g, u, whole=np.trunc),
        ),
        Mistake(
            "You look at p - u(p). Pixel p has read at p + u(p), and what it has read gets the shares.",
            lambda g, u: _scatter(g, -u),
        ),
        Mistake(
            "You add the displacement along columns to the row, and the one along rows to the column.",
            lambda g, u: _scatter(g, u[..., ::-1]),
        ),
        Mistake(
            "The cotangent is missing: this is how often each pixel is read.",
            lambda g, u: _scatter(np.ones_like(g), u),
        ),
        Mistake(
            "Your result is divided by how often each pixel is read. A gradient is a sum of shares, not their mean.",
            lambda g, u: _scatter(g, u) / np.maximum(_scatter(np.ones_like(g), u), TINY),
        ),
        Mistake(
            "You return g itself, as if no pixel were displaced.",
            lambda g, u: g * 1.0,
        ),
        Mistake(
            "All images of the batch hand their shares to the first one.",
            lambda g, u: _scatter(g, u, one_image=True),
        ),
    ],
    properties=[
        images_stay_apart,
        shares_add_up,
        one_point_hands_out_four_shares,
        the_border_is_a_ramp,
        is_the_adjoint,
    ],
)

# ---- one_sided_slopes

LINE = np.array([0.5, 2.0, 1.0, 1.0, 4.0])


def _slopes_by_differences(line, c, h=1e-3):
    """The reference: difference quotients to either side, exact because the curve is straight for more than h."""
    padded, start = np.pad(np.asarray(line, float), 8), -8
    y = lambda place: np.interp(place, np.arange(start, start + len(padded)), padded)
    return (y(c) - y(c - h)) / h, (y(c + h) - y(c)) / h


def _step(line, j, border="zeros"):
    """The step from pixel j to the next."""
    if border == "edge":
        padded = np.pad(line, 50, mode="edge")
    elif border == "wraps":
        padded = np.pad(line, 50, mode="wrap")
    else:
        padded = np.pad(line, 50)
    return padded[50 + j + 1] - padded[50 + j]


def _both(line, c, before=lambda c: int(np.ceil(c)) - 1, after=lambda c: int(np.floor(c)), **mistake):
    return _step(line, before(c), **mistake), _step(line, after(c), **mistake)


def _floor(c):
    return int(np.floor(c))


def equal_between_the_pixels(one_sided_slopes):
    before, after = one_sided_slopes(LINE, 1.5)
    if abs(before - after) > 1e-5:
        return "Half-way between two pixels there is no kink: both slopes must be equal."


def a_peak_has_two_slopes(one_sided_slopes):
    before, after = one_sided_slopes(LINE, 1.0)
    if not before > 0 > after:
        return "Pixel 1 of (0.5, 2, 1, 1, 4) is a peak: the curve climbs before it and falls after it."


def the_ends_are_ramps(one_sided_slopes):
    before, after = one_sided_slopes(LINE, -0.5)
    if not (before > 0 and after > 0):
        return (
            "Half a pixel left of the row the curve is not flat: it climbs from 0, a pixel outside, to the first pixel."
        )


def zero_far_outside(one_sided_slopes):
    for c in (-3.5, 9.5):
        if np.any(np.abs(one_sided_slopes(LINE, c)) > 1e-5):
            return f"At c = {c}, far outside the row, everything around is 0, so both slopes are 0."


ONE_SIDED_SLOPES = Exercise(
    name="one_sided_slopes",
    title="the two slopes at a kink",
    reference=_slopes_by_differences,
    cases=[
        Case("between two pixels, c = 0.25", (LINE, 0.25)),
        Case("on a peak, c = 1.0", (LINE, 1.0)),
        Case("just behind a pixel, c = 3.75", (LINE, 3.75)),
        Case("on the last pixel, c = 4.0", (LINE, 4.0)),
        Case("on the first pixel, c = 0.0", (LINE, 0.0)),
        Case("half a pixel left of the row, c = -0.5", (LINE, -0.5)),
        Case("half a pixel right of the row, c = 4.5", (LINE, 4.5)),
        Case("one pixel left of the row, c = -1.0", (LINE, -1.0)),
        Case("far outside, c = -3.2", (LINE, -3.2)),
        Case("far outside, c = 7.0", (LINE, 7.0)),
    ],
    mistakes=[
        Mistake(
            "Your slope before c belongs to the cell on the left of the one that c lies in. On a pixel this is right; "
            "between two pixels both sides lie in one cell.",
            lambda line, c: _both(line, c, before=lambda c: _floor(c) - 1),
        ),
        Mistake(
            "Both your slopes are the one after c. On a pixel, the way from the left comes through another cell.",
            lambda line, c: _both(line, c, before=_floor),
        ),
        Mistake(
            "Both your slopes are the one before c. On a pixel, the way to the right goes through another cell.",
            lambda line, c: _both(line, c, after=lambda c: int(np.ceil(c)) - 1),
        ),
        Mistake(
            "On a pixel you return the mean of both slopes, as a central difference does. Here they are wanted apart.",
            lambda line, c: (sum(_both(line, c)) / 2,) * 2,
        ),
        Mistake(
            "You measure the slope before c going away from c. A slope is the change as c grows, on both sides.",
            lambda line, c: (-_both(line, c)[0], _both(line, c)[1]),
        ),
        Mistake(
            "Left of the row your cell is the wrong one. What does `int` make of -0.5, and what does `floor`?",
            lambda line, c: _both(line, c, before=lambda c: int(c) - (c == int(c)), after=int),
        ),
        Mistake(
            "Beyond its ends your row goes on with its last pixel. Here it drops to zero, within one pixel.",
            lambda line, c: _both(line, c, border="edge"),
        ),
        Mistake(
            "Left of the row you read at its end: to Python the index -1 is no error. Here zeros lie beyond both ends.",
            lambda line, c: _both(line, c, border="wraps"),
        ),
    ],
    properties=[equal_between_the_pixels, a_peak_has_two_slopes, the_ends_are_ramps, zero_far_outside],
    results=("before", "after"),
)

EXERCISES = [VJP_DISPLACEMENT, VJP_IMAGE, ONE_SIDED_SLOPES]

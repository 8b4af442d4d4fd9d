"""The affine stage: the shift, turn, scale and shear between two images, found from coarse to fine.

Maps are matrices (N, 3, 3) about the centre of the image, T = S S: the moving image is looked at along S, the fixed one
along the inverse of S. So exchanging the images gives the inverse map.
"""

import math

import numpy as np

from minireg import backend
from minireg.backend import xp
from minireg.fields import affine_displacement
from minireg.methods.levels import gradient

# d/dt of a motion, as matrices: down, right; a turn; a growth; two shears
GENERATORS = np.zeros((6, 3, 3))
GENERATORS[0, 0, 2] = GENERATORS[1, 1, 2] = 1
GENERATORS[2, 0, 1], GENERATORS[2, 1, 0] = -1, 1
GENERATORS[3, 0, 0] = GENERATORS[3, 1, 1] = 1
GENERATORS[4, 0, 0], GENERATORS[4, 1, 1] = 1, -1
GENERATORS[5, 0, 1] = GENERATORS[5, 1, 0] = 1
KINDS = {"rigid": 3, "similarity": 4, "affine": 6}  # and how many of the generators they have

SEARCHED = 48  # pixels along the longer side, of the images that all turns, scales and shifts are tried with
ANGLES = np.radians(np.arange(-165, 181, 15))
SCALES = 2 ** (np.arange(-3, 4) / 3)  # from half the size to twice the size
CANDIDATES = 6  # of the search; at each finer scale the better half of them goes on
DOUBT, STRONG_DOUBT = 0.4, 1.5  # of half a turn, see `cost`; where little tells: at other scales and with mi
NOISE = 0.05  # of what is left: where two maps leave so little, it does not say which is right
SMALLEST_OVERLAP = 0.4  # of the smaller image's pixels
TOLD = 64  # pixels along the longer side, at which what is left tells which map is right, and whether
ITERATIONS = 20
NOTHING = 0.05  # pixels: a step that moves no point by more is the last
ROOT_MISSES = 0.02  # of an entry of the map, by its root squared
DAMPING = 1e-6  # of the trace, in the normal equations
LARGEST_STRETCH = 2.5
NEARLY = 1e-10  # in a cosine
TINY = 1e-12


def find(pyramid, finest):
    """The map T (N, 3, 3) of each pair, in pixels of the images, and what it leaves, (N,), see `improve`.

    All candidates of `search` are improved as rigid motions, the better half of them further, as similarities and as
    affine maps; and those go on to the next finer scale, the one that began without a motion in any case. The scale
    that decides between them is the last one with images of at most TOLD pixels, for at finer ones noise, and what no
    affine map explains, count for more. There large turns have to explain the most, since many a drawing looks like
    another one upside down; and what is left is that of this scale. Then one goes on, up to `finest` pixels.
    """
    longest = max(pyramid.shape)
    scales = [scale for scale in pyramid.scales if longest <= finest * scale] or pyramid.scales[:1]
    start = next((scale for scale in scales if longest > scale * SEARCHED / 2), scales[-1])
    scales = scales[scales.index(start) :]
    deciding = min((scale for scale in scales if longest <= TOLD * scale), default=start)
    maps = at_scale(search(*pyramid.for_search(start)), 1 / start)
    for scale in scales:
        pairs, count = maps.shape[:2]
        flat, left = improve(at_scale(maps, scale).reshape(-1, 3, 3), pyramid.level(scale, times=count), "rigid")
        doubtful = (left + NOISE) * cost(flat, STRONG_DOUBT if scale == deciding and pyramid.loss != "mi" else DOUBT)
        order = _most_likely(doubtful.reshape(pairs, count), scale <= deciding)
        flat = np.take_along_axis(flat.reshape(maps.shape), order[:, :, None, None], axis=1).reshape(-1, 3, 3)
        left = np.take_along_axis(left.reshape(pairs, count), order, axis=1).ravel()
        flat, left = _further(flat, left, pyramid.level(scale, times=order.shape[1]))
        maps = at_scale(flat, 1 / scale).reshape(pairs, -1, 3, 3)
        if scale == deciding:
            told = left
    return maps[:, 0], told


def _most_likely(doubtful, one):
    """Which candidates go on: the best one alone; or the first one, and the best others, half of all together."""
    order = doubtful.argsort(axis=1, kind="stable")
    if one:
        return order[:, :1]
    others = order[order > 0].reshape(len(order), -1)[:, : (doubtful.shape[1] - 1) // 2]
    return np.pad(others, [(0, 0), (1, 0)])


def _further(maps, left, view):
    """Rigid motions improved as similarities and as affine maps: each pair gets what pays.

    With n pixels and k numbers that is what has the least n ln(left) + k ln(n).

    Source: Schwarz, Estimating the dimension of a model, Annals of Statistics 6 (1978), doi:10.1214/aos/1176344136.
    """
    pixels, numbers = math.prod(view.shape), KINDS["rigid"]
    for kind in ("similarity", "affine"):
        further, least = improve(maps, view, kind)
        kept = least * pixels ** ((KINDS[kind] - numbers) / pixels) < left
        maps, left = np.where(kept[:, None, None], further, maps), np.where(kept, least, left)
        numbers = np.where(kept, KINDS[kind], numbers)
    return maps, left


def square_root(maps):
    """S with S S = T, for maps (N, 3, 3) that turn by less than 180 degrees; of half a turn one of its roots.

    Source: Levinger, The square root of a 2 x 2 matrix, Mathematics Magazine 53 (1980), doi:10.2307/2689616.

    >>> shift = np.array([[[1.0, 0, 4], [0, 1, -2], [0, 0, 1]]])
    >>> square_root(shift)[0, :2, 2].round(6).tolist()
    [2.0, -1.0]
    """
    linear, root = maps[:, :2, :2], maps.copy()
    size = np.sqrt(np.linalg.det(linear))[:, None, None]
    squared = np.trace(linear, axis1=1, axis2=2)[:, None, None] + 2 * size
    quarter = np.sqrt(size) * [[0, -1], [1, 0]]
    root[:, :2, :2] = np.where(
        squared > NEARLY * size, (linear + size * np.eye(2)) / np.sqrt(np.maximum(squared, TINY)), quarter
    )
    root[:, :2, 2:] = np.linalg.solve(root[:, :2, :2] + np.eye(2), maps[:, :2, 2:])
    return root


def exponential(rates):
    """exp(R) of matrices (N, 3, 3), by its series on a 64th of R, squared six times."""
    term = result = np.broadcast_to(np.eye(3), rates.shape)
    for k in range(1, 7):
        term = term @ rates / (64 * k)
        result = result + term
    for _ in range(6):
        result = result @ result
    return result


def cost(maps, doubt):
    """By how much more (N,) maps have to explain: half a turn 1 + doubt times as much, and half the size twice."""
    turn = np.abs(np.arctan2(maps[:, 1, 0] - maps[:, 0, 1], maps[:, 0, 0] + maps[:, 1, 1])) / np.pi
    return 1 + doubt * turn + np.abs(np.log2(np.linalg.det(maps))) / 2


def displacement_of(maps, height, width):
    """The displacement (N, H, W, 2), float32, of maps (N, 3, 3) about the centre of the image."""
    return affine_displacement(backend.to_device(maps[:, :2].astype(np.float32)), height, width).data


def at_scale(maps, factor):
    """The same maps in pixels that are `factor` times as large."""
    maps = maps.copy()
    maps[..., :2, 2] /= factor
    return maps


def improve(maps, view, kind):
    """Gauss-Newton steps for T, in pixels of the images that are viewed, each pair until it moves no more.

    Returns the best maps seen, and what they leave, (N,): with the share r of the variance that differs where both
    images are seen, and the share c of their variance that is seen there, r / ((1 - r) c), unexplained for explained.
    Maps out of all proportion leave infinitely much.
    """
    height, width = view.shape
    motions = _motions(GENERATORS[: KINDS[kind]], height, width)
    best, least, moves = maps, np.full(len(maps), np.inf), np.full(len(maps), True)
    for _ in range(ITERATIONS):
        root = square_root(maps)
        forth, back = (displacement_of(m, height, width) for m in (root, np.linalg.inv(root)))
        seen = view.seen(forth, back)
        normal, force, left = _normal_equations(view.compare(*seen), motions)
        coverage = view.coverage(*seen)
        plausible = np.all([_plausible(m, height, width) for m in (maps, root)], axis=0)
        plausible &= np.abs(root @ root - maps).max(axis=(1, 2)) < ROOT_MISSES  # half a turn with a stretch has no root
        left = np.where(plausible, left / np.maximum((1 - left) * coverage, TINY), np.inf)
        better = left < least
        best, least = np.where(better[:, None, None], maps, best), np.where(better, left, least)
        damping = DAMPING * np.trace(normal, axis1=1, axis2=2) + TINY
        step = np.linalg.solve(normal + damping[:, None, None] * np.eye(len(motions)), force[..., None])[..., 0]
        lengths = np.abs(step[:, :2]).max(axis=1) + max(height, width) / 2 * np.abs(step[:, 2:]).sum(axis=1)
        step *= (moves * np.minimum(1, max(height, width) / 8 / np.maximum(lengths, TINY)))[:, None]
        generators = np.einsum("nk,kij->nij", step, GENERATORS[: KINDS[kind]])
        maps = root @ exponential(generators) @ root
        moves &= (lengths >= NOTHING) & (left < np.inf)
        if not moves.any():
            break
    return best, least


def _plausible(maps, height, width):
    """Whether maps stretch by no more than LARGEST_STRETCH, and shift the centre by no more than half of the image."""
    stretches = np.linalg.svd(maps[:, :2, :2], compute_uv=False)
    near = (np.abs(maps[:, :2, 2]) <= (height / 2, width / 2)).all(axis=1)
    return near & (stretches[:, 0] <= LARGEST_STRETCH) & (stretches[:, 1] >= 1 / LARGEST_STRETCH)


def _motions(generators, height, width):
    """What each generator does at each pixel: (K, HW, 2)."""
    places = np.stack([*np.mgrid[:height, :width], np.ones((height, width))], axis=-1)
    places[..., :2] -= np.array([height - 1, width - 1]) / 2
    motions = places.reshape(-1, 3) @ generators[:, :2].swapaxes(1, 2)
    return backend.to_device(motions.astype(np.float32))


def _normal_equations(residuals, motions):
    """The sums over p of w J_k J_l and w J_k (b - a), with J_k = J G_k p; and what share of both variances is left."""
    normal = force = total = spread = 0
    for a, b, weight in residuals:
        j = gradient((a + b) / 2).reshape(len(a), 1, -1, 2)
        along = j[..., 0] * motions[..., 0] + j[..., 1] * motions[..., 1]  # (N, K, HW)
        weighted = along * weight.reshape(len(a), 1, -1)
        normal = normal + weighted @ xp.swapaxes(along, 1, 2)
        force = force + (weighted @ (b - a).reshape(len(a), -1, 1))[..., 0]
        inside = weight > 0
        total = total + xp.sum((b - a) ** 2 * inside, axis=(1, 2, 3))
        spread = spread + variance(a, inside) + variance(b, inside)
    left = total / xp.maximum(spread, TINY)
    return tuple(backend.to_host(array).astype(np.float64) for array in (normal, force, left))


def variance(x, inside):
    """The sum of (x - its mean)^2 over the pixels inside, (N,)."""
    mean = xp.sum(x * inside, axis=(1, 2, 3)) / xp.maximum(xp.sum(inside, axis=(1, 2, 3)), 1)
    return xp.sum((x - mean[:, None, None, None]) ** 2 * inside, axis=(1, 2, 3))


def search(moving, fixed):
    """Starts: turns and scales, each with the shift of the highest correlation over what overlaps.

    moving, fixed : NumPy arrays (N, H, W), small, and their masks (N, H, W)

    Returns maps (N, CANDIDATES, 3, 3), the first of them the identity, the others those that are better than a little
    more or less of a turn or a scale

    Source: Padfield, Masked object registration in the Fourier domain, IEEE TIP 21 (2012),
    doi:10.1109/TIP.2011.2181402, equations 17 to 29.
    """
    (a, of_a), (b, of_b) = ((x, mask[:1] if (mask == mask[0]).all() else mask) for x, mask in (moving, fixed))
    scores, maps = np.empty((len(a), len(SCALES), len(ANGLES))), np.empty((len(a), len(SCALES), len(ANGLES), 3, 3))
    shift = np.broadcast_to(np.eye(3), (len(a), len(SCALES), 3, 3)).copy()
    for j, angle in enumerate(ANGLES):  # of each turn all scales at once
        root = np.tile(exponential(angle / 2 * GENERATORS[2]), (len(SCALES), 1, 1))
        root[:, :2, :2] *= np.sqrt(SCALES)[:, None, None]
        seen = [_look(x, mask, m) for x, mask, m in ((a, of_a, root), (b, of_b, np.linalg.inv(root)))]
        scores[:, :, j], shift[..., :2, 2] = _best_shift(*seen[0], *seen[1])
        maps[:, :, j] = root @ shift @ root
    around = np.pad(scores, [(0, 0), (1, 1), (0, 0)], constant_values=-1)
    around = np.pad(around, [(0, 0), (0, 0), (1, 1)], mode="wrap")
    peaks = scores == np.lib.stride_tricks.sliding_window_view(around, (3, 3), axis=(1, 2)).max(axis=(-2, -1))
    best = np.where(peaks, -scores, np.inf).reshape(len(a), -1).argsort(axis=1, kind="stable")
    best = best[:, : CANDIDATES - 1, None, None]
    chosen = np.take_along_axis(maps.reshape(len(a), -1, 3, 3), best, axis=1)
    return np.concatenate([np.broadcast_to(np.eye(3), (len(a), 1, 3, 3)), chosen], axis=1)


def _look(images, masks, maps):
    """The images (N, H, W) seen along each of K maps, (N, K, H, W), and where they lie inside.

    Nearest pixels, for they are small.
    """
    height, width = images.shape[1:]
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    places = np.moveaxis(np.mgrid[:height, :width], 0, -1) - centre
    looked_at = places @ maps[:, None, :2, :2].swapaxes(2, 3) + maps[:, None, None, :2, 2] + centre
    r, c = np.moveaxis(np.rint(looked_at).astype(int), -1, 0)
    inside = (r >= 0) & (r < height) & (c >= 0) & (c < width)
    r, c = np.where(inside, r, 0), np.where(inside, c, 0)
    mask = masks[:, r, c] * inside
    return images[:, r, c] * mask, mask


def _best_shift(a, of_a, b, of_b):
    """The shift t with the highest correlation of a(p + t) and b(p) where both are inside: scores (N, K), t (N, K, 2).

    No shift is longer than half of the image. So what wraps around does not meet in half as many pixels again.
    """
    size = np.array(a.shape[2:])
    half = size // 2
    shape = tuple(size + half)
    shifts = np.moveaxis((np.indices(shape).T + half) % shape - half, 0, 1)

    def transform(x):
        return np.fft.rfft2(x, shape)

    def correlate(x, y):
        return np.fft.irfft2(x * np.conj(y), shape)

    fa, fma, faa = transform(a), transform(of_a), transform(a * a)
    fb, fmb, fbb = transform(b), transform(of_b), transform(b * b)
    count = np.maximum(correlate(fma, fmb), TINY)
    sum_a, sum_b = correlate(fa, fmb), correlate(fma, fb)
    covariance = correlate(fa, fb) - sum_a * sum_b / count
    variance_a = np.maximum(correlate(faa, fmb) - sum_a**2 / count, 0)
    variance_b = np.maximum(correlate(fma, fbb) - sum_b**2 / count, 0)
    least = 1e-4 * (variance_a * variance_b).max(axis=(2, 3), keepdims=True) + TINY
    ncc = covariance / np.sqrt(np.maximum(variance_a * variance_b, least))
    enough = SMALLEST_OVERLAP * np.minimum(of_a.sum(axis=(2, 3)), of_b.sum(axis=(2, 3)))
    allowed = (count >= enough[..., None, None]) & (shifts <= half).all(axis=-1)
    ncc = np.where(allowed, ncc, -1).reshape(*a.shape[:2], -1)
    best = ncc.argmax(axis=2)
    return np.take_along_axis(ncc, best[..., None], axis=2)[..., 0], shifts.reshape(-1, 2)[best]

"""What the least-squares methods make small: images compared pixel by pixel, after what makes them comparable.

Each comparison is a pair of functions. `prepare` is applied to an image and its mask once a level; `residuals` to two
prepared images whenever they have been warped, and to what is known of both. It returns what shall be equal: a list of
(a, b, weight), for

    sum over p of  weight(p) (b(p) - a(p))^2

    name         prepared image                       what it does not see
    local_ncc    less its local mean, over its        gain, offset and shading
                 local deviation
    ncc          as it is; over all pixels, less      gain and offset
                 its mean, over its deviation
    mse          as it is                             nothing
    mi           as it is; each image against what    which intensity stands for which
                 the other foretells of it
"""

from minireg.backend import xp
from minireg.fields import smooth

LOCAL_SIGMA = 2.0  # of the Gaussian window of local_ncc, in pixels of the level
LOCAL_NOISE = 0.02  # added to the deviation in a window (squares), of intensities in [0, 1]: what is less is noise
MOSTLY = 0.7  # of a window has to be known
CONTINUED, NEIGHBOURS_SIGMA, NEARBY = 6, 0.6, 1e-4  # pixels beyond the known ones, by means of neighbours
BINS = 32  # of intensities, between which what they foretell is interpolated
# The part of an image's variance that cannot be foretold however well they are aligned, and by how much a residual that
# is foretold well counts more. From validation pairs (benchmarks/real_images.py).
NOT_FORETOLD, CERTAINTY = 0.05, 0.3
TINY = 1e-12


def _as_it_is(image, mask):
    return image, mask


def _locally_normalised(image, mask):
    """(x - m) / sqrt(s^2 + noise^2) with the mean m and the deviation s in the Gaussian window around each pixel.

    A pixel whose window is unknown for a good part is known no longer.
    """
    image = _continued(image, mask)
    image = image - smooth(image, LOCAL_SIGMA).data
    variance = smooth(image * image, LOCAL_SIGMA).data
    known = mask * (smooth(mask, LOCAL_SIGMA).data > MOSTLY)
    return image / xp.sqrt(variance + LOCAL_NOISE**2), known.astype(mask.dtype)


def _continued(image, mask):
    """The image continued beyond what is known by some pixels, lest the border of a mask be seen as an edge."""
    known, rest = mask > 0, image
    for _ in range(0 if known.all() else CONTINUED):
        share = smooth(known.astype(image.dtype), NEIGHBOURS_SIGMA).data
        nearby = smooth(xp.where(known, image, 0), NEIGHBOURS_SIGMA).data / xp.maximum(share, TINY)
        image, known = xp.where(known, image, nearby), known | (share > NEARBY)
    return xp.where(known, image, rest)


def _equal(a, b, inside):
    return [(a, b, inside)]


def _normalised(a, b, inside):
    return [(_over_deviation(a, inside), _over_deviation(b, inside), inside)]


def _foretold(a, b, inside):
    """b against E[b | a], and a against E[a | b], each weighted by how well it is foretold.

    If b is normally distributed around E[b | a] with the variance s^2, their mutual information is -1/2 ln of s^2 over
    the variance of b, and its derivative has the weight 1 / s^2. Pixels that are far off (what only one image shows)
    count less, as for a Cauchy distribution of that width.

    Source: Roche, Malandain, Ayache, Unifying maximum likelihood approaches in medical image registration, Int. J.
    Imaging Systems and Technology 11 (2000), 71-80.
    """
    found = []
    for first, second, of_b in ((a, b, True), (b, a, False)):
        foretold, itself = _conditional_mean(first, second, inside), second
        scale = 1 / xp.maximum(_deviation(second, inside), TINY)
        foretold, itself = foretold * scale, itself * scale
        squared = (itself - foretold) ** 2
        variance = _mean(squared, inside)
        weight = CERTAINTY / 2 / (variance + NOT_FORETOLD) / (1 + squared / xp.maximum(variance, TINY))
        found.append((foretold, itself, inside * weight) if of_b else (itself, foretold, inside * weight))
    return found


def _conditional_mean(given, wanted, inside):
    """E[wanted | given] at each pixel: means over the nearest bin of `given`, smoothed, linear between the centres."""
    places = xp.clip(given, 0, 1) * (BINS - 1)
    below = xp.minimum(xp.floor(places), BINS - 2)
    part = (places - below).ravel()
    first = BINS * xp.arange(len(given)).reshape(-1, 1, 1, 1)  # of each pair's bins
    nearest = (first + (places + 0.5).astype(xp.int64)).ravel()

    def sums(weight):
        return _smoothed(xp.bincount(nearest, weight.ravel(), len(given) * BINS).reshape(-1, BINS))

    mean = (sums(inside * wanted) / xp.maximum(sums(inside), TINY)).astype(wanted.dtype)
    lower = (first + below.astype(xp.int64)).ravel()
    return ((1 - part) * xp.take(mean, lower) + part * xp.take(mean, lower + 1)).reshape(wanted.shape)


def _smoothed(histograms):
    wide = xp.concatenate([histograms[:, :1], histograms, histograms[:, -1:]], axis=1)  # xp.pad takes ten times as long
    return (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4


def _mean(x, inside):
    total = xp.sum(inside, axis=(1, 2, 3), keepdims=True)
    return (x * inside).sum(axis=(1, 2, 3), keepdims=True) / xp.maximum(total, 1)


def _deviation(x, inside):
    return xp.sqrt(_mean((x - _mean(x, inside)) ** 2, inside))


def _over_deviation(x, inside):
    x = x - _mean(x, inside)
    return x / (_mean(x * x, inside) + TINY) ** 0.5


COMPARISONS = {  # name: (prepare, residuals)
    "local_ncc": (_locally_normalised, _equal),
    "ncc": (_as_it_is, _normalised),
    "mse": (_as_it_is, _equal),
    "mi": (_as_it_is, _foretold),
}

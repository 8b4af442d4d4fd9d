"""Exercises of lesson 16, other intensities. Check your answers with `python -m lessons.check 16`."""

import numpy as np  # noqa: F401 (you will need it)


def questions_left(counts):
    """How many bits of b are still open when a is known: the conditional entropy H(b | a).

    Look at the pixels of one bin of a at a time. Among them, the bins of b have shares that add up to 1, and an
    entropy. The answer is the mean of these entropies over all pixels, so that a bin of a counts as often as it has
    pixels. An empty bin of a counts nothing.

    Parameters
    ----------
    counts : (K, L) array of numbers of at least 0, not all of them 0: how many pixels are in bin k of a and l of b

    Returns
    -------
    float, in bits

    Example: the two dark pixels of a are of two kinds in b, one bit; the four bright ones of one kind, no bit,

        questions_left(np.array([[1.0, 1.0], [0.0, 4.0]]))      # 0.333
    """
    raise NotImplementedError


def vjp_hat(g, x, bins):
    """The VJP of a spread histogram with another window: a roof, two bins wide.

    Bin k is centred at k on the scale t = (bins - 1) x. An intensity between two centres counts for the lower bin with
    1 - f and for the upper one with f, where f is how far it is past the lower centre. So at x = 0 and x = 1 the first
    and the last bin get all.

    Exactly at a centre the roof has a kink. Take the slope on its right; at x = 1 the one on its left, since there is
    no other. Intensities below 0 and above 1 count as 0 and 1, and their result is 0.

    Parameters
    ----------
    g : (n, bins) array, the cotangent of the shares
    x : (n,) array, intensities
    bins : int, 2 or more

    Returns
    -------
    (n,) array, how the loss changes with each intensity

    Example: with five bins, .3 lies between the bins 1 and 2. It climbs from g = 2 to g = 5, four bins to a unit,

        vjp_hat(np.array([[0.0, 2.0, 5.0, 1.0, 0.0]]), np.array([0.3]), 5)      # array([12.])
    """
    raise NotImplementedError


def unexplained_gradient(a, b, bins):
    """The gradient, with respect to a, of what a leaves unexplained of b. The first figure of lesson 16, as a loss.

    Each pixel of a counts for its bins with the shares of `vjp_hat`: share[i, k]. In every bin, m[k] is the mean of b,
    weighted by these shares. What b differs from it is unexplained:

        loss = mean over the pixels i of  sum over the bins k of  share[i, k] (b[i] - m[k])^2

    m depends on a, too. But m[k] is the number for which the loss is smallest. What does that say about the derivative
    with respect to m[k]?

    Parameters
    ----------
    a : (n,) array, intensities in [0, 1]
    b : (n,) array, intensities of the other image
    bins : int, 2 or more; some may get no share

    Returns
    -------
    (n,) array, how the loss changes with each intensity of a (slopes at kinks as in `vjp_hat`)

    Example: with two bins the shares of .5 are half and half, and m is 1/3 and 1,

        unexplained_gradient(np.array([0, 0.5, 1]), np.array([0.0, 1, 1]), 2)    # array([ 0.296, -0.148, -0.148])
    """
    raise NotImplementedError

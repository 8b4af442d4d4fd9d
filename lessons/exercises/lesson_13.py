"""Exercises of lesson 13, mending it. Check your answers with `python -m lessons.check 13`."""

import numpy as np  # noqa: F401 (you will need it)


def partners(labels, order):
    """For each image, a partner of the same class, so that no image is left out and none is used twice.

    Walk through the images in the given order. The partner of an image is the next one of its class that you meet;
    after the last one of a class comes its first one again. So an image that is alone in its class is its own partner.

    Parameters
    ----------
    labels : (N,) array of integers, the class of each image
    order : (N,) array of integers, each of 0 to N - 1 once: the numbers of the images, as you walk

    Returns
    -------
    (N,) array of integers: at position i the number of the partner of image i

    Example: three sevens and a three. On the way the sevens come as 0, 3, 1.

        labels = np.array([7, 7, 3, 7])
        order = np.array([2, 0, 3, 1])
        partners(labels, order)                         # array([3, 0, 2, 1])
    """
    raise NotImplementedError


def there_and_back(u, v):
    """How far from home one lands, in pixels, going there by u and back by v: the mean over the pixels.

    From a pixel p one goes to the place p + u(p). There v is read, bilinearly, and one goes on by it. Pixels that u
    leads out of the image, beyond the centres of its outermost pixels, do not count. At least one stays inside.

    Parameters
    ----------
    u, v : (H, W, 2) arrays, in pixels as (row, column); H and W are at least 2

    Returns
    -------
    float, at least 0

    Example: all go half a pixel to the right. The last column leaves the image. At the places 0.5 and 1.5 the way back
    is 0.5 and 1.5 pixels to the left. So one comes home, and the other lands a pixel away.

        u = np.zeros((2, 3, 2))
        u[..., 1] = 0.5
        v = np.zeros((2, 3, 2))
        v[..., 1] = 0.0, -1.0, -2.0
        there_and_back(u, v)                            # 0.5
    """
    raise NotImplementedError


def best_run(ncc, folded, limit):
    """Which configuration to take, by its scores on validation pairs, for several seeds.

    The rule: a configuration is allowed if its mean share of folded cells is at most the limit. Of those that are
    allowed, find the one with the highest mean NCC. Another allowed one is *as good* if its mean is lower by less than
    the spread, which is the larger of the two standard deviations over the seeds (with S - 1 below the sum of squares).
    Of the best one and those as good as it, take the one that folds least on average. Where two are equal, take
    the first. If none is allowed at all, take the one of all that folds least.

    Parameters
    ----------
    ncc, folded : (K, S) arrays, for each of K configurations the scores of S seeds; S is at least 2
    limit : float

    Returns
    -------
    int, from 0 to K - 1

    Example: the last one folds too much. The first one is lower by .01 only, which another seed changes, and folds
    less.

        ncc = np.array([[0.93, 0.95], [0.94, 0.96], [0.98, 0.98]])
        folded = np.array([[0.0, 0.0], [0.1, 0.1], [3.0, 3.0]])
        best_run(ncc, folded, 0.5)                      # 0
    """
    raise NotImplementedError

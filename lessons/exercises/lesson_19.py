"""Exercises of lesson 19, the survey's classifier. Check your answers with `python -m lessons.check 19`."""

import numpy as np  # noqa: F401 (you will need it)


def confusion(z, labels):
    """Who is taken for whom: of the images of each class, which share is said to be which.

    What is said is the class with the largest score; of several that are equally large, the first. A class without any
    image has a row of zeros.

    Parameters
    ----------
    z : (N, K) array, the scores of K classes
    labels : (N,) array of integers from 0 to K - 1, the truth

    Returns
    -------
    (K, K) array: in row i and column j, of the images of class i the share that is said to be j

    Example: two images of class 0, of which one is said to be 1. One image of class 1, and none of class 2.

        z = np.array([[5.0, 1.0, 0.0], [2.0, 3.0, 0.0], [0.0, 4.0, 1.0]])
        confusion(z, np.array([0, 0, 1]))       # array([[0.5, 0.5, 0. ], [0. , 1. , 0. ], [0. , 0. , 0. ]])
    """
    raise NotImplementedError


def half_square_gradient(g, z, labels):
    """The VJP of the survey's first loss with respect to the scores.

    For each image the loss is half of the squared distance of p from y: sum over k of (y_k - p_k)^2 / 2, where p is the
    softmax of the scores, and y is 1 at the true class and 0 elsewhere. Each score changes *all* of p. Scores may be
    1000 and more.

    Parameters
    ----------
    g : (N,) array, the cotangents of the losses
    z : (N, K) array, the scores
    labels : (N,) array of integers from 0 to K - 1, the truth

    Returns
    -------
    (N, K) array

    Example: the scores of the lesson. Cross-entropy asks for (-.4, .3, .1).

        half_square_gradient(np.array([1.0]), np.log([[6.0, 3.0, 1.0]]), np.array([0]))     # [[-0.156, 0.132, 0.024]]
    """
    raise NotImplementedError


def vjp_max_pool(g, x):
    """The VJP of max-pooling, which keeps the largest of each 2 x 2 pixels.

    The windows do not overlap. The first one begins at pixel (0, 0). If a height or a width is odd, the last row or
    column belongs to no window. Every channel is on its own. Where several pixels of a window are the largest, they
    share: each gets the same part.

    Parameters
    ----------
    g : (N, H // 2, W // 2, C) array, the cotangent of the result
    x : (N, H, W, C) array, the images, H and W at least 2

    Returns
    -------
    (N, H, W, C) array

    Example: two fives in one window share its 6.

        x = np.array([[1.0, 5.0], [5.0, 2.0]]).reshape(1, 2, 2, 1)
        vjp_max_pool(np.full((1, 1, 1, 1), 6.0), x)[0, :, :, 0]        # array([[0., 3.], [3., 0.]])
    """
    raise NotImplementedError

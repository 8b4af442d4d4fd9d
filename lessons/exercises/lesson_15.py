"""Exercises of lesson 15, big motions first. Check your answers with `python -m lessons.check 15`."""

import numpy as np  # noqa: F401 (you will need it)


def compose_affine(first, second):
    """Two affine maps, one after the other, as one affine map.

    A map [A | t] sends a place x, seen from the centre of the image, to A x + t. From x go along `first`, and from the
    place that you have reached go along `second`. Each pair of maps of the batch makes a map of its own.

    Parameters
    ----------
    first, second : (N, 2, 3) arrays: A beside t, rows before columns

    Returns
    -------
    (N, 2, 3) array

    Example: `first` goes one pixel to the right, `second` doubles how far one is from the centre. So does what came
    before.

        first = np.array([[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]])
        second = np.array([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
        compose_affine(first, second)       # array([[[2., 0., 0.], [0., 2., 2.]]])
    """
    raise NotImplementedError


def rigid_from_points(fixed_points, moving_points):
    """The turn and the shift that lead from landmarks in the fixed image to those in the moving one.

    Landmarks are points that somebody has found in both images. They need no descent. Of all maps

        q = A p + t        with A = [[cos a, sin a], [-sin a, cos a]]

    find the one with the smallest sum of squared distances between A p + t and the landmark that belongs to p. Where do
    the two centres of the landmarks go? Seen from there, only the angle is left. Write the sum as a function of a: all
    but two terms do not depend on it.

    Parameters
    ----------
    fixed_points, moving_points : (K, 2) arrays, as (row, column) in pixels, in the same order; K is at least 2, and not
        all are in one place

    Returns
    -------
    (3,) array: a in radians, from -pi to pi, then t along the rows and along the columns

    Example: a quarter turn, and then a shift by 5 along both,

        fixed_points = np.array([[0.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
        moving_points = np.array([[5.0, 5.0], [6.0, 5.0], [5.0, 3.0]])
        rigid_from_points(fixed_points, moving_points)      # array([1.571, 5., 5.])
    """
    raise NotImplementedError


def gauss_newton_affine(y, fixed, slopes):
    """A step for the six numbers of an affine map that needs no length.

    The gradient says where down is, but not how far. In lesson 4 a step for one shift found that out. Here is the same
    for six numbers. Let every pixel go by a small B (p - c) + s, where c is the centre of the image,
    ((H - 1) / 2, (W - 1) / 2). Then it becomes about

        y + slopes_row * (B (p - c) + s)_row + slopes_column * (B (p - c) + s)_column

    Find the B and s for which the sum over all pixels of the squared differences between this and the fixed image is
    smallest. That is a line through a cloud, in six dimensions.

    Source: Lucas and Kanade, An iterative image registration technique with an application to stereo vision, IJCAI
    1981.

    Parameters
    ----------
    y : (H, W) array, the moving image as warped so far
    fixed : (H, W) array
    slopes : (H, W, 2) array, how y changes at each pixel when it looks further down, and further to the right; all six
        numbers can be told from them

    Returns
    -------
    (2, 3) array: B beside s, to be added to A and t

    Example: a checkerboard. Half of the pixels change along the rows, and lack .5 everywhere. The other half change
    along the columns, and lack more the further right they are,

        rows, columns = np.indices((4, 4))
        down = (rows + columns) % 2 == 0
        slopes = np.stack([down, ~down], axis=-1).astype(float)
        fixed = np.where(down, 0.5, 0.2 * (columns - 1.5))
        gauss_newton_affine(np.zeros((4, 4)), fixed, slopes)        # array([[0., 0., 0.5], [0., 0.2, 0.]])
    """
    raise NotImplementedError

"""Exercises of lesson 9, a displacement for every pixel. Check your answers with `python -m lessons.check 09`."""

import numpy as np  # noqa: F401 (you will need it)


def bending_gradient(line):
    """The gradient of another roughness: the mean of the squared *second* differences of a line of displacements.

        second difference at i = line[i - 1] - 2 line[i] + line[i + 1]

    There is one for every number that has two neighbours. A line that climbs steadily costs nothing.

    Parameters
    ----------
    line : (n,) array, displacements, n at least 3

    Returns
    -------
    (n,) array, how the roughness changes with each of them

    Example: one pixel stands out, so there are the second differences 1, -2 and 1,

        bending_gradient(np.array([0.0, 0.0, 1.0, 0.0, 0.0]))       # array([ 0.667, -2.667,  4.   , -2.667,  0.667])
    """
    raise NotImplementedError


def fold_free(u, step):
    """As far along a step as space does not fold: the first of u + step, u + step/2, u + step/4, ... without a fold.

    A field folds where one of the determinants at the four corners of its cells is 0 or less. (Where nothing moves, all
    of them are 1.) u itself does not fold, so there is always an answer.

    Parameters
    ----------
    u : (H, W, 2) array, a field that does not fold, as (row, column)
    step : (H, W, 2) array, what a descent would like to add to it

    Returns
    -------
    (H, W, 2) array, the field after the step, or after that part of it

    Example: the last pixel would like to look 3 pixels further up. 3 and 1.5 turn the cell over, .75 does not,

        step = np.zeros((2, 2, 2))
        step[1, 1] = -3.0, 0.0
        fold_free(np.zeros((2, 2, 2)), step)[1, 1]      # array([-0.75,  0.  ])
    """
    raise NotImplementedError


def folding_gradient(u):
    """The gradient of a price on the corners themselves: of

        mean(max(0.1 - det, 0) ** 2)

    over all cells and their four corners. det is the determinant there, the cross product of two edges of the cell, as
    in lesson 9. Corners with a determinant above 0.1 cost nothing.

    Parameters
    ----------
    u : (H, W, 2) array, a field, as (row, column)

    Returns
    -------
    (H, W, 2) array, how the price changes with each number of u

    Example: the cell of the lesson, whose lower left pixel looks 1.5 pixels further up,

        u = np.zeros((2, 2, 2))
        u[1, 0] = -1.5, 0.0
        folding_gradient(u)[..., 0]     # array([[ 0.6,  0. ], [-0.6,  0. ]])
    """
    raise NotImplementedError

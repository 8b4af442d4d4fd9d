"""Exercises of lesson 20, your own images. Check your answers with `python -m lessons.check 20`."""

import numpy as np  # noqa: F401 (you will need it)


def window_of_body(image, outside, low, high):
    """A window by percentiles, in which what lies outside of the scanner's circle has no vote.

    A scanner sees a circle, and files are square. The corners get one value that means "nothing here", such as -2000,
    and there are many of them. So take the percentiles of all other pixels. Corners become 0.

    Parameters
    ----------
    image : (H, W) array
    outside : number, the value of the corners
    low, high : percentiles, such as 1 and 99

    Returns
    -------
    (H, W) array, in [0, 1]: 0 at the lower percentile and below, 1 at the upper one and above

    Example: three of eight pixels are corners. Of the others, the percentiles 25 and 75 are 100 and 300,

        image = np.array([[-2000, 0, 100, -2000], [200, 300, 400, -2000]])
        window_of_body(image, -2000, 25, 75)        # array([[0, 0, 0, 0], [0.5, 1, 1, 0]])
    """
    raise NotImplementedError


def depths(roughness, left):
    """How deep an L-curve sags at each of its points: the distance from the straight line between its ends.

    The two numbers have different units. So first scale each of them so that its smallest value becomes 0 and its
    largest 1. Then the ends are (0, 1) and (1, 0), and all points below the line between them have a positive depth.
    The bend is where it is largest (`np.argmax`).

    Parameters
    ----------
    roughness : (N,) array, of the fields for N prices
    left : (N,) array, what each leaves of the mismatch, such as 1 - NCC; it falls where the roughness grows

    Returns
    -------
    (N,) array

    Example: scaled, the point in the middle is (.25, .125),

        depths(np.array([8.0, 2.0, 0.0]), np.array([0.1, 0.2, 0.9]))        # array([0.   , 0.442, 0.   ])
    """
    raise NotImplementedError


def from_home(u, w, spacing):
    """There and back between two images of different size, in millimetres.

    A pixel p of the fixed image looks at q = p + u(p), a place in the *moving* image. There the way back is read,
    bilinearly: it leads from q to q + w(q), a place in the fixed image again. How far is that from p, on average over
    all pixels whose q lies inside the moving image, from its first to its last row and column? (At least one does.)

    Parameters
    ----------
    u : (H, W, 2) array, as (row, column), on the pixels of the fixed image
    w : (H', W', 2) array, on the pixels of the moving image
    spacing : two numbers, of the *fixed* image, in mm: from one row to the next, and from one column to the next

    Returns
    -------
    float, in mm

    Example: three pixels of a line look 1 to the right. The last one looks beyond the moving image. The first comes
    home. The second ends half a pixel away, which is 1 mm,

        u = np.zeros((1, 3, 2))
        w = np.zeros((1, 3, 2))
        u[0, :, 1] = 1
        w[0, :, 1] = 0, -1, -0.5
        from_home(u, w, (1, 2))         # 0.5
    """
    raise NotImplementedError

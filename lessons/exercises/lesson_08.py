"""Exercises of lesson 8, the gradient of NCC. Check your answers with `python -m lessons.check 08`."""

import numpy as np  # noqa: F401 (you will need it)


def vjp_ncc_b(g, a, b):
    """The VJP of the normalised cross-correlation with respect to the *second* image, for a batch.

    NCC gives one number per pair of images, over all pixels and channels of the two. No image is constant.

    Parameters
    ----------
    g : (N,) array, the cotangent of the N numbers
    a, b : (N, H, W, C) arrays, the images

    Returns
    -------
    (N, H, W, C) array, how the loss changes with each pixel of b

    Example: two images of three pixels each,

        a = np.array([0.0, 0.0, 3.0]).reshape(1, 1, 3, 1)
        b = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
        vjp_ncc_b(np.array([1.0]), a, b).ravel()        # array([ 0.144, -0.289,  0.144])

    A darker pixel in the middle would make b more like a.
    """
    raise NotImplementedError


def vjp_centre_inside(g, mask):
    """The VJP of centring with the mean inside a mask.

    Often only a part of an image counts: the head, not the air around it. Then the mean is taken with weights,

        y = a - m        with the number        m = sum(mask * a) / sum(mask)

    and it is subtracted from *all* pixels. Unlike the centring of the lesson, this is not its own adjoint.

    Parameters
    ----------
    g : (H, W) array, the cotangent of y
    mask : (H, W) array, the weight of every pixel, 0 or more, not all of them 0

    Returns
    -------
    (H, W) array, how the loss changes with each pixel of a

    Example: four pixels, of which the first two count,

        vjp_centre_inside(np.array([[0.0, 0.0, 0.0, 6.0]]), np.array([[1.0, 1.0, 0.0, 0.0]]))
        # array([[-3., -3.,  0.,  6.]])
    """
    raise NotImplementedError


def gradient_of_rotation(g_u, angle):
    """From the gradient of a displacement field to the gradient of one angle per image.

    In lesson 8 all pixels shared a translation. Now they share a rotation about the middle of the image: with
    `down` = row - (H - 1) / 2 and `right` = column - (W - 1) / 2,

        u_row    = cos(angle) down  + sin(angle) right - down
        u_column = cos(angle) right - sin(angle) down  - right

    Parameters
    ----------
    g_u : (N, H, W, 2) array, how the loss changes with each displacement, as (row, column)
    angle : (N,) array, in radians, one angle for each image

    Returns
    -------
    (N,) array, how the loss changes with each angle

    Example: at angle 0, the pixel one row above the middle looks further to the right as the angle grows,

        g_u = np.zeros((1, 3, 3, 2))
        g_u[0, 0, 1] = 5.0, 7.0
        gradient_of_rotation(g_u, np.array([0.0]))      # array([7.])
    """
    raise NotImplementedError

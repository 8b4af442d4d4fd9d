"""Exercises of lesson 14, velocity fields. Check your answers with `python -m lessons.check 14`."""

import numpy as np  # noqa: F401 (you will need it)


def flow_line(v, x, steps):
    """Where places on a line are after they have followed a velocity for a time of 1, in equal steps.

    The velocity is known at the pixels 0 to n - 1. Between two pixels it is read by linear interpolation. Beyond the
    ends it is what it is at the end. Each step reads it where the place has got to by then. A place may begin anywhere,
    and may leave the line.

    Parameters
    ----------
    v : (n,) array, the velocity at each pixel, in pixels per unit of time, n at least 2
    x : (K,) array of floats, where the places begin
    steps : int, 1 or more

    Returns
    -------
    (K,) array, where they end

    Example: the line of the lesson, whose two steps are 0, .5, 1, .5, 0,

        flow_line(np.array([0.0, 1.0, 2.0, 1.0, 0.0]), np.array([1.0, 2.0, 3.0]), 2)    # array([2.25, 3.5 , 3.75])
    """
    raise NotImplementedError


def inverse(u, iterations):
    """The way back of a displacement u whose velocity nobody knows.

    The inverse w leads from p to the point that u sends to p. So there and back, all is 0:

        w(p) + u(p + w(p)) = 0

    w stands in it twice. Solve it by repetition. Begin with w = 0. Put the w that you have into u(p + w(p)), and take
    the w that the equation then asks for. Do so `iterations` times. If u changes by less than a pixel from pixel to
    pixel, w comes to rest. u is read between pixels by bilinear interpolation, with the border "edge".

    Parameters
    ----------
    u : (H, W, 2) array, as (row, column), H and W at least 1
    iterations : int, 1 or more

    Returns
    -------
    (H, W, 2) array, the field w

    Example: a row of five pixels that look further and further to the right. p + u(p) is 1.5 p, so the way back is
    -p/3, and not -p/2,

        u = np.zeros((1, 5, 2))
        u[0, :, 1] = 0.0, 0.5, 1.0, 1.5, 2.0
        inverse(u, 50)[0, :, 1]         # array([ 0.   , -0.333, -0.667, -1.   , -1.333])
    """
    raise NotImplementedError


def vjp_flow_line(g, v, x, steps):
    """The VJP of `flow_line` with respect to the velocity.

    A velocity matters in two ways. It takes a place a bit further; and that place then reads the velocity elsewhere in
    all steps that follow. So walk there first and keep the places, and then walk back through the steps. Beyond the
    ends the velocity does not change from place to place. (Exactly at a pixel it has a kink. Take the slope on its
    right.)

    Parameters
    ----------
    g : (K,) array, the cotangent of the places where they end
    v : (n,) array, the velocity at each pixel, n at least 2
    x : (K,) array of floats, where the places begin
    steps : int, 1 or more

    Returns
    -------
    (n,) array, how the loss changes with the velocity at each pixel

    Example: two pixels and one place, which is at .5, then at .75, and ends at 1.125,

        vjp_flow_line(np.array([1.0]), np.array([0.0, 1.0]), np.array([0.5]), 2)        # array([0.5 , 0.75])
    """
    raise NotImplementedError

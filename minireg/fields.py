"""What one does with displacement and velocity fields: compose them, and integrate a velocity.

A field u (N, H, W, 2) in pixels stands for the transformation p -> p + u(p). Everything here is made of ops, so
gradients flow through it. Beyond the border a field continues as it is at the border.
"""

from minireg import ops


def compose(first, second):
    """The field of going along `first`, and from there along `second`.

        w(p) = first(p) + second(p + first(p))

    Warping an image by w is warping it by `second` and the result by `first`: pull-backs compose in reverse order.

    Parameters
    ----------
    first, second : (N, H, W, 2), in pixels

    Returns
    -------
    Tensor (N, H, W, 2)
    """
    return first + ops.warp(second, first, border="edge")


def integrate(velocity, squarings):
    """The displacement after flowing along a stationary velocity field for one unit of time: u = exp(v).

    Scaling and squaring: a very short flow is nearly a straight step, v / 2^squarings, and composing a flow with
    itself doubles its time. The flow of a smooth velocity never folds; what remains of folding comes from the bilinear
    interpolation and from taking too few squarings.

    Parameters
    ----------
    velocity : (N, H, W, 2), in pixels per unit of time
    squarings : int
        So many that the longest velocity over 2^squarings is well below one pixel.

    Returns
    -------
    Tensor (N, H, W, 2), in pixels

    Source: Arsigny, Commowick, Pennec, Ayache, A log-Euclidean framework for statistics on diffeomorphisms, MICCAI
    2006, algorithm 2; as a layer, Dalca et al., MICCAI 2018.
    """
    displacement = velocity * 0.5**squarings
    for _ in range(squarings):
        displacement = compose(displacement, displacement)
    return displacement

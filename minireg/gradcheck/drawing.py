"""What the cases of gradient checks are made of: numbers that keep away from kinks, and shapes and axes.

Functions of `rng` give numbers, those of `choose` (a `Chooser`) what has a structure.
"""

import itertools

import numpy as np

LONG = 130  # elements of an axis: more than NumPy adds in one block

# Values


def normal(rng, shape):
    """Any numbers, for ops without kinks."""
    return rng.standard_normal(tuple(shape))


def positive(rng, shape):
    """Numbers between 0.1 and 4, half of them below 0.63."""
    return 0.1 * 40 ** rng.random(tuple(shape))


def away_from_zero(rng, shape):
    """Numbers of both signs whose size is between 0.1 and 4."""
    return rng.choice([-1, 1], tuple(shape)) * positive(rng, shape)


def saturating(rng, shape):
    """Numbers of both signs whose size is between 3 and 40: there a sigmoid is nearly flat, or flat to rounding."""
    return rng.choice([-1, 1], tuple(shape)) * 10 ** rng.uniform(0.5, 1.6, tuple(shape))


def far_apart(rng, shape):
    """Positive numbers from a thousandth to ten thousand."""
    return 10 ** rng.uniform(-3, 4, tuple(shape))


def of_any_size(rng, shape):
    """Numbers of both signs whose size is between a thousandth and ten thousand."""
    return rng.choice([-1, 1], tuple(shape)) * far_apart(rng, shape)


def far_from_zero(rng, shape):
    """Any numbers around 100."""
    return normal(rng, shape) + 100


def distinct(rng, shape, start=0.0):
    """Values that all differ by at least 0.2, in random order, about half of them negative."""
    size = int(np.prod(tuple(shape)))
    return (rng.permutation(size).reshape(tuple(shape)) - size // 2) * 0.2 + start


def distinct_and_huge(rng, shape):
    """Values that all differ by at least 200, in random order, about half of them negative."""
    return 1000 * distinct(rng, shape)


def between_pixels(rng, image_shape, size):
    """A displacement that leads every pixel of `size` between two pixels in or far around the image, onto none.

    Fractions near 0 and 1 are the likeliest.
    """
    target = np.stack([rng.integers(-3, n + 2, (image_shape[0], *size)) for n in image_shape[1:3]], axis=-1)
    own = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1)
    return target + 0.02 + 0.96 * rng.beta(0.5, 0.5, target.shape) - own


# Shapes and options


def drawn_shape(choose, fewest=0, most=4, rare=(0,)):
    """A shape of `fewest` to `most` axes; now and then the size of one of them is one of the `rare`."""
    shape = [choose.integers(1, 4) for _ in range(choose.integers(fewest, most))]
    if shape and rare:
        size = choose.sampled_from([None] * 11 + list(rare))
        if size is not None:
            shape[choose.integers(0, len(shape) - 1)] = size
    return tuple(shape)


def drawn_batch(choose, most=3):
    """The number of images; now and then none."""
    return choose.sampled_from([*range(1, most + 1)] * 5 + [0])


def drawn_axis(choose, ndim):
    """None, an axis, or a tuple of none, one or several axes in any order, some of them counted from the end."""
    axes = [axis - ndim * choose.booleans() for axis in drawn_order(choose, ndim) if choose.booleans()]
    form = choose.sampled_from(["one", "tuple", "all"])
    return None if form == "all" else axes[0] if form == "one" and len(axes) == 1 else tuple(axes)


def drawn_pair(choose, low, high):
    """An int, or one for rows and one for columns."""
    values = range(low, high + 1)
    if choose.booleans():
        return choose.sampled_from(values)
    return choose.sampled_from(values), choose.sampled_from(values)


def drawn_order(choose, ndim):
    """A permutation of the axes. As choices, none and an exchange of the last two are told from all others."""
    orders = list(itertools.permutations(range(ndim)))
    return orders[choose.integers(0, len(orders) - 1)]

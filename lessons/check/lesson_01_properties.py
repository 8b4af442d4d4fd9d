"""What every right answer to the exercises of lesson 1 fulfils, and the arguments that it is tested with."""

import numpy as np

from lessons.check.properties import each_alone


def random_images(seed, *shape):
    """Random intensities, none of them 0."""
    return np.random.default_rng(seed).uniform(0.1, 1, shape)


def random_field(seed, *shape, low=-2, high=2):
    """Random displacements by whole pixels."""
    return np.random.default_rng(seed).integers(low, high, (*shape, 2), endpoint=True)


# ---- rotation


def no_angle_changes_nothing(rotation):
    u = np.asarray(rotation(4, 5, 0.0))
    if u.shape == (4, 5, 2) and not np.allclose(u, 0, atol=1e-6):
        if np.allclose(u, np.moveaxis(np.indices((4, 5)), 0, -1), atol=1e-6):
            return (
                "Turned by 0 degrees every pixel looks at itself. For this you return its place. A displacement says "
                "how far it is from the pixel to where it looks. (This may not be the only mistake.)"
            )
        return "Turned by 0 degrees every pixel looks at itself: u must be 0 everywhere, and yours is not."


def the_middle_stays(rotation):
    if not np.allclose(np.asarray(rotation(5, 7, 40.0))[2, 3], 0, atol=1e-6):
        return (
            "The pixel in the middle of an image of 5 by 7 pixels is (2, 3). It turns on the spot: u must be 0 there."
        )


def distances_stay(rotation):
    rows, columns = np.indices((6, 9)) - np.array([2.5, 4.0])[:, None, None]
    u = np.asarray(rotation(6, 9, 25.0))
    if not np.allclose(np.hypot(rows + u[..., 0], columns + u[..., 1]), np.hypot(rows, columns), atol=1e-6):
        return (
            "Turning keeps every distance from the middle, but with your field a pixel looks at a place that is nearer "
            "to the middle than itself, or further from it. Take one pixel and follow it by hand."
        )


# ---- warp_whole


def no_displacement_changes_nothing(warp_whole):
    images = random_images(30, 2, 4, 5, 2)
    y = np.asarray(warp_whole(images, np.zeros((2, 4, 5, 2), int)))
    if y.shape != images.shape or np.allclose(y, images, atol=1e-6):
        return None
    if np.allclose(y[:, 1:-1, 1:-1], images[:, 1:-1, 1:-1], atol=1e-6):
        return (
            "Where u is 0 everywhere the images must come back unchanged, also in the first and last row and column. "
            "Which rows and columns belong to the image?"
        )
    return "Where u is 0 everywhere the images must come back unchanged."


def black_outside(warp_whole):
    for words, step, edge in (
        ("right of", (0, 1), np.s_[:, :, -1]),
        ("below", (1, 0), np.s_[:, -1]),
        ("left of", (0, -1), np.s_[:, :, 0]),
        ("above", (-1, 0), np.s_[:, 0]),
    ):
        y = np.asarray(warp_whole(np.ones((1, 4, 5, 1)), np.broadcast_to(step, (1, 4, 5, 2)).copy()))
        if y.shape == (1, 4, 5, 1) and y[edge].any():
            return f"A pixel that looks at a place one pixel {words} the image must find 0, and yours finds something."


def every_pixel_looks_for_itself(warp_whole):
    images, u = random_images(35, 1, 4, 5, 1), np.zeros((1, 4, 5, 2), int)
    u[0, 3, 2] = -2, 1
    y = np.asarray(warp_whole(images, u))
    if y.shape == images.shape and not np.isclose(y[0, 3, 2, 0], images[0, 1, 3, 0]):
        found = [(int(r), int(c)) for r, c in np.argwhere(np.isclose(images[0, :, :, 0], y[0, 3, 2, 0]))]
        return (
            "Every pixel has a displacement of its own. With u = (-2, 1) at the pixel (3, 2) it must look at (1, 3), "
            f"and yours finds {f'what is at {found[0]}' if found else f'{y[0, 3, 2, 0]:.4g}, which is nowhere there'}."
        )


as_if_alone = each_alone(random_images(36, 3, 4, 5, 1), random_field(37, 3, 4, 5, low=-1, high=1))


def colours_stay_together(warp_whole):
    grey = random_images(31, 1, 4, 5, 1)
    images, u = np.concatenate([grey, 2 * grey, 3 * grey], axis=-1), np.zeros((1, 4, 5, 2), int)
    u[..., 1] = [4, 2, 0, -2, -4]  # every pixel looks at its mirror image, inside
    y = np.asarray(warp_whole(images, u))
    if y.shape == images.shape and not np.allclose(y, y[..., :1] * [1, 2, 3]):
        return "The channels of a pixel have to stay together: all of them come from the same place."


# ---- compose


def _where(got, expected):
    """In words, where a field differs from the right one, and by what."""
    wrong = ~np.isclose(got, expected).all(axis=-1)
    row, column = np.argwhere(wrong)[0]
    example = f"{got[row, column]} at {(int(row), int(column))} instead of {expected[row, column]}"
    return example if wrong[1:-1, 1:-1].any() else f"{example}; only the border is wrong"


def no_first_step(compose):
    second = random_field(33, 4, 5)
    w = np.asarray(compose(np.zeros_like(second), second))
    if w.shape == second.shape and not np.allclose(w, second):
        return f"If `first` is 0 everywhere, one stays at p, and only `second` is left. Yours is {_where(w, second)}."


def no_second_step(compose):
    first = random_field(34, 4, 5)
    w = np.asarray(compose(first, np.zeros_like(first)))
    if w.shape == first.shape and not np.allclose(w, first):
        return f"If `second` is 0 everywhere, only `first` is left. Yours is {_where(w, first)}."


def first_comes_first(compose):
    first, second = np.zeros((1, 5, 2), int), np.zeros((1, 5, 2), int)
    first[0, :, 1], second[0, :, 1] = [1, 0, 2, 0, 0], [0, 1, 0, 2, 0]
    w = np.asarray(compose(first, second))
    if w.shape != first.shape or np.isclose(w[0, 0, 1], 2):
        return None
    if np.allclose(w[0, :2, 1], [1, 3]):
        return "You go along `second` before `first`. (This may not be the only mistake.)"
    return (
        "In a row of pixels let `first` lead 1 to the right from pixel 0, and `second` 1 to the right from pixel 1, "
        f"but not from pixel 0. Both together must lead 2 to the right from pixel 0. Yours: {w[0, 0, 1]}."
    )


def two_shifts_add_up(compose):
    first, second = np.broadcast_to([1, -2], (4, 5, 2)).copy(), np.broadcast_to([1, 1], (4, 5, 2)).copy()
    if not np.allclose(compose(first, second), first + second):
        return "Two shifts of the whole image, by (1, -2) and by (1, 1), must give one by (2, -1)."

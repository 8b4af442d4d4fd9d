"""What every right answer to the exercises of lesson 2 fulfils, and the arguments that it is tested with."""

import numpy as np

from lessons.check.properties import each_alone

LINE = np.random.default_rng(2).uniform(0.1, 1, 6)


def random_images(seed, *shape):
    return np.random.default_rng(seed).uniform(0.1, 1, shape)


def random_places(seed, n, height, width, low, high):
    """n x height x width places, from `low` = (row, column) to `high`."""
    rng = np.random.default_rng(seed)
    return tuple(rng.uniform(low[k], high[k], (n, height, width)) for k in (0, 1))


def pixels(height, width):
    """x and y of the centres of all pixels."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return x, y


def anywhere(seed, *shape):
    return tuple(np.random.default_rng(seed).uniform(-1, 1, (2, *shape)))


# ---- sample_line


def exact_at_pixels(sample_line):
    y = np.asarray(sample_line(LINE, np.arange(6.0)))
    wrong = np.flatnonzero(np.abs(y - LINE) > 1e-6) if y.shape == LINE.shape else []
    if len(wrong):
        return f"At c = {wrong[0]}, exactly on a pixel, the result must be the intensity of that pixel."


def exact_on_a_ramp(sample_line):
    y = np.asarray(sample_line(3 + 2 * np.arange(6.0), np.array([0.5, 2.25])))
    if y.shape != (2,) or np.abs(y - [4, 7.5]).max() < 1e-6:
        return None
    if np.isclose(y[1], [7, 9]).any():
        return "At c = 2.25 you return the intensity of one pixel. Between two pixels the result lies between theirs."
    if np.abs(np.asarray(sample_line(np.ones(6), np.array([1.5, 2.25]))) - 1).max() > 1e-6:
        return "Between its pixels a line of ones is not 1 with you. What must the two weights add up to?"
    return (
        f"Along the line 3, 5, 7, 9, ... the result must be 7.5 at c = 2.25, and yours is {y[1]:.4g}. Which two pixels "
        "lie around this place, and which one is nearer?"
    )


def each_place_alone(sample_line):
    c = np.array([2.25, 0.5, 3.75])
    y, alone = np.asarray(sample_line(LINE, c)), [np.asarray(sample_line(LINE, c[k : k + 1]))[0] for k in range(3)]
    if y.shape != c.shape or np.allclose(y, alone, atol=1e-6):
        return None
    if np.allclose(np.sort(y), np.sort(alone), atol=1e-6):
        return "The places may come in any order, and the results must come in the same order."
    k = int(np.abs(y - alone).argmax())
    return (
        f"At c = {c[k]} your result is {alone[k]:.4g} if this is the only place, and {y[k]:.4g} if it is one of three. "
        "What do you compute only once, for all places?"
    )


def alike_at_both_ends(sample_line):
    left, right = (np.asarray(sample_line(np.ones(4), c)) for c in (np.array([-0.25, -0.5]), np.array([3.25, 3.5])))
    left_is_right, right_is_right = (np.allclose(y, [0.75, 0.5], atol=1e-6) for y in (left, right))
    if right_is_right and not left_is_right:
        return (
            "Beyond the right end your result is right, beyond the left end it is not. Which pixels lie around "
            "c = -0.25, and how far is it from each of them? What is int(-0.25)?"
        )
    if left_is_right and not right_is_right:
        return (
            "Beyond the left end your result is right, beyond the right end it is not. On a line of 4 pixels, which "
            "two lie around c = 3.25, and what is the intensity of each?"
        )
    if not left_is_right:
        return (
            "Beyond both ends your line does not fade as it should. A line of 4 ones: at c = 3.25 yours is "
            f"{right[0]:.4g}, at c = 3.5 it is {right[1]:.4g}. Which two pixels lie around these places, and what is "
            "the intensity of each?"
        )


def black_far_outside(sample_line):
    y = np.asarray(sample_line(LINE, np.array([-1.0, 6.0, -40.5, 40.5])))
    if np.abs(y).max() > 1e-9:
        return "One pixel outside of the line, and everywhere beyond, all is black: the result must be 0 there."


# ---- sample


def ones_stay_ones(sample):
    y = np.asarray(sample(np.ones((1, 4, 5, 1)), *random_places(21, 1, 6, 6, (0, 0), (3, 3))))
    if np.abs(y - 1).max() > 1e-6:
        return "An image of ones is not 1 between its pixels. What must the four weights add up to?"


def unchanged_on_the_pixels(sample):
    images = random_images(22, 2, 4, 5, 2)
    rows, columns = (np.broadcast_to(k, (2, 4, 5)).astype(float) for k in np.indices((4, 5)))
    y = np.asarray(sample(images, rows, columns))
    if y.shape != images.shape or np.abs(y - images).max() < 1e-6:
        return None
    if np.allclose(y[:, :4, :4], images.swapaxes(1, 2)[:, :4, :4], atol=1e-6):
        return "Rows and columns are exchanged: r counts down the rows, c along the columns. (There may be more.)"
    n, i, j, _ = (int(k) for k in np.argwhere(np.abs(y - images) > 1e-6)[0])
    return (
        "Sampled exactly on its pixels an image must come back unchanged, also in its last row and column. The first "
        f"pixel that is another one with you is {(i, j)} in image {n}, of 4 by 5 pixels."
    )


images_alone = each_alone(random_images(26, 3, 4, 5, 2), *random_places(27, 3, 4, 5, (0, 0), (3, 3)))


def channels_alone(sample):
    images, places = random_images(28, 2, 4, 5, 3), random_places(29, 2, 4, 4, (0, 0), (3, 3))
    y = np.asarray(sample(images, *places))
    for k in range(3):
        if not np.allclose(y[..., k], np.asarray(sample(images[..., k : k + 1], *places))[..., 0], atol=1e-6):
            return (
                f"Channel {k} of three comes out otherwise than if it is given alone. The channels have to stay apart."
            )


def planes_stay_planes(sample):
    rows, columns = np.indices((4, 5))
    for words, plane, step in (("down", rows, (1, 0)), ("to the right", columns, (0, 1))):
        r, c = random_places(23, 1, 3, 3, (0, 0), (3, 4))
        y = np.asarray(sample(plane[None, :, :, None].astype(float), r, c))[..., 0]
        if np.abs(y - (step[0] * r + step[1] * c)).max() > 1e-6:
            return (
                f"In an image that grows {words} by 1 from pixel to pixel the result must be the place itself, and it "
                "is not. Take an image of 2 by 2 pixels and compute the four weights by hand."
            )


def ones_stay_ones_outside(sample):
    y = np.asarray(sample(np.ones((1, 4, 5, 1)), *random_places(24, 1, 6, 6, (-6, -6), (9, 9))))
    if np.abs(y - 1).max() > 1e-6:
        return 'With the border "edge" an image of ones must be 1 outside of it too, and yours is not.'


def nothing_changes_outside(sample):
    images, along = random_images(25, 1, 4, 5, 1), np.array([[[0.5, 2.25]]])
    for near, far in ((-0.5, -3.0), (3.5, 7.0)):
        y = [np.asarray(sample(images, np.full_like(along, r), along)) for r in (near, far)]
        if not np.allclose(*y, atol=1e-6):
            return (
                f'With the border "edge" nothing changes any more beyond the border, but your results at r = {near} '
                f"and at r = {far} differ (4 rows, 0 to 3). What are your weights there?"
            )


# ---- sample_2020


def the_last_row_and_column_have_light(sample_2020):
    y = np.asarray(sample_2020(np.ones((4, 5)), *pixels(4, 5)))
    if np.abs(y - 1).max() > 1e-6:
        return (
            f"Not mended yet: an image of ones, looked at on its own pixels, comes back with values from {y.min():.4g} "
            f"to {y.max():.4g}. What do the four weights add up to, and where?"
        )


def the_pixels_come_back(sample_2020):
    image = random_images(41, 5, 4)
    y = np.asarray(sample_2020(image, *pixels(5, 4)))
    if np.abs(y - image).max() > 1e-6:
        at = [int(k) for k in np.unravel_index(np.abs(y - image).argmax(), y.shape)]
        return (
            "An image of ones stays as it is now, but another one, looked at on its own pixels, does not come back "
            f"unchanged. It is furthest off at {at}. Where does your sampler look for that pixel?"
        )


def nothing_gets_brighter(sample_2020):
    y = np.asarray(sample_2020(np.indices((6, 7)).sum(axis=0) % 2.0, *anywhere(42, 20, 20)))
    if y.min() < -1e-6 or y.max() > 1 + 1e-6:
        return (
            "Every pixel comes back unchanged now. But between the pixels of a chess board of 0 and 1 you find values "
            f"from {y.min():.3g} to {y.max():.3g}. What must be wrong with one of the four weights?"
        )

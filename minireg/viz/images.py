"""Images in panels: drawn by no more pixels than a panel can show, alone, on top of each other, or by turns.

No panel shows 2048 pixels a side. Larger images are drawn by the means of blocks, at the place of their pixels: row 0
is at the top, and pixel (r, c) has its centre at x = c, y = r.
"""

import numpy as np

FIRST_COLOUR, SECOND_COLOUR = "#cc00cc", "#008c00"  # names of the images of an overlay: magenta, green; dark on white
MOST_PIXELS = 512  # a side; larger images are drawn by the means of blocks that leave at least so many


def draw_overlay(axes, first, second):
    """Draw two images on top of each other, the first in magenta, the second in green; grey where they agree.

    Magenta and green add up to white, so what is bright in both is white, and what is in one only has its colour. The
    images are float arrays (H, W, 1), intensities in [0, 1]; what lies outside is cut off.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_overlay(axes, np.array([[[1.0], [0.0], [0.5]]]), np.array([[[0.0], [1.0], [0.5]]]))
    >>> axes.images[0].get_array().tolist()  # magenta, green, grey
    [[[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.5]]]
    """
    show(axes, first, second, colours=lambda a, b: np.clip(np.dstack([a, b, a]), 0, 1))


def draw_checkerboard(axes, first, second, squares=8):
    """Draw squares of two images by turns, the first one in the upper left: edges go on where the images agree.

    The images are float arrays (H, W, 1), intensities in [0, 1]. The longer side has `squares` squares;
    ticks outside mark where they end, for lines would hide what there is to see.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> draw_checkerboard(axes, np.zeros((2, 4, 1)), np.ones((2, 4, 1)), squares=2)
    >>> axes.images[0].get_array().tolist()
    [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]
    """
    square_of = lambda pixels: pixels * squares // max(first.shape)

    def by_turns(first, second):
        rows, columns = (square_of(np.arange(side) * block + block // 2) for side in first.shape[:2])
        return np.where((rows[:, None, None] + columns[:, None]) % 2 == 0, first, second)[..., 0]

    block = block_side(first)
    show(axes, first, second, colours=by_turns, cmap="gray", vmin=0, vmax=1)
    for axis, side in ((axes.xaxis, first.shape[1]), (axes.yaxis, first.shape[0])):
        axis.set_ticks(np.flatnonzero(np.diff(square_of(np.arange(side)))) + 0.5, labels=[])


def show_grey(axes, image, white=1.0):
    """Draw an image (H, W, 1) in grey, from black at 0 to white.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> show_grey(axes, np.ones((2048, 1024, 1)))
    >>> axes.images[0].get_array().shape, axes.images[0].get_extent()  # means of blocks of 4 x 4 pixels
    ((512, 256), [-0.5, 1023.5, 2047.5, -0.5])
    """
    show(axes, image, cmap="gray", vmin=0, vmax=white)


def shrunk(image):
    """The means of the blocks of an image (H, W) or (H, W, C) that is larger than any panel, and the blocks' sides.

    What is left of a block at the end is left out.

    >>> means, block = shrunk(np.ones((2048, 3)))
    >>> means.shape, block
    ((512, 1), (4, 3))
    """
    size = block_side(image)
    if size == 1:
        return image, (1, 1)
    down, across = (min(size, side) for side in image.shape[:2])
    rows, columns = image.shape[0] // down, image.shape[1] // across
    blocks = image[: rows * down, : columns * across].reshape(rows, down, columns, across, *image.shape[2:])
    return blocks.mean(axis=1).mean(axis=2), (down, across)  # whole rows first: they lie together in memory


def shrunk_batch(images):
    """The same means of each image of a batch (N, H, W, C).

    >>> shrunk_batch(np.ones((3, 1024, 1024, 1))).shape
    (3, 512, 512, 1)
    """
    return np.stack([shrunk(image)[0] for image in images])


def show(axes, *images, colours=np.asarray, first_edge=-0.5, **options):
    """Draw what `colours` makes of images of one size, all `shrunk`; the first pixel begins at `first_edge`.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().add_subplot()
    >>> show(axes, np.ones((4096, 4, 1)), np.zeros((4096, 4, 1)), colours=np.subtract)
    >>> axes.images[0].get_array().shape, axes.images[0].get_extent()
    ((512, 1), [-0.5, 3.5, 4095.5, -0.5])
    """
    means, (blocks, *_) = zip(*map(shrunk, images), strict=True)
    height, width = (side * block for side, block in zip(means[0].shape, blocks, strict=False))
    extent = (first_edge, width + first_edge, height + first_edge, first_edge)
    axes.imshow(colours(*means), extent=extent, **options)


def block_side(image):
    """How many pixels of a large image (H, W, ...) one that is drawn is high and wide; 1 if it is not large."""
    return max(1, max(image.shape[:2]) // MOST_PIXELS)

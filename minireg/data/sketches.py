"""Digits that somebody has drawn or photographed, brought to what a network for MNIST expects.

An image is made as MNIST's were: what is drawn is scaled into a box of 20 x 20 pixels, its proportions kept and its
edges grey, and the box is put into 28 x 28 pixels so that the centre of mass is in the middle.
Source: LeCun, Cortes, Burges, The MNIST database of handwritten digits, 1998.
"""

import io
import warnings

import numpy as np

from minireg.data.strokes import BOX, CENTRE, SIDE
from minireg.errors import InputError

MOST_SIDE = 4096  # pixels; of a file that says that it is larger nothing is unpacked
PAPER_VARIES = 0.25  # of the range from black to white: so far from the rest of the edge no paper is
MOST_EDGE = 0.15  # of the edge may be ink
FAINTEST = 0.1  # of the range; less is dust, or an empty canvas
COLOURED, MOST_COLOURED = 0.2, 0.02  # a pixel whose channels differ by more; the share of them in a grey picture
MOST_INK = 0.8  # of the box around a digit


def read_sketch(contents):
    """The picture in the bytes of an image file (PNG, JPEG, WebP, ...), (H, W, 3) uint8; what is transparent is white.

    Raises InputError where it is no picture that can be read, or one of more than 4096 pixels a side.

    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("L", (40, 30), 255).save(file, "PNG")
    >>> read_sketch(file.getvalue()).shape
    (30, 40, 3)
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures, which are refused below
            image = Image.open(io.BytesIO(contents))
        if max(image.size) <= MOST_SIDE:
            image = image.convert("RGBA")
            return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))
    except Image.DecompressionBombError:
        pass  # hundreds of millions of pixels, which Pillow does not even open
    except Exception:  # the readers raise errors of many kinds
        raise InputError("this is no picture that can be read: expected a PNG or JPEG file") from None
    raise InputError(f"the picture is too large: expected at most {MOST_SIDE} pixels a side; make it smaller first")


def digit_from_sketch(picture):
    """What is drawn in a picture, as an image of MNIST.

    Parameters
    ----------
    picture : array (H, W) or (H, W, 3), uint8
        White on black or black on white: what most of its edge shows is the paper.

    Returns an array (28, 28, 1), float32: 0 is paper, 1 is ink

    Raises InputError where nothing is drawn, or it looks like a photo: colours, an edge that is not even, or no lines.

    >>> picture = np.zeros((280, 280), "uint8")
    >>> picture[40:240, 130:150] = 255  # a one
    >>> digit = digit_from_sketch(picture)
    >>> digit.shape, np.flatnonzero(digit[14, :, 0]).tolist()
    ((28, 28, 1), [14, 15])
    """
    ink = _ink(picture)
    rows, columns = (np.flatnonzero((ink > FAINTEST).any(axis=axis)) for axis in (1, 0))
    drawn = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if (drawn > 0.5).mean() > MOST_INK and min(drawn.shape) > max(drawn.shape) / 2:
        raise InputError("there are no lines in the picture: expected a digit, drawn or written by hand")
    scale = BOX / max(drawn.shape)
    height, width = (max(1, round(side * scale)) for side in drawn.shape)
    small = _mean_over(drawn.shape[0], height) @ drawn @ _mean_over(drawn.shape[1], width).T
    small /= small.max()
    top, left = (_corner(small.sum(axis=axis)) for axis in (1, 0))
    image = np.zeros((SIDE, SIDE, 1), np.float32)
    image[top : top + height, left : left + width, 0] = small
    return image


def _ink(picture):
    """How much ink there is in each pixel, (H, W) in [0, 1], whatever the colour of the paper."""
    if picture.ndim == 3:
        channels = picture.astype(np.float32) / 255
        if (np.ptp(channels, axis=-1) > COLOURED).mean() > MOST_COLOURED:
            raise InputError("the picture is in colour: expected a digit in black on white, or in white on black")
        grey = channels.mean(axis=-1)
    else:
        grey = picture.astype(np.float32) / 255
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ink = np.abs(grey - np.median(edge))
    if ink.max() < FAINTEST:
        raise InputError("nothing is drawn: draw a digit, or pick one")
    if (np.abs(edge - np.median(edge)) > PAPER_VARIES).mean() > MOST_EDGE:
        raise InputError(
            "the edge of the picture is not even: expected a digit on plain paper, and paper all around it"
        )
    return ink / ink.max()


def _mean_over(size, parts):
    """Matrix (parts, size) that takes the mean over equal parts of a line of so many pixels, fractions included."""
    ends = np.arange(parts + 1) * size / parts
    pixel = np.arange(size)
    overlap = np.minimum(ends[1:, None], pixel + 1) - np.maximum(ends[:-1, None], pixel)
    return overlap.clip(0) * parts / size


def _corner(mass):
    """Where a line of pixels begins in the image, so that its centre of mass is in the middle."""
    centre = mass @ np.arange(len(mass)) / mass.sum()
    return int(np.clip(np.rint(CENTRE - centre), 0, SIDE - len(mass)))

"""What somebody drew becomes an image as MNIST's are made; what is no drawing is refused in one sentence."""

import io

import numpy as np
import pytest
from PIL import Image

from minireg.data import draw_digits
from minireg.data.sketches import digit_from_sketch, read_sketch
from minireg.errors import InputError


def drawn(height=280, width=280, paper=0, ink=255):
    """A seven: a bar, and a leg that leans."""
    picture = np.full((height, width), paper, np.uint8)
    rows, columns = np.mgrid[:height, :width]
    picture[height // 6 : height // 4, width // 4 : 3 * width // 4] = ink
    leg = (rows >= height // 4) & (rows < 5 * height // 6) & (np.abs(columns - 0.75 * width + rows / 3) < width / 25)
    picture[leg] = ink
    return picture


def file_of(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_a_drawing_lies_in_a_box_of_20_pixels_with_its_mass_in_the_middle():
    for picture in (drawn(), drawn(120, 400), np.roll(drawn(), (30, -40), (0, 1))):
        digit = digit_from_sketch(picture)
        assert digit.shape == (28, 28, 1) and digit.dtype == np.float32
        assert digit.min() == 0 and digit.max() == 1
        sides = [np.ptp(np.flatnonzero(digit[..., 0].any(axis=axis))) + 1 for axis in (1, 0)]
        assert max(sides) == 20
        centre = np.argwhere(digit[..., 0] >= 0).T @ digit.ravel() / digit.sum()
        assert np.abs(centre - 14).max() <= 0.5 + 1e-6


def test_size_place_and_brightness_of_a_drawing_do_not_matter():
    digit = digit_from_sketch(drawn())
    assert np.abs(digit_from_sketch(drawn(560, 560)) - digit).max() < 0.08  # the leg has other steps
    others = (drawn(ink=120), drawn(paper=255, ink=0), drawn(paper=200, ink=40))
    for other in (*others, np.pad(drawn(), ((10, 200), (150, 3)))):
        assert np.abs(digit_from_sketch(other) - digit).max() < 1e-6
    assert (digit_from_sketch(np.repeat(drawn()[..., None], 3, axis=-1)) == digit).all()


def test_what_is_an_image_of_mnist_already_stays_what_it_is():
    images = draw_digits(np.arange(10).repeat(5), np.random.default_rng(0))
    again = np.stack([digit_from_sketch(np.rint(255 * image[..., 0]).astype(np.uint8)) for image in images])
    same = np.abs(again - images).max(axis=(1, 2, 3)) < 0.01
    assert same.mean() > 0.6  # the others are a little smaller than the box, or their mass is between two pixels


def test_a_thin_line_is_not_lost():
    line = np.zeros((1000, 1000), np.uint8)
    line[100:900, 500] = 255
    digit = digit_from_sketch(line)
    assert (digit[..., 0].max(axis=1) == 1).sum() == 20 and digit.sum() == 20


def photo():
    rows, columns = np.mgrid[:90, :120]
    return np.stack([rows * 2, columns * 2, 200 - rows], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (np.zeros((280, 280), np.uint8), "nothing is drawn"),
        (np.full((28, 28, 3), 255, np.uint8), "nothing is drawn"),
        (np.random.default_rng(0).integers(250, 256, (28, 28)).astype(np.uint8), "nothing is drawn"),
        (photo(), "the picture is in colour"),
        (photo()[..., 0] + np.uint8(30), "the edge of the picture is not even"),
        (np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8), "the edge of the picture is not even"),
        (np.pad(np.full((90, 100), 255, np.uint8), 9), "there are no lines"),
    ],
    ids=["black", "white", "dust", "colours", "grey photo", "noise", "a block"],
)
def test_what_is_no_drawn_digit_is_refused_in_a_sentence(picture, sentence):
    with pytest.raises(InputError, match=sentence):
        digit_from_sketch(picture)


def test_pictures_are_read_from_the_usual_files():
    image = Image.fromarray(drawn())
    for kind in ("PNG", "BMP", "GIF", "JPEG", "WEBP"):
        assert np.abs(read_sketch(file_of(image, kind)).astype(int) - drawn()[..., None]).mean() < 2
    see_through = Image.fromarray(np.dstack([np.zeros_like(drawn())] * 3 + [drawn()]), "RGBA")
    assert (read_sketch(file_of(see_through)) == 255 - drawn()[..., None]).all()  # black ink on nothing


def test_a_huge_picture_is_refused_before_it_is_unpacked():
    for sides in ((20000, 20000), (12000, 12000), (4097, 10)):  # for Pillow an error, a warning, and nothing
        with pytest.raises(InputError, match="the picture is too large: expected at most 4096 pixels a side"):
            read_sketch(file_of(Image.new("1", sides)))


@pytest.mark.parametrize("contents", [b"", b"no picture", file_of(Image.fromarray(drawn()))[:200]])
def test_what_is_no_picture_is_refused_in_a_sentence(contents):
    with pytest.raises(InputError, match="this is no picture that can be read"):
        read_sketch(contents)

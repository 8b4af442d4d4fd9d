"""Your own images as training data: folders, lists of pairs, label maps, and what is wrong with them."""

import functools
import json
import struct
import zlib

import numpy as np
import pytest
from short_runs import complaint

from minireg import train
from minireg.data import load_data, pad
from minireg.data.folder import BACKGROUND_LEVEL, MARGIN, FolderPairs
from minireg.data.images import read_images, read_intensities, read_labels
from minireg.data.phantom import draw_pairs
from minireg.errors import InputError

pytest_plugins = ["digits_fixture"]


def save_png(path, pixels):
    from PIL import Image

    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)


def as_bytes(images):
    return np.round(images * 255).astype(np.uint8)


@functools.cache
def heads(count, size=48):
    """Pairs of phantoms with much background around them: `size` pixels, and a third more."""
    pairs = draw_pairs(np.random.default_rng(0), count, size, noise=False)
    for name in ("moving", "fixed", "moving_labels", "fixed_labels"):
        setattr(pairs, name, pad(getattr(pairs, name), size * 4 // 3))
    return pairs


@pytest.fixture
def folder(tmp_path):
    """Ten images with label maps: PNG, and from the sixth on NumPy."""
    folder = tmp_path / "slices"
    pairs = heads(10)
    for index, (image, labels) in enumerate(zip(pairs.moving[..., 0], pairs.moving_labels[..., 0], strict=True)):
        if index < 5:
            save_png(folder / f"head{index}.png", as_bytes(image))
            save_png(folder / "labels" / f"head{index}.png", labels)
        else:
            np.save(folder / f"head{index}.npy", image * 900 - 300)
            np.save(folder / "labels" / f"head{index}.npy", labels)
    return folder


@pytest.fixture
def listed(folder):
    """A file that lists five pairs of the folder, with labels."""
    lines = ["moving,fixed,moving_labels,fixed_labels"]
    lines += [f"head{i}.png,head{i + 5}.npy,labels/head{i}.png,labels/head{i + 5}.npy" for i in range(5)]
    path = folder / "pairs.csv"
    path.write_text("\n".join(lines))
    return path


def rows(images):
    return [image.tobytes() for image in images]


# Folders


def test_training_draws_every_training_image_with_another_one_and_never_a_held_out_one(folder):
    source = FolderPairs(folder)
    sampler = source.sampler(np.random.default_rng(0))
    moving, fixed = sampler.draw(80)
    assert len(set(rows(moving[:8]))) == 8 and set(rows(moving)) == set(rows(fixed))
    assert all(m != f for m, f in zip(rows(moving), rows(fixed), strict=True))
    test = source.held_out()
    assert len(test.moving) == 2 and not set(rows(test.moving) + rows(test.fixed)) & set(rows(moving))
    assert set(rows(test.moving)) == set(rows(test.fixed)) and test.moving[0].tobytes() != test.fixed[0].tobytes()


def test_images_are_scaled_and_cropped_alike_whatever_their_unit(folder):
    source = FolderPairs(folder)
    assert source.moving.dtype == np.float32
    assert (source.moving.min(axis=(1, 2, 3)) == 0).all() and (source.moving.max(axis=(1, 2, 3)) == 1).all()
    height, width = source.moving.shape[1:3]
    assert height < 64 and width < 64
    bright = (source.moving > BACKGROUND_LEVEL).any(axis=(0, 3))
    assert not bright[:MARGIN].any() and bright[MARGIN].any() and bright[-MARGIN - 1].any()
    # The same picture as bytes and as numbers of another unit.
    save_png(folder / "head9.png", as_bytes(heads(10).moving[9, ..., 0]))
    save_png(folder / "labels" / "head9.png", heads(10).moving_labels[9, ..., 0])
    again = FolderPairs(folder)
    twins = [index for index, title in enumerate(again.titles) if title == "head9"]
    np.testing.assert_allclose(*again.moving[twins], atol=0.01)


def test_labels_belong_to_their_images_and_are_cropped_with_them(folder):
    test = FolderPairs(folder).held_out()
    assert test.moving_labels.shape == test.moving.shape and test.moving_labels.dtype.kind == "u"
    for images, labels in ((test.moving, test.moving_labels), (test.fixed, test.fixed_labels)):
        assert images[labels > 0].mean() > 10 * images[labels == 0].mean()
    first, second = test.moving_labels
    np.testing.assert_array_equal(test.fixed_labels, [second, first])


def test_without_label_maps_there_are_none(tmp_path):
    np.save(tmp_path / "stack.npy", heads(6).moving[..., 0])
    test = FolderPairs(tmp_path).held_out()
    assert test.moving_labels is None and test.fixed_labels is None and test.displacement is None
    assert all(title.startswith("stack[") and " to stack[" in title for title in test.titles)


def test_which_images_are_held_out_depends_on_their_names_alone(folder):
    source = FolderPairs(folder)
    before = {title for title, split in zip(source.titles, source.split, strict=True) if split == "test"}
    assert len(before) == 2
    for name in ("other", "more"):
        save_png(folder / f"{name}.png", as_bytes(heads(1).fixed[0, ..., 0]))
        save_png(folder / "labels" / f"{name}.png", heads(1).fixed_labels[0, ..., 0])
    source = FolderPairs(folder)
    after = {title for title, split in zip(source.titles, source.split, strict=True) if split == "test"}
    assert len(after) == 2 and len(before - after) <= len(after & {"other", "more"})


def test_of_twenty_images_two_are_for_validation_and_these_are_neither_trained_on_nor_tested(tmp_path):
    images = np.random.default_rng(0).random((20, 16, 16))
    np.save(tmp_path / "stack.npy", images[:19])
    assert "validation" not in FolderPairs(tmp_path).split
    np.save(tmp_path / "stack.npy", images)
    source = FolderPairs(tmp_path)
    trained_on = set(rows(source.sampler(np.random.default_rng(0)).draw(60)[0]))
    validation, test = (set(rows(source.held_out(split=split).moving)) for split in ("validation", "test"))
    assert (len(trained_on), len(validation), len(test)) == (14, 2, 4) == (source.epoch, 2, 4)
    assert len(trained_on | validation | test) == 20


def test_other_files_in_the_folder_are_passed_over(folder):
    (folder / "notes.txt").write_text("mine")
    assert len(FolderPairs(folder).titles) == 10


# Lists of pairs


def test_a_list_gives_only_its_pairs(folder, listed):
    source = FolderPairs(listed)
    known = {(m.tobytes(), f.tobytes()) for m, f in zip(source.moving, source.fixed, strict=True)}
    moving, fixed = source.sampler(np.random.default_rng(0)).draw(30)
    drawn = set(zip(rows(moving), rows(fixed), strict=True))
    test = source.held_out()
    held_out = set(zip(rows(test.moving), rows(test.fixed), strict=True))
    assert len(drawn) == 3 and len(held_out) == 2 and drawn | held_out == known
    assert set(test.titles) <= {f"head{i} to head{i + 5}" for i in range(5)}


def test_a_column_split_decides_what_is_held_out(folder):
    path = folder / "pairs.csv"
    lines = [f"head{i}.png,head{i + 5}.npy,{'test' if i in (1, 3) else 'train'}" for i in range(5)]
    path.write_text("\n".join(["moving,fixed,split", *lines]))
    assert sorted(FolderPairs(path).held_out().titles) == ["head1 to head6", "head3 to head8"]
    path.write_text("\n".join(["moving,fixed,split", *lines]).replace("train", "validation", 1))
    assert FolderPairs(path).held_out(split="validation").titles == ["head0 to head5"]
    assert len(FolderPairs(path).sampler(np.random.default_rng(0)).moving) == 2
    path.write_text("\n".join(["moving,fixed,split", *lines]).replace("test", "train", 1))
    with pytest.raises(InputError, match="gives 4 pairs to train and 1 to test: at least 2 of each"):
        FolderPairs(path)


# Label maps


def test_label_maps_keep_their_numbers_in_every_kind_of_file(tmp_path):
    from PIL import Image

    labels = np.arange(9, dtype=np.uint8).reshape(3, 3)
    palette = Image.fromarray(labels).convert("P")
    palette.putdata(labels.ravel())
    palette.save(tmp_path / "palette.png")
    save_png(tmp_path / "grey.png", labels)
    save_png(tmp_path / "deep.png", labels.astype(np.uint16) * 100)
    np.save(tmp_path / "array.npy", labels.astype(np.int64))
    for name, factor in (("palette.png", 1), ("grey.png", 1), ("deep.png", 100), ("array.npy", 1)):
        np.testing.assert_array_equal(read_labels(tmp_path / name)[0, ..., 0], factor * labels.astype(int))
    for name, array in (("floats", labels / 1), ("booleans", labels > 0)):
        np.save(tmp_path / f"{name}.npy", array)
        found = read_labels(tmp_path / f"{name}.npy")[0, ..., 0]
        assert found.dtype.kind in "ui"
        np.testing.assert_array_equal(found, array)
    np.save(tmp_path / "halves.npy", labels / 2)
    np.save(tmp_path / "negative.npy", labels.astype(int) - 1)
    for name in ("halves", "negative"):
        with pytest.raises(InputError, match="expected label maps, whole numbers from 0"):
            read_labels(tmp_path / f"{name}.npy")
    save_png(tmp_path / "colour.png", np.zeros((3, 3, 3), np.uint8))
    with pytest.raises(InputError, match="is in colour: expected a label map"):
        read_labels(tmp_path / "colour.png")


# PNG


def write_png(path, pixels, bits, colour_type=0, palette=None):
    """A PNG file of any bit depth, which Pillow cannot write."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape
    rows = ["".join(f"{value:0{bits}b}" for value in row) for row in pixels]
    data = b"".join(b"\0" + int(row, 2).to_bytes(len(row) // 8, "big") for row in rows)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))
        + (b"" if palette is None else chunk(b"PLTE", palette))
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_grey_png_of_any_bit_depth_has_1_for_white_and_its_own_numbers_as_labels(tmp_path, bits):
    from matplotlib.image import imread

    pixels = np.arange(2 ** max(bits, 8)).reshape(-1, 16) % 2**bits
    write_png(tmp_path / "grey.png", pixels, bits)
    intensities = read_intensities(tmp_path / "grey.png")[0, ..., 0]
    assert intensities.dtype == np.float32
    np.testing.assert_array_equal(intensities, pixels.astype(np.float32) / np.float32(2**bits - 1))
    np.testing.assert_array_equal(read_labels(tmp_path / "grey.png")[0, ..., 0], pixels)
    if bits not in (2, 4):  # which Matplotlib does not scale to 1
        np.testing.assert_array_equal(intensities, imread(tmp_path / "grey.png"))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_the_indices_of_a_palette_are_labels_whatever_their_bit_depth_and_never_intensities(tmp_path, bits):
    pixels = np.arange(256).reshape(16, 16) % 2**bits
    write_png(tmp_path / "palette.png", pixels, bits, 3, bytes(range(256)) * 3)
    np.testing.assert_array_equal(read_labels(tmp_path / "palette.png")[0, ..., 0], pixels)
    with pytest.raises(InputError, match="has a palette: expected a grey image"):
        read_images(tmp_path / "palette.png")


# What is refused


def too_few(folder):
    for index in range(3, 5):
        (folder / f"head{index}.png").unlink()
    for index in range(5, 10):
        (folder / f"head{index}.npy").unlink()
    return "has 3 images: at least 4 are needed, half of them for testing"


def of_two_sizes(folder):
    save_png(folder / "small.png", as_bytes(heads(1, 36).moving[0, ..., 0]))
    save_png(folder / "labels" / "small.png", heads(1, 36).moving_labels[0, ..., 0])
    return "the images have 2 sizes, such as 64 x 64 (head9.npy) and 48 x 48 (small.png): crop or pad"


def labels_of_another_size(folder):
    save_png(folder / "labels" / "head0.png", np.zeros((32, 32), np.uint8))
    return "2 sizes"


def constant(folder):
    save_png(folder / "head0.png", np.full((64, 64), 7, np.uint8))
    return "is constant"


def damaged(folder):
    (folder / "head0.png").write_bytes(b"not a picture")
    return "head0.png cannot be read as an image"


def without_its_labels(folder):
    (folder / "labels" / "head0.png").unlink()
    return "there is no image file"


def labels_of_another_number(folder):
    np.save(folder / "labels" / "head7.npy", np.zeros((2, 64, 64), np.uint8))
    return "hold different numbers of images"


@pytest.mark.parametrize(
    "spoil",
    [
        too_few,
        of_two_sizes,
        labels_of_another_size,
        constant,
        damaged,
        without_its_labels,
        labels_of_another_number,
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, folder, capsys, spoil):
    message = spoil(folder)
    sentence = complaint(capsys, train.main, "--data", folder, "--out", tmp_path / "run")
    assert message in sentence
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks the column moving: its first line must name the columns moving and fixed"),
        ("moving,target\na.png,b.png", "lacks the column fixed"),
        ("moving,fixed,age\na.png,b.png,7", "has an unknown column 'age': expected moving, fixed, moving_labels"),
        ("moving,fixed\nhead0.png", "line 2 of PATH does not have one entry for each of moving, fixed"),
        ("moving,fixed\nhead0.png,head1.png,", "line 2 of PATH does not have one entry for each"),
        (
            "moving,fixed,split\nhead0.png,head1.png,dev",
            "line 2 of PATH has the split 'dev': expected train, validation, test",
        ),
        ("moving,fixed,moving_labels\nhead0.png,head1.png,a.png", "only one of the columns moving_labels and fixed_l"),
        ("moving,fixed\nhead0.png,head77.png", "there is no image file"),
        ("moving,fixed\nhead0.png,head1.png", "PATH has 1 pairs: at least 4 are needed"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_in_one_sentence(folder, text, message):
    path = folder / "pairs.csv"
    path.write_text(text)
    with pytest.raises(InputError) as refusal:
        FolderPairs(path)
    assert message.replace("PATH", str(path)) in str(refusal.value)


def test_a_folder_of_other_files_is_told_what_to_do_with_them(tmp_path):
    (tmp_path / "head.tif").touch()
    with pytest.raises(InputError, match=r"has 0 images: at least 4 are needed.*convert in\.tif out\.png"):
        FolderPairs(tmp_path)


def test_what_is_no_data_at_all_is_named_with_what_there_is(tmp_path, capsys):
    sentence = complaint(capsys, train.main, "--data", "mnits", "--out", tmp_path / "run")
    assert "unknown data 'mnits': choose auto, mnist, strokes, phantom, a folder of images, or a CSV file" in sentence
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"is neither a folder of \.png and \.npy images nor a \.csv file"):
        load_data(str(tmp_path / "notes.txt"))
    with pytest.raises(InputError, match=r"data set '.*' has no option 'modality': it takes none"):
        load_data(str(tmp_path), modality="ct")
    np.save(tmp_path / "stack.npy", heads(10).moving[:4, ..., 0])
    for split in ("validation", "train"):
        with pytest.raises(InputError, match=f"no pairs of the split '{split}': choose test, or give more images"):
            FolderPairs(tmp_path).held_out(split=split)


# Training on them


def test_training_on_files_reports_the_overlap_of_the_labels(tmp_path, folder, few_digits):
    options = ["--data", str(folder), "--steps", "2", "--batch-size", "2", "--augment"]
    assert train.main([*options, "--out", str(tmp_path / "run")]) == 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    for method in ("identity", "registered"):
        assert 0.2 < metrics[method]["label_dice"] < 1 and "landmark_error" not in metrics[method]


@pytest.mark.parametrize("shape", [(48, 48, 2), (48, 48, 5), (6, 6, 3), (20, 9, 1)])
def test_one_image_with_channels_last_is_not_taken_for_a_stack(tmp_path, shape):
    np.save(tmp_path / "image.npy", np.random.default_rng(0).random(shape, dtype=np.float32))
    with pytest.raises(InputError, match="without channels; save one channel"):
        read_images(tmp_path / "image.npy")


@pytest.mark.parametrize("shape", [(2, 4, 4), (3, 10, 6), (48, 48, 8), (1, 2, 2)])
def test_a_stack_of_small_images_is_a_stack(tmp_path, shape):
    np.save(tmp_path / "images.npy", np.random.default_rng(0).random(shape, dtype=np.float32))
    assert read_images(tmp_path / "images.npy").shape == (*shape, 1)

"""Which images are registered to which, in training and in testing."""

import dataclasses

import numpy as np
import pytest
from short_runs import small_digits

from minireg.data import DigitPairs, pad
from minireg.errors import InputError


def sampler(digit=5, pairing="atlas", seed=0):
    return DigitPairs(small_digits(), digit, pairing, seed=9).sampler(np.random.default_rng(seed))


def rows(images):
    """Each image as a hashable."""
    return [image.tobytes() for image in images]


def labels_of(images, split):
    """Which digit each (padded) image shows, by looking it up in a split."""
    digits = small_digits()
    known = dict(
        zip(rows(pad(getattr(digits, f"{split}_images"))), getattr(digits, f"{split}_labels").tolist(), strict=True)
    )
    return [known[row] for row in rows(images)]


@pytest.mark.parametrize("pairing", ["atlas", "random"])
@pytest.mark.parametrize(("digit", "count"), [(5, 35), ("all", 367)])
def test_every_training_image_moves_once_in_an_epoch_however_batches_fall(pairing, digit, count):
    draws = sampler(digit, pairing)
    drawn = rows(np.concatenate([draws.draw(27)[0] for _ in range(2 * count // 27 + 1)]))
    everything = set(rows(pad(draws.moving)))
    assert len(everything) == count
    for epoch in (drawn[:count], drawn[count : 2 * count]):
        assert len(epoch) == count and set(epoch) == everything
    assert drawn[:count] != drawn[count : 2 * count]


@pytest.mark.parametrize("digit", [5, "all"])
def test_random_pairs_show_the_same_digit_and_come_from_the_training_split(digit):
    moving, fixed = sampler(digit, "random").draw(200)
    assert labels_of(moving, "train") == labels_of(fixed, "train")
    assert len(set(rows(fixed))) > 20
    assert digit == "all" or set(labels_of(moving, "train")) == {digit}


def test_the_atlas_is_one_image_of_the_test_split_and_shows_the_digit():
    _, fixed = sampler(5, "atlas").draw(50)
    assert len(set(rows(fixed))) == 1
    assert labels_of(fixed[:1], "test") == [5]


@pytest.mark.parametrize("pairing", ["atlas", "random"])
def test_batches_are_padded_float32_in_the_unit_interval(pairing):
    for images in sampler(5, pairing).draw(3):
        assert images.shape == (3, 32, 32, 1) and images.dtype == np.float32
        assert images.min() == 0 and images.max() <= 1


def test_a_batch_larger_than_the_data_set_repeats_images():
    moving, fixed = sampler(5).draw(100)
    assert len(moving) == len(fixed) == 100 and len(set(rows(moving))) == 35


@pytest.mark.parametrize("pairing", ["atlas", "random"])
def test_a_restored_sampler_draws_what_the_saved_one_would_have_drawn(pairing):
    first = sampler(5, pairing)
    first.draw(33)
    state, random_state = first.state_dict(), first.rng.bit_generator.state
    expected = [first.draw(30) for _ in range(3)]
    second = sampler(5, pairing, seed=77)
    second.load_state_dict(state)
    second.rng.bit_generator.state = random_state
    for moving, fixed in expected:
        again = second.draw(30)
        assert np.array_equal(again[0], moving) and np.array_equal(again[1], fixed)


def test_a_saved_state_is_a_copy_and_fits_only_its_own_set_of_images():
    draws = sampler(5)
    state = draws.state_dict()
    state["order"][:] = 0
    assert len(set(draws.order)) == 35
    for wrong in ({}, {"order": state["order"]}, {"order": np.arange(7), "position": np.array(0)}):
        with pytest.raises(InputError, match="does not belong to this data set"):
            draws.load_state_dict(wrong)


# Splits


def test_the_last_twelfth_of_the_training_images_is_for_validation_and_never_trained_on():
    digits = small_digits()
    parts = {split: rows(digits.split(split)[0]) for split in ("train", "validation", "test")}
    assert parts["train"] + parts["validation"] == rows(digits.train_images)
    assert len(parts["validation"]) == 400 // 12 and parts["test"] == rows(digits.test_images)
    draws = sampler("all", "random")
    drawn = set(rows(np.concatenate([np.concatenate(draws.draw(100)) for _ in range(8)])))
    assert drawn == set(rows(pad(digits.split("train")[0])))
    with pytest.raises(InputError, match="unknown split 'dev': choose one of train, validation, test"):
        digits.split("dev")


@pytest.mark.parametrize("pairing", ["atlas", "random"])
def test_a_digit_that_is_left_out_is_never_shown_and_the_others_all_are(pairing):
    source = DigitPairs(small_digits(), "all", pairing, leave_out=(7, 2))
    draws = source.sampler(np.random.default_rng(0))
    assert source.epoch == len(draws.moving) < DigitPairs(small_digits()).epoch == 367
    moving, fixed = draws.draw(len(draws.moving))
    assert set(labels_of(moving, "train")) == set(range(10)) - {2, 7}
    assert pairing == "atlas" or set(labels_of(fixed, "train")) == set(range(10)) - {2, 7}
    with pytest.raises(InputError, match="nothing is left to train on"):
        DigitPairs(small_digits(), 5, leave_out=(5,)).sampler(np.random.default_rng(0))


@pytest.mark.parametrize("pairing", ["atlas", "random"])
def test_validation_pairs_are_of_the_validation_split_and_an_atlas_is_the_one_trained_for(pairing):
    digits = small_digits()
    source = DigitPairs(digits, 5 if pairing == "atlas" else "all", pairing)
    moving, fixed, labels = held_out(source, split="validation")
    known = set(rows(pad(digits.split("validation")[0])))
    assert set(rows(moving)) <= known and labels_of(moving, "train") == labels
    if pairing == "atlas":
        assert set(rows(fixed)) == set(rows(pad(digits.test_images[source.fixed_index][None])))
    else:
        assert set(rows(fixed)) <= known and labels_of(fixed, "train") == labels
        assert all(m != f for m, f in zip(rows(moving), rows(fixed), strict=True))


def test_a_digit_that_a_split_shows_only_once_is_in_no_pair_of_all_digits():
    digits = small_digits()
    keep = np.ones(len(digits.test_labels), bool)
    keep[np.flatnonzero(digits.test_labels == 5)[1:]] = False
    rare = dataclasses.replace(digits, test_images=digits.test_images[keep], test_labels=digits.test_labels[keep])
    assert set(held_out(DigitPairs(rare), 200)[2]) == set(range(10)) - {5}


# Held-out pairs


def held_out(source, *args, **kwargs):
    """The moving and the fixed images, and the digits in the titles."""
    pairs = source.held_out(*args, **kwargs)
    return pairs.moving, pairs.fixed, [int(title) for title in pairs.titles]


@pytest.mark.parametrize(("digit", "pairing"), [(5, "atlas"), ("all", "atlas"), (5, "random"), ("all", "random")])
def test_held_out_pairs_are_other_test_images_and_show_the_digit(digit, pairing):
    source = DigitPairs(small_digits(), digit, pairing, seed=3)
    moving, fixed, labels = held_out(source, count=150)
    assert labels_of(moving, "test") == labels
    assert all(m != f for m, f in zip(rows(moving), rows(fixed), strict=True))
    assert len(set(rows(moving))) == len(moving)  # no pair counts twice
    fixed_labels = labels_of(fixed, "test")
    if pairing == "atlas":
        assert set(rows(fixed)) == set(rows(pad(small_digits().test_images[source.fixed_index][None])))
    else:
        assert fixed_labels == labels
    assert digit == "all" or set(labels) == {digit}
    assert len(moving) == (150 if digit == "all" else 19 if pairing == "atlas" else 20)


def test_held_out_pairs_are_the_same_every_time_and_follow_their_own_seed():
    first, again, other = (held_out(DigitPairs(small_digits(), 5), 10, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_fewer_held_out_pairs_are_the_first_of_more_for_an_atlas():
    few, more = (held_out(DigitPairs(small_digits(), 5, "atlas"), count)[0] for count in (4, 9))
    assert np.array_equal(few, more[:4])


def test_the_seed_draws_the_fixed_image_and_the_options_name_it():
    sources = [DigitPairs(small_digits(), 5, "atlas", seed=seed) for seed in range(20)]
    indices = {source.fixed_index for source in sources}
    assert len(indices) > 5 and all(small_digits().test_labels[list(indices)] == 5)
    assert type(sources[0].fixed_index) is int
    again = DigitPairs(small_digits(), **sources[3].options, seed=77)
    assert again.options == sources[3].options
    assert np.array_equal(held_out(again)[1], held_out(sources[3])[1])


# What is refused


def of_another_digit():
    return int(np.flatnonzero(small_digits().test_labels == 4)[0])


@pytest.mark.parametrize(
    ("digit", "pairing", "fixed_index", "message"),
    [
        (12, "random", None, "unknown digit 12: choose 0 to 9, or all"),
        ("x", "random", None, "unknown digit 'x'"),
        (5, "triple", None, "unknown pairing 'triple': choose one of atlas, random"),
        (5, "random", 3, r"a fixed index \(3\) goes with the pairing 'atlas', not with 'random'"),
        (5, "atlas", -1, "fixed image -1 does not exist: the test split has images 0 to 199"),
        (5, "atlas", 200, "fixed image 200 does not exist"),
        (5, "atlas", of_another_digit, "shows the digit 4, not 5: choose another fixed index"),
    ],
)
def test_what_cannot_be_paired_is_refused(digit, pairing, fixed_index, message):
    fixed_index = fixed_index() if callable(fixed_index) else fixed_index
    with pytest.raises(InputError, match=message):
        DigitPairs(small_digits(), digit, pairing, fixed_index)


@pytest.mark.parametrize("left", [0, 1])
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_digit_with_fewer_than_two_images_is_refused(left, split):
    digits = small_digits()
    labels = getattr(digits, f"{split}_labels")
    keep = np.ones(len(labels), bool)
    keep[np.flatnonzero(labels == 5)[left:]] = False
    few = {f"{split}_labels": labels[keep], f"{split}_images": getattr(digits, f"{split}_images")[keep]}
    with pytest.raises(InputError, match=f"has {left} images of the digit 5: at least 2"):
        DigitPairs(dataclasses.replace(digits, **few), 5).sampler(np.random.default_rng(0))

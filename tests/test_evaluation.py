"""How methods are compared: on which pairs, with which deformations, and what is said about many numbers."""

import csv
import dataclasses
import os

import numpy as np
import pytest
from gradients import host
from short_runs import small_digits

from minireg import backend, evaluation, fields, metrics
from minireg.data import HELD_OUT_SEED, DigitPairs, Pairs, load_digits
from minireg.data.digits import LIST
from minireg.evaluation import format_markdown, format_table
from minireg.fields import warp_images
from minireg.methods import METHODS
from minireg.metrics import METRICS

# Tables


def test_a_table_leaves_out_what_was_not_measured():
    rows = {"one": {"ncc": 0.5, "folded_pixels": 0.25}, "another": {"ncc": -1.0, "ms_per_pair": 12.345}}
    assert format_table(rows).splitlines() == [
        "                   fold  ms /",
        "            NCC    px %  pair",
        "one       0.500  25.000      ",
        "another  -1.000          12.3",
    ]
    assert format_markdown(rows).splitlines() == [
        "| method | NCC | fold px % | ms / pair |",
        "| --- | ---: | ---: | ---: |",
        "| one | 0.500 | 25.000 |  |",
        "| another | -1.000 |  | 12.3 |",
    ]


def test_a_table_of_all_methods_fits_a_console_of_120_columns():
    of_digits = METRICS.keys() - {"label_dice", "landmark_error"}
    large = dict.fromkeys(of_digits, 0.99) | {"hausdorff95": 12.3, "ms_per_pair": 1234.5, "folded_cells": 0.0999}
    assert max(map(len, format_table(dict.fromkeys(METHODS, large)).splitlines())) <= 120
    assert max(map(len, evaluation.LEGEND.splitlines())) <= 120


def evaluate(method, moving, fixed, **options):
    return evaluation.evaluate_method(method, Pairs(moving, fixed, [""] * len(moving)), **options)


# What is evaluated, and what is said about many pairs


def images(count=4, size=32):
    """Blurred noise (count, size, size, 1), float32, in [0, 1], which has structure everywhere."""
    noise = np.random.default_rng(0).random((count, size, size, 1))
    smoothed = host(fields.smooth(backend.to_device(noise), 1.5))
    low, high = smoothed.min(axis=(1, 2, 3), keepdims=True), smoothed.max(axis=(1, 2, 3), keepdims=True)
    return ((smoothed - low) / (high - low)).astype(np.float32)


def test_the_known_displacement_brings_the_deformed_images_back():
    fixed = images()
    moving, displacement = evaluation.known_deformation(fixed)
    assert moving.dtype == displacement.dtype == np.float32
    distance = np.linalg.norm(displacement, axis=-1)
    assert np.all(distance < 5) and np.all(distance.mean(axis=(1, 2)) > 0.5)
    before, after = metrics.ncc(moving, fixed), metrics.ncc(warp_images(moving, displacement), fixed)
    assert np.all(after > 0.95) and np.all(before < 0.9)
    assert np.all(metrics.ncc(warp_images(moving, -displacement), fixed) < after - 0.1)


def test_a_method_that_finds_the_known_deformation_has_no_error_and_the_identity_all_of_it():
    fixed = images()
    moving, displacement = evaluation.known_deformation(fixed)
    foreground = evaluation.foreground(fixed)
    perfect, _ = evaluate(lambda a, b: displacement[: len(a)], moving, fixed)
    np.testing.assert_array_equal(perfect["target_registration_error"], 0)
    np.testing.assert_array_equal(perfect["ncc"], metrics.ncc(warp_images(moving, displacement), fixed))
    nothing, _ = evaluate(lambda a, b: np.zeros_like(displacement[: len(a)]), moving, fixed)
    expected = [np.linalg.norm(u[inside], axis=-1).mean() for u, inside in zip(displacement, foreground, strict=True)]
    np.testing.assert_allclose(nothing["target_registration_error"], expected, rtol=1e-6)
    np.testing.assert_array_equal(nothing["inverse_consistency"], 0)


def test_where_the_true_field_of_the_pairs_is_known_it_is_the_measure_over_the_labelled_object():
    fixed = images(2)
    true = np.zeros((2, 32, 32, 2), np.float32)
    labels = np.zeros((2, 32, 32, 1), np.uint8)
    labels[:, 4:8], true[:, 4:8, :, 0], true[:, 8:] = 2, 1.5, 9
    pairs = Pairs(fixed, fixed, ["a", "b"], labels, labels, true)
    scores, _ = evaluation.evaluate_method(lambda a, b: np.zeros((*a.shape[:3], 2), np.float32), pairs)
    np.testing.assert_allclose(scores["target_registration_error"], 1.5)
    np.testing.assert_array_equal(scores["label_dice"], 1)


def test_the_swapped_pair_is_what_the_inverse_consistency_is_measured_on():
    fixed = images()
    moving = fixed[::-1].copy()

    def pulls_right_unless_swapped(a, b):
        shift = 2.0 if np.array_equal(b, fixed[: len(b)]) else -1.5
        return np.full((*a.shape[:3], 2), [0, shift], np.float32)

    scores, _ = evaluate(pulls_right_unless_swapped, moving, fixed)
    np.testing.assert_allclose(scores["inverse_consistency"], 0.5)


def test_only_the_registration_of_all_pairs_is_timed():
    ticks = iter([10.0, 10.5])
    fixed = images()
    method = lambda a, b: np.zeros((*a.shape[:3], 2), np.float32)
    _, milliseconds = evaluate(method, fixed, fixed, clock=lambda: next(ticks))
    assert milliseconds == 500 / 4


def test_the_worst_five_percent_are_the_low_ones_of_what_should_be_large_and_the_high_ones_of_errors():
    values = np.arange(101.0)
    statistics = evaluation.summarise(dict.fromkeys(METRICS, values))
    large_is_good = {"ncc", "ssim", "label_dice", *(name for name in METRICS if name.startswith("dice"))}
    for name in METRICS:
        assert statistics["worst_5_percent"][name] == (5 if name in large_is_good else 95)
        assert statistics["mean"][name] == statistics["median"][name] == 50


def test_the_bootstrap_interval_is_that_of_the_normal_distribution_where_there_are_many_pairs():
    values = np.random.default_rng(0).exponential(size=1000)
    low, high = evaluation.summarise({"mse": values})["interval_of_mean"]["mse"]
    half = 1.96 * values.std() / np.sqrt(1000)
    assert low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.15 * half)
    assert evaluation.summarise({"mse": np.full(7, 0.1)})["interval_of_mean"]["mse"] == pytest.approx([0.1, 0.1])


# The committed list


@pytest.fixture
def mnist():
    if not os.environ.get("MINIREG_DATA"):
        pytest.skip("needs the MNIST files: set MINIREG_DATA")
    return load_digits("mnist")


def test_the_committed_list_holds_the_pairs_that_are_drawn(mnist):
    source = DigitPairs(mnist)
    drawn, listed = source.drawn_indices(100, HELD_OUT_SEED, "test"), source.listed_indices(100)
    np.testing.assert_array_equal(listed, drawn)
    np.testing.assert_array_equal(source.listed_indices(7)[1], drawn[1][:7])
    with LIST.open() as file:
        digits = [row["digit"] for row in csv.DictReader(file)]
    assert len(digits) == 100 and set(digits) == set("0123456789")
    assert source.held_out().titles == digits == [str(label) for label in mnist.test_labels[listed[0]]]
    np.testing.assert_array_equal(mnist.test_labels[listed[0]], mnist.test_labels[listed[1]])


def test_the_committed_list_is_read_for_mnists_test_split_and_for_nothing_else(mnist, monkeypatch):
    asked = []
    listed = DigitPairs.listed_indices
    monkeypatch.setattr(DigitPairs, "listed_indices", lambda self, *a: asked.append(self.name) or listed(self, *a))
    DigitPairs(mnist).held_out(3)
    assert asked == ["mnist"]
    DigitPairs(mnist).held_out(101)
    DigitPairs(mnist).held_out(3, seed=1)
    DigitPairs(mnist).held_out(3, split="validation")
    DigitPairs(mnist, 5).held_out(3)
    DigitPairs(small_digits()).held_out(3)
    DigitPairs(dataclasses.replace(small_digits(), name="mnist")).held_out(3)
    assert asked == ["mnist"]

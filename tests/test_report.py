"""The report of one page: what speaks for a registration and against it, in numbers, panels and words."""

import numpy as np
import pytest
from matplotlib.image import imread
from short_runs import complaint, short_animation

from minireg import fields, metrics, register, viz
from minireg.data.phantom import draw_pairs
from minireg.evaluation.evidence import Evidence, gather, landmark_distances, weigh
from minireg.methods import align

HEADER = "moving_row,moving_column,fixed_row,fixed_column"


@pytest.fixture
def heads(tmp_path, monkeypatch):
    """Two slices of a head, with landmarks, in tmp_path."""
    monkeypatch.setattr(viz, "animation", short_animation)
    monkeypatch.chdir(tmp_path)
    pair = draw_pairs(np.random.default_rng(4), 1, size=32)
    for name in ("moving", "fixed"):
        np.save(f"{name}.npy", getattr(pair, name)[0, ..., 0])
    points = np.concatenate([pair.moving_points[0], pair.fixed_points[0]], axis=1)
    np.savetxt("landmarks.csv", points, delimiter=",", header=HEADER, comments="")
    return pair


@pytest.fixture
def page(monkeypatch):
    """The words on the last report."""
    figures = []
    save = viz.report.save
    monkeypatch.setattr(viz.report, "save", lambda figure, path: (figures.append(figure), save(figure, path)))
    return lambda: [text.get_text() for text in figures[-1].texts]


def run(*options):
    return register.main(["moving.npy", "fixed.npy", "--out", "out", "--iterations", "3", *options])


def test_landmarks_judge_a_method_that_has_not_seen_them(heads, capsys):
    assert run("--landmarks", "landmarks.csv") == 0
    u = align(heads.moving, heads.fixed, iterations=3)
    ends = [metrics.landmark_error(field, heads.fixed_points, heads.moving_points)[0] for field in (0 * u, u)]
    said = capsys.readouterr().out
    assert "landmarks {:.2f} -> {:.2f} pixels apart".format(*ends) in said and ends[1] < ends[0]
    np.testing.assert_array_equal(np.load("out/registration.npz")["displacement"], u)
    assert (
        register.main(["moving.npy", "fixed.npy", "--out", "out", "--method", "tps", "--landmarks", "landmarks.csv"])
        == 0
    )
    assert "apart" not in capsys.readouterr().out  # they were fitted


def test_a_report_is_one_page_and_names_no_file(heads, page, tmp_path):
    for name in ("moving", "fixed"):
        (tmp_path / f"{name}.npy").rename(tmp_path / f"doe_john_{name}.npy")
    names = ["doe_john_moving.npy", "doe_john_fixed.npy"]
    assert register.main([*names, "--out", "out", "--iterations", "3", "--report", "--landmarks", "landmarks.csv"]) == 0
    height, width, _ = imread("out/report.png").shape
    assert height / width == pytest.approx(2**0.5, rel=1e-2)
    words = page()
    for name in ("NCC", "folded cells", "there and back", "landmarks, mean", "Doubts", "method: align, iterations 3"):
        assert name in words
    assert "near 0 by construction: no proof" in words
    assert not any("doe" in text for text in words)


def test_without_being_asked_for_there_is_no_report_and_one_of_an_earlier_registration_goes(heads, tmp_path, capsys):
    assert run("--report") == 0 and (tmp_path / "out" / "report.png").exists()
    assert run() == 0 and not (tmp_path / "out" / "report.png").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "report.png").write_bytes(b"mine")
    sentence = complaint(capsys, register.main, "moving.npy", "fixed.npy", "--out", "other", "--report")
    assert "holds report.png, which would be written over" in sentence
    assert register.main(["moving.npy", "fixed.npy", "--out", "other", "--iterations", "1"]) == 0
    assert (tmp_path / "other" / "report.png").read_bytes() == b"mine"


def test_doubts_are_hints_too(heads, capsys, page):
    np.save("fixed.npy", np.random.default_rng(0).random((32, 32), dtype=np.float32))
    assert register.main(["moving.npy", "fixed.npy", "--out", "out", "--method", "demons", "--report"]) == 0
    hints = capsys.readouterr().err
    assert "There and back, one ends" in hints
    assert any(text.startswith("There and back, one ends") for text in page())


def test_the_evidence_about_images_of_other_sizes_and_spacings_is_in_pixels_of_the_fixed_one():
    spacings = (0.5, 1.0), (2.0, 1.0)
    there = np.zeros((1, 6, 7, 2), np.float32)
    there[..., 0] = 3 * np.arange(6)[:, None]  # the same millimetres: 4 r pixels, of which r are the own
    back = np.zeros((1, 24, 7, 2), np.float32)
    back[..., 0] = -0.75 * np.arange(24)[:, None]
    landmarks = np.array([[4.0, 3.0, 1.0, 3.0], [8.0, 6.0, 1.0, 3.0]])
    evidence = gather(there, back, (24, 7), spacings, 0 * there, landmarks, measured=True)
    assert evidence.inside == 1 and evidence.from_home == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(evidence.landmarks[1], [0, np.hypot(4 * 0.5, 3)])
    assert evidence.millimetres == 1
    np.testing.assert_allclose(landmark_distances(0 * there, landmarks, spacings)[0], evidence.landmarks[0])
    further = gather(there, back + np.array([0, 2.5]), (24, 7), spacings, 0 * there)
    assert further.from_home == pytest.approx(2.5) and further.landmarks is None


def doubts_of(bend=(0, 0), inside=1.0, from_home=0.0, landmarks=None, warped=None):
    rng = np.random.default_rng(0)
    before, fixed = rng.random((2, 1, 16, 16, 1))
    field = np.zeros((1, 16, 16, 2)) + np.asarray(bend, float)
    evidence = Evidence(inside, from_home, landmarks)
    return weigh(before, fixed, fixed if warped is None else before, field, evidence)[1]


def test_what_gives_no_reason_to_doubt_gives_none():
    far, near = np.array([3.0, 4.0]), np.array([0.5, 1.0])
    assert doubts_of(landmarks=(far, near)) == []
    assert doubts_of(bend=(9, 9)) == []  # a shift is no bend


def at(row, column, length):
    bend = np.zeros((16, 16, 2))
    bend[row, column, 1] = length
    return bend


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bend": at(8, 8, 2)}, "of the cells fold"),
        ({"bend": at(slice(None), 0, -6)}, "bends most at the border"),
        ({"warped": "before"}, "hardly any gain"),
        ({"inside": 0.4}, "Only 40% of the fixed image looks inside"),
        ({"from_home": 3.0}, "There and back, one ends 3.00 px from home"),
        ({"landmarks": (np.array([1.0, 1.0]), np.array([1.0, 3.0]))}, "landmarks are further apart than before"),
    ],
)
def test_each_doubt_has_its_sentence_and_comes_alone(given, words):
    (sentence,) = doubts_of(**given)
    assert words in sentence


@pytest.mark.parametrize("shape", [(1, 1), (9, 300), (300, 9), (40, 40)])
def test_the_page_has_one_size_whatever_the_images_have(tmp_path, shape):
    image = np.random.default_rng(0).random((1, *shape, 1))
    u = np.zeros((1, *shape, 2))
    doubts = ["This may be wrong, and that is a long sentence about it. " * 4] * 7
    rows = [("NCC", "0.1", "0.9", "alike")] * 9
    for name in "ab":
        viz.report_picture(image, image, image, u, tmp_path / name, rows, doubts, spacing=(2.0, 1.0))
    assert imread(tmp_path / "a").shape[:2] == (1169, 827)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_page_shows_the_images_and_the_field(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(viz.report, "save", lambda figure, path: figures.append(figure))
    before, fixed, warped = np.random.default_rng(0).random((3, 1, 12, 16, 1))
    u = np.full((1, 12, 16, 2), (3.0, 4.0))
    viz.report_picture(before, fixed, warped, u, tmp_path / "page", [], [], spacing=(2.0, 2.0))
    first, second, *_, length = figures[-1].axes[:6]
    for axes, image in ((first, before), (second, warped)):
        np.testing.assert_array_equal(axes.images[0].get_array()[..., 0], image[0, ..., 0])
        np.testing.assert_array_equal(axes.images[0].get_array()[..., 1], fixed[0, ..., 0])
    np.testing.assert_allclose(length.images[0].get_array(), 10)
    assert any("That is not a proof" in text.get_text() for text in figures[-1].texts)


def test_an_affine_start_is_no_bend():
    turn = np.array([[[0.0, -0.2, 9.0], [0.2, 0.0, -5.0]]], np.float32) + np.eye(2, 3, dtype=np.float32)
    u = fields.affine_displacement(turn, 16, 16)
    assert doubts_of(bend=np.asarray(getattr(u, "data", u))[0]) == []


def test_masks_and_a_spline_go_the_other_way_too(heads, tmp_path, page, recwarn):
    mask = np.zeros((32, 32), np.uint8)
    mask[2:30, 2:30] = 1
    np.save("mask.npy", mask)
    assert run("--report", "--moving-mask", "mask.npy") == 0
    options = ["--method", "tps", "--landmarks", "landmarks.csv", "--report"]
    assert register.main(["moving.npy", "fixed.npy", "--out", "out", *options]) == 0
    assert "they were fitted: no proof" in page() and "0.00 px" in page()
    assert not [warning for warning in recwarn if warning.category is UserWarning]

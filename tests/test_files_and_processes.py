"""No command writes over what another has made, and none stops because nobody can read what it prints."""

import gzip
import os
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from short_runs import TINY, complaint, contents

from minireg import evaluate, register, train
from minireg.classify import __main__ as classify
from minireg.data.images import read_images
from minireg.data.mnist import CHECKSUMS, LARGEST, read_mnist
from minireg.errors import InputError
from minireg.training import load_checkpoint

pytest_plugins = ["digits_fixture"]
ROOT = Path(__file__).resolve().parent.parent


# What other commands have written


def test_nothing_is_written_over_what_another_command_made(
    tmp_path, few_digits, digits_of_trained, trained, checkpoint, image, capsys
):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    before = contents(run)
    for name in ("results.png", "numbers"):
        refused = complaint(capsys, evaluate.main, "--checkpoint", checkpoint, "--out", tmp_path / name)
        assert "must end in .json" in refused
    for name in ("configuration.json", "metrics.json", "registration.json", "checkpoint.npz"):
        complaint(capsys, evaluate.main, "--checkpoint", checkpoint, "--pairs", "1", "--out", run / name)
    assert "folder of a training run" in complaint(capsys, register.main, image, image, "--out", run)
    assert contents(run) == before
    assert evaluate.main(["--checkpoint", str(checkpoint), "--pairs", "1", "--out", str(tmp_path / "e.json")]) == 0
    assert evaluate.main(["--checkpoint", str(checkpoint), "--pairs", "2", "--out", str(tmp_path / "e.json")]) == 0
    complaint(capsys, evaluate.main, "--checkpoint", checkpoint, "--methods", "tps", "--out", tmp_path / "f.json")
    own = tmp_path / "own"
    own.mkdir()
    (own / "points.csv").write_text("row,column\n1,2\n")
    refused = complaint(capsys, register.main, image, image, "--points", own / "points.csv", "--out", own)
    assert "would be written over the points" in refused
    assert register.main([str(image), str(image), "--steps", "1", "--out", str(own)]) == 0
    assert (own / "points.csv").read_text() == "row,column\n1,2\n"  # not from a registration
    result = tmp_path / "result"
    assert register.main([str(image), str(image), "--steps", "1", "--out", str(result)]) == 0
    assert "holds registration.png, which" in complaint(capsys, train.main, *TINY, "--out", result)
    for name in ("registration", "metrics"):
        other = tmp_path / name
        other.mkdir()
        evaluate_into = ["--checkpoint", str(checkpoint), "--pairs", "1", "--out", str(other / f"{name}.json")]
        assert evaluate.main(evaluate_into) == 0
        before = contents(other)
        complaint(capsys, train.main, *TINY, "--out", other)
        if name == "registration":
            assert "holds registration.png, which" in complaint(capsys, register.main, image, image, "--out", other)
        else:
            complaint(capsys, classify.main, "--data", "strokes", "--out", other)
        assert contents(other) == before
    (own / "registration.npz").unlink()
    for picture in own.glob("registration.*"):
        picture.unlink()
    (own / "fields.png").unlink()
    points = tmp_path / "points.csv"
    points.write_text("row,column\n3,4\n")
    assert "holds points.csv" in complaint(capsys, register.main, image, image, "--points", points, "--out", own)


@pytest.mark.parametrize("option", ["--out", "--data", "--data-dir", "--resume"])
def test_an_empty_path_is_refused(few_digits, capsys, option):
    assert f"{option[2:]} is empty" in complaint(capsys, train.main, *TINY, option, "")


def test_images_that_were_replaced_are_not_trained_on_any_further(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def fill(seed):
        Path("slices").mkdir(exist_ok=True)
        for number in range(6):
            np.save(f"slices/{number}.npy", np.random.default_rng(seed + number).random((24, 24), dtype=np.float32))

    fill(0)
    Path("slices/._0.npy").write_bytes(b"what a file manager leaves")
    assert train.main(["--data", "slices", "--steps", "1", "--workers", "1", "--out", "run"]) == 0
    fill(100)
    assert "are not those that the run in run began with" in complaint(capsys, train.main, "--resume", "run")
    fill(0)
    assert train.main(["--resume", "run"]) == 0


# Output that goes nowhere


def in_a_shell(tmp_path, command, **variables):
    paths = {"PYTHONPATH": str(Path(train.__file__).parents[1]), "PYTHON": sys.executable}
    environment = os.environ | paths | variables
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=120
    )
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    return done


@pytest.mark.skipif(os.name == "nt", reason="a shell as POSIX has it")
@pytest.mark.parametrize(
    "command, variables",
    [
        ("$PYTHON -m minireg.gradcheck add mul div | head -1", {}),
        ("$PYTHON -m minireg.register m.npy f.npy --steps 1 --out 日本", {"PYTHONIOENCODING": "cp1252"}),
        ("$PYTHON -m minireg.register m.npy f.npy --steps 1 --out out >/dev/full", {}),
        ("$PYTHON -m minireg.register m.npy f.npy --steps 1 --out out 2>&-", {}),
        ("$PYTHON -m minireg.register m.npy f.npy --steps 1 --out out >&- 2>&-", {}),
        ("$PYTHON -OO -m minireg.register m.npy f.npy --steps 1 --out out", {}),
    ],
)
def test_the_work_is_done_although_nobody_can_read_about_it(tmp_path, command, variables):
    if "/dev/full" in command and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    for name in "mf":
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(ord(name)).random((32, 32), dtype=np.float32))
    in_a_shell(tmp_path, command, **variables)
    if "register" in command:
        assert [path.name for path in tmp_path.glob("*/registration.npz")]


@pytest.mark.skipif(os.name == "nt", reason="links as POSIX has them")
def test_runs_that_cannot_be_made_are_named(tmp_path, few_digits, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("runs").symlink_to(tmp_path / "nowhere")
    assert "cannot use runs" in complaint(capsys, train.main, *TINY)


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_runs_started_together_get_folders_of_their_own(tmp_path):
    run = "$PYTHON -m minireg.train --data strokes --steps 1 --workers 1 --seed {} >out{} 2>&1 & "
    done = in_a_shell(tmp_path, "".join(run.format(seed, seed) for seed in range(3)) + "wait")
    assert done.returncode == 0
    assert len(list((tmp_path / "runs").glob("*/metrics.json"))) == 3


@pytest.mark.skipif(os.name == "nt", reason="signals and locks as POSIX has them")
def test_of_runs_started_together_with_one_out_only_one_trains(tmp_path):
    run = "$PYTHON -m minireg.train --data strokes --steps 1 --workers 1 --seed {} --out run >out{} 2>err{} & "
    in_a_shell(tmp_path, "".join(run.format(seed, seed, seed) for seed in range(3)) + "wait")
    said = "".join((tmp_path / f"err{seed}").read_text() for seed in range(3))
    sentences = [line for line in said.split("\n") if "error" in line]
    assert len(sentences) == 2
    assert all("another process is at work" in line or "already holds a run" in line for line in sentences)
    assert (tmp_path / "run" / "metrics.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="file names that are no text")
def test_names_of_images_that_are_no_utf_8_or_look_like_formulas_are_names_too(tmp_path):
    folder = tmp_path / os.fsdecode(b"sl\344")
    folder.mkdir()
    for number in range(6):
        image = np.random.default_rng(number).random((24, 24), dtype=np.float32)
        np.save(folder / os.fsdecode(b"kr\344uter$_{%d$.npy" % number), image)
    done = in_a_shell(tmp_path, "$PYTHON -m minireg.train --data $'sl\\344' --steps 1 --workers 1 --out run")
    assert done.returncode == 0 and (tmp_path / "run" / "registration.png").exists()


# Files that would unpack to gigabytes


def peak_memory_of(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_gzip_data_that_unpack_to_gigabytes_are_refused_before_they_do(tmp_path):
    bomb = gzip.compress(bytes(2**26))
    for name in CHECKSUMS:
        (tmp_path / f"{name}.gz").write_bytes(bomb)

    def read():
        with pytest.raises(InputError, match="damaged, truncated or not MNIST's"):
            read_mnist(tmp_path)

    assert peak_memory_of(read) < 2 * LARGEST


def test_a_compressed_checkpoint_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "checkpoint.npz"
    np.savez_compressed(path, meta=np.array("{}"), zeros=np.zeros(2**24))

    def read():
        with pytest.raises(InputError, match="it is compressed, and might unpack to anything"):
            load_checkpoint(path)

    assert peak_memory_of(read) < 2**22


def test_a_png_of_a_billion_pixels_is_refused_before_it_is_unpacked(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(30001 * 100))
    path = tmp_path / "huge.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))

    def read():
        with pytest.raises(InputError, match="cannot be read as an image"):
            read_images(path)

    assert peak_memory_of(read) < 2**24


def test_an_npy_header_that_claims_a_trillion_numbers_is_refused(tmp_path):
    path = tmp_path / "huge.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)})
        file.write(bytes(100))
    with pytest.raises(InputError, match="cannot be read as an image"):
        read_images(path)


def test_mutated_files_are_read_or_refused_and_nothing_else(tmp_path):
    """A short run of the benchmark, in a process of its own whose memory is limited."""
    code = [sys.executable, str(ROOT / "benchmarks" / "fuzz_readers.py"), "--count", "200", "--quiet"]
    done = subprocess.run(code, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("200 mutated files") == 8

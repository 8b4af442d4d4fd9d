"""Files appear whole or not at all; checkpoints come back as they were, or are refused."""

import errno
import os
import stat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from short_runs import contents

from minireg.errors import InputError
from minireg.files import atomic_write, claimed, remove_leftovers, save_npz
from minireg.training.checkpoint import load_checkpoint, save_checkpoint

# Writing


@pytest.mark.parametrize(("mode", "text"), [("wb", b"new"), ("w", "n\N{LATIN SMALL LETTER E WITH ACUTE}w")])
def test_a_file_appears_under_its_name_only_when_the_block_ends(tmp_path, mode, text):
    path = tmp_path / "file"
    with atomic_write(path, mode) as file:
        file.write(text)
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == (text if mode == "wb" else text.encode())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("mistake", [ValueError("no"), KeyboardInterrupt(), OSError(errno.ENOSPC, "disk full")])
def test_a_block_that_fails_leaves_the_old_content_and_nothing_else(tmp_path, mistake):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(type(mistake)), atomic_write(path) as file:
        file.write(b"half of the n")
        raise mistake
    assert contents(tmp_path) == {"file": b"old"}


@pytest.mark.parametrize("operation", ["fsync", "replace"])
def test_an_operation_of_the_system_that_fails_leaves_nothing_and_names_the_file(tmp_path, monkeypatch, operation):
    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "file"
    monkeypatch.setattr(os, operation, fail)
    with pytest.raises(OSError, match="No space left") as caught, atomic_write(path) as file:
        file.write(b"new")
    assert caught.value.filename == str(path) and caught.value.errno == errno.ENOSPC
    assert contents(tmp_path) == {}


def test_a_missing_folder_and_a_folder_of_that_name_are_errors_that_name_the_file(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / "no" / "file"):
        pass
    assert caught.value.filename == str(tmp_path / "no" / "file")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as caught, atomic_write(tmp_path / "folder"):  # the class depends on the system
        pass
    assert caught.value.filename == str(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_file_has_the_mode_that_open_would_give_it(tmp_path, mask):
    before = os.umask(mask)
    try:
        with atomic_write(tmp_path / "file"):
            pass
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    others = {"checkpoint.npz", "my.part", ".hidden", ".evaluation.json.x3.part"}
    for name in (".checkpoint.npz.x1.part", ".loss.png.x2.part", *others):
        (tmp_path / name).touch()
    names = ("checkpoint.npz", "loss.png")
    remove_leftovers(tmp_path, names)
    assert contents(tmp_path).keys() == others
    remove_leftovers(tmp_path / "missing", names)


@pytest.mark.skipif(os.name == "nt", reason="locks as POSIX has them")
def test_a_folder_is_claimed_by_one_at_a_time_until_the_block_ends(tmp_path):
    with claimed(tmp_path / "run"), pytest.raises(InputError, match="another process is at work in"):
        claimed(tmp_path / "run").__enter__()
    with claimed(tmp_path / "run"):
        pass


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_refused_fsync_does_not_throw_the_file_away(tmp_path, monkeypatch, refusal):
    def fsync(descriptor):
        raise OSError(refusal, "refused")

    monkeypatch.setattr("os.fsync", fsync)
    with atomic_write(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_the_same_arrays_are_the_same_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        save_npz(tmp_path / name, x=np.arange(5.0), y=np.array("text"))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


# Checkpoints

META = {"step": 3, "configuration": {"lr": 0.1, "clip": None}, "random_state": {"state": 2**127 + 1}}
MODEL = {"encoder.0.weight": np.arange(12, dtype=np.float32).reshape(3, 4), "bias": np.array(-0.0)}
HISTORY = {"loss": np.array([0.1, 1 / 3]), "empty": np.zeros(0)}


def saved(path):
    save_checkpoint(path, META, model=MODEL, history=HISTORY)
    return path


def is_the_saved_one(meta, groups):
    expected = {"model": MODEL, "history": HISTORY}
    return (
        meta == META
        and groups.keys() == expected.keys()
        and all(
            groups[group].keys() == entries.keys()
            and all(groups[group][name].dtype == array.dtype for name, array in entries.items())
            and all(groups[group][name].tobytes() == array.tobytes() for name, array in entries.items())
            and all(groups[group][name].shape == array.shape for name, array in entries.items())
            for group, entries in expected.items()
        )
    )


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    assert is_the_saved_one(*load_checkpoint(saved(tmp_path / "checkpoint.npz")))
    assert is_the_saved_one(*load_checkpoint(str(tmp_path / "checkpoint.npz")))


def test_a_checkpoint_cut_short_anywhere_is_refused_by_name(tmp_path):
    path = saved(tmp_path / "checkpoint.npz")
    data = path.read_bytes()
    for length in [*range(0, 40), *range(40, len(data), 37), *range(len(data) - 30, len(data))]:
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match=str(path)):
            load_checkpoint(path)


def test_a_checkpoint_with_a_flipped_bit_is_refused_or_unharmed_and_never_holds_other_numbers(tmp_path):
    path = saved(tmp_path / "checkpoint.npz")
    data = path.read_bytes()
    end = data.index(b"PK\x01\x02")  # where the table of contents begins; the names in it are checked by who reads them
    refused = 0

    @given(bit=st.integers(0, 8 * end - 1))
    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    def check(bit):
        nonlocal refused
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            assert is_the_saved_one(*load_checkpoint(path))
        except InputError as error:
            assert str(path) in str(error)
            refused += 1

    check()
    assert refused > 150


def not_checkpoints():
    rng = np.random.default_rng(0)
    return {
        "text": lambda path: path.write_text("not a checkpoint"),
        "empty": lambda path: path.touch(),
        "random": lambda path: path.write_bytes(rng.bytes(4096)),
        "random with the beginning of a zip": lambda path: path.write_bytes(b"PK\x03\x04" + rng.bytes(4096)),
        "another npz": lambda path: np.savez(path, x=np.zeros(3)),
        "another meta": lambda path: np.savez(path, meta=np.array('{"format": "another"}')),
        "meta without format": lambda path: np.savez(path, meta=np.array("{}")),
        "meta that is a list": lambda path: np.savez(path, meta=np.array("[1]")),
        "meta that is no JSON": lambda path: np.savez(path, meta=np.array("{")),
        "meta that is a number": lambda path: np.savez(path, meta=np.zeros(3)),
    }


@pytest.mark.parametrize("kind", not_checkpoints())
def test_what_is_not_a_checkpoint_is_refused_by_name(tmp_path, kind):
    path = tmp_path / "file.npz"
    not_checkpoints()[kind](path)
    with pytest.raises(InputError, match=r"file\.npz is not a checkpoint"):
        load_checkpoint(path)


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("this-must-not-appear",)


@pytest.mark.parametrize("name", ["meta.npy", "file.npz"])
def test_a_pickle_in_a_file_is_never_run(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    bomb = np.array([Bomb()], dtype=object)
    if name.endswith(".npy"):
        np.save(name, bomb, allow_pickle=True)
    else:
        np.savez(name, meta=bomb)
    with pytest.raises(InputError, match="is not a checkpoint"):
        load_checkpoint(name)
    assert not (tmp_path / "this-must-not-appear").exists()


def test_a_missing_file_and_a_folder_say_what_to_name_instead(tmp_path):
    with pytest.raises(InputError, match=r"there is no checkpoint .*: name the checkpoint\.npz"):
        load_checkpoint(tmp_path / "no.npz")
    with pytest.raises(InputError, match=r"is a folder: name the checkpoint\.npz in it"):
        load_checkpoint(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path):
    path = saved(tmp_path / "checkpoint.npz")
    path.chmod(0)
    with pytest.raises(InputError, match="permissions"):
        load_checkpoint(path)

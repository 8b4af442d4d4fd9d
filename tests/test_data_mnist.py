"""Reading, verifying and downloading MNIST, on small files of the same format and servers on this machine."""

import dataclasses
import gzip
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from minireg.data import Digits, load_digits, mnist, pad, sources
from minireg.errors import InputError

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = mnist.CHECKSUMS
PATIENCE = len(mnist.MIRRORS) * mnist.SILENCE  # as shipped: the fixtures replace both
REAL_MNIST = os.environ.get("MINIREG_DATA")
needs_mnist = pytest.mark.skipif(not REAL_MNIST, reason="MINIREG_DATA names no folder with MNIST")


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


@pytest.fixture
def contents(monkeypatch):
    """Four small files, taken for MNIST's by their checksums."""
    rng = np.random.default_rng(0)
    files = {}
    for name, count in ((TRAIN_IMAGES, 20), (TRAIN_LABELS, 20), (TEST_IMAGES, 10), (TEST_LABELS, 10)):
        shape = (count, 28, 28) if "images" in name else (count,)
        files[name] = idx(rng.integers(0, 256 if "images" in name else 10, shape, np.uint8))
    monkeypatch.setattr(mnist, "CHECKSUMS", {name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
    return files


@pytest.fixture
def folder(tmp_path, contents):
    """A valid folder with the four files, gzipped."""
    path = tmp_path / "given"
    path.mkdir()
    for name, data in contents.items():
        (path / f"{name}.gz").write_bytes(gzip.compress(data))
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache of our own, and no mirror but those that a test names."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("MINIREG_DATA", raising=False)
    monkeypatch.setattr(mnist, "MIRRORS", [])
    return tmp_path / "cache" / "minireg" / "mnist"


@pytest.fixture
def server(contents, monkeypatch):
    """A web server whose folders misbehave in different ways; `server.asked` lists the paths that were asked for."""
    released = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            _, behaviour, file = self.path.split("/")
            body = gzip.compress(contents[file.removesuffix(".gz")])
            if behaviour == "silent":
                released.wait(20)
                return
            if behaviour == "absent" or (behaviour == "images-only" and "labels" in file):
                self.send_error(404)
                return
            if behaviour == "portal":
                body = b"<html>Please log in to this hotel's network.</html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if behaviour in ("cut", "stalled"):
                body = body[: len(body) // 2]
            self.wfile.write(body)
            if behaviour == "stalled":
                released.wait(20)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.asked = []

    def use(*behaviours):
        root = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(mnist, "MIRRORS", [f"{root}/{behaviour}/" for behaviour in behaviours])

    server.use = use
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setattr(mnist, "SILENCE", 0.6)
    yield server
    released.set()
    server.shutdown()
    server.server_close()


def assert_is_our_mnist(digits, contents):
    assert digits.name == "mnist"
    pixels = np.frombuffer(contents[TRAIN_IMAGES], np.uint8, offset=16).reshape(20, 28, 28, 1)
    np.testing.assert_array_equal(digits.train_images, pixels / np.float32(255))
    np.testing.assert_array_equal(digits.test_labels, np.frombuffer(contents[TEST_LABELS], np.uint8, offset=8))


def message_of(folder):
    """The message of the InputError that reading `folder` must raise: one line that names the folder."""
    with pytest.raises(InputError) as caught:
        load_digits("mnist", folder)
    message = str(caught.value)
    assert "\n" not in message and not message.endswith(".") and str(folder) in message
    return message


# Reading


def test_a_folder_is_read_as_float32_images_between_0_and_1_and_uint8_labels(folder, contents):
    digits = load_digits("mnist", folder)
    assert isinstance(digits, Digits)
    assert_is_our_mnist(digits, contents)
    assert digits.train_images.shape == (20, 28, 28, 1) and digits.test_images.shape == (10, 28, 28, 1)
    assert digits.train_images.dtype == digits.test_images.dtype == np.float32
    assert digits.train_labels.dtype == digits.test_labels.dtype == np.uint8
    assert digits.train_images.min() == 0 and digits.train_images.max() == 1


def test_a_loaded_data_set_is_frozen_but_its_arrays_are_writable(folder):
    digits = load_digits("mnist", folder)
    with pytest.raises(dataclasses.FrozenInstanceError):
        digits.name = "other"
    assert all(array.flags.writeable for array in (digits.train_images, digits.train_labels))


@pytest.mark.parametrize("spelling", [str, lambda name: name.replace("-idx", ".idx")])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_are_found_gzipped_or_not_under_both_spellings(tmp_path, contents, spelling, suffix):
    for name, data in contents.items():
        (tmp_path / (spelling(name) + suffix)).write_bytes(gzip.compress(data) if suffix else data)
    assert_is_our_mnist(load_digits("mnist", tmp_path), contents)


def test_a_file_that_was_uncompressed_without_being_renamed_is_read(folder, contents):
    (folder / f"{TRAIN_IMAGES}.gz").write_bytes(contents[TRAIN_IMAGES])
    assert_is_our_mnist(load_digits("mnist", folder), contents)


def test_the_environment_variable_names_the_folder_and_the_argument_goes_before_it(folder, contents, monkeypatch):
    monkeypatch.setenv("MINIREG_DATA", str(folder))
    assert_is_our_mnist(load_digits(), contents)
    assert "elsewhere" in message_of("elsewhere")


def test_a_tilde_in_the_folder_is_the_home_folder(folder, contents, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    assert_is_our_mnist(load_digits("mnist", "~/given"), contents)


def test_an_unknown_name_is_refused_with_the_choices():
    with pytest.raises(InputError, match="'cifar': choose 'auto', 'mnist' or 'strokes'"):
        load_digits("cifar")


def test_without_leave_to_download_mnist_is_what_lies_here_and_else_digits_are_drawn(
    contents, cache, monkeypatch, capsys
):
    monkeypatch.setattr(sources, "download_mnist", lambda folder: pytest.fail("downloads"))
    assert load_digits(download=False).name == "strokes"
    with pytest.raises(InputError, match=TRAIN_IMAGES):
        load_digits("mnist", download=False)
    cache.mkdir(parents=True)
    for name, data in contents.items():
        (cache / name).write_bytes(data)
    assert_is_our_mnist(load_digits(download=False), contents)
    assert capsys.readouterr() == ("", "")


# Mistakes in a folder that was named


def test_a_missing_folder_is_named_with_the_files_that_it_should_hold(tmp_path):
    message = message_of(tmp_path / "nowhere")
    assert "does not exist" in message and all(name in message for name in mnist.CHECKSUMS)


def test_a_file_instead_of_a_folder_is_told_apart(folder):
    assert "is a file, not a folder" in message_of(folder / f"{TRAIN_IMAGES}.gz")


def test_missing_files_are_listed_and_only_those(folder):
    (folder / f"{TRAIN_LABELS}.gz").unlink()
    (folder / f"{TEST_IMAGES}.gz").unlink()
    message = message_of(folder)
    assert f"lacks {TRAIN_LABELS}, {TEST_IMAGES}:" in message and TRAIN_IMAGES not in message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user")
@pytest.mark.parametrize("locked", [".", f"{TEST_LABELS}.gz"])
def test_a_folder_or_file_without_permission_is_named_with_the_reason(folder, locked):
    mode = (folder / locked).stat().st_mode
    (folder / locked).chmod(0)
    try:
        assert "cannot be read (Permission denied)" in message_of(folder)
    finally:
        (folder / locked).chmod(mode)


def test_a_file_that_the_system_cannot_read_is_named_with_the_reason(folder):
    (folder / f"{TEST_LABELS}.gz").unlink()
    (folder / f"{TEST_LABELS}.gz").mkdir()
    message = message_of(folder)
    assert f"{TEST_LABELS}.gz cannot be read (" in message and "None" not in message


NOT_GZIP = "is damaged, its gzip data cannot be unpacked"
NOT_MNIST = "is damaged, truncated or not MNIST's (its SHA-256 differs)"
DAMAGES = {
    "gzip cut off": (lambda data: gzip.compress(data)[:-30], NOT_GZIP),
    "gzip header only": (lambda data: gzip.compress(data)[:5], NOT_GZIP),
    "gzip with a flipped byte": (lambda data: flip(gzip.compress(data), -6), NOT_GZIP),
    "a web page": (lambda data: b"<!DOCTYPE html>", NOT_MNIST),
    "empty": (lambda data: b"", NOT_MNIST),
    "contents cut off": (lambda data: gzip.compress(data[:-7]), NOT_MNIST),
    "a flipped pixel": (lambda data: gzip.compress(flip(data, -1)), NOT_MNIST),
}


def flip(data, position):
    data = bytearray(data)
    data[position] ^= 4
    return bytes(data)


@pytest.mark.parametrize("name", [TRAIN_IMAGES, TEST_LABELS])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_with_what_is_wrong_and_what_to_do(folder, contents, damage, name):
    break_it, expected = DAMAGES[damage]
    (folder / f"{name}.gz").write_bytes(break_it(contents[name]))
    assert f"{name}.gz {expected}: delete it and download it again" in message_of(folder)


@pytest.mark.parametrize("a, b", [(TRAIN_IMAGES, TEST_IMAGES), (TRAIN_IMAGES, TRAIN_LABELS)])
def test_swapped_files_are_recognised_by_their_checksum(folder, contents, a, b):
    for name, other in ((a, b), (b, a)):
        (folder / f"{name}.gz").write_bytes(gzip.compress(contents[other]))
    assert f"{a}.gz holds the contents of {b}: give each file its own name" in message_of(folder)


@pytest.mark.parametrize("name", ["auto", "mnist"])
def test_a_folder_that_was_named_is_never_replaced_silently(tmp_path, monkeypatch, server, name):
    server.use("good")
    with pytest.raises(InputError, match="does not exist"):
        load_digits(name, tmp_path / "nowhere")
    monkeypatch.setenv("MINIREG_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="does not exist"):
        load_digits(name)
    assert not server.asked


# Downloading


def test_without_a_folder_mnist_is_downloaded_once_and_then_read_from_the_cache(server, contents, cache):
    server.use("good")
    assert_is_our_mnist(load_digits("mnist"), contents)
    assert server.asked == [f"/good/{name}.gz" for name in contents]
    assert sorted(os.listdir(cache)) == sorted(f"{name}.gz" for name in contents)
    assert_is_our_mnist(load_digits("auto"), contents)
    assert len(server.asked) == 4


def test_a_partial_download_is_completed_and_damaged_files_are_replaced(server, contents, cache):
    cache.mkdir(parents=True)
    (cache / f"{TRAIN_IMAGES}.gz").write_bytes(gzip.compress(contents[TRAIN_IMAGES]))
    (cache / TEST_IMAGES).write_bytes(contents[TEST_IMAGES])
    (cache / f"{TRAIN_LABELS}.gz").write_bytes(b"half a fi")
    server.use("good")
    assert_is_our_mnist(load_digits("mnist"), contents)
    assert server.asked == [f"/good/{TRAIN_LABELS}.gz", f"/good/{TEST_LABELS}.gz"]


@pytest.mark.parametrize("behaviour", ["absent", "portal", "cut", "stalled", "silent"])
def test_where_one_mirror_fails_the_next_one_serves(server, contents, cache, behaviour):
    server.use(behaviour, "good")
    assert_is_our_mnist(load_digits("mnist"), contents)
    assert len([path for path in server.asked if behaviour in path]) == 1


def test_a_mirror_that_fails_midway_is_continued_by_the_next_one(server, contents):
    server.use("images-only", "good")
    assert_is_our_mnist(load_digits("mnist"), contents)
    assert server.asked.count(f"/good/{TRAIN_IMAGES}.gz") == 0


@pytest.mark.parametrize(
    "behaviour, reason",
    [
        ("absent", "Not Found"),
        ("portal", "something else than the file, or a part of it"),
        ("cut", "something else than the file, or a part of it"),
        ("stalled", r"did not answer for 0\.6 seconds"),
    ],
)
def test_where_no_mirror_delivers_the_error_says_why_and_nothing_half_done_stays(server, cache, behaviour, reason):
    server.use(behaviour)
    with pytest.raises(InputError, match=reason) as caught:
        load_digits("mnist")
    assert f"/{behaviour}/{TRAIN_IMAGES}.gz" in str(caught.value) and "MINIREG_DATA" in str(caught.value)
    assert os.listdir(cache) == []


def test_silent_mirrors_cost_one_silence_each_however_many_files_are_missing(server):
    server.use("silent", "silent")
    start = time.monotonic()
    with pytest.raises(InputError, match=r"did not answer for 0\.6 seconds; .*did not answer"):
        load_digits("mnist")
    assert 1.2 <= time.monotonic() - start < 10 and len(server.asked) == 2


def test_the_two_real_mirrors_may_be_silent_for_ten_seconds_in_total():
    assert PATIENCE == 10


def test_a_name_lookup_that_hangs_is_given_up_like_any_silence(server, monkeypatch):
    forever = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: forever.wait(20))
    server.use("good")
    start = time.monotonic()
    with pytest.raises(InputError, match="did not answer"):
        load_digits("mnist")
    assert time.monotonic() - start < 10
    forever.set()


def test_a_refused_connection_is_told(monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(mnist, "MIRRORS", [f"http://127.0.0.1:{unused.getsockname()[1]}/"])
        with pytest.raises(InputError, match="refused"):
            load_digits("mnist")


@pytest.fixture
def unwritable_cache(tmp_path, monkeypatch):
    (tmp_path / "occupied").write_text("a file where the cache folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "occupied"))


def test_a_cache_that_cannot_be_written_is_an_error_for_mnist_before_any_download(server, unwritable_cache):
    server.use("good")
    with pytest.raises(InputError, match=r"cannot be saved in .*occupied.* \(Not a directory\): name a folder"):
        load_digits("mnist")
    assert not server.asked


def test_a_full_disk_is_an_error_for_mnist_and_leaves_nothing_behind(server, cache, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    server.use("good", "good")
    with pytest.raises(InputError, match="No space left on device"):
        load_digits("mnist")
    assert len(server.asked) == 1 and os.listdir(cache) == []


# Falling back


def few_strokes(monkeypatch):
    digits = Digits("strokes", *[None] * 4)
    monkeypatch.setattr("minireg.data.sources.load_strokes", lambda: digits)
    return digits


def test_auto_falls_back_to_strokes_and_says_why_in_one_line(server, monkeypatch, capsys):
    server.use("portal")
    strokes = few_strokes(monkeypatch)
    assert load_digits() is strokes
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "\r" not in err
    assert "MNIST could not be downloaded" in err and "MINIREG_DATA" in err and "strokes" in err


def test_auto_falls_back_where_the_cache_cannot_be_written(unwritable_cache, monkeypatch, capsys):
    strokes = few_strokes(monkeypatch)
    assert load_digits() is strokes
    assert "cannot be saved" in capsys.readouterr().err


def test_strokes_touch_neither_network_nor_files(server, monkeypatch, cache):
    server.use("good")
    monkeypatch.setenv("MINIREG_DATA", "nowhere")
    strokes = few_strokes(monkeypatch)
    assert load_digits("strokes") is strokes
    assert not server.asked and not cache.exists()


def test_a_folder_for_strokes_is_refused(folder):
    with pytest.raises(InputError, match="'strokes' reads no files"):
        load_digits("strokes", folder)


# Padding


def test_padding_28_to_32_adds_two_zeros_on_each_side_and_changes_no_pixel():
    images = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    padded = pad(images)
    assert padded.shape == (3, 32, 32, 1) and padded.dtype == np.float32
    np.testing.assert_array_equal(padded[:, 2:30, 2:30], images)
    assert padded.sum() == pytest.approx(images.sum())


def test_padding_an_odd_difference_puts_the_extra_pixel_last():
    padded = pad(np.ones((1, 3, 2, 1), np.float32), 6)[0, ..., 0]
    assert padded.shape == (6, 6) and padded[1:4, 2:4].sum() == padded.sum() == 6


def test_padding_refuses_larger_images_and_wrong_shapes():
    with pytest.raises(InputError, match="28 x 28 pixels do not fit into 16 x 16"):
        pad(np.zeros((1, 28, 28, 1)), 16)
    with pytest.raises(InputError, match=r"not \(28, 28\)"):
        pad(np.zeros((28, 28)))


# The import, and the real thing


def run_python(code):
    root = Path(mnist.__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", code], cwd=root, text=True, capture_output=True, check=True
    ).stdout.strip()


def test_importing_the_data_package_imports_neither_matplotlib_nor_pillow():
    code = "import sys, minireg.data; print([m for m in ('matplotlib', 'PIL') if m in sys.modules])"
    assert run_python(code) == "[]"


@needs_mnist
def test_the_real_mnist_has_60000_and_10000_digits_with_their_known_labels():
    digits = load_digits("mnist", REAL_MNIST)
    assert digits.train_images.shape == (60000, 28, 28, 1) and digits.test_images.shape == (10000, 28, 28, 1)
    assert digits.train_labels[:5].tolist() == [5, 0, 4, 1, 9] and digits.test_labels[:3].tolist() == [7, 2, 1]
    assert digits.train_images.mean() == pytest.approx(0.1307, abs=1e-4)  # the mean everybody normalises MNIST with

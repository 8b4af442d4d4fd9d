"""The MNIST digits: read from a folder, or download into one. Nothing unverified is ever returned or kept.

The four files are in the IDX format: a magic number (0x0803 for images, 0x0801 for labels: unsigned bytes in 3 or 1
dimensions), the size of each dimension as a big-endian 32-bit integer, then the bytes.
Source: LeCun, Cortes, Burges, The MNIST database of handwritten digits, 1998.
"""

import gzip
import hashlib
import io
import os
import queue
import threading
import zlib
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import numpy as np
from tqdm import tqdm

from minireg.data.digits import Digits
from minireg.errors import InputError
from minireg.files import atomic_write

# SHA-256 of the uncompressed contents: gzip files of the same contents differ with the program that made them.
CHECKSUMS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
MIRRORS = [
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
]
SILENCE = 5.0  # seconds that each mirror may leave us without an answer; with two mirrors, 10 in total
GZIP_MAGIC = b"\x1f\x8b"
LARGEST = 16 + 60000 * 28 * 28  # bytes: the uncompressed training images

_WANTED = f"name one that holds {', '.join(CHECKSUMS)}, or name none and have MNIST downloaded"
_AGAIN = "delete it and download it again"
_BRING_IT = "name a folder that holds its four files in the environment variable MINIREG_DATA"


def read_mnist(folder):
    """Read MNIST's four files and verify their contents: `Digits` named "mnist", intensities divided by 255.

    The folder holds train-images-idx3-ubyte, train-labels-idx1-ubyte (60000 of each), t10k-images-idx3-ubyte and
    t10k-labels-idx1-ubyte (10000), each with or without ".gz"; the spelling "train-images.idx3-ubyte" is understood
    too. Raises InputError where it or a file is missing, unreadable, damaged, or another file than its name says.
    """
    folder = Path(folder)
    try:
        present = os.listdir(folder)
    except FileNotFoundError:
        raise InputError(f"the MNIST folder {folder} does not exist: {_WANTED}") from None
    except NotADirectoryError:
        raise InputError(f"the MNIST folder {folder} is a file, not a folder: {_WANTED}") from None
    except OSError as error:
        raise InputError(f"the MNIST folder {folder} cannot be read ({error.strerror})") from None

    missing = [name for name in CHECKSUMS if _spelling(name, present) is None]
    if missing:
        raise InputError(
            f"the MNIST folder {folder} lacks {', '.join(missing)}: add what is missing (with or without .gz), "
            "or name no folder and have MNIST downloaded"
        )
    contents = [_read_file(folder / _spelling(name, present), name) for name in CHECKSUMS]
    train_images, train_labels, test_images, test_labels = contents
    return Digits("mnist", _images(train_images), _labels(train_labels), _images(test_images), _labels(test_labels))


def download_mnist(folder):
    """Complete MNIST in `folder`, which is made if it does not exist: download the files that are missing or damaged.

    Files appear whole and verified or not at all; a later call continues where an earlier one stopped. A mirror that
    fails, or stays silent for `SILENCE` seconds, is not asked again; the next one goes on.

    Raises InputError where no mirror delivers, or the folder cannot be written.
    """
    folder = Path(folder)
    problems = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        missing = [name for name in CHECKSUMS if not _is_valid(folder, name)]
        for mirror in MIRRORS:
            try:
                while missing:
                    _download_file(mirror + missing[0] + ".gz", missing[0], folder)
                    del missing[0]
                return
            except _MirrorError as error:
                problems.append(str(error))
    except OSError as error:
        raise InputError(f"MNIST cannot be saved in {folder} ({error.strerror}): {_BRING_IT}") from None
    raise InputError(f"MNIST could not be downloaded ({'; '.join(problems)}): {_BRING_IT}")


class _MirrorError(Exception):
    """A mirror did not deliver; the next one may."""


def _spelling(name, present):
    """The first of the file names in use for `name` that is among `present`, or None."""
    alternative = name.replace("-idx", ".idx")
    return next((s for s in (f"{name}.gz", name, f"{alternative}.gz", alternative) if s in present), None)


def _is_valid(folder, name):
    spelling = _spelling(name, os.listdir(folder))
    try:
        return spelling is not None and bool(_read_file(folder / spelling, name))
    except InputError:
        return False


def _read_file(path, name):
    """Verified, uncompressed contents of the file at `path` that is to be `name`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"the MNIST file {path} cannot be read ({error.strerror})") from None
    return _unpack(data, name, f"the MNIST file {path}")


def _unpack(data, name, origin):
    """The uncompressed contents of the file `name` in `data`; InputError, which names the origin, if they are not.

    The contents decide what is gzip, not the name, because browsers and archivers uncompress without renaming.
    """
    try:
        contents = data
        if data.startswith(GZIP_MAGIC):
            with gzip.open(io.BytesIO(data)) as file:
                contents = file.read(LARGEST + 1)  # a few kilobytes of gzip data can unpack to gigabytes of zeros
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise InputError(f"{origin} is damaged, its gzip data cannot be unpacked: {_AGAIN}") from None
    names = {checksum: known for known, checksum in CHECKSUMS.items()}
    found = names.get(hashlib.sha256(contents).hexdigest())
    if found is None:
        raise InputError(f"{origin} is damaged, truncated or not MNIST's (its SHA-256 differs): {_AGAIN}")
    if found != name:
        raise InputError(f"{origin} holds the contents of {found}: give each file its own name")
    return contents


def _images(contents):
    pixels = np.frombuffer(contents, np.uint8, offset=16).reshape(-1, 28, 28, 1)
    return np.divide(pixels, 255, dtype=np.float32)


def _labels(contents):
    return np.frombuffer(contents, np.uint8, offset=8).copy()  # a view of bytes would be read-only


def _download_file(url, name, folder):
    """Save `url` as NAME.gz in `folder`, verified; _MirrorError if the mirror fails, OSError if the disk does."""
    with atomic_write(folder / f"{name}.gz") as file:  # opened first: no use asking a mirror if nothing can be saved
        data = _fetch(url, name)
        try:
            _unpack(data, name, url)
        except InputError:
            raise _MirrorError(f"{url} sent something else than the file, or a part of it") from None
        file.write(data)


def _fetch(url, name):
    """The bytes at `url`, under a progress bar.

    A thread asks and the main thread waits, because urllib's own time limit does not cover the look-up of the host's
    name, which can hang for a minute where there is no network. The thread is a daemon, so it cannot delay the end.
    """
    arrived = queue.SimpleQueue()  # the length (or None), then chunks, the last one empty; or an exception
    abandoned = threading.Event()

    def ask():
        try:
            with urlopen(url, timeout=SILENCE) as response:
                arrived.put(response.length)
                chunk = True
                while chunk and not abandoned.is_set():
                    chunk = response.read1(1 << 16)
                    arrived.put(chunk)
        except Exception as error:
            arrived.put(error)

    def answer():
        item = arrived.get(timeout=SILENCE)
        if isinstance(item, Exception):
            raise item
        return item

    threading.Thread(target=ask, daemon=True).start()
    received = bytearray()
    try:
        length = answer()
        with tqdm(desc=name, total=length, unit="B", unit_scale=True, leave=False, disable=None) as bar:
            while chunk := answer():
                received += chunk
                bar.update(len(chunk))
        return bytes(received)
    except (queue.Empty, TimeoutError):
        raise _MirrorError(f"{url} did not answer for {SILENCE:g} seconds") from None
    except (OSError, HTTPException) as error:
        raise _MirrorError(f"{url} failed: {getattr(error, 'reason', error)}") from None
    finally:
        abandoned.set()

"""Files appear whole or not at all: written under a temporary name, then renamed."""

import io
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy


@contextmanager
def atomic_write(path, mode="wb"):
    """Open a temporary file beside `path`; rename it to `path` when the block ends, delete it when the block fails.

    A reader, or a run that was killed, never finds half a file: `os.replace` is atomic on one file system, and
    `fsync` before it keeps a power cut from leaving an empty file under the final name.

    Parameters
    ----------
    path : str or Path
        Where the file is to appear. Its folder must exist.
    mode : "wb" or "w"
        Binary or (UTF-8) text.

    Raises
    ------
    OSError
        As the operating system reports it (no such folder, no permission, disk full), with `path` as its file name
        and nothing left behind.
    """
    path = Path(path)
    try:
        with _temporary_beside(path, mode) as file:
            yield file
    except OSError as error:
        raise type(error)(error.errno, error.strerror or str(error), str(path)) from error


@contextmanager
def _temporary_beside(path, mode):
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes private files; give the mode that open() would
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def save_npz(path, **arrays):
    """Write arrays to a NumPy archive (.npz), whole or not at all. Raises OSError as `atomic_write` does.

    The archive is made in memory first: when a disk fills up under it, `numpy.savez` hides the reason behind an error
    of the archive that it can no longer close.
    """
    archive = io.BytesIO()
    numpy.savez(archive, **arrays)
    with atomic_write(path) as file:
        file.write(archive.getbuffer())


def remove_leftovers(folder):
    """Delete the temporary files that `atomic_write` left in a folder because its process was killed.

    Nobody else may be writing there at that moment.
    """
    for leftover in Path(folder).glob(".*.part"):
        leftover.unlink(missing_ok=True)


def _umask():
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

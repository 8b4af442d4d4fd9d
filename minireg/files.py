"""Files appear whole or not at all: written under a temporary name, then renamed."""

import errno
import io
import os
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from minireg.errors import InputError


@contextmanager
def atomic_write(path, mode="wb"):
    """Open a temporary file beside `path`; rename it to `path` when the block ends, delete it when the block fails.

    A reader, or a run that was killed, never finds half a file: `os.replace` is atomic on one file system, and
    `fsync` before it keeps a power cut from leaving an empty file under the final name.

    `path` is in a folder that exists; `mode` is "wb", or "w" for (UTF-8) text. Raises OSError as the operating system
    reports it (no such folder, no permission, disk full), with `path` as its file name and nothing left behind.

    >>> with atomic_write("loss.txt", "w") as file:
    ...     print("0.25", end="", file=file)
    ...     print(Path("loss.txt").exists())
    False
    >>> Path("loss.txt").read_text()
    '0.25'
    """
    path = Path(path)
    temporary = path.parent / f".{path.name}.{os.urandom(4).hex()}.part"
    try:
        with temporary.open(mode.replace("w", "x"), encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            with _where_supported():
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise type(error)(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        with suppress(OSError):  # it has been renamed, or could not even be opened
            temporary.unlink()


@contextmanager
def _where_supported():
    """Within the block, go on where the file system (a network share, FAT) does not know what it is asked for."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EPERM, errno.EACCES):
            raise


def save_npz(path, **arrays):
    """Write arrays to a NumPy archive (.npz), whole or not at all. Raises OSError as `atomic_write` does.

    The archive is made in memory first: when a disk fills up under it, `np.savez` hides the reason behind an error of
    the archive that it can no longer close.

    >>> save_npz("squares.npz", x=np.arange(4), y=np.arange(4) ** 2)
    >>> np.load("squares.npz")["y"].tolist()
    [0, 1, 4, 9]
    """
    archive = io.BytesIO()
    np.savez(archive, **arrays)
    with atomic_write(path) as file:
        file.write(archive.getbuffer())


def remove_leftovers(folder, names):
    """Delete the temporary files that `atomic_write` left in a folder because its process was killed.

    Those of the files `names` only, which nobody else may be writing at that moment (`claimed`).

    >>> Path(".loss.png.5f3a90c1.part").touch()
    >>> remove_leftovers(".", ["loss.png"])
    >>> Path(".loss.png.5f3a90c1.part").exists()
    False
    """
    for name in names:
        for leftover in Path(folder).glob(f".{name}.*.part"):
            leftover.unlink(missing_ok=True)


@contextmanager
def claimed(folder):
    """Within the block no other process can claim this folder; it is made where it does not exist.

    However this process ends, kill -9 included, its claim ends too. Where the system or the file system has no locks
    (Windows, some network shares) nothing is claimed.

    Raises InputError where another process has claimed it.

    >>> with claimed("run"):
    ...     Path("run").is_dir()
    True
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another process is at work in {folder}: wait for it, or name another folder") from None
        except OSError:
            pass  # no locks here
        yield
    finally:
        os.close(descriptor)


@contextmanager
def output_folder(folder):
    """Within the block the folder is there, and can be written to; where the block fails, it is not left behind empty.

    So a place that cannot be used is known before anything is computed for it. Folders that are missing are made, and
    taken away again if they are empty when something is raised. Raises OSError as the operating system reports it.

    >>> with output_folder("results/head"):
    ...     Path("results/head").is_dir()
    True
    """
    folder = Path(folder)
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        yield
    except BaseException:
        for path in missing:
            with suppress(OSError):  # it holds something, or has not been made
                path.rmdir()
        raise


def refuse_to_overwrite(folder, names):
    """Raise InputError where one of the files `names`, which would be written, is in the folder already.

    >>> Path("loss.png").touch()
    >>> refuse_to_overwrite(".", ["loss.png"])
    Traceback (most recent call last):
    minireg.errors.InputError: --out . holds loss.png, which would be written over: name another folder
    """
    for name in names:
        if (Path(folder) / name).exists():
            raise InputError(f"--out {folder} holds {name}, which would be written over: name another folder")

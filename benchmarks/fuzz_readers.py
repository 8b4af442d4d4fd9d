"""Mutated files for every reader: each is read, or refused with a sentence of the project; nothing else may happen.

    python benchmarks/fuzz_readers.py --count 100000

Small valid files of every format that the project reads are damaged at random: bits turned over, bytes replaced by
values that are known to hurt, pieces cut out, doubled, exchanged, taken from another file. Half of the files are sealed
again after that (checksums of PNG chunks, gzip and zip), so that the damage gets past them. The process may take 2 GiB
of memory. What is read must be what its reader promises. A file that fails is kept in `fuzz_failures/`.
"""

import argparse
import gzip
import hashlib
import io
import struct
import sys
import tempfile
import traceback
import warnings
import zipfile
import zlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from minireg.data import mnist
from minireg.data.folder import FolderPairs
from minireg.data.images import read_images, read_labels
from minireg.data.points import read_points
from minireg.errors import InputError
from minireg.models import MODELS, UNet
from minireg.training import checkpoint
from minireg.training.configuration import RECIPES, Configuration

MEMORY = 2 * 2**30  # bytes
HURTING = [b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"-1", b"1e999", b"nan", b'"', b",\n"]
MNIST_FILE = "train-images-idx3-ubyte"


def png(array, **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", **options)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def valid_files(rng, folder):
    """By reader: the suffix of its files, some valid ones as bytes, and what to do with a path."""
    grey = rng.integers(0, 256, (9, 12), dtype=np.uint8)
    MODELS["small"] = lambda rng: UNet(rng, inputs=2, outputs=2, channels=(2, 2))
    network = MODELS["small"](np.random.default_rng(0))
    np.save(folder / "a.npy", grey)
    np.save(folder / "b.npy", grey[::-1])
    configuration = Configuration("default", "strokes", 5, "random", None, 0, **RECIPES["default"] | {"model": "small"})
    path = folder / "checkpoint.npz"
    checkpoint.save_checkpoint(path, {"configuration": asdict(configuration)}, model=network.state_dict())
    idx = struct.pack(">4I", 0x803, 3, 28, 28) + rng.integers(0, 256, 3 * 28 * 28, dtype=np.uint8).tobytes()
    mnist.CHECKSUMS[MNIST_FILE] = hashlib.sha256(idx).hexdigest()
    pictures = [png(grey), png(grey.astype(np.uint16) * 200), png(grey > 99), png(grey // 85, bits=2)]
    arrays = [npy(array) for array in (grey, grey / np.float32(255), rng.random((2, 9, 12)), grey.astype(">u2"))]
    pairs = b"moving,fixed,split\n" + 2 * b"a.npy,b.npy,train\nb.npy,a.npy,test\n"
    points = b"row,column\n1,2.5\n3,4\n"
    return {
        "images, .png": (".png", pictures, lambda path: check_images(read_images(path))),
        "labels, .png": (".png", pictures, lambda path: check_labels(read_labels(path))),
        "images, .npy": (".npy", arrays, lambda path: check_images(read_images(path))),
        "labels, .npy": (".npy", arrays, lambda path: check_labels(read_labels(path))),
        "points, .csv": (".csv", [points], lambda path: read_points(path, ["row", "column"])),
        "pairs, .csv": (".csv", [pairs], FolderPairs),
        "MNIST, .gz": (".gz", [gzip.compress(idx), idx], lambda path: mnist._read_file(path, MNIST_FILE)),
        "checkpoint, .npz": (".npz", [path.read_bytes()], checkpoint.load_network),
    }


def check_images(images):
    assert images.dtype == np.float32 and images.ndim == 4 and images.shape[3] == 1
    assert np.isfinite(images).all() and images.min() >= 0 and images.max() <= 1


def check_labels(labels):
    assert labels.dtype.kind in "ui" and labels.ndim == 4 and labels.min() >= 0


def damaged(data, other, rng):
    """`data` with one to four places damaged."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        at, end = sorted(rng.integers(0, len(data) + 1, 2).tolist())
        short = data[at : min(end, at + int(rng.integers(1, 40)))]
        match rng.integers(8):
            case 0 if data:
                data[at % len(data)] ^= 1 << int(rng.integers(8))
            case 1:
                hurting = HURTING[rng.integers(len(HURTING))]
                data[at : at + len(hurting)] = hurting
            case 2:
                data[at:at] = HURTING[rng.integers(len(HURTING))]
            case 3:
                del data[at : at + len(short)]
            case 4:
                data[at:at] = short
            case 5:
                data[at : at + 8] = rng.bytes(8)
            case 6:
                data[at : at + len(short)] = other[at : at + len(short)]
            case 7:
                if rng.random() < 0.2:
                    del data[at:]
    return bytes(data)


def sealed(data, suffix, rng):
    """The contents of a file damaged below its checksums, which are made anew."""
    harm = lambda part: damaged(part, part[::-1], rng)
    if suffix == ".gz":
        return gzip.compress(harm(gzip.decompress(data) if data.startswith(mnist.GZIP_MAGIC) else data))
    if suffix == ".npz":
        file = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
            hit = rng.integers(len(old.namelist()))
            for index, name in enumerate(old.namelist()):
                new.writestr(name, harm(old.read(name)) if index == hit else old.read(name))
        return file.getvalue()
    if suffix == ".png":
        chunks, at = [], 8
        while at < len(data):
            (length,) = struct.unpack(">I", data[at : at + 4])
            chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
            at += 12 + length
        hit, inside = rng.integers(len(chunks)), rng.random() < 0.5
        out = data[:8]
        for index, (kind, body) in enumerate(chunks):
            if index == hit:
                body = zlib.compress(harm(zlib.decompress(body))) if kind == b"IDAT" and inside else harm(body)
            out += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        return out
    return harm(data)


def fuzz(name, suffix, files, read, count, rng, folder, progress=True):
    """How many of `count` mutated files were read. Raises what the reader should not have raised."""
    good = 0
    for _ in tqdm(range(count), name, unit="file", disable=not progress):
        data, other = (files[index] for index in rng.integers(len(files), size=2))
        mutated = sealed(data, suffix, rng) if rng.random() < 0.5 else damaged(data, other, rng)
        path = folder / f"mutated{suffix}"
        path.write_bytes(mutated)
        try:
            read(path)
            good += 1
        except InputError:
            pass
        except BaseException:
            kept = Path("fuzz_failures") / f"{zlib.crc32(mutated):08x}{suffix}"
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(mutated)
            print(f"{name}: {kept}", file=sys.stderr)
            raise
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=100_000, help="mutated files for each reader (default: 100000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    args = parser.parse_args()
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except ImportError:
        print("this system has no limit on memory: it is not checked")
    warnings.simplefilter("ignore")
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        folder, rng = Path(folder), np.random.default_rng(args.seed)
        for name, (suffix, files, read) in valid_files(rng, folder).items():
            for data in files:  # a reader that refuses everything would pass
                (folder / f"valid{suffix}").write_bytes(data)
                if name != "labels, .npy":  # of fractions
                    read(folder / f"valid{suffix}")
            try:
                good = fuzz(name, suffix, files, read, args.count, rng, folder, not args.quiet)
                print(f"{name:18} {args.count} mutated files: {good} read, {args.count - good} refused", flush=True)
            except Exception:
                failures += 1
                traceback.print_exc()
    return failures


if __name__ == "__main__":
    sys.exit(main())

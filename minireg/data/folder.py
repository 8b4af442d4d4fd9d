"""Your own images as a source of pairs: a folder of images, or a CSV file that lists pairs.

    FolderPairs("slices")               # slices/anna.png, slices/bert.npy, ...; any two make a pair
    FolderPairs("slices/pairs.csv")     # moving,fixed / anna_ct.png,anna_mr.png / ...; only these pairs

Label maps, where there are any, lie in a subfolder under the same names, slices/labels/anna.png, or are named in the
columns moving_labels and fixed_labels of the CSV file. They are for measuring only; training never sees them. Paths in
a CSV file are relative to it.

All images must have one size. Each is scaled by its percentiles (`normalise_percentiles`), and what is background in
all of them is cut away (`crop_to_object`).

A fifth of the images, or of the pairs of a CSV file, is held out for testing: those whose names come first when sorted
by their SHA-256. So the choice is as good as random, the same every time, and hardly changes when files are added. The
next tenth is for validation, where this is at least two: nothing is trained on it, but one may choose by it. An image
that several pairs of a CSV file share may then be known from training; a column `split` with `train`, `validation` or
`test` in every row takes the choice into your own hands.
"""

import functools
import hashlib
from pathlib import Path

import numpy as np

from minireg.data.images import REMEDY, SUFFIXES, read_intensities, read_labels
from minireg.data.lists import read_list
from minireg.data.pairs import HELD_OUT_SEED, Pairs, Sampler, fingerprint
from minireg.data.preprocessing import crop_to_object, normalise_percentiles
from minireg.errors import InputError

LABELS_FOLDER = "labels"
TEST_SHARE, VALIDATION_SHARE = 5, 10  # one image or pair in so many is held out
FEWEST = 2  # images, or pairs, in training and in testing each; in validation, or none
BACKGROUND_LEVEL, MARGIN = 0.2, 4  # what is darker in all images is cut away, but for these pixels; noise is darker
SPLITS = ("train", "validation", "test")
COLUMNS = ("moving", "fixed", "moving_labels", "fixed_labels", "split")


class FolderPairs:
    """Images in files as a source of pairs for training and testing.

    `path` names a folder of .png and .npy files, or a .csv file with the columns moving and fixed. Raises InputError
    for no such folder or file; too few images; images of several sizes, constant, or unreadable; label maps that do not
    fit their images; a CSV file that lacks something.

    >>> Path("slices").mkdir()
    >>> np.save("slices/head.npy", np.random.default_rng(0).random((6, 32, 48)))
    >>> FolderPairs("slices").held_out().titles
    ['head[4] to head[2]', 'head[2] to head[4]']
    """

    def __init__(self, path):
        self.name, self.options = str(path), {}
        path = Path(path)
        if path.is_dir():
            rows, self.listed = _rows_of_folder(path), False
        elif path.suffix.lower() == ".csv" and path.is_file():
            rows, self.listed = _rows_of_csv(path), True
        else:
            raise InputError(f"{path} is neither a folder of .png and .npy images nor a .csv file that lists pairs")
        roles = COLUMNS[:4] if self.listed else ("moving", "moving_labels")
        self.titles, self.split, stacks = _read(rows, roles, path)
        self.moving, self.moving_labels = stacks["moving"], stacks["moving_labels"]
        self.fixed = stacks.get("fixed", self.moving)
        self.fixed_labels = stacks.get("fixed_labels", self.moving_labels)

    @property
    def epoch(self):
        """How many pairs show every training image once."""
        return int(np.sum(self.split == "train"))

    @functools.cached_property
    def fingerprint(self):
        """Of the images as they are trained on, and of which are held out."""
        fixed = self.fixed if self.listed else None
        return fingerprint(self.moving, fixed, self.split == "train", self.split == "test")

    def sampler(self, rng, augment=None):
        """A `Sampler` of training pairs: those of the CSV file, or each image with a random other one."""
        train = self.split == "train"
        kind = Sampler if self.listed else _RandomSampler
        return kind(self.moving[train], self.fixed[train], rng, augment)

    def held_out(self, count=100, seed=HELD_OUT_SEED, split="test"):
        """`Pairs` that training never sees, "test" or "validation"; each title names the images.

        Raises InputError where there are none, because the images are too few or the CSV file names none.
        """
        if split not in ("test", "validation") or not np.any(self.split == split):
            raise InputError(f"{self.name} has no pairs of the split {split!r}: choose test, or give more images")
        rng = np.random.default_rng(seed)
        moving = fixed = rng.permutation(np.flatnonzero(self.split == split))
        if not self.listed:
            fixed = np.array([rng.choice(moving[moving != index]) for index in moving])
        moving, fixed = moving[:count], fixed[:count]
        titles = [self.titles[m] if self.listed else f"{self.titles[m]} to {self.titles[f]}"
                  for m, f in zip(moving, fixed, strict=True)]  # fmt: skip
        labels = [None, None] if self.moving_labels is None else [self.moving_labels[moving], self.fixed_labels[fixed]]
        return Pairs(self.moving[moving], self.fixed[fixed], titles, *labels)


class _RandomSampler(Sampler):
    """Each image goes with a random other one."""

    def partner(self, index):
        return (index + self.rng.integers(1, len(self.moving))) % len(self.moving)


def _rows_of_folder(folder):
    """One row for each image: its path, that of its labels if the folder has labels, and its name."""
    visible = (path for path in folder.iterdir() if not path.name.startswith("."))
    paths = sorted(path for path in visible if path.suffix.lower() in SUFFIXES)
    labels = folder / LABELS_FOLDER
    return [
        {"moving": path, "moving_labels": labels / path.name if labels.is_dir() else None, "title": _as_text(path.stem)}
        for path in paths
    ]


def _as_text(name):
    """The name of a file, which may hold bytes that are no text, for example because it is in Latin-1."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _rows_of_csv(path):
    """One row for each line, paths made absolute."""
    lines = read_list(path, COLUMNS)
    columns = lines[0] if lines else ()
    if ("moving_labels" in columns) != ("fixed_labels" in columns):
        raise InputError(f"{path} has only one of the columns moving_labels and fixed_labels: name both, or none")
    rows = []
    for number, line in enumerate(lines, start=2):
        if line.get("split", "test") not in SPLITS:
            raise InputError(f"line {number} of {path} has the split {line['split']!r}: expected {', '.join(SPLITS)}")
        row = {role: path.parent / line[role] if role in line else None for role in COLUMNS[:4]}
        title = f"{Path(line['moving']).stem} to {Path(line['fixed']).stem}"
        rows.append(row | {"title": title, "split": line.get("split")})
    return rows


def _read(rows, roles, where):
    """Titles, the split of each (N strings), and by role a batch (N, H, W, 1), or None, preprocessed."""
    titles, splits, stacks = [], [], {role: [] for role in roles}
    cache = {}
    for row in rows:
        stack = {role: _read_once(row[role], role, cache) for role in roles if row[role] is not None}
        lengths = {len(images) for images in stack.values()}
        if len(lengths) > 1:
            raise InputError(
                f"{' and '.join(str(row[role]) for role in stack)} hold different numbers of images: give equally many"
            )
        count = lengths.pop()
        titles += [row["title"]] if count == 1 else [f"{row['title']}[{index}]" for index in range(count)]
        splits += [row.get("split")] * count
        for role, images in stack.items():
            stacks[role].append(images)
    _check_sizes({row[role]: cache[row[role]].shape[1:3] for row in rows for role in roles if row[role] is not None})
    if len(titles) < 2 * FEWEST:
        kind = "images" if len(roles) == 2 else "pairs"
        remedy = "" if titles or kind == "pairs" else f"; if they are of another format, {REMEDY}"
        raise InputError(
            f"{where} has {len(titles)} {kind}: at least {2 * FEWEST} are needed, half of them for testing{remedy}"
        )
    stacks = {role: np.concatenate(parts) if parts else None for role, parts in stacks.items()}
    return titles, _split(titles, splits, where), _cropped(stacks)


def _read_once(path, role, cache):
    if path not in cache:
        cache[path] = read_labels(path) if "labels" in role else normalise_percentiles(read_intensities(path))
    return cache[path]


def _check_sizes(sizes):
    """Refuse images of several sizes, by naming the first two and an example of each."""
    examples = {size: path for path, size in sizes.items()}
    if len(examples) > 1:
        a, b = list(examples)[:2]
        raise InputError(
            f"the images have {len(examples)} sizes, such as {a[0]} x {a[1]} ({examples[a].name}) and {b[0]} x {b[1]} "
            f"({examples[b].name}): crop or pad them to one size (minireg.data.crop_to_object, minireg.data.pad)"
        )


def _split(titles, splits, where):
    """What each image or pair is for: as the file says, else by the hash of its name."""
    if None not in splits:
        train, test = (splits.count(name) for name in ("train", "test"))
        if min(train, test) < FEWEST:
            raise InputError(
                f"{where} gives {train} pairs to train and {test} to test: at least {FEWEST} of each are needed"
            )
        return np.array(splits)
    by_hash = sorted(range(len(titles)), key=lambda index: hashlib.sha256(titles[index].encode()).digest())
    test, validation = max(FEWEST, len(titles) // TEST_SHARE), len(titles) // VALIDATION_SHARE
    split = np.full(len(titles), "train", dtype="U10")
    split[by_hash[:test]] = "test"
    if validation >= FEWEST:
        split[by_hash[test : test + validation]] = "validation"
    return split


def _cropped(stacks):
    """The batches without what is background in all images."""
    images = np.concatenate([stack for role, stack in stacks.items() if "labels" not in role])
    _, box = crop_to_object(images, BACKGROUND_LEVEL, MARGIN)
    return {role: None if stack is None else np.ascontiguousarray(stack[:, box[0], box[1]])
            for role, stack in stacks.items()}  # fmt: skip

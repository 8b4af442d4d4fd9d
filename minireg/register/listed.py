"""Register every pair of a list, each into a folder of its own."""

import argparse
import csv
import sys
from pathlib import Path

from tqdm import tqdm

from minireg import command
from minireg.data.lists import read_list
from minireg.errors import InputError, MiniregError
from minireg.files import atomic_write, output_folder
from minireg.register.pair import INPUTS, NUMBERS, register_files

COLUMNS = (*INPUTS, "moving_slice", "fixed_slice", "name")  # of a list of pairs
LIST = "pairs.csv"


def read_pairs(args):
    """For each line of the CSV file `args.pairs` a copy of args for its pair; paths are relative to the file.

    Raises InputError where the file lists nothing, or two pairs of one name.
    """
    path = Path(args.pairs)
    lines = read_list(path, COLUMNS, may_be_empty=COLUMNS[2:])
    if not lines:
        raise InputError(f"{path} lists no pairs: expected one a line, below the line with the names of the columns")
    pairs, names = [], set()
    for number, line in enumerate(lines, start=1):
        given = {column: str(path.parent / text) if column in INPUTS else text for column, text in line.items() if text}
        name = given.pop("name", f"{number:04d}")
        if Path(name).name != name or name in ("..", LIST) or not name.isprintable() or name.casefold() in names:
            raise InputError(f"pair {number} of {path} cannot be called {name!r}: each needs a folder name of its own")
        names.add(name.casefold())
        pairs.append(argparse.Namespace(**vars(args) | given | {"out": Path(args.out) / name}))
    return pairs


def register_all(args, pairs, model):
    """Register the pairs that `read_pairs` returns; one that fails does not stop the others. Returns the exit code.

    Raises InputError where the folder holds a table of another origin.
    """
    path = Path(args.out) / LIST
    header = ["pair", *NUMBERS, "error"]
    if path.exists() and not path.read_bytes().startswith(",".join(header).encode()):
        raise InputError(f"--out {args.out} holds {LIST}, which is not from a registration: name another folder")
    rows = []
    with output_folder(args.out):
        try:
            for pair in tqdm(pairs, "registering", unit="pair"):
                row = {"pair": pair.out.name}
                try:
                    with output_folder(pair.out):
                        *_, numbers, _, hints = register_files(pair, model, progress=False)
                    row |= numbers
                    for hint in hints:
                        tqdm.write(f"hint: {pair.out.name}: {hint}", file=sys.stderr)
                except (MiniregError, OSError, MemoryError) as error:
                    row["error"] = " ".join(str(error).split()) or type(error).__name__
                rows.append(row)
        finally:  # interrupted, too
            with atomic_write(path, "w") as file:
                writer = csv.DictWriter(file, header, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    print(_table(rows))
    failed = sum("error" in row for row in rows)
    print(f"{len(rows) - failed} of {len(rows)} pairs registered; written to {args.out}, these numbers to {path}")
    return command.USER_MISTAKE if failed else 0


def _table(rows):
    width = max(len("pair"), *(len(row["pair"]) for row in rows))
    lines = [f"{'pair':{width}}  NCC before  after     folded  ms a pair"]
    for row in rows:
        before, after, folded, ms = ("" if "error" in row else f"{row[key]:{form}}" for key, form in NUMBERS.items())
        text = row.get("error") or f"{before:>10}  {after:>6}  {folded:>8}  {ms:>9}"
        lines.append(f"{row['pair']:{width}}  {text}")
    return "\n".join(lines)

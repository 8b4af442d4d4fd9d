"""Write tests/cupy_functions.txt: what CuPy offers, each name with its parameters; the strict backend keeps to it.

    python tests/list_cupy_functions.py

needs CuPy, but no GPU: its wheel can be imported anywhere. Run it again when the lowest supported CuPy changes.
"""

import inspect
import re
from pathlib import Path

import cupy

FILE = Path(__file__).with_name("cupy_functions.txt")
PLACES = {
    "": cupy,
    "lib.stride_tricks.": cupy.lib.stride_tricks,
    "linalg.": cupy.linalg,
    "ndarray.": cupy.ndarray,
}


def parameters(function):
    """Its parameters, with `*` and `**`; none for what is no function. What is compiled says them in its docstring."""
    try:
        return [re.match(r"\W*\w+", str(each))[0] for each in inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        said = re.match(r"[\w.]+\((.*?)\)", inspect.getdoc(function) or "")
        names = [each.split("=")[0].split()[-1] for each in said[1].split(", ")] if said and said[1] else []
        return [name for name in names if name not in ("self", "/", "\\*", "*")]


def main():
    lines = [f"cupy {cupy.__version__}"]
    for prefix, place in PLACES.items():
        names = [name for name in dir(place) if not name.startswith("_") or (prefix == "ndarray." and "__" in name)]
        lines += [" ".join([prefix + name, *parameters(getattr(place, name))]) for name in sorted(names)]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

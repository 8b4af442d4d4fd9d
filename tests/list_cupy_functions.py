"""Write tests/cupy_functions.txt: the names that CuPy offers, to which the strict backend keeps.

    python tests/list_cupy_functions.py

needs CuPy, but no GPU: its wheel can be imported anywhere. Run it again when the lowest supported CuPy changes.
"""

from pathlib import Path

import cupy

FILE = Path(__file__).with_name("cupy_functions.txt")
PLACES = {
    "": cupy,
    "lib.stride_tricks.": cupy.lib.stride_tricks,
    "linalg.": cupy.linalg,
    "ndarray.": cupy.ndarray,
}


def main():
    lines = [f"cupy {cupy.__version__}"]
    for prefix, place in PLACES.items():
        names = [name for name in dir(place) if not name.startswith("_") or (prefix == "ndarray." and "__" in name)]
        lines += [prefix + name for name in sorted(names)]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

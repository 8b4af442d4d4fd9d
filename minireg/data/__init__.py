"""Where images come from: MNIST, digits and head phantoms that are drawn on the spot, or your own files.

    source = load_data("phantom")       # or "mnist", a folder, a list of pairs: all are used in one way
    pairs = source.held_out(10)
    moving, fixed = source.sampler(rng).draw(16)

Each kind of source has a file of its own; `pairs.py` says what they have in common.
"""

from minireg.data.digits import PAIRINGS, DigitPairs, Digits
from minireg.data.folder import FolderPairs
from minireg.data.pairs import HELD_OUT_SEED, Pairs, Sampler
from minireg.data.phantom import MODALITIES, PhantomPairs
from minireg.data.preprocessing import crop_to_object, normalise_percentiles, pad
from minireg.data.sources import DIGITS, load_data, load_digits
from minireg.data.strokes import draw_digits, load_strokes

__all__ = [
    "DIGITS", "HELD_OUT_SEED", "MODALITIES", "PAIRINGS", "DigitPairs", "Digits", "FolderPairs", "Pairs", "PhantomPairs",
    "Sampler", "crop_to_object", "draw_digits", "load_data", "load_digits", "load_strokes", "normalise_percentiles",
    "pad",
]  # fmt: skip

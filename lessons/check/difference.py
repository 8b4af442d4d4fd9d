"""What kind of mistake turns the right numbers into these? For the hints of `lessons.check`.

Each question is asked of all cases together, as a teacher would ask it: is one the negative of the other, a multiple,
the same numbers elsewhere, right inside and wrong at the border? (`minireg.gradcheck.diagnosis` asks it of gradients.)
"""

import numpy as np


def same_numbers(a, b):
    """Do two arrays agree, to what float32 leaves?"""
    if a.shape != b.shape or not (is_number(a) and is_number(b)):
        return a.shape == b.shape and bool(np.all(a == b))
    scale = np.abs(b[np.isfinite(b)]).max(initial=0)
    return np.allclose(a, b, rtol=1e-5, atol=1e-5 * float(scale) + 1e-12, equal_nan=True)


def is_number(array):
    """Can one calculate with what the array holds?"""
    return array.dtype.kind in "fiub"


def is_infinite(a, b):
    """Is a result infinite or nan where the right one, b, is finite?"""
    return a.shape == b.shape and not np.isfinite(a[np.isfinite(b)]).all()


def pattern(exercise, pairs, others):
    """What turns the second of each pair into the first, everywhere, as the end of a sentence; or None."""
    every = lambda change: all(same_numbers(change(a), b) for a, b in pairs)
    if any(map(is_infinite, *zip(*pairs, strict=True))):
        return "is infinite or not a number (nan) where it should be finite. What is divided by zero?"
    if all(not a.any() for a, _ in pairs):
        if all(b.ndim == 0 for _, b in pairs):
            return "is zero everywhere."
        return "is zero everywhere. Is it ever filled, and is it made of floats? In an array of int 0.7 is 0."
    if all(b.ndim == 0 and set(np.unique(b)) <= {0.0, 1.0} for _, b in pairs):
        return None  # yes or no: there is no pattern to find
    if every(lambda a: -a):
        return "has the wrong sign everywhere."
    if any(all(same_numbers(a, o) for (a, _), o in zip(pairs, other, strict=True)) for other in others):
        return "is what another of the results should be: they are exchanged."
    sentence = _component_pattern(exercise, pairs)
    if sentence:
        return sentence
    factor = common_factor(pairs)
    if factor is not None:
        return f"has the right pattern, but {factor_in_words(factor)}."
    factors = [1.0 if same_numbers(a, b) else common_factor([(a, b)]) for a, b in pairs]
    if None not in factors:
        return (
            "has the right pattern, but is off by a factor that depends on the case: "
            + ", ".join(f"{factor:.4g}" for factor in factors)
            + ". What differs between the cases: the number of pixels, of images, of channels, a cotangent?"
        )
    if all(a.shape == b.shape and b.ndim == 4 for a, b in pairs):
        images = [image for a, b in pairs for image in zip(a, b, strict=True)]
        if all(same_numbers(a, b) or common_factor([(a, b)]) is not None for a, b in images):
            return (
                "has the right pattern in every image, but is off by a factor that depends on the image. What has each "
                "image of a batch for itself: a cotangent, a mean, a sum?"
            )
    for turn, words in _turns(pairs):
        if every(turn):
            return words
    offsets = [np.ravel(a - b) for a, b in pairs]
    constant = all(np.ptp(offset) <= 1e-5 * (np.abs(offset).max() + 1e-12) for offset in offsets)
    if constant and max(offset.size for offset in offsets) > 1:
        return "is off by the same amount at every element: a constant is added or missing."
    if _ends_early(pairs):
        return "is right at its beginning, and 0 from some element on. Does a loop end too early: a `return` inside it?"
    return None


def _ends_early(pairs):
    """Are the wrong results right up to an element in their first half, not just for whole images, and 0 from there?"""
    begun, within = False, False
    for a, b in pairs:
        if same_numbers(a, b):
            continue
        right = np.isclose(a, b, rtol=1e-5, atol=1e-5 * float(np.abs(b).max(initial=0)) + 1e-12).ravel()
        first = int((~right).argmax())
        if first == 0 or first > a.size / 2 or a.ravel()[first:].any():
            return False
        begun |= bool(a.any())
        within |= a.ndim < 4 or first % a[0].size > 0
    return begun and within


def _component_pattern(exercise, pairs):
    """Signs and order of the two entries of a last axis that stands for rows and columns."""
    if any(a.shape[-1:] != (2,) for a, _ in pairs):
        return None
    first, second = exercise.components
    every = lambda change: all(same_numbers(change(a), b) for a, b in pairs)
    if every(lambda a: a[..., ::-1]):
        return f"has its two components exchanged. The first is {first}, the second {second}."
    if every(lambda a: -a[..., ::-1]):
        return f"has its two components exchanged (the first is {first}, the second {second}), and the wrong sign."
    for k, name in enumerate((first, second)):
        signs = np.where(np.arange(2) == k, -1.0, 1.0)
        if every(lambda a, signs=signs: a * signs):
            return f"has the wrong sign along {name}; along {(first, second)[1 - k]} it is right."
        if every(lambda a, signs=signs: a[..., ::-1] * signs):
            return f"has its two components exchanged, and one of them has the wrong sign ({name})."
    wrong = [k for k in (0, 1) if any(not same_numbers(a[..., k], b[..., k]) for a, b in pairs)]
    if len(wrong) == 1:
        k = wrong[0]
        wrong_one = [(a[..., k : k + 1], b[..., k : k + 1]) for a, b in pairs]
        rest = pattern(exercise, wrong_one, [])
        if all(same_numbers(a[..., k], b[..., 1 - k]) for a, b in pairs):
            rest = f"is what belongs along {(first, second)[1 - k]}."
        return rest and f"is right along {(first, second)[1 - k]}, but along {(first, second)[k]} it {rest}"
    return None


def _turns(pairs):
    """Flips, transpositions and shifts by a pixel that keep every shape, with what to say if one of them fits."""
    a_shapes = [a.shape for a, _ in pairs]
    dimensions = {len(shape) for shape in a_shapes}
    if len(dimensions) != 1:
        return
    n = dimensions.pop()
    for axis in range(n):
        if all(shape[axis] > 1 for shape in a_shapes):
            yield (lambda a, axis=axis: np.flip(a, axis)), f"is flipped along axis {axis}."
            for step in (-1, 1):
                words = f"holds the right numbers, moved by one along axis {axis}: an index is off by one."
                yield (lambda a, axis=axis, step=step: np.roll(a, step, axis)), words
        for other in range(axis + 1, n):
            if all(shape[axis] == shape[other] for shape in a_shapes):
                swap = lambda a, axis=axis, other=other: np.swapaxes(a, axis, other)
                yield swap, f"has its axes {axis} and {other} exchanged: rows and columns?"


def place(exercise, pairs, others):
    """Where in the arrays the wrong elements lie: a batch, a border, a few, all."""
    wrong = [~np.isclose(a, b, rtol=1e-5, atol=1e-5 * float(np.abs(b).max(initial=0)) + 1e-12) for a, b in pairs]
    if all(b.ndim == 0 and set(np.unique(b)) <= {0.0, 1.0} for _, b in pairs):
        return "is True where it should be False, or False where it should be True."
    images = [w for w in wrong if w.ndim >= 3]
    if images and len(images) == len(wrong):
        if all(not w[0].any() for w in wrong) and any(len(w) > 1 for w in wrong):
            if images[0].ndim == 3:
                return "is right where its first index is 0, and wrong elsewhere. What is different in the others?"
            return "is right for the first image of a batch only. Are the others left out, or mixed with it?"
        inner = [w[:, 1:-1, 1:-1] if w.ndim == 4 else w[1:-1, 1:-1] for w in wrong]
        if all(w.size and not w.any() for w in inner):
            return "is right inside and wrong at the border of the image."
        if all(w.shape[-1] == 1 or not w[..., 0].any() for w in wrong) and any(w.shape[-1] > 1 for w in wrong):
            return "is right for the first channel only."
    if all(w.shape[-1:] == (2,) for w in wrong):
        right = [name for k, name in enumerate(exercise.components) if not any(w[..., k].any() for w in wrong)]
        if right:
            other = exercise.components[1 - exercise.components.index(right[0])]
            return f"is right along {right[0]}, but along {other} it is wrong."
    if all(np.allclose(a, b, rtol=0, atol=1e-2 * float(np.abs(b).max(initial=0))) for a, b in pairs):
        return "is almost right. What is not exact: a difference quotient, float32, a small number that is added?"
    share = sum(int(w.sum()) for w in wrong) / sum(w.size for w in wrong)
    if any(not w.any() for w in wrong):
        return "is right in some cases and wrong in others. What is special about the case below?"
    if share < 0.5:
        return "is right in most places and wrong in some. What do the wrong ones have in common?"
    return "differs from what was expected, and no common mistake fits. Take the smallest case and compute it by hand."


def common_factor(pairs):
    """The number k with a = k b in every pair of arrays, to what float32 leaves of each; None for no such k, 0 or 1."""
    if any(a.shape != b.shape or not (is_number(a) and is_number(b)) for a, b in pairs):
        return None
    a, b = (np.concatenate([part.astype(float).ravel() for part in parts]) for parts in zip(*pairs, strict=True))
    if not (np.isfinite(a).all() and np.isfinite(b).all()) or not b.any() or a.size < 2:
        return None
    factor = float((a @ b) / (b @ b))
    if abs(factor) < 1e-9 or abs(factor - 1) < 1e-5:
        return None
    return factor if all(same_numbers(a.astype(float), factor * b.astype(float)) for a, b in pairs) else None


def factor_in_words(factor):
    """A wrong factor, as the end of a sentence."""
    if abs(factor + 1) < 1e-5:
        return "the sign is wrong"
    return f"every number is {factor:.4g} times what it should be"

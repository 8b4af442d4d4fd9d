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


def simple_change(components, pairs):
    """The sign, factor or order of `components` (of a last axis of length 2) that turns the second of each pair into
    the first, as the end of a sentence; or None.
    """
    if any(a.shape != b.shape or not (is_number(a) and is_number(b)) for a, b in pairs):
        return None
    pairs = [(a.astype(float), b.astype(float)) for a, b in pairs]
    if all(b.ndim == 0 and set(np.unique(b)) <= {0.0, 1.0} for _, b in pairs):
        return None  # yes or no: there is no pattern to find
    if all(same_numbers(-a, b) for a, b in pairs):
        return "has the wrong sign everywhere."
    if all(a.shape[-1:] == (2,) for a, _ in pairs):
        sentence = _change_of_components(components, pairs)
        if sentence:
            return sentence
    factor = common_factor(pairs)
    return factor and f"has the right pattern, but every number is {factor:.4g} times what it should be."


def _change_of_components(components, pairs):
    """Signs and order of the two entries of a last axis that stands for rows and columns."""
    first, second = components
    every = lambda change: all(same_numbers(change(a), b) for a, b in pairs)
    if every(lambda a: a[..., ::-1]):
        return f"has its two components exchanged. The first is {first}, the second {second}."
    if every(lambda a: -a[..., ::-1]):
        return f"has its two components exchanged (the first is {first}, the second {second}), and the wrong sign."
    for k, name in enumerate(components):
        signs = np.where(np.arange(2) == k, -1.0, 1.0)
        if every(lambda a, signs=signs: a * signs):
            return f"has the wrong sign along {name}; along {components[1 - k]} it is right."
        if every(lambda a, signs=signs: a[..., ::-1] * signs):
            return f"has its two components exchanged, and one of them has the wrong sign ({name})."
    for k, name in enumerate(components):
        if all(same_numbers(a[..., 1 - k], b[..., 1 - k]) for a, b in pairs):
            if all(same_numbers(a[..., k], b[..., 1 - k]) for a, b in pairs):
                change = f"is what belongs along {components[1 - k]}."
            else:
                change = simple_change(components, [(a[..., k : k + 1], b[..., k : k + 1]) for a, b in pairs])
            return change and f"is right along {components[1 - k]}, but along {name} it {change}"
    return None


def pattern(components, pairs):
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
    sentence = simple_change(components, pairs)
    if sentence:
        return sentence
    factors = [1.0 if same_numbers(a, b) else common_factor([(a, b)]) for a, b in pairs]
    if None not in factors:
        return (
            "has the right pattern, but is off by a factor that depends on the case: "
            f"{', '.join(f'{factor:.4g}' for factor in factors)}. What differs between the cases: the number of "
            "pixels, of images, of channels, a cotangent?"
        )
    for turn, words in _turns(pairs):
        if every(turn):
            return words
    offsets = [np.ravel(a - b) for a, b in pairs]
    constant = all(np.ptp(offset) <= 1e-5 * (np.abs(offset).max() + 1e-12) for offset in offsets)
    if constant and max(offset.size for offset in offsets) > 1:
        return "is off by the same amount at every element: a constant is added or missing."
    return None


def _turns(pairs):
    """Flips, and shifts by a pixel, with what to say if one of them fits."""
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


def place(components, pairs):
    """Where in the arrays the wrong elements lie: a batch, a border, a few, all; None if only some cases are wrong."""
    wrong = [~np.isclose(a, b, rtol=1e-5, atol=1e-5 * float(np.abs(b).max(initial=0)) + 1e-12) for a, b in pairs]
    if all(b.ndim == 0 and set(np.unique(b)) <= {0.0, 1.0} for _, b in pairs):
        return "is True where it should be False, or False where it should be True."
    if all(w.shape[-1:] == (2,) for w in wrong):
        right = [name for k, name in enumerate(components) if not any(w[..., k].any() for w in wrong)]
        if right:
            other = components[1 - components.index(right[0])]
            return f"is right along {right[0]}, but along {other} it is wrong."
    if all(w.ndim >= 3 for w in wrong):
        if all(not w[0].any() for w in wrong) and any(len(w) > 1 for w in wrong):
            if wrong[0].ndim == 3:
                return "is right where its first index is 0, and wrong elsewhere. Are the others never reached?"
            return "is right for the first image of a batch only. Are the others left out, or mixed with it?"
        inner = [w[:, 1:-1, 1:-1] if w.ndim == 4 else w[1:-1, 1:-1] for w in wrong]
        if all(w.size and not w.any() for w in inner):
            return "is right inside and wrong at the border of the image."
        if all(w.shape[-1] == 1 or not w[..., 0].any() for w in wrong) and any(w.shape[-1] > 1 for w in wrong):
            return "is right for the first channel only."
    if all(np.allclose(a, b, rtol=0, atol=1e-2 * float(np.abs(b).max(initial=0))) for a, b in pairs):
        return "is almost right. What is not exact: a difference quotient, float32, a small number that is added?"
    share = sum(int(w.sum()) for w in wrong) / sum(w.size for w in wrong)
    if any(not w.any() for w in wrong):
        return None  # which cases these are says more
    if share < 0.5:
        return "is right in most places and wrong in some. What do the wrong ones have in common?"
    return "differs from what was expected, and no common mistake fits. Take the smallest case and compute it by hand."


def common_factor(pairs):
    """The number k with a = k b in every pair of arrays, to what float32 leaves; None for no such k, 0 or about 1."""
    if any(a.shape != b.shape or not (is_number(a) and is_number(b)) for a, b in pairs):
        return None
    a, b = (np.concatenate([part.astype(float).ravel() for part in parts]) for parts in zip(*pairs, strict=True))
    if not (np.isfinite(a).all() and np.isfinite(b).all()) or not b.any() or a.size < 2:
        return None
    factor = float((a @ b) / (b @ b))
    if abs(factor) < 1e-14 or abs(factor - 1) < 1e-3:
        return None
    return factor if all(same_numbers(a.astype(float), factor * b.astype(float)) for a, b in pairs) else None

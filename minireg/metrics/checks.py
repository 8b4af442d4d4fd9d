"""What every metric takes: finite floating-point NumPy arrays of a whole batch, and masks of it."""

import numpy as np

from minireg.errors import InputError


def float64_batches(channels=None, **arrays):
    """The named arrays in float64, checked to be finite float batches of one shape (N, H, W, channels)."""
    shapes = {getattr(array, "shape", None) for array in arrays.values()}
    shape = next(iter(shapes))
    fits = (
        all(isinstance(array, np.ndarray) and np.issubdtype(array.dtype, np.floating) for array in arrays.values())
        and len(shapes) == 1
        and len(shape) == 4
        and min(shape) > 0
        and channels in (None, shape[-1])
    )
    if not fits:
        found = " and ".join(
            f"{name}: {type(array).__name__} {getattr(array, 'dtype', '')} {getattr(array, 'shape', '')}"
            for name, array in arrays.items()
        )
        one_shape = " of one shape" if len(arrays) > 1 else ""
        expected = f"floating-point NumPy arrays{one_shape} (N, H, W, {channels or 'C'}), none of them empty"
        raise InputError(f"expected {expected}; found {found}")
    for name, array in arrays.items():
        unusable = array.size - np.count_nonzero(np.isfinite(array))
        if unusable:
            raise InputError(f"{unusable} of the {array.size} values of {name} are NaN or infinite")
    return [array.astype(np.float64) for array in arrays.values()]


def checked_mask(mask, shape):
    """The pixels that count, (N, H, W): `mask`, or all where it is None. Raises InputError where it does not fit."""
    if mask is None:
        return np.ones(shape, dtype=bool)
    if not (isinstance(mask, np.ndarray) and mask.dtype == bool and mask.shape == shape):
        found = f"{type(mask).__name__} {getattr(mask, 'dtype', '')} {getattr(mask, 'shape', '')}"
        raise InputError(f"expected a mask of booleans {shape}, one for each pixel; found {found}")
    return mask

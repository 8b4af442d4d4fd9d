"""How far a displacement field is from the true one, from landmarks, and from its own inverse: in pixels."""

import numpy as np

from minireg import backend, fields
from minireg.autograd import no_grad
from minireg.errors import InputError
from minireg.metrics.checks import checked_mask, float64_batches


def inverse_consistency(forward, backward):
    """How far from home one is after going along `forward` and back along `backward`, on average over all pixels.

        mean over p of |u(p) + w(p + u(p))|,    u = forward, w = backward

    w is interpolated bilinearly, and continues beyond the image as it is at its border. A method is consistent with
    itself where registering (moving, fixed) and (fixed, moving) gives fields that undo each other.

    Both are float arrays (N, H, W, 2), displacements in pixels; the result is a float64 array (N,), 0 and up, in
    pixels. Raises InputError where they are not, differ in shape or hold values that are not finite.

    Source: Christensen and Johnson, Consistent image registration, IEEE TMI 20 (2001), section II.

    >>> there = np.full((1, 8, 8, 2), [3.0, 4.0])
    >>> [inverse_consistency(there, back).item() for back in (-there, there)]
    [0.0, 10.0]
    """
    forward, backward = float64_batches(channels=2, forward=forward, backward=backward)
    with no_grad():
        there_and_back = fields.compose(backend.to_device(forward), backend.to_device(backward))
    return _length(backend.to_host(there_and_back.data)).mean(axis=(1, 2))


def target_registration_error(displacement, true_displacement, mask=None):
    """Mean distance between where a field sends the pixels and where they truly belong: mean of |u(p) - t(p)|.

    Every pixel of the mask is a landmark. Choose one: in a region without structure no method can know the truth.

    Parameters
    ----------
    displacement, true_displacement : float arrays (N, H, W, 2), in pixels
    mask : bool array (N, H, W), optional
        The pixels p that count, such as the foreground of the fixed image.

    Returns a float64 array (N,), 0 and up, in pixels; 0 where the mask is empty. Raises InputError as
    `inverse_consistency`, and for a mask that does not fit.

    >>> target_registration_error(np.full((1, 8, 8, 2), [3.0, 4.0]), np.zeros((1, 8, 8, 2))).tolist()
    [5.0]
    """
    u, t = float64_batches(channels=2, displacement=displacement, true_displacement=true_displacement)
    mask = checked_mask(mask, u.shape[:3])
    total = np.sum(_length(u - t), axis=(1, 2), where=mask)
    return total / np.maximum(np.count_nonzero(mask, axis=(1, 2)), 1)


def landmark_error(displacement, fixed_points, moving_points):
    """Target registration error at landmarks: mean of |q + u(q) - m| over pairs of points, q fixed and m moving.

    Points go from the fixed image to the moving one, along the field as it is, u interpolated bilinearly; images go the
    other way.

    displacement is a float array (N, H, W, 2), in pixels; fixed_points and moving_points are float arrays (N, K, 2),
    (row, column) in pixels, K at least 1. Returns a float64 array (N,), 0 and up, in pixels. Raises InputError for
    shapes that do not fit together, or values that are not finite.

    Source: Fitzpatrick and West, The distribution of target registration error in rigid-body point-based registration,
    IEEE TMI 20 (2001), for the name, doi:10.1109/42.952729.

    >>> landmark_error(np.zeros((1, 8, 8, 2)), np.array([[[1.0, 1.0]]]), np.array([[[4.0, 5.0]]])).tolist()
    [5.0]
    """
    (u,) = float64_batches(channels=2, displacement=displacement)
    shapes = np.shape(fixed_points), np.shape(moving_points)
    if shapes[0] != shapes[1] or len(shapes[0]) != 3 or shapes[0][::2] != (len(u), 2) or shapes[0][1] == 0:
        raise InputError(f"expected fixed and moving points of one shape ({len(u)}, K, 2), found {shapes}")
    fixed_points, moving_points = (
        points[..., 0]
        for points in float64_batches(fixed_points=fixed_points[..., None], moving_points=moving_points[..., None])
    )
    with no_grad():
        sent = fields.warp_points(backend.to_device(fixed_points), backend.to_device(u))
    return _length(backend.to_host(sent.data) - moving_points).mean(axis=1)


def _length(vectors):
    return np.sqrt(np.sum(vectors**2, axis=-1))

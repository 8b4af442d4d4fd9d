"""Warping of NumPy arrays: images and label maps are pulled back through a field, points are sent along it.

One border for all of it, in training and afterwards. Inside a network's graph `ops.warp` does the same on Tensors.
"""

from minireg import backend, ops
from minireg.autograd import no_grad
from minireg.backend import xp
from minireg.errors import InputError

WARP_BORDER = "edge"  # what lies beyond an image: its outermost pixels, continued


def warp_images(images, displacement):
    """Pull images back: `warped(p) = images(p + u(p))`, bilinear between pixels, on the backend in use.

    images (N, H, W, C) float, displacement (N, H, W, 2) in pixels -> (N, H, W, C), all NumPy. Raises as `ops.warp`.

    >>> image = np.array([[0, 1, 2], [3, 4, 5]], "float32").reshape(1, 2, 3, 1)
    >>> half_a_pixel_right = np.full((1, 2, 3, 2), (0, 0.5), "float32")
    >>> warp_images(image, half_a_pixel_right)[0, :, :, 0].tolist()
    [[0.5, 1.5, 2.0], [3.5, 4.5, 5.0]]
    """
    return _warp(ops.warp, images, displacement)


def warp_labels(labels, displacement):
    """Pull label maps back: every pixel takes the label of the nearest one, for between labels 1 and 3 lies nothing.

    labels (N, H, W, 1) integers, displacement (N, H, W, 2) in pixels -> (N, H, W, 1), all NumPy. Raises as
    `ops.warp_nearest`.

    >>> labels = np.array([1, 1, 3]).reshape(1, 1, 3, 1)
    >>> warp_labels(labels, np.full((1, 1, 3, 2), (0, 0.7), "float32")).ravel().tolist()
    [1, 3, 3]
    """
    return _warp(ops.warp_nearest, labels, displacement)


def _warp(sample, arrays, displacement):
    with no_grad():
        warped = sample(backend.to_device(arrays), backend.to_device(displacement), border=WARP_BORDER)
    return backend.to_host(warped.data)


def warp_points(points, displacement):
    """Send points of the fixed image to where they are in the moving image: q = p + u(p), u bilinear between pixels.

    Points go the other way than images. The warped image looks like the fixed one because its pixel p shows what the
    moving image has at p + u(p): so a landmark at p in the fixed image has its counterpart at p + u(p) in the moving
    image. To send points from the moving image to the fixed one, pass the inverse (`invert`, or `integrate` of -v).

    Parameters
    ----------
    points : (N, K, 2), in pixels: row, column; need not be whole numbers
    displacement : (N, H, W, 2), in pixels

    Returns a Tensor (N, K, 2); its gradients are those of `ops.warp`.

    Raises InputError where the shapes do not fit together, or points are not floating-point.

    >>> warp_points(np.array([[[2.5, 1]]], "float32"), np.full((1, 4, 4, 2), (0, 0.5), "float32")).data.tolist()
    [[[2.5, 1.5]]]
    """
    if points.ndim != 3 or points.shape[2] != 2 or len(points) != len(displacement) or points.dtype.kind != "f":
        raise InputError(
            f"expected floating-point points (N, K, 2), with the N of the displacement; got {points.dtype} of shape "
            f"{points.shape} for a displacement of shape {displacement.shape}"
        )
    # To `ops.warp` the points are an image one pixel high, whose pixel k sits at (0, k) and looks at points[k].
    own_place = xp.stack([xp.zeros(points.shape[1]), xp.arange(points.shape[1])], axis=-1).astype(points.dtype)
    there = ops.warp(displacement, (points - own_place)[:, None], border="edge")
    return points + there[:, 0]

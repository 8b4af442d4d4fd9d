"""`ops.warp` and its two VJPs as three kernels in C for a GPU, where starting a kernel takes longer than its work.

They compute what `sampling.py` computes with whole arrays, in the same symbols and in the same order, for one output
pixel after the other: a thread of the GPU takes pixel number `i`. What is an array there is a number here, V is a look
into the image, and the VJPs keep nothing but the image and the displacement, and look again.

T is float or double. An array is indexed by the number of the element, in row-major order.
"""

import functools

from minireg import backend
from minireg.backend import xp

DTYPES = ("float32", "float64")
SIZES = "int64 height, int64 width, int64 channels, int64 rows, int64 columns, int64 edge"

PREAMBLE = """
// V[k, l] is image pixel (k, l), and outside the image 0, or the nearest pixel if the border is "edge".
#define INSIDE(k, l) (edge || (k >= 0 && k < height && l >= 0 && l < width))
#define CLIP(k, size) (k < 0 ? 0 : k < size ? k : size - 1)
#define PLACE(k, l) ((first + CLIP(k, height) * width + CLIP(l, width)) * channels + channel)
#define V(k, l) (INSIDE(k, l) ? image[PLACE(k, l)] : 0)
#define SCATTER(k, l, share) if (INSIDE(k, l)) atomicAdd(&g_image[PLACE(k, l)], share)

__device__ T clipped(T coordinate, long long size) {
    return coordinate < -2 ? -2 : coordinate > size ? size : coordinate;  // NaN stays NaN
}
"""

CELL = """
    // Output pixel i is at (row, column) and looks at (r, c), in a cell that begins at pixel (k, l).
    const long long column = i % columns, row = i / columns % rows;
    const long long first = i / columns / rows * height * width;  // of the pixels of this image
    const T r = clipped(row + u[2 * i], height), c = clipped(column + u[2 * i + 1], width);
    const bool nan = r != r || c != c;  // which has its place outside
    const long long k = nan ? -2 : (long long)floor(r), l = nan ? -2 : (long long)floor(c);
    const T s = r - floor(r), t = c - floor(c);
"""

CORNERS = """
        const T V_00 = V(k, l), V_01 = V(k, l + 1), V_10 = V(k + 1, l), V_11 = V(k + 1, l + 1);
        const T across_top = V_01 - V_00, across_bottom = V_11 - V_10;
        const T top = V_00 + t * across_top, down = V_10 + t * across_bottom - top;
"""

FORWARD = f"""{CELL}
    for (long long channel = 0; channel < channels; ++channel) {{{CORNERS}
        y[i * channels + channel] = top + s * down;
    }}
"""

VJP_IMAGE = f"""{CELL}
    for (long long channel = 0; channel < channels; ++channel) {{
        const T g_bottom = s * g[i * channels + channel], g_top = g[i * channels + channel] - g_bottom;
        const T g_01 = t * g_top, g_11 = t * g_bottom;
        SCATTER(k, l, g_top - g_01);
        SCATTER(k, l + 1, g_01);
        SCATTER(k + 1, l, g_bottom - g_11);
        SCATTER(k + 1, l + 1, g_11);
    }}
"""

VJP_DISPLACEMENT = f"""{CELL}
    T g_row = 0, g_column = 0;
    for (long long channel = 0; channel < channels; ++channel) {{{CORNERS}
        const T across = across_top + s * (across_bottom - across_top);
        g_row += g[i * channels + channel] * down;
        g_column += g[i * channels + channel] * across;
    }}
    g_u[2 * i] = g_row;
    g_u[2 * i + 1] = g_column;
"""


def fit(image, displacement):
    """Whether the backend in use compiles kernels, and these are for arrays of such dtypes."""
    return backend.active().elementwise_kernel is not None and image.dtype == displacement.dtype in DTYPES


def warp(image, displacement, border):
    """The raw result of `ops.warp` and its two VJPs; the arguments have been checked."""
    n, height, width, channels = image.shape
    rows, columns = displacement.shape[1:3]
    forward, scatter, slope = _compiled(backend.active().elementwise_kernel)

    def run(kernel, *arrays):
        kernel(*arrays[:-1], height, width, channels, rows, columns, int(border == "edge"), arrays[-1],
               size=n * rows * columns)  # fmt: skip
        return arrays[-1]

    y = run(forward, image, displacement, xp.empty((n, rows, columns, channels), image.dtype))
    return y, (
        lambda g: run(scatter, g, displacement, xp.zeros(image.shape, image.dtype)),
        lambda g: run(slope, g, image, displacement, xp.empty(displacement.shape, image.dtype)),
    )


@functools.cache
def _compiled(elementwise_kernel):
    """The three kernels, by CuPy's `ElementwiseKernel`, which compiles each for a dtype when it first meets it."""
    # Without fused multiply-adds the GPU rounds as NumPy does.
    options = {"preamble": PREAMBLE, "options": ("--fmad=false",)}
    return (
        elementwise_kernel(f"raw T image, raw T u, {SIZES}", "raw T y", FORWARD, "warp", **options),
        elementwise_kernel(f"raw T g, raw T u, {SIZES}", "raw T g_image", VJP_IMAGE, "warp_vjp_image", **options),
        elementwise_kernel(
            f"raw T g, raw T image, raw T u, {SIZES}", "raw T g_u", VJP_DISPLACEMENT, "warp_vjp_displacement", **options
        ),
    )

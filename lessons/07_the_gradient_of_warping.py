# %% [markdown]
# # 7. The hand-derived gradient of warping
#
# - **You need**: lesson 2 (bilinear sampling), lesson 5 (VJP, cotangent, `backward`) and lesson 6 (difference
#   quotients, the adjoint test, `gradcheck`); the derivative of a product.
# - **You will know**: how to derive both gradients of bilinear sampling; why the gradient of the image is a scatter, in
#   which shares must add up; which derivative is meant at a whole number of pixels and at the border; what the gradient
#   can tell a displacement field, and what it cannot.
# - **Time**: reading 35 minutes, running under 10 seconds.
#
# In lesson 4 two numbers moved a whole image, and you derived two derivatives. A displacement field for a 28 x 28 image
# holds 1,568 numbers. Lesson 5 has shown how one walk backwards finds all derivatives of one loss, if every operation
# on the way brings its vector-Jacobian product (VJP). Warping has two inputs, the image and the displacement, so it has
# two VJPs:
#
# - The cotangent g says how the loss changes with every output pixel. How does it change with the *displacement*? This
#   is what registration follows downhill.
# - And how does it change with the *image*? You need this where the image has itself been computed: a field that is
#   warped by another field, an image that is warped twice.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

from lesson import Lesson
from minireg import Tensor, backend, ops
from minireg.data.strokes import draw_digits
from minireg.gradcheck import gradcheck

lesson = Lesson(7)

# %% [markdown]
# ## On a line
#
# Begin with one row of pixels, `line`, which is read at one place c between them. With j = floor(c) and t = c - j, the
# result of lesson 2 is
#
#     y = (1 - t) line[j] + t line[j+1]
#
# **How does y change with the pixels?** As a function of the pixels, this formula is linear: the derivative is 1 - t
# for pixel j, t for pixel j + 1, and 0 for every other. A VJP is the cotangent times the derivative: g (1 - t) and g t.
#
# **How does y change with c?** Let c grow by a little, so little that it stays between the same two pixels. Then j does
# not change, t grows by as much as c, and the formula gives
#
#     dy/dc = line[j+1] - line[j]
#
# The derivative is the step from one pixel to the next. It depends on c only through j.


# %%
def split(c):
    return math.floor(c), c - math.floor(c)


def sample(line, c):
    j, t = split(c)
    return (1 - t) * line[j] + t * line[j + 1]


def vjp_line(g, line, c):
    j, t = split(c)
    g_line = np.zeros_like(line)
    g_line[[j, j + 1]] = g * (1 - t), g * t
    return g_line


def vjp_c(g, line, c):
    return g * (line[math.floor(c) + 1] - line[math.floor(c)])


def difference(f, x, direction=1.0, h=1e-6):
    # The central difference of lesson 6, of a function that returns one number.
    return (f(x + h * direction) - f(x - h * direction)) / (2 * h)


rng = np.random.default_rng(7)
line, d = np.array([0.1, 0.2, 0.9, 0.7, 0.7, 0.3, 0.6]), rng.standard_normal(7)
c, g = 2.3, 1.7
assert math.isclose(vjp_c(g, line, c), g * difference(lambda c: sample(line, c), c), rel_tol=1e-6)
assert math.isclose(vjp_line(g, line, c) @ d, g * difference(lambda line: sample(line, c), line, d), rel_tol=1e-6)

# %% [markdown]
# Both agree with the difference quotient, the second along a random direction d, which tests all pixels at once. Now
# put c exactly on pixel 2. The left neighbour pixel 1 is darker, and the right one, pixel 3, is darker too: coming from
# the left the curve climbs, and going on to the right it falls. Two slopes meet in a **kink**, and a kink has no
# derivative. What do the formula and the difference quotient say there?

# %%
left, right = line[2] - line[1], line[3] - line[2]
formula, quotient = vjp_c(1.0, line, 2.0), difference(lambda c: sample(line, c), 2.0)
print(f"slope to the left {left:.2f}, to the right {right:.2f}; formula {formula:.2f}, quotient {quotient:.2f}")
assert formula == right and math.isclose(quotient, (left + right) / 2, rel_tol=1e-6)

# %% [markdown]
# The formula gives the slope to the right, because `floor` puts a whole number at the *beginning* of its cell:
# floor(2.0) is 2, so the pixels are 2 and 3. The difference quotient looks to both sides and gives the mean of both
# slopes. Neither is wrong: at a kink one has to choose, and to say what was chosen. Keep in mind that the two disagree
# at whole numbers, also when the code is right. That is why a gradient check of a warp must keep away from them.

# %% tags=["hide-input"]
places = np.linspace(0, len(line) - 1, 481)[:-1]
figure, (above, below) = plt.subplots(2, 1, figsize=(7, 5), sharex=True, layout="constrained")
above.plot(places, [sample(line, c) for c in places], color="tab:blue")
above.plot(range(len(line)), line, "o", color="black", label="pixels")
above.set(ylabel="y", title="Between two pixels the curve is straight; at every pixel it bends")
above.legend()
for j in range(len(line) - 1):
    below.plot([j, j + 1], [vjp_c(1.0, line, j)] * 2, color="tab:red", label="formula" if j == 0 else None)
    below.plot(j, vjp_c(1.0, line, j), "o", color="tab:red")
    below.plot(j + 1, vjp_c(1.0, line, j), "o", color="tab:red", markerfacecolor="white")
kinks = range(1, len(line) - 1)
quotients = [difference(lambda c: sample(line, c), float(j)) for j in kinks]
below.plot(kinks, quotients, "x", color="black", markersize=8, label="difference quotient at a pixel")
below.axhline(0, color="grey", linewidth=0.8)
below.set(xlabel="c, in pixels", ylabel="dy/dc", title="Its derivative is a staircase: full dots belong to the step")
below.legend()
lesson.save(figure, "staircase")

# %% [markdown]
# Look at pixels 3 and 4 in the picture. They are equally bright, the step between them is 0, and so is the derivative
# everywhere between them. *Where the image is flat, the gradient is zero.* This will return.
#
# ## In the plane: the displacement
#
# In lesson 4 all pixels had one displacement. Now each has its own, and so its own cell. The output pixel p = (row,
# column) looks at r = row + u_row and c = column + u_column. Along the rows, i = floor(r) and s = r - i; along the
# columns, j = floor(c) and t = c - j. V is the image continued by zeros beyond its border. Then
#
#     y = (1 - s) ((1 - t) V[i, j] + t V[i, j+1]) + s ((1 - t) V[i+1, j] + t V[i+1, j+1])
#
# To differentiate along the rows, hold the column still. Then only s changes, and it grows by as much as u_row. What
# stands behind (1 - s) enters with a minus, what stands behind s with a plus; sorted by the weights 1 - t and t,
#
#     dy/du_row    = (1 - t) (V[i+1, j] - V[i, j]) + t (V[i+1, j+1] - V[i, j+1])
#
# Both vertical steps of the cell, weighted by where the point lies *across*, between its left and its right side. For
# the columns the roles change: both horizontal steps, weighted by where it lies between top and bottom.
#
#     dy/du_column = (1 - s) (V[i, j+1] - V[i, j]) + s (V[i+1, j+1] - V[i+1, j])
#
# One displacement moves all channels of its pixel. So the changes of all channels add up: the VJP multiplies each with
# its own g and sums over the channels.


# %%
def value(image, i, j):
    # V[i, j] for one image (H, W, C)
    inside = 0 <= i < image.shape[0] and 0 <= j < image.shape[1]
    return image[i, j] if inside else np.zeros(image.shape[2])


def look(image, u, p):
    # Where in its cell the output pixel p looks, (s, t), and the four pixels V (2, 2, C) of this cell.
    (i, s), (j, t) = map(split, p + u[p])
    return s, t, np.array([[value(image, row, column) for column in (j, j + 1)] for row in (i, i + 1)])


def warp_loops(image, u):
    y = np.zeros((*u.shape[:2], image.shape[2]))
    for p in np.ndindex(u.shape[:2]):
        s, t, V = look(image, u, p)
        y[p] = (1 - s) * ((1 - t) * V[0, 0] + t * V[0, 1]) + s * ((1 - t) * V[1, 0] + t * V[1, 1])
    return y


def slopes(V, s, t):
    # dy/du_row and dy/du_column
    along_rows = (1 - t) * (V[1, 0] - V[0, 0]) + t * (V[1, 1] - V[0, 1])
    along_columns = (1 - s) * (V[0, 1] - V[0, 0]) + s * (V[1, 1] - V[1, 0])
    return along_rows, along_columns


def vjp_displacement_loops(g, image, u):
    g_u = np.zeros(u.shape)
    for p in np.ndindex(u.shape[:2]):
        s, t, V = look(image, u, p)
        g_u[p] = [np.sum(g[p] * slope) for slope in slopes(V, s, t)]  # over the channels
    return g_u


# %% [markdown]
# Is it right? Take a small image with two channels, a field that looks up to one pixel away and keeps clear of whole
# numbers, a random cotangent and a random direction.

# %%
image, g, d, u = (rng.standard_normal((5, 4, 2)) for _ in range(4))
u = rng.integers(-1, 1, u.shape) + rng.uniform(0.1, 0.9, u.shape)
g_u = vjp_displacement_loops(g, image, u)
assert math.isclose(np.sum(g_u * d), difference(lambda u: np.sum(g * warp_loops(image, u)), u, d), rel_tol=1e-6)

# %% [markdown]
# ### Break it
#
# Lesson 4 named an easy slip: to weight the vertical steps with s instead of t, each derivative with the fraction of
# its *own* axis. In the code above this is `slopes(V, t, s)`. Would a test notice? Try it on the image that one would
# choose for a test: a ramp, on which bilinear sampling is exact.

# %%
# On the ramp one row further is 4 brighter, one column further 2.
ramp, uneven = np.array([[3.0, 5.0], [7.0, 9.0]]), np.array([[3.0, 5.0], [7.0, 1.0]])
for V in ramp, uneven:
    print("right", np.round(slopes(V, 0.2, 0.7), 2), " exchanged", np.round(slopes(V, 0.7, 0.2), 2))
assert np.allclose(slopes(ramp, 0.2, 0.7), slopes(ramp, 0.7, 0.2))
assert not np.allclose(slopes(uneven, 0.2, 0.7), slopes(uneven, 0.7, 0.2), atol=1)

# %% [markdown]
# On the ramp both vertical steps are equal, so it does not matter how they are weighted, and the wrong code passes. A
# test image must have no symmetry that the mistake could hide behind: random pixels, as above.
#
# ## The image: a scatter
#
# Now hold the displacement still and let the image change. Every output pixel is a sum of four pixels with fixed
# weights: warping is *linear* in the image. So it is the product with a matrix A, one row per output and one column per
# pixel, and you know from lesson 6 that the VJP of y = A x is the product with the transposed matrix, A^T g. On a line
# one can look at the matrix.

# %%
places = np.array([0.5, 2.25, 3.75, 3.5])
A = np.array([vjp_line(1.0, line, c) for c in places])
assert np.allclose(A @ line, [sample(line, c) for c in places]) and np.allclose(A.sum(axis=1), 1)
g = np.array([1.0, 10.0, 100.0, 1000.0])
print(A, (A.T @ g).tolist(), sep="\n")
assert np.allclose(A.T @ g, [0.5, 0.5, 7.5, 527.5, 575, 0, 0])

# %% [markdown]
# A row of A says where an output *reads*: it gathers from two pixels, and its weights add up to 1. A column says by
# whom a pixel *is read*, and with A^T the cotangents go the same ways back: every output hands g (1 - t) to the pixel
# before and g t to the pixel after. This is a **scatter**, the adjoint of the gather. Pixel 4 is read twice, by the
# third and the fourth output, and gets both shares: .75 x 100 + .5 x 1000 = 575. Pixel 6 is read by nobody and gets 0.
#
# A pixel that is hit twice must get the sum. With whole arrays there is a trap:

# %%
j = np.floor(places).astype(int)
shares = g * (1 - (places - j))  # for the pixels before the places
lost, complete = np.zeros(7), np.zeros(7)
lost[j] += shares
np.add.at(complete, j, shares)
print(f"pixels {j}, shares {shares}: += leaves {lost[3]} at pixel 3, np.add.at {complete[3]}")
assert complete[3] == 25 + 500 and lost[3] == 500

# %% [markdown]
# `lost[j] += shares` means `lost[j] = lost[j] + shares`: NumPy reads all of `lost[j]` first, adds, and then writes.
# Where an index appears twice, the second write overwrites the first, and a share is lost without a word. `np.add.at`
# adds one after the other.
#
# In the plane it is the same with four shares. The test is the one that needs no difference quotient and no step: for a
# linear operation A, the adjoint `A*` is *defined* by `<A x, g> = <x, A* g>`.


# %%
def vjp_image_loops(g, shape, u):
    g_image = np.zeros(shape)
    for p in np.ndindex(u.shape[:2]):
        (i, s), (j, t) = map(split, p + u[p])
        for row, row_weight in (i, 1 - s), (i + 1, s):
            for column, column_weight in (j, 1 - t), (j + 1, t):
                if 0 <= row < shape[0] and 0 <= column < shape[1]:
                    g_image[row, column] += row_weight * column_weight * g[p]
    return g_image


g = rng.standard_normal((5, 4, 2))
g_image = vjp_image_loops(g, image.shape, u)
assert math.isclose(np.sum(warp_loops(image, u) * g), np.sum(image * g_image), rel_tol=1e-12)

# the output shows the middle of the image twice as large
zoom = -0.5 * (np.stack(np.mgrid[:9, :9], axis=-1) - 4)
x, g_y = rng.standard_normal((2, 9, 9, 1))
assert math.isclose(np.sum(warp_loops(x, zoom) * g_y), np.sum(x * vjp_image_loops(g_y, x.shape, zoom)), rel_tol=1e-9)
reads = vjp_image_loops(np.ones((9, 9, 1)), (9, 9, 1), zoom)
along_an_axis = np.array([0, 0, 1.5, 2, 2, 2, 1.5, 0, 0])
assert np.array_equal(reads[..., 0], np.outer(along_an_axis, along_an_axis)) and reads.sum() == 81

# %% [markdown]
# The adjoint test passes here too, where every pixel that is read at all is read several times. How often? `reads` is
# the VJP for a cotangent of ones: the sum of the weights with which each pixel is read. In a picture that is enlarged
# twice, every pixel of the middle is spread over four, so it is read four times, twice along each axis. At the rim of
# what is shown it is read from one side less, 1.5 times instead of twice: that makes 3, and 2.25 in the corners. What
# lies further out is not read at all. The sum is 81, one for each output pixel, because the four weights add up to 1
# and here no point lies outside the image.

# %% tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.3), layout="constrained")
points = np.stack(np.mgrid[:9, :9], axis=-1) + zoom
for axes in (left, right):
    axes.set(xticks=range(9), yticks=range(9), xlabel="column")
left.imshow(np.zeros((9, 9)), cmap="Greys", vmin=0, vmax=1)
left.set(xticks=range(9), title="Gather: where the 81 output pixels look", ylabel="row")
left.set_xticks(np.arange(9) + 0.5, minor=True)
left.set_yticks(np.arange(9) + 0.5, minor=True)
left.grid(which="minor", color="lightgrey")
left.plot(points[..., 1].ravel(), points[..., 0].ravel(), "o", color="tab:blue", markersize=4)
shown = right.imshow(reads[..., 0], cmap="Blues", vmin=0)
for i, j in np.ndindex(9, 9):
    text_colour = "white" if reads[i, j, 0] > 2 else "black"
    right.text(j, i, f"{reads[i, j, 0]:g}", ha="center", va="center", color=text_colour, fontsize=8)
right.set_title("Scatter: the VJP of a cotangent of ones")
lesson.save(figure, "scatter")

# %% [markdown]
# You have met the scatter before: it is the push of lesson 1, each value of g pushed to where p + u(p) lies. For a
# picture this was bad, because it left holes and made collisions. For a gradient it is right: a hole is a pixel that no
# output depends on, and the gradient there is 0; at a collision several outputs depend on one pixel, and their shares
# add up. A displacement by one whole pixel shows the push at its plainest: everybody looks one column further right,
# and all of g moves one column to the right (out of the image, in the last column).

# %%
one_further = np.broadcast_to([0, 1], (5, 4, 2))  # every pixel looks one column further
assert np.array_equal(vjp_image_loops(g, (5, 4, 2), one_further)[:, 1:], g[:, :-1])

# %% [markdown]
# ## The project's warp
#
# `ops.warp` in `minireg/ops/sampling.py` has the forward and both VJPs of whole batches next to one another, without
# loops over pixels. Ask the engine for its gradients, starting from the same cotangent:

# %%
tensors = [Tensor(backend.to_device(array[None]), requires_grad=True) for array in (image, u)]
y = ops.warp(*tensors)
y.backward(backend.to_device(g[None]))
by_hand = warp_loops(image, u), g_image, vjp_displacement_loops(g, image, u)
for ours, theirs in zip(by_hand, (y.data, *(tensor.grad for tensor in tensors)), strict=True):
    assert np.allclose(backend.to_host(theirs)[0], ours, rtol=1e-9)
gradcheck(ops.warp, image[None], u[None], linear=(0,))

# %% [markdown]
# `linear=(0,)` tells the checker that the op is linear in its first argument, so that it also does the adjoint test.
#
# ## On the border
#
# What lies beyond the image decides the derivative there. Read one row of pixels along a line that begins and ends far
# outside, with the border "zeros" and with the border "edge", and let the engine compute the slope at every place: for
# a cotangent of ones, the VJP of the displacement is the slope itself. (Lesson 6 warned of ones as a *test*. To read
# off slopes they will do here: each output depends on its own displacement only, so no two slopes are mixed.)


# %%
def read_with_slope(image, u, border):
    # The warped images (N, H', W', C), and the VJP of the displacement for a cotangent of ones.
    u = Tensor(backend.to_device(u), requires_grad=True)
    y = ops.warp(backend.to_device(image), u, border)
    y.backward(backend.to_device(np.ones(y.shape, u.dtype)))
    return backend.to_host(y.data), backend.to_host(u.grad)


# %% tags=["hide-input"]
def along_a_row(row, places, border):
    u = np.zeros((1, 1, len(places), 2))
    u[0, 0, :, 1] = places - np.arange(len(places))  # output pixel number k looks at places[k]
    y, g_u = read_with_slope(row.reshape(1, 1, -1, 1), u, border)
    return y.ravel(), g_u[0, 0, :, 1]


row = np.array([0.8, 0.6, 0.3, 0.9])
places = np.array([-2.5, -0.5, 1.5, 3.0, 3.5, 4.5])
assert np.allclose(along_a_row(row, places, "zeros")[1], [0, 0.8, -0.3, -0.9, -0.9, 0])
assert np.allclose(along_a_row(row, places, "edge")[1], [0, 0, -0.3, 0, 0, 0])

figure, panels = plt.subplots(2, 2, figsize=(9, 5), sharex=True, sharey="row", layout="constrained")
fine = np.linspace(-3, 6, 1800, endpoint=False)
for (above, below), border in zip(panels.T, ("zeros", "edge"), strict=True):
    values, row_slopes = along_a_row(row, fine, border)
    above.plot(fine, values, color="tab:blue")
    above.plot(range(4), row, "o", color="black", markersize=4)
    below.plot(fine, np.where(np.diff(row_slopes, prepend=0) == 0, row_slopes, np.nan), color="tab:red")
    above.set_title(f'border "{border}"')
    below.set(xlabel="c, in pixels")
    for axes in (above, below):
        axes.axvspan(0, 3, color="lightgrey", alpha=0.4)
panels[0, 0].set_ylabel("y")
panels[1, 0].set_ylabel("dy/dc")
figure.suptitle("The image (grey) ends in a ramp to zero, or goes on with its last pixel; further out dy/dc is 0")
lesson.save(figure, "border")

# %% [markdown]
# With "zeros" the image ends in a ramp, one pixel wide, and there the slope is the whole brightness of the last pixel.
# With "edge" it goes on for ever and the slope across the border is 0. In both cases a point that has strayed more than
# one pixel beyond the border has no gradient *across* it: nothing calls it back. (Along the border it may have one,
# with "edge": what goes on for ever is the last pixel of every row, and the rows differ.)
#
# The last pixel itself, at c = 3, is a whole number, a kink, and the derivative is the one to the *right*: -.9, out
# into the black. So a white image has a gradient in its last row even under the field u = 0 that displaces nothing. And
# u = 0 lies on kinks everywhere: every point is a whole number. What comes out there is the step to the next pixel:

# %%
white, digit, nowhere = np.ones((1, 28, 28, 1)), draw_digits([3], rng).astype(float), np.zeros((1, 28, 28, 2))
g_white, g_digit = (read_with_slope(image, nowhere, "zeros")[1] for image in (white, digit))
assert np.all(g_white[0, -1, :, 0] == -1) and np.all(g_white[0, :-1, :, 0] == 0)
assert np.array_equal(g_digit[0, :-1, :, 0], np.diff(digit[0, :, :, 0], axis=0))
assert not read_with_slope(white, nowhere, "edge")[1].any()
assert np.array_equal(g_digit, read_with_slope(digit, nowhere, "edge")[1])
uneven, far_left = np.random.default_rng(8).random((1, 28, 28, 1)), nowhere - [0, 40]
along_rows, along_columns = np.moveaxis(read_with_slope(uneven, far_left, "edge")[1], -1, 0)
assert along_rows.any() and not along_columns.any() and not read_with_slope(uneven, far_left, "zeros")[1].any()

# %% [markdown]
# The fourth assertion: the digit has a black border, so both borders are the same to it. The last one is what stands
# above about points that have strayed.
#
# ## What the gradient tells a displacement field
#
# Two handwritten threes, and the loss L = MSE(warp(moving, u), fixed) with a displacement for every pixel, at u = 0.
# The VJP that you have derived gives all 1,568 derivatives at once. The cotangent is the derivative of the MSE, with n
# pixels: g = 2 (y - fixed) / n.

# %%
moving, fixed = draw_digits([3, 3], np.random.default_rng(9))
u, y = nowhere[0], warp_loops(moving, nowhere[0])
loss, g = np.mean((y - fixed) ** 2), 2 * (y - fixed) / y.size
g_u = vjp_displacement_loops(g, moving, u)
steps = vjp_displacement_loops(np.ones_like(g), moving, u)  # to the next pixel below and to the right
flat, silent = np.all(steps == 0, axis=-1), np.all(g_u == 0, axis=-1)
assert np.mean(flat) > 0.7 and np.all(silent[flat])
downhill = -0.4 * g_u / np.abs(g_u).max()  # the longest component is 0.4 pixels
loss_after = np.mean((warp_loops(moving, u + downhill) - fixed) ** 2)
print(f"flat at {np.mean(flat):.0%} of the pixels; loss {loss:.4f}, after one step downhill {loss_after:.4f}")
assert loss_after < 0.9 * loss

# %% tags=["hide-input"]
uphill = np.sum(-g_u * steps, axis=-1)  # does -g_u go along the steps or against them?
assert np.array_equal(np.sign(uphill[~flat]), np.sign(fixed - y)[~flat, 0])
across_the_slope = g_u[..., 0] * steps[..., 1] - g_u[..., 1] * steps[..., 0]
assert np.allclose(across_the_slope, 0, atol=1e-9)

figure, panels = plt.subplot_mosaic(
    [["fixed", "step"], ["moving", "step"]], figsize=(9, 6.2), width_ratios=(1, 2), layout="constrained"
)
for name, image in ("fixed", fixed), ("moving", moving):
    panels[name].imshow(image[..., 0], cmap="gray")
    panels[name].set_title(name)
panels["step"].imshow((y - fixed)[..., 0], cmap="RdBu_r", vmin=-1, vmax=1)
panels["step"].set_title("One step downhill, along -g_u (arrows 10 times enlarged)")
p_rows, p_columns = np.nonzero(~silent)
arrows = 10 * downhill[~silent]
panels["step"].quiver(
    p_columns, p_rows, arrows[:, 1], arrows[:, 0], angles="xy", scale_units="xy", scale=1, width=0.004
)
panels["step"].set(xlim=(3.5, 26.5), ylim=(26.5, 3.5))
for axes in panels.values():
    axes.set(xticks=[], yticks=[])
figure.suptitle("Where should every pixel look? Red: too bright, blue: too dark; white: the images agree")
lesson.save(figure, "downhill")

# %% [markdown]
# What the gradient tells, and what it cannot tell:
#
# - Where the picture is too dark (blue), the arrow points uphill: look further into the ink. Where it is too bright
#   (red), it points downhill: look out of the ink. A small step along the arrows lowers the loss.
# - In a flat part there is no arrow, however wrong the picture is there. The gradient sees no further than one cell,
#   and in the cell there is nothing to follow.
# - The arrows lie exactly along the slope of the image, across the edges of the stroke. With a single channel, the
#   cotangent of a pixel is one number: it can turn the arrow round and change its length, but not its direction.
#   Whether ink should slide *along* the stroke is a question that no pixel answers.
#
# So most pixels of a field learn nothing from this gradient, and the others only half. Lesson 9 (not written yet)
# will follow such arrows for many steps, see what becomes of the field, and connect its neighbours.
#
# ## What you know now
#
# - The derivative with respect to the displacement: the steps of the cell along one axis, weighted by where the point
#   lies along the *other* axis, times the cotangent, summed over the channels.
# - The VJP of the image: a scatter, the adjoint of the gather. Shares that meet add up, and `+=` with an index array
#   loses them.
# - At a whole number of pixels the derivative is the one in the direction of growing r and c; a difference quotient
#   gives the mean of both sides there. The border "zeros" is a ramp of one pixel, the border "edge" is flat; far
#   outside there is no gradient that leads back.
# - No gradient where the image is flat, and none along an edge.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_07.py` and run `python -m lessons.check 07` from the top folder.
#
# 1. `vjp_displacement`: the VJP of the displacement for whole batches, without a loop over the pixels.
# 2. `vjp_image`: the scatter for whole batches.
# 3. `one_sided_slopes`: the two slopes of a row of pixels at a place, also on a kink and at the border.
#
# Next: [8. The hand-derived gradient of NCC](08_the_gradient_of_ncc.py), the loss; then both are chained.

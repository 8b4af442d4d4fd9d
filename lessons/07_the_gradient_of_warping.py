# %% [markdown]
# # 7. The hand-derived gradient of warping
#
# - **You need**: lesson 2 (bilinear sampling), lesson 5 ([cotangent](../docs/glossary.md#cotangent) and
#   [VJP](../docs/glossary.md#vjp)) and lesson 6 (difference quotients, the adjoint test).
# - **You will know**: how a loss changes when a pixel looks a little elsewhere; how it changes with the image, which
#   is a scatter; which slope is meant on a kink, and what that does to a first step.
# - **Time**: reading 25 minutes, running under 10 seconds.
#
# A [displacement](../docs/glossary.md#displacement) field for an image of 28 x 28 pixels holds 1,568 numbers. To
# improve it by gradient descent, one needs 1,568 derivatives. Here you find them all at once, and all that you need is
# how neighbouring pixels differ.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import pictures
from lesson import Lesson, claim
from minireg import Tensor, backend, ops
from minireg.data.strokes import draw_digits
from minireg.gradcheck import gradcheck

lesson = Lesson(7)
seed = lesson.knob("seed", 9, (0, 1, 2), "other handwritings")
digit = lesson.knob("digit", 3, (2, 5, 8), "another digit, other arrows")
longest = lesson.knob("longest", 0.4, (0.1, 0.8, 3.0), "longest arrow, in pixels")

# %% tags=["hide-input"]
rng = np.random.default_rng(seed)
moving, fixed = draw_digits([digit, digit], rng)[..., 0].astype(float)
wrong = moving - fixed
steepness = np.hypot(np.diff(moving, axis=0, append=0), np.diff(moving, axis=1, append=0))
marked = np.unravel_index(np.argmax(np.abs(wrong) * steepness), wrong.shape)

figure, axes = pictures.panels(3)
pictures.show(axes[0], moving, "moving")
pictures.show(axes[1], fixed, "fixed")
pictures.show(axes[2], wrong, "moving - fixed", cmap="RdBu_r", vmin=-1, vmax=1)
for panel in axes:
    panel.plot(marked[1], marked[0], "o", color="tab:green", markersize=14, markerfacecolor="none", markeredgewidth=2)
lesson.save(figure, "question")

# %% [markdown]
# Red pixels are too bright, blue ones too dark. Take the pixel in the green circle. It may look a little elsewhere in
# the moving image, by a part of a pixel. **In which direction should it look?** That is the question of this lesson.
#
# ## One pixel on a line
#
# Begin with a row of five pixels: .2, .9, .7, .7, .3. Look at the place c = 0.5, half way between pixel 0 and pixel 1.
# By lesson 2 you see the mean of both, .55. Now look a tenth of a pixel further, and again.


# %%
def split(c):
    j = math.floor(c)
    return j, c - j


def sample(line, c):
    j, t = split(c)
    return (1 - t) * line[j] + t * line[j + 1]


line = np.array([0.2, 0.9, 0.7, 0.7, 0.3])
for c in 0.5, 0.6, 0.7:
    print(f"at {c} you see {sample(line, c):.2f}")

# %% [markdown]
# Every tenth of a pixel adds .07. So the slope is .7 per pixel, and that is the step from pixel 0 to pixel 1: .9 - .2.
# The formula says why. Between two pixels, j stays, and t grows by as much as c:
#
#     y     = (1 - t) line[j] + t line[j+1]
#     dy/dc = line[j+1] - line[j]
#
# **Before you run the next cell: what do you expect?** Put c exactly on pixel 1. The row climbs by .7 to its left and
# falls by .2 to its right. What does the formula say there? And what the central difference quotient of lesson 6?


# %%
def slope(line, c):
    j, _ = split(c)
    return line[j + 1] - line[j]


def quotient(f, x, direction=1.0, h=1e-6):
    return (f(x + h * direction) - f(x - h * direction)) / (2 * h)


on_pixel_1 = quotient(lambda c: sample(line, c), 1.0)
print(f"formula {slope(line, 1.0):.2f}, difference quotient {on_pixel_1:.2f}")

# %% tags=["hide-input"]
places = np.linspace(0, 4, 401)[:-1]
figure, (above, below) = plt.subplots(2, 1, figsize=(6.5, 4.6), sharex=True, layout="constrained")
above.plot(places, [sample(line, c) for c in places], color="tab:blue")
above.plot(range(5), line, "o", color="black", label="pixels")
above.set(ylabel="y", title="Straight between two pixels, bent at every pixel")
above.legend(frameon=False)
for j in range(4):
    below.plot([j, j + 1], [slope(line, j)] * 2, color="tab:red", label="formula" if j == 0 else None)
    below.plot(j, slope(line, j), "o", color="tab:red")
    below.plot(j + 1, slope(line, j), "o", color="tab:red", markerfacecolor="white")
quotients = [quotient(lambda c: sample(line, c), float(j)) for j in (1, 2, 3)]
below.plot((1, 2, 3), quotients, "x", color="black", markersize=8, label="difference quotient on a pixel")
below.axhline(0, color="grey", linewidth=0.8)
below.set(xlabel="c, in pixels", ylabel="dy/dc", xticks=range(5), title="Its slope is a staircase")
below.legend(frameon=False)
lesson.save(figure, "staircase")

# %% [markdown]
# <details><summary>The answer</summary>
#
# The formula says -.2, the slope to the *right*: floor(1.0) is 1, so the pixels are 1 and 2. The quotient looks to both
# sides and says .25, the mean of .7 and -.2.
#
# </details>
#
# Neither is wrong. Two slopes meet there in a **[kink](../docs/glossary.md#kink)**, and a kink has no derivative. One
# has to choose, and to say what was chosen: here, the slope to the right (the full dots of the staircase). So a
# gradient check of a warp must keep away from whole numbers.
#
# Between pixel 2 and pixel 3 the row is flat, and the slope is 0. *Where the image is flat, the gradient is 0.* This
# will return.
#
# ## One pixel in the plane
#
# In the plane a pixel looks into a cell of four. Let it lie .7 of the way down and .2 of the way across:
#
#     V =  3  5          s = 0.7 (down)
#          7  1          t = 0.2 (across)
#
# Go down a little. Along the left side of the cell it gets brighter, by 7 - 3 = 4 per pixel; along the right side
# darker, by 1 - 5 = -4. You are nearer to the left side, so it counts for .8 and the right side for .2: .8 * 4 - .2 * 4
# = 2.4. That is the whole derivation. In symbols,
#
#     dy/du_row    = (1 - t) (V[1, 0] - V[0, 0]) + t (V[1, 1] - V[0, 1])
#     dy/du_column = (1 - s) (V[0, 1] - V[0, 0]) + s (V[1, 1] - V[1, 0])
#
# The steps along one axis are weighted by where the point lies along the *other*. Try the second one on paper.


# %%
def read(V, s, t):
    above = (1 - t) * V[0, 0] + t * V[0, 1]
    below = (1 - t) * V[1, 0] + t * V[1, 1]
    return (1 - s) * above + s * below


def slopes(V, s, t):
    along_rows = (1 - t) * (V[1, 0] - V[0, 0]) + t * (V[1, 1] - V[0, 1])
    along_columns = (1 - s) * (V[0, 1] - V[0, 0]) + s * (V[1, 1] - V[1, 0])
    return np.array([along_rows, along_columns])


V = np.array([[3.0, 5.0], [7.0, 1.0]])
down = quotient(lambda s: read(V, s, 0.2), 0.7)
right = quotient(lambda t: read(V, 0.7, t), 0.2)
print("formula  ", np.round(slopes(V, 0.7, 0.2), 3))
print("quotient ", np.round([down, right], 3))

# %% [markdown]
# ### Break it
#
# An easy slip: each slope is weighted with the fraction of its *own* axis, `slopes(V, t, s)`. For a test one likes to
# take a ramp, say 3 and 5 above 7 and 9.
#
# **Before you run the next cell: what do you expect?** Does a test on the ramp notice the slip?

# %%
ramp = np.array([[3.0, 5.0], [7.0, 9.0]])
for name, pixels in {"ramp": ramp, "V": V}.items():
    right_way = np.round(slopes(pixels, 0.7, 0.2), 2)
    slip = np.round(slopes(pixels, 0.2, 0.7), 2)
    print(f"{name:5} right {right_way}   with the slip {slip}")

# %% [markdown]
# <details><summary>The answer</summary>
#
# No. On the ramp both vertical steps are 4 and both horizontal ones 2. Then it does not matter how they are weighted,
# and wrong code passes. A test image must have no symmetry that a mistake could hide behind: take random pixels.
#
# </details>

# %% tags=["evidence", "hide-cell"]
claim(np.isclose(slope(line, 1.0), -0.2), "on pixel 1 the formula gives -.2")
claim(np.isclose(on_pixel_1, 0.25), "on pixel 1 the quotient gives .25")
claim(np.allclose(slopes(ramp, 0.7, 0.2), slopes(ramp, 0.2, 0.7)), "a ramp hides the slip")

# %% [markdown]
# ## All pixels at once
#
# What an output pixel shows depends on its own displacement alone. So the VJP goes from pixel to pixel and multiplies:
# its cotangent g times its two slopes. Beyond the border, V is 0.


# %%
def look(image, u, p):
    """The cell V that output pixel p looks into, and where in it, s and t."""
    i, s = split(p[0] + u[p][0])
    j, t = split(p[1] + u[p][1])
    V = np.zeros((2, 2))
    for k, m in np.ndindex(2, 2):
        if 0 <= i + k < image.shape[0] and 0 <= j + m < image.shape[1]:
            V[k, m] = image[i + k, j + m]
    return V, s, t


def warp_loops(image, u):
    y = np.zeros(u.shape[:2])
    for p in np.ndindex(y.shape):
        y[p] = read(*look(image, u, p))
    return y


def vjp_displacement_loops(g, image, u):
    g_u = np.zeros(u.shape)
    for p in np.ndindex(g.shape):
        g_u[p] = g[p] * slopes(*look(image, u, p))
    return g_u


image = rng.random((5, 4))
g = rng.random((5, 4))
u = rng.integers(-1, 1, (5, 4, 2)) + rng.uniform(0.1, 0.9, (5, 4, 2))
direction = rng.standard_normal((5, 4, 2))
by_hand = np.sum(vjp_displacement_loops(g, image, u) * direction)
judge = quotient(lambda u: np.sum(g * warp_loops(image, u)), u, direction)
print(f"along a random direction: VJP {by_hand:.6f}, quotient {judge:.6f}")

# %% [markdown]
# If a pixel has several channels, one displacement moves them all, so their changes add up.
#
# ## And the image?
#
# Warping has a second input, the image. Its VJP is needed where the image has itself been computed, say by an earlier
# warp.
#
# Back to the line. At c = 1.25 you read `.75 line[1] + .25 line[2]`. So the cotangent goes back in the same shares:
# .75 g to pixel 1, .25 g to pixel 2. Three readers look at .5, 1.25 and 1.5, with the cotangents 1, 10 and 100. Pixel 1
# is read by all three and gets .5 + 7.5 + 50 = 58.


# %%
def vjp_line(g, line, places):
    g_line = np.zeros_like(line)
    for cotangent, c in zip(g, places, strict=True):
        j, t = split(c)
        g_line[j] += (1 - t) * cotangent
        g_line[j + 1] += t * cotangent
    return g_line


readers = np.array([0.5, 1.25, 1.5])
g = np.array([1.0, 10.0, 100.0])
print("with a loop    ", vjp_line(g, line, readers))

# %% [markdown]
# With whole arrays there is a trap.

# %%
j = np.floor(readers).astype(int)
t = readers - j
quick = np.zeros(5)
complete = np.zeros(5)
for pixel, share in (j, 1 - t), (j + 1, t):
    quick[pixel] += share * g
    np.add.at(complete, pixel, share * g)
print("with +=        ", quick)
print("with np.add.at ", complete)

# %% [markdown]
# Right are 58 and 52.5, as with the loop. With `+=` two shares are lost without a word: 7.5 at pixel 1 and 2.5 at pixel
# 2. It reads all old values first, adds, and writes; where an index stands twice, the second write covers the first.
# `np.add.at` adds one after the other.

# %% tags=["evidence", "hide-cell"]
claim(complete[1] - quick[1] == 7.5 and complete[2] - quick[2] == 2.5, "with += two shares are lost, 7.5 and 2.5")

# %% [markdown]
# Reading is a *gather*; handing back in the same shares is a **[scatter](../docs/glossary.md#scatter)**. Warping is
# linear in the image, a matrix A, and the scatter is its transpose, the [adjoint](../docs/glossary.md#adjoint) of
# lesson 6. In the plane there are four shares:


# %% tags=["hide-input"]
def vjp_image_loops(g, shape, u):
    g_image = np.zeros(shape)
    for p in np.ndindex(g.shape):
        (i, s), (j, t) = split(p[0] + u[p][0]), split(p[1] + u[p][1])
        for row, row_weight in (i, 1 - s), (i + 1, s):
            for column, column_weight in (j, 1 - t), (j + 1, t):
                if 0 <= row < shape[0] and 0 <= column < shape[1]:
                    g_image[row, column] += row_weight * column_weight * g[p]
    return g_image


zoom = -0.5 * (np.stack(np.mgrid[:9, :9], axis=-1) - 4)  # each output pixel looks half-way to the middle
reads = vjp_image_loops(np.ones((9, 9)), (9, 9), zoom)
points = np.stack(np.mgrid[:9, :9], axis=-1) + zoom
figure, (gather, scatter) = plt.subplots(1, 2, figsize=(8, 4.2), layout="constrained")
gather.imshow(np.zeros((9, 9)), cmap="Greys", vmin=0, vmax=1)
gather.set_xticks(np.arange(9) + 0.5, minor=True)
gather.set_yticks(np.arange(9) + 0.5, minor=True)
gather.grid(which="minor", color="lightgrey")
gather.plot(points[..., 1].ravel(), points[..., 0].ravel(), "o", color="tab:blue", markersize=4)
gather.set(xticks=range(9), yticks=range(9), title="Gather: where 81 output pixels look")
scatter.imshow(reads, cmap="Blues", vmin=0)
for row, column in np.ndindex(9, 9):
    colour = "white" if reads[row, column] > 2 else "black"
    scatter.text(column, row, f"{reads[row, column]:g}", ha="center", va="center", color=colour, fontsize=8)
scatter.set(xticks=range(9), yticks=range(9), title="Scatter of a cotangent of ones")
lesson.save(figure, "scatter")

# %% [markdown]
# Here every output pixel looks half-way to the middle. So the 5 x 5 pixels of the middle fill the whole output. A
# pixel there is read by many, and gets the sum of their shares: (.5 + 1 + .5)^2 = 4, and less at the edges of the 5 x
# 5. What is not shown is read by nobody and gets 0. It is the *push* of lesson 1. For a picture its holes and
# collisions were bad; for a gradient both are right.
#
# <details><summary>When the scatter is itself a warp; and what happens at the border</summary>
#
# If all pixels have the same displacement, fractions of a pixel included, the scatter is a warp in the opposite
# direction: `warp(g, -u)`. For the enlargement above it is not: the scatter adds up what meets, and a warp never does.
#
# With zeros beyond the border, the image ends in a ramp, one pixel wide. A point that has strayed further than that has
# slope 0: nothing calls it back. [The page on bilinear sampling](../docs/internals/bilinear_sampling.md) has the border
# "edge" as well, and all the proofs.
#
# </details>
#
# `ops.warp` of the project has the forward and both VJPs in one place, for whole batches and without loops over pixels.
# Does it agree with yours?

# %% tags=["hide-input"]
g = rng.random((5, 4))
tensors = [Tensor(backend.to_device(array[None]), requires_grad=True) for array in (image[..., None], u)]
ops.warp(*tensors).backward(backend.to_device(g[None, ..., None]))
image_grad, u_grad = (backend.to_host(tensor.grad)[0] for tensor in tensors)
g_u, g_image = vjp_displacement_loops(g, image, u), vjp_image_loops(g, image.shape, u)
claim(np.allclose(u_grad, g_u), "the engine's gradient of the displacement is yours")
claim(np.allclose(image_grad[..., 0], g_image), "the engine's gradient of the image is yours")

two_channels = np.stack([image, image * image], axis=-1)[None]
u_tensor = Tensor(backend.to_device(u[None]), requires_grad=True)
ops.warp(backend.to_device(two_channels), u_tensor).backward(backend.to_device(np.stack([g, g], axis=-1)[None]))
both = g_u + vjp_displacement_loops(g, image * image, u)
claim(np.allclose(backend.to_host(u_tensor.grad)[0], both), "the changes of two channels add up")
gradcheck(ops.warp, two_channels, u[None], linear=(0,))

# %% tags=["evidence", "hide-cell"]
claim(np.isclose(np.sum(warp_loops(image, u) * g), np.sum(image * g_image)), "the scatter passes the adjoint test")
one = np.broadcast_to([0.3, -1.6], (5, 4, 2))
claim(np.allclose(vjp_image_loops(g, (5, 4), one), warp_loops(g, -one)), "for a translation the scatter is warp(g, -u)")
claim(not np.allclose(reads, warp_loops(np.ones((9, 9)), -zoom)), "for the enlargement it is no warp(g, -u)")
claim(np.all(reads[3:6, 3:6] == 4) and np.sum(reads == 4) == 9, "the 3 x 3 pixels of the middle get 4")
claim(np.sum(reads > 0) == 25 and reads[2:7, 2:7].sum() == 81, "the 5 x 5 of the middle get all, and the rest gets 0")
far = np.broadcast_to([0, 40.5], (5, 4, 2))
claim(not vjp_displacement_loops(g, image, far).any(), "far outside the image there is no slope")

# %% [markdown]
# ## A first step begins on a kink
#
# Registration begins at u = 0: every pixel looks at itself. That is a whole number, so *every pixel* sits where two
# slopes meet. Does it matter? Take the smallest case: moving (0, 1, 0), fixed (0, 2, 0). The middle pixel sees 1 and
# should see 2. With n = 3 pixels, its cotangent is `2 (1 - 2) / 3 = -2/3`. The slope to its right is -1, so g_u is
# +2/3. Downhill is against g_u: look to the left.
#
# **Before you run the next cell: what do you expect?** Does a small step to the left lower the loss?

# %%
peak = np.array([0.0, 1.0, 0.0])
for step in -0.1, 0.0, 0.1:
    seen = sample(peak, 1.0 + step)
    print(f"u = {step:4}: it sees {seen:.1f}, loss {(seen - 2) ** 2 / 3:.3f}")

# %% [markdown]
# <details><summary>The answer</summary>
#
# No, it raises the loss, and so does a step to the right. The pixel already looks at the brightest place there is. The
# formula has asked the right-hand side only, and took for granted that the curve goes on as straight to the left.
# Likewise, a pixel on the paper just right of the ink has slope 0: the paper to its right is flat.
#
# </details>

# %% tags=["evidence", "hide-cell"]
claim(slope(np.array([0.0, 1.0, 0.0, 0.0]), 2.0) == 0, "just right of the ink the right-hand slope is 0")

# %% [markdown]
# On the flank of a stroke both slopes have the same sign, and the arrow is right. On a ridge or in a valley it may be
# wrong, however small the step. "Downhill" is a promise for places without a kink.
#
# ## Where should every pixel look?
#
# Now the two digits. The cotangent of the [MSE](../docs/glossary.md#mse) is `2 (y - fixed) / n`, and your VJP turns it
# into all 1,568 derivatives.

# %%
nowhere = np.zeros((28, 28, 2))
y = warp_loops(moving, nowhere)
g = 2 * (y - fixed) / y.size
g_u = vjp_displacement_loops(g, moving, nowhere)
downhill = -longest * g_u / np.linalg.norm(g_u, axis=-1).max()
print(f"{g_u.size} derivatives, {np.count_nonzero(g_u)} of them not 0")
print("(down, right) for the pixel in the circle:", downhill[marked].round(2))

# %% tags=["hide-input"]
figure, axes = plt.subplot_mosaic(
    [["moving", "arrows"], ["fixed", "arrows"]], figsize=(9, 6.2), width_ratios=(1, 2), layout="constrained"
)
pictures.show(axes["moving"], moving, "moving")
pictures.show(axes["fixed"], fixed, "fixed")
panel = axes["arrows"]
title = "Where every pixel should look (arrows enlarged)"
pictures.show(panel, wrong, title, cmap="RdBu_r", vmin=-1, vmax=1)
rows, columns = np.nonzero(g_u.any(axis=-1))
arrows = 4 * downhill[rows, columns] / longest
panel.quiver(columns, rows, arrows[:, 1], arrows[:, 0], angles="xy", scale_units="xy", scale=1, width=0.004)
panel.plot(marked[1], marked[0], "o", color="tab:green", markersize=20, markerfacecolor="none", markeredgewidth=2)
panel.set(xlim=(1.5, 26.5), ylim=(27.5, 2.5))
lesson.save(figure, "downhill")

# %% [markdown]
# One walk backwards, and every pixel has its answer, the one in the circle too. The arrows also show how little a
# gradient knows.
#
# - Where it is too dark, an arrow climbs towards the ink; where it is too bright, it runs out of it.
# - Where the moving image is flat there is no arrow, however wrong the pixel is. A gradient sees no further than its
#   cell.
# - Every arrow lies across the edge of the stroke. Whether ink should slide *along* the stroke, no pixel can tell.

# %% tags=["evidence", "hide-cell"]
steps = vjp_displacement_loops(np.ones_like(g), moving, nowhere)  # the slopes themselves
flat = ~steps.any(axis=-1)
claim(not g_u[flat].any() and np.mean(flat) > 0.5, "where the image is flat there is no arrow, and most of it is flat")
uphill = np.sum(-g_u * steps, axis=-1)
claim(np.array_equal(np.sign(uphill[~flat]), np.sign(fixed - y)[~flat]), "arrows climb where it is too dark")
turned = g_u[..., 0] * steps[..., 1] - g_u[..., 1] * steps[..., 0]
claim(np.allclose(turned, 0, atol=1e-12), "all arrows lie along the slope of the image, across the edges")

# %% [markdown]
# Let every pixel take its step.

# %%
stepped = warp_loops(moving, downhill)
before = np.mean((moving - fixed) ** 2)
after = np.mean((stepped - fixed) ** 2)
print(f"loss before {before:.4f}, after one step {after:.4f}")

# %% tags=["hide-input"]
tiny = warp_loops(moving, 0.001 * downhill / longest)
misled = np.abs(tiny - fixed) > np.abs(moving - fixed) + 1e-9
figure, axes = pictures.panels(4)
pictures.show(axes[0], stepped, "moving, after one step")
pictures.show(axes[1], fixed, "fixed")
red_and_blue = {"cmap": "RdBu_r", "vmin": -1, "vmax": 1}
pictures.show(axes[2], wrong, f"wrong before: MSE {before:.3f}", **red_and_blue)
pictures.show(axes[3], stepped - fixed, f"wrong after: MSE {after:.3f}", **red_and_blue)
rows, columns = np.nonzero(misled)
axes[3].plot(columns, rows, "o", color="tab:green", markersize=7, markerfacecolor="none", markeredgewidth=1.5)
lesson.save(figure, "one_step")

# %% tags=["evidence", "hide-cell"]
claim(after < 0.9 * before, "one step takes off more than a tenth of the loss")
claim(0 < np.sum(misled) < 0.2 * np.sum(g_u.any(axis=-1)), "some pixels were misled by their kink, but not many")

# %% [markdown]
# Green circles are pixels that get worse even after a thousandth of a pixel: a kink has misled them. (Turn the knob
# `longest` to 3: the image is torn, whatever the loss says. A slope holds for one cell, and that step leaves it.)
#
# ## What you know now
#
# - The gradient of a displacement is the cotangent times the slope of the image.
# - The gradient of the image is a scatter: shares that meet add up.
# - At a whole number of pixels two slopes meet, and u = 0 puts every pixel there.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_07.py` and run `python -m lessons.check 07` from the top folder.
#
# 1. `one_sided_slopes`: both slopes of a row of pixels, also on a kink and at the border.
# 2. `vjp_displacement`: the gradient of the displacement for a whole [batch](../docs/glossary.md#batch), if you can
#    without a loop over the pixels.
# 3. `vjp_image`: the scatter for a whole batch. Think of pixels that are hit twice.
#
# **A small project**, without a check: make two images with NumPy, say a disc and an ellipse, and draw their arrows.
# Then blur both, and draw the arrows again beside the first. Who has one now?
#
# Next: [8. The hand-derived gradient of NCC](08_the_gradient_of_ncc.py). There you derive the gradient of the loss,
# chain it with this one, and bend a digit.

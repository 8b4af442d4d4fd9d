# %% [markdown]
# # 2. Between the pixels
#
# - **You need**: lesson 1 (displacements, pulling). No calculus.
# - **You will know**: how to read an image between its pixels; what lies beyond its border; how a sampler that was
#   wrong could look right, and the tests that find it; when *not* to interpolate.
# - **Time**: reading 25 minutes, running under 10 seconds.

# %%
import matplotlib.pyplot as plt
import numpy as np

from lesson import Lesson
from minireg import backend, fields, ops
from minireg.data.strokes import draw_digits

lesson = Lesson(2)
moving = draw_digits([2], np.random.default_rng(0))[0, :, :, 0]
rows, columns = np.indices(moving.shape)

# %% [markdown]
# ## Rounding makes stairs
#
# In lesson 1 all displacements were whole numbers of pixels. Whoever wanted 0.3 of a pixel had to round. What does that
# do to a search?
#
# A place between the pixels is called `(r, c)` from now on, with any numbers; `i` and `j` are whole numbers, the row
# and the column of a pixel. First a function that reads pixels, including those outside of the image. There are two
# usual answers to what lies there. `"zeros"`: everything is black. `"edge"`: the nearest pixel of the border is
# repeated. (`np.clip(i, 0, height - 1)` moves a row outside of the image to the nearest row inside.)
#
# Take a digit, and as the fixed image the same digit moved to the right by two columns: the true displacement is
# `u_column = -2`. Now try displacements in small steps.


# %%
def read(image, i, j, border="zeros"):
    """The pixels (i, j): whole numbers, arrays of one shape, that may lie outside of the image."""
    height, width = image.shape
    values = image[np.clip(i, 0, height - 1), np.clip(j, 0, width - 1)]
    inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
    return values if border == "edge" else np.where(inside, values, 0)


def pull_rounded(image, r, c):
    """The intensities of the pixels nearest to the places (r, c); black beyond the border."""
    return read(image, np.rint(r).astype(int), np.rint(c).astype(int))


def mse(a, b):
    return np.mean((a - b) ** 2)


fixed = pull_rounded(moving, rows, columns - 2)
for u_column in (0, -0.3, -0.45, -0.55, -1, -2):
    print(f"u_column = {u_column:5.2f}   MSE {mse(pull_rounded(moving, rows, columns + u_column), fixed):.4f}")

assert np.array_equal(pull_rounded(moving, rows, columns - 0.45), moving)  # nothing has happened
assert mse(pull_rounded(moving, rows, columns - 0.55), fixed) == mse(pull_rounded(moving, rows, columns - 1), fixed)

# %% [markdown]
# A shift by 0.3 does nothing at all, and neither does 0.45; then, at 0.5, the whole image jumps. The loss is a
# staircase. On a stair one cannot tell in which direction it goes down, and at the bottom every displacement between
# -2.5 and -1.5 is as good as the true one. We need intensities *between* the pixels.
#
# ## On a line
#
# Between two neighbouring pixels we know nothing. The simplest guess is a straight line from one to the other. Let `x`
# be the intensities on the line, and `y` the one at a place `c`. The pixel before it is `j = floor(c)`, and the part of
# the way that lies behind us is `t = c - j`, from 0 to just below 1. Then
#
#     y = (1 - t) x[j] + t x[j + 1]
#
# At t = 0 only the left pixel counts, just below t = 1 almost only the right one, in the middle both count half. The
# nearer one counts more: the weight of each pixel is the distance to the *other* one.


# %%
def linear(x, c):
    """The intensity of the line of pixels x at a place c before its last one (`read` mends that)."""
    j = int(np.floor(c))
    t = c - j
    return (1 - t) * x[j] + t * x[j + 1]


assert linear([10, 20], 0) == 10 and linear([10, 20], 0.25) == 12.5 and abs(linear([10, 20], 0.999) - 20) < 0.02

# %% [markdown]
# ## In the plane
#
# In an image the place is `(r, c)`, and it lies between four pixels. With `i = floor(r)`, `s = r - i` and `j`, `t` as
# before, we interpolate along the columns in the row above, then in the row below, and then between these two results:
#
#     above = (1 - t) x[i, j]     + t x[i, j + 1]
#     below = (1 - t) x[i + 1, j] + t x[i + 1, j + 1]
#     y = (1 - s) above + s below
#
# This is **bilinear interpolation**. Multiplied out, each of the four pixels has one weight:
#
# | pixel | weight |
# |---|---|
# | `x[i, j]` | `(1 - s) (1 - t)` |
# | `x[i, j + 1]` | `(1 - s) t` |
# | `x[i + 1, j]` | `s (1 - t)` |
# | `x[i + 1, j + 1]` | `s t` |
#
# Each weight is an area: the place cuts the square between the pixels into four rectangles, and each pixel gets the one
# *across* from it ([a picture of them](../docs/internals/bilinear_sampling.md#in-the-plane); `V` is our `x`). So
# the four add up to 1.
#
# If one of the four pixels lies outside of the image, `read` says what is there.


# %%
def weights(r, c):
    """The upper left of the four pixels around (r, c), and the weights of all four."""
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    s, t = r - i, c - j
    return i, j, {(0, 0): (1 - s) * (1 - t), (0, 1): (1 - s) * t, (1, 0): s * (1 - t), (1, 1): s * t}


def bilinear(image, r, c, border="zeros"):
    """The intensities at the places (r, c): two arrays of one shape."""
    i, j, weight = weights(r, c)
    return sum(weight[down, right] * read(image, i + down, j + right, border) for down, right in weight)


# %% [markdown]
# What must be true of it? Four things, and they can be tested without knowing the formula. (`rng.uniform` draws places
# anywhere between the first and the last pixel.)

# %%
rng = np.random.default_rng(0)
r, c = rng.uniform(0, 27, (2, 1000))
_, _, weight = weights(r, c)
assert np.allclose(sum(weight.values()), 1)  # 1. the weights add up to 1 ...
assert min(w.min() for w in weight.values()) >= 0  # ... and none is negative,
assert bilinear(moving, r, c).max() <= moving.max()  # so nothing gets brighter than the image was.
assert np.array_equal(bilinear(moving, rows, columns), moving)  # 2. On the pixels the image is unchanged.
assert np.allclose(bilinear(2 + 3 * rows - columns, r, c), 2 + 3 * r - c)  # 3. A plane stays a plane.
# 4. Nothing jumps where one square ends and the next begins, to its right or below it.
assert np.allclose(bilinear(moving, r, np.ceil(c) - 1e-9), bilinear(moving, r, np.ceil(c)), atol=1e-6)
assert np.allclose(bilinear(moving, np.ceil(r) - 1e-9, c), bilinear(moving, np.ceil(r), c), atol=1e-6)

# %% [markdown]
# Most other pictures are only approximated. Along a parabola, half-way between two pixels, the straight line is
# off by a quarter:

# %%
assert linear([0, 1, 4, 9], 1.5) - 1.5**2 == 0.25

# %% [markdown]
# One more thing to be careful about: `floor` is not `int`. Left of the image `c` is negative. `floor(-0.3)` is -1, and
# t = 0.7. But `int(-0.3)` cuts off the fraction and gives 0, and then t = -0.3: a negative weight.

# %%
assert np.floor(-0.3) == -1 and int(-0.3) == 0

# %% [markdown]
# And the stairs? They are gone. From both sides the loss now goes down steadily to the true displacement, and at every
# point on the way it tells in which direction. Lesson 4 will go down it. (It still has kinks at whole numbers, where
# one square ends and the next begins. Lesson 7 looks into them.)

# %%
shifts = np.arange(-80, 21) / 25  # from -3.2 to 0.8
stairs = np.array([mse(pull_rounded(moving, rows, columns + u), fixed) for u in shifts])
slope = np.array([mse(bilinear(moving, rows, columns + u), fixed) for u in shifts])
assert len(np.unique(stairs.round(9))) == 5  # five levels for 101 displacements
assert stairs[np.abs(shifts + 2) < 0.5].max() == 0  # a whole pixel of displacements, all as good as -2
assert np.diff(slope)[80] < 0.5 * np.diff(slope)[79]  # at 0 the slope halves suddenly
assert (np.diff(slope[shifts <= -2]) < 0).all()  # always downwards until -2 ...
assert (np.diff(slope[shifts >= -2]) > 0).all()  # ... and always upwards from there
assert shifts[slope.argmin()] == -2 and slope.min() < 1e-12

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", width_ratios=[1, 1.5])
axes[0].imshow(
    bilinear(moving, *(np.mgrid[8:14:0.02, 14:20:0.02])), cmap="gray", extent=(14, 20, 14, 8), vmin=0, vmax=1
)
dots = np.mgrid[8:15, 14:21]
axes[0].scatter(
    dots[1], dots[0], c=moving[8:15, 14:21], cmap="gray", edgecolors="tab:orange", s=60, vmin=0, vmax=1, zorder=3
)
axes[0].set(xlabel="column", ylabel="row", xlim=(13.8, 20.2), ylim=(14.2, 7.8))
axes[0].set_title("pixels (circles) and what\nbilinear reads between them", fontsize=10)
axes[1].plot(shifts, stairs, color="tab:red", label="nearest pixel: stairs")
axes[1].plot(shifts, slope, color="tab:blue", label="bilinear: a slope")
axes[1].axvline(-2, color="gray", linestyle=":", linewidth=1)
axes[1].set(xlabel="$u$ along columns, in pixels (true: -2)", ylabel="MSE", ylim=(0, None))
axes[1].set_title("the loss of a shift", fontsize=10)
axes[1].legend(loc="upper left", bbox_to_anchor=(0.25, 1))
lesson.save(figure, "stairs")

# %% [markdown]
# ## Beyond the border
#
# Along a row of pixels that all have the value 1, from three pixels left of the image to three pixels right of it: with
# `"edge"` it is 1 everywhere. With `"zeros"` the image does not end like a cliff but with a **ramp**, one pixel wide:
# half a pixel outside, half of the light is left, and one pixel outside it is dark.

# %%
ones = np.ones((28, 28))
r_out, c_out = np.array([5, 5, 5, 5, -3]), np.array([-0.5, 27.5, -1, 28, 5])
assert np.array_equal(bilinear(ones, r_out, c_out, border="zeros"), [0.5, 0.5, 0, 0, 0])
assert np.array_equal(bilinear(ones, r_out, c_out, border="edge"), [1, 1, 1, 1, 1])

# %% [markdown]
# Which one fits depends on the image. A digit on black paper goes on in black. But a *displacement field* does not fall
# to zero where the image ends: a shift by 3 is a shift by 3 beyond the border too. For fields this project uses
# `"edge"`.
#
# ## The sampler of 2020
#
# This project began with an experiment of 2020 (the README tells of it), and its sampler had a bug. Here it is, in our
# symbols. It uses `clip` too, because a pixel may lie outside. Read it, and try to see what is wrong.


# %%
def bilinear_2020(image, r, c):
    height, width = image.shape
    i0, j0 = np.floor(r).astype(int), np.floor(c).astype(int)
    i1, j1 = i0 + 1, j0 + 1
    i0, i1 = np.clip(i0, 0, height - 1), np.clip(i1, 0, height - 1)
    j0, j1 = np.clip(j0, 0, width - 1), np.clip(j1, 0, width - 1)
    above = (j1 - c) * image[i0, j0] + (c - j0) * image[i0, j1]
    below = (j1 - c) * image[i1, j0] + (c - j0) * image[i1, j1]
    return (i1 - r) * above + (r - i0) * below


# %% [markdown]
# It passes the first test that one thinks of. A digit under the identity, where every pixel looks at itself, comes back
# unchanged:

# %%
assert np.array_equal(bilinear_2020(moving, rows, columns), moving)

# %% [markdown]
# And an image without a black border? Take the simplest: all ones.

# %%
identity_of_ones = bilinear_2020(ones, rows, columns)
print("all ones, last four columns of the last four rows:\n", identity_of_ones[-4:, -4:])
assert (identity_of_ones[:-1, :-1] == 1).all()
assert (identity_of_ones[-1, :] == 0).all() and (identity_of_ones[:, -1] == 0).all()
assert moving[-1, :].max() == 0 and moving[:, -1].max() == 0  # the digit has a black border: it cannot show this

# %% [markdown]
# The last row and the last column are black. Why? In the last column c = 27, so `j0` is 27 and `j1` is 28. Clipping
# makes `j1` 27 too. Then both weights, `j1 - c` and `c - j0`, are 0. The index was clipped *before* the weights were
# made from it, and so the weights no longer add up to 1. (In the first column nothing is clipped, for its neighbour is
# column 1. So only two of the four borders are lost.) Clipping belongs to *reading* a pixel, not to the weights.
#
# The bug stayed hidden because MNIST's digits have a black border, like ours. Two cheap tests find it. The weights must
# add up to 1 for every place inside of the image, its border included: an image of ones shows their sum, as it did
# above. And the identity must change no image at all, so test it with an image that has no special pixels, such as
# random numbers:

# %%
noise = rng.random((28, 28))
assert not np.allclose(bilinear_2020(noise, rows, columns), noise)
assert np.array_equal(bilinear(noise, rows, columns), noise)

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 5, figsize=(12, 3.1), layout="constrained", width_ratios=[1, 1, 1, 1, 1.6])
for panel, image, words in (
    (axes[0], moving, "a digit"),
    (axes[1], bilinear_2020(moving, rows, columns), "the digit, sampler of 2020"),
    (axes[2], ones, "all ones"),
    (axes[3], identity_of_ones, "all ones, sampler of 2020"),
):
    panel.imshow(image, cmap="gray", vmin=0, vmax=1)
    panel.set(xticks=[], yticks=[])
    panel.set_title(words, fontsize=10)
    for side in panel.spines.values():
        side.set_edgecolor("tab:orange")
line = np.arange(24, 30, 0.01)
for border, style in (("edge", "-"), ("zeros", "--")):
    axes[4].plot(line, bilinear(ones, 5 + 0 * line, line, border), style, label=f'"{border}"')
axes[4].plot(line, bilinear_2020(ones, 5 + 0 * line, line), ":", color="tab:red", label="2020")
axes[4].axvline(27, color="gray", linewidth=0.8)
axes[4].set(xlabel="column (27 is the last)", ylim=(-0.1, 1.35))
axes[4].legend(ncols=3, fontsize=8, loc="upper center")
axes[4].set_title("all ones: along a row, at the right border", fontsize=10)
lesson.save(figure, "sampler_of_2020")

# %% [markdown]
# ## Labels are names, not amounts
#
# A **label map** is an image whose pixels say what is there: 0 nothing, 1 bone, 3 brain, say. Interpolate between 1 and
# 3, and you get 2, which may be the name of something else altogether. Label maps are read at the nearest pixel.

# %%
distance = np.hypot(rows - 13.5, columns - 13.5)
labels = np.select([distance < 7, distance < 11], [3.0, 1.0], 0.0)  # a disc of brain in a ring of bone
assert 2 in bilinear(labels, rows + 0.5, columns + 0.5)  # a label that does not exist here
assert set(np.unique(pull_rounded(labels, rows + 0.5, columns + 0.5))) == {0, 1, 3}

# %% [markdown]
# ## Every interpolation blurs
#
# A value between two pixels is a mean, and means are smooth. Once does little harm, but what if one interpolates again
# and again? Turn a digit by 10 degrees, turn the result by 10 degrees, and so on, 36 times: a full turn.
#
# If the content turns anticlockwise, every pixel looks at the place that is turned *clockwise* from it. Turned
# clockwise, one step to the right becomes `sine` down and `cosine` to the right; one step down becomes `cosine` down
# and `sine` to the left. From the middle to a pixel it is `down` steps of the one kind and `right` steps of the other.
# (You have written this if you have done the exercises of lesson 1.)


# %%
def rotation(degrees):
    """Where every pixel looks (r, c), so that the content turns anticlockwise about the middle of the image."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    down, right = rows - 13.5, columns - 13.5
    return 13.5 + cosine * down + sine * right, 13.5 - sine * down + cosine * right


assert np.allclose(bilinear(moving, *rotation(90)), np.rot90(moving), atol=1e-6)
turned = moving
for _ in range(36):
    turned = bilinear(turned, *rotation(10))

print(f"36 turns by 10 degrees: MSE to the start {mse(turned, moving):.4f}, brightest pixel {turned.max():.2f}")
print(f"one turn by 360 degrees: MSE to the start {mse(bilinear(moving, *rotation(360)), moving):.1e}")
assert mse(turned, moving) > 0.01 and turned.max() < 0.9 * moving.max()
assert mse(bilinear(moving, *rotation(360)), moving) < 1e-12

# %% [markdown]
# The cure: do not interpolate the *image* again and again. First make one field out of all the small ones, then
# interpolate the image once. Going along `first` from p leads to `p + first(p)`; going along `second` from there adds
# the displacement that `second` has *there*. So both together are
#
#     w(p) = first(p) + second(p + first(p))
#
# and warping an image by w does in one step what warping it by `second`, and the result by `first`, does in two (but
# for the second interpolation, which is left out). Why `first` *last*? Write down what the two steps read, and put one
# into the other:
#
#     once(q)  = image(q + second(q))
#     twice(p) = once(p + first(p)) = image(p + first(p) + second(p + first(p)))
#
# The field used last is the one that a pixel follows first. The place `p + first(p)` lies between pixels: the field
# itself is interpolated, one component at a time, with the border `"edge"`. Each component of the field of a rotation
# is a plane, which bilinear interpolation reproduces exactly, so nothing is lost as long as the way stays inside of the
# image.


# %%
def compose(first, second):
    """The field (H, W, 2) of going along `first` and from there along `second`."""
    r, c = rows + first[..., 0], columns + first[..., 1]
    there = [bilinear(second[..., k], r, c, border="edge") for k in (0, 1)]
    return first + np.stack(there, axis=-1)


ten_degrees = np.stack(rotation(10), axis=-1) - np.stack([rows, columns], axis=-1)
shift = np.broadcast_to([0.0, -3.0], (28, 28, 2))
in_two_steps = bilinear(bilinear(moving, *rotation(10)), rows, columns - 3)
w = compose(shift, ten_degrees)
assert np.allclose(bilinear(moving, rows + w[..., 0], columns + w[..., 1]), in_two_steps)  # whole pixels: exactly

w = np.zeros((28, 28, 2))
for _ in range(36):
    w = compose(w, ten_degrees)
composed = bilinear(moving, rows + w[..., 0], columns + w[..., 1])

assert mse(composed, moving) < 1e-6 and np.abs(w[distance < 13]).max() < 1e-9

# %% tags=["hide-input"]
nine = moving
for _ in range(9):
    nine = bilinear(nine, *rotation(10))
figure, axes = plt.subplots(1, 4, figsize=(10, 3.2), layout="compressed")
for panel, image, words in (
    (axes[0], moving, "the start"),
    (axes[1], nine, "after 9 turns\nby 10 degrees"),
    (axes[2], turned, "after 36 turns: back again,\nbut blurred"),
    (axes[3], composed, "36 fields composed,\ninterpolated once: sharp"),
):
    panel.imshow(image, cmap="gray", vmin=0, vmax=1)
    panel.set(xticks=[], yticks=[])
    panel.set_title(words, fontsize=10)
lesson.save(figure, "turns")

# %% [markdown]
# ## The project's versions
#
# `ops.warp(image, displacement, border)` is our `bilinear` for whole sets of images, with any number of channels;
# `ops.warp_nearest` reads label maps; `fields.compose` composes. They agree with ours, also far outside of the image.

# %%
images = rng.random((2, 28, 28, 3)).astype(np.float32)
u = rng.normal(0, 5, (2, 28, 28, 2)).astype(np.float32)
r, c = rows + u[..., 0].astype(float), columns + u[..., 1].astype(float)
for border in ("zeros", "edge"):
    warped = backend.to_host(ops.warp(backend.to_device(images), backend.to_device(u), border=border).data)
    for n, k in np.ndindex(2, 3):  # image n, channel k
        assert np.allclose(warped[n, :, :, k], bilinear(images[n, :, :, k], r[n], c[n], border), atol=1e-4)

nearest = ops.warp_nearest(backend.to_device(labels[None, :, :, None]), backend.to_device(u[:1]))
assert np.array_equal(backend.to_host(nearest.data)[0, :, :, 0], pull_rounded(labels, r[0], c[0]))
both = fields.compose(backend.to_device(u[:1]), backend.to_device(u[1:]))
assert np.allclose(backend.to_host(both.data)[0], compose(u[0].astype(float), u[1].astype(float)), atol=1e-3)

# %% [markdown]
# ## What you know now
#
# - Rounded displacements make the loss a staircase; interpolation makes it a slope.
# - Bilinear interpolation takes four pixels, with weights that are areas and add up to 1. It is exact on the pixels and
#   for planes.
# - Beyond the border the image goes on in black (`"zeros"`, with a ramp) or as it was at the border (`"edge"`).
# - A test image with a black border hides what happens at the border. Test with random images.
# - Labels are not interpolated. Fields are composed first, and the image is interpolated once.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_02.py` and run `python -m lessons.check 02` from the top folder.
#
# 1. `sample_line`: many places at once on a line of pixels, with black beyond its ends.
# 2. `sample`: bilinear sampling of a set of images with several channels, with the border `"edge"`.
# 3. `sample_2020`: a sampler like that of 2020, with its mistakes. Find them and mend it.
#
# Next: [3. How alike are two images?](03_how_alike.py), about the number that a search makes small.

# %% [markdown]
# # 2. Between the pixels
#
# - **You need**: lesson 1 (displacements, pulling). No calculus.
# - **You will know**: how to read an image between its pixels; what lies beyond its border; how a wrong sampler could
#   look right, and the test that finds it; how to turn a digit all the way round, bit by bit, and keep it sharp.
# - **Time**: reading 25 minutes, running under 10 seconds.

# %%
import numpy as np

import pictures
from lesson import Lesson, claim
from minireg import backend, fields, ops
from minireg.data.strokes import draw_digits

lesson = Lesson(2)
seed = lesson.knob("seed", 0, (1, 2, 3), "other handwritings of the digit")
digit = lesson.knob("digit", 2, (4, 5, 8), "another digit, with other stairs")
degrees = lesson.knob("degrees", 10, (5, 20, 30), "smaller: more turns, more blur")

# %% [markdown]
# In lesson 1 every pixel looked at another *pixel*. Whoever wants 0.4 of a pixel has to round. What does that do to a
# search?
#
# A place is called `(r, c)` from now on, with any numbers. `i` and `j` are whole: the row and the column of a pixel.


# %%
def read(image, i, j, border="zeros"):
    """The pixels (i, j). Outside of the image: 0, or with "edge" the nearest pixel."""
    nearest_i = np.clip(i, 0, image.shape[0] - 1)
    nearest_j = np.clip(j, 0, image.shape[1] - 1)
    outside = (nearest_i != i) | (nearest_j != j)
    values = image[nearest_i, nearest_j]
    return np.where(outside & (border == "zeros"), 0, values)


def pull_rounded(image, r, c):
    return read(image, np.rint(r).astype(int), np.rint(c).astype(int))


three_pixels = np.array([[10.0, 20.0, 40.0]])
c = np.array([0, 0.4, 0.6, 1, 1.4])
print("places", c, "read", pull_rounded(three_pixels, 0 * c, c))

# %% [markdown]
# **Before you run the next cell: what do you expect?** The fixed image is the digit, moved two columns to the right. So
# the truth is `u_column = -2`. We try 401 displacements, in steps of 0.01. What does the curve of the loss look like?


# %%
def mse(a, b):
    return np.mean((a - b) * (a - b))


moving = draw_digits([digit], np.random.default_rng(seed))[0, :, :, 0].astype(float)
rows, columns = np.indices(moving.shape)
fixed = pull_rounded(moving, rows, columns - 2)
shifts = np.arange(-320, 81) / 100
stairs = [mse(pull_rounded(moving, rows, columns + u), fixed) for u in shifts]
figure = pictures.curves({"rounded": stairs}, "u_column", "MSE", x=shifts)
lesson.save(figure, "stairs")

# %% [markdown]
# <details><summary>The answer</summary>
#
# A staircase. Up to half a pixel, a displacement does nothing at all. Then the whole image jumps.
#
# </details>
#
# On a stair one cannot tell in which direction it goes down. And on the lowest one, a whole pixel wide, every
# displacement is as good as the true one. We need intensities *between* the pixels.
#
# ## On a line
#
# Two pixels, 10 and 20. What is a quarter of the way from the first to the second? Nobody knows, so guess the simplest:
# a straight line. The first counts three quarters, 7.5, the second one quarter, 5. Together 12.5. The nearer one counts
# more: the weight of each is the distance to the *other*.
#
# In symbols, x is the line of pixels and c the place. The pixel before it is `j = floor(c)`, and the part of the way
# that lies behind us is `t = c - j`:
#
# $$
# y = (1 - t) x[j] + t x[j + 1]
# $$


# %%
def linear(x, c):
    j = int(np.floor(c))
    t = c - j
    return (1 - t) * x[j] + t * x[j + 1]


print(f"10 and 20, at 0.25: {linear([10, 20], 0.25)}")
print(f"0 1 4 9, the squares, at 1.5: {linear([0, 1, 4, 9], 1.5)} and not {1.5 * 1.5}")

# %% [markdown]
# The last line says what a straight line costs: of a curve it cuts the corner.
#
# <details><summary>Why floor, and not int?</summary>
#
# Left of pixel 0, c is negative. `floor(-0.3)` is -1, so t = 0.7. But `int(-0.3)` cuts off the fraction and gives 0,
# and then t = -0.3: a negative weight, on the wrong pixel.
#
# </details>
#
# ## In the plane
#
# In an image a place lies between *four* pixels, `10 20` and below them `30 60`. Go a quarter of the way to the right
# and half of the way down. In the upper row you read 12.5, as before, in the lower one 37.5. Half-way between these is
# 25. This is **bilinear interpolation**.


# %%
def bilinear(image, r, c, border="zeros"):
    """The intensities at the places (r, c): two arrays of one shape."""
    i = np.floor(r).astype(int)
    j = np.floor(c).astype(int)
    s = r - i
    t = c - j
    pixel = lambda down, right: read(image, i + down, j + right, border)
    above = (1 - t) * pixel(0, 0) + t * pixel(0, 1)
    below = (1 - t) * pixel(1, 0) + t * pixel(1, 1)
    return (1 - s) * above + s * below


four_pixels = np.array([[10.0, 20.0], [30.0, 60.0]])
print(bilinear(four_pixels, np.array([0.5]), np.array([0.25])))

# %% tags=["hide-input"]
figure, axes = pictures.panels(3)
pictures.areas(axes[0], 0.5, 0.25, four_pixels)
middle = np.unravel_index(moving.argmax(), moving.shape)
r, c = np.mgrid[middle[0] - 3 : middle[0] + 3 : 0.02, middle[1] - 3 : middle[1] + 3 : 0.02]
i, j = np.mgrid[-3:4, -3:4] + np.reshape(middle, (2, 1, 1))
for panel, sampler in zip(axes[1:], (pull_rounded, bilinear), strict=True):
    frame = middle[1] - 3, middle[1] + 3, middle[0] + 3, middle[0] - 3
    panel.imshow(sampler(moving, r, c), cmap="gray", vmin=0, vmax=1, extent=frame)
    panel.scatter(j, i, c=read(moving, i, j), cmap="gray", vmin=0, vmax=1, edgecolors="tab:orange", s=40, zorder=3)
    panel.set(xlim=(frame[0] - 0.3, frame[1] + 0.3), ylim=(frame[2] + 0.3, frame[3] - 0.3), xticks=[], yticks=[])
axes[1].set_title("pixels (circles), and\nbetween them, rounded", fontsize=10)
axes[2].set_title("the same pixels,\nbilinear", fontsize=10)
lesson.save(figure, "bilinear")

# %% [markdown]
# With `s` for the part of the way down, each of the four pixels has one weight, and on the left you see it: the place
# cuts the square into four rectangles, and each pixel gets the area *across* from it.
#
# | pixel | its weight |
# |---|---|
# | `x[i, j]` | `(1 - s) * (1 - t)` |
# | `x[i, j + 1]` | `(1 - s) * t` |
# | `x[i + 1, j]` | `s * (1 - t)` |
# | `x[i + 1, j + 1]` | `s * t` |
#
# Areas of one square: none is negative, and **together they are 1**. Keep that in mind, it will find a bug.
#
# And the stairs?

# %%
slope = [mse(bilinear(moving, rows, columns + u), fixed) for u in shifts]
print(f"rounded, at -0.2:  {stairs[300]:.4f}, at -0.3:  {stairs[290]:.4f}")
print(f"bilinear, at -0.2: {slope[300]:.4f}, at -0.3: {slope[290]:.4f}")

# %% tags=["hide-input"]
lines = {"rounded": stairs, "bilinear": slope}
figure = pictures.curves(lines, "u_column", "MSE", x=shifts)
lesson.save(figure, "slope")

# %% tags=["evidence", "hide-cell"]
rng = np.random.default_rng(0)
noise, ones = rng.random((28, 28)), np.ones((28, 28))
r, c = rng.uniform(0, 27, (2, 1000))
claim(max(np.compress(np.abs(shifts + 2) < 0.5, stairs)) == 0, "rounded, all within half a pixel are as good as -2")
claim(np.all(np.diff(slope) * np.sign(shifts[1:] + 1.995) > 0), "interpolated, the loss falls to -2 from both sides")
claim(np.array_equal(bilinear(noise, rows, columns), noise), "interpolation changes nothing on the pixels")
claim(np.allclose(bilinear(ones, r, c), 1), "the four weights together are 1")


# %% [markdown]
# Now every little step changes the loss, and around the truth it says in which direction to go. Lesson 4 will walk down
# this slope. (It has kinks at whole numbers, where one square ends and the next begins. Lesson 7 looks into them.)
#
# ## Beyond the border
#
# A place may lie outside of the image. `read` knows two answers to what is there. `"zeros"`: all is black. `"edge"`:
# the pixels of the border are repeated. It looks like a detail. Take a ramp, one row of eight pixels that get brighter
# by .1. The fixed image shows the same ramp one pixel further on. So the truth is `u_column = 1`.
#
# **Before you run the next cell: what do you expect?** Which displacement has the smaller loss, the true one or none at
# all?

# %%
ramp = np.array([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]])
ramp_fixed = ramp + 0.1
r, c = np.indices(ramp.shape)
with_zeros = bilinear(ramp, r, c + 1, "zeros")
with_edge = bilinear(ramp, r, c + 1, "edge")
print("none ", ramp.round(1), f"MSE {mse(ramp, ramp_fixed):.4f}")
print("zeros", with_zeros.round(1), f"MSE {mse(with_zeros, ramp_fixed):.4f}")
print("edge ", with_edge.round(1), f"MSE {mse(with_edge, ramp_fixed):.4f}")

# %% tags=["hide-input"]
figure, axes = pictures.panels(2, aspect=0.7, width=4)
along = np.arange(-2, 9.001, 0.02)[None, :]
for border, style in (("edge", "-"), ("zeros", "--")):
    axes[0].plot(along[0], bilinear(ramp, 0 * along, along, border)[0], style, label=f'"{border}"')
axes[0].plot(c[0], ramp[0], "o", color="black", markersize=4, label="pixels")
axes[0].set_title("a ramp of eight pixels, read along the columns", fontsize=10)
axes[1].plot(c[0], ramp_fixed[0], "o", color="black", markersize=8, markerfacecolor="none", label="fixed")
for border, style, moved in (("edge", "-", with_edge), ("zeros", "--", with_zeros)):
    axes[1].plot(c[0], moved[0], style, marker=".", label=f'"{border}"')
axes[1].set_title("moved by the true displacement", fontsize=10)
for panel in axes:
    panel.set(xlabel="column", ylabel="intensity", ylim=(-0.05, 1.05))
    panel.legend(frameon=False, fontsize=8, loc="upper left")
    panel.spines[["top", "right"]].set_visible(False)
lesson.save(figure, "border")

# %% [markdown]
# <details><summary>The answer</summary>
#
# With `"zeros"`, none at all, by a factor of ten. Seven pixels match perfectly, and one has looked beyond the border
# and found black. That one outvotes the seven. With `"edge"` the true displacement wins.
#
# </details>
#
# Black beyond the border tells of the frame, not of the picture. So this project warps its images with `"edge"`
# wherever it registers or trains (`ops.warp` has to be told so, with `border="edge"`). It reads fields in the same way:
# a shift by 3 is a shift by 3 beyond the border too. On black paper, like our digits, both are the same.
#
# ## The sampler of 2020
#
# And black paper can hide a bug. This project began with an experiment of 2020. Here is how it read between pixels, in
# our symbols. It repeats the border too. Try to see what is wrong.


# %%
def bilinear_2020(image, r, c):
    i = np.floor(r).astype(int)
    j = np.floor(c).astype(int)
    i0, i1 = np.clip([i, i + 1], 0, image.shape[0] - 1)
    j0, j1 = np.clip([j, j + 1], 0, image.shape[1] - 1)
    above = (j1 - c) * image[i0, j0] + (c - j0) * image[i0, j1]
    below = (j1 - c) * image[i1, j0] + (c - j0) * image[i1, j1]
    return (i1 - r) * above + (r - i0) * below


same = bilinear_2020(moving, rows, columns)
print("every pixel looks at itself; largest change:", np.abs(same - moving).max())

# %% [markdown]
# It passes the first test that one thinks of. Now a digit with a grey background.

# %% tags=["hide-input"]
on_grey = np.maximum(moving, 0.5)
read_in_2020 = {
    "a digit": moving,
    "read in 2020": same,
    "the same on grey": on_grey,
    "on grey, read in 2020": bilinear_2020(on_grey, rows, columns),
}
figure = pictures.images_in_a_row(read_in_2020)
pictures.frame(figure, "tab:orange")
lesson.save(figure, "sampler_of_2020")

# %% [markdown]
# The last row and the last column are black. Take the last column by hand, `c = 27`. `j0` is 27. `j1` would be 28, and
# is clipped to 27. The weights are `j1 - c` and `c - j0`: 0 and 0. **Together they are not 1.**
#
# Each weight was made from an index of its own, and each index was clipped on its own. Their sum is `j1 - j0`, which is
# 1 only as long as nothing is clipped. The cure is to make both weights from *one* number, `t` and `1 - t`. Then they
# add up to 1, whatever happens to the indices.
#
# The bug lived because the digits of MNIST have a black border. Two cheap tests find it, with every pixel looking at
# itself. Read an image of random numbers: nothing may change. Read an image of ones: you see the sum of the weights.
# (Neither finds the fractions s and t exchanged, for on a pixel both are 0. For that, read *between* pixels.) Here are
# the last two rows, three columns of each.

# %%
print("2020:", bilinear_2020(np.ones((28, 28)), rows, columns)[-2:, -3:].tolist())
print("ours:", bilinear(np.ones((28, 28)), rows, columns)[-2:, -3:].tolist())

# %% tags=["evidence", "hide-cell"]
wrong = bilinear_2020(noise, rows, columns)
claim(np.array_equal(wrong, np.pad(noise[:-1, :-1], (0, 1))), "in 2020 only the last row and column were lost")
claim(np.array_equal(same, moving) and not np.any(moving - np.pad(moving[:-1, :-1], (0, 1))), "a black border hides it")
c = rng.uniform(-3, 30, 1000)
j0, j1 = np.clip(np.floor([c, c + 1]).astype(int), 0, 27)
t = c - j0  # of the clipped index, but one number for both weights
clipped_first = (1 - t) * noise[0, j0] + t * noise[0, j1]
claim(np.allclose(clipped_first, bilinear(noise[:1], 0 * c, c, "edge")), "clipping first is harmless with t and 1 - t")
claim(mse(with_zeros, ramp_fixed) > 10 * mse(ramp, ramp_fixed), "on the ramp, zeros are ten times worse than none")

# %% [markdown]
# ## Every interpolation blurs
#
# What lies between two pixels is a mean, and means are smooth. Once does little harm. But turn a digit by a few
# degrees, turn the result again, and so on, all the way round: then we know what should come out. (`rotation` turns
# each pixel's way from the centre, down and right, by the angle: the exercise of lesson 1.)


# %%
def rotation(degrees):
    """Where every pixel looks (r, c), so that the content turns anticlockwise."""
    sine = np.sin(np.radians(degrees))
    cosine = np.cos(np.radians(degrees))
    down = rows - 13.5
    right = columns - 13.5
    return 13.5 + cosine * down + sine * right, 13.5 - sine * down + cosine * right


TURNS = 360 // degrees
r, c = rotation(degrees)
turned = moving
for _ in range(TURNS):
    turned = bilinear(turned, r, c)
print(f"{TURNS} turns: MSE {mse(turned, moving):.4f}, brightest {turned.max():.2f}")

# %% [markdown]
# The cure: interpolate the *image* once, and make one field of the many before. Going along `first` from p leads to
# `p + first(p)`. From there go along `second`, with the displacement that it has *there*. Together
#
# $$
# w(p) = \mathrm{first}(p) + \mathrm{second}(p + \mathrm{first}(p))
# $$
#
# The place `p + first(p)` lies between pixels, so we read the field there like an image, each of its two components,
# with `"edge"`. This is called [composition](../docs/glossary.md#composition).


# %%
def compose(first, second):
    r = rows + first[..., 0]
    c = columns + first[..., 1]
    down = bilinear(second[..., 0], r, c, "edge")
    right = bilinear(second[..., 1], r, c, "edge")
    return first + np.stack([down, right], axis=-1)


one_turn = np.stack([r - rows, c - columns], axis=-1)
w = np.zeros((28, 28, 2))
for _ in range(TURNS):
    w = compose(w, one_turn)
sharp = bilinear(moving, rows + w[..., 0], columns + w[..., 1])
print(f"composed, then interpolated once: MSE {mse(sharp, moving):.1e}")

# %% tags=["hide-input"]
rounded = moving
for _ in range(TURNS):
    rounded = pull_rounded(rounded, r, c)
ways_round = {
    "the start\n": moving,
    f"{TURNS} times\nrounded": rounded,
    f"{TURNS} times\ninterpolated": turned,
    f"{TURNS} fields composed,\ninterpolated once": sharp,
}
figure = pictures.images_in_a_row(ways_round)
lesson.save(figure, "turns")

# %% tags=["evidence", "hide-cell"]
claim(mse(turned, moving) > 0.01 and mse(sharp, moving) < 1e-6, "interpolated each time it blurs, composed it stays")
claim(np.abs(w[np.hypot(rows - 13.5, columns - 13.5) < 13.5]).max() < 1e-9, "inside a circle all pixels come back")
labels = np.repeat([[0.0, 1.0, 3.0]], 3, axis=1)
c = np.arange(0, 8.1, 0.25)[None, :]
of_labels = [bilinear((labels == label).astype(float), 0 * c, c) for label in range(4)]
claim(2 in bilinear(labels, 0 * c, c) and 2 not in pull_rounded(labels, 0 * c, c), "interpolated, 1 and 3 make a 2")
claim(2 not in np.argmax(of_labels, axis=0), "the label whose channel is largest is never an invented one")
images, u = rng.random((2, 28, 28, 1), np.float32), rng.normal(0, 5, (2, 28, 28, 2)).astype(np.float32)
warped = backend.to_host(ops.warp(backend.to_device(images), backend.to_device(u), border="edge").data)
ours = [bilinear(images[n, :, :, 0], rows + u[n, :, :, 0], columns + u[n, :, :, 1], "edge") for n in range(2)]
claim(np.allclose(warped[..., 0], ours, atol=1e-4), "ops.warp agrees with our bilinear")
both = fields.compose(backend.to_device(u[:1]), backend.to_device(u[1:]))
claim(np.allclose(backend.to_host(both.data)[0], compose(*u), atol=1e-3), "fields.compose agrees with ours")

# %% [markdown]
# This is the picture to show. All three went the whole way round in the same small steps. One was rounded each time,
# one interpolated each time. The last asked first where each pixel has to look in the end, and then looked once.
#
# But composing interpolates too, the fields. Why do these not blur? Going along the rows, or along the columns, the
# displacements of a rotation grow by the same amount from pixel to pixel. So they are *ramps*, and between two pixels
# of a ramp the straight line is exact. Nothing is lost, as long as a pixel looks into the image. A curved field would
# lose a little each time: of a curve, a straight line cuts the corner.
#
# The project's versions are `ops.warp` and `fields.compose`; the folded cell above checks that they agree with ours.
#
# <details><summary>When not to interpolate: labels are names</summary>
#
# A [label map](../docs/glossary.md#label-map) says what is at each pixel: 0 nothing, 1 bone, 3 brain. Interpolate
# between 1 and 3 and you may get 2, the name of something else altogether. So labels are read at the nearest pixel,
# with `ops.warp_nearest`. There is a smoother way: make an image for each label, 1 where it is and 0 elsewhere, as
# channels. Interpolate each of them, and take at every pixel the label whose channel is largest.
#
# </details>
#
# ## What you know now
#
# - Rounded displacements make the loss a staircase, interpolation makes it a slope.
# - Bilinear interpolation takes four pixels. Their weights are areas, and together they are 1.
# - A border that happens to be black hides what happens at the border. Test with ones, and with random numbers.
# - Compose the fields, and interpolate the image once.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_02.py` and run `python -m lessons.check 02` from the top folder. From easy to hard:
#
# 1. `sample_line`: many places at once on a line of pixels, with black beyond its ends.
# 2. `sample`: bilinear sampling of a set of images with several channels, with `"edge"`.
# 3. `sample_2020`: a sampler built like the one of 2020 above, for places from -1 to 1. It has two mistakes. Find
#    them, and mend them.
#
# A small project, without a check: **a film of a zoom.** Take a photograph, and look at ever smaller pieces of it, each
# 1.1 times as large as the one before. Make the twenty frames twice: each from the photograph, and each from the frame
# before. Lay the last two side by side. Then zoom out instead, once with `"zeros"` and once with `"edge"`.
#
# ## What comes next
#
# A search makes a number small. [3. How alike are two images?](03_how_alike.py) asks which number.

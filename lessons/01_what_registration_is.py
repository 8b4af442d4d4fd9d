# %% [markdown]
# # 1. What registration is
#
# - **You need**: Python with NumPy (arrays, indexing, loops). No calculus. For exercise 1: sine and cosine.
# - **You will know**: what a displacement field is, and how to read its sign; why images are warped by *pulling* and
#   not by pushing; how to register two images by trying; why the best match can still be the wrong answer.
# - **Time**: reading 25 minutes, running under 10 seconds.
#
# Run this file with `python lessons/01_what_registration_is.py`; it prints numbers and writes its figures to
# `lessons/figures`. What the text says about results is checked by an `assert` next to it.

# %%
import matplotlib.pyplot as plt
import numpy as np

from lesson import Lesson
from minireg import backend, ops
from minireg.data.strokes import draw_digits

lesson = Lesson(1)

# %% [markdown]
# ## Two images of the same thing
#
# Two people have written a 7. We call one image the **moving** image and the other the **fixed** image.
# **Registration** means: find out by how much every point of the moving image has to move, so that it looks like the
# fixed image. (We shall soon turn this question round.) With digits this is a game. With two scans of a patient, before
# and after a treatment, it is how one finds out what has changed.
#
# Throughout this project a set of images is one array of shape `(N, H, W, C)`: N images, H rows, W columns, and C
# channels (1 for grey images, 3 for red, green and blue). Intensities go from 0 to 1. In this lesson we take the two
# images out of the set and work on arrays of shape `(H, W)`.

# %%
images = draw_digits([7, 7], np.random.default_rng(12))  # 12 is the seed: the same digits in every run
moving, fixed = images[0, :, :, 0], images[1, :, :, 0]
assert images.shape == (2, 28, 28, 1) and moving.shape == (28, 28)
assert images.min() == 0 and images.max() == 1

# %% [markdown]
# A place in an image is a pair `p = (row, column)`. Rows are counted **downwards** from the top, columns **to the
# right**, both from 0. The centre of a pixel lies at whole numbers, so the image reaches from 0 to 27 in both
# directions, and its middle lies at 13.5, between the pixels.

# %%
rows, columns = np.indices(moving.shape)
assert rows[5, 2] == 5 and columns[5, 2] == 2
MIDDLE = (28 - 1) / 2
assert MIDDLE == 13.5

# %% [markdown]
# How different are the two images? The simplest number is the mean squared difference (**MSE**): subtract, square,
# average over all pixels. It is 0 for equal images. Lesson 3 asks whether it is a good choice.


# %%
def mse(a, b):
    return np.mean((a - b) ** 2)


before = mse(moving, fixed)
print(f"MSE of the two images: {before:.4f}")
assert abs(before - 0.0803) < 0.0005
assert mse(moving, moving) == 0


# %% tags=["hide-input"]
def show(axes, image, title):
    axes.imshow(image, cmap="gray", vmin=0, vmax=1)
    axes.set_title(title, fontsize=10)
    axes.set_xticks([]), axes.set_yticks([])


def show_difference(axes, difference, title):
    axes.imshow(difference, cmap="RdBu_r", vmin=-1, vmax=1)
    axes.set_title(title, fontsize=10)
    axes.set_xticks([]), axes.set_yticks([])


figure, axes = plt.subplots(1, 3, figsize=(8, 3.2), layout="constrained")
show(axes[0], moving, "moving")
show(axes[1], fixed, "fixed")
for panel in axes[:2]:
    panel.set_xticks([0, 13.5, 27]), panel.set_yticks([0, 13.5, 27])
    panel.set_xlabel("column"), panel.set_ylabel("row")
show_difference(axes[2], moving - fixed, f"moving - fixed, MSE {before:.4f}\nred: too bright, blue: too dark")
lesson.save(figure, "pair")

# %% [markdown]
# ## First try: push
#
# A **displacement field** `u` holds for every pixel two numbers, how far down and how far to the right, in pixels:
# `u_row = u[row, column, 0]` and `u_column = u[row, column, 1]`. As an array it has the shape `(H, W, 2)`. For now we
# allow only whole numbers.
#
# A first idea: `u` says where each pixel *goes*. Take every pixel `p` of the moving image and write its intensity at
# `p + u(p)`.


# %%
def push(image, u):
    """Write every pixel p at p + u(p). Also returns how often each pixel was written."""
    output, hits = np.zeros_like(image), np.zeros(image.shape, int)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            to_row, to_column = row + u[row, column, 0], column + u[row, column, 1]
            if 0 <= to_row < image.shape[0] and 0 <= to_column < image.shape[1]:
                output[to_row, to_column] = image[row, column]
                hits[to_row, to_column] += 1
    return output, hits


def field(u_row, u_column):
    """A field (H, W, 2) of whole pixels from its two components: arrays (H, W), or numbers for all pixels."""
    components = [np.broadcast_to(component, moving.shape) for component in (u_row, u_column)]
    return np.rint(np.stack(components, axis=-1)).astype(int)


# %% [markdown]
# For a shift of the whole image this works: three columns to the right leave three empty columns at the left border,
# and everything else is in its place.

# %%
shifted, hits = push(moving, field(0, 3))
assert np.array_equal(shifted[:, 3:], moving[:, :-3])
assert (hits[:, :3] == 0).all() and (hits[:, 3:] == 1).all()

# %% [markdown]
# Now let us enlarge the digit to 1.5 times its size. A point at a distance of 2 from the middle goes to a distance of
# 3, so it moves by half of its distance from the middle. And let us make it smaller, to two thirds: there every point
# moves by a third of its distance towards the middle.

# %%
larger, larger_hits = push(moving, field(0.5 * (rows - MIDDLE), 0.5 * (columns - MIDDLE)))
inwards = field(-(rows - MIDDLE) / 3, -(columns - MIDDLE) / 3)
smaller, smaller_hits = push(moving, inwards)

holes, collisions = (larger_hits == 0).sum(), (smaller_hits > 1).sum()
print(f"larger: {holes} of 784 pixels were never written; smaller: {collisions} pixels were written more than once")
assert holes > 784 / 2
assert collisions > 100

# %% [markdown]
# More than half of the enlarged image has never been written: these are **holes**. 28 rows cannot fill the 42 rows that
# they are spread over. In the smaller image there are **collisions**: several pixels arrive at the same place, and
# which of them stays depends on the order of the loop. Both come from the same thing: pushing takes care that every
# pixel of the *input* is used once. But it is the *output* that should have one value at every pixel.
#
# ## Second try: pull
#
# So let us walk over the output. Every output pixel `p` asks: *where do I get my value from?* The field gives the
# answer: from `p + u(p)` in the moving image. This is called **pull-back** warping, and it is the convention of this
# project, as it is of SciPy's `map_coordinates` and of PyTorch's `grid_sample`:
#
#     warp(moving, u)[p] = moving(p + u(p))
#
# A pixel that looks beyond the border of the image finds 0, black.


# %%
def pull(image, u):
    """Every output pixel p takes the intensity at p + u(p); 0 beyond the border."""
    output = np.full_like(image, np.nan)  # "not a number", to see whether a pixel is left out
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            r, c = row + u[row, column, 0], column + u[row, column, 1]
            inside = 0 <= r < image.shape[0] and 0 <= c < image.shape[1]
            output[row, column] = image[r, c] if inside else 0
    return output


# %% [markdown]
# To enlarge by 1.5, the output pixel at a distance of 3 from the middle has to look at a distance of 2: it looks
# inwards, by a third of its distance. So the field that enlarges is exactly the field `inwards`, with which pushing
# made the digit *smaller*. Pushing and pulling go opposite ways: to push with the same effect, the pixel q = p + u(p)
# that is looked at would have to be sent back to p, by -u(p). That is -u, but read at the *other* end of the way; where
# two pixels look at the same place, no pushing can do it at all.

# %%
pulled = pull(moving, inwards)
assert not np.isnan(pulled).any()  # no hole
ink = lambda image: int((image > 0.5).sum())
print(f"pixels brighter than one half: {ink(moving)}, after enlarging by pulling: {ink(pulled)}")
assert 1.8 < ink(pulled) / ink(moving) < 2.7  # 1.5 squared is 2.25, less what is lost at the border

# %% [markdown]
# Every output pixel was visited once by the loop, so each has got exactly one value. There is no hole and no collision,
# whatever the field is.

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(10, 3.2), layout="compressed")
show(axes[0], moving, "moving")
for panel, image, marked, words in (
    (axes[1], larger, larger_hits == 0, f"pushed to 1.5 times its size:\n{holes} holes (red)"),
    (axes[2], smaller, smaller_hits > 1, f"pushed to two thirds:\n{collisions} collisions (orange)"),
):
    show(panel, image, words)
    colour = [0.85, 0.15, 0.15] if "holes" in words else [1.0, 0.65, 0.15]
    panel.imshow(np.dstack([np.ones((*marked.shape, 3)) * colour, 0.8 * marked]))
show(axes[3], pulled, "pulled to 1.5 times its size:\none value for every pixel")
lesson.save(figure, "push_and_pull")

# %% [markdown]
# ## The sign
#
# Go slowly here. We want the digit three columns further **right**. The output pixel in column 10 must then show what
# the moving image has in column 7. So it has to look three columns to the **left**: `u_column = -3`. The field points
# from where the content *will be* to where it *comes from*.
#
# The centre of mass, the mean position of the ink, tells us where the digit is.


# %%
def centre(image):
    """Centre of mass: the mean row and the mean column, weighted with the intensities."""
    return np.array([(rows * image).sum(), (columns * image).sum()]) / image.sum()


moved_right = pull(moving, field(0, -3))
assert moved_right[12, 10] == moving[12, 7]
assert np.allclose(centre(moved_right) - centre(moving), [0, 3], atol=1e-3)
print("centre of mass before and after u = (0, -3):", centre(moving).round(2), centre(moved_right).round(2))

# %% [markdown]
# In the same way `u_row = 2` moves the content **up** by two rows: every pixel looks further down, because down is
# where rows grow.

# %%
assert np.allclose(centre(pull(moving, field(2, 0))) - centre(moving), [-2, 0], atol=1e-3)

# %% [markdown]
# ## Fields that vary
#
# A shift has the same `u` everywhere. It becomes interesting when every pixel has its own. Three examples:
#
# - **Enlarging**, as above: every pixel looks inwards.
# - A **shear**: `u_column = k (row - 13.5)`. Rows above the middle look one way, rows below it the other way, the
#   further from the middle the more. With k < 0 the upper rows look to the right, so their content moves to the left:
#   the slanted 7 gets upright.
# - A **wave**: `u_column = 2 sin(row / 3)`. Neither a shift nor a shear, just a field. Registration with fields in
#   which every pixel may have a displacement of its own is called **deformable**.


# %%
def shear(k):
    return field(0, k * (rows - MIDDLE))


wave = field(0, 2 * np.sin(rows / 3))
assert (shear(-0.4)[:14, :, 1] >= 0).all()  # the upper half looks to the right
upper_half = rows < MIDDLE
move_of_the_top = centre(pull(moving, shear(-0.4)) * upper_half) - centre(moving * upper_half)
assert move_of_the_top[1] < -1  # its ink moves to the left, by more than a column

# %% [markdown]
# There are two good ways to look at a field, and the figure shows both. **Arrows** go from every output pixel `p` to
# the place `p + u(p)` where it looks. The **grid** joins these places: it is where the rows and columns of the output
# lie on the moving image. Where the grid is narrow, few pixels of the moving image are spread over many output pixels,
# and the content gets larger.


# %% tags=["hide-input"]
def show_arrows(axes, u, title):
    p = (slice(1, None, 4), slice(2, None, 6))  # further apart along the rows, where the arrows of a shear lie
    arrows = {"angles": "xy", "scale_units": "xy", "scale": 1, "color": "tab:blue", "width": 0.006}
    axes.quiver(columns[p], rows[p], u[..., 1][p], u[..., 0][p], **arrows)
    axes.set(xlim=(-0.5, 27.5), ylim=(27.5, -0.5), aspect="equal", xticks=[], yticks=[])
    axes.set_title(title, fontsize=10)


def show_grid(axes, u, step=3):
    r, c = rows + u[..., 0], columns + u[..., 1]
    for k in range(0, 28, step):
        axes.plot(c[k], r[k], color="tab:orange", linewidth=0.8)
        axes.plot(c[:, k], r[:, k], color="tab:orange", linewidth=0.8)
    axes.set(xlim=(-0.5, 27.5), ylim=(27.5, -0.5))


examples = {
    "right by 3\nu = (0, -3)": field(0, -3),
    "enlarge by 1.5": inwards,
    "shear, k = -0.4": shear(-0.4),
    "wave": wave,
}
figure, axes = plt.subplots(3, 4, figsize=(10, 7.8), layout="compressed")
for (name, u), (arrows, grid, result) in zip(examples.items(), axes.T, strict=True):
    show_arrows(arrows, u, name)
    show(grid, moving, "")
    show_grid(grid, u)
    show(result, pull(moving, u), "")
for panel, words in zip(
    axes[:, 0], ("arrows: where\neach pixel looks", "grid of these\n(rounded) places", "warped"), strict=True
):
    panel.set_ylabel(words)
lesson.save(figure, "fields")

# %% [markdown]
# ## Registration is a search
#
# Now we can register. The moving 7 leans more than the fixed one, so let us try thirteen shears, from k = -0.6 to 0.6,
# and keep the one after which the MSE is smallest. This is all that registration ever is: a **family of fields**, a
# **number that says how well it fits**, and a **search**. What the rest of this course adds is a better family, a
# better number and a better search.

# %%
candidates = np.arange(-6, 7) / 10
losses = np.array([mse(pull(moving, shear(k)), fixed) for k in candidates])
best = candidates[losses.argmin()]
for k, value in zip(candidates, losses, strict=True):
    print(f"k = {k:4.1f}   MSE {value:.4f}" + ("   <- smallest" if k == best else ""))

assert best == -0.4
assert losses[candidates == 0] == before  # k = 0 changes nothing
assert 0.01 < losses.min() < before / 3

# %% [markdown]
# A number that is to be made as small as possible is called a **loss**. With k = -0.4 the loss is less than a third of
# what it was. The two digits match better, but not everywhere: no shear turns one person's stroke into the other's.

# %% tags=["hide-input"]
warped = pull(moving, shear(best))
figure, axes = plt.subplots(1, 4, figsize=(11, 3.2), layout="constrained", width_ratios=[1.5, 1, 1, 1])
axes[0].plot(candidates, losses, "o-", color="tab:blue")
axes[0].plot(best, losses.min(), "o", color="tab:red", markersize=10)
axes[0].set(xlabel="k of the shear", ylabel="MSE to fixed", ylim=(0, None))
axes[0].set_title("thirteen tries; the best is red", fontsize=10)
show_difference(axes[1], moving - fixed, f"moving - fixed\nMSE {before:.4f}")
show(axes[2], warped, f"moving, warped by\nthe best shear, k = {best:.1f}")
show_difference(axes[3], warped - fixed, f"warped - fixed\nMSE {losses.min():.4f}")
lesson.save(figure, "search")

# %% [markdown]
# ## The best match can be worthless
#
# Why shears? A shear has one number, a field has two at every pixel: 1,568 of them. Surely a larger family matches
# better. Let us take the largest one, *any* field of whole pixels, and search it completely. That is easier than it
# sounds: each output pixel is on its own, so it looks through the whole moving image for the intensity that is closest
# to what the fixed image has there. If several pixels have it, chance decides.


# %%
def closest_intensity(moving, fixed, seed):
    """For every pixel the displacement to a pixel of the moving image with the closest intensity."""
    rng = np.random.default_rng(seed)
    u = np.empty((*fixed.shape, 2), int)
    for row in range(fixed.shape[0]):
        for column in range(fixed.shape[1]):
            distance = np.abs(moving - fixed[row, column])
            closest = distance == distance.min()
            assert np.ptp(moving[closest]) == 0  # never one a little brighter and one as much darker
            choice = rng.choice(np.argwhere(closest))
            u[row, column] = choice - (row, column)
    return u


torn = closest_intensity(moving, fixed, seed=0)
print(f"MSE with the best shear {losses.min():.4f}, with any field at all {mse(pull(moving, torn), fixed):.6f}")
assert torn.size == 1568
assert mse(pull(moving, torn), fixed) < losses.min() / 100
closest_of_all = np.abs(fixed[:, :, None] - moving.ravel()).min(axis=2)  # every fixed pixel against all 784 of moving
assert np.array_equal(np.abs(pull(moving, torn) - fixed), closest_of_all)

# %% [markdown]
# A nearly perfect match, a hundred times better than that of the shear, and no other field of whole pixels does better,
# because every pixel has taken the closest intensity that there is. It is also nonsense: neighbouring pixels look at
# places that have nothing to do with each other. And it is not the only one. Another run of chance gives another field
# and *exactly the same image*: the pixels among which chance decides always have the same intensity.

# %%
torn_otherwise = closest_intensity(moving, fixed, seed=1)
assert np.array_equal(pull(moving, torn), pull(moving, torn_otherwise))
different = (torn != torn_otherwise).any(axis=-1).mean()
print(f"the two fields differ at {100 * different:.0f} % of the pixels")
assert different > 0.8

step_to_neighbour = lambda u: np.abs(np.diff(u[..., 1], axis=1)).mean()
print(f"from one pixel to the next u_column changes by {step_to_neighbour(torn):.1f} pixels on average")
assert step_to_neighbour(torn) > 5
assert step_to_neighbour(shear(best)) == 0  # along a row a shear changes nothing

assert ((moving == 0) | (moving == 1)).mean() > 0.8  # black paper, white ink

# %% [markdown]
# More than four fifths of the moving image are exactly black or exactly white: paper and ink. There the images cannot
# tell where a pixel has come from, and many fields give the same picture. So the images alone do not determine the
# answer. One has to say beforehand what a *reasonable* field is: few numbers (a shear), or neighbours that move alike
# (smoothness, lesson 9). Remember this whenever a registration method shows you how well its images match.

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 3, figsize=(7.5, 5.6), layout="compressed")
show_arrows(axes[0, 0], shear(best), "the best shear")
show(axes[0, 1], warped, f"warped by it\nMSE {losses.min():.4f}")
show(axes[0, 2], fixed, "fixed")
show_arrows(axes[1, 0], torn, "closest intensity")
show_arrows(axes[1, 1], torn_otherwise, "closest intensity, again")
show(axes[1, 2], pull(moving, torn), f"warped by either\nMSE {mse(pull(moving, torn), fixed):.6f}")
lesson.save(figure, "worthless")

# %% [markdown]
# ## The order matters
#
# Warp twice: once to half the size, once to the right by 4. To halve the size about the point (14, 14), the pixel next
# to it looks two pixels away, the one after it four: `u(p) = p - 14`. If the digit is first made smaller and then
# shifted, it ends 4 columns further right than the digit that is only made smaller. If it is first shifted and then
# made smaller, its distance from the centre is halved too: it ends 2 columns further right.

# %%
shrink, right = field(rows - 14, columns - 14), field(0, -4)
shrunk_then_moved = pull(pull(moving, shrink), right)
moved_then_shrunk = pull(pull(moving, right), shrink)
start = centre(pull(moving, shrink))[1]
print(f"further right by {centre(shrunk_then_moved)[1] - start:.2f} or by {centre(moved_then_shrunk)[1] - start:.2f}")
assert abs(centre(shrunk_then_moved)[1] - start - 4) < 0.01
assert abs(centre(moved_then_shrunk)[1] - start - 2) < 0.01

# %% [markdown]
# ## The project's version
#
# `minireg.ops.warp` does the same for a whole set of images (N, H, W, C) with a field (N, H, W, 2) for each of them, in
# one go, without loops over pixels. It computes on the **backend**, which is NumPy, or CuPy on a GPU:
# `backend.to_device(array)` brings an array of NumPy to where the backend computes, and `backend.to_host(...)` brings
# the result back. (`warp` returns a Tensor, an array that remembers how it was made; the array itself is its `.data`.
# Lesson 5 explains what that is good for.)
#
# All thirteen shears, in one call:

# %%
fields = np.stack([shear(k) for k in candidates]).astype(np.float32)
thirteen = np.repeat(moving[None, :, :, None], 13, axis=0)
result = ops.warp(backend.to_device(thirteen), backend.to_device(fields))
warped_by_ops = backend.to_host(result.data)

assert warped_by_ops.shape == (13, 28, 28, 1)
for k, image in zip(candidates, warped_by_ops, strict=True):
    assert np.allclose(image[:, :, 0], pull(moving, shear(k)), atol=1e-6)
print("ops.warp and pull agree for all thirteen shears")

# %% [markdown]
# Only whole numbers? No: `ops.warp` takes any displacements, such as 0.3 of a pixel. What that means is the next
# lesson.
#
# ## What you know now
#
# - A displacement field `u` says for every output pixel `p` where it looks: at `p + u(p)`. Rows count down, columns to
#   the right.
# - Pushing leaves holes and makes collisions; pulling gives every output pixel exactly one value.
# - To move the content right by 3, `u_column = -3`.
# - Registration is a family of fields, a loss, and a search.
# - A perfect match proves little: many fields give the same image, and most of them are nonsense.
# - In general, two displacements in the other order are another displacement.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_01.py` and run `python -m lessons.check 01` from the top folder. It tells you what
# is wrong, not how to mend it.
#
# 1. `rotation`: the field that turns the content of an image. Mind which way it looks.
# 2. `warp_whole`: pull-back for a whole set of images with several channels.
# 3. `compose`: one field that does the work of two.
#
# Next: [2. Between the pixels](02_between_the_pixels.py), where displacements need no longer be whole.

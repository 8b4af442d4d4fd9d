# %% [markdown]
# # 1. What registration is
#
# - **You need**: Python with NumPy (arrays, indexing, loops). No calculus. For one exercise: sine and cosine.
# - **You will know**: what a displacement field is, and how to read its sign; why images are *pulled* and not pushed;
#   how to register two images by trying; why a perfect match can be worthless.
# - **Time**: reading 25 minutes, running under 10 seconds.
#
# The numbers at the top are *knobs*: turn them and see what happens. A tick below a cell says that what the text claims
# was checked.

# %%
import numpy as np

import pictures
from lesson import Lesson, claim
from minireg import backend, ops
from minireg.data.strokes import draw_digits

lesson = Lesson(1)
seed = lesson.knob("seed", 12, (0, 1, 2, 3), "other handwritings of the two digits")
digit = lesson.knob("digit", 7, (1, 4, 9), "another digit; the best shear changes")
factor = lesson.knob("factor", 1.5, (1.25, 2), "fewer or more holes where we enlarge")

# %% [markdown]
# ## Two images of one thing
#
# Here is the same digit in two handwritings. (A program has drawn both.)

# %%
images = draw_digits([digit, digit], np.random.default_rng(seed))
moving = images[0, :, :, 0]
fixed = images[1, :, :, 0]
print(f"{images.shape = }, {moving.shape = }")

# %% tags=["hide-input"]
figure = pictures.images_in_a_row({"moving": moving, "fixed": fixed})
figure.axes[0].set(xticks=[0, 27], yticks=[0, 27], xlabel="column", ylabel="row")
lesson.save(figure, "pair")

# %% [markdown]
# One is called the **moving** image, the other the **fixed** image. **Registration** asks: by how much must every point
# of the moving image be moved, so that it looks like the fixed one? With digits this is a game. With two scans of a
# patient, before and after a treatment, it shows what has changed.
#
# A set of images is an array of shape `(N, H, W, C)`: N images, H rows, W columns, and C
# [channels](../docs/glossary.md#channel), one for grey images. Here we take out two arrays `(H, W)`. Intensities go
# from 0, black, to 1, white.
#
# A place is a pair `p = (row, column)`. Rows are counted downwards, columns to the right, both from 0. Going down, from
# one row to the next, is called going [along the rows](../docs/glossary.md#along-the-rows). Going to the right, from
# one column to the next, is going *along the columns*.
#
# How different are the two? Subtract, square, and take the mean over all pixels: the *mean squared difference*,
# **MSE**. For two pixels `(.9, .2)` and `(.4, .3)` the differences are .5 and -.1, their squares .25 and .01, the mean
# is .13.


# %%
def mse(a, b):
    return np.mean((a - b) * (a - b))


before = mse(moving, fixed)
print(f"by hand:        {mse(np.array([0.9, 0.2]), np.array([0.4, 0.3])):.2f}")
print(f"the two digits: {before:.4f}")

# %% [markdown]
# ## First try: push
#
# A [displacement field](../docs/glossary.md#displacement) `u` holds two numbers for every pixel: how far down,
# `u[row, column, 0]`, and how far to the right, `u[row, column, 1]`. For now they are whole numbers.
#
# A first idea: `u` says where each pixel *goes*. Write the intensity of pixel p at `p + u(p)`. Take one row of five
# pixels, `1 2 3 0 0`, and stretch it to twice its length: column 0 stays, column 1 moves by one, column 2 by two.
# (`np.ndindex` counts through all pixels p, pairs of row and column.)


# %%
def push(image, u):
    """Write every pixel p at p + u(p). Also returns how often each was written."""
    output = np.zeros_like(image)
    hits = np.zeros(image.shape, int)
    for p in np.ndindex(image.shape):
        r, c = p + u[p]
        if 0 <= r < image.shape[0] and 0 <= c < image.shape[1]:
            output[r, c] = image[p]
            hits[r, c] += 1
    return output, hits


line = np.array([[1, 2, 3, 0, 0]])
u_line = np.zeros((1, 5, 2), int)
u_line[0, :, 1] = [0, 1, 2, 3, 4]
pushed, hits = push(line, u_line)
print("pushed ", pushed)
print("written", hits, "times")

# %% [markdown]
# The 1, the 2 and the 3 have arrived. Columns 1 and 3 were never written.
#
# **Before you run the next cell: what do you expect?** A whole digit is pushed away from the middle of the image, to
# `factor` times its size. (The middle lies at 13.5, half-way between pixel 0 and pixel 27.) And then towards the
# middle, to make it that much smaller. What goes wrong in each?


# %%
def field(u_row, u_column):
    """A field of whole pixels; each part is an array (H, W), or one number for all."""
    u = np.zeros((*moving.shape, 2))
    u[..., 0] = u_row
    u[..., 1] = u_column
    return np.rint(u).astype(int)


rows, columns = np.indices(moving.shape)
down = rows - 13.5  # how far below the middle of the image
right = columns - 13.5  # how far to the right of it
outwards = field((factor - 1) * down, (factor - 1) * right)
inwards = field((1 / factor - 1) * down, (1 / factor - 1) * right)
larger, larger_hits = push(moving, outwards)
smaller, smaller_hits = push(moving, inwards)
print("larger: ", (larger_hits == 0).sum(), "of 784 pixels were never written")
print("smaller:", (smaller_hits > 1).sum(), "pixels were written more than once")

# %% tags=["hide-input"]
figure, axes = pictures.panels(3)
pictures.show(axes[0], moving, "moving")
pictures.show(axes[1], larger, f"pushed, {factor} times larger:\nholes in red")
pictures.tint(axes[1], larger_hits == 0, "tab:red")
pictures.show(axes[2], smaller, f"pushed, {factor} times smaller:\ncollisions in orange")
pictures.tint(axes[2], smaller_hits > 1, "tab:orange")
lesson.save(figure, "push")

# %% [markdown]
# <details><summary>The answer</summary>
#
# The larger digit has **holes**: 28 rows cannot fill all the rows that they are spread over. The smaller one has
# **collisions**: several pixels arrive at one place, and which of them stays depends on the order of the loop.
#
# </details>
#
# Both have one reason. Pushing uses every pixel of the *input* once. But it is the *output* that needs one value at
# every pixel.
#
# ## Second try: pull
#
# So walk over the output. Every output pixel p asks: *where do I get my value from?* The field answers: from `p + u(p)`
# in the moving image. Beyond the image it finds 0. To stretch our row by two, column 4 has to look at column 2, so its
# displacement is -2. Columns 1 and 3 would look between two pixels; for now they take the one on the right.


# %%
def pull(image, u):
    """Every output pixel p takes the intensity at p + u(p); 0 beyond the border."""
    output = np.zeros_like(image)
    for p in np.ndindex(image.shape):
        r, c = p + u[p]
        if 0 <= r < image.shape[0] and 0 <= c < image.shape[1]:
            output[p] = image[r, c]
    return output


u_line[0, :, 1] = [0, 0, -1, -1, -2]
print("pulled ", pull(line, u_line))

# %% tags=["hide-input"]
pulled = {
    "moving\n": moving,
    "pulled by the field\nthat made it smaller": pull(moving, inwards),
    "pulled by the field\nthat made it larger": pull(moving, outwards),
}
figure = pictures.images_in_a_row(pulled)
lesson.save(figure, "pull")

# %% [markdown]
# No hole and no collision: the loop comes to every output pixel once. An image that was pulled along a field is called
# **warped**. This is *pull-back*, the convention of this project, of SciPy and of PyTorch:
#
# $$
# \mathrm{warp}(\mathrm{moving}, u)[p] = \mathrm{moving}(p + u(p))
# $$
#
# And the two fields have changed places. To enlarge, an output pixel looks *inwards*.
#
# ## The sign
#
# **Before you run the next cell: what do you expect?** All pixels get `u = (0, -3)`: none down, minus three to the
# right. Which way does the digit go?

# %%
examples = {"u = (0, -3)": field(0, -3), "inwards": inwards}
examples["shear"] = field(0, -0.4 * down)
examples["wave"] = field(0, 2 * np.sin(rows / 3))
figure = pictures.ways_to_see(examples, moving, pull)
lesson.save(figure, "fields")

# %% [markdown]
# <details><summary>The answer</summary>
#
# To the right. The pixel in column 10 shows what the moving image has in column 7. It looks three columns to the
# *left*, so the content comes three columns to the *right*.
#
# </details>
#
# Go slowly here, it is easily got wrong. The field points from where the content *will be* to where it *comes from*. In
# the same way `u_row = 2` moves the content up.
#
# - The **arrows** go from each output pixel p to the place `p + u(p)` where it looks.
# - The **grid** joins these places, on the moving image. Where it is narrow, the content becomes larger. Its lines have
#   steps, because `field` rounds the displacements to whole pixels.
# - In the **shear**, `u_column = k * down` with `k = -0.4`. Rows above the middle look to the right, rows below it to
#   the left, the further from the middle the more. A digit that leans to the right is set upright.
# - The **wave** is just a field. If every pixel may have a displacement of its own, registration is called
#   **deformable**.

# %% tags=["evidence", "hide-cell"]
ink = [np.sum(image > 0.5) for image in pulled.values()]
claim(ink[2] < ink[0] < ink[1], "pulled by `inwards` the digit becomes larger, and by `outwards` smaller")
claim(np.array_equal(pull(moving, field(0, -3))[:, 3:], moving[:, :-3]), "u = (0, -3) moves the content right by 3")
claim(np.array_equal(pull(moving, field(2, 0))[:-2], moving[2:]), "u_row = 2 moves the content up by 2")
shear = examples["shear"]
claim(np.all(shear[:14, :, 1] >= 0) and np.all(shear[14:, :, 1] <= 0), "upper rows look right and lower rows left")

# %% [markdown]
# ## Registration is a search
#
# Now we can register. Two hands may slant their digits differently. So try thirteen shears and keep the one with the
# smallest MSE. A number that is to be made small is called a **loss**.

# %%
candidates = np.arange(-6, 7) / 10
losses = [mse(pull(moving, field(0, k * down)), fixed) for k in candidates]
for k, loss in zip(candidates, losses, strict=True):
    print(f"k = {k:4.1f}   MSE {loss:.4f}")

best = candidates[np.argmin(losses)]
best_shear = field(0, best * down)
upright = pull(moving, best_shear)
print(f"the best shear is k = {best}")

# %% tags=["hide-input"]
titles = f"moving - fixed\nMSE {before:.4f}", f"warped - fixed\nMSE {min(losses):.4f}"
figure, axes = pictures.panels(4, aspect=1.15)
axes[0].plot(candidates, losses, "o-", color="tab:blue")
axes[0].plot(best, min(losses), "o", color="tab:red", markersize=10)
axes[0].set(xlabel="k of the shear", ylabel="MSE to fixed", ylim=(0, None), box_aspect=1)
axes[0].set_title("thirteen tries, the best in red", fontsize=10)
pictures.show(axes[1], upright, f"moving, warped:\nk = {best}")
for panel, image, title in zip(axes[2:], (moving, upright), titles, strict=True):
    pictures.show(panel, image - fixed, title, cmap="RdBu_r", vmin=-1, vmax=1)
lesson.save(figure, "search")

# %% [markdown]
# Red is ink where none should be, blue is ink that is missing. The best of thirteen is never worse than doing nothing,
# for `k = 0` is among them. But it does not match everywhere: no shear turns one hand's stroke into the other's.
#
# This is all that registration ever is: a *family of fields*, a *loss*, and a *search*. The rest of this course finds
# better ones.
#
# ## A perfect match, a worthless field
#
# A shear has one number. A field has two at every pixel, 1,568 of them. So take the largest family, *any* field, and
# search it completely. That is easy: each output pixel looks through the whole moving image for the intensity that is
# closest to the one it needs. If several pixels have it, chance decides.
#
# **Before you run the next cell: what do you expect?** How small does the MSE get, and what will the field look like?


# %%
def closest_intensity(moving, fixed, chance):
    """For every pixel the displacement to a pixel with the closest intensity."""
    u = np.zeros((*fixed.shape, 2), int)
    for p in np.ndindex(fixed.shape):
        distance = np.abs(moving - fixed[p])
        closest = np.argwhere(distance == distance.min())
        u[p] = chance.choice(closest) - p
    return u


torn = closest_intensity(moving, fixed, np.random.default_rng(0))
torn_again = closest_intensity(moving, fixed, np.random.default_rng(1))
differ = np.any(torn != torn_again, axis=-1)
print(f"the best shear: MSE {min(losses):.6f}")
print(f"any field:      MSE {mse(pull(moving, torn), fixed):.6f}")
print(f"the two fields differ at {differ.mean():.0%} of the pixels")

# %% tags=["hide-input"]
figure, axes = pictures.panels(6, rows=2)
pictures.arrows(axes[0], best_shear, "the best shear")
pictures.show(axes[1], upright, f"warped by it\nMSE {min(losses):.4f}")
pictures.show(axes[2], fixed, "fixed")
pictures.arrows(axes[3], torn, "any field")
pictures.arrows(axes[4], torn_again, "any field, again")
pictures.show(axes[5], pull(moving, torn), f"warped by either\nMSE {mse(pull(moving, torn), fixed):.6f}")
lesson.save(figure, "worthless")

# %% [markdown]
# <details><summary>The answer</summary>
#
# No field of whole pixels matches better, for every pixel has the closest intensity that there is. And the field is
# nonsense. Neighbours look at places that have nothing to do with each other.
#
# </details>
#
# Is chance to blame? Most of a digit is black paper, where one pixel looks like any other. Real images have noise, so
# dust both images, too faintly to be seen, until no two pixels have one intensity. Now there is exactly one closest
# pixel. As a measure, see how far the displacements of neighbours are apart, on average.


# %%
def unevenness(u):
    along_rows = np.abs(np.diff(u, axis=0)).mean()
    along_columns = np.abs(np.diff(u, axis=1)).mean()
    return (along_rows + along_columns) / 2


dust = np.random.default_rng(seed).random((2, *moving.shape)) / 1000
dusty = moving + dust[0], fixed + dust[1]
only_one = closest_intensity(*dusty, np.random.default_rng(0))
print(f"the best shear:   {unevenness(best_shear):5.2f} pixels apart, on average")
print(f"any field:        {unevenness(torn):5.2f}")
print(f"the only closest: {unevenness(only_one):5.2f}")

# %% tags=["evidence", "hide-cell"]
claim(min(losses) < before / 3, "the best shear removes two thirds of the MSE")
claim(losses[6] == before, "the shear with k = 0 changes nothing")
claim(np.array_equal(pull(moving, torn), pull(moving, torn_again)), "both fields give the same image")
claim(mse(pull(moving, torn), fixed) < min(losses) / 100, "this image matches 100 times better than the best shear")
closest_of_all = np.abs(fixed[:, :, None] - moving.ravel()).min(axis=2)
claim(np.array_equal(np.abs(pull(moving, torn) - fixed), closest_of_all), "no field of whole pixels can match better")
claim(np.mean(moving == 0) > 0.5, "most of the moving image is black paper")
claim(np.array_equal(only_one, closest_intensity(*dusty, np.random.default_rng(1))), "with dust chance has no say")
claim(mse(pull(moving, only_one), fixed) < min(losses) / 100, "the field found with dust matches 100 times better too")
claim(min(map(unevenness, (torn, only_one))) > 10 * unevenness(best_shear), "with and without dust the field is torn")

# %% [markdown]
# The *only* best field is as torn as the others. The closest intensity is unique, and where it lies is an accident of
# the dust. Equal intensities do not mean the same place. So the images alone do not determine the answer. One has to
# say beforehand what a *reasonable* field is: few numbers, as a shear, or neighbours that move alike, which is called
# [smoothness](../docs/glossary.md#smoothness).
#
# Here is a test. Register the same moving image to each of the ten digits, with *any* field again.

# %% tags=["hide-input"]
ten = draw_digits(list(range(10)), np.random.default_rng(seed + 100))[..., 0]
torn_fields = [closest_intensity(moving, other, np.random.default_rng(0)) for other in ten]
made = [pull(moving, u) for u in torn_fields]
figure, axes = pictures.panels(30, aspect=0.62, rows=3, width=1.1)
for k in range(10):
    pictures.show(axes[k], ten[k])
    pictures.show(axes[10 + k], made[k])
    pictures.show(axes[20 + k], columns + torn_fields[k][..., 1], cmap="viridis", vmax=27)
for panel, words in zip(axes[::10], ("fixed", f"made from\none {digit}", "where each\npixel looks"), strict=True):
    panel.set_ylabel(words)
lesson.save(figure, "all_ten")

# %% tags=["evidence", "hide-cell"]
claim(max(map(mse, made, ten)) < 1e-4, "all ten images match, with an MSE below .0001")
claim(min(map(unevenness, torn_fields)) > 10 * unevenness(best_shear), "all ten fields are torn")
shears = np.stack([field(0, k * down) for k in candidates])
copies = backend.to_device(np.repeat(images[:1], 13, axis=0))
warped = backend.to_host(ops.warp(copies, backend.to_device(shears.astype(np.float32))).data)
ours = [pull(moving, u) for u in shears]
claim(np.allclose(warped[..., 0], ours, atol=1e-6), "ops.warp agrees with our pull, thirteen shears in one call")
by_second = pull(np.array([[10, 20, 30, 40]]), np.array([[[0, 1], [0, 2], [0, 0], [0, 0]]]))
by_both = pull(by_second, np.array([[[0, 1], [0, 1], [0, 1], [0, 0]]]))
claim([*by_second[0], *by_both[0]] == [20, 40, 30, 40, 40, 30, 40, 40], "the example with two fields is right")
half, by_four = field(rows - 14, columns - 14), field(0, -4)
orders = pull(pull(moving, half), by_four), pull(pull(moving, by_four), half)
claim(np.array_equal(orders[0][:, 2:], orders[1][:, :-2]), "halved last, the digit ends 2 columns further left")

# %% [markdown]
# Ten matches that look perfect, and the last row shows what they are worth: the column at which each pixel looks, dark
# for the left, bright for the right. You see the ghost of each digit, because ink has to come from ink. But neighbours
# look at places far apart, inside the ghost and around it. So a good match alone does not show that a field is good.
#
# The project's version of `pull` is `minireg.ops.warp`. It takes whole sets of images, without a loop over pixels; the
# folded cell above checks that it agrees with ours.
#
# <details><summary>Two fields, one after the other</summary>
#
# A row of pixels, `10 20 30 40`. Warp it by `second`, with the displacements `1 2 0 0` to the right: you get
# `20 40 30 40`. Warp that by `first`, with `1 1 1 0`: you get `40 30 40 40`. What has pixel 0 done? It has looked one
# to the right, at pixel 1 of the row in between. And *that* had looked two to the right. Together three: `first` at
# pixel 0 plus `second` at pixel 1. So a pixel goes along `first` and from there along `second`, although the row was
# warped by `second` before.
#
# The order matters. Make a digit half as large, then move it right by 4: it ends 4 columns further right than if it
# were not moved. Move first and halve then, and the way is halved too: 2 columns.
#
# </details>
#
# ## What you know now
#
# - A field says for every output pixel p where it looks: at `p + u(p)`. To move the content right, look left.
# - Pushing leaves holes and makes collisions. Pulling gives every pixel one value.
# - Registration is a family of fields, a loss and a search, and a perfect match proves little.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_01.py` and run `python -m lessons.check 01` from the top folder. It tells you what
# is wrong, not how to mend it. From easy to hard:
#
# 1. `warp_whole`: pull, for a whole set of images with several channels.
# 2. `rotation`: the field that turns an image. It is made like `inwards`. Mind where a pixel has to look.
# 3. `compose`: one field that does the work of two. Unfold the text above first.
#
# A small project, without a check: **a hall of mirrors.** Invent three fields, from sines, squares or the distance to
# the middle, and warp a digit or a photograph of yours. Draw each field with its result, as above. Can you say from the
# grid alone what will grow?
#
# ## What comes next
#
# Only whole pixels? In [2. Between the pixels](02_between_the_pixels.py) a pixel may look anywhere.

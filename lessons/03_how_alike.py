# %% [markdown]
# # 3. How alike are two images?
#
# - **You need**: lessons 1 and 2; means, square roots, the scalar product of two vectors; derivatives for the last
#   exercise only.
# - **You will know**: two numbers that say how alike two images are, MSE and NCC, and what fools each of them; how such
#   a number becomes a landscape, with basins that one walks down.
# - **Time**: reading 25 minutes, running under 10 seconds.

# %%
import matplotlib.pyplot as plt
import numpy as np

from lesson import Lesson, claim
from minireg import backend, losses, ops
from minireg.data import phantom
from minireg.data.strokes import draw_digits
from pictures import clouds, images_in_a_row, landscapes, mark, panels, show

lesson = Lesson(3)
seed = lesson.knob("seed", 1, (0, 2, 4, 7), "other handwritings, with other basins")
dim = lesson.knob("dim", 0.3, (0.2, 0.45, 0.6), "watch the red crosses")
blur_times = lesson.knob("blur_times", 12, (0, 4, 20), "more blur, a wider basin")

# %% [markdown]
# Whoever registers two images makes them alike. But how alike are they? Somebody has to say it with one number. Here is
# a 5, and seven images that could come out of a registration. Which of them is nearest to the 5, and which is furthest
# away? Rank them by eye before you read on.

# %%
b, other_five, three = draw_digits([5, 5, 3], np.random.default_rng(seed))[..., 0]
candidates = {
    "the same": b,
    "moved by 4 columns": np.roll(b, 4, axis=1),
    "another 5": other_five,
    "a 3": three,
    "black": np.zeros_like(b),
    "half as bright": 0.5 * b,
    "less contrast": 0.4 * b + 0.6,
    "negative": 1 - b,
}
figure = images_in_a_row(candidates, rows=2)
lesson.save(figure, "candidates")

# %% [markdown]
# ## The mean squared difference
#
# Lesson 1 used the *mean squared difference*, the [MSE](../docs/glossary.md#mse). Two images of two pixels, by hand:
# `a = (0, .5)` and `b = (.2, .1)`. The differences are -.2 and .4, their squares .04 and .16, the mean is .1.


# %%
def mse(a, b):
    return float(np.mean((a - b) * (a - b)))


print(f"{mse(np.array([0.0, 0.5]), np.array([0.2, 0.1])):.3f}")

# %% [markdown]
# **Before you run the next cell: what do you expect?** Which is nearer to the 5, the black image, or the same 5 four
# columns further right?

# %%
mse_of = {name: mse(a, b) for name, a in candidates.items()}
for name, value in mse_of.items():
    print(f"{name:20} {value:.3f}")
claim(mse_of["black"] < mse_of["moved by 4 columns"], "black is nearer than a moved 5")
claim(mse_of["a 3"] < mse_of["less contrast"], "a 3 is nearer than the pale 5")
claim(max(mse_of, key=mse_of.get) == "negative", "the negative is furthest away")

# %% [markdown]
# <details><summary>The answer</summary>
#
# Black is nearer. Where two strokes do not overlap, you pay twice: for the ink that is missing, and for the ink that
# should not be there. A black image pays only once.
#
# </details>
#
# The pale 5 lies where it should, and is further away than a 3. Nothing here is further away than the negative, which
# has every edge in its place. The MSE believes that one intensity means the same in both images. With two exposures, or
# two scanners, that is not so.
#
# ## Without brightness, without contrast
#
# We want a number that does not mind if every intensity x of an image becomes `alpha * x + beta`. (`beta` makes it
# brighter; `alpha` changes its contrast.) Take three pixels, `(.1, .2, .6)`.
#
# 1. Subtract the mean, .3: `(-.2, -.1, .3)`. Whatever `beta` was, it is gone.
# 2. An image is a vector, one number a pixel. Divide it by its length, `sqrt(.04 + .01 + .09) = .374`. A positive
#    `alpha` is gone.
#
# What is left is a vector of length 1: a direction.


# %%
def direction(a):
    centred = a - a.mean()
    return centred / np.sqrt(np.sum(centred * centred))


small = np.array([0.1, 0.2, 0.6])
print("three pixels    ", direction(small).round(3))
print("with alpha, beta", direction(0.5 * small + 0.4).round(3))

# %% [markdown]
# The scalar product of two directions is the cosine of the angle between them: 1 if they are the same, 0 at a right
# angle, -1 if they are opposite. For images it is called *normalised cross-correlation*,
# [NCC](../docs/glossary.md#ncc). With `saa` for the sum of `a * a`, `sbb` for that of `b * b` and `sab` for that of
# `a * b`, all of them centred,
#
# $$
# \mathrm{NCC} = \frac{\mathrm{sab}}{\sqrt{\mathrm{saa} \cdot \mathrm{sbb}}}
# $$


# %%
def ncc(a, b):
    return float(np.sum(direction(a) * direction(b)))


not_black = {name: a for name, a in candidates.items() if name != "black"}
ncc_of = {name: ncc(a, b) for name, a in not_black.items()}
for name, value in ncc_of.items():
    print(f"{name:20} MSE {mse_of[name]:.3f}   NCC {value:6.3f}")

# %% tags=["hide-input"]
figure, axes = panels(len(candidates), aspect=1.2, rows=2, width=2)
for panel, (name, a) in zip(axes, candidates.items(), strict=True):
    show(panel, a, name)
    panel.set_xlabel(f"MSE {mse_of[name]:.3f}\nNCC " + (f"{ncc_of[name]:.3f}" if name in ncc_of else "?"))
lesson.save(figure, "compared")

# %% [markdown]
# To NCC the pale 5 and the dark 5 *are* the 5, and the negative is as far away as anything can be.
#
# The black image is missing, because it has no direction: NCC is 0 / 0. A digit that was moved out of the picture
# leaves such an image. So somebody has to decide, and the project does: where an image is constant, NCC is 0, neither
# alike nor opposite.


# %%
def ncc_loss(a, b):
    # np.ptp is the largest minus the smallest value: 0 if a is constant
    return 1.0 if np.ptp(a) == 0 else 1 - ncc(a, b)


print(f"1 - NCC of the black image: {ncc_loss(candidates['black'], b):.3f}")

# %% tags=["evidence", "hide-cell"]
stacks = (np.stack(images)[..., None] for images in (list(candidates.values()), [b] * len(candidates)))
batch, fives = map(backend.to_device, stacks)
by_hand = [ncc_loss(a, b) for a in candidates.values()]
ours = [np.mean(by_hand), np.mean(list(mse_of.values()))]
theirs = [losses.ncc_loss(batch, fives).item(), losses.mse_loss(batch, fives).item()]
claim(np.allclose(1 - backend.to_host(ops.ncc(batch, fives).data), by_hand, atol=1e-5), "ops.ncc agrees with ours")
claim(np.allclose(ours, theirs, atol=1e-5), "losses.ncc_loss and losses.mse_loss are the means of ours")
order = np.random.default_rng(2).permutation(b.size)
shuffled = [f(*(image.ravel()[order] for image in (other_five, b))) for f in (ncc, mse)]
claim(np.allclose(shuffled, [ncc_of["another 5"], mse_of["another 5"]], atol=1e-5), "a shuffle changes neither number")

# %% [markdown]
# ## A line through a cloud
#
# MSE and NCC are close relatives. To see it, make every pixel a point: its intensity in a to the right, that in b
# upwards.

# %% tags=["hide-input"]
seen_by_ct = phantom.draw_pairs(np.random.default_rng(7), 1, fixed_modality="ct")
seen_by_mr = phantom.draw_pairs(np.random.default_rng(7), 1, fixed_modality="mr")  # the same head
inside_head = seen_by_ct.fixed_labels[0, ..., 0] != 0
ct, mr = seen_by_ct.fixed[0, ..., 0], seen_by_mr.fixed[0, ..., 0]

pairs = {name: (candidates[name], b) for name in ("less contrast", "negative", "another 5")}
pairs["inside a head: CT and MR"] = (ct[inside_head], mr[inside_head])
figure = clouds(pairs, [np.polyfit(right.ravel(), up.ravel(), 1) for right, up in pairs.values()])
for panel, right in zip(figure.axes, ("a", "a", "a", "CT"), strict=True):
    panel.set(xlabel=f"intensity in {right}", ylabel="intensity in " + ("MR" if right == "CT" else "b"))
lesson.save(figure, "clouds")

# %% [markdown]
# The red line is the best `alpha * a + beta`, found by `np.polyfit`. What it misses is the MSE that remains if you may
# choose brightness and contrast.


# %%
def best_mse(a, b):
    alpha, beta = np.polyfit(a.ravel(), b.ravel(), 1)
    return mse(alpha * a + beta, b)


gaps = []
for name, a in not_black.items():
    from_ncc = np.var(b) * abs(1 - ncc_of[name] ** 2)  # abs: rounding may leave -0
    gaps.append(abs(best_mse(a, b) - from_ncc))
    print(f"{name:20} best MSE {best_mse(a, b):.4f}   from NCC {from_ncc:.4f}")
claim(max(gaps) < 1e-5, "the best MSE is var(b) * (1 - NCC^2)")

# %% [markdown]
# The two columns are the same. The best MSE is
#
# $$
# \min_{\alpha, \beta} \mathrm{MSE} = \mathrm{var}(b) \cdot (1 - \mathrm{NCC}^2)
# $$
#
# So NCC asks one question: how near do the points come to *a* straight line? The MSE asks about one line only, the
# diagonal. (The negative fits too, with a negative `alpha`. The loss 1 - NCC, without the square, forbids that.
# It too is an MSE in disguise: [the page on NCC](../docs/internals/ncc.md) shows of what.)
#
# The last cloud shows where NCC ends. In computed tomography (CT) bone is bright; in magnetic resonance (MR) it is
# dark. The same head, every pixel in its place, and no line fits: there is a clump for each tissue. How alike are the
# two, and how alike if CT is moved up by one row? Here, as in the cloud, only the pixels inside the head count.

# %%
moved = np.roll(ct, -1, axis=0)
in_place = ncc(ct[inside_head], mr[inside_head])
out_of_place = ncc(moved[inside_head], mr[inside_head])
print(f"NCC in place {in_place:.3f}, CT moved up a row {out_of_place:.3f}")
claim(out_of_place > in_place + 0.01, "inside the head, out of place is more alike")
claim(ncc(moved, mr) > ncc(ct, mr) > 0.5, "in the whole picture it is more alike too")

# %% [markdown]
# A registration by NCC would move this head out of its place. (With all pixels of the picture, the air around the head
# too, both numbers are above .5, but the order is the same.) For such pairs there is
# [mutual information](../docs/glossary.md#mutual-information).
#
# <details><summary>What neither number knows: where</summary>
#
# Shuffle the pixels of both images, in the same way. MSE and NCC stay as they are, for a sum does not care about order.
# Neither knows which pixels are neighbours, or what an edge is. The folded cell above checks it.
#
# </details>
#
# ## A landscape
#
# So far the images lay still. Now move one: one displacement `u = (u_row, u_column)` for all pixels, by whole numbers.
# The loss is a height over the map of all `u`. To register is to find the lowest point.
#
# So that we know it, the moving image is the fixed one, moved down by 8 and right by 6. To bring it back, every pixel
# has to look 8 rows further down and 6 columns further right: the truth is `u = (8, 6)`.

# %%
REACH = 30  # how far we look, in pixels each way
ALONG = range(-REACH, REACH + 1)


def shifted(image, u_row, u_column):
    """The image at p + u, for whole numbers; beyond it all is zero."""
    height, width = image.shape
    among_zeros = np.pad(image, REACH)
    row, column = REACH + u_row, REACH + u_column
    return among_zeros[row : row + height, column : column + width]


def landscape(loss, moving, fixed):
    # the height of every shift: a dict of (u_row, u_column) to the loss
    return {(i, j): loss(shifted(moving, i, j), fixed) for i in ALONG for j in ALONG}


truth = (8, 6)
fixed = np.pad(b, 10)
moving = shifted(fixed, -8, -6)
heights = {
    "MSE": landscape(mse, moving, fixed),
    "MSE, fixed image dim": landscape(mse, moving, dim * fixed),
    "1 - NCC, fixed image dim": landscape(ncc_loss, moving, dim * fixed),
}
for name, height in heights.items():
    print(f"{name:25} lowest at {min(height, key=height.get)}")

# %% tags=["hide-input"]
side = len(ALONG)
figure = landscapes(
    {name: np.reshape(list(height.values()), (side, side)) for name, height in heights.items()}, -REACH, REACH
)
for panel, height in zip(figure.axes, heights.values(), strict=True):
    mark(panel, truth, label="truth")
    mark(panel, min(height, key=height.get), "x", "red", label="lowest", clip_on=False)
figure.axes[0].legend(loc="upper right", fontsize=8, labelcolor="white", facecolor="0.3")
lesson.save(figure, "landscapes")

# %% tags=["evidence", "hide-cell"]
full, pale, by_ncc = heights.values()
claim(all(h[v] > h[truth] for h in heights.values() for v in ((7, 6), (9, 6), (8, 5), (8, 7))), "all maps have a hole")
claim(min(full, key=full.get) == truth == min(by_ncc, key=by_ncc.get), "MSE, and NCC of a dim image, find the truth")
paid = [pale[truth] / full[-REACH, -REACH], pale[-REACH, -REACH] / full[-REACH, -REACH]]
claim(np.allclose(paid, [(1 - dim) ** 2, dim**2], rtol=1e-3), "the MSE pays (1 - dim)^2 there, dim^2 for no digit")
claim(shifted(moving, *min(pale, key=pale.get)).any() == (dim > 0.5), "below one half the MSE prefers no digit")

# %% [markdown]
# All maps have a hole at the truth. But on a dim fixed image the hole of the MSE is not always the deepest place. At
# the truth the warped digit is too bright by `1 - dim` of its ink, and pays `(1 - dim) ** 2`. At the rim the digit has
# left the picture, and only the dim ink is missing: it pays `dim ** 2`. So below one half *the MSE prefers an empty
# image*. To NCC, dim is no different from bright.
#
# ## Basins
#
# You could draw these maps because they have two axes. A displacement for every pixel of a 28 x 28 image has 1,568
# numbers, and nobody will see that map. One can only stand somewhere, feel the ground and step downhill. On our map we
# can ask where that leads. The starts that end at the truth are its *basin*.
#
# **Before you run the next cell: what do you expect?** A registration begins at `u = (0, 0)`, ten pixels from the
# truth. Does it arrive?


# %%
def walk(height, u):
    # where one ends who starts at u and always steps to the lowest neighbour
    while True:
        around = [(u[0] + i, u[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        lowest = min((v for v in around if v in height), key=height.get)
        if height[lowest] > height[u] - 1e-6:  # less is rounding
            return u
        u = lowest


sharp = landscape(ncc_loss, moving, fixed)
starts = [(i, j) for i in range(-16, 17) for j in range(-16, 17)]
basin = [u for u in starts if walk(sharp, u) == truth]
print(f"{len(basin)} of {len(starts)} starts arrive")
print("from (0, 0) one ends at", walk(sharp, (0, 0)))

# %% [markdown]
# <details><summary>The answer</summary>
#
# With `seed = 1` it does not. It ends ten rows above the truth. There the upper half of the moving 5 lies on the
# lower half of the fixed one, and every small step makes it worse: a *local minimum*. Other starts are lost because
# the two digits do not touch. Some stay there, on level ground. Others walk out of the picture: to NCC too, an empty
# image is better than a miss. (That of (1, 0, 0) and (0, 0, 1) is -1/2, that of (1, 0, 0) and (0, 0, 0) is 0.)
#
# </details>
#
# ## Blurring widens the basin
#
# What if digits were wide and soft? Blur both images: every pixel takes half of its own value and a quarter of each
# neighbour's, along the rows, then along the columns, as often as you like.


# %%
def blur(image, times):
    for _ in range(times):
        for axis in (0, 1):
            image = (np.roll(image, 1, axis) + 2 * image + np.roll(image, -1, axis)) / 4
    return image


basins = [basin]
for times in (2, blur_times):
    soft = landscape(ncc_loss, blur(moving, times), blur(fixed, times))
    basins.append([u for u in starts if walk(soft, u) == truth])
    print(f"blurred {times} times: {len(basins[-1])} of {len(starts)} starts arrive")

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 3, figsize=(8, 5.8), layout="constrained")
for k, times in enumerate((0, 2, blur_times)):
    show(axes[0, k], blur(fixed, times), f"blurred {times} times" if times else "sharp", vmax=None)
    arrived = np.reshape([u in basins[k] for u in starts], (33, 33))
    axes[1, k].imshow(arrived, extent=(-16.5, 16.5, 16.5, -16.5), cmap="cividis", vmin=0, vmax=1)
    axes[1, k].set(title=f"{arrived.mean():.0%} of the starts arrive", xlabel="$u_{column}$ (pixels)")
    axes[1, k].title.set_fontsize(10)
    mark(axes[1, k], truth, colour="red")
    mark(axes[1, k], (0, 0), "+", "white" if (0, 0) not in basins[k] else "black")
axes[1, 0].set_ylabel("$u_{row}$ (pixels)")
lesson.save(figure, "basins")

# %% tags=["evidence", "hide-cell"]
claim(len(basins[0]) < len(basins[1]) < len(basins[2]), "more blur makes the basin wider")
claim((0, 0) not in basins[0] and (0, 0) in basins[2], "from (0, 0) one arrives with much blur, and not without")
claim(walk(sharp, (0, 0)) == (-2, 6), "on the sharp images it ends ten rows above the truth")
ends = {np.sign(sharp[walk(sharp, u)] - 1) for u in starts if sharp[u] > 1}  # no ink on ink
claim({0, 1} <= ends, "of the starts that miss, some stay on level ground, and some empty the picture")
claim(ncc(blur(three, 12), blur(b, 12)) > ncc_of["a 3"] + 0.1, "blurred, a 3 and a 5 are more alike")

# %% [markdown]
# Yellow is the basin, the circle the truth, the cross the start that does nothing. This picture is worth showing to
# somebody: the softer the digits, the harder they are to read, and the better they show the way.
#
# Blurring has a price. What tells two images apart goes too: blurred, a 3 and a 5 are more alike. So one blurs first,
# and then less and less. That is lesson 4.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_03.py` and run `python -m lessons.check 03` from the top folder.
#
# 1. `masked_mse`: the MSE of the pixels within a mask. A mean, over fewer pixels.
# 2. `ncc_of_pairs`: the NCC of each pair of a batch, constant images included.
# 3. `best_contrast`: the `alpha` and `beta` of the red line, without `np.polyfit`. It needs two derivatives.
#
# A small project, without a check: **a landscape of your own.** Let one axis be a turn and the other a size, with what
# you built in lesson 2. Or take two different hands, or two different digits. Where is the lowest place, and is it
# where you would have put it? Draw the map and its basin.
#
# ## What comes next
#
# In [4. Registering without learning](04_registering_without_learning.py) you walk down this landscape without a map,
# between the pixels too, with slopes that you derive by hand.

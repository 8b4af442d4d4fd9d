# %% [markdown]
# # 3. How alike are two images?
#
# - **You need**: lessons 1 and 2; means, square roots, the scalar product of two vectors; exercise 2: derivatives.
# - **You will know**: how to compute the mean squared difference (MSE) and the normalised cross-correlation (NCC) of
#   two images; which changes each of them does not see, and which fool it; how to draw the loss of a registration as a
#   landscape, and to read its minima, basins and plains; why blurring helps.
# - **Time**: reading 25 minutes, running under 15 seconds.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

from lesson import Lesson
from minireg import backend, losses, ops
from minireg.data import phantom
from minireg.data.strokes import draw_digits

lesson = Lesson(3)

# %% [markdown]
# ## The mean squared difference
#
# In lesson 1 you tried thirteen shears and kept the one whose result was most like the fixed image. "Most like" was
# decided by one number, the *mean squared difference* or *MSE*: the difference of the two intensities at every pixel,
# squared, averaged over the pixels. It is 0 for identical images, and grows with every pixel that differs.
#
# A registration finds what its number asks for, and nothing else. So before you minimise a number, ask it questions to
# which you know the answers. Here is a fixed image `b`, and eight candidates for the warped image `a`.


# %%
def mse(a, b):
    return float(np.mean((a - b) ** 2))


b, other_five, three = draw_digits([5, 5, 3], np.random.default_rng(1))[..., 0]
candidates = {
    "the same": b,
    "moved by 3 columns": np.roll(b, 3, axis=1),  # the margin is black, so that nothing but black comes round
    "another 5": other_five,
    "a 3": three,
    "black": np.zeros_like(b),
    "half as bright": 0.5 * b,
    "less contrast": 0.4 * b + 0.6,
    "negative": 1 - b,
}
mse_of = {name: mse(a, b) for name, a in candidates.items()}

assert 0 == mse_of["the same"] < mse_of["half as bright"] < mse_of["another 5"] < mse_of["a 3"]
assert mse_of["black"] < mse_of["moved by 3 columns"]
assert mse_of["a 3"] < mse_of["less contrast"] < mse_of["negative"] == max(mse_of.values())

# %% [markdown]
# Some answers are as they should be: another handwriting of 5 is nearer than a 3. Others are not.
#
# - **The black image is nearer than the same digit moved by three columns.** Where two strokes do not overlap, you pay
#   twice: for the ink that is missing, and for the ink that should not be there. A black image pays only once. So a
#   registration by the MSE can be better off if it removes the digit from the picture than if it brings it near. You
#   will see it do so below.
# - **The same digit in the same place, with less contrast, is further away than a 3.** And nothing in this list
#   is further away than the negative, which has every edge where it belongs.
#
# The MSE believes that one intensity means the same thing in both images. For two photographs with different exposure
# or two scanners that is not true.
#
# ## Taking off the brightness, then the contrast
#
# We want a number that does not change if every intensity x of an image becomes `alpha x + beta`: `beta` makes the
# image brighter, a positive `alpha` changes its contrast. Take an image as a vector, one number per pixel (784 of
# them). Two steps remove `beta` and `alpha`.
#
# 1. Subtract the mean: `a' = a - mean(a)`, the *centred* image. `beta` is gone.
# 2. Divide by the length of that vector, the square root of `saa = sum a'^2`. A positive `alpha` is gone.
#
# What is left is a vector of length 1: a direction.
#
# ## The normalised cross-correlation
#
# The scalar product of two directions is the cosine of the angle between them: 1 if they are the same, 0 at a right
# angle, -1 if they are opposite. For images this cosine is called *normalised cross-correlation*, *NCC*. Statistics
# calls it Pearson's correlation coefficient of the intensities. With `sbb` for b as `saa` for a, and `sab = sum a' b'`,
# it is
#
# $$
# \mathrm{NCC} = \frac{\mathrm{sab}}{\sqrt{\mathrm{saa} \cdot \mathrm{sbb}}}
# $$


# %%
def direction(a):
    a_centred = a - a.mean()
    return a_centred / np.sqrt(np.sum(a_centred**2))


def ncc(a, b):
    return float(np.sum(direction(a) * direction(b)))


ncc_of = {name: ncc(a, b) for name, a in candidates.items() if name != "black"}  # black: see below

for name in ("the same", "half as bright", "less contrast"):
    assert math.isclose(ncc_of[name], 1, abs_tol=1e-5)
assert math.isclose(ncc_of["negative"], -1, abs_tol=1e-5)
assert 0 < ncc_of["moved by 3 columns"] < ncc_of["a 3"] < ncc_of["another 5"] < 1

# %% [markdown]
# Brightness and contrast count no more. The sign does: NCC tells the negative from the original, and puts it as far
# away as anything can be. The rest is not new: to NCC as well, the same digit moved by three columns is less alike
# than a 3 in its place.
#
# MSE and NCC are close relatives. *Standardise* an image: subtract its mean and divide by its standard deviation, which
# is the root of the mean of `a'^2`. For two standardised images A and B, the squares have mean 1 each, and the mean of
# the products is the NCC:
#
#     mean((A - B)^2) = mean(A^2) + mean(B^2) - 2 mean(A B) = 1 + 1 - 2 NCC
#
# So `1 - NCC`, the loss that this project minimises, is half the MSE after everyone has agreed on brightness and
# contrast.


# %%
def standardised(a):
    return (a - a.mean()) / a.std()


for name, value in ncc_of.items():
    assert math.isclose(1 - value, mse(standardised(candidates[name]), standardised(b)) / 2, abs_tol=1e-5)

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 4, figsize=(9, 5.7), layout="constrained")
figure.get_layout_engine().set(h_pad=0.12)
for ax, (name, a) in zip(axes.flat, candidates.items(), strict=True):
    ax.imshow(a, cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title=name)
    ax.set_xlabel(f"MSE {mse_of[name]:.3f}\nNCC " + (f"{ncc_of[name]:.3f}" if name in ncc_of else "?"))
figure.suptitle("Each image compared with the first one: NCC sees neither brightness nor contrast, the MSE sees both")
lesson.save(figure, "candidates")

# %% [markdown]
# ## What NCC does not see: constant images
#
# The black image has no direction: its centred vector is zero, and NCC is 0 / 0. That is not a rare accident. A digit
# that was moved out of the picture leaves a black image.

# %%
with np.errstate(invalid="ignore"):  # no warning about 0 / 0
    assert math.isnan(ncc(candidates["black"], b))

# %% [markdown]
# One `nan` in a loss, and every number computed from it is `nan` too. So somebody has to decide. The project's
# `ops.ncc` says: where an image is constant, NCC is 0, neither alike nor opposite. It takes images of shape
# (N, H, W, C) and gives one number for each of the N pairs.

# %%
pair = [backend.to_device(image[None, :, :, None]) for image in (candidates["black"], b)]
assert backend.to_host(ops.ncc(*pair).data)[0] == 0

# %% [markdown]
# ## What NCC does not see: where
#
# Shuffle the pixels of *both* images, in the same way. Both numbers stay as they were, since sums do not
# care about order. So neither MSE nor NCC knows which pixels are neighbours, or what an edge or a digit is. And each
# is one number for the whole image: it does not tell where the difference lies.

# %%
order = np.random.default_rng(2).permutation(b.size)
shuffled_b, shuffled_five = (image.ravel()[order].reshape(image.shape) for image in (b, other_five))

assert math.isclose(mse(shuffled_five, shuffled_b), mse(other_five, b), rel_tol=1e-5)
assert math.isclose(ncc(shuffled_five, shuffled_b), ncc(other_five, b), rel_tol=1e-5)

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(9, 2.9), layout="constrained")
for ax, image, name in zip(
    axes,
    (other_five, b, shuffled_five, shuffled_b),
    ("a", "b", "a, pixels in a new order", "b, pixels in that order"),
    strict=True,
):
    ax.imshow(image, cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title=name)
figure.suptitle(f"Both pairs have the same MSE ({mse(other_five, b):.3f}) and the same NCC ({ncc(other_five, b):.3f})")
lesson.save(figure, "shuffled")

# %% [markdown]
# ## What NCC does not see: another meaning of bright
#
# NCC forgives `alpha x + beta`, one and the same for the whole image. Two kinds of scanner do not keep to that.
# Computed tomography (CT) shows bone white; in magnetic resonance (MR) bone is dark, and fat is bright. Here is one
# drawn head as both would show it. Every pixel is in its place: the best registration is to do nothing.

# %%
seen_by_ct = phantom.draw_pairs(np.random.default_rng(7), 1, fixed_modality="ct")
seen_by_mr = phantom.draw_pairs(np.random.default_rng(7), 1, fixed_modality="mr")
assert np.array_equal(seen_by_ct.fixed_labels, seen_by_mr.fixed_labels)  # the same head: a tissue for each pixel

ct, mr, tissue = (array[0, ..., 0] for array in (seen_by_ct.fixed, seen_by_mr.fixed, seen_by_ct.fixed_labels))
inside_head = tissue != 0

in_place, inside = ncc(ct, mr), ncc(ct[inside_head], mr[inside_head])
one_row_up = np.roll(ct, -1, axis=0)
print(f"all in place {in_place:.3f}, pixels of the head alone {inside:.3f}, CT one row up {ncc(one_row_up, mr):.3f}")
assert ncc(one_row_up, mr) > in_place + 0.01 and inside < -0.1

# %% [markdown]
# The true alignment scores lower than a false one: with the CT moved up by a row, NCC is higher. A registration by
# NCC would move it, though not far: what holds the two heads together is that around them both images are black. The
# .8 of the whole image comes from head and background; inside the head NCC is even negative.
#
# A *scatter plot* shows why. Every pixel becomes a point: its intensity in one image to the right, that in the other
# upwards. The MSE asks whether the points lie on the diagonal. NCC asks whether they lie on any one straight line that
# rises. CT and MR make a few clumps, one per tissue (with smears between them, from pixels that hold two tissues), and
# if one had to draw a line through them, it would fall.

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(9, 2.9), layout="constrained")
clouds = {
    "less contrast: a line": (candidates["less contrast"], b, "a", "b"),
    "moved: a frame of points": (candidates["moved by 3 columns"], b, "a", "b"),
    "CT and MR: clumps": (ct[inside_head], mr[inside_head], "CT", "MR"),
}
axes[0].imshow(np.concatenate([ct, mr], axis=0), cmap="gray", vmin=0, vmax=1)
axes[0].set(xticks=[], yticks=[], title="CT above, MR below")
for ax, (name, (right, up, right_name, up_name)) in zip(axes[1:], clouds.items(), strict=True):
    ax.plot([0, 1], [0, 1], color="0.8", zorder=0)
    ax.scatter(right, up, s=5, alpha=0.35, edgecolors="none")
    ax.set(title=name, xlabel=f"intensity in {right_name}", ylabel=f"intensity in {up_name}", aspect="equal")
    ax.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xticks=[0, 1], yticks=[0, 1])
lesson.save(figure, "scatter")

# %% [markdown]
# For such pairs one needs measures that ask less: whether the intensity of one image *tells* that of the other, by
# whatever rule. That is mutual information, outside this lesson (`losses.mutual_information_loss`). For an exact
# negative, 1 - NCC^2 would do.
#
# ## A landscape
#
# So far we compared images that lie still. A registration moves one of them, and the number moves with it. Take the
# simplest motion, one displacement `u = (u_row, u_column)` for all pixels. Then the loss is a function of two numbers,
# and a function of two numbers is a landscape: at every point of the map a height. To register is to find its lowest
# point.
#
# We draw it point by point, over all displacements by whole pixels. So that we know what is to be found, the moving
# image is the fixed one with its content moved down by 8 and right by 6. To bring it back, every pixel has to look
# 8 rows further down and 6 columns further right: the truth is `u = (8, 6)`. There is a black margin to move in; beyond
# the image all is zero.


# %%
REACH = 30  # how far we look, in pixels each way


def shifted(image, u_row, u_column):
    """The image at p + u, for whole numbers: a window of the image's size, cut out of the image among zeros."""
    height, width = image.shape
    among_zeros = np.zeros((height + 2 * REACH, width + 2 * REACH), image.dtype)
    among_zeros[REACH : REACH + height, REACH : REACH + width] = image
    row, column = REACH + u_row, REACH + u_column
    return among_zeros[row : row + height, column : column + width]


fixed = np.pad(b, 10)
truth = (8, 6)
moving = shifted(fixed, -truth[0], -truth[1])
assert np.array_equal(shifted(moving, *truth), fixed)


def ncc_loss(a, b):
    return 1.0 if np.ptp(a) == 0 else 1 - ncc(a, b)  # the largest minus the smallest value is 0: a is constant


def all_shifts(reach):
    return [(i, j) for i in range(-reach, reach + 1) for j in range(-reach, reach + 1)]


def landscape(loss, moving, fixed):
    return {u: loss(shifted(moving, *u), fixed) for u in all_shifts(REACH)}


dim = 0.3 * fixed  # the fixed image, with less contrast
mse_heights, mse_heights_dim = landscape(mse, moving, fixed), landscape(mse, moving, dim)
ncc_heights, ncc_heights_dim = landscape(ncc_loss, moving, fixed), landscape(ncc_loss, moving, dim)

# %% tags=["hide-input"]
maps = {
    "MSE": mse_heights,
    "MSE, fixed image dim": mse_heights_dim,
    "1 - NCC": ncc_heights,
    "1 - NCC, fixed image dim": ncc_heights_dim,
}
figure, axes = plt.subplots(2, 2, figsize=(8, 7.6), layout="constrained")
for ax, (name, heights) in zip(axes.flat, maps.items(), strict=True):
    side = 2 * REACH + 1
    picture = np.array(list(heights.values())).reshape(side, side)
    edges = (-REACH - 0.5, REACH + 0.5, REACH + 0.5, -REACH - 0.5)
    figure.colorbar(ax.imshow(picture, extent=edges, cmap="viridis"), ax=ax, shrink=0.85)
    ax.plot(truth[1], truth[0], "o", markersize=11, markerfacecolor="none", markeredgecolor="white", label="truth")
    lowest = min(heights, key=heights.get)
    ax.plot([6, 6], [-2, 18], "+", markersize=8, color="white", label="local minima")
    ax.plot(lowest[1], lowest[0], "x", markersize=9, markeredgewidth=2, color="red", label="lowest", clip_on=False)
    ax.set(title=name, xlabel="$u_{column}$ (pixels)", ylabel="$u_{row}$ (pixels)")
axes[0, 0].legend(loc="upper right", labelcolor="white", facecolor="0.3")
figure.suptitle("The loss for every shift: if the fixed image is dim, the MSE is lowest where the digit has left")
lesson.save(figure, "landscapes")

# %%
for heights in (mse_heights, ncc_heights, ncc_heights_dim):
    assert min(heights, key=heights.get) == truth and heights[truth] < 1e-5
assert all(math.isclose(ncc_heights_dim[u], ncc_heights[u], abs_tol=1e-4) for u in ncc_heights)

gone = min(mse_heights_dim, key=mse_heights_dim.get)
assert np.max(shifted(moving, *gone)) == 0  # where the MSE is lowest, the warped image is black
assert math.isclose(mse_heights_dim[gone], np.mean(dim**2), rel_tol=1e-5)
assert mse_heights_dim[truth] > 3 * mse_heights_dim[gone]
assert all(mse_heights_dim[v] > mse_heights_dim[truth] for v in [(7, 6), (9, 6), (8, 5), (8, 7)])  # still a hole

# %% [markdown]
# Read the four maps. (The local minima are the subject of the next section.)
#
# **There is a hole at the truth** in all four. NCC keeps the hole and all else if the fixed image is dim.
#
# **The MSE prefers the empty image.** If the fixed image is dim, the hole at the truth is still there, but it is not
# the deepest place: at the rim of the map the digit has left the picture, and black costs less than a digit that is too
# bright. To the MSE that is the best registration. (The height there is the mean of the squares of the fixed image: all
# its ink is missing.)
#
# **As long as the digit stays whole, MSE and NCC have one and the same shape.** Look at the middle of the two maps on
# the left. A shift that loses no ink leaves mean and standard deviation of the warped image as they were, and with
# equal means and equal standard deviations on both sides, the MSE is 2 variance (1 - NCC). NCC is no better guide
# than MSE there. They part where the intensities differ and where a warp changes how much ink there is.

# %%
complete = [u for u in mse_heights if math.isclose(np.sum(shifted(moving, *u)), np.sum(moving), rel_tol=1e-5)]
gap = max(abs(mse_heights[u] - 2 * float(np.var(fixed)) * ncc_heights[u]) for u in complete)
assert len(complete) > 1000 and gap < 1e-5

# %% [markdown]
# ## Basins
#
# You could compute these maps because they have two axes. A field with a displacement for every pixel of a 28 x 28
# image has 1,568, and nobody will ever see its map whole. All that one can do is stand somewhere, feel the ground, and
# step downhill (lesson 4 does it with slopes). Where does that lead? On a map we can ask it of every start: go to the
# lowest of the eight neighbours, as long as one is lower. The starts that end at the truth are its *basin*.


# %%
def walk(heights, u):
    """Where one ends who starts at the displacement u and always steps to the lowest neighbour."""
    while True:
        around = [(u[0] + i, u[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        best = min((v for v in around if v in heights), key=heights.get)
        if heights[best] > heights[u] - 1e-6:  # less is rounding
            return u
        u = best


starts = all_shifts(16)
end_of = {u: walk(ncc_heights, u) for u in starts}
arrive = [u for u in starts if end_of[u] == truth]
assert all(u in arrive for u in starts if math.dist(u, truth) < 7.5)
assert (0, 0) not in arrive and not any(math.dist(u, truth) > 12 for u in arrive)

lost = [u for u in starts if ncc_heights[end_of[u]] > 0.99]
assert {v for u, v in end_of.items() if u not in lost} == {truth, (-2, 6), (18, 6)} and len(lost) > len(starts) / 2
assert all(np.max(shifted(moving, *u) * fixed) == 0 for u in lost)  # no pixel has ink of both digits
stay = [u for u in lost if np.any(shifted(moving, *end_of[u]))]  # all others end with an empty image
print(f"{len(lost)} of {len(starts)} starts are lost; {len(stay)} of them stay on the plain")
assert set(stay) < set(complete) and len(stay) < len(lost) / 2 and {round(ncc_heights[u], 2) for u in stay} == {1.04}

# %% [markdown]
# Starts within about 7 pixels of the truth arrive, beyond 12 none does. The identity, `u = (0, 0)`, where every
# registration begins, is 10 pixels away and outside: from there this pair cannot be registered by walking downhill.
#
# Two ends are *local minima*, 10 rows above and below the truth. There the upper bow of one 5 lies on the lower bow of
# the other, and every small step makes it worse.
#
# The rest, more than half of all starts, begin where the digits do not touch. Some stay there, with the whole digit in
# the picture, on a *plain*, where nothing changes. Most walk out of the picture: where the border begins to cut off
# the digit, it is downhill. For an empty image has 1 - NCC = 1, and a digit that misses the other 1.04: the ink of each
# lies where the other is black, so their NCC is a little below 0. So NCC too prefers black to a miss, but not to the
# truth. The MSE on the dim image prefers it even to the truth.
#
# ## Blurring widens the basin
#
# Ground is level where the two digits do not overlap, and local minima come from strokes that fit by chance. Both mend
# if the digits become wide and soft: blur both images. Every pixel takes half of its own value and a quarter of each
# neighbour's, along the rows and then along the columns. Repeated, that spreads the ink further and further.


# %%
def blur(image, times):
    for _ in range(times):
        for axis in (0, 1):
            image = (np.roll(image, 1, axis) + 2 * image + np.roll(image, -1, axis)) / 4
    return image


arrive_after = {0: arrive}  # how often blurred: which starts arrive
for times in (2, 12):
    blurred = landscape(ncc_loss, blur(moving, times), blur(fixed, times))
    arrive_after[times] = [u for u in starts if walk(blurred, u) == truth]
print({times: f"{len(arrived)} of {len(starts)} starts arrive" for times, arrived in arrive_after.items()})

assert 1.5 * len(arrive) < len(arrive_after[2]) < len(arrive_after[12]) and (0, 0) in arrive_after[12]

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 3, figsize=(9, 6.2), layout="constrained")
for k, (times, arrived) in enumerate(arrive_after.items()):
    axes[0, k].imshow(blur(fixed, times), cmap="gray")
    axes[0, k].set(xticks=[], yticks=[], title=f"blurred {times} times" if times else "not blurred")
    table = np.array([u in arrived for u in starts]).reshape(33, 33)
    axes[1, k].imshow(table, extent=(-16.5, 16.5, 16.5, -16.5), cmap="cividis", vmin=0, vmax=1)
    axes[1, k].plot(truth[1], truth[0], "o", markersize=10, markerfacecolor="none", markeredgecolor="red")
    axes[1, k].plot(0, 0, "+", markersize=10, markeredgewidth=2, color="black")
    axes[1, k].set(title=f"{table.mean():.0%} of the starts arrive", xlabel="$u_{column}$ (pixels)")
axes[1, 0].set_ylabel("$u_{row}$ (pixels)")
figure.suptitle(
    "The basin of the truth (yellow). Circle: the truth; cross: no displacement, where a registration starts"
)
lesson.save(figure, "basins")

# %% [markdown]
# Blurring has a price. What tells two images apart goes too: blurred, a 3 and a 5 are more alike. So one blurs first,
# and then less and less, as you will do in lesson 4.

# %%
assert ncc(blur(three, 12), blur(b, 12)) > ncc(three, b) + 0.1

# %% [markdown]
# ## The project's versions
#
# `losses.mse_loss` and `losses.ncc_loss` take batches (N, H, W, C) and average over the pairs. `ops.ncc` gives a number
# for each pair. All give the same as what you have built.

# %%
batch = backend.to_device(np.stack([candidates[name] for name in ncc_of])[..., None])
fixed_batch = backend.to_device(np.stack([b] * len(ncc_of))[..., None])

assert np.allclose(backend.to_host(ops.ncc(batch, fixed_batch).data), list(ncc_of.values()), atol=1e-5)
mean_mse, mean_ncc = np.mean([mse_of[name] for name in ncc_of]), np.mean(list(ncc_of.values()))
assert math.isclose(losses.mse_loss(batch, fixed_batch).item(), mean_mse, rel_tol=1e-4)
assert math.isclose(losses.ncc_loss(batch, fixed_batch).item(), 1 - mean_ncc, rel_tol=1e-4)

# %% [markdown]
# ## What you know now
#
# - The MSE is 0 for identical images, and believes that an intensity means the same in both. It can prefer a black
#   image to the truth.
# - NCC is the cosine of the angle between the centred images: it does not change under `alpha x + beta` with
#   `alpha > 0`, and changes its sign with `alpha < 0`. 1 - NCC is half the MSE of the standardised images.
# - NCC needs a decision for constant images, is misled if bright means something else in the other image, and like the
#   MSE knows neither neighbours nor places.
# - A loss over displacements is a landscape. Downhill leads to the truth only from within its basin; blurring both
#   images widens it.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_03.py` and run `python -m lessons.check 03` from the top folder.
#
# 1. `ncc_of_pairs`: the NCC of each pair of a batch.
# 2. `best_contrast`: the contrast and brightness with which one image comes nearest to another.
# 3. `masked_mse`: the MSE within a mask.
#
# Next: [4. Registering without learning](04_registering_without_learning.py), where you walk downhill on this
# landscape, between the pixels too, with slopes that you derive by hand.

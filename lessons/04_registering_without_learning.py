# %% [markdown]
# # 4. Registering without learning
#
# - **You need**: lessons 1 to 3; derivatives of products and sums, the chain rule.
# - **You will know**: how to derive the slope of a loss with respect to a translation, step by step; how to test such a
#   derivation with a difference quotient; how gradient descent walks, and how it fails by its step or its start; how
#   going from coarse to fine mends the start.
# - **Time**: reading 25 minutes, running under 15 seconds.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

from lesson import Lesson
from minireg import backend, losses, ops
from minireg.data.strokes import draw_digits

lesson = Lesson(4)

# %% [markdown]
# ## The same pair as before
#
# The moving image is the fixed one with its content moved down by 8 and right by 6, and one displacement
# `u = (u_row, u_column)` for all pixels shall bring it back. The truth is `u = (8, 6)`. In lesson 3 you drew the loss
# of every shift. Now we walk, without a map: what is the loss here, and which way is down?
#
# (The NumPy arrays of this lesson are float64, twice as long as the float32 of the project. Why that helps when one
# tests derivatives is a matter for lesson 6.)

# %%
five, other_five = draw_digits([5, 5, 3], np.random.default_rng(1))[:2, ..., 0].astype(np.float64)
fixed = np.pad(five, 10)
truth = np.array([8.0, 6.0])


def shifted(image, i, j):
    """The image at p + (i, j), for whole numbers, as in lesson 3: zero beyond the border."""
    height, width = image.shape
    i, j = max(-height, min(i, height)), max(-width, min(j, width))  # further out it is as empty as there
    among_zeros = np.zeros((3 * height, 3 * width))
    among_zeros[height : 2 * height, width : 2 * width] = image
    return among_zeros[height + i : 2 * height + i, width + j : 2 * width + j]


moving = shifted(fixed, -8, -6)

# %% [markdown]
# ## The loss between the pixels
#
# Lesson 2 gave every pixel p four neighbours around the place where it looks, `p + u(p)`, and four weights made of the
# fractions s and t. Here u is the same for all pixels, and row and column of p are whole numbers. So s and t are *the
# same for all pixels* too. And with `i = floor(u_row)` and `j = floor(u_column)` the four neighbours of all pixels are
# four whole images: the moving image shifted by (i, j), (i, j+1), (i+1, j) and (i+1, j+1). We call them v00, v01, v10,
# v11.


# %%
def neighbours(moving, u):
    i, j = math.floor(u[0]), math.floor(u[1])
    s, t = u[0] - i, u[1] - j
    return s, t, *(shifted(moving, i + down, j + right) for down in (0, 1) for right in (0, 1))


def warp(moving, u):
    s, t, v00, v01, v10, v11 = neighbours(moving, u)
    return (1 - s) * ((1 - t) * v00 + t * v01) + s * ((1 - t) * v10 + t * v11)


def loss(u, moving, fixed):
    return float(np.mean((warp(moving, u) - fixed) ** 2))


print(f"loss at no displacement {loss((0, 0), moving, fixed):.4f}, at the truth {loss(truth, moving, fixed):.4f}")
assert loss(truth, moving, fixed) == 0 and loss((0, 0), moving, fixed) > 0.05

# %% [markdown]
# ## Which way is down?
#
# You could try: nudge `u_row` a little both ways, and see how the loss changes. That is a *difference quotient*:
# `(loss(u_row + h) - loss(u_row - h)) / (2 h)` for a small h. It needs no thought and, for two numbers, four
# evaluations of the loss. We shall use it as a judge. The derivation is yours, and it has three steps, each of which
# answers: if this moves by a little, how much does that move?
#
# **1. From the warped image to the loss.** With n pixels, `L = (1/n) sum (y - fixed)^2`. Pixel y of the warped image
# occurs in one term of the sum, so
#
# $$
# g = \frac{\partial L}{\partial y} = \frac{2}{n} (y - fixed)
# $$
#
# This is an image: for every pixel, how the loss grows if that pixel becomes brighter.
#
# **2. From the displacement to one pixel.** Within a cell between four pixels, i and j stay, and s grows as `u_row`
# does. Take the derivative of `y = (1 - s) ((1 - t) v00 + t v01) + s ((1 - t) v10 + t v11)` with respect to s:
#
# $$
# \frac{\partial y}{\partial u_{row}} = (1 - t) (v_{10} - v_{00}) + t (v_{11} - v_{01})
# $$
#
# In words: how much brighter it is one pixel further down, on the left and on the right, weighted by how near each
# side is. Along the columns s and t change roles, and so do v01 and v10:
#
# $$
# \frac{\partial y}{\partial u_{column}} = (1 - s) (v_{01} - v_{00}) + s (v_{11} - v_{10})
# $$
#
# **3. From the displacement to the loss.** u moves *all* pixels at once, and each moves the loss. The chain rule
# multiplies along each way from u to L, and adds up the ways:
#
# $$
# \frac{\partial L}{\partial u_{row}} = \sum_p g(p) \frac{\partial y(p)}{\partial u_{row}}
# $$


# %%
def slope(u, moving, fixed):
    """How the loss grows with u_row and u_column: two numbers, in squared intensities per pixel."""
    s, t, v00, v01, v10, v11 = neighbours(moving, u)
    g = 2 * (warp(moving, u) - fixed) / fixed.size
    dy_du_row = (1 - t) * (v10 - v00) + t * (v11 - v01)
    dy_du_column = (1 - s) * (v01 - v00) + s * (v11 - v10)
    return np.array([np.sum(g * dy_du_row), np.sum(g * dy_du_column)])


def difference_quotient(u, moving, fixed, h=1e-5):
    nudges = h * np.eye(2)  # one row for each of the two numbers
    return np.array([(loss(u + e, moving, fixed) - loss(u - e, moving, fixed)) / (2 * h) for e in nudges])


rng = np.random.default_rng(4)
places = rng.integers(-5, 15, (20, 2)) + rng.uniform(0.1, 0.9, (20, 2))
for u in places:
    assert np.allclose(slope(u, moving, fixed), difference_quotient(u, moving, fixed), rtol=1e-5, atol=1e-9)
print("by hand", slope(places[0], moving, fixed), "judge", difference_quotient(places[0], moving, fixed))


# %% [markdown]
# Twenty places, and the judge agrees. Do not skip this: a wrong derivative does not crash, it gives numbers that look
# like any others. Exchange s and t in `slope`, an easy slip of the pen, and run the cell again. Every derivative of
# this project has such a judge, and lesson 6 is about the judges.
#
# The places were chosen between the pixels on purpose. Follow *one* pixel while `u_row` grows: its intensity runs in
# straight lines from one whole number to the next and turns there. At such a *kink* the slope before it (at smaller
# `u_row`) and the slope behind it (at larger `u_row`) differ. Ours is the one behind it, since `floor` of a whole
# number starts the next cell.

# %%
at_kink, h = np.array([3.0, 6.5]), 1e-5
nudge = np.array([h, 0])
before = (loss(at_kink, moving, fixed) - loss(at_kink - nudge, moving, fixed)) / h
behind = (loss(at_kink + nudge, moving, fixed) - loss(at_kink, moving, fixed)) / h
print(f"slope before the kink {before:.5f}, behind it {behind:.5f}")
assert math.isclose(slope(at_kink, moving, fixed)[0], behind, rel_tol=1e-3) and before > 0 > behind

# %% tags=["hide-input"]
u_rows = np.linspace(0, 16, 641)
pixel = (18, 22)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
intensities = [warp(moving, (u_row, 6.5))[pixel] for u_row in u_rows]
axes[0].plot(u_rows, intensities)
axes[0].plot(u_rows[::40], intensities[::40], "o", markersize=4, color="tab:blue")
axes[0].set(title=f"one pixel, {pixel}: straight from kink to kink", xlabel="$u_{row}$ (pixels)", ylabel="intensity y")
axes[1].plot(u_rows, [loss((u_row, 6.5), moving, fixed) for u_row in u_rows])
for u_row in (1.5, 3.3, 6.6, 10.4, 13.5):
    here = np.array([u_row, 6.5])
    run = np.array([-0.4, 0.4])
    axes[1].plot(
        u_row + run, loss(here, moving, fixed) + run * slope(here, moving, fixed)[0], color="tab:red", zorder=3
    )
    axes[1].plot(u_row, loss(here, moving, fixed), "o", markersize=4, color="tab:red", zorder=3)
axes[1].set(title="the loss, and slopes by hand (red)", xlabel="$u_{row}$ (pixels)", ylabel="L", ylim=(0, None))
lesson.save(figure, "slopes")

# %% [markdown]
# Both pictures follow `u_row` at `u_column = 6.5`. That is half a pixel beside the truth, so the loss does not reach 0.
#
# ## Walking downhill
#
# The two slopes together are the *gradient*. It points to where the loss grows fastest. *Gradient descent* goes a
# little way in the opposite direction, and looks again:
#
#     u = u - step * gradient
#
# What is a good step? The slopes are small numbers: the loss changes by some hundredths over some pixels. To move by a
# pixel, the step has to be in the tens. (Its unit is pixels squared per unit of the loss.) We start at (6, 8), three
# pixels from the truth.


# %%
def descend(u, moving, fixed, step, count):
    """All places on the way: (count + 1, 2)."""
    path = [np.array(u, float)]
    for _ in range(count):
        path.append(path[-1] - step * slope(path[-1], moving, fixed))
    return np.array(path)


start = (6, 8)
assert 10 < 1 / np.linalg.norm(slope(start, moving, fixed)) < 100
paths = {step: descend(start, moving, fixed, step, 200) for step in (2, 40, 105, 3000)}
losses_along = {step: [loss(u, moving, fixed) for u in path] for step, path in paths.items()}
for step, path in paths.items():
    distance = np.linalg.norm(path - truth, axis=1)
    print(f"step {step:4}: {distance[10]:5.2f} pixels from the truth after 10 steps, {distance[200]:5.2f} after 200")

assert np.linalg.norm(paths[40][60] - truth) < 0.001

# %% [markdown]
# With a step of 40 we arrive. Nobody looked at all shifts; sixty slopes are more than enough. Now the three ways to
# get the step wrong.
#
# - **Too small** (2): it crawls. Every step goes down, but after 60 of them four fifths of the loss are left. It takes
#   200 to come within a tenth of a pixel.
# - **Too large** (105): it bounces. In the end every step leads across the truth to its other side, as far from it as
#   before.
# - **Much too large** (3,000): the very first step carries the digit out of the picture. The warped image is black, no
#   small motion changes that, and the slope is exactly zero: gradient descent has nothing to go by, and stays for ever.
#   (The loss is even lower than at the start. You know from lesson 3 that the MSE can prefer a black image.)

# %%
assert all(np.diff(losses_along[2]) < 0) and np.linalg.norm(paths[2][200] - truth) < 0.1
assert math.isclose(losses_along[2][60], 0.8 * losses_along[2][0], rel_tol=0.05)

sides = paths[105][-10:] - truth
assert np.allclose(sides[1:], -sides[:-1], atol=1e-2) and np.linalg.norm(sides[-1]) > 0.4

far_away = paths[3000][1]
assert losses_along[3000][200] == losses_along[3000][1] < losses_along[3000][0]
assert np.max(warp(moving, far_away)) == 0 and not slope(far_away, moving, fixed).any()

# %% tags=["hide-input"]
us = np.arange(-1.5, 14.51, 0.25)


def landscape(moving, fixed):
    return np.array([[loss((u_row, u_column), moving, fixed) for u_column in us] for u_row in us])


def draw_landscape(ax, heights):
    """Dark where the loss is low; a circle at the truth."""
    ax.contourf(us, us, heights, levels=24, cmap="viridis")
    ax.plot(truth[1], truth[0], "o", markersize=12, markerfacecolor="none", markeredgecolor="white", zorder=4)
    ends = us[0], us[-1]
    ax.set(xlim=ends, ylim=ends[::-1], xlabel="$u_{column}$ (pixels)", ylabel="$u_{row}$ (pixels)", aspect=1)
    ax.set(xticks=range(0, 15, 4), yticks=range(0, 15, 4))


sharp_landscape = landscape(moving, fixed)
figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
draw_landscape(axes[0], sharp_landscape)
for order, ((step, path), colour) in enumerate(zip(paths.items(), ("white", "red", "cyan", "orange"), strict=True)):
    axes[0].plot(path[:, 1], path[:, 0], ".-", color=colour, linewidth=1, markersize=4, zorder=9 - order)
    dark = {"white": "black", "cyan": "tab:cyan"}.get(colour, colour)
    axes[1].plot(losses_along[step][:61], color=dark, label=f"step {step:,}" + (" (white)" if step == 2 else ""))
axes[0].set(title="the walks; circle: the truth", xlim=(4.5, 9.5), ylim=(10, 5))
axes[0].set(xticks=range(5, 10), yticks=range(5, 11))
axes[1].set(title="the loss along the walks", xlabel="steps taken", ylabel="L")
axes[1].legend()
lesson.save(figure, "walks")

# %% [markdown]
# (The map looks scalloped because the loss has kinks, at the whole numbers of either axis.)
#
# ## A start too far away
#
# A registration does not start three pixels from an answer that it does not know. It starts at no displacement.

# %%
stuck = descend((0, 0), moving, fixed, 40, 200)[-1]
print(f"from (0, 0) to {stuck.round(2)}: loss {loss(stuck, moving, fixed):.4f}")
assert np.allclose(stuck, (0.46, 0.77), atol=0.02) and loss(stuck, moving, fixed) > 0.03
assert np.allclose(slope(stuck, moving, fixed), 0, atol=1e-6)  # level ground: the walk is over

# %% [markdown]
# It got stuck in a local minimum within one pixel, and not in one of those that you know from lesson 3: this one lies
# *between* the pixels. Interpolation averages neighbours, and averages are less extreme. A moving digit that is a
# little blurred has weaker ink, and where that ink lies in the wrong place, weaker is better. So at half a pixel the
# MSE has pits of its own making, even where the digits do not touch at all.

# %%
corners, centre = [(8, -5), (8, -4), (9, -5), (9, -4)], (8.5, -4.5)  # four whole displacements, and between them
for u in (*corners, centre):
    assert np.max(np.minimum(warp(moving, u), fixed)) == 0
at_corners, at_centre = min(loss(u, moving, fixed) for u in corners), loss(centre, moving, fixed)
print(f"whole pixels {at_corners:.4f}, half-way {at_centre:.4f}")
assert at_centre < 0.95 * at_corners

# %% [markdown]
# ## From coarse to fine
#
# Lesson 3 showed the remedy: blur both images, and the basin grows. From images that are smooth already, interpolation
# takes little away, so the pits go too. (NCC has fewer of them: weaker ink gains it nothing. Lesson 8 compares.) The
# slopes of blurred images are gentler, and the steps may be larger. We walk on the most blurred pair first, and start
# each sharper pair where the one before has ended.


# %%
def blur(image, times):  # as in lesson 3
    for _ in range(times):
        for axis in (0, 1):
            image = (np.roll(image, 1, axis) + 2 * image + np.roll(image, -1, axis)) / 4
    return image


def stages_of(moving, fixed):
    """From coarse to fine: moving and fixed image, and the step to take on them."""
    return [(blur(moving, times), blur(fixed, times), step) for times, step in ((12, 800), (4, 200), (0, 40))]


def coarse_to_fine(u, stages, count=40):
    """The path on each stage; the next one starts where the one before has ended."""
    paths = []
    for moving, fixed, step in stages:
        paths.append(descend(u, moving, fixed, step, count))
        u = paths[-1][-1]
    return paths


stages = stages_of(moving, fixed)
walks = coarse_to_fine((0, 0), stages)
blurred = stages[0][0]
taken_away = [1 - np.var(warp(image, (0.5, 0.5))) / np.var(image) for image in (moving, blurred)]
print("interpolating half-way takes {:.0%} of the variance, {:.0%} of the blurred one".format(*taken_away))
assert taken_away[0] > 0.1 > 0.05 > taken_away[1]
assert np.linalg.norm(walks[0][-1] - truth) < 0.5 and np.linalg.norm(walks[-1][-1] - truth) < 0.001

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(9, 3.6), layout="constrained")
draw_landscape(axes[0], sharp_landscape)
alone = descend((0, 0), moving, fixed, 40, 200)
axes[0].plot(alone[:, 1], alone[:, 0], ".-", color="red")
axes[0].set_title("sharp images: stuck")
draw_landscape(axes[1], landscape(*stages[0][:2]))
axes[1].plot(walks[0][:, 1], walks[0][:, 0], ".-", color="red")
axes[1].set_title("blurred 12 times: arrives")
along_rows = np.arange(-12, 24, 0.1)
for name, (coarse_moving, coarse_fixed, _) in zip(
    ("blurred 12 times", "blurred 4 times", "sharp"), stages, strict=True
):
    axes[2].plot(along_rows, [loss((r, 6.0), coarse_moving, coarse_fixed) for r in along_rows], label=name)
axes[2].set(title="a cut along $u_{column} = 6$", xlabel="$u_{row}$ (pixels)", ylabel="L", ylim=(0, 0.068))
axes[2].legend(fontsize=8, loc="upper right")
for ax in axes[:2]:
    ax.plot(0, 0, "+", color="white", markersize=11, markeredgewidth=2)
lesson.save(figure, "coarse_to_fine")

# %% [markdown]
# How much is gained? Ask it of 36 starts, up to 10 pixels away along the rows and along the columns.

# %%
starts = [truth + np.array([i, j]) for i in range(-10, 11, 4) for j in range(-10, 11, 4)]
sharp_only = [np.linalg.norm(descend(u, moving, fixed, 40, 120)[-1] - truth) < 0.1 for u in starts]
in_stages = [np.linalg.norm(coarse_to_fine(u, stages)[-1][-1] - truth) < 0.1 for u in starts]
print(f"of {len(starts)} starts arrive: {sum(sharp_only)} on the sharp images, {sum(in_stages)} from coarse to fine")
assert sum(in_stages) > 3 * sum(sharp_only)

# %% [markdown]
# ## Two hands
#
# So far a perfect answer existed. Now the moving image is the 5 of another hand, moved in the same way.

# %%
other_moving = shifted(np.pad(other_five, 10), -8, -6)
found = coarse_to_fine((0, 0), stages_of(other_moving, fixed))[-1][-1]
before, after = loss((0, 0), other_moving, fixed), loss(found, other_moving, fixed)
print(f"found {found.round(2)}: loss {before:.4f} before, {after:.4f} after")
assert np.linalg.norm(found - truth) < 2 and 0.1 * before < after < 0.3 * before

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(9, 2.9), layout="constrained")
registered = warp(other_moving, found)
for ax, image, title in zip(axes[:2], (other_moving, fixed), ("moving", "fixed"), strict=True):
    ax.imshow(image, cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title=title)
for ax, image, title in zip(
    axes[2:], (other_moving, registered), ("difference before", "difference after"), strict=True
):
    ax.imshow(image - fixed, cmap="RdBu_r", vmin=-1, vmax=1)
    ax.set(xticks=[], yticks=[], title=title)
figure.suptitle("A translation brings the digit to its place (red: too bright, blue: too dark), but cannot bend it")
lesson.save(figure, "two_hands")

# %% [markdown]
# The digits lie on each other, and a part of the loss remains that no translation can remove: another hand writes
# another shape. For that the displacement has to differ from pixel to pixel.
#
# ## The project's versions
#
# `ops.warp` takes a displacement for every pixel; give it the same one everywhere, and it computes what our `warp`
# does. And our slope is that of the project's loss: the judge confirms it, in float32.


# %%
def project_loss(u):
    displacement = np.broadcast_to(np.array(u, np.float32), (1, *fixed.shape, 2))
    images = [backend.to_device(image[None, :, :, None].astype(np.float32)) for image in (moving, fixed)]
    warped = ops.warp(images[0], backend.to_device(displacement))
    return warped, losses.mse_loss(warped, images[1]).item()


for u in places[:5]:
    warped, value = project_loss(u)
    assert np.allclose(backend.to_host(warped.data)[0, ..., 0], warp(moving, u), atol=1e-4)
    assert math.isclose(value, loss(u, moving, fixed), rel_tol=1e-3)

u, h = np.array([6.5, 7.5]), 0.05
judged = [(project_loss(u + e)[1] - project_loss(u - e)[1]) / (2 * h) for e in h * np.eye(2)]
assert np.allclose(slope(u, moving, fixed), judged, rtol=1e-2)

# %% [markdown]
# ## Where this ends
#
# One translation has two numbers, and its slope took a page. A displacement for every pixel of a 28 x 28 image has
# 1,568 numbers. Difference quotients would need two evaluations of the loss for each of them, in every step. And each
# new idea, NCC in place of the MSE, a penalty on rough fields, a network that predicts the field, would need another
# page, with another chance of a slip.
#
# But look at what the page was made of. Each of its three steps knows nothing of the others: the loss knows only y, the
# interpolation knows only s and t, and the chain rule multiplies and adds. That can be done by a machine.

# %%
assert 2 * 28 * 28 == 1568

# %% [markdown]
# ## What you know now
#
# - The slope of a loss with respect to a translation is a sum over all pixels: how much the loss wants the pixel
#   brighter, times how much brighter it gets.
# - The slope of bilinear interpolation is a weighted difference of neighbours. It has kinks at whole numbers.
# - A difference quotient judges a derivation without knowing it.
# - Gradient descent crawls if the step is too small, bounces if it is too large, and leaves the picture if it is larger
#   still. From outside the basin it ends in the wrong place; blurred images first, sharp ones last, and it arrives from
#   much further away.
# - A translation cannot make two handwritings equal.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_04.py` and run `python -m lessons.check 04` from the top folder.
#
# 1. `slope_of_masked_loss`: the slope when only some pixels count, with several channels.
# 2. `descend_until_level`: gradient descent with a rule when to stop.
# 3. `gauss_newton_step`: a step that needs no step size.
#
# Next: [5. An autograd engine in sixty lines](05_an_autograd_engine.py), which builds the machine that does the chain
# rule.

# %% [markdown]
# # 4. Registering without learning
#
# - **You need**: lessons 1 to 3; derivatives of products and sums, the chain rule.
# - **You will know**: how to derive the slope of a loss by hand, and how to judge your derivation; how one walks
#   downhill, how that fails, and how going from coarse to fine mends it.
# - **Time**: reading 25 minutes, running under 10 seconds.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

from lesson import Lesson, claim
from minireg import backend, losses, ops
from minireg.data.strokes import draw_digits
from pictures import landscapes, mark, overlays, panels

lesson = Lesson(4)
seed = lesson.knob("seed", 1, (0, 2, 3, 4), "other handwritings")
step = lesson.knob("step", 40, (10, 60, 200), "a short one crawls, a long one bounces")
blur_times = lesson.knob("blur_times", 12, (0, 4, 20), "with little blur it gets stuck")

# %% [markdown]
# Below, a 5 (magenta) shall come to lie on another image of itself (green). It has been moved down by 8 and right by 6.
# So every pixel has to look 8 rows further down and 6 columns further right: the truth is `u = (8, 6)`. In lesson 3 you
# drew the loss of every such `u`. Now we have no map. Which way is down?


# %%
def shifted(image, i, j):
    # the image at p + (i, j), for whole numbers, as in lesson 3: zero beyond the border
    height, width = image.shape
    i = np.clip(i, -height, height)  # further out it is as empty as there
    j = np.clip(j, -width, width)
    among_zeros = np.pad(image, ((height, height), (width, width)))
    return among_zeros[height + i : 2 * height + i, width + j : 2 * width + j]


two = draw_digits([5, 5, 3], np.random.default_rng(seed))[:2, ..., 0]  # as in lesson 3
# float64 has twice the digits of float32, and a judge of derivatives needs them
fixed, other_five = np.pad(two.astype(np.float64), ((0, 0), (10, 10), (10, 10)))
truth = np.array([8.0, 6.0])
moving = shifted(fixed, -8, -6)
pairs = {"moving": (moving, 0 * moving), "fixed": (0 * fixed, fixed)}
figure = overlays(pairs | {"both": (moving, fixed)}, width=2.6)
lesson.save(figure, "pair")

# %% [markdown]
# ## One pixel
#
# Begin with a single pixel that looks into a strip of four. Their intensities are .2, .8, .5 and .1. Ours looks at the
# place `u`, reads `y` between two neighbours, as in lesson 2, and should be .9.

# %% tags=["hide-input"]
STRIP, TARGET = np.array([0.2, 0.8, 0.5, 0.1]), 0.9
us = np.linspace(0, 3, 301)
ys = np.interp(us, range(4), STRIP)
figure, axes = panels(2, aspect=0.7, width=3.6)
axes[0].plot(us, ys)
axes[0].plot(STRIP, "o", color="tab:blue")
axes[0].axhline(TARGET, color="0.6", linestyle="--")
axes[0].text(3, TARGET + 0.02, "should be .9", ha="right", color="0.4", fontsize=9)
axes[0].set(title="what the pixel sees", xlabel="u (pixels)", ylabel="y", xticks=range(4), ylim=(0, 1.05))
axes[1].plot(us, (ys - TARGET) ** 2)
axes[1].set(title="its loss", xlabel="u (pixels)", ylabel="$(y - .9)^2$", xticks=range(4), ylim=(0, None))
lesson.save(figure, "one_pixel")

# %% [markdown]
# Stand at `u = .5`. There `y` is .5, half-way between .2 and .8. If this moves by a little, how much does that move?
#
# - If `y` grows, the loss `(y - .9) ** 2` changes by `2 * (y - .9) = -.8` for each unit of `y`.
# - If `u` grows, `y` changes by `.8 - .2 = .6` for each pixel.
# - So if `u` grows, the loss changes by `-.8 * .6 = -.48`. The *chain rule* multiplies along the way.
#
# Is that right? Nudge `u` both ways, by .01. The losses are .155236 and .164836, and their difference over .02 is -.48.
# Such a *difference quotient* needs no thought. We keep it as a judge.


# %%
def one_pixel(u):
    # the loss of the pixel, and its slope
    i = math.floor(u)
    s = u - i
    y = (1 - s) * STRIP[i] + s * STRIP[i + 1]
    dy_du = STRIP[i + 1] - STRIP[i]
    return (y - TARGET) ** 2, 2 * (y - TARGET) * dy_du


judge = (one_pixel(0.51)[0] - one_pixel(0.49)[0]) / 0.02
print(f"by hand {one_pixel(0.5)[1]:.6f}, judge {judge:.6f}")

# %% [markdown]
# The slope is negative, so down is to the right. *Gradient descent* goes a little way against the slope:
#
#     u = u - step * slope
#
# **Before you run the next cell: what do you expect?** Four moves, each against the slope. Which of them end higher
# than they began?


# %%
def move(u, step):
    return u - step * one_pixel(u)[1]


moves = [(0.5, 1), (0.5, 4), (1.0, 1), (1.0, 0.1)]
for u, chosen in moves:
    after = one_pixel(move(u, chosen))[0]
    print(f"from {u}, step {chosen:3}: to {move(u, chosen):.3f}", end=", ")
    print(f"loss {one_pixel(u)[0]:.4f} -> {after:.4f}")

# %% tags=["hide-input"]
figure, axes = panels(2, aspect=0.7, width=3.6)
shown = {"from .5, with steps of 1 and of 4": moves[:2], "from the kink at 1, with a step of 1": moves[2:3]}
for panel, (title, some) in zip(axes, shown.items(), strict=True):
    panel.plot(us, (ys - TARGET) ** 2, color="0.6")
    for (u, chosen), colour in zip(some, ("tab:green", "tab:red") if len(some) > 1 else ("tab:red",), strict=True):
        to = move(u, chosen)
        arrow = {"arrowstyle": "->", "color": colour, "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
        panel.annotate("", (to, one_pixel(to)[0]), (u, one_pixel(u)[0]), arrowprops=arrow)
        panel.plot(u, one_pixel(u)[0], "o", color="black")
    panel.set_title(title, fontsize=10)
    panel.set(xlabel="u (pixels)", ylabel="loss", xticks=range(4), ylim=(0, None))
axes[1].set(xlim=(0.85, 1.25), xticks=[0.9, 1, 1.1, 1.2], ylim=(0, 0.03))
lesson.save(figure, "uphill")

# %% tags=["evidence", "hide-cell"]
higher = [one_pixel(move(u, chosen))[0] > one_pixel(u)[0] for u, chosen in moves]
claim(us[np.argmin((ys - TARGET) ** 2)] == 1, "u = 1 is the lowest place")
claim(higher == [False, True, True, True], "three of the four moves go uphill")
both = (one_pixel(1.0)[0] - one_pixel(1 - 1e-6)[0]) / 1e-6, one_pixel(1.0)[1]
claim(np.allclose(both, (-0.12, 0.06), atol=1e-5), "at the kink the slopes are -.12 before it and .06 behind it")

# %% [markdown]
# <details><summary>The answer</summary>
#
# All but the first. The step of 4 is *too long*: it jumps across the valley. And `u = 1` is the lowest place of all, so
# from there every move goes uphill, however short. But the slope there is not 0! The strip turns, and so does the loss:
# before the turn its slope is -.12, behind it .06. Ours is the one behind, since `floor(1)` starts the next pair. It
# says "go left", and left is the steep side.
#
# </details>
#
# A place with two slopes is called a [kink](../docs/glossary.md#kink). Interpolation has one at every whole number. A
# registration that starts at no displacement starts on one.
#
# ## All pixels
#
# Now every pixel looks at `p + u`, with one `u = (u_row, u_column)` for all. Then the fractions s and t of lesson 2 are
# the same for all pixels, and their four neighbours are four shifted images: v00, v01, v10 and v11.


# %%
def neighbours(moving, u):
    i = math.floor(u[0])
    j = math.floor(u[1])
    corners = [(i, j), (i, j + 1), (i + 1, j), (i + 1, j + 1)]
    return u[0] - i, u[1] - j, *(shifted(moving, *corner) for corner in corners)


def warp(moving, u):
    s, t, v00, v01, v10, v11 = neighbours(moving, u)
    return (1 - s) * ((1 - t) * v00 + t * v01) + s * ((1 - t) * v10 + t * v11)


def loss(u, moving, fixed):
    difference = warp(moving, u) - fixed
    return float(np.mean(difference * difference))


at_zero = loss((0, 0), moving, fixed)
print(f"loss at (0, 0): {at_zero:.4f}, at the truth: {loss(truth, moving, fixed):.4f}")

# %% [markdown]
# The slope follows the same way. Now `y` is the warped image, with n pixels, and L the loss.
#
# **From the warped image to the loss.** The loss is a mean over n pixels. If one of them grows brighter, it changes by
# $g = \frac{2}{n} (y - fixed)$ for each unit.
#
# **From the displacement to one pixel.** One row further down, it is brighter by `v10 - v00` on the left and by
# `v11 - v01` on the right. Between them, each counts by how near it is:
#
# $$
# \frac{\partial y}{\partial u_{row}} = (1 - t) (v_{10} - v_{00}) + t (v_{11} - v_{01})
# $$
#
# **From the displacement to the loss.** `u` moves all pixels at once. Multiply along each way, and add up the ways:
#
# $$
# \frac{\partial L}{\partial u_{row}} = \sum_p g(p) \frac{\partial y(p)}{\partial u_{row}}
# $$
#
# Along the columns s and t change roles, and so do v01 and v10.


# %%
def slope(u, moving, fixed):
    # how the loss grows with u_row and with u_column: two numbers
    s, t, v00, v01, v10, v11 = neighbours(moving, u)
    g = 2 * (warp(moving, u) - fixed) / fixed.size
    dy_du_row = (1 - t) * (v10 - v00) + t * (v11 - v01)
    dy_du_column = (1 - s) * (v01 - v00) + s * (v11 - v10)
    return np.array([np.sum(g * dy_du_row), np.sum(g * dy_du_column)])


def difference_quotient(u, moving, fixed, h=1e-5):
    row, column = h * np.eye(2)
    by_row = loss(u + row, moving, fixed) - loss(u - row, moving, fixed)
    by_column = loss(u + column, moving, fixed) - loss(u - column, moving, fixed)
    return np.array([by_row, by_column]) / (2 * h)


rng = np.random.default_rng(4)
places = rng.integers(-5, 15, (20, 2)) + rng.uniform(0.1, 0.9, (20, 2))
by_hand = np.array([slope(u, moving, fixed) for u in places])
judge = np.array([difference_quotient(u, moving, fixed) for u in places])
print("by hand", by_hand[0], " judge", judge[0])
claim(np.allclose(by_hand, judge, rtol=1e-5, atol=1e-9), "the judge agrees, 20 times")

# %% tags=["hide-input"]
u_rows = np.linspace(0, 16, 641)
figure, (axes,) = panels(1, aspect=0.5, width=7)
axes.plot(u_rows, [loss((u_row, 6.5), moving, fixed) for u_row in u_rows])
for u_row in (1.5, 3.3, 6.6, 10.4, 13.5):
    here = np.array([u_row, 6.5])
    run = np.array([-0.5, 0.5])
    axes.plot(u_row + run, loss(here, moving, fixed) + run * slope(here, moving, fixed)[0], "tab:red", zorder=3)
    axes.plot(u_row, loss(here, moving, fixed), "o", color="tab:red", zorder=3)
axes.set(title="the loss along $u_{column} = 6.5$, and slopes by hand", xlabel="$u_{row}$ (pixels)", ylabel="loss")
lesson.save(figure, "slopes")

# %% [markdown]
# The curve turns at every whole number: these are the kinks of all pixels together. The red slopes touch it.
#
# A wrong derivative does not crash. It gives numbers that look like any others. Exchange s and t in `slope`, an easy
# slip of the pen, and run the cell again. Every derivative of this project has such a judge; lesson 6 is about judges.
#
# ## Walking downhill
#
# The two slopes together are the [gradient](../docs/glossary.md#gradient). We start at (6, 8), not far from the truth.
# The slopes are small: the loss changes by hundredths over some pixels. So a step in the tens moves us by about a
# pixel.
#
# **Before you run the next cell: what do you expect?** One step is 2, one is 105, one is 3,000. How does each walk end?


# %%
def descend(u, moving, fixed, step, count):
    # all places on the way: an array (count + 1, 2)
    path = [np.array(u, float)]
    for _ in range(count):
        path.append(path[-1] - step * slope(path[-1], moving, fixed))
    return np.array(path)


walks = {}
for chosen in (2, step, 105, 3000):
    walks[chosen] = descend((6, 8), moving, fixed, chosen, 60)
    distance = np.linalg.norm(walks[chosen] - truth, axis=1)
    print(f"step {chosen:4}: after 10 moves {distance[10]:6.2f} pixels from", end=" ")
    print(f"the truth, after 60 {distance[60]:6.2f}")

# %% tags=["hide-input"]
LOW, HIGH = -1.5, 14.5
grid = np.arange(LOW, HIGH + 0.1, 0.25)


def heights_of(moving, fixed):
    return np.array([[loss((u_row, u_column), moving, fixed) for u_column in grid] for u_row in grid])


sharp_heights = heights_of(moving, fixed)
figure, axes = plt.subplots(1, 2, figsize=(8, 3.7), layout="constrained")
axes[0].contourf(grid, grid, sharp_heights, levels=24, cmap="viridis")
axes[0].set(xlim=(4.3, 9.7), ylim=(10.7, 5.3), aspect=1, xlabel="$u_{column}$ (pixels)", ylabel="$u_{row}$ (pixels)")
axes[0].set(xticks=range(5, 10), yticks=range(6, 11))
axes[0].set_title("the walks; circle: the truth", fontsize=10)
mark(axes[0], truth)
for (chosen, path), colour in zip(walks.items(), ("white", "red", "cyan", "orange"), strict=False):
    axes[0].plot(path[:, 1], path[:, 0], ".-", color=colour, linewidth=1, markersize=4)
    label = f"step {chosen:,}" + (" (white)" if colour == "white" else "")
    dark = {"white": "black", "cyan": "tab:cyan"}.get(colour, colour)
    axes[1].plot([loss(u, moving, fixed) for u in path], color=dark, label=label)
axes[1].set(xlabel="moves", ylabel="loss", ylim=(0, None))
axes[1].set_title("the loss along the walks", fontsize=10)
axes[1].legend(frameon=False)
lesson.save(figure, "walks")

# %% tags=["evidence", "hide-cell"]
claim(np.linalg.norm(walks[step][60] - truth) < 0.01, "the walk with your step arrives")
claim(all(np.diff([loss(u, moving, fixed) for u in walks[2]]) < 0), "a step of 2 goes down all the time")
sides = walks[105][-10:] - truth
claim(np.allclose(sides[1:], -sides[:-1], atol=1e-2), "with a step of 105 the last moves cross the truth")
nearest = min(np.linalg.norm(walks[105][:10] - truth, axis=1))
claim(nearest < 0.1 < np.linalg.norm(sides[-1]), "the walk with a step of 105 comes close to the truth and leaves it")
gone = walks[3000][1]
claim(not warp(moving, gone).any() and not slope(gone, moving, fixed).any(), "a step of 3,000 leaves the picture")

# %% [markdown]
# <details><summary>The answer</summary>
#
# 2 crawls: down with every move, and hardly nearer. 105 bounces: with `seed = 1` it comes close to the truth, and then
# every move leads across it to the other side, a little further away. 3,000 carries the digit out of the picture with
# its first move. There the warped image is black, no small motion changes that, and the slope is exactly 0: the walk
# stays for ever.
#
# </details>
#
# With `seed = 1` and `step = 40` the walk arrives. Nobody has looked at all shifts.
#
# ## From coarse to fine
#
# A registration does not start near an answer that it does not know. It starts at no displacement, `u = (0, 0)`. From
# there we make two runs, each of 120 moves:
#
# - **Run 1** walks on the sharp images only.
# - **Run 2** starts at (0, 0) again. It walks on blurred images first, for lesson 3 showed that blur widens the basin.
#   From where it ends it goes on with less blur, and from there with the sharp images. The softer the images, the
#   gentler the slopes, and the longer the step.
#
# **Before you run the next cell: what do you expect?** How far does run 1 get, on the sharp images?


# %%
def blur(image, times):
    # as in lesson 3
    for _ in range(times):
        for axis in (0, 1):
            image = (np.roll(image, 1, axis) + 2 * image + np.roll(image, -1, axis)) / 4
    return image


def coarse_to_fine(u, moving, fixed, count=40):
    # all places on the way, each once, from the most blurred to the sharp images
    path = [np.array(u, float)]
    for times in (blur_times, blur_times // 3, 0):
        # the longer steps of blurred images, 40 + 60 * times, were found by trying
        pair = blur(moving, times), blur(fixed, times)
        path.extend(descend(path[-1], *pair, 40 + 60 * times, count)[1:])
    return np.array(path)


alone = descend((0, 0), moving, fixed, 40, 120)
soft_first = coarse_to_fine((0, 0), moving, fixed)
print("run 1, sharp only:     ends at", alone[-1].round(2))
print("run 2, coarse to fine: ends at", soft_first[-1].round(2))

# %% tags=["hide-input"]
maps = {
    "run 1\nsharp only": sharp_heights,
    f"run 2, its first 40 moves\nblurred {blur_times} times": heights_of(
        blur(moving, blur_times), blur(fixed, blur_times)
    ),
}
figure = landscapes(maps, LOW, HIGH, ticks=range(0, 15, 4))
for panel, path in zip(figure.axes, (alone, soft_first[:41]), strict=True):
    panel.plot(path[:, 1], path[:, 0], ".-", color="red")
    mark(panel, truth)
    mark(panel, (0, 0), "+")
lesson.save(figure, "coarse_to_fine")

# %% tags=["evidence", "hide-cell"]
claim(np.linalg.norm(alone[-1]) < 1.2, "on the sharp images the walk gets stuck after about a pixel")
claim(np.linalg.norm(soft_first[-1] - truth) < 0.001, "from coarse to fine the walk arrives")
miss = [loss(u, moving, fixed) for u in ((8, -5), (8, -4), (9, -5), (9, -4), (8.5, -4.5))]
claim(miss[-1] < min(miss[:-1]), "between the pixels, a digit that misses costs less")

# %% [markdown]
# <details><summary>The answer</summary>
#
# About a pixel. It is caught in a pit *between* the pixels. Interpolation averages neighbours, so a digit half-way
# has weaker ink. Where ink lies in the wrong place, weaker is better: one pixel that is wrong by 1 costs 1, two that
# are wrong by 1/2 cost 1/4 each. The sharp map is full of such pits. Blurred enough, it is smooth, for soft images
# have little to lose.
#
# </details>
#
# ## Two hands
#
# So far a perfect answer existed. Now the moving image is a 5 by another hand, moved in the same way.

# %%
other_moving = shifted(other_five, -8, -6)
whole_path = coarse_to_fine((0, 0), other_moving, fixed)
frames = {}
for k in (0, 2, 4, 8, len(whole_path) - 1):
    here = loss(whole_path[k], other_moving, fixed)
    frames[f"{k} moves, loss {here:.3f}"] = warp(other_moving, whole_path[k]), fixed
figure = overlays(frames)
lesson.save(figure, "two_hands")

# %% tags=["evidence", "hide-cell"]
start, end = (loss(whole_path[k], other_moving, fixed) for k in (0, -1))
claim(0.1 * start < end < 0.7 * start, "much of the loss is gone, and a part remains")
images = [backend.to_device(image[None, :, :, None].astype(np.float32)) for image in (moving, fixed)]
warped = ops.warp(images[0], backend.to_device(np.broadcast_to(np.float32(places[0]), (1, *fixed.shape, 2))))
gap = abs(losses.mse_loss(warped, images[1]).item() - loss(places[0], moving, fixed))
same = np.allclose(backend.to_host(warped.data)[0, ..., 0], warp(moving, places[0]), atol=1e-4)
claim(gap < 1e-4 and same, "ops.warp and losses.mse_loss agree with ours")

# %% [markdown]
# This is a registration, with nothing but NumPy and a page of calculus: a film worth showing to somebody. With enough
# blur to begin with, two handwritings that lay ten pixels apart now lie on each other. What is still coloured no
# translation can remove. Another hand writes another shape. For that the displacement has to differ from pixel to
# pixel.
#
# A displacement for every pixel of a 28 x 28 image has 1,568 numbers. And each new loss, or a network that predicts the
# field, would need another page, with another chance of a slip. But look at what the page was made of: small steps that
# know nothing of each other, and a chain rule that multiplies and adds. A machine can do that.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_04.py` and run `python -m lessons.check 04` from the top folder.
#
# 1. `descend_until_level`: gradient descent that knows when to stop.
# 2. `slope_of_masked_loss`: the slope when only some pixels count, with several channels.
# 3. `gauss_newton_step`: a move that needs no step. You will have to solve two equations.
#
# A small project, without a check: **two hands, in pieces.** Give the upper and the lower half of the image each its
# own `u`: the slope of a half is the sum over its pixels only. How far does the loss of the two hands fall with two
# pieces, with four, with sixteen? Draw the warped digits. Where do they tear, and what would you ask of neighbouring
# pieces?
#
# ## What comes next
#
# [5. An autograd engine in sixty lines](05_an_autograd_engine.py) builds the machine that does the chain rule.

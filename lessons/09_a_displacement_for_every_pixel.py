# %% [markdown]
# # 9. A displacement for every pixel
#
# - **You need**: lesson 8 (a digit bent by gradients); the cross product of two vectors in the plane.
# - **You will know**: how to descend on all numbers of a field; how a loss asks for smoothness; how to tell where space
#   folds, and what central differences do not see.
# - **Time**: reading 20 minutes, running under 15 seconds.
#
# Below are a three and a five. Lesson 8 blurred the arrows before each step. That was a trick, and the loss knew
# nothing of it. Now there is no blur. You descend on all 28 x 28 x 2 = 1568 numbers of a field at once, and at the end
# the three becomes the five, in a film. **Can the loss itself ask for a smooth field?**

# %%
import math

import numpy as np

import pictures
from lesson import Lesson, claim
from minireg import Tensor, backend, losses, methods, viz
from minireg.data.strokes import draw_digits
from minireg.fields import corner_determinants

lesson = Lesson(9)
seed = lesson.knob("seed", 0, (1, 2, 4), "other handwritings, some harder to bend")
pair = lesson.knob("pair", (3, 5), ((2, 2), (3, 8), (4, 9)), "which becomes which")
price = lesson.knob("price", 0.1, (0.01, 1.0, 10.0), "of roughness")

# %% tags=["hide-input"]
rng = np.random.default_rng(seed)
moving, fixed = draw_digits(list(pair), rng)[..., 0].astype(float)


def centre(x):
    return x - np.mean(x)


def ncc(a, b):
    saa, sbb = np.sum(centre(a) * centre(a)), np.sum(centre(b) * centre(b))
    return np.sum(centre(a) * centre(b)) / math.sqrt(saa * sbb)


def vjp_a(g, a, b):
    saa, sbb = np.sum(centre(a) * centre(a)), np.sum(centre(b) * centre(b))
    return g * (centre(b) / math.sqrt(saa * sbb) - ncc(a, b) * centre(a) / saa)


def warp_with_slopes(moving, u):
    """The warped image, and its slopes along rows and columns. Beyond the paper all is black."""
    among_zeros = np.pad(moving, 30)
    r, c = (np.clip(np.indices((28, 28))[axis] + 30 + u[..., axis], 0, 86) for axis in (0, 1))
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    s, t = r - i, c - j
    above = (1 - t) * among_zeros[i, j] + t * among_zeros[i, j + 1]
    below = (1 - t) * among_zeros[i + 1, j] + t * among_zeros[i + 1, j + 1]
    left = (1 - s) * among_zeros[i, j] + s * among_zeros[i + 1, j]
    right = (1 - s) * among_zeros[i, j + 1] + s * among_zeros[i + 1, j + 1]
    return (1 - s) * above + s * below, np.stack([below - above, right - left], axis=-1)


def bent(u):
    return warp_with_slopes(moving, u)[0]


def quotient(f, x, direction, h=1e-6):
    return (f(x + h * direction) - f(x - h * direction)) / (2 * h)


figure = pictures.images_in_a_row({"moving": moving, "fixed": fixed})
lesson.save(figure, "pair")

# %% [markdown]
# ## Every pixel on its own
#
# The folded cell above holds what you built in lessons 7 and 8: NCC, warping, and their gradients. `ncc_gradient`
# chains them. Then `descend` walks against a gradient for 300 steps. As in lesson 8, the longest arrow of a step is .3
# pixels at first, and shrinks.
#
# **Before you run the next cell: what do you expect?** Nothing holds the pixels back any more. How well will the three
# match the five? What becomes of the grid?


# %%
def ncc_gradient(u):
    """How 1 - NCC changes with each number of u."""
    warped, slopes = warp_with_slopes(moving, u)
    return vjp_a(-1.0, warped, fixed)[..., None] * slopes


def descend(gradient, steps=300):
    """All fields on the way down, the first and the last one too."""
    path = [np.zeros((28, 28, 2))]
    for step in range(steps):
        g = gradient(path[-1])
        longest = 0.3 * (1 - step / steps)
        lengths = np.linalg.norm(g, axis=-1)
        path.append(path[-1] - longest * g / lengths.max())
    return path


free = descend(ncc_gradient)
print(f"1 - NCC before: {1 - ncc(moving, fixed):.3f}")
print(f"1 - NCC after:  {1 - ncc(bent(free[-1]), fixed):.3f}")

# %% tags=["hide-input"]
figure, axes = pictures.panels(3)
pictures.show(axes[0], moving, "moving, and where every pixel looks", vmax=2)
viz.draw_warped_grid(axes[0], free[-1])
pictures.show(axes[1], bent(free[-1]), "bent")
pictures.show(axes[2], fixed, "fixed")
lesson.save(figure, "torn")

# %% [markdown]
# <details><summary>The answer</summary>
#
# The match gets much better. It is not good, though: the new digit is frayed. And the grid is in rags. Red cells are
# [folded](../docs/glossary.md#folding): their corners have changed places.
#
# </details>
#
# The number fell, and the field is worthless. Pixels on flat paper have no slope, so they never move. Their neighbours
# on the edge of the ink run away from them.
#
# ## A price on roughness, by hand
#
# Take three pixels in a line, with the displacements
#
#     u            0    0    3
#     differences     0    3            roughness = mean(0*0, 3*3) = 4.5
#
# The roughness is the mean of the squared *forward* differences, each pixel against the next one. What does it ask of
# each pixel? A difference d has the square d*d, with the derivative 2d. The pixel behind it enters with +1, the
# pixel before it with -1. The mean divides by 2:
#
#     from the difference 0     0    0
#     from the difference 3         -3    3
#     gradient                  0   -3    3
#
# Against the gradient, the middle number grows and the last one shrinks. A price on roughness is a spring between
# neighbours.
#
# A field has rows, columns and two components. Take the mean along rows and the mean along columns, and half of their
# sum. The half takes away the 2 that a square leaves in its derivative.


# %%
def roughness(u):
    along_rows = u[1:] - u[:-1]
    along_columns = u[:, 1:] - u[:, :-1]
    return (np.mean(along_rows**2) + np.mean(along_columns**2)) / 2


def roughness_gradient(u):
    along_rows = u[1:] - u[:-1]
    along_columns = u[:, 1:] - u[:, :-1]
    g = np.zeros_like(u)
    g[1:] += along_rows / along_rows.size
    g[:-1] -= along_rows / along_rows.size
    g[:, 1:] += along_columns / along_columns.size
    g[:, :-1] -= along_columns / along_columns.size
    return g


u = rng.standard_normal((28, 28, 2))
direction = rng.standard_normal((28, 28, 2))
by_hand = np.sum(roughness_gradient(u) * direction)
judge = quotient(roughness, u, direction)
print(f"a random direction: by hand {by_hand:.6f}, quotient {judge:.6f}")
claim(np.isclose(by_hand, judge, atol=1e-6), "the gradient of the roughness is right")

# %% [markdown]
# Now the loss is `1 - NCC + price * roughness`. Its gradient has one term more: the price times the one
# that you have just written.
#
# **Before you run the next cell: what do you expect?** Smoothness now costs something. The descent has to give up some
# of the match for it. Or does it?


# %%
def descend_at(price):
    return descend(lambda u: ncc_gradient(u) + price * roughness_gradient(u))


priced = descend_at(price)
for name, u in ("without a price", free[-1]), ("with a price", priced[-1]):
    match = 1 - ncc(bent(u), fixed)
    print(f"{name:16} 1 - NCC {match:.3f}, roughness {roughness(u):.3f}")

# %% tags=["hide-input"]
figure, axes = pictures.panels(3)
pictures.show(axes[0], moving, "moving, and where every pixel looks", vmax=2)
viz.draw_warped_grid(axes[0], priced[-1])
pictures.show(axes[1], bent(priced[-1]), "bent, with a price")
pictures.show(axes[2], fixed, "fixed")
lesson.save(figure, "priced")

# %% [markdown]
# <details><summary>The answer</summary>
#
# You ask for *more*, and the match gets *better* as well: with the knobs as they came, only a tenth is left of what
# 1 - NCC was without a price. The springs are the reason. A pixel on the edge of the ink pulls its neighbours on the
# paper along, until some of them look at ink, see a slope at last, and walk on by themselves.
#
# </details>
#
# The image is good. But look at the grid: at this price there still are red cells. How does one know that a cell is
# folded?
#
# ## One cell, by hand
#
# Four pixels make a cell. Only the lower left one moves: it looks 1.5 pixels further up, past the pixel above it.

# %% tags=["hide-input"]
cell = np.zeros((2, 2, 2))
cell[1, 0] = -1.5, 0.0
figure, axes = pictures.panels(2, width=2.8)
places = np.moveaxis(np.indices((2, 2)), 0, -1)
around = [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)]
for panel, shown, title in (axes[0], 0 * cell, "where the pixels are"), (axes[1], cell, "where they look"):
    outline = np.array([(places + shown)[corner] for corner in around])
    panel.fill(outline[:, 1], outline[:, 0], color="tab:blue", alpha=0.15)
    panel.plot(outline[:, 1], outline[:, 0], color="tab:blue")
    for (i, j), value in zip(np.ndindex(2, 2), np.ravel(corner_determinants(shown[None])), strict=True):
        row, column = (places + shown)[i, j]
        colour = "tab:red" if value <= 0 else "tab:blue"
        panel.plot(column, row, "o", color=colour, markersize=10)
        panel.annotate(f"{value:g}", (column, row), (6 + 2 * j, 6), textcoords="offset points", color=colour)
    panel.set(xlim=(-0.3, 1.5), ylim=(1.3, -0.8), xticks=[], yticks=[], aspect="equal")
    panel.set_title(title, fontsize=10)
lesson.save(figure, "cell")

# %% [markdown]
# The cell is twisted: one half lies on its face. The numbers tell which. Here is how one gets them. These are the
# places where the pixels look, as (row, column), and the edges of the cell:
#
#     (0, 0)      (0, 1)        top    = ( 0, 1)      left  = (-.5, 0)
#     (-.5, 0)    (1, 1)        bottom = (1.5, 1)     right = ( 1, 0)
#
# At each corner two edges meet, one down and one to the right. Their cross product is the area that they span, and it
# is negative if they have changed sides. That is the
# [Jacobian determinant](../docs/glossary.md#jacobian-determinant) at this corner:
#
#     v x w = v_row * w_column - v_column * w_row
#
#     upper left   left  x top    = -.5 * 1 - 0 * 0   = -.5
#     upper right  right x top    =   1 * 1 - 0 * 0   =   1
#     lower left   left  x bottom = -.5 * 1 - 0 * 1.5 = -.5
#     lower right  right x bottom =   1 * 1 - 0 * 1.5 =   1
#
# Two are negative. On the left, space is turned over.


# %%
def cross(v, w):
    return v[..., 0] * w[..., 1] - v[..., 1] * w[..., 0]


def corners(u):
    """The determinants at the four corners of every cell: (4, H-1, W-1)."""
    down = u[1:] - u[:-1] + np.array([1.0, 0.0])
    right = u[:, 1:] - u[:, :-1] + np.array([0.0, 1.0])
    upper_left = cross(down[:, :-1], right[:-1])
    upper_right = cross(down[:, 1:], right[:-1])
    lower_left = cross(down[:, :-1], right[1:])
    lower_right = cross(down[:, 1:], right[1:])
    return np.stack([upper_left, upper_right, lower_left, lower_right])


def folded(u):
    return np.min(corners(u), axis=0) <= 0


print("your corners: ", corners(cell).ravel())
print("the project's:", np.ravel(corner_determinants(cell[None])))
print("folded cells without a price:", np.sum(folded(free[-1])))
print("folded cells with a price:   ", np.sum(folded(priced[-1])))

# %% [markdown]
# The mean of the four is +.25. So a single number in the middle of the cell would tell you that all is well. Inside a
# cell the determinant lies between those of its corners (*[why](../docs/internals/displacement_fields.md)*). So a cell
# is free of folds if all four are above 0, and only then.
#
# ## What central differences do not see
#
# Many programs take *central* differences instead, (u[i + 1] - u[i - 1]) / 2, one determinant for each pixel. Try a
# checkerboard: pixels look .6 up and .6 down in turn.
#
# **Before you run the next cell: what do you expect?** What do central differences say, and what do the corners?

# %%
rows, columns = np.indices((28, 28))
checkers = np.zeros((28, 28, 2))
checkers[..., 0] = np.where((rows + columns) % 2 == 0, 0.6, -0.6)
down = (checkers[2:, 1:-1] - checkers[:-2, 1:-1]) / 2 + np.array([1.0, 0.0])
right = (checkers[1:-1, 2:] - checkers[1:-1, :-2]) / 2 + np.array([0.0, 1.0])
central = cross(down, right)
print("central differences: from", central.min(), "to", central.max())
print(f"corners: from {corners(checkers).min():.1f} to {corners(checkers).max():.1f}")
print("folded cells:", np.sum(folded(checkers)), "of", 27 * 27)

# %% tags=["hide-input"]
figure, axes = pictures.panels(3)
for row in range(4):
    axes[0].plot(np.arange(8), row + checkers[row, :8, 0], "o-", label=f"row {row}")
axes[0].legend(frameon=False, ncols=4, fontsize=7, loc="lower center", handlelength=0.7, columnspacing=1)
axes[0].set(ylim=(4.4, -1), xticks=[], yticks=[], box_aspect=1)
axes[0].set_title("where four rows look: they cross", fontsize=10)
looks = {"cmap": "RdBu", "vmin": -1, "vmax": 3}
pictures.show(axes[1], central, "central: 1 everywhere", **looks)
pictures.show(axes[2], corners(checkers).min(axis=0), "the worst corner of each cell", **looks)
lesson.save(figure, "checkers")

# %% [markdown]
# <details><summary>The answer</summary>
#
# Central differences say 1 everywhere, as if nothing had moved. They compare the pixels on both sides, and these look
# the same way. The pixel itself is never asked. The corners tell the truth: every cell is folded.
#
# </details>
#
# For the same reason the roughness has forward differences. A price on central ones would let a checkerboard pass for
# free.
#
# ## What is the right price?
#
# Try five of them.

# %%
prices = 0.0, 0.01, 0.1, 1.0, 10.0
fields = {}
print("price     NCC  folded cells")
for p in prices:
    u = descend_at(p)[-1]
    fields[p] = u
    print(f"{p:5} {ncc(bent(u), fixed):7.3f} {np.sum(folded(u)):13}")

# %% tags=["hide-input"]
figure = pictures.fields_over({f"price {p:g}": (moving, fields[p]) for p in prices}, spacing=1)
lesson.save(figure, "prices")

# %% [markdown]
# Too small a price, and the field tears. Too large, and the three stops half-way. In between you must choose. But with
# the knobs as they came, the best match of the five has folds, and the only field without folds has a poor match.
# Roughness is not folding: it charges for any stretch, and a fold costs little more.
#
# ## The film
#
# The path of the descent is a film. On the left nobody pays. In the middle roughness has its price. On the right is
# the fixed digit.

# %%
shown = [*range(0, 60, 2), *range(60, 301, 12)]
film = []
for step in shown:
    film.append(np.hstack([bent(free[step]), bent(priced[step]), fixed]))
lesson.animate(film, "film")

# %% tags=["hide-input"]
stages = {f"free, step {step}": bent(free[step]) for step in (0, 6, 12, 24, 300)}
stages |= {f"priced, step {step}": bent(priced[step]) for step in (0, 6, 12, 24, 300)}
figure = pictures.images_in_a_row(stages, rows=2)
lesson.save(figure, "stages")

# %% [markdown]
# What you did has a name: [instance optimisation](../docs/glossary.md#instance-optimisation), a descent on the
# field of one pair. The roughness is `losses.diffusion` in the project. And `methods.optimise` does the whole. It adds
# a price on the corners themselves, as soon as one falls below .1, and it goes from coarse to fine, as in lesson 4.

# %%
tensor = Tensor(backend.to_device(priced[-1][None]), requires_grad=True)
diffusion = losses.diffusion(tensor)
diffusion.backward()
print(f"roughness {roughness(priced[-1]):.6f}, losses.diffusion {diffusion.item():.6f}")
images = [image[None, ..., None].astype(np.float32) for image in (moving, fixed)]
best = methods.optimise(*images)[0].astype(float)
print(f"methods.optimise: NCC {ncc(bent(best), fixed):.3f}")
print("folded cells:", np.sum(folded(best)))

# %% tags=["hide-input"]
figure, axes = pictures.panels(4, rows=2, width=3.4)
pictures.show(axes[0], moving, "moving, and where methods.optimise looks", vmax=2)
viz.draw_warped_grid(axes[0], best)
pictures.show(axes[1], bent(best), "bent")
pictures.show(axes[2], fixed, "fixed")
counts, matches = [np.sum(folded(u)) for u in fields.values()], [ncc(bent(u), fixed) for u in fields.values()]
axes[3].plot(counts, matches, "o-", color="tab:blue")
for p, count, match in zip(prices, counts, matches, strict=True):
    axes[3].annotate(f"{p:g}", (count, match), (2, 7), textcoords="offset points", fontsize=9)
axes[3].plot(np.sum(folded(best)), ncc(bent(best), fixed), "*", color="tab:red", markersize=14, clip_on=False)
axes[3].set(xlabel="folded cells", box_aspect=1)
axes[3].set_title("NCC for five prices, and the project's (star)", fontsize=10)
axes[3].spines[["top", "right"]].set_visible(False)
lesson.save(figure, "bent")

# %% tags=["evidence", "hide-cell"]
line = np.array([0.0, 0.0, 3.0])
by_line = quotient(lambda x: np.mean((x[1:] - x[:-1]) ** 2), line, np.eye(3)[1])
start = 1 - ncc(moving, fixed)
claim(np.isclose(by_line, -3), "the roughness of (0, 0, 3) asks -3 of the middle pixel")
claim(1 - matches[0] < 0.5 * start, "without a price, more than half of the loss is gone")
claim(matches[2] > matches[0] and counts[2] < counts[0], "a price of .1 makes the match better, and the folds fewer")
claim(1 - matches[2] < 0.12 * (1 - matches[0]), "with a price of .1, about a tenth of 1 - NCC is left")
claim(counts == sorted(counts, reverse=True), "the higher the price, the fewer the folds")
claim(counts[4] == 0 < counts[3] and matches[4] < 0.9, "only the highest price avoids all folds, with a poor match")
claim(np.all(folded(checkers)) and np.all(central == 1), "all cells fold, unseen by central differences")
claim(np.isclose(diffusion.item(), roughness(priced[-1])), "losses.diffusion is the roughness")
claim(np.allclose(backend.to_host(tensor.grad)[0], roughness_gradient(priced[-1])), "its gradient is yours, too")
claim(np.allclose(corners(best), np.concatenate(corner_determinants(best[None]))), "the corners are the project's")
claim(not np.any(folded(best)), "the field of methods.optimise folds nowhere")
claim(ncc(bent(best), fixed) > max(matches), "methods.optimise matches better than each of the five prices")

# %% [markdown]
# A better match than with any of your prices (the star), and no folds. The three has become a five, and no cell of
# space was torn or turned over. That took more ideas than this lesson has. One of them, the price on the corners, you
# can build yourself: it is the last exercise.
#
# ## What you know now
#
# - One can descend on all numbers of a field. Alone, they tear it.
# - A price on roughness is a spring between neighbours. It mends much of the field, and brings arrows onto the paper.
# - A cell folds where one of its four corner determinants is 0 or less. Central differences do not see a checkerboard.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_09.py` and run `python -m lessons.check 09` from the top folder.
#
# 1. `bending_gradient`: another roughness, of *second* differences. A steady slope costs nothing there.
# 2. `fold_free`: how far one may go along a step before space folds.
# 3. `folding_gradient`: a price on the corners themselves, and its gradient by hand.
#
# **A small project**, without a check: give `descend` the price of the third exercise too. How close do you come to the
# star? Make a film of your own two digits.
#
# ## What comes next
#
# Each pair costs a descent of its own, hundreds of steps, and nothing is learnt for the next pair. So why not let a
# network look at both images, and answer at once? Networks are made of convolutions. [Lesson 10](10_convolution.py)
# builds one.

# %% [markdown]
# # 16. Other intensities
#
# - **You need**: lesson 3 (NCC and its landscape), lesson 6 (random cotangents), lesson 7 (the gradient of warping),
#   lesson 9 (descent on a field); logarithms.
# - **You will know**: how to compare images in which one thing is bright here and dark there; what entropy and mutual
#   information are; how a histogram gets a derivative; what the epsilon of local NCC decides.
# - **Time**: reading 25 minutes, running under 15 seconds.
#
# Here is one head, twice. In CT bone is bright, in MR it is dark. The third image was made from the CT: every
# brightness was replaced by another one, from a table of 16 numbers. (Means of the MR: how bright is it where the CT
# has this brightness?) So the two are not equal at all, but **one tells the other**. Can one
# register by that?

# %%
if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()  # one thread is quicker for small matrices

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import pictures
from lesson import Lesson, claim
from minireg import Tensor, backend, fields, losses, ops, viz
from minireg.data import normalise_percentiles, phantom
from minireg.data.images import read_picture

lesson = Lesson(16)
seed = lesson.knob("seed", 0, (1, 2, 4), "other heads, other deformations")
bins = lesson.knob("bins", 16, (8, 32), "kinds of brightness that are told apart")
shading = lesson.knob("shading", 1.5, (0.5, 3.0), "of a second MR, from left to right")

# %% tags=["hide-input"]
SIZE = 64


def head(*kinds, size=SIZE):
    """A drawn head of this seed: a pair whose moving image is deformed, each of a kind, "ct" or "mr"."""
    return phantom.draw_pairs(np.random.default_rng(seed), 1, size, *kinds)


pair = head("ct", "mr")
mr, ct_moved = (image[0, ..., 0].astype(float) for image in (pair.fixed, pair.moving))
ct = head("ct", "ct").fixed[0, ..., 0].astype(float)  # the very head of the MR
inside = pair.fixed_labels[0, ..., 0] > 0
rng = np.random.default_rng(seed)


def foretold(a, b):
    """b as the brightness of a tells it: the mean of b over all pixels whose a is in the same bin."""
    bin_of = np.minimum((a * bins).astype(int), bins - 1).ravel()
    means = np.bincount(bin_of, b.ravel(), bins) / np.maximum(np.bincount(bin_of, minlength=bins), 1)
    return means[bin_of].reshape(b.shape)


figure = pictures.images_in_a_row({"CT": ct, "MR": mr, "made from the CT alone": foretold(ct, mr)})
lesson.save(figure, "two_kinds")


# %% tags=["hide-input"]
def centre(x):
    return x - np.mean(x)


def ncc(a, b):
    return np.sum(centre(a) * centre(b)) / np.sqrt(np.sum(centre(a) ** 2) * np.sum(centre(b) ** 2))


def vjp_ncc(g, a, b):
    saa, sbb = np.sum(centre(a) ** 2), np.sum(centre(b) ** 2)
    return g * (centre(b) / np.sqrt(saa * sbb) - ncc(a, b) * centre(a) / saa)


def quotient(f, x, direction, h=1e-6):
    return (f(x + h * direction) - f(x - h * direction)) / (2 * h)


# %% [markdown]
# ## What NCC asks
#
# In the two images above, everything lies where it should. Slide the CT over the MR by whole pixels, as in lesson 3.
#
# **Before you run the next cell: what do you expect?** At which shift is NCC highest?


# %%
def slid(image, u):
    return np.roll(image, (-u[0], -u[1]), axis=(0, 1))


shifts = [(row, column) for row in range(-6, 7) for column in range(-6, 7)]
ncc_of = {u: ncc(slid(ct, u), mr) for u in shifts}
ncc_best = max(ncc_of, key=ncc_of.get)
print(f"NCC in place:     {ncc_of[0, 0]:.3f}")
print(f"NCC, the highest: {ncc_of[ncc_best]:.3f} at {ncc_best}")

# %% tags=["hide-input"]
amounts = 0, 1, 4
figure, axes = pictures.panels(6, rows=2, width=2.4, above=0.25)
for k, amount in enumerate(amounts):
    moved = slid(ct, (0, amount))
    counts = np.histogram2d(moved.ravel(), mr.ravel(), bins, [[0, 1], [0, 1]])[0]
    looks = {"cmap": "magma", "origin": "lower", "extent": (0, 1, 0, 1), "vmin": 0, "vmax": np.log(2000)}
    axes[k].imshow(np.log1p(counts.T), **looks)
    axes[k].set(xticks=[0, 1], yticks=[0, 1])
    axes[k].set_title(f"moved by {amount}" if amount else "in place", fontsize=10)
    pictures.show(axes[3 + k], foretold(moved, mr))
axes[0].set(xlabel="brightness in CT", ylabel="in MR")
axes[3].set_ylabel("made from the CT")
lesson.save(figure, "pairs")

# %% [markdown]
# <details><summary>The answer</summary>
#
# Not in place. NCC asks for one straight line from CT to MR, and there is none. Moved a little, some of the CT's bright
# bone comes to lie on bright skin of the MR, and NCC prefers that.
#
# </details>
#
# The upper row is another way to look. Every pixel is a pair: its brightness in CT, and that in MR. Count how many
# pixels have which pair. This is the [joint histogram](../docs/glossary.md#joint-histogram). In place, there are a few
# bright clumps, one for each tissue. Moved, they smear: anything meets anything. The lower row shows what the table
# then makes of the CT. So the question is not "on a line?", but **"how sharp is the histogram?"**
#
# ## Four pixels, by hand
#
# Sharpness is counted in yes-or-no questions. Two kinds of pixels, half of them each: one question tells which kind a
# pixel is. Four kinds, a quarter each: two questions. A kind with the share p takes log2(1/p) of them. Their mean
# is the [entropy](../docs/glossary.md#entropy) H, and its unit is the bit.
#
#     CT       0   0   1   1       two kinds            1 bit
#     MR       1   1   0   0       two kinds            1 bit
#     pairs   01  01  10  10       two kinds of pairs   1 bit
#
# To ask for both alone takes 1 + 1 bits; to ask for the pair takes 1. One bit is saved, because one tells the other.
# Now slide the MR by a pixel:
#
#     CT       0   0   1   1                            1 bit
#     MR       0   1   1   0                            1 bit
#     pairs   00  01  11  10       four kinds           2 bits
#
# Nothing is saved: 1 + 1 - 2 = 0. What is saved is the [mutual information](../docs/glossary.md#mutual-information):
#
# $$
# I(a, b) = H(a) + H(b) - H(a, b)
# $$


# %%
def entropy(p):
    p = p[p > 0]
    return np.sum(p * np.log2(1 / p))


def information(joint):
    return entropy(joint.sum(axis=1)) + entropy(joint.sum(axis=0)) - entropy(joint)


def counted(a, b):
    edges = [[0, 1], [0, 1]]
    return np.histogram2d(a.ravel(), b.ravel(), bins, edges)[0] / a.size


four = np.array([0, 0, 1, 1])
print("four pixels:", information(counted(four, 1 - four)))
print("slid:       ", information(counted(four, np.roll(1 - four, 1))))
bits_of = {u: information(counted(slid(ct, u), mr)) for u in shifts}
bits_best = max(bits_of, key=bits_of.get)
print(f"the head:    {bits_of[0, 0]:.3f} bits in place; most at {bits_best}")

# %% tags=["hide-input"]
heights = {"1 - NCC": [1 - ncc_of[u] for u in shifts], "- mutual information": [-bits_of[u] for u in shifts]}
figure = pictures.landscapes({name: np.reshape(values, (13, 13)) for name, values in heights.items()}, -6, 6)
for panel, place in zip(figure.axes, (ncc_best, bits_best), strict=True):
    pictures.mark(panel, (0, 0))
    pictures.mark(panel, place, "x", "tab:red")
lesson.save(figure, "landscapes")
claim(ncc_best != (0, 0), "NCC is highest out of place")
claim(bits_best == (0, 0), "mutual information is highest in place")

# %% [markdown]
# The circle is the truth, the red cross the lowest point. Mutual information finds the place, and nobody told it which
# brightness stands for which.
#
# ## Counting has no slope
#
# Now descend. For this, each pixel must know how the number of bits changes with its intensity.
#
# **Before you run the next cell: what do you expect?** Every intensity of the CT is nudged by a tiny random amount. By
# how much do the bits change?

# %%
nudges = 1e-9 * rng.standard_normal(ct.shape)
nudged = np.clip(ct + nudges, 0, 1)
change = information(counted(nudged, mr)) - information(counted(ct, mr))
print("change of the bits over the nudge:", change / 1e-9)

# %% [markdown]
# <details><summary>The answer</summary>
#
# Exactly 0. Each intensity stays in its bin, so all counts stay. And where one does leave its bin, a count jumps. Slope
# 0 almost everywhere, and steps between: nothing to walk down.
#
# </details>
#
# The way out: let a pixel count a little for *several* bins, by a smooth window, a
# [Parzen window](../docs/glossary.md#parzen-window). The project takes a cubic B-spline, a bell four bins wide. An
# intensity half-way between the bins 5 and 6 then counts for
#
#     bin        4      5      6      7
#     share    1/48  23/48  23/48   1/48        1 in all


# %%
def window(d):
    d = np.abs(d)
    far = np.maximum(2 - d, 0)
    near = (4 - 6 * d * d + 3 * d * d * d) / 6
    return np.where(d < 1, near, far * far * far / 6)


def distances(x):
    # Of each intensity from each bin. 0 lies on bin 1, and 1 on the last but one,
    # to make room for the window: bins - 3 steps.
    return 1 + (bins - 3) * x.reshape(-1, 1) - np.arange(bins)


def spread(x):
    return window(distances(x))


def joint(a, b):
    return spread(a).T @ spread(b) / a.size


half_way = np.array([4.5 / (bins - 3)])
print("48 times its shares:", np.round(48 * spread(half_way)[0, 4:8], 3))
print(f"the head, in place: {information(joint(ct, mr)):.3f} bits")

# %% tags=["hide-input"]
figure, axes = pictures.panels(2, aspect=0.7, width=4.2)
line = np.linspace(0, 1, 161)
axes[0].plot(line, spread(line), color="0.8", linewidth=1)
for k in range(4, 8):
    axes[0].plot(line, spread(line)[:, k], linewidth=2, label=f"bin {k}")
axes[0].plot([half_way[0]] * 4, spread(half_way)[0, 4:8], "ko", markersize=4)
axes[0].legend(frameon=False, fontsize=8)
axes[0].set(xlabel="intensity", ylabel="share")
axes[0].set_title("how much an intensity counts for each bin", fontsize=10)
for name, histogram in (("counted", counted), ("spread", joint)):
    along = []
    for x in line:
        changed = ct.copy()
        changed[40, 40] = x
        along.append(1000 * information(histogram(changed, mr)))
    axes[1].plot(line, np.array(along) - along[0], label=name)
axes[1].legend(frameon=False, fontsize=8)
axes[1].set(xlabel="intensity of one pixel of the CT", ylabel="thousandths of a bit")
axes[1].set_title("what this does to the mutual information", fontsize=10)
for panel in axes:
    panel.spines[["top", "right"]].set_visible(False)
lesson.save(figure, "spread")

# %% [markdown]
# Steps became a smooth curve. (Fewer bits in all: the window blurs the histogram.)
#
# ## The VJP, by hand
#
# A cotangent g says what the loss asks of each count. Say, 1, 2, 4 and 8 of the four bins above. How does it change if
# the intensity grows? It climbs towards the bins on its right. Half-way, the windows have these slopes:
#
#     slope    -1/8   -5/8    5/8    1/8
#     g           1      2      4      8
#     product  -1/8  -10/8   20/8    8/8        17/8 in all
#
# That was per bin. From 0 to 1 there are bins - 3 of them, so times bins - 3. This is the whole VJP: **each pixel asks
# its bins, weighted by the window's slope.**


# %%
def slope(d):
    e = np.abs(d)
    far = np.maximum(2 - e, 0)
    steepness = np.where(e < 1, (1.5 * e - 2) * e, -far * far / 2)
    return np.sign(d) * steepness


def vjp_spread(g, x):
    g_x = np.sum(g * slope(distances(x)), axis=1)
    return (bins - 3) * g_x.reshape(x.shape)


g = np.zeros((1, bins))
g[0, 4:8] = 1, 2, 4, 8
print("by hand, per bin:", vjp_spread(g, half_way)[0] / (bins - 3))
g = rng.standard_normal((ct.size, bins))
direction = rng.standard_normal(ct.shape)
by_hand = np.sum(vjp_spread(g, ct) * direction)
judge = quotient(lambda x: np.sum(g * spread(x)), ct, direction)
print(f"random cotangent: by hand {by_hand:.3f}, quotient {judge:.3f}")
claim(np.isclose(by_hand, judge, rtol=1e-5), "the VJP of the spread histogram is right")

# %% [markdown]
# What does mutual information ask of each count? Write p for the shares of pairs, p_a and p_b for its sums along rows
# and columns. I is the sum of all p log2(p), less those of p_a log2(p_a) and p_b log2(p_b). x log2(x) has the slope
# log2(x) and a constant. One p stands in one p_a and one p_b, so the derivative is
#
# $$
# \log_2 \frac{p}{p_a p_b}
# $$
#
# and constants, which drop out, as the shares of a pixel always add up to 1. The logarithm is positive where a pair
# is *more frequent than by chance*. **Every pixel is drawn towards pairs that many others form already.**


# %%
def information_gradient(a, spread_b):
    """How the bits change with each intensity of a."""
    p = spread(a).T @ spread_b / a.size
    by_chance = p.sum(axis=1, keepdims=True) * p.sum(axis=0)
    surplus = np.log2((p + 1e-8) / (by_chance + 1e-8))
    g_spread = spread_b @ surplus.T / a.size
    return vjp_spread(g_spread, a)


asked = information_gradient(ct_moved, spread(mr))
by_hand = np.sum(asked * direction)
judge = quotient(lambda x: information(joint(x, mr)), ct_moved, direction)
print(f"by hand {by_hand:.5f}, quotient {judge:.5f}")
tensor = Tensor(backend.to_device(ct_moved[None, ..., None]), requires_grad=True)
other = backend.to_device(mr[None, ..., None])
loss = losses.mutual_information_loss(tensor, other, bins)
loss.backward()
nats = information(joint(ct_moved, mr)) * np.log(2)
print(f"times ln 2: {nats:.5f}, mutual_information_loss: {loss.item():.5f}")

# %% tags=["hide-input"]
p = joint(ct_moved, mr)
surplus = np.log2((p + 1e-8) / (p.sum(axis=1, keepdims=True) * p.sum(axis=0) + 1e-8))
figure, axes = pictures.panels(4, width=2.4)
pictures.show(axes[0], ct_moved, "CT, deformed")
pictures.show(axes[1], mr, "MR")
looks = {"cmap": "RdBu_r", "origin": "lower"}
shown = np.where(p.T > 1e-6, surplus.T, 0)
pictures.show(axes[2], shown, "more (red) or less\nthan by chance", vmin=-5, vmax=5, **looks)
axes[2].set(xlabel="bin in CT", ylabel="bin in MR")
most = 0.7 * np.abs(asked).max()
pictures.show(axes[3], asked, "what MI asks:\nbrighter (red), darker", cmap="RdBu_r", vmin=-most, vmax=most)
lesson.save(figure, "asked")
theirs = backend.to_host(tensor.grad)[0, ..., 0]
claim(np.isclose(by_hand, judge, rtol=1e-3), "the gradient of mutual information is right")
claim(np.isclose(loss.item(), -nats, atol=1e-3), "mutual_information_loss is minus ours, in nats")
claim(np.allclose(theirs, -asked * np.log(2), atol=0.002 * np.abs(asked).max()), "its gradient is ours, too")

# %% [markdown]
# The project counts in [nats](../docs/glossary.md#entropy), with the natural logarithm: 1 bit is ln 2 nats.
#
# ## CT onto MR
#
# Now register the deformed CT. `descend` (folded, below) is that of lesson 9: a price of .1 on roughness, and a blur of
# each step, here of 4 pixels. The truth is known, for the heads are drawn. So one can say how far each field is off.


# %% tags=["hide-input"]
def warp_with_slopes(image, u):
    """The warped image, and its slopes along rows and columns. Beyond the border it goes on as it is there."""
    r, c = (np.clip(x, 0, SIZE - 1.0001) for x in np.indices(image.shape) + np.moveaxis(u, -1, 0))
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    s, t = r - i, c - j
    above = (1 - t) * image[i, j] + t * image[i, j + 1]
    below = (1 - t) * image[i + 1, j] + t * image[i + 1, j + 1]
    left = (1 - s) * image[i, j] + s * image[i + 1, j]
    right = (1 - s) * image[i, j + 1] + s * image[i + 1, j + 1]
    return (1 - s) * above + s * below, np.stack([below - above, right - left], axis=-1)


def bent(image, u):
    return warp_with_slopes(image, u)[0]


def roughness_gradient(u):
    along_rows, along_columns = u[1:] - u[:-1], u[:, 1:] - u[:, :-1]
    g = np.zeros_like(u)
    g[1:] += along_rows / along_rows.size
    g[:-1] -= along_rows / along_rows.size
    g[:, 1:] += along_columns / along_columns.size
    g[:, :-1] -= along_columns / along_columns.size
    return g


across = np.subtract.outer(np.arange(SIZE), np.arange(SIZE))
bell = np.exp(-(across**2) / (2 * 4**2))
bell /= np.sum(bell, axis=1, keepdims=True)


def descend(image, gradient, steps=100):
    """All fields on the way down; `gradient` says how the loss changes with each intensity of the warped image."""
    path = [np.zeros((SIZE, SIZE, 2))]
    for step in range(steps):
        warped, slopes = warp_with_slopes(image, path[-1])
        g = gradient(warped)[..., None] * slopes + 0.1 * roughness_gradient(path[-1])
        g = np.stack([bell @ g[..., axis] @ bell.T for axis in (0, 1)], axis=-1)
        path.append(path[-1] - 0.5 * (1 - step / steps) * g / np.linalg.norm(g, axis=-1).max())
    return path


def off(u):
    """How far a field is from the true one, in the mean over the head, in pixels."""
    return np.mean(np.linalg.norm(u - pair.displacement[0], axis=-1)[inside])


# %% [markdown]
# **Before you run the next cell: what do you expect?** One descent goes by NCC, one by mutual information. Which field
# has the higher NCC, and which is nearer to the truth?

# %%
spread_mr = spread(mr)
ncc_path = descend(ct_moved, lambda warped: vjp_ncc(-1.0, warped, mr))
mi_path = descend(ct_moved, lambda warped: -information_gradient(warped, spread_mr))
found = {"before": mi_path[0], "by NCC": ncc_path[-1], "by MI": mi_path[-1]}
for name, u in found.items():
    warped = bent(ct_moved, u)
    bits = information(joint(warped, mr))
    print(f"{name:7} off {off(u):.2f}   NCC {ncc(warped, mr):.3f}   bits {bits:.3f}")

# %% tags=["hide-input"]
figure, axes = pictures.panels(6, rows=2, above=0.25)
for k, (name, u) in enumerate(found.items()):
    pictures.show(axes[k], ct_moved, f"{name}: where pixels look" if k else "the deformed CT", vmax=2)
    viz.draw_warped_grid(axes[k], u, spacing=3)
    rows, columns = np.indices(mr.shape) // 8
    squares = np.where((rows + columns) % 2, bent(ct_moved, u), mr)
    pictures.show(axes[3 + k], squares, f"{name}: squares of CT and MR")
lesson.save(figure, "registered")
folds = {name: np.sum(np.min(np.concatenate(fields.corner_determinants(u[None])), 0) <= 0) for name, u in found.items()}
print("folded cells:", ", ".join(f"{count} {name}" for name, count in folds.items()))
claim(off(found["by NCC"]) > 0.9 * off(found["before"]), "NCC leaves the field about as wrong as it was, or worse")
claim(off(found["by MI"]) < 0.65 * off(found["before"]), "mutual information takes away more than a third of it")
matches = {name: ncc(bent(ct_moved, u), mr) for name, u in found.items()}
claim(matches["by NCC"] > matches["by MI"] + 0.05, "NCC is higher where the field is wrong")
claim(folds["by NCC"] > folds["by MI"], "the field by NCC folds more")

# %% [markdown]
# <details><summary>The answer</summary>
#
# NCC wins by far in NCC, and its field is worse than none (with the knobs as they came). Look at the bright ring. By
# NCC it runs on from square to square, and that is the mistake: the bone of the CT lies on the skin of the MR. By MI it
# jumps inwards where a square shows the CT. Whoever judges by the number that was minimised takes the wrong one.
#
# </details>
#
# Here is the way of both as a film: by NCC, by mutual information, and the MR.

# %% tags=["hide-input"]
film = []
for step in (*range(0, 20, 2), *range(20, 101, 4)):
    shown = [bent(ct_moved, ncc_path[step]), bent(ct_moved, mi_path[step]), mr]
    film.append(np.hstack([image[:, 6:-6] for image in shown]))
lesson.animate(film, "film")
ends = {"the deformed CT": ct_moved, "bent by NCC": shown[0], "bent by MI": shown[1], "MR": mr}
figure = pictures.images_in_a_row(ends)
lesson.save(figure, "bent")

# %% [markdown]
# ## Where one brightness means several things
#
# Mutual information supposes that one brightness means one thing *everywhere*. But a lamp, or a coil of an MR scanner,
# shades images. So ask in small windows, where the shade is nearly even: NCC in every window of 9 x 9 pixels, squared,
# so that a negative counts as alike, and averaged. This is [local NCC](../docs/glossary.md#local-ncc):
#
#     cov * cov / (var_a * var_b + eps)
#
# Why eps? In the air there is only noise. There var_a * var_b is about 4e-8; at the skull it is 7e-3. But cov * cov is
# as small as that, and so, divided, *noise counts as much as a skull*. eps decides from where on it does not.


# %%
def local_ncc(a, b, eps, side=9):
    def mean(image):
        return ops.separable_filter(image, [1 / side] * side)

    cov = mean(a * b) - mean(a) * mean(b)
    var_a = mean(a * a) - mean(a) * mean(a)
    var_b = mean(b * b) - mean(b) * mean(b)
    return (cov * cov / (var_a * var_b + eps)).mean()


def local_gradient(a, b, eps=1e-5):
    tensor = Tensor(backend.to_device(a[None, ..., None]), requires_grad=True)
    local_ncc(tensor, backend.to_device(b[None, ..., None]), eps).backward()
    return backend.to_host(tensor.grad)[0, ..., 0]


air = ~inside & (pair.moving_labels[0, ..., 0] == 0)
in_air = {}
for eps in (1e-12, 1e-6, 1e-5, 1e-4):
    asked = np.abs(local_gradient(ct_moved, mr, eps))
    in_air[eps] = np.sum(asked[air]) / np.sum(asked)
    print(f"eps {eps:.0e}: {in_air[eps]:.0%} of all that is asked, is asked of air")

# %% tags=["hide-input"]
figure, axes = pictures.panels(4, width=2.4, above=0.25)
pictures.show(axes[0], ct_moved, "CT, deformed")
for panel, eps in zip(axes[1:], (1e-12, 1e-6, 1e-4), strict=True):
    asked = local_gradient(ct_moved, mr, eps)
    most = 0.7 * np.abs(asked).max()
    pictures.show(panel, asked, f"asked with eps {eps:.0e}", cmap="RdBu_r", vmin=-most, vmax=most)
lesson.save(figure, "epsilon")
windows = [np.lib.stride_tricks.sliding_window_view(image, (9, 9)) for image in (ct_moved, mr, air)]
products = np.var(windows[0], axis=(2, 3)) * np.var(windows[1], axis=(2, 3))
of_air, of_skull = np.all(windows[2], axis=(2, 3)), pair.fixed_labels[0, 4:-4, 4:-4, 0] == phantom.BONE
claim(np.median(products[of_air]) < 1e-7, "in half of the windows of air, var_a * var_b is below 1e-7")
claim(np.median(products[of_skull]) > 5e-3, "at half of the skull it is above 5e-3")
tensor = Tensor(backend.to_device(ct_moved[None, ..., None]), requires_grad=True)
losses.squared_local_ncc_loss(tensor, backend.to_device(mr[None, ..., None])).backward()
asked = np.abs(backend.to_host(tensor.grad)[0, ..., 0])
claim(np.sum(asked[air]) > 0.4 * np.sum(asked), "squared_local_ncc_loss asks 40 % or more of air, too")
claim(in_air[1e-12] > 0.4 > 0.3 > in_air[1e-5], "tiny eps: 40 % or more are asked of air; 1e-5: less than 30 %")

# %% [markdown]
# eps has a unit, intensity to the power of four: images of 0 to 255 need another one. A larger one silences faint
# tissue, too. The project's losses have none. They leave out windows that are even to a hundredth of the image's
# deviation ([why](../docs/internals/ncc.md#the-epsilon-that-decides)), and noise like ours passes. For noisy images
# take `align`, which adds .02 squared to each variance.
#
# Now all three, on two tasks: CT and MR, and the same MR twice, one of them shaded.

# %% tags=["hide-input"]
mr_moved = head("mr", "mr").moving[0, ..., 0].astype(float)
shaded = mr * np.exp(-shading * np.linspace(0, 1, SIZE))
tasks = {"CT to MR": (ct_moved, mr), "MR to shaded MR": (mr_moved, shaded)}
table = {}
print(f"{'pixels off':17}   NCC    MI   local NCC")
for task, (image, target) in tasks.items():
    told = spread(target)
    ways = {
        "NCC": lambda warped, target=target: vjp_ncc(-1.0, warped, target),
        "MI": lambda warped, told=told: -information_gradient(warped, told),
        "local": lambda warped, target=target: -local_gradient(warped, target),
    }
    known = {"NCC": ncc_path, "MI": mi_path} if image is ct_moved else {}
    table[task] = {name: off((known.get(name) or descend(image, way))[-1]) for name, way in ways.items()}
    print(f"{task:17} {table[task]['NCC']:5.2f} {table[task]['MI']:5.2f} {table[task]['local']:8.2f}")
two_kinds, one_kind = table.values()
claim(min(two_kinds, key=two_kinds.get) == "MI", "between two kinds, mutual information is nearest to the truth")
claim(min(one_kind, key=one_kind.get) == "local", "within one kind, shaded, local NCC is")
figure = pictures.images_in_a_row({"CT, deformed": ct_moved, "MR": mr, "MR, deformed": mr_moved, "MR, shaded": shaded})
lesson.save(figure, "tasks")

# %% [markdown]
# Squared local NCC is often taken for two kinds as well. Here it fails: in a window lie air, skin, bone and brain, and
# no line fits these four. Choose a measure by what it supposes. (One head decides little: turn `seed`.)
#
# ## Two files
#
# With two files you do it in one line:
#
#     python -m minireg.register ct.png mr.png --loss mi --out by_mi
#
# Name your own here. Else the lesson takes two real slices, a T1 template and a map of its grey matter, deformed by a
# known field, if `python -m pip install nilearn nibabel` has brought them. Else it takes phantoms.

# %%
my_files = ()  # ("ct.png", "mr.png")
print("your files:", my_files or "none")

# %% tags=["hide-input"]
desk = tempfile.TemporaryDirectory()


def real_slices():
    """A T1 slice, the map of its grey matter along a known field, and that field; None where nilearn is missing."""
    nilearn = importlib.util.find_spec("nilearn")
    if nilearn is None or importlib.util.find_spec("nibabel") is None:
        return None
    import nibabel

    folder = Path(nilearn.origin).parent / "datasets" / "data"
    slices = []
    for kind in "t1", "gm":
        volume = nibabel.load(next(folder.glob(f"*_{kind}_*.nii.gz"))).dataobj
        image = np.rot90(np.asarray(volume[:196, :232, volume.shape[2] // 2], float))
        image = image.reshape(116, 2, 98, 2).mean(axis=(1, 3))
        slices.append(np.float32(image / image.max())[None, ..., None])
    u = fields.random_diffeomorphism(np.random.default_rng(seed), (1, 116, 98), 6, 10)[0]
    return slices[0], fields.warp_images(slices[1], u), u


drawn = head("ct", "mr", size=128)
real = real_slices()
source, target, true = real or (drawn.moving, drawn.fixed, drawn.displacement)
print("the files:", "two real slices" if real else "phantoms of 128 x 128; nilearn and nibabel would bring real slices")
paths = my_files or [f"{desk.name}/moving.png", f"{desk.name}/fixed.png"]
if not my_files:
    for path, image in zip(paths, (source, target), strict=True):
        Image.fromarray(np.uint8(255 * np.clip(image[0, ..., 0], 0, 1))).save(path)

# %%
command = [sys.executable, "-m", "minireg.register", *paths]
command += ["--loss", "mi", "--out", f"{desk.name}/by_mi"]
finished = subprocess.run(command, capture_output=True, text=True)
print(finished.stdout.rpartition(";")[0] or finished.stderr)

# %% tags=["hide-input"]
with np.load(f"{desk.name}/by_mi/registration.npz") as result:
    u, warped = result["displacement"], result["warped"][..., None]
if not my_files:
    seen = target[0, ..., 0] > 0.1 if real else drawn.fixed_labels[0, ..., 0] > 0
    mean_off = [np.mean(np.linalg.norm(way - true, axis=-1)[0][seen]) for way in (0 * u, u)]
    print(f"off: before {mean_off[0]:.2f}, after {mean_off[1]:.2f} pixels")
    claim(mean_off[1] < 0.6 * mean_off[0], "the two files are registered")
images = [*(read_picture(path).compared for path in paths), warped]
source, target, warped = (normalise_percentiles(image)[0, ..., 0] for image in images)
figure, axes = pictures.panels(4, aspect=u.shape[1] / u.shape[2], width=2.4, above=0.25)
for panel, image, name in zip(axes, (source, target, warped), ("moving", "fixed", "warped"), strict=False):
    pictures.show(panel, image, name)
pictures.show(axes[3], source, "where pixels look", vmax=2)
viz.draw_warped_grid(axes[3], u[0], spacing=8)
lesson.save(figure, "files")
desk.cleanup()

# %% [markdown]
# (The command always prints NCC. You know what it is worth here.)
#
# Behind this is `methods.align`. It begins with shift, turn and scale, and goes from coarse to fine. Its `mi` is a
# relative of yours: it makes the MR from the CT, as the first figure did, and the CT from the MR, and compares each
# with the real one. `methods.optimise` and networks (`minireg.train --loss mi`) take the histogram.
# [Two kinds of images](../docs/how-to/two_kinds_of_images.md) says how to find out that it went wrong.
#
# ## What you know now
#
# - Between two kinds of images do not ask "equal?", but "does one tell the other?"
# - Mutual information: bits that are saved, since the joint histogram is sharp.
# - A smooth window gives a histogram a slope. Each pixel asks its bins, weighted by that slope.
# - NCC may be high and the field wrong.
# - Where shade changes what a brightness means, ask in windows. There eps decides whether noise is heard.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_16.py` and run `python -m lessons.check 16` from the top folder.
#
# 1. `questions_left`: how many bits of one image are open when the other is known.
# 2. `vjp_hat`: the VJP of another window, a roof two bins wide.
# 3. `unexplained_gradient`: the loss behind the first figure, and its gradient.
#
# **A small project**, without a check: descend with your third answer instead of mutual information, and make the MR
# from the CT in every tenth step, as a film. When does the skull get sharp?
#
# ## What comes next
#
# "Off" was known here, since the heads are drawn. For real images nobody knows it.
# [Lesson 17](17_honest_evaluation.py) is about honest evaluation.

# %% [markdown]
# # 8. The hand-derived gradient of NCC
#
# - **You need**: lesson 3 (what NCC is), lesson 6 (difference quotients, the adjoint test) and lesson 7 (the gradient
#   of warping); scalar products of vectors, the chain rule and the derivative of a product.
# - **You will know**: how to derive the gradient of NCC in three steps; why it cannot point along the image or along a
#   constant; what it asks of every pixel; where float32 ruins NCC; how to chain two gradients into a registration.
# - **Time**: reading 30 minutes, running under 10 seconds.
#
# A registration changes the warped image until it resembles the fixed one. Lesson 3 measured the resemblance by the
# normalised cross-correlation, because brightness and contrast do not disturb it. To go downhill you need to know, for
# every pixel of the warped image: how does NCC change if this pixel becomes a little brighter?
#
# Every pixel of a enters NCC in four ways: in the product with b, in the sum of squares, and again in both through the
# mean that is taken off. It looks like a long calculation. It is a short one if it is done in the right order, and the
# result is so short that you can read it.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

from lesson import Lesson
from minireg import Tensor, backend, ops
from minireg.data.strokes import draw_digits
from minireg.gradcheck import gradcheck

lesson = Lesson(8)

# %% [markdown]
# ## Step 1: centring
#
# With n pixels, `a' = a - mean(a)`. (The prime means "centred" here, not a derivative.) This is linear in a: it is a
# matrix P with `1 - 1/n` on the diagonal and `-1/n` everywhere else. The matrix is symmetric, so it is its own adjoint:
# *the VJP of centring is centring*,
#
#     g_a = g - mean(g)
#
# And to centre twice is to centre once, because the second mean is 0. A symmetric matrix with P P = P is a
# **projection**. This one leaves an image as it is if its pixels add up to 0. It makes any other image into such a one,
# by taking off the mean.


# %%
def centre(x):
    return x - np.mean(x)


rng = np.random.default_rng(8)
a, b, g, d = rng.random((4, 6, 5))  # two images without symmetry, a cotangent, a direction
assert math.isclose(np.sum(centre(a) * g), np.sum(a * centre(g)), rel_tol=1e-12)  # the adjoint test of lesson 6
assert np.allclose(centre(centre(a)), centre(a)) and abs(np.sum(centre(a))) < 1e-12

# %% [markdown]
# ## Step 2: the quotient
#
# Take a' and b' for two vectors with n entries each. With the scalar products `saa = sum a'^2`, `sbb = sum b'^2` and
# `sab = sum a' b'`,
#
#     y = sab / sqrt(saa sbb)
#
# is the cosine of the angle between them. How does it change with a'? The derivative of sab is b', that of saa is `2
# a'`, and sbb does not depend on a'. So the derivative of `1 / sqrt(saa)` is `-1/2 (2 a') / (saa sqrt(saa))`, in which
# the 2 cancels. `1 / sqrt(sbb)` stays as a factor, and the rule for products gives
#
#     dy/da' = b' / sqrt(saa sbb) - sab a' / (saa sqrt(saa sbb))
#
# The second term contains `sab / sqrt(saa sbb)`, which is y. Put it in, and multiply with the cotangent g of y, a
# single number:
#
#     g_a' = g (b' / sqrt(saa sbb) - y a' / saa)
#
# ## Step 3: back through the centring
#
# By step 1, g_a = g_a' - mean(g_a'). But a' and b' add up to 0, so g_a' adds up to 0 already, its mean is 0, and there
# is nothing to take off. *The derivative of the mean adds nothing*, and g_a = g_a'.


# %%
def ncc(a, b):
    a_c, b_c = centre(a), centre(b)  # a' and b'
    return np.sum(a_c * b_c) / math.sqrt(np.sum(a_c**2) * np.sum(b_c**2))


def vjp_a(g, a, b):
    a_c, b_c = centre(a), centre(b)
    saa, sbb, sab = np.sum(a_c * a_c), np.sum(b_c * b_c), np.sum(a_c * b_c)
    y = sab / math.sqrt(saa * sbb)
    return g * (b_c / math.sqrt(saa * sbb) - y * a_c / saa)


g_a, h = vjp_a(1.7, a, b), 1e-6
quotient = 1.7 * (ncc(a + h * d, b) - ncc(a - h * d, b)) / (2 * h)
print(f"along a random direction: VJP {np.sum(g_a * d):.6f}, difference quotient {quotient:.6f}")
assert math.isclose(np.sum(g_a * d), quotient, rel_tol=1e-6)

# %% [markdown]
# NCC does not care which image comes first, so the gradient with respect to b is the same formula with the two
# exchanged.
#
# ## What the gradient cannot say
#
# NCC stays as it is if a becomes brighter everywhere, a + k. So along the image of ones its derivative is zero: the sum
# of g_a is 0. And NCC stays as it is if a gets more contrast, k a with k > 0. So along a itself its derivative is zero
# too: the sum of g_a a is 0. You could have known both without the formula. What a function does not see, its gradient
# must not contain.
#
# As a vector (in the figure below), g_a stands at a right angle to a', and it lies in the plane of a' and b'. For g > 0
# it lies on the side of b': it turns a' towards b'. (For the loss 1 - NCC, g is -1 and g_a turns a' away from b'; the
# step downhill, *against* g_a, turns it towards b'.) How long is it? Write it as
#
#     g_a = g / sqrt(saa) (b' / sqrt(sbb) - y a' / sqrt(saa))
#
# In the brackets, a vector of length 1 loses its shadow on a', which is as long as the cosine y. What remains is as
# long as the sine of the angle:
#
#     length of g_a = |g| sqrt(1 - y^2) / sqrt(saa)
#
# - Near y = 1 the gradient fades away, as it should: you have arrived.
# - Near y = -1 it fades as well. For the negative of an image NCC cannot tell which way is better.
# - An image with half the contrast has twice the gradient at every pixel. This is the price for not seeing contrast:
#   in a nearly constant image the tiniest change turns the vector a' around.

# %%
y = ncc(a, b)
for g in (1.7, -1.0):
    g_a = vjp_a(g, a, b)
    assert abs(np.sum(g_a)) < 1e-12 and abs(np.sum(g_a * a)) < 1e-12
    assert math.isclose(np.linalg.norm(g_a), abs(g) * math.sqrt(1 - y**2) / np.linalg.norm(centre(a)), rel_tol=1e-9)
    assert np.sign(np.sum(g_a * centre(b))) == np.sign(g)  # on the side of b' for g > 0
    assert np.allclose(vjp_a(g, 0.5 * a, b), 2 * g_a)
assert np.abs(vjp_a(1.7, a, 2 * a + 3)).max() < 1e-9 and np.abs(vjp_a(1.7, a, -a)).max() < 1e-9

# %% tags=["hide-input"]
unit = lambda x: x / np.linalg.norm(x)
axis_a, axis_across = unit(centre(a)), unit(vjp_a(1.0, a, b))
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
angles = np.linspace(0, 2 * np.pi, 200)
left.plot(np.cos(angles), np.sin(angles), color="lightgrey")
for x, name, colour in (centre(a), "a'", "tab:blue"), (centre(b), "b'", "tab:orange"):
    tip = np.sum(unit(x) * axis_a), np.sum(unit(x) * axis_across)
    left.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2})
    left.text(1.12 * tip[0], 1.12 * tip[1], name, color=colour, ha="center", va="center", fontsize=13)
left.annotate("", (1, 0.6), (1, 0), arrowprops={"arrowstyle": "-|>", "color": "tab:red", "linewidth": 2})
left.text(1.05, 0.35, "g_a", color="tab:red", fontsize=13)
left.set(aspect="equal", xlim=(-1.35, 1.35), ylim=(-1.2, 1.2), xticks=[], yticks=[])
left.set_title("For g > 0, g_a turns a' towards b' (at length 1)")
blends, lengths = [], []
for angle in np.linspace(0, np.pi, 61):
    blend = math.cos(angle) * axis_a + math.sin(angle) * axis_across  # at this angle to a', and as long
    blends.append(ncc(axis_a, blend))
    lengths.append(np.linalg.norm(vjp_a(1.0, axis_a, blend)))
right.plot(blends, lengths, color="tab:red")
right.set(xlabel="y = NCC(a, b)", ylabel="length of g_a", title="Least where the images agree, or are negatives")
lesson.save(figure, "angle")

# %% [markdown]
# ## What it asks of every pixel
#
# Two handwritten threes, the second light grey on grey: its ink is at .8 and its paper at .5. Let a be the first and b
# the second, and compare what the two losses of lesson 3 ask of a. Downhill, that is the direction `b - a` for the MSE,
# and for the loss `1 - NCC` the direction of the gradient of NCC.

# %%
a, other = draw_digits([3, 3], np.random.default_rng(9))[..., 0].astype(float)
b = 0.3 * other + 0.5
mse_asks, ncc_asks = b - a, vjp_a(1.0, a, b)
assert np.allclose(ncc_asks, vjp_a(1.0, a, other))
paper, only_a, only_b = (a == 0) & (other == 0), (a > 0.5) & (other == 0), (a == 0) & (other > 0.5)
assert np.all(mse_asks[paper] > 0.4) and np.all(mse_asks[a == 1] <= -0.19)
assert np.all(ncc_asks[only_a] < 0) and np.all(ncc_asks[only_b] > 0)
assert np.abs(ncc_asks[paper]).max() < 0.2 * ncc_asks[only_b].min()
both = (a > 0.95) & (other > 0.95)
share = np.mean(ncc_asks[both]) / np.mean(ncc_asks[only_b])
print(f"y {ncc(a, b):.2f}; where both have ink, NCC asks for {share:.2f} of what it asks where only b has it")
assert np.all(ncc_asks[both] > 0) and 0.4 < share < 0.6 and abs(ncc(a, b) - 0.53) < 0.01

# %% [markdown]
# The MSE wants another brightness: it asks for lighter paper and for darker ink even where the two digits agree. For
# NCC, b and the b of full contrast are the same, and so is its answer. It asks for ink where only b has it, for no ink
# where only a has it, and for next to nothing on the paper of both. Where both have ink it asks for still more, half as
# much as where only b has it. For y is only .53, so the formula takes off just .53 of what a' has there already. As y
# nears 1, this fades.

# %% tags=["hide-input"]
figure, panels = plt.subplots(1, 4, figsize=(9, 2.9), layout="constrained")
for axes, image, name in (panels[0], a, "a"), (panels[1], b, "b = 0.3 x another + 0.5"):
    axes.imshow(image, cmap="gray", vmin=0, vmax=1)
    axes.set_title(name, fontsize=11)
for axes, image, name in (panels[2], mse_asks, "the MSE asks"), (panels[3], ncc_asks, "NCC asks"):
    limit = np.abs(image).max()
    axes.imshow(image, cmap="RdBu", vmin=-limit, vmax=limit)
    axes.set_title(name, fontsize=11)
for axes in panels:
    axes.set(xticks=[], yticks=[])
figure.suptitle("How should every pixel of a change? Blue: brighter, red: darker")
lesson.save(figure, "asks")

# %% [markdown]
# ## Break it
#
# **Far from zero.** Textbooks give another formula for the sums, which needs no centring: the mean of the squares minus
# the square of the mean, saa/n = mean(a^2) - mean(a)^2. On paper it is the same. In float32 it is not. Some images have
# intensities around 1,000. Their squares are around 1,000,000, and there float32 knows only the multiples of 1/16. The
# variance of this digit, .086, lies between two of them (and both means have been rounded, too).


# %%
def variance_of_a_textbook(x):
    return np.mean(x * x) - np.mean(x) ** 2


def variance_centred(x):
    return np.mean(centre(x) ** 2)


for offset in (0, 10, 100, 1000, 10000):
    moved_up = (a + offset).astype(np.float32)
    print(f"offset {offset:>6}: {variance_of_a_textbook(moved_up):.6f}, centred {variance_centred(moved_up):.6f}")
    assert abs(variance_centred(moved_up) - np.var(a)) < 1e-3
assert variance_of_a_textbook(moved_up) <= 0  # around 10,000 nothing is left
moved_up = (a + 1000).astype(np.float32)
assert 0.08 < np.var(a) < 0.09
sixteenths = 16 * float(variance_of_a_textbook(moved_up))
assert sixteenths == round(sixteenths) and abs(sixteenths / 16 - np.var(a)) > 0.01

# %% [markdown]
# An offset does not change a variance, but the textbook's formula loses it. Where such a difference comes out as 0, as
# it does around 10,000, NCC is infinite or not a number; where it comes out negative, the root fails. Taking the mean
# off *before* squaring keeps the digits.
#
# **Nothing to compare.** In a constant image all of a' is 0, and y is 0/0. In lesson 3 you saw that `ops.ncc` says 0
# there. The gradient divides by 0 as well, and for it, too, somebody has to decide: the project returns 0 for every
# pixel of both images. So one empty image does not fill the gradients of a whole batch with "not a number".

# %%
constant = centre(np.ones((6, 5)))
with np.errstate(invalid="ignore"):
    assert not constant.any() and np.isnan(np.sum(constant * d) / np.sqrt(np.sum(constant**2)))

images = np.stack([a, other, np.full((28, 28), 0.5)])[..., None]  # (3, 28, 28, 1); the third is constant
others = np.stack([b, a, b])[..., None]
images_tensor, others_tensor = (Tensor(backend.to_device(x), requires_grad=True) for x in (images, others))
y = ops.ncc(images_tensor, others_tensor)  # one number per pair
g = np.array([1.0, -2.0, 0.5])
y.backward(backend.to_device(g))
for k in range(2):
    assert math.isclose(backend.to_host(y.data)[k], ncc(images[k], others[k]), rel_tol=1e-9)
    assert np.allclose(backend.to_host(images_tensor.grad)[k], vjp_a(g[k], images[k], others[k]))
    assert np.allclose(backend.to_host(others_tensor.grad)[k], vjp_a(g[k], others[k], images[k]))
assert backend.to_host(y.data)[2] == 0  # the constant image, and its partner:
assert not backend.to_host(images_tensor.grad)[2].any() and not backend.to_host(others_tensor.grad)[2].any()
gradcheck(ops.ncc, *rng.random((2, 3, 6, 5, 1)))

# %% [markdown]
# `ops.ncc` in `minireg/ops/similarity.py` gives one number for every pair of a batch, and the gradients that you have
# derived, each image with its own sums.
#
# ## All together: a registration
#
# Now chain the two gradients of lessons 7 and 8. The moving image is a three. The fixed image is the same three, 3 rows
# further up and 2 columns further right, and light grey on grey as above: only a loss that does not see brightness and
# contrast can be 0. One displacement for all pixels, the `translation`:
#
#     translation  ->  warped = warp(moving, translation)  ->  y = NCC(warped, fixed)  ->  L = 1 - y
#
# Backwards, from the right: the cotangent of y is -1; steps 2 and 3 above give g_warped; lesson 7 turns it into g_u,
# two numbers for every pixel. All pixels have the same displacement, so a change of the translation changes all of
# them: the derivatives add up.
#
# For a translation s and t are the same at all pixels, so the four neighbours are four shifted images.


# %%
def read_at(moving, translation):
    """The warped image and its derivatives along rows and columns: lesson 7, for all pixels at once."""
    (i, j), (s, t) = np.floor(translation).astype(int), translation % 1
    padded = np.pad(moving, 28)
    V = [[padded[28 + row : 56 + row, 28 + column : 56 + column] for column in (j, j + 1)] for row in (i, i + 1)]
    warped = (1 - s) * ((1 - t) * V[0][0] + t * V[0][1]) + s * ((1 - t) * V[1][0] + t * V[1][1])
    along_rows = (1 - t) * (V[1][0] - V[0][0]) + t * (V[1][1] - V[0][1])
    along_columns = (1 - s) * (V[0][1] - V[0][0]) + s * (V[1][1] - V[1][0])
    return warped, along_rows, along_columns


def ncc_loss(warped, fixed):
    return 1 - ncc(warped, fixed), vjp_a(-1.0, warped, fixed)


def mse_loss(warped, fixed):
    return np.mean((warped - fixed) ** 2), 2 * (warped - fixed) / warped.size


def gradient(loss, moving, translation):
    warped, along_rows, along_columns = read_at(moving, translation)
    _, g_warped = loss(warped, fixed)
    return np.array([np.sum(g_warped * along_rows), np.sum(g_warped * along_columns)])


def descend(loss, step):
    path = [np.zeros(2)]
    for _ in range(100):
        path.append(path[-1] - step * gradient(loss, moving, path[-1]))
    return np.array(path)


# %% [markdown]
# How long a step? Lesson 4 took 40 for the MSE. Here the descent then jumps to and fro over its goal; 15 is short
# enough. For NCC, remember lesson 3: 1 - NCC is half the MSE of the standardised images. Standardising divides the MSE
# by the variance of the digit, .095. So the landscape of 1 - NCC is `1 / (2 * .095)`, or 5 times, as high, and a step
# of 15 / 5 = 3 will do.

# %%
moving, truth = draw_digits([3], np.random.default_rng(0))[0, ..., 0].astype(float), np.array([3.0, -2.0])
fixed = read_at(moving, truth)[0]  # equal brightness: the MSE of lesson 4 finds it
assert np.abs(descend(mse_loss, 15.0)[-1] - truth).max() < 0.05
assert np.abs(descend(mse_loss, 40.0)[50:] - truth).max() > 1  # still far away now and then
assert math.isclose(np.var(moving), 0.095, abs_tol=0.001)
assert math.isclose(ncc_loss(moving, fixed)[0], mse_loss(moving, fixed)[0] / (2 * np.var(moving)), rel_tol=1e-9)
fixed = 0.3 * fixed + 0.5
path_mse, path_ncc = descend(mse_loss, 15.0), descend(ncc_loss, 3.0)
print(f"true {truth}, found with the MSE {path_mse[-1].round(3)}, with NCC {path_ncc[-1].round(3)}")
assert np.abs(path_ncc[-1] - truth).max() < 0.01
assert np.linalg.norm(path_mse[-1]) < 1 and np.all(path_mse[-1] % 1 > 0.1) and np.all(path_mse[-1] % 1 < 0.9)
assert np.allclose(gradient(ncc_loss, 0.5 * moving, np.zeros(2)), gradient(ncc_loss, moving, np.zeros(2)))
mse_at = lambda t: mse_loss(read_at(moving, np.array(t) - 4.0)[0], fixed)[0]
for i, j in np.ndindex(8, 8):  # a pit in every cell: its middle is lower than all four corners
    assert mse_at((i + 0.5, j + 0.5)) < min(mse_at(t) for t in ((i, j), (i, j + 1), (i + 1, j), (i + 1, j + 1)))
at_truth, half_a_pixel_off = (mse_loss(read_at(moving, truth + k)[0], fixed)[0] for k in (0, 0.5))
assert half_a_pixel_off < at_truth and at_truth > 0.2

# %% [markdown]
# NCC arrives. The MSE, which finds the way where both images are equally bright, stops after less than a pixel,
# *between* the pixels. You know such pits from lesson 4: interpolation blurs, and a blurred stroke is weaker. There
# they lay where the digits do not match. Here the ink of the moving image is too bright everywhere and the paper beside
# it too dark, so every blur pays, even at the true translation: half a pixel beside it, the MSE is lower. In the
# picture below its landscape is a lattice of pits, one pixel wide.
#
# And half the contrast? For a moving image of half the contrast g_warped is twice as large, as you saw above. But the
# slopes of the image are half as large, so the gradient of the translation stays what it was.

# %% tags=["hide-input"]
offsets = np.arange(-5, 5.01, 0.25)
landscapes = {}
for loss in (mse_loss, ncc_loss):
    values = [[loss(read_at(moving, np.array([r, c]))[0], fixed)[0] for c in offsets] for r in offsets]
    landscapes[loss] = np.array(values)
assert abs(ncc_loss(read_at(moving, truth)[0], fixed)[0]) < 1e-12
lowest = offsets[np.array(np.unravel_index(landscapes[ncc_loss].argmin(), landscapes[ncc_loss].shape))]
assert np.array_equal(lowest, truth)

figure, panels = plt.subplots(2, 2, figsize=(8, 8), layout="constrained")
for axes, image, name in (panels[0, 0], moving, "moving"), (panels[0, 1], fixed, "fixed"):
    axes.imshow(image, cmap="gray", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[], title=name)
for axes, loss, path, name in (panels[1, 0], mse_loss, path_mse, "MSE"), (panels[1, 1], ncc_loss, path_ncc, "1 - NCC"):
    axes.contourf(offsets, offsets, landscapes[loss], levels=25, cmap="viridis")
    axes.plot(*truth[::-1], "x", color="tab:red", markersize=11, markeredgewidth=2.5, label="true translation")
    axes.plot(path[:, 1], path[:, 0], ".-", color="white", markersize=5, linewidth=1.2)
    axes.plot(0, 0, "s", color="white", markersize=6, label="start")
    axes.plot(*path[-1, ::-1], "o", color="tab:orange", markeredgecolor="white", markersize=7, label="end of the path")
    axes.set(aspect="equal", xlabel="columns", ylabel="rows", title=name)
    axes.invert_yaxis()
panels[1, 0].legend(loc="upper left", facecolor="grey", labelcolor="white")
figure.suptitle("Dark is low. Of the two descents only that with 1 - NCC ends at the true translation")
lesson.save(figure, "registration")

# %% [markdown]
# ## The same with the project
#
# The engine walks back through `ops.ncc` and `ops.warp` and adds up over the pixels, because the translation has been
# broadcast to all of them.

# %%
moving_device, fixed_device = (backend.to_device(image[None, ..., None]) for image in (moving, fixed))
no_displacement = backend.to_device(np.zeros((1, 28, 28, 2)))
path = [np.zeros(2)]
for _ in range(100):
    translation = Tensor(backend.to_device(path[-1]), requires_grad=True)
    loss = 1 - ops.ncc(ops.warp(moving_device, no_displacement + translation), fixed_device).mean()
    loss.backward()
    path.append(path[-1] - 3.0 * backend.to_host(translation.grad))
print(f"the first step by hand {path_ncc[1].round(4)}, with the engine {path[1].round(4)}")
assert np.allclose(path[1], path_ncc[1], rtol=1e-6) and np.allclose(path[-1], path_ncc[-1], atol=0.01)

# %% [markdown]
# ## What you know now
#
# - Centring is a symmetric projection, so it is its own VJP, and the derivative of the mean adds nothing to the
#   gradient of NCC: g_a = g (b' / sqrt(saa sbb) - y a' / saa).
# - The gradient is orthogonal to constants and to the image, because NCC does not see brightness and contrast. For
#   g > 0 it turns a' towards b', and its length is |g| sqrt(1 - y^2) / sqrt(saa).
# - Centre before you square. A constant image has no NCC, and somebody has to say what is returned.
# - Gradients chain: the cotangent of one step is what the step behind it hands back.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_08.py` and run `python -m lessons.check 08` from the top folder.
#
# 1. `vjp_ncc_b`: the gradient with respect to the second image, for a batch.
# 2. `vjp_centre_inside`: the VJP of centring with the mean over a mask. It is no longer its own adjoint.
# 3. `gradient_of_rotation`: from g_u to the derivative with respect to one angle.
#
# ## The end of part one
#
# You have now built by hand all that a registration needs: sampling, a loss, their gradients, an engine that chains
# them, and tests that you can trust. Part two builds on it: a displacement for every pixel, and what keeps it from
# tearing (lesson 9); convolutions and a network that predicts the displacement in one go (10, 11); the experiment of
# 2020, what its numbers hide, and how to mend it (12, 13); velocity fields, big motions, other intensities (14 to 16);
# honest evaluation, the GPU and a classifier (17 to 19).
#
# Next: [part two](README.md#part-two-not-written-yet) is not written yet; its table says what to read meanwhile.

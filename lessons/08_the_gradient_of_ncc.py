# %% [markdown]
# # 8. The hand-derived gradient of NCC
#
# - **You need**: lesson 3 ([NCC](../docs/glossary.md#ncc)), lesson 6 (difference quotients) and lesson 7 (the gradient
#   of warping); scalar products of vectors.
# - **You will know**: how to derive the gradient of NCC; what it asks of every pixel, and what it cannot ask; where
#   rounding ruins it; how two gradients chain, and bend a digit.
# - **Time**: reading 25 minutes, running under 10 seconds.
#
# Below are two handwritten digits. The second was scanned badly: grey ink on grey paper. At the end of this lesson you
# bend the first towards the second, with nothing but gradients that you have derived by hand. The missing one is that
# of the loss: **what should it ask of every pixel?**

# %%
import math

import numpy as np

import pictures
from lesson import Lesson, claim
from minireg import Tensor, backend, ops, viz
from minireg.data.strokes import draw_digits
from minireg.fields import corner_determinants
from minireg.gradcheck import gradcheck

lesson = Lesson(8)
seed = lesson.knob("seed", 0, (1, 2, 4), "other handwritings, some harder to bend")
digit = lesson.knob("digit", 2, (3, 5, 7), "another digit")
blur = lesson.knob("blur", 3.0, (0.5, 1.0, 5.0), "pixels; less of it tears the field")

# %% tags=["hide-input"]
rng = np.random.default_rng(seed)
moving, shape = draw_digits([digit, digit], rng)[..., 0].astype(float)
fixed = 0.3 * shape + 0.5
asks = {"cmap": "RdBu", "vmin": -1, "vmax": 1}
figure, axes = pictures.panels(3)
pictures.show(axes[0], moving, "moving")
pictures.show(axes[1], fixed, "fixed")
pictures.show(axes[2], fixed - moving, "what the MSE asks of moving", **asks)
lesson.save(figure, "pair")

# %% [markdown]
# Blue pixels should become brighter, red ones darker. The [MSE](../docs/glossary.md#mse) asks for another scan: lighter
# paper everywhere, and darker ink even where both digits agree. Most of what it asks has nothing to do with the digit.
#
# NCC, the normalised cross-correlation of lesson 3, does not see brightness and contrast. So what does it ask? Every
# pixel enters it in several places, and the formula looks long. Begin with three pixels.
#
# ## By hand
#
#     a  = (0, 0, 3)          mean 1          a' = (-1, -1, 2)
#     b  = (1, 2, 3)          mean 2          b' = (-1,  0, 1)
#
# The prime means that the mean is taken off; in the code it is `centre(a)`. Then multiply and add up, three times:
#
#     saa = sum(a' * a') = 6       sbb = sum(b' * b') = 2       sab = sum(a' * b') = 3
#     y   = sab / sqrt(saa * sbb) = 3 / sqrt(12) = .866
#
# **Before you run the next cell: what do you expect?** Each pixel of a, one after the other, becomes a little brighter.
# For which does y grow, so that a resembles b more?


# %%
def centre(x):
    return x - np.mean(x)


def ncc(a, b):
    saa = np.sum(centre(a) * centre(a))
    sbb = np.sum(centre(b) * centre(b))
    return np.sum(centre(a) * centre(b)) / math.sqrt(saa * sbb)


def quotient(f, x, direction, h=1e-6):
    return (f(x + h * direction) - f(x - h * direction)) / (2 * h)


a = np.array([0.0, 0.0, 3.0])
b = np.array([1.0, 2.0, 3.0])
print(f"y = {ncc(a, b):.3f}")
for pixel, direction in enumerate(np.eye(3)):
    change = quotient(lambda a: ncc(a, b), a, direction)
    print(f"pixel {pixel} brighter: y changes by {change:+.3f} per unit")

# %% [markdown]
# <details><summary>The answer</summary>
#
# The middle pixel should become brighter and the first one darker, by the same amount: b climbs steadily, and a does
# not yet. Of the last pixel, the brightest of both, NCC asks nothing: there two terms cancel, as you will see.
#
# </details>
#
# Add up the three changes: 0. Of course: brighten all pixels alike, and NCC does not see it. *What a function does not
# see, its gradient cannot contain.*
#
# ## The formula
#
# Two small steps, each with its [VJP](../docs/glossary.md#vjp).
#
# **Centring.** If one pixel grows by 1, the mean grows by 1/n: the pixel itself keeps 1 - 1/n, and each other one loses
# 1/n. The matrix of these numbers is symmetric, so it is its own [adjoint](../docs/glossary.md#adjoint). The VJP of
# centring is centring: `g - mean(g)`.
#
# **The quotient.** The derivative of sab with respect to a' is b'. That of saa is 2 a', so that of 1 / sqrt(saa) is
# -a' / (saa * sqrt(saa)). The rule for products gives two terms; in the second, sab / sqrt(saa * sbb) is y again:
#
#     g_a = g * (b' / sqrt(saa * sbb) - y * a' / saa)
#
# Now back through the centring, that is, take off the mean. But a' and b' have mean 0, so there is nothing to take off.
# The part that looked long, the derivative of the mean, adds nothing.
#
# With the three pixels: `b' / sqrt(12)` is (-.289, 0, .289), `y * a' / 6` is (-.144, -.144, .289), and the difference
# (-.144, .144, 0). For the last pixel both terms are .289, so nothing is asked of it.


# %%
def vjp_a(g, a, b):
    saa = np.sum(centre(a) * centre(a))
    sbb = np.sum(centre(b) * centre(b))
    y = np.sum(centre(a) * centre(b)) / math.sqrt(saa * sbb)
    return g * (centre(b) / math.sqrt(saa * sbb) - y * centre(a) / saa)


print("the formula says", vjp_a(1.0, a, b).round(3))
direction = rng.standard_normal((28, 28))
by_hand = np.sum(vjp_a(1.0, moving, fixed) * direction)
judge = quotient(lambda x: ncc(x, fixed), moving, direction)
print(f"the digits, a random direction: VJP {by_hand:.6f}, quotient {judge:.6f}")
claim(np.isclose(by_hand, judge, rtol=1e-5), "the formula is right for the digits too")

# %% tags=["hide-input"]
axis_a = centre(a) / np.linalg.norm(centre(a))
axis_across = vjp_a(1.0, a, b) / np.linalg.norm(vjp_a(1.0, a, b))
figure, (panel,) = pictures.panels(1, aspect=0.48, width=5)
for x, name, colour in (centre(a), "a'", "tab:blue"), (centre(b), "b'", "tab:orange"):
    tip = np.array([np.sum(x * axis_a), np.sum(x * axis_across)])
    panel.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2})
    panel.text(tip[0] + 0.12, tip[1], name, color=colour, ha="center", va="center", fontsize=14)
foot, length = np.sum(centre(a) * axis_a), np.linalg.norm(vjp_a(1.0, a, b))
panel.annotate("", (foot, 4 * length), (foot, 0), arrowprops={"arrowstyle": "-|>", "color": "tab:red", "linewidth": 2})
panel.text(foot + 0.1, 2.6 * length, "g_a", color="tab:red", fontsize=14)
angle = np.linspace(0, math.acos(ncc(a, b)), 30)
panel.plot(0.6 * np.cos(angle), 0.6 * np.sin(angle), color="grey", linewidth=1)
panel.text(0.72, 0.16, "y is its cosine", color="grey", va="center")
panel.set(aspect="equal", xlim=(-0.15, 2.9), ylim=(-0.3, 1.35), xticks=[], yticks=[])
panel.set_title("The gradient turns a' towards b' (g_a is drawn 4 times as long)", fontsize=10)
lesson.save(figure, "angle")

# %% [markdown]
# As a vector, g_a stands at a right angle to a'. It only *turns* a' towards b'; to make a' longer would be contrast,
# which NCC does not see either.
#
# ## What it asks of every pixel

# %% tags=["hide-input"]
mse_asks, ncc_asks = fixed - moving, vjp_a(1.0, moving, fixed)
figure, axes = pictures.panels(4)
pictures.show(axes[0], moving, "moving")
pictures.show(axes[1], fixed, "fixed")
pictures.show(axes[2], mse_asks, "the MSE asks", **asks)
pictures.show(axes[3], ncc_asks / np.abs(ncc_asks).max(), "NCC asks", **asks)
lesson.save(figure, "asks")

# %% [markdown]
# NCC has found the shape. It asks for ink where only the fixed digit has it, to take ink away where only the moving
# digit has it, and for next to no change on the paper of both. How much where both have ink? (In the code, `shape` is
# the fixed digit before the bad scan.)

# %%
only_fixed = (moving < 0.05) & (shape > 0.95)
both = (moving > 0.95) & (shape > 0.95)
paper = (moving == 0) & (shape == 0)
wish = ncc_asks / np.mean(ncc_asks[only_fixed])
print(f"ink in the fixed digit only: {np.mean(wish[only_fixed]):.2f}")
print(f"ink in both:                 {np.mean(wish[both]):.2f}")
print(f"paper in both:               {np.mean(wish[paper]):.2f}")
print(f"NCC {ncc(moving, fixed):.2f}")

# %% [markdown]
# Where both have ink, NCC still asks for brighter pixels, but for less than where ink is missing. The second term of
# the formula takes off y times what a' has there already. The nearer y comes to 1, the less is left to ask.
#
# <details><summary>A trap: far from zero</summary>
#
# Textbooks know a shorter way to the sums, without centring: the mean of the squares minus the square of the mean. On
# paper, that is the same. In the next cell, 0 to 10,000 is added to every pixel of the moving digit, in float32:
# numbers with about seven decimal digits. Its variance, about .1, should not change.
#
# Around 1,000 the squares are around 1,000,000, and there the neighbours among the float32 numbers are 1/16 apart. The
# variance drowns in such gaps. At 10,000 the gaps are 8 wide. Then the textbook can only say 0 or a multiple of 8,
# such as -8. No variance is negative: such a number is rounding, and nothing else. So take the mean off *before* you
# square.
#
# (Two numbers go by the name of precision. The gap after 1 is 2^-23; that is NumPy's `eps`. Rounding goes to the nearer
# neighbour, so its relative error is at most half as much, 2^-24.)
#
# </details>
#
# <details><summary>And an image without any contrast?</summary>
#
# Then a' is 0 everywhere, and y is 0/0. Somebody has to decide: the project says that y is 0, and the gradients of both
# images too. So one empty image does not fill the gradients of a whole batch with "not a number".
#
# </details>

# %% tags=["hide-cell"]
print("offset   textbook   centred")
for offset in 0, 10, 100, 1000, 10000:
    x = (moving + offset).astype(np.float32)
    textbook = np.mean(x * x) - np.mean(x) * np.mean(x)
    centred = np.mean(centre(x) * centre(x))
    print(f"{offset:6} {textbook:10.4f} {centred:9.4f}")

# %% tags=["evidence", "hide-cell"]
g_a, y = vjp_a(-1.0, moving, fixed), ncc(moving, fixed)
claim(np.allclose(vjp_a(1.0, a, b), [-0.1443, 0.1443, 0], atol=1e-4), "the gradient of a is (-.144, .144, 0)")
claim(abs(np.sum(g_a)) < 1e-9 and abs(np.sum(g_a * moving)) < 1e-9, "g_a is orthogonal to ones and to the image")
claim(np.allclose(g_a * 0.3, vjp_a(-0.3, moving, shape)), "the bad scan does not change the gradient")
claim(np.all(wish[(moving > 0.5) & (shape == 0)] < 0), "NCC asks to take ink away where only moving has it")
claim(abs(np.mean(wish[paper])) < 0.2, "NCC asks for next to nothing on paper")
claim(0 < np.mean(wish[both]) < 1, "NCC asks for brighter pixels where both have ink, but for less")
claim(np.spacing(np.float32(1e6)) == 1 / 16, "near 1,000,000 the numbers of float32 are 1/16 apart")
claim(np.finfo(np.float32).eps == 2.0**-23, "eps is 2^-23 in float32")
claim(textbook % 8 == 0 and abs(centred - np.var(moving)) < 1e-3, "at 10,000 the textbook knows multiples of 8 only")
claim(np.all(mse_asks[paper] > 0.4) and np.all(mse_asks[both] < -0.1), "the MSE wants paper lighter, ink darker")
claim(np.sum(mse_asks[paper] ** 2) > 0.5 * np.sum(mse_asks**2), "most of what the MSE asks for lies on paper")

# %% [markdown]
# `ops.ncc` of the project computes NCC for a whole [batch](../docs/glossary.md#batch), with both gradients. Does it
# agree with you?

# %% tags=["hide-input"]
images, others = np.stack([moving, shape, np.full((28, 28), 0.5)]), np.stack([fixed, moving, fixed])
tensors = [Tensor(backend.to_device(x[..., None]), requires_grad=True) for x in (images, others)]
values = ops.ncc(*tensors)
values.backward(backend.to_device(np.array([1.0, -2.0, 0.5])))
grads = [backend.to_host(tensor.grad)[..., 0] for tensor in tensors]
claim(np.allclose(grads[0][1], vjp_a(-2.0, shape, moving)), "the engine's gradient of NCC is yours")
claim(
    np.allclose(grads[1][1], vjp_a(-2.0, moving, shape)), "for the second image, yours holds with the images exchanged"
)
without = [backend.to_host(values.data)[2], *grads[0][2].flat, *grads[1][2].flat]
claim(not np.any(without), "without contrast, NCC is 0 and so are both gradients")
gradcheck(ops.ncc, *rng.random((2, 3, 6, 5, 1)))

# %% [markdown]
# ## Both gradients together
#
# Now chain them. u is a displacement for every pixel:
#
#     u  ->  warped = warp(moving, u)  ->  y = NCC(warped, fixed)  ->  L = 1 - y
#
# Backwards, from the right: the cotangent of y is -1. `vjp_a` turns it into g_warped, one number per pixel. Lesson 7
# multiplies that with the slopes of the moving image, and this is g_u. Here is lesson 7 for all pixels at once.


# %%
def warp_with_slopes(moving, u):
    """The warped image, and its slopes along rows and columns."""
    among_zeros = np.pad(moving, 30)
    rows, columns = np.mgrid[30:58, 30:58]
    i = np.floor(rows + u[..., 0]).astype(int)
    j = np.floor(columns + u[..., 1]).astype(int)
    s = rows + u[..., 0] - i
    t = columns + u[..., 1] - j
    above = (1 - t) * among_zeros[i, j] + t * among_zeros[i, j + 1]
    below = (1 - t) * among_zeros[i + 1, j] + t * among_zeros[i + 1, j + 1]
    left = (1 - s) * among_zeros[i, j] + s * among_zeros[i + 1, j]
    right = (1 - s) * among_zeros[i, j + 1] + s * among_zeros[i + 1, j + 1]
    return (1 - s) * above + s * below, np.stack([below - above, right - left], axis=-1)


def loss(u):
    return 1 - ncc(warp_with_slopes(moving, u)[0], fixed)


def gradient(u):
    warped, slopes = warp_with_slopes(moving, u)
    g_warped = vjp_a(-1.0, warped, fixed)
    return g_warped[..., None] * slopes


everywhere = np.full((28, 28, 2), 0.4)
down = quotient(loss, everywhere, np.array([1.0, 0.0]))
right = quotient(loss, everywhere, np.array([0.0, 1.0]))
print("sum of g_u over all pixels", gradient(everywhere).sum(axis=(0, 1)).round(6))
print("difference quotients      ", np.array([down, right]).round(6))
agrees = np.allclose(gradient(everywhere).sum(axis=(0, 1)), [down, right], atol=1e-6)
claim(agrees, "the chain of both gradients is right")

# %% [markdown]
# The judge moved all pixels together, as in lesson 4: a *translation*. If all pixels share one displacement, a change
# of it changes them all, and their derivatives add up.
#
# ## Bend it
#
# One thing is missing. Lesson 7 has shown that pixels on flat paper have no arrow, and that none knows of its
# neighbours. So let neighbours share: before each step, blur the arrows with a Gaussian, weights in the shape of a
# bell. Then go 60 steps; the longest arrow is .3 pixels at first, and shrinks.


# %%
def smooth(field, blur):
    distance = np.subtract.outer(np.arange(28), np.arange(28))
    bell = np.exp(-distance * distance / (2 * blur * blur))
    bell /= np.sum(bell, axis=1, keepdims=True)
    both_axes = [bell @ field[..., axis] @ bell.T for axis in (0, 1)]
    return np.stack(both_axes, axis=-1)


def bend(blur, steps=60):
    path = [np.zeros((28, 28, 2))]
    for step in range(steps):
        arrows = -smooth(gradient(path[-1]), blur)
        longest = 0.3 * (1 - step / steps)
        lengths = np.linalg.norm(arrows, axis=-1)
        path.append(path[-1] + longest * arrows / lengths.max())
    return path


path = bend(blur)
losses = [loss(u) for u in path]
print(f"1 - NCC: {losses[0]:.3f} before, {losses[-1]:.3f} after 60 steps")

# %% tags=["hide-input"]
stages = {
    ("moving" if step == 0 else f"after {step} steps"): warp_with_slopes(moving, path[step])[0]
    for step in (0, 5, 10, 20, 60)
}
figure = pictures.images_in_a_row(stages | {"fixed": fixed})
lesson.save(figure, "stages")

figure, axes = pictures.panels(4, rows=2, width=3.4)
pictures.show(axes[0], moving, "moving, and where every pixel looks", vmax=2)
viz.draw_warped_grid(axes[0], path[-1])
pictures.show(axes[1], warp_with_slopes(moving, path[-1])[0], "bent")
pictures.show(axes[2], fixed, "fixed, at its own brightness")
axes[3].plot(losses, color="tab:blue")
axes[3].set(xlabel="step", ylim=(0, None), box_aspect=1)
axes[3].set_title("1 - NCC", fontsize=10)
axes[3].spines[["top", "right"]].set_visible(False)
lesson.save(figure, "bent")

# %% [markdown]
# A handwritten digit has been bent towards another, and the bad scan did not disturb it. All of it is yours: two
# gradients, a blur, and a loop. That is registration, and it is the result of part one.
#
# The lines show where each row and each column of pixels looks. Where they crowd, a small piece of the moving digit is
# spread over many pixels.
#
# **Before you run the next cell: what do you expect?** Less blur gives every pixel more freedom. Does the match get
# better? And what becomes of the grid? A cell is *[folded](../docs/glossary.md#folding)* where the grid has turned
# over: neighbours have changed places.

# %%
print("blur   1 - NCC   folded cells")
fields = {}
for width in 0.1, 1.0, 3.0, 5.0:
    u = bend(width)[-1]
    folded = np.min(corner_determinants(u[None]), axis=0) <= 0
    print(f"{width:4} {loss(u):9.4f} {np.sum(folded):8}")
    fields[width] = u

# %% tags=["hide-input"]
figure = pictures.fields_over({f"blur {width}": (moving, u) for width, u in fields.items()}, spacing=1)
lesson.save(figure, "blurs")
figure = pictures.images_in_a_row(
    {f"blur {width}": warp_with_slopes(moving, u)[0] for width, u in fields.items()} | {"fixed": fixed}
)
lesson.save(figure, "bent_by_each")

# %% tags=["evidence", "hide-cell"]
count = {width: np.sum(np.min(corner_determinants(u[None]), axis=0) <= 0) for width, u in fields.items()}
claim(losses[-1] < 0.5 * losses[0], f"bending takes off more than half of the loss ({1 - losses[-1] / losses[0]:.0%})")
claim(loss(fields[0.1]) > 2 * loss(fields[1.0]), "with blur 0.1 the loss stays more than twice that of blur 1")
claim(loss(fields[1.0]) < loss(fields[3.0]) < loss(fields[5.0]), "from blur 1 to 3 to 5 the match gets worse")
one, three = (warp_with_slopes(moving, fields[width])[0] for width in (1.0, 3.0))
claim(ncc(one, three) > 0.98, "with blur 1 and 3 the bent digits are alike, with an NCC above .98")
claim(count[0.1] > count[1.0] > 0, "with blur 1 some cells fold, with blur 0.1 more")
claim(count[3.0] == count[5.0] == 0, "with blur 3 and 5 no cell folds")
u = everywhere + rng.uniform(0, 0.3, (28, 28, 2))
tensor = Tensor(backend.to_device(u[None]), requires_grad=True)
pair = [backend.to_device(image[None, ..., None]) for image in (moving, fixed)]
(1 - ops.ncc(ops.warp(pair[0], tensor), pair[1]).mean()).backward()
claim(np.allclose(backend.to_host(tensor.grad)[0], gradient(u)), "the engine's gradient of the whole chain is yours")

# %% [markdown]
# <details><summary>The answer</summary>
#
# With hardly any blur (0.1) each pixel is alone: it slides to the end of its own slope and stops. The grid is torn (red
# cells are folded), and not even the match is good. With a blur of 1 the match is closest, and there are folds. With
# more blur the grid stays whole, and the match is a little worse. (This is so with the knobs as they came. With
# other handwritings another blur may match best. The table and the claims below it tell.)
#
# </details>
#
# Compare blur 1 and blur 3, with the knobs as they came. You can hardly tell the bent digits apart, but you can tell
# the fields. It is lesson 1 again: *a perfect match, a worthless field*. The loss sees only the match. Who speaks for
# the field? And how much smoothness is right?
#
# ## What you know now
#
# - The gradient of NCC: `g * (b' / sqrt(saa * sbb) - y * a' / saa)`. It asks for shape, never for brightness or
#   contrast, because a gradient cannot contain what the function does not see.
# - In the sums, take the mean off before you square.
# - Gradients chain: the cotangent of one operation is what the operation after it hands back.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_08.py` and run `python -m lessons.check 08` from the top folder.
#
# 1. `vjp_ncc_b`: the gradient with respect to the second image, for a whole batch.
# 2. `vjp_centre_inside`: centring with the mean over a mask. It is not its own adjoint any more.
# 3. `gradient_of_rotation`: above, all pixels shared a translation. Now they share one angle.
#
# **A small project**, without a check: bend a three onto an eight, or any digit onto another one. Show the stages and
# the grid side by side. What does the loss say of it, and what do you say?
#
# ## What comes next
#
# You have built by hand all that a registration needs: sampling, a loss, their gradients, an engine that chains them,
# and tests that you can trust. [Lesson 9](09_a_displacement_for_every_pixel.py) takes up the question above: what keeps
# a field from tearing, if nobody blurs it?

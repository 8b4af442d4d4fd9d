# %% [markdown]
# # 6. Is this gradient right?
#
# **You need**: lesson 5 (cotangents, VJPs, the form `(output, (vjp, ...))` of a step) and Taylor's formula,
# which writes `f(x + h)` as `f(x) + h f'(x) + h^2 f''(x) / 2` and so on.
#
# **You will know**
#
# - how far a difference quotient can be trusted, and how to choose its step;
# - how one number tests all derivatives at once, and why its cotangent must be random;
# - the adjoint test, which needs no step at all;
# - how to hunt for a wrong gradient, and read the verdicts of `minireg.gradcheck`.
#
# **Time**: reading 25 minutes, running under 10 seconds.

# %%
import re

import numpy as np

import pictures
from lesson import Lesson, claim
from minireg import ops
from minireg.autograd import REGISTRY, op
from minireg.data.strokes import draw_digits
from minireg.gradcheck import WrongGradient, gradcheck

lesson = Lesson(6)
seed = lesson.knob("seed", 4, (0, 1, 2), "other draws, the same verdicts")
digit = lesson.knob("digit", 7, (2, 3, 8), "another digit")
h = lesson.knob("h", 1e-5, (1e-3, 1e-12), "random nudges: fewer digits agree")

# %% [markdown]
# ## Two gradients, one of them wrong
#
# Take the step that brings an image to the length 1: `y = x / length`, where the length is the root of the sum of all
# squares. Here it is twice, with two different VJPs. The smallest example has two numbers: the length of (3, 4) is 5.


# %%
def unit(x):
    length = np.sqrt((x * x).sum())
    y = x / length
    return y, (lambda g: (g - y * (g * y).sum()) / length,)


def unit_too(x):
    length = np.sqrt((x * x).sum())
    return x / length, (lambda g: g / length,)


x = np.array([3.0, 4.0])
g = np.array([1.0, 0.0])  # how far does y[0] move?
print("y:", unit(x)[0], "and", unit_too(x)[0])
print("VJP:", unit(x)[1][0](g), "and", unit_too(x)[1][0](g))

# %% [markdown]
# Both cannot be right. Does it matter? Let us look for an image `x` whose `y` is a given digit. From the same noise, we
# walk downhill with the one VJP and with the other:


# %% tags=["hide-input"]
def descend(function, cotangent):
    x = noise
    for _ in range(400):
        y, (vjp,) = function(x)
        x = x - 2.0 * vjp(cotangent(y))
    return function(x)[0]


image = draw_digits([digit], np.random.default_rng(seed))[0, :, :, 0].astype(np.float64)
wanted, _ = unit(image)
noise = np.random.default_rng(seed).random((28, 28))
walks = {"noise": unit(noise)[0]}
for function in (unit, unit_too):
    walks[f"with {function.__name__}"] = descend(function, lambda y: 2 * (y - wanted))
figure = pictures.images_in_a_row(walks | {"wanted": wanted}, vmax=wanted.max())
figure.suptitle("400 steps downhill, to the smallest sum of (y - wanted)²")
lesson.save(figure, "two_walks")
ends = [((walks[f"with {function.__name__}"] - wanted) ** 2).sum() for function in (unit, unit_too)]
claim(max(ends) < 1e-3, "with both VJPs the loss ends below a thousandth")

# %% [markdown]
# Both arrive, and nobody would look for a mistake.
#
# A wrong forward can go unnoticed: [lesson 2](02_between_the_pixels.py) told of one. A wrong backward can hide
# even better: the descent works around it. So a gradient has to be tested by itself, against something that knows
# nothing of its formula.
#
# ## Nudge it
#
# If `x[0]` grows, does `y[0]` grow 0.128 or 0.2 times as fast? Try it.

# %%
nudged = np.array([3.001, 4.0])
moved = unit(nudged)[0][0] - unit(x)[0][0]
print(f"x[0] moves by 0.001, y[0] by {moved:.7f}: {moved / 0.001:.6f} times as far")

# %% [markdown]
# So `unit_too` is wrong. It forgets that the length grows, too. But the number is not quite 0.128. Is that our nudge,
# or is `unit` a little wrong as well?
#
# ## How small a step?
#
# Call the step `h`. The *difference quotient* can go to one side, or to both:
#
# $$
# \frac{f(x + h) - f(x)}{h} = f'(x) + \frac{h}{2} f''(x) + \dots
# \qquad
# \frac{f(x + h) - f(x - h)}{2 h} = f'(x) + \frac{h^2}{6} f'''(x) + \dots
# $$
#
# In the second, the *central difference*, the terms with `f''` cancel. What is left is its *truncation error*.


# %%
def central_difference(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


def f(x):
    return 1 / (1 + x * x)


slope = -2 * 0.7 / (1 + 0.7 * 0.7) ** 2  # f' at 0.7, by hand
for step in (0.1, 0.01, 0.001):
    quotient = central_difference(f, 0.7, step)
    print(f"h = {step:<5}  quotient {quotient:.9f}, error {quotient - slope:.1e}")

# %% [markdown]
# A step ten times smaller, an error a hundred times smaller: `h^2`, as the formula says.
#
# **Before you run the next cell: what do you expect?** How does the error go on, down to `h = 1e-15`?


# %% tags=["hide-input"]
def forward_difference(f, x, h):
    return (f(x + h) - f(x)) / h


def errors(quotient, dtype, steps):
    """The relative error of a quotient of f at 0.7, for each step."""
    return np.array([abs(float(quotient(f, dtype(0.7), dtype(step))) / slope - 1) for step in steps])


steps64, steps32 = np.logspace(-1, -15, 57), np.logspace(-1, -7, 25)
central64, central32 = errors(central_difference, np.float64, steps64), errors(central_difference, np.float32, steps32)
figure = pictures.curves({"central, float64": central64}, "step h", "relative error of the quotient", "xy", steps64)
(axes,) = figure.axes
axes.plot(steps64, errors(forward_difference, np.float64, steps64), label="to one side, float64")
axes.plot(steps32, central32, "--", label="central, float32")
axes.text(1e-12, 1e-2, "← rounding", color="0.35")
axes.text(1e-1, 1e-10, "truncation →", color="0.35", ha="right")
axes.set_title("Neither too large nor too small", fontsize=11)
axes.legend(frameon=False, loc="lower left")
lesson.save(figure, "steps")

# %% [markdown]
# <details><summary>Why it turns</summary>
#
# To the left of the valley, the two values of `f` are nearly the same. Most of their digits cancel, and the rounding
# errors of the last ones are divided by a tiny `h`.
#
# Let *eps* be the gap between 1 and the next number: 2^-52 = 2.2e-16 in float64, 2^-23 = 1.2e-7 in float32. A rounded
# number is off by half of it at most, relative to its size. So rounding spoils the quotient by about `eps |f| / h`,
# while truncation spoils it by about `h^2`. Where both are alike, `eps / h = h^2`: near `h = eps^(1/3)`, 6e-6 in
# float64.
#
# One can even see the truncation error without knowing the derivative. With `2 h` it is four times that with `h`. So
# the *gap* between the two quotients is three times the error at `h`.
#
# </details>
#
# The rule: **test in float64, with central differences, with a step near 1e-5.** (float64 holds 16 digits, float32
# holds 7.) Nine digits of our slope are right then. And so is `unit`: its 0.128 was missed only because we had nudged
# to one side, and too far. A wrong formula is wrong in float64, too, so one tests there even what will run in float32.

# %% tags=["evidence", "hide-cell"]
good = (steps64 > 0.9e-6) & (steps64 < 1.1e-5)
claim((central64[good] < 1e-9).all(), "with steps from 1e-6 to 1e-5 nine digits are right in float64")
claim((central32 > 1e-6).all(), "in float32 no step gives more than six right digits")
of_unit = central_difference(lambda first: unit(np.array([first, 4.0]))[0][0], 3.0, 1e-5)
claim(np.isclose(of_unit, 0.128, rtol=1e-9), "nine digits of 0.128, the slope of unit, are right too")
gap = central_difference(f, 0.7, 2e-3) - central_difference(f, 0.7, 1e-3)
error = central_difference(f, 0.7, 1e-3) - slope
claim(np.isclose(gap, 3 * error, rtol=1e-3), "the gap between the two quotients is three times the error at h")
claim(np.finfo(np.float32).eps == 2.0**-23, "eps is 2^-23 in float32")
claim(np.finfo(np.float64).eps == 2.0**-52, "eps is 2^-52 in float64")

# %% [markdown]
# ## All derivatives in one number
#
# An image of 784 pixels makes 784 x 784 derivatives. To nudge one pixel after the other would be tedious. So nudge
# *all at once*, each by its own random amount: in a random direction `d`. And weigh what comes out with a random
# cotangent `g`.


# %%
def two_sides(function, x, g, d, h=1e-5):
    y_moves = central_difference(lambda s: function(x + s * d)[0], 0.0, h)
    _, (vjp,) = function(x)
    return (g * y_moves).sum(), (vjp(g) * d).sum()


rng = np.random.default_rng(seed)
g, d = rng.standard_normal((2, 28, 28))
for function in (unit, unit_too):
    left, right = two_sides(function, image, g, d, h)
    print(f"{function.__name__:<9} difference {left:12.9f}   VJP {right:12.9f}")

# %% [markdown]
# (The knob `h` is the step of this cell.) On the left, two computations of `y` and no derivative. On the right, the
# VJP. Where they part by more than the error of the quotient, it is wrong.
#
# Why should they be the same? Let `J` hold all derivatives, `J[i, j] = dy_i / dx_j`. The nudge `d` moves `y` by `J d`,
# and the VJP claims to be `J^T g`. Both sides are one and the same sum:
#
# $$
# \sum_i g_i (J d)_i = \sum_{i,j} g_i J_{ij} d_j = \sum_j (J^T g)_j d_j
# $$
#
# Every derivative is in it, with a random weight of its own. So an error is seen, unless it is smaller than that of the
# quotient.
#
# But did the wrong one not arrive? As `y` and `wanted` have the length 1, the loss is the same number as
# `2 - 2 sum(y wanted)`. Write it like this, and walk again:

# %% tags=["hide-input"]
walks = {"noise": unit(noise)[0]}
for function in (unit, unit_too):
    walks[f"with {function.__name__}"] = descend(function, lambda y: -2 * wanted)
figure = pictures.images_in_a_row(walks | {"wanted": wanted}, vmax=wanted.max())
figure.suptitle("The same loss, written in another way, and 400 steps downhill")
lesson.save(figure, "two_walks_again")
again = [((walks[f"with {function.__name__}"] - wanted) ** 2).sum() for function in (unit, unit_too)]
print(f"loss after 400 steps: {again[0]:.0e} with unit, {again[1]:.0e} with unit_too")
claim(again[1] > 100 * again[0], "with the loss in this form the wrong VJP is left behind")

# %% [markdown]
# <details><summary>Why it arrived before</summary>
#
# The term that `unit_too` lacks points along `x` itself, and a longer or shorter `x` has the same `y`. So `x` still
# turns the right way. The first form of the loss makes it shorter, and a shorter image turns faster. The second form
# makes it longer and longer, and it turns ever more slowly.
#
# </details>
#
# <details><summary>One trap</summary>
#
# The terms of both sums have two signs. They may nearly cancel by chance. Then two small numbers are compared, and only
# the errors of large terms are left in them. So draw more than once, or compare with the sum of the absolute values of
# the terms. And a function whose values are in the millions has larger errors: a tolerance must be relative.
#
# </details>
#
# ## Why random?
#
# There is a test that looks simpler: compute `y.sum()`, call `backward`, compare with differences. That is a cotangent
# of ones. Here are three wrong VJPs to try it on:

# %%
mix = lambda x: 0.7 * x + 0.3 * np.roll(x, 1, axis=1)  # with the neighbour to the left


def transposed(x):
    return x.T, (lambda g: g.reshape(x.shape),)  # wrong: the right shape, wrong places


def softmax(x):
    e = np.exp(x)  # positive numbers that add up to 1
    return e / e.sum(), (lambda g: 0 * x,)  # wrong: no derivative at all


def mixed(x):
    return mix(x), (mix,)  # wrong: back means to the other side


print(transposed(np.array([[1, 2, 3], [4, 5, 6]]))[0])

# %% [markdown]
# **Before you run the next cell: what do you expect?** Which of the three pass with ones, and which with random `g`?

# %%
part = image[:20]  # 20 rows, 28 columns
for function in (transposed, softmax, mixed):
    shape = function(part)[0].shape
    d = rng.standard_normal(part.shape)
    for name, g in (("ones", np.ones(shape)), ("random", rng.standard_normal(shape))):
        left, right = np.round(two_sides(function, part, g, d), 6) + 0.0  # no -0
        words = "passes" if abs(left - right) < 1e-5 else "fails"
        print(f"{function.__name__:<11} {name:<7} {left:9.4f} {right:9.4f}  {words}")

# %% tags=["hide-input"]
narrow = image[2:26, 4:24]
figure, panels = pictures.panels(6, aspect=1.1, rows=2, width=2.2)
for row, (words, g) in enumerate((("ones", np.ones((24, 20))), ("a digit", narrow))):
    images = {f"cotangent: {words}": g, "right: transposed": g.T, "wrong: reshaped": g.reshape(20, 24)}
    for axes, (title, picture) in zip(panels[3 * row :], images.items(), strict=False):
        pictures.show(axes, picture, title, vmax=1.2)
lesson.save(figure, "ones")

# %% [markdown]
# <details><summary>Why all three pass with ones</summary>
#
# Transposed or reshaped, ones are ones: nobody sees that they went to wrong places. The outputs of a softmax add up to
# 1 whatever `x` is, so the derivative of their sum *is* zero. And ones mixed with any neighbour are ones. With a random
# `g` no two places are alike, and all three fail at once.
#
# </details>
#
# ## A test without a step
#
# Many steps on images are *linear*: every output is a sum of inputs with fixed weights. Blurring is, and halving an
# image by the means of 2 x 2 pixels. In the halving, each pixel goes into one mean with the weight 1/4. So the VJP
# gives it back a quarter:


# %%
def halve(x):
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4


def halve_adjoint(g):
    return np.repeat(np.repeat(g, 2, axis=0), 2, axis=1) / 4


g = rng.standard_normal((14, 14))
print("sum of A x times g:", (halve(image) * g).sum())
print("sum of x times A* g:", (image * halve_adjoint(g)).sum())

# %% [markdown]
# The same, to rounding. Nothing was nudged, so there is no step to choose. Write `A x` for a linear step and `<p, q>`
# for the sum of all products. The VJP of `A` is called its [adjoint](../docs/glossary.md#adjoint), `A*`, and
#
# $$
# \langle A x, g \rangle = \langle x, A^{*} g \rangle \qquad \text{for all } x \text{ and } g
# $$

# %% tags=["hide-input"]
small = halve(image)
images = {"x": image, "halved: A x": small, "its adjoint: A* A x": halve_adjoint(small)}
figure = pictures.images_in_a_row(images)
lesson.save(figure, "adjoint")

# %% [markdown]
# The adjoint leads back to the size of `x`. But it is no inverse: the picture is coarse, and four times too dark.
#
# And a step with a constant in it, such as `f(x) = halve(x) + 0.3`? It is called *affine*. Its VJP is the same, for a
# constant does not move. The test must take the constant off first: `<f(x) - f(0), g> = <x, A* g>`.


# %%
def halve_and_brighten(x):
    return halve(x) + 0.3


constant = halve_and_brighten(0 * image)
right = (image * halve_adjoint(g)).sum()
for words, y in (("as it is", 0), ("constant off", constant)):
    left = ((halve_and_brighten(image) - y) * g).sum()
    print(f"{words:<13} {left:10.6f}   adjoint {right:10.6f}")

# %% [markdown]
# ## Kinks
#
# One thing makes a *right* VJP fail: a [kink](../docs/glossary.md#kink).

# %% tags=["hide-input"]
ramp = lambda x: np.maximum(x, 0.0)
places = np.linspace(-0.3, 0.3, 601)
lines = {"the slope of max(x, 0)": (places > 0) * 1.0, "central difference": central_difference(ramp, places, 0.1)}
figure = pictures.curves(lines, "x", "slope", x=places)
figure.axes[0].set_title("Closer to the kink than h = 0.1, the quotient mixes both slopes", fontsize=10)
lesson.save(figure, "kink")

# %% [markdown]
# So keep the inputs of a test away from kinks, by much more than `h`. The next lesson is full of them: bilinear
# interpolation can have one at every pixel.
#
# ## A bug hunt
#
# Six steps on rows of numbers. Some of the VJPs are wrong.


# %%
def cube(x):
    return x * x * x, (lambda g: g * 3 * x * x,)


def reciprocal(x):
    return 1 / x, (lambda g: g / (x * x),)


def centred(x):
    return x - x.mean(), (lambda g: g - g.mean(),)


def shares(x):
    return x / x.sum(), (lambda g: g / x.sum(),)


def times_reversed(x):
    return x * x[::-1], (lambda g: 2 * g * x[::-1],)


def reversed_row(x):
    return x[::-1], (lambda g: g[::-1],)


SUSPECTS = (cube, reciprocal, centred, shares, times_reversed, reversed_row)
for function in SUSPECTS:
    print(f"{function.__name__:<15}", function(np.array([1.0, 2.0, 4.0]))[0].round(2))

# %% [markdown]
# **Before you run the next cell: what do you expect?** Decide which are wrong. A pencil helps.

# %% tags=["hide-input"]
row = rng.uniform(0.5, 2.0, 9)
wrong = {}
figure, panels = pictures.panels(6, rows=2)
for axes, function in zip(panels, SUSPECTS, strict=True):
    left, right = np.transpose([two_sides(function, row, *rng.standard_normal((2, 9))) for _ in range(40)])
    wrong[function] = np.abs(left - right).max() > 1e-6 * np.abs(left).max()
    reach = 1.1 * max(np.abs(left).max(), np.abs(right).max())
    axes.plot([-reach, reach], [-reach, reach], color="0.7", zorder=0)
    axes.plot(left, right, ".", color="tab:red" if wrong[function] else "tab:green")
    axes.set_title(f"{function.__name__}: {'wrong' if wrong[function] else 'right'}", fontsize=10)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[0], yticks=[0], aspect="equal")
figure.supxlabel("from the difference", fontsize=10)
figure.supylabel("from the VJP", fontsize=10)
lesson.save(figure, "bug_hunt")

# %% [markdown]
# Each point is one draw of `g` and `d`. A right VJP keeps to the diagonal. Compare with your list.
#
# <details><summary>What is wrong with the three</summary>
#
# - `reciprocal` has the wrong sign: `1 / x` falls where `x` grows.
# - `shares` forgets that the total depends on `x`, too.
# - `times_reversed`: the element `j` goes into two outputs, `j` and `8 - j`, which have different cotangents. With ones
#   it would pass.
# - And `centred` is right. Every output contains the mean of `x`, so every `g` sends a share to every pixel.
#
# </details>
#
# The project has such a hunter: `minireg.gradcheck`. It tries several steps, draws several times, uses the adjoint test
# where you say that a step is linear, and guesses what is wrong.
# ([All of it](../docs/verification.md).) Here are its verdicts:


# %%
def verdict(function, x):
    try:
        gradcheck(op(function), x)
    except WrongGradient as error:
        _, _, fits = str(error).partition("What fits: ")
        return "wrong: " + re.split(r"[:.(]", fits)[0].strip()
    finally:
        REGISTRY.pop(function.__name__)  # so that this cell can be run twice
    return "right"


for function in SUSPECTS:
    print(f"{function.__name__:<15}", verdict(function, row))

# %% tags=["evidence", "hide-cell"]
found = [function for function in SUSPECTS if wrong[function]]
claim(found == [reciprocal, shares, times_reversed], "three are wrong: reciprocal, shares and times_reversed")
agreed = all((verdict(function, row) != "right") == wrong[function] for function in SUSPECTS)
claim(agreed, "the checker of the project finds the same three")
pair = rng.random((2, 5, 6, 1))
off_pixels = rng.integers(-1, 2, (2, 5, 6, 2)) + rng.uniform(0.1, 0.9, (2, 5, 6, 2))
claim(gradcheck(ops.warp, pair, off_pixels).worst < 1e-9, "the VJPs of warping, of lesson 7, are right")
claim(gradcheck(ops.ncc, pair, rng.random((2, 5, 6, 1))).worst < 1e-9, "the VJPs of NCC, of lesson 8, are right")

# %% [markdown]
# ## Exercises
#
# Fill them in in `lessons/exercises/lesson_06.py`, then run `python -m lessons.check 06` from the top folder.
#
# 1. `directional_derivative`: `J d` by a central difference. What if the image comes in float32?
# 2. `filter_rows_adjoint`: the adjoint of a filter of three weights.
# 3. `is_right`: decide whether a VJP is right, for functions with large values and with tiny ones.
#
# **A small project.** Draw *where* a VJP is wrong. Nudge every pixel of a digit alone, and show the difference to the
# VJP as an image: for `unit_too`, for `mixed`, and for three VJPs that you break yourself. Show the pictures to a
# friend, who has to guess the mistakes.
#
# ## What comes next
#
# [7. The hand-derived gradient of warping](07_the_gradient_of_warping.py). With a checker at hand one can dare.

# %% [markdown]
# # 6. Is this gradient right?
#
# **You need**: lesson 5 (cotangents, VJPs, the form `(output, (vjp, ...))` of an operation) and Taylor's formula.
#
# **You will know**
#
# - how far a difference quotient can be trusted, and how to choose its step;
# - how one number tests all derivatives of an operation at once, and why its cotangent must be random;
# - the adjoint test, which needs no step at all;
# - how to read the verdicts of `minireg.gradcheck`.
#
# **Time**: reading 30 minutes, running under 10 seconds.

# %%
import matplotlib.pyplot as plt
import numpy as np

from lesson import Lesson
from minireg import ops
from minireg.autograd import REGISTRY, op
from minireg.data.strokes import draw_digits
from minireg.gradcheck import WrongGradient, gradcheck

lesson = Lesson(6)

# %% [markdown]
# ## The question
#
# A program with a wrong forward gives wrong results, and someone notices. What does one with a wrong backward do? Take
# the operation that makes the length of an image 1: `y = x / l` with `l = sqrt(sum x^2)`. Here it is with two different
# VJPs, in the form of lesson 5. We use each for gradient descent: find an `x` for which `y` is a given image of length
# one.


# %%
def unit(x):
    length = np.sqrt((x * x).sum())
    y = x / length
    return y, (lambda g: (g - y * (g * y).sum()) / length,)


def unit_by_another(x):
    length = np.sqrt((x * x).sum())
    return x / length, (lambda g: g / length,)


image = draw_digits([7], np.random.default_rng(1))[0, :, :, 0].astype(np.float64)
wanted, _ = unit(image)


# What `sum (y - wanted)^2` is after 400 steps, and the length of x.
def descend(operation, cotangent):
    x = np.random.default_rng(0).random((28, 28))
    for _ in range(400):
        y, (vjp,) = operation(x)
        x = x - 2.0 * vjp(cotangent(y))
    return ((y - wanted) ** 2).sum(), np.sqrt((x * x).sum())


# The loss is sum (y - wanted)^2, so the cotangent of y is this:
right_end, other_end = (descend(operation, lambda y: 2 * (y - wanted)) for operation in (unit, unit_by_another))
print(f"loss after 400 steps: {right_end[0]:.0e} with unit, {other_end[0]:.0e} with unit_by_another")
assert right_end[0] < 1e-3 and other_end[0] < 1e-3

# %% [markdown]
# Both arrive. One of the two is wrong all the same: it lacks a term. A wrong backward does not crash, and often it does
# not even fail, so nobody looks for the mistake, and the result cannot tell. A derivative has to be tested by itself,
# against something that knows nothing of its formula.
#
# ## A difference quotient, and its step
#
# That something is the definition of the derivative. Move `x` by a small step `h`, and see by how much `y` changes. One
# can step to one side, or to both:
#
# $$
# \frac{f(x + h) - f(x)}{h} = f'(x) + \frac{h}{2} f''(x) + \dots
# $$
#
# $$
# \frac{f(x + h) - f(x - h)}{2 h} = f'(x) + \frac{h^2}{6} f'''(x) + \dots
# $$
#
# Both follow from Taylor's formula. In the second, the *central difference*, the terms with `f''` cancel. What is left
# over is the *truncation error*: of the order of `h` for the forward difference, of the order of `h^2` for the central
# one. A step ten times smaller makes the one error 10 times smaller, the other 100 times:


# %%
def f(x):
    return 1 / (1 + x * x)


def f_prime(x):
    return -2 * x / (1 + x * x) ** 2


def forward_difference(f, x, h):
    return (f(x + h) - f(x)) / h


def central_difference(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


for difference, gain in ((forward_difference, 10), (central_difference, 100)):
    coarse, fine = (abs(difference(f, 0.7, h) - f_prime(0.7)) for h in (1e-2, 1e-3))
    assert np.isclose(coarse / fine, gain, rtol=0.1)

# %% [markdown]
# So the step should be as small as possible? Try it: all steps from 0.1 down to 1e-15, with float64 and float32.


# %% tags=["hide-input"]
def errors(difference, dtype, steps):
    """The relative error of a difference quotient of f at 0.7 for each step."""
    x, right = dtype(0.7), f_prime(0.7)
    return np.array([abs(float(difference(f, x, dtype(h))) - right) / abs(right) for h in steps])


steps64, steps32 = np.logspace(-1, -15, 57), np.logspace(-1, -7, 25)
forward64, central64 = errors(forward_difference, np.float64, steps64), errors(central_difference, np.float64, steps64)
forward32, central32 = errors(forward_difference, np.float32, steps32), errors(central_difference, np.float32, steps32)
for name, steps, error in (("float64", steps64, central64), ("float32", steps32, central32)):
    print(f"central difference, {name}: smallest error {error.min():.0e}, with h = {steps[error.argmin()]:.0e}")

best = central64.argmin()  # there the two errors happen to cancel; ten times that on either side
assert steps64[best] < 1e-5 and min(central64[best - 1], central64[best + 1]) > 10 * central64[best]
moderate = (steps64 > 0.9e-6) & (steps64 < 1.1e-5)
assert (central64[moderate] < 1e-9).all()  # a good step: nine digits are right
assert central64[0] > 1e-3 and central64[-1] > 1e-3  # a large one and a tiny one: three at most
assert (central32 > 1e-7).all() and (forward32 > 1e-5).all()  # float32 never gets far, whatever the step

rounding, truncation = 2.2e-16 * f(0.7) / steps64, steps64**2
assert (central64 * abs(f_prime(0.7)) < rounding + truncation).all()
for dtype, eps in ((np.float64, 2.2e-16), (np.float32, 1.2e-7)):
    assert np.isclose(np.finfo(dtype).eps, eps, rtol=0.02)
near = (steps64 > 2e-6) & (steps64 < 2e-5)  # around eps^(1/3) = 6e-6
assert central64[near].max() < forward64.min()  # all of the valley is deeper than the other ever gets

figure, axes = plt.subplots(figsize=(8, 4.6))
axes.loglog(steps64, forward64, "o-", color="tab:blue", markersize=3, label="forward, float64")
axes.loglog(steps64, central64, "o-", color="tab:red", markersize=3, label="central, float64")
axes.loglog(steps32, forward32, "s--", color="tab:cyan", markersize=3, label="forward, float32")
axes.loglog(steps32, central32, "s--", color="tab:orange", markersize=3, label="central, float32")
axes.text(3e-15, 1e-9, "← smaller steps:\nrounding, error ~ 1 / h", color="0.35")
axes.text(3e-1, 3e-13, "larger steps →\ntruncation: error ~ h,\ncentral ~ h²", color="0.35", ha="right")
axes.set(xlabel="step h", ylabel="relative error of the quotient", ylim=(1e-13, 3e1))
axes.set_title("The best step is neither large nor tiny, and float64 has a lot more room")
axes.legend(loc="lower left", ncols=2)
axes.grid(alpha=0.3)
figure.tight_layout()
lesson.save(figure, "steps")

# %% [markdown]
# Every curve is a V. On its right, truncation: smaller steps help. On its left, *rounding*: `f(x + h)` and `f(x - h)`
# are known to about 16 digits only (7 in float32), and the smaller the step, the more of these digits are the same in
# both and cancel. What is left is then divided by a tiny number. With eps, the relative rounding error (2.2e-16 in
# float64, 1.2e-7 in float32), the rounding error of the quotient is about `eps |f| / h`. Where `x`, `f` and its
# derivatives are of the size of 1, truncation and rounding are in balance at `eps / h = h`, that is `h = sqrt(eps)`,
# for the forward difference, and at `eps / h = h^2`, that is `h = eps^(1/3)` = 6e-6, for the central one. Then the
# error is about `eps^(2/3)` = 4e-11. The deepest point of the red curve is luck: there both errors happen to cancel.
#
# The rules that follow: **test in float64, with central differences, with a step near 1e-5.** A wrong formula is wrong
# in float64 too, so one tests there even what will run in float32.
#
# ## Half a million derivatives in one number
#
# Operations on images have more than one derivative. In `y = x / l` from above every pixel of `y` depends on every
# pixel of `x`, through `l`.
#
# The Jacobian `J` of `unit` has 784 rows and 784 columns, 614,656 elements. Moving one pixel after the other would give
# all of them, with 1,568 evaluations. A single direction is cheaper. Let all pixels move at once, by `h d` with a
# random image `d`, the *direction*: the central difference is then `J d`, an image, up to its two errors. Its product
# with a random cotangent `g`, summed over the pixels, is a number. It can be had in another way, from the VJP, which
# claims to compute `J^T g`:
#
# $$
# \sum_i g_i (J d)_i = \sum_{i,j} g_i J_{ij} d_j = \sum_j (J^T g)_j d_j
# $$
#
# Left, two evaluations of the operation and no derivative. Right, the VJP. In the middle, every element of `J`, each
# with a weight of its own.


# %%
def two_sides(operation, x, g, d, h=1e-5):
    J_d = central_difference(lambda s: operation(x + s * d)[0], 0.0, h)
    _, (vjp,) = operation(x)
    return float((g * J_d).sum()), float((vjp(g) * d).sum())


def relative_gap(left, right):
    return abs(left - right) / max(abs(left), abs(right), 1e-12)


rng = np.random.default_rng(6)
g, d = rng.standard_normal((2, 28, 28))
for operation in (unit, unit_by_another):
    left, right = two_sides(operation, image, g, d)
    print(f"{operation.__name__:<15} difference {left:.9f}, VJP {right:.9f}")
    assert (relative_gap(left, right) < 1e-7) == (operation is unit) and operation(image)[0].size ** 2 == 614_656

# %% [markdown]
# That settles it: the first VJP is right, and the second is not. The length `l` depends on `x` too, and the second VJP
# has forgotten that.
#
# Why then did it come closer to the goal in the descent above? The missing term, `-y sum(g y) / l`, points along `x`
# itself, and longer or shorter, `x` has the same `y`. So without it `x` still turns the right way. But here it also
# gets shorter (10.9 at the end; with the right VJP it is 16.7), and the same step turns a shorter image further. In
# another form the loss does not forgive it. As `y` and `wanted` have the length 1, `sum (y - wanted)^2` is the same as
# `2 - 2 sum y wanted`, with the cotangent `-2 wanted`. The right VJP takes the same way as before. The wrong one now
# makes `x` longer, more than threefold, turns it less with every step, and is far from the goal after the 400 steps:

# %%
assert other_end[0] < right_end[0] and np.allclose([right_end[1], other_end[1]], [16.7, 10.9], atol=0.05)
right_now, other_now = (descend(operation, lambda y: -2 * wanted) for operation in (unit, unit_by_another))
print(f"loss after 400 steps: {right_now[0]:.0e} with unit, {other_now[0]:.0e} with unit_by_another")
assert np.allclose(right_now, right_end) and other_now[0] > 0.05 and other_now[1] > 3 * right_now[1]

# %% [markdown]
# How small a mistake can one see? Let one of the 784 numbers that the VJP returns be wrong by a tenth of itself, as a
# mistake at one border pixel could make it:

# %%
g_x = unit(image)[1][0](g)
left, right = two_sides(unit, image, g, d)
wrong = right + 0.1 * g_x[27, 27] * d[27, 27]
print(f"difference {left:.9f}, VJP {wrong:.9f}")
assert relative_gap(left, right) < 1e-7 and relative_gap(left, wrong) > 1e-5

# %% [markdown]
# One pixel of 784, and the two numbers part. The difference between both sides is `sum e d`, where `e` is the error of
# the VJP, an image. For a random `d` that is zero only if `d` happens to be exactly perpendicular to `e`, and the
# probability of that is zero, whatever `e` is. It must also stand out from the error of the quotient itself, which
# leaves about nine digits. A tolerance of 1e-6 has room for both: a thousand times that error, and still far below what
# a forgotten factor, sign or term does.
#
# One trap is left. The terms of both sums have two signs. Should they nearly cancel, as here, where `d` is made
# perpendicular to the gradient, then only the errors of large terms remain in two small sums, and the relative gap
# condemns a VJP that is right. So draw more than once, or compare with the size of the terms, not with that of their
# sum.

# %%
across = d - g_x * (g_x * d).sum() / (g_x * g_x).sum()
assert relative_gap(*two_sides(unit, image, g, across)) > 0.1

# %% [markdown]
# ## Why the cotangent must be random
#
# The obvious test is another: compute `y.sum()`, call `backward`, and compare the gradient with differences. Lesson 5
# tells what this does: the derivative of a sum with respect to every element is 1, so it tests the VJP with a cotangent
# of ones. Here are three operations with wrong VJPs.


# %%
def transposed(x):
    return x.T, (lambda g: g.reshape(x.shape),)  # wrong: the right shape, the wrong places


def softmax(x):
    e = np.exp(x)  # y = e^x / sum e^x: positive numbers that add up to 1
    return e / e.sum(), (lambda g: np.zeros(x.shape),)  # wrong: no derivative at all


def smeared(x):
    # Each pixel is mixed with its left neighbour, and the first column with the last.
    mix = lambda image: 0.7 * image + 0.3 * np.roll(image, 1, axis=1)
    return mix(x), (mix,)  # wrong: the backward has to look to the other side


x = image[:20]  # 20 rows, 28 columns
for operation in (transposed, softmax, smeared):
    shape = operation(x)[0].shape
    for words, g in (("ones", np.ones(shape)), ("random", rng.standard_normal(shape))):
        left, right = two_sides(operation, x, g, rng.standard_normal(x.shape))
        # With + 0.0 a zero has no minus sign.
        print(f"{operation.__name__:<11} {words:<7} difference {round(left, 4) + 0.0:9.4f}, VJP {right:9.4f}")
        assert (abs(left - right) < 1e-6) == (words == "ones")

# %% [markdown]
# With ones, all three pass. The reasons differ, and each is worth a thought. A transposed image of ones is an image of
# ones: where all cotangents are equal, nobody sees that they were carried to the wrong places. The outputs of a softmax
# add up to 1 for any `x`, so the derivative of their sum is zero, and zeros are right. Ones mixed with their left
# neighbours are ones, and so are ones mixed with their right neighbours. With random cotangents all three fail at once.

# %% tags=["hide-input"]
digit = image[:, 4:24]  # 28 rows, 20 columns: the shape of the output
figure, axes = plt.subplots(2, 3, figsize=(8.4, 5.2), layout="constrained")
for row, (words, g) in enumerate((("ones", np.ones((28, 20))), ("an image", digit))):
    pictures = [(f"cotangent g: {words}", g), ("right: g transposed", g.T), ("wrong: g reshaped", g.reshape(20, 28))]
    for panel, (title, picture) in zip(axes[row], pictures, strict=True):
        panel.imshow(picture, cmap="gray", vmin=0, vmax=1.2)
        panel.set(title=title, xticks=[], yticks=[])
figure.suptitle("Two VJPs of a transpose. With a cotangent of ones nobody can tell them apart")
lesson.save(figure, "ones")

# %% [markdown]
# ## A test without a step: the adjoint
#
# Many operations on images are *linear*: `A(x + z) = A x + A z`, and a factor can be drawn out. Moving, blurring,
# reducing, cutting out are. For them the Jacobian is `A` itself, whatever `x`, and the VJP is `A^T`, which is called
# the *adjoint* of `A` and usually written `A*`. With `<p, q>` for the sum of all products of the elements of `p` and
# `q`, the adjoint is the operation with, for all `x` and `g`,
#
# $$
# \langle A x, g \rangle = \langle x, A^{*} g \rangle
# $$
#
# This is our equation from above with `x` in place of `d`. But there is no difference quotient in it, so no step and no
# truncation. Both sides agree to rounding. Take the operation that halves an image by averaging blocks of 2 x 2 pixels.
# Every pixel goes into one average, with a weight of 1/4; so the adjoint hands to each of the four pixels a quarter of
# the cotangent of their block.


# %%
def halve(x):
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4


def halve_adjoint(g):
    return np.repeat(np.repeat(g, 2, axis=0), 2, axis=1) / 4


x, z = rng.standard_normal((2, 28, 20))
g = rng.standard_normal((14, 10))
assert np.allclose(halve(3 * x + z), 3 * halve(x) + halve(z))  # it is linear
assert relative_gap((halve(x) * g).sum(), (x * halve_adjoint(g)).sum()) < 1e-12

# %% [markdown]
# An adjoint is not an inverse. Both lead from an image of the size of the output to one of the size of the input, so
# they are easily confused. Halving has no inverse, since it forgets; what comes nearest is to enlarge an image by
# repeating its pixels, and halving does undo that. As a VJP it is too large by a factor of 4, and the test says so.

# %%
enlarge = lambda g: 4 * halve_adjoint(g)  # repeats each pixel
assert np.allclose(halve(enlarge(g)), g)
assert np.isclose((x * enlarge(g)).sum(), 4 * (halve(x) * g).sum())

# %% [markdown]
# ## Kinks
#
# One thing makes a right derivative fail the test: a *kink*. `max(x, 0)` has the slope 0 on the left of zero, 1 on the
# right, and none at zero. The central difference straddles the kink if `|x| < h`, and returns a mixture of both slopes,
# at zero their mean. A VJP must choose one. Neither is wrong.

# %% tags=["hide-input"]
ramp = lambda x: np.maximum(x, 0.0)
h = 0.1
assert np.isclose(central_difference(ramp, 0.0, h), 0.5)
assert np.isclose(central_difference(ramp, 0.05, h), 0.75)  # a slope that the function has nowhere
assert np.isclose(central_difference(ramp, 0.15, h), 1.0) and np.isclose(central_difference(ramp, -0.15, h), 0.0)

figure, axes = plt.subplots(1, 2, figsize=(9, 3.3), layout="constrained")
places = np.linspace(-0.3, 0.3, 601)
axes[0].plot(places, ramp(places), color="0.4", label="max(x, 0)")
for middle, colour in ((-0.2, "tab:green"), (0.05, "tab:red"), (0.2, "tab:blue")):
    ends = np.array([middle - h, middle + h])
    axes[0].plot(ends, ramp(ends), "o-", color=colour)
axes[0].set(xlabel="x", title="Central differences with h = 0.1.\nThe red one straddles the kink")
axes[0].legend()
axes[1].plot(places, central_difference(ramp, places, h), color="tab:red", label="central difference")
axes[1].plot([-0.3, 0], [0, 0], color="0.4", label="the two slopes")
axes[1].plot([0, 0.3], [1, 1], color="0.4")
axes[1].set(xlabel="x", title="Closer to the kink than h, the quotient\nis a mixture of both slopes")
axes[1].legend()
lesson.save(figure, "kink")

# %% [markdown]
# So keep the inputs of a test away from kinks, much further than `h`, and look at the kinks themselves separately. This
# will matter in the next lesson: between two pixels, bilinear interpolation is smooth, and at every pixel it can have
# a kink.
#
# ## A bug hunt
#
# Six operations on rows of numbers, in the form of lesson 5. Some of the VJPs are wrong. Decide which before you read
# on; a pencil helps.


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


# %% [markdown]
# The checker is `two_sides` with random numbers of both signs for `g` and `d`, and an `x` that stays away from zero,
# where `1 / x` is not defined. Three draws of each:

# %%
SUSPECTS = (cube, reciprocal, centred, shares, times_reversed, reversed_row)
x, wrong = rng.uniform(0.5, 2.0, 9), []
for operation in SUSPECTS:
    gaps = [relative_gap(*two_sides(operation, x, *rng.standard_normal((2, 9)))) for _ in range(3)]
    if max(gaps) > 1e-5:
        wrong.append(operation)
    print(f"{operation.__name__:<14} gaps {', '.join(f'{gap:.0e}' for gap in gaps)}")

# %% tags=["hide-input"]
symmetric = np.array([1.0, -2, 3, -4, 5, -4, 3, -2, 1])  # a cotangent for which times_reversed is right
assert relative_gap(*two_sides(times_reversed, x, symmetric, np.arange(9.0))) < 1e-6

figure, axes = plt.subplots(2, 3, figsize=(8.4, 5.8), layout="constrained")
for panel, operation in zip(axes.flat, SUSPECTS, strict=True):
    draws = [two_sides(operation, x, *rng.standard_normal((2, 9))) for _ in range(40)]
    left, right = np.transpose(draws)
    reach = 1.1 * np.abs(draws).max()
    panel.plot([-reach, reach], [-reach, reach], color="0.7", zorder=0)
    panel.plot(left, right, ".", color="tab:red" if operation in wrong else "tab:green")
    panel.set(title=f"{operation.__name__}: {'wrong' if operation in wrong else 'right'}", aspect="equal")
    panel.set(xlim=(-reach, reach), ylim=(-reach, reach))
for panel in axes[-1]:
    panel.set_xlabel("from the difference")
for panel in axes[:, 0]:
    panel.set_ylabel("from the VJP")
figure.suptitle("40 random cotangents and directions each. A right VJP keeps to the diagonal")
lesson.save(figure, "bug_hunt")

# %% [markdown]
# Three are right and three are wrong:

# %%
assert wrong == [reciprocal, shares, times_reversed]

# %% [markdown]
# - `reciprocal` has the wrong sign: `1 / x` falls where `x` grows. In the figure, all its points lie on the other
#   diagonal.
# - `shares` forgets that the total depends on `x` too.
# - `times_reversed` is right for cotangents that are the same from both ends, such as ones, and wrong for all others.
#   `x[j]` goes into the outputs `j` and `8 - j`, and in general these have different cotangents.
# - `centred` is right. The mean of `g` has to be taken off because every output contains the mean of `x`.
#
# ## The checker of this project
#
# `minireg.gradcheck` does what you have done, for Tensors: central differences in float64, a random direction, a random
# cotangent. Besides, it tries several steps and estimates from them how exact the quotient is, so that its tolerance is
# not guessed; it draws several times; it uses the adjoint test where you say that an operation is linear; and it
# watches that no array is changed on the way. When something is wrong, it goes through the gradient element by element
# and looks for the kind of mistake that explains the numbers. ([docs/verification.md](../docs/verification.md) tells
# all of it.) To show it our suspects, we make an operation on Tensors of each by `op`.


# %%
def verdict(function, *arrays):
    try:
        return str(gradcheck(function, *arrays))
    except WrongGradient as error:
        return str(error)


MISTAKES = {reciprocal: "the sign", shares: "a missing term", times_reversed: "right for a cotangent of ones"}
for operation in SUSPECTS:
    message = verdict(op(operation), x)
    del REGISTRY[operation.__name__]  # `op` registers the name; forget it again, so that this cell can be run twice
    assert ("is wrong" in message) == (operation in wrong)
    assert operation not in MISTAKES or MISTAKES[operation] in message
    print(f"{operation.__name__}: right" if operation not in wrong else message, end="\n\n")

# %% [markdown]
# It agrees with you on all six, and it finds out what the three mistakes are: the sign, a missing term, right for
# ones. The last one is about `ops.relu`, which is `max(x, 0)`, at an input that contains a zero:

# %%
message = verdict(ops.relu, np.array([-1.0, 0.0, 2.0]))
print(message)
assert "a kink" in message and "is wrong" not in verdict(ops.relu, np.array([-1.0, 0.5, 2.0]))

# %% [markdown]
# The slopes in the message are 0 and 1, times the cotangent of that element. The checker still says "is wrong", because
# VJP and quotient differ; but it has found that the point lies on a kink, and asks you to move it.
#
# Now you can judge what you cannot derive yet. The VJPs of `ops.warp` and `ops.ncc` are the subject of the next two
# lessons; that they are right you can know already. The images are random, and the displacement ends between the
# pixels, at least a tenth of a pixel away from the next kink.

# %%
images = rng.random((2, 5, 6, 1))
displacement = rng.integers(-1, 2, (2, 5, 6, 2)) + rng.uniform(0.1, 0.9, (2, 5, 6, 2))
for function, arrays in ((ops.warp, (images, displacement)), (ops.ncc, (images, rng.random((2, 5, 6, 1))))):
    report = gradcheck(function, *arrays)
    print(f"{function.__name__}: {', '.join(report.arguments)}; {report.draws} draws, worst error {report.worst:.0e}")
    assert report.worst < 1e-9

# %% [markdown]
# ## What you know now
#
# - A difference quotient has a truncation error, which shrinks with `h`, and a rounding error, which grows. The central
#   difference in float64 with `h` near 1e-5 gives nine digits.
# - `sum g (J d) = sum (J^T g) d`: one number, found without the VJP, tests every element of `J`.
# - The cotangent must be random. With ones, a transpose by reshape, a softmax without a derivative and a mixing to the
#   wrong side all pass.
# - For a linear operation `<A x, g> = <x, A* g>` holds to rounding. An adjoint is not an inverse.
# - At a kink, differences mix both slopes. Test elsewhere, and look at the kink by itself.
#
# ## Exercises
#
# 1. `directional_derivative`: of a function of an image, in float64, whatever the image comes in.
# 2. `filter_rows_adjoint`: the adjoint of a filter of three weights with zeros beyond the border.
# 3. `is_right`: decide whether a VJP is right. It is tested with right ones and with wrong ones.
#
# Fill them in in `lessons/exercises/lesson_06.py` and run `python -m lessons.check 06` from the top folder.
#
# Next: [7. The hand-derived gradient of warping](07_the_gradient_of_warping.py). With a checker at hand one can dare.

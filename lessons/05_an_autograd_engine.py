# %% [markdown]
# # 5. An autograd engine in sixty lines
#
# **You need**: lesson 4 (a loss, its derivative by the chain rule, gradient descent) and matrix products.
#
# **You will know**
#
# - what a cotangent and a vector-Jacobian product (VJP) are, and how to write the VJP of an operation;
# - why one walks from the loss back to the inputs, and what the other direction costs;
# - in which order a program must walk, and what goes wrong in other orders;
# - what the engine of this project, `minireg/autograd.py`, does beyond your own.
#
# **Time**: reading 30 minutes, running under 10 seconds.

# %%
import inspect

import matplotlib.pyplot as plt
import numpy as np

from lesson import Lesson
from minireg import Tensor, backend, ops
from minireg.data.strokes import draw_digits

lesson = Lesson(5)
rng, n = np.random.default_rng(5), 28 * 28  # the number of pixels of a digit

# %% [markdown]
# ## The question
#
# In lesson 4 you found the derivative of one loss by hand. It took a page, and for the next loss you would have to
# begin again. But look at what you did: you split the computation into small steps, differentiated each step, and put
# the pieces together by the chain rule. Only a few kinds of steps occurred, and the putting together was always the
# same. A program can do that: it notes down the steps while it computes, and afterwards applies the chain rule to its
# notes. This is called *automatic differentiation*, and the program an *autograd engine*.
#
# Here is the smallest example that holds all the difficulties. From a number `x` we compute `y = 2 x`, and from that
# the loss `L = y y + y`. At `x = 3`, `y` is 6 and `L` is 42. What is `dL/dx`?
#
# The computation is a *graph*: values, and arrows from each value to those computed from it. `y` is used three times:
# twice in the product and once in the sum. Each use contributes a share to the derivative of `L`, and the shares add
# up: that is the chain rule for several paths. So `dL/dy` is 6 + 6 + 1 = 13. One step further back, `y` grows twice as
# fast as `x`, and `dL/dx` is 26.

# %% tags=["hide-input"]
x = 3.0
y = 2 * x
L = y * y + y

dL_dy = y + y + 1  # from the first factor, from the second factor, from the last term
dL_dx = 2 * dL_dy
assert (y, L, dL_dy, dL_dx) == (6, 42, 13, 26)
assert dL_dx == 8 * x + 2  # the derivative of L = 4 x^2 + 2 x, found in another way

figure, axes = plt.subplots(figsize=(9, 4.2))
boxes = [("x", 0, 0, "x = 3", 26), ("y", 3.4, 0, "y = 2 x = 6", 13), ("y y", 6.8, 1.5, "y y = 36", 1)]
boxes += [("L", 10.2, 0, "L = y y + y = 42", 1)]
for name, across, up, label, cotangent in boxes:
    box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": "0.2"}
    axes.text(across, up, label, ha="center", va="center", fontsize=13, bbox=box, zorder=3)
    below = up + (0.5 if name == "y y" else -0.5)
    axes.text(across, below, f"dL/d{name if name != 'y y' else '(y y)'} = {cotangent}", ha="center", va="center",
              color="tab:red", fontsize=13)  # fmt: skip
arrows = [((0.65, 0), (2.3, 0), 0, "2 · 13 = 26", (1.48, 0.2)), ((3.2, 0.25), (5.9, 1.6), -0.2, "6", (4.1, 1.15))]
arrows += [((3.9, 0.25), (6.4, 1.2), 0.2, "6", (5.5, 0.42)), ((4.5, 0), (8.55, 0), 0, "1", (6.8, -0.2))]
arrows += [((7.65, 1.35), (9.9, 0.25), 0, "1", (9.05, 0.95))]
for start, end, bend, share, place in arrows:
    style = {"arrowstyle": "-|>", "color": "0.4", "shrinkA": 0, "shrinkB": 0, "connectionstyle": f"arc3,rad={bend}"}
    axes.annotate("", end, start, arrowprops=style)
    axes.text(*place, f"← {share}", ha="center", va="center", color="tab:red", fontsize=13)
axes.set(xlim=(-0.9, 11.8), ylim=(-0.8, 2.2))
axes.axis("off")
axes.set_title(
    "Values travel to the right (black). Shares of the derivative travel\n"
    "back to the left (red), and add up at y: 6 + 6 + 1 = 13"
)
figure.tight_layout()
lesson.save(figure, "graph")

# %% [markdown]
# ## Which way to walk?
#
# Before we build anything: why backwards? Let a step compute `y = f(x)`, with `n` numbers in `x` and `m` in `y`. All
# its derivatives form the *Jacobian* `J`, a matrix of `m` rows and `n` columns with `J[i, j] = dy_i / dx_j`. For
# several steps in a row the chain rule says: multiply their Jacobians. A matrix product can be formed from either end,
# with the same result but not at the same cost. Take three steps: an image of 28 x 28 = 784 pixels becomes another
# image, that one a third, and that one a number, the loss. The Jacobians are `J1` and `J2`, of `n` = 784 rows and
# columns, and `J3`, a single row. From the input one forms `J2 J1` first, with `n n n` multiplications, and then
# multiplies it with the row, `n n` more: 482,504,960. From the output one forms the row `J3 J2` and multiplies it with
# `J1`, `n n` each time: 1,229,312, which is less than a 390th.

# %%
assert n * n * n + n * n == 482_504_960 and n * n + n * n == 1_229_312 < 482_504_960 / 390

# %% [markdown]
# From the output, everything on the way is one row of 784 numbers, because the loss is one number. From the input,
# everything on the way is a matrix with a column for each of the 784 inputs. In registration the inputs are many (a
# displacement for every pixel, the weights of a network) and the loss is one number, so one walks back from the loss.
# This direction is called the *reverse mode*, the other one the *forward mode*. With one input and many outputs it
# would be the other way round: from the input one carries a single column.
#
# The row that one carries along has a name. For a loss `L` and any value `y` on the way, the *cotangent* of `y` is
# `g = dL/dy`. It has the shape of `y`: one number for each number in `y`, which says how much `L` changes if that
# number grows a little. A step takes the cotangent of its output to that of its input by the chain rule: `dL/dx_j` is
# the sum over `i` of `dL/dy_i` times `dy_i/dx_j`. With `J` this is shorter, if one counts images as long vectors.
# Written as a row, the cotangent of the input is `g J`, and so this map is called the *vector-Jacobian product*, in
# short the *VJP*, of the step. Written as a column, which is the custom, it is
#
# $$
# g_x = J^T g
# $$
#
# The VJP is what we need of each step. `J` itself is not needed. Multiply every pixel by a number of its own,
# `y_i = x_i other_i`: of the 784 x 784 entries of `J` only the 784 on the diagonal are not zero, and the VJP is
# `g other`, a product again. For the mean, `J` is a single row:

# %%
other, g = rng.standard_normal((2, 5))
# y_i = x_i other_i depends on x_i and on no other element.
assert np.allclose(np.diag(other).T @ g, g * other)
# A mean is one output, and every element has the same part in it.
assert np.allclose(np.full((1, 5), 1 / 5).T @ [0.7], 0.7 / 5)

# %% [markdown]
# | step | VJPs |
# |---|---|
# | `y = x + other` | `g_x = g`, `g_other = g` |
# | `y = x - other` | `g_x = g`, `g_other = -g` |
# | `y = x other` | `g_x = g other`, `g_other = g x` |
# | `y` = mean of the `n` elements of `x` | `g_x = g / n`, at every element |
#
# ## Taking notes
#
# A `Value` is an array that remembers how it came about: the values it was computed from, its `inputs`, and one VJP for
# each of them. Forward and backward of a step stand next to each other. A VJP may use what the forward has computed.


# %%
class Value:
    def __init__(self, data, inputs=(), vjps=()):
        self.data = np.asarray(data, dtype=np.float64)
        self.inputs, self.vjps = inputs, vjps


def add(x, other):
    return Value(x.data + other.data, (x, other), (lambda g: g, lambda g: g))


def subtract(x, other):
    return Value(x.data - other.data, (x, other), (lambda g: g, lambda g: -g))


def multiply(x, other):
    return Value(x.data * other.data, (x, other), (lambda g: g * other.data, lambda g: g * x.data))


def mean(x):
    return Value(x.data.mean(), (x,), (lambda g: np.full(x.data.shape, g / x.data.size),))


# So that one can write x * x + x, and x.mean().
Value.__add__, Value.__sub__, Value.__mul__, Value.mean = add, subtract, multiply, mean

# %% [markdown]
# Our example again. Whoever writes `y * y + y` gets the graph along with the result.


# %%
x = Value(3.0)
y = Value(2.0) * x
L = y * y + y
assert L.data == 42 and L.inputs[0].inputs == (y, y) and L.inputs[1] is y

# %% [markdown]
# ## First try: along every path
#
# The chain rule speaks of paths, so let us follow them. Begin with `dL/dL = 1`. Give each input of a value its share,
# and go on from there at once. What arrives at a value is added to what is there already.


# %%
def along_every_path(value, g, cotangents):
    cotangents[value] = cotangents.get(value, 0) + g
    for source, vjp in zip(value.inputs, value.vjps, strict=True):
        along_every_path(source, vjp(g), cotangents)
    return cotangents


cotangents = along_every_path(L, np.ones(()), {})
assert cotangents[y] == 13 and cotangents[x] == 26

# %% [markdown]
# That is right. But the walk came to `y` three times, and each time went on to `x` with a share of its own, where one
# sum would do. In a longer computation this is a disaster. Double a number by `x + x`, again and again: every doubling
# has two ways through, so `k` of them have `2^k` paths. Fourteen make 32,767 visits. Sixty would make `2^61 - 1`, and
# no machine would come to an end with them.


# %%
def doubled(x, times):
    for _ in range(times):
        x = x + x
    return x


def visits(value):  # how often `along_every_path` calls itself
    return 1 + sum(visits(source) for source in value.inputs)


assert [visits(doubled(x, times)) for times in (1, 2, 3, 4, 14)] == [3, 7, 15, 31, 32_767]

# %% [markdown]
# There is a second fault. Each visit waits inside the one before, and Python allows about 1,000 calls inside one
# another. A chain of 5,000 additions is too long. (`refused` makes a call that must fail, and shows the error. We shall
# need it again.)


# %%
def refused(call, *args):
    try:
        call(*args)
    except Exception as error:
        print(f"{type(error).__name__}: {error}\n")
        return str(error)


one = chain = Value(1.0)
for _ in range(5000):
    chain = chain + one
assert "recursion" in refused(along_every_path, chain, np.ones(()), {})

# %% [markdown]
# ## Second try: every value once, when it is first met
#
# So let each value hand on its cotangent once. A list of values to visit replaces the recursion. Each value is put into
# it when it is met for the first time.


# %%
def when_first_met(output):  # wrong!
    cotangents, to_visit = {output: np.ones(())}, [output]
    while to_visit:
        value = to_visit.pop(0)
        for source, vjp in zip(value.inputs, value.vjps, strict=True):
            if source not in cotangents:
                to_visit.append(source)
            cotangents[source] = cotangents.get(source, 0) + vjp(cotangents[value])
    return cotangents


assert when_first_met(y * y + y)[x] == 26 and when_first_met(y + y * y)[x] == 2

# %% [markdown]
# The first is right by luck. The two losses are the same number, and one derivative is 26, the other 2: a mistake that
# hides until someone writes a sum the other way round. What happened in `y + y y`? The walk came to `y` first, when
# only the share 1 from the sum had arrived, and `y` handed on that: 2 times 1. Then came the product, and `y` received
# its other shares, 6 and 6, but had had its turn.
#
# So: **a value may hand on its cotangent only when all its uses have reported.** An order of the values in which each
# comes after everything that uses it is called a *topological order* (of the graph, read from its end). The loss is
# first, and the inputs come late. There is such an order, because no value is computed from itself: of the values not
# yet done, the one that was computed last has all its uses behind it.
#
# To find one, count the uses of each value beforehand. Whenever a share arrives, one use less is outstanding. At zero,
# the value is ready.
#
# ## A number meets an image
#
# One thing is missing. NumPy lets you multiply a number with an image: the number is repeated at every pixel. This is
# called *broadcasting*. What does our VJP return for the number?

# %%
small = rng.random((2, 3))
share = (Value(0.5) * Value(small)).vjps[0](np.ones((2, 3)))
assert share.shape == (2, 3)

# %% [markdown]
# An image, where the derivative with respect to one number is one number. The rule that we have already says what to
# do. The number was used at each of the six pixels, and shares of uses add up. A difference quotient (how much does the
# result change if the number grows by 0.001?) agrees:

# %%
assert np.isclose(share.sum(), ((0.501 * small).sum() - (0.5 * small).sum()) / 0.001)

# %% [markdown]
# The same holds for a row that is repeated in every line, or a channel for every image of a batch: **what the forward
# repeats, the backward adds up.** In this lesson only numbers are repeated; the general case is an exercise.
#
# ## The engine
#
# Here it is, with `Value` and the four operations above.


# %%
def count_uses(output):
    uses, to_visit = {output: 0}, [output]
    while to_visit:
        for source in to_visit.pop().inputs:
            if source not in uses:
                to_visit.append(source)
            uses[source] = uses.get(source, 0) + 1
    return uses


# The cotangents of all values behind `output`, which is a single number: {value: array of its shape}.
def backward(output):
    cotangents = {output: np.ones(())}  # dL/dL = 1
    waiting, ready = count_uses(output), [output]
    while ready:
        value = ready.pop()
        for source, vjp in zip(value.inputs, value.vjps, strict=True):
            share = vjp(cotangents[value])
            share = share.sum() if source.data.ndim == 0 else share  # undo broadcasting
            cotangents[source] = cotangents.get(source, 0) + share
            waiting[source] -= 1
            if waiting[source] == 0:
                ready.append(source)
    return cotangents


# `one` is the start of the chain and each of the 5,000 things added.
assert backward(y * y + y)[x] == backward(y + y * y)[x] == 26 and backward(chain)[one] == 5001
assert all(vjp(one.data) is one.data for vjp in (x + y).vjps)  # one array for both inputs

# %% [markdown]
# Right in both orders, and the long chain is no problem. (Why `cotangents.get(source, 0) + share` and not `+=`? `add`
# hands the *same* array to both of its inputs. Adding into it for one of them would change the cotangent of the other.)
# How many VJPs are called? One for each use, that is, for each arrow of the graph. Sixty doublings take 120 calls. And
# the engine fills less than the sixty lines of the title (the folded cell counts them), which leaves room for
# operations of your own.

# %%
assert sum(count_uses(doubled(x, 60)).values()) == 120 and backward(doubled(x, 60))[x] == 2**60

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(6.4, 3.6))
engine = [Value.__init__, add, subtract, multiply, mean, count_uses, backward]
lines = sum(len(inspect.getsource(function).splitlines()) for function in engine) + 2  # the class, the operators
print(f"The engine has {lines} lines, at most 60.")
assert lines <= 60

steps = range(1, 15)
calls_along_paths = [visits(doubled(x, times)) - 1 for times in steps]  # all visits but the first come from a VJP
calls_in_order = [sum(count_uses(doubled(x, times)).values()) for times in steps]
assert calls_along_paths[-1] == 32_766 and calls_in_order[-1] == 28
axes.semilogy(steps, calls_along_paths, "o-", color="tab:red", label="along every path")
axes.semilogy(steps, calls_in_order, "s-", color="tab:blue", label="in topological order")
axes.set(xlabel="doublings in a row", ylabel="VJPs called")
axes.set_title("Handing on each share at once doubles the calls with every step;\nwaiting for all shares adds two")
axes.legend()
axes.grid(alpha=0.3)
figure.tight_layout()
lesson.save(figure, "calls")

# %% [markdown]
# ## At work: the derivative with respect to every pixel
#
# A loss with images in it: multiply the moving image by a contrast, add a brightness, and take the mean squared
# difference to the fixed image. Here the fixed image is the same drawing, paler, on a grey ground and with a little
# noise, so that nothing has to move. (Two photographs with different lamps, or two scanners, differ like this.) We
# start from a contrast of 2, far too much.

# %%
moving = draw_digits([3], np.random.default_rng(4))[0, :, :, 0].astype(np.float64)
fixed = 0.5 * moving + 0.3 + 0.02 * rng.standard_normal(moving.shape)


def intensity_loss(moving, contrast, brightness, fixed):  # of Values, or of Tensors
    difference = contrast * moving + brightness - fixed
    return (difference * difference).mean()


contrast, brightness, moving_value = Value(2.0), Value(0.0), Value(moving)
L = intensity_loss(moving_value, contrast, brightness, Value(fixed))
g = backward(L)

# %% [markdown]
# One walk gave the derivatives with respect to everything: the contrast, the brightness, and each of the 784 pixels of
# the moving image. Difference quotients with a small step to both sides need two evaluations of the loss for each
# number, 1,568 for the pixels alone. They agree (the folded cell below does it, and asserts every sentence of the next
# paragraph).
#
# Every value on the way has its cotangent too, an image where the value is one. Follow them from the right to the left
# in the picture. Each squared difference counts `1 / n` in the mean. The cotangent of the difference is the difference
# itself, times `2 / n`: where the result is too dark, a brighter pixel would lower the loss, so the derivative is
# negative. The steps `- fixed` and `+ brightness` pass it on unchanged. At the product with the contrast, 2, it
# doubles. The derivative with respect to the brightness is the sum of the cotangents of all pixels. The one with
# respect to the contrast is their sum weighted by the moving image: where there is no ink, the contrast has no say.


# %% tags=["hide-input"]
def loss_number(moving):
    return ((2.0 * moving + 0.0 - fixed) ** 2).mean()


h, evaluations, by_differences = 1e-5, 0, np.zeros_like(moving)
for pixel in np.ndindex(moving.shape):
    change = np.zeros_like(moving)
    change[pixel] = h
    by_differences[pixel] = (loss_number(moving + change) - loss_number(moving - change)) / (2 * h)
    evaluations += 2
gap = np.abs(g[moving_value] - by_differences).max() / np.abs(by_differences).max()
print(f"{evaluations} evaluations of the loss, relative gap to the engine's derivatives {gap:.0e}")
assert evaluations == 1568 and gap < 1e-5

squares = L.inputs[0]
difference = squares.inputs[0]
adjusted = difference.inputs[0]
scaled = adjusted.inputs[0]
assert np.allclose(g[squares], 1 / n)
assert np.allclose(g[difference], 2 * difference.data / n)
assert np.array_equal(g[adjusted], g[difference]) and np.array_equal(g[scaled], g[difference])
assert np.allclose(g[moving_value], 2 * g[scaled])
assert np.isclose(g[brightness], g[adjusted].sum()) and np.isclose(g[contrast], (g[scaled] * moving).sum())

figure, axes = plt.subplots(2, 4, figsize=(9, 5.4), layout="constrained")
pictures = [("moving", moving_value), ("2 · moving + 0", adjusted), ("difference", difference), ("its square", squares)]
limit = np.abs(g[moving_value]).max()
for column, (name, value) in enumerate(pictures):
    grey = axes[0, column].imshow(value.data, cmap="gray", vmin=-0.5, vmax=2)
    axes[0, column].set_title(name)
    red_blue = axes[1, column].imshow(g[value], cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes[1, column].set_title("its cotangent", color="tab:red")
for panel in axes.flat:
    panel.set(xticks=[], yticks=[])
figure.colorbar(grey, ax=axes[0], fraction=0.02, pad=0.01)
figure.colorbar(red_blue, ax=axes[1], fraction=0.02, pad=0.01)
figure.suptitle(
    "Above: the values, computed from left to right. Below: their cotangents, from right to left.\n"
    "Blue: brighter here would lower the loss. Red: it would raise it"
)
lesson.save(figure, "cotangents")

# %% [markdown]
# ## At work: gradient descent
#
# Now fit contrast and brightness by gradient descent, as in lesson 4. All that has to be written is the loss. For two
# numbers and a mean squared difference the best values can also be computed at once, by linear regression: a check that
# has nothing to do with derivatives.

# %%
parameters, losses = np.array([2.0, 0.0]), []
for _ in range(300):
    values = [Value(parameter) for parameter in parameters]
    L = intensity_loss(moving_value, *values, Value(fixed))
    losses.append(float(L.data))
    cotangents = backward(L)
    parameters = parameters - 0.4 * np.array([cotangents[value] for value in values])

# %% tags=["hide-input"]
regression = np.polyfit(moving.ravel(), fixed.ravel(), 1)
print(f"contrast and brightness: {parameters.round(4)}, by regression {regression.round(4)}, true [0.5 0.3]")
assert np.allclose(parameters, regression, atol=1e-4) and np.isclose(losses[-1], 0.02**2, rtol=0.2)

figure, axes = plt.subplots(1, 4, figsize=(9, 2.7), layout="constrained", width_ratios=[1, 1, 1, 1.6])
images = [("moving", moving), ("fixed", fixed), ("moving, fitted", parameters[0] * moving + parameters[1])]
for panel, (name, picture) in zip(axes[:3], images, strict=True):
    panel.imshow(picture, cmap="gray", vmin=0, vmax=1)
    panel.set(title=name, xticks=[], yticks=[])
axes[3].semilogy(losses, color="tab:blue")
axes[3].axhline(0.02**2, color="0.5", linestyle="--")
place = {"xytext": (0, 4), "textcoords": "offset points", "ha": "right", "color": "0.4"}
axes[3].annotate("variance of the noise,\non average", (300, 0.02**2), **place)
axes[3].set(title=f"the loss: from {losses[0]:.2f} to {losses[-1]:.5f}", xlabel="steps")
figure.suptitle("Contrast and brightness, fitted by the engine: down to the noise")
lesson.save(figure, "fit")

# %% [markdown]
# ## The engine of this project
#
# You have built what stands in `minireg/autograd.py`. A `Tensor` is our `Value` (its notes are kept in a `Node` of
# their own, so that a Tensor without a history has none), `Tensor.backward` walks in the same order by the same
# counting, and all operations, from `add` to `ncc`, are in `minireg/ops/`. Each is a function of arrays that returns
# its output and one VJP for each argument:

# %%
print(inspect.getsource(ops.mul))

# %% [markdown]
# The formulas of both directions stand in the first line, in the symbols of the code. This form,
# `(output, (vjp, ...))`, is all that one has to write for a new operation; `@op` makes it take and return Tensors.
#
# Two things are different to use. You say which Tensors need a gradient, by `requires_grad=True`; the others get none.
# And the result is left in the attribute `.grad` of these Tensors. Our own loss can be used as it is:

# %%
moving_tensor, fixed_tensor = (Tensor(backend.to_device(image.astype(np.float32))) for image in (moving, fixed))
contrast_tensor, brightness_tensor = Tensor(2.0, requires_grad=True), Tensor(0.0, requires_grad=True)
intensity_loss(moving_tensor, contrast_tensor, brightness_tensor, fixed_tensor).backward()

by_minireg = [float(contrast_tensor.grad), float(brightness_tensor.grad)]  # computed in float32
# The moving image did not ask for a gradient.
assert np.allclose(by_minireg, [g[contrast], g[brightness]], rtol=1e-4) and moving_tensor.grad is None

# %% [markdown]
# **`.grad` adds up.** Another `backward` adds to what is there. Losses that are computed one after the other can so
# share a gradient, but in a loop of gradient descent one has to begin each step with `x.grad = None`, which is easily
# forgotten.

# %%
x = Tensor(3.0, requires_grad=True)
L = x * x
L.backward()
(x * x).backward()
assert float(x.grad) == 6 + 6

# %% [markdown]
# **What it refuses.** Our engine believes everything. The one of the project notices four mistakes that would otherwise
# give wrong numbers, or none, and says what to do.
#
# 1. A graph is used up by `backward`, which lets go of every VJP when it has been called, so that memory is free again
#    as early as possible. A second `backward` through the graph is refused.
# 2. A VJP such as `g * other` reads its array when it is called. If the array was changed after the forward, the
#    product is wrong. Every change by `x.data = ...` or `x.data -= ...` is counted, and `backward` compares the counts.
#    But if you write into elements, as in `x.data[0] = 5`, nothing is noticed, and the gradient is wrong.
# 3. Without a cotangent, `backward` begins with `dL/dL = 1`, which only makes sense for a single number.
# 4. From a Tensor that does not depend on anything with `requires_grad=True` there is no way back.

# %%
assert "freed" in refused(L.backward)
L = x * x
x.data -= 1.0
assert "changed" in refused(L.backward)
assert "cotangent" in refused((contrast_tensor * moving_tensor).backward)
assert "requires_grad" in refused((moving_tensor * moving_tensor).mean().backward)
L = (contrast_tensor * moving_tensor).mean()
moving_tensor.data[:] = 0
# Not refused, and what it adds to the gradient is the mean of the changed image.
assert refused(L.backward) is None and float(contrast_tensor.grad) == by_minireg[0]

# %% [markdown]
# ## What you know now
#
# - A computation is a graph. The derivative of `L` with respect to a value is the sum of the shares from its uses.
# - `g = dL/dy` is the cotangent of `y`; the VJP of a step takes it to `g_x = J^T g`, without forming `J`.
# - From the loss, one walk gives all derivatives; differences cost evaluations of the loss for every single number.
# - A value hands on its cotangent when all its uses have reported. Handing on earlier is exponential or wrong.
# - What the forward repeats, the backward adds up.
# - `minireg.autograd` does the same, and refuses a graph used up, an array assigned anew, and a loss that is no number.
#
# ## Exercises
#
# 1. `linear`: a matrix product and its two VJPs, in the form of the project.
# 2. `sum_to_shape`: undo any broadcasting, not only that of a number.
# 3. `topological_order`: an order in which one may walk back through a graph.
#
# Fill them in in `lessons/exercises/lesson_05.py` and run `python -m lessons.check 05` from the top folder.
#
# Every VJP in this lesson was one line. Those of warping and NCC are not, and one makes mistakes.
#
# Next: [6. Is this gradient right?](06_is_this_gradient_right.py), how one finds them.

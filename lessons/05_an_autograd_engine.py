# %% [markdown]
# # 5. An autograd engine in sixty lines
#
# **You need**: lesson 4 (a loss, its slope by the chain rule, gradient descent).
#
# **You will know**
#
# - how to find every derivative of a computation by walking back through it once;
# - what a cotangent and a VJP are, and how to write one;
# - in which order a program must walk, and what goes wrong in another;
# - what the walk costs, and what nudging costs.
#
# **Time**: reading 25 minutes, running under 10 seconds.

# %%
import inspect
import time

import numpy as np

import pictures
from lesson import Lesson, claim
from minireg import Tensor, backend, ops, viz
from minireg.data.strokes import draw_digits

lesson = Lesson(5)
seed = lesson.knob("seed", 25, (0, 1, 2), "other handwritings of the digit")
digit = lesson.knob("digit", 2, (3, 5, 7), "another digit to bend")
price = lesson.knob("price", 0.2, (0.5, 1), "the higher, the stiffer the field")

# %% [markdown]
# ## Nudge a number
#
# In lesson 4 you found one slope by hand. It took a page, and the next loss would take another. Can a program do it?
# At the end of this lesson yours bends a digit, and nobody has to derive its slopes.
#
# We begin with a single number. From `x` comes `y = 2 * x`, and from `y` the loss `L = y * y + y`. Nudge `x` a little:

# %% tags=["hide-input"]
figure, (axes,) = pictures.panels(1, aspect=0.22, width=8)
boxes = {
    "x": (0, 0, "x\n3 → 3.01", ""),
    "y": (3.2, 0, "y = 2 * x\n6 → 6.02", ""),
    "y y": (6.4, 1.3, "y * y\n36 → 36.2404", ""),
    "L": (9.8, 0, "L = y * y + y\n42 → 42.2604", ""),
}
arrows = [("x", "y", 0, "", ""), ("y", "y y", 0.25, "", ""), ("y", "y y", -0.25, "", "")]
arrows += [("y", "L", 0, "", ""), ("y y", "L", 0, "", "")]
pictures.graph(axes, boxes, arrows)
axes.set_title("x moves by 0.01. How far does L move?")
lesson.save(figure, "nudge")

# %% [markdown]
# The nudge travels along the arrows, from left to right. How much of it arrives?


# %%
def compute(x):
    y = 2 * x
    return y * y + y


for nudge in (1, 0.1, 0.01, 0.001):
    moved = compute(3 + nudge) - compute(3)
    print(f"x by {nudge:<5}  L by {moved:9.6f}, {moved / nudge:6.3f} times as far")

# %% [markdown]
# With smaller and smaller nudges we come to 26. That is the derivative: `dL/dx = 26`.
#
# ## Walk back, by hand
#
# Now the same number without a nudge. Look at one step at a time. `y = 2 * x` passes a nudge on twice as large. And
# `L`? It uses `y` three times: as the first factor of the product, as the second factor, and in the sum.
#
# **Before you run the next cell: what do you expect?** `y` is 6. If `y` moves by a little, `L` moves how many times as
# far: 6, 12, 13 or 36?

# %%
y = 6
dL_dy = y + y + 1  # as the first factor, as the second, in the sum
dL_dx = 2 * dL_dy
print(f"dL/dy = {dL_dy}, and so dL/dx = 2 * {dL_dy} = {dL_dx}")

# %% [markdown]
# <details><summary>Why 13</summary>
#
# If only the first factor moves, the product moves `y` times as far, for the second factor is 6. The same holds the
# other way round. The sum passes `y` on as it is. All three happen at once: 6 + 6 + 1.
#
# </details>

# %% tags=["hide-input"]
figure, (axes,) = pictures.panels(1, aspect=0.22, width=8)
boxes = {
    "x": (0, 0, "x = 3", "26"),
    "y": (3.2, 0, "y = 6", "13"),
    "y y": (6.4, 1.3, "y * y = 36", "1"),
    "L": (9.8, 0, "L = 42", "1"),
}
arrows = [("x", "y", 0, "← 2 · 13", ""), ("y", "y y", 0.25, "← 6", ""), ("y", "y y", -0.25, "← 6", "")]
arrows += [("y", "L", 0, "← 1", ""), ("y y", "L", 0, "← 1", "")]
pictures.graph(axes, boxes, arrows)
axes.set_title("Back from L: every arrow carries a share, and shares add up: 6 + 6 + 1 = 13")
lesson.save(figure, "shares")

# %% [markdown]
# The picture is called the [graph](../docs/glossary.md#graph) of the computation. Begin at `L`: it moves once as far as
# itself. Then go from right to left.
#
# The red number below a value is its **[cotangent](../docs/glossary.md#cotangent)**, written `g`. It says how far `L`
# moves if that value moves a little. Every use of a value sends a *share* back to it, and **the shares add up**.
#
# What turns the cotangent of a result into the shares of its inputs is called the **VJP** of the step. There is one for
# each input, and for our steps they are short:
#
# | step | share of `x` | share of `other` |
# |---|---|---|
# | `x + other` | `g` | `g` |
# | `x - other` | `g` | `-g` |
# | `x * other` | `g * other` | `g * x` |
#
# <details><summary>What the three letters stand for</summary>
#
# VJP is short for *vector-Jacobian product*. If a step takes `n` numbers to `m` numbers, its derivatives form a matrix
# `J` with `J[i, j] = dy_i / dx_j`, the Jacobian. By the chain rule `dL/dx_j` is the sum over `i` of `g_i J[i, j]`:
#
# $$
# g_x = J^T g
# $$
#
# The VJP computes this without ever forming `J`. [More](../docs/internals/autograd.md#one-operation).
#
# </details>
#
# ## Let the program take notes
#
# A `Value` remembers how it came about. Its `inputs` are what it was computed from. For each of them it keeps a VJP.


# %%
class Value:
    def __init__(self, data, inputs=(), vjps=()):
        self.data = np.asarray(data, dtype=np.float64)
        self.inputs = inputs
        self.vjps = vjps


def add(x, other):
    return Value(x.data + other.data, (x, other), (lambda g: g, lambda g: g))


def subtract(x, other):
    return Value(x.data - other.data, (x, other), (lambda g: g, lambda g: -g))


def multiply(x, other):
    vjps = (lambda g: g * other.data, lambda g: g * x.data)
    return Value(x.data * other.data, (x, other), vjps)


# Now one can write x + other, x - other, x * other.
Value.__add__, Value.__sub__, Value.__mul__ = add, subtract, multiply

x = Value(3.0)
y = Value(2.0) * x
L = y * y + y
print(f"L = {L.data}, computed from", *[value.data for value in L.inputs])

# %% [markdown]
# ## A first try
#
# Now walk back by program. Begin with the cotangent 1 at `L`. Whoever is visited hands a share to each of its inputs.
# An input that is met for the first time joins the queue of those to visit.


# %%
def when_first_met(output):
    cotangents = {output: 1.0}
    queue = [output]
    while queue:
        value = queue.pop(0)
        for source, vjp in zip(value.inputs, value.vjps, strict=True):
            if source not in cotangents:
                queue.append(source)
            cotangents[source] = cotangents.get(source, 0) + vjp(cotangents[value])
    return cotangents


print("dL/dx =", when_first_met(y * y + y)[x])

# %% [markdown]
# It works. Let us write the sum the other way round, to be sure.
#
# **Before you run the next cell: what do you expect?** `y + y * y` is the same number, 42. What is its derivative?

# %%
print("dL/dx =", when_first_met(y + y * y)[x])

# %% [markdown]
# <details><summary>What happened</summary>
#
# Now the walk met `y` first through the sum. So `y` had its turn before the product, when only the share 1 had arrived,
# and it handed on 2 times 1. Then came 6 and 6, too late. Before, the order was right by luck.
#
# </details>

# %% tags=["hide-input"]
figure, panels = pictures.panels(2, aspect=0.33, width=4.8)
titles = ["y too early: it hands on 1 of its 13", "y when all its uses have reported"]
turns = [{"L": "1st", "y": "2nd", "y y": "3rd"}, {"L": "1st", "y y": "2nd", "y": "3rd"}]
for axes, title, turn, share in zip(panels, titles, turns, ("2 · 1", "2 · 13"), strict=True):
    places = {"x": (0, 0), "y": (2.3, 0), "y y": (4.2, 1.4), "L": (6.3, 0)}
    texts = {"x": "x", "y": f"y\n{turn['y']}", "y y": f"y * y\n{turn['y y']}", "L": f"L\n{turn['L']}"}
    boxes = {name: (*places[name], texts[name], "") for name in places}
    arrows = [("x", "y", 0, f"← {share}", ""), ("y", "y y", 0.3, "6", ""), ("y", "y y", -0.3, "6", "")]
    arrows += [("y", "L", 0, "1", ""), ("y y", "L", 0, "1", "")]
    pictures.graph(axes, boxes, arrows)
    axes.set_title(title, fontsize=11)
lesson.save(figure, "order")

# %% [markdown]
# So the rule is: **a value hands on its cotangent only when all its uses have reported.** An order that obeys it is
# called *topological*.
#
# How does a program know? It counts the uses of every value beforehand. Each share that arrives is one less to wait
# for. At zero, the value is ready.
#
# ## The engine


# %%
def count_uses(output):
    uses = {output: 0}
    to_visit = [output]
    while to_visit:
        for source in to_visit.pop().inputs:
            if source not in uses:
                to_visit.append(source)
            uses[source] = uses.get(source, 0) + 1
    return uses


def backward(output):
    cotangents = {output: np.ones(())}  # dL/dL = 1
    waiting = count_uses(output)
    ready = [output]
    while ready:
        value = ready.pop()
        for source, vjp in zip(value.inputs, value.vjps, strict=True):
            share = vjp(cotangents[value])
            if source.data.ndim == 0:
                share = share.sum()  # for images: we come to that
            cotangents[source] = cotangents.get(source, 0) + share
            waiting[source] -= 1
            if waiting[source] == 0:
                ready.append(source)
    return cotangents


print("dL/dx =", backward(y * y + y)[x], "and", backward(y + y * y)[x])

# %% [markdown]
# That is the whole engine. Everything that follows, to the bent digit, is done by it. With the functions that bend the
# digit it will be fewer than sixty lines.
#
# ## From a number to an image
#
# A `Value` may hold an image as well. Take two handwritings of a digit, *moving* and *fixed* as always. Multiply the
# moving one by a contrast, and compare:

# %%
pair = draw_digits([digit, digit], np.random.default_rng(seed))[..., 0]
moving, fixed = Value(pair[0]), Value(pair[1])
contrast = Value(2.0)


def mean(x):
    n = x.data.size
    return Value(x.data.mean(), (x,), (lambda g: np.full(x.data.shape, g / n),))


def contrast_loss(moving, contrast, fixed, mean):
    difference = contrast * moving - fixed
    return mean(difference * difference)


L = contrast_loss(moving, contrast, fixed, mean)
g = backward(L)
print(f"dL/dcontrast = {g[contrast]:.4f}, dL/dmoving is an image {g[moving].shape}")

# %% tags=["hide-input"]
squares = L.inputs[0]
difference = squares.inputs[0]
scaled = difference.inputs[0]
stages = {"moving": moving, "times 2": scaled, "the difference": difference, "its square": squares}
of = ("moving", "times 2", "the difference", "the square")
figure, panels = pictures.panels(8, rows=2, width=2.2)
limit = np.abs(g[moving]).max()
for column, (title, value) in enumerate(stages.items()):
    pictures.show(panels[column], value.data, title, vmin=-0.5, vmax=2)
    pictures.show(panels[column + 4], g[value], f"cotangent of\n{of[column]}", cmap="RdBu_r", vmin=-limit, vmax=limit)
figure.suptitle(
    "Above: computed from left to right. Below: the cotangents, from right to left.\n"
    "Blue: brighter here lowers the loss. Red: it raises the loss",
    fontsize=11,
)
lesson.save(figure, "cotangents")
claim(np.array_equal(g[moving], 2 * g[scaled]), "the contrast 2 doubles the cotangent that it hands on")

# %% [markdown]
# The cotangent of an image is an image: one derivative for each pixel. Read the lower row from its right end. Each of
# the 784 squares counts alike in the mean: one pale red. The difference gets blue where the moving digit lacks ink, and
# red where it has too much. "Times 2" gets the same, and on the way to *moving* the contrast 2 doubles it.
#
# And the contrast? One number, used at every pixel. NumPy repeats it, which is called
# [broadcasting](../docs/glossary.md#broadcasting). Every pixel sends back a share, and shares add up: that is the line
# with `share.sum()`. **What the forward repeats, the backward adds up.** Nudging the contrast and each of the 784
# pixels, one by one, says the same:


# %% tags=["hide-input"]
def by_nudging(computed, value, h=1e-6):
    nudged = np.zeros(value.data.shape)
    for place in np.ndindex(value.data.shape):
        kept = value.data[place]
        value.data[place] = kept + h
        above = computed().data
        value.data[place] = kept - h
        nudged[place] = (above - computed().data) / (2 * h)
        value.data[place] = kept
    return nudged


again = lambda: contrast_loss(moving, contrast, fixed, mean)
for words, value in (("the contrast", contrast), ("all 784 pixels", moving)):
    claim(np.allclose(g[value], by_nudging(again, value), atol=1e-8), f"nudging {words} gives the engine's derivatives")
parts = (Value.__init__, add, subtract, multiply, mean, count_uses, backward)
lines = sum(len(inspect.getsource(part).splitlines()) for part in parts) + 2  # the class line and the operators
claim(lines <= 45, f"the engine takes {lines} lines")

# %% [markdown]
# ## What does it cost?
#
# **Before you run the next cell: what do you expect?** To nudge each of the 784 pixels to both sides, one
# computes the loss 1,568 times. How much work is it to walk back?

# %%
steps = sum(len(value.inputs) > 0 for value in count_uses(L))
arrows = sum(count_uses(L).values())
print(f"by nudging: 1,568 times {steps} = {1568 * steps:,} steps")
print(f"by walking: {steps} steps and {arrows} VJPs, for all derivatives at once")

# %% [markdown]
# <details><summary>Why so little</summary>
#
# Every arrow of the graph is walked once, however many pixels an image has. And a VJP is an operation on arrays of the
# same size as its step. So all derivatives together cost a few times what the loss costs.
#
# Walking in this direction is called the *reverse mode*. It pays because there is one loss and there are many inputs.
# With one input and many outputs one would walk forwards:
# [a page on that](../docs/internals/autograd.md#a-chain-why-backward).
#
# </details>


# %% tags=["hide-input"]
def seconds(call, times):
    shortest = np.inf
    for _ in range(3):
        began = time.perf_counter()
        for _ in range(times):
            call()
        shortest = min(shortest, time.perf_counter() - began)
    return shortest


measured = {"nudging": [], "walking back": []}
sides = (4, 8, 14, 20, 28)
for side in sides:
    part = Value(pair[0][:side, :side]), contrast, Value(pair[1][:side, :side]), mean
    measured["nudging"].append(seconds(lambda part=part: contrast_loss(*part), 2 * side * side))
    measured["walking back"].append(seconds(lambda part=part: backward(contrast_loss(*part)), 20) / 20)
pixels = [side * side for side in sides]
figure = pictures.curves(measured, "pixels of the image", "seconds", "xy", pixels)
figure.axes[0].set_title("Derivatives with respect to all pixels, timed on this machine", fontsize=10)
figure.axes[0].set_xticks(pixels, pixels)
figure.axes[0].set_xticks([], minor=True)
lesson.save(figure, "cost")

# %% [markdown]
# ## The engine of this project
#
# What you have built stands in `minireg/autograd.py`. A `Tensor` is our `Value`. An operation returns its output and
# its VJPs, `@op` takes the notes, and the docstring has both formulas:

# %%
print(inspect.getsource(ops.mul))

# %% [markdown]
# You say which Tensors need a derivative, and find it in their `.grad`. Our loss runs on it as it is:

# %%
tensors = [Tensor(backend.to_device(image)) for image in pair]
contrast_tensor = Tensor(2.0, requires_grad=True)
contrast_loss(tensors[0], contrast_tensor, tensors[1], ops.mean).backward()
same = np.isclose(float(contrast_tensor.grad), g[contrast], rtol=1e-4)
claim(same, "the project's engine finds the derivative that yours has found")

# %% [markdown]
# <details><summary>What it does that yours does not</summary>
#
# `.grad` adds up over several `backward`, so each step of a descent begins with `x.grad = None`. The graph is forgotten
# while it is walked. A second `backward` is refused, and so is one after `x.data = ...` has changed what a VJP wants to
# read. [The page on the engine](../docs/internals/autograd.md) has it all.
#
# </details>
#
# ## Bend a digit
#
# Now the reward. We need one new step: `ahead` and `behind`, the image shifted by a pixel. Its VJP shifts back.
#
# A pixel that wants to look a part `v` of a pixel to the side reads the parabola through itself and its two
# neighbours. That is products and sums, nothing else. Squares lie on a parabola, so halfway between 4 and 9 we should
# read 2.5 squared:


# %%
def shift(x, n, axis):
    return Value(np.roll(x.data, -n, axis), (x,), (lambda g: np.roll(g, n, axis),))


def look_aside(x, v, axis):
    ahead = shift(x, 1, axis)
    behind = shift(x, -1, axis)
    half = Value(0.5)
    return x + v * half * (ahead - behind) + v * v * half * (ahead - x - x + behind)


row = look_aside(Value([0, 1, 4, 9, 16]), Value(0.5), 0)
print("halfway between 4 and 9:", row.data[2])

# %% [markdown]
# The parabola knows only the next pixel to each side, so `v` should stay below 1. But parts of the digit lie further
# apart. So we look eight times, one after the other, every time with the same `v`: two images of numbers, one along the
# rows, one along the columns. Each number is used again and again, and your engine adds up all the shares.
#
# Both images are blurred a little first, which makes the valley wider.


# %% tags=["hide-input"]
def blurred(image):
    for axis in (0, 1, 0, 1):
        image = (np.roll(image, 1, axis) + 2 * image + np.roll(image, -1, axis)) / 4
    return image


soft = blurred(pair[0]), blurred(pair[1])
images = {"moving": pair[0], "fixed": pair[1], "moving, blurred": soft[0], "fixed, blurred": soft[1]}
figure = pictures.images_in_a_row(images)
lesson.save(figure, "pair")

# %% [markdown]
# Now downhill, as in lesson 4, with the mean squared difference. To it we add a `price` on roughness: neighbours that
# want to go different ways cost something. This changes the loss and all its slopes, and costs you a few lines.


# %%
def bend(image, v):
    for _ in range(8):
        image = look_aside(look_aside(image, v[0], 0), v[1], 1)
    return image


def roughness(v):
    down, right = shift(v, 1, 0) - v, shift(v, 1, 1) - v
    return mean(down * down + right * right)


def bending_loss(v):
    difference = bend(Value(soft[0]), v) - Value(soft[1])
    rough = roughness(v[0]) + roughness(v[1])
    return mean(difference * difference) + Value(price) * rough


numbers = np.zeros((2, 28, 28))
losses = []
for _ in range(200):
    v = [Value(numbers[0]), Value(numbers[1])]
    L = bending_loss(v)
    g = backward(L)
    numbers = numbers - 40 * np.stack([g[v[0]], g[v[1]]])
    losses.append(float(L.data))
print(f"{numbers.size} derivatives in every step")
print(f"the loss from {losses[0]:.4f} to {losses[-1]:.4f}")

# %% tags=["hide-input"]
v = [Value(numbers[0]), Value(numbers[1])]
stages, image = [pair[0]], moving
for _ in range(8):
    image = look_aside(look_aside(image, v[0], 0), v[1], 1)
    stages.append(image.data)
frames = {"moving": stages[0]} | {f"look {i}": stages[i] for i in range(1, 8)} | {"look 8": stages[8]}
figure = pictures.images_in_a_row(frames | {"fixed": pair[1]}, rows=2)
figure.suptitle("The moving digit becomes the fixed one. All derivatives are by your engine", fontsize=14)
lesson.save(figure, "bent")

# %% [markdown]
# Nobody has derived the slopes of this loss, and it is registration: a displacement for every pixel. How far does a
# pixel look, over all eight looks together? Your `look_aside` can tell: let it carry the displacement along, look
# after look (lesson 2's composition).


# %% tags=["hide-input"]
def displacement(numbers):
    v = [Value(numbers[0]), Value(numbers[1])]
    rows = columns = Value(np.zeros((28, 28)))
    for _ in range(8):
        rows, columns = look_aside(rows, v[0], 0) + v[0], look_aside(columns, v[0], 0)
        rows, columns = look_aside(rows, v[1], 1), look_aside(columns, v[1], 1) + v[1]
    return np.stack([rows.data, columns.data], axis=-1)


def folded(u):
    down, right = np.diff(u, axis=0)[:, :-1], np.diff(u, axis=1)[:-1]
    return ((1 + down[..., 0]) * (1 + right[..., 1]) - down[..., 1] * right[..., 0] <= 0).mean()


free = np.zeros((2, 28, 28))  # the same descent without a price
for _ in range(200):
    v = [Value(free[0]), Value(free[1])]
    difference = bend(Value(soft[0]), v) - Value(soft[1])
    L = mean(difference * difference)
    g = backward(L)
    free = free - 40 * np.stack([g[v[0]], g[v[1]]])

after = stages[-1] - pair[1]
after_free = bend(moving, [Value(free[0]), Value(free[1])]).data - pair[1]
u, u_free = displacement(numbers), displacement(free)
figure, panels = pictures.panels(5, width=2.2)
errors = {
    "moving - fixed": pair[0] - pair[1],
    f"bent - fixed,\nprice {price}": after,
    "bent - fixed,\nno price": after_free,
}
for axes, (title, error) in zip(panels, errors.items(), strict=False):
    pictures.show(axes, error, title, cmap="RdBu_r", vmin=-1, vmax=1)
for axes, title, field in zip(panels[3:], (f"price {price}", "no price"), (u, u_free), strict=True):
    pictures.show(axes, pair[0], f"where every pixel looks,\n{title}", vmax=2)
    viz.draw_warped_grid(axes, field, 2)
lesson.save(figure, "field")
claim(np.abs(numbers).max() < 1, "every single look reaches less than a pixel")
claim(losses[-1] < 0.2 * losses[0], "the loss has fallen to less than a fifth")
claim((np.diff(losses) < 0).all(), "every step went downhill")
start = ((pair[0] - pair[1]) ** 2).mean()
claim((after**2).mean() < 0.2 * start, "less than a fifth is left of the mean squared difference of the sharp digits")
claim((after_free**2).mean() < 0.2 * start, "without the price, too, less than a fifth of it is left")
claim(folded(u) == 0, "with the price the field folds nowhere")
claim(folded(u_free) > folded(u), "without the price the field folds in more places")
parts = (shift, look_aside, bend, roughness, bending_loss)
lines += sum(len(inspect.getsource(part).splitlines()) for part in parts)
claim(lines < 60, f"the engine and all the functions that bend the digit take {lines} lines, fewer than 60")

# %% [markdown]
# Red is where the field folds over itself. Without the price you have met this before: a fine match, a worthless field.
# What helps is one more term in the loss, and you had to derive no new slopes for it.
#
# ## Exercises
#
# Fill them in in `lessons/exercises/lesson_05.py`, then run `python -m lessons.check 05` from the top folder.
#
# 1. `sum_to_shape`: what was repeated is added up, for any shapes.
# 2. `topological_order`: an order in which one may walk back.
# 3. `linear`: a matrix product and its two VJPs. Ask of one element into which outputs it goes.
#
# **A small project.** Let your engine undo a blur. Make all pixels of an image unknown, blur it by `shift` and sums,
# compare it with a blurred digit, and walk down. Draw the image every 50 steps. What comes back, and what never does?
#
# ## What comes next
#
# Your VJPs were one line each, and one can see that they are right. Those of warping and NCC are not so kind.
# [6. Is this gradient right?](06_is_this_gradient_right.py) shows how to find out.

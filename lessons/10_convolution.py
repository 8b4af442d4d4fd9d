# %% [markdown]
# # 10. Convolution
#
# - **You need**: lesson 5 ([VJPs](../docs/glossary.md#vjp)), lesson 6 (the
#   [adjoint](../docs/glossary.md#adjoint) test); the product of two matrices.
# - **You will know**: what one layer of a network computes; how a gradient comes back through it, to the image and to
#   the weights; how a kernel learns.
# - **Time**: reading 25 minutes, running under 10 seconds.
#
# On the left is a handwritten digit. The other two images were made from it, with nine numbers each. Bright is above 0,
# dark is below. At the end of this lesson you find those numbers, from examples alone and with your own gradient. A
# network learns in the same way, only with many more numbers. So: **what does one layer compute, and how does a
# gradient come back through it?**

# %%
import time

import numpy as np

import pictures
from lesson import Lesson, claim
from minireg import Tensor, backend, ops
from minireg.data.strokes import draw_digits

lesson = Lesson(10)
seed = lesson.knob("seed", 0, (1, 2, 3), "other handwritings, another first kernel")
digit = lesson.knob("digit", 5, (2, 3, 8), "another digit")
examples = lesson.knob("examples", 10, (1, 3), "digits to learn from")

# %% tags=["hide-input"]
rng = np.random.default_rng(seed)
image = draw_digits([digit], rng)[0].astype(float)  # (28, 28, 1): one channel
ask_right = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
secret = np.stack([ask_right, ask_right.T], axis=-1)[:, :, None]  # (3, 3, 1, 2)


def make(image):
    """What the secret numbers make of an image."""
    tensors = (backend.to_device(array) for array in (image[None], secret))
    return backend.to_host(ops.conv2d(*tensors).data)[0]


grey = {"vmin": -4, "vmax": 4}
figure, axes = pictures.panels(3)
pictures.show(axes[0], image[..., 0], "a digit")
pictures.show(axes[1], make(image)[..., 0], "made by nine numbers", **grey)
pictures.show(axes[2], make(image)[..., 1], "made by nine others", **grey)
lesson.save(figure, "secret")

# %% [markdown]
# ## By hand
#
# Five pixels in a line, and a *kernel* of three weights. Lay the kernel on the first three pixels, multiply, add up.
# Then move it on by one.
#
#     line    0   1   4   4   0
#     kernel -1   0   1             -1*0 + 0*1 + 1*4 =  4
#            .   -1   0   1         -1*1 + 0*4 + 1*4 =  3
#            .   .   -1   0   1     -1*4 + 0*4 + 1*0 = -4
#
# The kernel asks everywhere the same question: by how much is it brighter on the right than on the left? Five pixels
# have three answers, as the kernel has to fit. (Often zeros are put around an image first. Then it keeps its size.)
#
# An image works alike, with a window of rows and columns. A pixel may hold several numbers, its
# [channels](../docs/glossary.md#channel). A layer asks several questions at once, each across all channels: the image
# is (H, W, C_in) and the weights are (kh, kw, C_in, C_out).


# %%
def by_loops(x, weight):
    kh, kw, _, c_out = weight.shape
    y = np.zeros((x.shape[0] - kh + 1, x.shape[1] - kw + 1, c_out))
    for i, j in np.ndindex(*y.shape[:2]):
        window = x[i : i + kh, j : j + kw]
        for d in range(c_out):
            y[i, j, d] = np.sum(window * weight[..., d])
    return y


line = np.array([0.0, 1, 4, 4, 0]).reshape(1, 5, 1)
kernel = np.array([-1.0, 0, 1]).reshape(1, 3, 1, 1)
print("the line:", by_loops(line, kernel).ravel())


# %% tags=["hide-input"]
def write_numbers(axes, kernel):
    """Write each weight where it stands, in a colour that one can read there."""
    for (i, j), value in np.ndenumerate(kernel):
        colour = "black" if value >= 0 else "white"
        axes.text(j, i, f"{value + 0.0:.2g}", ha="center", va="center", color=colour)


kernels = {
    "mean": np.full((3, 3), 1 / 9),
    "copy": np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "lower right": np.array([[0.0, 0, 0], [0, 0, 0], [0, 0, 1]]),
    "against the mean": np.full((3, 3), -1 / 9) + np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]),
}
layer = np.stack(list(kernels.values()), axis=-1)[:, :, None]
answers = by_loops(image, layer)
figure, axes = pictures.panels(8, aspect=0.9, rows=2, width=2.1)
for d, name in enumerate(kernels):
    pictures.show(axes[d], layer[:, :, 0, d], name, vmin=-1, vmax=1)
    write_numbers(axes[d], layer[:, :, 0, d])
    pictures.show(axes[4 + d], answers[..., d], vmin=-1, vmax=1)
lesson.save(figure, "questions")

# %% [markdown]
# Four questions, four images: together one layer with C_out = 4. The last one asks how much a pixel stands out from its
# surroundings. And look at the third: the 1 is at the lower right, and the digit has moved to the *upper left*. Each
# output has fetched the pixel at its lower right. It is lesson 1 again: images are pulled.
#
# Here somebody has written the weights. In a trained network nobody has.
#
# ## One matrix product
#
# Loops are slow. Write each window as one *row* of a long table, and each question as one *column* of weights. Row
# times column means: multiply and add up. So the whole layer is one product of two matrices. The line again:
#
#     0 1 4     -1        4
#     1 4 4  x   0    =   3
#     4 4 0      1       -4


# %%
def patches(x, kh, kw):
    # What each output pixel sees: (rows, columns, kh * kw * C_in).
    rows = x.shape[0] - kh + 1
    columns = x.shape[1] - kw + 1
    shifted = [x[i : i + rows, j : j + columns] for i, j in np.ndindex(kh, kw)]
    return np.concatenate(shifted, axis=-1)


def convolve(x, weight):
    kh, kw, c_in, c_out = weight.shape
    return patches(x, kh, kw) @ weight.reshape(kh * kw * c_in, c_out)


# Random numbers in 8 channels, as they may come from the layer before.
features = rng.standard_normal((28, 28, 8))
weight = rng.standard_normal((3, 3, 8, 16))
seconds = []
results = []
for function in by_loops, convolve:
    start = time.perf_counter()
    results.append(function(features, weight))
    seconds.append(time.perf_counter() - start)
print(f"{weight.size} weights, {results[0].size * 3 * 3 * 8} multiplications")
print(f"loops {1000 * seconds[0]:.1f} ms, product {1000 * seconds[1]:.1f} ms")
claim(np.allclose(*results), "the product gives what the loops give")

# %% [markdown]
# ## A single 1
#
# y depends on the image *linearly*. So one learns all about a convolution by showing it a single 1. Take the kernel
# (1, 2, 3), whose numbers one can tell apart.
#
# **Before you run the next cell: what do you expect?** The line is (0, 0, 1, 0, 0). What comes out?
#
# And backwards: the middle one of the three outputs has the [cotangent](../docs/glossary.md#cotangent) 1, the others 0.
# How much does each of the five pixels matter to it?

# %%
kernel = np.array([1.0, 2, 3]).reshape(1, 3, 1, 1)
units = np.eye(5).reshape(5, 1, 5, 1)  # a 1 at each of the five pixels
matrix = np.stack([convolve(unit, kernel).ravel() for unit in units], axis=-1)
print(matrix)
print("forward, a 1 at the middle pixel:  ", matrix @ np.array([0, 0, 1, 0, 0]))
print("backward, a 1 at the middle output:", np.array([0, 1, 0]) @ matrix)

# %% [markdown]
# <details><summary>The answer</summary>
#
# Forward, a 1 becomes (3, 2, 1): the kernel *turned round*. The first output sees the 1 with its last weight.
# Backward, a 1 becomes 0, 1, 2, 3, 0: the kernel as it is. Those are the weights with which this output has read the
# pixels. Forward reads a column of the matrix, backward a row.
#
# </details>
#
# The same in two dimensions. (Here the engine of the project goes back. Your own way back follows below.)

# %% tags=["hide-input"]
hook = np.array([[1.0, 0.2, 0.2], [1, 0, 0], [1, 0.7, 0.7]])
single = np.zeros((7, 7, 1))
single[3, 3] = 1
blank = Tensor(backend.to_device(np.zeros((1, 9, 9, 1))), requires_grad=True)
ops.conv2d(blank, backend.to_device(hook[..., None, None])).backward(backend.to_device(single[None]))
figure = pictures.images_in_a_row(
    {
        "a kernel": hook,
        "a single 1": single[..., 0],
        "forward, it becomes": np.pad(convolve(single, hook[..., None, None])[..., 0], 1),
        "backward, it becomes": backend.to_host(blank.grad)[0, 1:-1, 1:-1, 0],
    }
)
lesson.save(figure, "single")

# %% [markdown]
# So a convolution turns the kernel round, and going back leaves it as it is. Now suppose you want to go back *with a
# convolution*. It would turn the kernel. Give it the kernel turned already, and the two turns cancel. **The backward of
# a convolution is a convolution, with the kernel turned round.** And a cotangent with many numbers is a sum of single
# ones.
#
# As a formula: output p reads pixel q with the weight q - p. So pixel q gets, from all outputs that have read it,
#
#     g_x[q] = sum over p of  weight[q - p] * g[p]
#
# Now p counts up while the weight counts down: this is the turn. Channels go backwards too, from C_out to C_in, so they
# change places. And zeros go around g, since also the outermost pixel was read.


# %%
def vjp_x_by_loops(g, weight):
    # Each output hands its cotangent to all pixels that it has read.
    kh, kw, c_in, _ = weight.shape
    g_x = np.zeros((g.shape[0] + kh - 1, g.shape[1] + kw - 1, c_in))
    for i, j in np.ndindex(*g.shape[:2]):
        g_x[i : i + kh, j : j + kw] += weight @ g[i, j]
    return g_x


def vjp_x(g, weight):
    kh, kw = weight.shape[:2]
    turned = weight[::-1, ::-1].swapaxes(2, 3)
    around = np.pad(g, ((kh - 1, kh - 1), (kw - 1, kw - 1), (0, 0)))
    return convolve(around, turned)


g = rng.standard_normal((26, 26, 16))
print(f"<A x, g>  = {np.sum(convolve(features, weight) * g):.9f}")
print(f"<x, A* g> = {np.sum(features * vjp_x(g, weight)):.9f}")
same = np.allclose(vjp_x(g, weight), vjp_x_by_loops(g, weight))
claim(same, "going back by loops and by a convolution gives the same")

# %% [markdown]
# ## Break it: forget the turn
#
# **Before you run the next cell: what do you expect?** Four kernels, and a backward that does not turn them. Which pass
# the adjoint test? It must give the same number twice.

# %%
tried = {
    "mean": np.full((3, 3), 1 / 9),
    "bump": np.outer([1.0, 2, 1], [1.0, 2, 1]),
    "edges": ask_right,
    "random": rng.standard_normal((3, 3)),
}
x = rng.standard_normal((28, 28, 1))
g = rng.standard_normal((26, 26, 1))
ratios = {}
print("kernel      <A x, g>   <x, no turn>")
for name, kernel in tried.items():
    kernel = kernel[:, :, None, None]
    left = np.sum(convolve(x, kernel) * g)
    right = np.sum(x * vjp_x(g, kernel[::-1, ::-1]))
    ratios[name] = right / left
    print(f"{name:7} {left:12.6f} {right:12.6f}")

# %% [markdown]
# <details><summary>The answer</summary>
#
# Mean and bump look the same after half a turn, so nobody sees the mistake. Turned by half, the edge kernel is its own
# negative: the gradient has the wrong sign *exactly*, and descent climbs. The random kernel gives any number.
#
# </details>
#
# A test with symmetric numbers is blind to a turn. Test with random ones.
#
# ## The gradient of the weights
#
# A weight is used at every place. So its derivative is a sum over all places, of what it met there times the cotangent
# there. On the line, (0, 1, 4, 4, 0), with the cotangent (1, 0, 2):
#
#     first weight     1*0 + 0*1 + 2*4 = 8
#     second weight    1*1 + 0*4 + 2*4 = 9
#     third weight     1*4 + 0*4 + 2*0 = 4
#
# In the table of patches, what one weight has met is one column. So all these sums are again one matrix product:
# `table.T @ g`.


# %%
def vjp_weight(g, x, kh, kw):
    table = patches(x, kh, kw).reshape(-1, kh * kw * x.shape[-1])
    g_weight = table.T @ g.reshape(-1, g.shape[-1])
    return g_weight.reshape(kh, kw, x.shape[-1], g.shape[-1])


g_line = np.array([1.0, 0, 2]).reshape(1, 3, 1)
print("by hand 8, 9, 4; by product", vjp_weight(g_line, line, 1, 3).ravel())
g = rng.standard_normal((26, 26, 16))
left = np.sum(convolve(features, weight) * g)
right = np.sum(weight * vjp_weight(g, features, 3, 3))
claim(np.isclose(left, right), "the gradient of the weights passes the adjoint test")

# %% [markdown]
# The same test serves, because y is linear in the weights as well.
#
# ## Learn it
#
# Now for the secret. You have some digits, side by side in one long image, and what the secret numbers made of them.
# Begin with random kernels. Compare, go back, take a step downhill. That is all.


# %%
def learn(x, wanted, steps=3000, rate=0.8):
    weight = np.random.default_rng(seed).standard_normal((3, 3, 1, 2))
    path = [weight]
    losses = []
    for _ in range(steps):
        error = convolve(x, weight) - wanted
        losses.append(np.mean(error * error))
        g = 2 * error / error.size
        weight = weight - rate * vjp_weight(g, x, 3, 3)
        path.append(weight)
    return path, losses


digits = draw_digits(rng.integers(0, 10, examples), rng).astype(float)
strip = np.concatenate(digits, axis=1)
path, losses = learn(strip, make(strip))
for step in 0, 100, 2999:
    print(f"after {step:4} steps the loss is {losses[step]:.6f}")
print("the first kernel:")
print(path[-1][:, :, 0, 0].round(2) + 0.0)  # no -0

# %% tags=["hide-input"]
stages = 0, 10, 100, 3000
figure, axes = pictures.panels(15, aspect=0.85, rows=3, width=2.1)
columns = [(f"after {step} steps", path[step]) for step in stages] + [("the secret", secret)]
for k, (title, weight_then) in enumerate(columns):
    pictures.show(axes[k], weight_then[:, :, 0, 0], title, vmin=-2, vmax=2)
    write_numbers(axes[k], weight_then[:, :, 0, 0].round(1))
    edges = convolve(image, weight_then)
    pictures.show(axes[5 + k], edges[..., 0], **grey)
    pictures.show(axes[10 + k], np.linalg.norm(edges, axis=-1), vmax=4)
for row, name in enumerate(("first kernel", "what it answers", "both kernels: edges")):
    axes[5 * row].set_ylabel(name)
lesson.save(figure, "learning")

# %% [markdown]
# A kernel has learned to find edges, and you have not written one of its weights. The digit in the picture was not
# among the examples. In the last row, both answers are taken as an arrow, and its length is shown: an outline.
#
# Look at 100 steps. The image is nearly right, and the kernel is not! Neighbouring pixels are much alike, so different
# kernels give nearly the same answers. You have met this before: *a perfect match, a worthless field*. Here, more steps
# help. In a network, one seldom knows what the right weights would be.
#
# <details><summary>The name of the secret</summary>
#
# It is the Sobel kernel, of 1968: in one direction a difference, in the other a small blur, (1, 2, 1). The blur makes
# it less sensitive to noise.
#
# </details>

# %% tags=["evidence", "hide-cell"]
claim(losses[100] < 0.02 * losses[0], "100 steps take off 98 % of the loss")
gap = convolve(image, path[100] - secret)
claim(np.mean(gap**2) < 0.03 * np.mean(make(image) ** 2), "after 100 steps the image is nearly right")
claim(np.abs(path[100] - secret).max() > 0.5, "after 100 steps a weight is still wrong by more than a half")
claim(np.abs(path[-1] - secret).max() < 0.1, "after 3,000 steps all weights are right to a tenth")
claim(np.allclose([ratios["mean"], ratios["bump"], ratios["edges"]], [1, 1, -1]), "two pass, and one changes its sign")
claim(abs(ratios["random"] - 1) > 0.01, "a random kernel shows that the turn was forgotten")
claim(np.allclose(answers[..., 2], image[2:, 2:, 0]), "the 1 at the lower right only moves the image")
claim(seconds[1] < seconds[0], "the product is faster than the loops")
claim(np.array_equal(by_loops(line, np.array([-1.0, 0, 1]).reshape(1, 3, 1, 1)).ravel(), [4, 3, -4]), "y is 4, 3, -4")

# %% [markdown]
# ## The project's convolution
#
# `ops.conv2d` takes a whole [batch](../docs/glossary.md#batch), and can move the kernel on by more than one pixel: a
# *stride*. Does it agree with you?

# %%
x_there = Tensor(backend.to_device(features[None]), requires_grad=True)
weight_there = Tensor(backend.to_device(weight), requires_grad=True)
y = ops.conv2d(x_there, weight_there)
y.backward(backend.to_device(g[None]))
g_x = backend.to_host(x_there.grad)
g_weight = backend.to_host(weight_there.grad)
claim(np.allclose(backend.to_host(y.data)[0], convolve(features, weight)), "y is yours")
claim(np.allclose(g_x[0], vjp_x(g, weight)), "the gradient of the image is yours")
same = np.allclose(g_weight, vjp_weight(g, features, 3, 3))
claim(same, "the gradient of the weights is yours")

# %% [markdown]
# [How it saves memory](../docs/internals/convolution.md), and what strides do to the formulas, is in the docs.
#
# ## What you know now
#
# - A layer asks every place the same questions. It is a table of patches times a matrix of weights.
# - Back to the image: a convolution with the kernel turned round and the channels exchanged.
# - Back to the weights: a sum over all places, `table.T @ g`.
# - Test with random numbers. What is symmetric hides a turn.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_10.py` and run `python -m lessons.check 10` from the top folder.
#
# 1. `convolve_in_steps`: with a stride. Stride 2 halves an image.
# 2. `back_from_steps`: its VJP with respect to the image. It makes a small image large again.
# 3. `find_kernel`: the secret numbers, without 3,000 steps.
#
# **A small project**, without a check: let a kernel of 5 x 5 learn from pairs of your own, such as blurred digits and
# sharp ones. Show what it has learned. Which pairs can no kernel learn?
#
# ## What comes next
#
# Your two first exercises are the two halves of a network: one makes images small, the other makes them large again.
# [Lesson 11](11_the_encoder_decoder.py) puts them together into an encoder and a decoder, which look at two digits and
# give a displacement field.

# %% [markdown]
# # 11. The encoder-decoder
#
# - **You need**: lesson 5 ([VJPs](../docs/glossary.md#vjp)), lesson 9 (a price on roughness), lesson 10 (convolution).
# - **You will know**: why a network makes images small and then large again; how its weights begin; how Adam walks; how
#   to write all of it.
# - **Time**: reading 25 minutes, running under 20 seconds.
#
# The red square is one and the same place in two digits. In the fixed one it is ink. So from where shall it fetch its
# ink in the moving one? Through a window of 3 x 3 pixels there is nothing to see.

# %%
import math

import numpy as np

import pictures
from lesson import Lesson, claim
from minireg import Tensor, backend, losses, models, nn, ops, optim, viz
from minireg.data.strokes import draw_digits
from minireg.fields import corner_determinants

lesson = Lesson(11)
seed = lesson.knob("seed", 0, (1, 2, 4), "other handwritings, other first weights")
pair = lesson.knob("pair", (3, 5), ((2, 2), (3, 8), (4, 9)), "which becomes which")
steps = lesson.knob("steps", 150, (10, 50, 400), "of training")

# %% tags=["hide-input"]
rng = np.random.default_rng(seed)
moving, fixed = draw_digits(list(pair), rng)[..., 0].astype(float)


def square(axes, place, size, colour):
    """The outline of size x size pixels around a place."""
    (row, column), half = place, size / 2
    rows, columns = row + half * np.array([-1, -1, 1, 1, -1]), column + half * np.array([-1, 1, 1, -1, -1])
    axes.plot(columns, rows, color=colour, linewidth=2)


# Of the ink of the fixed digit, the pixel that has the longest way to ink of the moving one.
ink, wanted = np.argwhere(moving > 0.5), np.argwhere(fixed > 0.5)
ways = np.linalg.norm(wanted[:, None] - ink[None], axis=-1).min(axis=1)
place, way = wanted[np.argmax(ways)], ways.max()
print(f"the nearest ink is {way:.1f} pixels away")
figure, axes = pictures.panels(4)
for k, (name, image) in enumerate({"moving": moving, "fixed": fixed}.items()):
    pictures.show(axes[k], image, name)
    square(axes[k], place, 3, "tab:red")
    window = np.pad(image, 1)[place[0] : place[0] + 3, place[1] : place[1] + 3]
    pictures.show(axes[2 + k], window, f"{name}, through the window")
lesson.save(figure, "window")

# %% [markdown]
# **How does one go from two images to two numbers for every pixel, in one glance?** By layers of convolutions. One
# layer is too short-sighted. So put several behind one another.
#
# ## What a number can see
#
# Three outputs of a layer, side by side, see 3 windows that overlap: 5 pixels. So after two layers a number sees 5 x 5
# pixels, after three 7 x 7. This square is its *receptive field*. It grows slowly.
#
# Now let the kernel move on by two pixels each time (*stride* 2). Each layer halves the image.
#
# **Before you run the next cell: what do you expect?** How wide is the square after three layers that halve: 7, 9, 15
# or 27?


# %% tags=["hide-input"]
def tensor(array):
    return Tensor(backend.to_device(np.array(array, float)), requires_grad=True)


def host(x):
    return backend.to_host(x.data)


def width_seen(layers, stride):
    """Go back from one number behind these layers: how wide is the square of pixels that get a share?"""
    y = image = tensor(np.zeros((1, 28, 28, 1)))
    for _ in range(layers):
        y = ops.conv2d(y, tensor(np.ones((3, 3, 1, 1))), stride=stride, padding=1)
    g = np.zeros(y.shape)
    g[0, 16 // stride**layers, 16 // stride**layers] = 1
    y.backward(backend.to_device(g))
    return int(np.sum(np.any(backend.to_host(image.grad)[0, ..., 0], axis=0)))


figure, axes = pictures.panels(2)
for panel, stride in zip(axes, (1, 2), strict=True):
    widths = [width_seen(layers, stride) for layers in (1, 2, 3)]
    print(f"stride {stride}: after 1, 2 and 3 layers a number sees {widths[0]}, {widths[1]} and {widths[2]} pixels")
    pictures.show(panel, moving, f"stride {stride}: {widths[0]}, {widths[1]}, {widths[2]} pixels")
    for size, colour in zip(widths, ("tab:red", "tab:orange", "tab:green"), strict=True):
        square(panel, (16, 16), size, colour)
claim(widths == [3, 7, 15], "with halving, three layers see 15 pixels")
lesson.save(figure, "seen")

# %% [markdown]
# <details><summary>The answer</summary>
#
# 15. After one halving, neighbours are 2 pixels apart, after two 4. So the second layer adds 2 pixels on each side, and
# the third 4: 3 + 2 * 2 + 2 * 4. With stride 1 each layer adds one.
#
# </details>
#
# An *encoder* halves: fewer and fewer places, which see more and more. To lose less, it asks more questions at each of
# them: more [channels](../docs/glossary.md#channel). But every pixel wants its own answer. So a *decoder* doubles,
# until the answers are as large as the image.
#
# The simplest doubling repeats each pixel 2 x 2 times. Its VJP: each pixel was used four times, and shares add up.
#
#     x       doubled       g             g_x
#     1 2     1 1 2 2       1 2 3 4       1+2+5+6 = 14    3+4+7+8 = 22
#             1 1 2 2       5 6 7 8
#
# (`tensor` and `host`, in the folded cell above, carry arrays into the engine and back.)


# %%
def double(x):
    return x.repeat(2, axis=0).repeat(2, axis=1)


small = np.array([[1.0, 2.0]])
print(double(small))
there = tensor(small[None, ..., None])
g = np.arange(1.0, 9.0).reshape(1, 2, 4, 1)
ops.upsample_nearest(there, 2).backward(backend.to_device(g))
print("g_x of the engine:", backend.to_host(there.grad).ravel())

# %% [markdown]
# ## Something bent
#
# Take the line of lesson 10, and two small kernels, one after the other. Then take a single kernel, (1, 0, -1).
#
#     line              0   1   4   4   0
#     kernel  1  1      1   5   8   4
#     kernel  1 -1     -4  -3   4
#     kernel  1 0 -1   -4  -3   4           on the line itself
#
# The same! Two convolutions in a row are one convolution. A hundred layers could say no more than one. And what they
# say of two digits would be a sum, one field for the moving digit and one for the fixed digit. They could never
# *compare* them. So something bent has to stand between two layers.

# %% tags=["hide-input"]
right = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
five = np.zeros((5, 5))
for i, j in np.ndindex(3, 3):
    five[i : i + 3, j : j + 3] += right[i, j] * right.T


def ask(image, kernel):
    image, kernel = (backend.to_device(np.array(array)) for array in (image[None, ..., None], kernel[..., None, None]))
    return host(ops.conv2d(image, kernel, padding="same"))[0, ..., 0]


answer = ask(moving, right)
in_a_row = {
    "moving": moving / 0.15,
    "first kernel": answer,
    "then the second": ask(answer, right.T) / 3,
    "one kernel of 5 x 5": ask(moving, five) / 3,
    "bent between the two": ask(np.where(answer > 0, answer, 0.1 * answer), right.T) / 3,
}
figure = pictures.images_in_a_row(in_a_row, vmin=-4, vmax=4)
lesson.save(figure, "bent")
negative = np.where(answer < 0, -answer, -0.1 * answer)  # what the first kernel and the bend make of -moving
by_bend = in_a_row["bent between the two"] + ask(negative, right.T) / 3
x = tensor([-4.0, -3.0, 4.0])
ops.leaky_relu(x, 0.1).backward(backend.to_device(np.array([1.0, 2.0, 3.0])))
claim(np.allclose(backend.to_host(x.grad), [0.1, 0.2, 3]), "the VJP of the leaky ReLU is (.1, .2, 3)")
claim(np.abs(by_bend).max() > 1, "with a bend, the negative of a digit does not give the negative of the answer")
claim(np.allclose(in_a_row["then the second"], in_a_row["one kernel of 5 x 5"]), "two convolutions are one")

# %% [markdown]
# The *leaky ReLU* leaves what is above 0, and lets a tenth through of what is below:
#
#     x              -4    -3     4
#     leaky(x)      -.4   -.3     4
#     g               1     2     3
#     g_x            .1    .2     3         g times the slope where x was
#
# In the last picture, the second kernel meets the bright edges of the first one, and hardly the dark ones. No single
# kernel can do that. And why not 0 below? Where the slope is 0, nothing goes back, and a weight may never move again.
#
# ## The network
#
# A layer owns its weights, and one number more for each channel that is added everywhere, the *bias*. (So the gradient
# of a bias is the sum of g over all places.)


# %%
class Conv:
    def __init__(self, c_in, c_out, rng, stride=1):
        deviation = math.sqrt(2 / (9 * c_in))
        self.weight = tensor(deviation * rng.standard_normal((3, 3, c_in, c_out)))
        self.bias = tensor(np.zeros(c_out))
        self.stride = stride

    def __call__(self, x):
        return ops.conv2d(x, self.weight, self.bias, self.stride, padding=1)


class EncoderDecoder:
    def __init__(self, rng):
        halve = [Conv(2, 8, rng, stride=2), Conv(8, 16, rng, stride=2)]
        self.encoder = [*halve, Conv(16, 16, rng)]
        self.decoder = [Conv(16, 8, rng), Conv(8, 8, rng)]
        self.last = Conv(8, 2, rng)
        self.last.weight.data = 0.1 * self.last.weight.data
        self.layers = [*self.encoder, *self.decoder, self.last]

    def parameters(self):
        return [p for layer in self.layers for p in (layer.weight, layer.bias)]

    def __call__(self, moving, fixed):
        x = ops.concatenate([moving, fixed], axis=-1)
        for layer in self.encoder:
            x = ops.leaky_relu(layer(x), 0.1)
        for layer in self.decoder:
            x = ops.leaky_relu(layer(ops.upsample_nearest(x, 2)), 0.1)
        return self.last(x)


images = [backend.to_device(image[None, ..., None]) for image in (moving, fixed)]
network = EncoderDecoder(np.random.default_rng(seed))
first_field = host(network(*images))
count = sum(p.data.size for p in network.parameters())
print(f"u has the shape {first_field.shape}; the network has {count} numbers to learn")


# %% tags=["hide-input"]
def stages_of(network):
    """What each layer makes of the pair, from the images to u."""
    stages = [np.concatenate([backend.to_host(image) for image in images], axis=-1)]
    for layer in network.layers:
        x = backend.to_device(stages[-1])
        y = layer(ops.upsample_nearest(x, 2) if layer in network.decoder else x)
        stages.append(host(y if layer is network.last else ops.leaky_relu(y, 0.1)))
    return stages


def tiles(stage, rows, gap=2):
    """All channels (H, W, C) in rows, between white lines, on a scale from -1 to 1."""
    height, width, channels = stage.shape
    framed = np.pad(stage / np.abs(stage).max(), ((gap, 0), (0, gap), (0, 0)), constant_values=np.nan)
    table = framed.reshape(height + gap, width + gap, rows, channels // rows)
    return table.transpose(2, 0, 3, 1).reshape(rows * (height + gap), -1)


figure, (panel,) = pictures.panels(1, aspect=0.23, width=11, above=0.2)
names = "moving\nfixed", "halved", "halved", "looked\nagain", "doubled", "doubled", "u"
left = 0
for stage, rows, name in zip(stages_of(network), (2, 4, 8, 8, 4, 2, 2), names, strict=True):
    drawn = tiles(stage[0], rows)
    across = left, left + drawn.shape[1]
    panel.imshow(drawn, cmap="RdBu_r", vmin=-1, vmax=1, extent=(*across, 74, 74 - drawn.shape[0]), aspect="equal")
    panel.text(sum(across) / 2 - 1, 79, name, ha="center", va="top", fontsize=9)
    left += drawn.shape[1] + 14
    if name != "u":
        panel.annotate("", (left - 2, 42), (left - 14, 42), arrowprops={"arrowstyle": "-|>", "color": "0.4"})
panel.set(xlim=(-3, left), ylim=(96, -2))
panel.set_axis_off()
lesson.save(figure, "network")
looked_at = tensor(moving[None, ..., None])
in_the_middle = np.zeros(first_field.shape)
in_the_middle[0, 14, 14] = 1
network(looked_at, images[1]).backward(backend.to_device(in_the_middle))
seen = np.any(backend.to_host(looked_at.grad)[0, ..., 0] != 0, axis=0)
print(f"in the middle, a number of u sees {np.sum(seen)} of the 28 columns")
nothing = backend.to_device(np.zeros((1, 28, 28, 1)))
alone = (images[0], nothing), (nothing, images[1])
both, *each = (host(network.layers[0](ops.concatenate(two, axis=-1))) for two in (images, *alone))
claim(np.allclose(both, sum(each)), "without a bend, the answer to two digits is a sum of two answers")

# %% [markdown]
# From left to right: the two digits; 8 channels of half the size; 16 of a quarter; once more 16, to see further; then
# back; at last two numbers for every pixel. All of it is drawn to scale, red above 0, blue below. Nothing has been
# learnt yet, so the questions are random.
#
# ## How weights begin
#
# Why random? And what is the root of 2 / (9 * c_in) in `Conv`?
#
# **Before you run the next cell: what do you expect?** Let all weights and biases begin at 0. The loss is that of
# lesson 9. Which of the layers get a gradient that is not 0?


# %%
def loss_of(network, moving, fixed):
    u = network(moving, fixed)
    warped = ops.warp(moving, u)
    loss = 1 - ops.ncc(warped, fixed).mean() + 0.1 * losses.diffusion(u)
    return loss, warped


zero = EncoderDecoder(np.random.default_rng(seed))
for p in zero.parameters():
    p.data = 0 * p.data
loss_of(zero, *images)[0].backward()
from_zero = [np.abs(backend.to_host(p.grad)).max() for p in zero.parameters()]
for k in range(6):
    largest = f"weights {from_zero[2 * k]:.4f}, biases {from_zero[2 * k + 1]:.4f}"
    print(f"largest gradients of layer {k + 1}: {largest}")

# %% [markdown]
# <details><summary>The answer</summary>
#
# Only the two biases of the last layer. All weights of the last layer meet inputs that are 0, so their gradient is 0.
# And nothing goes back through weights that are 0. So all that this network can learn is two numbers, one displacement
# for all pixels: a *translation*. It can do no more than you in lesson 4, whatever its size.
#
# </details>
#
# So begin at random. But how large?

# %% tags=["hide-input"]
sizes = {}
for name, factor in ("four times too large", 4), ("as in Conv", 1), ("four times too small", 0.25):
    started = EncoderDecoder(np.random.default_rng(seed))
    started.last.weight.data = 10 * started.last.weight.data
    for layer in started.layers:
        layer.weight.data = factor * layer.weight.data
    sizes[name] = [np.sqrt(np.mean(stage * stage)) for stage in stages_of(started)]
    print(f"{name}: the field has a size of {sizes[name][-1]:.2g} pixels")
figure = pictures.curves(sizes, "layer (0: the images, 6: the field)", "typical size of a number", "y")
lesson.save(figure, "sizes")
large, as_in_conv, little = (size[-1] for size in sizes.values())
claim(large > 500 and little < 0.001, "four times too much gives hundreds of pixels, and too little next to nothing")
claim(0.1 < as_in_conv < 1, "weights as in Conv keep the size")
quiet = EncoderDecoder(np.random.default_rng(seed))
quiet.last.weight.data = 0 * quiet.last.weight.data
loss_of(quiet, *images)[0].backward()
*before, at_last = (np.abs(backend.to_host(layer.weight.grad)).max() for layer in quiet.layers)
claim(at_last > 0 and not any(before), "if only the last layer begins at 0, it is the first to get a gradient")

# %% [markdown]
# Four times too much in each of six layers is 4^6 = 4096. Then pixels look a thousand pixels away, where all is black
# and nothing has a slope. Four times too little, and nothing arrives; nor do gradients, on the way back.
#
# In between there is a size that stays the same from layer to layer. An output adds up `fan_in = 9 * c_in` products.
# Products of random sign cancel, but their *squares* add up:
#
#     mean(y * y) = fan_in * mean(w * w) * mean(x * x)
#
# Then the leaky ReLU takes away about half of that, nearly all that is below 0. To make up for both, `mean(w * w)` must
# be `2 / fan_in`. With 8 channels that is 2 / 72 = 1/36, so weights around 1/6. This is *He's* start, of 2015.
#
# The last layer begins ten times smaller. So the first field is nearly 0: at first, pixels look at themselves.
#
# <details><summary>And if only the last layer begins at 0?</summary>
#
# That works, and many networks do it, the default one of this project too. The inputs of the last layer are not 0, so
# its weights get a gradient. After the first step they are no longer 0, and the layers before them get one, too.
#
# </details>
#
# ## A narrow valley
#
# Now descend: `p - rate * g`. For networks it is called *SGD*. (S is for *stochastic*: from lesson 12 on, chance picks
# the pairs.) One rate has to fit all weights. Take two, a and b, and the loss (100 a a + b b) / 2. Its gradient is
# (100 a, b).


# %%
class SGD:
    def __init__(self, parameters, rate):
        self.parameters = parameters
        self.rate = rate

    def step(self):
        for p in self.parameters:
            p.data = p.data - self.rate * p.grad


p = tensor([1.0, 1.0])
p.grad = backend.to_device(np.array([100.0, 1.0]))
SGD([p], rate=0.019).step()
print("from (1, 1) to", host(p))


# %% tags=["hide-input"]
def walk(kind, rate, count=100):
    """Steps down the valley, from (1, 1)."""
    steep = backend.to_device(np.array([100.0, 1.0]))
    p = tensor([1.0, 1.0])
    walker = kind([p], rate)
    path = [host(p).copy()]
    for _ in range(count):
        p.grad = steep * p.data
        walker.step()
        path.append(host(p).copy())
    return np.array(path)


def draw_walks(walks):
    figure, axes = pictures.panels(len(walks), width=2.9)
    a, b = np.meshgrid(np.linspace(-1.3, 1.3, 100), np.linspace(-0.6, 1.2, 100))
    for panel, (name, path) in zip(axes, walks.items(), strict=True):
        heights = [0.02, 0.1, 0.3, 1, 4, 12, 30, 60]
        panel.contour(a, b, (100 * a * a + b * b) / 2, heights, colors="0.75")
        panel.plot(*path.T, "o-", color="tab:red", markersize=3, linewidth=1)
        panel.plot(0, 0, "+", color="black", markersize=12)
        panel.set(xlabel="a", ylabel="b", box_aspect=0.9, xlim=(-1.3, 1.3), ylim=(-0.6, 1.2))
        panel.set_title(name, fontsize=10)
    return figure


walks = {f"SGD, rate {rate}, {n} steps": walk(SGD, rate, n) for rate, n in ((0.002, 100), (0.019, 100), (0.021, 12))}
figure = draw_walks(walks)
lesson.save(figure, "valley")

# %% [markdown]
# With a small rate, SGD finds the floor of the valley, and then hardly moves along it. At .019 it leaps past the floor,
# from a = 1 to -.9, and to and fro; along b it crawls all the same. A bit more, and it is thrown out.
#
# ## Adam
#
# *Adam* keeps two running means for each weight: m of g, and v of g * g. By hand, with g = 100 and then -100:
#
#     m = .9 * 0  + .1 * 100 = 10        v = .999 * 0  + .001 * 10000 = 10
#     m = .9 * 10 - .1 * 100 = -1        v = .999 * 10 + .001 * 10000 = 19.99
#
# Both begin at 0, so both are too small at first: 10 is no mean of a single 100. After t steps, what came into m has
# weights that add up to 1 - .9^t, and for v to 1 - .999^t. To be fair, divide by that. After the first step: 10 / .1 =
# 100, and 10 / .001 = 10000. With these fair means the step is `p - rate * m / sqrt(v)`.
#
# **Before you run the next cell: what do you expect?** How far does the first step go for a weight with g = 100, and
# for one with g = 1? And the second step, if the gradients are now -100 and 1?


# %%
class Adam:
    def __init__(self, parameters, rate):
        self.parameters = parameters
        self.rate = rate
        self.m = [0 * p.data for p in parameters]
        self.v = [0 * p.data for p in parameters]
        self.t = 0

    def step(self):
        self.t += 1
        for k, p in enumerate(self.parameters):
            self.m[k] = 0.9 * self.m[k] + 0.1 * p.grad
            self.v[k] = 0.999 * self.v[k] + 0.001 * p.grad * p.grad
            m = self.m[k] / (1 - 0.9**self.t)
            v = self.v[k] / (1 - 0.999**self.t)
            # The 1e-8: if all gradients were 0, nothing is divided by 0.
            p.data = p.data - self.rate * m / (v**0.5 + 1e-8)


p = tensor([1.0, 1.0])
adam = Adam([p], rate=0.1)
for gradient in [100.0, 1.0], [-100.0, 1.0]:
    before = host(p)
    p.grad = backend.to_device(np.array(gradient))
    adam.step()
    print("gradients", gradient, "move by", (host(p) - before).round(4))

# %% tags=["hide-input"]
walks |= {"Adam": walk(Adam, 0.05), "the project's Adam": walk(optim.Adam, 0.05)}
both = {"SGD, rate 0.019": walk(SGD, 0.019), "Adam, rate 0.05": walks["Adam"]}
figure = draw_walks(both)
lesson.save(figure, "adam")
fresh = EncoderDecoder(np.random.default_rng(seed))
loss_of(fresh, *images)[0].backward()
slopes = [np.sqrt(np.mean(backend.to_host(p.grad) ** 2)) for p in fresh.parameters()]
print(f"in the network, typical gradients go from {min(slopes):.4f} in one layer to {max(slopes):.4f} in another")

# %% [markdown]
# <details><summary>The answer</summary>
#
# By the rate, both! Fair m is g, and the root of fair v is the size of g. What remains is the sign.
#
# The second time, 100 and -100 nearly cancel: m / .19 is -5.3, against a root of 100. So this weight moves by a
# twentieth of the rate. The other one goes on by the rate.
#
# </details>
#
# Adam measures each weight by its own gradients. So for Adam the valley is *round*, and it walks straight down. And
# the network has such valleys: its gradients differ much in size from layer to layer.
#
# ## Train it
#
# Look, compare, go back, take a step. Three rates for SGD, and one for Adam.


# %%
def train(network, optimiser):
    curve = []
    film = []
    for _ in range(steps):
        loss, warped = loss_of(network, *images)
        for p in network.parameters():
            p.grad = None
        loss.backward()
        optimiser.step()
        curve.append(loss.item())
        film.append(host(warped)[0, ..., 0])
    return curve, film


runs = {}
tried = (SGD, 0.03), (SGD, 0.1), (SGD, 0.3), (Adam, 0.01)
for kind, rate in tried:
    network = EncoderDecoder(np.random.default_rng(seed))
    runs[kind.__name__, rate] = train(network, kind(network.parameters(), rate))
    print(f"{kind.__name__}, rate {rate}: loss {runs[kind.__name__, rate][0][-1]:.3f}")

# %% tags=["hide-input"]
frames = range(0, steps, max(1, steps // 75))
views = runs["SGD", 0.1][1], runs["Adam", 0.01][1]
film = [np.hstack([*(view[k] for view in views), fixed]) for k in [*frames, steps - 1]]
lesson.animate(film, "film")

# %% tags=["hide-input"]
figure, axes = pictures.panels(2, width=3.4)
for (kind, rate), (curve, _) in runs.items():
    axes[0].plot(curve, label=f"{kind}, rate {rate}")
axes[0].set(xlabel="step", ylim=(0, None), box_aspect=1)
axes[0].set_title("loss", fontsize=10)
axes[0].legend(frameon=False)
axes[0].spines[["top", "right"]].set_visible(False)
pictures.show(axes[1], moving, "moving, and where every pixel looks", vmax=2)
u = host(network(*images))
viz.draw_warped_grid(axes[1], u[0])
lesson.save(figure, "curves")
folded = np.sum(np.min(corner_determinants(u), axis=0) <= 0)
ends = [curve[-1] for curve, _ in runs.values()]
claim(ends[-1] < min(ends[:-1]), "Adam comes further down than SGD with each of the three rates")
print(f"folded cells: {folded}")

stages = [0, steps // 15, steps // 8, steps // 4, steps - 1]
figure = pictures.images_in_a_row({f"Adam, step {k}": views[1][k] for k in stages} | {"fixed": fixed})
lesson.save(figure, "stages")

# %% [markdown]
# In seconds the network has learnt to turn a three into a five. In the film, SGD is on the left, Adam in the middle.
# You have written every part of it.
#
# And now be honest. Give it another pair, of the same digits. Then its own pair again, the other way round.

# %% tags=["hide-input"]
tests = {
    "its own pair": (moving, fixed),
    "another pair": draw_digits(list(pair), rng)[..., 0].astype(float),
    "exchanged": (fixed, moving),
}
scores = {}
figure, axes = pictures.panels(9, rows=3, width=1.7, above=0.15)
for k, (name, (first, second)) in enumerate(tests.items()):
    a, b = (backend.to_device(image[None, ..., None]) for image in (first, second))
    warped = ops.warp(a, network(a, b))
    scores[name] = ops.ncc(a, b).item(), ops.ncc(warped, b).item()
    print(f"{name}: NCC {scores[name][0]:.3f} before, {scores[name][1]:.3f} after")
    titles = ("moving", "warped", "fixed") if k == 0 else ("", "", "")
    for panel, image, title in zip(axes[3 * k :], (first, host(warped)[0, ..., 0], second), titles, strict=False):
        pictures.show(panel, image, title)
    axes[3 * k].set_ylabel(name)
lesson.save(figure, "honest")
gains = [after - before for before, after in scores.values()]
claim(gains[0] > 2 * gains[1], "another pair gains less than half of what its own pair gains")
claim(gains[2] < 0, "exchanged, the match gets worse")

# %% [markdown]
# It has learnt *this pair*, and not how to register. It never had a reason to look closely: one answer was enough. And
# some cells of its field fold; a price on roughness alone is no cure, as in lesson 9.

# %% tags=["evidence", "hide-cell"]
claim(not any(from_zero[:-1]) and from_zero[-1] > 0, "from zero, only the biases of the last layer get a gradient")
claim(np.abs(first_field).max() < 0.5, "at first no pixel looks further than half a pixel away")
claim(np.all(np.abs(walks["Adam"] @ [1, -1]) < 1e-6), "Adam walks straight, although the valley is narrow")
claim(folded > 0, "some cells of the field fold")
claim(max(slopes) > 10 * min(slopes), "gradients of one layer are more than 10 times as large as those of another")

# %% [markdown]
# ## The project's parts

# %%
same = np.allclose(walks["Adam"], walks["the project's Adam"])
claim(same, "optim.Adam walks through the valley as yours does")
layer = nn.Conv2d(8, 1000, 3, np.random.default_rng(seed))
print(f"nn.Conv2d with 8 channels: weights around {host(layer.weight).std():.4f}")
of_2020 = models.EncoderDecoder(np.random.default_rng(seed))
count = sum(p.data.size for p in of_2020.parameters())
print(f"models.EncoderDecoder has {count} numbers to learn")

# %% [markdown]
# `nn.Module` is the base of all its layers and networks. It looks through the attributes of an object and finds the
# parameters by itself, so nobody has to list them. `models.EncoderDecoder` is built as yours, only larger: the network
# of 2020, with which this project began. [Training](../docs/internals/training.md) derives Adam, and what came after.
#
# <details><summary>The whole way back, without an engine</summary>
#
# You know every step of it. From the loss to the first layer:
#
# | forward | what goes back | from |
# |---|---|---|
# | 1 - NCC | -1 times the formula | lesson 8 |
# | warping | g times the slopes where each pixel looks | lesson 7 |
# | 0.1 times the roughness | 0.1 times the springs, added to the line above | lesson 9 |
# | a bias | to itself: the sum of g over all places and images | here |
# | convolution, to its weights | `table.T @ g` | lesson 10 |
# | convolution, to its input | each output hands g to all pixels that it read, also with stride 2 | lesson 10 |
# | zeros put around | cut them off again | [adjoint](../docs/glossary.md#adjoint) |
# | doubling | the sum of each 2 x 2 block | here |
# | leaky ReLU | g, or a tenth of it where the input was below 0 | here |
#
# Keep what the forward has computed: its inputs are needed on the way back. And the two images need no gradient. With
# Adam it is one file of plain NumPy. With the same start, its losses must be those of `train`.
#
# For a batch, loop over its images, or put them behind one another: pixel (n, i, j) has the number (n * H + i) * W +
# j. With a stride s, the patches are `x[i : i + s * rows : s, j : j + s * columns : s]`; `+=` into such a slice is
# safe, as no pixel stands in it twice. Check each step alone first, as in lesson 6. A whole network has thousands of
# kinks, so check that with a step of 1e-8 or less, and expect fewer digits.
#
# </details>
#
# ## What you know now
#
# - An encoder halves, so that few layers see far. A decoder doubles, so that every pixel gets its answer.
# - Between two convolutions something has to bend, or they are one.
# - Weights begin at random, with `mean(w * w) = 2 / fan_in`; the last layer small.
# - Adam divides each mean gradient by its own size. A step is about as long as the rate.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_11.py` and run `python -m lessons.check 11` from the top folder.
#
# 1. `receptive_field`: how far a number sees, for any kernels and strides.
# 2. `adam_step`: Adam as a function. Try to write it from memory.
# 3. `back_through_block`: a small layer, bent and doubled. What do its weights and biases get?
#
# **A small project**, without a check: how small can the network get? Take away channels and layers until it can no
# longer turn your three into a five. Draw the loss against the number of weights.
#
# ## What comes next
#
# A network that knows one pair is no better than the descent of lesson 9. What if it sees other pairs in each step?
# [Lesson 12](12_mnist_2020_reproduced.py) trains one on many, and then shows it digits that it has never seen.

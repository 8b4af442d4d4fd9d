# %% [markdown]
# # 19. The survey's classifier
#
# - **You need**: lesson 3 (NCC), lesson 5 (cotangents and VJPs), lesson 11 (networks, Adam).
# - **You will know**: how scores become probabilities; a loss whose gradient is p - y; which pixels decide; what
#   registration does for a classifier.
# - **Time**: reading 20 minutes, running half a minute.
#
# In the first row are six test digits. Below each is the image of *another* digit that NCC finds most like it, and then
# the image of the *same* digit that it finds least like it. Likeness does not say which digit it is. **Can the parts
# that you have built tell digits apart, and can they say why?**

# %%
if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()  # one thread is quicker for small matrices

import matplotlib.pyplot as plt
import numpy as np

import pictures
from lesson import Lesson, claim, digits_at_hand
from minireg import Tensor, backend, classify, no_grad, ops
from minireg.fields import warp_images
from minireg.nn import Conv2d, Linear, Module
from minireg.optim import Adam, cosine_schedule

lesson = Lesson(19)
seed = lesson.knob("seed", 0, (1, 2, 3), "other first weights, other batches")
turn = lesson.knob("turn", 30, (0, 45, 90), "degrees; 90 is more than is searched")
steps = lesson.knob("steps", 800, (50, 200), "of training; fewer err more")

# %% tags=["hide-input"]
digits = digits_at_hand()
images, labels = digits.split("train")
test, truth = digits.split("test")
labels, truth = labels.astype(int), truth.astype(int)

some, of_some = test[:1000], truth[:1000]
flat = some.reshape(len(some), -1)
flat = (flat - flat.mean(axis=1, keepdims=True)) / flat.std(axis=1, keepdims=True)
likeness = flat @ flat.T / flat.shape[1]
same = of_some[:, None] == of_some
like_other = np.where(same, -1, likeness).max(axis=1)
chosen = []
for i in np.argsort(-like_other):
    other = np.argmax(np.where(same[i], -1, likeness[i]))
    if {of_some[i], of_some[other]} not in [{of_some[k], of_some[m]} for k, m in chosen]:
        chosen.append((i, other))
figure, axes = pictures.panels(18, rows=3, width=1.3, above=0.25)
for k, (i, other) in enumerate(chosen[:6]):
    unlike = np.argmin(np.where(same[i], likeness[i], 1))
    for panel, shown in zip(axes[k::6], (i, other, unlike), strict=True):
        name = f"{of_some[shown]}" if shown == i else f"{of_some[shown]}: NCC {likeness[i, shown]:.2f}"
        pictures.show(panel, some[shown, ..., 0], name)
for panel, name in zip(axes[::6], ("a digit", "another one", "the same one"), strict=True):
    panel.set_ylabel(name)
lesson.save(figure, "alike")

# %% [markdown]
# ## Three scores, by hand
#
# A network that shall tell three classes apart ends in three numbers, the *scores* z. They may be any numbers; the
# largest one wins. How sure is it? Make all of them positive, and divide by their sum:
#
#     scores z      1.79   1.10   0
#     e^z              6      3   1        sum 10
#     p               .6     .3  .1
#
# This is [softmax](../docs/glossary.md#softmax). Now comes the truth. *How surprised are you?* At a certainty, p = 1,
# not at all. For two images, probabilities multiply, and surprises should add up. So take -ln p of the true class:
#
#     the truth is class 0      -ln .6 =  .51
#     the truth is class 2      -ln .1 = 2.30
#
# Averaged over images, this is [cross-entropy](../docs/glossary.md#cross-entropy).
#
# A survey of deep learning for registration, from which the project has its classifier
# ([`classify/`](../minireg/classify/loss.py)), introduces losses with these probabilities. But it takes half of the
# squared distance from the truth, y = (1, 0, 0). The formula is right. The number that the survey prints is .24. By
# hand:
#
#     ((1 - .6)**2 + .3**2 + .1**2) / 2 = (.16 + .09 + .01) / 2 = .13


# %%
def softmax(z):
    e = np.exp(z)
    return e / np.sum(e, axis=-1, keepdims=True)


def surprise(z):
    return -np.log(softmax(z)[0])  # the truth is class 0


def half_square(z):
    y = np.array([1, 0, 0])
    return np.sum((y - softmax(z)) ** 2) / 2


z = np.log([6.0, 3.0, 1.0])
print("p:", softmax(z).round(3))
print(f"surprise {surprise(z):.2f}, half squared distance {half_square(z):.2f}")

# %% [markdown]
# Both fall to 0 as p comes closer to the truth. Does it matter which one you descend on?
#
# **Before you run the next cell: what do you expect?** Let a network be wrong, and surer and surer: scores (0, k, 0),
# while the truth is class 0. How much does each loss ask of the first score? (Here a quotient tells.)


# %%
def slope(loss, z, h=1e-6):
    first = np.array([h, 0, 0])
    return (loss(z + first) - loss(z - first)) / (2 * h)


print(" k   surprise      slope half square      slope")
for k in 0, 1, 2, 5, 10, 15:
    z = np.array([0.0, k, 0.0])
    row = surprise(z), slope(surprise, z), half_square(z), slope(half_square, z)
    print(f"{k:2}", *(f"{number:10.4f}" for number in row))

# %% tags=["hide-input"]
across = np.linspace(-6, 15, 200)
figure, axes = pictures.panels(2, aspect=0.62, width=4)
for loss, name in (surprise, "surprise"), (half_square, "half squared distance"):
    at = [np.array([0.0, k, 0.0]) for k in across]
    axes[0].plot(across, [loss(z) for z in at], label=name)
    axes[1].plot(across, [slope(loss, z) for z in at], label=name)
for panel, title in zip(axes, ("loss", "slope with the true score"), strict=True):
    panel.set(xlabel="score of a wrong class", title=title)
    panel.spines[["top", "right"]].set_visible(False)
axes[0].legend(frameon=False)
lesson.save(figure, "losses")
example, sure = np.log([6.0, 3.0, 1.0]), np.array([0.0, 15.0, 0.0])
claim(np.allclose(softmax(example), [0.6, 0.3, 0.1]), "the three scores have the probabilities .6, .3 and .1")
claim(round(half_square(example), 2) == 0.13, "the survey's worked loss is .13")
claim(abs(slope(half_square, sure)) < 1e-5 and slope(surprise, sure) < -0.999, "sure and wrong, the square is flat")

# %% [markdown]
# <details><summary>The answer</summary>
#
# Where it is wrong and sure, the squared distance is flat. It has reached its largest value, 1, and asks for nothing.
# From its worst mistakes such a network learns nothing. The surprise goes on to grow, and its slope goes to -1.
#
# </details>
#
# (The survey, too, trains its network with cross-entropy.)
#
# ## p - y
#
# Where does that slope come from? Write the loss out. The logarithm undoes the exponential:
#
#     -ln(e^z_y / sum e^z) = ln(sum e^z) - z_y
#
# The derivative of ln(sum e^z) by a score z_k is e^z_k / sum e^z. That is p_k. The other term takes 1 from the true
# score. So the gradient is **p - y**:
#
#     p        .6   .3   .1
#     y         1    0    0
#     p - y   -.4   .3   .1
#
# Each score is pushed by as much as its probability is off. All pushes together are 0.
#
# One trap: e^1000 is too large for a computer, and softmax becomes inf / inf. But e^(z - c) has the same shares for
# every c. So subtract the largest score first. Then nothing is above e^0. And since a small p may become 0, whose
# logarithm is infinite, the loss takes ln(sum e^z) - z_y at once.

# %%
with np.errstate(all="ignore"):
    print("as it was:", softmax(np.array([1000.0, 999.0])))


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def cross_entropy(z, labels):
    lowered = z - np.max(z, axis=-1, keepdims=True)
    true = lowered[np.arange(len(z)), labels]
    return np.log(np.sum(np.exp(lowered), axis=-1)) - true


def vjp_cross_entropy(g, z, labels):
    p_minus_y = softmax(z)
    p_minus_y[np.arange(len(z)), labels] -= 1
    return g[:, None] * p_minus_y


print("lowered:  ", softmax(np.array([1000.0, 999.0])).round(3))
print("p - y:    ", vjp_cross_entropy(np.ones(1), np.log([[6.0, 3.0, 1.0]]), [0]))

# %% tags=["hide-input"]
rng = np.random.default_rng(seed)
z, direction = rng.standard_normal((2, 5, 10))
g = rng.standard_normal(5)
h = 1e-6
rise = cross_entropy(z + h * direction, truth[:5])
fall = cross_entropy(z - h * direction, truth[:5])
judge = np.sum(g * (rise - fall)) / (2 * h)
by_hand = np.sum(vjp_cross_entropy(g, z, truth[:5]) * direction)
print(f"random cotangent and direction: by hand {by_hand:.6f}, quotient {judge:.6f}")
claim(np.isclose(by_hand, judge, atol=1e-6), "p - y is right")


def scores_of(network, images):
    with no_grad():
        parts = np.array_split(images, -(-len(images) // 250))
        parts = [network(Tensor(backend.to_device(part))) for part in parts]
    return np.concatenate([backend.to_host(part.data) for part in parts])


# %% [markdown]
# ## All ten digits
#
# The network is half of an encoder-decoder, the half that makes images small, and two matrix products: `Linear` is
# `x @ weight + bias`. The training is that of lesson 11. (Its rate was chosen on validation images.) Your gradient
# starts it: p - y, over the number of images, is the cotangent of the scores. From there the engine walks back.


# %%
class Network(Module):
    def __init__(self):
        rng = np.random.default_rng(seed)
        self.to_14 = Conv2d(1, 16, 5, rng, stride=2, padding=2)
        self.to_7 = Conv2d(16, 32, 5, rng, stride=2, padding=2)
        self.dense = Linear(32 * 7 * 7, 64, rng)
        self.last = Linear(64, 10, rng)

    def forward(self, images):
        x = ops.relu(self.to_14(images))
        x = ops.relu(self.to_7(x))
        x = ops.relu(self.dense(ops.flatten(x, start_dim=1)))
        return self.last(x)


def train(network, images, labels, steps, rate=0.006):
    optimiser = Adam(network.parameters(), lr=rate)
    rate_at = cosine_schedule(rate, steps, warmup=steps // 10)
    rng = np.random.default_rng(seed)
    for step in range(steps):
        batch = rng.integers(len(images), size=64)
        scores = network(Tensor(backend.to_device(images[batch])))
        z = backend.to_host(scores.data)
        g = vjp_cross_entropy(np.full(64, 1 / 64), z, labels[batch])
        network.zero_grad()
        scores.backward(backend.to_device(np.float32(g)))
        optimiser.lr = rate_at(step)
        optimiser.step()


network = Network()
z = scores_of(network, test)
print(f"untrained: surprise {np.mean(cross_entropy(z, truth)):.2f}")
train(network, images, labels, steps)
z = scores_of(network, test)
says = np.argmax(z, axis=1)
accuracy = np.mean(says == truth)
print(f"trained:   surprise {np.mean(cross_entropy(z, truth)):.2f}")
print(f"{len(test)} test images, {100 * accuracy:.2f} % right")

# %% tags=["hide-input"]
table = np.zeros((10, 10), int)
np.add.at(table, (truth, says), 1)
figure = plt.figure(figsize=(10, 3.6), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1, 1.7))
panel, wrong = left.subplots(), table - np.diag(np.diag(table))
panel.imshow(np.where(np.eye(10), np.nan, wrong), cmap="Reds")
for i, j in np.ndindex(10, 10):
    if table[i, j]:
        colour = "white" if wrong[i, j] > 0.6 * wrong.max() else "black"
        panel.text(j, i, table[i, j], ha="center", va="center", fontsize=6 if i == j else 8, color=colour)
panel.set(xticks=range(10), yticks=range(10), xlabel="the network says", ylabel="the truth")
panels = right.subplots(2, 4).ravel()
worst = np.argsort(-cross_entropy(z, truth))[:8]
for panel, i in zip(panels, worst, strict=True):
    pictures.show(panel, test[i, ..., 0], f"{truth[i]}; it says {says[i]} ({softmax(z[i])[says[i]]:.2f})")
lesson.save(figure, "confusion")
claim(accuracy > 0.98, "of all ten digits, more than 98 % are right")

# %% tags=["hide-input"]
questions = np.array([(4, 9), (9, 4), (3, 5), (5, 3), (8, 3), (7, 2), (0, 6), (1, 7)])
first = [np.flatnonzero((truth == a) & (says == a))[:1] for a, _ in questions]
eight = test[np.concatenate(first) if all(map(len, first)) else np.arange(8)]

# %% [markdown]
# A row of the table holds all images of one digit, and on the diagonal are those that it got right. Beside it are the
# eight test images that surprised it most. Which of them would have surprised you?
#
# ## Which pixels decide?
#
# A four, and the network says so. Why not a nine? Ask for the *margin*: the score of the four less the score of the
# nine. Its cotangents are +1 and -1. Walk back from there, as always, but do not stop at the weights. Walk on to the
# pixels, as lesson 7 walked on to a field. The gradient there says how the margin grows if a pixel gets brighter. Times
# the pixel, it says what its ink does for the margin, in a first approximation. This is called
# [saliency](../docs/glossary.md#saliency).


# %%
def saliency(network, images, one, other):
    pixels = Tensor(backend.to_device(images), requires_grad=True)
    scores = network(pixels)
    g = np.zeros(scores.shape, np.float32)
    g[np.arange(len(images)), one] += 1
    g[np.arange(len(images)), other] -= 1
    scores.backward(backend.to_device(g))
    return backend.to_host(pixels.grad)


of_ink = saliency(network, eight, *questions.T) * eight
print("for the margins the ink does", of_ink.sum(axis=(1, 2, 3)).round(1))

# %% tags=["hide-input"]
figure, axes = pictures.panels(16, rows=2, width=1.4, above=0.15)
for k, (one, other) in enumerate(questions):
    pictures.show(axes[k], eight[k, ..., 0], f"{one}, not {other}")
    shares = of_ink[k, ..., 0]
    limit = 0.7 * np.abs(shares).max() or 1
    pictures.show(axes[8 + k], shares, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes[8 + k].contour(eight[k, ..., 0], [0.5], colors="0.4", linewidths=0.7)
lesson.save(figure, "saliency")

# %% [markdown]
# Red ink speaks for the digit, blue ink for the other one. (What is *not* there decides, too. A four is open at the
# top. But where no ink is, this product is 0.) Now the proof. A digit has about a hundred pixels of ink. Erase some: at
# random, or those that speak most for it, against the class that comes second.
#
# **Before you run the next cell: what do you expect?** How many may you erase before the network errs?

# %% tags=["hide-input"]
asked, answer = test[:500], truth[:500]
without_true = scores_of(network, asked)
without_true[np.arange(500), answer] = -np.inf
second = np.argmax(without_true, axis=1)
decisive = saliency(network, asked, answer, second) * asked
by_chance = np.where(asked > 0.5, rng.random(asked.shape), 0)


# %%
def after_erasing(order, count):
    erased = asked.copy().reshape(500, -1)
    which = np.argsort(-order.reshape(500, -1), axis=1)[:, :count]
    np.put_along_axis(erased, which, 0, axis=1)
    z = scores_of(network, erased.reshape(asked.shape))
    return np.mean(np.argmax(z, axis=1) == answer)


print("erased   at random   decisive ones")
for count in 0, 5, 10, 15, 20, 30:
    row = after_erasing(by_chance, count), after_erasing(decisive, count)
    print(f"{count:6} {100 * row[0]:9.1f} % {100 * row[1]:13.1f} %")

# %% tags=["hide-input"]
most, few = after_erasing(by_chance, 30), after_erasing(decisive, 15)
claim(most > 0.88, "thirty pixels erased at random cost fewer than 12 digits of 100")
claim(few < 0.65, "fifteen decisive ones make a third of all digits fall, or more")

# %% [markdown]
# <details><summary>The answer</summary>
#
# Thirty at random cost a few digits of a hundred. But of the decisive ones, fifteen or so make half of all digits fall.
# So the gradient has found what this network looks at. (Whether it is what *you* look at, the picture tells. And it
# needs the truth, to know for whom the ink shall speak.)
#
# </details>
#
# ## Break it
#
# **Before you run the next cell: what do you expect?** Move all test digits by a few pixels. Their shapes stay as they
# are. (From four pixels on, some ink leaves the image.)

# %% tags=["hide-input"]
HALF = 13.5  # from the middle to the outermost pixels


def field(turn, down, right):
    """Where each pixel looks, so that the image is turned about its middle, by degrees, and then moved."""
    rows, columns = np.indices((28, 28)) - HALF
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    r, c = rows - down, columns - right
    return np.float32(np.stack([cosine * r - sine * c - rows, sine * r + cosine * c - columns], axis=-1))


def field_back(turn, down, right):
    """The same, undone."""
    rows, columns = np.indices((28, 28)) - HALF
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    r, c = cosine * rows + sine * columns + down, cosine * columns - sine * rows + right
    return np.float32(np.stack([r - rows, c - columns], axis=-1))


def pulled(images, u):
    """Each image read along u, one for all or one for each. Beyond the paper all is black."""
    frame = (0, 0), (1, 1), (1, 1), (0, 0)
    u = np.pad(np.broadcast_to(u, (len(images), 28, 28, 2)), frame, mode="edge")
    return warp_images(np.pad(images, frame), u)[:, 1:-1, 1:-1]


# %%
def right_of(images):
    return np.mean(np.argmax(scores_of(network, images), axis=1) == answer)


for pixels in range(7):
    down = right_of(pulled(asked, field(0, pixels, 0)))
    left = right_of(pulled(asked, field(0, 0, -pixels)))
    print(f"moved by {pixels}: down {100 * down:5.1f} %, left {100 * left:5.1f} %")

# %% tags=["hide-input"]
ways = (1, 0), (-1, 0), (0, 1), (0, -1)
moved = [np.mean([right_of(pulled(asked, field(0, k * down, k * right))) for down, right in ways]) for k in range(7)]
figure = pictures.curves({"four directions": 100 * np.array(moved)}, "moved by so many pixels", "% right")
figure.set_size_inches(4.5, 2.4)
lesson.save(figure, "moved")
claim(moved[1] > 0.93 and moved[3] < 0.8 and moved[5] < 0.45, "moved digits are read worse and worse")

# %% [markdown]
# <details><summary>The answer</summary>
#
# It falls and falls. All digits of the training stood in the middle. A convolution does not mind where a stroke is, but
# `Linear` has a weight of its own for every place. It knows nothing of what it has never seen. (Behind four pixels it
# is also the ink that is lost.)
#
# </details>
#
# ## Register first
#
# Who has come this far knows what to do: lay the digit back where it belongs, *then* ask. But on what? Which digit it
# is, is the question. So take ten fixed images, the mean of each digit: ten [atlases](../docs/glossary.md#atlas). Try
# turns from -45 to 45 degrees, by 15, and shifts up to 4 pixels, and take the one at which *any* atlas fits best.
#
# There are many digits and few atlases. So it is the atlases that are moved, once, in all these ways: `tried`, in the
# folded cell. The motion whose atlas fits the digit best is then undone, by `field_back`, and the digit lies upright.
# (The image's own part of NCC is the same in all tries. So it can be left out.)

# %% tags=["hide-input"]
atlases = np.stack([images[labels == k].mean(axis=0) for k in range(10)])
figure = pictures.images_in_a_row({f"{k}": atlas[..., 0] for k, atlas in enumerate(atlases)})
figure.set_size_inches(10, 1.3)
lesson.save(figure, "atlases")
shifts = range(-4, 5)
motions = [(angle, down, right) for angle in range(-45, 46, 15) for down in shifts for right in shifts]
tried = np.stack([pulled(atlases, field(*motion)) for motion in motions]).reshape(len(motions) * 10, -1)
tried = tried - tried.mean(axis=1, keepdims=True)
tried = tried / np.linalg.norm(tried, axis=1, keepdims=True)


# %%
def register(images):
    fit = images.reshape(len(images), -1) @ tried.T
    which, atlas = np.divmod(np.argmax(fit, axis=1), 10)
    u = np.stack([field_back(*motions[k]) for k in which])
    return pulled(images, u), atlas


lost = pulled(asked, field(turn, 3, -3))
found, atlas = register(lost)
print(f"upright, in the middle:         {100 * right_of(asked):5.1f} % right")
print(f"turned by {turn} and moved:        {100 * right_of(lost):5.1f} %")
print(f"then registered:                {100 * right_of(found):5.1f} %")
print(f"the atlas that fits best, alone: {100 * np.mean(atlas == answer):4.1f} %")

# %% tags=["hide-input"]
figure, axes = pictures.panels(27, rows=3, width=1.1, above=0.2)
for name, row, shown in ("lost", 0, lost), ("registered", 9, found), ("as it was", 18, asked):
    z = scores_of(network, shown[:9])
    for k in range(9):
        said = np.argmax(z[k])
        pictures.show(axes[row + k], shown[k, ..., 0])
        colour = "tab:green" if said == answer[k] else "tab:red"
        axes[row + k].set_title(f"{said} ({softmax(z[k])[said]:.2f})", fontsize=10, color=colour)
    axes[row].set_ylabel(name)
lesson.save(figure, "registered")
claim(right_of(lost) < 0.6 and right_of(found) > 0.88, "registered first, they are read again")
again = right_of(register(asked)[0])
print(f"upright ones, registered: {100 * again:.1f} %")
claim(abs(again - right_of(found)) < 0.06, "registered, upright digits are read as well as those moved")
claim(np.mean(atlas == answer) < right_of(found) - 0.03, "the atlas that fits best is the worse classifier")
there_and_back = pulled(pulled(asked[:1], field(30, 3, -3)), field_back(30, 3, -3))
claim(np.corrcoef(there_and_back.ravel(), asked[0].ravel())[0, 1] > 0.95, "field_back undoes field")

# %% [markdown]
# The network and registration need each other. The best atlas alone is no good classifier. The network alone is lost
# outside the middle. Together they come back to about nine in ten, or more. Not to where they were: if a wrong atlas
# fits best, the digit is left askew. Upright digits lose as much on this way. You pay where nothing was wrong, and then
# it no longer matters where the digit stood.
#
# (That the angle is unknown is the hard part. A six that is turned by 180 degrees *is* a nine.)
#
# ## The survey's network
#
# The survey tells 0, 1 and 7 apart, with three convolutions and max-pooling, which keeps the largest of each 2 x 2
# pixels. It is `SurveyCNN`. Your training can train it: an eighth of the steps will do for three classes.

# %%
three = np.array([0, 1, 7])
shown = np.isin(labels, three)
tested = np.isin(truth, three)
theirs = classify.SurveyCNN(np.random.default_rng(seed), (28, 28), classes=3)
of_shown = np.searchsorted(three, labels[shown])
of_tested = np.searchsorted(three, truth[tested])
train(theirs, images[shown], of_shown, steps // 8, rate=0.001)
survey_right = classify.accuracy(scores_of(theirs, test[tested]), of_tested)
print(f"{np.sum(tested)} test images, {100 * survey_right:.2f} % right")

# %% tags=["hide-input"]
claim(survey_right > 0.98, "of 0, 1 and 7, the survey's network gets more than 98 % right")
z, true = scores_of(network, test[:64]), truth[:64]
tensor = Tensor(backend.to_device(z), requires_grad=True)
loss = classify.cross_entropy(tensor, true)
loss.backward()
mine = vjp_cross_entropy(np.full(64, 1 / 64), z, true)
claim(np.isclose(loss.item(), np.mean(cross_entropy(z, true)), atol=1e-5), "the project's cross_entropy is yours")
claim(np.allclose(backend.to_host(tensor.grad), mine, atol=1e-6), "and so is its gradient")

# %% [markdown]
# The whole, with options and a checkpoint, is one command: `python -m minireg.classify`.
#
# ## What you know now
#
# - Softmax makes probabilities of scores. Subtract the largest score first.
# - Cross-entropy is the mean surprise at the truth. Its gradient is p - y, also where the network is sure and wrong.
# - The same walk back leads to the pixels, and says which of them decide.
# - A network knows only what it has seen. Registration can bring the rest there.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_19.py` and run `python -m lessons.check 19` from the top folder.
#
# 1. `confusion`: who is taken for whom, as shares.
# 2. `half_square_gradient`: the gradient of the survey's first loss, by hand, and why it is flat.
# 3. `vjp_max_pool`: the way back through max-pooling.
#
# **A small project**, without a check: let all training images pass through `register` too, train on what comes out,
# and draw accuracy over the angle, with and without. Do the few per cent come back? Which digits does a half turn
# exchange?
#
# ## What comes next
#
# All images so far came prepared. [Lesson 20](20_your_own_images.py) is about your own: from a pair of files to a field
# that one can trust.

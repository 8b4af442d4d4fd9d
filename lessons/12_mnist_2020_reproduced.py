# %% [markdown]
# # 12. MNIST 2020, reproduced
#
# - **You need**: lesson 9 ([folding](../docs/glossary.md#folding)) and lesson 11 (the encoder-decoder and how it is
#   trained).
# - **You will know**: how a network learns to register without being told the answer; what a high similarity does not
#   say; three questions to ask of every result.
# - **Time**: reading 20 minutes, running half a minute.
#
# In 2020 somebody published a small experiment: many images of one digit, one fixed image of it, and a network that
# shall lay each of the many on the one. It worked. Below are four of the many, from images that are kept for testing.
# **How well did it work?** You train it now, and then you look twice.

# %%
if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()  # one thread is quicker for small matrices

import numpy as np

import pictures
from lesson import Lesson, claim, digits_at_hand
from minireg import Tensor, backend, metrics, no_grad, ops, viz
from minireg.data import DigitPairs
from minireg.fields import corner_determinants, warp_images
from minireg.models import EncoderDecoder
from minireg.optim import Adam
from minireg.training import configure, objective

lesson = Lesson(12)
seed = lesson.knob("seed", 0, (1, 2, 3), "another fixed image, other first weights")
digit = lesson.knob("digit", 7, (2, 3, 5), "another digit")
steps = lesson.knob("steps", 120, (10, 50, 300), "of training; fewer match worse")

# %% tags=["hide-input"]
digits = digits_at_hand()
source = DigitPairs(digits, digit, pairing="atlas", seed=seed)
pairs = source.held_out(100)
moving, fixed = pairs.moving, pairs.fixed
figure, axes = pictures.panels(5, width=1.7)
for panel, image in zip(axes[:4], moving, strict=False):
    pictures.show(panel, image[..., 0], "moving")
pictures.show(axes[4], fixed[0, ..., 0], "fixed")
lesson.save(figure, "task")

# %% [markdown]
# ## The recipe
#
# The network is an encoder-decoder as in lesson 11, with 231,650 weights. It halves the images three times, and makes
# them large again. It has no skip connections; lesson 13 adds them. For each pair it gives a displacement field. The
# loss is `1 - NCC` of the warped image and the fixed one, averaged over a [batch](../docs/glossary.md#batch) of pairs.
# And that is all. Nobody ever shows the network a field: it learns *without labels*, from images alone.
#
# The published training takes 100 [epochs](../docs/glossary.md#epoch). For the sevens of MNIST these are 17,819
# steps, 19 minutes on a fast machine with two cores. You have half a minute. So this lesson makes three changes: Adam
# instead of SGD, 16 pairs a step instead of 32, and a last layer that begins five times smaller, so that the first
# fields do not throw the digits out of the image. The network, the loss and the data are the published ones.


# %%
def make_network():
    network = EncoderDecoder(np.random.default_rng(seed))
    for parameter in network.parameters()[-2:]:  # weights and bias of the last layer
        parameter.data = parameter.data * np.float32(0.2)
    return network


def as_tensors(*arrays):
    return [Tensor(backend.to_device(array)) for array in arrays]


def train(network):
    optimiser = Adam(network.parameters(), lr=1e-3)
    pairs = source.sampler(np.random.default_rng(seed))
    losses = []
    for _ in range(steps):
        moving, fixed = as_tensors(*pairs.draw(16))
        u = network(moving, fixed)
        warped = ops.warp(moving, u, border="edge")
        loss = 1 - ops.ncc(warped, fixed).mean()
        network.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


network = make_network()
weights = sum(parameter.data.size for parameter in network.parameters())
losses = train(network)
print(f"{weights} weights, {steps} steps of 16 pairs")
print(f"1 - NCC: {losses[0]:.2f} at first, {losses[-1]:.2f} at last")

# %% [markdown]
# Twelve lines, and you know each of them: draw pairs, look, warp, compare, walk back, step.
#
# ## The first look
#
# Now the test images, which the network has never seen. NCC is one judge. Another one is *Dice*: take the pixels above
# one half in both images, count those that both have, and divide by the average of the two counts. By hand:
#
#     a    0  1  1  1  0       3 pixels
#     b    0  0  1  1  1       3 pixels, 2 of them in common       Dice = 2 / 3
#
# **Before you run the next cell: what do you expect?** NCC was about one half before. And after so short a training?


# %%
def dice(a, b):
    both = np.sum((a > 0.5) & (b > 0.5), axis=(1, 2, 3))
    either = np.sum(a > 0.5, axis=(1, 2, 3)) + np.sum(b > 0.5, axis=(1, 2, 3))
    return 2 * both / np.maximum(either, 1)


def register(moving, fixed):
    with no_grad():
        u = network(*as_tensors(moving, fixed))
    return backend.to_host(u.data)


u = register(moving, fixed)
warped = warp_images(moving, u)
print("           NCC   Dice")
for name, image in ("before", moving), ("after", warped):
    similarity = metrics.ncc(image, fixed).mean()
    print(f"{name:7} {similarity:6.2f} {dice(image, fixed).mean():6.2f}")

# %% tags=["hide-input"]
figure, axes = pictures.panels(12, rows=3, width=1.9)
for k, panels in enumerate(np.reshape(axes, (3, 4)).T):
    for panel, image in zip(panels, (moving[k], warped[k], fixed[k]), strict=True):
        pictures.show(panel, image[..., 0])
for panel, name in zip(axes[::4], ("moving", "warped", "fixed"), strict=True):
    panel.set_ylabel(name)
lesson.save(figure, "first_look")

# %% [markdown]
# <details><summary>The answer</summary>
#
# About .9, on images that it has never seen, in one glance each. The full training of 2020 on MNIST ends at NCC .939
# and Dice .929. With Adam and a quiet start you are close to it within 120 steps.
#
# </details>
#
# This is the picture that one publishes. The experiment of 2020 ended here.
#
# ## The second look
#
# **Before you run the next cell: what do you expect?** Lesson 9 has shown where a field folds. Nothing in the loss has
# asked these fields to be smooth. How many cells fold?

# %%
corners = np.stack(corner_determinants(u))
folded = corners.min(axis=0) <= 0
print(f"{100 * folded.mean():.0f} % of all cells fold")
change = np.abs(np.diff(u, axis=2)).mean()
print(f"from a pixel to the next, u changes by {change:.1f} pixels")

# %% tags=["hide-input"]
figure, axes = pictures.panels(8, rows=2, width=1.9)
for k in range(4):
    viz.draw_direction(axes[k], u[k], longest=6)
    axes[k].set(xticks=[], yticks=[])
    pictures.show(axes[4 + k], warped[k, :-1, :-1, 0])
    pictures.tint(axes[4 + k], folded[k], "tab:red")
axes[0].set_ylabel("where pixels look")
axes[4].set_ylabel("cells that fold")
lesson.save(figure, "second_look")

# %% [markdown]
# <details><summary>The answer</summary>
#
# Most of them: all that is red. (In the full run of 2020 it is 91 %.) Above, the colour of a pixel says in which
# direction it looks, as on the small wheel, whose rim is 6 pixels. Neighbours look anywhere. This is no map from one
# digit to the other. It is a list of places where something of the right brightness was found.
#
# </details>
#
# Why does the picture look right? There are black pixels and white pixels in plenty. To paint a seven one needs, for
# every pixel, *some* pixel of the wanted brightness. Which one, NCC does not ask. Lesson 1 did it without any network:


# %%
def look_up(moving, fixed):
    # For each pixel of the fixed image, the place of the most similar intensity.
    difference = np.abs(moving.reshape(1, -1) - fixed.reshape(-1, 1))
    places = np.unravel_index(difference.argmin(axis=1), moving.shape)
    pixels = np.indices(moving.shape)
    return np.moveaxis(np.reshape(places, pixels.shape) - pixels, 0, -1)


cheat = [look_up(a, b) for a, b in zip(moving[..., 0], fixed[..., 0], strict=True)]
cheat = np.float32(cheat)
cheated = metrics.ncc(warp_images(moving, cheat), fixed).mean()
cheat_folds = np.min(corner_determinants(cheat), axis=0) <= 0
print(f"looked up: NCC {cheated:.3f}")
print(f"{100 * cheat_folds.mean():.0f} % of all cells fold")

# %% [markdown]
# A better NCC than the network's, and nothing was registered. A number that a cheat can win does not tell you whether
# a field is good.
#
# ## The third look
#
# The network takes two images. But in training the fixed one was always the same. **Before you run the next cell: what
# do you expect?** Give it another fixed image of the same digit. And then give it a digit that is none.

# %% tags=["hide-input"]
everything, labels = digits.split("test")
another = np.broadcast_to(source.sampler(np.random.default_rng(1)).draw(1)[0], moving.shape)
strangers = np.pad(everything[labels == (digit + 6) % 10][:100], ((0, 0), (2, 2), (2, 2), (0, 0)))
to_another = warp_images(moving, register(moving, another))
from_strangers = warp_images(strangers, register(strangers, fixed[: len(strangers)]))
figure, axes = pictures.panels(7, width=1.7)
images = moving, to_another, another, fixed, strangers, from_strangers, fixed
titles = "moving", "warped", "fixed now", "fixed in training", "a stranger", "warped", "fixed"
for panel, image, title in zip(axes, images, titles, strict=True):
    pictures.show(panel, image[0, ..., 0], title)
lesson.save(figure, "third_look")

# %%
to_given = metrics.ncc(to_another, another).mean()
to_trained = metrics.ncc(to_another, fixed).mean()
print(f"NCC with the fixed image it was given: {to_given:.2f}")
print(f"NCC with the one of its training:      {to_trained:.2f}")
strange = metrics.ncc(from_strangers, fixed[: len(strangers)]).mean()
print(f"another digit, warped to a {digit}:          {strange:.2f}")

# %% [markdown]
# <details><summary>The answer</summary>
#
# It does not care which fixed image you give it. It has learned *one* image by heart, and paints that. Give it another
# digit, and it paints the same shape out of it, as well as it can. Nothing in its training has ever rewarded it for
# looking at the fixed image.
#
# </details>
#
# So three questions, for every result of a registration. *Does the picture fit? Does the field fold? Does it still work
# on what it has not seen?* The experiment of 2020 asked the first.

# %% tags=["evidence", "hide-cell"]
network.eval()
by_running_means = metrics.ncc(warp_images(moving, register(moving, fixed)), fixed).mean()
network.train()
claim(metrics.ncc(warped, fixed).mean() > 0.85, "NCC rises to about .9 on images that the network has never seen")
claim(dice(warped, fixed).mean() > 0.8, "Dice rises above .8")
claim(folded.mean() > 0.4, "a large part of all cells folds")
claim(cheated > metrics.ncc(warped, fixed).mean(), "looking up has the better NCC")
claim(cheat_folds.mean() > 0.5, "looking up folds most cells")
claim(to_trained > to_given, "the result resembles the fixed image of the training more than the one that was given")
claim(strange > metrics.ncc(strangers, fixed[: len(strangers)]).mean() + 0.2, "another digit is painted over, too")
claim(by_running_means < metrics.ncc(warped, fixed).mean() - 0.1, "with the collected means the network fits worse")
claim(weights == 231650, "the network has 231,650 weights")
claim(np.allclose(dice(moving, fixed), metrics.dice(moving, fixed)), "the lesson's Dice is the project's")

# %% [markdown]
# ## The project's recipe
#
# The experiment as it was published, with 100 epochs and SGD, is one command. It writes pictures and a table:
#
#     python -m minireg.train --recipe mnist2020 --digit 7
#
# Does its loss agree with yours?

# %%
recipe = configure({"recipe": "mnist2020", "data": "strokes"})
batch = as_tensors(moving[:16], fixed[:16])
theirs, terms = objective(network, *batch, recipe)
yours = 1 - ops.ncc(ops.warp(batch[0], network(*batch), border="edge"), batch[1]).mean()
print(f"yours {yours.item():.6f}, the recipe's {theirs.item():.6f}")
same = np.isclose(yours.item(), theirs.item(), rtol=1e-5)
claim(same, "the recipe minimises the same loss")

# %% [markdown]
# <details><summary>A trap: batch norm has two faces</summary>
#
# This network has [batch norm](../docs/glossary.md#batch-norm): from each channel its mean over the batch and all
# pixels is taken, the rest is divided by its deviation, and a weight and a bias that are learned come after. In
# training these are the means of the batch at hand; afterwards they are means that it has collected on the way, which
# began with 0, and the variances with 1. In this recipe they collect slowly, a hundredth a step. After a short training
# they are still far behind, and a network that fits well fits badly. Here all 100 test pairs were given at once, with
# means of their own. Add `network.eval()` before the first look, and see.
#
# </details>
#
# <details><summary>What is in MNIST's files</summary>
#
# Four files, packed with gzip. Unpacked, a file of images has a header of 16 bytes, one of labels of 8. Then comes one
# byte per pixel, 28 x 28 for each image, or one per label. Divide pixels by 255, and put 2 zeros on each side: 32 can
# be halved several times.
#
# </details>
#
# ## What you know now
#
# - A network learns to register from images alone: the loss needs no true field.
# - A high similarity on unseen images says that the picture fits. It says nothing about the field.
# - What a loss does not ask for, a network does not give: no smoothness, no regard for the fixed image.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_12.py` and run `python -m lessons.check 12` from the top folder.
#
# 1. `dice_of_pairs`: with any threshold, and for images without a single bright pixel.
# 2. `pixels_of_2020`: from the numbers of the network of 2020 to a displacement field.
# 3. `never_read`: how much of the moving image does nobody look at? Another judge of a worthless field.
#
# **A small project**, without a check: train for digits 1 and 8. Which folds more, and why? Print `never_read` beside
# NCC for the network, for the cheat, and for a field of lesson 9.
#
# ## What comes next
#
# Every fault of this lesson has a remedy of a few lines. [Lesson 13](13_mending_it.py) takes them one at a time, and
# measures each.

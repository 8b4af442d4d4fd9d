# %% [markdown]
# # 14. Velocity fields
#
# - **You need**: lesson 2 (composition), lesson 7 (the gradient of warping), lesson 9 (descent on a field, folds) and
#   lesson 10 (convolution).
# - **You will know**: how to flow instead of jumping; why a flow never folds; how to get back for free; how a gradient
#   comes through; how the project's network treats both images alike.
# - **Time**: reading 25 minutes, running under 15 seconds.
#
# On the left is a wind with two whirls. An arrow says how fast it blows there. Balloons start at the dots. If each
# *jumps* along its arrow, ways cross. If each *flies* for the same time, and the wind takes it on from wherever it is,
# none crosses another. **How can one bend strongly without folding, and how does one get back?**

# %%
import math

import numpy as np

import pictures
from lesson import Lesson, claim
from minireg import Tensor, backend, fields, losses, ops, viz
from minireg.data.strokes import draw_digits
from minireg.models import SymmetricUNet
from minireg.optim import Adam

lesson = Lesson(14)
seed = lesson.knob("seed", 0, (1, 2, 4), "another wind and other handwritings")
pair = lesson.knob("pair", (3, 5), ((2, 2), (3, 8), (4, 9)), "which becomes which")
squarings = lesson.knob("squarings", 7, (0, 2, 4), "0 jumps, and folds")

# %% tags=["hide-input"]
rng = np.random.default_rng(seed)
moving, fixed = draw_digits(list(pair), rng).astype(float)  # (28, 28, 1) each
angle = rng.uniform(0, np.pi)


def whirls(size, strength=2.0):
    """A wind with two whirls, which turn against each other, on size x size pixels of the same square."""
    rows, columns = np.indices((size, size)) * 27 / (size - 1)
    v = np.zeros((size, size, 2))
    for sign in (1, -1):
        down, right = rows - 13.5 - sign * 5 * np.sin(angle), columns - 13.5 - sign * 5 * np.cos(angle)
        turn = sign * strength * np.exp(-(down**2 + right**2) / 32)
        v += np.stack([-right * turn, down * turn], axis=-1)
    return v * (size - 1) / 27


# %% tags=["hide-input"]
def places_around(image, u):
    """The pixels of the image around p + u(p): rows, columns, and how far it is past the first of them."""
    r, c = np.indices(u.shape[:2]) + np.moveaxis(u, -1, 0)
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    rows, columns = (np.clip([k, k + 1], 0, size - 1) for k, size in zip((i, j), image.shape, strict=False))
    return rows, columns, (r - i)[..., None], (c - j)[..., None]


def warp(image, u):
    """The image (H, W, C), or a field, read at p + u(p). Beyond the border it goes on as it is there."""
    (i0, i1), (j0, j1), s, t = places_around(image, u)
    above, below = ((1 - t) * image[i, j0] + t * image[i, j1] for i in (i0, i1))
    return (1 - s) * above + s * below


# %% tags=["hide-input"]
wind = whirls(28)
starts = np.stack(np.meshgrid(np.arange(3, 27, 3), np.arange(3, 27, 3), indexing="ij"), axis=-1).reshape(-1, 2)
paths = [starts.astype(float)]
for _ in range(200):
    here = paths[-1][None]  # one row of places, and how far each is from the pixel (0, k)
    paths.append(paths[-1] + warp(wind, here - np.moveaxis(np.indices(here.shape[:2]), 0, -1))[0] / 200)
paths = np.array(paths)
jumps = np.stack([starts, starts + wind[starts[:, 0], starts[:, 1]]])
figure, axes = pictures.panels(3, width=3, above=0.3)
pictures.arrows(axes[0], 0.4 * wind, "the wind (arrows shortened)", down=2, across=2)
for panel, ways, title in (axes[1], jumps, "they jump"), (axes[2], paths, "they fly"):
    for k in range(len(starts)):
        colour = f"C{(k + k // 8) % 10}"
        panel.plot(ways[:, k, 1], ways[:, k, 0], color=colour, linewidth=1.2)
        panel.plot(ways[0, k, 1], ways[0, k, 0], ".", color=colour, markersize=4)
    panel.set(xlim=(-0.5, 27.5), ylim=(27.5, -0.5), xticks=[], yticks=[], aspect="equal")
    panel.set_title(title, fontsize=10)
lesson.save(figure, "wind")


# %% tags=["hide-input"]
def side(a, b, p):
    """On which side of the line from a to b the point p lies: 1 or -1."""
    (row, column), (down, right) = np.moveaxis(b - a, -1, 0), np.moveaxis(p - a, -1, 0)
    return np.sign(row * right - column * down)


def crossing(ways):
    """How often two of these ways (points, K, 2) cross: the ends of each piece lie on both sides of the other."""
    a, b = ways[:-1].reshape(-1, 1, 2), ways[1:].reshape(-1, 1, 2)
    c, d = a.swapaxes(0, 1), b.swapaxes(0, 1)
    return np.sum((side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0)) // 2


crossings = crossing(jumps), crossing(paths[::10])
print(f"crossings: {crossings[0]} where they jump, {crossings[1]} where they fly")

# %% [markdown]
# A displacement says where to go. A [velocity](../docs/glossary.md#velocity) says how fast to go, *here*, in pixels per
# unit of time. You follow it for a time of 1.
#
# ## By hand, on a line
#
# At the place x the wind blows with v(x) = x. You start at 1.
#
#     one jump           1 + 1 = 2
#     two half steps     1 + 1/2 = 1.5      1.5 + 1.5/2 = 2.25
#     four steps         1.25     1.5625     1.953     2.441
#
# Each step asks for the wind again, where you are by then. The more steps, the nearer you come to the true flow, which
# ends at e = 2.718 here.
#
# **Before you run the next cell: what do you expect?** Now the wind is v(x) = -2x. It blows towards 0 from both sides.
# One balloon starts at 1, and one at -1. Where do they end, with one jump, two steps, or eight?


# %%
def walk(x, v, steps):
    for _ in range(steps):
        x = x + v(x) / steps
    return x


print("steps   v = x from 1   v = -2x from 1   from -1")
for steps in 1, 2, 4, 8, 1000:
    away = walk(1, lambda x: x, steps)
    left = walk(1, lambda x: -2 * x, steps)
    right = walk(-1, lambda x: -2 * x, steps)
    print(f"{steps:5} {away:14.3f} {left:16.3f} {right:9.3f}")

# %% [markdown]
# <details><summary>The answer</summary>
#
# With one jump they change places: the line is turned over. With two steps they collide at 0. With more steps they stay
# apart, and in order. Close to 0 there is hardly any wind, so nobody gets there in time.
#
# </details>
#
# Why does a flow never fold? At one place there is one wind. Balloons that meet would fly on together for ever. Turn
# the time back, and they would also have *come* together. So who starts apart stays apart. (Mathematicians call such a
# map a [diffeomorphism](../docs/glossary.md#diffeomorphism), if it is smooth.)
#
# ## Step after step
#
# Five pixels on a line, a displacement u, and where they end:
#
#     pixel                0     1     2     3     4
#     u                    0    .5     1    .5     0
#     twice as far         0     2     4     4     4       three at one place
#     two steps            0  2.25   3.5  3.75     4       still in order
#
# Take pixel 1. Its first step leads to 1.5. There, between .5 and 1, it reads .75, and goes on to 2.25. This is the
# [composition](../docs/glossary.md#composition) of lesson 2: go along `first`, and from there along `second`. The field
# is read between pixels, like an image. (`warp` does that. It is in a folded cell above.)


# %%
def compose(first, second):
    return first + warp(second, first)


line = np.zeros((1, 5, 2))
line[0, :, 1] = 0, 0.5, 1, 0.5, 0
print("twice as far:", np.arange(5) + 2 * line[0, :, 1])
print("two steps:   ", np.arange(5) + compose(line, line)[0, :, 1])


# %% tags=["hide-input"]
def folded(u):
    """Which cells fold: one of their four corner determinants is 0 or less."""
    corners = np.concatenate(fields.corner_determinants(u[None]))
    return np.min(corners, axis=0) <= 0


# %% [markdown]
# ## 128 steps for the price of 7
#
# A field composed with itself is two of its steps. Compose *that* with itself, and you have four, then eight. So begin
# with one tiny step, v/128, and square seven times. This is called
# [scaling and squaring](../docs/glossary.md#scaling-and-squaring).


# %%
def flow(v, squarings):
    u = v / 2**squarings
    for _ in range(squarings):
        u = compose(u, u)
    return u


print("squarings  steps  folded cells")
for k in range(9):
    print(f"{k:9} {2**k:6} {np.sum(folded(flow(wind, k))):13}")

# %% tags=["hide-input"]
shown = {f"{k} squarings" if k != 1 else "1 squaring": (0.6 * moving[..., 0], flow(wind, k)) for k in (0, 1, 2, 3, 7)}
figure = pictures.fields_over(shown, spacing=1)
lesson.save(figure, "squarings")
claim(np.sum(folded(wind)) > 0 and not np.any(folded(flow(wind, 1))), "one jump folds, two steps do not")
tiny = wind / 128
steepest = max(np.abs(tiny[1:] - tiny[:-1]).max(), np.abs(tiny[:, 1:] - tiny[:, :-1]).max())
claim(steepest < 0.1, "in a step of 1/128, neighbours differ by less than a tenth of a pixel")

# %% [markdown]
# The grid shows where each pixel looks, as always. One jump folds in two places (red). Two steps do not, though they
# are not yet the flow, as you will see. A tiny step moves neighbours by nearly the same, so it cannot fold. And one
# step without folds after another has none, but for what reading between the pixels adds: more of that at the end.
#
# ## The way back is free
#
# Who flew with the wind gets home with the wind turned round: flow along -v. Try it: there with `flow(v)`, back with
# `flow(-v)`. The composition of both should be 0 everywhere.
#
# **Before you run the next cell: what do you expect?** How far from home are you then, in pixels, with 0, 1, 2, ... 8
# squarings? The row 0 is what you get if you negate a displacement: u there, and -u back.


# %%
def from_home(there, back):
    # At least 4 pixels from the border, where paths may leave the image.
    distance = np.linalg.norm(compose(there, back), axis=-1)
    return distance[4:-4, 4:-4]


rest = []
print("squarings   mean    largest")
for k in range(9):
    distance = from_home(flow(wind, k), flow(-wind, k))
    rest.append(np.mean(distance))
    print(f"{k:9} {rest[k]:6.3f} {distance.max():10.3f}")

# %% tags=["hide-input"]
there, back = flow(wind, 7), flow(-wind, 7)
returned = {
    "the start": moving,
    "there": warp(moving, there),
    "back by the flow of -v": warp(moving, compose(back, there)),
    "back by -u": warp(moving, compose(-there, there)),
}
figure = pictures.images_in_a_row({name: image[..., 0] for name, image in returned.items()})
lesson.save(figure, "returned")
claim(all(0.4 < rest[k + 1] / rest[k] < 0.65 for k in range(5)), "each squaring about halves the way that is left")
claim(0.8 * rest[7] < rest[8] < 0.1 and rest[0] > 20 * rest[7], "in the end some hundredths of a pixel stay")


# %% tags=["hide-input"]
def vjp_warp(g, image, u):
    """The gradients of the image and of u, from lesson 7."""
    (i0, i1), (j0, j1), s, t = places_around(image, u)
    down = (1 - t) * (image[i1, j0] - image[i0, j0]) + t * (image[i1, j1] - image[i0, j1])
    right = (1 - s) * (image[i0, j1] - image[i0, j0]) + s * (image[i1, j1] - image[i1, j0])
    g_image = np.zeros_like(image)
    for i, weight in (i0, 1 - s), (i1, s):
        np.add.at(g_image, (i, j0), weight * (1 - t) * g)
        np.add.at(g_image, (i, j1), weight * t * g)
    return g_image, np.stack([np.sum(g * down, axis=-1), np.sum(g * right, axis=-1)], axis=-1)


def quotient(f, x, direction, h=1e-6):
    return (f(x + h * direction) - f(x - h * direction)) / (2 * h)


# %% [markdown]
# <details><summary>The answer</summary>
#
# Negated, a displacement leads nowhere near home. Take u(x) = x on a line: from 1 you jump to 2. There, -u is -2, and
# you land at 0. It is read at the wrong place. Each squaring then about halves the distance, as the steps become half
# as long. In the end it stays at some hundredths of a pixel. That rest is interpolation: a wind drawn on a grid twice
# as fine leaves about half of it.
#
# </details>
#
# ## The gradient comes through
#
# Can one descend on v? The loss says what it asks of u = flow(v). Each squaring is a warp, and lesson 7 has its
# gradients (`vjp_warp`, in the folded cell above). But one field now plays three parts. Pixel 1 of the line above:
#
#     w1 = u1 + (u read at 1 + u1) = u1 + (1 - u1) * u1 + u1 * u2
#
# With u1 = .5 and u2 = 1, let u1 grow by a little. It counts as itself (1). It leads to another place, where u climbs
# by .5 per pixel (.5). And it is *read* there, with the weight .5 (.5). Together 2.


# %%
def vjp_compose(g, first, second):
    g_second, g_place = vjp_warp(g, second, first)
    return g + g_place, g_second


def vjp_flow(g, v, squarings):
    path = [v / 2**squarings]
    for _ in range(squarings):
        path.append(compose(path[-1], path[-1]))
    for u in reversed(path[:-1]):
        g_first, g_second = vjp_compose(g, u, u)
        g = g_first + g_second
    return g / 2**squarings


g = np.zeros((1, 5, 2))
g[0, 1, 1] = 1  # only pixel 1 counts
print("pixels 0 to 4 ask:", sum(vjp_compose(g, line, line))[0, :, 1])
g, direction = rng.standard_normal((2, 28, 28, 2))
by_hand = np.sum(vjp_flow(g, wind, squarings) * direction)
judge = quotient(lambda v: np.sum(g * flow(v, squarings)), wind, direction)
print(f"random direction: by hand {by_hand:.4f}, quotient {judge:.4f}")
claim(np.isclose(by_hand, judge, rtol=1e-4), "the gradient of the flow is right")


# %% tags=["hide-input"]
def centre(x):
    return x - np.mean(x)


def ncc(a, b):
    saa, sbb = np.sum(centre(a) * centre(a)), np.sum(centre(b) * centre(b))
    return np.sum(centre(a) * centre(b)) / math.sqrt(saa * sbb)


def vjp_ncc(g, a, b):
    saa, sbb = np.sum(centre(a) * centre(a)), np.sum(centre(b) * centre(b))
    return g * (centre(b) / math.sqrt(saa * sbb) - ncc(a, b) * centre(a) / saa)


def ncc_gradient(u, image, target):
    """How 1 - NCC changes with each number of u."""
    return vjp_warp(vjp_ncc(-1.0, warp(image, u), target), image, u)[1]


# %% tags=["hide-input"]
def roughness_gradient(u):
    along_rows, along_columns = u[1:] - u[:-1], u[:, 1:] - u[:, :-1]
    g = np.zeros_like(u)
    g[1:] += along_rows / along_rows.size
    g[:-1] -= along_rows / along_rows.size
    g[:, 1:] += along_columns / along_columns.size
    g[:, :-1] -= along_columns / along_columns.size
    return g


def blurred(field, blur=2.0):
    distance = np.subtract.outer(np.arange(28), np.arange(28))
    bell = np.exp(-distance * distance / (2 * blur * blur))
    bell /= np.sum(bell, axis=1, keepdims=True)
    return np.stack([bell @ field[..., axis] @ bell.T for axis in (0, 1)], axis=-1)


# %% tags=["hide-input"]
def descend(gradient, steps=100):
    """Lesson 9, with the blur of lesson 8. The longest arrow of a step is .3 pixels at first, and shrinks."""
    x = np.zeros((28, 28, 2))
    for step in range(steps):
        g = blurred(gradient(x) + 0.1 * roughness_gradient(x))
        x = x - 0.3 * (1 - step / steps) * g / np.linalg.norm(g, axis=-1).max()
    return x


# %% tags=["hide-input"]
def to_and_fro(ways):
    """A dict of name to (field, field back): in each row both images, where one looks in them, and both bent."""
    figure, axes = pictures.panels(5 * len(ways), rows=len(ways), above=0.3, width=2.2)
    for k, (name, (way, way_back)) in enumerate(ways.items()):
        titles = "moving, and where one looks", "bent", "fixed", "fixed, bent back", "fixed, and where one looks"
        shown = moving, warp(moving, way), fixed, warp(fixed, way_back), fixed
        row = axes[5 * k : 5 * k + 5]
        for panel, image, title in zip(row, shown, titles, strict=True):
            pictures.show(panel, image[..., 0], "" if k else title, vmax=2 if "looks" in title else 1)
        viz.draw_warped_grid(row[0], way)
        viz.draw_warped_grid(row[4], way_back)
        row[0].set_ylabel(name)
    return figure


# %% [markdown]
# Both gradients of `compose` belong to the same u, so they add up. The rest is a walk back through the squarings.
#
# ## Bend it, and come back
#
# One digit shall become another. Descend three times, with the price of lesson 9 on roughness, .1, and the blur of
# lesson 8: on u; on v; and on v with a loss for *both* ways. On the way back, the flow is that of -v. So its gradient
# comes with a minus. (`descend` is in a folded cell above.)


# %%
def one_way(v, image, target):
    g_u = ncc_gradient(flow(v, squarings), image, target)
    return vjp_flow(g_u, v, squarings)


def both_ways(v):
    return (one_way(v, moving, fixed) - one_way(-v, fixed, moving)) / 2


u = descend(lambda u: ncc_gradient(u, moving, fixed))
v_one = descend(lambda v: one_way(v, moving, fixed))
v = descend(both_ways)
there = flow(v, squarings)
back = flow(-v, squarings)
print(f"jumps: NCC {ncc(warp(moving, u), fixed):.3f}")
print(f"flows: NCC {ncc(warp(moving, there), fixed):.3f}")
print(f"back:  NCC {ncc(warp(fixed, back), moving):.3f}")

# %% tags=["hide-input"]
fits = {"u, and -u": (u, -u)}
fits["v, one way"] = flow(v_one, squarings), flow(-v_one, squarings)
fits["v, both ways"] = there, back
numbers = {}
print("                 NCC  back  folds  back  from home")
for name, (way, way_back) in fits.items():
    matches = ncc(warp(moving, way), fixed), ncc(warp(fixed, way_back), moving)
    folds = np.sum(folded(way)), np.sum(folded(way_back))
    numbers[name] = [*matches, *folds, np.mean(from_home(way, way_back))]
    print("{:13} {:6.3f} {:5.3f} {:6} {:5} {:10.3f}".format(name, *numbers[name]))
jumps, flows = numbers["u, and -u"], numbers["v, both ways"]
claim(flows[2] == flows[3] == 0, "the flows fold nothing")
claim(10 * (flows[2] + flows[3]) <= jumps[2] + jumps[3], "flows fold at most a tenth of what jumps fold")
claim(flows[0] > jumps[0] - 0.02, "the flow matches as well as the jump, to .02")
claim(flows[1] > max(jumps[1], numbers["v, one way"][1]), "the way back matches best if the loss sees it")
chosen = "u, and -u", "v, both ways"
figure = to_and_fro({name: fits[name] for name in chosen})
lesson.save(figure, "bent")


# %% tags=["hide-input"]
def convolve(x, weight):
    """The convolution of lesson 10, with zeros around the image."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((1, 1), (1, 1), (0, 0))), (3, 3), axis=(0, 1))
    return np.tensordot(windows, weight.transpose(2, 0, 1, 3), 3)


# %% [markdown]
# On v one can bend as strongly, without a fold, and home is near. With a loss for both ways, one field serves both
# registrations. (Turn the knobs, and some cells may fold: those where v changes too quickly for the grid.)
#
# ## A network that prefers none
#
# Now the last part of the project's network. Let `ask` be any network that looks at two images. (Yours has random
# weights.) Exchange the images and subtract:
#
#     v(a, b) = (ask(a, b) - ask(b, a)) / 2
#
# **Before you run the next cell: what do you expect?** What is v(b, a)? What is v(a, a)? (Nothing is trained.)


# %%
first_layer = rng.standard_normal((3, 3, 2, 8))
second_layer = rng.standard_normal((3, 3, 8, 2))


def ask(a, b):
    hidden = convolve(np.concatenate([a, b], axis=-1), first_layer)
    return convolve(np.maximum(hidden, 0.1 * hidden), second_layer)


def look(a, b):
    # Blurred, as neighbours shall fly together.
    return 0.5 * blurred(ask(a, b) - ask(b, a), 3) / 2


opposite = np.abs(look(moving, fixed) + look(fixed, moving)).max()
same = np.abs(look(moving, moving)).max()
print(f"v(a, b) + v(b, a): {opposite}")
print(f"v(a, a):           {same}")

# %% [markdown]
# <details><summary>The answer</summary>
#
# Exchanged, v is exactly its own negative: so its flow is the inverse. Equal images give exactly 0: they stay where
# they are. The weights do not matter. It is so by construction. (A bias of the last layer would cancel. Its gradient
# would be 0, so there is none.)
#
# </details>
#
# The project looks several times. Each look moves *both* images half of the way, so that they meet in the middle. There
# it looks again. For this each image has two fields, which are 0 at first:
#
#     moving   <-- into_moving --      the      -- into_fixed -->    fixed
#              -- out_of_moving -->   middle    <-- out_of_fixed --
#
# - `into_moving` says for each pixel of the middle where to look in the moving image. So
#   `warp(moving, into_moving)` is this image, bent into the middle.
# - `out_of_moving` says for each pixel of the moving image where it lies in the middle. It undoes `into_moving`.
#
# A look at both bent images gives v. It leads to a new middle. `half`, the flow of v/2, says where a pixel of the new
# middle looks in the old one, for the moving image; `half_undone`, the flow of -v/2, is its inverse. For the fixed
# image the two change places.
#
# - Into the image: from the new middle to the old one, then along `into_moving`. So `half` comes first.
# - Out of it: along `out_of_moving` to the old middle, then on to the new one. So `half_undone` comes last.
#
# At the end: out of the fixed image to the middle, and from there into the moving one.


# %%
def register(moving, fixed, looks=3):
    into_moving = into_fixed = np.zeros((28, 28, 2))
    out_of_moving = out_of_fixed = np.zeros((28, 28, 2))
    for _ in range(looks):
        v = look(warp(moving, into_moving), warp(fixed, into_fixed))
        half = flow(v / 2, squarings)
        half_undone = flow(-v / 2, squarings)
        into_moving = compose(half, into_moving)
        into_fixed = compose(half_undone, into_fixed)
        out_of_moving = compose(out_of_moving, half_undone)
        out_of_fixed = compose(out_of_fixed, half)
    return compose(out_of_fixed, into_moving), compose(out_of_moving, into_fixed)


guess, guess_back = register(moving, fixed)
exchanged = register(fixed, moving)
print(f"longest way: {np.linalg.norm(guess, axis=-1).max():.1f} pixels")
print(f"there and back: {np.mean(from_home(guess, guess_back)):.3f} pixels from home")
exchange = np.array_equal(exchanged, [guess_back, guess])
claim(exchange, "exchanged images exchange the fields")

# %% tags=["hide-input"]
figure = pictures.fields_over(
    {
        "there, by random weights": (moving[..., 0], guess),
        "back": (fixed[..., 0], guess_back),
        "there and back": (fixed[..., 0], compose(guess, guess_back)),
    },
    spacing=1,
)
lesson.save(figure, "untrained")
claim(opposite == 0 and same == 0, "v(b, a) is -v(a, b), and v(a, a) is 0")

# %% [markdown]
# What it says is nonsense, as nothing is trained. But it is nonsense that leads home. Training only has to make the
# way there a good one.
#
# These are the lines of `both_ways` in [`SymmetricUNet`](../minireg/models/unet.py), the project's default. Do your
# functions agree with the project's?
#
# <details><summary>Its lines, beside yours</summary>
#
# Both images are the halves of one [batch](../docs/glossary.md#batch), so one line does what two of yours do. `_swap`
# exchanges the halves.
#
#     answer - _swap(answer)                          ask(a, b) - ask(b, a), and the other way round
#     half_flow = integrate(velocity * 0.5, ...)      half, and in the other half of the batch half_undone
#     into = compose(half_flow, into)                 into_moving, into_fixed
#     back = compose(back, _swap(half_flow))          out_of_moving gets half_undone, out_of_fixed gets half
#     compose(_swap(back), into)                      out_of_fixed, then into_moving; and the other way round
#
# The rest saves time. Fields have half the size of the images. `enlarge` brings them to the full size and doubles their
# numbers, since a pixel there is half as large. The first two looks see the images once more at half of their size. The
# U-Net gets `into` as well. Three squarings do ([more hardly helped](../docs/recipes.md)). And images are padded with
# zeros until their sizes can be halved that often.
#
# If you write such a network yourself: the folded texts of lessons 11 and 13 have all that goes back. In float32
# write `np.indices(shape).astype(u.dtype)`, or all becomes float64 and slow. And composed fields, enlarged and read
# at pixels, may still fold in a cell or two. Repair them as at the end of lesson 13: smooth that field by half a pixel,
# and once more, until no cell of it folds. Say that you did, and how often.
#
# </details>

# %%
tensor = Tensor(backend.to_device(wind[None]), requires_grad=True)
theirs = fields.integrate(tensor, squarings)
theirs.backward(backend.to_device(g[None]))
u_there = backend.to_host(theirs.data)[0]
g_there = backend.to_host(tensor.grad)[0]
claim(np.allclose(u_there, flow(wind, squarings)), "fields.integrate is your flow")
claim(np.allclose(g_there, vjp_flow(g, wind, squarings)), "its gradient is yours, too")

# %% [markdown]
# Now let the project's network learn, 100 steps on this one pair, with Adam and a loss for both ways.

# %% tags=["hide-input"]
network = SymmetricUNet(np.random.default_rng(seed), channels=(8, 16))
last = network.unet.output.weight  # in the project it begins at 0
last.data = backend.to_device(np.float32(0.2 * rng.standard_normal(last.shape)))
a, b = (Tensor(backend.to_device(np.float32(image[None]))) for image in (moving, fixed))


def answers(one, other):
    return [backend.to_host(way.data)[0].astype(float) for way in network.both_ways(one, other)]


untrained = answers(a, b)
exchange = np.allclose(untrained, answers(b, a)[::-1], atol=1e-4)
claim(exchange, "in the project's network, exchanged images exchange the fields")

# %% tags=["hide-input"]
optimiser = Adam(network.parameters(), 0.002)
for _ in range(100):
    way, way_back = network.both_ways(a, b)
    loss = losses.ncc_loss(ops.warp(a, way), b) + losses.ncc_loss(ops.warp(b, way_back), a)
    loss = loss + 0.1 * (losses.diffusion(way) + losses.diffusion(way_back))
    for parameter in network.parameters():
        parameter.grad = None
    loss.backward()
    optimiser.step()
trained = answers(a, b)
print("                 NCC  back  folds  back  from home")
for name, (way, way_back) in ("untrained", untrained), ("after 100 steps", trained):
    matches = ncc(warp(moving, way), fixed), ncc(warp(fixed, way_back), moving)
    folds = np.sum(folded(way)), np.sum(folded(way_back))
    distance = np.mean(from_home(way, way_back))
    print(f"{name:15} {matches[0]:.3f} {matches[1]:.3f} {folds[0]:6} {folds[1]:5} {distance:10.3f}")
claim(min(matches) > 0.9 and sum(folds) < 5, "trained, it bends both digits, and folds next to nothing")
figure = to_and_fro({"untrained": untrained, "trained": trained})
lesson.save(figure, "network")

# %% [markdown]
# It had to learn where to go. How to get home, it knew before.
#
# ## There and back again
#
# The film has three parts. On the left, the digit flows along t * v, until it is the other one. Then it flows home,
# with -v. In the middle, it jumps along t * u, and comes back by -u. On the right, the wind of the beginning stirs it,
# and then blows backwards.

# %%
times = np.linspace(0, 1, 17)
stirred = flow(wind, 7)
ways = [(flow(t * v, squarings), t * u, flow(t * wind, 7)) for t in times]
for t in times[1:]:
    home = compose(flow(-t * v, squarings), there)
    unstirred = compose(flow(-t * wind, 7), stirred)
    ways.append((home, compose(-t * u, u), unstirred))
film = []
for three in ways:
    film.append(np.hstack([warp(moving, way) for way in three])[..., 0])
lesson.animate(film, "film")

# %% tags=["hide-input"]
stages = {}
for k, name in enumerate(("flow", "jump", "wind")):
    for step, title in (0, "the start"), (8, "half-way"), (16, "there"), (24, "half-way back"), (32, "home"):
        stages[f"{name}: {title}"] = film[step][:, 28 * k : 28 * k + 28]
figure = pictures.images_in_a_row(stages, rows=3)
lesson.save(figure, "stages")
likeness = [ncc(stages[f"{name}: home"], moving[..., 0]) for name in ("flow", "jump", "wind")]
print("NCC with the start, at home: flow {:.3f}, jump {:.3f}, wind {:.3f}".format(*likeness))
claim(min(likeness[0], likeness[2]) > 0.99 > likeness[1] + 0.02, "the flows come home, the jump comes home damaged")

# %% [markdown]
# The flows bring the digit home as it was, even out of the storm. The jump brings it home damaged.

# %% tags=["evidence", "hide-cell"]
fine = whirls(55)
fine_rest = np.mean(np.linalg.norm(compose(flow(fine, 8), flow(-fine, 8)), axis=-1)[8:-8, 8:-8]) / 2
claim(0.3 < fine_rest / rest[8] < 0.6, "on a grid twice as fine, about half of the rest is left")

# %% [markdown]
# ## What you know now
#
# - A velocity is followed for a time of 1. Flows never fold; what is left of folds comes from the grid.
# - Scaling and squaring: a tiny step, composed with itself, seven times.
# - The way back is the flow of -v.
# - In compose(u, u), one field has three parts. Its gradients add up.
# - v = (ask(a, b) - ask(b, a)) / 2 makes a network's way back the inverse, whatever its weights.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_14.py` and run `python -m lessons.check 14` from the top folder.
#
# 1. `flow_line`: places that follow a velocity on a line, step by step.
# 2. `inverse`: the way back where nobody has told you the velocity.
# 3. `vjp_flow_line`: the gradient of the first one, back through all steps.
#
# **A small project**, without a check: take the film's half-way image. Is it a digit? Flow the *other* digit half of
# the way back, and compare the two. For which pairs do they agree?
#
# ## What comes next
#
# This ends the second part. Your digits stood upright, and each stroke had a similar one nearby. What if one digit is
# turned by 90 degrees? [Lesson 15](15_big_motions_first.py) is about big motions: how shift, rotation and coarse
# levels come first.

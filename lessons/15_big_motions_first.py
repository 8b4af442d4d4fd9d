# %% [markdown]
# # 15. Big motions first
#
# - **You need**: lesson 4 (coarse to fine), lesson 9 (descent on a field) and lesson 11 (what a number can see).
# - **You will know**: why a descent, or a network, that sees little cannot find a long way; how to give a motion six
#   numbers, and their gradient; why one tries several turns; how shift, turn and bending come together.
# - **Time**: reading 25 minutes, running under 15 seconds.
#
# Below is a four, turned by 60 degrees and moved, and a four by another hand. The descent of lesson 9 shall lay one on
# the other. Beside them is what it makes of it. **How does one find a long way?**

# %%
if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()  # one thread is quicker for small matrices

import numpy as np

import pictures
from lesson import Lesson, claim
from minireg import Tensor, backend, fields, losses, methods, ops, viz
from minireg.data.strokes import draw_digits
from minireg.nn import Conv2d, Module
from minireg.optim import Adam, cosine_schedule

lesson = Lesson(15)
seed = lesson.knob("seed", 4, (0, 1, 2), "other handwritings")
digit = lesson.knob("digit", 4, (2, 7, 8), "an 8 has two answers")
degrees = lesson.knob("degrees", 60, (20, 120, 180), "at 120 it ends in a wrong valley")

# %% tags=["hide-input"]
rng = np.random.default_rng(seed)
SIZE, SHIFT = 40, np.array([5.0, -4.0])


def from_centre(size):
    """Where each pixel is, as (row, column) from the centre of the image."""
    return np.moveaxis(np.indices((size, size)), 0, -1) - (size - 1) / 2


def turn(degrees):
    """The matrix that says where pixels look so that the content turns anticlockwise, as in lesson 2."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, sine], [-sine, cosine]])


def angle_of(A):
    """The turn in a matrix, in degrees: what it has in common with `turn`, whatever its slant and width."""
    return np.degrees(np.arctan2(A[0, 1] - A[1, 0], A[0, 0] + A[1, 1]))


def warp_with_slopes(moving, u):
    """Lesson 9: the warped image, and its slopes along rows and columns. Beyond the paper all is black."""
    size = len(moving)
    among_zeros = np.pad(moving, size)
    r, c = (np.clip(np.indices((size, size))[k] + size + u[..., k], 0, 3 * size - 2) for k in (0, 1))
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    s, t = r - i, c - j
    above = (1 - t) * among_zeros[i, j] + t * among_zeros[i, j + 1]
    below = (1 - t) * among_zeros[i + 1, j] + t * among_zeros[i + 1, j + 1]
    left = (1 - s) * among_zeros[i, j] + s * among_zeros[i + 1, j]
    right = (1 - s) * among_zeros[i, j + 1] + s * among_zeros[i + 1, j + 1]
    return (1 - s) * above + s * below, np.stack([below - above, right - left], axis=-1)


def warp(moving, u):
    return warp_with_slopes(moving, u)[0]


def moved(image, degrees, shift):
    """The content turned anticlockwise, and then shifted (down, to the right)."""
    inverse = turn(degrees)
    return warp(image, from_centre(SIZE) @ (inverse - np.eye(2)).T - inverse @ shift)


# %% tags=["hide-input"]
def centre(x):
    return x - np.mean(x)


def spread(x):
    return np.sum(centre(x) * centre(x)) + 1e-12  # a digit that has left the image must not divide by 0


def ncc(a, b):
    return np.sum(centre(a) * centre(b)) / np.sqrt(spread(a) * spread(b))


def ncc_gradient(u, moving, fixed):
    """How 1 - NCC changes with each number of the field u."""
    warped, slopes = warp_with_slopes(moving, u)
    g = ncc(warped, fixed) * centre(warped) / spread(warped) - centre(fixed) / np.sqrt(spread(warped) * spread(fixed))
    return g[..., None] * slopes


def roughness_gradient(u):
    along_rows, along_columns = u[1:] - u[:-1], u[:, 1:] - u[:, :-1]
    g = np.zeros_like(u)
    g[1:] += along_rows / along_rows.size
    g[:-1] -= along_rows / along_rows.size
    g[:, 1:] += along_columns / along_columns.size
    g[:, :-1] -= along_columns / along_columns.size
    return g


def bend(moving, fixed, price=0.1, steps=200):
    """The descent of lesson 9: the path of the field."""
    path = [np.zeros((SIZE, SIZE, 2))]
    for step in range(steps):
        g = ncc_gradient(path[-1], moving, fixed) + price * roughness_gradient(path[-1])
        path.append(path[-1] - 0.3 * (1 - step / steps) * g / (np.linalg.norm(g, axis=-1).max() + 1e-12))
    return path


def folded(u):
    return np.sum(np.min(np.concatenate(fields.corner_determinants(u[None])), axis=0) <= 0)


# %% tags=["hide-input"]
one, other = (np.pad(image, 6) for image in draw_digits([digit, digit], rng)[..., 0].astype(float))
moving, fixed = moved(one, degrees, SHIFT), other
back = turn(-degrees)
truth = from_centre(SIZE) @ (back - np.eye(2)).T + SHIFT


def misses(u):
    """By how many pixels the ink looks beside where the motion has put it, on average."""
    return np.mean(np.linalg.norm(u - truth, axis=-1)[fixed > 0.5])


alone_path = bend(moving, fixed)
alone = alone_path[-1]
figure, axes = pictures.panels(4, width=2.4, above=0.3)
pictures.show(axes[0], moving, "moving")
pictures.show(axes[1], fixed, "fixed")
pictures.show(axes[2], warp(moving, alone), "what lesson 9 makes of it")
pictures.show(axes[3], moving, "and where its pixels look", vmax=2)
viz.draw_warped_grid(axes[3], alone)
lesson.save(figure, "lost")
print(f"NCC: {ncc(moving, fixed):.3f} before, {ncc(warp(moving, alone), fixed):.3f} after")
print(f"the ink should look {misses(0 * truth):.1f} pixels away; lesson 9 misses that by {misses(alone):.1f}")
claim(ncc(warp(moving, alone), fixed) > ncc(moving, fixed) + 0.4, "lesson 9 raises NCC by more than .4")
claim(misses(alone) > 0.8 * misses(0 * truth), "of the way that is missing, it finds less than a fifth")

# %% [markdown]
# NCC leaps up. But nothing has been turned. We turned the digit ourselves, so we know where each pixel should look: the
# field is nearly as wrong as doing nothing. It has torn the strokes that lay there, and patched up something like a
# four.
#
# ## How far does one see?
#
# Take a bump 1 2 1 on a line, in both images, d pixels apart. Their overlap is the sum of the products:
#
#     d          0    1    2    3    4    5
#     overlap    6    4    1    0    0    0
#
# Up to 3, each pixel nearer pays. From 4 on, one pixel nearer changes nothing: the gradient is exactly 0. (It is the
# level ground of lesson 3.) How far a method may be from the answer and still find it is its
# [capture range](../docs/glossary.md#capture-range). Here it is the width of the bump.
#
# And a turn of 60 degrees moves a pixel that is 10 from the centre by 2 * 10 * sin(30 degrees) = 10.
#
# A network is no better off. Behind three layers a number sees 7 x 7 pixels (lesson 11), three to each side. Below are
# the squares, and what is in them, if the digit has moved by six pixels.


# %% tags=["hide-input"]
def windows(images, ink, motion, size):
    """What a number sees of the moved and of the fixed images (N, 108, 108): 7 x 7 means of size x size pixels."""
    seen = []
    for shift in (motion, 0 * motion):
        rows, columns = (40 + (ink - shift)[:, axis, None] + np.arange(7 * size) - 7 * size // 2 for axis in (0, 1))
        block = images[np.arange(len(ink))[:, None, None], rows[:, :, None], columns[:, None]]
        seen.append(block.reshape(-1, 7, size, 7, size).mean(axis=(2, 4)))
    return np.stack(seen, axis=-1).astype(np.float32)


def some_ink(images):
    """A pixel of ink of each image, at random."""
    places = [np.argwhere(image[40:-40, 40:-40] > 0.5) for image in images]
    return np.array([place[rng.integers(len(place))] for place in places])


written = np.pad(draw_digits([*range(10)] * 40, rng)[..., 0], [(0, 0), (40, 40), (40, 40)])
to_learn, to_test = written[:200], written[200:]
shown = np.pad(other[6:-6, 6:-6], 40)[None]
ink = np.argwhere(other[6:-6, 6:-6] > 0.5)
ink = ink[np.argmax(ink @ [-1, 1])][None]  # the upper right end of the digit
motion = np.array([[5, 4]])  # six pixels
figure, axes = pictures.panels(8, rows=2, width=1.9, above=0.25)
for row, (name, shift) in enumerate({"moved": motion[0], "fixed": (0, 0)}.items()):
    titled = row == 0
    image = np.roll(shown[0], shift, (0, 1))[24:-24, 24:-24]
    pictures.show(axes[4 * row], image, "the images" if titled else "")
    axes[4 * row].set_ylabel(name)
    for k, (size, colour) in enumerate({1: "tab:red", 2: "tab:orange", 4: "tab:green"}.items()):
        corner, side = ink[0][::-1] + 16 - 7 * size // 2 - 0.5, 7 * size
        square = pictures.Rectangle(corner, side, side, fill=False, edgecolor=colour, linewidth=2)
        axes[4 * row].add_patch(square)
        panel = axes[4 * row + k + 1]
        seen = windows(shown, ink, motion, size)[0, ..., row]
        pictures.show(panel, seen, f"{side} x {side}" if titled else "")
        panel.spines[:].set(color=colour, linewidth=2)
lesson.save(figure, "windows")

# %% [markdown]
# In red: pixels as they are. What the fixed image shows there has left the window of the moved one. In orange and
# green, each pixel is the mean of 2 x 2 or 4 x 4. The window has 7 x 7 numbers again, but it reaches two or four times
# as far.
#
# Train such a network three times, once for each window. We move digits ourselves, by up to nine pixels down or up, and
# to the left or right. So we know the answer, and tell it. (`train` and `error` are in the folded cell below.)
#
# **Before you run the next cell: what do you expect?** How far off is each of the three for digits that have moved by
# 0, 4, 8 or 12 pixels?

# %% tags=["hide-input"]
BATCH, STEPS = 64, 150


def answer(network, window, size):
    """In pixels of the image: those of the window are so many times as large."""
    return network(Tensor(backend.to_device(window)))[:, 0, 0] * size


def train(network, size):
    optimiser, rate = Adam(network.parameters(), lr=0.01), cosine_schedule(0.01, STEPS, warmup=STEPS // 10)
    for step in range(STEPS):
        images = to_learn[rng.integers(0, len(to_learn), BATCH)]
        motion = rng.integers(-9, 10, (BATCH, 2))
        window = windows(images, some_ink(images), motion, size)
        wrong = answer(network, window, size) - backend.to_device(motion.astype(np.float32))
        loss = (wrong * wrong).mean()
        network.zero_grad()
        loss.backward()
        optimiser.lr = rate(step)
        optimiser.step()
    return network


def error(network, size, distance):
    angle = rng.uniform(0, 2 * np.pi, len(to_test))
    motion = np.rint(distance * np.stack([np.sin(angle), np.cos(angle)], axis=-1)).astype(int)
    found = answer(network, windows(to_test, some_ink(to_test), motion, size), size)
    return np.mean(np.linalg.norm(backend.to_host(found.data) - motion, axis=-1))


# %%
class ShortSighted(Module):
    def __init__(self):
        weights = np.random.default_rng(seed)
        self.first = Conv2d(2, 16, 3, weights)
        self.second = Conv2d(16, 16, 3, weights)
        self.last = Conv2d(16, 2, 3, weights)

    def forward(self, window):
        x = ops.leaky_relu(self.first(window), 0.1)
        x = ops.leaky_relu(self.second(x), 0.1)
        return self.last(x)


errors = {}
print("moved by         0    4    8   12 pixels")
for size in 1, 2, 4:
    network = train(ShortSighted(), size)
    errors[size] = [error(network, size, distance) for distance in range(13)]
    row = [f"{wrong:4.1f}" for wrong in errors[size][::4]]
    print(f"sees {7 * size:2} pixels", *row)

# %% tags=["hide-input"]
lines = {f"sees {7 * size} x {7 * size} pixels": errors[size] for size in errors}
figure = pictures.curves(lines, "how far the digit has moved, in pixels", "error, in pixels")
for line, colour in zip(figure.axes[0].lines, ("tab:red", "tab:orange", "tab:green"), strict=True):
    line.set_color(colour)
figure.axes[0].plot([0, 12], [0, 12], ":", color="0.6", label="always says: not at all")
figure.axes[0].legend(frameon=False)
lesson.save(figure, "seen")
claim(errors[1][8] > 0.6 * 8 and errors[1][12] > 0.8 * 12, "with 7 x 7 pixels it is lost at 8 pixels, and at 12")
claim(errors[4][8] < 0.5 * errors[2][8] + 1 < errors[1][8], "at 8 pixels, those that see further find more")
claim(all(errors[4][k] < min(errors[1][k], errors[2][k]) for k in (0, 4, 8, 12)), "the largest pixels are the best")
claim(errors[2][12] > 6 and errors[4][12] < 6, "at 12 pixels, only the one with the largest pixels finds the way")

# %% [markdown]
# <details><summary>The answer</summary>
#
# With 7 x 7 pixels it goes wrong from about four pixels on. Far away it is hardly better than one who always says "not
# at all". Each time pixels are twice as large, it gets further. The number of weights stays the same. Here the largest
# pixels are the best even nearby, since the whole digit moves as one. Where neighbours move differently, as in lesson
# 9, a coarse pixel has only one arrow for all of them.
#
# </details>
#
# So networks go from coarse to fine, too. [`models.Pyramid`](../minireg/models/pyramid.py) has such a small network for
# each size of pixels. Each goes on from where the coarser one has arrived.
#
# ## Few numbers
#
# Seeing far is not all. The field of lesson 9 has 3200 numbers here, and each saves itself as it can. But a turn is
# *one* number. What if all pixels must move together?
#
# Let three pixels lie on a line, at x = -1, 0 and 1 from the centre, with these gradients g of the loss:
#
#     x      -1     0     1
#     g       2     0    -2        so, against g, they want to the left, nowhere, to the right
#
# Let them share one shift, u = t. Its gradient is 2 + 0 - 2 = 0: they cancel. Let them share one stretch instead,
# u = (a - 1) x. Each counts with its place: 2 * (-1) + 0 + (-2) * 1 = -4, so a shall grow. The arrows that cancel as a
# shift add up as a stretch.
#
# In the plane this is an [affine](../docs/glossary.md#affine) map: a matrix A of four numbers (turn, stretch, slant),
# and a shift t of two. c is the centre of the image.
#
# $$
# u(p) = (A - I)(p - c) + t
# $$
#
# The shift counts the same everywhere, and A by the place. With g(p), the gradient for each pixel that you know from
# lesson 8, the chain rule adds up over all pixels:
#
# $$
# \frac{\partial L}{\partial t} = \sum_p g(p) \qquad
# \frac{\partial L}{\partial A} = \sum_p g(p) (p - c)^T
# $$


# %%
def affine_field(A, t, size):
    return from_centre(size) @ (A - np.eye(2)).T + t


def affine_gradient(A, t, moving, fixed):
    size = len(fixed)
    g = ncc_gradient(affine_field(A, t, size), moving, fixed)
    g_A = g.reshape(-1, 2).T @ from_centre(size).reshape(-1, 2)
    return g_A, np.sum(g, axis=(0, 1))


def loss(A, t):
    return 1 - ncc(warp(moving, affine_field(A, t, SIZE)), fixed)


A = turn(-20) + 0.1 * rng.standard_normal((2, 2))
t = SHIFT / 2 + 0.3
d_A = rng.standard_normal((2, 2))
d_t = rng.standard_normal(2)
g_A, g_t = affine_gradient(A, t, moving, fixed)
by_hand = np.sum(g_A * d_A) + np.sum(g_t * d_t)
h = 1e-6
judge = (loss(A + h * d_A, t + h * d_t) - loss(A - h * d_A, t - h * d_t)) / (2 * h)
print(f"random direction: by hand {by_hand:.6f}, quotient {judge:.6f}")
claim(np.isclose(by_hand, judge, atol=1e-5), "the gradient of the six numbers is right")

# %% [markdown]
# How long is a step? If t changes by .1, all pixels move by .1. If A does, a pixel at the border, 20 from the centre,
# moves by 2. So descend on B = 20 A, which moves the border as t moves everything. By the chain rule, its gradient is
# g_A / 20. B changes by so much, and A = B / 20 by g_A / 20 / 20. The longest arrow of a step is half a pixel at first,
# and shrinks (as in lesson 9).


# %%
def descend(A, t, moving, fixed, steps=60):
    size = len(fixed)
    for step in range(steps):
        g_A, g_t = affine_gradient(A, t, moving, fixed)
        d_A = g_A / (size / 2) ** 2
        arrows = affine_field(np.eye(2) + d_A, g_t, size)
        longest = np.linalg.norm(arrows, axis=-1).max() + 1e-12
        length = 0.5 * (1 - step / steps) / longest
        A = A - length * d_A
        t = t - length * g_t
    return A, t


stuck_A, stuck_t = descend(np.eye(2), np.zeros(2), moving, fixed, 120)
print(f"turned by {angle_of(stuck_A):.0f} degrees, loss {loss(stuck_A, stuck_t):.3f}")

# %% [markdown]
# It should be about -60, the way back. Six numbers alone do not do it: the start is too far away.
#
# ## First the shift, then the turn
#
# The shift needs no descent. The centre of the ink is a mean, and moves with the digit. So lay one centre on the other.
# What is left is mainly a turn, and you can draw its whole landscape: it has one axis.
#
# **Before you run the next cell: what do you expect?** For shifts, blur made the basin wide (lesson 3). How many
# valleys does a whole turn have, at 40 x 40 pixels, and how many at 10 x 10?


# %%
def halved(image):
    size = len(image) // 2
    return image.reshape(size, 2, size, 2).mean(axis=(1, 3))


def centre_of_ink(image):
    weights = image[..., None] / image.sum()
    return np.sum(weights * from_centre(len(image)), axis=(0, 1))


def start(degrees, moving, fixed):
    A = turn(degrees)
    return A, centre_of_ink(moving) - A @ centre_of_ink(fixed)


sizes = {40: (moving, fixed)}
sizes[20] = halved(moving), halved(fixed)
sizes[10] = halved(sizes[20][0]), halved(sizes[20][1])
angles = np.arange(-180, 180, 3)
landscapes = {}
counts = {}
for size, pair in sizes.items():
    heights = []
    for angle in angles:
        u = affine_field(*start(angle, *pair), size)
        heights.append(1 - ncc(warp(pair[0], u), pair[1]))
    heights = np.array(heights)
    valleys = (heights < np.roll(heights, 1)) & (heights < np.roll(heights, -1))
    landscapes[size] = heights
    counts[size] = np.sum(valleys)
    print(f"{size} x {size}: valleys at", angles[valleys])

# %% tags=["hide-input"]
figure, axes = pictures.panels(4, width=2.5, above=0.45)
axes[0].axvline(-degrees, color="0.7", linestyle="--")
for size, colour in zip(landscapes, ("tab:red", "tab:orange", "tab:green"), strict=True):
    axes[0].plot(angles, landscapes[size], color=colour, label=f"{size} x {size}")
axes[0].set(xlabel="turned by (degrees)", xticks=range(-180, 181, 90), ylim=(0, 1.4 * landscapes[40].max()))
axes[0].set_title("1 - NCC", fontsize=10)
axes[0].legend(frameon=False, fontsize=8)
axes[0].spines[["top", "right"]].set_visible(False)
bottoms = np.flatnonzero((landscapes[40] < np.roll(landscapes[40], 1)) & (landscapes[40] < np.roll(landscapes[40], -1)))
bottoms = sorted(bottoms, key=lambda k: landscapes[40][k])[:3]
for panel, k in zip(axes[1:], bottoms, strict=False):
    seen = warp(moving, affine_field(*start(angles[k], moving, fixed), SIZE))
    viz.draw_overlay(panel, np.float32(seen)[..., None], np.float32(fixed)[..., None])
    panel.set(xticks=[], yticks=[])
    panel.set_title(f"the valley at {angles[k]} degrees", fontsize=10)
for panel in axes[1 + len(bottoms) :]:
    panel.set_axis_off()
lesson.save(figure, "valleys")


# %% [markdown]
# <details><summary>The answer</summary>
#
# Several, and on coarse images more, not fewer. Wherever strokes come to lie on other strokes there is a valley: three
# broad ones in the figure. The others are ripples, of which coarse pixels have more. The dashed line is the way back
# that we know; it lies in one of the three. Worse, with the knobs as they came the deepest valley is wrong, at
# every size: by a turn alone, this four fits best upside down. Only slant and width will tell.
#
# </details>
#
# ## Try them all
#
# A descent finds the nearest valley. So begin in all of them: turns by 0, 30, 60 degrees and so on. On 10 x 10 pixels a
# descent costs next to nothing. Improve all twelve there, with all six numbers. The best three go on to 20 x 20 pixels,
# and the best one to 40 x 40. From size to size A stays as it is, and t doubles, since pixels become half as large.


# %%
def search(moving, fixed, starts=12):
    levels = [(moving, fixed)]
    for _ in range(2):
        levels.append([halved(image) for image in levels[-1]])
    found = [start(360 / starts * k, *levels[2]) for k in range(starts)]
    for pair, keep in zip(levels[::-1], (3, 1, 1), strict=True):
        size = len(pair[0])
        ends = []
        for A, t in found:
            A, t = descend(A, t, *pair)
            match = ncc(warp(pair[0], affine_field(A, t, size)), pair[1])
            ends.append((match, A, t))
        ends.sort(key=lambda end: -end[0])
        found = [(A, 2 * t) for _, A, t in ends[:keep]]
        shown = [f"{angle_of(A):.0f}: {match:.3f}" for match, A, _ in ends[:5]]
        print(f"{size} x {size}: angle and NCC of the best ", ", ".join(shown))
    return found[0][0], found[0][1] / 2


A, t = search(moving, fixed)
print(f"turned by {angle_of(A):.0f} degrees, shifted by {t.round(1)}")
print(f"the ink misses by {misses(affine_field(A, t, SIZE)):.1f} pixels")

# %% [markdown]
# There it is, up to what two hands differ. At 10 x 10 the upside-down four is not far behind. So it pays to take three
# along: coarse images see far, fine ones decide.
#
# ## Then the small motions
#
# Now what is left is short, and the descent of lesson 9 can do what it is good at. It sees the image as the affine map
# has warped it, and finds a field d there. Both make *one* field: from p go along d, and from there along the affine
# map.
#
# $$
# u(p) = d(p) + (A - I)(p + d(p) - c) + t
# $$
#
# An affine map is known between the pixels too, so this composition is exact. And the moving image is read once. Read
# twice, its contrast would suffer (lesson 2).


# %%
def then_affine(d, A, t):
    return affine_field(A, t, SIZE) + d + d @ (A - np.eye(2)).T


home = affine_field(A, t, SIZE)
straight = warp(moving, home)
path = bend(straight, fixed)
u = then_affine(path[-1], A, t)
print("                      NCC  folded cells")
three = ("lesson 9 alone", alone), ("affine", home), ("affine, then bent", u)
for name, field in three:
    match = ncc(warp(moving, field), fixed)
    print(f"{name:19} {match:.3f} {folded(field):8}")

# %% tags=["hide-input"]
figure, axes = pictures.panels(8, rows=2, width=2.2, above=0.3)
stages = {"lesson 9 alone": alone, "affine": home, "then bent": u}
pictures.show(axes[0], moving, "moving")
pictures.show(axes[4], fixed, "fixed")
for k, (name, field) in enumerate(stages.items()):
    pictures.show(axes[k + 1], warp(moving, field), name)
    pictures.show(axes[k + 5], moving, vmax=2)
    viz.draw_warped_grid(axes[k + 5], field)
lesson.save(figure, "home")

# %% [markdown]
# The same descent, with another beginning. What still folds, lessons 13 and 14 know how to mend.
#
# ## The film
#
# On the left lesson 9 alone. In the middle the digit comes home, first by its shift, turn and slant, then bent. On the
# right is the fixed digit.

# %% tags=["hide-input"]
film, angle = [], angle_of(A)
upright = turn(-angle) @ A  # A without its turn
for part in np.linspace(0, 1, 25):
    on_the_way = turn(part * angle) @ (np.eye(2) + part * (upright - np.eye(2)))
    film.append(warp(moving, affine_field(on_the_way, part * t, SIZE)))
film += [warp(moving, then_affine(d, A, t)) for d in path[::5]]
lost = [warp(moving, field) for field in alone_path[:: 200 // len(film)][: len(film)]]
side_by_side = [np.hstack([*pair, fixed]) for pair in zip(lost, film, strict=True)]
lesson.animate(side_by_side, "film")
figure, axes = pictures.panels(12, rows=2, width=1.5, above=0.2)
for row, (name, images) in enumerate({"lesson 9 alone": lost, "big motions first": film}.items()):
    for k, when in enumerate((0, 8, 16, 24, len(film) - 1)):
        pictures.show(axes[6 * row + k], images[when], "" if row else f"image {when}" if when else "moving")
    pictures.show(axes[6 * row + 5], fixed, "" if row else "fixed")
    axes[6 * row].set_ylabel(name)
lesson.save(figure, "stages")

# %% [markdown]
# ## The project's
#
# `python -m minireg.register MOVING FIXED` does all this with `methods.align`, for any two images. It needs no centre
# of ink, which half a face beyond the border would shift: for turns by 15 degrees and seven sizes it finds the best
# shift of all, by Fourier transforms. Both images move half of the way, as in lesson 14. Slant and size are taken if
# they explain more than chance would. Do both find the same?

# %%
images = [image[None, ..., None].astype(np.float32) for image in (moving, fixed)]
theirs = methods.align(*images, stages="affine", loss="ncc")[0].astype(float)
apart = np.mean(np.linalg.norm(theirs - home, axis=-1)[fixed > 0.5])
print(f"NCC, yours:         {ncc(warp(moving, home), fixed):.3f}")
print(f"NCC, the project's: {ncc(warp(moving, theirs), fixed):.3f}")
print(f"both fields are {apart:.2f} pixels apart on the ink")

# %% tags=["hide-input"]
matrix = Tensor(backend.to_device(np.concatenate([A, t[:, None]], axis=1)[None]), requires_grad=True)
field = fields.affine_displacement(matrix, SIZE, SIZE)
pair = [backend.to_device(image[None, ..., None]) for image in (moving, fixed)]
losses.ncc_loss(ops.warp(pair[0], field), pair[1]).backward()
g_A, g_t = affine_gradient(A, t, moving, fixed)
claim(np.allclose(backend.to_host(field.data)[0], home), "fields.affine_displacement is your field")
claim(np.allclose(backend.to_host(matrix.grad)[0], np.c_[g_A, g_t], atol=1e-6), "its gradient is yours, too")
claim(apart < 1, "your map and that of methods.align are less than a pixel apart on the ink")

several = [2, 3, 5, 6, 7, 9]
ones, others = (np.pad(draw_digits(several, rng)[..., 0].astype(float), [(0, 0), (6, 6), (6, 6)]) for _ in range(2))
turns = rng.choice([-1, 1], len(several)) * rng.uniform(50, 90, len(several))
lying = np.stack([moved(image, by, rng.uniform(-4, 4, 2)) for image, by in zip(ones, turns, strict=True)])
pairs = [np.float32(images)[..., None] for images in (lying, others)]
found, standing, angles_found = [], [], []
for m, f, way in zip(lying, others, methods.align(*pairs, stages="affine", loss="ncc").astype(float), strict=True):
    # The mean of the field is its shift, and the differences between neighbours are A - I.
    corner, down, right = way[0, 0], way[1, 0], way[0, 1]
    theirs_A = np.eye(2) + np.stack([down - corner, right - corner], axis=-1)
    d = bend(warp(m, way), f)[-1]
    found.append(then_affine(d, theirs_A, way.mean(axis=(0, 1))))
    standing.append(warp(m, found[-1]))
    angles_found.append(angle_of(theirs_A))
matches = [ncc(a, b) for a, b in zip(standing, others, strict=True)]
before = [ncc(a, b) for a, b in zip(lying, others, strict=True)]
wrong = np.array([abs((one + other + 180) % 360 - 180) for one, other in zip(turns, angles_found, strict=True)])
for name, row in ("turned by", turns), ("turned back by", angles_found):
    print(f"{name:14}", *(f"{by:6.0f}" for by in row))
for name, row in ("NCC before", before), ("NCC after", matches):
    print(f"{name:14}", *(f"{match:6.2f}" for match in row))
figure, axes = pictures.panels(24, rows=4, width=1.4, above=0.12)
for k in range(6):
    for row, image in enumerate((lying[k], standing[k], others[k])):
        pictures.show(axes[6 * row + k], image)
    pictures.show(axes[18 + k], lying[k], vmax=2)
    viz.draw_warped_grid(axes[18 + k], found[k], spacing=2)
for panel, name in zip(axes[::6], ("moving", "warped", "fixed", "grid"), strict=True):
    panel.set_ylabel(name)
lesson.save(figure, "six")
claim(min(matches) > 0.9, "all six end with an NCC above .9")
claim(np.sum(wrong < 45) == 5 and wrong[several.index(7)] > 90, "five come home, and the 7 was turned the wrong way")

# %% tags=["hide-input"]
overlaps = np.correlate([0, 0, 0, 0, 0, 1, 2, 1, 0, 0, 0, 0, 0], [1, 2, 1], "valid")[5:]
claim(list(overlaps) == [6, 4, 1, 0, 0, 0], "the overlaps of two bumps are 6, 4, 1, 0, 0, 0")
claim(np.isclose(np.linalg.norm((turn(60) - np.eye(2)) @ [0, 10]), 10), "60 degrees move a pixel at 10 by 10 pixels")
x, g = np.array([-1, 0, 1]), np.array([2, 0, -2])
claim(g.sum() == 0 and g @ x == -4, "as a shift the three cancel, as a stretch they make -4")
claim(
    abs(angle_of(stuck_A) + degrees) > 30, "from doing nothing, the six numbers miss the turn by more than 30 degrees"
)
lowests = [angles[np.argmin(heights)] for heights in landscapes.values()]
claim(counts[10] > counts[40] > 1, "a turn has several valleys, and on coarse images more")
upside_down = [abs((lowest + degrees + 180) % 360 - 180) > 90 for lowest in lowests]
claim(all(upside_down), "the deepest valley is the wrong one, at every size")
coarsely = []
for first in 180, -degrees:
    A_coarse, t_coarse = descend(*start(first, *sizes[10]), *sizes[10])
    coarsely.append(ncc(warp(sizes[10][0], affine_field(A_coarse, t_coarse, 10)), sizes[10][1]))
claim(coarsely[0] > coarsely[1] - 0.03, "at 10 x 10 the upside-down digit is not far behind, in NCC")
claim(abs(angle_of(A) + degrees) < 15, "the search finds the turn, to 15 degrees")
claim(misses(home) < 0.3 * misses(alone), "its ink misses by less than a third of what lesson 9 alone does")
claim(ncc(warp(moving, u), fixed) > 0.98, "affine, then bent: NCC above .98")
claim(folded(u) < 0.2 * folded(alone), "fewer than a fifth of the folds")
twice = warp(straight, path[-1])
claim(spread(twice) < 0.95 * spread(warp(moving, u)), "read twice, the image would lose more than 5 % of its variance")

# %% [markdown]
# Six digits, by the project's affine maps and your bending. With the knobs as they came, five are home. And the 7?
# Its NCC is above .9, but it was turned the wrong way: its long stroke has become the short one. NCC does not know.
# The angle tells. Other knobs lead you, or the project, into other wrong valleys. And an 8 upside down is an 8. So
# look at the angle before you believe it.
#
# ## What you know now
#
# - A gradient, or a network, knows nothing of what lies beyond what it sees. Coarse pixels let it see further.
# - Few numbers make all pixels move together. Their gradient is a sum over the pixels.
# - A turn has many valleys. Begin in all of them, on coarse images, and take several along.
# - Big motions first, then small ones; then one field of both, and the image is read once.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_15.py` and run `python -m lessons.check 15` from the top folder.
#
# 1. `compose_affine`: two affine maps become one.
# 2. `rigid_from_points`: the turn and the shift between landmarks, without any search.
# 3. `gauss_newton_affine`: a step for all six numbers that needs no length.
#
# **A small project**, without a check: let `search` begin with sizes too. Draw your own digit, turned and half as
# large. How many of ten find home, with 4, 12 or 36 starts?
#
# ## What comes next
#
# NCC has told us all the time how well two images match. But bone is bright in CT and dark in MR.
# [Lesson 16](16_other_intensities.py) is about images in which intensities mean different things.

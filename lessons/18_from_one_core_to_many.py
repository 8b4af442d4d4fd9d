# %% [markdown]
# # 18. From one core to many, from NumPy to CuPy
#
# - **You need**: lesson 6 (what float32 leaves of a number), lesson 7 (the scatter), lesson 11 (networks, Adam).
# - **You will know**: why processes can share a batch; why they add in a fixed order, and what each has to send; how
#   one code serves two libraries; how to test for a GPU without having one.
# - **Time**: reading 25 minutes, running under 15 seconds.
#
# Eight pairs of digits make a batch. Each row below is the gradient of one layer, eight kernels of 5 x 5 weights. The
# first row comes from four of the pairs, the second from the other four. The third is the mean of these two. The last
# one comes from all eight pairs at once. **Can two processes share a batch, and train as one?**

# %%
if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()  # one thread is quicker for small matrices

import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

import pictures
from lesson import Lesson, claim
from minireg import Tensor, backend, losses, methods, metrics, ops
from minireg.command import ONE_THREAD
from minireg.data import DigitPairs, load_strokes
from minireg.models import SymmetricUNet
from minireg.nn import Conv2d
from minireg.training import group

lesson = Lesson(18)
seed = lesson.knob("seed", 0, (1, 2, 3), "other digits, other first weights")
processes = lesson.knob("processes", 4, (2, 3, 6), "with two, no order matters")

# %% tags=["hide-input"]
rng = np.random.default_rng(seed)
pairs = DigitPairs(load_strokes(seed, 20, 10), "all")
moving, fixed = pairs.sampler(rng).draw(8)
layers = Conv2d(2, 8, 5, rng, padding=2), Conv2d(8, 8, 5, rng, padding=2), Conv2d(8, 2, 5, rng, padding=2)


def gradient(chosen):
    """What these pairs ask of the kernels of the first layer that look at the moving image: (8, 5, 5)."""
    images = [Tensor(backend.to_device(image[chosen])) for image in (moving, fixed)]
    x = ops.concatenate(images, axis=-1)
    for layer in layers[:-1]:
        x = ops.leaky_relu(layer(x), 0.1)
    u = layers[-1](x)
    loss = 1 - ops.ncc(ops.warp(images[0], u, border="edge"), images[1]).mean() + 0.1 * losses.diffusion(u)
    for layer in layers:
        layer.zero_grad()
    loss.backward()
    return np.moveaxis(backend.to_host(layers[0].weight.grad)[:, :, 0], -1, 0)


halves = [gradient(np.arange(4)), gradient(np.arange(4, 8))]
whole = gradient(np.arange(8))
rows = {"pairs 1 to 4": halves[0], "pairs 5 to 8": halves[1], "their mean": (halves[0] + halves[1]) / 2, "all 8": whole}
figure, axes = pictures.panels(32, rows=4, width=1.0, above=0.05)
limit = max(np.abs(kernels).max() for kernels in rows.values())
for k, (name, kernels) in enumerate(rows.items()):
    for panel, kernel in zip(axes[8 * k : 8 * k + 8], kernels, strict=True):
        pictures.show(panel, kernel, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes[8 * k].set_ylabel(name, fontsize=9)
lesson.save(figure, "halves")
off = np.abs(rows["their mean"] - whole).max()
print(f"largest weight {np.abs(whole).max():.4f}, largest difference of the last two rows {off:.0e}")
claim(off < 1e-5 * np.abs(whole).max(), "the mean of both gradients is the gradient of the whole batch, to rounding")

# %% [markdown]
# ## Four numbers, by hand
#
# One weight, w = 1, the loss (wx - y)², and its derivative by w:
#
#     x                      1     2     1     3
#     y                      0     1     3     5
#     loss                   1     1     4     4      mean  2.5
#     gradient 2(wx - y)x    2     4    -4   -12      mean -2.5
#
# Cut it in two: the means are 3 and -8, and their mean is -2.5 again. The derivative of a sum is the sum of the
# derivatives. So a loss that is a mean over pairs has the mean of their gradients, whoever computes which pair.
#
# **Before you run the next cell: what do you expect?** One process takes three of the numbers, the other takes one. Is
# the mean of the two still -2.5?


# %%
def asked(w, x, y):
    return np.mean(2 * (w * x - y) * x)


x = np.array([1.0, 2.0, 1.0, 3.0])
y = np.array([0.0, 1.0, 3.0, 5.0])
for cut in 2, 3:
    one = asked(1, x[:cut], y[:cut])
    other = asked(1, x[cut:], y[cut:])
    shared = cut / 4 * one + (4 - cut) / 4 * other
    print(f"{one:.2f}, {other:.2f}: mean {(one + other) / 2:.2f}, shares {shared:.2f}")

# %% [markdown]
# <details><summary>The answer</summary>
#
# No: -5.67. The single number has as much say as the other three together. Each part needs a weight, its share of the
# batch: 3/4 times 2/3 and 1/4 times -12 make .5 - 3 = -2.5.
#
# </details>
#
# So process k multiplies its mean gradient by its share, and a *sum* over all makes the gradient of the batch:
#
#     g = sum over k of  N_k / N * g_k
#
# This is [data-parallel](../docs/glossary.md#data-parallel) training. All begin with the same weights, all get the same
# g, and all take the same step. Nobody ever sends a weight. (But if pairs look at each other, as in
# [batch norm](../docs/glossary.md#batch-norm), their means must be taken over all processes, too. That is an exercise.)
#
# ## The same bits?
#
# "To rounding", says the claim above. How far off is that? Add .1, .2 and .3 in Python:
#
#     (.1 + .2) + .3 = .6000000000000001
#     .1 + (.2 + .3) = .6
#
# Each sum is rounded. Another order rounds other numbers.
#
# Now let each process have one pair. Their gradients arrive in some order, a different one each time.
#
# **Before you run the next cell: what do you expect?** Of the 200 weights above, how many get the same bits in every
# order?


# %%
def in_order(arrays):
    total = arrays[0].copy()
    for array in arrays[1:]:
        total = total + array
    return total


of_each = [gradient([k]) / np.float32(processes) for k in range(processes)]
orders = list(itertools.permutations(range(processes)))
results = np.array([in_order([of_each[k] for k in order]) for order in orders])
same = np.all(results == results[0], axis=0)
print(f"{np.sum(same)} of {same.size} weights have the same bits in all orders")

# %% tags=["hide-input"]
different = [len(np.unique(weight)) for weight in results.reshape(len(orders), -1).T]
sums = np.unique(results.reshape(len(orders), -1)[:, np.argmax(different)])
bits = np.array([[int(bit) for bit in f"{value.view(np.uint32):032b}"] for value in sums])
figure, (panel,) = pictures.panels(1, aspect=0.06 + 0.035 * len(sums), width=7.5, above=0.5)
shown = 0.55 + 0.35 * bits
shown[:, np.any(bits != bits[0], axis=0)] -= 0.55
pictures.show(panel, shown, aspect="auto")
for (row, column), bit in np.ndenumerate(bits):
    panel.text(column, row, bit, ha="center", va="center", fontsize=8, color="w" if shown[row, column] < 0.4 else "k")
panel.set(yticks=range(len(sums)), yticklabels=[f"{value:.8e}" for value in sums])
panel.set_title("the 32 bits of one weight's gradient, added in all orders; dark: where they differ", fontsize=10)
lesson.save(figure, "bits")
claim(0 < np.sum(same) < same.size, "the order decides the bits of some weights, and not of others")
claim(len(sums) > 1 and np.ptp(sums) < 1e-5 * np.abs(of_each).max(), "the sums differ in their last digits only")

# %% [markdown]
# <details><summary>The answer</summary>
#
# With four processes about a quarter. With two it would be all: a + b is b + a, bit by bit. From three on, what is
# rounded depends on who comes first.
#
# </details>
#
# So give each process a number, its [rank](../docs/glossary.md#rank), and add in the order of the ranks. Never in the
# order of arrival.
#
# ## Who sends what?
#
# In the end all must have the sum. This is an [all-reduce](../docs/glossary.md#all-reduce). The naive way: everybody
# sends everything to everybody, and all add. The other way cuts each array into as many parts as there are processes.
# First, rank k gets all the parts number k, and adds them. Then all hand out their sums.
#
# Processes are simulated here. `send` copies an array, and counts what goes from one rank to *another*.

# %%
sent = 0


def send(array, sender, receiver):
    global sent
    if sender != receiver:
        sent += array.size
    return array.copy()


def everything(arrays):
    ranks = range(len(arrays))
    totals = []
    for me in ranks:
        totals.append(in_order([send(arrays[k], k, me) for k in ranks]))
    return totals


def all_reduce(arrays):
    ranks = range(len(arrays))
    cut = [np.array_split(array, len(arrays)) for array in arrays]
    sums = []
    for me in ranks:
        sums.append(in_order([send(cut[k][me], k, me) for k in ranks]))
    totals = []
    for me in ranks:
        totals.append(np.concatenate([send(sums[k], k, me) for k in ranks]))
    return totals


flat = [array.ravel() for array in of_each]
right = in_order(flat)
for way in everything, all_reduce:
    agree = [np.array_equal(total, right) for total in way(flat)]
    print(way.__name__, "leaves the same bits in all:", all(agree))

# %% tags=["hide-input"]
counts = {"everything": [], "all_reduce": []}
sizes = 2, 4, 8, 16, 32, 64
print("what each sends, of 1000 numbers:  everything  parts, then sums")
for size in sizes:
    for way in everything, all_reduce:
        sent = 0
        way([np.zeros(1000, np.float32)] * size)
        counts[way.__name__].append(sent / size)
    print(f"{size:20} processes {counts['everything'][-1]:15.0f} {counts['all_reduce'][-1]:17.0f}")
named = {"everything to everybody": counts["everything"], "parts, then sums": counts["all_reduce"]}
figure = pictures.curves(named, "processes", "numbers that each sends", "xy", x=sizes)
figure.axes[0].axhline(2000, color="0.7", linewidth=1, zorder=0)
figure.axes[0].annotate("twice the array", (24, 2000), (0, 5), textcoords="offset points", fontsize=9, color="0.4")
figure.axes[0].set_xticks(sizes, [str(size) for size in sizes])
figure.axes[0].minorticks_off()
lesson.save(figure, "sent")
of_formula = [2 * (size - 1) / size * 1000 for size in sizes]
claim(np.allclose(counts["all_reduce"], of_formula), "by parts, each sends 2 (N - 1) / N times the array")

# %% tags=["hide-input"]
memory = bytearray((processes + 1) * group.SLOT)  # the project's own, between threads
ends = [[] for _ in range(processes)]
for one, other in itertools.combinations(range(processes), 2):
    for owner, end in zip((one, other), Pipe(), strict=True):
        ends[owner].append(end)
members = [group.SharedMemoryGroup(rank, processes, ends[rank], memory) for rank in range(processes)]
with ThreadPoolExecutor(processes) as pool:
    device = [backend.to_device(array) for array in flat]
    theirs = list(pool.map(lambda member: backend.to_host(member.all_reduce(device[member.rank])), members))
for end in itertools.chain(*ends):
    end.close()
claim(all(np.array_equal(total, right) for total in theirs), "the project's all_reduce leaves the same bits as yours")

# %% [markdown]
# Of its array each process keeps one part and sends the others. Then it sends one sum to all others. That makes
# 2 (N - 1) / N times the array, never more than twice, however many there are.
#
# ## Two processes
#
# Now real ones. This program trains the project's network. [`group.started`](../minireg/training/group.py) starts more
# processes, and each of them runs `follow`. A *Group* has a rank, a size, a part of each batch, and `all_reduce`.

# %%
program = """
import sys
import time
import numpy as np
from minireg import Tensor
from minireg.data import DigitPairs, load_strokes
from minireg.models import SymmetricUNet
from minireg.optim import Adam
from minireg.training import configure, group, objective

def follow(members, seed, out):
    rng = np.random.default_rng(seed)           # all draw the same
    network = SymmetricUNet(rng)
    optimiser = Adam(network.parameters(), lr=0.005)
    pairs = DigitPairs(load_strokes(seed, 20, 10), "all").sampler(rng)
    history = []
    for step in range(12):
        images = pairs.draw(4)
        part = members.part(4)                  # what is mine: members is the Group
        share = (part.stop - part.start) / 4
        mine = [Tensor(image[part]) for image in images]
        loss = share * objective(network, *mine, configure({}))[0]
        network.zero_grad()
        loss.backward()
        for parameter in network.parameters():
            parameter.grad = members.all_reduce(parameter.grad)
        optimiser.step()                        # all take the same step
        history.append(members.all_reduce(loss.data))
    np.savez(f"{out}{members.rank}", history=history, **network.state_dict())

if __name__ == "__main__":                      # the others import this file
    size, seed, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with group.started(size, follow, seed, out) as members:
        started = time.perf_counter()
        follow(members, seed, out)
    print(f"{size} processes: {time.perf_counter() - started:.1f} s")
"""
print(len(program.splitlines()), "lines")


# %% tags=["hide-input"]
def run(folder, name, size, text=program, before=()):
    """Run the program in a process of its own, and return what each rank has saved."""
    path = Path(folder) / f"{name}.py"
    path.write_text(text)
    found = os.pathsep.join(os.path.abspath(place) for place in sys.path)
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": found, "MINIREG_BACKEND": "numpy"}
    words = [*before, sys.executable, str(path), str(size), str(seed), str(path.with_suffix(""))]
    quiet = {"stdin": subprocess.DEVNULL, "capture_output": True, "encoding": "utf-8"}
    done = subprocess.run(words, env=environment, **quiet)
    if done.returncode:
        raise RuntimeError(done.stderr)
    print(done.stdout, end="")
    saved = []
    for rank in range(size):
        with np.load(f"{path.with_suffix('')}{rank}.npz") as arrays:
            saved.append(dict(arrays))
    return saved


def same_bits(a, b):
    return all(np.array_equal(a[name], b[name]) for name in a)


# %% [markdown]
# **Before you run the next cell: what do you expect?** Two processes, once and again, and then a single one. After 12
# steps, which have the same bits? And those that have not: how far are their losses apart?

# %%
with tempfile.TemporaryDirectory() as folder:
    two = run(folder, "two", 2)
    again = run(folder, "again", 2)
    alone = run(folder, "alone", 1)
others = {"its other rank": two[1], "two again": again[0], "one": alone[0]}
for name, other in others.items():
    apart = np.abs(two[0]["history"] - other["history"])
    print(f"{name:15} same bits: {same_bits(two[0], other)!s:5}", end="  ")
    print(f"losses apart {apart[0]:.0e} at first, {apart.max():.0e} at most")

# %% tags=["hide-input"]
test = pairs.held_out(20)
chosen = np.argmax(test.moving.sum(axis=(1, 2, 3)))  # one with much ink
warped = []
for saved in two[0], again[0], alone[0]:
    network = SymmetricUNet(np.random.default_rng(0))
    network.load_state_dict({name: array for name, array in saved.items() if name != "history"})
    warped.append(methods.register(network, test.moving, test.fixed)[0])
matches = [metrics.ncc(images, test.fixed).mean() for images in warped]
print(f"NCC of 20 other pairs: {metrics.ncc(test.moving, test.fixed).mean():.3f} before, ", end="")
print(f"{matches[0]:.3f} by two, {matches[2]:.3f} by one")
image, target, warped = test.moving[[chosen]], test.fixed[[chosen]], [images[[chosen]] for images in warped]
figure = plt.figure(figsize=(9.5, 3.6), layout="constrained")
left, right_side = figure.subfigures(1, 2, width_ratios=(1.35, 1))
panels = left.subplots(2, 3).ravel()
limit = max(np.abs(warped[2] - warped[0]).max(), 1e-9)
differ = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
pictures.show(panels[0], image[0, ..., 0], "moving")
pictures.show(panels[1], warped[0][0, ..., 0], "warped, by two")
pictures.show(panels[2], warped[2][0, ..., 0], "warped, by one")
pictures.show(panels[3], target[0, ..., 0], "fixed")
pictures.show(panels[4], (warped[1] - warped[0])[0, ..., 0], "two again, less two", **differ)
pictures.show(panels[5], (warped[2] - warped[0])[0, ..., 0], f"one, less two (to {limit:.1g})", **differ)
axes = right_side.subplots()
apart = np.abs(two[0]["history"] - alone[0]["history"])
axes.semilogy(np.arange(1, 13), np.maximum(apart, 1e-9), "o-", color="tab:red", label="two and one")
axes.semilogy(np.arange(1, 13), np.full(12, 1e-9), "o-", color="tab:blue", label="two, and two again")
axes.set_yticks([1e-9, 1e-8, 1e-6, 1e-4, 1e-2], ["0", "$10^{-8}$", "$10^{-6}$", "$10^{-4}$", "$10^{-2}$"])
axes.minorticks_off()
axes.set(xlabel="step", xticks=(1, 4, 8, 12))
axes.set_title("how far apart the losses are", fontsize=10)
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
lesson.save(figure, "bits_of_two")
claim(same_bits(two[0], two[1]), "both ranks end with the same bits")
claim(same_bits(two[0], again[0]), "two processes, run again, end with the same bits")
claim(np.array_equal(warped[0], warped[1]), "and register a digit alike, to the bit")
claim(apart[0] < 1e-6, "with one process, the first loss is the same to rounding")
claim(apart[-4:].max() > 1e-4, "at the end, the losses are more than a ten-thousandth apart")
claim(abs(matches[0] - matches[2]) < 0.05, "the network is another one, but not a worse one: NCC agrees to .05")


# %% tags=["hide-input"]
path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
mpiexec = shutil.which("mpiexec", path=path)
if mpiexec and importlib.util.find_spec("mpi4py"):
    by_mpi = program.replace("group.started(size, follow, seed, out)", "group.started_by_mpiexec()")
    by_mpi = by_mpi.replace('print(f"', 'print(f"mpiexec, ')
    try:
        with tempfile.TemporaryDirectory() as folder:
            through_mpi = run(folder, "mpi", 2, by_mpi, before=(mpiexec, "-n", "2"))
        claim(same_bits(two[0], through_mpi[1]), "two processes that mpiexec starts end with the same bits, too")
    except RuntimeError as error:
        print("mpiexec is here, but starts nothing:", *str(error).strip().splitlines()[-1:])
else:
    print("mpi4py is not installed, so there is no run with mpiexec (it is the extra mpi of minireg)")

# %% [markdown]
# <details><summary>The answer</summary>
#
# Both ranks, and both runs of two: the same, bit by bit. The single one adds its four pairs in one go, and rounds
# elsewhere. Its first loss is the same, or differs in the last digit. But each step begins where the last one ended.
# After 12 steps the losses are up to some thousandths apart, and one sees it in a digit.
#
# </details>
#
# It is another network, though not a worse one. So *the same bits* holds for one number of processes, on one machine.
# The times above are those of your machine now, and for 12 steps the start of a process may cost more than it brings.
# (In long runs on a quiet machine, two took
# [about three quarters](../docs/internals/training.md#processes-that-train-as-one) of the time of one.)
#
# `python -m minireg.train --workers 2` trains like this, and `mpiexec -n 2 python -m minireg.train` does so over
# several machines. The parts travel another way. The order is the same, and so are the bits.
#
# ## Another library
#
# A GPU has thousands of cores and its own memory, far from NumPy's. [CuPy](https://docs.cupy.dev) has NumPy's functions
# for it, under the same names. So one code serves both, if it says `xp` for the library in use.
# There are two borders: `backend.to_device(array)` is the way in, and `backend.to_host(array)` the way out. On a GPU
# both copy. On NumPy they return what they are given.
#
# Where do five pixels on a line look, to the nearest pixel? One word in this function is wrong.


# %%
def looks(u, xp):
    pixels = np.arange(5)
    return xp.rint(pixels + u)


def looks_mended(u, xp):
    pixels = xp.arange(5)
    return xp.rint(pixels + u)


line = np.array([0.2, 0.6, 1.0, 0.6, 0.2])
print("NumPy:", looks(line, np), looks_mended(line, np))

# %% [markdown]
# On NumPy, `np` and `xp` are the same, and no test can tell. On a GPU the first one fails. Must you have one to find
# that out? No. Take a library that is NumPy inside, and refuses what CuPy refuses: to meet an array of NumPy.
#
# How? When `np.rint`, say, meets an object that has `__array_ufunc__`, it does not compute. It calls that, with itself
# and all its inputs, and there we look for strangers. The mixin sends `+` and its like there, too. And where NumPy
# would make an array of its own of the object, it calls `__array__`: which refuses.


# %%
class Guarded(NDArrayOperatorsMixin):
    def __init__(self, host):
        self.host = host

    def __array__(self, *args, **options):
        raise TypeError("it will not become an array of NumPy")

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if any(isinstance(x, np.ndarray) for x in inputs):
            raise TypeError(f"np.{ufunc.__name__} of an array of NumPy and one of mine")
        raw = [x.host if isinstance(x, Guarded) else x for x in inputs]
        return Guarded(getattr(ufunc, method)(*raw, **options))


guarded = SimpleNamespace(rint=np.rint, arange=lambda n: Guarded(np.arange(n)))
for function in looks, looks_mended:
    try:
        print(function.__name__, function(Guarded(line), guarded).host)
    except TypeError as error:
        print(function.__name__, "is refused:", error)

# %% [markdown]
# Some fifteen lines, and a mistake is found that only a GPU would have shown. The project's guard,
# [`tests/strict_backend.py`](../tests/strict_backend.py), is this one grown up. It has only those functions and options
# that CuPy has, too. And it raises an error where CuPy would go on with other numbers:
#
# | | NumPy | CuPy |
# |---|---|---|
# | an array of the other library | often converted | refused |
# | an index array that points outside | refused | wraps around |
# | `.item()`, `float(x)`, `if x > 0` | free | wait for all that is under way |
# | a sum over all | a scalar | an array without axes |
# | random numbers | its own | others: draw on the CPU, and move them |
# | shares that meet in a scatter | in order | as they arrive |
#
# All tests can be run on it (`python -m pytest --backend strict`), and so can this lesson. By its authors, the project
# has not been run on a GPU yet: [what is known instead](../docs/verification.md).
#
# ## Who adds on a GPU?
#
# Look at the last row. In lesson 7, the gradient of the warped image was a scatter: each output pixel gives shares to
# four pixels, and what arrives at one place adds up. On a GPU thousands of threads do so at once, and none waits for
# the others. (The addition is *atomic*: no share gets lost.) Below, the same shares arrive in 100 random orders.

# %% tags=["hide-input"]
u = methods.register(network, image, target)[1]
g = warped[-1] - target  # what the squared difference asks of the warped image
size = image.shape[1]
r, c = np.clip(np.indices((size, size)) + np.moveaxis(u[0], -1, 0), 0, size - 1)
i, j = (np.minimum(np.floor(place).astype(int), size - 2) for place in (r, c))
s, f = r - i, c - j
corners = (i, j, (1 - s) * (1 - f)), (i, j + 1, (1 - s) * f), (i + 1, j, s * (1 - f)), (i + 1, j + 1, s * f)
places = np.concatenate([(row * size + column).ravel() for row, column, _ in corners])
shares = np.concatenate([(weight * g[0, ..., 0]).ravel() for *_, weight in corners]).astype(np.float32)
arrived = []
for _ in range(100):
    order = rng.permutation(len(places))
    total = np.zeros(size * size, np.float32)
    np.add.at(total, places[order], shares[order])
    arrived.append(total.reshape(size, size))
different = np.array([len(np.unique(sums)) for sums in np.reshape(arrived, (100, -1)).T]).reshape(size, size)
asking = np.count_nonzero(arrived[0])
figure, axes = pictures.panels(3, width=2.8)
pictures.show(axes[0], image[0, ..., 0], "moving")
limit = np.abs(arrived[0]).max()
pictures.show(axes[1], arrived[0], "its gradient", cmap="RdBu_r", vmin=-limit, vmax=limit)
title = "different results in 100 orders"
drawn = pictures.show(axes[2], different, title, cmap="viridis", vmin=1, vmax=different.max())
figure.colorbar(drawn, ax=axes[2], shrink=0.8)
lesson.save(figure, "arrival")
print(f"{np.sum(different > 1)} of {asking} pixels with a gradient depend on the order")
pixels = Tensor(backend.to_device(image), requires_grad=True)
ops.warp(pixels, Tensor(backend.to_device(u)), border="edge").backward(backend.to_device(g))
of_project = backend.to_host(pixels.grad)[0, ..., 0]
claim(np.allclose(arrived[0], of_project, atol=1e-6 * limit), "the project's gradient is the same, to rounding")
claim(np.sum(different > 1) > 0.1 * asking, "for more than a tenth of them, the order decides the last digits")

# %% tags=["evidence", "hide-cell"]
judge = (np.mean((1.000001 * x - y) ** 2) - np.mean((0.999999 * x - y) ** 2)) / 2e-6
claim(np.isclose(judge, -2.5) and asked(1, x, y) == -2.5, "by hand: -2.5 is the slope of the mean loss")
sums_of_three = str((0.1 + 0.2) + 0.3), str(0.1 + (0.2 + 0.3))
claim(sums_of_three == ("0.6000000000000001", "0.6"), "the two sums of .1, .2 and .3 are those of the text")
in_use = backend.to_host(looks_mended(backend.to_device(line), backend.xp))
claim(np.array_equal(in_use, looks_mended(line, np)), "the mended one runs on the library in use, with the same result")
of_two = [in_order([of_each[k] for k in order]) for order in ((0, 1), (1, 0))]
claim(np.array_equal(*of_two), "two arrays have the same sum in both orders")

# %% [markdown]
# So on a GPU even the same run, on the same card, need not repeat bit for bit. On the CPU it does: one process adds in
# the order of its program, and many in the order of their ranks.
#
# ## What you know now
#
# - The gradient of a mean is the mean of the gradients, each part by its share. So processes can share a batch.
# - Sums depend on their order, in the last digits. A fixed order makes the same bits. Training makes last digits large.
# - All-reduce by parts: each sends at most twice its array, however many there are.
# - One code, `xp`, and two borders serve NumPy and CuPy. An array that refuses to mix finds what the CPU forgives.
#
# Who computes and who adds may change. What is computed must not.
#
# ## Exercises
#
# Fill in `lessons/exercises/lesson_18.py` and run `python -m lessons.check 18` from the top folder.
#
# 1. `gradient_of_all`: from the parts of several processes, one of which may have had nothing to do.
# 2. `merged`: the mean and the variance over all processes, as batch norm needs them.
# 3. `ring`: an all-reduce in which each process only ever talks to its neighbour.
#
# **A small project**, without a check: put SGD in place of Adam in the program, and draw once more how the losses of
# one and two processes part. Or let the ring run, and draw after each step which parts every process has.
#
# ## What comes next
#
# The engine, the loss and the optimiser are parts that know nothing of registration. What else can they do?
# [Lesson 19](19_the_surveys_classifier.py) tells digits apart with them.

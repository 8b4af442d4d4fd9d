"""Draw docs/images/training_step.png: one training step of the default network, from two images to changed weights.

    python docs/figures/training_step.py            # about half a minute

The pictures, shapes and numbers are those of a real step: the 61st of a run on drawn digits. Without the sixty steps
before it the network would predict no motion at all, because its last layer begins at zero.
"""

import itertools
from collections import Counter
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from minireg import Tensor, losses, ops, optim
from minireg.fields import WARP_BORDER, compose, enlarge, integrate
from minireg.training import Configuration, Trainer, objective
from minireg.training.configuration import RECIPES
from minireg.viz import common, fields

PICTURE = Path(__file__).resolve().parent.parent / "images" / "training_step.png"
STEPS_BEFORE, STEPS = 60, 300
SHOWN = 5  # which pair of the batch the pictures show

WIDTH, HEIGHT = 9.0, 9.98  # inches, and the units of every coordinate below
FORWARD, BACKWARD, WEIGHTS, ZOOM = "#1f5fa8", "#c2410c", "#2a7f4f", "#555555"
FILLS = {FORWARD: "#eef4fb", BACKWARD: "#fdf1ea", WEIGHTS: "#e9f6ee", ZOOM: "#f6f6f6"}
CODE = {"family": "DejaVu Sans Mono", "size": 7.6}
COLUMN, GAP = 1.5, 0.33  # of the five stations in a row
LEFT = (WIDTH - 5 * COLUMN - 4 * GAP) / 2


def main():
    """Take the step, and draw it."""
    step = one_step()
    figure = plt.figure(figsize=(WIDTH, HEIGHT), dpi=200)
    paper = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, HEIGHT))
    paper.set_axis_off()
    draw_forward(paper, step, top=9.34)
    draw_weights(paper, step, top=6.5)
    draw_backward(paper, step, top=6.0)
    draw_look(paper, step, top=3.3)
    common.save(figure, PICTURE)
    plt.close(figure)
    print(PICTURE)


# The step


def one_step():
    """All that the picture shows, by name: arrays, and what was counted."""
    recipe = {"recipe": "default", **RECIPES["default"], "workers": 1, "steps": STEPS}
    about = {"data": "strokes", "digit": "all", "pairing": "random", "fixed_index": None, "seed": 0}
    configuration = Configuration(**about, **recipe)
    source = configuration.source()
    trainer = Trainer(configuration.completed(source), source, "never-written")  # only train() writes
    trainer.step = STEPS // 2  # all looks, as in the second half of a run
    for _ in range(STEPS_BEFORE):
        trainer.train_step()

    network, parameters = trainer.network, trainer.network.parameters()
    moving, fixed = trainer.sampler.draw(configuration.batch_size)
    network.zero_grad()
    loss, terms = objective(network, Tensor(moving), Tensor(fixed), configuration)
    counts = Counter(node.op_name for node in nodes_behind(loss))
    loss.backward()
    norm = optim.clip_gradient_norm(parameters, configuration.clip)
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    trainer.optimiser.lr = trainer.learning_rate
    trainer.optimiser.step()

    # The same quantities in the middle of the step, from leaves that are put there.
    there, back = (Tensor(field.data, requires_grad=True) for field in network.both_ways(Tensor(moving), Tensor(fixed)))
    objective(_Answers(there, back), Tensor(moving), Tensor(fixed), configuration)[0].backward()
    both_moving, both_fixed = np.concatenate([moving, fixed]), np.concatenate([fixed, moving])
    displacement = np.concatenate([there.data, back.data])
    warped = Tensor(ops.warp(Tensor(both_moving), displacement, border=WARP_BORDER).data, requires_grad=True)
    losses.ncc_loss(warped, Tensor(both_fixed)).backward()
    return {
        "moving": moving,
        "fixed": fixed,
        "there": there.data,
        "displacement": displacement,
        "warped": warped.data,
        "terms": {name: term.item() for name, term in terms.items()},
        "loss": loss,
        "g_warped": warped.grad,
        "g_displacement": np.concatenate([there.grad, back.grad]),
        "counts": counts,
        "gradients": gradients,
        "numbers": sum(parameter.size for parameter in parameters),
        "norm": norm,
        "lr": trainer.optimiser.lr,
        "configuration": configuration,
        "look": shapes_of_a_look(network, moving, fixed, scale=2),
        "looks": network.looks,
    }


class _Answers:
    """In place of a network: fields that are known."""

    def __init__(self, there, back):
        self.fields = there, back

    def both_ways(self, moving, fixed, looks=None):
        return self.fields


def nodes_behind(result):
    """All nodes of the graph of a Tensor."""
    nodes, to_visit = {result._node}, [result._node]
    while to_visit:
        node = to_visit.pop()
        for tensor, vjp in zip(node.inputs, node.vjps, strict=True):
            if vjp is not None and tensor._node is not None and tensor._node not in nodes:
                nodes.add(tensor._node)
                to_visit.append(tensor._node)
    return nodes


def shapes_of_a_look(network, moving, fixed, scale):
    """The shapes on the way through one look, as `SymmetricUNet.both_ways` goes it."""
    images = ops.concatenate([moving, fixed], axis=0)
    n, height, width, _ = images.shape
    swap = lambda batch: ops.concatenate([batch[n // 2 :], batch[: n // 2]], axis=0)
    into = Tensor(np.zeros((n, height // 2, width // 2, 2), np.float32))
    shapes = {"images": images.shape, "into": into.shape}
    warped = ops.warp(images, enlarge(into, 2), border=WARP_BORDER)
    reduction = scale // 2
    if reduction > 1:
        warped, into = ops.avg_pool2d(warped, reduction), ops.avg_pool2d(into, reduction) * (1 / reduction)
    blocks = ops.space_to_depth(warped, 2)
    seen = ops.concatenate([blocks, swap(blocks), into], axis=-1)
    answer = network.unet(seen)
    velocity = enlarge((answer - swap(answer)) * 0.5, reduction)
    half_flow = integrate(velocity * 0.5, network.squarings)
    result = enlarge(compose(swap(half_flow), half_flow), 2)
    named = {
        "warped": warped,
        "blocks": blocks,
        "seen": seen,
        "answer": answer,
        "velocity": velocity,
        "half_flow": half_flow,
        "result": result,
    }
    return shapes | {name: tensor.shape for name, tensor in named.items()}


# The rows


def draw_forward(paper, step, top):
    """Five stations, from the batch to the loss."""
    paper.text(LEFT, top + 0.4, "Forward: from two images to one number", va="bottom", size=10.5, weight="bold",
               color=FORWARD)  # fmt: skip
    height, moving, fixed = 2.32, step["moving"], step["fixed"]
    x = [LEFT + i * (COLUMN + GAP) for i in range(5)]
    pixels, field = shape(moving), shape(step["there"])
    titles = ("1  Draw 16 pairs", "2  Predict fields", "3  Warp", "4  Compare", "5  Add up")
    calls = ("sampler.draw", "network.both_ways", "ops.warp", "objective", "loss")
    for i, (title, call) in enumerate(zip(titles, calls, strict=True)):
        box(paper, x[i], top, COLUMN, height, FORWARD, title, call)
        if i:
            arrow(paper, (x[i] - GAP, top - 1.15), (x[i], top - 1.15), FORWARD)
    side = 0.66
    for i, (name, images) in enumerate((("moving", moving), ("fixed", fixed))):
        picture(paper, x[0] + 0.07 + i * 0.7, top - 0.55, side).imshow(images[SHOWN], cmap="gray", vmin=0, vmax=1)
        paper.text(x[0] + 0.07 + i * 0.7 + side / 2, top - 1.24, name, ha="center", va="top", size=8)
    write(paper, x[0] + COLUMN / 2, top - 1.55, [f"moving {pixels}", f" fixed {pixels}"], CODE)

    grid = picture(paper, x[1] + 0.3, top - 0.52, 0.9)
    grid.imshow(moving[SHOWN], cmap="gray", vmin=0, vmax=2)  # dimmed, behind a grid
    fields.draw_warped_grid(grid, step["there"][SHOWN], 2)
    write(paper, x[1] + COLUMN / 2, top - 1.5, [f"there {field}", f" back {field}"], CODE)
    write(paper, x[1] + COLUMN / 2, top - 1.86, ["pixels (row, column);", "both ways at once"], {"size": 8})

    picture(paper, x[2] + 0.3, top - 0.52, 0.9).imshow(step["warped"][SHOWN], cmap="gray", vmin=0, vmax=1)
    write(paper, x[2] + COLUMN / 2, top - 1.5, ["warped", shape(step["warped"])], CODE)
    write(paper, x[2] + COLUMN / 2, top - 1.86, ["moving(p + u(p)):", "16 there, 16 back"], {"size": 8})

    weights = {"similarity": 1, **{name: getattr(step["configuration"], name) for name in list(step["terms"])[1:]}}
    names = {
        "similarity": "ncc_loss",
        "inverse_consistency": "inverse_\nconsistency",
        "smoothness": "diffusion",
        "folding": "folding_\npenalty",
    }
    for line, (name, weight) in enumerate(weights.items()):
        y = top - 0.68 - 0.38 * line
        paper.text(x[3] + 0.6, y, f"{weight:g} ×", ha="right", va="center", size=8)
        paper.text(x[3] + 0.66, y, names[name], va="center", linespacing=0.95, **CODE)
    write(paper, x[3] + COLUMN / 2, top - 2.05, ["each a mean: ()"], {"size": 8})

    paper.text(x[4] + COLUMN / 2, top - 0.82, f"L = {step['loss'].item():.4f}", ha="center", va="center", size=11)
    write(paper, x[4] + COLUMN / 2, top - 1.08, ["shape ()"], CODE)
    write(
        paper,
        x[4] + COLUMN / 2,
        top - 1.42,
        [
            "On the way each op",
            "has recorded a Node:",
            f"{sum(step['counts'].values())} of them are",
            "the graph behind L",
        ],
        {"size": 8},
    )
    # What skips a station: the images above the row, the fields below it.
    for source, target, name in ((0.5, 2, "moving"), (1.1, 3, "fixed")):
        low, high = top, top + 0.41 - 0.22 * source
        draw_rail(paper, x[0] + source, x[target] + 1.6 - source, low, high)
        paper.text(x[2] - 0.12 if target == 2 else x[3] - 0.12, high, name, ha="right", va="center", size=8,
                   color=FORWARD, bbox={"pad": 1, "color": "white"})  # fmt: skip
    low = top - height
    draw_rail(paper, x[1] + 1.2, x[3] + 0.4, low, low - 0.2)
    paper.text(x[2] + COLUMN / 2, low - 0.2, "there, back", ha="center", va="center", size=8, color=FORWARD,
               bbox={"pad": 1, "color": "white"})  # fmt: skip


def draw_rail(paper, start, end, level, rail):
    """A thin arrow that leaves a row at `start`, runs along at the height `rail`, and comes back at `end`."""
    paper.plot([start, start, end], [level, rail, rail], color=FORWARD, linewidth=0.9)
    arrow(paper, (end, rail), (end, level), FORWARD, size=6, width=0.9)


def draw_weights(paper, step, top):
    """The weights between the rows: what the network is made of, and what the step changes."""
    x = LEFT + COLUMN + GAP
    box(paper, x - 0.2, top, COLUMN + 0.4, 0.42, WEIGHTS)
    text = f"weights: {len(step['gradients'])} arrays\n{step['numbers']:,} numbers"
    paper.text(x + COLUMN / 2, top - 0.21, text, ha="center", va="center", size=8, color=WEIGHTS, linespacing=1.15)
    arrow(paper, (x + COLUMN / 2, top), (x + COLUMN / 2, 7.02), WEIGHTS)
    arrow(paper, (LEFT + COLUMN / 2, 5.78), (x - 0.2, top - 0.21), WEIGHTS, bend="angle,angleA=90,angleB=0")
    paper.text(LEFT + COLUMN / 2 - 0.08, top - 0.14, "new\nweights", ha="right", va="center", size=8, color=WEIGHTS)


def draw_backward(paper, step, top):
    """The same five stations, from the loss back to the weights."""
    right = LEFT + 5 * COLUMN + 4 * GAP
    paper.text(right, top + 0.1, "Backward: from the number to the weights", ha="right", va="bottom", size=10.5,
               weight="bold", color=BACKWARD)  # fmt: skip
    top, height = top - 0.02, 2.28
    x = [LEFT + i * (COLUMN + GAP) for i in range(5)]
    titles = ("10  Update", "9  VJPs of looks", "8  VJP of the warp", "7  VJPs of losses", "6  Begin")
    calls = ("optimiser.step", "U-Net, compose, …", "vjp_displacement", "ncc, mean, mul, …", "loss.backward")
    for i, (title, call) in enumerate(zip(titles, calls, strict=True)):
        colour = WEIGHTS if i == 0 else BACKWARD
        box(paper, x[i], top - 0.2 * (i == 0), COLUMN, height - 0.2 * (i == 0), colour, title, call)
        if i:
            arrow(paper, (x[i], top - 1.15), (x[i] - GAP, top - 1.15), BACKWARD)
    x_axis = right - COLUMN / 2
    arrow(paper, (x_axis, 7.02), (x_axis, top + 0.32), FORWARD)

    write(paper, x[4] + COLUMN / 2, top - 0.72, ["dL/dL = 1"], {"size": 11})
    write(paper, x[4] + COLUMN / 2, top - 1.0, ["shape ()"], CODE)
    lines = ["Then every Node hands", "its VJPs the cotangent", "of its output; shares", "that meet are added"]
    write(paper, x[4] + COLUMN / 2, top - 1.35, lines, {"size": 8})

    g = step["g_warped"]
    limit = np.abs(g[SHOWN]).max()
    picture(paper, x[3] + 0.3, top - 0.5, 0.9).imshow(g[SHOWN], cmap="RdBu_r", vmin=-limit, vmax=limit)
    write(paper, x[3] + COLUMN / 2, top - 1.48, ["g_warped", shape(g)], CODE)
    write(paper, x[3] + COLUMN / 2, top - 1.84, ["red: darker there", "would lower L"], {"size": 8})

    g = step["g_displacement"]
    panel = picture(paper, x[2] + 0.3, top - 0.5, 0.9)
    fields.draw_direction(panel, -g[SHOWN])
    write(paper, x[2] + COLUMN / 2, top - 1.48, ["g_u", shape(g)], CODE)
    write(paper, x[2] + COLUMN / 2, top - 1.84, ["and of the other terms;", "colour: of −g_u"], {"size": 8})

    g = step["gradients"]["unet.encoder.0.weight"]
    limit = np.abs(g).max() / 2
    panel = paper.inset_axes((x[1] + 0.14, top - 1.0, 1.22, 0.5), transform=paper.transData)
    panel.imshow(g.reshape(-1, g.shape[-1]).T, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    panel.set(xticks=[], yticks=[])
    write(paper, x[1] + COLUMN / 2, top - 1.06, ["g of first weight", shape(g)], CODE)
    counts = step["counts"]
    lines = [
        f"{counts['conv2d']} conv2d, {counts['warp']} warps, …",
        "The shares of five looks",
        "add up in one gradient",
        "of each weight",
    ]
    write(paper, x[1] + COLUMN / 2, top - 1.47, lines, {"size": 8})

    top -= 0.2
    paper.text(x[0] + 0.08, top - 0.55, "clip_gradient_norm", va="top", **CODE)
    paper.text(x[0] + 0.08, top - 0.7, f"norm {step['norm']:.2f}, at most 1", va="top", size=8)
    paper.text(x[0] + 0.08, top - 0.94, "cosine_schedule", va="top", **CODE)
    paper.text(x[0] + 0.08, top - 1.09, f"rate {step['lr']:.4f}", va="top", size=8)
    paper.text(x[0] + 0.08, top - 1.33, "Muon", va="top", **CODE)
    muon = "weights: orthogonalised\nmomentum; biases, last\nlayer: Adam"
    paper.text(x[0] + 0.08, top - 1.48, muon, va="top", size=8, linespacing=1.15)


def draw_look(paper, step, top):
    """Station 2 from inside: one look."""
    looks, shapes = step["looks"], step["look"]
    left, width, height = LEFT, WIDTH - 2 * LEFT, 3.12
    box(paper, left, top, width, height, ZOOM)
    paper.text(left + 0.1, top - 0.1, "Station 2 from inside: one look of five, all with the same weights", va="top",
               size=10.5, weight="bold", color=FORWARD)  # fmt: skip
    sizes = f"Sizes of the three fine looks; the first two looks (scale {looks[0]}) see half of the height and width."
    paper.text(left + 0.1, top - 0.34, sizes, va="top", size=8)

    y, h = top - 0.62, 1.78
    widths = [1.4, 1.44, 2.16, 1.44, 1.42]
    x = [left + 0.1 + sum(widths[:i]) + 0.19 * i for i in range(5)]
    titles = ("See", "Gather", "Ask", "Treat both alike", "Move half of it")
    calls = ("ops.warp", "ops.space_to_depth", "network.unet", "", "integrate, compose")
    for i, (title, call) in enumerate(zip(titles, calls, strict=True)):
        box(paper, x[i], y, widths[i], h, FORWARD, title, call, fill="white")
        if i:
            arrow(paper, (x[i - 1] + widths[i - 1], y - 0.95), (x[i], y - 0.95), FORWARD)
    middle = [a + b / 2 for a, b in zip(x, widths, strict=True)]
    small = {"size": 8}
    write(paper, middle[0], y - 0.6, [shape(shapes["warped"])], CODE)
    write(paper, middle[0], y - 0.82, ["moving and fixed, one", "batch, both as warped", "so far: along into"], small)
    write(paper, middle[0], y - 1.36, ["into", shape(shapes["into"])], CODE)
    write(paper, middle[1], y - 0.6, [shape(shapes["seen"])], CODE)
    lines = ["4: own 2 x 2 pixels", "4: those of the other", "2: into", "half of the batch asks", "in the other order"]
    write(paper, middle[1], y - 0.86, lines, small)
    draw_unet(paper, x[2] + 0.06, y - 0.56)
    minus = ["v = (answer", "   - swapped) / 2"]
    write(paper, middle[3], y - 0.36, minus, CODE)
    write(paper, middle[3], y - 0.72, [shape(shapes["velocity"])], CODE)
    write(
        paper,
        middle[3],
        y - 0.96,
        ["swapped: to the other", "order of the images, so", "equal images stay", "where they are"],
        small,
    )
    write(paper, middle[4], y - 0.6, [shape(shapes["half_flow"])], CODE)
    lines = ["exp(v/2) for moving,", "exp(−v/2) for fixed,", "by 3 squarings; then", "appended to into, back"]
    write(paper, middle[4], y - 0.86, lines, small)

    low = y - h
    arrow(paper, (middle[4] - 0.3, low), (middle[0], low), FORWARD, bend="bar,angle=0,fraction=-.03")
    text = f"next look: scales {', '.join(map(str, looks))}"
    paper.text((middle[0] + middle[4]) / 2 - 0.15, low - 0.24, text, ha="center", va="top", size=8, color=FORWARD)
    paper.text(left + 0.1, low - 0.45, "After the last look: to the middle and on,", va="top", size=8)
    paper.text(left + 2.55, low - 0.45, "enlarge(compose(swap(back), into), 2)", va="top", **CODE)
    paper.text(left + 5.1, low - 0.45, f"{shape(shapes['result'])}: there, back", va="top", **CODE)


def draw_unet(paper, x, y):
    """The encoder on the left, the decoder on the right, at three sizes; numbers are channels."""
    rows = [
        (16, ((0.0, "10", 0.24), (0.42, "32", 0.3), (1.42, "32", 0.3), (1.84, "2", 0.2))),
        (8, ((0.42, "64", 0.42), (1.3, "32", 0.3))),
        (4, ((0.62, "64", 0.34), (1.06, "64", 0.34))),
    ]
    places = {}
    for level, (size, blocks) in enumerate(rows):
        top, height = y - 0.42 * level, 0.22
        for place, channels, width in blocks:
            style = {"boxstyle": "round,pad=0,rounding_size=.03", "linewidth": 0.8, "edgecolor": FORWARD}
            paper.add_patch(FancyBboxPatch((x + place, top - height), width, height, facecolor=FILLS[FORWARD], **style))
            paper.text(x + place + width / 2, top - height / 2, channels, ha="center", va="center", size=7.6)
            places[level, place] = (x + place, x + place + width, top, top - height)
        paper.text(x - 0.02 if level else x + 0.78, top + 0.02 if not level else top - height / 2,
                   f"{size} x {size}", va="bottom" if not level else "center", size=7.2, color=ZOOM)  # fmt: skip
    half = 0.11

    def link(a, b):
        """From the right of one block to the left of another, or from the bottom of one to the top of the next."""
        (_, a_right, a_top, a_low), (b_left, b_right, b_top, b_low) = places[a], places[b]
        if a[0] == b[0]:
            ends = (a_right, a_top - half), (b_left, b_top - half)
        elif a[0] < b[0]:
            ends = ((places[a][0] + a_right) / 2, a_low), ((b_left + b_right) / 2, b_top)
        else:
            ends = ((places[a][0] + a_right) / 2, a_top), ((b_left + b_right) / 2, b_low)
        arrow(paper, *ends, FORWARD, size=5, width=0.8)

    route = [(0, 0.0), (0, 0.42), (1, 0.42), (2, 0.62), (2, 1.06), (1, 1.3), (0, 1.42), (0, 1.84)]
    for a, b in itertools.pairwise(route):
        link(a, b)
    for a, b in (((0, 0.42), (0, 1.42)), ((1, 0.42), (1, 1.3))):  # the skip connections
        arrow(paper, (places[a][1], places[a][2] - half), (places[b][0], places[b][2] - half), FORWARD, size=5,
              width=0.8, dashed=True)  # fmt: skip
    write(paper, x + 1.06, y - 1.075, ["numbers: channels"], {"size": 7.6})


# The pens


def box(paper, x, top, width, height, colour, title="", call="", fill=None):
    """A rounded box with a title and, below it, the function that does what it says."""
    style = {"boxstyle": "round,pad=0,rounding_size=.06", "linewidth": 1.1, "edgecolor": colour}
    paper.add_patch(FancyBboxPatch((x, top - height), width, height, facecolor=fill or FILLS[colour], **style))
    paper.text(x + width / 2, top - 0.08, title, ha="center", va="top", size=9, weight="bold", color=colour)
    paper.text(x + width / 2, top - 0.29, call, ha="center", va="top", color=colour, **CODE)


def arrow(paper, start, end, colour, bend="arc3", size=9, width=1.6, dashed=False):
    """An arrow from one point to another."""
    style = {"arrowstyle": "-|>", "mutation_scale": size, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
    line = (0, (3, 2)) if dashed else "solid"
    paper.add_patch(FancyArrowPatch(start, end, connectionstyle=bend, color=colour, linestyle=line, **style))


def picture(paper, x, top, side):
    """Square axes for an image."""
    axes = paper.inset_axes((x, top - side, side, side), transform=paper.transData)
    axes.set(xticks=[], yticks=[])
    return axes


def write(paper, x, top, lines, font):
    """Lines of text, centred at x, below `top`."""
    paper.text(x, top, "\n".join(lines), ha="center", va="top", linespacing=1.2, **font)


def shape(array):
    """(16, 32, 32, 1), as a string."""
    return str(tuple(getattr(array, "shape", array)))


if __name__ == "__main__":
    main()

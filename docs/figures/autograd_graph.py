"""The figure of docs/internals/autograd.md: the graph of L = (x w) (x w + x), its values and its cotangents.

python docs/figures/autograd_graph.py        # writes docs/images/autograd_graph.png
"""

from pathlib import Path

from matplotlib.figure import Figure

from minireg import Tensor
from minireg.viz import common

# Name, formula, centre (right, up).
NODES = {
    "x": ("x", (0, 2)),
    "w": ("w", (0, 0)),
    "a": ("a = x w", (3, 0.5)),
    "b": ("b = a + x", (6, 2)),
    "L": ("L = a b", (9, 1)),
}
# From argument to result, and where along the edge its label stands.
EDGES = {("x", "a"): 0.5, ("w", "a"): 0.5, ("x", "b"): 0.5, ("a", "b"): 0.5, ("a", "L"): 0.5, ("b", "L"): 0.5}
VALUE, COTANGENT = "#1a1a1a", "#b2182b"


def numbers():
    """The value of every node, and the share of cotangent that goes back along every edge."""
    x, w = (Tensor(value, requires_grad=True) for value in (2.0, 3.0))
    a = x * w
    b = a + x
    loss = a * b
    value = {name: tensor.item() for name, tensor in (("x", x), ("w", w), ("a", a), ("b", b), ("L", loss))}
    share = {("a", "L"): value["b"], ("b", "L"): value["a"]}
    share |= {("a", "b"): share["b", "L"], ("x", "b"): share["b", "L"]}
    of_a = share["a", "L"] + share["a", "b"]
    share |= {("x", "a"): of_a * value["w"], ("w", "a"): of_a * value["x"]}
    loss.backward()
    assert x.grad == share["x", "a"] + share["x", "b"] and w.grad == share["w", "a"]
    return value, share


def draw():
    """The figure."""
    value, share = numbers()
    figure = Figure(figsize=(8, 3.1), dpi=common.DOTS_PER_INCH)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-0.9, 10.2), ylim=(-0.9, 2.9))
    axes.axis("off")
    for (argument, result), along in EDGES.items():
        start, end = NODES[argument][1], NODES[result][1]
        axes.annotate(
            "",
            end,
            start,
            arrowprops={"arrowstyle": "-|>", "color": "#888888", "shrinkA": 30, "shrinkB": 34, "lw": 1.2},
        )
        middle = [s + along * (e - s) for s, e in zip(start, end, strict=True)]
        axes.text(
            *middle,
            f"← {share[argument, result]:g}",
            color=COTANGENT,
            ha="center",
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
        )
    for name, (formula, centre) in NODES.items():
        cotangent = 1 if name == "L" else sum(s for (argument, _), s in share.items() if argument == name)
        is_leaf = name in "xw"
        axes.text(
            *centre,
            f"{formula}\n= {value[name]:g}",
            color=VALUE,
            ha="center",
            va="center",
            fontsize=11,
            bbox={"boxstyle": "round,pad=0.45", "facecolor": "#eaf1f8" if is_leaf else "white", "edgecolor": "#4a6a8a"},
        )
        axes.text(
            centre[0], centre[1] - 0.68, f"dL/d{name} = {cotangent:g}", color=COTANGENT, ha="center", fontweight="bold"
        )
    axes.text(
        10.1, 2.75, "black: forward, left to right\nred: backward, right to left", ha="right", va="top", fontsize=9
    )
    return figure


if __name__ == "__main__":
    common.save(draw(), Path(__file__).resolve().parents[1] / "images" / "autograd_graph.png")

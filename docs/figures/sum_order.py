"""The figure of docs/internals/backends.md: one sum of float32 numbers, added up in many orders.

python docs/figures/sum_order.py             # writes docs/images/sum_order.png
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from minireg.viz import common

NUMBERS, ORDERS = 1000, 2000


def errors():
    """The error of the sum in each order, and the bound for all of them."""
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal(NUMBERS).astype(np.float32)
    exact = np.sum(numbers, dtype=np.float64)
    orders = np.stack([rng.permutation(numbers) for _ in range(ORDERS)])
    sums = np.zeros(ORDERS, np.float32)
    for column in orders.T:  # one number after another, in every order at once
        sums += column
    bound = (NUMBERS - 1) * 2.0**-24 * np.abs(numbers).sum(dtype=np.float64)
    return sums - exact, bound


def draw():
    """The figure."""
    found, bound = errors()
    figure = Figure(figsize=(7, 2.8), dpi=common.DOTS_PER_INCH)
    axes = figure.subplots()
    results, counts = np.unique(found * 1e6, return_counts=True)
    axes.bar(results, counts, width=0.7 * np.diff(results).min(), color="tab:blue")
    axes.set_title(f"{ORDERS} orders of one sum of {NUMBERS} numbers in float32: {len(results)} results", fontsize=10)
    axes.set_xlabel(f"error of the sum, in millionths (the bound is {bound * 1e6:,.0f})")
    axes.set_ylabel("orders that lead there")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


if __name__ == "__main__":
    common.save(draw(), Path(__file__).resolve().parents[1] / "images" / "sum_order.png")

"""Scores as text: tables for the terminal and for a page in Markdown. The headings are in `metrics/headings.py`."""

from minireg.evaluation.comparison import BOOTSTRAP_LEVEL, WORST_SHARE
from minireg.metrics import METRICS

LEGEND = """\
Dice .3-.7: mean over the thresholds .3, .4, .5, .6, .7. HD95: 95th percentile Hausdorff distance of the regions
above .5. fold: pixels and cells with a Jacobian determinant of 0 or less; in fg: among those of the fixed image above
.5. sd log|J|: |J| clipped below at .001. inv.: inverse consistency, from registering each pair both ways. TRE:
distance to a known deformation over the pixels above .5, or over the labelled object; at points: at landmarks. label
Dice: mean over the labels."""


def format_table(rows):
    """A table as text: one line for each method in `rows`, which maps its name to its numbers, below two of heading.

    >>> format_table({"identity": {"ncc": 0.25}, "demons": {"ncc": 0.9, "folded_pixels": 0.125}}).splitlines()[1:]
    ['            NCC    px %', 'identity  0.250        ', 'demons    0.900  12.500']
    """
    headings, lines = _cells(rows)
    lines = [*(["", *line] for line in zip(*headings, strict=True)), *lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    )


def format_markdown(rows):
    """The same table for a page in Markdown.

    >>> print(format_markdown({"identity": {"ncc": 0.25}}))
    | method | NCC |
    | --- | ---: |
    | identity | 0.250 |
    """
    headings, lines = _cells(rows)
    first = ["method", *(" ".join(heading).strip().replace("|", "\\|") for heading in headings)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [first, ["---", *["---:"] * len(headings)], *lines])


def format_statistics(statistics, milliseconds, table=format_table):
    """Tables of the means with half the width of their intervals, of the medians, and of the worst 5 %, as text.

    Parameters
    ----------
    statistics : dict of method to what `summarise` returns
    milliseconds : dict of method to milliseconds per pair, for some
    table : `format_table` or `format_markdown`

    >>> from minireg.evaluation import summarise
    >>> print(format_statistics({"identity": summarise({"ncc": np.ones(3)})}, {}, format_markdown).splitlines()[4])
    | identity | 1.000 |
    """
    means = {
        method: s["mean"] | ({"ms_per_pair": milliseconds[method]} if method in milliseconds else {})
        for method, s in statistics.items()
    }
    half_widths = {
        method: {name: (high - low) / 2 for name, (low, high) in s["interval_of_mean"].items()}
        for method, s in statistics.items()
    }
    return "\n\n".join(
        f"{title}\n\n{table(rows)}"
        for title, rows in (
            ("Mean over the pairs:", means),
            (f"Half the width of the {BOOTSTRAP_LEVEL} % bootstrap interval of the mean:", half_widths),
            ("Median:", {method: s["median"] for method, s in statistics.items()}),
            (
                f"What {WORST_SHARE} % of the pairs are worse than:",
                {method: s["worst_5_percent"] for method, s in statistics.items()},
            ),
        )
    )


def _cells(rows):
    """The headings of the columns that any row has, and for each row its name and its numbers as text, "" for none."""
    names = [name for name, metric in METRICS.items() if metric.heading and any(name in row for row in rows.values())]
    lines = [
        [method, *(METRICS[name].text(numbers[name]) if name in numbers else "" for name in names)]
        for method, numbers in rows.items()
    ]
    return [METRICS[name].heading for name in names], lines

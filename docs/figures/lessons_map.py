"""Draw docs/images/lessons_map.png: which lesson needs which, as the lessons themselves say under "You need".

python docs/figures/lessons_map.py
"""

import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from minireg.viz import common

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURE = ROOT / "docs" / "images" / "lessons_map.png"
COLOURS = {8: "#dbe9f6", 14: "#e3f2d9", 20: "#fde3c8"}  # of the parts, by their last lessons
# Where each lesson stands: (column, row).
PLACES = {
    1: (0, 0), 2: (1, 0), 3: (2, 0), 4: (3, 0), 5: (4, 0), 6: (5, 0), 7: (6, 0), 8: (7, 0),
    9: (1.4, 1), 14: (2.45, 1), 10: (3.4, 1), 11: (4.6, 1), 12: (5.8, 1), 13: (7, 1),
    16: (1, 2), 15: (3.7, 2), 18: (4.75, 2), 19: (5.85, 2), 17: (7, 2), 20: (2.6, 2.65),
}  # fmt: skip


def needs():
    """For each lesson, by number, its title and the numbers of those that it names as needed."""
    found = {}
    for path in sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py")):
        text = path.read_text(encoding="utf-8").replace("\n# ", " ")
        needed = re.search(r"\*\*You need\*\*:(.*?)(?:- \*\*You will|\*\*You will)", text, re.DOTALL)[1]
        numbers = set()
        for first, how, last in re.findall(r"lessons? (\d+)(?: (to|and) (\d+))?", needed):
            last = last or first
            numbers |= set(range(int(first), int(last) + 1)) if how == "to" else {int(first), int(last)}
        found[int(path.name[:2])] = re.search(r"# \d+\. (.*?)(?: #|$)", text, re.MULTILINE)[1].strip(), numbers
    return found


def without_detours(lessons):
    """The pairs (needed, lesson) that no chain of others replaces."""
    behind = {}  # all that stands behind each lesson
    for number, (_, needed) in sorted(lessons.items()):
        behind[number] = needed.union(*(behind[other] for other in needed))
    for number, (_, needed) in lessons.items():
        for other in sorted(needed):
            if not any(other in behind[third] for third in needed - {other}):
                yield other, number


def main():
    """Boxes for the lessons, row by row the three parts, and an arrow from each to those that need it."""
    lessons = needs()
    figure, axes = plt.subplots(figsize=(9, 3.9), dpi=200, layout="constrained")
    boxes = {}
    for number, (title, _) in lessons.items():
        column, row = PLACES[number]
        colour = next(colour for last, colour in COLOURS.items() if number <= last)
        words = re.sub(r"(.{9,}?) ", r"\1\n", f"{number}. {title}")
        style = {"boxstyle": "round,pad=0.35", "facecolor": colour, "edgecolor": "0.4"}
        text = axes.text(1.25 * column, -1.6 * row, words, ha="center", va="center", fontsize=6.5, bbox=style, zorder=3)
        boxes[number] = text
    axes.set(xlim=(-0.6, 9.4), ylim=(-4.7, 0.6))
    axes.set_axis_off()
    figure.canvas.draw()
    for needed, number in without_detours(lessons):
        (x0, y0), (x1, y1) = boxes[needed].get_position(), boxes[number].get_position()
        style = {"arrowstyle": "-|>", "color": "0.5", "linewidth": 0.9}
        style |= {"patchA": boxes[needed].get_bbox_patch(), "patchB": boxes[number].get_bbox_patch()}
        bend = 0 if y0 != y1 or abs(x1 - x0) < 1.9 else -0.35
        axes.annotate("", (x1, y1), (x0, y0), arrowprops=style | {"connectionstyle": f"arc3,rad={bend}"})
    common.save(figure, PICTURE)
    plt.close(figure)
    print(PICTURE, *(f"{needed} -> {number}" for needed, number in without_detours(lessons)), sep="\n")


if __name__ == "__main__":
    main()

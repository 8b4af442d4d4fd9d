"""How well methods register: scores of pairs, methods compared over them, tables.

    scores, milliseconds = evaluate_method(make_method("demons"), pairs)    # {metric: (N,)}, per pair
    statistics = summarise(scores)
    print(format_table({"demons": statistics["mean"] | {"ms_per_pair": milliseconds}}))

`scores.py` calls the metrics, `comparison.py` runs the methods, `tables.py` writes the numbers.
"""

from minireg.evaluation.comparison import evaluate_method, known_deformation, summarise
from minireg.evaluation.scores import foreground, mean_scores, score, score_pairs
from minireg.evaluation.tables import LEGEND, format_markdown, format_statistics, format_table

__all__ = [
    "LEGEND", "evaluate_method", "foreground", "format_markdown", "format_statistics", "format_table",
    "known_deformation", "mean_scores", "score", "score_pairs", "summarise",
]  # fmt: skip

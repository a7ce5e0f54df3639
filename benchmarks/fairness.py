"""How groups of people fare, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.page import Value
from mercato_models.fairness import GATE, Ratio


def rows(ratios: Sequence[Ratio]) -> list[dict[str, Value]]:
    """Least ratios between groups, and the rate of each; only households with demographics are judged."""
    return [
        {
            "": ratio.attribute,
            "measure": ratio.measure,
            "least ratio": ratio.least.estimate if ratio.least else None,
            "95 %": f"{ratio.least.low:.2f} to {ratio.least.high:.2f}" if ratio.least else None,
            f"{GATE} reached": ratio.reached,
            "by group (95 %) of how many": ratio.by_group,
            "too small to judge": ", ".join(ratio.small),
        }
        for ratio in ratios
    ]

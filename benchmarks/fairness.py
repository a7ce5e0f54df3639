"""Whether groups of people fare alike, by Fairlearn; demographics come in here alone, never into a model."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate
from numpy.typing import NDArray

from benchmarks.page import Value
from mercato_models.intervals import bootstrap

#: Least ratio between the group that fares worst and the one that fares best.
GATE = 0.8
#: A group with fewer positive labels is not judged.
LEAST_POSITIVES = 20
_LABEL, _FLAGGED, _UNIT, _GROUP = "label", "flagged", "unit", "group"
_METRICS = {"share flagged": selection_rate, "share of positives flagged": true_positive_rate}


def ratios(
    label: NDArray[Any],
    flagged: NDArray[Any],
    groups: pd.DataFrame,
    units: Sequence[Hashable] | NDArray[Any],
    *,
    resamples: int = 300,
) -> list[dict[str, Value]]:
    """For each attribute and measure the least ratio between two groups, with a 95 % interval.

    Args:
        label: truth, 0 or 1 per row.
        flagged: decision, 0 or 1 per row.
        groups: a column per attribute; rows where it is unknown are left out.
        units: per row, whose it is; the interval draws these.
    """
    made: list[dict[str, Value]] = []
    rows = pd.DataFrame({_LABEL: label, _FLAGGED: flagged, _UNIT: units})
    for attribute in groups:
        rows[_GROUP] = groups[attribute].to_numpy()
        known = set(rows[_GROUP].dropna())
        positives = rows[_GROUP][rows[_LABEL] == 1].value_counts()
        judged = {group for group in known if positives.get(group, 0) >= LEAST_POSITIVES}
        said: dict[str, Value] = {
            "groups judged": ", ".join(sorted(judged)),
            "too small to judge": ", ".join(sorted(known - judged)),
        }
        for name, metric in _METRICS.items():
            row: dict[str, Value] = {"": str(attribute), "measure": name}
            if len(judged) > 1:
                row |= _ratio(rows[rows[_GROUP].isin(judged)], metric, resamples)
            made.append(row | said)
    return made


def _ratio(rows: pd.DataFrame, metric: Any, resamples: int) -> dict[str, Value]:
    def least(weights: NDArray[np.float64]) -> float:
        measured = MetricFrame(
            metrics=metric,
            y_true=rows[_LABEL],
            y_pred=rows[_FLAGGED],
            sensitive_features=rows[_GROUP],
            sample_params={"sample_weight": weights},
        )
        return float(measured.ratio())

    found = bootstrap(rows[_UNIT].to_numpy(), least, resamples=resamples)
    passes = "yes" if found.low >= GATE else "no" if found.high < GATE else "unsure"
    # No draw sees more than a group of whom none is flagged, so its interval says nothing.
    passes = "too few to say" if found.high == 0 else passes
    return {
        "least ratio": found.estimate,
        "95 %": f"{found.low:.2f} to {found.high:.2f}",
        f"{GATE} reached": passes,
    }

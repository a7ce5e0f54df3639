"""Whether groups of people fare alike, by Fairlearn; demographics come in here alone, never into a model."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mercato_models.gate import Verdict
from mercato_models.intervals import Interval, bootstrap

#: Least ratio between the group that fares worst and the one that fares best.
GATE = 0.8
#: A group with fewer positive labels is not judged.
LEAST_POSITIVES = 20
FLAGGED, FOUND = "share flagged", "share of positives flagged"
_LABEL, _VALUE, _UNIT, _GROUP = "label", "value", "unit", "group"
YES, NO, UNSURE, TOO_FEW = "yes", "no", "unsure", "too few to say"


@dataclass(frozen=True, slots=True)
class Ratio:
    """The least ratio between two groups of an attribute.

    Attributes:
        least: `None` where fewer than two groups can be judged.
        judged, small: groups that were judged, and those too small for it.
    """

    attribute: str
    measure: str
    least: Interval | None
    judged: tuple[str, ...]
    small: tuple[str, ...]

    @property
    def reached(self) -> str:
        """Whether GATE is: surely, surely not, or neither."""
        # No draw sees more than a group of whom none is flagged, so its interval says nothing.
        if self.least is None or self.least.high == 0:
            return TOO_FEW
        return YES if self.least.low >= GATE else NO if self.least.high < GATE else UNSURE

    @property
    def said(self) -> str:
        """In words."""
        if self.least is None:
            return f"{TOO_FEW} (groups under {LEAST_POSITIVES} positives: {', '.join(self.small) or 'none'})"
        span = f"{self.least.estimate:.2f} ({self.least.low:.2f} to {self.least.high:.2f})"
        return f"least ratio {span} between {', '.join(self.judged)}; {GATE} reached: {self.reached}"


def ratios(
    label: NDArray[Any],
    flagged: NDArray[Any],
    groups: pd.DataFrame,
    units: Sequence[Hashable] | NDArray[Any],
    *,
    resamples: int = 200,
) -> list[Ratio]:
    """For each attribute and measure the least ratio between two groups, with a 95 % interval.

    Args:
        label: truth, 0 or 1 per row.
        flagged: decision, 0 or 1 per row.
        groups: a column per attribute; rows where it is unknown are left out.
        units: per row, whose it is; the interval draws these.
    """
    # Where nothing is known of people, the library is not asked for.
    from fairlearn.metrics import selection_rate, true_positive_rate

    measures = {FLAGGED: (flagged, selection_rate), FOUND: (flagged, true_positive_rate)}
    return _ratios(label, measures, groups, units, resamples)


def ratios_of_means(
    values: Mapping[str, NDArray[Any]],
    groups: pd.DataFrame,
    units: Sequence[Hashable] | NDArray[Any],
    *,
    resamples: int = 200,
) -> list[Ratio]:
    """The same where a measure is the mean of a value per row, such as a list's recall.

    Args:
        values: by the measure's name.
    """
    measures = {name: (value, _mean) for name, value in values.items()}
    return _ratios(np.ones(len(groups)), measures, groups, units, resamples)


def verdict(found: Sequence[Ratio], gated: str = FOUND) -> Verdict:
    """Refuses a model that surely finds the positives of one group less often than those of another.

    Shares flagged are reported, not gated: groups of whom more leave are rightly flagged more often.

    Args:
        gated: the measure of what is found.
    """
    unfair = [ratio for ratio in found if ratio.measure == gated and ratio.reached == NO]
    return Verdict(tuple(f"unfair by {ratio.attribute}, {ratio.measure}: {ratio.said}" for ratio in unfair))


def _ratios(
    label: NDArray[Any],
    measures: Mapping[str, tuple[NDArray[Any], Any]],
    groups: pd.DataFrame,
    units: Sequence[Hashable] | NDArray[Any],
    resamples: int,
) -> list[Ratio]:
    """Of measures by name: what they measure of each row, and Fairlearn's metric of it."""
    made: list[Ratio] = []
    for attribute in groups:
        for name, (values, metric) in measures.items():
            rows = pd.DataFrame(
                {_LABEL: label, _VALUE: values, _UNIT: units, _GROUP: groups[attribute].to_numpy()}
            )
            known = set(rows[_GROUP].dropna())
            positives = rows[_GROUP][rows[_LABEL] == 1].value_counts()
            judged = {group for group in known if positives.get(group, 0) >= LEAST_POSITIVES}
            kept = rows[rows[_GROUP].isin(judged)]
            least = _least(kept, metric, resamples) if len(judged) > 1 else None
            small = tuple(sorted(known - judged))
            made.append(Ratio(str(attribute), name, least, tuple(sorted(judged)), small))
    return made


def _least(rows: pd.DataFrame, metric: Any, resamples: int) -> Interval:
    from fairlearn.metrics import MetricFrame

    def least(weights: NDArray[np.float64]) -> float:
        measured = MetricFrame(
            metrics=metric,
            y_true=rows[_LABEL],
            y_pred=rows[_VALUE],
            sensitive_features=rows[_GROUP],
            sample_params={"sample_weight": weights},
        )
        return float(measured.ratio())

    return bootstrap(rows[_UNIT].to_numpy(), least, resamples=resamples)


def _mean(_label: pd.Series, values: pd.Series, sample_weight: NDArray[np.float64]) -> float:
    return float(np.average(values, weights=sample_weight))

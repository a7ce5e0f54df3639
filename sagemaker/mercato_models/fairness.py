"""Whether groups of people fare alike, by Fairlearn; demographics come in here alone, never into a model."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Measure:
    """What is compared between groups, a mean.

    Attributes:
        metric: Fairlearn's.
        value, counted: per row, what the mean is of, and 1 where the row counts.
    """

    metric: Any
    value: NDArray[Any]
    counted: NDArray[Any]

    def of(self, rows: NDArray[np.int64]) -> Measure:
        """The same of fewer rows."""
        return Measure(self.metric, self.value[rows], self.counted[rows])

    def least_ratio(self, group: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
        """Of the lowest mean of a group to the highest: what Fairlearn says, in a hundredth of the time."""
        weighed = weights * self.counted
        with np.errstate(invalid="ignore"):
            means = np.bincount(group, weighed * self.value) / np.bincount(group, weighed)
            return float(means.min() / means.max())


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

    everyone = np.ones(len(groups))
    measures = {
        FLAGGED: Measure(selection_rate, flagged, everyone),
        FOUND: Measure(true_positive_rate, flagged, label),
    }
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
    everyone = np.ones(len(groups))
    measures = {name: Measure(_mean, value, everyone) for name, value in values.items()}
    return _ratios(everyone, measures, groups, units, resamples)


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
    measures: Mapping[str, Measure],
    groups: pd.DataFrame,
    units: Sequence[Hashable] | NDArray[Any],
    resamples: int,
) -> list[Ratio]:
    made: list[Ratio] = []
    for attribute in groups:
        group = groups[attribute]
        known = set(group.dropna())
        positives = group[label == 1].value_counts()
        judged = {each for each in known if positives.get(each, 0) >= LEAST_POSITIVES}
        small = tuple(sorted(known - judged))
        rows = np.flatnonzero(group.isin(judged))
        names, owners = group.to_numpy()[rows], np.asarray(units)[rows]
        for name, measure in measures.items():
            least = None
            if len(judged) > 1:
                least = _least(measure.of(rows), label[rows], names, owners, resamples)
            made.append(Ratio(str(attribute), name, least, tuple(sorted(judged)), small))
    return made


def _least(
    measure: Measure, label: NDArray[Any], names: NDArray[Any], units: NDArray[Any], resamples: int
) -> Interval:
    """Fairlearn's least ratio between groups of these names, with an interval from drawing units again."""
    from fairlearn.metrics import MetricFrame

    said = MetricFrame(metrics=measure.metric, y_true=label, y_pred=measure.value, sensitive_features=names)
    _, group = np.unique(names, return_inverse=True)
    drawn = bootstrap(units, lambda weights: measure.least_ratio(group, weights), resamples=resamples)
    return replace(drawn, estimate=float(said.ratio()))


def _mean(_label: NDArray[Any], values: NDArray[Any]) -> float:
    return float(np.mean(values))

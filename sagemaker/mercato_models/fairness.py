"""Whether groups of people fare alike, by Fairlearn; demographics come in here alone, never into a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mercato_models.gate import Verdict
from mercato_models.intervals import Interval, bootstrap

#: Least ratio between the group that fares worst and the one that fares best.
GATE = 0.8
#: A group with fewer positive labels is not judged; for ALARMED, with fewer negative ones.
MIN_LABELS = 20
FLAGGED, FOUND = "share flagged", "share of positives flagged"
ALARMED = "share of negatives flagged"
YES, NO, UNSURE, TOO_FEW = "yes", "no", "unsure", "too few to say"
#: Outside of an interval on each side.
_TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Group:
    """How one group fares.

    Attributes:
        rows: that its rate is the mean of, such as its positives.
        rate: with a 95 % interval.
    """

    name: str
    rows: int
    rate: Interval

    @property
    def said(self) -> str:
        """In words."""
        rate = self.rate
        return f"{self.name} {rate.estimate:.3f} ({rate.low:.3f} to {rate.high:.3f}) of {self.rows}"


@dataclass(frozen=True, slots=True)
class Ratio:
    """The least ratio between two groups of an attribute.

    Attributes:
        least: `None` where fewer than two groups can be judged, or the measure is 0 in all of them.
        judged, small: groups that were judged, and those too small for it.
        groups: the rate of each group, the small ones as well.
    """

    attribute: str
    measure: str
    least: Interval | None
    judged: tuple[str, ...]
    small: tuple[str, ...]
    groups: tuple[Group, ...] = ()

    @property
    def reached(self) -> str:
        """Whether GATE is: surely, surely not, or neither."""
        if self.least is None:
            return TOO_FEW
        if self.least.high < GATE:
            return NO
        if self.least.estimate == 0:
            return TOO_FEW
        return YES if self.least.low >= GATE else UNSURE

    @property
    def said(self) -> str:
        """In words."""
        if self.least is None and len(self.judged) > 1:
            return f"{TOO_FEW} (0 in {', '.join(self.judged)})"
        if self.least is None:
            labels = "negatives" if self.measure == ALARMED else "positives"
            return f"{TOO_FEW} (groups under {MIN_LABELS} {labels}: {', '.join(self.small) or 'none'})"
        span = f"{self.least.estimate:.2f} ({self.least.low:.2f} to {self.least.high:.2f})"
        return f"least ratio {span} between {', '.join(self.judged)}; {GATE} reached: {self.reached}"

    @property
    def by_group(self) -> str:
        """The rates of all groups in words."""
        return "; ".join(group.said for group in self.groups)


@dataclass(frozen=True, slots=True)
class Measure:
    """What is compared between groups, a mean.

    Attributes:
        metric: Fairlearn's.
        value, counted: per row, what the mean is of, and 1 where the row counts.
        enough: 1 in the rows of which a judged group has MIN_LABELS.
    """

    metric: Any
    value: NDArray[Any]
    counted: NDArray[Any]
    enough: NDArray[Any]

    def of(self, rows: NDArray[np.int64]) -> Measure:
        """The same of fewer rows."""
        return Measure(self.metric, self.value[rows], self.counted[rows], self.enough[rows])

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
    measured: Sequence[str] = (FLAGGED, FOUND),
    resamples: int = 200,
) -> list[Ratio]:
    """For each attribute and measure the least ratio between two groups, with a 95 % interval.

    Args:
        label: truth, 0 or 1 per row.
        flagged: decision, 0 or 1 per row.
        groups: a column per attribute; rows where it is unknown are left out.
        units: per row, whose it is; the interval draws these.
        measured: of FLAGGED, FOUND and ALARMED.
    """
    # Where nothing is known of people, the library is not asked for.
    from fairlearn.metrics import false_positive_rate, selection_rate, true_positive_rate

    everyone = np.ones(len(groups))
    known = {
        FLAGGED: Measure(selection_rate, flagged, everyone, label),
        FOUND: Measure(true_positive_rate, flagged, label, label),
        ALARMED: Measure(false_positive_rate, flagged, 1 - label, 1 - label),
    }
    return _ratios(label, {name: known[name] for name in measured}, groups, units, resamples)


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
    measures = {name: Measure(_mean, value, everyone, everyone) for name, value in values.items()}
    return _ratios(everyone, measures, groups, units, resamples)


def verdict(ratios: Sequence[Ratio], gated: str = FOUND) -> Verdict:
    """Refuses a model that surely finds the positives of one group less often than those of another.

    Other shares are reported, not gated: groups of whom more leave are rightly flagged more often.

    Args:
        gated: the measure of what is found.
    """
    unfair = [ratio for ratio in ratios if ratio.measure == gated and ratio.reached == NO]
    return Verdict(tuple(f"unfair by {ratio.attribute}, {ratio.measure}: {ratio.said}" for ratio in unfair))


def report(ratios: Sequence[Ratio]) -> list[dict[str, Any]]:
    """As JSON."""
    return [asdict(ratio) | {"reached": ratio.reached} for ratio in ratios]


def _ratios(
    label: NDArray[Any],
    measures: Mapping[str, Measure],
    groups: pd.DataFrame,
    units: Sequence[Hashable] | NDArray[Any],
    resamples: int,
) -> list[Ratio]:
    made: list[Ratio] = []
    for attribute in groups:
        rows = np.flatnonzero(groups[attribute].notna())
        names, owners = groups[attribute].to_numpy(str)[rows], np.asarray(units)[rows]
        for name, measure in measures.items():
            known = _Known(measure.of(rows), label[rows], names, owners, resamples)
            fares, judged = known.by_group(), known.judged()
            least = known.among([each for each in fares if each.name in judged])
            small = tuple(sorted(set(names.tolist()) - set(judged)))
            made.append(Ratio(str(attribute), name, least, judged, small, fares))
    return made


@dataclass(frozen=True, slots=True)
class _Known:
    """Rows whose group is known, under a measure."""

    measure: Measure
    label: NDArray[Any]
    names: NDArray[Any]
    units: NDArray[Any]
    resamples: int

    def judged(self) -> tuple[str, ...]:
        """The groups that are large enough for it."""
        labels = Counter(self.names[self.measure.enough == 1].tolist())
        return tuple(sorted(name for name, count in labels.items() if count >= MIN_LABELS))

    def by_group(self) -> tuple[Group, ...]:
        """Fairlearn's mean of each group that has rows for it, with an interval from drawing units again."""
        if not len(self.names):
            return ()
        made = []
        for name, rate in self._frame().by_group.items():
            mine = (self.names == name) & (self.measure.counted > 0)
            if mine.any():
                interval = self._interval(float(rate), mine)
                made.append(Group(str(name), int(mine.sum()), interval))
        return tuple(made)

    def among(self, rivals: Sequence[Group]) -> Interval | None:
        """The least ratio between some of the groups; `None` if there is none."""
        if len(rivals) < 2 or not any(each.rate.estimate for each in rivals):
            return None
        theirs = np.flatnonzero(np.isin(self.names, [each.name for each in rivals]))
        drawn = self._of(theirs)._least()
        return drawn if drawn.estimate > 0 else replace(drawn, high=_most_with_none(rivals))

    def _of(self, rows: NDArray[np.int64]) -> _Known:
        kept = (self.measure.of(rows), self.label[rows], self.names[rows], self.units[rows])
        return _Known(*kept, self.resamples)

    def _least(self) -> Interval:
        """Fairlearn's least ratio between the groups, with an interval from drawing units again."""
        _, group = np.unique(self.names, return_inverse=True)
        drawn = bootstrap(
            self.units, lambda weights: self.measure.least_ratio(group, weights), resamples=self.resamples
        )
        return replace(drawn, estimate=float(self._frame().ratio()))

    def _interval(self, mean: float, rows: NDArray[np.bool_]) -> Interval:
        """Of values from 0 to 1. Draws of nothing but 0 or 1 are all alike: there, Clopper and Pearson's.

        It counts units, as the rows of one are not independent.
        """
        units, values = self.units[rows], self.measure.value[rows]
        if mean in (0, 1):
            edge = float(_TAIL ** (1 / len(np.unique(units))))
            return Interval(0.0, 0.0, 1 - edge) if mean == 0 else Interval(1.0, edge, 1.0)
        drawn = bootstrap(
            units, lambda weights: float(np.average(values, weights=weights)), resamples=self.resamples
        )
        return replace(drawn, estimate=mean)

    def _frame(self) -> Any:
        from fairlearn.metrics import MetricFrame

        return MetricFrame(
            metrics=self.measure.metric,
            y_true=self.label,
            y_pred=self.measure.value,
            sensitive_features=self.names,
        )


def _most_with_none(rivals: Sequence[Group]) -> float:
    """How high the least ratio may be where a group's rate is 0, which no draw exceeds.

    The upper end of that rate to the lower end of the best one; each misses by chance once in forty.
    """
    most = min(each.rate.high for each in rivals if each.rate.estimate == 0)
    best = max(rivals, key=lambda each: each.rate.estimate).rate.low
    return min(1.0, most / best) if best > 0 else 1.0


def _mean(_label: NDArray[Any], values: NDArray[Any]) -> float:
    return float(np.mean(values))

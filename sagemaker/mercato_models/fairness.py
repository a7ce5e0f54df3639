"""Whether groups of people fare alike, by Fairlearn; demographics come in here alone, never into a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mercato_models.gate import Verdict
from mercato_models.intervals import Interval
from mercato_models.rates import Rate, least_ratio, worth

#: Least ratio between the group that fares worst and the one that fares best.
GATE = 0.8
#: A group with fewer positive labels is not judged; for ALARMED, with fewer negative ones.
MIN_LABELS = 20
FLAGGED, FOUND = "share flagged", "share of positives flagged"
ALARMED = "share of negatives flagged"
YES, NO, UNSURE, TOO_FEW = "yes", "no", "unsure", "too few to say"


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
        least: over all pairs of judged groups, with the interval of `rates.least_ratio`; `None` where fewer
            than two groups can be judged, or the measure is 0 in all of them.
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
        among = f"{self._worst}, among {', '.join(self.judged)}"
        return f"least ratio {span}, {among}; {GATE} reached: {self.reached}"

    @property
    def by_group(self) -> str:
        """The rates of all groups in words."""
        return "; ".join(group.said for group in self.groups)

    @property
    def _worst(self) -> str:
        """The pair whose ratio is the least."""
        rivals = sorted(
            (group for group in self.groups if group.name in self.judged),
            key=lambda group: group.rate.estimate,
        )
        return f"{rivals[0].name} against {rivals[-1].name}"


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


def ratios(
    label: NDArray[Any],
    flagged: NDArray[Any],
    groups: pd.DataFrame,
    units: Sequence[Hashable] | NDArray[Any],
    *,
    measured: Sequence[str] = (FLAGGED, FOUND),
) -> list[Ratio]:
    """For each attribute and measure the least ratio between two groups, with a 95 % interval.

    Args:
        label: truth, 0 or 1 per row.
        flagged: decision, 0 or 1 per row.
        groups: a column per attribute; rows where it is unknown are left out.
        units: per row, whose it is; rows of one are not independent. Each is in one group.
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
    return _ratios(label, {name: known[name] for name in measured}, groups, units)


def ratios_of_means(
    values: Mapping[str, NDArray[Any]],
    groups: pd.DataFrame,
    units: Sequence[Hashable] | NDArray[Any],
) -> list[Ratio]:
    """The same where a measure is the mean of a value per row, such as a list's recall.

    Args:
        values: by the measure's name.
    """
    everyone = np.ones(len(groups))
    measures = {name: Measure(_mean, value, everyone, everyone) for name, value in values.items()}
    return _ratios(everyone, measures, groups, units)


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
) -> list[Ratio]:
    made: list[Ratio] = []
    for attribute in groups:
        rows = np.flatnonzero(groups[attribute].notna())
        names, owners = groups[attribute].to_numpy(str)[rows], np.asarray(units)[rows]
        for name, measure in measures.items():
            known = _Known(measure.of(rows), label[rows], names, owners)
            rates, judged = known.rates(), known.judged()
            fares = tuple(Group(each, known.rows(each), rate.interval()) for each, rate in rates.items())
            least = _least([rates[each] for each in judged])
            small = tuple(sorted(set(names.tolist()) - set(judged)))
            made.append(Ratio(str(attribute), name, least, judged, small, fares))
    return made


def _least(rates: Sequence[Rate]) -> Interval | None:
    """The least ratio between two; `None` if there is none."""
    return least_ratio(rates) if len(rates) > 1 and any(rate.mean for rate in rates) else None


@dataclass(frozen=True, slots=True)
class _Known:
    """Rows whose group is known, under a measure."""

    measure: Measure
    label: NDArray[Any]
    names: NDArray[Any]
    units: NDArray[Any]

    def judged(self) -> tuple[str, ...]:
        """The groups that are large enough for it."""
        labels = Counter(self.names[self.measure.enough == 1].tolist())
        return tuple(sorted(name for name, count in labels.items() if count >= MIN_LABELS))

    def rates(self) -> dict[str, Rate]:
        """Fairlearn's mean of each group that has rows for it, and what these are worth."""
        if not len(self.names):
            return {}
        means = {str(name): float(mean) for name, mean in self._frame().by_group.items()}
        return {name: self._rate(name, mean) for name, mean in means.items() if self.rows(name)}

    def rows(self, name: str) -> int:
        """How many count of a group."""
        return int(self._counted(name).sum())

    def _rate(self, name: str, mean: float) -> Rate:
        rows = self._counted(name)
        return Rate(mean, worth(self.measure.value[rows], self.units[rows]))

    def _counted(self, name: str) -> NDArray[np.bool_]:
        rows: NDArray[np.bool_] = (self.names == name) & (self.measure.counted > 0)
        return rows

    def _frame(self) -> Any:
        from fairlearn.metrics import MetricFrame

        return MetricFrame(
            metrics=self.measure.metric,
            y_true=self.label,
            y_pred=self.measure.value,
            sensitive_features=self.names,
        )


def _mean(_label: NDArray[Any], values: NDArray[Any]) -> float:
    return float(np.mean(values))

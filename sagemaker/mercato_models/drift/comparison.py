"""How far what a model is asked has moved from what it learned from.

Measured by the population stability index of credit scoring (N. Siddiqi: *Credit Risk Scorecards*, 2006):
over the bins of a column, the sum of (now - before) * ln(now / before).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mercato_models.arrays import Floats, Floats32
from mercato_models.drift.baseline import Baseline

#: Above this a shift is significant, by Siddiqi's rule; below .1 there is none.
SIGNIFICANT = 0.25
#: A feature is taken for broken from this index on, which takes half of its rows where there were none, if it
#: adds at least this share to the scores.
_BROKEN, _MATTERS = 4.0, 0.02
#: Fewer requests differ from the baseline by chance alone.
MIN_REQUESTS = 100
#: A feature is lost if it is never known now, and that by chance is rarer than this.
_RARE = 1e-6
#: In place of a share of 0, whose logarithm does not exist.
_NONE = 1e-4


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one column has moved.

    Attributes:
        name: of the column.
        psi: its stability index.
        importance, grows: see `mercato_models.drift.baseline.Column`.
        unknown_before: share of rows in which it was unknown.
        unknown_now: the same share now.
    """

    name: str
    psi: float
    importance: float
    grows: bool
    unknown_before: float
    unknown_now: float

    @property
    def weight(self) -> float:
        """In the mean of all; what only ever grows has always moved."""
        return 0.0 if self.grows else self.importance


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a model's inputs and answers have moved.

    Attributes:
        requests: that were looked at.
        rows: in them.
        score: stability index of the scores.
        inputs: mean stability index of the features, each as important as it is to the scores, without those
            that only ever grow.
        shifts: of each feature, those first that weigh most in `inputs`.
        lost: features that are never known any more. One that is known of few rows, such as the last fraud at
            a terminal, may matter much and hardly moves an index.
    """

    requests: int
    rows: int
    score: float
    inputs: float
    shifts: tuple[Shift, ...]
    lost: tuple[str, ...]

    @property
    def judged(self) -> bool:
        """Whether there are enough requests to tell."""
        return self.requests >= MIN_REQUESTS

    @property
    def broken(self) -> tuple[str, ...]:
        """Features that matter and of which most rows are where hardly any were."""
        return tuple(each.name for each in self.shifts if each.weight >= _MATTERS and each.psi > _BROKEN)

    @property
    def drifted(self) -> bool:
        """Whether the model should be looked at."""
        moved = bool(self.lost or self.broken) or max(self.score, self.inputs) > SIGNIFICANT
        return self.judged and moved

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"broken": self.broken, "judged": self.judged, "drifted": self.drifted}


class Tally:
    """Counts what a model is asked, by the bins of its baseline."""

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        self._counts = [np.zeros(len(column.shares)) for column in baseline]
        self.requests = self.rows = 0

    def add(self, rows: Floats32, scores: Floats32, requests: int = 1) -> None:
        """Count rows of the model's features, and its scores of them."""
        for column, counts, values in zip(self._baseline, self._counts, (*rows.T, scores), strict=True):
            counts += column.count(values.astype(np.float64))
        self.requests += requests
        self.rows += len(rows)

    def drift(self) -> Drift:
        """How far that is from the baseline; nowhere if nothing was asked."""
        *shifts, score = (
            Shift(
                column.name,
                stability_index(column.shares, counts),
                column.importance,
                column.grows,
                column.shares[-1],
                float(counts[-1] / max(self.rows, 1)),
            )
            for column, counts in zip(self._baseline, self._counts, strict=True)
        )
        shifts.sort(key=lambda each: (-each.weight * each.psi, each.name))
        inputs = sum(each.weight * each.psi for each in shifts)
        lost = [each.name for each in shifts if self._lost(each)]
        return Drift(self.requests, self.rows, score.psi, inputs, tuple(shifts), tuple(lost))

    def _lost(self, shift: Shift) -> bool:
        """Rows of one request are alike: the chance is one of requests."""
        never_known = shift.unknown_now == 1 and shift.importance > 0
        return never_known and shift.unknown_before**self.requests < _RARE


def stability_index(shares: Sequence[float], counts: Floats) -> float:
    """The population stability index of counts by bin against the shares that they had; 0 of no rows."""
    if not counts.sum():
        return 0.0
    before = np.maximum(shares, _NONE)
    now = np.maximum(counts / counts.sum(), _NONE)
    return float(((now - before) * np.log(now / before)).sum())

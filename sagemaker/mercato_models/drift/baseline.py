"""What a model learned from, as `baseline.json` beside it: each column's distribution, in bins."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from mercato_models.arrays import Floats, Floats32
from mercato_models.artifact import Model, ModelError
from mercato_models.reasons import drivers

FILE = "baseline.json"
#: Name of what the model answers, beside its features.
SCORE = "score"
#: Deciles, as is usual; a column with no more values than that has a bin for each.
_BINS = 10
#: Rows that are enough to tell bins.
_BINNED = 100_000


class NoBaselineError(ModelError):
    """A model does not say what it learned from, or not in a way that can be read."""


@dataclass(frozen=True, slots=True)
class Column:
    """How one column was distributed.

    Attributes:
        name: of the feature, or SCORE.
        edges: upper end of each bin but the last, which has none; ascending.
        shares: of rows in each bin, and last of those in which the column is unknown.
        importance: share of the mean absolute SHAP values of all features; 0 where the trees never ask.
        grows: it only ever grows, so that it has always moved.
    """

    name: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    importance: float = 1.0
    grows: bool = False

    def count(self, values: Floats, weights: Floats | None = None) -> Floats:
        """Rows by bin, unknown ones last."""
        place = np.searchsorted(self.edges, values, side="left")
        place[np.isnan(values)] = len(self.edges) + 1
        return np.bincount(place, weights, minlength=len(self.edges) + 2).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The columns of a model, in its order, and its scores."""

    columns: tuple[Column, ...]
    score: Column

    @classmethod
    def of(
        cls, model: Model, rows: Floats32, *, stands_for: Floats | None = None, growing: Sequence[str] = ()
    ) -> Baseline:
        """What a model learned from.

        Args:
            rows: of its features, those that it is to be asked the likes of.
            stands_for: how many rows each is a sample of; one each by default.
            growing: features that only ever grow.
        """
        weights = np.ones(len(rows)) if stands_for is None or not stands_for.any() else stands_for
        chosen = np.random.default_rng(0).permutation(np.flatnonzero(weights))[:_BINNED]
        rows, weights = rows[chosen], weights[chosen]
        adds = drivers(model, rows)
        whole = sum(adds.values()) or 1.0
        columns = tuple(
            replace(_column(name, values, weights), importance=adds[name] / whole, grows=name in growing)
            for name, values in zip(model.features, rows.T.astype(np.float64), strict=True)
        )
        return cls(columns, _column(SCORE, model.score(rows).astype(np.float64), weights))

    def __iter__(self) -> Iterator[Column]:
        """All of them, the scores last."""
        yield from self.columns
        yield self.score

    def save(self, folder: Path) -> None:
        """Write it into a model folder, before the model itself."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps([asdict(column) for column in self]))

    @classmethod
    def load(cls, folder: Path, features: Sequence[str]) -> Baseline:
        """Read it from the folder of a model of these features.

        Raises:
            NoBaselineError: the folder has none, or a broken one, or that of other features.
        """
        try:
            *columns, score = (
                Column(**each | {name: tuple(each[name]) for name in ("edges", "shares")})
                for each in json.loads((folder / FILE).read_text())
            )
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise NoBaselineError(
                f"{folder} does not say what its model learned from ({error}): train it again"
            ) from error
        if [column.name for column in columns] != [*features]:
            raise NoBaselineError(f"{folder}: {FILE} is of other features than the model: train it again")
        return cls(tuple(columns), score)


def _column(name: str, values: Floats, weights: Floats) -> Column:
    empty = Column(name, _edges(values, weights), ())
    counts = empty.count(values, weights)
    return replace(empty, shares=tuple((counts / counts.sum()).tolist()))


def _edges(values: Floats, weights: Floats) -> tuple[float, ...]:
    """Ends of bins that hold as much of what is known, as far as equal values let them.

    A value that is a bin by itself begins it, so that lower ones are told from it though there were none.
    """
    known = ~np.isnan(values)
    cuts = np.unique(values[known])
    if len(cuts) <= _BINS:
        alone = cuts
    else:
        steps = np.arange(1, _BINS) / _BINS
        cuts, times = np.unique(
            np.quantile(values[known], steps, weights=weights[known], method="inverted_cdf"),
            return_counts=True,
        )
        alone = cuts[times > 1]
    return tuple(np.union1d(cuts, np.nextafter(alone, -np.inf)).tolist())

"""95 % intervals by the bootstrap over units: households, customers, whatever was sampled."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: From one weight per row to a figure.
Statistic = Callable[[NDArray[np.float64]], float]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % percentile interval."""

    estimate: float
    low: float
    high: float

    def flat(self, name: str) -> dict[str, float]:
        """By metric name."""
        return {name: self.estimate, f"{name}_low": self.low, f"{name}_high": self.high}


def bootstrap(
    units: NDArray[Any] | Sequence[Hashable], statistic: Statistic, *, resamples: int = 1000, seed: int = 0
) -> Interval:
    """Draw units with replacement; all rows of a unit come as often as it was drawn.

    Args:
        units: per row, whose it is.
        statistic: the figure of rows weighted by how often they came. NaN (a draw that has no such
            figure) is left out.

    Raises:
        ValueError: there are no rows, or no draw has the figure.
    """
    distinct, rows = np.unique(np.asarray(units), return_inverse=True)
    if len(distinct) == 0:
        raise ValueError("there are no rows to draw from: the interval is of nothing")
    generator = np.random.default_rng(seed)
    chances = np.full(len(distinct), 1 / len(distinct))
    draws = [
        statistic(generator.multinomial(len(distinct), chances)[rows].astype(np.float64))
        for _ in range(resamples)
    ]
    known = np.array(draws)[~np.isnan(draws)]
    if len(known) == 0:
        raise ValueError(f"none of {resamples} draws of {len(distinct)} units has the figure")
    low, high = np.quantile(known, [0.025, 0.975])
    return Interval(statistic(np.ones(len(rows))), float(low), float(high))


def paired(
    units: NDArray[Any] | Sequence[Hashable],
    ours: Statistic,
    theirs: Statistic,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """By how much `ours` exceeds `theirs`, both on the same draws."""
    return bootstrap(units, lambda weights: ours(weights) - theirs(weights), resamples=resamples, seed=seed)

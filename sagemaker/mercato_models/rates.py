"""95 % intervals, without draws, of a mean of values from 0 to 1 and of the least ratio of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from math import comb, hypot, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from mercato_models.intervals import Interval

#: Outside of an interval on each side.
_TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Rate:
    """A mean of values from 0 to 1.

    Attributes:
        mean: of the values.
        worth: how many draws of 0 or 1 would have told as much.
    """

    mean: float
    worth: float

    def interval(self, tail: float = _TAIL) -> Interval:
        """Korn and Graubard's: Clopper and Pearson's for as many draws as the rows are worth."""
        hits, misses = self.mean * self.worth, (1 - self.mean) * self.worth
        low = betaincinv(hits, misses + 1, tail) if hits > 0 else 0.0
        high = betaincinv(hits + 1, misses, 1 - tail) if misses > 0 else 1.0
        return Interval(self.mean, float(low), float(high))


def worth(values: NDArray[Any], units: NDArray[Any]) -> float:
    """How many independent draws of 0 or 1 would tell as much of the mean of values from 0 to 1.

    Args:
        units: per value, whose it is, such as a household's; values of one are not independent.
    """
    _, unit = np.unique(units, return_inverse=True)
    mean = float(np.mean(values))
    off = values - mean
    if np.allclose(off, 0):  # all alike, they say nothing of how they spread
        return float(unit.max() + 1)
    # Units that differ less than their rows would by chance do not tell more than those rows.
    spread = max(np.square(np.bincount(unit, off)).sum(), np.square(off).sum())
    return mean * (1 - mean) * len(values) ** 2 / float(spread)


def least_ratio(rates: Sequence[Rate]) -> Interval:
    """Of the lowest rate to the highest; one of them is above 0.

    Each pair has its interval, and all hold at once at 95 % (Bonferroni). Then the least ratio lies between
    the least of the lower ends and the least of the upper ones. The least ratios of bootstrap draws would lie
    too low: to choose the extremes of few people again in each draw drives them apart.
    """
    apart = [rate.interval(_TAIL / comb(len(rates), 2)) for rate in rates]
    pairs = list(permutations(apart, 2))
    means = [rate.mean for rate in rates]
    low = min(_lower(*pair) for pair in pairs)
    high = min(_upper(*pair) for pair in pairs)
    return Interval(min(means) / max(means), low, min(high, 1.0))


def _lower(one: Interval, other: Interval) -> float:
    """Lower end of the ratio of two means, from their intervals: Donner and Zou's MOVER."""
    if one.low == 0:
        return 0.0
    below, above = one.estimate - one.low, other.high - other.estimate
    ours = one.low * (one.estimate + below)
    return ours / (one.estimate * other.estimate + hypot(other.estimate * below, sqrt(ours) * above))


def _upper(one: Interval, other: Interval) -> float:
    lower = _lower(other, one)
    return 1 / lower if lower > 0 else np.inf

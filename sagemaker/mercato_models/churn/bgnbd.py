"""The peer from marketing science: buying by a Poisson process until a customer quietly drops out (BG/NBD).

Fader, Hardie and Lee, "Counting Your Customers" the Easy Way, Marketing Science 24(2), 2005. Rates differ by
a gamma distribution, dropout after each purchase by a beta distribution.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.arrays import Floats
from mercato_models.churn.days import DAY

_HOUSEHOLD = BASKET_LINES.c.household_id
#: Days in the unit of time.
WEEK = 7.0


@dataclass(frozen=True, slots=True)
class Summary:
    """All that the model knows of customers, an element each.

    Attributes:
        repeats: purchases after the first.
        last: from the first purchase to the last, weeks.
        age: from the first purchase to the as-of day, weeks.
    """

    repeats: Floats
    last: Floats
    age: Floats

    @classmethod
    def of(cls, table: pd.DataFrame) -> Summary:
        """Of rows that `summary` made."""
        return cls(*(table[column.name].to_numpy(np.float64) for column in fields(cls)))


def summary(history: pd.DataFrame, as_of: float) -> pd.DataFrame:
    """`repeats`, `last` and `age` by household; baskets of one day are one purchase.

    Args:
        history: what `mercato_models.churn.features.baskets` makes; rows at or after `as_of` are not read.
    """
    past = history[history[DAY] < as_of]
    days = np.floor(past[DAY]).groupby(past[_HOUSEHOLD])
    first = days.min()
    return pd.DataFrame(
        {
            "repeats": days.nunique() - 1.0,
            "last": (days.max() - first) / WEEK,
            "age": (as_of - first) / WEEK,
        }
    )


@dataclass(frozen=True, slots=True)
class BgNbd:
    """Parameters as the paper names them."""

    r: float
    alpha: float
    a: float
    b: float

    def silence(self, known: Summary, weeks: float) -> Floats:
        """Probability of no purchase in the next `weeks`."""
        stays = self._alive(known)
        waits = ((self.alpha + known.age) / (self.alpha + known.age + weeks)) ** (self.r + known.repeats)
        return 1 - stays * (1 - waits)

    def _alive(self, known: Summary) -> Floats:
        odds = np.exp(
            np.log(self.a)
            - np.log(self.b + np.maximum(known.repeats, 1) - 1)
            + (self.r + known.repeats) * np.log((self.alpha + known.age) / (self.alpha + known.last))
        )
        return np.where(known.repeats > 0, 1 / (1 + odds), 1.0)

    def log_likelihood(self, known: Summary) -> float:
        """Sum over customers."""
        x, r, alpha, a, b = known.repeats, self.r, self.alpha, self.a, self.b
        common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
        alive = betaln(a, b + x) - (r + x) * np.log(alpha + known.age)
        gone = betaln(a + 1, b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + known.last)
        return float((common + np.where(x > 0, np.logaddexp(alive, gone), alive)).sum())


def fit(known: Summary) -> BgNbd:
    """Maximum likelihood.

    Raises:
        ValueError: it does not converge.
    """

    def cost(logs: Floats) -> float:
        return -BgNbd(*np.exp(logs)).log_likelihood(known) / len(known.age)

    bounds = [(-8.0, 8.0)] * 4
    result = minimize(cost, np.zeros(4), method="L-BFGS-B", bounds=bounds)
    if not result.success:
        raise ValueError(f"BG/NBD over {len(known.age)} customers does not converge: {result.message}")
    return BgNbd(*np.exp(result.x).tolist())

"""What a household will spend: how often it comes (Pareto/NBD) by what it spends then (Gamma-Gamma).

Fader and Hardie, "The Gamma-Gamma Model of Monetary Value", 2013: the spend of a visit varies about a
customer's own mean by a gamma distribution, and the means differ by an inverse gamma distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import gammaln

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.arrays import Floats
from mercato_models.churn import bgnbd, paretonbd
from mercato_models.churn.days import DAY

_L = BASKET_LINES.c
#: Days that lifetime value looks ahead.
VALUE_DAYS = 180


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """Parameters as the paper names them."""

    p: float
    q: float
    gamma: float

    def mean(self, visits: Floats, average: Floats) -> Floats:
        """Expected spend of a visit, from how many there were and what they averaged."""
        return self.p * (self.gamma + visits * average) / (self.p * visits + self.q - 1)

    def log_likelihood(self, visits: Floats, average: Floats) -> float:
        """Sum over customers."""
        shape, q = self.p * visits, self.q
        known = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(self.gamma)
        seen = (shape - 1) * np.log(average) + shape * np.log(visits)
        return float((known + seen - (shape + q) * np.log(self.gamma + visits * average)).sum())


def fit(visits: Floats, average: Floats) -> GammaGamma:
    """Maximum likelihood; each customer has a visit and spent something.

    Raises:
        ValueError: it does not converge.
    """
    unit = float(np.median(average))

    def cost(logs: Floats) -> float:
        return -GammaGamma(*np.exp(logs)).log_likelihood(visits, average / unit) / len(visits)

    result = minimize(cost, np.zeros(3), method="L-BFGS-B", bounds=[(-8.0, 8.0)] * 3)
    if not result.success:
        raise ValueError(f"Gamma-Gamma over {len(visits)} customers does not converge: {result.message}")
    p, q, gamma = np.exp(result.x).tolist()
    return GammaGamma(p, q, gamma * unit)


def expected_spend(history: pd.DataFrame, as_of: float, days: float = VALUE_DAYS) -> pd.Series:
    """Expected spend in the next `days` by household that has ever spent.

    Args:
        history: what `mercato_models.churn.features.baskets` makes; rows at or after `as_of` are not read.
        as_of: days since the start.

    Raises:
        ValueError: one of the two models does not converge.
    """
    past = history[history[DAY] < as_of]
    daily = past[_L.sales_value].groupby([past[_L.household_id], np.floor(past[DAY])]).sum()
    visits = daily[daily > 0].groupby(level=0).agg(["size", "mean"]).astype(float)
    count, average = visits["size"].to_numpy(), visits["mean"].to_numpy()
    known = bgnbd.summary(history, as_of)
    coming = paretonbd.fit(bgnbd.Summary.of(known))
    purchases = coming.purchases(bgnbd.Summary.of(known.loc[visits.index]), days / bgnbd.WEEK)
    return pd.Series(purchases * fit(count, average).mean(count, average), visits.index)

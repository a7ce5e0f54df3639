"""Lifetime value against what households then spent, beside going on as before."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.page import Value
from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.churn.days import DAY
from mercato_models.churn.value import VALUE_DAYS, expected_spend
from mercato_models.intervals import Statistic, bootstrap, paired

_L = BASKET_LINES.c
_MODEL = "Pareto/NBD and Gamma-Gamma"
#: Days whose spend goes on, for the peer that looks at the latest past alone.
_LATEST_DAYS = 56


def table(history: pd.DataFrame) -> list[dict[str, Value]]:
    """Error of each forecast at the last day whose VALUE_DAYS are over, for households that spent by then."""
    as_of = float(np.floor(history[DAY].max()) + 1 - VALUE_DAYS)
    ours = expected_spend(history, as_of)
    spent = _spend(history, as_of, as_of + VALUE_DAYS, ours.index)
    past = history[history[DAY] < as_of]
    first = past.groupby(_L.household_id)[DAY].min().reindex(ours.index)
    latest = _spend(past, as_of - _LATEST_DAYS, as_of, ours.index)
    forecasts = {
        _MODEL: ours,
        "all spend, by day since the first basket": _spend(past, 0, as_of, ours.index)
        / (as_of - first)
        * VALUE_DAYS,
        f"spend of the last {_LATEST_DAYS} days": latest / _LATEST_DAYS * VALUE_DAYS,
    }
    errors = {name: _mean((made - spent).abs().to_numpy()) for name, made in forecasts.items()}
    units = np.arange(len(ours))
    rows = []
    for name, made in forecasts.items():
        error = bootstrap(units, errors[name])
        row: dict[str, Value] = {
            "": name,
            "mean forecast": float(made.mean()),
            "mean absolute error": error.estimate,
            "95 %": f"{error.low:.1f} to {error.high:.1f}",
            "less by": None,
            "of it 95 %": None,
            "rank correlation": float(made.corr(spent, method="spearman")),
        }
        if name != _MODEL:
            gain = paired(units, errors[name], errors[_MODEL])
            row |= {"less by": gain.estimate, "of it 95 %": f"{gain.low:.1f} to {gain.high:.1f}"}
        rows.append(row)
    facts: dict[str, Value] = {"as-of day": as_of, "households": len(ours), "mean spend": float(spent.mean())}
    return [row | facts for row in rows]


def _spend(history: pd.DataFrame, start: float, end: float, households: pd.Index) -> pd.Series:
    """By household, in USD, from `start` to before `end`."""
    within = history[(history[DAY] >= start) & (history[DAY] < end)]
    return within.groupby(_L.household_id)[_L.sales_value].sum().reindex(households, fill_value=0.0)


def _mean(values: NDArray[np.float64]) -> Statistic:
    return lambda weights: float(np.average(values, weights=weights))

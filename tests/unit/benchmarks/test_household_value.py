"""The table of lifetime value beside its peers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.household_value import table
from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.churn.days import DAY
from mercato_models.churn.value import VALUE_DAYS

L = BASKET_LINES.c
#: The last day; the as-of day lies VALUE_DAYS before its end.
LAST = 379.0


def history() -> pd.DataFrame:
    """Households that come at rates of their own; half of them leave by chance."""
    generator = np.random.default_rng(0)
    made = []
    for household in range(300):
        days = np.cumsum(generator.exponential(1 / generator.gamma(2, 0.1), 800))
        days = days[days < min(LAST, generator.exponential(500))]
        spend = generator.gamma(4, generator.lognormal(3, 0.5) / 4, len(days))
        made.append(pd.DataFrame({L.household_id: household, DAY: days, L.sales_value: spend}))
    made.append(pd.DataFrame({L.household_id: [300], DAY: [LAST], L.sales_value: [1.0]}))
    return pd.concat(made, ignore_index=True)


def test_each_forecast_is_judged_by_what_was_spent() -> None:
    baskets = history()
    model, whole, latest = table(baskets)
    assert model["as-of day"] == LAST + 1 - VALUE_DAYS == 200
    past, later = baskets[baskets[DAY] < 200], baskets[baskets[DAY] >= 200]
    spent = {
        household: later[L.sales_value][later[L.household_id] == household].sum()
        for household in past[L.household_id].unique()
    }
    assert model["households"] == len(spent)
    assert model["mean spend"] == pytest.approx(np.mean(list(spent.values())))
    gaps = []
    for household, truth in spent.items():
        own = past[past[L.household_id] == household]
        gaps.append(abs(own[L.sales_value].sum() / (200 - own[DAY].min()) * VALUE_DAYS - truth))
    assert whole["mean absolute error"] == pytest.approx(np.mean(gaps))
    excess = latest["mean absolute error"] - model["mean absolute error"]  # type: ignore[operator]
    assert latest["less by"] == pytest.approx(excess)
    assert excess > 0

"""What is known of a household just before a day: pure functions of its earlier baskets.

Nothing at or after the as-of day is read, so training and batch scoring share this module.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercato.contracts.tables.gold import BASKET_LINES
from mercato_models.churn.days import DAY, HORIZON_DAYS
from mercato_models.churn.rhythm import rhythm

L = BASKET_LINES.c
#: Lengths of the windows, days.
WINDOWS = (7, 14, 28, 56, 112)
#: Half-lives of the decayed counts, days.
HALF_LIVES = (7, 14, 28, 56)
#: An active household has a basket in so many days, and so many baskets in all.
ACTIVE_DAYS, ACTIVE_BASKETS = 28, 5
AS_OF, LINES, LABEL = "as_of", "lines", "label"


def baskets(lines: pd.DataFrame, start: pd.Timestamp) -> pd.DataFrame:
    """One row per basket of gold.basket_lines, in time order; `day` is days since `start`."""
    discounts = lines[L.retail_disc] + lines[L.coupon_disc] + lines[L.coupon_match_disc]
    kept = lines.copy()
    kept[L.retail_disc] = discounts
    kept[L.coupon_disc] = (lines[L.coupon_disc] > 0).astype(float)
    kept[LINES] = 1.0
    made = (
        kept.groupby([L.household_id, L.basket_id], sort=False)
        .agg(
            {
                L.basket_time: "max",
                L.store_id: "first",
                LINES: "sum",
                L.sales_value: "sum",
                L.retail_disc: "sum",
                L.coupon_disc: "max",
            }
        )
        .reset_index()
    )
    made[DAY] = (made[L.basket_time] - start) / pd.Timedelta(days=1)
    return made.sort_values([L.household_id, L.basket_time, L.basket_id], ignore_index=True)


def labels(history: pd.DataFrame, households: pd.Index, as_of: float) -> pd.Series:
    """1 for households without a basket in [as_of, as_of + HORIZON_DAYS)."""
    ahead = history[(history[DAY] >= as_of) & (history[DAY] < as_of + HORIZON_DAYS)]
    return pd.Series((~households.isin(ahead[L.household_id])).astype(np.float32), households, name=LABEL)


#: Features that only ever grow.
GROWING = ("tenure",)


def features(history: pd.DataFrame, as_of: float) -> pd.DataFrame:
    """Features of the households active at a day, by household_id.

    Args:
        history: what `baskets` makes; rows at or after `as_of` are not read.
        as_of: days since the start.
    """
    past = history[history[DAY] < as_of]
    groups = past.groupby(L.household_id)
    counts, last = groups.size(), groups[DAY].max()
    active = counts.index[(counts >= ACTIVE_BASKETS) & (as_of - last <= ACTIVE_DAYS)]
    past = past[past[L.household_id].isin(active)]
    groups = past.groupby(L.household_id)
    age = as_of - past[DAY]
    household = past[L.household_id]
    made: dict[str, pd.Series] = {
        "recency": as_of - groups[DAY].max(),
        "tenure": as_of - groups[DAY].min(),
        "baskets": groups.size().astype(float),
        "spend": groups[L.sales_value].sum(),
        "mean_basket_value": groups[L.sales_value].mean(),
        "mean_basket_size": groups[LINES].mean(),
        "discount_share": groups[L.retail_disc].sum() / groups[L.sales_value].sum().clip(lower=1),
        "coupon_share": groups[L.coupon_disc].mean(),
        "stores": groups[L.store_id].nunique().astype(float),
    }
    for days in WINDOWS:
        recent = (age <= days).astype(float)
        made[f"baskets_{days}d"] = recent.groupby(household).sum()
        made[f"spend_{days}d"] = (recent * past[L.sales_value]).groupby(household).sum()
    for days in HALF_LIVES:
        weight = pd.Series(np.exp2(-age / days), past.index)
        made[f"baskets_half_{days}d"] = weight.groupby(household).sum()
        made[f"spend_half_{days}d"] = (weight * past[L.sales_value]).groupby(household).sum()
    for days in WINDOWS[2:]:
        made[f"trend_{days}d"] = (made[f"baskets_{days}d"] + 1) / (
            made["baskets"] / made["tenure"].clip(lower=days) * days + 1
        )
    made |= rhythm(past, as_of)
    return pd.DataFrame(made).reindex(active).astype(np.float32)

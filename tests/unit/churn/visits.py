"""Baskets of households that come at random."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercato.contracts.tables.gold import BASKET_LINES

L = BASKET_LINES.c
START = pd.Timestamp("2017-01-01")
#: When the 200 days are over.
NOW = (START + pd.Timedelta(days=201)).tz_localize("UTC")


def visits(seed: int = 0, households: int = 30, each: int = 40) -> pd.DataFrame:
    """Rows of gold.basket_lines over 200 days from START, one per basket."""
    generator = np.random.default_rng(seed)
    rows = households * each
    return pd.DataFrame(
        {
            L.household_id: np.repeat(np.arange(households), each),
            L.basket_id: np.arange(rows),
            L.store_id: generator.integers(1, 4, rows),
            L.sales_value: generator.gamma(2, 10, rows),
            L.retail_disc: generator.random(rows),
            L.coupon_disc: 0.0,
            L.coupon_match_disc: 0.0,
            L.basket_time: START + pd.to_timedelta(generator.uniform(0, 200, rows), unit="D"),
        }
    )

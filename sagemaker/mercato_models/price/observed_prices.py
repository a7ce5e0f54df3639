"""What prices are known from checkouts: each tells its own store's price, and only when something was sold.

So a store's own price of a week knows whether the store sold then. What others took for the product does not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mercato.contracts.tables.gold import PRICE_HISTORY
from mercato_models.price.panel import CELL, PANEL

_C, _H = PANEL.c, PRICE_HISTORY.c
_WEEKLY = [_H.product_id, _H.week]
_ELSEWHERE = "elsewhere"


def charged(rows: pd.DataFrame, sold: pd.DataFrame) -> pd.Series:
    """What each row's store took; where it sold nothing what others took that week, else the price before.

    Args:
        rows: of a panel, ordered by its key.
        sold: rows of gold.price_history.
    """
    return _carried(rows, _own(rows, sold).fillna(_elsewhere(rows, sold)))


def planned(rows: pd.DataFrame, sold: pd.DataFrame) -> pd.Series:
    """The median of what other stores took in each row's week, else the newest price known before.

    One rule, whether or not the row's store sold: it cannot depend on that. NaN where nothing was known.

    Args:
        rows: of a panel, ordered by its key.
        sold: rows of gold.price_history.
    """
    others = _elsewhere(rows, sold)
    known = _carried(rows, others.fillna(_own(rows, sold)))
    return others.fillna(known.groupby(_cells(rows)).shift(1))


def _cells(rows: pd.DataFrame) -> list[pd.Series]:
    return [rows[name] for name in CELL]


def _carried(rows: pd.DataFrame, prices: pd.Series) -> pd.Series:
    return prices.groupby(_cells(rows)).ffill()


def _own(rows: pd.DataFrame, sold: pd.DataFrame) -> pd.Series:
    """What each row's store took; NaN where it sold nothing."""
    key = [*CELL, _C.week]
    joined = rows[key].merge(sold[[*key, _H.loyalty_price]], how="left", on=key)
    return joined[_H.loyalty_price].set_axis(rows.index)


def _elsewhere(rows: pd.DataFrame, sold: pd.DataFrame) -> pd.Series:
    """Median of what other stores took in each row's week; NaN where none sold the product."""
    key, price = [*CELL, _C.week], _H.loyalty_price
    others = sold[key].assign(**{_ELSEWHERE: _left_out(sold)})
    everyone = sold.groupby(_WEEKLY)[price].median().reset_index()
    joined = rows[key].merge(others, how="left", on=key, indicator=True)
    joined = joined.merge(everyone, how="left", on=_WEEKLY)
    return joined[_ELSEWHERE].where(joined["_merge"] == "both", joined[price]).set_axis(rows.index)


def _left_out(sold: pd.DataFrame) -> NDArray[np.float64]:
    """For each price the median of the other stores' in its week; NaN if there are none."""
    ordered = sold.reset_index(drop=True).sort_values([*_WEEKLY, _H.loyalty_price])
    weekly = ordered.groupby(_WEEKLY)[_H.loyalty_price]
    place, others = weekly.cumcount().to_numpy(), weekly.transform("size").to_numpy() - 1
    prices, first = ordered[_H.loyalty_price].to_numpy(), np.arange(len(ordered)) - place

    def at(rank: NDArray[np.int64]) -> NDArray[np.float64]:
        result: NDArray[np.float64] = prices[np.minimum(first + rank + (rank >= place), len(prices) - 1)]
        return result

    median = np.where(others > 0, (at((others - 1) // 2) + at(others // 2)) / 2, np.nan)
    return np.asarray(pd.Series(median, ordered.index).sort_index(), np.float64)

"""Which of a lake's retail weeks can be learned from: those that are numbered as time goes, and are over."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from mercato.contracts.tables.gold import PRICE_HISTORY
from mercato_models import checks
from mercato_models.price.panel import PANEL

_H, _C = PRICE_HISTORY.c, PANEL.c
#: Weeks that are learned from; prices and tastes of before are others.
NEWEST = 104
#: A week's sales are no further from one another, at whatever hour it ends.
_LONGEST_DAYS = 8
#: Share of rows whose week and time may disagree: a till's clock that was set back, a mistyped week.
_WRONG = 0.01
#: From the first sale of a usual week until it is over, in days: it begins a little before somebody sells.
_OVER_DAYS = 6.9


def trusted(prices: pd.DataFrame) -> pd.DataFrame:
    """The newest weeks' rows, without the few whose week and time do not belong together.

    Args:
        prices: gold.price_history.

    Raises:
        CheckError: they are not few.
    """
    days = (prices[_H.first_sold_at] - prices[_H.first_sold_at].min()) / pd.Timedelta(days=1)
    # The day on which weeks would have begun to be counted.
    began = days - 7 * prices[_H.week]
    wrong = (began - began.median()).abs() > _LONGEST_DAYS
    if wrong.mean() > _WRONG:
        checks.raise_for_rows(
            wrong.to_numpy(), f"{_H.week} that do not count on, from year to year, as time does"
        )
    right: pd.DataFrame = prices.loc[~wrong]
    newest: pd.DataFrame = right.loc[right[_H.week] > right[_H.week].max() - NEWEST]
    return newest


def over(panel: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """The panel without the week that is not over, of which half the sales may be to come."""
    newest, began = panel[_C.week].max(), panel.groupby(_C.week)[_C.began].min()
    # Not when the newest was first sold in: its first days may have been holidays.
    start = (began - pd.to_timedelta(7 * began.index, unit="D")).median() + pd.Timedelta(days=7 * int(newest))
    if now - start >= pd.Timedelta(days=_OVER_DAYS):
        return panel
    whole: pd.DataFrame = panel.loc[panel[_C.week] < newest]
    return whole.reset_index(drop=True)

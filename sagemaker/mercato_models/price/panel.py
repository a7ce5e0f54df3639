"""Weekly sales of products in stores with their prices: what demand is learned from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import pandas as pd

from mercato.contracts.schema import Int32
from mercato.contracts.tables.base import Table
from mercato_models import checks


class SoldWeek(msgspec.Struct, frozen=True, kw_only=True):
    """A product's week in a store, sold or not. Money in US dollars."""

    product_id: int
    store_id: int
    week: Annotated[int, Int32]
    began: datetime  # the week's first sale of anything, in any store
    category_id: int
    units: int
    price: float  # a unit's, after the loyalty card's discount
    planned_price: float  # the same, as far as it is known without what this store sold in the week
    displayed: bool
    mailed: bool
    demand_index: float  # log index of demand that whoever set the price knew; 0 if nobody recorded one


PANEL = Table("price.panel", SoldWeek, ("product_id", "store_id", "week"), "Weekly sales and prices.")
_C = PANEL.c
#: A product in a store.
CELL = (_C.product_id, _C.store_id)
#: Weeks with a sale that a product needs in a store to be priced there.
MIN_WEEKS = 20
#: Newest weeks that are judged; the last week of a year's file may be cut short and is left out.
JUDGED_WEEKS = 8
_PRICES = (_C.price, _C.planned_price)


def first_judged(weeks: pd.Series) -> int:
    """The first of the weeks that forecasts are judged on."""
    return int(weeks.max()) - JUDGED_WEEKS


def checked(panel: pd.DataFrame) -> pd.DataFrame:
    """The panel, ordered by its key.

    Raises:
        CheckError: columns or values are missing, it is empty, a price is not above 0, units are negative or
            all the same, or a week is of the future, comes twice or is left out.
    """
    checks.check_columns(panel, list(_C))
    panel = panel.reset_index(drop=True)
    checks.check_missing_or_infinite(panel, [*_PRICES, _C.units, _C.demand_index], known=1.0)
    checks.check_known(panel, list(_C))
    checks.check_not_constant(panel[_C.units])
    for name in _PRICES:
        checks.raise_for_rows((panel[name] <= 0).to_numpy(), f"{name} is not above 0")
    checks.raise_for_rows((panel[_C.units] < 0).to_numpy(), f"{_C.units} are negative")
    checks.check_not_future(pd.to_datetime(panel[_C.began], utc=True), pd.Timestamp.now(UTC))
    key = list(PANEL.key)
    checks.raise_for_rows(panel.duplicated(key).to_numpy(), f"a second row of the same {', '.join(key)}")
    ordered = panel.sort_values(key)
    _check_whole(ordered)
    return ordered.reset_index(drop=True)


def _check_whole(ordered: pd.DataFrame) -> None:
    """Refuse gaps: features take the row before for the week before.

    Args:
        ordered: by the key, its index the places of the rows.
    """
    week = ordered[_C.week]
    cell = week.groupby([ordered[name] for name in CELL])
    gap = cell.diff().fillna(1) != 1
    checks.raise_for_rows(gap.sort_index().to_numpy(), f"no row of the {_C.week} before")
    early = cell.transform("max") != week.max()
    checks.raise_for_rows(early.sort_index().to_numpy(), f"no row of the newest {_C.week}, {week.max()}")

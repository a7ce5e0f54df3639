"""Weekly sales of products in stores with their prices: what demand is learned from."""

from __future__ import annotations

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
    category_id: int
    units: int
    price: float  # a unit's, after the loyalty card's discount
    displayed: bool
    mailed: bool
    demand_index: float  # log index of demand that whoever set the price knew; 0 if nobody recorded one


PANEL = Table("price.panel", SoldWeek, ("product_id", "store_id", "week"), "Weekly sales and prices.")
_C = PANEL.c


def checked(panel: pd.DataFrame) -> pd.DataFrame:
    """The panel, ordered by its key.

    Raises:
        CheckError: columns are missing, it is empty, no price is above 0 in some row, units are negative or
            all the same, or a week comes twice.
    """
    checks.columns(panel, list(_C))
    checks.flooded(panel, [_C.price, _C.units, _C.demand_index], known=1.0)
    checks.constant(panel[_C.units])
    checks.refuse((panel[_C.price] <= 0).to_numpy(), f"{_C.price} is not above 0")
    checks.refuse((panel[_C.units] < 0).to_numpy(), f"{_C.units} are negative")
    key = list(PANEL.key)
    checks.refuse(panel.duplicated(key).to_numpy(), f"a second row of the same {', '.join(key)}")
    return panel.sort_values(key, ignore_index=True)

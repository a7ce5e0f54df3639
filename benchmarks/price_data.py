"""The price panel of the Complete Journey year, read from its package as the lake would hold it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercato.contracts.events.retail import NOT_SHOWN
from mercato.contracts.tables.gold import PRICE_HISTORY
from mercato.contracts.tables.silver import PRODUCTS
from mercato.replay.dataset import Catalogue, Dataset, Placements
from mercato_models.price import channels
from mercato_models.price.panel import MIN_WEEKS, PANEL

_C, _H, _P = PANEL.c, PRICE_HISTORY.c, PRODUCTS.c
_NOT_SHOWN = ord(NOT_SHOWN)
_WEEKS = 53


def year(weeks: int = _WEEKS) -> pd.DataFrame:
    """The panel.

    Args:
        weeks: how much of the year is known: so many weeks from its start.
    """
    data = Dataset()
    prices = _prices(data)
    prices = prices[prices[_H.week] <= weeks]
    return channels.panel(prices, _placed(data.placements, prices), _products(data.catalogue))


def _products(catalogue: Catalogue) -> pd.DataFrame:
    """As silver.products says; each is described once."""
    return pd.DataFrame(
        {
            _P.product_id: catalogue.product_id,
            _P.category: catalogue.category,
            _P.event_time: pd.Timestamp(0, tz="UTC"),
            _P.event_id: "",
        }
    )


def _prices(data: Dataset) -> pd.DataFrame:
    """As gold.price_history defines them."""
    lines = data.lines
    rows = pd.DataFrame(
        {
            _H.product_id: lines.product_id,
            _H.store_id: lines.store_id,
            _H.week: lines.week,
            _H.first_sold_at: pd.to_datetime(lines.time, unit="us", utc=True),
            _H.units: lines.quantity,
            _H.loyalty_price: lines.sales_value + lines.coupon_match_disc,
        }
    )
    sums = {_H.first_sold_at: "min", _H.units: "sum", _H.loyalty_price: "sum"}
    rows = rows[rows[_H.units] > 0].groupby(list(PRICE_HISTORY.key), as_index=False).agg(sums)
    return rows.assign(**{_H.loyalty_price: rows[_H.loyalty_price] / rows[_H.units]})


def _placed(placements: Placements, prices: pd.DataFrame) -> pd.DataFrame:
    """As silver.promotions would say, of products that were sold often."""
    sold = prices.groupby(_H.product_id)[_H.week].size()
    often = sold.index[sold >= MIN_WEEKS].to_numpy()
    packed = placements.packed
    product = packed >> placements.PRODUCT_AT & (1 << placements.WEEK_AT - placements.PRODUCT_AT) - 1
    packed, product = packed[kept := np.isin(product, often)], product[kept]
    code = (1 << 7) - 1
    rows = pd.DataFrame(
        {
            _C.product_id: product,
            _C.store_id: packed & (1 << placements.STORE_BITS) - 1,
            _C.week: packed >> placements.WEEK_AT,
            _C.displayed: (packed >> placements.DISPLAY_AT & code) != _NOT_SHOWN,
            _C.mailed: (packed >> placements.MAILER_AT & code) != _NOT_SHOWN,
        }
    )
    return rows.groupby([_C.product_id, _C.store_id, _C.week], as_index=False).any()

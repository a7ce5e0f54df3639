"""The price panel of the Complete Journey year, read from its package as the lake would hold it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mercato.contracts.tables.gold import PRICE_HISTORY
from mercato.contracts.tables.silver import PRODUCTS
from mercato.replay.dataset import Dataset, Placements
from mercato_models.price import channels
from mercato_models.price.panel import PANEL

_C, _H, _P = PANEL.c, PRICE_HISTORY.c, PRODUCTS.c
_NOWHERE = ord("0")


def year() -> pd.DataFrame:
    """The panel."""
    data = Dataset()
    catalogue = data.catalogue
    products = pd.DataFrame({_P.product_id: catalogue.product_id, _P.category: catalogue.category})
    prices = _prices(data)
    return channels.panel(prices, _placed(data.placements, prices), products)


def _prices(data: Dataset) -> pd.DataFrame:
    """As gold.price_history defines them."""
    lines = data.lines
    rows = pd.DataFrame(
        {
            _H.product_id: lines.product_id,
            _H.store_id: lines.store_id,
            _H.week: lines.week,
            _H.units: lines.quantity,
            _H.loyalty_price: lines.sales_value + lines.coupon_match_disc,
        }
    )
    rows = rows[rows[_H.units] > 0].groupby([_H.product_id, _H.store_id, _H.week], as_index=False).sum()
    return rows.assign(**{_H.loyalty_price: rows[_H.loyalty_price] / rows[_H.units]})


def _placed(placements: Placements, prices: pd.DataFrame) -> pd.DataFrame:
    """As silver.promotions would say, of products that were sold often."""
    sold = prices.groupby(_H.product_id)[_H.week].size()
    often = sold.index[sold >= channels.LEAST_WEEKS].to_numpy()
    packed = placements.packed
    product = packed >> placements.PRODUCT_AT & (1 << placements.WEEK_AT - placements.PRODUCT_AT) - 1
    packed, product = packed[kept := np.isin(product, often)], product[kept]
    code = (1 << 7) - 1
    rows = pd.DataFrame(
        {
            _C.product_id: product,
            _C.store_id: packed & (1 << placements.STORE_BITS) - 1,
            _C.week: packed >> placements.WEEK_AT,
            _C.displayed: (packed >> placements.DISPLAY_AT & code) != _NOWHERE,
            _C.mailed: (packed >> placements.MAILER_AT & code) != _NOWHERE,
        }
    )
    return rows.groupby([_C.product_id, _C.store_id, _C.week], as_index=False).any()

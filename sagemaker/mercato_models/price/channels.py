"""The file of a price training job: weekly sales, prices and placements of what sells often enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mercato.contracts.events.retail import Placement
from mercato.contracts.schema import Columns
from mercato.contracts.tables.gold import PRICE_HISTORY
from mercato.contracts.tables.silver import PRODUCTS, PROMOTIONS
from mercato_models import checks
from mercato_models.price.panel import PANEL, checked

_C, _H, _S, _P = PANEL.c, PRICE_HISTORY.c, PROMOTIONS.c, PRODUCTS.c
_PLACE = Columns(Placement.__name__, Placement.__struct_fields__)
FILE, TRAIN = "price.parquet", "train"
#: Written by training: own elasticities, and forecasts of the judged weeks.
ELASTICITIES, FORECASTS = "elasticities.parquet", "demand.parquet"
#: Weeks with a sale that a product needs in a store to be priced there.
LEAST_WEEKS = 20
#: A product that sells more in a store and week is measured (fuel), not counted.
MOST_UNITS = 200
#: Code of a place where a product is not shown.
_NOWHERE = "0"


def write(channel: Path, prices: pd.DataFrame, placed: pd.DataFrame, products: pd.DataFrame) -> None:
    """Write the panel.

    Args:
        prices: gold.price_history.
        placed: what `placements` makes.
        products: silver.products.

    Raises:
        CheckError: nothing sells often enough.
    """
    channel.mkdir(parents=True, exist_ok=True)
    panel(prices, placed, products).to_parquet(channel / FILE, index=False)


def read(channel: Path) -> pd.DataFrame:
    """The panel of a channel.

    Raises:
        CheckError: the file is missing, or can not be learned from.
    """
    path = channel / FILE
    if not path.is_file():
        raise checks.CheckError(f"{path} is missing: `mercato_models.price.channels.write` makes it")
    return checked(pd.read_parquet(path))


def panel(prices: pd.DataFrame, placed: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Every week from a product's first sale in a store to the last week of all, sold or not.

    Where nobody bought, nobody saw the price: then it is the one that other stores took that week, else the
    last that the store took.
    """
    checks.columns(prices, [_H.product_id, _H.store_id, _H.week, _H.units, _H.loyalty_price])
    key = [_H.product_id, _H.store_id]
    counted = prices.groupby(_H.product_id)[_H.units].transform("max") <= MOST_UNITS
    prices = prices[counted & (prices[_H.loyalty_price] > 0)]
    often = prices.groupby(key)[_H.week].transform("size") >= LEAST_WEEKS
    cells = prices[often].groupby(key)[_H.week].min().rename("first").reset_index()
    if cells.empty:
        said = f"empty slice: no product was sold in {LEAST_WEEKS} weeks in a store; replay more of the year"
        raise checks.CheckError(said)
    weeks = pd.DataFrame({_C.week: np.arange(prices[_H.week].min(), prices[_H.week].max() + 1)})
    rows = cells.merge(weeks, how="cross")
    rows = rows[rows[_C.week] >= rows["first"]].drop(columns="first")
    sold = prices[[*key, _H.week, _H.units, _H.loyalty_price]]
    rows = rows.merge(sold, how="left", on=[*key, _C.week])
    chain = prices.groupby([_H.product_id, _H.week])[_H.loyalty_price].median().rename("chain").reset_index()
    rows = rows.merge(chain, how="left", on=[_C.product_id, _C.week]).sort_values([*key, _C.week])
    price = rows[_H.loyalty_price].fillna(rows["chain"])
    last = price.groupby([rows[name] for name in key]).ffill()
    named = products.drop_duplicates(_P.product_id, keep="last").set_index(_P.product_id)[_P.category]
    category, _ = pd.factorize(named.reindex(rows[_C.product_id]).fillna(""))
    shown = rows.merge(placed, how="left", on=[*key, _C.week])
    return pd.DataFrame(
        {
            _C.product_id: rows[_C.product_id].to_numpy(),
            _C.store_id: rows[_C.store_id].to_numpy(),
            _C.week: rows[_C.week].to_numpy(np.int32),
            _C.category_id: category,
            _C.units: rows[_H.units].fillna(0).to_numpy(np.int64),
            _C.price: last.to_numpy(),
            _C.displayed: shown[_C.displayed].eq(True).to_numpy(),
            _C.mailed: shown[_C.mailed].eq(True).to_numpy(),
            _C.demand_index: 0.0,
        }
    )


def placements(promotions: pa.Table) -> pd.DataFrame:
    """Which products stood in a display or a mailer, by product, store and week.

    Args:
        promotions: product_id, week and placements of silver.promotions.
    """
    promotions = promotions.combine_chunks()
    at = pc.list_parent_indices(promotions[_S.placements]).combine_chunks()
    place = pc.list_flatten(promotions[_S.placements]).combine_chunks()
    stores = pc.struct_field(place, _PLACE.stores)
    within = pc.list_parent_indices(stores)
    row = at.take(within)
    shown = {
        name: pc.not_equal(pc.struct_field(place, code), _NOWHERE).take(within)
        for name, code in ((_C.displayed, _PLACE.display), (_C.mailed, _PLACE.mailer))
    }
    made = pa.table(
        {
            _C.product_id: promotions[_S.product_id].take(row),
            _C.store_id: pc.list_flatten(stores),
            _C.week: promotions[_S.week].take(row),
            **shown,
        }
    )
    once = made.group_by([_C.product_id, _C.store_id, _C.week]).aggregate(
        [(_C.displayed, "any"), (_C.mailed, "any")]
    )
    names = {f"{name}_any": name for name in (_C.displayed, _C.mailed)}
    found: pd.DataFrame = once.rename_columns(
        [names.get(name, name) for name in once.column_names]
    ).to_pandas()
    return found

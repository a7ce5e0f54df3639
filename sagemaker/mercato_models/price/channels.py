"""The file of a price training job: weekly sales, prices and placements of what sells often enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mercato.contracts.events.retail import NOT_SHOWN, PLACEMENT
from mercato.contracts.tables.gold import PRICE_HISTORY
from mercato.contracts.tables.silver import PRODUCTS, PROMOTIONS
from mercato_models import checks
from mercato_models.parquet import readable
from mercato_models.price import NAME, observed_prices, weeks
from mercato_models.price.panel import CELL, MIN_WEEKS, PANEL, checked, first_judged

_C, _H, _S, _P = PANEL.c, PRICE_HISTORY.c, PROMOTIONS.c, PRODUCTS.c
FILE, TRAIN = "price.parquet", "train"
#: Written by training: own elasticities, and forecasts of the judged weeks.
ELASTICITIES, FORECASTS = "elasticities.parquet", "demand.parquet"
#: A product that sells more in a store and week, before the judged ones, is measured (fuel), not counted.
MAX_UNITS = 200


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
        CheckError: the file is missing or broken, or cannot be learned from.
    """
    path = channel / FILE
    if not path.is_file():
        raise checks.CheckError(f"{path} is missing: `mercato_models.price.channels.write` makes it")
    with readable(path, NAME):
        rows = pd.read_parquet(path)
    return checked(rows)


def elasticities(folder: Path) -> pd.DataFrame:
    """The elasticities that training found.

    Args:
        folder: of a trained model.

    Raises:
        CheckError: the file is missing or broken.
    """
    path = folder / ELASTICITIES
    if not path.is_file():
        raise checks.CheckError(f"{folder} holds no elasticities: run `mercato train {NAME}` first")
    with readable(path, NAME):
        return pd.read_parquet(path)


def panel(prices: pd.DataFrame, placed: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Every week from a product's first sale in a store to the last week of all, sold or not.

    Args:
        prices: gold.price_history.
        placed: what `placements` makes.
        products: silver.products.

    Raises:
        CheckError: columns or values are missing, or nothing sells often enough.
    """
    checks.check_columns(prices, [*CELL, _H.week, _H.first_sold_at, _H.units, _H.loyalty_price])
    prices = weeks.trusted(prices)
    sold = _priced(prices)
    rows = _weeks(sold)
    columns: dict[str, Any] = {
        _C.began: rows[_C.week].map(prices.groupby(_H.week)[_H.first_sold_at].min()),
        _C.category_id: _categories(rows[_C.product_id], products),
        _C.price: observed_prices.charged(rows, sold),
        _C.planned_price: observed_prices.planned(rows, sold),
        _C.demand_index: 0.0,
    }
    rows = rows.assign(**columns).merge(placed, how="left", on=list(PANEL.key))
    shown = {name: rows[name].eq(True) for name in (_C.displayed, _C.mailed)}
    # A store that was the first to sell a product has no price of that week but its own.
    return rows[rows[_C.planned_price].notna()].assign(**shown)[list(_C)].reset_index(drop=True)


def _priced(prices: pd.DataFrame) -> pd.DataFrame:
    """Sales of what is counted and has a price."""
    checks.check_missing_or_infinite(prices, [_H.units, _H.loyalty_price], known=1.0)
    much = (prices[_H.units] > MAX_UNITS) & (prices[_H.week] < first_judged(prices[_H.week]))
    measured = prices.loc[much, _H.product_id].unique()
    return prices[~prices[_H.product_id].isin(measured) & (prices[_H.loyalty_price] > 0)]


def _weeks(sold: pd.DataFrame) -> pd.DataFrame:
    """Product, store, week and units of what sells often enough, ordered."""
    cells = sold.groupby(list(CELL))[_H.week].agg(["size", "min"]).reset_index()
    cells = cells[cells["size"] >= MIN_WEEKS]
    if cells.empty:
        message = f"empty slice: no product was sold in {MIN_WEEKS} weeks in a store; replay more of the year"
        raise checks.CheckError(message)
    every = pd.DataFrame({_C.week: np.arange(sold[_H.week].min(), sold[_H.week].max() + 1, dtype=np.int32)})
    rows = cells.merge(every, how="cross")
    key = list(PANEL.key)
    rows = rows.loc[rows[_C.week] >= rows["min"], key].merge(sold[[*key, _H.units]], how="left", on=key)
    counted = {_C.units: rows[_H.units].fillna(0).astype(np.int64)}
    return rows.assign(**counted).sort_values(key, ignore_index=True)


def _categories(product: pd.Series, products: pd.DataFrame) -> NDArray[np.int64]:
    """Number of each product's category by its newest description; one of its own where that names none."""
    newest = products.sort_values([_P.event_time, _P.event_id]).drop_duplicates(_P.product_id, keep="last")
    named = newest.set_index(_P.product_id)[_P.category]
    category = product.map(named[named.notna() & (named != "")])
    number, _ = pd.factorize(category.where(category.notna(), product))
    return number


def placements(promotions: pa.Table) -> pd.DataFrame:
    """Which products stood in a display or a mailer, by product, store and week.

    Args:
        promotions: product_id, week and placements of silver.promotions.
    """
    promotions = promotions.combine_chunks()
    at = pc.list_parent_indices(promotions[_S.placements]).combine_chunks()
    place = pc.list_flatten(promotions[_S.placements]).combine_chunks()
    stores = pc.struct_field(place, PLACEMENT.stores)
    within = pc.list_parent_indices(stores)
    row = at.take(within)
    shown = {
        name: pc.not_equal(pc.struct_field(place, code), NOT_SHOWN).take(within)
        for name, code in ((_C.displayed, PLACEMENT.display), (_C.mailed, PLACEMENT.mailer))
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
    result: pd.DataFrame = once.rename_columns(
        [names.get(name, name) for name in once.column_names]
    ).to_pandas()
    return result

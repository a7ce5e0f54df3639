"""A price panel is whole, and what it plans for a week in a store knows nothing of the store's sales then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from mercato.contracts.tables.gold import PRICE_HISTORY
from mercato.contracts.tables.silver import PRODUCTS, PROMOTIONS
from mercato.lake.tables import Lake
from mercato_models import checks
from mercato_models.price import channels, demand, weeks
from mercato_models.price.panel import PANEL
from mercato_models.price.panel_arrays import PanelArrays
from mercato_models.price.simulator import Chain, simulate

_C, _H, _P, _S = PANEL.c, PRICE_HISTORY.c, PRODUCTS.c, PROMOTIONS.c
_START = pd.Timestamp("2017-01-01", tz="UTC")
_TOMORROW = pd.Timestamp.now(UTC) + timedelta(days=1)
_WEEKS = 32
Sale = tuple[int, int, int, int, float]


def priced(sales: list[Sale]) -> pd.DataFrame:
    """Rows of gold.price_history: product, store, week, units, price."""
    rows = pd.DataFrame(sales, columns=[_H.product_id, _H.store_id, _H.week, _H.units, _H.loyalty_price])
    return rows.assign(**{_H.first_sold_at: _START + pd.to_timedelta(7 * rows[_H.week], unit="D")})


def described(categories: dict[int, str | None]) -> pd.DataFrame:
    """Rows of silver.products."""
    named = {_P.product_id: list(categories), _P.category: list(categories.values())}
    return pd.DataFrame(named | {_P.event_time: _START, _P.event_id: "first"})


def placed(rows: list[tuple[int, int, int, bool, bool]] | None = None) -> pd.DataFrame:
    names = [_C.product_id, _C.store_id, _C.week, _C.displayed, _C.mailed]
    return pd.DataFrame(rows or [], columns=names).astype(dict.fromkeys(names[:3], "int64"))


def panel_of(sales: list[Sale], categories: dict[int, str | None] | None = None) -> pd.DataFrame:
    """The panel, its rows named by product, store and week."""
    products = described(categories or {product: "Milk" for product, *_ in sales})
    found = channels.panel(priced(sales), placed(), products)
    keys = [found[name].to_numpy() for name in PANEL.key]
    return found.set_axis(pd.MultiIndex.from_arrays(keys))


def every_week(product: int, store: int, price: float, without: tuple[int, ...] = ()) -> list[Sale]:
    return [(product, store, week, 1, price) for week in range(1, 25) if week not in without]


def test_a_panel_holds_unsold_weeks_and_what_is_counted_alone() -> None:
    sales = [*every_week(1, 1, 3.0, (7,)), *every_week(1, 2, 2.5, (1, 2, 9))]
    sales += [(2, 1, week, 5000, 0.003) for week in range(1, 25)]
    found = channels.panel(priced(sales), placed([(1, 1, 7, True, False)]), described({1: "Milk", 2: "Fuel"}))
    found = found.set_index([_C.store_id, _C.week]).sort_index()
    assert set(found[_C.product_id]) == {1}
    assert [found.at[(1, 7), name] for name in (_C.units, _C.displayed)] == [0, True]
    assert len(found.loc[2]) == 22
    assert found[_C.displayed].sum() == 1
    assert found.at[(1, 5), _C.began] == _START + timedelta(weeks=5)


def test_a_price_is_what_the_store_took_and_a_planned_one_what_others_took() -> None:
    sales = [*every_week(1, 1, 3.0, (7, 9)), *every_week(1, 2, 2.5, (9, 11)), *every_week(1, 3, 2.0, (9, 11))]
    found = panel_of([*sales, (1, 4, 7, 1, 1.0), *every_week(2, 1, 8.0, (5,)), (2, 1, 25, 1, 9.0)])
    price, planned = found[_C.price], found[_C.planned_price]
    assert [price[1, 1, week] for week in (6, 7, 9)] == [3.0, 2.0, 3.0]
    assert [planned[1, 1, week] for week in (6, 7, 9, 11)] == [2.25, 2.0, 2.25, 2.25]
    assert [planned[1, 2, week] for week in (6, 7, 11)] == [2.5, 1.5, 3.0]
    alone = [(price[2, 1, week], planned[2, 1, week]) for week in (4, 5, 24, 25)]
    assert alone == [(8.0, 8.0), (8.0, 8.0), (8.0, 8.0), (9.0, 8.0)]
    assert (2, 1, 1) not in found.index, "nobody else sold it before"


def shop(chance: np.random.Generator) -> list[Sale]:
    """Three products in three stores, sold in every week at first and in most later on."""
    return [
        (product, store, week, int(chance.integers(1, 9)), round(float(chance.uniform(1, 5)), 2))
        for product in (1, 2, 3)
        for store in (1, 2, 3)
        for week in range(1, _WEEKS)
        if week < 23 or chance.random() < 0.6
    ] + [(9, 9, _WEEKS, 1, 1.0)]


@pytest.mark.parametrize("seed", range(12))
def test_features_of_a_week_do_not_know_whether_or_how_it_sold(seed: int) -> None:
    chance = np.random.default_rng(seed)
    sales = shop(chance)
    asked = (*chance.integers(1, 4, 2).tolist(), int(chance.integers(23, _WEEKS)))
    unsold = [sale for sale in sales if sale[:3] != asked]
    sold = [*unsold, (*asked, int(chance.integers(1, 99)), float(chance.uniform(1, 5)))]
    categories: dict[int, str | None] = {1: "Milk", 2: "Milk", 3: None}
    rows = [demand.features(panel_of(each, categories)).loc[asked] for each in (unsold, sold)]
    pd.testing.assert_series_equal(*rows)


def test_the_newest_weeks_do_not_say_what_is_counted() -> None:
    once = [(1, 1, 24, 5000, 0.003)]
    found = panel_of([*every_week(1, 1, 3.0, (24,)), *every_week(1, 2, 3.0), *once])
    assert found.at[(1, 1, 24), _C.units] == 5000
    measured = [*every_week(1, 1, 3.0, (10,)), *every_week(2, 2, 3.0), (1, 1, 10, 5000, 0.003)]
    assert set(panel_of(measured)[_C.product_id]) == {2}


def test_weeks_count_on_from_year_to_year() -> None:
    sales = [(1, 1, week, 1, 3.0) for week in range(40, 70)]
    assert panel_of(sales)[_C.week].tolist() == list(range(41, 70))  # as no other store sold it before
    again = priced([*sales, *every_week(2, 1, 2.0)])
    again.loc[again[_H.week] < 40, _H.week] += 52  # of the year before
    with pytest.raises(checks.CheckError, match=r"week that do not count on, .*: 24 of 54 rows"):
        channels.panel(again, placed(), described({1: "Milk", 2: "Milk"}))


def test_a_wrong_clock_or_week_of_few_is_left_out() -> None:
    sales = [sale for product in range(1, 11) for sale in every_week(product, 1, 2.0)]
    known = channels.panel(priced(sales), placed(), described(dict.fromkeys(range(1, 11), "Milk")))
    wrong = priced([*sales, (11, 1, 3, 1, 2.0), (11, 1, 606, 1, 2.0)])
    wrong.loc[len(sales), _H.first_sold_at] = pd.Timestamp("2010-01-02", tz="UTC")
    wrong.loc[len(sales) + 1, _H.first_sold_at] = _START
    found = channels.panel(wrong, placed(), described(dict.fromkeys(range(1, 12), "Milk")))
    pd.testing.assert_frame_equal(found, known)


def test_the_newest_two_years_are_learned_from() -> None:
    found = panel_of([(1, store, week, 1, 3.0) for week in range(300) for store in (1, 2)])
    assert (found[_C.week].min(), found[_C.week].max()) == (300 - weeks.NEWEST, 299)


def test_a_week_that_is_not_over_is_left_out() -> None:
    panel = panel_of([*every_week(1, 1, 3.0), *every_week(1, 2, 3.0)])
    began = panel[_C.began].max()
    assert weeks.over(panel, began + timedelta(days=7)) is panel
    assert weeks.over(panel, began + timedelta(days=6))[_C.week].max() == 23
    late = panel[_C.began].where(panel[_C.week] < 24, began + timedelta(days=1))
    holiday = panel.assign(**{_C.began: late})
    assert weeks.over(holiday, began + timedelta(days=7)) is holiday


def test_what_stands_beside_a_product_is_found_whatever_weeks_are_called() -> None:
    panel = simulate(0, Chain(categories=2, category=3, stores=2, weeks=20)).panel
    later = panel.assign(**{_C.week: panel[_C.week] + 5_000})
    values = np.arange(len(panel), dtype=float)
    np.testing.assert_array_equal(PanelArrays.of(later).beside(values), PanelArrays.of(panel).beside(values))


def test_a_panel_of_what_hardly_sells_is_refused() -> None:
    with pytest.raises(checks.CheckError, match="no product was sold in 20 weeks"):
        panel_of([(1, 1, 1, 2, 3.0)])


@pytest.mark.parametrize("name", [_H.units, _H.loyalty_price])
def test_sales_without_units_or_price_are_refused(name: str) -> None:
    sales = priced(every_week(1, 1, 3.0))
    spoilt = sales.assign(**{name: sales[name].where(sales.index != 4)})
    with pytest.raises(checks.CheckError, match=rf"NaN flood in {name}.*1 of 24 rows \(4\)"):
        channels.panel(spoilt, placed(), described({1: "Milk"}))


def test_products_of_no_category_are_nobodys_mates() -> None:
    sales = [
        sale for product in (1, 2, 3, 4, 5) for store in (1, 2) for sale in every_week(product, store, 2)
    ]
    found = panel_of(sales, {1: "Milk", 2: "Milk", 3: None, 4: ""})
    arrays = PanelArrays.of(found.reset_index(drop=True))
    mates = {int(arrays.product_ids[row]): set(arrays.mates[row].tolist()) - {-1} for row in range(5)}
    assert mates == {1: {1}, 2: {0}, 3: set(), 4: set(), 5: set()}
    assert demand.features(found)["price_to_category"].loc[[3, 4, 5]].isna().all()


def test_of_two_descriptions_the_newer_one_names_the_category(tmp_path: Path) -> None:
    lake, c = Lake(str(tmp_path)), PRODUCTS.c
    for day, named in enumerate(({1: "Milk", 2: "Milk"}, {1: "Bread", 3: "Bread"})):
        now = datetime(2017, 1, 1 + day, tzinfo=UTC)
        rows = [_description(product, category, now) for product, category in named.items()]
        write_deltalake(lake.path(PRODUCTS), pa.Table.from_pylist(rows, PRODUCTS.arrow_schema), mode="append")
    products = lake.read_arrow(PRODUCTS).to_pandas()
    assert products[c.category][products[c.product_id] == 1].to_list() == ["Bread", "Milk"], "newest first"
    sales = [sale for product in (1, 2, 3) for store in (1, 2) for sale in every_week(product, store, 2.0)]
    found = channels.panel(priced(sales), placed(), products).groupby(_C.product_id)[_C.category_id].first()
    assert found[1] == found[3] != found[2]


def _description(product: int, category: str, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {_P.product_id: product, _P.category: category, _P.manufacturer_id: 1}
    row |= {_P.event_id: f"{product}-{category}", _P.event_time: now, _P.ingest_time: now}
    row |= dict.fromkeys((_P.department, _P.brand), "")
    return row | {_P.simulated: False, _P.source_partition: 0, _P.source_offset: 0}


def _changed(name: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """With another value in the row numbered 5."""
    return lambda rows: rows.assign(**{name: rows[name].where(rows.index != 5, value)})


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_changed(_C.price, None), r"NaN flood in price.*: 1 of 80 rows \(5\)"),
        (_changed(_C.planned_price, np.nan), r"NaN flood in planned_price.*: 1 of 80 rows \(5\)"),
        (_changed(_C.price, np.inf), r"infinite features: 1 of 80 rows \(5\)"),
        (_changed(_C.price, -2.0), r"price is not above 0: 1 of 80 rows \(5\)"),
        (_changed(_C.planned_price, 0.0), r"planned_price is not above 0: 1 of 80 rows \(5\)"),
        (_changed(_C.units, None), r"NaN flood in units.*: 1 of 80 rows \(5\)"),
        (_changed(_C.units, -1), r"units are negative: 1 of 80 rows \(5\)"),
        (_changed(_C.began, pd.NaT), r"unknown began: 1 of 80 rows \(5\)"),
        (_changed(_C.store_id, None), r"unknown store_id: 1 of 80 rows \(5\)"),
        (_changed(_C.mailed, None), r"unknown mailed: 1 of 80 rows \(5\)"),
        (_changed(_C.began, _TOMORROW), r"future timestamps in began, .*: 1 of 80 rows \(5\)"),
        (_changed(_C.week, 99999), r"no row of the week before: 2 of 80 rows \(5, 6\)"),
        (_changed(_C.week, 0), "a second row of the same product_id, store_id, week"),
        (lambda rows: rows.drop(5).reset_index(drop=True), r"no row of the week before: 1 of 79 rows \(5\)"),
        (lambda rows: rows.drop(19), r"no row of the newest week, 19: 19 of 79 rows \(0, 1, 2, 3, 4 "),
        (lambda rows: rows.drop(columns=_C.began), "missing columns: began"),
        (lambda rows: rows.head(0), "empty slice"),
        (lambda rows: rows.assign(**{_C.units: 3}), "constant label"),
    ],
)  # fmt: skip
def test_a_channel_that_can_not_be_true_is_refused(
    spoil: Callable[[pd.DataFrame], pd.DataFrame], says: str, tmp_path: Path
) -> None:
    rows = simulate(0, Chain(categories=1, category=2, stores=2, weeks=20)).panel
    rows.to_parquet(tmp_path / channels.FILE, index=False)
    assert len(channels.read(tmp_path)) == 80
    spoil(rows).to_parquet(tmp_path / channels.FILE, index=False)
    with pytest.raises(checks.CheckError, match=says):
        channels.read(tmp_path)


def test_a_channel_without_its_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(checks.CheckError, match=r"price.parquet is missing"):
        channels.read(tmp_path)


def test_placements_come_out_of_promotion_events_once_for_each_store() -> None:
    places = [
        {"display": "0", "mailer": "A", "stores": [1, 2]},
        {"display": "3", "mailer": "0", "stores": [2]},
    ]
    schema = PROMOTIONS.arrow_schema
    fields = [schema.field(name) for name in (_S.product_id, _S.week, _S.placements)]
    events = pa.table(
        {_S.product_id: [9, 8], _S.week: [4, 5], _S.placements: [places, places[1:]]}, pa.schema(fields)
    )
    found = channels.placements(events).sort_values([_C.product_id, _C.store_id])
    rows = found[[_C.product_id, _C.store_id, _C.week, _C.displayed, _C.mailed]].to_numpy().tolist()
    assert rows == [[8, 2, 5, True, False], [9, 1, 4, False, True], [9, 2, 4, True, True]]
    assert found[_C.week].dtype.kind == "i"

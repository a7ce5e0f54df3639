"""A small shop: 40 products, two stores, neighbours i <-> i+1, written by hand so that tests can reckon."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.features import (
    ALL_STORES,
    PRODUCT_NEIGHBOURS,
    PRODUCT_OCCASIONS,
    PRODUCT_RETURNS,
    PRODUCT_STATS,
    PRODUCT_TRENDS,
    RETURN_BASKETS,
    RETURN_TIMES,
    STORE_POPULAR,
    STORE_PROMOTIONS,
)
from mercato.contracts.tables.silver import PRODUCTS as DETAILS
from mercato_models.recommend.catalogue import Catalogue
from mercato_models.recommend.context import Context
from mercato_models.recommend.dataset import Target
from mercato_models.recommend.history import History

#: A Monday.
NOW = datetime(2026, 3, 2, 18, tzinfo=UTC)
PRODUCTS = [1000 + 10 * i for i in range(40)]
STORE = 7
#: So many products one after another are of one type.
OF_A_TYPE = 4
TYPES = [*(f"TYPE {i // OF_A_TYPE}" for i in range(36)), *[None] * 4]


def product_details(at: datetime = NOW, types: Sequence[str | None] = TYPES) -> pa.Table:
    c = DETAILS.c
    rows = [
        {
            c.event_id: f"{product}",
            c.event_time: at,
            c.simulated: False,
            c.product_id: product,
            c.manufacturer_id: 1,
            c.department: "GROCERY",
            c.brand: "National",
            c.category: None,
            c.product_type: kind,
            c.package_size: None,
            c.source_partition: 0,
            c.source_offset: product,
            c.ingest_time: at,
        }
        for product, kind in zip(PRODUCTS, types, strict=True)
    ]
    return table(DETAILS, rows)


def product_stats(at: datetime = NOW) -> pa.Table:
    c = PRODUCT_STATS.c
    rows = [
        {
            c.product_id: product,
            c.event_timestamp: at,
            c.baskets_1w: 40 - i,
            c.baskets_4w: 4 * (40 - i),
            c.baskets_13w: 13 * (40 - i),
            c.baskets_52w: 52 * (40 - i),
            c.households_52w: 100,
            c.repeat_households_52w: 2 * i,
            c.mean_price_13w: 2.0 if i else None,
            c.last_price: 1.0,
            c.discount_share_4w: None,
        }
        for i, product in enumerate(PRODUCTS)
    ]
    return table(PRODUCT_STATS, rows)


def product_trends(at: datetime = NOW) -> pa.Table:
    """The first sold ten times as well on the last day as on the days before, the others not at all."""
    c = PRODUCT_TRENDS.c
    row = {
        c.product_id: PRODUCTS[0],
        c.event_timestamp: at,
        c.baskets_1d: 20,
        c.baskets_3d: 24,
        c.baskets_7d: 32,
        c.mean_price_7d: 1.5,
    }
    second = row | {c.product_id: PRODUCTS[1], c.baskets_1d: 0, c.baskets_3d: 0, c.baskets_7d: 8}
    return table(PRODUCT_TRENDS, [row, second])


def product_occasions(at: datetime = NOW) -> pa.Table:
    """The first is bought on Monday nights, alone; the second in large baskets at noon of all days."""
    c = PRODUCT_OCCASIONS.c
    row = {
        c.product_id: PRODUCTS[0],
        c.event_timestamp: at,
        c.by_slot: [0, 0, 0, 0, 0, 0, 14, 0],
        c.by_weekday: [14, 0, 0, 0, 0, 0, 0],
        c.small_baskets: 14,
        c.mean_log_size: 0.0,
        c.mean_inverse_size: 1.0,
    }
    second = row | {
        c.product_id: PRODUCTS[1],
        c.by_slot: [0, 0, 0, 0, 14, 0, 0, 0],
        c.by_weekday: [2] * 7,
        c.small_baskets: 0,
        c.mean_log_size: 3.0,
        c.mean_inverse_size: 0.05,
    }
    return table(PRODUCT_OCCASIONS, [row, second])


def product_returns(at: datetime = NOW) -> pa.Table:
    """The first came again in every second basket after one without it, the second never."""
    c, steps = PRODUCT_RETURNS.c, len(RETURN_TIMES) * len(RETURN_BASKETS)
    row = {
        c.product_id: PRODUCTS[0],
        c.event_timestamp: at,
        c.returned: [100] * steps,
        c.waited: [200] * steps,
    }
    return table(PRODUCT_RETURNS, [row, row | {c.product_id: PRODUCTS[1], c.returned: [0] * steps}])


def product_neighbours(at: datetime = NOW) -> pa.Table:
    c = PRODUCT_NEIGHBOURS.c
    rows = [
        {c.product_id: product, c.event_timestamp: at, c.neighbour_ids: [after, 5], c.scores: [0.5, 0.4]}
        for product, after in itertools.pairwise(PRODUCTS)
    ]  # 5 is a product that has no statistics
    return table(PRODUCT_NEIGHBOURS, rows)


def store_popular(at: datetime = NOW) -> pa.Table:
    c = STORE_POPULAR.c
    rows = [
        {
            c.store_id: ALL_STORES,
            c.event_timestamp: at,
            c.product_ids: PRODUCTS[:4],
            c.scores: [8.0, 4.0, 2.0, 1.0],
        },
        {c.store_id: STORE, c.event_timestamp: at, c.product_ids: [PRODUCTS[3], 5], c.scores: [10.0, 9.0]},
    ]
    return table(STORE_POPULAR, rows)


def store_promotions(at: datetime = NOW, ends: datetime = NOW + timedelta(days=7)) -> pa.Table:
    c = STORE_PROMOTIONS.c
    row = {
        c.store_id: STORE,
        c.event_timestamp: at,
        c.valid_to: ends,
        c.product_ids: [PRODUCTS[30], PRODUCTS[20]],
        c.displays: ["A", "0"],
        c.mailers: ["0", "D"],
    }
    return table(STORE_PROMOTIONS, [row])


def table(contract: Table, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=contract.arrow_schema)


def tables(at: datetime = NOW) -> dict[Table, pa.Table]:
    return {
        DETAILS: product_details(at),
        PRODUCT_STATS: product_stats(at),
        PRODUCT_TRENDS: product_trends(at),
        PRODUCT_OCCASIONS: product_occasions(at),
        PRODUCT_RETURNS: product_returns(at),
        PRODUCT_NEIGHBOURS: product_neighbours(at),
        STORE_POPULAR: store_popular(at),
        STORE_PROMOTIONS: store_promotions(at, at + timedelta(days=7)),
    }


def assert_same(one: Catalogue, other: Catalogue) -> None:
    """Two catalogues know the same."""
    for ours, theirs in zip(_known(one), _known(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def _known(catalogue: Catalogue) -> Iterator[Any]:
    rows, occasions, returns = np.arange(len(catalogue)), catalogue.occasions, catalogue.returns
    types = catalogue.types(rows)
    yield [types.tolist().index(each) for each in types]  # numbers of types are in no order
    yield from (catalogue.product_ids, catalogue.stats, catalogue.trends)
    yield from (catalogue.neighbours, catalogue.neighbour_scores)
    yield from (occasions.slots, occasions.weekdays, occasions.sizes)
    yield from (returns.chances, returns.of_types[types], returns.usual)
    for found in (catalogue.popular, catalogue.promoted):
        yield sorted(found)
        yield from (getattr(found[store], name) for store in sorted(found) for name in found[store].__slots__)


def catalogue() -> Catalogue:
    return Catalogue.from_tables(tables(), NOW)


def history(*baskets: tuple[float, int, list[int]]) -> History:
    """Baskets as (days before NOW, store, products)."""
    products = [product for _, _, products in baskets for product in products]
    return History.of(
        [int((NOW - timedelta(days=days)).timestamp()) for days, _, _ in baskets],
        [store for _, store, _ in baskets],
        [len(products) for _, _, products in baskets],
        products,
        [2] * len(products),
        [3.0] * len(products),
    )


def random_context(seed: int, baskets: int = 12) -> Context:
    generator = np.random.default_rng(seed)
    days = np.sort(generator.uniform(0.1, 200, baskets))[::-1]
    made = [
        (float(day), int(generator.integers(6, 9)), sorted(set(generator.choice(PRODUCTS, 6).tolist())))
        for day in days
    ]
    return Context(history(*made), store_id=STORE, time=NOW.timestamp())


def target(seed: int = 0, days: float = 0) -> Target:
    """A basket of four products that its household knows, so many days after NOW."""
    context = random_context(seed)
    truth = frozenset(np.unique(context.history.products)[:4].tolist())
    return Target(seed, replace(context, time=(NOW + timedelta(days=days)).timestamp()), truth)

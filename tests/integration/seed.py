"""A small shop in Redis, written through the online store's own writer.

Sixty products in pairs that go together, two stores, twelve households with weekly baskets.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from mercato.contracts.tables import features, silver
from mercato.contracts.tables.features import ALL_STORES
from mercato.online import catalogue, views
from mercato.online.session import micros
from mercato.online.store import Materialised, OnlineStore

PRODUCTS = range(1, 61)
HOUSEHOLDS = range(1, 13)
STORES = (367, 406)
#: Pairs of product types that are bought together.
PAIRS = (
    ("BANANAS", "STRAWBERRIES"), ("FLUID MILK WHITE ONLY", "KIDS CEREAL"), ("EGGS - LARGE", "BACON"),
    ("SPAGHETTI DRY", "PASTA SAUCE"), ("HOT DOG BUNS", "CATSUP"), ("GROUND COFFEE", "SUGAR"),
)  # fmt: skip

_H = features.HOUSEHOLD_HISTORY.c
_P = features.HOUSEHOLD_PROFILE.c
_D = silver.PRODUCTS.c
_S = features.PRODUCT_STATS.c
_T = features.PRODUCT_TRENDS.c
_O = features.PRODUCT_OCCASIONS.c
_R = features.PRODUCT_RETURNS.c
_N = features.PRODUCT_NEIGHBOURS.c
_F = features.STORE_POPULAR.c
_M = features.STORE_PROMOTIONS.c


def partner(product_id: int) -> int:
    """The product that goes with it: 1 with 2, 3 with 4 ..."""
    return product_id + 1 if product_id % 2 else product_id - 1


def seed(store: OnlineStore, now: datetime | None = None) -> None:
    """Fill every batch view and set its marker."""
    now = now or datetime.now(UTC)
    known = now - timedelta(days=1)
    rows: dict[views.View, list[dict[str, Any]]] = {
        views.HOUSEHOLD_HISTORY: [_history(household, now) for household in HOUSEHOLDS],
        views.HOUSEHOLD_PROFILE: [_profile(household, now) for household in HOUSEHOLDS],
        views.PRODUCT_DETAILS: [_details(product, known) for product in PRODUCTS],
        views.PRODUCT_STATS: [_stats(product, known) for product in PRODUCTS],
        views.PRODUCT_TRENDS: [_trends(product, known) for product in PRODUCTS],
        views.PRODUCT_OCCASIONS: [_occasions(product, known) for product in PRODUCTS],
        views.PRODUCT_RETURNS: [_returns(product, known) for product in PRODUCTS],
        views.PRODUCT_NEIGHBOURS: [_neighbours(product, known) for product in PRODUCTS],
        views.STORE_POPULAR: [_popular(store_id, known) for store_id in (ALL_STORES, *STORES)],
        views.STORE_PROMOTIONS: [_promotions(store_id, known) for store_id in STORES],
    }
    for view, some in rows.items():
        store.write(view, some)
        if view in views.CATALOGUE:
            catalogue.merge(store.redis, view, pa.Table.from_pylist(some, view.arrow_schema))
        store.set_marker(view, Materialised("seed", 1, micros(known), micros(now)))


def _basket(household: int, week: int) -> list[int]:
    """Own staples every week, and one product that changes."""
    first = 1 + (household * 4) % 40
    return [first, first + 2, first + 4, 41 + (household + week) % 20]


def _history(household: int, now: datetime) -> dict[str, Any]:
    times = [now - timedelta(days=7 * weeks + 2) for weeks in range(9, -1, -1)]
    baskets = [_basket(household, week) for week in range(10)]
    products = [product for basket in baskets for product in basket]
    return {
        _H.household_id: household,
        _H.event_timestamp: times[-1],
        _H.basket_times: [int(time.timestamp()) for time in times],
        _H.basket_stores: [STORES[household % 2]] * len(times),
        _H.basket_sizes: [len(basket) for basket in baskets],
        _H.products: products,
        _H.quantities: [1] * len(products),
        _H.values: [1.5] * len(products),
    }


def _profile(household: int, now: datetime) -> dict[str, Any]:
    return {
        _P.household_id: household,
        _P.event_timestamp: now - timedelta(days=2),
        _P.baskets: 10,
        _P.lines: 40,
        _P.spend: 60.0,
        _P.mean_basket_size: 4.0,
        _P.mean_basket_value: 6.0,
        _P.mean_gap_days: 7.0,
        _P.last_gap_days: 7.0,
        _P.baskets_28d: 4,
        _P.spend_28d: 24.0,
        _P.retail_discount_share: 0.1,
        _P.coupon_share: 0.0,
    }


def _details(product: int, known: datetime) -> dict[str, Any]:
    pair = PAIRS[(product - 1) // 2 % len(PAIRS)]
    return {
        _D.product_id: product,
        _D.event_time: known,
        _D.manufacturer_id: 69,
        _D.department: "GROCERY",
        _D.brand: "Private" if product % 3 == 0 else "National",
        _D.category: "MISCELLANEOUS",
        _D.product_type: pair[(product - 1) % 2],
        _D.package_size: f"{product} OZ",
    }


def _stats(product: int, known: datetime) -> dict[str, Any]:
    return {
        _S.product_id: product,
        _S.event_timestamp: known,
        _S.baskets_1w: 61 - product,
        _S.baskets_4w: 4 * (61 - product),
        _S.baskets_13w: 13 * (61 - product),
        _S.baskets_52w: 52 * (61 - product),
        _S.households_52w: 12,
        _S.repeat_households_52w: 6,
        _S.mean_price_13w: 1.5,
        _S.last_price: product / 10,
        _S.discount_share_4w: 0.1,
    }


def _trends(product: int, known: datetime) -> dict[str, Any]:
    return {
        _T.product_id: product,
        _T.event_timestamp: known,
        _T.baskets_1d: (61 - product) // 7,
        _T.baskets_3d: (61 - product) // 2,
        _T.baskets_7d: 61 - product,
        _T.mean_price_7d: 1.5,
    }


def _occasions(product: int, known: datetime) -> dict[str, Any]:
    return {
        _O.product_id: product,
        _O.event_timestamp: known,
        _O.by_slot: [0, 0, 0, 0, product, 7, product, 0],
        _O.by_weekday: [product // 7 + 1] * 7,
        _O.small_baskets: 2,
        _O.mean_log_size: 1.5,
        _O.mean_inverse_size: 0.2,
    }


def _returns(product: int, known: datetime) -> dict[str, Any]:
    steps = len(features.RETURN_TIMES) * len(features.RETURN_BASKETS)
    return {
        _R.product_id: product,
        _R.event_timestamp: known,
        _R.returned: [product] * steps,
        _R.waited: [120] * steps,
    }


def _neighbours(product: int, known: datetime) -> dict[str, Any]:
    return {
        _N.product_id: product,
        _N.event_timestamp: known,
        _N.neighbour_ids: [partner(product)],
        _N.scores: [0.5],
    }


def _popular(store_id: int, known: datetime) -> dict[str, Any]:
    products = list(PRODUCTS) if store_id != STORES[1] else list(reversed(PRODUCTS))
    return {
        _F.store_id: store_id,
        _F.event_timestamp: known,
        _F.product_ids: products,
        _F.scores: [float(len(products) - place) for place in range(len(products))],
    }


def _promotions(store_id: int, known: datetime) -> dict[str, Any]:
    return {
        _M.store_id: store_id,
        _M.event_timestamp: known,
        _M.valid_to: known + timedelta(days=7),
        _M.product_ids: [10, 20],
        _M.displays: ["1", "0"],
        _M.mailers: ["0", "D"],
    }

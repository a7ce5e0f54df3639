"""Rows of the tables that say how prices stand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from mercato.contracts.events import PriceAction, PriceDecided
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.gold import BASKET_LINES
from mercato.contracts.tables.silver import INVENTORY, PRICE_DECISIONS, PRODUCTS
from mercato.decisions.price_limits import Limits
from mercato.decisions.price_standing import Shop

NOW = datetime(2026, 11, 24, tzinfo=UTC)
_B, _I = BASKET_LINES.c, INVENTORY.c


def table(contract: Table, rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Rows of which only some columns are known."""
    schema = pa.schema([field.with_nullable(True) for field in contract.arrow_schema])
    return pa.Table.from_pylist([dict.fromkeys(contract.c) | row for row in rows], schema)


def shop(
    products: Iterable[dict[str, Any]] = (),
    baskets: Iterable[dict[str, Any]] = (),
    stock: Iterable[dict[str, Any]] = (),
    decisions: Iterable[PriceDecided] = (),
    charged: Iterable[PriceDecided] = (),
    limits: Limits | None = None,
) -> Shop:
    """A shop of which little is known."""
    rows = [{name: getattr(each, name) for name in each.__struct_fields__} for each in decisions]
    return Shop(
        table(PRODUCTS, products),
        table(BASKET_LINES, baskets),
        table(INVENTORY, stock),
        table(PRICE_DECISIONS, rows),
        list(charged),
        limits or Limits(),
    )


def basket(price: float, days: float, quantity: int = 1, product: int = 1, store: int = 7) -> dict[str, Any]:
    """A product in a basket some days ago."""
    return {
        _B.product_id: product,
        _B.store_id: store,
        _B.basket_time: NOW - timedelta(days=days),
        _B.quantity: quantity,
        _B.sales_value: price * quantity,
        _B.coupon_match_disc: 0.0,
    }


def counted(
    on_hand: int, days: float, product: int = 1, store: int = 7, event_id: str = "count"
) -> dict[str, Any]:
    """A count some days ago."""
    return {
        _I.product_id: product,
        _I.store_id: store,
        _I.event_time: NOW - timedelta(days=days),
        _I.event_id: event_id,
        _I.on_hand: on_hand,
    }


def decided(
    price: float,
    days: float,
    action: PriceAction = "accept",
    before: float = 2.0,
    product: int = 1,
    store: int = 7,
) -> PriceDecided:
    """What somebody decided some days ago."""
    return PriceDecided(
        event_id=f"{action}-{product}-{store}-{days}",
        event_time=NOW - timedelta(days=days),
        product_id=product,
        store_id=store,
        week=40,
        price=before,
        proposed_price=price,
        gain=1.0,
        action=action,
        reviewer="ada",
        model_version="7",
    )

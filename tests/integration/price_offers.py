"""Proposed prices, and what people decide on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mercato.contracts.events import PriceDecided
from mercato.contracts.tables.proposals import ProposedPrice

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
STORE = 367


def proposed(product: int, *, week: int = 50, price: float | None = None) -> ProposedPrice:
    return ProposedPrice(
        product_id=product,
        product_name=f"Soup {product}",
        store_id=STORE,
        week=week,
        price=3.0,
        cost=2.0,
        units=10.0,
        elasticity=-2.0,
        proposed_price=price or round(3.0 + product / 10, 2),
        gain=10.0 - product,
        least_gain=0.5,
        most_gain=20.0,
        held_by="maximum_step, stock",
        model_version="4",
        proposed_at=NOW,
    )


def seen(*rows: ProposedPrice) -> list[dict[str, Any]]:
    return [
        {
            "product_id": row.product_id,
            "store_id": row.store_id,
            "week": row.week,
            "proposed_price": row.proposed_price,
        }
        for row in rows
    ]


def verdict(action: str, *rows: ProposedPrice, reviewer: str = "ada") -> dict[str, Any]:
    return {"action": action, "prices": seen(*rows), "reviewer": reviewer, "note": "As agreed"}


def decided(action: str, week: int, minutes: int, price: float = 3.1) -> PriceDecided:
    return PriceDecided(
        event_id=f"{action}-{week}",
        event_time=NOW + timedelta(minutes=minutes),
        product_id=1,
        store_id=STORE,
        week=week,
        price=3.0,
        proposed_price=price,
        gain=9.0,
        action=action,  # type: ignore[arg-type]
        reviewer="ada",
        model_version="4",
    )

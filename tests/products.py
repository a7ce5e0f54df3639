"""Products of a small catalogue."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mercato.contracts.events import Product

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def product(product_id: int, product_type: str | None = "BANANAS", **changed: Any) -> Product:
    """A product; `changed` replaces its other fields."""
    fields: dict[str, Any] = {
        "event_id": f"{product_id}-{changed.get('event_time', WHEN):%s}",
        "event_time": WHEN,
        "product_id": product_id,
        "manufacturer_id": 1,
        "department": "GROCERY",
        "brand": "National",
        "product_type": product_type,
    }
    return Product(**{**fields, **changed})

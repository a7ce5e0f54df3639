"""From a product of the catalogue to what is indexed of it."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import msgspec

from mercato.contracts.events import Product
from mercato.contracts.search import DOCUMENT, ProductDocument
from mercato.decisions.wording import department_name, product_name, readable, size_name


def document(product: Product, popularity: float | msgspec.UnsetType = msgspec.UNSET) -> ProductDocument:
    """A product as it is found.

    Args:
        product: as of its event.
        popularity: baskets in the last 13 weeks, unset to leave what the index has.
    """
    name = product_name(product.product_type, product.category, product.product_id)
    words = (
        name,
        readable(product.product_type or ""),
        readable(product.category or ""),
        department_name(product.department),
        product.brand,
        size_name(product.package_size),
    )
    return ProductDocument(
        product_id=product.product_id,
        event_time=product.event_time.astimezone(UTC),
        event_id=product.event_id,
        manufacturer_id=product.manufacturer_id,
        name=name,
        words=list(dict.fromkeys(filter(None, words))),
        department=product.department,
        brand=product.brand,
        category=product.category,
        product_type=product.product_type,
        package_size=product.package_size,
        popularity=popularity,
    )


def source(found: ProductDocument) -> dict[str, Any]:
    """A document's JSON; times of one length, so that they compare as text."""
    fields: dict[str, Any] = msgspec.to_builtins(found)
    return fields | {DOCUMENT.event_time: found.event_time.isoformat(timespec="microseconds")}

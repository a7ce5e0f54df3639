"""A small shelf of products, and looks into the index that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2

from mercato.contracts.search import ProductDocument
from mercato.search.documents import document
from mercato.search.products import ProductSearch
from mercato.search.query import Found, Question
from mercato.settings import Settings
from tests.products import product

#: Product, category, department, brand, size, popularity.
SHELF = {
    1: ("FROZEN PIZZA", "FROZEN PIZZA", "GROCERY", "National", "13 OZ", 500),
    2: ("FROZEN PIZZA", "FROZEN PIZZA", "GROCERY", "Private", "13 OZ", 20),
    3: ("FLUID MILK WHITE ONLY", "FLUID MILK PRODUCTS", "GROCERY", "Private", "1 GA", 9000),
    4: ("SFT DRNK 2 LITER BTL CARB INCL", "SOFT DRINKS", "GROCERY", "National", "2 LTR", 700),
    5: ("BANANAS", "TROPICAL FRUIT", "PRODUCE", "National", "40 LB", 8000),
    6: ("TOILET TISSUE", "BATH TISSUES", "DRUG GM", "National", None, 100),
    7: ("STRAWBERRIES", "BERRIES", "PRODUCE", "National", "16 OZ", 900),
    8: ("YOGURT NOT MULTI-PACKS", "YOGURT", "GROCERY", "Private", "6 OZ", 60),
    9: ("FROZEN PIZZA", "DELI SPECIALTIES", "DELI", "Private", "16 OZ", 0),
}


def shelf(more: int = 0) -> Iterator[ProductDocument]:
    """Documents of the shelf; `more` is added to the popularity of each."""
    for product_id, (product_type, category, department, brand, size, popularity) in SHELF.items():
        found = product(
            product_id,
            product_type,
            category=category,
            department=department,
            brand=brand,
            package_size=size,
        )
        yield document(found, popularity + more)


def find(settings: Settings, text: str, **narrowed: Any) -> Found:
    return ProductSearch(settings).find(Question(text=text, **narrowed))


def ids(found: Found) -> list[int]:
    return [hit.document.product_id for hit in found.hits]


def stored(settings: Settings, product_id: int) -> dict[str, Any]:
    """A document as it is in the index that is asked, searchable or not yet."""
    url = f"{settings.require('opensearch_url')}/{settings.opensearch_index}/_doc/{product_id}"
    found: dict[str, Any] = httpx2.get(url).json()["_source"]
    return found


def versions(settings: Settings) -> list[str]:
    url = f"{settings.require('opensearch_url')}/{settings.opensearch_index}-v*"
    return sorted(httpx2.get(url).json())

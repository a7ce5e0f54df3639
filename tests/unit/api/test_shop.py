"""What the shop says of products."""

from __future__ import annotations

import json
from dataclasses import asdict

from lambdas.api.shop import Shop
from mercato.contracts.tables.silver import PRODUCTS
from mercato_models.recommend.catalogue import Catalogue


def test_a_product_without_a_price_is_still_json() -> None:
    shop = Shop(Catalogue.bare([7]), PRODUCTS.arrow_schema.empty_table())
    described = shop.describe(7)
    assert described is not None
    assert described.price is None
    json.dumps(asdict(described), allow_nan=False)

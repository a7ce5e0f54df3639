"""What the API says of products."""

from __future__ import annotations

from lambdas.api.catalogue_lookup import CatalogueLookup
from mercato.contracts.tables.silver import PRODUCTS
from mercato_models.recommend.catalogue import Catalogue


def test_a_product_never_sold_by_the_unit_has_no_price() -> None:
    lookup = CatalogueLookup(Catalogue.bare([7]), PRODUCTS.arrow_schema.empty_table())
    described = lookup.describe(7)
    assert described is not None
    assert described.price is None

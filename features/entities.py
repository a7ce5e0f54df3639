"""What features describe."""

from __future__ import annotations

from feast import Entity, ValueType

from mercato.online.views import HOUSEHOLD_HISTORY, PRODUCT_STATS, STORE_POPULAR

household = Entity(
    name="household",
    join_keys=[HOUSEHOLD_HISTORY.entity],
    value_type=ValueType.INT64,
    description="A loyalty household.",
)
product = Entity(
    name="product",
    join_keys=[PRODUCT_STATS.entity],
    value_type=ValueType.INT64,
    description="A product (UPC level).",
)
store = Entity(
    name="store",
    join_keys=[STORE_POPULAR.entity],
    value_type=ValueType.INT64,
    description="A physical store; 0 stands for all stores together.",
)

ENTITIES = {entity.join_key: entity for entity in (household, product, store)}

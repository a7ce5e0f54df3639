"""What features describe."""

from __future__ import annotations

from feast import Entity, ValueType

from mercato.online.views import (
    CARD_PAYMENTS,
    HOUSEHOLD_HISTORY,
    PRODUCT_STATS,
    STORE_POPULAR,
    TERMINAL_OUTCOMES,
)

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
card = Entity(
    name="card",
    join_keys=[CARD_PAYMENTS.entity],
    value_type=ValueType.STRING,
    description="A payment card, by its token.",
)
terminal = Entity(
    name="terminal",
    join_keys=[TERMINAL_OUTCOMES.entity],
    value_type=ValueType.STRING,
    description="Where cards are read.",
)

ENTITIES = {entity.join_key: entity for entity in (household, product, store, card, terminal)}

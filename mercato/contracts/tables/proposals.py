"""Prices that a model proposes; nobody charges one before a person accepted it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from mercato.contracts.events.base import ProductId, StoreId
from mercato.contracts.schema import Columns, Int32
from mercato.contracts.tables.base import Table
from mercato.contracts.tables.columns import Product, Store

#: A product in a store.
Cell = tuple[int, int]
#: Prices no farther apart are the same: those charged are whole cents, and a week's is a mean of checkouts.
HALF_A_CENT = 0.005


class ProposedPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A price to charge from next week on. Money per unit or per week, in US dollars."""

    product_id: Product
    product_name: Annotated[str, Meta(description="In a shopper's words.")]
    store_id: Store
    week: Annotated[int, Int32, Meta(description="Week for which the price is meant.")]
    price: Annotated[float, Meta(description="US dollars per unit, as it stands.")]
    cost: Annotated[float, Meta(description="US dollars per unit.")]
    units: Annotated[
        float,
        Meta(
            description="Weekly sales at the price as it stands, displayed and mailed nowhere: a forecast"
            " from weeks that are over."
        ),
    ]
    elasticity: Annotated[float, Meta(description="Own-price elasticity.")]
    proposed_price: Annotated[float, Meta(description="US dollars per unit.")]
    gain: Annotated[float, Meta(description="Expected additional profit, US dollars per week.")]
    least_gain: Annotated[
        float, Meta(description="At the end of the elasticity's 95 % interval that earns least.")
    ]
    most_gain: Annotated[float, Meta(description="At the end that earns most.")]
    held_by: Annotated[
        str,
        Meta(
            description="Guardrails without which it would be another price; `breaks_` is put before one that"
            " the price as it stands breaks."
        ),
    ]
    model_version: Annotated[str, Meta(description="Version of the model that proposes it.")]
    proposed_at: Annotated[datetime, Meta(description="When it was proposed.")]

    @property
    def moves(self) -> bool:
        """Whether it is another price than the present one."""
        return self.proposed_price != self.price


PROPOSED = Table(
    "price.proposals", ProposedPrice, ("product_id", "store_id", "week"), "Prices for next week, proposed."
)

#: As of prices in events.
MAX_DOLLARS = 100_000
Limit = Annotated[float, Meta(ge=0.01, le=MAX_DOLLARS)]


class PriceLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What a price must keep to, as a shop writes it down. US dollars per unit."""

    product_id: ProductId
    store_id: Annotated[StoreId | None, Meta(description="Null for all stores.")] = None
    minimum_advertised: Annotated[Limit | None, Meta(description="The manufacturer's, if there is one.")] = (
        None
    )
    ceiling: Annotated[Limit | None, Meta(description="The highest price, if there is one.")] = None
    unit_cost: Annotated[
        Limit | None, Meta(description="What a unit costs; otherwise a share of the usual price.")
    ] = None


#: Columns of a file of limits.
LIMIT = Columns(PriceLimit.__name__, PriceLimit.__struct_fields__)

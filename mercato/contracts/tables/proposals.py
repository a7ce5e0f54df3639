"""Prices that a model proposes; nobody charges one before a person accepted it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from mercato.contracts.schema import Int32
from mercato.contracts.tables.base import Table


class ProposedPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A price to charge from next week on. Money per unit or per week, in US dollars."""

    product_id: int
    product_name: str  # in a shopper's words
    store_id: int
    week: Annotated[int, Int32]  # for which it is meant
    price: float  # as it stands
    cost: float
    units: float  # expected at the price as it stands
    elasticity: float
    proposed_price: float
    gain: float  # expected weekly profit beyond that at the price as it stands
    least_gain: float  # at the ends of the elasticity's 95 % interval
    most_gain: float
    held_by: str  # guardrails without which it would be another price
    model_version: str
    proposed_at: datetime

    @property
    def moves(self) -> bool:
        """Whether it is another price than the present one."""
        return self.proposed_price != self.price


PROPOSED = Table(
    "price.proposals", ProposedPrice, ("product_id", "store_id", "week"), "Prices for next week, proposed."
)

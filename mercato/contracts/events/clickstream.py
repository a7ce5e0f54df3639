"""Events of the web shop and the app."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from mercato.contracts.events.base import BasketId, Event, HouseholdId, ProductId, StoreId, Topic

Action = Literal["view", "search", "add_to_cart", "remove_from_cart", "checkout"]


class Click(Event, frozen=True, kw_only=True):
    """One step of a shopping session.

    `view`, `add_to_cart` and `remove_from_cart` name a product, `search` a query,
    `checkout` the basket it became.
    """

    household_id: HouseholdId
    session_id: Annotated[str, Meta(min_length=1, max_length=64)]
    action: Action
    store_id: StoreId | None = None
    product_id: ProductId | None = None
    query: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    basket_id: BasketId | None = None

    def __post_init__(self) -> None:
        needed = {"search": self.query, "checkout": self.basket_id}.get(self.action, self.product_id)
        if needed is None:
            name = {"search": "query", "checkout": "basket_id"}.get(self.action, "product_id")
            raise ValueError(f"Object missing required field `{name}` for action {self.action}")


CLICKSTREAM = Topic("clickstream.v1", Click, "household_id", "Views, searches, carts and checkouts.")

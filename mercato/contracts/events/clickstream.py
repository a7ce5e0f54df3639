"""Events of the web shop and the app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from mercato.contracts.events.base import BasketId, Event, HouseholdId, ProductId, StoreId, Topic

Action = Literal["view", "search", "add_to_cart", "remove_from_cart", "checkout"]


class Click(Event, frozen=True, kw_only=True):
    """One step of a shopping session.

    `view`, `add_to_cart` and `remove_from_cart` name a product, `search` a query,
    `checkout` the basket it became.
    """

    needed_for: ClassVar[Mapping[str, str]] = {
        "view": "product_id",
        "search": "query",
        "add_to_cart": "product_id",
        "remove_from_cart": "product_id",
        "checkout": "basket_id",
    }

    household_id: HouseholdId
    session_id: Annotated[
        str, Meta(min_length=1, max_length=64, description="The shopper's session, as the shop names it.")
    ]
    action: Annotated[Action, Meta(description="What the shopper did.")]
    store_id: Annotated[StoreId | None, Meta(description="Store that the session is for.")] = None
    product_id: Annotated[
        ProductId | None, Meta(description="Product that was viewed, added to the cart or removed from it.")
    ] = None
    query: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None, Meta(description="Words searched for.")
    ] = None
    basket_id: Annotated[BasketId | None, Meta(description="Basket that the checkout became.")] = None

    def __post_init__(self) -> None:
        name = self.needed_for[self.action]
        if getattr(self, name) is None:
            raise ValueError(f"Object missing required field `{name}` for action {self.action}")


CLICKSTREAM = Topic("clickstream.v1", Click, "household_id", "Views, searches, carts and checkouts.")

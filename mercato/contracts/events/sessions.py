"""What the stream job makes of the clicks: one event per shopping session."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from mercato.contracts.events.base import Event, HouseholdId, ProductId, Topic, UtcTime

#: Products listed per session at most; the counts are of all.
LISTED = 1_000

Count = Annotated[int, Meta(ge=0, lt=2**53)]
Products = Annotated[list[ProductId], Meta(max_length=LISTED)]


class Session(Event, frozen=True, kw_only=True):
    """What a household did in the shop between two silences of 30 minutes.

    `event_time` is the end of the second silence: before it nobody could know that the
    session was over. Times are cut to the millisecond.
    """

    household_id: HouseholdId
    started_at: Annotated[UtcTime, Meta(description="First click.")]
    ended_at: Annotated[UtcTime, Meta(description="Last click.")]
    views: Annotated[Count, Meta(description="Clicks that viewed a product.")]
    searches: Annotated[Count, Meta(description="Searches.")]
    additions: Annotated[Count, Meta(description="Products put into the cart.")]
    removals: Annotated[Count, Meta(description="Products taken out of the cart.")]
    checkouts: Annotated[Count, Meta(description="Checkouts.")]
    viewed: Annotated[Products, Meta(description="Products viewed, ascending.")]
    cart: Annotated[
        Products, Meta(description="Products left in the cart, ascending; none after a checkout.")
    ]
    abandoned: Annotated[bool, Meta(description="True where a cart was left without a checkout.")]


SESSIONS = Topic(
    "sessions.v1", Session, "household_id", "Finished shopping sessions, from the clicks.", derived=True
)

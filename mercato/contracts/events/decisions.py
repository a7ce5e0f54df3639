"""What Mercato decided: events that the platform makes of itself."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from mercato.contracts.events.base import Event, Money, ProductId, StoreId, Topic, UtcTime
from mercato.contracts.events.retail import CardId, PaymentId, TerminalId
from mercato.contracts.schema import Int32

ReasonCode = Annotated[str, Meta(min_length=1, max_length=64)]
#: What a person may do with a proposed price.
PriceAction = Literal["accept", "reject", "withdraw"]


class PaymentDecided(Event, frozen=True, kw_only=True):
    """An answer to whether a card payment may pass. `event_time` is when it was given."""

    payment_id: PaymentId
    paid_at: Annotated[UtcTime, Meta(description="When the payment was made.")]
    card_id: CardId
    terminal_id: TerminalId
    amount: Money
    action: Annotated[
        Literal["approve", "review", "decline"], Meta(description="What to do with the payment.")
    ]
    probability: Annotated[float, Meta(ge=0, le=1, description="Of a fraud, as the model saw it.")]
    reasons: Annotated[
        list[ReasonCode], Meta(max_length=20, description="What speaks for a fraud, strongest first.")
    ]
    model_version: Annotated[
        str | None, Meta(description="Version of the model that was asked; null if it did not say.")
    ] = None

    @property
    def held(self) -> bool:
        """Whether the payment was not simply let pass."""
        return self.action != "approve"


PAYMENT_DECISIONS = Topic(
    "payment_decisions.v1", PaymentDecided, "card_id", "Which card payments may pass, and why.", derived=True
)


class PriceDecided(Event, frozen=True, kw_only=True):
    """What a person decided of a proposed price. `event_time` is when."""

    product_id: ProductId
    store_id: StoreId
    week: Annotated[int, Int32, Meta(ge=1, lt=2**31, description="From which the price is meant to hold.")]
    price: Annotated[Money, Meta(description="US dollars per unit, as it stood when the other was proposed.")]
    proposed_price: Annotated[Money, Meta(description="US dollars per unit.")]
    gain: Annotated[
        float, Meta(description="Weekly profit that the proposal is expected to add, US dollars.")
    ]
    action: Annotated[PriceAction, Meta(description="To withdraw is to take back an acceptance.")]
    reviewer: Annotated[str, Meta(min_length=1, max_length=128, description="Who decided.")]
    note: Annotated[
        Annotated[str, Meta(max_length=500)] | None, Meta(description="Why, in the reviewer's words.")
    ] = None
    model_version: Annotated[str, Meta(description="Version of the model that proposed the price.")]

    @property
    def accepted(self) -> bool:
        """Whether the proposed price is to be charged."""
        return self.action == "accept"

    @property
    def withdrawn(self) -> bool:
        """Whether an acceptance was taken back."""
        return self.action == "withdraw"

    @property
    def changes_prices(self) -> bool:
        """Whether another price is to be charged from now on."""
        return self.action != "reject"


PRICE_DECISIONS = Topic(
    "price_decisions.v1", PriceDecided, "product_id", "Which proposed prices to charge.", derived=True
)

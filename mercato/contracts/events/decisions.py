"""What Mercato decided: events that the platform makes of itself."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from mercato.contracts.events.base import Event, Money, Topic, UtcTime
from mercato.contracts.events.retail import CardId, PaymentId, TerminalId

ReasonCode = Annotated[str, Meta(min_length=1, max_length=64)]


class PaymentDecided(Event, frozen=True, kw_only=True):
    """An answer to whether a card payment may pass. `event_time` is when it was given."""

    payment_id: PaymentId
    paid_at: UtcTime
    card_id: CardId
    terminal_id: TerminalId
    amount: Money
    action: Literal["approve", "review", "decline"]
    probability: Annotated[float, Meta(ge=0, le=1, description="Of a fraud, as the model saw it.")]
    reasons: Annotated[
        list[ReasonCode], Meta(max_length=20, description="What speaks for a fraud, strongest first.")
    ]
    model_version: str | None = None

    @property
    def held(self) -> bool:
        """Whether the payment was not simply let pass."""
        return self.action != "approve"


PAYMENT_DECISIONS = Topic(
    "payment_decisions.v1", PaymentDecided, "card_id", "Which card payments may pass, and why.", derived=True
)

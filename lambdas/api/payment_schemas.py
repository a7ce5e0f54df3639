"""What a shop asks of a payment, and what the API answers."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from lambdas.schemas import Answer, WhyPart
from mercato.contracts.events.base import EARLIEST, MAX_AHEAD
from mercato.contracts.events.retail import PAYMENT_ID
from mercato.decisions.fraud import Action


class PaymentToDecide(BaseModel):
    """A card payment about to be made; `paid_at` is now unless given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    payment_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        pattern=PAYMENT_ID,
        description="Its event_id in `payments.v1`, without a slash; made up if missing.",
    )
    card_id: str = Field(min_length=1, max_length=32, description="As in the events.", examples=["1-1"])
    terminal_id: str = Field(min_length=1, max_length=32, description="As in the events.", examples=["367-2"])
    amount: float = Field(gt=0, le=100_000, description="US dollars.", examples=[41.5])
    paid_at: AwareDatetime | None = Field(default=None, description="With its UTC offset; now unless given.")

    @field_validator("paid_at")
    @classmethod
    def _as_its_event_bounds_it(cls, paid_at: datetime | None) -> datetime | None:
        if paid_at and not EARLIEST <= paid_at <= datetime.now(UTC) + MAX_AHEAD:
            raise ValueError(f"not between {EARLIEST:%Y-%m-%d} and now")
        return paid_at


class PaymentDecision(Answer):
    """What to do with a payment."""

    payment_id: str = Field(description="To be sent as the event_id in `payments.v1`.")
    recorded: bool = Field(description="Whether the decision is on `payment_decisions.v1`, for reviewers.")
    action: Action = Field(description="The one of least expected cost.")
    probability: float = Field(description="Of a fraud.", examples=[0.003])
    review_from: float = Field(
        description="Probability from which such an amount is not simply approved.", examples=[0.12]
    )
    reasons: list[WhyPart] = Field(description="What speaks for a fraud, strongest first.")
    card_payments: int = Field(description="Earlier payments that are known of the card.")
    terminal_outcomes: int = Field(description="Payments at the terminal whose outcome is known.")
    model_version: str | None = Field(default=None, description="Version of the model that was asked.")

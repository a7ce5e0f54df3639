"""What the panel answers to programs."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from lambdas.api.schemas import Answer, WhyPart
from mercato.contracts.events import PaymentOutcome
from mercato.decisions.fraud import SENTENCES, Action, Reason
from mercato.online.cases import Case


class ReviewedPayment(Answer):
    """What a payment turned out to be, and who says so."""

    fraud: bool
    reviewer: str | None = Field(description="Null where the time for disputes told.")
    note: str | None
    told_at: datetime

    @classmethod
    def of(cls, outcome: PaymentOutcome) -> ReviewedPayment:
        """From its event."""
        return cls(
            fraud=outcome.fraud, reviewer=outcome.reviewer, note=outcome.note, told_at=outcome.event_time
        )


class PaymentCase(Answer):
    """A payment that was held or declined."""

    payment_id: str
    paid_at: datetime
    card_id: str
    terminal_id: str
    amount: float = Field(description="US dollars.")
    action: Action
    probability: float = Field(description="Of a fraud, as the model saw it.")
    reasons: list[WhyPart]
    model_version: str | None
    outcome: ReviewedPayment | None = Field(description="Null while it waits for a review.")

    @classmethod
    def of(cls, case: Case) -> PaymentCase:
        """From what is remembered."""
        decided = case.decided
        return cls(
            payment_id=decided.payment_id,
            paid_at=decided.paid_at,
            card_id=decided.card_id,
            terminal_id=decided.terminal_id,
            amount=decided.amount,
            action=Action(decided.action),
            probability=decided.probability,
            reasons=[WhyPart(code=code, text=SENTENCES[Reason(code)]) for code in decided.reasons],
            model_version=decided.model_version,
            outcome=ReviewedPayment.of(case.outcome) if case.outcome else None,
        )


class PaymentCases(Answer):
    """Cases, those of the newest payments first."""

    payments: list[PaymentCase]

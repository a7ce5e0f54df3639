"""What the panel answers to programs."""

from __future__ import annotations

from datetime import datetime

import msgspec
from pydantic import Field

from lambdas.admin import pricing
from lambdas.schemas import Answer, WhyPart
from mercato.contracts.events import PaymentOutcome, PriceAction, PriceDecided
from mercato.contracts.tables.proposals import ProposedPrice
from mercato.decisions.fraud import Action, sentence
from mercato.decisions.wording import product_name
from mercato.online.cases import Case


class ReviewedPayment(Answer):
    """What a payment turned out to be, and who says so."""

    fraud: bool = Field(description="True if the cardholder did not make the payment.")
    reviewer: str | None = Field(description="Null where the time for disputes ended.")
    note: str | None = Field(description="What the reviewer saw.")
    told_at: datetime = Field(description="When it was reviewed, or the time for disputes ended.")

    @classmethod
    def of(cls, outcome: PaymentOutcome) -> ReviewedPayment:
        """From its event."""
        return cls(
            fraud=outcome.fraud, reviewer=outcome.reviewer, note=outcome.note, told_at=outcome.event_time
        )


class PaymentCase(Answer):
    """A payment that was held or declined."""

    payment_id: str = Field(description="As in `payments.v1`.")
    paid_at: datetime = Field(description="When the payment was made.")
    card_id: str = Field(description="As in the events.")
    terminal_id: str = Field(description="As in the events.")
    amount: float = Field(description="US dollars.")
    action: Action = Field(description="What the shop was told to do.")
    probability: float = Field(description="Of a fraud, as the model saw it.")
    reasons: list[WhyPart] = Field(description="What speaks for a fraud, strongest first.")
    model_version: str | None = Field(description="Version of the model that was asked.")
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
            reasons=[WhyPart(code=code, text=sentence(code)) for code in decided.reasons],
            model_version=decided.model_version,
            outcome=ReviewedPayment.of(case.outcome) if case.outcome else None,
        )


class PaymentCases(Answer):
    """A page of cases."""

    payments: list[PaymentCase] = Field(
        description="The closed ones by when that was found, the others by payment; newest first."
    )
    total: int = Field(description="All that fit.")
    next_offset: int | None = Field(description="Where the next page begins; null on the last.")


class PriceOffer(Answer):
    """A proposed price."""

    product_id: int = Field(description="As in the events.")
    product_name: str = Field(description="In a shopper's words.")
    store_id: int = Field(description="As in the events.")
    week: int = Field(description="From which it is meant to hold.")
    price: float = Field(description="As it stands, US dollars per unit.")
    proposed_price: float = Field(description="US dollars per unit.")
    gain: float = Field(description="Expected additional profit, US dollars per week.")
    least_gain: float = Field(description="At the end of the elasticity's 95 % interval that earns least.")
    most_gain: float = Field(description="At the end that earns most.")
    held_by: list[str] = Field(
        description="Guardrails without which it would be another price.", examples=[["maximum_step"]]
    )
    model_version: str = Field(description="Version of the model that proposes it.")
    proposed_at: datetime = Field(description="When it was proposed.")

    @classmethod
    def of(cls, proposed: ProposedPrice) -> PriceOffer:
        """From its row."""
        guardrails = proposed.held_by.split(", ") if proposed.held_by else []
        return cls(**{**msgspec.structs.asdict(proposed), "held_by": guardrails})


class PriceOffers(Answer):
    """Proposals that wait, those of most gain first."""

    prices: list[PriceOffer] = Field(description="This page of them.")
    total: int = Field(description="All that fit.")
    next_offset: int | None = Field(description="Where the next page begins; null on the last.")


class DecidedPrice(Answer):
    """What was decided of a price, and who says so."""

    product_id: int
    product_name: str
    store_id: int
    week: int
    price: float = Field(description="As it stood, US dollars per unit.")
    proposed_price: float
    gain: float
    action: PriceAction
    reviewer: str
    note: str | None
    decided_at: datetime
    charged: bool = Field(description="Whether it is the price to charge.")

    @classmethod
    def of(cls, decided: PriceDecided, among: pricing.Overview) -> DecidedPrice:
        """From its event."""
        product = decided.product_id
        return cls(
            product_id=product,
            product_name=among.names.get(product) or product_name(None, None, product),
            store_id=decided.store_id,
            week=decided.week,
            price=decided.price,
            proposed_price=decided.proposed_price,
            gain=decided.gain,
            action=decided.action,
            reviewer=decided.reviewer,
            note=decided.note,
            decided_at=decided.event_time,
            charged=decided.event_id in among.charged,
        )


class PriceResult(Answer):
    """What became of one price of a request."""

    product_id: int = Field(description="As asked.")
    store_id: int = Field(description="As asked.")
    done: bool = Field(description="Whether what was asked for is what stands now.")
    code: pricing.RefusalCode | None = Field(description="Why not.")
    detail: str | None = Field(description="The same as a sentence.")

    @classmethod
    def of(cls, result: pricing.Result) -> PriceResult:
        """From the logic's."""
        seen, refused = result.seen, result.refusal
        return cls(
            product_id=seen.product_id,
            store_id=seen.store_id,
            done=refused is None,
            code=refused.code if refused else None,
            detail=refused.detail if refused else None,
        )


class PriceResults(Answer):
    """A result for each price, in the order of the request."""

    results: list[PriceResult] = Field(description="One for each price of the request.")

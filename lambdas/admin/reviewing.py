"""Logic: a person says what a payment was; the first to say so is believed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lambdas.admin.people import Name, reviewer_of
from lambdas.admin.services import AdminServices
from lambdas.event_log import EventsUnavailableError
from lambdas.problem import ProblemError
from mercato.contracts.events import PAYMENT_OUTCOMES, PaymentOutcome
from mercato.online.cases import KEEP_CASES, Case, Page, State
from mercato.online.connection import OnlineUnavailableError

#: Cases told at once, at most; and those that there may be.
MAX_AT_ONCE, MAX_CASES = 200, KEEP_CASES


class Review(BaseModel):
    """What a reviewer found."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fraud: bool = Field(description="True if the cardholder did not make the payment.")
    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)] = Field(
        description="Why; for the colleagues who ask later.",
        examples=["The cardholder confirmed it by phone"],
    )
    reviewer: Name | None = Field(default=None, description="Who; not asked where the caller is known.")


def cases(services: AdminServices, state: State, offset: int = 0, limit: int = MAX_AT_ONCE) -> Page:
    """Cases of a state; `mercato.online.cases` says in which order.

    Raises:
        ProblemError: `online_unavailable`.
    """
    try:
        return services.cases.page(state, offset, limit)
    except OnlineUnavailableError as error:
        raise ProblemError("online_unavailable", "Redis does not answer.", retry_after=1) from error


def review(
    services: AdminServices, payment_id: str, verdict: Review, caller: str | None, now: datetime
) -> PaymentOutcome:
    """Say what a payment was: its case is closed once the event is on Kafka, in `payment_outcomes.v1`.

    Whoever says so first is believed. The same verdict of the same person again changes nothing, but for
    sending the event if Kafka may not have it yet.

    Args:
        caller: see `people.caller_of`.

    Raises:
        ProblemError: `unknown_case`, `already_reviewed`, `invalid_parameters` (nobody is named),
            `online_unavailable` or `events_unavailable`: the same may be sent again, and until then nobody
            else's is taken.
    """
    reviewer = reviewer_of(caller, verdict.reviewer)
    book = services.cases
    try:
        case = book.case(payment_id)
        if case is None:
            raise ProblemError("unknown_case", f"No payment {payment_id!r} waits for a review.")
        outcome = case.outcome or book.claim(_outcome(case, verdict, reviewer, now))
        if (outcome.fraud, outcome.reviewer) != (verdict.fraud, reviewer):
            raise ProblemError("already_reviewed", _before(outcome, case.outcome is not None))
        if case.outcome is None:
            _send(services, outcome)
            book.close([outcome], now)
    except OnlineUnavailableError as error:
        raise ProblemError("online_unavailable", "Redis does not answer.", retry_after=1) from error
    return outcome


def _send(services: AdminServices, outcome: PaymentOutcome) -> None:
    try:
        services.send(PAYMENT_OUTCOMES, outcome)
    except EventsUnavailableError as error:
        detail = f"Kafka is not known to have taken the review ({error}). Send the same again."
        raise ProblemError("events_unavailable", detail, retry_after=1) from error


def _outcome(case: Case, verdict: Review, reviewer: str, now: datetime) -> PaymentOutcome:
    decided = case.decided
    return PaymentOutcome(
        # The same for every review of the payment, so that the lake keeps one.
        event_id=f"{PAYMENT_OUTCOMES.derived_ids}{_digest(decided.payment_id)}",
        event_time=now.astimezone(UTC),
        payment_id=decided.payment_id,
        paid_at=decided.paid_at,
        card_id=decided.card_id,
        terminal_id=decided.terminal_id,
        fraud=verdict.fraud,
        reviewer=reviewer,
        note=verdict.note,
    )


def _digest(payment_id: str) -> str:
    return hashlib.blake2b(payment_id.encode(), digest_size=16).hexdigest()


def _before(outcome: PaymentOutcome, settled: bool) -> str:
    """What to tell who comes second."""
    who = outcome.reviewer or "The time for disputes, which is over,"
    message = f"{who} found it {'a fraud' if outcome.fraud else 'honest'} before."
    if settled:
        return message
    return f"{message} Kafka is not known to have that yet: {who} may have to send it again."

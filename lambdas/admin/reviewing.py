"""Logic: a person says what a payment was; the first to say so is believed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lambdas.admin.people import Name, reviewer_of
from lambdas.admin.services import AdminServices
from lambdas.api.event_log import EventsUnavailableError
from lambdas.api.problem import ProblemError
from mercato.contracts.events import PAYMENT_OUTCOMES, PaymentOutcome
from mercato.online.cases import Case
from mercato.online.connection import OnlineUnavailable

#: Cases shown at most.
MOST = 200


class Review(BaseModel):
    """What a reviewer found."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fraud: bool = Field(description="True if the cardholder did not make the payment.")
    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)] = Field(
        description="Why; for the colleagues who ask later.",
        examples=["The cardholder confirmed it by phone"],
    )
    reviewer: Name | None = Field(
        default=None, description="Who; not asked where the caller's token says so."
    )


def cases(services: AdminServices, count: int = MOST) -> list[Case]:
    """Cases of the newest payments.

    Raises:
        ProblemError: `online_unavailable`.
    """
    try:
        return services.cases.newest(count)
    except OnlineUnavailable as error:
        raise ProblemError("online_unavailable", "Redis does not answer.", retry_after=1) from error


def review(
    services: AdminServices, payment_id: str, found: Review, caller: str | None, now: datetime
) -> PaymentOutcome:
    """Say what a payment was: an event of `payment_outcomes.v1`, once it is on Kafka.

    The same verdict of the same person again changes nothing.

    Args:
        caller: whom the token names, `None` without one.

    Raises:
        ProblemError: `unknown_case`, `already_reviewed`, `invalid_parameters` (nobody is named),
            `online_unavailable` or `events_unavailable`; then nothing was decided.
    """
    reviewer = reviewer_of(caller, found.reviewer)
    book = services.cases
    try:
        case = book.case(payment_id)
        if case is None:
            raise ProblemError("unknown_case", f"No payment {payment_id!r} waits for a review.")
        told = book.claim(_outcome(case, found, reviewer, now))
        if (told.fraud, told.reviewer) != (found.fraud, reviewer):
            raise ProblemError("already_reviewed", f"{_who(told)} found it {_what(told)} before.")
        try:
            services.send(PAYMENT_OUTCOMES, told)
        except EventsUnavailableError as error:
            book.release(told)
            raise ProblemError(
                "events_unavailable", f"Kafka did not take the review ({error}).", retry_after=1
            ) from error
    except OnlineUnavailable as error:
        raise ProblemError("online_unavailable", "Redis does not answer.", retry_after=1) from error
    return told


def _outcome(case: Case, found: Review, reviewer: str, now: datetime) -> PaymentOutcome:
    decided = case.decided
    return PaymentOutcome(
        # The same for every review of the payment, so that the lake keeps one.
        event_id=f"review-{hashlib.blake2b(decided.payment_id.encode(), digest_size=16).hexdigest()}",
        event_time=now.astimezone(UTC),
        payment_id=decided.payment_id,
        paid_at=decided.paid_at,
        card_id=decided.card_id,
        terminal_id=decided.terminal_id,
        fraud=found.fraud,
        reviewer=reviewer,
        note=found.note,
    )


def _who(outcome: PaymentOutcome) -> str:
    return outcome.reviewer or "The time for disputes, which is over,"


def _what(outcome: PaymentOutcome) -> str:
    return "a fraud" if outcome.fraud else "honest"

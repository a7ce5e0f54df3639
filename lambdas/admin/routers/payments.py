"""Payments to review."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from lambdas.admin import reviewing
from lambdas.admin.people import caller_of
from lambdas.admin.schemas import PaymentCase, PaymentCases, ReviewedPayment
from lambdas.admin.services import UseAdminServices
from lambdas.problem import documented
from mercato.online.cases import State

router = APIRouter(prefix="/admin/v1/payments", tags=["payments"])

PaymentId = Annotated[str, Path(min_length=1, max_length=64, description="As in `payments.v1`.")]


@router.get(
    "",
    summary="Payments that were not simply approved",
    responses=documented("invalid_parameters", "online_unavailable"),
)
def get_payments(
    services: UseAdminServices,
    state: Annotated[State, Query(description="Without an outcome, or with.")] = "open",
    offset: Annotated[int, Query(ge=0, le=reviewing.MAX_CASES, description="Payments to skip.")] = 0,
    limit: Annotated[int, Query(ge=1, le=reviewing.MAX_AT_ONCE, description="Payments wanted.")] = 50,
) -> PaymentCases:
    """The newest payments first; of the closed ones, what was found last."""
    page, following = reviewing.cases(services, state, offset, limit), offset + limit
    return PaymentCases(
        payments=list(map(PaymentCase.of, page.cases)),
        total=page.total,
        next_offset=following if following < page.total else None,
    )


@router.post(
    "/{payment_id}/review",
    summary="Say what a payment was",
    responses=documented(
        "malformed_body",
        "oversized",
        "unknown_case",
        "already_reviewed",
        "invalid_parameters",
        "online_unavailable",
        "events_unavailable",
    ),
)
def post_review(
    payment_id: PaymentId, verdict: reviewing.Review, request: Request, services: UseAdminServices
) -> ReviewedPayment:
    """The first review counts; the same again changes nothing, another answers 409.

    Where Kafka is not known to have it (503), the case stays open: send the same again. A review becomes an
    event of `payment_outcomes.v1`, from which the online features and the next model learn.
    """
    caller = caller_of(request.scope)
    outcome = reviewing.review(services, payment_id, verdict, caller, datetime.now(UTC))
    return ReviewedPayment.of(outcome)

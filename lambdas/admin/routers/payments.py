"""Payments to review."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from lambdas.admin import reviewing
from lambdas.admin.people import caller_of
from lambdas.admin.schemas import PaymentCase, PaymentCases, ReviewedPayment
from lambdas.admin.services import UseAdminServices
from lambdas.api.problem import documented

router = APIRouter(prefix="/admin/v1/payments", tags=["payments"])

PaymentId = Annotated[str, Path(min_length=1, max_length=64, description="As in `payments.v1`.")]


@router.get("", summary="Payments that were not simply approved", responses=documented("online_unavailable"))
def get_payments(
    services: UseAdminServices,
    state: Annotated[
        Literal["open", "closed", "all"], Query(description="Without an outcome, or with.")
    ] = "open",
    limit: Annotated[int, Query(ge=1, le=reviewing.MOST)] = 50,
) -> PaymentCases:
    """The newest payments first."""
    found = [PaymentCase.of(case) for case in reviewing.cases(services)]
    wanted = [case for case in found if state == "all" or (case.outcome is None) == (state == "open")]
    return PaymentCases(payments=wanted[:limit])


@router.post(
    "/{payment_id}/review",
    summary="Say what a payment was",
    responses=documented(
        "unknown_case", "already_reviewed", "invalid_parameters", "online_unavailable", "events_unavailable"
    ),
)
def post_review(
    payment_id: PaymentId, found: reviewing.Review, request: Request, services: UseAdminServices
) -> ReviewedPayment:
    """The first review counts; the same again changes nothing, another answers 409.

    It becomes an event of `payment_outcomes.v1`, from which the online features and the next model learn.
    """
    caller = caller_of(request.scope)
    told = reviewing.review(services, payment_id, found, caller, datetime.now(UTC))
    return ReviewedPayment.of(told)

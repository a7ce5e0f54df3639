"""POST /v1/payments/decisions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.openapi.models import Example

from lambdas.api.endpoints import ScorerUnavailableError
from lambdas.api.problem import ProblemError, documented
from lambdas.api.schemas import PaymentDecision, PaymentToDecide
from lambdas.api.services import UseServices
from mercato.online.store import OnlineUnavailable

router = APIRouter(prefix="/v1/payments", tags=["payments"])

_EXAMPLES: dict[str, Example] = {
    "one": {"summary": "One payment", "value": {"card_id": "1-1", "terminal_id": "367-2", "amount": 41.5}}
}


@router.post(
    "/decisions",
    summary="Decide on a card payment",
    responses=documented("malformed_body", "invalid_parameters", "online_unavailable", "model_unavailable"),
)
def post_decision(
    payment: Annotated[PaymentToDecide, Body(openapi_examples=_EXAMPLES)], services: UseServices
) -> PaymentDecision:
    """Approve, review or decline, by what each is expected to cost; with the reasons that speak for a fraud.

    Nothing is remembered of the question: the payment itself comes as an event of `payments.v1`, what it
    turned out to be as one of `payment_outcomes.v1`, and both change the answers that follow.
    """
    online = services.require_online()
    try:
        decided = services.payments.decide(online, payment, datetime.now(UTC))
    except OnlineUnavailable as error:
        raise ProblemError("online_unavailable", "Redis does not answer.", retry_after=1) from error
    except ScorerUnavailableError as error:
        raise ProblemError("model_unavailable", f"The fraud model: {error}.", retry_after=1) from error
    services.metrics.payments.labels(decided.action).inc()
    return decided

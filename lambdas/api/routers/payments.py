"""POST /v1/payments/decisions."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.openapi.models import Example

from lambdas.api.endpoints import ScorerUnavailableError
from lambdas.api.payment_schemas import PaymentDecision, PaymentToDecide
from lambdas.api.services import Services, UseServices
from lambdas.event_log import EventsUnavailableError
from lambdas.problem import ProblemError, documented
from mercato.contracts.events import PAYMENT_DECISIONS, PaymentDecided
from mercato.online.connection import OnlineUnavailableError

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/payments", tags=["payments"])

_EXAMPLES: dict[str, Example] = {
    "one": {"summary": "One payment", "value": {"card_id": "1-1", "terminal_id": "367-2", "amount": 41.5}}
}


@router.post(
    "/decisions",
    summary="Decide on a card payment",
    responses=documented(
        "malformed_body", "oversized", "invalid_parameters", "online_unavailable", "model_unavailable"
    ),
)
def post_decision(
    payment: Annotated[PaymentToDecide, Body(openapi_examples=_EXAMPLES)], services: UseServices
) -> PaymentDecision:
    """Approve, review or decline, by what each is expected to cost; with the reasons that speak for a fraud.

    The decision goes to `payment_decisions.v1`, where reviewers find what was not simply approved; where
    Kafka is away it is given all the same, with `recorded: false`. The payment itself comes as an event of
    `payments.v1` with the same id, what it turned out to be as one of `payment_outcomes.v1`, and both change
    the answers that follow.
    """
    online = services.require_online()
    try:
        judgement = services.payments.decide(online, payment, datetime.now(UTC))
    except OnlineUnavailableError as error:
        raise ProblemError("online_unavailable", "Redis does not answer.", retry_after=1) from error
    except ScorerUnavailableError as error:
        raise ProblemError("model_unavailable", f"The fraud model: {error}.", retry_after=1) from error
    services.metrics.payments.labels(judgement.decided.action).inc()
    return judgement.answer(_recorded(services, judgement.decided))


def _recorded(services: Services, decided: PaymentDecided) -> bool:
    try:
        services.send(PAYMENT_DECISIONS, decided)
    except EventsUnavailableError as error:
        log.warning("the decision on payment %s is not recorded: %s", decided.payment_id, error)
        return False
    return True

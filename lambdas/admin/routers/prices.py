"""Prices to decide on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request

from lambdas.admin import pricing
from lambdas.admin.people import caller_of
from lambdas.admin.schemas import PriceOffer, PriceOffers, PriceResult, PriceResults
from lambdas.admin.services import UseAdminServices
from lambdas.problem import documented

router = APIRouter(prefix="/admin/v1/prices", tags=["prices"])


@router.get(
    "", summary="Proposed prices that wait", responses=documented("invalid_parameters", "online_unavailable")
)
def get_prices(
    services: UseAdminServices,
    store_id: Annotated[int | None, Query(gt=0, lt=2**53, description="Default: all stores.")] = None,
    offset: Annotated[int, Query(ge=0, le=pricing.MAX_OFFERS, description="Prices to skip.")] = 0,
    limit: Annotated[int, Query(ge=1, le=pricing.MAX_AT_ONCE, description="Prices wanted.")] = 50,
) -> PriceOffers:
    """Those of most expected gain first. What is decided is `price_decisions.v1` and silver's."""
    waiting = pricing.overview(services).waiting
    offers = [each for each in waiting if store_id in (None, each.store_id)]
    following = offset + limit
    return PriceOffers(
        prices=[PriceOffer.of(each) for each in offers[offset:following]],
        total=len(offers),
        next_offset=following if following < len(offers) else None,
    )


@router.post(
    "/decisions",
    summary="Accept, reject or withdraw prices",
    responses=documented(
        "malformed_body", "oversized", "invalid_parameters", "online_unavailable", "events_unavailable"
    ),
)
def post_decisions(asked: pricing.PriceVerdict, request: Request, services: UseAdminServices) -> PriceResults:
    """Each price is decided on by itself; the first decision counts, and the same again changes nothing.

    Name the price and the week that were seen: where another is proposed meanwhile, nothing is decided. Only
    what was accepted can be withdrawn, and it cannot be accepted again for that week. Decisions become
    events of `price_decisions.v1`; the decision API has what is to be charged (`GET /v1/stores/ID/prices`).
    """
    results = pricing.decide(services, asked, caller_of(request.scope), datetime.now(UTC))
    return PriceResults(results=[PriceResult.of(each) for each in results])

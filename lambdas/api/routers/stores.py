"""GET /v1/stores."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from lambdas.api.schemas import ChargedPrice, ChargedPrices
from lambdas.api.services import StorePath, UseServices
from lambdas.problem import ProblemError, documented
from mercato.online.connection import OnlineUnavailableError

router = APIRouter(prefix="/v1/stores", tags=["stores"])

ProductId = Annotated[int, Query(gt=0, lt=2**53)]

_DOWN = "Redis does not answer; charge what was charged. Try again in a moment."


@router.get(
    "/{store_id}/prices",
    summary="Prices to charge",
    responses=documented("invalid_parameters", "online_unavailable"),
)
def get_prices(
    store_id: StorePath,
    services: UseServices,
    product_id: Annotated[
        list[ProductId], Query(max_length=200, description="Only of these products; may be repeated.")
    ] = [],  # noqa: B006
    offset: Annotated[int, Query(ge=0, description="Prices to skip.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="Prices wanted.")] = 200,
) -> ChargedPrices:
    """Prices that people accepted, by product; for any other product the shop's own price holds.

    They are the same for everybody: nothing of a household goes into them.
    """
    try:
        accepted = services.require_online().prices.charged(store_id, product_id)
    except OnlineUnavailableError as error:
        raise ProblemError("online_unavailable", _DOWN, retry_after=1) from error
    following = offset + limit
    return ChargedPrices(
        store_id=store_id,
        prices=[ChargedPrice.of(each) for each in accepted[offset:following]],
        total=len(accepted),
        next_offset=following if following < len(accepted) else None,
    )

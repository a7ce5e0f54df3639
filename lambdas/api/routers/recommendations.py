"""GET /v1/recommendations/{household_id}."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response

from lambdas.api import answers
from lambdas.api.recommending import Wish
from lambdas.api.schemas import Recommendations
from lambdas.api.services import HouseholdPath, Services, UseServices
from lambdas.metrics import HELD_BACK
from lambdas.problem import documented

router = APIRouter(prefix="/v1/recommendations", tags=["recommendations"])

#: Longest time a long poll is held, in seconds, and the pause between its looks.
MAX_WAIT = 10.0
LOOK_PAUSE = 0.015
#: The same while the list shown is not personal: to see that it could be now takes a whole decision.
FALLBACK_PAUSE = 1.0

ProductId = Annotated[int, Query(gt=0, lt=2**53)]


@router.get(
    "/{household_id}",
    response_model=Recommendations,
    summary="Recommend products to a household",
    responses={
        304: {"description": "The list is still the one named in If-None-Match."},
        **documented("invalid_parameters"),
    },
)
async def get_recommendations(
    request: Request,
    household_id: HouseholdPath,
    services: UseServices,
    n: Annotated[int, Query(ge=1, le=100, description="Items wanted.")] = 10,
    store_id: Annotated[int | None, Query(gt=0, lt=2**53, description="Default: the usual store.")] = None,
    exclude: Annotated[
        list[ProductId], Query(max_length=200, description="Products not to show; may be repeated.")
    ] = [],  # noqa: B006
    cart: Annotated[
        list[ProductId],
        Query(
            max_length=200,
            description="Products in the cart that the features do not know of; may be repeated.",
        ),
    ] = [],  # noqa: B006
    if_none_match: Annotated[str | None, Header(description="ETag of the list shown now.")] = None,
    prefer: Annotated[
        str | None,
        Header(description=f"`wait=N`: hold the answer until it changed, at most {MAX_WAIT:.0f} seconds."),
    ] = None,
) -> Response:
    """The best products for this household at this moment, each with its reason.

    Never fails for want of a model, a household or live features: then the store's popular products come,
    with `fallback: true` and the reason. `cart` adds to the session that the features know.

    The answer's `ETag` names the list. With `If-None-Match` the answer says in `changes` what changed since
    that list; with `Prefer: wait=N` (RFC 7240) it is held back until the list may have changed, at most N
    seconds, else 304.
    """
    wish = Wish(household_id, n, store_id, tuple(exclude), tuple(cart))
    # What compresses answers on the way marks tags as weak.
    since = if_none_match.removeprefix("W/").strip('"') if if_none_match else None
    pause = FALLBACK_PAUSE if since and "-" in since else LOOK_PAUSE
    began = time.monotonic()
    until = began + _seconds(prefer)
    while True:
        changed = await to_thread.run_sync(_answer, services, wish, since, limiter=services.deciders)
        if changed is not None:
            return changed
        left = until - time.monotonic()
        if left <= 0:
            return Response(status_code=304, headers={"ETag": f'"{since}"'})
        await asyncio.sleep(min(pause, left))
        setattr(request.state, HELD_BACK, time.monotonic() - began)


def _answer(services: Services, wish: Wish, since: str | None) -> Response | None:
    """The answer as it is now, written out here to leave the event loop free; `None` if still `since`."""
    moment = services.recommender.look(wish)
    if moment.tag == since:
        return None
    decision = services.recommender.decide(wish, moment, since)
    if decision.tag == since:  # the same fallback as before
        return None
    services.recommender.count(decision)
    answer = answers.recommendations(wish, moment, decision, services.model_version())
    if answer.freshness_seconds is not None and not answer.fallback:
        services.metrics.freshness.set(answer.freshness_seconds)
    headers = {"ETag": f'"{decision.tag}"', "Cache-Control": "no-cache"}
    return Response(answer.model_dump_json(), media_type="application/json", headers=headers)


def _seconds(prefer: str | None) -> float:
    match = re.search(r"\bwait=(\d+)", prefer or "")
    return min(MAX_WAIT, float(match[1])) if match else 0.0

"""The page of proposed prices, and of what was decided of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lambdas.admin import pricing
from lambdas.admin.pages.shared import (
    NOTHING_REFUSED,
    PRICES,
    PageRoute,
    Refusal,
    address,
    asked_for,
    back,
    fill_in,
    form,
    last_page,
    render,
)
from lambdas.admin.people import caller_of
from lambdas.admin.schemas import DecidedPrice, PriceOffer
from lambdas.admin.services import AdminServices, UseAdminServices
from lambdas.problem import PROBLEMS, ProblemError

#: Rows of a page, which are decided on together; and the longest body of their form, in bytes.
ROWS, MAX_FORM = 50, 16 * 1024
#: Refusals told in full.
_TOLD = 3
_VIEW = ("store", "offset")

DECISIONS = f"{PRICES}/decisions"

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get(PRICES)
async def get_page(request: Request, services: UseAdminServices) -> Response:
    """Proposals, those of most gain first, and below them what was decided."""
    return await _page(request, services)


@router.get(DECISIONS)
async def get_decisions(request: Request) -> Response:
    """Where a refused form leaves the browser: reloading that address shows the page."""
    return back(PRICES, request, *_VIEW)


@router.post(DECISIONS)
async def post_decisions(request: Request, services: UseAdminServices) -> Response:
    """Take the form of the chosen rows; back to the page, with what went wrong if anything did."""
    fields = await form(request, MAX_FORM)
    chosen = [value for name, value in fields if name == "price"]
    if not chosen:
        return await _page(request, services, Refusal("Choose at least one price.", 422, dict(fields)))
    try:
        asked = pricing.PriceVerdict.model_validate(
            {name: value for name, value in fields if name != "price"} | {"prices": _seen(chosen)}
        )
        caller = caller_of(request.scope)
        results = await run_in_threadpool(pricing.decide, services, asked, caller, datetime.now(UTC))
    except ValidationError as error:
        return await _page(request, services, Refusal(fill_in(error), 422, dict(fields)), chosen)
    except ProblemError as problem:
        if problem.code not in {"invalid_parameters", "events_unavailable"}:
            raise
        refusal = Refusal(problem.detail, PROBLEMS[problem.code][0], dict(fields))
        return await _page(request, services, refusal, chosen)
    if refused := [_of(each.seen, each.refusal.detail) for each in results if each.refusal]:
        # Nothing is chosen again: those prices are to be looked at.
        return await _page(request, services, Refusal(_told(refused, len(results)), 409, dict(fields)))
    return back(PRICES, request, *_VIEW)


def _seen(chosen: Sequence[str]) -> list[dict[str, str]]:
    """What the boxes hold: `product:store:week:price`."""
    names = pricing.PriceSeen.model_fields
    return [dict(zip(names, value.split(":"), strict=False)) for value in chosen]


def _of(seen: pricing.PriceSeen, detail: str) -> str:
    return f"Product {seen.product_id} in store {seen.store_id}: {detail}"


def _told(refused: Sequence[str], asked: int) -> str:
    details = " ".join(refused[:_TOLD])
    more = f" And {len(refused) - _TOLD} more." if len(refused) > _TOLD else ""
    return f"{len(refused)} of {asked} not done. {details}{more}"


def _view(request: Request) -> dict[str, str]:
    """The store and the first row that are asked for."""
    return asked_for(request, *_VIEW)


async def _page(
    request: Request,
    services: AdminServices,
    refusal: Refusal = NOTHING_REFUSED,
    chosen: Sequence[str] = (),
) -> Response:
    overview, view = await run_in_threadpool(pricing.overview, services), _view(request)
    store = view.get("store", "")
    waiting = [each for each in overview.waiting if store in ("", str(each.store_id))]
    decided = [each for each in overview.decided if store in ("", str(each.store_id))]
    offset = min(int(view.get("offset", 0)), last_page(len(waiting), ROWS))
    context: dict[str, Any] = {
        "message": refusal.message,
        "filled": refusal.filled,
        "withdrawing": refusal.filled.get("action") == "withdraw",
        "chosen": chosen,
        "store": store,
        "stores": overview.stores,
        "waiting": len(waiting),
        "gain": sum(each.gain for each in waiting),
        "offers": [PriceOffer.of(each) for each in waiting[offset : offset + ROWS]],
        "offset": offset,
        "rows": ROWS,
        "selected": request.query_params.get("select") == "all",
        "send_to": address(DECISIONS, view),
        "decided": [DecidedPrice.of(each, overview) for each in decided[: pricing.MAX_AT_ONCE]],
    }
    return render(request, "prices.html", context, refusal.status)

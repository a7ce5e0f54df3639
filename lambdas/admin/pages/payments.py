"""The page of payments to review."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lambdas.admin import reviewing
from lambdas.admin.pages.shared import (
    NOTHING_REFUSED,
    PAYMENTS,
    PageRoute,
    Refusal,
    asked_for,
    back,
    fill_in,
    form,
    last_page,
    render,
)
from lambdas.admin.people import caller_of
from lambdas.admin.routers.payments import PaymentId
from lambdas.admin.schemas import PaymentCase
from lambdas.admin.services import AdminServices, UseAdminServices
from lambdas.problem import PROBLEMS, ProblemError
from mercato.online.cases import Page, State

#: Open cases of a page, and the longest body of a case's form, in bytes.
ROWS, MAX_FORM = 50, 8 * 1024
#: Refusals that the page itself shows.
_TOLD = {"already_reviewed", "unknown_case", "invalid_parameters", "events_unavailable"}

REVIEW = f"{PAYMENTS}/payments/{{payment_id}}/review"

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.get(PAYMENTS)
async def get_page(request: Request, services: UseAdminServices) -> Response:
    """Open cases, and below them what was found lately."""
    return await _page(request, services)


@router.get(REVIEW)
async def get_review(request: Request) -> Response:
    """Where a refused form leaves the browser: reloading that address shows the page."""
    return back(PAYMENTS, request, "offset")


@router.post(REVIEW)
async def post_review(payment_id: PaymentId, request: Request, services: UseAdminServices) -> Response:
    """Take the form of one case; back to the page, with what went wrong if anything did."""
    fields = await form(request, MAX_FORM)
    try:
        verdict = reviewing.Review.model_validate(dict(fields))
        caller = caller_of(request.scope)
        await run_in_threadpool(reviewing.review, services, payment_id, verdict, caller, datetime.now(UTC))
    except ValidationError as error:
        return await _page(request, services, Refusal(fill_in(error), 422, dict(fields)), payment_id)
    except ProblemError as problem:
        if problem.code not in _TOLD:
            raise
        refusal = Refusal(problem.detail, PROBLEMS[problem.code][0], dict(fields))
        return await _page(request, services, refusal, payment_id)
    return back(PAYMENTS, request, "offset")


async def _cases(services: AdminServices, state: State, offset: int, limit: int) -> Page:
    return await run_in_threadpool(reviewing.cases, services, state, offset, limit)


async def _page(
    request: Request, services: AdminServices, refusal: Refusal = NOTHING_REFUSED, of: str | None = None
) -> Response:
    asked = asked_for(request, "offset")
    offset = int(asked.get("offset", 0))
    waiting = await _cases(services, "open", offset, ROWS)
    if offset and not waiting.cases:  # the last ones were reviewed meanwhile
        offset = last_page(waiting.total, ROWS)
        waiting = await _cases(services, "open", offset, ROWS)
    closed = await _cases(services, "closed", 0, reviewing.MAX_AT_ONCE)
    context = {
        "message": refusal.message,
        "filled": refusal.filled,
        "refused": of,
        "waiting": waiting.total,
        "cases": list(map(PaymentCase.of, waiting.cases)),
        "closed": list(map(PaymentCase.of, closed.cases)),
        "offset": offset,
        "rows": ROWS,
        "query": asked,
    }
    return render(request, "payments.html", context, refusal.status)

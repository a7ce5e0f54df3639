"""The page of payments to review."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from lambdas.admin import reviewing
from lambdas.admin.pages.shared import PAYMENTS, fill_in, form, render
from lambdas.admin.people import caller_of
from lambdas.admin.routers.payments import PaymentId
from lambdas.admin.schemas import PaymentCase
from lambdas.admin.services import AdminServices, UseAdminServices
from lambdas.api.problem import ProblemError

#: A form's longest body, in bytes.
MAX_FORM = 8 * 1024

router = APIRouter(include_in_schema=False)


@router.get(PAYMENTS)
async def get_page(request: Request, services: UseAdminServices) -> Response:
    """Open cases, and below them what was found lately."""
    return await _page(request, services)


@router.post(f"{PAYMENTS}/payments/{{payment_id}}/review")
async def post_review(payment_id: PaymentId, request: Request, services: UseAdminServices) -> Response:
    """Take the form of one case; back to the page, with what went wrong if anything did."""
    fields = await form(request, MAX_FORM)
    try:
        found = reviewing.Review.model_validate(dict(fields))
        caller = caller_of(request.scope)
        await run_in_threadpool(reviewing.review, services, payment_id, found, caller, datetime.now(UTC))
    except ValidationError as error:
        return await _page(request, services, fill_in(error), 422)
    except ProblemError as problem:
        if problem.code not in {"already_reviewed", "unknown_case", "invalid_parameters"}:
            raise
        return await _page(request, services, problem.detail, 409)
    return RedirectResponse(PAYMENTS, 303)


async def _page(
    request: Request, services: AdminServices, message: str | None = None, status: int = 200
) -> Response:
    found = [PaymentCase.of(case) for case in await run_in_threadpool(reviewing.cases, services)]
    context = {
        "message": message,
        "waiting": [case for case in found if case.outcome is None],
        "closed": sorted(
            (case for case in found if case.outcome),
            key=lambda case: case.outcome.told_at if case.outcome else case.paid_at,
            reverse=True,
        ),
    }
    return render(request, "payments.html", context, status)

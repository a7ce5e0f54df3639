"""The panel's page: plain HTML and forms, so that it works with a keyboard, a reader, and without scripts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

from fastapi import APIRouter, FastAPI, Request
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from lambdas.admin import reviewing
from lambdas.admin.routes import PaymentId
from lambdas.admin.schemas import PaymentCase
from lambdas.admin.services import AdminServices, UseAdminServices
from lambdas.api.problem import ProblemError

HERE = Path(__file__).parent
PAGE, STATIC = "/admin", "/admin/static"
#: A form's longest body, in bytes.
MAX_FORM = 8 * 1024

#: The page loads nothing from anywhere else, and runs nothing.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(HERE / "templates")


def install(app: FastAPI) -> None:
    """Serve the page at PAGE and its files below STATIC."""
    app.include_router(router)
    app.mount(STATIC, StaticFiles(directory=HERE / "static"), name="static")


@router.get(PAGE)
async def get_page(request: Request, services: UseAdminServices) -> Response:
    """Open cases, and below them what was found lately."""
    return await _page(request, services)


@router.post(f"{PAGE}/payments/{{payment_id}}/review")
async def post_review(payment_id: PaymentId, request: Request, services: UseAdminServices) -> Response:
    """Take the form of one case; back to the page, with what went wrong if anything did."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ProblemError("foreign_page", "Reviews are taken from this panel's own page only.")
    body = await request.body()
    if len(body) > MAX_FORM:
        raise ProblemError("oversized", f"The form is longer than {MAX_FORM} bytes.")
    try:
        found = reviewing.Review.model_validate(dict(parse_qsl(body.decode(errors="replace"))))
        caller = reviewing.caller_of(request.scope)
        await run_in_threadpool(reviewing.review, services, payment_id, found, caller, datetime.now(UTC))
    except ValidationError as error:
        wrong = ", ".join(str(each["loc"][0]) for each in error.errors())
        return await _page(request, services, f"Please fill in: {wrong}.", 422)
    except ProblemError as problem:
        if problem.code not in {"already_reviewed", "unknown_case", "invalid_parameters"}:
            raise
        return await _page(request, services, problem.detail, 409)
    return RedirectResponse(PAGE, 303)


async def _page(
    request: Request, services: AdminServices, message: str | None = None, status: int = 200
) -> Response:
    found = [PaymentCase.of(case) for case in await run_in_threadpool(reviewing.cases, services)]
    context = {
        "page": PAGE,
        "static": STATIC,
        "message": message,
        "caller": reviewing.caller_of(request.scope),
        "waiting": [case for case in found if case.outcome is None],
        "closed": sorted(
            (case for case in found if case.outcome),
            key=lambda case: case.outcome.told_at if case.outcome else case.paid_at,
            reverse=True,
        ),
    }
    return templates.TemplateResponse(request, "panel.html", context, status, headers=HEADERS)


templates.env.filters |= {
    "teller": lambda outcome: outcome.reviewer or ("a dispute" if outcome.fraud else "nobody disputed it"),
    "money": lambda amount: f"${amount:,.2f}",
    "when": lambda moment: f"{moment:%Y-%m-%d %H:%M} UTC",
}

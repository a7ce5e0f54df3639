"""What all pages have in common: their frame, their headers, and how a form is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from lambdas.admin.people import caller_of, person_of
from lambdas.admin.pricing import DONE
from lambdas.problem import PROBLEMS, ProblemError, note

FILES = Path(__file__).parents[1]
PAYMENTS, PRICES, SIGN_OUT, STATIC = "/admin", "/admin/prices", "/admin/sign-out", "/admin/static"

#: A page loads nothing from anywhere else, and runs nothing.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

templates = Jinja2Templates(FILES / "templates")

#: What fields are called on the pages.
_LABELS = {"reviewer": "your name", "note": "a note of 3 to 500 characters"}


@dataclass(frozen=True)
class Refusal:
    """Why a form was refused, and what was filled in, which nobody wants to type again."""

    message: str | None
    status: int
    filled: Mapping[str, str]


NOTHING_REFUSED = Refusal(None, 200, {})


class PageRoute(APIRoute):
    """A route of people, who are told of a problem in a page instead of JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own, and a page where it fails."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except ProblemError as problem:
                if "text/html" not in request.headers.get("accept", ""):
                    raise
                note(request, problem)
                status, title = PROBLEMS[problem.code]
                context = {"title": title, "message": problem.detail}
                answer = render(request, "trouble.html", context, status)
                answer.headers.update(problem.headers)
                return answer

        return handled


async def form(request: Request, most: int) -> list[tuple[str, str]]:
    """Names and values of a form's fields, in order.

    Args:
        most: bytes that its body may have.

    Raises:
        ProblemError: `foreign_page` (the form is not of this panel) or `oversized`.
    """
    if not _own(request):
        raise ProblemError("foreign_page", "Forms are taken from this panel's own pages only.")
    body = await request.body()
    if len(body) > most:
        raise ProblemError("oversized", f"The form is longer than {most} bytes.")
    return parse_qsl(body.decode(errors="replace"))


def _own(request: Request) -> bool:
    """Whether a page of this panel sends the request, as far as a browser says where it is from.

    A browser that does not name the site, as over plain HTTP, still names the origin.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


def asked_for(request: Request, *names: str) -> dict[str, str]:
    """What the address asks for under these names, where it is a number."""
    asked = {name: request.query_params.get(name, "") for name in names}
    return {name: value for name, value in asked.items() if re.fullmatch("[0-9]{1,16}", value)}


def address(page: str, query: Mapping[str, str]) -> str:
    """Of a page, with what it is asked for."""
    return f"{page}?{urlencode(query)}" if query else page


def back(page: str, request: Request, *names: str) -> Response:
    """To a page, as it was asked for."""
    return RedirectResponse(address(page, asked_for(request, *names)), 303)


def last_page(rows: int, of_a_page: int) -> int:
    """First row of the last page."""
    return max(0, rows - 1) // of_a_page * of_a_page


def fill_in(error: ValidationError) -> str:
    """What to tell somebody whose form lacks something."""
    fields = dict.fromkeys(str(each["loc"][0]) for each in error.errors())
    return f"Please fill in: {', '.join(_LABELS.get(each, each) for each in fields)}."


def render(request: Request, template: str, context: Mapping[str, Any], status: int = 200) -> Response:
    """A page, with the panel's frame around it."""
    frame = {
        "payments_page": PAYMENTS,
        "prices_page": PRICES,
        "static": STATIC,
        "caller": caller_of(request.scope),
        "sign_out": SIGN_OUT if person_of(request.scope) else None,
    }
    return templates.TemplateResponse(request, template, {**frame, **context}, status, headers=HEADERS)


templates.env.filters |= {
    "teller": lambda outcome: outcome.reviewer or ("a dispute" if outcome.fraud else "nobody disputed it"),
    "review_at": lambda payment, query: address(
        f"{PAYMENTS}/payments/{quote(payment, safe='')}/review", query
    ),
    "money": lambda amount: f"{'-' if amount < 0 else ''}${abs(amount):,.2f}",
    "done": lambda action: DONE[action],
    "when": lambda moment: f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
}

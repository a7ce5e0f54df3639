"""What all pages have in common: their frame, their headers, and how a form is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from lambdas.admin.people import caller_of
from lambdas.admin.pricing import DONE
from lambdas.api.problem import ProblemError

FILES = Path(__file__).parents[1]
PAYMENTS, PRICES, STATIC = "/admin", "/admin/prices", "/admin/static"

#: A page loads nothing from anywhere else, and runs nothing.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

templates = Jinja2Templates(FILES / "templates")


async def form(request: Request, most: int) -> list[tuple[str, str]]:
    """Names and values of a form's fields, in order.

    Args:
        most: bytes that its body may have.

    Raises:
        ProblemError: `foreign_page` (the form is not of this panel) or `oversized`.
    """
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ProblemError("foreign_page", "Forms are taken from this panel's own pages only.")
    body = await request.body()
    if len(body) > most:
        raise ProblemError("oversized", f"The form is longer than {most} bytes.")
    return parse_qsl(body.decode(errors="replace"))


def fill_in(error: ValidationError) -> str:
    """What to tell somebody whose form lacks something."""
    lacking = dict.fromkeys(str(each["loc"][0]) for each in error.errors())
    return f"Please fill in: {', '.join(lacking)}."


def render(request: Request, template: str, context: Mapping[str, Any], status: int = 200) -> Response:
    """A page, with the panel's frame around it."""
    frame = {
        "payments_page": PAYMENTS,
        "prices_page": PRICES,
        "static": STATIC,
        "caller": caller_of(request.scope),
    }
    return templates.TemplateResponse(request, template, {**frame, **context}, status, headers=HEADERS)


templates.env.filters |= {
    "teller": lambda outcome: outcome.reviewer or ("a dispute" if outcome.fraud else "nobody disputed it"),
    "money": lambda amount: f"${amount:,.2f}",
    "done": lambda action: DONE[action],
    "when": lambda moment: f"{moment:%Y-%m-%d %H:%M} UTC",
}

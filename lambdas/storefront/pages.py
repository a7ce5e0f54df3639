"""The page, rendered on the server so that it says everything before any script runs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.staticfiles import StaticFiles
from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response
from starlette.templating import Jinja2Templates

from lambdas.api import answers
from lambdas.api.recommending import Wish
from lambdas.api.schemas import HouseholdDetail, HouseholdSummary, ProductCard, Recommendations
from lambdas.api.services import Services, UseServices

HERE = Path(__file__).parent
STATIC = "/static"
#: Cards on the page.
ITEMS = 12
SUGGESTED = 6
BASKETS = 5

#: The page loads nothing from anywhere else, and runs nothing inline.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(HERE / "templates")


def install(app: FastAPI) -> None:
    """Serve the page at / and its files below STATIC."""
    app.include_router(router)
    app.mount(STATIC, StaticFiles(directory=HERE / "static"), name="static")


@router.get("/")
async def get_page(request: Request, services: UseServices, household: str = "") -> Response:
    """The page: a welcome, or one household's list."""
    wanted = household.strip()
    context: dict[str, Any] = {
        "static": STATIC,
        "household_id": wanted,
        "items": ITEMS,
        "shown": None,
        "detail": None,
    }
    if re.fullmatch("[0-9]{1,16}", wanted) and 0 < int(wanted) < 2**53:
        context |= await run_in_threadpool(_household, services, int(wanted))
    else:
        context["suggested"] = await run_in_threadpool(_suggested, services)
        context["message"] = f"“{wanted}” is not a household number." if wanted else None
    return templates.TemplateResponse(request, "page.html", context, headers=HEADERS)


@router.get("/docs")
async def get_docs(request: Request) -> HTMLResponse:
    """The API's reference, from its own OpenAPI document."""
    context = {"static": STATIC, "api": request.app.openapi(), "base": str(request.base_url).rstrip("/")}
    return templates.TemplateResponse(request, "docs.html", context, headers=HEADERS)


def _household(services: Services, household_id: int) -> dict[str, Any]:
    wish = Wish(household_id, ITEMS)
    moment = services.recommender.look(wish)
    decision = services.recommender.decide(wish, moment, None)
    services.recommender.count(decision)
    shown = answers.recommendations(wish, moment, decision, services.model_version())
    household = moment.household
    detail = answers.household_detail(household, moment.snapshot, BASKETS) if household else None
    return {
        "household_id": household_id,
        "shown": shown,
        "detail": detail,
        "profile_line": _profile(detail) if detail else "",
        "cart": shown.session.cart if shown.session else [],
        "freshness": _freshness(shown),
        "state_json": _state(shown, f'"{decision.tag}"'),
    }


def _state(shown: Recommendations, etag: str) -> str:
    """The answer for the script; `<` is escaped so that no text can end the element."""
    return json.dumps({**shown.model_dump(mode="json"), "etag": etag}).replace("<", "\\u003c")


def _suggested(services: Services) -> list[HouseholdSummary]:
    """A few households from all over the list."""
    known = services.keeper.snapshot.households
    step = max(1, len(known) // SUGGESTED)
    return [answers.household_line(one) for one in known[::step][:SUGGESTED]]


def _profile(household: HouseholdDetail) -> str:
    parts = [_habits(household)]
    if household.favourite_store_id:
        parts.append(f"mostly store {household.favourite_store_id}")
    if household.last_basket_time:
        parts.append(f"last basket {_day(household.last_basket_time)}")
    return " · ".join(parts)


def _habits(household: HouseholdSummary) -> str:
    text = "1 basket" if household.baskets == 1 else f"{household.baskets:,} baskets"
    if household.mean_gap_days:
        text += (
            f", about every {household.mean_gap_days:.0f} days"
            if household.mean_gap_days >= 1.5
            else ", almost daily"
        )
    if household.mean_basket_value is not None:
        text += f", {_money(household.mean_basket_value)}" + (" each" if household.baskets != 1 else "")
    return text


def _freshness(shown: Recommendations) -> str:
    if shown.freshness_seconds is None:
        return ""
    seconds = shown.freshness_seconds
    size, unit = next(
        ((s, u) for s, u in ((86_400, "days"), (3_600, "h"), (60, "min")) if seconds >= 2 * s), (1, "s")
    )
    return f"Features {seconds / size:.{1 if unit == 's' else 0}f} {unit} old"


def _meta(product: ProductCard) -> str:
    brand = "Store brand" if product.brand == "Private" else None
    return " · ".join(part for part in (product.aisle, product.size, brand) if part)


def _money(amount: float | None) -> str:
    return "" if amount is None else f"${amount:,.2f}"


def _day(then: datetime) -> str:
    days = (datetime.now(UTC).date() - then.date()).days
    named = {0: "today", 1: "yesterday"}
    return named.get(days) or f"{then.day} {then:%B}{'' if days < 300 else f' {then.year}'}"


def _slug(text: str) -> str:
    return "-".join("".join(c if c.isalpha() else " " for c in text.lower()).split())


def _marked(text: str) -> Markup:
    """Text with `code` in backticks, as the OpenAPI document has it."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


templates.env.filters |= {
    "marked": _marked,
    "meta": _meta,
    "money": _money,
    "day": _day,
    "slug": _slug,
    "habits": _habits,
}

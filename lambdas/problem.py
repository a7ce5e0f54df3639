"""One JSON format for every error (RFC 9457, `application/problem+json`)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

#: Problem types; each is served as text under /problems/{code}.
PROBLEMS: Mapping[str, tuple[HTTPStatus, str]] = {
    "malformed_body": (HTTPStatus.BAD_REQUEST, "The body cannot be read"),
    "unknown_topic": (HTTPStatus.NOT_FOUND, "No such topic"),
    "unknown_household": (HTTPStatus.NOT_FOUND, "No such household"),
    "unknown_product": (HTTPStatus.NOT_FOUND, "No such product"),
    "unknown_problem": (HTTPStatus.NOT_FOUND, "No such problem type"),
    "not_found": (HTTPStatus.NOT_FOUND, "Nothing lives at this address"),
    "method_not_allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "This address does not take that method"),
    "oversized": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large"),
    "unknown_case": (HTTPStatus.NOT_FOUND, "No such case"),
    "already_reviewed": (HTTPStatus.CONFLICT, "Somebody reviewed it before"),
    "foreign_page": (HTTPStatus.FORBIDDEN, "Sent by a page of somebody else"),
    "contract_violation": (HTTPStatus.UNPROCESSABLE_ENTITY, "The event breaks its contract"),
    "invalid_parameters": (HTTPStatus.UNPROCESSABLE_ENTITY, "A parameter is not valid"),
    "events_unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "Events cannot be taken right now"),
    "online_unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "Live features cannot be reached"),
    "model_unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "The model cannot be reached"),
    "search_unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "The product search cannot be reached"),
    "internal": (HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side"),
}


class FieldError(BaseModel):
    """One thing wrong with the request."""

    field: str = Field(description="JSON path, or `path.x` and `query.x` for parameters.")
    code: str = Field(description="Stable and machine-readable; the lake's quarantine uses the same.")
    reason: str = Field(description="One sentence for a person.")
    index: int | None = Field(default=None, description="Position in a batch of events.")


class FilledIn(BaseModel):
    """An event that came without an id or time, as it would have been taken."""

    index: int = Field(description="Position in the batch.", examples=[0])
    event_id: str = Field(
        description="Made up if it was missing.", examples=["0f3c9a7be5d94e51b7f0c8a2d1e6f4aa"]
    )
    event_time: datetime = Field(description="When it arrived if it was missing.")


class ProblemDetail(BaseModel):
    """RFC 9457 problem."""

    type: str = Field(
        description="Address of the problem type; its last part is the code.",
        examples=["/problems/contract_violation"],
    )
    title: str = Field(description="The problem type in words.", examples=["The event breaks its contract"])
    status: int = Field(description="HTTP status.", examples=[422])
    detail: str = Field(
        description="What happened this time, and what to do.",
        examples=["1 of 3 events was refused; none was taken."],
    )
    instance: str = Field(description="Path of the request.", examples=["/v1/events"])
    errors: list[FieldError] = Field(description="Each thing that is wrong.", default_factory=list)
    filled_in: list[FilledIn] | None = Field(
        default=None,
        description="Of `events_unavailable`: ids and times to send the events again with that came without.",
    )


class ProblemError(Exception):
    """Raised anywhere below a router; answered as a problem document.

    Args:
        code: a key of PROBLEMS.
        detail: what happened this time and what to do next.
        errors: the single things that are wrong.
        retry_after: seconds after which trying again makes sense.
        filled_in: what was added to the events that were not taken.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
        filled_in: Sequence[FilledIn] = (),
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.filled_in = list(filled_in) or None
        self.headers = {"Retry-After": str(retry_after)} if retry_after else {}


def _answer(request: Request, problem: ProblemError, status: int | None = None) -> Response:
    usual, title = PROBLEMS[problem.code]
    body = ProblemDetail(
        type=f"/problems/{problem.code}",
        title=title,
        status=status or usual,
        detail=problem.detail,
        instance=request.url.path,
        errors=problem.errors,
        filled_in=problem.filled_in,
    )
    return JSONResponse(
        body.model_dump(mode="json", exclude_none=True),
        status_code=body.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def _from_http(error: HTTPException, request: Request) -> ProblemError:
    known = {404: "not_found", 405: "method_not_allowed", 413: "oversized"}
    details = {
        404: f"{request.url.path} does not exist; /docs lists what does.",
        405: f"{request.method} is not possible here; allowed: {(error.headers or {}).get('Allow')}.",
    }
    problem = ProblemError(
        known.get(error.status_code, "malformed_body" if error.status_code < 500 else "internal"),
        details.get(error.status_code, str(error.detail)),
    )
    problem.headers = dict(error.headers or {})
    return problem


def _from_validation(error: RequestValidationError) -> ProblemError:
    errors = [
        FieldError(field=_path(each["loc"]), code=each["type"], reason=each["msg"]) for each in error.errors()
    ]
    if any(each.code == "json_invalid" for each in errors):
        return ProblemError("malformed_body", "The body is not JSON.", errors)
    named = ", ".join(each.field for each in errors)
    return ProblemError("invalid_parameters", f"Not valid: {named}.", errors)


def _path(place: Sequence[int | str]) -> str:
    """JSON path of a part of the body; `query.x` of a parameter."""
    return ".".join(["$" if place[0] == "body" else str(place[0]), *map(str, place[1:])])


def note(request: Request, error: ProblemError) -> None:
    """Log a problem that is ours."""
    if PROBLEMS[error.code][0] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # The cause may name addresses and rights, which are no caller's business.
        log.warning("%s %s: %s: %s", request.method, request.url.path, error.code, error.__cause__ or error)


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem document."""

    @app.exception_handler(ProblemError)
    async def on_problem(request: Request, error: ProblemError) -> Response:
        note(request, error)
        return _answer(request, error)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        return _answer(request, _from_http(error, request), error.status_code)

    @app.exception_handler(RequestValidationError)
    async def on_validation(request: Request, error: RequestValidationError) -> Response:
        return _answer(request, _from_validation(error))

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> Response:
        log.exception("unhandled error on %s %s", request.method, request.url.path, exc_info=error)
        return _answer(request, ProblemError("internal", "The error was logged. Try again in a moment."))

    describe = app.openapi

    def openapi() -> dict[str, Any]:
        document = describe()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        described = ProblemDetail.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= described.pop("$defs") | {ProblemDetail.__name__: described}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route that may answer with these problems."""
    by_status: dict[int | str, list[str]] = {}
    for code in codes:
        by_status.setdefault(int(PROBLEMS[code][0]), []).append(code)
    return {status: _described(same) for status, same in by_status.items()}


def _described(codes: Sequence[str]) -> dict[str, Any]:
    """What a route answers with one status, whichever of these problems it is."""
    examples = {}
    for code in codes:
        status, title = PROBLEMS[code]
        shown = {"type": f"/problems/{code}", "title": title, "status": int(status), "detail": f"{title}."}
        examples[code] = {"summary": title, "value": shown}
    schema = {"$ref": f"#/components/schemas/{ProblemDetail.__name__}"}
    return {
        "description": "; ".join(PROBLEMS[code][1] for code in codes),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }

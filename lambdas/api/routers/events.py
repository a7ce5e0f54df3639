"""POST /v1/events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from lambdas.api import intake
from lambdas.api.collecting import EventServices, TakenEvent, TakenEvents, UseEventServices
from lambdas.api.event_log import EventsUnavailableError
from lambdas.api.problem import ProblemError, documented
from mercato.contracts.events import OPEN_TOPICS, Topic

router = APIRouter(prefix="/v1/events", tags=["events"])

_CLICK = {"household_id": 1, "session_id": "tab-1", "action": "add_to_cart", "product_id": 1082185}
_EVENT = {"type": "object", "description": f"An event of {', '.join(OPEN_TOPICS)}; see /v1/events/schemas."}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [_EVENT, {"type": "array", "items": _EVENT, "minItems": 1}]},
                "examples": {
                    "one": {"summary": "One click", "value": _CLICK},
                    "batch": {"summary": "A batch", "value": [{**_CLICK, "action": "view"}, _CLICK]},
                },
            }
        },
    }
}
_PROBLEMS = documented("malformed_body", "oversized", "contract_violation", "events_unavailable")


@router.post("", status_code=202, openapi_extra=_BODY, responses=_PROBLEMS, summary="Send events")
async def post_events(request: Request, services: UseEventServices) -> TakenEvents:
    """Take one event or a batch: all are on Kafka when this answers, or none was taken.

    An optional `topic` field names each event's topic (default `clickstream.v1`). Missing `event_id` and
    `event_time` are filled in. Sending again with the same `event_id` is safe.
    """
    return await _take(request, services, None)


@router.get("/schemas", summary="JSON Schema of every topic")
async def get_schemas() -> dict[str, Any]:
    """What an event of each topic must look like."""
    return {name: topic.json_schema for name, topic in OPEN_TOPICS.items()}


@router.post(
    "/{topic}",
    status_code=202,
    openapi_extra=_BODY,
    responses={**documented("unknown_topic"), **_PROBLEMS},
    summary="Send events of one topic",
)
async def post_events_of_topic(topic: str, request: Request, services: UseEventServices) -> TakenEvents:
    """As `POST /v1/events`, all of one topic."""
    return await _take(request, services, intake.topic_named(topic))


async def _take(request: Request, services: EventServices, topic: Topic | None) -> TakenEvents:
    body = await _read(request)
    accepted = intake.accept(body, topic, datetime.now(UTC))
    if services.events is None:
        raise ProblemError(
            "events_unavailable", "Kafka is not running; `mercato up kafka` starts it.", retry_after=2
        )
    records = [one.record(services.settings.topic_prefix) for one in accepted]
    try:
        await run_in_threadpool(services.events.append, records)
    except EventsUnavailableError as error:
        detail = f"Kafka did not take the events ({error}). Send them again with the same event ids."
        raise ProblemError("events_unavailable", detail, retry_after=1) from error
    for one in accepted:
        services.metrics.events.labels(one.topic.name).inc()
    return TakenEvents(
        events=[
            TakenEvent(topic=one.topic.name, event_id=one.event.event_id, event_time=one.event.event_time)
            for one in accepted
        ]
    )


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > intake.MAX_BODY:
            raise ProblemError(
                "oversized", f"The body is larger than {intake.MAX_BODY} bytes; send smaller batches."
            )
    return bytes(body)

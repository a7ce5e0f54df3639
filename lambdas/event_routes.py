"""POST /v1/events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool

from lambdas import intake
from lambdas.event_log import EventsUnavailableError
from lambdas.event_services import EventServices, TakenEvent, TakenEvents, UseEventServices
from lambdas.intake import Accepted
from lambdas.problem import FilledIn, ProblemError, documented
from mercato.contracts.events import CLICKSTREAM, OPEN_TOPICS, Topic

router = APIRouter(prefix="/v1/events", tags=["events"])

_CLICK = {"household_id": 1, "session_id": "tab-1", "action": "add_to_cart", "product_id": 1082185}
_EVENT = {"type": "object", "description": f"An event of {', '.join(OPEN_TOPICS)}; see /v1/events/schemas."}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"One event or an array of events, at most {intake.MAX_BODY >> 20} MiB.",
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        _EVENT,
                        {"type": "array", "items": _EVENT, "minItems": 1, "maxItems": intake.MAX_BATCH},
                    ]
                },
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
    """Take one event or a batch: all are on Kafka when this answers 202; if one is refused, none is.

    An optional `topic` field names each event's topic (default `clickstream.v1`). Missing `event_id` and
    `event_time` are filled in. Sending again with the same `event_id` is safe. After a 503 send all events
    again, with the ids and times in the problem's `filled_in` where they had none.
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
async def post_events_of_topic(
    topic: Annotated[
        str,
        Path(
            description="Name of the topic.",
            examples=[CLICKSTREAM.name],
            json_schema_extra={"enum": [*OPEN_TOPICS]},
        ),
    ],
    request: Request,
    services: UseEventServices,
) -> TakenEvents:
    """As `POST /v1/events`, all of one topic."""
    return await _take(request, services, intake.topic_named(topic))


async def _take(request: Request, services: EventServices, topic: Topic | None) -> TakenEvents:
    body = await _read(request)
    accepted = intake.accept(body, topic, datetime.now(UTC))
    if services.events is None:
        raise _unavailable("Kafka is not running; `mercato up kafka` starts it.", accepted, 2)
    records = [one.record(services.settings.topic_prefix) for one in accepted]
    try:
        await run_in_threadpool(services.events.append, records)
    except EventsUnavailableError as error:
        for one in accepted:
            services.metrics.refused.labels(one.topic.name).inc()
        raise _unavailable(f"Kafka did not take the events ({error}).", accepted, 1) from error
    for one in accepted:
        services.metrics.events.labels(one.topic.name).inc()
    return TakenEvents(
        events=[
            TakenEvent(topic=one.topic.name, event_id=one.event.event_id, event_time=one.event.event_time)
            for one in accepted
        ]
    )


def _unavailable(why: str, accepted: Sequence[Accepted], retry_after: int) -> ProblemError:
    """Some may be on Kafka all the same: only with their ids are they known as the same."""
    filled_in = [
        FilledIn(index=index, event_id=one.event.event_id, event_time=one.event.event_time)
        for index, one in enumerate(accepted)
        if one.filled_in
    ]
    again = "Send them again with the same event ids"
    again += "; those that came without are in `filled_in`." if filled_in else "."
    return ProblemError("events_unavailable", f"{why} {again}", retry_after=retry_after, filled_in=filled_in)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > intake.MAX_BODY:
            raise ProblemError(
                "oversized", f"The body is larger than {intake.MAX_BODY} bytes; send smaller batches."
            )
    return bytes(body)

"""Logic: turn a request body into events that satisfy their contracts, or say why not."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from lambdas.event_log import Record
from lambdas.problem import FieldError, ProblemError
from mercato.contracts.events import (
    CLICKSTREAM,
    OPEN_TOPICS,
    UNREADABLE,
    Event,
    Topic,
    Violation,
    unreadable,
)

#: Largest request body, in bytes.
MAX_BODY = 1024 * 1024
#: Most events in one request.
MAX_BATCH = 1_000
_C = CLICKSTREAM.c  # of which every topic has these fields


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event that satisfies its contract, with the bytes that go on the wire.

    Attributes:
        filled_in: its id, its time or both were missing.
    """

    topic: Topic
    event: Event
    value: bytes
    filled_in: bool = False

    def record(self, topic_prefix: str) -> Record:
        """The Kafka record: keyed as the topic's contract says."""
        key = str(getattr(self.event, self.topic.key)).encode()
        return Record(topic_prefix + self.topic.name, key, self.value)


def topic_named(name: str) -> Topic:
    """The topic of that name.

    Raises:
        ProblemError: `unknown_topic`.
    """
    if name not in OPEN_TOPICS:
        raise ProblemError(
            "unknown_topic", f"There is no topic {name!r}; there are {', '.join(OPEN_TOPICS)}."
        )
    return OPEN_TOPICS[name]


def accept(body: bytes, topic: Topic | None, now: datetime) -> list[Accepted]:
    """Events of one body: all of them, or none.

    Args:
        body: one JSON object or an array of them. Missing `event_id` and `event_time` are
            filled in; a `topic` field names the topic where the path doesn't.
        topic: the topic of all events, `None` to read it from each (default: clickstream).
        now: when the body arrived.

    Raises:
        ProblemError: `malformed_body`, `oversized`, `unknown_topic` or `contract_violation`, the
            latter with the same codes and reasons that the lake's quarantine gives, and `derived_field`
            for what only the platform fills in.
    """
    events = _events_in(body)
    if len(events) > MAX_BATCH:
        raise ProblemError("oversized", f"{len(events)} events; send at most {MAX_BATCH} at once.")
    accepted: list[Accepted] = []
    errors: list[FieldError] = []
    for index, raw in enumerate(events):
        result = _accept_one(raw, topic, now)
        if isinstance(result, Accepted):
            accepted.append(result)
        else:
            errors.append(FieldError(field=result.field, code=result.code, reason=result.reason, index=index))
    if errors:
        _refuse(errors, len(events))
    return accepted


def _events_in(body: bytes) -> list[Any]:
    try:
        decoded = msgspec.json.decode(body)
    except UNREADABLE as error:
        refused = unreadable(error)
        found_wrong = FieldError(field=refused.field, code=refused.code, reason=refused.reason)
        detail = f"The body cannot be read: {refused.reason}"
        raise ProblemError("malformed_body", detail, [found_wrong]) from None
    events = decoded if isinstance(decoded, list) else [decoded]
    if not events:
        raise ProblemError("malformed_body", "The batch is empty; send at least one event.")
    return events


def _accept_one(raw: Any, topic: Topic | None, now: datetime) -> Accepted | Violation:
    filled_in = False
    if isinstance(raw, dict):
        if topic is None:
            named = raw.pop("topic", CLICKSTREAM.name)
            if not isinstance(named, str) or named not in OPEN_TOPICS:
                return Violation("unknown_topic", "$.topic", f"There is no topic {named!r}.")
            topic = OPEN_TOPICS[named]
        count = len(raw)
        raw.setdefault(_C.event_id, uuid.uuid4().hex)
        raw.setdefault(_C.event_time, now)
        filled_in = len(raw) > count
    topic = topic or CLICKSTREAM
    value = msgspec.json.encode(raw)
    result = topic.receive(value, now)
    return result if isinstance(result, Violation) else Accepted(topic, result, value, filled_in)


def _refuse(errors: list[FieldError], total: int) -> None:
    code = "oversized" if all(error.code == "oversized" for error in errors) else "contract_violation"
    first = errors[0].reason
    if total == 1:
        raise ProblemError(code, first, errors)
    were = "was" if len(errors) == 1 else "were"
    raise ProblemError(
        code, f"{len(errors)} of {total} events {were} refused, so none was taken. First: {first}", errors
    )

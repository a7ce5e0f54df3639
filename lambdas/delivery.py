"""Values from outside into Kafka: what satisfies its contract to its topic, the rest to quarantine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from lambdas.api.event_log import EventLog, Record
from mercato.contracts.events import Topic, Violation
from mercato.contracts.tables.silver import QUARANTINE
from mercato.settings import Settings
from mercato.stream.topics import kafka_name

#: Header of a refused value: where it came from, instead of a place on Kafka that it never had.
SOURCE = "source"

_Q = QUARANTINE.c
#: Records that are waited for together.
_TOGETHER = 1_000
#: Longer refused values are told without their bytes; the broker takes 2 MiB.
_MAX_TOLD_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Raw:
    """A value as it came, and where from: a URL or file and the position in it."""

    value: bytes
    source: str


@dataclass(slots=True)
class Delivered:
    """How many values are on their topic, and how many in its quarantine."""

    sent: int = 0
    refused: int = 0


def deliver(
    log: EventLog, settings: Settings, topic: Topic, values: Iterable[Raw], now: datetime
) -> Delivered:
    """Append every value and wait until the broker has it.

    Doing it again is safe: events keep their own ids, by which the lake drops duplicates.

    Raises:
        lambdas.api.event_log.EventsUnavailableError: Kafka did not take them all.
    """
    delivered = Delivered()
    waiting = iter(values)
    while some := list(islice(waiting, _TOGETHER)):
        records = []
        for raw in some:
            event = topic.decode(raw.value, now)
            if isinstance(event, Violation):
                records.append(_refused(settings, topic, raw, event))
                delivered.refused += 1
            else:
                key = str(getattr(event, topic.key)).encode()
                records.append(Record(kafka_name(settings, topic.name), key, raw.value))
                delivered.sent += 1
        log.append(records)
    return delivered


def _refused(settings: Settings, topic: Topic, raw: Raw, violation: Violation) -> Record:
    said = {
        _Q.code: violation.code,
        _Q.field: violation.field,
        _Q.reason: violation.reason,
        _Q.topic: topic.name,
        SOURCE: raw.source,
    }
    return Record(
        kafka_name(settings, topic.quarantine),
        key=raw.source.encode(),
        value=raw.value if len(raw.value) <= _MAX_TOLD_BYTES else None,
        headers=tuple((name, text.encode()) for name, text in said.items()),
    )

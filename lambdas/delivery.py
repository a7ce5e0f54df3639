"""Values from outside into Kafka: what satisfies its contract to its topic, the rest to quarantine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from lambdas.event_log import EventLog, Record
from mercato.contracts.events import Topic, Violation
from mercato.settings import Settings
from mercato.stream import quarantine
from mercato.stream.topics import kafka_name

#: Records that are waited for together: at most so many, and no more once they have so many bytes. A thousand
#: of the largest would be more than memory has room for, and than the broker takes in the time it is given.
_TOGETHER, _TOGETHER_BYTES = 1_000, 4 * 1024 * 1024


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
        lambdas.event_log.EventsUnavailableError: Kafka did not take them all.
    """
    delivered = Delivered()
    for some in _batches(values):
        records = []
        for raw in some:
            event = topic.receive(raw.value, now)
            if isinstance(event, Violation):
                records.append(_refused(settings, topic, raw, event))
                delivered.refused += 1
            else:
                key = str(getattr(event, topic.key)).encode()
                records.append(Record(kafka_name(settings, topic.name), key, raw.value))
                delivered.sent += 1
        log.append(records)
    return delivered


def _batches(values: Iterable[Raw]) -> Iterator[list[Raw]]:
    batch: list[Raw] = []
    size = 0
    for raw in values:
        batch.append(raw)
        size += len(raw.value)
        if len(batch) == _TOGETHER or size >= _TOGETHER_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _refused(settings: Settings, topic: Topic, raw: Raw, violation: Violation) -> Record:
    return Record(
        kafka_name(settings, topic.quarantine),
        key=raw.source.encode(),
        value=quarantine.value_to_send(raw.value),
        headers=tuple(quarantine.headers(topic, violation, {quarantine.SOURCE: raw.source})),
    )

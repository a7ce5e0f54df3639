"""Refused events as records of their topics' quarantine, and the events that cannot be merged sent there."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, Producer

from mercato.contracts.events import Topic, Violation
from mercato.contracts.tables.silver import QUARANTINE
from mercato.settings import Settings
from mercato.stream.kafka import client_config
from mercato.stream.topics import kafka_name

if TYPE_CHECKING:  # functions that only deliver have no Redis client, which this would import
    from mercato.stream.updates import Failed

log = logging.getLogger(__name__)

_Q = QUARANTINE.c
#: Header of a value that never was on Kafka: where it came from.
SOURCE = "source"
#: Code of an event that satisfies its contract and cannot be merged all the same.
NOT_MERGED = "not_merged"
#: Longer values are sent without their bytes: a producer takes 1,000,000 bytes, of which key and headers need
#: some, and a record that it does not take would hold up all that come after it.
MAX_VALUE_BYTES = 900_000
#: Seconds that Kafka may take for all events that cannot be merged.
_SECONDS = 5.0


def headers(topic: Topic, violation: Violation, place: Mapping[str, object]) -> list[tuple[str, bytes]]:
    """Headers of a record in the topic's quarantine.

    Args:
        place: where it was, by the header's name: its partition and offset, or its SOURCE.
    """
    texts = {
        _Q.code: violation.code,
        _Q.field: violation.field,
        _Q.reason: violation.reason,
        _Q.topic: topic.name,
        **place,
    }
    return [(name, str(text).encode()) for name, text in texts.items()]


def value_to_send(value: bytes | None) -> bytes | None:
    """The value as it came; `None` if it is too long."""
    return value if value is None or len(value) <= MAX_VALUE_BYTES else None


def send_to_quarantine(settings: Settings, failed: Sequence[Failed]) -> None:
    """Send events that cannot be merged to quarantine; the log has each, and says if Kafka does not take one.

    In the lake they are all the same, as all events that satisfy their contract.
    """
    for topic, event, error in failed:
        log.error("%s of %s cannot be merged", event.event_id, topic.name, exc_info=error)
    if failed and (left := _left(settings, failed)):
        log.error("%d events that cannot be merged are not in quarantine either", left)


def _left(settings: Settings, failed: Sequence[Failed]) -> int:
    """Send events to their quarantine; returns how many are not known to be there."""
    if settings.endpoint("kafka_bootstrap") is None:
        return len(failed)
    arrived = 0

    def on_delivery(error: object, _message: object) -> None:
        nonlocal arrived
        arrived += error is None

    try:
        # Made when it is needed, which should be never.
        producer = Producer(client_config(settings) | {"message.timeout.ms": int(_SECONDS * 1_000)})
        for topic, event, error in failed:
            producer.produce(
                kafka_name(settings, topic.quarantine),
                value_to_send(topic.encode(event)),
                str(getattr(event, topic.key)),
                headers=headers(topic, Violation(NOT_MERGED, "$", repr(error)), {}),
                on_delivery=on_delivery,
            )
        producer.flush(_SECONDS)
    except (BufferError, KafkaException) as error:
        log.error("Kafka: %s", error)
    return len(failed) - arrived

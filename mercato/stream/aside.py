"""Events that satisfy their contract and still can not be merged: logged, and put into quarantine."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from confluent_kafka import KafkaException, Producer

from mercato.contracts.tables.silver import QUARANTINE
from mercato.settings import Settings
from mercato.stream.kafka import client_config
from mercato.stream.topics import kafka_name
from mercato.stream.updates import Failed

log = logging.getLogger(__name__)

#: Why such an event is in quarantine, in a word for programs.
CODE = "not_merged"
#: Seconds that Kafka may take for all of them.
_SECONDS = 5.0
_Q = QUARANTINE.c


def put_aside(settings: Settings, failed: Sequence[Failed]) -> None:
    """Put events into their topics' quarantine; the log has each, and says if Kafka does not take one.

    In the lake they are all the same, as all events that satisfy their contract.
    """
    for topic, event, error in failed:
        log.error("%s of %s can not be merged", event.event_id, topic.name, exc_info=error)
    if failed and (left := _left(settings, failed)):
        log.error("%d events that can not be merged are not in quarantine either", left)


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
            said = {_Q.code: CODE, _Q.field: "$", _Q.reason: repr(error), _Q.topic: topic.name}
            producer.produce(
                kafka_name(settings, topic.quarantine),
                topic.encode(event),
                str(getattr(event, topic.key)),
                headers=[(name, text.encode()) for name, text in said.items()],
                on_delivery=on_delivery,
            )
        producer.flush(_SECONDS)
    except (BufferError, KafkaException) as error:
        log.error("Kafka: %s", error)
    return len(failed) - arrived

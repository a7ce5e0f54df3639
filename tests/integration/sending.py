"""Events onto their topic, as a shop would bring them there."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import Producer

from mercato.contracts.events import Event, Topic
from mercato.settings import Settings
from mercato.stream.topics import kafka_name


def send(settings: Settings, topic: Topic, events: Sequence[Event]) -> None:
    """Append events and wait until the broker has them."""
    producer = Producer({"bootstrap.servers": settings.require("kafka_bootstrap")})
    name = kafka_name(settings, topic.name)
    for event in events:
        producer.produce(name, topic.encode(event), str(getattr(event, topic.key)))
    assert producer.flush(30) == 0

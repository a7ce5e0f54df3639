"""Events from Kafka to the online store in Redis."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from mercato.contracts.events import CLICKSTREAM, Event, Violation
from mercato.online.connection import OnlineUnavailableError
from mercato.online.store import OnlineStore
from mercato.settings import Settings
from mercato.stream.kafka import client_config
from mercato.stream.offsets import watermarks
from mercato.stream.quarantine import send_to_quarantine
from mercato.stream.topics import ensure_topics, kafka_name
from mercato.stream.updates import FOLLOWED, update

log = logging.getLogger(__name__)

GROUP = "online-features"
#: Events per write: what waits after a pause is taken together.
_MAX_AT_ONCE = 2_000
_IDLE_SECONDS = 0.2
_RETRY_SECONDS = 0.5
_KAFKA_SECONDS = 15


class Updater:
    """Follows its topics as one consumer group.

    On its very first start it begins at the end of clickstream.v1, whose sessions are over, and says so to
    Kafka, so that from then on nothing is missed, whatever stops it. Of payments it wants all there are.
    """

    def __init__(self, settings: Settings) -> None:
        """Connect; topics are made if they are not there.

        Raises:
            mercato.settings.NotRunningError: Kafka or Redis has no address.
            KafkaException: the broker does not answer.
        """
        ensure_topics(settings)
        self._settings = settings
        self._store = OnlineStore(settings)
        self._consumer = Consumer(
            client_config(settings)
            | {
                "group.id": f"{settings.topic_prefix}{GROUP}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
                "session.timeout.ms": 10_000,
            }
        )
        self._topics = {kafka_name(settings, topic.name): topic for topic in FOLLOWED}
        try:
            _begin_at_the_end(self._consumer, kafka_name(settings, CLICKSTREAM.name))
        except KafkaException:
            self._consumer.close()
            raise
        self._consumer.subscribe(list(self._topics))

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop."""
        try:
            while not stop.is_set():
                if messages := self._take():
                    self._handle(messages, stop)
        finally:
            self._consumer.close()
            self._store.close()

    def _take(self) -> list[Message]:
        """What is there, as soon as something is."""
        first = self._consumer.poll(_IDLE_SECONDS)
        if first is None:
            return []
        return [first, *self._consumer.consume(_MAX_AT_ONCE - 1, timeout=0)]

    def _handle(self, messages: Sequence[Message], stop: threading.Event) -> None:
        events, invalid = self._decode(messages)
        while not stop.is_set():
            try:
                counts, failed = update(self._store, events, datetime.now(UTC))
                counts.invalid = invalid
                self._store.count(GROUP, msgspec.structs.asdict(counts))
            except OnlineUnavailableError as error:
                log.warning("%s; trying again", error)
                stop.wait(_RETRY_SECONDS)
            else:
                send_to_quarantine(self._settings, failed)
                self._consumer.commit(asynchronous=True)
                return

    def _decode(self, messages: Sequence[Message]) -> tuple[Mapping[str, Sequence[Event]], int]:
        """Events by their topic's name, and how many broke their contract."""
        events: dict[str, list[Event]] = defaultdict(list)
        invalid = 0
        for message in messages:
            if error := message.error():
                if error.code() != KafkaError._PARTITION_EOF and not error.retriable():
                    raise KafkaException(error)
                log.warning("Kafka: %s", error)
                continue
            topic = self._topics[message.topic() or ""]
            received_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=message.timestamp()[1])
            event = topic.decode(message.value(), received_at)
            if isinstance(event, Violation):
                invalid += 1
            else:
                events[topic.name].append(event)
        return events, invalid


def _begin_at_the_end(consumer: Consumer, topic: str) -> None:
    """On the group's first start, commit the end of every partition as its beginning.

    Tried again for a while: of a topic just made, the brokers don't know the leaders yet.
    """
    deadline = time.monotonic() + _KAFKA_SECONDS
    while True:
        try:
            return _commit_ends(consumer, topic)
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise
            log.info("Kafka is not ready: %s", error)
            time.sleep(_IDLE_SECONDS)


def _commit_ends(consumer: Consumer, topic: str) -> None:
    metadata = consumer.list_topics(topic, timeout=_KAFKA_SECONDS).topics[topic]
    if metadata.error:
        raise KafkaException(metadata.error)
    partitions = [TopicPartition(topic, partition) for partition in metadata.partitions]
    if any(committed.offset >= 0 for committed in consumer.committed(partitions, timeout=_KAFKA_SECONDS)):
        return
    for partition in partitions:
        _, partition.offset = watermarks(consumer, partition)
    consumer.commit(offsets=partitions, asynchronous=False)

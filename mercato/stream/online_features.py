"""Clicks from Kafka to the sessions in Redis, at least once, with a state that doesn't mind."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from mercato.contracts.events import CLICKSTREAM, Click, Violation
from mercato.online.codec import Codec
from mercato.online.session import HOUSEHOLD_SESSION, KEEP, Step, household_session, log_of, reduce, step
from mercato.online.store import OnlineStore, OnlineUnavailable
from mercato.online.views import HOUSEHOLD_SESSION as VIEW
from mercato.settings import Settings
from mercato.stream.kafka import client_config
from mercato.stream.topics import ensure_topics, kafka_name
from mercato.stream.watermarks import watermarks

log = logging.getLogger(__name__)

GROUP = "online-features"
#: Clicks per write: what waits after a pause is taken together.
_MOST = 2_000
_IDLE_SECONDS = 0.2
_RETRY_SECONDS = 0.5
_KAFKA_SECONDS = 15
_LOG = tuple(name for name in HOUSEHOLD_SESSION.c if name.startswith("log_"))


class Counts(msgspec.Struct):
    """What became of the clicks: `written + unchanged + stale + invalid` of them were read.

    Attributes:
        invalid: broke the contract; the lake quarantines them.
        stale: too old to matter to a session that is still open.
        unchanged: already known, or cut off by newer ones.
        written: are in Redis now.
    """

    invalid: int = 0
    stale: int = 0
    unchanged: int = 0
    written: int = 0


def update(store: OnlineStore, clicks: Iterable[Click], now: datetime) -> Counts:
    """Merge clicks into their households' sessions.

    Idempotent, and indifferent to the order of the clicks; one process at a time may do this
    for a household, which Kafka's partitioning by household sees to.

    Raises:
        OnlineUnavailable: Redis is gone; do the same again.
    """
    counts = Counts()
    new: dict[int, list[Step]] = defaultdict(list)
    for click in clicks:
        if click.event_time < now - KEEP:
            counts.stale += 1
        else:
            new[click.household_id].append(step(click))
    known = {household: log_of(row) for household, row in store.read_many(Codec(VIEW, _LOG), new)}
    rows = []
    for household, steps in new.items():
        before = known.get(household, ())
        after = reduce(before, steps)
        fresh = len(set(after) - set(before))
        counts.written += fresh
        counts.unchanged += len(steps) - fresh
        if fresh:
            rows.append(msgspec.structs.asdict(household_session(household, after, datetime.now(UTC))))
    store.write(VIEW, rows)
    return counts


class Updater:
    """Follows clickstream.v1 as one consumer group.

    On its very first start it begins at the end of the topic, and says so to Kafka, so that
    from then on nothing is missed, whatever stops it.
    """

    def __init__(self, settings: Settings) -> None:
        """Connect; the topic is made if it is not there.

        Raises:
            mercato.settings.NotRunningError: Kafka or Redis has no address.
            KafkaException: the broker does not answer.
        """
        ensure_topics(settings)
        self._store = OnlineStore(settings)
        self._consumer = Consumer(
            client_config(settings)
            | {
                "group.id": f"{settings.topic_prefix}{GROUP}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",  # of partitions added later
                "fetch.wait.max.ms": 20,
                "session.timeout.ms": 10_000,
            }
        )
        topic = kafka_name(settings, CLICKSTREAM.name)
        try:
            _begin_at_the_end(self._consumer, topic)
        except KafkaException:
            self._consumer.close()
            raise
        self._consumer.subscribe([topic])

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
        return [first, *self._consumer.consume(_MOST - 1, timeout=0)]

    def _handle(self, messages: Sequence[Message], stop: threading.Event) -> None:
        clicks, invalid = _decode(messages)
        while not stop.is_set():
            try:
                counts = update(self._store, clicks, datetime.now(UTC))
                counts.invalid = invalid
                self._store.count(GROUP, msgspec.structs.asdict(counts))
            except OnlineUnavailable as error:
                log.warning("%s; trying again", error)
                stop.wait(_RETRY_SECONDS)
            else:
                self._consumer.commit(asynchronous=True)
                return


def _decode(messages: Sequence[Message]) -> tuple[list[Click], int]:
    clicks: list[Click] = []
    invalid = 0
    for message in messages:
        if error := message.error():
            if error.code() != KafkaError._PARTITION_EOF and not error.retriable():
                raise KafkaException(error)
            log.warning("Kafka: %s", error)
            continue
        received_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=message.timestamp()[1])
        event = CLICKSTREAM.decode(message.value(), received_at)
        if isinstance(event, Violation):
            invalid += 1
        else:
            assert isinstance(event, Click)
            clicks.append(event)
    return clicks, invalid


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
    if any(found.offset >= 0 for found in consumer.committed(partitions, timeout=_KAFKA_SECONDS)):
        return
    for partition in partitions:
        _, partition.offset = watermarks(consumer, partition)
    consumer.commit(offsets=partitions, asynchronous=False)

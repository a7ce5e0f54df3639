"""Kafka -> bronze, exactly once: offsets travel inside the Delta commit (docs/adr/0003)."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import TopicDescription
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError

from mercato.contracts.arrow import UTC_MICROS
from mercato.contracts.events import TOPICS, Topic
from mercato.contracts.tables.bronze import BRONZE
from mercato.lake.origin import OffsetsGoneError, bound, check
from mercato.lake.tables import Lake
from mercato.settings import Settings
from mercato.stream.kafka import client_config
from mercato.stream.offsets import watermarks
from mercato.stream.topics import describe, kafka_name

#: Records asked of Kafka at a time; a larger number only delays the flush.
_FETCH = 20_000
#: Seconds that Kafka may take to answer.
_TIMEOUT = 20
#: Seconds between two looks for partitions that were added to a topic.
_LOOK = 60.0
_WRITER = WriterProperties(compression="ZSTD", compression_level=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """When a micro-batch is written: whichever comes first.

    Attributes:
        records: records held over all topics.
        seconds: age of the oldest record held.
    """

    records: int = 200_000
    seconds: float = 2.0


def app_id(topic: Topic, partition: int) -> str:
    """Delta app transaction that holds a partition's next offset."""
    return f"ingest:{topic.name}:{partition}"


def next_offset(table: DeltaTable, topic: Topic, partition: int) -> int | None:
    """First offset that bronze does not hold; `None` if it holds none."""
    version: int | None = table.transaction_version(app_id(topic, partition))
    return version


class Ingester:
    """Copies topics to their bronze tables.

    Args:
        settings: gives the broker and the topic prefix.
        lake: where bronze is.
        topics: all topics unless given.
        on_batch: called with the topic and the number of records after each commit.

    Raises:
        OffsetsGoneError: Kafka no longer has what bronze lacks, or bronze is of another Kafka.
        KafkaException: the broker did not answer, or lacks a topic.
    """

    def __init__(
        self,
        settings: Settings,
        lake: Lake,
        topics: Iterable[Topic] = tuple(TOPICS.values()),
        limits: Limits = Limits(),
        on_batch: Callable[[Topic, int], None] = lambda _topic, _records: None,
    ) -> None:
        self._settings = settings
        self._topics = {kafka_name(settings, topic.name): topic for topic in topics}
        self._limits = limits
        self._on_batch = on_batch
        described = describe(settings, self._topics.values())
        self._tables = {
            topic.name: bound(lake, topic, str(described[name].topic_id))
            for name, topic in self._topics.items()
        }
        self._consumer = Consumer(
            client_config(settings)
            | {
                "group.id": f"{settings.topic_prefix}mercato-ingest",
                "enable.auto.commit": False,
                "fetch.max.bytes": 32 * 1024 * 1024,
                "max.partition.fetch.bytes": 8 * 1024 * 1024,
                "queued.max.messages.kbytes": 256 * 1024,
                "isolation.level": "read_committed",
                # The table says where to read on; what Kafka lacks must not be skipped unseen.
                "auto.offset.reset": "error",
                # The end of a partition may be markers of transactions, which are never delivered.
                "enable.partition.eof": True,
            }
        )
        # Kept here, because Kafka's own position is unknown after a seek until a record arrives.
        self._position: dict[tuple[str, int], int] = {}
        self._read_also(described)
        self._looked = time.monotonic()

    def run_once(self, stop: threading.Event | None = None) -> int:
        """Copy what the topics hold now, or less if `stop` is set. Returns the number of records written."""
        # Else each question waits behind a fetch, which waits for records: half a second a partition.
        assigned = self._consumer.assignment()
        self._consumer.pause(assigned)
        ends = {key: watermarks(self._consumer, TopicPartition(*key))[1] for key in self._position}
        self._consumer.resume(assigned)
        halt = stop or threading.Event()
        return self._run(
            lambda: not halt.is_set() and any(self._position[key] < end for key, end in ends.items())
        )

    def run(self, stop: threading.Event) -> int:
        """Copy until `stop` is set, also of partitions that are added; what is held then is written first."""

        def more() -> bool:
            if time.monotonic() - self._looked >= _LOOK:
                self._look_again()
            return not stop.is_set()

        return self._run(more)

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def _run(self, more: Callable[[], bool]) -> int:
        buffer: dict[str, list[Message]] = defaultdict(list)
        count, oldest, written = 0, time.monotonic(), 0
        while True:
            going = more()
            fetched = self._fetch(buffer, self._limits.records - count) if going else 0
            if fetched and not count:
                oldest = time.monotonic()
            count += fetched
            age = time.monotonic() - oldest
            if count and (not going or count >= self._limits.records or age >= self._limits.seconds):
                written += self._flush(buffer)
                count = 0
            elif not going:
                # Only here, because a flush that met another ingester's commit makes more to do.
                return written

    def _fetch(self, buffer: dict[str, list[Message]], most: int) -> int:
        fetched = 0
        for message in self._consumer.consume(min(most, _FETCH), timeout=0.1):
            name, partition = message.topic(), message.partition()
            if (error := message.error()) is None:
                buffer[name].append(message)
                self._position[name, partition] = message.offset() + 1
                fetched += 1
            elif error.code() == KafkaError._PARTITION_EOF:
                self._position[name, partition] = message.offset()
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                raise _offsets_gone(name, partition, self._position[name, partition])
            else:
                raise KafkaException(error)
        return fetched

    def _flush(self, buffer: dict[str, list[Message]]) -> int:
        written = sum(self._commit(name, messages) for name, messages in buffer.items() if messages)
        buffer.clear()
        return written

    def _commit(self, name: str, messages: list[Message]) -> int:
        topic = self._topics[name]
        ends = {message.partition(): message.offset() + 1 for message in messages}
        transactions = [Transaction(app_id(topic, p), end) for p, end in ends.items()]
        try:
            write_deltalake(
                self._tables[topic.name],
                to_arrow(topic, messages),
                mode="append",
                writer_properties=_WRITER,
                # No retry: a commit by somebody else may have moved the offsets we started from.
                commit_properties=CommitProperties(app_transactions=transactions, max_commit_retries=0),
            )
        except CommitFailedError:
            self._rewind(name)
            return 0
        self._on_batch(topic, len(messages))
        return len(messages)

    def _rewind(self, name: str) -> None:
        self._tables[self._topics[name].name].update_incremental()
        for key in [key for key in self._position if key[0] == name]:
            self._position[key] = self._start(*key)
            self._consumer.seek(TopicPartition(*key, self._position[key]))

    def _look_again(self) -> None:
        """Read also the partitions that were added; no other topic may have come in a topic's place."""
        self._looked = time.monotonic()
        try:
            described = describe(self._settings, self._topics.values())
            for name, topic in self._topics.items():
                check(self._tables[topic.name], topic, str(described[name].topic_id))
            self._read_also(described)
        except KafkaException as error:
            log.warning("Kafka does not tell its partitions, and is asked again later: %s", error)

    def _read_also(self, described: Mapping[str, TopicDescription]) -> None:
        """Read the partitions that are not read yet, beside the others."""
        found = [(name, partition.id) for name, topic in described.items() for partition in topic.partitions]
        new = [key for key in found if key not in self._position]
        for name in {name for name, _ in new}:
            self._consumer.list_topics(name, timeout=_TIMEOUT)  # else it does not know them for minutes
        self._position |= {key: self._start(*key) for key in new}
        if new:
            self._consumer.assign([TopicPartition(*key, at) for key, at in self._position.items()])

    def _start(self, name: str, partition: int) -> int:
        topic = self._topics[name]
        low, high = watermarks(self._consumer, TopicPartition(name, partition))
        resume_at = next_offset(self._tables[topic.name], topic, partition)
        return _position(name, partition, resume_at, low, high)


def _offsets_gone(name: str, partition: int, offset: int) -> OffsetsGoneError:
    return OffsetsGoneError(
        f"Kafka does not have offset {offset} of {name}[{partition}], at which bronze goes on. If the broker "
        "was made anew, use a new lake (MERCATO_LAKE_URI); if records expired, bronze lacks them."
    )


def to_arrow(topic: Topic, messages: list[Message]) -> pa.Table:
    """Bronze rows of Kafka records, column by column."""
    table = BRONZE[topic.name]
    c = table.c
    count = len(messages)
    kafka_millis = np.fromiter((m.timestamp()[1] for m in messages), np.int64, count)
    now = np.full(count, time.time_ns() // 1000, np.int64)
    columns = {
        c.key: pa.array([m.key() for m in messages], pa.binary()),
        c.value: pa.array([m.value() for m in messages], pa.binary()),
        c.topic: pa.DictionaryArray.from_arrays(np.zeros(count, np.int8), [topic.name]).cast(pa.string()),
        c.partition: pa.array(np.fromiter((m.partition() for m in messages), np.int32, count)),
        c.offset: pa.array(np.fromiter((m.offset() for m in messages), np.int64, count)),
        c.kafka_time: pa.array(kafka_millis * 1000).cast(UTC_MICROS),
        c.ingest_time: pa.array(now).cast(UTC_MICROS),
    }
    return pa.table([columns[name] for name in c], names=list(c))


def lag(settings: Settings, lake: Lake) -> dict[str, int]:
    """Records per topic that Kafka holds and bronze does not yet.

    Raises:
        OffsetsGoneError: Kafka no longer has what bronze lacks.
    """
    described = describe(settings, TOPICS.values())
    consumer = Consumer(client_config(settings) | {"group.id": "mercato-lag"})
    try:
        return {
            topic.name: _behind(consumer, lake, topic, name, described[name])
            for topic in TOPICS.values()
            if (name := kafka_name(settings, topic.name))
        }
    finally:
        consumer.close()


def _behind(consumer: Consumer, lake: Lake, topic: Topic, name: str, described: TopicDescription) -> int:
    table = lake.own(BRONZE[topic.name])
    if table:
        check(table, topic, str(described.topic_id))
    behind = 0
    for partition in described.partitions:
        low, high = watermarks(consumer, TopicPartition(name, partition.id))
        resume_at = next_offset(table, topic, partition.id) if table else None
        behind += high - _position(name, partition.id, resume_at, low, high)
    return behind


def _position(name: str, partition: int, resume_at: int | None, low: int, high: int) -> int:
    """Offset at which bronze goes on, given the one that it names and those that Kafka has."""
    if resume_at is None:
        return low
    if not low <= resume_at <= high:
        raise _offsets_gone(name, partition, resume_at)
    return resume_at

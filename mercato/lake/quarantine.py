"""Records that broke their contract: kept in Delta, told on Kafka, sent again on demand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from mercato.contracts.arrow import UTC_MICROS
from mercato.contracts.events import TOPICS, Topic, Violation
from mercato.contracts.tables.silver import QUARANTINE
from mercato.errors import MercatoError
from mercato.lake.changes import LogCleanedError
from mercato.lake.storage import filesystem
from mercato.lake.tables import Lake
from mercato.settings import Settings
from mercato.stream import quarantine
from mercato.stream.kafka import client_config
from mercato.stream.offsets import watermarks
from mercato.stream.topics import kafka_name

Q = QUARANTINE.c
#: What a refused record is known by, in the table and in its headers on a quarantine topic.
PLACE = (Q.topic, Q.partition, Q.offset)
#: Reason of a record whose event is known from another one.
DUPLICATE = "duplicate"
#: Header of a record that was sent to its topic again.
REPLAYED = "replayed"

#: App transaction in the quarantine's own log: its version that Kafka has been told of.
_PUBLISHED = "quarantine->kafka"
#: The broker's limit.
_MAX_MESSAGE_BYTES = 2_097_152
_TIMEOUT = 30
#: Records held as Python objects, which weigh many times what they do in the table.
_AT_A_TIME = 10_000


class NotDeliveredError(MercatoError):
    """Kafka did not take every record; what it did take is harmless when sent again."""


def publish(settings: Settings, lake: Lake) -> int:
    """Tell each topic's quarantine topic of refused records that it does not have yet.

    What has been told is marked in the table after Kafka has it. A kill between the two is
    made good by looking on Kafka for the places of the records about to be told.

    Returns:
        Number of records told.

    Raises:
        mercato.settings.NotRunningError: Kafka has no address.
        NotDeliveredError: Kafka did not take them all.
    """
    delta = lake.own(QUARANTINE)
    if delta is None:
        return 0
    upto, after = delta.version(), lake.mark(QUARANTINE, _PUBLISHED)
    rows = _new_rows(lake, after, upto)
    if not rows.num_rows:
        return 0
    sent = 0
    with _Sender(settings) as sender:
        for name in pc.unique(rows[Q.topic]).to_pylist():
            refused = rows.filter(pc.equal(rows[Q.topic], name))
            since = pc.min(refused[Q.quarantined_at]).as_py()
            there = _places_since(settings, kafka_name(settings, TOPICS[name].quarantine), since)
            for batch in refused.to_batches(max_chunksize=_AT_A_TIME):
                for row in batch.to_pylist():
                    if tuple(str(row[part]) for part in PLACE) not in there:
                        _tell(sender, settings, TOPICS[name], row)
                        sent += 1
    lake.set_marks(QUARANTINE, {_PUBLISHED: upto})
    return sent


def listing(
    lake: Lake, topic: str | None = None, code: str | None = None, replayed: bool | None = False
) -> pa.Table:
    """Quarantined records in the order of their places.

    Args:
        topic: only of this topic.
        code: only with this reason code.
        replayed: only those (not) sent again; `None` for both.
    """
    rows = lake.read_arrow(QUARANTINE)
    if topic is not None:
        rows = rows.filter(pc.equal(rows[Q.topic], topic))
    if code is not None:
        rows = rows.filter(pc.equal(rows[Q.code], code))
    if replayed is not None:
        rows = rows.filter(pc.equal(pc.is_valid(rows[Q.replayed_at]), replayed))
    return rows.sort_by([(name, "ascending") for name in PLACE])


def without_duplicates(rows: pa.Table) -> pa.Table:
    """Records that may be accepted when they are sent again as they came: a duplicate is one for ever."""
    return rows.filter(pc.not_equal(rows[Q.code], DUPLICATE))


def replay(settings: Settings, lake: Lake, rows: pa.Table, values: Sequence[bytes] | None = None) -> int:
    """Send records to their topics again, then mark them as replayed.

    A kill between the two leaves them unmarked: sent once more, they are refused as duplicates.

    Args:
        rows: as `listing` returns them.
        values: corrected values, one per row; the original bytes unless given.

    Returns:
        Number of records sent.

    Raises:
        NotDeliveredError: Kafka did not take them all; none is marked.
    """
    if not rows.num_rows:
        return 0
    chosen = rows[Q.value].to_pylist() if values is None else values
    with _Sender(settings) as sender:
        for topic, key, value in zip(rows[Q.topic].to_pylist(), rows[Q.key].to_pylist(), chosen, strict=True):
            sender.send(kafka_name(settings, topic), key=key, value=value, headers=[(REPLAYED, b"true")])
    now = pa.array([dt.datetime.now(dt.UTC)] * rows.num_rows, UTC_MICROS)
    marks = rows.select(list(PLACE)).append_column(Q.replayed_at, now)
    on = " AND ".join(f"target.{name} = source.{name}" for name in PLACE)
    merge = lake.create(QUARANTINE).merge(marks, predicate=on, source_alias="source", target_alias="target")
    merge.when_matched_update({Q.replayed_at: f"source.{Q.replayed_at}"}).execute()
    return int(rows.num_rows)


def _new_rows(lake: Lake, after: int | None, upto: int) -> pa.Table:
    """Rows of versions `after + 1` to `upto`; marking rows as replayed makes none new."""
    try:
        changes = lake.changes(QUARANTINE, after, upto)
        added, removed = _read(changes.added), _read(changes.removed)
    except (LogCleanedError, FileNotFoundError):
        return listing(lake, replayed=None)
    return added.join(removed.select(list(PLACE)), list(PLACE), join_type="left anti")


def _read(files: Iterator[str] | Sequence[str] | dict[str, int]) -> pa.Table:
    tables = []
    for file in files:
        storage, path = filesystem(file)
        rows = pq.read_table(path, columns=list(Q), filesystem=storage)
        tables.append(rows.cast(QUARANTINE.arrow_schema))
    return pa.concat_tables([QUARANTINE.arrow_schema.empty_table(), *tables])


def _tell(sender: _Sender, settings: Settings, topic: Topic, row: dict[str, Any]) -> None:
    violation = Violation(row[Q.code], row[Q.field], row[Q.reason])
    place = {name: row[name] for name in (Q.partition, Q.offset)}
    sender.send(
        kafka_name(settings, topic.quarantine),
        key=row[Q.key],
        value=quarantine.value_to_send(row[Q.value]),
        headers=quarantine.headers(topic, violation, place),
        # The time by which `_places_since` finds it again.
        timestamp=int(row[Q.quarantined_at].timestamp() * 1000),
    )


def _places_since(settings: Settings, topic: str, since: dt.datetime) -> set[tuple[str, ...]]:
    """Places of the records that a quarantine topic has been told of since a moment."""
    consumer = Consumer(
        client_config(settings)
        | {
            "group.id": f"{settings.topic_prefix}mercato-quarantine",
            "enable.auto.commit": False,
        }
    )
    try:
        places: set[tuple[str, ...]] = set()
        for partition in consumer.list_topics(topic, timeout=_TIMEOUT).topics[topic].partitions:
            end = watermarks(consumer, TopicPartition(topic, partition))[1]
            wanted = TopicPartition(topic, partition, int(since.timestamp() * 1000))
            (start,) = consumer.offsets_for_times([wanted], timeout=_TIMEOUT)
            if start.offset < 0:
                continue
            consumer.assign([start])
            at = start.offset
            while at < end:
                for message in consumer.consume(1000, timeout=1):
                    if message.error():
                        raise KafkaException(message.error())
                    at = message.offset() + 1
                    headers = dict(message.headers() or [])
                    places.add(tuple(headers.get(part, b"").decode() for part in PLACE))
        return places
    finally:
        consumer.close()


class _Sender:
    """A producer that knows at the end of its `with` that Kafka has every record."""

    def __init__(self, settings: Settings) -> None:
        self._producer = Producer(
            client_config(settings)
            | {
                "enable.idempotence": True,
                "message.max.bytes": _MAX_MESSAGE_BYTES,
            }
        )
        self._errors: list[str] = []

    def __enter__(self) -> _Sender:
        return self

    def send(self, topic: str, **record: Any) -> None:
        while True:
            try:
                self._producer.produce(topic, on_delivery=self._delivered, **record)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        left = self._producer.flush(_TIMEOUT)
        if failure is None and (left or self._errors):
            cause = self._errors[0] if self._errors else f"no answer within {_TIMEOUT} s"
            raise NotDeliveredError(
                f"Kafka did not take {left + len(self._errors)} records ({cause}): run the command again."
            )

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._errors.append(str(error))

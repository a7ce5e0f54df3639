"""Records that broke their contract: told on Kafka, kept in Delta, sent again on demand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import Producer

from mercato.contracts.events import TOPICS
from mercato.contracts.tables.silver import QUARANTINE
from mercato.lake.tables import Lake
from mercato.settings import Settings
from mercato.stream.topics import kafka_name

Q = QUARANTINE.c


def _producer(settings: Settings) -> Producer:
    return Producer({"bootstrap.servers": settings.require("kafka_bootstrap"), "enable.idempotence": True})


def _flush(producer: Producer) -> None:
    if left := producer.flush(30):
        raise RuntimeError(f"Kafka did not take {left} records within 30 s; run the command again.")


def publisher(settings: Settings) -> Callable[[Iterable[Any]], None]:
    """A function that tells refused rows on their topic's quarantine topic, if Kafka has an address.

    At least once: the headers' partition and offset tell one record's repetitions.
    """
    if settings.endpoint("kafka_bootstrap") is None:
        return lambda _rows: None

    def publish(rows: Iterable[Any]) -> None:
        producer = _producer(settings)
        for row in rows:
            names = (Q.code, Q.field, Q.reason, Q.topic, Q.partition, Q.offset)
            headers = [(name, str(row[name]).encode()) for name in names]
            topic = kafka_name(settings, TOPICS[row[Q.topic]].quarantine)
            producer.produce(topic, value=row[Q.value], key=row[Q.key], headers=headers)
            producer.poll(0)
        _flush(producer)

    return publish


def listing(
    lake: Lake, topic: str | None = None, code: str | None = None, replayed: bool | None = False
) -> pa.Table:
    """Quarantined records, oldest first.

    Args:
        topic: only of this topic.
        code: only with this reason code.
        replayed: only those (not) sent again; `None` for both.
    """
    delta = lake.own(QUARANTINE)
    if delta is None:
        return QUARANTINE.arrow_schema.empty_table()
    rows = delta.to_pyarrow_table().select(list(Q))
    if topic is not None:
        rows = rows.filter(pc.equal(rows[Q.topic], topic))
    if code is not None:
        rows = rows.filter(pc.equal(rows[Q.code], code))
    if replayed is not None:
        rows = rows.filter(pc.equal(pc.is_valid(rows[Q.replayed_at]), replayed))
    return rows.sort_by([(name, "ascending") for name in (Q.topic, Q.partition, Q.offset)])


def replay(settings: Settings, lake: Lake, rows: pa.Table, values: Sequence[bytes] | None = None) -> int:
    """Send records to their topics again, then mark them as replayed.

    A kill between the two sends them twice, which the lake's check for duplicates absorbs.

    Args:
        rows: as `listing` returns them.
        values: corrected values, one per row; the original bytes unless given.

    Returns:
        Number of records sent.
    """
    if not rows.num_rows:
        return 0
    producer = _producer(settings)
    originals = rows[Q.value].to_pylist()
    keys, topics = rows[Q.key].to_pylist(), rows[Q.topic].to_pylist()
    for topic, key, value in zip(topics, keys, values or originals, strict=True):
        producer.produce(kafka_name(settings, topic), value=value, key=key, headers=[("replayed", b"true")])
        producer.poll(0)
    _flush(producer)
    delta = lake.create(QUARANTINE)
    now = dt.datetime.now(dt.UTC)
    marked = rows.set_column(
        rows.schema.get_field_index(Q.replayed_at), Q.replayed_at, pa.array([now] * len(rows), pa.timestamp("us", "UTC"))
    )
    on = " AND ".join(f"target.{name} = source.{name}" for name in QUARANTINE.key)
    delta.merge(marked, predicate=on, source_alias="source", target_alias="target").when_matched_update(
        {Q.replayed_at: f"source.{Q.replayed_at}"}
    ).execute()
    return int(rows.num_rows)

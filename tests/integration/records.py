"""Kafka records and bronze rows for tests of the lake."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pyarrow as pa
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import CommitProperties, Transaction, write_deltalake

from mercato.contracts.events import PAYMENTS, TOPICS, Payment, Topic
from mercato.contracts.tables.bronze import BRONZE
from mercato.lake.ingest import Ingester, app_id
from mercato.lake.tables import Lake
from mercato.settings import Settings
from mercato.stream.offsets import watermarks
from mercato.stream.topics import describe, ensure_topics, kafka_name
from tests.waiting import eventually


def payment(number: int, **changed: object) -> bytes:
    """A valid payment; `changed` replaces its fields."""
    fields = {
        "event_id": f"p{number}",
        "event_time": datetime(2026, 1, 1, tzinfo=UTC),
        "household_id": 1 + number % 50,
        "store_id": 1 + number % 7,
        "basket_id": 1 + number,
        "card_id": "card",
        "terminal_id": "till",
        "amount": number / 100,
        "entry_mode": "chip",
    }
    return PAYMENTS.encode(Payment(**{**fields, **changed}))  # type: ignore[arg-type]


def produce(settings: Settings, topic: Topic, values: Iterable[bytes | None], partitions: int = 4) -> None:
    """Send values, spread over the partitions at random with a fixed seed."""
    producer = Producer({"bootstrap.servers": settings.require("kafka_bootstrap"), "linger.ms": 20})
    name, chance = kafka_name(settings, topic.name), random.Random(7)
    for number, value in enumerate(values):
        producer.produce(name, value=value, key=str(number).encode(), partition=chance.randrange(partitions))
        if number % 1000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0


def make_anew(settings: Settings, topic: Topic) -> None:
    """Delete a topic with what it holds, and make it again: it counts from 0, as on a new broker."""
    admin, name = AdminClient({"bootstrap.servers": settings.require("kafka_bootstrap")}), topic.name
    full = kafka_name(settings, name)
    admin.delete_topics([full])[full].result(20)
    assert eventually(lambda: full in ensure_topics(settings))
    # Each partition has a leader a little later.
    eventually(lambda: describe(settings, [topic]))


def ingest(settings: Settings, lake: Lake, topics: Iterable[Topic] = tuple(TOPICS.values())) -> int:
    """Copy once what is on the topics; how many records that were."""
    ingester = Ingester(settings, lake, topics)
    try:
        return ingester.run_once()
    finally:
        ingester.close()


def consume(settings: Settings, name: str) -> list[Message]:
    """Everything on a topic of this test."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.require("kafka_bootstrap"),
            "group.id": "test",
            "enable.auto.commit": False,
        }
    )
    messages: list[Message] = []
    full = f"{settings.topic_prefix}{name}"
    for partition in consumer.list_topics(full, timeout=20).topics[full].partitions:
        end = watermarks(consumer, TopicPartition(full, partition))[1]
        consumer.assign([TopicPartition(full, partition, 0)])
        start = len(messages)
        while len(messages) - start < end:
            messages += [m for m in consumer.consume(1000, timeout=1) if not m.error()]
    consumer.close()
    return messages


def bronze(lake: Lake, topic: Topic) -> pa.Table:
    """The bronze table's rows by partition and offset."""
    table = BRONZE[topic.name]
    return lake.read_arrow(table).sort_by([(table.c.partition, "ascending"), (table.c.offset, "ascending")])


def assert_once(rows: pa.Table, values: Sequence[bytes | None]) -> None:
    """Each value is there exactly once and no partition has a gap."""
    assert sorted(v or b"" for v in rows["value"].to_pylist()) == sorted(v or b"" for v in values)
    offsets: dict[int, list[int]] = {}
    for partition, offset in zip(rows["partition"].to_pylist(), rows["offset"].to_pylist(), strict=True):
        offsets.setdefault(partition, []).append(offset)
    assert all(found == list(range(len(found))) for found in offsets.values())


def write_bronze(lake: Lake, topic: Topic, values: Sequence[bytes | None], partition: int = 0) -> None:
    """Append values to the bronze table as an ingester would, after what its partition holds."""
    table = BRONZE[topic.name]
    delta = lake.create(table)
    mark = app_id(topic, partition)
    start, now = delta.transaction_version(mark) or 0, datetime.now(UTC)
    rows = [
        {"key": b"k", "value": value, "topic": topic.name, "partition": partition, "offset": start + number}
        | {"kafka_time": now, "ingest_time": now}
        for number, value in enumerate(values)
    ]
    end = CommitProperties(app_transactions=[Transaction(mark, start + len(values))])
    nullable = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
    write_deltalake(delta, pa.Table.from_pylist(rows, nullable), mode="append", commit_properties=end)

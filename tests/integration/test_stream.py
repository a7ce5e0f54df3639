"""The Structured Streaming counterpart writes what the ingester writes."""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from glue_jobs.bronze import stream
from mercato.contracts.events import CLICKSTREAM, PAYMENTS, WEATHER, Topic
from mercato.contracts.tables.bronze import BRONZE
from mercato.lake.session import connect
from mercato.lake.tables import Lake
from mercato.settings import Settings
from mercato.stream.topics import ensure_topics, kafka_name
from tests.integration.records import assert_once, bronze, ingest, make_anew, payment, produce
from tests.waiting import eventually

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.integration, pytest.mark.slow]
TABLE = BRONZE[PAYMENTS.name]


@pytest.fixture(scope="module")
def spark(stack_settings: Settings) -> Iterator[SparkSession]:
    with connect(stack_settings, "spark") as session:
        yield session


def drain(spark: SparkSession, settings: Settings, lake: Lake) -> None:
    stream.copy(spark, settings, lake, [PAYMENTS])


def holds(lake: Lake, topic: Topic, values: list[bytes]) -> bool:
    return bool(bronze(lake, topic).num_rows == len(values))


def expire(settings: Settings, topic: Topic) -> None:
    """Let Kafka forget what it holds, as after the topic's retention."""
    admin = AdminClient({"bootstrap.servers": settings.require("kafka_bootstrap")})
    all_of_it = [
        TopicPartition(kafka_name(settings, topic.name), partition, -1)
        for partition in range(topic.partitions)
    ]
    for done in admin.delete_records(all_of_it).values():
        done.result(20)


def test_writes_the_same_rows_and_repeats_no_batch(
    settings: Settings, spark: SparkSession, tmp_path: Path
) -> None:
    ensure_topics(settings)
    first = [payment(number) for number in range(300)] + [b"\xff broken", None]
    produce(settings, PAYMENTS, first)
    streamed, ingested = Lake(str(tmp_path / "streamed")), Lake(str(tmp_path / "ingested"))
    drain(spark, settings, streamed)
    ingest(settings, ingested, [PAYMENTS])
    same = [name for name in TABLE.c if name != TABLE.c.ingest_time]
    assert bronze(streamed, PAYMENTS).select(same).equals(bronze(ingested, PAYMENTS).select(same))
    assert bronze(streamed, PAYMENTS).schema == bronze(ingested, PAYMENTS).schema

    # A batch that is repeated, as after a crash before the checkpoint, adds nothing.
    version, rows = streamed.version(TABLE), streamed.read(spark, TABLE)
    batch = rows.withColumnRenamed(TABLE.c.kafka_time, "timestamp")
    checkpoint = streamed.beside(TABLE.layer, f"checkpoints/{PAYMENTS.short_name}")
    stream.write_batch(batch, 0, path=streamed.path(TABLE), topic=PAYMENTS.name, checkpoint=checkpoint)
    assert streamed.version(TABLE) == version

    # The stream goes on in a table that the ingester began.
    second = [payment(number) for number in range(1000, 1100)]
    produce(settings, PAYMENTS, second)
    drain(spark, settings, ingested)
    drain(spark, settings, streamed)
    assert_once(bronze(ingested, PAYMENTS), [*first, *second])
    assert_once(bronze(streamed, PAYMENTS), [*first, *second])

    # Nor does one whose checkpoint was removed lose or repeat any, though it numbers its batches anew.
    shutil.rmtree(checkpoint)
    third = [payment(number) for number in range(2000, 2100)]
    produce(settings, PAYMENTS, third)
    drain(spark, settings, streamed)
    assert_once(bronze(streamed, PAYMENTS), [*first, *second, *third])


def test_a_topic_that_kafka_does_not_have_yet_keeps_no_other_from_being_copied(
    settings: Settings, spark: SparkSession, tmp_path: Path
) -> None:
    admin = AdminClient({"bootstrap.servers": settings.require("kafka_bootstrap")})
    (made,) = admin.create_topics(
        [NewTopic(kafka_name(settings, PAYMENTS.name), PAYMENTS.partitions)]
    ).values()
    made.result(20)
    values = [payment(number) for number in range(20)]
    eventually(lambda: produce(settings, PAYMENTS, values))
    lake = Lake(str(tmp_path / "lake"))
    with pytest.raises(stream.NotCopiedError, match=r"Not copied to bronze: weather\.v1\."):
        stream.copy(spark, settings, lake, [WEATHER, PAYMENTS])
    assert holds(lake, PAYMENTS, values)


def test_after_events_expired_a_stream_without_its_checkpoint_goes_on_with_what_is_left(
    settings: Settings, spark: SparkSession, tmp_path: Path
) -> None:
    ensure_topics(settings)
    lake = Lake(str(tmp_path / "lake"))
    first, lost, left = ([payment(number) for number in range(at, at + 50)] for at in (0, 1000, 2000))
    produce(settings, PAYMENTS, first)
    drain(spark, settings, lake)
    produce(settings, PAYMENTS, lost)
    expire(settings, PAYMENTS)
    produce(settings, PAYMENTS, left)
    with pytest.raises(stream.NotCopiedError):
        drain(spark, settings, lake)
    shutil.rmtree(lake.beside(TABLE.layer, f"checkpoints/{PAYMENTS.short_name}"))
    drain(spark, settings, lake)
    assert sorted(bronze(lake, PAYMENTS)[TABLE.c.value].to_pylist()) == sorted([*first, *left])


def test_a_topic_made_anew_is_not_taken_for_the_one_in_bronze(
    settings: Settings, spark: SparkSession, tmp_path: Path
) -> None:
    ensure_topics(settings)
    lake = Lake(str(tmp_path / "lake"))
    first, others = ([payment(number) for number in range(at, at + 20)] for at in (0, 1000))
    produce(settings, PAYMENTS, first)
    drain(spark, settings, lake)
    make_anew(settings, PAYMENTS)
    produce(settings, PAYMENTS, [*others, *others])
    with pytest.raises(stream.NotCopiedError, match=r"payments\.v1 was made anew"):
        drain(spark, settings, lake)
    shutil.rmtree(lake.beside(TABLE.layer, f"checkpoints/{PAYMENTS.short_name}"))
    with pytest.raises(stream.NotCopiedError, match=r"payments\.v1 was made anew"):
        drain(spark, settings, lake)
    assert_once(bronze(lake, PAYMENTS), first)


def test_one_topic_that_cannot_be_read_on_keeps_no_other_from_being_copied(
    settings: Settings, spark: SparkSession, tmp_path: Path
) -> None:
    ensure_topics(settings)
    lake, topics = Lake(str(tmp_path / "lake")), [PAYMENTS, CLICKSTREAM, WEATHER]
    for topic in topics:
        produce(settings, topic, [b"first"])
    stream.copy(spark, settings, lake, topics)
    for topic in topics:
        produce(settings, topic, [b"second"])
    expire(settings, PAYMENTS)
    with pytest.raises(stream.NotCopiedError, match=r"Not copied to bronze: payments\.v1\..*") as failed:
        stream.copy(spark, settings, lake, topics, follow=True)
    assert "clickstream.v1" not in str(failed.value).partition(". ")[0]
    assert_once(bronze(lake, PAYMENTS), [b"first"])
    for topic in (CLICKSTREAM, WEATHER):
        assert_once(bronze(lake, topic), [b"first", b"second"])


def test_following_goes_on_with_what_comes_of_every_topic(
    settings: Settings, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_INTERVAL", "1 second")
    ensure_topics(settings)
    lake, topics = Lake(str(tmp_path / "lake")), [PAYMENTS, WEATHER]
    following = threading.Thread(
        target=stream.copy, args=(spark, settings, lake, topics), kwargs={"follow": True}
    )
    following.start()
    # The second comes when what was there at the start is copied for certain.
    for held in ([b"first"], [b"first", b"second"]):
        for topic in topics:
            produce(settings, topic, held[-1:])
        for topic in topics:
            assert eventually(functools.partial(holds, lake, topic, held), 60)
    assert len(spark.streams.active) == len(topics)
    spark.streams.active[0].stop()
    following.join(60)
    assert not following.is_alive()
    assert spark.streams.active == []
    for topic in topics:
        assert_once(bronze(lake, topic), [b"first", b"second"])

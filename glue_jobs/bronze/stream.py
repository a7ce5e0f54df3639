"""Copy topics to their bronze tables with Structured Streaming, exactly once.

Spark keeps its offsets in the checkpoint and numbers the batches; Delta takes each number of a
query once, so a batch repeated after a crash is no second one. A query without a checkpoint, which
counts from 0 again, starts after what the table holds: one that `mercato ingest` began, or one whose
checkpoint was removed. Never both at a time, and not the other way round: this one moves no marks.
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import TopicDescription
from pyarrow.fs import FileType
from pyspark.errors import PySparkException, StreamingQueryException
from pyspark.sql import functions as F

from mercato.contracts.events import Topic
from mercato.contracts.tables.bronze import BRONZE
from mercato.errors import MercatoError
from mercato.lake.ingest import app_id
from mercato.lake.origin import OffsetsGoneError, bound
from mercato.lake.storage import filesystem
from mercato.lake.tables import Lake
from mercato.settings import Settings
from mercato.stream.kafka import client_config
from mercato.stream.offsets import watermarks
from mercato.stream.topics import describe, kafka_name

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

log = logging.getLogger(__name__)

#: Says who asks for offsets, as one of those that the job's role may be; nothing is read by it.
_GROUP = "spark-kafka-source-starts"
#: Where a checkpoint has the id of its query.
_METADATA = "metadata"
#: Time between batches when following; each is a commit and, at S3, some writes to pay for.
_INTERVAL = "1 minute"
#: How Spark's Kafka client signs in to MSK with the role of the job.
_IAM = {
    "kafka.security.protocol": "SASL_SSL",
    "kafka.sasl.mechanism": "AWS_MSK_IAM",
    "kafka.sasl.jaas.config": "software.amazon.msk.auth.iam.IAMLoginModule required;",
    "kafka.sasl.client.callback.handler.class": "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
}


class NotCopiedError(MercatoError):
    """A topic could not be read on, or its table not be written."""


def copy(
    spark: SparkSession, settings: Settings, lake: Lake, topics: Iterable[Topic], *, follow: bool = False
) -> None:
    """Copy what Kafka holds of each topic and, with `follow`, what comes from then on, until stopped.

    What is there of all topics is copied before the first failure is raised, so one that cannot be read
    holds the others up only until the next start.

    Raises:
        NotCopiedError: names the topics that failed, and why the first did.
    """
    chosen = list(topics)
    drained: dict[str, StreamingQuery] = {}
    failed: dict[str, str] = {}
    for topic in chosen:
        try:
            drained[topic.name] = start(spark, settings, lake, topic)
        except (KafkaException, OffsetsGoneError, PySparkException) as error:
            failed[topic.name] = str(error)
    failed |= {name: reason for name, query in drained.items() if (reason := _failure(query))}
    if failed:
        raise NotCopiedError(f"Not copied to bronze: {', '.join(failed)}. {next(iter(failed.values()))}")
    if follow:
        # Else those that ended above count as the first to end.
        spark.streams.resetTerminated()
        followed = [start(spark, settings, lake, topic, follow=True) for topic in chosen]
        try:
            spark.streams.awaitAnyTermination()
        finally:
            for query in followed:
                query.stop()


def _failure(query: StreamingQuery) -> str | None:
    """Why a query failed, once it has ended."""
    try:
        query.awaitTermination()
    except StreamingQueryException as error:
        return str(error)
    return None


def start(
    spark: SparkSession,
    settings: Settings,
    lake: Lake,
    topic: Topic,
    *,
    follow: bool = False,
) -> StreamingQuery:
    """Start the stream of one topic; its checkpoint is beside the lake's tables.

    Args:
        spark: a session on Spark; Sail has no Kafka source.
        follow: go on until stopped; otherwise the query ends with what Kafka holds now.
    """
    table, name = BRONZE[topic.name], kafka_name(settings, topic.name)
    checkpoint = lake.beside(table.layer, f"checkpoints/{topic.short_name}")
    described = describe(settings, [topic])[name]
    bound(lake, topic, str(described.topic_id))
    offsets = "earliest" if _began(checkpoint) else _starting_offsets(spark, settings, lake, topic, described)
    source = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.require("kafka_bootstrap"))
        .option("kafka.isolation.level", "read_committed")
        .options(**(_IAM if settings.kafka_auth == "iam" else {}))
        .option("subscribe", name)
        .option("startingOffsets", offsets)
        .load()
    )
    trigger = {"processingTime": _INTERVAL} if follow else {"availableNow": True}
    write = functools.partial(write_batch, path=lake.path(table), topic=topic.name, checkpoint=checkpoint)
    return (
        source.writeStream.foreachBatch(write)
        .option("checkpointLocation", checkpoint)
        .trigger(**trigger)
        .start()
    )


def write_batch(batch: DataFrame, number: int, *, path: str, topic: str, checkpoint: str) -> None:
    """Append one micro-batch of Kafka's source columns to the bronze table at `path`.

    Args:
        number: of the batch; Delta passes over one that it has of the same query.
        checkpoint: of the query, which has its id.
    """
    storage, folder = filesystem(checkpoint)
    with storage.open_input_stream(f"{folder}/{_METADATA}") as file:
        query = json.loads(file.read())["id"]
    application = {"txnAppId": f"stream:{topic}:{query}", "txnVersion": number}
    records(batch, topic).write.format("delta").mode("append").options(**application).save(path)


def records(batch: DataFrame, topic: str) -> DataFrame:
    """Bronze rows of the columns that Spark's Kafka source gives."""
    table = BRONZE[topic]
    c = table.c
    return batch.withColumns(
        {c.topic: F.lit(topic), c.kafka_time: F.col("timestamp"), c.ingest_time: F.current_timestamp()}
    ).select(*c)


def _began(checkpoint: str) -> bool:
    """Whether a query has noted there where it starts: from then on Spark asks for no offsets."""
    storage, path = filesystem(checkpoint)
    return bool(storage.get_file_info(f"{path}/sources/0/0").type != FileType.NotFound)


def _starting_offsets(
    spark: SparkSession, settings: Settings, lake: Lake, topic: Topic, described: TopicDescription
) -> str:
    """Offset per partition in Spark's JSON: after what bronze holds; -2 is the earliest that Kafka holds."""
    table, name = BRONZE[topic.name], kafka_name(settings, topic.name)
    c = table.c
    newest = lake.read(spark, table).groupBy(c.partition).agg(F.max(c.offset).alias(c.offset))
    held = {row[c.partition]: row[c.offset] + 1 for row in newest.collect()}
    starts = {}
    with closing(Consumer(client_config(settings) | {"group.id": _GROUP})) as kafka:
        for partition in (each.id for each in described.partitions):
            oldest, _ = watermarks(kafka, TopicPartition(name, partition))
            start = max(held.get(partition, 0), lake.mark(table, app_id(topic, partition)) or 0)
            if 0 < start < oldest:
                log.warning("%s[%d]: Kafka has lost %d to %d", name, partition, start, oldest - 1)
            starts[str(partition)] = start if start > oldest else -2
    return json.dumps({name: starts})

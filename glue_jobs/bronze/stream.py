"""Copy topics to their bronze tables with Structured Streaming, exactly once.

Spark keeps its offsets in the checkpoint and numbers the batches; Delta takes each number of an
application once, so a batch repeated after a crash is no second one. The first batch starts where
the table's own marks end, so that a table which `mercato ingest` began can go on here. Not the
other way round, and never both at a time: this one does not move the marks.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyspark.errors import StreamingQueryException
from pyspark.sql import functions as F

from mercato.contracts.events import Topic
from mercato.contracts.tables.bronze import BRONZE
from mercato.errors import MercatoError
from mercato.lake.ingest import app_id
from mercato.lake.tables import Lake
from mercato.settings import Settings
from mercato.stream.topics import kafka_name

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

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
    drained = {topic.name: start(spark, settings, lake, topic) for topic in chosen}
    failed = {name: reason for name, query in drained.items() if (reason := _failure(query))}
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
    source = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.require("kafka_bootstrap"))
        .option("kafka.isolation.level", "read_committed")
        .options(**(_IAM if settings.kafka_auth == "iam" else {}))
        .option("subscribe", name)
        .option("startingOffsets", _starting_offsets(lake, topic, name))
        .load()
    )
    lake.create(table)
    write = functools.partial(write_batch, path=lake.path(table), topic=topic.name)
    trigger = {"processingTime": _INTERVAL} if follow else {"availableNow": True}
    checkpoint = lake.beside(table.layer, f"checkpoints/{topic.short_name}")
    return (
        source.writeStream.foreachBatch(write)
        .option("checkpointLocation", checkpoint)
        .trigger(**trigger)
        .start()
    )


def write_batch(batch: DataFrame, number: int, *, path: str, topic: str) -> None:
    """Append one micro-batch of Kafka's source columns to the bronze table at `path`, once per `number`."""
    records(batch, topic).write.format("delta").mode("append").option("txnAppId", f"stream:{topic}").option(
        "txnVersion", number
    ).save(path)


def records(batch: DataFrame, topic: str) -> DataFrame:
    """Bronze rows of the columns that Spark's Kafka source gives."""
    table = BRONZE[topic]
    c = table.c
    return batch.withColumns(
        {c.topic: F.lit(topic), c.kafka_time: F.col("timestamp"), c.ingest_time: F.current_timestamp()}
    ).select(*c)


def _starting_offsets(lake: Lake, topic: Topic, name: str) -> str:
    """Offset per partition in Spark's JSON: after what bronze holds; -2 is the earliest."""
    marks = {p: lake.mark(BRONZE[topic.name], app_id(topic, p)) for p in range(topic.partitions)}
    return json.dumps({name: {str(p): -2 if mark is None else mark for p, mark in marks.items()}})

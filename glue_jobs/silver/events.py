"""What becomes of decoded records: accepted once, or refused with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.silver.decode import refusal
from mercato.contracts.events import Topic
from mercato.contracts.tables.bronze import BRONZE
from mercato.contracts.tables.silver import QUARANTINE, SILVER

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Q = QUARANTINE.c
_FIRST, _SEEN = "first", "seen"


def accepted(decoded: DataFrame, existing: DataFrame, topic: Topic) -> DataFrame:
    """Valid events that silver does not hold yet, each event id once (the first by partition and offset).

    Args:
        decoded: rows of `decode` over the new bronze records.
        existing: the silver table so far.
    """
    c = SILVER[topic.name].c
    place = [c.source_partition, c.source_offset]
    return (
        _valid(decoded)
        .join(_repeats(decoded, topic).select(*place), place, "left_anti")
        .join(existing.select(c.event_id), c.event_id, "left_anti")
        .select(*c)
    )


def refused(decoded: DataFrame, records: DataFrame, existing: DataFrame, topic: Topic) -> DataFrame:
    """Rows for the quarantine: broken contracts and duplicates of an event id.

    A record that silver already holds under its own partition and offset is being read a
    second time after a crash; it is no duplicate.

    Args:
        decoded: rows of `decode` over `records`.
        records: the new bronze records, for the bytes of the duplicates.
        existing: the silver table so far.
    """
    violations = decoded.where(F.col(refusal(Q.code)).isNotNull())
    names = (Q.key, Q.value, Q.code, Q.field, Q.reason, Q.kafka_time)
    broken = _quarantine_rows(violations, topic, *(F.col(refusal(name)).alias(name) for name in names))
    c, b = SILVER[topic.name].c, BRONZE[topic.name].c
    duplicates = _repeats(decoded, topic).unionByName(_already_held(decoded, existing, topic)).distinct()
    raw = records.select(
        F.col(b.partition).alias(c.source_partition),
        F.col(b.offset).alias(c.source_offset),
        b.key,
        b.value,
        b.kafka_time,
    )
    reason = F.concat(F.lit("Another record has event_id "), F.col(c.event_id), F.lit("."))
    doubled = _quarantine_rows(
        duplicates.join(raw, [c.source_partition, c.source_offset]),
        topic,
        F.col(b.key).alias(Q.key),
        F.col(b.value).alias(Q.value),
        F.lit("duplicate").alias(Q.code),
        F.lit("$.event_id").alias(Q.field),
        reason.alias(Q.reason),
        F.col(b.kafka_time).alias(Q.kafka_time),
    )
    return broken.unionByName(doubled)


def _valid(decoded: DataFrame) -> DataFrame:
    return decoded.where(F.col(refusal(Q.code)).isNull())


def _place(topic: Topic) -> Column:
    c = SILVER[topic.name].c
    return F.struct(c.source_partition, c.source_offset)


def _repeats(decoded: DataFrame, topic: Topic) -> DataFrame:
    """Id and place of valid records whose event id an earlier new record has."""
    c = SILVER[topic.name].c
    ids = _valid(decoded).select(c.event_id, c.source_partition, c.source_offset)
    several = ids.groupBy(c.event_id).agg(F.min(_place(topic)).alias(_FIRST), F.count("*").alias(_SEEN))
    return (
        ids.join(several.where(F.col(_SEEN) > 1), c.event_id)
        .where(_place(topic) != F.col(_FIRST))
        .select(c.event_id, c.source_partition, c.source_offset)
    )


def _already_held(decoded: DataFrame, existing: DataFrame, topic: Topic) -> DataFrame:
    """Id and place of valid records whose event id silver holds from another place."""
    c = SILVER[topic.name].c
    ids = _valid(decoded).select(c.event_id, c.source_partition, c.source_offset)
    seen = existing.select(c.event_id, _place(topic).alias(_SEEN))
    return (
        ids.join(seen, c.event_id)
        .where(_place(topic) != F.col(_SEEN))
        .select(c.event_id, c.source_partition, c.source_offset)
    )


def _quarantine_rows(rows: DataFrame, topic: Topic, *refusals: Column) -> DataFrame:
    c = SILVER[topic.name].c
    return rows.select(
        F.lit(topic.name).alias(Q.topic),
        F.col(c.source_partition).alias(Q.partition),
        F.col(c.source_offset).alias(Q.offset),
        *refusals,
        F.current_timestamp().alias(Q.quarantined_at),
        F.lit(None).cast("timestamp").alias(Q.replayed_at),
    ).select(*Q)

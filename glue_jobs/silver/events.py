"""What becomes of decoded records: accepted once, or refused with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.silver.decode import REASONS, refusal
from mercato.contracts.events import Topic
from mercato.contracts.tables.bronze import BRONZE
from mercato.contracts.tables.silver import QUARANTINE, SILVER
from mercato.lake.quarantine import DUPLICATE

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Q = QUARANTINE.c
_PLACE, _FIRST, _SEEN = "place", "first", "seen"
#: Offsets stay below this, so that partition and offset make one number in the same order.
#: Sail needs thirty times as long for the minimum of a struct of the two.
_MAX_OFFSETS = 2**48


def accepted(decoded: DataFrame, taken: DataFrame, topic: Topic) -> DataFrame:
    """Valid events whose id is not taken, as silver rows.

    Args:
        decoded: rows of `decode`.
        taken: records whose event id belongs to another, as `taken` finds them.
    """
    placed = _valid(decoded).withColumn(_PLACE, _place(topic))
    return placed.join(taken, _PLACE, "left_anti").select(*SILVER[topic.name].c)


def taken(decoded: DataFrame, existing: DataFrame, topic: Topic) -> DataFrame:
    """Places of valid records whose event id silver or an earlier record has.

    Args:
        decoded: rows of `decode`; the first record by partition and offset keeps the id.
        existing: the silver table so far.
    """
    c = SILVER[topic.name].c
    ids = _valid(decoded).select(c.event_id, _place(topic))
    several = (
        ids.groupBy(c.event_id)
        .agg(F.min(_PLACE).alias(_FIRST), F.count(F.lit(1)).alias(_SEEN))
        .where(F.col(_SEEN) > 1)
    )
    repeats = ids.join(several, c.event_id).where(F.col(_PLACE) != F.col(_FIRST)).select(_PLACE)
    held = ids.join(existing.select(c.event_id), c.event_id, "left_semi").select(_PLACE)
    return repeats.union(held)


def refused(decoded: DataFrame, records: DataFrame, silver: DataFrame, topic: Topic) -> DataFrame:
    """Rows for the quarantine: every record that silver does not hold under its own place.

    So nothing is ever in neither, and a record read a second time after a crash is no duplicate.

    Args:
        decoded: rows of `decode` over `records`.
        records: bronze records, for the bytes as they came.
        silver: the silver table with the accepted ones of `decoded`.
    """
    c, b = SILVER[topic.name].c, BRONZE[topic.name].c
    place = [c.source_partition, c.source_offset]
    left_out = decoded.join(silver.select(*place), place, "left_anti").select(
        F.col(c.source_partition).alias(b.partition),
        F.col(c.source_offset).alias(b.offset),
        *_reasons(F.col(c.event_id)),
    )
    return (
        left_out.join(
            records.select(b.partition, b.offset, b.key, b.value, b.kafka_time), [b.partition, b.offset]
        )
        .withColumn(Q.topic, F.lit(topic.name))
        .withColumn(Q.quarantined_at, F.current_timestamp())
        .withColumn(Q.replayed_at, F.lit(None).cast("timestamp"))
        .select(*Q)
    )


def _place(topic: Topic) -> Column:
    c = SILVER[topic.name].c
    partition = F.col(c.source_partition).cast("bigint")
    return (partition * F.lit(_MAX_OFFSETS) + F.col(c.source_offset)).alias(_PLACE)


def _valid(decoded: DataFrame) -> DataFrame:
    return decoded.where(F.col(refusal(Q.code)).isNull())


def _reasons(event_id: Column) -> list[Column]:
    """The contract's reason; a valid event was left out because its id is taken."""
    doubled = {
        Q.code: F.lit(DUPLICATE),
        Q.field: F.lit("$.event_id"),
        Q.reason: F.concat(F.lit("Another record has event_id "), event_id, F.lit(".")),
    }
    return [F.coalesce(F.col(refusal(name)), doubled[name]).alias(name) for name in REASONS]

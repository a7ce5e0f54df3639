"""Products bought together with a product, as known at several instants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform
from glue_jobs.gold.joint_baskets import both_ways, joint_baskets
from glue_jobs.gold.weeks import AGES, end_of_week, last_complete_week, week_ending
from mercato.contracts.tables.features import (
    NEIGHBOURS,
    PRODUCT_NEIGHBOURS,
    SNAPSHOT_STEP_WEEKS,
)
from mercato.contracts.tables.gold import BASKET_LINES, PRODUCT_PAIRS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

L, P, C = BASKET_LINES.c, PRODUCT_PAIRS.c, PRODUCT_NEIGHBOURS.c
#: Weeks of baskets that a snapshot is made from.
WINDOW_WEEKS = 26
#: Fewer baskets in those weeks say too little about a product, or about a pair.
MIN_BASKETS, MIN_JOINT_BASKETS = 5, 2
_LAST_WEEK, _AGE, _SNAPSHOT = "last_week", "age", "snapshot"
_BASKETS, _NEIGHBOUR_BASKETS, _ORDER = "baskets", "neighbour_baskets", "order"


def product_neighbours(lines: DataFrame) -> DataFrame:
    """Up to NEIGHBOURS neighbours by cosine, ties to the smaller id; none, no row."""
    last_week = last_complete_week(lines, L.basket_time, _LAST_WEEK)
    age = F.col(_LAST_WEEK) - week_ending(L.basket_time)
    dated = (
        lines.crossJoin(F.broadcast(last_week))
        .select(L.household_id, L.basket_id, L.product_id, age.alias(_AGE))
        .where((F.col(_AGE) >= 0) & (F.col(_AGE) < AGES[-1] + WINDOW_WEEKS))
    )
    counts = {f"{_BASKETS}_{age}": F.count_if(_in_window(age)) for age in AGES}
    sold = _by_snapshot(dated.groupBy(L.product_id).agg(*_named(counts)), counts, MIN_BASKETS)
    frequent = dated.join(sold.select(L.product_id).distinct(), L.product_id, "left_semi")
    pairs = _by_snapshot(joint_baskets(frequent, counts), counts, MIN_JOINT_BASKETS)
    snapshots = _strongest(both_ways(_scored(pairs, sold))).crossJoin(F.broadcast(last_week))
    taken_at = end_of_week(F.col(_LAST_WEEK) - F.col(_SNAPSHOT) * SNAPSHOT_STEP_WEEKS)
    return conform(snapshots.withColumn(C.event_timestamp, taken_at), PRODUCT_NEIGHBOURS)


def _in_window(age: int) -> Column:
    return (F.col(_AGE) >= age) & (F.col(_AGE) < age + WINDOW_WEEKS)


def _named(counts: dict[str, Column]) -> list[Column]:
    return [count.alias(name) for name, count in counts.items()]


def _by_snapshot(frame: DataFrame, counts: dict[str, Column], least: int) -> DataFrame:
    """One row per snapshot in which the count reaches `least`, from one column per snapshot."""
    keys = [name for name in frame.columns if name not in counts]
    enough = frame.where(F.greatest(*counts) >= least)
    return enough.select(*keys, F.posexplode(F.array(*counts)).alias(_SNAPSHOT, _BASKETS)).where(
        F.col(_BASKETS) >= least
    )


def _scored(pairs: DataFrame, sold: DataFrame) -> DataFrame:
    others = sold.select(
        F.col(L.product_id).alias(P.neighbour_id), _SNAPSHOT, F.col(_BASKETS).alias(_NEIGHBOUR_BASKETS)
    )
    together = pairs.withColumnRenamed(_BASKETS, P.baskets_together)
    expected = F.sqrt((F.col(_BASKETS) * F.col(_NEIGHBOUR_BASKETS)).cast("double"))
    return (
        together.join(sold, [P.product_id, _SNAPSHOT])
        .join(others, [P.neighbour_id, _SNAPSHOT])
        .select(
            P.product_id, P.neighbour_id, _SNAPSHOT, (F.col(P.baskets_together) / expected).alias(P.cosine)
        )
    )


def _strongest(scored: DataFrame) -> DataFrame:
    strongest_first = F.struct((-F.col(P.cosine)).alias(_ORDER), P.neighbour_id, P.cosine)
    return (
        scored.groupBy(P.product_id, _SNAPSHOT)
        .agg(F.slice(F.array_sort(F.collect_list(strongest_first)), 1, NEIGHBOURS).alias(C.scores))
        .select(
            P.product_id,
            _SNAPSHOT,
            F.col(f"{C.scores}.{P.neighbour_id}").alias(C.neighbour_ids),
            F.col(f"{C.scores}.{P.cosine}").alias(C.scores),
        )
    )

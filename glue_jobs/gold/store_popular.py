"""What each store sells most, at the ends of weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform
from glue_jobs.gold.weeks import end_of_week, last_complete_week, week_ending
from mercato.contracts.tables.features import ALL_STORES, POPULAR_PRODUCTS, SNAPSHOT_WEEKS, STORE_POPULAR
from mercato.contracts.tables.gold import BASKET_LINES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

L, C = BASKET_LINES.c, STORE_POPULAR.c
#: A basket counts half after so many weeks, and no more after WINDOW_WEEKS.
HALF_LIFE_WEEKS, WINDOW_WEEKS = 4, 16
#: Weights are whole numbers (a basket of the last week has this one): their sums, and so the
#: ties between products, are the same in whatever order an engine adds them.
_UNIT = 1 << 20
_LAST_WEEK, _SOLD, _AGE, _BASKETS, _WEIGHT, _ORDER = "last_week", "sold", "age", "baskets", "weight", "order"


def store_popular(lines: DataFrame) -> DataFrame:
    """The POPULAR_PRODUCTS products with the highest decayed basket counts, ties to the smaller id.

    One row per store, and ALL_STORES, with a basket in the WINDOW_WEEKS weeks before; `scores`
    are in baskets of the last week.
    """
    last_week = F.broadcast(last_complete_week(lines, L.basket_time, _LAST_WEEK))
    weeks_ago = F.col(_LAST_WEEK) - week_ending(L.basket_time)
    sales = (
        lines.crossJoin(last_week)
        .groupBy(L.store_id, L.product_id, weeks_ago.alias(_SOLD))
        .agg(F.count(F.lit(1)).alias(_BASKETS))
        .where((F.col(_SOLD) >= 0) & (F.col(_SOLD) < SNAPSHOT_WEEKS + WINDOW_WEEKS - 1))
    )
    everywhere = sales.groupBy(F.lit(ALL_STORES).cast("bigint").alias(L.store_id), L.product_id, _SOLD).agg(
        F.sum(_BASKETS).alias(_BASKETS)
    )
    snapshots = _strongest(_weighted(sales.unionByName(everywhere))).crossJoin(last_week)
    taken_at = end_of_week(F.col(_LAST_WEEK) - F.col(_AGE))
    return conform(snapshots.withColumn(C.event_timestamp, taken_at), STORE_POPULAR)


def _weighted(sales: DataFrame) -> DataFrame:
    """Decayed counts per store, product and snapshot that the sale is in the window of."""
    oldest = F.greatest(F.col(_SOLD) - (WINDOW_WEEKS - 1), F.lit(0))
    newest = F.least(F.col(_SOLD), F.lit(SNAPSHOT_WEEKS - 1))
    decay = [round(_UNIT * 2 ** (-age / HALF_LIFE_WEEKS)) for age in range(WINDOW_WEEKS)]
    weight = F.element_at(F.array(*map(F.lit, decay)), (F.col(_SOLD) - F.col(_AGE) + 1).cast("int"))
    return (
        sales.withColumn(_AGE, F.explode(F.sequence(oldest, newest)))
        .groupBy(L.store_id, L.product_id, _AGE)
        .agg(F.sum(F.col(_BASKETS) * weight).alias(_WEIGHT))
    )


def _strongest(weighted: DataFrame) -> DataFrame:
    # Sorting a list per store costs half of ranking the rows in a window.
    strongest_first = F.struct(
        (-F.col(_WEIGHT)).alias(_ORDER), L.product_id, (F.col(_WEIGHT) / _UNIT).alias(_WEIGHT)
    )
    return (
        weighted.groupBy(L.store_id, _AGE)
        .agg(F.slice(F.array_sort(F.collect_list(strongest_first)), 1, POPULAR_PRODUCTS).alias(C.scores))
        .select(
            L.store_id,
            _AGE,
            F.col(f"{C.scores}.{L.product_id}").alias(C.product_ids),
            F.col(f"{C.scores}.{_WEIGHT}").alias(C.scores),
        )
    )

"""Each household's recent baskets, raw, as they stood after each of its newest ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform
from mercato.contracts.tables.features import HISTORY_BASKETS, HISTORY_SNAPSHOTS, HOUSEHOLD_HISTORY
from mercato.contracts.tables.gold import BASKET_LINES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

L, C = BASKET_LINES.c, HOUSEHOLD_HISTORY.c
#: The most units that the contract can say; a basket's lines of one product may add up to more.
_MAX_UNITS = 2**31 - 1
_NEWEST, _LINES, _BASKETS, _END = "newest", "basket_lines", "baskets", "end"


def household_history(lines: DataFrame) -> DataFrame:
    """The last HISTORY_SNAPSHOTS checkouts of a household, each with its last HISTORY_BASKETS baskets."""
    reach = HISTORY_BASKETS + HISTORY_SNAPSHOTS - 1
    newest = lines.groupBy(L.household_id).agg(F.max(L.basket_seq).alias(_NEWEST))
    recent = lines.join(newest, L.household_id).where(F.col(L.basket_seq) > F.col(_NEWEST) - reach)
    # Structs sort by their first field, which is unique within each list.
    units = F.least(L.quantity, F.lit(_MAX_UNITS)).alias(L.quantity)
    line = F.struct(L.product_id, units, L.sales_value)
    baskets = recent.groupBy(L.household_id, L.basket_seq, L.basket_time, L.store_id).agg(
        F.array_sort(F.collect_list(line)).alias(_LINES)
    )
    basket = F.struct(
        F.col(L.basket_seq),
        F.col(L.basket_time).alias(C.event_timestamp),
        F.unix_seconds(L.basket_time).alias(C.basket_times),
        F.col(L.store_id).alias(C.basket_stores),
        F.size(_LINES).alias(C.basket_sizes),
        F.col(f"{_LINES}.{L.product_id}").alias(C.products),
        F.col(f"{_LINES}.{L.quantity}").alias(C.quantities),
        F.col(f"{_LINES}.{L.sales_value}").alias(C.values),
    )
    households = baskets.groupBy(L.household_id).agg(F.array_sort(F.collect_list(basket)).alias(_BASKETS))
    return conform(_snapshots(households), HOUSEHOLD_HISTORY)


def _snapshots(households: DataFrame) -> DataFrame:
    count, end = F.size(_BASKETS), F.col(_END)
    first = F.greatest(count - (HISTORY_SNAPSHOTS - 1), F.lit(1))
    start = F.greatest(end - (HISTORY_BASKETS - 1), F.lit(1))
    times = F.col(f"{_BASKETS}.{C.event_timestamp}")
    now, following = F.element_at(times, end), F.get(times, end)

    def window(field: str) -> Column:
        return F.slice(F.col(f"{_BASKETS}.{field}"), start, end - start + 1)

    return (
        households.withColumn(_END, F.explode(F.sequence(first, count)))
        # Of baskets at the same instant only the last has a snapshot: it holds them all.
        .where(following.isNull() | (following != now))
        .select(
            C.household_id,
            now.alias(C.event_timestamp),
            *(window(name).alias(name) for name in (C.basket_times, C.basket_stores, C.basket_sizes)),
            *(F.flatten(window(name)).alias(name) for name in (C.products, C.quantities, C.values)),
        )
    )

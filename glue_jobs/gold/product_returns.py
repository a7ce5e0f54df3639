"""After how many baskets each product is bought again, at the ends of some weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform
from glue_jobs.gold.weeks import AGES, end_of_week, last_complete_week, week_ending
from mercato.contracts.tables.features import (
    OCCASION_BASKETS,
    PRODUCT_RETURNS,
    RETURN_BASKETS,
    RETURN_TIMES,
)
from mercato.contracts.tables.gold import BASKET_LINES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

L, C = BASKET_LINES.c, PRODUCT_RETURNS.c
WINDOW_WEEKS = 52
_LAST, _SOLD, _AGE, _NEWEST = "last_week", "sold", "age", "newest_seq"
_NEXT, _NEXT_SOLD, _TIMES, _AGAIN, _WAIT = "next_seq", "next_sold", "times", "again", "wait"
_PURCHASES = "purchases"
_STEPS = range(len(RETURN_BASKETS))


def product_returns(lines: DataFrame) -> DataFrame:
    """One row per product and snapshot, if OCCASION_BASKETS baskets or more of WINDOW_WEEKS held it."""
    last_week = F.broadcast(last_complete_week(lines, L.basket_time, _LAST))
    dated = (
        lines.crossJoin(last_week)
        .withColumn(_SOLD, F.col(_LAST) - week_ending(L.basket_time))
        .where(F.col(_SOLD) >= 0)
    )
    counts = lines.groupBy(L.product_id).agg(F.count(F.lit(1)).alias(_PURCHASES))
    frequent = F.broadcast(counts.where(F.col(_PURCHASES) >= OCCASION_BASKETS))
    # No other product can reach OCCASION_BASKETS at any snapshot, and to count them takes as long again.
    purchases = _purchases(dated.join(frequent, L.product_id, "left_semi"))
    waits = purchases.join(_newest(dated), [L.household_id, _AGE])
    last = F.max(_LAST).alias(_LAST)
    # What happened after the snapshot is not known in it: the product is still waited for.
    again = F.coalesce(F.col(_NEXT_SOLD) >= F.col(_AGE), F.lit(False))
    by_times = (
        waits.withColumn(_AGAIN, again)
        .withColumn(_WAIT, F.when(again, F.col(_NEXT)).otherwise(F.col(_NEWEST)) - F.col(L.basket_seq))
        .groupBy(L.product_id, _AGE, _TIMES)
        .agg(last, F.count(F.lit(1)).alias(_PURCHASES), *_returned(), *_waited())
    )
    pivoted = [
        F.sum(F.when(F.col(_TIMES) == times, F.col(f"{name}_{step}")).otherwise(0)).alias(
            f"{name}_{times}_{step}"
        )
        for name in (C.returned, C.waited)
        for times in range(len(RETURN_TIMES))
        for step in _STEPS
    ]
    return conform(
        by_times.groupBy(L.product_id, _AGE)
        .agg(last, F.sum(_PURCHASES).alias(_PURCHASES), *pivoted)
        .where(F.col(_PURCHASES) >= OCCASION_BASKETS)
        .withColumns(
            {
                C.event_timestamp: end_of_week(F.col(_LAST) - F.col(_AGE)),
                C.returned: _flat(C.returned),
                C.waited: _flat(C.waited),
            }
        ),
        PRODUCT_RETURNS,
    )


def _ages() -> Column:
    return F.explode(F.array(*map(F.lit, AGES)))


def _newest(dated: DataFrame) -> DataFrame:
    """Each household's newest basket of each snapshot."""
    weekly = dated.groupBy(L.household_id, _SOLD).agg(F.max(L.basket_seq).alias(_NEWEST))
    known = weekly.withColumn(_AGE, _ages()).where(F.col(_AGE) <= F.col(_SOLD))
    return known.groupBy(L.household_id, _AGE).agg(F.max(_NEWEST).alias(_NEWEST))


def _purchases(dated: DataFrame) -> DataFrame:
    """Purchases of each snapshot's window with the next one of the same household and product, if any."""
    bought = Window.partitionBy(L.household_id, L.product_id).orderBy(L.basket_seq)
    nth = F.row_number().over(bought)
    times = sum(((nth >= least).cast("int") for least in RETURN_TIMES[1:]), F.lit(0))
    found = dated.select(
        L.household_id,
        L.product_id,
        L.basket_seq,
        _LAST,
        _SOLD,
        F.lead(L.basket_seq).over(bought).alias(_NEXT),
        F.lead(_SOLD).over(bought).alias(_NEXT_SOLD),
        times.alias(_TIMES),
    ).withColumn(_AGE, _ages())
    return found.where((F.col(_AGE) <= F.col(_SOLD)) & (F.col(_SOLD) < F.col(_AGE) + WINDOW_WEEKS))


def _returned() -> list[Column]:
    """In each step, purchases after which the wait ended there."""
    step = sum(((F.col(_WAIT) >= least).cast("int") for least in RETURN_BASKETS[1:]), F.lit(0))
    return [
        F.sum((F.col(_AGAIN) & (step == each)).cast("int")).alias(f"{C.returned}_{each}") for each in _STEPS
    ]


def _waited() -> list[Column]:
    """In each step, baskets that were waited through."""
    made = []
    for each, least in enumerate(RETURN_BASKETS):
        through = F.greatest(F.col(_WAIT) - (least - 1), F.lit(0))
        if each + 1 < len(RETURN_BASKETS):
            through = F.least(through, F.lit(RETURN_BASKETS[each + 1] - least))
        made.append(F.sum(through).alias(f"{C.waited}_{each}"))
    return made


def _flat(name: str) -> Column:
    return F.array(
        *(F.col(f"{name}_{times}_{each}") for times in range(len(RETURN_TIMES)) for each in _STEPS)
    )

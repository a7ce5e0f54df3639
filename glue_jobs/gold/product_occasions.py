"""When and in what baskets each product is bought, at the ends of some weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform, ratio, row_count
from glue_jobs.gold.weeks import AGES, end_of_week, last_complete_week, week_ending
from mercato.contracts.durations import DAY_SECONDS
from mercato.contracts.tables.features import (
    EPOCH_WEEKDAY,
    OCCASION_BASKETS,
    PRODUCT_OCCASIONS,
    SLOT_HOURS,
    SMALL_BASKET,
)
from mercato.contracts.tables.gold import BASKET_LINES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

L, C = BASKET_LINES.c, PRODUCT_OCCASIONS.c
WINDOW_WEEKS = 52
_SLOTS, _WEEKDAYS = range(24 // SLOT_HOURS), range(7)
#: Sums of whole parts of this are the same in whatever order an engine adds them.
_UNIT = 1 << 20
_LAST, _SOLD, _AGE, _SIZE, _BASKETS = "last_week", "sold", "age", "size", "baskets"


def product_occasions(lines: DataFrame) -> DataFrame:
    """One row per product and snapshot, if OCCASION_BASKETS baskets or more of WINDOW_WEEKS held it."""
    last_week = F.broadcast(last_complete_week(lines, L.basket_time, _LAST))
    basket = [L.household_id, L.basket_id]
    sizes = lines.groupBy(*basket).agg(row_count(L.product_id).alias(_SIZE))
    figures = _figures()
    weekly = (
        lines.join(sizes, basket)
        .crossJoin(last_week)
        .withColumn(_SOLD, F.col(_LAST) - week_ending(L.basket_time))
        .where(F.col(_SOLD) >= 0)
        .groupBy(L.product_id, _SOLD)
        .agg(F.max(_LAST).alias(_LAST), *(F.sum(value).alias(name) for name, value in figures.items()))
    )
    ages = F.array(*map(F.lit, AGES))
    totals = (
        weekly.withColumn(_AGE, F.explode(ages))
        .where((F.col(_AGE) <= F.col(_SOLD)) & (F.col(_SOLD) < F.col(_AGE) + WINDOW_WEEKS))
        .groupBy(L.product_id, _AGE)
        .agg(F.max(_LAST).alias(_LAST), *(F.sum(name).alias(name) for name in figures))
        .where(F.col(_BASKETS) >= OCCASION_BASKETS)
    )
    whole = F.col(_BASKETS) * _UNIT
    return conform(
        totals.withColumns(
            {
                C.event_timestamp: end_of_week(F.col(_LAST) - F.col(_AGE)),
                C.by_slot: F.array(*(F.col(f"{C.by_slot}_{each}") for each in _SLOTS)),
                C.by_weekday: F.array(*(F.col(f"{C.by_weekday}_{each}") for each in _WEEKDAYS)),
                C.mean_log_size: ratio(F.col(C.mean_log_size), whole),
                C.mean_inverse_size: ratio(F.col(C.mean_inverse_size), whole),
            }
        ),
        PRODUCT_OCCASIONS,
    )


def _figures() -> dict[str, Column]:
    """What is summed up of a product's lines, each of a basket, by name."""
    seconds = F.unix_seconds(L.basket_time)
    slot = F.floor(seconds % DAY_SECONDS / (SLOT_HOURS * 3_600))
    # Sail's `weekday` does not know Sundays.
    weekday = (F.floor(seconds / DAY_SECONDS) + EPOCH_WEEKDAY) % 7
    size = F.col(_SIZE)
    return {
        _BASKETS: F.lit(1),
        **{f"{C.by_slot}_{each}": (slot == each).cast("int") for each in _SLOTS},
        **{f"{C.by_weekday}_{each}": (weekday == each).cast("int") for each in _WEEKDAYS},
        C.small_baskets: (size <= SMALL_BASKET).cast("int"),
        C.mean_log_size: F.round(F.log(size) * _UNIT).cast("bigint"),
        # Sail folds a division by a joined count into one by zero.
        C.mean_inverse_size: F.round(F.pow(size.cast("double"), F.lit(-1.0)) * _UNIT).cast("bigint"),
    }

"""In how many baskets each product was of late, at the ends of days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform, dollars, ratio, ticks
from glue_jobs.gold.weeks import day_ending, end_of_day, last_complete_day
from mercato.contracts.tables.features import PRODUCT_TRENDS, SNAPSHOT_DAYS
from mercato.contracts.tables.gold import BASKET_LINES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

L, C = BASKET_LINES.c, PRODUCT_TRENDS.c
#: Windows of baskets, in days, by their columns.
_BASKETS = {C.baskets_1d: 1, C.baskets_3d: 3, C.baskets_7d: 7}
_LONGEST = max(_BASKETS.values())
_LAST, _SOLD, _AGE, _COUNT, _PRICED = "last_snapshot", "sold", "age", "baskets", "priced_value"


def product_trends(lines: DataFrame) -> DataFrame:
    """One row per product and each of the newest complete days, if sold in the longest window up to it."""
    last_day = F.broadcast(last_complete_day(lines, L.basket_time, _LAST))
    loyalty = ticks(L.sales_value) + ticks(L.coupon_match_disc)
    sales = (
        lines.crossJoin(last_day)
        .groupBy(L.product_id, (F.col(_LAST) - day_ending(L.basket_time)).alias(_SOLD))
        .agg(
            F.max(_LAST).alias(_LAST),
            F.count(F.lit(1)).alias(_COUNT),
            F.sum(F.when(F.col(L.quantity) > 0, loyalty)).alias(_PRICED),
            F.sum(L.quantity).alias(L.quantity),
        )
        .where((F.col(_SOLD) >= 0) & (F.col(_SOLD) < SNAPSHOT_DAYS + _LONGEST - 1))
    )
    oldest = F.greatest(F.col(_SOLD) - (_LONGEST - 1), F.lit(0))
    newest = F.least(F.col(_SOLD), F.lit(SNAPSHOT_DAYS - 1))
    days_ago = F.col(_SOLD) - F.col(_AGE)
    trends = (
        sales.withColumn(_AGE, F.explode(F.sequence(oldest, newest)))
        .groupBy(L.product_id, _AGE)
        .agg(
            F.max(_LAST).alias(_LAST),
            *(
                F.sum(F.when(days_ago < days, F.col(_COUNT)).otherwise(0)).alias(name)
                for name, days in _BASKETS.items()
            ),
            dollars(ratio(F.sum(_PRICED), F.sum(L.quantity))).alias(C.mean_price_7d),
        )
    )
    taken_at = end_of_day(F.col(_LAST) - F.col(_AGE))
    return conform(trends.withColumn(C.event_timestamp, taken_at), PRODUCT_TRENDS)

"""A household's running figures, right after each of its baskets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform, days_between, dollars, ratio, ticks
from mercato.contracts.durations import DAY_SECONDS
from mercato.contracts.tables.features import HOUSEHOLD_PROFILE
from mercato.contracts.tables.gold import BASKET_LINES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

L, C = BASKET_LINES.c, HOUSEHOLD_PROFILE.c
_RECENT_MICROS = 28 * DAY_SECONDS * 1_000_000
_MOMENT, _MICRO = "baskets_now", "micro"


def household_profile(lines: DataFrame) -> DataFrame:
    """One row per household and checkout time; baskets of the same instant are known together."""
    household = Window.partitionBy(C.household_id)
    in_order = household.orderBy(C.event_timestamp)
    so_far = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    # Baskets later than 28 days ago: one exactly 28 days old is out.
    recent = household.orderBy(_MICRO).rangeBetween(1 - _RECENT_MICROS, 0)
    money = (L.retail_disc, L.coupon_disc, L.coupon_match_disc)
    moments = lines.groupBy(C.household_id, F.col(L.basket_time).alias(C.event_timestamp)).agg(
        F.max(L.basket_seq).cast("bigint").alias(C.baskets),
        (F.max(L.basket_seq) - F.min(L.basket_seq) + 1).cast("bigint").alias(_MOMENT),
        F.count(F.lit(1)).alias(C.lines),
        F.sum(ticks(L.sales_value)).alias(C.spend),
        *(F.sum(ticks(name)).alias(name) for name in money),
    )
    running = moments.withColumn(_MICRO, F.unix_micros(C.event_timestamp)).select(
        C.household_id,
        C.event_timestamp,
        C.baskets,
        F.sum(C.lines).over(so_far).alias(C.lines),
        F.sum(C.spend).over(so_far).alias(C.spend),
        *(F.sum(name).over(so_far).alias(name) for name in money),
        F.min(C.event_timestamp).over(so_far).alias(C.mean_gap_days),
        F.lag(C.event_timestamp).over(in_order).alias(C.last_gap_days),
        F.sum(_MOMENT).over(recent).alias(C.baskets_28d),
        dollars(F.sum(C.spend).over(recent)).alias(C.spend_28d),
    )
    now, spend, baskets = F.col(C.event_timestamp), F.col(C.spend), F.col(C.baskets)
    coupons = F.col(L.coupon_disc) + F.col(L.coupon_match_disc)
    shelf_value = spend + F.col(L.retail_disc) + F.col(L.coupon_match_disc)
    return conform(
        running.withColumns(
            {
                C.spend: dollars(spend),
                C.mean_basket_size: ratio(F.col(C.lines), baskets),
                C.mean_basket_value: dollars(ratio(spend, baskets)),
                C.mean_gap_days: ratio(days_between(F.col(C.mean_gap_days), now), baskets - 1),
                C.last_gap_days: days_between(F.col(C.last_gap_days), now),
                C.retail_discount_share: F.coalesce(ratio(F.col(L.retail_disc), shelf_value), F.lit(0.0)),
                C.coupon_share: F.coalesce(ratio(coupons, shelf_value), F.lit(0.0)),
            }
        ),
        HOUSEHOLD_PROFILE,
    )

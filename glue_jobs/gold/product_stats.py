"""Each product's figures at the ends of weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform, dollars, ratio, ticks
from glue_jobs.gold.weeks import end_of, last_complete_week, week_ending
from mercato.contracts.tables.features import PRODUCT_STATS, SNAPSHOT_WEEKS
from mercato.contracts.tables.gold import BASKET_LINES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, WindowSpec

L, C = BASKET_LINES.c, PRODUCT_STATS.c
_YEAR = 52
_WEEK, _LAST_WEEK, _FIRST_WEEK, _BASKETS = "week_ending", "last_week", "first_week", "baskets"
_LOYALTY, _UNITS, _PRICE = "loyalty_value", "units", "price"
_PREVIOUS, _NEXT, _CHANGE = "previous_week", "next_week", "change"


def product_stats(lines: DataFrame) -> DataFrame:
    """One row per product and each of the newest complete weeks, if sold in the 52 weeks up to it."""
    last_week = F.broadcast(last_complete_week(lines, L.basket_time, _LAST_WEEK))
    dated = lines.withColumn(_WEEK, week_ending(L.basket_time)).crossJoin(last_week)
    complete = dated.where(F.col(_WEEK) <= F.col(_LAST_WEEK))
    weekly = _calendar(complete).join(_sales(complete), [L.product_id, _WEEK], "left")
    rows = weekly.join(_household_changes(complete), [L.product_id, _WEEK], "left")
    stats = _over_windows(rows).where(
        (F.col(C.baskets_52w) > 0) & (F.col(_WEEK) > F.col(_LAST_WEEK) - SNAPSHOT_WEEKS)
    )
    return conform(stats.withColumn(C.event_timestamp, end_of(F.col(_WEEK))), PRODUCT_STATS)


def _calendar(lines: DataFrame) -> DataFrame:
    """Every week of each product since its first sale: windows of rows are then windows of weeks."""
    since = lines.groupBy(L.product_id, _LAST_WEEK).agg(F.min(_WEEK).alias(_FIRST_WEEK))
    return since.select(
        L.product_id, _LAST_WEEK, F.explode(F.sequence(F.col(_FIRST_WEEK), F.col(_LAST_WEEK))).alias(_WEEK)
    )


def _sales(lines: DataFrame) -> DataFrame:
    loyalty = ticks(L.sales_value) + ticks(L.coupon_match_disc)
    return lines.groupBy(L.product_id, _WEEK).agg(
        F.count(F.lit(1)).alias(_BASKETS),
        # Only lines with units tell a price.
        F.sum(F.when(F.col(L.quantity) > 0, loyalty)).alias(_PRICE),
        F.sum(L.quantity).alias(_UNITS),
        F.sum(loyalty).alias(_LOYALTY),
        F.sum(ticks(L.retail_disc)).alias(L.retail_disc),
    )


def _household_changes(lines: DataFrame) -> DataFrame:
    """By how much the numbers of households, and of repeat ones, of the trailing year change in a week.

    A household counts from a purchase until its next one takes over or a year has passed; it
    counts as a repeat one as long as the last two of its baskets with the product are in the year.
    """
    visits = lines.groupBy(L.product_id, L.household_id, _WEEK, _LAST_WEEK).agg(
        F.count(F.lit(1)).alias(_BASKETS)
    )
    in_order = Window.partitionBy(L.product_id, L.household_id).orderBy(_WEEK)
    week, never = F.col(_WEEK), F.col(_LAST_WEEK) + 1
    basket_before = F.when(F.col(_BASKETS) > 1, week).otherwise(F.col(_PREVIOUS))
    repeat_end = F.least(F.coalesce(F.col(_NEXT), never), F.coalesce(basket_before + _YEAR, week))
    repeat = (repeat_end > week).cast("int")
    one, none = F.lit(1), F.lit(0)
    changes = F.array(
        _change(week, one, repeat),
        _change(F.least(F.coalesce(F.col(_NEXT), never), week + _YEAR), -one, none),
        _change(repeat_end, none, -repeat),
    )
    return (
        visits.withColumns({_PREVIOUS: F.lag(_WEEK).over(in_order), _NEXT: F.lead(_WEEK).over(in_order)})
        .select(L.product_id, _LAST_WEEK, F.explode(changes).alias(_CHANGE))
        .select(L.product_id, _LAST_WEEK, *(f"{_CHANGE}.{name}" for name in _CHANGE_FIELDS))
        .where(F.col(_WEEK) <= F.col(_LAST_WEEK))
        .groupBy(L.product_id, _WEEK)
        .agg(*(F.sum(name).alias(name) for name in _CHANGE_FIELDS[1:]))
    )


_CHANGE_FIELDS = (_WEEK, C.households_52w, C.repeat_households_52w)


def _change(week: Column, households: Column, repeat: Column) -> Column:
    values = zip(_CHANGE_FIELDS, (week, households, repeat), strict=True)
    return F.struct(*(value.alias(name) for name, value in values))


def _over_windows(rows: DataFrame) -> DataFrame:
    in_order = Window.partitionBy(L.product_id).orderBy(_WEEK)

    def weeks(count: int) -> WindowSpec:
        return in_order.rowsBetween(1 - count, 0)

    def total(name: str, over: WindowSpec) -> Column:
        return F.coalesce(F.sum(name).over(over), F.lit(0))

    so_far = in_order.rowsBetween(Window.unboundedPreceding, 0)
    price = dollars(ratio(F.col(_PRICE), F.col(_UNITS)))
    shelf_4w = total(_LOYALTY, weeks(4)) + total(L.retail_disc, weeks(4))
    return rows.select(
        L.product_id,
        _WEEK,
        _LAST_WEEK,
        total(_BASKETS, weeks(1)).alias(C.baskets_1w),
        total(_BASKETS, weeks(4)).alias(C.baskets_4w),
        total(_BASKETS, weeks(13)).alias(C.baskets_13w),
        total(_BASKETS, weeks(_YEAR)).alias(C.baskets_52w),
        total(C.households_52w, so_far).alias(C.households_52w),
        total(C.repeat_households_52w, so_far).alias(C.repeat_households_52w),
        dollars(ratio(total(_PRICE, weeks(13)), total(_UNITS, weeks(13)))).alias(C.mean_price_13w),
        F.last(price, ignorenulls=True).over(so_far).alias(C.last_price),
        ratio(total(L.retail_disc, weeks(4)), shelf_4w).alias(C.discount_share_4w),
    )

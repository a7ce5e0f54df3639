"""Each product's figures at the ends of weeks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform, dollars, ratio, ticks
from glue_jobs.gold.weeks import end_of_week, last_complete_week, week_ending
from mercato.contracts.tables.features import PRODUCT_STATS, SNAPSHOT_WEEKS
from mercato.contracts.tables.gold import BASKET_LINES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

L, C = BASKET_LINES.c, PRODUCT_STATS.c
_YEAR = 52
#: Windows of baskets, in weeks, by their columns.
_BASKETS = {C.baskets_1w: 1, C.baskets_4w: 4, C.baskets_13w: 13, C.baskets_52w: _YEAR}
_PRICE_WEEKS, _DISCOUNT_WEEKS = 13, 4
_WEEK, _FIRST, _LAST, _LAG = "week_ending", "first_snapshot", "last_snapshot", "lag"
_SOLD, _PRICED, _UNITS, _SHELF, _PRICE = "baskets", "priced_value", "units", "shelf_value", "price"
_PREVIOUS, _NEXT = "previous_week", "next_week"
_HOUSEHOLDS = (C.households_52w, C.repeat_households_52w)
_MONEY = (_PRICED, _UNITS, _SHELF, L.retail_disc)


def product_stats(lines: DataFrame) -> DataFrame:
    """One row per product and each of the newest complete weeks, if sold in the 52 weeks up to it.

    Every figure is a running total of what enters and what leaves its window; what happened
    before the first snapshot is added up there.
    """
    newest = last_complete_week(lines, L.basket_time, _LAST)
    dated = lines.crossJoin(F.broadcast(newest)).select(
        *lines.columns,
        _LAST,
        (F.col(_LAST) - (SNAPSHOT_WEEKS - 1)).alias(_FIRST),
        week_ending(L.basket_time).alias(_WEEK),
    )
    complete = dated.where(F.col(_WEEK) <= F.col(_LAST))
    changes = (
        _calendar(complete)
        .join(_sales_changes(complete), [L.product_id, _WEEK], "left")
        .join(_household_changes(complete), [L.product_id, _WEEK], "left")
    )
    so_far = Window.partitionBy(L.product_id).orderBy(_WEEK).rowsBetween(Window.unboundedPreceding, 0)
    totals = changes.select(
        L.product_id,
        end_of_week(F.col(_WEEK)).alias(C.event_timestamp),
        *(F.sum(name).over(so_far).alias(name) for name in (*_BASKETS, *_HOUSEHOLDS, *_MONEY)),
        F.last(_PRICE, ignorenulls=True).over(so_far).alias(C.last_price),
    )
    stats = totals.where(F.col(C.baskets_52w) > 0).withColumns(
        {
            **{name: F.coalesce(F.col(name), F.lit(0)) for name in _HOUSEHOLDS},
            C.mean_price_13w: dollars(ratio(F.col(_PRICED), F.col(_UNITS))),
            C.discount_share_4w: ratio(F.col(L.retail_disc), F.col(_SHELF)),
        }
    )
    return conform(stats, PRODUCT_STATS)


def _calendar(lines: DataFrame) -> DataFrame:
    """Each product at each snapshot since its first sale."""
    since = lines.groupBy(L.product_id, _FIRST, _LAST).agg(F.min(_WEEK).alias(_WEEK))
    snapshots = F.sequence(F.greatest(_FIRST, _WEEK), F.col(_LAST))
    return since.select(L.product_id, F.explode(snapshots).alias(_WEEK))


def _sales_changes(lines: DataFrame) -> DataFrame:
    """What a product's windows gain and lose in a week, and the price it last had."""
    loyalty = ticks(L.sales_value) + ticks(L.coupon_match_disc)
    with_units = F.col(L.quantity) > 0  # only these lines tell a price
    weekly = lines.groupBy(L.product_id, _WEEK, _FIRST, _LAST).agg(
        F.count(F.lit(1)).alias(_SOLD),
        F.sum(F.when(with_units, loyalty)).alias(_PRICED),
        F.sum(L.quantity).alias(_UNITS),
        F.sum(loyalty + ticks(L.retail_disc)).alias(_SHELF),
        F.sum(ticks(L.retail_disc)).alias(L.retail_disc),
    )
    price = dollars(ratio(F.col(_PRICED), F.col(_UNITS)))
    in_order = Window.partitionBy(L.product_id, price.isNull()).orderBy(_WEEK)
    # Of the prices before the first snapshot only the newest is known there.
    outdated = F.coalesce(F.lead(_WEEK).over(in_order) <= F.col(_FIRST), F.lit(False))
    windows = sorted({0, *_BASKETS.values()})
    return (
        weekly.withColumn(_PRICE, F.when(~outdated, price))
        .withColumn(_LAG, F.explode(F.array(*map(F.lit, windows))))
        .withColumn(_WEEK, F.greatest(F.col(_WEEK) + F.col(_LAG), _FIRST))
        .where(F.col(_WEEK) <= F.col(_LAST))
        .groupBy(L.product_id, _WEEK)
        .agg(
            *(F.sum(_change(_SOLD, weeks)).alias(name) for name, weeks in _BASKETS.items()),
            *(F.sum(_change(name, _PRICE_WEEKS)).alias(name) for name in (_PRICED, _UNITS)),
            *(F.sum(_change(name, _DISCOUNT_WEEKS)).alias(name) for name in (_SHELF, L.retail_disc)),
            F.max(F.when(F.col(_LAG) == 0, F.col(_PRICE))).alias(_PRICE),
        )
    )


def _change(name: str, weeks: int) -> Column:
    """Of a sale to a window of so many weeks: in when it happens, out when the window has passed."""
    amount = F.col(name)
    return F.when(F.col(_LAG) == 0, amount).when(F.col(_LAG) == weeks, -amount).otherwise(0)


def _household_changes(lines: DataFrame) -> DataFrame:
    """By how much the numbers of households, and of repeat ones, of the trailing year change in a week.

    A household counts from a purchase until its next one takes over or a year has passed; it
    counts as a repeat one as long as the last two of its baskets with the product are in the year.
    """
    visits = lines.groupBy(L.product_id, L.household_id, _WEEK, _FIRST, _LAST).agg(
        F.count(F.lit(1)).alias(_SOLD)
    )
    # Few large partitions: a household's visits to all products in one cost a fifth of one each.
    in_order = Window.partitionBy(L.household_id).orderBy(L.product_id, _WEEK)

    def of_the_same_product(shift: Callable[[str], Column]) -> Column:
        same = shift(L.product_id).over(in_order) == F.col(L.product_id)
        return F.when(same, shift(_WEEK).over(in_order))

    week, never = F.col(_WEEK), F.col(_LAST) + 1
    following = F.coalesce(F.col(_NEXT), never)
    basket_before = F.when(F.col(_SOLD) > 1, week).otherwise(F.col(_PREVIOUS))
    repeat_end = F.least(following, F.coalesce(basket_before + _YEAR, week))
    repeat = (repeat_end > week).cast("int")
    one, none = F.lit(1), F.lit(0)
    changes = F.array(
        _event(week, one, repeat),
        _event(F.least(following, week + _YEAR), -one, none),
        _event(repeat_end, none, -repeat),
    )
    event = "event"
    return (
        visits.withColumns({_PREVIOUS: of_the_same_product(F.lag), _NEXT: of_the_same_product(F.lead)})
        .select(L.product_id, _FIRST, _LAST, F.explode(changes).alias(event))
        .where(F.col(f"{event}.{_WEEK}") <= F.col(_LAST))
        .groupBy(L.product_id, F.greatest(F.col(f"{event}.{_WEEK}"), _FIRST).alias(_WEEK))
        .agg(*(F.sum(f"{event}.{name}").alias(name) for name in _HOUSEHOLDS))
    )


def _event(week: Column, households: Column, repeat: Column) -> Column:
    values = zip((_WEEK, *_HOUSEHOLDS), (week, households, repeat), strict=True)
    return F.struct(*(value.alias(name) for name, value in values))

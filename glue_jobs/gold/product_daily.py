"""Sales of each product in each store and day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform, dollars, ticks
from mercato.contracts.tables.gold import PRODUCT_DAILY
from mercato.contracts.tables.silver import TRANSACTIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

T, C = TRANSACTIONS.c, PRODUCT_DAILY.c


def product_daily(transactions: DataFrame) -> DataFrame:
    """A line counts on the UTC day it was scanned.

    Made from single lines, not from baskets: a basket's later lines would move its time, and so
    the rows of products that nothing new is known of.
    """
    money = (C.sales_value, C.retail_disc, C.coupon_disc, C.coupon_match_disc)
    key = (C.product_id, C.store_id, C.day)
    # Grouping step by step counts baskets and households without a set per group.
    by_basket = (
        transactions.withColumn(C.day, F.to_date(T.event_time))
        .groupBy(*key, T.household_id, T.basket_id)
        .agg(F.sum(T.quantity).alias(C.units), *(F.sum(ticks(name)).alias(name) for name in money))
    )
    by_household = by_basket.groupBy(*key, T.household_id).agg(
        F.sum(C.units).alias(C.units),
        F.count(F.lit(1)).alias(C.baskets),
        *(F.sum(name).alias(name) for name in money),
    )
    return conform(
        by_household.groupBy(*key).agg(
            F.sum(C.units).alias(C.units),
            F.sum(C.baskets).alias(C.baskets),
            F.count(F.lit(1)).alias(C.households),
            *(dollars(F.sum(name)).alias(name) for name in money),
        ),
        PRODUCT_DAILY,
    )

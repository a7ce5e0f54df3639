"""Checkout lines -> baskets, one row per product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform, dollars, ticks
from mercato.contracts.tables.gold import BASKET_LINES
from mercato.contracts.tables.silver import TRANSACTIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

T, C = TRANSACTIONS.c, BASKET_LINES.c


def basket_lines(transactions: DataFrame) -> DataFrame:
    """Lines of one product in one basket are added up; a basket has one time, store and place in line."""
    basket = [T.household_id, T.basket_id]
    in_order = Window.partitionBy(C.household_id).orderBy(C.basket_time, C.basket_id)
    baskets = (
        transactions.groupBy(*basket)
        .agg(
            F.max(T.event_time).alias(C.basket_time),
            F.min(T.store_id).alias(C.store_id),
            F.min(T.week).alias(C.week),
        )
        .withColumn(C.basket_seq, F.row_number().over(in_order))
    )
    money = (C.sales_value, C.retail_disc, C.coupon_disc, C.coupon_match_disc)
    lines = transactions.groupBy(*basket, T.product_id).agg(
        F.sum(T.quantity).alias(C.quantity),
        *(dollars(F.sum(ticks(name))).alias(name) for name in money),
    )
    return conform(lines.join(baskets, basket), BASKET_LINES)

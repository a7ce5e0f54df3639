"""What each household buys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform, days_between, dollars, ratio, ticks
from mercato.contracts.tables.gold import BASKET_LINES, HOUSEHOLD_PRODUCT

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

L, C = BASKET_LINES.c, HOUSEHOLD_PRODUCT.c


def household_product(lines: DataFrame) -> DataFrame:
    """One row per household and product it ever bought."""
    bought = lines.groupBy(C.household_id, C.product_id).agg(
        F.count(F.lit(1)).alias(C.baskets),
        F.sum(L.quantity).alias(C.quantity),
        dollars(F.sum(ticks(L.sales_value))).alias(C.sales_value),
        F.min(L.basket_time).alias(C.first_time),
        F.max(L.basket_time).alias(C.last_time),
    )
    gap = ratio(days_between(F.col(C.first_time), F.col(C.last_time)), F.col(C.baskets) - 1)
    return conform(bought.withColumn(C.mean_gap_days, gap), HOUSEHOLD_PRODUCT)

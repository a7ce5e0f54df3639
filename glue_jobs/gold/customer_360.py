"""Each household's life so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform, days_between, dollars, ratio, row_count, ticks
from mercato.contracts.tables.gold import BASKET_LINES, CUSTOMER_360
from mercato.contracts.tables.silver import PRODUCTS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

L, C, P = BASKET_LINES.c, CUSTOMER_360.c, PRODUCTS.c
_RANK = "rank"


def customer_360(lines: DataFrame, products: DataFrame) -> DataFrame:
    """One row per household; its favourites are the most frequent, ties to the smallest id or name."""
    totals = (
        lines.groupBy(L.household_id)
        .agg(
            F.min(L.basket_time).alias(C.first_basket_time),
            F.max(L.basket_time).alias(C.last_basket_time),
            F.max(L.basket_seq).cast("bigint").alias(C.baskets),
            F.count(F.lit(1)).alias(C.lines),
            F.sum(ticks(L.sales_value)).alias(C.spend),
            F.sum(ticks(L.retail_disc)).alias(L.retail_disc),
            F.sum(ticks(L.coupon_disc)).alias(L.coupon_disc),
            F.sum(ticks(L.coupon_match_disc)).alias(L.coupon_match_disc),
        )
        .join(_product_counts(lines), L.household_id)
        .join(_favourite_store(lines), L.household_id)
        .join(_top_department(lines, products), L.household_id, "left")
    )
    spend, baskets = F.col(C.spend), F.col(C.baskets)
    coupons = F.col(L.coupon_disc) + F.col(L.coupon_match_disc)
    shelf_value = spend + F.col(L.retail_disc) + F.col(L.coupon_match_disc)
    return conform(
        totals.withColumns(
            {
                C.spend: dollars(spend),
                C.mean_basket_value: dollars(ratio(spend, baskets)),
                C.mean_basket_size: ratio(F.col(C.lines), baskets),
                C.mean_gap_days: ratio(
                    days_between(F.col(C.first_basket_time), F.col(C.last_basket_time)), baskets - 1
                ),
                C.favourite_store_share: ratio(F.col(C.favourite_store_share), baskets),
                C.retail_discount_share: F.coalesce(ratio(F.col(L.retail_disc), shelf_value), F.lit(0.0)),
                C.coupon_share: F.coalesce(ratio(coupons, shelf_value), F.lit(0.0)),
                C.repeat_share: 1 - ratio(F.col(C.products), F.col(C.lines)),
            }
        ),
        CUSTOMER_360,
    )


def _product_counts(lines: DataFrame) -> DataFrame:
    bought = lines.select(L.household_id, L.product_id).distinct()
    return bought.groupBy(L.household_id).agg(F.count(F.lit(1)).alias(C.products))


def _favourite_store(lines: DataFrame) -> DataFrame:
    """Favourite store, the number of stores, and the favourite's baskets as `favourite_store_share`."""
    baskets = lines.select(L.household_id, L.store_id, L.basket_id).distinct()
    visits = baskets.groupBy(L.household_id, L.store_id).agg(F.count(F.lit(1)).alias(C.baskets))
    best = F.min(F.struct((-F.col(C.baskets)).alias(C.baskets), L.store_id))
    return (
        visits.groupBy(L.household_id)
        .agg(best.alias(C.favourite_store_id), F.count(F.lit(1)).alias(C.stores))
        .select(
            L.household_id,
            F.col(f"{C.favourite_store_id}.{L.store_id}").alias(C.favourite_store_id),
            (-F.col(f"{C.favourite_store_id}.{C.baskets}")).alias(C.favourite_store_share),
            C.stores,
        )
    )


def _top_department(lines: DataFrame, products: DataFrame) -> DataFrame:
    newest_first = Window.partitionBy(P.product_id).orderBy(F.desc(P.event_time), F.desc(P.event_id))
    departments = products.withColumn(_RANK, F.row_number().over(newest_first)).where(F.col(_RANK) == 1)
    bought = lines.groupBy(L.household_id, L.product_id).agg(row_count(L.basket_id).alias(C.lines))
    counts = (
        bought.join(departments.select(P.product_id, P.department), P.product_id)
        .groupBy(L.household_id, P.department)
        .agg(F.sum(C.lines).alias(C.lines))
    )
    best = F.min(F.struct((-F.col(C.lines)).alias(C.lines), P.department))
    return (
        counts.groupBy(L.household_id)
        .agg(best.alias(C.top_department))
        .select(L.household_id, F.col(f"{C.top_department}.{P.department}").alias(C.top_department))
    )

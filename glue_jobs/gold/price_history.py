"""Prices seen at the till, week by week."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform, dollars, ratio, ticks
from mercato.contracts.tables.gold import PRICE_HISTORY
from mercato.contracts.tables.silver import TRANSACTIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

T, C = TRANSACTIONS.c, PRICE_HISTORY.c


def price_history(transactions: DataFrame) -> DataFrame:
    """Unit prices weighted by units; lines without units or without a price tell none.

    `sales_value` is what the retailer took: the card's discount and the retailer's match of a
    coupon come back on top of it, a manufacturer's coupon was the shopper's to take off.
    """
    money = (T.sales_value, T.retail_disc, T.coupon_disc, T.coupon_match_disc)
    sums = (
        transactions.where(F.col(T.quantity) > 0)
        .groupBy(C.product_id, C.store_id, C.week)
        .agg(
            F.min(T.event_time).alias(C.first_sold_at),
            F.sum(T.quantity).alias(C.units),
            *(F.sum(ticks(name)).alias(name) for name in money),
        )
    )
    loyalty = F.col(T.sales_value) + F.col(T.coupon_match_disc)
    regular = loyalty + F.col(T.retail_disc)
    net = F.col(T.sales_value) - F.col(T.coupon_disc)
    units = F.col(C.units)
    return conform(
        sums.where(regular > 0).withColumns(
            {
                C.regular_price: dollars(ratio(regular, units)),
                C.loyalty_price: dollars(ratio(loyalty, units)),
                C.net_price: dollars(ratio(net, units)),
                C.discount_share: 1 - ratio(loyalty, regular),
            }
        ),
        PRICE_HISTORY,
    )

"""Products bought together, over all baskets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform, ratio
from glue_jobs.gold.joint_baskets import both_ways, joint_baskets
from mercato.contracts.tables.features import NEIGHBOURS
from mercato.contracts.tables.gold import BASKET_LINES, PRODUCT_PAIRS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

L, C = BASKET_LINES.c, PRODUCT_PAIRS.c
#: A rarer product or pair says nothing.
MIN_BASKETS, MIN_JOINT_BASKETS = 5, 3
_BASKETS, _NEIGHBOUR_BASKETS, _ALL_BASKETS = "baskets", "neighbour_baskets", "all_baskets"


def product_pairs(lines: DataFrame) -> DataFrame:
    """The NEIGHBOURS products with the highest cosine for each product, ties to the smaller id."""
    sold = (
        lines.groupBy(L.product_id)
        .agg(F.count(F.lit(1)).alias(_BASKETS))
        .where(F.col(_BASKETS) >= MIN_BASKETS)
    )
    frequent = lines.select(L.household_id, L.basket_id, L.product_id).join(
        sold.select(L.product_id), L.product_id, "left_semi"
    )
    pairs = joint_baskets(frequent, {C.baskets_together: F.count(F.lit(1))}).where(
        F.col(C.baskets_together) >= MIN_JOINT_BASKETS
    )
    neighbours = sold.select(
        F.col(L.product_id).alias(C.neighbour_id), F.col(_BASKETS).alias(_NEIGHBOUR_BASKETS)
    )
    total = lines.select(L.household_id, L.basket_id).distinct().agg(F.count(F.lit(1)).alias(_ALL_BASKETS))
    together, one, other = F.col(C.baskets_together), F.col(_BASKETS), F.col(_NEIGHBOUR_BASKETS)
    scored = (
        pairs.join(sold, C.product_id)
        .join(neighbours, C.neighbour_id)
        .crossJoin(total)
        .withColumns(
            {
                C.cosine: together / F.sqrt((one * other).cast("double")),
                C.lift: ratio(together * F.col(_ALL_BASKETS), one * other),
            }
        )
    )
    strongest = Window.partitionBy(C.product_id).orderBy(F.desc(C.cosine), C.neighbour_id)
    ranked = both_ways(scored).withColumn(C.rank, F.row_number().over(strongest))
    return conform(ranked.where(F.col(C.rank) <= NEIGHBOURS), PRODUCT_PAIRS)

"""How often two products are in the same basket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from mercato.contracts.tables.gold import BASKET_LINES, PRODUCT_PAIRS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

L, C = BASKET_LINES.c, PRODUCT_PAIRS.c


def joint_baskets(lines: DataFrame, counts: Mapping[str, Column]) -> DataFrame:
    """Counts over the baskets that hold both products, for each unordered pair.

    Args:
        lines: one row per basket and product, with what `counts` refers to.
        counts: aggregates of a basket's columns by the result's column names.

    Returns:
        C.product_id < C.neighbour_id, and the counts.
    """
    others = lines.select(L.basket_id, F.col(L.product_id).alias(C.neighbour_id))
    return (
        lines.join(others, L.basket_id)
        .where(F.col(C.product_id) < F.col(C.neighbour_id))
        .groupBy(C.product_id, C.neighbour_id)
        .agg(*(count.alias(name) for name, count in counts.items()))
    )


def both_ways(pairs: DataFrame) -> DataFrame:
    """Each pair once from either side."""
    swapped = pairs.withColumns({C.product_id: F.col(C.neighbour_id), C.neighbour_id: F.col(C.product_id)})
    return pairs.unionByName(swapped)

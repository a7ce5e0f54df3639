"""How often two products are in the same basket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from mercato.contracts.tables.gold import BASKET_LINES, PRODUCT_PAIRS

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

L, C = BASKET_LINES.c, PRODUCT_PAIRS.c
_PRODUCTS, _SIDE = "products", "side"


def joint_baskets(lines: DataFrame, counts: Mapping[str, Column]) -> DataFrame:
    """Counts over the baskets that hold both products, for each unordered pair.

    Args:
        lines: a row per household_id, basket_id and product_id, and columns of the basket.
        counts: aggregates of the basket's columns by the result's column names.

    Returns:
        C.product_id < C.neighbour_id, and the counts.
    """
    basket = (L.household_id, L.basket_id)
    of_basket = [name for name in lines.columns if name not in (*basket, L.product_id)]
    # Unfolding a basket against itself costs half of joining the lines with themselves.
    baskets = lines.groupBy(*basket, *of_basket).agg(F.collect_list(L.product_id).alias(_PRODUCTS))
    return (
        baskets.select(*of_basket, _PRODUCTS, F.explode(_PRODUCTS).alias(C.product_id))
        .select(*of_basket, C.product_id, F.explode(_PRODUCTS).alias(C.neighbour_id))
        .where(F.col(C.product_id) < F.col(C.neighbour_id))
        .groupBy(C.product_id, C.neighbour_id)
        .agg(*(count.alias(name) for name, count in counts.items()))
    )


def both_ways(pairs: DataFrame) -> DataFrame:
    """Each pair once from either side."""
    one, other = F.col(C.product_id), F.col(C.neighbour_id)
    sides = F.array(
        *(
            F.struct(left.alias(C.product_id), right.alias(C.neighbour_id))
            for left, right in ((one, other), (other, one))
        )
    )
    # Not a union with the swapped pairs: an engine would count them all twice.
    rest = [name for name in pairs.columns if name not in (C.product_id, C.neighbour_id)]
    unfolded = pairs.select(F.explode(sides).alias(_SIDE), *rest)
    return unfolded.select(*(f"{_SIDE}.{name}" for name in (C.product_id, C.neighbour_id)), *rest)

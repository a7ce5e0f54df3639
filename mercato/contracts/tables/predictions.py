"""Lists of products that a model wrote to a file: those it was judged by, and those of all households."""

from __future__ import annotations

from datetime import datetime

import msgspec

from mercato.contracts.tables.base import Table
from mercato.contracts.tables.columns import F32, I32


class RankedProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product of a household's list; rank 1 is the best."""

    household_id: int
    rank: I32
    product_id: int
    score: F32


class Recommendation(RankedProduct, frozen=True, kw_only=True):
    """The list is for a basket at `event_timestamp` in `store_id`, the household's usual store."""

    store_id: int
    event_timestamp: datetime
    model_version: str


RANKED_PRODUCTS = Table(
    "predictions.ranked_products",
    RankedProduct,
    ("household_id", "rank"),
    "Lists a ranker is judged by.",
)
RECOMMENDATIONS = Table(
    "predictions.recommendations", Recommendation, ("household_id", "rank"), "Lists of all households."
)

"""What each store promotes, by promotion week."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform
from mercato.contracts.events.retail import Placement
from mercato.contracts.schema import Columns
from mercato.contracts.tables.features import STORE_PROMOTIONS
from mercato.contracts.tables.silver import PROMOTIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

S, C = PROMOTIONS.c, STORE_PROMOTIONS.c
PLACE = Columns(Placement.__name__, Placement.__struct_fields__)
#: Code of a place where the product is not shown.
_NOWHERE = "0"
#: Codes have at most four characters; padded, two of them are one sortable string.
_CODE_WIDTH = 4
_STORE, _RANKED_PLACE, _SHOWN = "store", "ranked_place", "shown"


def store_promotions(promotions: DataFrame) -> DataFrame:
    """One row per store and promotion week, products by id.

    Where a store shows a product in several places, the one with both a display and a mailer
    is kept, else the one with either, ties by code.
    """
    window = (S.valid_from, S.valid_to)
    placed = promotions.select(S.product_id, *window, F.explode(S.placements).alias(PLACE.stores)).select(
        S.product_id,
        *window,
        F.concat(
            sum(
                (F.col(f"{PLACE.stores}.{name}") == _NOWHERE).cast("int")
                for name in (PLACE.display, PLACE.mailer)
            ).cast("string"),
            F.rpad(f"{PLACE.stores}.{PLACE.display}", _CODE_WIDTH, " "),
            F.rpad(f"{PLACE.stores}.{PLACE.mailer}", _CODE_WIDTH, " "),
        ).alias(_RANKED_PLACE),
        F.explode(f"{PLACE.stores}.{PLACE.stores}").alias(C.store_id),
    )
    once = placed.groupBy(C.store_id, S.valid_from, S.product_id).agg(
        F.max(S.valid_to).alias(S.valid_to), F.min(_RANKED_PLACE).alias(_RANKED_PLACE)
    )
    display = F.rtrim(F.substring(_RANKED_PLACE, 2, _CODE_WIDTH))
    mailer = F.rtrim(F.substring(_RANKED_PLACE, 2 + _CODE_WIDTH, _CODE_WIDTH))
    shown = F.struct(S.product_id, display.alias(PLACE.display), mailer.alias(PLACE.mailer))
    shelves = once.groupBy(C.store_id, F.col(S.valid_from).alias(C.event_timestamp)).agg(
        F.max(S.valid_to).alias(C.valid_to), F.array_sort(F.collect_list(shown)).alias(_SHOWN)
    )
    return conform(
        shelves.select(
            C.store_id,
            C.event_timestamp,
            C.valid_to,
            F.col(f"{_SHOWN}.{S.product_id}").alias(C.product_ids),
            F.col(f"{_SHOWN}.{PLACE.display}").alias(C.displays),
            F.col(f"{_SHOWN}.{PLACE.mailer}").alias(C.mailers),
        ),
        STORE_PROMOTIONS,
    )

"""What each store promotes, from each instant at which that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from glue_jobs.gold.columns import conform
from glue_jobs.gold.weeks import WEEK_MICROS, next_hour
from mercato.contracts.events.retail import NOT_SHOWN, PLACEMENT
from mercato.contracts.tables.features import SNAPSHOT_WEEKS, STORE_PROMOTIONS
from mercato.contracts.tables.silver import PROMOTIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

S, C = PROMOTIONS.c, STORE_PROMOTIONS.c
#: Codes have at most four characters; padded, two of them are one sortable string.
_CODE_WIDTH = 4
#: The weeks that follow the snapshots of products and stores.
PROMOTION_WEEKS = SNAPSHOT_WEEKS + 1
_NEWEST, _OPENS, _PLACEMENT, _RANKED_PLACE, _SHOWN = "newest", "opens", "placement", "ranked_place", "shown"
_INSTANTS, _WINDOWS, _RUNS = "instants", "windows", "runs"
_WINDOW = (C.store_id, S.valid_from, S.valid_to)


def store_promotions(promotions: DataFrame) -> DataFrame:
    """One row per store and instant at which its promotions change, products by id.

    A row holds all that the store promotes from then on: the next row may come before its `valid_to`. There
    are rows of PROMOTION_WEEKS weeks, of what is planned, and of what runs since before them. Where a store
    shows a product in several places, the one with both a display and a mailer is kept, else the one with
    either, ties by code.
    """
    promotions = _known(promotions)
    # What is planned further ahead is kept, and moves the window no further than the next week.
    next_week = F.max(S.event_time) + F.expr("INTERVAL '7' DAY")
    newest = promotions.agg(F.least(F.max(S.valid_from), next_week).alias(_NEWEST))
    first = F.unix_micros(_NEWEST) - PROMOTION_WEEKS * WEEK_MICROS
    recent = (
        promotions.crossJoin(F.broadcast(newest))
        .where(F.unix_micros(S.valid_to) > first)
        .withColumn(_OPENS, (F.unix_micros(S.valid_from) > first) | (F.col(S.valid_to) > F.col(_NEWEST)))
    )
    display, mailer = F.col(f"{_PLACEMENT}.{PLACEMENT.display}"), F.col(f"{_PLACEMENT}.{PLACEMENT.mailer}")
    empty_places = (display == NOT_SHOWN).cast("int") + (mailer == NOT_SHOWN).cast("int")
    codes = (F.rpad(code, _CODE_WIDTH, " ") for code in (display, mailer))
    window = (S.valid_from, S.valid_to, _OPENS)
    placed = recent.select(S.product_id, *window, F.explode(S.placements).alias(_PLACEMENT)).select(
        S.product_id,
        *window,
        F.concat(empty_places.cast("string"), *codes).alias(_RANKED_PLACE),
        F.explode(f"{_PLACEMENT}.{PLACEMENT.stores}").alias(C.store_id),
    )
    once = (
        placed.join(F.broadcast(_running(placed)), list(_WINDOW))
        .groupBy(C.store_id, C.event_timestamp, S.product_id)
        .agg(F.max(S.valid_to).alias(S.valid_to), F.min(_RANKED_PLACE).alias(_RANKED_PLACE))
    )
    display = F.rtrim(F.substring(_RANKED_PLACE, 2, _CODE_WIDTH))
    mailer = F.rtrim(F.substring(_RANKED_PLACE, 2 + _CODE_WIDTH, _CODE_WIDTH))
    shown = F.struct(S.product_id, display.alias(PLACEMENT.display), mailer.alias(PLACEMENT.mailer))
    shelves = once.groupBy(C.store_id, C.event_timestamp).agg(
        F.max(S.valid_to).alias(C.valid_to), F.array_sort(F.collect_list(shown)).alias(_SHOWN)
    )
    return conform(
        shelves.select(
            C.store_id,
            C.event_timestamp,
            C.valid_to,
            F.col(f"{_SHOWN}.{S.product_id}").alias(C.product_ids),
            F.col(f"{_SHOWN}.{PLACEMENT.display}").alias(C.displays),
            F.col(f"{_SHOWN}.{PLACEMENT.mailer}").alias(C.mailers),
        ),
        STORE_PROMOTIONS,
    )


def _known(promotions: DataFrame) -> DataFrame:
    """Promotions from when they run and are told of, not told of after their end."""
    # Training would else know of a promotion before anyone who was served at the time could. By the hour: a
    # plan that comes late comes as thousands of events, and each instant is a row of all products.
    late = F.col(S.event_time) > F.col(S.valid_from)
    begins = F.when(late, next_hour(S.event_time)).otherwise(F.col(S.valid_from))
    return promotions.withColumn(S.valid_from, begins).where(F.col(S.valid_from) < F.col(S.valid_to))


def _running(placed: DataFrame) -> DataFrame:
    """Which of a store's windows run at each instant at which one begins or ends, if any runs then."""
    windows = placed.select(*_WINDOW, _OPENS).distinct()
    begins, ends = F.collect_set(F.when(F.col(_OPENS), F.col(S.valid_from))), F.collect_set(S.valid_to)
    # Gathered by store instead of joined to themselves: engines would read all placements once more for each.
    stores = windows.groupBy(C.store_id).agg(
        F.array_union(begins, ends).alias(_INSTANTS),
        F.collect_set(F.struct(S.valid_from, S.valid_to)).alias(_WINDOWS),
    )
    pairs = stores.withColumn(C.event_timestamp, F.explode(_INSTANTS)).withColumn(_RUNS, F.explode(_WINDOWS))
    begin, end, at = (
        F.col(f"{_RUNS}.{S.valid_from}"),
        F.col(f"{_RUNS}.{S.valid_to}"),
        F.col(C.event_timestamp),
    )
    return pairs.where((begin <= at) & (at < end)).select(
        C.store_id, at, begin.alias(S.valid_from), end.alias(S.valid_to)
    )

"""Feature values of one moment, for every entity at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from mercato.lake.tables import Lake
from mercato.online.views import CATALOGUE, View

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: Before every event.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def as_of(
    spark: SparkSession,
    lake: Lake,
    view: View,
    at: datetime,
    *,
    version: int | None = None,
    after: datetime = BEGINNING,
) -> DataFrame:
    """The newest row of each entity with `after` < event time <= `at`, as in `view.arrow_schema`.

    The newest time is found on two narrow columns before the wide ones are read.

    Args:
        version: Delta version to read instead of the newest.
    """
    from pyspark.sql import functions as F

    table = lake.read(spark, view.table, version)
    rows = table.where((F.col(view.time) > F.lit(after)) & (F.col(view.time) <= F.lit(at)))
    newest = rows.groupBy(view.entity).agg(F.max(view.time).alias(view.time))
    return rows.join(newest, [view.entity, view.time]).select(*view.arrow_schema.names)


def catalogue(spark: SparkSession, lake: Lake, at: datetime) -> dict[str, pa.Table]:
    """The catalogue views as of a moment, in the shape of `OnlineFeatures.catalogue`."""
    return {view.name: as_of(spark, lake, view, at).toArrow().cast(view.arrow_schema) for view in CATALOGUE}

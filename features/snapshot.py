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
_PLACE = "place"


def rows_of(spark: SparkSession, lake: Lake, view: View, version: int | None = None) -> DataFrame:
    """All rows of a view's table, one of each entity and instant: of several the last by `view.tie`.

    Args:
        version: Delta version to read instead of the newest.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    rows = lake.read(spark, view.table, version)
    if view.tie is None:
        return rows
    last_first = Window.partitionBy(view.entity, view.time).orderBy(F.desc(view.tie))
    return rows.withColumn(_PLACE, F.row_number().over(last_first)).where(F.col(_PLACE) == 1).drop(_PLACE)


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

    table = rows_of(spark, lake, view, version)
    rows = table.where((F.col(view.time) > F.lit(after)) & (F.col(view.time) <= F.lit(at)))
    newest = rows.groupBy(view.entity).agg(F.max(view.time).alias(view.time))
    return rows.join(newest, [view.entity, view.time]).select(*view.arrow_schema.names)


def catalogue(spark: SparkSession, lake: Lake, at: datetime) -> dict[str, pa.Table]:
    """The catalogue views as of a moment, in the shape of `OnlineFeatures.catalogue`."""
    return {view.name: as_of(spark, lake, view, at).toArrow().cast(view.arrow_schema) for view in CATALOGUE}

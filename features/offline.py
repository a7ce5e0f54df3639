"""Feature values as they were: point-in-time joins for training, snapshots of a moment."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
from feast import FeatureService, FeatureStore

from features.offline_store import DeltaOfflineStore
from features.sources import SOURCES, temp_view
from mercato.contracts.schema import UTC_MICROS
from mercato.lake.tables import Lake
from mercato.online.views import CATALOGUE, VIEWS, View

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

#: Column of an entity table with the moment whose values are wanted.
TIME = "event_timestamp"
#: Before every event.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_SESSION_CONF = "spark.sql.parser.quotedRegexColumnNames"


def historical(
    spark: SparkSession,
    lake: Lake,
    store: FeatureStore,
    entities: pa.Table | pd.DataFrame,
    features: Sequence[View] | FeatureService,
) -> pa.Table:
    """Join to each entity row the newest values known at its moment (event time <= moment).

    Args:
        spark: where the join runs.
        lake: whose tables hold the values; an overlay for the evaluation protocol.
        store: from `features.store`.
        entities: columns TIME (UTC), the join keys of the views (`household_id` ...) and any
            others, which are kept; rows are unique on keys and TIME.
        features: the views, or a service; streamed views have no past and are left out.

    Returns:
        One row per entity row in any order: the entity columns, then the views' features with
        their contracts' types; null where nothing was known.
    """
    views = [view for view in _views(features) if not view.streamed]
    frame = entities.to_pandas() if isinstance(entities, pa.Table) else entities.copy()
    refs = [f"{view.name}:{field.name}" for view in views for field in view.features]
    with _session(spark, lake, views):
        job = store.get_historical_features(entity_df=frame, features=refs)
        joined = job.to_spark_df().toArrow()
    types = {field.name: field.type for view in views for field in view.features} | {TIME: UTC_MICROS}
    schema = pa.schema([(name, types.get(name, joined.schema.field(name).type)) for name in joined.schema.names])
    return joined.cast(schema)


def as_of(
    spark: SparkSession,
    lake: Lake,
    store: FeatureStore,
    view: View,
    at: datetime,
    *,
    version: int | None = None,
    after: datetime = BEGINNING,
) -> DataFrame:
    """The newest row of each entity with `after` <= event time <= `at`, as in `view.arrow_schema`.

    Args:
        version: Delta version to read instead of the newest.
    """
    with _session(spark, lake, [view], version):
        job = DeltaOfflineStore.pull_latest_from_table_or_query(
            config=store.config,
            data_source=SOURCES[view.name],
            join_key_columns=[view.entity],
            feature_name_columns=[field.name for field in view.features],
            timestamp_field=view.time,
            created_timestamp_column=None,
            start_date=after,
            end_date=at,
        )
        return job.to_spark_df().select(*view.arrow_schema.names)


def catalogue(
    spark: SparkSession, lake: Lake, store: FeatureStore, at: datetime
) -> dict[str, pa.Table]:
    """The catalogue views as of a moment, in the shape of `OnlineFeatures.catalogue`."""
    return {
        view.name: as_of(spark, lake, store, view, at).toArrow().cast(view.arrow_schema) for view in CATALOGUE
    }


def _views(features: Sequence[View] | FeatureService) -> list[View]:
    if isinstance(features, FeatureService):
        return [VIEWS[projection.name] for projection in features.feature_view_projections]
    return list(features)


@contextmanager
def _session(
    spark: SparkSession, lake: Lake, views: Sequence[View], version: int | None = None
) -> Iterator[None]:
    """Give Feast this session with the views' tables in it, and leave the session as it was.

    Feast takes the thread's active session, and sets an option that would change how other
    queries of the session read backquoted names.
    """
    for view in views:
        lake.read(spark, view.table, version).createOrReplaceTempView(temp_view(view))
    type(spark)._set_default_and_active_session(spark)
    try:
        with redirect_stdout(sys.stderr), warnings.catch_warnings():  # Feast prints, and warns that Spark is young
            warnings.simplefilter("ignore", RuntimeWarning)
            yield
    finally:
        spark.conf.unset(_SESSION_CONF)

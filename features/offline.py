"""Training sets: feature values as they were known at many moments, by Feast's point-in-time join."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout

import pandas as pd
import pyarrow as pa
from feast import FeatureService, FeatureStore
from pyspark.sql import SparkSession

from features.snapshot import rows_of
from features.sources import temp_view
from mercato.contracts.arrow import UTC_MICROS
from mercato.contracts.tables.features import HOUSEHOLD_HISTORY
from mercato.lake.tables import Lake
from mercato.online.views import VIEWS, View

#: Column of an entity table with the moment whose values are wanted, named as in every as-of table.
TIME = HOUSEHOLD_HISTORY.c.event_timestamp


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
        store: from `features.store`, applied.
        entities: columns TIME (UTC), the join keys of the views (`household_id` ...) and any
            others, which are kept.
        features: the views, or a service; streamed views have no past and are left out.

    Returns:
        One row per entity row in any order: the entity columns, then the views' features with
        their contracts' types; null where nothing was known.
    """
    views = [view for view in _views(features) if not view.streamed]
    frame = entities.to_pandas() if isinstance(entities, pa.Table) else entities.copy()
    wanted = [(view.name, field) for view in views for field in view.features]
    with _session(spark, lake, views):
        job = store.get_historical_features(
            entity_df=frame, features=[f"{name}:{field.name}" for name, field in wanted]
        )
        joined: pa.Table = job.to_spark_df().toArrow()
    types = {field.name: field.type for _, field in wanted} | {TIME: UTC_MICROS}
    return joined.cast(pa.schema([(f.name, types.get(f.name, f.type)) for f in joined.schema]))


def _views(features: Sequence[View] | FeatureService) -> list[View]:
    if isinstance(features, FeatureService):
        return [VIEWS[projection.name] for projection in features.feature_view_projections]
    return list(features)


@contextmanager
def _session(spark: SparkSession, lake: Lake, views: Sequence[View]) -> Iterator[None]:
    """Give Feast this session with the views' tables in it, and leave the session as it was.

    Feast takes the thread's active session, and sets an option that would change how other
    queries of the session read backquoted names. It prints to stdout, where our data goes.
    """
    for view in views:
        rows_of(spark, lake, view).createOrReplaceTempView(temp_view(view))
    # A classic session, as Glue has it, is the active one since it was made.
    if not isinstance(spark, SparkSession):
        type(spark)._set_default_and_active_session(spark)
    try:
        with redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            yield
    finally:
        spark.conf.unset("spark.sql.parser.quotedRegexColumnNames")

"""Where feature values come from: Delta tables, seen by Feast as temporary views of a Spark session."""

from __future__ import annotations

import importlib
import warnings

from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource

from mercato.online.views import BATCH, View


def temp_view(view: View) -> str:
    """Name of the temporary view that a session must hold for a feature view."""
    return f"feast_{view.table.layer}_{view.table.short_name}"


# Feast says at every source, also one read from the registry, that its support of Spark is young.
# Its store asks to see every warning as it is imported; hence the store first, then this.
importlib.import_module("features.offline_store")
warnings.filterwarnings("ignore", "The spark data source API", RuntimeWarning)

SOURCES = {
    view.name: SparkSource(
        name=view.table.name,
        table=temp_view(view),
        timestamp_field=view.time,
        description=view.table.description,
    )
    for view in BATCH
}

"""Feast's Spark offline store, made to run on Sail too."""

from __future__ import annotations

import re
from typing import Any

from feast.infra.offline_stores.contrib.spark_offline_store.spark import (
    SparkOfflineStore,
    SparkOfflineStoreConfig,
    SparkRetrievalJob,
)

_LATEST = re.compile(
    r"INNER JOIN (?P<view>\w+)__latest\s+"
    r"USING\(\s*(?P=view)__entity_row_unique_id,\s*event_timestamp\s*\)"
)
_SEMI_JOIN = (
    r"LEFT SEMI JOIN \g<view>__latest AS latest "
    r"ON base.\g<view>__entity_row_unique_id = latest.\g<view>__entity_row_unique_id "
    r"AND base.event_timestamp = latest.event_timestamp"
)


class DeltaOfflineStoreConfig(SparkOfflineStoreConfig):
    """Feast finds the store by this name."""

    type: str = f"{__name__}.DeltaOfflineStore"


class DeltaOfflineStore(SparkOfflineStore):
    """SparkOfflineStore whose point-in-time join runs on Sail and Spark with the same rows.

    The last step of Feast's template is `SELECT base.* FROM base JOIN latest USING (...)`.
    Sail (0.7) takes the columns named in USING out of `base.*`, so the next step doesn't find
    them. Only `base` is selected and `latest` is unique on these columns, so a left semi join
    says the same; the rest of the query stays Feast's.
    """

    @staticmethod
    def get_historical_features(*args: Any, **kwargs: Any) -> SparkRetrievalJob:
        """As in Feast.

        Raises:
            RuntimeError: Feast's template is no longer the one this class corrects.
        """
        job = SparkOfflineStore.get_historical_features(*args, **kwargs)
        job.query, corrected = _LATEST.subn(_SEMI_JOIN, job.query)
        if corrected == 0:
            raise RuntimeError("Feast's point-in-time join has changed: see features/offline_store.py.")
        return job

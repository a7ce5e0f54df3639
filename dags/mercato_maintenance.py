"""Every Sunday: compact the lake's tables and remove files that no recent version needs."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG
from glue_tasks import catalog_jobs, in_order

with DAG(
    "mercato_maintenance",
    description=__doc__,
    # After the nightly run, which it must not meet: a table has one writer at a time.
    schedule="0 12 * * 0",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=15)},
    tags=["mercato"],
):
    in_order(catalog_jobs("maintenance"), os.environ.get("AIRFLOW__MERCATO__PREFIX", ""))

"""Every night: silver, gold, features online, scores."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from glue_tasks import catalog_jobs, in_order

with DAG(
    "mercato_daily",
    description=__doc__,
    schedule="30 5 * * *",  # a day of the figures ends at 05:00 UTC (glue_jobs/gold/weeks.py)
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    # Glue may go on for two hours with what it started: Sunday's upkeep, at noon, must not meet it.
    dagrun_timeout=timedelta(hours=4),
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["mercato"],
):
    tasks = in_order(
        catalog_jobs("silver", "gold", "features", "scores"), os.environ.get("AIRFLOW__MERCATO__PREFIX", "")
    )
    # After all of them, so that a run in which any failed ends as failed.
    EmptyOperator(task_id="all-is-well").set_upstream([*tasks.values()])

"""Every night: silver, gold, features online, scores. On Mondays the models learn from them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerStartPipelineOperator
from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import DAG
from airflow.sdk.types import DagRunProtocol
from glue_tasks import catalog_jobs, glue_task, in_order

#: Put before the name of every job and pipeline of this deployment.
PREFIX = os.environ.get("AIRFLOW__MERCATO__PREFIX", "")
PIPELINES = [name for name in os.environ.get("AIRFLOW__MERCATO__PIPELINES", "").split(",") if name]


def is_monday(dag_run: DagRunProtocol) -> bool:
    """Whether this run is the week's first; one that a person triggered has no interval."""
    return dag_run.run_after.weekday() == 0


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
    tasks = in_order(catalog_jobs("silver", "gold", "features", "scores"), PREFIX)
    weekly = ShortCircuitOperator(task_id="weekly", python_callable=is_monday)
    # After all of them, so that a run in which any failed ends as failed.
    weekly.set_upstream([*tasks.values()])
    datasets = {job["arguments"]["--model"]: job for job in catalog_jobs("datasets")}
    for pipeline in PIPELINES:
        # Starts only: a pipeline whose model its gate refuses ends as failed, and is not to be tried again.
        train = SageMakerStartPipelineOperator(
            task_id=f"train-{pipeline}", pipeline_name=f"{PREFIX}{pipeline}", deferrable=False
        )
        weekly >> glue_task(datasets[pipeline], PREFIX) >> train

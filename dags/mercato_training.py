"""Every Monday after the night: each model's dataset, then its pipeline; one model holds up no other."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerStartPipelineOperator
from airflow.sdk import DAG
from glue_tasks import catalog_jobs, glue_task

#: Put before the name of every job and pipeline of this deployment.
PREFIX = os.environ.get("AIRFLOW__MERCATO__PREFIX", "")
#: Those that start every week; none unless the environment wants it.
PIPELINES = [name for name in os.environ.get("AIRFLOW__MERCATO__PIPELINES", "").split(",") if name]

with DAG(
    "mercato_training",
    description=__doc__,
    schedule="0 9 * * 1" if PIPELINES else None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["mercato"],
):
    datasets = {job["arguments"]["--model"]: job for job in catalog_jobs("datasets")}
    for pipeline in PIPELINES:
        # Starts only: a pipeline whose model its gate refuses ends as failed, and is not to be tried again.
        train = SageMakerStartPipelineOperator(
            task_id=f"train-{pipeline}", pipeline_name=f"{PREFIX}{pipeline}", deferrable=False
        )
        glue_task(datasets[pipeline], PREFIX) >> train

"""Glue jobs of the deploy's catalog as tasks, in the order that what they read and write gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.operators.glue import GlueJobOperator

#: Written by the deploy from the contracts and the job catalog.
CATALOG = Path(__file__).parent / "catalog.json"
#: Between two looks at a job, and how many: longer than Glue lets one run.
_POLL_SECONDS, _POLLS = 30, 260


def catalog_jobs(*layers: str) -> list[dict[str, Any]]:
    """Jobs of these layers, in running order."""
    jobs = json.loads(CATALOG.read_text())["jobs"]
    return [job for job in jobs if job["layer"] in layers]


def glue_task(job: Mapping[str, Any], prefix: str, rule: str = "all_success") -> GlueJobOperator:
    """A task that runs a Glue job to its end, without holding a worker while it waits.

    Args:
        rule: how those before it must have ended.
    """
    return GlueJobOperator(
        task_id=job["name"],
        job_name=f"{prefix}{job['name']}",
        deferrable=True,
        waiter_delay=_POLL_SECONDS,
        waiter_max_attempts=_POLLS,
        trigger_rule=rule,
    )


def in_order(jobs: list[dict[str, Any]], prefix: str) -> dict[str, GlueJobOperator]:
    """Tasks by job name; each after those that write what it reads or writes.

    Two jobs that write one table, such as the quarantine, never run at a time: Delta on S3 has
    one writer per table. One that fails holds up only those that read what it writes.
    """
    tasks: dict[str, GlueJobOperator] = {}
    written: dict[str, str] = {}
    for job in jobs:
        reads, shares = ({written[each] for each in job[of] if each in written} for of in ("reads", "writes"))
        task = glue_task(job, prefix, "all_done" if shares and not reads else "all_success")
        for before in sorted(reads | shares):
            tasks[before].set_downstream(task)
        tasks[job["name"]] = task
        written |= dict.fromkeys(job["writes"], job["name"])
    return tasks

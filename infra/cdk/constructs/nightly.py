"""The batch jobs as a state machine, in the order that Airflow runs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from infra.cdk.contracts import JobSpec

_UPKEEP = "maintenance"
#: Key of the input that asks for the lake's upkeep instead.
MAINTAIN = "maintain"
_RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 300, "MaxAttempts": 2, "BackoffRate": 1.0}]


def definition(jobs: Sequence[JobSpec], prefix: str) -> dict[str, Any]:
    """States in Amazon's language.

    Args:
        jobs: batch jobs, each after those that it reads from.
        prefix: before every job's name.
    """
    steps = [_step(level, prefix) for level in levels([job for job in jobs if job.layer != _UPKEEP])]
    upkeep = [_step([job], prefix) for job in jobs if job.layer == _UPKEEP]
    return {
        "Comment": "Silver, gold, features online; or the lake's upkeep",
        "StartAt": "What",
        "States": {
            "What": {
                "Type": "Choice",
                "Choices": [{"Variable": f"$.{MAINTAIN}", "IsPresent": True, "Next": next(iter(upkeep[0]))}],
                "Default": next(iter(steps[0])),
            },
            **_chain(steps),
            **_chain(upkeep),
        },
    }


def levels(jobs: Iterable[JobSpec]) -> list[list[JobSpec]]:
    """Jobs that may run at a time, level after level: each after those that write what it reads or writes."""
    level: dict[str, int] = {}
    placed = []
    for job in jobs:
        at = max((level[table] + 1 for table in (*job.reads, *job.writes) if table in level), default=0)
        level |= dict.fromkeys(job.writes, at)
        placed.append((at, job))
    placed.sort(key=lambda pair: pair[0])
    return [[job for _, job in group] for _, group in groupby(placed, key=lambda pair: pair[0])]


def _step(jobs: Sequence[JobSpec], prefix: str) -> dict[str, dict[str, Any]]:
    if len(jobs) == 1:
        return _task(jobs[0], prefix)
    branches = [{"StartAt": job.name, "States": _chain([_task(job, prefix)])} for job in jobs]
    return {f"{jobs[0].name} and others": {"Type": "Parallel", "Branches": branches, "ResultPath": None}}


def _task(job: JobSpec, prefix: str) -> dict[str, dict[str, Any]]:
    return {
        job.name: {
            "Type": "Task",
            "Resource": "arn:aws:states:::glue:startJobRun.sync",
            "Parameters": {"JobName": f"{prefix}{job.name}"},
            "ResultPath": None,
            "Retry": _RETRY,
        }
    }


def _chain(steps: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    states = {name: dict(state) for step in steps for name, state in step.items()}
    for before, after in pairwise(states):
        states[before]["Next"] = after
    states[next(reversed(states))]["End"] = True
    return states

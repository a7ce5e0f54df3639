"""The batch jobs as a state machine, in the order that Airflow runs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from infra.cdk.contracts import JobSpec

_UPKEEP, _DATASETS, _SCORES = "maintenance", "datasets", "scores"
#: Keys of the input that ask for the lake's upkeep, or for training, instead.
MAINTAIN, TRAIN = "maintain", "train"
_TRAINING = "Train every model"
_RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 300, "MaxAttempts": 2, "BackoffRate": 1.0}]


def definition(jobs: Sequence[JobSpec], prefix: str, pipelines: Sequence[str] = ()) -> dict[str, Any]:
    """States in Amazon's language.

    Args:
        jobs: batch jobs, each after those that it reads from.
        prefix: before every job's and pipeline's name.
        pipelines: training pipelines, by the models' names.
    """
    night = [job for job in jobs if job.layer not in (_UPKEEP, _DATASETS)]
    steps = [_step(level, prefix) for level in levels(night)]
    upkeep = [_step([job], prefix) for job in jobs if job.layer == _UPKEEP]
    datasets = {job.arguments["--model"]: job for job in jobs if job.layer == _DATASETS}
    training = [_training([datasets[model] for model in pipelines], prefix)] if pipelines else []
    branches = [(MAINTAIN, upkeep), *([(TRAIN, training)] if training else [])]
    return {
        "Comment": "Silver, gold, features online, scores; or the lake's upkeep; or training",
        "StartAt": "What",
        "States": {
            "What": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": f"$.{key}", "IsPresent": True, "Next": next(iter(states[0]))}
                    for key, states in branches
                ],
                "Default": next(iter(steps[0])),
            },
            **_chain(steps),
            **_chain(upkeep),
            **_chain(training),
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
    branches = [{"StartAt": job.name, "States": _branch(job, prefix)} for job in jobs]
    return {f"{jobs[0].name} and others": {"Type": "Parallel", "Branches": branches, "ResultPath": None}}


def _branch(job: JobSpec, prefix: str) -> dict[str, dict[str, Any]]:
    """A job beside others; scores, which no other job reads, hold up none of them."""
    states = _chain([_task(job, prefix)])
    return _held_up_by_none(states, job.name) if job.layer == _SCORES else states


def _held_up_by_none(states: dict[str, dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    """The states, ending well where the one of this name fails for good; the job's own alarm tells of it."""
    without = f"{name} failed"
    states[name]["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": without}]
    return states | {without: {"Type": "Pass", "End": True}}


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


def _training(datasets: Sequence[JobSpec], prefix: str) -> dict[str, dict[str, Any]]:
    """Each model by itself: its dataset, then its pipeline; one that gets no dataset holds up no other."""
    branches = []
    for job in datasets:
        model = job.arguments["--model"]
        train = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:startPipelineExecution",
            "Parameters": {"PipelineName": f"{prefix}{model}", "ClientRequestToken.$": "States.UUID()"},
            "Retry": _RETRY,
        }
        states = _held_up_by_none(_chain([_task(job, prefix), {f"train-{model}": train}]), job.name)
        branches.append({"StartAt": job.name, "States": states})
    return {_TRAINING: {"Type": "Parallel", "Branches": branches, "ResultPath": None}}


def _chain(steps: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    if not steps:
        return {}
    states = {name: dict(state) for step in steps for name, state in step.items()}
    for before, after in pairwise(states):
        states[before]["Next"] = after
    states[next(reversed(states))]["End"] = True
    return states

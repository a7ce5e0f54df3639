"""The batch jobs as a state machine, in the order that Airflow runs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from infra.cdk.contracts import JobSpec

_UPKEEP, _DATASETS = "maintenance", "datasets"
#: Keys of the input that ask for the lake's upkeep, or for training, instead.
MAINTAIN, TRAIN = "maintain", "train"
_TRAINING = "Train every model"
_ALL = ["States.ALL"]
_RETRY = [{"ErrorEquals": _ALL, "IntervalSeconds": 300, "MaxAttempts": 2, "BackoffRate": 1.0}]
_WELL, _FAILED = "All is well", "Something failed"
#: Half an hour before Sunday's upkeep, which writes the tables that a night writes.
_MAX_SECONDS = 6 * 3600


def definition(jobs: Sequence[JobSpec], prefix: str, pipelines: Sequence[str] = ()) -> dict[str, Any]:
    """States in Amazon's language.

    Args:
        jobs: batch jobs, each after those that it reads from.
        prefix: before every job's and pipeline's name.
        pipelines: training pipelines, by the models' names.
    """
    night = [job for job in jobs if job.layer not in (_UPKEEP, _DATASETS)]
    datasets = {job.arguments["--model"]: job for job in jobs if job.layer == _DATASETS}
    states = {
        "night": _night(night, prefix),
        MAINTAIN: _chain([_task(job, prefix) for job in jobs if job.layer == _UPKEEP]),
        TRAIN: _training([datasets[model] for model in pipelines], prefix) if pipelines else {},
    }
    first = {key: next(iter(each)) for key, each in states.items() if each}
    return {
        "Comment": "Silver, gold, features online, scores; or the lake's upkeep; or training",
        "TimeoutSeconds": _MAX_SECONDS,
        "StartAt": "What",
        "States": {
            "What": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": f"$.{key}", "IsPresent": True, "Next": first[key]}
                    for key in (MAINTAIN, TRAIN)
                    if key in first
                ],
                "Default": first["night"],
            },
            **{name: state for each in states.values() for name, state in each.items()},
            _WELL: {"Type": "Succeed"},
            _FAILED: {
                "Type": "Fail",
                "Error": "Failed",
                "Cause": "The history of this execution says what, the jobs' own runs why.",
            },
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


def _night(jobs: Sequence[JobSpec], prefix: str) -> dict[str, dict[str, Any]]:
    """Level after level; a job that fails holds up those that read what it writes, and no others.

    How each ended is kept in the run's own data, where later ones ask for it.
    """
    states: dict[str, dict[str, Any]] = {}
    outcome: dict[str, str] = {}
    written: dict[str, list[str]] = {}
    for place, level in enumerate(levels(jobs)):
        branches = []
        for job in level:
            needed = sorted({outcome[name] for table in job.reads for name in written.get(table, ())})
            branches.append(_branch([_task(job, prefix)], needed))
        kept = f"$.level{place}"
        for job in level:
            outcome[job.name] = f"{kept}['{job.name}']"
            for table in job.writes:
                written.setdefault(table, []).append(job.name)
        states |= _beside(f"Level {place}", [job.name for job in level], branches, kept)
    return _judged("Did the night end well", states, list(outcome.values()))


def _training(datasets: Sequence[JobSpec], prefix: str) -> dict[str, dict[str, Any]]:
    """Each model by itself: its dataset, then its pipeline; one that gets no dataset holds up no other."""
    models = [job.arguments["--model"] for job in datasets]
    branches = [
        _branch([_task(job, prefix), _start(model, prefix)], [])
        for job, model in zip(datasets, models, strict=True)
    ]
    states = _beside(_TRAINING, models, branches, "$.trained")
    return _judged("Did training start well", states, [f"$.trained['{model}']" for model in models])


def _beside(
    title: str, names: Sequence[str], branches: Sequence[dict[str, Any]], kept: str
) -> dict[str, dict[str, Any]]:
    """Branches at a time; how each ended is kept there by these names."""
    told = {f"{name}.$": f"$[{place}].well" for place, name in enumerate(names)}
    parallel = {"Type": "Parallel", "Branches": [*branches], "ResultSelector": told, "ResultPath": kept}
    return {title: parallel}


def _branch(tasks: Sequence[dict[str, dict[str, Any]]], needed: Sequence[str]) -> dict[str, Any]:
    """Tasks that end with whether they went well: a branch that failed would stop those beside it.

    Args:
        needed: outcomes without which they are not to begin.
    """
    states = _chain(tasks)
    name = next(iter(states))
    without = f"without {name}"
    for state in states.values():
        state["Catch"] = [{"ErrorEquals": _ALL, "Next": without}]
    last = states[next(reversed(states))]
    del last["ResultPath"]
    last["ResultSelector"] = {"well": True}
    states[without] = {"Type": "Pass", "Result": {"well": False}, "End": True}
    if not needed:
        return {"StartAt": name, "States": states}
    first = f"what {name} reads"
    return {"StartAt": first, "States": {first: _unless(needed, without, name), **states}}


def _judged(
    title: str, states: dict[str, dict[str, Any]], outcomes: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The states one after another, and a run that ends as failed if one of these outcomes is bad."""
    judged = _chain([states, {title: _unless(outcomes, _FAILED, _WELL)}])
    del judged[title]["End"]
    return judged


def _unless(outcomes: Sequence[str], bad: str, good: str) -> dict[str, Any]:
    """Go one way if any outcome is bad, the other if none is."""
    failed = [{"Variable": each, "BooleanEquals": False} for each in outcomes]
    return {"Type": "Choice", "Choices": [{"Or": failed, "Next": bad}], "Default": good}


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


def _start(model: str, prefix: str) -> dict[str, dict[str, Any]]:
    # The same at each try, so that one whose answer was lost starts no second training; hashed, because
    # SageMaker takes 32 to 128 letters.
    run = f"States.Format('{{}} {model}', $$.Execution.Id)"
    return {
        f"train-{model}": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:startPipelineExecution",
            "Parameters": {
                "PipelineName": f"{prefix}{model}",
                "ClientRequestToken.$": f"States.Hash({run}, 'SHA-256')",
            },
            "ResultPath": None,
            "Retry": _RETRY,
        }
    }


def _chain(steps: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    if not steps:
        return {}
    states = {name: dict(state) for step in steps for name, state in step.items()}
    for before, after in pairwise(states):
        states[before]["Next"] = after
    states[next(reversed(states))]["End"] = True
    return states

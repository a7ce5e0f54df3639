"""Jobs and what starts them: Glue, EMR Serverless, Airflow, Step Functions, Scheduler."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mercato.cloud.cost import schedule
from mercato.cloud.cost.charge import Charge, Context
from mercato.cloud.cost.usage import HOURS
from mercato.cloud.template import NotStatedError, Resource

JOB, _SCHEDULE = "AWS::Glue::Job", "AWS::Scheduler::Schedule"
#: Arguments of a job that does not end with what there is, and of the topics that it copies.
_FOLLOW, _STREAM = "--follow", "--stream"
#: Argument of a job that writes what a model learns from.
_MODEL = "--model"
#: Data processing units of a Glue worker.
_DPUS = {"G.025X": 0.25, "G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8}
_GB_PER_VCPU = 4
#: GB of Airflow's own database that MWAA bills at least.
_DATABASE_GB = 10
#: Containers that an environment's price includes; the smallest class has no others.
_INCLUDED = {"MinWorkers": 1, "MinWebservers": 2, "Schedulers": 2}
_SMALLEST = "mw1.micro"
#: State transitions of one run: some thirty tasks, what half of them ask before, levels, and tries again.
_TRANSITIONS = 100


def streams(resource: Resource) -> int:
    """How many topics a job follows until somebody stops it."""
    if resource.type != JOB or resource.get("DefaultArguments", _FOLLOW) is None:
        return 0
    return len(resource.text("DefaultArguments", _STREAM).split(","))


def _glue_job(resource: Resource, context: Context) -> Iterator[Charge]:
    worker, workers = resource.text("WorkerType"), resource.number("NumberOfWorkers")
    if worker not in _DPUS:
        raise NotStatedError(f"the size of a worker {worker} is not known.")
    units = workers * _DPUS[worker]
    size = f"{units:g} DPUs ({workers:g} of {worker})"
    if streams(resource):
        yield Charge(what="streaming jobs", price="glue.dpu", fixed=units * HOURS, basis=f"{size}, always on")
        hours, basis = HOURS, "always on"
    else:
        minutes, runs, basis = _runs(resource, context)
        yield Charge(
            what="batch jobs",
            price="glue.dpu",
            fixed=units * runs / 60,
            varying=units * runs * (minutes - 1) / 60,
            basis=f"{size}, {basis}; a minute if nothing is new",
        )
        hours = runs * minutes / 60
    if resource.get("DefaultArguments", "--enable-metrics"):
        # A custom metric is billed for the hours in which it is sent.
        yield Charge(
            what="job metrics",
            price="cloudwatch.metric",
            fixed=context.usage.job_metrics * min(hours / HOURS, 1),
            basis=f"job_metrics, {basis}",
        )


def _runs(resource: Resource, context: Context) -> tuple[float, float, str]:
    """Minutes of a run, runs a month, and how they came about: scheduled, with training, or each night."""
    name = resource.get("Name")
    for each in context.assembly.resources:
        if name and each.type == _SCHEDULE and _starts(each) == name:
            expression = each.text("ScheduleExpression")
            return context.usage.copy_minutes, schedule.runs(expression), f"copy_minutes at {expression}"
    if resource.get("DefaultArguments", _MODEL) is not None:
        return context.usage.batch_minutes, context.usage.training_runs, "training_runs of batch_minutes"
    return context.usage.batch_minutes, context.usage.batch_runs, "batch_runs of batch_minutes"


def _starts(resource: Resource) -> str | None:
    """Name of the job for which a schedule asks Glue."""
    text = resource.get("Target", "Input", default="{}")
    return json.loads(text).get("JobName") if isinstance(text, str) else None


def _emr(resource: Resource, context: Context) -> Iterator[Charge]:
    hours = context.usage.emr_vcpu_hours * context.share(resource)
    yield Charge(what="vCPUs", price="emr.vcpu", varying=hours, basis="emr_vcpu_hours; stops when idle")
    yield Charge(
        what="memory",
        price="emr.memory",
        varying=hours * _GB_PER_VCPU,
        basis=f"{_GB_PER_VCPU} GB for each of emr_vcpu_hours",
    )


def _airflow(resource: Resource, context: Context) -> Iterator[Charge]:
    size = resource.text("EnvironmentClass")
    yield Charge(
        what="environment", price="airflow.environment", size=size, fixed=HOURS, basis=f"{size}, always on"
    )
    yield Charge(
        what="metadata database", price="airflow.database", fixed=_DATABASE_GB, basis=f"{_DATABASE_GB} GB"
    )
    more = sum(
        max(resource.number(key, default=included) - included, 0) for key, included in _INCLUDED.items()
    )
    if more and size != _SMALLEST:
        yield Charge(
            what="more containers",
            price="airflow.worker",
            size=size,
            fixed=more * HOURS,
            basis=f"{more:g} beyond those in the environment's price",
        )


def _state_machine(resource: Resource, context: Context) -> Iterator[Charge]:
    transitions = context.usage.batch_runs * _TRANSITIONS
    yield Charge(
        what="state transitions",
        price="states.transition",
        fixed=transitions / 1e3,
        basis=f"batch_runs of {_TRANSITIONS} transitions",
    )


def _schedule(resource: Resource, context: Context) -> Iterator[Charge]:
    expression = resource.text("ScheduleExpression")
    yield Charge(
        what="scheduled calls",
        price="scheduler.invocation",
        fixed=schedule.runs(expression) / 1e6,
        basis=expression,
    )


RULES = {
    JOB: _glue_job,
    "AWS::EMRServerless::Application": _emr,
    "AWS::MWAA::Environment": _airflow,
    "AWS::StepFunctions::StateMachine": _state_machine,
    _SCHEDULE: _schedule,
}

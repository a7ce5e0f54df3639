"""The right to start the batch jobs; for what a job does, it has a role of its own."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from infra.cdk.contracts import contracts
from infra.cdk.stacks.base import PlaneStack

_ACTIONS = ("BatchStopJobRun", "GetJob", "GetJobRun", "GetJobRuns", "StartJobRun")


def start_jobs(stack: PlaneStack) -> iam.PolicyStatement:
    """Start every batch job of the deployment, follow it and stop it."""
    return iam.PolicyStatement(
        actions=[f"glue:{action}" for action in _ACTIONS],
        resources=[
            stack.format_arn(service="glue", resource="job", resource_name=stack.name(job.name))
            for job in contracts().jobs
            if job.kind == "batch"
        ],
    )

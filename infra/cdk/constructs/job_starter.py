"""What starts a streaming job, and starts it again when it has ended."""

from __future__ import annotations

import json

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.cdk.stacks.base import PlaneStack

#: A job that runs on is looked after four times an hour; one that ends with what there is starts hourly.
_RUNS_ON, _ENDS = "cron(0/15 * * * ? *)", "cron(0 * * * ? *)"


class JobStarter(Construct):
    """A schedule that asks Glue for a run.

    While there is one Glue refuses another, and a call that is refused leaves no run behind. A trigger of
    Glue's own would leave a failed run each time, for which the alarm on failed jobs would stay on.
    """

    def __init__(self, stack: PlaneStack, construct_id: str, *, job: glue.CfnJob, continuous: bool) -> None:
        """Create it.

        Args:
            job: a streaming job that runs once at a time; it has a name.
            continuous: the job runs on until it is stopped.
        """
        super().__init__(stack, construct_id)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
            ),
            description=f"Starts {job.name}",
        )
        arn = stack.format_arn(service="glue", resource="job", resource_name=job.name)
        role.add_to_policy(iam.PolicyStatement(actions=["glue:StartJobRun"], resources=[arn]))
        role.add_to_policy(iam.PolicyStatement(actions=["kms:Decrypt"], resources=[stack.key.key_arn]))
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            name=job.name,
            description="Copies what came to bronze",
            schedule_expression=_RUNS_ON if continuous else _ENDS,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            kms_key_arn=stack.key.key_arn,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=f"arn:{stack.partition}:scheduler:::aws-sdk:glue:startJobRun",
                role_arn=role.role_arn,
                input=json.dumps({"JobName": job.name}),
                # A refusal is an answer; the next quarter of an hour asks again.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )
        schedule.add_resource_dependency(job)
